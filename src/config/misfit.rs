//! What nginx refuses before it looks at the values of a directive: `ngx_conf_handler`, in its order.

use std::collections::HashMap;

use super::{Config, Directive, EntryId, load};
use crate::nginx::{self, Contexts, Form, Provider};

/// Of so many different unknown names it is looked up what was meant.
const MAX_LOOKED_UP: usize = 100;

/// Why nginx refuses a directive, whatever its values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// No module has a directive of this name.
    Unknown {
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// The nginx that reads the configuration does not have it yet, or not any more; other versions do.
    OtherVersion,
    /// It may not stand here.
    Misplaced,
    /// It needs a block.
    NoBlock,
    /// It takes no block.
    Block,
    /// It does not take this number of arguments.
    Count,
}

/// What is wrong with each directive, by its place in the configuration.
pub(super) type Misfits = Vec<(EntryId, Misfit)>;

impl Config {
    /// The directives that nginx refuses before it looks at their values, each for the first reason.
    ///
    /// Left out are the lines of tables, files in which a mistake leaves it open where blocks end, and everything
    /// inside a block that is refused itself.
    pub fn misfits(&self) -> impl Iterator<Item = (Directive<'_>, &Misfit)> {
        let misfits = self.misfits.get_or_init(|| self.find_misfits());
        misfits
            .iter()
            .map(|(id, misfit)| (self.directive(*id), misfit))
    }

    fn find_misfits(&self) -> Misfits {
        let doubtful: Vec<bool> = self
            .trees
            .iter()
            .map(load::has_doubtful_structure)
            .collect();
        let mut meant = Meant::default();
        let mut misfits = Vec::new();
        let mut id = 0;
        while let Some(entry) = self.entries.get(id as usize) {
            let directive = self.directive(id);
            id += 1;
            if doubtful[entry.file.index()] {
                id = entry.end;
                continue;
            }
            let Some(misfit) = directive.misfit(&mut meant) else {
                // What may stand in the block of somebody else is not known.
                if directive.known().is_none() && directive.is_block() {
                    id = entry.end;
                }
                continue;
            };
            if !matches!(misfit, Misfit::Count | Misfit::NoBlock) {
                id = entry.end;
            }
            misfits.push((directive.id, misfit));
        }
        misfits
    }

    /// The first unknown name of a file that no configuration includes and that looks like another program's: most
    /// directives at its top are unknown.
    pub fn first_of_another_language(&self) -> Option<Directive<'_>> {
        self.fragment?;
        let at_top = |(directive, misfit): &(Directive<'_>, &Misfit)| {
            directive.parent().is_none() && matches!(misfit, Misfit::Unknown { .. })
        };
        let mut unknown = self
            .misfits()
            .filter(at_top)
            .map(|(directive, _)| directive);
        let first = unknown.next()?;
        let others = unknown.count();
        (others > 1 && 2 * (others + 1) > self.top().count()).then_some(first)
    }

    /// True when a module may be loaded whose directives are not known: one is named, or where modules are loaded
    /// cannot be seen.
    pub fn may_load_unknown_module(&self) -> bool {
        self.fragment.is_some() || self.incomplete_top || self.unknown_module().is_some()
    }

    /// The first `load_module` of a module that is neither in the tables nor described by a person.
    pub fn unknown_module(&self) -> Option<Directive<'_>> {
        self.on_level(None, "load_module").find(|load| {
            load.argument(0)
                .is_some_and(|file| !self.knows_module(&file))
        })
    }
}

impl Directive<'_> {
    fn misfit(self, meant: &mut Meant) -> Option<Misfit> {
        let lines = Contexts::TABLES
            .union(Contexts::OTHER)
            .union(Contexts::UNKNOWN);
        if self.context().intersects(lines) {
            return None;
        }
        let Some(known) = self.known() else {
            return self.unknown(meant);
        };
        if self.may_be_third_party() {
            return None;
        }
        let version = self.config.version;
        if !known.forms.iter().any(|form| form.may_exist_in(version)) {
            return Some(Misfit::OtherVersion);
        }
        if self.forms().next().is_none() {
            // nginx reads an `include` in every block.
            return (known.name != "include").then_some(Misfit::Misplaced);
        }
        let mut fitting = self
            .forms()
            .filter(|form| form.block == self.is_block())
            .peekable();
        if fitting.peek().is_none() {
            return Some(match self.is_block() {
                true => Misfit::Block,
                false => Misfit::NoBlock,
            });
        }
        let count = self.arguments().count();
        let is_refused = !fitting.any(|form| form.takes(count)) && !self.is_cut_short();
        is_refused.then_some(Misfit::Count)
    }

    fn unknown(self, meant: &mut Meant) -> Option<Misfit> {
        let name = self.name();
        let text = name.text();
        if self.config.knows_directive(&name)
            || name.has_placeholder()
            || name.is_empty()
            || self.config.is_placeholder(&text, name.span)
            || self.config.is_called_template(name.span) && name.contains(&b'%')
        {
            return None;
        }
        let meant = meant.of(self, &text);
        let is_foreign = meant.is_none() && nginx::is_of_other_module(&text);
        (!is_foreign).then_some(Misfit::Unknown { meant })
    }

    /// True when a mistake of syntax shows that the `;` was forgotten, so that its arguments are not what was meant.
    fn is_cut_short(self) -> bool {
        let span = self.span();
        let mistakes = &self.config.tree(span.file).mistakes;
        let touches =
            |place: crate::source::Span| place.start <= span.end && span.start <= place.end;
        mistakes
            .iter()
            .any(|mistake| touches(mistake.span) || mistake.related.is_some_and(touches))
    }
}

/// What was probably meant by unknown names: a look at the whole table for each, so it is remembered.
#[derive(Default)]
struct Meant(HashMap<(String, Contexts), Option<String>>);

impl Meant {
    fn of(&mut self, directive: Directive<'_>, name: &str) -> Option<String> {
        let contexts = directive.possible_contexts();
        let key = (name.to_owned(), contexts);
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        if self.0.len() >= MAX_LOOKED_UP {
            return None;
        }
        let meant = directive.similar_name(name, contexts);
        self.0.insert(key, meant.clone());
        meant
    }
}

impl Directive<'_> {
    /// The name that is written most like this one, if any is close; those that may stand here come first.
    fn similar_name(self, name: &str, contexts: Contexts) -> Option<String> {
        let plain = name.to_ascii_lowercase().replace('-', "_");
        if nginx::directive(plain.as_bytes()).is_some() {
            return Some(plain);
        }
        let version = self.config.version;
        let names = |fits: &dyn Fn(&Form) -> bool| {
            let known = nginx::directives().iter();
            let fitting = known.filter(|known| {
                known
                    .forms
                    .iter()
                    .any(|form| form.may_exist_in(version) && fits(form))
            });
            nginx::closest(&plain, fitting.map(|known| known.name))
        };
        let described = self
            .config
            .assumptions
            .directives
            .iter()
            .map(String::as_str);
        names(&|form| form.block == self.is_block() && form.contexts.intersects(contexts))
            .or_else(|| nginx::closest(&plain, described))
            .or_else(|| names(&|form| form.provider() == Provider::Nginx))
    }
}
