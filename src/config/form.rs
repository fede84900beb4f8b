//! Which of a directive's forms may stand at its place, in the nginx that reads it.

use super::{Config, Directive, UNKNOWN_NAME};
use crate::nginx::{self, Contexts, Form};

impl<'c> Directive<'c> {
    /// What nginx's tables hold under its name, wherever it stands.
    pub fn known(self) -> Option<&'static nginx::Directive> {
        match self.entry().name {
            UNKNOWN_NAME => None,
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

    /// The first form that may stand here and takes a block and arguments as this directive has them.
    pub fn form(self) -> Option<&'static Form> {
        let count = self.arguments().count();
        self.forms()
            .find(|form| form.block == self.is_block() && form.takes(count))
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
