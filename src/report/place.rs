//! Files as other programs look for them: relative to the folder of the run, symbolic links followed.

use crate::source::{Origin, SourceFile};
use std::path::{Component, Path, PathBuf};

/// The path of a file below `base`, with the target of a link rather than the link where both lie there; an absolute
/// path for a file outside.
pub(super) fn path(file: &SourceFile, base: Option<&Path>) -> PathBuf {
    let Some(base) = base else {
        return PathBuf::from(file.name());
    };
    let named = normalised(&base.join(file.name()));
    let real = match file.origin() {
        Origin::Disk(path) | Origin::Buffer(path) => Some(path),
        Origin::Dump | Origin::Stock => None,
    };
    real.into_iter()
        .chain([&named])
        .find_map(|path| path.strip_prefix(base).ok())
        .unwrap_or_else(|| real.unwrap_or(&named))
        .to_owned()
}

/// The same for people and for formats that know text only.
pub(super) fn name(file: &SourceFile, base: Option<&Path>) -> String {
    path(file, base).to_string_lossy().into_owned()
}

/// A path as a URI reference; an absolute one becomes a `file:` URI.
pub(super) fn uri(path: &Path) -> String {
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// Without `.` and `..`, which a path that is compared must not have.
fn normalised(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            _ => plain.push(component),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn placed(name: &str, origin: Origin) -> String {
        let mut sources = Sources::default();
        let file = sources.add(name, origin, Vec::new());
        uri(&path(sources.file(file), Some(Path::new("/repo"))))
    }

    fn on_disk(name: &str, path: &str) -> String {
        placed(name, Origin::Disk(PathBuf::from(path)))
    }

    #[test]
    fn files_of_the_folder_are_relative_to_it_however_they_were_named() {
        for name in [
            "nginx.conf",
            "./nginx.conf",
            "/repo/nginx.conf",
            "x/../nginx.conf",
        ] {
            assert_eq!(on_disk(name, "/repo/nginx.conf"), "nginx.conf");
            assert_eq!(placed(name, Origin::Dump), "nginx.conf");
        }
    }

    #[test]
    fn a_link_stands_for_its_target_unless_that_lies_outside() {
        let name = "sites-enabled/shop";
        assert_eq!(
            on_disk(name, "/repo/sites-available/shop"),
            "sites-available/shop"
        );
        assert_eq!(on_disk(name, "/srv/shop"), "sites-enabled/shop");
    }

    #[test]
    fn files_outside_of_the_folder_are_absolute() {
        assert_eq!(
            on_disk("/etc/nginx/a", "/etc/nginx/a"),
            "file:///etc/nginx/a"
        );
        assert_eq!(on_disk("../a", "/a"), "file:///a");
        assert_eq!(
            placed("/repository/a", Origin::Dump),
            "file:///repository/a"
        );
    }

    #[test]
    fn bytes_that_mean_something_in_a_uri_are_encoded() {
        assert_eq!(
            placed("a b:c?#%é\n", Origin::Dump),
            "a%20b%3Ac%3F%23%25%C3%A9%0A"
        );
        assert_eq!(placed("<stdin>", Origin::Dump), "%3Cstdin%3E");
    }
}
