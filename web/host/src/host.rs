//! The loop, and who handles which of its events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use miniio::{Event as Io, Loop, TimerId, Wait};
use wasmlinux::engine::Devices;
use wasmlinux::{Inetd, Outcome, Parts};

use crate::commands::Commands;
use crate::consoles::Consoles;

/// It is worth looking at something again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A console has output to be taken, room for keys after there was none, or has
    /// ended.
    Console(u32),
    /// The same of a command.
    Task(u32),
    /// The guest does not shut down: its engine is to be stopped.
    Stop,
}

/// The host's side of one machine.
pub struct Host {
    pub(crate) parts: Parts,
    pub(crate) io: Loop,
    inetd: Inetd,
    pub(crate) consoles: Consoles,
    pub(crate) commands: Commands,
    devices: Arc<dyn Devices>,
    /// Until when the guest may take to shut down.
    patience: Option<TimerId>,
    /// A timer was made outside of a turn, whose result does not know of it.
    timed: bool,
    stop: bool,
}

impl Host {
    pub fn new() -> std::io::Result<Host> {
        // The page has the kernel's log from the engine itself.
        let parts = Parts::new(Box::new(std::io::sink()))?;
        let mut io = Loop::in_process().map_err(std::io::Error::other)?;
        let mut inetd = Inetd::new(&mut io, parts.clone());
        let consoles = Consoles::listen(&mut io, &mut inetd).map_err(std::io::Error::other)?;
        let commands = Commands::new(&mut io);
        let devices = parts.devices();
        Ok(Host {
            parts,
            io,
            inetd,
            consoles,
            commands,
            devices,
            patience: None,
            timed: false,
            stop: false,
        })
    }

    /// What the engine calls, whoever is in the middle of what.
    pub fn devices(&self) -> &dyn Devices {
        &*self.devices
    }

    /// Interrupts that were raised since the last look: a bit for each line.
    pub fn interrupts(&self) -> u32 {
        self.parts.irqs().take()
    }

    /// Whether [`Host::turn`] is to be called as soon as nothing else runs.
    pub fn wants_turn(&self) -> bool {
        self.timed || self.io.is_pending()
    }

    /// Does everything that can be done now; how long until it wants to be called
    /// again, if nothing else happens.
    pub fn turn(&mut self) -> Option<Duration> {
        self.timed = false;
        while let Some(event) = self.io.next(Wait::No) {
            let Some(event) = self.inetd.handle(&mut self.io, event) else { continue };
            match event {
                Io::Timer(id) if self.patience == Some(id) => {
                    self.patience = None;
                    self.stop = true;
                }
                Io::Woken(id) if id == self.commands.waker() => self.commands.look(),
                event => self.consoles.handle(&mut self.io, &event),
            }
        }
        self.io.next_timer().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Something that has changed, until there is nothing more.
    pub fn next_event(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.stop) {
            return Some(Event::Stop);
        }
        let console = self.consoles.changed().map(Event::Console);
        console.or_else(|| self.commands.changed().map(Event::Task))
    }

    /// Asks the guest to shut down in order. [`Event::Stop`] when that takes longer
    /// than `patience`.
    pub fn shut_down(&mut self, patience: Duration) {
        if self.patience.is_none() {
            self.parts.power_off();
            self.patience = Some(self.io.timer(patience));
            self.timed = true;
        }
    }

    /// The engine has ended: consoles and commands end, too.
    pub fn finish(&mut self, outcome: Outcome) {
        if let Some(timer) = self.patience.take() {
            self.io.cancel(timer);
        }
        self.parts.finish(outcome);
    }
}
