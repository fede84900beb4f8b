//! What becomes of redirects that a backend answers with.

use super::{Directive, Peer, Proxied, ProxyUrl, Visibility, Word, is_public_name};
use crate::diagnostic::Edit;

/// A `proxy_redirect` that lets redirects to the backend's own address through.
#[derive(Debug, Clone)]
pub struct Unchanged<'c> {
    /// The directive.
    pub directive: Directive<'c>,
    /// What the address of the backend begins with, as `http://app/`, for clients that nobody else can reach there.
    pub address: String,
    /// The address that is looked for instead, where only its scheme is another one.
    pub scheme: Option<Word<'c>>,
}

impl<'c> Proxied<'c> {
    /// True for a backend that learns no other host than that of `proxy_pass`, in no header.
    pub fn is_told_its_own_host(&self) -> bool {
        let headers = self.headers();
        let mut others = ["X-Forwarded-Host", "Forwarded"].into_iter();
        self.sends_own_host() && !others.any(|name| headers.sent(name).is_some())
    }

    /// True for a block inside of one that passes on by an address without variables: what is made of that address serves
    /// for both (`ngx_http_proxy_merge_loc_conf` takes the list of the outer block).
    pub fn inherits_redirects(&self) -> bool {
        let is_literal =
            |pass: Directive<'_>| pass.argument(0).is_some_and(|url| !url.has_variables());
        let mut outer = self.scope.ancestors();
        outer.any(|block| block.own("proxy_pass").any(is_literal))
    }

    /// True when no redirect of the backend gets through: an `error_page` answers in its place, or its `Location` is hidden.
    pub fn keeps_redirects(&self) -> bool {
        let pages = || self.scope.effective("error_page").directives;
        let is_redirect = |code: Word<'_>| {
            ["301", "302", "303", "307"]
                .iter()
                .any(|known| code == *known)
        };
        let names_location = |list: &str| {
            let list = self.scope.effective(list).directives;
            let mut names = list.iter().filter_map(|header| header.argument(0));
            names.any(|name| name.is_header("Location"))
        };
        let intercepts = self.scope.flag("proxy_intercept_errors") == Some(true);
        intercepts && pages().iter().any(|page| page.arguments().any(is_redirect))
            || names_location("proxy_hide_header") && !names_location("proxy_pass_header")
    }

    /// What lets redirects of a backend reach clients that is told its own name as the host, so that it builds them from it
    /// (`ngx_http_proxy_rewrite_redirect`).
    ///
    /// Nothing for a public name, which clients may well be sent to, and for an address with variables.
    pub fn unchanged_redirects(&self) -> Option<Unchanged<'c>> {
        let url = self.url().filter(|url| !url.has_variables())?;
        let backend = self
            .backend()
            .filter(|backend| backend.peer != Peer::Unix)?;
        if !self.is_told_its_own_host()
            || self.location.is_internal()
            || self.keeps_redirects()
            || is_public_name(&backend.host)
        {
            return None;
        }
        let [directive] = self.scope.effective("proxy_redirect").directives[..] else {
            return None;
        };
        let first = directive.argument(0)?;
        let written = match &*first == b"off" {
            true => None,
            false => Some(other_scheme(first, &url)?),
        };
        let path = written.as_ref().unwrap_or(&url).uri().unwrap_or(b"/");
        let own = if backend.tls { "https" } else { "http" };
        let address = format!(
            "{own}://{}{}",
            backend.proxy_host(),
            String::from_utf8_lossy(path)
        );
        let scheme = written.map(|written| written.word.slice(0..written.scheme().len()));
        Some(Unchanged {
            directive,
            address,
            scheme,
        })
    }

    /// How much is visible of what decides about redirects.
    pub fn redirect_visibility(&self) -> Visibility {
        let redirect = self.scope.effective("proxy_redirect").visibility;
        redirect.max(self.header_visibility())
    }

    /// Edits after which nginx puts its own address in the place of the backend's; nothing where `proxy_redirect default` may
    /// not stand.
    pub fn change_redirects(&self, unchanged: &Unchanged<'c>) -> Vec<Edit> {
        if let Some(scheme) = &unchanged.scheme {
            let url = self.url();
            let fitting = url.map(|url| String::from_utf8_lossy(url.scheme()).into_owned());
            let edit = fitting.and_then(|fitting| scheme.rewrite(&fitting));
            return edit.into_iter().collect();
        }
        let block = self.location.directive;
        if self.scope != block || self.pass.parent() != Some(block) {
            return Vec::new();
        }
        let off = unchanged.directive;
        let mut edits = Vec::new();
        if off.parent() == Some(block) {
            if self.pass.precedes(off) {
                let word = off.argument(0);
                return word
                    .map(|word| Edit::replace(word.span, "default"))
                    .into_iter()
                    .collect();
            }
            edits.push(off.remove());
        }
        edits.extend(block.grow(self.pass, &["proxy_redirect default;".to_owned()]));
        edits
    }
}

/// An address that is that of the backend but for the scheme.
fn other_scheme<'c>(written: Word<'c>, url: &ProxyUrl<'c>) -> Option<ProxyUrl<'c>> {
    let other = ProxyUrl::parse(written).filter(|other| !other.has_variables())?;
    let is_other = !other.scheme().eq_ignore_ascii_case(url.scheme());
    let is_same_host = other.authority().eq_ignore_ascii_case(url.authority());
    (is_other && is_same_host).then_some(other)
}
