//! The headers that go upstream, and whether they carry a WebSocket handshake.

use super::{Config, Directive, Effective, Proxied, Visibility, Word};
use crate::diagnostic::Edit;
use crate::nginx::{self, Contexts, Version};

/// Headers of the client that nginx keeps to itself or puts its own in the place of.
const OWN: [&str; 6] = [
    "Content-Length",
    "Expect",
    "Keep-Alive",
    "TE",
    "Transfer-Encoding",
    "Upgrade",
];

/// Headers of the client that nginx keeps to itself where answers are cached.
const OF_CACHE: [&str; 6] = [
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Range",
];

/// A `proxy_set_header` list in effect somewhere; all of it comes from one level.
#[derive(Clone, Debug)]
pub struct Headers<'c> {
    list: Effective<'c>,
}

impl<'c> Headers<'c> {
    /// The list in effect inside a block.
    pub fn of(scope: Directive<'c>) -> Self {
        Self {
            list: scope.effective("proxy_set_header"),
        }
    }

    /// The list that would be in effect inside a block if the block had none of its own.
    pub fn around(scope: Directive<'c>) -> Option<Self> {
        scope.parent().map(Self::of)
    }

    /// The directives, in order.
    pub fn directives(&self) -> &[Directive<'c>] {
        &self.list.directives
    }

    /// The block that the list stands in; nothing when there is none or it stands at the top of a fragment.
    pub fn level(&self) -> Option<Directive<'c>> {
        self.list
            .directives
            .first()
            .and_then(|first| first.parent())
    }

    /// Whether anything unseen could change the list.
    pub fn visibility(&self) -> Visibility {
        self.list.visibility
    }

    /// The last directive that sends a header, or the last that takes it away where none does; names are compared without
    /// case.
    ///
    /// A line with an empty value sends nothing and takes nothing from the other lines of the list
    /// (`ngx_http_proxy_init_headers`).
    pub fn get(&self, name: &str) -> Option<Directive<'c>> {
        self.all(name)
            .find(is_sent)
            .or_else(|| self.all(name).next())
    }

    /// The last directive that sends a header.
    pub fn sent(&self, name: &str) -> Option<Directive<'c>> {
        self.all(name).find(is_sent)
    }

    /// True for a header of which several lines are sent, one of which the backend chooses.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.all(name).filter(is_sent).nth(1).is_some()
    }

    /// The directives that set a header, the last one first.
    fn all(&self, name: &str) -> impl Iterator<Item = Directive<'c>> {
        let lines = self.list.directives.iter().rev().copied();
        lines.filter(move |header| header.argument(0).is_some_and(|word| word.is_header(name)))
    }
}

/// True for a directive whose header has a value.
fn is_sent(header: &Directive<'_>) -> bool {
    header.argument(1).is_some_and(|value| !value.is_empty())
}

/// What keeps a forwarded handshake from completing.
#[derive(Clone, Debug)]
pub enum UpgradeProblem<'c> {
    /// `Connection` is set for it, `Upgrade` is not.
    NoUpgrade {
        /// The `Connection` header.
        connection: Directive<'c>,
    },
    /// `Upgrade` is forwarded without a `Connection` header.
    NoConnection,
    /// The `Connection` header can never say `upgrade`.
    WrongConnection {
        /// The header.
        connection: Directive<'c>,
    },
    /// The upstream is spoken to in a protocol that has no upgrade.
    Protocol {
        /// The `proxy_http_version` in effect; nothing when it is the default.
        directive: Option<Directive<'c>>,
    },
}

impl UpgradeProblem<'_> {
    /// True where the version alone is wrong, and is one over which some backends upgrade all the same.
    pub fn is_http_1_0(&self) -> bool {
        let Self::Protocol { directive } = self else {
            return false;
        };
        let version = directive.and_then(|directive| directive.argument(0));
        version.is_none_or(|version| version == "1.0")
    }
}

/// What becomes of a WebSocket handshake at a place.
#[derive(Clone, Debug)]
pub struct Upgrade<'c> {
    /// The directive that forwards `Upgrade`.
    pub upgrade: Option<Directive<'c>>,
    /// The directive that sets `Connection`.
    pub connection: Option<Directive<'c>>,
    /// What keeps it from completing, if something does and it is meant to; the first in the order of the type.
    pub problem: Option<UpgradeProblem<'c>>,
    /// Whether anything unseen could change that.
    pub visibility: Visibility,
}

impl Upgrade<'_> {
    /// True when the handshake reaches the upstream whole.
    pub fn completes(&self) -> bool {
        self.upgrade.is_some() && self.problem.is_none()
    }
}

impl<'c> Proxied<'c> {
    /// Headers that an outer list would send from here if the list in effect did not replace it.
    pub fn lost_headers(&self) -> Vec<Directive<'c>> {
        let headers = self.headers();
        let Some(outer) = headers.level().and_then(Headers::around) else {
            return Vec::new();
        };
        let is_lost = |header: &Directive<'c>| {
            let name = header
                .argument(0)
                .map(|name| name.text().into_owned())
                .unwrap_or_default();
            // Without the one of the pair, the other would say nothing.
            let is_reset = name.eq_ignore_ascii_case("Upgrade")
                && headers
                    .get("Connection")
                    .is_some_and(|own| own.argument(1).is_some_and(|value| value.is_empty()));
            headers.get(&name).is_none()
                && outer.sent(&name) == Some(*header)
                && !is_reset
                && !self.sends_by_itself(*header)
        };
        outer.directives().iter().copied().filter(is_lost).collect()
    }

    /// True for a header that the backend gets from here with the same value when nothing sets it: a default of nginx
    /// (`ngx_http_proxy_headers`), or a header of the client as it is.
    fn sends_by_itself(&self, header: Directive<'c>) -> bool {
        let (Some(name), Some(value)) = (header.argument(0), header.argument(1)) else {
            return false;
        };
        let closes = self.scope.config().version() < Version::HTTP_1_1_UPSTREAM;
        if name.is_header("Host") {
            return value.eq_ignore_ascii_case(b"$proxy_host");
        }
        if name.is_header("Connection") {
            return value.eq_ignore_ascii_case(b"close") && closes;
        }
        let is = |names: &[&str]| names.iter().any(|known| name.is_header(known));
        let is_cached = || {
            let cache = self.scope.effective("proxy_cache").directive();
            cache.is_some_and(|cache| cache.argument(0).is_none_or(|zone| zone != "off"))
        };
        if name.is_header("Content-Type") && value.eq_ignore_ascii_case(b"$content_type") {
            return self.scope.flag("proxy_pass_request_headers") != Some(false);
        }
        let variable = format!("$http_{}", name.text().replace('-', "_"));
        let is_kept = is(&OWN) || is(&OF_CACHE) && is_cached() || name.contains(&b'_');
        !is_kept
            && value.eq_ignore_ascii_case(variable.as_bytes())
            && self.scope.flag("proxy_pass_request_headers") != Some(false)
    }

    /// What becomes of a WebSocket handshake here.
    ///
    /// nginx needs three things: `Upgrade` and a `Connection` that says `upgrade` sent upstream, neither of which it
    /// does by itself, and HTTP/1.1 (`ngx_http_proxy_create_request`).
    pub fn upgrade(&self) -> Upgrade<'c> {
        let config = self.scope.config();
        let headers = self.headers();
        if self.has_no_get() {
            return Upgrade {
                upgrade: None,
                connection: None,
                problem: None,
                visibility: headers.visibility(),
            };
        }
        let upgrade = headers.sent("Upgrade").filter(|header| {
            let value = header.argument(1);
            value.is_some_and(|value| {
                value.has_variables() || value.eq_ignore_ascii_case(b"websocket")
            })
        });
        let says_upgrade = |header: &Directive<'c>| {
            header
                .argument(1)
                .is_some_and(|value| config.can_say(&value, "upgrade"))
        };
        // Each line is sent, so that it takes one of them.
        let connection = headers.all("Connection").find(says_upgrade);
        let connection = connection.or_else(|| headers.get("Connection"));
        // What is missing in a lone server is judged milder even where its own list is complete.
        let mut visibility = headers.visibility();
        if (connection.is_none() || upgrade.is_none()) && config.fragment() == Some(Contexts::HTTP)
        {
            visibility = visibility.max(Visibility::Lone);
        }

        let problem = match (upgrade, connection) {
            (Some(_), None) => Some(UpgradeProblem::NoConnection),
            (Some(_), Some(connection)) if !says_upgrade(&connection) => {
                Some(UpgradeProblem::WrongConnection { connection })
            }
            (Some(_), Some(_)) => {
                let version = self.scope.effective("proxy_http_version");
                let written = version
                    .directive()
                    .and_then(|directive| directive.argument(0));
                let spoken = match &written {
                    Some(written) => written.text().into_owned(),
                    None => config.version().default_proxy_http_version().to_owned(),
                };
                (spoken != "1.1").then(|| {
                    visibility = visibility.max(version.visibility);
                    UpgradeProblem::Protocol {
                        directive: version.directive(),
                    }
                })
            }
            (None, Some(connection))
                if config.is_meant_for_upgrade(connection) && headers.get("Upgrade").is_none() =>
            {
                Some(UpgradeProblem::NoUpgrade { connection })
            }
            (None, _) => None,
        };
        Upgrade {
            upgrade,
            connection,
            problem,
            visibility,
        }
    }
}

impl<'c> Proxied<'c> {
    /// Edits after which a handshake completes here: what is missing is added, what contradicts is replaced, and a list
    /// of headers that was inherited so far is copied before it grows.
    pub fn upgrade_edits(&self) -> Vec<Edit> {
        let config = self.scope.config();
        let headers = self.headers();
        let home = self.home();
        let own = headers.level() == Some(home);
        let (value, map) = config.connection_value();
        let mut edits = Vec::new();
        let mut lines: Vec<String> = Vec::new();

        let version = self.scope.effective("proxy_http_version").directive();
        let written = version.and_then(|version| version.argument(0));
        match (version, written) {
            (Some(version), Some(written))
                if version.parent() == Some(home) && written != "1.1" =>
            {
                edits.push(Edit::replace(written.span, "1.1"));
            }
            (Some(_), Some(written)) if written == "1.1" => {}
            (None, _) if config.version().default_proxy_http_version() == "1.1" => {}
            _ => lines.push("proxy_http_version 1.1;".to_owned()),
        }
        if !own {
            lines.extend(self.inherited(&headers, &["Upgrade", "Connection"]));
        }
        for (name, value) in [("Upgrade", "$http_upgrade"), ("Connection", &value)] {
            let word = headers
                .get(name)
                .filter(|_| own)
                .and_then(|header| header.argument(1));
            let good = word.as_ref().is_some_and(|word| match name {
                "Connection" => config.can_say(word, "upgrade"),
                _ => !word.is_empty(),
            });
            if good {
                continue;
            }
            match word {
                Some(word) => edits.push(Edit::replace(word.span, value)),
                None => lines.push(format!("proxy_set_header {name} {value};")),
            }
            if name == "Connection" {
                edits.extend(map.iter().cloned());
            }
        }
        if !lines.is_empty() {
            let last_header = headers.directives().last().copied().filter(|_| own);
            let place = last_header.or((self.pass.parent() == Some(home)).then_some(self.pass));
            edits.extend(
                place
                    .or(home.children().last())
                    .map(|place| place.append_lines(&lines)),
            );
        }
        edits
    }
}

impl Config {
    /// The value for a `Connection` header that says `upgrade` for handshakes only, with the `map` that it needs; in a
    /// fragment, where no `map` can be seen or added, the constant.
    pub fn connection_value(&self) -> (String, Vec<Edit>) {
        if let Some(variable) = self.upgrade_map() {
            return (variable.text().into_owned(), Vec::new());
        }
        let map = [
            "map $http_upgrade $connection_upgrade {",
            "    default upgrade;",
            "    ''      '';",
            "}",
        ];
        let free = self.definitions("connection_upgrade").is_empty();
        match self.prepend_to_http(&map).filter(|_| free) {
            Some(edit) => ("$connection_upgrade".to_owned(), vec![edit]),
            None => ("\"upgrade\"".to_owned(), Vec::new()),
        }
    }

    /// True when a `Connection` header is written for handshakes and nothing else.
    pub(super) fn is_meant_for_upgrade(&self, connection: Directive<'_>) -> bool {
        connection.argument(1).is_some_and(|value| {
            let own_map = nginx::references(&value)
                .iter()
                .any(|reference| self.is_map_of(&reference.name, "http_upgrade"));
            value.eq_ignore_ascii_case(b"upgrade") || own_map
        })
    }

    /// True when a header value can hold a token: written out, or through a variable that is not known never to.
    pub(crate) fn can_say(&self, value: &[u8], token: &str) -> bool {
        let says = |value: &[u8]| {
            value
                .split(|byte| matches!(byte, b',' | b' ' | b'\t'))
                .any(|word| word.eq_ignore_ascii_case(token.as_bytes()))
        };
        if says(value) {
            return true;
        }
        nginx::references(value)
            .iter()
            .any(|reference| match self.map_values(&reference.name) {
                Some(values) => values
                    .iter()
                    .any(|value| value.has_variables() || says(value)),
                None => true,
            })
    }
}

/// Variables that are never empty in a request that is passed on.
const NEVER_EMPTY: [&str; 12] = [
    "host",
    "hostname",
    "http_host",
    "proxy_add_x_forwarded_for",
    "proxy_host",
    "remote_addr",
    "remote_port",
    "request_id",
    "request_uri",
    "scheme",
    "server_addr",
    "server_port",
];

/// Headers that may be written as several lines, which are one list.
const LISTS: [&str; 10] = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Cache-Control",
    "Cookie",
    "Forwarded",
    "Link",
    "Via",
    "Warning",
    "X-Forwarded-For",
];

/// From here on only the last of several `Host` lines may be sent.
const ONE_HOST: nginx::Version = nginx::Version(1, 31, 0);

impl<'c> Headers<'c> {
    /// Headers that are sent twice: what is set first, and what is set again.
    ///
    /// Names are compared without case, and each directive whose value is not empty makes a line of its own
    /// (`ngx_http_proxy_init_headers`). A value of which it is not certain that it is not empty counts only where both are
    /// the same; of a header that is a list only the same value does.
    pub fn doubled(&self) -> Vec<(Directive<'c>, Directive<'c>)> {
        let all = self.directives();
        let mut doubled = Vec::new();
        for (index, later) in all.iter().enumerate() {
            let earlier = all[..index].iter().rev();
            let pair = earlier
                .copied()
                .find(|earlier| is_doubled(*earlier, *later));
            doubled.extend(pair.map(|earlier| (earlier, *later)));
        }
        doubled
    }
}

fn is_doubled(earlier: Directive<'_>, later: Directive<'_>) -> bool {
    let (Some(name), Some(again)) = (earlier.argument(0), later.argument(0)) else {
        return false;
    };
    let (Some(value), Some(other)) = (earlier.argument(1), later.argument(1)) else {
        return false;
    };
    let collapses = name.is_header("Host") && later.config().version() >= ONE_HOST;
    if !name.eq_ignore_ascii_case(&again) || value.is_empty() || collapses {
        return false;
    }
    let is_list = LISTS.iter().any(|list| name.is_header(list));
    value.value == other.value || !is_list && is_never_empty(&value) && is_never_empty(&other)
}

fn is_never_empty(value: &Word<'_>) -> bool {
    let references = nginx::references(value);
    let covered: usize = references
        .iter()
        .map(|reference| reference.range.len())
        .sum();
    let is_set = |reference: &nginx::Reference| {
        NEVER_EMPTY
            .iter()
            .any(|known| reference.name.eq_ignore_ascii_case(known))
    };
    !value.has_placeholder() && (covered < value.len() || references.iter().any(is_set))
}
