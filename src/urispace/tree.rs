//! The locations of a server as nginx's search sees them, and who wins under which facts.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pcre2::bytes::Regex;

use crate::config::{Level, Location, Modifier};
use crate::routing::{Choice, redirects_without_slash};

/// How deep locations may be nested.
const DEPTH: usize = 100;

/// The number of a location.
pub(super) type Id = usize;

/// The number of a level.
pub(super) type LevelId = usize;

/// The locations of all roots.
#[derive(Debug, Default)]
pub(super) struct Tree<'c> {
    pub(super) blocks: Vec<Block<'c>>,
    pub(super) levels: Vec<Side>,
    /// The level of each root.
    roots: Vec<LevelId>,
    /// True when locations are nested more deeply than is read.
    pub(super) is_too_deep: bool,
    /// By root and the number of the directive.
    numbers: HashMap<(usize, u32), Id>,
}

/// A location.
#[derive(Debug)]
pub(super) struct Block<'c> {
    pub(super) location: Location<'c>,
    pub(super) level: LevelId,
    inner: LevelId,
    pub(super) parent: Option<Id>,
    regex: Option<Arc<Regex>>,
}

/// The locations that stand side by side.
#[derive(Debug, Default)]
pub(super) struct Side {
    names: HashMap<Vec<u8>, Named>,
    pub(super) regexes: Vec<Id>,
    /// In the order of their names.
    pub(super) prefixes: Vec<Id>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, Default)]
struct Named {
    exact: Option<Id>,
    prefix: Option<Id>,
    /// The proxied location with a slash behind this name.
    redirect: Option<Id>,
}

/// A location that takes a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Taker {
    /// By answering, or by keeping others from it.
    Block(Id),
    /// By a redirect to itself, with a slash.
    Redirect(Id),
}

/// How a search has to end.
#[derive(Debug, Clone)]
pub(super) struct Target {
    root: LevelId,
    /// The locations around the last one, from the outermost on, and that one.
    pub(super) chain: Vec<Id>,
    /// The location that redirects, on the level below.
    redirect: Option<Id>,
}

/// Why a target does not win.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    To(Taker),
    /// It does not match itself.
    Itself,
}

/// What is known of a URI.
pub(super) trait Facts {
    /// What ends the search on a level: an exact name, or a redirect to a slash.
    fn last(&self, level: LevelId) -> Option<Taker>;
    /// The longest prefix of a level.
    fn longest(&self, level: LevelId) -> Option<Id>;
    /// Whether a regex matches; nothing where that is not known.
    fn is_match(&self, regex: Id) -> Option<bool>;
    /// What not knowing of a regex means for those that it would take the URI from.
    const UNKNOWN_TAKES: bool;

    fn takes(&self, regex: Id) -> bool {
        self.is_match(regex).unwrap_or(Self::UNKNOWN_TAKES)
    }
}

impl<'c> Tree<'c> {
    pub(super) fn new(roots: &[Level<'c>]) -> Self {
        let mut tree = Self::default();
        for (root, level) in roots.iter().enumerate() {
            let first = tree.side();
            tree.roots.push(first);
            // Levels that are still to be read, with the location around them.
            let mut waiting = vec![(*level, first, None, 0)];
            while let Some((level, number, parent, depth)) = waiting.pop() {
                if depth > DEPTH {
                    tree.is_too_deep = true;
                    break;
                }
                for location in level.iter() {
                    if location.modifier == Modifier::Named {
                        continue;
                    }
                    let inner = tree.side();
                    let id = tree.blocks.len();
                    let numbered = location.directive.number();
                    waiting.push((location.directive.locations(), inner, Some(id), depth + 1));
                    let regex = location
                        .regex()
                        .filter(|_| !location.path.has_placeholder());
                    tree.blocks.push(Block {
                        regex,
                        location,
                        level: number,
                        inner,
                        parent,
                    });
                    tree.numbers.insert((root, numbered), id);
                    tree.enter(id);
                }
                tree.finish(number);
            }
        }
        tree
    }

    fn side(&mut self) -> LevelId {
        self.levels.push(Side::default());
        self.levels.len() - 1
    }

    fn enter(&mut self, id: Id) {
        let block = &self.blocks[id];
        let side = &mut self.levels[block.level];
        let named = || block.location.path.to_vec();
        match block.location.modifier {
            Modifier::Exact => {
                // Of two that nginx would refuse, the first.
                side.names
                    .entry(named())
                    .or_default()
                    .exact
                    .get_or_insert(id);
            }
            Modifier::Prefix | Modifier::PreferentialPrefix => {
                side.names.entry(named()).or_default().prefix = Some(id);
            }
            Modifier::Regex | Modifier::CaselessRegex => side.regexes.push(id),
            Modifier::Named => {}
        }
    }

    /// Finds the redirects of a level that is complete.
    fn finish(&mut self, level: LevelId) {
        let side = &self.levels[level];
        let mut redirects = Vec::new();
        for (name, named) in &side.names {
            let Some(without) = name.strip_suffix(b"/") else {
                continue;
            };
            let both = || named.exact.into_iter().chain(named.prefix);
            let redirects_here =
                both().any(|id| redirects_without_slash(&self.blocks[id].location));
            let own = side.names.get(without);
            let has_own = own.is_some_and(|own| own.exact.is_some() || own.prefix.is_some());
            if let Some(id) = both().next().filter(|_| redirects_here && !has_own) {
                redirects.push((without.to_vec(), id));
            }
        }
        let side = &mut self.levels[level];
        for (name, id) in redirects {
            side.names.entry(name).or_default().redirect = Some(id);
        }
        let mut prefixes: Vec<(&[u8], Id)> = side
            .names
            .iter()
            .filter_map(|(name, named)| Some((&name[..], named.prefix?)))
            .collect();
        prefixes.sort_unstable();
        side.prefixes = prefixes.into_iter().map(|(_, id)| id).collect();
    }

    pub(super) fn path(&self, id: Id) -> &[u8] {
        &self.blocks[id].location.path
    }

    pub(super) fn modifier(&self, id: Id) -> Modifier {
        self.blocks[id].location.modifier
    }

    /// The whole name that takes a URI for itself.
    pub(super) fn name(&self, taker: Taker) -> &[u8] {
        match taker {
            Taker::Block(id) => self.path(id),
            Taker::Redirect(id) => self.path(id).strip_suffix(b"/").unwrap_or_default(),
        }
    }

    /// Other prefixes of its level that begin with the name of a location.
    pub(super) fn extensions(&self, id: Id) -> impl Iterator<Item = Id> {
        let prefixes = &self.levels[self.blocks[id].level].prefixes;
        let name = self.path(id);
        let first = prefixes.partition_point(|other| self.path(*other) < name);
        prefixes[first..]
            .iter()
            .copied()
            .take_while(move |other| self.path(*other).starts_with(name))
            .filter(move |other| *other != id)
    }

    /// Keeps a name, and what its effect depends on; true when it was not kept yet.
    ///
    /// A `^~` prefix, or one with locations inside, only has its effect where no longer prefix begins.
    pub(super) fn keep(&self, id: Id, names: &mut BTreeSet<Taker>) -> bool {
        let block = &self.blocks[id];
        let is_alone = match block.location.modifier {
            Modifier::PreferentialPrefix => false,
            Modifier::Prefix => self.is_empty(block.inner),
            _ => true,
        };
        if !is_alone {
            names.extend(self.extensions(id).map(Taker::Block));
        }
        names.insert(Taker::Block(id))
    }

    /// True when nothing stands on a level.
    fn is_empty(&self, level: LevelId) -> bool {
        self.levels[level].names.is_empty() && self.levels[level].regexes.is_empty()
    }

    /// The number of a location below a root.
    pub(super) fn id(&self, root: usize, location: &Location<'c>) -> Option<Id> {
        let number = location.directive.number();
        self.numbers.get(&(root, number)).copied()
    }

    /// A way for a search to end; nothing when none ends so.
    pub(super) fn target(&self, root: usize, choice: &Choice<'c>) -> Option<Target> {
        let level = *self.roots.get(root)?;
        let find = |location: &Location<'c>| self.id(root, location);
        let (last, redirect) = match choice {
            Choice::Location(location) => (Some(find(location)?), None),
            Choice::Redirect(location) => {
                let id = find(location)?;
                (self.blocks[id].parent, Some(id))
            }
            Choice::Server => (None, None),
            Choice::Unknown => return None,
        };
        let mut chain: Vec<Id> =
            std::iter::successors(last, |id| self.blocks[*id].parent).collect();
        chain.reverse();
        // Of two with one name, which nginx refuses, one is never found.
        if !chain.iter().all(|id| self.is_found(*id))
            || redirect.is_some_and(|id| !self.redirects(id))
        {
            return None;
        }
        Some(Target {
            root: level,
            chain,
            redirect,
        })
    }

    fn redirects(&self, id: Id) -> bool {
        let names = &self.levels[self.blocks[id].level].names;
        let named = names.get(self.name(Taker::Redirect(id)));
        named.is_some_and(|named| named.redirect == Some(id))
    }

    fn is_found(&self, id: Id) -> bool {
        let block = &self.blocks[id];
        let named = self.levels[block.level].names.get(self.path(id));
        let own = match block.location.modifier {
            Modifier::Exact => named.and_then(|named| named.exact),
            Modifier::Prefix | Modifier::PreferentialPrefix => named.and_then(|named| named.prefix),
            _ => Some(id),
        };
        own == Some(id)
    }

    /// The names that a URI of a target begins with, or for the last of them is.
    pub(super) fn names(&self, target: &Target) -> (Vec<Taker>, bool) {
        let literal = |id: &&Id| !self.blocks[**id].location.is_regex();
        let mut names: Vec<Taker> = target
            .chain
            .iter()
            .filter(literal)
            .map(|id| Taker::Block(*id))
            .collect();
        names.extend(target.redirect.map(Taker::Redirect));
        let is_exact = |id: &Id| self.modifier(*id) == Modifier::Exact;
        let is_whole = target.redirect.is_some() || target.chain.last().is_some_and(is_exact);
        (names, is_whole)
    }

    /// The regexes that certainly take a URI from a target where they match.
    pub(super) fn rivals(&self, target: &Target) -> Vec<Id> {
        let mut rivals = Vec::new();
        let mut is_final = target.redirect.is_some();
        for id in target.chain.iter().rev() {
            let block = &self.blocks[*id];
            let regexes = &self.levels[block.level].regexes;
            if block.location.is_regex() {
                rivals.extend(regexes.iter().take_while(|other| *other != id));
                is_final = true;
            } else if block.location.modifier == Modifier::Exact {
                is_final = true;
            } else if block.location.modifier == Modifier::Prefix && !is_final {
                rivals.extend(regexes);
            }
        }
        if target.redirect.is_none() {
            let innermost = target.chain.last();
            let level = innermost.map_or(target.root, |id| self.blocks[*id].inner);
            rivals.extend(&self.levels[level].regexes);
        }
        rivals
    }

    /// Whether a search can end at a target (`ngx_http_core_find_location`).
    pub(super) fn wins(&self, target: &Target, facts: &impl Facts) -> Result<(), Lost> {
        self.wins_below(target.root, &target.chain, target.redirect, facts)
    }

    fn wins_below(
        &self,
        level: LevelId,
        chain: &[Id],
        redirect: Option<Id>,
        facts: &impl Facts,
    ) -> Result<(), Lost> {
        let is_last = chain.len() == 1 && redirect.is_none();
        if let Some(taker) = facts.last(level) {
            let wanted = match (chain, redirect) {
                ([], Some(id)) => taker == Taker::Redirect(id),
                ([id], None) => taker == Taker::Block(*id),
                _ => false,
            };
            return if wanted { Ok(()) } else { Err(Lost::To(taker)) };
        }
        let longest = facts.longest(level);
        let regexes = &self.levels[level].regexes;
        let Some((head, rest)) = chain.split_first() else {
            if redirect.is_some() {
                return Err(Lost::Itself);
            }
            // Nothing may match here.
            let taker = longest.or_else(|| regexes.iter().copied().find(|id| facts.takes(*id)));
            return taker.map_or(Ok(()), |id| Err(Lost::To(Taker::Block(id))));
        };
        let block = &self.blocks[*head];
        let below = || self.wins_below(block.inner, rest, redirect, facts);
        match block.location.modifier {
            Modifier::Exact | Modifier::Named => Err(Lost::Itself),
            Modifier::Prefix | Modifier::PreferentialPrefix => {
                if longest != Some(*head) {
                    return Err(longest.map_or(Lost::Itself, |id| Lost::To(Taker::Block(id))));
                }
                below()?;
                let is_final = !is_last
                    && (redirect.is_some()
                        || rest.iter().any(|id| !self.blocks[*id].location.is_prefix()));
                if is_final || block.location.modifier == Modifier::PreferentialPrefix {
                    return Ok(());
                }
                let taker = regexes.iter().copied().find(|id| facts.takes(*id));
                taker.map_or(Ok(()), |id| Err(Lost::To(Taker::Block(id))))
            }
            Modifier::Regex | Modifier::CaselessRegex => {
                if let Some(prefix) = longest {
                    self.goes_on(self.blocks[prefix].inner, facts)?;
                    if self.modifier(prefix) == Modifier::PreferentialPrefix {
                        return Err(Lost::To(Taker::Block(prefix)));
                    }
                }
                for id in regexes.iter().take_while(|id| *id != head) {
                    if facts.takes(*id) {
                        return Err(Lost::To(Taker::Block(*id)));
                    }
                }
                if facts.is_match(*head) != Some(true) {
                    return Err(Lost::Itself);
                }
                below()
            }
        }
    }

    /// Whether the search goes on with the regexes around a level.
    fn goes_on(&self, level: LevelId, facts: &impl Facts) -> Result<(), Lost> {
        if let Some(taker) = facts.last(level) {
            return Err(Lost::To(taker));
        }
        if let Some(prefix) = facts.longest(level) {
            self.goes_on(self.blocks[prefix].inner, facts)?;
            if self.modifier(prefix) == Modifier::PreferentialPrefix {
                return Ok(());
            }
        }
        let regexes = &self.levels[level].regexes;
        let taker = regexes.iter().copied().find(|id| facts.takes(*id));
        taker.map_or(Ok(()), |id| Err(Lost::To(Taker::Block(id))))
    }
}

/// All facts of one URI.
pub(super) struct Path<'t, 'c> {
    pub(super) tree: &'t Tree<'c>,
    pub(super) path: &'t [u8],
}

impl Facts for Path<'_, '_> {
    const UNKNOWN_TAKES: bool = true;

    fn last(&self, level: LevelId) -> Option<Taker> {
        let named = self.tree.levels[level].names.get(self.path)?;
        let exact = named.exact.map(Taker::Block);
        exact.or_else(|| named.redirect.map(Taker::Redirect))
    }

    fn longest(&self, level: LevelId) -> Option<Id> {
        let side = &self.tree.levels[level];
        if side.prefixes.is_empty() {
            return None;
        }
        let prefix = |length: usize| side.names.get(&self.path[..length])?.prefix;
        (0..=self.path.len()).rev().find_map(prefix)
    }

    fn is_match(&self, regex: Id) -> Option<bool> {
        let regex = self.tree.blocks[regex].regex.as_ref()?;
        regex.is_match(self.path).ok()
    }
}
