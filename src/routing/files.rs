//! Files: where a URI leads on the disk, `try_files`, `index`, and the static module.

use std::os::unix::ffi::OsStrExt;

use super::assumption::About;
use super::content::Content;
use super::disk::Entry;
use super::run::{Run, Status};
use super::script::parts;
use super::trace::Outcome;
use super::uri::escape_for;
use super::value::Value;
use super::variation::{By, Part, Varies};
use crate::config::{Directive, Location};
use crate::nginx;

/// A `root` or an `alias` in force.
pub(super) struct Root {
    /// The path, evaluated.
    pub(super) path: Value,
    pub(super) alias: Alias,
}

/// How much of a URI an `alias` takes the place of (`clcf->alias`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alias {
    /// It is a `root`.
    None,
    /// The name of the location, by its length.
    Name(usize),
    /// The whole URI, in a regex location.
    Whole,
}

impl<'c> Run<'_, 'c> {
    /// The `root` or `alias` of the innermost level that has one.
    fn root_directive(&self) -> Option<Directive<'c>> {
        std::iter::once(self.scope)
            .chain(self.scope.ancestors())
            .find_map(|level| {
                let own = |name: &str| level.own(name).next_back();
                own("alias").or_else(|| own("root"))
            })
    }

    /// Where files are, as `ngx_http_core_root` keeps it and `ngx_http_map_uri_to_path` evaluates it.
    pub(super) fn root(&mut self) -> Root {
        let directive = self.root_directive();
        let mut alias = Alias::None;
        let mut path = b"html".to_vec();
        if let Some(directive) = directive {
            path = directive
                .argument(0)
                .map(|word| word.value.into_owned())
                .unwrap_or_default();
            if directive.is("alias") {
                let location = directive.parent().and_then(Location::of);
                alias = match location {
                    Some(location) if location.is_regex() => Alias::Whole,
                    Some(location) => Alias::Name(location.path.len()),
                    None => Alias::None,
                };
            } else if path.ends_with(b"/") {
                path.pop();
            }
        }
        // nginx refuses a path that is made of itself; it is followed all the same, but not for ever.
        let value = match self.is_deep() {
            true => Value::default(),
            false => {
                self.depth += 1;
                let value = self.evaluate(&path);
                self.depth -= 1;
                value
            }
        };
        Root {
            path: self.full_name(value),
            alias,
        }
    }

    /// A relative path starts at nginx's prefix (`ngx_get_full_name`).
    fn full_name(&self, path: Value) -> Value {
        let prefix = self.tracer.options.prefix.as_ref();
        match prefix {
            Some(prefix) if !path.bytes.starts_with(b"/") => {
                let mut full = prefix.as_os_str().as_bytes().to_vec();
                if !full.ends_with(b"/") {
                    full.push(b'/');
                }
                full.extend(&path.bytes);
                path.with(full)
            }
            _ => path,
        }
    }

    /// `ngx_http_map_uri_to_path`; nothing where nginx fails.
    pub(super) fn file_name(&mut self) -> Option<Value> {
        let root = self.root();
        self.map_uri(&root)
    }

    fn map_uri(&self, root: &Root) -> Option<Value> {
        if root.alias != Alias::None && !self.valid_location {
            return None;
        }
        let mut path = root.path.clone();
        let from = match root.alias {
            Alias::None => 0,
            Alias::Name(length) => length,
            Alias::Whole if self.add_uri_to_alias => 0,
            Alias::Whole => return Some(path),
        };
        let rest = self.uri.bytes.get(from..).unwrap_or_default().to_vec();
        path.push(&self.uri.with(rest));
        Some(path)
    }

    /// What there is at a path, as far as it was said or has been assumed.
    pub(super) fn look(&mut self, path: &Value) -> Option<Entry> {
        self.assume_names(path);
        if !path.is_known() {
            return None;
        }
        self.note_looked(path);
        self.vary(Part::File, path);
        let guessed = self.guessed.get(&path.bytes).copied();
        let known = self.disk.get(&path.bytes).or(guessed);
        // What ends with a slash is a folder, if it is there.
        let supposed = self.supposed.files;
        known.or(supposed.filter(|_| !path.bytes.ends_with(b"/")))
    }

    /// Takes something to be so that is about a path of the disk.
    pub(super) fn guess(&mut self, path: &Value, taken: Entry, text: String) {
        let about = match path.is_known() {
            true => About::File(path.bytes.clone(), taken),
            false => About::Other,
        };
        self.assume_about(about, text);
    }

    pub(super) fn guess_missing(&mut self, path: &Value) {
        let text = format!("the file {} does not exist", path.text());
        self.guess(path, Entry::Missing, text);
        self.guessed.insert(path.bytes.clone(), Entry::Missing);
    }

    fn guess_file(&mut self, path: &Value) {
        let text = format!("the file {} exists", path.text());
        self.guess(path, Entry::File, text);
        self.guessed.insert(path.bytes.clone(), Entry::File);
    }

    fn alias_fails(&mut self) -> Status {
        let place = self.root_directive();
        self.step(place, "`alias` cannot serve a URI that was rewritten");
        Status::error(500, "`alias` cannot serve a URI that was rewritten")
    }

    /// `ngx_http_try_files_handler`; nothing when a file was found or there is no such directive.
    pub(super) fn try_files(&mut self) -> Option<Content<'c>> {
        let directive = self.scope.own("try_files").next()?;
        let words: Vec<Vec<u8>> = directive
            .arguments()
            .map(|word| word.value.into_owned())
            .collect();
        let (last, tried) = words.split_last()?;
        let root = self.root();
        if self.map_uri(&root).is_none() {
            return Some(Content::Status(self.alias_fails()));
        }
        for word in tried {
            let folder = word.ends_with(b"/");
            let text = word.strip_suffix(b"/").unwrap_or(word);
            let name = self.tried_name(text, root.alias);
            let mut path = root.path.clone();
            path.push(&name);
            let mut found = self.look(&path);
            // No file has a name that ends with a slash.
            if !folder && path.is_known() && path.bytes.ends_with(b"/") {
                found = Some(Entry::Folder);
            }
            // What the configuration itself asks for is taken to be there.
            if found.is_none() && !folder && self.is_named && name.bytes == self.uri.bytes {
                self.guess_file(&path);
                found = Some(Entry::File);
            }
            let wanted = if folder { Entry::Folder } else { Entry::File };
            let shown = path.text();
            match found {
                Some(entry) if entry == wanted => {
                    self.step(Some(directive), format!("{shown} is there"));
                    match root.alias {
                        Alias::None if text == b"$uri" => {}
                        Alias::None => self.uri = name,
                        Alias::Whole if folder => {}
                        Alias::Whole => {
                            self.uri = name;
                            self.add_uri_to_alias = true;
                        }
                        Alias::Name(length) => {
                            let mut start = self.uri.bytes.clone();
                            start.resize(length, 0);
                            start.extend(&name.bytes);
                            self.uri = name.with(start);
                        }
                    }
                    return None;
                }
                Some(_) => {}
                None if folder => {
                    let text = format!("there is no folder {shown}");
                    self.guess(&path, Entry::Missing, text);
                }
                None => self.guess_missing(&path),
            }
        }
        if let Some(code) = last.strip_prefix(b"=") {
            let code = String::from_utf8_lossy(code).parse().unwrap_or(404);
            self.step(
                Some(directive),
                format!("no file is there, so nginx answers {code}"),
            );
            return Some(Content::Status(Status::answer(code)));
        }
        let mut uri = self.tried_name(last, root.alias);
        self.step(
            Some(directive),
            format!("no file is there, so `{}` is taken", uri.text()),
        );
        if uri.bytes.starts_with(b"@") {
            return Some(Content::Named(uri, directive));
        }
        let mut args = Value::default();
        let mark = uri.bytes.iter().position(|byte| *byte == b'?');
        if !uri.is_fixed(mark.unwrap_or(uri.bytes.len())) {
            self.fork(Some(directive), By::Other);
        }
        if let Some(mark) = mark {
            args = uri.split_off(mark);
            args = args.split_off(1);
        }
        Some(Content::Redirect(Some(directive), uri, args))
    }

    /// What is tried: where an `alias` holds, without the name of the location, as far as variables have put it there.
    fn tried_name(&mut self, text: &[u8], alias: Alias) -> Value {
        if !nginx::has_variables(text) {
            return Value::new(text);
        }
        let parts = parts(text, false);
        let mut engine = super::script::Engine::default();
        let (_, values) = self.measure(&parts, engine);
        let value = self.build(&parts, &values, &mut engine).value;
        match alias {
            Alias::Name(length)
                if value.bytes.len() >= length
                    && self.uri.bytes.get(..length) == value.bytes.get(..length) =>
            {
                value.with(value.bytes[length..].to_vec())
            }
            _ => value,
        }
    }

    /// The handlers of the content phase when none was chosen: `index`, `autoindex`, `dav`, and the static module.
    pub(super) fn serve(&mut self) -> Content<'c> {
        let place = self.root_directive();
        let method = self.method.clone();
        let read = matches!(method.as_str(), "GET" | "HEAD" | "POST");
        if let Some(methods) = self.scope.effective("dav_methods").directive()
            && matches!(
                method.as_str(),
                "PUT" | "DELETE" | "MKCOL" | "COPY" | "MOVE"
            )
            && methods
                .arguments()
                .any(|word| word.eq_ignore_ascii_case(method.as_bytes()))
        {
            self.step(Some(methods), "the file is changed");
            return Content::Outcome(Outcome::Handler {
                name: "dav_methods".to_owned(),
                status: self.err_status,
            });
        }
        match self.uri.varies {
            Varies::No | Varies::Index => {}
            Varies::Path => self.fork(place, By::Slash),
            _ => self.fork(place, By::Other),
        }
        if self.uri.bytes.ends_with(b"/") && read {
            if let Some(content) = self.index() {
                return content;
            }
            if method != "POST" && self.scope_flag("autoindex") {
                return self.autoindex();
            }
        }
        if !read {
            self.step(place, format!("files are not there for {method}"));
            return Content::Status(Status::reject(405));
        }
        let Some(path) = self.file_name() else {
            return match self.uri.bytes.ends_with(b"/") {
                true => Content::Status(Status::reject(403)),
                false => Content::Status(self.alias_fails()),
            };
        };
        let shown = path.text();
        if self.uri.bytes.ends_with(b"/") {
            self.step(
                place,
                format!("no index of {shown} is there, and it is not listed"),
            );
            return Content::Status(file(&shown, 403));
        }
        self.step(place, format!("the file is {shown}"));
        let mut found = self.look(&path);
        // No file has a name that ends with a slash.
        if found.is_none() && path.is_known() && path.bytes.ends_with(b"/") {
            self.guess(&path, Entry::Folder, format!("the folder {shown} exists"));
            found = Some(Entry::Folder);
        }
        match found {
            Some(Entry::Missing) => Content::Status(file(&shown, 404)),
            Some(Entry::Folder) => {
                let mut to = escape_for(&self.uri.bytes, self.version);
                to.push(b'/');
                let mut to = self.uri.with(to);
                let args = self.args.clone();
                if !args.bytes.is_empty() {
                    to.push(&Value::new("?"));
                    to.push(&args);
                }
                to.varies = to.varies.or(args.varies);
                self.step(
                    place,
                    "it is a folder, so its URI without the slash is redirected",
                );
                Content::Status(self.redirected(place, 301, to))
            }
            found => {
                if found.is_none() {
                    self.guess_file(&path);
                }
                if method == "POST" {
                    self.step(place, "a file takes no POST");
                    return Content::Status(Status::reject(405));
                }
                let status = self.err_status.unwrap_or(200);
                self.assume_conditions(status);
                Content::Outcome(Outcome::File {
                    path: shown,
                    status: Some(status),
                })
            }
        }
    }

    /// Headers that ask about the age of a file or for a part of it (`ngx_http_not_modified_filter_module.c`,
    /// `ngx_http_range_filter_module.c`).
    fn assume_conditions(&mut self, status: u16) {
        let conditions = [
            "If-Modified-Since",
            "If-Unmodified-Since",
            "If-Match",
            "If-None-Match",
            "Range",
        ];
        for name in conditions {
            if status == 200 && self.header(name).is_some() {
                self.assume(format!(
                    "the whole file is sent in spite of the header `{name}`"
                ));
            }
        }
    }

    /// What `ngx_http_not_modified_header_filter` says of an answer that has neither age nor tag.
    pub(super) fn precondition(&mut self, status: u16) -> Option<Status> {
        let failed = ["If-Unmodified-Since", "If-Match"]
            .into_iter()
            .find(|name| {
                let given = self.header(name);
                given.is_some_and(|value| *name != "If-Match" || value != b"*")
            });
        let failed = failed.filter(|_| status == 200 && !self.is_subrequest)?;
        self.step(None, format!("the header `{failed}` cannot be fulfilled"));
        self.redirect = None;
        Some(Status::reject(412))
    }

    fn autoindex(&mut self) -> Content<'c> {
        let directive = self.scope.effective("autoindex").directive();
        let Some(path) = self.file_name() else {
            return Content::Status(self.alias_fails());
        };
        let shown = path.text();
        match self.look(&path) {
            Some(Entry::Missing | Entry::File) => Content::Status(file(&shown, 404)),
            found => {
                if found.is_none() {
                    let text = format!("the folder {shown} exists");
                    self.guess(&path, Entry::Folder, text);
                }
                self.step(directive, format!("the files of {shown} are listed"));
                if let Some(failed) = self.precondition(self.err_status.unwrap_or(200)) {
                    return Content::Status(failed);
                }
                Content::Outcome(Outcome::Handler {
                    name: "autoindex".to_owned(),
                    status: self.err_status,
                })
            }
        }
    }

    /// `ngx_http_index_handler`; nothing when there is no index in a folder that exists.
    fn index(&mut self) -> Option<Content<'c>> {
        let directive = self.scope.effective("index").directives;
        let place = directive.first().copied();
        let mut names: Vec<Vec<u8>> = directive
            .iter()
            .flat_map(|directive| directive.arguments())
            .map(|word| word.value.into_owned())
            .collect();
        if names.is_empty() {
            names.push(b"index.html".to_vec());
        }
        let mut folder_tested = false;
        for name in names {
            let name = self.evaluate(&name);
            let args = self.args.clone();
            if !name.is_fixed(1) {
                self.fork(place, By::Other);
            }
            if name.bytes.starts_with(b"/") {
                return Some(Content::Redirect(place, name, args));
            }
            let Some(folder) = self.file_name() else {
                return Some(Content::Status(self.alias_fails()));
            };
            let mut path = folder.clone();
            path.push(&name);
            let found = self.look(&path);
            if found == Some(Entry::Missing) {
                if !folder_tested {
                    let shown = folder.text();
                    let parent = folder.bytes.strip_suffix(b"/").unwrap_or(&folder.bytes);
                    match self.disk.get(parent) {
                        Some(Entry::Missing) => {
                            self.step(place, format!("there is no folder {shown}"));
                            return Some(Content::Status(file(&shown, 404)));
                        }
                        Some(Entry::File) if folder.bytes.ends_with(b"/") => {
                            return Some(Content::Status(file(&shown, 404)));
                        }
                        // An `alias` without its last slash.
                        Some(Entry::File) => {
                            let reason = format!("{shown} is no folder");
                            return Some(Content::Status(Status::error(500, reason)));
                        }
                        Some(Entry::Folder) => {}
                        None => {
                            let folder = folder.with(parent.to_vec());
                            self.note_looked(&folder);
                            let text = format!("the folder {shown} exists");
                            self.guess(&folder, Entry::Folder, text);
                        }
                    }
                    folder_tested = true;
                }
                continue;
            }
            if found.is_none() {
                self.guess_file(&path);
            }
            let mut uri = self.uri.clone();
            uri.push(&name);
            // Only with such a name is the URI still normalised.
            let is_plain = !name.bytes.contains(&b'/') && !name.bytes.starts_with(b".");
            if self.uri.varies == Varies::Path && !name.is_varied() && is_plain {
                uri.varies = Varies::Index;
            }
            return Some(Content::Redirect(place, uri, args));
        }
        None
    }
}

fn file(path: &str, code: u16) -> Status {
    Status {
        code,
        outcome: Outcome::File {
            path: path.to_owned(),
            status: Some(code),
        },
    }
}
