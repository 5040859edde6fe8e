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

// What only some use of the types that all share.
#![cfg_attr(not(native), allow(dead_code))]

// `native` is everywhere but in a page, which has neither threads nor files nor
// memory that can be mapped, and whose engine is not ours. What is only for the others
// is left out here; where something stands in its place, it has the same shape.
#[cfg(native)]
mod add;
#[cfg(native)]
mod builder;
#[cfg(native)]
mod builtin;
#[cfg(native)]
mod child;
#[cfg(native)]
mod command;
mod devices;
#[cfg(native)]
mod disk;
#[cfg(native)]
pub mod engine;
#[cfg(not(native))]
#[path = "engine_web.rs"]
pub mod engine;
mod guest;
mod host;
mod inetd;
mod job;
#[cfg(native)]
mod machine;
#[cfg(native)]
pub mod program;
#[cfg(native)]
mod pump;
mod status;
#[cfg(native)]
mod stdio;
mod stream;
#[cfg(native)]
mod sync;
#[cfg(not(native))]
#[path = "sync_web.rs"]
mod sync;
mod task;
#[cfg(native)]
pub mod terminal;
#[cfg(native)]
pub mod trace;
#[cfg(not(native))]
#[path = "trace_web.rs"]
pub mod trace;
#[cfg(native)]
mod wait;

#[cfg(native)]
pub use add::{AddError, Addition};
#[cfg(native)]
pub use builder::{Builder, DEFAULT_MEMORY, DEFAULT_USER_MEMORY};
#[cfg(native)]
pub use child::{Child, ChildStderr, ChildStdin, ChildStdout, Output, Terminal};
#[cfg(native)]
pub use command::{Command, Size};
#[cfg(native)]
pub use disk::{DiskError, DISK_SIZE};
#[cfg(native)]
pub use engine::BootError;
pub use engine::Outcome;
pub use guest::{command_line, initrd, File, GuestError, Node};
pub use host::{LogSink, Parts, StartError};
pub use inetd::{socket_address, Inetd, Service, ServiceError, GRACE, MAX_SESSIONS, TELNET_PORT};
#[cfg(native)]
pub use inetd::{ServeError, Server};
pub use job::{Limits, SpecError, NOBODY};
#[cfg(native)]
pub use machine::{Error, Machine, MEMORY_RANGE, USER_MEMORY_RANGE};
pub use miniio::Address;
pub use status::{ExitStatus, Limit};
#[cfg(native)]
pub use stdio::Stdio;
pub use stream::Taken;
pub use task::{Out, Task, TaskSpec, TaskState};

/// The examples of the README compile and run, too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
