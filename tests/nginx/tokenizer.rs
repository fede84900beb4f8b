//! The parser cuts words as nginx does: nginx takes a file exactly when the parser notes no mistake.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use crate::harness::{Nginx, PORT, Server, parsed};

/// Puts text where nginx takes any words that end with `;`, and no block.
fn in_types(body: &str) -> String {
    format!("events {{}} http {{ types {{ {body}\n}} }}\n")
}

/// True when the parser finds nothing wrong with [`in_types`] and only lines of words in the body.
fn parser_takes(text: &str) -> bool {
    const TYPES: u32 = 2;
    let tree = parsed(text.as_bytes());
    let body = &tree.nodes[TYPES as usize + 1..];
    tree.mistakes.is_empty()
        && body
            .iter()
            .all(|line| line.parent == Some(TYPES) && !line.block)
}

#[test]
fn words_and_marks_are_taken_or_refused_as_by_nginx() {
    let Some(nginx) = Nginx::find() else { return };
    let taken = [
        "",
        "a;",
        "a b;c d;",
        "a\rb\r;\r\n",
        "a}b;",
        "a#b;",
        "a\"b\"c;",
        "a'b;",
        "a(b)c;",
        "(a);",
        "${a};",
        "a${b}c;",
        "${{ a;",
        "a$b;",
        "$;",
        "$$;",
        "\"a b\";",
        "'a b';",
        "\"a'b\";",
        "'a\"b';",
        "\"\";",
        "'' \"\";",
        "\"a\nb\";",
        "\"a;b{c}d#e\";",
        "\"a\\\"b\";",
        "\"a\\\\\";",
        "'a\\'b';",
        "\"a\")b;",
        "\"a\");",
        "\"a\"\tb;",
        "\"a\"\n;",
        "\"a\"\r;",
        "\"$\";",
        "\"${\";",
        "a\\ b;",
        "a\\;b;",
        "a\\{b;",
        "\\{;",
        "\\;;",
        "\\\";",
        "\\#;",
        "\\};",
        "\\\\;",
        "$\\{;",
        "# c\na;",
        "a # ; { } \" '\nb;",
        "a;#",
        "a\u{b}b;",
        "a\u{c};",
        "\u{c};",
        "\u{a0};",
        "\u{feff}a;",
        "a\0b;",
        "\0;",
    ];
    let refused = [
        ";",
        "a;;",
        "{",
        "{}",
        "a {}",
        "a{};",
        "}",
        "a }",
        "a; }",
        "a",
        "a b\n# c",
        "\"a",
        "\"a;",
        "'a;",
        "\"a\\\";",
        "\"a\"b;",
        "\"a\"\"b\";",
        "\"a\"'b';",
        "\"a\"#\n;",
        "\"a\"};",
        "\"a\"}",
        "\"a\"\\;",
        "\"a\"$b;",
        "\"a\"{",
        "\"a\"\u{c};",
        "$uri{b;",
        "$ {b;",
        "$\\\\{;",
        "${a{;",
        "\\\\{;",
        "a\\\\;;",
        "a\\",
    ];
    let mut disagreements = Vec::new();
    for (expected, bodies) in [(true, &taken[..]), (false, &refused[..])] {
        for body in bodies {
            let text = in_types(body);
            let verdict = nginx.check_text(text.as_bytes());
            let parser = parser_takes(&text);
            if (verdict.accepted, parser) != (expected, expected) {
                disagreements.push(format!(
                    "{body:?}: expected {expected}, parser {parser}, nginx {}",
                    verdict.messages
                ));
            }
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

#[test]
fn whole_files_are_taken_or_refused_as_by_nginx() {
    let Some(nginx) = Nginx::find() else { return };
    for (text, expected) in [
        ("events {}", true),
        ("events{}", true),
        ("events {\r\n}\r\n", true),
        ("events {\r}\r", true),
        ("\"events\" {}", true),
        ("'events'{}", true),
        ("events {} # no line feed", true),
        ("events {}#", true),
        ("#\nevents {}", true),
        ("\u{feff}events {}", false),
        ("events {", false),
        ("events {}}", false),
        ("events {};", false),
        ("events {} {}", false),
        ("events {} pid", false),
        ("events {} pid a", false),
        ("events {} pid \"a", false),
        ("events {} pid \"a\"", false),
        ("events {} http { server { }", false),
        ("events {} http { server { } } }", false),
    ] {
        let verdict = nginx.check_text(text.as_bytes());
        let parser = parsed(text.as_bytes()).mistakes.is_empty();
        assert_eq!(
            (verdict.accepted, parser),
            (expected, expected),
            "{text:?}: {verdict:?}"
        );
    }
}

#[test]
fn the_longest_words_and_comments_are_those_of_nginx() {
    let Some(nginx) = Nginx::find() else { return };
    for before in [0, 1, 4000] {
        for length in 4092..=4097 {
            let filler = "x".repeat(length);
            let words = [
                format!("{filler};"),
                format!("{filler}\n;"),
                format!("\"{filler}\";"),
                format!("'{filler}' ;"),
                format!("\\{};", &filler[1..]),
                format!("\"\\\"{}\";", &filler[2..]),
                format!("#{}\n", &filler[1..]),
                format!("a#{}\n;", &filler[2..]),
                format!("a #{}\n;", &filler[1..]),
                format!("a;{}b;", " ".repeat(length)),
            ];
            for word in words {
                let text = in_types(&format!("{}{word}", "\n".repeat(before)));
                let verdict = nginx.check_text(text.as_bytes());
                let case = format!("{before} {length} {:?}", &word[..3]);
                assert_eq!(verdict.accepted, parser_takes(&text), "{case} {verdict:?}");
            }
            let text = format!("{}events {{}}#{}", "\n".repeat(before), &filler[1..]);
            let accepted = nginx.check_text(text.as_bytes()).accepted;
            let parser = parsed(text.as_bytes()).mistakes.is_empty();
            assert_eq!(accepted, parser, "{before}, a last comment of {length}");
        }
    }
}

/// Bits of words, and what ends them or does not.
fn piece() -> impl Strategy<Value = String> {
    let bits = vec![
        "a", "b", "a", "/", "é", "(", ")", "\"", "'", "\\", "\\\\", "\\\"", "\\'", "\\n", "\\t",
        "\\ ", "\\;", "\\{", "\\$", "$", "${", "$$", "#", "}", "\0", "\u{b}", "\u{c}", "\u{a0}",
        "\u{feff}",
    ];
    let marks = vec![" ", "\t", "\n", "\r", "\r\n", ";", "{", "{", "# c\n"];
    prop_oneof![
        60 => prop::sample::select(bits).prop_map(str::to_owned),
        20 => prop::sample::select(marks).prop_map(str::to_owned),
        1 => (4085_usize..4097).prop_map(|length| "x".repeat(length)),
    ]
}

fn pieces(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..=most).prop_map(|pieces| pieces.concat())
}

/// A word that is mostly one.
fn word() -> impl Strategy<Value = String> {
    let after = prop::sample::select(vec!["", "", "", "", ")", "a", "}"]);
    prop_oneof![
        pieces(2).prop_map(|text| format!("a{text}")),
        pieces(4),
        (pieces(4), after.clone()).prop_map(|(text, after)| format!("\"{text}\"{after}")),
        (pieces(4), after).prop_map(|(text, after)| format!("'{text}'{after}")),
    ]
}

/// Lines of words, or just anything.
fn soup() -> impl Strategy<Value = String> {
    let blank = prop::sample::select(vec![" ", " ", "\n", "\r", "\t # c\n", ""]);
    let words = prop::collection::vec((word(), blank), 1..3);
    let end = prop::sample::select(vec![";", ";", ";", ";\n", ""]);
    let line = (words, end).prop_map(|(words, end)| {
        let words = words.into_iter().map(|(word, blank)| word + blank);
        words.collect::<String>() + end
    });
    prop_oneof![
        prop::collection::vec(line, 1..3).prop_map(|lines| lines.concat()),
        pieces(12),
    ]
}

/// A soup as a person can read it.
fn shown(soup: &str) -> String {
    let runs = soup.split_inclusive(|letter| letter != 'x');
    let runs = runs.map(
        |run| match run.bytes().filter(|byte| *byte == b'x').count() {
            0 => run.to_owned(),
            count => format!("<{count} x>{}", run.trim_start_matches('x')),
        },
    );
    format!("{:?}", runs.collect::<String>())
}

/// The same cases every time; `PROPTEST_CASES` can ask for more than `cases`.
fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let cases = cases.max(config.cases);
    TestRunner::new_with_rng(
        ProptestConfig { cases, ..config },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    )
}

#[test]
fn soups_of_tokens_are_taken_or_refused_as_by_nginx() {
    let Some(nginx) = Nginx::find() else { return };
    let mut runner = runner(600);
    let cases = runner.config().cases;
    let taken = std::cell::Cell::new(0);
    let outcome = runner.run(&soup(), |soup| {
        let text = in_types(&soup);
        let verdict = nginx.check_text(text.as_bytes());
        taken.set(taken.get() + u32::from(verdict.accepted));
        prop_assert_eq!(parser_takes(&text), verdict.accepted, "{:?}", verdict);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, soup)) => panic!("{}: {reason}", shown(&soup)),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
    let taken = taken.get();
    assert!(
        cases / 5 < taken && taken < cases / 5 * 4,
        "{taken} of {cases} soups are taken, which tests little"
    );
}

/// The value of the word in `default WORD;`, if the parser sees one word there.
fn parser_value(text: &str) -> Option<Vec<u8>> {
    let line = format!("default {text}\n;");
    let tree = parsed(line.as_bytes());
    let [node] = &tree.nodes[..] else { return None };
    let words: Vec<_> = tree.words(node).collect();
    let [_, word] = words[..] else { return None };
    let is_line = tree.mistakes.is_empty() && !node.block;
    is_line.then(|| tree.value(word, line.as_bytes()).into_owned())
}

#[test]
fn words_have_the_values_that_nginx_gives_them() {
    let Some(nginx) = Nginx::find() else { return };
    // The values of `geo` are words and nothing more: no variables, no forms.
    let geo = |index: usize, word: &str| format!("geo $v{index} {{ default {word}\n; }}\n");
    let mut runner = runner(400);
    let mut words = Vec::new();
    let mut blocks = String::new();
    let mut locations = String::new();
    for _ in 0..runner.config().cases {
        let word = word().new_tree(&mut runner).expect("a word").current();
        let Some(value) = parser_value(&word) else {
            let text = format!("events {{}} http {{ {} }}", geo(0, &word));
            let verdict = nginx.check_text(text.as_bytes());
            assert!(
                !verdict.accepted,
                "{} is one word to nginx, not to the parser",
                shown(&word)
            );
            continue;
        };
        let index = words.len();
        blocks += &geo(index, &word);
        locations += &format!("location = /{index} {{ return 200 $v{index}; }}\n");
        words.push((word, value));
    }
    assert!(
        words.len() > 200,
        "{} words have a value, which tests little",
        words.len()
    );
    let server = Server::start(
        nginx,
        &format!(
            "events {{}} http {{ variables_hash_max_size 65536; \n{blocks}
            server {{ listen 127.0.0.1:{PORT}; {locations} }} }}"
        ),
    );
    for (index, (word, value)) in words.iter().enumerate() {
        let response = server.get(&format!("/{index}"));
        assert_eq!(
            response.body.escape_ascii().to_string(),
            value.escape_ascii().to_string(),
            "{}",
            shown(word)
        );
    }
}
