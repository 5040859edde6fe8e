//! A telnet client without a terminal, for tests that need many or strange ones.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long an answer may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;
const WILL: u8 = 251;
const DO: u8 = 253;
const NAWS: u8 = 31;

pub struct Telnet {
    pub socket: TcpStream,
    /// What was shown and not yet asked for.
    pub shown: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Data,
    Command,
    Option(u8),
    Sub,
    SubCommand,
}

impl Telnet {
    pub fn connect(address: SocketAddr) -> Telnet {
        let socket = TcpStream::connect(address).expect("the server accepts");
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Telnet { socket, shown: Vec::new(), state: State::Data }
    }

    /// A session at its prompt.
    pub fn at_prompt(address: SocketAddr) -> Telnet {
        let mut telnet = Telnet::connect(address);
        telnet.wait("~ # ");
        telnet
    }

    /// Types; 255 and CR are sent as the protocol wants it.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let escaped = |&b: &u8| match b {
            IAC => vec![IAC, IAC],
            b'\r' => vec![b'\r', 0],
            b => vec![b],
        };
        let bytes: Vec<u8> = bytes.as_ref().iter().flat_map(escaped).collect();
        self.socket.write_all(&bytes).expect("the server reads");
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        let mut sub = vec![IAC, SB, NAWS];
        let [a, b] = columns.to_be_bytes();
        let [c, d] = rows.to_be_bytes();
        sub.extend([a, b, c, d, IAC, SE]);
        self.socket.write_all(&sub).expect("the server reads");
    }

    /// Takes what comes; false at the end.
    pub fn receive(&mut self) -> bool {
        let mut buf = [0; 16 << 10];
        let n = loop {
            match self.socket.read(&mut buf) {
                // These tests were stopped and go on: nothing restarts a read with a time limit.
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                read => break read.unwrap_or_else(|e| panic!("{e}; shown: {}", self.tail())),
            }
        };
        buf[..n].iter().for_each(|&b| self.byte(b));
        n > 0
    }

    fn byte(&mut self, b: u8) {
        self.state = match (self.state, b) {
            (State::Data, IAC) => State::Command,
            (State::Data, _) | (State::Command, IAC) => {
                self.shown.push(b);
                State::Data
            }
            (State::Command, SB) => State::Sub,
            (State::Command, WILL..=254) => State::Option(b),
            (State::Command, _) | (State::SubCommand, SE) => State::Data,
            (State::Option(verb), option) => {
                if (verb, option) == (DO, NAWS) {
                    self.socket.write_all(&[IAC, WILL, NAWS]).expect("the server reads");
                    self.resize(24, 80);
                }
                State::Data
            }
            (State::Sub, IAC) => State::SubCommand,
            (State::Sub, _) | (State::SubCommand, _) => State::Sub,
        };
    }

    /// The last of what is shown, for a failure.
    fn tail(&self) -> String {
        let from = self.shown.len().saturating_sub(2000);
        String::from_utf8_lossy(&self.shown[from..]).escape_debug().to_string()
    }

    /// Waits until a text is shown; what is shown up to its end.
    #[track_caller]
    pub fn wait(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.shown.windows(text.len()).position(|w| w == text.as_bytes());
            if let Some(at) = found {
                let all: Vec<u8> = self.shown.drain(..at + text.len()).collect();
                return String::from_utf8_lossy(&all).into_owned();
            }
            assert!(Instant::now() < deadline, "waited for {text:?}: {}", self.tail());
            assert!(self.receive(), "ended before {text:?}: {}", self.tail());
        }
    }

    /// Types a command and waits for its end: what it showed.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> String {
        self.send(format!("{command}; echo en''d\r"));
        self.wait("\r\n");
        let shown = self.wait("end\r\n");
        self.wait("~ # ");
        shown.strip_suffix("end\r\n").unwrap().replace("\r\n", "\n")
    }

    /// Reads to the end.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.receive() {}
        std::mem::take(&mut self.shown)
    }
}
