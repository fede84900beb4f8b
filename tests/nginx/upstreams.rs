//! What rules about upstreams say of nginx: connections that are kept, servers that are given up, answers that are held.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nginspect::config::{Config, LoadOptions, Root, Scope, load};
use nginspect::lint::lint_with;
use nginspect::rules::RULES;

use crate::harness::{Nginx, PORT, Server};

/// What a backend has got: of each request its connection and its first line.
type Seen = Arc<Mutex<Vec<(usize, String)>>>;

/// Starts a backend that goes by the book: it closes a connection when it is asked to, and after HTTP/1.0.
fn backend() -> (u16, Seen) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let log = Arc::clone(&log);
            thread::spawn(move || answer(stream, number, &log));
        }
    });
    (port, seen)
}

fn answer(mut stream: TcpStream, number: usize, seen: &Seen) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader
                .read_line(&mut line)
                .ok()
                .filter(|length| *length > 0)?;
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_lowercase()),
            }
        }
        let length = lines
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        seen.lock().ok()?.push((number, lines[0].clone()));
        let closes =
            lines[0].ends_with("http/1.0") || lines.iter().any(|line| line == "connection: close");
        let (path, host) = (
            lines[0].split(' ').nth(1)?,
            lines.iter().find_map(|line| line.strip_prefix("host: "))?,
        );
        if let Some(told) = path.strip_prefix("/events") {
            let told = if told.is_empty() {
                ""
            } else {
                "X-Accel-Buffering: no\r\n"
            };
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n{told}\r\n").ok()?;
            for _ in 0..3 {
                write!(stream, "data: x\n\n").ok()?;
                thread::sleep(Duration::from_millis(300));
            }
            return None;
        }
        let head = match path {
            "/slow" => {
                thread::sleep(Duration::from_millis(1500));
                "200 OK".to_owned()
            }
            "/login" => format!("302 Found\r\nLocation: http://{host}/in"),
            "/cookie" => format!("200 OK\r\nSet-Cookie: a={}", "x".repeat(5000)),
            _ => "200 OK".to_owned(),
        };
        write!(stream, "HTTP/1.1 {head}\r\nContent-Length: 2\r\n\r\nok").ok()?;
        if closes {
            return None;
        }
    }
}

fn read(text: &str, nginx: &Nginx) -> Config {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, text.replace(PORT, "80")).expect("a file");
    let options = LoadOptions {
        version: Some(nginx.version),
        ..LoadOptions::default()
    };
    load(&Root::File(path), &options).expect("a configuration")
}

/// True when a rule finds something.
fn finds(rule: &str, text: &str, nginx: &Nginx) -> bool {
    let config = read(text, nginx);
    let rules: Vec<_> = RULES
        .iter()
        .filter(|(name, _)| *name == rule)
        .copied()
        .collect();
    !lint_with(&config, &Scope::All, &rules).is_empty()
}

fn post(server: &Server, target: &str) -> u16 {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    );
    server.request(head.as_bytes()).status
}

#[test]
fn connections_are_kept_where_no_rule_says_otherwise() {
    let Some(nginx) = Nginx::find() else { return };
    let groups = ["keepalive 4;", "keepalive 4; least_conn;"];
    let versions = ["", "proxy_http_version 1.1;", "proxy_http_version 1.0;"];
    let headers = [
        "",
        "\"\"",
        "close",
        "keep-alive",
        "$http_connection",
        "$closing",
        "$keeping",
        "upgrade",
    ];
    for group in groups {
        for version in versions {
            for header in headers {
                let (port, seen) = backend();
                let header = match header {
                    "" => String::new(),
                    value => format!("proxy_set_header Connection {value};"),
                };
                let text = format!(
                    "events {{}} http {{ map $http_upgrade $closing {{ default upgrade; '' close; }} map $http_upgrade $keeping {{ default upgrade; '' ''; }}
                    upstream k {{ server 127.0.0.1:{port}; {group} }}
                    server {{ listen 127.0.0.1:{PORT}; location / {{ {version} {header} proxy_pass http://k; }} }} }}"
                );
                let server = Server::start(nginx, &text);
                for _ in 0..3 {
                    assert_eq!(server.get("/x").status, 200, "{text}");
                }
                let connections = seen
                    .lock()
                    .expect("a log")
                    .iter()
                    .map(|(number, _)| *number)
                    .max();
                if finds("ineffective-keepalive", &text, nginx) {
                    assert_eq!(
                        connections,
                        Some(2),
                        "three connections for three requests: {text}"
                    );
                } else if !header.contains('$')
                    && version != "proxy_http_version 1.0;"
                    && !version.is_empty()
                {
                    assert_eq!(
                        connections,
                        Some(0),
                        "one connection for three requests: {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn of_three_requests_at_once_as_many_pass_as_the_rule_says() {
    let Some(nginx) = Nginx::find() else { return };
    for (burst, passing) in [("", 1), ("burst=1 nodelay", 2), ("burst=2 nodelay", 3)] {
        let (port, _) = backend();
        let text = format!(
            "events {{}} http {{ limit_req_zone $binary_remote_addr zone=a:1m rate=2r/s; limit_req_status 429;
            server {{ listen 127.0.0.1:{PORT}; limit_req zone=a {burst}; location /socket.io/ {{
            proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
            proxy_pass http://127.0.0.1:{port}; }} }} }}"
        );
        let server = Server::start(nginx, &text);
        let passed = (0..3).filter(|_| server.get("/socket.io/").status == 200);
        assert_eq!(passed.count(), passing, "{text}");
        assert_eq!(finds("websocket-capacity", &text, nginx), passing < 3);
        assert_eq!(server.get("/socket.io/").status, 429);
    }
}

#[test]
fn one_late_answer_takes_two_addresses_out_and_one_not() {
    let Some(nginx) = Nginx::find() else { return };
    let ((port, _), (dead, _)) = (backend(), (free_port(), ()));
    // As `localhost` is for a backend that listens on one of its addresses.
    let text = format!(
        "events {{}} http {{ proxy_read_timeout 500ms; upstream two {{ server 127.0.0.1:{port}; server 127.0.0.1:{dead}; }}
        server {{ listen 127.0.0.1:{PORT}; location / {{ proxy_pass http://127.0.0.1:{port}; }} location /two/ {{ proxy_pass http://two/; }}
        location /off/ {{ proxy_next_upstream off; proxy_pass http://two/; }} }} }}"
    );
    let server = Server::start(nginx, &text);
    assert_eq!(server.get("/slow").status, 504);
    assert_eq!(server.get("/x").status, 200);
    for _ in 0..3 {
        assert_eq!(server.get("/two/x").status, 200);
    }
    assert_eq!(server.get("/two/slow").status, 502);
    for target in ["/two/x", "/two/x", "/off/x"] {
        assert_eq!(server.get(target).status, 502, "{target}");
    }
    assert!(
        server.log().contains("no live upstreams"),
        "{}",
        server.log()
    );
}

#[test]
fn a_post_is_sent_twice_with_the_word_only() {
    let Some(nginx) = Nginx::find() else { return };
    for (word, times) in [("", 1), ("non_idempotent", 2)] {
        let ((first, seen), (second, also)) = (backend(), backend());
        let text = format!(
            "events {{}} http {{ proxy_read_timeout 500ms; upstream two {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; }}
            server {{ listen 127.0.0.1:{PORT}; location / {{ proxy_next_upstream error timeout {word}; proxy_pass http://two; }} }} }}"
        );
        let server = Server::start(nginx, &text);
        assert_eq!(post(&server, "/slow"), 504);
        let sent = seen.lock().expect("a log").len() + also.lock().expect("a log").len();
        assert_eq!(sent, times, "{word}");
        assert_eq!(finds("non-idempotent-retry", &text, nginx), times == 2);
    }
    let ((port, seen), dead) = (backend(), free_port());
    let text = format!(
        "events {{}} http {{ upstream two {{ server 127.0.0.1:{dead}; server 127.0.0.1:{port}; }}
        server {{ listen 127.0.0.1:{PORT}; location / {{ proxy_pass http://two; }} }} }}"
    );
    let server = Server::start(nginx, &text);
    assert_eq!([post(&server, "/a"), post(&server, "/b")], [200, 200]);
    assert_eq!(
        seen.lock().expect("a log").len(),
        2,
        "a refused POST goes to the next server"
    );
}

#[test]
fn headers_bodies_redirects_and_sockets_are_as_the_pages_say() {
    let Some(nginx) = Nginx::find() else { return };
    let (port, _) = backend();
    let text = format!(
        "events {{}} http {{ upstream app {{ server 127.0.0.1:{port}; }} server {{ listen 127.0.0.1:{PORT};
        location / {{ proxy_pass http://app; }}
        location /off/ {{ proxy_redirect off; proxy_pass http://app/; }}
        location /many/ {{ proxy_buffers 16 16k; proxy_pass http://app/; }}
        location /large/ {{ proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k; proxy_pass http://app/; }}
        location /tls/ {{ proxy_pass https://127.0.0.1:{PORT}/; }}
        location /socket/ {{ proxy_pass http://unix:/tmp/none.sock/foo/; }} }} }}"
    );
    let server = Server::start(nginx, &text);
    assert!(
        server
            .get("/off/login")
            .head
            .contains("Location: http://app/in\r\n")
    );
    assert!(!server.get("/login").head.contains("Location: http://app/"));
    for (target, status) in [
        ("/cookie", 502),
        ("/many/cookie", 502),
        ("/large/cookie", 200),
        ("/tls/x", 502),
        ("/socket/x", 502),
    ] {
        assert_eq!(server.get(target).status, status, "{target}");
    }
    let log = server.log();
    for text in [
        "upstream sent too big header",
        "connect() to unix:/tmp/none.sock/foo/ failed",
    ] {
        assert!(log.contains(text), "{text} in {log}");
    }
    let large =
        "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n";
    assert_eq!(server.request(large.as_bytes()).status, 413);
    let cookie = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: a={}\r\n\r\n",
        "x".repeat(9000)
    );
    assert_eq!(server.request(cookie.as_bytes()).status, 400);
    assert!(
        server
            .log()
            .contains("client intended to send too large body")
    );
}

#[test]
fn events_are_held_back_until_buffering_is_off() {
    let Some(nginx) = Nginx::find() else { return };
    let (port, _) = backend();
    let text = format!(
        "events {{}} http {{ server {{ listen 127.0.0.1:{PORT}; location / {{ proxy_pass http://127.0.0.1:{port}; }}
        location /off/ {{ proxy_buffering off; proxy_pass http://127.0.0.1:{port}/; }} }} }}"
    );
    let server = Server::start(nginx, &text);
    for (target, times) in [("/events", 1), ("/events/told", 3), ("/off/events", 3)] {
        let mut stream = server.connect();
        let head = format!("GET {target} HTTP/1.0\r\nHost: a\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        let mut buffer = [0; 4096];
        let mut arrivals = 0;
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            arrivals += usize::from(text.contains("data:"));
        }
        // What comes together may still be read in two parts.
        assert_eq!(
            arrivals.min(3) > 1,
            times > 1,
            "{target}: {arrivals} arrivals"
        );
    }
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}
