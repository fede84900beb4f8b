//! Addresses as nginx reads them: `ngx_parse_url`, `ngx_inet_addr` and `ngx_inet6_addr` of `src/core/ngx_inet.c`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::number;

/// Longest path of a socket that every system has room for (`sun_path` of Linux with its end).
const MAX_SOCKET_PATH: usize = 107;

/// A host as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// An address; also what `*` and a lone port stand for in `listen`.
    V4(Ipv4Addr),
    /// An address in brackets.
    V6(Ipv6Addr),
    /// The path after `unix:`.
    Unix(Vec<u8>),
    /// A name, whose addresses only the machine knows.
    Name(Vec<u8>),
}

impl fmt::Display for Host {
    /// As nginx writes it in messages, the port left out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => write!(formatter, "{address}"),
            Self::V6(address) => write!(formatter, "[{address}]"),
            Self::Unix(path) => write!(formatter, "unix:{}", String::from_utf8_lossy(path)),
            Self::Name(name) => write!(formatter, "{}", String::from_utf8_lossy(name)),
        }
    }
}

/// An address with what may follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url<'u> {
    /// The host.
    pub host: Host,
    /// The port, or the first of a range; nothing when none is written, and for `unix:`.
    pub port: Option<u16>,
    /// The last port of a range.
    pub last_port: Option<u16>,
    /// What follows: from the `/` or the `?` on, and after the second `:` of `unix:`.
    pub uri: &'u [u8],
}

/// What an address may consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A host with or without a port.
    Plain,
    /// The address of `listen`: also `*`, a lone port, and a range of ports.
    Listen,
    /// With a URI behind it.
    WithUri,
}

impl<'u> Url<'u> {
    /// Reads an address, or says in nginx's words what is wrong with it.
    pub fn parse(text: &'u [u8], shape: Shape) -> Result<Self, &'static str> {
        match text {
            [scheme @ .., _] if scheme.len() >= 4 && text[..5].eq_ignore_ascii_case(b"unix:") => {
                Self::unix(&text[5..], shape)
            }
            [b'[', rest @ ..] => Self::inet6(rest, shape),
            _ => Self::inet(text, shape),
        }
    }

    fn unix(path: &'u [u8], shape: Shape) -> Result<Self, &'static str> {
        let (path, uri) = match find(path, b':') {
            Some(colon) if shape == Shape::WithUri => (&path[..colon], &path[colon + 1..]),
            _ => (path, &b""[..]),
        };
        match path.len() {
            0 => Err("no path in the unix domain socket"),
            1..=MAX_SOCKET_PATH => Ok(Self {
                host: Host::Unix(path.to_vec()),
                port: None,
                last_port: None,
                uri,
            }),
            _ => Err("too long path in the unix domain socket"),
        }
    }

    /// The text after the `[`.
    fn inet6(text: &'u [u8], shape: Shape) -> Result<Self, &'static str> {
        let end = find(text, b']').ok_or("invalid host")?;
        let (host, rest) = (&text[..end], &text[end + 1..]);
        let slash = find(rest, b'/');
        if slash.is_some() && shape != Shape::WithUri {
            return Err("invalid host");
        }
        let (rest, uri) = rest.split_at(slash.unwrap_or(rest.len()));
        let (port, last_port) = match rest {
            [] => (None, None),
            [b':', port @ ..] => ports(port, shape)?,
            _ => return Err("invalid host"),
        };
        if host.is_empty() {
            return Err("no host");
        }
        Ok(Self {
            host: Host::V6(inet6(host).ok_or("invalid IPv6 address")?),
            port,
            last_port,
            uri,
        })
    }

    fn inet(text: &'u [u8], shape: Shape) -> Result<Self, &'static str> {
        let uri = text.iter().position(|byte| matches!(byte, b'/' | b'?'));
        if uri.is_some() && shape != Shape::WithUri {
            return Err("invalid host");
        }
        let (authority, uri) = text.split_at(uri.unwrap_or(text.len()));
        let (host, port, last_port) = match find(authority, b':') {
            Some(colon) => {
                let (port, last_port) = ports(&authority[colon + 1..], shape)?;
                (&authority[..colon], port, last_port)
            }
            None => match lone_port(authority, shape)? {
                Some((port, last_port)) => {
                    return Ok(Self {
                        host: Host::V4(Ipv4Addr::UNSPECIFIED),
                        port: Some(port),
                        last_port,
                        uri,
                    });
                }
                None => (authority, None, None),
            },
        };
        let host = match host {
            b"" => return Err("no host"),
            b"*" if shape == Shape::Listen => Host::V4(Ipv4Addr::UNSPECIFIED),
            host => match inet(host) {
                Some(address) => Host::V4(address),
                None => Host::Name(host.to_vec()),
            },
        };
        Ok(Self {
            host,
            port,
            last_port,
            uri,
        })
    }
}

fn find(text: &[u8], wanted: u8) -> Option<usize> {
    text.iter().position(|byte| *byte == wanted)
}

fn port(text: &[u8]) -> Result<u16, &'static str> {
    let port = number(text).and_then(|number| u16::try_from(number).ok());
    port.filter(|port| *port > 0).ok_or("invalid port")
}

type Ports = (Option<u16>, Option<u16>);

/// What follows the `:` of a host.
fn ports(text: &[u8], shape: Shape) -> Result<Ports, &'static str> {
    let dash = find(text, b'-').filter(|_| shape == Shape::Listen);
    let Some(dash) = dash else {
        return Ok((Some(port(text)?), None));
    };
    let last = port(&text[dash + 1..])?;
    let first = port(&text[..dash])?;
    if first > last {
        return Err("invalid port range");
    }
    Ok((Some(first), Some(last)))
}

/// A `listen` of a port or a range of ports alone; nothing when the text is a host after all.
fn lone_port(text: &[u8], shape: Shape) -> Result<Option<(u16, Option<u16>)>, &'static str> {
    if shape != Shape::Listen {
        return Ok(None);
    }
    let dash = find(text, b'-');
    let first = &text[..dash.unwrap_or(text.len())];
    let last = dash.map(|dash| &text[dash + 1..]);
    if number(first).is_none() || last.is_some_and(|last| number(last).is_none()) {
        return Ok(None);
    }
    let last = last.map(port).transpose()?;
    let first = port(first)?;
    if last.is_some_and(|last| first > last) {
        return Err("invalid port range");
    }
    Ok(Some((first, last)))
}

/// Four numbers and three dots, as `ngx_inet_addr` reads them; a number may be missing.
pub fn inet(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut count = 0;
    for part in text.split(|byte| *byte == b'.') {
        let mut octet = 0_u16;
        for digit in part {
            if !digit.is_ascii_digit() {
                return None;
            }
            octet = octet * 10 + u16::from(digit - b'0');
            if octet > 255 {
                return None;
            }
        }
        *octets.get_mut(count)? = octet as u8;
        count += 1;
    }
    let address = Ipv4Addr::from(octets);
    // The broadcast address is the value that says that it is none.
    (count == 4 && address != Ipv4Addr::BROADCAST).then_some(address)
}

/// True for an address or a network such as `192.0.2.0/24`, as `ngx_ptocidr` reads them.
pub fn cidr(text: &[u8]) -> bool {
    let slash = find(text, b'/');
    let address = &text[..slash.unwrap_or(text.len())];
    let bits = match (inet(address), inet6(address)) {
        (Some(_), _) => 32,
        (_, Some(_)) => 128,
        _ => return false,
    };
    slash.is_none_or(|slash| number(&text[slash + 1..]).is_some_and(|number| number <= bits))
}

/// An address without its brackets, as `ngx_inet6_addr` reads it.
pub fn inet6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = text.strip_prefix(b":").unwrap_or(text);
    let mut words: Vec<u16> = Vec::with_capacity(8);
    let mut zero = None;
    // Where the number that is being read begins, once a `:` has been seen.
    let mut digits_start = None;
    let mut nibbles = 0;
    let mut word = 0_u16;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b':' if nibbles > 0 => {
                words.push(word);
                if words.len() == 8 {
                    return None;
                }
                (nibbles, word, digits_start) = (0, 0, Some(at + 1));
            }
            b':' if zero.is_none() => {
                (zero, digits_start) = (Some(words.len()), Some(at + 1));
            }
            b':' => return None,
            b'.' if nibbles > 0 => {
                if words.len() > 6 {
                    return None;
                }
                let address = u32::from(inet(&text[digits_start?..])?);
                words.push((address >> 16) as u16);
                word = address as u16;
                break;
            }
            digit => {
                nibbles += 1;
                let value = char::from(*digit).to_digit(16)?;
                if nibbles > 4 {
                    return None;
                }
                word = word << 4 | value as u16;
            }
        }
    }
    if text.is_empty() || nibbles == 0 && zero.is_none() {
        return None;
    }
    words.push(word);
    let missing = 8 - words.len();
    match zero {
        Some(zero) if missing > 0 => {
            words.splice(zero..zero, std::iter::repeat_n(0, missing));
        }
        None if missing == 0 => {}
        _ => return None,
    }
    let words: [u16; 8] = words.try_into().ok()?;
    Some(Ipv6Addr::from(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> Result<(String, Option<u16>, Option<u16>), &'static str> {
        let url = Url::parse(text.as_bytes(), Shape::Listen)?;
        Ok((url.host.to_string(), url.port, url.last_port))
    }

    #[test]
    fn listen_takes_ports_hosts_and_both() {
        let read = |text, host: &str, port, last| {
            assert_eq!(listen(text), Ok((host.to_owned(), port, last)), "{text}");
        };
        read("80", "0.0.0.0", Some(80), None);
        read("80-90", "0.0.0.0", Some(80), Some(90));
        read("*:80", "0.0.0.0", Some(80), None);
        read("127.0.0.1", "127.0.0.1", None, None);
        read("127.0.0.1:80-81", "127.0.0.1", Some(80), Some(81));
        read("[::]:80", "[::]", Some(80), None);
        read("[2001:DB8::1]", "[2001:db8::1]", None, None);
        read("localhost:80", "localhost", Some(80), None);
        read("UNIX:/run/x.sock", "unix:/run/x.sock", None, None);
        // What follows is no port, so that it is a name, and whether it exists is not known here.
        for name in ["80-", "-80", "80ssl", "default", "127.1", "255.255.255.255"] {
            read(name, name, None, None);
        }
    }

    #[test]
    fn an_address_is_refused_in_the_words_of_nginx() {
        for (text, message) in [
            ("0", "invalid port"),
            ("65536", "invalid port"),
            ("80-99999", "invalid port"),
            ("90-80", "invalid port range"),
            ("127.0.0.1:90-80", "invalid port range"),
            ("127.0.0.1:", "invalid port"),
            ("::80", "invalid port"),
            (":80", "no host"),
            ("", "no host"),
            ("80/tcp", "invalid host"),
            ("http://a", "invalid host"),
            ("[::", "invalid host"),
            ("[::]80", "invalid host"),
            ("[]:80", "no host"),
            ("[::1::2]:80", "invalid IPv6 address"),
            ("[1:2:3:4:5:6:7:8:9]", "invalid IPv6 address"),
            ("[localhost]:80", "invalid IPv6 address"),
            ("unix:", "no path in the unix domain socket"),
        ] {
            assert_eq!(listen(text), Err(message), "{text}");
        }
        let long = format!("unix:/{}", "x".repeat(107));
        assert_eq!(
            listen(&long),
            Err("too long path in the unix domain socket")
        );
    }

    #[test]
    fn a_uri_follows_only_where_it_may() {
        let url = Url::parse(b"127.0.0.1:80/a?b", Shape::WithUri);
        assert_eq!(url.map(|url| url.uri), Ok(&b"/a?b"[..]));
        let url = Url::parse(b"unix:/run/x:/a", Shape::WithUri);
        assert_eq!(url.map(|url| url.uri), Ok(&b"/a"[..]));
        assert!(Url::parse(b"127.0.0.1:80/a", Shape::Plain).is_err());
        assert!(Url::parse(b"127.0.0.1:80-81", Shape::Plain).is_err());
    }

    #[test]
    fn addresses_of_the_second_kind_are_read_as_nginx_does() {
        for (text, address) in [
            ("::", Some("::")),
            ("::1", Some("::1")),
            ("1::", Some("1::")),
            ("::ffff:192.0.2.1", Some("::ffff:192.0.2.1")),
            ("1:2:3:4:5:6:7:8", Some("1:2:3:4:5:6:7:8")),
            ("fe80::1%eth0", None),
            ("1:2:3:4:5:6:7", None),
            ("12345::", None),
            ("1.2.3.4", None),
            ("", None),
        ] {
            let read = inet6(text.as_bytes()).map(|address| address.to_string());
            assert_eq!(read.as_deref(), address, "{text}");
        }
    }
}
