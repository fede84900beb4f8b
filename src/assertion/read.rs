//! From the text of a file to its statements, with every mistake in it.
//!
//! One table, [`KEYS`], says what the file may hold: the parser and the manual are made from it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::route::{Asked, Bound, Expectation, Route, Suite, Wanted};
use crate::config::closest;
use crate::diagnostic::{Diagnostic, Severity};
use crate::routing::{Disk, Request, Uri};
use crate::source::{FileId, Origin, Sources, Span};

/// What mistakes in such a file are called where findings have the names of their rules.
pub const NAME: &str = "routes";

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the top of the file, for all routes.
    File,
    /// In a `[[route]]`.
    Route,
    /// In either; that of the route counts.
    Either,
    /// Below `expect`.
    Expect,
}

/// A key of the file.
pub struct Key {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// A line that sets it.
    pub example: &'static str,
}

const fn key(place: Place, name: &'static str, about: &'static str, example: &'static str) -> Key {
    Key {
        place,
        name,
        about,
        example,
    }
}

/// Every key of the file.
pub static KEYS: &[Key] = &[
    key(
        Place::File,
        "route",
        "A statement; there may be any number.",
        "[[route]]",
    ),
    key(
        Place::Route,
        "name",
        "What the statement is called; without it, its request.",
        r#"name = "chat socket""#,
    ),
    key(
        Place::Route,
        "request",
        "The URL that is asked for, or its path where `server` is set. `ws:` and `wss:` bring the headers of a handshake.",
        r#"request = "wss://shop.example/ws/7""#,
    ),
    key(
        Place::Route,
        "under",
        "In the place of `request`: every request below this URL or path.",
        r#"under = "/api/""#,
    ),
    key(
        Place::Route,
        "method",
        "The method; `GET` unless it is set.",
        r#"method = "POST""#,
    ),
    key(
        Place::Either,
        "server",
        "Scheme, host and port of requests that are written as paths.",
        r#"server = "https://shop.example""#,
    ),
    key(
        Place::Either,
        "headers",
        "Headers of the request. `Host` and those of a handshake take the place of the client's own; `\"\"` leaves one out.",
        r#"headers.Cookie = "a=b""#,
    ),
    key(
        Place::Either,
        "client",
        "The address of the client, as nginx sees it.",
        r#"client = "192.0.2.7""#,
    ),
    key(
        Place::Either,
        "exists",
        "Files that exist; folders end with a slash.",
        r#"exists = ["/srv/www/index.html"]"#,
    ),
    key(
        Place::Either,
        "missing",
        "Files and folders that do not exist.",
        r#"missing = ["/srv/www/about"]"#,
    ),
    key(
        Place::Route,
        "expect",
        "What has to hold.",
        "expect.status = 301",
    ),
    key(
        Place::Expect,
        "url",
        "What the upstream is asked for: the address in `proxy_pass`, then the URI.",
        r#"expect.url = "http://api/v1/users""#,
    ),
    key(
        Place::Expect,
        "location",
        "The location that answers, as it is written.",
        r#"expect.location = "~ \\.php$""#,
    ),
    key(
        Place::Expect,
        "status",
        "The status, where nginx itself sets it; `false` when the connection is closed without an answer.",
        "expect.status = 404",
    ),
    key(
        Place::Expect,
        "redirect",
        "The `Location` that nginx itself answers with.",
        r#"expect.redirect = "https://shop.example/""#,
    ),
    key(
        Place::Expect,
        "header",
        "A header that the upstream receives; `false` when it receives none, `\"\"` when none or an empty one.",
        r#"expect.header.Host = "shop.example""#,
    ),
    key(
        Place::Expect,
        "param",
        "A parameter that a FastCGI, uwsgi or SCGI server receives.",
        r#"expect.param.SCRIPT_FILENAME = "/srv/www/index.php""#,
    ),
    key(
        Place::Expect,
        "websocket",
        "Whether the handshake can complete.",
        "expect.websocket = true",
    ),
    key(
        Place::Expect,
        "read-timeout",
        "How long the upstream may be silent: a time, or `>=`, `>`, `<=` or `<` and one.",
        r#"expect.read-timeout = ">= 1h""#,
    ),
    key(
        Place::Expect,
        "file",
        "The file that is sent. It is taken to exist.",
        r#"expect.file = "/srv/www/index.html""#,
    ),
];

/// What is wrong with a file.
#[derive(Debug)]
pub struct Broken {
    /// The file.
    pub sources: Sources,
    /// Every mistake in it.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the text of a file.
///
/// # Errors
/// When the text is no TOML, or holds what the file must not hold.
pub fn read(file: &Path, text: Vec<u8>) -> Result<Suite, Box<Broken>> {
    let mut sources = Sources::default();
    let id = sources.add(file.to_string_lossy(), Origin::Disk(file.to_owned()), text);
    let mut reader = Reader {
        file: id,
        diagnostics: Vec::new(),
    };
    let mut routes = Vec::new();
    match str::from_utf8(sources.file(id).bytes()) {
        Ok(text) => routes = reader.document(text),
        Err(error) => {
            let start = error.valid_up_to();
            reader.wrong(start..start + 1, "the file is not UTF-8");
        }
    }
    let diagnostics = reader.diagnostics;
    if !diagnostics.is_empty() {
        return Err(Box::new(Broken {
            sources,
            diagnostics,
        }));
    }
    Ok(Suite {
        sources,
        file: id,
        routes,
    })
}

type Written<'t> = Spanned<DeValue<'t>>;
type Entry<'t, 'v> = (&'v Spanned<Cow<'t, str>>, &'v Written<'t>);

struct Reader {
    file: FileId,
    diagnostics: Vec<Diagnostic>,
}

/// What may stand at the top of the file and in a route.
#[derive(Debug, Clone, Default)]
struct Common {
    server: Option<String>,
    headers: Vec<Header>,
    client: Option<IpAddr>,
    exists: Vec<String>,
    missing: Vec<String>,
}

/// A header of the request, and where it stands.
#[derive(Debug, Clone)]
struct Header {
    name: String,
    text: String,
    range: Range<usize>,
}

impl Reader {
    fn wrong(&mut self, range: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let span = Span::new(self.file, range.start as u32, range.end as u32);
        self.diagnostics.push(Diagnostic {
            rule: NAME,
            severity: Severity::Error,
            message: message.into(),
            span,
            label: None,
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

    fn document(&mut self, text: &str) -> Vec<Route> {
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            self.wrong(error.span().unwrap_or(0..0), message);
        }
        if !self.diagnostics.is_empty() {
            return Vec::new();
        }
        let mut common = Common::default();
        let mut tables = Vec::new();
        for (key, value) in in_order(document.get_ref()) {
            match key.get_ref().as_ref() {
                "route" => match value.get_ref().as_array() {
                    Some(list) => tables.extend(list.iter()),
                    None => self.mistyped("route", value, "a list of tables"),
                },
                _ => self.common(&mut common, key, value, Place::File),
            }
        }
        if tables.is_empty() && self.diagnostics.is_empty() {
            self.wrong(0..0, "the file states nothing").help =
                Some("Each statement begins with `[[route]]`.".to_owned());
        }
        let routes = tables.into_iter();
        routes
            .filter_map(|table| self.route(table, common.clone()))
            .collect()
    }

    /// Reads a key that all routes or one may have.
    fn common(
        &mut self,
        common: &mut Common,
        key: &Spanned<Cow<'_, str>>,
        value: &Written<'_>,
        place: Place,
    ) {
        let name = key.get_ref().as_ref();
        match name {
            "server" => {
                let Some(text) = self.text(name, value) else {
                    return;
                };
                match Request::get(&text) {
                    Err(reason) => drop(self.wrong(value.span(), reason)),
                    Ok(request) if request.target != b"/" => {
                        self.wrong(value.span(), "a server is named without a path");
                    }
                    Ok(_) => common.server = Some(text.trim_end_matches('/').to_owned()),
                }
            }
            "headers" => {
                for (header, value) in self.table(name, value) {
                    if let Some(text) = self.text(name, value) {
                        let name = header.get_ref().to_string();
                        let other = |header: &Header| !header.name.eq_ignore_ascii_case(&name);
                        common.headers.retain(other);
                        let range = header.span();
                        common.headers.push(Header { name, text, range });
                    }
                }
            }
            "client" => {
                let Some(text) = self.text(name, value) else {
                    return;
                };
                match text.parse() {
                    Ok(client) => common.client = Some(client),
                    Err(_) => {
                        self.wrong(value.span(), format!("`{text}` is no address"));
                    }
                }
            }
            // What is said last about a path counts.
            "exists" => {
                let paths = self.texts(name, value);
                common.missing.retain(|path| !paths.contains(path));
                common.exists.extend(paths);
            }
            "missing" => {
                let paths = self.texts(name, value);
                common.exists.retain(|path| !paths.contains(path));
                common.missing.extend(paths);
            }
            _ => self.unknown_key(key, place),
        }
    }

    fn route(&mut self, written: &Written<'_>, mut common: Common) -> Option<Route> {
        let mistakes = self.diagnostics.len();
        let Some(table) = written.get_ref().as_table() else {
            self.mistyped("route", written, "a list of tables");
            return None;
        };
        let entries = in_order(table);
        let start = entries
            .first()
            .map_or(written.span(), |(key, _)| key.span());
        let (mut name, mut method, mut asked) = (None, None, None);
        let mut expectations = Vec::new();
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                "name" => name = self.text("name", value),
                "method" => method = self.text("method", value),
                which @ ("request" | "under") => {
                    if asked.is_some() {
                        self.wrong(key.span(), "a route has either `request` or `under`");
                    }
                    let url = self.text(which, value);
                    asked = Some((which == "under", url, value.span()));
                }
                "expect" => self.expectations(value, &mut expectations),
                _ => self.common(&mut common, key, value, Place::Route),
            }
        }
        let Some((is_below, url, place)) = asked else {
            if self.diagnostics.len() == mistakes {
                self.wrong(start, "the route has neither `request` nor `under`");
            }
            return None;
        };
        if expectations.is_empty() && self.diagnostics.len() == mistakes {
            self.wrong(start.clone(), "the route expects nothing").help =
                Some("For example `expect.status = 301`.".to_owned());
        }
        let mut request = self.request(&url?, &common, place.clone())?;
        if let Some(method) = method {
            request.method = method;
        }
        let asked = match is_below {
            true => Asked::Below(self.below(&request, place)?),
            false => Asked::One,
        };
        self.handshakes(&request, &expectations);
        let route = Route {
            name: String::new(),
            span: Span::new(self.file, start.start as u32, start.end as u32),
            request,
            asked,
            disk: disk(&common, &expectations),
            expectations,
        };
        (self.diagnostics.len() == mistakes).then(|| Route {
            name: name.unwrap_or_else(|| route.requests()),
            ..route
        })
    }

    /// The request of a URL, or of a path at the server that is set.
    fn request(&mut self, url: &str, common: &Common, place: Range<usize>) -> Option<Request> {
        let url = match (&common.server, url.starts_with('/')) {
            (Some(server), true) => format!("{server}{url}"),
            (None, true) => {
                self.wrong(place, format!("`{url}` names no host")).help = Some(
                    "Write a URL, or the host for all routes as in `server = \"http://shop.example\"`."
                        .to_owned(),
                );
                return None;
            }
            (_, false) => url.to_owned(),
        };
        let mut request = match Request::get(&url) {
            Ok(request) => request,
            Err(reason) => {
                self.wrong(place, reason);
                return None;
            }
        };
        request.client = common.client;
        for Header { name, text, range } in &common.headers {
            if let Err(reason) = request.header(&format!("{name}: {text}")) {
                self.wrong(range.clone(), reason);
            }
        }
        Some(request)
    }

    /// The normalised path that all requests of a route begin with.
    fn below(&mut self, request: &Request, place: Range<usize>) -> Option<Vec<u8>> {
        let uri = Uri::parse(&request.target, true);
        match uri {
            Some(Uri {
                path,
                arguments: None,
                ..
            }) => Some(path),
            Some(_) => {
                self.wrong(place, "`under` stands for every query, and has none itself");
                None
            }
            None => {
                self.wrong(place, "nginx refuses this path");
                None
            }
        }
    }

    fn handshakes(&mut self, request: &Request, expectations: &[Expectation]) {
        let upgrade = |(name, _): &(String, Vec<u8>)| name.eq_ignore_ascii_case("upgrade");
        let is_handshake = request.headers.iter().any(upgrade);
        let wants = |expectation: &&Expectation| matches!(expectation.wanted, Wanted::WebSocket(_));
        if let Some(wanting) = expectations.iter().find(wants)
            && !is_handshake
        {
            let place = wanting.span.range();
            self.wrong(place, "the request is no handshake").help =
                Some("A URL that begins with `ws:` or `wss:` is one.".to_owned());
        }
    }

    fn expectations(&mut self, value: &Written<'_>, expectations: &mut Vec<Expectation>) {
        for (key, value) in self.table("expect", value) {
            let name = key.get_ref().as_ref();
            if matches!(name, "header" | "param") {
                for (below, value) in self.table(name, value) {
                    let text = self.text_or_false(name, value);
                    let below_name = below.get_ref().to_string();
                    self.expect(
                        expectations,
                        below.span(),
                        text.map(|text| match name {
                            "header" => Wanted::Header(below_name, text),
                            _ => Wanted::Param(below_name, text),
                        }),
                    );
                }
                continue;
            }
            let wanted = match name {
                "url" => self.text_or_false(name, value).map(Wanted::Url),
                "location" => self.text_or_false(name, value).map(Wanted::Location),
                "redirect" => self.text_or_false(name, value).map(Wanted::Redirect),
                "file" => self.text_or_false(name, value).map(Wanted::File),
                "status" => self.status(value).map(Wanted::Status),
                "websocket" => match value.get_ref().as_bool() {
                    Some(wanted) => Some(Wanted::WebSocket(wanted)),
                    None => {
                        self.mistyped(name, value, "true or false");
                        None
                    }
                },
                "read-timeout" => self.bound(value).map(Wanted::ReadTimeout),
                _ => {
                    self.unknown_key(key, Place::Expect);
                    None
                }
            };
            self.expect(expectations, key.span(), wanted);
        }
    }

    fn expect(
        &self,
        expectations: &mut Vec<Expectation>,
        place: Range<usize>,
        wanted: Option<Wanted>,
    ) {
        let span = Span::new(self.file, place.start as u32, place.end as u32);
        expectations.extend(wanted.map(|wanted| Expectation { span, wanted }));
    }

    fn status(&mut self, value: &Written<'_>) -> Option<Option<u16>> {
        if value.get_ref().as_bool() == Some(false) {
            return Some(None);
        }
        let number = value.get_ref().as_integer();
        let status = number.and_then(|number| number.as_str().parse::<u16>().ok());
        match status.filter(|status| (100..600).contains(status)) {
            Some(status) => Some(Some(status)),
            None => {
                self.mistyped("status", value, "a status from 100 to 599, or false");
                None
            }
        }
    }

    fn bound(&mut self, value: &Written<'_>) -> Option<Bound> {
        let text = self.text("read-timeout", value)?;
        let bound = Bound::parse(&text);
        if bound.is_none() {
            self.wrong(value.span(), format!("`{text}` is no time"))
                .help = Some("For example `\"60s\"`, `\">= 1h\"` or `\"< 5s\"`.".to_owned());
        }
        bound
    }

    fn text(&mut self, name: &str, value: &Written<'_>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.mistyped(name, value, "a string");
        }
        text.map(ToOwned::to_owned)
    }

    fn text_or_false(&mut self, name: &str, value: &Written<'_>) -> Option<Option<String>> {
        match value.get_ref() {
            DeValue::String(text) => Some(Some(text.to_string())),
            DeValue::Boolean(false) => Some(None),
            _ => {
                self.mistyped(name, value, "a string or false");
                None
            }
        }
    }

    fn texts(&mut self, name: &str, value: &Written<'_>) -> Vec<String> {
        let items = value.get_ref().as_array().map(|items| items.iter());
        let texts: Option<Vec<String>> = items.and_then(|mut items| {
            items.try_fold(Vec::new(), |mut texts, item| {
                texts.push(item.get_ref().as_str()?.to_owned());
                Some(texts)
            })
        });
        if texts.is_none() {
            self.mistyped(name, value, "a list of strings");
        }
        texts.unwrap_or_default()
    }

    fn table<'t, 'v>(&mut self, name: &str, value: &'v Written<'t>) -> Vec<Entry<'t, 'v>> {
        match value.get_ref() {
            DeValue::Table(table) => in_order(table),
            _ => {
                self.mistyped(name, value, "a table");
                Vec::new()
            }
        }
    }

    fn mistyped(&mut self, name: &str, value: &Written<'_>, wanted: &str) {
        let example = KEYS.iter().find(|key| key.name == name);
        self.wrong(value.span(), format!("`{name}` is {wanted}"))
            .help = example.map(|key| format!("For example `{}`.", key.example));
    }

    fn unknown_key(&mut self, key: &Spanned<Cow<'_, str>>, place: Place) {
        let name = key.get_ref();
        let fits = |known: &&Key| {
            known.place == place || known.place == Place::Either && place != Place::Expect
        };
        let known: Vec<&str> = KEYS.iter().filter(fits).map(|known| known.name).collect();
        let elsewhere = KEYS.iter().find(|known| known.name == name.as_ref());
        let meant = name.replace('_', "-").to_lowercase();
        let similar = closest(&meant, known.iter().copied());
        let mistake = self.wrong(key.span(), format!("there is no key `{name}` here"));
        match (similar, elsewhere) {
            (_, Some(elsewhere)) => {
                mistake.help = Some(format!(
                    "It belongs {}, as in `{}`.",
                    match elsewhere.place {
                        Place::Expect => "below `expect`",
                        Place::Route => "into a `[[route]]`",
                        Place::File | Place::Either => "to the top of the file",
                    },
                    elsewhere.example
                ));
            }
            (Some(similar), None) => mistake.label = Some(format!("did you mean `{similar}`?")),
            (None, None) => mistake.help = Some(format!("There are {}.", known.join(", "))),
        }
    }
}

/// What is said about files; one that is expected to be sent exists, unless it is named as missing.
fn disk(common: &Common, expectations: &[Expectation]) -> Disk {
    let mut disk = Disk::default();
    for path in &common.exists {
        disk.add(path.as_bytes());
    }
    for expectation in expectations {
        if let Wanted::File(Some(path)) = &expectation.wanted
            && !common.missing.contains(path)
        {
            disk.add(path.as_bytes());
        }
    }
    for path in &common.missing {
        disk.remove(path.as_bytes());
    }
    disk
}

/// The keys of a table as they are written.
fn in_order<'t, 'v>(table: &'v DeTable<'t>) -> Vec<Entry<'t, 'v>> {
    let mut entries: Vec<Entry<'t, 'v>> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
