//! Directives that nginx takes with a warning, does nothing with, or will refuse.

use super::{Directive, Server, Visibility};
use crate::diagnostic::Edit;
use crate::nginx::{Form, Version};
use crate::source::Span;

/// From here on `http2` of a `listen` is deprecated, and a directive of its own.
const HTTP2_DIRECTIVE: Version = Version(1, 25, 1);

impl Directive<'_> {
    /// The form that judges it, when the nginx that reads it, or one that may, has grown out of it.
    pub fn retired(self) -> Option<&'static Form> {
        let version = self.config.version();
        let passed = |since: Option<Version>| since.is_some_and(|since| since <= version);
        let is_retired =
            |form: &Form| passed(form.deprecated) || passed(form.ignored) || passed(form.gone);
        let known = self.known()?;
        // Most directives have been the same forever.
        if !known.forms.iter().any(is_retired) {
            return None;
        }
        let first = self.form()?;
        self.forms().all(is_retired).then_some(first)
    }
}

/// The `http2` parameters of a server, and how to write them as a directive.
#[derive(Debug)]
pub struct Http2Parameters<'c> {
    /// The `listen` directives that have one.
    pub listens: Vec<Directive<'c>>,
    /// The edits that put `http2 on` in their place.
    pub edits: Vec<Edit>,
    /// True when nobody else notices: all sockets of the server have the parameter, and no other server has them.
    pub is_safe: bool,
}

impl<'c> Server<'c> {
    /// The `http2` parameters of its `listen` directives, where nginx warns of them.
    pub fn http2_parameters(self) -> Option<Http2Parameters<'c>> {
        let config = self.directive.config;
        if config.version() < HTTP2_DIRECTIVE {
            return None;
        }
        let has = |listen: &Directive<'_>| listen.arguments().skip(1).any(|word| word == "http2");
        let listens: Vec<_> = self.listens().filter(has).collect();
        let last = *listens.last()?;
        let mut edits: Vec<Edit> = listens
            .iter()
            .flat_map(|listen| without_http2(*listen))
            .collect();
        let mut others = self.directive.own("http2");
        if others.next().is_none() {
            edits.push(last.append_lines(&["http2 on;"]));
        }
        let is_safe = config.version.is_some()
            && config.visibility_of_definitions() == Visibility::Whole
            && self.listens().all(|listen| has(&listen))
            && self.has_ports_alone();
        Some(Http2Parameters {
            listens,
            edits,
            is_safe,
        })
    }
}

fn without_http2(listen: Directive<'_>) -> impl Iterator<Item = Edit> {
    let mut before = listen.name().span;
    let mut edits = Vec::new();
    for word in listen.arguments() {
        if word == "http2" {
            let mut gone = word.span;
            let between = Span {
                start: before.end,
                end: gone.start,
                ..gone
            };
            if listen.config.text(between).trim().is_empty() {
                gone.start = before.end;
            }
            edits.push(Edit::delete(gone));
        }
        before = word.span;
    }
    edits.into_iter()
}
