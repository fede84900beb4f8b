//! What findings say about regexes beside prefixes is what nginx does: the requests that they show are answered by the
//! locations that they name, with nobody asked for anything, and no longer once the fix is made.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::Diagnostic;
use nginspect::lint::lint;

use crate::harness::{Echo, Nginx, PORT, Response, Server, say};

/// A folder with the files of a configuration, and the programs that it passes requests to.
struct Place {
    folder: tempfile::TempDir,
    http: u16,
    other: u16,
    fastcgi: u16,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("staff"), "").expect("a writable folder");
        Self {
            folder,
            http: Echo::start().port,
            other: Echo::start().port,
            fastcgi: start_fastcgi(),
        }
    }

    /// The text of a fixture that listens here, with its files in the folder.
    fn served(&self, text: &str) -> String {
        let fastcgi = self.fastcgi;
        let folder = self.folder.path().display();
        let lines = text.lines().map(|line| {
            let line = line.replace("/srv/", &format!("{folder}/srv/"));
            let line = line.replace("/etc/nginx/staff", &format!("{folder}/staff"));
            let line = line.replace("server {", &format!("server {{ listen 127.0.0.1:{PORT};"));
            match line.split_once("127.0.0.1:") {
                Some((before, _)) if before.contains("fastcgi_pass") => {
                    format!("{before}127.0.0.1:{fastcgi};")
                }
                _ => line,
            }
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let ports = [
            ("8000", self.http),
            ("9000", self.other),
            ("9001", self.other),
        ];
        ports.iter().fold(text, |text, (port, own)| {
            let hosts = [
                "http://127.0.0.1:",
                "http://localhost:",
                "server 127.0.0.1:",
            ];
            hosts.iter().fold(text, |text, host| {
                text.replace(&format!("{host}{port}"), &format!("{host}{own}"))
            })
        })
    }

    /// The findings of a rule in a text that is served.
    fn findings(&self, rule: &str, text: &str) -> Vec<Diagnostic> {
        let path = self.folder.path().join("nginx.conf");
        fs::write(&path, text.replace(PORT, "80")).expect("a writable folder");
        let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
        let mut findings = lint(&config, &Scope::All);
        findings.retain(|finding| finding.rule == rule);
        findings
    }

    /// Leaves one file below the folder: the one that the witness of a finding mentions, if it does.
    fn fill(&self, finding: &Diagnostic) {
        let files = self.folder.path().join("srv");
        if files.exists() {
            fs::remove_dir_all(&files).expect("a writable folder");
        }
        let begin = format!("{}/", files.display());
        let effect = finding.witness.as_ref().map(|witness| &witness.effect);
        let Some((at, _)) = effect.and_then(|effect| effect.match_indices(&begin).next()) else {
            return;
        };
        let effect = effect.map_or("", String::as_str);
        let path = effect[at..].split([' ', ',']).next().unwrap_or_default();
        let path = Path::new(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        fs::write(path, "secret").expect("a writable folder");
    }
}

/// Lets each location tell that it has taken a request: the numbers of their lines, in order.
fn telling(text: &str) -> String {
    let lines = text.lines().enumerate().map(|(index, line)| {
        let line = line.replace("server {", "server { add_header X-Blocks $blocks always;");
        match line.trim_start().strip_prefix("location ") {
            Some(rest) if rest.ends_with('{') => {
                let close = if rest == "= /auth {" {
                    "return 401;"
                } else {
                    ""
                };
                format!("{line} set $blocks \"$blocks<{}>\"; {close}", index + 1)
            }
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text with the first fix of a finding made.
fn fixed(text: &str, finding: &Diagnostic) -> Option<String> {
    // The edits count in the text with the usual port.
    let mut bytes = text.replace(PORT, "80").into_bytes();
    let mut edits: Vec<_> = finding.fixes.first()?.edits.iter().collect();
    edits.sort();
    for edit in edits.iter().rev() {
        bytes.splice(edit.span.range(), edit.text.bytes());
    }
    let text = String::from_utf8(bytes).expect("UTF-8");
    Some(text.replace("127.0.0.1:80;", &format!("127.0.0.1:{PORT};")))
}

/// The answer to the request of a witness, and the lines of the locations that have taken it.
fn answer(server: &Server, request: &str) -> (Response, Vec<u32>) {
    let (_, url) = request.split_once("://").expect("a URL");
    let (host, path) = url.split_once('/').expect("a path");
    let shake = match request.starts_with("GET ws") {
        true => "Upgrade: websocket\r\n",
        false => "",
    };
    let raw = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n{shake}Connection: close\r\n\r\n");
    let response = server.request(raw.as_bytes());
    let header = response
        .head
        .lines()
        .find_map(|line| line.strip_prefix("X-Blocks: "));
    let numbers = header.unwrap_or_default().split(['<', '>']);
    let blocks = numbers.filter_map(|number| number.parse().ok()).collect();
    (response, blocks)
}

fn line_of(text: &str, finding: &Diagnostic) -> u32 {
    let text = text.replace(PORT, "80");
    let before = &text.as_bytes()[..finding.span.start as usize];
    before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// True for an answer as it has to be: the lines of the locations that have taken the request, that of the finding, and whether the fix was
/// made.
type Judge = fn(&Response, &[u32], u32, bool) -> bool;

/// Asks for what the findings of a rule in a text show, before and after their fixes, and counts them.
fn ask_in(nginx: &Nginx, place: &Place, text: &str, rule: &str, judge: Judge) -> usize {
    let findings = place.findings(rule, text);
    if findings.is_empty() {
        return 0;
    }
    let server = Server::start(nginx, &telling(text));
    for finding in &findings {
        place.fill(finding);
        let witness = finding.witness.as_ref().expect("a request");
        let own = line_of(text, finding);
        let named: Option<u32> = witness.effect.split_once(" on line ").map(|(_, rest)| {
            let is_end = |letter: char| !letter.is_ascii_digit();
            let end = rest.find(is_end).unwrap_or(rest.len());
            rest[..end].parse().expect("a line")
        });
        let (response, blocks) = answer(&server, &witness.request);
        let first = blocks.first();
        assert_eq!(
            first,
            Some(&named.unwrap_or(own)),
            "{witness:?} {response:?}\n{text}"
        );
        assert!(
            gives(&response, &witness.effect),
            "{witness:?} {response:?}\n{text}"
        );
        let is_so = judge(&response, &blocks, own, false);
        assert!(is_so, "{witness:?} {response:?}\n{text}");
        if let Some(cured) = fixed(text, finding) {
            let server = Server::start(nginx, &telling(&cured));
            let (response, blocks) = answer(&server, &witness.request);
            let is_cured = judge(&response, &blocks, own, true);
            assert!(is_cured, "{witness:?} {response:?}\n{cured}");
        }
    }
    findings.len()
}

/// True when an answer is what the effect of a witness says.
fn gives(response: &Response, effect: &str) -> bool {
    let body = String::from_utf8_lossy(&response.body);
    if effect.contains("the file ") {
        return body == "secret";
    }
    if let Some((_, script)) = effect.split_once("the script ") {
        let script = script.split(' ').next().unwrap_or_default();
        return body.contains("ran ") && (body.contains(script) || script.contains('$'));
    }
    match effect.split_once(" as `") {
        Some((_, uri)) => body.starts_with(&format!("GET {} ", uri.trim_end_matches('`'))),
        None => body.contains("ran "),
    }
}

/// Asks for what the findings of a rule in its fixtures show.
fn ask(rule: &str, judge: Judge) -> usize {
    let Some(nginx) = Nginx::find() else {
        return usize::MAX;
    };
    let place = Place::new();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let texts = ["example.conf", "cases.conf"].map(|file| {
        let text = fs::read_to_string(rules.join(rule).join(file)).expect("a fixture");
        place.served(&text)
    });
    let counts = texts
        .iter()
        .map(|text| ask_in(nginx, &place, text, rule, judge));
    counts.sum()
}

fn taken(_: &Response, blocks: &[u32], own: u32, is_fixed: bool) -> bool {
    blocks.contains(&own) == is_fixed
}

fn past(response: &Response, _: &[u32], _: u32, is_fixed: bool) -> bool {
    match is_fixed {
        false => response.status == 200,
        true => matches!(response.status, 401 | 403 | 404),
    }
}

fn sent(response: &Response, _: &[u32], _: u32, is_fixed: bool) -> bool {
    (response.body == b"secret") != is_fixed
}

#[test]
fn a_regex_takes_what_the_prefix_would_answer() {
    let asked = ask("hijacked-location", taken);
    assert!(asked > 8, "{asked} witnesses were asked for");
}

#[test]
fn what_is_protected_is_open_by_another_way() {
    let asked = ask("bypassed-access-control", past);
    assert!(asked > 8, "{asked} witnesses were asked for");
}

#[test]
fn files_are_sent_that_a_regex_would_run_or_refuse() {
    let asked = ask("suppressed-regex", sent);
    assert!(asked > 4, "{asked} witnesses were asked for");
}

/// How many random configurations are tried.
const CASES: u64 = 150;

const NAMES: [&str; 14] = [
    "/",
    "^~ /",
    "/a/",
    "^~ /a/",
    "/a/b/",
    "^~ /a/b/",
    "/a",
    "/b/",
    "= /a/x.php",
    "^~ /b/",
    "/a/b",
    "^~/c/",
    "/c/a/",
    "/x/y/",
];

const REGEXES: [&str; 16] = [
    "\\.php$",
    "\\.(js|css|png)$",
    "/\\.",
    "^/a/",
    "^/a",
    "^/[a-z]+/b",
    "^/(a|c)/",
    "\\.php(/|$)",
    "^/b/.*\\.php$",
    "\\.(sql|bak)$",
    "^/a/b/.*\\.js$",
    "^/.*$",
    "^/(?!b)[^/]+/x",
    "\\.png$",
    "\"^/[a-z]{1,3}/x$\"",
    "a",
];

const BODIES: [&str; 21] = [
    "",
    "expires 1d;",
    "root /srv/other;",
    "try_files $uri =404;",
    "try_files $uri @app;",
    "try_files $uri /index.php;",
    "try_files $uri /a/index.php;",
    "index index.php;",
    "proxy_pass http://127.0.0.1:8000;",
    "proxy_pass http://127.0.0.1:9001;",
    "proxy_pass http://app;",
    "proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    "fastcgi_split_path_info ^(.+?\\.php)(/.*)$; fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    "deny all;",
    "internal;",
    "return 404;",
    "auth_basic x; auth_basic_user_file /etc/nginx/staff;",
    "auth_basic x; auth_basic_user_file /etc/nginx/staff; proxy_pass http://app;",
    "auth_basic off;",
];

/// A random configuration.
fn random(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % end
    };
    let mut lines = vec![
        "events {}".to_owned(),
        "http {".to_owned(),
        "upstream app { server 127.0.0.1:8000; }".to_owned(),
        "server {".to_owned(),
        "server_name s.example; root /srv/www;".to_owned(),
        "location @app {".to_owned(),
        "proxy_pass http://app; }".to_owned(),
    ];
    let mut taken = Vec::new();
    for _ in 0..2 + below(6) {
        let head = match below(2) {
            0 => NAMES[below(NAMES.len())].to_owned(),
            _ => format!(
                "{} {}",
                ["~", "~*"][below(2)],
                REGEXES[below(REGEXES.len())]
            ),
        };
        let key = head.trim_start_matches("^~").trim_start().to_owned();
        if taken.contains(&key) {
            continue;
        }
        taken.push(key);
        lines.push(format!("location {head} {{"));
        // One directive on each line, since some stand for addresses.
        let body = BODIES[below(BODIES.len())];
        lines.extend(body.split_inclusive("; ").map(str::to_owned));
        lines.push("}".to_owned());
    }
    lines.push("} }".to_owned());
    lines.join("\n")
}

#[test]
fn what_is_said_of_random_configurations_is_what_nginx_does() {
    let Some(nginx) = Nginx::find() else { return };
    let first = std::env::var("NGINSPECT_CONTESTS_FIRST");
    let first = first.ok().and_then(|first| first.parse().ok()).unwrap_or(1);
    let cases = std::env::var("NGINSPECT_CONTESTS").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let mut asked = [0; 3];
    for seed in first..first + cases {
        let place = Place::new();
        let text = place.served(&random(seed));
        let verdict = nginx.check_text(text.replace(PORT, "18080").as_bytes());
        assert!(verdict.accepted, "{verdict:?}\n{text}");
        let rules: [(&str, Judge); 3] = [
            ("hijacked-location", taken),
            ("bypassed-access-control", past),
            ("suppressed-regex", sent),
        ];
        for (count, (rule, judge)) in asked.iter_mut().zip(rules) {
            *count += ask_in(nginx, &place, &text, rule, judge);
        }
    }
    say(&format!("{asked:?} findings were asked for"));
    assert!(
        cases < CASES || asked.iter().all(|count| *count > 3),
        "{asked:?}"
    );
}

/// A FastCGI program that answers with the name of the script that it is to run; it listens until the tests end.
pub(crate) fn start_fastcgi() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || run_script(stream));
        }
    });
    port
}

fn run_script(mut stream: TcpStream) -> std::io::Result<()> {
    const PARAMS: u8 = 4;
    const STDIN: u8 = 5;
    let mut params = Vec::new();
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let mut content = vec![0; length + usize::from(head[6])];
        stream.read_exact(&mut content)?;
        content.truncate(length);
        match head[1] {
            PARAMS => params.extend(content),
            STDIN if length == 0 => break,
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(&params);
    let script = text.split("SCRIPT_FILENAME").nth(1).unwrap_or_default();
    let answer = format!("Content-Type: text/plain\r\n\r\nran {script}");
    let length = (answer.len() as u16).to_be_bytes();
    let mut record = vec![1, 6, 0, 1, length[0], length[1], 0, 0];
    record.extend(answer.bytes());
    record.extend([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    stream.write_all(&record)
}
