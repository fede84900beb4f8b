//! Comments that ignore findings: what each says, what it covers, and whether it was of use.

use std::collections::{HashMap, HashSet};

use crate::config::{Comment, Config};
use crate::diagnostic::Edit;
use crate::source::{FileId, Span};

/// What a comment for nginspect begins with, after its `#`.
const MARK: &str = "nginspect:";

/// The words that may follow.
const VERBS: [&str; 3] = ["ignore", "ignore-file", "context"];

/// The comments of a configuration that are meant for nginspect.
#[derive(Debug)]
pub struct Ignores {
    all: Vec<Ignore>,
    flaws: Vec<Flaw>,
    /// By the file that they stand in and the rule that they name: index of the comment and of the name.
    by_rule: HashMap<(FileId, String), Vec<(usize, usize)>>,
    /// Whether all that includes a file is covered for a rule.
    included: HashMap<(FileId, &'static str), bool>,
    known: Vec<&'static str>,
    ran: HashSet<&'static str>,
}

/// A comment that ignores findings of some rules.
#[derive(Debug)]
pub struct Ignore {
    /// The comment.
    pub span: Span,
    /// Takes the comment away.
    pub remove: Edit,
    /// Why, if it says so.
    pub has_reason: bool,
    names: Vec<Name>,
    /// Between the brackets.
    list: Span,
    covered: Option<Covered>,
}

/// A name in the list of an [`Ignore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Where it stands.
    pub span: Span,
    /// The name.
    pub text: String,
    used: bool,
}

#[derive(Debug, Clone, Copy)]
enum Covered {
    File,
    /// What begins here, and what is included from here.
    Place(Span),
}

/// Something in a comment for nginspect that nginspect does not understand, which is why it does nothing.
#[derive(Debug)]
pub struct Flaw {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: FlawKind,
}

/// What nginspect does not understand.
#[derive(Debug)]
pub enum FlawKind {
    /// The word is none of those that it knows.
    Verb(String),
    /// No list in brackets follows the word, or an empty one.
    List(String),
    /// It covers the whole file and stands below the first directive.
    NotAtTop,
    /// No rule has the name.
    Name(String),
}

impl Ignores {
    /// Reads the comments of a configuration. `known` are all rules that there are, `ran` those that have looked for
    /// what can be ignored.
    pub(crate) fn read(
        config: &Config,
        known: Vec<&'static str>,
        ran: HashSet<&'static str>,
    ) -> Self {
        let mut ignores = Self {
            all: Vec::new(),
            flaws: Vec::new(),
            by_rule: HashMap::new(),
            included: HashMap::new(),
            known,
            ran,
        };
        for comment in config.comments() {
            ignores.add(comment, config.sources().slice(comment.span()));
        }
        ignores
    }

    /// True when a comment covers a finding of a rule; notes that the comment is of use.
    pub(crate) fn cover(&mut self, config: &Config, rule: &'static str, span: Span) -> bool {
        self.at(span, rule, true) | self.includes(config, span.file, rule)
    }

    /// The comments, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Ignore> {
        self.all.iter()
    }

    /// What is not understood, in the order of the files.
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// The rule that was probably meant by a name.
    pub fn similar(&self, name: &str) -> Option<String> {
        crate::config::closest(name, self.known.iter().copied())
    }

    /// The word that was probably meant at the beginning of a comment.
    pub fn similar_verb(&self, verb: &str) -> Option<String> {
        crate::config::closest(verb, VERBS.into_iter())
    }

    /// The names of a list that ignore nothing, although their rules have looked.
    pub fn unused<'i>(&'i self, ignore: &'i Ignore) -> impl Iterator<Item = &'i Name> {
        let is_unused = |name: &&Name| !name.used && self.ran.contains(&*name.text);
        ignore.names.iter().filter(is_unused)
    }

    fn add(&mut self, comment: Comment<'_>, text: &[u8]) {
        let whole = comment.span();
        let Some(body) = body(text) else { return };
        let at = |part: &[u8]| {
            let start = whole.start + (part.as_ptr() as usize - text.as_ptr() as usize) as u32;
            Span::new(whole.file, start, start + part.len() as u32)
        };
        let length = body.iter().take_while(|byte| is_name(**byte)).count();
        let (verb, rest) = body.split_at(length);
        let written = String::from_utf8_lossy(verb).into_owned();
        let mut flaw = |span, kind| self.flaws.push(Flaw { span, kind });
        match &*written {
            "context" => return,
            "ignore" | "ignore-file" => {}
            _ => {
                let place = if verb.is_empty() { whole } else { at(verb) };
                return flaw(place, FlawKind::Verb(written));
            }
        }
        let list = rest.trim_ascii_start().strip_prefix(b"[");
        let end = list.and_then(|list| list.iter().position(|byte| *byte == b']'));
        let (Some(list), Some(end)) = (list, end) else {
            return flaw(at(verb), FlawKind::List(written));
        };
        let (list, reason) = (&list[..end], &list[end + 1..]);
        let names: Vec<Name> = list
            .split(|byte| *byte == b',' || byte.is_ascii_whitespace())
            .filter(|name| !name.is_empty())
            .map(|name| Name {
                span: at(name),
                text: String::from_utf8_lossy(name).into_owned(),
                used: false,
            })
            .collect();
        if names.is_empty() {
            return flaw(at(verb), FlawKind::List(written));
        }
        let mut covered = comment.target().map(Covered::Place);
        if written == "ignore-file" {
            covered = comment.is_at_top().then_some(Covered::File);
            if covered.is_none() {
                flaw(at(verb), FlawKind::NotAtTop);
            }
        }
        for (index, name) in names.iter().enumerate() {
            if !self.known.contains(&&*name.text) {
                flaw(name.span, FlawKind::Name(name.text.clone()));
            }
            let key = (whole.file, name.text.clone());
            self.by_rule
                .entry(key)
                .or_default()
                .push((self.all.len(), index));
        }
        self.all.push(Ignore {
            span: whole,
            remove: comment.remove(),
            has_reason: String::from_utf8_lossy(reason)
                .chars()
                .any(char::is_alphanumeric),
            names,
            list: at(list),
            covered,
        });
    }

    /// True when a comment in the same file covers the beginning of a span; `found` when something was found there.
    fn at(&mut self, span: Span, rule: &str, found: bool) -> bool {
        let key = (span.file, rule.to_owned());
        let mut covered = false;
        for (index, name) in self.by_rule.get(&key).into_iter().flatten() {
            let ignore = &mut self.all[*index];
            let covers = match ignore.covered {
                // What is said about the comment itself is not for the comment to ignore.
                _ if holds(ignore.span, span) => false,
                Some(Covered::File) => found,
                Some(Covered::Place(place)) => holds(place, span),
                None => false,
            };
            ignore.names[*name].used |= covers;
            covered |= covers;
        }
        covered
    }

    /// True when every `include` of a file is covered, so that nothing brings the file in that is not.
    fn includes(&mut self, config: &Config, file: FileId, rule: &'static str) -> bool {
        if let Some(known) = self.included.get(&(file, rule)) {
            return *known;
        }
        // Files that include each other in a circle are covered from outside or not at all.
        self.included.insert((file, rule), false);
        let inclusions = config.inclusions(file);
        // All are asked, so that which one is of use does not depend on their order.
        let covered = inclusions
            .iter()
            .fold(!inclusions.is_empty(), |all, include| {
                all & (self.at(*include, rule, false) | self.includes(config, include.file, rule))
            });
        self.included.insert((file, rule), covered);
        covered
    }
}

impl Ignore {
    /// Leaves only those names in the list that are not among `unused`; takes the comment away when none is left.
    pub fn without(&self, unused: &[&Name]) -> Edit {
        let kept: Vec<&str> = self
            .names
            .iter()
            .filter(|name| !unused.contains(name))
            .map(|name| &*name.text)
            .collect();
        if kept.is_empty() {
            self.remove.clone()
        } else {
            Edit::replace(self.list, kept.join(", "))
        }
    }
}

/// What follows `# nginspect:`.
fn body(comment: &[u8]) -> Option<&[u8]> {
    let text = comment.strip_prefix(b"#")?.trim_ascii_start();
    Some(text.strip_prefix(MARK.as_bytes())?.trim_ascii_start())
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// True when `inner` begins in `outer`, right at its end included: what ends a line is found there.
fn holds(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && (outer.start..=outer.end).contains(&inner.start)
}
