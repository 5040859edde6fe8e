//! Interrupts: the pending word, idling, and the timer.
//!
//! The pending word lies alone in a memfd page that is mapped into the kernel's
//! memory and below every process's memory, so a safepoint sees it at a constant
//! address whatever process is current. Any thread may raise; only the CPU
//! thread takes.
//!
//! An idle CPU sleeps until its own deadline. While it runs, a helper thread
//! raises the timer: it looks at the deadline at most [`SLICE`] later than asked
//! only when nobody told it, and is told (one futex call) only when the deadline
//! comes before its next look.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use hostabi::consts::IRQ_TIMER;

use super::layout::PAGE;

/// No deadline.
const NEVER: u64 = u64::MAX;
/// The timer thread's longest nap while the CPU runs: the kernel's tick.
const SLICE: Duration = Duration::from_millis(4);
/// What is due so soon is due: the kernel's least delay, ns.
const NOW: u64 = 1000;

/// A memfd of one page.
pub fn memfd_page() -> std::io::Result<OwnedFd> {
    memfd(c"wasmlinux-pending", PAGE as u64)
}

/// A memfd of `size` bytes, all zero.
pub fn memfd(name: &std::ffi::CStr, size: u64) -> std::io::Result<OwnedFd> {
    // SAFETY: a valid name; the result is checked.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else owns.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(size)?;
    Ok(file.into())
}

/// The pending page as this process sees it; unmapped on drop.
struct Page {
    fd: OwnedFd,
    word: *const AtomicU32,
}

// SAFETY: the page holds one atomic word and lives as long as this value.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Page {
    fn new() -> std::io::Result<Page> {
        let fd = memfd_page()?;
        // SAFETY: a fresh shared mapping of our own memfd.
        let word = unsafe {
            libc::mmap(
                null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if word == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Page { fd, word: word.cast() })
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: mapped until drop, aligned, and only accessed atomically.
        unsafe { &*self.word }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: our own mapping; `word` is not used after this.
        unsafe { libc::munmap(self.word.cast_mut().cast(), PAGE) };
    }
}

/// The interrupt state of one machine, shared by its CPU and every other thread.
pub struct Irqs {
    page: Page,
    start: Instant,
    /// When the timer interrupt is due, ns after `start`.
    deadline: AtomicU64,
    /// When the timer thread looks next.
    next_look: AtomicU64,
    idle: AtomicBool,
    stopping: AtomicBool,
    stop: AtomicBool,
    cpu: OnceLock<Thread>,
    timer: OnceLock<Thread>,
}

impl Irqs {
    pub fn new() -> std::io::Result<Arc<Irqs>> {
        Ok(Arc::new(Irqs {
            page: Page::new()?,
            start: Instant::now(),
            deadline: AtomicU64::new(NEVER),
            next_look: AtomicU64::new(0),
            idle: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            cpu: OnceLock::new(),
            timer: OnceLock::new(),
        }))
    }

    /// The page that holds the word, to be mapped elsewhere.
    pub fn page(&self) -> &OwnedFd {
        &self.page.fd
    }

    /// Raises an interrupt line; from any thread.
    pub fn raise(&self, irq: u32) {
        self.page.word().fetch_or(1 << irq, SeqCst);
        self.wake_idle_cpu();
    }

    /// After a change of the word: an idle CPU looks at it again.
    fn wake_idle_cpu(&self) {
        if self.idle.load(SeqCst) {
            if let Some(cpu) = self.cpu.get() {
                cpu.unpark();
            }
        }
    }

    /// Takes every pending interrupt; CPU thread only.
    pub fn take(&self) -> u32 {
        self.page.word().swap(0, SeqCst)
    }

    /// Asks the CPU to leave the guest at its next interrupt, and raises one.
    pub fn stop(&self) {
        self.stopping.store(true, SeqCst);
        self.raise(IRQ_TIMER);
    }

    pub fn stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    /// Monotonic ns since this machine was made.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// CPU thread: the timer is wanted `delta` ns from now.
    pub fn set_timer(&self, delta: u64) {
        // As hardware does: before the call that asked for it is over.
        if delta <= NOW {
            self.stop_timer();
            self.page.word().fetch_or(1 << IRQ_TIMER, SeqCst);
            return;
        }
        let deadline = self.now().saturating_add(delta).min(NEVER - 1);
        self.deadline.store(deadline, SeqCst);
        self.tell_timer(deadline);
    }

    pub fn stop_timer(&self) {
        self.deadline.store(NEVER, SeqCst);
    }

    /// CPU thread: returns when an interrupt is pending; whether it had to wait.
    pub fn wait(&self) -> bool {
        let mut waited = false;
        self.cpu.get_or_init(thread::current);
        self.idle.store(true, SeqCst);
        while self.page.word().load(SeqCst) == 0 {
            let deadline = self.deadline.load(SeqCst);
            let now = self.now();
            if self.fire_if_due(now) {
                break;
            }
            waited = true;
            if deadline == NEVER {
                thread::park();
            } else {
                thread::park_timeout(Duration::from_nanos(deadline.saturating_sub(now)));
            }
        }
        self.idle.store(false, SeqCst);
        // A deadline from before the idle time needs the timer thread now.
        self.tell_timer(self.deadline.load(SeqCst));
        waited
    }

    fn tell_timer(&self, deadline: u64) {
        if deadline < self.next_look.load(SeqCst) {
            if let Some(timer) = self.timer.get() {
                timer.unpark();
            }
        }
    }

    fn fire_if_due(&self, now: u64) -> bool {
        let deadline = self.deadline.load(SeqCst);
        let due = deadline <= now
            && self.deadline.compare_exchange(deadline, NEVER, SeqCst, SeqCst).is_ok();
        if due {
            self.page.word().fetch_or(1 << IRQ_TIMER, SeqCst);
        }
        due
    }

    /// Starts the thread that raises the timer while the CPU runs.
    pub fn start_timer_thread(self: &Arc<Irqs>) -> std::io::Result<TimerThread> {
        let irqs = self.clone();
        let thread = thread::Builder::new().name("wasmlinux-timer".into()).spawn(move || {
            while !irqs.stop.load(SeqCst) {
                irqs.timer_turn();
            }
        })?;
        // `set_timer` before this only misses an early look: the thread starts
        // with one.
        let _ = self.timer.set(thread.thread().clone());
        thread.thread().unpark();
        Ok(TimerThread { irqs: self.clone(), thread: Some(thread) })
    }

    fn timer_turn(&self) {
        let now = self.now();
        if self.fire_if_due(now) {
            // It may have gone idle meanwhile and seen neither bit nor deadline.
            self.wake_idle_cpu();
        }
        if self.idle.load(SeqCst) {
            // An idle CPU keeps its own time.
            self.next_look.store(NEVER, SeqCst);
            if self.idle.load(SeqCst) {
                thread::park();
            }
            return;
        }
        let look = (now + SLICE.as_nanos() as u64).min(self.deadline.load(SeqCst));
        self.next_look.store(look, SeqCst);
        // A deadline set before the store did not see it: look again.
        let wake = look.min(self.deadline.load(SeqCst));
        let now = self.now();
        if wake > now {
            thread::park_timeout(Duration::from_nanos(wake - now));
        }
    }
}

/// Ends the timer thread on drop.
pub struct TimerThread {
    irqs: Arc<Irqs>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for TimerThread {
    fn drop(&mut self) {
        self.irqs.stop.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread cannot panic; a failed join has nothing to tell.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raise_wakes_an_idle_cpu() {
        let irqs = Irqs::new().unwrap();
        let raiser = irqs.clone();
        let cpu = thread::spawn(move || {
            irqs.wait();
            irqs.take()
        });
        raiser.raise(2);
        assert_eq!(cpu.join().unwrap(), 4);
        assert_eq!(raiser.take(), 0);
    }

    #[test]
    fn the_timer_fires_once_idle_or_busy() {
        let irqs = Irqs::new().unwrap();
        let _timer = irqs.start_timer_thread().unwrap();
        let begin = irqs.now();
        irqs.set_timer(2_000_000);
        irqs.wait();
        assert!(irqs.now() - begin >= 2_000_000);
        assert_eq!(irqs.take(), 1 << IRQ_TIMER);
        // Busy: nobody waits, the thread must raise.
        irqs.set_timer(2_000_000);
        let begin = irqs.now();
        while irqs.take() == 0 {
            assert!(irqs.now() - begin < 5_000_000_000, "no timer interrupt");
            std::hint::spin_loop();
        }
        assert!(irqs.now() - begin >= 2_000_000);
    }

    /// The thread may fire just when the CPU goes idle. It did so without waking
    /// it, and a machine whose only event was that timer slept for ever.
    #[test]
    fn a_timer_that_fires_while_the_cpu_goes_idle_wakes_it() {
        let (done, ended) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let irqs = Irqs::new().unwrap();
            let _timer = irqs.start_timer_thread().unwrap();
            for i in 0..30_000u64 {
                irqs.set_timer(3_000 + i % 97 * 100);
                // The thread looks at the deadline only while the CPU runs.
                let until = irqs.now() + i % 89 * 150;
                while irqs.now() < until {
                    std::hint::spin_loop();
                }
                irqs.wait();
                assert_eq!(irqs.take(), 1 << IRQ_TIMER);
            }
            done.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(60)).expect("a timer was lost");
    }

    #[test]
    fn a_timer_that_is_due_waits_for_nobody() {
        let irqs = Irqs::new().unwrap();
        irqs.set_timer(NOW);
        assert_eq!(irqs.take(), 1 << IRQ_TIMER);
        irqs.set_timer(1_000_000);
        assert_eq!(irqs.take(), 0);
    }

    #[test]
    fn a_stopped_timer_does_not_fire() {
        let irqs = Irqs::new().unwrap();
        let _timer = irqs.start_timer_thread().unwrap();
        irqs.set_timer(1_000_000);
        irqs.stop_timer();
        irqs.set_timer(20_000_000);
        let begin = irqs.now();
        irqs.wait();
        assert!(irqs.now() - begin >= 20_000_000, "an old deadline fired");
    }
}
