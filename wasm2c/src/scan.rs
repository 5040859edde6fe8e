//! One pass over all bodies before any is translated: who calls whom, who
//! calls setjmp, what changes at run time.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{Catch, Operator};

use crate::module::{Const, FuncType, Module, Placement, Ty};
use crate::Error;

#[derive(Default)]
pub struct Scan {
    /// Direct callees of each function, with repetitions.
    pub calls: Vec<Vec<u32>>,
    /// Functions that call through a table.
    pub indirect: Vec<bool>,
    /// Tables that are called through, with the types.
    pub indirect_types: BTreeSet<(usize, usize)>,
    /// Tables changed by instructions, and tables read by `table.get`.
    pub tables_written: BTreeSet<u32>,
    pub tables_read: BTreeSet<u32>,
    /// Functions that become a reference outside constant tables.
    pub refs: BTreeSet<u32>,
    /// First use of what only some modes have.
    pub grows: bool,
    /// There is a `try` or a `throw`.
    pub tries: bool,
    pub waits: Option<u64>,
    /// Tags (or, `None`, all of them) caught by reference, with the place.
    pub by_ref: BTreeMap<Option<u32>, u64>,
}

pub fn scan(module: &Module<'_>) -> Result<Scan, Error> {
    let mut scan = Scan::default();
    for func in &module.funcs {
        let mut calls = Vec::new();
        let mut indirect = false;
        if let Some(body) = &func.body {
            for op in body.get_operators_reader()?.into_iter_with_offsets() {
                let (op, offset) = op?;
                match op {
                    Operator::Call { function_index } => calls.push(function_index),
                    Operator::CallIndirect { type_index, table_index } => {
                        indirect = true;
                        let ty = module.type_map[type_index as usize];
                        scan.indirect_types.insert((table_index as usize, ty));
                        check_results(&module.types[ty], offset)?;
                    }
                    Operator::RefFunc { function_index } => {
                        scan.refs.insert(function_index);
                    }
                    Operator::TableGet { table } => {
                        scan.tables_read.insert(table);
                    }
                    Operator::TableSet { table }
                    | Operator::TableGrow { table }
                    | Operator::TableFill { table }
                    | Operator::TableInit { table, .. } => {
                        scan.tables_written.insert(table);
                    }
                    Operator::TableCopy { dst_table, src_table } => {
                        scan.tables_written.extend([dst_table, src_table]);
                    }
                    Operator::MemoryGrow { .. } => scan.grows = true,
                    Operator::Try { .. } | Operator::ThrowRef => scan.tries = true,
                    Operator::TryTable { try_table } => {
                        scan.tries = true;
                        for catch in &try_table.catches {
                            match catch {
                                Catch::OneRef { tag, .. } => {
                                    scan.by_ref.entry(Some(*tag)).or_insert(offset);
                                }
                                Catch::AllRef { .. } => {
                                    scan.by_ref.entry(None).or_insert(offset);
                                }
                                _ => {}
                            }
                        }
                    }
                    Operator::MemoryAtomicWait32 { .. }
                    | Operator::MemoryAtomicWait64 { .. }
                    | Operator::MemoryAtomicNotify { .. } => {
                        scan.waits = scan.waits.or(Some(offset))
                    }
                    _ => {}
                }
            }
        }
        check_results(&module.types[func.ty], module.place(func))?;
        scan.calls.push(calls);
        scan.indirect.push(indirect);
    }
    for global in &module.globals {
        if let Some(Const::Func(f)) = global.init {
            scan.refs.insert(f);
        }
    }
    Ok(scan)
}

/// Results beyond the first go through `union w2c_value`.
fn check_results(ty: &FuncType, offset: u64) -> Result<(), Error> {
    match ty.results.iter().skip(1).any(|t| *t == Ty::Exn) {
        true => Err(Error::unsupported(offset, "an exnref as a further result of a function is")),
        false => Ok(()),
    }
}

/// Functions that cut every cycle of the call graph, few rather than fewest:
/// the targets of the back edges of a depth-first walk.
///
/// An indirect call may reach every function in a table, so all of them go
/// through one extra node; a cycle that closes there is cut at the caller.
pub fn cycle_heads(module: &Module<'_>, scan: &Scan) -> Vec<bool> {
    let n = module.funcs.len();
    let mut in_tables: Vec<u32> = module
        .elems
        .iter()
        .filter(|e| e.ty == Ty::Func && !matches!(e.placement, Placement::Declared))
        .flat_map(|e| &e.items)
        .filter_map(|c| if let Const::Func(f) = c { Some(*f) } else { None })
        .chain(scan.refs.iter().copied())
        .collect();
    in_tables.sort_unstable();
    in_tables.dedup();

    let any = n;
    let edges: Vec<Vec<usize>> = (0..n)
        .map(|f| {
            let mut to: Vec<usize> = scan.calls[f].iter().map(|c| *c as usize).collect();
            if scan.indirect[f] {
                to.push(any);
            }
            to
        })
        .chain([in_tables.iter().map(|f| *f as usize).collect()])
        .collect();

    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; n + 1];
    let mut heads = vec![false; n];
    for root in 0..n {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let Some(&to) = edges[node].get(*next) else {
                marks[node] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match marks[to] {
                Mark::New => {
                    marks[to] = Mark::Open;
                    path.push((to, 0));
                }
                Mark::Open => heads[if to == any { node } else { to }] = true,
                Mark::Done => {}
            }
        }
    }
    heads
}
