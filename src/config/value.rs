//! What nginx refuses of the values of a directive.

use super::{Config, Directive, Word};
use crate::nginx::value::{Flaw, Setting};
use crate::nginx::{self, Contexts, Form, Kind, Provider};
use crate::source::Span;

/// A word that nginx refuses.
#[derive(Debug)]
pub struct Refusal<'c> {
    /// The word.
    pub word: Word<'c>,
    /// Where in it the mistake is, or all of it.
    pub span: Span,
    /// What is wrong: a sentence without a full stop.
    pub problem: String,
    /// What to write in its place, where one answer is likely.
    pub meant: Option<String>,
    /// What nginx takes, in a sentence.
    pub help: Option<String>,
    /// Another place that it cannot stand beside.
    pub other: Option<Span>,
}

impl<'c> Refusal<'c> {
    pub(super) fn new(word: Word<'c>, flaw: Flaw) -> Self {
        Self {
            span: word.span,
            word,
            problem: flaw.problem,
            meant: flaw.meant,
            help: flaw.help,
            other: None,
        }
    }
}

impl<'c> Directive<'c> {
    /// What nginx refuses of its arguments by themselves; nothing when a form that fits takes them, and where nothing
    /// certain can be said.
    pub fn refusal(self) -> Option<Refusal<'c>> {
        if self.known()?.forms.iter().all(is_free) && !self.has_variables() {
            return None;
        }
        let words: Vec<Word<'c>> = self.arguments().collect();
        if self.may_be_third_party() || words.iter().any(|word| self.config.is_filled_in(word)) {
            return None;
        }
        self.refused_value(words)
            .or_else(|| self.refused_variable())
            .or_else(|| self.refused_by_upstream())
            .or_else(|| self.refused_default_redirect())
    }

    /// `proxy_redirect default` needs an address to make its rule of (`ngx_http_proxy_redirect`).
    fn refused_default_redirect(self) -> Option<Refusal<'c>> {
        let word = self.argument(0).filter(|word| word == "default")?;
        let block = self.parent()?;
        let is_open =
            !self.is("proxy_redirect") || self.argument(1).is_some() || block.is_incomplete();
        let pass = block.own("proxy_pass").find(|pass| pass.precedes(self));
        let problem = match pass.and_then(|pass| pass.argument(0)) {
            _ if is_open => return None,
            Some(address) if address.has_variables() => {
                "`default` cannot be made of a `proxy_pass` with variables"
            }
            Some(_) => return None,
            None => {
                "`default` is made of the `proxy_pass` of the same block, which must stand before it"
            }
        };
        let flaw = Flaw {
            argument: 0,
            problem: problem.to_owned(),
            meant: None,
            help: Some("It is in effect without being written, wherever `proxy_pass` has no variables and no other `proxy_redirect` is set.".to_owned()),
        };
        let other = pass.map(Directive::span);
        Some(Refusal {
            other,
            ..Refusal::new(word, flaw)
        })
    }

    /// The flaw of the form that comes furthest.
    fn refused_value(self, mut words: Vec<Word<'c>>) -> Option<Refusal<'c>> {
        let arguments: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
        let mut found: Option<Flaw> = None;
        for form in self.fitting_forms() {
            let setting = Setting {
                name: self.known()?.name,
                kind: form.kind,
                context: self.context(),
                arguments: &arguments,
                version: self.config.version,
            };
            let is_open = is_uncertain(form) || self.config.may_ignore(form);
            let flaw = setting.flaw().filter(|_| !is_open)?;
            if found
                .as_ref()
                .is_none_or(|best| best.argument < flaw.argument)
            {
                found = Some(flaw);
            }
        }
        let flaw = found?;
        drop(arguments);
        (flaw.argument < words.len()).then(|| Refusal::new(words.swap_remove(flaw.argument), flaw))
    }

    /// An argument in which nginx evaluates variables, with a `$` that begins none.
    fn refused_variable(self) -> Option<Refusal<'c>> {
        if !self.has_variables() || self.fitting_forms().next().is_none() {
            return None;
        }
        let is_certain = |form: &Form| {
            let is_own = form.provider() == Provider::Nginx;
            // A log's format has been looked at, and files had no variables once.
            let is_value = !matches!(form.kind, Kind::LogFormat | Kind::File);
            // What is inherited as a list is read where it is in effect, which may be nowhere.
            let is_merged = form.kind == Kind::KeyValue || self.is("proxy_set_body");
            let is_read = !is_merged || !self.context().intersects(Contexts::HTTP);
            is_own && is_value && is_read
        };
        let words = match &*self.name() {
            b"if" => self.compared().into_iter().collect(),
            _ if !self.fitting_forms().all(is_certain) => return None,
            _ => self.evaluated_arguments(),
        };
        words.into_iter().find_map(|word| {
            let (place, problem) = nginx::invalid_reference(&word)?;
            let span = word.part(place.clone());
            let written = String::from_utf8_lossy(&word[place]).into_owned();
            let flaw = Flaw {
                argument: 0,
                problem: format!("`{written}`: {problem}"),
                meant: None,
                help: Some("nginx has no escape for a `$`: where one is wanted, `geo $dollar { default \"$\"; }` makes a variable of it.".to_owned()),
            };
            Some(Refusal {
                span,
                ..Refusal::new(word, flaw)
            })
        })
    }

    /// The text that the condition of an `if` compares with.
    fn compared(self) -> Option<Word<'c>> {
        let words: Vec<Word<'c>> = self.arguments().collect();
        let arguments: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
        match nginx::value::operand(&arguments)? {
            nginx::value::Operand::Text(index, place) => Some(words[index].slice(place)),
            nginx::value::Operand::Regex(..) => None,
        }
    }

    fn has_variables(self) -> bool {
        self.arguments().any(|word| word.has_variables())
    }
}

impl Config {
    /// True when another program may fill the word in before nginx reads it.
    pub fn is_filled_in(&self, word: &Word<'_>) -> bool {
        let is_mark = |byte: &u8| {
            matches!(byte, b'$' | b'@' | b'%' | b'<' | b'{' | b'_') || byte.is_ascii_uppercase()
        };
        word.has_placeholder() || self.is_called_template(word.span) && word.iter().any(is_mark)
    }
}

/// True when nothing that a form takes could be wrong.
fn is_free(form: &Form) -> bool {
    matches!(
        form.kind,
        Kind::Nothing
            | Kind::String
            | Kind::StringList
            | Kind::File
            | Kind::Custom
            | Kind::MimeTypes
    )
}

/// True for a form whose setter is not known well enough: of nginx Plus there is no source.
fn is_uncertain(form: &Form) -> bool {
    let is_word = matches!(
        form.kind,
        Kind::Flag | Kind::Enum(_) | Kind::Bitmask(_) | Kind::ZoneKey
    );
    match form.provider() {
        Provider::Nginx | Provider::Njs | Provider::Otel | Provider::Acme => false,
        Provider::Plus => !is_word,
        Provider::ThirdParty(_) => true,
    }
}
