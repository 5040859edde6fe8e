//! Wakers: the only part of a loop that other threads touch.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::slab::Slab;
use crate::WakerId;

/// Ends the wait of a loop, from any thread.
pub(crate) trait Notify: Send + Sync {
    fn notify(&self);
}

/// Makes a loop hand out [`Event::Woken`](crate::Event::Woken). Clones are the
/// same waker.
#[derive(Clone)]
pub struct Waker {
    id: WakerId,
    /// Woken, and the event not handed out yet.
    woken: Arc<AtomicBool>,
    queue: Arc<Queue>,
}

struct Queue {
    ids: Mutex<Vec<WakerId>>,
    notify: Arc<dyn Notify>,
}

/// No code of others runs under our locks, so a panic leaves nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waker {
    /// Never waits, and may be called as often as one likes.
    pub fn wake(&self) {
        // What the caller wrote before is seen by whoever gets the event: this
        // releases, taking the event acquires.
        if !self.woken.swap(true, Ordering::AcqRel) {
            lock(&self.queue.ids).push(self.id);
            self.queue.notify.notify();
        }
    }

    /// The id its events have.
    pub fn id(&self) -> WakerId {
        self.id
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.fmt(f)
    }
}

/// The loop's side.
pub(crate) struct Wakers {
    flags: Slab<Arc<AtomicBool>>,
    queue: Arc<Queue>,
}

impl Wakers {
    pub fn new(notify: Arc<dyn Notify>) -> Wakers {
        Wakers {
            flags: Slab::new(),
            queue: Arc::new(Queue { ids: Mutex::new(Vec::new()), notify }),
        }
    }

    pub fn add(&mut self) -> Waker {
        let woken = Arc::new(AtomicBool::new(false));
        let id = self.flags.insert(woken.clone()).into();
        Waker { id, woken, queue: self.queue.clone() }
    }

    pub fn remove(&mut self, id: WakerId) {
        self.flags.remove(id.into());
    }

    /// Those woken since the last call.
    pub fn take(&self) -> Vec<WakerId> {
        std::mem::take(&mut *lock(&self.queue.ids))
    }

    /// The event is handed out: a wake from now on is another. False if the
    /// waker was closed.
    pub fn hand_out(&mut self, id: WakerId) -> bool {
        let flag = self.flags.get(id.into());
        flag.map(|flag| flag.swap(false, Ordering::AcqRel)).is_some()
    }
}

/// The wait of a loop without sockets.
#[derive(Default)]
pub(crate) struct Park {
    notified: Mutex<bool>,
    changed: Condvar,
}

impl Park {
    /// Waits until notified or until this time.
    pub fn wait(&self, until: Option<Instant>) {
        let mut notified = lock(&self.notified);
        // A page's only thread must not wait: its own event loop does, and then
        // comes here again.
        while !*notified && !cfg!(target_family = "wasm") {
            let now = Instant::now();
            notified = match until {
                Some(until) if until <= now => break,
                Some(until) => {
                    let waited = self.changed.wait_timeout(notified, until - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(notified).unwrap_or_else(PoisonError::into_inner),
            };
        }
        *notified = false;
    }
}

impl Park {
    /// Someone called since the last wait.
    pub fn is_notified(&self) -> bool {
        *lock(&self.notified)
    }
}

impl Notify for Park {
    fn notify(&self) {
        *lock(&self.notified) = true;
        self.changed.notify_one();
    }
}
