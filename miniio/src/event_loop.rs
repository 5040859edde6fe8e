//! The loop: ids, turns, and which backend a call goes to.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backend::{Change, Stream};
use crate::local::Local;
use crate::slab::Slab;
use crate::sockets::{self, Sockets};
use crate::timers::Timers;
use crate::wake::{Notify, Park, Waker, Wakers};
use crate::{Address, Error, Event, ListenerId, Received, StreamId, TimerId, WakerId};

/// How long [`Loop::next`] may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all. What a host with its own event loop uses, until `None`.
    No,
    Until(Instant),
    /// Until something happens, which may be never.
    Forever,
}

/// Which of the standard descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    Input,
    Output,
    Error,
}

/// One thread's event loop. The [crate's rules](crate#rules) hold.
pub struct Loop {
    queue: VecDeque<Event>,
    /// Events at the front of the queue that belong to this turn.
    turn: usize,
    streams: Slab<Held>,
    listeners: Slab<Listener>,
    timers: Timers,
    wakers: Wakers,
    local: Local,
    /// `None` in a loop that is in-process only.
    sockets: Option<Sockets>,
    park: Arc<Park>,
    /// Rule 10, whatever the backend could do.
    _one_thread: PhantomData<*const ()>,
}

/// A stream, and what the program was told about it.
struct Held {
    stream: Stream,
    /// A `Readable` is in the queue.
    readable: bool,
    /// The program found too little room and waits for `Writable`.
    wants_room: bool,
    finished: bool,
    failed: Option<Error>,
}

enum Listener {
    Local(String),
    Socket(sockets::Listener),
}

/// Which backend of a stream. A macro, as the arms borrow different fields.
macro_rules! on {
    ($io:ident, $held:expr, $name:ident($($arg:expr),*)) => {
        match &mut $held.stream {
            Stream::Local(end) => $io.local.$name(*end, $($arg),*),
            Stream::Socket(socket) => socket.$name($($arg),*),
        }
    };
}

impl Loop {
    /// A loop with everything that was compiled in.
    pub fn new() -> Result<Loop, Error> {
        let sockets = Sockets::new()?;
        let notify = sockets.as_ref().map(Sockets::notifier);
        Ok(Loop::with(sockets, notify))
    }

    /// A loop for [`Address::Local`] only: it uses nothing of the host but the
    /// clock.
    pub fn in_process() -> Result<Loop, Error> {
        Ok(Loop::with(None, None))
    }

    fn with(sockets: Option<Sockets>, notify: Option<Arc<dyn Notify>>) -> Loop {
        let park = Arc::new(Park::default());
        Loop {
            queue: VecDeque::new(),
            turn: 0,
            streams: Slab::new(),
            listeners: Slab::new(),
            timers: Timers::new(),
            wakers: Wakers::new(notify.unwrap_or_else(|| park.clone())),
            local: Local::new(),
            sockets,
            park,
            _one_thread: PhantomData,
        }
    }

    /// The next event; `None` when `wait` is over.
    pub fn next(&mut self, wait: Wait) -> Option<Event> {
        loop {
            while self.turn > 0 {
                self.turn -= 1;
                let event = self.queue.pop_front()?;
                if let Some(event) = self.hand_out(event) {
                    return Some(event);
                }
            }
            self.take_turn(wait);
            self.turn = self.queue.len();
            let over = match wait {
                Wait::No => true,
                Wait::Until(until) => Instant::now() >= until,
                Wait::Forever => cfg!(target_family = "wasm"),
            };
            if self.turn == 0 && over {
                return None;
            }
        }
    }

    /// Whether there is something to ask [`Loop::next`] for, timers aside. What a host
    /// with its own event loop wants to know after whatever it let happen; of sockets
    /// it says nothing.
    pub fn is_pending(&self) -> bool {
        !self.queue.is_empty() || self.park.is_notified()
    }

    /// When the next timer is due: until then a host with its own event loop need
    /// not come back, unless something else happens.
    pub fn next_timer(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Looks at the host, the timers and the wakers once.
    fn take_turn(&mut self, wait: Wait) {
        let until = match (wait, self.timers.next()) {
            _ if !self.queue.is_empty() => Some(Instant::now()),
            (Wait::No, _) => Some(Instant::now()),
            (Wait::Until(a), Some(b)) => Some(a.min(b)),
            (Wait::Until(at), None) | (Wait::Forever, Some(at)) => Some(at),
            (Wait::Forever, None) => None,
        };
        match &mut self.sockets {
            Some(sockets) => sockets.wait(until),
            None => self.park.wait(until),
        }
        self.absorb();
        let now = Instant::now();
        while let Some(id) = self.timers.due(now) {
            self.queue.push_back(Event::Timer(id));
        }
        for id in self.wakers.take() {
            self.queue.push_back(Event::Woken(id));
        }
    }

    /// Makes events of what the backends saw. Called after every call of them.
    fn absorb(&mut self) {
        for change in std::mem::take(&mut self.local.changes) {
            self.change(change);
        }
        let changes = self.sockets.as_mut().map(Sockets::changes);
        for change in changes.into_iter().flatten() {
            self.change(change);
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Accepted(listener, stream) => {
                let place = self.queue.len();
                let id = self.add_stream(stream);
                // Before what its bytes gave rise to.
                self.queue.insert(place, Event::Accepted { listener, stream: id });
            }
            Change::NotAccepted(listener, error) => {
                self.queue.push_back(Event::NotAccepted(listener, error));
            }
            Change::Connected(id) => self.queue.push_back(Event::Connected(id)),
            Change::Finished(id) => self.queue.push_back(Event::Finished(id)),
            Change::Readable(id) => {
                let Some(held) = self.streams.get_mut(id.into()) else { return };
                let nothing = matches!(on!(self, held, received()), Received::Nothing);
                if !held.readable && !nothing {
                    held.readable = true;
                    self.queue.push_back(Event::Readable(id));
                }
            }
            Change::Drained(id) => {
                let Some(held) = self.streams.get_mut(id.into()) else { return };
                if std::mem::take(&mut held.wants_room) {
                    self.queue.push_back(Event::Writable(id));
                }
            }
            Change::Failed(id, error) => {
                let Some(held) = self.streams.get_mut(id.into()) else { return };
                if held.failed.is_none() {
                    held.failed = Some(error.clone());
                    self.queue.push_back(Event::Failed(id, error));
                }
            }
        }
    }

    /// Only what concerns something that is still there.
    fn hand_out(&mut self, event: Event) -> Option<Event> {
        let there = match &event {
            Event::Accepted { listener, stream } => {
                let listens = self.listeners.get((*listener).into()).is_some();
                if !listens {
                    // Nobody ever heard of it.
                    self.close(*stream);
                }
                listens
            }
            Event::NotAccepted(id, _) => self.listeners.get((*id).into()).is_some(),
            Event::Readable(id) => {
                self.streams.get_mut((*id).into()).map(|held| held.readable = false).is_some()
            }
            Event::Connected(id)
            | Event::Writable(id)
            | Event::Finished(id)
            | Event::Failed(id, _) => self.streams.get((*id).into()).is_some(),
            Event::Timer(id) => self.timers.remove(*id),
            Event::Woken(id) => self.wakers.hand_out(*id),
        };
        there.then_some(event)
    }

    fn add_stream(&mut self, stream: Stream) -> StreamId {
        let key = self.streams.insert(Held::new(stream));
        let held = self.streams.get_mut(key).expect("just added");
        on!(self, held, own(key.into()));
        self.absorb();
        key.into()
    }

    fn sockets(&mut self, address: &Address) -> Result<&mut Sockets, Error> {
        self.sockets.as_mut().ok_or_else(|| Error::NoSockets(address.clone()))
    }

    /// Listens. An address that other machines can reach is refused: see
    /// [`Loop::listen_exposed`].
    pub fn listen(&mut self, address: &Address) -> Result<ListenerId, Error> {
        if !address.is_loopback() {
            return Err(Error::NotLoopback(address.clone()));
        }
        self.listen_exposed(address)
    }

    /// Listens on any address. Bytes are not encrypted on their way.
    pub fn listen_exposed(&mut self, address: &Address) -> Result<ListenerId, Error> {
        let listener = match address {
            Address::Local(name) => {
                self.local.free(name)?;
                Listener::Local(name.clone())
            }
            _ => Listener::Socket(self.sockets(address)?.listen(address)?),
        };
        let id = self.listeners.insert(listener);
        match self.listeners.get_mut(id).expect("just added") {
            Listener::Local(name) => self.local.listen(name, id.into()),
            Listener::Socket(listener) => listener.own(id.into()),
        }
        Ok(id.into())
    }

    /// Where it listens: the port that was free, if 0 was asked for.
    pub fn listener_address(&self, id: ListenerId) -> Result<Address, Error> {
        match self.listeners.get(id.into()).ok_or(Error::Closed)? {
            Listener::Local(name) => Ok(Address::Local(name.clone())),
            Listener::Socket(listener) => Ok(listener.address()),
        }
    }

    /// Streams whose [`Event::Accepted`] was handed out live on.
    pub fn close_listener(&mut self, id: ListenerId) {
        match self.listeners.remove(id.into()) {
            Some(Listener::Local(name)) => self.local.close_listener(&name),
            // A socket's listener closes when it is dropped.
            Some(Listener::Socket(_)) | None => {}
        }
    }

    /// Starts to connect; see rule 8.
    pub fn connect(&mut self, address: &Address) -> Result<StreamId, Error> {
        match address {
            Address::Local(name) => {
                let end = self.local.connect(name)?;
                let id = self.add_stream(Stream::Local(end));
                self.change(Change::Connected(id));
                Ok(id)
            }
            _ => {
                let socket = self.sockets(address)?.connect(address)?;
                Ok(self.add_stream(Stream::Socket(socket)))
            }
        }
    }

    /// Two streams that are each other's peer.
    pub fn pair(&mut self) -> (StreamId, StreamId) {
        let (a, b) = self.local.pair();
        (self.add_stream(Stream::Local(a)), self.add_stream(Stream::Local(b)))
    }

    /// A standard descriptor as a stream: read from the input, write to the others.
    /// [`Error::NoStream`] for a file, which never makes anyone wait.
    pub fn stdio(&mut self, which: Stdio) -> Result<StreamId, Error> {
        let socket = self.sockets.as_mut().ok_or(Error::NoStream)?.stdio(which)?;
        Ok(self.add_stream(Stream::Socket(socket)))
    }

    /// The other end's address, if it has one.
    pub fn peer(&self, id: StreamId) -> Result<Option<Address>, Error> {
        match &self.streams.get(id.into()).ok_or(Error::Closed)?.stream {
            Stream::Local(_) => Ok(None),
            Stream::Socket(socket) => Ok(socket.peer()),
        }
    }

    /// What has come and was not consumed. Once there is nothing more to come:
    /// the end, or why there is no end.
    pub fn received(&self, id: StreamId) -> Result<Received<'_>, Error> {
        let held = self.streams.get(id.into()).ok_or(Error::Closed)?;
        let received = match &held.stream {
            Stream::Local(end) => self.local.received(*end),
            Stream::Socket(socket) => socket.received(),
        };
        match (&held.failed, received) {
            (Some(error), Received::Nothing) => Err(error.clone()),
            (_, received) => Ok(received),
        }
    }

    /// The first `n` received bytes are done with.
    pub fn consume(&mut self, id: StreamId, n: usize) -> Result<(), Error> {
        let held = self.streams.get_mut(id.into()).ok_or(Error::Closed)?;
        on!(self, held, consume(n));
        // The end may have been announced together with bytes before it.
        let ends = n > 0 && matches!(on!(self, held, received()), Received::End);
        if ends {
            self.change(Change::Readable(id));
        }
        self.absorb();
        Ok(())
    }

    /// Bytes that a [`Loop::write`] would take now; see rule 5 for 0.
    pub fn room(&mut self, id: StreamId) -> Result<usize, Error> {
        let held = self.streams.get_mut(id.into()).ok_or(Error::Closed)?;
        let room = held.writing().map(|()| on!(self, held, room()))?;
        held.wants_room |= room == 0;
        Ok(room)
    }

    /// Takes what fits and says how much; see rule 5.
    pub fn write(&mut self, id: StreamId, bytes: &[u8]) -> Result<usize, Error> {
        let held = self.streams.get_mut(id.into()).ok_or(Error::Closed)?;
        held.writing()?;
        let taken = on!(self, held, write(bytes))?;
        held.wants_room |= taken < bytes.len();
        self.absorb();
        Ok(taken)
    }

    /// Writes to `to` what `from` has received, as much as fits, and says how much
    /// that was. The end is not passed on.
    pub fn transfer(&mut self, from: StreamId, to: StreamId) -> Result<usize, Error> {
        // A copy on the stack: both ends may be of the same backend.
        let mut chunk = [0; 16 << 10];
        let mut moved = 0;
        while let Received::Bytes(bytes) = self.received(from)? {
            let n = bytes.len().min(chunk.len());
            chunk[..n].copy_from_slice(&bytes[..n]);
            let taken = self.write(to, &chunk[..n])?;
            self.consume(from, taken)?;
            moved += taken;
            if taken < n {
                break;
            }
        }
        Ok(moved)
    }

    /// Nothing more is written: the peer sees the end after what was taken so far.
    /// [`Event::Finished`] says that all of it is on its way. A second time it does
    /// nothing.
    pub fn finish(&mut self, id: StreamId) -> Result<(), Error> {
        let held = self.streams.get_mut(id.into()).ok_or(Error::Closed)?;
        if held.finished {
            return Ok(());
        }
        held.writing()?;
        held.finished = true;
        held.wants_room = false;
        on!(self, held, finish());
        self.absorb();
        Ok(())
    }

    /// See rule 2.
    pub fn close(&mut self, id: StreamId) {
        match self.streams.remove(id.into()).map(|held| held.stream) {
            Some(Stream::Local(end)) => self.local.close(end),
            // A socket closes when it is dropped.
            Some(Stream::Socket(_)) | None => {}
        }
        self.absorb();
    }

    /// One [`Event::Timer`] after this time, never before. Timers of the same time
    /// come in the order they were made.
    pub fn timer(&mut self, after: Duration) -> TimerId {
        let now = Instant::now();
        // Some hundred years stand for what no clock can say.
        let at = now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(1 << 33));
        self.timers.add(at)
    }

    /// No event will name it.
    pub fn cancel(&mut self, id: TimerId) {
        self.timers.remove(id);
    }

    /// A new waker; its id is [`Waker::id`].
    pub fn waker(&mut self) -> Waker {
        self.wakers.add()
    }

    /// No event will name it; waking it does nothing.
    pub fn close_waker(&mut self, id: WakerId) {
        self.wakers.remove(id);
    }
}

impl Held {
    fn new(stream: Stream) -> Held {
        Held { stream, readable: false, wants_room: false, finished: false, failed: None }
    }

    /// Whether one may write.
    fn writing(&self) -> Result<(), Error> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None if self.finished => Err(Error::AfterFinish),
            None => Ok(()),
        }
    }
}
