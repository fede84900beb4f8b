//! Certificates of servers and their keys.

use super::Directive;
use crate::nginx::{Contexts, Version};

impl<'c> Directive<'c> {
    /// True when a certificate is in effect inside this server.
    pub fn has_certificate(self) -> bool {
        !self.effective("ssl_certificate").directives.is_empty()
    }

    /// True when this server answers no handshake at all.
    pub fn rejects_handshakes(self) -> bool {
        self.flag("ssl_reject_handshake") == Some(true)
    }

    /// The last certificate in effect inside this server, when there are fewer keys than certificates and nginx looks at
    /// them.
    pub fn certificate_without_key(self) -> Option<Self> {
        let certificates = self.effective("ssl_certificate").directives;
        let keys = self.effective("ssl_certificate_key").directives;
        let told = self.config.told_version();
        let counts = match self.inside() {
            Contexts::SERVER => true,
            Contexts::STREAM_SERVER => {
                told.is_some_and(|told| told >= Version(1, 25, 5)) || self.asks_for_tls().is_some()
            }
            Contexts::MAIL_SERVER => self.asks_for_tls().is_some(),
            _ => false,
        };
        let last = certificates.last().copied();
        last.filter(|_| counts && keys.len() < certificates.len())
    }

    /// What makes this server alone speak TLS: a `listen` with `ssl`, `starttls`, or `ssl on` of old versions.
    pub fn asks_for_tls(self) -> Option<Self> {
        let speaks = |listen: &Self| listen.listen().is_some_and(|listen| listen.ssl);
        let starttls = || {
            let starttls = self.effective("starttls").directive()?;
            let value = starttls.argument(0)?;
            let is_on = value.eq_ignore_ascii_case(b"on") || value.eq_ignore_ascii_case(b"only");
            (self.inside() == Contexts::MAIL_SERVER && is_on).then_some(starttls)
        };
        self.own("listen")
            .find(speaks)
            .or_else(|| self.old_switch())
            .or_else(starttls)
    }

    /// `ssl on`, which nginx knew until 1.25.1.
    pub fn old_switch(self) -> Option<Self> {
        let is_known = self
            .config
            .told_version()
            .is_none_or(|told| told < Version(1, 25, 1));
        let is_on =
            is_known && self.inside() != Contexts::STREAM_SERVER && self.flag("ssl") == Some(true);
        self.effective("ssl").directive().filter(|_| is_on)
    }
}
