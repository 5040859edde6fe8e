//! The functions that a program or the kernel is in, from the current task's
//! frames on the host stack.
//!
//! A program stands still below a kernel entry, whose frame is where its walk
//! begins; the kernel's begins where it called the host, or crashed. Generated
//! code comes with unwind tables; the engine's own frames have known shapes, told
//! by the return address. Nothing here is trusted to be sound: every read is
//! bounded by the task's stack, and the walk by [`MAX_FRAMES`].

use gimli::{BaseAddresses, CfaRule, EhFrame, EhFrameHdr, NativeEndian, ParsedEhFrameHdr, Pointer};
use gimli::{Register, RegisterRule, UnwindContext, UnwindSection, UnwindTableRow, X86_64};

use super::fault::frame;
use super::stack::Zone;
use super::task::Task;
use super::{asm, symbol};

/// More say nothing new: a recursion.
const MAX_FRAMES: usize = 48;
const WORD: usize = 8;

type Section = gimli::EndianSlice<'static, NativeEndian>;

/// Registers that the walk needs to know: x86-64's callee-saved ones.
const KEPT: [Register; 6] =
    [X86_64::RBX, X86_64::RBP, X86_64::R12, X86_64::R13, X86_64::R14, X86_64::R15];

/// Where code is, and what it needs to go on.
#[derive(Clone, Copy)]
pub struct State {
    ip: usize,
    sp: usize,
    kept: [usize; KEPT.len()],
    /// `ip` is the next instruction itself, not a return address.
    exact: bool,
}

impl State {
    /// The caller's.
    #[inline(always)]
    fn here() -> State {
        let (ip, sp): (usize, usize);
        let mut kept = [0; KEPT.len()];
        // SAFETY: only reads registers.
        unsafe {
            std::arch::asm!(
                "lea {ip}, [rip]",
                "mov {sp}, rsp",
                "mov [{kept}], rbx",
                "mov [{kept} + 8], rbp",
                "mov [{kept} + 16], r12",
                "mov [{kept} + 24], r13",
                "mov [{kept} + 32], r14",
                "mov [{kept} + 40], r15",
                ip = out(reg) ip,
                sp = out(reg) sp,
                kept = in(reg) kept.as_mut_ptr(),
                options(nostack, preserves_flags),
            );
        }
        State { ip, sp, kept, exact: true }
    }

    /// Of interrupted code.
    pub fn of_signal(context: &libc::ucontext_t) -> State {
        use libc::{REG_R12, REG_R13, REG_R14, REG_R15, REG_RBP, REG_RBX, REG_RIP, REG_RSP};
        let register = |r: i32| context.uc_mcontext.gregs[r as usize] as usize;
        let kept = [REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15].map(register);
        State { ip: register(REG_RIP), sp: register(REG_RSP), kept, exact: true }
    }

    /// Of a task that is not running: what `wl_swap` has pushed.
    pub fn switched_out(task: &Task) -> State {
        let words = Words { from: task.sp, to: task.top };
        let word = |i: usize| words.get(task.sp + i * WORD).unwrap_or(0);
        // Pushed in the order rbp rbx r12 ... r15.
        let kept = [word(4), word(5), word(3), word(2), word(1), word(0)];
        State { ip: word(6), sp: task.sp + 7 * WORD, kept, exact: false }
    }

    /// An address inside the function. A return address may lie behind its end.
    pub fn code(&self) -> usize {
        if self.exact {
            self.ip
        } else {
            self.ip.wrapping_sub(1)
        }
    }
}

/// The part of the task's stack that holds the frames.
struct Words {
    from: usize,
    to: usize,
}

impl Words {
    fn get(&self, address: usize) -> Option<usize> {
        let inside = address >= self.from && address.checked_add(WORD)? <= self.to;
        // SAFETY: between the user frames' lowest address and the stack's top,
        // which is mapped while the task lives.
        (inside && address % WORD == 0).then(|| unsafe { *(address as *const usize) })
    }
}

/// Names of a task's user functions, innermost first. One that has not run yet
/// has none.
pub fn program(task: &Task) -> Vec<String> {
    if task.user_frames == 0 {
        return Vec::new();
    }
    let words = Words { from: task.user_frames, to: task.top };
    let mut names = Vec::new();
    let mut state = entry_frame(&words, task.user_frames);
    while let Some(s) = state.filter(|_| names.len() < MAX_FRAMES) {
        state = match engine_frame(&words, &s) {
            Some((next, note)) => {
                names.extend(note.map(str::to_owned));
                next
            }
            None => {
                let Some(next) = table_frame(&words, &s) else { break };
                // The runtime's helpers are nothing of the program's.
                names.extend(Some(symbol::name(s.code())).filter(|n| !n.starts_with("w2c_")));
                next
            }
        };
    }
    names
}

/// Names of the kernel's functions on a task's stack, innermost first: from
/// `start`, or from here, on the stack of the running task.
#[inline(never)]
pub fn kernel(task: &Task, start: Option<State>) -> Vec<String> {
    let mut state = start.or_else(|| Some(State::here()));
    let first = state.map_or(0, |s| s.sp).next_multiple_of(WORD);
    if task.stack.zone(first) != Zone::Usable {
        return Vec::new();
    }
    let words = Words { from: first, to: task.top };
    let mut names = Vec::new();
    for _ in 0..MAX_FRAMES {
        let Some(s) = state else { break };
        names.extend(symbol::kernel_name(s.code()));
        state = table_frame(&words, &s).flatten();
    }
    names
}

/// What a kernel entry has pushed: see `WL_ENTER`.
fn entry_frame(words: &Words, at: usize) -> Option<State> {
    let word = |i: usize| words.get(at.checked_add(i * WORD)?);
    // Pushed in the order rbx rbp r12 ... r15.
    let kept = [word(5)?, word(4)?, word(3)?, word(2)?, word(1)?, word(0)?];
    Some(State { ip: word(6)?, sp: at + 7 * WORD, kept, exact: false })
}

/// The frame below, when `s` is in the engine's assembly.
fn engine_frame(words: &Words, s: &State) -> Option<(Option<State>, Option<&'static str>)> {
    let is = |label: unsafe extern "C" fn()| s.ip == label as usize;
    let returned =
        |sp: usize, kept| Some(State { ip: words.get(sp)?, sp: sp + WORD, kept, exact: false });
    if is(asm::wl_forked) {
        return Some((returned(s.sp + WORD, s.kept), None));
    }
    if is(asm::wl_trapped) {
        let mut kept = s.kept;
        kept[0] = words.get(s.sp)?;
        return Some((returned(s.sp + WORD, kept), None));
    }
    if is(asm::wl_handled) {
        // Three words of the upcall, then the entry that it interrupted.
        return Some((entry_frame(words, s.sp + 3 * WORD), Some("<signal handler called>")));
    }
    if is(asm::wl_faulted) {
        return Some((fault_frame(words, s.sp), None));
    }
    None
}

/// Registers of code that faulted.
fn fault_frame(words: &Words, at: usize) -> Option<State> {
    let word = |offset: usize| words.get(at.checked_add(offset)?);
    let register = |i: usize| word(frame::REGS + i * WORD);
    let kept = [register(0)?, register(1)?, register(2)?, register(3)?, register(4)?, register(5)?];
    let pad = word(frame::PAD)?;
    let sp = at.checked_add(frame::SIZE)?.checked_add(pad)?.checked_add(frame::RED_ZONE)?;
    Some(State { ip: word(frame::RIP)?, sp, kept, exact: true })
}

/// One step by the unwind tables. The outer `None`: there are none.
fn table_frame(words: &Words, s: &State) -> Option<Option<State>> {
    let at = s.code();
    let (header, frames, bases) = tables(at)?;
    let mut context = UnwindContext::new();
    let row = header
        .table()?
        .unwind_info_for_address(&frames, &bases, &mut context, at as u64, EhFrame::cie_from_offset)
        .ok()?;
    Some(caller(words, s, row))
}

/// The frame that called, by a row of the table.
fn caller(words: &Words, s: &State, row: &UnwindTableRow<usize>) -> Option<State> {
    let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() else { return None };
    let base = if register == X86_64::RSP {
        s.sp
    } else {
        s.kept[KEPT.iter().position(|r| *r == register)?]
    };
    let cfa = base.checked_add_signed(offset as isize)?;
    let saved = |register| match row.register(register) {
        RegisterRule::Offset(offset) => words.get(cfa.checked_add_signed(offset as isize)?),
        _ => None,
    };
    let mut kept = s.kept;
    for (value, register) in kept.iter_mut().zip(KEPT) {
        *value = saved(register).unwrap_or(*value);
    }
    // A frame that does not lie above the last one is no frame.
    let ip = saved(X86_64::RA).filter(|_| cfa > s.sp)?;
    Some(State { ip, sp: cfa, kept, exact: false })
}

type Tables = (ParsedEhFrameHdr<Section>, EhFrame<Section>, BaseAddresses);

/// The unwind tables of the object that holds the code at `address`.
fn tables(address: usize) -> Option<Tables> {
    let (header, header_len, end) = header_of(address)?;
    // SAFETY: a loaded object's segment, which is never unloaded.
    let bytes = unsafe { std::slice::from_raw_parts(header as *const u8, header_len) };
    let bases = BaseAddresses::default().set_eh_frame_hdr(header as u64);
    let parsed = EhFrameHdr::new(bytes, NativeEndian).parse(&bases, WORD as u8).ok()?;
    let Pointer::Direct(frames) = parsed.eh_frame_ptr() else { return None };
    let len = end.checked_sub(frames as usize)?;
    // SAFETY: as above; the section ends with a terminator, or its segment does.
    let bytes = unsafe { std::slice::from_raw_parts(frames as *const u8, len) };
    Some((parsed, EhFrame::new(bytes, NativeEndian), bases.set_eh_frame(frames)))
}

/// Address and length of an object's `.eh_frame_hdr`, and the end of the segment
/// that it and `.eh_frame` lie in.
fn header_of(address: usize) -> Option<(usize, usize, usize)> {
    struct Search {
        address: usize,
        found: Option<(usize, usize, usize)>,
    }
    unsafe extern "C" fn each(
        info: *mut libc::dl_phdr_info,
        _: usize,
        data: *mut libc::c_void,
    ) -> i32 {
        // SAFETY: the loader's description of one object; `data` is ours.
        let (search, base, headers) = unsafe {
            let info = &*info;
            let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
            (&mut *data.cast::<Search>(), info.dlpi_addr as usize, headers)
        };
        let range = |h: &libc::Elf64_Phdr| {
            let start = base + h.p_vaddr as usize;
            start..start + h.p_memsz as usize
        };
        let loaded = |address: usize| {
            headers
                .iter()
                .filter(|h| h.p_type == libc::PT_LOAD)
                .map(range)
                .find(|r| r.contains(&address))
        };
        if loaded(search.address).is_none() {
            return 0;
        }
        let header = headers.iter().find(|h| h.p_type == libc::PT_GNU_EH_FRAME).map(range);
        search.found = header.and_then(|h| Some((h.start, h.len(), loaded(h.start)?.end)));
        1
    }
    let mut search = Search { address, found: None };
    // SAFETY: the callback has the type that is asked for and does not unwind.
    unsafe { libc::dl_iterate_phdr(Some(each), (&raw mut search).cast()) };
    search.found
}
