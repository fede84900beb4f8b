//! Directives of the rewrite module that no request gets to, and handlers behind them.

use super::{Directive, PASSES, Server, Shape, Visibility};

/// The directives that `ngx_http_rewrite_handler` runs, in the order of the file.
const SCRIPT: [&str; 5] = ["set", "rewrite", "return", "if", "break"];

/// Directives that make the content handler of a location (`clcf->handler`), of which the last one stands.
const HANDLERS: [&str; 10] = [
    "tunnel_pass",
    "empty_gif",
    "stub_status",
    "perl",
    "js_content",
    "flv",
    "mp4",
    "content_by_lua",
    "content_by_lua_block",
    "content_by_lua_file",
];

/// The absolute beginnings that make a redirect of a replacement (`ngx_http_rewrite`).
const ABSOLUTE: [&str; 3] = ["http://", "https://", "$scheme"];

impl<'c> Directive<'c> {
    /// The different content handlers in this block itself, in the order of the file.
    pub fn handlers(self) -> Vec<Self> {
        let all = PASSES.iter().chain(&HANDLERS);
        let mut found: Vec<Self> = all.filter_map(|name| self.own(name).next_back()).collect();
        found.sort_by_key(|handler| handler.id);
        found
    }

    /// The directives of this block that nginx runs one after the other before it looks for a handler.
    pub fn script(self) -> Vec<Self> {
        let mut found: Vec<Self> = SCRIPT.iter().flat_map(|name| self.own(name)).collect();
        found.sort_by_key(|step| step.id);
        found
    }

    /// True when nothing after this directive of the script is run: a `return`, a `break`, or a `rewrite` that matches
    /// every path and does not go on.
    pub fn ends_script(self) -> bool {
        self.is("return")
            || self.is("break")
            || self.is("rewrite") && self.leaves() && self.matches_all()
    }

    /// True when this directive of the script answers every request that gets to it.
    pub fn answers_always(self) -> bool {
        self.is("return") || self.is("rewrite") && self.redirects() && self.matches_all()
    }

    /// True for a `rewrite` after which nothing else is run if it matches.
    pub fn leaves(self) -> bool {
        self.argument(2).is_some() || self.redirects()
    }

    /// True for a `rewrite` that answers with a redirect if it matches.
    pub fn redirects(self) -> bool {
        let flag = self.argument(2);
        let is_redirect = |flag: &super::Word<'_>| *flag == "redirect" || *flag == "permanent";
        let is_absolute = |target: super::Word<'_>| {
            ABSOLUTE
                .iter()
                .any(|start| target.starts_with(start.as_bytes()))
        };
        flag.as_ref().is_some_and(is_redirect) || self.argument(1).is_some_and(is_absolute)
    }

    /// True for a `rewrite` whose regex matches every path, be it only those without a line feed.
    fn matches_all(self) -> bool {
        self.argument(0).is_some_and(|pattern| {
            let is_all = matches!(
                &*pattern,
                b"^" | b"/" | b"." | b".*" | b"(.*)" | b".+" | b"(.+)"
            );
            is_all
                || Shape::of(&pattern)
                    .is_some_and(|shape| shape.is_line_only && matches!(&*shape.prefix, b"" | b"/"))
        })
    }

    /// What always answers in this block before its handler is asked, if it is certain that it is run.
    pub fn answers_first(self) -> Option<Self> {
        let script = self.script();
        let place = script.iter().position(|step| step.answers_always())?;
        let may_stop = |step: &Self| {
            let ends = |inner: &Self| {
                inner.is("break")
                    || inner.is("rewrite") && inner.argument(2).is_some_and(|flag| flag == "break")
            };
            ends(step) || step.descendants().any(|inner| ends(&inner))
        };
        (!script[..place].iter().any(may_stop)).then_some(script[place])
    }

    /// True when every request leaves this block by its script before a handler is asked.
    pub fn is_left(self) -> bool {
        let script = self.script();
        let ends = |step: &Self| step.ends_script() && !step.stays();
        let Some(place) = script.iter().position(ends) else {
            return false;
        };
        let may_stay = |step: &Self| step.stays() || step.descendants().any(|inner| inner.stays());
        !script[..place].iter().any(may_stay)
    }

    /// True for what ends the script of a block and lets its handler answer.
    fn stays(self) -> bool {
        self.is("break")
            || self.is("rewrite") && self.argument(2).is_some_and(|flag| flag == "break")
    }

    /// The first directive of this block after which no other of its script is run, and those that are not.
    pub fn dead_script(self) -> Option<(Self, Vec<Self>)> {
        let mut script = self.script();
        let place = script.iter().position(|step| step.ends_script())?;
        let dead = script.split_off(place + 1);
        (!dead.is_empty()).then(|| (script[place], dead))
    }
}

impl<'c> Server<'c> {
    /// The `return` by which a server answers every request, redirects inside of nginx among them.
    ///
    /// They run through the server's rewrites again, but those that go to a named location.
    pub fn answers_first(self) -> Option<Directive<'c>> {
        let block = self.directive;
        let answer = block.own("return").next()?;
        // What stops the rewrites leads to a location all the same.
        let stops = |directive: Directive<'_>| {
            let flag = directive.argument(2);
            directive.is("break") || flag.is_some_and(|flag| flag == "last" || flag == "break")
        };
        let may_stop = |inside: Directive<'_>| {
            ["rewrite", "break"]
                .iter()
                .flat_map(|name| inside.own(name))
                .any(|directive| directive.precedes(answer) && stops(directive))
        };
        let is_certain = block.visibility() != Visibility::Partial
            && !block
                .own("if")
                .any(|inside| inside.is_incomplete() || may_stop(inside))
            && !may_stop(block);
        is_certain.then_some(answer)
    }
}
