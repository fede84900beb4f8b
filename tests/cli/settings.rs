//! `nginspect.toml`: where it is found, what it may hold, and what each of its keys does.

use std::path::Path;

use nginspect::cli::{CLEAN, FAILED, FOUND};

use crate::program::{Outcome, nginspect};
use crate::{BAD, GOOD, ROOT, Tree, assert_fails, assert_finds, output, program};

/// A whole configuration with one location.
fn location(path: &str, lines: &str) -> String {
    format!(
        "events {{}}\nhttp {{\n    server {{\n        location {path} {{\n            proxy_pass http://127.0.0.1:8000;\n            {lines}\n        }}\n    }}\n}}\n"
    )
}

fn with(settings: &str, configuration: &str) -> Tree {
    Tree::new(&[("nginspect.toml", settings), ("nginx.conf", configuration)])
}

/// Checks a configuration under these settings.
fn under(settings: &str, configuration: &str) -> Outcome {
    with(settings, configuration).check(&["nginx.conf"])
}

#[track_caller]
fn assert_clean(outcome: &Outcome) {
    assert_eq!((outcome.code, &*outcome.shown), (CLEAN, ""));
}

#[test]
fn the_file_nearest_upwards_counts_for_each_path() {
    let tree = Tree::new(&[
        ("nginspect.toml", "ignore = [\"zero-timeout\"]\n"),
        ("a/nginx.conf", ROOT),
        ("a/sites-enabled/shop", BAD),
        ("b/nginspect.toml", "level.zero-timeout = \"note\"\n"),
        ("b/nginx.conf", ROOT),
        ("b/sites-enabled/shop", BAD),
    ]);
    assert_clean(&tree.check(&["a/sites-enabled/shop"]));
    let b = tree.check(&["b/sites-enabled/shop"]);
    assert_finds(&b, "zero-timeout", "note[");
    assert_eq!(b.code, CLEAN);
    let both = tree.check(&["a/nginx.conf", "b"]);
    assert_eq!(both.stdout, b.stdout);
    tree.write("b/nginspect.toml", b"");
    assert_eq!(tree.check(&["b"]).code, FOUND);
}

#[test]
fn a_folder_below_a_searched_one_has_its_own_settings() {
    let tree = Tree::new(&[
        ("all/nginspect.toml", "fail-on = \"error\"\n"),
        ("all/one/site.conf", BAD),
        ("all/two/nginspect.toml", "ignore = [\"zero-timeout\"]\n"),
        ("all/two/site.conf", BAD),
    ]);
    let outcome = tree.check(&["all"]);
    assert_finds(&outcome, "zero-timeout", "one/site.conf");
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
}

#[test]
fn a_linked_site_has_the_settings_of_where_it_is_linked_or_else_lies() {
    let tree = Tree::new(&[
        ("etc/nginx.conf", ROOT),
        ("repository/shop", BAD),
        ("repository/nginspect.toml", "ignore = [\"zero-timeout\"]\n"),
    ]);
    tree.link("etc/sites-enabled/shop", "../../repository/shop");
    assert_clean(&tree.check(&["etc/sites-enabled/shop"]));
    tree.write("etc/nginspect.toml", b"");
    assert_eq!(tree.check(&["etc/sites-enabled/shop"]).code, FOUND);
}

#[test]
fn a_named_file_of_settings_counts_for_all_paths() {
    let tree = Tree::new(&[
        ("other.toml", "ignore = [\"zero-timeout\"]\n"),
        ("nginspect.toml", "nonsense = 1\n"),
        ("nginx.conf", ROOT),
        ("sites-enabled/shop", BAD),
    ]);
    let named = tree.path("other.toml");
    let named = named.to_str().expect("a path in UTF-8");
    assert_clean(&tree.check_with(&["--settings", named], &["nginx.conf"], b""));
    let outcome = tree.check_with(&["--settings", "none.toml"], &["nginx.conf"], b"");
    assert_fails(&outcome, "cannot read none.toml: no such file\n");
    assert_eq!(outcome.stdout, "");
}

#[test]
fn standard_input_has_the_settings_of_the_file_that_it_stands_for() {
    let tree = Tree::new(&[
        ("nginspect.toml", "ignore = [\"zero-timeout\"]\n"),
        ("nginx.conf", ROOT),
    ]);
    let name = tree.path("sites-enabled/shop");
    let name = name.to_str().expect("a path in UTF-8");
    assert_clean(&tree.check_with(&["--stdin-filename", name], &["-"], BAD.as_bytes()));
}

#[test]
fn flags_win_over_the_file() {
    let short = location("/", "proxy_read_timeout 3s;");
    let tree = with(
        "select = [\"websocket\"]\nignore = [\"short-timeout\"]\n",
        &short,
    );
    assert_clean(&tree.check(&["nginx.conf"]));
    let outcome = tree.check_with(&["--select", "short-timeout"], &["nginx.conf"], b"");
    assert_finds(&outcome, "short-timeout", "nginx.conf:6");
    let flags = ["--select", "proxy,timeout", "--ignore", "short-timeout"];
    assert_clean(&tree.check_with(&flags, &["nginx.conf"], b""));

    let upgrade = location(
        "/ws/",
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 1h;",
    );
    let tree = with("nginx-version = \"1.28\"\n", &upgrade);
    let outcome = tree.check(&["nginx.conf"]);
    assert_finds(&outcome, "incomplete-websocket-upgrade", "nginx.conf:");
    let outcome = tree.check_with(&["--nginx-version", "1.29.8"], &["nginx.conf"], b"");
    assert_eq!(outcome.code, CLEAN, "{}", outcome.shown);
}

#[test]
fn unknown_rules_in_flags_are_named_with_what_was_meant() {
    let outcome = nginspect(["check", "--select", "zero_timout", "x"], b"");
    assert_fails(&outcome, "did you mean `zero-timeout`?");
    let outcome = nginspect(["check", "--ignore", "prxy", "x"], b"");
    assert_fails(&outcome, "did you mean `proxy`?");
    let outcome = nginspect(["check", "--ignore", "everything", "x"], b"");
    assert_fails(&outcome, "`nginspect rule` lists them");
}

/// The errors of a file of settings without the path of its folder, in their order.
fn refused(settings: &str) -> String {
    let tree = with(settings, ROOT);
    let outcome = tree.check(&["nginx.conf"]);
    assert_eq!(outcome.code, FAILED, "{settings}{}", outcome.shown);
    assert_eq!(outcome.stdout, "");
    let folder = tree.0.path().canonicalize().expect("a folder");
    let folder = format!("{}/", folder.display());
    outcome.stderr.replace(&folder, "")
}

#[test]
fn mistakes_are_shown_in_the_file_with_what_was_meant() {
    let shown = refused(
        "ingore = [\"timeout\"]\nselect = [\"zero-timout\", 5]\nshort-timeout = 2\n\n[level]\nproxy = \"eror\"\n",
    );
    insta::assert_snapshot!(shown, @r#"
    error[settings]: there is no setting `ingore`
       ╭─[nginspect.toml:1:1]
     1 │ ingore = ["timeout"]
       · ───┬──
       ·    ╰── did you mean `ignore`?
     2 │ select = ["zero-timout", 5]
       ╰────

    error[settings]: there is no rule or category `zero-timout`; did you mean `zero-timeout`?
       ╭─[nginspect.toml:2:11]
     1 │ ingore = ["timeout"]
     2 │ select = ["zero-timout", 5]
       ·           ──────┬──────
       ·                 ╰── in `select`
     3 │ short-timeout = 2
       ╰────

    error[settings]: `select` is a list of strings, not a number
       ╭─[nginspect.toml:2:26]
     1 │ ingore = ["timeout"]
     2 │ select = ["zero-timout", 5]
       ·                          ─
     3 │ short-timeout = 2
       ╰────
      help: For example `select = ["websocket", "proxy"]`.

    error[settings]: `short-timeout` is a string, not a number
       ╭─[nginspect.toml:3:17]
     2 │ select = ["zero-timout", 5]
     3 │ short-timeout = 2
       ·                 ─
     4 │
       ╰────
      help: For example `short-timeout = "2s"`.

    error[settings]: `eror` is no level; did you mean `error`?
       ╭─[nginspect.toml:6:9]
     5 │ [level]
     6 │ proxy = "eror"
       ·         ───┬──
       ·            ╰── in `level`
       ╰────
    "#);
}

#[test]
fn every_kind_of_mistake_is_refused() {
    for (settings, why) in [
        ("select = [", "unclosed array"),
        ("select = []\nselect = []\n", "duplicate key"),
        ("short_timeout = \"5s\"", "did you mean `short-timeout`?"),
        (
            "zero-timeout = \"note\"",
            "The levels of rules stand below `[level]`.",
        ),
        ("colour = true", "There are nginx-version, config"),
        (
            "nginx-version = \"new\"",
            "not an nginx version such as 1.28.0",
        ),
        ("nginx-version = \"auto\"", "for the command line only"),
        (
            "nginx-version = 1.28",
            "`nginx-version` is a string, not a number",
        ),
        ("config = true", "`config` is a string, not a boolean"),
        ("root = \"\"", "a path is not empty"),
        (
            "ignore = \"timeout\"",
            "`ignore` is a list of strings, not a string",
        ),
        ("exclude = [\"../x\"]", "leads out of the folder"),
        (
            "fail-on = \"warn\"",
            "`warn` is no level; there are `error`",
        ),
        ("fail-on = \"off\"", "is no level"),
        ("level = \"note\"", "`level` is a table, not a string"),
        (
            "level.proxy = 1",
            "`level` is a table of strings, not a number",
        ),
        ("level.proxi = \"note\"", "did you mean `proxy`?"),
        ("websocket-paths = [\"ws\"]", "begins with `/`"),
        ("short-timeout = \"5 seconds\"", "not a time of nginx"),
        (
            "trusted-proxies = [\"10.0.0.0/33\"]",
            "10.0.0.0 has 32 bits, not 33",
        ),
        (
            "modules.x = \"y\"",
            "`modules` is a table of lists of strings",
        ),
        ("modules.x = [\"a b\"]", "is not the name of a directive"),
    ] {
        let shown = refused(settings);
        assert!(shown.contains(why), "{settings}: {shown}");
        assert!(shown.starts_with("error[settings]: "), "{shown}");
        assert!(shown.contains("[nginspect.toml:"), "{shown}");
    }
    let hostile = refused("\"a\\u001b[2J\" = 1\n");
    assert!(!hostile.contains('\x1b'), "{hostile}");
}

#[test]
fn a_file_that_cannot_be_read_is_no_file_without_settings() {
    let tree = Tree::new(&[("nginx.conf", ROOT)]);
    tree.write("nginspect.toml", b"# caf\xe9\n");
    assert_fails(&tree.check(&["nginx.conf"]), "the file is not UTF-8");
    tree.write("nginspect.toml", &vec![b'#'; 2 << 20]);
    assert_fails(
        &tree.check(&["nginx.conf"]),
        "too large for a file of settings",
    );
    tree.write("nginspect.toml", "a = [".repeat(100_000).as_bytes());
    assert_eq!(tree.check(&["nginx.conf"]).code, FAILED);
}

#[test]
fn paths_with_good_settings_are_checked_beside_broken_ones() {
    let tree = Tree::new(&[
        ("a/nginspect.toml", "nonsense = 1\n"),
        ("a/nginx.conf", ROOT),
        ("b/nginx.conf", ROOT),
        ("b/sites-enabled/shop", BAD),
    ]);
    let outcome = tree.check(&["a/nginx.conf", "b/nginx.conf"]);
    assert_finds(&outcome, "zero-timeout", "b/sites-enabled/shop");
    assert_fails(&outcome, "there is no setting `nonsense`");
}

// Every key has an effect.

#[test]
fn nginx_version_is_the_one_that_reads_the_configuration() {
    let upgrade = location(
        "/ws/",
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 1h;",
    );
    assert_eq!(under("", &upgrade).code, FOUND);
    assert_eq!(under("nginx-version = \"1.29.8\"\n", &upgrade).code, CLEAN);
}

#[test]
fn config_prefix_and_root_start_at_the_file() {
    let tree = Tree::new(&[
        ("nginspect.toml", "config = \"etc/nginx.conf\"\n"),
        (
            "etc/nginx.conf",
            "events {}\nhttp { proxy_read_timeout 0; }\n",
        ),
        ("new/shop", GOOD),
        (
            "p/conf/nginx.conf",
            "events {}\nhttp { include ../../shop; }\n",
        ),
        (
            "p/etc/nginx/nginx.conf",
            "events {}\nhttp { include /shop; }\n",
        ),
        ("p/shop", BAD),
        ("shop", BAD),
    ]);
    let outcome = tree.check(&["new/shop"]);
    assert_finds(&outcome, "zero-timeout", "etc/nginx.conf:2");
    let run = |folder: &str| output(program(&tree.path(folder), &[], &["check"]));
    assert_eq!(run("").2, "checking etc/nginx.conf\n");
    // The folder of the file counts, not the one that the program runs in.
    assert!(run("new").2.ends_with("/etc/nginx.conf\n"));
    tree.write("nginspect.toml", b"prefix = \"p\"\n");
    let (code, stdout, stderr) = run("");
    assert_eq!(
        (code, &*stderr),
        (Some(FOUND.into()), "checking p/conf/nginx.conf\n")
    );
    assert!(stdout.contains("[p/conf/../../shop:5:9]"), "{stdout}");
    tree.write("nginspect.toml", b"root = \"p\"\n");
    let (code, stdout, stderr) = run("");
    assert_eq!(
        (code, &*stderr),
        (Some(FOUND.into()), "checking p/etc/nginx/nginx.conf\n")
    );
    assert!(stdout.contains("[p/shop:5:9]"), "{stdout}");
}

#[test]
fn select_and_ignore_choose_rules_by_name_or_category() {
    let bad = location("/api/ws/", "proxy_read_timeout 3s;");
    let rules = |settings: &str| {
        let outcome = under(settings, &bad);
        let rules = outcome.stdout.lines().filter_map(|line| {
            let rest = line.split_once('[')?.1;
            Some(rest.split_once(']')?.0.to_owned())
        });
        rules.collect::<Vec<_>>()
    };
    assert_eq!(rules(""), ["missing-websocket-upgrade", "short-timeout"]);
    assert_eq!(rules("select = [\"timeout\"]"), ["short-timeout"]);
    assert_eq!(
        rules("select = [\"missing-websocket-upgrade\"]"),
        ["missing-websocket-upgrade"]
    );
    assert_eq!(rules("ignore = [\"websocket\"]"), ["short-timeout"]);
    assert!(rules("ignore = [\"websocket\", \"short-timeout\"]").is_empty());
    let broken = under("select = [\"websocket\"]", "events {}\nhttp {\n");
    assert_finds(&broken, "syntax-error", "nginx.conf");
}

#[test]
fn excluded_files_are_passed_over_and_not_reported() {
    let tree = Tree::new(&[
        (
            "nginspect.toml",
            "exclude = [\"sites/vendor\", \"**/*.old.conf\"]\n",
        ),
        ("sites/vendor/deep/a.conf", BAD),
        ("sites/b.old.conf", BAD),
        ("sites/c.conf", BAD),
        (
            "whole/nginx.conf",
            "events {}\nhttp { include x.old.conf; include y.conf; }\n",
        ),
        ("whole/x.old.conf", BAD),
        ("whole/y.conf", BAD),
    ]);
    for (path, found) in [("sites", "sites/c.conf"), ("whole", "whole/y.conf")] {
        let outcome = tree.check(&[path]);
        assert_finds(&outcome, "zero-timeout", found);
        assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    }
    let named = tree.check(&["sites/b.old.conf"]);
    assert_eq!((named.code, &*named.stdout), (CLEAN, ""));
    assert!(
        named
            .stderr
            .ends_with("b.old.conf is passed over: the settings exclude it\n"),
        "{}",
        named.stderr
    );
}

#[test]
fn fail_on_says_which_findings_fail_a_run() {
    let error = location("/", "proxy_read_timeout 0;");
    let warning = location("/", "proxy_read_timeout 3s;");
    let note = location("/", "proxy_connect_timeout 7d;");
    for (fail_on, codes) in [
        ("error", [FOUND, CLEAN, CLEAN]),
        ("warning", [FOUND, FOUND, CLEAN]),
        ("note", [FOUND, FOUND, FOUND]),
        ("never", [CLEAN, CLEAN, CLEAN]),
    ] {
        let settings = format!("fail-on = \"{fail_on}\"\n");
        let found = [&error, &warning, &note].map(|text| {
            let outcome = under(&settings, text);
            assert!(!outcome.stdout.is_empty(), "{text}");
            outcome.code
        });
        assert_eq!(found, codes, "{fail_on}");
    }
}

#[test]
fn levels_change_severity_and_exit_code_and_off_silences() {
    let bad = location("/", "proxy_read_timeout 0;");
    for (settings, level, code) in [
        ("[level]\nzero-timeout = \"warning\"\n", "warning[", FOUND),
        ("[level]\ntimeout = \"note\"\n", "note[", CLEAN),
        (
            "[level]\ntimeout = \"off\"\nzero-timeout = \"error\"\n",
            "error[",
            FOUND,
        ),
    ] {
        let outcome = under(settings, &bad);
        assert_finds(&outcome, "zero-timeout", level);
        assert_eq!(outcome.code, code, "{settings}");
    }
    assert_clean(&under("[level]\nzero-timeout = \"off\"\n", &bad));
    assert_clean(&under("[level]\ntimeout = \"off\"\n", &bad));
}

#[test]
fn websocket_paths_make_a_location_certain() {
    for path in ["/feed/", "~ ^/feed/v[0-9]+$", "@feed"] {
        let feed = location(path, "");
        let before = under("", &feed);
        assert!(
            !before.stdout.contains("missing-websocket-upgrade"),
            "{}",
            before.shown
        );
        let outcome = under("websocket-paths = [\"/feed/**\", \"@feed\"]\n", &feed);
        assert_finds(&outcome, "missing-websocket-upgrade", "error[");
    }
    assert_clean(&under(
        "websocket-paths = [\"/feed\"]\n",
        &location("/feed/", ""),
    ));
}

#[test]
fn trusted_proxies_may_tell_the_address_of_the_client() {
    let rule = "spoofable-client-address";
    let settings = format!("trusted-proxies = [\"10.0.0.0/8\"]\nlevel.{rule} = \"warning\"\n");
    let alone = format!("level.{rule} = \"warning\"\n");
    let chain = location(
        "/",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    );
    assert_finds(
        &under(&alone, &chain),
        rule,
        "stays in front of its address",
    );
    let outcome = under(&settings, &chain);
    assert!(!outcome.stdout.contains(rule), "{}", outcome.shown);
    for (network, found) in [
        ("10.1.0.0/16", false),
        ("192.0.2.0/24", true),
        ("0.0.0.0/0", true),
    ] {
        let trust = location("/", &format!("set_real_ip_from {network};"));
        let tree = with(&settings, &trust);
        let outcome = tree.check(&["nginx.conf"]);
        assert_eq!(outcome.stdout.contains(rule), found, "{}", outcome.shown);
        tree.check_with(&["--unsafe-fixes"], &["nginx.conf"], b"");
        let fixed = tree.check(&["nginx.conf"]);
        assert!(!fixed.stdout.contains(rule), "{}", fixed.shown);
    }
}

#[test]
fn not_websocket_paths_are_never_meant_for_websockets() {
    let settings = "not-websocket-paths = [\"/ws/reports/**\"]\n";
    let plain = location("/ws/reports/", "");
    assert_finds(&under("", &plain), "missing-websocket-upgrade", "error[");
    assert_clean(&under(settings, &plain));
    let half = location("/ws/reports/", "proxy_set_header Upgrade $http_upgrade;");
    assert_finds(
        &under("", &half),
        "incomplete-websocket-upgrade",
        "nginx.conf",
    );
    assert_clean(&under(settings, &half));
    let other = location("/ws/chat/", "");
    assert_finds(
        &under(settings, &other),
        "missing-websocket-upgrade",
        "error[",
    );
}

#[test]
fn short_timeout_moves_the_threshold() {
    let ten = location("/", "proxy_read_timeout 10s;");
    assert_clean(&under("", &ten));
    assert_finds(
        &under("short-timeout = \"10s\"\n", &ten),
        "short-timeout",
        "nginx.conf:6",
    );
    let three = location("/", "proxy_read_timeout 3s;");
    assert_clean(&under("short-timeout = \"2s\"\n", &three));
}

#[test]
fn described_modules_leave_other_mistakes_visible() {
    let shop = "load_module modules/ngx_http_shop_module.so;\nevents {}\nhttp {\n    shop_cart on;\n    server {\n        return 200 \"$shop_user $remote_adr\";\n    }\n}\n";
    let outcome = under("", shop);
    assert_finds(&outcome, "unknown-directive", "warning[");
    assert!(!outcome.stdout.contains("unknown-variable"));
    let settings = "[modules]\nngx_http_shop_module = [\"shop_cart\", \"$shop_user\"]\n";
    let outcome = under(settings, shop);
    assert_finds(&outcome, "unknown-variable", "`$remote_adr`");
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
}

#[test]
fn trusted_proxies_are_kept_and_change_nothing_yet() {
    let settings = "trusted-proxies = [\"10.0.0.0/8\", \"::1\"]\n";
    assert_clean(&under(settings, &location("/", "")));
}

#[test]
fn the_settings_in_effect_are_shown_with_their_places() {
    let settings = "nginx-version = \"1.30\"\nroot = \"image\"\nselect = [\n  \"websocket\",\n  \"proxy\",\n]\nignore = [\"timeout\"]\n\n[level]\nzero-timeout = \"off\"\n\n[modules]\n\"a.b\" = [\"shop\"]\n";
    let tree = with(settings, ROOT);
    let arguments = ["check", "--show-settings", "--ignore", "load,short-timeout"];
    let (code, stdout, stderr) = output(program(
        tree.0.path(),
        &[],
        &[&arguments[..], &["nginx.conf"]].concat(),
    ));
    assert_eq!((code, &*stderr), (Some(CLEAN.into()), ""));
    insta::assert_snapshot!(stdout, @r#"
    # nginx.conf
    nginx-version = "1.30.0"                   # nginspect.toml:1
    config = (the nearest nginx.conf upwards)  # default
    prefix = (none)                            # default
    root = "image"                             # nginspect.toml:2
    select = ["websocket", "proxy"]            # nginspect.toml:3
    ignore = ["load", "short-timeout"]         # --ignore
    exclude = []                               # default
    fail-on = "warning"                        # default
    level.zero-timeout = "off"                 # nginspect.toml:10
    websocket-paths = []                       # default
    not-websocket-paths = []                   # default
    short-timeout = "5s"                       # default
    trusted-proxies = []                       # default
    modules."a.b" = ["shop"]                   # nginspect.toml:13
    "#);
}

#[test]
fn without_a_file_nothing_changes_and_the_defaults_are_shown() {
    let tree = Tree::new(&[("nginx.conf", ROOT), ("sites-enabled/shop", BAD)]);
    let arguments = ["check", "--show-settings"];
    let (code, stdout, _) = output(program(tree.0.path(), &[], &arguments));
    assert_eq!(code, Some(CLEAN.into()));
    let lines = stdout.lines().skip(1).filter(|line| !line.is_empty());
    for line in lines {
        assert!(line.ends_with("  # default"), "{line}");
    }
    let before = tree.check(&["nginx.conf"]);
    tree.write("nginspect.toml", b"");
    let after = tree.check(&["nginx.conf"]);
    assert_eq!((before.code, before.shown), (after.code, after.shown));
}

#[test]
fn the_schema_has_the_keys_that_the_parser_takes() {
    let schema = std::fs::read_to_string("docs/nginspect.schema.json").expect("the schema");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let properties = schema["properties"].as_object().expect("an object");
    let described: Vec<&str> = properties.keys().map(String::as_str).collect();
    let known: Vec<&str> = nginspect::settings::KEYS
        .iter()
        .map(|key| key.name)
        .collect();
    assert_eq!(described, known);
    // What the parser takes is one line of each, as the manual shows them.
    let sample: Vec<&str> = nginspect::settings::KEYS
        .iter()
        .map(|key| key.example)
        .collect();
    let parsed = nginspect::settings::parse(
        Path::new("nginspect.toml"),
        sample.join("\n").into_bytes(),
        nginspect::rules::RULES,
    );
    let shown = parsed
        .map(|settings| settings.shown())
        .map_err(|broken| broken.diagnostics);
    let shown = shown.expect("the examples are settings");
    assert!(!shown.contains("# default"), "{shown}");
}
