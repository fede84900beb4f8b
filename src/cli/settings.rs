//! From paths and flags to the settings that are in effect.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Streams;
use super::check::describe;
use super::global::{Color, Global};
use crate::lint::Policy;
use crate::nginx::Version;
use crate::report::{Findings, Part, printable, text};
use crate::rules::RULES;
use crate::settings::{self, FILE_NAME, FailOn, Settings};
use crate::source::{self, Asked};

/// Larger files are no settings.
const LARGEST_FILE: u64 = 1 << 20;

/// Settings with what is made of them once.
#[derive(Debug)]
pub(super) struct InEffect {
    pub(super) settings: Settings,
    pub(super) policy: Policy,
}

/// Finds the settings of paths, and puts the flags above them.
pub(super) struct Lookup<'a> {
    global: &'a Global,
    /// The version that the flags tell.
    version: Option<Version>,
    select: &'a [String],
    ignore: &'a [String],
    fail_on: Option<FailOn>,
    /// By folder, what lies nearest upwards.
    folders: HashMap<PathBuf, Option<PathBuf>>,
    /// By file; nothing for a broken one.
    files: HashMap<Option<PathBuf>, Option<Rc<InEffect>>>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(
        global: &'a Global,
        version: Option<Version>,
        select: &'a [String],
        ignore: &'a [String],
        fail_on: Option<FailOn>,
    ) -> Self {
        Self {
            global,
            version,
            select,
            ignore,
            fail_on,
            folders: HashMap::new(),
            files: HashMap::new(),
        }
    }

    /// True when a file of settings was refused.
    pub(super) fn has_failed(&self) -> bool {
        self.files.values().any(Option::is_none)
    }

    /// The settings for a file or a folder; nothing when they are broken, which has been said.
    pub(super) fn of(&mut self, path: &Path, streams: &mut Streams) -> Option<Rc<InEffect>> {
        let file = match &self.global.settings {
            Some(named) => Some(named.clone()),
            None => self.nearest(path),
        };
        if let Some(known) = self.files.get(&file) {
            return known.clone();
        }
        let read = match &file {
            Some(file) => self.read(file, streams),
            None => Some(Settings::default()),
        };
        let in_effect = read.map(|settings| Rc::new(self.with_flags(settings)));
        self.files.insert(file, in_effect.clone());
        in_effect
    }

    /// The file that lies nearest above a path: as the path is written, or else above what it links to.
    fn nearest(&mut self, path: &Path) -> Option<PathBuf> {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(path)
        };
        let here = Path::new(".");
        let folder = if folder.as_os_str().is_empty() {
            here
        } else {
            folder
        };
        self.nearest_above(folder).or_else(|| {
            let target = path
                .is_symlink()
                .then(|| path.canonicalize().ok())
                .flatten()?;
            self.nearest_above(target.parent()?)
        })
    }

    fn nearest_above(&mut self, folder: &Path) -> Option<PathBuf> {
        match self.folders.entry(folder.to_owned()) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                // A text may stand for a file in a folder that is yet to be made.
                let absolute = std::path::absolute(folder).ok();
                let existing = absolute.iter().flat_map(|folder| folder.ancestors());
                let real = existing
                    .filter_map(|folder| folder.canonicalize().ok())
                    .next();
                let found = real.and_then(|folder| {
                    folder
                        .ancestors()
                        .map(|folder| folder.join(FILE_NAME))
                        .find(|file| file.is_file())
                });
                unknown.insert(found.map(as_seen_from_here)).clone()
            }
        }
    }

    fn read(&self, file: &Path, streams: &mut Streams) -> Option<Settings> {
        let asked = match self.global.settings {
            Some(_) => Asked::ByName,
            None => Asked::ByInclude,
        };
        let text = match source::read(file, asked, LARGEST_FILE) {
            Ok(text) => text,
            Err(error) => {
                let reason = if error.reason.starts_with("larger than") {
                    "too large for a file of settings"
                } else {
                    &error.reason
                };
                let file = file.to_string_lossy();
                streams.say(&printable(&format!("error: cannot read {file}: {reason}")));
                return None;
            }
        };
        settings::parse(file, text, RULES)
            .map_err(|broken| {
                let findings = Findings {
                    parts: &[Part {
                        sources: &broken.sources,
                        diagnostics: broken.diagnostics,
                    }],
                    files: 1,
                    describe: &describe,
                    rules: RULES,
                    base: None,
                    failures: &[],
                };
                let options = text::Options {
                    color: self.global.color == Color::Always,
                    width: super::USUAL_WIDTH,
                    links: false,
                    summary: false,
                };
                // That nobody listens is no reason to end.
                let _ = text::write(streams.stderr, &findings, &options);
            })
            .ok()
    }

    fn with_flags(&self, mut settings: Settings) -> InEffect {
        let global = self.global;
        if let Some(version) = self.version {
            settings.nginx_version = Some(version);
            settings.set_by_flag("nginx-version", "--nginx-version");
        }
        if let Some(config) = global.root_configuration() {
            settings.config = Some(config);
            settings.set_by_flag("config", "--config");
        }
        if let Some(prefix) = &global.prefix {
            settings.prefix = Some(prefix.clone());
            settings.set_by_flag("prefix", "--prefix");
            if global.config.is_none() {
                // A prefix leads to a configuration too, and flags win.
                settings.config = None;
                settings.forget("config");
            }
        }
        if let Some(root) = &global.root {
            settings.root = Some(root.clone());
            settings.set_by_flag("root", "--root");
        }
        if !self.select.is_empty() {
            settings.select = self.select.to_vec();
            settings.set_by_flag("select", "--select");
            settings.ignore.retain(|name| !self.select.contains(name));
        }
        if !self.ignore.is_empty() {
            settings.ignore = self.ignore.to_vec();
            settings.set_by_flag("ignore", "--ignore");
        }
        if self.fail_on.is_some() {
            settings.fail_on = self.fail_on;
            settings.set_by_flag("fail-on", "--fail-on");
        }
        let policy = Policy {
            select: settings.select.clone(),
            ignore: settings.ignore.clone(),
            levels: settings.levels.clone(),
            excluded: settings.excluded(),
        };
        InEffect { settings, policy }
    }
}

/// The path without the working directory, where it lies below that.
fn as_seen_from_here(path: PathBuf) -> PathBuf {
    let here = Path::new(".").canonicalize();
    match here.ok().and_then(|here| path.strip_prefix(here).ok()) {
        Some(below) => below.to_owned(),
        None => path,
    }
}

/// A rule or a category, for clap.
pub(super) fn name(text: &str) -> Result<String, String> {
    settings::check_name(text, RULES).map(|()| text.to_owned())
}
