//! Which locals a call's continuation may still read.
//!
//! Backward over the structured code, again and again until no loop's header
//! changes. What can throw continues in the handlers around it; in a function
//! that calls setjmp every call can continue behind each setjmp.

use std::collections::BTreeMap;

use wasmparser::{Catch, Operator};

use super::body::{is_divider, is_end, is_start, Body};

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Set(Vec<u64>);

impl Set {
    fn new(size: usize) -> Self {
        Set(vec![0; size.div_ceil(64)])
    }

    fn insert(&mut self, n: u32) {
        self.0[n as usize / 64] |= 1 << (n % 64);
    }

    fn remove(&mut self, n: u32) {
        self.0[n as usize / 64] &= !(1 << (n % 64));
    }

    fn clear(&mut self) {
        self.0.fill(0);
    }

    fn add(&mut self, other: &Set) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.0.len() as u32 * 64).filter(|n| self.0[*n as usize / 64] >> (n % 64) & 1 != 0)
    }
}

/// An open structure, seen from its end.
struct Frame {
    start: usize,
    /// Live where a branch to it goes.
    label: Set,
    /// Live behind it.
    after: Set,
    /// Live at the beginnings of arms that were passed.
    arms: Set,
    has_else: bool,
    /// Live in its handlers, which guard what is passed now.
    handlers: Option<Set>,
}

struct Walk<'b, 'a> {
    body: &'b Body<'a>,
    /// Live at each loop's header, as far as known.
    headers: BTreeMap<usize, Set>,
    /// Live behind some setjmp, as far as known.
    behind_setjmp: Set,
    after_call: BTreeMap<usize, Set>,
    changed: bool,
}

/// For each reachable call: the locals that are live behind it.
pub fn after_calls(body: &Body, setjmp: Option<u32>) -> BTreeMap<usize, Set> {
    let mut walk = Walk {
        body,
        headers: BTreeMap::new(),
        behind_setjmp: Set::new(body.locals.len()),
        after_call: BTreeMap::new(),
        changed: true,
    };
    while std::mem::take(&mut walk.changed) {
        walk.pass(setjmp);
    }
    walk.after_call
}

impl Walk<'_, '_> {
    fn pass(&mut self, setjmp: Option<u32>) {
        let empty = Set::new(self.body.locals.len());
        let mut live = empty.clone();
        let mut frames = vec![Frame {
            start: usize::MAX,
            label: empty.clone(),
            after: empty.clone(),
            arms: empty.clone(),
            has_else: false,
            handlers: None,
        }];
        // The last `end` is the function's.
        for index in (0..self.body.ops.len() - 1).rev() {
            let op = &self.body.ops[index];
            if is_end(&op.op) {
                frames.push(self.enter(op.partner, &live, &frames));
            } else if is_divider(&op.op) {
                let frame = frames.last_mut().expect("it is open");
                if matches!(op.op, Operator::Else) {
                    frame.has_else = true;
                    frame.arms = live.clone();
                } else {
                    frame.arms.add(&live);
                    frame.handlers = Some(frame.arms.clone());
                }
                live = frame.after.clone();
            } else if is_start(&op.op) {
                self.leave(index, frames.pop().expect("it is open"), &mut live);
            } else if op.reachable {
                self.step(index, setjmp, &frames, &mut live);
            }
        }
    }

    fn enter(&mut self, start: usize, live: &Set, outer: &[Frame]) -> Frame {
        let empty = Set::new(self.body.locals.len());
        let label = match &self.body.ops[start].op {
            Operator::Loop { .. } => self.headers.get(&start).unwrap_or(&empty).clone(),
            _ => live.clone(),
        };
        let handlers = match &self.body.ops[start].op {
            Operator::TryTable { try_table } => {
                let mut handlers = empty.clone();
                for catch in &try_table.catches {
                    let (Catch::One { label, .. }
                    | Catch::OneRef { label, .. }
                    | Catch::All { label }
                    | Catch::AllRef { label }) = catch;
                    handlers.add(&outer[outer.len() - 1 - *label as usize].label);
                }
                Some(handlers)
            }
            _ => None,
        };
        Frame { start, label, after: live.clone(), arms: empty, has_else: false, handlers }
    }

    fn leave(&mut self, index: usize, frame: Frame, live: &mut Set) {
        debug_assert_eq!(frame.start, index);
        match &self.body.ops[index].op {
            Operator::Loop { .. } if self.headers.get(&index) != Some(live) => {
                self.headers.insert(index, live.clone());
                self.changed = true;
            }
            Operator::If { .. } => {
                live.add(if frame.has_else { &frame.arms } else { &frame.after });
            }
            // A handler may be entered before anything in the body ran.
            Operator::Try { .. } => live.add(&frame.arms),
            _ => {}
        }
    }

    fn step(&mut self, index: usize, setjmp: Option<u32>, frames: &[Frame], live: &mut Set) {
        let label = |depth: u32| &frames[frames.len() - 1 - depth as usize].label;
        let thrown = |live: &mut Set| {
            for handlers in frames.iter().filter_map(|f| f.handlers.as_ref()) {
                live.add(handlers);
            }
        };
        match &self.body.ops[index].op {
            Operator::LocalGet { local_index } => live.insert(*local_index),
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                live.remove(*local_index);
            }
            Operator::Br { relative_depth } => *live = label(*relative_depth).clone(),
            Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth } => live.add(label(*relative_depth)),
            Operator::BrTable { targets } => {
                *live = label(targets.default()).clone();
                for target in targets.targets().flatten() {
                    live.add(label(target));
                }
            }
            Operator::Return | Operator::Unreachable => live.clear(),
            Operator::Throw { .. } | Operator::ThrowRef | Operator::Rethrow { .. } => {
                live.clear();
                thrown(live);
            }
            Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. } => {
                let is_setjmp = matches!(&self.body.ops[index].op,
                    Operator::Call { function_index } if Some(*function_index) == setjmp);
                if is_setjmp {
                    let mut behind = self.behind_setjmp.clone();
                    behind.add(live);
                    if behind != self.behind_setjmp {
                        self.behind_setjmp = behind;
                        self.changed = true;
                    }
                }
                thrown(live);
                live.add(&self.behind_setjmp);
                self.after_call.insert(index, live.clone());
            }
            _ => {}
        }
    }
}
