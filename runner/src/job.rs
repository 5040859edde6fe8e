//! Jobs: programs that the host starts in the guest, as the kernel is told of
//! them (`arch/lkl/kernel/job_request.c`).
//!
//! ```text
//! JobSpec + JobStdio ─► request ─► kernel ─► started(pid) ─► exit(status)
//!                                     └────► or not started: exit(-errno)
//! ```

use std::time::Duration;

use hostabi::consts::{JOB_OVER_MEMORY, JOB_OVER_TIME};

use crate::engine::Errno;
use crate::status::{ExitStatus, Limit};

/// fds 0, 1 and 2 are one new terminal.
const FLAG_TTY: u32 = 1;
/// Search PATH for a command without a slash.
const FLAG_SEARCH: u32 = 2;
/// fds 0, 1 and 2 are one socket.
const FLAG_SOCKET: u32 = 4;
/// A control group, which nothing of the job outlives.
const FLAG_GROUP: u32 = 8;
/// exec gives no privileges.
const FLAG_NO_PRIVILEGES: u32 = 16;

/// The host sees its system calls.
const FLAG_TRACE: u32 = 32;

const KIND_RUN: u32 = 0;
const KIND_SIGNAL: u32 = 1;
/// The limit that ended a job stands above its wait status.
const OVER_SHIFT: u32 = 16;

/// What a command may use; `None` is no limit.
///
/// A command with a limit has a control group of its own: the limits hold for it
/// and all its descendants together, and when it ends they are killed. It may not
/// gain privileges (a set-user-ID program runs as who calls it).
///
/// It runs as [`NOBODY`] unless it is given a [`uid`](crate::Command::uid). That
/// is what holds a hostile command: root owns the control groups and leaves them
/// if it wants to. With `uid(0)` limits guard against accidents only. Commands
/// that must not touch each other's processes and files need a uid each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Time from its start, milliseconds matter. It is killed then.
    pub time: Option<Duration>,
    /// Processor time of all its processes. It is killed then.
    pub cpu_time: Option<Duration>,
    /// Bytes of memory: of its processes, of the kernel for it, and of files it
    /// writes to file systems in memory. It is killed when it needs more.
    pub memory: Option<u64>,
    /// Processes and threads at once. Another one is refused (EAGAIN).
    pub processes: Option<u32>,
    /// Bytes it may write to stdout and stderr together. It is killed when it
    /// writes more.
    pub output: Option<u64>,
}

/// The user and the group of a command with limits that is given none.
pub const NOBODY: u32 = 65534;

/// What to run. Strings are bytes without NUL.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobSpec {
    pub argv: Vec<Vec<u8>>,
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    pub cwd: Vec<u8>,
    /// Root's, or [`NOBODY`]'s with limits, if not told.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// Its system calls and its children's are told to the machine's tracer.
    pub trace: bool,
    pub limits: Limits,
    /// Kill what it leaves behind, so long after its end.
    pub contain: Option<Duration>,
}

/// Why a command cannot be asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpecError {
    #[error("no command given")]
    NoCommand,
    #[error("an argument, environment variable or directory contains a NUL byte")]
    Nul,
    #[error("environment variable {0:?} has no name or contains `=`")]
    Name(String),
    #[error("stdout and stderr cannot be given bytes")]
    BytesForOutput,
}

/// The streams of a job by number; 0 is /dev/null.
#[derive(Clone, Copy, Debug)]
pub(crate) enum JobStdio {
    Terminal { stream: u32, rows: u16, columns: u16 },
    Socket { stream: u32 },
    Streams([u32; 3]),
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Status(ExitStatus),
    /// exec failed with this errno (positive).
    NotStarted(i32),
}

impl Exit {
    pub fn from_kernel(status: Result<i32, Errno>) -> Exit {
        let status = match status {
            Err(errno) => return Exit::NotStarted(-errno),
            Ok(status) => status as u32,
        };
        let over = status >> OVER_SHIFT;
        let limit = if over & JOB_OVER_TIME != 0 {
            Some(Limit::Time)
        } else if over & JOB_OVER_MEMORY != 0 {
            Some(Limit::Memory)
        } else {
            None
        };
        Exit::Status(ExitStatus::new((status & 0xffff) as u16, limit))
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

    fn is_limited(&self) -> bool {
        self.limits != Limits::default()
    }

    fn flags(&self, stdio: JobStdio) -> u32 {
        let limited = self.is_limited();
        let stdio = match stdio {
            JobStdio::Terminal { .. } => FLAG_TTY,
            JobStdio::Socket { .. } => FLAG_SOCKET,
            JobStdio::Streams(_) => 0,
        };
        let group = if limited || self.contain.is_some() { FLAG_GROUP } else { 0 };
        let privileges = if limited { FLAG_NO_PRIVILEGES } else { 0 };
        let trace = if self.trace { FLAG_TRACE } else { 0 };
        stdio | FLAG_SEARCH | group | privileges | trace
    }

    /// The request to run it.
    pub fn request(&self, id: u32, stdio: JobStdio) -> Vec<u8> {
        let (streams, rows, columns) = match stdio {
            JobStdio::Terminal { stream, rows, columns } => ([stream; 3], rows, columns),
            JobStdio::Socket { stream } => ([stream; 3], 0, 0),
            JobStdio::Streams(streams) => (streams, 0, 0),
        };
        let mut out = Vec::new();
        let user = if self.is_limited() { NOBODY } else { 0 };
        let [uid, gid] = [self.uid, self.gid].map(|chosen| chosen.unwrap_or(user));
        let words = [id, KIND_RUN, self.flags(stdio), uid, gid];
        for word in words.into_iter().chain(streams) {
            out.extend(word.to_le_bytes());
        }
        out.extend(rows.to_le_bytes());
        out.extend(columns.to_le_bytes());
        let limits = [
            self.limits.processes.unwrap_or(0),
            milliseconds(self.limits.time),
            milliseconds(self.limits.cpu_time),
            self.contain.map_or(0, |grace| u32::try_from(grace.as_millis()).unwrap_or(u32::MAX)),
        ];
        for word in [self.argv.len() as u32, self.env.len() as u32].into_iter().chain(limits) {
            out.extend(word.to_le_bytes());
        }
        out.extend(self.limits.memory.unwrap_or(0).to_le_bytes());
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

/// A limit as the kernel reads it, where 0 is none: at least 1.
fn milliseconds(limit: Option<Duration>) -> u32 {
    limit.map_or(0, |t| u32::try_from(t.as_millis()).unwrap_or(u32::MAX - 1).max(1))
}

/// The request to send a signal to a job's process.
pub(crate) fn signal_request(id: u32, signal: i32) -> Vec<u8> {
    [id, KIND_SIGNAL, signal as u32].into_iter().flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses() {
        let status = |s| match Exit::from_kernel(Ok(s)) {
            Exit::Status(status) => status,
            other => panic!("{other:?}"),
        };
        assert_eq!(status(7 << 8).code(), Some(7));
        assert_eq!(status(11).signal(), Some(11));
        assert_eq!(status(0x80 | 11).signal(), Some(11));
        assert_eq!(status(9 | 1 << 16).limit(), Some(Limit::Time));
        assert_eq!(status(9 | 2 << 16).limit(), Some(Limit::Memory));
        assert_eq!(Exit::from_kernel(Err(-2)), Exit::NotStarted(2));
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
        let spec = JobSpec {
            argv: vec![b"ls".to_vec(), b"-l".to_vec()],
            env: vec![(b"A".to_vec(), b"b".to_vec())],
            cwd: b"/".to_vec(),
            uid: Some(1000),
            gid: Some(1001),
            trace: true,
            limits: Limits { memory: Some(1 << 33), processes: Some(5), ..Limits::default() },
            contain: None,
        };
        let bytes = spec.request(5, JobStdio::Terminal { stream: 1, rows: 24, columns: 80 });
        let word = |i: usize| u32::from_le_bytes(bytes[i * 4..][..4].try_into().unwrap());
        assert_eq!([word(0), word(1), word(2), word(3), word(4)], [5, 0, 59, 1000, 1001]);
        assert_eq!([word(5), word(6), word(7)], [1, 1, 1]);
        assert_eq!(word(8), 24 | 80 << 16);
        assert_eq!([word(9), word(10)], [2, 1]);
        assert_eq!([word(11), word(12), word(13), word(14)], [5, 0, 0, 0]);
        assert_eq!([word(15), word(16)], [0, 2]);
        assert_eq!(&bytes[68..], b"/\0ls\0-l\0A=b\0");
    }

    #[test]
    fn limits_take_root_away_unless_it_is_asked_for() {
        let ids = |spec: &JobSpec| {
            let bytes = spec.request(1, JobStdio::Streams([0; 3]));
            [12, 16].map(|at| u32::from_le_bytes(bytes[at..][..4].try_into().unwrap()))
        };
        let mut spec = JobSpec { argv: vec![b"id".to_vec()], ..JobSpec::default() };
        assert_eq!(ids(&spec), [0, 0]);
        spec.limits.processes = Some(5);
        assert_eq!(ids(&spec), [NOBODY, NOBODY]);
        spec.uid = Some(1000);
        assert_eq!(ids(&spec), [1000, NOBODY]);
        (spec.uid, spec.gid) = (Some(0), Some(0));
        assert_eq!(ids(&spec), [0, 0]);
    }

    #[test]
    fn limits_are_never_rounded_to_none() {
        assert_eq!(milliseconds(None), 0);
        assert_eq!(milliseconds(Some(Duration::from_micros(1))), 1);
        assert_eq!(milliseconds(Some(Duration::MAX)), u32::MAX - 1);
    }
}
