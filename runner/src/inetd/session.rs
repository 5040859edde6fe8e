//! One connection and the service that was started for it.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use miniio::{Loop, Received, StreamId, TimerId, Waker};

use crate::host::Job;
use crate::stream::{Stream, Taken};
use crate::sync::Mutex;

/// Sessions whose stream has changed, told by the CPU thread.
pub(super) struct Changed {
    ids: Mutex<HashSet<StreamId>>,
    waker: Waker,
}

impl Changed {
    pub fn new(waker: Waker) -> Arc<Changed> {
        Arc::new(Changed { ids: Mutex::default(), waker })
    }

    pub fn mark(&self, id: StreamId) {
        if self.ids.lock().insert(id) {
            self.waker.wake();
        }
    }

    pub fn take(&self) -> HashSet<StreamId> {
        std::mem::take(&mut self.ids.lock())
    }

    pub fn waker(&self) -> &Waker {
        &self.waker
    }
}

/// What is to become of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Goes,
    /// The service has said all; the client gets the rest.
    Ending,
    /// The client has gone.
    Lost,
}

pub(super) struct Session {
    pub stream: Arc<Stream>,
    pub job: Job,
    /// What the log calls it.
    pub name: String,
    /// Ends a client that does not take the last bytes, or a service that does not
    /// see its client's end.
    pub linger: Option<TimerId>,
    /// See [`Service::half_close`](super::Service::half_close).
    pub half_close: bool,
    /// The client has all that the service will ever say.
    pub delivered: bool,
    input_ended: bool,
    output_finished: bool,
}

const SIGHUP: i32 = 1;

/// Bytes moved at once from the guest to a client, so that all get their turn.
const CHUNK: usize = 16 << 10;

impl Session {
    pub fn new(stream: Arc<Stream>, job: Job, name: String, half_close: bool) -> Session {
        let (input_ended, output_finished) = (false, false);
        let (linger, delivered) = (None, false);
        Session { stream, job, name, linger, half_close, delivered, input_ended, output_finished }
    }

    /// Moves what can be moved both ways. What does not fit stays where it is,
    /// where its sender feels it.
    pub fn turn(&mut self, io: &mut Loop, id: StreamId) -> Next {
        self.take_input(io, id).and_then(|()| self.give_output(io, id)).unwrap_or(Next::Lost)
    }

    fn take_input(&mut self, io: &mut Loop, id: StreamId) -> Result<(), miniio::Error> {
        while !self.input_ended {
            match io.received(id)? {
                Received::Bytes(bytes) => {
                    let all = bytes.len();
                    let taken = self.stream.feed(bytes);
                    io.consume(id, taken)?;
                    if taken < all {
                        break;
                    }
                }
                Received::Nothing => break,
                Received::End => {
                    self.input_ended = true;
                    self.stream.end_input();
                }
            }
        }
        Ok(())
    }

    fn give_output(&mut self, io: &mut Loop, id: StreamId) -> Result<Next, miniio::Error> {
        let mut buf = [0; CHUNK];
        while !self.output_finished {
            let room = io.room(id)?.min(CHUNK);
            if room == 0 {
                return Ok(Next::Goes);
            }
            match self.stream.try_output(&mut buf[..room]) {
                Taken::Bytes(n) => {
                    // There was room for them.
                    io.write(id, &buf[..n])?;
                }
                Taken::Later => return Ok(Next::Goes),
                Taken::End => {
                    self.output_finished = true;
                    io.finish(id)?;
                }
            }
        }
        // A service that only stopped writing may still read.
        Ok(if self.stream.is_closed() { Next::Ending } else { Next::Goes })
    }

    /// The client's end is to be the session's.
    pub fn is_abandoned(&self) -> bool {
        self.input_ended && !self.half_close
    }

    /// Why the service could not be started.
    pub fn not_started(&self) -> Option<io::Error> {
        self.job.not_started()
    }

    /// The client has gone: the service's reads end and its writes fail.
    pub fn hang_up(&self) {
        self.stream.end_input();
        self.stream.break_output();
        self.job.signal(SIGHUP);
    }
}
