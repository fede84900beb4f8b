//! What nginx refuses in the body of a `map`, `geo`, `types`, `split_clients` or `charset_map`.

use std::collections::HashMap;

use super::{Directive, Refusal, Word};
use crate::nginx::Contexts;
use crate::nginx::value::{Flaw, Line, WHOLE, percent};
use crate::source::Span;

/// What the lines before this one have said.
#[derive(Default)]
struct Before {
    has_hostnames: bool,
    has_ranges: bool,
    /// True after the first network of a `geo`.
    has_networks: bool,
    /// The keys of a `map` in lower case, with whether host names were known by then.
    keys: HashMap<(bool, Vec<u8>), Span>,
    /// The shares of `split_clients`.
    sum: u64,
}

impl<'c> Directive<'c> {
    /// What nginx refuses of the lines of this table, included ones too; nothing for a block that is none.
    pub fn refused_lines(self) -> Vec<Refusal<'c>> {
        let context = self.inside();
        let is_table = self.is_block() && context.intersects(Contexts::TABLES);
        if !is_table || self.fitting_forms().next().is_none() {
            return Vec::new();
        }
        let table: Vec<Word<'c>> = self.arguments().collect();
        let table: Vec<&[u8]> = table.iter().map(|word| &**word).collect();
        let mut before = Before::default();
        let mut refused = Vec::new();
        for line in self.children() {
            if line.is_block() {
                refused.push(self.block_inside(line));
                continue;
            }
            let mut words = vec![line.name()];
            words.extend(line.arguments());
            if words.iter().any(|word| self.config().is_filled_in(word)) || line.is_stock() {
                continue;
            }
            let values: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
            let judged = Line {
                context,
                table: &table,
                has_hostnames: before.has_hostnames,
                has_ranges: before.has_ranges,
                words: &values,
            };
            // An include that was not read may hold the line `ranges`.
            let with_ranges = Line {
                has_ranges: true,
                ..judged
            };
            let is_certain = |_: &Flaw| !self.is_incomplete() || with_ranges.flaw().is_some();
            match judged.flaw().filter(is_certain) {
                Some(flaw) if flaw.argument < words.len() => {
                    refused.push(Refusal::new(words.swap_remove(flaw.argument), flaw));
                }
                Some(_) => {}
                // Of the branches of a template one is left.
                None if line.is_incomplete() => {}
                None => refused.extend(before.conflict(context, &words)),
            }
        }
        refused
    }

    fn block_inside(self, line: Self) -> Refusal<'c> {
        let name = line.name();
        let is_regex = name.starts_with(b"~");
        let flaw = Flaw {
            argument: 0,
            problem: format!("`{name}` opens a block, and inside there are only lines"),
            meant: None,
            help: is_regex.then(|| "A regex with a `{` needs quotes around it.".to_owned()),
        };
        Refusal::new(name, flaw)
    }
}

impl Before {
    /// What the line cannot have beside those before it.
    fn conflict<'c>(&mut self, context: Contexts, words: &[Word<'c>]) -> Option<Refusal<'c>> {
        let first = words.first()?;
        let flaw = |problem: String| Flaw {
            argument: 0,
            problem,
            meant: None,
            help: None,
        };
        match context {
            Contexts::SPLIT_CLIENTS => {
                self.sum = match &**first {
                    b"*" => WHOLE,
                    share => self.sum + percent(share)?,
                };
                let problem = format!("with `{first}` the shares are more than 100%");
                (self.sum > WHOLE).then(|| Refusal::new(first.clone(), flaw(problem)))
            }
            Contexts::GEO if *first == "ranges" && self.has_networks && !self.has_ranges => {
                let problem =
                    "`ranges` comes after other lines, and nginx wants it first".to_owned();
                Some(Refusal::new(first.clone(), flaw(problem)))
            }
            Contexts::GEO => {
                self.has_ranges |= *first == "ranges";
                self.has_networks |= words.len() == 2 && first != "proxy" && first != "include";
                None
            }
            Contexts::MAP if words.len() == 1 => {
                self.has_hostnames |= *first == "hostnames";
                None
            }
            Contexts::MAP if *first != "include" && !first.starts_with(b"~") => {
                let key = (self.has_hostnames, key(first));
                let earlier = self.keys.insert(key, first.span)?;
                let problem = format!("`{first}` stands in it already");
                Some(Refusal {
                    other: Some(earlier),
                    ..Refusal::new(first.clone(), flaw(problem))
                })
            }
            _ => None,
        }
    }
}

/// What a key of a `map` is compared by: in lower case, without the backslash that keeps it from being a word of the
/// `map` itself, which is marked.
fn key(word: &[u8]) -> Vec<u8> {
    match word {
        b"default" => b"\0default".to_vec(),
        [b'\\', rest @ ..] => rest.to_ascii_lowercase(),
        _ => word.to_ascii_lowercase(),
    }
}
