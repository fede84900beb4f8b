//! What findings say of the requests that they show is what nginx does with these requests, and no longer once the fix is
//! made.

use std::collections::BTreeMap;
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
use crate::mixture::random;
use crate::stage::{Backends, Seen, Staged, children, line_at};

/// How many random configurations are made unless `NGINSPECT_STATEMENTS` says otherwise; the first of them has the number
/// `NGINSPECT_STATEMENTS_FIRST`.
const CASES: u64 = 100;

/// What the effect begins with of a request that only some may send.
const LET_IN: &str = "for those who are let in, ";

/// What the effect begins with of an answer that leads elsewhere.
const REDIRECTED: &str = "where the backend redirects, the client is sent to ";

/// What a file holds that a finding mentions.
const FILE: &str = "what the file holds";

/// How often a request is sent that is not answered as a finding says.
const ATTEMPTS: usize = 3;

/// How many statements that are not true are shown.
const SHOWN: usize = 5;

/// How effects begin that one plain request does not show: they are about what else the backend does, about other requests
/// before, or about a file that is found by itself.
const OTHERS: [&str; 20] = [
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
    "the backend chooses one",
    "the backend gets `X-Forwarded-Proto",
    "the backend gets a TLS handshake",
    "the backend gets plain HTTP",
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
    if let Some(url) = effect.strip_prefix(REDIRECTED) {
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
    let hosts = [
        ("the backend gets `Host: ", "`"),
        ("the backend builds its links for ", ","),
        (" unless it knows the host `", "`"),
    ];
    let host = hosts.into_iter().find_map(|(before, after)| {
        let (_, rest) = effect.split_once(before)?;
        rest.split(after).next()
    });
    if let Some(host) = host {
        return Some(seen.sent("Host") == Some(&staged.here(host)));
    }
    if effect.starts_with("the backend takes it for http://") {
        return Some(seen.sent("X-Forwarded-Proto").is_none());
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

/// The port that the request of a witness goes to, whether TLS is spoken there, and its bytes; nothing where more than a
/// `GET` or a handshake is shown.
fn request(witness: &Witness) -> Option<(u16, bool, String)> {
    let (method, url) = witness.request.split_once(' ')?;
    let (url, body) = match url.strip_suffix(" with a larger body") {
        Some(url) => (url, "Content-Length: 20971520\r\n"),
        None => (url, ""),
    };
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(method, "GET" | "POST") {
        return None;
    }
    let (tls, usual) = match scheme {
        "http" | "ws" => (false, 80),
        "https" | "wss" => (true, 443),
        _ => return None,
    };
    let (host, path) = rest.split_once('/')?;
    let port = host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let mut raw = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{body}");
    raw += &match scheme {
        "ws" | "wss" => format!(
            "Upgrade: websocket\r\nConnection: upgrade, close\r\nSec-WebSocket-Version: 13\r\nOrigin: http://{host}\r\n"
        ),
        _ => "Connection: close\r\n".to_owned(),
    };
    if let Some((_, url)) = witness.effect.split_once(REDIRECTED) {
        let (scheme, rest) = url.split_once("://")?;
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let _ = write!(raw, "X-Redirect: {scheme} {path}\r\n");
    }
    raw += "\r\n";
    Some((port.unwrap_or(usual), tls, raw))
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
fn verdict(staged: &Staged, backends: &Backends, root: &str, witness: &Witness) -> Verdict {
    let mut verdicts = (0..ATTEMPTS).map(|_| verdict_once(staged, backends, root, witness));
    let is_final = |verdict: &Verdict| !matches!(verdict, Verdict::False(_));
    let first = verdicts.next().expect("one of them");
    match is_final(&first) {
        true => first,
        false => verdicts.find(is_final).unwrap_or(first),
    }
}

fn verdict_once(staged: &Staged, backends: &Backends, root: &str, witness: &Witness) -> Verdict {
    let Some((port, tls, raw)) = request(witness) else {
        return Verdict::Unseen;
    };
    let effect = witness.effect.as_str();
    let file = effect.split_once("the file ").map(|(_, file)| file);
    if let Some(file) = file.filter(|file| !file.contains(['$', '`'])) {
        staged.put(file.split(", if ").next().unwrap_or_default(), FILE);
    }
    let all = staged.ask(backends, port, tls, &raw);
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

/// Tries what the findings in a configuration say, and what of it is left when they are fixed.
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
        match verdict(staged.get_or_insert_with(start), backends, &name, witness) {
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
        judge_fixed(nginx, root, backends, rule, &witnesses, tally);
    }
}

/// Tries what the findings of a rule have said once `--unsafe-fixes` has mended them.
fn judge_fixed(
    nginx: &Nginx,
    root: &Path,
    backends: &Backends,
    rule: &str,
    witnesses: &[&Witness],
    tally: &mut Tally,
) {
    let name = root.file_name().expect("a name").to_string_lossy();
    let copy = tempfile::tempdir().expect("a temporary folder");
    copy_folder(root.parent().expect("a folder"), copy.path());
    let fixed = copy.path().join(&*name);
    let version = nginx.version.to_string();
    check(
        &[
            "--unsafe-fixes",
            "--select",
            rule,
            "--nginx-version",
            &version,
        ],
        &fixed,
    );
    let staged = match Staged::start(nginx, &fixed, backends) {
        Ok(staged) => staged,
        Err(log) => return tally.refute(root, rule, witnesses[0], &format!("fixed: {log}")),
    };
    for witness in witnesses {
        match verdict(&staged, backends, &name, witness) {
            Verdict::True(seen) => tally.refute(root, rule, witness, &format!("fixed: {seen}")),
            Verdict::False(_) => tally.cured += 1,
            Verdict::Unseen => {}
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
