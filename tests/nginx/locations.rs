//! What findings say about locations is what nginx does with the requests that they show.

use std::fs;
use std::path::Path;

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::Diagnostic;
use nginspect::lint::lint;

use crate::harness::{Echo, Nginx, PORT, Response, Server};

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

fn fixture(rule: &str, file: &str) -> String {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    fs::read_to_string(rules.join(rule).join(file)).expect("a fixture")
}

/// A fixture that is served: on one port, with its backend and its files, and without what it includes.
fn with_backend(rule: &str, file: &str, backend: u16, files: &str) -> String {
    let lines = fixture(rule, file);
    let lines = lines.lines().map(|line| {
        match line.trim_start().split(' ').next() {
            Some("listen" | "include") => return String::new(),
            _ if line.trim_end() == "    server {" => {
                return format!("{line} listen 127.0.0.1:{PORT};");
            }
            _ => {}
        }
        line.replace("127.0.0.1:8000", &format!("127.0.0.1:{backend}"))
            .replace("/srv/", files)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text with the first fix of each finding.
fn fixed(text: &str, findings: &[Diagnostic]) -> String {
    let mut bytes = text.replace(PORT, "80").into_bytes();
    let fixes = findings.iter().filter_map(|finding| finding.fixes.first());
    let mut edits: Vec<_> = fixes.flat_map(|fix| fix.edits.clone()).collect();
    edits.sort();
    for edit in edits.iter().rev() {
        bytes.splice(edit.span.range(), edit.text.bytes());
    }
    let text = String::from_utf8(bytes).expect("a text");
    text.replace("listen 127.0.0.1:80;", &format!("listen 127.0.0.1:{PORT};"))
}

/// Sends the requests of the findings' witnesses, to the configuration as it is and to the fixed one: each with what
/// both answer.
fn witnesses(rule: &str, file: &str) -> Vec<(Diagnostic, Response, Response)> {
    let Some(nginx) = Nginx::find() else {
        return Vec::new();
    };
    let backend = Echo::start().port;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = format!("{}/srv/", folder.path().display());
    let text = with_backend(rule, file, backend, &files);
    let findings = findings(rule, &text);
    for finding in &findings {
        let effect = finding.witness.as_ref().map(|witness| &witness.effect);
        if let Some(file) = effect.and_then(|effect| effect.strip_prefix("the file ")) {
            let folder = Path::new(file).parent().expect("a folder");
            fs::create_dir_all(folder).expect("a writable folder");
            fs::write(file, "of another folder").expect("a writable folder");
        }
    }
    let server = Server::start(nginx, &text);
    let cured = Server::start(nginx, &fixed(&text, &findings));
    let ask = |server: &Server, request: &str| {
        let (scheme, url) = request.split_once("://").expect("a URL");
        let (host, path) = url.split_once('/').expect("a path");
        let handshake = match scheme {
            "GET ws" => "Upgrade: websocket\r\nConnection: upgrade, close",
            _ => "Connection: close",
        };
        let raw = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n{handshake}\r\n\r\n");
        server.request(raw.as_bytes())
    };
    let asked: Vec<_> = findings
        .into_iter()
        .filter_map(|finding| {
            let request = finding.witness.as_ref()?.request.clone();
            let (before, after) = (ask(&server, &request), ask(&cured, &request));
            Some((finding, before, after))
        })
        .collect();
    assert!(!asked.is_empty(), "{rule}: no witness was asked for");
    asked
}

#[test]
fn a_location_without_a_handler_looks_for_files() {
    for (finding, before, after) in witnesses("handlerless-location", "cases.conf") {
        let effect = finding.witness.expect("a witness").effect;
        let open = effect.starts_with("404");
        assert!(open || effect.starts_with("for those who are let in, 404"));
        let statuses: &[u16] = if open { &[404] } else { &[401, 403] };
        assert!(
            statuses.contains(&before.status),
            "{}: {before:?}",
            finding.message
        );
        let is_passed = after.status == 200 && after.body.starts_with(b"GET /");
        let (fixes, is_http) = (
            !finding.fixes.is_empty(),
            !finding.message.contains("fastcgi"),
        );
        assert_eq!(
            is_passed,
            open && fixes && is_http,
            "{}: {after:?}",
            finding.message
        );
        if is_passed {
            let line = String::from_utf8_lossy(&after.body);
            let path = finding.message.split('`').nth(1).expect("a path");
            let path = path
                .replace("/nested/ws", "/in/ws")
                .replace("/nested/e", "/in/e");
            let path = path.replace("/api/ws", "/v1/ws");
            assert!(line.starts_with(&format!("GET {path} ")), "{line}");
        }
    }
}

#[test]
fn a_handshake_without_the_slash_is_redirected() {
    for (finding, before, after) in witnesses("websocket-path-redirect", "cases.conf") {
        assert_eq!(before.status, 301, "{}: {before:?}", finding.message);
        let is_fixed = !finding.fixes.is_empty();
        assert_eq!(
            after.status,
            if is_fixed { 200 } else { 301 },
            "{}",
            finding.message
        );
    }
}

#[test]
fn a_challenge_is_refused_by_a_regex_and_answered_by_a_preferred_prefix() {
    for (finding, before, after) in witnesses("blocked-acme-challenge", "example.conf") {
        assert_eq!(before.status, 403, "{}", finding.message);
        // The file is not there.
        assert_eq!(after.status, 404, "{}", finding.message);
    }
}

#[test]
fn a_prefix_without_a_slash_answers_longer_names() {
    for (finding, before, after) in witnesses("prefix-overmatch", "cases.conf") {
        let effect = finding.witness.expect("a witness").effect;
        let message = finding.message;
        if effect.starts_with("the file ") {
            assert_eq!(before.body, b"of another folder", "{message}");
            assert_ne!(after.body, before.body, "{message}");
        } else if effect.contains("proxy_pass") {
            assert_eq!(before.status, 200, "{message}: {before:?}");
            assert_eq!(after.status, 404, "{message}: {after:?}");
        } else {
            assert_eq!(before.status, 404, "{message}: {before:?}");
        }
    }
}
