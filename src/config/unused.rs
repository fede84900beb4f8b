//! Definitions that nothing refers to.

use std::collections::{HashMap, HashSet};

use super::{Config, Directive, Location, Modifier, PASSES, Visibility, Word, mismatch, zone};
use crate::nginx::{self, Contexts, Subsystem, closest};

/// A definition that nothing refers to.
#[derive(Debug)]
pub struct Unused<'c> {
    /// The directive that defines it.
    pub directive: Directive<'c>,
    /// What it is, for people.
    pub kind: &'static str,
    /// Its name, as others would write it.
    pub name: String,
    /// True when a name that nothing defines is written almost like it.
    pub may_be_meant: bool,
}

/// What a configuration refers to.
#[derive(Debug, Default)]
struct Mentions {
    /// The names of variables, in lower case.
    variables: HashSet<String>,
    /// The names of all upstreams, in lower case.
    upstreams: HashSet<Vec<u8>>,
    /// Those of them that are a piece of some word.
    pieces: HashSet<Vec<u8>>,
    /// Room for a piece in lower case.
    piece: Vec<u8>,
    /// The names of zones.
    zones: HashSet<Vec<u8>>,
    /// The names of locations, with `@`.
    locations: HashSet<Vec<u8>>,
    /// True when a cache is chosen by a variable.
    any_cache: bool,
    /// True when an upstream may be chosen by something else than what is written.
    any_upstream: bool,
    /// True when a program may refer to anything.
    anything: bool,
}

const UPSTREAM: &str = "the upstream";
const VARIABLE: &str = "the variable";
const ZONE: &str = "the zone";
const LOCATION: &str = "the location";

/// Variables with which the URI part of an address begins.
const URIS: [&str; 5] = ["$request_uri", "$uri", "$document_uri", "$is_args", "$args"];

impl Config {
    /// The upstreams, maps, zones and named locations that nothing refers to; none where a part of the configuration was
    /// not read, or where programs or unknown modules may refer to them.
    pub fn unused(&self) -> Vec<Unused<'_>> {
        if self.visibility_of_definitions() != Visibility::Whole
            || self.may_know_variable("no_module_defines_this", Subsystem::Http)
        {
            return Vec::new();
        }
        let upstreams = self
            .directives()
            .filter(|directive| directive.is("upstream") && directive.is_block())
            .filter_map(|upstream| Some(upstream.argument(0)?.to_ascii_lowercase()));
        let mut mentions = Mentions {
            upstreams: upstreams.collect(),
            ..Mentions::default()
        };
        for directive in self.directives() {
            mentions.read(self, directive);
        }
        if mentions.anything {
            return Vec::new();
        }
        let mut unused: Vec<_> = self
            .directives()
            .filter(|directive| !directive.is_stock())
            .filter_map(|directive| mentions.lack(directive))
            .collect();
        let mut undefined: HashMap<_, HashSet<String>> = HashMap::new();
        for one in &mut unused {
            let own = one.name.trim_start_matches('$').to_ascii_lowercase();
            // Only the names of locations belong to a level.
            let level = one.directive.parent().filter(|_| one.kind == LOCATION);
            let names = undefined
                .entry((one.kind, level.map(Directive::number)))
                .or_insert_with(|| self.undefined(one.kind, level, &mentions));
            // Two letters that differ make a difference in four places at most; to look at each pair closely takes long.
            let is_near = |name: &&String| (letters(name) ^ letters(&own)).count_ones() <= 4;
            let is_alike = |name: &String| closest(name, std::iter::once(&*own)).is_some();
            one.may_be_meant = names.iter().filter(is_near).any(is_alike);
        }
        unused
    }

    /// The names of a kind, in lower case, that are mentioned and that nothing defines, of locations in a level.
    fn undefined(
        &self,
        kind: &str,
        level: Option<Directive<'_>>,
        mentions: &Mentions,
    ) -> HashSet<String> {
        let shown = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
        match kind {
            VARIABLE => {
                let known = |name: &&String| self.may_know_variable(name, Subsystem::Http);
                let names = mentions.variables.iter();
                names.filter(|name| !known(name)).cloned().collect()
            }
            ZONE => {
                let known: HashSet<_> = self.directives().filter_map(zone::defined_zone).collect();
                let names = mentions.zones.iter();
                let names = names.filter(|name| !known.contains(*name));
                names.map(|name| shown(name)).collect()
            }
            LOCATION => {
                let level = level.map(Directive::locations);
                let is_known =
                    |name: &[u8]| level.is_some_and(|level| level.named(name).next().is_some());
                let names = mentions.locations.iter();
                let names = names.filter(|name| !is_known(name));
                names.map(|name| shown(name)).collect()
            }
            _ => {
                let may_hold_one = |directive: &Directive<'_>| {
                    let is_entry = directive.context() == Contexts::MAP;
                    is_entry || directive.is("set") || is_pass(*directive)
                };
                let words = self.directives().filter(may_hold_one);
                let words = words.flat_map(Directive::arguments);
                let mut names: HashSet<String> = words
                    .flat_map(|word| {
                        let pieces = word.split(|byte| !is_of_name(byte));
                        pieces.map(shown).collect::<Vec<_>>()
                    })
                    .collect();
                names.retain(|name| !mentions.upstreams.contains(name.as_bytes()));
                names
            }
        }
    }

    /// True when a variable has no other values than those that the configuration writes down.
    fn is_written_down(&self, name: &str) -> bool {
        let definitions = self.definitions(name);
        let is_table = |directive: Directive<'_>| {
            ["map", "set", "geo", "split_clients"]
                .iter()
                .any(|known| directive.is(known))
        };
        !definitions.is_empty()
            && !self.is_captured_variable(name)
            && definitions
                .iter()
                .all(|definition| is_table(self.definition(*definition)))
            && !self.literals_of(name).any(|value| value.has_variables())
    }
}

impl Mentions {
    fn read(&mut self, config: &Config, directive: Directive<'_>) {
        let name = directive.name();
        self.anything |= directive.known().is_some() && mismatch::runs_code(&name);
        if let Some((zone, _)) = zone::used_zone(directive) {
            self.zones.insert(zone.to_vec());
        }
        let is_cache = name.ends_with(b"_cache");
        let is_definition =
            directive.is_block() && (directive.is("upstream") || directive.is("map"));
        let defined = match directive.is("map") {
            true => 1,
            false => 0,
        };
        if name.has_variables() {
            self.words(&name);
        }
        for (index, word) in directive.arguments().enumerate() {
            self.any_cache |= is_cache && word.has_variables();
            let is_own = is_definition && index == defined || directive.is("zone");
            if !is_own {
                self.words(&word);
            }
        }
        if let Some(address) = directive.argument(0).filter(|_| is_pass(directive)) {
            self.any_upstream |= !is_known_host(config, &address);
        }
        if !directive.is("location") {
            self.locations.extend(
                directive
                    .arguments()
                    .filter(|word| word.starts_with(b"@"))
                    .map(|word| word.to_vec()),
            );
        }
    }

    fn words(&mut self, word: &[u8]) {
        self.variables.extend(
            nginx::references(word)
                .into_iter()
                .map(|reference| reference.name.to_ascii_lowercase()),
        );
        if self.upstreams.is_empty() {
            return;
        }
        for piece in word.split(|byte| !is_of_name(byte)) {
            self.piece.clear();
            self.piece.extend(piece.iter().map(u8::to_ascii_lowercase));
            if self.upstreams.contains(&self.piece) && !self.pieces.contains(&self.piece) {
                self.pieces.insert(self.piece.clone());
            }
        }
    }

    /// What a directive defines, if nothing refers to it.
    fn lack<'c>(&self, directive: Directive<'c>) -> Option<Unused<'c>> {
        let found = |kind, name: String| {
            Some(Unused {
                directive,
                kind,
                name,
                may_be_meant: false,
            })
        };
        if directive.is("upstream") && directive.is_block() {
            let name = directive.argument(0)?;
            let is_plain = name.iter().all(is_of_name);
            // Another upstream may share its zone, and then needs the size that stands here.
            let mut zones = directive.own("zone").filter_map(|zone| zone.argument(0));
            if zones.any(|zone| self.zones.contains(&*zone)) {
                return None;
            }
            let is_used =
                self.any_upstream || !is_plain || self.pieces.contains(&name.to_ascii_lowercase());
            return found(UPSTREAM, name.text().into_owned()).filter(|_| !is_used);
        }
        if directive.is("map") && directive.is_block() {
            let word = directive.argument(1)?;
            let name = nginx::references(&word)
                .into_iter()
                .next()?
                .name
                .to_ascii_lowercase();
            let is_own = nginx::variable(&name, directive.subsystem()?).is_none();
            return found(VARIABLE, word.text().into_owned())
                .filter(|_| is_own && !self.variables.contains(&name));
        }
        if let Some(name) = zone::defined_zone(directive).filter(|_| !directive.is("zone")) {
            let is_cache = directive.name().ends_with(b"_cache_path");
            let is_used = self.zones.contains(&name) || is_cache && self.any_cache;
            let text = String::from_utf8_lossy(&name).into_owned();
            return found(ZONE, text).filter(|_| !is_used && !name.is_empty());
        }
        let location =
            Location::of(directive).filter(|location| location.modifier == Modifier::Named)?;
        // An upstream may lead there by `X-Accel-Redirect`.
        let server = location.server()?.directive;
        let is_outside = |pass: &Directive<'_>| !pass.ancestors().any(|block| block == directive);
        let passes = server
            .descendants()
            .filter(|inner| PASSES.iter().any(|name| inner.is(name)));
        let is_used = self.locations.contains(&*location.path)
            || passes.into_iter().any(|pass| is_outside(&pass));
        found(LOCATION, location.path.text().into_owned()).filter(|_| !is_used)
    }
}

/// The letters that a name is made of, without their order.
fn letters(name: &str) -> u64 {
    let letters = name.bytes().map(|byte| 1 << (byte % 64));
    letters.fold(0, |all, letter| all | letter)
}

fn is_pass(directive: Directive<'_>) -> bool {
    PASSES.iter().any(|pass| directive.is(pass))
}

/// True when the host of an address is written, or made of variables whose values are.
fn is_known_host(config: &Config, address: &Word<'_>) -> bool {
    let text = address.text();
    let host = text.split_once("://").map_or(&*text, |(_, rest)| rest);
    let end = URIS
        .iter()
        .filter_map(|uri| host.find(uri))
        .chain(host.find('/'))
        .min();
    let host = &host[..end.unwrap_or(host.len())];
    let is_scheme_open = text.starts_with('$') && !text.contains("://");
    let mut references = nginx::references(host.as_bytes()).into_iter();
    !(is_scheme_open && end.is_some_and(|end| end == 0))
        && references
            .all(|reference| !reference.is_capture() && config.is_written_down(&reference.name))
}

/// True for the bytes that names of upstreams are usually made of.
fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
