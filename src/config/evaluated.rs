//! Which arguments nginx evaluates for each request, and which variables it may look up in them.

use super::{Config, Directive, Word};
use crate::nginx::{self, Contexts, Subsystem};
use crate::source::Span;

/// Endings of files that a program fills in before nginx reads them.
const TEMPLATES: [&str; 8] = [
    ".template",
    ".tmpl",
    ".tpl",
    ".ctmpl",
    ".j2",
    ".jinja2",
    ".erb",
    ".in",
];

impl<'c> Directive<'c> {
    /// The part of nginx whose variables it may use; nothing outside of `http` and `stream`.
    pub fn subsystem(self) -> Option<Subsystem> {
        self.ancestors().find_map(|block| match block.inside() {
            Contexts::HTTP => Some(Subsystem::Http),
            Contexts::STREAM => Some(Subsystem::Stream),
            _ => None,
        })
    }

    /// False for a list of headers or parameters that the http level hands to servers that there are not: nginx reads its
    /// variables where it is in effect.
    pub fn is_merged(self) -> bool {
        const LISTS: [&str; 5] = [
            "proxy_set_header",
            "grpc_set_header",
            "fastcgi_param",
            "scgi_param",
            "uwsgi_param",
        ];
        let has_server = |http: Self| http.own("server").next().is_some();
        self.context() != Contexts::HTTP
            || !LISTS.iter().any(|name| self.is(name))
            || self.parent().is_some_and(has_server)
    }

    /// The arguments in which nginx looks for variables: no regexes, where a `$` is an anchor, and no literal ones.
    pub fn evaluated_arguments(self) -> Vec<Word<'c>> {
        let name = self.name();
        if self.context() == Contexts::MAP {
            return self
                .argument(0)
                .filter(|_| name != "include")
                .into_iter()
                .collect();
        }
        if name == "geo" {
            // Of two arguments the first is the address, of which the second is made.
            return self
                .argument(0)
                .filter(|_| self.argument(1).is_some())
                .into_iter()
                .collect();
        }
        let form = nginx::directive(&name).and_then(|known| known.form(self.context()));
        let Some(form) = form else { return Vec::new() };
        let mut evaluated = Vec::new();
        let mut after_operator = false;
        for (index, argument) in self.arguments().enumerate() {
            let is_regex = after_operator || index == 0 && argument.starts_with(b"~");
            after_operator = name == "if" && matches!(&*argument, b"~" | b"~*" | b"!~" | b"!~*");
            if form.evaluates_argument(index + 1)
                && !is_regex
                && !is_literal(&name, index, &argument)
            {
                evaluated.push(argument);
            }
        }
        evaluated
    }
}

/// True for arguments that stay as they are although others in their place are evaluated.
fn is_literal(name: &[u8], index: usize, argument: &[u8]) -> bool {
    match name {
        // The variable that is defined.
        b"map" | b"split_clients" => index == 1,
        // The name of a format, and an address that nginx sends to.
        b"access_log" => index == 1 || argument.starts_with(b"syslog:"),
        b"charset" | b"source_charset" => !argument.starts_with(b"$"),
        // Looked at only beside a certificate.
        b"ssl_certificate_key" => true,
        _ => false,
    }
}

impl Config {
    /// True for a name in capitals in a template, which another program replaces.
    pub fn is_placeholder(&self, name: &str, place: Span) -> bool {
        self.is_called_template(place) && !name.bytes().any(|byte| byte.is_ascii_lowercase())
    }

    /// True when the name of the file of a place says that it is a template.
    pub fn is_called_template(&self, place: Span) -> bool {
        let file = self.sources.file(place.file).name();
        let (folders, name) = file.rsplit_once('/').unwrap_or(("", file));
        TEMPLATES.iter().any(|ending| name.ends_with(ending))
            || folders.split('/').any(|folder| folder == "templates")
            || name
                .split(['.', '-', '_'])
                .any(|part| part == "template" || part == "tmpl")
    }

    /// The variable that is written most like `name`, if any is close.
    pub fn similar_variable(&self, name: &str, subsystem: Subsystem) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let known = nginx::variables(subsystem).iter().map(|known| known.name);
        nginx::closest(&name, known.chain(self.defined_variables()))
    }
}
