//! What the tables of directives are made of.

use super::{Contexts, Version};

/// Stands for an open number of arguments.
pub(super) const ANY: u8 = u8::MAX;

/// How a directive's value comes down from an outer level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherit {
    /// The innermost value stands.
    Scalar,
    /// One use at an inner level drops the whole outer list.
    List,
    /// Not at all.
    Never,
    /// Only into `if` and `limit_except` of the same location.
    Unnamed,
    /// There is just one level to set it at.
    Single,
    /// Not known.
    Unknown,
}

/// What becomes of a second use at one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    /// nginx refuses it.
    Refused,
    /// It adds to the first.
    Added,
    /// nginx refuses it for the same name, zone or address only.
    RefusedSame,
    /// The last one stands.
    LastWins,
    /// The last one stands, with a warning.
    Warned,
    /// Not known.
    Unknown,
}

/// Who defines a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// nginx's own source.
    Nginx,
    /// nginx Plus.
    Plus,
    /// The njs modules.
    Njs,
    /// The OpenTelemetry module.
    Otel,
    /// The ACME module.
    Acme,
    /// Somebody else, by the name of the package.
    ThirdParty(&'static str),
}

/// What the setter of a directive takes, named as the setter does.
///
/// Words of a closed list stand in one string, parted by blanks; `word>=1.29.4` has been there since that version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is called as the setter or the directive that it is for"
)]
pub enum Kind {
    Access,
    AccessLog,
    AccessRule,
    Address,
    AddressOrCidr,
    Aio,
    Between(u32, u32),
    BindAddress,
    Bitmask(&'static str),
    Block,
    Browser,
    Buffers,
    CachePath,
    CacheValid,
    CacheZone,
    CertificateCache,
    Charset,
    CookieFlags,
    CookieRewrite,
    CpuAffinity,
    Custom,
    Degradation,
    DisableSymlinks,
    Enum(&'static str),
    Env,
    ErrorLog,
    ErrorPage,
    EventMethod,
    Expires,
    File,
    Flag,
    GeoipFile,
    Handler,
    HashKey,
    Header,
    Ignored,
    ImageFilter,
    Include,
    IndexFiles,
    Keepalive,
    KeepaliveTimeout,
    KeyValue,
    LeastTime,
    LimitConn,
    LimitReq,
    Listen,
    Location,
    LogFormat,
    MailProtocol,
    Methods,
    Milliseconds,
    MimeTypes,
    Nothing,
    Number,
    NumberOrAuto,
    Offset,
    OffsetOrOff,
    OpenFileCache,
    Path,
    PathLevels,
    PerlHandler,
    Predicate,
    Random,
    RealipHeader,
    Redirect,
    Referers,
    Regex,
    RegexList,
    Removed,
    Resolver,
    Return,
    Rewrite,
    Seconds,
    ServerNames,
    SetVariable,
    SharedZone,
    SignedNumber,
    Size,
    SslOcspCache,
    SslSessionCache,
    Sticky,
    Store,
    String,
    StringList,
    StringPair,
    ThreadPool,
    TryFiles,
    UpstreamServer,
    UriOrOff,
    Url,
    UserGroup,
    UseridExpires,
    UseridMark,
    XsltStylesheet,
    ZoneKey,
}

/// One way in which a directive may be written.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The module that defines it.
    pub module: &'static str,
    /// Where it may stand.
    pub contexts: Contexts,
    /// Fewest arguments.
    pub min: u8,
    /// Most arguments; 255 means any number.
    pub max: u8,
    /// True when only odd numbers of arguments are taken.
    pub is_odd: bool,
    /// True when a block follows.
    pub block: bool,
    /// The context inside the block.
    pub inside: Contexts,
    /// What its setter takes.
    pub kind: Kind,
    /// How the value is inherited.
    pub inherit: Inherit,
    /// What becomes of a second use.
    pub duplicate: Duplicate,
    /// The first version that has it; 0.0.0 when that is not known, as of modules with versions of their own.
    pub since: Version,
    /// From this version on nginx warns and obeys.
    pub deprecated: Option<Version>,
    /// From this version on nginx warns and does nothing.
    pub ignored: Option<Version>,
    /// From this version on nginx refuses it.
    pub gone: Option<Version>,
    /// What to write instead.
    pub instead: Option<&'static str>,
    /// Bit *n* is set when variables in argument *n* (from 1) are evaluated.
    pub variables: u16,
    /// Who defines it, where that is not who defines the module.
    pub provider: Option<Provider>,
    /// The page of the manual with its section; empty for the module's page.
    pub page: Option<&'static str>,
}

/// A row as the tables begin it: module, contexts, fewest and most arguments, what the setter takes.
pub(super) const fn form(
    module: &'static str,
    contexts: &str,
    min: u8,
    max: u8,
    kind: Kind,
) -> Form {
    Form::new(module, Contexts::list(contexts), min, max, kind)
}

impl Form {
    /// One of which no more is known than where it stands and what it takes.
    pub const fn new(
        module: &'static str,
        contexts: Contexts,
        min: u8,
        max: u8,
        kind: Kind,
    ) -> Self {
        Self {
            module,
            contexts,
            min,
            max,
            is_odd: false,
            block: false,
            inside: Contexts::UNKNOWN,
            kind,
            inherit: Inherit::Unknown,
            duplicate: Duplicate::Unknown,
            since: Version(0, 0, 0),
            deprecated: None,
            ignored: None,
            gone: None,
            instead: None,
            variables: 0,
            provider: None,
            page: None,
        }
    }

    pub(super) const fn odd(mut self) -> Self {
        self.is_odd = true;
        self
    }

    pub(super) const fn opens(mut self, inside: &str) -> Self {
        self.block = true;
        self.inside = Contexts::list(inside);
        self
    }

    pub(super) const fn evaluates(mut self, arguments: u16) -> Self {
        self.variables = arguments;
        self
    }

    pub(super) const fn inherit(mut self, inherit: Inherit) -> Self {
        self.inherit = inherit;
        self
    }

    pub(super) const fn twice(mut self, duplicate: Duplicate) -> Self {
        self.duplicate = duplicate;
        self
    }

    pub(super) const fn since(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.since = Version(major, minor, patch);
        self
    }

    pub(super) const fn deprecated(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.deprecated = Some(Version(major, minor, patch));
        self
    }

    pub(super) const fn ignored(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.ignored = Some(Version(major, minor, patch));
        self
    }

    pub(super) const fn gone(mut self, major: u16, minor: u16, patch: u16) -> Self {
        self.gone = Some(Version(major, minor, patch));
        self
    }

    pub(super) const fn instead(mut self, instead: &'static str) -> Self {
        self.instead = Some(instead);
        self
    }

    pub(super) const fn by(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    pub(super) const fn documented(self) -> Self {
        self.documented_in("")
    }

    pub(super) const fn documented_in(mut self, page: &'static str) -> Self {
        self.page = Some(page);
        self
    }

    /// True when nginx evaluates variables in argument `position`, counted from 1.
    pub fn evaluates_argument(&self, position: usize) -> bool {
        self.variables >> position.min(15) & 1 == 1
    }

    /// True when it takes this number of arguments.
    pub fn takes(&self, count: usize) -> bool {
        (self.min.into()..=self.most()).contains(&count) && (!self.is_odd || count % 2 == 1)
    }

    /// The most arguments that it takes.
    pub fn most(&self) -> usize {
        match self.max {
            ANY => usize::MAX,
            most => most.into(),
        }
    }

    /// Who defines it.
    pub fn provider(&self) -> Provider {
        let of_module = || super::module_of(self.module).map(|module| module.provider);
        self.provider
            .or_else(of_module)
            .unwrap_or(Provider::ThirdParty(""))
    }

    /// True when a module outside of nginx's own source defines it.
    pub fn is_foreign(&self) -> bool {
        self.provider() != Provider::Nginx
    }

    /// True when the number of its arguments and the places that it may have are not known for certain.
    pub fn is_vague(&self) -> bool {
        matches!(self.provider(), Provider::ThirdParty(_))
    }

    /// True when nginx of this version has it.
    pub fn exists_in(&self, version: Version) -> bool {
        self.since <= version && self.gone.is_none_or(|gone| version < gone)
    }

    /// True when nginx of this version may have it; without a version, when any nginx in use may.
    ///
    /// What is not nginx's own has versions of its own.
    pub fn may_exist_in(&self, version: Option<Version>) -> bool {
        match version {
            Some(version) => self.is_foreign() || self.exists_in(version),
            None => self.gone.is_none_or(|gone| Version::OLDEST < gone),
        }
    }
}

/// A directive that nginx or a well-known module defines.
#[derive(Debug)]
pub struct Directive {
    /// Its name.
    pub name: &'static str,
    /// Its forms, one for each module and use.
    pub forms: &'static [Form],
}

pub(super) const fn directive(name: &'static str, forms: &'static [Form]) -> Directive {
    Directive { name, forms }
}

impl Directive {
    /// The first form that may stand in one of `contexts`.
    pub fn form(&self, contexts: Contexts) -> Option<&'static Form> {
        self.forms
            .iter()
            .find(|form| form.contexts.intersects(contexts))
    }

    /// Where nginx's manual describes it.
    pub fn manual(&self) -> Option<String> {
        let form = self.forms.iter().find(|form| form.page.is_some())?;
        let page = match form.page {
            Some("") => super::module_of(form.module)?.page,
            page => page?,
        };
        Some(format!(
            "https://nginx.org/en/docs/{page}.html#{}",
            self.name
        ))
    }
}

/// A module of nginx.
#[derive(Debug)]
pub struct Module {
    /// Its name, as `nginx -V` and the files of dynamic modules have it.
    pub name: &'static str,
    /// Who wrote it.
    pub provider: Provider,
    /// Its page in nginx's manual; empty when it has none.
    pub page: &'static str,
}

pub(super) const fn module(name: &'static str, provider: Provider, page: &'static str) -> Module {
    Module {
        name,
        provider,
        page,
    }
}
