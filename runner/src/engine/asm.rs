//! The assembly of the engine, x86-64 Linux.
//!
//! User frames are copied byte for byte when a task forks, so nothing here may
//! leave an absolute stack, memory or context address in a frame that lies under
//! user code, and every callee-saved register is pushed before the kernel is
//! entered (the kernel's own frames are not copied).
//!
//! ```text
//!  frame of a kernel entry          fixed part, made by ENTER
//!  | return address | rbx rbp r12 r13 r14 r15 |  <- task.user_frames
//! ```
//!
//! `wl_return` is the one way back to user mode; a forked child begins there on
//! its copy of the frame with a zero result.

use std::arch::global_asm;

use super::layout::{CTX_OFFSET, PAGE};
use super::task::{offsets as t, UPCALL_START};

global_asm!(
    // ---- stack switch -------------------------------------------------------
    // wl_swap(save: *mut usize, load: usize): saves the callee-saved registers
    // and continues where `load` was saved.
    ".globl wl_swap",
    "wl_swap:",
    "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
    "mov [rdi], rsp",
    "mov rsp, rsi",
    "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
    "ret",

    // First code of the boot task: rbx = task, r12 = what to call.
    ".globl wl_boot",
    "wl_boot:",
    "mov rdi, rbx",
    "call r12",
    "ud2",

    // First code of a task: wl_swap "returns" here; rbx = task.
    ".globl wl_task_start",
    "wl_task_start:",
    "mov rdi, rbx",
    "call {task_main}",
    "mov rdx, rbx",
    // rax = user frames to return to; none: a kernel thread has exec'd.
    "test rax, rax",
    "je wl_start",
    "mov rsp, rax",
    "xor eax, eax",
    "jmp wl_return",

    // A new thread "returns" here: rbx = __wasm_thread_start, rbp = user stack.
    ".globl wl_thread_begin",
    "wl_thread_begin:",
    "mov edi, ebp",
    "call rbx",
    "2:",
    "push 0",
    "push 0",
    "mov edi, 93",
    "xor esi, esi",
    "call wl_syscall",
    "jmp 2b",

    // ---- kernel entries -----------------------------------------------------
    // Saves the user frame and turns the kernel stack to its top.
    // Leaves the task in rax and the kernel's instance in r10.
    ".macro WL_ENTER",
    "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
    "mov rax, gs:[{head} + 8]",
    "cmp rsp, [rax + {limit}]",
    "jb wl_no_stack",
    "mov [rax + {user_frames}], rsp",
    "mov r10, [rax + {kernel}]",
    "mov r11d, [rax + {kstack}]",
    "mov [r10 + 24], r11d",
    "mov dword ptr [rax + {in_kernel}], 1",
    ".endm",

    // u32 wl_syscall(nr, a0, a1, a2, a3, a4, a5): ops.syscall of every program.
    ".globl wl_syscall",
    ".p2align 4",
    "wl_syscall:",
    "WL_ENTER",
    "mov r11, [rsp + 56]",
    "wl_syscall_entered:",
    "sub rsp, 8",
    "push r11",
    "push r9",
    "mov r9, r8",
    "mov r8, rcx",
    "mov rcx, rdx",
    "mov rdx, rsi",
    "mov esi, edi",
    "mov rdi, r10",
    "call {k_syscall}",
    "add rsp, 24",
    // Back to user mode with a result in eax.
    "wl_return:",
    "mov rdx, gs:[{head} + 8]",
    "cmp dword ptr [rdx + {upcall}], 0",
    "jne wl_upcall",
    "mov dword ptr [rdx + {in_kernel}], 0",
    "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
    "ret",

    // clone(SIGCHLD, 0, ...) and clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, ...)
    ".globl wl_fork",
    "wl_fork:",
    "mov esi, 17",
    "jmp 2f",
    ".globl wl_vfork",
    "wl_vfork:",
    "mov esi, 0x4111",
    "2:",
    "mov edi, 220",
    "xor edx, edx",
    "xor ecx, ecx",
    "xor r8d, r8d",
    "xor r9d, r9d",
    "push 0",
    "call wl_syscall",
    ".globl wl_forked",
    "wl_forked:",
    "add rsp, 8",
    "ret",

    // A safepoint found an interrupt pending.
    ".globl wl_safepoint",
    "wl_safepoint:",
    "WL_ENTER",
    "sub rsp, 8",
    "mov rdi, r10",
    "call {k_user_poll}",
    "add rsp, 8",
    "jmp wl_return",

    // wl_raise(sig, code, addr, access): a synchronous signal from user code.
    // Returns when a handler has returned, or the access may be made again.
    ".globl wl_raise",
    "wl_raise:",
    "WL_ENTER",
    "sub rsp, 8",
    "mov r8d, ecx",
    "mov ecx, edx",
    "mov edx, esi",
    "mov esi, edi",
    "mov rdi, r10",
    "call {k_user_fault}",
    "add rsp, 8",
    "jmp wl_return",

    // No room to enter the kernel: an overflow of the task's stack. With the
    // yellow zone opened a handler may run; without, the frames are given up.
    "wl_no_stack:",
    "mov rbx, rsp",
    "and rsp, -16",
    "call {make_room}",
    "mov rsp, rbx",
    "test eax, eax",
    "je 2f",
    "sub rsp, 8",
    // Nothing a handler does makes the stack larger: like the instruction that
    // would fault again, it is called until it jumps elsewhere.
    "3:",
    "mov edi, 11",
    "mov esi, 1",
    "mov edx, gs:[{head} + 24]",
    "xor ecx, ecx",
    "call wl_raise",
    "jmp 3b",
    "2:",
    ".globl wl_give_up",
    "wl_give_up:",
    "mov rax, gs:[{head} + 8]",
    "mov rsp, [rax + {top}]",
    "mov edi, 9",
    "xor esi, esi",
    "xor edx, edx",
    "xor ecx, ecx",
    "call wl_raise",
    "ud2",

    // wl_trap(code): ops.trap. Like hardware, it raises again if a handler
    // returns.
    ".globl wl_trap",
    "wl_trap:",
    "push rbx",
    "mov ebx, edi",
    "2:",
    "mov edi, ebx",
    "call {trap_signal}",
    "mov edi, eax",
    "mov esi, edx",
    "xor edx, edx",
    "xor ecx, ecx",
    "call wl_raise",
    ".globl wl_trapped",
    "wl_trapped:",
    "jmp 2b",

    // ---- upcalls ------------------------------------------------------------
    // rdx = task, eax = the entry's result (which a signal frame has saved).
    "wl_upcall:",
    "cmp dword ptr [rdx + {upcall}], {start}",
    "je wl_start",
    "mov dword ptr [rdx + {upcall}], 0",
    "mov dword ptr [rdx + {in_kernel}], 0",
    "mov ecx, gs:[{head} + 24]",
    "push rcx",
    "mov ecx, [rdx + {ctx}]",
    "push rcx",
    "sub rsp, 8",
    "mov eax, [rdx + {sp}]",
    "mov gs:[{head} + 24], eax",
    "mov edi, [rdx + {handler}]",
    "mov esi, [rdx + {sig}]",
    "mov r8d, [rdx + {siginfo}]",
    "mov rax, [rdx + {entry}]",
    "mov edx, [rdx + {info}]",
    "call rax",
    ".globl wl_handled",
    "wl_handled:",
    "add rsp, 8",
    "pop rsi",
    "pop rcx",
    "mov gs:[{head} + 24], ecx",
    // rt_sigreturn(ctx) in the same frame: a stream of signals must not pile up.
    "mov rax, gs:[{head} + 8]",
    "mov [rax + {user_frames}], rsp",
    "mov r10, [rax + {kernel}]",
    "mov r11d, [rax + {kstack}]",
    "mov [r10 + 24], r11d",
    "mov dword ptr [rax + {in_kernel}], 1",
    "mov edi, 139",
    "xor edx, edx",
    "xor ecx, ecx",
    "xor r8d, r8d",
    "xor r9d, r9d",
    "xor r11d, r11d",
    "jmp wl_syscall_entered",

    // The program starts anew on an empty stack.
    "wl_start:",
    "mov rdi, rdx",
    "call {begin_program}",
    // rax = stack top, rdx = entry point
    "mov rsp, rax",
    "mov edi, gs:[{head} + 24]",
    "xor ebp, ebp",
    "call rdx",
    // _start returned: exit_group(0).
    "3:",
    "push 0",
    "push 0",
    "mov edi, 94",
    "xor esi, esi",
    "call wl_syscall",
    "jmp 3b",

    // ---- setjmp, longjmp ----------------------------------------------------
    // The buffer is the guest's: an access to it may be a page fault, and so it
    // is made in user mode with nothing of the engine's on the stack.
    //
    // u32 wl_setjmp(buf): 0, or what longjmp passed.
    ".globl wl_setjmp",
    "wl_setjmp:",
    ".cfi_startproc",
    "mov rax, [rsp]",
    "lea rcx, [rsp + 8]",
    "sub rsp, 72",
    ".cfi_adjust_cfa_offset 72",
    "mov [rsp], rbx",
    "mov [rsp + 8], rbp",
    "mov [rsp + 16], r12",
    "mov [rsp + 24], r13",
    "mov [rsp + 32], r14",
    "mov [rsp + 40], r15",
    "mov [rsp + 48], rax",
    "mov [rsp + 56], rcx",
    "mov [rsp + 64], rdi",
    "mov rsi, rsp",
    "call {setjmp}",
    "mov ecx, [rsp + 64]",
    "add rsp, 72",
    ".cfi_adjust_cfa_offset -72",
    "test rax, rax",
    "je 2f",
    "mov gs:[rcx], rax",
    "xor eax, eax",
    "ret",
    "2:",
    "mov edi, 1",
    "jmp wl_trap",
    ".cfi_endproc",

    // wl_longjmp(buf, value): ops.longjmp. A loop may be made of it alone, so it
    // looks for interrupts as a loop does.
    ".globl wl_longjmp",
    "wl_longjmp:",
    ".cfi_startproc",
    "cmp dword ptr gs:[{pending}], 0",
    "je 2f",
    "push rdi",
    ".cfi_adjust_cfa_offset 8",
    "push rsi",
    ".cfi_adjust_cfa_offset 8",
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    "call wl_safepoint",
    "add rsp, 8",
    ".cfi_adjust_cfa_offset -8",
    "pop rsi",
    ".cfi_adjust_cfa_offset -8",
    "pop rdi",
    ".cfi_adjust_cfa_offset -8",
    "2:",
    "mov edx, edi",
    "mov rdi, gs:[rdx]",
    "jmp {longjmp}",
    ".cfi_endproc",

    // wl_jump(registers, value): never returns.
    ".globl wl_jump",
    "wl_jump:",
    "mov eax, esi",
    "mov rbx, [rdi]",
    "mov rbp, [rdi + 8]",
    "mov r12, [rdi + 16]",
    "mov r13, [rdi + 24]",
    "mov r14, [rdi + 32]",
    "mov r15, [rdi + 40]",
    "mov rdx, [rdi + 48]",
    "mov rsp, [rdi + 56]",
    "jmp rdx",

    task_main = sym super::user::task_main,
    begin_program = sym super::user::begin_program,
    make_room = sym super::user::make_room,
    trap_signal = sym super::user::trap_signal,
    setjmp = sym super::user::note_setjmp,
    longjmp = sym super::user::longjmp,
    k_syscall = sym super::kernel::lkl_syscall,
    k_user_poll = sym super::kernel::lkl_user_poll,
    k_user_fault = sym super::kernel::lkl_user_fault,
    head = const -(CTX_OFFSET as isize),
    pending = const -(PAGE as isize),
    start = const UPCALL_START,
    user_frames = const t::USER_FRAMES,
    limit = const t::LIMIT,
    top = const t::TOP,
    kernel = const t::KERNEL,
    kstack = const t::KSTACK,
    in_kernel = const t::IN_KERNEL,
    upcall = const t::UPCALL,
    entry = const t::ENTRY,
    handler = const t::HANDLER,
    sig = const t::SIG,
    info = const t::INFO,
    ctx = const t::CTX,
    sp = const t::SP,
    siginfo = const t::SIGINFO,
);

// ---- a fault of user code -----------------------------------------------------
// The signal handler built a FaultFrame (fault.rs) on the user stack and
// continues here with rsp at the frame. A handler may fork or never return; if
// it returns, the interrupted code goes on with the registers of the frame (but an
// overflow, which nothing mends, is raised again). The
// interrupted stack pointer lies at a known distance, so a copy needs no change.
global_asm!(
    ".globl wl_fault",
    "wl_fault:",
    "mov edi, [rsp + {f_sig}]",
    "mov esi, [rsp + {f_code}]",
    "mov edx, [rsp + {f_addr}]",
    "mov ecx, [rsp + {f_access}]",
    "call wl_raise",
    ".globl wl_faulted",
    "wl_faulted:",
    "cmp dword ptr [rsp + {f_access}], {trap}",
    "je wl_fault",
    "fxrstor64 [rsp]",
    "mov rbx, [rsp + {regs}]",
    "mov rbp, [rsp + {regs} + 8]",
    "mov r12, [rsp + {regs} + 16]",
    "mov r13, [rsp + {regs} + 24]",
    "mov r14, [rsp + {regs} + 32]",
    "mov r15, [rsp + {regs} + 40]",
    "mov rsi, [rsp + {regs} + 48]",
    "mov rdi, [rsp + {regs} + 56]",
    "mov rdx, [rsp + {regs} + 64]",
    "mov r8, [rsp + {regs} + 72]",
    "mov r9, [rsp + {regs} + 80]",
    "mov r10, [rsp + {regs} + 88]",
    "mov r11, [rsp + {regs} + 96]",
    "push qword ptr [rsp + {regs} + 104]",
    "popfq",
    // The address to go on at is put just below the red zone, where `ret 128`
    // finds it and steps over the zone. The last 8 bytes of the frame are free
    // for that when there is no padding.
    "mov rax, [rsp + {f_pad}]",
    "lea rcx, [rsp + rax + {size} - 8]",
    "mov rax, [rsp + {regs} + 112]",
    "mov [rcx], rax",
    "mov [rsp + {f_pad}], rcx",
    "mov rax, [rsp + {regs} + 120]",
    "mov rcx, [rsp + {regs} + 128]",
    "mov rsp, [rsp + {f_pad}]",
    "ret 128",
    f_sig = const super::fault::frame::SIG,
    f_code = const super::fault::frame::CODE,
    f_addr = const super::fault::frame::ADDR,
    f_access = const super::fault::frame::ACCESS,
    trap = const hostabi::consts::FAULT_TRAP,
    f_pad = const super::fault::frame::PAD,
    regs = const super::fault::frame::REGS,
    size = const super::fault::frame::SIZE,
);

// ---- user access ----------------------------------------------------------------
// Each instruction that may fault has an entry in the exception table: a pair of
// self-relative offsets (instruction, fixup), as `lkl_host_inline.h` makes them.
global_asm!(
    ".macro WL_EX insn, fixup",
    ".pushsection wl_extable, \"aR\", @progbits",
    ".p2align 2",
    ".long \\insn - .",
    ".long \\fixup - .",
    ".popsection",
    ".endm",
    // wl_strncpy_user(to, from, len): bytes before the NUL, len, or -EFAULT.
    ".globl wl_strncpy_user, wl_strnlen_user, wl_copy",
    "wl_strncpy_user:",
    "mov esi, esi",
    "mov edx, edx",
    "xor eax, eax",
    "4: cmp rax, rdx",
    "je 6f",
    "5: mov cl, gs:[rsi + rax]",
    "mov [rdi + rax], cl",
    "test cl, cl",
    "je 6f",
    "inc rax",
    "jmp 4b",
    "6: ret",
    "7: mov eax, -14",
    "ret",
    "WL_EX 5b, 7b",
    // wl_strnlen_user(from, len): with the NUL; len + 1 without; 0 on a fault.
    "wl_strnlen_user:",
    "mov edi, edi",
    "mov esi, esi",
    "xor eax, eax",
    "4: cmp rax, rsi",
    "je 6f",
    "5: cmp byte ptr gs:[rdi + rax], 0",
    "je 6f",
    "inc rax",
    "jmp 4b",
    "6: inc rax",
    "ret",
    "7: xor eax, eax",
    "ret",
    "WL_EX 5b, 7b",
    // wl_copy(to, from, len): bytes not copied; absolute addresses.
    "wl_copy:",
    "mov rcx, rdx",
    "5: rep movsb",
    "6: mov rax, rcx",
    "ret",
    "WL_EX 5b, 6b",
);

unsafe extern "C" {
    pub fn wl_swap(save: *mut usize, load: usize);
    pub fn wl_boot();
    pub fn wl_task_start();
    pub fn wl_thread_begin();
    pub fn wl_trap();
    pub fn wl_syscall();
    pub fn wl_fork();
    pub fn wl_vfork();
    pub fn wl_safepoint();
    pub fn wl_raise(sig: u32, code: i32, addr: u32, access: u32);
    pub fn wl_setjmp();
    pub fn wl_longjmp();
    pub fn wl_jump(registers: *const super::jump::Registers, value: u32) -> !;
    pub fn wl_fault();
    pub fn wl_give_up();
    // Return addresses, by which a walk of the stack knows what it has come to.
    pub fn wl_forked();
    pub fn wl_trapped();
    pub fn wl_handled();
    pub fn wl_faulted();
    pub fn wl_strncpy_user(to: *mut u8, from: u32, len: u32) -> i32;
    pub fn wl_strnlen_user(from: u32, len: u32) -> i32;
    pub fn wl_copy(to: *mut u8, from: *const u8, len: usize) -> usize;
}

/// One entry of the exception table: offsets relative to the field itself.
#[repr(C)]
pub struct ExEntry {
    insn: i32,
    fixup: i32,
}

unsafe extern "C" {
    #[link_name = "__start_wl_extable"]
    static EX_START: ExEntry;
    #[link_name = "__stop_wl_extable"]
    static EX_STOP: ExEntry;
}

/// Where to go on when the instruction at `rip` faults on a user address.
pub fn fixup(rip: usize) -> Option<usize> {
    // SAFETY: the linker makes both symbols; everything between them is entries.
    let entries = unsafe {
        let start = &raw const EX_START;
        let count = (&raw const EX_STOP).offset_from(start) as usize;
        std::slice::from_raw_parts(start, count)
    };
    let at =
        |field: &i32| (std::ptr::from_ref(field) as usize).wrapping_add_signed(*field as isize);
    entries.iter().find(|e| at(&e.insn) == rip).map(|e| at(&e.fixup))
}
