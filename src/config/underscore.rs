//! Headers with underscores in their names, which nginx drops.

use super::{Config, Directive, Proxied, Server};
use crate::diagnostic::Edit;

/// A server that drops such headers although it passes requests on for which they matter.
#[derive(Debug, Clone)]
pub struct Dropping<'c> {
    /// The server.
    pub server: Server<'c>,
    /// The first place that passes requests on, or the one that asks for such a header.
    pub place: Proxied<'c>,
    /// What shows that somebody thought of them: the switch that is off, or a header that is passed on by such a name.
    pub sign: Directive<'c>,
    /// The name of a header that is dropped.
    pub header: String,
}

impl Config {
    /// The servers that drop headers with underscores (`ngx_http_process_request_headers`) and show that these matter, in
    /// the order of their places, once for each sign.
    pub fn dropped_headers(&self) -> Vec<Dropping<'_>> {
        let mut found: Vec<Dropping<'_>> = Vec::new();
        for place in self.passed() {
            let Some(server) = place.location.server() else {
                continue;
            };
            let block = server.directive;
            let switch = block.effective("underscores_in_headers").directive();
            if block.flag("underscores_in_headers") == Some(true)
                || block.flag("ignore_invalid_headers") == Some(false)
            {
                continue;
            }
            let asked = place
                .pass
                .is("proxy_pass")
                .then(|| place.asked_header())
                .flatten();
            let (sign, header) = match (asked, switch) {
                (Some(asked), _) => asked,
                (None, Some(switch)) => (switch, "api_key".to_owned()),
                (None, None) => continue,
            };
            found.push(Dropping {
                server,
                place,
                sign,
                header,
            });
        }
        found
    }
}

impl<'c> Proxied<'c> {
    /// A header with an underscore that is set to what the client sends by the same name, and the name.
    fn asked_header(&self) -> Option<(Directive<'c>, String)> {
        let headers = self.headers();
        headers.directives().iter().find_map(|header| {
            let name = header.argument(0)?.text().into_owned();
            let value = header.argument(1)?.text().to_ascii_lowercase();
            let own = format!("$http_{}", name.to_ascii_lowercase());
            (name.contains('_') && value == own).then_some((*header, name))
        })
    }
}

impl Dropping<'_> {
    /// An edit after which the server takes such headers.
    pub fn keep(&self) -> Option<Edit> {
        let block = self.server.directive;
        let switch = block.effective("underscores_in_headers").directive();
        match switch {
            Some(switch) => Some(Edit::replace(switch.argument(0)?.span, "on")),
            None => block.grow(block, &["underscores_in_headers on;".to_owned()]),
        }
    }
}
