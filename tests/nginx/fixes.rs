//! What `--fix` leaves behind: nginx takes it if it took what was there before, and there is nothing left to fix.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use nginspect::cli::{self, Streams, Terminal};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use crate::fixtures;
use crate::harness::{Nginx, copy_folder, say};

/// Runs `nginspect check` with flags; answers with the exit code and what was said.
pub(crate) fn check(flags: &[&str], path: &Path) -> (u8, String) {
    let arguments = ["nginspect", "check", "--format", "json"]
        .iter()
        .chain(flags)
        .map(OsString::from);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let streams = Streams {
        stdin: &mut &b""[..],
        stdout: &mut stdout,
        stderr: &mut stderr,
    };
    let code = cli::run(arguments.chain([path.into()]), streams, Terminal::default());
    (code, String::from_utf8_lossy(&stdout).into_owned())
}

/// The findings that offer a fix of a kind that is wanted.
fn fixable(document: &str, with_unsafe: bool) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(document).expect("a JSON document");
    let findings = document["diagnostics"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let offers = |finding: &&serde_json::Value| {
        let fixes = finding["fixes"].as_array().cloned().unwrap_or_default();
        fixes
            .iter()
            .any(|fix| with_unsafe || fix["safety"] == "safe")
    };
    findings
        .iter()
        .filter(offers)
        .map(|finding| format!("{}: {}", finding["rule"], finding["message"]))
        .collect()
}

/// Fixes a root configuration; nothing that nginx took before may it refuse afterwards, and nothing may be left to do.
fn fix_and_judge(
    nginx: &Nginx,
    folder: &TempDir,
    root: &Path,
    with_unsafe: bool,
) -> Result<bool, String> {
    let name = root
        .file_name()
        .expect("a name")
        .to_str()
        .expect("a UTF-8 name");
    let before = nginx.check(folder.path(), name);
    let text_before = fs::read(root).expect("a text");
    let flag = if with_unsafe {
        "--unsafe-fixes"
    } else {
        "--fix"
    };
    let version = nginx.version.to_string();
    let flags = [flag, "--nginx-version", version.as_str()];
    let (_, left) = check(&flags, root);
    let after = nginx.check(folder.path(), name);
    let fixed = fs::read_to_string(root).unwrap_or_default();
    if before.accepted && !after.accepted {
        return Err(format!("{name}: {}\n{fixed}", after.messages));
    }
    let left = fixable(&left, with_unsafe);
    if !left.is_empty() {
        return Err(format!("{name}: {left:?} is left\n{fixed}"));
    }
    check(&flags, root);
    if fs::read_to_string(root).unwrap_or_default() != fixed {
        return Err(format!("{name}: a second time changes more"));
    }
    Ok(text_before != fixed.as_bytes())
}

#[test]
fn fixed_fixtures_are_taken_where_the_fixtures_were() {
    let Some(nginx) = Nginx::find() else { return };
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let mut faults = Vec::new();
    let mut changed = 0;
    for rule in fs::read_dir(&rules)
        .expect("fixtures")
        .flatten()
        .map(|entry| entry.path())
    {
        for root in fixtures::roots_in(&rule) {
            for with_unsafe in [false, true] {
                let folder = tempfile::tempdir().expect("a temporary folder");
                copy_folder(&rule, folder.path());
                let copied = folder.path().join(root.file_name().expect("a name"));
                match fix_and_judge(nginx, &folder, &copied, with_unsafe) {
                    Ok(differs) => changed += usize::from(differs),
                    Err(fault) => faults.push(format!("{}/{fault}", rule.display())),
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
    assert!(changed > 40, "{changed} fixtures were changed");
    say(&format!(
        "nginx {} takes {changed} fixed fixtures",
        nginx.version
    ));
}

/// A server made of lines that rules have something to say about.
fn server() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "proxy_set_header Host $host;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection \"upgrade\";",
        "proxy_set_header Connection keep-alive;",
        "proxy_set_header X-A b;",
        "proxy_http_version 1.1;",
        "proxy_read_timeout 0;",
        "proxy_read_timeout 2s;",
        "proxy_connect_timeout 7d;",
        "proxy_send_timeout 1d;",
        "proxy_buffering off;",
        "proxy_cache_bypass $http_upgrade;",
    ]);
    (prop::collection::vec(line, 0..4), any::<bool>())
        .prop_flat_map(|(outer, several)| {
            let count = if several { 3 } else { 1 };
            let name = prop::sample::subsequence(
                vec!["/", "/ws/", "/api", "/chat/ws", "/socket.io/", "= /x"],
                count,
            );
            let pass =
                prop::collection::vec(prop::sample::select(vec!["", "/", "/api", "/ws/"]), count);
            let line = prop::sample::subsequence(
                vec![
                    "proxy_set_header X-A b;",
                    "proxy_set_header Upgrade $http_upgrade;",
                    "proxy_set_header Connection upgrade;",
                    "proxy_http_version 1.1;",
                    "proxy_read_timeout 2s;",
                    "proxy_connect_timeout 7d;",
                    "proxy_buffering off;",
                ],
                0..4,
            );
            (Just(outer), name, pass, prop::collection::vec(line, count))
        })
        .prop_map(|(outer, names, passes, lines)| {
            let mut seen = Vec::new();
            let once = |line: &&str, seen: &mut Vec<String>| {
                let words: Vec<&str> = line.split(' ').collect();
                let key = if words[0] == "proxy_set_header" {
                    words[..2].join(" ")
                } else {
                    words[0].to_owned()
                };
                let fresh = !seen.contains(&key);
                seen.push(key);
                fresh
            };
            let outer: Vec<&str> = outer
                .into_iter()
                .filter(|line| once(line, &mut seen))
                .collect();
            let mut text = format!("    server {{\n        {}\n", outer.join("\n        "));
            for ((name, pass), lines) in names.iter().zip(passes).zip(lines) {
                text += &format!(
                    "        location {name} {{\n            {}\n",
                    lines.join("\n            ")
                );
                text +=
                    &format!("            proxy_pass http://127.0.0.1:8000{pass};\n        }}\n");
            }
            text + "    }\n"
        })
}

#[test]
fn fixed_configurations_of_any_kind_are_taken() {
    let Some(nginx) = Nginx::find() else { return };
    let mut runner = TestRunner::deterministic();
    let mut changed = 0;
    for number in 0..120 {
        let server = server().new_tree(&mut runner).expect("a server").current();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("nginx.conf");
        fs::write(&root, format!("events {{}}\nhttp {{\n{server}}}\n")).expect("a file");
        assert!(
            nginx.check(folder.path(), "nginx.conf").accepted,
            "{server}"
        );
        match fix_and_judge(nginx, &folder, &root, number % 2 == 0) {
            Ok(differs) => changed += usize::from(differs),
            Err(fault) => panic!("{fault}\nfrom\n{server}"),
        }
    }
    assert!(changed > 50, "{changed} configurations were changed");
}
