//! Random sets of locations over a few letters, so that every short path can be tried.

/// A stream of random numbers.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) as usize % limit
    }

    pub(crate) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// What the paths are made of, and the names.
pub(crate) struct Letters {
    paths: &'static [u8],
    length: usize,
    atoms: &'static [&'static str],
    names: &'static [&'static str],
}

pub(crate) const DOTS: Letters = Letters {
    paths: b"/ab.",
    length: 6,
    atoms: &[
        "a", "b", "/", "\\.", ".", "[ab]", "[^a]", "[^/]", "\\w", "\\W",
    ],
    names: &["/", "a", "b", "a/", "b/", ".", "ab"],
};

pub(crate) const LINES: Letters = Letters {
    paths: b"/a.\nA",
    length: 5,
    atoms: &[
        "a",
        "A",
        "/",
        "\\x0a",
        ".",
        "[^a]",
        "[[:upper:]]",
        "\\s",
        "(?i:a)",
        "\\N",
    ],
    names: &["/", "a", "A", "a/", "A/", "."],
};

impl Letters {
    fn pattern(&self, chance: &mut Chance, depth: usize) -> String {
        let parts = 1 + chance.below(3);
        let mut text = String::new();
        for _ in 0..parts {
            match chance.below(12) {
                0 if depth < 2 => {
                    let (first, second) = (
                        self.pattern(chance, depth + 1),
                        self.pattern(chance, depth + 1),
                    );
                    text += &format!("(?:{first}|{second})");
                    text += chance.one(&["", "", "+", "?", "*"]);
                }
                1 if depth < 2 => {
                    let look = chance.one(&["?=", "?!", "?!", "?i:"]);
                    text += &format!("({look}{})", self.pattern(chance, depth + 1));
                }
                2 => text += chance.one(&["\\b", "\\B", "$", "\\z", "^", ""]),
                3 => text += ".*",
                _ => {
                    text += chance.one(self.atoms);
                    text += chance.one(&["", "", "", "", "*", "+", "?", "{2}", "{1,2}"]);
                }
            }
        }
        text
    }

    fn location(
        &self,
        chance: &mut Chance,
        inside: &str,
        depth: usize,
        count: &mut usize,
    ) -> String {
        *count += 1;
        let number = *count;
        let mut name = inside.to_owned();
        for _ in 0..chance.below(3) {
            name += chance.one(self.names);
        }
        if !name.starts_with('/') {
            name.insert(0, '/');
        }
        let name = name.replace("//", "/");
        let pass = match chance.once_in(4) {
            true => "proxy_pass http://127.0.0.1;",
            false => "",
        };
        let regex = |this: &Self, chance: &mut Chance| {
            let start = chance.one(&["", "", "^", "^/"]);
            let end = chance.one(&["", "", "$", "\\Z"]);
            let case = chance.one(&["~", "~", "~*"]);
            let pattern = this.pattern(chance, 0);
            format!("{case} \"{start}{pattern}{end}\"")
        };
        let (head, below) = match chance.below(7) {
            0 => (format!("= {name}"), None),
            1 => (format!("^~ {name}"), Some(&name)),
            2 | 3 => (name.clone(), Some(&name)),
            _ => (regex(self, chance), None),
        };
        let is_regex = head.starts_with("~");
        let mut inner = String::new();
        if depth < 2 && (below.is_some() || is_regex) && chance.once_in(3) {
            for _ in 0..=chance.below(3) {
                let outer = if is_regex { inside } else { &name };
                inner += &match is_regex {
                    true => {
                        *count += 1;
                        let head = regex(self, chance);
                        format!("location {head} {{ return 200 <{count}>; }}\n")
                    }
                    false => self.location(chance, outer, depth + 1, count),
                };
            }
        }
        format!("location {head} {{ {pass} return 200 <{number}>;\n{inner}}}\n")
    }

    /// Random locations, each of which answers with its number: `<1>`, `<2>` and so on.
    pub(crate) fn server(&self, chance: &mut Chance) -> String {
        let locations = 1 + chance.below(6);
        let mut count = 0;
        (0..locations)
            .map(|_| self.location(chance, "", 0, &mut count))
            .collect()
    }

    /// Every path that a client can send, up to the length.
    pub(crate) fn paths(&self) -> Vec<Vec<u8>> {
        let mut all = vec![b"/".to_vec()];
        let mut last = all.clone();
        for _ in 1..self.length {
            last = last
                .iter()
                .flat_map(|path| {
                    let add = move |byte: &u8| [path, &[*byte][..]].concat();
                    self.paths.iter().map(add)
                })
                .collect();
            all.extend(last.iter().cloned());
        }
        all.retain(|path| {
            let mut segments = path[1..].split(|byte| *byte == b'/').rev();
            let last = segments.next().unwrap_or_default();
            !matches!(last, b"." | b"..")
                && segments.all(|segment| !matches!(segment, b"" | b"." | b".."))
        });
        all
    }
}
