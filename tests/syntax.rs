//! What the parser promises: it loses nothing, names each mistake once, and bounds its stack.

use nginspect::source::{FileId, Origin, Sources};
use nginspect::syntax::{self, MAX_MISTAKES, MistakeKind, Tree};
use proptest::prelude::*;

fn parse(text: &[u8]) -> (Sources, FileId, Tree) {
    let mut sources = Sources::default();
    let file = sources.add("test.conf", Origin::Dump, text.to_vec());
    let tree = syntax::parse(file, text, nginspect::nginx::accepts);
    (sources, file, tree)
}

/// Every directive on a line: depth, words as nginx sees them, and its terminator.
fn outline(text: &str) -> String {
    let (_, _, tree) = parse(text.as_bytes());
    let mut lines = String::new();
    let mut open: Vec<u32> = Vec::new();
    for (index, node) in tree.nodes.iter().enumerate() {
        open.retain(|end| *end > index as u32);
        let words: Vec<String> = tree
            .words(node)
            .map(|word| {
                format!(
                    "{:?}",
                    String::from_utf8_lossy(&tree.value(word, text.as_bytes()))
                )
            })
            .collect();
        let end = if node.block { "{}" } else { ";" };
        lines += &format!("{}{} {end}\n", "  ".repeat(open.len()), words.join(" "));
        open.push(node.end);
    }
    lines
}

/// Every mistake on a line: where it is, what it is, and the text that it covers.
fn mistakes(text: &str) -> Vec<String> {
    let (sources, file, tree) = parse(text.as_bytes());
    let file = sources.file(file);
    tree.mistakes
        .iter()
        .map(|mistake| {
            let place = file.position(mistake.span.start);
            let covered = String::from_utf8_lossy(file.slice(mistake.span)).into_owned();
            format!(
                "{}:{} {:?} {covered:?}",
                place.line, place.column, mistake.kind
            )
        })
        .collect()
}

#[test]
fn words_are_cut_as_nginx_cuts_them() {
    let text = r#"a b#c d}e f"g"h ${x}y $uri{
        "quoted ; { } # word" 'it''s' ;
        if ($a = "b") { x\ y\;z "\"q\" \$v\n"; }
        # a comment ; {
        one # between
            two;
    }"#;
    insta::assert_snapshot!(outline(&text.replace("'it''s'", r"'it\'s'")), @r#"
    "a" "b#c" "d}e" "f\"g\"h" "${x}y" "$uri" {}
      "quoted ; { } # word" "it's" ;
      "if" "($a" "=" "b" ")" {}
        "x\\ y\\;z" "\"q\" \\$v\n" ;
      "one" "two" ;
    "#);
    insta::assert_snapshot!(outline("a ${{b$c{d ;}"), @r#"
    "a" "${{b$c" {}
      "d" ;
    "#);
    assert_eq!(
        mistakes("a\r\nb\rc;\r\n"),
        [] as [&str; 0],
        "CR is white space"
    );
}

#[test]
fn lua_blocks_are_kept_as_they_are() {
    let text = "location / { content_by_lua_block {
        local t = { a = \"}\" } -- } not the end
        --[[ } ]] ngx.say([==[ } ]] ]==]) ; local c = '\\'}'
    } root /x; }";
    assert_eq!(mistakes(text), [] as [&str; 0]);
    insta::assert_snapshot!(outline(text), @r#"
    "location" "/" {}
      "content_by_lua_block" {}
      "root" "/x" ;
    "#);
}

#[test]
fn a_lua_line_without_its_last_quote_is_read_once() {
    let text = format!("a_by_lua_block {{ x = \"{}\n}}", "\\\"".repeat(500_000));
    assert_eq!(mistakes(&text), [] as [&str; 0]);
}

#[test]
fn a_forgotten_semicolon_is_seen_on_its_own_line() {
    assert_eq!(
        mistakes("server {\n    listen 80\n    server_name a;\n    root /srv\n}\n"),
        [
            r#"2:12 MissingSemicolon "80""#,
            r#"4:10 MissingSemicolon "/srv""#
        ]
    );
    assert_eq!(
        mistakes("http {\n gzip on\n server {\n root /x\n index a;\n }\n}\n"),
        [
            r#"2:7 MissingSemicolon "on""#,
            r#"4:7 MissingSemicolon "/x""#
        ]
    );
    assert_eq!(mistakes("gzip on"), [r#"1:6 MissingSemicolon "on""#]);
    assert_eq!(
        mistakes("location / { return 200 \"x\"}"),
        [r#"1:25 MissingSemicolon "\"x\"""#]
    );
}

#[test]
fn arguments_on_several_lines_are_no_mistake() {
    for text in [
        "server_name a\n    b\n    root;\n",
        "log_format main '$remote_addr'\n    '$request';\n",
        "listen 443\n    ssl\n    http2;\n",
        "add_header Content-Security-Policy\n    \"default-src 'self';\n     img-src *\" always;\n",
        "unknown_directive a\n    root b;\n",
        "error_log /var/log/x\n    warn;\n",
    ] {
        assert_eq!(mistakes(text), [] as [&str; 0], "{text}");
    }
}

#[test]
fn a_forgotten_brace_is_seen_at_the_block_that_lacks_it() {
    let text = "http {\n    server {\n        location / {\n            root /x;\n    }\n}\n";
    assert_eq!(mistakes(text), [r#"3:9 UnclosedBlock "location /""#]);
    let text = "server {\n    location /a {\n        root /x;\n    location /b {\n        root /y;\n    }\n}\n";
    assert_eq!(mistakes(text), [r#"2:5 UnclosedBlock "location /a""#]);
    insta::assert_snapshot!(outline(text), @r#"
    "server" {}
      "location" "/a" {}
        "root" "/x" ;
      "location" "/b" {}
        "root" "/y" ;
    "#);
    assert_eq!(
        mistakes("server {\n  location / {\n  }\n"),
        [r#"1:1 UnclosedBlock "server""#]
    );
    assert_eq!(mistakes("server { } }"), [r#"1:12 UnexpectedClose "}""#]);
    assert_eq!(
        mistakes("{ root /x; }\n;"),
        [
            r#"1:1 UnexpectedOpen "{""#,
            r#"2:1 UnexpectedSemicolon ";""#
        ]
    );
}

#[test]
fn a_forgotten_quote_ends_with_its_line() {
    let text = "add_header A \"x;\nadd_header B \"y\";\nroot /srv;\n";
    assert_eq!(mistakes(text), [r#"1:14 UnclosedQuote "\"x""#]);
    insta::assert_snapshot!(outline(text), @r#"
    "add_header" "A" "x" ;
    "add_header" "B" "y" ;
    "root" "/srv" ;
    "#);
    assert_eq!(mistakes("return 200 'x"), [r#"1:12 UnclosedQuote "'x""#]);
    assert_eq!(mistakes("a \"b\"c;"), [r#"1:6 AfterQuote "c""#]);
    assert_eq!(mistakes("a \"b\"#c\n;"), ["1:6 AfterQuote \"#\""]);
}

#[test]
fn what_does_not_fit_the_buffer_is_a_mistake() {
    for (length, expected) in [(4095, 0), (4096, 1)] {
        assert_eq!(
            mistakes(&format!("a {};", "x".repeat(length))).len(),
            expected,
            "word of {length}"
        );
        assert_eq!(
            mistakes(&format!("#{}\n", "x".repeat(length - 1))).len(),
            expected,
            "comment of {length}"
        );
        assert_eq!(
            mistakes(&format!("a \"{}\";", "x".repeat(length - 1))).len(),
            expected,
            "quoted, {length}"
        );
        for spaced in [
            format!("a {} ;", "x".repeat(length - 1)),
            format!("a \"{}\" ;", "x".repeat(length - 2)),
            format!("a;#{}", "x".repeat(length)),
        ] {
            assert_eq!(mistakes(&spaced).len(), expected, "{length} at its edge");
        }
    }
}

#[test]
fn a_byte_order_mark_is_named_as_what_it_is() {
    assert_eq!(
        mistakes("\u{feff}events {}\n"),
        ["1:1 ByteOrderMark \"\\u{feff}\""]
    );
    insta::assert_snapshot!(outline("\u{feff}events {}\n"), @r#""events" {}"#);
}

#[test]
fn nesting_uses_no_stack() {
    let depth = 100_000;
    let text = format!("{}{}", "a {".repeat(depth), "}".repeat(depth));
    let (_, _, tree) = parse(text.as_bytes());
    assert_eq!(tree.nodes.len(), depth);
    assert!(tree.mistakes.is_empty());

    let (_, _, tree) = parse("location / {\n".repeat(depth).as_bytes());
    assert_eq!(tree.nodes.len(), depth);
    assert!(!tree.mistakes.is_empty() && tree.mistakes.len() <= MAX_MISTAKES);
}

#[test]
fn a_file_full_of_mistakes_is_given_up() {
    let text = "{".repeat(1_000_000);
    let (_, _, tree) = parse(text.as_bytes());
    assert_eq!(tree.mistakes.len(), MAX_MISTAKES + 1);
    assert_eq!(
        tree.mistakes.last().map(|mistake| mistake.kind),
        Some(MistakeKind::GivenUp)
    );
    assert_eq!(tree.print(text.as_bytes()), text.as_bytes());
}

/// Text that looks like a configuration, with what breaks one thrown in.
fn configuration() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "server", "location", "/api/", "listen", "80", "root", "{", "}", ";", " ", "\n", "\r\n", "\t", "    ",
            "\"", "'", "\\", "$", "${", "#", "# c\n", "\"a b\"", "~ ^/x$", "content_by_lua_block {", "--", "[[", "]]",
            "\u{feff}", "proxy_pass http://a;", "if ($a = \"b\") {", ")", "\0", "\u{1b}[31m",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_a_tree_gives_back_its_bytes(text in configuration()) {
        let (_, _, tree) = parse(&text);
        prop_assert_eq!(tree.print(&text), text);
    }

    #[test]
    fn a_tree_is_well_formed(text in configuration()) {
        let (_, _, tree) = parse(&text);
        for pair in tree.tokens.windows(2) {
            prop_assert!(pair[0].start < pair[0].end && pair[0].end <= pair[1].start);
        }
        for (index, node) in tree.nodes.iter().enumerate() {
            let index = index as u32;
            prop_assert!(index < node.end && node.end as usize <= tree.nodes.len());
            prop_assert!(node.head < node.body && node.body as usize <= tree.tokens.len());
            if let Some(parent) = node.parent {
                prop_assert!(parent < index && node.end <= tree.nodes[parent as usize].end);
            }
            let span = tree.full_span(node);
            prop_assert!(span.start < span.end && span.end as usize <= text.len());
        }
    }
}
