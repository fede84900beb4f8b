//! What a file of statements says.

use std::fmt;

use crate::routing::{Disk, Request};
use crate::source::{FileId, Sources, Span};

/// A file of statements.
#[derive(Debug)]
pub struct Suite {
    /// The file.
    pub sources: Sources,
    /// Its number among the sources.
    pub file: FileId,
    /// The statements in their order.
    pub routes: Vec<Route>,
}

/// What is stated about a request, or about all below a path.
#[derive(Debug)]
pub struct Route {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// The request; that for the path itself when all below it are meant.
    pub request: Request,
    /// Which requests are meant.
    pub asked: Asked,
    /// What is said about files.
    pub disk: Disk,
    /// What has to hold.
    pub expectations: Vec<Expectation>,
}

/// Which requests are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The one.
    One,
    /// Every one whose path, as nginx normalises it, begins so; with any query.
    Below(Vec<u8>),
}

impl Route {
    /// The request or requests, for people.
    pub fn requests(&self) -> String {
        let (method, url) = (&self.request.method, self.request.url());
        match self.asked {
            Asked::One => format!("{method} {url}"),
            Asked::Below(_) => format!("every {method} below {url}"),
        }
    }
}

/// Something that has to hold.
#[derive(Debug)]
pub struct Expectation {
    /// Where it stands.
    pub span: Span,
    /// What.
    pub wanted: Wanted,
}

/// What is wanted of an answer; nothing where the file says `false`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// What the upstream is asked for: where it is, and the URI.
    Url(Option<String>),
    /// The location that answers, as it is written.
    Location(Option<String>),
    /// The status that nginx itself sets; nothing for a connection that is closed without an answer.
    Status(Option<u16>),
    /// The `Location` that nginx itself answers with.
    Redirect(Option<String>),
    /// A header that the upstream receives.
    Header(String, Option<String>),
    /// A parameter that a FastCGI, uwsgi or SCGI server receives.
    Param(String, Option<String>),
    /// Whether the handshake can complete.
    WebSocket(bool),
    /// How long the upstream may be silent.
    ReadTimeout(Bound),
    /// The file that is sent.
    File(Option<String>),
}

impl Wanted {
    /// The key below `expect`.
    pub fn key(&self) -> String {
        match self {
            Self::Url(_) => "url".to_owned(),
            Self::Location(_) => "location".to_owned(),
            Self::Status(_) => "status".to_owned(),
            Self::Redirect(_) => "redirect".to_owned(),
            Self::Header(name, _) => format!("header.{name}"),
            Self::Param(name, _) => format!("param.{name}"),
            Self::WebSocket(_) => "websocket".to_owned(),
            Self::ReadTimeout(_) => "read-timeout".to_owned(),
            Self::File(_) => "file".to_owned(),
        }
    }
}

impl fmt::Display for Wanted {
    /// The value, as it is written in the file but for its quotes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Url(text)
            | Self::Location(text)
            | Self::Redirect(text)
            | Self::Header(_, text)
            | Self::Param(_, text)
            | Self::File(text) => text.clone(),
            Self::Status(status) => status.map(|status| status.to_string()),
            Self::WebSocket(wanted) => Some(wanted.to_string()),
            Self::ReadTimeout(bound) => Some(bound.written.clone()),
        };
        match text {
            Some(text) if text.is_empty() => formatter.write_str("\"\""),
            Some(text) => formatter.write_str(&text),
            None => formatter.write_str("false"),
        }
    }
}

/// A time, or what times are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// As it is written: `>= 1h`.
    pub written: String,
    /// True when less counts.
    pub less: bool,
    /// True when more counts.
    pub more: bool,
    /// True when the time itself counts.
    pub equal: bool,
    /// In milliseconds.
    pub time: u64,
}

impl Bound {
    /// Reads `60s`, `>= 1h`, `> 1h`, `<= 5s` or `< 5s`, with a time as in nginx.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, time) = match text.find(|letter: char| letter.is_ascii_digit()) {
            Some(at) => text.split_at(at),
            None => return None,
        };
        let (less, more, equal) = match sign.trim() {
            "" | "=" | "==" => (false, false, true),
            ">=" => (false, true, true),
            ">" => (false, true, false),
            "<=" => (true, false, true),
            "<" => (true, false, false),
            _ => return None,
        };
        Some(Self {
            written: text.to_owned(),
            less,
            more,
            equal,
            time: crate::nginx::milliseconds(time.trim().as_bytes())?,
        })
    }

    /// True when a time, in milliseconds, is as it has to be.
    pub fn holds(&self, time: u64) -> bool {
        self.less && time < self.time
            || self.more && time > self.time
            || self.equal && time == self.time
    }
}

#[cfg(test)]
mod tests {
    use super::Bound;

    #[test]
    fn times_are_compared_as_the_sign_says() {
        let holds = |text: &str, time| Bound::parse(text).expect("a bound").holds(time);
        for (text, expected) in [
            ("60s", [false, true, false]),
            ("= 1m", [false, true, false]),
            (">= 60s", [false, true, true]),
            ("> 60s", [false, false, true]),
            ("<=60s", [true, true, false]),
            ("< 1m", [true, false, false]),
        ] {
            let found = [59_999, 60_000, 60_001].map(|time| holds(text, time));
            assert_eq!(found, expected, "{text}");
        }
        for wrong in ["", "x", ">", "=> 1s", "~ 1s", "1 fortnight"] {
            assert!(Bound::parse(wrong).is_none(), "{wrong}");
        }
    }
}
