//! The host's side of a machine, whoever runs its CPU: what the guest is asked to
//! do, and what lies behind the host operations that are not the engine's.
//!
//! ```text
//!  Command, Task, Inetd ──► Parts ──► Host ◄── Devices ── engine
//!                                      └─ interrupts ───────►
//! ```
//!
//! Nothing here waits; what does is in `wait.rs`, for those who have threads.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use hostabi::consts::{IRQ_JOB, IRQ_POWER};

use crate::engine::{Devices, Errno, Irqs, Outcome};
use crate::job::{self, Exit, JobSpec, JobStdio, Limits, SpecError};
use crate::stream::{Stream, Streams, Watcher};
use crate::sync::{Condvar, Mutex};
use crate::trace::{self, Tracer};

/// Where the kernel log goes.
pub type LogSink = Box<dyn Write + Send>;

const E2BIG: Errno = -7;
/// The kernel's largest buffer for a request, bytes (`arch/lkl/kernel/job.c`).
const REQUEST_MAX: usize = 1 << 20;
const SIGKILL: i32 = 9;

const ENVIRONMENT: &[(&str, &str)] = &[
    ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LOGNAME", "root"),
    ("SHELL", "/bin/sh"),
];

/// The host's side of a machine: what starting a command takes. It does not keep
/// the machine running. A [`Machine`](crate::Machine) has one; who runs the CPU
/// by other means makes one, gives its [devices](Parts::devices) to the engine, and
/// says when that has [ended](Parts::finish).
#[derive(Clone)]
pub struct Parts {
    pub(crate) host: Arc<Host>,
    pub(crate) defaults: Defaults,
}

/// What every command starts from.
#[derive(Clone)]
pub(crate) struct Defaults {
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    pub limits: Limits,
}

impl Default for Defaults {
    fn default() -> Defaults {
        let env = ENVIRONMENT.iter().map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()));
        Defaults { env: env.collect(), limits: Limits::default() }
    }
}

/// Why a command is not even asked for.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("the machine has ended: {0}")]
    Ended(Outcome),
}

impl Parts {
    /// A machine that is not running yet. Without the host's memory for its
    /// interrupts there is none.
    pub fn new(log: LogSink) -> std::io::Result<Parts> {
        Parts::with(log, Defaults::default())
    }

    pub(crate) fn with(log: LogSink, defaults: Defaults) -> std::io::Result<Parts> {
        Ok(Parts { host: Arc::new(Host::new(Irqs::new()?, log)), defaults })
    }

    /// What the engine calls.
    pub fn devices(&self) -> Arc<dyn Devices> {
        self.host.clone()
    }

    /// What the engine is to look at.
    pub fn irqs(&self) -> &Arc<Irqs> {
        &self.host.irqs
    }

    /// Asks the guest to shut down in order: its init ends all processes. Does
    /// not wait. A guest that still boots does so when it is up.
    pub fn power_off(&self) {
        self.host.power_off.store(true, SeqCst);
        if self.host.ready.load(SeqCst) {
            self.host.pass_power_off();
        }
    }

    /// The engine has ended, or could not begin: commands that still ran are lost.
    pub fn finish(&self, outcome: Outcome) {
        self.host.finish(outcome);
    }

    /// A command with the machine's defaults.
    pub(crate) fn spec(&self, argv: Vec<Vec<u8>>) -> JobSpec {
        let Defaults { env, limits } = self.defaults.clone();
        JobSpec { argv, env, cwd: b"/".to_vec(), limits, ..JobSpec::default() }
    }

    /// As inetd starts a service: stdin, stdout and stderr are one socket, whose
    /// other end is the stream. Does not wait until the program runs.
    pub(crate) fn start_on_socket(
        &self,
        spec: &JobSpec,
        stream: &Arc<Stream>,
    ) -> Result<Job, StartError> {
        let stdio = JobStdio::Socket { stream: stream.id() };
        self.host.run(self.host.new_job_id(), spec, stdio, vec![stream.clone()])
    }
}

/// Sets a variable, instead of what it was.
pub(crate) fn set(env: &mut Vec<(Vec<u8>, Vec<u8>)>, name: Vec<u8>, value: Vec<u8>) {
    env.retain(|(n, _)| *n != name);
    env.push((name, value));
}

/// A running job.
pub(crate) struct Job {
    pub id: u32,
    pub state: Arc<JobState>,
    pub host: Arc<Host>,
}

#[derive(Clone, Copy)]
pub(crate) enum Phase {
    Asked,
    Runs(u32),
    Ended(Exit),
    /// The machine has ended before the job.
    Lost,
}

pub(crate) struct JobState {
    pub phase: Mutex<Phase>,
    pub changed: Condvar,
    watcher: Mutex<Option<Watcher>>,
    streams: Vec<Arc<Stream>>,
}

impl JobState {
    fn set(&self, phase: Phase) {
        *self.phase.lock() = phase;
        self.changed.notify_all();
        let watcher = self.watcher.lock().clone();
        if let Some(watcher) = watcher {
            watcher();
        }
    }
}

impl Job {
    pub fn phase(&self) -> Phase {
        *self.state.phase.lock()
    }

    /// Calls `watcher` after every change from now on.
    pub fn watch(&self, watcher: Watcher) {
        *self.state.watcher.lock() = Some(watcher);
    }

    /// Why the program does not run, if that is known.
    pub fn not_started(&self) -> Option<std::io::Error> {
        match self.phase() {
            Phase::Ended(Exit::NotStarted(errno)) => Some(std::io::Error::from_raw_os_error(errno)),
            _ => None,
        }
    }

    /// Sends a signal to the job's own process.
    pub fn signal(&self, signal: i32) {
        self.host.signal(self.id, signal);
    }

    pub fn kill(&self) {
        self.signal(SIGKILL);
    }
}

/// The machine's side of the host operations.
pub(crate) struct Host {
    pub irqs: Arc<Irqs>,
    streams: Streams,
    log: Mutex<LogSink>,
    tracer: OnceLock<Arc<Tracer>>,
    ready: AtomicBool,
    /// Asked to power off before there was an init to do it.
    power_off: AtomicBool,
    pub shutting_down: AtomicBool,
    requests: Mutex<VecDeque<(u32, Vec<u8>)>>,
    running: Mutex<HashMap<u32, Arc<JobState>>>,
    next_job: AtomicU32,
    pub ended: Mutex<Option<Outcome>>,
    pub end: Condvar,
    /// Called at the end. Taken with `ended` locked, called without.
    end_hooks: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Host {
    fn new(irqs: Arc<Irqs>, log: LogSink) -> Host {
        Host {
            streams: Streams::new(irqs.clone()),
            irqs,
            log: Mutex::new(log),
            tracer: OnceLock::new(),
            ready: AtomicBool::new(false),
            power_off: AtomicBool::new(false),
            shutting_down: AtomicBool::new(false),
            requests: Mutex::default(),
            running: Mutex::default(),
            next_job: AtomicU32::new(1),
            ended: Mutex::new(None),
            end: Condvar::new(),
            end_hooks: Mutex::default(),
        }
    }

    pub fn open_stream(&self) -> Arc<Stream> {
        self.streams.open()
    }

    pub fn new_job_id(&self) -> u32 {
        self.next_job.fetch_add(1, SeqCst)
    }

    /// Traced jobs are told of to the first tracer that is given.
    pub fn trace_to(&self, tracer: &Arc<Tracer>) {
        self.tracer.get_or_init(|| tracer.clone());
    }

    /// Asks the guest to run a job; its streams end with it.
    pub fn run(
        self: &Arc<Host>,
        id: u32,
        spec: &JobSpec,
        stdio: JobStdio,
        streams: Vec<Arc<Stream>>,
    ) -> Result<Job, StartError> {
        if let Err(e) = spec.check() {
            streams.iter().for_each(|s| self.streams.finish(s));
            return Err(e.into());
        }
        let state = Arc::new(JobState {
            phase: Mutex::new(Phase::Asked),
            changed: Condvar::new(),
            watcher: Mutex::default(),
            streams,
        });
        self.running.lock().insert(id, state.clone());
        self.request(id, spec.request(id, stdio));
        if let Some(outcome) = self.outcome() {
            self.lose_jobs();
            return Err(StartError::Ended(outcome));
        }
        Ok(Job { id, state, host: self.clone() })
    }

    fn request(&self, id: u32, request: Vec<u8>) {
        self.requests.lock().push_back((id, request));
        self.irqs.raise(IRQ_JOB);
    }

    pub fn signal(&self, id: u32, signal: i32) {
        self.request(id, job::signal_request(id, signal));
    }

    /// Kills a job's own process.
    pub fn kill(&self, id: u32) {
        self.signal(id, SIGKILL);
    }

    /// Once for each time it was asked for: boot and whoever asks may meet here.
    fn pass_power_off(&self) {
        if self.power_off.swap(false, SeqCst) {
            self.irqs.raise(IRQ_POWER);
        }
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.ended.lock().clone()
    }

    /// Calls `hook` when the machine has ended; at once if it has.
    pub fn on_end(&self, hook: impl FnOnce() + Send + 'static) {
        let ended = self.ended.lock();
        if ended.is_some() {
            drop(ended);
            return hook();
        }
        self.end_hooks.lock().push(Box::new(hook));
    }

    fn finish(&self, outcome: Outcome) {
        let mut ended = self.ended.lock();
        *ended = Some(outcome);
        let hooks = std::mem::take(&mut *self.end_hooks.lock());
        drop(ended);
        self.end.notify_all();
        self.lose_jobs();
        self.streams.close_all();
        hooks.into_iter().for_each(|hook| hook());
    }

    fn lose_jobs(&self) {
        let lost: Vec<_> = self.running.lock().drain().collect();
        for (_, state) in lost {
            state.streams.iter().for_each(|s| self.streams.finish(s));
            state.set(Phase::Lost);
        }
    }
}

impl Devices for Host {
    fn kernel_log(&self, text: &[u8]) {
        // A log that cannot be written must not stop the guest.
        let _ = self.log.lock().write_all(text);
    }

    fn stream_read(&self, stream: u32, buf: &mut [u8]) -> Result<usize, Errno> {
        self.streams.guest_read(stream, buf)
    }

    fn stream_write(&self, stream: u32, buf: &[u8]) -> Result<usize, Errno> {
        self.streams.guest_write(stream, buf)
    }

    fn stream_poll(&self, stream: u32) -> u32 {
        self.streams.guest_poll(stream)
    }

    fn stream_winsize(&self, stream: u32) -> (u16, u16) {
        self.streams.winsize(stream)
    }

    fn stream_end(&self, stream: u32) {
        self.streams.guest_end(stream);
    }

    fn stream_close(&self, stream: u32) {
        self.streams.guest_close(stream);
    }

    fn stream_event(&self) -> Option<u32> {
        self.streams.next_event()
    }

    fn job_next(&self, max: usize) -> Option<Result<Vec<u8>, Errno>> {
        if !self.ready.load(SeqCst) {
            return None;
        }
        let mut requests = self.requests.lock();
        if requests.front()?.1.len() > max && max < REQUEST_MAX {
            return Some(Err(E2BIG));
        }
        let (id, request) = requests.pop_front()?;
        drop(requests);
        if request.len() > max {
            self.job_exit(id, Err(E2BIG));
            return self.job_next(max);
        }
        Some(Ok(request))
    }

    fn job_started(&self, job: u32, pid: u32) {
        if let Some(state) = self.running.lock().get(&job) {
            state.set(Phase::Runs(pid));
        }
    }

    fn job_exit(&self, job: u32, status: Result<i32, Errno>) {
        let state = self.running.lock().remove(&job);
        if let Some(state) = state {
            state.streams.iter().for_each(|s| self.streams.finish(s));
            state.set(Phase::Ended(Exit::from_kernel(status)));
        }
    }

    fn trace(&self, pid: u32, event: &trace::Event<'_>, memory: &dyn trace::memory::Memory) {
        if let Some(tracer) = self.tracer.get() {
            tracer.event(pid, event, memory);
        }
    }

    fn ready(&self) {
        self.ready.store(true, SeqCst);
        self.irqs.raise(IRQ_JOB);
        self.pass_power_off();
    }

    fn shutting_down(&self) {
        self.shutting_down.store(true, SeqCst);
    }
}
