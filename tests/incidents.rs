//! The five incidents: each shows its true cause, alone and inside a whole configuration, and none the folklore.

use std::path::{Path, PathBuf};

use nginspect::config::{Config, Finder, LoadOptions, Root, load};
use nginspect::diagnostic::{Diagnostic, Severity};
use nginspect::difference::compare;
use nginspect::lint::lint;
use nginspect::report::trace::text;
use nginspect::routing::{Options, Request, trace};

fn incident(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/incidents")
        .join(name)
}

/// The findings of a file on its own.
fn alone(name: &str) -> Vec<Diagnostic> {
    let (jobs, lost) = Finder::default().find(&[incident(name)]);
    assert!(lost.is_empty(), "{lost:?}");
    jobs.iter()
        .flat_map(|job| lint(&job.config, &job.scope))
        .collect()
}

/// The findings of a file that a root configuration includes.
fn whole(name: &str) -> (Config, Vec<Diagnostic>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("nginx.conf");
    let text = format!(
        "events {{}}\nhttp {{\n    include {};\n}}\n",
        incident(name).display()
    );
    std::fs::write(&root, text).expect("a file");
    let config = load(&Root::File(root), &LoadOptions::default()).expect("a configuration");
    let found = lint(&config, &nginspect::config::Scope::All);
    (config, found)
}

/// Rule, level and message of each finding.
fn said(found: &[Diagnostic]) -> Vec<String> {
    found
        .iter()
        .map(|found| {
            format!(
                "{} {}: {}",
                found.severity.as_str(),
                found.rule,
                found.message
            )
        })
        .collect()
}

fn rules(found: &[Diagnostic], severity: Severity) -> Vec<&'static str> {
    found
        .iter()
        .filter(|found| found.severity == severity)
        .map(|found| found.rule)
        .collect()
}

#[test]
fn chat_route_was_right_all_along_and_its_tuning_does_nothing() {
    for found in [
        alone("chat-route/after.conf"),
        whole("chat-route/after.conf").1,
    ] {
        assert!(
            found.iter().all(|found| found.severity == Severity::Note),
            "{:?}",
            said(&found)
        );
        assert_eq!(
            rules(&found, Severity::Note),
            [
                "ineffective-websocket-tuning",
                "ineffective-connect-timeout"
            ]
        );
    }
}

#[test]
fn voice_prefix_lacked_the_handshake_and_not_the_path() {
    let (_, found) = whole("voice-prefix/before.conf");
    assert_eq!(
        rules(&found, Severity::Error),
        ["missing-websocket-upgrade"; 2],
        "{:?}",
        said(&found)
    );
    // The name of the backend is another story than the path.
    assert_eq!(rules(&found, Severity::Note), ["localhost-upstream"]);
    assert_eq!(found.len(), 3, "nothing about the path: {:?}", said(&found));

    let found = alone("voice-prefix/before.conf");
    assert_eq!(
        rules(&found, Severity::Warning),
        ["missing-websocket-upgrade"; 2],
        "one level milder"
    );
    assert_eq!(rules(&found, Severity::Note), ["localhost-upstream"]);
    assert_eq!(found.len(), 3);
}

#[test]
fn voice_prefix_repaired_repeats_its_path_for_nothing() {
    for found in [
        alone("voice-prefix/after.conf"),
        whole("voice-prefix/after.conf").1,
    ] {
        let identity = found
            .iter()
            .filter(|found| found.rule == "identity-proxy-uri")
            .count();
        assert_eq!(identity, 2, "{:?}", said(&found));
        assert!(
            found.iter().all(|found| found.severity == Severity::Note),
            "{:?}",
            said(&found)
        );
    }
}

#[test]
fn block_order_lacked_http_1_1_and_its_order_was_never_wrong() {
    for name in ["block-order/before.conf", "block-order/reordered.conf"] {
        let (config, found) = whole(name);
        assert_eq!(
            rules(&found, Severity::Error),
            ["incomplete-websocket-upgrade"],
            "{:?}",
            said(&found)
        );
        assert_eq!(found.len(), 1, "nothing about order: {:?}", said(&found));
        assert!(config.text(found[0].span).contains("/api/mqtt/ws/"));
        assert_eq!(
            rules(&alone(name), Severity::Warning),
            ["incomplete-websocket-upgrade"]
        );
    }
}

/// The requests that two texts answer differently, and what is undecided.
fn differences(old: &str, new: &str) -> (Vec<(String, Vec<&'static str>)>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let read = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("events {{}}\nhttp {{\n{text}\n}}\n")).expect("a file");
        load(&Root::File(path), &LoadOptions::default()).expect("a configuration")
    };
    let (old, new) = (read("old.conf", old), read("new.conf", new));
    let comparison = compare(&old, &new, &Options::default());
    let shown = comparison.differences.iter().map(|difference| {
        let kinds = difference.aspects.iter().map(|aspect| aspect.kind.as_str());
        (difference.request.url(), kinds.collect())
    });
    (shown.collect(), comparison.undecided)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(incident(name)).expect("a file")
}

#[test]
fn block_order_in_another_order_answers_every_request_as_before() {
    let found = differences(
        &read("block-order/before.conf"),
        &read("block-order/reordered.conf"),
    );
    assert_eq!(found, (Vec::new(), Vec::new()));
}

#[test]
fn voice_prefix_with_its_path_repeated_changes_only_what_is_not_normal() {
    let after = read("voice-prefix/after.conf");
    let before = after
        .replace("localhost:8000/api/v1/ws/;", "localhost:8000;")
        .replace("localhost:8000/ws/;", "localhost:8000;");
    let (shown, undecided) = differences(&before, &after);
    assert_eq!(undecided, Vec::<String>::new());
    assert!(shown.len() == 2, "{shown:?}");
    for (url, kinds) in shown {
        assert!(url.contains("%2F"), "{url}");
        assert_eq!(kinds, ["upstream-uri"]);
    }
}

#[test]
fn block_order_repaired_lacks_its_map_and_still_http_1_1() {
    let (config, found) = whole("block-order/after.conf");
    let mut errors = rules(&found, Severity::Error);
    errors.sort_unstable();
    assert_eq!(
        errors,
        ["incomplete-websocket-upgrade", "unknown-variable"],
        "{:?}",
        said(&found)
    );
    let variable = found
        .iter()
        .find(|found| found.rule == "unknown-variable")
        .expect("a finding");
    assert_eq!(config.text(variable.span), "$connection_upgrade");
    assert!(
        variable.fixes[0].edits[0]
            .text
            .contains("map $http_upgrade $connection_upgrade {")
    );

    // The map may stand in a file that was not given.
    let found = alone("block-order/after.conf");
    assert_eq!(
        rules(&found, Severity::Warning),
        ["incomplete-websocket-upgrade"],
        "{:?}",
        said(&found)
    );
    assert_eq!(found.len(), 1);
}

/// What trace says of a request, in the text that a person reads.
fn traced(name: &str, url: &str) -> String {
    let (config, _) = whole(name);
    let request = Request::get(url).expect("a URL");
    let trace = trace(&config, &request, &Options::default()).expect("an answer");
    text(&trace, &config)
}

#[test]
fn each_incident_is_told_from_its_first_request() {
    for (name, url, parts) in [
        (
            "chat-route/after.conf",
            "wss://chat.example/api/chat/ws/42",
            &[
                "proxied to http://127.0.0.1:8000 as `GET /api/chat/ws/42`, HTTP/1.1; the handshake can complete",
                "closed after 7d of silence",
            ][..],
        ),
        (
            "voice-prefix/before.conf",
            "wss://voice.example/ws/call",
            &["as `GET /ws/call`, HTTP/1.0; the handshake cannot complete: no Upgrade"],
        ),
        (
            "voice-prefix/after.conf",
            "wss://voice.example/ws/a%2Fb",
            &["as `GET /ws/a/b`, HTTP/1.1; the handshake can complete"],
        ),
        (
            "dev-server-port/nginx.conf",
            "ws://study.example/api/chat/ws",
            &["proxied to http://api as `GET /api/chat/ws`, HTTP/1.1; the handshake can complete"],
        ),
        (
            "dev-server-port/nginx.conf",
            "ws://study.example/ws",
            &[
                "location `/` answers `/ws`",
                "proxied to http://vite as",
                "the handshake cannot complete",
            ],
        ),
        (
            "block-order/before.conf",
            "wss://hints.example/api/mqtt/ws/7",
            &[
                "location `/api/mqtt/ws/` answers",
                "the handshake cannot complete: HTTP/1.0, which a strict backend refuses",
            ],
        ),
        (
            "block-order/reordered.conf",
            "wss://hints.example/api/mqtt/ws/7",
            &["location `/api/mqtt/ws/` answers"],
        ),
        (
            "wrong-protocol/nginx.conf",
            "wss://call.example/socket.io/?EIO=4&transport=websocket",
            &[
                "location `/` answers `/socket.io/`",
                "the file /srv/call/index.html is sent",
            ],
        ),
        (
            "wrong-protocol/nginx.conf",
            "wss://call.example/ws/room-1/user-2",
            &["as `GET /ws/room-1/user-2`, HTTP/1.1; the handshake can complete"],
        ),
    ] {
        let told = traced(name, url);
        for part in parts {
            assert!(told.contains(part), "{name}: {part}\n{told}");
        }
    }
}

#[test]
fn sound_configurations_earn_no_more_than_a_note() {
    assert_eq!(said(&alone("dev-server-port/nginx.conf")), [] as [&str; 0]);
    // That its clients open longer paths than the name of the location is not to be seen.
    assert_eq!(
        said(&alone("wrong-protocol/nginx.conf")),
        ["note websocket-path-redirect: a handshake for `/ws` is answered with a 301 to `/ws/`"]
    );
}
