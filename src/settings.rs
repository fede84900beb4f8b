//! `nginspect.toml`: what a repository or a machine wants nginspect to know and to do.
//!
//! One table, [`KEYS`], says what the file may hold: the parser, the JSON schema, the manual and `--show-settings` are
//! all made from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::{Assumptions, Excluded, Network, PathPattern, closest};
use crate::diagnostic::{Diagnostic, Severity};
use crate::nginx::{self, Version};
use crate::rule::Rule;
use crate::source::{FileId, Origin, Sources, Span};

/// The name that is looked for in the folders upwards.
pub const FILE_NAME: &str = "nginspect.toml";

/// What errors in the file are called where findings have the names of their rules.
pub const NAME: &str = "settings";

/// The rules by name.
pub type Rules<'r> = &'r [(&'static str, &'static Rule)];

/// From which severity on findings make a run fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings and errors.
    #[default]
    Warning,
    /// Any finding.
    Note,
    /// None.
    Never,
}

impl FailOn {
    /// Each with its name.
    pub const NAMES: [(&str, Self); 4] = [
        ("error", Self::Error),
        ("warning", Self::Warning),
        ("note", Self::Note),
        ("never", Self::Never),
    ];

    /// True when a finding of this severity makes the run fail.
    pub fn includes(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
            Self::Never => false,
        }
    }
}

/// The severities that a rule can be given, and none of them.
const LEVELS: [(&str, Option<Severity>); 4] = [
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("off", None),
];

/// Who set a key that does not have its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setter {
    /// A line of the file, from 1.
    Line(u32),
    /// A flag.
    Flag(&'static str),
}

/// What is in effect; empty where nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// `nginx-version`
    pub nginx_version: Option<Version>,
    /// `config`
    pub config: Option<PathBuf>,
    /// `prefix`
    pub prefix: Option<PathBuf>,
    /// `root`
    pub root: Option<PathBuf>,
    /// `select`
    pub select: Vec<String>,
    /// `ignore`
    pub ignore: Vec<String>,
    /// `exclude`
    pub exclude: Vec<String>,
    /// `fail-on`
    pub fail_on: Option<FailOn>,
    /// `[level]`; nothing for a rule that is off
    pub levels: Vec<(String, Option<Severity>)>,
    /// `websocket-paths`
    pub websocket_paths: Vec<PathPattern>,
    /// `not-websocket-paths`
    pub not_websocket_paths: Vec<PathPattern>,
    /// `short-timeout`: as it is written, and in milliseconds
    pub short_timeout: Option<(String, u64)>,
    /// `trusted-proxies`: as they are written, and what that means
    pub trusted_proxies: Vec<(String, Network)>,
    /// `[modules]`
    pub modules: Vec<(String, Vec<String>)>,
    /// By key, or by table and key as `level.short-timeout`.
    setters: BTreeMap<String, Setter>,
}

/// A key of the file.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// A line that sets it.
    pub example: &'static str,
    /// What holds without it.
    pub default: &'static str,
    /// The flag that wins over it.
    pub flag: Option<&'static str>,
    kind: Kind,
}

/// Where the value of a key goes.
type At<T> = fn(&mut Settings) -> &mut T;

/// What a key holds, and where that goes.
enum Kind {
    Version(At<Option<Version>>),
    Path(At<Option<PathBuf>>),
    Rules(At<Vec<String>>),
    Files(At<Vec<String>>),
    FailOn(At<Option<FailOn>>),
    Levels(At<Vec<(String, Option<Severity>)>>),
    Locations(At<Vec<PathPattern>>),
    Time(At<Option<(String, u64)>>),
    Networks(At<Vec<(String, Network)>>),
    Modules(At<Vec<(String, Vec<String>)>>),
}

/// Every key of the file.
pub static KEYS: &[Key] = &[
    Key {
        name: "nginx-version",
        about: "The nginx that will read the configuration.",
        example: r#"nginx-version = "1.30.0""#,
        default: r#""1.28.0""#,
        flag: Some("--nginx-version"),
        kind: Kind::Version(|settings| &mut settings.nginx_version),
    },
    Key {
        name: "config",
        about: "The root configuration that files belong to; checked when no path is named.",
        example: r#"config = "deploy/nginx.conf""#,
        default: "(the nearest nginx.conf upwards)",
        flag: Some("--config"),
        kind: Kind::Path(|settings| &mut settings.config),
    },
    Key {
        name: "prefix",
        about: "nginx's prefix: the folder whose `nginx.conf` or `conf/nginx.conf` is checked when no path is named.",
        example: r#"prefix = "nginx""#,
        default: "(none)",
        flag: Some("--prefix"),
        kind: Kind::Path(|settings| &mut settings.prefix),
    },
    Key {
        name: "root",
        about: "The folder below which absolute include paths are looked up.",
        example: r#"root = "image""#,
        default: "(none)",
        flag: Some("--root"),
        kind: Kind::Path(|settings| &mut settings.root),
    },
    Key {
        name: "select",
        about: "The rules and categories that run.",
        example: r#"select = ["websocket", "proxy"]"#,
        default: "(all)",
        flag: Some("--select"),
        kind: Kind::Rules(|settings| &mut settings.select),
    },
    Key {
        name: "ignore",
        about: "Rules and categories that do not run.",
        example: r#"ignore = ["identity-proxy-uri"]"#,
        default: "[]",
        flag: Some("--ignore"),
        kind: Kind::Rules(|settings| &mut settings.ignore),
    },
    Key {
        name: "exclude",
        about: "Patterns of files and folders that are passed over, and whose findings are not reported.",
        example: r#"exclude = ["vendor", "**/*.old.conf"]"#,
        default: "[]",
        flag: None,
        kind: Kind::Files(|settings| &mut settings.exclude),
    },
    Key {
        name: "fail-on",
        about: "From which level on findings make the exit code 1.",
        example: r#"fail-on = "error""#,
        default: r#""warning""#,
        flag: Some("--fail-on"),
        kind: Kind::FailOn(|settings| &mut settings.fail_on),
    },
    Key {
        name: "level",
        about: "The level of all findings of a rule or a category, or `off`.",
        example: r#"level.short-timeout = "note""#,
        default: "(each rule's own)",
        flag: None,
        kind: Kind::Levels(|settings| &mut settings.levels),
    },
    Key {
        name: "websocket-paths",
        about: "Patterns of locations that are certainly meant for WebSockets.",
        example: r#"websocket-paths = ["/feed/**"]"#,
        default: "[]",
        flag: None,
        kind: Kind::Locations(|settings| &mut settings.websocket_paths),
    },
    Key {
        name: "not-websocket-paths",
        about: "Patterns of locations that are never meant for WebSockets, whatever they are called.",
        example: r#"not-websocket-paths = ["/ws/soap/**"]"#,
        default: "[]",
        flag: None,
        kind: Kind::Locations(|settings| &mut settings.not_websocket_paths),
    },
    Key {
        name: "short-timeout",
        about: "Timeouts up to this time, written as in nginx, are short.",
        example: r#"short-timeout = "2s""#,
        default: r#""5s""#,
        flag: None,
        kind: Kind::Time(|settings| &mut settings.short_timeout),
    },
    Key {
        name: "trusted-proxies",
        about: "Addresses and networks of the proxies in front, whose headers may be believed.",
        example: r#"trusted-proxies = ["10.0.0.0/8", "2001:db8::1"]"#,
        default: "[]",
        flag: None,
        kind: Kind::Networks(|settings| &mut settings.trusted_proxies),
    },
    Key {
        name: "modules",
        about: "Directives and `$variables` of modules that nginspect does not know, by the name of the module.",
        example: r#"modules.ngx_http_shop_module = ["shop_cart", "$shop_user"]"#,
        default: "(none)",
        flag: None,
        kind: Kind::Modules(|settings| &mut settings.modules),
    },
];

/// What is wrong with a file of settings.
#[derive(Debug)]
pub struct Broken {
    /// The file.
    pub sources: Sources,
    /// Every mistake in it.
    pub diagnostics: Vec<Diagnostic>,
}

impl Settings {
    /// Notes that a flag has set a key.
    pub fn set_by_flag(&mut self, key: &'static str, flag: &'static str) {
        self.setters.insert(key.to_owned(), Setter::Flag(flag));
    }

    /// Notes that a key has its default again.
    pub fn forget(&mut self, key: &str) {
        self.setters.remove(key);
    }

    /// The files that are passed over.
    pub fn excluded(&self) -> Excluded {
        let folder = self.file.as_deref().and_then(Path::parent);
        Excluded::new(folder.unwrap_or(Path::new("")), self.exclude.clone())
    }

    /// What the model of the configuration has to know.
    pub fn assumptions(&self) -> Assumptions {
        let mut assumptions = Assumptions {
            websocket_paths: self.websocket_paths.clone(),
            not_websocket_paths: self.not_websocket_paths.clone(),
            trusted_proxies: self
                .trusted_proxies
                .iter()
                .map(|(_, network)| *network)
                .collect(),
            ..Assumptions::default()
        };
        if let Some((_, time)) = &self.short_timeout {
            assumptions.short_timeout = *time;
        }
        for (module, names) in &self.modules {
            assumptions.modules.insert(module.clone());
            for name in names {
                match name.strip_prefix('$') {
                    Some(name) => assumptions.variables.insert(name.to_ascii_lowercase()),
                    None => assumptions.directives.insert(name.clone()),
                };
            }
        }
        assumptions
    }

    /// What is in effect, one line for each key, each with the place that its value came from.
    pub fn shown(&self) -> String {
        let mut copy = self.clone();
        let mut lines: Vec<(String, String)> = Vec::new();
        for key in KEYS {
            let name = key.name;
            let values = key.kind.values(&mut copy);
            if values.is_empty() {
                lines.push((format!("{name} = {}", key.default), self.origin(name)));
            }
            for (below, value) in values {
                let name = below.map_or_else(|| name.to_owned(), |below| format!("{name}.{below}"));
                lines.push((format!("{name} = {value}"), self.origin(&name)));
            }
        }
        let widest = lines.iter().map(|(line, _)| line.chars().count()).max();
        let width = widest.unwrap_or(0).min(60);
        let mut shown = String::new();
        for (line, origin) in lines {
            writeln!(shown, "{line:width$}  # {origin}").expect("a string takes everything");
        }
        shown
    }

    fn origin(&self, key: &str) -> String {
        match (self.setters.get(key), &self.file) {
            (Some(Setter::Line(line)), Some(file)) => format!("{}:{line}", file.display()),
            (Some(Setter::Flag(flag)), _) => (*flag).to_owned(),
            _ => "default".to_owned(),
        }
    }
}

impl Kind {
    /// The values of the key as TOML, of a table with their names.
    fn values(&self, settings: &mut Settings) -> Vec<(Option<String>, String)> {
        let list = |texts: Vec<String>| {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            (!texts.is_empty()).then(|| format!("[{}]", texts.join(", ")))
        };
        let value = match self {
            Self::Version(at) => at(settings).map(|version| quoted(&version.to_string())),
            Self::Path(at) => at(settings)
                .as_ref()
                .map(|path| quoted(&path.to_string_lossy())),
            Self::Rules(at) | Self::Files(at) => list(at(settings).clone()),
            Self::FailOn(at) => at(settings).and_then(|wanted| {
                let name = FailOn::NAMES.iter().find(|(_, known)| *known == wanted);
                name.map(|(name, _)| quoted(name))
            }),
            Self::Locations(at) => list(
                at(settings)
                    .iter()
                    .map(|pattern| pattern.as_str().to_owned())
                    .collect(),
            ),
            Self::Time(at) => at(settings).as_ref().map(|(text, _)| quoted(text)),
            Self::Networks(at) => list(at(settings).iter().map(|(text, _)| text.clone()).collect()),
            Self::Levels(at) => {
                return at(settings)
                    .iter()
                    .filter_map(|(name, level)| {
                        let (word, _) = LEVELS.iter().find(|(_, known)| known == level)?;
                        Some((Some(bare(name)), quoted(word)))
                    })
                    .collect();
            }
            Self::Modules(at) => {
                return at(settings)
                    .iter()
                    .map(|(name, names)| {
                        let names = list(names.clone()).unwrap_or_else(|| "[]".to_owned());
                        (Some(bare(name)), names)
                    })
                    .collect();
            }
        };
        value.map(|value| (None, value)).into_iter().collect()
    }

    fn schema(&self, rules: Rules<'_>) -> Value {
        let names = || Value::from(names(rules).collect::<Vec<_>>());
        let strings = json!({"type": "array", "items": {"type": "string"}});
        match self {
            Self::Version(_) => json!({"type": "string", "pattern": r"^\d+\.\d+(\.\d+)?$"}),
            Self::Path(_) => json!({"type": "string"}),
            Self::Rules(_) => json!({"type": "array", "items": {"enum": names()}}),
            Self::FailOn(_) => json!({"enum": FailOn::NAMES.map(|(name, _)| name)}),
            Self::Levels(_) => json!({
                "type": "object",
                "propertyNames": {"enum": names()},
                "additionalProperties": {"enum": LEVELS.map(|(name, _)| name)},
            }),
            Self::Locations(_) => {
                json!({"type": "array", "items": {"type": "string", "pattern": "^[/@*]"}})
            }
            Self::Time(_) => json!({"type": "string", "pattern": r"^(\d+(w|d|h|m|s|ms)? *)+$"}),
            Self::Files(_) | Self::Networks(_) => strings,
            Self::Modules(_) => json!({"type": "object", "additionalProperties": strings}),
        }
    }
}

/// A string as TOML and JSON write it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A key as TOML writes it.
fn bare(key: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// The JSON schema of the file, for editors.
pub fn schema(rules: Rules<'_>) -> Value {
    let properties = KEYS.iter().map(|key| {
        let mut schema = Map::new();
        schema.insert("description".to_owned(), Value::from(key.about));
        if let Value::Object(kind) = key.kind.schema(rules) {
            schema.extend(kind);
        }
        (key.name.to_owned(), Value::Object(schema))
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": FILE_NAME,
        "description": "Settings of nginspect, a linter for nginx configurations",
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// The names by which rules are chosen: categories first, in the order of the rules.
fn names<'r>(rules: Rules<'r>) -> impl Iterator<Item = &'static str> + 'r {
    let mut categories: Vec<_> = rules.iter().map(|(_, rule)| rule.category).collect();
    categories.sort();
    categories.dedup();
    let categories = categories.into_iter().map(|category| category.as_str());
    categories.chain(rules.iter().map(|(name, _)| *name))
}

/// Says that there is no rule or category of this name, and which was meant.
///
/// # Errors
/// When there is none.
pub fn check_name(name: &str, rules: Rules<'_>) -> Result<(), String> {
    if names(rules).any(|known| known == name) {
        return Ok(());
    }
    let meant = name.replace('_', "-").to_lowercase();
    Err(match closest(&meant, names(rules)) {
        Some(similar) => {
            format!("there is no rule or category `{name}`; did you mean `{similar}`?")
        }
        None => format!("there is no rule or category `{name}`; `nginspect rule` lists them"),
    })
}

/// Reads the text of a file of settings; relative paths in it start at its folder.
///
/// # Errors
/// When the text is no TOML, or holds what the file must not hold.
pub fn parse(file: &Path, text: Vec<u8>, rules: Rules<'_>) -> Result<Settings, Box<Broken>> {
    let mut sources = Sources::default();
    let id = sources.add(file.to_string_lossy(), Origin::Disk(file.to_owned()), text);
    let source = sources.file(id);
    let mut reader = Reader {
        file: id,
        folder: file.parent().unwrap_or(Path::new("")),
        rules,
        diagnostics: Vec::new(),
    };
    let mut settings = Settings {
        file: Some(file.to_owned()),
        ..Settings::default()
    };
    match str::from_utf8(source.bytes()) {
        Ok(text) => {
            let line = |offset: usize| source.position(offset as u32).line;
            reader.document(text, &line, &mut settings);
        }
        Err(error) => {
            let start = error.valid_up_to();
            reader.wrong(start..start + 1, "the file is not UTF-8".to_owned(), "");
        }
    }
    let diagnostics = reader.diagnostics;
    if diagnostics.is_empty() {
        Ok(settings)
    } else {
        Err(Box::new(Broken {
            sources,
            diagnostics,
        }))
    }
}

struct Reader<'a> {
    file: FileId,
    folder: &'a Path,
    rules: Rules<'a>,
    diagnostics: Vec<Diagnostic>,
}

type Written<'t> = Spanned<DeValue<'t>>;

impl Reader<'_> {
    fn wrong(
        &mut self,
        range: std::ops::Range<usize>,
        message: String,
        label: &str,
    ) -> &mut Diagnostic {
        let span = Span::new(self.file, range.start as u32, range.end as u32);
        self.diagnostics.push(Diagnostic {
            rule: NAME,
            severity: Severity::Error,
            message,
            span,
            label: (!label.is_empty()).then(|| label.to_owned()),
            labels: Vec::new(),
            story: None,
            witness: None,
            help: None,
            fixes: Vec::new(),
        });
        self.diagnostics
            .last_mut()
            .expect("a mistake was just added")
    }

    fn document(&mut self, text: &str, line: &dyn Fn(usize) -> u32, settings: &mut Settings) {
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.wrong(error.span().unwrap_or(0..0), message, "");
        }
        if !self.diagnostics.is_empty() {
            return;
        }
        for (key, value) in in_order(document.get_ref()) {
            let name = key.get_ref();
            let Some(known) = KEYS.iter().find(|known| known.name == name) else {
                self.unknown_key(key, value);
                continue;
            };
            settings
                .setters
                .insert(known.name.to_owned(), Setter::Line(line(key.span().start)));
            if let DeValue::Table(table) = value.get_ref() {
                for (below, _) in in_order(table) {
                    let place = format!("{}.{}", known.name, bare(below.get_ref()));
                    settings
                        .setters
                        .insert(place, Setter::Line(line(below.span().start)));
                }
            }
            self.value(known, value, settings);
        }
    }

    fn unknown_key(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, value: &Written<'_>) {
        let name = key.get_ref();
        let meant = name.replace('_', "-").to_lowercase();
        let similar = closest(&meant, KEYS.iter().map(|key| key.name));
        let is_level = !value.get_ref().is_table() && check_name(&meant, self.rules).is_ok();
        let mistake = self.wrong(key.span(), format!("there is no setting `{name}`"), "");
        match similar {
            Some(similar) => mistake.label = Some(format!("did you mean `{similar}`?")),
            None if is_level => {
                mistake.help = Some("The levels of rules stand below `[level]`.".to_owned());
            }
            None => {
                let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
                mistake.help = Some(format!("There are {}.", known.join(", ")));
            }
        }
    }

    fn value(&mut self, key: &Key, value: &Written<'_>, settings: &mut Settings) {
        match key.kind {
            Kind::Version(at) => *at(settings) = self.one(key, value, version),
            Kind::Path(at) => {
                let folder = self.folder;
                *at(settings) = self.one(key, value, |text| match text {
                    "" => Err("a path is not empty".to_owned()),
                    _ => Ok(folder.join(text)),
                });
            }
            Kind::FailOn(at) => {
                *at(settings) = self.one(key, value, |text| word(text, &FailOn::NAMES));
            }
            Kind::Time(at) => *at(settings) = self.one(key, value, time),
            Kind::Rules(at) => {
                let rules = self.rules;
                *at(settings) = self.list(key, value, |text| {
                    check_name(text, rules).map(|()| text.to_owned())
                });
            }
            Kind::Files(at) => *at(settings) = self.list(key, value, file_pattern),
            Kind::Locations(at) => *at(settings) = self.list(key, value, str::parse),
            Kind::Networks(at) => {
                *at(settings) = self.list(key, value, |text| Ok((text.to_owned(), text.parse()?)));
            }
            Kind::Levels(at) => {
                for (name, level) in self.table(key, value) {
                    if let Err(message) = check_name(name.get_ref(), self.rules) {
                        self.wrong(name.span(), message, "");
                    }
                    let level = self.one(key, level, |text| word(text, &LEVELS));
                    at(settings).extend(level.map(|level| (name.get_ref().to_string(), level)));
                }
            }
            Kind::Modules(at) => {
                for (name, names) in self.table(key, value) {
                    let names = self.list(key, names, module_name);
                    at(settings).push((name.get_ref().to_string(), names));
                }
            }
        }
    }

    fn mistyped(&mut self, key: &Key, value: &Written<'_>, wanted: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{}` is {wanted}, not {found}", key.name);
        self.wrong(value.span(), message, "").help =
            Some(format!("For example `{}`.", key.example));
    }

    fn one<T>(
        &mut self,
        key: &Key,
        value: &Written<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            let below = matches!(key.kind, Kind::Levels(_));
            let wanted = if below {
                "a table of strings"
            } else {
                "a string"
            };
            self.mistyped(key, value, wanted);
            return None;
        };
        read(text)
            .map_err(|message| self.wrong(value.span(), message, &format!("in `{}`", key.name)))
            .ok()
    }

    fn list<T>(
        &mut self,
        key: &Key,
        value: &Written<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let below = matches!(key.kind, Kind::Modules(_));
        let wanted = if below {
            "a table of lists of strings"
        } else {
            "a list of strings"
        };
        let Some(items) = value.get_ref().as_array() else {
            self.mistyped(key, value, wanted);
            return Vec::new();
        };
        let mut read_items = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str().map(&read) {
                Some(Ok(item)) => read_items.push(item),
                Some(Err(message)) => {
                    self.wrong(item.span(), message, &format!("in `{}`", key.name));
                }
                None => self.mistyped(key, item, wanted),
            }
        }
        read_items
    }

    fn table<'t, 'v>(&mut self, key: &Key, value: &'v Written<'t>) -> Entries<'t, 'v> {
        match value.get_ref() {
            DeValue::Table(table) => in_order(table),
            _ => {
                self.mistyped(key, value, "a table");
                Vec::new()
            }
        }
    }
}

type Entries<'t, 'v> = Vec<(&'v Spanned<std::borrow::Cow<'t, str>>, &'v Written<'t>)>;

/// The keys of a table as they are written.
fn in_order<'t, 'v>(table: &'v DeTable<'t>) -> Entries<'t, 'v> {
    let mut entries: Entries<'_, '_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn version(text: &str) -> Result<Version, String> {
    if text == "auto" {
        // Looking at a repository must not run programs.
        return Err(
            "`auto` runs nginx, so it is for the command line only: `--nginx-version auto`"
                .to_owned(),
        );
    }
    text.parse()
}

fn time(text: &str) -> Result<(String, u64), String> {
    nginx::milliseconds(text.as_bytes())
        .map(|time| (text.to_owned(), time))
        .ok_or_else(|| format!("`{text}` is not a time of nginx such as 5s or 1m30s"))
}

fn word<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names = known.iter().map(|(name, _)| *name);
        match closest(&text.to_lowercase(), names.clone()) {
            Some(similar) => format!("`{text}` is no level; did you mean `{similar}`?"),
            None => {
                let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                format!("`{text}` is no level; there are {}", names.join(", "))
            }
        }
    })
}

fn file_pattern(text: &str) -> Result<String, String> {
    let outside = text.starts_with('/') || text.split('/').any(|part| part == "..");
    match text {
        "" => Err("a pattern is not empty".to_owned()),
        _ if outside => Err(format!("`{text}` leads out of the folder of this file")),
        _ => Ok(text.to_owned()),
    }
}

fn module_name(text: &str) -> Result<String, String> {
    let name = text.strip_prefix('$').unwrap_or(text);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!(
            "`{text}` is not the name of a directive or a `$variable`"
        ));
    }
    Ok(text.to_owned())
}
