//! The %gs base: where the current process's memory lies.

use std::sync::OnceLock;

/// AT_HWCAP2 bit of the instructions that write it (Linux 5.9 and later).
const HWCAP2_FSGSBASE: u64 = 2;
const ARCH_SET_GS: i32 = 0x1001;

/// Sets the %gs base of the calling thread.
///
/// # Safety
/// Nothing on this thread relies on %gs but generated code.
pub unsafe fn set(base: usize) {
    static FAST: OnceLock<bool> = OnceLock::new();
    // SAFETY: getauxval reads the process's own vector.
    let fast =
        *FAST.get_or_init(|| unsafe { libc::getauxval(libc::AT_HWCAP2) } & HWCAP2_FSGSBASE != 0);
    // SAFETY: per contract; the instruction exists where the kernel says so.
    unsafe {
        if fast {
            std::arch::asm!("wrgsbase {}", in(reg) base, options(nomem, nostack, preserves_flags));
        } else {
            libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, base);
        }
    }
}
