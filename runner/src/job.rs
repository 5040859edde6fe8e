//! Jobs: commands that the host starts in the guest.

use std::sync::Arc;

use crate::engine::Errno;
use crate::stream::Stream;

/// fds 0, 1 and 2 are one new terminal.
const FLAG_TTY: u32 = 1;
/// Search PATH for a command without a slash.
const FLAG_SEARCH: u32 = 2;
/// The host sees its system calls.
const FLAG_TRACE: u32 = 4;

/// What to run. Strings are bytes without NUL.
#[derive(Clone, Debug, Default)]
pub struct JobSpec {
    pub argv: Vec<Vec<u8>>,
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    pub cwd: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    /// Its system calls and its children's are told to the machine's tracer.
    pub trace: bool,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpecError {
    #[error("no command given")]
    NoCommand,
    #[error("an argument, environment variable or directory contains a NUL byte")]
    Nul,
    #[error("environment variable {0:?} has no name or contains `=`")]
    Name(String),
}

/// Streams of a job.
#[derive(Clone)]
pub enum Stdio {
    Terminal { stream: Arc<Stream>, rows: u16, columns: u16 },
    Streams { stdin: Arc<Stream>, stdout: Arc<Stream>, stderr: Arc<Stream> },
}

/// How a job ended, decoded from the kernel's wait status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(u8),
    Signal(u8),
    /// exec failed with this errno (positive).
    NotStarted(i32),
}

impl Exit {
    pub fn from_kernel(status: Result<i32, Errno>) -> Exit {
        match status {
            Err(errno) => Exit::NotStarted(-errno),
            Ok(s) if s & 0x7f == 0 => Exit::Code((s >> 8) as u8),
            Ok(s) => Exit::Signal((s & 0x7f) as u8),
        }
    }

    /// The exit code a shell would give.
    pub fn code(self) -> u8 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal,
            Exit::NotStarted(libc::ENOENT) => 127,
            Exit::NotStarted(_) => 126,
        }
    }
}

impl JobSpec {
    pub fn check(&self) -> Result<(), SpecError> {
        if self.argv.first().is_none_or(Vec::is_empty) {
            return Err(SpecError::NoCommand);
        }
        let env = self.env.iter().flat_map(|(k, v)| [k, v]);
        if self.argv.iter().chain(env).chain([&self.cwd]).any(|s| s.contains(&0)) {
            return Err(SpecError::Nul);
        }
        match self.env.iter().find(|(k, _)| k.is_empty() || k.contains(&b'=')) {
            Some((k, _)) => Err(SpecError::Name(String::from_utf8_lossy(k).into_owned())),
            None => Ok(()),
        }
    }

    /// The request as `arch/lkl/kernel/job.c` reads it.
    pub fn serialise(&self, id: u32, stdio: &Stdio) -> Vec<u8> {
        let (tty, streams, rows, columns) = match stdio {
            Stdio::Terminal { stream, rows, columns } => {
                (FLAG_TTY, [stream.id(); 3], *rows, *columns)
            }
            Stdio::Streams { stdin, stdout, stderr } => {
                (0, [stdin.id(), stdout.id(), stderr.id()], 0, 0)
            }
        };
        let trace = if self.trace { FLAG_TRACE } else { 0 };
        let mut out = Vec::new();
        let words = [id, 0, tty | FLAG_SEARCH | trace, self.uid, self.gid];
        for word in words.into_iter().chain(streams) {
            out.extend(word.to_le_bytes());
        }
        out.extend(rows.to_le_bytes());
        out.extend(columns.to_le_bytes());
        for count in [self.argv.len(), self.env.len()] {
            out.extend((count as u32).to_le_bytes());
        }
        let mut string = |parts: &[&[u8]]| {
            parts.iter().for_each(|p| out.extend(*p));
            out.push(0);
        };
        string(&[&self.cwd]);
        self.argv.iter().for_each(|a| string(&[a]));
        self.env.iter().for_each(|(k, v)| string(&[k, b"=", v]));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::irq::Irqs;
    use crate::stream::Streams;

    #[test]
    fn wait_statuses() {
        assert_eq!(Exit::from_kernel(Ok(7 << 8)).code(), 7);
        assert_eq!(Exit::from_kernel(Ok(11)), Exit::Signal(11));
        assert_eq!(Exit::from_kernel(Ok(0x80 | 11)).code(), 139);
        assert_eq!(Exit::from_kernel(Err(-2)).code(), 127);
        assert_eq!(Exit::from_kernel(Err(-13)).code(), 126);
    }

    #[test]
    fn bad_specs() {
        let spec = |argv: &[&[u8]]| JobSpec {
            argv: argv.iter().map(|a| a.to_vec()).collect(),
            ..JobSpec::default()
        };
        assert_eq!(spec(&[]).check(), Err(SpecError::NoCommand));
        assert_eq!(spec(&[b"a\0b"]).check(), Err(SpecError::Nul));
        let mut named = spec(&[b"true"]);
        named.env.push((b"A=".to_vec(), Vec::new()));
        assert!(matches!(named.check(), Err(SpecError::Name(_))));
    }

    #[test]
    fn request_layout() {
        let streams = Streams::new(Irqs::new().unwrap());
        let spec = JobSpec {
            argv: vec![b"ls".to_vec(), b"-l".to_vec()],
            env: vec![(b"A".to_vec(), b"b".to_vec())],
            cwd: b"/".to_vec(),
            uid: 1000,
            gid: 1001,
            trace: true,
        };
        let stdio = Stdio::Terminal { stream: streams.open(), rows: 24, columns: 80 };
        let bytes = spec.serialise(5, &stdio);
        let word = |i: usize| u32::from_le_bytes(bytes[i * 4..][..4].try_into().unwrap());
        assert_eq!([word(0), word(1), word(2), word(3), word(4)], [5, 0, 7, 1000, 1001]);
        assert_eq!([word(5), word(6), word(7)], [1, 1, 1]);
        assert_eq!(word(8), 24 | 80 << 16);
        assert_eq!([word(9), word(10)], [2, 1]);
        assert_eq!(&bytes[44..], b"/\0ls\0-l\0A=b\0");
    }
}
