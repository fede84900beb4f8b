//! A file of statements that hold, made from a configuration.

use std::fmt::Write as _;
use std::path::Path;

use super::compare::{redirect, url};
use super::judge::{Judge, Verdict};
use super::read::read;
use super::route::Wanted;
use crate::config::Config;
use crate::routes::{Forwarding, Reach, Route, Routes, Site};
use crate::routing::{About, Disk, Entry, Outcome, Request, Trace, Tracer, WebSocket, duration};
use crate::source::Span;

/// How often something is settled about a file before a request is given up.
const FILES: usize = 20;

/// A file that was drafted.
#[derive(Debug)]
pub struct Draft {
    /// Its text.
    pub text: String,
    /// How many statements it holds.
    pub routes: usize,
}

/// Drafts a statement for each location that a request is known to reach; all hold for the configuration as it is.
pub fn draft(judge: &Judge<'_>) -> Draft {
    let config = judge.tracer().config();
    let mut draft = Draft {
        text: String::from(
            "# What becomes of a request for each location. `nginspect test` says whether it still does.\n",
        ),
        routes: 0,
    };
    for site in &Routes::new(config).sites {
        for route in &site.routes {
            match statement(route, site, judge) {
                Ok(text) => {
                    draft.routes += 1;
                    draft.text.push_str(&text);
                }
                Err(reason) => {
                    let place = place(config, route.location.directive.span());
                    let line = format!("no statement about `{}`: {reason}", route.location);
                    write!(draft.text, "\n# {}\n# {}\n", plain(&place), plain(&line))
                        .expect("a string takes everything");
                }
            }
        }
    }
    draft
}

/// The statement about a location, or why there is none.
fn statement(route: &Route<'_>, site: &Site<'_>, judge: &Judge<'_>) -> Result<String, String> {
    let tracer = judge.tracer();
    let url = match (&route.reach, route.reach.url()) {
        (_, Some(url)) => url,
        (Reach::Yes(_), None) => return Err("no host certainly leads to its server".to_owned()),
        (reach, None) => return Err(reach.reason().unwrap_or_default().to_owned()),
    };
    let url = match route.websocket {
        Some(Forwarding::Forwarded) => url.replacen("http", "ws", 1),
        _ => url,
    };
    let request = Request::get(&url)?;
    let (trace, exists, missing) = settled(&request, tracer)?;
    let place = place(tracer.config(), route.location.directive.span());
    let host = site.names.first().map_or("localhost", String::as_str);
    let mut head = format!(
        "\n# {}\n[[route]]\nname = {}\nrequest = {}\n",
        plain(&place),
        quoted(&format!("{} of {host}", route.location)),
        quoted(&url)
    );
    for (key, paths) in [("exists", exists), ("missing", missing)] {
        if !paths.is_empty() {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            writeln!(head, "{key} = [{}]", paths.join(", ")).expect("a string takes everything");
        }
    }
    // Only what is found to hold is stated.
    let lines = expectations(&trace);
    let file = format!("{head}{}\n", lines.join("\n"));
    let suite = read(Path::new("draft"), file.into_bytes())
        .map_err(|_| "its request cannot be written down".to_owned())?;
    let one = suite.routes.first().ok_or("it has no request")?;
    let judged = judge.judge(one);
    let mut reason = None;
    let mut holding = String::new();
    for (line, verdict) in lines.iter().zip(&judged.verdicts) {
        match verdict {
            Verdict::Held => {
                holding.push_str(line);
                holding.push('\n');
            }
            Verdict::Undecided(why) => {
                reason.get_or_insert(why.clone());
            }
            Verdict::Failed { .. } => {}
        }
    }
    match holding.is_empty() {
        true => Err(reason.unwrap_or_else(|| "nothing about it is certain".to_owned())),
        false => Ok(head + &holding),
    }
}

/// What becomes of a request when all that is assumed about files is so, and the files that exist and do not.
fn settled<'c>(
    request: &Request,
    tracer: &Tracer<'c>,
) -> Result<(Trace<'c>, Vec<String>, Vec<String>), String> {
    let mut disk = Disk::default();
    let (mut exists, mut missing) = (Vec::new(), Vec::new());
    for _ in 0..FILES {
        let trace = tracer.trace_on(request, &disk)?;
        let open = trace.assumptions.iter().find_map(|one| match &one.about {
            About::File(path, taken) if disk.get(path).is_none() => Some((path.clone(), *taken)),
            _ => None,
        });
        // The path of a folder that a client asks for leads to one.
        let open = open.map(|(path, taken)| match path.ends_with(b"/") {
            true => (path, Entry::Folder),
            false => (path, taken),
        });
        let Some((path, taken)) = open else {
            return Ok((trace, exists, missing));
        };
        let path = String::from_utf8(path).map_err(|_| "the name of a file is not UTF-8")?;
        let path = path.trim_end_matches('/').to_owned();
        match taken {
            Entry::File => {
                disk.add(path.as_bytes());
                exists.push(path);
            }
            Entry::Folder => {
                disk.add(format!("{path}/").as_bytes());
                exists.push(format!("{path}/"));
            }
            Entry::Missing => {
                disk.remove(path.as_bytes());
                missing.push(path);
            }
        }
    }
    Err("it depends on too many files".to_owned())
}

/// What an answer lets expect, as lines of the file.
fn expectations(trace: &Trace<'_>) -> Vec<String> {
    let outcome = &trace.outcome;
    let mut wanted = Vec::new();
    wanted.push(Wanted::Location(
        trace.location.as_ref().map(ToString::to_string),
    ));
    match outcome {
        Outcome::Proxy(proxy) => {
            wanted.push(Wanted::Url(url(outcome)));
            if proxy.websocket == WebSocket::Complete {
                wanted.push(Wanted::WebSocket(true));
            }
        }
        Outcome::Pass(_) => wanted.push(Wanted::Url(url(outcome))),
        Outcome::Close => wanted.push(Wanted::Status(None)),
        Outcome::File { path, status } => {
            wanted.extend(status.map(|status| Wanted::Status(Some(status))));
            wanted.push(Wanted::File(Some(path.clone())));
        }
        outcome => wanted.extend(outcome.status().map(|status| Wanted::Status(Some(status)))),
    }
    let to = redirect(outcome);
    wanted.extend(to.is_some().then_some(Wanted::Redirect(to)));
    let mut lines: Vec<String> = wanted
        .iter()
        .map(|wanted| {
            let value = match wanted {
                Wanted::Status(Some(_)) | Wanted::WebSocket(_) => wanted.to_string(),
                Wanted::Location(None) | Wanted::Status(None) => "false".to_owned(),
                wanted => quoted(&wanted.to_string()),
            };
            format!("expect.{} = {value}", wanted.key())
        })
        .collect();
    if let Outcome::Proxy(proxy) = outcome {
        let time = quoted(&duration(proxy.read_timeout));
        lines.push(format!("expect.read-timeout = {time}"));
    }
    lines
}

fn place(config: &Config, span: Span) -> String {
    let file = config.sources().file(span.file);
    format!("{}:{}", file.name(), file.position(span.start).line)
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    // Of the characters that JSON leaves as they are, TOML takes all but this one.
    let text = serde_json::Value::from(text).to_string();
    text.replace('\u{7f}', "\\u007F")
}

/// A text for a comment, in which no control character may stand.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "?")
}
