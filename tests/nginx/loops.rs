//! A request of which a finding says that it comes back is one that a real nginx sends back, or answers with 500.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::Witness;
use nginspect::lint::lint;
use nginspect::loops::{redirect_loops, rewrite_cycles};
use nginspect::routing::Request;

use crate::harness::{Nginx, PORT, Response, Server, say};
use crate::trace::{Answer, ask, random_config, read};

/// How many redirects are followed.
const HOPS: usize = 20;

/// The ports that a configuration names, each with one of this machine.
type Ports = BTreeMap<u16, u16>;

/// What a rule shows of the findings in a fixture.
fn witnesses(rule: &str, file: &str) -> Vec<Witness> {
    let path = folder(rule).join(file);
    let config = load(&Root::File(path), &LoadOptions::default()).expect("a configuration");
    let findings = lint(&config, &Scope::All).into_iter();
    findings
        .filter(|finding| finding.rule == rule)
        .map(|finding| finding.witness.expect("a witness"))
        .collect()
}

fn folder(rule: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/rules/{rule}"))
}

/// Lets the servers of a fixture listen at this machine, with a certificate and a document root that exist.
fn served(rule: &str, file: &str, root: &Path) -> (String, Ports) {
    let text = fs::read_to_string(folder(rule).join(file)).expect("a fixture");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nginx");
    let mut ports = Ports::new();
    let mut held = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let words = line.trim().trim_end_matches(';');
        let line = match words.split_once(' ') {
            Some(("listen", rest)) => {
                let (port, options) = rest.split_once(' ').unwrap_or((rest, ""));
                let port = port.parse().expect("a port");
                let own = ports.entry(port).or_insert_with(|| {
                    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
                    let own = free.local_addr().expect("a bound socket").port();
                    held.push(free);
                    own
                });
                format!("listen 127.0.0.1:{own} {options};")
            }
            Some((name @ ("ssl_certificate" | "ssl_certificate_key"), _)) => {
                format!("{name} {}/self-signed.pem;", tests.display())
            }
            _ => line.replace("/srv/www", &root.display().to_string()),
        };
        lines.push(line);
    }
    // Where the harness looks whether nginx has started.
    let last = lines
        .iter()
        .rposition(|line| line == "}")
        .expect("the end of http");
    lines.insert(last, format!("server {{ listen 127.0.0.1:{PORT}; }}"));
    (lines.join("\n"), ports)
}

/// Speaks TLS for the tests: it passes each request on to the port and the name that the request tells.
fn front(nginx: &Nginx) -> Server {
    let text = format!(
        "events {{}} http {{ server {{ listen 127.0.0.1:{PORT}; location / {{
            proxy_pass https://127.0.0.1:$http_x_port;
            proxy_ssl_server_name on;
            proxy_ssl_name $http_x_name;
            proxy_set_header Host $http_host;
        }} }} }}"
    );
    Server::start(nginx, &text)
}

/// A client that connects to this machine whatever the host.
struct Client {
    server: Server,
    front: Server,
    ports: Ports,
}

impl Client {
    fn get(&self, url: &str) -> Response {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a path");
        let usual = if scheme == "https" { "443" } else { "80" };
        let (name, port) = authority.split_once(':').unwrap_or((authority, usual));
        let own = self.ports[&port.parse::<u16>().expect("a port")];
        let head = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
        match scheme {
            "https" => {
                let more = format!("X-Port: {own}\r\nX-Name: {name}\r\n\r\n");
                self.front.request(format!("{head}{more}").as_bytes())
            }
            _ => self
                .server
                .request_at(own, format!("{head}\r\n").as_bytes()),
        }
    }

    /// The URL in a `Location`, with the ports of the fixture.
    fn target(&self, from: &str, answer: &Response) -> Option<String> {
        let mut headers = answer.head.lines();
        let mut location = headers
            .find_map(|line| line.strip_prefix("Location: "))?
            .to_owned();
        for (port, own) in &self.ports {
            let written = match port {
                80 | 443 => String::new(),
                port => format!(":{port}"),
            };
            location = location.replace(&format!(":{own}/"), &format!("{written}/"));
        }
        if location.contains("://") {
            return Some(location);
        }
        let (folder, _) = from.rsplit_once('/')?;
        Some(format!("{folder}/{location}"))
    }
}

fn client(nginx: &Nginx, rule: &str, file: &str, root: &Path) -> Client {
    let (text, ports) = served(rule, file, root);
    Client {
        server: Server::start(nginx, &text),
        front: front(nginx),
        ports,
    }
}

#[test]
fn redirects_that_are_found_to_come_back_do() {
    let Some(nginx) = Nginx::find() else { return };
    if !nginx.has("http_ssl") {
        say("skipped: this nginx speaks no TLS");
        return;
    }
    let root = tempfile::tempdir().expect("a temporary folder");
    let mut followed = 0;
    for file in ["example.conf", "cases.conf"] {
        let client = client(nginx, "redirect-loop", file, root.path());
        for witness in witnesses("redirect-loop", file) {
            let url = witness.request.strip_prefix("GET ").expect("a GET");
            let mut url = url.to_owned();
            let mut way: Vec<String> = Vec::new();
            for _ in 0..HOPS {
                let answer = client.get(&url);
                let Some(next) = client.target(&url, &answer) else {
                    panic!("{witness:?} ends at {url}: {}", answer.head);
                };
                way.push(format!("{} to {next}", answer.status));
                url = next;
            }
            let told = witness.effect.strip_suffix(", and so on");
            let told: Vec<&str> = told.expect("an end").split(", ").collect();
            let is_told = way.iter().zip(&told).all(|(real, told)| real == told);
            assert!(is_told, "{witness:?}: {way:?}");
            let grows = way[told.len()] != told[0];
            assert!(
                !grows || url.len() > told[0].len() + HOPS,
                "{witness:?}: {way:?}"
            );
            followed += 1;
        }
    }
    assert!(followed > 10, "{followed} loops were followed");
}

#[test]
fn requests_that_are_found_to_go_round_in_nginx_are_answered_with_500() {
    let Some(nginx) = Nginx::find() else { return };
    let root = tempfile::tempdir().expect("a temporary folder");
    let mut asked = 0;
    for file in ["example.conf", "cases.conf"] {
        let client = client(nginx, "rewrite-cycle", file, root.path());
        for witness in witnesses("rewrite-cycle", file) {
            let url = witness.request.strip_prefix("GET ").expect("a GET");
            let before = client.server.log().len();
            let answer = client.get(url);
            let log = client.server.log().split_off(before);
            let is_page = String::from_utf8_lossy(&answer.body).contains("not asked for");
            let is_cycle = log.contains("rewrite or internal redirection cycle");
            assert!(
                is_cycle && answer.status == 500 && !is_page,
                "{witness:?}: {log}"
            );
            asked += 1;
        }
    }
    assert!(asked > 13, "{asked} requests were sent");
}

/// The answers to a request at each address of this machine that a random configuration may listen at.
fn answers(server: &Server, url: &str) -> Vec<Answer> {
    let addresses = ["127.0.0.1", "127.0.0.2", "::1"];
    let asked = addresses.iter().filter_map(|address| {
        let mut request = Request::get(url).expect("a URL");
        let address: IpAddr = address.parse().expect("an address");
        TcpStream::connect((address, server.port())).ok()?;
        request.host = address.to_string();
        ask(server, &request)
    });
    asked.collect()
}

#[test]
fn what_is_found_to_come_back_in_random_configurations_does() {
    let Some(nginx) = Nginx::find() else { return };
    let rounds = std::env::var("NGINSPECT_TRACE_ROUNDS");
    let rounds: u64 = rounds.map_or(120, |rounds| rounds.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut cycles, mut loops) = (0, 0);
    for number in 0..rounds {
        // Nobody listens there: what is passed on fails, and is of no interest.
        let text = random_config(number, folder.path(), 9, 9);
        let Ok(server) = Server::try_start(nginx, &text) else {
            continue;
        };
        let config = read(&text, server.port(), nginx.version);
        for cycle in rewrite_cycles(&config) {
            let before = server.log().len();
            let found = answers(&server, &cycle.url);
            let log = server.log().split_off(before);
            let is_met = found.iter().any(|answer| answer.status == 500)
                && log.contains("rewrite or internal redirection cycle");
            assert!(is_met, "{number}: {cycle:?}: {found:?}\n{log}\n{text}");
            cycles += 1;
        }
        for hop in redirect_loops(&config).iter().flat_map(|found| &found.hops) {
            let found = answers(&server, &hop.url);
            let path = hop.to.splitn(4, '/').nth(3).expect("a path");
            // With `absolute_redirect off` it is the path alone.
            let lines = [&hop.to, &format!("/{path}")].map(|to| format!("\r\nLocation: {to}\r\n"));
            let is_met = |answer: &Answer| {
                answer.status == hop.status && lines.iter().any(|line| answer.head.contains(line))
            };
            assert!(
                found.iter().any(is_met),
                "{number}: {hop:?}: {found:?}\n{text}"
            );
            loops += 1;
        }
    }
    say(&format!(
        "nginx has met {cycles} cycles and {loops} redirects of loops in {rounds} random configurations"
    ));
}
