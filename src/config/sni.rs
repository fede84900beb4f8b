//! Which host nginx names in the TLS handshake with a backend.

use super::{Peer, Proxied};
use crate::diagnostic::Edit;

/// What is wrong with the name in a TLS handshake with a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SniProblem {
    /// None is sent, although the backend has one.
    Unnamed,
    /// It is that of an `upstream`, which is no host name.
    Group,
}

impl Proxied<'_> {
    /// What is wrong with the name that nginx sends from here (`ngx_http_upstream_ssl_name`).
    ///
    /// Nothing where an address is all that is known of the backend, and where the sending is switched off.
    pub fn sni_problem(&self) -> Option<SniProblem> {
        let backend = self.backend().filter(|backend| backend.tls)?;
        let switch = self.scope.effective("proxy_ssl_server_name").directive();
        let set = self.scope.effective("proxy_ssl_name").directive();
        let set = set.and_then(|name| name.argument(0));
        let is_own = set.is_none_or(|name| name == "$proxy_host");
        let is_group = matches!(backend.peer, Peer::Group(_));
        match switch {
            None => backend.name().map(|_| SniProblem::Unnamed),
            Some(_) if self.scope.flag("proxy_ssl_server_name") != Some(true) => None,
            Some(_) => {
                (is_group && is_own && !backend.host.contains('.')).then_some(SniProblem::Group)
            }
        }
    }

    /// Edits after which the handshake from here names the host of the backend; nothing when a group has several.
    pub fn name_upstream(&self, problem: &SniProblem) -> Vec<Edit> {
        let Some(backend) = self.backend() else {
            return Vec::new();
        };
        let set = self.scope.effective("proxy_ssl_name").directive();
        let mut lines = Vec::new();
        let mut edits = Vec::new();
        if *problem == SniProblem::Unnamed {
            lines.push("proxy_ssl_server_name on;".to_owned());
        }
        if matches!(backend.peer, Peer::Group(_)) {
            let Some(name) = backend.name() else {
                return Vec::new();
            };
            let written = set.and_then(|name| name.argument(0));
            match (set, written) {
                (Some(_), Some(written)) if written != "$proxy_host" => {}
                (Some(set), Some(written)) if set.parent() == Some(self.scope) => {
                    edits.push(Edit::replace(written.span, name));
                }
                _ => lines.push(format!("proxy_ssl_name {name};")),
            }
        }
        if !lines.is_empty() {
            edits.extend(self.scope.grow(self.pass, &lines));
        }
        edits
    }
}
