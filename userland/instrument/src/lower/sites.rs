//! Where a function can be left and entered again, and which values must
//! survive that outside the operand stack.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{Operator, ValType};

use super::body::{is_divider, is_end, is_start, Body};
use super::liveness::Set;
use crate::graph::Reach;
use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A call that may find the frames being saved.
    Call,
    /// A call to setjmp.
    Setjmp,
    /// A call whose frame cannot be saved: in a handler of an exception, or
    /// across a reference. Forking there is a trap.
    Barrier,
}

/// What a region's dispatcher can go to: a site, or a structure with sites.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    pub at: usize,
    /// Numbers of the sites in it.
    pub first: u32,
    pub last: u32,
}

/// The region that is a function's body.
pub const FUNCTION: usize = usize::MAX;

#[derive(Default)]
pub struct Sites {
    pub kinds: BTreeMap<usize, Kind>,
    /// For each region with sites, by the instruction that begins it.
    pub regions: BTreeMap<usize, Vec<Item>>,
    /// Structures with sites.
    pub structures: BTreeSet<usize>,
    /// Whether a value must be outside the operand stack, because a site lies
    /// in its life or behind it the way back in.
    pub crosses: Vec<bool>,
    /// Whether the value is needed whenever a setjmp returns again.
    pub jumped: Vec<bool>,
    /// The last instruction in each value's life.
    pub until: Vec<usize>,
    /// Instructions that write each local.
    pub writes: Vec<Vec<usize>>,
    pub calls: u32,
    pub setjmps: u32,
    /// Some site runs again, or another one behind it.
    pub resets: bool,
}

struct Open {
    start: usize,
    arm: usize,
    height: usize,
    /// Condition of an `if` and parameters.
    entry: Vec<usize>,
    is_handler: bool,
    is_loop: bool,
}

pub struct Finder<'b, 'a> {
    pub body: &'b Body<'a>,
    pub reach: Option<&'b Reach>,
    pub setjmp: Option<u32>,
    pub after_calls: &'b BTreeMap<usize, Set>,
}

impl Finder<'_, '_> {
    pub fn find(&self) -> Result<Sites, Error> {
        let body = self.body;
        let mut sites = Sites {
            crosses: vec![false; body.values.len()],
            jumped: vec![false; body.values.len()],
            until: vec![0; body.values.len()],
            writes: vec![Vec::new(); body.locals.len()],
            ..Sites::default()
        };
        let mut stack: Vec<usize> = Vec::new();
        let mut open = vec![Open {
            start: FUNCTION,
            arm: FUNCTION,
            height: 0,
            entry: Vec::new(),
            is_handler: false,
            is_loop: false,
        }];
        let mut number = 0;
        for (index, op) in body.ops.iter().enumerate() {
            let ends = is_end(&op.op);
            if ends || is_divider(&op.op) {
                let Some(frame) = open.last_mut() else { break };
                if frame.start == FUNCTION {
                    break;
                }
                if !body.ops[frame.start].reachable {
                    if ends {
                        open.pop();
                    }
                    continue;
                }
                for value in stack.drain(frame.height..) {
                    sites.until[value] = index;
                }
                if ends {
                    let frame = open.pop().expect("it is open");
                    self.close(&mut sites, &frame, index, &mut open);
                } else {
                    frame.arm = index;
                    frame.is_handler |= !matches!(op.op, Operator::Else);
                }
            } else if op.reachable {
                match op.op {
                    Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                        sites.writes[local_index as usize].push(index);
                    }
                    _ => {}
                }
                let kind = self.kind(index, &open, &stack)?;
                if let Some(kind) = kind {
                    sites.kinds.insert(index, kind);
                    if kind != Kind::Barrier {
                        number += 1;
                        self.mark(&mut sites, index, number, kind, &stack, &open);
                    }
                }
                let entry = stack.split_off(stack.len() - op.pops);
                for value in &entry {
                    sites.until[*value] = index;
                }
                if is_start(&op.op) {
                    open.push(Open {
                        start: index,
                        arm: index,
                        height: stack.len(),
                        entry,
                        is_handler: false,
                        is_loop: matches!(op.op, Operator::Loop { .. }),
                    });
                }
            } else if is_start(&op.op) {
                open.push(Open {
                    start: index,
                    arm: index,
                    height: stack.len(),
                    entry: Vec::new(),
                    is_handler: false,
                    is_loop: false,
                });
                continue;
            }
            stack.extend(op.first_push..op.first_push + op.pushes);
        }
        sites.resets |= number > 1;
        Ok(sites)
    }

    fn kind(&self, index: usize, open: &[Open], stack: &[usize]) -> Result<Option<Kind>, Error> {
        let op = &self.body.ops[index];
        let (tail, reaches) = match op.op {
            Operator::Call { function_index } if Some(function_index) == self.setjmp => {
                if open.iter().any(|o| o.is_handler) {
                    return Err(Error::Unsupported {
                        what: "a call to setjmp",
                        offset: op.offset,
                        why: "it is in a handler of an exception",
                    });
                }
                return Ok(Some(Kind::Setjmp));
            }
            Operator::Call { function_index } => {
                (false, self.reach.is_some_and(|r| r.function(function_index)))
            }
            Operator::CallIndirect { type_index, .. } => {
                (false, self.reach.is_some_and(|r| r.indirect(type_index)))
            }
            Operator::ReturnCall { function_index } => {
                (true, self.reach.is_some_and(|r| r.function(function_index)))
            }
            Operator::ReturnCallIndirect { type_index, .. } => {
                (true, self.reach.is_some_and(|r| r.indirect(type_index)))
            }
            _ => return Ok(None),
        };
        if !reaches {
            return Ok(None);
        }
        if tail {
            return Err(Error::Unsupported {
                what: "a tail call",
                offset: op.offset,
                why: "what it calls may fork",
            });
        }
        let kept = &stack[..stack.len() - op.pops];
        let is_ref = |ty: &ValType| matches!(ty, ValType::Ref(_));
        let entries = open.iter().flat_map(|o| &o.entry);
        let has_refs = kept.iter().chain(entries).any(|v| is_ref(&self.body.values[*v]))
            || self.after_calls[&index].iter().any(|l| is_ref(&self.body.locals[l as usize]));
        let is_barrier = has_refs || open.iter().any(|o| o.is_handler);
        Ok(Some(if is_barrier { Kind::Barrier } else { Kind::Call }))
    }

    fn mark(
        &self,
        sites: &mut Sites,
        index: usize,
        number: u32,
        kind: Kind,
        stack: &[usize],
        open: &[Open],
    ) {
        let arguments = if kind == Kind::Call { 0 } else { self.body.ops[index].pops };
        for value in &stack[..stack.len() - arguments] {
            sites.crosses[*value] = true;
            sites.jumped[*value] |= kind == Kind::Setjmp;
        }
        if kind == Kind::Setjmp {
            sites.setjmps += 1;
            sites.resets = true;
            for value in open.iter().flat_map(|o| &o.entry) {
                sites.jumped[*value] = true;
            }
        } else {
            sites.calls += 1;
        }
        sites.resets |= open.iter().any(|o| o.is_loop);
        let arm = open.last().expect("the function is open").arm;
        let item = Item { at: index, first: number, last: number };
        sites.regions.entry(arm).or_default().push(item);
    }

    /// Accounts for the sites in a structure that ends.
    fn close(&self, sites: &mut Sites, frame: &Open, end: usize, open: &mut [Open]) {
        let arms = (frame.start..end).filter(|i| {
            *i == frame.start
                || is_divider(&self.body.ops[*i].op) && self.body.ops[*i].partner == frame.start
        });
        let items: Vec<Item> =
            arms.filter_map(|arm| sites.regions.get(&arm)).flatten().copied().collect();
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return };
        let item = Item { at: frame.start, first: first.first, last: last.last };
        sites.structures.insert(frame.start);
        for value in &frame.entry {
            sites.crosses[*value] = true;
            sites.until[*value] = end;
        }
        let inner = &self.body.ops[frame.start];
        for value in inner.first_push..inner.first_push + inner.pushes {
            sites.crosses[value] = true;
            sites.until[value] = end;
        }
        let arm = open.last().expect("the function is open").arm;
        sites.regions.entry(arm).or_default().push(item);
    }
}
