//! Executes what the documentation shows.
//!
//! In a block marked `console`, a line `$ nginspect …` is a command that runs in the root of the repository; what
//! follows, up to the next command, is all that it prints, in a terminal of 100 columns. `(exit code 1)` as the last
//! line tells an exit code other than 0, `< FILE` at the end of a command its standard input. `just update` writes the
//! output anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const FENCE: &str = "```";

#[test]
fn the_documentation_shows_what_happens() {
    let mut stale = Vec::new();
    let mut commands = 0;
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a readable page");
        let executed = executed(&page, &mut commands);
        if executed == page {
            continue;
        }
        if std::env::var_os("NGINSPECT_UPDATE").is_some() {
            std::fs::write(&path, executed).expect("a page that can be written");
        } else {
            stale.push(format!("{} should be:\n{executed}", path.display()));
        }
    }
    assert!(stale.is_empty(), "{}\nrun `just update`", stale.join("\n"));
    assert!(commands > 0, "no command was found in the documentation");
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    let docs = std::fs::read_dir("docs").expect("the folder of documentation");
    pages.extend(
        docs.map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
    );
    pages
}

/// The page with the outputs that its commands have.
fn executed(page: &str, commands: &mut usize) -> String {
    let mut written = String::new();
    let mut inside = false;
    for line in page.lines() {
        let fence = line.starts_with(FENCE);
        if inside && !fence {
            let Some(command) = line.strip_prefix("$ ") else {
                continue;
            };
            *commands += 1;
            write!(written, "{line}\n{}", run(command)).expect("a string takes everything");
            continue;
        }
        if fence {
            inside = line == "```console";
        }
        written.push_str(line);
        written.push('\n');
    }
    written
}

fn run(command: &str) -> String {
    let (command, stdin) = match command.split_once(" < ") {
        Some((command, file)) => (command, std::fs::read(file).expect("a readable file")),
        None => (command, Vec::new()),
    };
    let mut words = command.split_ascii_whitespace();
    assert_eq!(
        words.next(),
        Some("nginspect"),
        "not a command of ours: {command}"
    );
    let outcome = crate::program::nginspect(words, &stdin);
    let mut shown = outcome.shown;
    if outcome.code != 0 {
        writeln!(shown, "(exit code {})", outcome.code).expect("a string takes everything");
    }
    shown
}

#[test]
fn links_lead_somewhere() {
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a readable page");
        let folder = path.parent().unwrap_or(Path::new(""));
        for target in page
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if !target.contains("://") && !target.starts_with('#') {
                let file = target.split('#').next().unwrap_or(target);
                assert!(folder.join(file).exists(), "{}: {target}", path.display());
            }
        }
    }
}
