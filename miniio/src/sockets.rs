//! Streams beyond the process: the one place that chooses how.

#[cfg(feature = "uv")]
#[path = "uv/mod.rs"]
mod chosen;

#[cfg(not(feature = "uv"))]
#[path = "none.rs"]
mod chosen;

pub(crate) use chosen::{Listener, Socket, Sockets};
