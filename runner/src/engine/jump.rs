//! setjmp and longjmp of guest programs.
//!
//! A jump buffer lies in guest memory, so nothing in it can be trusted: the
//! machine state is kept here, in the task, and the buffer's address is only the
//! key. The states form a stack. Generated code notes the depth when a function
//! that calls setjmp begins and restores it when the function ends, and longjmp
//! cuts the stack behind its target's frame; so every state below the depth
//! belongs to a frame that is still alive, whatever the guest does.

/// What a return from setjmp needs, relative to the stack's top so that a
/// forked child can use its copy. Written by `asm.rs`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
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
    key: u32,
    stack_pointer: u32,
    registers: Registers,
}

/// The live setjmp states of one task.
#[derive(Clone, Default)]
pub struct Jumps {
    states: Vec<State>,
}

/// A program that nests more live setjmps than this is out of its mind.
pub const MAX_DEPTH: usize = 65536;

impl Jumps {
    /// Notes a setjmp on buffer `key`. `depth` is the number of live states;
    /// the new number is returned, or `None` when there are too many.
    pub fn save(
        &mut self,
        depth: u32,
        key: u32,
        stack_pointer: u32,
        registers: Registers,
    ) -> Option<u32> {
        self.states.truncate(depth as usize);
        let state = State { key, stack_pointer, registers };
        // A loop that calls setjmp again on the same buffer in the same frame
        // replaces its state. States of frames further out lie deeper in the
        // machine stack than this frame and must stay.
        let same_frame = self.states.iter().rposition(|s| s.key == key);
        if let Some(i) = same_frame {
            if self.states[i].registers.depth == registers.depth {
                self.states[i] = state;
                return Some(depth);
            }
        }
        if self.states.len() >= MAX_DEPTH {
            return None;
        }
        self.states.push(state);
        Some(self.states.len() as u32)
    }

    /// The state to return to for a longjmp to `key`, and the depth that is
    /// left; `None` when no live frame has set it.
    pub fn find(&self, depth: u32, key: u32) -> Option<(Registers, u32, u32)> {
        let live = &self.states[..self.states.len().min(depth as usize)];
        let i = live.iter().rposition(|s| s.key == key)?;
        let target = live[i];
        // Other states of the target's frame stay; a frame further in lies
        // deeper.
        let same = live[i..].iter().take_while(|s| s.registers.depth == target.registers.depth);
        Some((target.registers, target.stack_pointer, (i + same.count()) as u32))
    }

    pub fn clear(&mut self) {
        self.states = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(depth: u64) -> Registers {
        Registers { depth, ..Registers::default() }
    }

    #[test]
    fn a_dead_frame_is_no_target() {
        let mut jumps = Jumps::default();
        let one = jumps.save(0, 0x100, 0, at(64)).unwrap();
        let two = jumps.save(one, 0x200, 0, at(128)).unwrap();
        assert_eq!((one, two), (1, 2));
        assert!(jumps.find(two, 0x200).is_some());
        // The inner function returned: generated code restored the depth.
        assert!(jumps.find(one, 0x200).is_none());
        assert!(jumps.find(one, 0x100).is_some());
    }

    #[test]
    fn longjmp_cuts_the_stack() {
        let mut jumps = Jumps::default();
        let mut depth = 0;
        for key in 1..=3 {
            depth = jumps.save(depth, key, 0, at(u64::from(key) * 64)).unwrap();
        }
        let (_, _, left) = jumps.find(depth, 1).unwrap();
        assert_eq!(left, 1);
        assert!(jumps.find(left, 2).is_none());
    }

    #[test]
    fn longjmp_keeps_the_other_states_of_its_frame() {
        let mut jumps = Jumps::default();
        let mut depth = 0;
        for (key, at_depth) in [(1, 64), (2, 64), (3, 128)] {
            depth = jumps.save(depth, key, 0, at(at_depth)).unwrap();
        }
        let (_, _, left) = jumps.find(depth, 1).unwrap();
        assert_eq!(left, 2);
        assert!(jumps.find(left, 2).is_some());
        assert!(jumps.find(left, 3).is_none());
    }

    #[test]
    fn the_same_buffer_in_a_loop_takes_one_place() {
        let mut jumps = Jumps::default();
        let mut depth = 0;
        for _ in 0..10 {
            depth = jumps.save(depth, 7, 0, at(64)).unwrap();
        }
        assert_eq!(depth, 1);
        // Another frame that uses the same buffer does not overwrite it.
        let inner = jumps.save(depth, 7, 0, at(128)).unwrap();
        assert_eq!(inner, 2);
        assert_eq!(jumps.find(inner, 7).unwrap().0.depth, 128);
        assert_eq!(jumps.find(depth, 7).unwrap().0.depth, 64);
    }
}
