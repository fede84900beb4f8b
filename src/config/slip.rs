//! Unknown names that are no misspelled ones: what the hand did.

use super::Directive;
use crate::nginx;

impl Directive<'_> {
    /// What went wrong where something else than a letter made a name unknown, in a sentence.
    pub fn slip(self) -> Option<String> {
        let name = self.name();
        let text = name.text();
        let known = |end: usize| nginx::directive(text[..end].as_bytes()).is_some();
        if text.starts_with("//") || text.starts_with("/*") || text.starts_with("--") {
            return Some("A comment begins with `#`.".to_owned());
        }
        if text.contains(is_strange) {
            return Some(
                "It holds a character that looks like a blank and is none: write it anew."
                    .to_owned(),
            );
        }
        let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
        let rest = &text[end..];
        (rest.starts_with(['(', '/', '~', '=', '"', '\'', '$', '@', '^']) && known(end))
            .then(|| format!("A blank is missing: `{} {rest}`.", &text[..end]))
    }
}

/// True for characters that no keyboard makes on purpose in a name.
fn is_strange(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}' | '\u{ad}' | '\u{2000}'
            ..='\u{200f}' | '\u{202f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
    )
}
