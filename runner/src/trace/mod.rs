//! What a command and its children do, a line for each system call.
//!
//! ```text
//!  kernel (TIF_HOST_TRACE) ─ host op ─► Tracer::event ─► decode ─► Lines ─► writer thread
//!                                       on the CPU thread           │
//!                                       reads guest memory          └ bounded: the guest
//!                                                                     waits for the writer
//! ```
//!
//! [`decode`] and what it uses are pure; `calls.txt` and `names.txt` are the
//! data. [`output`] is the only part with a thread.

pub mod calls;
pub mod decode;
pub mod filter;
pub mod lines;
pub mod memory;
pub mod names;
mod output;
pub mod structs;
pub mod text;

use std::io::Write;

use decode::Decoder;
use filter::Filter;
use memory::{Fields, Memory};
use output::Output;
pub use output::TraceError;

/// What a traced task does. Its memory can be read meanwhile.
pub enum Event<'a> {
    Enter {
        number: i32,
        args: [u64; 6],
    },
    Leave {
        number: i32,
        args: [u64; 6],
        result: i32,
    },
    /// A signal is taken; the kernel's siginfo.
    Signal(&'a [u8]),
    /// The task ends with this wait status.
    Exit(i32),
    /// The kernel executed the command's program, or could not.
    Exec {
        path: &'a [u8],
        result: i32,
    },
}

/// Writes what it is told of.
pub struct Tracer {
    filter: Filter,
    output: Output,
}

impl Tracer {
    /// Writes whole lines to `to`, on a thread of its own.
    pub fn new(to: Box<dyn Write + Send>, filter: Filter) -> std::io::Result<Tracer> {
        Ok(Tracer { filter, output: Output::start(to)? })
    }

    /// Takes an event; waits while the writer is far behind.
    pub fn event(&self, pid: u32, event: &Event<'_>, memory: &dyn Memory) {
        match *event {
            Event::Enter { number, args } if self.filter.shows(number) => {
                let decoder = Decoder { memory, args: &args, result: None };
                match calls::call(number) {
                    Some(call) => {
                        let begun = decoder.begin(call);
                        self.output.add(|lines| lines.enter(pid, call.name, begun));
                    }
                    None => {
                        let begun = format!("syscall_{number:#x}({}", unknown(&args));
                        self.output.add(|lines| lines.enter(pid, "syscall", begun));
                    }
                }
            }
            Event::Leave { number, args, result } if self.filter.shows(number) => {
                let decoder = Decoder { memory, args: &args, result: Some(result) };
                let (name, rest) = match calls::call(number) {
                    Some(call) => (call.name, decoder.end(call)),
                    None => ("syscall", format!(") = {}", decode::result(result))),
                };
                self.output.add(|lines| lines.leave(pid, name, &rest));
            }
            Event::Enter { .. } | Event::Leave { .. } => {}
            Event::Signal(info) => {
                let info = Fields(info.to_vec());
                let name = names::signal(info.u32(0));
                let text = format!("--- {name} {} ---", structs::siginfo(&info));
                self.output.add(|lines| lines.note(pid, &text));
            }
            Event::Exit(status) => {
                let text = match status & 0x7f {
                    0 => format!("+++ exited with {} +++", status >> 8 & 0xff),
                    signal => format!("+++ killed by {} +++", names::signal(signal as u32)),
                };
                self.output.add(|lines| lines.end(pid, &text));
            }
            Event::Exec { path, result } => {
                let (path, result) = (text::quoted(path), decode::result(result));
                let text = format!("execve({path}, ...) = {result}");
                self.output.add(|lines| lines.note(pid, &text));
            }
        }
    }

    /// Writes what is left and stops listening. An error says why lines are
    /// missing.
    pub fn finish(&self) -> Result<(), TraceError> {
        self.output.finish()
    }
}

fn unknown(args: &[u64; 6]) -> String {
    args.map(|a| format!("{a:#x}")).join(", ")
}
