//! What variables hold at a moment of a request (`ngx_http_variables.c`).

use super::run::Run;
use super::tables::is_table;
use super::value::Value;
use super::variation::Varies;
use crate::config::Directive;
use crate::nginx::{Subsystem, Version};

/// How deep variables may be defined by each other (`NGX_HTTP_VARIABLE_DEPTH`).
const DEPTH: usize = 100;

/// How many variables are looked up for one request: volatile maps can ask for any number.
const LOOKUPS: u32 = 100_000;

impl<'c> Run<'_, 'c> {
    /// The value of a variable; empty when it has none.
    pub(super) fn variable(&mut self, name: &str) -> Value {
        let name = name.to_ascii_lowercase();
        self.lookups += 1;
        if self.lookups > LOOKUPS {
            return Value::unknown(&name);
        }
        if let Some(value) = self.variables.get(&name) {
            return value.clone();
        }
        if let Some(block) = self.table(&name) {
            if self.is_deep() {
                return Value::default();
            }
            self.depth += 1;
            self.see(block);
            let value = if block.is("map") {
                self.map(block)
            } else if block.is("geo") {
                self.geo(block)
            } else {
                self.split_clients(block)
            };
            self.depth -= 1;
            if !Self::is_volatile(block) {
                self.variables.insert(name, value.clone());
            }
            return value;
        }
        if let Some(value) = self.built_in(&name) {
            return value;
        }
        let config = self.tracer.config;
        let is_set = |directive: Directive<'_>| directive.is("set");
        let defined: Vec<_> = config
            .definitions(&name)
            .iter()
            .map(|definition| config.definition(*definition))
            .collect();
        let captured = defined.is_empty() && config.is_captured_variable(&name);
        // A variable that is only set or captured is empty until then (`ngx_http_rewrite_var`).
        if captured || !defined.is_empty() && defined.into_iter().all(is_set) {
            return Value::default();
        }
        Value::unknown(&name)
    }

    /// True when variables are defined by each other so deep that nginx gives up.
    pub(super) fn is_deep(&self) -> bool {
        self.depth >= DEPTH
    }

    /// The block that a variable is looked up in: the last one that defines it.
    fn table(&self, name: &str) -> Option<Directive<'c>> {
        let config = self.tracer.config;
        let blocks = config.definitions(name).iter().rev();
        blocks
            .map(|definition| config.definition(*definition))
            .find(|block| is_table(*block) && block.subsystem() != Some(Subsystem::Stream))
    }

    /// A variable of nginx itself, as far as it follows from the request.
    fn built_in(&mut self, name: &str) -> Option<Value> {
        let of_client = [
            "http_",
            "cookie_",
            "http2",
            "http3",
            "request",
            "server_protocol",
        ];
        if of_client
            .iter()
            .any(|of_client| match of_client.ends_with('_') {
                true => name.starts_with(of_client),
                false => name == *of_client,
            })
        {
            self.heard.push(name.to_owned());
        }
        if let Some(header) = name.strip_prefix("http_") {
            return Some(self.header_variable(header));
        }
        if let Some(cookie) = name.strip_prefix("cookie_") {
            return Some(self.cookie(cookie));
        }
        if let Some(argument) = name.strip_prefix("arg_") {
            let varies = self.args.varies.changed();
            return Some(self.argument(argument).varied(varies));
        }
        if name.starts_with("ssl_") && !self.tls {
            return Some(Value::default());
        }
        if name.starts_with("upstream_") || name.starts_with("sent_http_") {
            // nginx asks for most of them when there is an answer.
            return Some(Value::unknown(name));
        }
        let text = |text: &str| Value::new(text);
        Some(match name {
            "host" => match self.host.is_empty() {
                true => self.server_name(),
                false => Value::new(self.host.clone()),
            },
            "uri" | "document_uri" => self.uri.clone(),
            "args" | "query_string" => self.args.clone(),
            "is_args" => {
                let mark = match self.args.bytes.is_empty() {
                    true => Value::default(),
                    false => text("?"),
                };
                mark.varied(self.args.varies.changed())
            }
            "request_uri" => Value::new(self.unparsed_uri.clone()).varied(Varies::Target(0)),
            "request_method" => text(&self.method.clone()),
            "request" => Value::new(
                [
                    self.request.method.as_bytes(),
                    b" ",
                    &self.request.target,
                    b" ",
                    self.request.protocol.as_str().as_bytes(),
                ]
                .concat(),
            )
            .varied(Varies::From(0)),
            "server_protocol" => match self.has_line {
                true => text(self.request.protocol.as_str()),
                false => Value::default(),
            },
            "scheme" => text(if self.tls { "https" } else { "http" }),
            "https" => text(if self.tls { "on" } else { "" }),
            "http2" | "http3" | "request_completion" => Value::default(),
            "server_name" => self.server_name(),
            "server_port" => match super::socket::port(&self.socket) {
                Some(port) => text(&port.to_string()),
                None => Value::default(),
            },
            "server_addr" => match super::socket::ip(&self.socket) {
                Some(address) if !address.is_unspecified() => text(&address.to_string()),
                _ => Value::unknown(name),
            },
            "remote_addr" => match self.request.client {
                Some(client) => text(&client.to_string()),
                None => Value::unknown(name),
            },
            "remote_user" => self.remote_user(),
            "content_type" => Value::new(self.header("content-type").unwrap_or_default()),
            "content_length" => match self.header("content-length") {
                Some(length) => Value::new(length),
                None => Value::default(),
            },
            "nginx_version" => text(&self.version.to_string()),
            "document_root" => self.root().path,
            "request_filename" => self.file_name().unwrap_or_default(),
            // They have values in the headers of a proxied request only.
            "proxy_host" | "proxy_port" | "proxy_internal_body_length" => Value::default(),
            "proxy_add_x_forwarded_for" => self.forwarded_for(),
            "fastcgi_script_name" | "fastcgi_path_info" => self.fastcgi_variable(name),
            _ => return None,
        })
    }

    /// The first name of the server as `ngx_http_core_merge_srv_conf` keeps it.
    fn server_name(&self) -> Value {
        let name = super::socket::names_of(self.server).swap_remove(0);
        if name == b"$hostname" {
            return Value::unknown("hostname");
        }
        let name = match &name[..] {
            [b'~', ..] => name,
            [b'.', rest @ ..] => rest.to_ascii_lowercase(),
            name => name.to_ascii_lowercase(),
        };
        Value::new(name)
    }

    /// `ngx_http_variable_unknown_header`, and its relatives for headers that have a place of their own.
    fn header_variable(&self, name: &str) -> Value {
        let same = |header: &str| {
            header.len() == name.len()
                && header.bytes().zip(name.bytes()).all(|(byte, wanted)| {
                    let byte = byte.to_ascii_lowercase();
                    wanted == if byte == b'-' { b'_' } else { byte }
                })
        };
        let mut values = self
            .headers
            .iter()
            .filter(|(header, _)| same(header))
            .map(|(_, value)| value.as_slice());
        let joined =
            self.version >= Version(1, 23, 0) || matches!(name, "cookie" | "x_forwarded_for");
        if !joined {
            return Value::new(values.next().unwrap_or_default());
        }
        let between: &[u8] = if name == "cookie" { b"; " } else { b", " };
        Value::new(values.collect::<Vec<_>>().join(between))
    }

    /// `ngx_http_parse_multi_header_lines`
    fn cookie(&self, name: &str) -> Value {
        // From 1.29.6 on, a comma is a part of a cookie.
        let comma = self.version < Version(1, 29, 6);
        let lines = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case("cookie"));
        for (_, line) in lines {
            let mut rest = &line[..];
            while !rest.is_empty() {
                let start = rest.get(..name.len());
                if start.is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())) {
                    let after = rest[name.len()..].trim_ascii_start_blanks();
                    if let Some(value) = after.strip_prefix(b"=") {
                        let value = value.trim_ascii_start_blanks();
                        let end = value.iter().position(|byte| *byte == b';');
                        return Value::new(&value[..end.unwrap_or(value.len())]);
                    }
                    // What is no `=` here has been read already.
                    rest = after.get(1..).unwrap_or_default();
                }
                let end = rest
                    .iter()
                    .position(|byte| *byte == b';' || comma && *byte == b',');
                rest = end
                    .map_or(&[][..], |end| &rest[end + 1..])
                    .trim_ascii_start_blanks();
            }
        }
        Value::default()
    }

    /// `ngx_http_arg`
    fn argument(&self, name: &str) -> Value {
        if name.is_empty() {
            return Value::default();
        }
        if !self.args.is_known() {
            return Value::unknown(&format!("arg_{name}"));
        }
        let args = &self.args.bytes;
        let is_at = |at: &usize| {
            let found = &args[*at..];
            (*at == 0 || args[*at - 1] == b'&')
                && found.get(name.len()) == Some(&b'=')
                && found[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        };
        let Some(at) = (0..args.len()).find(is_at) else {
            return Value::default();
        };
        let value = &args[at + name.len() + 1..];
        let end = args[at..]
            .iter()
            .position(|byte| *byte == b'&')
            .map(|end| at + end);
        let end = end
            .unwrap_or(args.len())
            .saturating_sub(at + name.len() + 1);
        Value::new(&value[..end.min(value.len())])
    }

    /// `ngx_http_auth_basic_user`
    fn remote_user(&self) -> Value {
        match self.header("authorization") {
            Some(given) if given.len() > 6 && given[..6].eq_ignore_ascii_case(b"basic ") => {
                Value::unknown("remote_user")
            }
            _ => Value::default(),
        }
    }

    /// `ngx_http_proxy_add_x_forwarded_for_variable`
    fn forwarded_for(&mut self) -> Value {
        let mut value = self.header_variable("x_forwarded_for");
        let client = self.variable("remote_addr");
        if !value.bytes.is_empty() {
            value.push(&Value::new(b", "));
        }
        value.push(&client);
        value
    }
}

trait Blanks {
    fn trim_ascii_start_blanks(&self) -> &[u8];
}

impl Blanks for [u8] {
    /// Without the blanks, and nothing else, at its beginning.
    fn trim_ascii_start_blanks(&self) -> &[u8] {
        let start = self.iter().position(|byte| *byte != b' ');
        &self[start.unwrap_or(self.len())..]
    }
}
