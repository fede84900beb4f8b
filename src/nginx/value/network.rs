//! Addresses and networks of clients: who is let in, who is believed, and the bodies of `geo`.

use super::{Flaw, Setting, shown};
use crate::nginx::number;
use crate::nginx::url::{cidr, inet};

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
        no_network(0, value).meant(meant).help("It takes an address, a network such as `192.0.2.0/24`, `unix:` or `all`; names are not looked up.")
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
    (!is_name && !cidr(value)).then(|| {
        no_network(0, value)
            .meant(meant(value))
            .help("It takes an address or a network such as `192.0.2.0/24`.")
    })
}

/// A line of two words of a `geo` block, its first word among them (`ngx_http_geo`); `has_ranges` after a line `ranges`.
pub(super) fn geo_line(words: &[&[u8]], has_ranges: bool) -> Option<Flaw> {
    let (network, argument) = match words {
        [b"include" | b"default", _] => return None,
        [b"proxy" | b"delete", network] => (*network, 1),
        [network, _] => (*network, 0),
        _ => return None,
    };
    if has_ranges && words.first() != Some(&&b"proxy"[..]) {
        let problem = || format!("{} is no range of addresses", shown(network));
        let help = "After `ranges` a network is written as `192.0.2.0-192.0.2.255`.";
        return (!is_range(network)).then(|| Flaw::new(argument, problem()).help(help));
    }
    let is_fine = network == b"255.255.255.255" || cidr(network);
    (!is_fine).then(|| {
        let flaw = no_network(argument, network).meant(meant(network));
        flaw.help(if is_range(network) {
            "A range needs a line `ranges;` at the beginning of the block."
        } else {
            "It takes an address or a network such as `192.0.2.0/24`."
        })
    })
}

fn is_range(text: &[u8]) -> bool {
    let bounds = || {
        let dash = text.iter().position(|byte| *byte == b'-')?;
        inet(&text[..dash]).zip(inet(&text[dash + 1..]))
    };
    bounds().is_some_and(|(first, last)| first <= last)
}

fn no_network(argument: usize, value: &[u8]) -> Flaw {
    Flaw::new(
        argument,
        format!("{} is neither an address nor a network", shown(value)),
    )
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
    use super::super::tests::{accepts, refuses};
    use super::*;

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
        let flaw = |line: &str, has_ranges| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            geo_line(&words, has_ranges).map(|flaw| flaw.argument)
        };
        for line in ["10.0.0.0/8 a", "::1 a", "255.255.255.255 a", "delete ::1"] {
            assert_eq!(flaw(line, false), None, "{line}");
            assert!(flaw(line, true).is_some(), "{line}");
        }
        for line in ["10.0.0.1-10.0.0.9 a", "delete 10.0.0.1-10.0.0.9"] {
            assert!(flaw(line, false).is_some(), "{line}");
            assert_eq!(flaw(line, true), None, "{line}");
        }
        for has_ranges in [false, true] {
            for line in ["default a", "proxy 10.0.0.1", "include x"] {
                assert_eq!(flaw(line, has_ranges), None, "{line}");
            }
            assert_eq!(flaw("localhost a", has_ranges), Some(0));
            assert_eq!(flaw("delete localhost", has_ranges), Some(1));
            assert_eq!(flaw("proxy localhost", has_ranges), Some(1));
            assert_eq!(flaw("10.0.0.9-10.0.0.1 a", has_ranges), Some(0));
            assert_eq!(flaw("::1-::2 a", has_ranges), Some(0));
        }
    }
}
