//! Edits that fit their surroundings: new lines take the indentation and the line ending of the file.

use super::{Config, Directive};
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::syntax::TokenKind;

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
