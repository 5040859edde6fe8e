//! Runs a real Linux kernel and its programs inside the calling process.
//!
//! ```
//! use wasmlinux::Machine;
//!
//! let machine = Machine::builder().boot()?;
//! let output = machine.command("sh").args(["-c", "echo $((6 * 7)); uname -r"]).output()?;
//! assert!(output.status.success());
//! assert!(String::from_utf8_lossy(&output.stdout).starts_with("42\n6.12."));
//! # Ok::<(), wasmlinux::Error>(())
//! ```
//!
//! A [`Machine`] is a booted kernel, described by a [`Builder`]; a [`Command`] runs
//! in it, in the manner of [`std::process::Command`]. Machines are independent of
//! each other: any number may run at once, each on a thread of its own, and
//! dropping one gives everything back.
//!
//! ```text
//!  Builder ─► Machine ─► Command ─► Child ─► ExitStatus, Output
//!     │          │          └ Stdio, Limits    └ ChildStdin, ChildStdout, Terminal
//!     guest      engine: kernel and programs on the CPU thread
//! ```
//!
//! The engine takes SIGSEGV and SIGBUS of the process, and hands those that are
//! not a guest's to the handlers that were there before.

mod add;
mod builder;
mod child;
mod command;
mod disk;
pub mod engine;
mod guest;
mod inetd;
mod job;
mod machine;
pub mod program;
mod pump;
mod status;
mod stdio;
mod stream;
pub mod terminal;
pub mod trace;

pub use add::{AddError, Addition};
pub use builder::{Builder, DEFAULT_MEMORY, DEFAULT_USER_MEMORY};
pub use child::{Child, ChildStderr, ChildStdin, ChildStdout, Output, Terminal};
pub use command::{Command, Size};
pub use disk::{DiskError, DISK_SIZE};
pub use engine::{BootError, Outcome};
pub use guest::GuestError;
pub use inetd::{
    socket_address, Inetd, ServeError, Server, Service, ServiceError, GRACE, MAX_SESSIONS,
    TELNET_PORT,
};
pub use job::{Limits, SpecError, NOBODY};
pub use machine::{Error, Machine, Parts, MEMORY_RANGE, USER_MEMORY_RANGE};
pub use miniio::Address;
pub use status::{ExitStatus, Limit};
pub use stdio::Stdio;

/// The examples of the README compile and run, too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
