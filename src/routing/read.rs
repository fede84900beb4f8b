//! What nginx makes of a request line and of headers before it looks for a location (`ngx_http_request.c`).

use super::regexes::exec;
use super::request::{
    HeaderLine, Protocol, Refused, Target, header_line, is_unique, validate_host,
};
use super::run::Run;
use super::socket::{Entrance, Fit, names_of};
use super::uri::Uri;
use super::value::Value;
use super::variation::Varies;

impl<'c> Run<'_, 'c> {
    /// `ngx_http_process_request_uri`: the server that is known by now says whether slashes are merged.
    pub(super) fn read_uri(&mut self, target: &Target<'_>) -> Result<(), Refused> {
        let merge_slashes = self.server.directive.flag("merge_slashes") != Some(false);
        let written = match target.empty_path {
            true => [b"/", target.uri].concat(),
            false => target.uri.to_vec(),
        };
        let uri = Uri::parse(&written, merge_slashes)
            .ok_or_else(|| Refused::bad("the path of the target is invalid"))?;
        let raw = written
            .split(|byte| matches!(byte, b'?' | b'#'))
            .next()
            .unwrap_or_default();
        let plus = |window: &[u8]| window.eq_ignore_ascii_case(b"%2b");
        self.plus_in_uri = raw.contains(&b'+') || raw.windows(3).any(plus);
        self.quoted_uri = uri.is_quoted;
        self.unparsed_uri = target.uri.to_vec();
        self.valid_unparsed_uri = !target.empty_path;
        self.uri = Value::new(uri.path).varied(Varies::Path);
        self.args = Value::new(uri.arguments.unwrap_or_default()).varied(Varies::Query);
        Ok(())
    }

    /// `ngx_http_process_request_headers`: the host chooses the server on the way.
    pub(super) fn read_headers(
        &mut self,
        entrance: &Entrance<'c>,
        host: Option<&[u8]>,
    ) -> Result<(), Refused> {
        let invalid = || Refused::bad("the host is invalid");
        if let Some(host) = host {
            self.set_server(entrance, validate_host(host).ok_or_else(invalid)?);
        }
        let mut header_host = false;
        for (name, value) in &self.request.headers {
            let underscores = self.server.directive.flag("underscores_in_headers") == Some(true);
            let line = header_line(name, value, underscores);
            let ignored = self.server.directive.flag("ignore_invalid_headers") != Some(false);
            match line {
                HeaderLine::Refused => {
                    return Err(Refused::bad(format!("the header `{name}` is invalid")));
                }
                HeaderLine::Invalid if ignored => {
                    self.step(
                        None,
                        format!("the header `{name}` is left out: its name is not valid"),
                    );
                    continue;
                }
                HeaderLine::Valid | HeaderLine::Invalid => {}
            }
            let value = trimmed(value);
            let known = |(known, _): &&(String, Vec<u8>)| known.eq_ignore_ascii_case(name);
            let again = self.headers.iter().any(|header| known(&header));
            // A header that is refused is there all the same when an error page is asked for.
            self.headers.push((name.clone(), value.to_vec()));
            if again && is_unique(name, self.version) {
                return Err(Refused::bad(format!("the header `{name}` stands twice")));
            }
            if name.eq_ignore_ascii_case("host") {
                if header_host {
                    return Err(Refused::bad("the header `Host` stands twice"));
                }
                header_host = true;
                let host = validate_host(value).ok_or_else(invalid)?;
                if self.host.is_empty() {
                    self.set_server(entrance, host);
                }
            }
        }
        if self.host.is_empty() {
            self.set_server(entrance, Vec::new());
        }
        if !header_host && self.request.protocol > Protocol::Http10 {
            return Err(Refused::bad("HTTP/1.1 wants a `Host`"));
        }
        self.read_length()?;
        if matches!(self.method.as_str(), "CONNECT" | "TRACE") {
            return Err(Refused {
                status: 405,
                reason: format!("the method {} is not answered", self.method),
            });
        }
        Ok(())
    }

    /// What `ngx_http_process_request_header` asks of the headers that tell the length of a body.
    fn read_length(&mut self) -> Result<(), Refused> {
        if let Some(length) = self.header("content-length") {
            let text = std::str::from_utf8(length).ok();
            let length = text.and_then(length_of);
            let length =
                length.ok_or_else(|| Refused::bad("the header `Content-Length` is no number"))?;
            self.content_length = Some(length);
        }
        let Some(encoding) = self.header("transfer-encoding") else {
            return Ok(());
        };
        if self.request.protocol < Protocol::Http11 {
            return Err(Refused::bad("HTTP/1.0 has no `Transfer-Encoding`"));
        }
        if !encoding.eq_ignore_ascii_case(b"chunked") {
            return Err(Refused {
                status: 501,
                reason: "the `Transfer-Encoding` is unknown".to_owned(),
            });
        }
        if self.content_length.is_some() {
            return Err(Refused::bad(
                "`Content-Length` and `Transfer-Encoding` stand together",
            ));
        }
        self.chunked = true;
        Ok(())
    }

    /// The value of the first header of a name.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// `ngx_http_set_virtual_server`
    fn set_server(&mut self, entrance: &Entrance<'c>, host: Vec<u8>) {
        let tracer = self.tracer;
        let mut found = None;
        let mut undecided = false;
        let mut test = |pattern: &[u8], caseless: bool, host: &[u8]| {
            let matched = tracer
                .regexes
                .get(pattern, caseless)
                .and_then(|regex| exec(&regex, host));
            undecided |= matched.is_none();
            let matched = matched?;
            let hit = matched.is_some();
            found = matched.or(found.take());
            Some(hit)
        };
        let chosen = entrance.server(&host, &mut test);
        if let Some(matched) = found {
            self.capture(matched, false);
        }
        if undecided {
            self.assume("a name of a server that is no regex for PCRE2 matches nothing");
        }
        // With TLS, what the handshake has chosen stays unless another name fits.
        let (server, fit) = match chosen {
            Some((server, fit)) => (server, Some(fit)),
            None if self.tls => (entrance.default, None),
            None => (self.server, None),
        };
        let is_named = names_of(server)
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&host));
        self.is_default = fit.is_none() && !is_named;
        self.see(server.directive);
        self.server = server;
        self.scope = server.directive;
        self.fit = fit;
        let shown = String::from_utf8_lossy(&host).into_owned();
        let reason = match &self.fit {
            Some(Fit::Exact) if host.is_empty() => {
                "it is the one for requests without a host".to_owned()
            }
            Some(Fit::Exact) => format!("`{shown}` is its name"),
            Some(Fit::Leading(rest)) => {
                format!("`{shown}` fits its `*.{}`", String::from_utf8_lossy(rest))
            }
            Some(Fit::Trailing(rest)) => {
                format!("`{shown}` fits its `{}.*`", String::from_utf8_lossy(rest))
            }
            Some(Fit::Regex(regex)) => {
                format!(
                    "`{shown}` matches its `~{}`",
                    String::from_utf8_lossy(regex)
                )
            }
            None if is_named && !host.is_empty() => {
                format!("`{shown}` is its name, and no other server listens there")
            }
            None if is_named => "no other server listens there".to_owned(),
            None if host.is_empty() => "it is the default one there".to_owned(),
            None => format!("no name fits `{shown}`, and it is the default one there"),
        };
        self.step(
            Some(server.directive),
            format!("the server of {} is chosen: {reason}", entrance.shown()),
        );
        self.host = host;
    }
}

fn trimmed(value: &[u8]) -> &[u8] {
    let start = value
        .iter()
        .position(|byte| *byte != b' ')
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(start, |last| last + 1);
    &value[start..end]
}

/// A number of bytes as `ngx_atoof` reads it.
pub(super) fn length_of(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|length| digits && *length <= i64::MAX as u64)
}
