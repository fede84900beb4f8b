//! The picture of a server: its locations as a tree in deciding order, and lines to where they lead.

use std::fmt::Write as _;

use super::graph::{Kind, Target, Targets};
use super::{OTHERWISE, listening, shortened, title};
use crate::config::Modifier;
use crate::report::xml::escaped;
use crate::routes::{Forwarding, Reach, Route, Site};

/// Distances in pixels.
const ROW: f64 = 30.0;
const BOX: f64 = 24.0;
const HEAD: f64 = 46.0;
const CAPTION: f64 = 20.0;
const INDENT: f64 = 18.0;
/// Where the boxes of locations end, and those of places begin and end.
const MIDDLE: f64 = 450.0;
const RIGHT: f64 = 600.0;
const WIDTH: f64 = 1010.0;
/// A letter of the fixed-width font at the size of the boxes.
const LETTER: f64 = 7.3;

/// Deeper levels are not indented further.
const DEEPEST: usize = 8;

/// How many colours lines have.
const COLORS: usize = 8;

/// A location on its place in the picture.
struct Row<'a, 'c> {
    /// Nothing for the requests that no location takes.
    route: Option<&'a Route<'c>>,
    left: f64,
    middle: f64,
    target: usize,
}

/// Draws a server; `id` names the picture on its page.
pub(super) fn picture(site: &Site<'_>, id: usize) -> String {
    let mut targets = Targets::default();
    let leads = targets.of(site);
    let (captions, rows, bottom) = rows(site, &leads);
    let (places, bottom) = places(&rows, &targets.all, bottom);
    let mut svg = String::new();
    let height = bottom + 2.0;
    put(
        &mut svg,
        format_args!(
            "<svg viewBox=\"-1 -1 {:.0} {height:.0}\" width=\"{:.0}\" height=\"{height:.0}\" role=\"img\" \
             aria-labelledby=\"p{id}\"><title id=\"p{id}\">The routes of {}</title>",
            WIDTH + 2.0,
            WIDTH + 2.0,
            escaped(&title(site))
        ),
    );
    for row in &rows {
        line(&mut svg, row, &places[row.target]);
    }
    branches(&mut svg, &rows);
    head(&mut svg, site);
    for (text, middle) in captions {
        put(
            &mut svg,
            format_args!("<text class=\"caption\" x=\"28\" y=\"{middle:.0}\">{text}</text>"),
        );
    }
    for (index, row) in rows.iter().enumerate() {
        location(&mut svg, row, index);
    }
    for (target, place) in targets.all.iter().zip(&places) {
        target_box(&mut svg, target, place);
    }
    svg.push_str("</svg>");
    svg
}

fn put(svg: &mut String, part: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = svg.write_fmt(part);
}

/// The captions and rows from top to bottom, and where the last one ends.
fn rows<'a, 'c>(
    site: &'a Site<'c>,
    leads: &[usize],
) -> (Vec<(&'static str, f64)>, Vec<Row<'a, 'c>>, f64) {
    let mut captions = Vec::new();
    let mut rows = Vec::new();
    let mut y = HEAD + 6.0;
    let mut group = None;
    let routes = site.routes.iter().map(Some);
    let otherwise = site.otherwise.iter().map(|_| None);
    for (route, target) in routes.chain(otherwise).zip(leads) {
        let depth = route.map_or(0, |route| route.depth.min(DEEPEST));
        let own = caption(route);
        if depth == 0 && group != Some(own) {
            group = Some(own);
            captions.push((own, y + 14.0));
            y += CAPTION;
        }
        rows.push(Row {
            route,
            left: 28.0 + depth as f64 * INDENT,
            middle: y + ROW / 2.0,
            target: *target,
        });
        y += ROW;
    }
    (captions, rows, y)
}

fn caption(route: Option<&Route<'_>>) -> &'static str {
    match route.map(|route| route.location.modifier) {
        None => "else",
        Some(Modifier::Exact) => "exact",
        Some(Modifier::Prefix | Modifier::PreferentialPrefix) => "longest prefix",
        Some(Modifier::Regex | Modifier::CaselessRegex) => {
            "first regex, instead of a prefix without ^~"
        }
        Some(Modifier::Named) => "by name only",
    }
}

/// Where a place that locations lead to is drawn.
struct Spot {
    top: f64,
    height: f64,
    color: usize,
}

impl Spot {
    fn middle(&self) -> f64 {
        self.top + self.height / 2.0
    }
}

/// Puts each place beside the locations that lead to it, none above another.
fn places(rows: &[Row<'_, '_>], targets: &[Target], bottom: f64) -> (Vec<Spot>, f64) {
    let mut sums = vec![(0.0, 0.0); targets.len()];
    for row in rows {
        let (sum, count) = &mut sums[row.target];
        *sum += row.middle;
        *count += 1.0;
    }
    let mut spots: Vec<Spot> = targets
        .iter()
        .zip(&sums)
        .enumerate()
        .map(|(index, (target, (sum, count)))| {
            let height = if target.members.is_empty() { BOX } else { 40.0 };
            Spot {
                top: sum / f64::max(*count, 1.0) - height / 2.0,
                height,
                color: index % COLORS,
            }
        })
        .collect();
    let mut order: Vec<usize> = (0..spots.len()).collect();
    order.sort_by(|one, other| spots[*one].middle().total_cmp(&spots[*other].middle()));
    let gap = ROW - BOX;
    let mut free = HEAD + 6.0;
    for index in &order {
        let spot = &mut spots[*index];
        spot.top = f64::max(spot.top, free);
        free = spot.top + spot.height + gap;
    }
    // What was pushed below the last location goes up again as far as there is room.
    let needed: f64 = spots.iter().map(|spot| spot.height + gap).sum();
    let bottom = f64::max(bottom, HEAD + 6.0 + needed);
    let mut free = bottom;
    for index in order.iter().rev() {
        let spot = &mut spots[*index];
        spot.top = f64::min(spot.top, free - spot.height);
        free = spot.top - gap;
    }
    (spots, bottom)
}

fn line(svg: &mut String, row: &Row<'_, '_>, spot: &Spot) {
    let (from, to) = (row.middle, spot.middle());
    let bend = (MIDDLE + RIGHT) / 2.0;
    let dead = if is_dead(row) { " dead" } else { "" };
    put(
        svg,
        format_args!(
            "<path class=\"line c{}{dead}\" d=\"M{MIDDLE} {from:.1}C{bend} {from:.1} {bend} {to:.1} {RIGHT} {to:.1}\"/>",
            spot.color
        ),
    );
}

fn is_dead(row: &Row<'_, '_>) -> bool {
    row.route
        .is_some_and(|route| matches!(route.reach, Reach::No(_)))
}

/// The lines from the server, or from a location, to what is inside.
fn branches(svg: &mut String, rows: &[Row<'_, '_>]) {
    // Down to the last one of each level, and from there to each.
    let mut ends: Vec<f64> = vec![HEAD; rows.len() + 1];
    for row in rows {
        let parent = row.route.and_then(|route| route.parent);
        ends[parent.map_or(0, |parent| parent + 1)] = row.middle;
        let (spine, middle) = (row.left - 14.0, row.middle);
        put(
            svg,
            format_args!(
                "<path class=\"branch\" d=\"M{spine} {middle:.1}H{}\"/>",
                row.left
            ),
        );
    }
    for (index, end) in ends.iter().enumerate() {
        let (spine, start) = match index.checked_sub(1).map(|index| &rows[index]) {
            None => (14.0, HEAD),
            Some(outer) => {
                let is_deepest = outer.route.is_some_and(|route| route.depth >= DEEPEST);
                let inner = if is_deepest { 0.0 } else { INDENT };
                (outer.left + inner - 14.0, outer.middle + BOX / 2.0)
            }
        };
        if *end > start {
            put(
                svg,
                format_args!("<path class=\"branch\" d=\"M{spine} {start:.1}V{end:.1}\"/>"),
            );
        }
    }
}

fn head(svg: &mut String, site: &Site<'_>) {
    let listens: Vec<String> = site.listens.iter().map(listening).collect();
    let listens = listens.join(", ");
    let most = letters(MIDDLE - 24.0);
    let name = title(site);
    put(
        svg,
        format_args!(
            "<g><title>{}</title><rect class=\"server\" width=\"{MIDDLE}\" height=\"{HEAD}\" rx=\"6\"/>\
             <text class=\"name\" x=\"12\" y=\"19\">{}</text><text class=\"sub\" x=\"12\" y=\"36\">{}</text></g>",
            escaped(&format!("{name}\n{listens}")),
            escaped(&shortened(&name, most)),
            escaped(&shortened(&listens, most + 8))
        ),
    );
}

/// How many letters fit into a width.
fn letters(width: f64) -> usize {
    (width / LETTER).floor().max(1.0) as usize
}

fn location(svg: &mut String, row: &Row<'_, '_>, index: usize) {
    let (left, top) = (row.left, row.middle - BOX / 2.0);
    let base = row.middle + 4.0;
    let name = row
        .route
        .map_or_else(|| OTHERWISE.to_owned(), |route| route.location.to_string());
    let class = match row.route.map(|route| route.location.modifier) {
        None => "else",
        Some(Modifier::Exact) => "exact",
        Some(Modifier::Prefix) => "prefix",
        Some(Modifier::PreferentialPrefix) => "preferred",
        Some(Modifier::Regex | Modifier::CaselessRegex) => "regex",
        Some(Modifier::Named) => "named",
    };
    let dead = if is_dead(row) { " dead" } else { "" };
    put(
        svg,
        format_args!(
            "<g class=\"{class}{dead}\"><title>{}</title>\
             <rect class=\"box\" x=\"{left}\" y=\"{top:.1}\" width=\"{}\" height=\"{BOX}\" rx=\"4\"/>\
             <rect class=\"strip\" x=\"{left}\" y=\"{top:.1}\" width=\"5\" height=\"{BOX}\" rx=\"2\"/>",
            escaped(&name),
            MIDDLE - left
        ),
    );
    let mut right = MIDDLE - 6.0;
    for (class, text) in row.route.map(badges).unwrap_or_default() {
        let width = text.len() as f64 * 5.4 + 14.0;
        right -= width;
        put(
            svg,
            format_args!(
                "<rect class=\"badge {class}\" x=\"{right:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"15\" rx=\"7.5\"/>\
                 <text class=\"badge-text {class}\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                row.middle - 7.5,
                right + width / 2.0,
                row.middle + 3.5
            ),
        );
        right -= 4.0;
    }
    if row.route.is_some() {
        put(
            svg,
            format_args!(
                "<text class=\"number\" x=\"{}\" y=\"{base:.1}\">{}</text>",
                left + 30.0,
                index + 1
            ),
        );
    }
    let room = letters(right - left - 44.0);
    put(
        svg,
        format_args!(
            "<text class=\"path\" x=\"{}\" y=\"{base:.1}\">{}</text></g>",
            left + 38.0,
            escaped(&shortened(&name, room))
        ),
    );
}

/// What is said of a location in a word, from right to left.
fn badges(route: &Route<'_>) -> Vec<(&'static str, &'static str)> {
    let mut badges = Vec::new();
    if matches!(route.reach, Reach::No(_)) {
        badges.push(("bad", "unreachable"));
    }
    match &route.websocket {
        Some(Forwarding::Forwarded) => badges.push(("good", "websocket")),
        Some(Forwarding::Incomplete(_)) => badges.push(("warn", "websocket incomplete")),
        Some(Forwarding::Absent | Forwarding::Unknown) | None => {}
    }
    if !route.access.is_empty() {
        badges.push(("plain", "restricted"));
    }
    if route.is_internal && route.location.modifier != Modifier::Named {
        badges.push(("plain", "internal"));
    }
    badges
}

fn target_box(svg: &mut String, target: &Target, spot: &Spot) {
    let kind = match target.kind {
        Kind::Upstream => "upstream",
        Kind::Answer => "answer",
        Kind::Files => "files",
    };
    let members = target.members.join(", ");
    let most = letters(WIDTH - RIGHT - 24.0);
    let has_members = !target.members.is_empty();
    let base = if has_members {
        spot.top + 17.0
    } else {
        spot.middle() + 4.0
    };
    put(
        svg,
        format_args!(
            "<g class=\"target {kind} c{}\"><title>{}</title>\
             <rect class=\"box\" x=\"{RIGHT}\" y=\"{:.1}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>\
             <text class=\"path\" x=\"{}\" y=\"{base:.1}\">{}</text>",
            spot.color,
            escaped(format!("{}\n{members}", target.label).trim_end()),
            spot.top,
            WIDTH - RIGHT,
            spot.height,
            if target.kind == Kind::Answer { 12 } else { 4 },
            RIGHT + 14.0,
            escaped(&shortened(&target.label, most))
        ),
    );
    if has_members {
        put(
            svg,
            format_args!(
                "<text class=\"sub\" x=\"{}\" y=\"{:.1}\">{}</text>",
                RIGHT + 14.0,
                spot.top + 32.0,
                escaped(&shortened(&members, most + 8))
            ),
        );
    }
    svg.push_str("</g>");
}
