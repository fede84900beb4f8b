//! Trees and includes become one list of directives, each keeping its own file and span.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::files::Files;
use super::{
    Assumptions, Config, Entry, EntryId, IncludeProblem, IncludeProblemKind, UNKNOWN_NAME,
    UnreadableFile, glob,
};
use crate::nginx::{self, Contexts, Version};
use crate::source::{Asked, FileId, Origin, ReadError, Sources, Span};
use crate::syntax::{self, MistakeKind, Tree};

/// Blocks nested deeper than this are not looked at; nginx itself runs out of stack at some thousands.
const MAX_DEPTH: usize = 128;
/// Includes nested deeper than this are not followed.
const MAX_INCLUDES: usize = 64;
/// A configuration of more directives than this, includes repeated, is given up.
const MAX_ENTRIES: usize = 4_000_000;
/// A configuration that includes files more often than this is given up.
const MAX_FOLLOWED: usize = 500_000;

/// What a configuration is loaded from.
#[derive(Debug, Clone)]
pub enum Root {
    /// A root configuration, as nginx reads with `-c`.
    File(PathBuf),
    /// A file on its own, whose directives stand in this context.
    Fragment(PathBuf, Contexts),
}

/// How a configuration is loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// The files to read from.
    pub files: Files,
    /// The nginx that will read the configuration, if that is known.
    pub version: Option<Version>,
    /// What is known besides.
    pub assumptions: Assumptions,
    /// Files added at the end of the first block of a context, as if an include named them.
    pub added: Vec<(PathBuf, Contexts)>,
}

/// Loads a configuration with everything it includes.
///
/// # Errors
/// When the root file cannot be read. An included file that cannot be read is noted in the configuration instead.
pub fn load(root: &Root, options: &LoadOptions) -> Result<Config, ReadError> {
    let (path, context) = match root {
        Root::File(path) => (path, Contexts::MAIN),
        Root::Fragment(path, context) => (path, *context),
    };
    let prefix = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut loader = Loader {
        options,
        prefix,
        fragment: matches!(root, Root::Fragment(..)),
        config: Config {
            sources: Sources::default(),
            trees: Vec::new(),
            entries: Vec::new(),
            by_name: Vec::new(),
            level_starts: Vec::new(),
            incomplete_top: false,
            fragment: matches!(root, Root::Fragment(..)).then_some(context),
            possible_top: context,
            version: options.version,
            assumptions: options.assumptions.clone(),
            include_problems: Vec::new(),
            unreadable: Vec::new(),
            inclusions: HashMap::new(),
            locations: Vec::new(),
            servers: Vec::new(),
            variables: OnceLock::new(),
            hosts: OnceLock::new(),
            upstreams: OnceLock::new(),
            location_names: OnceLock::new(),
            misfits: OnceLock::new(),
            regexes: Default::default(),
        },
        loaded: HashMap::new(),
        by_path: HashMap::new(),
        followed: 0,
        included: BTreeSet::new(),
        stack: Vec::new(),
    };
    let file = loader.file(path, Asked::ByName)?;
    loader.splice(file, None, context);
    loader.finish();
    Ok(loader.config)
}

struct Loader<'o> {
    options: &'o LoadOptions,
    /// The folder that relative includes start at: nginx's configuration prefix.
    prefix: PathBuf,
    fragment: bool,
    config: Config,
    /// By canonical path.
    loaded: HashMap<PathBuf, FileId>,
    /// By the path that an include names: asking the system for the canonical one again and again takes long.
    by_path: HashMap<PathBuf, FileId>,
    /// How many includes were followed.
    followed: usize,
    /// Each included file with the `include` that names it.
    included: BTreeSet<(FileId, Span)>,
    /// The files whose includes are being followed, each with the `include` that is being followed in it.
    stack: Vec<(FileId, EntryId)>,
}

impl Loader<'_> {
    fn file(&mut self, path: &Path, asked: Asked) -> Result<FileId, ReadError> {
        if let Some(file) = self.by_path.get(path) {
            return Ok(*file);
        }
        let canonical = self.options.files.canonical(path);
        let file = match self.loaded.get(&canonical) {
            Some(file) => *file,
            None => {
                let (origin, bytes) = self.options.files.read(path, asked)?;
                let file = self.add(path, origin, bytes);
                self.loaded.insert(canonical, file);
                file
            }
        };
        self.by_path.insert(path.to_owned(), file);
        Ok(file)
    }

    fn add(&mut self, path: &Path, origin: Origin, bytes: Vec<u8>) -> FileId {
        let file = self
            .config
            .sources
            .add(path.to_string_lossy(), origin, bytes);
        let tree = syntax::parse(file, self.config.sources.file(file).bytes(), nginx::accepts);
        if tree.is_cut {
            self.not_read(path, ReadError::because("more words than nginspect reads"));
        }
        self.config.trees.push(tree);
        file
    }

    /// Adds the directives of a file below `parent`, and follows its includes.
    fn splice(&mut self, file: FileId, parent: Option<EntryId>, context: Contexts) {
        self.stack.push((file, 0));
        let doubtful = has_doubtful_structure(self.config.tree(file));
        if doubtful {
            self.mark_incomplete(parent);
        }
        let is_template = is_template(self.config.tree(file));
        let depth = self.config.ancestors(parent).count();
        // The blocks that are open: where each ends in the tree, its entry, and the context inside it.
        let mut open: Vec<(u32, EntryId, Contexts)> = Vec::new();
        let mut index = 0;
        while let Some(node) = self.config.tree(file).nodes.get(index as usize) {
            let (end, block) = (node.end, node.block);
            while open.last().is_some_and(|(end, ..)| *end <= index) {
                self.close(&mut open);
            }
            let (parent, context) = open.last().map_or((parent, context), |(_, entry, inside)| {
                (Some(*entry), *inside)
            });
            if self.config.entries.len() >= MAX_ENTRIES || self.followed >= MAX_FOLLOWED {
                let (whole, _) = self.stack[0];
                self.unreadable(
                    whole,
                    ReadError::because("more directives than nginspect reads, includes repeated"),
                );
                for (_, block, _) in &open {
                    self.config.entries[*block as usize].incomplete = true;
                }
                self.mark_incomplete(parent);
                break;
            }
            let name = self.config.tree_name(file, index);
            let inside = context.inside(&name);
            let is_include = name.as_ref() == b"include" && !block;
            let name = name_id(&name);
            let id = self.config.entries.len() as EntryId;
            self.config.entries.push(Entry {
                file,
                node: index,
                parent,
                end: id + 1,
                name,
                context,
                inside,
                incomplete: (doubtful && block) || is_template,
            });
            if is_include {
                self.include(id, parent, context);
            }
            if block && depth + open.len() < MAX_DEPTH {
                open.push((end, id, inside));
            } else if block {
                self.config.entries[id as usize].incomplete = true;
                self.unreadable(
                    file,
                    ReadError::because("blocks nested deeper than nginspect reads"),
                );
                index = end - 1;
            }
            index += 1;
        }
        while !open.is_empty() {
            self.close(&mut open);
        }
        self.stack.pop();
    }

    fn close(&mut self, open: &mut Vec<(u32, EntryId, Contexts)>) {
        let Some((_, entry, inside)) = open.pop() else {
            return;
        };
        self.append_to(entry, inside);
        self.config.entries[entry as usize].end = self.config.entries.len() as EntryId;
    }

    /// Puts the added files at the end of the first block of their context.
    fn append_to(&mut self, entry: EntryId, inside: Contexts) {
        for (path, context) in &self.options.added {
            let canonical = self.options.files.canonical(path);
            if *context != inside || self.loaded.contains_key(&canonical) {
                continue;
            }
            match self.file(path, Asked::ByName) {
                Ok(file) => self.splice(file, Some(entry), inside),
                Err(error) => self.not_read(path, error),
            }
        }
    }

    fn include(&mut self, include: EntryId, parent: Option<EntryId>, context: Contexts) {
        let Some(argument) = self.config.directive(include).argument(0) else {
            return;
        };
        if let Some((_, followed)) = self.stack.last_mut() {
            *followed = include;
        }
        let named = argument.value.into_owned();
        let path = self.options.files.locate(&named, &self.prefix);
        if glob::is_pattern(&named) {
            // Where a fragment's relative includes start is not known, so no match means nothing.
            if self.fragment && !named.starts_with(b"/") || self.is_unseen(&path, &named) {
                self.mark_incomplete(parent);
            }
            if self.is_outside(&named) {
                return;
            }
            for path in self.options.files.expand(&path) {
                self.include_file(include, &path, &named, parent, context);
            }
        } else {
            self.include_file(include, &path, &named, parent, context);
        }
    }

    fn include_file(
        &mut self,
        include: EntryId,
        path: &Path,
        named: &[u8],
        parent: Option<EntryId>,
        context: Contexts,
    ) {
        self.followed += 1;
        if self.is_outside(named) {
            if !self.take_stock(path, named, parent, context) {
                self.problem(include, path, IncludeProblemKind::Outside);
                self.mark_incomplete(parent);
            }
            return;
        }
        match self.file(path, Asked::ByInclude) {
            Ok(file) if self.stack.iter().any(|(open, _)| *open == file) => {
                self.problem(include, path, IncludeProblemKind::Cycle);
                let circle = self.stack.iter().skip_while(|(open, _)| *open != file);
                let steps = circle.map(|(_, include)| *include).collect();
                if let Some(problem) = self.config.include_problems.last_mut() {
                    problem.steps = steps;
                }
            }
            Ok(_) if self.stack.len() >= MAX_INCLUDES => {
                self.not_read(
                    path,
                    ReadError::because("includes nested deeper than nginspect follows"),
                );
                self.mark_incomplete(parent);
            }
            Ok(file) => {
                let span = self.config.directive(include).span();
                self.included.insert((file, span));
                self.splice(file, parent, context);
            }
            Err(error) if error.missing => {
                if self.take_stock(path, named, parent, context) {
                    return;
                }
                let certain = self.is_at_its_place(path, named);
                self.problem(include, path, IncludeProblemKind::Missing { certain });
                self.mark_incomplete(parent);
            }
            Err(error) => {
                self.not_read(path, error);
                self.mark_incomplete(parent);
            }
        }
    }

    /// Reads the stock file of nginx's distributions that an include names; false when there is none of this name.
    fn take_stock(
        &mut self,
        path: &Path,
        named: &[u8],
        parent: Option<EntryId>,
        context: Contexts,
    ) -> bool {
        let Some((origin, bytes)) = self.options.files.stock(named) else {
            return false;
        };
        let canonical = self.options.files.canonical(path);
        let file = match self.loaded.get(&canonical) {
            Some(file) => *file,
            None => self.add(path, origin, bytes),
        };
        self.loaded.insert(canonical, file);
        self.splice(file, parent, context);
        true
    }

    /// True when a missing file is missing for nginx too, and not just on this machine.
    fn is_at_its_place(&self, path: &Path, named: &[u8]) -> bool {
        // A link to an absolute path is made for the host, like the path itself.
        let is_foreign_link =
            std::fs::read_link(path).is_ok_and(|target| target.is_absolute()) && !self.is_on_host();
        if self.fragment || is_foreign_link {
            return false;
        }
        if !named.starts_with(b"/") || self.options.files.dump.is_some() {
            return true;
        }
        self.is_own(path) && self.options.files.has_folder(path)
    }

    /// True when the files that an absolute pattern matches may lie on another machine.
    ///
    /// A configuration that is looked at away from its host names absolute paths that mean nothing here.
    fn is_unseen(&self, path: &Path, named: &[u8]) -> bool {
        if !named.starts_with(b"/") || self.options.files.dump.is_some() {
            return false;
        }
        let is_literal = |part: &Path| !glob::is_pattern(part.as_os_str().as_bytes());
        let folder = path.ancestors().skip(1).find(|part| is_literal(part));
        let is_there = folder.is_some_and(Path::is_dir);
        let is_own = self.is_own(path) && !self.fragment;
        self.is_outside(named) || !is_there && !is_own
    }

    /// True for an absolute path that leads out of the checkout which the configuration lies in.
    fn is_outside(&self, named: &[u8]) -> bool {
        let path = Path::new(OsStr::from_bytes(named));
        let checkout = || {
            let here = self.options.files.canonical(&self.prefix);
            let mut folders = here.ancestors();
            folders
                .find(|folder| folder.join(".git").exists())
                .map(Path::to_owned)
        };
        let files = &self.options.files;
        named.starts_with(b"/")
            && files.dump.is_none()
            && files.root.is_none()
            && !self.is_on_host()
            && checkout().is_some_and(|checkout| {
                !path.starts_with(&checkout) && !files.canonical(path).starts_with(&checkout)
            })
    }

    /// True when what an absolute path leads to on this machine belongs to the configuration.
    fn is_own(&self, path: &Path) -> bool {
        let here = self.options.files.canonical(&self.prefix);
        self.is_on_host() || self.options.files.root.is_some() || path.starts_with(here)
    }

    /// True when the configuration lies where nginx reads it on this machine.
    fn is_on_host(&self) -> bool {
        let here = self.options.files.canonical(&self.prefix);
        let system = ["/etc", "/usr/local", "/opt"];
        system.iter().any(|folder| here.starts_with(folder))
    }

    fn problem(&mut self, include: EntryId, path: &Path, kind: IncludeProblemKind) {
        self.config.include_problems.push(IncludeProblem {
            include,
            steps: Vec::new(),
            path: path.to_owned(),
            kind,
        });
    }

    fn not_read(&mut self, path: &Path, error: ReadError) {
        let unreadable = UnreadableFile {
            path: path.to_owned(),
            reason: error.reason,
        };
        if !self.config.unreadable.contains(&unreadable) {
            self.config.unreadable.push(unreadable);
        }
    }

    fn unreadable(&mut self, file: FileId, error: ReadError) {
        let path = PathBuf::from(self.config.sources.file(file).name());
        self.not_read(&path, error);
    }

    fn mark_incomplete(&mut self, block: Option<EntryId>) {
        match block {
            Some(block) => self.config.entries[block as usize].incomplete = true,
            None => self.config.incomplete_top = true,
        }
    }

    /// Makes the indexes that look-ups need.
    fn finish(&mut self) {
        for (file, include) in std::mem::take(&mut self.included) {
            let inclusions = self.config.inclusions.entry(file).or_default();
            inclusions.push(include);
        }
        let config = &mut self.config;
        let mut rows: Vec<_> = config
            .entries
            .iter()
            .enumerate()
            .map(|(id, entry)| (super::level(entry.parent), entry.name, id as EntryId))
            .collect();
        rows.sort_unstable();
        config.level_starts = vec![0; config.entries.len() + 2];
        for (level, ..) in &rows {
            config.level_starts[level + 1] += 1;
        }
        for level in 1..config.level_starts.len() {
            config.level_starts[level] += config.level_starts[level - 1];
        }
        config.by_name = rows.into_iter().map(|(_, name, id)| (name, id)).collect();
        let blocks = |name: &[u8], contexts: Contexts| -> Vec<EntryId> {
            let name = name_id(name);
            let wanted = |entry: &Entry| entry.name == name && entry.context.intersects(contexts);
            (0..config.entries.len() as EntryId)
                .filter(|id| {
                    wanted(&config.entries[*id as usize]) && config.directive(*id).is_block()
                })
                .collect()
        };
        let locations = blocks(b"location", Contexts::SERVER.union(Contexts::LOCATION));
        let servers = blocks(b"server", Contexts::HTTP);
        (config.locations, config.servers) = (locations, servers);
        if let Some(guess) = config.fragment {
            config.possible_top = config.find_possible_top(guess);
        }
    }
}

/// Index of a directive's name in nginx's table.
pub(super) fn name_id(name: &[u8]) -> u16 {
    nginx::directive_index(name).map_or(UNKNOWN_NAME, |index| index as u16)
}

/// True for a file that a program fills in before nginx reads it.
fn is_template(tree: &Tree) -> bool {
    tree.mistakes
        .iter()
        .any(|mistake| mistake.kind == MistakeKind::Template)
}

/// True when a mistake leaves it open which block holds what.
pub(super) fn has_doubtful_structure(tree: &Tree) -> bool {
    tree.is_cut
        || tree.mistakes.iter().any(|mistake| {
            !matches!(
                mistake.kind,
                MistakeKind::MissingSemicolon
                    | MistakeKind::UnexpectedSemicolon
                    | MistakeKind::LongComment
                    | MistakeKind::ByteOrderMark
            )
        })
}
