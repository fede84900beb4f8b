//! Sites that a regex lets in though it is meant for others.
//!
//! The domains that stand in a pattern say for whom it is meant. What is looked for are names that certainly belong to
//! somebody else: below `evil.example`, a meant domain with letters before it, or one with another letter in the place of
//! a dot. The automaton of the pattern and that of such names are searched for a text in common, which PCRE2 confirms.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use pcre2::bytes::RegexBuilder;

use super::automaton::Automaton;
use super::literals::Literals;
use super::pattern::Pattern;
use super::search::{Ended, Followed, Part, Search, Uris, Visit};
use super::tree::Tree;
use crate::config::{Subject, Tested};

/// Most ways to read a pattern that are looked at.
const READINGS: usize = 64;

/// Most meant domains that are looked at.
const DOMAINS: usize = 8;

/// Names that are sold below a country's as `com` is sold.
const SECOND_LEVEL: [&str; 7] = ["ac", "co", "com", "edu", "gov", "net", "org"];

/// A text that a site of somebody else sends and that a regex takes for one of those it is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The value of the header.
    pub sent: String,
    /// The part of it that the regex sees.
    pub seen: String,
    /// The domain that is meant; the first where there are several.
    pub meant: String,
    /// What lets it in.
    pub flaw: Flaw,
    /// A regex that lets the same domains in and nothing else of the kind.
    pub cure: Option<String>,
}

/// What is wrong with a regex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// More may follow the domain.
    OpenEnd,
    /// The domain may stand in the path.
    OpenStart,
    /// Letters may stand right before the domain.
    NoSeparator,
    /// A dot stands for any byte.
    BareDot,
}

/// Something of a way to read a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// A dot that is not escaped.
    Dot,
    /// Anything else that reads something.
    Wild,
}

/// A domain for which a pattern is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Domain {
    name: String,
    /// Where in the name dots stand that are not escaped.
    bare: Vec<usize>,
}

/// A text of a foreign site that a regex takes; nothing when it is meant for no certain domain, or for everybody, or when
/// none was found.
pub fn foreign(tested: &Tested<'_>) -> Option<Foreign> {
    let mut found = Checked::new(&tested.regex, tested.is_caseless, &tested.subject)?.foreign()?;
    found.cure = cure(tested, &found.meant);
    Some(found)
}

/// A regex with what is needed to ask about it.
struct Checked {
    automaton: Rc<RefCell<Automaton>>,
    regex: pcre2::bytes::Regex,
    domains: Vec<Domain>,
    /// What the domains and those below them send.
    meant: Rc<RefCell<Automaton>>,
    subject: Subject,
}

impl Checked {
    fn new(pattern: &[u8], is_caseless: bool, subject: &Subject) -> Option<Self> {
        let parsed = Pattern::parse(pattern, is_caseless).ok()?;
        let mut domains = domains(&parsed)?;
        let names: Vec<String> = domains.iter().map(|domain| literal(&domain.name)).collect();
        let meant = format!(
            "^(?:https?://)?(?:[a-z0-9-]+[.])*(?:{})(?:[:/]|$)",
            names.join("|")
        );
        domains.truncate(DOMAINS);
        let mut builder = RegexBuilder::new();
        builder.caseless(is_caseless);
        Some(Self {
            automaton: Rc::new(RefCell::new(Automaton::new(pattern, is_caseless).ok()?)),
            regex: builder.build(std::str::from_utf8(pattern).ok()?).ok()?,
            domains,
            meant: Rc::new(RefCell::new(Automaton::new(meant.as_bytes(), false).ok()?)),
            subject: subject.clone(),
        })
    }

    /// The part of the header that the regex sees.
    fn seen<'s>(&self, sent: &'s str) -> &'s str {
        match self.subject {
            Subject::Referer => sent.split_once("://").map_or(sent, |(_, rest)| rest),
            _ => sent,
        }
    }

    fn takes(&self, sent: &str) -> bool {
        self.regex
            .is_match(self.seen(sent).as_bytes())
            .unwrap_or(false)
    }

    fn is_origin(&self) -> bool {
        self.subject == Subject::Header("Origin".to_owned())
    }

    fn foreign(&self) -> Option<Foreign> {
        let end = if self.is_origin() { "" } else { "/" };
        // What lets everybody in is no check.
        if ["https", "http"]
            .iter()
            .any(|scheme| self.takes(&format!("{scheme}://evil.example{end}")))
        {
            return None;
        }
        let label = "[a-z0-9]+(?:-[a-z0-9]+)*";
        let below = format!("(?:{label}[.])*");
        let mut forms: Vec<(Flaw, String)> = Vec::new();
        for domain in &self.domains {
            let name = literal(&domain.name);
            forms.push((Flaw::OpenEnd, format!("{below}{name}[.]evil[.]example")));
            if let Some(base) = domain.sold() {
                forms.push((Flaw::NoSeparator, format!("{below}evil-?{}", literal(base))));
            }
            forms.extend(
                domain
                    .replaced()
                    .map(|name| (Flaw::BareDot, format!("{below}{}", literal(&name)))),
            );
        }
        for domain in &self.domains {
            if let Some(base) = domain.sold() {
                let before = "[a-z0-9]+(?:-+[a-z0-9]+)*-*";
                forms.push((
                    Flaw::NoSeparator,
                    format!("{below}{before}{}", literal(base)),
                ));
            }
        }
        forms.push((Flaw::OpenEnd, format!("{below}{label}[.]evil[.]example")));
        let tail = if self.is_origin() {
            "(?::[1-9][0-9]{0,4})?".to_owned()
        } else {
            "/".to_owned()
        };
        let mut found = forms.into_iter().find_map(|(flaw, host)| {
            self.search(&format!("{host}{tail}"))
                .map(|sent| (flaw, sent))
        });
        if found.is_none() && !self.is_origin() {
            let path = "evil[.]example/[A-Za-z0-9./:_-]*";
            found = self.search(path).map(|sent| (Flaw::OpenStart, sent));
        }
        let (flaw, sent) = found?;
        let is_meant = |domain: &&Domain| {
            sent.contains(&domain.name) || domain.replaced().any(|name| sent.contains(&name))
        };
        let meant = self
            .domains
            .iter()
            .find(is_meant)
            .unwrap_or(&self.domains[0]);
        Some(Foreign {
            seen: self.seen(&sent).to_owned(),
            sent,
            meant: meant.name.clone(),
            flaw,
            cure: None,
        })
    }

    /// A header of a form that the regex takes, with `https` if possible.
    fn search(&self, form: &str) -> Option<String> {
        ["https", "http"].iter().find_map(|scheme| {
            let begin = format!("{scheme}://");
            let seen = self.seen(&begin);
            let form = Automaton::new(format!("^{seen}{form}$").as_bytes(), false).ok()?;
            let follow = |automaton, part| Followed { automaton, part };
            let literals = Literals::new(&Tree::default(), &BTreeSet::new());
            let search = Search {
                uris: Uris::Any,
                begin: seen.as_bytes(),
                is_whole: false,
                is_printable: true,
                literals: &literals,
                followed: vec![
                    follow(Rc::clone(&self.automaton), Part::Match),
                    follow(Rc::new(RefCell::new(form)), Part::Match),
                    follow(Rc::clone(&self.meant), Part::Miss),
                ],
            };
            let mut text = None;
            let ended = search.run(&mut 0, |found| {
                text = String::from_utf8(found.bytes()).ok();
                Visit::Stop
            });
            let sent = text.filter(|_| ended == Ended::Stopped)?;
            let sent = match self.subject {
                Subject::Referer => begin + &sent,
                _ => sent,
            };
            // A line feed may stand at the very end for `$`, and not in a header.
            (!sent.ends_with('\n') && self.takes(&sent)).then_some(sent)
        })
    }
}

impl Domain {
    /// The labels of the name from the one that its owner has bought on.
    fn base(&self) -> &str {
        let labels: Vec<&str> = self.name.split('.').collect();
        let top = labels[labels.len() - 1];
        let second = labels.len().checked_sub(2).map_or("", |at| labels[at]);
        let count = if top.len() == 2 && SECOND_LEVEL.contains(&second) {
            3
        } else {
            2
        };
        let start = labels
            .iter()
            .rev()
            .take(count)
            .map(|label| label.len() + 1)
            .sum::<usize>();
        &self.name[(self.name.len() + 1).saturating_sub(start)..]
    }

    /// The name, if letters before it make it another one that anybody may buy.
    fn sold(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| *name == self.base())
    }

    /// The names of others that come of a letter in the place of a dot that is not escaped.
    fn replaced(&self) -> impl Iterator<Item = String> {
        let before = self.name.len().checked_sub(self.base().len() + 1);
        let dot = before.filter(|dot| self.bare.contains(dot));
        dot.into_iter()
            .map(|dot| format!("{}x{}", &self.name[..dot], &self.name[dot + 1..]))
    }
}

/// A name as a pattern.
fn literal(name: &str) -> String {
    name.replace('.', "[.]")
}

/// The domains that stand in a pattern; nothing when there is none.
fn domains(pattern: &Pattern) -> Option<Vec<Domain>> {
    let mut domains: Vec<Domain> = Vec::new();
    for reading in readings(pattern)? {
        let is_host = |piece: &Piece| match piece {
            Piece::Byte(byte) => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'),
            Piece::Dot => true,
            Piece::Wild => false,
        };
        for run in reading.split(|piece| !is_host(piece)) {
            let is_dot = |piece: &Piece| matches!(piece, Piece::Dot | Piece::Byte(b'.'));
            let start = run
                .iter()
                .position(|piece| !is_dot(piece))
                .unwrap_or(run.len());
            let end = run
                .iter()
                .rposition(|piece| !is_dot(piece))
                .map_or(start, |last| last + 1);
            let run = &run[start..end];
            let byte = |piece: &Piece| match piece {
                Piece::Byte(byte) => char::from(byte.to_ascii_lowercase()),
                _ => '.',
            };
            let name: String = run.iter().map(byte).collect();
            let bare = run
                .iter()
                .enumerate()
                .filter(|(_, piece)| **piece == Piece::Dot);
            let domain = Domain {
                bare: bare.map(|(at, _)| at).collect(),
                name,
            };
            if is_domain(&domain.name) && !domains.contains(&domain) {
                domains.push(domain);
            }
        }
    }
    // The subdomains of a domain that is meant are meant with it.
    let names: Vec<String> = domains.iter().map(|domain| domain.name.clone()).collect();
    domains.retain(|domain| {
        let is_below = |name: &String| {
            domain
                .name
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
        };
        !names.iter().any(is_below) || !domain.bare.is_empty()
    });
    (!domains.is_empty()).then_some(domains)
}

/// True for a name that somebody can have bought: labels of letters, digits and hyphens, the last one of letters.
fn is_domain(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let is_top =
        |label: &str| label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_lowercase());
    let top = labels[labels.len() - 1];
    labels.len() >= 2
        && labels.iter().all(is_label)
        && is_top(top)
        && !matches!(top, "html" | "php" | "js")
}

/// The ways to read a pattern, each with one of its alternatives; nothing when there are too many.
fn readings(pattern: &Pattern) -> Option<Vec<Vec<Piece>>> {
    let all = match pattern {
        Pattern::Byte(bytes) => vec![vec![piece(*bytes)]],
        Pattern::All(parts) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                let next = readings(part)?;
                all = all
                    .iter()
                    .flat_map(|before: &Vec<Piece>| {
                        next.iter().map(move |after| [&before[..], after].concat())
                    })
                    .collect();
                if all.len() > READINGS {
                    return None;
                }
            }
            all
        }
        Pattern::Any(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(readings(part)?);
            }
            all
        }
        Pattern::Repeat {
            inside,
            least: 0,
            most: Some(1),
        } => {
            let mut all = readings(inside)?;
            all.push(Vec::new());
            all
        }
        Pattern::Repeat { .. } => vec![vec![Piece::Wild]],
        Pattern::Start | Pattern::End { .. } | Pattern::Boundary { .. } | Pattern::Ahead { .. } => {
            vec![Vec::new()]
        }
    };
    (all.len() <= READINGS).then_some(all)
}

fn piece(bytes: super::bytes::Bytes) -> Piece {
    let mut members = bytes.iter();
    match (members.next(), members.next(), members.next()) {
        (Some(byte), None, _) => Piece::Byte(byte),
        (Some(upper), Some(lower), None) if upper.to_ascii_lowercase() == lower => {
            Piece::Byte(lower)
        }
        _ if bytes == super::bytes::Bytes::one(b'\n').not() => Piece::Dot,
        _ => Piece::Wild,
    }
}

/// The regex with anchors, escaped dots and a dot before the domain, if that lets in what it is meant for and nobody else.
fn cure(tested: &Tested<'_>, meant: &str) -> Option<String> {
    let text = std::str::from_utf8(&tested.regex).ok()?;
    let sees_scheme = tested.subject != Subject::Referer;
    let is_origin = tested.subject == Subject::Header("Origin".to_owned());
    let escaped = escape_dots(text);
    let body = escaped.strip_prefix('^').unwrap_or(&escaped);
    let body = body
        .strip_suffix("/?$")
        .or(body.strip_suffix('$'))
        .unwrap_or(body);
    let body = body.strip_suffix(".*").unwrap_or(body);
    if body.contains(['^', '$', '?', '*', '+', '[', '{'])
        && body.contains('|')
        && !body.contains('(')
    {
        return None;
    }
    let body = match has_bare_alternatives(body) {
        true => format!("(?:{body})"),
        false => body.to_owned(),
    };
    let scheme = if sees_scheme { "https?://" } else { "" };
    let below = r"(?:[a-z0-9-]+\.)*";
    let start = body.trim_start_matches("(?:").trim_start_matches('(');
    let begins = |text: &str| start.starts_with(text);
    let with_start = if begins("http") {
        format!("^{body}")
    } else if let Some(rest) = body.strip_prefix("://").or(body.strip_prefix("//")) {
        format!("^{scheme}{rest}")
    } else if begins(r"\.") {
        format!(r"^{scheme}(?:[a-z0-9-]+\.)*[a-z0-9-]+{body}")
    } else if begins(".*") || begins(".+") || begins("[") {
        format!("^{scheme}{body}")
    } else {
        format!("^{scheme}{below}{body}")
    };
    // What may stand before the domain has to end in a dot.
    let separated = [".*", ".+", "[^/]*", "[^/]+"]
        .iter()
        .fold(with_start, |text, wild| {
            let domain = meant.replace('.', r"\.");
            text.replace(&format!("{wild}{domain}"), &format!("{below}{domain}"))
        });
    let has_port = [r":\d", ":[0-9]", "::", ":80", ":443"]
        .iter()
        .any(|port| separated.contains(port));
    let end = match (is_origin, has_port) {
        (true, true) => "$",
        (true, false) => r"(?::\d+)?$",
        (false, true) => "(?:/|$)",
        (false, false) => r"(?::\d+)?(?:/|$)",
    };
    let cure = match separated.ends_with('/') {
        true if !is_origin => separated,
        _ => separated + end,
    };
    let cured = Checked::new(cure.as_bytes(), tested.is_caseless, &tested.subject)?;
    let weak = Checked::new(&tested.regex, tested.is_caseless, &tested.subject)?;
    let tail = if is_origin { "" } else { "/" };
    let hosts = weak
        .domains
        .iter()
        .flat_map(|domain| ["", "www.", "a.b."].map(|below| format!("{below}{}", domain.name)));
    let mut sent =
        hosts.flat_map(|host| ["https", "http"].map(|scheme| format!("{scheme}://{host}{tail}")));
    let keeps = sent.all(|sent| !weak.takes(&sent) || cured.takes(&sent));
    (cure != text && keeps && cured.foreign().is_none()).then_some(cure)
}

/// Escapes the dots between letters or digits that nothing repeats, outside of classes.
fn escape_dots(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut escaped = String::with_capacity(text.len() + 4);
    let mut in_class = false;
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        let after = bytes.get(at + 1).copied().unwrap_or(b' ');
        let before = at.checked_sub(1).map_or(b' ', |at| bytes[at]);
        let is_between = (before.is_ascii_alphanumeric() || before == b')')
            && (after.is_ascii_alphanumeric() || after == b'(');
        if letter == '.' && !is_escaped && !in_class && is_between {
            escaped.push('\\');
        }
        match letter {
            '[' if !is_escaped => in_class = true,
            ']' if !is_escaped => in_class = false,
            _ => {}
        }
        is_escaped = letter == '\\' && !is_escaped;
        escaped.push(letter);
    }
    escaped
}

/// True when a `|` stands outside of all groups.
fn has_bare_alternatives(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut is_escaped = false;
    text.chars().any(|letter| {
        let is_plain = !is_escaped;
        is_escaped = letter == '\\' && is_plain;
        match letter {
            '(' if is_plain => depth += 1,
            ')' if is_plain => depth -= 1,
            _ => {}
        }
        letter == '|' && is_plain && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pattern: &str, header: &str) -> Option<Foreign> {
        let subject = Subject::Header(header.to_owned());
        Checked::new(pattern.as_bytes(), false, &subject)?.foreign()
    }

    #[test]
    fn a_foreign_origin_is_found_where_there_is_one() {
        for (pattern, sent) in [
            (r"example\.com", "https://example.com.evil.example"),
            (r"example\.com$", "https://evilexample.com"),
            (
                r"^https?://(.*\.)?(example\.com|example\.net)",
                "https://example.com.evil.example",
            ),
            (r"^https?://.+example\.co\.uk$", "https://evilexample.co.uk"),
            (r"^https://(.*.)?example\.com$", "https://evilexample.com"),
            (
                r"^https://(api.|www.)example.com$",
                "https://apixexample.com",
            ),
            (
                r"^http://[a-z]+\.example\.com:8080|localhost",
                "https://localhost.example.com.evil.example",
            ),
            (
                r"(https?:\/\/)?app\.example\.com(:\d+)?",
                "https://app.example.com.evil.example",
            ),
        ] {
            let found = asked(pattern, "Origin").map(|found| found.sent);
            assert_eq!(found.as_deref(), Some(sent), "{pattern}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_closed_or_meant_for_all() {
        for pattern in [
            r"^https?:\/\/(.+\.)?example\.com(:\d+)?$",
            r"^https?://[^/]+\.example\.com(:[0-9]+)?$",
            r"(\.|^)example\.com$",
            r"^https://www\.example.com$",
            r"^https://evilexample\.com$|^https://my-?example\.com$",
            r"^https://(my|your)?example\.com$",
            r"^https?://.*api\.example\.com$",
            r"^https://[a-z0-9-]+-shop\.example\.com$",
            r"^https://.*$",
            r"(example\.com|.*)",
            r"^https?://(localhost|192\.168\.0\.1)",
            r"\.google\.",
            r"^https://(?!evil)[a-z]+\.example\.com$",
        ] {
            assert_eq!(asked(pattern, "Origin"), None, "{pattern}");
        }
        assert_eq!(asked(r"^https?://([^/]+\.)?example\.com/", "Referer"), None);
    }

    #[test]
    fn dots_are_escaped_where_they_stand_for_themselves() {
        assert_eq!(
            escape_dots("www.(a|b).c.*.d[.x.y]\\.z"),
            "www\\.(a|b)\\.c.*.d[.x.y]\\.z"
        );
    }
}
