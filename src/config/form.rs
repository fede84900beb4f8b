//! Which of a directive's forms may stand at its place, in the nginx that reads it.

use std::fmt;

use super::{Config, Directive, UNKNOWN_NAME};
use crate::nginx::{self, Contexts, Duplicate, Form};

impl<'c> Directive<'c> {
    /// What nginx's table says of its name; nothing for a name that it does not hold, and for a line that is no
    /// directive but an entry of a table or of another module's block.
    pub fn known(self) -> Option<&'static nginx::Directive> {
        let elsewhere = Contexts::TABLES
            .union(Contexts::OTHER)
            .union(Contexts::UNKNOWN);
        match self.entry().name {
            UNKNOWN_NAME => None,
            _ if self.context().intersects(elsewhere) => None,
            known => Some(nginx::directive_at(known.into())),
        }
    }

    /// The forms that may stand at its place in the nginx that reads it, whatever its arguments; those of all versions
    /// when nobody told which it is.
    pub fn forms(self) -> impl Iterator<Item = &'static Form> + Clone {
        let contexts = self.possible_contexts();
        let version = self.config.version;
        let forms = self.known().map_or(&[][..], |known| known.forms);
        forms
            .iter()
            .filter(move |form| form.contexts.intersects(contexts) && form.may_exist_in(version))
    }

    /// The forms that may stand here with this number of arguments, and with a block or without one as this.
    pub fn fitting_forms(self) -> impl Iterator<Item = &'static Form> {
        let count = self.arguments().count();
        let is_block = self.is_block();
        self.forms()
            .filter(move |form| form.block == is_block && form.takes(count))
    }

    /// The first form that may stand here and takes a block and arguments as this directive has them.
    pub fn form(self) -> Option<&'static Form> {
        self.fitting_forms().next()
    }

    /// True when a module that is not nginx's own may take a directive of this name here, in a way that nobody knows.
    pub fn may_be_third_party(self) -> bool {
        let contexts = self.possible_contexts();
        let is_vague = |form: &Form| form.is_vague() && form.contexts.part().intersects(contexts);
        let forms = self.known().map_or(&[][..], |known| known.forms);
        forms.iter().any(is_vague)
    }

    /// The contexts that it may stand in: one, but in a fragment whose place is not known.
    pub fn possible_contexts(self) -> Contexts {
        match (self.config.fragment, self.parent()) {
            (None, _) => self.context(),
            (Some(_), None) => self.config.possible_top,
            (Some(_), Some(block)) => block.possible_inside(),
        }
    }

    fn possible_inside(self) -> Contexts {
        let contexts = self.possible_contexts();
        let forms = self.known().map_or(&[][..], |known| known.forms);
        forms
            .iter()
            .filter(|form| form.block && form.contexts.intersects(contexts))
            .map(|form| contexts.opened_by(form))
            .fold(Contexts::NONE, Contexts::union)
    }
}

impl Config {
    /// True when nginx warns of this form and ignores it, or may.
    pub fn may_ignore(&self, form: &Form) -> bool {
        let ignores = |since| self.version.is_none_or(|told| told >= since);
        form.ignored.is_some_and(ignores)
    }

    /// The contexts that the directives at the top of a fragment may stand in, by the blocks among them, or else by all
    /// of them; when no context takes them together, the one that was guessed or told.
    pub(super) fn find_possible_top(&self, guess: Contexts) -> Contexts {
        let common = |blocks: bool| {
            let judged = self.top().filter(|top| top.is_block() == blocks);
            let contexts = judged.filter_map(|top| {
                let forms = top.known()?.forms.iter();
                let forms = forms.filter(|form| form.block == blocks);
                Some(forms.fold(Contexts::NONE, |all, form| all.union(form.contexts)))
            });
            contexts
                .filter(|all| *all != Contexts::NONE)
                .reduce(Contexts::intersection)
        };
        match common(true) {
            Some(Contexts::NONE) => guess,
            Some(contexts) => contexts,
            // Without a block it may be a collection of lines that are not meant for one place.
            None => common(false)
                .filter(|all| *all != Contexts::NONE)
                .unwrap_or(Contexts::ALL),
        }
    }
}

/// How many arguments a directive takes at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The fewest.
    pub least: usize,
    /// The most.
    pub most: usize,
    odd: bool,
}

impl fmt::Display for Taken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: usize| match count {
            0 => "no argument".to_owned(),
            1 => "one argument".to_owned(),
            count => format!("{count} arguments"),
        };
        match (self.least, self.most) {
            _ if self.odd => write!(formatter, "an odd number of arguments"),
            (least, most) if least == most => write!(formatter, "{}", number(least)),
            (least, usize::MAX) => write!(formatter, "at least {}", number(least)),
            (0, most) => write!(formatter, "at most {}", number(most)),
            (1, most) => write!(formatter, "one to {}", number(most)),
            (least, most) => write!(formatter, "{least} to {}", number(most)),
        }
    }
}

impl Directive<'_> {
    /// How many arguments it takes with or without a block, as it is written; nothing when it takes none either way.
    pub fn taken_arguments(self) -> Option<Taken> {
        let forms = self.forms().filter(|form| form.block == self.is_block());
        let taken = forms.map(|form| Taken {
            least: form.min.into(),
            most: form.most(),
            odd: form.is_odd,
        });
        taken.reduce(|all, one| Taken {
            least: all.least.min(one.least),
            most: all.most.max(one.most),
            odd: all.odd && one.odd,
        })
    }

    /// Where it would be allowed, with or without a block as it is written: in its part of nginx, if it is allowed there.
    pub fn allowed_contexts(self) -> Contexts {
        let version = self.config.version;
        let forms = self.known().map_or(&[][..], |known| known.forms).iter();
        let all = |blocks: bool| {
            let fitting = forms.clone().filter(|form| form.may_exist_in(version));
            fitting
                .filter(|form| !form.is_vague() && (!blocks || form.block == self.is_block()))
                .fold(Contexts::NONE, |all, form| all.union(form.contexts))
        };
        let allowed = match all(true) {
            Contexts::NONE => all(false),
            fitting => fitting,
        };
        match allowed.intersection(self.context().part()) {
            Contexts::NONE => allowed,
            near => near,
        }
    }

    /// True when a directive of this name could take its place, arguments and all, without meeting one of its own name.
    pub fn could_be(self, name: &str) -> bool {
        let contexts = self.possible_contexts();
        let version = self.config.version;
        let count = self.arguments().count();
        let fits = |form: &Form| {
            form.contexts.intersects(contexts)
                && form.may_exist_in(version)
                && form.block == self.is_block()
                && form.takes(count)
                && !(form.duplicate == Duplicate::Refused
                    && self
                        .config
                        .on_level(self.entry().parent, name)
                        .next()
                        .is_some())
        };
        nginx::directive(name.as_bytes()).is_some_and(|known| known.forms.iter().any(fits))
    }

    /// What to write instead of a form of this directive, if the nginx that reads it has that.
    pub fn instead(self, form: &Form) -> Option<&'static str> {
        let instead = form.instead?;
        let version = self.config.version();
        let has = |known: &nginx::Directive| known.forms.iter().any(|form| form.exists_in(version));
        // What is no name says it in words.
        nginx::directive(instead.as_bytes())
            .is_none_or(has)
            .then_some(instead)
    }

    /// True when a directive of this name could take its place, and its setter takes the same values.
    pub fn could_mean(self, form: &Form, name: &str) -> bool {
        let known = nginx::directive(name.as_bytes());
        let takes_same = |known: &nginx::Directive| {
            let mut forms = known.forms.iter();
            forms.any(|other| other.kind == form.kind && other.contexts.intersects(form.contexts))
        };
        self.could_be(name) && known.is_some_and(takes_same)
    }
}
