//! A line of a file as a terminal may show it, which still knows which byte became which character.

use super::{push_byte, push_visible};
use std::ops::Range;

/// Columns from one tab stop to the next.
pub(super) const TAB_WIDTH: usize = 4;

const CUT: char = '…';

/// A line made printable and cut to a width. Tabs stay tabs.
pub(super) struct Shown {
    /// What to print.
    pub(super) text: String,
    /// The characters that are shown, and last the place where they end.
    cells: Vec<Cell>,
}

/// One character of the line, or one byte that is not UTF-8.
struct Cell {
    /// Its offset in the line.
    raw: usize,
    /// Its offset in the shown text.
    text: usize,
    /// How many columns lie before it.
    column: usize,
}

impl Shown {
    /// Shows at most `width` columns of `line`, among them the start of `focus`, which are offsets in the line.
    pub(super) fn new(line: &[u8], focus: Range<usize>, width: usize) -> Self {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let focus = focus.start.min(line.len())..focus.end.min(line.len());

        // A character has at most four bytes and at least one column, so nothing beyond this window can be shown.
        let reach = 4 * width;
        let from = floor(line, focus.start.saturating_sub(reach));
        let to = floor(line, line.len().min(focus.start + reach));
        let whole = Self::of_window(line, from, to);

        let columns = whole.cells[whole.cells.len() - 1].column;
        if from == 0 && to == line.len() && columns <= width {
            return whole;
        }

        let start = whole.cells[whole.cell_at(focus.start)].column;
        let end = whole.cells[whole.cell_at(focus.end)].column;
        let mut first_column = 0;
        if from > 0 || end >= width {
            let lead = (width - (end - start).min(width / 2)) / 2;
            first_column = start.saturating_sub(lead);
            if to == line.len() {
                first_column = first_column.min(columns.saturating_sub(width - 2));
            }
        }
        let first = whole
            .cells
            .partition_point(|cell| cell.column < first_column);
        let cut_before = from > 0 || first > 0;

        let room = width - 1 - usize::from(cut_before);
        let end_column = whole.cells[first].column + room;
        let last = whole
            .cells
            .partition_point(|cell| cell.column <= end_column)
            - 1;
        let cut_after = to < line.len() || last + 1 < whole.cells.len();

        whole.cut(first..last, cut_before, cut_after)
    }

    /// Where the shown text has these bytes of the line; what was cut off lies on the `…` in its place.
    pub(super) fn range(&self, bytes: Range<usize>) -> Range<usize> {
        let started = self.cells.partition_point(|cell| cell.raw <= bytes.start);
        let start = match started.checked_sub(1) {
            Some(index) => self.cells[index].text,
            None => 0,
        };
        let ended = self.cells.partition_point(|cell| cell.raw < bytes.end);
        let end = match self.cells.get(ended) {
            Some(cell) => cell.text,
            None => self.text.len(),
        };
        start..end.max(start)
    }

    fn of_window(line: &[u8], from: usize, to: usize) -> Self {
        let mut text = String::with_capacity(to - from);
        let mut cells = Vec::with_capacity(to - from + 1);
        let mut raw = from;
        let mut column = 0;
        for chunk in line[from..to].utf8_chunks() {
            for letter in chunk.valid().chars() {
                let start = text.len();
                cells.push(Cell {
                    raw,
                    text: start,
                    column,
                });
                raw += letter.len_utf8();
                if letter == '\t' {
                    text.push(letter);
                    column += TAB_WIDTH;
                } else {
                    push_visible(&mut text, letter);
                    column += text[start..].chars().count();
                }
            }
            for byte in chunk.invalid() {
                let start = text.len();
                cells.push(Cell {
                    raw,
                    text: start,
                    column,
                });
                raw += 1;
                push_byte(&mut text, *byte);
                column += text.len() - start;
            }
        }
        cells.push(Cell {
            raw,
            text: text.len(),
            column,
        });
        Self { text, cells }
    }

    fn cell_at(&self, raw: usize) -> usize {
        self.cells
            .partition_point(|cell| cell.raw < raw)
            .min(self.cells.len() - 1)
    }

    fn cut(mut self, kept: Range<usize>, before: bool, after: bool) -> Self {
        let start = self.cells[kept.start].text;
        let end = self.cells[kept.end].text;
        let mut text = String::with_capacity(end - start + 2 * CUT.len_utf8());
        text.extend(before.then_some(CUT));
        let shift = text.len();
        text.push_str(&self.text[start..end]);
        text.extend(after.then_some(CUT));

        self.cells.truncate(kept.end + 1);
        self.cells.drain(..kept.start);
        for cell in &mut self.cells {
            cell.text = cell.text - start + shift;
        }
        Self {
            text,
            cells: self.cells,
        }
    }
}

/// The start of the character that `offset` is in, so that no window begins or ends inside one.
fn floor(line: &[u8], offset: usize) -> usize {
    let is_inside = |at: usize| line.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    (offset.saturating_sub(3)..=offset)
        .rev()
        .find(|at| !is_inside(*at))
        .unwrap_or(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(line: &[u8], focus: Range<usize>, width: usize) -> (String, String) {
        let shown = Shown::new(line, focus.clone(), width);
        let range = shown.range(focus);
        (shown.text[range].to_owned(), shown.text)
    }

    #[test]
    fn a_span_stays_on_its_characters_behind_longer_substitutes() {
        let (mark, text) = marked(b"\x1b\xff\xe2\x80\xae here", 6..10, 80);
        assert_eq!(text, r"␛\xFF\u{202e} here");
        assert_eq!(mark, "here");
    }

    #[test]
    fn a_span_inside_a_character_covers_it() {
        let (mark, _) = marked("aßc".as_bytes(), 2..3, 80);
        assert_eq!(mark, "ß");
    }

    #[test]
    fn a_carriage_return_at_the_end_is_dropped_and_one_inside_is_not() {
        let (mark, text) = marked(b"a\rb\r", 3..4, 80);
        assert_eq!(text, "a␍b");
        assert_eq!(mark, "");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides_of_the_focus() {
        let line = [b"x".repeat(3000), b"needle".to_vec(), b"y".repeat(3000)].concat();
        let (mark, text) = marked(&line, 3000..3006, 40);
        assert_eq!(mark, "needle");
        assert_eq!(text, "…xxxxxxxxxxxxxxxxxneedleyyyyyyyyyyyyyyy…");
        assert_eq!(text.chars().count(), 40);
    }

    #[test]
    fn a_long_line_keeps_its_beginning_when_the_focus_is_there() {
        let line = [b"needle".to_vec(), b"y".repeat(3000)].concat();
        let (mark, text) = marked(&line, 0..6, 40);
        assert_eq!(mark, "needle");
        assert_eq!(text, format!("needle{}…", "y".repeat(33)));
    }

    #[test]
    fn a_long_line_keeps_its_end_when_the_focus_is_there() {
        let line = [b"x".repeat(3000), b"needle".to_vec()].concat();
        let (mark, text) = marked(&line, 3000..3006, 40);
        assert_eq!(mark, "needle");
        assert!(text.starts_with('…') && text.ends_with("xneedle"), "{text}");
        assert!(text.chars().count() >= 38, "{text}");
    }

    #[test]
    fn a_focus_longer_than_the_width_ends_on_the_ellipsis() {
        let line = b"z".repeat(4000);
        let (mark, text) = marked(&line, 0..4000, 40);
        assert_eq!(mark, text);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn a_place_that_was_cut_off_lies_on_the_ellipsis() {
        let line = b"z".repeat(4000);
        let shown = Shown::new(&line, 2000..2010, 40);
        assert_eq!(&shown.text[shown.range(0..10)], "…");
        assert_eq!(&shown.text[shown.range(3990..4000)], "…");
    }
}
