//! The terminal the runner was started on.

use std::io;

pub use minitelnet::tty::*;

/// Text for a raw terminal, where a line feed alone does not return the carriage.
pub fn lines(text: &[u8]) -> Vec<u8> {
    let byte = |&b: &u8| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] };
    text.iter().flat_map(byte).collect()
}

/// stderr for lines of our own, which may share the terminal with a guest.
pub struct Stderr;

impl io::Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_raw() {
            io::stderr().write_all(&lines(bytes))?;
        } else {
            io::stderr().write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
