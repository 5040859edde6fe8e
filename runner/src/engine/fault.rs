//! Faults of the host process that are the guest's: SIGSEGV and SIGBUS.
//!
//! The handler runs on an alternate stack and decides by where the CPU was:
//!
//! * an instruction of the exception table (user access): go on at its fixup;
//! * user mode, an address in the process's memory or its stack's guard: build a
//!   [`Frame`] on the user stack and go on in `wl_fault`, which raises the
//!   guest's signal;
//! * kernel mode: a bug of the kernel; the machine ends with a backtrace;
//! * anything else is not ours: the previous handler gets it.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::sync::OnceLock;

use hostabi::consts::{FAULT_READ, FAULT_TRAP, FAULT_WRITE};

use super::cpu::{self, Cpu};
use super::stack::Zone;
use super::unwind::{self, State};
use super::{asm, Outcome};

/// What `wl_fault` finds at its stack pointer. Registers are in the order that
/// assembly restores them; none of them is an absolute stack address but the
/// stack pointer, which is implied by the frame's own place.
#[repr(C, align(16))]
struct Frame {
    fx: [u8; 512],
    registers: [u64; 17],
    /// Bytes between the frame's end and the red zone.
    pad: u64,
    sig: u32,
    code: i32,
    addr: u32,
    /// `LKL_FAULT_*`
    access: u32,
    /// Where `wl_fault` puts the address to go on at when `pad` is 0.
    room: u64,
}

pub mod frame {
    use super::{offset_of, size_of, Frame};
    pub const REGS: usize = offset_of!(Frame, registers);
    pub const PAD: usize = offset_of!(Frame, pad);
    pub const SIG: usize = offset_of!(Frame, sig);
    pub const CODE: usize = offset_of!(Frame, code);
    pub const ADDR: usize = offset_of!(Frame, addr);
    pub const ACCESS: usize = offset_of!(Frame, access);
    pub const SIZE: usize = size_of::<Frame>();
    /// Where code was interrupted and its stack: see `push_frame`.
    pub const RIP: usize = REGS + 8 * 14;
    pub const RED_ZONE: usize = super::RED_ZONE;
}

const RED_ZONE: usize = 128;
const SIGSEGV: u32 = 11;
const SIGBUS: u32 = 7;
/// si_code: nothing is mapped there, or not so.
const MAPERR: i32 = 1;

struct Previous([libc::sigaction; 2]);

static PREVIOUS: OnceLock<Previous> = OnceLock::new();

/// Installs the handlers, once per process.
pub fn install() {
    PREVIOUS.get_or_init(|| {
        let one = |signal| {
            // SAFETY: zero is a valid sigaction; the handler has the type that
            // SA_SIGINFO asks for.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = handler as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
                let mut previous: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, &action, &mut previous);
                previous
            }
        };
        Previous([one(libc::SIGSEGV), one(libc::SIGBUS)])
    });
}

/// Bytes of the stack for signal handlers, and of that for a crash of the kernel.
const SIGNAL_STACK: usize = 64 << 10;
const CRASH_ROOM: usize = 512 << 10;

/// An alternate signal stack for the calling thread; removed on drop.
pub struct SignalStack {
    /// Keeps the stacks alive until drop has removed them.
    _memory: Vec<u8>,
    previous: libc::stack_t,
}

impl SignalStack {
    pub fn new() -> SignalStack {
        let mut memory = vec![0u8; SIGNAL_STACK + CRASH_ROOM];
        let new =
            libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIGNAL_STACK };
        CRASH_STACK.set((memory.as_ptr() as usize + memory.len()) & !15);
        // SAFETY: the memory lives until drop, which removes it first.
        let previous = unsafe {
            let mut previous: libc::stack_t = std::mem::zeroed();
            libc::sigaltstack(&new, &mut previous);
            previous
        };
        SignalStack { _memory: memory, previous }
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // SAFETY: gives back what was there before.
        unsafe { libc::sigaltstack(&self.previous, std::ptr::null_mut()) };
    }
}

unsafe extern "C" fn handler(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the host passes a valid siginfo and ucontext.
    unsafe {
        let context = &mut *context.cast::<libc::ucontext_t>();
        let address = (*info).si_addr() as usize;
        if !cpu::this().is_some_and(|cpu| guest_fault(cpu, signal, address, context)) {
            pass_on(signal, info, context);
        }
    }
}

/// True when the fault was the guest's and `context` says how to go on.
unsafe fn guest_fault(
    cpu: &Cpu,
    signal: i32,
    address: usize,
    context: &mut libc::ucontext_t,
) -> bool {
    let gregs = &mut context.uc_mcontext.gregs;
    let rip = gregs[libc::REG_RIP as usize] as usize;
    if let Some(fixup) = asm::fixup(rip) {
        gregs[libc::REG_RIP as usize] = fixup as i64;
        return true;
    }
    let task = cpu.current();
    // SAFETY: the current task is alive.
    let task = unsafe { &mut *task };
    if task.in_kernel != 0 {
        CRASH.set(Some((State::of_signal(context), address)));
        let gregs = &mut context.uc_mcontext.gregs;
        gregs[libc::REG_RIP as usize] = crash as *const () as i64;
        // The task's stack may be the problem. As after a call.
        gregs[libc::REG_RSP as usize] = (CRASH_STACK.get() - 8) as i64;
        return true;
    }
    let linear =
        cpu.memories.try_borrow().ok().and_then(|m| m.get(task.mm)?.memory.offset_of(address));
    let zone = task.stack.zone(address);
    let sp = gregs[libc::REG_RSP as usize] as usize;
    // Bit 1 of a page fault's error code: the access was a write.
    let write = gregs[libc::REG_ERR as usize] & 2 != 0;
    let (sig, addr, access) = match (linear, zone) {
        // The kernel's memory could not be had: no page of the guest's can mend it.
        (Some(addr), _) if signal == libc::SIGBUS => (SIGBUS, addr as u32, FAULT_TRAP),
        // Beyond the address space, where an address and an offset may lead: what
        // the kernel maps at the lower half of the number would not mend it.
        (Some(addr), _) if addr > u32::MAX.into() => (SIGSEGV, addr as u32, FAULT_TRAP),
        (Some(addr), _) => (SIGSEGV, addr as u32, if write { FAULT_WRITE } else { FAULT_READ }),
        (None, Zone::Yellow | Zone::Red) => {
            let opened = task.stack.open_yellow();
            task.limit = task.stack.limit();
            if !opened || task.stack.zone(sp - RED_ZONE - 2 * frame::SIZE) == Zone::Red {
                // No room for a frame: the user frames are given up.
                gregs[libc::REG_RSP as usize] = task.top as i64;
                gregs[libc::REG_RIP as usize] = asm::wl_give_up as *const () as i64;
                return true;
            }
            // SAFETY: the current process's context is alive in user mode.
            let sp = unsafe { cpu.head(task.mm).map_or(0, |h| (*h).stack_pointer) };
            (SIGSEGV, sp, FAULT_TRAP)
        }
        // A wild jump cannot happen; a fault elsewhere is the host's own.
        (None, _) => return false,
    };
    // SAFETY: the stack below the red zone is free and mapped.
    unsafe { push_frame(context, sig, addr, access) };
    true
}

unsafe fn push_frame(context: &mut libc::ucontext_t, sig: u32, addr: u32, tried: u32) {
    use libc::*;
    let gregs = &mut context.uc_mcontext.gregs;
    let sp = gregs[REG_RSP as usize] as usize;
    let at = ((sp - RED_ZONE - size_of::<Frame>()) & !15) as *mut Frame;
    let order = [
        REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15, REG_RSI, REG_RDI, REG_RDX, REG_R8,
        REG_R9, REG_R10, REG_R11, REG_EFL, REG_RIP, REG_RAX, REG_RCX,
    ];
    // SAFETY: the caller gives the room; the host's fpregs begin with what
    // fxsave writes.
    unsafe {
        std::ptr::copy_nonoverlapping(
            context.uc_mcontext.fpregs.cast::<u8>(),
            (&raw mut (*at).fx).cast(),
            512,
        );
        for (i, register) in order.into_iter().enumerate() {
            (*at).registers[i] = gregs[register as usize] as u64;
        }
        (*at).pad = (sp - RED_ZONE - at as usize - size_of::<Frame>()) as u64;
        (*at).sig = sig;
        (*at).code = MAPERR;
        (*at).addr = addr;
        (*at).access = tried;
    }
    gregs[REG_RSP as usize] = at as i64;
    gregs[REG_RIP as usize] = asm::wl_fault as *const () as i64;
}

/// Not ours: what would have happened without us.
unsafe fn pass_on(signal: i32, info: *mut libc::siginfo_t, context: &mut libc::ucontext_t) {
    let previous = PREVIOUS.get().map(|p| &p.0[usize::from(signal == libc::SIGBUS)]);
    // SAFETY: the previous handler has the type its flags say; without one the
    // default action follows when the instruction faults again.
    unsafe {
        match previous {
            Some(p) if p.sa_sigaction != libc::SIG_DFL && p.sa_sigaction != libc::SIG_IGN => {
                if p.sa_flags & libc::SA_SIGINFO != 0 {
                    let f: extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void) =
                        std::mem::transmute(p.sa_sigaction);
                    f(signal, info, std::ptr::from_mut(context).cast());
                } else {
                    let f: extern "C" fn(i32) = std::mem::transmute(p.sa_sigaction);
                    f(signal);
                }
            }
            _ => {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}

thread_local! {
    /// Where kernel code faulted, and on which address.
    static CRASH: Cell<Option<(State, usize)>> = const { Cell::new(None) };
    /// Top of the stack on which the CPU thread deals with that.
    static CRASH_STACK: Cell<usize> = const { Cell::new(0) };
}

/// Where a fault in kernel mode goes on.
extern "C" fn crash() -> ! {
    let cpu = cpu::this().expect("only a CPU thread crashes here");
    let Some((state, address)) = CRASH.take() else { cpu.leave(Outcome::Panic) };
    let place = match cpu.memory.offset_of(address) {
        Some(linear) => format!("kernel address {linear:#x}"),
        None => format!("host address {address:#x}"),
    };
    log_bug(cpu, &format!("access to {place} at {}", super::symbol::name(state.code())));
    panic_with_backtrace(cpu, Some(state))
}

/// Ends the machine as a kernel panic does, saying why.
pub fn kernel_bug(cpu: &Cpu, what: &str) -> ! {
    log_bug(cpu, what);
    panic_with_backtrace(cpu, None)
}

fn log_bug(cpu: &Cpu, what: &str) {
    cpu.devices.kernel_log(format!("wasmlinux: kernel crash: {what}\n").as_bytes());
}

/// Prints the kernel's call chain, from where it crashed or from here, and ends
/// the machine.
pub fn panic_with_backtrace(cpu: &Cpu, crashed: Option<State>) -> ! {
    // SAFETY: the current task is alive.
    for name in unwind::kernel(unsafe { &*cpu.current() }, crashed) {
        cpu.devices.kernel_log(format!("  {name}\n").as_bytes());
    }
    cpu.leave(Outcome::Panic)
}
