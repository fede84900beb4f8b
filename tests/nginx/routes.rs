//! What `routes` says of a location is what nginx does: the example of each is answered there, and what no request
//! reaches is reached by none of many.

use std::fs;

use nginspect::config::{Config, LoadOptions, Root, load};
use nginspect::routes::{Reach, Routes};

use crate::harness::{Nginx, PORT, Server};

/// How many configurations are tried.
const CASES: u64 = 60;

const PREFIXES: [&str; 16] = [
    "/", "/a", "/a/", "/A/", "/a/b", "/a/b/", "/a/b/c/", "/b", "/b/", "//x", "x", "/a/../b",
    "/a%20b", "\"/a b\"", "/x.php", "/b/.",
];

const REGEXES: [&str; 22] = [
    "^/",
    "^/a",
    "^/a/",
    "^/a/.*$",
    "^/a/(.*)$",
    "^/b/",
    "^/b$",
    "\\.php$",
    "\\.(js|css)$",
    "^/(a|b)/\\d+$",
    "\"^/a/[0-9]{2}$\"",
    "b",
    "b$",
    "/\\.",
    "^/a/b",
    "^/[^/]+/x\\.js$",
    "(?i)^/A/",
    "^/(?<id>[a-c]+)$",
    "^/a.*\\.php$",
    "\" ^/a\"",
    "^/x(?!y)",
    "/b/+c$",
];

/// A sequence of numbers that look random.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

/// A configuration in which each location answers with the number of its line.
struct Written {
    lines: Vec<String>,
    chance: Chance,
}

impl Written {
    fn text(seed: u64) -> String {
        let mut written = Self {
            lines: vec!["events {} http {".to_owned()],
            chance: Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
        };
        for number in 0..1 + written.chance.below(3) {
            written.server(number);
        }
        written.lines.push("}".to_owned());
        written.lines.join("\n")
    }

    fn server(&mut self, number: usize) {
        let names = [
            "s.example",
            "t.example",
            "*.s.example",
            ".d.example",
            "u.*",
            "~^r\\d",
            "_",
            "localhost",
        ];
        let name = self.chance.of(&names).to_owned();
        let default = if number > 0 && self.chance.one_in(6) {
            ""
        } else {
            " "
        };
        self.lines.push(format!(
            "server {{ listen 127.0.0.1:{PORT}{default}; server_name {name} n{number}.example;"
        ));
        match self.chance.below(13) {
            0 => self.lines.push("return 418;".to_owned()),
            1 => self
                .lines
                .push("rewrite ^/b /a/b last; return 418;".to_owned()),
            2 => self.lines.push("rewrite ^/a/(.*)$ /b/$1 last;".to_owned()),
            3 => self.lines.push("if ($arg_q) { return 403; }".to_owned()),
            4 => self.lines.push("error_page 404 /b/; ".to_owned()),
            5 => self
                .lines
                .push("return 404; error_page 404 /b/;".to_owned()),
            6 => self.lines.push(
                "rewrite ^/a /b; if ($arg_q) { return 403; } return 418; error_page 418 /a;"
                    .to_owned(),
            ),
            7 => self.lines.push("merge_slashes off;".to_owned()),
            _ => {}
        }
        self.level(&mut Vec::new(), 0, "", false);
        if self.chance.one_in(4) {
            for _ in 0..2 {
                self.location("@named", "");
                self.lines.push("}".to_owned());
            }
            if self.chance.one_in(2) {
                self.lines.push("error_page 418 @named;".to_owned());
            }
        }
        self.lines.push("}".to_owned());
    }

    fn level(&mut self, taken: &mut Vec<String>, depth: usize, outer: &str, in_regex: bool) {
        for _ in 0..1 + self.chance.below(6) {
            if in_regex || self.chance.one_in(2) {
                let modifier = self.chance.of(&["~ ", "~ ", "~* "]);
                let regex = self.chance.of(&REGEXES);
                self.location(modifier, regex);
                if depth < 2 && self.chance.one_in(5) {
                    self.level(&mut Vec::new(), depth + 1, outer, true);
                }
            } else {
                let name = self.chance.of(&PREFIXES);
                let modifier = self.chance.of(&["", "", "", "^~ ", "= "]);
                let exact = if modifier == "= " { "=" } else { "" };
                let key = format!("{exact}{name}");
                if taken.contains(&key) || !name.trim_matches('"').starts_with(outer) {
                    continue;
                }
                taken.push(key);
                self.location(modifier, name);
                if depth < 2 && exact.is_empty() && self.chance.one_in(4) {
                    self.level(&mut Vec::new(), depth + 1, name.trim_matches('"'), false);
                }
            }
            self.lines.push("}".to_owned());
        }
    }

    /// Opens a location.
    fn location(&mut self, modifier: &str, name: &str) {
        let line = self.lines.len() + 1;
        let more = match self.chance.below(12) {
            0 if modifier != "@named" => " internal;",
            1 => " deny all;",
            2 => " if ($arg_q) { return 403; }",
            _ => "",
        };
        self.lines.push(format!(
            "location {modifier}{name} {{ return 200 \"<{line}>\";{more}"
        ));
    }
}

fn config(text: &str) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nginx.conf");
    fs::write(&path, text.replace(PORT, "80")).expect("a writable folder");
    let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
    (folder, config)
}

fn answer(server: &Server, host: &str, target: &str) -> String {
    let raw = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let response = server.request(raw.as_bytes());
    String::from_utf8_lossy(&response.body).into_owned()
}

/// Requests that might reach something.
fn targets() -> Vec<String> {
    let parts = [
        "a", "b", "A", "x", "c", "1", "12", ".a", "x.php", "x.js", "a%20b", "%20", "%0A", "%2e", "",
    ];
    let mut all = vec!["/".to_owned(), "//x".to_owned()];
    for one in parts {
        all.push(format!("/{one}"));
        for two in parts {
            all.push(format!("/{one}/{two}"));
        }
    }
    for three in [
        "/a/b/c/",
        "/a/b/c",
        "/a/b/x.php",
        "/b/a/1",
        "/a/b%0Ax",
        "/a/b/x.js",
        "/b/+c",
        "/b//c",
    ] {
        all.push(three.to_owned());
    }
    all
}

#[test]
fn examples_are_answered_by_their_locations_and_unreachable_ones_answer_nothing() {
    let Some(nginx) = Nginx::find() else { return };
    let targets = targets();
    let (mut reached, mut unreached, mut unknown) = (0, 0, 0);
    for seed in 1..=CASES {
        let text = Written::text(seed);
        let verdict = nginx.check_text(text.replace(PORT, "18080").as_bytes());
        if !verdict.accepted {
            continue;
        }
        let server = Server::start(nginx, &text);
        let (_folder, config) = config(&text);
        let routes = Routes::new(&config);
        let mut answers: Option<Vec<(String, String)>> = None;
        for (number, site) in routes.sites.iter().enumerate() {
            for route in &site.routes {
                let span = route.location.directive.span();
                let line = config.sources().file(span.file).position(span.start).line;
                let own = format!("<{line}>");
                match &route.reach {
                    Reach::Yes(_) => {
                        let url = route.reach.url().expect("a URL");
                        let rest = url.strip_prefix("http://").expect("plain HTTP");
                        let (host, path) = rest.split_once('/').expect("a path");
                        let answer = answer(&server, host, &format!("/{path}"));
                        assert!(
                            answer == own,
                            "{url} is answered by {answer} and not {own} in\n{text}"
                        );
                        reached += 1;
                    }
                    Reach::No(reason) => {
                        let answers = answers.get_or_insert_with(|| {
                            let hosts = (0..=number + 2).map(|number| format!("n{number}.example"));
                            hosts
                                .flat_map(|host| {
                                    let ask = |target: &String| {
                                        let request = format!("http://{host}{target}");
                                        (request, answer(&server, &host, target))
                                    };
                                    targets.iter().map(ask).collect::<Vec<_>>()
                                })
                                .collect()
                        });
                        for (request, answer) in &*answers {
                            assert!(
                                *answer != own,
                                "{request} reaches {own} ({reason}) in\n{text}"
                            );
                        }
                        unreached += 1;
                    }
                    Reach::Unknown(_) => unknown += 1,
                }
            }
        }
    }
    crate::harness::say(&format!(
        "{reached} locations with an example, {unreached} unreachable ones, {unknown} not decided"
    ));
    assert!(reached > 100 && unreached > 20, "{reached} {unreached}");
}
