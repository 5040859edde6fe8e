//! The kernel log of a command: written where it was asked for, and the last of
//! it kept for a panic.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use wasmlinux::terminal;

/// Bytes kept for a panic.
const KEPT: usize = 64 << 10;

#[derive(Clone)]
pub struct KernelLog(Arc<Mutex<State>>);

struct State {
    to: Option<Box<dyn Write + Send>>,
    shown: bool,
    kept: Vec<u8>,
}

impl KernelLog {
    /// `-` is stderr; `None` only keeps.
    pub fn open(path: Option<&Path>) -> io::Result<KernelLog> {
        let shown = path == Some(Path::new("-"));
        let to: Option<Box<dyn Write + Send>> = match path {
            None => None,
            Some(_) if shown => Some(Box::new(terminal::Stderr)),
            Some(path) => Some(Box::new(File::create(path)?)),
        };
        Ok(KernelLog(Arc::new(Mutex::new(State { to, shown, kept: Vec::new() }))))
    }

    /// After a panic: the log on stderr, unless it went there anyway.
    pub fn show_kept(&self) {
        let state = self.0.lock();
        if !state.shown {
            // stderr is the last place to complain to.
            let _ = io::stderr().write_all(&state.kept);
        }
    }
}

impl Write for KernelLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        state.kept.extend(bytes);
        if state.kept.len() > 2 * KEPT {
            let cut = state.kept.len() - KEPT;
            state.kept.drain(..cut);
        }
        match &mut state.to {
            Some(to) => to.write_all(bytes)?,
            None => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
