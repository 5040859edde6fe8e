//! What stands for tracing in a page, where nobody can ask for it: the names of
//! `trace`, and no value of them.

/// What a traced task does.
pub enum Event<'a> {
    Never(std::convert::Infallible, &'a ()),
}

pub mod memory {
    /// Reads a process's memory.
    pub trait Memory {}
}

/// Writes what it is told of.
pub enum Tracer {}

impl Tracer {
    pub fn event(&self, _pid: u32, _event: &Event<'_>, _memory: &dyn memory::Memory) {
        match *self {}
    }
}
