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
        let is_late = is_wanted && !is_single && servers > 1 && !group.is_incomplete();
        is_late.then_some(LateRetry {
            limit,
            time,
            connect,
            connect_time,
            group: group.argument(0)?.text().into_owned(),
            servers,
        })
    }

    /// The `upstream` that requests go to.
    fn group(&self) -> Option<Directive<'c>> {
        let address: Word<'c> = self.pass.argument(0).filter(|word| !word.has_variables())?;
        let text = address.text();
        let host = text.split_once("://").map_or(&*text, |(_, rest)| rest);
        let host = host.split(['/', '?']).next()?;
        self.scope.config().upstream(host)
    }
}
