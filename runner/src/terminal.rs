//! The terminal the runner was started on.

pub use minitelnet::tty::*;
