//! Steal time: what of its time the CPU thread did not run, though it wanted to.
//!
//! The host knows how long a thread ran. What the monotonic clock says beyond
//! that is somebody else's, unless the thread waited for an interrupt: the guest
//! calls that idle. A thread that waits for a disk counts as one that was kept
//! from running: no task of the guest's used the CPU.

use std::cell::Cell;

/// Who is asked again sooner has lost no turn worth a system call, ns. It would
/// also be where the host takes the CPU away next, and the tick that comes
/// meanwhile would be the kernel's, not the program's.
const TURN: u64 = 1_000_000;

/// Of one CPU thread, which alone asks.
#[derive(Default)]
pub struct Stolen {
    /// How far the thread's own clock was behind at the last look, ns. A thread
    /// that is older than the machine may be ahead.
    behind: Cell<i64>,
    total: Cell<u64>,
    /// When somebody asked last.
    asked: Cell<u64>,
}

impl Stolen {
    /// What has been stolen up to now, ns, but for less than a turn. Never less
    /// than before.
    pub fn look(&self, now: u64) -> u64 {
        if now - self.asked.replace(now) < TURN {
            return self.total.get();
        }
        let behind = now as i64 - thread_clock();
        let more = behind - self.behind.get();
        // The two clocks need not agree about a few nanoseconds.
        if more > 0 {
            self.total.set(self.total.get() + more as u64);
            self.behind.set(behind);
        }
        self.total.get()
    }

    /// The thread begins, or has waited: what passed since the last look is not
    /// stolen.
    pub fn forget(&self, now: u64) {
        self.asked.set(now);
        self.behind.set(now as i64 - thread_clock());
    }
}

/// How long the calling thread has run, ns.
fn thread_clock() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills a value of ours. It cannot fail: the clock is Linux's own.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Runs for a while, in which others may run too.
    fn spin(begin: Instant, wall: Duration) {
        let until = begin.elapsed() + wall;
        while begin.elapsed() < until {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn what_the_thread_did_not_run_is_stolen() {
        let begin = Instant::now();
        let now = || begin.elapsed().as_nanos() as u64;
        let stolen = Stolen::default();
        stolen.forget(now());
        let (wall, ran) = (now(), thread_clock());
        spin(begin, Duration::from_millis(20));
        // As good as stolen: nobody calls it idle.
        std::thread::sleep(Duration::from_millis(20));
        let (wall, ran) = (now() - wall, thread_clock() - ran);
        let total = stolen.look(now());
        assert!(total >= 20_000_000);
        assert!(total.abs_diff(wall - ran as u64) < 1_000_000, "{total} of {wall} less {ran}");
    }

    #[test]
    fn what_the_thread_waited_is_not() {
        let begin = Instant::now();
        let now = || begin.elapsed().as_nanos() as u64;
        let stolen = Stolen::default();
        stolen.forget(now());
        let before = stolen.look(now());
        std::thread::sleep(Duration::from_millis(50));
        stolen.forget(now());
        // A host that is busy may take some between the two.
        assert!(stolen.look(now()) - before < 40_000_000);
    }
}
