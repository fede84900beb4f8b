//! `--baseline` and `--write-baseline`: findings that are accepted.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::Args;

use super::Streams;
use super::input::Found;
use crate::baseline::{self, Baseline};
use crate::diagnostic::Diagnostic;
use crate::lint::ALWAYS;
use crate::report::{Part, printable};
use crate::source::{ReadError, Sources};

#[derive(Debug, Args, Default)]
pub(super) struct Accepted {
    /// Leave out the findings that FILE holds, which --write-baseline wrote.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write the findings to FILE instead of reporting them.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
}

impl Accepted {
    /// Reads the findings that are accepted.
    pub(super) fn read(&self) -> Result<Option<Baseline>> {
        let read = |path: &PathBuf| {
            Baseline::read(path)
                .map_err(|error| anyhow!("cannot read {}: {}", path.display(), error.reason))
        };
        self.baseline.as_ref().map(read).transpose()
    }

    /// True when the findings are to be accepted from now on.
    pub(super) fn writes(&self) -> bool {
        self.write_baseline.is_some()
    }

    /// Writes what was found, unless something could not be read: the file would lack what is found there.
    pub(super) fn write(
        &self,
        parts: &[Part],
        is_whole: bool,
        streams: &mut Streams,
    ) -> Result<()> {
        let Some(path) = &self.write_baseline else {
            return Ok(());
        };
        let name = path.display();
        if !is_whole {
            bail!("{name} is not written, as something could not be read");
        }
        let mut kept: Vec<(&Sources, Vec<Diagnostic>)> = parts
            .iter()
            .map(|part| (part.sources, part.diagnostics.clone()))
            .collect();
        for (_, diagnostics) in &mut kept {
            diagnostics.retain(|diagnostic| diagnostic.rule != ALWAYS);
        }
        let findings = kept
            .iter()
            .map(|(sources, diagnostics)| (*sources, &**diagnostics));
        let count = baseline::write(path, findings)
            .map_err(ReadError::from)
            .map_err(|error| anyhow!("cannot write {name}: {}", error.reason))?;
        let findings = if count == 1 { "finding" } else { "findings" };
        let name = path.to_string_lossy();
        streams.say(&format!("wrote {count} {findings} to {}", printable(&name)));
        Ok(())
    }

    /// Leaves only what is new.
    pub(super) fn filter(&self, baseline: &mut Baseline, part: &mut Part) {
        let (always, mut others): (Vec<_>, Vec<_>) = part
            .diagnostics
            .drain(..)
            .partition(|diagnostic| diagnostic.rule == ALWAYS);
        baseline.filter(part.sources, &mut others);
        part.diagnostics = always.into_iter().chain(others).collect();
        part.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    }

    /// Says what a baseline holds in vain.
    pub(super) fn say_unmatched(
        &self,
        baseline: &Baseline,
        found: &Found,
        verbose: bool,
        streams: &mut Streams,
    ) {
        let looked_at = found.jobs.iter().flat_map(|(job, _)| {
            let files = job.config.sources().iter();
            files
                .filter(|(file, _)| job.scope.holds(&job.config, *file))
                .map(|(_, file)| file)
        });
        let mut unmatched = baseline.unmatched(looked_at);
        unmatched.retain(|entry| {
            found
                .jobs
                .iter()
                .any(|(_, in_effect)| in_effect.policy.runs(&entry.rule))
        });
        let (entries, verb) = match unmatched.len() {
            0 => return,
            1 => ("entry", "matches"),
            _ => ("entries", "match"),
        };
        let name = self.baseline.clone().unwrap_or_default();
        let name = name.to_string_lossy();
        let (count, name) = (unmatched.len(), printable(&name));
        streams.say(&format!(
            "{count} {entries} of {name} no longer {verb} anything"
        ));
        for entry in unmatched.iter().filter(|_| verbose) {
            let line = format!("{}: [{}] {}", entry.file, entry.rule, entry.message);
            streams.say(&format!("  {}", printable(&line)));
        }
    }
}
