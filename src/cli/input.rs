//! What `check` looks at: paths, standard input, and texts that have taken their place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::check::Check;
use super::fix::Fixed;
use super::global::{Global, Nginx};
use super::{Streams, installed};
use crate::config::{Files, Finder, Job, LoadOptions, NotFound};
use crate::fix::{self, FileEdit};
use crate::report::printable;
use crate::source::{self, Origin};

/// The name of a text that came without one.
const STDIN: &str = "<stdin>";

/// What was found, and how long that took.
#[derive(Default)]
pub(super) struct Found {
    pub(super) jobs: Vec<Job>,
    pub(super) lost: Vec<NotFound>,
    pub(super) reading: Duration,
}

impl Found {
    fn add(&mut self, (jobs, lost): (Vec<Job>, Vec<NotFound>)) {
        self.jobs.extend(jobs);
        self.lost.extend(lost);
    }
}

/// What the arguments name; it can be looked at again and again.
pub(super) struct Input {
    finder: Finder,
    paths: Vec<PathBuf>,
    /// The path, by its canonical form, that standard input stands for.
    stdin: Option<PathBuf>,
    /// True when standard input has no name, and is no part of a larger configuration.
    is_nameless: bool,
    lost: Vec<NotFound>,
}

impl Input {
    /// Reads standard input if it is named, and settles what is looked at when nothing is.
    pub(super) fn new(global: &Global, arguments: &Check, streams: &mut Streams) -> Result<Self> {
        let mut options = LoadOptions {
            files: Files {
                root: global.root.clone(),
                size_limit: global.max_file_size,
                ..Files::default()
            },
            ..LoadOptions::default()
        };
        let mut usual = PathBuf::from("/etc/nginx/nginx.conf");
        match global.nginx_version {
            Some(Nginx::Version(version)) => options.version = version,
            Some(Nginx::Installed) => {
                let installed = installed::ask()?;
                options.version = installed.version;
                usual = installed.config;
            }
            None => {}
        }
        let mut finder = Finder {
            options,
            config: global.root_configuration(),
            context: global.context,
            nameless: false,
        };

        let mut paths = arguments.paths.clone();
        if paths.is_empty() && arguments.stdin_filename.is_some() {
            paths.push(PathBuf::from("-"));
        }
        if paths.is_empty() {
            let path = match finder.config.take() {
                Some(config) => config,
                None => default_path(global, &usual)?,
            };
            if !global.quiet {
                let path = path.to_string_lossy();
                streams.say(&format!("checking {}", printable(&path)));
            }
            paths.push(path);
        }
        let mut input = Self {
            finder,
            paths,
            stdin: None,
            is_nameless: false,
            lost: Vec::new(),
        };
        if input.paths.iter().any(|path| path == Path::new("-")) {
            input.read_stdin(arguments, streams);
        } else if arguments.stdin_filename.is_some() {
            bail!("--stdin-filename names standard input, which is not among the paths: add `-`");
        }
        Ok(input)
    }

    /// Standard input under its name is a path like others; without one it is looked at by itself.
    fn read_stdin(&mut self, arguments: &Check, streams: &mut Streams) {
        self.paths.retain(|path| path != Path::new("-"));
        self.is_nameless = arguments.stdin_filename.is_none();
        let name = arguments
            .stdin_filename
            .clone()
            .unwrap_or_else(|| PathBuf::from(STDIN));
        let files = &mut self.finder.options.files;
        match source::read_stream(&mut *streams.stdin, files.size_limit) {
            Ok(text) => {
                self.stdin = Some(files.replace(&name, text));
                if !self.is_nameless {
                    self.paths.insert(0, name);
                }
            }
            Err(error) => self.lost.push(NotFound {
                path: name,
                reason: error.reason,
            }),
        }
    }

    /// The configurations that belong to what was named, as their texts are now.
    pub(super) fn find(&mut self) -> Found {
        let start = Instant::now();
        let mut found = Found {
            lost: self.lost.clone(),
            ..Found::default()
        };
        if self.is_nameless && self.stdin.is_some() {
            let mut nameless = Finder {
                options: self.finder.options.clone(),
                config: self.finder.config.clone(),
                context: self.finder.context,
                nameless: true,
            };
            found.add(nameless.find(&[PathBuf::from(STDIN)]));
        }
        found.add(self.finder.find(&self.paths));
        found.reading = start.elapsed();
        found
    }

    /// True when standard input was read.
    pub(super) fn has_stdin(&self) -> bool {
        self.stdin.is_some()
    }

    /// Says why nothing here can be fixed, if that is so.
    pub(super) fn can_be_fixed(&mut self) -> Result<()> {
        if self.stdin.is_some()
            && !self.paths.is_empty()
            && (self.is_nameless || self.paths.len() > 1)
        {
            bail!("standard input cannot be fixed together with other files");
        }
        let is_dump = |job: &Job| {
            job.config
                .sources()
                .iter()
                .any(|(_, file)| *file.origin() == Origin::Dump)
        };
        if self.find().jobs.iter().any(is_dump) {
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
        self.buffers().insert(path.to_owned(), text)
    }

    /// Takes back what [`Input::put`] did.
    pub(super) fn restore(&mut self, path: &Path, text: Option<Vec<u8>>) {
        match text {
            Some(text) => self.buffers().insert(path.to_owned(), text),
            None => self.buffers().remove(path),
        };
    }

    /// The text that has taken the place of a file.
    pub(super) fn text(&self, path: &Path) -> Option<&[u8]> {
        self.finder
            .options
            .files
            .buffers
            .get(path)
            .map(Vec::as_slice)
    }

    fn buffers(&mut self) -> &mut BTreeMap<PathBuf, Vec<u8>> {
        &mut self.finder.options.files.buffers
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
            self.restore(path, None);
        }
        // What was written is read back from the disk.
        for change in &fixed.changes {
            self.restore(&change.path, None);
        }
        let written = fixed.changes.len() - refused.len();
        if !global.quiet && written > 0 {
            let files = if written == 1 { "file" } else { "files" };
            let findings = if fixed.count == 1 {
                "finding"
            } else {
                "findings"
            };
            streams.say(&format!(
                "fixed {} {findings} in {written} {files}",
                fixed.count
            ));
        }
        Ok(!refused.is_empty())
    }
}

/// The configuration that is checked when none is named.
fn default_path(global: &Global, usual: &Path) -> Result<PathBuf> {
    let candidates = match (&global.prefix, &global.root) {
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
