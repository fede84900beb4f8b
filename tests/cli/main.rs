//! The program as its user meets it: exit codes, streams, paths, and input of every bad kind.
#![cfg(unix)]

mod assertions;
mod diff;
mod docs;
mod fix;
mod output;
mod program;
mod routes;
mod settings;
mod suppress;
mod trace;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nginspect::cli::{self, CLEAN, FAILED, FOUND, Streams, Terminal};
use nginspect::rules::RULES;
use program::{Outcome, nginspect};
use tempfile::TempDir;

const ROOT: &str = "events {}\nhttp {\n    include sites-enabled/*;\n}\n";

/// Every request to it gets a 504 at once: `zero-timeout`, an error.
const BAD: &str = "server {\n    server_name shop.example;\n    location / {\n        proxy_pass http://127.0.0.1:8000;\n        proxy_read_timeout 0;\n    }\n}\n";

const GOOD: &str = "server {\n    server_name shop.example;\n    location / {\n        proxy_pass http://127.0.0.1:8000;\n    }\n}\n";

/// A folder of files that goes away by itself.
struct Tree(TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(TempDir::new().expect("a temporary folder"));
        for (name, text) in files {
            tree.write(name, text.as_bytes());
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    fn link(&self, name: &str, target: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a link in a folder")).expect("a folder");
        symlink(target, path).expect("a link");
    }

    /// Checks files of the tree.
    fn check(&self, names: &[&str]) -> Outcome {
        self.check_with(&[], names, b"")
    }

    fn check_with(&self, flags: &[&str], names: &[&str], stdin: &[u8]) -> Outcome {
        let concise: &[&str] = if flags.contains(&"--format") {
            &["check"]
        } else {
            &["check", "--format", "concise"]
        };
        let flags = concise.iter().chain(flags);
        let names = names.iter().map(|name| match *name {
            "-" => PathBuf::from("-"),
            name => self.path(name),
        });
        nginspect(flags.map(PathBuf::from).chain(names), stdin)
    }

    /// Everything in the tree, to see that nothing changes.
    fn contents(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a readable folder") {
                let entry = entry.expect("a readable folder");
                let kind = entry.file_type().expect("a file with a type");
                let content = kind
                    .is_file()
                    .then(|| fs::read(entry.path()).unwrap_or_default());
                if kind.is_dir() {
                    folders.push(entry.path());
                }
                found.insert(entry.path(), content);
            }
        }
        found
    }
}

/// Runs the real program in a folder, with these variables set and none that a person may have set.
fn program(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nginspect"));
    command
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn output(mut command: Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[track_caller]
fn assert_finds(outcome: &Outcome, rule: &str, place: &str) {
    let found = outcome
        .stdout
        .lines()
        .any(|line| line.contains(&format!("[{rule}]")) && line.contains(place));
    assert!(found, "no {rule} at {place}:\n{}", outcome.shown);
}

#[track_caller]
fn assert_fails(outcome: &Outcome, why: &str) {
    assert_eq!(outcome.code, FAILED, "{}", outcome.shown);
    assert!(outcome.stderr.contains(why), "{}", outcome.shown);
}

#[test]
fn exit_codes_tell_clean_found_and_failed_apart() {
    let tree = Tree::new(&[
        ("good/nginx.conf", ROOT),
        ("good/sites-enabled/shop", GOOD),
        ("bad/nginx.conf", ROOT),
        ("bad/sites-enabled/shop", BAD),
    ]);
    let good = tree.check(&["good/nginx.conf"]);
    assert_eq!((good.code, &*good.shown), (CLEAN, ""));
    let bad = tree.check(&["bad/nginx.conf"]);
    assert_eq!((bad.code, &*bad.stderr), (FOUND, ""));
    assert_finds(&bad, "zero-timeout", "bad/sites-enabled/shop:5:9");
    let lost = tree.check(&["bad/nginx.conf", "none.conf"]);
    assert_finds(&lost, "zero-timeout", "bad/sites-enabled/shop:5:9");
    assert_fails(&lost, "/none.conf: no such file\n");
}

#[test]
fn notes_do_not_fail_a_run() {
    let site = GOOD.replace("proxy_pass", "proxy_connect_timeout 7d; proxy_pass");
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-enabled/shop", &site)]);
    let outcome = tree.check(&["nginx.conf"]);
    assert_finds(&outcome, "ineffective-connect-timeout", "note[");
    assert_eq!(outcome.code, CLEAN);
}

#[test]
fn wrong_flags_and_commands_are_named_with_what_was_meant() {
    let wrong: [(&[&str], &str); 9] = [
        (&["chek"], "'check'"),
        (&["check", "--formt", "json"], "'--format'"),
        (&["check", "--format", "jsn"], "'json'"),
        (&["--context", "htp"], "each must be one of main"),
        (
            &["--nginx-version", "new"],
            "not an nginx version such as 1.28.0",
        ),
        (&["--max-file-size", "4g"], "at most 4294967295 bytes"),
        (&["--max-file-size", "1mb"], "a number of bytes"),
        (&["-q", "-v"], "cannot be used with"),
        (&["check", "x", "--stdin-filename", "y"], "add `-`"),
    ];
    for (arguments, why) in wrong {
        let outcome = nginspect(arguments, b"");
        assert_fails(&outcome, why);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
    let outcome = nginspect(["--\x1b[2Jevil"], b"");
    assert!(!outcome.stderr.contains('\x1b'), "{}", outcome.stderr);
}

#[test]
fn a_file_instead_of_a_command_gets_advice() {
    assert_fails(
        &nginspect(["Cargo.toml"], b""),
        "nginspect check Cargo.toml",
    );
}

#[test]
fn help_and_version_are_answers() {
    for arguments in [["--help"], ["-h"], ["--version"]] {
        let outcome = nginspect(arguments, b"");
        assert_eq!((outcome.code, &*outcome.stderr), (CLEAN, ""));
        assert!(outcome.stdout.contains("nginspect"), "{}", outcome.stdout);
    }
}

#[test]
fn without_a_path_the_usual_one_is_named_and_checked() {
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-enabled/shop", BAD)]);
    let (code, stdout, stderr) = output(program(tree.0.path(), &[], &[]));
    assert_eq!(code, Some(FOUND.into()), "{stdout}{stderr}");
    assert_eq!(stderr, "checking ./nginx.conf\n");
    assert!(stdout.ends_with("\n1 error in 2 files\n"), "{stdout}");
    let (_, stdout, stderr) = output(program(tree.0.path(), &[], &["-q"]));
    assert_eq!(stderr, "");
    assert!(!stdout.contains("2 files"), "{stdout}");
}

#[test]
fn a_prefix_leads_to_its_configuration() {
    let tree = Tree::new(&[
        (
            "conf/nginx.conf",
            "events {}\nhttp { include shop.conf; }\n",
        ),
        ("conf/shop.conf", BAD),
        ("conf/other.conf", "events {}\n"),
    ]);
    let prefix = tree.0.path().to_str().expect("a path in UTF-8");
    let outcome = nginspect(["--prefix", prefix], b"");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    assert!(
        outcome.stderr.contains("conf/nginx.conf"),
        "{}",
        outcome.stderr
    );
    let outcome = nginspect(["--prefix", prefix, "--config", "conf/other.conf"], b"");
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    assert!(
        outcome.stderr.contains("conf/other.conf"),
        "{}",
        outcome.stderr
    );
    let none = tree.path("none");
    let outcome = nginspect([Path::new("--prefix"), &none], b"");
    assert_fails(&outcome, "no configuration found: there is neither");
}

#[test]
fn absolute_includes_of_a_checkout_are_looked_up_below_its_root() {
    let tree = Tree::new(&[
        (
            "etc/nginx/nginx.conf",
            "events {}\nhttp { include /etc/nginx/conf.d/*.conf; }\n",
        ),
        ("etc/nginx/conf.d/shop.conf", BAD),
    ]);
    let root = tree.0.path().to_str().expect("a path in UTF-8");
    let outcome = tree.check_with(&["--root", root], &["etc/nginx/nginx.conf"], b"");
    assert_finds(&outcome, "zero-timeout", "etc/nginx/conf.d/shop.conf:5:9");
    let outcome = nginspect(["--root", root], b"");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
}

#[test]
fn a_file_that_is_named_alone_lies_in_the_folder_of_the_caller() {
    let text = "events {}\nhttp { include /usr/no-such-file.conf; }\n";
    let tree = Tree::new(&[("nginx.conf", text)]);
    for name in ["nginx.conf", "./nginx.conf"] {
        let output = program(tree.0.path(), &[], &["check", name]).output();
        let shown = String::from_utf8(output.expect("an answer").stdout).expect("UTF-8");
        assert!(shown.contains("note[missing-include]"), "{shown}");
    }
}

#[test]
fn a_named_configuration_judges_a_file_that_it_does_not_include() {
    let tree = Tree::new(&[
        (
            "etc/nginx.conf",
            "events {}\nhttp { proxy_read_timeout 0; }\n",
        ),
        ("new/shop", GOOD),
    ]);
    assert_eq!(tree.check(&["new/shop"]).code, CLEAN);
    let config = tree.path("etc/nginx.conf");
    let config = config.to_str().expect("a path in UTF-8");
    let outcome = tree.check_with(&["--config", config], &["new/shop"], b"");
    assert_finds(&outcome, "zero-timeout", "etc/nginx.conf:2");
    let outcome = tree.check_with(&["--config", "none.conf"], &["new/shop"], b"");
    assert_fails(&outcome, "none.conf is unreadable: no such file");
}

#[test]
fn a_link_that_leads_nowhere_is_what_nginx_stumbles_over() {
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-enabled/.keep", "")]);
    tree.link("sites-enabled/gone", "../sites-available/gone");
    let outcome = tree.check(&["nginx.conf"]);
    assert_finds(&outcome, "missing-include", "nginx.conf:3");
    assert!(
        outcome.stdout.contains("leads nowhere"),
        "{}",
        outcome.stdout
    );

    // Made for the host, where it may well lead somewhere.
    fs::remove_file(tree.path("sites-enabled/gone")).expect("a link of our own");
    tree.link("sites-enabled/gone", "/etc/nginx/sites-available/gone-here");
    let outcome = tree.check(&["nginx.conf"]);
    assert!(
        outcome.stdout.contains("note[missing-include]"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_site_is_judged_inside_the_configuration_that_links_it() {
    let tree = Tree::new(&[
        ("nginx.conf", ROOT),
        ("sites-available/shop", BAD),
        ("sites-available/other", BAD),
    ]);
    tree.link("sites-enabled/shop", "../sites-available/shop");
    tree.link("sites-enabled/other", "../sites-available/other");
    let outcome = tree.check(&["sites-available/shop"]);
    assert_finds(&outcome, "zero-timeout", "sites-available/shop:5:9");
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    let both = tree.check(&["sites-available/shop", "sites-available/other"]);
    assert_eq!(both.stdout.lines().count(), 2, "{}", both.stdout);
    let again = tree.check(&["sites-available/shop", "nginx.conf", "sites-enabled/shop"]);
    assert_eq!(again.stdout.lines().count(), 2, "{}", again.stdout);
}

#[test]
fn a_site_that_is_not_enabled_is_judged_as_if_it_were() {
    let tree = Tree::new(&[
        ("nginx.conf", ROOT),
        ("sites-enabled/shop", BAD),
        ("sites-available/new", BAD),
    ]);
    let outcome = tree.check_with(&["-v"], &["sites-available/new"], b"");
    assert_finds(&outcome, "zero-timeout", "sites-available/new:5:9");
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    for part in ["added as if enabled", "in place of ", "read ", "checked "] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
}

#[test]
fn a_folder_without_a_root_gives_every_configuration_in_it() {
    let tree = Tree::new(&[
        ("a/sites-available/shop", BAD),
        ("a/conf.d/other.conf", BAD),
        ("a/logrotate.conf", "weekly\nrotate 4\ncreate\n"),
        ("b/readme.txt", "nothing\n"),
    ]);
    let outcome = tree.check(&["a"]);
    assert_finds(&outcome, "zero-timeout", "sites-available/shop:5:9");
    assert_finds(&outcome, "zero-timeout", "conf.d/other.conf:5:9");
    assert_fails(
        &tree.check(&["b"]),
        "b: no nginx configuration in this folder",
    );
}

#[test]
fn a_fragment_stands_in_the_context_that_it_is_given() {
    let tree = Tree::new(&[(
        "part.conf",
        "proxy_pass http://127.0.0.1:8000;\nproxy_read_timeout 0;\n",
    )]);
    let outcome = tree.check_with(&["--context", "http,server,location"], &["part.conf"], b"");
    assert!(outcome.code < FAILED, "{}", outcome.shown);
    let outcome = tree.check_with(&["-v"], &["part.conf"], b"");
    assert!(outcome.stderr.contains("on its own"), "{}", outcome.stderr);
}

#[test]
fn standard_input_is_a_fragment_without_a_name() {
    let outcome = nginspect(["check", "-"], BAD.as_bytes());
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    assert!(
        outcome.stdout.contains("[<stdin>:5:9]"),
        "{}",
        outcome.stdout
    );
    assert_fails(
        &nginspect(["check", "-"], b""),
        "<stdin>: it holds no directive",
    );
    let outcome = nginspect(["check", "-", "--max-file-size", "10"], BAD.as_bytes());
    assert_fails(&outcome, "<stdin>: larger than the limit of 10 bytes");
}

#[test]
fn standard_input_stands_for_the_file_that_it_names() {
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-available/shop", GOOD)]);
    tree.link("sites-enabled/shop", "../sites-available/shop");
    for name in [
        "sites-available/shop",
        "sites-enabled/shop",
        "sites-available/new",
    ] {
        let path = tree.path(name);
        let path = path.to_str().expect("a path in UTF-8");
        for paths in [&["-"][..], &[]] {
            let outcome = tree.check_with(&["--stdin-filename", path], paths, BAD.as_bytes());
            assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
            let file = name.rsplit('/').next().expect("a name");
            assert_finds(&outcome, "zero-timeout", &format!("{file}:5:9"));
        }
        let outcome = tree.check_with(&["--stdin-filename", path], &["-"], GOOD.as_bytes());
        assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""), "{name}");
    }
}

#[test]
fn findings_in_a_dump_carry_the_names_of_the_real_files() {
    let dump = format!(
        "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
         # configuration file /etc/nginx/nginx.conf:\n{}\n\
         # configuration file /etc/nginx/sites-enabled/shop:\n{BAD}\n",
        ROOT
    );
    let outcome = nginspect(["check", "-", "--format", "concise"], dump.as_bytes());
    assert_finds(
        &outcome,
        "zero-timeout",
        "/etc/nginx/sites-enabled/shop:5:9: ",
    );
    assert_eq!(outcome.code, FOUND);
    let tree = Tree::new(&[("dump.txt", &dump)]);
    assert_eq!(tree.check(&["dump.txt"]).stdout, outcome.stdout);
}

#[test]
fn json_is_one_document_over_all_configurations() {
    let tree = Tree::new(&[
        ("a/nginx.conf", ROOT),
        ("a/sites-enabled/shop", BAD),
        (
            "b/nginx.conf",
            "events {}\nhttp { include mime.types; include shop; }\n",
        ),
        ("b/shop", BAD),
    ]);
    let outcome = tree.check_with(&["--format", "json"], &["a", "b", "none"], b"");
    assert_eq!(outcome.code, FAILED);
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(document["summary"]["errors"], 2);
    assert_eq!(document["summary"]["files"], 4, "stock files were not read");
    let finding = &document["diagnostics"][1];
    assert_eq!(finding["rule"], "zero-timeout");
    assert_eq!(finding["category"], "timeout");
    assert!(
        finding["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("https://"))
    );
}

#[test]
fn text_of_several_configurations_has_one_summary() {
    let tree = Tree::new(&[
        ("a/nginx.conf", ROOT),
        ("a/sites-enabled/shop", BAD),
        ("b/nginx.conf", ROOT),
        ("b/sites-enabled/shop", BAD),
    ]);
    let outcome = tree.check_with(&["--format", "text"], &["a", "b"], b"");
    let findings = outcome.stdout.matches("error[zero-timeout]").count();
    assert_eq!(findings, 2, "{}", outcome.stdout);
    assert!(
        outcome.stdout.ends_with("\n2 errors in 4 files\n"),
        "{}",
        outcome.stdout
    );
    let outcome = tree.check_with(&["--format", "text"], &["none"], b"");
    assert_eq!(
        outcome.stdout, "",
        "nothing was checked, so nothing is called clean"
    );
}

#[test]
fn colours_follow_the_flag_and_the_environment() {
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-enabled/shop", BAD)]);
    let colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        output(program(tree.0.path(), variables, arguments))
            .1
            .contains('\x1b')
    };
    let force = ("CLICOLOR_FORCE", "1");
    assert!(!colored(&[], &[]));
    assert!(colored(&[force], &[]));
    assert!(!colored(&[force, ("NO_COLOR", "1")], &[]));
    assert!(!colored(&[force], &["--color", "never"]));
    assert!(colored(&[("NO_COLOR", "1")], &["--color", "always"]));
    assert!(!colored(&[force], &["check", "--format", "concise"]));
    assert!(colored(&[force], &["rule", "zero-timeout"]));
}

#[test]
fn the_installed_nginx_tells_its_version() {
    let tree = Tree::new(&[
        (
            "bin/nginx",
            "#!/bin/sh\necho 'nginx version: nginx/1.29.8' >&2\necho 'configure arguments: --prefix='$HERE >&2\n",
        ),
        ("conf/nginx.conf", "events {}\n"),
        ("rubbish/nginx", "#!/bin/sh\necho 'what?' >&2\n"),
        ("elsewhere/file", ""),
    ]);
    for name in ["bin/nginx", "rubbish/nginx"] {
        fs::set_permissions(tree.path(name), fs::Permissions::from_mode(0o755))
            .expect("a script that can be run");
    }
    let ask = |folder: &str| {
        let path = tree.path(folder);
        let here = tree.0.path().to_str().expect("a path in UTF-8");
        let path = path.to_str().expect("a path in UTF-8");
        let variables = [("PATH", path), ("HERE", here)];
        let arguments = ["--nginx-version", "auto", "-v"];
        output(program(&tree.path("elsewhere"), &variables, &arguments))
    };
    let (code, _, stderr) = ask("bin");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("conf/nginx.conf\n"), "{stderr}");
    assert!(stderr.contains("for nginx 1.29.8 in"), "{stderr}");
    let (code, _, stderr) = ask("rubbish");
    assert_eq!(code, Some(FAILED.into()), "{stderr}");
    assert!(stderr.contains("does not tell its version"), "{stderr}");
    let installed = [
        "/usr/sbin/nginx",
        "/usr/local/sbin/nginx",
        "/usr/local/nginx/sbin/nginx",
    ];
    if !installed.iter().any(|place| Path::new(place).exists()) {
        let (code, _, stderr) = ask("elsewhere");
        assert_eq!(code, Some(FAILED.into()), "{stderr}");
        assert!(stderr.contains("nginx is not installed here"), "{stderr}");
    }
}

#[test]
fn rules_are_listed_and_shown() {
    let list = nginspect(["rule"], b"");
    assert_eq!(list.code, CLEAN);
    for (name, rule) in RULES {
        assert!(list.stdout.contains(&format!("\n  {name} ")), "{name}");
        let page = nginspect(["rule", name], b"");
        assert_eq!((page.code, &*page.stderr), (CLEAN, ""));
        assert!(
            page.stdout.starts_with(&format!("{name} (")),
            "{}",
            page.stdout
        );
        assert!(
            page.stdout.ends_with(&format!("\n{}\n", rule.see)),
            "{}",
            page.stdout
        );
        let too_wide = page.stdout.lines().find(|line| line.chars().count() > 100);
        assert_eq!(too_wide, None, "{name}");
    }
    assert_fails(
        &nginspect(["rule", "zero_timout"], b""),
        "no rule `zero_timout`; did you mean `zero-timeout`?",
    );
    let outcome = nginspect(["rule", "something-else-entirely"], b"");
    assert_fails(&outcome, "`nginspect rule` lists them all");
    assert!(
        !outcome.stderr.contains("did you mean"),
        "{}",
        outcome.stderr
    );
}

/// A reader that has gone away.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    for arguments in [
        &["check", "-"][..],
        &["check", "--format=json", "-"],
        &["check", "--format=concise", "-"],
        &["rule"],
        &["--help"],
    ] {
        let mut stderr = Vec::new();
        let streams = Streams {
            stdin: &mut BAD.as_bytes(),
            stdout: &mut Gone,
            stderr: &mut stderr,
        };
        let arguments = ["nginspect"].iter().chain(arguments).map(Into::into);
        let code = cli::run(arguments, streams, Terminal::default());
        assert_eq!((code, &*stderr), (CLEAN, &b""[..]));
    }
    let mut child = program(Path::new("."), &[], &["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("a pipe to the program");
    stdin.write_all(BAD.as_bytes()).expect("the program reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(CLEAN.into()));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn what_a_file_name_holds_does_not_reach_the_terminal() {
    let tree = Tree::new(&[("nginx.conf", ROOT)]);
    let name = "sites-enabled/\u{1b}[2J\u{202e}x";
    tree.write(name, BAD.as_bytes());
    for flags in [&["-v"][..], &["--format", "text"]] {
        let outcome = tree.check_with(flags, &[name, "\u{1b}none"], b"");
        assert_eq!(outcome.code, FAILED);
        assert!(outcome.shown.contains("␛[2J"), "{}", outcome.shown);
        assert!(
            !outcome.shown.contains(['\u{1b}', '\u{202e}']),
            "{}",
            outcome.shown
        );
    }
}

// Input of every bad kind: a message and 2, or a finding; nothing hangs, nothing is written.

#[test]
fn what_is_no_configuration_is_not_called_clean() {
    let tree = Tree::new(&[("empty.conf", ""), ("comment.conf", "# nothing\n")]);
    tree.write(
        "binary.conf",
        &(0..=255).cycle().take(5000).collect::<Vec<u8>>(),
    );
    tree.write("zeros.conf", &[0; 5000]);
    tree.write("latin.conf", b"\xe9\xe8\xff\xfe;\n");
    tree.link("a", "b");
    tree.link("b", "a");
    for (name, why) in [
        ("empty.conf", "it holds no directive"),
        ("comment.conf", "it holds no directive"),
        ("latin.conf", "it does not look like an nginx configuration"),
        (
            "binary.conf",
            "it does not look like an nginx configuration",
        ),
        ("zeros.conf", "it does not look like an nginx configuration"),
        ("none.conf", "no such file"),
        ("empty.conf/x", "a part of the path is not a directory"),
        ("a", "too many levels of symbolic links"),
    ] {
        let before = tree.contents();
        assert_fails(&tree.check(&[name]), &format!("/{name}: {why}\n"));
        assert_eq!(tree.contents(), before);
    }
}

#[test]
fn text_that_is_not_utf_8_is_read_as_bytes() {
    let tree = Tree::new(&[]);
    tree.write(
        "nginx.conf",
        b"events {}\nhttp { server { server_name caf\xe9; add_header X \"\xff\xfe\"; } }\n",
    );
    let outcome = tree.check(&["nginx.conf"]);
    assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""));
}

#[test]
fn a_file_without_permission_is_named() {
    let tree = Tree::new(&[
        ("nginx.conf", ROOT),
        ("sites-enabled/secret", GOOD),
        ("sites-enabled/shop", BAD),
    ]);
    let secret = tree.path("sites-enabled/secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("a file of our own");
    // The superuser reads everything; what cannot be read then is a folder where a file should be.
    let reason = if fs::read(&secret).is_err() {
        "permission denied"
    } else {
        fs::remove_file(&secret).expect("a file of our own");
        fs::create_dir(&secret).expect("a folder");
        "is a directory"
    };
    let outcome = tree.check(&["nginx.conf"]);
    assert_fails(&outcome, &format!("sites-enabled/secret: {reason}\n"));
    assert_finds(&outcome, "zero-timeout", "sites-enabled/shop");
    let asked = tree.check(&["sites-enabled/shop"]);
    assert_fails(&asked, &format!("sites-enabled/secret: {reason}\n"));
}

#[test]
fn pipes_and_devices_are_not_opened_for_an_include() {
    let tree = Tree::new(&[
        (
            "nginx.conf",
            "events {}\nhttp { include pipe; include /dev/zero; include d/*; }\n",
        ),
        ("d/shop", BAD),
    ]);
    mkfifo(&tree.path("pipe"));
    tree.link("d/zero", "/dev/zero");
    let outcome = tree.check(&["nginx.conf"]);
    for name in ["pipe", "/dev/zero", "d/zero"] {
        assert_fails(&outcome, &format!("{name}: not a regular file\n"));
    }
    assert_finds(&outcome, "zero-timeout", "d/shop");
}

#[test]
fn a_pipe_that_is_named_is_read() {
    let tree = Tree::new(&[]);
    let pipe = tree.path("pipe");
    mkfifo(&pipe);
    let writer = std::thread::spawn(move || fs::write(pipe, BAD));
    let outcome = tree.check(&["pipe"]);
    writer
        .join()
        .expect("the writer ends")
        .expect("the pipe is read");
    assert_finds(&outcome, "zero-timeout", "pipe:5:9");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    let outcome = nginspect(["check", "/dev/zero", "--max-file-size", "1m"], b"");
    assert_fails(
        &outcome,
        "/dev/zero: larger than the limit of 1048576 bytes",
    );
}

fn mkfifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()));
}

#[test]
fn includes_that_lead_nowhere_are_found() {
    let tree = Tree::new(&[
        (
            "self/nginx.conf",
            "events {}\nhttp { include nginx.conf; }\n",
        ),
        ("ring/nginx.conf", "events {}\nhttp { include a; }\n"),
        ("ring/a", "include b;\n"),
        ("ring/b", "include a;\n"),
        (
            "missing/nginx.conf",
            "events {}\nhttp { include sites/none; }\n",
        ),
        ("missing/sites/other", ""),
        ("links/nginx.conf", "events {}\nhttp { include a; }\n"),
    ]);
    tree.link("links/a", "b");
    tree.link("links/b", "a");
    for (name, rule) in [
        ("self/nginx.conf", "include-cycle"),
        ("ring/nginx.conf", "include-cycle"),
        ("missing/nginx.conf", "missing-include"),
    ] {
        let outcome = tree.check(&[name]);
        assert_finds(&outcome, rule, name.split('/').next().expect("a folder"));
        assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    }
    assert_fails(
        &tree.check(&["links/nginx.conf"]),
        "links/a: too many levels of symbolic links",
    );
}

#[test]
fn includes_that_go_very_deep_are_given_up() {
    let tree = Tree::new(&[("nginx.conf", "events {}\nhttp { include 0; }\n")]);
    for level in 0..1000 {
        tree.write(
            &level.to_string(),
            format!("include {};\n", level + 1).as_bytes(),
        );
    }
    tree.write("1000", BAD.as_bytes());
    assert_fails(
        &tree.check(&["nginx.conf"]),
        "includes nested deeper than nginspect follows",
    );
}

#[test]
fn includes_that_multiply_are_given_up() {
    let tree = Tree::new(&[("nginx.conf", "events {}\nhttp { include 0; }\n")]);
    for level in 0..30 {
        let next = level + 1;
        tree.write(
            &level.to_string(),
            format!("include {next};\ninclude {next};\n").as_bytes(),
        );
    }
    tree.write("30", b"gzip on;\n");
    let start = Instant::now();
    let outcome = tree.check(&["nginx.conf"]);
    assert_fails(&outcome, "nginx.conf: more directives than nginspect reads");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

/// Bad input must cost seconds at most; a machine that does other things too gets some more.
const PATIENCE: Duration = Duration::from_secs(120);

/// A build without optimisation reads a tenth in the same time.
const HUGE: usize = if cfg!(debug_assertions) {
    20_000_000
} else {
    200_000_000
};

#[test]
fn huge_files_of_one_byte_are_given_up_in_time() {
    let tree = Tree::new(&[]);
    for (name, byte) in [
        ("open", b'{'),
        ("close", b'}'),
        ("end", b';'),
        ("word", b'a'),
    ] {
        tree.write(name, &vec![byte; HUGE]);
        let start = Instant::now();
        let outcome = tree.check(&[name]);
        if name == "word" {
            assert_fails(&outcome, "it does not look like an nginx configuration");
        } else {
            assert_finds(&outcome, "syntax-error", &format!("/{name}:1:1"));
            assert_eq!(outcome.code, FOUND, "{}", outcome.stderr);
        }
        assert!(start.elapsed() < PATIENCE, "{name}: {:?}", start.elapsed());
        fs::remove_file(tree.path(name)).expect("a file of our own");
    }
}

#[test]
fn blocks_that_go_very_deep_are_given_up() {
    let tree = Tree::new(&[]);
    let text = format!(
        "events {{}}\nhttp {}{}\n",
        "{ a ".repeat(100_000),
        "{}".to_owned() + &"}".repeat(100_000)
    );
    tree.write("nginx.conf", text.as_bytes());
    tree.write("open.conf", "http { ".repeat(100_000).as_bytes());
    for name in ["nginx.conf", "open.conf"] {
        let outcome = tree.check(&[name]);
        assert_fails(
            &outcome,
            &format!("{name}: blocks nested deeper than nginspect reads"),
        );
    }
}

#[test]
fn files_above_the_limit_are_refused() {
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-enabled/shop", BAD)]);
    let outcome = tree.check_with(&["--max-file-size", "100"], &["nginx.conf"], b"");
    assert_fails(
        &outcome,
        "sites-enabled/shop: larger than the limit of 100 bytes (see --max-file-size)\n",
    );
    assert_eq!(
        tree.check_with(&["--max-file-size", "1k"], &["nginx.conf"], b"")
            .code,
        FOUND
    );
}
