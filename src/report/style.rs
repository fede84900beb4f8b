//! Colours of the reports that are no frames.

/// Colours, where they are wanted.
#[derive(Clone, Copy)]
pub(super) struct Style(pub(super) bool);

impl Style {
    fn set(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.set("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.set("2", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.set("32", text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.set("33", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.set("31", text)
    }
}
