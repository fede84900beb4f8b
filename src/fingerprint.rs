//! What makes a finding the same finding in the next version of a file.
//!
//! A fingerprint holds the rule, the last part of the file's name, the directives around the place, and the words there;
//! not the line, the indentation, comments, the message, or the folder in which nginspect runs. So it survives lines that
//! move, blocks that are formatted anew, and a checkout somewhere else.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::syntax::{self, Node, NodeIndex, Tree};

/// The fingerprint of one finding; for many, [`Fingerprints`] reads each file once.
pub fn fingerprint(sources: &Sources, diagnostic: &Diagnostic) -> String {
    Fingerprints::new(sources).of(diagnostic)
}

/// Makes the fingerprints of findings in the same configuration.
#[derive(Debug)]
pub struct Fingerprints<'a> {
    sources: &'a Sources,
    trees: HashMap<FileId, Tree>,
}

impl<'a> Fingerprints<'a> {
    /// For findings whose spans lie in `sources`.
    pub fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            trees: HashMap::new(),
        }
    }

    /// Sixteen hexadecimal digits. Findings that only their order tells apart (the same line twice in the same block)
    /// share them.
    pub fn of(&mut self, diagnostic: &Diagnostic) -> String {
        let span = diagnostic.span;
        let file = self.sources.file(span.file);
        let tree = self
            .trees
            .entry(span.file)
            .or_insert_with(|| syntax::parse(span.file, file.bytes(), |_, _, _| None));

        let mut hash = Hash::new();
        hash.part(diagnostic.rule.as_bytes());
        hash.part(last_part(file.name()).as_bytes());
        match innermost(tree, span.start) {
            Some(index) => {
                let mut chain = vec![index];
                chain.extend(std::iter::successors(
                    tree.nodes[index as usize].parent,
                    |at| tree.nodes[*at as usize].parent,
                ));
                for at in chain.into_iter().rev() {
                    for word in tree.words(&tree.nodes[at as usize]) {
                        hash.part(&tree.value(word, file.bytes()));
                    }
                    hash.part(b"");
                }
                let head = tree.head_span(&tree.nodes[index as usize]);
                if head.start <= span.start && span.end <= head.end {
                    hash.words(file.slice(span));
                }
            }
            None => hash.words(line(file, span)),
        }
        hash.finish()
    }
}

/// The directive that an offset lies in, between its name and its end.
fn innermost(tree: &Tree, offset: u32) -> Option<NodeIndex> {
    let started = tree
        .nodes
        .partition_point(|node| tree.tokens[node.head as usize].start <= offset);
    let last = NodeIndex::try_from(started.checked_sub(1)?).ok()?;
    std::iter::successors(Some(last), |at| tree.nodes[*at as usize].parent)
        .find(|at| offset <= end(tree, &tree.nodes[*at as usize]))
}

/// The offset just past a directive; a block that nobody closes does not end.
fn end(tree: &Tree, node: &Node) -> u32 {
    let last = match node.close {
        Some(close) => close,
        None if node.block => return u32::MAX,
        None => node.body - 1,
    };
    tree.tokens[last as usize].end
}

fn line(file: &SourceFile, span: Span) -> &[u8] {
    file.line(file.line_index(span.start))
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// FNV-1a with 64 bits: fingerprints are kept in files, and the hash of the standard library may change.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    fn part(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
        // No UTF-8 text holds it, so that `a b` and `ab` stay different.
        self.byte(0xff);
    }

    /// Text whose white space does not matter.
    fn words(&mut self, text: &[u8]) {
        for word in text
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
        {
            self.part(word);
        }
    }

    fn finish(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;
    use crate::source::Origin;

    const BEFORE: &str = "server {\n    location /a {\n        proxy_read_timeout 1s;\n    }\n}\n";

    /// The fingerprint of a finding at the last place where `part` stands.
    fn print(name: &str, text: &str, part: &str, rule: &'static str) -> String {
        let mut sources = Sources::default();
        let file = sources.add(name, Origin::Dump, text.as_bytes().to_vec());
        let start = text.rfind(part).expect("the part is in the text");
        let diagnostic = Diagnostic {
            rule,
            severity: Severity::Warning,
            message: String::new(),
            span: Span::new(file, start as u32, (start + part.len()) as u32),
            label: None,
            labels: Vec::new(),
            story: None,
            witness: None,
            help: None,
            fixes: Vec::new(),
        };
        fingerprint(&sources, &diagnostic)
    }

    fn of(text: &str) -> String {
        print("shop.conf", text, "1s", "short-timeout")
    }

    #[test]
    fn fingerprints_are_the_same_in_every_version_of_the_program() {
        assert_eq!(of(BEFORE), "a5e1650c1878f033");
    }

    #[test]
    fn lines_may_move_and_be_indented_and_commented_anew() {
        for after in [
            "# by hand\nuser www;\nserver {\n  location /b { proxy_read_timeout 1s; }\n\tlocation  /a\n\t{\n\tproxy_read_timeout\n 1s; # short\n}\n}\n",
            "server {\r\n    location /a {\r\n        proxy_read_timeout 1s;\r\n    }\r\n}\r\n",
            "server { location \"/a\" { proxy_read_timeout 1s",
        ] {
            assert_eq!(of(BEFORE), of(after), "{after}");
        }
    }

    #[test]
    fn another_rule_word_directive_block_or_file_is_another_finding() {
        let before = of(BEFORE);
        for (from, to) in [
            ("read", "send"),
            ("1s", "11s"),
            ("1s", "1s x"),
            ("/a", "/b"),
            ("server", "http { server"),
        ] {
            assert_ne!(before, of(&BEFORE.replace(from, to)), "{to}");
        }
        let other = |name, rule| print(name, BEFORE, "1s", rule);
        assert_ne!(before, other("shop.conf", "zero-timeout"));
        assert_ne!(before, other("blog.conf", "short-timeout"));
        assert_eq!(before, other("/etc/nginx/shop.conf", "short-timeout"));
    }

    #[test]
    fn a_finding_at_a_block_does_not_depend_on_what_the_block_holds() {
        let at_block = |text| print("shop.conf", text, text, "zero-timeout");
        assert_eq!(
            at_block("location / { a; }"),
            at_block("location / { b; c; }")
        );
    }

    #[test]
    fn places_outside_every_directive_have_one_too() {
        for text in ["", "}", "# x\n", "a;\n}\n", "\"", "{"] {
            assert_eq!(print("a", text, text, "syntax-error").len(), 16, "{text}");
        }
    }
}
