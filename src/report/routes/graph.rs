//! Where the locations of servers lead, each place once.

use std::collections::HashMap;

use crate::routes::{Routes, Site};
use crate::routing::{Handler, Upstream};

/// What kind of place a location leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Upstream,
    Answer,
    Files,
}

/// A place that locations lead to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) label: String,
    /// The members of a group, if it is one.
    pub(super) members: Vec<String>,
}

impl Target {
    fn of(handler: &Handler<'_>, upstream: Option<&Upstream<'_>>) -> Self {
        let kind = match handler {
            Handler::Pass(_) => Kind::Upstream,
            Handler::Return(_) | Handler::Module(_) => Kind::Answer,
            Handler::Alias(_) | Handler::Root(_) => Kind::Files,
        };
        match upstream {
            Some(upstream) => Self {
                kind,
                label: format!("{} {}", upstream.protocol, upstream.address),
                members: upstream.members(),
            },
            None => Self {
                kind,
                label: handler.to_string(),
                members: Vec::new(),
            },
        }
    }
}

/// The places, in the order in which they are first led to.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) all: Vec<Target>,
    known: HashMap<Target, usize>,
}

impl Targets {
    /// The index of a place, which is added when it is new.
    fn add(&mut self, target: Target) -> usize {
        let all = &mut self.all;
        *self.known.entry(target).or_insert_with_key(|target| {
            all.push(target.clone());
            all.len() - 1
        })
    }

    /// The places of a server's locations in their order, and last that of requests that no location takes.
    pub(super) fn of(&mut self, site: &Site<'_>) -> Vec<usize> {
        let routes = site.routes.iter();
        let otherwise = site.otherwise.iter();
        routes
            .map(|route| Target::of(&route.handler, route.upstream.as_ref()))
            .chain(otherwise.map(|handler| Target::of(handler, None)))
            .map(|target| self.add(target))
            .collect()
    }
}

/// What a graph in the text of another program consists of: nodes and arrows between their identifiers.
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
}

/// A box with lines of text.
pub(super) struct Node {
    pub(super) id: String,
    pub(super) lines: Vec<String>,
    pub(super) shape: Shape,
    pub(super) is_dead: bool,
}

/// How a node is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Server,
    Location,
    Target(Kind),
}

/// A line from one node to another.
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) is_dead: bool,
}

impl Graph {
    pub(super) fn of(parts: &[Routes<'_>]) -> Self {
        let mut graph = Self {
            nodes: Vec::new(),
            arrows: Vec::new(),
        };
        let mut targets = Targets::default();
        let sites = parts
            .iter()
            .flat_map(|part| part.sites.iter().map(move |site| (part, site)));
        for (number, (part, site)) in sites.enumerate() {
            graph.add(number, part, site, &mut targets);
        }
        for (index, target) in targets.all.into_iter().enumerate() {
            let mut lines = vec![target.label];
            lines.extend(target.members);
            graph.nodes.push(Node {
                id: format!("t{index}"),
                lines,
                shape: Shape::Target(target.kind),
                is_dead: false,
            });
        }
        graph
    }

    fn add(&mut self, number: usize, part: &Routes<'_>, site: &Site<'_>, targets: &mut Targets) {
        let server = format!("s{number}");
        let listens: Vec<String> = site.listens.iter().map(super::listening).collect();
        let mut lines = vec![super::title(site)];
        lines.extend((!listens.is_empty()).then(|| listens.join(", ")));
        lines.extend(super::site_span(site).map(|span| super::place(part.config, span)));
        self.nodes.push(Node {
            id: server.clone(),
            lines,
            shape: Shape::Server,
            is_dead: false,
        });
        let leads = targets.of(site);
        let id = |index: usize| format!("s{number}l{index}");
        for (index, target) in leads.into_iter().enumerate() {
            let route = site.routes.get(index);
            let is_dead = route.is_some_and(|route| route.reach.as_str() == "no");
            let lines = match route {
                Some(route) => vec![
                    route.location.to_string(),
                    super::place(part.config, route.location.directive.span()),
                ],
                None => vec![super::OTHERWISE.to_owned()],
            };
            self.nodes.push(Node {
                id: id(index),
                lines,
                shape: Shape::Location,
                is_dead,
            });
            let outer = route.and_then(|route| route.parent);
            self.arrows.push(Arrow {
                from: outer.map_or_else(|| server.clone(), id),
                to: id(index),
                is_dead,
            });
            self.arrows.push(Arrow {
                from: id(index),
                to: format!("t{target}"),
                is_dead,
            });
        }
    }
}
