//! Linear memories: the kernel's and one for each process.
//!
//! ```text
//!  base .. +52 KiB   M-12 KiB   M-4 KiB          M            M+4 GiB   +4 GiB + 64 KiB
//!  | spare          | context  | pending page | linear memory | never mapped ........ |
//! ```
//!
//! A reservation is made once and then reused: a freed process memory goes back
//! to the pool with nothing mapped in it. Handles carry a generation, so that a
//! stale handle of a dead process finds nothing.

use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null_mut;

use hostabi::consts::{PROT_NONE, PROT_READ, PROT_WRITE};

use super::image::Image;
use super::layout::{head_of, CTX_OFFSET, CTX_SIZE, PAGE};
use super::maps::{given_back, may_map};

/// Space below M, a multiple of 64 KiB.
const BELOW: usize = 65536;
/// A 32-bit address plus a 32-bit constant offset plus the widest access.
const ABOVE: usize = (8 << 30) + 65536;
const SPACE: usize = 4 << 30;
const POOLED: usize = 64;
/// Host address space and mapping counts allow far more; a guest does not need
/// it.
const MAX_MEMORIES: usize = 8192;

/// A reserved linear memory; unmapped on drop.
pub struct Memory {
    base: *mut u8,
}

impl Memory {
    /// Reserves a memory whose pending page is `pending` (one page).
    pub fn reserve(pending: &OwnedFd) -> std::io::Result<Memory> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        if !may_map() {
            return Err(std::io::Error::from_raw_os_error(libc::ENOMEM));
        }
        // SAFETY: a fresh reservation at an address the host chooses.
        let base = unsafe { libc::mmap(null_mut(), BELOW + ABOVE, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        let memory = Memory { base: base.cast() };
        memory.map_shared(memory.data().wrapping_sub(PAGE), pending)?;
        // SAFETY: inside the reservation.
        let r = unsafe {
            libc::mprotect(
                memory.data().sub(CTX_OFFSET).cast(),
                CTX_SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        if r != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(memory)
    }

    /// Maps the first page of `fd`, shared, at a page of this reservation.
    pub fn map_shared(&self, at: *mut u8, fd: &OwnedFd) -> std::io::Result<()> {
        debug_assert!(self.contains(at as usize));
        // SAFETY: replaces one page of our own reservation.
        let r = unsafe {
            libc::mmap(
                at.cast(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_FIXED,
                fd.as_raw_fd(),
                0,
            )
        };
        if r == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    }

    /// M: where linear address 0 lies.
    pub fn data(&self) -> *mut u8 {
        self.base.wrapping_add(BELOW)
    }

    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base as usize) < BELOW + ABOVE
    }

    /// Linear address of a host address in this memory.
    pub fn offset_of(&self, address: usize) -> Option<u64> {
        let offset = address.wrapping_sub(self.data() as usize);
        (offset < ABOVE).then_some(offset as u64)
    }

    fn at(&self, addr: u32, len: u32) -> (*mut libc::c_void, usize) {
        // addr + len stays below 8 GiB, inside the reservation.
        (self.data().wrapping_add(addr as usize).cast(), len as usize)
    }

    fn remap(&self, addr: u32, len: u32, prot: u32, extra: i32) -> bool {
        let (at, len) = self.at(addr, len);
        let flags =
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED | extra;
        // SAFETY: replaces pages of our own reservation.
        len == 0
            || unsafe { libc::mmap(at, len, host_prot(prot), flags, -1, 0) } != libc::MAP_FAILED
    }

    /// Fresh zero pages, which have their memory at once.
    pub fn map(&self, addr: u32, len: u32, prot: u32) -> bool {
        may_map() && self.remap(addr, len, prot, libc::MAP_POPULATE)
    }

    /// Pages of an object that others may map too, from its byte `offset` on.
    pub fn share(&self, addr: u32, len: u32, prot: u32, fd: &OwnedFd, offset: u32) -> bool {
        let (at, len) = self.at(addr, len);
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        let fd = fd.as_raw_fd();
        may_map() && {
            // SAFETY: replaces pages of our own reservation.
            let r = unsafe { libc::mmap(at, len, host_prot(prot), flags, fd, i64::from(offset)) };
            r != libc::MAP_FAILED
        }
    }

    /// Gives mapped pages their memory at once. A host that cannot (Linux before
    /// 5.14) gives it page by page.
    pub fn populate(&self, addr: u32, len: u32) {
        let (at, len) = self.at(addr, len);
        // SAFETY: inside our own reservation.
        unsafe { libc::madvise(at, len, libc::MADV_POPULATE_WRITE) };
    }

    pub fn unmap(&self, addr: u32, len: u32) -> bool {
        self.remap(addr, len, PROT_NONE, 0)
    }

    pub fn protect(&self, addr: u32, len: u32, prot: u32) -> bool {
        let (at, len) = self.at(addr, len);
        // SAFETY: inside our own reservation.
        len == 0 || may_map() && unsafe { libc::mprotect(at, len, host_prot(prot)) == 0 }
    }

    /// Moves pages; the source is left unmapped.
    pub fn relocate(&self, from: u32, to: u32, len: u32, prot: u32) -> bool {
        let (source, size) = self.at(from, len);
        let (target, _) = self.at(to, len);
        // SAFETY: both ranges lie in our own reservation; the caller says that
        // nothing is mapped at the target.
        let moved = unsafe {
            libc::mremap(source, size, size, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, target)
        };
        // What the host keeps as several mappings cannot be moved at once.
        let moved = moved != libc::MAP_FAILED || self.copy(self, from, to, len, prot);
        moved && self.unmap(from, len) && self.protect(to, len, prot)
    }

    /// Copies pages of `from` to the same addresses, where nothing is mapped.
    pub fn copy_from(&self, from: &Memory, addr: u32, len: u32, prot: u32) -> bool {
        self.copy(from, addr, addr, len, prot)
    }

    /// `prot`: of the pages there are, and of those that come to be.
    fn copy(&self, from: &Memory, source: u32, target: u32, len: u32, prot: u32) -> bool {
        let writable = PROT_READ | PROT_WRITE;
        if !from.make_readable(source, len, prot) || !self.map(target, len, writable) {
            return false;
        }
        let (to, size) = self.at(target, len);
        // SAFETY: both ranges are mapped, readable and writable by now; the caller
        // says that they do not overlap.
        unsafe {
            let from = from.data().wrapping_add(source as usize);
            std::ptr::copy_nonoverlapping(from, to.cast(), size);
        }
        (writable == prot || self.protect(target, len, prot))
            && (prot & PROT_READ != 0 || from.protect(source, len, prot))
    }

    fn make_readable(&self, addr: u32, len: u32, prot: u32) -> bool {
        prot & PROT_READ != 0 || self.protect(addr, len, PROT_READ)
    }

    /// Gives every page of the linear memory back; false when the host cannot,
    /// and what the process had is still there.
    fn clear(&self) -> bool {
        // SAFETY: our own reservation; no task runs in it any more.
        unsafe {
            let r = libc::mmap(
                self.data().cast(),
                SPACE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED,
                -1,
                0,
            );
            self.data().sub(CTX_OFFSET).write_bytes(0, CTX_SIZE);
            r != libc::MAP_FAILED
        }
    }
}

fn host_prot(prot: u32) -> i32 {
    let mut p = libc::PROT_NONE;
    if prot & PROT_READ != 0 {
        p |= libc::PROT_READ;
    }
    // A write-only page is readable on every processor we run on.
    if prot & PROT_WRITE != 0 {
        p |= libc::PROT_READ | libc::PROT_WRITE;
    }
    p
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the reservation is ours and nothing runs in it any more.
        unsafe { libc::munmap(self.base.cast(), BELOW + ABOVE) };
    }
}

/// A process memory's handle: slot + 1 in the low 16 bits, generation above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MmHandle(pub i32);

struct Slot {
    memory: Option<Process>,
    generation: u16,
}

/// A process memory and the program in it.
pub struct Process {
    pub memory: Memory,
    pub image: Option<&'static Image>,
}

/// Every process memory of a machine.
#[derive(Default)]
pub struct Memories {
    slots: Vec<Slot>,
    free: Vec<u16>,
    pool: Vec<Memory>,
}

impl Memories {
    pub fn insert(&mut self, pending: &OwnedFd) -> Option<MmHandle> {
        let memory = match self.pool.pop() {
            Some(memory) => memory,
            None => Memory::reserve(pending).ok()?,
        };
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < MAX_MEMORIES => {
                self.slots.push(Slot { memory: None, generation: 0 });
                self.slots.len() as u16 - 1
            }
            None => {
                self.pool.push(memory);
                return None;
            }
        };
        let slot = &mut self.slots[usize::from(index)];
        slot.memory = Some(Process { memory, image: None });
        Some(MmHandle(i32::from(slot.generation) << 16 | (i32::from(index) + 1)))
    }

    fn slot(&self, handle: MmHandle) -> Option<usize> {
        let index = usize::from(handle.0 as u16).checked_sub(1)?;
        let slot = self.slots.get(index)?;
        (i32::from(slot.generation) == handle.0 >> 16).then_some(index)
    }

    pub fn get(&self, handle: MmHandle) -> Option<&Process> {
        self.slots[self.slot(handle)?].memory.as_ref()
    }

    pub fn get_mut(&mut self, handle: MmHandle) -> Option<&mut Process> {
        let index = self.slot(handle)?;
        self.slots[index].memory.as_mut()
    }

    pub fn remove(&mut self, handle: MmHandle) {
        let Some(index) = self.slot(handle) else { return };
        let slot = &mut self.slots[index];
        let Some(process) = slot.memory.take() else { return };
        given_back();
        slot.generation = (slot.generation + 1) & 0x7fff;
        self.free.push(index as u16);
        if self.pool.len() < POOLED && process.memory.clear() {
            self.pool.push(process.memory);
        }
    }

    /// The context of a process's memory.
    pub fn head(&self, handle: MmHandle) -> Option<*mut super::layout::Head> {
        Some(head_of(self.get(handle)?.memory.data()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> OwnedFd {
        super::super::irq::memfd_page().unwrap()
    }

    const RW: u32 = PROT_READ | PROT_WRITE;

    #[test]
    fn a_copy_has_the_contents_and_the_protection() {
        let pending = page();
        let (a, b) = (Memory::reserve(&pending).unwrap(), Memory::reserve(&pending).unwrap());
        assert!(a.map(0x10000, 0x3000, RW));
        // SAFETY: mapped above.
        unsafe { *a.data().add(0x12fff) = 9 };
        for prot in [RW, PROT_READ, PROT_NONE] {
            assert!(a.protect(0x10000, 0x3000, prot));
            assert!(b.copy_from(&a, 0x10000, 0x3000, prot));
            assert!(b.protect(0x10000, 0x3000, PROT_READ));
            // SAFETY: mapped by the copy, readable now.
            assert_eq!(unsafe { *b.data().add(0x12fff) }, 9);
        }
    }

    #[test]
    fn a_shared_page_is_one_page() {
        let (pending, pages) = (page(), page());
        let (a, b) = (Memory::reserve(&pending).unwrap(), Memory::reserve(&pending).unwrap());
        assert!(a.share(0x10000, PAGE as u32, RW, &pages, 0));
        assert!(b.share(0x30000, PAGE as u32, PROT_READ, &pages, 0));
        // SAFETY: both are mapped.
        unsafe {
            *a.data().add(0x10000) = 3;
            assert_eq!(*b.data().add(0x30000), 3);
        }
    }

    #[test]
    fn a_stale_handle_finds_nothing() {
        let pending = page();
        let mut memories = Memories::default();
        let first = memories.insert(&pending).unwrap();
        memories.remove(first);
        let second = memories.insert(&pending).unwrap();
        assert!(memories.get(first).is_none());
        assert!(memories.get(second).is_some());
        assert!(memories.get(MmHandle(0)).is_none());
        assert!(memories.get(MmHandle(-1)).is_none());
    }

    #[test]
    fn relocation_moves_contents() {
        let pending = page();
        let m = Memory::reserve(&pending).unwrap();
        assert!(m.map(0x20000, 0x2000, RW));
        // SAFETY: mapped above.
        unsafe { *m.data().add(0x21000) = 5 };
        assert!(m.relocate(0x20000, 0x80000, 0x2000, RW));
        // SAFETY: mapped by the move.
        assert_eq!(unsafe { *m.data().add(0x81000) }, 5);
    }
    #[test]
    fn what_was_moved_and_grown_moves_again() {
        let pending = page();
        let m = Memory::reserve(&pending).unwrap();
        assert!(m.map(0x20000, 0x1000, RW));
        assert!(m.relocate(0x20000, 0x80000, 0x1000, RW));
        // The host does not join this with pages that came from elsewhere.
        assert!(m.map(0x81000, 0x1000, RW));
        // SAFETY: mapped.
        unsafe {
            *m.data().add(0x80000) = 1;
            *m.data().add(0x81000) = 2;
        }
        assert!(m.relocate(0x80000, 0x40000, 0x2000, RW));
        // SAFETY: mapped by the move.
        unsafe {
            assert_eq!(*m.data().add(0x40000), 1);
            assert_eq!(*m.data().add(0x41000), 2);
        }
    }
}
