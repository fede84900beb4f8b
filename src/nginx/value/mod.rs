//! Values as the setters of nginx take them.
//!
//! One question: would nginx refuse these arguments by themselves, whatever else the configuration says? The answer
//! follows the function that nginx calls for the directive; where that depends on the system, on a library, or on
//! another directive, the arguments pass.

mod address;
mod amount;
mod condition;
mod header;
mod log;
mod network;
mod parameter;
mod rewrite;
mod table;
mod word;

pub use condition::{Operand, operand};
pub use rewrite::is_fixed;
pub use table::{Line, WHOLE, percent};

use std::borrow::Cow;

use super::listen::Listen;
use super::{Contexts, Kind, Subsystem, Version};

/// From here on nginx ignores what is said of server push.
const OBSOLETE_PUSH: Version = Version(1, 25, 1);

/// From here on a limit of the rate at which nginx reads from an upstream may have variables.
const VARIABLE_RATE: Version = Version(1, 27, 0);

/// Most characters of a value in a message.
const MAX_SHOWN: usize = 40;

/// A directive as its setter sees it.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The name of the directive.
    pub name: &'a str,
    /// What the setter takes.
    pub kind: Kind,
    /// Where it stands.
    pub context: Contexts,
    /// The arguments, quotes and escapes undone.
    pub arguments: &'a [&'a [u8]],
    /// The nginx that reads it; nothing when that is not known, and then what any version takes passes.
    pub version: Option<Version>,
}

/// Why nginx refuses an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Its index, from 0.
    pub argument: usize,
    /// What is wrong with it: a sentence without a full stop, the value in backquotes.
    pub problem: String,
    /// What to write in its place, where one answer is likely.
    pub meant: Option<String>,
    /// What the setter takes, in a sentence.
    pub help: Option<String>,
}

impl Flaw {
    /// A flaw of an argument, to be decorated.
    pub(super) fn new(argument: usize, problem: impl Into<String>) -> Self {
        Self {
            argument,
            problem: problem.into(),
            meant: None,
            help: None,
        }
    }

    /// Says what to write in its place, if that is known.
    pub(super) fn meant(mut self, meant: Option<String>) -> Self {
        self.meant = meant;
        self
    }

    /// Says what the setter takes.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Setting<'_> {
    /// Nothing when the setter takes the arguments, else what it refuses first.
    pub fn flaw(&self) -> Option<Flaw> {
        match self.kind {
            Kind::AccessRule => network::access_rule(self),
            Kind::Address => address::address(self),
            Kind::AddressOrCidr => network::address_or_cidr(self),
            Kind::BindAddress => address::bind_address(self),
            Kind::Listen => Listen::parse(self).err(),
            Kind::Referers => address::referers(self),
            Kind::Resolver => address::resolver(self),
            Kind::UpstreamServer => address::upstream_server(self),
            Kind::Url => address::url(self),
            Kind::Flag => word::flag(self),
            // What nginx ignores it does not look at, but it did so once.
            Kind::Ignored if self.version.is_some_and(|told| told < OBSOLETE_PUSH) => {
                match self.name {
                    "http2_max_concurrent_pushes" => amount::number(self),
                    "http2_push_preload" => word::flag(self),
                    _ => None,
                }
            }
            Kind::Enum(words) => word::one_of(self, words),
            Kind::Bitmask(words) => word::each_of(self, words),
            Kind::Access => word::access(self),
            Kind::EventMethod => word::event_method(self),
            Kind::MailProtocol => word::mail_protocol(self),
            Kind::Methods => word::methods(self),
            Kind::HashKey => word::hash_key(self),
            Kind::Random => word::random(self),
            Kind::LeastTime => word::least_time(self),
            Kind::Aio => word::aio(self),
            Kind::DisableSymlinks => word::disable_symlinks(self),
            Kind::Browser => word::browser(self),
            Kind::ServerNames => word::server_names(self),
            Kind::CpuAffinity => word::cpu_affinity(self),
            Kind::Size => amount::size(self),
            Kind::Offset => amount::offset(self),
            Kind::OffsetOrOff => amount::offset_or_off(self),
            Kind::Number => amount::number(self),
            Kind::NumberOrAuto => amount::number_or_auto(self),
            Kind::SignedNumber => amount::signed_number(self),
            Kind::Between(low, high) => amount::between(self, low, high),
            Kind::Seconds => amount::seconds(self),
            Kind::Milliseconds => amount::milliseconds(self),
            Kind::KeepaliveTimeout => amount::keepalive_timeout(self),
            Kind::Keepalive => amount::keepalive(self),
            Kind::Buffers => amount::buffers(self),
            Kind::PathLevels => amount::path_levels(self),
            Kind::CacheValid => amount::cache_valid(self),
            Kind::ImageFilter => amount::image_filter(self),
            Kind::SharedZone => parameter::shared_zone(self),
            Kind::LimitConn => parameter::limit_conn(self),
            Kind::LimitReq => parameter::limit_req(self),
            Kind::ZoneKey => parameter::zone_key(self),
            Kind::CachePath => parameter::cache_path(self),
            Kind::OpenFileCache => parameter::open_file_cache(self),
            Kind::CertificateCache => parameter::certificate_cache(self),
            Kind::SslSessionCache => parameter::session_cache(self),
            Kind::SslOcspCache => parameter::ocsp_cache(self),
            Kind::ThreadPool => parameter::thread_pool(self),
            Kind::Degradation => parameter::degradation(self),
            Kind::ErrorLog => log::error_log(self),
            Kind::AccessLog => log::access_log(self),
            Kind::LogFormat => log::log_format(self),
            Kind::Return => rewrite::return_code(self),
            Kind::Rewrite => rewrite::rewrite(self),
            Kind::ErrorPage => rewrite::error_page(self),
            Kind::TryFiles => rewrite::try_files(self),
            Kind::Location => rewrite::location(self),
            Kind::SetVariable => rewrite::defined_variable(self, 0),
            Kind::Path => rewrite::path(self),
            Kind::Charset => rewrite::charset(self),
            Kind::IndexFiles => rewrite::index(self),
            Kind::Store => rewrite::store(self),
            Kind::StringPair => rewrite::sub_filter(self),
            Kind::Header => header::added(self),
            Kind::KeyValue => header::parameter(self),
            Kind::Expires => header::expires(self),
            Kind::Redirect => header::one_of_alone(self, &["off", "default"]),
            Kind::CookieFlags | Kind::CookieRewrite => header::one_of_alone(self, &["off"]),
            Kind::UseridExpires => header::userid_expires(self),
            Kind::UseridMark => header::userid_mark(self),
            Kind::Block => match self.name {
                "if" => condition::flaw(self),
                "map" | "split_clients" => rewrite::defined_variable(self, 1),
                "geo" => rewrite::geo(self),
                "charset_map" => table::charset_map(self),
                _ => None,
            },
            // What these take depends on files, libraries, names and sockets, or is free.
            _ => None,
        }
    }

    /// The argument of an index, which the number of arguments makes sure of.
    fn argument(&self, index: usize) -> &[u8] {
        self.arguments.get(index).copied().unwrap_or_default()
    }

    /// True when nginx may first find out for each request what the argument says.
    fn is_variable(&self, index: usize) -> bool {
        let is_rate = self.name.ends_with("_limit_rate");
        self.argument(index).contains(&b'$')
            && (!is_rate || self.may_be_since(VARIABLE_RATE))
            && super::directive(self.name.as_bytes()).is_some_and(|known| {
                let mut forms = known.forms.iter();
                forms.any(|form| form.evaluates_argument(index + 1))
            })
    }

    /// True when a version that may read it is this one or a later one.
    fn may_be_since(&self, version: Version) -> bool {
        self.version.is_none_or(|told| told >= version)
    }

    fn subsystem(&self) -> Subsystem {
        let stream = Contexts::STREAM
            .union(Contexts::STREAM_SERVER)
            .union(Contexts::STREAM_UPSTREAM);
        if self.context.intersects(stream) {
            Subsystem::Stream
        } else {
            Subsystem::Http
        }
    }
}

/// A value for a message, in backquotes: on one line, cut where it gets long.
pub(super) fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let line = text.replace(['\n', '\r', '\t'], " ");
    match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("`{}…`", &line[..end]),
        None => format!("`{line}`"),
    }
}

pub(super) fn text(value: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(value)
}

/// Names in a sentence: `a`, `b` or `c`.
fn any_of<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flaw of a directive written on one line, quotes not undone, in the first context of the form that fits.
    pub(super) fn flaw(line: &str) -> Option<Flaw> {
        let version = None;
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        flaw_of(&words, version)
    }

    pub(super) fn flaw_of(words: &[&[u8]], version: Option<Version>) -> Option<Flaw> {
        let (name, arguments) = words.split_first().expect("a name");
        let known = crate::nginx::directive(name).expect("a known directive");
        let form = known.forms.first().expect("a form");
        let setting = Setting {
            name: known.name,
            kind: form.kind,
            context: form.contexts,
            arguments,
            version,
        };
        setting.flaw()
    }

    /// Asserts which lines nginx takes and which it refuses.
    pub(super) fn judge(taken: &[&str], refused: &[&str]) {
        for line in taken {
            assert_eq!(flaw(line), None, "{line}");
        }
        for line in refused {
            assert!(flaw(line).is_some(), "{line}");
        }
    }

    /// Asserts what is offered in the place of a value.
    pub(super) fn offers(lines: &[(&str, &str)]) {
        for (line, meant) in lines {
            let flaw = flaw(line).unwrap_or_else(|| panic!("{line} is taken"));
            assert_eq!(flaw.meant.as_deref(), Some(*meant), "{line}");
        }
    }

    /// The flaw of a directive at a place; names of contexts as in the tables.
    fn flaw_at(context: &str, directive: &str) -> Option<Flaw> {
        let (name, arguments) = directive.split_once(' ').expect("an argument");
        let arguments: Vec<&[u8]> = arguments.split(' ').map(str::as_bytes).collect();
        let context = Contexts::list(context);
        let known = crate::nginx::directive(name.as_bytes()).expect("a directive");
        let form = known.form(context).expect("a directive of this context");
        let setting = Setting {
            name: known.name,
            kind: form.kind,
            context,
            arguments: &arguments,
            version: None,
        };
        setting.flaw()
    }

    /// Asserts that nginx takes directives at a place.
    pub(super) fn accepts(context: &str, directives: &[&str]) {
        for directive in directives {
            assert_eq!(flaw_at(context, directive), None, "{directive}");
        }
    }

    /// Asserts which argument nginx refuses, and what is offered in its place.
    pub(super) fn refuses(context: &str, directive: &str, argument: usize, meant: Option<&str>) {
        let flaw = flaw_at(context, directive);
        let found = flaw
            .as_ref()
            .map(|flaw| (flaw.argument, flaw.meant.as_deref()));
        assert_eq!(found, Some((argument, meant)), "{directive}");
    }

    #[test]
    fn names_make_a_sentence() {
        assert_eq!(any_of(["a"]), "`a`");
        assert_eq!(any_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
