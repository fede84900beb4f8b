//! nginx versions, and the defaults that changed with them.

use std::fmt;
use std::str::FromStr;

/// An nginx version such as 1.28.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// The oldest one whose directives are told apart: what was gone before is refused by every nginx in use.
    pub const OLDEST: Self = Self(1, 18, 0);
    /// From here on `proxy_http_version` is 1.1 unless set, and no `Connection: close` is sent upstream.
    pub const HTTP_1_1_UPSTREAM: Self = Self(1, 29, 7);

    /// What `proxy_http_version` is when nothing sets it (`ngx_http_proxy_merge_loc_conf`).
    pub fn default_proxy_http_version(self) -> &'static str {
        if self >= Self::HTTP_1_1_UPSTREAM {
            "1.1"
        } else {
            "1.0"
        }
    }
}

impl Default for Version {
    /// The version that is assumed when none is given: the stable branch 1.28.
    fn default() -> Self {
        Self(1, 28, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `1.28.0` or `1.28`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor)), patch, None) = (
            numbers.next(),
            numbers.next(),
            numbers.next().unwrap_or(Ok(0)),
            numbers.next(),
        ) else {
            return Err(format!("`{text}` is not an nginx version such as 1.28.0"));
        };
        let patch =
            patch.map_err(|_| format!("`{text}` is not an nginx version such as 1.28.0"))?;
        Ok(Self(major, minor, patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_by_number() {
        assert_eq!("1.28".parse(), Ok(Version(1, 28, 0)));
        assert!(
            "1.9.15"
                .parse::<Version>()
                .is_ok_and(|old| old < Version(1, 28, 0))
        );
        for wrong in ["", "1", "1.x", "1.2.3.4", "v1.2.3", "1.2."] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn upstream_http_1_1_is_the_default_from_1_29_7() {
        assert_eq!(Version(1, 29, 6).default_proxy_http_version(), "1.0");
        assert_eq!(Version(1, 29, 7).default_proxy_http_version(), "1.1");
    }
}
