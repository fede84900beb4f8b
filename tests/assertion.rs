//! Statements about all requests below a path, held against many of them: small random servers, every short path in
//! several spellings, with and without a query, on random disks. What is said to hold must hold for each.
//!
//! Set `NGINSPECT_STATEMENTS` for a number of configurations other than the default, `NGINSPECT_STATEMENTS_FIRST` for the
//! first.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nginspect::assertion::{Decision, Judge, Route, Wanted, read};
use nginspect::config::{Config, LoadOptions, Location, Root, load};
use nginspect::routing::{About, Disk, Options, Outcome, Request, Trace, Tracer, Uri, escape};

/// How many configurations are made unless `NGINSPECT_STATEMENTS` says otherwise.
const CONFIGURATIONS: u64 = 40;

/// A stream of random numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) as usize % limit
    }

    fn one<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

const NAMES: [&str; 8] = ["/", "/a", "/a/", "/b", "/b/", "/a/b", "/a/b/", "/ab"];
const REGEXES: [&str; 6] = ["a$", "^/a", "^/(.*)b$", "\\.b$", "/$", "^/b/(?<rest>.*)"];

const HANDLERS: [&str; 22] = [
    "proxy_pass http://u;",
    "proxy_pass http://u/;",
    "proxy_pass http://u/v/;",
    "proxy_pass http://u$request_uri;",
    "proxy_pass http://u$uri;",
    "proxy_pass http://u/x$is_args$args;",
    "proxy_pass http://$host;",
    "proxy_pass http://$m;",
    "return 404;",
    "return 204;",
    "return 301 /x;",
    "return 301 https://h$request_uri;",
    "return 302 https://h$uri;",
    "return 200 $k;",
    "alias /s/;",
    "root /r;",
    "fastcgi_pass 127.0.0.1:9000; fastcgi_param P $fastcgi_script_name; fastcgi_param Q x;",
    "empty_gif;",
    "try_files $uri $uri/ /index.html;",
    "try_files $uri =404;",
    "try_files $uri @n;",
    "try_files $uri /f?q=$uri;",
];

const STEPS: [&str; 18] = [
    "rewrite ^ /f break;",
    "rewrite ^/a(.*)$ /b$1 last;",
    "rewrite ^/b/(.*)$ /a/$1 break;",
    "rewrite ^/zz/ /x permanent;",
    "rewrite a$ http://h/$1;",
    "if ($args) { return 403; }",
    "if ($arg_a = 1) { return 418; }",
    "if ($http_x) { return 409; }",
    "if ($m) { set $v 1; }",
    "if ($uri ~ b) { return 410; }",
    "if (-f $request_filename) { return 411; }",
    "if (-e /r/on) { return 503; }",
    "set $v $uri;",
    "set $args c=d;",
    "set $k $k$v;",
    "error_page 404 /b/;",
    "error_page 404 = @n;",
    "break;",
];

const SETTINGS: [&str; 8] = [
    "proxy_set_header X $uri; proxy_set_header Y $k;",
    "proxy_set_header X $v; proxy_set_header Y $arg_a;",
    "proxy_set_header X $m; proxy_set_header Y $rest;",
    "proxy_set_header X $1; proxy_set_header Y y;",
    "index i.html;",
    "index a /b;",
    "autoindex on;",
    "proxy_read_timeout 5s;",
];

/// A configuration that nginx may not even take, as long as it can be followed.
fn written(chance: &mut Chance) -> String {
    let mut text = String::from(
        "events { } http { map $uri $m { default ''; ~a$ one; /b two; } map $http_x $k { default no; 1 yes; }\n\
         upstream u { server 127.0.0.1:1; } server { listen 80; server_name h; root /r;\n",
    );
    if chance.once_in(5) {
        writeln!(text, "{}", chance.one(&STEPS)).expect("a string takes everything");
    }
    for _ in 0..1 + chance.below(4) {
        location(chance, &mut text, true);
    }
    text.push_str("location @n { proxy_pass http://u; }\n} }\n");
    text
}

fn location(chance: &mut Chance, text: &mut String, may_nest: bool) {
    let name = match chance.below(6) {
        0 => format!("= {}", chance.one(&NAMES)),
        1 => format!("^~ {}", chance.one(&NAMES)),
        2 => format!("~ \"{}\"", chance.one(&REGEXES)),
        _ => chance.one(&NAMES).to_owned(),
    };
    writeln!(text, "location {name} {{").expect("a string takes everything");
    if chance.once_in(3) {
        writeln!(text, "{}", chance.one(&STEPS)).expect("a string takes everything");
    }
    if chance.once_in(3) {
        writeln!(text, "{}", chance.one(&SETTINGS)).expect("a string takes everything");
    }
    if may_nest && chance.once_in(6) {
        location(chance, text, false);
    }
    writeln!(text, "{} }}", chance.one(&HANDLERS)).expect("a string takes everything");
}

fn config(text: &str) -> Config {
    let path = PathBuf::from("/nowhere/nginx.conf");
    let mut options = LoadOptions::default();
    let text = text.as_bytes().to_vec();
    options.files.buffers.insert(path.clone(), text);
    load(&Root::File(path), &options).expect("a configuration")
}

/// True where two names are equal, which nginx refuses.
fn has_twins(config: &Config) -> bool {
    config.location_levels().iter().any(|level| {
        let names = level.iter().filter(|location| !location.is_regex());
        let mut names: Vec<_> = names
            .map(|location| (location.is_prefix(), location.path.to_vec()))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        names.len() < all
    })
}

/// True where a prefix does not lie inside the one around it, which nginx refuses.
fn has_strays(config: &Config) -> bool {
    config.locations().any(|location| {
        let outer = location.parent().filter(|outer| !outer.is_regex());
        let is_outside = |outer: Location<'_>| !location.path.starts_with(&outer.path);
        !location.is_regex() && outer.is_some_and(is_outside)
    })
}

/// Every normalised path up to a length.
fn paths() -> Vec<Vec<u8>> {
    let mut all = vec![b"/".to_vec()];
    let mut last = all.clone();
    for _ in 1..4 {
        last = last
            .iter()
            .flat_map(|path| {
                b"/ab."
                    .iter()
                    .map(move |byte| [path, &[*byte][..]].concat())
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    for longer in [
        "/a/b/",
        "/a/b/a",
        "/a/b/b/",
        "/a/b/.b",
        "/a/b/a/b",
        "/index.html",
        "/a\nb",
    ] {
        all.push(longer.into());
    }
    all.retain(|path| Uri::parse(&escape(path), true).is_some_and(|uri| uri.path == *path));
    all
}

/// What becomes of a request on a disk that says of each path whatever chance says.
fn on_some_disk<'c>(
    tracer: &Tracer<'c>,
    request: &Request,
    chance: &mut Chance,
) -> (Trace<'c>, Disk) {
    let mut disk = Disk::default();
    for round in 0.. {
        assert!(round < 100, "{disk:?} does not settle {request:?}");
        let trace = tracer.trace_on(request, &disk).expect("a server");
        let open = trace
            .assumptions
            .iter()
            .find_map(|assumption| match &assumption.about {
                About::File(path, _) if disk.get(path).is_none() => Some(path.clone()),
                _ => None,
            });
        let Some(path) = open else {
            return (trace, disk);
        };
        let end = path.iter().rposition(|byte| *byte != b'/');
        let end = end.map_or(path.len(), |at| at + 1);
        // What stands before a `..` comes first.
        let leads_up = |at: &usize| {
            let rest = &path[*at..];
            let is_up = rest == b"/.." || rest.starts_with(b"/../");
            *at > 0 && is_up && disk.get(&path[..*at]).is_none()
        };
        let end = (0..end).find(leads_up).unwrap_or(end);
        match chance.below(3) {
            0 => disk.add(&path[..end]),
            1 => disk.add(&[&path[..end], b"/"].concat()),
            _ => disk.remove(&path[..end]),
        }
    }
    unreachable!()
}

fn request(target: &[u8]) -> Request {
    let mut request = Request::get("http://h/").expect("a URL");
    request.target = target.to_vec();
    request
}

fn sent(trace: &Trace<'_>, name: &str) -> Option<String> {
    let (Outcome::Proxy(nginspect::routing::Proxy { headers: pairs, .. })
    | Outcome::Pass(nginspect::routing::Pass { params: pairs, .. })) = &trace.outcome
    else {
        return None;
    };
    let values: Vec<&str> = pairs
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .collect();
    Some(values.join(", "))
}

fn url(trace: &Trace<'_>) -> Option<String> {
    match &trace.outcome {
        Outcome::Proxy(proxy) => {
            Some(proxy.upstream.clone() + &String::from_utf8_lossy(&proxy.uri))
        }
        Outcome::Pass(pass) => Some(format!("{}://{}", pass.protocol, pass.upstream)),
        _ => None,
    }
}

fn redirect(trace: &Trace<'_>) -> Option<String> {
    match &trace.outcome {
        Outcome::Return { location, .. } => location.clone(),
        _ => None,
    }
}

/// Statements that hold for one answer, as lines of TOML.
fn statements(trace: &Trace<'_>, below: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut say = |key: &str, text: Option<String>| {
        let value = text.as_deref().map_or_else(|| "false".to_owned(), quoted);
        lines.push(format!("expect.{key} = {value}"));
    };
    let location = trace.location.as_ref();
    say("location", location.map(ToString::to_string));
    let path = String::from_utf8_lossy(&trace.request.target).into_owned();
    let rest = &path[below.len()..];
    for (key, text) in [("url", url(trace)), ("redirect", redirect(trace))] {
        if let Some(start) = text.as_ref().and_then(|text| text.strip_suffix(rest)) {
            say(key, Some(format!("{start}*")));
        }
        say(key, text);
    }
    for name in ["X", "Y"] {
        if matches!(trace.outcome, Outcome::Proxy(_)) {
            say(&format!("header.{name}"), sent(trace, name));
        }
    }
    for name in ["P", "Q"] {
        if matches!(trace.outcome, Outcome::Pass(_)) {
            say(&format!("param.{name}"), sent(trace, name));
        }
    }
    if let Outcome::Proxy(proxy) = &trace.outcome {
        say("read-timeout", Some(format!("{}ms", proxy.read_timeout)));
    }
    match trace.outcome.status() {
        Some(status) => lines.push(format!("expect.status = {status}")),
        None => say("status", None),
    }
    lines
}

/// The part before the path of a URL, and the path as nginx normalises it; of a template with what `*` stands for.
fn normal(url: &str, rest: Option<&[u8]>) -> (String, Vec<u8>) {
    let (url, rest) = match (url.strip_suffix('*'), rest) {
        (Some(start), Some(rest)) => (start, rest),
        _ => (url, &b""[..]),
    };
    let host = url.find("://").map_or(0, |at| at + 3);
    let slash = url[host..].find('/').map_or(url.len(), |at| host + at);
    let target = [&url.as_bytes()[slash..], &escape(rest)].concat();
    let path = Uri::parse(&target, true).map(|uri| uri.path);
    let end = target.iter().position(|byte| *byte == b'?');
    let path = path.unwrap_or_else(|| target[..end.unwrap_or(target.len())].to_vec());
    (url[..slash].to_owned(), path)
}

/// True when an answer is as a statement says, by a look at the answer itself.
fn is_so(wanted: &Wanted, trace: &Trace<'_>, below: &[u8], path: &[u8]) -> bool {
    let text = |wanted: &Option<String>, actual: Option<String>| match (wanted, actual) {
        (None, None) => true,
        (Some(wanted), Some(actual)) if wanted.ends_with('*') => {
            let query = |url: &str| url.split_once('?').map(|(_, query)| query.to_owned());
            let target = String::from_utf8_lossy(&trace.request.target).into_owned();
            normal(wanted, Some(&path[below.len()..])) == normal(&actual, None)
                && query(&actual) == query(&target)
        }
        (Some(wanted), Some(actual)) => *wanted == actual,
        _ => false,
    };
    match wanted {
        Wanted::Location(wanted) => *wanted == trace.location.as_ref().map(ToString::to_string),
        Wanted::Url(wanted) => text(wanted, url(trace)),
        Wanted::Redirect(wanted) => text(wanted, redirect(trace)),
        Wanted::Header(name, wanted) | Wanted::Param(name, wanted) => {
            sent(trace, name).unwrap_or_default() == wanted.clone().unwrap_or_default()
        }
        Wanted::ReadTimeout(bound) => match &trace.outcome {
            Outcome::Proxy(proxy) => bound.holds(proxy.read_timeout),
            Outcome::Pass(pass) => bound.holds(pass.read_timeout),
            _ => false,
        },
        Wanted::Status(wanted) => match &trace.outcome {
            Outcome::Handler { status: None, .. } => *wanted == Some(200),
            outcome => outcome.status() == *wanted,
        },
        Wanted::WebSocket(_) | Wanted::File(_) => true,
    }
}

/// The path as clients may write it.
fn spellings(path: &[u8]) -> Vec<Vec<u8>> {
    let plain = escape(path);
    let first = format!("%{:02X}", path.last().expect("a path"));
    let encoded = [&escape(&path[..path.len() - 1]), first.as_bytes()].concat();
    let mut all = vec![plain.clone(), [b"/", &plain[..]].concat()];
    if path.len() > 1 && !path.ends_with(b"/") {
        all.push(encoded);
    }
    all.push([b"/zz/..", &plain[..]].concat());
    all.retain(|target| Uri::parse(target, true).is_some_and(|uri| uri.path == path));
    all
}

fn number(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn what_is_said_to_hold_for_all_requests_holds_for_each() {
    let first = number("NGINSPECT_STATEMENTS_FIRST", 0);
    let all = paths();
    let (mut held, mut failed, mut undecided) = (0, 0, 0);
    for seed in first..first + number("NGINSPECT_STATEMENTS", CONFIGURATIONS) {
        let mut chance = Chance(seed);
        let text = written(&mut chance);
        let config = config(&text);
        if has_twins(&config) || has_strays(&config) {
            continue;
        }
        let judge = Judge::new(&config, Options::default());
        let tracer = judge.tracer();
        for below in ["/", "/a", "/a/", "/b/", "/a/b/"] {
            let meant: Vec<&Vec<u8>> = all
                .iter()
                .filter(|path| path.starts_with(below.as_bytes()))
                .collect();
            let path = meant[chance.below(meant.len())];
            let (trace, _) = on_some_disk(tracer, &request(&escape(path)), &mut chance);
            let mut file = String::new();
            for line in statements(&trace, below) {
                write!(file, "[[route]]\nunder = \"http://h{below}\"\n{line}\n")
                    .expect("a string takes everything");
            }
            let suite = read(Path::new("routes.toml"), file.clone().into_bytes())
                .unwrap_or_else(|broken| panic!("{file}\n{:?}", broken.diagnostics));
            let mut holding: Vec<&Route> = Vec::new();
            for route in &suite.routes {
                let judged = judge.judge(route);
                match judged.result() {
                    Decision::Held => holding.push(route),
                    Decision::Failed => failed += 1,
                    Decision::Undecided => undecided += 1,
                }
            }
            held += holding.len();
            if holding.is_empty() {
                continue;
            }
            for path in meant {
                for spelling in spellings(path) {
                    for query in ["", "?a=1"] {
                        let target = [&spelling, query.as_bytes()].concat();
                        let request = request(&target);
                        let (trace, disk) = on_some_disk(tracer, &request, &mut chance);
                        for route in &holding {
                            let wanted = &route.expectations[0].wanted;
                            assert!(
                                is_so(wanted, &trace, below.as_bytes(), path),
                                "number {seed}: {} = {wanted} below {below}, but {}\n{:?}\n{disk:?}\n{text}",
                                wanted.key(),
                                String::from_utf8_lossy(&target),
                                trace.outcome,
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(
        held > 0 && failed > 0,
        "{held} held, {failed} failed, {undecided} undecided"
    );
}
