//! The client's side of a telnet connection: bytes in, events out; keys in, bytes
//! out. No I/O.

use std::collections::VecDeque;

use libtelnet_sys as sys;

use crate::environ;
use crate::protocol::{subnegotiation, Handler, Item, Protocol};

/// Rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub rows: u16,
    pub columns: u16,
}

/// What the client tells of itself when it is asked.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The terminal's type, such as `xterm-256color`.
    pub terminal: String,
    pub size: Size,
    /// Environment variables that may be told. None by default.
    pub environment: Vec<(String, String)>,
}

/// Something the peer has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes for the terminal.
    Data(Vec<u8>),
    /// The peer echoes what is typed from now on, or does not.
    Echo(bool),
    /// A command such as GA or DM, by its number.
    Command(u8),
    /// A violation of the protocol, which was passed over.
    Problem(String),
}

/// A telnet session of a client.
///
/// It answers the peer's wishes (RFC 854 and 1143) and has none of its own, so it
/// also works with a server that does not speak telnet at all. It agrees to ECHO
/// and SGA of the peer, BINARY of both sides, and tells TTYPE, NAWS and
/// NEW-ENVIRON when asked.
///
/// Replies gather in [`Session::output`]. They are about as long as what was
/// received: do not pass in more while much of it could not be sent.
pub struct Session {
    protocol: Protocol<Client>,
}

/// The options we know: ours, and the peer's.
static OPTIONS: [sys::telnet_telopt_t; 7] = [
    option(sys::TELNET_TELOPT_BINARY, true, true),
    option(sys::TELNET_TELOPT_ECHO, false, true),
    option(sys::TELNET_TELOPT_SGA, true, true),
    option(sys::TELNET_TELOPT_TTYPE, true, false),
    option(sys::TELNET_TELOPT_NAWS, true, false),
    option(sys::TELNET_TELOPT_NEW_ENVIRON, true, false),
    sys::telnet_telopt_t { telopt: -1, us: 0, him: 0 },
];

const fn option(option: u32, ours: bool, peers: bool) -> sys::telnet_telopt_t {
    sys::telnet_telopt_t {
        telopt: option as i16,
        us: if ours { sys::TELNET_WILL } else { sys::TELNET_WONT } as u8,
        him: if peers { sys::TELNET_DO } else { sys::TELNET_DONT } as u8,
    }
}

const BINARY: u8 = sys::TELNET_TELOPT_BINARY as u8;
const ECHO: u8 = sys::TELNET_TELOPT_ECHO as u8;
const SGA: u8 = sys::TELNET_TELOPT_SGA as u8;
const TTYPE: u8 = sys::TELNET_TELOPT_TTYPE as u8;
const NAWS: u8 = sys::TELNET_TELOPT_NAWS as u8;
const NEW_ENVIRON: u8 = sys::TELNET_TELOPT_NEW_ENVIRON as u8;

impl Session {
    pub fn new(identity: Identity) -> Session {
        let client = Client {
            identity,
            events: VecDeque::new(),
            ours: 0,
            peers: 0,
            carriage_returned: false,
        };
        Session { protocol: Protocol::new(&OPTIONS, client) }
    }

    /// Bytes from the peer; what they mean is asked for with
    /// [`Session::next_event`].
    pub fn receive(&mut self, bytes: &[u8]) {
        self.protocol.receive(bytes);
    }

    pub fn next_event(&mut self) -> Option<Event> {
        self.protocol.handler().events.pop_front()
    }

    /// What was typed. A CR becomes CR NUL, as RFC 854 wants, unless BINARY.
    pub fn send(&mut self, keys: &[u8]) {
        if self.protocol.peek().has(BINARY, true) {
            return self.protocol.send(keys);
        }
        for piece in keys.split_inclusive(|&byte| byte == b'\r') {
            self.protocol.send(piece);
            if piece.ends_with(b"\r") {
                self.protocol.send(b"\0");
            }
        }
    }

    /// A line that was typed without its end: CR LF ends it, the protocol's own.
    pub fn send_line(&mut self, line: &[u8]) {
        self.protocol.send(line);
        self.protocol.send(b"\r\n");
    }

    /// Asks both sides to be 8-bit clean without regard to CR.
    pub fn ask_binary(&mut self) {
        self.protocol.negotiate(sys::TELNET_WILL, sys::TELNET_TELOPT_BINARY);
        self.protocol.negotiate(sys::TELNET_DO, sys::TELNET_TELOPT_BINARY);
    }

    /// The window has another size; the peer is told if it has asked.
    pub fn resize(&mut self, size: Size) {
        let client = self.protocol.handler();
        if client.identity.size != size {
            client.identity.size = size;
            if client.has(NAWS, true) {
                let mut out = std::mem::take(self.protocol.out());
                self.protocol.peek().tell_size(&mut out);
                *self.protocol.out() = out;
            }
        }
    }

    /// A command without data: interrupt process, are you there, and so on.
    pub fn command(&mut self, command: Command) {
        self.protocol.command(command as u8);
    }

    /// What is to be sent to the peer.
    pub fn output(&mut self) -> &[u8] {
        self.protocol.out()
    }

    /// The first `n` bytes of the output were sent.
    pub fn sent(&mut self, n: usize) {
        let out = self.protocol.out();
        out.drain(..n.min(out.len()));
    }

    /// The peer echoes what is typed.
    pub fn echoes(&self) -> bool {
        self.protocol.peek().has(ECHO, false)
    }

    /// What was agreed on, for a person.
    pub fn status(&self) -> String {
        let client = self.protocol.peek();
        let names = |ours| {
            let all = [
                (BINARY, "binary"),
                (ECHO, "echo"),
                (SGA, "character at a time"),
                (TTYPE, "terminal type"),
                (NAWS, "window size"),
                (NEW_ENVIRON, "environment"),
            ];
            let on: Vec<_> = all.iter().filter(|(o, _)| client.has(*o, ours)).collect();
            match on.is_empty() {
                true => "nothing".to_owned(),
                false => on.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", "),
            }
        };
        format!("the server: {}; we: {}", names(false), names(true))
    }
}

/// Commands that a person may want to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Command {
    Break = sys::TELNET_BREAK as u8,
    InterruptProcess = sys::TELNET_IP as u8,
    AreYouThere = sys::TELNET_AYT as u8,
    Nothing = sys::TELNET_NOP as u8,
}

struct Client {
    identity: Identity,
    events: VecDeque<Event>,
    /// Options that are on, one bit each; those we agree to are below 64.
    ours: u64,
    peers: u64,
    /// The last byte of data was a CR, whose NUL may follow.
    carriage_returned: bool,
}

impl Client {
    fn has(&self, option: u8, ours: bool) -> bool {
        let set = if ours { self.ours } else { self.peers };
        set & (1 << option) != 0
    }

    fn set(&mut self, option: u8, ours: bool, on: bool) {
        let set = if ours { &mut self.ours } else { &mut self.peers };
        if option < 64 {
            *set = *set & !(1 << option) | u64::from(on) << option;
        }
    }

    fn tell_size(&self, out: &mut Vec<u8>) {
        let Size { rows, columns } = self.identity.size;
        let [a, b] = columns.to_be_bytes();
        let [c, d] = rows.to_be_bytes();
        subnegotiation(sys::TELNET_TELOPT_NAWS, &[a, b, c, d], out);
    }

    fn data(&mut self, bytes: &[u8]) {
        if !matches!(self.events.back(), Some(Event::Data(_))) {
            self.events.push_back(Event::Data(Vec::with_capacity(bytes.len())));
        }
        let binary = self.has(BINARY, false);
        let Some(Event::Data(data)) = self.events.back_mut() else { unreachable!("just put") };
        for piece in bytes.split_inclusive(|&byte| byte == b'\r') {
            let after_cr = std::mem::replace(&mut self.carriage_returned, piece.ends_with(b"\r"));
            data.extend_from_slice(match piece.strip_prefix(b"\0") {
                Some(rest) if after_cr && !binary => rest,
                _ => piece,
            });
        }
        if data.is_empty() {
            self.events.pop_back();
        }
    }
}

impl Handler for Client {
    fn item(&mut self, item: Item<'_>, out: &mut Vec<u8>) {
        match item {
            Item::Data(bytes) => self.data(bytes),
            Item::Peer(option, on) => {
                self.set(option, false, on);
                if option == ECHO {
                    self.events.push_back(Event::Echo(on));
                }
            }
            Item::Ours(option, on) => {
                self.set(option, true, on);
                if (option, on) == (NAWS, true) {
                    self.tell_size(out);
                }
            }
            // Answered only if we have agreed to say anything.
            Item::Subnegotiation(TTYPE, [1, ..]) if self.has(TTYPE, true) => {
                let answer = [b"\0", self.identity.terminal.as_bytes()].concat();
                subnegotiation(sys::TELNET_TELOPT_TTYPE, &answer, out);
            }
            Item::Subnegotiation(NEW_ENVIRON, asked) if self.has(NEW_ENVIRON, true) => {
                if let Some(answer) = environ::answer(asked, &self.identity.environment) {
                    subnegotiation(sys::TELNET_TELOPT_NEW_ENVIRON, &answer, out);
                }
            }
            Item::Subnegotiation(..) => {}
            Item::Command(command) => self.events.push_back(Event::Command(command)),
            Item::Problem(text) => {
                self.events.push_back(Event::Problem(text.to_string_lossy().into_owned()));
            }
        }
    }
}
