//! Decisions about the whole module, taken before any code is written: names,
//! how each function is called, where globals live, which tables are constant.

use std::collections::BTreeSet;

use wasmparser::Operator;

use crate::module::*;
use crate::names::{sanitise, Unique};
use crate::options::{Mode, Options};
use crate::scan::{self, Scan};
use crate::Error;

/// Import module of the intrinsics that gs mode expands.
const INTRINSICS: &str = "linux";

/// How a call reaches a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// A C function of this module.
    Own(String),
    /// A C function that the embedder defines.
    Direct(String),
    /// Through the instance's import slot.
    Linked,
    /// A macro of the runtime, or the module's setjmp stub.
    Intrinsic(&'static str),
}

/// A table that never changes: entries of `struct w2c_func` in read-only data.
pub struct ConstTable {
    /// Index of the first entry that is not null.
    pub first: u32,
    pub entries: Vec<Option<u32>>,
}

pub struct Plan<'m> {
    pub module: &'m Module<'m>,
    pub options: &'m Options,
    pub callees: Vec<Callee>,
    /// C lvalue of each global.
    pub globals: Vec<String>,
    /// `None`: the table lives in the instance.
    pub const_tables: Vec<Option<ConstTable>>,
    /// Functions that poll when entered.
    pub cycle_heads: Vec<bool>,
    /// Functions that call setjmp.
    pub marks: Vec<bool>,
    /// Functions that need a reference object, in order.
    pub refs: BTreeSet<u32>,
    /// Pinned globals, which `init` leaves in the head.
    pub pinned: Vec<bool>,
    /// C name of each exported function's wrapper, by export.
    pub export_names: Vec<Option<String>>,
}

impl<'m> Plan<'m> {
    pub fn new(module: &'m Module<'m>, options: &'m Options) -> Result<Plan<'m>, Error> {
        options.check()?;
        let scan = scan::scan(module)?;
        let callees = module
            .funcs
            .iter()
            .enumerate()
            .map(|(i, f)| callee(options, i, f))
            .collect::<Result<Vec<_>, _>>()?;
        check_closed(module, options, &scan)?;
        let setjmp = callees.iter().position(|c| *c == Callee::Intrinsic("setjmp"));
        let marks = scan.calls.iter().map(|c| setjmp.is_some_and(|s| c.contains(&(s as u32)))).collect();
        let cycle_heads = match options.safepoints {
            true => scan::cycle_heads(module, &scan),
            false => vec![false; module.funcs.len()],
        };
        let const_tables = (0..module.tables.len())
            .map(|t| const_table(module, options, &scan, &callees, t as u32))
            .collect::<Result<Vec<_>, _>>()?;
        let mut unique = Unique::default();
        let export_names = module
            .exports
            .iter()
            .map(|e| (e.kind == Kind::Func).then(|| unique.take(format!("{}_x_{}", options.name, sanitise(&e.name)))))
            .collect();
        let mut plan = Plan {
            refs: scan.refs.clone(),
            module,
            options,
            callees,
            globals: Vec::new(),
            const_tables,
            cycle_heads,
            marks,
            pinned: vec![false; module.globals.len()],
            export_names,
        };
        plan.place_globals()?;
        plan.collect_refs();
        Ok(plan)
    }

    pub fn name(&self) -> &'m str {
        &self.options.name
    }

    pub fn gs(&self) -> bool {
        self.options.mode == Mode::Gs
    }

    pub fn closed(&self) -> bool {
        self.options.closed()
    }

    /// The context as a C pointer expression.
    pub fn ctx(&self) -> String {
        if self.gs() { format!("{}_CTX", self.name()) } else { "in".into() }
    }

    /// Type id of a constant table; 0 is the null entry.
    pub fn type_id(&self, ty: usize) -> usize {
        ty + 1
    }

    /// A funcref to `func` as a C expression, given the instance.
    pub fn func_ref(&self, func: u32) -> String {
        let slot = self.refs.iter().position(|f| *f == func).unwrap_or(0);
        match &self.callees[func as usize] {
            Callee::Linked => format!("(w2c_ref)in->f{func}"),
            _ if self.closed() => format!("(w2c_ref)&{}_refs[{slot}]", self.name()),
            _ => format!("(w2c_ref)&in->refs[{slot}]"),
        }
    }

    /// Whether a segment lives on after instantiation; the others are empty.
    pub fn data_kept(&self, data: u32) -> bool {
        matches!(self.module.datas[data as usize].placement, Placement::Passive)
    }

    pub fn elem_kept(&self, elem: u32) -> bool {
        !self.closed() && matches!(self.module.elems[elem as usize].placement, Placement::Passive)
    }

    fn place_globals(&mut self) -> Result<(), Error> {
        for (i, g) in self.module.globals.iter().enumerate() {
            let text = match (&g.import, self.closed()) {
                (Some(_), _) => format!("in->g{i}->{}", g.ty.member()),
                (None, true) => format!("{}->g{i}", self.ctx()),
                (None, false) => format!("in->g{i}.{}", g.ty.member()),
            };
            self.globals.push(text);
        }
        for (name, slot) in &self.options.pinned {
            let export = self.module.exports.iter().find(|e| e.kind == Kind::Global && e.name == *name);
            // A module without it (no threads, no stack) is as good.
            let Some(export) = export else { continue };
            let i = export.index as usize;
            let g = &self.module.globals[i];
            if g.ty != Ty::I32 || !g.mutable || g.import.is_some() {
                return Err(Error::Options(format!("the global `{name}` cannot be pinned: it is not a mutable i32 of the module's own")));
            }
            self.globals[i] = format!("{}->head.{}", self.ctx(), slot.field());
            self.pinned[i] = true;
        }
        Ok(())
    }

    /// Everything that `ref.func`, a run-time table or an export may name.
    fn collect_refs(&mut self) {
        for elem in &self.module.elems {
            let constant = match elem.placement {
                Placement::Active { index, .. } => self.const_tables[index as usize].is_some(),
                Placement::Declared => true,
                Placement::Passive => false,
            };
            if !constant {
                self.refs.extend(elem.items.iter().filter_map(|c| if let Const::Func(f) = c { Some(*f) } else { None }));
            }
        }
        if !self.closed() {
            self.refs.extend(self.module.exports.iter().filter(|e| e.kind == Kind::Func).map(|e| e.index));
        }
        self.refs.retain(|f| self.callees[*f as usize] != Callee::Linked);
    }
}

fn callee(options: &Options, index: usize, func: &Func<'_>) -> Result<Callee, Error> {
    let Some(import) = &func.import else {
        let name = func.name.as_deref().map(sanitise).unwrap_or_default();
        let sep = if name.is_empty() { "" } else { "_" };
        return Ok(Callee::Own(format!("{}_f{index}{sep}{name}", options.name)));
    };
    if let Some(prefix) = options.direct.get(&import.module) {
        return Ok(Callee::Direct(format!("{prefix}{}", sanitise(&import.name))));
    }
    if options.mode == Mode::Gs && import.module == INTRINSICS {
        let name = match import.name.as_str() {
            "syscall" => Some("syscall"),
            "fork" => Some("fork"),
            "vfork" => Some("vfork"),
            "setjmp" => Some("setjmp"),
            "longjmp" => Some("longjmp"),
            _ => None,
        };
        if let Some(name) = name {
            return Ok(Callee::Intrinsic(name));
        }
    }
    if options.closed() {
        let what = format!("the import `{}.{}`, which no direct import module or intrinsic provides, is", import.module, import.name);
        return Err(Error::unsupported(import.offset, what));
    }
    Ok(Callee::Linked)
}

/// What gs and colocated modules cannot have.
fn check_closed(m: &Module<'_>, options: &Options, scan: &Scan) -> Result<(), Error> {
    for (i, func) in m.funcs.iter().enumerate() {
        let Some(import) = &func.import else { continue };
        let ty = &m.types[func.ty];
        let c_function = options.direct.contains_key(&import.module) || options.mode == Mode::Gs;
        if c_function && ty.results.len() > 1 {
            return Err(Error::unsupported(import.offset, format!("a C function with several results (`{}`) is", import.name)));
        }
        let intrinsic = options.mode == Mode::Gs && import.module == INTRINSICS && !options.direct.contains_key(INTRINSICS);
        if !intrinsic {
            continue;
        }
        let expected = match import.name.as_str() {
            "syscall" => "illllll:i",
            "fork" | "vfork" => ":i",
            "setjmp" => "i:i",
            "longjmp" => "ii:",
            _ => continue,
        };
        if ty.signature() != expected {
            return Err(Error::unsupported(import.offset, format!("`linux.{}` with this signature is", import.name)));
        }
        let by_value = import.name != "syscall"
            && (scan.refs.contains(&(i as u32))
                || m.elems.iter().flat_map(|e| &e.items).any(|c| matches!(c, Const::Func(f) if *f == i as u32)));
        if by_value {
            return Err(Error::unsupported(import.offset, format!("`linux.{}` as a function pointer is", import.name)));
        }
    }
    if !options.closed() {
        return Ok(());
    }
    let imported = m.globals.iter().filter_map(|g| g.import.as_ref()).chain(m.tables.iter().filter_map(|t| t.import.as_ref()));
    if let Some(import) = imported.into_iter().next() {
        return Err(Error::unsupported(import.offset, format!("`{}.{}`: an imported global or table in this mode is", import.module, import.name)));
    }
    if let (Some(offset), true, Mode::Gs) = (scan.waits, m.memory.as_ref().is_some_and(|m| m.shared), options.mode) {
        return Err(Error::unsupported(offset, "waiting on a shared memory in gs mode is"));
    }
    Ok(())
}

/// `Some` if table `t` can be constant; in a closed module it must be.
fn const_table(
    m: &Module<'_>,
    options: &Options,
    scan: &Scan,
    callees: &[Callee],
    t: u32,
) -> Result<Option<ConstTable>, Error> {
    let table = &m.tables[t as usize];
    let offset = m.elems.first().map_or(0, |e| e.offset);
    let refuse = |why: &str| match options.closed() {
        true => Err(Error::unsupported(offset, format!("a table that {why} in this mode is"))),
        false => Ok(None),
    };
    if scan.tables_written.contains(&t) {
        return refuse("changes at run time");
    }
    let exported = m.exports.iter().any(|e| e.kind == Kind::Table && e.index == t);
    if !options.closed() && (table.import.is_some() || exported || scan.tables_read.contains(&t)) {
        return Ok(None);
    }
    let mut slots = std::collections::BTreeMap::new();
    for elem in &m.elems {
        let Placement::Active { index, offset } = elem.placement else { continue };
        if index != t {
            continue;
        }
        let Const::I32(at) = offset else { return refuse("is filled at a computed place") };
        if at as u64 + elem.items.len() as u64 > table.min as u64 {
            return match options.closed() {
                true => Err(Error::unsupported(elem.offset, "an element segment beyond its table is")),
                false => Ok(None),
            };
        }
        for (i, item) in (at..).zip(&elem.items) {
            match item {
                Const::Func(f) if callees[*f as usize] != Callee::Linked => slots.insert(i, Some(*f)),
                Const::Null => slots.insert(i, None),
                _ => return refuse("holds imported functions or globals"),
            };
        }
    }
    let first = slots.keys().next().copied().unwrap_or(0);
    let end = slots.keys().next_back().map_or(first, |l| l + 1);
    if (end - first) as usize > 16 * slots.len() + 65536 {
        return refuse("has wide gaps");
    }
    let entries = (first..end).map(|i| slots.get(&i).copied().flatten()).collect();
    Ok(Some(ConstTable { first, entries }))
}

/// Whether `op` opens a nested block.
pub fn opens_block(op: &Operator<'_>) -> bool {
    matches!(op, Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. })
}
