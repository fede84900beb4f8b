//! Addresses and networks of clients: who is let in, who is believed, and the bodies of `geo`.

use super::{Flaw, Setting, text};
use crate::nginx::url::{cidr, inet, number};

/// `allow` and `deny` (`ngx_http_access_rule`).
pub(super) fn access_rule(setting: &Setting<'_>) -> Option<Flaw> {
    let [value] = setting.arguments else {
        return None;
    };
    let is_fine = matches!(*value, b"all" | b"unix:") || cidr(value);
    (!is_fine).then(|| {
        let meant = value
            .eq_ignore_ascii_case(b"all")
            .then(|| "all".to_owned())
            .or_else(|| meant(value));
        Flaw {
            help: Some("It takes an address, a network such as `192.0.2.0/24`, `unix:` or `all`; names are not looked up.".to_owned()),
            meant,
            ..no_network(0, value)
        }
    })
}

/// `set_real_ip_from` and `geoip_proxy`: the first takes names too, which only the machine knows.
pub(super) fn address_or_cidr(setting: &Setting<'_>) -> Option<Flaw> {
    let [value] = setting.arguments else {
        return None;
    };
    let is_name = match setting.name {
        // A slash is a part of no name.
        "set_real_ip_from" => *value == b"unix:" || !value.contains(&b'/'),
        "geoip_proxy" => *value == b"255.255.255.255",
        // Ignored unless nginx was built for debugging.
        _ => true,
    };
    (!is_name && !cidr(value)).then(|| Flaw {
        meant: meant(value),
        help: Some("It takes an address or a network such as `192.0.2.0/24`.".to_owned()),
        ..no_network(0, value)
    })
}

/// A line of a `geo` block, its first word among them (`ngx_http_geo`); `is_ranges` after the line `ranges`.
pub fn geo_entry(words: &[&[u8]], is_ranges: bool) -> Option<Flaw> {
    let (network, argument) = match words {
        [b"ranges" | b"proxy_recursive" | b"volatile"] => return None,
        [b"include" | b"default", _] => return None,
        [b"proxy", network] => return geo_network(network, 1),
        [b"delete", network] => (*network, 1),
        [network, _] => (*network, 0),
        _ => {
            return Some(Flaw {
                help: Some("A line of `geo` is a network and its value.".to_owned()),
                ..Flaw::new(0, format!("{} words are no line of `geo`", words.len()))
            });
        }
    };
    if !is_ranges {
        return geo_network(network, argument);
    }
    let dash = network.iter().position(|byte| *byte == b'-');
    let bounds = dash.and_then(|dash| {
        let first = inet(&network[..dash])?;
        Some((first, inet(&network[dash + 1..])?))
    });
    let is_range = bounds.is_some_and(|(first, last)| first <= last);
    (!is_range).then(|| Flaw {
        help: Some("After `ranges` a network is written as `192.0.2.0-192.0.2.255`.".to_owned()),
        ..Flaw::new(
            argument,
            format!("`{}` is no range of addresses", text(network)),
        )
    })
}

fn geo_network(network: &[u8], argument: usize) -> Option<Flaw> {
    let is_network = network == b"255.255.255.255" || cidr(network);
    (!is_network).then(|| Flaw {
        meant: meant(network),
        help: Some("It takes an address or a network such as `192.0.2.0/24`.".to_owned()),
        ..no_network(argument, network)
    })
}

fn no_network(argument: usize, value: &[u8]) -> Flaw {
    let problem = format!("`{}` is neither an address nor a network", text(value));
    Flaw::new(argument, problem)
}

/// The network that another program writes so: with a mask, with a `*` in the place of the last numbers, in brackets.
fn meant(value: &[u8]) -> Option<String> {
    let shown = std::str::from_utf8(value).ok()?;
    let network = match shown.split_once('/') {
        Some((address, mask)) => {
            let mask = u32::from(inet(mask.as_bytes()).filter(|_| mask.matches('.').count() == 3)?);
            (mask.leading_ones() + mask.trailing_zeros() == 32)
                .then(|| format!("{address}/{}", mask.leading_ones()))?
        }
        None if shown.starts_with('[') => shown
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned(),
        None => {
            let parts: Vec<&str> = shown.split('.').collect();
            let known = parts.iter().take_while(|part| **part != "*").count();
            let rest = &parts[known..];
            let is_open = !rest.is_empty() && rest.iter().all(|part| *part == "*");
            if known == 0 || parts.len() > 4 || !is_open {
                return None;
            }
            let mut numbers = parts[..known].to_vec();
            numbers.resize(4, "0");
            format!("{}/{}", numbers.join("."), known * 8)
        }
    };
    let (address, _) = network.split_once('/').unwrap_or((&network, ""));
    let is_whole = address.contains(':')
        || address
            .split('.')
            .all(|part| number(part.as_bytes()).is_some());
    (is_whole && cidr(network.as_bytes())).then_some(network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::value::tests::{accepts, refuses};

    #[test]
    fn access_rules_are_networks_and_no_names() {
        accepts("server", &["allow all", "deny unix:", "allow 10.0.0.0/8"]);
        accepts(
            "server",
            &["allow 10.0.0.1/8", "deny ::/0", "deny 10.0.0.1"],
        );
        refuses("server", "allow localhost", 0, None);
        refuses("server", "deny ALL", 0, Some("all"));
        refuses("server", "deny unix:/x", 0, None);
        refuses("server", "deny 10.0.0.0/33", 0, None);
        refuses("server", "deny 10.0.0.0/", 0, None);
        refuses("server", "deny [::1]", 0, Some("::1"));
        refuses("server", "deny 10.0.0", 0, None);
        refuses("server", "deny 10.1.*", 0, Some("10.1.0.0/16"));
        refuses("server", "deny 10.1.2.*", 0, Some("10.1.2.0/24"));
        refuses("server", "deny 10.0.0.0/255.0.0.0", 0, Some("10.0.0.0/8"));
        refuses("server", "deny 10.0.0.0/255.0.255.0", 0, None);
        refuses("server", "deny 10.0.0.0-10.0.0.9", 0, None);
    }

    #[test]
    fn names_of_proxies_are_left_to_the_machine() {
        accepts("server", &["set_real_ip_from proxy.example"]);
        accepts("server", &["set_real_ip_from unix:"]);
        accepts("events", &["debug_connection 10.0.0.0/99"]);
        refuses("server", "set_real_ip_from 10.0.0.0/33", 0, None);
        refuses("http", "geoip_proxy proxy.example", 0, None);
    }

    #[test]
    fn lines_of_geo_are_networks_or_ranges() {
        let flaw = |line: &str, is_ranges| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            geo_entry(&words, is_ranges).map(|flaw| flaw.argument)
        };
        for line in ["10.0.0.0/8 a", "::1 a", "255.255.255.255 a", "default a"] {
            assert_eq!(flaw(line, false), None, "{line}");
        }
        for line in ["ranges", "proxy 10.0.0.1", "delete 10.0.0.1", "include x"] {
            assert_eq!(flaw(line, false), None, "{line}");
        }
        assert_eq!(flaw("localhost a", false), Some(0));
        assert_eq!(flaw("delete localhost", false), Some(1));
        assert_eq!(flaw("proxy localhost", true), Some(1));
        assert_eq!(flaw("10.0.0.1 a b", false), Some(0));
        assert_eq!(flaw("10.0.0.1", false), Some(0));
        assert_eq!(flaw("10.0.0.1-10.0.0.9 a", true), None);
        assert_eq!(flaw("10.0.0.1-10.0.0.9 a", false), Some(0));
        assert_eq!(flaw("10.0.0.9-10.0.0.1 a", true), Some(0));
        assert_eq!(flaw("10.0.0.0/8 a", true), Some(0));
    }
}
