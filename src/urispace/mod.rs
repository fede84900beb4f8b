//! Which URIs each location really receives, proved over all of them.
//!
//! A [`Space`] holds the locations of one server, or of two that are compared. [`Space::find`] looks for a URI with which
//! nginx's search for a location ends as a [`Goal`] says: the answer is such a URI, the locations that leave none, or
//! that nothing could be proved.
//!
//! A search follows only the regexes and names that matter so far. The cheapest URI that it finds is put to the real
//! algorithm, with PCRE2; the location that takes it away is followed too, and the search begins again. When nothing is
//! found any more, what is followed is the proof. Work is counted in states, never in time, so an answer is always the
//! same.

mod ambiguity;
mod automaton;
mod backtracking;
mod bypassed;
mod bytes;
mod contest;
mod dead;
mod hijacked;
mod literals;
mod nfa;
mod origin;
mod pattern;
mod reached;
mod search;
mod suppressed;
mod texts;
mod tree;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

pub use backtracking::{Attack, Attacks, sent};
pub use bypassed::{Bypass, Past, bypassed};
pub use dead::{Cause, Dead, dead};
pub use hijacked::{Hijack, Hijacker, hijacked};
pub use origin::{Flaw, Foreign, foreign};
pub use reached::{Reached, Spaces};
pub use search::Uris;
pub use suppressed::{Suppressed, suppressed};
pub use texts::texts;

use crate::config::{Level, Location, Modifier};
use crate::routing::Choice;
use automaton::Automaton;
use literals::{Literals, Seen};
use search::{Ended, Followed, Part, Search, Visit};
use tree::{Facts, Id, Lost, Path, Taker, Target, Tree};

/// Most refinements of one goal.
const ROUNDS: usize = 5_000;

/// Most states of all searches in one space.
const STATES: usize = 1_000_000;

const TOO_LARGE: &str = "it would take too many states to prove it";

/// The automaton and PCRE2 should never differ.
const CONTRADICTION: &str = "a regex was understood in two ways";

/// Most locations of a proof that are tried to be left out of it.
const SHRUNK: usize = 12;

/// The locations of one server, or of two that are compared.
#[derive(Debug)]
pub struct Space<'c> {
    tree: Tree<'c>,
    automata: Automata,
    spent: usize,
}

/// What is asked of a URI.
#[derive(Debug, Clone)]
pub struct Goal<'c> {
    /// How the search has to end, by the index of the root that it starts from; never [`Choice::Unknown`].
    pub endings: Vec<(usize, Choice<'c>)>,
    /// How the URI has to begin, decoded; empty for any.
    pub below: Vec<u8>,
    /// A location of the first root that the URI has to match, whether or not it answers.
    pub matches: Option<Location<'c>>,
    /// Which URIs count.
    pub uris: Uris,
    /// True to leave out those with a control character.
    pub is_printable: bool,
}

impl<'c> Goal<'c> {
    /// A URI of a client with which the search in the first root ends so.
    pub fn client(choice: Choice<'c>) -> Self {
        Self {
            endings: vec![(0, choice)],
            below: Vec::new(),
            matches: None,
            uris: Uris::Client,
            is_printable: false,
        }
    }
}

/// What was found for a goal.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'c> {
    /// A URI that fulfils it.
    Uri(Vec<u8>),
    /// No URI does; these locations take what others would leave.
    Nothing(Vec<Location<'c>>),
    /// Neither could be proved, for this reason.
    Unknown(String),
}

/// An automaton that grows while it is followed.
type Shared = Rc<RefCell<Automaton>>;

/// Automata by pattern, and whether case counts; several spaces may share them.
type Patterns = Rc<RefCell<HashMap<(Vec<u8>, bool), Result<Shared, &'static str>>>>;

/// The automata of regexes, each made when it is first asked for.
#[derive(Debug, Default)]
struct Automata {
    known: Patterns,
    /// By location.
    of: HashMap<Id, Result<Shared, &'static str>>,
}

impl Automata {
    /// The automaton of a location; otherwise why there is none.
    fn get(&mut self, tree: &Tree<'_>, id: Id) -> Result<Shared, &'static str> {
        let known = &self.known;
        let make = || {
            let location = &tree.blocks[id].location;
            if location.path.has_placeholder() {
                return Err("a placeholder");
            }
            let caseless = location.modifier == Modifier::CaselessRegex;
            let make = || {
                Ok(Rc::new(RefCell::new(Automaton::new(
                    &location.path,
                    caseless,
                )?)))
            };
            known
                .borrow_mut()
                .entry((location.path.to_vec(), caseless))
                .or_insert_with(make)
                .clone()
        };
        self.of.entry(id).or_insert_with(make).clone()
    }
}

/// What a search follows.
#[derive(Debug, Default)]
struct View {
    names: BTreeSet<Taker>,
    regexes: Vec<(Id, Shared)>,
}

/// A goal as the search sees it.
struct Task {
    targets: Vec<Target>,
    /// Regexes of the targets.
    wanted: Vec<Id>,
    /// Regexes that take a URI wherever they match.
    rivals: BTreeSet<Id>,
    begin: Vec<u8>,
    is_whole: bool,
    uris: Uris,
    is_printable: bool,
}

impl Task {
    /// Prepares a goal; nothing when its names exclude each other.
    fn new<'c>(tree: &Tree<'c>, goal: &Goal<'c>) -> Option<Self> {
        let mut task = Self {
            targets: Vec::new(),
            wanted: Vec::new(),
            rivals: BTreeSet::new(),
            begin: goal.below.clone(),
            is_whole: false,
            uris: goal.uris,
            is_printable: goal.is_printable,
        };
        let mut whole: Option<Vec<u8>> = None;
        if let Some(location) = &goal.matches {
            let name = &location.path;
            if location.is_regex() {
                task.wanted.push(tree.id(0, location)?);
            } else if name.starts_with(&task.begin) {
                task.begin = name.to_vec();
            } else if !task.begin.starts_with(name) {
                return None;
            }
            whole = (location.modifier == Modifier::Exact).then(|| name.to_vec());
        }
        for (root, choice) in &goal.endings {
            let target = tree.target(*root, choice)?;
            let (names, is_whole) = tree.names(&target);
            for taker in &names {
                let name = tree.name(*taker);
                if !name.starts_with(&task.begin) && !task.begin.starts_with(name) {
                    return None;
                }
                if name.len() > task.begin.len() {
                    task.begin = name.to_vec();
                }
            }
            if is_whole {
                let name = tree.name(*names.last()?);
                if whole.as_ref().is_some_and(|whole| whole != name) {
                    return None;
                }
                whole = Some(name.to_vec());
            }
            let is_regex = |id: &Id| tree.blocks[*id].location.is_regex();
            task.wanted
                .extend(target.chain.iter().copied().filter(is_regex));
            task.rivals.extend(tree.rivals(&target));
            task.targets.push(target);
        }
        task.is_whole = whole.is_some();
        let is_possible = whole.is_none_or(|whole| whole == task.begin);
        is_possible.then_some(task)
    }

    /// True when what every URI begins with is one.
    fn is_whole_uri(&self) -> bool {
        let is_printable = !self.begin.iter().any(u8::is_ascii_control);
        let is_free = self.wanted.is_empty() && (is_printable || !self.is_printable);
        is_free && self.uris.holds(&self.begin)
    }

    /// Why not all targets win.
    fn lost(&self, tree: &Tree<'_>, facts: &impl Facts) -> Option<Lost> {
        self.targets
            .iter()
            .find_map(|target| tree.wins(target, facts).err())
    }

    /// What a URI has to do with a regex.
    fn part(&self, id: Id) -> Part {
        if self.wanted.contains(&id) {
            Part::Match
        } else if self.rivals.contains(&id) {
            Part::Miss
        } else {
            Part::Either
        }
    }
}

impl<'c> Space<'c> {
    /// The space of one level with all below it, or of two.
    pub fn new(roots: &[Level<'c>]) -> Self {
        Self::with(roots, Patterns::default())
    }

    /// A space that knows some automata already.
    fn with(roots: &[Level<'c>], known: Patterns) -> Self {
        Self {
            tree: Tree::new(roots),
            automata: Automata {
                known,
                of: HashMap::new(),
            },
            spent: 0,
        }
    }

    /// Looks for the cheapest URI of a goal: short, and printable if one is.
    pub fn find(&mut self, goal: &Goal<'c>) -> Found<'c> {
        if self.tree.is_too_deep {
            return Found::Unknown("the locations are nested too deeply".to_owned());
        }
        let Some(task) = Task::new(&self.tree, goal) else {
            return Found::Nothing(Vec::new());
        };
        // What every URI of the goal begins with is the cheapest of them, if it is one.
        let begin = Path {
            tree: &self.tree,
            path: &task.begin,
        };
        if task.is_whole_uri() && task.lost(&self.tree, &begin).is_none() {
            return Found::Uri(task.begin);
        }
        let mut view = match self.first_view(&task) {
            Ok(view) => view,
            Err(unknown) => return unknown,
        };
        let mut takers = Vec::new();
        for _ in 0..ROUNDS {
            match self.round(&task, &view) {
                Round::Found(path) => return Found::Uri(path),
                Round::Taken(taker) => {
                    takers.push(taker);
                    match self.follow(&task, taker, &mut view) {
                        Ok(true) => {}
                        Ok(false) | Err(_) => return Found::Unknown(CONTRADICTION.to_owned()),
                    }
                }
                Round::Nothing => return Found::Nothing(self.explain(&task, takers)),
                Round::Unknown(why) => return Found::Unknown(why),
            }
        }
        Found::Unknown(TOO_LARGE.to_owned())
    }

    /// What is followed at first: what the goal itself names.
    fn first_view(&mut self, task: &Task) -> Result<View, Found<'c>> {
        let mut view = View::default();
        for target in &task.targets {
            view.names.extend(self.tree.names(target).0);
        }
        for id in &task.wanted {
            self.follow(task, Taker::Block(*id), &mut view)
                .map_err(|why| Found::Unknown(self.undecidable(*id, why)))?;
        }
        Ok(view)
    }

    /// One search: puts what may fulfil the goal to the real algorithm.
    fn round(&mut self, task: &Task, view: &View) -> Round {
        let (tree, automata) = (&self.tree, &mut self.automata);
        let mut round = Round::Nothing;
        let mut doubt = None;
        let ended = search(tree, task, view, &mut self.spent, |path| {
            let facts = Path { tree, path };
            let taker = match task.lost(tree, &facts) {
                None => {
                    round = Round::Found(path.to_vec());
                    return Visit::Stop;
                }
                Some(Lost::To(taker)) => taker,
                Some(Lost::Itself) => {
                    doubt.get_or_insert(None);
                    return Visit::GoOn;
                }
            };
            if let Taker::Block(id) = taker
                && tree.blocks[id].location.is_regex()
                && let Err(why) = automata.get(tree, id)
            {
                doubt.get_or_insert(Some((id, why)));
                return Visit::GoOn;
            }
            round = Round::Taken(taker);
            Visit::Stop
        });
        match (ended, doubt) {
            (Ended::TooLarge, _) => Round::Unknown(TOO_LARGE.to_owned()),
            (Ended::Exhausted, Some(Some((id, why)))) => Round::Unknown(self.undecidable(id, why)),
            (Ended::Exhausted, Some(None)) => Round::Unknown(CONTRADICTION.to_owned()),
            (Ended::Exhausted, None) => Round::Nothing,
            (Ended::Stopped, _) => round,
        }
    }

    fn undecidable(&self, id: Id, why: &str) -> String {
        let location = &self.tree.blocks[id].location;
        format!("`{location}` holds {why}, of which nothing is proved")
    }

    /// Keeps in view what takes URIs; true when it was not yet.
    ///
    /// What is in view has to be certain to take what it seems to take: a `^~` prefix, or one with locations inside,
    /// only does where no longer prefix begins, so those come into view with it.
    fn follow(&mut self, task: &Task, taker: Taker, view: &mut View) -> Result<bool, &'static str> {
        let (Taker::Block(id) | Taker::Redirect(id)) = taker;
        let blocks = &self.tree.blocks;
        let outer = std::iter::successors(blocks[id].parent, |id| blocks[*id].parent);
        let mut is_new = false;
        for taker in std::iter::once(taker).chain(outer.map(Taker::Block)) {
            let Taker::Block(id) = taker else {
                is_new |= view.names.insert(taker);
                continue;
            };
            if !blocks[id].location.is_regex() {
                is_new |= self.tree.keep(id, &mut view.names);
                continue;
            }
            let automaton = self.automata.get(&self.tree, id)?;
            if view.regexes.iter().any(|(known, _)| *known == id) {
                continue;
            }
            is_new = true;
            view.regexes.push((id, automaton));
            if task.part(id) == Part::Either {
                // Beside these it is not tried.
                for id in &self.tree.levels[blocks[id].level].prefixes {
                    if self.tree.modifier(*id) == Modifier::PreferentialPrefix {
                        self.tree.keep(*id, &mut view.names);
                    }
                }
            }
        }
        Ok(is_new)
    }

    /// The locations without which something would be left, of those that a proof has used.
    fn explain(&mut self, task: &Task, mut takers: Vec<Taker>) -> Vec<Location<'c>> {
        let mut place = 0;
        while place < takers.len() && takers.len() <= SHRUNK {
            let left_out = takers.remove(place);
            let view = self.first_view(task).ok().and_then(|mut view| {
                for taker in &takers {
                    self.follow(task, *taker, &mut view).ok()?;
                }
                Some(view)
            });
            let is_enough = view.is_some_and(|view| {
                let stop = |_: &[u8]| Visit::Stop;
                search(&self.tree, task, &view, &mut self.spent, stop) == Ended::Exhausted
            });
            if !is_enough {
                takers.insert(place, left_out);
                place += 1;
            }
        }
        let ids = takers.iter().map(|taker| {
            let (Taker::Block(id) | Taker::Redirect(id)) = *taker;
            id
        });
        // In the order of the file.
        let ids: BTreeSet<Id> = ids.collect();
        let locations = ids.iter().map(|id| self.tree.blocks[*id].location.clone());
        locations.collect()
    }
}

/// What one search comes to.
enum Round {
    Found(Vec<u8>),
    Taken(Taker),
    Nothing,
    Unknown(String),
}

/// Visits the texts that may fulfil a goal, for all that is in view.
fn search(
    tree: &Tree<'_>,
    task: &Task,
    view: &View,
    spent: &mut usize,
    mut visit: impl FnMut(&[u8]) -> Visit,
) -> Ended {
    if *spent >= STATES {
        return Ended::TooLarge;
    }
    let literals = Literals::new(tree, &view.names);
    let mut places: Vec<Option<usize>> = vec![None; tree.blocks.len()];
    let mut followed: Vec<Followed> = Vec::new();
    for (id, automaton) in &view.regexes {
        let part = task.part(*id);
        // Several locations may have one pattern.
        let known = followed
            .iter()
            .position(|known| Rc::ptr_eq(&known.automaton, automaton));
        match known.map(|at| &mut followed[at].part) {
            None => followed.push(Followed {
                automaton: Rc::clone(automaton),
                part,
            }),
            Some(known) if *known == Part::Either => *known = part,
            Some(known) if part != Part::Either && *known != part => return Ended::Exhausted,
            Some(_) => {}
        }
        places[*id] = Some(known.unwrap_or(followed.len() - 1));
    }
    let search = Search {
        uris: task.uris,
        is_printable: task.is_printable,
        begin: &task.begin,
        is_whole: task.is_whole,
        literals: &literals,
        followed,
    };
    search.run(spent, |text| {
        let facts = Seen {
            literals: &literals,
            position: text.position,
            places: &places,
            ends: text.ends,
        };
        match task.lost(tree, &facts) {
            None => visit(&text.bytes()),
            Some(_) => Visit::GoOn,
        }
    })
}
