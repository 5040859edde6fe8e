//! A command for hosts that must not wait, such as a page's worker: nothing here
//! does. What there is to know can be asked for at any time, and a watcher is told
//! when it is worth asking again.

use std::sync::Arc;

use crate::host::{Job, Parts, Phase, StartError};
use crate::job::{Exit, JobStdio};
use crate::status::ExitStatus;
use crate::stream::{Stream, Taken};

/// What to run. Strings are bytes without NUL.
#[derive(Clone, Debug, Default)]
pub struct TaskSpec {
    /// The program, looked for in PATH if it has no slash, and its arguments.
    pub argv: Vec<Vec<u8>>,
    /// Variables beside those that every command has.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// The working directory; `/` if empty.
    pub cwd: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for the guest's boot scripts, or is being started.
    Asked,
    /// It runs, as this process.
    Runs(u32),
    Ended(ExitStatus),
    /// It could not be executed: Linux's number of the error. Most often the program
    /// was not found.
    NotStarted(i32),
    /// The machine has ended before it.
    Lost,
}

/// A command with pipes for stdin, stdout and stderr. Dropping it neither ends it nor
/// takes its output: [close](Task::close) it first.
pub struct Task {
    job: Job,
    stdin: Arc<Stream>,
    outputs: [Arc<Stream>; 2],
}

/// Which output of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    Stdout,
    Stderr,
}

impl Parts {
    /// Asks for a command. `watcher` is called after every change of it and its
    /// streams, in the middle of what made the change: it is to note it only.
    pub fn start(
        &self,
        spec: TaskSpec,
        watcher: impl Fn() + Send + Sync + 'static,
    ) -> Result<Task, StartError> {
        let mut job = self.spec(spec.argv);
        for (name, value) in spec.env {
            crate::host::set(&mut job.env, name, value);
        }
        if !spec.cwd.is_empty() {
            job.cwd = spec.cwd;
        }
        (job.uid, job.gid) = (Some(spec.uid), Some(spec.gid));
        let watcher: Arc<dyn Fn() + Send + Sync> = Arc::new(watcher);
        let [stdin, stdout, stderr] = [(); 3].map(|()| {
            let stream = self.host.open_stream();
            stream.watch(watcher.clone());
            stream
        });
        let stdio = JobStdio::Streams([stdin.id(), stdout.id(), stderr.id()]);
        let streams = vec![stdin.clone(), stdout.clone(), stderr.clone()];
        let job = self.host.run(self.host.new_job_id(), &job, stdio, streams)?;
        job.watch(watcher);
        Ok(Task { job, stdin, outputs: [stdout, stderr] })
    }
}

impl Task {
    pub fn state(&self) -> TaskState {
        match self.job.phase() {
            Phase::Asked => TaskState::Asked,
            Phase::Runs(pid) => TaskState::Runs(pid),
            Phase::Ended(Exit::Status(status)) => TaskState::Ended(status),
            Phase::Ended(Exit::NotStarted(errno)) => TaskState::NotStarted(errno),
            Phase::Lost => TaskState::Lost,
        }
    }

    /// Input for it; as much as there is room for is taken.
    pub fn feed(&self, bytes: &[u8]) -> usize {
        self.stdin.feed(bytes)
    }

    /// Bytes of input there is room for; `None` when it will never read any more.
    pub fn room(&self) -> Option<usize> {
        self.stdin.room()
    }

    /// No more input will come.
    pub fn end_input(&self) {
        self.stdin.end_input();
    }

    /// What it has written and nobody has taken yet. What is not taken makes it wait.
    pub fn take(&self, out: Out, buf: &mut [u8]) -> Taken {
        self.output(out).try_output(buf)
    }

    /// Sends its process a signal; nothing happens if it has ended.
    pub fn signal(&self, signal: i32) {
        self.job.signal(signal);
    }

    /// Nobody cares any more: its reads end and its writes fail.
    pub fn close(&self) {
        self.stdin.end_input();
        self.outputs.iter().for_each(|stream| stream.break_output());
    }

    fn output(&self, out: Out) -> &Stream {
        &self.outputs[out as usize]
    }
}
