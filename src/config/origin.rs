//! Regexes that decide which other sites may use this one.

use super::{Config, Directive, Subject, Tested};
use crate::nginx::{self, Contexts};

/// A regex whose match lets a site in, by the `Origin` or the `Referer` that its pages send.
#[derive(Debug)]
pub struct SiteCheck<'c> {
    /// The line of a map, the `if` or the `valid_referers` that it stands in.
    pub directive: Directive<'c>,
    /// The regex.
    pub tested: Tested<'c>,
    /// What acts on it.
    pub place: Directive<'c>,
    /// True when the answer then carries `Access-Control-Allow-Origin`; else the request is not refused.
    pub is_shared: bool,
}

impl SiteCheck<'_> {
    /// True when errors are answered with the header as well.
    pub fn is_always(&self) -> bool {
        let is_always =
            |header: Directive<'_>| header.argument(2).is_some_and(|word| word == "always");
        is_always(self.place)
            || self
                .place
                .children()
                .filter(|child| child.shares())
                .any(is_always)
    }
}

impl Config {
    /// The regexes that let sites in: a match adds `Access-Control-Allow-Origin`, or keeps a request from being refused.
    pub fn site_checks(&self) -> Vec<SiteCheck<'_>> {
        let mut checks = Vec::new();
        for directive in self.directives() {
            let is_map = directive.context() == Contexts::MAP;
            if !is_map && !directive.is("if") && !directive.is("valid_referers") {
                continue;
            }
            for tested in directive.tested() {
                let is_site = match &tested.subject {
                    Subject::Header(name) => name == "Origin" || name == "Referer",
                    Subject::Referer => true,
                    _ => false,
                };
                if let Some((place, is_shared)) =
                    is_site.then(|| directive.lets_in(&tested)).flatten()
                {
                    checks.push(SiteCheck {
                        directive,
                        tested,
                        place,
                        is_shared,
                    });
                }
            }
        }
        checks
    }
}

impl<'c> Directive<'c> {
    /// What acts on a match of a regex so that a site is let in, and whether its answer may be read.
    fn lets_in(self, tested: &Tested<'c>) -> Option<(Self, bool)> {
        let is_origin = tested.subject == Subject::Header("Origin".to_owned());
        if self.context() == Contexts::MAP {
            let says_yes = self.argument(0).is_some_and(|value| is_yes(&value));
            let name = self.parent()?.argument(1)?;
            let place = || self.config.granting(name.strip_prefix(b"$")?);
            return (is_origin && says_yes)
                .then(place)
                .flatten()
                .map(|place| (place, true));
        }
        if self.is("valid_referers") {
            let condition = |condition: &Self| {
                let mut words = condition.arguments();
                words.any(|word| &*word == b"($invalid_referer)") && condition.refuses()
            };
            return self
                .parent()?
                .own("if")
                .find(condition)
                .map(|place| (place, false));
        }
        let is_negative = self
            .arguments()
            .any(|word| matches!(&*word, b"!~" | b"!~*"));
        if is_negative {
            return self.refuses().then_some((self, false));
        }
        if !is_origin {
            return None;
        }
        if self.children().any(Self::shares) {
            return Some((self, true));
        }
        let set = self
            .own("set")
            .find(|set| set.argument(1).is_some_and(|value| is_yes(&value)));
        let name = set?.argument(0)?;
        let place = self.config.granting(name.strip_prefix(b"$")?)?;
        Some((place, true))
    }

    /// True for an `if` whose requests are refused.
    fn refuses(self) -> bool {
        self.own("return").any(|answer| {
            let status = answer.argument(0).and_then(|word| nginx::number(&word));
            status.is_some_and(|status| (400..500).contains(&status))
        })
    }

    /// True when it lets pages of other sites read the answer.
    fn shares(self) -> bool {
        self.is("add_header")
            && self
                .argument(0)
                .is_some_and(|name| name.is_header("Access-Control-Allow-Origin"))
    }

    fn looks_up(self, name: &[u8]) -> bool {
        self.arguments().any(|word| {
            let mut names = nginx::references(&word).into_iter();
            names.any(|found| found.name.as_bytes().eq_ignore_ascii_case(name))
        })
    }
}

impl Config {
    /// What lets pages of other sites read the answer because of the value of a variable: the header itself, or an `if`
    /// with it inside.
    fn granting(&self, name: &[u8]) -> Option<Directive<'_>> {
        self.directives().find(|directive| {
            (directive.shares()
                || directive.is("if") && directive.children().any(Directive::shares))
                && directive.looks_up(name)
        })
    }
}

/// False for the values that stand for a refusal.
fn is_yes(value: &[u8]) -> bool {
    let value = value.to_ascii_lowercase();
    !matches!(
        &value[..],
        b"" | b"0" | b"no" | b"false" | b"off" | b"null" | b"deny" | b"none"
    )
}
