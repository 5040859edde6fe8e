//! The engine: runs a kernel module and its processes on one host thread.
//!
//! ```text
//!   program (gs mode) ──ops.syscall──► asm ──► kernel (base mode) ──host_*──► host
//!        ▲                              │                                      │
//!        └── user: start, handler ◄─────┘     cpu: tasks, memories, switch ◄───┘
//! ```
//!
//! * [`asm`]: kernel entries, stack switch, upcalls, user access; x86-64
//! * [`cpu`]: what the CPU thread owns; [`task`], [`stack`], [`mm`]: its parts
//! * [`host`]: the host operations; [`kernel`]: the kernel entries
//! * [`fault`]: host signals that are the guest's; [`trap`]: trap codes
//! * [`irq`]: the pending word, idle, timer
//! * [`image`]: compiled programs by build id
//! * [`jump`]: setjmp states
//!
//! The engine knows no files, terminals or commands: those are [`Devices`]. A page
//! has another one: see `engine_web.rs`.

mod asm;
mod cpu;
mod fault;
mod gs;
mod host;
pub(crate) mod image;
pub(crate) mod irq;
mod jump;
mod kernel;
pub(crate) mod layout;
mod maps;
mod mm;
mod stack;
mod steal;
mod symbol;
mod task;
mod trap;
mod unwind;
mod user;

use std::os::fd::OwnedFd;
use std::sync::Arc;

pub use crate::devices::{Devices, Errno, Outcome};
pub use irq::Irqs;
use mm::Memory;
use task::Task;

/// Kernel memory that a disk transfer fills or empties, in order.
pub type DiskParts<'a> = &'a mut dyn Iterator<Item = &'a mut [u8]>;

/// A disk of the machine, which the guest sees as a block device. Called on the
/// CPU thread, which waits.
pub trait Disk: Send {
    /// Its size in sectors of 512 bytes, at least 1.
    fn sectors(&self) -> u32;
    /// `LKL_DISK_*` bits.
    fn features(&self) -> u32;
    /// Fills the parts from here on.
    fn read(&self, sector: u32, parts: DiskParts<'_>) -> Result<(), Errno>;
    /// Writes the parts from here on.
    fn write(&self, sector: u32, parts: DiskParts<'_>) -> Result<(), Errno>;
    /// What has been written is kept, whatever happens to the host.
    fn flush(&self) -> Result<(), Errno>;
}

/// What to boot.
pub struct Boot {
    /// The guest's /dev/disk0 and on; at most `LKL_DISKS`.
    pub disks: Vec<Box<dyn Disk>>,
    /// Bytes of kernel memory.
    pub memory: u32,
    pub command_line: String,
    /// Dropped as soon as the kernel has its copy.
    pub initrd: Box<dyn AsRef<[u8]> + Send>,
}

#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("the host has no address space left for the kernel's memory: {0}")]
    Reserve(#[source] std::io::Error),
    #[error("{given} MiB of memory are too little for this kernel and root file system; give at least {needed} MiB")]
    TooLittleMemory { given: u32, needed: u64 },
    #[error("the kernel command line has {0} bytes; at most {1} fit")]
    CommandLine(usize, usize),
    #[error("cannot start the timer thread: {0}")]
    Timer(#[source] std::io::Error),
}

/// Kernel memory the boot itself takes beside kernel image and initrd, bytes.
const BOOT_NEEDS: u64 = 12 << 20;
/// COMMAND_LINE_SIZE of arch/lkl.
const COMMAND_LINE_MAX: usize = 512;
const MIB: u32 = 1 << 20;

/// What can be said about a boot before it is tried.
pub fn check(boot: &Boot) -> Result<(), BootError> {
    // SAFETY: the linked kernel's descriptor.
    let image = u64::from(unsafe { kernel::MODULE.mem_min }) * layout::WASM_PAGE as u64;
    // The initrd is unpacked into page cache before it is freed.
    let needed = image + 2 * (*boot.initrd).as_ref().len() as u64 + BOOT_NEEDS;
    if u64::from(boot.memory) < needed {
        let (given, needed) = (boot.memory / MIB, needed.div_ceil(MIB.into()));
        return Err(BootError::TooLittleMemory { given, needed });
    }
    let max = COMMAND_LINE_MAX - 1;
    if boot.command_line.len() > max {
        return Err(BootError::CommandLine(boot.command_line.len(), max));
    }
    Ok(())
}

/// Boots a machine and runs it on the calling thread until it ends.
pub fn run(
    mut boot: Boot,
    irqs: Arc<Irqs>,
    devices: Arc<dyn Devices>,
) -> Result<Outcome, BootError> {
    check(&boot)?;
    fault::install();
    let _signal_stack = fault::SignalStack::new();
    let memory = Memory::reserve(irqs.page()).map_err(BootError::Reserve)?;
    let (initrd, pages) = kernel_memory(&memory, &irqs, &boot)?;
    let disks = std::mem::take(&mut boot.disks);
    let cpu = cpu::Cpu::new(irqs.clone(), devices, disks, memory, pages);
    let cpu = cpu.map_err(BootError::Reserve)?;
    let _timer = irqs.start_timer_thread().map_err(BootError::Timer)?;
    // SAFETY: the kernel's memory and context are mapped and its entries are the
    // linked module's.
    let kstack = unsafe {
        load_kernel(&cpu, &boot, initrd);
        kernel::lkl_init_sp(cpu.kernel)
    };
    drop(boot);
    Ok(cpu.enter(kstack, boot_task))
}

/// Maps the kernel's memory: the initrd's address in it, and what it consists of,
/// so that a process can be shown a page of it.
fn kernel_memory(memory: &Memory, irqs: &Irqs, boot: &Boot) -> Result<(u32, OwnedFd), BootError> {
    let initrd = (*boot.initrd).as_ref().len() as u32;
    let initrd = boot.memory - initrd.next_multiple_of(layout::PAGE as u32);
    let base = hostabi::consts::GLOBAL_BASE;
    let rw = hostabi::consts::PROT_READ | hostabi::consts::PROT_WRITE;
    let os = |_| BootError::Reserve(std::io::Error::last_os_error());
    let pages = irq::memfd(c"wasmlinux-kernel", boot.memory.into()).map_err(BootError::Reserve)?;
    let mapped = memory.share(base, boot.memory - base, rw, &pages, base);
    mapped.then_some(()).ok_or(()).map_err(os)?;
    let pending = memory.data().wrapping_add(hostabi::consts::PENDING_ADDR as usize);
    memory.map_shared(pending, irqs.page()).map_err(BootError::Reserve)?;
    // What is written at once anyway: a fault for each of its pages would be a
    // tenth of the boot's time.
    // SAFETY: the linked kernel's descriptor.
    let image = unsafe { kernel::MODULE.mem_min } * layout::WASM_PAGE as u32;
    memory.populate(base, image.min(initrd) - base);
    memory.populate(initrd, boot.memory - initrd);
    Ok((initrd, pages))
}

/// Initial data, command line and initrd.
unsafe fn load_kernel(cpu: &cpu::Cpu, boot: &Boot, initrd: u32) {
    let mem = cpu.memory.data();
    // SAFETY: the ranges were mapped by `kernel_memory`; segments lie inside the
    // module's minimal memory.
    unsafe {
        let head = cpu.kernel;
        (*head).mem = mem;
        (*head).pages = boot.memory / layout::WASM_PAGE as u32;
        (*head).max_pages = (*head).pages;
        (kernel::MODULE.init)(head);
        for s in kernel::MODULE.segments() {
            let to = mem.add(s.offset as usize);
            std::ptr::copy_nonoverlapping(s.bytes, to, s.len as usize);
        }
        let line = mem.add(kernel::lkl_cmdline(head) as usize);
        std::ptr::copy_nonoverlapping(boot.command_line.as_ptr(), line, boot.command_line.len());
        *line.add(boot.command_line.len()) = 0;
        let archive = (*boot.initrd).as_ref();
        let to = mem.add(initrd as usize);
        std::ptr::copy_nonoverlapping(archive.as_ptr(), to, archive.len());
        BOOT.set((boot.memory, initrd, archive.len() as u32));
    }
}

thread_local! {
    /// Arguments of `lkl_start`, for the boot task on its own stack.
    static BOOT: std::cell::Cell<(u32, u32, u32)> = const { std::cell::Cell::new((0, 0, 0)) };
}

/// First code of the boot task.
extern "C" fn boot_task(task: *mut Task) {
    let (memory, initrd, size) = BOOT.get();
    // SAFETY: the kernel's context and memory are set up; called once.
    unsafe {
        let kernel = (*task).kernel;
        (*kernel).stack_pointer = (*task).kstack;
        kernel::lkl_start(kernel, memory, initrd, size);
    }
    let cpu = cpu::this().expect("the boot task runs on a CPU");
    fault::kernel_bug(cpu, "start_kernel returned");
}
