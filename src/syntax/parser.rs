//! Tokens become directives and blocks, without recursion; a mistake is noted where a person would look, once.

use super::Vocabulary;
use super::lexer::{End, Lexed, Limits, is_space, lex};
use super::tree::{Mistake, MistakeKind, Node, NodeIndex, Quote, Token, TokenKind, Tree};
use crate::source::{FileId, Span};

/// After this many mistakes the rest of a file is not read.
pub const MAX_MISTAKES: usize = 100;

/// A file of more tokens is cut there: that is a hundred megabytes of an ordinary configuration.
const LIMITS: Limits = Limits {
    mistakes: MAX_MISTAKES,
    tokens: 1 << 24,
};

/// How often the blocks are arranged anew after indentation has shown where a `}` is missing.
const MAX_REPAIRS: usize = 16;

/// How many arguments of a directive are searched for a line that it swallowed.
const MAX_SWALLOWED: usize = 64;

/// Parses the bytes of a file; always answers with a tree, whatever the bytes are.
///
/// `vocabulary` tells whether nginx could accept a directive, which shows a forgotten `;` where the next line was
/// swallowed as arguments.
pub fn parse(file: FileId, bytes: &[u8], vocabulary: Vocabulary) -> Tree {
    let Lexed {
        tokens,
        mistakes: found,
        end,
    } = lex(file, bytes, LIMITS);
    let mut closes = Vec::new();
    let mut parser = arrange(file, bytes, &tokens, vocabulary, &closes);
    while parser.stopped.is_none() && !parser.open.is_empty() && closes.len() < MAX_REPAIRS {
        let Some(close) = parser.misaligned_block() else {
            break;
        };
        let place = closes.partition_point(|other: &Repair| other.before <= close.before);
        closes.insert(place, close);
        parser = arrange(file, bytes, &tokens, vocabulary, &closes);
    }
    if end != End::Input {
        parser.stopped.get_or_insert(tokens.len());
    }
    let Parser {
        nodes,
        mut mistakes,
        stopped,
        ..
    } = parser.finish();

    mistakes.extend(found);
    mistakes.sort_by_key(|mistake| mistake.span);
    // Which braces and quotes a template leaves to nginx is not known before it is filled in.
    let template = mistakes
        .iter()
        .find(|mistake| mistake.kind == MistakeKind::Template);
    if let Some(template) = template.copied() {
        mistakes = vec![template];
    }
    let mut tokens = tokens;
    if let Some(index) = stopped {
        mistakes.truncate(MAX_MISTAKES);
        tokens.truncate(index);
        let read = tokens.last().map_or(0, |token| token.end);
        let rest = Span::new(file, read, bytes.len() as u32);
        if !bytes[rest.range()].iter().all(|byte| is_space(*byte)) {
            tokens.push(Token {
                kind: TokenKind::Unread,
                start: rest.start,
                end: rest.end,
            });
        }
        if end != End::Tokens {
            mistakes.push(Mistake {
                kind: MistakeKind::GivenUp,
                span: rest.before(),
                related: None,
            });
        }
    }
    Tree {
        file,
        tokens,
        nodes,
        mistakes,
        is_cut: end == End::Tokens,
    }
}

/// A block that ends before a token although no `}` says so.
struct Repair {
    /// Index of the token.
    before: usize,
    /// Head of the block.
    block: Span,
}

struct Parser<'b> {
    file: FileId,
    bytes: &'b [u8],
    tokens: &'b [Token],
    vocabulary: Vocabulary,
    nodes: Vec<Node>,
    open: Vec<NodeIndex>,
    mistakes: Vec<Mistake>,
    /// The first word of the directive that is being read.
    head: Option<usize>,
    /// Where the limit of mistakes was reached.
    stopped: Option<usize>,
}

fn arrange<'b>(
    file: FileId,
    bytes: &'b [u8],
    tokens: &'b [Token],
    vocabulary: Vocabulary,
    repairs: &[Repair],
) -> Parser<'b> {
    let mut parser = Parser {
        file,
        bytes,
        tokens,
        vocabulary,
        nodes: Vec::new(),
        open: Vec::new(),
        mistakes: Vec::new(),
        head: None,
        stopped: None,
    };
    let mut repairs = repairs.iter().peekable();
    for (index, token) in tokens.iter().enumerate() {
        while let Some(repair) = repairs.next_if(|repair| repair.before == index) {
            let place = parser.span(*token).before();
            parser.mistake(MistakeKind::UnclosedBlock, repair.block, Some(place));
            parser.close(None);
        }
        if parser.mistakes.len() >= MAX_MISTAKES {
            parser.stopped = Some(index);
            break;
        }
        parser.read(index, *token);
    }
    parser
}

impl Parser<'_> {
    fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    fn mistake(&mut self, kind: MistakeKind, span: Span, related: Option<Span>) {
        self.mistakes.push(Mistake {
            kind,
            span,
            related,
        });
    }

    fn read(&mut self, index: usize, token: Token) {
        match token.kind {
            TokenKind::Word(_) => {
                self.head.get_or_insert(index);
            }
            TokenKind::Semicolon => match self.head.take() {
                Some(head) => self.directive(head, index + 1, false),
                None => self.mistake(MistakeKind::UnexpectedSemicolon, self.span(token), None),
            },
            TokenKind::Open => {
                let head = self.head.take().unwrap_or_else(|| {
                    self.mistake(MistakeKind::UnexpectedOpen, self.span(token), None);
                    index
                });
                self.directive(head, index + 1, true);
            }
            TokenKind::Close => {
                self.unterminated(index, Some(token));
                if self.open.is_empty() {
                    self.mistake(MistakeKind::UnexpectedClose, self.span(token), None);
                } else {
                    self.close(Some(index as u32));
                }
            }
            TokenKind::Comment
            | TokenKind::Raw
            | TokenKind::Template
            | TokenKind::ByteOrderMark
            | TokenKind::Unread => {}
        }
    }

    /// Ends the directive that was being read when something else than `;` or `{` came.
    fn unterminated(&mut self, before: usize, instead: Option<Token>) {
        let Some(head) = self.head.take() else { return };
        let last = (head..before)
            .rev()
            .find(|index| self.tokens[*index].is_word())
            .unwrap_or(head);
        self.directive(head, last + 1, false);
        self.missing_semicolon(self.tokens[last], instead);
    }

    fn missing_semicolon(&mut self, last: Token, instead: Option<Token>) {
        // A quote that nobody closes has swallowed the `;`: that is one mistake, and it has been noted.
        if last.kind != TokenKind::Word(Quote::Unclosed) {
            let instead = instead.map(|token| self.span(token));
            self.mistake(MistakeKind::MissingSemicolon, self.span(last), instead);
        }
    }

    fn close(&mut self, token: Option<u32>) {
        let Some(block) = self.open.pop() else { return };
        let end = self.nodes.len() as NodeIndex;
        let node = &mut self.nodes[block as usize];
        node.close = token;
        node.end = end;
    }

    /// Adds the directive of the tokens `head..body`, or several where a `;` was forgotten between lines.
    fn directive(&mut self, mut head: usize, body: usize, block: bool) {
        while let Some(next) = self.swallowed_line(head, body, block) {
            let last = (head..next)
                .rev()
                .find(|index| self.tokens[*index].is_word())
                .unwrap_or(head);
            self.add(head, last + 1, false);
            self.missing_semicolon(self.tokens[last], Some(self.tokens[next]));
            head = next;
        }
        self.add(head, body, block);
    }

    fn add(&mut self, head: usize, body: usize, block: bool) {
        let index = self.nodes.len() as NodeIndex;
        self.nodes.push(Node {
            head: head as u32,
            body: body as u32,
            close: None,
            parent: self.open.last().copied(),
            end: index + 1,
            block,
        });
        if block {
            self.open.push(index);
        }
    }

    /// Index of the word at which a new directive begins, if nginx certainly refuses the whole but takes the first part.
    fn swallowed_line(&self, head: usize, body: usize, block: bool) -> Option<usize> {
        let is_candidate =
            |index: &usize| self.tokens[*index].is_word() && self.begins_line(self.tokens[*index]);
        if self.mistakes.len() >= MAX_MISTAKES
            || !(head + 1..body).any(|index| is_candidate(&index))
        {
            return None;
        }
        let words: Vec<usize> = (head..body)
            .filter(|index| self.tokens[*index].is_word())
            .collect();
        let texts: Vec<&[u8]> = words
            .iter()
            .map(|index| self.raw(self.tokens[*index]))
            .collect();
        let judge = |from: usize, to: usize, block| {
            (self.vocabulary)(texts[from], &texts[from + 1..to], block)
        };
        if judge(0, texts.len(), block) != Some(false) {
            return None;
        }
        (1..words.len().min(MAX_SWALLOWED))
            .filter(|place| {
                is_candidate(&words[*place]) && judge(*place, place + 1, false).is_some()
            })
            .find(|place| judge(0, *place, false) == Some(true))
            .map(|place| words[place])
    }

    fn raw(&self, token: Token) -> &[u8] {
        &self.bytes[token.start as usize..token.end as usize]
    }

    fn begins_line(&self, token: Token) -> bool {
        self.indentation(token).is_some()
    }

    /// The white space before a token that is the first of its line.
    fn indentation(&self, token: Token) -> Option<&[u8]> {
        let before = &self.bytes[..token.start as usize];
        let blanks = before
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let line = &before[before.len() - blanks..];
        (blanks == before.len() || before[before.len() - blanks - 1] == b'\n').then_some(line)
    }

    /// The first block whose `}` stands where a surrounding block's should stand: the missing one is its own.
    fn misaligned_block(&self) -> Option<Repair> {
        let misaligned = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| self.is_misaligned(node));
        let (culprit, node) = misaligned.min_by_key(|(_, node)| node.close)?;
        let indentation = self.indentation(self.tokens[node.head as usize]);
        // A sibling written at the block's own depth was meant to follow it.
        let sibling = self.nodes[culprit + 1..node.end as usize]
            .iter()
            .filter(|child| child.parent == Some(culprit as NodeIndex))
            .find(|child| self.indentation(self.tokens[child.head as usize]) == indentation)
            .map(|child| child.head);
        Some(Repair {
            before: sibling.or(node.close)? as usize,
            block: self.head_span(node),
        })
    }

    fn is_misaligned(&self, node: &Node) -> bool {
        let Some(close) = node
            .close
            .and_then(|close| self.indentation(self.tokens[close as usize]))
        else {
            return false;
        };
        let Some(own) = self.indentation(self.tokens[node.head as usize]) else {
            return false;
        };
        let mut outer = node.parent;
        std::iter::from_fn(|| {
            let node = &self.nodes[outer? as usize];
            outer = node.parent;
            Some(node)
        })
        .take(MAX_REPAIRS)
        .any(|outer| {
            own != close && self.indentation(self.tokens[outer.head as usize]) == Some(close)
        })
    }

    fn head_span(&self, node: &Node) -> Span {
        let words = self.tokens[node.head as usize..node.body as usize].iter();
        let last = words
            .rev()
            .find(|token| token.is_word())
            .unwrap_or(&self.tokens[node.head as usize]);
        self.span(self.tokens[node.head as usize])
            .to(self.span(*last))
    }

    /// Ends what is still open at the end of the input.
    fn finish(mut self) -> Self {
        self.unterminated(self.stopped.unwrap_or(self.tokens.len()), None);
        let end = Span::new(self.file, self.bytes.len() as u32, self.bytes.len() as u32);
        let lua = self
            .tokens
            .last()
            .is_some_and(|token| token.kind == TokenKind::Raw);
        let unclosed = self.open.clone();
        for (depth, block) in unclosed.iter().enumerate().rev() {
            // A file that was given up, or that ends inside a Lua block, is not blamed for its open blocks; and of many
            // open blocks only the outermost ones are named.
            if self.stopped.is_none() && !lua && depth < MAX_REPAIRS {
                let span = self.head_span(&self.nodes[*block as usize]);
                self.mistake(MistakeKind::UnclosedBlock, span, Some(end));
            }
            self.close(None);
        }
        self
    }
}
