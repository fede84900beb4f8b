//! Bytes become a lossless tree: every byte has an owner, broken input included.
//!
//! `lexer` cuts tokens as `ngx_conf_read_token` does, `parser` arranges them into directives and blocks and keeps
//! going after a mistake. What a directive means is known elsewhere; the parser only asks a [`Vocabulary`] whether nginx
//! could accept a line, to see where a `;` was forgotten.

mod lexer;
mod parser;
mod tree;
mod word;

pub use lexer::{MAX_COMMENT, MAX_QUOTED, MAX_UNQUOTED};
pub use parser::{MAX_MISTAKES, parse};
pub use tree::{Mistake, MistakeKind, Node, NodeIndex, Quote, Token, TokenKind, Tree};
pub use word::unescape;

/// Whether nginx could accept a directive of this name with these arguments, and with a block or without; nothing when
/// no such directive is known.
pub type Vocabulary = fn(name: &[u8], arguments: &[&[u8]], block: bool) -> Option<bool>;
