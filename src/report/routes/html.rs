//! The routes as one page for a browser, with a picture of each server; nothing is loaded from elsewhere.

use std::io::{self, Write};

use super::picture::picture;
use super::{
    Counts, OTHERWISE, before, counted, listening, near, place, search, site_span, title, websocket,
};
use crate::config::Config;
use crate::report::xml::escaped;
use crate::routes::{Before, Reach, Route, Routes, Site};
use crate::routing::{Handler, duration};

const STYLE: &str = include_str!("page.css");

/// Deeper levels are not indented further.
const DEEPEST: usize = 12;

/// Writes the page.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, parts: &[Routes<'_>]) -> io::Result<()> {
    let roots: Vec<String> = parts.iter().filter_map(root).collect();
    let heading = escaped(&roots.join(", "));
    writeln!(out, "<!DOCTYPE html>")?;
    writeln!(out, "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    )?;
    // Should anything slip through, it can neither run nor load anything.
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )?;
    writeln!(out, "<title>Routes of {heading}</title>")?;
    writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<h1>Routes of <code>{heading}</code></h1>")?;
    writeln!(out, "<p class=\"soft\">{}</p>", summary(parts))?;
    let skipped: Vec<&String> = parts.iter().flat_map(|part| &part.skipped).collect();
    if !skipped.is_empty() {
        writeln!(out, "<div class=\"notes\">")?;
        for text in skipped {
            writeln!(out, "<p>{}</p>", escaped(text))?;
        }
        writeln!(out, "</div>")?;
    }
    let sites: Vec<(&Routes<'_>, &Site<'_>)> = parts
        .iter()
        .flat_map(|part| part.sites.iter().map(move |site| (part, site)))
        .collect();
    if sites.len() > 1 {
        writeln!(out, "<nav>")?;
        for (index, (_, site)) in sites.iter().enumerate() {
            writeln!(out, "<a href=\"#s{index}\">{}</a>", escaped(&title(site)))?;
        }
        writeln!(out, "</nav>")?;
    }
    for (index, (part, site)) in sites.iter().enumerate() {
        section(out, part, site, index)?;
    }
    writeln!(out, "</body>\n</html>")
}

/// The name of the file that a configuration begins with.
fn root(part: &Routes<'_>) -> Option<String> {
    let (_, file) = part.config.sources().iter().next()?;
    Some(file.name().to_owned())
}

fn summary(parts: &[Routes<'_>]) -> String {
    let counts = Counts::of(parts);
    let mut said = vec![
        counted(counts.servers, "server"),
        counted(counts.locations, "location"),
    ];
    if counts.unreachable > 0 {
        said.push(format!(
            "<span class=\"bad\">{} unreachable</span>",
            counts.unreachable
        ));
    }
    if counts.incomplete > 0 {
        let handshakes = counted(counts.incomplete, "incomplete WebSocket handshake");
        said.push(format!("<span class=\"warn\">{handshakes}</span>"));
    }
    let versions: Vec<String> = parts
        .iter()
        .map(|part| part.config.version().to_string())
        .collect();
    let version = versions.first().map(String::as_str).unwrap_or_default();
    said.push(format!("nginx {version}"));
    said.push(format!("nginspect {}", env!("CARGO_PKG_VERSION")));
    said.join(" · ")
}

fn section(
    out: &mut dyn Write,
    part: &Routes<'_>,
    site: &Site<'_>,
    index: usize,
) -> io::Result<()> {
    writeln!(out, "<section id=\"s{index}\">")?;
    writeln!(out, "<h2>{}</h2>", escaped(&title(site)))?;
    let mut facts = Vec::new();
    if !site.listens.is_empty() {
        let listens: Vec<String> = site.listens.iter().map(listening).collect();
        facts.push(format!("listens on {}", escaped(&listens.join(", "))));
    }
    if let Some(span) = site_span(site) {
        facts.push(format!(
            "<code>{}</code>",
            escaped(&place(part.config, span))
        ));
    }
    writeln!(out, "<p class=\"soft\">{}</p>", facts.join(" · "))?;
    for answer in &site.answers {
        let how = if answer.is_default {
            "as the default server"
        } else {
            "by its name"
        };
        writeln!(out, "<p>answers on {} {how}</p>", escaped(&answer.socket))?;
    }
    for step in &site.before {
        let at = escaped(&near(part.config, site, step.directive.span()));
        writeln!(
            out,
            "<p>first {} <span class=\"soft\">{at}</span></p>",
            first(part.config, step)
        )?;
    }
    writeln!(out, "<div class=\"wide\">{}</div>", picture(site, index))?;
    writeln!(out, "<div class=\"wide\"><table>")?;
    writeln!(
        out,
        "<tr><th></th><th>Location</th><th>Answered by</th><th>WebSocket</th><th>Read timeout</th>\
         <th>Access</th><th>A request that comes here</th></tr>"
    )?;
    for (index, route) in site.routes.iter().enumerate() {
        row(out, part.config, site, route, index + 1)?;
    }
    if let Some(otherwise) = &site.otherwise {
        writeln!(
            out,
            "<tr><td></td><td class=\"soft\">{OTHERWISE}</td><td><code>{}</code>{}</td><td></td><td></td><td></td><td></td></tr>",
            escaped(&otherwise.to_string()),
            elsewhere(part.config, site, otherwise)
        )?;
    }
    writeln!(out, "</table></div>\n</section>")
}

fn first(config: &Config, step: &Before<'_>) -> String {
    format!("<code>{}</code>", escaped(&before(config, step)))
}

/// Where a handler stands.
fn elsewhere(config: &Config, site: &Site<'_>, handler: &Handler<'_>) -> String {
    let span = handler.span();
    span.map(|span| {
        let at = escaped(&near(config, site, span));
        format!("<p class=\"soft mono\">{at}</p>")
    })
    .unwrap_or_default()
}

fn row(
    out: &mut dyn Write,
    config: &Config,
    site: &Site<'_>,
    route: &Route<'_>,
    number: usize,
) -> io::Result<()> {
    let indent = 14 * route.depth.min(DEEPEST);
    let span = route.location.directive.span();
    let mut name = format!(
        "<code>{}</code><p class=\"soft mono\">{}</p>",
        escaped(&route.location.to_string()),
        escaped(&near(config, site, span))
    );
    if let Some(search) = search(route) {
        name.push_str(&format!("<p class=\"soft\">{search}</p>"));
    }
    let mut handler = String::new();
    for step in &route.before {
        handler.push_str(&format!("<p>first {}</p>", first(config, step)));
    }
    handler.push_str(&format!(
        "<code>{}</code>{}",
        escaped(&route.handler.to_string()),
        elsewhere(config, site, &route.handler)
    ));
    if let Some(upstream) = route
        .upstream
        .as_ref()
        .filter(|upstream| upstream.group.is_some())
    {
        let members = escaped(&upstream.members().join(", "));
        handler.push_str(&format!("<p class=\"soft\">to {members}</p>"));
    }
    let websocket = websocket(route).unwrap_or_default();
    let class = match websocket.split(' ').next() {
        Some("forwarded") => "good",
        Some("incomplete") => "warn",
        _ => "soft",
    };
    let timeout = route
        .read_timeout
        .map(|(milliseconds, _)| duration(milliseconds))
        .unwrap_or_default();
    let reach = match (&route.reach, route.reach.url()) {
        (Reach::No(reason), _) => {
            format!(
                "<span class=\"bad\">unreachable: {}</span>",
                escaped(reason)
            )
        }
        (_, Some(url)) => format!("<code>{}</code>", escaped(&url)),
        (reach, None) => {
            let reason = escaped(reach.reason().unwrap_or_default());
            format!("<span class=\"soft\">{reason}</span>")
        }
    };
    writeln!(
        out,
        "<tr><td>{number}</td><td style=\"padding-left:{indent}px\">{name}</td><td>{handler}</td>\
         <td class=\"{class}\">{}</td><td class=\"nowrap\">{timeout}</td><td>{}</td><td>{reach}</td></tr>",
        escaped(&websocket),
        escaped(&route.access.join(", "))
    )
}
