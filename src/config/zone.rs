//! Zones of shared memory and formats of logs: where they are defined, and where their names are used.

use std::collections::HashMap;

use super::{Config, Directive, Word};
use crate::nginx::{self, Contexts, Provider, closest};

/// What nginx's modules define by name for others to use.
#[derive(Debug, Default)]
pub struct Zones<'c> {
    /// By the module that the zone belongs to and by name.
    zones: HashMap<(&'static str, Vec<u8>), Directive<'c>>,
    /// By the module of the log and by name in lower case; the first of each.
    formats: HashMap<(&'static str, Vec<u8>), Directive<'c>>,
}

/// A name that is used and that nobody defines.
#[derive(Debug)]
pub struct Undefined<'c> {
    /// The name, as a word of its own.
    pub name: Word<'c>,
    /// The directive that would define it.
    pub definer: String,
    /// The one that defines it for something else, or too late.
    pub defined: Option<Directive<'c>>,
    /// A name that is defined and was probably meant.
    pub meant: Option<String>,
}

impl Config {
    /// All zones and formats.
    pub fn zones(&self) -> Zones<'_> {
        let mut zones = Zones::default();
        for directive in self.directives() {
            if directive.is("log_format") {
                let named = module(directive).zip(directive.argument(0));
                if let Some((module, name)) = named {
                    let key = (module, name.to_ascii_lowercase());
                    zones.formats.entry(key).or_insert(directive);
                }
            } else if let Some(name) = defined_zone(directive)
                && let Some(module) = module(directive)
            {
                zones.zones.entry((module, name)).or_insert(directive);
            }
        }
        zones
    }
}

impl<'c> Zones<'c> {
    /// The name in a directive that uses one, if nobody defines it for that use.
    pub fn undefined(&self, directive: Directive<'c>) -> Option<Undefined<'c>> {
        if directive.is("access_log") {
            return self.undefined_format(directive);
        }
        let (name, definer) = used_zone(directive)?;
        let module = module(directive)?;
        if self.zones.contains_key(&(module, name.to_vec())) {
            return None;
        }
        let others = self.zones.iter().filter(|((_, known), _)| **known == *name);
        let own = self.zones.keys().filter(|(of, _)| *of == module);
        let own = own.filter_map(|(_, known)| str::from_utf8(known).ok());
        Some(Undefined {
            definer,
            defined: others
                .map(|(_, directive)| *directive)
                .min_by_key(|found| found.id),
            meant: closest(&name.text(), own),
            name,
        })
    }

    /// nginx looks for the format where it reads the `access_log`, so that a later definition comes too late.
    fn undefined_format(&self, directive: Directive<'c>) -> Option<Undefined<'c>> {
        let module = module(directive)?;
        let name = directive.argument(1)?;
        let key = (module, name.to_ascii_lowercase());
        let built_in = (module == "ngx_http_log_module").then_some("combined");
        let is_built_in = built_in.is_some_and(|built_in| key.1 == built_in.as_bytes());
        let defined = self.formats.get(&key).copied();
        if is_built_in
            || directive.argument(0)? == "off"
            || defined.is_some_and(|format| format.precedes(directive))
        {
            return None;
        }
        let own = self
            .formats
            .iter()
            .filter(|((of, _), format)| *of == module && format.precedes(directive));
        let own = own.filter_map(|((_, known), _)| str::from_utf8(known).ok());
        Some(Undefined {
            definer: "log_format".to_owned(),
            defined,
            meant: closest(&name.text().to_ascii_lowercase(), own.chain(built_in)),
            name,
        })
    }
}

/// The module of nginx itself that a directive belongs to where it stands.
fn module(directive: Directive<'_>) -> Option<&'static str> {
    let form = nginx::directive(&directive.name())?.form(directive.context())?;
    (form.provider() == Provider::Nginx).then_some(form.module)
}

/// The name of the zone that a directive makes.
pub(super) fn defined_zone(directive: Directive<'_>) -> Option<Vec<u8>> {
    let name = directive.name();
    let of = |prefix: &'static [u8]| {
        let value = directive
            .arguments()
            .find_map(|word| Some(word.strip_prefix(prefix)?.to_vec()))?;
        let end = value.iter().position(|byte| *byte == b':');
        Some(value[..end.unwrap_or(value.len())].to_vec())
    };
    match &*name {
        b"limit_req_zone" | b"limit_conn_zone" => of(b"zone="),
        b"proxy_cache_path" | b"fastcgi_cache_path" | b"uwsgi_cache_path" | b"scgi_cache_path" => {
            of(b"keys_zone=")
        }
        b"zone" if directive.argument(1).is_some() => Some(directive.argument(0)?.to_vec()),
        _ => None,
    }
}

/// The name of the zone that a directive uses, and the directive that makes such zones.
pub(super) fn used_zone(directive: Directive<'_>) -> Option<(Word<'_>, String)> {
    let name = directive.name();
    let known = |word: &Word<'_>| !word.has_placeholder() && !word.has_variables();
    let (zone, definer) = match &*name {
        b"limit_req" => {
            let zone = directive
                .arguments()
                .find(|word| word.starts_with(b"zone="))?;
            (zone.tail(5), "limit_req_zone".to_owned())
        }
        b"limit_conn" => (directive.argument(0)?, "limit_conn_zone".to_owned()),
        b"proxy_cache" | b"fastcgi_cache" | b"uwsgi_cache" | b"scgi_cache" => {
            let zone = directive.argument(0).filter(|zone| zone != "off")?;
            (zone, format!("{name}_path"))
        }
        b"zone" if directive.context().intersects(UPSTREAMS) && directive.argument(1).is_none() => {
            (directive.argument(0)?, "zone".to_owned())
        }
        _ => return None,
    };
    known(&zone).then_some((zone, definer))
}

const UPSTREAMS: Contexts = Contexts::UPSTREAM.union(Contexts::STREAM_UPSTREAM);
