//! What was said about files: nothing here looks at a disk.

use std::collections::BTreeMap;

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Nothing.
    Missing,
}

/// Paths of which it was said whether they exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    known: BTreeMap<Vec<u8>, Entry>,
    /// Texts that no path holds.
    nowhere: Vec<Vec<u8>>,
}

impl Disk {
    /// A path that exists: a folder if it ends with a slash, else a file. The folders that it lies in exist too.
    pub fn add(&mut self, path: &[u8]) {
        let clean = clean(path);
        let entry = match path.ends_with(b"/") {
            true => Entry::Folder,
            false => Entry::File,
        };
        for (at, _) in clean.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            self.known.insert(clean[..at].to_vec(), Entry::Folder);
        }
        self.known.insert(clean, entry);
    }

    /// A path that does not exist, with all that could lie below it.
    pub fn remove(&mut self, path: &[u8]) {
        // What exists below it was said too, and says more.
        self.known.entry(clean(path)).or_insert(Entry::Missing);
    }

    /// A text that occurs in the path of nothing that exists: a name that nobody has given to anything.
    pub fn exclude(&mut self, text: &[u8]) {
        self.nowhere.push(text.to_vec());
    }

    /// A folder about which everything is said that is not missing.
    pub fn close(&mut self, path: &[u8]) {
        self.known
            .insert([&clean(path), &b"/*"[..]].concat(), Entry::Missing);
    }

    /// What there is, as far as it was said; a path that ends with a slash leads to folders only.
    pub fn get(&self, path: &[u8]) -> Option<Entry> {
        let holds = |text: &Vec<u8>| path.windows(text.len()).any(|part| part == &text[..]);
        if self.nowhere.iter().any(holds) {
            return Some(Entry::Missing);
        }
        // What stands before a `..` has to be a folder.
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let leads_up = matches!(
                &path[at..],
                [b'/', b'.', b'.'] | [b'/', b'.', b'.', b'/', ..]
            );
            if leads_up && at > 0 && self.at(&path[..at])? != Entry::Folder {
                return Some(Entry::Missing);
            }
        }
        let entry = self.at(path)?;
        let refused = path.ends_with(b"/") && entry == Entry::File;
        Some(if refused { Entry::Missing } else { entry })
    }

    fn at(&self, path: &[u8]) -> Option<Entry> {
        let whole = clean(path);
        if let Some(entry) = self.known.get(&whole) {
            return Some(*entry);
        }
        let mut rest = &whole[..];
        while let Some(slash) = rest.iter().rposition(|byte| *byte == b'/') {
            rest = &rest[..slash];
            let closed = self.known.contains_key(&[rest, b"/*"].concat());
            match self.known.get(rest) {
                Some(Entry::File | Entry::Missing) => return Some(Entry::Missing),
                _ if closed => return Some(Entry::Missing),
                _ => {}
            }
        }
        None
    }
}

/// The path without doubled slashes, `.` and `..`, and without a last slash.
fn clean(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let rooted = path.starts_with(b"/");
    let start: &[u8] = if rooted { b"/" } else { b"" };
    [start, &parts.join(&b'/')].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_of_a_path_holds_for_what_follows_from_it() {
        let mut disk = Disk::default();
        disk.add(b"/srv/www/a.html");
        disk.add(b"/srv/www/docs/");
        disk.remove(b"/srv/www/old/");
        for (path, expected) in [
            ("/srv/www/a.html", Some(Entry::File)),
            ("/srv//www/./a.html", Some(Entry::File)),
            ("/srv/www/a.html/", Some(Entry::Missing)),
            ("/srv/www/a.html/b", Some(Entry::Missing)),
            ("/srv/www", Some(Entry::Folder)),
            ("/srv/www/docs", Some(Entry::Folder)),
            ("/srv/www/docs/x", None),
            ("/srv/www/old/x", Some(Entry::Missing)),
            ("/srv/www/b.html", None),
        ] {
            assert_eq!(disk.get(path.as_bytes()), expected, "{path}");
        }
        disk.exclude(b"nothing");
        assert_eq!(disk.get(b"/etc/nothing.html"), Some(Entry::Missing));
        assert_eq!(disk.get(b"/etc/nothin"), None);
        disk.close(b"/srv");
        assert_eq!(disk.get(b"/srv/www/b.html"), Some(Entry::Missing));
        assert_eq!(disk.get(b"/etc/x"), None);
    }
}
