//! The operand stack while a function is rewritten.
//!
//! A way back into the middle of a function enters blocks with an empty stack.
//! So what crosses a site is not on the stack: it is a constant, a local that
//! nothing writes meanwhile, or put into a local of its own when it is made.
//! Everything else stays where the compiler put it.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::InstructionSink;
use wasmparser::{Operator, ValType};

use super::body::Body;
use super::sites::Sites;
use crate::output::Mapper;
use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the operand stack.
    Stack,
    /// What the constant instruction at this index gives.
    Constant(usize),
    Local(u32),
    /// A local that is this value's alone.
    Own(u32),
}

#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub value: usize,
    pub place: Place,
}

/// Locals beyond the function's own.
pub struct Locals {
    pub types: Vec<ValType>,
    free: Vec<(ValType, u32)>,
}

impl Locals {
    pub fn new(types: &[ValType]) -> Self {
        Locals { types: types.to_vec(), free: Vec::new() }
    }

    pub fn fresh(&mut self, ty: ValType) -> u32 {
        self.types.push(ty);
        self.types.len() as u32 - 1
    }

    fn take(&mut self, ty: ValType) -> u32 {
        match self.free.iter().rposition(|(t, _)| *t == ty) {
            Some(n) => self.free.swap_remove(n).1,
            None => self.fresh(ty),
        }
    }

    fn give_back(&mut self, local: u32) {
        self.free.push((self.types[local as usize], local));
    }
}

pub struct Stack<'b, 'a> {
    pub body: &'b Body<'a>,
    pub sites: &'b Sites,
    pub slots: Vec<Slot>,
    pub locals: Locals,
}

impl<'b, 'a> Stack<'b, 'a> {
    pub fn new(body: &'b Body<'a>, sites: &'b Sites) -> Self {
        Stack { body, sites, slots: Vec::new(), locals: Locals::new(&body.locals) }
    }

    fn ty(&self, value: usize) -> ValType {
        self.body.values[value]
    }

    /// The local of its own that a value gets. One that a second return from
    /// setjmp needs is never used for anything else.
    fn own(&mut self, value: usize) -> u32 {
        let ty = self.ty(value);
        if self.sites.jumped[value] {
            self.locals.fresh(ty)
        } else {
            self.locals.take(ty)
        }
    }

    pub fn release(&mut self, slot: Slot) {
        if let Place::Own(local) = slot.place {
            if !self.sites.jumped[slot.value] {
                self.locals.give_back(local);
            }
        }
    }

    /// Where a value goes that need not be computed, if it crosses a site.
    fn lazy(&self, op: usize, value: usize) -> Option<Place> {
        let life = |local: u32| {
            let writes = &self.sites.writes[local as usize];
            let next = writes.partition_point(|w| *w <= op);
            writes.get(next).is_none_or(|w| *w > self.sites.until[value])
        };
        match self.body.ops[op].op {
            Operator::I32Const { .. }
            | Operator::I64Const { .. }
            | Operator::F32Const { .. }
            | Operator::F64Const { .. } => Some(Place::Constant(op)),
            Operator::LocalGet { local_index } | Operator::LocalTee { local_index }
                if life(local_index) =>
            {
                Some(Place::Local(local_index))
            }
            _ => None,
        }
    }

    /// Writes an instruction that is only a constant or a local, if its value
    /// is better had later. False when it must be written as it is.
    pub fn defer(&mut self, code: &mut Vec<u8>, op: usize) -> bool {
        let value = self.body.ops[op].first_push;
        if self.body.ops[op].pushes != 1 || !self.sites.crosses[value] {
            return false;
        }
        let Some(place) = self.lazy(op, value) else { return false };
        if let Operator::LocalTee { local_index } = self.body.ops[op].op {
            InstructionSink::new(code).local_set(local_index);
        }
        self.slots.push(Slot { value, place });
        true
    }

    pub fn get(&self, map: &mut Mapper, code: &mut Vec<u8>, place: Place) -> Result<(), Error> {
        match place {
            Place::Stack => {}
            Place::Constant(op) => {
                let op = self.body.ops[op].op.clone();
                wasm_encoder::Encode::encode(&map.instruction(op)?, code);
            }
            Place::Local(local) | Place::Own(local) => {
                InstructionSink::new(code).local_get(local);
            }
        }
        Ok(())
    }

    /// Brings the upper `count` values onto the operand stack in their order,
    /// for an instruction that takes them, and forgets them. `any_order` is for
    /// an instruction of two operands that may be swapped.
    pub fn take(
        &mut self,
        map: &mut Mapper,
        code: &mut Vec<u8>,
        count: usize,
        any_order: bool,
    ) -> Result<(), Error> {
        let from = self.slots.len() - count;
        let taken = self.slots.split_off(from);
        let first = taken.iter().position(|s| s.place != Place::Stack).unwrap_or(count);
        // What lies on the stack above something that does not steps aside.
        let mut above: Vec<Slot> = taken[first..].to_vec();
        let swapped = any_order && above.len() == 2 && above[1].place == Place::Stack;
        if !swapped {
            for slot in above.iter_mut().rev().filter(|s| s.place == Place::Stack) {
                let local = self.locals.take(self.body.values[slot.value]);
                InstructionSink::new(code).local_set(local);
                slot.place = Place::Own(local);
            }
        }
        for slot in &above {
            self.get(map, code, slot.place)?;
        }
        for (slot, was) in above.iter().zip(&taken[first..]) {
            match slot.place {
                // Stepped aside only for this.
                Place::Own(local) if was.place == Place::Stack => self.locals.give_back(local),
                _ => self.release(*slot),
            }
        }
        Ok(())
    }

    /// Notes what an instruction has pushed, and moves what crosses a site off
    /// the stack.
    pub fn push(&mut self, code: &mut Vec<u8>, op: usize) {
        let op = &self.body.ops[op];
        let values = op.first_push..op.first_push + op.pushes;
        let crossing = values.clone().filter(|v| self.sites.crosses[*v]).count();
        let mut slots: Vec<Slot> =
            values.map(|value| Slot { value, place: Place::Stack }).collect();
        if crossing > 0 {
            // What crosses a site lies below what does not.
            let mut aside = Vec::new();
            for slot in slots.iter().skip(crossing).rev() {
                let local = self.locals.take(self.body.values[slot.value]);
                InstructionSink::new(code).local_set(local);
                aside.push(local);
            }
            for slot in slots.iter_mut().take(crossing).rev() {
                let local = self.own(slot.value);
                InstructionSink::new(code).local_set(local);
                slot.place = Place::Own(local);
            }
            for local in aside.into_iter().rev() {
                InstructionSink::new(code).local_get(local);
                self.locals.give_back(local);
            }
        }
        self.slots.append(&mut slots);
    }

    /// Forgets what lies above `height`: control has left it.
    pub fn truncate(&mut self, height: usize) {
        for slot in self.slots.split_off(height) {
            self.release(slot);
        }
    }
}
