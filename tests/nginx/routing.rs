//! The location that answers, and the URI that the upstream is asked for: what `routing` says is what nginx does.

use std::fmt::Write as _;

use nginspect::config::{Config, LoadOptions, Root, Server as Block, load};
use nginspect::routing::{Choice, Uri, choose, map};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::harness::{Echo, Nginx, PORT, Server, say};

/// Request targets around the names that locations have here.
const TARGETS: [&str; 25] = [
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/",
    "/a/b/c",
    "/a/b.x",
    "/ab",
    "/abc/",
    "/b",
    "/b/x.x",
    "/a//b",
    "/a/./b",
    "/a/%62",
    "/x/../a/b",
    "/A/b",
    "/a%2Fb",
    "/a/b%2F",
    "/a%20b",
    "/a/b?c=/d",
    "/a/b#c",
    "/a/%3Fb",
    "/a/b/../..",
    "//a",
    "/a/b?",
];

fn config(text: &str) -> Config {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, text.replace(PORT, "80")).expect("a file");
    load(&Root::File(path), &LoadOptions::default()).expect("a configuration")
}

/// A request with a target that no client library may tidy up, for the server of a name.
fn request(server: &Server, host: &str, target: &str) -> (u16, String) {
    let raw = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let response = server.request(raw.as_bytes());
    (
        response.status,
        String::from_utf8_lossy(&response.body).into_owned(),
    )
}

/// The locations of one level: what is written before the block, without two names that nginx refuses together.
fn level(names: Vec<&'static str>) -> Vec<&'static str> {
    let mut seen = Vec::new();
    names
        .into_iter()
        .filter(|name| {
            let key = name.strip_prefix("^~ ").unwrap_or(name);
            let regex = name.starts_with('~');
            let fresh = regex || !seen.contains(&key);
            seen.push(key);
            fresh
        })
        .collect()
}

fn servers() -> impl Strategy<Value = Vec<(&'static str, Vec<&'static str>)>> {
    let outer = prop::sample::select(vec![
        "/", "/a", "/a/", "/a/b", "/ab", "/b", "^~ /a", "^~ /a/", "^~ /a/b/", "= /a", "= /a/b",
        "= /", "~ ^/a", "~ b$", "~ ^/a/b", "~* ^/A/", r"~ \.x$", "~ /b/?",
    ]);
    let inner = prop::sample::select(vec![
        "/a/b",
        "/a/b/",
        "^~ /a/b",
        "= /a/b",
        "~ b",
        "~ ^/a/b/c",
        "~* C$",
        "/a/",
    ]);
    let block = (outer, prop::collection::vec(inner, 0..3));
    prop::collection::vec(block, 1..7)
}

/// Writes the locations with an answer each that tells their number.
fn written(blocks: Vec<(&'static str, Vec<&'static str>)>) -> String {
    let names = level(blocks.iter().map(|(name, _)| *name).collect());
    let mut text = String::new();
    let mut number = 0;
    let mut answer = || {
        number += 1;
        format!("return 200 \"#{}\";", number - 1)
    };
    for name in names {
        let inside = blocks
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, inside)| inside.clone());
        writeln!(text, "location {name} {{ {}", answer()).expect("a string grows");
        let path = name.rsplit(' ').next().unwrap_or(name);
        for inner in level(inside.unwrap_or_default()) {
            let regex = inner.starts_with('~');
            let fits = inner
                .rsplit(' ')
                .next()
                .is_some_and(|inner| inner.starts_with(path));
            let may_nest = !name.starts_with('=') && (regex || (!name.starts_with('~') && fits));
            if may_nest {
                writeln!(text, "location {inner} {{ {} }}", answer()).expect("a string grows");
            }
        }
        text.push_str("}\n");
    }
    text
}

#[test]
fn the_location_that_answers_is_the_one_that_nginx_chooses() {
    let Some(nginx) = Nginx::find() else { return };
    let mut runner = TestRunner::deterministic();
    let mut text = String::new();
    for number in 0..150 {
        let blocks = servers().new_tree(&mut runner).expect("servers").current();
        let locations = written(blocks);
        writeln!(
            text,
            "server {{ listen 127.0.0.1:{PORT}; server_name s{number}; {locations} }}"
        )
        .expect("a string grows");
    }
    let text = format!("events {{}}\nhttp {{ server_names_hash_max_size 4096;\n{text} }}\n");
    let config = config(&text);
    let server = Server::start(nginx, &text);
    let mut asked = 0;
    for (number, block) in config.servers().enumerate() {
        let inside: Vec<_> = config
            .locations()
            .filter(|location| location.server() == Some(block))
            .collect();
        for target in TARGETS {
            let (status, body) = request(&server, &format!("s{number}"), target);
            let expected =
                match Uri::parse(target.as_bytes(), true).map(|uri| choose(block, &uri.path)) {
                    None => "400".to_owned(),
                    Some(Choice::Location(location)) => {
                        format!(
                            "#{}",
                            inside
                                .iter()
                                .position(|other| *other == location)
                                .expect("its own location")
                        )
                    }
                    Some(Choice::Server) => String::new(),
                    Some(other) => panic!("{other:?} without a proxied location"),
                };
            let answered = if status == 200 {
                body
            } else if status == 400 {
                "400".to_owned()
            } else {
                String::new()
            };
            assert_eq!(answered, expected, "{target} on\n{:?}", block.directive);
            asked += 1;
        }
    }
    say(&format!(
        "nginx {} has chosen a location {asked} times",
        nginx.version
    ));
}

#[test]
fn the_upstream_is_asked_for_the_uri_that_the_mapping_says() {
    let Some(nginx) = Nginx::find() else { return };
    let backend = Echo::start().port;
    let mut text = String::new();
    for (number, name) in ["/a/", "/a", "/", "^~ /a", "= /a/b", "~ ^/a", "/a/b", "/ab"]
        .into_iter()
        .enumerate()
    {
        let uris = [
            "",
            "/",
            "/v1",
            "/v1/",
            "/a",
            "/a/",
            "?x",
            "/x?y=",
            "/%41/",
            "$request_uri",
            "/w$uri$is_args$args",
            "/c/$is_args",
        ];
        for (index, uri) in uris.into_iter().enumerate() {
            if name.starts_with('~') && !uri.is_empty() && !uri.contains('$') {
                continue;
            }
            writeln!(
                text,
                "server {{ listen 127.0.0.1:{PORT}; server_name s{number}-{index};
                 location {name} {{ proxy_pass http://127.0.0.1:{backend}{uri}; }} }}"
            )
            .expect("a string grows");
        }
    }
    let text = format!("events {{}}\nhttp {{ server_names_hash_max_size 4096;\n{text} }}\n");
    let config = config(&text);
    let server = Server::start(nginx, &text);
    let mut asked = 0;
    for place in config.proxied() {
        let block = place.location.server().expect("a server");
        let url = place.url().expect("an address");
        for target in TARGETS {
            let (status, body) = request(&server, &name(block), target);
            let uri = Uri::parse(target.as_bytes(), true);
            let choice = uri.as_ref().map(|uri| choose(block, &uri.path));
            let context = format!("{target} in {:?}", block.directive);
            match (choice, uri) {
                (None, _) => assert_eq!(status, 400, "{context}"),
                (Some(Choice::Redirect(_)), _) => assert_eq!(status, 301, "{context}"),
                (Some(Choice::Location(location)), Some(uri)) => {
                    let mapped = map(&location, &url, &uri).expect("a mapping");
                    let line = body.lines().next().unwrap_or_default().to_owned();
                    assert_eq!(
                        line,
                        format!("GET {} HTTP/1.0", String::from_utf8_lossy(&mapped)),
                        "{context}"
                    );
                    asked += 1;
                }
                _ => assert!(
                    status == 404 || status == 200 || status == 403,
                    "{context}: {status}"
                ),
            }
        }
    }
    say(&format!(
        "nginx {} has agreed about the URI of {asked} upstream requests",
        nginx.version
    ));
}

fn name(block: Block<'_>) -> String {
    block.names().next().expect("a name").text().into_owned()
}
