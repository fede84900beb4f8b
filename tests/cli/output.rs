//! Where findings go, in which format, and when they fail a run.

use super::*;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

const FORMATS: [&str; 8] = [
    "text",
    "concise",
    "json",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
];

/// A site with one warning, `short-timeout`, and two errors, `zero-timeout`.
const MIXED: &str = "server {
    location / { proxy_pass http://127.0.0.1:8000; proxy_read_timeout 1s; }
    location /a { proxy_pass http://127.0.0.1:8000; proxy_read_timeout 0; }
    location /b { proxy_pass http://127.0.0.1:8000; proxy_read_timeout 0; }
}
";

impl Tree {
    fn output(&self, flags: &[&str], name: &str, file: &str) -> Outcome {
        let file = self.path(file);
        let file = ["--output", file.to_str().expect("a path of ours")];
        self.check_with(&[flags, &file].concat(), &[name], b"")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a text file")
    }
}

#[test]
fn a_file_gets_what_the_terminal_would_and_the_terminal_a_summary() {
    let tree = Tree::new(&[("a.conf", BAD), ("out/old", "")]);
    for format in FORMATS {
        let flags = ["--format", format];
        let outcome = tree.output(&flags, "a.conf", "out/report");
        assert_eq!(
            (outcome.code, &*outcome.stdout),
            (FOUND, ""),
            "{}",
            outcome.shown
        );
        let summary = "1 error in 1 file, written to ";
        assert!(outcome.stderr.starts_with(summary), "{}", outcome.stderr);
        let printed = tree.check_with(&flags, &["a.conf"], b"");
        if format != "text" {
            assert_eq!(tree.read("out/report"), printed.stdout);
        }
        let quiet = tree.output(&["-q", "--format", format], "a.conf", "out/report");
        assert_eq!((quiet.code, &*quiet.shown), (FOUND, ""));
    }
    let left: Vec<_> = fs::read_dir(tree.path("out")).expect("a folder").collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn the_file_of_an_output_keeps_its_mode_and_links_to_it() {
    let tree = Tree::new(&[("a.conf", BAD), ("real", "old")]);
    tree.link("link", "real");
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(tree.path("real"), mode).expect("a file of our own");
    assert_eq!(tree.output(&["-q"], "a.conf", "link").code, FOUND);
    assert!(tree.path("link").is_symlink());
    assert!(tree.read("real").contains("zero-timeout"));
    let mode = fs::metadata(tree.path("real"))
        .expect("a file")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o640);
}

#[test]
fn devices_are_written_to_and_not_replaced() {
    let tree = Tree::new(&[("a.conf", BAD)]);
    tree.link("null", "/dev/null");
    assert_eq!(tree.output(&[], "a.conf", "null").code, FOUND);
    assert!(!fs::metadata("/dev/null").expect("a device").is_file());
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let tree = Tree::new(&[("a.conf", BAD), ("file", "")]);
    for name in ["none/report", "file/report", "."] {
        let outcome = tree.output(&[], "a.conf", name);
        assert_fails(&outcome, "error: cannot write ");
    }
    let outcome = tree.output(&[], "a.conf", "a.conf");
    assert_fails(&outcome, "a.conf is one of the files that are checked");
    assert_eq!(tree.read("a.conf"), BAD);
}

#[test]
fn the_level_that_fails_a_run_can_be_chosen() {
    let mild = MIXED.replace(" 0;", " 60s;");
    let tree = Tree::new(&[
        ("mixed.conf", MIXED),
        ("mild.conf", &mild),
        ("good.conf", GOOD),
    ]);
    for (level, mixed, mild) in [
        ("note", FOUND, FOUND),
        ("warning", FOUND, FOUND),
        ("error", FOUND, CLEAN),
        ("never", CLEAN, CLEAN),
    ] {
        let code = |name| tree.check_with(&["--fail-on", level], &[name], b"").code;
        assert_eq!(
            (code("mixed.conf"), code("mild.conf"), code("good.conf")),
            (mixed, mild, CLEAN),
            "{level}"
        );
        assert_eq!(code("none.conf"), FAILED, "{level}");
    }
}

#[test]
fn statistics_count_the_findings_of_each_rule() {
    let tree = Tree::new(&[("a.conf", MIXED), ("good.conf", GOOD)]);
    let counts = "2 zero-timeout\n1 short-timeout\n";
    let outcome = tree.check_with(&["--statistics"], &["a.conf"], b"");
    assert!(
        outcome.stdout.ends_with(&format!("\n\n{counts}")),
        "{}",
        outcome.shown
    );
    let outcome = tree.check_with(&["--statistics", "--format", "json"], &["a.conf"], b"");
    assert_eq!(
        (outcome.stdout.lines().count(), &*outcome.stderr),
        (1, counts)
    );
    let outcome = tree.output(&["--statistics", "-q"], "a.conf", "report");
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("", counts));
    let outcome = tree.check_with(&["--statistics"], &["good.conf"], b"");
    assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""));
}

#[test]
fn no_name_of_a_file_breaks_a_format() {
    let tree = Tree::new(&[]);
    let name = OsString::from_vec(b"]]>::\n\"<&>\xff,%\x1b[2J.conf".to_vec());
    let path = tree.0.path().join(&name);
    fs::write(&path, BAD).expect("a file");
    let check = |format: &str| {
        let arguments = ["check".into(), "--format".into(), format.into()];
        let outcome = nginspect(
            arguments.into_iter().chain([path.clone().into_os_string()]),
            b"",
        );
        assert_eq!(
            (outcome.code, &*outcome.stderr),
            (FOUND, ""),
            "{}",
            outcome.shown
        );
        outcome.stdout
    };
    for format in FORMATS {
        assert!(!check(format).contains('\u{1b}'), "{format}");
    }
    for format in ["json", "sarif", "gitlab"] {
        let text = check(format);
        assert!(
            serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            "{text}"
        );
    }
    let encoded = "%5D%5D%3E%3A%3A%0A%22%3C%26%3E%FF%2C%25%1B%5B2J.conf";
    assert!(check("sarif").contains(encoded), "{}", check("sarif"));
    assert_eq!(check("github").lines().count(), 1);
    for format in ["junit", "checkstyle"] {
        let text = check(format);
        assert!(roxmltree::Document::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_run_without_a_terminal_shows_no_progress() {
    let tree = Tree::new(&[("pipe/x", "")]);
    let pipe = tree.path("fifo");
    mkfifo(&pipe);
    let path = pipe.to_str().expect("a path of ours").to_owned();
    let child = std::thread::spawn(move || output(program(Path::new("."), &[], &["check", &path])));
    std::thread::sleep(Duration::from_millis(1500));
    fs::write(&pipe, GOOD).expect("the pipe is read");
    let (code, _, stderr) = child.join().expect("the program ends");
    assert_eq!((code, &*stderr), (Some(CLEAN.into()), ""));
}
