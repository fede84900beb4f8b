//! The headers that go upstream, and whether they carry a WebSocket handshake.

use super::{Config, Directive, Effective, Proxied, Visibility, Word};
use crate::nginx;

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

    /// The last directive that sets a header; names are compared without case.
    pub fn get(&self, name: &str) -> Option<Directive<'c>> {
        let same = |word: Word<'_>| word.eq_ignore_ascii_case(name.as_bytes());
        self.list
            .directives
            .iter()
            .rev()
            .copied()
            .find(|header| header.argument(0).is_some_and(same))
    }

    /// The last directive that sends a header: an empty value takes it away.
    pub fn sent(&self, name: &str) -> Option<Directive<'c>> {
        self.get(name)
            .filter(|header| header.argument(1).is_some_and(|value| !value.is_empty()))
    }
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
    /// What becomes of a WebSocket handshake here.
    ///
    /// nginx needs three things: `Upgrade` and a `Connection` that says `upgrade` sent upstream, neither of which it
    /// does by itself, and HTTP/1.1 (`ngx_http_proxy_create_request`).
    pub fn upgrade(&self) -> Upgrade<'c> {
        let config = self.scope.config();
        let headers = self.headers();
        let upgrade = headers.sent("Upgrade").filter(|header| {
            let value = header.argument(1);
            value.is_some_and(|value| {
                value.has_variables() || value.eq_ignore_ascii_case(b"websocket")
            })
        });
        let connection = headers.get("Connection");
        let says_upgrade = |header: Directive<'c>| {
            header
                .argument(1)
                .is_some_and(|value| config.can_say(&value, "upgrade"))
        };
        let mut visibility = headers.visibility();

        let problem = match (upgrade, connection) {
            (Some(_), None) => Some(UpgradeProblem::NoConnection),
            (Some(_), Some(connection)) if !says_upgrade(connection) => {
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
                if config.is_meant_for_upgrade(connection) && headers.sent("Upgrade").is_none() =>
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

impl Config {
    /// True when a `Connection` header is written for handshakes and nothing else.
    fn is_meant_for_upgrade(&self, connection: Directive<'_>) -> bool {
        connection.argument(1).is_some_and(|value| {
            let own_map = nginx::references(&value)
                .iter()
                .any(|reference| self.is_map_of(&reference.name, "http_upgrade"));
            value.eq_ignore_ascii_case(b"upgrade") || own_map
        })
    }

    /// True when a header value can hold a token: written out, or through a variable that is not known never to.
    fn can_say(&self, value: &[u8], token: &str) -> bool {
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
