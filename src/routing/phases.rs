//! The phases that a request goes through: the loop is `ngx_http_core_run_phases`.

use super::choice::{Choice, choose};
use super::content::Content;
use super::read::length_of;
use super::regexes::exec;
use super::run::{Next, REDIRECTED, REWRITTEN, Run, Status};
use super::trace::Outcome;
use super::uri::escape_for;
use super::value::Value;
use super::variation::{By, Varies};
use crate::config::{Directive, Location};
use crate::nginx::Version;

impl<'c> Run<'_, 'c> {
    /// Runs the phases up to an answer.
    pub(super) fn phases(&mut self, mut next: Next<'c>) -> Outcome {
        loop {
            next = match next {
                Next::ServerRewrite => {
                    self.content_handler = None;
                    self.rewrite(self.server.directive)
                        .unwrap_or(Next::FindLocation)
                }
                Next::FindLocation => self.find_location(),
                Next::LocationRewrite => {
                    // Skipped for the server's own settings (`ngx_http_rewrite_handler`).
                    if self.scope == self.server.directive {
                        Next::PostRewrite
                    } else {
                        self.rewrite(self.scope).unwrap_or(Next::PostRewrite)
                    }
                }
                Next::PostRewrite => self.post_rewrite(),
                Next::Access => match self.access() {
                    Some(status) => Next::Finalize(status),
                    None => Next::Content,
                },
                Next::Content => match self.content() {
                    Content::Outcome(outcome) => Next::Done(outcome),
                    Content::Status(status) => Next::Finalize(status),
                    Content::Redirect(place, uri, args) => self.internal_redirect(place, uri, args),
                    Content::Named(name, place) => Next::Named(name, place),
                },
                Next::Named(name, place) => self.named_location(&name, place),
                Next::Finalize(status) => self.finalize(status),
                Next::Done(outcome) => return outcome,
            };
        }
    }

    /// `ngx_http_core_find_config_phase`
    fn find_location(&mut self) -> Next<'c> {
        self.content_handler = None;
        self.uri_changed = false;
        self.location = None;
        let uri = self.uri.clone();
        if !uri.is_known() {
            self.assume_names(&uri);
            self.assume("the location of a URI that is not known");
        }
        match uri.varies {
            // The choice of the path of the client is told apart.
            Varies::No | Varies::Path => {}
            Varies::Index => self.fork(None, By::Index),
            Varies::Query | Varies::Target(_) | Varies::From(_) => self.fork(None, By::Other),
        }
        let mut redirect = None;
        let supposed = self.supposed.choice.take();
        match supposed.unwrap_or_else(|| choose(self.server, &uri.bytes)) {
            Choice::Location(location) => self.enter(location, &uri.bytes),
            Choice::Redirect(location) => {
                redirect = Some(location.clone());
                self.see(location.directive);
                self.scope = location.directive;
                self.location = Some(location);
            }
            Choice::Server => {
                self.scope = self.server.directive;
                let text = format!("no location fits `{}`", self.uri.text());
                self.step(Some(self.server.directive), text);
            }
            Choice::Unknown => {
                return Next::Finalize(Status::error(
                    500,
                    "a regex of a location cannot be compiled, so nginx does not start",
                ));
            }
        }
        if self.chosen.is_none() {
            self.chosen.clone_from(&self.location);
        }
        let is_let_in = self.internal || self.supposed.is_let_in;
        if !is_let_in && self.scope_flag("internal") {
            let internal = self.scope.effective("internal").directive();
            self.step(internal, "only internal redirects may come here");
            return Next::Finalize(Status::reject(404));
        }
        self.update_location_config();
        if let Some(too_large) = self.body_too_large() {
            return Next::Finalize(too_large);
        }
        let Some(location) = redirect else {
            return Next::LocationRewrite;
        };
        let name = match self.version >= Version(1, 21, 0) {
            true => escape_for(&location.path, self.version),
            false => location.path.to_vec(),
        };
        let mut target = Value::new(name);
        let args = self.args.clone();
        if !args.bytes.is_empty() {
            target.push(&Value::new("?"));
            target.push(&args);
        }
        target.varies = target.varies.or(args.varies);
        self.step(
            Some(location.directive),
            format!("`{location}` passes requests on, so its URI without the slash is redirected"),
        );
        Next::Finalize(self.redirected(Some(location.directive), 301, target))
    }

    /// Takes a location that was chosen, with what the regexes on the way to it capture.
    fn enter(&mut self, location: Location<'c>, uri: &[u8]) {
        let mut way: Vec<Location<'c>> =
            std::iter::successors(Some(location.clone()), Location::parent).collect();
        way.reverse();
        for regex in way.iter().filter(|step| step.is_regex()) {
            let matched = regex.regex().and_then(|regex| exec(&regex, uri)).flatten();
            if let Some(matched) = matched {
                self.capture(matched, self.uri.is_varied());
            }
        }
        let reason = match location.modifier.as_str() {
            "=" => "it is exactly this URI",
            "~" | "~*" => "it is the first regex that matches",
            "^~" => "it is the longest prefix, and the regexes beside it are not tried",
            _ => "it is the longest prefix",
        };
        self.step(
            Some(location.directive),
            format!(
                "location `{location}` answers `{}`: {reason}",
                self.uri.text()
            ),
        );
        self.see(location.directive);
        self.scope = location.directive;
        self.location = Some(location);
    }

    /// `ngx_http_update_location_config`
    pub(super) fn update_location_config(&mut self) {
        if let Some(except) = self.limit_except() {
            self.step(
                Some(except),
                format!("{} is none of the methods that are excepted", self.method),
            );
            self.scope = except;
            if let Some(handler) = except.handler().or_else(|| self.inherited_handler(except)) {
                self.content_handler = Some(handler);
            }
            return;
        }
        if let Some(handler) = self.scope.handler() {
            self.content_handler = Some(handler);
        }
    }

    /// The `limit_except` of the block in force, if it limits the method (`ngx_http_core_limit_except`).
    fn limit_except(&self) -> Option<Directive<'c>> {
        let except = self.scope.own("limit_except").next()?;
        let named = |name: &str| {
            except
                .arguments()
                .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        let allowed = named(&self.method) || self.method == "HEAD" && named("GET");
        (!allowed).then_some(except)
    }

    /// The handler that a `limit_except` has from its location: that of the first module that passes requests on.
    fn inherited_handler(&self, except: Directive<'c>) -> Option<Directive<'c>> {
        const INHERITED: [&str; 5] = [
            "proxy_pass",
            "fastcgi_pass",
            "uwsgi_pass",
            "scgi_pass",
            "grpc_pass",
        ];
        INHERITED
            .iter()
            .find_map(|name| except.effective(name).directive())
    }

    pub(super) fn scope_flag(&self, name: &str) -> bool {
        self.scope
            .effective(name)
            .directive()
            .is_some_and(|directive| {
                directive
                    .argument(0)
                    .is_none_or(|word| word.eq_ignore_ascii_case(b"on"))
            })
    }

    fn body_too_large(&mut self) -> Option<Status> {
        let limit = self.scope.effective("client_max_body_size").directive();
        let bytes = match limit.and_then(|limit| limit.argument(0)) {
            Some(word) => size(&word)?,
            None => 1 << 20,
        };
        let length = self.content_length?;
        (bytes > 0 && length > bytes).then(|| {
            self.step(
                limit,
                format!("a body of {length} bytes is larger than is let in"),
            );
            Status::reject(413)
        })
    }

    /// `ngx_http_core_post_rewrite_phase`
    fn post_rewrite(&mut self) -> Next<'c> {
        if !self.uri_changed {
            return Next::Access;
        }
        self.uri_changes -= 1;
        if self.uri_changes == 0 {
            return Next::Finalize(Status::error(500, REWRITTEN));
        }
        self.scope = self.server.directive;
        Next::FindLocation
    }

    /// `ngx_http_internal_redirect`
    pub(super) fn internal_redirect(
        &mut self,
        place: Option<Directive<'c>>,
        uri: Value,
        args: Value,
    ) -> Next<'c> {
        if let Some(directive) = place {
            self.turn(directive, uri.text());
        }
        self.uri_changes -= 1;
        if self.uri_changes == 0 {
            return Next::Finalize(Status::error(500, REDIRECTED));
        }
        self.step(place, format!("internal redirect to `{}`", uri.text()));
        self.uri = uri;
        self.is_named = true;
        self.args = args;
        self.location = None;
        self.scope = self.server.directive;
        self.update_location_config();
        self.internal = true;
        self.valid_unparsed_uri = false;
        self.add_uri_to_alias = false;
        self.valid_location = true;
        Next::ServerRewrite
    }

    /// `ngx_http_named_location`
    fn named_location(&mut self, name: &Value, place: Directive<'c>) -> Next<'c> {
        self.turn(place, name.text());
        self.uri_changes -= 1;
        if self.uri_changes == 0 {
            return Next::Finalize(Status::error(500, REDIRECTED));
        }
        if self.uri.bytes.is_empty() {
            return Next::Finalize(Status::error(
                500,
                "a named location was asked for with an empty URI",
            ));
        }
        self.assume_names(name);
        if !name.is_known() {
            self.assume("the location of a name that is not known");
        }
        self.decide_by(place, name);
        let found = self
            .server
            .directive
            .locations()
            .named(&name.bytes)
            .find(|location| location.modifier == crate::config::Modifier::Named);
        let Some(location) = found else {
            self.step(
                Some(place),
                format!("there is no location `{}`", name.text()),
            );
            return Next::Finalize(Status::error(
                500,
                format!("there is no location `{}`", name.text()),
            ));
        };
        self.step(
            Some(location.directive),
            format!("location `{location}` answers: it was asked for by name"),
        );
        self.internal = true;
        self.content_handler = None;
        self.uri_changed = false;
        self.see(location.directive);
        self.scope = location.directive;
        self.location = Some(location);
        self.update_location_config();
        Next::LocationRewrite
    }
}

/// A size as `ngx_parse_offset` reads it.
fn size(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1 << 10),
        b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
        b'g' | b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1_u64),
    };
    length_of(digits)?.checked_mul(factor)
}
