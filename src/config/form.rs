//! Which form of its name a directive has: what judges its place, its number of arguments and their values.

use super::{Config, Directive, UNKNOWN_NAME};
use crate::nginx::{self, Contexts, Form, Provider, Version};

/// The oldest nginx that is thought of where nobody told the version.
const OLDEST: Version = Version(1, 18, 0);

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
            known => Some(nginx::directive_at(known as usize)),
        }
    }

    /// The forms of its name that may stand where it does in the nginx that reads it, or in any that may.
    ///
    /// Of a fragment it is not certain where it stands, so that all of them may.
    pub fn forms_here(self) -> impl Iterator<Item = &'static Form> {
        let forms = self.known().map_or(&[][..], |known| known.forms);
        let context = self.context();
        let is_fragment = self.config.fragment().is_some();
        forms.iter().filter(move |form| {
            (is_fragment || form.contexts.intersects(context)) && self.config.may_have(form)
        })
    }

    /// The forms that may stand here with this number of arguments, and with a block or without one as this.
    pub fn fitting_forms(self) -> impl Iterator<Item = &'static Form> {
        let count = self.arguments().count();
        let is_block = self.is_block();
        self.forms_here()
            .filter(move |form| form.block == is_block && form.takes(count))
    }

    /// True when a module that is not nginx's own may take a directive of this name here, in a way that nobody knows.
    pub fn may_be_third_party(self) -> bool {
        self.forms_here()
            .any(|form| matches!(form.provider(), Provider::ThirdParty(_)))
    }
}

impl Config {
    /// True when the nginx that reads the configuration has this form; when nobody told its version, when any may.
    pub fn may_have(&self, form: &Form) -> bool {
        match self.version {
            Some(told) => form.exists_in(told),
            None => form.gone.is_none_or(|gone| gone > OLDEST),
        }
    }

    /// True when nginx warns of this form and ignores it, or may.
    pub fn may_ignore(&self, form: &Form) -> bool {
        let ignores = |since| self.version.is_none_or(|told| told >= since);
        form.ignored.is_some_and(ignores)
    }
}
