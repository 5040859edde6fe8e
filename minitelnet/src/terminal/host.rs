//! The terminal, or whatever else the standard descriptors are.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::thread;

use miniio::{Event, Loop, Received, Stdio, StreamId, WakerId};
use signal_hook::consts::SIGWINCH;
use signal_hook::iterator::{Handle, Signals};

use super::{Gone, Mode, Terminal, Typed};
use crate::escape::ESCAPE;
use crate::session::Size;
use crate::tty;

/// Bytes of a file at once.
const CHUNK: usize = 16 << 10;

/// The caller's own terminal. Keys come from stdin and output goes to stdout; both
/// may be pipes or files, and then have no modes.
pub struct Host {
    keys: Port,
    screen: Port,
    /// The terminal is not in its usual state.
    raw: Option<tty::Raw>,
    size: Size,
    resized: WakerId,
    signals: Handle,
    mode: Mode,
    finished: bool,
    gone: bool,
}

/// A file never makes anyone wait, and a loop has no use for it.
enum Port {
    Stream(StreamId),
    File(File),
}

impl Port {
    fn open(io: &mut Loop, which: Stdio, fd: impl AsFd) -> io::Result<Port> {
        match io.stdio(which) {
            Ok(id) => Ok(Port::Stream(id)),
            Err(miniio::Error::NoStream) => Ok(Port::File(fd.as_fd().try_clone_to_owned()?.into())),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn is(&self, id: StreamId) -> bool {
        matches!(self, Port::Stream(ours) if *ours == id)
    }

    fn close(&self, io: &mut Loop) {
        if let Port::Stream(id) = self {
            io.close(*id);
        }
    }
}

impl Host {
    /// The terminal stays as it is until its mode is set.
    pub fn new(io: &mut Loop) -> io::Result<Host> {
        let waker = io.waker();
        let resized = waker.id();
        let mut signals = Signals::new([SIGWINCH])?;
        let handle = signals.handle();
        // A file has keys without an event: the client is to look at once.
        waker.wake();
        thread::Builder::new().name("terminal-size".into()).spawn(move || {
            for _ in signals.forever() {
                waker.wake();
            }
        })?;
        Ok(Host {
            keys: Port::open(io, Stdio::Input, io::stdin())?,
            screen: Port::open(io, Stdio::Output, io::stdout())?,
            raw: None,
            size: size(),
            resized,
            signals: handle,
            mode: Mode::Lines,
            finished: false,
            gone: false,
        })
    }
}

fn size() -> Size {
    let (rows, columns) = tty::size();
    Size { rows, columns }
}

impl Terminal for Host {
    fn concerns(&mut self, _: &mut Loop, event: &Event) -> bool {
        match event {
            Event::Woken(id) if *id == self.resized => {
                self.size = size();
                true
            }
            Event::Failed(id, _) if self.screen.is(*id) => {
                self.gone = true;
                true
            }
            Event::Finished(id) if self.screen.is(*id) => {
                self.finished = true;
                true
            }
            Event::Readable(id) | Event::Writable(id) | Event::Failed(id, _) => {
                self.keys.is(*id) || self.screen.is(*id)
            }
            _ => false,
        }
    }

    fn typed(&mut self, io: &mut Loop) -> Typed {
        match &mut self.keys {
            Port::Stream(id) => {
                let keys = match io.received(*id) {
                    Ok(Received::Bytes(keys)) => keys.to_vec(),
                    Ok(Received::Nothing) => return Typed::Nothing,
                    // A terminal that is hung up has no more keys.
                    Ok(Received::End) | Err(_) => return Typed::End,
                };
                // The id is live: it has just been used.
                let _ = io.consume(*id, keys.len());
                Typed::Keys(keys)
            }
            Port::File(file) => {
                let mut chunk = vec![0; CHUNK];
                match file.read(&mut chunk) {
                    Ok(n @ 1..) => {
                        chunk.truncate(n);
                        Typed::Keys(chunk)
                    }
                    Ok(0) | Err(_) => Typed::End,
                }
            }
        }
    }

    fn show(&mut self, io: &mut Loop, bytes: &[u8]) -> Result<usize, Gone> {
        match &mut self.screen {
            _ if self.gone => Err(Gone),
            Port::Stream(id) => io.write(*id, bytes).map_err(|_| Gone),
            Port::File(file) => file.write_all(bytes).map(|()| bytes.len()).map_err(|_| Gone),
        }
    }

    fn size(&self) -> Size {
        self.size
    }

    fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        if !io::stdin().is_terminal() {
            return;
        }
        // A terminal that refuses is hung up, of which reading tells.
        let _ = match (&self.raw, mode) {
            (None, Mode::Raw) => tty::Raw::enter().map(|raw| self.raw = Some(raw)),
            (None, Mode::Lines) => tty::Raw::enter_lines(ESCAPE).map(|raw| self.raw = Some(raw)),
            (Some(raw), Mode::Raw) => raw.set_raw(),
            (Some(raw), Mode::Lines) => raw.set_lines(ESCAPE),
        };
    }

    fn suspend(&mut self) -> bool {
        if self.raw.take().is_none() {
            return false;
        }
        tty::stop();
        self.size = size();
        self.set_mode(self.mode);
        true
    }

    fn finish(&mut self, io: &mut Loop) -> bool {
        match &self.screen {
            Port::Stream(id) if !self.gone && !self.finished => io.finish(*id).is_err(),
            _ => true,
        }
    }

    fn close(&mut self, io: &mut Loop) {
        self.raw = None;
        self.signals.close();
        io.close_waker(self.resized);
        self.keys.close(io);
        self.screen.close(io);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.signals.close();
    }
}
