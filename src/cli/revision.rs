//! Configurations of a revision, as git keeps it.

use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// Larger files are no configurations, and are left out.
const LARGEST: u64 = 4 << 20;

/// The files of a revision in a folder of their own, which goes away with this.
pub(super) struct Revision {
    folder: TempDir,
    /// The path that was asked for, below the folder.
    pub(super) path: PathBuf,
    /// As the user named the revision.
    pub(super) name: String,
}

impl Revision {
    /// Takes the files of a revision out of the repository that a path of the working tree lies in; `from_top` for a path
    /// that begins at the top of the repository of the working folder.
    pub(super) fn of(name: &str, path: &Path, from_top: bool) -> Result<Self> {
        if name.starts_with('-') || name.is_empty() {
            bail!("`{name}` is no revision");
        }
        let around = match from_top {
            true => std::env::current_dir()?,
            false => nearest_folder(path),
        };
        let text = |arguments: &[&str]| -> Result<String> {
            let output = git(&around, arguments, None)?;
            let text = String::from_utf8(output).context("git names a path that is not UTF-8")?;
            Ok(text.trim_end_matches('\n').to_owned())
        };
        let top = PathBuf::from(text(&["rev-parse", "--show-toplevel"])?);
        let top = top.canonicalize().unwrap_or(top);
        let commit = text(&[
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{name}^{{tree}}"),
        ])
        .with_context(|| format!("`{name}` is no revision of {}", top.display()))?;
        let absolute = match from_top {
            true => top.join(path),
            false => {
                let absolute = std::path::absolute(path)?;
                let folder = around.canonicalize().unwrap_or_else(|_| around.clone());
                absolute
                    .strip_prefix(&around)
                    .map_or_else(|_| absolute.clone(), |inside| folder.join(inside))
            }
        };
        let inside = absolute
            .strip_prefix(&top)
            .with_context(|| format!("{} lies outside of {}", path.display(), top.display()))?;
        let folder = TempDir::new().context("a temporary folder")?;
        write_tree(&top, &commit, folder.path())?;
        let path = folder.path().join(inside);
        if !path.exists() {
            bail!("{} is not in `{name}`", inside.display());
        }
        Ok(Self {
            path,
            name: name.to_owned(),
            folder,
        })
    }

    /// The folder that stands for the top of the repository.
    pub(super) fn top(&self) -> &Path {
        self.folder.path()
    }
}

/// The nearest folder around a path that exists: a file may be gone in the working tree.
fn nearest_folder(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut folders = absolute.ancestors().skip(1);
    folders
        .find(|folder| folder.is_dir())
        .map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// Writes every file of a tree below a folder; links stay links.
fn write_tree(top: &Path, tree: &str, folder: &Path) -> Result<()> {
    let listed = git(
        top,
        &["ls-tree", "-r", "-l", "-z", "--full-tree", tree],
        None,
    )?;
    let mut wanted: Vec<(Vec<u8>, bool, PathBuf)> = Vec::new();
    for line in listed
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty())
    {
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else {
            continue;
        };
        let (about, name) = (&line[..tab], &line[tab + 1..]);
        let about = String::from_utf8_lossy(about).into_owned();
        let mut fields = about.split_ascii_whitespace();
        let (Some(mode), Some("blob"), Some(object), Some(size)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if size.parse::<u64>().is_ok_and(|size| size <= LARGEST) {
            let path = PathBuf::from(std::ffi::OsStr::from_bytes(name));
            wanted.push((object.as_bytes().to_vec(), mode == "120000", path));
        }
    }
    let mut asked = Vec::new();
    for (object, ..) in &wanted {
        asked.extend(object);
        asked.push(b'\n');
    }
    let answered = git(top, &["cat-file", "--batch"], Some(asked))?;
    let mut rest = &answered[..];
    for (_, is_link, path) in &wanted {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let head = &rest[..end.context("git says less than it was asked for")?];
        let size = head.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let size: usize = std::str::from_utf8(size)?
            .parse()
            .context("git names no size")?;
        let start = head.len() + 1;
        let bytes = rest
            .get(start..start + size)
            .context("git says less than it was asked for")?;
        rest = rest.get(start + size + 1..).unwrap_or_default();
        let target = folder.join(path);
        if let Some(around) = target.parent() {
            std::fs::create_dir_all(around)?;
        }
        match is_link {
            true => std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(bytes), &target)?,
            false => std::fs::write(&target, bytes)?,
        }
    }
    Ok(())
}

/// Runs git in a folder; its input is written from a thread, since it answers while it reads.
fn git(folder: &Path, arguments: &[&str], input: Option<Vec<u8>>) -> Result<Vec<u8>> {
    let mut child = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .stdin(match input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run git")?;
    let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
        std::thread::spawn(move || {
            // When git ends early, it says why.
            let _ = stdin.write_all(&input);
        })
    });
    let mut errors = child.stderr.take();
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(errors) = &mut errors {
            let _ = errors.read_to_string(&mut text);
        }
        text
    });
    let mut answer = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut answer)?;
    }
    let status = child.wait()?;
    drop(writer.map(std::thread::JoinHandle::join));
    let complaints = complaints.join().unwrap_or_default();
    if !status.success() {
        let first = complaints.lines().next().unwrap_or("it fails").to_owned();
        bail!("git {}: {first}", arguments.first().unwrap_or(&""));
    }
    Ok(answer)
}
