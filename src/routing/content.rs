//! The content phase: which handler answers.

use super::run::{Run, Status};
use super::trace::Outcome;
use super::value::Value;
use crate::config::{Directive, PASSES};

/// What comes of the content phase.
pub(super) enum Content<'c> {
    Outcome(Outcome),
    Status(Status),
    /// The request goes on at another URI, with arguments.
    Redirect(Option<Directive<'c>>, Value, Value),
    /// The request goes on at a named location.
    Named(Value, Directive<'c>),
}

impl<'c> Run<'_, 'c> {
    /// `ngx_http_core_content_phase`, and `try_files` before it.
    pub(super) fn content(&mut self) -> Content<'c> {
        if let Some(content) = self.try_files() {
            return content;
        }
        for mirror in self.scope.effective("mirror").directives {
            if let Some(uri) = mirror.argument(0).filter(|uri| *uri != "off") {
                self.step(
                    Some(mirror),
                    format!("a copy of the request goes to `{uri}`"),
                );
            }
        }
        let Some(handler) = self.content_handler else {
            return self.serve();
        };
        let name = handler.name().text().into_owned();
        if self.tracer.ends_at_handlers {
            return Content::Outcome(Outcome::Handler { name, status: None });
        }
        if PASSES.contains(&name.as_str()) || name == "tunnel_pass" {
            return self.pass(&name);
        }
        let read_only = matches!(name.as_str(), "empty_gif" | "stub_status");
        if read_only && !matches!(self.method.as_str(), "GET" | "HEAD") {
            self.step(Some(handler), format!("`{name}` takes no {}", self.method));
            return Content::Status(Status::reject(405));
        }
        self.step(Some(handler), format!("`{name}` answers"));
        let tag = self.header("if-match").is_some_and(|value| value != b"*");
        let is_whole = self.err_status.is_none_or(|status| status == 200) && !self.is_subrequest;
        if name == "empty_gif" && is_whole && tag {
            self.step(None, "the header `If-Match` cannot be fulfilled");
            self.redirect = None;
            return Content::Status(Status::reject(412));
        }
        Content::Outcome(Outcome::Handler {
            name,
            status: self.err_status,
        })
    }

    /// A `Location` as the client receives it (`ngx_http_header_filter`): a path is made a URL.
    pub(super) fn absolute(&mut self, target: &Value) -> String {
        self.assume_names(target);
        let text = target.text();
        let absolute = self.scope.flag("absolute_redirect") != Some(false);
        if !target.bytes.starts_with(b"/") || !absolute {
            return text;
        }
        let by_name = self.scope.flag("server_name_in_redirect") == Some(true);
        let host = match by_name || !self.host.is_empty() {
            true if by_name => self.variable("server_name"),
            true => Value::new(self.host.clone()),
            false => self.variable("server_addr"),
        };
        self.assume_names(&host);
        let scheme = if self.tls { "https" } else { "http" };
        let usual = if self.tls { 443 } else { 80 };
        let in_redirect = self.scope.flag("port_in_redirect") != Some(false);
        let port = match super::socket::port(&self.socket) {
            Some(port) if in_redirect && port != usual => format!(":{port}"),
            _ => String::new(),
        };
        format!("{scheme}://{}{port}{text}", host.text())
    }
}
