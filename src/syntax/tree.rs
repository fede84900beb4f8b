//! The lossless tree: tokens that cover everything but white space, and directives that refer to them.

use std::borrow::Cow;

use super::word::unescape;
use crate::source::{FileId, Span};

/// How a word was quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Not at all.
    None,
    /// Between two quotes of the same kind, which belong to the token.
    Closed,
    /// An opening quote that nobody closes.
    Unclosed,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or an argument.
    Word(Quote),
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// From `#` to the end of the line.
    Comment,
    /// The body of a `*_by_lua_block`, which is not nginx's language.
    Raw,
    /// A statement of a template, as `{% if … %}`, where a directive would begin.
    Template,
    /// A byte order mark at the beginning of the file.
    ByteOrderMark,
    /// The rest of a file that was given up.
    Unread,
}

/// A run of bytes that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset just past its last byte.
    pub end: u32,
}

impl Token {
    /// True for a name or an argument.
    pub fn is_word(self) -> bool {
        matches!(self.kind, TokenKind::Word(_))
    }
}

/// Index of a directive in its tree.
pub type NodeIndex = u32;

/// A directive: a run of tokens, and the directives of its block.
///
/// Directives stand in the order of the file, each before those of its block, so a subtree is a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// First token: the name.
    pub head: u32,
    /// Just past the last token of name, arguments and terminator (`;` or `{`).
    pub body: u32,
    /// The `}` token, for a block that has one.
    pub close: Option<u32>,
    /// The directive whose block this one stands in.
    pub parent: Option<NodeIndex>,
    /// Index just past the last directive of this one's block.
    pub end: NodeIndex,
    /// True when a `{` follows the arguments.
    pub block: bool,
}

/// What is wrong with a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MistakeKind {
    /// A directive without its `;`; the span is the word it should follow.
    MissingSemicolon,
    /// A block without its `}`; the span is the head of the block.
    UnclosedBlock,
    /// A `}` that closes nothing.
    UnexpectedClose,
    /// A `;` that ends nothing.
    UnexpectedSemicolon,
    /// A `{` without a directive before it.
    UnexpectedOpen,
    /// A quote that nobody closes; the span is the word up to the end of its line.
    UnclosedQuote,
    /// A byte right after a closing quote that must not stand there; the span is that byte.
    AfterQuote,
    /// A word that does not fit nginx's buffer.
    LongWord,
    /// A comment that does not fit nginx's buffer.
    LongComment,
    /// A Lua block without its end.
    UnclosedLua,
    /// A byte order mark.
    ByteOrderMark,
    /// The first placeholder or statement of a template, which stands for all mistakes of its file.
    Template,
    /// Too many mistakes: the rest of the file was not read.
    GivenUp,
}

/// One mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub kind: MistakeKind,
    /// Where a person would look.
    pub span: Span,
    /// Another place that helps to see it: what came instead, or where something should have been.
    pub related: Option<Span>,
}

/// One parsed file.
#[derive(Debug)]
pub struct Tree {
    /// The file it was parsed from.
    pub file: FileId,
    /// Everything but white space, in order.
    pub tokens: Vec<Token>,
    /// The directives, each before those of its block.
    pub nodes: Vec<Node>,
    /// What is wrong, in the order of the file.
    pub mistakes: Vec<Mistake>,
    /// True when the file holds more than is read; the rest is the last token.
    pub is_cut: bool,
}

impl Tree {
    /// The bytes that the tree was made from: every token, with the white space that stood between them.
    ///
    /// `source` only supplies what the tree refers to; a byte that no token owns and that is not white space is lost,
    /// which is what the tests look for.
    pub fn print(&self, source: &[u8]) -> Vec<u8> {
        let mut printed = Vec::with_capacity(source.len());
        let mut at = 0;
        for token in &self.tokens {
            printed.extend(white_space(&source[at..token.start as usize]));
            printed.extend_from_slice(&source[token.start as usize..token.end as usize]);
            at = token.end as usize;
        }
        printed.extend(white_space(&source[at..]));
        printed
    }

    /// The span of a token.
    pub fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    /// The words of a directive: its name, then its arguments.
    pub fn words(&self, node: &Node) -> impl DoubleEndedIterator<Item = Token> + Clone + '_ {
        self.tokens[node.head as usize..node.body as usize]
            .iter()
            .copied()
            .filter(|token| token.is_word())
    }

    /// From the name to the end of the arguments.
    pub fn head_span(&self, node: &Node) -> Span {
        let mut words = self.words(node);
        let first = words.next().unwrap_or(self.tokens[node.head as usize]);
        let last = words.next_back().unwrap_or(first);
        Span::new(self.file, first.start, last.end)
    }

    /// From the name to the `;` or the `}`; where that is missing, to what stands last.
    pub fn full_span(&self, node: &Node) -> Span {
        let last = match node.close {
            Some(close) => close,
            None if node.block => self.last_token_inside(node),
            None => node.body - 1,
        };
        Span::new(
            self.file,
            self.tokens[node.head as usize].start,
            self.tokens[last as usize].end,
        )
    }

    fn last_token_inside(&self, node: &Node) -> u32 {
        let index = self.nodes.partition_point(|other| other.head <= node.head);
        match self.nodes[index..node.end.max(index as u32) as usize]
            .iter()
            .max_by_key(|child| child.body)
        {
            Some(child) => child.close.unwrap_or(child.body - 1),
            None => node.body - 1,
        }
    }

    /// A word as nginx sees it: without its quotes, escapes undone.
    pub fn value<'s>(&self, word: Token, source: &'s [u8]) -> Cow<'s, [u8]> {
        let raw = &source[word.start as usize..word.end as usize];
        match word.kind {
            TokenKind::Word(Quote::Closed) => unescape(&raw[1..raw.len() - 1]),
            TokenKind::Word(Quote::Unclosed) => unescape(&raw[1..]),
            _ => unescape(raw),
        }
    }
}

fn white_space(gap: &[u8]) -> impl Iterator<Item = u8> + '_ {
    gap.iter()
        .copied()
        .filter(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
