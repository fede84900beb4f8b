//! Contexts: the blocks that a directive may stand in.

/// The name of each context, at the place of its bit: in the tables, and for a person.
const NAMES: [(&str, &str); 31] = [
    ("main", "the top level"),
    ("events", "`events`"),
    ("http", "`http`"),
    ("server", "`server`"),
    ("location", "`location`"),
    ("server_if", "`if` in a `server`"),
    ("location_if", "`if` in a `location`"),
    ("limit_except", "`limit_except`"),
    ("upstream", "`upstream`"),
    ("map", "`map`"),
    ("geo", "`geo`"),
    ("split_clients", "`split_clients`"),
    ("types", "`types`"),
    ("stream", "`stream`"),
    ("stream_server", "`server` of `stream`"),
    ("stream_upstream", "`upstream` of `stream`"),
    ("mail", "`mail`"),
    ("mail_server", "`server` of `mail`"),
    ("other", "a block of another module"),
    ("charset_map", "`charset_map`"),
    ("num_map", "`num_map`"),
    ("rtmp", "`rtmp`"),
    ("rtmp_server", "`server` of `rtmp`"),
    ("rtmp_application", "`application`"),
    ("rtmp_recorder", "`recorder`"),
    ("mgmt", "`mgmt`"),
    ("oidc_provider", "`oidc_provider`"),
    ("acme_issuer", "`acme_issuer`"),
    ("otel_exporter", "`otel_exporter`"),
    // Only the inside of `if`, which depends on where it stands.
    ("if", "`if`"),
    ("unknown", "a block that nginx does not know"),
];

/// A set of contexts that a directive may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Contexts(u32);

impl Contexts {
    /// Every context.
    pub const ALL: Self = Self(u32::MAX);
    /// The empty set.
    pub const NONE: Self = Self(0);
    /// The top level of a root configuration.
    pub const MAIN: Self = Self::list("main");
    /// `events {}`
    pub const EVENTS: Self = Self::list("events");
    /// `http {}`
    pub const HTTP: Self = Self::list("http");
    /// `server {}` in `http`
    pub const SERVER: Self = Self::list("server");
    /// `location {}`
    pub const LOCATION: Self = Self::list("location");
    /// `if {}` in a server
    pub const SERVER_IF: Self = Self::list("server_if");
    /// `if {}` in a location
    pub const LOCATION_IF: Self = Self::list("location_if");
    /// `limit_except {}`
    pub const LIMIT_EXCEPT: Self = Self::list("limit_except");
    /// `upstream {}` in `http`
    pub const UPSTREAM: Self = Self::list("upstream");
    /// The body of a `map`
    pub const MAP: Self = Self::list("map");
    /// The body of a `geo`
    pub const GEO: Self = Self::list("geo");
    /// The body of a `split_clients`
    pub const SPLIT_CLIENTS: Self = Self::list("split_clients");
    /// The body of a `types`
    pub const TYPES: Self = Self::list("types");
    /// `stream {}`
    pub const STREAM: Self = Self::list("stream");
    /// `server {}` in `stream`
    pub const STREAM_SERVER: Self = Self::list("stream_server");
    /// `upstream {}` in `stream`
    pub const STREAM_UPSTREAM: Self = Self::list("stream_upstream");
    /// `mail {}`
    pub const MAIL: Self = Self::list("mail");
    /// `server {}` in `mail`
    pub const MAIL_SERVER: Self = Self::list("mail_server");
    /// The body of a `charset_map`
    pub const CHARSET_MAP: Self = Self::list("charset_map");
    /// A block of another module, whose lines mean what that module says.
    pub const OTHER: Self = Self::list("other");
    /// A block that is no block of nginx or stands where it may not: of its lines nothing is known.
    pub const UNKNOWN: Self = Self::list("unknown");
    /// The named levels at which settings for requests stand.
    pub const HTTP_LEVELS: Self = Self::list("http server location");
    /// Blocks whose lines are entries of a table and no directives.
    pub const TABLES: Self = Self::list("map geo split_clients types charset_map num_map");

    const IF: Self = Self::list("if");
    /// The parts of nginx: a directive of a module stands inside of one.
    const PARTS: [Self; 5] = [
        Self::list(
            "http server location server_if location_if limit_except upstream map geo split_clients \
types charset_map num_map oidc_provider acme_issuer otel_exporter",
        ),
        Self::list("stream stream_server stream_upstream map geo split_clients num_map"),
        Self::list("mail mail_server"),
        Self::list("rtmp rtmp_server rtmp_application rtmp_recorder"),
        Self::list("main events mgmt"),
    ];

    /// The contexts of a list of names parted by blanks, as the tables write them.
    pub(super) const fn list(names: &str) -> Self {
        let names = names.as_bytes();
        let mut bits = 0;
        let mut start = 0;
        while start < names.len() {
            let mut end = start;
            while end < names.len() && names[end] != b' ' {
                end += 1;
            }
            bits |= 1 << position(names, start, end);
            start = end + 1;
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

    /// The context that the tables call so, as in `location_if`.
    pub fn listed(name: &str) -> Option<Self> {
        let bit = NAMES.iter().position(|(known, _)| *known == name)?;
        Some(Self(1 << bit))
    }

    /// The last context of a list such as `http,server`; nothing when it names one that there is not.
    pub fn innermost(list: &str) -> Option<Self> {
        let contexts: Option<Vec<Self>> = list
            .split(',')
            .map(|name| Self::named(name.trim()))
            .collect();
        contexts?.last().copied()
    }

    /// The names of the contexts in the tables.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.rows().map(|(name, _)| *name)
    }

    /// What the contexts are called in a sentence.
    pub fn spoken(self) -> impl Iterator<Item = &'static str> {
        self.rows().map(|(_, spoken)| *spoken)
    }

    fn rows(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let is_in = move |bit: usize| self.0 >> bit & 1 == 1;
        NAMES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| is_in(*bit))
            .map(|(_, row)| row)
    }

    /// All contexts of the parts of nginx, such as `http`, that these belong to.
    pub fn part(self) -> Self {
        let parts = Self::PARTS.into_iter();
        parts
            .filter(|part| part.intersects(self))
            .fold(Self::NONE, Self::union)
    }

    /// Where a directive stands, for a sentence: `at the top level or in `http``.
    pub fn places(self) -> String {
        let blocks: Vec<&str> = self.minus(Self::MAIN).spoken().collect();
        let blocks = match &blocks[..] {
            [] => String::new(),
            [one] => format!("in {one}"),
            [first @ .., last] => format!("in {} or {last}", first.join(", ")),
        };
        match (self.intersects(Self::MAIN), blocks.is_empty()) {
            (true, true) => "at the top level".to_owned(),
            (true, false) => format!("at the top level or {blocks}"),
            (false, _) => blocks,
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The contexts that there may be inside the block of a form that stands in one of these.
    pub(crate) fn opened_by(self, form: &super::Form) -> Self {
        if form.inside != Self::IF {
            return form.inside;
        }
        let mut inside = Self::NONE;
        for (outer, inner) in [
            (Self::SERVER, Self::SERVER_IF),
            (Self::LOCATION, Self::LOCATION_IF),
        ] {
            if self.intersects(outer) {
                inside = inside.union(inner);
            }
        }
        inside
    }

    /// The context inside a block called `name` that stands in this context.
    ///
    /// Of a block at a wrong place it is the one that the block has elsewhere, so that its lines are understood.
    pub fn inside(self, name: &[u8]) -> Self {
        let Some(directive) = super::directive(name) else {
            return Self::UNKNOWN;
        };
        let mut blocks = directive.forms.iter().filter(|form| form.block);
        let here = blocks.clone().find(|form| form.contexts.intersects(self));
        match here.or_else(|| blocks.next()).map(|form| form.inside) {
            Some(Self::IF) if self == Self::SERVER => Self::SERVER_IF,
            Some(Self::IF) => Self::LOCATION_IF,
            Some(inside) => inside,
            None => Self::UNKNOWN,
        }
    }
}

/// The bit of the name that stands between two places.
const fn position(names: &[u8], start: usize, end: usize) -> usize {
    let mut bit = 0;
    while bit < NAMES.len() {
        let name = NAMES[bit].0.as_bytes();
        let mut at = 0;
        while at < name.len() && start + at < end && name[at] == names[start + at] {
            at += 1;
        }
        if at == name.len() && start + at == end {
            return bit;
        }
        bit += 1;
    }
    panic!("no context has this name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_opens_the_context_that_the_table_names() {
        for (context, name, inside) in [
            (Contexts::MAIN, "http", Contexts::HTTP),
            (Contexts::HTTP, "server", Contexts::SERVER),
            (Contexts::STREAM, "server", Contexts::STREAM_SERVER),
            (Contexts::MAIL, "server", Contexts::MAIL_SERVER),
            (Contexts::SERVER, "if", Contexts::SERVER_IF),
            (Contexts::LOCATION, "if", Contexts::LOCATION_IF),
            (Contexts::STREAM, "map", Contexts::MAP),
            (Contexts::LOCATION, "types", Contexts::TYPES),
            (Contexts::LOCATION, "location", Contexts::LOCATION),
            (Contexts::MAIN, "location", Contexts::LOCATION),
            (Contexts::STREAM, "upstream", Contexts::STREAM_UPSTREAM),
            (Contexts::HTTP, "gzip", Contexts::UNKNOWN),
            (Contexts::HTTP, "no_such_block", Contexts::UNKNOWN),
        ] {
            assert_eq!(context.inside(name.as_bytes()), inside, "{name}");
        }
    }

    #[test]
    fn a_set_tells_the_names_that_it_was_made_of() {
        let set = Contexts::list("http location_if mail");
        let names: Vec<_> = set.names().collect();
        assert_eq!(names, ["http", "location_if", "mail"]);
        let spoken: Vec<_> = set.spoken().collect();
        assert_eq!(spoken, ["`http`", "`if` in a `location`", "`mail`"]);
    }

    #[test]
    fn places_are_words_of_a_sentence() {
        let places = |names| Contexts::list(names).places();
        assert_eq!(places("main"), "at the top level");
        assert_eq!(places("http"), "in `http`");
        assert_eq!(
            places("main http server"),
            "at the top level or in `http` or `server`"
        );
        assert_eq!(
            places("http server location"),
            "in `http`, `server` or `location`"
        );
    }

    #[test]
    fn a_context_belongs_to_a_part_of_nginx() {
        assert!(Contexts::LOCATION.part().intersects(Contexts::HTTP));
        assert!(!Contexts::LOCATION.part().intersects(Contexts::STREAM));
        assert!(!Contexts::MAIN.part().intersects(Contexts::HTTP));
        assert!(Contexts::MAP.part().intersects(Contexts::STREAM));
    }
}
