//! A loop with a listener, and waiting that ends with a transcript.

use std::time::{Duration, Instant};

use miniio::{Address, Error, Event, ListenerId, Loop, Received, StreamId, Wait};

/// How long something may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// What "nothing happens" is held to.
const QUIET: Duration = Duration::from_millis(100);
/// The same where it is asked for very often.
pub const MOMENT: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A loop without sockets.
    InProcess,
    /// In-process streams in a loop that has sockets as well.
    #[cfg(feature = "uv")]
    Local,
    #[cfg(feature = "uv")]
    Tcp,
    #[cfg(all(feature = "uv", unix))]
    UnixSocket,
}

pub struct Rig {
    pub io: Loop,
    pub transport: Transport,
    seen: Vec<String>,
    dir: tempfile::TempDir,
    listeners: usize,
}

impl Rig {
    pub fn new(transport: Transport) -> Rig {
        let io = match transport {
            Transport::InProcess => Loop::in_process(),
            #[cfg(feature = "uv")]
            _ => Loop::new(),
        };
        Rig {
            io: io.unwrap(),
            transport,
            seen: Vec::new(),
            dir: tempfile::tempdir().unwrap(),
            listeners: 0,
        }
    }

    /// Where nobody listens yet.
    pub fn free_address(&mut self) -> Address {
        self.listeners += 1;
        match self.transport {
            #[cfg(feature = "uv")]
            Transport::Tcp => "127.0.0.1:0".parse().unwrap(),
            #[cfg(all(feature = "uv", unix))]
            Transport::UnixSocket => {
                Address::Unix(self.dir.path().join(self.listeners.to_string()))
            }
            _ => Address::Local(format!("{:?} {}", self.dir.path(), self.listeners)),
        }
    }

    pub fn listen(&mut self) -> (ListenerId, Address) {
        let address = self.free_address();
        let id = self.io.listen(&address).unwrap();
        (id, self.io.listener_address(id).unwrap())
    }

    /// The next event; fails when it does not come.
    #[track_caller]
    pub fn next(&mut self) -> Event {
        match self.io.next(Wait::Until(Instant::now() + PATIENCE)) {
            Some(event) => {
                self.seen.push(format!("{event:?}"));
                event
            }
            None => panic!("nothing happens any more; events:\n{}", self.seen.join("\n")),
        }
    }

    /// Handles events until one is what is waited for.
    #[track_caller]
    pub fn until<T>(&mut self, mut wanted: impl FnMut(&mut Loop, Event) -> Option<T>) -> T {
        loop {
            let event = self.next();
            if let Some(found) = wanted(&mut self.io, event) {
                return found;
            }
        }
    }

    /// All events until none comes for a while.
    pub fn settle(&mut self) -> Vec<Event> {
        self.settle_for(QUIET)
    }

    pub fn settle_for(&mut self, quiet: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.io.next(Wait::Until(Instant::now() + quiet)) {
            events.push(event);
        }
        events
    }

    /// Client and server of a new connection.
    #[track_caller]
    pub fn connection(&mut self) -> (StreamId, StreamId) {
        let (listener, address) = self.listen();
        let both = self.connection_to(&address);
        self.io.close_listener(listener);
        both
    }

    #[track_caller]
    pub fn connection_to(&mut self, address: &Address) -> (StreamId, StreamId) {
        let client = self.io.connect(address).unwrap();
        let (mut connected, mut server) = (false, None);
        self.until(|_, event| {
            match event {
                Event::Connected(id) if id == client => connected = true,
                Event::Accepted { stream, .. } => server = Some(stream),
                other => panic!("{other:?}"),
            }
            server.filter(|_| connected)
        });
        (client, server.unwrap())
    }

    /// Reads until `n` bytes are there, the end is, or an error.
    #[track_caller]
    pub fn read(&mut self, id: StreamId, n: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            match self.io.received(id)? {
                Received::Bytes(more) => {
                    let take = more.len().min(n - bytes.len());
                    bytes.extend_from_slice(&more[..take]);
                    self.io.consume(id, take)?;
                }
                Received::End => return Ok(bytes),
                Received::Nothing => {
                    self.until(|_, event| match event {
                        Event::Readable(other) | Event::Failed(other, _) if other == id => Some(()),
                        _ => None,
                    });
                }
            }
            if bytes.len() == n {
                return Ok(bytes);
            }
        }
    }

    /// Everything up to the end.
    #[track_caller]
    pub fn read_all(&mut self, id: StreamId) -> Result<Vec<u8>, Error> {
        self.read(id, usize::MAX)
    }
}

/// The stream an event is about.
pub fn stream_of(event: &Event) -> Option<StreamId> {
    match event {
        Event::Accepted { stream: id, .. }
        | Event::Connected(id)
        | Event::Readable(id)
        | Event::Writable(id)
        | Event::Finished(id)
        | Event::Failed(id, _) => Some(*id),
        _ => None,
    }
}

/// The byte at a place of a stream; neighbours and distant ones differ.
pub fn pattern(place: usize) -> u8 {
    (place ^ (place >> 8) ^ (place >> 16)) as u8
}

pub fn patterned(from: usize, n: usize) -> Vec<u8> {
    (from..from + n).map(pattern).collect()
}

/// Numbers that are the same in each run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }
}
