//! Proofs over all URIs, held against every short one: small random sets of locations, with PCRE2 as the matcher.
//!
//! Set `NGINSPECT_SPACES` for a number of configurations other than the default, `NGINSPECT_SPACES_FIRST` for the first.

mod letters;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use letters::{Chance, DOTS, LINES, Letters};
use nginspect::config::{Config, Level, LoadOptions, Location, Root, Server, load};
use nginspect::routing::{Choice, choose};
use nginspect::urispace::{Found, Goal, Space};

/// How many configurations are made unless `NGINSPECT_SPACES` says otherwise.
const SPACES: u64 = 100;

fn config(locations: &str) -> Config {
    let path = PathBuf::from("/nowhere/nginx.conf");
    let mut options = LoadOptions::default();
    let text = format!("events {{ }} http {{ server {{\n{locations}}} }}");
    options
        .files
        .buffers
        .insert(path.clone(), text.into_bytes());
    load(&Root::File(path), &options).expect("a configuration")
}

/// True where two names are equal, which nginx refuses.
fn has_twins(config: &Config) -> bool {
    config.location_levels().iter().any(|level| {
        let names = level.iter().filter(|location| !location.is_regex());
        let mut names: Vec<_> = names
            .map(|location| (location.is_prefix(), location.path.to_vec()))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        names.len() < all
    })
}

fn level(config: &Config) -> Level<'_> {
    let server = config.servers().next().expect("a server");
    server.directive.locations()
}

/// How a search can end, as a key.
fn key(choice: &Choice<'_>) -> Option<(u8, u32)> {
    match choice {
        Choice::Location(location) => Some((0, location.directive.number())),
        Choice::Redirect(location) => Some((1, location.directive.number())),
        Choice::Server => Some((2, 0)),
        Choice::Unknown => None,
    }
}

/// Every way in which a search can end.
fn choices(config: &Config) -> Vec<Choice<'_>> {
    let locations: Vec<Location<'_>> = config.locations().collect();
    let mut all: Vec<_> = locations.iter().cloned().map(Choice::Location).collect();
    all.extend(locations.into_iter().map(Choice::Redirect));
    all.push(Choice::Server);
    all
}

fn shown(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}

#[derive(Default)]
struct Counts {
    witnesses: usize,
    nothing: usize,
    unknown: usize,
}

/// What was asked of a space, and what is known of the answer.
struct Question<'k, 'c> {
    endings: Vec<(usize, Choice<'c>)>,
    /// The shortest path that was found by trying.
    known: Option<&'k [u8]>,
    servers: [Server<'c>; 2],
    /// The configurations, for messages.
    about: &'k str,
}

impl<'c> Question<'_, 'c> {
    fn ask(self, space: &mut Space<'c>, counts: &mut Counts) {
        let about = format!("{}{:?}", self.about, self.endings);
        let goal = Goal {
            endings: self.endings,
            ..Goal::client(Choice::Server)
        };
        match space.find(&goal) {
            Found::Uri(path) => {
                counts.witnesses += 1;
                for (root, choice) in &goal.endings {
                    let ended = key(&choose(self.servers[*root], &path));
                    assert_eq!(ended, key(choice), "{} for {about}", shown(&path));
                }
                // Line feeds are dear, and names that begin with a dot.
                let is_cheap = |known: &&[u8]| {
                    !known.contains(&b'\n') && !known.windows(2).any(|pair| pair == b"/.")
                };
                let printable = self.known.filter(is_cheap);
                let is_short = printable.is_none_or(|known| path.len() <= known.len());
                let known = printable.map(shown);
                assert!(is_short, "{} although {known:?}: {about}", shown(&path));
            }
            Found::Nothing(_) => {
                counts.nothing += 1;
                assert_eq!(self.known.map(shown), None, "{about}");
            }
            Found::Unknown(why) => {
                counts.unknown += 1;
                assert!(why.contains("repeated"), "{why}: {about}");
            }
        }
    }
}

fn hold(letters: &Letters, paths: &[Vec<u8>], seed: u64, counts: &mut Counts) {
    let mut chance = Chance(seed);
    let (first, second) = (letters.server(&mut chance), letters.server(&mut chance));
    let (old, new) = (config(&first), config(&second));
    if [&old, &new].into_iter().any(has_twins) {
        return;
    }
    let servers = [&old, &new].map(|config| config.servers().next().expect("a server"));
    let mut taken: BTreeMap<_, &[u8]> = BTreeMap::new();
    let mut pairs: BTreeMap<_, &[u8]> = BTreeMap::new();
    for path in paths {
        let [one, other] = servers.map(|server| key(&choose(server, path)));
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        taken.entry(one).or_insert(path);
        pairs.entry((one, other)).or_insert(path);
    }
    let about = format!("seed {seed}\n{first}----\n{second}\n");
    let mut space = Space::new(&[level(&old), level(&new)]);
    for one in choices(&old) {
        let first = key(&one).expect("a choice");
        let question = Question {
            endings: vec![(0, one.clone())],
            known: taken.get(&first).copied(),
            servers,
            about: &about,
        };
        question.ask(&mut space, counts);
        for other in choices(&new) {
            let both = (first, key(&other).expect("a choice"));
            let question = Question {
                endings: vec![(0, one.clone()), (1, other)],
                known: pairs.get(&both).copied(),
                servers,
                about: &about,
            };
            question.ask(&mut space, counts);
        }
    }
}

#[test]
fn what_is_proved_about_all_uris_holds_for_every_short_one() {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let spaces = number("NGINSPECT_SPACES").unwrap_or(SPACES);
    let first: u64 = number("NGINSPECT_SPACES_FIRST").unwrap_or(1);
    let mut counts = Counts::default();
    for letters in [&DOTS, &LINES] {
        let paths = letters.paths();
        for seed in first..first + spaces {
            hold(letters, &paths, seed, &mut counts);
        }
    }
    let Counts {
        witnesses,
        nothing,
        unknown,
    } = counts;
    let says =
        format!("{witnesses} witnesses, {nothing} proofs that there is none, {unknown} unknown");
    writeln!(std::io::stdout(), "{says}").expect("an open output");
    assert!(unknown * 10 < witnesses, "{says}");
}

/// Pieces of PCRE's syntax, in any order.
const PIECES: [&str; 64] = [
    "a", "a", "A", "/", "/", "-", "_", " ", ".", ".", "\\n", "\\x41", "\\x{61}", "\\.", "\\-",
    "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\h", "\\v", "\\N", "\\b", "\\B", "\\A", "\\z",
    "\\Z", "\\Q", "\\E", "\\/", "^", "^", "$", "$", "*", "+", "?", "{2}", "{1,2}", "{,2}", "{0,1}",
    "{", "}", "|", "|", "(", "(", "(?:", "(?=", "(?!", "(?i)", "(?x)", "(?s)", "(?-i)", "(?i:",
    "(?<n>", "(?#a)", ")", ")", "[", "]", "#",
];

/// What may stand in a class.
const MEMBERS: [&str; 20] = [
    "a",
    "A",
    "a-z",
    "/",
    "-",
    "^",
    "]",
    "[",
    "\\d",
    "\\w",
    "\\W",
    "[:alpha:]",
    "[:^alpha:]",
    "[:upper:]",
    "[:space:]",
    "\\n",
    "\\]",
    "\\\\",
    "!-/",
    "\\b",
];

fn soup(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..1 + chance.below(7) {
        match chance.once_in(8) {
            true => {
                text += chance.one(&["[", "[^"]);
                for _ in 0..1 + chance.below(3) {
                    text += chance.one(&MEMBERS);
                }
                text += "]";
            }
            false => text += chance.one(&PIECES),
        }
    }
    let open = text.matches('(').count();
    let closed = text.matches(')').count();
    text + &")".repeat(open.saturating_sub(closed))
}

#[test]
fn every_syntax_means_what_it_means_to_pcre2() {
    let paths: Vec<Vec<u8>> = {
        let mut all: Vec<Vec<u8>> = vec![b"/".to_vec()];
        let mut last = all.clone();
        for _ in 0..3 {
            last = last
                .iter()
                .flat_map(|path| b"/aA-\n".iter().map(|byte| [&path[..], &[*byte]].concat()))
                .collect();
            all.extend(last.iter().cloned());
        }
        all.retain(|path| !path.windows(2).any(|pair| pair == b"//"));
        all
    };
    let exact: String = paths
        .iter()
        .map(|path| {
            let name = String::from_utf8(path.clone()).expect("plain text");
            format!("location = \"{name}\" {{ }}\n")
        })
        .collect();
    let exact = config(&exact);
    let names: Vec<Location<'_>> = exact.locations().collect();
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let patterns: u64 = number("NGINSPECT_SPACES").unwrap_or(SPACES) * 4;
    let first: u64 = number("NGINSPECT_SPACES_FIRST").unwrap_or(1);
    let (mut compared, mut refused) = (0, 0);
    for seed in first..first + patterns {
        let mut chance = Chance(seed);
        let pattern = soup(&mut chance);
        let modifier = chance.one(&["~", "~*"]);
        let quoted = pattern.replace('\\', "\\\\").replace('"', "\\\"");
        let one = config(&format!("location {modifier} \"{quoted}\" {{ }}\n"));
        let location = one.locations().next().expect("a location");
        assert_eq!(location.path.text(), pattern);
        let Some(regex) = location.regex() else {
            continue;
        };
        let mut space = Space::new(&[level(&one), level(&exact)]);
        for (path, name) in paths.iter().zip(&names) {
            let goal = Goal {
                endings: vec![
                    (0, Choice::Location(location.clone())),
                    (1, Choice::Location(name.clone())),
                ],
                ..Goal::client(Choice::Server)
            };
            let is_match = regex.is_match(path).expect("an answer");
            let about = || format!("{seed}: {modifier} {pattern} and {}", shown(path));
            match space.find(&goal) {
                Found::Uri(_) => assert!(is_match, "{}", about()),
                Found::Nothing(_) => assert!(!is_match, "{}", about()),
                Found::Unknown(why) => {
                    assert!(!why.contains("two ways"), "{}", about());
                    refused += 1;
                    break;
                }
            }
            compared += 1;
        }
    }
    let says = format!("{compared} answers compared, {refused} patterns refused");
    writeln!(std::io::stdout(), "{says}").expect("an open output");
    assert!(compared > 10_000, "{says}");
}
