//! Which requests two configurations answer differently.
//!
//! The servers that a request meets before and after are found by sockets and hosts (`ways`). Two servers whose blocks
//! mean the same (`meaning`) answer alike; else the places that a URI can end in on both sides are paired (`pairs`),
//! and for pairs that are not alike requests are traced through both (`request`) until one shows it (`aspect`). What
//! no trace shows is listed, so that nothing is called equal that is not proved to be.

mod aspect;
mod effect;
mod meaning;
mod pairs;
mod request;
mod told;
mod ways;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config::{Config, Directive, Location, Server, Word};
use crate::nginx;
use crate::routing::{Options, Request, Trace, Tracer, Uri, choose};
use crate::source::Span;
use aspect::Seen;
use meaning::{Change, Dictionary, Reader, Settings, Site, Uses};
use pairs::{Common, Comparing, Pair, all_uris};
use request::Inputs;
use told::{Told, place};
use ways::{Met, Way};

pub use aspect::{Aspect, Kind};

/// How many URIs are tried where anything may show a change.
const SWEPT: usize = 300;

/// How many places that have a change in common are tried before it is given up.
const ATTEMPTS: usize = 12;

/// How many places are told that a location which one side has only has its requests from, or leaves them to.
const OTHERS: usize = 3;

/// Most texts that are tried for one regex.
const TEXTS: usize = 4;

/// How many requests are traced for one pair of places.
const REQUESTS: usize = 80;

/// What two configurations do differently.
#[derive(Debug, Default)]
pub struct Comparison<'c> {
    /// The differences, each with a request that shows it.
    pub differences: Vec<Difference<'c>>,
    /// What could not be proved.
    pub undecided: Vec<String>,
}

/// One difference with a request that shows it.
#[derive(Debug)]
pub struct Difference<'c> {
    /// What is different about the answers.
    pub aspects: Vec<Aspect>,
    /// The request.
    pub request: Request,
    /// The address to connect to, where the URL does not tell.
    pub at: Option<String>,
    /// What the old configuration does; nothing when nothing listens there.
    pub old: Option<Trace<'c>>,
    /// What the new configuration does.
    pub new: Option<Trace<'c>>,
    /// What in the configurations makes the difference.
    pub why: String,
    /// How many other places have the same change.
    pub more: usize,
    /// What was taken to be so.
    pub assumptions: Vec<String>,
}

/// Compares two configurations as the same nginx would read them.
pub fn compare<'c>(old: &'c Config, new: &'c Config, options: &Options) -> Comparison<'c> {
    let uses = Uses::of([old, new]);
    let mut dictionary = Dictionary::default();
    let mut read = |config| {
        let mut reader = Reader::new(config, &mut dictionary, uses);
        let globals = reader.globals();
        let sites: HashMap<u32, Site<'c>> = config
            .servers()
            .map(|server| (server.directive.number(), reader.site(server)))
            .collect();
        (globals, sites)
    };
    let (old_globals, old_sites) = read(old);
    let (new_globals, new_sites) = read(new);
    let mut work = Work {
        told: Told {
            configs: [old, new],
        },
        uses_host: uses.host,
        tracers: [old, new].map(|config| Tracer::new(config, options.clone())),
        sites: [old_sites, new_sites],
        found: Vec::new(),
        causes: HashMap::new(),
        doubts: BTreeMap::new(),
        undecided: Vec::new(),
    };
    work.unseen();
    work.globals(&old_globals, &new_globals);
    work.all();
    work.finish()
}

/// What makes a difference, in words: the place, and what is said there.
type Cause = String;

/// A change of which no request is known that shows it.
struct Doubt {
    text: String,
    more: usize,
}

/// A change at a place that no request was found for, with the places on both sides.
struct Hidden<'c> {
    cause: Cause,
    changes: Vec<Change<'c>>,
    place: String,
    spans: [Option<Span>; 2],
}

/// A request that is answered differently.
struct Traced<'c> {
    way: Way,
    request: Request,
    old: Trace<'c>,
    new: Trace<'c>,
    seen: Seen,
}

struct Work<'c> {
    told: Told<'c>,
    /// True when `$host` is looked at anywhere.
    uses_host: bool,
    tracers: [Tracer<'c>; 2],
    sites: [HashMap<u32, Site<'c>>; 2],
    found: Vec<Difference<'c>>,
    /// Where each cause is told, or how often it was tried in vain.
    causes: HashMap<Cause, Result<usize, usize>>,
    /// By the change that they are about.
    doubts: BTreeMap<(String, Option<u32>, Option<u32>), Doubt>,
    undecided: Vec<String>,
}

impl<'c> Work<'c> {
    /// Says what of the configurations was not seen.
    fn unseen(&mut self) {
        for (config, side) in self.told.configs.into_iter().zip(["old", "new"]) {
            for (include, problem) in config.include_problems() {
                self.undecided.push(format!(
                    "what {} includes in {side}: {} was not read",
                    place(config, include.span()),
                    problem.path.display()
                ));
            }
            for file in config.unreadable() {
                let (path, reason) = (file.path.display(), &file.reason);
                self.undecided.push(format!(
                    "what {path} holds in {side}: it was not read, {reason}"
                ));
            }
            for mistake in config.mistakes() {
                self.undecided.push(format!(
                    "what is meant at {} in {side}: nginx refuses it",
                    place(config, mistake.span)
                ));
            }
            let holder = config
                .directives()
                .find(|directive| directive.arguments().any(|word| word.has_placeholder()));
            if let Some(holder) = holder {
                self.undecided.push(format!(
                    "what a template puts in the place of a value at {} in {side}",
                    place(config, holder.span())
                ));
            }
        }
    }

    fn globals(&mut self, old: &Settings<'c>, new: &Settings<'c>) {
        for change in meaning::changes(old, new) {
            self.doubt(&change, "everywhere", false);
        }
    }

    fn all(&mut self) {
        let meetings = ways::meetings(&self.tracers[0], &self.tracers[1]);
        self.undecided.extend(meetings.undecided);
        for lonely in meetings.lonely {
            let trace = self.tracers[lonely.side].trace_at(&lonely.socket, &lonely.request);
            let told = ["old", "new"][lonely.side];
            let (old, new) = match lonely.side {
                0 => (trace, None),
                _ => (None, trace),
            };
            self.found.push(Difference {
                aspects: vec![Aspect {
                    kind: Kind::Listening,
                    text: None,
                }],
                request: lonely.request,
                at: lonely.at,
                old,
                new,
                why: format!(
                    "a server listens at {} only in {told}",
                    ways::shown(&lonely.socket)
                ),
                more: 0,
                assumptions: Vec::new(),
            });
        }
        for met in &meetings.met {
            self.servers(met);
        }
    }

    fn servers(&mut self, met: &Met<'c>) {
        let sites = std::mem::take(&mut self.sites);
        let find = |side: usize, number: u32| sites[side].get(&number);
        let pair = (
            find(0, met.old.directive.number()),
            find(1, met.new.directive.number()),
        );
        let defaults = (
            find(0, met.defaults[0].directive.number()),
            find(1, met.defaults[1].directive.number()),
        );
        let reads_alike = match defaults {
            (Some(old), Some(new)) => old.reading == new.reading,
            _ => true,
        };
        if let (Some(old), Some(new)) = pair
            && (old.id != new.id || !reads_alike)
        {
            self.sites_differ(old, new, met);
            if let (Some(first), Some(second)) = defaults
                && !reads_alike
                && met.old != met.defaults[0]
            {
                self.gate(first, second, old, new, met);
            }
        }
        if let (Some(old), Some(new)) = pair {
            self.nameless(old, new, met);
        }
        self.sites = sites;
    }

    /// Without a host, `$host` is the first name of the server (`ngx_http_variable_host`).
    fn nameless(&mut self, old: &Site<'c>, new: &Site<'c>, met: &Met<'c>) {
        let first = |server: Server<'c>| {
            let name = server.names().next();
            name.map(|name| name.to_ascii_lowercase())
                .unwrap_or_default()
        };
        let ways = met.ways.iter().filter(|way| way.host.is_empty());
        let Some(way) = ways.into_iter().next().filter(|_| self.uses_host) else {
            return;
        };
        if first(met.old) == first(met.new) {
            return;
        }
        let requests: Vec<(Way, Request)> = all_uris(old, new, SWEPT)
            .iter()
            .map(|uri| (way.clone(), way.request(uri)))
            .collect();
        let place = self.told.servers(met.old, met.new);
        let why = format!("{place}: its first name, which `$host` is for a request without a host");
        if !self.show(&why, requests, &why) {
            self.undecided
                .push(format!("{why}: no request was found that shows it"));
        }
    }

    fn sites_differ(&mut self, old: &Site<'c>, new: &Site<'c>, met: &Met<'c>) {
        let gate = meaning::changes(&old.gate.settings, &new.gate.settings);
        if old.gate.id != new.gate.id {
            self.gate(old, new, old, new, met);
        }
        let closed = |site: &Site<'c>| {
            site.rest.at_once
                && site
                    .server
                    .directive
                    .effective("error_page")
                    .directives
                    .is_empty()
        };
        // Nothing comes as far as a location.
        if closed(old) && closed(new) || old.tree == new.tree && old.rest.id == new.rest.id {
            return;
        }
        let inputs = Inputs::of(&gate);
        let mut comparing = Comparing::new(old, new);
        let (pairs, named) = comparing.pairs(&inputs.uris);
        let mut hidden: Vec<Hidden<'c>> = Vec::new();
        // How often each location that one side has only has been told.
        let mut alone: HashMap<(usize, u32), usize> = HashMap::new();
        for pair in pairs {
            if pair
                .lonely
                .is_some_and(|location| alone.get(&location) >= Some(&OTHERS))
            {
                continue;
            }
            let (left, right) = (pairs::block(old, &pair.old), pairs::block(new, &pair.new));
            let changes = meaning::changes(&left.settings, &right.settings);
            let blocks = [left.directive, right.directive];
            let cause = self.told.cause(&told::both(&pair), blocks, &changes);
            if self.is_known(&cause) {
                continue;
            }
            let uris = match comparing.common(&pair) {
                Common::Uris(uris) => uris,
                Common::Inside => Vec::new(),
                Common::Nothing => continue,
                Common::TooMany => {
                    self.undecided.push(format!(
                        "which other requests to {} change their place: more than {} pairs of locations would have to be looked at",
                        self.told.servers(old.server, new.server),
                        pairs::SEARCHES
                    ));
                    continue;
                }
                Common::Unknown(reason) => {
                    let key = (reason.clone(), None, None);
                    let doubt = self.doubts.entry(key).or_insert_with(|| Doubt {
                        text: format!(
                            "whether a request that {} answered is answered by {}: {reason}",
                            pairs::shown(&pair.old),
                            pairs::shown(&pair.new)
                        ),
                        more: 0,
                    });
                    doubt.more += 1;
                    continue;
                }
            };
            let why = self.told.why(&pair, &changes);
            let inputs = Inputs::of(&changes);
            let mut requests = requests(&inputs, &uris, &met.ways);
            requests.retain(|(_, request)| stays(request, &pair, [met.old, met.new]));
            let shown = self.show(&cause, requests, &why);
            if let Some(location) = pair.lonely.filter(|_| shown) {
                *alone.entry(location).or_default() += 1;
            }
            let is_internal = [left, right]
                .iter()
                .any(|block| !block.directive.effective("internal").directives.is_empty());
            if !shown && (uris.is_empty() || is_internal) {
                hidden.push(Hidden {
                    cause,
                    changes,
                    place: told::both(&pair),
                    spans: [left, right].map(|block| Some(block.directive.span())),
                });
                continue;
            }
            if !shown && changes.is_empty() {
                self.undecided.push(format!(
                    "{}: no request was found that shows a difference",
                    told::both(&pair)
                ));
            }
            self.tell_changes(&changes, &told::both(&pair), shown);
        }
        for (before, after) in named {
            let changes = match (before, after) {
                (Some(before), Some(after)) => meaning::changes(
                    &old.places[before].block.settings,
                    &new.places[after].block.settings,
                ),
                _ => Vec::new(),
            };
            let location =
                |site: &Site<'c>, at: Option<usize>| at.map(|at| site.places[at].location.clone());
            let (before, after) = (location(old, before), location(new, after));
            let place = match (&before, &after) {
                (Some(only), None) => self.told.only(0, only),
                (None, Some(only)) => self.told.only(1, only),
                (Some(both), Some(_)) => format!("location `{both}`"),
                (None, None) => continue,
            };
            let is_named = |location: &Option<Location<'c>>| {
                let name = location.as_ref().map(|location| location.path.to_vec());
                name.is_some_and(|name| names(met.old, &name) || names(met.new, &name))
            };
            if !is_named(&before) && !is_named(&after) {
                continue;
            }
            let directive = |location: Option<Location<'c>>| location.map(|found| found.directive);
            let both = [directive(before), directive(after)];
            hidden.push(Hidden {
                cause: self.told.texts(&place, &changes),
                changes,
                place,
                spans: both.map(|found| found.map(Directive::span)),
            });
        }
        if !hidden.is_empty() {
            self.sweep(hidden, all_uris(old, new, SWEPT), &met.ways);
        }
    }

    /// Looks through requests of all kinds for those that come to places which only redirects inside of nginx lead to.
    fn sweep(&mut self, hidden: Vec<Hidden<'c>>, uris: Vec<Vec<u8>>, ways: &[Way]) {
        let mut swept = Vec::new();
        for way in ways.iter().take(1) {
            for uri in &uris {
                let request = way.request(uri);
                swept.extend(self.trace(way.clone(), request));
            }
        }
        for Hidden {
            cause,
            changes,
            place,
            spans,
        } in hidden
        {
            let comes = |trace: &Trace<'c>, span: Option<Span>| {
                trace
                    .steps
                    .iter()
                    .any(|step| step.span.is_some() && step.span == span)
            };
            let found = swept.iter().find(|seen: &&Traced<'c>| {
                !seen.seen.aspects.is_empty()
                    && (comes(&seen.old, spans[0]) || comes(&seen.new, spans[1]))
            });
            let why = match changes.is_empty() {
                true => place.clone(),
                false => format!("{place}: {}", self.told.changes(&changes)),
            };
            let requests = found.map(|seen| (seen.way.clone(), seen.request.clone()));
            let shown = self.show(&cause, requests.into_iter().collect(), &why);
            if !shown && changes.is_empty() {
                self.undecided.push(format!(
                    "{place}: only redirects inside of nginx lead there, and no request was found that shows a difference"
                ));
            }
            self.tell_changes(&changes, &place, shown);
        }
    }

    /// Traces a request through both; nothing when they certainly answer alike.
    fn trace(&self, way: Way, request: Request) -> Option<Traced<'c>> {
        let old = self.tracers[0].trace_at(&way.sockets[0], &request)?;
        let new = self.tracers[1].trace_at(&way.sockets[1], &request)?;
        let seen = aspect::compare(&old, &new, self.told.configs);
        (!seen.aspects.is_empty() || !seen.doubts.is_empty()).then_some(Traced {
            way,
            request,
            old,
            new,
            seen,
        })
    }

    /// What counts before a location is chosen has changed.
    fn gate(
        &mut self,
        first: &Site<'c>,
        second: &Site<'c>,
        old: &Site<'c>,
        new: &Site<'c>,
        met: &Met<'c>,
    ) {
        let changes = meaning::changes(&first.gate.settings, &second.gate.settings);
        let inputs = Inputs::of(&changes);
        let mut ways = met.ways.clone();
        if let Some(way) = met.ways.first() {
            ways.extend(inputs.hosts.iter().map(|host| Way {
                host: host.clone(),
                ..way.clone()
            }));
        }
        let mut uris = inputs.uris.clone();
        uris.retain(|uri| pairs::is_normal(uri));
        uris.extend(all_uris(old, new, 20));
        let mut requests = requests(&inputs, &uris[..uris.len().min(4)], &ways);
        if let Some(way) = ways.first() {
            for uri in &uris {
                requests.push((way.clone(), way.request(uri)));
            }
            // What nginx may merge, and a name that it may leave out.
            let mut doubled = way.request(b"/");
            doubled.target = uris.iter().find(|uri| uri.len() > 1).map_or_else(
                || b"//".to_vec(),
                |uri| [b"/", &crate::routing::escape(uri)[..]].concat(),
            );
            requests.push((way.clone(), doubled));
            let mut odd = way.request(uris.first().map_or(b"/", Vec::as_slice));
            odd.headers.push(("X_Odd".to_owned(), b"1".to_vec()));
            requests.push((way.clone(), odd));
        }
        // What other places make of a request is told of them.
        requests.retain(|(_, request)| {
            let [before, after] = [(old, met.old), (new, met.new)].map(|(site, server)| {
                let merged = server.directive.flag("merge_slashes") != Some(false);
                let uri = Uri::parse(&request.target, merged)?;
                Some((pairs::block(site, &choose(server, &uri.path)).id, uri.path))
            });
            match (before, after) {
                (Some(before), Some(after)) => before.0 == after.0 || before.1 != after.1,
                _ => true,
            }
        });
        let place = self.told.servers(first.server, second.server);
        let why = format!("{place}: {}", self.told.changes(&changes));
        let cause = self.told.cause(
            "the server",
            [first.server.directive, second.server.directive],
            &changes,
        );
        let shown = self.show(&cause, requests, &why);
        self.tell_changes(&changes, &place, shown);
    }

    /// True when a difference has been shown already that another place has for the same reason, which is counted.
    fn is_known(&mut self, cause: &str) -> bool {
        let Some(Ok(at)) = self.causes.get(cause) else {
            return false;
        };
        self.found[*at].more += 1;
        true
    }

    /// Traces requests until the kinds of difference that they show are known; true when there are any.
    fn show(&mut self, cause: &str, requests: Vec<(Way, Request)>, why: &str) -> bool {
        if self.is_known(cause) {
            return true;
        }
        if matches!(self.causes.get(cause), Some(Err(times)) if *times >= ATTEMPTS) {
            return false;
        }
        let mut kinds: HashSet<Kind> = HashSet::new();
        let mut told: Option<usize> = None;
        for (way, request) in requests.into_iter().take(REQUESTS.max(SWEPT)) {
            let Some(traced) = self.trace(way, request) else {
                continue;
            };
            let Traced {
                way,
                request,
                old,
                new,
                seen:
                    Seen {
                        mut aspects,
                        mut assumptions,
                        doubts,
                    },
            } = traced;
            self.undecided.extend(doubts);
            // What an earlier request has shown is not shown again.
            aspects.retain(|aspect| !kinds.contains(&aspect.kind));
            if aspects.is_empty() {
                continue;
            }
            kinds.extend(aspects.iter().map(|aspect| aspect.kind));
            for assumption in old.assumptions.iter().chain(&new.assumptions) {
                if !assumptions.contains(&assumption.text) {
                    assumptions.push(assumption.text.clone());
                }
            }
            told.get_or_insert(self.found.len());
            self.found.push(Difference {
                aspects,
                request,
                at: way.at,
                old: Some(old),
                new: Some(new),
                why: why.to_owned(),
                more: 0,
                assumptions,
            });
        }
        match told {
            Some(at) => {
                self.causes.insert(cause.to_owned(), Ok(at));
            }
            None => {
                let times = self.causes.entry(cause.to_owned()).or_insert(Err(0));
                *times = Err(times.err().unwrap_or_default() + 1);
            }
        }
        told.is_some()
    }

    /// Lists the changes that no difference shows.
    fn tell_changes(&mut self, changes: &[Change<'c>], place: &str, shown: bool) {
        for change in changes {
            if !shown || !effect::is_traced(&change.name) {
                self.doubt(change, place, effect::is_traced(&change.name));
            }
        }
    }

    fn doubt(&mut self, change: &Change<'c>, place: &str, is_traced: bool) {
        let number = |directive: Option<Directive<'c>>| directive.map(Directive::number);
        let key = (change.name.clone(), number(change.old), number(change.new));
        let told = self.told.changes(std::slice::from_ref(change));
        let reason = match is_traced {
            true => "no request was found that shows it",
            false => "its effect on an answer is not modelled",
        };
        let doubt = self.doubts.entry(key).or_insert_with(|| Doubt {
            text: format!("{told}, for {place}: {reason}"),
            more: 0,
        });
        doubt.more += 1;
    }

    fn finish(mut self) -> Comparison<'c> {
        for doubt in std::mem::take(&mut self.doubts).into_values() {
            self.undecided.push(match doubt.more {
                0 | 1 => doubt.text,
                2 => format!("{}; the same at 1 more place", doubt.text),
                more => format!("{}; the same at {} more places", doubt.text, more - 1),
            });
        }
        let mut known = HashSet::new();
        self.undecided.retain(|line| known.insert(line.clone()));
        Comparison {
            differences: self.found,
            undecided: self.undecided,
        }
    }
}

/// Requests for the shortest URIs of a pair, on all ways.
fn requests(inputs: &Inputs, uris: &[Vec<u8>], ways: &[Way]) -> Vec<(Way, Request)> {
    let mut all = Vec::new();
    let Some(first) = ways.first() else {
        return all;
    };
    for uri in uris.iter().take(4) {
        all.push((first.clone(), first.request(uri)));
    }
    if let Some(uri) = uris.first() {
        let plain = first.request(uri);
        for tail in [&b"%2Fx"[..], b"/x%2Fy", b"//x"] {
            let mut request = plain.clone();
            request.target.extend(tail);
            all.push((first.clone(), request));
        }
        all.extend(
            inputs
                .requests(&plain)
                .into_iter()
                .map(|request| (first.clone(), request)),
        );
        for way in &ways[1..] {
            all.push((way.clone(), way.request(uri)));
        }
    }
    all.truncate(REQUESTS);
    all
}

/// True when a request comes to the places of a pair.
fn stays<'c>(request: &Request, pair: &Pair<'c>, servers: [Server<'c>; 2]) -> bool {
    let [old, new] = servers;
    let merged = |server: Server<'c>| server.directive.flag("merge_slashes") != Some(false);
    let chosen = |server: Server<'c>| {
        Uri::parse(&request.target, merged(server)).map(|uri| choose(server, &uri.path))
    };
    chosen(old).as_ref() == Some(&pair.old) && chosen(new).as_ref() == Some(&pair.new)
}

/// True when a server may send a request to a named location: some directive names it, or what is asked is known only
/// then, or an upstream may say so by `X-Accel-Redirect`.
fn names(server: Server<'_>, name: &[u8]) -> bool {
    let outer = server
        .http()
        .into_iter()
        .flat_map(|http| http.own("error_page"));
    let mut all = server.directive.descendants().chain(outer);
    all.any(|directive| {
        let foreign = nginx::directive(&directive.name())
            .is_none_or(|known| known.forms.iter().all(nginx::Form::is_foreign));
        let target = |word: &Word<'_>| **word == *name || word.starts_with(b"$");
        let redirects = directive.is("try_files") || directive.is("error_page");
        foreign
            || directive.name().ends_with(b"_pass")
            || redirects && directive.arguments().any(|word| target(&word))
    })
}
