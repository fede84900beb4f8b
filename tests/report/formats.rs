//! What other programs get to read.

use insta::assert_snapshot;
use nginspect::diagnostic::{Diagnostic, Edit, Fix, Label, Safety, Severity, Witness};
use nginspect::report::{
    Findings, Part, checkstyle, github, gitlab, junit, printable, sarif, statistics,
};
use nginspect::source::{Origin, Sources, Span};
use serde_json::Value;

use crate::schema::objections;
use crate::{RULES_OF_THE_SHOP, describe, finding, one_file, printed, shop, span_of};

fn as_sarif(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    serde_json::from_str(&printed(sources, diagnostics, &sarif::write)).expect("valid JSON")
}

#[test]
fn sarif_holds_rules_places_links_and_fixes() {
    let (sources, diagnostics) = shop();
    let log = as_sarif(&sources, &diagnostics);
    assert_eq!(objections(&log), Vec::<String>::new());
    let pretty = serde_json::to_string_pretty(&log).expect("it was JSON before");
    assert_snapshot!(pretty.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn github_gets_one_command_for_each_finding() {
    let (sources, diagnostics) = shop();
    assert_snapshot!(printed(&sources, &diagnostics, &github::write));
}

#[test]
fn github_gets_no_columns_of_a_place_that_spans_lines() {
    let (sources, file) = one_file("a {\n}\n");
    let block = finding(Span::new(file, 0, 5), "a block");
    let command = printed(&sources, &[block], &github::write);
    assert_eq!(
        command,
        "::error file=nginx.conf,line=1,endLine=2,title=nginspect alias-traversal::a block\n"
    );
}

#[test]
fn gitlab_gets_an_array_of_issues() {
    let (sources, diagnostics) = shop();
    let report = printed(&sources, &diagnostics, &gitlab::write);
    let issues: Value = serde_json::from_str(&report).expect("valid JSON");
    assert_snapshot!(serde_json::to_string_pretty(&issues).expect("it was JSON before"));
}

#[test]
fn junit_has_a_suite_for_each_file() {
    let (sources, mut diagnostics) = shop();
    diagnostics[1].severity = Severity::Note;
    assert_snapshot!(printed(&sources, &diagnostics, &junit::write));
}

#[test]
fn junit_counts_what_could_not_be_read_as_errors() {
    let findings = Findings {
        parts: &[],
        files: 0,
        describe: &describe,
        rules: &[],
        base: None,
        failures: &["cannot read a<b: no such file".to_owned()],
    };
    let mut out = Vec::new();
    junit::write(&mut out, &findings).expect("a vector takes everything");
    let document = String::from_utf8(out).expect("reports are UTF-8");
    let document = roxmltree::Document::parse(&document).expect("well-formed");
    let root = document.root_element();
    assert_eq!(
        (root.attribute("tests"), root.attribute("errors")),
        (Some("1"), Some("1"))
    );
    let error = document
        .descendants()
        .find(|node| node.has_tag_name("error"));
    let message = error.and_then(|error| error.attribute("message"));
    assert_eq!(message, Some("cannot read a<b: no such file"));
}

#[test]
fn checkstyle_has_the_findings_of_each_file_together() {
    let (sources, diagnostics) = shop();
    assert_snapshot!(printed(&sources, &diagnostics, &checkstyle::write));
}

#[test]
fn statistics_begin_with_the_most_frequent_rule() {
    let (sources, diagnostics) = shop();
    let [one, other] = &*diagnostics else {
        panic!("two findings")
    };
    let many: Vec<Diagnostic> = std::iter::repeat_n(other.clone(), 10)
        .chain([one.clone()])
        .collect();
    assert_eq!(
        printed(&sources, &many, &statistics::write),
        "10 proxy-pass-uri\n 1 alias-traversal\n"
    );
    assert_eq!(printed(&sources, &[], &statistics::write), "");
}

#[test]
fn no_findings_make_empty_reports() {
    let (sources, _) = one_file("");
    assert_eq!(printed(&sources, &[], &github::write), "");
    assert_eq!(printed(&sources, &[], &gitlab::write), "[]\n");
    assert_every_format_holds(&sources, &[]);
    let log = as_sarif(&sources, &[]);
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    let report = printed(&sources, &[], &junit::write);
    assert!(
        report.contains("<testcase name=\"no findings\" classname=\"nginx.conf\"/>"),
        "{report}"
    );
}

#[test]
fn equal_findings_have_fingerprints_of_their_own_across_configurations() {
    let (sources, diagnostics) = shop();
    let part = || Part {
        sources: &sources,
        diagnostics: diagnostics.clone(),
    };
    let findings = Findings {
        parts: &[part(), part()],
        files: 2,
        describe: &describe,
        rules: RULES_OF_THE_SHOP,
        base: None,
        failures: &[],
    };
    let mut out = Vec::new();
    gitlab::write(&mut out, &findings).expect("a vector takes everything");
    let issues: Value = serde_json::from_slice(&out).expect("valid JSON");
    let prints: Vec<&str> = issues
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(|issue| issue["fingerprint"].as_str())
        .collect();
    assert_eq!(prints.len(), 4);
    assert_eq!(prints[2], format!("{}:2", prints[0]));
    assert_eq!(prints[3], format!("{}:2", prints[1]));
}

#[test]
fn hostile_words_break_no_format() {
    let hostile = "]]> ::error file=x,line=1:: --> <&> \"'\r\n%0A [x](1) {0} \u{1b}[31m\0\u{7}\u{fffe}\u{202e}`é";
    let mut sources = Sources::default();
    let file = sources.add(
        hostile,
        Origin::Dump,
        b"server { server_name \xff\xfe ]]>\x00 \"::\n<&>\"; }\n\xe9".to_vec(),
    );
    let span = span_of(&sources, file, "]]>");
    let diagnostics = [Diagnostic {
        label: Some(hostile.to_owned()),
        labels: vec![Label {
            span,
            message: hostile.to_owned(),
        }],
        story: None,
        witness: Some(Witness {
            request: hostile.to_owned(),
            effect: hostile.to_owned(),
        }),
        help: Some(hostile.to_owned()),
        fixes: vec![Fix {
            title: hostile.to_owned(),
            safety: Safety::Safe,
            edits: vec![Edit::replace(span, hostile)],
        }],
        ..finding(span, hostile)
    }];
    assert_every_format_holds(&sources, &diagnostics);
}

/// Reads every format back and compares what it says with the findings.
pub(crate) fn assert_every_format_holds(sources: &Sources, diagnostics: &[Diagnostic]) {
    let name = |diagnostic: &Diagnostic| sources.file(diagnostic.span.file).name().to_owned();
    let line = |diagnostic: &Diagnostic| {
        let file = sources.file(diagnostic.span.file);
        file.position(diagnostic.span.start).line
    };

    let log = as_sarif(sources, diagnostics);
    assert_eq!(objections(&log), Vec::<String>::new());
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), diagnostics.len());
    for (result, diagnostic) in results.iter().zip(diagnostics) {
        let text = result["message"]["text"].as_str().expect("a message");
        assert!(text.starts_with(&*printable(&diagnostic.message)), "{text}");
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
        let path = decoded(uri.strip_prefix("file://").unwrap_or(uri));
        assert_eq!(path, name(diagnostic).as_bytes());
        assert_eq!(place["region"]["startLine"], line(diagnostic));
        for fix in &diagnostic.fixes {
            let count: usize = result["fixes"][0]["artifactChanges"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|change| change["replacements"].as_array())
                .map(Vec::len)
                .sum();
            assert!(count <= fix.edits.len(), "{result}");
            assert_eq!(count > 0, !fix.edits.is_empty(), "{result}");
        }
    }

    let commands = printed(sources, diagnostics, &github::write);
    assert_eq!(commands.lines().count(), diagnostics.len());
    for (command, diagnostic) in commands.lines().zip(diagnostics) {
        assert!(!command.contains(char::is_control), "{command:?}");
        let command = command.strip_prefix("::").expect("a command");
        let (head, message) = command.split_once("::").expect("a message");
        let (_, properties) = head.split_once(' ').expect("properties");
        let properties: Vec<(&str, &str)> = properties
            .split(',')
            .map(|property| property.split_once('=').expect("a value"))
            .collect();
        let value = |name| {
            properties
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        let file = decoded(value("file").expect("a file"));
        let file = String::from_utf8_lossy(&file).into_owned();
        assert_eq!(printable(&file), printable(&name(diagnostic)));
        assert_eq!(value("line"), Some(&*line(diagnostic).to_string()));
        let keys = ["file", "line", "endLine", "col", "endColumn", "title"];
        assert!(
            properties.iter().all(|(key, _)| keys.contains(key)),
            "{command}"
        );
        let message = String::from_utf8(decoded(message)).expect("text");
        assert!(
            message.starts_with(&*printable(&diagnostic.message)),
            "{message}"
        );
    }

    let issues: Value =
        serde_json::from_str(&printed(sources, diagnostics, &gitlab::write)).expect("valid JSON");
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        let issue = &issues[index];
        assert_eq!(issue["location"]["path"], name(diagnostic));
        assert_eq!(issue["description"], *printable(&diagnostic.message));
    }

    for (format, element) in [
        (&junit::write as crate::Format, "failure"),
        (&checkstyle::write, "error"),
    ] {
        let text = printed(sources, diagnostics, format);
        let document = roxmltree::Document::parse(&text).expect("well-formed XML");
        let mut messages: Vec<&str> = document
            .descendants()
            .filter(|node| node.has_tag_name(element))
            .filter_map(|node| node.attribute("message"))
            .collect();
        let mut expected: Vec<String> = diagnostics
            .iter()
            .map(|diagnostic| {
                printable(&diagnostic.message).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
            })
            .collect();
        messages.sort_unstable();
        expected.sort_unstable();
        assert_eq!(messages, expected, "{text}");
    }
}

/// Without percent encoding.
fn decoded(text: &str) -> Vec<u8> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}
