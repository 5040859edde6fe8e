//! One lock type that does not poison and a condition variable beside it.

pub use parking_lot::{Condvar, Mutex, MutexGuard};
