//! Everything that waits, for hosts with threads: for a job, for a machine's end,
//! for a stream. What is waited for changes in `host.rs` and `stream.rs`, which tell
//! the condition variables.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

use crate::engine::Outcome;
use crate::host::{Host, Job, Phase};
use crate::job::Exit;
use crate::machine::Error;
use crate::status::ExitStatus;
use crate::stream::{State, Stream, CAPACITY, READ_BELOW};
use crate::sync::{Condvar, MutexGuard};

/// Waits for a change; false when the deadline came first.
fn changed<T>(on: &Condvar, state: &mut MutexGuard<'_, T>, deadline: Option<Instant>) -> bool {
    match deadline {
        None => on.wait(state),
        Some(at) if Instant::now() >= at => return false,
        Some(at) => drop(on.wait_until(state, at)),
    }
    true
}

impl Host {
    /// Waits for the end of the machine. `None` when the deadline came first.
    pub fn wait(&self, deadline: Option<Instant>) -> Option<Outcome> {
        let mut ended = self.ended.lock();
        loop {
            if let Some(outcome) = ended.as_ref() {
                return Some(outcome.clone());
            }
            if !changed(&self.end, &mut ended, deadline) {
                return None;
            }
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
            if !changed(&self.state.changed, &mut phase, deadline) {
                return Ok(None);
            }
        }
    }

    fn ended(&self, phase: MutexGuard<Phase>) -> Error {
        drop(phase);
        Error::Ended(self.host.wait(None).expect("waited without a deadline"))
    }
}

impl Stream {
    /// Waits until the guest wants input; the room there is, or `None` when it
    /// never will.
    pub fn wait_wanted(&self) -> Option<usize> {
        self.wait_room(|state| state.wanted && state.input.len() <= READ_BELOW)
    }

    /// Waits until there is room for input, wanted or not.
    pub fn wait_free(&self) -> Option<usize> {
        self.wait_room(|state| state.input.len() < CAPACITY)
    }

    fn wait_room(&self, enough: impl Fn(&State) -> bool) -> Option<usize> {
        let mut state = self.state.lock();
        loop {
            if state.guest_closed || state.input_ended {
                return None;
            }
            if enough(&state) {
                return Some(CAPACITY.saturating_sub(state.input.len()));
            }
            self.changed.wait(&mut state);
        }
    }

    /// Waits for output; 0 when the guest has closed the stream and everything
    /// was taken.
    pub fn wait_output(&self, buf: &mut [u8]) -> usize {
        let mut state = self.state.lock();
        while state.output.is_empty() {
            if state.output_ended() {
                return 0;
            }
            self.changed.wait(&mut state);
        }
        self.take_output(state, buf)
    }
}
