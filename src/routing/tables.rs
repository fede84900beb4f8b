//! Variables that are looked up in a block: `map`, `geo`, `split_clients`.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use super::regexes::exec;
use super::run::Run;
use super::value::Value;
use super::variation::{By, Varies};
use crate::config::Directive;
use crate::nginx;

/// The lines of a `map`, as `ngx_http_map` keeps them.
#[derive(Default)]
struct Map {
    hostnames: bool,
    default: Option<Vec<u8>>,
    exact: HashMap<Vec<u8>, Vec<u8>>,
    leading: HashMap<Vec<u8>, (Vec<u8>, bool)>,
    trailing: HashMap<Vec<u8>, Vec<u8>>,
    regexes: Vec<(Vec<u8>, bool, Vec<u8>)>,
}

impl Map {
    fn of(block: Directive<'_>) -> Self {
        let mut map = Self::default();
        for line in block.children() {
            let key = line.name();
            let Some(value) = line.argument(0) else {
                map.hostnames |= key == "hostnames";
                continue;
            };
            let value = value.value.into_owned();
            match &key[..] {
                b"include" => {}
                b"default" => map.default = map.default.take().or(Some(value)),
                [b'~', b'*', pattern @ ..] => map.regexes.push((pattern.to_vec(), true, value)),
                [b'~', pattern @ ..] => map.regexes.push((pattern.to_vec(), false, value)),
                key => map.add(key.strip_prefix(b"\\").unwrap_or(key), value),
            }
        }
        map
    }

    fn add(&mut self, key: &[u8], value: Vec<u8>) {
        let key = key.to_ascii_lowercase();
        match &key[..] {
            [b'.', rest @ ..] if self.hostnames && !rest.is_empty() => {
                self.leading.entry(rest.to_vec()).or_insert((value, true));
            }
            [b'*', b'.', rest @ ..] if self.hostnames && !rest.is_empty() => {
                self.leading.entry(rest.to_vec()).or_insert((value, false));
            }
            [rest @ .., b'.', b'*'] if self.hostnames && !rest.is_empty() => {
                self.trailing.entry(rest.to_vec()).or_insert(value);
            }
            _ => {
                self.exact.entry(key).or_insert(value);
            }
        }
    }

    fn values(&self) -> impl Iterator<Item = &Vec<u8>> {
        let leading = self.leading.values().map(|(value, _)| value);
        let literal = self.exact.values().chain(self.trailing.values());
        self.default.iter().chain(literal).chain(leading)
    }

    /// The value of a key that is no regex.
    fn literal(&self, key: &[u8]) -> Option<&Vec<u8>> {
        let key = key.to_ascii_lowercase();
        if let Some(value) = self.exact.get(&key) {
            return Some(value);
        }
        if let Some((value, true)) = self.leading.get(&key) {
            return Some(value);
        }
        let dots = || (0..key.len()).filter(|at| key[*at] == b'.');
        dots()
            .find_map(|dot| self.leading.get(&key[dot + 1..]))
            .map(|(value, _)| value)
            .or_else(|| dots().rev().find_map(|dot| self.trailing.get(&key[..dot])))
    }
}

impl<'c> Run<'_, 'c> {
    /// `ngx_http_map_variable`
    pub(super) fn map(&mut self, block: Directive<'c>) -> Value {
        let Some(source) = block.argument(0) else {
            return Value::default();
        };
        let map = Map::of(block);
        let key = self.evaluate(&source);
        if !key.is_varied() {
            return self.mapped(block, &map, key);
        }
        // Another key may lead to a regex, which captures, or to other variables, which may too.
        if !map.regexes.is_empty() || map.values().any(|value| nginx::has_variables(value)) {
            self.fork(Some(block), By::Other);
        }
        self.mapped(block, &map, key).varied(Varies::From(0))
    }

    /// The value that a key has.
    fn mapped(&mut self, block: Directive<'c>, map: &Map, mut key: Value) -> Value {
        let default = map.default.clone().unwrap_or_default();
        if !key.is_known() {
            let source = block.argument(0).map(|source| source.text().into_owned());
            self.assume(format!(
                "`{}` has the default value of the map at {}",
                source.unwrap_or_default(),
                self.place(block)
            ));
            return self.evaluate(&default);
        }
        if map.hostnames && key.bytes.ends_with(b".") {
            key.bytes.pop();
        }
        if let Some(value) = map.literal(&key.bytes) {
            return self.evaluate(value);
        }
        if !key.bytes.is_empty() {
            for (pattern, caseless, value) in &map.regexes {
                let regex = self.tracer.regexes.get(pattern, *caseless);
                match regex.and_then(|regex| exec(&regex, &key.bytes)) {
                    Some(Some(matched)) => {
                        self.capture(matched, key.is_varied());
                        return self.evaluate(value);
                    }
                    Some(None) => {}
                    None => {
                        let place = self.place(block);
                        self.assume(format!("a regex of the map at {place} does not match"));
                    }
                }
            }
        }
        self.evaluate(&default)
    }

    /// True when a variable of a block is computed anew each time it is asked for.
    pub(super) fn is_volatile(block: Directive<'_>) -> bool {
        block
            .children()
            .any(|line| line.argument(0).is_none() && line.name() == "volatile")
    }

    /// `ngx_http_geo_cidr_variable` and `ngx_http_geo_range_variable`
    pub(super) fn geo(&mut self, block: Directive<'c>) -> Value {
        let address = match (block.argument(0), block.argument(1)) {
            (Some(source), Some(_)) => {
                let name = String::from_utf8_lossy(&source)
                    .trim_start_matches('$')
                    .to_owned();
                self.variable(&name)
            }
            _ => self.variable("remote_addr"),
        };
        let lines: Vec<Directive<'c>> = block.children().collect();
        let has = |name: &str| lines.iter().any(|line| line.name() == name);
        let value_of =
            |line: &Directive<'c>| line.argument(0).map(|value| value.value.into_owned());
        let default = lines
            .iter()
            .rev()
            .find(|line| line.name() == "default")
            .and_then(value_of)
            .unwrap_or_default();
        if !address.is_known() || has("proxy") {
            self.assume(format!(
                "the client has the default value of the geo at {}",
                self.place(block)
            ));
            return Value::new(default);
        }
        // An address that cannot be read counts as 255.255.255.255.
        let varies = address.varies.changed();
        let address: IpAddr = std::str::from_utf8(&address.bytes)
            .ok()
            .and_then(|address| address.parse().ok())
            .unwrap_or(IpAddr::V4(Ipv4Addr::BROADCAST));
        let ranges = has("ranges");
        let mut best: Option<(u128, Vec<u8>)> = None;
        for line in &lines {
            let key = line.name().text().into_owned();
            let Some(size) = (match ranges {
                true => range(&key, address),
                false => network(&key, address),
            }) else {
                continue;
            };
            let Some(value) = value_of(line) else {
                continue;
            };
            // The smaller network wins, and of two that are equal the later line.
            if best.as_ref().is_none_or(|(known, _)| size <= *known) {
                best = Some((size, value));
            }
        }
        Value::new(best.map_or(default, |(_, value)| value)).varied(varies)
    }

    /// `ngx_http_split_clients_variable`
    pub(super) fn split_clients(&mut self, block: Directive<'c>) -> Value {
        let Some(source) = block.argument(0) else {
            return Value::default();
        };
        let key = self.evaluate(&source);
        if !key.is_known() {
            let name = block.argument(1).map(|name| name.text().into_owned());
            return Value::unknown(name.unwrap_or_default().trim_start_matches('$'));
        }
        let hash = murmur_hash2(&key.bytes);
        let mut last = 0_u64;
        for line in block.children() {
            let part = line.name().text().into_owned();
            let value = line.argument(0).map(|value| value.value.into_owned());
            let percent = match part.as_str() {
                "*" => 0,
                part => match percent(part) {
                    Some(percent) => percent,
                    None => continue,
                },
            };
            last += percent * u64::from(u32::MAX) / 10_000;
            if percent == 0 || u64::from(hash) < last {
                return Value::new(value.unwrap_or_default()).varied(key.varies.changed());
            }
        }
        Value::default().varied(key.varies.changed())
    }
}

/// Hundredths of a percent.
fn percent(text: &str) -> Option<u64> {
    let text = text.strip_suffix('%')?;
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = match part.len() {
        0 => 0,
        1 => part.parse::<u64>().ok()? * 10,
        2 => part.parse::<u64>().ok()?,
        _ => return None,
    };
    Some(whole.parse::<u64>().ok()? * 100 + part)
}

/// How many addresses a network holds, if this one is among them.
pub(super) fn network(text: &str, address: IpAddr) -> Option<u128> {
    let (network, length) = match text.split_once('/') {
        Some((network, length)) => (network, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address = address.to_canonical();
    let (network, address, bits) = match (network.parse::<IpAddr>().ok()?, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(u32::from(network)),
            u128::from(u32::from(address)),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (u128::from(network), u128::from(address), 128)
        }
        _ => return None,
    };
    let length = length.unwrap_or(bits);
    let rest = bits.checked_sub(length)?;
    let same = rest == 128 || network >> rest == address >> rest;
    same.then(|| 1_u128.checked_shl(rest).unwrap_or(u128::MAX))
}

/// How many addresses a range holds, if this one is among them.
fn range(text: &str, address: IpAddr) -> Option<u128> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (Ipv4Addr, Ipv4Addr) = (first.parse().ok()?, last.parse().ok()?);
    let IpAddr::V4(address) = address else {
        return None;
    };
    (first <= address && address <= last)
        .then(|| u128::from(u32::from(last)) - u128::from(u32::from(first)))
}

/// `ngx_murmur_hash2`
fn murmur_hash2(data: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        word = word.wrapping_mul(FACTOR);
        word ^= word >> 24;
        word = word.wrapping_mul(FACTOR);
        hash = hash.wrapping_mul(FACTOR) ^ word;
    }
    let rest = chunks.remainder();
    for (at, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * at);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ (hash >> 15)
}

/// True for a block that defines a variable by what is looked up in it.
pub(super) fn is_table(block: Directive<'_>) -> bool {
    block.is("map") || block.is("geo") || block.is("split_clients")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let size = |text: &str, address: &str| network(text, address.parse().expect("an address"));
        assert_eq!(size("10.0.0.0/8", "10.1.2.3"), Some(1 << 24));
        assert_eq!(size("10.0.0.0/8", "11.1.2.3"), None);
        assert_eq!(size("0.0.0.0/0", "11.1.2.3"), Some(1 << 32));
        assert_eq!(size("::/0", "::1"), Some(u128::MAX));
        assert_eq!(size("::1", "::1"), Some(1));
        assert_eq!(size("127.0.0.1", "::ffff:127.0.0.1"), Some(1));
        assert_eq!(
            range("10.0.0.1-10.0.0.9", Ipv4Addr::new(10, 0, 0, 9).into()),
            Some(8)
        );
    }

    #[test]
    fn parts_of_a_hundred_are_read_with_two_decimals() {
        assert_eq!(percent("0.5%"), Some(50));
        assert_eq!(percent("12.34%"), Some(1234));
        assert_eq!(percent("100%"), Some(10_000));
        assert_eq!(percent("x%"), None);
    }
}
