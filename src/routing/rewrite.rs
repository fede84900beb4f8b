//! The directives of the rewrite module: `set`, `if`, `rewrite`, `return` and `break`, in the order of the file.
//!
//! Follows `ngx_http_rewrite_handler` and the codes of `ngx_http_script.c`.

use super::disk::Entry;
use super::regexes::exec;
use super::run::{Next, Run, Status};
use super::script::{Engine, parts};
use super::trace::Outcome;
use super::uri::unescape_redirect;
use super::value::Value;
use super::variation::{By, Varies};
use crate::config::{Directive, Word};
use crate::nginx::{self, Contexts};

/// What a directive says about those that follow it.
enum Flow<'c> {
    Continue,
    /// The `if` holds: its block comes next.
    Inside(Directive<'c>),
    Stop(Option<Next<'c>>),
}

/// A condition of an `if`, as `ngx_http_rewrite_if_condition` takes it apart.
enum Condition {
    Variable(Vec<u8>),
    Equal(Vec<u8>, Vec<u8>, bool),
    Regex {
        subject: Vec<u8>,
        pattern: Vec<u8>,
        caseless: bool,
        negative: bool,
    },
    File {
        test: u8,
        path: Vec<u8>,
        negative: bool,
    },
}

/// The directives of a block that [`Run::instruction`] knows, in order: a server has many others.
fn instructions(block: Directive<'_>) -> Vec<Directive<'_>> {
    const KNOWN: [&str; 15] = [
        "set",
        "if",
        "rewrite",
        "return",
        "break",
        "rewrite_by_lua",
        "rewrite_by_lua_block",
        "rewrite_by_lua_file",
        "rewrite_by_lua_no_postpone",
        "access_by_lua",
        "access_by_lua_block",
        "access_by_lua_file",
        "set_by_lua",
        "set_by_lua_block",
        "set_by_lua_file",
    ];
    let mut all: Vec<Directive<'_>> = KNOWN.iter().flat_map(|name| block.own(name)).collect();
    all.sort_by_key(|directive| directive.number());
    all
}

impl<'c> Run<'_, 'c> {
    /// Runs the directives of a block; nothing when the next phase follows.
    pub(super) fn rewrite(&mut self, block: Directive<'c>) -> Option<Next<'c>> {
        let mut engine = Engine {
            quote: true,
            is_args: false,
        };
        for directive in instructions(block) {
            match self.instruction(directive, &mut engine) {
                Flow::Continue => {}
                Flow::Stop(next) => return next,
                Flow::Inside(inner) => {
                    for directive in inner.children() {
                        // There is no `if` in an `if`.
                        if let Flow::Stop(next) = self.instruction(directive, &mut engine) {
                            return next;
                        }
                    }
                }
            }
        }
        None
    }

    fn instruction(&mut self, directive: Directive<'c>, engine: &mut Engine) -> Flow<'c> {
        if directive.is("set") {
            self.set(directive, engine);
        } else if directive.is("if") {
            if self.condition(directive, engine) {
                self.step(Some(directive), "the condition holds");
                self.see(directive);
                if directive.inside() == Contexts::LOCATION_IF {
                    self.scope = directive;
                    self.update_location_config();
                }
                return Flow::Inside(directive);
            }
        } else if directive.is("rewrite") {
            return self.rewrite_uri(directive, engine);
        } else if directive.is("return") {
            return Flow::Stop(self.answer(directive));
        } else if directive.is("break") {
            self.step(Some(directive), "the rewriting ends");
            if self.uri_changed {
                self.valid_location = false;
                self.uri_changed = false;
            }
            return Flow::Stop(None);
        } else if let Some(module) = ["rewrite_by_lua", "access_by_lua", "set_by_lua"]
            .iter()
            .find(|module| directive.name().starts_with(module.as_bytes()))
        {
            self.assume(format!(
                "{module} at {} changes nothing",
                self.place(directive)
            ));
        }
        Flow::Continue
    }

    pub(super) fn place(&self, directive: Directive<'_>) -> String {
        let span = directive.span();
        let file = self.tracer.config.sources().file(span.file);
        format!("{}:{}", file.name(), file.position(span.start).line)
    }

    fn set(&mut self, directive: Directive<'c>, engine: &mut Engine) {
        let (Some(name), Some(value)) = (directive.argument(0), directive.argument(1)) else {
            return;
        };
        let Some(name) = name.strip_prefix(b"$") else {
            return;
        };
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = self.value_in(&value, engine);
        self.step(
            Some(directive),
            format!("${name} becomes `{}`", value.text()),
        );
        match name.as_str() {
            // `ngx_http_variable_set_args`
            "args" => {
                self.args = value;
                self.valid_unparsed_uri = false;
            }
            "limit_rate" => {}
            _ => drop(self.variables.insert(name, value)),
        }
    }

    /// `ngx_http_rewrite_value`: what holds no variable is taken as it is.
    fn value_in(&mut self, text: &[u8], engine: &mut Engine) -> Value {
        match nginx::has_variables(text) {
            true => self.evaluate_in(text, engine),
            false => Value::new(text),
        }
    }

    fn condition(&mut self, directive: Directive<'c>, engine: &mut Engine) -> bool {
        let Some(condition) = condition(directive.arguments()) else {
            self.assume(format!(
                "the `if` at {} is skipped: nginx refuses it",
                self.place(directive)
            ));
            return false;
        };
        self.holds(directive, &condition, engine)
            .unwrap_or_else(|| {
                let excerpt = self.tracer.config.excerpt(directive.span());
                self.assume(format!("`{excerpt}` does not hold"));
                false
            })
    }

    fn holds(
        &mut self,
        directive: Directive<'c>,
        condition: &Condition,
        engine: &mut Engine,
    ) -> Option<bool> {
        match condition {
            Condition::Variable(name) => {
                let value = self.variable(&String::from_utf8_lossy(name));
                self.decide_by(directive, &value);
                let known = value.is_known();
                known.then(|| !matches!(&value.bytes[..], b"" | b"0"))
            }
            Condition::Equal(name, right, negative) => {
                let left = self.variable(&String::from_utf8_lossy(name));
                let right = self.value_in(right, engine);
                self.decide_by(directive, &left);
                self.decide_by(directive, &right);
                let known = left.is_known() && right.is_known();
                // `ngx_strncmp` looks no further than a zero byte.
                let text = |value: &Value| {
                    let end = value.bytes.iter().position(|byte| *byte == 0);
                    value.bytes[..end.unwrap_or(value.bytes.len())].to_vec()
                };
                let equal = left.bytes.len() == right.bytes.len() && text(&left) == text(&right);
                known.then_some(equal != *negative)
            }
            Condition::Regex {
                subject,
                pattern,
                caseless,
                negative,
            } => {
                let subject = self.variable(&String::from_utf8_lossy(subject));
                self.decide_by(directive, &subject);
                if !subject.is_known() {
                    return None;
                }
                let regex = self.tracer.regexes.get(pattern, *caseless)?;
                let matched = exec(&regex, &subject.bytes)?;
                let hit = matched.is_some();
                match matched {
                    Some(matched) => self.capture(matched, subject.is_varied()),
                    None => self.captures.clear(),
                }
                Some(hit != *negative)
            }
            Condition::File {
                test,
                path,
                negative,
            } => {
                let path = self.value_in(path, engine);
                if !path.is_known() {
                    return None;
                }
                let found = self.look(&path);
                let holds = match (found, test) {
                    (Some(Entry::Missing), _) => false,
                    (Some(_), b'e') => true,
                    (Some(Entry::File), b'f') | (Some(Entry::Folder), b'd') => true,
                    (Some(Entry::File), b'd') | (Some(Entry::Folder), b'f') => false,
                    // Whether it may be executed was not said.
                    _ => {
                        match test {
                            b'd' => {
                                let text = format!("there is no folder {}", path.text());
                                self.guess(&path, Entry::Missing, text);
                            }
                            b'x' => self.assume(format!("{} may not be executed", path.text())),
                            _ => self.guess_missing(&path),
                        }
                        false
                    }
                };
                Some(holds != *negative)
            }
        }
    }

    /// `ngx_http_script_regex_start_code` and `ngx_http_script_regex_end_code` of a `rewrite`.
    fn rewrite_uri(&mut self, directive: Directive<'c>, engine: &mut Engine) -> Flow<'c> {
        let (Some(pattern), Some(replacement)) = (directive.argument(0), directive.argument(1))
        else {
            return Flow::Continue;
        };
        let flag = directive.argument(2).map(|flag| flag.text().into_owned());
        let matched = self
            .tracer
            .regexes
            .get(&pattern, false)
            .filter(|_| self.uri.is_known())
            .and_then(|regex| exec(&regex, &self.uri.bytes));
        let Some(matched) = matched else {
            let excerpt = self.tracer.config.excerpt(directive.span());
            self.assume(format!("`{excerpt}` does not match"));
            self.captures.clear();
            return Flow::Continue;
        };
        let by = match matched {
            // Nothing, not even a line feed, keeps these from matching.
            Some(_)
                if matches!(
                    &pattern[..],
                    b"" | b"^" | b".*" | b"^.*" | b"(.*)" | b"^(.*)"
                ) =>
            {
                None
            }
            None if self.uri.varies == Varies::Path => Some(By::Unmatched(pattern.to_vec())),
            _ if self.uri.is_varied() => Some(By::Other),
            _ => None,
        };
        if let Some(by) = by {
            self.fork(Some(directive), by);
        }
        let Some(matched) = matched else {
            self.captures.clear();
            return Flow::Continue;
        };
        self.capture(matched, self.uri.is_varied());

        let add_args = !replacement.ends_with(b"?");
        let text = replacement.strip_suffix(b"?").unwrap_or(&replacement);
        let begins = |start: &&str| text.starts_with(start.as_bytes());
        let absolute = ["http://", "https://", "$scheme"].iter().any(begins);
        let status = match flag.as_deref() {
            Some("permanent") => Some(301),
            Some("redirect") => Some(302),
            _ => absolute.then_some(302),
        };
        let breaks = flag.as_deref() == Some("break");
        self.internal = true;
        self.valid_unparsed_uri = false;
        self.uri_changed = !breaks;
        self.valid_location &= !breaks;

        let parts = parts(text, status.is_none());
        engine.quote = status.is_some();
        let first = Engine {
            is_args: false,
            ..*engine
        };
        let (room, values) = self.measure(&parts, first);
        let built = self.build(&parts, &values, engine);
        engine.quote = false;
        let mut value = built.value;
        let old_args = self.args.clone();
        // Only a text with variables is measured, and the arguments have room of their own.
        let spare = old_args.bytes.len() + 2;
        if !values.is_empty() && value.bytes.len() > room + spare {
            value
                .unknown
                .push(String::from_utf8_lossy(text).into_owned());
        }
        if let Some(code) = status {
            let mut target = value.with(unescape_redirect(&value.bytes));
            if add_args && !old_args.bytes.is_empty() {
                let written = parts.iter().any(
                    |part| matches!(part, super::script::Part::Text(text) if text.contains(&b'?')),
                );
                target.push(&Value::new(if written { "&" } else { "?" }));
                target.push(&old_args);
            }
            if add_args {
                target.varies = target.varies.or(old_args.varies);
            }
            self.step(
                Some(directive),
                format!("`{}` is redirected", self.uri.text()),
            );
            return Flow::Stop(Some(Next::Finalize(self.redirected(
                Some(directive),
                code,
                target,
            ))));
        }
        match built.args {
            Some(at) => {
                let mut args = value.split_off(at);
                if add_args && !old_args.bytes.is_empty() {
                    args.push(&Value::new("&"));
                    args.push(&old_args);
                }
                args.varies = args.varies.or(match add_args {
                    true => old_args.varies,
                    false => Varies::No,
                });
                self.args = args;
            }
            None if !add_args => self.args = Value::default(),
            None => {}
        }
        self.step(
            Some(directive),
            format!("`{}` becomes `{}`", self.uri.text(), value.text()),
        );
        self.turn(directive, value.text());
        self.uri = value;
        self.is_named = false;
        if self.uri.bytes.is_empty() {
            let error = Status::error(500, "the rewritten URI is empty");
            return Flow::Stop(Some(Next::Finalize(error)));
        }
        match flag.as_deref() {
            Some("last" | "break") => Flow::Stop(None),
            _ => Flow::Continue,
        }
    }

    /// `ngx_http_script_return_code` and `ngx_http_send_response`.
    fn answer(&mut self, directive: Directive<'c>) -> Option<Next<'c>> {
        let first = directive.argument(0)?;
        let code = std::str::from_utf8(&first)
            .ok()
            .and_then(|code| code.parse::<u16>().ok());
        let (code, text) = match code {
            Some(code) => (code, directive.argument(1)),
            None => (302, Some(first)),
        };
        let has_text = text.as_ref().is_some_and(|text| !text.is_empty());
        if code >= 400 && !has_text {
            self.step(Some(directive), format!("nginx answers {code}"));
            return Some(match code {
                // `NGX_HTTP_CLOSE` and what a client's own silence would mean.
                444 | 408 | 499 => Next::Done(Outcome::Close),
                _ => Next::Finalize(Status::answer(code)),
            });
        }
        let value = match &text {
            Some(text) => self.evaluate(text),
            None => Value::default(),
        };
        self.step(Some(directive), format!("nginx answers {code}"));
        if matches!(code, 301 | 302 | 303 | 307 | 308) {
            return Some(Next::Finalize(self.redirected(
                Some(directive),
                code,
                value,
            )));
        }
        self.assume_names(&value);
        let status = self.err_status.unwrap_or(code);
        if let Some(failed) = self.precondition(status) {
            return Some(Next::Finalize(failed));
        }
        Some(Next::Done(Outcome::Return {
            status,
            location: None,
            body: has_text.then(|| value.text()),
        }))
    }
}

fn condition<'c>(words: impl Iterator<Item = Word<'c>>) -> Option<Condition> {
    let mut words: Vec<Vec<u8>> = words.map(|word| word.value.into_owned()).collect();
    let first = words.first_mut()?;
    *first = first.strip_prefix(b"(")?.to_vec();
    if first.is_empty() {
        words.remove(0);
    }
    let last = words.last_mut()?;
    *last = last.strip_suffix(b")")?.to_vec();
    if last.is_empty() {
        words.pop();
    }
    let variable = |word: &[u8]| word.strip_prefix(b"$").map(<[u8]>::to_vec);
    match &words[..] {
        [name] => Some(Condition::Variable(variable(name)?)),
        [test, path] => {
            let (test, negative) = match &test[..] {
                [b'-', test] => (*test, false),
                [b'!', b'-', test] => (*test, true),
                _ => return None,
            };
            b"fdex".contains(&test).then(|| Condition::File {
                test,
                path: path.clone(),
                negative,
            })
        }
        [name, operator, right] => {
            let subject = variable(name)?;
            let regex = |caseless, negative| Condition::Regex {
                subject: subject.clone(),
                pattern: right.clone(),
                caseless,
                negative,
            };
            match &operator[..] {
                b"=" => Some(Condition::Equal(subject, right.clone(), false)),
                b"!=" => Some(Condition::Equal(subject, right.clone(), true)),
                b"~" => Some(regex(false, false)),
                b"~*" => Some(regex(true, false)),
                b"!~" => Some(regex(false, true)),
                b"!~*" => Some(regex(true, true)),
                _ => None,
            }
        }
        _ => None,
    }
}
