//! Whether any request reaches a location, as far as the configuration proves it.

use std::collections::HashMap;

use super::cover::{Reason, Winner, winners};
use super::example::{Example, example, request};
use super::sample::samples;
use super::socket::{Entrance, port};
use super::trace::Tracer;
use super::uri::escape;
use crate::config::{Config, Directive, Location, Mismatch, Modifier, Server, Visibility};

/// Whether any request reaches a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// This one does.
    Yes(Example),
    /// None does, for this reason.
    No(String),
    /// Nothing is proved, for this reason.
    Unknown(String),
}

impl Reach {
    /// As it stands in machine-readable output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Yes(_) => "yes",
            Self::No(_) => "no",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The URL of a request that reaches the location.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Yes(example) => example.url("http"),
            Self::No(_) | Self::Unknown(_) => None,
        }
    }

    /// Why no request is known to reach the location.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Yes(_) => None,
            Self::No(reason) | Self::Unknown(reason) => Some(reason),
        }
    }
}

/// What may follow the name of a location in a request for it.
const TAILS: [&str; 9] = ["", "x", "/", "/x", "x/", "x.html", "-", "x/y.z", "%0Ax"];

/// What is known once for all locations of a configuration.
pub(super) struct Reaches<'t, 'c> {
    config: &'c Config,
    /// By the number of the location that gets nothing.
    winners: HashMap<u32, Winner<'c>>,
    /// The sockets by their ports.
    entrances: HashMap<u16, Vec<&'t Entrance<'c>>>,
    tracer: &'t Tracer<'c>,
    /// Whether a host and port lead to a server.
    led: HashMap<(u32, String), bool>,
}

impl<'t, 'c> Reaches<'t, 'c> {
    pub(super) fn new(tracer: &'t Tracer<'c>) -> Self {
        let mut all = HashMap::new();
        for level in tracer.config.location_levels() {
            let winners = winners(&level);
            let taken = level.iter().zip(winners);
            all.extend(
                taken.filter_map(|(location, winner)| Some((location.directive.number(), winner?))),
            );
        }
        let mut entrances: HashMap<u16, Vec<&Entrance<'c>>> = HashMap::new();
        for entrance in &tracer.entrances.all {
            if let Some(port) = port(&entrance.socket) {
                entrances.entry(port).or_default().push(entrance);
            }
        }
        Self {
            config: tracer.config,
            winners: all,
            entrances,
            tracer,
            led: HashMap::new(),
        }
    }

    /// Judges a location; `outer` is what was found of the one around it.
    pub(super) fn of(&mut self, location: &Location<'c>, outer: Option<&Reach>) -> Reach {
        if matches!(outer, Some(Reach::No(_))) {
            return Reach::No("no request reaches the location around it".to_owned());
        }
        let place =
            |other: Directive<'_>| self.config.place(other.span(), location.directive.span());
        let seen = location.visibility();
        if let Some(winner) = self.winners.get(&location.directive.number())
            && !winner.but_line_feeds
        {
            let (other, at) = (&winner.location, place(winner.location.directive));
            return Reach::No(match winner.reason {
                Reason::Order if winner.is_equal => {
                    format!("`{other}` on {at} is the same and stands first")
                }
                Reason::Order => format!("`{other}` on {at} matches first"),
                Reason::Preference => {
                    format!("`{other}` on {at} keeps regexes from being tried")
                }
            });
        }
        let Some(server) = location.server() else {
            return Reach::Unknown("the server around it was not read".to_owned());
        };
        if let Some(answer) = answers_first(server) {
            return Reach::No(format!(
                "the `return` of the server on {} answers first",
                place(answer)
            ));
        }
        if let Some(mismatch) = location.mismatch()
            && (mismatch == Mismatch::BlankBeforeAnchor
                || seen == Visibility::Whole
                    && !location.is_internal()
                    && !location.may_be_redirected_to())
        {
            return Reach::No(
                match mismatch {
                    Mismatch::NoSlash => "no path begins so: the `/` is missing",
                    Mismatch::DoubleSlash => "nginx merges `//` in a path",
                    Mismatch::DotSegment => "nginx resolves `.` and `..` in a path",
                    Mismatch::BlankBeforeAnchor => "nothing can stand before `^`",
                }
                .to_owned(),
            );
        }
        let unknown = |reason: &str| Reach::Unknown(reason.to_owned());
        if location.modifier == Modifier::Named {
            return unknown("only asked for by its name");
        }
        if location.is_internal() {
            return unknown("only for redirects inside of nginx");
        }
        if seen == Visibility::Partial {
            return unknown("not all that belongs around it was read");
        }
        if server.directive.own("return").next().is_some() {
            return unknown("the server may answer by its `return` first");
        }
        let Some(found) = any_request(location) else {
            return unknown("no request was found that certainly reaches it");
        };
        let Some((host, tls)) = found.origin() else {
            return unknown("no request was found that certainly reaches its server");
        };
        let rejects = tls && server.directive.flag("ssl_reject_handshake") == Some(true);
        if rejects || !self.leads_to(server, host, tls) {
            return unknown("no host was found that certainly leads to its server");
        }
        Reach::Yes(found)
    }

    /// True when a socket with the port of a host has this server answer for it.
    fn leads_to(&mut self, server: Server<'c>, host: &str, tls: bool) -> bool {
        let key = (server.directive.number(), host.to_owned());
        if let Some(known) = self.led.get(&key) {
            return *known;
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().unwrap_or_default()),
            None => (host, if tls { 443 } else { 80 }),
        };
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            let regex = self.tracer.regexes.get(pattern, caseless)?;
            regex.is_match(host).ok()
        };
        let entrances = self.entrances.get(&port).map_or(&[][..], Vec::as_slice);
        let leads = entrances.iter().any(|entrance| {
            let chosen = entrance.server(name.as_bytes(), &mut test);
            let chosen = chosen.map_or(entrance.default, |(server, _)| server);
            entrance.tls == tls && chosen == server
        });
        self.led.insert(key, leads);
        leads
    }
}

/// The `return` by which a server answers every request, redirects inside of nginx among them.
///
/// They run through the server's rewrites again, but those that go to a named location.
fn answers_first(server: Server<'_>) -> Option<Directive<'_>> {
    let block = server.directive;
    let answer = block.own("return").next()?;
    let named = |location: Location<'_>| location.modifier == Modifier::Named;
    // What stops the rewrites leads to a location all the same.
    let stops = |directive: Directive<'_>| {
        let flag = directive.argument(2);
        directive.is("break") || flag.is_some_and(|flag| flag == "last" || flag == "break")
    };
    let may_stop = |inside: Directive<'_>| {
        ["rewrite", "break"]
            .iter()
            .flat_map(|name| inside.own(name))
            .any(|directive| directive.precedes(answer) && stops(directive))
    };
    let is_certain = block.visibility() != Visibility::Partial
        && !block
            .own("if")
            .any(|inside| inside.is_incomplete() || may_stop(inside))
        && !may_stop(block)
        && !block.locations().iter().any(named);
    is_certain.then_some(answer)
}

/// A request that a location certainly answers.
fn any_request(location: &Location<'_>) -> Option<Example> {
    if let Some(found) = example(location, &TAILS) {
        return Some(found);
    }
    if !location.is_regex() {
        return None;
    }
    let mut starts = vec![b"".to_vec(), b"/x".to_vec(), b"/".to_vec()];
    if let Some(outer) = location.parent() {
        let begins = match outer.is_regex() {
            true => samples(&outer.path),
            false => vec![outer.path.to_vec()],
        };
        for begin in begins {
            starts.push([&begin, &b"x"[..]].concat());
            starts.push([&begin, &b"/"[..]].concat());
            starts.push(begin);
        }
    }
    let texts = samples(&location.path);
    let longer = texts.iter().map(|text| [text, &b"x"[..]].concat());
    let all: Vec<Vec<u8>> = texts.iter().cloned().chain(longer).collect();
    let mut paths = all.iter().flat_map(|text| {
        starts
            .iter()
            .map(move |start| [&start[..], text].concat())
            .filter(|path| path.starts_with(b"/"))
    });
    paths.find_map(|path| request(location, &escape(&path)))
}
