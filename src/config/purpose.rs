//! What a location is for, as far as its name, its comments and the names around it tell.

use super::{Modifier, Proxied, Shape};

/// Words of paths to which files are sent.
const UPLOADS: [&str; 4] = ["upload", "uploader", "webdav", "dav"];

/// Applications to which large files are sent, by a label of a server's or an upstream's name.
const STORES: [&str; 8] = [
    "registry",
    "harbor",
    "gitlab",
    "nextcloud",
    "owncloud",
    "seafile",
    "immich",
    "minio",
];

/// Words of paths whose answers come piece by piece.
const STREAMS: [&str; 6] = ["sse", "eventsource", "events", "stream", "mcp", "subscribe"];

/// Parts of paths whose answers come piece by piece.
const STREAM_PARTS: [&str; 2] = ["/chat/completions", "/event-stream"];

/// Words of comments on such locations.
const STREAM_COMMENTS: [&str; 3] = ["eventsource", "sse", "server-sent"];

/// Words of paths whose answers are films and sound, which come in large pieces.
const MEDIA: [&str; 10] = [
    "hls", "dash", "mp4", "flv", "m3u8", "video", "audio", "radio", "media", "live",
];

/// Words of paths, and names of applications, where people sign in with tokens and cookies of kilobytes.
const SIGN_IN: [&str; 11] = [
    "oauth",
    "oauth2",
    "oidc",
    "openid",
    "sso",
    "saml",
    "saml2",
    "keycloak",
    "authelia",
    "authentik",
    "realms",
];

impl Proxied<'_> {
    /// Why files are likely sent to this place, in words that follow `because `.
    pub fn takes_uploads(&self) -> Option<String> {
        let path = self.path_text()?;
        if let Some(word) = words(&path).find(|word| UPLOADS.contains(word)) {
            return Some(format!("its path says `{word}`"));
        }
        if path.starts_with("/api/media") {
            return Some("its path says `/api/media`".to_owned());
        }
        let is_whole = self.location.is_prefix() && matches!(path.as_str(), "/" | "/v2/" | "/v2");
        let name = self.called_one_of(&STORES).filter(|_| is_whole)?;
        Some(format!("`{name}` takes files"))
    }

    /// Why the answers of this place likely come piece by piece, in words that follow `because `.
    ///
    /// Nothing for films and sound, nor for what is likely a WebSocket.
    pub fn streams_events(&self) -> Option<String> {
        let path = self.path_text()?;
        if words(&path).any(|word| MEDIA.contains(&word)) {
            return None;
        }
        let part = STREAM_PARTS.iter().find(|part| path.contains(*part));
        let reason = match words(&path)
            .find(|word| STREAMS.contains(word))
            .or(part.copied())
        {
            Some(said) => format!("its path says `{said}`"),
            None => format!("a comment says so: `{}`", self.comment_about_events()?),
        };
        let is_socket = self.pass.is("proxy_pass") && {
            let intent = self.websocket_intent();
            self.headers().sent("Upgrade").is_some() || intent.path > 1 || intent.score > 2
        };
        (!is_socket).then_some(reason)
    }

    /// The comment that calls the answers events.
    fn comment_about_events(&self) -> Option<String> {
        let comment = self.location.directive.comments().find(|comment| {
            let text = comment.to_lowercase();
            let mut said = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
            said.any(|word| STREAM_COMMENTS.contains(&word))
        })?;
        Some(comment.trim_start_matches('#').trim().to_owned())
    }

    /// Why people likely sign in here with large tokens, in words that follow `because `.
    pub fn signs_in(&self) -> Option<String> {
        let path = self.path_text()?;
        match words(&path).find(|word| SIGN_IN.contains(word)) {
            Some(word) => Some(format!("its path says `{word}`")),
            None => self
                .called_one_of(&SIGN_IN)
                .map(|name| format!("`{name}` sets cookies of tokens")),
        }
    }

    /// What every path of the location begins with, in lower case; nothing for a named one and one that only redirects
    /// reach.
    fn path_text(&self) -> Option<String> {
        if self.location.modifier == Modifier::Named || self.location.is_internal() {
            return None;
        }
        let path = match self.location.is_regex() {
            true => Shape::of(&self.location.path)?.prefix,
            false => self.location.path.to_vec(),
        };
        Some(String::from_utf8_lossy(&path).to_lowercase())
    }

    /// A name that is a label of the server's names or a word of the backend's.
    fn called_one_of(&self, names: &[&'static str]) -> Option<&'static str> {
        let address = self.pass.argument(0)?.text().to_lowercase();
        let host = address
            .split_once("://")
            .map_or(address.as_str(), |(_, rest)| rest);
        let host = host.split([':', '/', '$']).next().unwrap_or_default();
        let server = self.location.server();
        let known: Vec<String> = server
            .into_iter()
            .flat_map(|server| server.names())
            .map(|name| name.text().to_lowercase())
            .collect();
        names.iter().copied().find(|name| {
            words(host).any(|word| word == *name)
                || known
                    .iter()
                    .any(|known| known.split('.').any(|label| label == *name))
        })
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}
