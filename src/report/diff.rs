//! A fix as the lines it takes away and the lines it adds. Only lines that an edit touches are looked at.

use super::shown::Shown;
use crate::diagnostic::{Edit, Fix};
use crate::source::{FileId, SourceFile, Sources};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::ops::Range;

/// Lines shown of one file; a fix that replaces a whole block is not a good read in a terminal.
const MOST_ROWS: usize = 20;

/// Above so many lines the comparison could take long and most of its result would not be shown.
const MOST_COMPARED: usize = 1000;

/// What a fix does to one file.
pub(super) struct FileDiff {
    pub(super) file: FileId,
    pub(super) rows: Vec<Row>,
    /// How many rows there are besides.
    pub(super) omitted: usize,
}

/// A line that goes or comes.
pub(super) struct Row {
    pub(super) added: bool,
    /// Line number, from 1: in the old file for a line that goes, in the new one for a line that comes.
    pub(super) number: usize,
    pub(super) text: String,
}

/// Adjacent edits in whole lines.
struct Region<'a> {
    lines: Range<usize>,
    edits: Vec<&'a Edit>,
}

/// The lines that `fix` changes, cut to `width`; those of `home` come first.
pub(super) fn of_fix(sources: &Sources, fix: &Fix, home: FileId, width: usize) -> Vec<FileDiff> {
    let mut edits: Vec<&Edit> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.file != home, edit.span));
    edits
        .chunk_by(|one, next| one.span.file == next.span.file)
        .map(|edits| of_file(edits[0].span.file, sources, edits, width))
        .collect()
}

fn of_file(id: FileId, sources: &Sources, edits: &[&Edit], width: usize) -> FileDiff {
    let file = sources.file(id);
    let mut diff = FileDiff {
        file: id,
        rows: Vec::new(),
        omitted: 0,
    };
    let mut new_number = 1;
    let mut old_number = 1;
    for region in regions(file, edits) {
        let replaced = region.replaced(file);
        let mut old: Vec<&[u8]> = region.lines.clone().map(|line| file.line(line)).collect();
        let mut new: Vec<&[u8]> = replaced.split(|byte| *byte == b'\n').collect();
        if region.lines.end == file.line_starts().len() {
            // What follows the last line feed is not a line unless something stands there.
            old.pop_if(|line| line.is_empty());
            new.pop_if(|line| line.is_empty());
        }
        new_number += region.lines.start + 1 - old_number;
        old_number = region.lines.start + 1;
        diff.compare(&old, old_number, &new, new_number, width);
        new_number += new.len();
        old_number += old.len();
    }
    diff
}

fn regions<'a>(file: &SourceFile, edits: &[&'a Edit]) -> Vec<Region<'a>> {
    let mut regions: Vec<Region<'a>> = Vec::new();
    for edit in edits {
        let first = file.line_index(edit.span.start);
        let end = file.line_index(edit.span.end) + 1;
        match regions.last_mut() {
            Some(region) if first < region.lines.end => {
                region.lines.end = region.lines.end.max(end);
                region.edits.push(edit);
            }
            _ => regions.push(Region {
                lines: first..end,
                edits: vec![edit],
            }),
        }
    }
    regions
}

impl Region<'_> {
    /// The region's bytes after the edits.
    fn replaced(&self, file: &SourceFile) -> Vec<u8> {
        let bytes = file.bytes();
        let mut replaced = Vec::new();
        let mut copied = file.line_starts()[self.lines.start] as usize;
        for edit in &self.edits {
            let span = edit.span.range();
            if span.start >= copied {
                replaced.extend_from_slice(&bytes[copied..span.start]);
                replaced.extend_from_slice(edit.text.as_bytes());
                copied = span.end;
            }
        }
        let last = self.lines.end - 1;
        let end = file.line_starts()[last] as usize + file.line(last).len();
        replaced.extend_from_slice(&bytes[copied..end]);
        replaced
    }
}

impl FileDiff {
    fn compare(
        &mut self,
        old: &[&[u8]],
        old_number: usize,
        new: &[&[u8]],
        new_number: usize,
        width: usize,
    ) {
        let old: Vec<&[u8]> = old.iter().map(|line| without_return(line)).collect();
        let new: Vec<&[u8]> = new.iter().map(|line| without_return(line)).collect();
        for (gone, come) in changes(&old, &new) {
            let gone_lines = &old[gone.clone()];
            let come_lines = &new[come.clone()];
            for (index, line) in gone_lines.iter().enumerate() {
                let focus = difference(line, come_lines.get(index));
                self.push(false, old_number + gone.start + index, line, focus, width);
            }
            for (index, line) in come_lines.iter().enumerate() {
                let focus = difference(line, gone_lines.get(index));
                self.push(true, new_number + come.start + index, line, focus, width);
            }
        }
    }

    fn push(&mut self, added: bool, number: usize, line: &[u8], focus: Range<usize>, width: usize) {
        if self.rows.len() == MOST_ROWS {
            self.omitted += 1;
            return;
        }
        self.rows.push(Row {
            added,
            number,
            text: Shown::new(line, focus, width).text,
        });
    }
}

/// Files with CRLF must not seem to change in every line that a fix writes.
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn changes(old: &[&[u8]], new: &[&[u8]]) -> Vec<(Range<usize>, Range<usize>)> {
    if old.len() + new.len() > MOST_COMPARED {
        return vec![(0..old.len(), 0..new.len())];
    }
    capture_diff_slices(Algorithm::Myers, old, new)
        .iter()
        .map(similar::DiffOp::as_tag_tuple)
        .filter(|(tag, ..)| *tag != DiffTag::Equal)
        .map(|(_, gone, come)| (gone, come))
        .collect()
}

/// Where a line differs from its counterpart: as long as the longer of both, so that both are cut at the same columns.
fn difference(line: &[u8], other: Option<&&[u8]>) -> Range<usize> {
    let Some(other) = other else { return 0..0 };
    let common = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let before = line.iter().zip(*other).take_while(common).count();
    let after = line[before..]
        .iter()
        .rev()
        .zip(other[before..].iter().rev())
        .take_while(common)
        .count();
    before..line.len().max(other.len()) - after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Safety;
    use crate::source::{Origin, Span};

    fn rows(content: &[u8], edits: &[(u32, u32, &str)]) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("a.conf", Origin::Dump, content.to_vec());
        let fix = Fix {
            title: String::new(),
            safety: Safety::Safe,
            edits: edits
                .iter()
                .map(|(start, end, text)| Edit::replace(Span::new(file, *start, *end), *text))
                .collect(),
        };
        of_fix(&sources, &fix, file, 80)
            .iter()
            .flat_map(|diff| &diff.rows)
            .map(|row| {
                let sign = if row.added { '+' } else { '-' };
                format!("{}{sign}{}", row.number, row.text)
            })
            .collect()
    }

    #[test]
    fn an_inserted_line_leaves_its_neighbours_alone() {
        assert_eq!(rows(b"a;\nb;\nc;\n", &[(5, 5, "\nx;")]), ["3+x;"]);
    }

    #[test]
    fn a_deleted_line_is_one_row() {
        assert_eq!(rows(b"a;\nb;\nc;\n", &[(3, 6, "")]), ["2-b;"]);
    }

    #[test]
    fn later_lines_are_numbered_as_in_the_new_file() {
        assert_eq!(
            rows(b"a;\nb;\nc;\nd;\n", &[(0, 0, "x;\ny;\n"), (9, 10, "D")]),
            ["1+x;", "2+y;", "4-d;", "6+D;"]
        );
    }

    #[test]
    fn edits_of_the_same_line_are_one_change() {
        assert_eq!(
            rows(b"a b c;\n", &[(0, 1, "A"), (4, 5, "C")]),
            ["1-a b c;", "1+A b C;"]
        );
    }

    #[test]
    fn a_file_with_crlf_changes_only_where_it_is_edited() {
        assert_eq!(rows(b"a;\r\nb;\r\n", &[(2, 2, "\n  x;")]), ["2+  x;"]);
    }

    #[test]
    fn what_is_added_at_the_end_of_a_file_replaces_nothing() {
        assert_eq!(rows(b"", &[(0, 0, "a;")]), ["1+a;"]);
        assert_eq!(rows(b"a;\n", &[(3, 3, "b;\n")]), ["2+b;"]);
        assert_eq!(rows(b"a;", &[(2, 2, "\nb;\n")]), ["2+b;"]);
    }

    #[test]
    fn a_long_block_is_cut_short() {
        let block = b"x;\n".repeat(3000);
        assert_eq!(rows(&block, &[(0, 9000, "")]).len(), MOST_ROWS);
    }
}
