//! A machine: a booted kernel on its own thread, and the jobs that run in it.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crossbeam_channel::{bounded, Receiver, Sender};
use hostabi::consts::{IRQ_JOB, IRQ_POWER};
use parking_lot::{Condvar, Mutex};

use crate::engine::irq::Irqs;
use crate::engine::{self, Boot, BootError, Devices, Errno, Outcome};
use crate::job::{Exit, JobSpec, SpecError, Stdio};
use crate::stream::{Stream, Streams};
use crate::trace::{self, Tracer};

/// Where the kernel log goes.
pub type LogSink = Box<dyn Write + Send>;

/// Smallest and largest memory of a machine, bytes.
pub const MEMORY_RANGE: std::ops::RangeInclusive<u32> = 16 << 20..=3 << 30;
const E2BIG: Errno = -7;
/// The kernel's largest buffer for a request, bytes (`arch/lkl/kernel/job.c`).
const REQUEST_MAX: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("cannot start a thread for the machine: {0}")]
    Thread(#[source] std::io::Error),
    #[error("the machine has ended: {0:?}")]
    Ended(Outcome),
}

/// A running machine. Dropping it stops the guest at once.
pub struct Machine {
    host: Arc<Host>,
    thread: Option<JoinHandle<()>>,
}

/// A running job.
pub struct Job {
    done: Receiver<Exit>,
    host: Arc<Host>,
}

/// The machine's side of the host operations.
struct Host {
    irqs: Arc<Irqs>,
    streams: Streams,
    log: Mutex<LogSink>,
    tracer: OnceLock<Arc<Tracer>>,
    ready: AtomicBool,
    shutting_down: AtomicBool,
    requests: Mutex<VecDeque<(u32, Vec<u8>)>>,
    running: Mutex<HashMap<u32, Sender<Exit>>>,
    next_job: AtomicU32,
    ended: Mutex<Option<Result<Outcome, String>>>,
    end: Condvar,
}

impl Machine {
    /// Boots; returns while the guest is still coming up.
    pub fn boot(boot: Boot, log: LogSink) -> Result<Machine, Error> {
        let irqs = Irqs::new().map_err(BootError::Reserve)?;
        let host = Arc::new(Host {
            streams: Streams::new(irqs.clone()),
            irqs: irqs.clone(),
            log: Mutex::new(log),
            tracer: OnceLock::new(),
            ready: AtomicBool::new(false),
            shutting_down: AtomicBool::new(false),
            requests: Mutex::default(),
            running: Mutex::default(),
            next_job: AtomicU32::new(1),
            ended: Mutex::new(None),
            end: Condvar::new(),
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
        Ok(Machine { host, thread: Some(thread) })
    }

    /// A stream to use in [`Stdio`].
    pub fn stream(&self) -> Arc<Stream> {
        self.host.streams.open()
    }

    /// Jobs with [`JobSpec::trace`] are told of to `tracer`: the first one given.
    pub fn trace_to(&self, tracer: Arc<Tracer>) {
        self.host.tracer.get_or_init(|| tracer);
    }

    /// Starts a command once the guest's init has finished its boot scripts.
    pub fn spawn(&self, spec: &JobSpec, stdio: &Stdio) -> Result<Job, Error> {
        spec.check()?;
        let id = self.host.next_job.fetch_add(1, SeqCst);
        let (sender, done) = bounded(1);
        self.host.running.lock().insert(id, sender);
        self.host.requests.lock().push_back((id, spec.serialise(id, stdio)));
        if let Some(outcome) = self.host.outcome() {
            return Err(Error::Ended(outcome));
        }
        self.host.irqs.raise(IRQ_JOB);
        Ok(Job { done, host: self.host.clone() })
    }

    /// Asks the guest to shut down in order.
    pub fn power_off(&self) {
        self.host.irqs.raise(IRQ_POWER);
    }

    /// Waits until the machine has ended.
    pub fn wait(&self) -> Outcome {
        self.host.wait()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.host.irqs.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the CPU thread has been reported by the hook.
            let _ = thread.join();
        }
    }
}

impl Job {
    /// Waits for the end of the job, or of the machine: a job that the guest's
    /// shutdown ends has not ended by itself.
    pub fn wait(&self) -> Result<Exit, Error> {
        match self.done.recv() {
            Ok(_) if self.host.shutting_down.load(SeqCst) => Err(Error::Ended(self.host.wait())),
            Ok(exit) => Ok(exit),
            Err(_) => Err(Error::Ended(self.host.wait())),
        }
    }
}

impl Host {
    fn outcome(&self) -> Option<Outcome> {
        self.ended.lock().as_ref().map(outcome_of)
    }

    fn wait(&self) -> Outcome {
        let mut ended = self.ended.lock();
        loop {
            if let Some(result) = ended.as_ref() {
                return outcome_of(result);
            }
            self.end.wait(&mut ended);
        }
    }

    fn finish(&self, outcome: Result<Outcome, String>) {
        *self.ended.lock() = Some(outcome);
        self.end.notify_all();
        // Jobs that still wait learn of it by their channel's end.
        self.running.lock().clear();
        self.streams.close_all();
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

    fn job_exit(&self, job: u32, status: Result<i32, Errno>) {
        if let Some(done) = self.running.lock().remove(&job) {
            // Nobody waits for the job any more: nothing to tell.
            let _ = done.send(Exit::from_kernel(status));
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
    }

    fn shutting_down(&self) {
        self.shutting_down.store(true, SeqCst);
    }
}
