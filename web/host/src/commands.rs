//! Commands that the page runs, and which of them have changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use miniio::{Loop, Waker, WakerId};
use wasmlinux::{Out, StartError, Taken, Task, TaskSpec, TaskState};

use crate::host::Host;

/// Told of in the middle of something else, looked at in the next turn. A list: there
/// are few at a time, and a tree would be downloaded.
struct Noted {
    ids: Mutex<Vec<u32>>,
    waker: Waker,
}

impl Noted {
    fn lock(&self) -> MutexGuard<'_, Vec<u32>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, id: u32) {
        let mut ids = self.lock();
        if !ids.contains(&id) {
            ids.push(id);
            self.waker.wake();
        }
    }
}

/// The commands of a machine.
pub(crate) struct Commands {
    running: Vec<(u32, Task)>,
    noted: Arc<Noted>,
    changed: Vec<u32>,
    last: u32,
}

impl Commands {
    pub fn new(io: &mut Loop) -> Commands {
        let noted = Arc::new(Noted { ids: Mutex::default(), waker: io.waker() });
        Commands { running: Vec::new(), noted, changed: Vec::new(), last: 0 }
    }

    pub fn waker(&self) -> WakerId {
        self.noted.waker.id()
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.running.iter().position(|(other, _)| *other == id)
    }

    /// Takes over what was noted.
    pub fn look(&mut self) {
        for id in std::mem::take(&mut *self.noted.lock()) {
            if self.place(id).is_some() && !self.changed.contains(&id) {
                self.changed.push(id);
            }
        }
    }

    pub fn changed(&mut self) -> Option<u32> {
        self.changed.pop()
    }
}

impl Host {
    /// Asks the guest to run a command: its id.
    pub fn run(&mut self, spec: TaskSpec) -> Result<u32, StartError> {
        let commands = &mut self.commands;
        commands.last += 1;
        let (id, noted) = (commands.last, commands.noted.clone());
        let task = self.parts.start(spec, move || noted.note(id))?;
        commands.running.push((id, task));
        Ok(id)
    }

    fn task(&self, id: u32) -> Option<&Task> {
        self.commands.place(id).map(|place| &self.commands.running[place].1)
    }

    /// Input for a command; how much of it was taken. After it was less, an event
    /// says when half of the queue was read.
    pub fn feed(&self, task: u32, bytes: &[u8]) -> usize {
        match self.task(task).map(|task| (task, task.room())) {
            Some((task, Some(_))) => task.feed(bytes),
            // Nobody will ever read it.
            Some((_, None)) | None => bytes.len(),
        }
    }

    pub fn end_input(&self, task: u32) {
        if let Some(task) = self.task(task) {
            task.end_input();
        }
    }

    /// What a command has written. What is not taken makes it wait.
    pub fn take(&self, task: u32, out: Out, into: &mut [u8]) -> Taken {
        self.task(task).map_or(Taken::End, |task| task.take(out, into))
    }

    /// How far a command is; one that was forgotten is lost.
    pub fn state(&self, task: u32) -> TaskState {
        self.task(task).map_or(TaskState::Lost, Task::state)
    }

    /// Sends a command's process a signal.
    pub fn signal(&self, task: u32, signal: i32) {
        if let Some(task) = self.task(task) {
            task.signal(signal);
        }
    }

    /// Closes a command's streams and forgets it; it goes on as long as it likes.
    pub fn forget(&mut self, task: u32) {
        self.commands.changed.retain(|id| *id != task);
        if let Some(place) = self.commands.place(task) {
            self.commands.running.swap_remove(place).1.close();
        }
    }
}
