//! The tables of `src/nginx` against nginx's own source.
//!
//! `just refresh TREE` compares them with a source tree and writes into them what it says anew: a directive or variable
//! that is new, or gone, or takes other arguments, or stands elsewhere. What a table of commands does not tell, such as
//! the values of a setter of its own, stays as it was, and is to be filled in by hand for a new row.

mod rows;
mod source;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use nginspect::nginx::{self, Form, Kind, Subsystem, Variable, Version};

use source::{Command, Tree};

const DIRECTIVES: &str = "src/nginx/directives.rs";
const VARIABLES: &str = "src/nginx/variables.rs";

/// The rows of the tables, to be changed.
struct Tables {
    directives: BTreeMap<&'static str, Vec<Form>>,
    http: Vec<Variable>,
    stream: Vec<Variable>,
}

impl Tables {
    fn current() -> Self {
        let directives = nginx::directives();
        Self {
            directives: directives
                .iter()
                .map(|directive| (directive.name, directive.forms.to_vec()))
                .collect(),
            http: nginx::variables(Subsystem::Http).to_vec(),
            stream: nginx::variables(Subsystem::Stream).to_vec(),
        }
    }

    /// The text of each file with these rows in the place of its own.
    fn texts(&self) -> [(PathBuf, String); 2] {
        let read = |file: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = std::fs::read_to_string(&path).expect("a readable table");
            (path, text)
        };
        let (directives, mut first) = read(DIRECTIVES);
        first = rows::replace(&first, "DIRECTIVES", &rows::directives(&self.directives));
        let (variables, mut second) = read(VARIABLES);
        second = rows::replace(&second, "HTTP", &rows::variables(&self.http));
        second = rows::replace(&second, "STREAM", &rows::variables(&self.stream));
        [(directives, first), (variables, second)]
    }
}

#[test]
fn the_tables_are_written_as_the_command_would_write_them() {
    for (path, text) in Tables::current().texts() {
        let written = std::fs::read_to_string(&path).expect("a readable table");
        assert!(text == written, "{} is not in order", path.display());
    }
}

#[test]
fn the_tables_hold_what_a_source_tree_of_nginx_says() {
    let Some(folder) = std::env::var_os("NGINSPECT_NGINX_SOURCE").filter(|path| !path.is_empty())
    else {
        return;
    };
    let tree = Tree::read(Path::new(&folder));
    assert!(
        tree.commands.len() > 500,
        "no source tree of nginx: {folder:?}"
    );
    let mut tables = Tables::current();
    let changes = refresh(&mut tables, &tree);
    if std::env::var_os("NGINSPECT_UPDATE").is_some() {
        for (path, text) in tables.texts() {
            std::fs::write(path, text).expect("a writable table");
        }
        let mut shown = format!("nginx {}: {} changes\n", tree.version, changes.len());
        for change in changes {
            shown += &format!("  {change}\n");
        }
        let mut output = std::io::stdout();
        output.write_all(shown.as_bytes()).expect("an open output");
    } else {
        assert!(
            changes.is_empty(),
            "the tables differ from nginx {} (`just refresh TREE` writes them anew):\n  {}",
            tree.version,
            changes.join("\n  ")
        );
    }
}

#[test]
fn what_a_release_brings_is_found_in_its_source() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("core")).expect("a writable folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a writable folder");
    };
    write("core/nginx.h", "#define NGINX_VERSION      \"1.99.0\"\n");
    write(
        "core/autoindex.c",
        r#"
        static ngx_conf_enum_t formats[] = {
            { ngx_string("html"), 0 }, { ngx_string("json"), 1 }, { ngx_string("jsonp"), 2 },
            { ngx_string("xml"), 3 }, { ngx_string("yaml"), 4 }, { ngx_null_string, 0 } };
        static ngx_command_t commands[] = {
            { ngx_string("autoindex"), /* { */ NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12, ngx_conf_set_flag_slot,
              0, offsetof(conf_t, enable), NULL },
            { ngx_string("autoindex_format"),
              NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
              ngx_conf_set_enum_slot, 0, offsetof(conf_t, format), &formats },
            { ngx_string("autoindex_depth"), NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1, ngx_conf_set_num_slot, 0, 0, NULL },
            ngx_null_command };
        ngx_module_t ngx_http_autoindex_module = { NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE };
        static ngx_http_variable_t vars[] = {
            { ngx_string("autoindex_count"), NULL, get, 0, NGX_HTTP_VAR_CHANGEABLE, 0 },
            ngx_http_null_variable };
        "#,
    );
    let mut tables = Tables::current();
    let changes = refresh(&mut tables, &Tree::read(folder.path()));
    assert_eq!(
        changes,
        [
            "autoindex of ngx_http_autoindex_module stands in other contexts",
            "autoindex of ngx_http_autoindex_module takes other arguments: Flag",
            "autoindex_format of ngx_http_autoindex_module takes Enum(\"html json jsonp xml yaml>=1.99.0\")",
            "autoindex_depth of ngx_http_autoindex_module is new: say how it is inherited, and whether it is documented",
            "autoindex_exact_size of ngx_http_autoindex_module is gone",
            "autoindex_localtime of ngx_http_autoindex_module is gone",
            "$autoindex_count is new: say where its value comes from",
        ]
    );
    assert_eq!(
        rows::directives(&BTreeMap::from([(
            "autoindex_depth",
            tables.directives["autoindex_depth"].clone()
        )])),
        "    directive(\"autoindex_depth\", &[form(\"ngx_http_autoindex_module\", \"location\", 1, 1, Number)\
         .twice(Refused).since(1, 99, 0)]),\n"
    );
}

/// Puts what a tree says into the tables; the changes, one sentence each.
fn refresh(tables: &mut Tables, tree: &Tree) -> Vec<String> {
    let mut changes = Vec::new();
    for command in &tree.commands {
        let forms = tables.directives.entry(command.name).or_default();
        bring(forms, command, tree.version, &mut changes);
    }
    for (name, forms) in &mut tables.directives {
        for form in forms.iter_mut().filter(|form| form.exists_in(tree.version)) {
            let is_there = tree
                .commands
                .iter()
                .any(|command| command.name == *name && command.is_for(form));
            // Modules that the tree does not have are somebody else's, and Plus has directives of its own.
            if tree.modules.contains(form.module) && form.provider.is_none() && !is_there {
                form.gone = Some(tree.version);
                changes.push(format!("{name} of {} is gone", form.module));
            }
        }
    }
    tables.directives.retain(|_, forms| !forms.is_empty());
    for (subsystem, table) in [
        (Subsystem::Http, &mut tables.http),
        (Subsystem::Stream, &mut tables.stream),
    ] {
        for found in tree
            .variables
            .iter()
            .filter(|found| found.subsystem == subsystem)
        {
            match table.iter_mut().find(|row| row.name == found.name) {
                Some(row) if row.is_settable != found.is_settable => {
                    row.is_settable = found.is_settable;
                    changes.push(format!("${}: settable is {}", row.name, row.is_settable));
                }
                Some(_) => {}
                None => {
                    table.push(found.row(tree.version));
                    changes.push(format!(
                        "${} is new: say where its value comes from",
                        found.name
                    ));
                }
            }
        }
        table.sort_by_key(|row| row.name);
    }
    changes
}

/// Brings one command of the tree into the forms of its name.
fn bring(forms: &mut Vec<Form>, command: &Command, version: Version, changes: &mut Vec<String>) {
    let what = format!("{} of {}", command.name, command.module);
    let known = forms
        .iter_mut()
        .find(|form| form.exists_in(version) && command.is_for(form));
    let Some(form) = known else {
        forms.push(command.form(version));
        let kind = command.kind;
        changes.push(match kind {
            Some(_) => {
                format!("{what} is new: say how it is inherited, and whether it is documented")
            }
            None => format!("{what} is new: say what `{}` takes", command.setter),
        });
        return;
    };
    if form.contexts != command.contexts && !command.is_anywhere {
        changes.push(format!("{what} stands in other contexts"));
        form.contexts = command.contexts;
    }
    let kind = merged(form.kind, command.kind, version);
    let is_same = (form.min, form.max, form.is_odd) == (command.min, command.max, command.is_odd);
    if is_same && kind == form.kind {
        return;
    }
    if is_same && is_addition(form.kind, kind) {
        changes.push(format!("{what} takes {kind:?}"));
        form.kind = kind;
        return;
    }
    changes.push(format!("{what} takes other arguments: {kind:?}"));
    let mut new = Form {
        kind,
        min: command.min,
        max: command.max,
        is_odd: command.is_odd,
        ..*form
    };
    form.gone = Some(version);
    new.since = version;
    forms.push(new);
}

/// What the table says of a value, as far as the setter of the tree does not say otherwise.
fn merged(table: Kind, tree: Option<Kind>, version: Version) -> Kind {
    match (table, tree) {
        (Kind::Enum(known), Some(Kind::Enum(found))) => Kind::Enum(words(known, found, version)),
        (Kind::Bitmask(known), Some(Kind::Bitmask(found))) => {
            Kind::Bitmask(words(known, found, version))
        }
        // The generic setters of strings and arrays are used for values of many kinds.
        (_, None | Some(Kind::String | Kind::StringList | Kind::KeyValue)) => table,
        // A setter that checks more than the type says.
        (Kind::Between(..), Some(Kind::Number)) | (Kind::Ignored, _) => table,
        (_, Some(found)) => found,
    }
}

/// The words of a list with those that the tree brings, each with its version.
fn words(known: &'static str, found: &'static str, version: Version) -> &'static str {
    let has = |word: &str| {
        known
            .split(' ')
            .any(|known| known.split(">=").next() == Some(word))
    };
    let new = found.split(' ').filter(|word| !has(word));
    let new: Vec<String> = new.map(|word| format!(" {word}>={version}")).collect();
    if new.is_empty() {
        return known;
    }
    Box::leak(format!("{known}{}", new.concat()).into_boxed_str())
}

fn is_addition(old: Kind, new: Kind) -> bool {
    matches!(
        (old, new),
        (Kind::Enum(_), Kind::Enum(_)) | (Kind::Bitmask(_), Kind::Bitmask(_))
    )
}
