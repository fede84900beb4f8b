//! Configurations that run here as they are written.
//!
//! A staged configuration listens at free ports of this machine, passes requests on to backends of the tests, has its files
//! in a temporary folder, and notes which locations take a request. All else stays as it is, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use nginspect::syntax::{Node, Tree};
use tempfile::TempDir;

use crate::contests::start_fastcgi;
use crate::harness::{Echo, Nginx, PORT, Response, Server, copy_folder, free_port, parsed};

/// The variable in which the locations note that they have taken a request, and the format of the log.
const NOTES: &str = "staged_blocks";

/// Directives about nginx's own process and logs, and about name servers, which are left out.
const LEFT_OUT: [&str; 8] = [
    "access_log",
    "daemon",
    "error_log",
    "lock_file",
    "master_process",
    "pid",
    "resolver",
    "user",
];

/// Directives whose first argument is a file with a certificate or its key.
const CERTIFICATES: [&str; 7] = [
    "proxy_ssl_certificate",
    "proxy_ssl_certificate_key",
    "proxy_ssl_trusted_certificate",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_client_certificate",
    "ssl_trusted_certificate",
];

/// The programs around staged configurations: those that they pass requests on to, and one that speaks TLS with them.
pub(crate) struct Backends {
    http: u16,
    tls: Server,
    fastcgi: u16,
    /// It passes each request on to the port that a header names.
    client: Server,
}

impl Backends {
    pub(crate) fn start(nginx: &Nginx) -> Self {
        let http = Echo::start().port;
        let certificate = certificate();
        let text = format!(
            "events {{}} http {{ server {{ listen 127.0.0.1:{PORT} ssl;
                ssl_certificate {certificate}; ssl_certificate_key {certificate};
                location / {{
                    proxy_pass http://127.0.0.1:{http};
                    proxy_http_version 1.1;
                    proxy_set_header Host $http_host;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $http_connection;
                    proxy_set_header X-Version $server_protocol;
                }}
            }} }}"
        );
        let client = format!(
            "events {{}} http {{ server {{ listen 127.0.0.1:{PORT};
                client_max_body_size 0;
                proxy_request_buffering off;
                location / {{
                    proxy_pass https://127.0.0.1:$http_x_port;
                    proxy_http_version 1.1;
                    proxy_ssl_server_name on;
                    proxy_ssl_name $host;
                    proxy_set_header Host $http_host;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $http_connection;
                    proxy_set_header X-Port \"\";
                }}
            }} }}"
        );
        Self {
            http,
            tls: Server::start(nginx, &text),
            fastcgi: start_fastcgi(),
            client: Server::start(nginx, &client),
        }
    }
}

fn certificate() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nginx/self-signed.pem");
    path.display().to_string()
}

/// What became of a request.
pub(crate) struct Seen {
    pub(crate) response: Response,
    /// What the answer holds, which is the head of the request that a backend has got, if one has.
    pub(crate) body: String,
    /// The locations that took it, in order, each as `file:line`.
    pub(crate) blocks: Vec<String>,
    /// What nginx logged meanwhile.
    pub(crate) log: String,
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, body) = (self.response.head.trim_end(), self.body.trim_end());
        write!(formatter, "{:?}\n{head}\n{body}\n{}", self.blocks, self.log)
    }
}

impl Seen {
    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        headers(&self.response.head, name).next()
    }

    /// A header of the request that the backend got.
    pub(crate) fn sent(&self, name: &str) -> Option<&str> {
        self.sent_all(name).next()
    }

    /// All lines of a header of the request that the backend got.
    pub(crate) fn sent_all(&self, name: &str) -> impl Iterator<Item = &str> {
        headers(&self.body, name)
    }

    /// The version that nginx spoke with the backend, as `HTTP/1.1`; nothing where the request has not come to one.
    pub(crate) fn version(&self) -> Option<&str> {
        let first = self.body.lines().next()?;
        let spoken = first
            .rsplit(' ')
            .next()
            .filter(|word| word.starts_with("HTTP/"))?;
        Some(self.sent("X-Version").unwrap_or(spoken))
    }
}

fn headers<'t>(head: &'t str, name: &str) -> impl Iterator<Item = &'t str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let named = lines.filter(move |(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim())
}

/// A configuration that runs.
pub(crate) struct Staged {
    server: Server,
    folder: TempDir,
    /// The texts as they are written, by their paths below the folder of the root.
    pub(crate) texts: BTreeMap<String, String>,
    ports: BTreeMap<u16, Vec<u16>>,
    authorities: BTreeMap<String, String>,
}

impl Staged {
    /// Starts nginx with a root configuration and what lies beside it; the error is what nginx logs instead.
    pub(crate) fn start(nginx: &Nginx, root: &Path, backends: &Backends) -> Result<Self, String> {
        let name = root.file_name().expect("a name").to_string_lossy();
        let texts = texts(root, &name);
        // Another program may take a free port before nginx does.
        let mut attempts = (0..3).map(|_| Stage::new(backends, &texts).start(nginx, root, &name));
        let is_taken = |log: &String| log.contains("Address already in use");
        attempts
            .find(|attempt| !attempt.as_ref().err().is_some_and(is_taken))
            .expect("nginx gets its ports at one of three attempts")
    }

    /// Sends a request to each socket that stands for a port, with TLS if need be.
    pub(crate) fn ask(&self, backends: &Backends, port: u16, tls: bool, raw: &str) -> Vec<Seen> {
        let own = self.ports.get(&port).into_iter().flatten();
        let seen = own.filter_map(|own| match tls {
            true => {
                let named = raw.replacen("\r\n", &format!("\r\nX-Port: {own}\r\n"), 1);
                self.ask_at(backends.client.port(), &named)
            }
            false => self.ask_at(*own, raw),
        });
        seen.collect()
    }

    fn ask_at(&self, port: u16, raw: &str) -> Option<Seen> {
        let notes = || {
            let notes = fs::read_to_string(self.folder.path().join("notes"));
            notes.unwrap_or_default()
        };
        let (before, noted) = (self.server.log().len(), notes().len());
        let answer = self.server.try_ask_at(port, raw.as_bytes());
        // Where TLS or HTTP/2 is spoken nothing is understood.
        if !answer.starts_with(b"HTTP/1.") {
            return None;
        }
        let response = Response::new(&answer);
        let notes = notes().split_off(noted);
        let blocks = notes.trim_end().split(['<', '>']);
        let blocks = blocks.filter(|block| !block.is_empty() && *block != "-");
        Some(Seen {
            body: String::from_utf8_lossy(&response.body).into_owned(),
            blocks: blocks.map(str::to_owned).collect(),
            log: self.server.log().split_off(before),
            response,
        })
    }

    /// Puts a text where the configuration looks for a file.
    pub(crate) fn put(&self, file: &str, text: &str) {
        let path = match file.strip_prefix('/') {
            Some(below) => self.folder.path().join(below),
            None => self.server.folder().join(file),
        };
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        // What is wanted may be a folder already.
        let _ = fs::write(path, text);
    }

    /// A text about the configuration, with the addresses of backends that stand here for those that are written.
    pub(crate) fn here(&self, text: &str) -> String {
        let longest = |rest: &str| {
            let known = self.authorities.iter();
            let fitting = known.filter(|(written, _)| rest.starts_with(written.as_str()));
            fitting.max_by_key(|(written, _)| written.len())
        };
        let mut here = String::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            match longest(rest) {
                Some((written, own)) => {
                    here.push_str(own);
                    rest = &rest[written.len()..];
                }
                None => {
                    here.push(letter);
                    rest = &rest[letter.len_utf8()..];
                }
            }
        }
        here
    }

    /// A URL that nginx has sent, with the ports that are written.
    pub(crate) fn written(&self, url: &str) -> String {
        let own = self
            .ports
            .iter()
            .flat_map(|(port, all)| all.iter().map(move |own| (port, own)));
        own.fold(url.to_owned(), |url, (port, own)| {
            let usual = if url.starts_with("https://") { 443 } else { 80 };
            let written = match *port == usual {
                true => String::new(),
                false => format!(":{port}"),
            };
            url.replace(&format!(":{own}"), &written)
        })
    }
}

/// The texts in the folder of a root configuration: all of them where it includes any, by their paths below the folder.
fn texts(root: &Path, name: &str) -> BTreeMap<String, String> {
    let folder = root.parent().expect("a folder");
    let own = fs::read_to_string(root).expect("a text");
    if !own.contains("include ") {
        return BTreeMap::from([(name.to_owned(), own)]);
    }
    let mut texts = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(folder.join(&below))
            .expect("a folder")
            .flatten()
        {
            let below = below.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(below);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                texts.insert(below.display().to_string(), text);
            }
        }
    }
    texts
}

/// A configuration that is being staged.
struct Stage<'a> {
    backends: &'a Backends,
    texts: &'a BTreeMap<String, String>,
    folder: TempDir,
    /// The names of upstreams, which stay.
    upstreams: BTreeSet<String>,
    /// The sockets that are written, each with its port here.
    sockets: BTreeMap<String, u16>,
    /// The ports that are written, with the ports of the sockets that stand for them.
    ports: BTreeMap<u16, Vec<u16>>,
    /// The addresses of backends that are written, and those here.
    authorities: BTreeMap<String, String>,
}

/// A word of a directive: where it stands, and its value.
type Word = (usize, usize, String);

/// What is written in the place of a part of a text.
type Edit = (usize, usize, String);

impl<'a> Stage<'a> {
    fn new(backends: &'a Backends, texts: &'a BTreeMap<String, String>) -> Self {
        let mut upstreams = BTreeSet::new();
        for text in texts.values() {
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            let named = words.windows(2).filter(|pair| pair[0] == "upstream");
            upstreams.extend(named.map(|pair| pair[1].trim_end_matches('{').to_owned()));
        }
        Self {
            backends,
            texts,
            folder: TempDir::new().expect("a temporary folder"),
            upstreams,
            sockets: BTreeMap::new(),
            ports: BTreeMap::new(),
            authorities: BTreeMap::new(),
        }
    }

    fn start(mut self, nginx: &Nginx, root: &Path, name: &str) -> Result<Staged, String> {
        let copy = TempDir::new().expect("a temporary folder");
        if self.texts.len() > 1 {
            copy_folder(root.parent().expect("a folder"), copy.path());
        }
        let texts = self.texts;
        let staged: BTreeMap<&String, String> = texts
            .iter()
            .map(|(path, text)| (path, self.text(path, text)))
            .collect();
        for (path, text) in &staged {
            fs::write(copy.path().join(path), text).expect("a writable folder");
        }
        let main = staged.iter().find(|(path, _)| **path == name);
        let server = Server::try_start_in(nginx, copy, main.expect("the root").1)?;
        Ok(Staged {
            server,
            folder: self.folder,
            texts: texts.clone(),
            ports: self.ports,
            authorities: self.authorities,
        })
    }

    /// A text as it runs here.
    fn text(&mut self, path: &str, text: &str) -> String {
        let tree = parsed(text.as_bytes());
        let mut edits = Vec::new();
        // What `proxy_redirect` looks for is the address of a `proxy_pass`, wherever that stands.
        for is_last in [false, true] {
            for (index, node) in tree.nodes.iter().enumerate() {
                let words = words(&tree, node, text);
                if words
                    .first()
                    .is_some_and(|word| (word.2 == "proxy_redirect") == is_last)
                {
                    let about = About {
                        path,
                        text,
                        tree: &tree,
                        index,
                        node,
                        words: &words,
                    };
                    edits.extend(self.edits(&about));
                }
            }
        }
        edits.sort();
        let mut staged = text.to_owned();
        for (start, end, new) in edits.into_iter().rev() {
            staged.replace_range(start..end, &new);
        }
        staged
    }

    /// What is to be changed in a directive.
    fn edits(&mut self, about: &About<'_>) -> Vec<Edit> {
        let words = about.words;
        let name = words[0].2.as_str();
        let replace = |word: &Word, new: String| vec![(word.0, word.1, format!("\"{new}\""))];
        if about.node.block {
            let end = about.open();
            let text = self.begin(name, about);
            return vec![(end, end, text)];
        }
        if LEFT_OUT.contains(&name) {
            let span = about.tree.full_span(about.node);
            let (start, end) = (span.start as usize, span.end as usize);
            let lines = about.text[start..end].matches('\n').count();
            return vec![(start, end, "\n".repeat(lines))];
        }
        let Some(first) = words.get(1) else {
            return Vec::new();
        };
        let value = first.2.as_str();
        let backends = self.backends;
        match name {
            "listen" => {
                let is_v6 = |word: &&Word| word.2.starts_with("ipv6only=");
                let dropped = words.iter().filter(is_v6);
                let dropped = dropped.map(|word| (word.0, word.1, String::new()));
                let own = match value.strip_prefix("unix:") {
                    Some(path) => format!("unix:{}", self.file(&path.replace('/', "_"))),
                    None => format!("127.0.0.1:{}", self.socket(value)),
                };
                replace(first, own).into_iter().chain(dropped).collect()
            }
            name if CERTIFICATES.contains(&name) => replace(first, certificate()),
            "auth_basic_user_file" => {
                let file = self.file("users");
                fs::write(&file, "").expect("a writable folder");
                replace(first, file)
            }
            "proxy_cache_path" | "fastcgi_cache_path" => {
                replace(first, self.file(&value.replace('/', "_")))
            }
            "root" | "alias" if value.starts_with('/') => replace(first, self.file(&value[1..])),
            "proxy_pass" | "proxy_redirect" => match self.url(value) {
                Some(url) => replace(first, url),
                None => Vec::new(),
            },
            "set" => match words
                .get(2)
                .and_then(|word| Some((word, self.url(&word.2)?)))
            {
                Some((word, url)) => replace(word, url),
                None => Vec::new(),
            },
            "server" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "memcached_pass"
            | "grpc_pass" => {
                // Nobody listens at port 1.
                let port = match name {
                    "server" => backends.http,
                    "fastcgi_pass" => backends.fastcgi,
                    _ => 1,
                };
                let (scheme, address) = match value.split_once("://") {
                    Some((scheme, address)) => (format!("{scheme}://"), address),
                    None => (String::new(), value),
                };
                match self.authority(address, port) {
                    Some(own) => replace(first, format!("{scheme}{own}")),
                    None => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// What is added where a block begins.
    fn begin(&mut self, name: &str, about: &About<'_>) -> String {
        match (name, about.words.len()) {
            ("http", 1) => format!(
                " log_format {NOTES} '${NOTES}'; server {{ listen 127.0.0.1:{PORT}; set ${NOTES} \"\"; }}"
            ),
            ("server", 1) if !about.is_within(&["mail", "stream"]) => {
                let mut text = format!(" access_log {} {NOTES};", self.file("notes"));
                if !about.has("listen") {
                    text += &format!(" listen 127.0.0.1:{};", self.socket("80"));
                }
                text
            }
            ("location", _) => {
                let place = format!("{}:{}", about.path, about.line());
                format!(" set ${NOTES} \"${NOTES}<{place}>\";")
            }
            _ => String::new(),
        }
    }

    /// A path in the folder.
    fn file(&self, below: &str) -> String {
        self.folder.path().join(below).display().to_string()
    }

    /// The port that stands for a socket such as `80` or `[::]:8080`.
    fn socket(&mut self, written: &str) -> u16 {
        if let Some(own) = self.sockets.get(written) {
            return *own;
        }
        let port = written
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let own = free_port();
        self.sockets.insert(written.to_owned(), own);
        self.ports.entry(port.unwrap_or(80)).or_default().push(own);
        own
    }

    /// What stands for the address of a backend; nothing for an upstream, and for what is only known while nginx runs.
    fn authority(&mut self, written: &str, port: u16) -> Option<String> {
        let host = written.split(':').next().unwrap_or_default();
        let stays = written.is_empty()
            || written.ends_with(':')
            || written.contains('$')
            || host == "unix"
            || self.upstreams.contains(host);
        let own = format!("127.0.0.1:{port}");
        (!stays).then(|| {
            self.authorities
                .entry(written.to_owned())
                .or_insert(own)
                .clone()
        })
    }

    /// The same URL with what stands for its backend.
    fn url(&mut self, written: &str) -> Option<String> {
        let (scheme, rest) = written.split_once("://")?;
        let port = match scheme {
            "http" => self.backends.http,
            "https" => self.backends.tls.port(),
            _ => return None,
        };
        let end = rest.find(['/', '?', '$']).unwrap_or(rest.len());
        let (authority, uri) = rest.split_at(end);
        // A name without a port may go on in the variable.
        if uri.starts_with('$') && !authority.contains(':') {
            return None;
        }
        Some(format!(
            "{scheme}://{}{uri}",
            self.authority(authority, port)?
        ))
    }
}

/// A directive of a text.
struct About<'a> {
    path: &'a str,
    text: &'a str,
    tree: &'a Tree,
    index: usize,
    node: &'a Node,
    words: &'a [Word],
}

impl About<'_> {
    /// Where its block begins, after the brace.
    fn open(&self) -> usize {
        self.tree.tokens[self.node.body as usize - 1].end as usize
    }

    /// The number of the line of the brace.
    fn line(&self) -> usize {
        line_at(self.text, self.open())
    }

    /// True when a directive of a name stands in its block.
    fn has(&self, name: &str) -> bool {
        children(self.tree, self.index).any(|child| {
            words(self.tree, child, self.text)
                .first()
                .is_some_and(|word| word.2 == name)
        })
    }

    /// True when a block around it has one of these names.
    fn is_within(&self, names: &[&str]) -> bool {
        let parent = |node: &&Node| node.parent.map(|index| &self.tree.nodes[index as usize]);
        let mut around = std::iter::successors(parent(&self.node), parent);
        around.any(|node| {
            let words = words(self.tree, node, self.text);
            words
                .first()
                .is_some_and(|word| names.contains(&word.2.as_str()))
        })
    }
}

/// The words of a directive.
fn words(tree: &Tree, node: &Node, text: &str) -> Vec<Word> {
    let words = tree.words(node).map(|word| {
        let value = tree.value(word, text.as_bytes());
        let value = String::from_utf8_lossy(&value).into_owned();
        (word.start as usize, word.end as usize, value)
    });
    words.collect()
}

/// The directives in a block.
pub(crate) fn children(tree: &Tree, index: usize) -> impl Iterator<Item = &Node> {
    let nodes = tree.nodes.iter();
    nodes.filter(move |node| node.parent == u32::try_from(index).ok())
}

/// The number of the line of a place in a text.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
