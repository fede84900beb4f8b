//! Asks the nginx on this machine what it is; run only when the user asks for it.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::nginx::Version;

/// An ordinary user's PATH often lacks the folders that nginx is installed in.
const PLACES: [&str; 4] = [
    "nginx",
    "/usr/sbin/nginx",
    "/usr/local/sbin/nginx",
    "/usr/local/nginx/sbin/nginx",
];

/// What an installed nginx says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) version: Version,
    /// The configuration that it reads unless told otherwise.
    pub(super) config: PathBuf,
}

/// Runs `nginx -V`.
pub(super) fn ask() -> Result<Installed> {
    let output = output().context("--nginx-version auto")?;
    // nginx writes it to the standard error.
    let text = String::from_utf8_lossy(&output.stderr);
    match parse(&text) {
        Some(installed) => Ok(installed),
        None => bail!(
            "--nginx-version auto: `nginx -V` does not tell its version; it says `{}`",
            text.lines().next().unwrap_or_default()
        ),
    }
}

fn output() -> Result<Output> {
    for place in PLACES {
        match Command::new(place).arg("-V").output() {
            Ok(output) => return Ok(output),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).context(format!("cannot run {place}")),
        }
    }
    bail!("nginx is not installed here, or not in PATH; name its version instead")
}

fn parse(text: &str) -> Option<Installed> {
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("nginx version: "))?;
    // Relatives such as OpenResty append a fourth number to the version of the nginx inside.
    let numbers: Vec<&str> = name
        .split_once('/')?
        .1
        .split(|letter: char| !letter.is_ascii_digit())
        .take(3)
        .collect();
    let version = numbers.join(".").parse().ok()?;
    let option = |name: &str| {
        text.split_ascii_whitespace()
            .find_map(|word| word.strip_prefix(name))
    };
    // What configure takes when it is not told otherwise (`auto/options`).
    let prefix = PathBuf::from(option("--prefix=").unwrap_or("/usr/local/nginx"));
    let config = prefix.join(option("--conf-path=").unwrap_or("conf/nginx.conf"));
    Some(Installed { version, config })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_and_the_configuration_are_found() {
        let debian = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.20 7 Apr 2026\n\
            configure arguments: --with-cc-opt='-g -O2' --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf\n";
        assert_eq!(
            parse(debian),
            Some(Installed {
                version: Version(1, 22, 1),
                config: PathBuf::from("/etc/nginx/nginx.conf"),
            })
        );
        let resty =
            "nginx version: openresty/1.27.1.2\nconfigure arguments: --prefix=/opt/resty/nginx\n";
        assert_eq!(
            parse(resty),
            Some(Installed {
                version: Version(1, 27, 1),
                config: PathBuf::from("/opt/resty/nginx/conf/nginx.conf"),
            })
        );
        let plain = "nginx version: nginx/1.29.7 (Ubuntu)\nconfigure arguments:\n";
        assert_eq!(
            parse(plain),
            Some(Installed {
                version: Version(1, 29, 7),
                config: PathBuf::from("/usr/local/nginx/conf/nginx.conf"),
            })
        );
        assert_eq!(parse("sh: nginx: what?\n"), None);
    }
}
