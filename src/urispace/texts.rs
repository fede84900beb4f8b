//! Texts that one pattern matches.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::automaton::Automaton;
use super::literals::Literals;
use super::search::{Followed, Part, Search, Uris, Visit};
use super::tree::Tree;

/// Texts that a pattern matches, the cheapest first, one for each way to match, at most so many; nothing for a pattern
/// that cannot be analysed.
///
/// [`Uris::Any`] is for what is no path of a request.
pub fn texts(pattern: &[u8], caseless: bool, uris: Uris, most: usize) -> Vec<Vec<u8>> {
    let Ok(automaton) = Automaton::new(pattern, caseless) else {
        return Vec::new();
    };
    let search = Search {
        uris,
        is_printable: true,
        begin: b"",
        is_whole: false,
        literals: &Literals::new(&Tree::default(), &BTreeSet::new()),
        followed: vec![Followed {
            automaton: Rc::new(RefCell::new(automaton)),
            part: Part::Match,
        }],
    };
    let mut texts = Vec::new();
    let mut spent = 0;
    search.run(&mut spent, |text| {
        texts.push(text.bytes());
        match texts.len() < most {
            true => Visit::GoOn,
            false => Visit::Stop,
        }
    });
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_a_pattern_are_the_cheapest_paths_that_it_matches() {
        for (pattern, expected) in [
            (&br"\.php$"[..], "/a.php"),
            (br"^/api/(v1|v2)/users/\d+$", "/api/v1/users/1"),
            (br"/\.(?!well-known)", "/.a"),
            (br"^/(?<lang>[a-z]{2})(?:/|$)", "/aa"),
            (b"", "/"),
        ] {
            let first = texts(pattern, false, Uris::Client, 1)
                .pop()
                .expect("a text");
            assert_eq!(String::from_utf8_lossy(&first), expected);
        }
        assert_eq!(texts(b"^api$", false, Uris::Any, 4), [b"api"]);
        assert_eq!(
            texts(b"^api", false, Uris::Client, 4),
            Vec::<Vec<u8>>::new()
        );
        assert_eq!(
            texts(br"(a)\1", false, Uris::Client, 4),
            Vec::<Vec<u8>>::new()
        );
    }
}
