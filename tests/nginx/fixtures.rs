//! The examples of the rules are configurations that nginx would run, unless they say otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use nginspect::nginx::Version;

use crate::harness::{Nginx, Verdict, say};

/// What the comments `# nginx: …` at the top of a root configuration say.
#[derive(Debug, Default)]
struct Expectation {
    /// `rejects`, with the text that must occur in nginx's message: `rejects "duplicate location"`.
    refusal: Option<String>,
    /// Why this nginx has no opinion: it is older than `since 1.29.7`, not older than `before 1.25.1`, or it lacks the
    /// module of `needs http_v3`.
    skipped: Option<String>,
}

impl Expectation {
    fn read(text: &str, nginx: &Nginx) -> Result<Self, String> {
        let mut expectation = Self::default();
        for line in text.lines() {
            let Some(line) = line.strip_prefix("# nginx: ") else {
                break;
            };
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "rejects" => expectation.refusal = Some(rest.trim_matches('"').to_owned()),
                "since" if nginx.version >= rest.parse::<Version>()? => {}
                "before" if nginx.version < rest.parse::<Version>()? => {}
                "needs" if nginx.has(rest) => {}
                "since" | "before" | "needs" => expectation.skipped = Some(line.to_owned()),
                _ => return Err(format!("`# nginx: {line}` is not understood")),
            }
        }
        Ok(expectation)
    }

    fn meets(&self, verdict: &Verdict) -> Result<(), String> {
        let said = &verdict.messages;
        match &self.refusal {
            None if verdict.accepted => Ok(()),
            None => Err(format!("nginx refuses it:\n{said}")),
            Some(_) if verdict.accepted => Err(format!("nginx accepts it:\n{said}")),
            Some(text) if said.contains(text) => Ok(()),
            Some(text) => Err(format!("nginx does not say {text:?}:\n{said}")),
        }
    }
}

/// The root configurations of every rule.
fn roots(rules: &Path) -> Vec<PathBuf> {
    let folders = entries(rules).into_iter().filter(|path| path.is_dir());
    folders.flat_map(|rule| roots_in(&rule)).collect()
}

/// The root configurations in the folder of a rule: its `nginx.conf`, or else each `.conf` file beside the others.
pub(crate) fn roots_in(rule: &Path) -> Vec<PathBuf> {
    let several_files = rule.join("nginx.conf");
    if several_files.is_file() {
        return vec![several_files];
    }
    let mut files = entries(rule);
    files.retain(|path| path.extension().is_some_and(|end| end == "conf"));
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
}

/// The root configurations of a rule that this nginx runs.
pub(crate) fn taken(rule: &str, nginx: &Nginx) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/rules/{rule}"));
    let mut roots = roots_in(&folder);
    roots.retain(|root| {
        let text = fs::read(root).expect("a readable file");
        let expectation = Expectation::read(&String::from_utf8_lossy(&text), nginx);
        let expectation = expectation.unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        expectation.refusal.is_none() && expectation.skipped.is_none()
    });
    roots
}

#[test]
fn every_rule_fixture_is_what_nginx_says() {
    let Some(nginx) = Nginx::find() else { return };
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    let mut failures = Vec::new();
    let mut checked = 0;
    for root in roots(&rules) {
        let folder = root.parent().expect("a file is in a folder");
        let name = root.file_name().and_then(|name| name.to_str());
        let name = name.expect("fixtures have plain names");
        let shown = root.strip_prefix(&rules).unwrap_or(&root).display();
        let text = fs::read(&root).expect("a readable file");
        let expectation = Expectation::read(&String::from_utf8_lossy(&text), nginx)
            .unwrap_or_else(|error| panic!("{shown}: {error}"));
        if let Some(reason) = expectation.skipped {
            say(&format!("skipped: {shown} ({reason})"));
            continue;
        }
        checked += 1;
        if let Err(failure) = expectation.meets(&nginx.check(folder, name)) {
            failures.push(format!("{shown}: {failure}"));
        }
    }
    let version = nginx.version;
    say(&format!(
        "nginx {version} has judged {checked} rule fixtures"
    ));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_real_configuration_is_taken() {
    let Some(nginx) = Nginx::find() else { return };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = here.join("fixtures/real");
    let certificate = here.join("tests/nginx/self-signed.pem");
    let mut failures = Vec::new();
    let roots = entries(&real).into_iter().map(|path| match path.is_dir() {
        true => path.join("nginx.conf"),
        false => path,
    });
    for root in roots {
        let text = fs::read_to_string(&root).expect("a readable file");
        let shown = root.strip_prefix(&real).unwrap_or(&root).display();
        let expectation =
            Expectation::read(&text, nginx).unwrap_or_else(|error| panic!("{shown}: {error}"));
        // Debian's files have a test of their own.
        if expectation.skipped.is_some()
            || text.contains("/etc/nginx/") && root.ends_with("debian/nginx.conf")
        {
            continue;
        }
        // What lies beside a real one, and a certificate that this machine has.
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("a writable folder");
        };
        write("mime.types", "types { text/html html; }");
        write(
            "fastcgi_params",
            "fastcgi_param QUERY_STRING $query_string;",
        );
        let snippets = root.with_file_name("snippets");
        for snippet in entries(&snippets) {
            let name = snippet
                .strip_prefix(root.with_file_name(""))
                .expect("it lies there");
            let target = folder.path().join(name);
            fs::create_dir_all(target.with_file_name("")).expect("a writable folder");
            fs::copy(&snippet, target).expect("a readable file");
        }
        // No name of the internet is known here.
        let text = text.replace("ap.ghost.org", "127.0.0.1");
        let certified = |line: &str| {
            let name = line.split_whitespace().next().unwrap_or_default();
            match name {
                "ssl_certificate" | "ssl_certificate_key" | "ssl_trusted_certificate" => {
                    format!("{name} {};\n", certificate.display())
                }
                _ => format!("{line}\n"),
            }
        };
        write(
            "nginx.conf",
            &text.lines().map(certified).collect::<String>(),
        );
        if let Err(failure) = expectation.meets(&nginx.check(folder.path(), "nginx.conf")) {
            failures.push(format!("{shown}: {failure}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn comments_at_the_top_of_a_fixture_say_what_nginx_does() {
    let Some(nginx) = Nginx::find() else { return };
    let read = |text| Expectation::read(text, nginx);
    let verdict = nginx.check_text(b"events {} http { bad; }");
    let plain = read("events {}").expect("no comment at all");
    assert!(plain.refusal.is_none() && plain.skipped.is_none());
    assert!(plain.meets(&verdict).is_err());
    for (text, met) in [
        ("# nginx: rejects\n", true),
        ("# nginx: rejects \"unknown directive\"\n", true),
        (
            "# nginx: since 1.0.0\n# nginx: rejects \"is duplicate\"\n",
            false,
        ),
    ] {
        let expectation = read(text).expect("a known comment");
        assert_eq!(expectation.meets(&verdict).is_ok(), met, "{text}");
    }
    for text in [
        "# nginx: since 99.0.0",
        "# nginx: before 0.1.0",
        "# nginx: needs no_such",
    ] {
        let expectation = read(text).expect("a known comment");
        assert!(expectation.skipped.is_some(), "{text}");
    }
    assert!(read("# nginx: refuses").is_err());
}
