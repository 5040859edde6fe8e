//! A machine: a booted kernel on its own thread, and the jobs that run in it.
//!
//! ```text
//! Builder ─► Machine ─► Parts ◄── Command, Child, services
//!               │        ▲ Devices: the host operations that are not the engine's
//!               └ CPU thread: engine
//! ```

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use miniio::Address;

use crate::add::AddError;
use crate::builder::Builder;
use crate::command::Command;
use crate::disk::DiskError;
use crate::engine::{self, Boot, BootError, Outcome};
use crate::guest::GuestError;
use crate::host::{Defaults, LogSink, Parts, StartError};
use crate::inetd::{ServeError, Server, Service};
use crate::job::SpecError;
use crate::program::ProgramError;

/// Smallest and largest memory of a machine, bytes.
pub const MEMORY_RANGE: std::ops::RangeInclusive<u32> = 16 << 20..=3 << 30;

/// Bytes of memory that the processes of a machine may have together.
pub const USER_MEMORY_RANGE: std::ops::RangeInclusive<u64> = 16 << 20..=128 << 30;

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

impl From<StartError> for Error {
    fn from(error: StartError) -> Error {
        match error {
            StartError::Spec(error) => error.into(),
            StartError::Ended(outcome) => Error::Ended(outcome),
        }
    }
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

impl Machine {
    /// Begins to describe a machine.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Boots; returns while the guest is still coming up.
    pub(crate) fn boot(boot: Boot, log: LogSink, defaults: Defaults) -> Result<Machine, Error> {
        let parts = Parts::with(log, defaults).map_err(BootError::Reserve)?;
        engine::check(&boot)?;
        let cpu = parts.clone();
        let body = move || {
            let outcome = engine::run(boot, cpu.irqs().clone(), cpu.devices());
            cpu.finish(outcome.unwrap_or_else(|e| Outcome::Host(e.to_string())));
        };
        let thread = std::thread::Builder::new()
            .name("wasmlinux-cpu".into())
            .spawn(body)
            .map_err(Error::Thread)?;
        Ok(Machine { parts, thread: Some(thread), server: None })
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
        self.parts.power_off();
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
        self.parts.host.on_end(hook);
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
