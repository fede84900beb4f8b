//! Checks documents against the official schema of SARIF, which lies beside this file.
//!
//! A validator of all of JSON Schema would bring seventy crates; this one knows the keywords that the schema uses, and
//! panics at any other.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nginspect::cli::{self, FAILED, Streams, Terminal};
use nginspect::rules::RULES;

fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).expect("the schema is JSON")
    })
}

/// Everything that the schema forbids in a SARIF log.
pub(crate) fn objections(log: &Value) -> Vec<String> {
    let mut objections = Vec::new();
    check(log, schema(), "", &mut objections);
    objections
}

fn holds(value: &Value, schema: &Value) -> bool {
    let mut objections = Vec::new();
    check(value, schema, "", &mut objections);
    objections.is_empty()
}

fn check(value: &Value, rules: &Value, at: &str, objections: &mut Vec<String>) {
    for (keyword, rule) in rules.as_object().expect("a schema is an object") {
        let fits = match &**keyword {
            "$schema" | "$id" | "title" | "description" | "default" | "definitions" => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|rule| rule.strip_prefix('#'));
                let target = pointer.and_then(|pointer| schema().pointer(pointer));
                check(value, target.expect("a definition"), at, objections);
                true
            }
            "type" => has_type(value, rule),
            "enum" => list(rule).contains(value),
            "required" => value.as_object().is_none_or(|object| {
                list(rule)
                    .iter()
                    .all(|key| object.contains_key(key.as_str().expect("a name")))
            }),
            "properties" => {
                for (key, rules) in rule.as_object().expect("properties") {
                    if let Some(value) = value.get(key) {
                        check(value, rules, &format!("{at}/{key}"), objections);
                    }
                }
                true
            }
            "additionalProperties" => {
                let others = value.as_object().into_iter().flatten();
                for (key, value) in others.filter(|(key, _)| rules["properties"][&**key].is_null())
                {
                    let at = format!("{at}/{key}");
                    match rule {
                        Value::Bool(true) => {}
                        Value::Bool(false) => objections.push(format!("{at}: unknown")),
                        rules => check(value, rules, &at, objections),
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(value, rule, &format!("{at}/{index}"), objections);
                }
                true
            }
            "minItems" => value
                .as_array()
                .is_none_or(|items| Some(items.len() as u64) >= rule.as_u64()),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
                texts.sort();
                texts.windows(2).all(|pair| pair[0] != pair[1])
            }),
            "minimum" => value
                .as_f64()
                .is_none_or(|value| Some(value) >= rule.as_f64()),
            "maximum" => value
                .as_f64()
                .is_none_or(|value| Some(value) <= rule.as_f64()),
            "anyOf" => list(rule).iter().any(|rules| holds(value, rules)),
            "oneOf" => {
                list(rule)
                    .iter()
                    .filter(|rules| holds(value, rules))
                    .count()
                    == 1
            }
            "format" => match (rule.as_str(), value.as_str()) {
                (Some("uri"), Some(text)) => is_uri_reference(text) && text.contains(':'),
                (Some("uri-reference"), Some(text)) => is_uri_reference(text),
                _ => panic!("{at}: the format {rule} is not known here"),
            },
            _ => panic!("{at}: the keyword {keyword} is not known here"),
        };
        if !fits {
            objections.push(format!("{at}: {keyword} {rule}: {value}"));
        }
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().expect("a list")
}

fn has_type(value: &Value, rule: &Value) -> bool {
    let one = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => panic!("the type {name} is not known here"),
    };
    match rule {
        Value::Array(names) => names.iter().any(one),
        name => one(name),
    }
}

fn is_uri_reference(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        let allowed = byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte);
        if *byte == b'%' {
            let [one, two, after @ ..] = rest else {
                return false;
            };
            if !one.is_ascii_hexdigit() || !two.is_ascii_hexdigit() {
                return false;
            }
            rest = after;
        } else if !allowed {
            return false;
        }
    }
    true
}

#[test]
fn the_schema_objects_to_what_it_forbids() {
    let good =
        serde_json::json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]});
    assert_eq!(objections(&good), Vec::<String>::new());
    for (path, wrong) in [
        ("/version", "2.0.0".into()),
        ("/runs", serde_json::json!([{}])),
        ("/runs/0/tool/driver/name", 1.into()),
        (
            "/runs/0/tool",
            serde_json::json!({"driver": {"name": "x"}, "drivers": 1}),
        ),
        (
            "/runs/0/tool/driver",
            serde_json::json!({"name": "x", "helpUri": "x"}),
        ),
        (
            "/runs/0/tool/driver",
            serde_json::json!({"name": "x", "informationUri": "no uri"}),
        ),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).expect("a place in the log") = wrong;
        assert_ne!(objections(&bad), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn sarif_of_real_findings_follows_the_schema() {
    let incidents = std::fs::read_dir("fixtures/incidents").expect("the incidents");
    let mut arguments = vec!["nginspect".into(), "check".into(), "--format=sarif".into()];
    arguments.extend(
        incidents
            .map(|folder| folder.expect("a readable folder").path())
            .map(|folder| folder.join("before.conf"))
            .filter(|file| file.exists())
            .map(PathBuf::into_os_string),
    );
    arguments.push("none.conf".into());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let streams = Streams {
        stdin: &mut &b""[..],
        stdout: &mut stdout,
        stderr: &mut stderr,
    };
    assert_eq!(cli::run(arguments, streams, Terminal::default()), FAILED);

    let log: Value = serde_json::from_slice(&stdout).expect("JSON");
    assert_eq!(objections(&log), Vec::<String>::new());
    let run = &log["runs"][0];
    let rules = list(&run["tool"]["driver"]["rules"]);
    assert_eq!(rules.len(), RULES.len());
    assert!(!list(&run["results"]).is_empty());
    for result in list(&run["results"]) {
        let index = result["ruleIndex"].as_u64().expect("every rule is known");
        assert_eq!(rules[index as usize]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let uri = place["uri"].as_str().expect("a URI");
        assert!(Path::new(uri).exists(), "{uri}");
        assert_eq!(place["uriBaseId"], "%SRCROOT%");
    }
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(notification, "cannot read none.conf: no such file");
}
