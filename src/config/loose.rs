//! Regexes of locations that match more than their text suggests.

use super::{Location, Shape};
use crate::diagnostic::Edit;

/// Why a regex matches more than it reads like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loose {
    /// It begins with `/` and a name, and matches that anywhere in a path.
    Unanchored,
    /// The dot before the ending of a file, at this place, stands for any character.
    AnyCharacter(usize),
    /// The ending of a file may be followed by anything.
    Unended,
}

/// Endings of files that locations are written for.
const ENDINGS: [&str; 32] = [
    "php", "phtml", "html", "htm", "js", "mjs", "css", "png", "jpg", "jpeg", "gif", "ico", "svg",
    "webp", "avif", "woff", "woff2", "ttf", "otf", "eot", "xml", "json", "txt", "pdf", "map",
    "mp4", "zip", "gz", "asp", "aspx", "jsp", "cgi",
];

impl Location<'_> {
    /// Why the regex of this location is looser than it reads, with the end of a path that it takes by mistake: after
    /// any beginning for an ending, whole for a name.
    pub fn loose(&self) -> Option<(Loose, String)> {
        let text = std::str::from_utf8(&self.path)
            .ok()
            .filter(|_| self.is_regex())?;
        // What refuses is meant to match widely.
        if self.refuses() || text.contains("(?") && !text.contains("(?:") {
            return None;
        }
        let unended = text.strip_suffix('$');
        let body = unended.unwrap_or(text);
        let end = body.rfind('.');
        if let Some(end) = end
            && let Some(ending) = ending(&body[end + 1..])
        {
            let is_escaped = body[..end].ends_with('\\');
            let before = &body[..end];
            let is_free = before.is_empty() || before.ends_with(['*', '+', ')']);
            if !is_escaped && is_free {
                return Some((Loose::AnyCharacter(end), format!("x{ending}")));
            }
            let takes_info = self
                .directive
                .effective("fastcgi_split_path_info")
                .directive()
                .is_some();
            if is_escaped && unended.is_none() && before == "\\" && !takes_info {
                return Some((Loose::Unended, format!(".{ending}x")));
            }
            return None;
        }
        let name = text.strip_prefix('/')?;
        let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        let shape = Shape::of(format!("^{text}").as_bytes())?;
        let is_anchored = unended.is_some() || text.contains('|') || !begins;
        let literal = String::from_utf8(shape.prefix)
            .ok()
            .filter(|literal| literal.len() > 1 && shape.is_prefix_only)?;
        (!is_anchored).then(|| (Loose::Unanchored, format!("/x{literal}")))
    }

    /// An edit that makes the regex as narrow as it reads; nothing where another location has that regex.
    pub fn tighten(&self, loose: &Loose) -> Option<Edit> {
        let text = self.path.text();
        let (edit, tight) = match loose {
            Loose::Unanchored => (self.path.prepend("^"), format!("^{text}")),
            Loose::AnyCharacter(dot) => {
                let (before, after) = text.split_at(*dot);
                let end = if after.ends_with('$') { "" } else { "$" };
                let tight = format!("{before}\\{after}{end}");
                (self.path.rewrite(&tight), tight)
            }
            Loose::Unended => (self.path.append("$"), format!("{text}$")),
        };
        let is_free = !self
            .level()
            .named(tight.as_bytes())
            .any(|other| other.is_regex());
        edit.filter(|_| is_free)
    }
}

/// The first of the endings that a text such as `php` or `(jpg|png)` names.
fn ending(text: &str) -> Option<&str> {
    let inner = text
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'));
    let inner = inner.map(|inner| inner.strip_prefix("?:").unwrap_or(inner));
    let mut all = inner.unwrap_or(text).split('|');
    let first = all.next()?;
    (inner.is_some() || !text.contains('|'))
        .then_some(first)
        .filter(|first| ENDINGS.contains(first))
}
