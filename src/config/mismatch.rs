//! Names of locations that no path of a request can equal, and how they may be reached all the same.

use super::{Config, Directive, Location, Modifier, Shape, Word};
use crate::diagnostic::Edit;
use crate::nginx;

/// Why no request matches a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// Its name does not begin with a slash, as every path does.
    NoSlash,
    /// Its name holds `//`, which nginx merges.
    DoubleSlash,
    /// Its name holds a segment `.` or `..`, which nginx resolves.
    DotSegment,
    /// Its regex wants a blank before the beginning of the path.
    BlankBeforeAnchor,
}

impl Location<'_> {
    /// Why no request of a client matches this location; nothing when one may.
    pub fn mismatch(&self) -> Option<Mismatch> {
        mismatch(self)
    }

    /// True when a redirect inside of nginx might lead to this location, which no request matches, for all that is
    /// visible.
    pub fn may_be_redirected_to(&self) -> bool {
        may_be_redirected_to(self)
    }

    /// An edit that gives the location the name that was probably meant, if that can be told and no other has it.
    pub fn rename(&self, reason: Mismatch) -> Option<Edit> {
        rename(self, reason)
    }
}

fn mismatch(location: &Location<'_>) -> Option<Mismatch> {
    let path = &*location.path;
    let holds = |part: &[u8]| path.windows(part.len()).any(|window| window == part);
    match location.modifier {
        Modifier::Named => None,
        Modifier::Regex | Modifier::CaselessRegex => {
            let trimmed = path.trim_ascii_start();
            let anchored = Shape::of(trimmed).is_some();
            (trimmed.len() < path.len() && anchored).then_some(Mismatch::BlankBeforeAnchor)
        }
        _ if path.is_empty() => None,
        _ if !path.starts_with(b"/") => Some(Mismatch::NoSlash),
        modifier => {
            let ends_in_dots = path.ends_with(b"/.") || path.ends_with(b"/..");
            if holds(b"/./") || holds(b"/../") || modifier == Modifier::Exact && ends_in_dots {
                Some(Mismatch::DotSegment)
            } else {
                let merged = holds(b"//") && location.directive.config().merges_slashes();
                merged.then_some(Mismatch::DoubleSlash)
            }
        }
    }
}

impl Config {
    /// True unless some server leaves slashes alone: the default server of a socket decides for the others on it.
    pub fn merges_slashes(&self) -> bool {
        !self
            .directives()
            .filter(|directive| directive.is("merge_slashes"))
            .any(|directive| {
                directive
                    .argument(0)
                    .is_none_or(|value| !value.eq_ignore_ascii_case(b"on"))
            })
    }
}

fn may_be_redirected_to(location: &Location<'_>) -> bool {
    let Some(server) = location.server() else {
        return true;
    };
    let inherited = server.http().into_iter().flat_map(Directive::children);
    server
        .directive
        .descendants()
        .chain(inherited.filter(|directive| !directive.is_block()))
        .any(|directive| may_lead_to(directive, location))
}

fn may_lead_to(directive: Directive<'_>, location: &Location<'_>) -> bool {
    let name = directive.name();
    let is_index = name == "index";
    let targets: Vec<Word<'_>> = match &*name {
        b"rewrite" => {
            let external = directive
                .argument(2)
                .is_some_and(|flag| flag == "redirect" || flag == "permanent");
            directive
                .argument(1)
                .filter(|_| !external)
                .into_iter()
                .collect()
        }
        b"try_files" | b"error_page" => directive.arguments().next_back().into_iter().collect(),
        b"index" => directive.arguments().collect(),
        b"auth_request" | b"mirror" | b"post_action" | b"add_before_body" | b"add_after_body" => {
            directive.argument(0).into_iter().collect()
        }
        _ => return runs_code(&name),
    };
    targets.iter().any(|target| {
        let external = [&b"http://"[..], b"https://", b"$scheme"]
            .iter()
            .any(|scheme| target.starts_with(scheme));
        let path = target
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default();
        let literal = path.split(|byte| *byte == b'$').next().unwrap_or_default();
        let has_variables = literal.len() < path.len();
        let fits = location.path.starts_with(literal) || literal.starts_with(&location.path);
        !external
            && if location.path.starts_with(b"/") || location.is_regex() {
                has_variables || fits || is_index && path.windows(2).any(|pair| pair == b"..")
            } else {
                !is_index && !path.starts_with(b"/") && fits
            }
    })
}

/// True for directives whose programs may redirect anywhere.
pub(super) fn runs_code(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    text.contains("lua")
        || ["js_", "perl", "echo", "ssi"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        || nginx::directive(name).is_none()
}

fn rename(location: &Location<'_>, reason: Mismatch) -> Option<Edit> {
    let path = &location.path;
    let first = location.directive.argument(0)?;
    let is_glued = location.directive.argument(1).is_none();
    let trimmed = path.trim_ascii_start();
    let meant = match reason {
        Mismatch::NoSlash if path.starts_with(b"^") => {
            // `^/x`, or `= ^/x` with a modifier of its own.
            return match (location.modifier, is_glued) {
                (Modifier::Prefix, _) => Some(Edit::insert_before(first.span, "~ ")),
                (_, false) => Some(Edit::replace(first.span, "~")),
                (_, true) => None,
            };
        }
        _ if trimmed.len() < path.len() => {
            let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'\\;{}".contains(byte);
            let text = std::str::from_utf8(trimmed).ok()?;
            if !(trimmed.starts_with(b"/") || location.is_regex()) || !trimmed.iter().all(is_plain)
            {
                return None;
            }
            let modifier = location.modifier.as_str();
            return Some(match is_glued {
                true => Edit::replace(first.span, format!("{modifier} {text}").trim_start()),
                false => Edit::replace(path.span, text),
            })
            .filter(|_| is_free(location, trimmed));
        }
        Mismatch::NoSlash => {
            let is_name = path.first().is_some_and(u8::is_ascii_alphanumeric)
                && !path.windows(3).any(|part| part == b"://")
                && Shape::syntax(path).is_none();
            let meant = [b"/", &**path].concat();
            return path
                .prepend("/")
                .filter(|_| is_name && is_free(location, &meant));
        }
        Mismatch::DoubleSlash => {
            let mut meant = path.to_vec();
            meant.dedup_by(|a, b| *a == b'/' && *b == b'/');
            meant
        }
        Mismatch::DotSegment | Mismatch::BlankBeforeAnchor => return None,
    };
    let text = String::from_utf8(meant).ok()?;
    path.rewrite(&text)
        .filter(|_| is_free(location, text.as_bytes()))
}

/// True when no other location of the level has this name.
fn is_free(location: &Location<'_>, name: &[u8]) -> bool {
    !location.level().named(name).any(|other| other != *location)
}
