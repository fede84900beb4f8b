//! What is said to be out of reach is never reached: all short paths are tried.

use std::path::PathBuf;

use nginspect::config::{Config, LoadOptions, Location, Root, load};
use nginspect::routing::{Choice, Uri, choose, example};
use nginspect::urispace::{Reached, Spaces};
use proptest::prelude::*;

/// What may stand before and in the name of a location that is tried.
const NAMES: [&str; 40] = [
    "/",
    "/a",
    "/a/",
    "/A/",
    "/a/b",
    "/b",
    "^~ /",
    "^~ /a",
    "^~ /a/",
    "^~ /A",
    "^~ /a/b",
    "= /a",
    "= /a/b",
    "~ ^/",
    "~ ^",
    "~ ^/a",
    "~ ^/A",
    "~ ^/a/",
    "~ ^/a/b",
    "~ ^/a/.*",
    "~ ^/a/(.*)$",
    "~ ^/a(.*)",
    "~ ^/.*$",
    "~ ^/a$",
    "~ ^/a/[^b]",
    "~* ^/a/[^b]",
    "~ b$",
    "~* b$",
    "~ /",
    "~ ^/a/b+",
    "~ ^/a|/b",
    "~ ^/(a|b)",
    "~ (?i)^/a",
    "~ ^/a/?",
    "~* ^/a",
    "~* ^/A/b",
    "~* ^/a/",
    "~* ^/",
    "~* ^/a/b$",
    "~ ^/\\/",
];

fn config(names: &[String]) -> Config {
    let blocks: String = names
        .iter()
        .map(|name| format!("location {name} {{ }}\n"))
        .collect();
    let path = PathBuf::from("/nowhere/nginx.conf");
    let mut options = LoadOptions::default();
    let text = format!("events {{ }} http {{ server {{\n{blocks}}} }}");
    options
        .files
        .buffers
        .insert(path.clone(), text.into_bytes());
    load(&Root::File(path), &options).expect("a configuration")
}

/// Every path of at most `length` bytes after its first slash.
fn paths(alphabet: &[u8], length: usize) -> Vec<Vec<u8>> {
    let mut all = vec![b"/".to_vec()];
    let mut last = all.clone();
    for _ in 0..length {
        last = last
            .iter()
            .flat_map(|path| {
                alphabet
                    .iter()
                    .map(move |byte| [path, &[*byte][..]].concat())
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// The names of which nginx takes all: it refuses one prefix or exact name twice.
fn without_doubles(names: &[&str]) -> Vec<String> {
    let mut written: Vec<String> = Vec::new();
    for name in names {
        let bare = |name: &str| name.trim_start_matches("^~ ").to_owned();
        let clashes = |other: &String| !name.starts_with('~') && bare(other) == bare(name);
        if !written.iter().any(clashes) {
            written.push((*name).to_owned());
        }
    }
    written
}

fn reaches(config: &Config, path: &[u8], location: &Location<'_>) -> bool {
    let server = config.servers().next().expect("a server");
    choose(server, path) == Choice::Location(location.clone())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_path_reaches_a_location_whose_requests_another_one_takes(
        names in prop::collection::vec(prop::sample::select(&NAMES[..]), 2..7)
    ) {
        let written = without_doubles(&names);
        let config = config(&written);
        let mut spaces = Spaces::default();
        for loser in config.locations() {
            let (takers, but_controls) = match spaces.reached(&loser) {
                Reached::Nothing(takers) => (takers, false),
                Reached::Control(_, takers) => (takers, true),
                Reached::Path(_) | Reached::Unknown(_) => continue,
            };
            for path in paths(b"aAb/\n", 4) {
                if path.windows(2).any(|pair| pair == b"//") {
                    continue;
                }
                let excepted = but_controls && path.contains(&b'\n');
                prop_assert!(
                    excepted || !reaches(&config, &path, &loser),
                    "{:?} reaches {loser} in {written:?}",
                    path.escape_ascii().to_string()
                );
            }
            for taker in takers {
                let Some(example) = spaces.contested(&loser, &taker) else { continue };
                let uri = Uri::parse(example.target.as_bytes(), true).expect("a target");
                prop_assert!(reaches(&config, &uri.path, &taker));
                let is_match = match loser.regex() {
                    Some(regex) => regex.is_match(&uri.path).expect("an answer"),
                    None => uri.path.starts_with(&loser.path),
                };
                prop_assert!(is_match);
            }
        }
    }

    #[test]
    fn what_would_answer_without_a_location_answers_when_it_is_gone(
        names in prop::collection::vec(prop::sample::select(&NAMES[..]), 2..7)
    ) {
        let written = without_doubles(&names);
        let whole = config(&written);
        for (index, location) in whole.locations().enumerate() {
            let Some(found) = example(&location, &["", "x", "/x", "/b"]) else { continue };
            let mut others = written.clone();
            others.remove(index);
            let rest = config(&others);
            let server = rest.servers().next().expect("a server");
            let uri = Uri::parse(found.target.as_bytes(), true).expect("a target");
            let shown = |choice: Choice<'_>| format!("{choice:?}");
            let answers = shown(choose(server, &uri.path));
            let said = shown(found.without(&location));
            prop_assert_eq!(said, answers, "{} without {}", found.target, location);
        }
    }

    #[test]
    fn no_request_matches_a_name_that_nothing_equals(
        names in prop::collection::vec(
            ("(= |\\^~ |)", "[a/.^][a/.]{0,5}").prop_map(|(modifier, name)| modifier + &name),
            1..4
        )
    ) {
        let mut names = names;
        names.dedup();
        let config = config(&names);
        for location in config.locations().filter(|location| location.mismatch().is_some()) {
            for target in paths(b"a/.", 6) {
                let Some(uri) = Uri::parse(&target, true) else { continue };
                prop_assert!(!reaches(&config, &uri.path, &location), "{uri:?} reaches {location}");
            }
        }
    }
}
