//! Redirects that lead a client back to where it was.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::IpAddr;

use super::client::{Heard, of_all_clients, redirected};
use super::tries::{Tries, is_meddled_with, over_tls, tracer};
use crate::config::{Config, Directive, Location, Server, Visibility, Word};
use crate::nginx;
use crate::routing::{Choice, Outcome, Request, Tracer, choose};

/// How many redirects are followed: as many as browsers follow.
const HOPS: usize = 20;

/// Longest target in bytes that is followed: nginx takes no much longer ones (`large_client_header_buffers`).
const LONGEST: usize = 4096;

/// A redirect that a client follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop<'c> {
    /// The URL that is asked for.
    pub url: String,
    /// The server that answers.
    pub server: Server<'c>,
    /// The directive that redirects.
    pub directive: Directive<'c>,
    /// The status of the redirect.
    pub status: u16,
    /// The URL that the client is sent to.
    pub to: String,
}

/// Redirects that come to no end, whichever client follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectLoop<'c> {
    /// At least one. The last leads to the URL of the first, or with `grows` to a longer one.
    pub hops: Vec<Hop<'c>>,
    /// True when each round asks for a longer URL.
    pub grows: bool,
    /// How much was visible of the blocks that the requests came through.
    pub visibility: Visibility,
}

/// The loops of redirects that nginx itself answers with, one for each set of directives, in the order of the servers.
///
/// A loop is followed request by request, as [`Tracer`] does, so what depends on a file, on an upstream, on the client's
/// address or on what a proxy in front says of the client is none.
pub fn redirect_loops(config: &Config) -> Vec<RedirectLoop<'_>> {
    let mut redirecting: Vec<(Server<'_>, Vec<Directive<'_>>)> = Vec::new();
    for server in config.servers() {
        let all = server.directive.descendants();
        let redirects: Vec<_> = all.filter(|one| redirects(*one)).collect();
        if !redirects.is_empty() {
            redirecting.push((server, redirects));
        }
    }
    if redirecting.is_empty() {
        return Vec::new();
    }
    let numbers = redirecting
        .iter()
        .map(|(server, _)| server.directive.number());
    let mut follower = Follower {
        tracer: tracer(config),
        leads: numbers.collect(),
        ending: RefCell::default(),
    };
    for (server, redirects) in &mut redirecting {
        redirects.retain(|redirect| follower.may_lead_back(*server, *redirect));
    }
    redirecting.retain(|(_, redirects)| !redirects.is_empty());
    let numbers = redirecting
        .iter()
        .map(|(server, _)| server.directive.number());
    follower.leads = numbers.collect();

    let mut loops: Vec<RedirectLoop<'_>> = Vec::new();
    let mut known: HashSet<Vec<u32>> = HashSet::new();
    for (server, mut directives) in redirecting {
        // What only comes there inside of nginx comes from one of these.
        let is_inside = |one: &Directive<'_>| {
            let around = one.ancestors().find_map(Location::of);
            around.is_some_and(|location| location.is_internal())
        };
        if directives.iter().any(is_inside) {
            let all = server.directive.descendants();
            directives.extend(all.filter(|one| sends_on(*one)));
        }
        for request in Tries::new(server, &directives).requests() {
            if follower.tracer.server_of(&request) != Some(server) {
                continue;
            }
            // What starts elsewhere is met there, with a simpler request.
            let is_own =
                |found: &RedirectLoop<'_>| found.hops.iter().any(|hop| hop.server == server);
            let found = of_all_clients(&request, |request| follower.follow(request));
            let Some(found) = found.filter(is_own) else {
                continue;
            };
            let mut places: Vec<u32> = found
                .hops
                .iter()
                .map(|hop| hop.directive.number())
                .collect();
            places.sort_unstable();
            places.dedup();
            let meddled = |hop: &Hop<'_>| is_meddled_with(config, hop.server);
            if known.insert(places) && !found.hops.iter().any(meddled) {
                loops.push(found);
            }
        }
    }
    loops
}

/// True for a directive that may redirect a client.
fn redirects(directive: Directive<'_>) -> bool {
    if directive.is("return") {
        let first = directive.argument(0);
        return first.is_some_and(|first| match &first[..] {
            [b'3', _, _] => directive.argument(1).is_some(),
            code => code.first().is_some_and(|byte| !byte.is_ascii_digit()),
        });
    }
    if directive.is("rewrite") {
        let flag = directive.argument(2);
        let begins = |text: &[u8]| {
            let starts: [&[u8]; 3] = [b"http://", b"https://", b"$scheme"];
            starts.iter().any(|start| text.starts_with(start))
        };
        return flag.is_some_and(|flag| flag == "permanent" || flag == "redirect")
            || directive.argument(1).is_some_and(|to| begins(&to));
    }
    // An `error_page` with a URL.
    directive.is("error_page")
        && directive
            .arguments()
            .next_back()
            .is_some_and(|page| !matches!(page.first(), Some(b'/' | b'@')))
}

/// True for a directive that may send a request on inside of nginx.
fn sends_on(directive: Directive<'_>) -> bool {
    ["rewrite", "try_files", "error_page"]
        .iter()
        .any(|name| directive.is(name))
}

/// Follows redirects.
struct Follower<'c> {
    tracer: Tracer<'c>,
    /// The servers that redirect to where another redirect may follow.
    leads: HashSet<u32>,
    /// Requests, by URL and address, of which it is known that they come to an end.
    ending: RefCell<HashSet<(String, Option<IpAddr>)>>,
}

impl<'c> Follower<'c> {
    /// False for a redirect of which it can be told without following it that no other comes after it.
    fn may_lead_back(&self, server: Server<'c>, redirect: Directive<'c>) -> bool {
        let text = match redirect.is("rewrite") {
            true => redirect.argument(1),
            false => redirect.arguments().next_back(),
        };
        let Some(text) = text else { return true };
        let path = text.split(|byte| *byte == b'?').next().unwrap_or_default();
        if path.starts_with(b"/") && !nginx::has_variables(path) && !redirect.is("rewrite") {
            let own = |name: &'static str| server.directive.own(name);
            let matches = |rewrite: Directive<'_>| {
                let regex = rewrite
                    .argument(0)
                    .and_then(|pattern| self.tracer.regexes.get(&pattern, false));
                regex.is_none_or(|regex| regex.is_match(path).unwrap_or(true))
            };
            if own("return").chain(own("if")).next().is_some() || own("rewrite").any(matches) {
                return true;
            }
            return match choose(server, path) {
                Choice::Location(location) => location
                    .directive
                    .descendants()
                    .any(|one| redirects(one) || sends_on(one)),
                Choice::Server => false,
                Choice::Redirect(_) | Choice::Unknown => true,
            };
        }
        let own_host = ["https://$host/", "https://$host$", "https://$server_name$"];
        let is_tls = |listen: Directive<'_>| listen.listen().is_none_or(|listen| listen.ssl);
        if own_host.iter().any(|own| text.starts_with(own.as_bytes()))
            && !server.listens().any(is_tls)
        {
            let mut over_tls = over_tls(server);
            return over_tls.any(|request| self.leads_on(&request));
        }
        true
    }

    /// False when a request certainly comes to a server that redirects nothing, or to none that is known.
    fn leads_on(&self, request: &Request) -> bool {
        let server = self.tracer.server_of(request);
        server.is_some_and(|server| self.leads.contains(&server.directive.number()))
    }

    /// Follows a request until it comes back to where it was.
    fn follow(&self, first: &Request) -> Option<Heard<RedirectLoop<'c>>> {
        let mut hops: Vec<Hop<'c>> = Vec::new();
        let mut heard = Vec::new();
        let mut visibility = Visibility::Whole;
        let mut request = first.clone();
        while hops.len() <= HOPS && request.target.len() < LONGEST {
            let key = (request.url(), request.address);
            let is_plain = request.headers.len() == 1;
            if is_plain && self.ending.borrow().contains(&key) {
                return None;
            }
            let trace = self.tracer.trace(&request).ok()?;
            let Outcome::Return {
                status: status @ (301 | 302 | 303 | 307 | 308),
                location: Some(location),
                ..
            } = &trace.outcome
            else {
                let urls = hops.into_iter().map(|hop| (hop.url, request.address));
                let urls = urls.chain([key]).filter(|_| is_plain);
                self.ending.borrow_mut().extend(urls);
                return None;
            };
            let server = trace.server?;
            // A host that only a wildcard fits may lead to somewhere else.
            let is_name = |name: Word<'_>| name.eq_ignore_ascii_case(request.host.as_bytes());
            let is_known = request.host == first.host || server.names().any(is_name);
            visibility = visibility.max(trace.visibility);
            // Without one there is no handshake, and the client goes no further.
            let certificate = || server.directive.effective("ssl_certificate").directive();
            if !is_known
                || !self.tracer.is_certain(&trace)
                || visibility == Visibility::Partial
                || request.is_tls() && certificate().is_none()
            {
                return None;
            }
            heard.extend(trace.heard.iter().cloned());
            let next = redirected(&request, location)?;
            hops.push(Hop {
                url: key.0,
                server,
                directive: trace.turns.last()?.directive,
                status: *status,
                to: next.url(),
            });
            let back = hops.iter().position(|hop| hop.url == next.url());
            if let Some(start) = back {
                let found = RedirectLoop {
                    hops: hops.split_off(start),
                    grows: false,
                    visibility,
                };
                return Some((found, heard));
            }
            if !self.leads_on(&next) {
                return None;
            }
            request = next;
        }
        let (last, before) = hops.split_last()?;
        let again = before
            .iter()
            .rposition(|hop| hop.directive == last.directive)?;
        let round = &hops[again + 1..];
        let in_round = |hop: &Hop<'_>| round.iter().any(|one| one.directive == hop.directive);
        let start = hops.iter().position(in_round)?;
        let found = RedirectLoop {
            hops: hops[start..start + round.len()].to_vec(),
            grows: true,
            visibility,
        };
        (hops.len() > HOPS).then_some((found, heard))
    }
}
