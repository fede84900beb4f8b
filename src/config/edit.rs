//! Edits that fit their surroundings: new lines take the indentation and the line ending of the file.

use std::borrow::Cow;

use super::{Config, Directive};
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::syntax::{Mistake, MistakeKind, TokenKind};

impl Directive<'_> {
    /// Puts lines after this directive, indented as it is; one that shares its line with others gets them on that line.
    pub fn append_lines<S: AsRef<str>>(self, lines: &[S]) -> Edit {
        let span = self.full_span();
        let separator = self.separator();
        let text: String = lines
            .iter()
            .map(|line| format!("{separator}{}", line.as_ref()))
            .collect();
        Edit::insert_after(span, text)
    }

    /// Puts lines before this directive, indented as it is.
    pub fn prepend_lines<S: AsRef<str>>(self, lines: &[S]) -> Edit {
        let separator = self.separator();
        let text: String = lines
            .iter()
            .map(|line| format!("{}{separator}", line.as_ref()))
            .collect();
        Edit::insert_before(self.full_span(), text)
    }

    /// Takes this directive away, with its line when it stands there alone.
    pub fn remove(self) -> Edit {
        let span = self.full_span();
        let bytes = self.config.sources.file(span.file).bytes();
        let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t');
        let before = bytes[..span.start as usize]
            .iter()
            .rev()
            .take_while(blank)
            .count() as u32;
        let after = bytes[span.end as usize..].iter().take_while(blank).count() as u32;
        let line_start = span.start - before;
        let alone_before = line_start == 0 || bytes[line_start as usize - 1] == b'\n';
        let ending: u32 = match &bytes[(span.end + after) as usize..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => 0,
        };
        if alone_before && ending > 0 {
            return Edit::delete(Span {
                start: line_start,
                end: span.end + after + ending,
                ..span
            });
        }
        Edit::delete(Span {
            start: span.start,
            end: span.end + after,
            ..span
        })
    }

    /// Puts this block before another directive, with the comments on the lines right above it; nothing when the two do
    /// not stand in one file or this one shares its lines with others.
    pub fn move_before(self, other: Self) -> Option<[Edit; 2]> {
        let removal = self.remove();
        let span = self.full_span();
        let file = self.config.sources.file(span.file);
        let first = file.line_index(span.start);
        let start = file.line_starts()[first];
        if span.file != other.full_span().file
            || removal.span.start != start
            || !other.separator().contains('\n')
        {
            return None;
        }
        let is_comment = |line: &usize| file.line(*line).trim_ascii().starts_with(b"#");
        let top = (0..first)
            .rev()
            .take_while(is_comment)
            .last()
            .unwrap_or(first);
        let text = Span {
            start: file.line_starts()[top],
            ..span
        };
        let lines = String::from_utf8_lossy(file.slice(text));
        let removed = Span {
            start: text.start,
            ..removal.span
        };
        Some([
            other.prepend_lines(&[lines.trim_start()]),
            Edit::delete(removed),
        ])
    }

    /// The directive as it is written, up to its `;`.
    pub fn written(self) -> String {
        format!("{};", self.config.text(self.span()))
    }

    /// The comments on the lines right above this directive, on its own line, and on the first lines of its block.
    pub fn comments(self) -> impl Iterator<Item = String> {
        let (tree, node) = self.node();
        let file = self.config.sources.file(tree.file);
        let line = |offset: u32| file.line_index(offset) as i64;
        let is_comment = |index: &usize| tree.tokens[*index].kind == TokenKind::Comment;
        let head = tree.tokens[node.head as usize].start;
        let mut above = line(head);
        let before = (0..node.head as usize)
            .rev()
            .take_while(is_comment)
            .take_while(move |index| {
                let own = line(tree.tokens[*index].start);
                let follows = above - own <= 1;
                above = own;
                follows && !shares_line(tree, *index, file)
            });
        let inside = (node.body as usize..tree.tokens.len()).take_while(is_comment);
        let found: Vec<usize> = before.chain(inside.filter(|_| node.block)).collect();
        found
            .into_iter()
            .map(move |index| self.config.text(tree.span(tree.tokens[index])).into_owned())
    }

    /// What stands between this directive and the one after it: a line break with the indentation, or a blank.
    fn separator(self) -> String {
        let span = self.full_span();
        let bytes = self.config.sources.file(span.file).bytes();
        let before = &bytes[..span.start as usize];
        let indentation = before
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let begins_line =
            indentation == before.len() || before[before.len() - indentation - 1] == b'\n';
        if !begins_line {
            return " ".to_owned();
        }
        let indentation = String::from_utf8_lossy(&before[before.len() - indentation..]);
        format!("{}{indentation}", line_ending(bytes))
    }
}

impl Config {
    /// Puts lines before the line of a place, or between what stands on it.
    pub fn insert_lines<S: AsRef<str>>(&self, place: Span, lines: &[S]) -> Edit {
        let file = self.sources.file(place.file);
        let start = file.line_starts()[file.line_index(place.start)];
        let before = &file.bytes()[start as usize..place.start as usize];
        let begins_line = before.trim_ascii().is_empty();
        let ends_file = place.start as usize == file.bytes().len();
        let ending = line_ending(file.bytes());
        let joined = |ending: &str| -> String {
            lines
                .iter()
                .map(|line| format!("{}{ending}", line.as_ref()))
                .collect()
        };
        match (begins_line, ends_file) {
            (true, _) => Edit::insert_before(
                Span {
                    start,
                    end: start,
                    ..place
                },
                joined(ending),
            ),
            (false, true) => Edit::insert_before(place, format!("{ending}{}", joined(ending))),
            (false, false) => Edit::insert_before(place, joined(" ")),
        }
    }

    /// True for the place just past the last byte of a file.
    pub fn ends_file(&self, place: Span) -> bool {
        place.start as usize == self.sources.file(place.file).bytes().len()
    }

    /// The `}` of an unclosed block, and of every other block that its file leaves open at the end.
    pub fn close_block(&self, mistake: &Mistake) -> Option<Edit> {
        let lines: Vec<String> = self
            .closed_with(mistake)
            .map(|other| format!("{}}}", self.indentation(other.span)))
            .rev()
            .collect();
        Some(self.insert_lines(mistake.related?, &lines))
    }

    /// True when an unclosed block certainly goes on to the end of its file, as every other one that is open there: what
    /// they hold is indented deeper.
    pub fn certainly_ends_with_file(&self, mistake: &Mistake) -> bool {
        mistake.related.is_some_and(|place| self.ends_file(place))
            && self
                .closed_with(mistake)
                .all(|other| self.is_indented(other.span))
    }

    /// The unclosed blocks that end at the same place, from the outside in.
    fn closed_with(&self, mistake: &Mistake) -> impl DoubleEndedIterator<Item = &Mistake> {
        let unclosed = |other: &&Mistake| other.kind == MistakeKind::UnclosedBlock;
        let mistakes = self.tree(mistake.span.file).mistakes.iter();
        let (span, place) = (mistake.span, mistake.related);
        let at_end = place.is_some_and(|place| self.ends_file(place));
        mistakes
            .filter(unclosed)
            .filter(move |other| other.span == span || at_end && other.related == place)
    }

    /// True when all that a block holds is indented deeper than its head.
    fn is_indented(&self, head: Span) -> bool {
        let tree = self.tree(head.file);
        let depth = |head: Span| {
            let file = self.sources.file(head.file);
            let blank = self.indentation(head).len();
            let start = file.line_starts()[file.line_index(head.start)] as usize;
            (start + blank == head.start as usize).then_some(blank)
        };
        let block = tree
            .nodes
            .iter()
            .position(|node| tree.head_span(node) == head);
        let inside = |index: usize| {
            let nodes = tree.nodes[index + 1..tree.nodes[index].end as usize].iter();
            nodes.filter_map(|node| depth(tree.head_span(node)))
        };
        let holds = |index: usize| {
            let own = depth(head)?;
            Some(inside(index).all(|deeper| deeper > own))
        };
        block.and_then(holds).unwrap_or(false)
    }

    /// The white space that the line of a place begins with.
    pub fn indentation(&self, place: Span) -> Cow<'_, str> {
        let file = self.sources.file(place.file);
        let line = file.line(file.line_index(place.start));
        let blank = line
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        String::from_utf8_lossy(&line[..blank])
    }

    /// Puts a block of lines at the beginning of the `http` block; nothing when no such block was read from a file that
    /// can be edited.
    pub fn prepend_to_http(&self, lines: &[&str]) -> Option<Edit> {
        let http = self
            .directives()
            .find(|directive| directive.is("http") && directive.is_block())?;
        let first = http
            .children()
            .find(|child| child.full_span().file == http.full_span().file)?;
        Some(first.prepend_lines(lines))
    }
}

fn shares_line(tree: &crate::syntax::Tree, index: usize, file: &crate::source::SourceFile) -> bool {
    let line = |offset: u32| file.line_index(offset);
    index > 0 && line(tree.tokens[index - 1].end) == line(tree.tokens[index].start)
}

fn line_ending(bytes: &[u8]) -> &'static str {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}
