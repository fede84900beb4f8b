//! Addresses of those who answer: upstreams, resolvers, and the address that nginx itself calls from.

use super::{Flaw, Setting, shown, text};
use crate::nginx::url::{Host, Shape, Url, inet, inet6};
use crate::nginx::{Contexts, closest, closest_parameter, has_variables, number, seconds};

/// `fastcgi_pass` and its like, and `proxy_pass` of stream.
pub(super) fn address(setting: &Setting<'_>) -> Option<Flaw> {
    let [value] = setting.arguments else {
        return None;
    };
    if has_variables(value) {
        return None;
    }
    let schemes: &[&str] = match setting.name {
        "grpc_pass" => &["grpc://", "grpcs://"],
        "uwsgi_pass" => &["uwsgi://", "suwsgi://"],
        "fastcgi_pass" | "scgi_pass" | "memcached_pass" | "proxy_pass" | "pass" => &[],
        _ => return None,
    };
    let rest = schemes.iter().find_map(|scheme| after(value, scheme));
    no_address(0, value, rest.unwrap_or(value), Shape::Plain)
}

/// `proxy_pass` of http, and `auth_http`, which may leave its scheme out.
pub(super) fn url(setting: &Setting<'_>) -> Option<Flaw> {
    let [value] = setting.arguments else {
        return None;
    };
    if setting.name == "auth_http" {
        let rest = value.strip_prefix(b"http://").unwrap_or(value);
        return no_address(0, value, rest, Shape::WithUri);
    }
    if setting.name != "proxy_pass" || has_variables(value) {
        return None;
    }
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| after(value, scheme));
    let Some(rest) = rest else {
        let problem = format!("{} has no scheme that it knows", shown(value));
        let help = "It takes `http://` or `https://` before the address.";
        return Some(Flaw::new(0, problem).meant(meant_url(value)).help(help));
    };
    no_address(0, value, rest, Shape::WithUri)
}

/// The URL with the scheme that it lacks, or that a WebSocket goes by.
fn meant_url(value: &[u8]) -> Option<String> {
    let shown = std::str::from_utf8(value).ok()?;
    let meant = match shown.split_once("://") {
        Some(("ws", rest)) => format!("http://{rest}"),
        Some(("wss", rest)) => format!("https://{rest}"),
        Some(_) => return None,
        None if shown.starts_with('/') => format!("http://unix:{shown}"),
        None => {
            let slashes = ["http:/", "http:", "http//"];
            let https = ["https:/", "https:", "https//"];
            let cut = |wrong: &[&str]| wrong.iter().find_map(|start| shown.strip_prefix(start));
            match (cut(&slashes), cut(&https)) {
                (Some(rest), _) => format!("http://{rest}"),
                (_, Some(rest)) => format!("https://{rest}"),
                _ => format!("http://{shown}"),
            }
        }
    };
    let (_, rest) = meant.split_once("://")?;
    Url::parse(rest.as_bytes(), Shape::WithUri).ok()?;
    Some(meant)
}

/// What is wrong with an address that stands in `value` after a scheme.
fn no_address(argument: usize, value: &[u8], address: &[u8], shape: Shape) -> Option<Flaw> {
    let why = Url::parse(address, shape).err()?;
    let help = match why {
        "invalid port" => "A port is a number from 1 to 65535.",
        "invalid host" if shape == Shape::Plain => {
            "It takes `host:port` or `unix:/path`, and nothing after it."
        }
        "invalid host" | "invalid IPv6 address" | "no host" => {
            "It takes a name, an address or an IPv6 address in brackets."
        }
        _ => "The path of a socket follows `unix:`.",
    };
    let problem = format!("{} is no address to connect to: {why}", shown(value));
    let meant = meant_address(value, address, shape);
    Some(Flaw::new(argument, problem).meant(meant).help(help))
}

/// The address without a scheme or a path that does not belong there, or with the brackets that it lacks.
fn meant_address(value: &[u8], address: &[u8], shape: Shape) -> Option<String> {
    let shown = std::str::from_utf8(address).ok()?;
    let scheme = std::str::from_utf8(value).ok()?.strip_suffix(shown)?;
    let meant = if shape == Shape::Plain && shown.starts_with('/') {
        format!("unix:{shown}")
    } else if shape == Shape::Plain
        && let Some((_, rest)) = shown.split_once("://")
    {
        rest.trim_end_matches('/').to_owned()
    } else if shape == Shape::Plain && shown.ends_with('/') {
        shown.trim_end_matches('/').to_owned()
    } else {
        bracketed(shown)?
    };
    Url::parse(meant.as_bytes(), shape).ok()?;
    Some(format!("{scheme}{meant}"))
}

/// An IPv6 address in brackets, what may be its port parted from it.
fn bracketed(shown: &str) -> Option<String> {
    let with_port = shown.rsplit_once(':').filter(|(host, port)| {
        number(port.as_bytes()).is_some() && inet6(host.as_bytes()).is_some()
    });
    match with_port {
        Some((host, port)) => Some(format!("[{host}]:{port}")),
        None => inet6(shown.as_bytes()).map(|_| format!("[{shown}]")),
    }
}

fn after<'v>(value: &'v [u8], scheme: &str) -> Option<&'v [u8]> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    start
        .eq_ignore_ascii_case(scheme.as_bytes())
        .then_some(rest)
}

/// `proxy_bind` and its like (`ngx_http_upstream_bind_set_slot`, `ngx_parse_addr_port`).
pub(super) fn bind_address(setting: &Setting<'_>) -> Option<Flaw> {
    let [value, rest @ ..] = setting.arguments else {
        return None;
    };
    if *value == b"off" && rest.is_empty() {
        return None;
    }
    if !has_variables(value) && !is_address_with_port(value) {
        let problem = format!("{} is no address to call from", shown(value));
        let help = "It takes an address with or without a port, or `off`; names are not looked up.";
        return Some(Flaw::new(0, problem).help(help));
    }
    let parameter = rest.first().filter(|word| **word != b"transparent")?;
    let problem = format!("{} is no parameter of `{}`", shown(parameter), setting.name);
    let meant = closest(&text(parameter), ["transparent"].into_iter());
    Some(
        Flaw::new(1, problem)
            .meant(meant)
            .help("The only one is `transparent`."),
    )
}

fn is_address_with_port(value: &[u8]) -> bool {
    let is_address = |text: &[u8]| inet(text).is_some() || inet6(text).is_some();
    if is_address(value) {
        return true;
    }
    // Without brackets the first colon parts the port, so that an IPv6 address with one is none.
    let split = match value {
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']');
            end.map(|end| (&rest[..end], &rest[end + 1..]))
        }
        value => {
            let colon = value.iter().position(|byte| *byte == b':');
            colon.map(|colon| value.split_at(colon))
        }
    };
    match split {
        Some((address, [])) => value.starts_with(b"[") && is_address(address),
        Some((address, [b':', port @ ..])) => {
            is_address(address) && number(port).is_some_and(|port| (1..=65535).contains(&port))
        }
        _ => false,
    }
}

/// `resolver` (`ngx_resolver_create`); what might be a name, such as Plus's `status_zone=`, passes.
pub(super) fn resolver(setting: &Setting<'_>) -> Option<Flaw> {
    let mut has_server = false;
    let (mut has_v4, mut has_v6) = (true, true);
    for (index, argument) in setting.arguments.iter().enumerate() {
        let Some((name, value)) = parameter(argument) else {
            has_server = true;
            let flaw = no_address(index, argument, argument, Shape::Plain);
            if flaw.is_some() {
                return flaw;
            }
            continue;
        };
        let wanted = match name {
            b"valid" if seconds(value).is_none() => "It takes a time such as `30s`.",
            b"ipv4" | b"ipv6" if !matches!(value, b"on" | b"off") => "It takes `on` or `off`.",
            b"ipv4" => {
                has_v4 = value == b"on";
                continue;
            }
            b"ipv6" => {
                has_v6 = value == b"on";
                continue;
            }
            _ => continue,
        };
        let problem = format!("{} is no value of `{}=`", shown(value), text(name));
        return Some(Flaw::new(index, problem).help(wanted));
    }
    if !has_server && !setting.arguments.is_empty() {
        return Some(Flaw::new(0, "no name server is given".to_owned()));
    }
    let last = setting.arguments.len().saturating_sub(1);
    (!has_v4 && !has_v6)
        .then(|| Flaw::new(last, "`ipv4` and `ipv6` cannot both be `off`".to_owned()))
}

/// Name and value of a parameter with an `=`.
fn parameter(argument: &[u8]) -> Option<(&[u8], &[u8])> {
    let sign = argument.iter().position(|byte| *byte == b'=')?;
    Some((&argument[..sign], &argument[sign + 1..]))
}

/// Parameters of a server in an upstream, those of Plus among them.
const SERVER_PARAMETERS: [&str; 11] = [
    "backup",
    "down",
    "drain",
    "fail_timeout=",
    "max_conns=",
    "max_fails=",
    "resolve",
    "route=",
    "service=",
    "slow_start=",
    "weight=",
];

/// `server` of an upstream (`ngx_http_upstream_server`).
pub(super) fn upstream_server(setting: &Setting<'_>) -> Option<Flaw> {
    let [address, parameters @ ..] = setting.arguments else {
        return None;
    };
    let wrong = parameters
        .iter()
        .enumerate()
        .find_map(|(index, parameter)| server_parameter(index + 1, parameter));
    if wrong.is_some() {
        return wrong;
    }
    let url = match Url::parse(address, Shape::Plain) {
        Ok(url) => url,
        Err(_) => return no_address(0, address, address, Shape::Plain),
    };
    let service = parameters
        .iter()
        .position(|word| word.starts_with(b"service="));
    let has_port = url.port.is_some() || matches!(url.host, Host::Unix(_));
    if let Some(service) = service {
        let problem = if !parameters.contains(&&b"resolve"[..]) {
            "`service=` needs `resolve` beside it".to_owned()
        } else if has_port {
            format!("{} has a port, which `service=` is to find", shown(address))
        } else if !matches!(url.host, Host::Name(_)) {
            format!("{} is no name, which `service=` needs", shown(address))
        } else {
            return None;
        };
        return Some(Flaw::new(service + 1, problem));
    }
    let needs_port = setting.context == Contexts::STREAM_UPSTREAM && !has_port;
    needs_port.then(|| {
        Flaw::new(0, format!("{} has no port", shown(address)))
            .help("A server of `stream` is called at `host:port` or `unix:/path`.")
    })
}

fn server_parameter(argument: usize, written: &[u8]) -> Option<Flaw> {
    let is = |known: &&&str| {
        let is_prefix = known.ends_with('=') && written.starts_with(known.as_bytes());
        is_prefix || written == known.as_bytes()
    };
    let Some(known) = SERVER_PARAMETERS.iter().find(is) else {
        let problem = format!("{} is no parameter of `server`", shown(written));
        let flaw = Flaw::new(argument, problem);
        return Some(
            match closest_parameter(&text(written), &SERVER_PARAMETERS) {
                Some(meant) => flaw.meant(Some(meant)),
                None => flaw.help(format!("It takes `{}`.", SERVER_PARAMETERS.join("`, `"))),
            },
        );
    };
    let value = &written[known.len()..];
    let (is_fine, wanted) = match *known {
        "weight=" => (
            number(value).is_some_and(|number| number > 0),
            "a number above 0",
        ),
        "max_conns=" | "max_fails=" => (number(value).is_some(), "a number"),
        "fail_timeout=" => (seconds(value).is_some(), "a time such as `30s`"),
        "service=" => (!value.is_empty(), "the name of a service"),
        _ => return None,
    };
    let problem = || format!("{} is no value of `{known}`", shown(value));
    (!is_fine).then(|| Flaw::new(argument, problem()).help(format!("It takes {wanted}.")))
}

/// `valid_referers`: names with `*` at one end (`ngx_hash_add_key`).
pub(super) fn referers(setting: &Setting<'_>) -> Option<Flaw> {
    let mut hosts: Vec<Vec<u8>> = Vec::new();
    for (index, argument) in setting.arguments.iter().enumerate() {
        let problem = match *argument {
            b"" => "an empty referer is none".to_owned(),
            b"~" => "the regex after `~` is empty".to_owned(),
            b"none" | b"blocked" | b"server_names" | [b'~', ..] => continue,
            argument => {
                let end = argument.iter().position(|byte| *byte == b'/');
                let host = argument[..end.unwrap_or(argument.len())].to_ascii_lowercase();
                let is_wild = host.starts_with(b".") || host.contains(&b'*');
                if !is_host_or_wildcard(&host) {
                    format!(
                        "{} is no host, and no host with a `*` at one end",
                        shown(&host)
                    )
                } else if !is_wild && hosts.contains(&host) {
                    format!("{} stands here twice", shown(&host))
                } else {
                    hosts.push(host);
                    continue;
                }
            }
        };
        return Some(Flaw::new(index, problem));
    }
    None
}

/// True for `example.org`, `.example.org`, `*.example.org` and `www.example.*`.
fn is_host_or_wildcard(host: &[u8]) -> bool {
    let stars = host.iter().filter(|byte| **byte == b'*').count();
    if stars > 1 || host.windows(2).any(|pair| pair == b"..") {
        return false;
    }
    let dotted = host.len() > 1 && host.starts_with(b".");
    let wild = host.len() > 2 && (host.starts_with(b"*.") || host.ends_with(b".*"));
    stars == 0 || dotted || wild
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accepts, refuses};

    #[test]
    fn addresses_of_upstreams_have_no_path() {
        accepts(
            "location",
            &[
                "fastcgi_pass 127.0.0.1:9000",
                "fastcgi_pass php",
                "fastcgi_pass unix:/run/php/php-fpm.sock",
                "fastcgi_pass unix:/run/php:x",
                "fastcgi_pass $upstream/x",
                "grpc_pass grpcs://[::1]:50051",
                "grpc_pass GRPC://backend",
                "uwsgi_pass uwsgi://127.0.0.1:9000",
                "memcached_pass memcached:11211",
            ],
        );
        refuses(
            "location",
            "fastcgi_pass /run/php.sock",
            0,
            Some("unix:/run/php.sock"),
        );
        refuses(
            "location",
            "fastcgi_pass http://php:9000/",
            0,
            Some("php:9000"),
        );
        refuses("location", "fastcgi_pass php:9000/", 0, Some("php:9000"));
        refuses("location", "fastcgi_pass :9000", 0, None);
        refuses("location", "fastcgi_pass php:", 0, None);
        refuses("location", "fastcgi_pass ::1:9000", 0, Some("[::1]:9000"));
        refuses("location", "uwsgi_pass uwsgi://app:3031/x", 0, None);
        refuses(
            "location",
            "grpc_pass http://app:50051",
            0,
            Some("app:50051"),
        );
        refuses(
            "stream_server",
            "proxy_pass http://app:80",
            0,
            Some("app:80"),
        );
        accepts(
            "stream_server",
            &["proxy_pass app:80", "proxy_pass $name:80"],
        );
    }

    #[test]
    fn proxy_pass_takes_two_schemes() {
        accepts(
            "location",
            &[
                "proxy_pass http://a",
                "proxy_pass HTTPS://a:8443/b?c",
                "proxy_pass http://unix:/run/x.sock:/uri",
                "proxy_pass $anything",
                "proxy_pass http://a:$port",
                "proxy_pass http://127.0.0.1?x",
            ],
        );
        refuses(
            "location",
            "proxy_pass app:8000/",
            0,
            Some("http://app:8000/"),
        );
        refuses("location", "proxy_pass ws://app/x", 0, Some("http://app/x"));
        refuses(
            "location",
            "proxy_pass wss://app/x",
            0,
            Some("https://app/x"),
        );
        refuses(
            "location",
            "proxy_pass http:/app/x",
            0,
            Some("http://app/x"),
        );
        refuses(
            "location",
            "proxy_pass /run/x.sock",
            0,
            Some("http://unix:/run/x.sock"),
        );
        refuses("location", "proxy_pass grpc://app", 0, None);
        refuses("location", "proxy_pass http:///x", 0, None);
        refuses("location", "proxy_pass http://app:x/", 0, None);
        refuses("location", "proxy_pass http://app:70000", 0, None);
        refuses(
            "location",
            "proxy_pass http://::1:80",
            0,
            Some("http://[::1]:80"),
        );
        accepts(
            "mail",
            &["auth_http 127.0.0.1:80/x", "auth_http http://a/x"],
        );
        refuses("mail", "auth_http https://a/x", 0, None);
    }

    #[test]
    fn nginx_calls_from_addresses() {
        accepts(
            "location",
            &[
                "proxy_bind off",
                "proxy_bind 127.0.0.1",
                "proxy_bind ::1",
                "proxy_bind [::1]:5 transparent",
                "proxy_bind $remote_addr transparent",
            ],
        );
        refuses("location", "proxy_bind localhost", 0, None);
        refuses("location", "proxy_bind off transparent", 0, None);
        refuses("location", "proxy_bind 127.0.0.1:0", 0, None);
        refuses(
            "location",
            "proxy_bind 127.0.0.1 transparant",
            1,
            Some("transparent"),
        );
    }

    #[test]
    fn a_resolver_has_servers_and_few_parameters() {
        accepts(
            "server",
            &[
                "resolver 1.1.1.1 [::1]:53 valid=30s ipv6=off",
                "resolver dns.example status_zone=x",
                "resolver 1.1.1.1 ipv4=off",
            ],
        );
        refuses("server", "resolver 1.1.1.1 valid=30x", 1, None);
        refuses("server", "resolver 1.1.1.1 valid=500ms", 1, None);
        refuses("server", "resolver 1.1.1.1 ipv6=no", 1, None);
        refuses("server", "resolver valid=30s", 0, None);
        refuses("server", "resolver ::1", 0, Some("[::1]"));
        refuses("server", "resolver 1.1.1.1 ipv4=off ipv6=off", 2, None);
    }

    #[test]
    fn servers_of_an_upstream_are_addresses_with_parameters() {
        accepts(
            "upstream",
            &[
                "server a",
                "server a:80 weight=2 max_fails=0 fail_timeout=1m max_conns=0 backup down",
                "server unix:/x",
                "server a resolve service=http",
                "server a route=x slow_start=30s drain",
            ],
        );
        refuses("upstream", "server http://a", 0, Some("a"));
        refuses("upstream", "server a:80/x", 0, None);
        refuses("upstream", "server a weight=0", 1, None);
        refuses("upstream", "server a max_fails=", 1, None);
        refuses("upstream", "server a fail_timeout=10ms", 1, None);
        refuses("upstream", "server a Backup", 1, Some("backup"));
        refuses("upstream", "server a wieght=2", 1, Some("weight=2"));
        refuses("upstream", "server a timeout=2", 1, None);
        refuses("upstream", "server a service=http", 1, None);
        refuses("upstream", "server a:80 resolve service=http", 2, None);
        refuses("stream_upstream", "server a", 0, None);
        accepts("stream_upstream", &["server a:1", "server unix:/x"]);
    }

    #[test]
    fn referers_are_hosts() {
        accepts(
            "server",
            &[
                "valid_referers none blocked server_names *.a.example .b c.* ~x d/e",
                "valid_referers . *.a *.a",
            ],
        );
        refuses("server", "valid_referers ~", 0, None);
        refuses("server", "valid_referers *", 0, None);
        refuses("server", "valid_referers a..b", 0, None);
        refuses("server", "valid_referers none a.*.b", 1, None);
        refuses("server", "valid_referers a.example A.example/x", 1, None);
    }
}
