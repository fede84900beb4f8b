//! Whether nginx comes to match a regex with a text that a client sends.

use super::choice::{Choice, choose, tries};
use super::example::{Example, example, rewrites};
use crate::config::{Config, Directive, Location, Server, Subject, Tested};
use crate::nginx::{self, Contexts};

/// What a request that brings a text to a regex comes to, when the match is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The request without the text, which its path, its arguments or a header holds; nothing when none is certain.
    pub request: Option<Example>,
}

/// The attempt to match a regex of a directive with a text; nothing when the text does not come so far, or may not.
///
/// Where the text is the path, it is the target of the request.
pub fn attempt(
    directive: Directive<'_>,
    tested: &Tested<'_>,
    text: &[u8],
    target: &str,
) -> Option<Attempt> {
    if directive.context() == Contexts::MAP {
        let map = directive.parent()?;
        let earlier = map.children().take_while(|line| line.precedes(directive));
        let is_free = earlier
            .flat_map(Directive::tested)
            .all(|other| misses(&other, text));
        return is_free.then(|| Attempt {
            request: used(map).and_then(|place| match tested.subject {
                Subject::Path | Subject::Target => is_chosen(place, text)
                    .then(|| request(place, Some(target)))
                    .flatten(),
                _ => request(place, None),
            }),
        });
    }
    if directive.is("server_name") {
        let server = server(directive)?;
        let request = Example::at_port(server);
        return is_unnamed(directive, tested, text).then_some(Attempt { request });
    }
    if tested.subject == Subject::Referer {
        let is_earlier = |other: &Tested<'_>| other.regex.span != tested.regex.span;
        let earlier = directive.tested().into_iter().take_while(is_earlier);
        let condition = directive
            .parent()?
            .own("if")
            .find(|condition| names(*condition, b"invalid_referer"));
        let is_free = earlier.into_iter().all(|other| misses(&other, text));
        return condition.filter(|_| is_free).map(|condition| Attempt {
            request: request(condition, None),
        });
    }
    if tested.subject == Subject::Target {
        return is_chosen(directive, text).then(|| Attempt {
            request: request(directive, Some(target)),
        });
    }
    if tested.subject != Subject::Path {
        return Some(Attempt {
            request: request(directive, None),
        });
    }
    if directive.visibility() == crate::config::Visibility::Partial {
        return None;
    }
    if let Some(server) = server(directive) {
        let is_answered = server.directive.own("return").next().is_some();
        let is_own = directive.parent() == Some(server.directive);
        let is_rewritten = !is_own && rewrites(server.directive, text);
        if is_answered || is_rewritten {
            return None;
        }
    }
    if let Some(location) = Location::of(directive) {
        let request = || Some(Example::of_server(location.server()?, target));
        return tries(&location, text).then(|| Attempt { request: request() });
    }
    is_chosen(directive, text).then(|| Attempt {
        request: request(directive, Some(target)),
    })
}

/// True when a path leads to the location around a directive, or none is around it.
fn is_chosen(directive: Directive<'_>, path: &[u8]) -> bool {
    location(directive).is_none_or(|location| {
        let server = location.server();
        server.is_some_and(|server| choose(server, path) == Choice::Location(location))
    })
}

/// True when no other name of a server, which nginx would look at before, takes a host.
fn is_unnamed(directive: Directive<'_>, tested: &Tested<'_>, host: &[u8]) -> bool {
    directive.config().servers().all(|server| {
        let mut names = server.names();
        let is_wild = names.any(|name| match &name[..] {
            [b'*', rest @ ..] => host.ends_with(rest),
            [b'.', rest @ ..] => host.ends_with(rest),
            [rest @ .., b'*'] => host.starts_with(rest),
            name => name == host,
        });
        let earlier = server
            .directive
            .own("server_name")
            .flat_map(Directive::tested);
        let mut earlier = earlier.take_while(|other| other.regex.span != tested.regex.span);
        !is_wild
            && (directive.precedes(server.directive) || earlier.all(|other| misses(&other, host)))
    })
}

/// True when a directive looks a variable up, whose name is in lower case.
fn names(directive: Directive<'_>, name: &[u8]) -> bool {
    directive.arguments().any(|word| {
        let mut names = nginx::references(&word).into_iter();
        names.any(|found| found.name.to_ascii_lowercase().as_bytes() == name)
    })
}

fn misses(other: &Tested<'_>, text: &[u8]) -> bool {
    let regex = std::str::from_utf8(&other.regex).ok().and_then(|regex| {
        let mut builder = pcre2::bytes::RegexBuilder::new();
        builder.caseless(other.is_caseless).build(regex).ok()
    });
    regex.is_some_and(|regex| regex.is_match(text).is_ok_and(|hit| !hit))
}

fn server(directive: Directive<'_>) -> Option<Server<'_>> {
    let mut around = directive.ancestors();
    let block = around.find(|block| block.inside() == Contexts::SERVER)?;
    block
        .config()
        .servers()
        .find(|server| server.directive == block)
}

fn location(directive: Directive<'_>) -> Option<Location<'_>> {
    directive.ancestors().find_map(Location::of)
}

/// A directive that nginx carries out for a request and that looks the variable of a `map` up.
fn used(map: Directive<'_>) -> Option<Directive<'_>> {
    let name = map.argument(1)?;
    let name = name.strip_prefix(b"$")?.to_ascii_lowercase();
    let config: &Config = map.config();
    let uses = |directive: &Directive<'_>| {
        let is_run = directive.is("if") || directive.is("set") || directive.is("return");
        is_run && directive.subsystem() == Some(nginx::Subsystem::Http) && names(*directive, &name)
    };
    config.directives().find(uses)
}

/// A request for which nginx certainly carries out a directive of the rewrite module, or what stands beside one.
fn request(directive: Directive<'_>, target: Option<&str>) -> Option<Example> {
    let block = directive.parent()?;
    let decides = |other: Directive<'_>| {
        ["return", "rewrite", "break", "if"]
            .iter()
            .any(|name| other.is(name))
    };
    let mut earlier = block
        .children()
        .take_while(|other| other.precedes(directive));
    if earlier.any(decides) {
        return None;
    }
    match block.inside() {
        Contexts::SERVER => {
            let server = server(directive)?;
            let example = Example::before_all(server, target.unwrap_or("/"));
            Some(example)
        }
        Contexts::LOCATION => {
            let location = Location::of(block)?;
            match target {
                Some(target) => Some(Example::of_server(location.server()?, target)),
                None => example(&location, &["", "x", "x/"]),
            }
        }
        _ => None,
    }
}

/// A request whose answer a directive certainly has a part in: an `if`, or a header that is added.
pub fn request_to(directive: Directive<'_>) -> Option<Example> {
    if directive.is("if") {
        return request(directive, None);
    }
    let block = directive.parent()?;
    match block.inside() {
        Contexts::LOCATION => example(&Location::of(block)?, &["", "x", "x/"]),
        Contexts::LOCATION_IF => request(block, None),
        Contexts::SERVER => {
            let server = server(directive)?;
            let is_inherited = match choose(server, b"/") {
                Choice::Server => true,
                Choice::Location(location) => location
                    .directive
                    .effective("add_header")
                    .directives
                    .contains(&directive),
                Choice::Redirect(_) | Choice::Unknown => false,
            };
            is_inherited.then(|| Example::of_server(server, "/"))
        }
        _ => None,
    }
}

impl Example {
    /// The request as a command for a shell, with a text, as the shell makes it, in the place of its subject.
    pub fn shell(&self, subject: &Subject, text: &str) -> Option<String> {
        let url = |target: String| self.at(target).url("http");
        let plain = || url(self.target.clone());
        let header =
            |name: &str, text: String| Some(format!("curl -H \"{name}: {text}\" {}", plain()?));
        let quoted = |target: String| Some(format!("curl \"{}\"", url(target)?));
        match subject {
            Subject::Path | Subject::Target => quoted(text.to_owned()),
            Subject::Arguments => quoted(format!("{}?{text}", self.target)),
            Subject::Argument(name) => quoted(format!("{}?{name}={text}", self.target)),
            Subject::Header(name) => header(name, text.to_owned()),
            Subject::Cookie(name) => header("Cookie", format!("{name}={text}")),
            Subject::Host => header("Host", text.to_owned()),
            Subject::Referer => header("Referer", format!("http://{text}")),
        }
    }
}
