//! One request on every disk on which it could be answered otherwise.

use crate::routing::{About, Disk, Entry, Request, Trace, Tracer};

/// More disks are not looked at.
const MOST: usize = 64;

/// A disk, and what the request comes to there.
pub(super) struct World<'c> {
    pub(super) disk: Disk,
    pub(super) trace: Trace<'c>,
}

/// What a request comes to on all disks.
pub(super) struct Worlds<'c> {
    /// The first is as `trace` would assume it; never empty.
    pub(super) worlds: Vec<World<'c>>,
    /// False when there are more.
    pub(super) is_complete: bool,
    /// What is taken to be so in the first.
    pub(super) taken: Vec<String>,
}

impl<'c> Worlds<'c> {
    /// Follows a request on a disk, and on each that what is said of that one leaves open.
    ///
    /// # Errors
    /// When nginx does not get the request.
    pub(super) fn of(tracer: &Tracer<'c>, request: &Request, disk: &Disk) -> Result<Self, String> {
        let first = tracer.trace_on(request, disk)?;
        let is_file = |about: &About| matches!(about, About::File(..));
        let taken = first.assumptions.iter().filter(|one| is_file(&one.about));
        let mut found = Self {
            worlds: Vec::new(),
            is_complete: true,
            taken: taken.map(ToString::to_string).collect(),
        };
        let mut waiting = vec![disk.clone()];
        while let Some(disk) = waiting.pop() {
            if found.worlds.len() + waiting.len() > MOST {
                found.is_complete = false;
                break;
            }
            let trace = tracer.trace_on(request, &disk)?;
            match open(&trace, &disk) {
                Some((path, taken)) => {
                    let first = first_open(&disk, &path);
                    waiting.extend(branches(&disk, first, taken));
                }
                None => found.worlds.push(World { disk, trace }),
            }
        }
        if found.worlds.is_empty() {
            let disk = disk.clone();
            found.worlds.push(World { disk, trace: first });
        }
        Ok(found)
    }
}

/// The first path of the disk that an answer depends on and nothing is said about, and what it was taken to be.
fn open(trace: &Trace<'_>, disk: &Disk) -> Option<(Vec<u8>, Entry)> {
    trace.assumptions.iter().find_map(|assumption| {
        let About::File(path, taken) = &assumption.about else {
            return None;
        };
        disk.get(path).is_none().then(|| (path.clone(), *taken))
    })
}

/// The part of a path about which something has to be said first: what stands before a `..` decides whether the rest is
/// looked at.
fn first_open<'p>(disk: &Disk, path: &'p [u8]) -> &'p [u8] {
    let leads_up = |at: &usize| {
        let rest = &path[*at..];
        *at > 0 && (rest == b"/.." || rest.starts_with(b"/../"))
    };
    let before = (0..path.len()).filter(leads_up).map(|at| &path[..at]);
    let mut open = before.filter(|before| disk.get(before).is_none());
    open.next().unwrap_or(path)
}

/// The disks on which it is settled what there is at a path; last that on which it is what was taken.
fn branches(disk: &Disk, path: &[u8], taken: Entry) -> Vec<Disk> {
    let end = path.iter().rposition(|byte| *byte != b'/');
    let path = &path[..end.map_or(1, |end| end + 1).min(path.len())];
    let mut entries = [Entry::Missing, Entry::Folder, Entry::File];
    entries.sort_by_key(|entry| *entry == taken);
    let settled = |entry: Entry| {
        let mut disk = disk.clone();
        match entry {
            Entry::File => disk.add(path),
            Entry::Folder => disk.add(&[path, b"/"].concat()),
            Entry::Missing => disk.remove(path),
        }
        disk
    };
    entries.map(settled).to_vec()
}
