//! `nginspect diff`: which requests two configurations answer differently.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::check::Check;
use super::global::Global;
use super::input::{Found, Input};
use super::revision::Revision;
use super::{CLEAN, FOUND, Streams};
use crate::config::Config;
use crate::difference::{self, Comparison};
use crate::report::{difference as shown, printable};
use crate::routing::Options;

/// Say which requests two configurations answer differently, with one that shows it for each difference
///
/// Each is a file, a folder, what `nginx -T` prints, or `-` for standard input. `git:REV` is the other path in a revision
/// of its repository, and `git:REV:PATH` a path from the top of the repository; what it includes is read from that
/// revision too.
///
/// Reordered prefixes, moved directives and other files make no difference by themselves. What could not be proved is
/// listed as undecided. The exit code is 0 when no difference was found and 1 when there is one.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The configuration as it was.
    old: PathBuf,

    /// The configuration as it is to be.
    new: PathBuf,

    /// How to print the differences.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// Markdown, for a comment on a pull request.
    Github,
}

/// A configuration that was named.
enum Side {
    Path(PathBuf),
    Revision(Revision),
}

pub(super) fn diff(global: &Global, arguments: &Diff, streams: &mut Streams) -> Result<u8> {
    let is_stdin = |path: &Path| path == Path::new("-");
    if is_stdin(&arguments.old) && is_stdin(&arguments.new) {
        bail!("standard input cannot be both configurations");
    }
    let sides = [
        Side::of(&arguments.old, &arguments.new)?,
        Side::of(&arguments.new, &arguments.old)?,
    ];
    let [old, new] = &sides;
    let mut found = [old.find(global, streams)?, new.find(global, streams)?];
    for (found, side) in found.iter_mut().zip(&sides) {
        side.name(found);
    }
    let [old, new] = [
        only(&found[0], &arguments.old)?,
        only(&found[1], &arguments.new)?,
    ];
    for (config, path) in [(old, &arguments.old), (new, &arguments.new)] {
        if config.servers().next().is_none() {
            bail!("{} has no server", path.display());
        }
    }
    let options = Options {
        prefix: global.prefix.clone(),
        ..Options::default()
    };
    let mut comparison = difference::compare(old, new, &options);
    for side in &sides {
        side.rename(&mut comparison);
    }
    match arguments.format {
        Format::Text => write!(streams.stdout, "{}", shown::text(&comparison))?,
        Format::Json => writeln!(streams.stdout, "{}", shown::json(&comparison))?,
        Format::Github => write!(streams.stdout, "{}", shown::markdown(&comparison))?,
    }
    Ok(if comparison.differences.is_empty() {
        CLEAN
    } else {
        FOUND
    })
}

impl Side {
    /// Reads `git:REV` and `git:REV:PATH`; a revision without a path has that of the other side.
    fn of(named: &Path, other: &Path) -> Result<Self> {
        let text = named.to_string_lossy();
        let Some(revision) = text.strip_prefix("git:") else {
            return Ok(Self::Path(named.to_owned()));
        };
        if let Some((revision, path)) = revision.split_once(':') {
            return Ok(Self::Revision(Revision::of(
                revision,
                Path::new(path),
                true,
            )?));
        }
        let is_path = other != Path::new("-") && !other.to_string_lossy().starts_with("git:");
        if !is_path {
            bail!("`{text}` needs a path: git:{revision}:PATH");
        }
        Ok(Self::Revision(Revision::of(revision, other, false)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Revision(revision) => &revision.path,
        }
    }

    fn find(&self, global: &Global, streams: &mut Streams) -> Result<Found> {
        let mut global = Global {
            quiet: true,
            ..global.clone()
        };
        // Includes by absolute paths are looked up in the revision as in the working tree.
        if let (Self::Revision(revision), Some(root)) = (self, &global.root) {
            let here = std::path::absolute(root)?;
            let top = revision.top();
            let working = std::path::absolute(".")?;
            if let Ok(inside) = here.strip_prefix(&working) {
                global.root = Some(top.join(inside));
            }
        }
        let mut check = Check::default();
        check.paths.push(self.path().to_owned());
        let mut input = Input::new(&global, &check, streams)?;
        let found = input.find(streams);
        if input.has_broken_settings() {
            bail!("the settings cannot be used");
        }
        Ok(found)
    }

    /// Calls the files of a revision by its name.
    fn name(&self, found: &mut Found) {
        let Self::Revision(revision) = self else {
            return;
        };
        for (job, _) in &mut found.jobs {
            job.config.call_files(|name| revision.shown(name));
        }
    }

    fn rename(&self, comparison: &mut Comparison<'_>) {
        let Self::Revision(revision) = self else {
            return;
        };
        for line in &mut comparison.undecided {
            *line = revision.shown(line);
        }
    }
}

/// The one configuration that was found.
fn only<'f>(found: &'f Found, named: &Path) -> Result<&'f Config> {
    if let Some(lost) = found.lost.first() {
        let path = lost.path.to_string_lossy();
        bail!("cannot read {}: {}", printable(&path), lost.reason);
    }
    match &found.jobs[..] {
        [(job, _)] => Ok(&job.config),
        [] => bail!("no configuration found in {}", named.display()),
        _ => bail!(
            "several configurations found in {}: name one of them",
            named.display()
        ),
    }
}

impl Revision {
    /// A text in which paths are those of the revision.
    fn shown(&self, text: &str) -> String {
        let folder = format!("{}/", self.top().display());
        text.replace(&folder, &format!("{}:", self.name))
    }
}
