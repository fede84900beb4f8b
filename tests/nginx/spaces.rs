//! What is proved about all URIs is what nginx does with thousands of them: random locations with random regexes.

use std::path::PathBuf;

use nginspect::config::{Config, LoadOptions, Location, Root, load};
use nginspect::routing::{Choice, escape};
use nginspect::urispace::{Found, Goal, Space};

use crate::harness::{Nginx, PORT, Server, say};
use crate::letters::{Chance, DOTS, LINES, Letters};

/// How many configurations are made of each kind.
const CASES: u64 = 40;

/// Longest path of those that are all sent.
const LENGTH: usize = 4;

/// How many longer paths are sent besides.
const LONGER: usize = 150;

fn config(text: &str) -> Config {
    let path = PathBuf::from("/nowhere/nginx.conf");
    let mut options = LoadOptions::default();
    options
        .files
        .buffers
        .insert(path.clone(), text.replace(PORT, "80").into_bytes());
    load(&Root::File(path), &options).expect("a configuration")
}

/// What the location writes.
fn number(location: &Location<'_>) -> String {
    let answer = location.own_return().expect("a `return`");
    answer.argument(1).expect("a text").text().into_owned()
}

fn answer(server: &Server, path: &[u8]) -> String {
    let target = String::from_utf8(escape(path)).expect("an escaped path");
    let raw = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let response = server.request(raw.as_bytes());
    match response.status {
        200 => String::from_utf8_lossy(&response.body).into_owned(),
        status => status.to_string(),
    }
}

/// Paths that a client can send: all short ones, and longer ones made of them.
fn paths(letters: &Letters, chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut all = letters.paths();
    let longer: Vec<Vec<u8>> = (0..LONGER)
        .map(|_| {
            let mut pick = || all[chance.below(all.len())].clone();
            let (start, end) = (pick(), pick());
            match start.last() {
                Some(b'/') => [&start[..], &end[1..]].concat(),
                _ => [start, end].concat(),
            }
        })
        .collect();
    all.retain(|path| path.len() <= LENGTH);
    all.extend(longer);
    all
}

#[test]
fn what_no_uri_reaches_is_never_hit_and_every_witness_hits() {
    let Some(nginx) = Nginx::find() else { return };
    let (mut hit, mut proved, mut undecided, mut sent) = (0, 0, 0, 0);
    for letters in [&DOTS, &LINES] {
        for seed in 1..=CASES {
            let mut chance = Chance(seed);
            let locations = letters.server(&mut chance);
            let text = format!(
                "events {{ }} http {{ server {{ listen 127.0.0.1:{PORT};\n{locations}}} }}"
            );
            if !nginx
                .check_text(text.replace(PORT, "18080").as_bytes())
                .accepted
            {
                continue;
            }
            let config = config(&text);
            let server = config.servers().next().expect("a server");
            let running = Server::start(nginx, &text);
            let mut space = Space::new(&[server.directive.locations()]);
            let mut unreachable = Vec::new();
            for location in config.locations() {
                let own = number(&location);
                match space.find(&Goal::client(Choice::Location(location))) {
                    Found::Uri(path) => {
                        let answer = answer(&running, &path);
                        let path = path.escape_ascii();
                        assert_eq!(answer, own, "{path} in\n{text}");
                        hit += 1;
                    }
                    Found::Nothing(_) => unreachable.push(own),
                    Found::Unknown(_) => undecided += 1,
                }
            }
            proved += unreachable.len();
            if unreachable.is_empty() {
                continue;
            }
            for path in paths(letters, &mut chance) {
                let answer = answer(&running, &path);
                sent += 1;
                let path = path.escape_ascii();
                assert!(
                    !unreachable.contains(&answer),
                    "{path} hits {answer} in\n{text}"
                );
            }
        }
    }
    say(&format!(
        "{hit} witnesses hit, {proved} locations that {sent} requests do not, {undecided} undecided"
    ));
    assert!(hit > 100 && proved > 20, "{hit} {proved}");
}
