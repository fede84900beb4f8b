//! Runs nginspect in the process of a test, as a terminal of 100 columns without colours would show it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::rc::Rc;

use nginspect::cli::{self, Streams, Terminal};

/// What a run left behind.
pub(crate) struct Outcome {
    pub(crate) code: u8,
    /// Both streams in the order in which they were written.
    pub(crate) shown: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A stream that writes down what goes through it, for itself and for both.
struct Recorder {
    own: Vec<u8>,
    both: Rc<RefCell<Vec<u8>>>,
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.own.extend_from_slice(bytes);
        self.both.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs nginspect with these arguments and this standard input.
pub(crate) fn nginspect<A: Into<OsString>>(
    arguments: impl IntoIterator<Item = A>,
    mut stdin: &[u8],
) -> Outcome {
    let both = Rc::new(RefCell::new(Vec::new()));
    let recorder = || Recorder {
        own: Vec::new(),
        both: Rc::clone(&both),
    };
    let (mut stdout, mut stderr) = (recorder(), recorder());
    let streams = Streams {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
    };
    let terminal = Terminal {
        color: false,
        links: false,
        width: Some(100),
        progress: false,
    };
    let program = OsString::from("nginspect");
    let arguments = std::iter::once(program).chain(arguments.into_iter().map(Into::into));
    let code = cli::run(arguments, streams, terminal);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Outcome {
        code,
        shown: text(both.take()),
        stdout: text(stdout.own),
        stderr: text(stderr.own),
    }
}
