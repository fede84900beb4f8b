//! What is in effect at a place: the value, where it came from, and whether anything unseen could change it.

use super::{Config, Directive, Entry, EntryId};
use crate::nginx::{Contexts, Directive as Known, Inherit};

/// How much of what could set a value is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Everything.
    Whole,
    /// A lone `server` block: the http level is not there and judged as if it set nothing.
    Lone,
    /// Something that could set it was not read; absence proves nothing.
    Partial,
}

/// The directives of a name that are in effect somewhere.
#[derive(Debug, Clone)]
pub struct Effective<'c> {
    /// In order, all of one level; empty when nothing sets the value.
    pub directives: Vec<Directive<'c>>,
    /// Whether anything unseen could set it otherwise.
    pub visibility: Visibility,
}

impl<'c> Effective<'c> {
    /// The directive of a value that has only one; the last where nginx takes several.
    pub fn directive(&self) -> Option<Directive<'c>> {
        self.directives.last().copied()
    }
}

impl<'c> Directive<'c> {
    /// What is in effect inside this block for directives of a name, following the name's kind of inheritance.
    ///
    /// Scalars and lists come from the innermost level that has any (`ngx_conf_merge_*`, and the array merges of the
    /// modules); handlers reach only the unnamed blocks (`if`, `limit_except`) of their location; `set`, `rewrite`,
    /// `return`, `try_files` reach nothing.
    pub fn effective(self, name: &str) -> Effective<'c> {
        let index = crate::nginx::directive_index(name.as_bytes());
        let inherit = index.map_or(Inherit::Unknown, |index| {
            kind(crate::nginx::directive_at(index), self)
        });
        let mut visibility = Visibility::Whole;
        let mut block = Some(self.id);
        loop {
            let directives: Vec<_> = match index {
                Some(index) => self
                    .config
                    .rows(block, |known| usize::from(known).cmp(&index))
                    .collect(),
                None => self.config.on_level(block, name).collect(),
            };
            let incomplete = self.config.is_incomplete(block);
            if !directives.is_empty() {
                if incomplete && inherit == Inherit::List {
                    visibility = Visibility::Partial;
                }
                return Effective {
                    directives,
                    visibility,
                };
            }
            if incomplete {
                visibility = Visibility::Partial;
            }
            let Some(current) = block else {
                return Effective {
                    directives,
                    visibility: visibility.max(self.config.visibility_above()),
                };
            };
            let entry = &self.config.entries[current as usize];
            let goes_up = match inherit {
                Inherit::Scalar | Inherit::List | Inherit::Unknown => true,
                Inherit::Unnamed => is_unnamed(entry),
                Inherit::Never | Inherit::Single => false,
            };
            if !goes_up {
                return Effective {
                    directives,
                    visibility,
                };
            }
            block = entry.parent;
        }
    }

    /// The `allow` and `deny` in effect inside this block, which are one list: those of the innermost level that has any,
    /// in order (`ngx_http_access_merge_loc_conf`).
    pub fn access_rules(self) -> Vec<Self> {
        let levels = std::iter::once(self).chain(self.ancestors());
        let rules = levels.map(|level| {
            let mut rules: Vec<_> = level.own("allow").chain(level.own("deny")).collect();
            rules.sort_by_key(|rule| rule.id);
            rules
        });
        let mut rules = rules.filter(|rules| !rules.is_empty());
        rules.next().unwrap_or_default()
    }

    /// How much is visible of what stands in this block and around it.
    pub fn visibility(self) -> Visibility {
        let around = std::iter::once(self.id).chain(self.ancestors().map(|block| block.id));
        let partial = around
            .map(Some)
            .any(|block| self.config.is_incomplete(block));
        let own = if partial {
            Visibility::Partial
        } else {
            Visibility::Whole
        };
        own.max(self.config.visibility_above())
    }

    /// True when something that belongs into this block could not be read.
    pub fn is_incomplete(self) -> bool {
        self.config.is_incomplete(Some(self.id))
    }

    /// The value of an on/off directive in effect inside this block; nothing when it is not set.
    pub fn flag(self, name: &str) -> Option<bool> {
        self.effective(name)
            .directive()?
            .argument(0)
            .map(|value| value.eq_ignore_ascii_case(b"on"))
    }
}

impl Config {
    /// How much is visible of the levels outside of what was loaded.
    pub fn visibility_above(&self) -> Visibility {
        match self.fragment {
            _ if self.incomplete_top => Visibility::Partial,
            None => Visibility::Whole,
            Some(Contexts::HTTP) => Visibility::Lone,
            Some(_) => Visibility::Partial,
        }
    }

    fn is_incomplete(&self, block: Option<EntryId>) -> bool {
        block.map_or(self.incomplete_top, |block| {
            self.entries[block as usize].incomplete
        })
    }
}

fn kind(known: &'static Known, at: Directive<'_>) -> Inherit {
    known
        .form(at.inside())
        .or(known.forms.first())
        .map_or(Inherit::Unknown, |form| form.inherit)
}

fn is_unnamed(entry: &Entry) -> bool {
    entry
        .inside
        .intersects(Contexts::LOCATION_IF.union(Contexts::LIMIT_EXCEPT))
}
