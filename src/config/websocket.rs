//! How likely a location is meant for WebSockets: points for what its path, its upstream and its surroundings say.

use super::{Location, Modifier, Proxied, Shape};
use crate::diagnostic::Edit;

/// How likely a place is meant for WebSockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// 3 and more: certain enough to call a defect an error; 2: likely; 1: possible; 0: no sign of it.
    pub score: u8,
    /// What the path alone says, in the same points.
    pub path: u8,
    /// The strongest sign, in words that follow `because `.
    pub reason: String,
    /// True for an application that is known to send pings more often than nginx's default timeout.
    pub pings: bool,
}

/// Endpoints of applications: the beginning of the path, the application if it is a certain one, and whether it pings by
/// itself.
///
/// Matched at any depth, on whole segments; three points each.
const ENDPOINTS: [(&str, &str, bool); 43] = [
    ("/socket.io", "Socket.IO", true),
    ("/engine.io", "Engine.IO", true),
    ("/sockjs-node", "webpack's development server", false),
    ("/sockjs", "SockJS", true),
    ("/ws", "", false),
    ("/_next/webpack-hmr", "Next.js", true),
    ("/-/cable", "GitLab's Action Cable", true),
    ("/cable", "Action Cable", true),
    ("/live/websocket", "Phoenix LiveView", true),
    ("/socket/websocket", "Phoenix", true),
    ("/signalr", "SignalR", true),
    ("/_blazor", "Blazor Server", true),
    ("/hubs", "SignalR", true),
    ("/chathub", "SignalR", true),
    ("/notifications/hub", "Vaultwarden", true),
    ("/notifications/anonymous-hub", "Vaultwarden", true),
    ("/api/v4/websocket", "Mattermost", true),
    ("/api/websocket", "Home Assistant", true),
    ("/websocket", "", false),
    ("/terminals/websocket", "Jupyter", true),
    ("/_stcore/stream", "Streamlit", false),
    ("/api/live", "Grafana Live", true),
    ("/websockify", "noVNC", false),
    ("/websocket-tunnel", "Guacamole", true),
    ("/embywebsocket", "Emby", true),
    ("/:/websockets", "Plex", false),
    ("/cool/adminws", "Collabora", false),
    ("/lool/adminws", "Collabora", false),
    ("/api/v1/streaming", "Mastodon", true),
    ("/push/ws", "Nextcloud's notify_push", true),
    ("/standalone-signaling/spreed", "Nextcloud Talk", true),
    ("/colibri-ws", "Jitsi", true),
    ("/xmpp-websocket", "Jitsi", true),
    ("/realtime/v1/websocket", "Supabase", true),
    ("/v1/realtime", "Appwrite", false),
    ("/api/terminal/ws", "a terminal", false),
    ("/vncwebsocket", "Proxmox", false),
    ("/cockpit/socket", "Cockpit", false),
    ("/api/websocket/exec", "Portainer", false),
    ("/cryptpad_websocket", "CryptPad", false),
    ("/rest/push", "n8n", false),
    ("/comms", "Node-RED", false),
    ("/rtc", "LiveKit", true),
];

/// Words in a segment of the path, with their points.
const WORDS: [(&[&str], u8); 3] = [
    (
        &[
            "ws",
            "wss",
            "websocket",
            "websockets",
            "websockify",
            "sockjs",
            "signalr",
        ],
        3,
    ),
    (
        &[
            "socket", "sockets", "hub", "hubs", "cable", "realtime", "hmr", "vnc", "tty",
            "terminal", "mqtt", "rtc",
        ],
        2,
    ),
    (
        &[
            "live",
            "stream",
            "streams",
            "events",
            "notification",
            "notifications",
            "push",
            "chat",
            "subscriptions",
            "graphql",
            "console",
            "shell",
        ],
        1,
    ),
];

/// Words in the name of an upstream.
const UPSTREAM_WORDS: [&str; 8] = [
    "ws",
    "websocket",
    "websockets",
    "socket",
    "daphne",
    "reverb",
    "centrifugo",
    "soketi",
];

/// Words in the name of an upstream whose program pings by itself: Daphne and Uvicorn do so every 20 seconds.
const PINGING_WORDS: [&str; 3] = ["daphne", "uvicorn", "channels"];

/// Words in a path that stand for something else under a similar name.
const OPPOSING_WORDS: [(&[&str], u8); 3] = [
    (&["wsdl", "soap"], 3),
    (&["jupyterhub", "health", "healthz"], 1),
    (&["hls", "dash", "mp4", "flv"], 2),
];

/// Applications that use WebSockets below `/`, by a part of a server's or an upstream's name, with a path for them if there
/// is a certain one.
const APPLICATIONS: [(&str, Option<&str>); 12] = [
    ("vaultwarden", Some("/notifications/hub")),
    ("bitwarden", Some("/notifications/hub")),
    ("uptime-kuma", Some("/socket.io/")),
    ("home-assistant", Some("/api/websocket")),
    ("homeassistant", Some("/api/websocket")),
    ("code-server", None),
    ("jupyter", None),
    ("streamlit", Some("/_stcore/stream")),
    ("grafana", Some("/api/live/ws")),
    ("mattermost", Some("/api/v4/websocket")),
    ("rocketchat", Some("/websocket")),
    ("jellyfin", Some("/socket")),
];

/// A read timeout from here on, in milliseconds, is written for long-lived connections.
const LONG_TIMEOUT: u64 = 10 * 60 * 1000;

impl<'c> Proxied<'c> {
    /// How likely this place is meant for WebSockets.
    pub fn websocket_intent(&self) -> Intent {
        let intent = self.likely_intent();
        // No client opens anything where nginx asks by itself.
        let is_asked = || self.asked_by("auth_request") || self.asked_by("mirror");
        match intent.score > 0 && is_asked() {
            true => Intent {
                score: 0,
                path: 0,
                ..intent
            },
            false => intent,
        }
    }

    fn likely_intent(&self) -> Intent {
        let (path, reason, pings) = path_points(&self.location);
        let host = self.upstream_name();
        let pings = pings
            || words(&host).any(|word| PINGING_WORDS.contains(&word))
            || self.known_application(&host).is_some()
            || words(&self.location.path.text().to_lowercase())
                .any(|word| APPLICATIONS.iter().any(|(name, _)| *name == word));
        if self.location.is_never_websocket() || self.has_no_get() {
            return Intent {
                score: 0,
                path: 0,
                reason: String::new(),
                pings,
            };
        }
        if let Some(pattern) = self.location.known_for_websockets() {
            return Intent {
                score: 9,
                path: 3,
                reason: format!("`{}` is among your `websocket-paths`", pattern.as_str()),
                pings,
            };
        }
        if self.leaves_handshakes_to_others() {
            return Intent {
                score: 0,
                path,
                reason,
                pings,
            };
        }
        self.guessed_intent(path, reason, pings)
    }

    /// The name of its upstream or host, in lower case.
    fn upstream_name(&self) -> String {
        let url = self.url();
        let authority = url.map(|url| String::from_utf8_lossy(url.authority()).to_lowercase());
        let name = authority.as_deref().unwrap_or_default().split(':').next();
        name.unwrap_or_default().to_owned()
    }

    /// True when handshakes for the same upstream have locations of their own below this one; or, where a regex only
    /// happens to match an endpoint too, anywhere beside it.
    fn leaves_handshakes_to_others(&self) -> bool {
        if self.headers().get("Upgrade").is_some() {
            return false;
        }
        let begins = |location: &Location<'_>| match location.is_regex() {
            true => Shape::of(&location.path).map(|shape| shape.prefix),
            false => Some(location.path.to_vec()),
        };
        if self.location.is_regex() {
            let says = begins(&self.location).is_some_and(|prefix| {
                text_points(&String::from_utf8_lossy(&prefix).to_lowercase()).0 > 0
            });
            return !says && self.upgrading_siblings().next().is_some();
        }
        let own = &*self.location.path;
        self.location.is_prefix()
            && self.upgrading_siblings().any(|sibling| {
                begins(&sibling).is_some_and(|path| path.len() > own.len() && path.starts_with(own))
            })
    }

    fn guessed_intent(&self, path: u8, mut reason: String, pings: bool) -> Intent {
        let mut score = i32::from(path);
        if let Some(comment) = comment_about_websockets(&self.location).filter(|_| score < 3) {
            score = 3;
            reason = format!("a comment says so: `{comment}`");
        }
        let host = &*self.upstream_name();
        if words(host).any(|word| UPSTREAM_WORDS.contains(&word)) {
            if score == 0 {
                reason = format!("its upstream is called `{host}`");
            }
            score += 1;
        }
        if score == 0
            && self.location.is_prefix()
            && &*self.location.path == b"/"
            && !self.has_upgrading_sibling()
            && let Some((name, _)) = self.known_application(host)
        {
            score = 2;
            reason = format!("{name} uses WebSockets");
        }
        score -= i32::from(opposing_points(&self.location));
        score -= i32::from(self.scope.flag("proxy_buffering") == Some(false) && path < 3);
        if score > 0 {
            let long = self.time("proxy_read_timeout").is_some_and(|(set, time)| {
                time >= LONG_TIMEOUT && set.parent() == Some(self.scope)
            });
            // Who forwards them elsewhere and not here may well mean it, unless the path says something else.
            let is_said = score > 1;
            score += i32::from(long) + i32::from(is_said && self.has_upgrading_sibling());
        }
        Intent {
            score: score.clamp(0, 9) as u8,
            path,
            reason,
            pings,
        }
    }

    /// The application that the server or the upstream is called after, and where it opens its WebSockets.
    pub fn application_endpoint(&self) -> Option<(&'static str, &'static str)> {
        let (name, path) = self.known_application(&self.upstream_name())?;
        Some((name, path?))
    }

    /// Edits after which requests for a path, with handshakes, go on as those for this place do.
    pub fn send_on_from(&self, path: &str) -> Vec<Edit> {
        let Some(url) = self.url().filter(|url| !url.has_variables()) else {
            return Vec::new();
        };
        let config = self.scope.config();
        let (value, mut edits) = config.connection_value();
        let address = url
            .word
            .slice(0..url.scheme().len() + url.authority().len());
        let mut lines = vec![format!("proxy_pass {address};")];
        if config.version().default_proxy_http_version() != "1.1" {
            lines.push("proxy_http_version 1.1;".to_owned());
        }
        lines.extend(self.inherited(&self.headers(), &["Upgrade", "Connection"]));
        lines.push("proxy_set_header Upgrade $http_upgrade;".to_owned());
        lines.push(format!("proxy_set_header Connection {value};"));
        let block = format!("location {path} {{ {} }}", lines.join(" "));
        edits.push(self.location.directive.append_lines(&[block]));
        edits
    }

    fn known_application(&self, host: &str) -> Option<(&'static str, Option<&'static str>)> {
        let server = self.location.server();
        let names: Vec<String> = server
            .into_iter()
            .flat_map(|server| server.names())
            .map(|name| name.text().to_lowercase())
            .collect();
        APPLICATIONS.into_iter().find(|(application, _)| {
            let mut labels = names.iter().flat_map(|name| name.split('.'));
            host.contains(application) || labels.any(|label| label == *application)
        })
    }

    /// True when another location of the same level forwards handshakes to the same upstream.
    fn has_upgrading_sibling(&self) -> bool {
        self.upgrading_siblings().next().is_some()
    }

    /// The other locations of the same level that forward handshakes to the same upstream.
    fn upgrading_siblings(&self) -> impl Iterator<Item = Location<'c>> {
        let own = self.url().map(|url| url.authority().to_vec());
        let level = self.location.level();
        let siblings: Vec<Location<'c>> = level.iter().take(MAX_SIBLINGS).collect();
        siblings.into_iter().filter(move |sibling| {
            let pass = sibling
                .handler()
                .filter(|handler| handler.is("proxy_pass") && *sibling != self.location);
            let Some((pass, own)) = pass.zip(own.as_ref()) else {
                return false;
            };
            let sibling = Proxied {
                scope: sibling.directive,
                location: sibling.clone(),
                pass,
            };
            sibling.url().is_some_and(|url| url.authority() == &own[..])
                && sibling.headers().sent("Upgrade").is_some()
        })
    }
}

impl Location<'_> {
    /// True when its path alone says that it is for WebSockets.
    pub fn is_socket_endpoint(&self) -> bool {
        path_points(self).0 >= 3
    }
}

/// True for an endpoint of an application, in lower case.
pub(super) fn is_endpoint(path: &str) -> bool {
    ENDPOINTS.iter().any(|(endpoint, ..)| path == *endpoint)
}

/// How many locations of a level are compared with another one.
pub(super) const MAX_SIBLINGS: usize = 64;

/// Points of a path, why, and whether its application is known to ping.
fn path_points(location: &Location<'_>) -> (u8, String, bool) {
    if location.is_regex() {
        return regex_points(location);
    }
    if location.modifier == Modifier::Named {
        return words_points(&location.path.text().to_lowercase());
    }
    text_points(&location.path.text().to_lowercase())
}

fn text_points(path: &str) -> (u8, String, bool) {
    let endpoint = ENDPOINTS
        .iter()
        .filter(|(endpoint, ..)| {
            path.match_indices(endpoint).any(|(start, _)| {
                let rest = &path[start + endpoint.len()..];
                rest.is_empty() || rest.starts_with('/')
            })
        })
        .max_by_key(|(endpoint, ..)| endpoint.len());
    match endpoint {
        Some((endpoint, "", pings)) => (3, format!("its path says `{endpoint}`"), *pings),
        Some((endpoint, application, pings)) => (
            3,
            format!("`{endpoint}` is an endpoint of {application}"),
            *pings,
        ),
        None => words_points(path),
    }
}

fn words_points(path: &str) -> (u8, String, bool) {
    let found = WORDS.iter().find_map(|(known, points)| {
        words(path)
            .find(|word| known.contains(word))
            .map(|word| (*points, format!("its path says `{word}`"), false))
    });
    found.unwrap_or_default()
}

/// A regex gets the points of the text it begins with, or of an endpoint that it matches while it does not match just
/// anything.
fn regex_points(location: &Location<'_>) -> (u8, String, bool) {
    let shape = Shape::of(&location.path);
    let prefix = shape
        .map(|shape| String::from_utf8_lossy(&shape.prefix).to_lowercase())
        .unwrap_or_default();
    let points = text_points(&prefix);
    if points.0 > 0 {
        return points;
    }
    let Some(regex) = location.regex() else {
        return points;
    };
    let base = prefix.trim_end_matches('/');
    let matches = |path: &str| {
        regex
            .is_match(format!("{base}{path}").as_bytes())
            .unwrap_or(true)
    };
    if ["/", "/index.html", "/a/b", "/a.js", "/api/users/1"]
        .into_iter()
        .any(matches)
    {
        return points;
    }
    // One that takes just any name in the place of the endpoint's is not about the endpoint.
    let is_about = |endpoint: &str, below: &str| {
        matches(&format!("{endpoint}{below}"))
            && !other_names(endpoint).any(|other| matches(&format!("{other}{below}")))
    };
    let endpoint = ENDPOINTS
        .iter()
        .find(|(endpoint, ..)| is_about(endpoint, "") || is_about(endpoint, "/x"));
    if let Some((endpoint, application, pings)) = endpoint {
        let of = if application.is_empty() {
            String::new()
        } else {
            format!(", an endpoint of {application}")
        };
        return (3, format!("it matches `{endpoint}`{of}"), *pings);
    }
    certain_word(&location.path.text().to_lowercase())
        .map_or(points, |word| (3, format!("its path says `{word}`"), false))
}

/// The path of an endpoint with another name in its last segment: one of the same form, and a plain word.
fn other_names(endpoint: &str) -> impl Iterator<Item = String> {
    let start = endpoint.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, name) = endpoint.split_at(start);
    let next = |letter: char| match letter {
        'a'..='y' => char::from(letter as u8 + 1),
        other => other,
    };
    let same_form = name.chars().map(next).collect::<String>();
    [format!("{folder}{same_form}"), format!("{folder}orders")].into_iter()
}

/// A word that only WebSockets have and that every path which the regex matches must hold.
///
/// With alternatives, lookarounds or classes of letters it is not told; nor is a word that may be left out.
fn certain_word(regex: &str) -> Option<&'static str> {
    if ["|", "(?!", "(?<", "[^", "\\w", "\\s", "\\q"]
        .iter()
        .any(|part| regex.contains(part))
    {
        return None;
    }
    WORDS[0].0.iter().copied().find(|known| {
        regex.match_indices(known).any(|(start, _)| {
            let end = start + known.len();
            let rest = regex[end..].trim_start_matches(')');
            let is_inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '\\';
            !regex[..start].ends_with(is_inside)
                && !rest.starts_with(|letter: char| {
                    letter.is_ascii_alphanumeric() || matches!(letter, '?' | '*' | '{')
                })
        })
    })
}

fn opposing_points(location: &Location<'_>) -> u8 {
    let path = location.path.text().to_lowercase();
    let found = OPPOSING_WORDS
        .iter()
        .find(|(known, _)| words(&path).any(|word| known.contains(&word)));
    found.map_or(0, |(_, points)| *points)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// The comment right above a location or at its first lines that speaks of WebSockets and does not deny them.
fn comment_about_websockets(location: &Location<'_>) -> Option<String> {
    location.directive.comments().find_map(|comment| {
        let text = comment.to_lowercase();
        let said = text.split(|letter: char| {
            letter.is_whitespace() || matches!(letter, ',' | '.' | ':' | '(' | ')' | '#')
        });
        let speaks = said
            .clone()
            .any(|word| matches!(word, "websocket" | "websockets" | "wss"));
        let denies = said.clone().any(|word| {
            matches!(
                word,
                "no" | "not" | "non" | "without" | "except" | "disable" | "never"
            )
        });
        (speaks && !denies).then(|| comment.trim_start_matches('#').trim().to_owned())
    })
}
