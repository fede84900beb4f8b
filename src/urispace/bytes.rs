//! Sets of bytes, and what a byte costs in a witness.

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    pub(super) const NONE: Self = Self([0; 4]);
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    /// The set of one byte.
    pub(super) fn one(byte: u8) -> Self {
        Self::NONE.with(byte)
    }

    /// The bytes that a test holds for.
    pub(super) fn that(test: impl Fn(u8) -> bool) -> Self {
        (0..=255)
            .filter(|byte| test(*byte))
            .fold(Self::NONE, Self::with)
    }

    pub(super) fn with(mut self, byte: u8) -> Self {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        self
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index] | other.0[index]))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index] & other.0[index]))
    }

    /// True when some byte is in both.
    pub(super) fn meets(self, other: Self) -> bool {
        self.and(other) != Self::NONE
    }

    pub(super) fn not(self) -> Self {
        Self(self.0.map(|part| !part))
    }

    /// With the other case of each ASCII letter.
    pub(super) fn caseless(self) -> Self {
        Self::that(|byte| {
            self.has(byte.to_ascii_lowercase()) || self.has(byte.to_ascii_uppercase())
        })
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=255).filter(move |byte| self.has(*byte))
    }
}

/// True for what `\w` means without UTF: letters, digits and the underscore.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What a byte costs: a person reads letters most easily, and control characters make a request that nobody sends.
pub(super) fn cost(byte: u8) -> u64 {
    match byte {
        b'a'..=b'z' => 100,
        b'1' | b'/' => 101,
        b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => 102,
        b'!' | b'$' | b'&' | b'\'' | b'('..=b',' | b':' | b';' | b'=' | b'@' => 150,
        b' '..=b'~' => 400,
        0x80.. => 2_000,
        0..=0x1f | 0x7f => 100_000,
    }
}
