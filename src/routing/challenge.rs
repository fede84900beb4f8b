//! Whether a certificate authority gets its answer: the challenge of HTTP-01, followed as the authority follows it.

use pcre2::bytes::RegexBuilder;

use super::choice::{Choice, choose};
use super::request::Request;
use super::socket::port;
use super::trace::{Options, Outcome, Tracer};
use crate::config::{Config, Directive, Location, Modifier, Server};
use crate::diagnostic::Edit;

/// What is asked for at port 80, with a token in the place of the random one (RFC 8555, section 8.3).
pub const CHALLENGE: &str = "/.well-known/acme-challenge/token";

/// How many redirects are followed.
const REDIRECTS: usize = 4;

/// Names that no public authority looks up.
const PRIVATE: [&str; 7] = [
    "local",
    "lan",
    "internal",
    "intranet",
    "localhost",
    "home",
    "corp",
];

/// A regex that refuses the challenge.
#[derive(Debug, Clone)]
pub struct Blocked<'c> {
    /// The regex.
    pub location: Location<'c>,
    /// The host that the challenge is for; nothing when the server has no name and answers for every one.
    pub host: Option<String>,
    /// The URLs that are asked for: the first at port 80, or where what stands in front of nginx passes it on to, and each
    /// other one because the one before redirects to it.
    pub urls: Vec<String>,
    /// The status; nothing when the connection is closed.
    pub status: Option<u16>,
    /// The plain prefix of the same level that names the path and loses to the regex.
    pub loser: Option<Location<'c>>,
}

/// The regexes that refuse a challenge with 403, 404 or a closed connection, for each server whose name an authority may
/// ask for.
///
/// Without a location that names the path, only a host that has TLS is taken to want certificates. A configuration
/// with `acme_issuer` answers by itself.
pub fn blocked_challenges(config: &Config) -> Vec<Blocked<'_>> {
    let mut blocked = Vec::new();
    let mut tracer = None;
    for location in config.location_levels().into_iter().flatten() {
        let Some(server) = location.server().filter(|_| is_candidate(&location)) else {
            continue;
        };
        let loser = loser(&location);
        let is_named = contains(&location.path, b"well-known");
        let host = server.example_host();
        let is_wanted = host
            .as_ref()
            .is_some_and(|host| is_public(host) && !is_named);
        if loser.is_none() && !is_wanted || host.is_none() && !server.is_default() {
            continue;
        }
        let tracer = tracer.get_or_insert_with(|| Tracer::new(config, Options::default()));
        let name = host.as_deref().unwrap_or("localhost");
        let entrance = loser.as_ref().and_then(|_| behind(tracer, server));
        let Some((urls, status)) = followed(tracer, name, entrance.unwrap_or(80), &location) else {
            continue;
        };
        if loser.is_some() || has_tls(tracer, name) {
            blocked.push(Blocked {
                location,
                host,
                urls,
                status,
                loser,
            });
        }
    }
    let answers_itself = config
        .directives()
        .any(|directive| directive.is("acme_issuer"));
    match answers_itself {
        true => Vec::new(),
        false => blocked,
    }
}

impl Blocked<'_> {
    /// An edit that leaves the challenge to the other locations: `^~` for the prefix that loses, else an exception in the
    /// regex, when that changes nothing else.
    pub fn cure(&self) -> Option<Edit> {
        if let Some(loser) = &self.loser {
            let first = loser.directive.argument(0)?;
            return Some(Edit::insert_before(first.span, "^~ "));
        }
        let narrowed = narrowed(&self.location)?;
        self.location.path.rewrite(&narrowed)
    }
}

/// True for a regex that takes the challenge and refuses it by its own words.
fn is_candidate(location: &Location<'_>) -> bool {
    let block = location.directive;
    let argument = |name: &str, is: &dyn Fn(&[u8]) -> bool| {
        let is_so = |directive: Directive<'_>| directive.argument(0).is_some_and(|word| is(&word));
        block.own(name).any(is_so)
    };
    let refuses = argument("deny", &|who| who == b"all")
        || argument("return", &|code| matches!(code, b"403" | b"404" | b"444"));
    refuses
        && location
            .regex()
            .is_some_and(|regex| regex.is_match(CHALLENGE.as_bytes()).unwrap_or(false))
        && location.server().is_some_and(|server| {
            choose(server, CHALLENGE.as_bytes()) == Choice::Location(location.clone())
        })
}

/// The longest plain prefix beside a regex that names the path of challenges.
fn loser<'c>(regex: &Location<'c>) -> Option<Location<'c>> {
    let level = regex.level();
    let named = (b"/.well-known".len()..=CHALLENGE.len()).rev();
    named
        .flat_map(|length| level.named(&CHALLENGE.as_bytes()[..length]))
        .find(Location::is_prefix)
        .filter(|prefix| prefix.modifier == Modifier::Prefix && prefix.own_return().is_none())
}

/// True for a name that a public authority can look up.
fn is_public(host: &str) -> bool {
    let last = host.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| {
        last.bytes().any(|byte| byte.is_ascii_alphabetic()) && !PRIVATE.contains(&last)
    })
}

/// The port without TLS to which a server in front may pass what arrives at port 80, where nginx itself does not listen.
fn behind(tracer: &Tracer<'_>, server: Server<'_>) -> Option<u16> {
    let is_usual = |socket| port(socket) == Some(80);
    let mut entrances = tracer.entrances.all.iter();
    if entrances.any(|entrance| is_usual(&entrance.socket)) {
        return None;
    }
    let listening = server.listening().into_iter();
    let mut plain =
        listening.filter(|(_, listen)| !listen.as_ref().is_some_and(|listen| listen.ssl));
    plain.find_map(|(socket, _)| port(&socket))
}

/// The URLs that are asked for until the regex refuses, and the status.
fn followed(
    tracer: &Tracer<'_>,
    host: &str,
    entrance: u16,
    regex: &Location<'_>,
) -> Option<(Vec<String>, Option<u16>)> {
    let at = match entrance {
        80 => String::new(),
        port => format!(":{port}"),
    };
    let mut urls = vec![format!("http://{host}{at}{CHALLENGE}")];
    while urls.len() <= REDIRECTS + 1 {
        let request = Request::get(urls.last()?).ok()?;
        let trace = tracer.trace(&request).ok()?;
        // An authority asks at the usual ports only.
        let is_asked = matches!(request.port, 80 | 443) || request.port == entrance;
        if !is_asked || !listens(trace.server?, request.port) {
            return None;
        }
        let place = Some(regex.directive.span());
        let is_taken = trace.steps.iter().any(|step| step.span == place);
        match trace.outcome {
            Outcome::Close if is_taken => return Some((urls, None)),
            Outcome::Return {
                location: Some(to), ..
            } if to.ends_with(CHALLENGE) => urls.push(to),
            outcome => {
                let status = outcome.status().filter(|_| is_taken)?;
                return matches!(status, 403 | 404).then_some((urls, Some(status)));
            }
        }
    }
    None
}

/// True when a server has a socket with this port.
fn listens(server: Server<'_>, wanted: u16) -> bool {
    let sockets = server.sockets();
    sockets.iter().any(|socket| port(socket) == Some(wanted))
}

/// True when a server of this name speaks TLS.
fn has_tls(tracer: &Tracer<'_>, host: &str) -> bool {
    let request = Request::get(&format!("https://{host}/"));
    let trace = request.ok().and_then(|request| tracer.trace(&request).ok());
    trace.is_some_and(|trace| {
        let is_tls = |listen: Directive<'_>| listen.listen().is_some_and(|listen| listen.ssl);
        let server = trace.server.filter(|server| server.listens().any(is_tls));
        server.is_some_and(|server| {
            let is_own = |name: &[u8]| name.eq_ignore_ascii_case(host.as_bytes());
            !trace.is_default || server.names().any(|name| is_own(&name))
        })
    })
}

/// The regex with an exception for `/.well-known/`; nothing when that does not spare the challenge, or changes more.
fn narrowed(location: &Location<'_>) -> Option<String> {
    let old = location.regex()?;
    let text = std::str::from_utf8(&location.path).ok()?;
    let narrowed = text.replace(r"\.", r"\.(?!well-known/)");
    let caseless = location.modifier == Modifier::CaselessRegex;
    let new = RegexBuilder::new()
        .caseless(caseless)
        .build(&narrowed)
        .ok()?;
    let hidden = [
        "/.git/config",
        "/.env",
        "/.htaccess",
        "/x/.git/config",
        "/x/.env",
        "/.well-known-x",
    ];
    let spared = !new.is_match(CHALLENGE.as_bytes()).ok()?;
    let is_alike = |path: &&str| {
        let path = path.as_bytes();
        old.is_match(path).ok() == new.is_match(path).ok()
    };
    (spared && hidden.iter().all(is_alike)).then_some(narrowed)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
