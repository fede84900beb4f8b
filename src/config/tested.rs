//! What clients send that regexes of the configuration are matched with.

use std::fmt;

use super::{Config, Directive, Word};
use crate::nginx::{self, Contexts};

/// The size of the buffer for a request line or a header, unless `large_client_header_buffers` says otherwise.
const LINE: usize = 8 * 1024;

/// A text of which a client chooses every byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The path of the request, normalised.
    Path,
    /// The target of the request as the client sends it.
    Target,
    /// What follows the `?`.
    Arguments,
    /// One argument, by its name.
    Argument(String),
    /// The value of a header, by the name that a client sends.
    Header(String),
    /// The value of a cookie, by its name.
    Cookie(String),
    /// The host that the client asks for, in lower case and without a port.
    Host,
    /// What follows `http://` or `https://` in the header `Referer`.
    Referer,
}

impl Subject {
    /// The text behind a variable; nothing when nginx or an upstream has a say in it.
    fn of(variable: &str) -> Option<Self> {
        let variable = variable.to_ascii_lowercase();
        Some(match variable.as_str() {
            "uri" | "document_uri" => Self::Path,
            "request_uri" => Self::Target,
            "args" | "query_string" => Self::Arguments,
            "host" | "http_host" => Self::Host,
            name => {
                if let Some(name) = name.strip_prefix("arg_") {
                    Self::Argument(name.to_owned())
                } else if let Some(name) = name.strip_prefix("cookie_") {
                    Self::Cookie(name.to_owned())
                } else {
                    Self::Header(header(name.strip_prefix("http_")?))
                }
            }
        })
    }
}

impl fmt::Display for Subject {
    /// As it is called in a sentence.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => formatter.write_str("the path"),
            Self::Target => formatter.write_str("the target"),
            Self::Arguments => formatter.write_str("the query"),
            Self::Argument(name) => write!(formatter, "the argument `{name}`"),
            Self::Header(name) => write!(formatter, "the header `{name}`"),
            Self::Cookie(name) => write!(formatter, "the cookie `{name}`"),
            Self::Host => formatter.write_str("the header `Host`"),
            Self::Referer => formatter.write_str("the header `Referer`"),
        }
    }
}

/// The name of a header as clients write it: `user_agent` is `User-Agent`.
fn header(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

/// A regex that is matched with what clients send.
#[derive(Debug, Clone)]
pub struct Tested<'c> {
    /// The regex without the `~` before it.
    pub regex: Word<'c>,
    /// True when case does not count.
    pub is_caseless: bool,
    /// What it is matched with.
    pub subject: Subject,
}

impl<'c> Directive<'c> {
    /// The regexes of this directive that are matched with what clients send: those of locations, names of servers,
    /// rewrites, conditions, maps and referers.
    pub fn tested(self) -> Vec<Tested<'c>> {
        const NAMES: [&str; 5] = ["location", "rewrite", "if", "server_name", "valid_referers"];
        let may_have = match self.context() {
            Contexts::MAP => self.name().starts_with(b"~"),
            _ => NAMES.iter().any(|name| self.is(name)),
        };
        let Some(subject) = may_have.then(|| self.subject()).flatten() else {
            return Vec::new();
        };
        let patterns = self.patterns().into_iter();
        let patterns = patterns.filter(|pattern| !self.config.is_filled_in(&pattern.word));
        let tested = |pattern: super::regex::Pattern<'c>| Tested {
            regex: pattern.word,
            is_caseless: pattern.is_caseless,
            subject: subject.clone(),
        };
        patterns.map(tested).collect()
    }

    /// What the regexes of this directive are matched with, if clients choose it.
    fn subject(self) -> Option<Subject> {
        if self.context() == Contexts::MAP {
            return self.parent()?.source();
        }
        if self.subsystem() != Some(nginx::Subsystem::Http) && self.config.fragment.is_none() {
            return None;
        }
        if self.is("location") || self.is("rewrite") {
            Some(Subject::Path)
        } else if self.is("server_name") {
            Some(Subject::Host)
        } else if self.is("valid_referers") {
            Some(Subject::Referer)
        } else if self.is("if") {
            let first = self
                .arguments()
                .find_map(|word| variable(word.strip_prefix(b"(").unwrap_or(&word)))?;
            Subject::of(&first)
        } else {
            None
        }
    }

    /// What a `map` of the http part looks up, if it is one text that clients choose.
    pub fn source(self) -> Option<Subject> {
        if !self.is("map") || self.context() != Contexts::HTTP {
            return None;
        }
        Subject::of(&variable(&self.argument(0)?)?)
    }
}

/// The variable that is all of a value.
fn variable(value: &[u8]) -> Option<String> {
    let mut found = nginx::references(value).into_iter();
    let whole = found.next().filter(|found| found.range == (0..value.len()));
    whole.map(|found| found.name)
}

impl Config {
    /// How many bytes a request line or a header may certainly have: the least that the configuration says, or nginx's
    /// default of 8 KB if that is less.
    pub fn certain_line(&self) -> usize {
        let sizes = self
            .directives()
            .filter(|directive| directive.is("large_client_header_buffers"))
            .filter_map(|directive| nginx::size(&directive.argument(1)?))
            .filter_map(|size| usize::try_from(size).ok());
        sizes.fold(LINE, usize::min)
    }

    /// True when nginx compiles regexes to machine code (`pcre_jit`).
    pub fn has_jit(&self) -> bool {
        self.top().any(|directive| {
            directive.is("pcre_jit") && directive.argument(0).is_some_and(|word| word == "on")
        })
    }
}
