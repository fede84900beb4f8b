//! Variables that the configuration defines.

use std::collections::{HashMap, HashSet};

use super::{Config, Directive, EntryId, Misfit, Visibility, Word};
use crate::nginx::{self, Contexts, Subsystem};

/// Variables of nginx that never hold a slash.
const WITHOUT_SLASH: [&str; 12] = [
    "host",
    "hostname",
    "http_host",
    "remote_addr",
    "remote_port",
    "request_method",
    "scheme",
    "server_addr",
    "server_name",
    "server_port",
    "proxy_host",
    "proxy_port",
];

/// A place that defines a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition(EntryId);

/// Every variable that is defined anywhere.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// By name in lower case.
    defined: HashMap<String, Vec<Definition>>,
    /// Names of capture groups in regexes, in lower case.
    captured: HashSet<String>,
    /// True when a module is loaded that nginspect knows nothing of.
    unknown_module: bool,
    /// The first `map` that is `upgrade` for handshakes and not for other requests.
    upgrade_map: Option<EntryId>,
}

impl Config {
    /// The directives that define a variable; the name in any case, without its `$`.
    pub fn definitions(&self, name: &str) -> &[Definition] {
        self.variables()
            .defined
            .get(&name.to_ascii_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// The directive behind a definition.
    pub fn definition(&self, definition: Definition) -> Directive<'_> {
        self.directive(definition.0)
    }

    /// True when nginx knows the variable, or could for all that is visible.
    pub fn may_know_variable(&self, name: &str, subsystem: Subsystem) -> bool {
        let variables = self.variables();
        let built_in = nginx::variable(name, subsystem);
        built_in.is_some_and(|known| known.may_exist_in(self.version))
            || variables.unknown_module
            || self.is_described_variable(name)
            || self.definitions_in(name, subsystem).next().is_some()
            || variables.captured.contains(&name.to_ascii_lowercase())
    }

    /// True when a group of some regex has this name.
    pub fn is_captured_variable(&self, name: &str) -> bool {
        self.variables()
            .captured
            .contains(&name.to_ascii_lowercase())
    }

    /// The variable of this name that nginx has in other versions than the one that reads the configuration.
    pub fn variable_of_other_version(
        &self,
        name: &str,
        subsystem: Subsystem,
    ) -> Option<&'static nginx::Variable> {
        nginx::variable(name, subsystem).filter(|known| !known.may_exist_in(self.version))
    }

    /// The directives that define a variable for a part of nginx: `http` knows nothing of what `stream` defines.
    pub fn definitions_in(
        &self,
        name: &str,
        subsystem: Subsystem,
    ) -> impl Iterator<Item = Directive<'_>> {
        let definitions = self.definitions(name).iter();
        definitions
            .map(|definition| self.definition(*definition))
            .filter(move |directive| directive.subsystem().is_none_or(|own| own == subsystem))
    }

    /// True when a variable is a `map` of another one.
    pub fn is_map_of(&self, name: &str, source: &str) -> bool {
        self.definitions(name).iter().any(|definition| {
            let map = self.definition(*definition);
            let reads = |word: Word<'_>| {
                nginx::references(&word)
                    .iter()
                    .any(|reference| reference.name.eq_ignore_ascii_case(source))
            };
            map.is("map") && map.argument(0).is_some_and(reads)
        })
    }

    /// The values that a variable can have, if it is a `map` and nothing else; the empty value of a map without default
    /// is left out.
    pub fn map_values(&self, name: &str) -> Option<Vec<Word<'_>>> {
        let definitions = self.definitions(name);
        let mut values = Vec::new();
        for definition in definitions {
            let map = self.definition(*definition);
            if !map.is("map") || map.is_incomplete() {
                return None;
            }
            values.extend(map.children().filter_map(|entry| entry.argument(0)));
        }
        (!definitions.is_empty()).then_some(values)
    }

    /// The values that a variable can have, if they are all written out: in `map`, `split_clients`, `geo` and `set`.
    pub fn written_values(&self, name: &str) -> Option<Vec<Word<'_>>> {
        let definitions = self.definitions(name).iter();
        let directives = definitions.map(|definition| self.definition(*definition));
        let mut values: Vec<Word<'_>> = Vec::new();
        for directive in directives {
            // Of a `geo` these are no values.
            let is_setting = |entry: &Directive<'_>| {
                directive.is("geo") && ["proxy", "delete"].iter().any(|name| entry.is(name))
            };
            let is_table = ["map", "split_clients", "geo"]
                .iter()
                .any(|table| directive.is(table));
            match is_table && !directive.is_incomplete() {
                true => {
                    let entries = directive.children().filter(|entry| !is_setting(entry));
                    values.extend(entries.filter_map(|entry| entry.argument(0)));
                }
                false if directive.is("set") => values.extend(directive.argument(1)),
                false => return None,
            }
        }
        if self.is_captured_variable(name) {
            return None;
        }
        let is_whole = |value: &Word<'_>| !value.has_variables() && !value.has_placeholder();
        (!values.is_empty() && values.iter().all(is_whole)).then_some(values)
    }

    /// True when the value of a variable certainly holds no slash.
    pub fn is_without_slash(&self, name: &str) -> bool {
        let mut waiting = vec![name.to_ascii_lowercase()];
        let mut seen = HashSet::new();
        while let Some(name) = waiting.pop() {
            if WITHOUT_SLASH.contains(&&*name) || !seen.insert(name.clone()) {
                continue;
            }
            let values: Vec<_> = self.literals_of(&name).collect();
            let holds = |value: &Word<'_>| value.contains(&b'/') || value.has_placeholder();
            if values.is_empty() || self.is_captured_variable(&name) || values.iter().any(holds) {
                return false;
            }
            for value in &values {
                let references = nginx::references(value).into_iter();
                waiting.extend(references.map(|found| found.name.to_ascii_lowercase()));
            }
        }
        true
    }

    /// The values that `set` and `map` are written to give a variable.
    pub fn literals_of(&self, name: &str) -> impl Iterator<Item = Word<'_>> {
        self.definitions(name)
            .iter()
            .map(|definition| self.definition(*definition))
            .flat_map(|directive| {
                let entries = directive.children().filter_map(|entry| entry.argument(0));
                let set = directive.is("set").then(|| directive.argument(1)).flatten();
                set.into_iter().chain(entries)
            })
    }

    /// A `map` of `$http_upgrade` that is `upgrade` for handshakes: the name of its variable.
    pub fn upgrade_map(&self) -> Option<Word<'_>> {
        self.variables()
            .upgrade_map
            .and_then(|map| self.directive(map).argument(1))
    }

    /// How much is visible of the places where maps, upstreams and the like are defined.
    ///
    /// Such definitions usually live in other files, so a fragment shows nothing of what is missing.
    pub fn visibility_of_definitions(&self) -> Visibility {
        let incomplete = self.incomplete_top || self.entries.iter().any(|entry| entry.incomplete);
        if self.fragment.is_some() || incomplete {
            Visibility::Partial
        } else {
            Visibility::Whole
        }
    }

    /// The names that the configuration defines, in lower case.
    pub(super) fn defined_variables(&self) -> impl Iterator<Item = &str> {
        let variables = self.variables();
        let names = variables.defined.keys().chain(&variables.captured);
        names.map(String::as_str)
    }

    fn variables(&self) -> &Variables {
        self.variables.get_or_init(|| {
            let mut variables = Variables::default();
            let mut typos = self.misfits().filter_map(|(directive, misfit)| {
                let meant = matches!(misfit, Misfit::Unknown { meant: Some(_) });
                meant.then_some(directive.id)
            });
            let mut typo = typos.next();
            let mut end_of_typo = 0;
            for directive in self.directives() {
                if typo == Some(directive.id) {
                    end_of_typo = directive.entry().end;
                    typo = typos.next();
                }
                variables.read(directive, directive.id < end_of_typo);
            }
            variables
        })
    }
}

impl Variables {
    fn read(&mut self, directive: Directive<'_>, is_typo: bool) {
        if directive
            .context()
            .intersects(Contexts::TYPES.union(Contexts::GEO))
        {
            return;
        }
        let name = directive.name();
        self.capture(&name);
        if directive.context() == Contexts::OTHER {
            // `geoip2` and its like define variables line by line in their blocks.
            for reference in nginx::references(&name) {
                self.define(&reference.name, directive);
            }
        } else if !is_typo && !directive.context().intersects(Contexts::TABLES) {
            // The module of an unknown directive may be built in, with variables of its own.
            self.unknown_module |= !directive.config.knows_directive(&name);
        }
        if &*name == b"map" && self.upgrade_map.is_none() && is_upgrade_map(directive) {
            self.upgrade_map = Some(directive.id);
        }
        let defining = match directive.context().intersects(Contexts::TABLES) {
            // The value of an entry, and no variable that it sets.
            true => Defining::None,
            false => defining_arguments(&name, directive),
        };
        for (index, argument) in directive.arguments().enumerate() {
            self.capture(&argument);
            let whole = nginx::references(&argument)
                .into_iter()
                .find(|reference| reference.range == (0..argument.len()));
            if let Some(reference) = whole.filter(|_| defining.contains(index)) {
                self.define(&reference.name, directive);
            }
            if &*name == b"load_module" {
                self.unknown_module |= !directive.config.knows_module(&argument);
            }
        }
    }

    fn define(&mut self, name: &str, directive: Directive<'_>) {
        let definitions = self.defined.entry(name.to_ascii_lowercase()).or_default();
        definitions.push(Definition(directive.id));
    }

    /// Notes the names of `(?<name>…)`, `(?P<name>…)` and `(?'name'…)`, wherever they stand.
    fn capture(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(start) = rest.windows(2).position(|window| window == b"(?") {
            rest = &rest[start + 2..];
            let name = rest.strip_prefix(b"P").unwrap_or(rest);
            if let [b'<' | b'\'', name @ ..] = name {
                let length = name
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
                let name = String::from_utf8_lossy(&name[..length]).to_ascii_lowercase();
                if !name.is_empty() {
                    self.captured.insert(name);
                }
            }
        }
    }
}

fn is_upgrade_map(map: Directive<'_>) -> bool {
    let value = |key: &str| {
        map.children()
            .find(|entry| entry.name() == key)
            .and_then(|entry| entry.argument(0))
    };
    let says = |value: Word<'_>| value.eq_ignore_ascii_case(b"upgrade");
    map.argument(0)
        .is_some_and(|source| source == "$http_upgrade")
        && value("default").is_some_and(says)
        && value("").is_some_and(|value| !says(value))
}

/// Which arguments of a directive define the variable that they name.
enum Defining {
    None,
    At(usize),
    All,
}

impl Defining {
    fn contains(&self, index: usize) -> bool {
        match self {
            Self::None => false,
            Self::At(place) => *place == index,
            Self::All => true,
        }
    }
}

fn defining_arguments(name: &[u8], directive: Directive<'_>) -> Defining {
    match name {
        b"set" | b"auth_request_set" | b"perl_set" | b"js_set" | b"js_var" => Defining::At(0),
        b"map" | b"split_clients" | b"keyval" | b"num_map" => Defining::At(1),
        b"geo" => Defining::At(directive.arguments().count().saturating_sub(1)),
        _ if is_foreign(name) => Defining::All,
        _ => Defining::None,
    }
}

/// True for a directive that nginx itself does not define: a module's way of setting variables is not known, so any
/// variable that it names may be one that it sets.
fn is_foreign(name: &[u8]) -> bool {
    nginx::directive(name).is_none_or(|known| known.forms.iter().all(nginx::Form::is_foreign))
}
