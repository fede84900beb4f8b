//! Whether a WebSocket handshake reaches the backend: what the model says is what the backend sees.

use std::fmt::Write as _;

use nginspect::config::{Config, LoadOptions, Root, load};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::harness::{Echo, Nginx, PORT, Server, say};

fn config(nginx: &Nginx, text: &str) -> Config {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, text.replace(PORT, "80")).expect("a file");
    let options = LoadOptions {
        version: Some(nginx.version),
        ..LoadOptions::default()
    };
    load(&Root::File(path), &options).expect("a configuration")
}

/// What the backend sees of a handshake for a URL below a server.
fn handshake(server: &Server, host: &str, target: &str) -> String {
    let raw = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    // The backend answers as to a plain request and closes, so that nginx may keep the connection open.
    let close = raw.replace("Connection: Upgrade", "Connection: close, Upgrade");
    String::from_utf8_lossy(&server.request(close.as_bytes()).body).into_owned()
}

/// True when a backend that goes by the book would answer 101.
fn is_whole(head: &str) -> bool {
    let value = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let upgrades = value("Connection").is_some_and(|value| {
        value
            .split(", ")
            .any(|token| token.eq_ignore_ascii_case("upgrade"))
    });
    head.lines()
        .next()
        .is_some_and(|line| line.ends_with("HTTP/1.1"))
        && value("Upgrade") == Some("websocket")
        && upgrades
}

/// The settings of one level, as text.
fn settings() -> impl Strategy<Value = String> {
    let upgrade = prop::sample::select(vec!["", "", "$http_upgrade", "websocket", "\"\""]);
    let connection = prop::sample::select(vec![
        "",
        "",
        "\"upgrade\"",
        "Upgrade",
        "$both",
        "$http_connection",
        "\"\"",
        "keep-alive",
        "close",
        "$never",
        "\"keep-alive, upgrade\"",
    ]);
    let version = prop::sample::select(vec!["", "", "1.1", "1.1", "1.0"]);
    let other = prop::sample::select(vec!["", "", "X-Other"]);
    (upgrade, connection, version, other).prop_map(|(upgrade, connection, version, other)| {
        let mut text = String::new();
        let lines = [
            ("proxy_set_header Upgrade", upgrade),
            ("proxy_set_header connection", connection),
            ("proxy_http_version", version),
            (
                "proxy_set_header",
                if other.is_empty() { "" } else { "X-Other 1" },
            ),
        ];
        for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(text, "{name} {value};").expect("a string grows");
        }
        text
    })
}

#[test]
fn a_handshake_completes_where_the_model_says_so() {
    let Some(nginx) = Nginx::find() else { return };
    let backend = Echo::start().port;
    let mut runner = TestRunner::deterministic();
    let mut text = String::new();
    for number in 0..400 {
        let (outer, inner, condition) = (settings(), settings(), prop::bool::ANY)
            .new_tree(&mut runner)
            .expect("settings")
            .current();
        let pass = format!("proxy_pass http://127.0.0.1:{backend};");
        let inside = if condition {
            format!("location /in/ {{ {inner} {pass} }}")
        } else {
            inner
        };
        writeln!(
            text,
            "server {{ listen 127.0.0.1:{PORT}; server_name s{number}; {outer} location / {{ {inside} {pass} }} }}"
        )
        .expect("a string grows");
    }
    let text = format!(
        "events {{}}\nhttp {{ server_names_hash_max_size 4096;
         map $http_upgrade $both {{ default upgrade; '' close; }}
         map $http_upgrade $never {{ default keep-alive; '' close; }}\n{text} }}\n"
    );
    let config = config(nginx, &text);
    let server = Server::start(nginx, &text);
    let (mut whole, mut broken) = (0, 0);
    for place in config.proxied() {
        let block = place.location.server().expect("a server");
        let host = block.names().next().expect("a name").text().into_owned();
        let head = handshake(&server, &host, &place.location.path.text());
        let upgrade = place.upgrade();
        assert!(
            upgrade.completes() == is_whole(&head),
            "{upgrade:?} for {:?} in {host}:\n{head}",
            place.location
        );
        *(if is_whole(&head) {
            &mut whole
        } else {
            &mut broken
        }) += 1;
    }
    assert!(
        whole > 30 && broken > 30,
        "{whole} handshakes got through and {broken} did not"
    );
    say(&format!(
        "nginx {} let {whole} handshakes through and broke {broken}",
        nginx.version
    ));
}
