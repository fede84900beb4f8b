//! `check --fix`, `--unsafe-fixes` and `--diff`: what is written, and what never is.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::program::{Outcome, nginspect};

/// A location whose handshake lacks HTTP/1.1, which is safe to cure, and an alias that is not.
const SITE: &str = "server {
    server_name a.example;
    location /api/ws/ {
        proxy_pass http://127.0.0.1:8000;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection \"upgrade\";
        proxy_read_timeout 1h;
    }
    location /static {
        alias /srv/static/;
    }
}
";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn check(flags: &[&str], path: &Path) -> Outcome {
    let path = path.to_str().expect("a UTF-8 path");
    nginspect(["check"].iter().chain(flags).chain([&path]), b"")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a text")
}

#[test]
fn safe_fixes_are_made_and_unsafe_ones_on_request_only() {
    let folder = folder(&[("site.conf", SITE)]);
    let path = folder.path().join("site.conf");
    let outcome = check(&["--fix"], &path);
    let fixed = SITE.replace(
        "\"upgrade\";\n",
        "\"upgrade\";\n        proxy_http_version 1.1;\n",
    );
    assert_eq!(text(&path), fixed);
    assert_eq!(outcome.code, 1, "the alias is left: {}", outcome.shown);
    assert!(
        outcome.stderr.contains("made 1 fix in 1 file"),
        "{}",
        outcome.shown
    );

    let again = check(&["--fix"], &path);
    assert_eq!(text(&path), fixed, "a second time changes nothing");
    assert!(!again.stderr.contains("fixed"), "{}", again.stderr);

    let outcome = check(&["--unsafe-fixes"], &path);
    assert_eq!(text(&path), fixed.replace("/static {", "/static/ {"));
    assert_eq!(outcome.code, 0, "{}", outcome.shown);
}

#[test]
fn a_diff_shows_what_would_change_and_changes_nothing() {
    let folder = folder(&[("site.conf", SITE)]);
    let path = folder.path().join("site.conf");
    let outcome = check(&["--diff"], &path);
    assert_eq!(outcome.code, 1);
    assert_eq!(text(&path), SITE);
    let hunk = "@@ -5,6 +5,7 @@\n         proxy_set_header Host $host;\n         proxy_set_header Upgrade \
                $http_upgrade;\n         proxy_set_header Connection \"upgrade\";\n+        proxy_http_version 1.1;\n";
    assert!(outcome.stdout.contains(hunk), "{}", outcome.stdout);
    assert!(
        check(&["--diff", "--unsafe-fixes"], &path)
            .stdout
            .contains("+    location /static/ {")
    );

    check(&["--fix"], &path);
    let outcome = check(&["--diff"], &path);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
}

#[test]
fn a_diff_is_one_that_patch_applies() {
    let folder = folder(&[("site.conf", SITE)]);
    let path = folder.path().join("site.conf");
    let diff = check(&["--diff", "--unsafe-fixes"], &path).stdout;
    let patch = std::process::Command::new("git")
        .args(["apply", "-"])
        .current_dir("/")
        .stdin(std::process::Stdio::piped())
        .spawn();
    let Ok(mut patch) = patch else { return };
    std::io::Write::write_all(&mut patch.stdin.take().expect("a pipe"), diff.as_bytes())
        .expect("git reads it");
    assert!(patch.wait().expect("git ends").success(), "{diff}");
    let patched = text(&path);
    assert_ne!(patched, SITE);
    fs::write(&path, SITE).expect("a file");
    check(&["--unsafe-fixes"], &path);
    assert_eq!(patched, text(&path));
}

#[test]
fn a_link_stays_a_link_and_the_file_keeps_its_mode() {
    let folder = folder(&[
        (
            "nginx.conf",
            "events {}\nhttp { include sites-enabled/*; }\n",
        ),
        ("sites-available/a", SITE),
        ("sites-enabled/.keep", ""),
    ]);
    let target = folder.path().join("sites-available/a");
    let link = folder.path().join("sites-enabled/a");
    symlink("../sites-available/a", &link).expect("a link");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("a mode");
    let before = fs::metadata(&target).expect("a file");

    check(&["--fix"], &link);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert!(text(&target).contains("proxy_http_version 1.1;"));
    let after = fs::metadata(&target).expect("a file");
    assert_eq!(after.mode(), before.mode());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    let names: Vec<_> = fs::read_dir(target.parent().expect("a folder"))
        .expect("a folder")
        .flatten()
        .collect();
    assert_eq!(names.len(), 1, "no temporary file is left");
}

#[test]
fn extended_attributes_are_kept() {
    let folder = folder(&[("site.conf", SITE)]);
    let path = folder.path().join("site.conf");
    if xattr::set(&path, "user.nginspect", b"kept").is_err() {
        return;
    }
    check(&["--fix"], &path);
    assert!(text(&path).contains("proxy_http_version"));
    assert_eq!(
        xattr::get(&path, "user.nginspect")
            .expect("an attribute")
            .as_deref(),
        Some(&b"kept"[..])
    );
}

#[test]
fn a_read_only_file_is_an_error_and_the_others_are_fixed() {
    let folder = folder(&[
        ("conf.d/a.conf", SITE),
        ("conf.d/b.conf", &SITE.replace("a.example", "b.example")),
    ]);
    let locked = folder.path().join("conf.d/a.conf");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).expect("a mode");
    let outcome = check(&["--fix"], folder.path());
    assert_eq!(outcome.code, 2, "{}", outcome.shown);
    assert!(
        outcome.stderr.contains("conf.d/a.conf: it is read-only"),
        "{}",
        outcome.stderr
    );
    assert_eq!(text(&locked), SITE);
    assert!(text(&folder.path().join("conf.d/b.conf")).contains("proxy_http_version 1.1;"));
}

#[test]
fn a_fix_of_two_files_is_made_in_both_or_in_none() {
    let site = "server {\n    location / {\n        proxy_pass http://127.0.0.1:8000;\n        proxy_http_version 1.1;\n        \
                proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n    }\n}\n";
    let main = "events {}\nhttp {\n    sendfile on;\n    include site.conf;\n}\n";
    for locked in [false, true] {
        let folder = folder(&[("nginx.conf", main), ("site.conf", site)]);
        let (root, inside) = (
            folder.path().join("nginx.conf"),
            folder.path().join("site.conf"),
        );
        if locked {
            fs::set_permissions(&root, fs::Permissions::from_mode(0o444)).expect("a mode");
        }
        let outcome = check(&["--fix"], &inside);
        let both = (
            text(&root).contains("map $http_upgrade"),
            text(&inside).contains("$connection_upgrade"),
        );
        assert_eq!(both, (!locked, !locked), "{}", outcome.shown);
        assert_eq!(
            outcome.code,
            if locked { 2 } else { 0 },
            "{}",
            outcome.shown
        );
    }
}

#[test]
fn standard_input_is_fixed_to_standard_output() {
    let outcome = nginspect(["check", "--fix", "-"], SITE.as_bytes());
    assert_eq!(
        outcome.stdout,
        SITE.replace(
            "\"upgrade\";\n",
            "\"upgrade\";\n        proxy_http_version 1.1;\n"
        )
    );
    assert!(
        outcome.stderr.contains("alias-traversal"),
        "what is left is told beside it: {}",
        outcome.stderr
    );
    assert_eq!(outcome.code, 1);
}

#[test]
fn a_dump_cannot_be_fixed() {
    let dump =
        format!("# configuration file /etc/nginx/nginx.conf:\nevents {{}}\nhttp {{\n{SITE}\n}}\n");
    let outcome = nginspect(["check", "--fix", "-"], dump.as_bytes());
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    assert!(
        outcome.stderr.contains("a dump cannot be fixed"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_fix_that_would_add_an_error_is_withdrawn() {
    let text_before = "events {}\nhttp {\n    server {\n        location /static { alias /srv/a/; }\n        \
                       location /static/ { root /srv; }\n        location /media { alias /srv/b/; }\n    }\n}\n";
    let folder = folder(&[("nginx.conf", text_before)]);
    let path = folder.path().join("nginx.conf");
    let outcome = check(&["--unsafe-fixes"], &path);
    assert_eq!(
        text(&path),
        text_before.replace("/media {", "/media/ {"),
        "{}",
        outcome.shown
    );
}

#[test]
fn a_fix_that_nginx_would_refuse_is_withdrawn_whatever_rules_run() {
    let pass = "proxy_pass http://$backend/;\n";
    let root = "events {}\nhttp {\n    server {\n        set $backend 127.0.0.1;\n        location /api/ {\n            \
                include pass.conf;\n            limit_except GET { include pass.conf; }\n        }\n    }\n}\n";
    let folder = folder(&[("nginx.conf", root), ("pass.conf", pass)]);
    let path = folder.path().join("nginx.conf");
    let outcome = check(&["--unsafe-fixes", "--select", "constant-proxy-uri"], &path);
    assert_eq!(
        text(&folder.path().join("pass.conf")),
        pass,
        "{}",
        outcome.shown
    );
    assert!(outcome.shown.contains("not fixed"), "{}", outcome.shown);
}

#[test]
fn bytes_that_are_not_utf8_and_line_endings_survive() {
    let site: Vec<u8> = [
        b"# caf\xe9\r\n".to_vec(),
        SITE.replace('\n', "\r\n").into_bytes(),
    ]
    .concat();
    let folder = folder(&[("site.conf", "")]);
    let path = folder.path().join("site.conf");
    fs::write(&path, &site).expect("a file");
    check(&["--fix"], &path);
    let fixed = fs::read(&path).expect("a file");
    assert!(fixed.starts_with(b"# caf\xe9\r\n"));
    assert_eq!(
        fixed.iter().filter(|byte| **byte == b'\n').count(),
        fixed.iter().filter(|byte| **byte == b'\r').count()
    );
    assert_eq!(
        fixed.len(),
        site.len() + "        proxy_http_version 1.1;\r\n".len()
    );
}

#[test]
fn missing_marks_are_put_in() {
    let folder = folder(&[(
        "nginx.conf",
        "events {}\nhttp {\n    server {\n        listen 80\n        root /srv\n    }\n",
    )]);
    let path = folder.path().join("nginx.conf");
    let outcome = check(&["--fix"], &path);
    assert_eq!(
        text(&path),
        "events {}\nhttp {\n    server {\n        listen 80;\n        root /srv;\n    }\n}\n",
        "{}",
        outcome.shown
    );
    assert_eq!(outcome.code, 0, "{}", outcome.shown);
}

#[test]
fn many_locations_share_the_map_that_the_first_one_brings() {
    let location = |number: usize| {
        format!("        location /ws/{number}/ {{ proxy_pass http://127.0.0.1:8000; }}\n")
    };
    let locations: String = (0..40).map(location).collect();
    let folder = folder(&[(
        "nginx.conf",
        &format!("events {{}}\nhttp {{\n    server {{\n{locations}    }}\n}}\n"),
    )]);
    let path = folder.path().join("nginx.conf");
    let outcome = check(&["--unsafe-fixes"], &path);
    let fixed = text(&path);
    assert_eq!(fixed.matches("map $http_upgrade").count(), 1, "{fixed}");
    assert_eq!(fixed.matches("Connection $connection_upgrade").count(), 40);
    assert_eq!(outcome.code, 0, "{}", outcome.shown);
}

#[test]
fn a_file_that_changed_since_it_was_read_is_left_alone() {
    use nginspect::fix::{Change, write};
    let folder = folder(&[("a", "new"), ("b", "old")]);
    let change = |name: &str| Change {
        path: folder.path().join(name),
        name: name.to_owned(),
        before: b"old".to_vec(),
        after: b"fixed".to_vec(),
    };
    let refused = write(&[change("a"), change("b")], &[]);
    assert_eq!(
        refused,
        [(
            folder.path().join("a"),
            "it has changed since it was read".to_owned()
        )]
    );
    assert_eq!(
        (
            text(&folder.path().join("a")),
            text(&folder.path().join("b"))
        ),
        ("new".to_owned(), "fixed".to_owned())
    );
}

#[test]
fn what_the_baseline_accepts_is_not_fixed() {
    let folder = folder(&[("site.conf", SITE)]);
    let path = folder.path().join("site.conf");
    let baseline = folder.path().join("baseline.json");
    let baseline = baseline.to_str().expect("a UTF-8 path");
    assert_eq!(check(&["--write-baseline", baseline], &path).code, 0);
    let outcome = check(&["--diff", "--baseline", baseline], &path);
    assert_eq!((outcome.code, &*outcome.stdout), (0, ""));
    check(&["--fix", "--baseline", baseline], &path);
    assert_eq!(text(&path), SITE);

    let more = SITE.replace("/static {", "/live/ {").replace(
        "alias /srv/static/;",
        "proxy_pass http://127.0.0.1:1; proxy_set_header Upgrade $http_upgrade; \
         proxy_set_header Connection upgrade; proxy_read_timeout 1h;",
    );
    fs::write(&path, more).expect("a file");
    let outcome = check(&["--fix", "--baseline", baseline], &path);
    assert!(
        outcome.stderr.contains("made 1 fix in 1 file"),
        "{}",
        outcome.shown
    );
    assert_eq!(text(&path).matches("proxy_http_version").count(), 1);
}

#[test]
fn fixes_that_could_not_be_written_are_not_counted() {
    let folder = folder(&[("a.conf", SITE), ("b.conf", SITE)]);
    let locked = folder.path().join("a.conf");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).expect("a mode");
    let outcome = check(&["--fix"], folder.path());
    assert_eq!(outcome.code, 2, "{}", outcome.shown);
    assert!(
        outcome.stderr.contains("made 1 fix in 1 file"),
        "{}",
        outcome.shown
    );
}

#[test]
fn a_diff_names_what_patch_can_change() {
    let folder = folder(&[(
        "nginx.conf",
        "events {}\nhttp {\n    include sites-enabled/*;\n}\n",
    )]);
    for name in ["sites-available", "sites-enabled"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let names = ["with space", "with\n+++ \"line\""];
    for name in names {
        let target = folder.path().join("sites-available").join(name);
        fs::write(&target, SITE).expect("a file");
        symlink(&target, folder.path().join("sites-enabled").join(name)).expect("a link");
    }
    let outcome = check(&["--diff"], folder.path());
    let heads: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("+++ "))
        .collect();
    assert!(
        matches!(heads[..], [quoted, plain]
            if quoted.starts_with("+++ \"b/")
                && quoted.ends_with("sites-available/with\\012+++ \\\"line\\\"\"")
                && plain.ends_with("sites-available/with space\t")),
        "{}",
        outcome.shown
    );
}

#[test]
fn what_can_be_read_only_once_is_not_fixed() {
    let outcome = check(&["--diff"], Path::new("/dev/null"));
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains("it is a pipe or a device"),
        "{}",
        outcome.shown
    );
}
