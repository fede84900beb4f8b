//! What a source tree of nginx says of directives and variables: its tables of `ngx_command_t` and of variables.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nginspect::nginx::{Contexts, Duplicate, Form, Kind, Source, Subsystem, Variable, Version};

/// A row of a table of commands.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) contexts: Contexts,
    /// True for `include`, which the table says may stand anywhere.
    pub(crate) is_anywhere: bool,
    pub(crate) min: u8,
    pub(crate) max: u8,
    pub(crate) is_odd: bool,
    block: bool,
    /// What its setter takes, if that is one of the generic ones.
    pub(crate) kind: Option<Kind>,
    pub(crate) setter: String,
}

impl Command {
    /// True when the row of the table is about this command.
    pub(crate) fn is_for(&self, form: &Form) -> bool {
        form.module == self.module
            && form.block == self.block
            && (self.is_anywhere || form.contexts.intersects(self.contexts))
    }

    pub(crate) fn form(&self, version: Version) -> Form {
        let is_generic = self.setter.starts_with("ngx_conf_set_");
        let is_refused =
            is_generic && !self.setter.contains("array") && !self.setter.contains("keyval");
        let kind = self.kind.unwrap_or(Kind::Custom);
        Form {
            is_odd: self.is_odd,
            block: self.block,
            inside: if self.block {
                Contexts::OTHER
            } else {
                Contexts::UNKNOWN
            },
            duplicate: match is_refused {
                true => Duplicate::Refused,
                false => Duplicate::Unknown,
            },
            since: version,
            ..Form::new(self.module, self.contexts, self.min, self.max, kind)
        }
    }
}

/// A row of a table of variables.
#[derive(Debug)]
pub(crate) struct FoundVariable {
    pub(crate) name: &'static str,
    pub(crate) subsystem: Subsystem,
    pub(crate) is_settable: bool,
    module: &'static str,
}

impl FoundVariable {
    pub(crate) fn row(&self, version: Version) -> Variable {
        Variable {
            name: self.name,
            module: self.module,
            is_settable: self.is_settable,
            source: Source::Nginx,
            is_unescaped: false,
            since: version,
            gone: None,
        }
    }
}

/// A source tree.
pub(crate) struct Tree {
    pub(crate) version: Version,
    pub(crate) modules: BTreeSet<&'static str>,
    pub(crate) commands: Vec<Command>,
    pub(crate) variables: Vec<FoundVariable>,
}

impl Tree {
    /// Reads the folder that holds `core/nginx.h`, or the one above it.
    pub(crate) fn read(folder: &Path) -> Self {
        let folder = match folder.join("src") {
            inside if inside.is_dir() => inside,
            _ => folder.to_owned(),
        };
        let header = folder.join("core/nginx.h");
        let header = std::fs::read_to_string(&header)
            .unwrap_or_else(|error| panic!("{}: {error}", header.display()));
        let version = header
            .lines()
            .find(|line| line.starts_with("#define NGINX_VERSION"))
            .and_then(|line| line.split('"').nth(1))
            .and_then(|version| version.parse().ok())
            .expect("nginx.h tells the version");
        let mut tree = Self {
            version,
            modules: BTreeSet::new(),
            commands: Vec::new(),
            variables: Vec::new(),
        };
        for path in c_files(&folder) {
            let text = std::fs::read(&path).expect("a readable source file");
            tree.add(&without_comments(&String::from_utf8_lossy(&text)));
        }
        tree
    }

    fn add(&mut self, text: &str) {
        let mut last = "";
        for (module, body) in definitions(text, "ngx_module_t") {
            let module: &'static str = Box::leak(module.to_owned().into_boxed_str());
            last = module;
            self.modules.insert(module);
            let commands = fields(body).nth(2).unwrap_or_default();
            let table = arrays(text, "ngx_command_t").find(|(name, _)| *name == commands);
            for row in table.into_iter().flat_map(|(_, rows)| rows) {
                self.commands.extend(command(text, module, row));
            }
        }
        for (kind, subsystem) in [
            ("ngx_http_variable_t", Subsystem::Http),
            ("ngx_stream_variable_t", Subsystem::Stream),
        ] {
            for row in arrays(text, kind).flat_map(|(_, rows)| rows) {
                let flags = fields(row).nth(4).unwrap_or_default();
                let prefix = flags.contains("VAR_PREFIX");
                let Some(name) = string(row).filter(|_| !prefix) else {
                    continue;
                };
                self.variables.push(FoundVariable {
                    name: Box::leak(name.to_owned().into_boxed_str()),
                    subsystem,
                    is_settable: flags.contains("CHANGEABLE"),
                    module: last,
                });
            }
        }
    }
}

fn c_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    let files = paths.into_iter().flat_map(|path| match path.is_dir() {
        true => c_files(&path),
        false => vec![path],
    });
    files
        .filter(|path| path.extension().is_some_and(|end| end == "c"))
        .collect()
}

/// The text without comments and lines of the preprocessor: what either branch of a condition defines counts, unless
/// the condition is `#if 0`.
fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        plain.push_str(&rest[..start]);
        let end = rest[start..]
            .find("*/")
            .map_or(rest.len(), |end| start + end + 2);
        rest = &rest[end..];
    }
    plain.push_str(rest);
    let mut kept = String::new();
    let mut is_dead = false;
    for line in plain.lines() {
        match line.strip_prefix('#').map(str::trim) {
            Some("if 0") => is_dead = true,
            Some("endif") => is_dead = false,
            None if !is_dead => {
                kept.push_str(line);
                kept.push('\n');
            }
            _ => {}
        }
    }
    kept
}

/// The definitions `type name = { … }` of a type: the name and what stands between the braces.
fn definitions<'t>(text: &'t str, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    text.match_indices(kind).filter_map(move |(at, _)| {
        let rest = &text[at + kind.len()..];
        let (name, rest) = rest.split_once('=')?;
        let body = braced(rest)?;
        let name = name.trim().trim_end_matches("[]").trim();
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then_some((name, body))
    })
}

/// The arrays of a type: the name, and what stands between the braces of each row.
fn arrays<'t>(text: &'t str, kind: &'t str) -> impl Iterator<Item = (&'t str, Vec<&'t str>)> {
    definitions(text, kind).map(|(name, body)| {
        let mut rows = Vec::new();
        let mut rest = body;
        while let Some(start) = rest.find('{') {
            let Some(row) = braced(&rest[start..]) else {
                break;
            };
            rows.push(row);
            rest = &rest[start + row.len() + 2..];
        }
        (name, rows)
    })
}

/// What stands between the first brace, which only blanks may precede, and the one that closes it.
fn braced(text: &str) -> Option<&str> {
    let text = text.trim_start().strip_prefix('{')?;
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[..at]);
        }
    }
    None
}

/// The parts of a row between commas outside of parentheses.
fn fields(row: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let parts = row.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.map(str::trim)
}

/// The text of the `ngx_string` that a row begins with.
fn string(row: &str) -> Option<&str> {
    let start = row.trim_start().strip_prefix("ngx_string(\"")?;
    start.split('"').next()
}

fn command(text: &str, module: &'static str, row: &str) -> Option<Command> {
    let name = string(row)?;
    let parts: Vec<&str> = fields(row).collect();
    let [_, flags, setter, rest @ ..] = parts.as_slice() else {
        return None;
    };
    let flags: Vec<&str> = flags.split('|').map(str::trim).collect();
    let has = |flag: &str| flags.contains(&flag);
    let contexts = CONTEXTS
        .iter()
        .filter(|(flag, _)| has(flag))
        .filter_map(|(_, name)| Contexts::listed(name))
        .fold(Contexts::NONE, Contexts::union);
    let counts: Vec<u8> = COUNTS
        .iter()
        .filter(|(flag, _)| has(flag))
        .flat_map(|(_, counts)| counts.iter().copied())
        .collect();
    let post = rest.last().unwrap_or(&"");
    Some(Command {
        name: Box::leak(name.to_owned().into_boxed_str()),
        module,
        contexts,
        is_anywhere: has("NGX_ANY_CONF"),
        min: *counts.iter().min()?,
        max: *counts.iter().max()?,
        is_odd: counts == [1, 3],
        block: has("NGX_CONF_BLOCK"),
        kind: kind(text, setter, post),
        setter: (*setter).to_owned(),
    })
}

const CONTEXTS: &[(&str, &str)] = &[
    ("NGX_MAIN_CONF", "main"),
    ("NGX_EVENT_CONF", "events"),
    ("NGX_HTTP_MAIN_CONF", "http"),
    ("NGX_HTTP_SRV_CONF", "server"),
    ("NGX_HTTP_LOC_CONF", "location"),
    ("NGX_HTTP_SIF_CONF", "server_if"),
    ("NGX_HTTP_LIF_CONF", "location_if"),
    ("NGX_HTTP_LMT_CONF", "limit_except"),
    ("NGX_HTTP_UPS_CONF", "upstream"),
    ("NGX_STREAM_MAIN_CONF", "stream"),
    ("NGX_STREAM_SRV_CONF", "stream_server"),
    ("NGX_STREAM_UPS_CONF", "stream_upstream"),
    ("NGX_MAIL_MAIN_CONF", "mail"),
    ("NGX_MAIL_SRV_CONF", "mail_server"),
];

const COUNTS: &[(&str, &[u8])] = &[
    ("NGX_CONF_NOARGS", &[0]),
    ("NGX_CONF_TAKE1", &[1]),
    ("NGX_CONF_TAKE2", &[2]),
    ("NGX_CONF_TAKE3", &[3]),
    ("NGX_CONF_TAKE4", &[4]),
    ("NGX_CONF_TAKE5", &[5]),
    ("NGX_CONF_TAKE6", &[6]),
    ("NGX_CONF_TAKE7", &[7]),
    ("NGX_CONF_TAKE12", &[1, 2]),
    ("NGX_CONF_TAKE13", &[1, 3]),
    ("NGX_CONF_TAKE23", &[2, 3]),
    ("NGX_CONF_TAKE34", &[3, 4]),
    ("NGX_CONF_TAKE123", &[1, 2, 3]),
    ("NGX_CONF_TAKE1234", &[1, 2, 3, 4]),
    ("NGX_CONF_FLAG", &[1]),
    ("NGX_CONF_ANY", &[0, u8::MAX]),
    ("NGX_CONF_1MORE", &[1, u8::MAX]),
    ("NGX_CONF_2MORE", &[2, u8::MAX]),
];

/// What a generic setter takes; nothing for a setter of the module's own.
fn kind(text: &str, setter: &str, post: &str) -> Option<Kind> {
    let words = |kind: &str| {
        let array = post.trim_start_matches('&');
        let (_, rows) = arrays(text, kind).find(|(name, _)| *name == array)?;
        let words: Vec<&str> = rows.into_iter().filter_map(string).collect();
        let words: &'static str = Box::leak(words.join(" ").into_boxed_str());
        Some(words)
    };
    Some(match setter {
        "ngx_conf_set_flag_slot" => Kind::Flag,
        "ngx_conf_set_num_slot" => Kind::Number,
        "ngx_conf_set_size_slot" => Kind::Size,
        "ngx_conf_set_off_slot" => Kind::Offset,
        "ngx_conf_set_msec_slot" => Kind::Milliseconds,
        "ngx_conf_set_sec_slot" => Kind::Seconds,
        "ngx_conf_set_bufs_slot" => Kind::Buffers,
        "ngx_conf_set_access_slot" => Kind::Access,
        "ngx_conf_set_path_slot" => Kind::PathLevels,
        "ngx_conf_set_str_slot" => Kind::String,
        "ngx_conf_set_str_array_slot" => Kind::StringList,
        "ngx_conf_set_keyval_slot" => Kind::KeyValue,
        "ngx_conf_set_enum_slot" => Kind::Enum(words("ngx_conf_enum_t")?),
        "ngx_conf_set_bitmask_slot" => Kind::Bitmask(words("ngx_conf_bitmask_t")?),
        _ => return None,
    })
}
