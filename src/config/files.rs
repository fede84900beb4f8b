//! Where the bytes of a configuration come from: the disk, an editor's buffer, a checkout, or an `nginx -T` dump.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::glob;
use crate::nginx;
use crate::source::{self, Asked, Origin, ReadError, canonical};

/// Answers for files: reads them, expands patterns, and tells their canonical paths.
#[derive(Debug, Clone)]
pub struct Files {
    /// Folder in which absolute include paths are looked up, for a checkout or an unpacked image.
    pub root: Option<PathBuf>,
    /// Largest file that is read, in bytes.
    pub size_limit: u64,
    /// Texts that stand for files on disk, by canonical path.
    pub buffers: BTreeMap<PathBuf, Vec<u8>>,
    /// Canonical paths of files that an include passes over.
    pub hidden: BTreeSet<PathBuf>,
    /// The files of a dump by name; when set, the disk is not looked at.
    pub dump: Option<BTreeMap<PathBuf, Vec<u8>>>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            root: None,
            size_limit: source::DEFAULT_SIZE_LIMIT,
            buffers: BTreeMap::new(),
            hidden: BTreeSet::new(),
            dump: None,
        }
    }
}

impl Files {
    /// Makes a text stand for the file at a path, whether that exists or not; answers with its canonical path.
    pub fn replace(&mut self, path: &Path, text: Vec<u8>) -> PathBuf {
        let path = canonical(path);
        self.buffers.insert(path.clone(), text);
        path
    }

    /// The path on this machine of a path that the configuration names, relative ones starting at `base`.
    pub(crate) fn locate(&self, path: &[u8], base: &Path) -> PathBuf {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        match (&self.root, path.strip_prefix("/")) {
            (Some(root), Ok(inside)) if self.dump.is_none() && !path.starts_with(root) => {
                root.join(inside)
            }
            _ => base.join(path),
        }
    }

    /// The path with symbolic links resolved; a path that cannot be resolved stays as it is.
    pub(crate) fn canonical(&self, path: &Path) -> PathBuf {
        match self.dump {
            Some(_) => path.to_owned(),
            None => canonical(path),
        }
    }

    /// Reads a file; the origin says where the bytes came from.
    pub(crate) fn read(&self, path: &Path, asked: Asked) -> Result<(Origin, Vec<u8>), ReadError> {
        if let Some(dump) = &self.dump {
            let missing = || ReadError {
                reason: "not in the dump".to_owned(),
                missing: true,
            };
            return dump
                .get(path)
                .map(|bytes| (Origin::Dump, bytes.clone()))
                .ok_or_else(missing);
        }
        let canonical = self.canonical(path);
        if let Some(bytes) = self.buffers.get(&canonical) {
            return Ok((Origin::Buffer(canonical), bytes.clone()));
        }
        Ok((
            Origin::Disk(canonical),
            source::read(path, asked, self.size_limit)?,
        ))
    }

    /// The stock file of nginx's distributions that an include names, when it is not on this machine.
    pub(crate) fn stock(&self, named: &[u8]) -> Option<(Origin, Vec<u8>)> {
        nginx::stock_file(named).map(|text| (Origin::Stock, text.as_bytes().to_vec()))
    }

    /// The files that an include pattern matches, in nginx's order.
    pub(crate) fn expand(&self, pattern: &Path) -> Vec<PathBuf> {
        glob::expand(pattern.as_os_str().as_bytes(), &|folder| self.names(folder))
            .into_iter()
            .filter(|path| !self.hidden.contains(&self.canonical(path)))
            .collect()
    }

    fn names(&self, folder: &Path) -> Vec<Vec<u8>> {
        let known: Vec<&PathBuf> = match &self.dump {
            Some(dump) => dump.keys().collect(),
            None => self.buffers.keys().collect(),
        };
        let canonical = self.canonical(folder);
        // A dump names files only, so a folder is the first part of what follows.
        let mut names: BTreeSet<Vec<u8>> = known
            .iter()
            .filter_map(|path| path.strip_prefix(&canonical).ok())
            .filter_map(|inside| inside.components().next())
            .map(|name| name.as_os_str().as_bytes().to_vec())
            .collect();
        if self.dump.is_none() {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            names.extend(entries.map(|entry| entry.file_name().as_bytes().to_vec()));
        }
        names.into_iter().collect()
    }

    /// True when the folder of a path exists.
    pub(crate) fn has_folder(&self, path: &Path) -> bool {
        self.dump.is_none() && path.parent().is_some_and(Path::is_dir)
    }
}

/// The files of an `nginx -T` dump in their order, or nothing when the text is no dump.
///
/// nginx writes `# configuration file NAME:` before each file and a line feed after it (`ngx_conf_dump`); what
/// `nginx -T` says about the test may stand before.
pub(crate) fn split_dump(text: &[u8]) -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let header = line.trim_ascii_end().strip_prefix(b"# configuration file ");
        match header.and_then(|rest| rest.strip_suffix(b":")) {
            Some(name) if name.starts_with(b"/") => {
                files.push((PathBuf::from(std::ffi::OsStr::from_bytes(name)), Vec::new()));
            }
            _ => match files.last_mut() {
                Some((_, bytes)) => bytes.extend_from_slice(line),
                None if line.starts_with(b"nginx: ") || line.trim_ascii().is_empty() => {}
                None => return None,
            },
        }
    }
    for (_, bytes) in &mut files {
        if bytes.ends_with(b"\n") {
            bytes.pop();
        }
    }
    (!files.is_empty()).then_some(files)
}
