//! What the command tells beside its work: its own log on stderr, and the kernel
//! log, which is written where it was asked for and whose last part is kept for a
//! panic.

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
        if let Some(to) = &mut state.to {
            to.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.target().starts_with("wasmlinux")
    }

    fn log(&self, record: &log::Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = format!("wasmlinux: {}\n", record.args()).into_bytes();
        let line = if terminal::is_raw() { terminal::lines(&line) } else { line };
        // stderr is the last place to complain to.
        let _ = io::stderr().write_all(&line);
    }

    fn flush(&self) {}
}

/// From now on what goes on is told on stderr.
pub fn to_stderr(level: log::LevelFilter) {
    // Only called once: there is no other logger.
    let _ = log::set_logger(&Stderr);
    log::set_max_level(level);
}
