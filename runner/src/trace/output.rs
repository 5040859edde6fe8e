//! The thread that writes the trace.
//!
//! The guest's CPU thread adds lines to a bounded buffer. When that is full it
//! waits: no line is dropped as long as somebody takes them. Whoever takes none
//! for [`STALL`] has gone: the trace ends there, the guest goes on.

use std::io::Write;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex};

use super::lines::Lines;

/// Bytes that wait for the writer at most.
const FULL: usize = 1 << 20;
/// How long a full buffer may stay as it is.
const STALL: Duration = Duration::from_secs(10);
/// After this long without news a running call is shown as far as it is known.
const QUIET: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, thiserror::Error)]
pub enum TraceError {
    #[error("the trace is not complete: it cannot be written: {0}")]
    Write(String),
    #[error("the trace is not complete: nobody took it for {} seconds", STALL.as_secs())]
    Stalled,
}

#[derive(Default)]
struct State {
    lines: Lines,
    /// Nothing is added any more.
    closed: bool,
    /// The writer has ended.
    done: bool,
    error: Option<TraceError>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There are lines, or there will be none.
    more: Condvar,
    /// The writer has taken lines, or ended.
    taken: Condvar,
}

pub struct Output {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Output {
    pub fn start(to: Box<dyn Write + Send>) -> std::io::Result<Output> {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("wasmlinux-trace".into())
            .spawn(move || theirs.write_all(to))?;
        Ok(Output { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Adds what `add` adds, when there is room.
    pub fn add(&self, add: impl FnOnce(&mut Lines)) {
        let mut state = self.shared.state.lock();
        let deadline = Instant::now() + STALL;
        while state.lines.waiting() >= FULL && !state.closed {
            if self.shared.taken.wait_until(&mut state, deadline).timed_out() {
                state.closed = true;
                state.error.get_or_insert(TraceError::Stalled);
            }
        }
        if !state.closed {
            add(&mut state.lines);
            self.shared.more.notify_one();
        }
    }

    /// Waits until everything is written, or nobody takes it.
    pub fn finish(&self) -> Result<(), TraceError> {
        let mut state = self.shared.state.lock();
        if !state.closed {
            state.lines.suspend();
            state.closed = true;
        }
        self.shared.more.notify_one();
        let deadline = Instant::now() + STALL;
        while !state.done {
            if self.shared.taken.wait_until(&mut state, deadline).timed_out() {
                // The thread hangs in a write; it ends with the process.
                return Err(state.error.clone().unwrap_or(TraceError::Stalled));
            }
        }
        let result = state.error.clone().map_or(Ok(()), Err);
        drop(state);
        if let Some(thread) = self.thread.lock().take() {
            // It has ended; a panic of it has been reported by the hook.
            let _ = thread.join();
        }
        result
    }
}

impl Shared {
    fn write_all(&self, mut to: Box<dyn Write + Send>) {
        while let Some(lines) = self.next() {
            let written = to.write_all(&lines).and_then(|()| to.flush());
            if let Err(e) = written {
                let mut state = self.state.lock();
                state.closed = true;
                state.error.get_or_insert(TraceError::Write(e.to_string()));
                break;
            }
        }
        self.state.lock().done = true;
        self.taken.notify_all();
    }

    /// Waits for lines; `None` at the end.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.state.lock();
        loop {
            if state.lines.waiting() > 0 {
                self.taken.notify_all();
                return Some(state.lines.take_out());
            }
            if state.closed {
                return None;
            }
            if !state.lines.hides_something() {
                self.more.wait(&mut state);
            } else if self.more.wait_for(&mut state, QUIET).timed_out() {
                state.lines.suspend();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Hands each write to a test, which decides when it goes on.
    struct Slow(mpsc::SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_line_is_lost_however_slow_the_reader() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let output = Output::start(Box::new(Slow(sender))).unwrap();
        let reader = std::thread::spawn(move || receiver.iter().flatten().collect::<Vec<u8>>());
        const LINES: u32 = 200_000;
        for i in 0..LINES {
            output.add(|lines| lines.note(i, "a line of the usual length"));
        }
        output.finish().unwrap();
        drop(output);
        let text = String::from_utf8(reader.join().unwrap()).unwrap();
        assert_eq!(text.lines().count(), LINES as usize);
        for (i, line) in text.lines().enumerate() {
            assert!(line.starts_with(&format!("{i} ")), "{line}");
        }
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_trace_and_nothing_else() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let output = Output::start(Box::new(Slow(sender))).unwrap();
        output.add(|lines| lines.note(1, "first"));
        assert_eq!(receiver.recv().unwrap(), b"1 first\n");
        drop(receiver);
        for _ in 0..2 * FULL / 8 {
            output.add(|lines| lines.note(1, "more"));
        }
        assert!(matches!(output.finish(), Err(TraceError::Write(_))));
    }

    #[test]
    fn a_call_that_waits_is_shown() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let output = Output::start(Box::new(Slow(sender))).unwrap();
        output.add(|lines| lines.enter(1, "read", "read(0, ".into()));
        assert_eq!(receiver.recv().unwrap(), b"1 read(0, <unfinished ...>\n");
    }
}
