//! Streams and listeners inside the process: plain data, no waiting, no threads.
//!
//! A write puts the bytes straight into the buffer the peer reads from.

use std::collections::HashMap;

use crate::backend::{Change, Stream};
use crate::buffer::Buffer;
use crate::slab::{Key, Slab};
use crate::{Address, Error, ListenerId, Received, StreamId, BUFFER};

/// One of the two ends of a stream.
#[derive(Clone, Copy)]
pub(crate) struct End {
    pair: Key,
    side: usize,
}

impl End {
    fn peer(self) -> End {
        End { side: 1 - self.side, ..self }
    }
}

struct Pair {
    /// What each side is called; `None` before it is accepted and after it is closed.
    ids: [Option<StreamId>; 2],
    open: [bool; 2],
    /// What each side has written and the other not yet read.
    sent: [Direction; 2],
}

#[derive(Default)]
struct Direction {
    bytes: Buffer,
    ended: bool,
}

pub(crate) struct Local {
    pairs: Slab<Pair>,
    names: HashMap<String, ListenerId>,
    /// What the loop has to make events of.
    pub changes: Vec<Change>,
}

impl Local {
    pub fn new() -> Local {
        Local { pairs: Slab::new(), names: HashMap::new(), changes: Vec::new() }
    }

    /// Whether one may listen there.
    pub fn free(&self, name: &str) -> Result<(), Error> {
        match self.names.contains_key(name) {
            true => Err(Error::InUse(Address::Local(name.to_owned()))),
            false => Ok(()),
        }
    }

    pub fn listen(&mut self, name: &str, id: ListenerId) {
        self.names.insert(name.to_owned(), id);
    }

    pub fn close_listener(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// Two ends that belong to nobody yet.
    pub fn pair(&mut self) -> (End, End) {
        let pair = self.pairs.insert(Pair {
            ids: [None; 2],
            open: [true; 2],
            sent: [Direction::default(), Direction::default()],
        });
        (End { pair, side: 0 }, End { pair, side: 1 })
    }

    /// From now on changes name this id; what has come already is one.
    pub fn own(&mut self, end: End, id: StreamId) {
        self.of(end).ids[end.side] = Some(id);
        self.changes.push(Change::Readable(id));
    }

    pub fn connect(&mut self, name: &str) -> Result<End, Error> {
        let refused = || Error::Refused(Address::Local(name.to_owned()));
        let listener = *self.names.get(name).ok_or_else(refused)?;
        let (end, server) = self.pair();
        self.changes.push(Change::Accepted(listener, Stream::Local(server)));
        Ok(end)
    }

    fn of(&mut self, end: End) -> &mut Pair {
        self.pairs.get_mut(end.pair).expect("a pair is there while one of its ends is")
    }

    pub fn received(&self, end: End) -> Received<'_> {
        let pair = self.pairs.get(end.pair).expect("as in `of`");
        let incoming = &pair.sent[1 - end.side];
        match incoming.bytes.unread() {
            [] if incoming.ended => Received::End,
            [] => Received::Nothing,
            bytes => Received::Bytes(bytes),
        }
    }

    pub fn consume(&mut self, end: End, n: usize) {
        let pair = self.of(end);
        let bytes = &mut pair.sent[1 - end.side].bytes;
        let was = bytes.len();
        bytes.consume(n);
        let (is, writer) = (bytes.len(), pair.ids[1 - end.side]);
        // Crossing the mark is the event, not being below it.
        if let (true, Some(writer)) = (was > BUFFER / 2 && is <= BUFFER / 2, writer) {
            self.changes.push(Change::Drained(writer));
        }
    }

    pub fn room(&mut self, end: End) -> usize {
        self.of(end).sent[end.side].bytes.room()
    }

    pub fn write(&mut self, end: End, bytes: &[u8]) -> Result<usize, Error> {
        let pair = self.of(end);
        if !pair.open[1 - end.side] {
            return Err(Error::PeerClosed);
        }
        let taken = pair.sent[end.side].bytes.fill(bytes);
        if taken > 0 {
            self.tell_peer(end);
        }
        Ok(taken)
    }

    pub fn finish(&mut self, end: End) {
        let pair = self.of(end);
        pair.sent[end.side].ended = true;
        if let Some(id) = pair.ids[end.side] {
            self.changes.push(Change::Finished(id));
        }
        self.tell_peer(end);
    }

    fn tell_peer(&mut self, end: End) {
        if let Some(peer) = self.of(end).ids[end.peer().side] {
            self.changes.push(Change::Readable(peer));
        }
    }

    pub fn close(&mut self, end: End) {
        let pair = self.of(end);
        pair.open[end.side] = false;
        pair.ids[end.side] = None;
        if !pair.open[end.peer().side] {
            self.pairs.remove(end.pair);
            return;
        }
        let lost = !pair.sent[end.peer().side].bytes.is_empty();
        pair.sent[end.peer().side].bytes.take();
        pair.sent[end.side].ended = true;
        let peer = pair.ids[end.peer().side];
        self.tell_peer(end);
        if let (true, Some(peer)) = (lost, peer) {
            self.changes.push(Change::Failed(peer, Error::PeerClosed));
        }
    }
}
