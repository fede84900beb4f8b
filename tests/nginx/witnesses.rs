//! Commands that findings about regexes show, sent to nginx.

use std::fs;
use std::path::Path;
use std::process::Command;

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::Witness;
use nginspect::lint::lint_with;
use nginspect::rules::RULES;

use crate::harness::{Nginx, PORT, Server, say};

/// What a shell makes of a command, word by word; nothing where there is no bash.
fn words(command: &str) -> Option<Vec<String>> {
    let script = format!("for word in {command}; do printf '%s\\n' \"$word\"; done");
    let output = Command::new("bash").args(["-c", &script]).output().ok()?;
    assert!(output.status.success(), "{command}: {output:?}");
    let lines = String::from_utf8(output.stdout).expect("plain words");
    Some(lines.lines().map(str::to_owned).collect())
}

/// The request that curl would send.
fn request(command: &str) -> Option<String> {
    let words = words(command)?;
    let url = words.last().expect("a URL");
    let (host, target) = url["http://".len()..].split_once('/').expect("a path");
    let header = words.iter().position(|word| word == "-H");
    let header = header.map(|at| &words[at + 1]);
    let host = match header {
        Some(header) if header.starts_with("Host:") => String::new(),
        _ => format!("Host: {host}\r\n"),
    };
    let header = header.map_or_else(String::new, |header| format!("{header}\r\n"));
    Some(format!(
        "GET /{target} HTTP/1.1\r\nConnection: close\r\n{host}{header}\r\n"
    ))
}

/// Sends what the findings of a rule show for some of its fixtures, in which servers listen on port 80, and hands the
/// answers over; the number of requests.
fn send(rule: &str, fixtures: &[&str], check: impl Fn(&Server, &Witness, &str, usize)) -> usize {
    let Some(nginx) = Nginx::find() else { return 0 };
    let rule = RULES.iter().find(|(name, _)| *name == rule);
    let rule = *rule.expect("the rule");
    let mut sent = 0;
    for name in fixtures {
        let path = format!("fixtures/rules/{}/{name}.conf", rule.0);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&path).expect("a fixture");
        let text = text.replace("listen 80;", &format!("listen 127.0.0.1:{PORT};"));
        let server = Server::start(nginx, &text);
        let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
        for finding in lint_with(&config, &Scope::All, &[rule]) {
            let Some(witness) = finding.witness else {
                continue;
            };
            let Some(request) = request(&witness.request) else {
                say("skipped: no bash");
                return 0;
            };
            let given_up = || server.log().matches("failed: -47").count();
            let before = given_up();
            let answer = server.ask(request.as_bytes());
            let answer = String::from_utf8_lossy(&answer);
            check(&server, &witness, &answer, given_up() - before);
            sent += 1;
        }
    }
    let version = nginx.version;
    say(&format!(
        "nginx {version} has answered {sent} requests of {}",
        rule.0
    ));
    sent
}

#[test]
fn every_request_of_a_catastrophic_regex_makes_nginx_give_up() {
    let fixtures = ["example", "places", "maps", "jit"];
    send(
        "catastrophic-regex",
        &fixtures,
        |server, witness, answer, gave_up| {
            assert_eq!(gave_up, 1, "{}: {}", witness.request, server.log());
            match witness.effect.as_str() {
                "nginx answers 500" => assert!(answer.starts_with("HTTP/1.1 500"), "{answer}"),
                "nginx closes the connection" => assert_eq!(answer, ""),
                _ => assert!(
                    !answer.contains(" 403 ") && !answer.contains(" 500 "),
                    "{answer}"
                ),
            }
        },
    );
}

#[test]
fn every_foreign_site_of_a_weak_check_is_let_in() {
    send(
        "weak-origin-check",
        &["example", "flaws"],
        |_, witness, answer, _| match witness.effect.as_str() {
            "not refused" => assert!(!answer.contains(" 403 "), "{answer}"),
            _ => {
                let words = words(&witness.request).expect("a shell");
                let header = words.iter().find_map(|word| word.strip_prefix("Origin: "));
                let header = format!(
                    "\r\nAccess-Control-Allow-Origin: {}\r\n",
                    header.expect("an origin")
                );
                assert!(answer.contains(&header), "{}: {answer}", witness.request);
            }
        },
    );
}
