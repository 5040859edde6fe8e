//! Consoles: telnet sessions with the guest's telnetd by an in-process stream, each
//! with two rings of bytes for keys and screen.

use miniio::{Address, Error, Event, Loop};
use minitelnet::terminal::ring::{ring, Keyboard, Ring};
use minitelnet::{Client, End, Identity, Size};
use wasmlinux::{Inetd, Service};

use crate::host::Host;

/// The in-process address of the telnet service.
const ADDRESS: &str = "telnet";
/// What xterm.js is.
const TERMINAL: &str = "xterm-256color";

/// What has become of a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleState {
    Open,
    /// Its shell has ended, or the machine.
    Ended,
    /// The connection broke off.
    Failed(String),
}

struct Console {
    id: u32,
    keyboard: Keyboard,
    /// `None` once it has ended; what it has shown can still be taken.
    client: Option<Client<Ring>>,
    state: ConsoleState,
    /// The person has typed more than there was room for.
    wants_room: bool,
    changed: bool,
}

/// The consoles of a machine.
pub(crate) struct Consoles {
    address: Address,
    open: Vec<Console>,
    last: u32,
}

impl Consoles {
    /// Makes the telnet service known, as `serve` does natively.
    pub fn listen(io: &mut Loop, inetd: &mut Inetd) -> Result<Consoles, Error> {
        let address = Address::Local(ADDRESS.into());
        let mut service = Service::telnet(address.clone(), false);
        // telnetd asks no client for the type of its terminal.
        service.env = vec![("TERM".into(), TERMINAL.into())];
        inetd.listen(io, service, false)?;
        Ok(Consoles { address, open: Vec::new(), last: 0 })
    }

    fn open(&mut self, io: &mut Loop, size: Size) -> Result<u32, Error> {
        let stream = io.connect(&self.address)?;
        let (terminal, keyboard) = ring(io, size);
        let identity = Identity { terminal: TERMINAL.into(), size, environment: Vec::new() };
        // Ctrl-] belongs to the programs: a tab has other ways to be closed.
        let client = Some(Client::new(stream, terminal, identity).without_escape());
        self.last += 1;
        let (id, state) = (self.last, ConsoleState::Open);
        self.open.push(Console { id, keyboard, client, state, wants_room: false, changed: false });
        Ok(id)
    }

    fn get(&mut self, id: u32) -> Option<&mut Console> {
        self.open.iter_mut().find(|console| console.id == id)
    }

    pub fn handle(&mut self, io: &mut Loop, event: &Event) {
        for console in &mut self.open {
            console.handle(io, event);
        }
    }

    /// One whose keyboard, screen or state has changed.
    pub fn changed(&mut self) -> Option<u32> {
        let console = self.open.iter_mut().find(|console| console.changed)?;
        console.changed = false;
        Some(console.id)
    }
}

impl Console {
    fn handle(&mut self, io: &mut Loop, event: &Event) {
        let Some(client) = &mut self.client else { return };
        let shown = self.keyboard.shown();
        let end = client.handle(io, event);
        self.changed |= self.keyboard.shown() > shown;
        if self.wants_room && self.keyboard.room() > 0 {
            self.wants_room = false;
            self.changed = true;
        }
        if let Some(end) = end {
            self.client = None;
            self.changed = true;
            self.state = match end {
                End::Failed(error) => ConsoleState::Failed(error.to_string()),
                End::Remote | End::Local | End::Terminal => ConsoleState::Ended,
            };
        }
    }
}

impl Host {
    /// A new console with a login shell: its id.
    pub fn open_console(&mut self, size: Size) -> Result<u32, Error> {
        self.consoles.open(&mut self.io, size)
    }

    /// Types as much as there is room for; how much that was. After it was less, an
    /// event says when there is room again.
    pub fn press(&mut self, console: u32, keys: &[u8]) -> usize {
        let Some(console) = self.consoles.get(console) else { return 0 };
        if console.client.is_none() {
            // Nobody will ever read them.
            return keys.len();
        }
        let taken = console.keyboard.press(keys);
        console.wants_room |= taken < keys.len();
        taken
    }

    /// Takes what was shown. What is not taken makes the guest's programs wait.
    pub fn shown(&mut self, console: u32, into: &mut [u8]) -> usize {
        self.consoles.get(console).map_or(0, |console| console.keyboard.read(into))
    }

    pub fn resize(&mut self, console: u32, size: Size) {
        if let Some(console) = self.consoles.get(console) {
            console.keyboard.resize(size);
        }
    }

    /// What has become of it; of one that was closed, that it has ended.
    pub fn console(&mut self, console: u32) -> ConsoleState {
        self.consoles.get(console).map_or(ConsoleState::Ended, |console| console.state.clone())
    }

    /// Hangs up, if it has not ended, and forgets it.
    pub fn close_console(&mut self, console: u32) {
        let place = self.consoles.open.iter().position(|c| c.id == console);
        let Some(place) = place else { return };
        if let Some(client) = self.consoles.open.remove(place).client {
            client.close(&mut self.io);
        }
    }
}
