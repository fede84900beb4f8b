//! Values as they are at one moment of a request, of which a part may not be known.

/// A text that nginx computes for a request.
///
/// What the configuration does not tell stands in it by name, as `$request_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) bytes: Vec<u8>,
    /// The variables that stand in it by name.
    pub(super) unknown: Vec<String>,
}

impl Value {
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            unknown: Vec::new(),
        }
    }

    /// The value of a variable that is not known.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            bytes: format!("${name}").into_bytes(),
            unknown: vec![format!("${name}")],
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.unknown.is_empty()
    }

    /// True when it is certainly empty.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.is_known()
    }

    pub(super) fn push(&mut self, other: &Self) {
        self.bytes.extend(&other.bytes);
        self.learn(other);
    }

    /// Takes over what is not known of another value.
    pub(super) fn learn(&mut self, other: &Self) {
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
        }
    }

    /// Takes away what stands from a place on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let tail = self.bytes.split_off(at);
        self.with(tail)
    }
}
