//! `nginspect routes`: the contract of its JSON, the order, the look, and texts that would break a format.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Outcome, nginspect};

fn routes(arguments: &[&str], text: &str) -> Outcome {
    let named = [
        "routes",
        "--stdin-filename",
        "nginx.conf",
        "--settings",
        "/dev/null",
    ];
    let all = named
        .into_iter()
        .chain(arguments.iter().copied())
        .chain(["-"]);
    nginspect(all, text.as_bytes())
}

fn json(text: &str) -> Value {
    let outcome = routes(&["--format", "json"], text);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

fn http(text: &str) -> String {
    format!("events {{}}\nhttp {{\n{text}\n}}\n")
}

/// The names of a server's locations.
fn names(server: &Value) -> Vec<String> {
    let locations = server["locations"].as_array().expect("locations");
    locations
        .iter()
        .map(|location| {
            let part = |key: &str| location[key].as_str().expect("a text").to_owned();
            format!("{}{}", part("modifier"), part("pattern"))
        })
        .collect()
}

const SHOP: &str = r#"
upstream api { server 10.0.0.1:8000; server 10.0.0.2:8000; }
server {
    listen 80 default_server;
    listen 443 ssl;
    server_name shop.example www.shop.example;
    root /srv/www;

    location / {
        try_files $uri @app;
    }
    location ~ \.php$ {
        fastcgi_pass unix:/run/php.sock;
    }
    location ~ ^/api/internal/ {
        return 404;
    }
    location ^~ /static/ {
        alias /srv/static/;
    }
    location /api/ {
        proxy_pass http://api/v1/;
        location /api/ws/ {
            proxy_pass http://127.0.0.1:9000;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_read_timeout 1d;
        }
        location ~ ^/api/(?<version>v\d+)/ {
            proxy_pass http://api;
            proxy_set_header Upgrade $http_upgrade;
        }
    }
    location = /health {
        return 200 "ok\n";
    }
    location /admin/ {
        allow 10.0.0.0/8;
        deny all;
        auth_basic "Admin";
        auth_basic_user_file htpasswd;
        proxy_pass http://api;
    }
    location /files/ {
        internal;
        root /srv/private;
    }
    location ~ \.php$ {
        return 410;
    }
    location @app {
        proxy_pass http://api;
    }
}
server {
    listen 80;
    server_name old.example;
    if ($host = www.old.example) {
        return 403;
    }
    return 301 https://shop.example$request_uri;
    location /kept/ {
        root /srv/old;
    }
}
"#;

#[test]
fn the_tree_is_read_at_a_glance() {
    let outcome = routes(&[], &http(SHOP));
    assert_eq!(outcome.code, 0);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn the_graphs_have_the_same_nodes() {
    let text = http(SHOP);
    insta::assert_snapshot!("dot", routes(&["--format", "dot"], &text).stdout);
    insta::assert_snapshot!("mermaid", routes(&["--format", "mermaid"], &text).stdout);
}

#[test]
fn the_document_keeps_its_promise() {
    let document = json(&http(SHOP));
    assert_eq!(document["schema"], 1);
    let server = &document["servers"][0];
    assert_eq!(server["file"], "nginx.conf");
    assert_eq!(server["line"], 5);
    assert_eq!(
        server["names"],
        serde_json::json!(["shop.example", "www.shop.example"])
    );
    assert_eq!(server["listen"], serde_json::json!(["80", "443"]));
    for location in server["locations"].as_array().expect("locations") {
        assert!(location["file"].is_string());
        assert!(location["line"].is_u64());
        assert!(
            ["", "=", "^~", "~", "~*", "@"]
                .contains(&location["modifier"].as_str().unwrap_or("none"))
        );
        assert!(location["pattern"].is_string());
        assert!(location["handler"].is_string());
        let witness = &location["witness"];
        match location["reachable"].as_str() {
            Some("yes") => assert!(witness.as_str().is_some_and(|url| url.starts_with("http"))),
            Some("no" | "unknown") => assert!(witness.is_null()),
            other => panic!("{other:?}"),
        }
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&server["locations"][4]).expect("JSON"));
}

#[test]
fn locations_stand_in_the_order_in_which_nginx_decides() {
    let text = http(
        "server {
            location ~ c {}
            location /a {}
            location @n {}
            location = /b {}
            location ^~ /a/b/c {}
            location / {
                location /longer/ {}
                location ~ z {}
                location = /x {}
            }
            location ~* a {}
            location = /a {}
            location /a/b {}
        }",
    );
    let expected = [
        "=/b", "=/a", "^~/a/b/c", "/a/b", "/a", "/", "=/x", "/longer/", "~z", "~c", "~*a", "@@n",
    ];
    let document = json(&text);
    let server = &document["servers"][0];
    assert_eq!(names(server), expected);
    assert_eq!(server["locations"][6]["parent"], 5);
    assert_eq!(server["locations"][6]["depth"], 1);
}

#[test]
fn a_host_chooses_the_servers_that_answer_for_it() {
    let text = http(
        "server { listen 80; server_name a.example; location / { return 201; } }
         server { listen 80; server_name *.example; location / { return 202; } }
         server { listen 81 default_server; server_name c.example; location / { return 203; } }
         server { listen 81; server_name a.example; location / { return 204; } }",
    );
    let handlers = |host: &str| {
        let outcome = routes(&["--format", "json", "--server", host], &text);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let servers = document["servers"].as_array().expect("servers").clone();
        let handler = |server: &Value| server["locations"][0]["handler"].to_string();
        servers.iter().map(handler).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(handlers("a.example"), r#""return 201" "return 204""#);
    assert_eq!(handlers("A.Example:80"), r#""return 201" "return 204""#);
    assert_eq!(handlers("b.example"), r#""return 202" "return 203""#);
    assert_eq!(handlers("elsewhere"), r#""return 201" "return 203""#);
    let outcome = routes(&["--server", "b.example"], &text);
    assert!(outcome.stdout.contains("answers on *:80 by its name"));
    assert!(
        outcome
            .stdout
            .contains("answers on *:81 as the default server")
    );
    assert_eq!(routes(&["--server", "a..b"], &text).code, 2);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_shown() {
    let text = http(
        "server { listen 80; include gone.conf; location /a { return 200; } location /b { bad",
    );
    let outcome = routes(&[], &text);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains("gone.conf"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("is skipped"), "{}", outcome.stdout);
    // Something in the file that is missing might take what is for `/a`.
    assert!(
        outcome
            .stdout
            .contains("not all that belongs around it was read")
    );

    let none = routes(&[], "events {}\n");
    assert_eq!(none.code, 2);
    assert!(
        none.stderr.contains("there is no server"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_fragment_is_shown_as_far_as_it_goes() {
    let document = json("location /a { return 200; }\nlocation = /b { return 201; }\n");
    let server = &document["servers"][0];
    assert_eq!(server["names"], serde_json::json!([]));
    assert_eq!(names(server), ["=/b", "/a"]);
    assert_eq!(server["locations"][0]["reachable"], "unknown");
}

/// Texts that would end a string, a tag or a line, or speak to a terminal.
const HOSTILE: &str = "\x1b[31m\"'`</title></text></svg><script>alert(1)</script>&amp;\\\\ %%{init: {}}%% $$x$$ #quot; |<br/>\u{202e}";

fn hostile() -> String {
    let word = HOSTILE.replace('\\', "\\\\").replace('"', "\\\"");
    http(&format!(
        "upstream \"u{word}\" {{ server \"m{word}\"; }}
         server {{ server_name \"n{word}\"; listen \"unix:/{word}\";
             location \"/{word}\" {{ proxy_pass \"http://u{word}/{word}\"; }}
             location ~ \"^/x{word}\" {{ return 200 \"{word}\n\"; }}
             location @{{n}} {{ alias \"{word}\"; }} }}"
    ))
}

#[test]
fn no_text_of_a_configuration_breaks_a_format() {
    let text = hostile();
    for format in ["text", "dot", "mermaid", "html"] {
        let shown = routes(&["--format", format], &text).stdout;
        assert!(shown.contains("alert"), "{format}: {shown}");
        assert!(!shown.contains('\x1b'), "{format}: {shown}");
        assert!(!shown.contains('\u{202e}'), "{format}: {shown}");
    }
    let html = routes(&["--format", "html"], &text).stdout;
    assert!(!html.contains("<script"), "{html}");
    assert_eq!(html.matches("</svg>").count(), 1);
    assert_eq!(
        html.matches("</title>").count(),
        html.matches("<title").count()
    );
    assert!(
        !html.contains("://") || !html.contains("src="),
        "nothing is loaded"
    );

    let dot = routes(&["--format", "dot"], &text).stdout;
    for line in dot.lines().filter(|line| line.contains("[label=")) {
        let label = quoted(line);
        assert!(label.starts_with(", shape="), "{line}");
    }
    let mermaid = routes(&["--format", "mermaid"], &text).stdout;
    for line in mermaid.lines().filter(|line| line.contains('"')) {
        assert_eq!(line.matches('"').count(), 2, "{line}");
        for sign in ["%%", "$$", "`", "&", "\\", "<script", "|"] {
            assert!(!line.contains(sign), "{sign} in {line}");
        }
    }
}

/// What follows the first quoted string of a line, by the rules of Graphviz.
fn quoted(line: &str) -> &str {
    let start = line.find('"').expect("a quote") + 1;
    let mut escaped = false;
    let end = line[start..].find(|letter: char| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    });
    &line[start + end.expect("an end") + 1..]
}

#[test]
fn the_page_is_well_formed_and_names_everything() {
    let html = routes(&["--format", "html"], &http(SHOP)).stdout;
    let start = html.find("<svg").expect("a picture");
    let end = html[start..].find("</svg>").expect("its end") + "</svg>".len();
    let picture = &html[start..start + end];
    let parsed = roxmltree::Document::parse(picture).expect("XML");
    let texts: Vec<&str> = parsed
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .collect();
    for expected in [
        "shop.example www.shop.example",
        "= /health",
        "^~ /static/",
        "~ \\.php$",
        "@app",
        "proxy http://api",
        "10.0.0.1:8000, 10.0.0.2:8000",
        "unreachable",
        "websocket",
    ] {
        assert!(texts.contains(&expected), "{expected}: {texts:?}");
    }
    for node in parsed.descendants() {
        for attribute in ["x", "y", "width", "height"] {
            let number = node.attribute(attribute).map(str::parse::<f64>);
            assert!(number.is_none_or(|number| number.is_ok_and(|number| number > -10.0)));
        }
    }
}

#[test]
fn the_output_may_go_to_a_file_that_is_not_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("nginx.conf");
    fs::write(&root, http(SHOP)).expect("a writable folder");
    let page = folder.path().join("routes.html");
    let run = |output: &Path| {
        let arguments: [&Path; 6] = [
            Path::new("routes"),
            &root,
            Path::new("--format"),
            Path::new("html"),
            Path::new("--output"),
            output,
        ];
        nginspect(arguments.map(PathBuf::from), b"")
    };
    let outcome = run(&page);
    assert_eq!((outcome.code, &*outcome.shown), (0, ""));
    assert!(
        fs::read_to_string(&page)
            .expect("a page")
            .starts_with("<!DOCTYPE html>")
    );
    assert_eq!(run(&root).code, 2);
    assert!(
        fs::read_to_string(&root)
            .expect("a file")
            .starts_with("events")
    );
}

#[test]
fn many_servers_and_deep_nesting_take_no_more_than_a_moment() {
    let servers: String = (0..3000)
        .map(|number| {
            format!(
                "server {{ listen 80; server_name s{number}.example;
                 location / {{ proxy_pass http://127.0.0.1:8000; }}
                 location ~ \\.php$ {{ return 200; }} }}\n"
            )
        })
        .collect();
    let start = Instant::now();
    let document = json(&http(&servers));
    assert_eq!(document["servers"].as_array().map(Vec::len), Some(3000));
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );

    let deep = 100;
    let open: String = (0..deep).map(|_| "location / {").collect();
    let text = http(&format!("server {{ {open} {} }}", "}".repeat(deep)));
    for format in ["text", "json", "dot", "mermaid", "html"] {
        assert_eq!(routes(&["--format", format], &text).code, 0, "{format}");
    }
}
