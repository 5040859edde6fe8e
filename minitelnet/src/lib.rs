//! Telnet, from the bytes to the person.
//!
//! ```text
//!  Client ── one connection: pumps bytes between the three, either way
//!    ├─ miniio stream    TCP or in-process, whoever speaks telnet behind it
//!    ├─ Session          the protocol (libtelnet): no I/O
//!    └─ Terminal         host: the terminal we were started on
//!         │              ring: bytes in memory, for a page and for tests
//!         └─ escape      ^] and the prompt behind it
//! ```
//!
//! The server of the consoles is BusyBox telnetd in the guest; there is none here.
#![deny(unsafe_code)]

mod client;
mod environ;
mod escape;
#[allow(unsafe_code)]
mod protocol;
mod session;
pub mod terminal;
#[cfg(all(feature = "host", unix))]
#[allow(unsafe_code)]
pub mod tty;

pub use client::{Client, End};
pub use session::{Command, Event, Identity, Session, Size};
