//! Files, standard input and editor buffers become bytes with a [`FileId`]; offsets become [`Span`]s and lines.
//!
//! Nothing here knows nginx.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Files larger than this many bytes are refused unless the user raises the limit.
pub const DEFAULT_SIZE_LIMIT: u64 = 256 * 1024 * 1024;

/// Names one of the loaded files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

impl FileId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A byte range in one of the loaded files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file that the range lies in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The empty range just before this one.
    pub fn before(self) -> Self {
        Self {
            end: self.start,
            ..self
        }
    }

    /// The empty range just after this one.
    pub fn after(self) -> Self {
        Self {
            start: self.end,
            ..self
        }
    }

    /// True when the ranges overlap, or one ends where the other begins.
    pub fn touches(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.end && other.start <= self.end
    }

    /// The smallest range that covers both; `other` must lie in the same file.
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
            ..self
        }
    }

    /// The range as indexes into the file's bytes.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place for people: both numbers count from 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line number, from 1.
    pub line: u32,
    /// Column in characters, from 1; a byte that is not UTF-8 counts as one character.
    pub column: u32,
}

/// Where a file's bytes came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, by its canonical path (symbolic links resolved).
    Disk(PathBuf),
    /// Standard input or an editor's buffer, standing for the file of this name.
    Buffer(PathBuf),
    /// One file of an `nginx -T` dump; only its name is known.
    Dump,
    /// A stock file of nginx's distributions that is not on this machine.
    Stock,
}

/// One loaded file.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    origin: Origin,
    bytes: Vec<u8>,
    line_starts: OnceLock<Vec<u32>>,
}

impl SourceFile {
    /// The name as a person knows it; unprintable bytes are still in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the bytes came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The contents.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of a span in this file.
    pub fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.range()]
    }

    /// Offsets at which lines begin; the first is 0.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let ends = self
                .bytes
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n');
            std::iter::once(0)
                .chain(ends.map(|(offset, _)| offset as u32 + 1))
                .collect()
        })
    }

    /// Index (from 0) of the line that holds `offset`.
    pub fn line_index(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|start| *start <= offset) - 1
    }

    /// Bytes of a line given by its index from 0, without the line feed.
    pub fn line(&self, index: usize) -> &[u8] {
        let starts = self.line_starts();
        let end = starts
            .get(index + 1)
            .map_or(self.bytes.len(), |next| *next as usize - 1);
        &self.bytes[starts[index] as usize..end]
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_index(offset);
        let before = &self.bytes[self.line_starts()[line] as usize..offset as usize];
        let column = before
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
            .sum::<usize>();
        Position {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }
    }
}

/// Every file of a run.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file; `name` is what people will read.
    pub fn add(&mut self, name: impl Into<String>, origin: Origin, bytes: Vec<u8>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("fewer than four billion files"));
        self.files.push(SourceFile {
            name: name.into(),
            origin,
            bytes,
            line_starts: OnceLock::new(),
        });
        id
    }

    /// Gives a file another name for people.
    pub fn rename(&mut self, file: FileId, name: impl Into<String>) {
        self.files[file.index()].name = name.into();
    }

    /// The file of an id that [`Sources::add`] returned.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// The bytes that a span covers.
    pub fn slice(&self, span: Span) -> &[u8] {
        self.file(span.file).slice(span)
    }

    /// All files in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, file)| (FileId(index as u32), file))
    }
}

/// Who asked for a file: a person may name a pipe, an include may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Named on the command line.
    ByName,
    /// Reached through an `include`.
    ByInclude,
}

/// Why a file could not be read, in words that follow `cannot read X: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The reason, for a person.
    pub reason: String,
    /// True when there is no such file.
    pub missing: bool,
}

impl ReadError {
    /// An error other than absence.
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            missing: false,
        }
    }
}

impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let missing = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let reason = match error.kind() {
            ErrorKind::NotFound => "no such file".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            ErrorKind::IsADirectory => "is a directory".to_owned(),
            ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
            _ => without_number(&error.to_string()),
        };
        Self { reason, missing }
    }
}

/// The system's words for an error without their ` (os error 40)`, in lower case as in the rest of a message.
fn without_number(text: &str) -> String {
    let words = text.split(" (os error").next().unwrap_or(text);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// When the file cannot be opened or read, is larger than `limit`, or is not a regular file although an include asked
/// for it (a FIFO would block, a device might never end).
pub fn read(path: &Path, asked: Asked, limit: u64) -> Result<Vec<u8>, ReadError> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ReadError::because("is a directory"));
    }
    if !metadata.is_file() && asked == Asked::ByInclude {
        return Err(ReadError::because("not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_large(limit));
    }
    read_stream(File::open(path)?, limit)
}

/// Reads a stream to its end, at most `limit` bytes.
///
/// # Errors
/// When reading fails or the stream holds more than `limit` bytes.
pub fn read_stream(stream: impl Read, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    stream.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

/// The path with symbolic links resolved, also for a file that does not exist yet in a folder that does.
pub(crate) fn canonical(path: &Path) -> PathBuf {
    // The folder of a file that is named alone.
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        match (folder.canonicalize(), path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}

fn too_large(limit: u64) -> ReadError {
    ReadError::because(format!(
        "larger than the limit of {limit} bytes (see --max-file-size)"
    ))
}
