//! What `check` looks at: paths by their settings, standard input, and texts that have taken the place of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Streams;
use super::check::Check;
use super::fix::Fixed;
use super::global::{Global, Nginx};
use super::installed::{self, Installed};
use super::settings::{InEffect, Lookup};
use crate::config::{Files, Finder, Job, LoadOptions, NotFound};
use crate::fix::{self, FileEdit};
use crate::report::printable;
use crate::settings::FILE_NAME;
use crate::source::{self, Origin};

/// The name of a text that came without one.
const STDIN: &str = "<stdin>";

/// What was found, and how long that took.
#[derive(Default)]
pub(super) struct Found {
    /// Each with the settings of the path that led to it.
    pub(super) jobs: Vec<(Job, Rc<InEffect>)>,
    pub(super) lost: Vec<NotFound>,
    pub(super) reading: Duration,
}

impl Found {
    fn add(&mut self, (jobs, lost): (Vec<Job>, Vec<NotFound>), in_effect: &Rc<InEffect>) {
        self.jobs
            .extend(jobs.into_iter().map(|job| (job, Rc::clone(in_effect))));
        self.lost.extend(lost);
    }
}

/// Paths that have their settings in common.
#[derive(Clone)]
struct Group {
    in_effect: Rc<InEffect>,
    paths: Vec<PathBuf>,
}

/// What the arguments name; it can be looked at again and again.
pub(super) struct Input<'a> {
    global: &'a Global,
    lookup: Lookup<'a>,
    groups: Vec<Group>,
    /// Texts that stand for files, by canonical path.
    texts: BTreeMap<PathBuf, Vec<u8>>,
    /// The path, by its canonical form, that standard input stands for.
    stdin: Option<PathBuf>,
    lost: Vec<NotFound>,
}

impl<'a> Input<'a> {
    /// Finds the settings of what is named, settles what is looked at when nothing is, and reads standard input.
    pub(super) fn new(
        global: &'a Global,
        arguments: &'a Check,
        streams: &mut Streams,
    ) -> Result<Self> {
        let installed = match global.nginx_version {
            Some(Nginx::Installed) => Some(installed::ask()?),
            Some(Nginx::Version(_)) | None => None,
        };
        let version = match (global.nginx_version, &installed) {
            (Some(Nginx::Version(version)), _) => Some(version),
            (_, installed) => installed.as_ref().map(|installed| installed.version),
        };
        let fail_on = arguments.output.fail_on;
        let lookup = Lookup::new(
            global,
            version,
            &arguments.select,
            &arguments.ignore,
            fail_on,
        );
        let mut input = Self {
            global,
            lookup,
            groups: Vec::new(),
            texts: BTreeMap::new(),
            stdin: None,
            lost: Vec::new(),
        };
        input.group(arguments, installed, streams)?;
        let is_stdin = |path: &PathBuf| path == Path::new("-");
        if !arguments.show_settings
            && input
                .groups
                .iter()
                .any(|group| group.paths.iter().any(is_stdin))
        {
            input.read_stdin(arguments, streams);
        }
        Ok(input)
    }

    /// Sorts the paths by their settings; those with broken ones are left out.
    fn group(
        &mut self,
        arguments: &Check,
        installed: Option<Installed>,
        streams: &mut Streams,
    ) -> Result<()> {
        let mut paths = arguments.paths.clone();
        let stdin = Path::new("-");
        match &arguments.stdin_filename {
            Some(_) if paths.is_empty() => paths.push(stdin.to_owned()),
            Some(_) if !paths.iter().any(|path| path == stdin) => {
                bail!(
                    "--stdin-filename names standard input, which is not among the paths: add `-`"
                )
            }
            _ => {}
        }
        if paths.is_empty() {
            let quiet = self.global.quiet || arguments.show_settings;
            let usual = usual(quiet, installed, &mut self.lookup, streams)?;
            self.groups.extend(usual);
        }
        for path in paths {
            let place = match &arguments.stdin_filename {
                _ if path != stdin => &path,
                Some(name) => name,
                // A text without a name is looked at where the user is.
                None => Path::new("."),
            };
            let Some(in_effect) = self.lookup.of(place, streams) else {
                continue;
            };
            if !place.is_dir() && in_effect.policy.excluded.holds(place) {
                if !self.global.quiet {
                    let place = place.to_string_lossy();
                    let place = printable(&place);
                    streams.say(&format!("{place} is passed over: the settings exclude it"));
                }
                continue;
            }
            let same = |group: &&mut Group| Rc::ptr_eq(&group.in_effect, &in_effect);
            match self.groups.iter_mut().find(same) {
                Some(group) => group.paths.push(path),
                None => self.groups.push(Group {
                    in_effect,
                    paths: vec![path],
                }),
            }
        }
        Ok(())
    }

    /// Reads standard input; its path becomes the name that it was given, or else one that no file has.
    fn read_stdin(&mut self, arguments: &Check, streams: &mut Streams) {
        let name = arguments
            .stdin_filename
            .clone()
            .unwrap_or_else(|| PathBuf::from(STDIN));
        match source::read_stream(&mut *streams.stdin, self.global.max_file_size) {
            Ok(text) => {
                let path = source::canonical(&name);
                self.texts.insert(path.clone(), text);
                self.stdin = Some(path);
            }
            Err(error) => self.lost.push(NotFound {
                path: name.clone(),
                reason: error.reason,
            }),
        }
        for group in &mut self.groups {
            let stdin = |path: &PathBuf| path == Path::new("-");
            if group.paths.iter().any(stdin) {
                group.paths.retain(|path| !stdin(path));
                if self.stdin.is_some() {
                    group.paths.insert(0, name.clone());
                }
            }
        }
    }

    /// The configurations that belong to what was named, as their texts are now.
    pub(super) fn find(&mut self, streams: &mut Streams) -> Found {
        let start = Instant::now();
        let mut found = Found {
            lost: self.lost.clone(),
            ..Found::default()
        };
        let mut groups = VecDeque::from(self.groups.clone());
        while let Some(Group {
            in_effect,
            mut paths,
        }) = groups.pop_front()
        {
            let nameless = |path: &PathBuf| path == Path::new(STDIN) && self.stdin.is_some();
            if paths.iter().any(nameless) {
                paths.retain(|path| !nameless(path));
                let mut finder = Finder {
                    nameless: true,
                    ..self.finder(&in_effect)
                };
                found.add(finder.find(&[PathBuf::from(STDIN)]), &in_effect);
            }
            let mut finder = self.finder(&in_effect);
            found.add(finder.find(&paths), &in_effect);
            for folder in finder.left {
                if let Some(in_effect) = self.lookup.of(&folder, streams) {
                    groups.push_back(Group {
                        in_effect,
                        paths: vec![folder],
                    });
                }
            }
        }
        found.reading = start.elapsed();
        found
    }

    fn finder(&self, in_effect: &InEffect) -> Finder {
        let settings = &in_effect.settings;
        Finder {
            options: LoadOptions {
                files: Files {
                    root: settings.root.clone(),
                    size_limit: self.global.max_file_size,
                    buffers: self.texts.clone(),
                    ..Files::default()
                },
                version: settings.nginx_version,
                assumptions: settings.assumptions(),
                ..LoadOptions::default()
            },
            config: settings.config.clone(),
            context: self.global.context,
            excluded: in_effect.policy.excluded.clone(),
            apart: self.global.settings.is_none().then_some(FILE_NAME),
            ..Finder::default()
        }
    }

    /// Prints the settings of each group of paths.
    pub(super) fn show_settings(&self, streams: &mut Streams) -> Result<()> {
        for (index, group) in self.groups.iter().enumerate() {
            if index > 0 {
                writeln!(streams.stdout)?;
            }
            for path in &group.paths {
                writeln!(streams.stdout, "# {}", printable(&path.to_string_lossy()))?;
            }
            for line in group.in_effect.settings.shown().lines() {
                writeln!(streams.stdout, "{}", printable(line))?;
            }
        }
        Ok(())
    }

    /// True when a file of settings was refused, which has been said.
    pub(super) fn has_broken_settings(&self) -> bool {
        self.lookup.has_failed()
    }

    /// True when standard input was read.
    pub(super) fn has_stdin(&self) -> bool {
        self.stdin.is_some()
    }

    /// Says why nothing here can be fixed, if that is so.
    pub(super) fn can_be_fixed(&mut self, streams: &mut Streams) -> Result<()> {
        let paths = self
            .groups
            .iter()
            .map(|group| group.paths.len())
            .sum::<usize>();
        if self.stdin.is_some() && paths > 1 {
            bail!("standard input cannot be fixed together with other files");
        }
        // Rounds read their files again, and what came through a pipe is gone.
        let passing = |path: &&PathBuf| {
            path.metadata()
                .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
        };
        if let Some(path) = self
            .groups
            .iter()
            .flat_map(|group| &group.paths)
            .find(passing)
        {
            let path = path.to_string_lossy();
            bail!("{path} cannot be fixed: it is a pipe or a device");
        }
        let is_dump = |(job, _): &(Job, _)| {
            job.config
                .sources()
                .iter()
                .any(|(_, file)| *file.origin() == Origin::Dump)
        };
        if self.find(streams).jobs.iter().any(is_dump) {
            bail!("a dump cannot be fixed: it is not the files that it was made from");
        }
        Ok(())
    }

    /// True when all files of a fix may change: with standard input only that text, and no file on disk.
    pub(super) fn may_change(&self, edits: &[FileEdit]) -> bool {
        self.stdin
            .as_ref()
            .is_none_or(|stdin| edits.iter().all(|edit| edit.path == *stdin))
    }

    /// Puts a text in the place of a file; answers with what took its place before.
    pub(super) fn put(&mut self, path: &Path, text: Vec<u8>) -> Option<Vec<u8>> {
        self.texts.insert(path.to_owned(), text)
    }

    /// Takes back what [`Input::put`] did.
    pub(super) fn restore(&mut self, path: &Path, text: Option<Vec<u8>>) {
        match text {
            Some(text) => self.texts.insert(path.to_owned(), text),
            None => self.texts.remove(path),
        };
    }

    /// The text that has taken the place of a file.
    pub(super) fn text(&self, path: &Path) -> Option<&[u8]> {
        self.texts.get(path).map(Vec::as_slice)
    }

    /// Writes what was fixed: to standard output when it came from standard input, else to the files. True when a file
    /// could not be written; it is as it was then.
    pub(super) fn keep(
        &mut self,
        fixed: &Fixed,
        global: &Global,
        streams: &mut Streams,
    ) -> Result<bool> {
        if let Some(stdin) = &self.stdin {
            let text = self.text(stdin).unwrap_or_default();
            streams.stdout.write_all(text)?;
            return Ok(false);
        }
        let refused = fix::write(&fixed.changes, &fixed.together);
        for (path, reason) in &refused {
            let name = path.to_string_lossy();
            streams.say(&format!(
                "error: cannot write {}: {}",
                printable(&name),
                printable(reason)
            ));
        }
        // What was written is read back from the disk.
        for change in &fixed.changes {
            if global.verbose && refused.iter().all(|(path, _)| *path != change.path) {
                streams.say(&format!("  wrote {}", printable(&change.name)));
            }
            self.restore(&change.path, None);
        }
        let written = fixed.changes.len() - refused.len();
        if !global.quiet && written > 0 {
            let files = if written == 1 { "file" } else { "files" };
            let stands =
                |paths: &BTreeSet<PathBuf>| refused.iter().all(|(path, _)| !paths.contains(path));
            let made = fixed.together.iter().filter(|paths| stands(paths)).count();
            let fixes = if made == 1 { "fix" } else { "fixes" };
            streams.say(&format!("made {made} {fixes} in {written} {files}"));
        }
        Ok(!refused.is_empty())
    }
}

/// What is checked when no path is named.
fn usual(
    quiet: bool,
    installed: Option<Installed>,
    lookup: &mut Lookup,
    streams: &mut Streams,
) -> Result<Option<Group>> {
    let Some(here) = lookup.of(Path::new("."), streams) else {
        return Ok(None);
    };
    let settings = &here.settings;
    let usual = installed.map_or_else(
        || PathBuf::from("/etc/nginx/nginx.conf"),
        |installed| installed.config,
    );
    let path = match &settings.config {
        Some(config) => config.clone(),
        None => default_path(settings.prefix.as_deref(), settings.root.as_deref(), &usual)?,
    };
    if !quiet {
        let path = path.to_string_lossy();
        streams.say(&format!("checking {}", printable(&path)));
    }
    // What led to the configuration is in force for it, wherever it lies.
    let leads = settings.config.is_some() || settings.prefix.is_some() || settings.root.is_some();
    let in_effect = if leads {
        Some(here)
    } else {
        lookup.of(&path, streams)
    };
    Ok(in_effect.map(|in_effect| Group {
        in_effect,
        paths: vec![path],
    }))
}

/// The configuration that is checked when none is named.
fn default_path(prefix: Option<&Path>, root: Option<&Path>, usual: &Path) -> Result<PathBuf> {
    let candidates = match (prefix, root) {
        (Some(prefix), _) => vec![prefix.join("nginx.conf"), prefix.join("conf/nginx.conf")],
        (None, Some(root)) => {
            let inside = usual.strip_prefix("/").unwrap_or(usual);
            vec![root.join(inside), root.join("nginx.conf")]
        }
        (None, None) => vec![PathBuf::from("./nginx.conf"), usual.to_owned()],
    };
    let names: Vec<String> = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    candidates
        .into_iter()
        .find(|path| path.exists())
        .with_context(|| {
            format!(
                "no configuration found: there is neither {}; name one, or a folder",
                names.join(" nor ")
            )
        })
}
