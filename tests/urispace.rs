//! Proofs over all URIs, held against every short one: small random sets of locations, with PCRE2 as the matcher.
//!
//! Set `NGINSPECT_SPACES` for a number of configurations other than the default, `NGINSPECT_SPACES_FIRST` for the first.

use std::collections::BTreeMap;
use std::path::PathBuf;

use nginspect::config::{Config, Level, LoadOptions, Location, Root, Server, load};
use nginspect::routing::{Choice, choose};
use nginspect::urispace::{Found, Goal, Space, Uris};

/// How many configurations are made unless `NGINSPECT_SPACES` says otherwise.
const SPACES: u64 = 150;

/// A stream of random numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) as usize % limit
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// What the paths are made of, and the names.
struct Letters {
    paths: &'static [u8],
    length: usize,
    atoms: &'static [&'static str],
    names: &'static [&'static str],
}

const DOTS: Letters = Letters {
    paths: b"/ab.",
    length: 6,
    atoms: &[
        "a", "b", "/", "\\.", ".", "[ab]", "[^a]", "[^/]", "\\w", "\\W",
    ],
    names: &["/", "a", "b", "a/", "b/", ".", "ab"],
};

const LINES: Letters = Letters {
    paths: b"/a.\nA",
    length: 5,
    atoms: &[
        "a",
        "A",
        "/",
        "\\x0a",
        ".",
        "[^a]",
        "[[:upper:]]",
        "\\s",
        "(?i:a)",
        "\\N",
    ],
    names: &["/", "a", "A", "a/", "A/", "."],
};

impl Letters {
    fn pattern(&self, chance: &mut Chance, depth: usize) -> String {
        let parts = 1 + chance.below(3);
        let mut text = String::new();
        for _ in 0..parts {
            match chance.below(12) {
                0 if depth < 2 => {
                    let (first, second) = (
                        self.pattern(chance, depth + 1),
                        self.pattern(chance, depth + 1),
                    );
                    text += &format!("(?:{first}|{second})");
                    text += chance.one(&["", "", "+", "?", "*"]);
                }
                1 if depth < 2 => {
                    let look = chance.one(&["?=", "?!", "?!", "?i:"]);
                    text += &format!("({look}{})", self.pattern(chance, depth + 1));
                }
                2 => text += chance.one(&["\\b", "\\B", "$", "\\z", "^", ""]),
                3 => text += ".*",
                _ => {
                    text += chance.one(self.atoms);
                    text += chance.one(&["", "", "", "", "*", "+", "?", "{2}", "{1,2}"]);
                }
            }
        }
        text
    }

    fn location(&self, chance: &mut Chance, inside: &str, depth: usize) -> String {
        let mut name = inside.to_owned();
        for _ in 0..chance.below(3) {
            name += chance.one(self.names);
        }
        if !name.starts_with('/') {
            name.insert(0, '/');
        }
        let name = name.replace("//", "/");
        let pass = match chance.once_in(4) {
            true => "proxy_pass http://127.0.0.1;",
            false => "",
        };
        let regex = |this: &Self, chance: &mut Chance| {
            let start = chance.one(&["", "", "^", "^/"]);
            let end = chance.one(&["", "", "$", "\\Z"]);
            let case = chance.one(&["~", "~", "~*"]);
            let pattern = this.pattern(chance, 0);
            format!("{case} \"{start}{pattern}{end}\"")
        };
        let (head, below) = match chance.below(7) {
            0 => (format!("= {name}"), None),
            1 => (format!("^~ {name}"), Some(&name)),
            2 | 3 => (name.clone(), Some(&name)),
            _ => (regex(self, chance), None),
        };
        let is_regex = head.starts_with("~");
        let mut inner = String::new();
        if depth < 2 && (below.is_some() || is_regex) && chance.once_in(3) {
            for _ in 0..=chance.below(3) {
                let outer = if is_regex { inside } else { &name };
                inner += &match is_regex {
                    true => format!("location {} {{ }}\n", regex(self, chance)),
                    false => self.location(chance, outer, depth + 1),
                };
            }
        }
        format!("location {head} {{ {pass}\n{inner}}}\n")
    }

    fn server(&self, chance: &mut Chance) -> String {
        let locations = 1 + chance.below(6);
        (0..locations)
            .map(|_| self.location(chance, "", 0))
            .collect()
    }

    /// Every path that a client can send, up to the length.
    fn paths(&self) -> Vec<Vec<u8>> {
        let mut all = vec![b"/".to_vec()];
        let mut last = all.clone();
        for _ in 1..self.length {
            last = last
                .iter()
                .flat_map(|path| {
                    let add = move |byte: &u8| [path, &[*byte][..]].concat();
                    self.paths.iter().map(add)
                })
                .collect();
            all.extend(last.iter().cloned());
        }
        all.retain(|path| {
            let mut segments = path[1..].split(|byte| *byte == b'/').rev();
            let last = segments.next().unwrap_or_default();
            !matches!(last, b"." | b"..")
                && segments.all(|segment| !matches!(segment, b"" | b"." | b".."))
        });
        all
    }
}

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
            below: Vec::new(),
            uris: Uris::Client,
        };
        match space.find(&goal) {
            Found::Uri(path) => {
                counts.witnesses += 1;
                for (root, choice) in &goal.endings {
                    let ended = key(&choose(self.servers[*root], &path));
                    assert_eq!(ended, key(choice), "{} for {about}", shown(&path));
                }
                let printable = self.known.filter(|known| !known.contains(&b'\n'));
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
    println!(
        "{} witnesses, {} proofs that there is none, {} unknown",
        counts.witnesses, counts.nothing, counts.unknown
    );
    assert!(counts.unknown * 10 < counts.witnesses);
}
