//! What findings say of the requests that they show is what nginx does with these requests, and no longer once the fix is
//! made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::Witness;
use nginspect::lint::lint;
use nginspect::rules::RULES;

use crate::fixes::check;
use crate::fixtures;
use crate::harness::{Nginx, copy_folder, parsed, say};
use crate::stage::{Backends, Seen, Staged, children, line_at};
use crate::trace::Dice;

/// How many random configurations are made unless `NGINSPECT_STATEMENTS` says otherwise; the first of them has the number
/// `NGINSPECT_STATEMENTS_FIRST`.
const CASES: u64 = 100;

/// What the effect begins with of a request that only some may send.
const LET_IN: &str = "for those who are let in, ";

/// What a file holds that a finding mentions.
const FILE: &str = "what the file holds";

/// How often a request is sent that is not answered as a finding says.
const ATTEMPTS: usize = 3;

/// How many statements that are not true are shown.
const SHOWN: usize = 5;

/// How effects begin that one plain request does not show: they are about what else the backend does, about other requests
/// before, or about a file that is found by itself.
const OTHERS: [&str; 22] = [
    "101 without `Upgrade`",
    "400 by a backend that keeps to the standard",
    "429 when",
    "429 while",
    "502 for 10 seconds after one late answer",
    "502 where the backend",
    "503 while",
    "`",
    "both servers get it",
    "closed where the backend",
    "cut off without an answer",
    "redirected to",
    "the backend builds its links",
    "the backend chooses one",
    "the backend gets `X-Forwarded-Proto",
    "the backend gets a TLS handshake",
    "the backend gets plain HTTP",
    "the backend takes it for",
    "the file `",
    "the next request",
    "the page with",
    "what the backend sends at once",
];

/// Rules whose fix is not seen: an address part goes that has no effect, no name server answers, nobody listens at a socket.
const UNCHANGED: [&str; 3] = ["ignored-proxy-uri", "missing-resolver", "unix-socket-path"];

/// Words of the error log after which an answer tells nothing of a backend.
const EXCUSES: [&str; 9] = [
    "access forbidden by rule",
    "auth request unexpected status",
    "connect() ",
    "could not be resolved",
    "host not found",
    "no live upstreams",
    "no resolver defined",
    "upstream timed out",
    "while SSL handshaking",
];

/// Whether the answer to a request is what an effect says; nothing where it does not tell.
fn agrees(staged: &Staged, root: &str, effect: &str, seen: &Seen) -> Option<bool> {
    if let Some(rest) = effect.strip_prefix(LET_IN) {
        return (!is_refused(seen)).then(|| agrees(staged, root, rest, seen))?;
    }
    if let Some(rest) = effect.strip_prefix("answered by `") {
        return answered(staged, root, rest, seen);
    }
    if let Some(code) = effect.strip_prefix("answered with ") {
        return Some(code.parse() == Ok(seen.response.status));
    }
    if effect.contains("the file ") && (effect.contains('$') || effect.contains("the file `")) {
        return None;
    }
    if effect.starts_with("the file ") {
        return Some(seen.body == FILE);
    }
    if effect.starts_with("the script ") {
        return Some(seen.body.contains("ran "));
    }
    if effect.starts_with(|letter: char| letter.is_ascii_digit()) {
        return status(staged, effect, seen);
    }
    // The rest is about what a backend gets, where one is reached.
    if is_cut_off(seen) && !is_refused(seen) {
        return None;
    }
    if seen.version().is_none() {
        return is_refused(seen)
            .then_some(false)
            .filter(|_| !is_untold(effect));
    }
    if let Some(url) = effect.strip_prefix("where the backend redirects, the client is sent to ") {
        return Some(seen.header("Location")? == staged.here(url));
    }
    if let Some(uri) = effect.strip_prefix("the backend is asked for ") {
        return Some(seen.body.starts_with(&format!("GET {uri} HTTP/")));
    }
    if let Some((_, uri)) = effect
        .split_once(" as `")
        .filter(|_| effect.contains("://"))
    {
        let uri = uri.split('`').next().unwrap_or_default();
        return Some(seen.body.starts_with(&format!("GET {uri} HTTP/")));
    }
    if let Some(rest) = effect.strip_prefix("the backend gets `Host: ") {
        let host = rest.split('`').next().unwrap_or_default();
        return Some(seen.sent("Host") == Some(&staged.here(host)));
    }
    let upgrade = seen.sent("Upgrade").is_some_and(|value| !value.is_empty());
    let is_upgrade = |value: &str| value.to_lowercase().contains("upgrade");
    let connection = seen.sent_all("Connection").any(is_upgrade);
    let is_http_1_1 = seen.version() == Some("HTTP/1.1");
    if effect.starts_with("the backend sees no Upgrade") {
        return Some(!upgrade);
    }
    if effect.starts_with("answered as a plain request") {
        return Some(!(upgrade && connection && is_http_1_1));
    }
    None
}

/// The same for an effect that begins with what answers: a location, or a directive in it.
fn answered(staged: &Staged, root: &str, rest: &str, seen: &Seen) -> Option<bool> {
    let (quoted, rest) = rest.split_once('`')?;
    let first = seen.blocks.first()?;
    if let Some(place) = rest.strip_prefix(" on ") {
        let (place, then) = place.split_once(": ").unwrap_or((place, ""));
        let place = place.trim_end_matches(" without a question");
        let is_there = match place.strip_prefix("line ") {
            Some(line) => *first == format!("{root}:{line}"),
            None => place.ends_with(&format!("/{first}")),
        };
        // What is passed on only when a file is found there says nothing without one.
        let is_certain = !then.is_empty() && !then.contains("`try_files`");
        let gets = is_certain
            .then(|| agrees(staged, root, then, seen))
            .flatten();
        return Some(is_there && gets.unwrap_or(true));
    }
    let (file, line) = first.rsplit_once(':')?;
    let text = staged.texts.get(file)?;
    let tree = parsed(text.as_bytes());
    let is_it = |index: &usize| {
        let node = &tree.nodes[*index];
        let open = tree.tokens[node.body as usize - 1].end as usize;
        node.block && line.parse() == Ok(line_at(text, open))
    };
    let index = (0..tree.nodes.len()).find(is_it)?;
    let reads = |node| {
        let span = tree.head_span(node);
        let head = &text[span.start as usize..span.end as usize];
        head.trim_end_matches([' ', '{', ';']) == quoted
    };
    Some(match quoted.starts_with("location ") {
        true => reads(&tree.nodes[index]),
        false => children(&tree, index).any(reads),
    })
}

/// The same for an effect that begins with a status.
fn status(staged: &Staged, effect: &str, seen: &Seen) -> Option<bool> {
    let (code, rest) = effect.split_at_checked(3)?;
    let code: u16 = code.parse().ok()?;
    if rest.starts_with(" or 505 by a strict backend") {
        return Some(seen.version()? == "HTTP/1.0" && seen.sent("Upgrade").is_some());
    }
    if is_untold(effect) {
        return None;
    }
    if let Some(to) = rest.strip_prefix(" to ") {
        let to = to.split(',').next()?;
        let location = staged.written(seen.header("Location").unwrap_or_default());
        let is_there = to.ends_with(&location) || to.starts_with('/') && location.ends_with(to);
        return Some(seen.response.status == code && !location.is_empty() && is_there);
    }
    if let Some((_, said)) = rest.split_once("the error log says \"") {
        let said = said.split('"').next()?;
        // The name of a backend that has another one here.
        let is_same = staged.here(said) == said || said.starts_with("connect()");
        let is_logged = seen.log.contains(said);
        let is_so = seen.response.status == code && is_logged;
        // The page for those who are not let in may come to the same.
        return is_same
            .then_some(is_so)
            .filter(|_| !(is_so && is_refused(seen)));
    }
    // An `error_page` may answer for the status.
    let is_late = code == 504 && seen.log.contains("upstream timed out");
    match seen.response.status == code || is_late {
        false if is_cut_off(seen) && !is_refused(seen) => None,
        is_so => Some(is_so),
    }
}

fn is_untold(effect: &str) -> bool {
    OTHERS.iter().any(|other| effect.starts_with(other))
}

/// True where no backend was reached that would have told something.
fn is_cut_off(seen: &Seen) -> bool {
    EXCUSES.iter().any(|words| seen.log.contains(words))
}

/// True for an answer to somebody who is not let in.
fn is_refused(seen: &Seen) -> bool {
    let is_forbidden = seen.log.contains("access forbidden by rule");
    is_forbidden || matches!(seen.response.status, 401 | 403)
}

/// The port that the request of a witness goes to, and its bytes; nothing where more than a `GET` or a handshake is shown.
fn request(witness: &Witness) -> Option<(u16, String)> {
    let (method, url) = witness.request.split_once(' ')?;
    let (url, body) = match url.strip_suffix(" with a larger body") {
        Some(url) => (url, "Content-Length: 20971520\r\n"),
        None => (url, ""),
    };
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(method, "GET" | "POST") || !matches!(scheme, "http" | "ws") {
        return None;
    }
    let (host, path) = rest.split_once('/')?;
    let port = host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let mut raw = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{body}");
    raw += &match scheme {
        "ws" => format!(
            "Upgrade: websocket\r\nConnection: upgrade, close\r\nSec-WebSocket-Version: 13\r\nOrigin: http://{host}\r\n"
        ),
        _ => "Connection: close\r\n".to_owned(),
    };
    if let Some((_, url)) = witness
        .effect
        .split_once("where the backend redirects, the client is sent to ")
    {
        let (scheme, rest) = url.split_once("://")?;
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let _ = write!(raw, "X-Redirect: {scheme} {path}\r\n");
    }
    raw += "\r\n";
    Some((port.unwrap_or(80), raw))
}

/// What is seen of a statement.
enum Verdict {
    True(String),
    False(String),
    /// Nothing: more than one plain request is needed, or nothing has come to a backend.
    Unseen,
}

/// Sends the request of a witness, and judges its effect by the answers. What is not so is tried again: now and then an
/// answer is there before a time of 0 is over.
fn verdict(staged: &Staged, root: &str, witness: &Witness) -> Verdict {
    let mut verdicts = (0..ATTEMPTS).map(|_| verdict_once(staged, root, witness));
    let is_final = |verdict: &Verdict| !matches!(verdict, Verdict::False(_));
    let first = verdicts.next().expect("one of them");
    match is_final(&first) {
        true => first,
        false => verdicts.find(is_final).unwrap_or(first),
    }
}

fn verdict_once(staged: &Staged, root: &str, witness: &Witness) -> Verdict {
    let Some((port, raw)) = request(witness) else {
        return Verdict::Unseen;
    };
    let effect = witness.effect.as_str();
    let file = effect.split_once("the file ").map(|(_, file)| file);
    if let Some(file) = file.filter(|file| !file.contains(['$', '`'])) {
        staged.put(file.split(", if ").next().unwrap_or_default(), FILE);
    }
    let all = staged.ask(port, &raw);
    let answers = all
        .iter()
        .map(Seen::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    let agrees = all
        .iter()
        .filter_map(|seen| agrees(staged, root, effect, seen));
    let is_excused = |seen: &Seen| {
        let is_untold = raw.contains("\r\nX-Redirect:") && seen.sent("X-Redirect").is_none();
        is_untold || is_refused(seen) || is_cut_off(seen)
    };
    match agrees.max() {
        Some(true) => Verdict::True(answers),
        Some(false) => Verdict::False(answers),
        None if is_untold(effect.trim_start_matches(LET_IN)) || effect.contains('$') => {
            Verdict::Unseen
        }
        None if all.iter().all(is_excused) => Verdict::Unseen,
        None => Verdict::False(format!("is not understood\n{answers}")),
    }
}

/// What has become of the statements that were tried.
#[derive(Debug, Default)]
struct Tally {
    true_ones: usize,
    cured: usize,
    unseen: usize,
    false_ones: Vec<String>,
}

impl Tally {
    fn refute(&mut self, root: &Path, rule: &str, witness: &Witness, seen: &str) {
        let (file, Witness { request, effect }) = (root.display(), witness);
        self.false_ones
            .push(format!("{file} {rule}: {request} → {effect}\n{seen}"));
    }
}

/// Tries what the findings in a configuration say, and once more after `--unsafe-fixes` of each rule.
fn judge(nginx: &Nginx, root: &Path, backends: &Backends, tally: &mut Tally) {
    let options = LoadOptions {
        version: Some(nginx.version),
        ..LoadOptions::default()
    };
    let config = load(&Root::File(root.to_owned()), &options).expect("a configuration");
    let findings = lint(&config, &Scope::All);
    let shown = findings
        .iter()
        .filter_map(|finding| Some((finding, finding.witness.as_ref()?)));
    let name = root.file_name().expect("a name").to_string_lossy();
    let mut staged = None;
    let mut curable: BTreeMap<&str, Vec<&Witness>> = BTreeMap::new();
    for (finding, witness) in shown {
        let start = || {
            let started = Staged::start(nginx, root, backends);
            started.unwrap_or_else(|log| panic!("{} does not run:\n{log}", root.display()))
        };
        match verdict(staged.get_or_insert_with(start), &name, witness) {
            Verdict::Unseen => tally.unseen += 1,
            Verdict::False(seen) => tally.refute(root, finding.rule, witness, &seen),
            Verdict::True(_) => {
                tally.true_ones += 1;
                if !finding.fixes.is_empty() && is_cured_by_fix(finding.rule, &witness.effect) {
                    curable.entry(finding.rule).or_default().push(witness);
                }
            }
        }
    }
    for (rule, witnesses) in curable {
        let copy = tempfile::tempdir().expect("a temporary folder");
        copy_folder(root.parent().expect("a folder"), copy.path());
        let fixed = copy.path().join(&*name);
        let version = nginx.version.to_string();
        let flags = [
            "--unsafe-fixes",
            "--select",
            rule,
            "--nginx-version",
            &version,
        ];
        check(&flags, &fixed);
        let staged = match Staged::start(nginx, &fixed, backends) {
            Ok(staged) => staged,
            Err(log) => {
                tally.refute(root, rule, witnesses[0], &format!("fixed: {log}"));
                continue;
            }
        };
        for witness in witnesses {
            match verdict(&staged, &name, witness) {
                Verdict::True(seen) => tally.refute(root, rule, witness, &format!("fixed: {seen}")),
                Verdict::False(_) => tally.cured += 1,
                Verdict::Unseen => {}
            }
        }
    }
}

/// True for a rule and an effect that is gone after a fix. A location that is moved is on another line, and a regex that takes
/// requests from one with the wrong name may do so after its name is right.
fn is_cured_by_fix(rule: &str, effect: &str) -> bool {
    let is_moved = effect.contains(" on line ") || effect.starts_with("answered by `location ~");
    // No file is there before and after.
    let is_missing = effect == "answered with 404";
    !UNCHANGED.contains(&rule) && !is_moved && !is_missing
}

fn assert_true(tally: &Tally) {
    let false_ones = &tally.false_ones;
    let shown: Vec<&str> = false_ones.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        shown.is_empty(),
        "{} are not true:\n{}",
        false_ones.len(),
        shown.join("\n\n")
    );
}

#[test]
fn what_findings_in_fixtures_say_of_their_requests_is_what_nginx_does() {
    let Some(nginx) = Nginx::find() else { return };
    let backends = Backends::start(nginx);
    let mut tally = Tally::default();
    for root in RULES
        .iter()
        .flat_map(|(rule, _)| fixtures::taken(rule, nginx))
    {
        judge(nginx, &root, &backends, &mut tally);
    }
    let (true_ones, cured) = (tally.true_ones, tally.cured);
    let (version, unseen) = (nginx.version, tally.unseen);
    say(&format!(
        "nginx {version} agrees with {true_ones} statements, {cured} of which are not true after the fix; {unseen} were not seen"
    ));
    assert_true(&tally);
    assert!(true_ones > 450 && cured > 150, "{true_ones} {cured}");
}

const HTTP: [&str; 12] = [
    "absolute_redirect off;",
    "client_max_body_size 1k;",
    "error_page 404 /lost;",
    "merge_slashes off;",
    "port_in_redirect off;",
    "proxy_http_version 1.1;",
    "proxy_redirect off;",
    "proxy_set_header Connection \"\";",
    "proxy_set_header Host $host;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading;",
    "satisfy any;",
    "server_name_in_redirect on;",
];

const SERVER: [&str; 32] = [
    "add_header Connection upgrade;",
    "allow 127.0.0.1; deny all;",
    "auth_basic x; auth_basic_user_file /etc/nginx/staff;",
    "client_max_body_size 0;",
    "error_page 403 /denied;",
    "error_page 404 =200 /index.html;",
    "error_page 404 = @app;",
    "error_page 500 502 504 @app;",
    "if ($host != one.example) { return 301 http://one.example$request_uri; }",
    "if ($http_x_a) { return 403; }",
    "if ($request_uri ~ ^/out) { return 302 /in; }",
    "if (!-e $request_filename) { rewrite ^ /index.php last; }",
    "index index.html index.php;",
    "listen 8080;",
    "location = /50x.html { internal; root /srv/pages; }",
    "location ~ \\.(png|jpg)$ { expires 1d; }",
    "proxy_hide_header Upgrade;",
    "proxy_http_version 1.0;",
    "proxy_http_version 1.1;",
    "proxy_pass_request_headers off;",
    "proxy_redirect http://app/ /;",
    "proxy_set_header Connection $http_connection;",
    "proxy_set_header Host $http_host;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
    "proxy_set_header X-A b;",
    "recursive_error_pages on;",
    "return 301 https://$host$request_uri;",
    "rewrite ^(/ws)$ $1/ permanent;",
    "rewrite ^/a/old/(.*)$ /b/$1;",
    "rewrite ^/old/(.*)$ /a/$1 last;",
    "root /srv/www;",
    "try_files $uri $uri/ /index.php;",
];

const PLACES: [&str; 62] = [
    "/",
    "/",
    "= /",
    "~ /",
    "~ ^/$",
    "/a",
    "/a/",
    "= /a",
    "^~ /a/",
    "/a/b",
    "/a/b/",
    "/a/b/c",
    "/A",
    "/A/",
    "~* ^/A/",
    "~ ^/a/",
    "~ ^/a/b",
    "~ ^/a/?$",
    "~ ^/a(?:/(.*))?$",
    "/a/*",
    "~ /a/*",
    "/a?b",
    "/x//y",
    "/b%20c/",
    "\"/a b/\"",
    "/api",
    "/api/",
    "= /api",
    "^~ /api/",
    "/api/v1",
    "~ ^/api",
    "~ ^/api/(.*)$",
    "~ ^/(?!api)",
    "~ ^/(api|ws)/",
    "/app/",
    "~ ^/app(/.*)?$",
    "/ws",
    "/ws/",
    "= /ws",
    "^~ /ws",
    "/ws/chat/",
    "/_ws/",
    "~ /ws",
    "~ ^/ws/(?<room>[a-z]+)$",
    "/socket.io",
    "/socket.io/",
    "/chat",
    "/events",
    "/graphql",
    "/hub",
    "/notifications/hub",
    "/upload",
    "/v1/users",
    "/static/",
    "/.well-known/",
    "~ /\\.",
    "~ \\.php$",
    "~ \\.php(/|$)",
    "= /index.php",
    "~* \\.(js|css)$",
    "= /favicon.ico",
    "~ \"^/[0-9]{2}/\"",
];

const PASSES: [&str; 32] = [
    "http://app",
    "http://app",
    "http://app",
    "http://127.0.0.1:8000",
    "https://127.0.0.1:8443",
    "http://app/",
    "http://app/v1",
    "http://app/v1/",
    "http://app/api",
    "http://app/ws",
    "http://app/socket.io/",
    "http://app/b%20c/",
    "http://app/a//b/",
    "http://app/p?k=1",
    "http://127.0.0.1:8000/a/",
    "http://127.0.0.1:8000/ws/",
    "http://$name",
    "http://$name/v1/",
    "http://$host",
    "$target",
    "$to",
    "http://app$u",
    "http://127.0.0.1:8000$u",
    "http://app$path",
    "http://app$uri",
    "http://app/$uri",
    "http://app$uri$is_args$args",
    "http://app$request_uri",
    "http://app$document_uri",
    "http://app/$1",
    "http://app/x/$1$is_args$args",
    "http://app/search?q=$arg_q",
];

const LOCATION: [&str; 84] = [
    "add_header Connection upgrade always;",
    "add_header Upgrade websocket;",
    "alias /srv/files;",
    "alias /srv/files/;",
    "allow 10.0.0.0/8; deny all;",
    "allow 127.0.0.1;",
    "allow all;",
    "auth_basic off;",
    "auth_basic y; auth_basic_user_file /etc/nginx/staff;",
    "auth_request /auth;",
    "client_max_body_size 1k;",
    "deny all;",
    "error_page 403 = @app;",
    "error_page 404 /404.html;",
    "error_page 404 /lost;",
    "error_page 405 =200 $uri;",
    "error_page 502 /down;",
    "expires 1d;",
    "gzip off;",
    "if ($arg_x) { proxy_pass http://app; }",
    "if ($http_upgrade) { proxy_pass http://127.0.0.1:8000; }",
    "if ($http_upgrade) { rewrite ^ /ws/ last; }",
    "if ($request_method = POST) { return 405; }",
    "if ($request_uri ~ ^/api(/.*)$) { set $u $1; }",
    "if ($uri ~ ^/(a|b)/(.*)$) { set $u /$2; }",
    "internal;",
    "limit_except GET { deny all; }",
    "limit_except GET { proxy_pass http://127.0.0.1:8000; }",
    "limit_rate 1m;",
    "mirror /mirror;",
    "proxy_buffering off;",
    "proxy_connect_timeout 0;",
    "proxy_cookie_path / /a/;",
    "proxy_hide_header Upgrade;",
    "proxy_http_version 1.0;",
    "proxy_http_version 1.1;",
    "proxy_http_version 1.1;",
    "proxy_intercept_errors on;",
    "proxy_method GET;",
    "proxy_pass_request_headers off;",
    "proxy_read_timeout 0;",
    "proxy_read_timeout 5s;",
    "proxy_redirect / /a/;",
    "proxy_redirect http://app/ /a/;",
    "proxy_redirect off;",
    "proxy_redirect ~^http://app(.*)$ $1;",
    "proxy_request_buffering off;",
    "proxy_send_timeout 0;",
    "proxy_set_body x;",
    "proxy_set_header Connection 'Upgrade';",
    "proxy_set_header Connection $http_connection;",
    "proxy_set_header Connection \"\";",
    "proxy_set_header Connection keep-alive;",
    "proxy_set_header Connection upgrade;",
    "proxy_set_header Host \"\";",
    "proxy_set_header Host $host;",
    "proxy_set_header Host $proxy_host;",
    "proxy_set_header Host app.example;",
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Upgrade h2c;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading;",
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrading; proxy_http_version 1.1;",
    "proxy_set_header Upgrade websocket; proxy_set_header Connection $http_connection;",
    "proxy_set_header X-B c;",
    "proxy_set_header X-Forwarded-Host $host;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
    "proxy_set_header connection Upgrade;",
    "proxy_set_header upgrade $http_upgrade;",
    "return 204;",
    "rewrite (?i)^/A/(.*)$ /$1 break;",
    "rewrite ^ /all last;",
    "rewrite ^/(.*)$ /$1 break;",
    "rewrite ^/a/(.*) /b/$1 break;",
    "rewrite ^/a/(.*) /ws/$1 last;",
    "rewrite ^/api/(.*)$ /$1 break;",
    "rewrite ^/app/(.*)$ /$1?x=1 break;",
    "rewrite ^/ws$ /ws/ permanent;",
    "root /srv/other;",
    "satisfy all;",
    "set $name app;",
    "set $target http://app;",
    "set $u /set;",
    "try_files $uri $uri/ =404;",
    "try_files /x.html /index.php;",
];

const HANDLERS: [&str; 19] = [
    "",
    "alias /srv/files;",
    "alias /srv/files/;",
    "autoindex on;",
    "deny all;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_connect_timeout 0;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    "internal;",
    "return 200 ok;",
    "return 301 $uri/;",
    "return 301 /a/;",
    "return 301 http://one.example/a/;",
    "return 302 https://$host$request_uri;",
    "return 403;",
    "return 404;",
    "rewrite ^ /a/ redirect;",
    "root /srv/www;",
    "try_files $uri @app;",
    "try_files $uri @none;",
];

const NESTED: [&str; 4] = ["~ \\.php$", "~ /ws", "~* ^/a/.*\\.js$", "~ /in/"];

/// What every configuration begins with, and every server in it.
const BEGIN: &str = "events {}\nhttp {\nupstream app { server 127.0.0.1:8000; }
map $uri $to { ~^/a http://127.0.0.1:8000; default http://app; }
map $http_upgrade $upgrading { default upgrade; '' close; }
map $request_uri $path { ~^/(?<rest>[a-z]+) /$rest; default /x; }\n";
const SERVER_BEGIN: &str = "set $target http://127.0.0.1:8000;\nset $name app;\nset $u /v1;
location @app {\nproxy_pass http://app;\n}
location = /auth {\ninternal;\nproxy_pass http://127.0.0.1:8000/ok;\n}
location = /mirror {\ninternal;\nproxy_pass http://app;\n}\n";

/// Up to some of the lines, none that would stand twice on one level.
fn lines(dice: &mut Dice, all: &[&str], most: usize) -> String {
    let mut names = BTreeSet::new();
    let mut text = String::new();
    for _ in 0..dice.roll(most + 1) {
        let line = dice.pick(all);
        let mut own = line
            .split("; ")
            .filter_map(|directive| directive.split(' ').next());
        let may_repeat = ["if", "location", "proxy_set_header", "rewrite", "set"];
        if own.all(|name| may_repeat.contains(&name) || names.insert(name)) {
            text += line;
            text.push('\n');
        }
    }
    text
}

/// A location with some lines, and perhaps one inside.
fn location(dice: &mut Dice, place: &str) -> String {
    let is_regex = place.starts_with('~');
    let mut text = format!("location {place} {{\n{}", lines(dice, &LOCATION, 3));
    let may_have_uri = |url: &&str| {
        let has_uri = url.matches('/').count() > 2 && !url.contains('$');
        !(is_regex && has_uri)
    };
    if dice.chance(65) {
        let url = std::iter::repeat_with(|| dice.pick(&PASSES)).find(may_have_uri);
        let _ = writeln!(text, "proxy_pass {};", url.expect("one of them"));
    } else {
        let _ = writeln!(text, "{}", dice.pick(&HANDLERS));
    }
    if !is_regex && !place.starts_with('=') && dice.chance(12) {
        let inner = dice.pick(&NESTED);
        text += &location(dice, inner);
    }
    text + "}\n"
}

/// The configuration of a number, made of lines that rules have something to say about.
fn random(number: u64) -> String {
    let mut dice = Dice(number);
    let mut text = BEGIN.to_owned() + &lines(&mut dice, &HTTP, 3);
    for name in ["one.example", "two.example *.wild.example", "_"]
        .iter()
        .take(1 + dice.roll(3))
    {
        let _ = write!(text, "server {{\nserver_name {name};\n{SERVER_BEGIN}");
        text += &lines(&mut dice, &SERVER, 4);
        let mut taken = BTreeSet::new();
        for _ in 0..=dice.roll(6) {
            let place = dice.pick(&PLACES);
            if taken.insert(place.trim_start_matches("^~ ")) {
                text += &location(&mut dice, place);
            }
        }
        text += "}\n";
    }
    text + "}\n"
}

#[test]
fn what_findings_in_random_configurations_say_is_what_nginx_does() {
    let Some(nginx) = Nginx::find() else { return };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("NGINSPECT_STATEMENTS_FIRST").unwrap_or(1);
    let cases = number("NGINSPECT_STATEMENTS").unwrap_or(CASES);
    let backends = Backends::start(nginx);
    let mut tally = Tally::default();
    let mut refused = 0;
    for number in first..first + cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root: PathBuf = folder.path().join(format!("{number}.conf"));
        let text = random(number);
        fs::write(&root, &text).expect("a writable folder");
        match nginx.check_text(text.as_bytes()).accepted {
            true => judge(nginx, &root, &backends, &mut tally),
            false => refused += 1,
        }
    }
    let (true_ones, cured) = (tally.true_ones, tally.cured);
    let (version, unseen) = (nginx.version, tally.unseen);
    say(&format!(
        "nginx {version} agrees with {true_ones} statements about {cases} configurations, {refused} of which it refuses, \
         and {cured} are not true after the fix; {unseen} were not seen"
    ));
    assert_true(&tally);
    assert!(
        cases < CASES || true_ones > 100 && cured > 50,
        "{true_ones} {cured}"
    );
}
