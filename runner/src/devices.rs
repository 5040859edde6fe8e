//! What an engine asks of the host that is no business of its own, and how its run
//! ended. Every engine has this in common: the one of this crate, and a page's.

use crate::trace::{self, Event};

/// How a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Halt,
    PowerOff,
    Restart,
    /// The host wanted it stopped.
    Stopped,
    /// The kernel panicked or crashed; its log says why.
    Panic,
    /// The host could not go on: a sentence for the person.
    Host(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Outcome::Halt => "halted",
            Outcome::PowerOff => "powered off",
            Outcome::Restart => "asked to be restarted",
            Outcome::Stopped => "stopped",
            Outcome::Panic => "the kernel panicked",
            Outcome::Host(why) => why,
        })
    }
}

/// A negative error number, as the kernel wants it.
pub type Errno = i32;

/// What lies behind the host operations that are not the engine's own. Called
/// on the CPU thread; must not block.
pub trait Devices: Send + Sync {
    fn kernel_log(&self, text: &[u8]);
    fn stream_read(&self, stream: u32, buf: &mut [u8]) -> Result<usize, Errno>;
    fn stream_write(&self, stream: u32, buf: &[u8]) -> Result<usize, Errno>;
    /// `LKL_STREAM_*` bits.
    fn stream_poll(&self, stream: u32) -> u32;
    /// Rows and columns.
    fn stream_winsize(&self, stream: u32) -> (u16, u16);
    /// The guest writes no more.
    fn stream_end(&self, stream: u32);
    fn stream_close(&self, stream: u32);
    /// Next stream whose state changed since it was last reported.
    fn stream_event(&self) -> Option<u32>;
    /// Next serialised job request of at most `max` bytes.
    fn job_next(&self, max: usize) -> Option<Result<Vec<u8>, Errno>>;
    /// The job's program runs, as this process.
    fn job_started(&self, job: u32, pid: u32);
    /// Wait status and, above it, `LKL_JOB_OVER_*`; or why the job could not start.
    fn job_exit(&self, job: u32, status: Result<i32, Errno>);
    /// What a traced task does; its memory can be read meanwhile. May wait.
    fn trace(&self, pid: u32, event: &Event<'_>, memory: &dyn trace::memory::Memory);
    /// The guest's init has finished its boot scripts.
    fn ready(&self);
    /// The guest's init is about to end every process and the machine.
    fn shutting_down(&self);
}
