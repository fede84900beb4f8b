//! Findings that are ignored by a comment, or held by a baseline.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use nginspect::cli::{CLEAN, FAILED, FOUND};

use crate::{BAD, GOOD, ROOT, Tree, assert_fails, assert_finds};

const SITE: &str = "sites-enabled/shop";
const ZERO: &str = "        proxy_read_timeout 0;";

/// A whole configuration with this site.
fn tree(site: &str) -> Tree {
    Tree::new(&[("nginx.conf", ROOT), (SITE, site)])
}

/// The bad site with a comment in the place of a mark.
fn commented(before: &str, after: &str) -> String {
    BAD.replace(ZERO, &format!("{before}{ZERO}{after}"))
}

#[track_caller]
fn assert_silent(site: &str) {
    let outcome = tree(site).check(&["nginx.conf"]);
    assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""), "{site}");
}

#[test]
fn a_comment_ignores_what_starts_on_its_line() {
    assert_silent(&commented("", " # nginspect: ignore[zero-timeout] wanted"));
    assert_silent(&commented("", "# nginspect:ignore [ zero-timeout ] wanted"));
}

#[test]
fn a_comment_ignores_what_the_directive_below_it_holds() {
    assert_silent(&commented("# nginspect: ignore[zero-timeout] wanted\n", ""));
    let block = "# nginspect: ignore[short-timeout, zero-timeout] both wanted\n";
    let site = BAD.replace("server {", &format!("{block}server {{"));
    let outcome = tree(&site).check(&["nginx.conf"]);
    assert_finds(&outcome, "unused-ignore", "shop:1:");
    assert!(!outcome.stdout.contains("[zero-timeout]"));
    assert_eq!(outcome.code, FOUND);
}

#[test]
fn a_comment_at_the_top_ignores_the_whole_file() {
    let comment = "# nginspect: ignore-file[zero-timeout] wanted\n";
    assert_silent(&format!("{comment}{BAD}"));
    let marked = format!("\u{feff}{comment}{BAD}");
    let outcome = tree(&marked).check(&["nginx.conf"]);
    assert!(
        !outcome.stdout.contains("zero-timeout"),
        "{}",
        outcome.shown
    );
}

#[test]
fn a_comment_takes_one_place_out_of_a_story_of_several() {
    let place = |name: &str| {
        let list = "proxy_set_header X-Own y;";
        format!("    location /{name}/ {{ proxy_pass http://127.0.0.1:8000; {list} }}\n")
    };
    let places = [place("a"), place("b"), place("c")];
    let outer = "server {\n    proxy_set_header X-Outer x;\n";
    let told = |places: &[String]| {
        let outcome = tree(&format!("{outer}{}}}\n", places.concat()));
        let outcome = outcome.check(&["nginx.conf"]);
        let lines = outcome.stdout.lines();
        let heads = lines.filter(|line| line.contains("[lost-proxy-header]"));
        heads.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&places[..1]).len(), 1);
    let all = told(&places);
    assert!(
        all.len() == 1 && all[0].ends_with("(and at 2 more places)"),
        "{all:?}"
    );
    let comment = "    # nginspect: ignore[lost-proxy-header] wanted\n";
    for ignored in 0..3 {
        let mut places = places.clone();
        places[ignored].insert_str(0, comment);
        let rest = told(&places);
        assert!(
            rest.len() == 1 && rest[0].ends_with("(and at one more place)"),
            "{rest:?}"
        );
    }
}

#[test]
fn an_ignored_include_covers_what_it_brings_in_unless_another_does_too() {
    let root = |include: &str| ROOT.replace("include sites-enabled/*;", include);
    let comment = "# nginspect: ignore[zero-timeout] a guest";
    let once = root(&format!("include sites-enabled/*; {comment}"));
    let tree = Tree::new(&[("nginx.conf", &once), (SITE, BAD)]);
    let outcome = tree.check(&["nginx.conf"]);
    assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""));
    let twice = root(&format!(
        "include sites-enabled/*; {comment}\n include sites-enabled/shop;"
    ));
    tree.write("nginx.conf", twice.as_bytes());
    assert_finds(&tree.check(&["nginx.conf"]), "zero-timeout", "shop:5:9");
    // What stands at the top of a file is about this file.
    let file = format!("# nginspect: ignore-file[zero-timeout] this one\n{ROOT}");
    tree.write("nginx.conf", file.as_bytes());
    let outcome = tree.check(&["nginx.conf"]);
    assert_finds(&outcome, "zero-timeout", "shop:5:9");
    assert_finds(&outcome, "unused-ignore", "nginx.conf:1:");
}

#[test]
fn what_looks_like_a_comment_in_quotes_or_in_lua_is_none() {
    let comment = "# nginspect: ignore[zero-timeout] no";
    assert_finds(
        &tree(&commented(&format!("        set $a '\n{comment}\n';"), "")).check(&["nginx.conf"]),
        "zero-timeout",
        "shop:7:",
    );
    let lua = format!("        access_by_lua_block {{\n{comment}\n}}");
    assert_finds(
        &tree(&commented(&lua, "")).check(&["nginx.conf"]),
        "zero-timeout",
        "shop:7:",
    );
}

#[test]
fn a_comment_that_does_nothing_is_found() {
    let comment = " # nginspect: ignore[zero-timeout]";
    let unused = GOOD.replace("8000;", &format!("8000;{comment} long gone"));
    let outcome = tree(&unused).check(&["nginx.conf"]);
    assert_finds(&outcome, "unused-ignore", "shop:4:");
    let outcome = tree(&commented("", comment)).check(&["nginx.conf"]);
    assert_finds(&outcome, "ignore-without-reason", "shop:5:");
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.shown);
    let misspelled = commented("", " # nginspect: ignore[zero-timeuot] wanted");
    let outcome = tree(&misspelled).check_with(&["--format", "text"], &["nginx.conf"], b"");
    assert!(outcome.stdout.contains("Did you mean `zero-timeout`?"));
}

#[test]
fn of_what_cannot_be_seen_nothing_is_called_unused() {
    let unused = GOOD.replace("8000;", "8000; # nginspect: ignore[zero-timeout] unseen");
    let lone = Tree::new(&[("shop.conf", &unused)]);
    assert_eq!(lone.check(&["shop.conf"]).stdout, "");
    let root = ROOT.replace("include", "include /no/such/host/x.conf; include");
    let partial = Tree::new(&[("nginx.conf", &root), (SITE, &unused)]);
    let outcome = partial.check(&["nginx.conf"]);
    assert!(!outcome.stdout.contains("unused"), "{}", outcome.shown);
}

#[test]
fn an_ignore_in_a_shared_file_is_of_use_when_one_configuration_needs_it() {
    let snippet =
        "proxy_read_timeout 0; # nginspect: ignore[zero-timeout] where there is a backend\n";
    let location = |handler: &str| {
        format!(
            "events {{}}\nhttp {{ server {{ location / {{ {handler}; include snippet.conf; }} }} }}\n"
        )
    };
    let tree = Tree::new(&[
        ("a/nginx.conf", &location("proxy_pass http://127.0.0.1:1")),
        ("b/nginx.conf", &location("return 204")),
        ("snippet", snippet),
    ]);
    tree.link("a/snippet.conf", "../snippet");
    tree.link("b/snippet.conf", "../snippet");
    assert_finds(&tree.check(&["b/nginx.conf"]), "unused-ignore", "snippet");
    let both = tree.check(&["a/nginx.conf", "b/nginx.conf"]);
    assert_eq!((both.code, &*both.shown), (CLEAN, ""));
}

impl Tree {
    /// Writes a baseline, or checks against it.
    fn baseline(&self, flag: &str, names: &[&str]) -> crate::program::Outcome {
        let path = self.path("baseline.json");
        let path = path.to_str().expect("a path of letters");
        self.check_with(&[flag, path], names, b"")
    }
}

#[test]
fn a_baseline_hides_what_it_holds_and_nothing_new() {
    let tree = tree(BAD);
    let written = tree.baseline("--write-baseline", &["nginx.conf"]);
    assert_eq!((written.code, &*written.stdout), (CLEAN, ""));
    assert!(written.stderr.starts_with("wrote 1 finding to "));
    let text = fs::read_to_string(tree.path("baseline.json")).expect("a baseline");
    assert!(text.contains("\"file\": \"sites-enabled/shop\""), "{text}");
    let known = tree.baseline("--baseline", &["nginx.conf"]);
    assert_eq!((known.code, &*known.shown), (CLEAN, ""));

    let moved = BAD
        .replace("server {", "# A comment.\n\nserver {\n    listen 80;")
        .replace("    ", "\t");
    tree.write(SITE, moved.as_bytes());
    let outcome = tree.baseline("--baseline", &["nginx.conf"]);
    assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""));

    let location = "location /new { proxy_pass http://127.0.0.1:1; proxy_read_timeout 0; }\n}";
    let more = format!("{}{location}\n", moved.trim_end().trim_end_matches('}'));
    tree.write(SITE, more.as_bytes());
    let outcome = tree.baseline("--baseline", &["nginx.conf"]);
    assert_eq!(outcome.code, FOUND);
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.shown);
    assert!(outcome.stdout.contains("/new"), "{}", outcome.shown);
}

#[test]
fn equal_findings_are_accepted_as_often_as_the_baseline_holds_them() {
    let server = |times: usize| {
        let location = "    location / {\n        proxy_pass http://127.0.0.1:1;\n        proxy_read_timeout 0;\n    }\n";
        let server = format!("server {{\n    server_name a;\n{location}}}\n");
        server.repeat(times)
    };
    let tree = tree(&server(2));
    let written = tree.baseline("--write-baseline", &["nginx.conf"]);
    assert!(written.stderr.starts_with("wrote 2 "), "{}", written.shown);
    assert_eq!(tree.baseline("--baseline", &["nginx.conf"]).shown, "");
    tree.write(SITE, server(3).as_bytes());
    let outcome = tree.baseline("--baseline", &["nginx.conf"]);
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.shown);
    assert_finds(&outcome, "zero-timeout", "shop:19:9");
}

#[test]
fn entries_that_match_nothing_are_said() {
    let tree = tree(BAD);
    tree.write("sites-enabled/other", BAD.as_bytes());
    tree.baseline("--write-baseline", &["nginx.conf"]);
    // What was not looked at may well be there.
    let one = tree.baseline("--baseline", &[SITE]);
    assert_eq!((one.code, &*one.shown), (CLEAN, ""));
    tree.write(SITE, GOOD.as_bytes());
    let outcome = tree.baseline("--baseline", &["nginx.conf"]);
    assert_eq!((outcome.code, &*outcome.stdout), (CLEAN, ""));
    assert!(outcome.stderr.starts_with("1 entry of "));
    assert!(outcome.stderr.ends_with(" no longer matches anything\n"));
    fs::remove_file(tree.path("sites-enabled/other")).expect("a file that can be removed");
    let flags = [
        "-v",
        "--baseline",
        tree.path("baseline.json").to_str().expect("letters"),
    ]
    .map(str::to_owned);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let outcome = tree.check_with(&flags, &["nginx.conf"], b"");
    assert!(
        outcome.stderr.contains("2 entries of "),
        "{}",
        outcome.shown
    );
    assert!(
        outcome
            .stderr
            .contains("  sites-enabled/other: [zero-timeout] ")
    );
    let quiet: Vec<&str> = ["-q"]
        .into_iter()
        .chain(flags[1..].iter().copied())
        .collect();
    assert_eq!(tree.check_with(&quiet, &["nginx.conf"], b"").shown, "");
}

#[test]
fn a_baseline_that_cannot_be_used_is_an_error() {
    let tree = tree(BAD);
    let missing = tree.baseline("--baseline", &["nginx.conf"]);
    assert_fails(&missing, "baseline.json: no such file");
    assert_eq!(missing.stdout, "");
    tree.write("baseline.json", b"{}");
    let broken = tree.baseline("--baseline", &["nginx.conf"]);
    assert_fails(&broken, "no baseline of nginspect");
    let arguments = ["--baseline", "x", "--write-baseline", "y"];
    assert_fails(
        &tree.check_with(&arguments, &[], b""),
        "cannot be used with",
    );
}

#[test]
fn a_baseline_is_not_written_when_something_could_not_be_read() {
    let tree = tree(BAD);
    tree.write("baseline.json", b"old");
    let outcome = tree.baseline("--write-baseline", &["nginx.conf", "none.conf"]);
    assert_eq!(outcome.code, FAILED);
    assert!(
        outcome.stderr.contains("is not written"),
        "{}",
        outcome.shown
    );
    let text = fs::read(tree.path("baseline.json")).expect("a baseline");
    assert_eq!(text, b"old");
    let path = tree.path("no/such/folder.json");
    let flags = ["--write-baseline", path.to_str().expect("letters")];
    let outcome = tree.check_with(&flags, &["nginx.conf"], b"");
    assert_fails(&outcome, "folder.json: no such file");
}

#[test]
fn a_baseline_is_written_where_its_link_leads_and_is_an_ordinary_file() {
    let tree = tree(BAD);
    tree.write("real/baseline.json", b"old");
    symlink("real/baseline.json", tree.path("baseline.json")).expect("a link");
    tree.baseline("--write-baseline", &["nginx.conf"]);
    assert!(tree.path("baseline.json").is_symlink());
    let metadata = fs::metadata(tree.path("real/baseline.json")).expect("a baseline");
    assert!(metadata.len() > 3);
    let ordinary = fs::metadata(tree.path("nginx.conf")).expect("a file");
    assert_eq!(metadata.permissions().mode(), ordinary.permissions().mode());
    let entries = fs::read_dir(tree.path("real")).expect("a folder").count();
    assert_eq!(entries, 1, "nothing temporary is left");
}
