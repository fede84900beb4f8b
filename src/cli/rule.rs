//! `nginspect rule`: the list of all rules, and the page of one.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;

use super::global::Global;
use super::{CLEAN, FAILED, Streams, Terminal, USUAL_WIDTH};
use crate::config::closest;
use crate::report::printable;
use crate::rule::{self, Category, Fixes};
use crate::rules::RULES;

/// Longer lines are hard to read, however wide the terminal is.
const WIDEST_PAGE: usize = 100;

/// List the rules, or show the page of one
#[derive(Debug, Args)]
pub(super) struct Rule {
    /// The rule, as findings name it.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(super) fn rule(
    global: &Global,
    arguments: &Rule,
    streams: &mut Streams,
    terminal: Terminal,
) -> Result<u8> {
    let style = Style {
        color: global.colors(terminal),
        width: terminal.width.unwrap_or(USUAL_WIDTH).max(40),
    };
    let Some(wanted) = &arguments.name else {
        write!(streams.stdout, "{}", style.list(RULES))?;
        return Ok(CLEAN);
    };
    match RULES.iter().find(|(name, _)| name == wanted) {
        Some((name, rule)) => {
            write!(streams.stdout, "{}", style.page(name, rule))?;
            Ok(CLEAN)
        }
        None => {
            let mut message = format!("error: there is no rule `{}`", printable(wanted));
            let meant = wanted.replace('_', "-").to_lowercase();
            if let Some(similar) = closest(&meant, RULES.iter().map(|(name, _)| *name)) {
                message.push_str(&format!("; did you mean `{similar}`?"));
            }
            streams.say(&message);
            streams.say("`nginspect rule` lists them all");
            Ok(FAILED)
        }
    }
}

struct Style {
    color: bool,
    width: usize,
}

impl Style {
    fn bold(&self, text: &str) -> String {
        if self.color {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn list(&self, rules: &[(&str, &rule::Rule)]) -> String {
        let mut categories: BTreeMap<Category, Vec<(&str, &rule::Rule)>> = BTreeMap::new();
        for (name, rule) in rules {
            categories
                .entry(rule.category)
                .or_default()
                .push((name, rule));
        }
        let longest = rules.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        // Two columns of margin, `warning`, `unsafe fix`, and two columns between each.
        let indent = 2 + longest + 2 + 7 + 2 + 10 + 2;
        let mut list = String::new();
        for (category, rules) in categories {
            if !list.is_empty() {
                list.push('\n');
            }
            list.push_str(&self.bold(category.as_str()));
            list.push('\n');
            for (name, rule) in rules {
                let (level, fix) = (rule.level(), fixes(rule.fix));
                list.push_str(&format!("  {name:longest$}  {level:7}  {fix:10}  "));
                list.push_str(&wrapped(&rule.summary(), self.width, indent));
                list.push('\n');
            }
        }
        list
    }

    /// The page as it reads in a terminal: paragraphs set anew, headings without their marks.
    fn page(&self, name: &str, rule: &rule::Rule) -> String {
        let width = self.width.min(WIDEST_PAGE);
        let mut facts = vec![rule.level(), rule.category.as_str()];
        facts.extend(Some(fixes(rule.fix)).filter(|fix| !fix.is_empty()));
        let since = format!("since {}", rule.since);
        facts.push(&since);
        let mut page = format!("{} ({})\n", self.bold(name), facts.join(", "));
        for block in rule
            .page()
            .split("\n\n")
            .filter(|block| !block.trim().is_empty())
        {
            page.push('\n');
            page.push_str(&self.block(block, width));
        }
        page.push_str(&format!("\n{}\n", rule.see));
        page
    }

    fn block(&self, block: &str, width: usize) -> String {
        if let Some(heading) = block.strip_prefix("## ") {
            let (heading, rest) = heading.split_once('\n').unwrap_or((heading, ""));
            let rest = if rest.is_empty() {
                String::new()
            } else {
                self.block(rest, width)
            };
            return format!("{}\n{rest}", self.bold(heading));
        }
        if block.starts_with("```") || block.starts_with("    ") || block.starts_with('|') {
            return format!("{}\n", block.trim_end());
        }
        let mut items: Vec<String> = Vec::new();
        for line in block.lines() {
            match items.last_mut() {
                Some(item) if !line.starts_with("- ") => {
                    item.push(' ');
                    item.push_str(line.trim());
                }
                _ => items.push(line.to_owned()),
            }
        }
        items
            .iter()
            .map(|item| match item.strip_prefix("- ") {
                Some(item) => format!("- {}\n", wrapped(item, width, 2)),
                None => format!("{}\n", wrapped(item, width, 0)),
            })
            .collect()
    }
}

/// What a user may expect of a rule's fixes.
fn fixes(fix: Fixes) -> &'static str {
    match fix {
        Fixes::None => "",
        Fixes::Safe => "safe fix",
        Fixes::Unsafe => "unsafe fix",
    }
}

/// The text in lines of at most `width` columns, the first of which begins in column `indent` already.
fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut wrapped = String::new();
    let mut column = indent;
    for word in text.split_ascii_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;

    static SAMPLE: rule::Rule = rule::Rule {
        docs: " The first sentence is long enough to be\n wrapped.\n\n Then `more`.\n\n ## Fix\n None.\n\n - one\n - two\n   goes on\n",
        category: Category::Static,
        severity: Severity::Error,
        off: false,
        fix: Fixes::Unsafe,
        since: "0.1.0",
        see: "https://nginx.org/x",
        check: rule::Check::Config(|_, _| {}),
    };

    #[test]
    fn a_page_is_set_for_the_terminal() {
        let style = Style {
            color: false,
            width: 40,
        };
        insta::assert_snapshot!(style.page("sample", &SAMPLE), @r"
        sample (error, static, unsafe fix, since 0.1.0)

        The first sentence is long enough to be
        wrapped.

        Then `more`.

        Fix
        None.

        - one
        - two goes on

        https://nginx.org/x
        ");
        let colored = Style {
            color: true,
            width: 40,
        };
        assert!(
            colored
                .page("sample", &SAMPLE)
                .contains("\x1b[1mFix\x1b[0m")
        );
    }

    #[test]
    fn the_list_has_aligned_columns() {
        let style = Style {
            color: false,
            width: 60,
        };
        let rules = [("sample", &SAMPLE), ("another-sample", &SAMPLE)];
        insta::assert_snapshot!(style.list(&rules), @r"
        static
          sample          error    unsafe fix  The first sentence is
                                               long enough to be
                                               wrapped.
          another-sample  error    unsafe fix  The first sentence is
                                               long enough to be
                                               wrapped.
        ");
    }
}
