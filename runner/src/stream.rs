//! Streams: bytes between host and guest, each a pair of bounded queues.
//!
//! The guest's side ([`Streams`], called by host operations) never blocks. The
//! host's side ([`Stream`]) is told of changes ([`Stream::watch`]) or, where there are
//! threads, waits for them (`wait.rs`).
//! A change that the guest may wait for is put on the event queue once and
//! announced by an interrupt.
//!
//! Input is read from a host file only once the guest has asked for some, so a
//! command that does not read its stdin takes nothing from it. From then on it is
//! read ahead.
//!
//! Output is bounded by a queue that blocks the guest when it is full, or it is
//! collected: then it grows with what the guest writes, up to a [`Budget`].
//!
//! Lock order: a stream's state, then the event queue. Watchers and hooks are
//! called without a lock.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::Arc;

use hostabi::consts::{
    IRQ_STREAM, STREAM_BROKEN, STREAM_READABLE, STREAM_RESIZED, STREAM_WRITABLE,
};

use crate::engine::{Errno, Irqs};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// Bytes a queue holds.
pub const CAPACITY: usize = 256 << 10;

/// More input is read when at most this much is left: whole halves, not crumbs.
pub(crate) const READ_BELOW: usize = CAPACITY / 2;

const EAGAIN: Errno = -11;
const EPIPE: Errno = -32;

/// What a command may write in all; shared by its streams.
pub struct Budget {
    left: AtomicU64,
    over: AtomicBool,
    spent: Box<dyn Fn() + Send + Sync>,
}

impl Budget {
    /// `spent` is called once, on the CPU thread, when more is written.
    pub fn new(bytes: u64, spent: impl Fn() + Send + Sync + 'static) -> Arc<Budget> {
        let (left, over) = (AtomicU64::new(bytes), AtomicBool::new(false));
        Arc::new(Budget { left, over, spent: Box::new(spent) })
    }

    pub fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    /// How many of `wanted` bytes may be written. Only the CPU thread takes.
    fn take(&self, wanted: usize) -> usize {
        let left = self.left.load(SeqCst);
        let taken = left.min(wanted as u64);
        self.left.store(left - taken, SeqCst);
        if taken < wanted as u64 && !self.over.swap(true, SeqCst) {
            (self.spent)();
        }
        taken as usize
    }
}

/// Called when something changes that the host may care for.
pub type Watcher = Arc<dyn Fn() + Send + Sync>;

pub(crate) struct State {
    pub input: VecDeque<u8>,
    pub output: VecDeque<u8>,
    /// Bytes that `output` may hold before the guest has to wait.
    capacity: usize,
    budget: Option<Arc<Budget>>,
    /// The guest has once found the input empty.
    pub wanted: bool,
    /// The guest has found the output full.
    blocked: bool,
    pub input_ended: bool,
    output_broken: bool,
    /// The guest writes no more.
    guest_ended: bool,
    pub guest_closed: bool,
    /// The host waits for nothing but what is queued.
    finishing: bool,
    winsize: (u16, u16),
    resized: bool,
    watcher: Option<Watcher>,
    on_close: Option<Box<dyn FnOnce() + Send>>,
}

impl Default for State {
    fn default() -> State {
        State {
            input: VecDeque::new(),
            output: VecDeque::new(),
            capacity: CAPACITY,
            budget: None,
            wanted: false,
            blocked: false,
            input_ended: false,
            output_broken: false,
            guest_ended: false,
            guest_closed: false,
            finishing: false,
            winsize: (0, 0),
            resized: false,
            watcher: None,
            on_close: None,
        }
    }
}

impl State {
    /// Nothing will be added to the output.
    pub fn output_ended(&self) -> bool {
        self.guest_closed || self.guest_ended || self.output_broken || self.finishing
    }
}

/// Output taken without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Bytes(usize),
    /// Nothing now: a watcher is told.
    Later,
    /// The guest has ended its output, and everything was taken.
    End,
}

/// One stream, as the host sees it.
pub struct Stream {
    id: u32,
    pub(crate) state: Mutex<State>,
    pub(crate) changed: Condvar,
    shared: Arc<Shared>,
}

struct Shared {
    events: Mutex<VecDeque<u32>>,
    irqs: Arc<Irqs>,
}

impl Shared {
    fn announce(&self, id: u32) {
        let mut events = self.events.lock();
        if !events.contains(&id) {
            events.push_back(id);
        }
        drop(events);
        self.irqs.raise(IRQ_STREAM);
    }
}

/// Every stream of a machine.
pub struct Streams {
    table: Mutex<Table>,
    shared: Arc<Shared>,
}

struct Table {
    next: u32,
    by_id: HashMap<u32, Arc<Stream>>,
}

impl Streams {
    pub fn new(irqs: Arc<Irqs>) -> Streams {
        Streams {
            table: Mutex::new(Table { next: 1, by_id: HashMap::new() }),
            shared: Arc::new(Shared { events: Mutex::default(), irqs }),
        }
    }

    /// A new stream; it leaves the table when the guest closes it, or with its
    /// job.
    pub fn open(&self) -> Arc<Stream> {
        let mut table = self.table.lock();
        let id = table.next;
        table.next += 1;
        let stream = Arc::new(Stream {
            id,
            state: Mutex::default(),
            changed: Condvar::new(),
            shared: self.shared.clone(),
        });
        table.by_id.insert(id, stream.clone());
        stream
    }

    fn get(&self, id: u32) -> Option<Arc<Stream>> {
        self.table.lock().by_id.get(&id).cloned()
    }

    pub fn guest_read(&self, id: u32, buf: &mut [u8]) -> Result<usize, Errno> {
        self.get(id).map_or(Ok(0), |s| s.guest_read(buf))
    }

    pub fn guest_write(&self, id: u32, buf: &[u8]) -> Result<usize, Errno> {
        self.get(id).map_or(Err(EPIPE), |s| s.guest_write(buf))
    }

    pub fn guest_poll(&self, id: u32) -> u32 {
        self.get(id).map_or(STREAM_READABLE | STREAM_WRITABLE | STREAM_BROKEN, |s| s.guest_poll())
    }

    pub fn winsize(&self, id: u32) -> (u16, u16) {
        self.get(id).map_or((0, 0), |s| s.state.lock().winsize)
    }

    pub fn guest_end(&self, id: u32) {
        if let Some(stream) = self.get(id) {
            let mut state = stream.state.lock();
            state.guest_ended = true;
            stream.notify(state);
        }
    }

    pub fn guest_close(&self, id: u32) {
        let stream = self.table.lock().by_id.remove(&id);
        if let Some(stream) = stream {
            stream.close(|state| state.guest_closed = true);
        }
    }

    pub fn next_event(&self) -> Option<u32> {
        self.shared.events.lock().pop_front()
    }

    /// The stream's job is over: output ends with what is queued, and whoever of
    /// the guest still holds the stream finds it closed.
    pub fn finish(&self, stream: &Stream) {
        self.table.lock().by_id.remove(&stream.id);
        stream.close(|state| {
            state.finishing = true;
            state.input_ended = true;
        });
        self.shared.announce(stream.id);
    }

    /// The machine is gone: every waiting host side finds the end.
    pub fn close_all(&self) {
        let ids: Vec<u32> = self.table.lock().by_id.keys().copied().collect();
        ids.into_iter().for_each(|id| self.guest_close(id));
    }
}

impl Stream {
    /// What the guest knows the stream by.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Tells everybody on the host's side of a change.
    fn notify(&self, state: MutexGuard<State>) {
        let watcher = state.watcher.clone();
        drop(state);
        self.changed.notify_all();
        if let Some(watcher) = watcher {
            watcher();
        }
    }

    fn close(&self, mark: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        mark(&mut state);
        let hook = state.on_close.take();
        self.notify(state);
        if let Some(hook) = hook {
            hook();
        }
    }

    fn guest_read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut state = self.state.lock();
        let before = state.input.len();
        let n = take(&mut state.input, buf);
        if n > 0 || buf.is_empty() {
            if before > READ_BELOW && state.input.len() <= READ_BELOW {
                self.notify(state);
            }
            return Ok(n);
        }
        if state.input_ended {
            return Ok(0);
        }
        if !std::mem::replace(&mut state.wanted, true) {
            self.notify(state);
        }
        Err(EAGAIN)
    }

    fn guest_write(&self, buf: &[u8]) -> Result<usize, Errno> {
        let mut state = self.state.lock();
        if state.output_ended() {
            return Err(EPIPE);
        }
        let mut n = buf.len().min(state.capacity - state.output.len());
        if n == 0 && !buf.is_empty() {
            state.blocked = true;
            return Err(EAGAIN);
        }
        if let Some(budget) = &state.budget {
            n = budget.take(n);
            if n == 0 && !buf.is_empty() {
                return Err(EPIPE);
            }
        }
        let was_empty = state.output.is_empty();
        state.output.extend(&buf[..n]);
        if was_empty {
            self.notify(state);
        }
        Ok(n)
    }

    fn guest_poll(&self) -> u32 {
        let mut state = self.state.lock();
        let mut bits = 0;
        if !state.input.is_empty() || state.input_ended {
            bits |= STREAM_READABLE;
        }
        if state.output.len() < state.capacity {
            bits |= STREAM_WRITABLE;
        } else {
            state.blocked = true;
        }
        if state.output_broken || state.finishing {
            bits |= STREAM_BROKEN | STREAM_WRITABLE;
        }
        if std::mem::take(&mut state.resized) {
            bits |= STREAM_RESIZED;
        }
        if bits & STREAM_READABLE == 0 && !std::mem::replace(&mut state.wanted, true) {
            self.notify(state);
        }
        bits
    }

    /// Calls `watcher` after every change from now on, on whatever thread made
    /// it; it must not call back into the stream.
    pub fn watch(&self, watcher: Watcher) {
        self.state.lock().watcher = Some(watcher);
    }

    /// Calls `hook` once when the guest has closed the stream or its job is over:
    /// at once if it is.
    pub fn on_close(&self, hook: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock();
        if state.guest_closed || state.finishing {
            drop(state);
            return hook();
        }
        state.on_close = Some(Box::new(hook));
    }

    /// Output is collected instead of making the guest wait.
    pub fn collect(&self) {
        let mut state = self.state.lock();
        state.capacity = usize::MAX;
        let unblock = std::mem::take(&mut state.blocked);
        drop(state);
        if unblock {
            self.shared.announce(self.id);
        }
    }

    /// Limits what the guest may write in all.
    pub fn limit(&self, budget: Arc<Budget>) {
        self.state.lock().budget = Some(budget);
    }

    /// Everything that is queued.
    pub fn take_all(&self) -> Vec<u8> {
        std::mem::take(&mut self.state.lock().output).into()
    }

    /// All the input there will ever be, before the guest reads.
    pub fn preset_input(&self, bytes: Vec<u8>) {
        let mut state = self.state.lock();
        state.input = bytes.into();
        state.input_ended = true;
    }

    /// Input that is there before the guest reads, and does not end.
    pub fn preset_terminal(&self, bytes: Vec<u8>) {
        self.state.lock().input = bytes.into();
    }

    /// Input for the guest; as much as fits is taken. After it took less, a watcher
    /// is told when half of the queue was read.
    pub fn feed(&self, bytes: &[u8]) -> usize {
        let mut state = self.state.lock();
        let n = bytes.len().min(CAPACITY.saturating_sub(state.input.len()));
        state.input.extend(&bytes[..n]);
        drop(state);
        self.shared.announce(self.id);
        n
    }

    /// Bytes of input there is room for; `None` when nobody will read them.
    pub fn room(&self) -> Option<usize> {
        let state = self.state.lock();
        let open = !(state.guest_closed || state.input_ended);
        open.then(|| CAPACITY.saturating_sub(state.input.len()))
    }

    /// No more input will come.
    pub fn end_input(&self) {
        let mut state = self.state.lock();
        state.input_ended = true;
        self.notify(state);
        self.shared.announce(self.id);
    }

    /// Takes output that is there.
    pub fn try_output(&self, buf: &mut [u8]) -> Taken {
        let state = self.state.lock();
        match state.output.is_empty() {
            true if state.output_ended() => Taken::End,
            true => Taken::Later,
            false => Taken::Bytes(self.take_output(state, buf)),
        }
    }

    pub(crate) fn take_output(&self, mut state: MutexGuard<State>, buf: &mut [u8]) -> usize {
        let n = take(&mut state.output, buf);
        let unblock = std::mem::take(&mut state.blocked);
        drop(state);
        if unblock {
            self.shared.announce(self.id);
        }
        n
    }

    /// The guest has closed it, or its job is over.
    pub fn is_closed(&self) -> bool {
        let state = self.state.lock();
        state.guest_closed || state.finishing
    }

    /// Nobody takes output any more: the guest's writes fail.
    pub fn break_output(&self) {
        let mut state = self.state.lock();
        state.output_broken = true;
        state.output.clear();
        self.notify(state);
        self.shared.announce(self.id);
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        let mut state = self.state.lock();
        state.winsize = (rows, columns);
        state.resized = true;
        drop(state);
        self.shared.announce(self.id);
    }
}

fn take(from: &mut VecDeque<u8>, buf: &mut [u8]) -> usize {
    let n = buf.len().min(from.len());
    let (a, b) = from.as_slices();
    let first = n.min(a.len());
    buf[..first].copy_from_slice(&a[..first]);
    buf[first..n].copy_from_slice(&b[..n - first]);
    from.drain(..n);
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> (Streams, Arc<Stream>) {
        let streams = Streams::new(Irqs::new().unwrap());
        let stream = streams.open();
        (streams, stream)
    }

    #[test]
    fn input_is_read_on_demand_and_ends() {
        let (streams, s) = streams();
        let mut buf = [0; 4];
        assert!(!s.state.lock().wanted);
        assert_eq!(streams.guest_read(s.id(), &mut buf), Err(EAGAIN));
        assert_eq!(s.wait_wanted(), Some(CAPACITY));
        assert_eq!(s.feed(b"abcdef"), 6);
        assert_eq!(streams.next_event(), Some(s.id()));
        assert_eq!(streams.guest_read(s.id(), &mut buf), Ok(4));
        s.end_input();
        assert_eq!(streams.guest_read(s.id(), &mut buf), Ok(2));
        assert_eq!(streams.guest_read(s.id(), &mut buf), Ok(0));
        assert_eq!(s.wait_wanted(), None);
    }

    #[test]
    fn a_full_output_blocks_and_wakes() {
        let (streams, s) = streams();
        let big = vec![1; CAPACITY + 1];
        assert_eq!(streams.guest_write(s.id(), &big), Ok(CAPACITY));
        assert_eq!(streams.guest_write(s.id(), &big), Err(EAGAIN));
        assert_eq!(streams.next_event(), None);
        assert_eq!(s.wait_output(&mut [0; 10]), 10);
        assert_eq!(streams.next_event(), Some(s.id()));
        assert_eq!(streams.guest_write(s.id(), &big), Ok(10));
    }

    #[test]
    fn a_broken_output_is_epipe_and_a_closed_one_ends() {
        let (streams, s) = streams();
        streams.guest_write(s.id(), b"x").unwrap();
        s.break_output();
        assert_eq!(streams.guest_write(s.id(), b"x"), Err(EPIPE));
        assert_eq!(s.wait_output(&mut [0; 4]), 0);
        streams.guest_close(s.id());
        assert_eq!(streams.guest_read(s.id(), &mut [0; 4]), Ok(0));
    }

    #[test]
    fn finishing_takes_what_is_queued() {
        let (streams, s) = streams();
        streams.guest_write(s.id(), b"last words").unwrap();
        streams.finish(&s);
        assert_eq!(s.wait_output(&mut [0; 64]), 10);
        assert_eq!(s.wait_output(&mut [0; 64]), 0);
        assert_eq!(streams.guest_write(s.id(), b"x"), Err(EPIPE), "nobody will read it");
        assert_eq!(streams.next_event(), Some(s.id()), "a blocked writer learns of it");
    }

    #[test]
    fn an_event_is_queued_once() {
        let (streams, s) = streams();
        s.resize(24, 80);
        s.resize(25, 81);
        assert_eq!(streams.next_event(), Some(s.id()));
        assert_eq!(streams.next_event(), None);
        assert_eq!(streams.winsize(s.id()), (25, 81));
        assert_ne!(streams.guest_poll(s.id()) & STREAM_RESIZED, 0);
        assert_eq!(streams.guest_poll(s.id()) & STREAM_RESIZED, 0);
    }

    #[test]
    fn a_half_close_ends_the_output_only() {
        let (streams, s) = streams();
        streams.guest_write(s.id(), b"bye").unwrap();
        streams.guest_end(s.id());
        assert_eq!(s.try_output(&mut [0; 8]), Taken::Bytes(3));
        assert_eq!(s.try_output(&mut [0; 8]), Taken::End);
        assert_eq!(s.feed(b"still read"), 10);
        assert_eq!(streams.guest_read(s.id(), &mut [0; 32]), Ok(10));
    }

    #[test]
    fn collected_output_has_a_budget() {
        let (streams, s) = streams();
        let spent = Arc::new(AtomicU64::new(0));
        let count = spent.clone();
        s.collect();
        s.limit(Budget::new(10, move || {
            count.fetch_add(1, SeqCst);
        }));
        assert_eq!(streams.guest_write(s.id(), &[0; 8]), Ok(8));
        assert_eq!(spent.load(SeqCst), 0);
        assert_eq!(streams.guest_write(s.id(), &[0; 8]), Ok(2));
        assert_eq!(streams.guest_write(s.id(), &[0; 8]), Err(EPIPE));
        assert_eq!(spent.load(SeqCst), 1, "told once");
        assert_eq!(s.take_all().len(), 10);
    }

    #[test]
    fn watchers_and_hooks_are_told() {
        let (streams, s) = streams();
        let told = Arc::new(AtomicU64::new(0));
        let (watcher, closed) = (told.clone(), told.clone());
        s.watch(Arc::new(move || {
            watcher.fetch_add(1, SeqCst);
        }));
        s.on_close(move || {
            closed.fetch_add(100, SeqCst);
        });
        streams.guest_write(s.id(), b"x").unwrap();
        assert_eq!(told.load(SeqCst), 1);
        streams.guest_close(s.id());
        assert_eq!(told.load(SeqCst), 102);
    }
}
