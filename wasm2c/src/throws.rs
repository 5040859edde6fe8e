//! Which functions an exception may leave, so that only calls of those are
//! followed by a look at the pending exception.
//!
//! A function throws if a `throw`, or a call of a function that throws, stands
//! where no `catch_all` of its own is around it. An indirect call throws if a
//! function of its type in a table does.

use std::collections::BTreeMap;

use wasmparser::{Catch, FunctionBody, Operator};

use crate::module::{Const, Module, Placement};
use crate::plan::Callee;
use crate::scan::Scan;
use crate::Error;

/// Something in a body that may throw out of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Site {
    Throw,
    Call(u32),
    /// Of a canonical type, through a table.
    Indirect {
        ty: usize,
        table: u32,
    },
}

pub struct Throws {
    pub funcs: Vec<bool>,
    /// Canonical types of which a function in some table throws.
    types: Vec<bool>,
    /// Tables that others may fill.
    open_tables: Vec<bool>,
}

impl Throws {
    pub fn indirect(&self, ty: usize, table: u32) -> bool {
        self.types[ty] || self.open_tables[table as usize]
    }
}

/// `open_tables`: those that are not constant. In a `closed` module nobody else
/// throws.
pub fn throws(
    m: &Module<'_>,
    scan: &Scan,
    callees: &[Callee],
    open_tables: Vec<bool>,
    closed: bool,
) -> Result<Throws, Error> {
    let mut found = Throws {
        funcs: vec![false; m.funcs.len()],
        types: vec![false; m.types.len()],
        open_tables,
    };
    if m.tags.is_empty() && !scan.tries {
        found.open_tables.fill(false);
        return Ok(found);
    }
    let mut sites = Vec::new();
    for func in &m.funcs {
        sites.push(match &func.body {
            Some(body) => escaping(m, body, closed)?,
            None => Vec::new(),
        });
    }
    // Who must be looked at again when a function or a type turns out to throw.
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); m.funcs.len()];
    let mut indirect: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut new = Vec::new();
    for (f, sites) in sites.iter().enumerate() {
        let mut thrown = callees[f] == Callee::Linked;
        for site in sites {
            match *site {
                Site::Throw => thrown = true,
                Site::Call(callee) => callers[callee as usize].push(f),
                Site::Indirect { ty, table } => {
                    thrown |= found.open_tables[table as usize];
                    indirect.entry(ty).or_default().push(f);
                }
            }
        }
        if thrown {
            new.push(f);
        }
    }
    let in_table = in_tables(m, scan);
    while let Some(f) = new.pop() {
        if std::mem::replace(&mut found.funcs[f], true) {
            continue;
        }
        new.extend(&callers[f]);
        let ty = m.funcs[f].ty;
        if in_table[f] && !std::mem::replace(&mut found.types[ty], true) {
            new.extend(indirect.get(&ty).into_iter().flatten());
        }
    }
    Ok(found)
}

fn in_tables(m: &Module<'_>, scan: &Scan) -> Vec<bool> {
    let mut there = vec![false; m.funcs.len()];
    let placed = m.elems.iter().filter(|e| !matches!(e.placement, Placement::Declared));
    for item in placed.flat_map(|e| &e.items) {
        if let Const::Func(f) = item {
            there[*f as usize] = true;
        }
    }
    for f in &scan.refs {
        there[*f as usize] = true;
    }
    there
}

/// A block that is open, with what may throw in it so far.
enum Open {
    /// Not a `try`, or the handlers of one.
    Other,
    Try {
        sites: Vec<Site>,
        catches: Catches,
    },
    /// Behind the first `catch` of a legacy `try`: what the body throws is
    /// decided at its end.
    Handlers {
        sites: Vec<Site>,
        catches: Catches,
    },
}

/// What the handlers of one `try` take.
#[derive(Default)]
struct Catches {
    all: bool,
    tags: Vec<u32>,
}

impl Catches {
    /// Nothing gets past them.
    fn cover(&self, tags: Option<usize>) -> bool {
        self.all || tags.is_some_and(|n| (0..n as u32).all(|t| self.tags.contains(&t)))
    }
}

struct Walk {
    open: Vec<Open>,
    /// How many tags there are, if those are all.
    tags: Option<usize>,
    out: Vec<Site>,
}

impl Walk {
    /// Sites go to the innermost `try` body among the `depth` outermost blocks.
    fn add(&mut self, depth: usize, more: impl IntoIterator<Item = Site>) {
        let around = self.open[..depth].iter_mut().rev().find_map(|o| match o {
            Open::Try { sites, .. } => Some(sites),
            _ => None,
        });
        around.unwrap_or(&mut self.out).extend(more);
    }

    fn close(&mut self) {
        if let Some(Open::Try { sites, catches } | Open::Handlers { sites, catches }) =
            self.open.pop()
        {
            if !catches.cover(self.tags) {
                self.add(self.open.len(), sites);
            }
        }
    }

    /// A `catch` of a legacy `try`.
    fn catch(&mut self, tag: Option<u32>) {
        let Some(top) = self.open.last_mut() else { return };
        if let Open::Try { sites, catches } = top {
            *top =
                Open::Handlers { sites: std::mem::take(sites), catches: std::mem::take(catches) };
        }
        if let Open::Handlers { catches, .. } = top {
            catches.all |= tag.is_none();
            catches.tags.extend(tag);
        }
    }
}

/// What may throw out of a body.
fn escaping(m: &Module<'_>, body: &FunctionBody<'_>, closed: bool) -> Result<Vec<Site>, Error> {
    let tags = closed.then_some(m.tags.len());
    let mut walk = Walk { open: Vec::new(), tags, out: Vec::new() };
    for op in body.get_operators_reader()? {
        let depth = walk.open.len();
        match op? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                walk.open.push(Open::Other)
            }
            Operator::Try { .. } => {
                walk.open.push(Open::Try { sites: Vec::new(), catches: Catches::default() })
            }
            Operator::TryTable { try_table } => {
                let mut catches = Catches::default();
                for catch in &try_table.catches {
                    match catch {
                        Catch::One { tag, .. } | Catch::OneRef { tag, .. } => {
                            catches.tags.push(*tag)
                        }
                        Catch::All { .. } | Catch::AllRef { .. } => catches.all = true,
                    }
                }
                walk.open.push(Open::Try { sites: Vec::new(), catches });
            }
            Operator::Catch { tag_index } => walk.catch(Some(tag_index)),
            Operator::CatchAll => walk.catch(None),
            Operator::Delegate { relative_depth } => {
                if let Some(Open::Try { sites, .. }) = walk.open.pop() {
                    let depth = walk.open.len().saturating_sub(relative_depth as usize);
                    walk.add(depth, sites);
                }
            }
            Operator::End => walk.close(),
            Operator::Throw { .. } | Operator::ThrowRef | Operator::Rethrow { .. } => {
                walk.add(depth, [Site::Throw])
            }
            Operator::Call { function_index } => walk.add(depth, [Site::Call(function_index)]),
            Operator::CallIndirect { type_index, table_index } => {
                let ty = m.type_map[type_index as usize];
                walk.add(depth, [Site::Indirect { ty, table: table_index }]);
            }
            _ => {}
        }
    }
    walk.out.sort_unstable();
    walk.out.dedup();
    Ok(walk.out)
}
