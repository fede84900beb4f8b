//! Texts on which a regex backtracks, sent to nginx as the findings of `catastrophic-regex` say.

use std::fs;
use std::path::Path;
use std::process::Command;

use nginspect::config::{LoadOptions, Root, load};
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

#[test]
fn every_request_of_a_catastrophic_regex_makes_nginx_give_up() {
    let Some(nginx) = Nginx::find() else { return };
    let rule = RULES.iter().find(|(name, _)| *name == "catastrophic-regex");
    let rule = *rule.expect("the rule");
    let mut sent = 0;
    for name in ["example", "places", "maps"] {
        let path = format!("fixtures/rules/catastrophic-regex/{name}.conf");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&path).expect("a fixture");
        let text = text.replace("listen 80;", &format!("listen 127.0.0.1:{PORT};"));
        let server = Server::start(nginx, &text);
        let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
        for finding in lint_with(&config, &nginspect::config::Scope::All, &[rule]) {
            let Some(witness) = finding.witness else {
                continue;
            };
            let Some(words) = words(&witness.request) else {
                return say("skipped: no bash");
            };
            let url = words.last().expect("a URL");
            let (host, target) = url["http://".len()..].split_once('/').expect("a path");
            let mut head = format!("GET /{target} HTTP/1.1\r\nConnection: close\r\n");
            let header = words.iter().position(|word| word == "-H");
            let header = header.map_or("", |at| &words[at + 1]);
            if !header.starts_with("Host:") {
                head += &format!("Host: {host}\r\n");
            }
            if !header.is_empty() {
                head += &format!("{header}\r\n");
            }
            head += "\r\n";
            let before = server.log().matches("failed: -47").count();
            let answer = server.ask(head.as_bytes());
            let gave_up = server.log().matches("failed: -47").count() - before;
            assert_eq!(gave_up, 1, "{}: {}", witness.request, server.log());
            let answer = String::from_utf8_lossy(&answer).into_owned();
            match witness.effect.as_str() {
                "nginx answers 500" => assert!(answer.starts_with("HTTP/1.1 500"), "{answer}"),
                "nginx closes the connection" => assert_eq!(answer, ""),
                _ => assert!(
                    !answer.contains(" 403 ") && !answer.contains(" 500 "),
                    "{answer}"
                ),
            }
            sent += 1;
        }
    }
    say(&format!(
        "nginx {} has given up on {sent} texts",
        nginx.version
    ));
}
