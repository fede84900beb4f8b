//! Files that are made from the sources: the list of rules, their pages, and the manual of the command line.
//!
//! They are committed, and compared here. `just update` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nginspect::assertion::{self, Place};
use nginspect::cli;
use nginspect::config::{Finder, LoadOptions};
use nginspect::lint::{lint, lint_with};
use nginspect::report::{Findings, Part, text};
use nginspect::rule::{Category, Fixes, Rule};
use nginspect::rules::RULES;
use nginspect::settings;
use nginspect::source::Origin;

const WIDTH: usize = 100;

/// How rustfmt decides whether an entry of the list stays on one line (`fn_call_width`).
const WIDEST_ENTRY: usize = 60;

#[test]
fn the_list_of_rules_is_current() {
    let modules = rule_modules();
    let mut list = String::from(
        "//! Every rule. Generated from this directory by `just update`; do not edit.\n\n",
    );
    for module in &modules {
        writeln!(list, "mod {module};").expect("a string takes everything");
    }
    list.push_str(
        "\nuse crate::rule::Rule;\n\n/// The rules by name.\npub static RULES: &[(&str, &Rule)] = &[\n",
    );
    for module in &modules {
        let (name, rule) = (
            format!("\"{}\"", module.replace('_', "-")),
            format!("&{module}::RULE"),
        );
        list.push_str(&if name.len() + rule.len() + 2 <= WIDEST_ENTRY {
            format!("    ({name}, {rule}),\n")
        } else {
            format!("    (\n        {name},\n        {rule},\n    ),\n")
        });
    }
    list.push_str("];\n");
    compare(BTreeMap::from([(PathBuf::from("src/rules/mod.rs"), list)]));
}

#[test]
fn the_page_of_each_rule_is_current() {
    let pages = RULES
        .iter()
        .map(|(name, rule)| {
            (
                PathBuf::from(format!("docs/rules/{name}.md")),
                page(name, rule),
            )
        })
        .collect();
    compare(pages);
}

#[test]
fn every_page_and_every_fixture_belongs_to_a_rule() {
    let rules: BTreeSet<String> = rule_modules()
        .iter()
        .map(|module| module.replace('_', "-"))
        .collect();
    for page in entries("docs/rules") {
        let name = page.file_stem().unwrap_or_default().to_string_lossy();
        if updating() && !rules.contains(&*name) {
            std::fs::remove_file(&page).expect("a page that can be removed");
        } else {
            assert!(rules.contains(&*name), "{} has no rule", page.display());
        }
    }
    for folder in entries("fixtures/rules") {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        assert!(rules.contains(&*name), "{} has no rule", folder.display());
    }
}

#[test]
fn the_table_of_rules_is_current() {
    let mut categories: BTreeMap<Category, Vec<(&str, &Rule)>> = BTreeMap::new();
    for (name, rule) in RULES {
        categories
            .entry(rule.category)
            .or_default()
            .push((name, rule));
    }
    let mut table = format!("{GENERATED}# Rules\n");
    for (category, rules) in categories {
        write!(
            table,
            "\n## {}\n\n| rule | level | fix | what it finds |\n|---|---|---|---|\n",
            category.as_str()
        )
        .expect("a string takes everything");
        for (name, rule) in rules {
            let (level, fix) = (rule.level(), fixes(rule.fix));
            let summary = rule.summary().replace('|', "\\|");
            writeln!(
                table,
                "| [{name}](rules/{name}.md) | {level} | {fix} | {summary} |"
            )
            .expect("a string takes everything");
        }
    }
    compare(BTreeMap::from([(PathBuf::from("docs/rules.md"), table)]));
}

#[test]
fn the_manual_of_the_command_line_is_current() {
    let mut command = cli::command().term_width(WIDTH);
    command.build();
    let mut manual = format!("{GENERATED}# Command line\n");
    let commands: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    section(&mut manual, "nginspect", &mut command);
    for name in commands {
        let command = command
            .find_subcommand_mut(&name)
            .expect("a command that was just listed");
        section(&mut manual, &format!("nginspect {name}"), command);
    }
    compare(BTreeMap::from([(PathBuf::from("docs/cli.md"), manual)]));
}

#[test]
fn the_schema_of_the_settings_is_current() {
    let schema = settings::schema(RULES);
    let text = serde_json::to_string_pretty(&schema).expect("JSON can be printed");
    let path = PathBuf::from("docs/nginspect.schema.json");
    compare(BTreeMap::from([(path, format!("{text}\n"))]));
}

const TABLE: [&str; 2] = ["<!-- keys -->\n", "<!-- end of keys -->"];

#[test]
fn the_table_of_settings_is_current() {
    let path = PathBuf::from("docs/settings.md");
    let page = std::fs::read_to_string(&path).expect("a readable page");
    let (before, rest) = page.split_once(TABLE[0]).expect("a place for the table");
    let (_, after) = rest.split_once(TABLE[1]).expect("the end of the table");
    let mut table = String::from("| key | what it is for | default | flag |\n|---|---|---|---|\n");
    for key in settings::KEYS {
        let flag = key.flag.map(|flag| format!("`{flag}`")).unwrap_or_default();
        let default = match key.default.strip_prefix('(') {
            Some(words) => words.trim_end_matches(')').to_owned(),
            None => format!("`{}`", key.default),
        };
        let (name, about) = (key.name, key.about);
        writeln!(table, "| `{name}` | {about} | {default} | {flag} |")
            .expect("a string takes everything");
    }
    table.push_str("\n```toml\n");
    for key in settings::KEYS {
        writeln!(table, "{}", key.example).expect("a string takes everything");
    }
    table.push_str("```\n");
    let current = [before, TABLE[0], &table, TABLE[1], after].concat();
    compare(BTreeMap::from([(path, current)]));
}

#[test]
fn the_table_of_statements_is_current() {
    let path = PathBuf::from("docs/test.md");
    let page = std::fs::read_to_string(&path).expect("a readable page");
    let (before, rest) = page.split_once(TABLE[0]).expect("a place for the table");
    let (_, after) = rest.split_once(TABLE[1]).expect("the end of the table");
    let mut table = String::from("| key | where | what it is for | example |\n|---|---|---|---|\n");
    for key in assertion::KEYS {
        let place = match key.place {
            Place::File => "file",
            Place::Route | Place::Expect => "route",
            Place::Either => "file or route",
        };
        let below = if key.place == Place::Expect {
            "expect."
        } else {
            ""
        };
        let example = key.example.replace('|', "\\|");
        writeln!(
            table,
            "| `{below}{}` | {place} | {} | `{example}` |",
            key.name, key.about
        )
        .expect("a string takes everything");
    }
    let current = [before, TABLE[0], &table, TABLE[1], after].concat();
    compare(BTreeMap::from([(path, current)]));
}

const GENERATED: &str = "<!-- Generated by `just update`; do not edit. -->\n\n";

fn section(manual: &mut String, title: &str, command: &mut clap::Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(
        manual,
        "\n## {title}\n\n```text\n{}\n```\n",
        lines.join("\n")
    )
    .expect("a string takes everything");
}

/// A rule's page: what it says about itself, its example, and what nginspect prints for that.
fn page(name: &'static str, rule: &'static Rule) -> String {
    let mut facts = vec![
        format!("`{}`", rule.level()),
        rule.category.as_str().to_owned(),
    ];
    if rule.fix != Fixes::None {
        facts.push(format!("{} fix", fixes(rule.fix)));
    }
    facts.push(format!("since {}", rule.since));
    facts.push(format!("[nginx manual]({})", rule.see));
    let mut page = format!(
        "{GENERATED}# {name}\n\n{}\n\n{}\n",
        facts.join(" · "),
        rule.page().trim()
    );
    let example = Example::read(name);
    page.push_str("\n## Example\n");
    let (files, output) = example.shown((name, rule));
    let several = files.len() > 1;
    for (file, content) in files {
        if several {
            write!(page, "\n`{file}`:\n").expect("a string takes everything");
        }
        write!(page, "\n```nginx\n{}\n```\n", content.trim_end())
            .expect("a string takes everything");
    }
    write!(page, "\n```text\n{}\n```\n", output.trim_end()).expect("a string takes everything");
    page
}

fn fixes(fix: Fixes) -> &'static str {
    match fix {
        Fixes::None => "",
        Fixes::Safe => "safe",
        Fixes::Unsafe => "unsafe",
    }
}

/// A rule's `example.conf` and the files beside it, without what only tests read.
struct Example {
    finder: Finder,
}

impl Example {
    fn read(rule: &str) -> Self {
        let folder = PathBuf::from("fixtures/rules").join(rule);
        let mut options = LoadOptions::default();
        let mut files = BTreeMap::new();
        for path in files_below(&folder) {
            let bytes = std::fs::read(&path).expect("a readable fixture");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let name = path.strip_prefix(&folder).expect("a file of the folder");
            if name == Path::new("example.conf")
                && let Some(version) =
                    head(&text).find_map(|line| line.strip_prefix("# nginx-version: "))
            {
                options.version = Some(version.parse().expect("a version"));
            }
            files.insert(
                name.to_owned(),
                without_comments_for_tests(&text, rule).into_bytes(),
            );
        }
        let missing = "fixtures/rules/<rule>/example.conf";
        assert!(
            files.contains_key(Path::new("example.conf")),
            "{rule} lacks {missing}"
        );
        options.files.dump = Some(files);
        let finder = Finder {
            options,
            nameless: true,
            ..Finder::default()
        };
        Self { finder }
    }

    /// The files that belong to the example, and the findings of the rule.
    fn shown(mut self, rule: (&'static str, &'static Rule)) -> (Vec<(String, String)>, String) {
        let (mut jobs, lost) = self.finder.find(&[PathBuf::from("example.conf")]);
        let (Some(job), []) = (jobs.pop(), &*lost) else {
            panic!("the example of {}: {lost:?}", rule.0);
        };
        let sources = job.config.sources();
        let mut diagnostics = match rule.1.off {
            true => lint_with(&job.config, &job.scope, &[rule]),
            false => lint(&job.config, &job.scope),
        };
        diagnostics.retain(|diagnostic| diagnostic.rule == rule.0);
        let findings = Findings {
            parts: &[Part {
                sources,
                diagnostics,
            }],
            files: 1,
            describe: &cli::describe,
            rules: RULES,
            base: None,
            failures: &[],
        };
        let options = text::Options {
            color: false,
            width: WIDTH,
            links: false,
            summary: false,
        };
        let mut output = Vec::new();
        text::write(&mut output, &findings, &options).expect("a vector takes everything");
        let files = sources
            .iter()
            .filter(|(_, file)| *file.origin() != Origin::Stock)
            .map(|(_, file)| {
                let content = String::from_utf8_lossy(file.bytes()).into_owned();
                (file.name().to_owned(), content)
            })
            .collect();
        (files, String::from_utf8(output).expect("reports are UTF-8"))
    }
}

/// The lines on which a fixture says how it is to be read.
fn head(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take(5).map(str::trim)
}

/// A fixture without `# error: rule "text"` and its like, and without the lines that say how it is to be read.
fn without_comments_for_tests(text: &str, rule: &str) -> String {
    let mut kept = String::new();
    for (index, line) in text.lines().enumerate() {
        let marks = ["# nginx: ", "# nginx-version: ", "# lone"];
        if index < 5 && marks.iter().any(|mark| line.trim().starts_with(mark)) {
            continue;
        }
        let announced = ["error", "warning", "note"].iter().find_map(|level| {
            let (before, comment) = line.split_once(&format!("# {level}: {rule}"))?;
            (comment.is_empty() || comment.starts_with(' ')).then(|| before.trim_end())
        });
        match announced {
            Some("") => {}
            Some(line) => kept.extend([line, "\n"]),
            None => kept.extend([line, "\n"]),
        }
    }
    kept
}

#[test]
fn examples_are_shown_without_what_only_tests_read() {
    let text = "# nginx: rejects \"x\"\na;  # error: a-rule \"of `a`\"\n# warning: a-rule\nb;\n# note: a comment\n";
    assert_eq!(
        without_comments_for_tests(text, "a-rule"),
        "a;\nb;\n# note: a comment\n"
    );
}

fn rule_modules() -> Vec<String> {
    entries("src/rules")
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".rs")?.to_owned()))
        .filter(|module| module != "mod")
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
}

fn updating() -> bool {
    std::env::var_os("NGINSPECT_UPDATE").is_some()
}

/// Fails when a file does not hold what it should; writes it when asked to.
fn compare(files: BTreeMap<PathBuf, String>) {
    let stale: Vec<PathBuf> = files
        .into_iter()
        .filter(|(path, expected)| {
            let current = std::fs::read_to_string(path).is_ok_and(|found| found == *expected);
            if !current && updating() {
                let folder = path.parent().expect("a file in a folder");
                std::fs::create_dir_all(folder).expect("a folder");
                std::fs::write(path, expected).expect("a file that can be written");
            }
            !current && !updating()
        })
        .map(|(path, _)| path)
        .collect();
    assert!(
        stale.is_empty(),
        "not current: {stale:?}; run `just update`"
    );
}
