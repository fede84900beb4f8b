//! The rules about loading say what `nginx -t` says: random directives at random places with random values.
//!
//! A probe is one directive in a configuration that nginx would else accept. nginx and the rules must agree on whether it
//! is refused, and on the line. Set `NGINSPECT_PROBES` for a number of probes other than the default.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use nginspect::config::{LoadOptions, Root, Scope, load};
use nginspect::diagnostic::{Diagnostic, Severity};
use nginspect::lint::lint_with;
use nginspect::nginx::{self, Contexts, Form, Kind, Provider};
use nginspect::rule::Category;
use nginspect::rules::RULES;
use tempfile::TempDir;

use crate::harness::{Nginx, Reading, Refusal, say};

/// How many probes run unless somebody wants more.
const PROBES: usize = 2000;

/// What stays different, by directive and a part of nginx's message, each with its reason.
const KNOWN_DISAGREEMENTS: &[(&str, &str, &str)] = &[
    (
        "user",
        "is duplicate",
        "nginx refuses a second one only if it may change the user",
    ),
    (
        "use",
        "invalid event type",
        "which methods there are is for the system to say",
    ),
    ("aio", "", "what a system can do is for it to say"),
    (
        "server_tokens",
        "invalid value",
        "nginx Plus takes any text",
    ),
    (
        "server",
        "invalid parameter \"drain\"",
        "nginx Plus has had it for long",
    ),
    (
        "server",
        "invalid parameter \"route=",
        "nginx Plus has had it for long",
    ),
    (
        "http2_push",
        "",
        "its values are not judged, since a newer nginx ignores it",
    ),
    (
        "http2_push_preload",
        "",
        "its values are not judged, since a newer nginx ignores it",
    ),
    (
        "http2_max_concurrent_pushes",
        "",
        "its values are not judged, since a newer nginx ignores it",
    ),
    (
        "auth_basic_user_file",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "uwsgi_ssl_certificate",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "uwsgi_ssl_certificate_key",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "proxy_ssl_certificate",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "proxy_ssl_certificate_key",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "grpc_ssl_certificate",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "grpc_ssl_certificate_key",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "ssl_certificate",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "ssl_certificate_key",
        "variable",
        "a `$` in the name of a file was a letter once",
    ),
    (
        "connection_pool_size",
        "large_client_header_buffers",
        "two directives that are rarely set together",
    ),
    (
        "memcached_pass",
        "memcached_key",
        "the variable is used without being written",
    ),
    ("memcached_pass", "no port", "`$` is a letter there"),
    (
        "valid_referers",
        "without any valid referer",
        "another one of the level may name it",
    ),
];

/// What nginx says of sizes of hashes that are too small for what goes into them.
const HASH_SIZES: &str = "could not build";

/// Rules about what nginx looks for when it has read everything, which a probe does not let it come to.
const LATER: &[&str] = &["missing-block", "undefined-zone"];

#[test]
fn the_load_rules_agree_with_nginx_on_every_single_directive() {
    let Some(nginx) = Nginx::find() else { return };
    let wanted = env::var("NGINSPECT_PROBES")
        .ok()
        .map(|number| number.parse().expect("NGINSPECT_PROBES is a number"));
    let wanted: usize = wanted.unwrap_or(PROBES);
    let forms = forms_of(nginx);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Results::default());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let folder = Folder::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= wanted {
                        break;
                    }
                    let probe = Probe::make(&forms, number as u64, &folder);
                    let result = judge(nginx, &folder, &probe);
                    let mut results = results.lock().expect("no worker has panicked");
                    results.count(number, &probe, result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no worker has panicked");
    say(&results.summary(nginx));
    assert!(
        results.disagreements.is_empty(),
        "{} disagreements:\n{}",
        results.disagreements.len(),
        results
            .disagreements
            .values()
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(results.refused > wanted / 10 && results.accepted > wanted / 10);
}

/// What came of all probes.
#[derive(Default)]
struct Results {
    accepted: usize,
    refused: usize,
    /// Probes about which only the machine had something to say.
    machine: usize,
    directives: BTreeSet<&'static str>,
    /// By the number of the probe, so that the order does not depend on the workers.
    disagreements: BTreeMap<usize, String>,
}

impl Results {
    fn count(&mut self, number: usize, probe: &Probe, result: Outcome) {
        self.directives.insert(probe.name);
        match result {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Machine => self.machine += 1,
            Outcome::Disagreement(text) => {
                let shown = format!("probe {number}: {}\n    {text}", probe.shown());
                self.disagreements.insert(number, shown);
            }
        }
    }

    fn summary(&self, nginx: &Nginx) -> String {
        format!(
            "nginx {} and the load rules agree on {} directives: {} probes accepted, {} refused; \
             {} were for the machine to judge",
            nginx.version,
            self.directives.len(),
            self.accepted,
            self.refused,
            self.machine
        )
    }
}

enum Outcome {
    Accepted,
    Refused,
    Machine,
    Disagreement(String),
}

fn judge(nginx: &Nginx, folder: &Folder, probe: &Probe) -> Outcome {
    let text = probe.text();
    let mut verdict = nginx.refusal(folder.0.path(), &text, &probe.modules, Reading::Text);
    let findings = load_errors(folder.0.path(), &text, Some(nginx.version));
    let unsure = load_errors(folder.0.path(), &text, None);
    if matches!(verdict, Refusal::None) && !(findings.is_empty() && unsure.is_empty()) {
        verdict = nginx.refusal(folder.0.path(), &text, &probe.modules, Reading::Whole);
    }
    let said = |findings: &[(u32, Diagnostic)]| {
        let lines: Vec<String> = findings
            .iter()
            .map(|(line, found)| format!("{line}: [{}] {}", found.rule, found.message))
            .collect();
        lines.join("; ")
    };
    match verdict {
        Refusal::Machine => Outcome::Machine,
        Refusal::None => {
            for found in [&findings, &unsure] {
                let is_early = |(_, found): &(u32, Diagnostic)| !LATER.contains(&found.rule);
                if found.iter().any(is_early) {
                    return Outcome::Disagreement(format!("nginx accepts it; we: {}", said(found)));
                }
            }
            Outcome::Accepted
        }
        Refusal::Line(message, line) => {
            let known = KNOWN_DISAGREEMENTS
                .iter()
                .any(|(name, part, _)| *name == probe.name && message.contains(part))
                || message.contains(HASH_SIZES);
            // nginx misses the zone of a cache at the end of the block that it looks at.
            let line = line.filter(|_| !message.contains("\" is unknown"));
            let agreed = match line {
                // What nginx notices at the end of the block is further down.
                Some(line) if line > probe.last_line() => !findings.is_empty(),
                Some(line) => findings.iter().any(|(ours, _)| *ours == line),
                None => !findings.is_empty(),
            };
            if agreed || known || probe.is_foreign {
                Outcome::Refused
            } else {
                let ours = match findings.is_empty() {
                    true => "nothing".to_owned(),
                    false => said(&findings),
                };
                Outcome::Disagreement(format!("nginx: {message}; we: {ours}"))
            }
        }
    }
}

/// The findings of category `load` that say that nginx does not start, each with the line of its place.
fn load_errors(
    folder: &Path,
    text: &str,
    version: Option<nginx::Version>,
) -> Vec<(u32, Diagnostic)> {
    let mut options = LoadOptions {
        version,
        ..LoadOptions::default()
    };
    let path = options
        .files
        .replace(&folder.join("nginx.conf"), text.into());
    let config = load(&Root::File(path), &options).expect("a text can be read");
    let rules: Vec<_> = RULES
        .iter()
        .filter(|(_, rule)| rule.category == Category::Load)
        .map(|(name, rule)| (*name, *rule))
        .collect();
    lint_with(&config, &Scope::All, &rules)
        .into_iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| {
            let file = config.sources().file(found.span.file);
            (file.position(found.span.start).line, found)
        })
        .collect()
}

/// A folder for one worker, with the files that probes name.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("empty"), "").expect("a writable folder");
        Self(folder)
    }
}

/// The forms that the binary and the dynamic modules beside it define, each with its directive and its module's file.
fn forms_of(nginx: &Nginx) -> Vec<(&'static str, &'static Form)> {
    nginx::directives()
        .iter()
        .flat_map(|directive| directive.forms.iter().map(|form| (directive.name, form)))
        .filter(|(_, form)| nginx.defines(form.module) && form.exists_in(nginx.version))
        .filter(|(_, form)| form.provider() != Provider::Plus)
        .filter(|(name, form)| !is_left_out(name, form))
        .collect()
}

/// Directives that act on the machine as soon as nginx reads them.
fn is_left_out(name: &str, form: &Form) -> bool {
    let acts = matches!(
        name,
        "load_module" | "include" | "daemon" | "pid" | "lock_file" | "perl"
    );
    let unseen = !form
        .contexts
        .names()
        .any(|context| WRAPPERS.iter().any(|row| row.0 == context));
    acts || unseen
}

/// How each context is reached: its name in the tables, what comes before and after, and how many lines come before.
const WRAPPERS: &[(&str, &str, &str)] = &[
    ("main", "", ""),
    ("events", "events {", "}"),
    ("http", "http {", "}"),
    ("server", "http { server {", "} }"),
    ("location", "http { server { location /p/ {", "} } }"),
    ("server_if", "http { server { if ($host = a) {", "} } }"),
    (
        "location_if",
        "http { server { location /p/ { if ($host = a) {",
        "} } } }",
    ),
    (
        "limit_except",
        "http { server { location /p/ { limit_except GET {",
        "} } } }",
    ),
    ("upstream", "http { upstream u { server 127.0.0.1:9;", "} }"),
    ("map", "http { map $host $mapped {", "} }"),
    ("geo", "http { geo $mapped {", "} }"),
    (
        "split_clients",
        "http { split_clients $host $mapped {",
        "} }",
    ),
    ("types", "http { types {", "} }"),
    ("charset_map", "http { charset_map a b {", "} }"),
    ("stream", "stream {", "}"),
    (
        "stream_server",
        "stream { server { listen 127.0.0.1:9; @HANDLER@",
        "} }",
    ),
    (
        "stream_upstream",
        "stream { upstream u { server 127.0.0.1:9;",
        "} }",
    ),
    ("mail", "mail { auth_http 127.0.0.1:9;", "}"),
    (
        "mail_server",
        "mail { auth_http 127.0.0.1:9; server { @LISTEN@ @PROTOCOL@",
        "} }",
    ),
];

/// What other directives refer to.
const DEFINITIONS: &str = "http { limit_req_zone $host zone=req:1m rate=1r/s; \
     limit_conn_zone $host zone=conn:1m; log_format fmt a; \
     upstream group { server 127.0.0.1:9; } map $host $defined { a b; } }";

/// One directive at one place.
struct Probe {
    name: &'static str,
    context: &'static str,
    /// The directive itself, on the lines after the wrapper.
    lines: Vec<String>,
    modules: Vec<&'static str>,
    has_definitions: bool,
    is_foreign: bool,
}

impl Probe {
    fn make(forms: &[(&'static str, &'static Form)], seed: u64, folder: &Folder) -> Self {
        let mut random = Random::new(seed);
        // Of other people's modules it is only asked that what nginx takes is not called wrong.
        let (name, form) = loop {
            let (name, form) = *random.pick(forms);
            if form.provider() == Provider::Nginx || random.chance(20) {
                break (name, form);
            }
        };
        let contexts: Vec<&str> = form
            .contexts
            .names()
            .filter(|context| WRAPPERS.iter().any(|row| row.0 == *context))
            .collect();
        let context = if random.chance(80) {
            *random.pick(&contexts)
        } else {
            random.pick(WRAPPERS).0
        };
        let mut directive = directive(&mut random, name, form, folder);
        if random.chance(2) {
            directive = directive.replace(name, &misspelled(&mut random, name));
        }
        let mut lines = vec![directive.clone()];
        if random.chance(10) {
            lines.push(directive);
        }
        Self {
            name,
            context,
            lines,
            // Of all modules that define the name, since the place may be right for another one.
            modules: [module_around(context)]
                .into_iter()
                .chain(
                    forms
                        .iter()
                        .filter(|row| row.0 == name)
                        .map(|row| row.1.module),
                )
                .collect(),
            has_definitions: random.chance(40),
            is_foreign: form.provider() != Provider::Nginx,
        }
    }

    fn text(&self) -> String {
        let (_, before, after) = WRAPPERS
            .iter()
            .find(|row| row.0 == self.context)
            .expect("a context of the table");
        let needs =
            |names: &[&str], text: &'static str| if names.contains(&self.name) { "" } else { text };
        let mut before = before
            .replace(
                "@HANDLER@",
                needs(&["proxy_pass", "return", "pass", "js_preread"], "return a;"),
            )
            .replace("@LISTEN@", needs(&["listen"], "listen 127.0.0.1:9;"))
            .replace("@PROTOCOL@", needs(&["protocol"], "protocol smtp;"));
        if self.has_definitions {
            let inside = DEFINITIONS
                .trim_start_matches("http {")
                .trim_end_matches('}');
            before = before.replacen("http {", &format!("http {{ {inside}"), 1);
        }
        let events = if self.context == "events" {
            ""
        } else {
            "events {}"
        };
        format!("{events} {before}\n{}\n{after}\n", self.lines.join("\n"))
    }

    /// The line on which the directive ends.
    fn last_line(&self) -> u32 {
        1 + self.lines.len() as u32
    }

    fn shown(&self) -> String {
        format!("{}: {}", self.context, self.lines.join(" / "))
    }
}

/// The module that a context belongs to, where that may be a dynamic one.
fn module_around(context: &str) -> &'static str {
    match context.split('_').next() {
        Some("stream") => "ngx_stream_module",
        Some("mail") => "ngx_mail_module",
        _ => "ngx_http_module",
    }
}

fn misspelled(random: &mut Random, name: &str) -> String {
    let at = random.below(name.len());
    let mut letters: Vec<char> = name.chars().collect();
    letters[at] = 'q';
    letters.into_iter().collect()
}

/// A directive with its arguments, and its block if it has one.
fn directive(random: &mut Random, name: &str, form: &Form, folder: &Folder) -> String {
    let counts: Vec<usize> = (0..=8).filter(|count| form.takes(*count)).collect();
    let mut count = *random.pick(&counts);
    if random.chance(5) {
        count = random.below(10);
    }
    let mut text = name.to_owned();
    for position in 0..count {
        let value = argument(random, name, form, position);
        let value = value.replace("FOLDER", &folder.0.path().to_string_lossy());
        text.push(' ');
        text.push_str(&quoted(&value));
    }
    if form.block != random.chance(2) {
        text + " { " + &body(random, form) + " }"
    } else {
        text + ";"
    }
}

/// A few lines for a block whose lines are entries.
fn body(random: &mut Random, form: &Form) -> String {
    let lines = (0..random.below(4)).map(|_| {
        let line = random.pick(entries(form.inside));
        if line.is_empty() {
            String::new()
        } else {
            format!("{line};")
        }
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn entries(inside: Contexts) -> &'static [&'static str] {
    match inside {
        Contexts::MAP => &[
            "default a",
            "default $uri",
            "a b",
            "A c",
            "~^/x/(?<y>.*) $y",
            "~* z",
            "~( z",
            "hostnames",
            "volatile",
            "*.a.b c",
            ".a.b c",
            "a.* c",
            "*.* c",
            "a b c",
            "a",
            "'' x",
            "\\default x",
            "~a(b a",
            "a $none",
        ],
        Contexts::GEO => &[
            "default a",
            "127.0.0.1 b",
            "127.0.0.0/8 c",
            "10.0.0.1/8 c",
            "::1 d",
            "2001:db8::/32 e",
            "ranges",
            "127.0.0.0-127.0.0.9 f",
            "proxy 10.0.0.0/8",
            "proxy_recursive",
            "delete 127.0.0.1",
            "300.1.1.1 a",
            "127.0.0.1/33 a",
            "a b c",
            "x y",
            "127.0.0.9-127.0.0.1 a",
            "default b",
            "volatile",
        ],
        Contexts::SPLIT_CLIENTS => &[
            "10% a", "0.5% b", "50% c", "99.99% d", "* e", "100% f", "0.001% g", "x% h", "10 i",
            "-1% j", "60% k", "10%",
        ],
        Contexts::TYPES => &[
            "text/html html htm",
            "text/css css",
            "a/b",
            "text/html html",
            "a b c d",
        ],
        Contexts::CHARSET_MAP => &[
            "80 E2",
            "80 E282AC",
            "G0 80",
            "800 80",
            "80",
            "80 81 82",
            "7f 00",
        ],
        Contexts::UPSTREAM | Contexts::STREAM_UPSTREAM => &[
            "server 127.0.0.1:9",
            "server 127.0.0.1:10 backup",
            "server group",
        ],
        _ => &[""],
    }
}

/// A value for an argument: mostly one of those that the setter could take, now and then any other.
fn argument(random: &mut Random, name: &str, form: &Form, position: usize) -> String {
    let fitting = fitting(name, form, position);
    if !fitting.is_empty() && random.chance(75) {
        return (*random.pick(&fitting)).to_owned();
    }
    (*random.pick(ANYTHING)).to_owned()
}

const ANYTHING: &[&str] = &[
    "on",
    "off",
    "ON",
    "yes",
    "0",
    "1",
    "2",
    "10",
    "-1",
    "+1",
    "1.5",
    "010",
    "4096",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "10k",
    "10K",
    "1m",
    "1M",
    "1g",
    "1G",
    "10kb",
    "1 m",
    "k",
    "5s",
    "5ms",
    "5x",
    "1h30m",
    "30m1h",
    "1h 30m",
    "1d",
    "1w",
    "1y",
    "1M1d",
    "1s1s",
    "",
    " ",
    "a",
    "abc",
    "all",
    "any",
    "none",
    "default",
    "auto",
    "$host",
    "$uri",
    "$none",
    "${host}",
    "${host",
    "$",
    "a$",
    "$1",
    "$0",
    "a$host",
    "$arg_x",
    "/",
    "/a",
    "/a/b",
    "a/b",
    "a.b",
    "FOLDER/empty",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:x",
    "300.1.1.1",
    "::1",
    "[::1]",
    "[::1]:80",
    "[::1",
    "10.0.0.0/8",
    "10.0.0.0/33",
    "*:80",
    ":80",
    "unix:FOLDER/s",
    "unix:",
    "http://127.0.0.1",
    "http://127.0.0.1/",
    "http://127.0.0.1:80/a",
    "https://127.0.0.1",
    "http://",
    "http:/a",
    "http://$host",
    "ftp://a",
    "group",
    "http://group",
    "http://group:80",
    "~",
    "~*",
    "~^/a",
    "~(",
    "~[a",
    "^~",
    "=",
    "=/a",
    "==",
    "@a",
    "=404",
    "=999",
    "404",
    "301",
    "499",
    "600",
    "99",
    "zone=req",
    "zone=conn",
    "zone=x:1m",
    "zone=x",
    "zone=x:1",
    "zone=",
    "rate=1r/s",
    "fmt",
    "GET",
    "POST",
    "always",
    "text/html",
    "*",
    "*.a.b",
    "a.*",
    ".a.b",
    "max",
    "epoch",
    "modified",
    "error",
    "warn",
    "debug",
    "info",
    "user",
    "1:2",
];

/// Values that the setter may take, or nearly.
fn fitting(name: &str, form: &Form, position: usize) -> Vec<&'static str> {
    let list: &[&str] = match form.kind {
        Kind::Flag => &["on", "off", "On", "OFF", "true", "of"],
        Kind::Size => &["1k", "4k", "16k", "1m", "8192", "0", "1g", "10kb", "-1"],
        Kind::Offset => &["1k", "1m", "1g", "0", "8192", "1t", "-1"],
        Kind::Number | Kind::NumberOrAuto => &["0", "1", "5", "100", "1024", "auto", "-1", "1k"],
        Kind::SignedNumber => &["0", "5", "-5", "20", "+5", "--5"],
        Kind::Between(..) => &[
            "0", "1", "5", "9", "10", "255", "256", "399", "400", "599", "600",
        ],
        Kind::Milliseconds => &[
            "1s", "60s", "5", "500ms", "1m", "1h30m", "1d", "1w", "0", "1y", "1M", "5sec", "-1",
        ],
        Kind::Seconds => &[
            "1s", "5", "1m", "1h30m", "1d", "1w", "1M", "1y", "0", "500ms", "5sec", "-1",
        ],
        Kind::Enum(words) | Kind::Bitmask(words) => return words_of(words),
        Kind::Buffers if position == 0 => &["4", "1", "0", "-1", "8"],
        Kind::Buffers => &["4k", "8k", "0", "1m", "1g"],
        Kind::Access => &[
            "user:rw", "group:r", "all:rw", "user:x", "other:r", "user", "group:w", "all:r",
        ],
        Kind::AccessRule => &[
            "all",
            "10.0.0.0/8",
            "127.0.0.1",
            "::1",
            "2001:db8::/32",
            "unix:",
            "10.0.0.1/8",
            "ALL",
        ],
        Kind::AddressOrCidr => &[
            "10.0.0.0/8",
            "127.0.0.1",
            "::1",
            "2001:db8::/32",
            "unix:",
            "10.0.0.1/8",
            "10.0.0.0/40",
        ],
        Kind::Address | Kind::Url => &[
            "127.0.0.1:9",
            "127.0.0.1",
            "group",
            "unix:FOLDER/s",
            "[::1]:9",
            "http://127.0.0.1",
            "http://127.0.0.1:9/a",
            "http://group",
            "https://127.0.0.1",
            "http://unix:FOLDER/s:/a",
            "http://$host",
            "$host:9",
            "grpc://127.0.0.1:9",
            "grpcs://127.0.0.1:9",
            "uwsgi://127.0.0.1:9",
            "suwsgi://127.0.0.1:9",
            "scgi://127.0.0.1:9",
            "http://127.0.0.1:x",
            "127.0.0.1:0",
            "http://group:9",
        ],
        Kind::BindAddress if position == 0 => &[
            "127.0.0.1",
            "127.0.0.1:9",
            "off",
            "$remote_addr",
            "::1",
            "[::1]:9",
            "a",
        ],
        Kind::BindAddress => &["transparent", "off"],
        Kind::Listen if position == 0 => &[
            "80",
            "127.0.0.1:8080",
            "*:80",
            "[::]:80",
            "[::1]:8080",
            "unix:FOLDER/s",
            "8000-8005",
            "0",
            "65536",
            "127.0.0.1",
            "80-70",
            "127.0.0.1:",
            "*",
            "[::]:x",
            "8080",
        ],
        Kind::Listen => &[
            "default_server",
            "ssl",
            "http2",
            "bind",
            "backlog=5",
            "backlog=0",
            "backlog=x",
            "rcvbuf=8k",
            "sndbuf=8k",
            "rcvbuf=x",
            "reuseport",
            "deferred",
            "ipv6only=on",
            "ipv6only=off",
            "ipv6only=x",
            "so_keepalive=on",
            "so_keepalive=30m::10",
            "so_keepalive=x",
            "so_keepalive=::",
            "fastopen=5",
            "setfib=1",
            "proxy_protocol",
            "udp",
            "quic",
            "spdy",
            "default",
            "accept_filter=x",
            "multipath",
            "fastopen=-1",
        ],
        Kind::Resolver => &[
            "127.0.0.1",
            "127.0.0.1:53",
            "[::1]",
            "valid=5s",
            "valid=x",
            "ipv6=off",
            "ipv6=x",
            "ipv4=off",
            "status_zone=a",
        ],
        Kind::UpstreamServer if position == 0 => &[
            "127.0.0.1:9",
            "127.0.0.1",
            "unix:FOLDER/s",
            "[::1]:9",
            "127.0.0.1:x",
            "127.0.0.1:0",
        ],
        Kind::UpstreamServer => &[
            "weight=2",
            "weight=0",
            "weight=x",
            "max_fails=0",
            "max_fails=x",
            "fail_timeout=5s",
            "fail_timeout=x",
            "max_conns=5",
            "backup",
            "down",
            "resolve",
            "slow_start=5s",
            "route=a",
            "backUp",
            "drain",
        ],
        Kind::LimitReq => &[
            "zone=req",
            "burst=5",
            "nodelay",
            "delay=3",
            "burst=0",
            "burst=x",
            "delay=x",
            "zone=nozone",
            "zone=conn",
        ],
        Kind::LimitConn if position == 0 => &["conn", "req", "nozone", "zone=conn"],
        Kind::LimitConn => &["5", "0", "1", "65535", "65536", "x"],
        Kind::ZoneKey if position == 0 => &["$binary_remote_addr", "$host", "a", "$none"],
        Kind::ZoneKey => &[
            "zone=z:1m",
            "zone=z:10k",
            "zone=z:1",
            "zone=z:32k",
            "rate=5r/s",
            "rate=5r/m",
            "rate=0r/s",
            "rate=5",
            "zone=:1m",
            "zone=z",
            "sync",
        ],
        Kind::SharedZone if position == 0 => &["z", "zone"],
        Kind::SharedZone => &["64k", "1m", "1k", "x", "0"],
        Kind::CachePath if position == 0 => &["FOLDER/c", "c"],
        Kind::CachePath => &[
            "levels=1:2",
            "levels=1",
            "levels=3",
            "levels=1:2:2",
            "levels=1:2:2:2",
            "levels=0",
            "keys_zone=c:1m",
            "keys_zone=c:1",
            "keys_zone=c",
            "inactive=5m",
            "inactive=x",
            "max_size=1g",
            "max_size=x",
            "use_temp_path=off",
            "use_temp_path=x",
            "loader_files=5",
            "loader_sleep=5ms",
            "manager_files=5",
            "manager_threshold=5ms",
            "loader_threshold=x",
            "min_free=1g",
            "purger=on",
        ],
        Kind::CacheValid => &["5m", "200", "301", "any", "404", "99", "600", "x", "1y"],
        Kind::CacheZone => &["off", "nozone", "$host", "req"],
        Kind::PathLevels if position == 0 => &["FOLDER/t", "t"],
        Kind::PathLevels => &["1", "2", "3", "4", "0", "x"],
        Kind::ErrorPage => &[
            "404", "500", "502", "299", "300", "600", "499", "/a.html", "=", "=200", "=x", "=404",
            "$uri", "@a", "494",
        ],
        Kind::Return if position == 0 => &[
            "200",
            "301",
            "404",
            "444",
            "999",
            "1000",
            "x",
            "http://a",
            "/a",
            "$scheme://a",
            "-1",
            "0",
        ],
        Kind::Return => &["/a", "text", "$uri", "http://$host", "$none"],
        Kind::Rewrite if position == 0 => &["^/a", "^", "(", "^/(.*)$", "^/(?<n>.*)"],
        Kind::Rewrite if position == 1 => &[
            "/b",
            "/b?",
            "http://a",
            "$1",
            "$n",
            "/$1",
            "$none",
            "$scheme://a",
            "",
        ],
        Kind::Rewrite => &["last", "break", "redirect", "permanent", "lasst", "Last"],
        Kind::Expires => &[
            "off", "epoch", "max", "1h", "-1", "-1h", "modified", "@15h30m", "+5m", "x", "$host",
            "@25h", "24h", "@24h",
        ],
        Kind::KeepaliveTimeout => &["75s", "0", "5", "x", "60s"],
        Kind::Keepalive => &["1", "16", "0", "x", "local"],
        Kind::Methods => &["GET", "HEAD", "POST", "get", "FOO", "PATCH", "CONNECT"],
        Kind::MimeTypes => &["text/html", "text/css", "*", "a"],
        Kind::ServerNames => &[
            "a.example",
            "*.a.example",
            "a.*",
            "~^a",
            "~(",
            "_",
            "\"\"",
            ".a.example",
            "*.*",
            "a.*.b",
            "$hostname",
            "**.a",
            "a/b",
        ],
        Kind::SetVariable if position == 0 => {
            &["$a", "$host", "a", "$", "$args", "$http_x", "$arg_x", "$1"]
        }
        Kind::SetVariable => &["b", "$host", "$none", "${uri}x"],
        Kind::TryFiles => &[
            "$uri",
            "$uri/",
            "=404",
            "@a",
            "/index.html",
            "=x",
            "=1000",
            "=200",
        ],
        Kind::Location if position == 0 => &[
            "/", "/a", "=", "~", "~*", "^~", "@a", "=/a", "~^/a", "^~/a", "~(", "!", "/p/a", "/p/",
        ],
        Kind::Location => &["/a", "^/a", "(", "@a", "/p/b", "/p/"],
        Kind::LogFormat if position == 0 => &["f", "fmt", "combined"],
        Kind::LogFormat => &[
            "a",
            "$host",
            "$none",
            "escape=json",
            "escape=x",
            "escape=none",
            "$upstream_addr",
            "$bytes_sent",
        ],
        Kind::AccessLog if position == 0 => &[
            "off",
            "FOLDER/a",
            "syslog:server=127.0.0.1",
            "syslog:server=127.0.0.1,tag=a",
            "syslog:server=127.0.0.1,facility=x",
            "/$host",
            "syslog:x",
        ],
        Kind::AccessLog => &[
            "fmt",
            "combined",
            "nofmt",
            "buffer=8k",
            "buffer=x",
            "flush=5s",
            "flush=x",
            "gzip",
            "gzip=9",
            "gzip=10",
            "if=$host",
            "if=",
        ],
        Kind::ErrorLog if position == 0 => &[
            "FOLDER/e",
            "stderr",
            "syslog:server=127.0.0.1",
            "memory:1m",
            "off",
        ],
        Kind::ErrorLog => &[
            "error",
            "warn",
            "debug",
            "info",
            "notice",
            "crit",
            "alert",
            "emerg",
            "debug_http",
            "errors",
            "debug_x",
        ],
        Kind::SslSessionCache => &[
            "off",
            "none",
            "builtin",
            "builtin:100",
            "shared:S:1m",
            "shared:S",
            "shared:S:1",
            "builtin:x",
            "shared::1m",
            "x",
        ],
        Kind::OpenFileCache => &[
            "off",
            "max=100",
            "inactive=5s",
            "max=0",
            "max=x",
            "inactive=x",
            "valid=5s",
            "min_uses=2",
        ],
        Kind::CertificateCache | Kind::SslOcspCache => &[
            "off",
            "max=5",
            "inactive=5s",
            "valid=5s",
            "max=x",
            "shared:S:1m",
        ],
        Kind::Header if position == 2 => &["always", "alway"],
        Kind::Redirect => &["default", "off", "http://a/", "/a", "~^a", "$host", "~("],
        Kind::CookieRewrite | Kind::CookieFlags => &[
            "off",
            "/",
            "/a",
            "~^a",
            "$host",
            "secure",
            "httponly",
            "nosecure",
            "samesite=lax",
            "~(",
            "x",
        ],
        Kind::DisableSymlinks => &[
            "off",
            "on",
            "if_not_owner",
            "from=/a",
            "from=",
            "x",
            "from=$host",
        ],
        Kind::Aio => &[
            "on",
            "off",
            "threads",
            "threads=default",
            "threads=x",
            "sendfile",
            "threads=",
        ],
        Kind::OffsetOrOff => &["off", "4m", "1g", "x"],
        Kind::CpuAffinity => &["auto", "0001", "01", "x", "10", "0101"],
        Kind::ThreadPool => &[
            "pool",
            "threads=5",
            "max_queue=5",
            "threads=0",
            "threads=x",
            "max_queue=x",
            "default",
        ],
        Kind::EventMethod => &["epoll", "poll", "select", "kqueue", "x"],
        Kind::UserGroup => &["root", "www-data"],
        Kind::Charset => &["off", "utf-8", "$host", "koi8-r"],
        Kind::RealipHeader => &["X-Forwarded-For", "proxy_protocol", "X-Real-IP", ""],
        Kind::Referers => &[
            "none",
            "blocked",
            "server_names",
            "*.a.example",
            "a.example",
            "~\\.a\\.",
            "~(",
            "a.example/b",
        ],
        Kind::RegexList | Kind::Browser => &[
            "msie6",
            "a",
            "(",
            "unlisted",
            "gecko",
            "1.0",
            "ancient_browser",
            "modern_browser",
            "opera",
        ],
        Kind::Random => &["two", "least_conn", "one"],
        Kind::HashKey => &["$host", "$uri", "consistent", "x", "a"],
        Kind::Predicate => &["$host", "$arg_x", "a", "$none", "0"],
        Kind::Store => &["on", "off", "$host", "/a"],
        Kind::UriOrOff => &["off", "/a", "$uri", "a"],
        Kind::Degradation => &["sbrk=1m", "sbrk=x", "x"],
        Kind::ImageFilter => &[
            "off", "test", "size", "resize", "crop", "rotate", "100", "90", "45", "-", "$arg_x",
            "x",
        ],
        Kind::MailProtocol => &["imap", "pop3", "smtp", "http"],
        Kind::Env => &["TZ", "A=b"],
        Kind::Regex => &["^(.+\\.php)(.*)$", "(", "a", "(a)"],
        Kind::PerlHandler => &["sub { }"],
        Kind::IndexFiles => &["index.html", "/index.html", "$host", "", "index.php"],
        Kind::GeoipFile | Kind::File | Kind::XsltStylesheet => &["FOLDER/empty", "FOLDER/missing"],
        Kind::Block if name == "if" => return conditions(position),
        Kind::Block if matches!(name, "map" | "split_clients") && position == 0 => {
            &["$host", "a$uri", "a", "$none"]
        }
        Kind::Block if matches!(name, "map" | "split_clients" | "geo") => {
            &["$v", "v", "$host", "$"]
        }
        Kind::Block if name == "upstream" => &["a", "group", "u"],
        _ => &[],
    };
    list.to_vec()
}

fn conditions(position: usize) -> Vec<&'static str> {
    match position {
        0 => vec![
            "($host)", "($host", "(-f", "(!-e", "(host", "(", "($none)", "(-z", "host", "($)",
        ],
        1 => vec![
            "=", "!=", "~", "~*", "!~", "!~*", "==", "$uri)", "a)", "/a)", "<",
        ],
        _ => vec![
            "a)", "(a)", "()", "$uri)", "a", ")", "(a))", "$none)", "[a)",
        ],
    }
}

fn words_of(words: &'static str) -> Vec<&'static str> {
    words
        .split(' ')
        .map(|word| word.split(">=").next().unwrap_or(word))
        .collect()
}

/// The value as a word that nginx reads back as it is.
fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && !value.contains([' ', '{', ';', '"', '\'', '\\', '#', '}']);
    if plain {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        // Neighbours would else give the same numbers, shifted by one.
        let mut spread = Self(seed);
        Self(spread.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}
