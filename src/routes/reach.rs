//! Whether any request reaches a location, as far as the configuration proves it.

use std::collections::HashMap;

use crate::config::{Config, Directive, Location, Modifier, Server, Visibility};
use crate::routing::{Entrance, Example, Tracer, escape, example, port, request};
use crate::urispace::{Reached, Spaces};

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
    spaces: Spaces<'c>,
    /// The sockets by their ports.
    entrances: HashMap<u16, Vec<&'t Entrance<'c>>>,
    tracer: &'t Tracer<'c>,
    /// Whether a host and port lead to a server.
    led: HashMap<(u32, String), bool>,
}

impl<'t, 'c> Reaches<'t, 'c> {
    pub(super) fn new(tracer: &'t Tracer<'c>) -> Self {
        let mut entrances: HashMap<u16, Vec<&Entrance<'c>>> = HashMap::new();
        for entrance in &tracer.entrances.all {
            if let Some(port) = port(&entrance.socket) {
                entrances.entry(port).or_default().push(entrance);
            }
        }
        Self {
            config: tracer.config,
            spaces: Spaces::default(),
            entrances,
            tracer,
            led: HashMap::new(),
        }
    }

    /// Judges a location.
    pub(super) fn of(&mut self, location: &Location<'c>) -> Reach {
        let place =
            |other: Directive<'_>| self.config.place(other.span(), location.directive.span());
        let reached = self.spaces.reached(location);
        if let Reached::Nothing(takers) = &reached {
            return Reach::No(match &takers[..] {
                [] => "no path of a request matches it".to_owned(),
                _ => self.taken(location, takers),
            });
        }
        let Some(server) = location.server() else {
            return Reach::Unknown("the server around it was not read".to_owned());
        };
        if let Some(answer) = server.answers_first().filter(|_| !has_named(server)) {
            return Reach::No(format!(
                "the `return` of the server on {} answers first",
                place(answer)
            ));
        }
        let unknown = |reason: &str| Reach::Unknown(reason.to_owned());
        let path = match reached {
            Reached::Unknown(why) => return Reach::Unknown(why),
            Reached::Path(path) | Reached::Control(path, _) => path,
            Reached::Nothing(_) => Vec::new(),
        };
        if location.visibility() == Visibility::Partial {
            return unknown("not all that belongs around it was read");
        }
        if server.directive.own("return").next().is_some() {
            return unknown("the server may answer by its `return` first");
        }
        let found = request(location, &escape(&path)).or_else(|| example(location, &TAILS));
        let Some(found) = found else {
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

    /// Which locations take everything that another one is for.
    fn taken(&self, location: &Location<'c>, takers: &[Location<'c>]) -> String {
        let named = |taker: &Location<'c>| {
            let from = location.directive.span();
            let place = self.config.place(taker.directive.span(), from);
            format!("`{taker}` on {place}")
        };
        let all: Vec<String> = takers.iter().map(named).collect();
        match takers {
            [taker]
                if taker.path.value == location.path.value
                    && taker.modifier == location.modifier =>
            {
                format!("{} is the same and stands first", all[0])
            }
            [taker] if taker.modifier == Modifier::PreferentialPrefix && location.is_regex() => {
                format!("{} keeps regexes from being tried", all[0])
            }
            [taker] if taker.is_regex() => format!("{} matches first", all[0]),
            _ => format!("all that it is for goes to {}", listed(&all)),
        }
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

/// `a`, `b` and `c`, a few of them.
fn listed(all: &[String]) -> String {
    const NAMED: usize = 3;
    match all {
        [all @ .., last] if !all.is_empty() && all.len() < NAMED => {
            format!("{} and {last}", all.join(", "))
        }
        [first] => first.clone(),
        all => {
            let named = all.iter().take(NAMED).cloned().collect::<Vec<_>>();
            format!("{} and {} more", named.join(", "), all.len() - named.len())
        }
    }
}

/// True for a server with a named location, to which redirects inside of nginx may lead past all else.
fn has_named(server: Server<'_>) -> bool {
    let mut locations = server.directive.locations().iter();
    locations.any(|location| location.modifier == Modifier::Named)
}
