//! What nginx itself defines: directives, variables, defaults by version, and the files of its distributions.
//!
//! Tables compiled into the program, looked up without allocation. Nothing here knows a configuration.

mod directives;
mod script;
mod stock;
mod time;
mod variables;
mod version;

pub use script::{Reference, has_variables, references};
pub use stock::stock_file;
pub use time::milliseconds;
pub use version::Version;

/// A set of contexts that a directive may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Contexts(u32);

impl Contexts {
    /// The top level of a root configuration.
    pub const MAIN: Self = Self(1);
    /// `events {}`
    pub const EVENTS: Self = Self(1 << 1);
    /// `http {}`
    pub const HTTP: Self = Self(1 << 2);
    /// `server {}` in `http`
    pub const SERVER: Self = Self(1 << 3);
    /// `location {}`
    pub const LOCATION: Self = Self(1 << 4);
    /// `if {}` in a server
    pub const SERVER_IF: Self = Self(1 << 5);
    /// `if {}` in a location
    pub const LOCATION_IF: Self = Self(1 << 6);
    /// `limit_except {}`
    pub const LIMIT_EXCEPT: Self = Self(1 << 7);
    /// `upstream {}` in `http`
    pub const UPSTREAM: Self = Self(1 << 8);
    /// The body of a `map`
    pub const MAP: Self = Self(1 << 9);
    /// The body of a `geo`
    pub const GEO: Self = Self(1 << 10);
    /// The body of a `split_clients`
    pub const SPLIT_CLIENTS: Self = Self(1 << 11);
    /// The body of a `types`
    pub const TYPES: Self = Self(1 << 12);
    /// `stream {}`
    pub const STREAM: Self = Self(1 << 13);
    /// `server {}` in `stream`
    pub const STREAM_SERVER: Self = Self(1 << 14);
    /// `upstream {}` in `stream`
    pub const STREAM_UPSTREAM: Self = Self(1 << 15);
    /// `mail {}`
    pub const MAIL: Self = Self(1 << 16);
    /// `server {}` in `mail`
    pub const MAIL_SERVER: Self = Self(1 << 17);
    /// A block of another module
    pub const OTHER: Self = Self(1 << 18);
    /// The named levels at which settings for requests stand.
    pub const HTTP_LEVELS: Self = Self::of(&[Self::HTTP, Self::SERVER, Self::LOCATION]);

    /// The union of several sets.
    pub(crate) const fn of(all: &[Self]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < all.len() {
            bits |= all[index].0;
            index += 1;
        }
        Self(bits)
    }

    /// The contexts in either set.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when the sets have a context in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The contexts in both sets.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The context called `http`, `server`, `location`, `stream`, `upstream`, `main`, `events` or `mail`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "main" => Self::MAIN,
            "events" => Self::EVENTS,
            "http" => Self::HTTP,
            "server" => Self::SERVER,
            "location" => Self::LOCATION,
            "upstream" => Self::UPSTREAM,
            "stream" => Self::STREAM,
            "mail" => Self::MAIL,
            _ => return None,
        })
    }

    /// The last context of a list such as `http,server`; nothing when it names one that there is not.
    pub fn innermost(list: &str) -> Option<Self> {
        let contexts: Option<Vec<Self>> = list
            .split(',')
            .map(|name| Self::named(name.trim()))
            .collect();
        contexts?.last().copied()
    }

    /// The context inside a block called `name` that stands in this context.
    pub fn inside(self, name: &[u8]) -> Self {
        match (name, self) {
            (b"events", _) => Self::EVENTS,
            (b"http", _) => Self::HTTP,
            (b"stream", _) => Self::STREAM,
            (b"mail", _) => Self::MAIL,
            (b"server", Self::HTTP) => Self::SERVER,
            (b"server", Self::STREAM) => Self::STREAM_SERVER,
            (b"server", Self::MAIL) => Self::MAIL_SERVER,
            (b"location", _) => Self::LOCATION,
            (b"if", Self::SERVER) => Self::SERVER_IF,
            (b"if", Self::LOCATION) => Self::LOCATION_IF,
            (b"limit_except", _) => Self::LIMIT_EXCEPT,
            (b"upstream", Self::STREAM) => Self::STREAM_UPSTREAM,
            (b"upstream", _) => Self::UPSTREAM,
            (b"map", _) => Self::MAP,
            (b"geo", _) => Self::GEO,
            (b"split_clients", _) => Self::SPLIT_CLIENTS,
            (b"types", _) => Self::TYPES,
            _ => Self::OTHER,
        }
    }
}

/// How a directive's value comes down from an outer level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherit {
    /// The innermost value stands.
    Scalar,
    /// One use at an inner level drops the whole outer list.
    List,
    /// Not at all.
    Never,
    /// Only into `if` and `limit_except` of the same location.
    Unnamed,
    /// There is just one level to set it at.
    Single,
    /// Not known.
    Unknown,
}

/// One way in which a directive may be written.
#[derive(Debug)]
pub struct Form {
    /// Where it may stand.
    pub contexts: Contexts,
    /// Fewest arguments.
    pub min: u8,
    /// Most arguments; 255 means any number.
    pub max: u8,
    /// True when a block follows.
    pub block: bool,
    /// Bit *n* is set when variables in argument *n* (from 1) are evaluated.
    variables: u16,
    /// How the value is inherited.
    pub inherit: Inherit,
    /// True when a module outside of nginx's own source defines it.
    pub foreign: bool,
}

impl Form {
    /// True when nginx evaluates variables in argument `position`, counted from 1.
    pub fn evaluates(&self, position: usize) -> bool {
        self.variables >> position.min(15) & 1 == 1
    }
}

/// A directive that nginx or a well-known module defines.
#[derive(Debug)]
pub struct Directive {
    /// Its name.
    pub name: &'static str,
    /// Its forms, one for each module and use.
    pub forms: &'static [Form],
}

impl Directive {
    /// The first form that may stand in one of `contexts`.
    pub fn form(&self, contexts: Contexts) -> Option<&'static Form> {
        self.forms
            .iter()
            .find(|form| form.contexts.intersects(contexts))
    }
}

/// Looks a directive up by its name.
pub fn directive(name: &[u8]) -> Option<&'static Directive> {
    directive_index(name).map(|index| &directives::DIRECTIVES[index])
}

/// The place of a directive in the table.
pub fn directive_index(name: &[u8]) -> Option<usize> {
    directives::DIRECTIVES
        .binary_search_by(|row| row.name.as_bytes().cmp(name))
        .ok()
}

/// The name of the directive at a place in the table.
pub fn directive_name(index: usize) -> &'static str {
    directives::DIRECTIVES[index].name
}

/// The part of nginx that a variable belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subsystem {
    /// `http {}`
    Http,
    /// `stream {}`
    Stream,
}

/// The variables that nginx and well-known modules define, in lower case, without those of open families such as
/// `http_…`.
pub fn variables(subsystem: Subsystem) -> &'static [&'static str] {
    match subsystem {
        Subsystem::Http => variables::HTTP,
        Subsystem::Stream => variables::STREAM,
    }
}

/// True when nginx or a well-known module defines this variable; `name` in any case, without the `$`.
pub fn is_variable(name: &str, subsystem: Subsystem) -> bool {
    let (names, prefixes) = match subsystem {
        Subsystem::Http => (variables::HTTP, variables::HTTP_PREFIXES),
        Subsystem::Stream => (variables::STREAM, variables::STREAM_PREFIXES),
    };
    let name = name.to_ascii_lowercase();
    names.binary_search(&name.as_str()).is_ok()
        || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// True when the tables hold the directives of the module in this file, as `load_module` names it.
pub fn is_known_module(path: &[u8]) -> bool {
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let name = std::str::from_utf8(file).unwrap_or_default();
    let name = name.strip_suffix(".so").unwrap_or(name);
    variables::MODULES.binary_search(&name).is_ok()
        || matches!(name, "ngx_stream_module" | "ngx_mail_module")
}

/// Judges a directive wherever it may stand: by its number of arguments, and for a few by their form.
///
/// False only when nginx would refuse every form of the directive; nothing when it is not known.
pub fn accepts(name: &[u8], arguments: &[&[u8]], block: bool) -> Option<bool> {
    let directive = directive(name)?;
    let count = u8::try_from(arguments.len()).unwrap_or(254);
    let counted = directive
        .forms
        .iter()
        .any(|form| form.block == block && (form.min..=form.max).contains(&count));
    Some(counted && !has_refused_parameter(name, arguments))
}

/// Directives whose further arguments come from a closed list, which a swallowed line does not fit.
fn has_refused_parameter(name: &[u8], arguments: &[&[u8]]) -> bool {
    let known: &[&[u8]] = match name {
        b"listen" => &[
            b"bind",
            b"default",
            b"default_server",
            b"deferred",
            b"http2",
            b"multipath",
            b"proxy_protocol",
            b"quic",
            b"reuseport",
            b"spdy",
            b"ssl",
            b"udp",
        ],
        b"error_log" => &[
            b"alert", b"crit", b"debug", b"emerg", b"error", b"info", b"notice", b"warn",
        ],
        _ => return false,
    };
    let is_known = |argument: &&[u8]| {
        argument.iter().any(|byte| matches!(byte, b'=' | b'$')) || known.contains(argument)
    };
    !arguments
        .iter()
        .skip(1)
        .all(|argument| is_known(argument) || argument.starts_with(b"debug_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_for_binary_search() {
        assert!(directives::DIRECTIVES.is_sorted_by(|a, b| a.name < b.name));
        for table in [variables::HTTP, variables::STREAM, variables::MODULES] {
            assert!(table.is_sorted());
        }
    }

    #[test]
    fn a_directive_fits_when_one_of_its_forms_takes_it() {
        assert_eq!(accepts(b"server", &[], true), Some(true));
        assert_eq!(
            accepts(b"server", &[b"127.0.0.1:80", b"weight=2"], false),
            Some(true)
        );
        assert_eq!(
            accepts(b"root", &[b"/srv", b"index", b"a"], false),
            Some(false)
        );
        assert_eq!(
            accepts(b"listen", &[b"80", b"server_name", b"a"], false),
            Some(false)
        );
        assert_eq!(
            accepts(b"listen", &[b"80", b"ssl", b"backlog=5"], false),
            Some(true)
        );
        assert_eq!(accepts(b"no_such_directive", &[], false), None);
    }

    #[test]
    fn variables_are_known_in_any_case_and_by_prefix() {
        assert!(is_variable("URI", Subsystem::Http));
        assert!(is_variable("http_upgrade", Subsystem::Http));
        assert!(!is_variable("connection_upgrade", Subsystem::Http));
        assert!(!is_variable("uri", Subsystem::Stream));
    }
}
