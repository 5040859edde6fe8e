//! The names of `sync` for a page's only thread: a lock that is always free, and a
//! condition variable that nobody can wait for, so that what waits does not compile.

use std::cell::{RefCell, RefMut};

pub type MutexGuard<'a, T> = RefMut<'a, T>;

/// Locking it twice, which would wait for ever, is a panic.
#[derive(Default)]
pub struct Mutex<T>(RefCell<T>);

// SAFETY: a page's worker is built without threads: nobody else can hold it.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Mutex<T> {
        Mutex(RefCell::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.borrow_mut()
    }
}

#[derive(Default)]
pub struct Condvar;

impl Condvar {
    pub fn new() -> Condvar {
        Condvar
    }

    pub fn notify_all(&self) {}
}
