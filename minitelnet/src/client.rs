//! A client: one connection and one terminal, and the bytes between them.

use miniio::{Error, Event as Io, Loop, Received, StreamId};

use crate::escape::{Action, Escape, Step};
use crate::session::{Command, Event, Identity, Session};
use crate::terminal::{Gone, Mode, Terminal, Typed};

/// Bytes under way to either side, beyond which no more are taken.
const ENOUGH: usize = 64 << 10;

/// How a session came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer has closed the connection.
    Remote,
    /// The person has closed it.
    Local,
    /// The terminal went away.
    Terminal,
    /// The connection could not be made, or broke off.
    Failed(Error),
}

/// Pass every event of the loop to [`Client::handle`] until it says how it ended.
pub struct Client<T: Terminal> {
    stream: StreamId,
    session: Session,
    terminal: T,
    escape: Escape,
    /// For the terminal.
    screen: Vec<u8>,
    /// How much of what is to be sent answers the peer, at most.
    replies: usize,
    keys_ended: bool,
    mode: Mode,
    ending: Option<End>,
}

impl<T: Terminal> Client<T> {
    /// The stream may still be connecting. It, and the terminal, are the client's
    /// now. `identity.size` is the terminal's own.
    pub fn new(stream: StreamId, mut terminal: T, identity: Identity) -> Client<T> {
        let identity = Identity { size: terminal.size(), ..identity };
        terminal.set_mode(Mode::Lines);
        Client {
            stream,
            session: Session::new(identity),
            terminal,
            escape: Escape::default(),
            screen: Vec::new(),
            replies: 0,
            keys_ended: false,
            mode: Mode::Lines,
            ending: None,
        }
    }

    /// `^]` is a key as any other: for a terminal that has other ways to be left.
    pub fn without_escape(mut self) -> Client<T> {
        self.escape = Escape::off();
        self
    }

    /// Closes stream and terminal at once, whatever is still under way.
    pub fn close(mut self, io: &mut Loop) {
        self.terminal.close(io);
        io.close(self.stream);
    }

    /// Shows something of the caller's own, such as whom it has reached.
    pub fn say(&mut self, text: &str) {
        self.screen.extend(text.as_bytes());
    }

    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Handles an event, if it concerns us. Once this has returned an end,
    /// stream and terminal are closed.
    pub fn handle(&mut self, io: &mut Loop, event: &Io) -> Option<End> {
        let ours = match event {
            Io::Connected(id) | Io::Readable(id) | Io::Writable(id) | Io::Failed(id, _) => {
                *id == self.stream
            }
            _ => false,
        };
        if !ours && !self.terminal.concerns(io, event) {
            return None;
        }
        while self.ending.is_none() && self.pump(io) {}
        self.show(io);
        if self.ending.is_some() && self.screen.is_empty() && self.terminal.finish(io) {
            self.terminal.close(io);
            io.close(self.stream);
            return self.ending.clone();
        }
        None
    }

    /// Moves what can be moved; true if that was something.
    fn pump(&mut self, io: &mut Loop) -> bool {
        let mut moved = self.keys(io);
        self.session.resize(self.terminal.size());
        moved |= self.pull(io);
        moved |= self.show(io);
        moved |= self.push(io);
        moved
    }

    fn keys(&mut self, io: &mut Loop) -> bool {
        if self.keys_ended || self.session.output().len() >= ENOUGH {
            return false;
        }
        match self.terminal.typed(io) {
            Typed::Nothing => false,
            Typed::End => {
                self.keys_ended = true;
                true
            }
            Typed::Keys(keys) => {
                for step in self.escape.keys(&keys) {
                    match step {
                        Step::Send(keys) => self.type_to_peer(&keys),
                        Step::Show(bytes) => self.screen.extend(bytes),
                        Step::Do(action) => self.act(io, action),
                    }
                }
                // The prompt sees keys, not lines.
                self.set_mode();
                true
            }
        }
    }

    fn type_to_peer(&mut self, keys: &[u8]) {
        match self.mode {
            Mode::Raw => self.session.send(keys),
            Mode::Lines => {
                for line in keys.split_inclusive(|&key| key == b'\n') {
                    match line.strip_suffix(b"\n") {
                        Some(line) => self.session.send_line(line),
                        None => self.session.send(line),
                    }
                }
            }
        }
    }

    fn act(&mut self, io: &mut Loop, action: Action) {
        match action {
            Action::Close => self.ending = Some(End::Local),
            Action::Status => {
                let status = self.session.status();
                self.say(&format!("Agreed on: {status}.\r\n"));
            }
            Action::Suspend => {
                // The prompt's last words first.
                self.show(io);
                if !self.terminal.suspend() {
                    self.say("This terminal cannot be left.\r\n");
                }
            }
            Action::Break => self.session.command(Command::Break),
            Action::AreYouThere => self.session.command(Command::AreYouThere),
            Action::Interrupt => self.session.command(Command::InterruptProcess),
        }
    }

    fn set_mode(&mut self) {
        let mode = match self.session.echoes() || self.escape.at_prompt() {
            true => Mode::Raw,
            false => Mode::Lines,
        };
        if mode != self.mode {
            self.mode = mode;
            self.terminal.set_mode(mode);
        }
    }

    fn pull(&mut self, io: &mut Loop) -> bool {
        // The prompt is not to be written over. Replies are as long as what asks
        // for them, so a peer that does not read them is not read either. Keys that it
        // does not read are another matter: it may be waiting for us to read their echo.
        if self.escape.at_prompt() || self.screen.len() >= ENOUGH || self.replies >= ENOUGH {
            return false;
        }
        match io.received(self.stream) {
            Ok(Received::Nothing) => return false,
            Ok(Received::End) => self.ending = Some(End::Remote),
            Err(error) => self.ending = Some(End::Failed(error)),
            Ok(Received::Bytes(bytes)) => {
                let n = bytes.len().min(ENOUGH);
                let before = self.session.output().len();
                self.session.receive(&bytes[..n]);
                self.replies += self.session.output().len() - before;
                // The id is live: it has just been used.
                let _ = io.consume(self.stream, n);
                while let Some(event) = self.session.next_event() {
                    match event {
                        Event::Data(bytes) => self.screen.extend(bytes),
                        Event::Echo(_) => self.set_mode(),
                        // Nothing that a terminal shows.
                        Event::Command(_) | Event::Problem(_) => {}
                    }
                }
            }
        }
        true
    }

    fn show(&mut self, io: &mut Loop) -> bool {
        if self.screen.is_empty() {
            return false;
        }
        match self.terminal.show(io, &self.screen) {
            Ok(n) => {
                self.screen.drain(..n);
                n > 0
            }
            Err(Gone) => {
                self.screen.clear();
                self.ending = Some(End::Terminal);
                true
            }
        }
    }

    fn push(&mut self, io: &mut Loop) -> bool {
        let output = self.session.output();
        if output.is_empty() {
            if self.keys_ended {
                // The peer may still have much to say. If it is gone, reading tells.
                let _ = io.finish(self.stream);
            }
            return false;
        }
        // After a failure nothing gets there any more, and reading tells why.
        let n = io.write(self.stream, output).unwrap_or(output.len());
        self.session.sent(n);
        self.replies = self.replies.min(self.session.output().len());
        n > 0
    }
}
