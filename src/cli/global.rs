//! The flags that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Terminal;
use crate::nginx::{Contexts, Version};

/// Spans count bytes in 32 bits.
const LARGEST_FILE: u64 = u32::MAX as u64;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The root configuration that the paths belong to.
    ///
    /// Without it, the nearest nginx.conf upwards whose includes reach a file is taken. A relative FILE starts at
    /// --prefix when that is given, as with `nginx -p -c`.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// nginx's prefix: without a path, DIR/nginx.conf or else DIR/conf/nginx.conf is checked.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) prefix: Option<PathBuf>,

    /// Look up absolute include paths below DIR: a checkout, or an unpacked image.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,

    /// The nginx that will read the configuration, such as 1.28.0; `auto` asks the one that is installed.
    ///
    /// Without it, 1.28 is assumed. `auto` runs `nginx -V`, which also tells where its configuration lies.
    #[arg(long, global = true, value_name = "VERSION", value_parser = version)]
    pub(super) nginx_version: Option<Nginx>,

    /// The blocks that the files stand in, outermost first, such as `http,server`.
    ///
    /// For fragments that no root configuration includes; without it, their directives tell.
    #[arg(long, global = true, value_name = "LIST", value_parser = context)]
    pub(super) context: Option<Contexts>,

    /// The settings, instead of the nginspect.toml that is nearest upwards from each path.
    ///
    /// Flags win over what it says.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,

    /// Refuse larger files; bytes, or with k, m or g.
    #[arg(long, global = true, value_name = "SIZE", default_value = "256m", value_parser = size)]
    pub(super) max_file_size: u64,

    /// Print in colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,

    /// Print findings and errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Say which configuration was found, which files were read, and what took how long.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

impl Global {
    /// True when colours are to be printed.
    pub(super) fn colors(&self, terminal: Terminal) -> bool {
        match self.color {
            Color::Auto => terminal.color,
            Color::Always => true,
            Color::Never => false,
        }
    }

    /// The root configuration that was named.
    pub(super) fn root_configuration(&self) -> Option<PathBuf> {
        let config = self.config.as_ref()?;
        Some(match &self.prefix {
            Some(prefix) => prefix.join(config),
            None => config.clone(),
        })
    }
}

/// When to print in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR or CLICOLOR=0 is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which nginx will read the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nginx {
    /// The installed one.
    Installed,
    /// One of this version.
    Version(Version),
}

fn version(text: &str) -> Result<Nginx, String> {
    match text {
        "auto" => Ok(Nginx::Installed),
        _ => text.parse().map(Nginx::Version),
    }
}

fn context(list: &str) -> Result<Contexts, String> {
    Contexts::innermost(list).ok_or_else(|| {
        "each must be one of main, events, http, server, location, upstream, stream, mail"
            .to_owned()
    })
}

fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1_u64),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "a number of bytes, or one with k, m or g, such as 64m".to_owned())?;
    number
        .checked_mul(unit)
        .filter(|size| *size <= LARGEST_FILE)
        .ok_or_else(|| format!("at most {LARGEST_FILE} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("12"), Ok(12));
        assert_eq!(size("2k"), Ok(2048));
        assert_eq!(size("64M"), Ok(64 << 20));
        assert_eq!(size("3g"), Ok(3 << 30));
        for wrong in [
            "",
            "m",
            "1.5m",
            "-1",
            "1mb",
            "4g",
            "99999999999999999999",
            "9999999999999g",
            "1é",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
