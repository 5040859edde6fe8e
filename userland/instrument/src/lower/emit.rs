//! Rewrites the code of one function so that it can be entered at its sites.
//!
//! A region (the body, or an arm of a structure) with sites becomes
//!
//! ```text
//!  block                      one for each item, the last one outermost
//!    block
//!      resume? br_table       normally one branch that is not taken
//!      code before item 1
//!    end
//!    item 1: a site           resume = 0; call; state? br save
//!    code between
//!  end
//!  item 2: a structure        which dispatches further inside
//!  code behind
//! ```
//!
//! so normal execution pays one branch for each entry of a region and one
//! behind each call, and code without sites stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Encode, Instruction, InstructionSink};
use wasmparser::Operator;

use super::abi::Abi;
use super::body::{block_type, is_divider, is_end, is_start, Body};
use super::liveness::Set;
use super::sites::{Item, Kind, Sites, FUNCTION};
use super::stack::{Place, Slot, Stack};
use crate::output::Output;
use crate::{relabel, Error};

/// Locals of the machinery.
#[derive(Clone, Copy)]
pub struct Machine {
    /// The site to go to; 0 is none.
    pub resume: u32,
    /// Of a function that calls setjmp: which of its invocations this is, and
    /// what setjmp returns.
    pub invocation: u32,
    pub jump_value: u32,
    /// Depth of the block whose end saves the frame.
    pub save_level: u32,
}

/// A structure that is open.
struct Frame {
    start: usize,
    /// Depth of the label that branches to it go to.
    level: u32,
    height: usize,
    /// Condition of an `if` with sites: it must choose the same arm again.
    condition: Option<Slot>,
    params: Vec<Slot>,
    carrier: Option<Carrier>,
}

/// A loop with parameters and sites: its parameters go through locals.
struct Carrier {
    locals: Vec<u32>,
    out_level: u32,
    loop_level: u32,
}

pub struct Emit<'e, 'm, 'a> {
    pub out: &'e mut Output<'m, 'a>,
    pub abi: &'e mut Abi,
    pub body: &'e Body<'a>,
    pub sites: &'e Sites,
    pub after_calls: &'e BTreeMap<usize, Set>,
    pub machine: Machine,
    pub stack: Stack<'e, 'a>,
    pub code: Vec<u8>,
    /// Blocks that are open.
    pub level: u32,
    /// Locals that some site must save.
    pub saved: BTreeSet<u32>,
    frames: Vec<Frame>,
    /// Items whose label is open, the next one last.
    labels: Vec<Item>,
}

impl<'e, 'm, 'a> Emit<'e, 'm, 'a> {
    pub fn new(
        out: &'e mut Output<'m, 'a>,
        abi: &'e mut Abi,
        stack: Stack<'e, 'a>,
        after_calls: &'e BTreeMap<usize, Set>,
        machine: Machine,
    ) -> Self {
        let (body, sites) = (stack.body, stack.sites);
        Emit {
            out,
            abi,
            body,
            sites,
            after_calls,
            machine,
            stack,
            code: Vec::new(),
            level: 0,
            saved: BTreeSet::new(),
            frames: Vec::new(),
            labels: Vec::new(),
        }
    }

    pub fn sink(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    /// Writes the body; ends with a `return`.
    pub fn body(&mut self) -> Result<(), Error> {
        self.region(FUNCTION);
        let last = self.body.ops.len() - 1;
        let mut index = 0;
        while index < last {
            let op = &self.body.ops[index];
            if is_start(&op.op) && !op.reachable {
                index = op.partner;
            } else if is_divider(&op.op) || is_end(&op.op) {
                self.divide_or_end(index)?;
            } else if op.reachable {
                self.step(index)?;
            }
            index += 1;
        }
        if self.body.ops[last].reachable {
            let count = self.stack.slots.len();
            self.take(count, false)?;
            self.sink().return_();
        }
        Ok(())
    }

    fn take(&mut self, count: usize, any_order: bool) -> Result<(), Error> {
        self.stack.take(&mut self.out.map, &mut self.code, count, any_order)
    }

    fn instruction(&mut self, op: Operator<'a>) -> Result<(), Error> {
        let (level, frames) = (self.level, &self.frames);
        let depth = |relative| depth(level, frames, relative);
        relabel::instruction(&mut self.out.map, op, depth)?.encode(&mut self.code);
        Ok(())
    }

    /// Opens the labels of a region's items and writes its dispatcher.
    fn region(&mut self, arm: usize) {
        let Some(items) = self.sites.regions.get(&arm) else { return };
        for item in items.iter().rev() {
            self.sink().block(BlockType::Empty);
            self.level += 1;
            self.labels.push(*item);
        }
        let resume = self.machine.resume;
        let mut code = InstructionSink::new(&mut self.code);
        if let [_] = items[..] {
            code.local_get(resume).br_if(0);
            return;
        }
        code.local_get(resume).if_(BlockType::Empty).local_get(resume);
        let first = items[0].first;
        let mut targets = Vec::new();
        if first > 1 {
            code.i32_const(first as i32).i32_sub();
        } else {
            targets.push(1); // 0 does not get here
        }
        for (n, item) in items.iter().enumerate() {
            targets.extend((item.first..=item.last).map(|_| n as u32 + 1));
        }
        let last = targets.pop().expect("there are sites");
        code.br_table(targets, last).end();
    }

    /// The label of the item at `index` is here.
    fn label(&mut self, index: usize) {
        let item = self.labels.pop().expect("its label is open");
        debug_assert_eq!(item.at, index);
        debug_assert!(self.above_region().iter().all(|s| s.place != Place::Stack));
        self.sink().end();
        self.level -= 1;
    }

    fn above_region(&self) -> &[Slot] {
        &self.stack.slots[self.frames.last().map_or(0, |f| f.height)..]
    }

    fn step(&mut self, index: usize) -> Result<(), Error> {
        let op = &self.body.ops[index];
        match self.sites.kinds.get(&index) {
            Some(Kind::Call) => return self.call(index),
            Some(Kind::Setjmp) => return self.setjmp(index),
            _ => {}
        }
        if is_start(&op.op) {
            return self.open(index);
        }
        self.take(op.pops, is_commutative(&op.op))?;
        if self.stack.defer(&mut self.code, index) {
            return Ok(());
        }
        self.instruction(op.op.clone())?;
        if self.sites.kinds.get(&index) == Some(&Kind::Barrier) {
            let state = self.abi.state;
            self.sink().global_get(state).if_(BlockType::Empty).unreachable().end();
        }
        self.stack.push(&mut self.code, index);
        Ok(())
    }

    fn call(&mut self, index: usize) -> Result<(), Error> {
        let op = &self.body.ops[index];
        let number = self.labels.last().expect("its label is open").first;
        self.label(index);
        self.save_at(index);
        let (resume, state) = (self.machine.resume, self.abi.state);
        if self.sites.resets {
            self.sink().i32_const(0).local_set(resume);
        }
        self.take(op.pops, false)?;
        self.instruction(op.op.clone())?;
        let depth = self.level - self.machine.save_level;
        self.sink().i32_const(number as i32).global_get(state).br_if(depth).drop();
        self.stack.push(&mut self.code, index);
        Ok(())
    }

    /// What must be saved to go on behind this call.
    fn save_at(&mut self, index: usize) {
        let op = &self.body.ops[index];
        self.saved.extend(self.after_calls[&index].iter());
        let slots = &self.stack.slots;
        // Arguments are not needed, since the callee has its own; but which
        // function it is must be known.
        let is_indirect = matches!(op.op, Operator::CallIndirect { .. });
        let kept = slots.len() - op.pops;
        let callee = if is_indirect { slots.last() } else { None };
        let entries = self.frames.iter().flat_map(|f| f.condition.iter());
        for slot in slots[..kept].iter().chain(callee).chain(entries) {
            if let Place::Local(local) | Place::Own(local) = slot.place {
                self.saved.insert(local);
            }
        }
    }

    fn setjmp(&mut self, index: usize) -> Result<(), Error> {
        let number = self.labels.last().expect("its label is open").first;
        let Machine { resume, invocation, jump_value, .. } = self.machine;
        let note = self.abi.note_jump(self.out);
        self.take(1, false)?;
        self.sink()
            .local_get(invocation)
            .i32_const(number as i32)
            .call(note)
            .local_set(invocation)
            .i32_const(0)
            .local_set(jump_value);
        self.label(index);
        self.sink().i32_const(0).local_set(resume).local_get(jump_value);
        self.stack.push(&mut self.code, index);
        Ok(())
    }

    fn open(&mut self, index: usize) -> Result<(), Error> {
        let op = &self.body.ops[index];
        if !self.sites.structures.contains(&index) {
            self.take(op.pops, false)?;
            self.instruction(op.op.clone())?;
            self.level += 1;
            let height = self.stack.slots.len();
            self.frame(index, height, None, Vec::new(), None);
            self.stack.push(&mut self.code, index);
            return Ok(());
        }
        let mut entry = self.stack.slots.split_off(self.stack.slots.len() - op.pops);
        let is_loop = matches!(op.op, Operator::Loop { .. });
        let carried = if is_loop { self.carry(&mut entry)? } else { Vec::new() };
        self.label(index);
        let is_if = matches!(op.op, Operator::If { .. });
        let condition = if is_if { entry.pop() } else { None };
        let height = self.stack.slots.len();
        let ty = self.results_only(index)?;
        let mut carrier = None;
        match &op.op {
            Operator::Loop { .. } if !carried.is_empty() => {
                carrier = Some(self.open_carrier(ty, carried)?);
            }
            Operator::Loop { .. } => {
                self.sink().loop_(ty);
            }
            Operator::If { .. } => {
                let place = condition.expect("an if has one").place;
                self.stack.get(&mut self.out.map, &mut self.code, place)?;
                self.sink().if_(ty);
            }
            Operator::TryTable { try_table } => {
                let (level, frames) = (self.level, &self.frames);
                let depth = |relative| depth(level, frames, relative);
                let catches = relabel::catches(&mut self.out.map, try_table, depth)?;
                self.sink().try_table(ty, catches);
            }
            Operator::Try { .. } => {
                Instruction::Try(ty).encode(&mut self.code);
            }
            _ => {
                self.sink().block(ty);
            }
        }
        self.level += 1;
        // Inside, the parameters are where they were outside.
        let params: Vec<Slot> = entry
            .iter()
            .enumerate()
            .map(|(n, slot)| Slot { value: op.first_push + n, place: borrowed(slot.place) })
            .collect();
        self.stack.slots.extend(&params);
        self.frame(index, height, condition, params, carrier);
        self.region(index);
        Ok(())
    }

    fn frame(
        &mut self,
        start: usize,
        height: usize,
        condition: Option<Slot>,
        params: Vec<Slot>,
        carrier: Option<Carrier>,
    ) {
        self.frames.push(Frame { start, level: self.level, height, condition, params, carrier });
    }

    /// Puts a loop's parameters into locals. This is before the loop's label:
    /// whoever comes back into the loop brings his own.
    fn carry(&mut self, entry: &mut [Slot]) -> Result<Vec<u32>, Error> {
        let mut locals = Vec::new();
        for slot in entry.iter() {
            self.stack.get(&mut self.out.map, &mut self.code, slot.place)?;
            locals.push(self.stack.locals.fresh(self.body.values[slot.value]));
        }
        for (slot, local) in entry.iter_mut().zip(&locals).rev() {
            self.sink().local_set(*local);
            slot.place = Place::Local(*local);
        }
        Ok(locals)
    }

    /// A loop whose parameters are locals: `block $out loop block $next`, and
    /// what branches to the loop leaves `$next` with the new parameters.
    fn open_carrier(&mut self, ty: BlockType, locals: Vec<u32>) -> Result<Carrier, Error> {
        let mut results = Vec::new();
        for local in &locals {
            results.push(self.out.map.val_type(self.stack.locals.types[*local as usize])?);
        }
        let next = BlockType::FunctionType(self.out.ty(&[], &results));
        self.sink().block(ty).loop_(BlockType::Empty).block(next);
        self.level += 2;
        Ok(Carrier { locals, out_level: self.level - 1, loop_level: self.level })
    }

    fn results_only(&mut self, index: usize) -> Result<BlockType, Error> {
        let op = &self.body.ops[index];
        let ty = block_type(&op.op).expect("it is a structure");
        if op.pushes == 0 {
            return Ok(self.out.map.block_type(ty)?);
        }
        let end = &self.body.ops[op.partner];
        let mut results = Vec::new();
        for value in end.first_push..end.first_push + end.pushes {
            results.push(self.out.map.val_type(self.body.values[value])?);
        }
        Ok(BlockType::FunctionType(self.out.ty(&[], &results)))
    }

    fn divide_or_end(&mut self, index: usize) -> Result<(), Error> {
        let op = &self.body.ops[index];
        let frame = self.frames.last().expect("it is open");
        let (height, has_sites) = (frame.height, self.sites.structures.contains(&frame.start));
        if op.reachable {
            let count = self.stack.slots.len() - height;
            self.take(count, false)?;
        }
        self.stack.truncate(height);
        if is_divider(&op.op) {
            self.instruction(op.op.clone())?;
            if has_sites && matches!(op.op, Operator::Else) {
                let params = self.frames.last().expect("it is open").params.clone();
                self.stack.slots.extend(params);
            } else {
                self.stack.push(&mut self.code, index);
            }
            self.region(index);
            return Ok(());
        }
        let frame = self.frames.pop().expect("it is open");
        match (&op.op, frame.carrier) {
            (Operator::Delegate { relative_depth }, _) => {
                // Counted from outside the structure.
                let depth = depth(self.level, &self.frames, *relative_depth) - 1;
                self.sink().delegate(depth);
            }
            (_, Some(carrier)) => {
                if op.reachable {
                    let depth = self.level - carrier.out_level;
                    self.sink().br(depth);
                }
                self.sink().end();
                for local in carrier.locals.iter().rev() {
                    self.sink().local_set(*local);
                }
                let depth = self.level - 1 - carrier.loop_level;
                self.sink().br(depth).end().unreachable().end();
                self.level -= 2;
            }
            _ => {
                self.sink().end();
            }
        }
        self.level -= 1;
        if let Some(condition) = frame.condition {
            self.stack.release(condition);
        }
        self.stack.push(&mut self.code, index);
        Ok(())
    }
}

/// The depth now, with `level` blocks open, of the label that was at `relative`.
fn depth(level: u32, frames: &[Frame], relative: u32) -> u32 {
    let n = frames.len() as u32;
    if relative == n {
        level
    } else {
        level - frames[(n - 1 - relative) as usize].level
    }
}

/// A parameter that is known under another name too is nobody's to free.
fn borrowed(place: Place) -> Place {
    match place {
        Place::Own(local) => Place::Local(local),
        other => other,
    }
}

fn is_commutative(op: &Operator) -> bool {
    matches!(
        op,
        Operator::I32Add
            | Operator::I32Mul
            | Operator::I32And
            | Operator::I32Or
            | Operator::I32Xor
            | Operator::I32Eq
            | Operator::I32Ne
            | Operator::I64Add
            | Operator::I64Mul
            | Operator::I64And
            | Operator::I64Or
            | Operator::I64Xor
            | Operator::I64Eq
            | Operator::I64Ne
    )
}
