//! Edits become text, and changed text becomes files: whole, atomically, or not at all.
//!
//! Which edits are made is decided elsewhere; no rule is known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata, Permissions};
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use similar::TextDiff;
use tempfile::NamedTempFile;

use crate::diagnostic::{Fix, Safety};
use crate::source::{FileId, Origin, ReadError, Sources, canonical};

/// Replaces bytes of a file on disk or in a buffer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileEdit {
    /// The file, by canonical path.
    pub path: PathBuf,
    /// What is replaced, as offsets into the file's bytes.
    pub range: (usize, usize),
    /// What stands there afterwards.
    pub text: String,
}

/// The edits of a fix in terms of paths; nothing when one of them is in a file that cannot be changed.
pub fn edits(fix: &Fix, sources: &Sources) -> Option<Vec<FileEdit>> {
    let path = |file: FileId| match sources.file(file).origin() {
        Origin::Disk(path) | Origin::Buffer(path) => Some(path.clone()),
        Origin::Dump | Origin::Stock => None,
    };
    let translated = fix.edits.iter().map(|edit| {
        let Range { start, end } = edit.span.range();
        Some(FileEdit {
            path: path(edit.span.file)?,
            range: (start, end),
            text: edit.text.clone(),
        })
    });
    translated.collect()
}

/// The first fix of a list that may be applied: any when unsafe ones are wanted, else a safe one.
pub fn applicable(fixes: &[Fix], with_unsafe: bool) -> Option<&Fix> {
    fixes
        .iter()
        .find(|fix| with_unsafe || fix.safety == Safety::Safe)
}

/// The fixes, by index, that can be made together: of those that overlap, the one that comes first in its file.
///
/// An edit at the end of another overlaps it too: two insertions at one place have no order. The others wait for a
/// later round.
pub fn compatible(fixes: &[Vec<FileEdit>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..fixes.len()).collect();
    order.sort_by_key(|index| fixes[*index].iter().min());
    let mut taken: BTreeMap<&Path, BTreeSet<(usize, usize)>> = BTreeMap::new();
    let mut chosen = Vec::new();
    for index in order {
        let free = fixes[index].iter().all(|edit| {
            let near = taken.get(edit.path.as_path());
            near.is_none_or(|near| !near.iter().any(|other| touch(*other, edit.range)))
        });
        if free {
            for edit in &fixes[index] {
                taken.entry(&edit.path).or_default().insert(edit.range);
            }
            chosen.push(index);
        }
    }
    chosen
}

fn touch(a: (usize, usize), b: (usize, usize)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

/// The text after edits that do not overlap.
pub fn apply<'e>(text: &[u8], edits: impl IntoIterator<Item = &'e FileEdit>) -> Vec<u8> {
    let mut edits: Vec<&FileEdit> = edits.into_iter().collect();
    edits.sort();
    let mut changed = Vec::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        changed.extend_from_slice(&text[at..edit.range.0]);
        changed.extend_from_slice(edit.text.as_bytes());
        at = edit.range.1;
    }
    changed.extend_from_slice(&text[at..]);
    changed
}

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file, by canonical path.
    pub path: PathBuf,
    /// The name that people know it by.
    pub name: String,
    /// What was read.
    pub before: Vec<u8>,
    /// What it is to hold.
    pub after: Vec<u8>,
}

impl Change {
    /// The change as a unified diff that `patch` takes, with three lines of context.
    ///
    /// It names the target of a link, as `patch` does not follow links: from the folder `base` if it lies below that.
    pub fn unified_diff(&self, base: Option<&Path>) -> Vec<u8> {
        let below = base.and_then(|base| self.path.strip_prefix(base).ok());
        let name = match below {
            Some(path) => path.to_string_lossy(),
            None if self.path.is_absolute() => self.path.to_string_lossy(),
            None => self.name.as_str().into(),
        };
        let diff = TextDiff::configure().diff_lines(self.before.as_slice(), self.after.as_slice());
        let mut text = Vec::new();
        let (old, new) = (header("a", &name), header("b", &name));
        let mut unified = diff.unified_diff();
        let written = unified
            .header(&old, &new)
            .context_radius(3)
            .to_writer(&mut text);
        written.expect("a vector takes all bytes");
        text
    }
}

/// A name in the head of a diff, written as git does: quoted where a line could not hold it, and with a tab at the end
/// where `patch` would stop at a space.
fn header(side: &str, name: &str) -> String {
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let special = |letter: char| letter.is_control() || matches!(letter, '"' | '\\');
    if !name.contains(special) {
        let tab = if name.contains(' ') { "\t" } else { "" };
        return format!("{side}/{name}{tab}");
    }
    let mut quoted = format!("\"{side}/");
    for letter in name.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if letter.is_control() => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    quoted.push_str(&format!("\\{byte:03o}"));
                }
            }
            _ => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// Writes changed files; those that one fix changed together are written together or not at all.
///
/// Every file is replaced by renaming a temporary file of its own folder, which keeps mode, owner and extended
/// attributes; a file that is read-only or no longer holds what was read is left alone. Answers with what was not
/// written, and why.
pub fn write(changes: &[Change], together: &[BTreeSet<PathBuf>]) -> Vec<(PathBuf, String)> {
    let mut refused = Vec::new();
    for unit in units(changes, together) {
        let mut prepared = Vec::new();
        let mut failed = None;
        for change in &unit {
            match prepare(change) {
                Ok(file) => prepared.push((file, change)),
                Err(reason) => {
                    failed = Some((change.path.clone(), reason));
                    break;
                }
            }
        }
        if let Some((path, reason)) = failed {
            for change in unit.iter().filter(|change| change.path != path) {
                let other = path.display();
                refused.push((
                    change.path.clone(),
                    format!("it belongs together with {other}"),
                ));
            }
            refused.push((path, reason));
            continue;
        }
        for (file, change) in prepared {
            if let Err(reason) = file
                .persist(&change.path)
                .map_err(|error| ReadError::from(error.error).reason)
            {
                refused.push((change.path.clone(), reason));
                continue;
            }
            // The rename itself must reach the disk, too; a file system that cannot say so has done what it can.
            if let Some(folder) = change
                .path
                .parent()
                .and_then(|folder| File::open(folder).ok())
            {
                let _ = folder.sync_all();
            }
        }
    }
    refused
}

/// Groups changes that hang together through fixes of several files.
fn units<'c>(changes: &'c [Change], together: &[BTreeSet<PathBuf>]) -> Vec<Vec<&'c Change>> {
    let mut groups: Vec<BTreeSet<PathBuf>> = changes
        .iter()
        .map(|change| BTreeSet::from([change.path.clone()]))
        .collect();
    for paths in together {
        let (mut joined, rest): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|group| !group.is_disjoint(paths));
        groups = rest;
        if let Some(mut first) = joined.pop() {
            first.extend(joined.into_iter().flatten());
            groups.push(first);
        }
    }
    let members = |group: BTreeSet<PathBuf>| -> Vec<&'c Change> {
        changes
            .iter()
            .filter(|change| group.contains(&change.path))
            .collect()
    };
    groups.into_iter().map(members).collect()
}

/// A temporary file with the new text beside its target, or why there can be none.
fn prepare(change: &Change) -> Result<NamedTempFile, String> {
    let say = |error: std::io::Error| ReadError::from(error).reason;
    let metadata = fs::metadata(&change.path).map_err(say)?;
    if metadata.permissions().readonly() {
        return Err("it is read-only".to_owned());
    }
    if fs::read(&change.path).map_err(say)? != change.before {
        return Err("it has changed since it was read".to_owned());
    }
    let folder = change.path.parent().ok_or("it lies in no folder")?;
    let mut file = NamedTempFile::new_in(folder).map_err(say)?;
    file.write_all(&change.after).map_err(say)?;
    keep_attributes(&change.path, &metadata, &file).map_err(say)?;
    file.as_file().sync_all().map_err(say)?;
    Ok(file)
}

/// Gives the new file the owner, the mode and the extended attributes (access lists, SELinux label) of the old one.
fn keep_attributes(path: &Path, metadata: &Metadata, file: &NamedTempFile) -> std::io::Result<()> {
    let own = file.as_file().metadata()?;
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
    }
    // An attribute that this file system or this user cannot set is left as the system sets it for any new file.
    for name in xattr::list(path).into_iter().flatten() {
        if let Ok(Some(value)) = xattr::get(path, &name) {
            let _ = xattr::set(file.path(), &name, &value);
        }
    }
    // After the owner, whose change takes the set-user bits away.
    file.as_file().set_permissions(metadata.permissions())
}

/// Puts a text in the place of a file that nginspect keeps or reports to, of which a reader sees the old or the new,
/// never a part. A link stays one; pipes and devices are written to.
///
/// # Errors
/// When the file cannot be written; it is as it was then.
pub fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        return File::options().write(true).open(path)?.write_all(content);
    }
    let target = canonical(path);
    let mode = old.map_or_else(|| Permissions::from_mode(0o666), |old| old.permissions());
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .permissions(mode)
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(&target).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: &str, range: (usize, usize), text: &str) -> FileEdit {
        FileEdit {
            path: PathBuf::from(path),
            range,
            text: text.to_owned(),
        }
    }

    #[test]
    fn of_fixes_that_touch_only_the_first_is_made() {
        let fixes = [
            vec![edit("a", (5, 7), "x")],
            vec![edit("a", (0, 2), "y"), edit("b", (3, 3), "z")],
            vec![edit("b", (3, 3), "w")],
            vec![edit("a", (7, 9), "v")],
        ];
        assert_eq!(compatible(&fixes), [1, 0]);
    }

    #[test]
    fn edits_are_made_from_left_to_right() {
        let edits = [edit("a", (4, 4), "!"), edit("a", (0, 1), "H")];
        assert_eq!(apply(b"hallo", &edits), b"Hall!o");
    }

    #[test]
    fn files_of_one_fix_are_one_unit() {
        let change = |path: &str| Change {
            path: PathBuf::from(path),
            name: path.to_owned(),
            before: Vec::new(),
            after: Vec::new(),
        };
        let changes = ["a", "b", "c", "d"].map(change);
        let set = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
        let found: Vec<Vec<&str>> = units(&changes, &[set(&["a", "c"]), set(&["c", "d"])])
            .into_iter()
            .map(|unit| {
                unit.into_iter()
                    .map(|change| change.name.as_str())
                    .collect()
            })
            .collect();
        assert_eq!(found, [vec!["b"], vec!["a", "c", "d"]]);
    }
}
