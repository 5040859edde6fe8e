//! What every backend says to the loop.

use crate::local::End;
use crate::sockets::Socket;
use crate::{Error, ListenerId, StreamId};

/// A stream as the loop keeps it.
pub(crate) enum Stream {
    Local(End),
    Socket(Socket),
}

/// Something a backend has seen. The loop drops what concerns closed ids, and
/// what the program knows already.
pub(crate) enum Change {
    Accepted(ListenerId, Stream),
    #[cfg_attr(not(feature = "uv"), allow(dead_code))] // in-process nothing runs out
    NotAccepted(ListenerId, Error),
    Connected(StreamId),
    Readable(StreamId),
    /// At least half of the buffer for writing is free now.
    Drained(StreamId),
    Finished(StreamId),
    Failed(StreamId, Error),
}
