//! What nginx itself defines: directives, variables, defaults by version, and the files of its distributions.
//!
//! Tables compiled into the program, looked up without allocation. Nothing here knows a configuration.

mod contexts;
mod directives;
pub mod listen;
mod others;
mod script;
mod similar;
mod size;
mod stock;
mod table;
mod time;
pub mod url;
pub mod value;
mod variables;
mod version;

pub use contexts::Contexts;
pub use others::is_of_other_module;
pub use script::{Reference, has_variables, invalid_reference, references};
pub use similar::{closest, closest_parameter, is_slip};
pub use size::{number, offset, size};
pub use stock::stock_file;
pub use table::{Directive, Duplicate, Form, Inherit, Kind, Module, Provider};
pub use time::{milliseconds, seconds};
pub use variables::{Source, Variable};
pub use version::Version;

/// Every directive, by name.
pub fn directives() -> &'static [Directive] {
    directives::DIRECTIVES
}

/// Looks a directive up by its name.
pub fn directive(name: &[u8]) -> Option<&'static Directive> {
    directive_index(name).map(|index| &directives::DIRECTIVES[index])
}

/// The place of a directive in the table.
pub fn directive_index(name: &[u8]) -> Option<usize> {
    directives::DIRECTIVES
        .binary_search_by(|row| row.name.as_bytes().cmp(name))
        .ok()
}

/// The directive at a place in the table.
pub fn directive_at(index: usize) -> &'static Directive {
    &directives::DIRECTIVES[index]
}

/// The name of the directive at a place in the table.
pub fn directive_name(index: usize) -> &'static str {
    directives::DIRECTIVES[index].name
}

/// The part of nginx that a variable belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subsystem {
    /// `http {}`
    Http,
    /// `stream {}`
    Stream,
}

/// The variables that nginx and well-known modules define, without those of open families such as `http_…`.
pub fn variables(subsystem: Subsystem) -> &'static [Variable] {
    match subsystem {
        Subsystem::Http => variables::HTTP,
        Subsystem::Stream => variables::STREAM,
    }
}

/// The variable that nginx or a well-known module defines under a name, or the family that it belongs to; `name` in any
/// case, without the `$`.
pub fn variable(name: &str, subsystem: Subsystem) -> Option<&'static Variable> {
    let name = name.to_ascii_lowercase();
    let names = variables(subsystem);
    let families = match subsystem {
        Subsystem::Http => variables::HTTP_PREFIXES,
        Subsystem::Stream => variables::STREAM_PREFIXES,
    };
    let family = || families.iter().find(|family| name.starts_with(family.name));
    match names.binary_search_by(|row| row.name.cmp(&name)) {
        Ok(index) => Some(&names[index]),
        Err(_) => family(),
    }
}

/// The module of a name such as `ngx_http_core_module`.
pub fn module_of(name: &str) -> Option<&'static Module> {
    let modules = directives::MODULES;
    let index = modules.binary_search_by(|module| module.name.cmp(name));
    index.ok().map(|index| &modules[index])
}

/// True when the tables hold the directives of the module in this file, as `load_module` names it.
pub fn is_known_module(path: &[u8]) -> bool {
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let name = std::str::from_utf8(file).unwrap_or_default();
    module_of(name.strip_suffix(".so").unwrap_or(name)).is_some()
}

/// Judges a directive wherever it may stand: by its number of arguments, and for a few by their form.
///
/// False only when nginx would refuse every form of the directive; nothing when it is not known.
pub fn accepts(name: &[u8], arguments: &[&[u8]], block: bool) -> Option<bool> {
    let directive = directive(name)?;
    let counted = directive
        .forms
        .iter()
        .any(|form| form.block == block && form.takes(arguments.len()));
    Some(counted && !has_refused_parameter(name, arguments))
}

/// Directives whose further arguments come from a closed list, which a swallowed line does not fit.
fn has_refused_parameter(name: &[u8], arguments: &[&[u8]]) -> bool {
    let known: &[&[u8]] = match name {
        b"listen" => &[
            b"bind",
            b"default",
            b"default_server",
            b"deferred",
            b"http2",
            b"multipath",
            b"proxy_protocol",
            b"quic",
            b"reuseport",
            b"spdy",
            b"ssl",
            b"udp",
        ],
        b"error_log" => &[
            b"alert", b"crit", b"debug", b"emerg", b"error", b"info", b"notice", b"warn",
        ],
        _ => return false,
    };
    let is_known = |argument: &&[u8]| {
        argument.iter().any(|byte| matches!(byte, b'=' | b'$')) || known.contains(argument)
    };
    !arguments
        .iter()
        .skip(1)
        .all(|argument| is_known(argument) || argument.starts_with(b"debug_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_for_binary_search() {
        assert!(directives::DIRECTIVES.is_sorted_by(|a, b| a.name < b.name));
        assert!(directives::MODULES.is_sorted_by(|a, b| a.name < b.name));
        for table in [variables::HTTP, variables::STREAM] {
            assert!(table.is_sorted_by(|a, b| a.name < b.name));
        }
    }

    #[test]
    fn a_directive_fits_when_one_of_its_forms_takes_it() {
        assert_eq!(accepts(b"server", &[], true), Some(true));
        assert_eq!(
            accepts(b"server", &[b"127.0.0.1:80", b"weight=2"], false),
            Some(true)
        );
        assert_eq!(
            accepts(b"root", &[b"/srv", b"index", b"a"], false),
            Some(false)
        );
        assert_eq!(
            accepts(b"listen", &[b"80", b"server_name", b"a"], false),
            Some(false)
        );
        assert_eq!(
            accepts(b"listen", &[b"80", b"ssl", b"backlog=5"], false),
            Some(true)
        );
        assert_eq!(accepts(b"no_such_directive", &[], false), None);
    }

    #[test]
    fn variables_are_known_in_any_case_and_by_prefix() {
        let known = |name, subsystem| variable(name, subsystem).map(|known| known.name);
        assert_eq!(known("URI", Subsystem::Http), Some("uri"));
        assert_eq!(known("http_upgrade", Subsystem::Http), Some("http_"));
        assert_eq!(known("connection_upgrade", Subsystem::Http), None);
        assert_eq!(known("uri", Subsystem::Stream), None);
    }
}
