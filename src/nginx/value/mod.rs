//! Values as the setters of nginx take them.
//!
//! One question: would nginx refuse these arguments by themselves, whatever else the configuration says? The answer
//! follows the function that nginx calls for the directive; where that depends on the system, on a library, or on
//! another directive, the arguments pass.

mod address;
mod network;

use super::listen::Listen;
use super::{Contexts, Kind, Version};

pub use network::geo_entry;

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
    /// A problem without an answer.
    pub(super) fn new(argument: usize, problem: String) -> Self {
        Self {
            argument,
            problem,
            meant: None,
            help: None,
        }
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
            _ => None,
        }
    }
}

/// An argument for a person.
pub(super) fn text(argument: &[u8]) -> String {
    String::from_utf8_lossy(argument).into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn flaw(context: &str, directive: &str) -> Option<Flaw> {
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

    pub(crate) fn accepts(context: &str, directives: &[&str]) {
        for directive in directives {
            assert_eq!(flaw(context, directive), None, "{directive}");
        }
    }

    pub(crate) fn refuses(context: &str, directive: &str, argument: usize, meant: Option<&str>) {
        let flaw = flaw(context, directive);
        let found = flaw
            .as_ref()
            .map(|flaw| (flaw.argument, flaw.meant.as_deref()));
        assert_eq!(found, Some((argument, meant)), "{directive}");
    }
}
