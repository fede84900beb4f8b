//! What a request gets hold of in the end, whichever location answers it.

use std::fmt;

use super::trace::Outcome;
use crate::config::Config;

/// What a request gets hold of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A file that nginx sends as it is.
    File(String),
    /// What an upstream answers.
    Upstream {
        /// `proxy`, `fastcgi`, …
        protocol: String,
        /// Where it is, as `http://127.0.0.1:8000`.
        address: String,
        /// What an HTTP upstream is asked for.
        uri: Option<String>,
        /// The file that the upstream is told to run (`SCRIPT_FILENAME`).
        script: Option<String>,
    },
}

impl Outcome {
    /// What the request gets hold of; nothing when nginx answers by itself or refuses it.
    pub fn resource(&self) -> Option<Resource> {
        match self {
            Self::File {
                path,
                status: None | Some(200),
            } => Some(Resource::File(path.clone())),
            Self::Proxy(proxy) => Some(Resource::Upstream {
                protocol: "proxy".to_owned(),
                address: proxy.upstream.clone(),
                uri: Some(String::from_utf8_lossy(&proxy.uri).into_owned()),
                script: None,
            }),
            Self::Pass(pass) => {
                let mut params = pass.params.iter().rev();
                let script = params.find(|(name, _)| name == "SCRIPT_FILENAME");
                Some(Resource::Upstream {
                    protocol: pass.protocol.clone(),
                    address: pass.upstream.clone(),
                    uri: None,
                    script: script.map(|(_, file)| file.clone()),
                })
            }
            _ => None,
        }
    }
}

impl Resource {
    /// True for what FastCGI, uwsgi or SCGI programs answer.
    pub fn is_run(&self) -> bool {
        let known = ["fastcgi", "uwsgi", "scgi"];
        matches!(self, Self::Upstream { protocol, .. } if known.contains(&protocol.as_str()))
    }

    /// The file that is sent or run.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::File(path) => Some(path),
            Self::Upstream { script, .. } => script.as_deref(),
        }
    }

    /// Where it is passed on to.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Upstream { address, .. } => Some(address),
        }
    }

    /// True when both are certainly passed on to one program: by the same address, or by one that stands for it.
    pub fn has_same_upstream(&self, other: &Self, config: &Config) -> bool {
        let place = |resource: &Self| match resource {
            Self::File(_) => None,
            Self::Upstream {
                protocol, address, ..
            } => Some((protocol.clone(), plain(address, config))),
        };
        place(self).is_some() && place(self) == place(other)
    }
}

impl fmt::Display for Resource {
    /// As `the file /srv/www/x`, `http://app as /x`, `the script /srv/www/x.php`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "the file {path}"),
            Self::Upstream {
                uri: Some(uri),
                address,
                ..
            } => write!(formatter, "{address} as `{uri}`"),
            Self::Upstream {
                script: Some(script),
                address,
                ..
            } => write!(formatter, "the script {script} in {address}"),
            Self::Upstream { address, .. } => formatter.write_str(address),
        }
    }
}

/// An address with the only server of its `upstream` block in the place of the name, and without a second name for the
/// machine itself.
fn plain(address: &str, config: &Config) -> String {
    let (scheme, host) = address.split_once("://").unwrap_or(("", address));
    let group = config.upstream(host).into_iter();
    let mut servers = group.flat_map(|group| group.own("server"));
    let only = servers.next().filter(|_| servers.next().is_none());
    let host = match only.and_then(|server| server.argument(0)) {
        Some(only) => only.text().into_owned(),
        None => host.to_owned(),
    };
    let local = host.strip_prefix("localhost");
    let host = match local.filter(|rest| rest.is_empty() || rest.starts_with(':')) {
        Some(rest) => format!("127.0.0.1{rest}"),
        None => host,
    };
    let usual = host.strip_suffix(":80").filter(|_| scheme == "http");
    format!("{scheme}://{}", usual.unwrap_or(&host))
}
