//! Starts the nginx of this machine, to judge a configuration or to serve one.
//!
//! Everything that nginx would write goes to a temporary folder, so this works for any user and disturbs no nginx that
//! is running already.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nginspect::nginx::{Version, accepts};
use nginspect::source::{Origin, Sources};
use nginspect::syntax::{Tree, parse};
use tempfile::TempDir;

/// How long nginx may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stands for the port in the text given to [`Server::start`].
pub(crate) const PORT: &str = "{port}";

/// Writes a line that `cargo test` shows even for a test that succeeds, which it does not do for `eprintln!`.
pub(crate) fn say(line: &str) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .expect("standard error is open");
}

fn is_set(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// True where a test must not be skipped.
pub(crate) fn is_required() -> bool {
    is_set("NGINSPECT_REQUIRE_NGINX").is_some()
}

/// Parses a text that belongs to no file.
pub(crate) fn parsed(text: &[u8]) -> Tree {
    let file = Sources::default().add("test.conf", Origin::Dump, Vec::new());
    parse(file, text, accepts)
}

/// An nginx binary.
pub(crate) struct Nginx {
    binary: PathBuf,
    pub(crate) version: Version,
    /// What `nginx -V` says about how it was built.
    build: String,
}

/// How far nginx goes with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It reads the text, and touches no socket, log or shared memory.
    Text,
    /// All of `nginx -t`.
    Whole,
}

/// What nginx says while it reads a configuration.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nothing.
    None,
    /// It refuses the configuration for its text: the message, and the line where it says so.
    Line(String, Option<u32>),
    /// It refuses it for what this machine has or lacks.
    Machine,
}

/// What `nginx -t` says.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// True when nginx takes the configuration. What only this machine refuses, such as a port or the folder of a log,
    /// does not count.
    pub(crate) accepted: bool,
    pub(crate) messages: String,
}

impl Nginx {
    /// The nginx named by `NGINSPECT_NGINX`, or else the one in the path; without one the test is to be skipped.
    pub(crate) fn find() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Nginx>> = OnceLock::new();
        let found = FOUND.get_or_init(|| match is_set("NGINSPECT_NGINX") {
            Some(binary) => {
                let nginx = Self::at(Path::new(&binary));
                assert!(nginx.is_some(), "NGINSPECT_NGINX={binary:?} is no nginx");
                nginx
            }
            None => Self::at(Path::new("nginx")).or_else(|| Self::at(Path::new("/usr/sbin/nginx"))),
        });
        if found.is_none() {
            let missing = "no nginx found (in PATH or as /usr/sbin/nginx; set NGINSPECT_NGINX)";
            assert!(!is_required(), "{missing}");
            say(&format!("skipped: {missing}"));
        }
        found.as_ref()
    }

    fn at(binary: &Path) -> Option<Self> {
        let output = Command::new(binary).arg("-V").output().ok()?;
        let build = String::from_utf8_lossy(&output.stderr).into_owned();
        let (_, version) = build.lines().next()?.split_once('/')?;
        let mut numbers = version
            .split(|byte: char| !byte.is_ascii_digit())
            .map(|number| number.parse().ok());
        let version = Version(numbers.next()??, numbers.next()??, numbers.next()??);
        Some(Self {
            binary: binary.to_owned(),
            version,
            build,
        })
    }

    /// True for a module such as `http_v3` or `stream` that is part of the binary.
    pub(crate) fn has(&self, module: &str) -> bool {
        self.build.split_whitespace().any(|option| {
            let with = option.strip_prefix("--with-");
            with.is_some_and(|name| name == module || name.strip_suffix("_module") == Some(module))
                || option.starts_with("--add-module=") && option.contains(module)
        })
    }

    /// What defines modules: first the binary, then the files of dynamic modules beside it, each with their names.
    fn programs(&self) -> &'static [(PathBuf, BTreeSet<String>)] {
        static FOUND: OnceLock<Vec<(PathBuf, BTreeSet<String>)>> = OnceLock::new();
        FOUND.get_or_init(|| {
            let path = env::var_os("PATH").unwrap_or_default();
            let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
            let mut files = folders.map(|folder| folder.join(&self.binary));
            let binary = files.find(|file| file.is_file());
            let option = |option: &str| option.strip_prefix("--modules-path=").map(PathBuf::from);
            let folder = self.build.split_whitespace().find_map(option);
            let files = folder.and_then(|folder| fs::read_dir(folder).ok());
            let modules = files
                .into_iter()
                .flatten()
                .flatten()
                .map(|file| file.path());
            let mut modules: Vec<PathBuf> = modules.collect();
            modules.sort();
            let programs = binary.into_iter().chain(modules);
            programs
                .filter_map(|path| {
                    let mut names = module_names(&fs::read(&path).ok()?);
                    names.extend(
                        path.file_stem()
                            .map(|stem| stem.to_string_lossy().into_owned()),
                    );
                    Some((path, names))
                })
                .collect()
        })
    }

    /// True for a module of this name that is in the binary or in one of the dynamic modules beside it.
    pub(crate) fn defines(&self, module: &str) -> bool {
        let mut programs = self.programs().iter();
        programs.any(|(_, names)| names.contains(module))
    }

    /// The dynamic modules to load, in order, for a module of this name.
    fn files_of(&self, module: &str) -> Vec<&'static Path> {
        let programs = self.programs();
        let is_built_in = programs
            .first()
            .is_some_and(|(_, names)| names.contains(module));
        let mut modules = programs.iter().skip(1);
        let Some((path, _)) = modules.find(|(_, names)| names.contains(module) && !is_built_in)
        else {
            return Vec::new();
        };
        // What Debian's own configuration loads first.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let before: &[&str] = match &*name {
            "ngx_http_lua_module.so" | "ngx_http_set_misc_module.so" => &["ndk_http_module.so"],
            _ if name.starts_with("ngx_stream_") && name != "ngx_stream_module.so" => {
                &["ngx_stream_module.so"]
            }
            _ => &[],
        };
        let is_needed = |path: &&Path| before.iter().any(|name| path.ends_with(name));
        let needed = programs
            .iter()
            .map(|(path, _)| path.as_path())
            .filter(is_needed);
        needed.chain([path.as_path()]).collect()
    }

    /// Lets nginx read a text with some modules loaded.
    pub(crate) fn refusal(
        &self,
        folder: &Path,
        text: &str,
        modules: &[&str],
        reading: Reading,
    ) -> Refusal {
        const LAST: &str = "the_text_ends_here";
        let mut globals = format!("pid \"{}/pid\";", folder.display());
        let mut files: Vec<&Path> = Vec::new();
        for file in modules.iter().flat_map(|module| self.files_of(module)) {
            if !files.contains(&file) {
                files.push(file);
                globals += &format!(" load_module \"{}\";", file.display());
            }
        }
        let root = folder.join("nginx.conf");
        let end = match reading {
            Reading::Text => format!("{LAST};\n"),
            Reading::Whole => String::new(),
        };
        fs::write(&root, format!("{text}{end}")).expect("a writable folder");
        let mut command = Command::new(&self.binary);
        command.arg("-t").arg("-p").arg(folder).arg("-c").arg(&root);
        command.args(["-g", &globals, "-e", "stderr"]);
        let output = command.stdin(Stdio::null()).output().expect("nginx runs");
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        // Some modules report with a level of their own, and some say nothing.
        let at_level = |level| messages.lines().find(|line| line.contains(level));
        let refusal = at_level("[emerg]").or_else(|| at_level("[error]"));
        let (_, message) = refusal
            .and_then(|line| line.split_once("] "))
            .map(|(_, rest)| rest.split_once(": ").unwrap_or(("", rest)))
            .unwrap_or_default();
        let is_through = match reading {
            Reading::Text => message.contains(&format!("unknown directive \"{LAST}\"")),
            Reading::Whole => output.status.success(),
        };
        if is_through {
            return Refusal::None;
        }
        let foreign = [
            "failed (",
            "SSL:",
            "SSL_",
            "host not found",
            "getpwnam",
            "getgrnam",
            "xsltParse",
            "xmlParse",
            "require_pv",
            "zero key size",
            "without",
            "GeoIP_",
            "OPENSSL",
        ];
        if has_system_error(message) || foreign.iter().any(|part| message.contains(part)) {
            return Refusal::Machine;
        }
        let place = format!("{}:", root.display());
        let line = message.rsplit_once(&place).map(|(_, line)| line.parse());
        Refusal::Line(message.to_owned(), line.and_then(Result::ok))
    }

    /// Asks for a verdict on the file `root` of a folder, which is also where its includes are.
    pub(crate) fn check(&self, folder: &Path, root: &str) -> Verdict {
        let copy = TempDir::new().expect("a temporary folder");
        copy_folder(folder, copy.path());
        let text = fs::read(folder.join(root)).expect("a root configuration");
        self.judge(&copy, root, &text)
    }

    /// Asks for a verdict on a configuration of one file.
    pub(crate) fn check_text(&self, text: &[u8]) -> Verdict {
        let folder = TempDir::new().expect("a temporary folder");
        self.judge(&folder, "nginx.conf", text)
    }

    fn judge(&self, folder: &TempDir, root: &str, text: &[u8]) -> Verdict {
        let output = self
            .command(folder, root, text, "")
            .arg("-t")
            .output()
            .expect("nginx runs");
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        // From here on only the machine can say no, in a message with the number of a system error, and a few checks of
        // nginx's own, in messages without one.
        let machine = messages
            .split_once("syntax is ok")
            .is_some_and(|(_, rest)| {
                let mut refusals = rest.lines().filter(|line| line.contains("[emerg]"));
                let first = refusals.next();
                first.is_some_and(has_system_error) && refusals.all(has_system_error)
            });
        Verdict {
            accepted: output.status.success() || machine,
            messages,
        }
    }

    /// Writes the root configuration, made harmless, and prepares a run of nginx with it.
    fn command(&self, folder: &TempDir, root: &str, text: &[u8], globals: &str) -> Command {
        let tree = parsed(text);
        let names = |parent| {
            let nodes = tree.nodes.iter().filter(move |node| node.parent == parent);
            nodes.filter_map(|node| Some(tree.value(tree.words(node).next()?, text)))
        };
        let mut globals = globals.to_owned();
        let path = folder.path().display();
        if !names(None).any(|name| *name == *b"pid") {
            globals += &format!("pid \"{path}/nginx.pid\";");
        }
        let mut harmless = text.to_vec();
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            let is_http = tree
                .words(node)
                .next()
                .is_some_and(|name| *tree.value(name, text) == *b"http");
            if !(is_http && node.block && node.parent.is_none()) {
                continue;
            }
            // On the line of the `{`, so that nginx names the lines of the original.
            let mut insertion = String::from(" access_log off;");
            for module in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
                let directive = format!("{module}_temp_path");
                let given = names(Some(index as u32)).any(|name| *name == *directive.as_bytes());
                let absent = format!("--without-http_{module}_module");
                if !given && !self.build.contains(&absent) {
                    insertion += &format!(" {directive} \"{path}/{module}\";");
                }
            }
            let brace = tree.tokens[node.body as usize - 1].end as usize;
            harmless.splice(brace..brace, insertion.into_bytes());
        }
        fs::write(folder.path().join(root), harmless).expect("a writable folder");

        let mut command = Command::new(&self.binary);
        command.arg("-p").arg(folder.path());
        command.arg("-c").arg(folder.path().join(root));
        command.args(["-g", &globals]);
        if self.version >= Version(1, 19, 5) {
            command.args(["-e", "stderr"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// The names of modules that a program defines: each stands in its list of modules and among its symbols, while the
/// modules that a dynamic one is to be put before stand in a list only.
fn module_names(program: &[u8]) -> BTreeSet<String> {
    let texts = program.split(|byte| *byte == 0);
    let mut once = BTreeSet::new();
    let names = texts.filter(|text| text.ends_with(b"_module"));
    names
        .filter_map(|name| String::from_utf8(name.to_vec()).ok())
        .filter(|name| !once.insert(name.clone()))
        .collect()
}

/// True for a message that ends like `failed (13: Permission denied)`.
fn has_system_error(message: &str) -> bool {
    message
        .rsplit_once("failed (")
        .is_some_and(|(_, error)| error.starts_with(|byte: char| byte.is_ascii_digit()))
}

/// Copies what a folder holds into another, which is made if need be.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable folder");
    for entry in fs::read_dir(from).expect("a readable folder") {
        let source = entry.expect("a readable folder").path();
        let target = to.join(source.file_name().expect("an entry has a name"));
        if source.is_dir() {
            copy_folder(&source, &target);
        } else {
            fs::copy(&source, &target).expect("a readable file");
        }
    }
}

/// An nginx that serves on a port of its own until it is dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// Starts nginx with a root configuration in which [`PORT`] stands for the port, and waits until it listens.
    pub(crate) fn start(nginx: &Nginx, text: &str) -> Self {
        // Another program may take the free port before nginx does.
        let mut attempts = (0..3).map(|_| Self::try_start(nginx, text));
        attempts
            .find(|attempt| !matches!(attempt, Err(log) if log.contains("Address already in use")))
            .expect("nginx gets one of three free ports")
            .unwrap_or_else(|log| panic!("nginx does not start:\n{log}"))
    }

    /// Starts nginx once; the error is what it logs instead.
    pub(crate) fn try_start(nginx: &Nginx, text: &str) -> Result<Self, String> {
        Self::try_start_in(nginx, TempDir::new().expect("a temporary folder"), text)
    }

    /// The same in a folder that holds what the configuration includes.
    pub(crate) fn try_start_in(nginx: &Nginx, folder: TempDir, text: &str) -> Result<Self, String> {
        let port = free_port();
        let text = text.replace(PORT, &port.to_string());
        let globals = "daemon off; master_process off; ";
        let log = fs::File::create(folder.path().join("log")).expect("a writable folder");
        let process = nginx
            .command(&folder, "nginx.conf", text.as_bytes(), globals)
            .stderr(log)
            .spawn()
            .expect("nginx runs");
        let mut server = Self {
            process,
            port,
            folder,
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = server.process.try_wait().expect("nginx is a child");
            if ended.is_some() || Instant::now() > deadline {
                return Err(server.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    /// What nginx has logged so far.
    pub(crate) fn log(&self) -> String {
        // nginx may print memory that it has freed: the text of a `map`'s regex.
        let log = fs::read(self.folder.path().join("log")).expect("the log is readable");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The port that stands in the place of [`PORT`].
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A connection whose reads and writes give up after a while.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.port)
    }

    /// Sends the bytes of a request and reads until nginx closes the connection, so ask for `Connection: close`.
    pub(crate) fn request(&self, raw: &[u8]) -> Response {
        Response::new(&self.ask(raw))
    }

    /// The same, as the bytes that come back, of which there may be none.
    pub(crate) fn ask(&self, raw: &[u8]) -> Vec<u8> {
        self.exchange(self.connect(), raw)
    }

    /// Sends them to another port at which it listens.
    pub(crate) fn request_at(&self, port: u16, raw: &[u8]) -> Response {
        Response::new(&self.exchange(connect(port), raw))
    }

    /// The same, as the bytes that come back before nginx closes the connection, or within a second.
    pub(crate) fn try_ask_at(&self, port: u16, raw: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
            return answer;
        };
        let patience = Some(Duration::from_secs(1));
        stream.set_read_timeout(patience).expect("a timeout");
        if stream.write_all(raw).is_ok() {
            let _ = stream.read_to_end(&mut answer);
        }
        answer
    }

    /// The folder that relative paths start from.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn exchange(&self, mut stream: TcpStream, raw: &[u8]) -> Vec<u8> {
        stream.write_all(raw).expect("nginx reads the request");
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            let answer = answer.escape_ascii();
            panic!("{error} after {answer}\n{}", self.log());
        }
        answer
    }

    /// Asks for a target as curl would, on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Response {
        let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        self.request(head.as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which leaves nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port at which nobody listens yet.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("someone listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Status line and header lines, each with its line end.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(answer: &[u8]) -> Self {
        let length = head_length(answer)
            .unwrap_or_else(|| panic!("no response head in {}", answer.escape_ascii()));
        let head = String::from_utf8_lossy(&answer[..length]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Self {
            status: status.unwrap_or_else(|| panic!("no status in {head:?}")),
            head,
            body: answer[length..].to_vec(),
        }
    }
}

/// Length of a request's or response's head with the empty line that ends it.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(end + 4)
}

/// A backend that answers every request with the request's head as it arrived. One with a header such as
/// `X-Redirect: https /login` is redirected, by this scheme, to this path of the host that was asked for.
///
/// It listens until the tests end.
pub(crate) struct Echo {
    pub(crate) port: u16,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || echo(stream));
            }
        });
        Self { port }
    }
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let head = loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&buffer[..length]),
        }
        if let Some(length) = head_length(&request) {
            break &request[..length];
        }
    };
    let length = head.len();
    let port = stream.local_addr()?.port();
    let text = String::from_utf8_lossy(head);
    let header = |name| text.lines().find_map(|line| line.strip_prefix(name));
    let wanted = header("X-Redirect: ").and_then(|to| to.split_once(' '));
    let first = match (wanted, header("Host: ")) {
        (Some((scheme, path)), Some(host)) => {
            format!("302 Found\r\nLocation: {scheme}://{host}{path}")
        }
        _ => "200 OK".to_owned(),
    };
    write!(
        stream,
        "HTTP/1.1 {first}\r\nConnection: close\r\nX-Backend: {port}\r\nContent-Length: {length}\r\n\r\n"
    )?;
    stream.write_all(head)
}
