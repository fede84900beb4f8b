//! Locations: what they match, what answers in them.

use std::fmt;
use std::sync::LazyLock;

use super::{Directive, PASSES, Server, Shape, Visibility, Word};
use crate::diagnostic::Edit;
use crate::nginx::Contexts;
use crate::source::Span;

/// How a location's name is compared with a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// `= /x`: the whole URI.
    Exact,
    /// `/x`: its beginning.
    Prefix,
    /// `^~ /x`: its beginning, and the regexes of the same level are not tried.
    PreferentialPrefix,
    /// `~ x`
    Regex,
    /// `~* x`
    CaselessRegex,
    /// `@x`: not with a URI at all.
    Named,
}

impl Modifier {
    /// As it is written; empty for a plain prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "=",
            Self::Prefix => "",
            Self::PreferentialPrefix => "^~",
            Self::Regex => "~",
            Self::CaselessRegex => "~*",
            Self::Named => "@",
        }
    }
}

/// Directives that answer a request from within a location, besides those that pass it on.
const OTHER_HANDLERS: [&str; 16] = [
    "tunnel_pass",
    "empty_gif",
    "stub_status",
    "perl",
    "js_content",
    "content_by_lua",
    "content_by_lua_block",
    "content_by_lua_file",
    "flv",
    "mp4",
    "hls",
    "api",
    "echo",
    "redis2_pass",
    "drizzle_pass",
    "passenger_enabled",
];

/// A `location` block.
#[derive(Clone)]
pub struct Location<'c> {
    /// The block.
    pub directive: Directive<'c>,
    /// How the name is compared.
    pub modifier: Modifier,
    /// The name without its modifier; of a named location with its `@`.
    pub path: Word<'c>,
}

impl PartialEq for Location<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.directive == other.directive
    }
}

impl fmt::Debug for Location<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl fmt::Display for Location<'_> {
    /// The name with its modifier, as `~ ^/api/`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.modifier {
            Modifier::Prefix | Modifier::Named => write!(formatter, "{}", self.path),
            modifier => write!(formatter, "{} {}", modifier.as_str(), self.path),
        }
    }
}

impl<'c> Directive<'c> {
    /// The directive in this block that answers requests: the last content handler, which wins silently.
    pub fn handler(self) -> Option<Self> {
        // Asked for with every request that is followed, so that their names are looked up once.
        static KNOWN: LazyLock<Vec<usize>> = LazyLock::new(|| {
            let names = PASSES.iter().chain(&OTHER_HANDLERS);
            names
                .filter_map(|name| crate::nginx::directive_index(name.as_bytes()))
                .collect()
        });
        let last = |index: &usize| {
            let mut rows = self
                .config
                .rows(Some(self.id), |known| usize::from(known).cmp(index));
            rows.next_back()
        };
        KNOWN.iter().filter_map(last).max_by_key(|found| found.id)
    }
}

impl<'c> Location<'c> {
    /// Reads the arguments of a `location` as `ngx_http_core_location` does; nothing when nginx refuses them.
    pub fn of(directive: Directive<'c>) -> Option<Self> {
        if directive.inside() != Contexts::LOCATION {
            return None;
        }
        let mut arguments = directive.arguments();
        let first = arguments.next()?;
        let (modifier, path) = match arguments.next() {
            Some(path) => {
                let modifier = match first.value.as_ref() {
                    b"=" => Modifier::Exact,
                    b"^~" => Modifier::PreferentialPrefix,
                    b"~" => Modifier::Regex,
                    b"~*" => Modifier::CaselessRegex,
                    _ => return None,
                };
                (modifier, path)
            }
            None => {
                let (modifier, length) = match first.value.as_ref() {
                    [b'=', ..] => (Modifier::Exact, 1),
                    [b'^', b'~', ..] => (Modifier::PreferentialPrefix, 2),
                    [b'~', b'*', ..] => (Modifier::CaselessRegex, 2),
                    [b'~', ..] => (Modifier::Regex, 1),
                    [b'@', ..] => (Modifier::Named, 0),
                    _ => (Modifier::Prefix, 0),
                };
                (
                    modifier,
                    if length == 0 {
                        first
                    } else {
                        first.tail(length)
                    },
                )
            }
        };
        Some(Self {
            directive,
            modifier,
            path,
        })
    }

    /// True for a plain or a `^~` prefix.
    pub fn is_prefix(&self) -> bool {
        matches!(
            self.modifier,
            Modifier::Prefix | Modifier::PreferentialPrefix
        )
    }

    /// An edit that ends the name of a prefix with a slash, where no other prefix has that name and all that is nested in
    /// the location would still lie below it.
    pub fn end_with_slash(&self) -> Option<Edit> {
        let slashed = [&self.path[..], b"/"].concat();
        let is_below = |inner: &Location<'_>| inner.is_regex() || inner.path.starts_with(&slashed);
        let level = self.level();
        let is_free = !level.named(&slashed).any(|other| other.is_prefix());
        let may_end = is_free
            && self
                .directive
                .locations()
                .iter()
                .all(|inner| is_below(&inner));
        self.path.append("/").filter(|_| may_end)
    }

    /// True for an exact name, and for a regex of the form `^/name$`.
    pub fn is_for_one_path(&self) -> bool {
        let is_literal = |pattern: &[u8]| {
            let pattern = pattern.strip_suffix(b"$")?;
            let pattern = pattern.strip_suffix(b"/?").unwrap_or(pattern);
            Shape::of(pattern).map(|shape| shape.is_prefix_only)
        };
        match self.is_regex() {
            true => is_literal(&self.path) == Some(true),
            false => self.modifier == Modifier::Exact,
        }
    }

    /// True for `~` and `~*`.
    pub fn is_regex(&self) -> bool {
        matches!(self.modifier, Modifier::Regex | Modifier::CaselessRegex)
    }

    /// The server that it belongs to; nothing in a fragment without one.
    pub fn server(&self) -> Option<Server<'c>> {
        let server = self
            .directive
            .ancestors()
            .find(|block| block.inside() == Contexts::SERVER)?;
        Some(Server::new(server))
    }

    /// The location that it is nested in.
    pub fn parent(&self) -> Option<Self> {
        self.directive
            .parent()
            .filter(|block| block.inside() == Contexts::LOCATION)
            .and_then(Self::of)
    }

    /// The directive that answers requests here: the last content handler in the block, which wins silently.
    pub fn handler(&self) -> Option<Directive<'c>> {
        self.directive.handler()
    }

    /// A `return` in the block itself, which answers before anything else here.
    pub fn own_return(&self) -> Option<Directive<'c>> {
        self.directive.own("return").next()
    }

    /// The HTML file that `try_files` sends from here where there is no other, if nothing else answers.
    pub fn fallback_page(&self) -> Option<Word<'c>> {
        let page = self.directive.own("try_files").next()?.arguments().last()?;
        let is_html = page.ends_with(b".html") || page.ends_with(b".htm");
        let is_page = page.starts_with(b"/") && is_html && !page.has_variables();
        (is_page && self.handler().is_none() && self.own_return().is_none()).then_some(page)
    }

    /// Edits that make a regex of a prefix or exact name, anchored at its beginning.
    pub fn as_regex(&self) -> Vec<Edit> {
        let edits = || {
            let first = self.directive.argument(0)?;
            let anchor = self.path.prepend("^")?;
            if self.directive.argument(1).is_some() {
                return Some(vec![Edit::replace(first.span, "~"), anchor]);
            }
            // A glued modifier is a part of the first word, and inside its quotes.
            let modifier = Span {
                end: self.path.span.start,
                ..first.span
            };
            match (first.is_quoted(), self.modifier) {
                (false, _) => Some(vec![Edit::replace(modifier, "~ ^")]),
                (true, Modifier::Prefix) => {
                    Some(vec![Edit::insert_before(first.span, "~ "), anchor])
                }
                (true, _) => None,
            }
        };
        edits().unwrap_or_default()
    }

    /// An edit that makes a plain prefix one that keeps regexes from being tried.
    pub fn prefer(&self) -> Option<Edit> {
        let first = self.directive.argument(0)?;
        (self.modifier == Modifier::Prefix).then(|| Edit::insert_before(first.span, "^~ "))
    }

    /// An edit that makes a plain prefix of a `^~` one; nothing for one that is glued to its name in quotes.
    pub fn drop_preference(&self) -> Option<Edit> {
        let first = self.directive.argument(0)?;
        let is_glued = self.directive.argument(1).is_none();
        let modifier = Span {
            end: self.path.span.start,
            ..first.span
        };
        let is_written =
            self.modifier == Modifier::PreferentialPrefix && !(is_glued && first.is_quoted());
        is_written.then(|| Edit::delete(modifier))
    }

    /// An edit that puts copies of other locations at the end of the block of this one.
    pub fn nest(&self, others: &[Self]) -> Option<Edit> {
        let config = self.directive.config();
        let span = self.directive.full_span();
        let brace = Span {
            start: span.end.checked_sub(1)?,
            ..span
        };
        let indentation = config.indentation(span);
        let first = self.directive.children().next();
        let deeper = first
            .filter(|child| child.span().file == span.file)
            .map_or(indentation.clone(), |child| {
                config.indentation(child.span())
            });
        let step = deeper.strip_prefix(&*indentation).unwrap_or_default();
        let lines: Vec<String> = others
            .iter()
            .map(|other| {
                let own = other.directive.full_span();
                let outer = config.indentation(own);
                let text = config.text(own).into_owned();
                let lines = text
                    .split('\n')
                    .map(|line| match line.strip_prefix(&*outer) {
                        Some(rest) => format!("{indentation}{step}{rest}"),
                        None => line.to_owned(),
                    });
                let text = lines.collect::<Vec<_>>().join("\n");
                match text.starts_with(&*deeper) {
                    true => text,
                    false => format!("{deeper}{text}"),
                }
            })
            .collect();
        Some(config.insert_lines(brace, &lines))
    }

    /// True when only internal redirects reach it.
    pub fn is_internal(&self) -> bool {
        self.modifier == Modifier::Named
            || self.directive.effective("internal").directive().is_some()
    }

    /// How much is visible of what could change it.
    pub fn visibility(&self) -> Visibility {
        self.directive.visibility()
    }
}
