//! Decisions about the whole module, taken before any code is written: names,
//! how each function is called, where globals live, which tables are constant.

use std::collections::BTreeSet;

use wasmparser::Operator;

use crate::limits;
use crate::module::*;
use crate::names::{sanitise, Unique};
use crate::options::{Mode, Options};
use crate::scan;
use crate::tables::{self, ConstTable};
use crate::throws::{self, Throws};
use crate::Error;

/// Import module of the intrinsics that gs mode expands.
pub const INTRINSICS: &str = "linux";

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
    /// Tables that are called through, with the types.
    pub indirect: BTreeSet<(usize, usize)>,
    /// What exceptions may leave.
    pub throws: Throws,
    /// There are exceptions, and so a place for a pending one.
    pub exceptions: bool,
    /// So many values one has at most.
    pub exn_values: usize,
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
        limits::check(module, options, &scan)?;
        let setjmp = callees.iter().position(|c| *c == Callee::Intrinsic("setjmp"));
        let marks =
            scan.calls.iter().map(|c| setjmp.is_some_and(|s| c.contains(&(s as u32)))).collect();
        let cycle_heads = match options.safepoints {
            true => scan::cycle_heads(module, &scan),
            false => vec![false; module.funcs.len()],
        };
        let const_tables = (0..module.tables.len())
            .map(|t| tables::const_table(module, options, &scan, &callees, t as u32))
            .collect::<Result<Vec<_>, _>>()?;
        let open_tables = const_tables.iter().map(Option::is_none).collect();
        let throws = throws::throws(module, &scan, &callees, open_tables, options.closed())?;
        let mut unique = Unique::default();
        let export_names = module
            .exports
            .iter()
            .map(|e| {
                (e.kind == Kind::Func)
                    .then(|| unique.take(format!("{}_x_{}", options.name, sanitise(&e.name))))
            })
            .collect();
        let mut plan = Plan {
            refs: scan.refs.clone(),
            indirect: scan.indirect_types,
            module,
            options,
            callees,
            globals: Vec::new(),
            const_tables,
            cycle_heads,
            marks,
            throws,
            exceptions: !module.tags.is_empty() || scan.tries,
            exn_values: module.exception_values(!options.closed()),
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
        if self.gs() {
            format!("{}_CTX", self.name())
        } else {
            "in".into()
        }
    }

    /// A member of the pending exception, as a C lvalue. In linked modules it
    /// may come from one and be caught in another.
    pub fn pending(&self, member: &str) -> String {
        match self.closed() {
            true => format!("{}->{member}", self.ctx()),
            false => format!("w2c_pending.{member}"),
        }
    }

    /// A tag as a C expression, given the instance: an address where modules
    /// are linked, else a number. (GCC 12 fails on addresses in the context.)
    pub fn tag(&self, tag: u32) -> String {
        match (&self.module.tags[tag as usize].import, self.closed()) {
            (Some(_), _) => format!("in->tag{tag}"),
            (None, true) => format!("(w2c_ref){}", tag + 1),
            (None, false) => format!("(w2c_ref)&in->tags[{tag}]"),
        }
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
                (None, false) if g.ty == Ty::Exn => format!("in->g{i}"),
                (None, false) => format!("in->g{i}.{}", g.ty.member()),
            };
            self.globals.push(text);
        }
        for (name, slot) in &self.options.pinned {
            let export =
                self.module.exports.iter().find(|e| e.kind == Kind::Global && e.name == *name);
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
                self.refs.extend(elem.items.iter().filter_map(|c| {
                    if let Const::Func(f) = c {
                        Some(*f)
                    } else {
                        None
                    }
                }));
            }
        }
        if !self.closed() {
            self.refs.extend(
                self.module.exports.iter().filter(|e| e.kind == Kind::Func).map(|e| e.index),
            );
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
        let what = format!(
            "the import `{}.{}`, which no direct import module or intrinsic provides, is",
            import.module, import.name
        );
        return Err(Error::unsupported(import.offset, what));
    }
    Ok(Callee::Linked)
}

/// Whether `op` opens a nested block.
pub fn opens_block(op: &Operator<'_>) -> bool {
    matches!(
        op,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. }
    )
}
