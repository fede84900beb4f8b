//! A backend that goes by the book, behind the fixtures about WebSockets: what their findings say is seen, and what their
//! fixes promise.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use nginspect::config::{Config, LoadOptions, Root, Scope, load};
use nginspect::diagnostic::{Diagnostic, Edit};
use nginspect::lint::lint_with;
use nginspect::routing;
use nginspect::rules::RULES;
use nginspect::source::Origin;

use crate::fixtures;
use crate::harness::{Echo, Nginx, PORT, Server, copy_folder, say};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A backend that answers 101 to a whole handshake, and 400 to everything else; after the 101 it sends back what comes.
struct Strict {
    port: u16,
}

impl Strict {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || agree(stream));
            }
        });
        Self { port }
    }
}

fn agree(mut stream: TcpStream) -> std::io::Result<()> {
    let head = head(&mut stream)?;
    let says = |name: &str, token: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.any(|(known, value)| {
            known.eq_ignore_ascii_case(name)
                && value
                    .split(',')
                    .any(|word| word.trim().eq_ignore_ascii_case(token))
        })
    };
    let is_whole = head
        .lines()
        .next()
        .unwrap_or_default()
        .ends_with("HTTP/1.1")
        && says("Upgrade", "websocket")
        && says("Connection", "upgrade")
        && says("Sec-WebSocket-Version", "13");
    if !is_whole {
        return stream.write_all(
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
    }
    stream.write_all(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    )?;
    let mut buffer = [0; 256];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length])?,
        }
    }
}

/// Reads up to the empty line that ends a head.
fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// What a client sees of a handshake for a URL such as `ws://shop.example/chat`, and the connection; what goes through it
/// when the answer is a whole 101 has to come back.
fn open(server: &Server, url: &str) -> (String, TcpStream) {
    let rest = url.split_once("://").expect("a URL").1;
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = server.connect();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("nginx reads");
    let answer = head(&mut stream).expect("nginx answers");
    if is_open(&answer) {
        stream.write_all(b"echo").expect("a tunnel");
        let mut back = [0; 4];
        stream.read_exact(&mut back).expect("a tunnel");
        assert_eq!(&back, b"echo");
    }
    (answer, stream)
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn is_open(answer: &str) -> bool {
    let answer = answer.to_lowercase();
    status(&answer) == "101"
        && answer.contains("\r\nupgrade: websocket\r\n")
        && answer.contains("\r\nconnection: upgrade\r\n")
}

/// The findings of one rule, by the version of this nginx.
fn findings(nginx: &Nginx, rule: &str, root: &Path) -> (Config, Vec<Diagnostic>) {
    let options = LoadOptions {
        version: Some(nginx.version),
        ..LoadOptions::default()
    };
    let config = load(&Root::File(root.to_owned()), &options).expect("a configuration");
    let known = RULES.iter().find(|(name, _)| *name == rule);
    let found = lint_with(&config, &Scope::All, &[*known.expect("the rule")]);
    (config, found)
}

/// The root configurations of a rule that this nginx takes, each copied with what it includes.
fn copies(nginx: &Nginx, rule: &str) -> Vec<(tempfile::TempDir, PathBuf)> {
    let taken = fixtures::taken(rule, nginx).into_iter().map(|root| {
        let copy = tempfile::tempdir().expect("a temporary folder");
        copy_folder(root.parent().expect("a folder"), copy.path());
        let path = copy.path().join(root.file_name().expect("a name"));
        (copy, path)
    });
    taken.collect()
}

/// Serves a configuration: includes are written in its place, every server listens on one free port, and every backend is
/// the one given.
fn serve(nginx: &Nginx, root: &Path, backend: u16) -> Server {
    serve_before(nginx, root, &|_| backend)
}

/// Serves it with a backend for each port that is written.
fn serve_before(nginx: &Nginx, root: &Path, backend: &dyn Fn(&str) -> u16) -> Server {
    let folder = root.parent().expect("a folder");
    let mut text = String::new();
    for line in fs::read_to_string(root).expect("a text").lines() {
        let included = line.trim().strip_prefix("include ");
        match included.and_then(|rest| rest.split(';').next()) {
            Some(file) => text += &fs::read_to_string(folder.join(file)).expect("an include"),
            None if line.trim().starts_with("listen ") => {}
            None => text += &at_port(line, backend),
        }
        text.push('\n');
        if line.trim().starts_with("server {") {
            text += &format!("listen 127.0.0.1:{PORT};\n");
        }
    }
    Server::start(nginx, &text)
}

/// A line in which every local address has the port that stands for its own.
fn at_port(line: &str, port: &dyn Fn(&str) -> u16) -> String {
    let mut parts = line.split("127.0.0.1:");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let port = port(&part[..part.len() - rest.len()]);
        text += &format!("127.0.0.1:{port}{rest}");
    }
    text
}

/// Makes edits in the files of a copied configuration.
fn apply(config: &Config, edits: &[Edit]) {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort();
    for edit in edits.iter().rev() {
        let Origin::Disk(path) = config.sources().file(edit.span.file).origin() else {
            panic!("{edit:?} is not for a file");
        };
        let mut text = fs::read(path).expect("a text");
        text.splice(edit.span.range(), edit.text.bytes());
        fs::write(path, text).expect("a copy");
    }
}

/// What to open to see a finding: the URL of its witness, or of the place whose list of headers it stands at.
fn url(config: &Config, finding: &Diagnostic) -> Option<String> {
    if let Some(witness) = &finding.witness {
        let url = witness.request.strip_prefix("GET ")?;
        return url.starts_with("ws://").then(|| url.to_owned());
    }
    let place = config.proxied().find(|place| {
        let headers = place.headers();
        let first = headers.directives().first();
        let loses = place.lost_headers().iter().any(|header| {
            header
                .argument(0)
                .is_some_and(|name| name.is_header("Connection"))
                && header.argument(1).is_some_and(|value| !value.is_empty())
        });
        loses && first.is_some_and(|first| first.span() == finding.span)
    });
    routing::example(&place?.location, &["", "chat", "/chat"])?.url("ws")
}

/// What a rule tells, and what its fixes promise.
struct Promise {
    rule: &'static str,
    /// Another rule, for what may be missing besides.
    then: Option<&'static str>,
    /// True for the answer to a handshake before the fix.
    fails: fn(&str) -> bool,
    /// How many findings there are at least.
    least: usize,
}

/// Opens what each finding of a rule names before and after its fix.
fn keeps(promise: &Promise) {
    let Some(nginx) = Nginx::find() else { return };
    let backend = Strict::start().port;
    let (mut cured, mut unseen) = (0, 0);
    for (copy, root) in copies(nginx, promise.rule) {
        let kept = tempfile::tempdir().expect("a temporary folder");
        copy_folder(copy.path(), kept.path());
        let (_, all) = findings(nginx, promise.rule, &root);
        let server = serve(nginx, &root, backend);
        for index in 0..all.len() {
            copy_folder(kept.path(), copy.path());
            let (config, found) = findings(nginx, promise.rule, &root);
            let finding = &found[index];
            let (Some(url), Some(fix)) = (url(&config, finding), finding.fixes.first()) else {
                unseen += 1;
                continue;
            };
            let (answer, _) = open(&server, &url);
            assert!((promise.fails)(&answer), "{url}: {answer}");
            apply(&config, &fix.edits);
            if let Some(then) = promise.then {
                let (config, found) = findings(nginx, then, &root);
                let fixes = found.iter().flat_map(|finding| finding.fixes.first());
                let mut edits: Vec<Edit> = fixes.flat_map(|fix| fix.edits.clone()).collect();
                edits.sort();
                edits.dedup();
                apply(&config, &edits);
            }
            let (answer, _) = open(&serve(nginx, &root, backend), &url);
            let text = fs::read_to_string(&root).expect("a text");
            assert!(is_open(&answer), "{}\n{answer}\n{text}", finding.message);
            cured += 1;
        }
    }
    let (version, rule) = (nginx.version, promise.rule);
    say(&format!(
        "nginx {version} opens {cured} WebSockets that {rule} cured; {unseen} findings name none"
    ));
    assert!(cured >= promise.least, "{rule}: {cured}");
}

fn is_refused(answer: &str) -> bool {
    status(answer) == "400"
}

fn is_agreed_without_upgrade(answer: &str) -> bool {
    status(answer) == "101" && !answer.to_lowercase().contains("\r\nupgrade:")
}

/// The page of the fixture is not there; without one nginx answers 500.
fn is_sent_to_a_page(answer: &str) -> bool {
    status(answer) == "500"
}

#[test]
fn a_handshake_that_does_not_get_through_opens_after_the_fix() {
    let incomplete = Some("incomplete-websocket-upgrade");
    for (rule, then, fails, least) in [
        (
            "missing-websocket-upgrade",
            None,
            is_refused as fn(&str) -> bool,
            14,
        ),
        ("incomplete-websocket-upgrade", None, is_refused, 8),
        ("lost-proxy-header", incomplete, is_refused, 5),
        ("upgrade-in-response", None, is_refused, 6),
        ("hidden-upgrade-header", None, is_agreed_without_upgrade, 5),
        ("websocket-to-static", None, is_sent_to_a_page, 1),
    ] {
        keeps(&Promise {
            rule,
            then,
            fails,
            least,
        });
    }
}

/// The example of a rule in a folder of its own, and its only finding.
fn example(nginx: &Nginx, rule: &str) -> (tempfile::TempDir, PathBuf, Config, Diagnostic) {
    let all = copies(nginx, rule).into_iter();
    let mut named = all.filter(|(_, root)| root.ends_with("example.conf"));
    let (copy, root) = named.next().expect("an example");
    let (config, mut found) = findings(nginx, rule, &root);
    assert_eq!(found.len(), 1, "{found:?}");
    (copy, root, config, found.remove(0))
}

/// The target of a URL, and its host.
fn parts(url: &str) -> (String, String) {
    let rest = url.split_once("://").expect("a URL").1;
    let (host, path) = rest.split_once('/').expect("a path");
    (host.to_owned(), format!("/{path}"))
}

/// What a backend gets of a request with some header lines.
fn seen(server: &Server, url: &str, lines: &str) -> String {
    let (host, target) = parts(url);
    let raw = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n");
    String::from_utf8_lossy(&server.request(raw.as_bytes()).body).into_owned()
}

#[test]
fn the_host_of_a_handshake_is_the_one_that_a_finding_names() {
    let Some(nginx) = Nginx::find() else { return };
    let (_copy, root, config, finding) = example(nginx, "websocket-host");
    let backend = Echo::start().port;
    let url = url(&config, &finding).expect("a URL");
    let lines =
        "Origin: http://chat.example\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n";
    let before = seen(&serve(nginx, &root, backend), &url, lines);
    let host = format!("\r\nHost: 127.0.0.1:{backend}\r\n");
    assert!(before.contains(&host), "{before}");
    assert!(
        before.contains("Origin: http://chat.example\r\n"),
        "{before}"
    );
    apply(&config, &finding.fixes[0].edits);
    let after = seen(&serve(nginx, &root, backend), &url, lines);
    assert!(after.contains("\r\nHost: chat.example\r\n"), "{after}");
}

#[test]
fn the_limit_of_an_address_counts_what_is_open() {
    let Some(nginx) = Nginx::find() else { return };
    let (_copy, root, config, finding) = example(nginx, "websocket-capacity");
    let backend = Strict::start().port;
    let url = url(&config, &finding).expect("a URL");
    let statuses = |server: &Server| -> Vec<String> {
        let opened: Vec<_> = (0..6).map(|_| open(server, &url)).collect();
        opened
            .iter()
            .map(|(answer, _)| status(answer).to_owned())
            .collect()
    };
    let before = statuses(&serve(nginx, &root, backend));
    assert_eq!(before, ["101", "101", "101", "101", "101", "503"]);
    apply(&config, &finding.fixes[0].edits);
    let after = statuses(&serve(nginx, &root, backend));
    assert_eq!(after, ["101"; 6]);
}

#[test]
fn a_handshake_without_a_password_gets_401() {
    let Some(nginx) = Nginx::find() else { return };
    let (_copy, root, config, finding) = example(nginx, "websocket-behind-basic-auth");
    let server = serve(nginx, &root, Strict::start().port);
    let url = url(&config, &finding).expect("a URL");
    assert_eq!(status(&open(&server, &url).0), "401");
    assert!(is_open(&open(&server, "ws://code.example/cable").0));
}

#[test]
fn a_token_of_another_protocol_gets_through_until_it_is_kept_out() {
    let Some(nginx) = Nginx::find() else { return };
    let (_copy, root, config, finding) = example(nginx, "forwarded-upgrade-token");
    let backend = Echo::start().port;
    let url = "http://app.example/";
    let lines = "Upgrade: h2c\r\nConnection: close, Upgrade\r\n";
    let before = seen(&serve(nginx, &root, backend), url, lines);
    assert!(before.contains("\r\nUpgrade: h2c\r\n"), "{before}");
    apply(&config, &finding.fixes[0].edits);
    let after = seen(&serve(nginx, &root, backend), url, lines);
    assert!(!after.contains("Upgrade: h2c"), "{after}");
    let strict = serve(nginx, &root, Strict::start().port);
    assert!(is_open(&open(&strict, "ws://app.example/").0));
}

#[test]
fn requests_of_one_session_go_to_several_servers_until_they_are_kept_together() {
    let Some(nginx) = Nginx::find() else { return };
    let (_copy, root, config, finding) = example(nginx, "unsticky-websocket-upstream");
    let backends = [Echo::start().port, Echo::start().port];
    let request = &finding.witness.as_ref().expect("a witness").request;
    let (host, target) = parts(request);
    let asked = || -> Vec<bool> {
        let server = serve_before(nginx, &root, &|port| backends[usize::from(port == "3002")]);
        let raw = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let first = format!("X-Backend: {}\r\n", backends[0]);
        let answers = (0..4).map(|_| server.request(raw.as_bytes()));
        answers.map(|answer| answer.head.contains(&first)).collect()
    };
    assert_eq!(asked(), [true, false, true, false]);
    apply(&config, &finding.fixes[0].edits);
    let together = asked();
    assert!(
        together.iter().all(|server| *server == together[0]),
        "{together:?}"
    );
}
