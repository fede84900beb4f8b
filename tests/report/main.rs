//! What people and programs get to read.

mod formats;
mod schema;

use insta::assert_snapshot;
use nginspect::diagnostic::{Diagnostic, Edit, Fix, Label, Safety, Severity, Witness};
use nginspect::report::{Description, Findings, Part, concise, json, text};
use nginspect::rule::{Category, Fixes, Rule};
use nginspect::source::{FileId, Origin, Sources, Span};
use proptest::prelude::*;

const PLAIN: text::Options = text::Options {
    color: false,
    width: 100,
    links: false,
    summary: true,
};

const SHOP: &str = "\
server {
    listen 80;
    server_name shop.example;

    location /static {
        include snippets/static.conf;
    }

    location /api/ {
        proxy_pass http://127.0.0.1:8000/;
        include snippets/static.conf;
    }
}
";

const SNIPPET: &str = "\
# Files of the shop.
alias /srv/static/;
expires 1h;
";

/// Real rules would change the snapshots with every word of their pages.
static RULES_OF_THE_SHOP: &[(&str, &Rule)] = &[
    (
        "never-found",
        &Rule {
            docs: " Nothing is wrong.\n",
            ..RULE
        },
    ),
    ("alias-traversal", &RULE),
];

const RULE: Rule = Rule {
    docs: " A request may leave\n the folder.\n\n The slash is `missing`.\n\n ## Fix\n Unsafe: adds it.\n",
    category: Category::Static,
    severity: Severity::Error,
    off: false,
    fix: Fixes::Unsafe,
    since: "0.1.0",
    see: "https://nginx.org/",
    check: nginspect::rule::Check::Config(|_, _| {}),
};

fn finding(span: Span, message: &str) -> Diagnostic {
    Diagnostic {
        rule: "alias-traversal",
        severity: Severity::Error,
        message: message.to_owned(),
        span,
        label: None,
        labels: Vec::new(),
        story: None,
        witness: None,
        help: None,
        fixes: Vec::new(),
    }
}

fn span_of(sources: &Sources, file: FileId, part: &str) -> Span {
    let bytes = sources.file(file).bytes();
    let start = bytes
        .windows(part.len())
        .position(|window| window == part.as_bytes())
        .expect("the part is in the file");
    Span::new(file, start as u32, (start + part.len()) as u32)
}

fn describe(rule: &str) -> Description {
    Description {
        category: "static",
        url: format!("https://docs.example/rules/{rule}"),
    }
}

type Format<'a> = &'a dyn Fn(&mut dyn std::io::Write, &Findings) -> std::io::Result<()>;

fn printed(sources: &Sources, diagnostics: &[Diagnostic], format: Format) -> String {
    let findings = Findings {
        parts: &[Part {
            sources,
            diagnostics: diagnostics.to_vec(),
        }],
        files: sources.iter().count(),
        describe: &describe,
        rules: RULES_OF_THE_SHOP,
        base: None,
        failures: &[],
    };
    let mut out = Vec::new();
    format(&mut out, &findings).expect("a vector takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

fn as_text(sources: &Sources, diagnostics: &[Diagnostic], options: text::Options) -> String {
    printed(sources, diagnostics, &|out, findings| {
        text::write(out, findings, &options)
    })
}

fn as_concise(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    printed(sources, diagnostics, &concise::write)
}

fn as_json(sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    printed(sources, diagnostics, &json::write)
}

fn one_file(content: impl Into<Vec<u8>>) -> (Sources, FileId) {
    let mut sources = Sources::default();
    let file = sources.add("nginx.conf", Origin::Dump, content.into());
    (sources, file)
}

fn shop() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let site = sources.add("sites-enabled/shop.conf", Origin::Dump, SHOP.into());
    let snippet = sources.add("snippets/static.conf", Origin::Dump, SNIPPET.into());
    let alias = span_of(&sources, snippet, "/srv/static/");
    let location = span_of(&sources, site, "/static");

    let traversal = Diagnostic {
        label: Some("the rest of the URI follows without a slash".to_owned()),
        labels: vec![
            Label {
                span: span_of(&sources, site, "include snippets/static.conf;"),
                message: "the alias comes from here".to_owned(),
            },
            Label {
                span: alias,
                message: "clients can leave this directory".to_owned(),
            },
        ],
        story: None,
        witness: Some(Witness {
            request: "GET http://shop.example/static../secret".to_owned(),
            effect: "nginx reads /srv/static/../secret".to_owned(),
        }),
        help: Some(
            "End the location and the alias with a slash, or neither. A `location ~` with the \
             same path would not help: there the alias replaces the whole URI."
                .to_owned(),
        ),
        fixes: vec![Fix {
            title: "end the location with a slash and tell how long files may be kept".to_owned(),
            safety: Safety::Unsafe,
            edits: vec![
                Edit::insert_after(location, "/"),
                Edit::replace(span_of(&sources, snippet, "1h"), "24h"),
                Edit::insert_after(alias.to(alias), ""),
            ],
        }],
        ..finding(location, "`/static../` reaches outside `/srv/static/`")
    };
    let trailing = Diagnostic {
        rule: "proxy-pass-uri",
        severity: Severity::Warning,
        fixes: vec![Fix {
            title: "pass the Host header".to_owned(),
            safety: Safety::Safe,
            edits: vec![Edit::insert_after(
                span_of(&sources, site, "8000/;"),
                "\n        proxy_set_header Host $host;",
            )],
        }],
        ..finding(
            span_of(&sources, site, "http://127.0.0.1:8000/"),
            "`/api/x` arrives as `/x`",
        )
    };
    (sources, vec![traversal, trailing])
}

/// The text without colours and hyperlinks.
fn stripped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\x1b') {
        plain.push_str(before);
        let end = if escape.starts_with(']') {
            escape.find("\x1b\\").map(|at| at + 2)
        } else {
            escape.find('m').map(|at| at + 1)
        };
        rest = &escape[end.expect("every escape sequence ends")..];
    }
    plain.push_str(rest);
    plain
}

#[test]
fn text_draws_labels_and_fixes_in_two_files() {
    let (sources, diagnostics) = shop();
    assert_snapshot!(as_text(&sources, &diagnostics, PLAIN));
}

#[test]
fn text_with_colours_and_links_is_the_same_text() {
    let (sources, diagnostics) = shop();
    let options = text::Options {
        color: true,
        links: true,
        ..PLAIN
    };
    let colored = as_text(&sources, &diagnostics, options);
    assert!(colored.contains("\x1b]8;;https://docs.example/rules/alias-traversal\x1b\\"));
    assert_eq!(stripped(&colored), as_text(&sources, &diagnostics, PLAIN));
    assert_snapshot!(colored.replace('\x1b', "␛"));
}

#[test]
fn text_without_findings_is_one_line() {
    let (sources, _) = shop();
    assert_eq!(as_text(&sources, &[], PLAIN), "no findings in 2 files\n");
    let (sources, _) = one_file("");
    assert_eq!(as_text(&sources, &[], PLAIN), "no findings in 1 file\n");
}

#[test]
fn text_without_a_summary_is_empty_without_findings() {
    let (sources, _) = shop();
    let options = text::Options {
        summary: false,
        ..PLAIN
    };
    assert_eq!(as_text(&sources, &[], options), "");
}

#[test]
fn text_counts_findings_by_severity() {
    let (sources, file) = one_file("a;\n");
    let with = |severity| Diagnostic {
        severity,
        ..finding(Span::new(file, 0, 1), "a")
    };
    let diagnostics = [
        Severity::Note,
        Severity::Error,
        Severity::Note,
        Severity::Error,
        Severity::Warning,
    ]
    .map(with);
    let text = as_text(&sources, &diagnostics, PLAIN);
    assert!(
        text.ends_with("\n2 errors, 1 warning, 2 notes in 1 file\n"),
        "{text}"
    );
}

#[test]
fn text_makes_hostile_bytes_visible_and_keeps_marks_in_place() {
    let mut sources = Sources::default();
    let file = sources.add(
        "evil\x1b]0;title\x07.conf",
        Origin::Dump,
        b"# caf\xe9 \x1b[2J\n\tserver_name\t\xff\xfe.\xe2\x80\xaeelpmaxe\x07 \xc2\x9bok;\n# \x00\n"
            .to_vec(),
    );
    let diagnostics = [Diagnostic {
        label: Some("not\x1b[0m a\nname".to_owned()),
        help: Some("write it\r\nwithout \u{9b}31m".to_owned()),
        fixes: vec![Fix {
            title: "drop \u{202e}it".to_owned(),
            safety: Safety::Unsafe,
            edits: vec![Edit::replace(
                span_of(&sources, file, "elpmaxe"),
                "example\x1b[1m",
            )],
        }],
        ..finding(
            span_of(&sources, file, "ok"),
            "`\x1b[31m\u{2066}` is not a name\x07",
        )
    }];
    assert_snapshot!(as_text(&sources, &diagnostics, PLAIN));
    assert_snapshot!(as_concise(&sources, &diagnostics), @r"evil␛]0;title␇.conf:2:28: error[alias-traversal] `␛[31m\u{2066}` is not a name␇");
}

#[test]
fn text_points_into_empty_files_and_at_their_end() {
    let mut sources = Sources::default();
    let empty = sources.add("empty.conf", Origin::Dump, Vec::new());
    let unfinished = sources.add(
        "unfinished.conf",
        Origin::Dump,
        b"events {}\nhttp {".to_vec(),
    );
    let ended = sources.add("ended.conf", Origin::Dump, b"events {}\nhttp {\n".to_vec());
    let at_end = |file, end| Diagnostic {
        label: Some("here".to_owned()),
        ..finding(Span::new(file, end, end), "`}` expected")
    };
    let diagnostics = [at_end(empty, 0), at_end(unfinished, 16), at_end(ended, 17)];
    assert_snapshot!(as_text(&sources, &diagnostics, PLAIN));
}

#[test]
fn text_shows_the_part_of_a_long_line_that_matters() {
    let policy = "script-src 'self' https://cdn.example; ".repeat(200);
    let (sources, file) = one_file(format!(
        "http {{\n    add_header X \"{policy}unsafe-inline {policy}\";\n}}\n"
    ));
    let diagnostics = [Diagnostic {
        label: Some("this".to_owned()),
        labels: vec![Label {
            span: span_of(&sources, file, "add_header"),
            message: "of this header".to_owned(),
        }],
        fixes: vec![Fix {
            title: "take it away".to_owned(),
            safety: Safety::Unsafe,
            edits: vec![Edit::delete(span_of(&sources, file, "unsafe-inline "))],
        }],
        ..finding(
            span_of(&sources, file, "unsafe-inline"),
            &format!("{} is too much of a word", "long".repeat(200)),
        )
    }];
    let text = as_text(&sources, &diagnostics, PLAIN);
    let widest_frame_line = text.lines().skip(3).map(|line| line.chars().count()).max();
    assert!(widest_frame_line <= Some(100), "{text}");
    assert_snapshot!(text);
}

#[test]
fn text_does_not_show_line_ends_of_crlf_files() {
    let (sources, file) = one_file("http {\r\n    gzip on;\r\n    gzip_types *;\r\n}\r\n");
    let block = span_of(&sources, file, "gzip on;\r\n    gzip_types *;");
    let diagnostics = [Diagnostic {
        fixes: vec![Fix {
            title: "compress nothing".to_owned(),
            safety: Safety::Safe,
            edits: vec![
                Edit::replace(span_of(&sources, file, "on"), "off"),
                Edit::insert_after(span_of(&sources, file, "gzip_types *;"), "\n    etag on;"),
            ],
        }],
        ..finding(block, "two lines")
    }];
    assert_snapshot!(as_text(&sources, &diagnostics, PLAIN));
}

#[test]
fn text_keeps_apart_labels_that_overlap() {
    let (sources, file) = one_file("location /static {\n    root /srv;\n}\n");
    let label = |part, message: &str| Label {
        span: span_of(&sources, file, part),
        message: message.to_owned(),
    };
    let diagnostics = [Diagnostic {
        severity: Severity::Note,
        label: Some("the path".to_owned()),
        labels: vec![
            label("location /static {\n    root /srv;\n}", "the block"),
            label("/static", "again the path"),
            label("root", "a directive"),
        ],
        ..finding(span_of(&sources, file, "/static"), "overlapping labels")
    }];
    assert_snapshot!(as_text(&sources, &diagnostics, PLAIN));
}

#[test]
fn text_does_not_repeat_an_example_that_the_message_gives() {
    let (sources, file) = one_file("a;\n");
    let diagnostics = [Diagnostic {
        witness: Some(Witness {
            request: "GET http://h/x".to_owned(),
            effect: "404".to_owned(),
        }),
        ..finding(Span::new(file, 0, 1), "GET http://h/x is a 404")
    }];
    assert!(!as_text(&sources, &diagnostics, PLAIN).contains("example"));
}

#[test]
fn concise_is_one_line_for_each_finding() {
    let (sources, diagnostics) = shop();
    assert_snapshot!(as_concise(&sources, &diagnostics), @r"
    sites-enabled/shop.conf:5:14: error[alias-traversal] `/static../` reaches outside `/srv/static/`
    sites-enabled/shop.conf:10:20: warning[proxy-pass-uri] `/api/x` arrives as `/x`
    ");
}

#[test]
fn json_has_its_keys_in_the_documented_order() {
    let (sources, diagnostics) = shop();
    let document = as_json(&sources, &diagnostics);
    assert_eq!(document.lines().count(), 1);

    let value: serde_json::Value = serde_json::from_str(&document).expect("valid JSON");
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(
        keys(&value),
        ["schema", "version", "summary", "diagnostics"]
    );
    assert_eq!(
        keys(&value["summary"]),
        ["errors", "warnings", "notes", "files"]
    );
    let first = &value["diagnostics"][0];
    assert_eq!(
        keys(first),
        [
            "rule",
            "category",
            "severity",
            "message",
            "file",
            "line",
            "column",
            "end_line",
            "end_column",
            "labels",
            "witness",
            "help",
            "url",
            "fixes"
        ]
    );
    assert_eq!(
        keys(&first["labels"][0]),
        [
            "file",
            "line",
            "column",
            "end_line",
            "end_column",
            "message"
        ]
    );
    assert_eq!(keys(&first["fixes"][0]), ["title", "safety", "edits"]);
    assert_eq!(
        keys(&first["fixes"][0]["edits"][0]),
        ["file", "start", "end", "text"]
    );
    let second = &value["diagnostics"][1];
    assert!(second["witness"].is_null() && second["help"].is_null());
    assert_eq!(second["labels"], serde_json::json!([]));

    let pretty = serde_json::to_string_pretty(&value).expect("it was JSON before");
    assert_snapshot!(pretty);
}

#[test]
fn json_columns_count_characters_and_offsets_bytes() {
    let (sources, file) = one_file("# größe\n  \u{1b}é\u{fffd} x;\n");
    let span = span_of(&sources, file, "x");
    let diagnostics = [Diagnostic {
        fixes: vec![Fix {
            title: "drop it".to_owned(),
            safety: Safety::Safe,
            edits: vec![Edit::delete(span)],
        }],
        ..finding(span, "x")
    }];
    let value: serde_json::Value =
        serde_json::from_str(&as_json(&sources, &diagnostics)).expect("valid JSON");
    let found = &value["diagnostics"][0];
    assert_eq!((&found["line"], &found["column"]), (&2.into(), &7.into()));
    assert_eq!(found["end_column"], 8);
    assert_eq!(found["fixes"][0]["edits"][0]["start"], span.start);
}

fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..6),
        3 => any::<String>().prop_map(String::into_bytes),
        4 => prop::sample::select(vec![
            "\n", "\r\n", "\r", "\t", "\x1b[31m", "\u{9b}", "\u{202e}", "\u{2066}", "\0", "é", "日本", "e\u{301}",
            "\u{2028}", "location / {", "    proxy_pass http://a;", "                                             ",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => (any::<u8>(), 0..900usize).prop_map(|(byte, count)| vec![byte; count]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn hostile_text() -> impl Strategy<Value = String> {
    hostile_bytes().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Which file, and two places in it as fractions of its length.
type Anywhere = (bool, prop::sample::Index, prop::sample::Index);

fn span_in(sources: &Sources, (first, one, other): Anywhere) -> Span {
    let (id, file) = sources
        .iter()
        .nth(usize::from(!first))
        .expect("there are two files");
    let length = file.bytes().len() + 1;
    let (one, other) = (one.index(length), other.index(length));
    Span::new(id, one.min(other) as u32, one.max(other) as u32)
}

proptest! {
    #[test]
    fn no_bytes_or_spans_break_a_report(
        files in [hostile_bytes(), hostile_bytes()],
        names in [hostile_text(), hostile_text()],
        spans in prop::collection::vec(any::<Anywhere>(), 1..6),
        edits in prop::collection::vec((any::<Anywhere>(), hostile_text()), 0..4),
        words in [hostile_text(), hostile_text(), hostile_text(), hostile_text()],
        width in 0..200usize,
    ) {
        let mut sources = Sources::default();
        for (name, bytes) in names.into_iter().zip(files) {
            sources.add(name, Origin::Dump, bytes);
        }
        let [message, label, help, title] = words;
        let diagnostics = [Diagnostic {
            label: Some(label.clone()),
            labels: spans[1..]
                .iter()
                .map(|span| Label { span: span_in(&sources, *span), message: label.clone() })
                .collect(),
            story: None,
            witness: Some(Witness { request: help.clone(), effect: title.clone() }),
            help: Some(help),
            fixes: vec![Fix {
                title,
                safety: Safety::Safe,
                edits: edits
                    .into_iter()
                    .map(|(span, text)| Edit::replace(span_in(&sources, span), text))
                    .collect(),
            }],
            ..finding(span_in(&sources, spans[0]), &message)
        }];

        let options = text::Options { color: false, width, links: false, summary: true };
        let plain = as_text(&sources, &diagnostics, options);
        let concise = as_concise(&sources, &diagnostics);
        prop_assert!(!plain.contains("Failed to read"), "{}", plain);
        prop_assert!(!plain.contains(|letter: char| letter.is_control() && letter != '\n'));
        prop_assert_eq!(concise.lines().count(), 1);
        prop_assert!(!concise.trim_end_matches('\n').contains(char::is_control));

        let colored = as_text(&sources, &diagnostics, text::Options { color: true, links: true, ..options });
        let trimmed: Vec<String> = stripped(&colored).lines().map(|line| line.trim_end().to_owned()).collect();
        prop_assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());

        let value: serde_json::Value = serde_json::from_str(&as_json(&sources, &diagnostics)).expect("valid JSON");
        prop_assert_eq!(&value["diagnostics"][0]["message"], &message);

        formats::assert_every_format_holds(&sources, &diagnostics);
    }
}
