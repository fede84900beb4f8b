//! What `diff` says of two configurations is what two running nginxes show: every request that it names is answered
//! differently, and where it says that none is, many random requests find none.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use nginspect::difference::{Comparison, Kind, compare};
use nginspect::routing::{Options, Request};

use crate::harness::{Echo, Nginx, PORT, Server, say};
use crate::trace::{Answer, Dice, ask, disk_of, read, request};

/// How many pairs of configurations are made unless `NGINSPECT_DIFF_ROUNDS` says otherwise.
const ROUNDS: u64 = 40;

/// How many random requests look for a difference where there should be none.
const REQUESTS: usize = 200;

/// The port that stands in the configurations that are compared, and in answers.
const SHOWN_PORT: u16 = 8080;

/// A block with what stands in it.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    /// `location /a`, `server`.
    head: String,
    lines: Vec<String>,
    blocks: Vec<Self>,
}

impl Block {
    fn write(&self, text: &mut String) {
        writeln!(text, "{} {{", self.head).expect("a string");
        for line in &self.lines {
            writeln!(text, "{line}").expect("a string");
        }
        for block in &self.blocks {
            block.write(text);
        }
        text.push_str("}\n");
    }
}

/// Writes configurations and changes them.
struct Author {
    dice: Dice,
    backends: [u16; 2],
    root: String,
}

const NAMES: [&str; 12] = [
    "/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/b/", "/api/", "/api/v1/", "/x/", "/c", "/b/x",
];

const REGEXES: [&str; 10] = [
    r"\.php$",
    "^/a/",
    "^/a/(.*)$",
    "^/api/v1",
    "/b",
    r"\.(txt|js)$",
    "x",
    "^/(a|b)/",
    "^/c",
    "(?<ext>[a-z]+)$",
];

impl Author {
    fn configuration(&mut self) -> Vec<Block> {
        (0..1 + self.dice.roll(3))
            .map(|number| self.server(number))
            .collect()
    }

    fn text(&self, servers: &[Block]) -> String {
        let mut text = format!(
            "events {{}}\nhttp {{\nkeepalive_timeout 0; root {}; map_hash_bucket_size 128; variables_hash_bucket_size 128;\n",
            self.root
        );
        for (name, port) in ["one", "two"].iter().zip(self.backends) {
            writeln!(text, "upstream {name} {{ server 127.0.0.1:{port}; }}").expect("a string");
        }
        text.push_str("map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n");
        text.push_str("map $arg_x $by_arg { default d; 1 one; ~^a(?<rest>.*)$ r$rest; }\n");
        for server in servers {
            server.write(&mut text);
        }
        text.push_str("}\n");
        text
    }

    fn server(&mut self, number: usize) -> Block {
        let names = self.dice.pick(&[
            "a.example b.example",
            "*.example",
            ".dot.example",
            "www.*",
            r"~^(?<sub>\w+)\.re\.example$",
            "\"\" d.example",
        ]);
        let mut lines = vec![
            format!("listen 127.0.0.1:{PORT};"),
            format!("server_name n{number}.example {names};"),
        ];
        for (percent, line) in [
            (10, "merge_slashes off;"),
            (10, "underscores_in_headers on;"),
            (10, "error_page 404 /api/v1/;"),
            (10, "error_page 404 = @one;"),
            (10, "add_header X-Server 1;"),
            (10, "proxy_set_header X-Server 1;"),
            (5, "absolute_redirect off;"),
            (5, "rewrite ^/c(.*)$ /a$1 last;"),
            (5, "if ($arg_x = 1) { return 403; }"),
            (5, "if ($http_x_flag) { return 302 /flag; }"),
            (4, "return 410;"),
        ] {
            if self.dice.chance(percent) {
                lines.push(line.to_owned());
            }
        }
        let mut server = Block {
            head: "server".to_owned(),
            lines,
            blocks: Vec::new(),
        };
        for _ in 0..2 + self.dice.roll(6) {
            self.add_location(&mut server, None);
        }
        if self.dice.chance(60) {
            let mut named = self.location("location @one".to_owned(), false);
            named.lines.retain(|line| !line.starts_with("alias"));
            server.blocks.push(named);
        }
        server
    }

    fn add_location(&mut self, around: &mut Block, outer: Option<&str>) {
        let regex = self.dice.chance(35);
        let name = match regex {
            true => self.dice.pick(&REGEXES),
            false => self.dice.pick(&NAMES),
        };
        let modifier = match self.dice.roll(8) {
            _ if regex => self.dice.pick(&["~ ", "~ ", "~* "]),
            0 => "= ",
            1 | 2 => "^~ ",
            _ => "",
        };
        let taken = |block: &Block| {
            let own = block
                .head
                .rsplit(' ')
                .next()
                .unwrap_or_default()
                .trim_matches('"');
            let exact = block.head.contains(" = ");
            own == name && (regex || exact == (modifier == "= "))
        };
        let fits = regex || outer.is_none_or(|outer| name.starts_with(outer));
        if around.blocks.iter().any(taken) || !fits {
            return;
        }
        let mut location = self.location(format!("location {modifier}\"{name}\""), !regex);
        if modifier != "= " && outer.is_none() && self.dice.chance(25) {
            let outer = if regex { "\0" } else { name };
            self.add_location(&mut location, Some(outer));
        }
        around.blocks.push(location);
    }

    fn location(&mut self, head: String, literal: bool) -> Block {
        let mut lines = vec![self.handler(literal)];
        for _ in 0..self.dice.roll(3) {
            lines.extend(self.line());
        }
        lines.sort();
        lines.dedup_by_key(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
        Block {
            head,
            lines,
            blocks: Vec::new(),
        }
    }

    fn handler(&mut self, literal: bool) -> String {
        let uris: &[&str] = match literal {
            true => &["", "", "/", "/v1/", "/api/", "$request_uri", "/w$uri"],
            false => &["", "", "$request_uri", "/w$uri"],
        };
        let handlers = [
            format!(
                "proxy_pass http://{}{};",
                self.dice.pick(&["one", "one", "two"]),
                self.dice.pick(uris)
            ),
            format!(
                "return {};",
                self.dice.pick(&[
                    "204",
                    "403",
                    "404",
                    "200 body",
                    "200 $uri",
                    "301 /to$uri",
                    "302 /other",
                    "200 $by_arg"
                ])
            ),
            format!(
                "try_files {};",
                self.dice.pick(&[
                    "$uri =404",
                    "$uri @one",
                    "$uri /index.html",
                    "$uri /api/v1/"
                ])
            ),
            format!("root {}/a;", self.root),
            "add_header X-File 1;".to_owned(),
        ];
        let at = [0, 0, 0, 1, 1, 2, 3, 4][self.dice.roll(8)];
        handlers[at].clone()
    }

    fn line(&mut self) -> Option<String> {
        Some(
            self.dice
                .pick(&[
                    "add_header X-A 1;",
                    "add_header X-A 2 always;",
                    "add_header X-B 1 always;",
                    "proxy_set_header Host $host;",
                    "proxy_set_header X-A 1;",
                    "proxy_set_header X-Arg $arg_x;",
                    "proxy_set_header Upgrade $http_upgrade;",
                    "proxy_set_header Connection $connection_upgrade;",
                    "proxy_http_version 1.1;",
                    "internal;",
                    "deny all;",
                    "allow all;",
                    "limit_except GET { deny all; }",
                    "if ($arg_x) { return 402; }",
                    "if ($request_method = POST) { return 405; }",
                    "rewrite ^/a/(.*)$ /b/$1 last;",
                    "rewrite ^/b/(.*)$ /a/$1 break;",
                    "client_max_body_size 10;",
                    "access_log off;",
                ])
                .to_owned(),
        )
    }

    /// Changes something; the configuration may be refused by nginx afterwards.
    fn change(&mut self, servers: &mut [Block]) {
        let at = self.dice.roll(servers.len());
        match self.dice.roll(12) {
            0 => self.shuffle(&mut servers[at].blocks),
            1 if servers.len() > 1 => servers.swap(0, at),
            2 if servers[at].blocks.len() > 1 => {
                let gone = self.dice.roll(servers[at].blocks.len());
                servers[at].blocks.remove(gone);
            }
            3 => {
                let mut server = servers[at].clone();
                self.add_location(&mut server, None);
                servers[at] = server;
            }
            4 => {
                let count = servers[at].lines.len();
                if count > 2 {
                    let gone = 2 + self.dice.roll(count - 2);
                    servers[at].lines.remove(gone);
                }
            }
            5 => {
                let line = self.dice.pick(&[
                    "merge_slashes off;",
                    "add_header X-S 1;",
                    "proxy_set_header X-S 1;",
                    "error_page 403 /b/;",
                    "access_log off;",
                    "rewrite ^/x/ /a/ last;",
                    "if ($arg_x = 2) { return 402; }",
                    "client_max_body_size 2m;",
                ]);
                servers[at].lines.push(line.to_owned());
            }
            _ if servers[at].blocks.is_empty() => {}
            kind => {
                let block = self.dice.roll(servers[at].blocks.len());
                let mut block = servers[at].blocks.swap_remove(block);
                match kind {
                    6 | 7 if !block.lines.is_empty() => {
                        let literal = !block.head.contains('~') && !block.head.contains('@');
                        let line = self.dice.roll(block.lines.len());
                        block.lines[line] = self.handler(literal);
                    }
                    8 => block.lines.extend(self.line()),
                    9 => drop(block.lines.pop()),
                    10 => block.head = block.head.replace("^~ ", "").replace("\"/a", "\"/b"),
                    _ => self.shuffle(&mut block.blocks),
                }
                let place = self.dice.roll(servers[at].blocks.len() + 1);
                servers[at].blocks.insert(place, block);
            }
        }
    }

    fn shuffle(&mut self, blocks: &mut [Block]) {
        for at in 1..blocks.len() {
            blocks.swap(at, self.dice.roll(at + 1));
        }
    }
}

/// An answer without what differs between any two servers: ports, dates, and the order of headers.
fn plain(answer: Option<Answer>, port: u16) -> Option<(u16, Vec<String>, Vec<String>)> {
    let answer = answer?;
    let own = |text: &str| text.replace(&port.to_string(), &SHOWN_PORT.to_string());
    let mut headers: Vec<String> = answer
        .head
        .split("\r\n")
        .skip(1)
        .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
        .map(own)
        .collect();
    headers.sort();
    let mut body: Vec<String> = answer.body.split("\r\n").map(own).collect();
    if headers.iter().any(|line| line.starts_with("X-Backend")) {
        // The order in which an upstream receives headers is no difference.
        body[1..].sort();
    }
    Some((answer.status, headers, body))
}

fn answers_differ(servers: &[Server; 2], request: &Request) -> Option<String> {
    let answers = [0, 1].map(|side| plain(ask(&servers[side], request), servers[side].port()));
    (answers[0] != answers[1]).then(|| format!("{:?}\n{:?}", answers[0], answers[1]))
}

/// True when a person at this machine can send the request of a difference and sees what it says.
fn can_be_sent(comparison: &nginspect::difference::Difference<'_>) -> bool {
    let loopback = |client: IpAddr| client == IpAddr::V4(Ipv4Addr::LOCALHOST);
    comparison.request.client.is_none_or(loopback)
        && comparison.old.is_some()
        && comparison.new.is_some()
        && comparison
            .aspects
            .iter()
            .any(|aspect| aspect.kind != Kind::Timeout)
}

#[test]
fn a_difference_shows_in_two_running_servers_and_its_absence_too() {
    let Some(nginx) = Nginx::find() else { return };
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|number| number.parse().ok())
    };
    let rounds: u64 = number("NGINSPECT_DIFF_ROUNDS").unwrap_or(ROUNDS);
    let first: u64 = number("NGINSPECT_DIFF_FIRST").unwrap_or(0);
    let show = number("NGINSPECT_DIFF_SHOW").unwrap_or(0) > 0;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().canonicalize().expect("a folder");
    let options = Options {
        disk: disk_of(&root),
        ..Options::default()
    };
    let backends = [Echo::start().port, Echo::start().port];
    let (mut refused, mut equal, mut open, mut witnesses, mut asked) = (0, 0, 0, 0, 0);
    let mut wrong = String::new();
    for round in first..first + rounds {
        let mut author = Author {
            dice: Dice(round),
            backends,
            root: root.to_string_lossy().into_owned(),
        };
        let old = author.configuration();
        let mut new = old.clone();
        for _ in 0..1 + author.dice.roll(2) {
            author.change(&mut new);
        }
        let texts = [author.text(&old), author.text(&new)];
        let [Ok(before), Ok(after)] = [0, 1].map(|side| Server::try_start(nginx, &texts[side]))
        else {
            refused += 1;
            continue;
        };
        let servers = [before, after];
        let configs = [0, 1].map(|side: usize| read(&texts[side], SHOWN_PORT, nginx.version));
        let Comparison {
            differences,
            undecided,
        } = compare(&configs[0], &configs[1], &options);
        let case = || format!("==== round {round}\n{}\n---- new\n{}", texts[0], texts[1]);
        for difference in differences
            .iter()
            .filter(|difference| can_be_sent(difference))
        {
            let mut request = difference.request.clone();
            request.host = "127.0.0.1".to_owned();
            witnesses += 1;
            if answers_differ(&servers, &request).is_none() {
                writeln!(
                    wrong,
                    "{}\nno difference: {request:?}\n{:?}\n{}",
                    case(),
                    difference.aspects,
                    difference.why
                )
                .expect("a string");
            }
        }
        if !differences.is_empty() {
            continue;
        }
        if !undecided.is_empty() {
            open += 1;
            if show {
                say(&format!("round {round} is open: {undecided:#?}"));
            }
            continue;
        }
        equal += 1;
        let mut dice = Dice(round ^ 0xd1ff);
        for _ in 0..REQUESTS {
            let mut request = request(&mut dice, SHOWN_PORT);
            request.host = "127.0.0.1".to_owned();
            if request.target.first() != Some(&b'/') {
                continue;
            }
            asked += 1;
            if let Some(answers) = answers_differ(&servers, &request) {
                writeln!(wrong, "{}\ndifference: {request:?}\n{answers}", case())
                    .expect("a string");
                break;
            }
        }
    }
    say(&format!(
        "of {rounds} pairs of configurations nginx {} refuses {refused}; {equal} are equal, {open} are open, {witnesses} requests show differences, {asked} were asked in vain",
        nginx.version
    ));
    assert!(wrong.is_empty(), "{wrong}");
    assert!(
        witnesses as u64 > rounds / 4 && equal as u64 > rounds / 12,
        "too few"
    );
}
