//! Prefixes without a slash at the end, which also answer for longer names.

use super::choice::Choice;
use super::example::{Example, example};
use crate::config::{Config, Directive, Location, Modifier, PASSES, ProxyUrl, Word};
use crate::diagnostic::Edit;

/// A prefix, and a request for a longer name that it answers too.
#[derive(Debug, Clone)]
pub struct Overmatch<'c> {
    /// The prefix.
    pub location: Location<'c>,
    /// The request.
    pub example: Example,
    /// What makes it wrong.
    pub wrong: Wrong<'c>,
}

/// What is wrong with a prefix that answers for longer names.
#[derive(Debug, Clone)]
pub enum Wrong<'c> {
    /// A file of another folder is read, whose name begins like that of the `alias`.
    Beside {
        /// The folder.
        folder: Word<'c>,
        /// The other one, as another directive has it.
        other: Word<'c>,
        /// The file.
        file: String,
    },
    /// The request is answered here, and would be answered otherwise without this location.
    Taken {
        /// What answers it: the handler or the `alias`.
        answer: Directive<'c>,
        /// The location that would answer; nothing when it would be a file of the server.
        instead: Option<Location<'c>>,
        /// One that shows which names there are: with a slash, or a longer one.
        other: Location<'c>,
        /// True when `other` has the name with a slash, so that only the name itself is left.
        is_slashed: bool,
    },
}

/// The prefixes that also answer for longer names, where that is certainly not what the names around them mean.
///
/// Left out are those of which a path that is put together wrongly says more: with a URI part in `proxy_pass` that does
/// not repeat the name, and with an `alias` that ends with a slash.
pub fn overmatches(config: &Config) -> Vec<Overmatch<'_>> {
    let mut folders = None;
    let locations = config.location_levels().into_iter().flatten();
    locations
        .filter_map(|location| {
            let name = location.path.rsplit(|byte| *byte == b'/').next()?;
            let is_word = name.last().is_some_and(u8::is_ascii_alphanumeric);
            if !location.is_prefix()
                || !is_word
                || name.contains(&b'.')
                || location.own_return().is_some()
            {
                return None;
            }
            match location.handler() {
                Some(pass) if PASSES.iter().any(|name| pass.is(name)) => taken(&location, pass),
                Some(_) => None,
                None => {
                    let alias = location.directive.own("alias").next_back()?;
                    let folder = alias.argument(0).filter(|folder| !folder.ends_with(b"/"))?;
                    let folders = folders.get_or_insert_with(|| all_folders(config));
                    beside(&location, &folder, folders).or_else(|| taken(&location, alias))
                }
            }
        })
        .collect()
}

/// The folders of all `root` and `alias`, in byte order; an `alias` may name a file, which an ending tells.
fn all_folders(config: &Config) -> Vec<Word<'_>> {
    let is_file = |alias: &Word<'_>| {
        let last = alias.rsplit(|byte| *byte == b'/').next();
        last.is_some_and(|last| last.contains(&b'.'))
    };
    let mut folders: Vec<_> = config
        .directives()
        .filter_map(|directive| {
            let is_alias = directive.is("alias");
            let folder = directive
                .argument(0)
                .filter(|_| is_alias || directive.is("root"))?;
            let is_left_out = folder.has_variables() || is_alias && is_file(&folder);
            (!is_left_out).then_some(folder)
        })
        .collect();
    folders.sort_by(|one, other| one.value.cmp(&other.value));
    folders
}

/// A file of another folder that is read by a longer name.
fn beside<'c>(
    location: &Location<'c>,
    folder: &Word<'c>,
    folders: &[Word<'c>],
) -> Option<Overmatch<'c>> {
    let block = location.directive;
    if folder.has_variables() || is_closed(location) || block.own("try_files").next().is_some() {
        return None;
    }
    let first = folders.partition_point(|other| other.value < folder.value);
    let mut longer = folders[first..]
        .iter()
        .take_while(|other| other.starts_with(folder));
    let is_longer = |other: &&Word<'c>| other.get(folder.len()).is_some_and(|next| *next != b'/');
    let other = longer.find(is_longer)?;
    let rest = std::str::from_utf8(&other[folder.len()..]).ok()?;
    let tail = format!("{}/x", rest.trim_end_matches('/'));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    if !tail.bytes().all(is_plain) {
        return None;
    }
    Some(Overmatch {
        location: location.clone(),
        example: example(location, &[&tail])?.served_by(location)?,
        wrong: Wrong::Beside {
            file: format!("{folder}{tail}"),
            folder: folder.clone(),
            other: other.clone(),
        },
    })
}

/// A request that is answered although its name is not the one that is meant.
fn taken<'c>(location: &Location<'c>, answer: Directive<'c>) -> Option<Overmatch<'c>> {
    let url = answer.argument(0).and_then(ProxyUrl::parse);
    let part = url
        .as_ref()
        .filter(|url| answer.is("proxy_pass") && !url.has_variables())
        .and_then(ProxyUrl::uri);
    if part.is_some_and(|part| !part.ends_with(&location.path)) {
        return None;
    }
    let slashed = [&location.path, &b"/"[..]].concat();
    let level = location.level();
    let with_slash = level.named(&slashed).find(Location::is_prefix);
    let is_longer = |other: &Location<'c>| {
        let next = other.path.get(location.path.len());
        !other.is_regex()
            && next.is_some_and(|next| *next != b'/')
            && !answers_alike(location, other)
    };
    let is_slashed = with_slash.is_some();
    let longer = || level.beginning_with(&location.path).find(is_longer);
    let other = with_slash.or_else(longer)?;
    let example = example(location, &["x", "-x", "foo"])?.served_by(location)?;
    let instead = match example.without(location) {
        Choice::Location(instead) if !answers_alike(location, &instead) => Some(instead),
        Choice::Server if !answers_alike(location, &other) => None,
        _ => return None,
    };
    Some(Overmatch {
        location: location.clone(),
        example,
        wrong: Wrong::Taken {
            answer,
            instead,
            other,
            is_slashed,
        },
    })
}

/// True when a location lets nobody in by its own words.
fn is_closed(location: &Location<'_>) -> bool {
    let mut denied = location.directive.own("deny");
    denied.any(|deny| deny.argument(0).is_some_and(|who| who == "all"))
}

/// True when two locations answer by the same words.
fn answers_alike(one: &Location<'_>, other: &Location<'_>) -> bool {
    let answer = |location: &Location<'_>| {
        let alias = || location.directive.own("alias").next_back();
        let answers = location.own_return().or(location.handler());
        answers.or_else(alias).map(Directive::written)
    };
    answer(one).is_some() && answer(one) == answer(other)
}

impl Overmatch<'_> {
    /// Edits after which the location has only the names that are meant: a slash at the end, of the folder too, or `=`
    /// where another location has the name with a slash.
    pub fn cure(&self) -> Vec<Edit> {
        let location = &self.location;
        let edits = || {
            let with_slash = [&location.path, &b"/"[..]].concat();
            let is_free = location.level().named(&with_slash).next().is_none();
            let slash = || location.end_with_slash().filter(|_| is_free);
            match &self.wrong {
                Wrong::Beside { folder, .. } => Some(vec![slash()?, folder.append("/")?]),
                Wrong::Taken {
                    is_slashed: true, ..
                } => exact(location),
                Wrong::Taken { answer, .. } if answer.is("alias") => {
                    let folder = answer.argument(0)?;
                    Some(vec![slash()?, folder.append("/")?])
                }
                Wrong::Taken { .. } => Some(vec![slash()?]),
            }
        };
        edits().unwrap_or_default()
    }
}

/// Edits that make an exact location of a prefix, if nothing in it forbids that.
fn exact(location: &Location<'_>) -> Option<Vec<Edit>> {
    let first = location.directive.argument(0)?;
    let is_glued = location.directive.argument(1).is_none();
    let is_exact = |other: Location<'_>| other.modifier == Modifier::Exact;
    let is_taken = location.level().named(&location.path).any(is_exact);
    let holds_locations = location.directive.locations().iter().next().is_some();
    if is_taken || holds_locations {
        return None;
    }
    match is_glued {
        true if first.starts_with(b"^~") => None,
        true => Some(vec![Edit::insert_before(first.span, "= ")]),
        false => Some(vec![Edit::replace(first.span, "=")]),
    }
}
