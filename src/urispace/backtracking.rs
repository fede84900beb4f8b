//! Texts on which PCRE2 gives up: it has tried to match them in ten million ways.
//!
//! [`ambiguities`] says what could be repeated; here the text is put together, and PCRE2 itself judges it, with the limit
//! that it has in nginx (`ngx_regex_exec` gives it no other).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pcre2::bytes::{Regex, RegexBuilder};

use super::ambiguity::{Pumped, ambiguities};
use super::automaton::{Automaton, DEAD, MATCHED};
use super::bytes::{Bytes, cost};
use super::nfa::Nfa;
use super::pattern::Pattern;
use super::search::Uris;
use crate::config::{Config, Subject, Tested};

/// How often PCRE2 goes on before it gives up (`PCRE2_MATCH_LIMIT`).
const LIMIT: u64 = 10_000_000;

/// Limits that are reached sooner, to see how fast the work grows.
const FEW: u64 = 1_000;
const SOME: u64 = 20_000;

/// The error of a match that goes on for too long (`PCRE2_ERROR_MATCHLIMIT`).
const GAVE_UP: i32 = -47;

/// Most repetitions of a text whose every repetition multiplies the work.
const TIMES: usize = 150;

/// Most texts of one regex that are tried with the lower limits.
const CANDIDATES: usize = 24;

/// Most bytes that stand in a `Host` or before the path of a `Referer`.
const HOST: usize = 250;

/// Bytes of a request line or header that are left for what else stands there.
const MARGIN: usize = 200;

/// Most verdicts that are remembered.
const REMEMBERED: usize = 200;

/// A regex, whether case does not count and whether it is compiled to machine code, and a text.
type Key = (String, (bool, bool), Vec<u8>);

/// Whether PCRE2 gives up on a text, as far as it was tried.
static KNOWN: Mutex<Option<HashMap<Key, bool>>> = Mutex::new(None);

/// A text on which PCRE2 gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// What it begins with.
    pub before: Vec<u8>,
    /// What is repeated.
    pub pump: Vec<u8>,
    /// How often.
    pub times: usize,
    /// What it ends with.
    pub after: Vec<u8>,
    /// True when each repetition multiplies the work; else it takes thousands.
    pub is_exponential: bool,
}

impl Attack {
    /// The whole text.
    pub fn text(&self) -> Vec<u8> {
        self.repeated(self.times)
    }

    /// The text as a shell such as bash makes it between double quotes: `a$(printf 'b%.0s' {1..30})c`.
    ///
    /// In a path, what would not be sent as it is is percent-encoded.
    pub fn shell(&self, subject: &Subject) -> String {
        let part = |text: &[u8]| match subject {
            Subject::Path => sent(text),
            _ => String::from_utf8_lossy(text).into_owned(),
        };
        let pump = part(&self.pump).replace('%', "%%");
        let dashes = if pump.starts_with('-') { "-- " } else { "" };
        format!(
            "{}$(printf {dashes}'{pump}%.0s' {{1..{}}}){}",
            part(&self.before),
            self.times,
            part(&self.after)
        )
    }

    /// The text for a person, with an ellipsis where it is long.
    pub fn excerpt(&self) -> String {
        const WHOLE: usize = 50;
        let text = match self.before.len() + self.pump.len() * self.times + self.after.len() {
            0..=WHOLE => self.text(),
            _ => [
                &self.repeated(3)[..self.before.len() + self.pump.len() * 3],
                "…".as_bytes(),
                &self.after,
            ]
            .concat(),
        };
        String::from_utf8_lossy(&text).into_owned()
    }

    fn repeated(&self, times: usize) -> Vec<u8> {
        [&self.before[..], &self.pump.repeat(times), &self.after].concat()
    }
}

/// What may still be spent on a whole configuration.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Regexes whose graph is looked at.
    graphs: usize,
    /// Regexes that PCRE2 tries with lower limits.
    trials: usize,
    /// Matches up to the whole limit, each of which takes a good part of a second.
    verdicts: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            graphs: 1_000,
            trials: 50,
            verdicts: 8,
        }
    }
}

/// What texts of a subject may look like.
struct Texts {
    uris: Uris,
    allowed: Bytes,
    /// Bytes that may not stand at the beginning or at the end.
    inner: &'static [u8],
    /// Most bytes as they are sent.
    most: usize,
}

impl Texts {
    fn of(subject: &Subject, line: usize) -> Self {
        let most = line.saturating_sub(MARGIN);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        // What a shell leaves alone between double quotes, and curl in a URL.
        let quoted = |byte: u8| plain(byte) || b"&()*+,;=:@".contains(&byte);
        let (uris, allowed, inner, most): (_, _, &[u8], _) = match subject {
            Subject::Path => (
                Uris::Client,
                Bytes::that(|byte| matches!(byte, b' '..=b'~')),
                b"",
                most,
            ),
            Subject::Target => (Uris::Client, Bytes::that(quoted), b"", most),
            Subject::Arguments => (Uris::Any, Bytes::that(quoted), b"", most),
            Subject::Argument(_) => (
                Uris::Any,
                Bytes::that(|byte| quoted(byte) && byte != b'&'),
                b"",
                most,
            ),
            Subject::Header(_) => {
                let quoted = |byte: u8| quoted(byte) || b" <>?[]^{|}#%".contains(&byte);
                (Uris::Any, Bytes::that(quoted), b" ", most)
            }
            Subject::Cookie(_) => {
                let quoted = |byte: u8| quoted(byte) && !matches!(byte, b';' | b',');
                (Uris::Any, Bytes::that(quoted), b"", most)
            }
            Subject::Host => {
                let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
                (Uris::Any, Bytes::that(known), b".", HOST.min(most))
            }
            Subject::Referer => (Uris::Any, Bytes::that(plain), b"", HOST.min(most)),
        };
        Self {
            uris,
            allowed,
            inner,
            most,
        }
    }

    /// True when a client can send a text so that nginx sees it unchanged.
    fn holds(&self, text: &[u8]) -> bool {
        let mut normal = Some(self.uris.start());
        for byte in text {
            normal = normal.and_then(|normal| self.uris.step(normal, *byte));
        }
        let ends = [text.first(), text.last()].into_iter().flatten();
        let is_host = self.inner == b".";
        normal.is_some_and(Uris::is_end)
            && text.iter().all(|byte| self.allowed.has(*byte))
            && ends.into_iter().all(|byte| !self.inner.contains(byte))
            && !(is_host && text.windows(2).any(|pair| pair == b".."))
            && self.length(text) <= self.most
    }

    /// How many bytes a text has when it is sent.
    fn length(&self, text: &[u8]) -> usize {
        match self.uris {
            Uris::Client => sent(text).len(),
            _ => text.len(),
        }
    }
}

/// A path as it is sent: everything but letters, digits and `-._~/` percent-encoded.
pub fn sent(path: &[u8]) -> String {
    let mut sent = String::with_capacity(path.len());
    for byte in path {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'/' => sent.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => sent.push(char::from(*byte)),
            byte => sent.push_str(&format!("%{byte:02X}")),
        }
    }
    sent
}

/// Looks for attacks on the regexes of a configuration; each regex is looked at once.
#[derive(Debug)]
pub struct Attacks {
    /// How many bytes a request line or header may have.
    line: usize,
    /// True when nginx compiles regexes to machine code.
    jit: bool,
    effort: Effort,
    known: HashMap<(Vec<u8>, bool, Subject), Option<Attack>>,
}

impl Attacks {
    /// Prepares for the settings of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            line: config.certain_line(),
            jit: config.has_jit(),
            effort: Effort::default(),
            known: HashMap::new(),
        }
    }

    /// A text that a client can send and on which PCRE2 gives up; nothing when none was found.
    pub fn find(&mut self, tested: &Tested<'_>) -> Option<Attack> {
        if !may_backtrack(&tested.regex) {
            return None;
        }
        let (pattern, caseless) = (&tested.regex, tested.is_caseless);
        let key = (pattern.to_vec(), caseless, tested.subject.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let texts = Texts::of(&tested.subject, self.line);
        let found = attack(pattern, caseless, texts, self.jit, &mut self.effort);
        self.known.insert(key, found.clone());
        found
    }
}

fn attack(
    pattern: &[u8],
    caseless: bool,
    texts: Texts,
    jit: bool,
    effort: &mut Effort,
) -> Option<Attack> {
    spend(&mut effort.graphs)?;
    let parsed = Pattern::parse(pattern, caseless).ok()?;
    let ambiguous = ambiguities(&Nfa::new(&parsed)?, texts.allowed, texts.uris);
    if ambiguous.is_empty() {
        return None;
    }
    spend(&mut effort.trials)?;
    let text = std::str::from_utf8(pattern).ok()?;
    let compile = |start: String| {
        let mut builder = RegexBuilder::new();
        builder.caseless(caseless).jit_if_available(jit);
        builder.build(&(start + text)).ok()
    };
    let mut trial = Trial {
        automaton: Automaton::new(pattern, caseless).ok()?,
        few: compile(format!("(*LIMIT_MATCH={FEW})"))?,
        some: compile(format!("(*LIMIT_MATCH={SOME})"))?,
        all: compile(String::new())?,
        texts,
        setting: (caseless, jit),
        left: CANDIDATES,
    };
    ambiguous
        .iter()
        .find_map(|pumped| trial.attack(pumped, effort))
}

/// Counts down; nothing when nothing is left.
fn spend(count: &mut usize) -> Option<()> {
    *count = count.checked_sub(1)?;
    Some(())
}

/// False when the text of a pattern shows that it cannot be read in many ways: that takes two endless repetitions, or one
/// of a group.
fn may_backtrack(pattern: &[u8]) -> bool {
    let is_endless = |at: &usize| match pattern[*at] {
        b'*' | b'+' => true,
        b'{' => pattern[*at..]
            .iter()
            .position(|byte| *byte == b'}')
            .is_some_and(|end| pattern[at + end - 1] == b','),
        _ => false,
    };
    let mut endless = (1..pattern.len()).filter(is_endless);
    match (endless.next(), endless.next()) {
        (Some(_), Some(_)) => true,
        (Some(at), None) => pattern[at - 1] == b')',
        _ => false,
    }
}

/// The trial of one regex.
struct Trial {
    automaton: Automaton,
    few: Regex,
    some: Regex,
    all: Regex,
    texts: Texts,
    /// Whether case does not count, and whether regexes are compiled to machine code.
    setting: (bool, bool),
    left: usize,
}

fn gives_up(regex: &Regex, text: &[u8]) -> bool {
    regex
        .is_match(text)
        .is_err_and(|error| error.code() == GAVE_UP)
}

impl Trial {
    fn attack(&mut self, pumped: &Pumped, effort: &mut Effort) -> Option<Attack> {
        for after in self.endings(pumped)? {
            spend(&mut self.left)?;
            let attack = Attack {
                before: pumped.before.clone(),
                pump: pumped.pump.clone(),
                times: 1,
                after,
                is_exponential: pumped.is_exponential,
            };
            let sized = match pumped.is_exponential {
                true => self.sized_exponential(attack),
                false => self.sized_polynomial(attack),
            };
            let Some(attack) = sized else { continue };
            spend(&mut effort.verdicts)?;
            let text = attack.text();
            if self.texts.holds(&text) && self.verdict(text) {
                return Some(attack);
            }
        }
        None
    }

    /// Whether PCRE2 gives up at its own limit. An editor asks for the same again and again, so it is tried once.
    fn verdict(&self, text: Vec<u8>) -> bool {
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.all.as_str().to_owned(), self.setting, text);
        let found = known().as_ref().and_then(|known| known.get(&key).copied());
        if let Some(verdict) = found {
            return verdict;
        }
        let verdict = gives_up(&self.all, &key.2);
        let mut known = known();
        let known = known.get_or_insert_default();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, verdict);
        verdict
    }

    /// Ends of the text with which it does not match; nothing when it always does.
    fn endings(&mut self, pumped: &Pumped) -> Option<Vec<Vec<u8>>> {
        let begin = [&pumped.before[..], &pumped.pump.repeat(3)].concat();
        let mut state = self.automaton.start()?;
        for byte in &begin {
            state = self.automaton.step(state, *byte)?;
        }
        if state == MATCHED {
            return None;
        }
        // A byte of each class, the cheapest first.
        let mut bytes: Vec<u8> = self.texts.allowed.iter().collect();
        bytes.sort_by_key(|byte| (cost(*byte), *byte));
        let mut classes: Vec<u8> = Vec::new();
        bytes.retain(|byte| {
            let class = self.automaton.class(*byte);
            let is_new = !classes.contains(&class);
            if is_new {
                classes.push(class);
            }
            is_new
        });
        // A byte that no match goes on with is best, and one that spoils a complete match.
        let mut spoilers = Vec::new();
        for byte in bytes {
            let next = self.automaton.step(state, byte)?;
            if next != MATCHED {
                spoilers.push((next != DEAD, byte));
            }
        }
        spoilers.sort_by_key(|(is_alive, _)| *is_alive);
        let completed = &pumped.after;
        let mut endings: Vec<Vec<u8>> = vec![Vec::new()];
        for (_, byte) in spoilers.into_iter().take(6) {
            endings.push(vec![byte]);
            endings.push([&completed[..], &[byte]].concat());
            endings.push([&[byte], &completed[..]].concat());
            // What PCRE2 wants to see somewhere before it begins.
            endings.extend(completed.last().map(|last| vec![byte, *last]));
        }
        let automaton = &mut self.automaton;
        let mut misses = |ending: &Vec<u8>| {
            let end = ending
                .iter()
                .try_fold(state, |state, byte| automaton.step(state, *byte));
            end.is_some_and(|end| end != MATCHED && !automaton.is_end(end))
        };
        endings.retain(&mut misses);
        endings.retain(|ending| self.texts.holds(&[&begin[..], ending].concat()));
        Some(endings)
    }

    /// Repeats the text until the work is beyond the limit by far: each repetition multiplies it.
    fn sized_exponential(&self, mut attack: Attack) -> Option<Attack> {
        let reached = |regex: &Regex, from: usize| {
            (from..=TIMES).find(|times| gives_up(regex, &attack.repeated(*times)))
        };
        let few = reached(&self.few, 1)?;
        let some = reached(&self.some, few)?;
        // From the first limit to the second it took `some - few`; to the last one it takes about twice that.
        let step = (some - few).max(1);
        let times = some + step * 5 / 2 + 2;
        attack.times = times.div_ceil(5) * 5;
        (attack.times <= TIMES).then_some(attack)
    }

    /// Repeats the text until the work is beyond the limit: it grows as a power of the length.
    fn sized_polynomial(&mut self, mut attack: Attack) -> Option<Attack> {
        let length = |text: &[u8]| self.texts.length(text);
        let room = self
            .texts
            .most
            .checked_sub(length(&attack.before) + length(&attack.after))?;
        let most = room / length(&attack.pump);
        let reached = |regex: &Regex| {
            let (mut low, mut high) = (0, most);
            if !gives_up(regex, &attack.repeated(high)) {
                return None;
            }
            while high - low > 1 {
                let middle = low.midpoint(high);
                match gives_up(regex, &attack.repeated(middle)) {
                    true => high = middle,
                    false => low = middle,
                }
            }
            Some(high)
        };
        let few = reached(&self.few)? as f64;
        let some = reached(&self.some)? as f64;
        let growth = (SOME as f64 / FEW as f64).ln() / (some / few).max(1.01).ln();
        let times = some * (1.5 * LIMIT as f64 / SOME as f64).powf(1.0 / growth);
        // What only the longest request of all does is left alone: two `.*` in one regex are as common as harmless.
        let round = (times as usize).div_ceil(100) * 100;
        attack.times = round;
        if round > most / 2 {
            // Other ends will hardly do better.
            self.left = self.left.saturating_sub(CANDIDATES / 4);
            return None;
        }
        Some(attack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_patterns_with_several_repetitions_are_looked_at() {
        for (pattern, looked_at) in [
            (r"\.(?:css|js)$", false),
            ("^/(.*)$", false),
            ("^/[^/]+/x$", false),
            ("(a|b)+", true),
            ("a+b+", true),
            ("a{2,}b*", true),
            ("a{2,3}b*", false),
        ] {
            assert_eq!(may_backtrack(pattern.as_bytes()), looked_at, "{pattern}");
        }
    }

    /// The attack on a pattern, and whether PCRE2 was asked for a verdict.
    fn found(pattern: &str, subject: &Subject) -> (Option<Attack>, bool) {
        let mut effort = Effort::default();
        let texts = Texts::of(subject, 8192);
        let found = attack(pattern.as_bytes(), false, texts, false, &mut effort);
        (found, effort.verdicts < Effort::default().verdicts)
    }

    #[test]
    fn what_can_be_read_in_many_ways_is_attacked() {
        let agent = Subject::Header("User-Agent".to_owned());
        for (pattern, subject, is_exponential) in [
            ("^(([a-z])+.)+[A-Z]([a-z])+$", &agent, true),
            ("(a+)+$", &Subject::Path, true),
            (r"^(.*/)*(.*)\.php$", &Subject::Path, true),
            (r"^/([\w]|_)+$", &Subject::Path, true),
            (r"^/(.*)/(.*)/(.*)\.html$", &Subject::Path, false),
            ("^(?=(a*)*$)", &Subject::Host, true),
            (r"^a(\s*,?\s*)*x$", &agent, true),
        ] {
            let attack = found(pattern, subject).0;
            let found = attack.as_ref().map(|attack| attack.is_exponential);
            assert_eq!(found, Some(is_exponential), "{pattern}");
            let length = attack.map(|attack| attack.text().len());
            assert!(
                !is_exponential || length < Some(100),
                "{pattern}: {length:?}"
            );
        }
    }

    #[test]
    fn nothing_is_spent_on_what_can_be_read_in_few_ways() {
        for pattern in [
            r"^(.+?\.php)(/.*)?$",
            r"^/(?:index|remote)\.php(?:$|/)",
            "^/([^/]+)/([^/]+)$",
            r"^/(?:[^/]+/)*[^/]+\.png$",
            r"^/(.*)/(.*)\.html$",
            r"^(/[\w-]+)*/?$",
            "^(a+)+$",
        ] {
            assert_eq!(found(pattern, &Subject::Path), (None, false), "{pattern}");
        }
    }

    #[test]
    fn a_shell_makes_the_text() {
        let attack = Attack {
            before: b"/a b".to_vec(),
            pump: b"-%".to_vec(),
            times: 20,
            after: b"$".to_vec(),
            is_exponential: true,
        };
        assert_eq!(
            attack.shell(&Subject::Path),
            "/a%20b$(printf -- '-%%25%.0s' {1..20})%24"
        );
        assert_eq!(attack.excerpt(), format!("/a b{}$", "-%".repeat(20)));
    }
}
