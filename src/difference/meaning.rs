//! What the blocks of a configuration come to, without where, in which files and in which order they are written.
//!
//! Each block gets a number for everything that is in force in it: its own directives, inherited ones, and the definitions
//! that they use. Two blocks of the same number answer the same request in the same way, as long as all URIs that
//! redirects inside of nginx lead to belong to blocks of the same number too.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::effect::{self, Answering};
use crate::config::{Config, Directive, Location, Modifier, PASSES, ProxyUrl, Server, Word};
use crate::nginx::{self, Contexts, Inherit, Kind};

/// A number that stands for a meaning.
pub(super) type Id = u32;

/// The meanings of two configurations, numbered.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    ids: HashMap<Vec<u8>, Id>,
}

impl Dictionary {
    fn number(&mut self, text: Vec<u8>) -> Id {
        let next = self.ids.len() as Id;
        *self.ids.entry(text).or_insert(next)
    }
}

/// What is looked at anywhere in either configuration, so that it counts in both.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uses {
    /// `$1` to `$9` outside of a `rewrite`.
    captures: bool,
    /// The name of the server.
    server_name: bool,
    /// `$host`, which is the name of the server for a request without a host.
    pub(super) host: bool,
    /// Files, by a condition or by a variable that holds a path.
    files: bool,
    /// What FastCGI makes of the URI, outside of its parameters.
    fastcgi: bool,
}

impl Uses {
    /// Looks through both configurations.
    pub(super) fn of(configs: [&Config; 2]) -> Self {
        let mut uses = Self::default();
        for directive in configs.into_iter().flat_map(Config::directives) {
            uses.server_name |= directive.is("server_name_in_redirect");
            let (is_if, is_rewrite) = (directive.is("if"), directive.is("rewrite"));
            let is_param = directive.is("fastcgi_param");
            for word in directive.arguments() {
                uses.files |=
                    is_if && matches!(word.strip_prefix(b"("), Some([b'-', ..] | [b'!', b'-', ..]));
                if !word.contains(&b'$') {
                    continue;
                }
                for reference in nginx::references(&word) {
                    let name = reference.name.to_ascii_lowercase();
                    uses.captures |= reference.is_capture() && !is_rewrite;
                    uses.server_name |= name == "server_name";
                    uses.host |= name == "host";
                    uses.files |= matches!(
                        name.as_str(),
                        "document_root" | "realpath_root" | "request_filename"
                    ) && !is_param;
                    uses.fastcgi |= name.starts_with("fastcgi_") && !is_param;
                }
            }
        }
        uses
    }
}

/// One thing that is in force in a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'c> {
    /// What it is about: directives that are about the same stand together.
    key: Id,
    id: Id,
    /// The first directive that says it.
    pub(super) directive: Directive<'c>,
}

/// What is in force somewhere, sorted by what it is about.
pub(super) type Settings<'c> = Rc<[Setting<'c>]>;

/// A block in which a request may end.
#[derive(Debug, Clone)]
pub(super) struct Block<'c> {
    pub(super) directive: Directive<'c>,
    /// What is in force and matters there.
    pub(super) settings: Settings<'c>,
    /// What it comes to.
    pub(super) id: Id,
    /// True when an unconditional `return` answers.
    pub(super) at_once: bool,
}

/// Something that two blocks do not have in common.
#[derive(Debug, Clone)]
pub(super) struct Change<'c> {
    /// The name of the directive.
    pub(super) name: String,
    pub(super) old: Option<Directive<'c>>,
    pub(super) new: Option<Directive<'c>>,
}

/// What one list of settings says that another does not, or says otherwise.
pub(super) fn changes<'c>(old: &[Setting<'c>], new: &[Setting<'c>]) -> Vec<Change<'c>> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let (left, right) = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(left), Some(right)) if left.key == right.key => (old.next(), new.next()),
            (Some(left), Some(right)) if left.key < right.key => (old.next(), None),
            (Some(_), None) => (old.next(), None),
            _ => (None, new.next()),
        };
        if left.map(|left| left.id) == right.map(|right| right.id) {
            continue;
        }
        let directive = |setting: &Setting<'c>| setting.directive;
        let (left, right) = (left.map(directive), right.map(directive));
        if let Some(named) = left.or(right) {
            changes.push(Change {
                name: named.name().text().into_owned(),
                old: left,
                new: right,
            });
        }
    }
}

/// A location with what it comes to.
#[derive(Debug, Clone)]
pub(super) struct Place<'c> {
    pub(super) location: Location<'c>,
    /// The place of the location that it is nested in.
    pub(super) parent: Option<usize>,
    pub(super) block: Block<'c>,
    /// What counts where it only redirects to its name with a slash.
    pub(super) redirect: Block<'c>,
    /// What it comes to with all that is nested in it.
    subtree: Id,
}

/// A server with what it comes to.
#[derive(Debug, Clone)]
pub(super) struct Site<'c> {
    pub(super) server: Server<'c>,
    /// What counts before a location is chosen, and in all of them.
    pub(super) gate: Block<'c>,
    /// The server as the place where requests end that no location takes.
    pub(super) rest: Block<'c>,
    /// Its locations, each before those that are nested in it.
    pub(super) places: Vec<Place<'c>>,
    /// What the server comes to.
    pub(super) id: Id,
    /// What its locations come to.
    pub(super) tree: Id,
    /// What counts while the head of a request is read.
    pub(super) reading: Id,
}

/// One configuration with what it comes to.
pub(super) struct Reader<'c, 'd> {
    config: &'c Config,
    dictionary: &'d mut Dictionary,
    uses: Uses,
    /// Settings in force in each `http` block.
    outer: HashMap<u32, Settings<'c>>,
    /// By the name of their upstream, in lower case.
    upstreams: HashMap<Vec<u8>, Directive<'c>>,
    /// All upstreams and addresses that a name which is put together may stand for.
    targets: Option<Id>,
    definitions: HashMap<u32, Id>,
    /// Definitions that are being read.
    open: HashSet<u32>,
}

/// Directives that are compared in ways of their own.
const APART: [&str; 6] = [
    "location",
    "server",
    "server_name",
    "listen",
    "http",
    "upstream",
];

/// What defines a variable or a type by a block of lines of which the order does not matter.
const UNORDERED: [&str; 3] = ["map", "geo", "types"];

/// What is looked up where the server is not known yet, in the default one of the socket.
const READING: [&str; 8] = [
    "client_header_buffer_size",
    "client_header_timeout",
    "http2",
    "ignore_invalid_headers",
    "large_client_header_buffers",
    "max_headers",
    "merge_slashes",
    "underscores_in_headers",
];

impl<'c, 'd> Reader<'c, 'd> {
    pub(super) fn new(config: &'c Config, dictionary: &'d mut Dictionary, uses: Uses) -> Self {
        let mut upstreams = HashMap::new();
        for block in config.directives().filter(|block| block.is("upstream")) {
            if let Some(name) = block
                .argument(0)
                .filter(|_| block.context() == Contexts::HTTP)
            {
                upstreams.entry(name.to_ascii_lowercase()).or_insert(block);
            }
        }
        Self {
            config,
            dictionary,
            uses,
            outer: HashMap::new(),
            upstreams,
            targets: None,
            definitions: HashMap::new(),
            open: HashSet::new(),
        }
    }

    /// What stands outside of all servers and is no definition that a directive refers to.
    pub(super) fn globals(&mut self) -> Settings<'c> {
        let https = self.config.top().filter(|block| block.is("http"));
        let http: Vec<Directive<'c>> = https.flat_map(Directive::children).collect();
        let mut told: Vec<(Id, Directive<'c>)> = Vec::new();
        for directive in self.config.top().chain(http) {
            let in_http = directive.context() == Contexts::HTTP;
            let is_seen = in_http && (goes_down(directive) || self.is_definition(directive));
            if !is_seen && !effect::is_without(directive) && !is_apart(directive) {
                told.push((self.dictionary.number(directive.name().to_vec()), directive));
            }
        }
        told.sort_by_key(|(key, directive)| (*key, directive.number()));
        let mut settings = Vec::new();
        for same in told.chunk_by(|left, right| left.0 == right.0) {
            let mut ids: Vec<Id> = same.iter().map(|(_, said)| self.meaning(*said)).collect();
            ids.sort_unstable();
            settings.push(Setting {
                key: same[0].0,
                id: self.together(&ids),
                directive: same[0].1,
            });
        }
        settings.into()
    }

    fn is_definition(&self, directive: Directive<'c>) -> bool {
        let named = directive.arguments().last();
        named.is_some_and(|word| {
            let name = word.strip_prefix(b"$").unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            let definitions = self.config.definitions(&name).iter();
            definitions
                .map(|definition| self.config.definition(*definition))
                .any(|known| known == directive)
        })
    }

    /// What a server comes to.
    pub(super) fn site(&mut self, server: Server<'c>) -> Site<'c> {
        let outer = match server.directive.parent() {
            Some(http) => self.outer(http),
            None => Rc::new([]),
        };
        let (inherited, own) = self.merged(&outer, server.directive);
        let (mut gate, mut rest): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        for setting in inherited.iter().chain(&own) {
            let known = nginx::directive(&setting.directive.name());
            let in_locations = known.is_none_or(|known| {
                known
                    .forms
                    .iter()
                    .any(|form| form.contexts.intersects(Contexts::LOCATION))
            });
            let rewriting = own.iter().any(|own| own.key == setting.key)
                && effect::is_rewriting(setting.directive);
            match !in_locations || rewriting {
                true => gate.push(*setting),
                false => rest.push(*setting),
            }
        }
        gate.extend(self.names(server));
        let children = rest
            .iter()
            .filter(|setting| inherited.iter().any(|known| known.key == setting.key))
            .copied()
            .collect::<Vec<_>>();
        let version = self.config.version();
        let reading: Vec<Id> = gate
            .iter()
            .filter(|setting| !effect::is_default(setting.directive, version))
            .filter(|setting| READING.iter().any(|name| setting.directive.is(name)))
            .map(|setting| setting.id)
            .collect();
        let reading = self.together(&reading);
        let gate = self.block(server.directive, gate, None, true);
        let rest = self.block(server.directive, rest, None, false);
        let mut places = Vec::new();
        let tree = self.level(server.directive, &children, None, &mut places);
        let id = self.together(&[gate.id, rest.id, tree]);
        Site {
            server,
            gate,
            rest,
            places,
            id,
            tree,
            reading,
        }
    }

    /// The names of a server as far as they show in an answer.
    fn names(&mut self, server: Server<'c>) -> Option<Setting<'c>> {
        let directive = server.directive.own("server_name").next();
        let mut text = Vec::new();
        for (index, name) in server.names().enumerate() {
            let shown = index == 0 && self.uses.server_name;
            if shown || name.starts_with(b"~") {
                text.extend(&name[..]);
                text.push(0);
            }
        }
        if text.is_empty() {
            return None;
        }
        Some(Setting {
            key: self.dictionary.number(b"server_name".to_vec()),
            id: self.dictionary.number(text),
            directive: directive?,
        })
    }

    fn outer(&mut self, http: Directive<'c>) -> Settings<'c> {
        if let Some(known) = self.outer.get(&http.number()) {
            return Rc::clone(known);
        }
        let (inherited, _) = self.merged(&[], http);
        let inherited: Settings<'c> = inherited.into();
        self.outer.insert(http.number(), Rc::clone(&inherited));
        inherited
    }

    /// Adds the locations of a block, and says what they come to.
    fn level(
        &mut self,
        block: Directive<'c>,
        outer: &[Setting<'c>],
        parent: Option<usize>,
        places: &mut Vec<Place<'c>>,
    ) -> Id {
        let mut ordered: Vec<(u8, Vec<u8>, Id)> = Vec::new();
        for location in block.locations().iter() {
            let (inherited, own) = self.merged(outer, location.directive);
            let all: Vec<Setting<'c>> = inherited.iter().chain(&own).copied().collect();
            let name = self.name(&location);
            let asked = Answering::redirect(self.uses.files);
            let redirect = self.filtered(location.directive, all.clone(), &asked, None);
            let meaning = self.block(location.directive, all, name, false);
            let at = places.len();
            places.push(Place {
                location: location.clone(),
                parent,
                subtree: meaning.id,
                redirect,
                block: meaning,
            });
            let inner = self.level(location.directive, &inherited, Some(at), places);
            let subtree = self.together(&[places[at].block.id, inner]);
            places[at].subtree = subtree;
            // Only regexes have an order.
            let (rank, path) = match location.modifier {
                Modifier::Exact => (0, location.path.to_vec()),
                Modifier::Prefix => (1, location.path.to_vec()),
                Modifier::PreferentialPrefix => (2, location.path.to_vec()),
                Modifier::Named => (3, location.path.to_vec()),
                Modifier::Regex | Modifier::CaselessRegex => (4, Vec::new()),
            };
            let named = self.dictionary.number(location.to_string().into_bytes());
            let id = self.together(&[named, subtree]);
            ordered.push((rank, path, id));
        }
        ordered.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        let ids: Vec<Id> = ordered.into_iter().map(|(_, _, id)| id).collect();
        self.together(&ids)
    }

    /// The name of a location where what it captures may show.
    fn name(&self, location: &Location<'c>) -> Option<Vec<u8>> {
        let groups = || {
            location.path.windows(2).any(|pair| pair == b"(?")
                || self.uses.captures && location.path.contains(&b'(')
        };
        (location.is_regex() && groups()).then(|| location.to_string().into_bytes())
    }

    /// Leaves out what does not matter in a block, and numbers the rest; with `whole`, all of it matters.
    fn block(
        &mut self,
        directive: Directive<'c>,
        settings: Vec<Setting<'c>>,
        name: Option<Vec<u8>>,
        whole: bool,
    ) -> Block<'c> {
        let answering = match whole {
            true => Answering::whole(),
            false => Answering::of(directive, self.uses.files),
        };
        self.filtered(directive, settings, &answering, name)
    }

    fn filtered(
        &mut self,
        directive: Directive<'c>,
        settings: Vec<Setting<'c>>,
        answering: &Answering,
        name: Option<Vec<u8>>,
    ) -> Block<'c> {
        let version = self.config.version();
        let fastcgi = self.uses.fastcgi;
        let is_asked = |setting: &Setting<'c>| {
            let fastcgi = fastcgi && setting.directive.name().starts_with(b"fastcgi_");
            fastcgi || answering.heeds(setting.directive)
        };
        let mut settings: Vec<Setting<'c>> = settings
            .into_iter()
            .filter(is_asked)
            .filter(|setting| !effect::is_default(setting.directive, version))
            .collect();
        settings.sort_by_key(|setting| setting.key);
        let mut text = Vec::with_capacity(settings.len() * 8 + 8);
        for setting in &settings {
            text.extend(setting.key.to_le_bytes());
            text.extend(setting.id.to_le_bytes());
        }
        text.push(0);
        text.extend(name.unwrap_or_default());
        Block {
            directive,
            settings: settings.into(),
            id: self.dictionary.number(text),
            at_once: answering.at_once,
        }
    }

    /// What is in force in a block and goes on to the blocks in it, and what stands for the block alone.
    fn merged(
        &mut self,
        outer: &[Setting<'c>],
        block: Directive<'c>,
    ) -> (Vec<Setting<'c>>, Vec<Setting<'c>>) {
        let mut own: Vec<(Id, Directive<'c>, bool)> = Vec::new();
        let mut rewriting: Vec<Directive<'c>> = Vec::new();
        for directive in block.children() {
            if is_apart(directive) || effect::is_without(directive) {
                continue;
            }
            if effect::is_rewriting(directive) {
                rewriting.push(directive);
                continue;
            }
            let name = directive.name();
            let key = match &name[..] {
                b"deny" => b"allow".to_vec(),
                b"alias" => b"root".to_vec(),
                name => name.to_vec(),
            };
            own.push((self.dictionary.number(key), directive, goes_down(directive)));
        }
        own.sort_by_key(|(key, directive, _)| (*key, directive.number()));
        let mut inherited: Vec<Setting<'c>> = outer.to_vec();
        let mut alone = Vec::new();
        for same in own.chunk_by(|left, right| left.0 == right.0) {
            let (key, first, goes_down) = same[0];
            let mut said: Vec<(Vec<u8>, Id)> = Vec::new();
            for (_, directive, _) in same {
                said.push((order(*directive), self.meaning(*directive)));
            }
            said.sort_by(|left, right| left.0.cmp(&right.0));
            let ids: Vec<Id> = said.into_iter().map(|(_, id)| id).collect();
            let setting = Setting {
                key,
                id: self.together(&ids),
                directive: first,
            };
            match inherited.iter_mut().find(|known| known.key == key) {
                _ if !goes_down => alone.push(setting),
                Some(known) => *known = setting,
                None => inherited.push(setting),
            }
        }
        if let Some(first) = rewriting.first() {
            let ids: Vec<Id> = rewriting
                .iter()
                .map(|directive| self.meaning(*directive))
                .collect();
            alone.push(Setting {
                key: self.dictionary.number(b"\0rewriting".to_vec()),
                id: self.together(&ids),
                directive: *first,
            });
        }
        (inherited, alone)
    }

    fn together(&mut self, ids: &[Id]) -> Id {
        let mut text = b"\0".to_vec();
        text.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
        self.dictionary.number(text)
    }

    /// A number for what a directive says, with its block and with what it refers to.
    fn meaning(&mut self, directive: Directive<'c>) -> Id {
        let mut text = directive.name().to_vec();
        let known = nginx::directive(&directive.name());
        let form = known.and_then(|known| known.form(directive.context()));
        for word in directive.arguments() {
            text.push(0);
            text.extend(normal(&word, form.map(|form| form.kind)));
            if word.contains(&b'$') {
                for id in self.variables(&word, directive) {
                    text.push(1);
                    text.extend(id.to_le_bytes());
                }
            }
        }
        if let Some(id) = self.target(directive) {
            text.push(2);
            text.extend(id.to_le_bytes());
        }
        let by_name = directive.is("alias") || directive.is("proxy_pass") && has_uri(directive);
        if by_name && let Some(location) = directive.parent().and_then(Location::of) {
            text.push(3);
            text.extend(location.to_string().into_bytes());
        }
        if directive.is_block() {
            let mut lines: Vec<(Vec<u8>, Id)> = Vec::new();
            let unordered = UNORDERED.iter().any(|name| directive.is(name));
            for line in directive.children() {
                if line.is("location") || effect::is_without(line) && !unordered {
                    continue;
                }
                let key = match unordered && !line.name().starts_with(b"~") {
                    true => line.name().to_vec(),
                    false => Vec::new(),
                };
                lines.push((key, self.meaning(line)));
            }
            lines.sort_by(|left, right| left.0.cmp(&right.0));
            text.push(4);
            text.extend(lines.iter().flat_map(|(_, id)| id.to_le_bytes()));
        }
        self.dictionary.number(text)
    }

    /// What the variables of a word are made of.
    fn variables(&mut self, word: &Word<'c>, user: Directive<'c>) -> Vec<Id> {
        let mut all = Vec::new();
        for reference in nginx::references(word) {
            let definitions: Vec<Directive<'c>> = self
                .config
                .definitions(&reference.name)
                .iter()
                .map(|definition| self.config.definition(*definition))
                .filter(|definition| !definition.is("set") && *definition != user)
                .collect();
            for definition in definitions {
                let number = definition.number();
                if let Some(id) = self.definitions.get(&number) {
                    all.push(*id);
                } else if self.open.insert(number) {
                    let id = self.meaning(definition);
                    self.open.remove(&number);
                    self.definitions.insert(number, id);
                    all.push(id);
                }
            }
        }
        all
    }

    /// What stands behind the address of a directive that passes requests on.
    fn target(&mut self, directive: Directive<'c>) -> Option<Id> {
        let passes = PASSES.iter().any(|name| directive.is(name)) || directive.is("tunnel_pass");
        if !passes {
            return None;
        }
        let word = directive.argument(0)?;
        let host = match ProxyUrl::parse(word.clone()) {
            Some(url) if directive.is("proxy_pass") => url.authority().to_vec(),
            _ => {
                let text = word.to_vec();
                let start = text.windows(3).position(|part| part == b"://");
                text[start.map_or(0, |start| start + 3)..].to_vec()
            }
        };
        if host.contains(&b'$') || host.is_empty() {
            return Some(self.targets());
        }
        let block = *self.upstreams.get(&host.to_ascii_lowercase())?;
        let number = block.number();
        if let Some(id) = self.definitions.get(&number) {
            return Some(*id);
        }
        let id = self.meaning(block);
        self.definitions.insert(number, id);
        Some(id)
    }

    /// All upstreams, and all addresses that make one.
    fn targets(&mut self) -> Id {
        if let Some(known) = self.targets {
            return known;
        }
        let blocks: Vec<Directive<'c>> = self.upstreams.values().copied().collect();
        let mut ids: Vec<Id> = blocks
            .into_iter()
            .map(|block| self.meaning(block))
            .collect();
        for pass in self
            .config
            .directives()
            .filter(|pass| pass.is("proxy_pass"))
        {
            let url = pass
                .argument(0)
                .filter(|word| !word.has_variables())
                .and_then(ProxyUrl::parse);
            if let Some(url) = url {
                ids.push(self.dictionary.number(url.base().into_bytes()));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let id = self.together(&ids);
        self.targets = Some(id);
        id
    }
}

fn is_apart(directive: Directive<'_>) -> bool {
    APART.iter().any(|name| directive.is(name))
}

/// True for what is in force in the blocks inside too.
fn goes_down(directive: Directive<'_>) -> bool {
    let known = nginx::directive(&directive.name());
    let form = known.and_then(|known| known.form(directive.context()));
    let inherit = form.map_or(Inherit::Unknown, |form| form.inherit);
    !matches!(inherit, Inherit::Never | Inherit::Single | Inherit::Unnamed)
}

/// What says in which order directives of a kind are compared: headers and parameters by their names.
fn order(directive: Directive<'_>) -> Vec<u8> {
    let by_name = ["_set_header", "_param", "add_header", "add_trailer"];
    let name = directive.name();
    let named = by_name.iter().any(|end| name.ends_with(end.as_bytes()));
    match directive.argument(0).filter(|_| named) {
        Some(word) => word.to_ascii_lowercase(),
        None => Vec::new(),
    }
}

fn has_uri(pass: Directive<'_>) -> bool {
    let word = pass.argument(0).filter(|word| !word.has_variables());
    word.and_then(ProxyUrl::parse)
        .is_some_and(|url| url.uri().is_some())
}

/// A value as nginx reads it: times and sizes as numbers, switches in lower case.
fn normal(word: &Word<'_>, kind: Option<Kind>) -> Vec<u8> {
    let number = match kind {
        Some(Kind::Milliseconds) => nginx::milliseconds(word),
        Some(Kind::Flag) => return word.to_ascii_lowercase(),
        _ => None,
    };
    match number {
        Some(number) => number.to_string().into_bytes(),
        None => word.to_vec(),
    }
}
