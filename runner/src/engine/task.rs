//! A task's host side: one stack, the saved machine state of its user and
//! kernel part, and what the kernel wants done when it goes back to user mode.
//!
//! Lifetime: [`Tasks`] owns every task from `task_new` to `task_free`. A task is
//! boxed because assembly and contexts hold its address; nobody else frees it,
//! and never while it is the running one.

use super::jump::Jumps;
use super::mm::MmHandle;
use super::stack::{Stack, StackPool};

/// Nothing to do on return to user mode.
pub const UPCALL_NONE: u32 = 0;
/// Drop the user frames and start the program anew.
pub const UPCALL_START: u32 = 1;
/// Run a signal handler, then sigreturn.
pub const UPCALL_SIGNAL: u32 = 2;

/// Arguments of the next upcall.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Upcall {
    /// `__wasm_signal` of the program.
    pub entry: usize,
    pub handler: u32,
    pub sig: u32,
    pub info: u32,
    pub ctx: u32,
    /// User stack pointer to run on (signal) or to start with.
    pub sp: u32,
    pub siginfo: u32,
}

/// The fields down to `upcall_args` are read by `asm.rs` by offset.
#[repr(C)]
pub struct Task {
    /// Machine stack pointer while switched out.
    pub sp: usize,
    /// Machine stack pointer of the user frames at the last kernel entry.
    pub user_frames: usize,
    /// A kernel entry below this address has too little stack left.
    pub limit: usize,
    /// Highest address of the machine stack.
    pub top: usize,
    /// The kernel's instance.
    pub kernel: *mut super::layout::Head,
    pub upcall: u32,
    /// Top of the kernel (shadow) stack.
    pub kstack: u32,
    /// Non-zero from kernel entry to kernel exit.
    pub in_kernel: u32,
    pub pad: u32,
    pub upcall_args: Upcall,

    pub stack: Stack,
    /// The kernel's `task_struct`.
    pub kernel_task: u32,
    /// The process memory its user side runs in.
    pub mm: MmHandle,
    /// `__stack_pointer` and `__tls_base` while switched out.
    pub user_sp: u32,
    pub user_tls: u32,
    pub jump_depth: u32,
    /// How the task begins: `LKL_TASK_*`.
    pub kind: u32,
    pub jumps: Jumps,
}

pub mod offsets {
    use super::Task;
    use std::mem::offset_of;
    pub const USER_FRAMES: usize = offset_of!(Task, user_frames);
    pub const LIMIT: usize = offset_of!(Task, limit);
    pub const TOP: usize = offset_of!(Task, top);
    pub const KERNEL: usize = offset_of!(Task, kernel);
    pub const UPCALL: usize = offset_of!(Task, upcall);
    pub const KSTACK: usize = offset_of!(Task, kstack);
    pub const IN_KERNEL: usize = offset_of!(Task, in_kernel);
    pub const ENTRY: usize = offset_of!(Task, upcall_args.entry);
    pub const HANDLER: usize = offset_of!(Task, upcall_args.handler);
    pub const SIG: usize = offset_of!(Task, upcall_args.sig);
    pub const INFO: usize = offset_of!(Task, upcall_args.info);
    pub const CTX: usize = offset_of!(Task, upcall_args.ctx);
    pub const SP: usize = offset_of!(Task, upcall_args.sp);
    pub const SIGINFO: usize = offset_of!(Task, upcall_args.siginfo);
}

/// Every task of a machine, by handle. Handle 0 is the boot task.
#[derive(Default)]
pub struct Tasks {
    slots: Vec<Option<Box<Task>>>,
    free: Vec<u32>,
    stacks: StackPool,
}

/// More would exceed what the host maps by default (65,530 areas).
const MAX_TASKS: usize = 16384;

impl Tasks {
    /// A stack and a slot for a new task; `None` when the host has no more.
    pub fn insert(&mut self, make: impl FnOnce(Stack) -> Task) -> Option<(u32, *mut Task)> {
        if self.slots.len() - self.free.len() >= MAX_TASKS {
            return None;
        }
        let stack = self.stacks.take()?;
        let mut task = Box::new(make(stack));
        let address: *mut Task = &mut *task;
        let handle = match self.free.pop() {
            Some(handle) => handle,
            None => {
                self.slots.push(None);
                self.slots.len() as u32 - 1
            }
        };
        self.slots[handle as usize] = Some(task);
        Some((handle, address))
    }

    pub fn get(&self, handle: u32) -> Option<*mut Task> {
        let task = self.slots.get(handle as usize)?.as_ref()?;
        Some(std::ptr::from_ref::<Task>(task).cast_mut())
    }

    /// Frees a dead task; its stack goes back to the pool.
    pub fn remove(&mut self, handle: u32) {
        if let Some(task) = self.slots.get_mut(handle as usize).and_then(Option::take) {
            self.stacks.give(task.stack);
            self.free.push(handle);
        }
    }
}
