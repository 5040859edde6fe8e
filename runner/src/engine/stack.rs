//! Host stacks of tasks.
//!
//! ```text
//!  base          +RED           +YELLOW                              top
//!  | never mapped | closed until | grows down ........................ |
//!  |              | an overflow  |                                     |
//! ```
//!
//! The yellow zone is opened when user code first runs into it, so that the
//! kernel and a handler on an alternate stack have room to deal with the fault.

use std::ptr::null_mut;

use super::layout::PAGE;

/// Address space of a stack, bytes: as much as Linux gives a process.
pub const SIZE: usize = 8 << 20;
/// Larger than any frame of generated code (at most 50,000 locals of 8 bytes).
pub const RED: usize = 1 << 20;
/// Room to handle an overflow: a kernel entry and a handler.
pub const YELLOW: usize = 256 << 10;
/// Below this much stack, user code may not enter the kernel.
pub const KERNEL_HEADROOM: usize = 128 << 10;
/// A pooled stack keeps this much memory.
const KEEP: usize = 32 << 10;
/// Just below what is kept: frames that went deeper have touched some of it. One
/// frame larger than this may hide; its stack is trimmed after another use.
const PROBE: usize = 64 << 10;
/// Stacks kept for reuse.
const POOLED: usize = 64;

/// One mapped stack; unmapped on drop.
pub struct Stack {
    base: *mut u8,
    yellow_open: bool,
}

/// Where an address lies in a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Outside,
    Red,
    Yellow,
    Usable,
}

impl Stack {
    fn new() -> Option<Stack> {
        if !super::maps::may_map() {
            return None;
        }
        // SAFETY: a fresh anonymous mapping at an address the host chooses.
        let base = unsafe {
            libc::mmap(
                null_mut(),
                SIZE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return None;
        }
        let stack = Stack { base: base.cast(), yellow_open: false };
        let usable = RED + YELLOW;
        stack.protect(usable, SIZE - usable, libc::PROT_READ | libc::PROT_WRITE).then_some(stack)
    }

    fn protect(&self, from: usize, len: usize, prot: i32) -> bool {
        // SAFETY: the range lies inside this stack's own mapping.
        unsafe { libc::mprotect(self.base.add(from).cast(), len, prot) == 0 }
    }

    pub fn top(&self) -> usize {
        self.base as usize + SIZE
    }

    /// Lowest address with room for a kernel entry.
    pub fn limit(&self) -> usize {
        self.base as usize + RED + if self.yellow_open { 0 } else { YELLOW } + KERNEL_HEADROOM
    }

    pub fn zone(&self, address: usize) -> Zone {
        match address.wrapping_sub(self.base as usize) {
            o if o >= SIZE => Zone::Outside,
            o if o < RED => Zone::Red,
            o if o < RED + YELLOW => Zone::Yellow,
            _ => Zone::Usable,
        }
    }

    pub fn yellow_is_open(&self) -> bool {
        self.yellow_open
    }

    /// Gives an overflowing task room; false if it had it already.
    pub fn open_yellow(&mut self) -> bool {
        if self.yellow_open || !self.protect(RED, YELLOW, libc::PROT_READ | libc::PROT_WRITE) {
            return false;
        }
        self.yellow_open = true;
        true
    }

    /// Arms the overflow check again once the frames are gone.
    pub fn close_yellow(&mut self) {
        if self.yellow_open && self.protect(RED, YELLOW, libc::PROT_NONE) {
            self.yellow_open = false;
        }
    }

    /// Gives back the memory of deep frames, if there were any.
    fn trim(&mut self) {
        self.close_yellow();
        let (from, to) = (RED + YELLOW, SIZE - KEEP);
        let mut resident = [1u8; PROBE / PAGE];
        // SAFETY: nothing runs on this stack; what is discarded is dead frames.
        unsafe {
            // Most tasks use a page or two: asking costs a fifth of discarding.
            let probe = self.base.add(to - PROBE).cast();
            if libc::mincore(probe, PROBE, resident.as_mut_ptr()) == 0
                && resident.iter().all(|page| page & 1 == 0)
            {
                return;
            }
            libc::madvise(self.base.add(from).cast(), to - from, libc::MADV_DONTNEED);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and no task runs on it any more.
        unsafe { libc::munmap(self.base.cast(), SIZE) };
    }
}

/// Stacks of dead tasks, for the next ones.
#[derive(Default)]
pub struct StackPool(Vec<Stack>);

impl StackPool {
    pub fn take(&mut self) -> Option<Stack> {
        self.0.pop().or_else(Stack::new)
    }

    pub fn give(&mut self, mut stack: Stack) {
        if self.0.len() < POOLED {
            stack.trim();
            self.0.push(stack);
        }
    }
}

const _: () =
    assert!(SIZE % PAGE == 0 && KEEP % PAGE == 0 && RED % PAGE == 0 && YELLOW % PAGE == 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_yellow() {
        let mut stack = Stack::new().unwrap();
        let base = stack.top() - SIZE;
        assert_eq!(stack.zone(base), Zone::Red);
        assert_eq!(stack.zone(base + RED), Zone::Yellow);
        assert_eq!(stack.zone(base + RED + YELLOW), Zone::Usable);
        assert_eq!(stack.zone(stack.top()), Zone::Outside);
        let closed = stack.limit();
        assert!(stack.open_yellow());
        assert!(!stack.open_yellow(), "only the first overflow gets room");
        assert!(stack.limit() < closed);
        stack.close_yellow();
        assert_eq!(stack.limit(), closed);
    }

    #[test]
    fn pool_reuses() {
        let mut pool = StackPool::default();
        let stack = pool.take().unwrap();
        let top = stack.top();
        pool.give(stack);
        assert_eq!(pool.take().unwrap().top(), top);
    }
}
