//! Rows of the tables as they are written in Rust.

use std::collections::BTreeMap;

use nginspect::nginx::{Contexts, Duplicate, Form, Inherit, Source, Variable, Version};

/// Puts rows into the place of those of one table of a file.
pub(crate) fn replace(text: &str, table: &str, rows: &str) -> String {
    let head = text
        .find(&format!("static {table}: "))
        .unwrap_or_else(|| panic!("no table {table}"));
    let start = head + text[head..].find("&[\n").expect("a table begins") + "&[\n".len();
    let end = start + text[start..].find("\n];").expect("a table ends") + 1;
    format!("{}{rows}{}", &text[..start], &text[end..])
}

pub(crate) fn directives(table: &BTreeMap<&'static str, Vec<Form>>) -> String {
    let rows = table.iter().map(|(name, forms)| match forms.as_slice() {
        [only] => format!("    directive(\"{name}\", &[{}]),\n", form(only)),
        several => {
            let forms = several
                .iter()
                .map(|row| format!("        {},\n", form(row)));
            let forms = forms.collect::<String>();
            format!("    directive(\"{name}\", &[\n{forms}    ]),\n")
        }
    });
    rows.collect()
}

fn form(form: &Form) -> String {
    let most = match form.max {
        u8::MAX => "ANY".to_owned(),
        most => most.to_string(),
    };
    let mut row = format!(
        "form(\"{}\", \"{}\", {}, {most}, {:?})",
        form.module,
        names(form.contexts),
        form.min,
        form.kind
    );
    let mut add = |is_wanted: bool, text: String| {
        if is_wanted {
            row.push_str(&text);
        }
    };
    add(form.is_odd, ".odd()".to_owned());
    add(form.block, format!(".opens(\"{}\")", names(form.inside)));
    add(
        form.variables != 0,
        format!(".evaluates({:#06x})", form.variables),
    );
    add(
        form.inherit != Inherit::Unknown,
        format!(".inherit({:?})", form.inherit),
    );
    add(
        form.duplicate != Duplicate::Unknown,
        format!(".twice({:?})", form.duplicate),
    );
    add(
        form.since != Version(0, 0, 0),
        format!(".since{}", numbers(form.since)),
    );
    for (name, version) in [
        ("deprecated", form.deprecated),
        ("ignored", form.ignored),
        ("gone", form.gone),
    ] {
        let version = version.map(|version| format!(".{name}{}", numbers(version)));
        add(version.is_some(), version.unwrap_or_default());
    }
    let provider = form.provider.map(|provider| format!(".by({provider:?})"));
    add(provider.is_some(), provider.unwrap_or_default());
    let instead = form
        .instead
        .map(|instead| format!(".instead(\"{instead}\")"));
    add(instead.is_some(), instead.unwrap_or_default());
    let page = form.page.map(|page| match page {
        "" => ".documented()".to_owned(),
        page => format!(".documented_in(\"{page}\")"),
    });
    add(page.is_some(), page.unwrap_or_default());
    row
}

fn names(contexts: Contexts) -> String {
    contexts.names().collect::<Vec<_>>().join(" ")
}

fn numbers(Version(major, minor, patch): Version) -> String {
    format!("({major}, {minor}, {patch})")
}

pub(crate) fn variables(table: &[Variable]) -> String {
    table.iter().map(variable).collect()
}

fn variable(variable: &Variable) -> String {
    let mut row = format!(
        "    variable(\"{}\", \"{}\")",
        variable.name, variable.module
    );
    if variable.is_settable {
        row.push_str(".settable()");
    }
    if variable.source != Source::Nginx {
        row.push_str(&format!(".from({:?})", variable.source));
    }
    if variable.is_unescaped {
        row.push_str(".unescaped()");
    }
    if variable.since != Version(0, 0, 0) {
        row.push_str(&format!(".since{}", numbers(variable.since)));
    }
    if let Some(gone) = variable.gone {
        row.push_str(&format!(".gone{}", numbers(gone)));
    }
    row + ",\n"
}
