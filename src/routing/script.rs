//! Texts with variables and captures, evaluated as `ngx_http_script.c` does it.

use super::run::Run;
use super::uri::escape_args;
use super::value::Value;
use super::variation::Varies;
use crate::nginx;

/// Longer texts are cut: a few lines of a configuration can ask for any length.
const LONGEST: usize = 1 << 20;

/// A part of a text as `ngx_http_script_compile` takes it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a [u8]),
    Capture(usize),
    Variable(String),
    /// The first `?` of a replacement: what follows are arguments.
    Args,
}

/// Takes a text apart; with `args` the first `?` that is written in it counts as the beginning of arguments.
pub(super) fn parts(text: &[u8], mut args: bool) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut push = |parts: &mut Vec<_>, piece: std::ops::Range<usize>| {
        let mut piece = &text[piece];
        if let Some(mark) = piece.iter().position(|byte| *byte == b'?').filter(|_| args) {
            args = false;
            if mark > 0 {
                parts.push(Part::Text(&piece[..mark]));
            }
            parts.push(Part::Args);
            piece = &piece[mark + 1..];
        }
        if !piece.is_empty() {
            parts.push(Part::Text(piece));
        }
    };
    for reference in nginx::references(text) {
        push(&mut parts, at..reference.range.start);
        at = reference.range.end;
        parts.push(match reference.is_capture() {
            true => Part::Capture(usize::from(reference.name.as_bytes()[0] - b'0')),
            false => Part::Variable(reference.name),
        });
    }
    push(&mut parts, at..text.len());
    parts
}

/// How captures are copied into a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Engine {
    /// Captures are escaped, because the text goes to the client (`e->quote`).
    pub(super) quote: bool,
    /// A `?` was passed, after which captures are escaped too (`e->is_args`).
    pub(super) is_args: bool,
}

/// A text that was put together, and where its arguments begin.
pub(super) struct Built {
    pub(super) value: Value,
    pub(super) args: Option<usize>,
}

impl Run<'_, '_> {
    /// The value of a text at this moment (`ngx_http_complex_value`).
    pub(super) fn evaluate(&mut self, text: &[u8]) -> Value {
        if !nginx::has_variables(text) {
            return Value::new(text);
        }
        let mut engine = Engine::default();
        self.evaluate_in(text, &mut engine)
    }

    /// The value of a text between rewrites (`ngx_http_script_complex_value_code`).
    pub(super) fn evaluate_in(&mut self, text: &[u8], engine: &mut Engine) -> Value {
        let parts = parts(text, false);
        let first = Engine {
            is_args: false,
            ..*engine
        };
        let (room, values) = self.measure(&parts, first);
        self.fill(text, &parts, &values, room, engine)
    }

    /// Puts a text together for which room was reserved.
    ///
    /// nginx reserves as much as a first look finds. A regex of a `map` that is looked up meanwhile may change the
    /// captures, and what then comes of the text depends on how nginx was built, so it is not known.
    pub(super) fn fill(
        &self,
        text: &[u8],
        parts: &[Part<'_>],
        values: &[Value],
        room: usize,
        engine: &mut Engine,
    ) -> Value {
        let mut value = self.build(parts, values, engine).value;
        if value.bytes.len() != room {
            let text = String::from_utf8_lossy(text).into_owned();
            value.unknown.push(text);
        }
        value
    }

    /// The first look: how long the text gets, and the values of its variables.
    pub(super) fn measure(&mut self, parts: &[Part<'_>], engine: Engine) -> (usize, Vec<Value>) {
        let mut length = 0;
        let mut values = Vec::new();
        for part in parts {
            length += match part {
                Part::Text(text) => text.len(),
                Part::Capture(group) => self.captured(*group, engine).bytes.len(),
                Part::Variable(name) => {
                    let value = self.variable(name);
                    values.push(value);
                    values[values.len() - 1].bytes.len()
                }
                Part::Args => 0,
            };
        }
        (length, values)
    }

    /// The second look: puts the text together.
    pub(super) fn build(&self, parts: &[Part<'_>], values: &[Value], engine: &mut Engine) -> Built {
        let mut value = Value::default();
        let mut args = None;
        let mut values = values.iter();
        for part in parts {
            match part {
                Part::Text(text) => value.push(&Value::new(*text)),
                Part::Capture(group) => value.push(&self.captured(*group, *engine)),
                Part::Variable(_) => {
                    if let Some(known) = values.next() {
                        value.push(known);
                    }
                }
                Part::Args => {
                    engine.is_args = true;
                    args = Some(value.bytes.len());
                }
            }
            if value.bytes.len() > LONGEST {
                break;
            }
        }
        if value.bytes.len() > LONGEST {
            value.bytes.truncate(LONGEST);
            args = args.filter(|at| *at <= LONGEST);
            value
                .unknown
                .push("a text of more than a megabyte".to_owned());
        }
        Built { value, args }
    }

    /// `ngx_http_script_copy_capture_code`
    fn captured(&self, group: usize, engine: Engine) -> Value {
        let text = self.captures.get(group);
        let text = match (engine.is_args || engine.quote) && (self.quoted_uri || self.plus_in_uri) {
            true => escape_args(text, self.version),
            false => text.to_vec(),
        };
        // Whether it is escaped is up to the spelling of the path.
        let varied = self.captures.varied || engine.is_args || engine.quote;
        match varied {
            true => Value::new(text).varied(Varies::From(0)),
            false => Value::new(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_has_arguments_after_its_first_mark() {
        assert_eq!(
            parts(b"/a$1?b=${c}?d", true),
            [
                Part::Text(b"/a"),
                Part::Capture(1),
                Part::Args,
                Part::Text(b"b="),
                Part::Variable("c".into()),
                Part::Text(b"?d"),
            ]
        );
        assert_eq!(parts(b"?a", false), [Part::Text(b"?a")]);
    }
}
