//! A machine in a page, without its CPU: what the native command does on its main
//! thread, for a worker that has only one.
//!
//! ```text
//!  xterm.js ◄─► Console: minitelnet ◄─► miniio local ◄─► Inetd ◄─► Stream ─┐
//!  run(), files ◄─────────────────────► Task ◄──────────────────► Streams ─┼─ Devices
//!                                                                           │
//!            exports.rs: C functions            web/src/engine: kernel, programs
//! ```
//!
//! Nothing here waits or calls out. Whoever has called anything looks afterwards
//! whether interrupts were [raised](Host::interrupts) for the kernel, whether a
//! [turn](Host::turn) is [wanted](Host::wants_turn), and what there is to
//! [tell](Host::next_event). The engine's calls go to [`Host::devices`]; a turn is
//! never taken inside of one.

mod commands;
mod consoles;
mod exports;
mod host;
mod spec;

pub use consoles::ConsoleState;
pub use host::{Event, Host};
pub use minitelnet::Size;
pub use spec::{files, task, BadSpec};
pub use wasmlinux::{Out, Outcome, StartError, Taken, TaskSpec, TaskState};
