//! A machine: a booted kernel on its own thread, and the jobs that run in it.
//!
//! ```text
//! Builder ─► Machine ─► Host ◄── Command, Child, services
//!               │        ▲ Devices: the host operations that are not the engine's
//!               └ CPU thread: engine
//! ```

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hostabi::consts::{IRQ_JOB, IRQ_POWER};
use miniio::Address;
use parking_lot::{Condvar, Mutex};

use crate::add::AddError;
use crate::builder::Builder;
use crate::command::Command;
use crate::disk::{Disk, DiskError};
use crate::engine::irq::Irqs;
use crate::engine::{self, Boot, BootError, Devices, DiskParts, Errno, Outcome};
use crate::guest::GuestError;
use crate::inetd::{ServeError, Server, Service};
use crate::job::{self, Exit, JobSpec, JobStdio, Limits, SpecError};
use crate::program::ProgramError;
use crate::status::ExitStatus;
use crate::stream::{Stream, Streams};
use crate::trace::{self, Tracer};

/// Where the kernel log goes.
pub type LogSink = Box<dyn Write + Send>;

/// Smallest and largest memory of a machine, bytes.
pub const MEMORY_RANGE: std::ops::RangeInclusive<u32> = 16 << 20..=3 << 30;

/// Bytes of memory that the processes of a machine may have together.
pub const USER_MEMORY_RANGE: std::ops::RangeInclusive<u64> = 16 << 20..=128 << 30;
const ENXIO: Errno = -6;
const E2BIG: Errno = -7;
/// The kernel's largest buffer for a request, bytes (`arch/lkl/kernel/job.c`).
const REQUEST_MAX: usize = 1 << 20;
const SIGKILL: i32 = 9;

/// What can go wrong with a machine and its commands.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Guest(#[from] GuestError),
    #[error(transparent)]
    Add(#[from] AddError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("cannot start a thread for the machine: {0}")]
    Thread(#[source] std::io::Error),
    #[error("cannot connect the command's stdin, stdout or stderr: {0}")]
    Stdio(#[source] std::io::Error),
    #[error("cannot write the command's output: {0}")]
    Output(#[source] std::io::Error),
    /// Most often the program was not found (`NotFound`) or may not be executed
    /// (`PermissionDenied`).
    #[error("the guest cannot start {command}: {cause}")]
    NotStarted {
        command: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("the machine has ended: {0}")]
    Ended(Outcome),
}

/// A running machine: a Linux kernel and its processes.
///
/// Dropping it stops the guest at once and gives all memory back; commands that
/// still run end with [`Error::Ended`]. See [`Machine::shutdown`] for an orderly
/// end. Its methods may be called from any thread.
///
/// ```
/// use wasmlinux::Machine;
///
/// let machine = Machine::builder().boot()?;
/// let output = machine.command("uname").args(["-s", "-m"]).output()?;
/// assert_eq!(output.stdout, b"Linux wasm32\n");
/// # Ok::<(), wasmlinux::Error>(())
/// ```
pub struct Machine {
    parts: Parts,
    thread: Option<JoinHandle<()>>,
    /// What the builder was asked to offer.
    server: Option<Server>,
}

/// What starting a command takes; it does not keep the machine running.
#[derive(Clone)]
pub struct Parts {
    pub(crate) host: Arc<Host>,
    pub(crate) defaults: Defaults,
}

/// What every command starts from.
#[derive(Clone, Default)]
pub(crate) struct Defaults {
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    pub limits: Limits,
}

/// A running job.
pub(crate) struct Job {
    pub id: u32,
    state: Arc<JobState>,
    host: Arc<Host>,
}

#[derive(Clone, Copy)]
enum Phase {
    Asked,
    Runs(u32),
    Ended(Exit),
    /// The machine has ended before the job.
    Lost,
}

struct JobState {
    phase: Mutex<Phase>,
    changed: Condvar,
    streams: Vec<Arc<Stream>>,
}

impl JobState {
    fn set(&self, phase: Phase) {
        *self.phase.lock() = phase;
        self.changed.notify_all();
    }
}

/// The machine's side of the host operations.
pub(crate) struct Host {
    irqs: Arc<Irqs>,
    streams: Streams,
    disks: Vec<Disk>,
    log: Mutex<LogSink>,
    tracer: OnceLock<Arc<Tracer>>,
    ready: AtomicBool,
    /// Asked to power off before there was an init to do it.
    power_off: AtomicBool,
    shutting_down: AtomicBool,
    requests: Mutex<VecDeque<(u32, Vec<u8>)>>,
    running: Mutex<HashMap<u32, Arc<JobState>>>,
    next_job: AtomicU32,
    ended: Mutex<Option<Result<Outcome, String>>>,
    end: Condvar,
    /// Called at the end. Taken with `ended` locked, called without.
    end_hooks: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Machine {
    /// Begins to describe a machine.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Boots; returns while the guest is still coming up.
    pub(crate) fn boot(
        boot: Boot,
        disks: Vec<Disk>,
        log: LogSink,
        defaults: Defaults,
    ) -> Result<Machine, Error> {
        let irqs = Irqs::new().map_err(BootError::Reserve)?;
        let host = Arc::new(Host {
            streams: Streams::new(irqs.clone()),
            irqs: irqs.clone(),
            disks,
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
        });
        engine::check(&boot)?;
        let devices = host.clone();
        let body = move || {
            let outcome = engine::run(boot, irqs, devices.clone()).map_err(|e| e.to_string());
            devices.finish(outcome);
        };
        let thread = std::thread::Builder::new()
            .name("wasmlinux-cpu".into())
            .spawn(body)
            .map_err(Error::Thread)?;
        Ok(Machine { parts: Parts { host, defaults }, thread: Some(thread), server: None })
    }

    /// A command to run in this machine, in the manner of
    /// [`std::process::Command`]. A name without a slash is looked for in the
    /// guest's PATH. Commands wait for the end of the guest's boot scripts.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        Command::new(&self.parts, program.as_ref())
    }

    /// What services are started with: see [`Inetd`](crate::Inetd).
    pub fn parts(&self) -> Parts {
        self.parts.clone()
    }

    /// Offers services for as long as the machine lives.
    pub(crate) fn serve(mut self, services: Vec<Service>) -> Result<Machine, Error> {
        if !services.is_empty() {
            self.server = Some(Server::start(&self, services)?);
        }
        Ok(self)
    }

    /// Where the [services](Builder::service) listen, in their order.
    pub fn addresses(&self) -> &[Address] {
        self.server.as_ref().map_or(&[], Server::addresses)
    }

    /// Asks the guest to shut down in order: its init ends all processes. Does
    /// not wait. A guest that still boots does so when it is up.
    pub fn power_off(&self) {
        let host = &self.parts.host;
        host.power_off.store(true, SeqCst);
        if host.ready.load(SeqCst) {
            host.pass_power_off();
        }
    }

    /// Shuts the guest down in order; stops it when that takes longer than
    /// `patience`. BusyBox's init gives processes a second to end by themselves,
    /// and another one when they do not.
    pub fn shutdown(&self, patience: Duration) -> Outcome {
        self.power_off();
        match self.parts.host.wait(Instant::now().checked_add(patience)) {
            Some(outcome) => outcome,
            None => {
                self.parts.host.irqs.stop();
                self.wait()
            }
        }
    }

    /// Waits until the machine has ended: powered off from inside or by
    /// [`power_off`](Machine::power_off), or crashed.
    pub fn wait(&self) -> Outcome {
        self.parts.host.wait(None).expect("waited without a deadline")
    }

    /// Calls `hook` when the machine has ended, on its own thread; at once if it
    /// has.
    pub fn on_end(&self, hook: impl FnOnce() + Send + 'static) {
        let host = &self.parts.host;
        let ended = host.ended.lock();
        if ended.is_some() {
            drop(ended);
            return hook();
        }
        host.end_hooks.lock().push(Box::new(hook));
    }

    /// How the machine has ended, if it has.
    pub fn try_wait(&self) -> Option<Outcome> {
        self.parts.host.outcome()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.parts.host.irqs.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the CPU thread has been reported by the hook.
            let _ = thread.join();
        }
    }
}

impl Job {
    /// Waits until the program runs: its process id, or why it cannot run.
    pub fn started(&self, command: &[u8]) -> Result<u32, Error> {
        let mut phase = self.state.phase.lock();
        loop {
            match *phase {
                Phase::Asked => self.state.changed.wait(&mut phase),
                Phase::Runs(pid) => return Ok(pid),
                Phase::Ended(Exit::NotStarted(errno)) => {
                    let cause = std::io::Error::from_raw_os_error(errno);
                    let command = String::from_utf8_lossy(command).into_owned();
                    return Err(Error::NotStarted { command, cause });
                }
                // It has started and ended: its status is for `wait`.
                Phase::Ended(Exit::Status(_)) => return Ok(0),
                Phase::Lost => return Err(self.ended(phase)),
            }
        }
    }

    /// Why the program does not run, if that is known.
    pub fn not_started(&self) -> Option<std::io::Error> {
        match *self.state.phase.lock() {
            Phase::Ended(Exit::NotStarted(errno)) => Some(std::io::Error::from_raw_os_error(errno)),
            _ => None,
        }
    }

    /// Waits for the end of the job, or of the machine: a job that the guest's
    /// shutdown ends has not ended by itself. `None` when the deadline came first.
    pub fn wait(&self, deadline: Option<Instant>) -> Result<Option<ExitStatus>, Error> {
        let mut phase = self.state.phase.lock();
        loop {
            match *phase {
                Phase::Lost => return Err(self.ended(phase)),
                Phase::Ended(_) if self.host.shutting_down.load(SeqCst) => {
                    return Err(self.ended(phase));
                }
                Phase::Ended(Exit::Status(status)) => return Ok(Some(status)),
                // `started` has told why; this is what a shell would say.
                Phase::Ended(Exit::NotStarted(_)) => {
                    return Ok(Some(ExitStatus::new(127 << 8, None)));
                }
                Phase::Asked | Phase::Runs(_) => {}
            }
            match deadline {
                None => self.state.changed.wait(&mut phase),
                Some(at) => {
                    if Instant::now() >= at {
                        return Ok(None);
                    }
                    self.state.changed.wait_until(&mut phase, at);
                }
            }
        }
    }

    fn ended(&self, phase: parking_lot::MutexGuard<Phase>) -> Error {
        drop(phase);
        Error::Ended(self.host.wait(None).expect("waited without a deadline"))
    }

    /// Sends a signal to the job's own process.
    pub fn signal(&self, signal: i32) {
        self.host.signal(self.id, signal);
    }
}

impl Host {
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
    ) -> Result<Job, Error> {
        if let Err(e) = spec.check() {
            streams.iter().for_each(|s| self.streams.finish(s));
            return Err(e.into());
        }
        let state = Arc::new(JobState {
            phase: Mutex::new(Phase::Asked),
            changed: Condvar::new(),
            streams,
        });
        self.running.lock().insert(id, state.clone());
        self.request(id, spec.request(id, stdio));
        if let Some(outcome) = self.outcome() {
            self.lose_jobs();
            return Err(Error::Ended(outcome));
        }
        Ok(Job { id, state, host: self.clone() })
    }

    fn disk(&self, disk: u32) -> Result<&Disk, Errno> {
        self.disks.get(disk as usize).ok_or(ENXIO)
    }

    fn request(&self, id: u32, request: Vec<u8>) {
        self.requests.lock().push_back((id, request));
        self.irqs.raise(IRQ_JOB);
    }

    pub fn signal(&self, id: u32, signal: i32) {
        self.request(id, job::signal_request(id, signal));
    }

    pub fn kill(&self, id: u32) {
        self.signal(id, SIGKILL);
    }

    /// Once for each time it was asked for: boot and whoever asks may meet here.
    fn pass_power_off(&self) {
        if self.power_off.swap(false, SeqCst) {
            self.irqs.raise(IRQ_POWER);
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        self.ended.lock().as_ref().map(outcome_of)
    }

    fn wait(&self, deadline: Option<Instant>) -> Option<Outcome> {
        let mut ended = self.ended.lock();
        loop {
            if let Some(result) = ended.as_ref() {
                return Some(outcome_of(result));
            }
            match deadline {
                None => self.end.wait(&mut ended),
                Some(at) => {
                    if Instant::now() >= at {
                        return None;
                    }
                    self.end.wait_until(&mut ended, at);
                }
            }
        }
    }

    fn finish(&self, outcome: Result<Outcome, String>) {
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

fn outcome_of(result: &Result<Outcome, String>) -> Outcome {
    result.clone().unwrap_or_else(Outcome::Host)
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

    fn disk_sectors(&self, disk: u32) -> u32 {
        self.disk(disk).map_or(0, Disk::sectors)
    }

    fn disk_features(&self, disk: u32) -> u32 {
        self.disk(disk).map_or(0, Disk::features)
    }

    fn disk_read(&self, disk: u32, sector: u32, parts: DiskParts<'_>) -> Result<(), Errno> {
        self.disk(disk)?.read(sector, parts)
    }

    fn disk_write(&self, disk: u32, sector: u32, parts: DiskParts<'_>) -> Result<(), Errno> {
        self.disk(disk)?.write(sector, parts)
    }

    fn disk_flush(&self, disk: u32) -> Result<(), Errno> {
        self.disk(disk)?.flush()
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
