//! What real nginx says, where there is one.
//!
//! Set `NGINSPECT_NGINX` to choose the binary, and `NGINSPECT_REQUIRE_NGINX` to fail rather than skip without one.
#![cfg(unix)]

mod contests;
mod debian;
mod diff;
mod fixes;
mod fixtures;
mod handshakes;
mod harness;
#[path = "../letters/mod.rs"]
mod letters;
mod load;
mod locations;
mod loops;
mod mixture;
mod routes;
mod routing;
mod spaces;
mod stage;
mod statements;
mod tokenizer;
mod trace;
mod truth;
mod upstreams;
mod websocket;
mod witnesses;

use harness::{Echo, Nginx, PORT, Server};

#[test]
fn a_verdict_is_about_the_configuration_and_not_about_this_machine() {
    let Some(nginx) = Nginx::find() else { return };
    for (text, accepted) in [
        ("events {}", true),
        ("events {} http { access_log /no/such/folder/log; }", true),
        ("events {} http { server { listen 192.0.2.1:80; } }", true),
        ("events {} pid /no/such/folder/pid;", true),
        (
            "events {} http { proxy_temp_path /no/such/folder/a; }",
            true,
        ),
        ("", false),
        ("events {} http { bad; }", false),
        ("events {} http { include no-such-file; }", false),
        ("events {} http { server { limit_req zone=a; } }", false),
    ] {
        let verdict = nginx.check_text(text.as_bytes());
        assert_eq!(verdict.accepted, accepted, "{text}: {verdict:?}");
    }
    let verdict = nginx.check_text(b"events {}\nhttp {\n bad; }\n");
    assert!(verdict.messages.contains("nginx.conf:3"), "{verdict:?}");
}

#[test]
fn a_backend_shows_what_nginx_sends_it() {
    let Some(nginx) = Nginx::find() else { return };
    let backend = Echo::start().port;
    let server = Server::start(
        nginx,
        &format!(
            "events {{}} http {{ server {{ listen 127.0.0.1:{PORT};
                location /api/ {{ proxy_pass http://127.0.0.1:{backend}/v1/; }} }} }}"
        ),
    );
    let response = server.get("/api/a%20b?c");
    assert_eq!(response.status, 200, "{}", server.log());
    assert!(response.head.contains("Content-Length"), "{response:?}");
    let seen = String::from_utf8_lossy(&response.body).into_owned();
    let protocol = nginx.version.default_proxy_http_version();
    let line = format!("GET /v1/a%20b?c HTTP/{protocol}\r\n");
    assert!(seen.starts_with(&line), "{seen}");
    let host = format!("\r\nHost: 127.0.0.1:{backend}\r\n");
    assert!(seen.contains(&host), "{seen}");
}
