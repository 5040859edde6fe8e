//! A host, a guest, and a page that looks at everything that is told.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use wasmlinux_web::{ConsoleState, Event, Host, Out, Size, Taken, TaskSpec, TaskState};

use crate::guest::Guest;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default, Debug, Clone)]
pub struct Seen {
    pub text: Vec<u8>,
    pub errors: Vec<u8>,
    pub ended: bool,
}

pub struct Rig {
    pub host: Host,
    pub guest: Guest,
    pub consoles: BTreeMap<u32, Seen>,
    pub tasks: BTreeMap<u32, Seen>,
    /// Consoles whose person does not look at the screen.
    pub looks_away: bool,
    pub stop: bool,
    /// When the next turn is wanted.
    turn_at: Option<Instant>,
}

impl Rig {
    /// A machine whose guest has booted.
    pub fn new() -> Rig {
        let rig = Rig::booting();
        rig.host.devices().ready();
        rig
    }

    pub fn booting() -> Rig {
        Rig {
            host: Host::new().unwrap(),
            guest: Guest::new(),
            consoles: BTreeMap::new(),
            tasks: BTreeMap::new(),
            looks_away: false,
            stop: false,
            turn_at: None,
        }
    }

    pub fn console(&mut self) -> u32 {
        let id = self.host.open_console(Size { rows: 24, columns: 80 }).unwrap();
        self.consoles.insert(id, Seen::default());
        id
    }

    pub fn run(&mut self, words: &[&str]) -> u32 {
        let argv = words.iter().map(|w| w.as_bytes().to_vec()).collect();
        let id = self.host.run(TaskSpec { argv, ..TaskSpec::default() }).unwrap();
        self.tasks.insert(id, Seen::default());
        id
    }

    /// One round of everybody.
    pub fn step(&mut self) {
        self.guest.turn(&self.host);
        let due = self.turn_at.is_some_and(|at| Instant::now() >= at);
        if self.host.wants_turn() || due {
            self.turn_at = self.host.turn().map(|wait| Instant::now() + wait);
        }
        while let Some(event) = self.host.next_event() {
            match event {
                Event::Console(id) => self.look_at(id),
                Event::Task(id) => self.look_at_task(id),
                Event::Stop => self.stop = true,
            }
        }
    }

    pub fn look_at(&mut self, id: u32) {
        let Some(seen) = self.consoles.get_mut(&id).filter(|_| !self.looks_away) else { return };
        let mut buf = [0; 5000];
        loop {
            match self.host.shown(id, &mut buf) {
                0 => break,
                n => seen.text.extend(&buf[..n]),
            }
        }
        seen.ended = self.host.console(id) != ConsoleState::Open;
    }

    fn look_at_task(&mut self, id: u32) {
        let Some(seen) = self.tasks.get_mut(&id) else { return };
        let mut buf = [0; 5000];
        for (out, to) in [(Out::Stdout, &mut seen.text), (Out::Stderr, &mut seen.errors)] {
            while let Taken::Bytes(n) = self.host.take(id, out, &mut buf) {
                to.extend(&buf[..n]);
            }
        }
        seen.ended = !matches!(self.host.state(id), TaskState::Asked | TaskState::Runs(_));
    }

    #[track_caller]
    pub fn until(&mut self, what: &str, done: impl Fn(&Rig) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                Instant::now() < deadline,
                "waited for {what}: {:?} {:?}",
                self.consoles,
                self.guest.jobs
            );
            self.step();
        }
    }

    /// Until nothing more happens by itself.
    pub fn settle(&mut self) {
        loop {
            self.step();
            if !self.host.wants_turn() && !self.guest.has_work(&self.host) {
                return;
            }
        }
    }

    /// Runs a command to its end: its state, stdout and stderr.
    pub fn output(&mut self, words: &[&str], input: &[u8]) -> (TaskState, Vec<u8>, Vec<u8>) {
        let id = self.run(words);
        assert_eq!(self.host.feed(id, input), input.len());
        self.host.end_input(id);
        self.until("the command's end", |rig| rig.tasks[&id].ended);
        let state = self.host.state(id);
        self.host.forget(id);
        let seen = self.tasks.remove(&id).unwrap();
        (state, seen.text, seen.errors)
    }
}
