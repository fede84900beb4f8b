//! What happens to answers on their way back: replaced texts, and errors that become pages.

use super::{Directive, Location, Proxied, Shape, Visibility, Word};
use crate::nginx::Contexts;

/// Names of codings that a header may ask a backend for.
const CODINGS: [&[u8]; 6] = [b"gzip", b"deflate", b"br", b"zstd", b"compress", b"*"];

/// Segments of paths that programs ask for.
const OF_PROGRAMS: [&[u8]; 5] = [b"api", b"graphql", b"rest", b"rpc", b"jsonrpc"];

impl<'c> Proxied<'c> {
    /// The first directive that replaces text in answers here, if the backend is asked for compressed ones: then there is
    /// no text to be found (`ngx_http_sub_header_filter` does not look at `Content-Encoding`).
    pub fn replaces_compressed(&self) -> Option<Directive<'c>> {
        let first = |name| self.scope.effective(name).directives.first().copied();
        let filter = first("sub_filter").or_else(|| first("subs_filter"))?;
        let asks = |value: Word<'_>| {
            value.eq_ignore_ascii_case(b"$http_accept_encoding")
                || value.split(|byte| *byte == b',').any(asks_for_coding)
        };
        let passes = match self.headers().get("Accept-Encoding") {
            Some(header) => header.argument(1).is_some_and(asks),
            None => self.scope.flag("proxy_pass_request_headers") != Some(false),
        };
        passes.then_some(filter)
    }

    /// An `error_page` that puts a page in the place of what the API here says with an error: the page and the taking of
    /// errors are those of the server or further out, so that they were not written for the API.
    pub fn intercepted(&self) -> Option<Intercepted<'c>> {
        let outer = Contexts::SERVER.union(Contexts::HTTP);
        let is_outer = |directive: &Directive<'c>| directive.context().intersects(outer);
        let switch = self.scope.effective("proxy_intercept_errors").directive();
        let switch = switch.filter(is_outer)?;
        if self.scope.flag("proxy_intercept_errors") != Some(true)
            || !self.location.is_of_programs()
        {
            return None;
        }
        let pages = self.scope.effective("error_page");
        let visibility = pages.visibility;
        pages
            .directives
            .into_iter()
            .filter(is_outer)
            .find_map(|page| page.page_for_people())
            .map(|(page, code, target, status)| Intercepted {
                switch,
                page,
                code,
                target,
                status,
                visibility,
            })
    }
}

/// An error of an API that reaches the client as a page.
#[derive(Debug, Clone)]
pub struct Intercepted<'c> {
    /// The directive by which errors are taken.
    pub switch: Directive<'c>,
    /// The `error_page`.
    pub page: Directive<'c>,
    /// The first error from 400 to 493 that it is for.
    pub code: u16,
    /// The page.
    pub target: Word<'c>,
    /// The status that the client gets with it; nothing where that is up to the page.
    pub status: Option<u16>,
    /// How much is visible of the pages.
    pub visibility: Visibility,
}

impl<'c> Directive<'c> {
    /// Of an `error_page`: itself, its first error of a client, its page if it is one of HTML, and the status that this
    /// has (`ngx_http_core_error_page`).
    fn page_for_people(self) -> Option<(Self, u16, Word<'c>, Option<u16>)> {
        let mut words: Vec<Word<'c>> = self.arguments().collect();
        let target = words.pop()?;
        let is_page = target.starts_with(b"/")
            && (target.ends_with(b".html") || target.ends_with(b".htm"))
            && !target.has_variables();
        let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u16>().ok();
        let code = words
            .iter()
            .filter_map(|word| number(word))
            // nginx has the codes from 494 on for itself, and answers 400 to them.
            .find(|code| (400..494).contains(code))?;
        let status = match words.iter().find_map(|word| word.strip_prefix(b"=")) {
            None => Some(code),
            Some(other) => number(other),
        };
        is_page.then_some((self, code, target, status))
    }
}

impl Location<'_> {
    /// True when a segment of its path says that programs ask here.
    fn is_of_programs(&self) -> bool {
        let path = match self.is_regex() {
            false => self.path.to_vec(),
            true => Shape::of(&self.path).map_or_else(Vec::new, |shape| shape.prefix),
        };
        path.split(|byte| *byte == b'/').any(|segment| {
            OF_PROGRAMS
                .iter()
                .any(|known| segment.eq_ignore_ascii_case(known))
        })
    }
}

/// True for an item of `Accept-Encoding` that takes a compressed answer; one with the weight 0 refuses it.
fn asks_for_coding(item: &[u8]) -> bool {
    let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let coding = parts.next().unwrap_or_default();
    let is_refused = |parameter: &[u8]| {
        let text = String::from_utf8_lossy(parameter).to_lowercase();
        let weight = text.strip_prefix("q=").map(str::parse::<f32>);
        weight.is_some_and(|weight| weight == Ok(0.0))
    };
    CODINGS
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known))
        && !parts.any(is_refused)
}
