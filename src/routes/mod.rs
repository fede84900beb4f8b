//! Every server with its locations, in the order in which nginx decides between them.

mod reach;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

pub use reach::Reach;

use crate::config::{
    Config, Directive, Location, Modifier, Proxied, Scope, Server, UpgradeProblem, Visibility,
};
use crate::nginx::listen::{Listen, Socket};
use crate::routing::{
    Handler, Options, READ_TIMEOUT, Tracer, Upstream, resolved, restrictions, validate_host,
};
use reach::Reaches;

/// What a configuration does with requests, server by server.
#[derive(Debug)]
pub struct Routes<'c> {
    /// The configuration.
    pub config: &'c Config,
    /// The servers in file order, and last the locations of a fragment that holds no server.
    pub sites: Vec<Site<'c>>,
    /// What of the configuration was left out.
    pub skipped: Vec<String>,
    tracer: Tracer<'c>,
}

/// A server with its locations.
#[derive(Debug)]
pub struct Site<'c> {
    /// The server; nothing for the locations of a fragment that holds none.
    pub server: Option<Server<'c>>,
    /// Its names, as written.
    pub names: Vec<String>,
    /// Where it listens.
    pub listens: Vec<Listening>,
    /// What is done with a request before its location is looked for.
    pub before: Vec<Before<'c>>,
    /// The locations, each before those inside it.
    pub routes: Vec<Route<'c>>,
    /// What answers when no location does; nothing when one always does.
    pub otherwise: Option<Handler<'c>>,
    /// Where it answers for the host that was asked for.
    pub answers: Vec<Answering>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// The address as written.
    pub written: String,
    /// True where TLS is spoken.
    pub tls: bool,
    /// True where HTTP/3 is.
    pub quic: bool,
    /// True where the server certainly answers for every host that no other has.
    pub is_default: bool,
}

/// A socket at which a server answers for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    /// The socket.
    pub socket: String,
    /// True when no name fits and the server answers as the default one.
    pub is_default: bool,
}

/// What may happen to a request before a handler gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Before<'c> {
    /// The directive.
    pub directive: Directive<'c>,
    /// What decides inside its block.
    pub answer: Option<Directive<'c>>,
}

/// What becomes of a WebSocket handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarding {
    /// It is passed on whole.
    Forwarded,
    /// It is passed on in part, and fails for this reason.
    Incomplete(String),
    /// It arrives as a plain request.
    Absent,
    /// What decides it was not read.
    Unknown,
}

impl Forwarding {
    /// As it stands in machine-readable output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Incomplete(_) => "incomplete",
            Self::Absent => "not-forwarded",
            Self::Unknown => "unknown",
        }
    }
}

/// A location, and what is in effect there.
#[derive(Debug)]
pub struct Route<'c> {
    /// The location.
    pub location: Location<'c>,
    /// The index of the location that it is nested in.
    pub parent: Option<usize>,
    /// How many locations it is nested in.
    pub depth: usize,
    /// What may happen to a request before the handler gets it.
    pub before: Vec<Before<'c>>,
    /// What answers.
    pub handler: Handler<'c>,
    /// Where requests are passed on to.
    pub upstream: Option<Upstream<'c>>,
    /// What becomes of a WebSocket handshake, where HTTP is passed on.
    pub websocket: Option<Forwarding>,
    /// How long the upstream may be silent, in milliseconds, and where that is set.
    pub read_timeout: Option<(u64, Option<Directive<'c>>)>,
    /// Who may come in.
    pub access: Vec<String>,
    /// True when only redirects inside of nginx come here.
    pub is_internal: bool,
    /// Whether any request comes here.
    pub reach: Reach,
}

impl<'c> Routes<'c> {
    /// Reads them all from a configuration.
    pub fn new(config: &'c Config) -> Self {
        let tracer = Tracer::new(config, Options::default());
        let groups: HashMap<Vec<u8>, Directive<'c>> = config
            .directives()
            .filter(|block| block.is("upstream") && block.is_block())
            .filter_map(|block| Some((block.argument(0)?.to_ascii_lowercase(), block)))
            .collect();
        let mut defaults = HashSet::new();
        for entrance in &tracer.entrances.all {
            defaults.insert((entrance.default.directive.number(), entrance.socket.clone()));
        }
        let mut builder = Builder {
            groups,
            reaches: Reaches::new(&tracer),
        };
        let mut sites: Vec<Site<'c>> = config
            .servers()
            .map(|server| {
                let mut site = builder.site(server.directive.locations().iter().collect());
                let is_all = |route: &Route<'_>| {
                    route.depth == 0
                        && route.location.is_prefix()
                        && matches!(&*route.location.path, b"/" | b"")
                };
                site.server = Some(server);
                site.names = server
                    .names()
                    .map(|name| name.text().into_owned())
                    .collect();
                site.listens = listens(server, &defaults);
                site.before = before(server.directive);
                let answers_all = site.routes.iter().any(is_all);
                site.otherwise = (!answers_all).then(|| Handler::of(server.directive));
                site
            })
            .collect();
        let is_loose =
            |location: &Location<'_>| location.server().is_none() && location.parent().is_none();
        let loose: Vec<_> = config.locations().filter(is_loose).collect();
        if !loose.is_empty() {
            sites.push(builder.site(loose));
        }
        let mut skipped: Vec<String> = tracer.skipped.iter().map(ToString::to_string).collect();
        match config.visibility_above() {
            Visibility::Lone => skipped.push(
                "the http level was not found, and is taken to set nothing and to hold no other server"
                    .to_owned(),
            ),
            Visibility::Partial if config.fragment().is_some() => skipped
                .push("the blocks around this were not found, and what they set is not known".to_owned()),
            Visibility::Partial | Visibility::Whole => {}
        }
        Self {
            config,
            sites,
            skipped,
            tracer,
        }
    }

    /// Keeps the servers that stand in what was asked for, in whole or in part.
    pub fn keep_scope(&mut self, scope: &Scope) {
        let config = self.config;
        let asked = |directive: Directive<'_>| scope.holds(config, directive.span().file);
        self.sites.retain(|site| match site.server {
            Some(server) => asked(server.directive) || server.directive.descendants().any(asked),
            None => site
                .routes
                .iter()
                .any(|route| asked(route.location.directive)),
        });
    }

    /// Keeps the servers that answer for a host, one for each socket; nothing when no client can ask for it.
    pub fn keep_host(&mut self, host: &str) -> Option<()> {
        let host = match host {
            "" => Vec::new(),
            host => validate_host(host.as_bytes())?,
        };
        let mut answers: HashMap<u32, Vec<Answering>> = HashMap::new();
        let regexes = &self.tracer.regexes;
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            regexes.get(pattern, caseless)?.is_match(host).ok()
        };
        for entrance in &self.tracer.entrances.all {
            let fit = entrance.server(&host, &mut test).map(|(server, _)| server);
            let server = fit.unwrap_or(entrance.default);
            let named = || server.names().any(|name| name.eq_ignore_ascii_case(&host));
            answers
                .entry(server.directive.number())
                .or_default()
                .push(Answering {
                    socket: entrance.shown(),
                    is_default: fit.is_none() && !named(),
                });
        }
        self.sites.retain_mut(|site| {
            let found = site
                .server
                .and_then(|server| answers.remove(&server.directive.number()));
            site.answers = found.unwrap_or_default();
            !site.answers.is_empty()
        });
        Some(())
    }
}

/// What all sites are built with.
struct Builder<'t, 'c> {
    groups: HashMap<Vec<u8>, Directive<'c>>,
    reaches: Reaches<'t, 'c>,
}

impl<'c> Builder<'_, 'c> {
    /// The locations of a level and all inside them.
    fn site(&mut self, level: Vec<Location<'c>>) -> Site<'c> {
        let mut routes: Vec<Route<'c>> = Vec::new();
        let mut waiting: Vec<(Location<'c>, Option<usize>)> = Vec::new();
        waiting.extend(decided(level).into_iter().rev().map(|first| (first, None)));
        while let Some((location, parent)) = waiting.pop() {
            let inner = location.directive.locations().iter().collect();
            let index = routes.len();
            waiting.extend(
                decided(inner)
                    .into_iter()
                    .rev()
                    .map(|inner| (inner, Some(index))),
            );
            let route = self.route(location, parent, &routes);
            routes.push(route);
        }
        Site {
            server: None,
            names: Vec::new(),
            listens: Vec::new(),
            before: Vec::new(),
            routes,
            otherwise: None,
            answers: Vec::new(),
        }
    }

    fn route(
        &mut self,
        location: Location<'c>,
        parent: Option<usize>,
        others: &[Route<'c>],
    ) -> Route<'c> {
        let outer = parent.and_then(|parent| others.get(parent));
        let block = location.directive;
        let handler = Handler::of(block);
        let upstream = handler.upstream(|name| self.groups.get(name).copied());
        let place = match &handler {
            Handler::Pass(pass) => Some(Proxied {
                scope: block,
                location: location.clone(),
                pass: *pass,
            }),
            _ => None,
        };
        let websocket = place
            .as_ref()
            .filter(|place| place.pass.is("proxy_pass"))
            .map(forwarding);
        let read_timeout = place.as_ref().map(|place| {
            let set = place.time(&format!("{}_read_timeout", place.family()));
            set.map_or((READ_TIMEOUT, None), |(directive, time)| {
                (time, Some(directive))
            })
        });
        // A `return` answers before anybody is asked who he is.
        let access = match &handler {
            Handler::Return(_) => Vec::new(),
            _ => restrictions(block),
        };
        let reach = self.reaches.of(&location);
        Route {
            parent,
            depth: outer.map_or(0, |outer| outer.depth + 1),
            before: before(block),
            handler,
            upstream,
            websocket,
            read_timeout,
            access,
            is_internal: location.is_internal(),
            reach,
            location,
        }
    }
}

/// The locations of a level in the order in which nginx decides: exact names, prefixes from the longest on, regexes as
/// they stand; named ones apart.
fn decided(mut level: Vec<Location<'_>>) -> Vec<Location<'_>> {
    level.sort_by_key(|location| match location.modifier {
        Modifier::Exact => (0, Reverse(0)),
        Modifier::Prefix | Modifier::PreferentialPrefix => (1, Reverse(location.path.len())),
        Modifier::Regex | Modifier::CaselessRegex => (2, Reverse(0)),
        Modifier::Named => (3, Reverse(0)),
    });
    level
}

/// What may happen in a block before its handler, or the locations of a server, get a request.
fn before<'c>(block: Directive<'c>) -> Vec<Before<'c>> {
    let end = block.own("return").next();
    let is_server = block.is("server");
    let step = |child: Directive<'c>| {
        let in_time = end.is_none_or(|end| child == end || child.precedes(end));
        let inside = |name: &str| child.own(name).next();
        let answer = inside("return").or_else(|| child.handler());
        let answer = answer.or_else(|| inside("rewrite"));
        let (comes, answer) = if child.is("limit_except") {
            (true, answer.or_else(|| child.own("deny").next_back()))
        } else if child.is("if") {
            (in_time && answer.is_some(), answer)
        } else if child.is("rewrite") {
            (in_time, None)
        } else {
            let returns = is_server && child.is("return") && in_time;
            let tries = !is_server && child.is("try_files") && end.is_none();
            (returns || tries, None)
        };
        comes.then_some(Before {
            directive: child,
            answer,
        })
    };
    block.children().filter_map(step).collect()
}

/// Where a server listens; without any `listen`, at nginx's own default (`ngx_http_core_server`).
fn listens(server: Server<'_>, defaults: &HashSet<(u32, Socket)>) -> Vec<Listening> {
    let number = server.directive.number();
    // Other servers of a fragment are not seen.
    let is_whole = server.directive.visibility() == Visibility::Whole;
    let answers_all = |socket: Socket| is_whole && defaults.contains(&(number, resolved(socket)));
    let mut all: Vec<Listening> = server
        .listens()
        .filter_map(|directive| {
            let read = directive.listen();
            let said = |flag: fn(&Listen) -> bool| read.as_ref().is_some_and(flag);
            let answers_all = read
                .as_ref()
                .is_some_and(|listen| listen.sockets().any(answers_all));
            Some(Listening {
                written: directive.argument(0)?.text().into_owned(),
                tls: said(|listen| listen.ssl),
                quic: said(|listen| listen.quic),
                is_default: said(|listen| listen.is_default) || answers_all,
            })
        })
        .collect();
    if all.is_empty() {
        all.push(Listening {
            written: "80".to_owned(),
            tls: false,
            quic: false,
            is_default: answers_all(Socket::http_default()),
        });
    }
    all
}

/// What becomes of a handshake at a place that passes HTTP on.
fn forwarding(place: &Proxied<'_>) -> Forwarding {
    let upgrade = place.upgrade();
    if upgrade.completes() {
        return Forwarding::Forwarded;
    }
    if upgrade.visibility == Visibility::Partial {
        return Forwarding::Unknown;
    }
    let said = |directive: Directive<'_>, index: usize| {
        let word = directive.argument(index);
        word.map(|word| word.text().into_owned())
            .unwrap_or_default()
    };
    Forwarding::Incomplete(match &upgrade.problem {
        None => return Forwarding::Absent,
        Some(UpgradeProblem::NoUpgrade { .. }) => "no Upgrade".to_owned(),
        Some(UpgradeProblem::NoConnection) => "no Connection".to_owned(),
        Some(UpgradeProblem::WrongConnection { connection }) => {
            format!("Connection is `{}`", said(*connection, 1))
        }
        Some(UpgradeProblem::Protocol { directive }) => {
            let version = match directive {
                Some(directive) => said(*directive, 0),
                None => place
                    .scope
                    .config()
                    .version()
                    .default_proxy_http_version()
                    .to_owned(),
            };
            format!("HTTP/{version} to the upstream")
        }
    })
}
