//! Calls and table instructions.

use wasmparser::Operator;

use crate::body::Body;
use crate::expr::{Expr, Reads, Shape};
use crate::module::{FuncType, Ty};
use crate::plan::Callee;
use crate::Error;

impl Body<'_> {
    /// False if the callee does not return.
    pub(crate) fn call(&mut self, index: u32) -> bool {
        let ty = self.plan.module.func_type(index);
        let args = self.pop_n(ty.params.len());
        let callee = &self.plan.callees[index as usize];
        if *callee == Callee::Intrinsic("longjmp") {
            self.settle_all();
            self.line(&format!("w2c_longjmp({});", texts(&args)));
            return false;
        }
        let (function, first) = match callee {
            Callee::Own(name) | Callee::Direct(name) => {
                (name.clone(), (!self.plan.gs()).then_some("in".to_string()))
            }
            Callee::Linked => {
                let t = self.plan.module.funcs[index as usize].ty;
                (
                    format!("(({}_t{t})in->f{index}->fn)", self.plan.name()),
                    Some(format!("in->f{index}->in")),
                )
            }
            Callee::Intrinsic("setjmp") => (format!("{}_setjmp", self.plan.name()), None),
            Callee::Intrinsic(name) => (format!("W2C_{}", name.to_uppercase()), None),
        };
        let context = match callee {
            Callee::Linked => format!("((struct w2c_context *)in->f{index}->in)"),
            _ => self.plan.ctx(),
        };
        let throws = self.plan.throws.funcs[index as usize];
        self.emit_call(ty, &function, first, args, &context, throws);
        true
    }

    pub(crate) fn call_indirect(&mut self, type_index: u32, table: u32) {
        let plan = self.plan;
        let t = plan.module.type_map[type_index as usize];
        let ty = &plan.module.types[t];
        let index = self.pop();
        let args = self.pop_n(ty.params.len());
        let name = plan.name();
        let throws = plan.throws.indirect(t, table);
        if plan.const_tables[table as usize].is_some() {
            let first = (!plan.gs()).then_some("in".to_string());
            if plan.options.casts {
                let args = args.into_iter().chain([index]).collect();
                let function = format!("{name}_C{table}_{t}");
                return self.emit_call(ty, &function, first, args, &plan.ctx(), throws);
            }
            let function = format!("{name}_T{table}({t}, {})", index.text);
            return self.emit_call(ty, &function, first, args, &plan.ctx(), throws);
        }
        let label = self.new_label();
        let find = format!("w2c_table_func(in->t{table}, {}, in->types[{t}])", index.text);
        self.settle_all();
        self.line(&format!("const struct w2c_funcref *f{label} = {find};"));
        let function = format!("(({name}_t{t})f{label}->fn)");
        let context = format!("((struct w2c_context *)f{label}->in)");
        self.emit_call(ty, &function, Some(format!("f{label}->in")), args, &context, throws);
    }

    /// The call as a statement; its results become temporaries.
    fn emit_call(
        &mut self,
        ty: &FuncType,
        function: &str,
        first: Option<String>,
        args: Vec<Expr>,
        context: &str,
        throws: bool,
    ) {
        self.settle(|r| r.memory || r.globals || r.traps);
        let mut list: Vec<String> = first.into_iter().collect();
        list.extend(args.into_iter().map(|a| a.text));
        let call = format!("{function}({})", list.join(", "));
        let value = match ty.results.first() {
            Some(result) => Some(self.temp(*result, &call)),
            None => {
                self.line(&format!("{call};"));
                None
            }
        };
        if throws {
            self.check_pending();
        }
        self.stack.extend(value);
        // Read at once: the next call overwrites them.
        for (i, ty) in ty.results.iter().enumerate().skip(1) {
            let value = self.temp(*ty, &format!("{context}->mv[{i}].{}", ty.member()));
            self.stack.push(value);
        }
    }

    /// False if `op` is not about tables.
    pub(crate) fn table_op(&mut self, op: &Operator<'_>) -> Result<bool, Error> {
        match op {
            Operator::TableGet { table } => {
                let i = self.pop();
                let ty = self.plan.module.tables[*table as usize].ty;
                let reads =
                    i.reads.clone().and(&Reads { memory: true, traps: true, ..Reads::default() });
                let text = match self.plan.const_tables[*table as usize] {
                    Some(_) => format!("{}_G{table}({})", self.plan.name(), i.text),
                    None => format!("w2c_table_get(in->t{table}, {})", i.text),
                };
                self.push(Expr::new(ty, Shape::Atom, text, reads));
            }
            Operator::TableSize { table } => match &self.plan.const_tables[*table as usize] {
                Some(_) => self.push(Expr::i32(self.plan.module.tables[*table as usize].min)),
                None => {
                    let reads = Reads { memory: true, ..Reads::default() };
                    self.push(Expr::new(
                        Ty::I32,
                        Shape::Atom,
                        format!("in->t{table}->size"),
                        reads,
                    ));
                }
            },
            Operator::TableSet { table } => {
                let (value, i) = (self.pop(), self.pop());
                self.settle_memory();
                self.line(&format!("w2c_table_set(in->t{table}, {}, {});", i.text, value.text));
            }
            Operator::TableGrow { table } => {
                let (n, value) = (self.pop(), self.pop());
                self.settle_memory();
                let old = self.temp(
                    Ty::I32,
                    &format!("w2c_table_grow(in->t{table}, {}, {})", n.text, value.text),
                );
                self.push(old);
            }
            Operator::TableFill { table } => {
                self.bulk_call(&format!("w2c_table_fill(in->t{table}, "), "")
            }
            Operator::TableCopy { dst_table, src_table } => {
                self.bulk_call(&format!("w2c_table_copy(in->t{dst_table}, in->t{src_table}, "), "");
            }
            Operator::TableInit { elem_index: e, table } => {
                let items = match self.plan.elem_kept(*e) {
                    true => format!("in->e{e}, in->e{e}_len"),
                    false => "0, 0".into(),
                };
                self.bulk_call(&format!("w2c_table_init(in->t{table}, {items}, "), "");
            }
            Operator::ElemDrop { elem_index } => {
                self.settle(|r| r.traps);
                if self.plan.elem_kept(*elem_index) {
                    self.line(&format!("in->e{elem_index}_len = 0;"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn texts(args: &[Expr]) -> String {
    args.iter().map(|a| a.text.as_str()).collect::<Vec<_>>().join(", ")
}
