//! Values as they are at one moment of a request, of which a part may not be known.

use super::variation::Varies;

/// A text that nginx computes for a request.
///
/// What the configuration does not tell stands in it by name, as `$request_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) bytes: Vec<u8>,
    /// The variables that stand in it by name.
    pub(super) unknown: Vec<String>,
    /// How it depends on the path and the query.
    pub(super) varies: Varies,
}

impl Value {
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            unknown: Vec::new(),
            varies: Varies::No,
        }
    }

    /// The value of a variable that is not known.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            bytes: format!("${name}").into_bytes(),
            unknown: vec![format!("${name}")],
            varies: Varies::No,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }

    /// True when another path or query of the request may make it another.
    pub(super) fn is_varied(&self) -> bool {
        self.varies != Varies::No
    }

    /// The value as one that depends on the path or the query.
    pub(super) fn varied(mut self, varies: Varies) -> Self {
        self.varies = varies;
        self
    }

    /// True when it begins with these bytes whatever path and query the request has.
    pub(super) fn is_fixed(&self, length: usize) -> bool {
        self.varies.fixed(self.bytes.len()) >= length
    }

    /// True when it is certainly empty.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.is_known()
    }

    pub(super) fn push(&mut self, other: &Self) {
        let (length, added) = (self.bytes.len(), other.bytes.len());
        self.varies = self.varies.then(length, other.varies, added);
        self.bytes.extend(&other.bytes);
        self.learn_names(other);
    }

    /// Takes over what is not known of another value, and what it depends on.
    pub(super) fn learn(&mut self, other: &Self) {
        if other.is_varied() {
            self.varies = Varies::From(0);
        }
        self.learn_names(other);
    }

    fn learn_names(&mut self, other: &Self) {
        for name in &other.unknown {
            if !self.unknown.contains(name) {
                self.unknown.push(name.clone());
            }
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The same knowledge about other bytes that were made of these.
    pub(super) fn with(&self, bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            unknown: self.unknown.clone(),
            varies: self.varies.changed(),
        }
    }

    /// Takes away what stands from a place on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let fixed = self.varies.fixed(self.bytes.len());
        let tail = self.bytes.split_off(at);
        let tail = self.with(tail);
        self.varies = match at <= fixed {
            true => Varies::No,
            false => Varies::From(fixed),
        };
        tail
    }
}
