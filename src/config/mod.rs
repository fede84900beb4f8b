//! The configuration as nginx merges it: every directive with its place, and every effective value with its origin.
//!
//! Includes are resolved here, inheritance is computed here and nowhere else, and here it is known whether everything
//! that could set a value is visible. Requests belong to [`crate::routing`].

mod assumptions;
mod backend;
mod body;
mod buffers;
mod capacity;
mod capture;
mod certificate;
mod comment;
mod condition;
mod container;
mod edit;
mod effective;
mod endpoint;
mod evaluated;
mod excluded;
mod files;
mod find;
mod forged;
mod form;
mod front;
mod glob;
mod grpc;
mod handshake;
mod header;
mod header_buffers;
mod leak;
mod level;
mod load;
mod localhost;
mod location;
mod loose;
mod misfit;
mod mismatch;
mod misread;
mod missing;
mod named;
mod ordered;
mod origin;
mod pool;
mod proxy;
mod purpose;
mod redirect;
mod regex;
mod repeated;
mod resend;
mod retired;
mod retry;
mod rewritten;
mod scheme;
mod server;
mod shadow;
mod slip;
mod sni;
mod socket;
mod sticky;
mod table;
mod tested;
mod token;
mod tuning;
mod underscore;
mod unix_path;
mod unused;
mod upstream;
mod upstream_port;
mod value;
mod variable;
mod websocket;
mod zone;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use crate::diagnostic::Edit;
use crate::nginx::{self, Contexts, Version};
use crate::source::{FileId, Origin, SourceFile, Sources, Span};
use crate::syntax::{Mistake, Quote, Token, TokenKind, Tree};

pub use assumptions::{Assumptions, Network, PathPattern};
pub use backend::{Backend, Peer, is_public_name};
pub use body::BodyLimit;
pub use buffers::BufferClash;
pub use capacity::Shortage;
pub use capture::EmptyCapture;
pub use comment::Comment;
pub use condition::Loss;
pub use effective::{Effective, Visibility};
pub use excluded::Excluded;
pub use files::Files;
pub use find::{Finder, Job, NotFound, Scope};
pub use forged::{OpenTrust, Told};
pub use form::Taken;
pub use grpc::Unreached;
pub use header::{Headers, Upgrade, UpgradeProblem};
pub use level::Level;
pub use load::{LoadOptions, Root, load};
pub use localhost::Localhost;
pub use location::{Location, Modifier};
pub use loose::Loose;
pub use misfit::Misfit;
pub use mismatch::Mismatch;
pub use misread::Glob;
pub use missing::Lack;
pub use ordered::OrderComment;
pub use origin::SiteCheck;
pub use pool::Closing;
pub use proxy::{PASSES, Proxied, ProxyUrl};
pub use redirect::Unchanged;
pub use regex::{BadRegex, Shape};
pub use repeated::Repeated;
pub use resend::{Peers, Retry};
pub use retired::Http2Parameters;
pub use retry::LateRetry;
pub use rewritten::Intercepted;
pub use scheme::SchemeProblem;
pub use server::Server;
pub use sni::SniProblem;
pub use socket::{Clash, Listening, Use};
pub use sticky::Spread;
pub use tested::{Subject, Tested};
pub use tuning::Tuning;
pub use underscore::Dropping;
pub use unused::Unused;
pub use upstream_port::{OwnPorts, PortMismatch};
pub use value::Refusal;
pub use variable::Definition;
pub use websocket::Intent;
pub use zone::{Undefined, Zones};

pub use crate::nginx::{closest, is_slip};

/// Index of a directive in a configuration.
type EntryId = u32;

/// The name of a directive that nginx's table does not hold.
const UNKNOWN_NAME: u16 = u16::MAX;

/// Most characters of an excerpt.
const MAX_EXCERPT: usize = 60;

/// A directive at its place in the merged configuration.
#[derive(Debug)]
struct Entry {
    file: FileId,
    /// Index in the tree of its file.
    node: u32,
    parent: Option<EntryId>,
    /// Just past the last directive of its block, included ones counted.
    end: EntryId,
    /// Index of its name in nginx's table.
    name: u16,
    /// The context it stands in.
    context: Contexts,
    /// The context inside its block.
    inside: Contexts,
    /// True when something that belongs into its block could not be read.
    incomplete: bool,
}

/// Index of a level among all: the top level comes first, then that of each directive.
fn level(block: Option<EntryId>) -> usize {
    block.map_or(0, |block| block as usize + 1)
}

/// Something wrong with an `include`.
#[derive(Debug)]
pub struct IncludeProblem {
    include: EntryId,
    /// For a circle: the includes that lead from the file to itself, this one last.
    steps: Vec<EntryId>,
    /// The file that was looked for.
    pub path: PathBuf,
    /// What is wrong.
    pub kind: IncludeProblemKind,
}

/// What is wrong with an `include`.
#[derive(Debug)]
pub enum IncludeProblemKind {
    /// There is no such file; `certain` when nginx would not find it either.
    Missing {
        /// False when the configuration is not on its own host, so that the file may well exist there.
        certain: bool,
    },
    /// It names a place of the host, while the configuration lies in a checkout: what is there on this machine is not what
    /// nginx will find.
    Outside,
    /// The file is being read already.
    Cycle,
}

/// A file that belongs to the configuration and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableFile {
    /// Its path.
    pub path: PathBuf,
    /// Why, in words that follow `cannot read X: `.
    pub reason: String,
}

/// A whole configuration, or a fragment of one.
#[derive(Debug)]
pub struct Config {
    sources: Sources,
    trees: Vec<Tree>,
    entries: Vec<Entry>,
    /// Every directive by level, name and order, without the level.
    by_name: Vec<(u16, EntryId)>,
    /// Where each level begins in `by_name`, and last where the last one ends.
    level_starts: Vec<u32>,
    incomplete_top: bool,
    fragment: Option<Contexts>,
    /// Of a fragment: the contexts that its directives may stand in.
    possible_top: Contexts,
    version: Option<Version>,
    assumptions: Assumptions,
    include_problems: Vec<IncludeProblem>,
    unreadable: Vec<UnreadableFile>,
    /// Of each included file the directives that include it.
    inclusions: HashMap<FileId, Vec<Span>>,
    locations: Vec<EntryId>,
    servers: Vec<EntryId>,
    variables: OnceLock<variable::Variables>,
    hosts: OnceLock<server::Hosts>,
    upstreams: OnceLock<upstream::Upstreams>,
    location_names: OnceLock<level::Names>,
    misfits: OnceLock<misfit::Misfits>,
    regexes: Mutex<HashMap<EntryId, Option<Arc<pcre2::bytes::Regex>>>>,
}

impl Config {
    /// The files that the configuration was read from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Calls files, given by canonical path, as the user did, whatever link led to them.
    pub(crate) fn name_files(&mut self, names: &BTreeMap<PathBuf, PathBuf>) {
        let known = |(file, source): (FileId, &SourceFile)| match source.origin() {
            Origin::Disk(path) | Origin::Buffer(path) => Some((file, names.get(path)?)),
            Origin::Dump | Origin::Stock => None,
        };
        let named: Vec<_> = self.sources.iter().filter_map(known).collect();
        for (file, name) in named {
            self.sources.rename(file, name.to_string_lossy());
        }
    }

    /// Calls each file as `name` makes of what it is called.
    pub(crate) fn call_files(&mut self, name: impl Fn(&str) -> String) {
        let files = self.sources.iter();
        let names: Vec<_> = files
            .map(|(file, source)| (file, name(source.name())))
            .collect();
        for (file, name) in names {
            self.sources.rename(file, name);
        }
    }

    /// The nginx that will read the configuration; when nobody told it, the stable branch is assumed.
    pub fn version(&self) -> Version {
        self.version.unwrap_or_default()
    }

    /// The nginx that will read the configuration, if somebody told it.
    pub fn told_version(&self) -> Option<Version> {
        self.version
    }

    /// The context of a fragment's directives; nothing for a whole configuration.
    pub fn fragment(&self) -> Option<Contexts> {
        self.fragment
    }

    /// Files that belong to the configuration and could not be read.
    pub fn unreadable(&self) -> &[UnreadableFile] {
        &self.unreadable
    }

    /// Includes that lead nowhere or in a circle, each with its directive.
    pub fn include_problems(&self) -> impl Iterator<Item = (Directive<'_>, &IncludeProblem)> {
        self.include_problems
            .iter()
            .map(|problem| (self.directive(problem.include), problem))
    }

    /// The includes of a circle: each stands in the file that the one before it names, and the last names the file of
    /// the first.
    pub fn circle(&self, problem: &IncludeProblem) -> impl Iterator<Item = Directive<'_>> {
        problem.steps.iter().map(|step| self.directive(*step))
    }

    /// Mistakes of syntax in all files, in their order.
    pub fn mistakes(&self) -> impl Iterator<Item = &Mistake> {
        self.trees.iter().flat_map(|tree| &tree.mistakes)
    }

    /// Every directive, in the order in which nginx reads them.
    pub fn directives(&self) -> impl Iterator<Item = Directive<'_>> {
        (0..self.entries.len() as EntryId).map(|id| self.directive(id))
    }

    /// The directives that stand at no block.
    pub fn top(&self) -> Children<'_> {
        Children {
            config: self,
            next: 0,
            end: self.entries.len() as EntryId,
        }
    }

    /// Every `location`, nested ones included, in file order.
    pub fn locations(&self) -> impl Iterator<Item = Location<'_>> {
        self.locations
            .iter()
            .filter_map(|id| Location::of(self.directive(*id)))
    }

    /// The locations of each level in file order, levels in the order of their first location.
    ///
    /// Left out are files in which a mistake leaves it open where blocks end, and what they include.
    pub fn location_levels(&self) -> Vec<Vec<Location<'_>>> {
        let doubtful: Vec<bool> = self
            .trees
            .iter()
            .map(load::has_doubtful_structure)
            .collect();
        let is_doubtful = |id: EntryId| doubtful[self.entries[id as usize].file.index()];
        let mut levels: Vec<Vec<Location<'_>>> = Vec::new();
        let mut known: HashMap<Option<EntryId>, usize> = HashMap::new();
        for location in self.locations() {
            let id = location.directive.id;
            let parent = self.entries[id as usize].parent;
            if is_doubtful(id) || self.ancestors(parent).any(is_doubtful) {
                continue;
            }
            let level = *known.entry(parent).or_insert_with(|| {
                levels.push(Vec::new());
                levels.len() - 1
            });
            levels[level].push(location);
        }
        levels
    }

    /// Every `server` of the http part, in file order.
    pub fn servers(&self) -> impl Iterator<Item = Server<'_>> {
        self.servers
            .iter()
            .map(|id| Server::new(self.directive(*id)))
    }

    /// The bytes of a span, for a person: what is not UTF-8 is replaced.
    pub fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.sources.slice(span))
    }

    /// The bytes of a span for a message: on one line, cut where they get long.
    pub fn excerpt(&self, span: Span) -> String {
        let text = self.text(span);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(MAX_EXCERPT) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }

    /// A place as `line 12`, or `nginx.conf:12` when it lies in another file than `from`.
    pub fn place(&self, span: Span, from: Span) -> String {
        let file = self.sources.file(span.file);
        let line = file.position(span.start).line;
        if span.file == from.file {
            format!("line {line}")
        } else {
            format!("{}:{line}", file.name())
        }
    }

    fn directive(&self, id: EntryId) -> Directive<'_> {
        Directive { config: self, id }
    }

    fn tree(&self, file: FileId) -> &Tree {
        &self.trees[file.index()]
    }

    fn tree_name(&self, file: FileId, node: u32) -> Cow<'_, [u8]> {
        let tree = self.tree(file);
        let name = tree.words(&tree.nodes[node as usize]).next();
        name.map_or(Cow::Borrowed(&b""[..]), |name| {
            tree.value(name, self.sources.file(file).bytes())
        })
    }

    fn ancestors(&self, block: Option<EntryId>) -> impl Iterator<Item = EntryId> + '_ {
        std::iter::successors(block, |block| self.entries[*block as usize].parent)
    }

    /// The directives of a name that nginx's table holds on one level, in order.
    fn on_level(
        &self,
        block: Option<EntryId>,
        name: &str,
    ) -> impl DoubleEndedIterator<Item = Directive<'_>> {
        // Most levels hold few directives, so that it takes less to compare their names than to look this one up.
        self.rows(block, |known| match known {
            UNKNOWN_NAME => Ordering::Greater,
            known => nginx::directive_name(known as usize).cmp(name),
        })
    }

    /// The directives of one level, in order, whose name in nginx's table is the one that is compared with.
    fn rows(
        &self,
        block: Option<EntryId>,
        compare: impl Fn(u16) -> Ordering,
    ) -> impl DoubleEndedIterator<Item = Directive<'_>> {
        let level = level(block);
        let rows = self.level_starts[level] as usize..self.level_starts[level + 1] as usize;
        let rows = &self.by_name[rows];
        let compare = |(known, _): &(u16, EntryId)| compare(*known);
        let first = rows.partition_point(|row| compare(row).is_lt());
        let length = rows[first..].partition_point(|row| compare(row).is_eq());
        rows[first..first + length]
            .iter()
            .map(|(_, id)| self.directive(*id))
    }
}

/// A directive at its place in a configuration.
#[derive(Clone, Copy)]
pub struct Directive<'c> {
    config: &'c Config,
    id: EntryId,
}

impl PartialEq for Directive<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.config, other.config)
    }
}

impl Eq for Directive<'_> {}

impl fmt::Debug for Directive<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.config.text(self.span()))
    }
}

impl<'c> Directive<'c> {
    fn entry(self) -> &'c Entry {
        &self.config.entries[self.id as usize]
    }

    fn node(self) -> (&'c Tree, &'c crate::syntax::Node) {
        let entry = self.entry();
        let tree = self.config.tree(entry.file);
        (tree, &tree.nodes[entry.node as usize])
    }

    fn word(self, token: Token) -> Word<'c> {
        let tree = self.node().0;
        let bytes = self.config.sources.file(tree.file).bytes();
        let value = tree.value(token, bytes);
        let quote = u32::from(token.kind != TokenKind::Word(Quote::None));
        let written = &bytes[(token.start + quote) as usize..token.end as usize];
        let verbatim = written.starts_with(&value).then_some(quote);
        Word {
            span: tree.span(token),
            value,
            verbatim,
        }
    }

    /// The configuration that it stands in.
    pub fn config(self) -> &'c Config {
        self.config
    }

    /// Its name, as nginx sees it.
    pub fn name(self) -> Word<'c> {
        let (tree, node) = self.node();
        match tree.words(node).next() {
            Some(name) => self.word(name),
            None => Word {
                span: tree.head_span(node),
                value: Cow::Borrowed(b""),
                verbatim: None,
            },
        }
    }

    /// True when it has this name.
    pub fn is(self, name: &str) -> bool {
        match self.entry().name {
            UNKNOWN_NAME => self.name() == name,
            known => nginx::directive_name(known as usize) == name,
        }
    }

    /// Its arguments, in order.
    pub fn arguments(self) -> impl DoubleEndedIterator<Item = Word<'c>> {
        let (tree, node) = self.node();
        tree.words(node)
            .skip_first()
            .map(move |word| self.word(word))
    }

    /// The argument of an index that counts from 0.
    pub fn argument(self, index: usize) -> Option<Word<'c>> {
        self.arguments().nth(index)
    }

    /// From the name to the last argument.
    pub fn span(self) -> Span {
        let (tree, node) = self.node();
        tree.head_span(node)
    }

    /// From the name to the `;` or the `}`.
    pub fn full_span(self) -> Span {
        let (tree, node) = self.node();
        tree.full_span(node)
    }

    /// True when a `{` follows the arguments.
    pub fn is_block(self) -> bool {
        self.node().1.block
    }

    /// The context that it stands in.
    pub fn context(self) -> Contexts {
        self.entry().context
    }

    /// The context inside its block.
    pub fn inside(self) -> Contexts {
        self.entry().inside
    }

    /// The block that it stands in; nothing at the top.
    pub fn parent(self) -> Option<Self> {
        self.entry()
            .parent
            .map(|parent| self.config.directive(parent))
    }

    /// The blocks around it, from the inside out.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        self.config
            .ancestors(self.entry().parent)
            .map(|id| self.config.directive(id))
    }

    /// The directives of its block, included ones in the place of their `include`, which stays before them.
    pub fn children(self) -> Children<'c> {
        Children {
            config: self.config,
            next: self.id + 1,
            end: self.entry().end,
        }
    }

    /// All directives inside its block, at any depth.
    pub fn descendants(self) -> impl Iterator<Item = Self> {
        (self.id + 1..self.entry().end).map(|id| self.config.directive(id))
    }

    /// The directives of a name that stand in its block itself.
    pub fn own(self, name: &str) -> impl DoubleEndedIterator<Item = Self> {
        self.config.on_level(Some(self.id), name)
    }

    /// True when it comes from a stock file that nobody edits.
    pub fn is_stock(self) -> bool {
        *self.config.sources.file(self.entry().file).origin() == Origin::Stock
    }

    /// The `include` that brings it into its block, if there is just one.
    pub fn included_by(self) -> Option<Span> {
        let own = self.entry().file;
        if self.parent().map(|block| block.entry().file) == Some(own) {
            return None;
        }
        match self.config.inclusions(own) {
            [include] => Some(*include),
            _ => None,
        }
    }

    /// Its number in the order in which nginx reads, which no other directive of the configuration has.
    pub fn number(self) -> u32 {
        self.id
    }

    /// True when it stands before `other` in the order in which nginx reads.
    pub fn precedes(self, other: Self) -> bool {
        self.id < other.id
    }
}

/// The directives of one level.
#[derive(Debug, Clone)]
pub struct Children<'c> {
    config: &'c Config,
    next: EntryId,
    end: EntryId,
}

impl<'c> Iterator for Children<'c> {
    type Item = Directive<'c>;

    fn next(&mut self) -> Option<Directive<'c>> {
        let id = self.next;
        if id >= self.end {
            return None;
        }
        self.next = self.config.entries[id as usize].end;
        Some(self.config.directive(id))
    }
}

/// A word of a directive: what nginx makes of it, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'c> {
    /// Where it stands, quotes included.
    pub span: Span,
    /// Its bytes, quotes and escapes undone.
    pub value: Cow<'c, [u8]>,
    /// Where in the span the value stands as it is, if it is written without escapes: after the quote, or at the start.
    verbatim: Option<u32>,
}

impl Word<'_> {
    /// The value for a person: what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }

    /// True when the value holds a variable.
    pub fn has_variables(&self) -> bool {
        nginx::has_variables(&self.value)
    }

    /// True when a template's placeholder is a part of the value.
    pub fn has_placeholder(&self) -> bool {
        let opens = |pair: &[u8]| matches!(pair, b"{{" | b"{%" | b"<%");
        self.value.windows(2).any(opens)
    }

    /// True when the value is this header's name, in any case.
    pub fn is_header(&self, name: &str) -> bool {
        self.value.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as a time in milliseconds, if nginx takes it for one.
    pub fn milliseconds(&self) -> Option<u64> {
        nginx::milliseconds(&self.value)
    }

    /// The value from a byte on, as a word of its own.
    pub fn tail(&self, start: usize) -> Self {
        self.slice(start..self.len())
    }

    /// A part of the value, as a word of its own.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            span: self.part(range.clone()),
            value: self.value[range].to_vec().into(),
            verbatim: self.verbatim.map(|_| 0),
        }
    }

    /// A value that stands in the place of this word without being written there.
    pub fn standing_for(&self, value: Vec<u8>) -> Self {
        Self {
            span: self.span,
            value: value.into(),
            verbatim: None,
        }
    }

    /// Puts text at the beginning of the value, inside the quotes; nothing when the word is written with escapes.
    pub fn prepend(&self, text: &str) -> Option<Edit> {
        self.verbatim
            .map(|_| Edit::insert_before(self.part(0..0), text))
    }

    /// Puts another value in the place of this one, inside the quotes; nothing when the word is written with escapes.
    pub fn rewrite(&self, text: &str) -> Option<Edit> {
        self.verbatim
            .map(|_| Edit::replace(self.part(0..self.len()), text))
    }

    /// True when its parts have places of their own: it is written without escapes.
    pub fn is_verbatim(&self) -> bool {
        self.verbatim.is_some()
    }

    /// True when it is written in quotes, without escapes.
    fn is_quoted(&self) -> bool {
        self.verbatim == Some(1)
    }

    /// Puts text at the end of the value, inside the quotes; nothing when the word is written with escapes.
    pub fn append(&self, text: &str) -> Option<Edit> {
        let place = self.part(self.len()..self.len());
        (place != self.span).then(|| Edit::replace(place, text))
    }

    /// The place of a part of the value, when the word is written without escapes; else the whole word.
    pub fn part(&self, range: std::ops::Range<usize>) -> Span {
        let Some(quote) = self.verbatim else {
            return self.span;
        };
        let start = self.span.start + quote + range.start as u32;
        Span::new(
            self.span.file,
            start,
            start + (range.end - range.start) as u32,
        )
    }
}

impl Deref for Word<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.value
    }
}

impl PartialEq<str> for Word<'_> {
    fn eq(&self, other: &str) -> bool {
        self.value.as_ref() == other.as_bytes()
    }
}

impl PartialEq<&str> for Word<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

/// Leaves the first item out without giving up reading from the end.
trait SkipFirst: DoubleEndedIterator + Sized {
    fn skip_first(mut self) -> Self {
        self.next();
        self
    }
}

impl<I: DoubleEndedIterator> SkipFirst for I {}
