//! Room for the headers of requests and answers.

use super::{Proxied, Visibility};
use crate::diagnostic::Edit;

/// The directives that decide how large the header of an answer may be, and those that must fit it.
const SIZES: [&str; 5] = [
    "proxy_buffer_size",
    "proxy_buffers",
    "proxy_busy_buffers_size",
    "proxy_max_temp_file_size",
    "proxy_temp_file_write_size",
];

/// The directive that decides how large the header of a request may be.
const OF_REQUESTS: &str = "large_client_header_buffers";

impl Proxied<'_> {
    /// True when neither the room for the header of an answer nor that for a client's was ever changed.
    pub fn has_default_header_buffers(&self) -> bool {
        ["proxy_buffer_size", OF_REQUESTS]
            .iter()
            .all(|name| self.scope.effective(name).directive().is_none())
    }

    /// How much is visible of what could change it.
    pub fn header_buffers_visibility(&self) -> Visibility {
        let of_answers = self.scope.effective("proxy_buffer_size").visibility;
        of_answers.max(self.scope.effective(OF_REQUESTS).visibility)
    }

    /// Edits that make room for 16 KB of header in answers and 32 KB in requests; nothing where other sizes are set that
    /// these must fit.
    pub fn grow_header_buffers(&self) -> Vec<Edit> {
        let is_set = |name: &str| self.scope.effective(name).directive().is_some();
        let server = self.location.server();
        let first = server.and_then(|server| server.directive.children().next());
        let Some(first) = first.filter(|_| !SIZES.iter().any(|name| is_set(name))) else {
            return Vec::new();
        };
        let lines = [
            "proxy_buffer_size 16k;",
            "proxy_buffers 8 16k;",
            "proxy_busy_buffers_size 32k;",
        ];
        let of_answers = self
            .location
            .directive
            .grow(self.pass, &lines.map(str::to_owned));
        if first.span().file != self.location.directive.span().file {
            return Vec::new();
        }
        let of_requests = first.append_lines(&[format!("{OF_REQUESTS} 4 32k;")]);
        of_answers.into_iter().chain([of_requests]).collect()
    }
}
