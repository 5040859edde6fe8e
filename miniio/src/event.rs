//! Ids and what happens to what they name.

use crate::slab::Key;
use crate::Error;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) Key);

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0)
            }
        }

        impl From<Key> for $name {
            fn from(key: Key) -> Self {
                $name(key)
            }
        }

        impl From<$name> for Key {
            fn from(id: $name) -> Key {
                id.0
            }
        }
    )*};
}

ids! {
    /// A byte stream in both directions.
    StreamId
    /// Something that accepts streams.
    ListenerId
    /// A point in time to come.
    TimerId
    /// What a [`Waker`](crate::Waker) wakes.
    WakerId
}

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A client has come. Without interest in it, close the stream.
    Accepted { listener: ListenerId, stream: StreamId },
    /// [`Loop::connect`](crate::Loop::connect) has reached its peer.
    Connected(StreamId),
    /// There are new bytes, or the end, or an error: ask
    /// [`Loop::received`](crate::Loop::received).
    Readable(StreamId),
    /// There is room again, after there was too little.
    Writable(StreamId),
    /// After [`Loop::finish`](crate::Loop::finish): all bytes and the end are
    /// with the host, or with the peer in this process.
    Finished(StreamId),
    /// The stream does not work any more; close it.
    Failed(StreamId, Error),
    /// A client could not be accepted, for example for want of descriptors. The
    /// listener goes on.
    NotAccepted(ListenerId, Error),
    /// The time has come.
    Timer(TimerId),
    /// Someone called [`Waker::wake`](crate::Waker::wake).
    Woken(WakerId),
}

/// What a stream has received.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// Bytes, at least one; they stay until consumed.
    Bytes(&'a [u8]),
    /// Nothing at the moment.
    Nothing,
    /// The peer has finished, and everything before that was consumed.
    End,
}
