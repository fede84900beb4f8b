//! The locations of one level, found by their names without a look at each.

use super::{Config, Directive, EntryId, Location};

/// The locations of all levels, by level and name.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Level, name without its modifier, and entry.
    all: Vec<(usize, Vec<u8>, EntryId)>,
    /// Level and entry of the regexes.
    regexes: Vec<(usize, EntryId)>,
}

/// The locations that stand side by side, in one block or at the top of a fragment.
#[derive(Debug, Clone, Copy)]
pub struct Level<'c> {
    config: &'c Config,
    block: Option<EntryId>,
}

impl Config {
    fn location_names(&self) -> &Names {
        self.location_names.get_or_init(|| {
            let mut names = Names::default();
            let locations = self
                .directives()
                .filter(|directive| directive.is("location"))
                .filter_map(Location::of);
            for location in locations {
                let id = location.directive.id;
                let level = super::level(self.entries[id as usize].parent);
                if location.is_regex() {
                    names.regexes.push((level, id));
                }
                names.all.push((level, location.path.to_vec(), id));
            }
            names.all.sort_unstable();
            names.regexes.sort_unstable();
            names
        })
    }
}

impl<'c> Directive<'c> {
    /// The locations that stand in this block itself.
    pub fn locations(self) -> Level<'c> {
        Level {
            config: self.config,
            block: Some(self.id),
        }
    }
}

impl<'c> Location<'c> {
    /// The locations of its level, itself among them.
    pub fn level(&self) -> Level<'c> {
        Level {
            config: self.directive.config,
            block: self.directive.entry().parent,
        }
    }
}

impl<'c> Level<'c> {
    /// All of them, in file order.
    pub fn iter(self) -> impl Iterator<Item = Location<'c>> {
        self.config
            .on_level(self.block, "location")
            .filter_map(Location::of)
    }

    /// Those of a name, whatever their modifiers, in file order.
    pub fn named(self, name: &[u8]) -> impl Iterator<Item = Location<'c>> {
        let level = super::level(self.block);
        let rows = &self.config.location_names().all;
        let first = rows.partition_point(|(at, known, _)| (*at, &**known) < (level, name));
        rows[first..]
            .iter()
            .take_while(move |(at, known, _)| (*at, &**known) == (level, name))
            .filter_map(move |(.., id)| Location::of(self.config.directive(*id)))
    }

    /// Those whose names begin with a text, whatever their modifiers, by name; a regex as it is written.
    pub fn beginning_with(self, text: &[u8]) -> impl Iterator<Item = Location<'c>> {
        let level = super::level(self.block);
        let rows = &self.config.location_names().all;
        let first = rows.partition_point(|(at, known, _)| (*at, &**known) < (level, text));
        rows[first..]
            .iter()
            .take_while(move |(at, known, _)| *at == level && known.starts_with(text))
            .filter_map(move |(.., id)| Location::of(self.config.directive(*id)))
    }

    /// The regexes, in file order.
    pub fn regexes(self) -> impl Iterator<Item = Location<'c>> {
        let level = super::level(self.block);
        let rows = &self.config.location_names().regexes;
        let first = rows.partition_point(|(at, _)| *at < level);
        rows[first..]
            .iter()
            .take_while(move |(at, _)| *at == level)
            .filter_map(move |(_, id)| Location::of(self.config.directive(*id)))
    }
}
