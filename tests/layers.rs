//! Who may import whom: one way only.

use std::path::{Path, PathBuf};

/// Each room of the house with the rooms that it knows.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("diagnostic", &["source"]),
    ("syntax", &["source"]),
    ("nginx", &[]),
    ("config", &["source", "syntax", "diagnostic", "nginx"]),
    ("routing", &["source", "diagnostic", "config", "nginx"]),
    (
        "urispace",
        &["source", "diagnostic", "config", "nginx", "routing"],
    ),
    (
        "routes",
        &["source", "config", "nginx", "routing", "urispace"],
    ),
    (
        "loops",
        &["source", "config", "nginx", "routing", "urispace"],
    ),
    (
        "difference",
        &["source", "config", "nginx", "routing", "urispace"],
    ),
    (
        "assertion",
        &[
            "source",
            "diagnostic",
            "nginx",
            "config",
            "routing",
            "urispace",
            "routes",
        ],
    ),
    // Before the rules, which look at such comments too.
    ("suppress", &["source", "diagnostic", "config"]),
    (
        "rule",
        &[
            "source",
            "diagnostic",
            "syntax",
            "nginx",
            "config",
            "routing",
            "urispace",
            "loops",
            "suppress",
        ],
    ),
    ("rules", &["rule"]),
    (
        "settings",
        &["source", "diagnostic", "config", "nginx", "rule"],
    ),
    (
        "lint",
        &[
            "source",
            "diagnostic",
            "syntax",
            "config",
            "suppress",
            "rule",
            "rules",
        ],
    ),
    ("fingerprint", &["source", "diagnostic", "syntax"]),
    ("fix", &["source", "diagnostic"]),
    ("baseline", &["source", "diagnostic", "fingerprint", "fix"]),
    (
        "report",
        &[
            "source",
            "diagnostic",
            "config",
            "routing",
            "difference",
            "routes",
            "assertion",
            "fingerprint",
            "rule",
        ],
    ),
    (
        "cli",
        &[
            "source",
            "diagnostic",
            "nginx",
            "config",
            "routing",
            "difference",
            "routes",
            "assertion",
            "rule",
            "rules",
            "settings",
            "lint",
            "fix",
            "baseline",
            "report",
        ],
    ),
];

#[test]
fn imports_go_one_way() {
    let mut strays = Vec::new();
    for file in sources(Path::new("src")) {
        let Some(room) = room(&file) else { continue };
        let known = ROOMS
            .iter()
            .find(|(name, _)| *name == room)
            .map(|(_, known)| *known);
        let known = known.unwrap_or_else(|| panic!("{room} has no row in this test"));
        let text = std::fs::read_to_string(&file).expect("a readable source file");
        for (number, line) in text.lines().enumerate() {
            for other in mentioned(line) {
                let generated = room == "rules" && file.ends_with("mod.rs");
                let own = other == room && (room != "rules" || generated);
                if !own && !known.contains(&other) {
                    strays.push(format!("{}:{}: {other}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(strays.is_empty(), "\n{}", strays.join("\n"));
}

#[test]
fn rules_use_the_vocabulary_of_rules_only() {
    for file in sources(Path::new("src/rules")) {
        let text = std::fs::read_to_string(&file).expect("a readable source file");
        for line in text
            .lines()
            .filter(|line| line.contains("crate::") || line.contains("super::"))
        {
            let vocabulary = line == "use crate::rule::*;" || file.ends_with("mod.rs");
            assert!(vocabulary, "{}: {line}", file.display());
        }
    }
}

/// The rooms that a line of code, or a comment with a link, names by `crate::`.
fn mentioned(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or(line);
    code.split("crate::").skip(1).map(|rest| {
        let end = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

fn room(file: &Path) -> Option<String> {
    let inside = file.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    // The two roots of the crate only say what there is.
    (room != "lib" && room != "main").then(|| room.to_owned())
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("a folder of sources")
        .map(|entry| entry.expect("a readable folder").path())
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
