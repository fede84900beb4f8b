//! A line that shows that a long run goes on, rewritten in place and gone at the end.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

const INTERVAL: Duration = Duration::from_millis(200);

/// To the first column, and the rest of the line away.
const CLEAR: &str = "\r\x1b[K";

/// The line; it goes when this is dropped.
pub(super) struct Progress {
    stage: Arc<Mutex<String>>,
    /// Dropped to end the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows the line on the standard error after a second, or never.
    pub(super) fn new(wanted: bool) -> Self {
        if wanted {
            Self::on(io::stderr(), PATIENCE)
        } else {
            Self {
                stage: Arc::default(),
                end: None,
                thread: None,
            }
        }
    }

    fn on(mut out: impl Write + Send + 'static, patience: Duration) -> Self {
        let stage = Arc::new(Mutex::new(String::new()));
        let (end, ended) = mpsc::channel();
        let shown = Arc::clone(&stage);
        let thread = thread::spawn(move || {
            let start = Instant::now();
            let mut wait = patience;
            let mut visible = false;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = INTERVAL;
                let stage = shown.lock().map(|stage| stage.clone()).unwrap_or_default();
                if !stage.is_empty() {
                    visible = true;
                    let seconds = start.elapsed().as_secs();
                    let _ = write!(out, "{CLEAR}{stage} ({seconds} s)");
                    let _ = out.flush();
                }
            }
            if visible {
                let _ = write!(out, "{CLEAR}");
                let _ = out.flush();
            }
        });
        Self {
            stage,
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Says what is being done; it must fit a line and hold nothing that a terminal obeys.
    pub(super) fn say(&self, stage: impl FnOnce() -> String) {
        if self.thread.is_some()
            && let Ok(mut shown) = self.stage.lock()
        {
            *shown = stage();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            let bytes = self.0.lock().expect("nobody panics");
            String::from_utf8(bytes.clone()).expect("text")
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_long_run_has_a_line_that_is_taken_away() {
        let out = Shared::default();
        let progress = Progress::on(out.clone(), Duration::ZERO);
        progress.say(|| "checking 1 of 2".to_owned());
        while out.text().is_empty() {
            thread::yield_now();
        }
        drop(progress);
        let text = out.text();
        assert!(
            text.starts_with("\r\x1b[Kchecking 1 of 2 (0 s)"),
            "{text:?}"
        );
        assert!(text.ends_with(CLEAR), "{text:?}");
    }

    #[test]
    fn a_short_run_shows_nothing() {
        let out = Shared::default();
        let progress = Progress::on(out.clone(), Duration::from_secs(3600));
        progress.say(|| "checking".to_owned());
        drop(progress);
        assert_eq!(out.text(), "");
    }

    #[test]
    fn nothing_is_shown_when_it_is_not_wanted() {
        let progress = Progress::new(false);
        progress.say(|| unreachable!("nobody would read it"));
    }
}
