//! `check --fix` and `check --diff`: rounds of edits, each judged before it stands.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::Streams;
use super::check::{judge, known_by};
use super::input::{Found, Input};
use crate::baseline::Baseline;
use crate::config::Job;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::{self, Change, FileEdit};
use crate::lint::{self, Policy};
use crate::report::printable;
use crate::rule::Category;
use crate::source::{Origin, SourceFile, Sources};

/// After this many rounds a configuration whose fixes bring new ones is left as it is.
const MAX_ROUNDS: usize = 10;

/// What tells a finding from others across edits: its rule, its file and what it says.
type Key = (&'static str, PathBuf, String);

/// A finding's fix, ready to be made.
struct Candidate {
    key: Key,
    title: String,
    edits: Vec<FileEdit>,
}

/// What fixing came to.
pub(super) struct Fixed {
    /// The files that changed, with what they held and what they are to hold.
    pub(super) changes: Vec<Change>,
    /// For each fix that was made, the files that it changed together.
    pub(super) together: Vec<BTreeSet<PathBuf>>,
}

/// Makes fixes until none is left to make; nothing is written, the new texts stand in the input's buffers.
///
/// Findings that are `accepted` are left alone.
pub(super) fn fix(
    input: &mut Input,
    with_unsafe: bool,
    accepted: Option<&Baseline>,
    streams: &mut Streams,
) -> Fixed {
    let mut fixer = Fixer {
        input,
        accepted,
        originals: BTreeMap::new(),
    };
    let mut fixed = Fixed {
        changes: Vec::new(),
        together: Vec::new(),
    };
    let mut withdrawn = HashSet::new();
    let mut rounds = 0;
    loop {
        let (state, candidates) = fixer.look(with_unsafe, &withdrawn, streams);
        if candidates.is_empty() {
            break;
        }
        if rounds == MAX_ROUNDS {
            streams.say(&format!(
                "warning: fixes bring new ones: stopped after {MAX_ROUNDS} rounds"
            ));
            break;
        }
        let edits: Vec<Vec<FileEdit>> = candidates
            .iter()
            .map(|candidate| candidate.edits.clone())
            .collect();
        let chosen: Vec<&Candidate> = fix::compatible(&edits)
            .into_iter()
            .map(|index| &candidates[index])
            .collect();
        // Where something among them does harm, halving finds it; what is left out has its turn in the next round.
        let mut trial = &chosen[..];
        loop {
            match fixer.attempt(&state, trial, streams) {
                Ok(()) => {
                    rounds += usize::from(trial.len() == chosen.len());
                    let paths = |candidate: &&Candidate| {
                        candidate
                            .edits
                            .iter()
                            .map(|edit| edit.path.clone())
                            .collect()
                    };
                    fixed.together.extend(trial.iter().map(paths));
                    break;
                }
                Err(reason) => match trial {
                    [] => break,
                    [single] => {
                        tell_withdrawn(single, reason, streams);
                        withdrawn.insert((single.key.clone(), single.title.clone()));
                        break;
                    }
                    several => trial = &several[..several.len() / 2],
                },
            }
        }
    }
    fixed.changes = fixer.changes();
    fixed
}

struct Fixer<'i, 'a> {
    input: &'i mut Input<'a>,
    accepted: Option<&'i Baseline>,
    /// What the files held before the first edit, and the names that people know them by.
    originals: BTreeMap<PathBuf, (String, Vec<u8>)>,
}

/// What is wrong at some moment.
#[derive(Default)]
struct State {
    /// How often each finding is there.
    findings: HashMap<Key, usize>,
    /// How many errors each rule has.
    errors: HashMap<&'static str, usize>,
    /// How many errors each rule has that tells what keeps nginx from starting, be it wanted or not.
    refused: HashMap<&'static str, usize>,
    /// The texts of all files.
    texts: BTreeMap<PathBuf, (String, Vec<u8>)>,
    unreadable: usize,
}

impl Fixer<'_, '_> {
    /// Looks at the configurations as they are now, for what is wrong and what could be done.
    fn look(
        &mut self,
        with_unsafe: bool,
        withdrawn: &HashSet<(Key, String)>,
        streams: &mut Streams,
    ) -> (State, Vec<Candidate>) {
        let found = self.input.find(streams);
        let mut state = State::default();
        let mut candidates = Vec::new();
        let mut seen = HashSet::new();
        let mut accepted = self.accepted.cloned();
        let mut met = HashSet::new();
        for (job, mut diagnostics) in self.judged(&found) {
            let sources = job.config.sources();
            state.note(job, &diagnostics);
            if let Some(accepted) = &mut accepted {
                // As in the report, a finding of several configurations is one.
                diagnostics.retain(|diagnostic| met.insert(known_by(sources, diagnostic)));
                accepted.filter(sources, &mut diagnostics);
            }
            for diagnostic in &diagnostics {
                let place = (
                    file(sources.file(diagnostic.span.file)),
                    diagnostic.span.range(),
                    diagnostic.rule,
                );
                let Some(fix) = fix::applicable(&diagnostic.fixes, with_unsafe) else {
                    continue;
                };
                let key = key(sources, diagnostic);
                let title = (key.clone(), fix.title.clone());
                if withdrawn.contains(&title) || !seen.insert(place) {
                    continue;
                }
                if let Some(edits) =
                    fix::edits(fix, sources).filter(|edits| self.input.may_change(edits))
                {
                    candidates.push(Candidate {
                        key,
                        title: title.1,
                        edits,
                    });
                }
            }
        }
        (state, candidates)
    }

    fn judged<'f>(&self, found: &'f Found) -> Vec<(&'f Job, Vec<Diagnostic>)> {
        found
            .jobs
            .iter()
            .map(|(job, in_effect)| (job, judge(job, in_effect)))
            .collect()
    }

    /// Makes fixes; when the result is worse than it should be, everything is as before and the reason is told.
    fn attempt(
        &mut self,
        before: &State,
        chosen: &[&Candidate],
        streams: &mut Streams,
    ) -> Result<(), &'static str> {
        let mut edits: BTreeMap<&Path, Vec<&FileEdit>> = BTreeMap::new();
        for edit in chosen.iter().flat_map(|candidate| &candidate.edits) {
            edits.entry(&edit.path).or_default().push(edit);
        }
        let mut kept = Vec::new();
        for (path, edits) in edits {
            let Some((name, text)) = before.texts.get(path) else {
                continue;
            };
            self.originals
                .entry(path.to_owned())
                .or_insert_with(|| (name.clone(), text.clone()));
            kept.push((path, self.input.put(path, fix::apply(text, edits))));
        }
        let found = self.input.find(streams);
        let mut after = State::default();
        for (job, diagnostics) in self.judged(&found) {
            after.note(job, &diagnostics);
        }
        let verdict = after.verdict(before, chosen);
        if verdict.is_err() {
            for (path, text) in kept {
                self.input.restore(path, text);
            }
        }
        verdict
    }

    fn changes(&self) -> Vec<Change> {
        let changed = self.originals.iter().filter_map(|(path, (name, before))| {
            let after = self.input.text(path)?;
            (after != before).then(|| Change {
                path: path.clone(),
                name: name.clone(),
                before: before.clone(),
                after: after.to_vec(),
            })
        });
        changed.collect()
    }
}

impl State {
    fn note(&mut self, job: &Job, diagnostics: &[Diagnostic]) {
        let sources = job.config.sources();
        for diagnostic in diagnostics {
            *self.findings.entry(key(sources, diagnostic)).or_default() += 1;
            if diagnostic.severity == Severity::Error {
                *self.errors.entry(diagnostic.rule).or_default() += 1;
            }
        }
        let load = Policy {
            select: vec![Category::Load.as_str().to_owned()],
            ..Policy::default()
        };
        for refused in lint::lint_as(&job.config, &job.scope, &load) {
            if refused.severity == Severity::Error {
                *self.refused.entry(refused.rule).or_default() += 1;
            }
        }
        for (_, file) in sources.iter() {
            if let Origin::Disk(path) | Origin::Buffer(path) = file.origin() {
                let text = || (file.name().to_owned(), file.bytes().to_vec());
                self.texts.entry(path.clone()).or_insert_with(text);
            }
        }
        self.unreadable += job.config.unreadable().len();
    }

    /// Compares what is wrong after some fixes with what was wrong before them.
    ///
    /// A fix may bring to light what stood behind its finding, but never more errors than there were, and nothing that
    /// keeps nginx from starting.
    fn verdict(&self, before: &Self, chosen: &[&Candidate]) -> Result<(), &'static str> {
        let grown = |rule: &str| self.refused.get(rule) > before.refused.get(rule);
        if grown("syntax-error") || self.unreadable > before.unreadable {
            return Err("it would break the file");
        }
        let total = |state: &Self| state.errors.values().sum::<usize>();
        if self.refused.keys().any(|rule| grown(rule)) || total(self) > total(before) {
            return Err("it would add an error");
        }
        let stands = |candidate: &&Candidate| {
            let count = |state: &Self| state.findings.get(&candidate.key).copied().unwrap_or(0);
            count(self) >= count(before)
        };
        if chosen.iter().any(stands) {
            Err("its finding would still stand")
        } else {
            Ok(())
        }
    }
}

fn key(sources: &Sources, diagnostic: &Diagnostic) -> Key {
    (
        diagnostic.rule,
        file(sources.file(diagnostic.span.file)),
        diagnostic.message.clone(),
    )
}

fn file(file: &SourceFile) -> PathBuf {
    match file.origin() {
        Origin::Disk(path) | Origin::Buffer(path) => path.clone(),
        Origin::Dump | Origin::Stock => PathBuf::from(file.name()),
    }
}

fn tell_withdrawn(candidate: &Candidate, reason: &str, streams: &mut Streams) {
    let (rule, path, message) = &candidate.key;
    let path = path.to_string_lossy();
    streams.say(&format!(
        "warning: {}: not fixed, {reason}: [{rule}] {}",
        printable(&path),
        printable(message)
    ));
}
