//! The routes for people, as a tree in a terminal.

use std::io::{self, Write};

use super::{before, listening, near, place, search, shortened, site_span, title, websocket};
use crate::config::Modifier;
use crate::report::printable;
use crate::report::style::Style;
use crate::routes::{Reach, Route, Routes, Site};
use crate::routing::{Handler, duration};
use crate::source::Span;

/// Names that are longer put the handlers after them out of their column.
const WIDEST_NAME: usize = 36;

/// Longer handlers are cut.
const LONGEST_HANDLER: usize = 100;

/// Deeper levels are not indented further.
const DEEPEST: usize = 12;

/// How the text looks.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// In colours.
    pub color: bool,
}

/// Writes the tree of each server.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Routes<'_>], options: Options) -> io::Result<()> {
    let style = Style(options.color);
    let mut is_first = true;
    for part in parts {
        for site in &part.sites {
            if !is_first {
                writeln!(out)?;
            }
            is_first = false;
            Tree { part, site, style }.write(out)?;
        }
    }
    for (index, skipped) in parts.iter().flat_map(|part| &part.skipped).enumerate() {
        if index == 0 {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}",
            style.warn(&format!("note: {}", printable(skipped)))
        )?;
    }
    Ok(())
}

/// One server on its way to the terminal.
struct Tree<'a, 'c> {
    part: &'a Routes<'c>,
    site: &'a Site<'c>,
    style: Style,
}

impl Tree<'_, '_> {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (site, style) = (self.site, self.style);
        let head = printable(&title(site)).into_owned();
        let span = site_span(site).map(|span| place(self.part.config, span));
        let span = printable(&span.unwrap_or_default()).into_owned();
        writeln!(out, "{}  {}", style.strong(&head), style.faint(&span))?;
        if !site.listens.is_empty() {
            let listens: Vec<String> = site.listens.iter().map(listening).collect();
            writeln!(out, "listens on {}", printable(&listens.join(", ")))?;
        }
        for answer in &site.answers {
            let how = if answer.is_default {
                "as the default server"
            } else {
                "by its name"
            };
            writeln!(out, "answers on {} {how}", printable(&answer.socket))?;
        }
        for step in &site.before {
            let text = before(self.part.config, step);
            let at = self.near(step.directive.span());
            let at = style.faint(&printable(&at));
            writeln!(out, "first {}  {at}", printable(&text))?;
        }
        self.tree(out)
    }

    fn tree(&self, out: &mut dyn Write) -> io::Result<()> {
        let routes = &self.site.routes;
        let lasts = self.lasts();
        let names: Vec<String> = routes
            .iter()
            .map(|route| printable(&route.location.to_string()).into_owned())
            .collect();
        let widths = names
            .iter()
            .zip(routes)
            .map(|(name, route)| name.chars().count() + 3 * route.depth.min(DEEPEST));
        let width = widths.filter(|width| *width <= WIDEST_NAME).max();
        let width = width.unwrap_or_default().max(super::OTHERWISE.len());
        let mut open: Vec<bool> = Vec::new();
        let mut group = None;
        for (index, (route, name)) in routes.iter().zip(&names).enumerate() {
            let depth = route.depth.min(DEEPEST);
            open.truncate(depth);
            if depth == 0 && group != Some(kind(route)) {
                group = Some(kind(route));
                writeln!(out, "│ {}", self.style.faint(kind(route)))?;
            }
            let bars: String = open.iter().map(|is_open| bar(*is_open)).collect();
            let is_last = lasts[index];
            let fork = if is_last { "└─ " } else { "├─ " };
            let pad = width.saturating_sub(name.chars().count() + 3 * depth);
            let name = match route.reach {
                Reach::No(_) => self.style.bad(name),
                _ => self.style.strong(name),
            };
            let handler = self.handler(&route.handler);
            let blanks = " ".repeat(pad);
            writeln!(out, "{bars}{fork}{name}{blanks}  {handler}")?;
            open.push(!is_last);
            let has_inner = routes
                .get(index + 1)
                .is_some_and(|next| next.depth > route.depth);
            let mut bars: String = open.iter().map(|is_open| bar(*is_open)).collect();
            bars.push_str(if has_inner { "│  " } else { "   " });
            for step in &route.before {
                let text = before(self.part.config, step);
                writeln!(out, "{bars}first {}", printable(&text))?;
            }
            writeln!(out, "{bars}{}", self.facts(route))?;
        }
        if let Some(otherwise) = &self.site.otherwise {
            let name = super::OTHERWISE;
            let handler = self.handler(otherwise);
            writeln!(out, "└─ {name:width$}  {handler}")?;
        }
        Ok(())
    }

    /// Which locations are the last inside the one around them.
    fn lasts(&self) -> Vec<bool> {
        let routes = &self.site.routes;
        let mut lasts = vec![false; routes.len()];
        // The last one of each level, the outermost one's first.
        let mut latest: Vec<Option<usize>> = vec![None; routes.len() + 1];
        for (index, route) in routes.iter().enumerate() {
            latest[route.parent.map_or(0, |parent| parent + 1)] = Some(index);
        }
        if self.site.otherwise.is_some() {
            latest[0] = None;
        }
        for last in latest.into_iter().flatten() {
            lasts[last] = true;
        }
        lasts
    }

    fn handler(&self, handler: &Handler<'_>) -> String {
        shortened(&printable(&handler.to_string()), LONGEST_HANDLER)
    }

    fn near(&self, span: Span) -> String {
        near(self.part.config, self.site, span)
    }

    /// The line below a location: its place, what is in effect, and a request for it.
    fn facts(&self, route: &Route<'_>) -> String {
        let style = self.style;
        let here = self.near(route.location.directive.span());
        let mut facts = vec![style.faint(&printable(&here))];
        let mut add = |text: &str| facts.push(printable(text).into_owned());
        // What answers usually stands in the location itself.
        if let Some(directive) = route.handler.directive()
            && directive.parent() != Some(route.location.directive)
        {
            add(&format!(
                "`{}` on {}",
                directive.name(),
                self.near(directive.span())
            ));
        }
        if let Some(upstream) = &route.upstream
            && upstream.group.is_some()
        {
            add(&format!("to {}", upstream.members().join(", ")));
        }
        search(route).into_iter().for_each(&mut add);
        if let Some((milliseconds, _)) = route.read_timeout {
            add(&format!("read timeout {}", duration(milliseconds)));
        }
        route.access.iter().for_each(|access| add(access));
        if let Some(text) = websocket(route) {
            let text = printable(&format!("websocket: {text}")).into_owned();
            facts.push(match text.contains("incomplete") {
                true => style.warn(&text),
                false => text,
            });
        }
        facts.push(match (&route.reach, route.reach.url()) {
            (Reach::No(reason), _) => style.bad(&format!("unreachable: {}", printable(reason))),
            (_, Some(url)) => style.good(&printable(&url)),
            (reach, None) => printable(reach.reason().unwrap_or_default()).into_owned(),
        });
        facts.join(" · ")
    }
}

/// What is to be known of a kind of location, above the first of them.
fn kind(route: &Route<'_>) -> &'static str {
    match route.location.modifier {
        Modifier::Exact => "exact names end the search",
        Modifier::Prefix | Modifier::PreferentialPrefix => "the longest prefix is kept",
        Modifier::Regex | Modifier::CaselessRegex => {
            "unless it is ^~, the first regex that matches takes its place"
        }
        Modifier::Named => "asked for by name only",
    }
}

fn bar(is_open: bool) -> &'static str {
    if is_open { "│  " } else { "   " }
}
