//! Comments, and what they stand at.

use std::borrow::Cow;
use std::fmt;

use super::Config;
use crate::diagnostic::Edit;
use crate::source::{FileId, Origin, SourceFile, Span};
use crate::syntax::{Token, TokenKind, Tree};

/// A comment at its place; what stands in quotes or inside Lua is none.
#[derive(Clone, Copy)]
pub struct Comment<'c> {
    config: &'c Config,
    file: FileId,
    /// Index in the tree of its file.
    token: usize,
}

impl fmt::Debug for Comment<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.text())
    }
}

impl Config {
    /// Every comment of the files that can be edited, file by file.
    pub fn comments(&self) -> impl Iterator<Item = Comment<'_>> {
        let editable = |tree: &&Tree| *self.sources.file(tree.file).origin() != Origin::Stock;
        self.trees.iter().filter(editable).flat_map(move |tree| {
            let is_comment = |(_, token): &(usize, &Token)| token.kind == TokenKind::Comment;
            let tokens = tree.tokens.iter().enumerate().filter(is_comment);
            tokens.map(move |(token, _)| Comment {
                config: self,
                file: tree.file,
                token,
            })
        })
    }

    /// The `include` directives that bring a file in, one for all repetitions of the file that it stands in; none for a
    /// file that was named.
    pub fn inclusions(&self, file: FileId) -> &[Span] {
        self.inclusions.get(&file).map_or(&[], Vec::as_slice)
    }
}

impl<'c> Comment<'c> {
    fn tree(self) -> &'c Tree {
        self.config.tree(self.file)
    }

    fn source(self) -> &'c SourceFile {
        self.config.sources.file(self.file)
    }

    /// From its `#` to the last byte that can be seen.
    pub fn span(self) -> Span {
        let whole = self.tree().span(self.tree().tokens[self.token]);
        let length = self.source().slice(whole).trim_ascii_end().len() as u32;
        Span {
            end: whole.start + length,
            ..whole
        }
    }

    /// What is written, for a person: what is not UTF-8 is replaced.
    pub fn text(self) -> Cow<'c, str> {
        self.config.text(self.span())
    }

    /// True when nothing stands before it on its line.
    pub fn is_alone(self) -> bool {
        let (tree, file) = (self.tree(), self.source());
        let line = |offset: u32| file.line_index(offset);
        let start = tree.tokens[self.token].start;
        let before = self.token.checked_sub(1).map(|index| tree.tokens[index]);
        before.is_none_or(|before| {
            before.kind == TokenKind::ByteOrderMark || line(before.end) != line(start)
        })
    }

    /// True when it stands before the first directive of its file.
    pub fn is_at_top(self) -> bool {
        let first = self.tree().nodes.first();
        first.is_none_or(|first| self.token < first.head as usize)
    }

    /// What it stands at: its line and the whole of a directive that ends there, or, alone on its line, the directive
    /// below it with its block.
    pub fn target(self) -> Option<Span> {
        let tree = self.tree();
        let next = tree
            .nodes
            .partition_point(|node| node.head as usize <= self.token);
        let current = next
            .checked_sub(1)
            .map(|index| &tree.nodes[index])
            .filter(|node| self.token <= node.body as usize);
        if !self.is_alone() {
            let start = current.map(|node| tree.tokens[node.head as usize].start);
            let line = self.line();
            return Some(Span {
                start: start.map_or(line.start, |start| start.min(line.start)),
                ..line
            });
        }
        if let Some(current) = current.filter(|node| self.token < node.body as usize) {
            return Some(tree.full_span(current));
        }
        let below = tree.nodes.get(next)?;
        let between = &tree.tokens[self.token..below.head as usize];
        let same_block = between.iter().all(|token| token.kind != TokenKind::Close);
        same_block.then(|| tree.full_span(below))
    }

    /// Takes it away, with its line when it stands there alone, else with the blanks before it.
    pub fn remove(self) -> Edit {
        let (span, line) = (self.span(), self.line());
        let bytes = self.source().bytes();
        let before = &bytes[line.start as usize..span.start as usize];
        let kept = before.trim_ascii_end().len() as u32;
        if kept > 0 {
            return Edit::delete(Span {
                start: line.start + kept,
                ..span
            });
        }
        let ending = u32::from(bytes.get(line.end as usize) == Some(&b'\n'));
        Edit::delete(Span {
            end: line.end + ending,
            ..line
        })
    }

    /// The line that it stands on, without the line feed.
    fn line(self) -> Span {
        let file = self.source();
        let index = file.line_index(self.tree().tokens[self.token].start);
        let start = file.line_starts()[index];
        Span::new(self.file, start, start + file.line(index).len() as u32)
    }
}
