//! What stands for the engine in a page, where kernel and programs are run by
//! `web/src/engine`: the names of `engine` that the rest of the crate uses.
//!
//! There is one thread, so an interrupt is a bit that whoever called us asks for
//! afterwards ([`Irqs::take`]) and hands on to the page's engine.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Arc;

pub use crate::devices::{Devices, Errno, Outcome};

/// Interrupts that were raised and not yet handed on.
pub struct Irqs(AtomicU32);

impl Irqs {
    pub fn new() -> io::Result<Arc<Irqs>> {
        Ok(Arc::new(Irqs(AtomicU32::new(0))))
    }

    /// Raises an interrupt line.
    pub fn raise(&self, irq: u32) {
        self.0.fetch_or(1 << irq, Relaxed);
    }

    /// Takes every pending interrupt.
    pub fn take(&self) -> u32 {
        self.0.swap(0, Relaxed)
    }
}
