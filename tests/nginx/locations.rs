//! What findings say about locations is what nginx does with the requests that they show.

use std::fs;
use std::path::Path;

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::Diagnostic;
use nginspect::lint::lint;

use crate::harness::{Nginx, PORT, Server};

/// Gives each server a name and a socket of this machine, and each `return` its line as text.
fn served(text: &str) -> String {
    let mut servers = 0;
    let lines = text.lines().enumerate().map(|(index, line)| {
        if line.trim_start().starts_with("server {") {
            servers += 1;
            let name = format!("server_name s{servers}.example;");
            return line.replace("{", &format!("{{ listen 127.0.0.1:{PORT}; {name}"));
        }
        match line.trim_start().split(' ').next() {
            Some("listen" | "include" | "server_name") => String::new(),
            _ => line.replace("return 200;", &format!("return 200 \"{}\";", index + 1)),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The findings of a rule in a configuration that is served.
fn findings(rule: &str, text: &str) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    fs::write(&path, text.replace(PORT, "80")).expect("a writable folder");
    let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
    let mut findings = lint(&config, &Scope::All);
    findings.retain(|finding| finding.rule == rule);
    findings
}

/// The answer to the request of a witness.
fn answer(server: &Server, request: &str) -> String {
    let url = request.strip_prefix("GET http://").expect("an http URL");
    let (host, path) = url.split_once('/').expect("a path");
    let raw = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let response = server.request(raw.as_bytes());
    String::from_utf8_lossy(&response.body).into_owned()
}

fn fixture(rule: &str, file: &str) -> String {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    fs::read_to_string(rules.join(rule).join(file)).expect("a fixture")
}

#[test]
fn the_location_that_takes_everything_answers() {
    let Some(nginx) = Nginx::find() else { return };
    let mut asked = 0;
    for file in ["order.conf", "preference.conf"] {
        let text = served(&fixture("unreachable-location", file));
        let server = Server::start(nginx, &text);
        for finding in findings("unreachable-location", &text) {
            let Some(witness) = finding.witness else {
                continue;
            };
            let (_, line) = witness.effect.rsplit_once(' ').expect("a line");
            assert_eq!(answer(&server, &witness.request), line, "{witness:?}");
            asked += 1;
        }
    }
    assert!(asked > 15, "{asked} witnesses were asked for");
}

#[test]
fn a_path_with_dots_reads_what_lies_beside_the_folder_of_an_alias() {
    let Some(nginx) = Nginx::find() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = format!("{}/srv/", folder.path().display());
    let text = served(&fixture("alias-traversal", "cases.conf")).replace("/srv/", &files);
    let server = Server::start(nginx, &text);
    let mut asked = 0;
    for finding in findings("alias-traversal", &text) {
        let Some(witness) = finding.witness else {
            continue;
        };
        let file = witness.effect.strip_prefix("the file ").expect("a file");
        if file.contains('$') {
            continue;
        }
        fs::create_dir_all(file.trim_end_matches("../x")).expect("a writable folder");
        fs::write(file, "secret").expect("a writable folder");
        assert_eq!(answer(&server, &witness.request), "secret", "{witness:?}");
        asked += 1;
    }
    assert!(asked > 4, "{asked} witnesses were asked for");
}
