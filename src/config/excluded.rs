//! Files that nobody wants to hear of.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::glob;
use crate::source::canonical;

/// Patterns of files and folders below one folder: `*` and `?` stay inside a name, `**` stands for any number of folders,
/// and a folder that matches stands for everything in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    folder: PathBuf,
    patterns: Vec<String>,
}

impl Excluded {
    /// Patterns that start at a folder.
    pub fn new(folder: &Path, patterns: Vec<String>) -> Self {
        Self {
            // Without patterns nothing is compared, so the disk need not be asked.
            folder: if patterns.is_empty() {
                PathBuf::new()
            } else {
                canonical(folder)
            },
            patterns,
        }
    }

    /// True when a pattern matches the file, by the name it is reached by or by the one of its target.
    pub fn holds(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let named = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => canonical(folder).join(name),
            _ => path.to_owned(),
        };
        [named, canonical(path)].iter().any(|path| {
            path.strip_prefix(&self.folder).is_ok_and(|inside| {
                inside
                    .ancestors()
                    .filter(|part| !part.as_os_str().is_empty())
                    .any(|part| self.matches(part.as_os_str().as_bytes()))
            })
        })
    }

    fn matches(&self, path: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| {
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
            glob::covers(pattern.trim_end_matches('/').as_bytes(), path)
        })
    }
}
