//! What the rewritten functions share: the globals that the engine knows, and
//! the functions that move frames and jump.
//!
//! A frame in the buffer is the function's saved locals in groups by type, then
//! the number of its site. The buffer grows upward, innermost frame first, so
//! going back pops what comes next.

use std::collections::BTreeMap;

use wasm_encoder::{BlockType, Function, MemArg, ValType};

use crate::module::Module;
use crate::output::Output;

pub const ABI: &str = "__linux_abi";
pub const STATE: &str = "__linux_state";
pub const FRAMES: &str = "__linux_frames";
pub const FRAMES_END: &str = "__linux_frames_end";
pub const JUMPS: &str = "__linux_jumps";

/// Version of the contract, in the low byte of `__linux_abi`.
const VERSION: i64 = 1;
/// In `__linux_abi`: frames below a system call or a poll can be saved.
const HANDLERS_FORK: i64 = 1 << 8;

/// Values of `__linux_state` but 0.
pub const SAVING: i32 = 1;
pub const RESTORING: i32 = 2;

/// Locals that one call moves at most.
const GROUPS: [usize; 4] = [8, 4, 2, 1];

const I32: ValType = ValType::I32;
const I64: ValType = ValType::I64;

pub struct Abi {
    pub state: u32,
    frames: u32,
    frames_end: u32,
    /// Size of the largest frame.
    reserve: u32,
    largest: u32,
    stack_pointer: Option<u32>,
    jumps: Option<u32>,
    tag: u32,
    moves: BTreeMap<(bool, u8, usize), u32>,
    site_moves: Option<(u32, u32)>,
    note: Option<u32>,
    land: Option<u32>,
}

fn at(offset: u64) -> MemArg {
    MemArg { offset, align: 2, memory_index: 0 }
}

/// Size in the buffer, and a number to order by.
fn size(ty: ValType) -> (u32, u8) {
    match ty {
        ValType::I32 => (4, 0),
        ValType::I64 => (8, 1),
        ValType::F32 => (4, 2),
        ValType::F64 => (8, 3),
        ValType::V128 => (16, 4),
        ValType::Ref(_) => unreachable!("a frame with references is not saved"),
    }
}

impl Abi {
    pub fn new(out: &mut Output, module: &Module, handlers_fork: bool) -> Self {
        let flags = if handlers_fork { HANDLERS_FORK } else { 0 };
        out.global(ABI, I32, false, VERSION | flags);
        Abi {
            state: out.global(STATE, I32, true, 0),
            frames: out.global(FRAMES, I32, true, 0),
            frames_end: out.global(FRAMES_END, I32, true, 0),
            reserve: out.constant(I32, 0),
            largest: 0,
            stack_pointer: module.exported("__stack_pointer", wasmparser::ExternalKind::Global),
            jumps: None,
            tag: out.new_tag(),
            moves: BTreeMap::new(),
            site_moves: None,
            note: None,
            land: None,
        }
    }

    pub fn finish(&self, out: &mut Output) {
        out.set_init(self.reserve, i64::from(self.largest));
    }

    /// Locals in groups that one call moves, and the size of their frame.
    pub fn groups(&mut self, locals: &[(u32, ValType)]) -> Vec<(ValType, Vec<u32>)> {
        let mut by_type: BTreeMap<u8, (ValType, Vec<u32>)> = BTreeMap::new();
        let mut total = 4;
        for (local, ty) in locals {
            let (bytes, key) = size(*ty);
            total += bytes;
            by_type.entry(key).or_insert((*ty, Vec::new())).1.push(*local);
        }
        self.largest = self.largest.max(total);
        let mut groups = Vec::new();
        for (ty, locals) in by_type.into_values() {
            let mut rest = &locals[..];
            for count in GROUPS {
                while rest.len() >= count {
                    groups.push((ty, rest[..count].to_vec()));
                    rest = &rest[count..];
                }
            }
        }
        groups
    }

    /// The function that puts `count` values into the buffer.
    pub fn push(&mut self, out: &mut Output, ty: ValType, count: usize) -> u32 {
        let (bytes, key) = size(ty);
        if let Some(found) = self.moves.get(&(true, key, count)) {
            return *found;
        }
        let mut body = Function::new([]);
        let mut code = body.instructions();
        for n in 0..count as u32 {
            code.global_get(self.frames).local_get(n);
            let to = at(u64::from(n * bytes));
            match ty {
                ValType::I32 => code.i32_store(to),
                ValType::I64 => code.i64_store(to),
                ValType::F32 => code.f32_store(to),
                ValType::F64 => code.f64_store(to),
                _ => code.v128_store(to),
            };
        }
        code.global_get(self.frames).i32_const((count as u32 * bytes) as i32).i32_add();
        code.global_set(self.frames).end();
        let name = format!("linux.push_{}x{count}", name(ty));
        let made = out.function(name, &vec![ty; count], &[], body);
        self.moves.insert((true, key, count), made);
        made
    }

    /// The function that takes `count` values from the buffer.
    pub fn pop(&mut self, out: &mut Output, ty: ValType, count: usize) -> u32 {
        let (bytes, key) = size(ty);
        if let Some(found) = self.moves.get(&(false, key, count)) {
            return *found;
        }
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.global_get(self.frames).i32_const((count as u32 * bytes) as i32).i32_sub();
        code.global_set(self.frames);
        for n in 0..count as u32 {
            code.global_get(self.frames);
            let from = at(u64::from(n * bytes));
            match ty {
                ValType::I32 => code.i32_load(from),
                ValType::I64 => code.i64_load(from),
                ValType::F32 => code.f32_load(from),
                ValType::F64 => code.f64_load(from),
                _ => code.v128_load(from),
            };
        }
        code.end();
        let name = format!("linux.pop_{}x{count}", name(ty));
        let made = out.function(name, &[], &vec![ty; count], body);
        self.moves.insert((false, key, count), made);
        made
    }

    /// The functions that put a site's number on top of a frame and take it.
    ///
    /// Putting it completes the frame. If another one might then not fit, it
    /// turns the direction and returns 1: this frame fits always, because the
    /// frame before left room for it.
    pub fn site_moves(&mut self, out: &mut Output) -> (u32, u32) {
        if let Some(found) = self.site_moves {
            return found;
        }
        let push = self.push(out, I32, 1);
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.local_get(0).call(push);
        self.is_full(&mut code);
        code.if_(BlockType::Result(I32));
        code.i32_const(RESTORING).global_set(self.state).i32_const(1);
        code.else_().i32_const(0).end().end();
        let push = out.function("linux.push_site", &[I32], &[I32], body);
        let pop = self.pop(out, I32, 1);
        self.site_moves = Some((push, pop));
        (push, pop)
    }

    fn is_full(&self, code: &mut wasm_encoder::InstructionSink) {
        code.global_get(self.frames_end).global_get(self.frames).i32_sub();
        code.global_get(self.reserve).i32_lt_u();
    }

    /// Stands for an import that forks: if no frame fits the buffer, the engine
    /// is told at once.
    pub fn fork(&mut self, out: &mut Output, name: &str, import: u32) -> u32 {
        let mut body = Function::new([(1, I32)]);
        let mut code = body.instructions();
        code.call(import).local_set(0);
        code.global_get(self.state).i32_const(SAVING).i32_eq();
        self.is_full(&mut code);
        code.i32_and().if_(BlockType::Empty);
        code.i32_const(RESTORING).global_set(self.state).call(import).local_set(0).end();
        code.local_get(0).end();
        out.function(format!("linux.{name}"), &[], &[I32], body)
    }

    /// `(buffer, invocation, site) -> invocation`: fills a jump buffer, and
    /// numbers the invocation if it has no number yet.
    pub fn note_jump(&mut self, out: &mut Output) -> u32 {
        if let Some(found) = self.note {
            return found;
        }
        let jumps = *self.jumps.get_or_insert_with(|| out.global(JUMPS, I64, true, 0));
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.local_get(1).i64_eqz().if_(BlockType::Empty);
        code.global_get(jumps).i64_const(1).i64_add().global_set(jumps);
        code.global_get(jumps).local_set(1).end();
        code.local_get(0).local_get(1).i64_store(at(0));
        code.local_get(0).local_get(2).i32_store(at(8));
        if let Some(stack_pointer) = self.stack_pointer {
            code.local_get(0).global_get(stack_pointer).i32_store(at(12));
        }
        code.local_get(1).end();
        let made = out.function("linux.setjmp", &[I32, I64, I32], &[I64], body);
        self.note = Some(made);
        made
    }

    /// `(buffer, value, invocation) -> site`: where a jump that was caught goes
    /// on. It goes on in the air if the buffer is not this invocation's.
    pub fn land(&mut self, out: &mut Output) -> u32 {
        if let Some(found) = self.land {
            return found;
        }
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.local_get(2).i64_eqz();
        code.local_get(0).i64_load(at(0)).local_get(2).i64_ne();
        code.i32_or().if_(BlockType::Empty);
        code.local_get(0).local_get(1).throw(self.tag).end();
        if let Some(stack_pointer) = self.stack_pointer {
            code.local_get(0).i32_load(at(12)).global_set(stack_pointer);
        }
        code.local_get(0).i32_load(at(8)).end();
        let made = out.function("linux.land", &[I32, I32, I64], &[I32], body);
        self.land = Some(made);
        made
    }

    /// Stands for the import `longjmp`.
    pub fn longjmp(&mut self, out: &mut Output) -> u32 {
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.local_get(0).local_get(1).i32_const(1).local_get(1).select().throw(self.tag).end();
        out.function("linux.longjmp", &[I32, I32], &[], body)
    }

    pub fn tag(&self) -> u32 {
        self.tag
    }
}

fn name(ty: ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        _ => "v128",
    }
}
