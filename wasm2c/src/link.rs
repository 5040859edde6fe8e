//! Base mode's instantiation: imports to slots, memory and tables of the
//! instance's own, segments; and the way back from an export to its object.

use std::fmt::Write as _;

use crate::constants::function;
use crate::descriptor::{constant, initial_values};
use crate::module::*;
use crate::plan::{Callee, Plan};

pub fn instantiate(plan: &Plan<'_>, text: &mut String) {
    let (m, name) = (plan.module, plan.name());
    if let Some(f) = m.start.filter(|f| plan.callees[*f as usize] == Callee::Linked) {
        let _ = writeln!(
            text,
            "static void {name}_start(struct {name} *in)\n{{\n\t((void (*)(void *))in->f{f}->fn)(in->f{f}->in);\n}}\n"
        );
    }
    let _ = writeln!(
        text,
        "static void {name}_instantiate(void *instance, const struct w2c_extern *imports)\n{{\n\tstruct {name} *in = instance;\n\n\t(void)in, (void)imports;"
    );
    imports(plan, text);
    for (i, ty) in m.types.iter().enumerate() {
        let _ = writeln!(text, "\tin->types[{i}] = w2c_type_id(\"{}\");", ty.signature());
    }
    for (slot, f) in plan.refs.iter().enumerate() {
        let (fun, ty) = (function(plan, *f), m.funcs[*f as usize].ty);
        let _ = writeln!(
            text,
            "\tin->refs[{slot}] = (struct w2c_funcref){{ {fun}, in, in->types[{ty}] }};"
        );
    }
    for (i, tag) in m.tags.iter().enumerate().filter(|(_, t)| t.import.is_none()) {
        let _ = writeln!(text, "\tin->tags[{i}].values = {}u;", tag.params.len());
    }
    if let Some(memory) = m.memory.as_ref() {
        if memory.import.is_none() {
            let _ = writeln!(
                text,
                "\tw2c_memory_new(&in->own_memory, {}u, {}, {});\n\tin->memory = &in->own_memory;",
                memory.min,
                memory.max.map_or("UINT32_MAX".into(), |m| format!("{m}u")),
                memory.shared as u32
            );
        }
        *text += "\tin->head.mem = in->memory->data;\n";
    } else {
        *text += "\tin->head.mem = w2c_no_memory + W2C_PENDING_OFFSET;\n";
    }
    for (i, t) in m.tables.iter().enumerate() {
        if plan.const_tables[i].is_none() && t.import.is_none() {
            let max = t.max.map_or("UINT32_MAX".into(), |m| format!("{m}u"));
            let _ = writeln!(
                text,
                "\tw2c_table_new(&in->own_t{i}, {}u, {max});\n\tin->t{i} = &in->own_t{i};",
                t.min
            );
        }
    }
    initial_values(plan, text);
    segments(plan, text);
    *text += "}\n\n";
}

fn imports(plan: &Plan<'_>, text: &mut String) {
    for (slot, (kind, i)) in plan.module.imports.iter().enumerate() {
        let _ = match kind {
            Kind::Func if plan.callees[*i as usize] != Callee::Linked => Ok(()),
            Kind::Func => writeln!(text, "\tin->f{i} = imports[{slot}].func;"),
            Kind::Table => writeln!(text, "\tin->t{i} = imports[{slot}].table;"),
            Kind::Memory => writeln!(text, "\tin->memory = imports[{slot}].memory;"),
            Kind::Global => writeln!(text, "\tin->g{i} = imports[{slot}].global;"),
            Kind::Tag => writeln!(text, "\tin->tag{i} = imports[{slot}].tag;"),
        };
    }
}

/// Elements before data, each in order; what precedes a trap stays.
fn segments(plan: &Plan<'_>, text: &mut String) {
    let name = plan.name();
    for (i, e) in plan.module.elems.iter().enumerate() {
        match e.placement {
            Placement::Declared => {}
            Placement::Passive => {
                let _ = writeln!(text, "\tin->e{i}_len = {}u;", e.items.len());
                for (n, item) in e.items.iter().enumerate() {
                    let _ = writeln!(text, "\tin->e{i}[{n}] = {};", constant(plan, *item, e.ty));
                }
            }
            Placement::Active { index, .. } if plan.const_tables[index as usize].is_some() => {}
            Placement::Active { index, offset } => {
                let n = e.items.len();
                let _ = writeln!(text, "\t{{\n\t\tw2c_ref items[{}];", n.max(1));
                for (n, item) in e.items.iter().enumerate() {
                    let _ = writeln!(text, "\t\titems[{n}] = {};", constant(plan, *item, e.ty));
                }
                let at = constant(plan, offset, Ty::I32);
                let _ = writeln!(
                    text,
                    "\t\tw2c_table_init(in->t{index}, items, {n}u, {at}, 0u, {n}u);\n\t}}"
                );
            }
        }
    }
    for (i, d) in plan.module.datas.iter().enumerate() {
        if let Placement::Active { offset, .. } = d.placement {
            let (at, n) = (constant(plan, offset, Ty::I32), d.bytes.len());
            let _ = writeln!(text, "\tMEMORY_INIT({at}, 0u, {n}u, {name}_d{i}, {n}u);");
        }
    }
}

/// `resolve`: an export as something to import.
pub fn resolve(plan: &Plan<'_>, text: &mut String) {
    let (m, name) = (plan.module, plan.name());
    let _ = writeln!(
        text,
        "static void {name}_resolve(void *instance, u32 index, struct w2c_extern *out)\n{{\n\tstruct {name} *in = instance;\n\n\t(void)in, (void)out;\n\tswitch (index) {{"
    );
    for (n, e) in m.exports.iter().enumerate() {
        let i = e.index as usize;
        let _ = match e.kind {
            Kind::Func => writeln!(
                text,
                "\tcase {n}: out->func = (const struct w2c_funcref *)({}); break;",
                plan.func_ref(e.index)
            ),
            Kind::Table => writeln!(text, "\tcase {n}: out->table = in->t{i}; break;"),
            Kind::Memory => writeln!(text, "\tcase {n}: out->memory = in->memory; break;"),
            Kind::Tag => writeln!(text, "\tcase {n}: out->tag = {}; break;", plan.tag(e.index)),
            Kind::Global => {
                let place = if m.globals[i].import.is_some() { "" } else { "&" };
                writeln!(text, "\tcase {n}: out->global = {place}in->g{i}; break;")
            }
        };
    }
    *text += "\t}\n}\n\n";
}
