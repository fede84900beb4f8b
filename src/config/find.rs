//! From the paths that a user names to the configurations that nginx would read.
//!
//! nginx only knows root configurations. A file that is none is looked at inside the `nginx.conf` that includes it, or
//! as if that one did, or on its own.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::files::split_dump;
use super::{Config, Directive, Excluded, Files, LoadOptions, Root, load};
use crate::nginx::{self, Contexts};
use crate::source::{self, Asked, FileId, Origin, ReadError, canonical};

/// Which findings of a configuration were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those that concern one of these files, by canonical path.
    Files(BTreeSet<PathBuf>),
}

impl Scope {
    /// True when a file of the configuration was asked for.
    pub fn holds(&self, config: &Config, file: FileId) -> bool {
        match (self, config.sources().file(file).origin()) {
            (Self::All, _) => true,
            (Self::Files(files), Origin::Disk(path) | Origin::Buffer(path)) => files.contains(path),
            (Self::Files(_), Origin::Dump | Origin::Stock) => false,
        }
    }
}

/// A configuration to look at.
#[derive(Debug)]
pub struct Job {
    /// The configuration.
    pub config: Config,
    /// What was asked for.
    pub scope: Scope,
    /// How it was found, for a user who wants to know.
    pub story: Vec<String>,
}

/// A path that led to no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    /// The path, as it was named.
    pub path: PathBuf,
    /// Why, in words that follow `cannot read X: `.
    pub reason: String,
}

/// Finds the configurations that belong to paths.
#[derive(Debug, Default)]
pub struct Finder {
    /// How configurations are loaded.
    pub options: LoadOptions,
    /// The root configuration, when the user names it.
    pub config: Option<PathBuf>,
    /// The context of fragments, when the user names it.
    pub context: Option<Contexts>,
    /// True when the text that is looked at has no file of its own.
    pub nameless: bool,
    /// Files that are passed over when a folder is searched.
    pub excluded: Excluded,
    /// The name of a file that sets a folder apart: one below a searched folder that holds it is not searched.
    pub apart: Option<&'static str>,
    /// The folders that were set apart, for a search of their own.
    pub left: Vec<PathBuf>,
}

/// Folders deeper than this are not searched for configurations.
const MAX_FOLDERS: usize = 16;

/// What was found for each root, in the order of the paths.
#[derive(Default)]
struct Found {
    jobs: Vec<Job>,
    lost: Vec<NotFound>,
    /// Roots that were loaded for a file below them: their index in `jobs`, if they are wanted.
    roots: BTreeMap<PathBuf, Option<Config>>,
    /// Files asked for below a root, by canonical path, with the name that the user gave them.
    below: Vec<(PathBuf, BTreeMap<PathBuf, PathBuf>)>,
}

impl Finder {
    /// The configurations that the paths belong to, and the paths that belong to none.
    pub fn find(&mut self, paths: &[PathBuf]) -> (Vec<Job>, Vec<NotFound>) {
        let mut found = Found::default();
        for path in paths {
            if path.is_dir() && !self.options.files.buffers.contains_key(&canonical(path)) {
                self.folder(path, &mut found);
            } else if let Err(error) = self.file(path, true, &mut found) {
                found.lost.push(NotFound {
                    path: path.clone(),
                    reason: error.reason,
                });
            }
        }
        for (root, files) in std::mem::take(&mut found.below) {
            if let Some(mut config) = found.roots.remove(&canonical(&root)).flatten() {
                config.name_files(&files);
                let story = vec![format!("inside {}, which includes it", root.display())];
                found.jobs.push(Job {
                    config,
                    scope: Scope::Files(files.into_keys().collect()),
                    story,
                });
            }
        }
        (found.jobs, found.lost)
    }

    /// Looks at one file; `named` when the user named it rather than its folder.
    fn file(&mut self, path: &Path, named: bool, found: &mut Found) -> Result<(), ReadError> {
        self.keep_stream(path)?;
        if let Some(context) = self.context {
            return self.fragment(path, context, found, "its context was given");
        }
        let explicit = self
            .config
            .clone()
            .filter(|root| canonical(root) != canonical(path));
        if explicit.is_none()
            && let Some(job) = self.dump(path)?
        {
            found.jobs.push(job);
            return Ok(());
        }
        let config = load(&Root::File(path.to_owned()), &self.options)?;
        let is_root = is_root(&config);
        if is_root && explicit.is_none() {
            let story = vec![format!("{} is a root configuration", path.display())];
            found.jobs.push(Job {
                config,
                scope: Scope::All,
                story,
            });
            return Ok(());
        }
        if !is_root && !named && !looks_like_nginx(&config) {
            if let Some(last) = found.jobs.last_mut() {
                last.story.push(format!(
                    "{} was passed over: it does not look like nginx",
                    path.display()
                ));
            }
            return Ok(());
        }
        self.belonging(path, &config, explicit, found)
    }

    /// Looks at a file that is no root configuration itself.
    fn belonging(
        &mut self,
        path: &Path,
        config: &Config,
        explicit: Option<PathBuf>,
        found: &mut Found,
    ) -> Result<(), ReadError> {
        if let Some(context) = written_context(config) {
            return self.fragment(path, context, found, "a comment tells its context");
        }
        let target = canonical(path);
        let candidates = match explicit {
            Some(root) => {
                self.load_root(&root, found)?;
                vec![root]
            }
            None if self.nameless => Vec::new(),
            None => roots_above(path),
        };
        for root in &candidates {
            if self.reaches(root, &target, found) {
                match found
                    .below
                    .iter_mut()
                    .find(|(known, _)| canonical(known) == canonical(root))
                {
                    Some((_, files)) => {
                        files.entry(target).or_insert_with(|| path.to_owned());
                    }
                    None => {
                        let files = BTreeMap::from([(target, path.to_owned())]);
                        found.below.push((root.clone(), files));
                    }
                }
                return Ok(());
            }
        }
        let reason = match config.top().next() {
            _ if !config.unreadable().is_empty() => None,
            None if config.mistakes().next().is_none() => Some("it holds no directive"),
            Some(first) if first.name().is_empty() => None,
            Some(_) if !knows_any_directive(config) => {
                Some("it does not look like an nginx configuration")
            }
            _ => None,
        };
        if let Some(reason) = reason {
            return Err(ReadError::because(reason));
        }
        let context = context_of(config);
        let root = candidates.iter().find(|root| {
            found
                .roots
                .get(&canonical(root))
                .is_some_and(Option::is_some)
        });
        match root.filter(|_| matches!(context, Contexts::HTTP | Contexts::STREAM)) {
            Some(root) => self.as_if_enabled(path, config, root, context, found),
            None => self.fragment(path, context, found, "no nginx.conf includes it"),
        }
    }

    /// A file that its `nginx.conf` does not include yet, added at the end of its context, in place of an enabled file
    /// of the same name or with the same server names.
    fn as_if_enabled(
        &mut self,
        path: &Path,
        config: &Config,
        root: &Path,
        context: Contexts,
        found: &mut Found,
    ) -> Result<(), ReadError> {
        let target = canonical(path);
        let mut options = self.options.clone();
        options.added.push((path.to_owned(), context));
        let mut story = vec![format!(
            "{} does not include it: added as if enabled",
            root.display()
        )];
        if let Some(Some(current)) = found.roots.get(&canonical(root)) {
            for twin in twins(current, config, &target, &canonical(root)) {
                story.push(format!("in place of {}", twin.display()));
                options.files.hidden.insert(twin);
            }
        }
        let config = load(&Root::File(root.to_owned()), &options)?;
        let story = story.into_iter().collect();
        found.jobs.push(Job {
            config,
            scope: Scope::Files(BTreeSet::from([target])),
            story,
        });
        Ok(())
    }

    fn fragment(
        &mut self,
        path: &Path,
        context: Contexts,
        found: &mut Found,
        why: &str,
    ) -> Result<(), ReadError> {
        let config = load(&Root::Fragment(path.to_owned(), context), &self.options)?;
        let story = vec![format!("{} is looked at on its own: {why}", path.display())];
        found.jobs.push(Job {
            config,
            scope: Scope::All,
            story,
        });
        Ok(())
    }

    /// Reads a pipe once, so that it can be looked at twice.
    fn keep_stream(&mut self, path: &Path) -> Result<(), ReadError> {
        let files = &mut self.options.files;
        let key = canonical(path);
        let is_stream =
            std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if is_stream && !files.buffers.contains_key(&key) {
            let bytes = source::read(path, Asked::ByName, files.size_limit)?;
            files.buffers.insert(key, bytes);
        }
        Ok(())
    }

    fn dump(&self, path: &Path) -> Result<Option<Job>, ReadError> {
        let (_, bytes) = self.options.files.read(path, Asked::ByName)?;
        let Some(files) = split_dump(&bytes) else {
            return Ok(None);
        };
        let Some((root, _)) = files.first().cloned() else {
            return Ok(None);
        };
        let story = vec![format!(
            "{} is a dump of {} files",
            path.display(),
            files.len()
        )];
        let mut options = self.options.clone();
        options.files = Files {
            dump: Some(files.into_iter().collect()),
            ..options.files
        };
        let config = load(&Root::File(root), &options)?;
        Ok(Some(Job {
            config,
            scope: Scope::All,
            story,
        }))
    }

    /// Everything below a folder that looks like nginx: its `nginx.conf`, or else every candidate.
    fn folder(&mut self, folder: &Path, found: &mut Found) {
        let main = folder.join("nginx.conf");
        let size = |finder: &Self, found: &Found| {
            let left = finder.left.len();
            (found.jobs.len(), found.below.len(), found.lost.len(), left)
        };
        let before = size(self, found);
        let whole =
            load(&Root::File(main.clone()), &self.options).is_ok_and(|config| is_root(&config));
        let paths = if whole {
            vec![main]
        } else {
            self.candidates(folder)
        };
        for path in paths {
            let target = canonical(&path);
            let covered = found
                .jobs
                .iter()
                .any(|job| job.scope == Scope::All && has_read(&job.config, &target));
            if covered {
                continue;
            }
            if let Err(error) = self.file(&path, false, found) {
                // An empty file among others is nothing to complain about.
                if error.reason != "it holds no directive" {
                    found.lost.push(NotFound {
                        path,
                        reason: error.reason,
                    });
                }
            }
        }
        if before == size(self, found) {
            let reason = "no nginx configuration in this folder".to_owned();
            found.lost.push(NotFound {
                path: folder.to_owned(),
                reason,
            });
        }
    }

    /// Files below a folder whose name or place says that they may be nginx configurations, sorted.
    fn candidates(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![(folder.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let is_apart = |name: &str| folder.join(name).is_file();
            if depth > 0 && self.apart.is_some_and(is_apart) {
                self.left.push(folder);
                continue;
            }
            let inside = folder.file_name().is_some_and(|name| {
                ["sites-available", "sites-enabled", "conf.d"]
                    .iter()
                    .any(|known| name == *known)
            });
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if self.excluded.holds(&path) {
                    continue;
                }
                let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                let kind = entry.file_type().ok();
                if kind.is_some_and(|kind| kind.is_dir()) {
                    let skipped = hidden
                        || entry.file_name() == "node_modules"
                        || entry.file_name() == "target";
                    if !skipped && depth < MAX_FOLDERS {
                        folders.push((path, depth + 1));
                    }
                } else if !hidden
                    && (path
                        .extension()
                        .is_some_and(|extension| extension == "conf")
                        || inside)
                    && path.is_file()
                {
                    found.push(path);
                }
            }
        }
        self.left.sort();
        found.sort();
        found
    }

    fn load_root(&self, root: &Path, found: &mut Found) -> Result<(), ReadError> {
        let key = canonical(root);
        if let Entry::Vacant(unknown) = found.roots.entry(key) {
            let config = load(&Root::File(root.to_owned()), &self.options).map_err(|error| {
                let (root, reason) = (root.display(), error.reason);
                ReadError::because(format!("its configuration {root} is unreadable: {reason}"))
            })?;
            unknown.insert(Some(config));
        }
        Ok(())
    }

    fn reaches(&self, root: &Path, target: &Path, found: &mut Found) -> bool {
        let key = canonical(root);
        let config = found.roots.entry(key).or_insert_with(|| {
            load(&Root::File(root.to_owned()), &self.options)
                .ok()
                .filter(is_root)
        });
        config
            .as_ref()
            .is_some_and(|config| has_read(config, target))
    }
}

fn has_read(config: &Config, target: &Path) -> bool {
    config
        .sources()
        .iter()
        .any(|(_, file)| match file.origin() {
            Origin::Disk(path) | Origin::Buffer(path) => path == target,
            Origin::Dump | Origin::Stock => false,
        })
}

/// A root configuration holds `events` or `http` at its top level.
fn is_root(config: &Config) -> bool {
    config
        .top()
        .any(|directive| directive.is_block() && (directive.is("events") || directive.is("http")))
}

/// The `nginx.conf` files in the folders above a file, nearest first, as written and with links resolved; named from the
/// working directory if they lie below it, as a person there would.
fn roots_above(path: &Path) -> Vec<PathBuf> {
    let here = std::env::current_dir().ok();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut roots: Vec<PathBuf> = Vec::new();
    for start in [absolute, canonical(path)] {
        for folder in start.ancestors().skip(1) {
            let root = folder.join("nginx.conf");
            let known = roots
                .iter()
                .any(|known| canonical(known) == canonical(&root));
            if !known && canonical(&root) != canonical(path) && root.is_file() {
                let below = here.as_ref().and_then(|here| root.strip_prefix(here).ok());
                roots.push(below.map_or_else(|| root.clone(), Path::to_owned));
            }
        }
    }
    roots
}

fn knows_any_directive(config: &Config) -> bool {
    config
        .directives()
        .any(|directive| config.knows_directive(&directive.name()))
}

/// True when at least half of the directives at the top are nginx's, one of them a block or all of them known.
fn looks_like_nginx(config: &Config) -> bool {
    let known = |directive: &Directive<'_>| match nginx::directive(&directive.name()) {
        Some(known) => known
            .forms
            .iter()
            .any(|form| form.block == directive.is_block()),
        None => config.knows_directive(&directive.name()),
    };
    let all = config.top().count();
    let good: Vec<Directive<'_>> = config.top().filter(known).collect();
    !good.is_empty()
        && (good.len() == all
            || (2 * good.len() >= all && good.iter().any(|directive| directive.is_block())))
}

/// The innermost context of a `# nginspect: context http,server` comment.
fn written_context(config: &Config) -> Option<Contexts> {
    let (_, file) = config.sources().iter().next()?;
    file.bytes()
        .split(|byte| *byte == b'\n')
        .take(20)
        .find_map(|line| {
            let text = std::str::from_utf8(line)
                .ok()?
                .trim()
                .strip_prefix('#')?
                .trim();
            let context = text
                .strip_prefix("nginspect:")?
                .trim()
                .strip_prefix("context")?;
            Contexts::innermost(context)
        })
}

/// The context that a fragment's directives belong to.
fn context_of(config: &Config) -> Contexts {
    let order = [
        Contexts::HTTP,
        Contexts::STREAM,
        Contexts::SERVER,
        Contexts::LOCATION,
        Contexts::UPSTREAM,
        Contexts::MAIN,
        Contexts::MAIL,
    ];
    let possible = |directive: Directive<'_>| {
        let known = nginx::directive(&directive.name())?;
        let forms = known
            .forms
            .iter()
            .filter(|form| form.block == directive.is_block());
        let contexts = forms.map(|form| form.contexts);
        Some(contexts.fold(Contexts::NONE, Contexts::union))
    };
    if config
        .top()
        .any(|directive| directive.is("server") && directive.is_block())
    {
        let stream = config.top().any(|directive| {
            directive.is("server")
                && directive
                    .children()
                    .any(|child| child.is("proxy_pass") || child.is("ssl_preread"))
        });
        return if stream {
            Contexts::STREAM
        } else {
            Contexts::HTTP
        };
    }
    let common = config
        .top()
        .filter(|directive| !directive.is("include"))
        .filter_map(possible)
        .reduce(Contexts::intersection);
    match common {
        // A list of headers or parameters is meant to be included where it is needed.
        Some(common) if common.intersects(Contexts::LOCATION) && !has_block(config) => {
            Contexts::LOCATION
        }
        Some(common) => order
            .into_iter()
            .find(|context| common.intersects(*context))
            .unwrap_or(Contexts::LOCATION),
        None => Contexts::LOCATION,
    }
}

fn has_block(config: &Config) -> bool {
    config.top().any(Directive::is_block)
}

/// The files of a root configuration that a new one replaces: of the same name, or with a server name in common.
fn twins(root: &Config, new: &Config, target: &Path, root_path: &Path) -> Vec<PathBuf> {
    let names: BTreeSet<Vec<u8>> = server_names(new).map(|(_, name)| name).collect();
    let disk = |file: FileId| match root.sources().file(file).origin() {
        Origin::Disk(path) if path != root_path && path != target => Some(path.clone()),
        _ => None,
    };
    let same_name = root
        .sources()
        .iter()
        .filter_map(|(file, _)| disk(file))
        .filter(|path| path.file_name() == target.file_name());
    let same_server = server_names(root)
        .filter(|(_, name)| names.contains(name))
        .filter_map(|(file, _)| disk(file));
    same_name
        .chain(same_server)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn server_names(config: &Config) -> impl Iterator<Item = (FileId, Vec<u8>)> + '_ {
    config
        .directives()
        .filter(|directive| directive.is("server_name"))
        .flat_map(|directive| {
            directive
                .arguments()
                .map(move |name| (directive.span().file, name.value.to_ascii_lowercase()))
        })
        .filter(|(_, name)| !name.is_empty() && name != b"_")
}
