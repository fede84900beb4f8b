//! `diff`: two configurations from files, dumps, standard input and revisions, and the three ways to print what differs.

use super::*;

use serde_json::Value;

const OLD: &str = "\
events {}
http {
    upstream api { server 127.0.0.1:8000; }
    server {
        listen 80;
        server_name shop.example;
        location / { root /srv/www; }
        location /api/ {
            proxy_pass http://api;
            proxy_set_header Host $host;
        }
        location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; }
        location ~ ^/app/ { proxy_pass http://127.0.0.1:8080; }
        location = /old { return 301 /new; }
    }
}
";

impl Tree {
    /// Compares two files of the tree; file names in the output lose the folder.
    fn diff(&self, flags: &[&str], old: &str, new: &str) -> Outcome {
        let place = |name: &str| match name.starts_with("git:") || name == "-" {
            true => PathBuf::from(name),
            false => self.path(name),
        };
        let start = ["diff"].iter().chain(flags).map(PathBuf::from);
        let mut outcome = nginspect(start.chain([place(old), place(new)]), OLD.as_bytes());
        let folder = format!("{}/", self.0.path().display());
        outcome.stdout = outcome.stdout.replace(&folder, "");
        outcome
    }
}

fn changed(from: &[(&str, &str)]) -> Tree {
    let new = from
        .iter()
        .fold(OLD.to_owned(), |text, (old, new)| text.replace(old, new));
    assert!(from.is_empty() || new != OLD, "nothing changed");
    Tree::new(&[("old.conf", OLD), ("new.conf", &new)])
}

const CHANGES: [(&str, &str); 3] = [
    ("server 127.0.0.1:8000", "server 127.0.0.1:8001"),
    ("return 301 /new", "return 302 /new"),
    (
        "root /srv/www;",
        "root /srv/www; gzip on; add_header X-Frame-Options DENY;",
    ),
];

#[test]
fn each_difference_has_a_request_and_a_reason() {
    let outcome = changed(&CHANGES).diff(&[], "old.conf", "new.conf");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn programs_read_the_differences_as_one_document() {
    let outcome = changed(&CHANGES[1..2]).diff(&["--format", "json"], "old.conf", "new.conf");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("JSON"));
}

#[test]
fn a_comment_on_a_pull_request_is_a_table() {
    let outcome = changed(&CHANGES).diff(&["--format", "github"], "old.conf", "new.conf");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn order_comments_files_and_logs_make_no_difference() {
    let api = "        location /api/ {
            proxy_pass http://api;
            proxy_set_header Host $host;
        }
";
    let moved = OLD.replace(api, "").replace(
        "        location / { root",
        "        # First.\n        access_log off;\n        include api.conf;\n        location / { root",
    );
    let tree = Tree::new(&[("old.conf", OLD), ("new.conf", &moved), ("api.conf", api)]);
    let outcome = tree.diff(&[], "old.conf", "new.conf");
    assert_eq!(
        (outcome.code, &*outcome.shown),
        (CLEAN, "no request is answered differently\n")
    );
}

#[test]
fn regexes_that_change_places_are_told_by_the_request_that_notices() {
    let first = "        location ~ \\.php$ { fastcgi_pass 127.0.0.1:9000; }\n";
    let second = "        location ~ ^/app/ { proxy_pass http://127.0.0.1:8080; }\n";
    let tree = changed(&[(&[first, second].concat(), &[second, first].concat())]);
    let outcome = tree.diff(&[], "old.conf", "new.conf");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn a_socket_that_one_side_has_is_a_difference() {
    let tree = changed(&[("listen 80;", "listen 80; listen 8080;")]);
    let outcome = tree.diff(&[], "old.conf", "new.conf");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn what_was_not_read_is_undecided() {
    let tree = changed(&[("listen 80;", "listen 80; include missing.conf;")]);
    let outcome = tree.diff(&[], "old.conf", "new.conf");
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
    assert!(
        outcome
            .stdout
            .contains("undecided: what new.conf:5 includes in new"),
        "{}",
        outcome.shown
    );
}

#[test]
fn dumps_folders_and_standard_input_are_compared_too() {
    let dump = format!("# configuration file /etc/nginx/nginx.conf:\n{OLD}\n");
    let tree = Tree::new(&[("dump", &dump), ("etc/nginx.conf", OLD)]);
    for (old, new) in [("dump", "etc"), ("-", "dump"), ("etc/nginx.conf", "-")] {
        let outcome = tree.diff(&[], old, new);
        assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
        assert_eq!(outcome.stdout, "no request is answered differently\n");
    }
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let tree = Tree::new(&[
        ("old.conf", OLD),
        ("none.conf", "events {}\nhttp {}\n"),
        ("folder/text", "no configuration"),
    ]);
    assert_fails(&tree.diff(&[], "-", "-"), "cannot be both");
    assert_fails(&tree.diff(&[], "old.conf", "lost.conf"), "lost.conf");
    assert_fails(&tree.diff(&[], "old.conf", "none.conf"), "has no server");
    assert_fails(
        &tree.diff(&[], "old.conf", "folder"),
        "no nginx configuration",
    );
    assert_fails(&tree.diff(&[], "git:HEAD", "old.conf"), "git");
    assert_fails(&tree.diff(&[], "git:HEAD", "-"), "git:HEAD:PATH");
}

/// Runs git in a folder, without what a person may have set.
fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args(["-c", "user.name=a", "-c", "user.email=a@b.example"])
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .expect("git runs");
    assert!(status.success(), "git {arguments:?}");
}

#[test]
fn a_revision_is_read_with_what_it_includes() {
    let root = "events {}\nhttp {\n    include sites/*.conf;\n}\n";
    let site = "server {\n    server_name a.example;\n    location / { return 204; }\n}\n";
    let tree = Tree::new(&[("conf/nginx.conf", root), ("conf/sites/a.conf", site)]);
    let folder = tree.0.path();
    tree.link("conf/sites/b.conf", "../parts/b");
    tree.write(
        "conf/parts/b",
        site.replace("a.example", "b.example").as_bytes(),
    );
    for arguments in [
        &["init", "-q"][..],
        &["add", "-A"],
        &["commit", "-q", "-m", "first"],
    ] {
        git(folder, arguments);
    }
    let same = tree.diff(&[], "git:HEAD", "conf/nginx.conf");
    assert_eq!(
        same.stdout, "no request is answered differently\n",
        "{}",
        same.shown
    );
    // A file that is new in the working tree is none of the revision.
    tree.write("conf/sites/a.conf", site.replace("204", "410").as_bytes());
    tree.write(
        "conf/sites/c.conf",
        site.replace("a.example", "c.example").as_bytes(),
    );
    let outcome = tree.diff(&[], "git:HEAD", "conf/nginx.conf");
    assert_eq!(outcome.code, FOUND, "{}", outcome.shown);
    insta::assert_snapshot!(outcome.stdout);
    assert_fails(&tree.diff(&[], "git:nowhere", "conf/nginx.conf"), "nowhere");
    assert_fails(
        &tree.diff(&[], "git:HEAD", "conf/sites/c.conf"),
        "is not in `HEAD`",
    );
    assert_fails(
        &tree.diff(&[], "git:--output=x", "conf/nginx.conf"),
        "is no revision",
    );
}
