//! Which server of a group a request goes to when the first one fails, and whether there is time for it.

use super::{Directive, Proxied, Word};
use crate::diagnostic::Edit;

/// What nginx takes to connect at most unless it is told otherwise, in milliseconds.
const USUAL_CONNECT: u64 = 60 * 1000;

/// Tries that end before the first of them does.
#[derive(Debug, Clone)]
pub struct LateRetry<'c> {
    /// The directive that ends the tries.
    pub limit: Directive<'c>,
    /// Its time in milliseconds.
    pub time: u64,
    /// The directive that limits connecting; nothing for nginx's default.
    pub connect: Option<Directive<'c>>,
    /// How long connecting may take, in milliseconds.
    pub connect_time: u64,
    /// What the group is called.
    pub group: String,
    /// How many servers it has.
    pub servers: u64,
}

impl LateRetry<'_> {
    /// An edit after which connecting takes a part of the time that leaves room for each server; `name` is the directive's.
    pub fn remedy(&self, name: &str) -> Option<Edit> {
        let part = self.time / self.servers.max(2);
        let time = match part {
            0 => return None,
            part if part < 1000 => format!("{part}ms"),
            part => format!("{}s", part / 1000),
        };
        // One that stands further out than the limit may be for others as well.
        let level = self.limit.parent()?;
        let is_inside = |connect: &Directive<'_>| {
            connect.parent() == Some(level) || connect.ancestors().any(|outer| outer == level)
        };
        match self.connect.filter(is_inside) {
            Some(connect) => Some(Edit::replace(connect.argument(0)?.span, time)),
            None => Some(self.limit.append_lines(&[format!("{name} {time};")])),
        }
    }
}

impl<'c> Proxied<'c> {
    /// The limit of the time for other tries, if it is over before the first server that does not answer is given up: none
    /// is tried then (`ngx_http_upstream_next`).
    ///
    /// Nothing where there is no other server, or no other try is wanted.
    pub fn late_retry(&self) -> Option<LateRetry<'c>> {
        let name = |rest: &str| format!("{}_{rest}", self.family());
        let (limit, time) = self.time(&name("next_upstream_timeout"))?;
        let effective = self.scope.effective(&name("connect_timeout"));
        let connect = effective.directive();
        let connect_time = match connect {
            Some(_) => self.time(&name("connect_timeout"))?.1,
            None => USUAL_CONNECT,
        };
        if time == 0 || connect_time < time {
            return None;
        }
        let cases = self.scope.effective(&name("next_upstream")).directive();
        let is_wanted = cases.is_none_or(|cases| cases.arguments().any(|case| case == "timeout"));
        let tries = self
            .scope
            .effective(&name("next_upstream_tries"))
            .directive();
        let is_single = tries
            .and_then(|tries| tries.argument(0))
            .is_some_and(|tries| tries == "1");
        let group = self.group()?;
        let is_up = |server: &Directive<'_>| !server.arguments().any(|word| word == "down");
        let servers = group.own("server").filter(is_up).count() as u64;
        let is_late = is_wanted
            && !is_single
            && !self.connects_at_once()
            && servers > 1
            && !group.is_incomplete();
        is_late.then_some(LateRetry {
            limit,
            time,
            connect,
            connect_time,
            group: group.argument(0)?.text().into_owned(),
            servers,
        })
    }

    /// True where nothing is waited for to connect: all servers are Unix sockets, and no TLS handshake follows
    /// (`ngx_http_upstream_connect` starts its timer only for a connection that is not there at once).
    pub fn connects_at_once(&self) -> bool {
        let Some(address) = self.pass.argument(0).filter(|word| !word.has_variables()) else {
            return false;
        };
        let text = address.text().to_lowercase();
        let (scheme, host) = text.split_once("://").unwrap_or(("", &text));
        let is_socket = |server: Directive<'_>| {
            server
                .argument(0)
                .is_some_and(|address| address.starts_with(b"unix:"))
        };
        let is_plain = !matches!(scheme, "https" | "grpcs" | "suwsgi");
        is_plain
            && match self.group() {
                Some(group) => {
                    let mut servers = group.own("server").peekable();
                    servers.peek().is_some() && !group.is_incomplete() && servers.all(is_socket)
                }
                None => host.starts_with("unix:"),
            }
    }

    /// The `upstream` that requests go to.
    pub(super) fn group(&self) -> Option<Directive<'c>> {
        let address: Word<'c> = self.pass.argument(0).filter(|word| !word.has_variables())?;
        let text = address.text();
        let host = text.split_once("://").map_or(&*text, |(_, rest)| rest);
        let host = host.split(['/', '?']).next()?;
        self.scope.config().upstream(host)
    }
}

impl Proxied<'_> {
    /// True where something else than a 504 is the answer when the backend is late: an `error_page`, or an old answer.
    pub fn replaces_504(&self) -> bool {
        let says = |name: &str, wanted: &str| {
            let directives = self.scope.effective(name).directives;
            let mut words = directives
                .iter()
                .flat_map(|directive| directive.arguments());
            words.any(|word| word == wanted)
        };
        says("error_page", "504") || says(&format!("{}_cache_use_stale", self.family()), "timeout")
    }

    /// True where a directive of the server or around it that sends requests of its own, such as `mirror`, names this
    /// location.
    pub fn asked_by(&self, name: &str) -> bool {
        let Some(server) = self.location.server() else {
            return false;
        };
        let outer = server.http().into_iter().flat_map(|http| http.own(name));
        let inner = server.directive.descendants();
        let mut all = outer.chain(inner.filter(|directive| directive.is(name)));
        all.any(|directive| {
            let Some(uri) = directive.argument(0) else {
                return false;
            };
            let path = uri.split(|byte| *byte == b'?').next().unwrap_or_default();
            match self.location.is_prefix() {
                true => self.location.is_internal() && path.starts_with(&self.location.path),
                false => path == &*self.location.path,
            }
        })
    }
}
