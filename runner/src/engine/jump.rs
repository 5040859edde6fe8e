//! setjmp and longjmp of guest programs.
//!
//! A jump buffer lies in guest memory, so nothing in it can be trusted: the
//! machine state is kept here, in the task, and setjmp writes only its number
//! into the buffer. A number picks one of the task's own live states, so a buffer
//! may be copied and moved, and a forged one leads to another live state or
//! nowhere. No two states of a machine have the same number.
//!
//! The states form a stack, in the order of their numbers. Generated code notes
//! the depth when a function that calls setjmp begins and restores it when the
//! function ends, and longjmp cuts the stack behind its target's frame; so every
//! state below the depth belongs to a frame that is still alive, whatever the
//! guest does.

use std::collections::HashSet;

/// What a return from setjmp needs, relative to the stack's top so that a
/// forked child can use its copy. Written by `asm.rs`.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Registers {
    pub rbx: u64,
    pub rbp: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    /// Distance of the stack pointer after the return from the stack's top.
    pub depth: u64,
}

#[derive(Clone, Copy)]
struct State {
    number: u64,
    buf: u32,
    stack_pointer: u32,
    registers: Registers,
}

/// The live setjmp states of one task.
#[derive(Clone, Default)]
pub struct Jumps {
    states: Vec<State>,
}

/// What a setjmp has noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    pub number: u64,
    /// How many states are live now.
    pub depth: u32,
}

/// Where a longjmp goes.
#[derive(Clone, Copy)]
pub struct Target {
    pub registers: Registers,
    pub stack_pointer: u32,
    /// How many states stay live.
    pub depth: u32,
}

/// A program that nests more live setjmps than this is out of its mind.
pub const MAX_DEPTH: usize = 65536;

/// States of a frame that are compared with a new one: a loop's setjmps.
const NEAR: usize = 8;

/// From here on it is looked whether a frame has states that it set again since,
/// and so many of them stay: somebody may have copied the buffer meanwhile.
const MANY: usize = 1024;
const KEPT: usize = 512;

impl Jumps {
    /// Notes a setjmp on the buffer at `buf`; `depth` is the number of live
    /// states, `next` the number for a new one. `None` when there are too many.
    pub fn save(
        &mut self,
        depth: u32,
        next: u64,
        buf: u32,
        stack_pointer: u32,
        registers: Registers,
    ) -> Option<Saved> {
        self.states.truncate(depth as usize);
        // A loop comes by in the same state again: that is the same target.
        let again = self
            .frame(registers.depth)
            .take(NEAR)
            .find(|s| s.registers == registers && s.stack_pointer == stack_pointer && s.buf == buf);
        let number = match again {
            Some(state) => state.number,
            None => {
                let count = self.states.len();
                if count >= MANY && count.is_power_of_two() {
                    self.forget_overwritten(registers.depth);
                }
                if self.states.len() >= MAX_DEPTH {
                    return None;
                }
                self.states.push(State { number: next, buf, stack_pointer, registers });
                next
            }
        };
        Some(Saved { number, depth: self.states.len() as u32 })
    }

    /// The innermost frame's states, newest first, if it is the one at `depth`.
    /// States of frames further out lie deeper in the machine stack.
    fn frame(&self, depth: u64) -> impl Iterator<Item = &State> {
        self.states.iter().rev().take_while(move |s| s.registers.depth == depth)
    }

    /// Drops the frame's states whose buffers it has set anew, but not the newest.
    fn forget_overwritten(&mut self, depth: u64) {
        let first = self.states.len() - self.frame(depth).count();
        let mut seen = HashSet::new();
        let mut count = 0;
        let mut kept: Vec<State> = self.states.drain(first..).rev().collect();
        kept.retain(|state| {
            count += 1;
            seen.insert(state.buf) || count <= KEPT
        });
        self.states.extend(kept.into_iter().rev());
    }

    /// Where a longjmp to `number` goes; `None` when no live frame has set it.
    pub fn find(&self, depth: u32, number: u64) -> Option<Target> {
        let live = &self.states[..self.states.len().min(depth as usize)];
        let i = live.binary_search_by_key(&number, |s| s.number).ok()?;
        let State { registers, stack_pointer, .. } = live[i];
        // Other states of the target's frame stay; a frame further in lies
        // deeper.
        let same = live[i..].iter().take_while(|s| s.registers.depth == registers.depth);
        Some(Target { registers, stack_pointer, depth: (i + same.count()) as u32 })
    }

    pub fn clear(&mut self) {
        self.states = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(depth: u64, rip: u64) -> Registers {
        Registers { depth, rip, ..Registers::default() }
    }

    /// A task with the numbers of its machine.
    #[derive(Default)]
    struct Rig {
        jumps: Jumps,
        last: u64,
        depth: u32,
    }

    impl Rig {
        fn set(&mut self, buf: u32, registers: Registers) -> u64 {
            self.last += 1;
            let saved = self.jumps.save(self.depth, self.last, buf, 0, registers).unwrap();
            self.depth = saved.depth;
            saved.number
        }

        fn rip(&self, number: u64) -> Option<u64> {
            self.jumps.find(self.depth, number).map(|t| t.registers.rip)
        }

        fn jump(&mut self, number: u64) {
            self.depth = self.jumps.find(self.depth, number).unwrap().depth;
        }
    }

    #[test]
    fn a_dead_frame_is_no_target() {
        let mut rig = Rig::default();
        let outer = rig.set(0x100, at(64, 1));
        let inner = rig.set(0x200, at(128, 2));
        assert_eq!((rig.depth, rig.rip(inner)), (2, Some(2)));
        // The inner function returned: generated code restored the depth.
        rig.depth = 1;
        assert_eq!((rig.rip(outer), rig.rip(inner)), (Some(1), None));
    }

    #[test]
    fn longjmp_cuts_the_stack_behind_its_frame() {
        let mut rig = Rig::default();
        let numbers = [(64, 1), (64, 2), (128, 3), (192, 4)].map(|(d, r)| rig.set(0, at(d, r)));
        rig.jump(numbers[0]);
        assert_eq!(numbers.map(|n| rig.rip(n)), [Some(1), Some(2), None, None]);
    }

    #[test]
    fn a_buffer_that_is_set_again_leaves_its_copies_alive() {
        let mut rig = Rig::default();
        let outer = rig.set(7, at(64, 1));
        let same_frame = rig.set(7, at(64, 2));
        let inner = rig.set(7, at(128, 1));
        assert_eq!([outer, same_frame, inner].map(|n| rig.rip(n)), [Some(1), Some(2), Some(1)]);
        rig.jump(outer);
        assert_eq!([outer, same_frame, inner].map(|n| rig.rip(n)), [Some(1), Some(2), None]);
    }

    #[test]
    fn a_loop_takes_one_place() {
        let mut rig = Rig::default();
        let first = [1, 2, 3].map(|buf| rig.set(buf, at(64, buf.into())));
        for _ in 0..10 {
            assert_eq!([1, 2, 3].map(|buf| rig.set(buf, at(64, buf.into()))), first);
        }
        assert_eq!(rig.depth, 3);
    }

    #[test]
    fn a_loop_with_a_counter_in_a_register_does_not_grow() {
        let mut rig = Rig::default();
        let outer = rig.set(7, at(128, 0));
        let other = rig.set(8, at(64, 0));
        let numbers: Vec<u64> = (1..100_000).map(|n| rig.set(7, at(64, n))).collect();
        assert!(rig.depth < 2 * MANY as u32);
        // The buffers' own states, and what may have been copied lately.
        assert_eq!((rig.rip(outer), rig.rip(other)), (Some(0), Some(0)));
        for (n, number) in numbers.iter().enumerate().rev().take(KEPT) {
            assert_eq!(rig.rip(*number), Some(n as u64 + 1));
        }
    }

    #[test]
    fn too_many_are_refused() {
        let mut rig = Rig::default();
        for buf in 0..MAX_DEPTH as u32 {
            rig.set(buf, at(64, 0));
        }
        assert_eq!(rig.jumps.save(rig.depth, u64::MAX, u32::MAX, 0, at(64, 0)), None);
        assert_eq!(rig.rip(1), Some(0));
    }
}
