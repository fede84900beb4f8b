//! A configuration that says in comments what a rule finds in it.
//!
//! `# error: rule-name "text"` (or `warning`, `note`; the text is optional) at the end of a line, or on a line of its
//! own above, announces one finding that starts there. Comments on the first lines choose how it is loaded:
//! `# nginx-version: 1.29.7`, and `# lone` for a fragment without its http block.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nginspect::config::{Config, Finder, Job, LoadOptions, Root, Scope, load};
use nginspect::diagnostic::{Diagnostic, Severity};
use nginspect::lint::{lint, lint_with};
use nginspect::rule::{Check, Rule};
use nginspect::rules::RULES;

/// Texts that stand for the files on disk, by canonical path.
pub(crate) type Texts = BTreeMap<PathBuf, Vec<u8>>;

/// A rule with its name.
pub(crate) type Named = (&'static str, &'static Rule);

/// A root configuration in a rule's folder.
pub(crate) struct Fixture {
    pub(crate) rule: Named,
    pub(crate) path: PathBuf,
}

/// A finding that a comment announces.
#[derive(Debug)]
struct Expectation {
    line: u32,
    severity: String,
    rule: String,
    text: Option<String>,
}

impl Fixture {
    pub(crate) fn load(&self, texts: &Texts) -> Job {
        read(&self.path, texts)
    }

    /// The findings of the folder's rule alone; one that looks at ignores needs the others to find something.
    pub(crate) fn findings(&self, job: &Job) -> Vec<Diagnostic> {
        let mut findings = match self.rule.1.check {
            Check::Config(_) => lint_with(&job.config, &job.scope, &[self.rule]),
            Check::Ignores(_) => lint(&job.config, &job.scope),
        };
        findings.retain(|finding| finding.rule == self.rule.0);
        findings
    }

    /// Where the findings differ from what the comments announce, a line each.
    pub(crate) fn surprises(&self) -> Vec<String> {
        let job = self.load(&Texts::new());
        let sources = job.config.sources();
        let mut findings = self.findings(&job);
        let mut surprises = Vec::new();
        for (id, file) in sources.iter() {
            let shown = file.name();
            for expected in expectations(&String::from_utf8_lossy(file.bytes())) {
                if expected.rule != self.rule.0 {
                    let other = &expected.rule;
                    surprises.push(format!(
                        "{shown}:{}: a comment names {other}",
                        expected.line
                    ));
                }
                let met = findings.iter().position(|finding| {
                    finding.span.file == id
                        && file.position(finding.span.start).line == expected.line
                        && finding.severity.as_str() == expected.severity
                        && expected
                            .text
                            .as_ref()
                            .is_none_or(|text| finding.message.contains(text))
                });
                match met {
                    Some(index) => drop(findings.remove(index)),
                    None => surprises.push(format!(
                        "{shown}:{}: missing {} {:?}",
                        expected.line,
                        expected.severity,
                        expected.text.unwrap_or_default()
                    )),
                }
            }
        }
        let left = findings.iter().map(|finding| {
            format!(
                "{}: unexpected {}",
                place(&job.config, finding),
                concise(finding)
            )
        });
        surprises.extend(left);
        surprises
    }
}

/// The root configurations of the rules: `nginx.conf` of a folder, or else each `.conf` file at its top.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let wanted = std::env::var("NGINSPECT_RULE").unwrap_or_default();
    let mut fixtures = Vec::new();
    for rule in RULES {
        if !wanted.is_empty() && rule.0 != wanted {
            continue;
        }
        let folder = Path::new("fixtures/rules").join(rule.0);
        let paths = roots(&folder).into_iter();
        fixtures.extend(paths.map(|path| Fixture { rule: *rule, path }));
    }
    fixtures
}

/// The root configurations in a folder.
pub(crate) fn roots(folder: &Path) -> Vec<PathBuf> {
    let whole = folder.join("nginx.conf");
    if whole.is_file() {
        return vec![whole];
    }
    let is_configuration = |path: &PathBuf| path.extension().is_some_and(|end| end == "conf");
    entries(folder)
        .into_iter()
        .filter(is_configuration)
        .collect()
}

/// What a folder holds, in order; nothing when there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
}

/// Loads a configuration as the comments on its first lines ask for, with some texts in place of files.
pub(crate) fn read(path: &Path, texts: &Texts) -> Job {
    let bytes = std::fs::read(path).expect("a readable fixture");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let head = || text.lines().take(5).map(str::trim);
    let mut options = LoadOptions::default();
    options.files.buffers = texts.clone();
    if let Some(version) = head().find_map(|line| line.strip_prefix("# nginx-version: ")) {
        options.version = Some(version.parse().expect("a version"));
    }
    if head().any(|line| line == "# lone") {
        let mut finder = Finder {
            options,
            ..Finder::default()
        };
        let (jobs, lost) = finder.find(&[path.to_owned()]);
        assert!(lost.is_empty(), "{}: {lost:?}", path.display());
        return jobs.into_iter().next().expect("a fragment");
    }
    let config = load(&Root::File(path.to_owned()), &options).expect("a readable fixture");
    Job {
        config,
        scope: Scope::All,
        story: Vec::new(),
    }
}

/// `file:line` of a finding.
pub(crate) fn place(config: &Config, finding: &Diagnostic) -> String {
    let file = config.sources().file(finding.span.file);
    let line = file.position(finding.span.start).line;
    format!("{}:{line}", file.name())
}

/// Level, rule and message of a finding.
pub(crate) fn concise(finding: &Diagnostic) -> String {
    let severity = finding.severity.as_str();
    format!("{severity}[{}] {}", finding.rule, finding.message)
}

fn expectations(text: &str) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    let mut above = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (before, found) = match expectation(line) {
            Some((before, found)) => (before, Some(found)),
            None => (line, None),
        };
        above.extend(found);
        if before.trim().is_empty() && !above.is_empty() {
            continue;
        }
        expectations.extend(above.drain(..).map(|expectation| Expectation {
            line: index as u32 + 1,
            ..expectation
        }));
    }
    // A finding at the very end of the file, which has no line to write above.
    let last = text.lines().count() as u32;
    expectations.extend(above.drain(..).map(|expectation| Expectation {
        line: last,
        ..expectation
    }));
    expectations
}

/// The expectation at the end of a line, and what stands before it.
fn expectation(line: &str) -> Option<(&str, Expectation)> {
    let levels = [Severity::Error, Severity::Warning, Severity::Note];
    levels.iter().find_map(|level| {
        let severity = level.as_str();
        let (before, comment) = line.split_once(&format!("# {severity}: "))?;
        let comment = comment.trim_end();
        let (rule, text) = match comment.split_once(' ') {
            Some((rule, text)) => (rule, text.strip_prefix('"')?.strip_suffix('"')),
            None => (comment, None),
        };
        Some((
            before,
            Expectation {
                line: 0,
                severity: severity.to_owned(),
                rule: rule.to_owned(),
                text: text.map(str::to_owned),
            },
        ))
    })
}

#[test]
fn an_expectation_stands_on_its_line_or_above_it() {
    let text = "\
a;  # error: x \"of `a`\"
# warning: x
  # note: x \"b\"

b;
# note: an ordinary comment
# error: x
";
    let found: Vec<_> = expectations(text)
        .into_iter()
        .map(|found| (found.line, found.severity, found.text))
        .collect();
    let expected = [
        (1, "error", Some("of `a`")),
        (5, "warning", None),
        (5, "note", Some("b")),
        (7, "error", None),
    ];
    let expected = expected.map(|(line, severity, text)| {
        let text = text.map(str::to_owned);
        (line, severity.to_owned(), text)
    });
    assert_eq!(found, expected);
}
