//! The condition of an `if`.

use std::ops::Range;

use super::{Flaw, Setting, shown};

/// What a condition compares its variable with, or which file it looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A text in which variables are evaluated: the argument that it stands in, and its place there.
    Text(usize, Range<usize>),
    /// A regex: the argument that it stands in, its place there, and whether case is ignored.
    Regex(usize, Range<usize>, bool),
}

/// A condition in pieces: each an argument and a place in it.
type Pieces = Vec<(usize, Range<usize>)>;

const HELP: &str = "A condition is `($variable)`, `($variable = text)` with `=`, `!=`, `~`, `~*`, `!~` or `!~*` and blanks around it, or `(-f file)` with `-f`, `-d`, `-e`, `-x` or one of them after `!`.";

pub(super) fn flaw(setting: &Setting<'_>) -> Option<Flaw> {
    read(setting.arguments).err()
}

/// What the condition of an `if` compares with; nothing when it compares with nothing, or when nginx refuses it.
pub fn operand(arguments: &[&[u8]]) -> Option<Operand> {
    read(arguments).ok().flatten()
}

/// Reads a condition as `ngx_http_rewrite_if_condition` does.
fn read(arguments: &[&[u8]]) -> Result<Option<Operand>, Flaw> {
    let pieces = pieces(arguments)?;
    let value = |piece: &(usize, Range<usize>)| &arguments[piece.0][piece.1.clone()];
    let invalid = |index: usize, problem: String| Flaw::new(index, problem).help(HELP);
    let Some(first) = pieces.first() else {
        return Err(invalid(0, "the condition is empty".to_owned()));
    };
    match value(first) {
        [b'$', _, ..] => {}
        [b'-', test] | [b'!', b'-', test] => {
            if pieces.len() != 2 {
                let problem = format!("{} takes one file", shown(value(first)));
                return Err(invalid(first.0, problem));
            }
            if !matches!(test, b'f' | b'd' | b'e' | b'x') {
                let problem = format!("{} is no test of a file", shown(value(first)));
                return Err(invalid(first.0, problem));
            }
            let (index, place) = pieces[1].clone();
            return Ok(Some(Operand::Text(index, place)));
        }
        other => {
            let problem = format!("{} begins no condition", shown(other));
            return Err(invalid(first.0, problem));
        }
    }
    let [_, operator, operand] = &pieces[..] else {
        return match &pieces[..] {
            [_] => Ok(None),
            [_, more] | [_, _, _, more, ..] => {
                let what = match value(more) {
                    b"&&" | b"||" | b"and" | b"or" => "joins conditions, which nginx cannot",
                    _ => "is one word too many or too few for a condition",
                };
                Err(invalid(more.0, format!("{} {what}", shown(value(more)))))
            }
            _ => Ok(None),
        };
    };
    let (index, place) = operand.clone();
    match value(operator) {
        b"=" | b"!=" => Ok(Some(Operand::Text(index, place))),
        b"~" | b"!~" => Ok(Some(Operand::Regex(index, place, false))),
        b"~*" | b"!~*" => Ok(Some(Operand::Regex(index, place, true))),
        other => {
            let meant = match other {
                b"==" | b"===" | b"eq" => Some("="),
                b"!==" | b"<>" | b"ne" => Some("!="),
                b"=~" => Some("~"),
                b"=~*" | b"*~" => Some("~*"),
                _ => None,
            };
            let alone = operator.1 == (0..arguments[operator.0].len());
            let problem = format!("{} is no operator of a condition", shown(other));
            Err(invalid(operator.0, problem).meant(meant.filter(|_| alone).map(str::to_owned)))
        }
    }
}

/// The words between the parentheses; the first and the last may hold these.
fn pieces(arguments: &[&[u8]]) -> Result<Pieces, Flaw> {
    let mut pieces: Pieces = arguments
        .iter()
        .enumerate()
        .map(|(index, argument)| (index, 0..argument.len()))
        .collect();
    let (Some(first), Some(last)) = (arguments.first(), arguments.last()) else {
        return Ok(pieces);
    };
    if !first.starts_with(b"(") {
        let problem = format!("before {} a `(` is missing", shown(first));
        return Err(Flaw::new(0, problem).help(HELP));
    }
    if !last.ends_with(b")") {
        let problem = format!("after {} a `)` is missing", shown(last));
        return Err(Flaw::new(arguments.len() - 1, problem).help(HELP));
    }
    if first.len() == 1 {
        pieces.remove(0);
    } else if let Some((_, place)) = pieces.first_mut() {
        place.start = 1;
    }
    match pieces.last_mut() {
        Some((_, place)) if place.len() > 1 || last.len() > 1 => place.end -= 1,
        _ => {
            pieces.pop();
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{judge, offers};
    use super::*;

    #[test]
    fn conditions_are_what_nginx_reads() {
        judge(
            &[
                "if ($a)",
                "if ( $a )",
                "if ($a = b)",
                "if ($a != b )",
                "if ($a ~ b)",
                "if ($a ~* (b|c))",
                "if ($a !~ b)",
                "if ( $a !~* b )",
                "if (-f $a)",
                "if (!-d $a)",
                "if ( -e /a )",
            ],
            &[
                "if $a",
                "if ($a",
                "if (a = b)",
                "if ($a == b)",
                "if ($a = b c)",
                "if ($a = b && $c = d)",
                "if ($a =)",
                "if ($a=b c)",
                "if (! -f $a)",
                "if (-f)",
                "if (-z $a)",
                "if ($)",
                "if ()",
                "if ( )",
                "if (!$a)",
                "if (-f $a $b)",
            ],
        );
        offers(&[("if ($a == b)", "="), ("if ($a =~ b)", "~")]);
    }

    #[test]
    fn the_operand_is_found_between_the_parentheses() {
        let operand = |line: &str| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            operand(&words)
        };
        assert_eq!(operand("($a ~ ^b$)"), Some(Operand::Regex(2, 0..3, false)));
        assert_eq!(operand("($a !~* b )"), Some(Operand::Regex(2, 0..1, true)));
        assert_eq!(operand("($a = $b)"), Some(Operand::Text(2, 0..2)));
        assert_eq!(operand("(-f $b)"), Some(Operand::Text(1, 0..2)));
        assert_eq!(operand("($a)"), None);
        assert_eq!(operand("($a == b)"), None);
    }
}
