//! What two configurations do differently, for people, for programs, and for a comment on a pull request.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::printable;
use super::trace::{outcome, outcome_document};
use crate::difference::{Comparison, Difference, Kind};
use crate::routing::Trace;

/// The differences one by one, and what could not be proved.
pub fn text(comparison: &Comparison<'_>) -> String {
    let mut lines = Vec::new();
    for difference in &comparison.differences {
        lines.push(request(difference));
        lines.push(format!(
            "  old: {}",
            side(difference.old.as_ref(), difference)
        ));
        lines.push(format!(
            "  new: {}",
            side(difference.new.as_ref(), difference)
        ));
        lines.extend(details(difference).map(|detail| format!("    {detail}")));
        lines.push(format!("  why: {}", why(difference)));
        lines.extend(
            difference
                .assumptions
                .iter()
                .map(|assumption| format!("  assumed: {assumption}")),
        );
        lines.push(String::new());
    }
    lines.push(summary(comparison));
    lines.extend(
        comparison
            .undecided
            .iter()
            .map(|undecided| format!("undecided: {undecided}")),
    );
    let mut text = String::new();
    for line in lines {
        text.push_str(&printable(&line));
        text.push('\n');
    }
    text
}

/// The comparison as a document for programs. Its keys and their order are a promise, numbered by `schema`.
pub fn json(comparison: &Comparison<'_>) -> Value {
    let differences: Vec<Value> = comparison
        .differences
        .iter()
        .map(|difference| {
            let headers: Vec<Value> = difference
                .request
                .headers
                .iter()
                .map(|(name, value)| json!([name, String::from_utf8_lossy(value)]))
                .collect();
            let mut kinds: Vec<&str> = difference
                .aspects
                .iter()
                .map(|aspect| aspect.kind.as_str())
                .collect();
            kinds.dedup();
            let side = |trace: Option<&Trace<'_>>| match trace {
                Some(trace) => outcome_document(&trace.outcome),
                None => json!({"kind": "nothing"}),
            };
            json!({
                "request": line(difference),
                "headers": headers,
                "client": difference.request.client.map(|client| client.to_string()),
                "address": difference.at,
                "kinds": kinds,
                "old": side(difference.old.as_ref()),
                "new": side(difference.new.as_ref()),
                "why": difference.why,
                "details": details(difference).collect::<Vec<_>>(),
                "more": difference.more,
                "assumptions": difference.assumptions,
            })
        })
        .collect();
    json!({
        "schema": 1,
        "differences": differences,
        "undecided": comparison.undecided,
    })
}

/// The comparison as Markdown, for a comment on a pull request.
pub fn markdown(comparison: &Comparison<'_>) -> String {
    let mut text = format!("### {}\n", plain(&summary(comparison)));
    if !comparison.differences.is_empty() {
        text.push_str("\n| request | old | new | why |\n|---|---|---|---|\n");
    }
    for difference in &comparison.differences {
        let mut new = plain(&side(difference.new.as_ref(), difference));
        for detail in details(difference) {
            let _ = write!(new, "<br>{}", plain(&detail));
        }
        let _ = writeln!(
            text,
            "| {} | {} | {new} | {} |",
            code(&request(difference)),
            plain(&side(difference.old.as_ref(), difference)),
            plain(&why(difference)),
        );
    }
    if !comparison.undecided.is_empty() {
        text.push_str("\n<details><summary>Undecided</summary>\n\n");
        for undecided in &comparison.undecided {
            let _ = writeln!(text, "- {}", plain(undecided));
        }
        text.push_str("\n</details>\n");
    }
    text
}

fn summary(comparison: &Comparison<'_>) -> String {
    match (comparison.differences.len(), comparison.undecided.len()) {
        (0, 0) => "no request is answered differently".to_owned(),
        (0, 1) => "no difference was found, and 1 question is open".to_owned(),
        (0, open) => format!("no difference was found, and {open} questions are open"),
        (1, _) => "1 difference".to_owned(),
        (count, _) => format!("{count} differences"),
    }
}

/// Method and URL.
fn line(difference: &Difference<'_>) -> String {
    let request = &difference.request;
    match request.host.is_empty() {
        true => format!(
            "{} {} HTTP/1.0 without a host, at port {}",
            request.method,
            String::from_utf8_lossy(&request.target),
            request.port
        ),
        false => format!("{} {}", request.method, request.url()),
    }
}

/// The request as a person would send it.
fn request(difference: &Difference<'_>) -> String {
    let request = &difference.request;
    let mut text = line(difference);
    let own = [
        "host",
        "connection",
        "upgrade",
        "sec-websocket-version",
        "sec-websocket-key",
    ];
    let handshake = request.scheme.starts_with('w');
    for (name, value) in &request.headers {
        let lower = name.to_ascii_lowercase();
        let known = lower == "host" || handshake && own.contains(&lower.as_str());
        if !known {
            let _ = write!(text, " -H '{name}: {}'", String::from_utf8_lossy(value));
        }
    }
    if let Some(client) = request.client {
        let _ = write!(text, " from {client}");
    }
    if let Some(at) = &difference.at {
        let _ = write!(text, " at {at}");
    }
    text
}

fn side(trace: Option<&Trace<'_>>, difference: &Difference<'_>) -> String {
    let Some(trace) = trace else {
        let place = match &difference.at {
            Some(at) => at.clone(),
            None => format!("port {}", difference.request.port),
        };
        return format!("nothing listens at {place}");
    };
    outcome(trace)
}

fn details<'d>(difference: &'d Difference<'_>) -> impl Iterator<Item = String> + 'd {
    difference.aspects.iter().filter_map(|aspect| {
        let of = match aspect.kind {
            Kind::Headers => "upstream receives ",
            _ => "",
        };
        aspect.text.as_ref().map(|text| format!("{of}{text}"))
    })
}

fn why(difference: &Difference<'_>) -> String {
    match difference.more {
        0 => difference.why.clone(),
        1 => format!("{}; 1 more place has the same change", difference.why),
        more => format!(
            "{}; {more} more places have the same change",
            difference.why
        ),
    }
}

/// Text of a configuration inside a table of Markdown.
fn plain(text: &str) -> String {
    let mut safe = String::new();
    for letter in printable(text).chars() {
        match letter {
            '|' => safe.push_str("\\|"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("&#64;"),
            letter => safe.push(letter),
        }
    }
    safe
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", plain(text))
}
