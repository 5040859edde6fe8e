//! What can go wrong, with what to do about it.

use crate::Address;

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "the address {0} is in use: stop the program that listens there, or take another port"
    )]
    InUse(Address),
    #[error("no permission for {0}: take a port from 1024 on, or a path in a directory that is there and yours")]
    Permission(Address),
    #[error("{0} can be reached from other machines: take a loopback address such as 127.0.0.1, or ask for it to be exposed")]
    NotLoopback(Address),
    #[error("{0} is not an address of this machine: take 127.0.0.1 or one that it has")]
    NoSuchAddress(Address),
    #[error("nothing listens at {0}: start the server first, or look at the port")]
    Refused(Address),
    #[error("{0} does not answer: look at the address and the network between")]
    Unreachable(Address),
    #[error("{0} is not for this loop: it has in-process addresses only")]
    NoSockets(Address),
    /// Standard descriptors that are no stream, such as a file.
    #[error("the descriptor is no terminal, pipe or socket: read or write it as a file")]
    NoStream,
    /// The peer has gone; what was under way to it is lost.
    #[error("the peer has closed the connection")]
    PeerClosed,
    #[error("the connection has broken off: {0}")]
    Broken(String),
    #[error("too many open files: close some, or raise the limit with `ulimit -n`")]
    TooManyFiles,
    /// The id was closed before.
    #[error("it was closed before")]
    Closed,
    /// Written after `finish`.
    #[error("writing after the end was announced")]
    AfterFinish,
    #[error("{what}: {why}")]
    Host { what: &'static str, why: String },
}
