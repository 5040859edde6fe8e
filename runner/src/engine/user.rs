//! The way into and out of user mode, where assembly calls for help.

use hostabi::consts::{FAULT_TRAP, TASK_FORK, TASK_THREAD};

use super::cpu::Cpu;
use super::fault;
use super::jump::Registers;
use super::layout::Head;
use super::task::{Task, UPCALL_NONE};
use super::{asm, cpu, kernel};

/// Words of a kernel entry's frame: six registers and the return address.
const ENTRY_FRAME: usize = 7;
/// A new thread's first frame lies above the stack its kernel side begins on.
pub const THREAD_ROOM: usize = 128;

/// Makes a task begin with `first` on its stack below `below`; `first` finds the
/// task in rbx and `argument` in r12.
unsafe fn prepare(task: *mut Task, below: usize, first: unsafe extern "C" fn(), argument: usize) {
    // SAFETY: the caller gives room below `below` in the task's stack.
    unsafe {
        let mut sp = (below & !15) as *mut usize;
        // Two words so that `first` finds an aligned stack, then what `wl_swap`
        // pops: return address, rbp, rbx, r12 to r15.
        for word in [0, 0, first as usize, 0, task as usize, argument, 0, 0, 0] {
            sp = sp.sub(1);
            *sp = word;
        }
        (*task).sp = sp as usize;
    }
}

/// Makes the boot task run `body(task)`.
///
/// # Safety
/// The task is new.
pub unsafe fn prepare_boot(task: *mut Task, body: extern "C" fn(*mut Task)) {
    // SAFETY: per contract, its whole stack is free.
    unsafe { prepare(task, (*task).top, asm::wl_boot, body as usize) }
}

/// Makes a task that the kernel made begin; its stack is free below `below`.
///
/// # Safety
/// The task is new.
pub unsafe fn prepare_task(task: *mut Task, below: usize) {
    // SAFETY: per contract.
    unsafe { prepare(task, below, asm::wl_task_start, 0) }
}

/// First code of every task on its own stack. Returns the user frames to go on
/// with; null when the kernel has a new program started instead.
pub unsafe extern "C" fn task_main(task: *mut Task) -> *mut usize {
    // SAFETY: assembly hands over the task that was switched to.
    unsafe {
        (*(*task).kernel).stack_pointer = (*task).kstack;
        kernel::lkl_task_entry((*task).kernel, (*task).kernel_task);
        match (*task).kind {
            TASK_FORK => (*task).user_frames as *mut usize,
            TASK_THREAD => thread_frames(task),
            _ => std::ptr::null_mut(),
        }
    }
}

/// Frames of a new thread: a kernel entry that returns to `wl_thread_begin`
/// with the start function in rbx and the user stack in rbp.
unsafe fn thread_frames(task: *mut Task) -> *mut usize {
    // SAFETY: a running task's process is alive, and its stack has room.
    unsafe {
        let start = cpu_of(task)
            .memories
            .borrow()
            .get((*task).mm)
            .and_then(|p| p.image)
            .map_or(0, |image| image.thread_start);
        let frame = ((*task).top as *mut usize).sub(ENTRY_FRAME);
        let words = [
            0,
            0,
            0,
            0,
            (*task).user_sp as usize,
            start,
            asm::wl_thread_begin as *const () as usize,
        ];
        for (i, word) in words.into_iter().enumerate() {
            *frame.add(i) = word;
        }
        (*task).user_frames = frame as usize;
        frame
    }
}

unsafe fn cpu_of(task: *mut Task) -> &'static Cpu {
    // SAFETY: the kernel's context names its CPU, which outlives its tasks.
    unsafe { &*(*(*task).kernel).host.cast::<Cpu>() }
}

/// What `wl_start` needs: returned in rax and rdx.
#[repr(C)]
pub struct Begin {
    stack: usize,
    entry: usize,
}

/// The user frames are gone; the program that exec loaded begins.
pub unsafe extern "C" fn begin_program(task: *mut Task) -> Begin {
    // SAFETY: assembly hands over the running task.
    unsafe {
        let cpu = cpu_of(task);
        let task = &mut *task;
        task.upcall = UPCALL_NONE;
        task.jumps.clear();
        task.stack.close_yellow();
        task.limit = task.stack.limit();
        task.user_sp = task.upcall_args.sp;
        task.user_tls = 0;
        task.jump_depth = 0;
        cpu.install(task);
        let image = cpu.memories.borrow().get(task.mm).and_then(|p| p.image);
        let Some(image) = image else {
            fault::kernel_bug(cpu, "a task goes to user mode without a program");
        };
        task.in_kernel = 0;
        Begin { stack: task.top, entry: image.start }
    }
}

/// Opens the yellow zone of the current task's stack; 0 if it was open.
pub unsafe extern "C" fn make_room() -> u32 {
    let Some(cpu) = cpu::this() else { return 0 };
    // SAFETY: the current task is alive.
    let task = unsafe { &mut *cpu.current() };
    let opened = task.stack.open_yellow();
    task.limit = task.stack.limit();
    if !opened {
        // The frames are about to be given up: the whole stack is free again.
        task.jumps.clear();
    }
    opened.into()
}

/// Signal and si_code of a trap, returned in rax and rdx.
#[repr(C)]
pub struct Signal {
    sig: u64,
    code: u64,
}

pub extern "C" fn trap_signal(code: u32) -> Signal {
    let (sig, code) = super::trap::signal(code);
    Signal { sig: sig.into(), code: code as u64 }
}

/// setjmp: notes the registers that assembly has put at `registers`; the number
/// for the buffer, or 0 when the program nests too deep.
pub unsafe extern "C" fn note_setjmp(buf: u32, registers: *const Registers) -> u64 {
    let Some(cpu) = cpu::this() else { return 0 };
    // SAFETY: called from user mode: the task, its context and the registers on
    // its stack are alive.
    unsafe {
        let task = &mut *cpu.current();
        let Some(head) = cpu.head(task.mm) else { return 0 };
        // Back from an overflow: watch for the next one.
        if task.stack.zone(registers as usize) == super::stack::Zone::Usable {
            task.stack.close_yellow();
            task.limit = task.stack.limit();
        }
        let mut registers = *registers;
        registers.depth = task.top as u64 - registers.depth;
        let (depth, next) = ((*head).jump_depth, cpu.jumps.get() + 1);
        match task.jumps.save(depth, next, buf, (*head).stack_pointer, registers) {
            Some(saved) => {
                cpu.jumps.set(cpu.jumps.get().max(saved.number));
                (*head).jump_depth = saved.depth;
                saved.number
            }
            None => 0,
        }
    }
}

/// longjmp to the state `number`, which was in the buffer at `buf`. Does not
/// return, unless a handler deals with a bad target.
pub unsafe extern "C" fn longjmp(number: u64, value: u32, buf: u32) -> u32 {
    let Some(cpu) = cpu::this() else { return 0 };
    // SAFETY: as `note_setjmp`; a live state's frame is on this stack.
    unsafe {
        let task = &mut *cpu.current();
        let head: Option<*mut Head> = cpu.head(task.mm);
        let found = head.and_then(|h| task.jumps.find((*h).jump_depth, number));
        let (Some(head), Some(mut target)) = (head, found) else {
            loop {
                let (sig, code) = super::trap::signal(super::trap::UNREACHABLE);
                asm::wl_raise(sig, code, buf, FAULT_TRAP);
            }
        };
        (*head).stack_pointer = target.stack_pointer;
        (*head).jump_depth = target.depth;
        target.registers.depth = task.top as u64 - target.registers.depth;
        asm::wl_jump(&target.registers, if value == 0 { 1 } else { value });
    }
}
