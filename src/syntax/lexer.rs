//! Tokens, cut to the letter as `ngx_conf_read_token` (`src/core/ngx_conf_file.c`) cuts them.
//!
//! Where nginx stops at the first mistake, this goes on: a quote that is never closed ends with its line, and a byte
//! that may not follow a closing quote begins the next word.

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till, take_while};
use nom::combinator::{consumed, value};

use super::tree::{Mistake, MistakeKind, Quote, Token, TokenKind};
use crate::source::{FileId, Span};

/// Longest unquoted word that nginx reads, in bytes; one less where white space ends it.
///
/// A word must fit nginx's 4096-byte buffer with the byte that ends it, and nginx forgets a word at the `;` or `{` that
/// follows, but not at white space.
pub const MAX_UNQUOTED: usize = 4095;
/// Longest text between two quotes, in bytes; one less where white space follows.
pub const MAX_QUOTED: usize = 4094;
/// Longest comment, in bytes from the `#` to the line feed; one more where the file ends without one.
pub const MAX_COMMENT: usize = 4095;

/// How far the end of a quoted word is looked for, in bytes: well past what nginx reads, so that a word that is too long
/// is told from one that nobody closes, but not without bound.
const QUOTE_WINDOW: usize = 64 * 1024;

/// How far the end of a placeholder is looked for, in bytes.
const PLACEHOLDER_WINDOW: usize = 4096;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What the bytes of a file were cut into.
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) end: End,
}

/// Why there are no more tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// There are no more bytes.
    Input,
    /// There were too many mistakes to go on.
    Mistakes,
    /// There were too many tokens.
    Tokens,
}

/// How much of a file is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) mistakes: usize,
    pub(super) tokens: usize,
}

/// Cuts the bytes of a file into tokens.
pub(super) fn lex(file: FileId, bytes: &[u8], limits: Limits) -> Lexed {
    let mut lexer = Lexer {
        file,
        bytes,
        at: 0,
        tokens: Vec::new(),
        mistakes: Vec::new(),
        name: None,
        depth: 0,
        misplaced: 0,
        is_template: false,
    };
    if bytes.starts_with(BYTE_ORDER_MARK) {
        lexer.push(TokenKind::ByteOrderMark, BYTE_ORDER_MARK.len());
        lexer.mistake(MistakeKind::ByteOrderMark, 0, BYTE_ORDER_MARK.len());
    }
    let mut end = End::Input;
    while lexer.step() {
        if lexer.mistakes.len() + lexer.misplaced >= limits.mistakes {
            end = End::Mistakes;
            break;
        }
        if lexer.tokens.len() >= limits.tokens {
            end = End::Tokens;
            break;
        }
    }
    Lexed {
        tokens: lexer.tokens,
        mistakes: lexer.mistakes,
        end,
    }
}

/// True for the four bytes that separate words: blank, tab, CR and LF.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What begins at a place that is not white space.
#[derive(Clone, Copy)]
enum Piece {
    Mark(TokenKind),
    Word,
    Quoted,
}

fn piece(input: &[u8]) -> IResult<&[u8], (&[u8], Piece)> {
    alt((
        consumed(value(Piece::Mark(TokenKind::Semicolon), tag(";"))),
        consumed(value(Piece::Mark(TokenKind::Open), tag("{"))),
        consumed(value(Piece::Mark(TokenKind::Close), tag("}"))),
        consumed(value(
            Piece::Mark(TokenKind::Comment),
            (tag("#"), take_till(|byte| byte == b'\n')),
        )),
        consumed(value(Piece::Quoted, alt((quoted(b'"'), quoted(b'\''))))),
        consumed(value(Piece::Word, unquoted)),
    ))
    .parse(input)
}

/// From an opening quote to its twin; a backslash protects the byte after it.
fn quoted(quote: u8) -> impl FnMut(&[u8]) -> IResult<&[u8], &[u8]> {
    move |input| {
        let (body, _) = tag(&[quote][..]).parse(input)?;
        let mut rest = body;
        loop {
            let (next, _) = take_while(|byte| byte != quote && byte != b'\\').parse(rest)?;
            match next.first() {
                Some(b'\\') => (rest, _) = take(next.len().min(2)).parse(next)?,
                // The word stays open at the end of the input: the caller sees that the quote is missing.
                None => return Ok((next, input)),
                Some(_) => return take(1_usize).parse(next),
            }
        }
    }
}

/// A word without quotes: white space, `;` and `{` end it, unless a backslash stands before them or it is the `{` of `${`,
/// and of `${{` too.
fn unquoted(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let plain = |byte: u8| !is_space(byte) && !matches!(byte, b';' | b'{' | b'\\' | b'$');
    let mut rest = input;
    loop {
        let (next, _) = take_while(plain).parse(rest)?;
        rest = match next {
            [b'\\', ..] => take(next.len().min(2)).parse(next)?.0,
            [b'$', ..] => take_while(|byte| byte == b'{').parse(&next[1..])?.0,
            _ => return Ok((next, &input[..input.len() - next.len()])),
        };
    }
}

/// Length of the placeholder or statement of a template at the beginning of `text`: `{{ … }}`, `{% … %}` or `<% … %>`.
///
/// No configuration that nginx reads holds one where a token may begin, but in quotes. An expression ends on its line
/// and holds no `;`, which tells it from a brace that was doubled by mistake.
fn placeholder(text: &[u8]) -> Option<usize> {
    let (close, one_line): (&[u8], bool) = match text {
        [b'{', b'{', ..] => (b"}}", true),
        [b'{', b'%', ..] => (b"%}", false),
        [b'<', b'%', ..] => (b"%>", false),
        _ => return None,
    };
    let window = &text[..text.len().min(PLACEHOLDER_WINDOW)];
    let body = window.get(2..)?;
    let end = 2 + body.windows(2).position(|window| window == close)?;
    if one_line
        && window[..end]
            .iter()
            .any(|byte| matches!(byte, b'\n' | b';'))
    {
        return None;
    }
    let braces = window[end..].iter().take_while(|byte| **byte == b'}');
    Some(if text.starts_with(b"{{{") {
        end + braces.take(3).count()
    } else {
        end + 2
    })
}

/// Length of a variable in capitals that stands alone on its line, as `${TLS_CONFIG}`: `envsubst` puts directives there, and
/// no directive is called so.
fn substituted_line(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"$")?;
    let braces = usize::from(rest.starts_with(b"{"));
    let name = &rest[braces..];
    let is_name = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_';
    let length = name.iter().take_while(is_name).count();
    let end = &name[length..];
    let end = match braces {
        0 => end,
        _ => end.strip_prefix(b"}")?,
    };
    let line = end.split(|byte| *byte == b'\n').next().unwrap_or(end);
    let line = line.trim_ascii_start();
    let is_alone = line.is_empty() || line.starts_with(b"#");
    (is_alone && name.first().is_some_and(u8::is_ascii_uppercase))
        .then_some(1 + length + 2 * braces)
}

/// Length of the comment of a Jinja template, `{# … #}`, at the beginning of `text`.
fn template_comment(text: &[u8]) -> Option<usize> {
    let window = &text[..text.len().min(PLACEHOLDER_WINDOW)];
    let body = window.strip_prefix(b"{#")?;
    let end = body.windows(2).position(|window| window == b"#}")?;
    Some(2 + end + 2)
}

struct Lexer<'b> {
    file: FileId,
    bytes: &'b [u8],
    at: usize,
    tokens: Vec<Token>,
    mistakes: Vec<Mistake>,
    /// The first word since the last terminator.
    name: Option<Token>,
    /// How many blocks are open.
    depth: usize,
    /// How many terminators stand where there is nothing to end. The parser notes them as mistakes; they are counted
    /// here because a file of nothing else must not become tokens many times its size.
    misplaced: usize,
    /// True when a placeholder of a template was seen.
    is_template: bool,
}

impl Lexer<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    fn mistake(&mut self, kind: MistakeKind, start: usize, end: usize) {
        let span = self.span(start, end);
        self.mistakes.push(Mistake {
            kind,
            span,
            related: None,
        });
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let token = Token {
            kind,
            start: self.at as u32,
            end: (self.at + length) as u32,
        };
        self.tokens.push(token);
        self.at += length;
        let misplaced = match kind {
            TokenKind::Word(_) => {
                self.name.get_or_insert(token);
                return;
            }
            TokenKind::Semicolon => self.name.is_none(),
            TokenKind::Open => {
                self.depth += 1;
                self.name.is_none()
            }
            TokenKind::Close => {
                let closes_nothing = self.depth == 0;
                self.depth = self.depth.saturating_sub(1);
                closes_nothing
            }
            _ => return,
        };
        self.name = None;
        self.misplaced += usize::from(misplaced);
    }

    /// Reads one token; false at the end of the input.
    fn step(&mut self) -> bool {
        self.at += self.bytes[self.at..]
            .iter()
            .take_while(|byte| is_space(**byte))
            .count();
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return false;
        }
        if let Some(length) = self.template(rest) {
            if !self.is_template {
                self.is_template = true;
                self.mistake(MistakeKind::Template, self.at, self.at + length);
            }
            // In the place of a directive it may stand for several or for none.
            if self.name.is_none() {
                self.push(TokenKind::Template, length);
            } else {
                self.push(TokenKind::Word(Quote::None), length);
            }
            return true;
        }
        let window = match rest[0] {
            b'"' | b'\'' => &rest[..rest.len().min(QUOTE_WINDOW)],
            _ => rest,
        };
        let Ok((_, (text, piece))) = piece(window) else {
            unreachable!("every byte begins a token");
        };
        match piece {
            Piece::Mark(TokenKind::Comment) => self.comment(text.len()),
            Piece::Mark(TokenKind::Open) if self.opens_lua() => self.lua(),
            Piece::Mark(kind) => self.push(kind, text.len()),
            Piece::Word => {
                if text.len() + self.white_space_at(self.at + text.len()) > MAX_UNQUOTED {
                    self.mistake(MistakeKind::LongWord, self.at, self.at + text.len());
                }
                self.push(TokenKind::Word(Quote::None), text.len());
            }
            Piece::Quoted => self.quoted(text.len()),
        }
        true
    }

    /// Length of the token at the beginning of `rest` if a placeholder of a template is a part of it: the whole of a
    /// statement, or the word that holds it.
    fn template(&self, rest: &[u8]) -> Option<usize> {
        if self.name.is_none()
            && let Some(length) = placeholder(rest)
                .or_else(|| template_comment(rest))
                .or_else(|| substituted_line(rest))
        {
            return Some(length);
        }
        if matches!(rest[0], b'"' | b'\'' | b'#' | b';' | b'}') {
            return None;
        }
        let mut length = 0;
        let mut found = false;
        while length < rest.len() {
            let (_, word) = unquoted(&rest[length..]).ok()?;
            let inside = word.windows(2).position(|window| window == b"<%");
            let start = length + inside.unwrap_or(word.len());
            match placeholder(&rest[start..]) {
                Some(placeholder) => {
                    found = true;
                    length = start + placeholder;
                }
                None => {
                    length += word.len();
                    break;
                }
            }
        }
        found.then_some(length)
    }

    /// One when a byte of white space is there, which nginx keeps in its buffer with the word before it.
    fn white_space_at(&self, at: usize) -> usize {
        self.bytes.get(at).copied().is_some_and(is_space).into()
    }

    fn comment(&mut self, length: usize) {
        let last = self.at + length == self.bytes.len();
        if length > MAX_COMMENT + usize::from(last) {
            self.mistake(MistakeKind::LongComment, self.at, self.at + length);
        }
        self.push(TokenKind::Comment, length);
    }

    fn quoted(&mut self, length: usize) {
        let text = &self.bytes[self.at..self.at + length];
        let end = self.at + length;
        let next = self.bytes.get(end).copied();
        let closed = is_closed(text);
        let several_lines = text.contains(&b'\n');
        // A byte that may not follow the quote means that this quote opens what was meant to be another string.
        let misled =
            several_lines && next.is_some_and(|byte| !may_follow_quote(byte) && byte != b'}');

        if closed && !misled {
            if length + self.white_space_at(end) > MAX_QUOTED + 2 {
                self.mistake(MistakeKind::LongWord, self.at, end);
            }
            self.push(TokenKind::Word(Quote::Closed), length);
            // `}` is left to the parser, which misses the `;` before it.
            if next.is_some_and(|byte| !may_follow_quote(byte) && byte != b'}') {
                self.mistake(MistakeKind::AfterQuote, end, end + 1);
            }
            return;
        }
        let line = text
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(length);
        let line = trimmed(&text[..line]);
        let kept = line
            .strip_suffix(b";")
            .or_else(|| line.strip_suffix(b"{"))
            .map_or(line, trimmed);
        let kept = kept.len().max(1);
        self.mistake(MistakeKind::UnclosedQuote, self.at, self.at + kept);
        self.push(TokenKind::Word(Quote::Unclosed), kept);
    }

    fn opens_lua(&self) -> bool {
        self.name.is_some_and(|name| {
            self.bytes[name.start as usize..name.end as usize].ends_with(b"_by_lua_block")
        })
    }

    fn lua(&mut self) {
        let name = self.name;
        self.push(TokenKind::Open, 1);
        let body = &self.bytes[self.at..];
        let length = lua_body(body);
        let kept = length.unwrap_or(body.len());
        if kept > 0 {
            self.push(TokenKind::Raw, kept);
        }
        if let (None, Some(name)) = (length, name) {
            self.mistake(
                MistakeKind::UnclosedLua,
                name.start as usize,
                name.end as usize,
            );
        }
    }
}

/// True when a quoted text ends with the quote that it began with, unescaped.
fn is_closed(text: &[u8]) -> bool {
    let Some((quote, body)) = text.split_first() else {
        return false;
    };
    let Some((last, body)) = body.split_last() else {
        return false;
    };
    last == quote && body.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
}

/// What may stand right after a closing quote; `)` is for `if ($a = "b") {`.
fn may_follow_quote(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b';' | b'{' | b')')
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// Length of a Lua block's body up to its `}`, or nothing when it has none.
///
/// lua-nginx-module counts braces and skips comments, long brackets and one-line strings.
fn lua_body(body: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        at += match byte {
            b'}' if depth == 0 => return Some(at),
            b'}' => {
                depth -= 1;
                1
            }
            b'{' => {
                depth += 1;
                1
            }
            b'-' if body[at..].starts_with(b"--") => match long_bracket(&body[at + 2..]) {
                Some(length) => 2 + length?,
                None => body[at..].iter().take_while(|byte| **byte != b'\n').count(),
            },
            b'[' => match long_bracket(&body[at..]) {
                Some(length) => length?,
                None => 1,
            },
            b'"' | b'\'' => lua_string(&body[at..]),
            // Lua has no backslash outside a string: this line has lost a quote, and is not searched for it again.
            b'\\' => 2,
            _ => 1,
        };
    }
    None
}

/// Length of `[=*[ … ]=*]` at the beginning of `text`: nothing when none begins here, `Some(None)` when it never ends.
#[expect(
    clippy::option_option,
    reason = "absent and endless are two different answers"
)]
fn long_bracket(text: &[u8]) -> Option<Option<usize>> {
    let level = text
        .strip_prefix(b"[")?
        .iter()
        .take_while(|byte| **byte == b'=')
        .count();
    if text.get(level + 1) != Some(&b'[') {
        return None;
    }
    let close: Vec<u8> = [&b"]"[..], &b"=".repeat(level), b"]"].concat();
    let body = &text[level + 2..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map(|end| level + 2 + end + close.len()))
}

/// Length of a one-line Lua string; one that its line does not close counts as its quote alone.
fn lua_string(text: &[u8]) -> usize {
    let quote = text[0];
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return 1,
            byte if *byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Origin, Sources};

    fn end(text: &[u8], mistakes: usize, tokens: usize) -> (usize, End) {
        let file = Sources::default().add("a", Origin::Dump, Vec::new());
        let lexed = lex(file, text, Limits { mistakes, tokens });
        (lexed.tokens.len(), lexed.end)
    }

    #[test]
    fn nothing_is_cut_past_the_limits() {
        assert_eq!(end(b"a; b { } c;", 2, 100), (7, End::Input));
        assert_eq!(end(b"a; b { } c;", 2, 3), (3, End::Tokens));
        assert_eq!(end(&b"{".repeat(1000), 5, 100), (5, End::Mistakes));
        assert_eq!(end(&b"}".repeat(1000), 5, 100), (5, End::Mistakes));
        assert_eq!(end(&b";".repeat(1000), 5, 100), (5, End::Mistakes));
        assert_eq!(
            end(b"a { } } a; ; b { { } } } c;", 5, 100),
            (15, End::Input)
        );
        assert_eq!(
            end(b"a { } } a; ; b { { } } } c;", 4, 100),
            (13, End::Mistakes)
        );
    }
}
