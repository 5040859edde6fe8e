//! Streams: bytes between host and guest, each a pair of bounded queues.
//!
//! The guest's side ([`Streams`], called by host operations) never blocks. The
//! host's side ([`Stream`]) may wait. A change that the guest may wait for is put
//! on the event queue once and announced by an interrupt.
//!
//! Input is read from the host only once the guest has asked for some, so a
//! command that does not read its stdin takes nothing from it. From then on it is
//! read ahead.
//!
//! Lock order: a stream's state, then the event queue.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use hostabi::consts::{
    IRQ_STREAM, STREAM_BROKEN, STREAM_READABLE, STREAM_RESIZED, STREAM_WRITABLE,
};
use parking_lot::{Condvar, Mutex};

use crate::engine::irq::Irqs;
use crate::engine::Errno;

/// Bytes a queue holds.
pub const CAPACITY: usize = 256 << 10;

/// More input is read when at most this much is left: whole halves, not crumbs.
const READ_BELOW: usize = CAPACITY / 2;

const EAGAIN: Errno = -11;
const EPIPE: Errno = -32;

#[derive(Default)]
struct State {
    input: VecDeque<u8>,
    output: VecDeque<u8>,
    /// The guest has once found the input empty.
    wanted: bool,
    /// The guest has found the output full.
    blocked: bool,
    input_ended: bool,
    output_broken: bool,
    guest_closed: bool,
    /// The host waits for nothing but what is queued.
    finishing: bool,
    winsize: (u16, u16),
    resized: bool,
}

/// One stream, as the host sees it.
pub struct Stream {
    id: u32,
    state: Mutex<State>,
    changed: Condvar,
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

    /// A new stream; it leaves the table when the guest closes it.
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

    pub fn guest_close(&self, id: u32) {
        let stream = self.table.lock().by_id.remove(&id);
        if let Some(stream) = stream {
            stream.state.lock().guest_closed = true;
            stream.changed.notify_all();
        }
    }

    pub fn next_event(&self) -> Option<u32> {
        self.shared.events.lock().pop_front()
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

    fn guest_read(&self, buf: &mut [u8]) -> Result<usize, Errno> {
        let mut state = self.state.lock();
        let before = state.input.len();
        let n = take(&mut state.input, buf);
        if n > 0 || buf.is_empty() {
            if before > READ_BELOW && state.input.len() <= READ_BELOW {
                self.changed.notify_all();
            }
            return Ok(n);
        }
        if state.input_ended {
            return Ok(0);
        }
        state.wanted = true;
        drop(state);
        self.changed.notify_all();
        Err(EAGAIN)
    }

    fn guest_write(&self, buf: &[u8]) -> Result<usize, Errno> {
        let mut state = self.state.lock();
        if state.output_broken {
            return Err(EPIPE);
        }
        let n = buf.len().min(CAPACITY - state.output.len());
        if n == 0 && !buf.is_empty() {
            state.blocked = true;
            return Err(EAGAIN);
        }
        let was_empty = state.output.is_empty();
        state.output.extend(&buf[..n]);
        drop(state);
        if was_empty {
            self.changed.notify_all();
        }
        Ok(n)
    }

    fn guest_poll(&self) -> u32 {
        let mut state = self.state.lock();
        let mut bits = 0;
        if !state.input.is_empty() || state.input_ended {
            bits |= STREAM_READABLE;
        } else if !state.wanted {
            state.wanted = true;
            self.changed.notify_all();
        }
        if state.output.len() < CAPACITY {
            bits |= STREAM_WRITABLE;
        } else {
            state.blocked = true;
        }
        if state.output_broken {
            bits |= STREAM_BROKEN | STREAM_WRITABLE;
        }
        if std::mem::take(&mut state.resized) {
            bits |= STREAM_RESIZED;
        }
        bits
    }

    /// Waits until the guest wants input; the room there is, or `None` when it
    /// never will.
    pub fn wait_wanted(&self) -> Option<usize> {
        let mut state = self.state.lock();
        loop {
            if state.guest_closed || state.input_ended {
                return None;
            }
            if state.wanted && state.input.len() <= READ_BELOW {
                return Some(CAPACITY - state.input.len());
            }
            self.changed.wait(&mut state);
        }
    }

    /// Input for the guest; as much as fits is taken.
    pub fn feed(&self, bytes: &[u8]) -> usize {
        let mut state = self.state.lock();
        let n = bytes.len().min(CAPACITY - state.input.len());
        state.input.extend(&bytes[..n]);
        drop(state);
        self.shared.announce(self.id);
        n
    }

    /// No more input will come.
    pub fn end_input(&self) {
        self.state.lock().input_ended = true;
        self.changed.notify_all();
        self.shared.announce(self.id);
    }

    /// Waits for output; 0 when the guest has closed the stream and everything
    /// was taken.
    pub fn wait_output(&self, buf: &mut [u8]) -> usize {
        let mut state = self.state.lock();
        while state.output.is_empty() {
            if state.guest_closed || state.output_broken || state.finishing {
                return 0;
            }
            self.changed.wait(&mut state);
        }
        let n = take(&mut state.output, buf);
        let unblock = std::mem::take(&mut state.blocked);
        drop(state);
        if unblock {
            self.shared.announce(self.id);
        }
        n
    }

    /// Nobody takes output any more: the guest's writes fail.
    pub fn break_output(&self) {
        let mut state = self.state.lock();
        state.output_broken = true;
        state.output.clear();
        drop(state);
        self.changed.notify_all();
        self.shared.announce(self.id);
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        let mut state = self.state.lock();
        state.winsize = (rows, columns);
        state.resized = true;
        drop(state);
        self.shared.announce(self.id);
    }

    /// The job is over: output ends with what is queued, even if a process in
    /// the background keeps the stream open.
    pub fn finish_output(&self) {
        self.state.lock().finishing = true;
        self.changed.notify_all();
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
        s.finish_output();
        assert_eq!(s.wait_output(&mut [0; 64]), 10);
        assert_eq!(s.wait_output(&mut [0; 64]), 0);
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
}
