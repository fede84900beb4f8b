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

use crate::harness::{Echo, Nginx, PORT, Response, Server};

/// A folder with the files of a configuration, and the programs that it passes requests to.
struct Place {
    folder: tempfile::TempDir,
    http: u16,
    fastcgi: u16,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("staff"), "").expect("a writable folder");
        Self {
            folder,
            http: Echo::start().port,
            fastcgi: start_fastcgi(),
        }
    }

    /// The text of a fixture that listens here, with its files in the folder.
    fn served(&self, text: &str) -> String {
        let (http, fastcgi) = (self.http, self.fastcgi);
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
        // Different addresses stay different.
        ["8000", "9000", "9001"].iter().fold(text, |text, port| {
            let host = if *port == "8000" {
                "127.0.0.1"
            } else {
                "127.0.0.2"
            };
            let text = text.replace(
                &format!("http://127.0.0.1:{port}"),
                &format!("http://{host}:{http}"),
            );
            text.replace(
                &format!("server 127.0.0.1:{port}"),
                &format!("server {host}:{http}"),
            )
            .replace(
                &format!("http://localhost:{port}"),
                &format!("http://localhost:{http}"),
            )
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

    /// Puts a file at each path below the folder that a finding mentions.
    fn fill(&self, finding: &Diagnostic) {
        let begin = format!("{}/srv/", self.folder.path().display());
        let effect = finding.witness.iter().map(|witness| &witness.effect);
        let texts = effect.chain(finding.labels.iter().map(|label| &label.message));
        for text in texts {
            for (at, _) in text.match_indices(&begin) {
                let path = text[at..].split([' ', ',']).next().unwrap_or_default();
                let path = Path::new(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
                fs::write(path, "secret").expect("a writable folder");
            }
        }
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

/// Asks for what each finding of a rule shows, before and after its fix, and counts them.
fn ask(rule: &str, judge: impl Fn(&Response, &[u32], u32, bool)) -> usize {
    let Some(nginx) = Nginx::find() else {
        return usize::MAX;
    };
    let place = Place::new();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let mut asked = 0;
    for file in ["example.conf", "cases.conf"] {
        let text = fs::read_to_string(rules.join(rule).join(file)).expect("a fixture");
        let text = place.served(&text);
        let server = Server::start(nginx, &telling(&text));
        for finding in place.findings(rule, &text) {
            place.fill(&finding);
            let witness = finding.witness.as_ref().expect("a request");
            let own = line_of(&text, &finding);
            let named: Option<u32> = witness.effect.split_once(" on line ").map(|(_, rest)| {
                let end = rest
                    .find(|letter: char| !letter.is_ascii_digit())
                    .unwrap_or(rest.len());
                rest[..end].parse().expect("a line")
            });
            let (response, blocks) = answer(&server, &witness.request);
            assert_eq!(
                blocks.first(),
                Some(&named.unwrap_or(own)),
                "{witness:?} {response:?}"
            );
            judge(&response, &blocks, own, false);
            asked += 1;
            if let Some(cured) = fixed(&text, &finding) {
                let server = Server::start(nginx, &telling(&cured));
                let (response, blocks) = answer(&server, &witness.request);
                judge(&response, &blocks, own, true);
            }
        }
    }
    asked
}

#[test]
fn a_regex_takes_what_the_prefix_would_answer() {
    let asked = ask("hijacked-location", |response, blocks, own, is_fixed| {
        assert_eq!(blocks.contains(&own), is_fixed, "{own}: {response:?}");
    });
    assert!(asked > 8, "{asked} witnesses were asked for");
}

#[test]
fn what_is_protected_is_open_by_another_way() {
    let asked = ask(
        "bypassed-access-control",
        |response, _, own, is_fixed| match is_fixed {
            false => assert_eq!(response.status, 200, "{own}: {response:?}"),
            true => assert!(
                matches!(response.status, 401 | 403 | 404),
                "{own}: {response:?}"
            ),
        },
    );
    assert!(asked > 8, "{asked} witnesses were asked for");
}

#[test]
fn files_are_sent_that_a_regex_would_run_or_refuse() {
    let asked = ask("suppressed-regex", |response, _, own, is_fixed| {
        assert_eq!(response.body == b"secret", !is_fixed, "{own}: {response:?}");
    });
    assert!(asked > 4, "{asked} witnesses were asked for");
}

/// A FastCGI program that answers with the name of the script that it is to run; it listens until the tests end.
fn start_fastcgi() -> u16 {
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
