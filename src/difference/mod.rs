//! Which requests two configurations answer differently.
//!
//! The servers that a request meets before and after are found by sockets and hosts ([`ways`]). Two servers whose blocks
//! mean the same ([`meaning`]) answer alike; else the places that a URI can end in on both sides are paired ([`pairs`]),
//! and for pairs that are not alike requests are traced through both ([`request`]) until one shows it ([`aspect`]). What
//! no trace shows is listed, so that nothing is called equal that is not proved to be.

mod aspect;
mod effect;
mod meaning;
mod pairs;
mod request;
mod ways;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config::{Config, Directive, Location, Server};
use crate::routing::{Choice, Options, Request, Trace, Tracer, Uri, choose};
use crate::source::Span;
use aspect::Seen;
use meaning::{Block, Change, Dictionary, Reader, Settings, Site, Uses};
use pairs::{Comparing, Pair, all_uris};
use request::Inputs;
use ways::{Met, Way};

pub use aspect::{Aspect, Kind};

/// How many URIs are tried where anything may show a change.
const SWEPT: usize = 300;

/// How many places that have a change in common are tried before it is given up.
const ATTEMPTS: usize = 12;

/// How many requests are traced for one pair of places.
const REQUESTS: usize = 80;

/// How many directives are named as the reason of a difference.
const NAMED: usize = 3;

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
    /// How many other places have the same difference for the same reason.
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
        configs: [old, new],
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

/// What makes a difference: the numbers of directives and places on both sides.
type Cause = Vec<(Option<u32>, Option<u32>)>;

/// A change of which no request is known that shows it.
struct Doubt {
    text: String,
    more: usize,
}

struct Work<'c> {
    configs: [&'c Config; 2],
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
        for (config, side) in self.configs.into_iter().zip(["old", "new"]) {
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
                why: format!("a server listens at {} only in {told}", lonely.socket),
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
        self.sites = sites;
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
        let result = Comparing::new(old, new).pairs(&inputs.uris);
        self.undecided.extend(result.undecided);
        let mut hidden: Vec<(Cause, Vec<Change<'c>>, String)> = Vec::new();
        for pair in result.pairs {
            let (left, right) = (pairs::block(old, &pair.old), pairs::block(new, &pair.new));
            let changes = meaning::changes(&left.settings, &right.settings);
            let cause = cause(&pair, &changes);
            let is_internal =
                |block: &Block<'c>| !block.directive.effective("internal").directives.is_empty();
            if pair.uris.is_empty() || is_internal(left) || is_internal(right) {
                hidden.push((cause, changes, both(&pair)));
                continue;
            }
            let why = self.why(&pair, &changes);
            let inputs = Inputs::of(&changes);
            let mut requests = requests(&inputs, &pair.uris, &met.ways);
            requests.retain(|(_, request)| stays(request, &pair, [met.old, met.new]));
            let shown = self.show(&cause, requests, &why);
            self.tell_changes(&changes, &both(&pair), shown);
        }
        for (before, after) in result.named {
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
            let number = |location: &Option<Location<'c>>| {
                location
                    .as_ref()
                    .map(|location| location.directive.number())
            };
            let cause = vec![(number(&before), number(&after))];
            let name = match (&before, &after) {
                (Some(only), None) => self.only(0, only),
                (None, Some(only)) => self.only(1, only),
                (Some(both), Some(_)) => format!("location `{both}`"),
                (None, None) => continue,
            };
            hidden.push((cause, changes, name));
        }
        let uris = match hidden.is_empty() {
            true => Vec::new(),
            false => all_uris(old, new, SWEPT),
        };
        for (cause, changes, place) in hidden {
            let why = match changes.is_empty() {
                true => place.clone(),
                false => format!("{place}: {}", self.told(&changes)),
            };
            let way = &met.ways[..met.ways.len().min(1)];
            let requests = way
                .iter()
                .flat_map(|way| uris.iter().map(|uri| (way.clone(), way.request(uri))))
                .collect();
            let shown = self.show(&cause, requests, &why);
            if !shown && changes.is_empty() {
                self.undecided.push(format!(
                    "{place}: only redirects inside of nginx lead there, and no request was found that shows a difference"
                ));
            }
            self.tell_changes(&changes, &place, shown);
        }
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
        let place = format!(
            "the server at {}",
            sides(
                &place(self.configs[0], first.server.directive.span()),
                &place(self.configs[1], second.server.directive.span())
            )
        );
        let why = format!("{place}: {}", self.told(&changes));
        let shown = self.show(&of_changes(&changes), requests, &why);
        self.tell_changes(&changes, &place, shown);
    }

    /// Traces requests until the kinds of difference that they show are known; true when there are any.
    fn show(&mut self, cause: &Cause, requests: Vec<(Way, Request)>, why: &str) -> bool {
        match self.causes.get(cause) {
            Some(Ok(at)) => {
                self.found[*at].more += 1;
                return true;
            }
            Some(Err(times)) if *times >= ATTEMPTS => return false,
            _ => {}
        }
        let mut kinds: HashSet<Kind> = HashSet::new();
        let mut told: Option<usize> = None;
        for (way, request) in requests.into_iter().take(REQUESTS.max(SWEPT)) {
            let (Some(old), Some(new)) = (
                self.tracers[0].trace_at(&way.sockets[0], &request),
                self.tracers[1].trace_at(&way.sockets[1], &request),
            ) else {
                continue;
            };
            let Seen {
                aspects,
                assumptions,
            } = aspect::compare(&old, &new, self.configs);
            // What an earlier request has shown is not shown again.
            let mut aspects = aspects;
            aspects.retain(|aspect| !kinds.contains(&aspect.kind));
            if aspects.is_empty() {
                continue;
            }
            kinds.extend(aspects.iter().map(|aspect| aspect.kind));
            let mut assumptions = assumptions;
            for assumption in old.assumptions.iter().chain(&new.assumptions) {
                if !assumptions.contains(assumption) {
                    assumptions.push(assumption.clone());
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
                self.causes.insert(cause.clone(), Ok(at));
            }
            None => {
                let times = self.causes.entry(cause.clone()).or_insert(Err(0));
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
        let told = self.told(std::slice::from_ref(change));
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

    /// A location that one side has only.
    fn only(&self, side: usize, location: &Location<'c>) -> String {
        let at = place(self.configs[side], location.directive.span());
        format!(
            "location `{location}` only in {} ({at})",
            ["old", "new"][side]
        )
    }

    /// What makes the difference: other places, or directives in the same ones.
    fn why(&self, pair: &Pair<'c>, changes: &[Change<'c>]) -> String {
        let at = |side: usize, choice: &Choice<'c>| match choice {
            Choice::Location(location) | Choice::Redirect(location) => {
                place(self.configs[side], location.directive.span())
            }
            Choice::Server | Choice::Unknown => String::new(),
        };
        let (old, new) = (pairs::shown(&pair.old), pairs::shown(&pair.new));
        match old == new {
            true => format!("{old}: {}", self.told(changes)),
            false => {
                let with = |name: String, at: String| match at.is_empty() {
                    true => name,
                    false => format!("{name} ({at})"),
                };
                format!(
                    "{} → {}",
                    with(old, at(0, &pair.old)),
                    with(new, at(1, &pair.new))
                )
            }
        }
    }

    /// Changes in words.
    fn told(&self, changes: &[Change<'c>]) -> String {
        let one = |change: &Change<'c>| {
            let [old, new] = [change.old, change.new].map(lines);
            let texts = |side: usize, lines: &[Directive<'c>]| -> Vec<String> {
                let spans = lines.iter().map(|line| line.span());
                spans.map(|span| self.configs[side].excerpt(span)).collect()
            };
            let [before, after] = [texts(0, &old), texts(1, &new)];
            let only =
                |side: usize, lines: &[Directive<'c>], texts: &[String], others: &[String]| {
                    let mine = lines
                        .iter()
                        .zip(texts)
                        .filter(|(_, text)| !others.contains(text));
                    mine.map(|(line, text)| {
                        format!("`{text}` ({})", place(self.configs[side], line.span()))
                    })
                    .collect::<Vec<_>>()
                };
            let (left, right) = (
                only(0, &old, &before, &after),
                only(1, &new, &after, &before),
            );
            match (left.is_empty(), right.is_empty()) {
                (true, true) => {
                    let at = [(0, change.old), (1, change.new)].map(|(side, directive)| {
                        directive.map_or_else(String::new, |directive| {
                            place(self.configs[side], directive.span())
                        })
                    });
                    format!(
                        "`{}`, or what it refers to ({})",
                        before
                            .first()
                            .or(after.first())
                            .cloned()
                            .unwrap_or_default(),
                        sides(&at[0], &at[1])
                    )
                }
                (false, true) => format!("{} only in old", shortened(&left)),
                (true, false) => format!("{} only in new", shortened(&right)),
                (false, false) => format!("{} → {}", shortened(&left), shortened(&right)),
            }
        };
        let mut all: Vec<String> = changes.iter().take(NAMED).map(one).collect();
        if changes.len() > NAMED {
            all.push(format!("and {} more", changes.len() - NAMED));
        }
        all.join(", ")
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

fn cause(pair: &Pair<'_>, changes: &[Change<'_>]) -> Cause {
    let number = |choice: &Choice<'_>| match choice {
        Choice::Location(location) | Choice::Redirect(location) => {
            Some(location.directive.number())
        }
        Choice::Server | Choice::Unknown => None,
    };
    let mut cause = of_changes(changes);
    if pairs::shown(&pair.old) != pairs::shown(&pair.new) || cause.is_empty() {
        cause.push((number(&pair.old), number(&pair.new)));
    }
    cause
}

fn of_changes(changes: &[Change<'_>]) -> Cause {
    let number = |directive: Option<Directive<'_>>| directive.map(Directive::number);
    changes
        .iter()
        .map(|change| (number(change.old), number(change.new)))
        .collect()
}

fn both(pair: &Pair<'_>) -> String {
    let (old, new) = (pairs::shown(&pair.old), pairs::shown(&pair.new));
    match old == new {
        true => old,
        false => format!("{old} → {new}"),
    }
}

/// The directives that say together what a change is about: all of their name on one level, or all rewriting of a block.
fn lines(first: Option<Directive<'_>>) -> Vec<Directive<'_>> {
    let Some(first) = first else {
        return Vec::new();
    };
    let Some(block) = first.parent() else {
        return vec![first];
    };
    let together = |other: &Directive<'_>| match effect::is_rewriting(first) {
        true => effect::is_rewriting(*other),
        false => other.name().value == first.name().value,
    };
    let all: Vec<Directive<'_>> = block.children().filter(together).collect();
    let nested = all
        .iter()
        .filter(|line| line.is("if"))
        .flat_map(|line| line.children());
    all.iter().copied().chain(nested).collect()
}

fn shortened(texts: &[String]) -> String {
    let mut text = texts[..texts.len().min(NAMED)].join(", ");
    if texts.len() > NAMED {
        text += &format!(" and {} more", texts.len() - NAMED);
    }
    text
}

/// Two places, or one if they read the same.
fn sides(old: &str, new: &str) -> String {
    match old == new {
        true => old.to_owned(),
        false => format!("{old} → {new}"),
    }
}

fn place(config: &Config, span: Span) -> String {
    let file = config.sources().file(span.file);
    format!("{}:{}", file.name(), file.position(span.start).line)
}
