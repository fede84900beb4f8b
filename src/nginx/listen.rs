//! `listen` as nginx reads it: in http, stream and mail, with all of its parameters.

use std::fmt;

use super::url::{Shape, Url};
use super::value::{Flaw, Setting, shown, text};
use super::{Contexts, Version, closest_parameter, number, seconds, size};

pub use super::url::Host;

/// An address that nginx listens on, as it compares two of them (`ngx_cmp_sockaddr`): what is equal is one socket.
///
/// A host that is given by name is its name; the addresses that it stands for are not known, and may be others' too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Socket {
    /// The address.
    pub host: Host,
    /// The port; 0 for `unix:`.
    pub port: u16,
    /// True for packets instead of connections: `quic` and `udp`.
    pub is_datagram: bool,
}

impl Socket {
    /// The socket of an http server without any `listen`.
    pub const fn http_default() -> Self {
        Self {
            host: Host::V4(std::net::Ipv4Addr::UNSPECIFIED),
            port: 80,
            is_datagram: false,
        }
    }
}

impl fmt::Display for Socket {
    /// As nginx writes it in messages.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Unix(_) => write!(formatter, "{}", self.host),
            _ => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

/// A `listen` that nginx takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub host: Host,
    /// The first port; 0 for `unix:`.
    pub first_port: u16,
    /// The last port of a range, or else the first again.
    pub last_port: u16,
    /// `default_server`
    pub is_default: bool,
    /// `ssl`
    pub ssl: bool,
    /// `http2`
    pub http2: bool,
    /// `quic`
    pub quic: bool,
    /// `udp`
    pub udp: bool,
    /// `proxy_protocol`
    pub proxy_protocol: bool,
    /// `reuseport`
    pub reuseport: bool,
    /// True when a parameter concerns the socket itself, such as `bind`, `backlog=` or `reuseport`.
    pub sets_socket: bool,
}

impl Listen {
    /// Reads the arguments of a `listen`, or says what nginx refuses first.
    pub fn parse(setting: &Setting<'_>) -> Result<Self, Flaw> {
        let [address, parameters @ ..] = setting.arguments else {
            return Err(Flaw::new(0, "an address or a port is missing".to_owned()));
        };
        let part = Part::of(setting.context);
        let mut listen = Self::at(address_of(address)?, part);
        for (index, parameter) in parameters.iter().enumerate() {
            let refused = |flaw| Flaw {
                argument: index + 1,
                ..flaw
            };
            listen
                .set(parameter, part, setting.version)
                .map_err(refused)?;
        }
        match listen.conflict(parameters, setting.version) {
            Some((index, with)) => Err(Flaw::new(
                index + 1,
                format!("{} cannot stand beside `{with}`", shown(parameters[index])),
            )),
            None => Ok(listen),
        }
    }

    /// The sockets that it stands for, one for each port.
    pub fn sockets(&self) -> impl Iterator<Item = Socket> {
        (self.first_port..=self.last_port).map(|port| Socket {
            host: self.host.clone(),
            port,
            is_datagram: self.quic || self.udp,
        })
    }

    fn at(url: Url<'_>, part: Part) -> Self {
        let default = if part == Part::Http { 80 } else { 0 };
        let first_port = match url.host {
            Host::Unix(_) => 0,
            _ => url.port.unwrap_or(default),
        };
        Self {
            first_port,
            last_port: url.last_port.unwrap_or(first_port),
            host: url.host,
            is_default: false,
            ssl: false,
            http2: false,
            quic: false,
            udp: false,
            proxy_protocol: false,
            reuseport: false,
            sets_socket: false,
        }
    }

    fn set(&mut self, written: &[u8], part: Part, version: Option<Version>) -> Result<(), Flaw> {
        let Some(known) = part.known().find(|known| known.matches(written)) else {
            return Err(unknown_parameter(written, part));
        };
        let since = part.since(known).unwrap_or_default();
        let told = |is: fn(Version, Version) -> bool, at| version.is_some_and(|told| is(told, at));
        let when = if told(|told, since| told < since, since) {
            Some(format!("before nginx {since}"))
        } else {
            let gone = known
                .gone
                .filter(|gone| told(|told, gone| told >= gone, *gone));
            gone.map(|_| "any more".to_owned())
        };
        if let Some(when) = when {
            let problem = format!("{} is no parameter of `listen` {when}", shown(written));
            return Err(Flaw::new(0, problem));
        }
        let value = &written[known.name.len()..];
        if !known.value.takes(value) {
            let problem = format!("{} is no value of `{}`", shown(value), known.name);
            return Err(Flaw::new(0, problem).help(format!("It takes {}.", known.value.wanted())));
        }
        self.sets_socket |= known.sets_socket;
        match known.name {
            "default_server" | "default" => self.is_default = true,
            "ssl" => self.ssl = true,
            "http2" => self.http2 = true,
            "quic" => self.quic = true,
            "udp" => self.udp = true,
            "proxy_protocol" => self.proxy_protocol = true,
            "reuseport" => self.reuseport = true,
            _ => {}
        }
        Ok(())
    }

    /// The first parameter that nginx refuses for packets, and the one that it cannot stand beside.
    ///
    /// Older versions than 1.28 refuse fewer, of which only those are named that all of them refuse.
    fn conflict(
        &self,
        parameters: &[&[u8]],
        version: Option<Version>,
    ) -> Option<(usize, &'static str)> {
        let is_new = version.is_some_and(|version| version >= Version(1, 28, 0));
        let (with, refused): (_, &[&str]) = match (self, is_new) {
            (Self { quic: true, .. }, true) => ("quic", QUIC_REFUSES),
            (Self { quic: true, .. }, false) => ("quic", &["ssl"]),
            (Self { udp: true, .. }, true) => ("udp", UDP_REFUSES),
            (Self { udp: true, .. }, false) => ("udp", &UDP_REFUSES[..4]),
            _ => return None,
        };
        let is_refused = |parameter: &&[u8]| {
            let mut names = refused.iter();
            names.any(|name| parameter.starts_with(name.as_bytes()))
        };
        Some((parameters.iter().position(is_refused)?, with))
    }
}

/// What nginx 1.28 refuses beside `quic`.
const QUIC_REFUSES: &[&str] = &[
    "ssl",
    "http2",
    "proxy_protocol",
    "fastopen=",
    "backlog=",
    "deferred",
    "multipath",
    "so_keepalive=",
];

/// What nginx 1.28 refuses beside `udp`; the first four in every version.
const UDP_REFUSES: &[&str] = &[
    "ssl",
    "proxy_protocol",
    "backlog=",
    "so_keepalive=",
    "fastopen=",
    "deferred",
    "multipath",
];

fn unknown_parameter(written: &[u8], part: Part) -> Flaw {
    let flaw = Flaw::new(0, format!("{} is no parameter of `listen`", shown(written)));
    let names = part.names();
    let meant = match &*text(written).to_ascii_lowercase() {
        "http3" | "h3" if part == Part::Http => {
            return flaw.help("HTTP/3 has a `listen` of its own, with `quic` after the address.");
        }
        "https" | "tls" => Some("ssl".to_owned()),
        _ => closest_parameter(&text(written), &names),
    };
    match meant {
        Some(meant) => flaw.meant(Some(meant)),
        None => flaw.help(format!("It takes `{}`.", names.join("`, `"))),
    }
}

fn address_of(address: &[u8]) -> Result<Url<'_>, Flaw> {
    Url::parse(address, Shape::Listen).map_err(|why| {
        let problem = format!("{} is no address to listen on: {why}", shown(address));
        let flaw = Flaw::new(0, problem).meant(meant_address(&text(address)));
        match why {
            "invalid port" | "invalid port range" => flaw
                .help("A port is a number from 1 to 65535; in a range the lower one comes first."),
            "invalid host" | "no host" | "invalid IPv6 address" => {
                flaw.help("It takes `80`, `*:80`, `192.0.2.1:80`, `[::]:80` or `unix:/path`.")
            }
            _ => flaw,
        }
    })
}

/// The address with the brackets that it lacks, or without the `:` before a lone port.
fn meant_address(shown: &str) -> Option<String> {
    let (host, port) = shown.rsplit_once(':')?;
    number(port.as_bytes())?;
    if host.is_empty() {
        return Some(port.to_owned());
    }
    let host = if host == ":" { "::" } else { host };
    super::url::inet6(host.as_bytes())?;
    Some(format!("[{host}]:{port}"))
}

/// The parts of nginx that listen, each with parameters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Http,
    Stream,
    Mail,
}

impl Part {
    fn of(context: Contexts) -> Self {
        match context {
            Contexts::STREAM | Contexts::STREAM_SERVER => Self::Stream,
            Contexts::MAIL | Contexts::MAIL_SERVER => Self::Mail,
            _ => Self::Http,
        }
    }

    fn since(self, parameter: &Parameter) -> Option<Version> {
        match self {
            Self::Http => parameter.http,
            Self::Stream => parameter.stream,
            Self::Mail => parameter.mail,
        }
    }

    fn known(self) -> impl Iterator<Item = &'static Parameter> {
        PARAMETERS
            .iter()
            .filter(move |known| self.since(known).is_some())
    }

    /// The names of the parameters that a current nginx takes.
    fn names(self) -> Vec<&'static str> {
        let is_current = |known: &&Parameter| known.gone.is_none() && known.name != "default";
        let known = self.known().filter(is_current);
        known.map(|known| known.name).collect()
    }
}

/// What follows the `=` of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Nothing,
    Any,
    Number,
    NumberAboveZero,
    Size,
    OnOff,
    Keepalive,
}

impl Value {
    fn takes(self, value: &[u8]) -> bool {
        match self {
            Self::Nothing | Self::Any => true,
            Self::Number => number(value).is_some(),
            Self::NumberAboveZero => number(value).is_some_and(|number| number > 0),
            Self::Size => size(value).is_some(),
            Self::OnOff => matches!(value, b"on" | b"off"),
            Self::Keepalive => matches!(value, b"on" | b"off") || is_keepalive(value),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Nothing | Self::Any => "any text",
            Self::Number => "a number",
            Self::NumberAboveZero => "a number above 0",
            Self::Size => "a size such as `64k`",
            Self::OnOff => "`on` or `off`",
            Self::Keepalive => "`on`, `off`, or times and a number such as `30m::10`",
        }
    }
}

/// `idle:interval:count`, each of which may be missing, but not all.
fn is_keepalive(value: &[u8]) -> bool {
    let mut parts = value.splitn(3, |byte| *byte == b':');
    let mut is_set = false;
    for _ in 0..2 {
        let time = parts.next().unwrap_or_default();
        let seconds = if time.is_empty() {
            Some(0)
        } else {
            seconds(time)
        };
        match seconds {
            Some(seconds) => is_set |= seconds > 0,
            None => return false,
        }
    }
    match parts.next().unwrap_or_default() {
        b"" => is_set,
        count => number(count).is_some_and(|count| is_set || count > 0),
    }
}

/// A parameter of `listen`.
#[derive(Debug)]
struct Parameter {
    /// With its `=` when a value follows.
    name: &'static str,
    value: Value,
    sets_socket: bool,
    /// Since when each part of nginx takes it.
    http: Option<Version>,
    stream: Option<Version>,
    mail: Option<Version>,
    /// A version that certainly refuses it again.
    gone: Option<Version>,
}

impl Parameter {
    fn matches(&self, written: &[u8]) -> bool {
        match self.value {
            Value::Nothing => written == self.name.as_bytes(),
            _ => written.starts_with(self.name.as_bytes()),
        }
    }
}

const OLD: Option<Version> = Some(Version(0, 1, 0));

const fn flag(name: &'static str) -> Parameter {
    Parameter {
        name,
        value: Value::Nothing,
        sets_socket: false,
        http: None,
        stream: None,
        mail: None,
        gone: None,
    }
}

const fn socket(name: &'static str, value: Value) -> Parameter {
    Parameter {
        value,
        sets_socket: true,
        ..flag(name)
    }
}

impl Parameter {
    const fn of(mut self, http: Option<Version>, stream: Option<Version>) -> Self {
        self.http = http;
        self.stream = stream;
        self
    }

    const fn mail(mut self, mail: Option<Version>) -> Self {
        self.mail = mail;
        self
    }

    const fn gone(mut self, gone: Version) -> Self {
        self.gone = Some(gone);
        self
    }
}

/// Since when each part takes them; what a system lacks, such as `setfib=` outside of FreeBSD, is taken too.
static PARAMETERS: &[Parameter] = &[
    flag("default_server").of(OLD, Some(Version(1, 25, 5))),
    flag("default").of(OLD, None),
    flag("ssl").of(OLD, OLD).mail(OLD),
    flag("http2").of(OLD, None),
    flag("quic").of(Some(Version(1, 25, 0)), None),
    flag("spdy").of(OLD, None).gone(Version(1, 22, 0)),
    flag("udp").of(None, OLD),
    flag("proxy_protocol")
        .of(OLD, OLD)
        .mail(Some(Version(1, 19, 8))),
    socket("setfib=", Value::Number).of(OLD, Some(Version(1, 25, 5))),
    socket("fastopen=", Value::Number).of(OLD, Some(Version(1, 21, 0))),
    socket("backlog=", Value::NumberAboveZero)
        .of(OLD, OLD)
        .mail(OLD),
    socket("rcvbuf=", Value::Size).of(OLD, OLD).mail(OLD),
    socket("sndbuf=", Value::Size).of(OLD, OLD).mail(OLD),
    socket("accept_filter=", Value::Any).of(OLD, Some(Version(1, 25, 5))),
    socket("deferred", Value::Nothing).of(OLD, Some(Version(1, 25, 5))),
    socket("bind", Value::Nothing).of(OLD, OLD).mail(OLD),
    socket("ipv6only=", Value::OnOff).of(OLD, OLD).mail(OLD),
    socket("reuseport", Value::Nothing).of(OLD, OLD),
    socket("multipath", Value::Nothing)
        .of(Some(Version(1, 29, 7)), Some(Version(1, 29, 7)))
        .mail(Some(Version(1, 29, 7))),
    socket("so_keepalive=", Value::Keepalive)
        .of(OLD, OLD)
        .mail(OLD),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::Kind;

    fn read(context: Contexts, version: Option<Version>, text: &str) -> Result<Listen, Flaw> {
        let arguments: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
        Listen::parse(&Setting {
            name: "listen",
            kind: Kind::Listen,
            context,
            arguments: &arguments,
            version,
        })
    }

    #[test]
    fn what_nginx_takes_is_taken() {
        for text in [
            "80",
            "80 default_server",
            "80 default",
            "443 ssl http2",
            "443 quic reuseport",
            "8000-8010 so_keepalive=on",
            "[::]:80 ipv6only=off",
            "80 backlog=5 rcvbuf=8k sndbuf=1m fastopen=3 deferred",
            "80 so_keepalive=30m::10",
            "80 so_keepalive=:5s:",
            "80 so_keepalive=::3",
            "80 setfib=1 accept_filter=httpready",
            "80 multipath",
            "80 spdy",
            "443 quic http2 backlog=5",
            "localhost:80 ssl ssl",
        ] {
            assert_eq!(read(Contexts::SERVER, None, text).err(), None, "{text}");
        }
        for text in ["53 udp reuseport", "53 default_server", "53 udp deferred"] {
            let flaw = read(Contexts::STREAM_SERVER, None, text).err();
            assert_eq!(flaw, None, "{text}");
        }
    }

    #[test]
    fn what_nginx_refuses_is_refused_at_its_argument() {
        for (text, argument, meant) in [
            ("99999", 0, None),
            ("::80", 0, Some("[::]:80")),
            ("::1:80", 0, Some("[::1]:80")),
            (":80", 0, Some("80")),
            ("80 default_sever", 1, Some("default_server")),
            ("443 ssl htpp2", 2, Some("http2")),
            ("443 https", 1, Some("ssl")),
            ("443 http3", 1, None),
            ("80 udp", 1, None),
            ("80 SSL", 1, Some("ssl")),
            ("80 ssl=on", 1, Some("ssl")),
            ("80 backlg=5", 1, Some("backlog=5")),
            ("80 backlog", 1, Some("backlog=")),
            ("80 backlog=0", 1, None),
            ("80 backlog=-1", 1, None),
            ("80 rcvbuf=1g", 1, None),
            ("80 ipv6only=yes", 1, None),
            ("80 ipv6only=On", 1, None),
            ("80 so_keepalive=::", 1, None),
            ("80 so_keepalive=", 1, None),
            ("80 so_keepalive=10ms", 1, None),
            ("80 so_keepalive=1:2:3:4", 1, None),
            ("443 ssl quic", 1, None),
        ] {
            let flaw = read(Contexts::SERVER, None, text).err();
            let found = flaw
                .as_ref()
                .map(|flaw| (flaw.argument, flaw.meant.as_deref()));
            assert_eq!(found, Some((argument, meant)), "{text}");
        }
        for text in ["53 udp ssl", "53 http2", "53 quic", "53 udp backlog=5"] {
            assert!(read(Contexts::STREAM_SERVER, None, text).is_err(), "{text}");
        }
        for text in ["25 default_server", "25 reuseport", "25 udp"] {
            assert!(read(Contexts::MAIL_SERVER, None, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_told_version_is_asked_for_what_it_lacks() {
        let is_refused = |context, version, text| read(context, Some(version), text).is_err();
        for (version, text, refused) in [
            (Version(1, 24, 0), "443 quic", true),
            (Version(1, 25, 0), "443 quic", false),
            (Version(1, 25, 0), "443 quic http2", false),
            (Version(1, 28, 0), "443 quic http2", true),
            (Version(1, 29, 6), "443 multipath", true),
            (Version(1, 29, 7), "443 multipath", false),
            (Version(1, 22, 1), "443 spdy", true),
        ] {
            let found = is_refused(Contexts::SERVER, version, text);
            assert_eq!(found, refused, "{version}: {text}");
        }
        let stream = Contexts::STREAM_SERVER;
        assert!(is_refused(stream, Version(1, 25, 4), "53 default_server"));
        assert!(!is_refused(stream, Version(1, 25, 5), "53 default_server"));
    }

    #[test]
    fn equal_sockets_are_written_in_several_ways() {
        let sockets = |text| {
            let listen = read(Contexts::SERVER, None, text).expect("a listen");
            let sockets: Vec<_> = listen.sockets().map(|socket| socket.to_string()).collect();
            sockets.join(" ")
        };
        for text in ["80", "*:80", "0.0.0.0:80", "*", "0.0.0.0", "...:80"] {
            assert_eq!(sockets(text), "0.0.0.0:80", "{text}");
        }
        assert_eq!(sockets("[0:0::0]"), "[::]:80");
        assert_eq!(sockets("unix:/a"), "unix:/a");
        assert_eq!(
            sockets("localhost:80-82"),
            "localhost:80 localhost:81 localhost:82"
        );
    }
}
