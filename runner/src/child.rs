//! A command that runs, and its streams.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::command::Size;
use crate::host::Job;
use crate::machine::Error;
use crate::status::{ExitStatus, Limit};
use crate::stdio::Connected;
use crate::stream::{Budget, Stream};

/// A running command. Dropping it does not end the command.
///
/// ```
/// use std::io::{Read, Write};
/// use wasmlinux::{Machine, Stdio};
///
/// let machine = Machine::builder().boot()?;
/// let mut child =
///     machine.command("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// child.stdin.take().unwrap().write_all(b"through the guest").unwrap();
/// let mut text = String::new();
/// child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
/// assert_eq!(text, "through the guest");
/// assert!(child.wait()?.success());
/// # Ok::<(), wasmlinux::Error>(())
/// ```
pub struct Child {
    /// If stdin was [piped](crate::Stdio::piped).
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<ChildStdout>,
    pub stderr: Option<ChildStderr>,
    /// If it was given a [terminal](crate::Command::tty).
    pub terminal: Option<Terminal>,
    job: Job,
    pid: u32,
    pumps: Vec<JoinHandle<io::Result<()>>>,
    budget: Option<Arc<Budget>>,
}

/// What a command has written, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub status: ExitStatus,
    /// With a terminal, all it has shown.
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// The host's ends of a command's streams.
#[derive(Default)]
pub(crate) struct Ends {
    pub stdin: Connected,
    pub stdout: Connected,
    pub stderr: Connected,
    pub terminal: Option<Connected>,
}

impl Ends {
    pub fn all(&self) -> impl Iterator<Item = &Connected> {
        [&self.stdin, &self.stdout, &self.stderr].into_iter().chain(&self.terminal)
    }
}

impl Child {
    pub(crate) fn new(job: Job, pid: u32, mut ends: Ends, budget: Option<Arc<Budget>>) -> Child {
        let pumps = [Some(&mut ends.stdout), Some(&mut ends.stderr), ends.terminal.as_mut()];
        let pumps = pumps.into_iter().flatten().filter_map(|c| c.pump.take()).collect();
        let piped = |c: Connected| c.stream.filter(|_| c.piped);
        Child {
            stdin: piped(ends.stdin).map(|s| ChildStdin(Some(s))),
            stdout: piped(ends.stdout).map(|s| ChildStdout(Some(s))),
            stderr: piped(ends.stderr).map(|s| ChildStderr(Some(s))),
            terminal: ends.terminal.and_then(|c| c.stream).map(Terminal),
            job,
            pid,
            pumps,
            budget,
        }
    }

    /// Its process id in the guest; 0 if it had ended before it could be asked.
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// Kills its process (SIGKILL). Its descendants live on, unless it has limits
    /// or is [contained](crate::Command::contain).
    pub fn kill(&self) {
        self.job.kill();
    }

    /// Sends its process a signal; nothing happens if it has ended.
    pub fn signal(&self, signal: i32) {
        self.job.signal(signal);
    }

    /// Waits for its end, having closed its stdin. What it wrote to inherited
    /// descriptors and files has arrived there then.
    ///
    /// A process in the background that has its stdout or stderr open does not
    /// hold this up; what that writes later fails (EPIPE).
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        drop(self.stdin.take());
        let status = self.job.wait(None).map(|s| s.expect("waited without a deadline"));
        self.finish(status)
    }

    /// Its status, if it has ended.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.wait_until(Instant::now())
    }

    /// Waits at most so long; does not close its stdin.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<Option<ExitStatus>, Error> {
        match Instant::now().checked_add(timeout) {
            Some(at) => self.wait_until(at),
            None => self.wait().map(Some),
        }
    }

    fn wait_until(&mut self, at: Instant) -> Result<Option<ExitStatus>, Error> {
        let status = self.job.wait(Some(at)).transpose();
        status.map(|status| self.finish(status)).transpose()
    }

    /// Waits for its end and collects what it writes to the pipes that were not
    /// taken.
    pub fn wait_with_output(mut self) -> Result<Output, Error> {
        drop(self.stdin.take());
        let stdout = self.stdout.take().and_then(|mut s| s.0.take());
        // What a terminal shows, unless it is shown on a host's file.
        let terminal = self.terminal.take().filter(|_| self.pumps.is_empty());
        let stdout = stdout.or(terminal.map(|t| t.0));
        let stderr = self.stderr.take().and_then(|mut s| s.0.take());
        let streams = [stdout, stderr];
        streams.iter().flatten().for_each(|s| s.collect());
        let status = self.wait()?;
        let [stdout, stderr] = streams.map(|s| s.map_or_else(Vec::new, |s| s.take_all()));
        Ok(Output { status, stdout, stderr })
    }

    /// After its end, or the machine's: what it wrote is where it should be.
    fn finish(&mut self, status: Result<ExitStatus, Error>) -> Result<ExitStatus, Error> {
        let mut failed = None;
        for pump in self.pumps.drain(..) {
            match pump.join() {
                // Whoever closed the pipe knows: the guest got its SIGPIPE. A
                // terminal that went away has nothing to show.
                Ok(Err(e)) if !is_gone(&e) => failed = Some(e),
                _ => {}
            }
        }
        let status = status?;
        if let Some(e) = failed {
            return Err(Error::Output(e));
        }
        let over = self.budget.as_ref().is_some_and(|b| b.is_over());
        Ok(if over { status.with_limit(Limit::Output) } else { status })
    }
}

fn is_gone(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::BrokenPipe || e.raw_os_error() == Some(libc::EIO)
}

/// A command's stdin. Dropping it is the end of its input.
pub struct ChildStdin(Option<Arc<Stream>>);

/// A command's stdout. Dropping it breaks the pipe.
pub struct ChildStdout(Option<Arc<Stream>>);

/// A command's stderr. Dropping it breaks the pipe.
pub struct ChildStderr(Option<Arc<Stream>>);

/// The host's side of a command's terminal: what is written is typed, what is
/// read is shown. Copies are the same terminal; dropping them does nothing.
///
/// ```
/// use std::io::{Read, Write};
/// use wasmlinux::{Machine, Size, Stdio};
///
/// let machine = Machine::builder().boot()?;
/// let mut child = machine
///     .command("stty")
///     .arg("size")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::piped())
///     .tty(Size { rows: 40, columns: 132 })
///     .spawn()?;
/// let mut shown = String::new();
/// child.terminal.take().unwrap().read_to_string(&mut shown).unwrap();
/// assert_eq!(shown, "40 132\r\n");
/// # Ok::<(), wasmlinux::Error>(())
/// ```
#[derive(Clone)]
pub struct Terminal(Arc<Stream>);

impl Terminal {
    /// Its window has another size: the foreground processes get SIGWINCH.
    pub fn resize(&self, size: Size) {
        self.0.resize(size.rows, size.columns);
    }

    /// Its line is cut: the session leader gets SIGHUP.
    pub fn hang_up(&self) {
        self.0.end_input();
    }
}

fn write(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    match stream.wait_free() {
        Some(_) => Ok(stream.feed(bytes)),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

fn read(stream: &Stream, buf: &mut [u8]) -> io::Result<usize> {
    Ok(if buf.is_empty() { 0 } else { stream.wait_output(buf) })
}

/// What std's types of the same names do. A stream is only missing while
/// `wait_with_output` takes an end apart.
macro_rules! end {
    ($end:ident, write) => {
        impl Write for $end {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.as_ref().map_or(Ok(0), |s| write(s, bytes))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        end!($end, drop end_input);
    };
    ($end:ident, read) => {
        impl Read for $end {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.as_ref().map_or(Ok(0), |s| read(s, buf))
            }
        }
        end!($end, drop break_output);
    };
    ($end:ident, drop $close:ident) => {
        impl Drop for $end {
            fn drop(&mut self) {
                if let Some(stream) = &self.0 {
                    stream.$close();
                }
            }
        }
    };
}

end!(ChildStdin, write);
end!(ChildStdout, read);
end!(ChildStderr, read);

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&self.0, bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Terminal {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        read(&self.0, buf)
    }
}
