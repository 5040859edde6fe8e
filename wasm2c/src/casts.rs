//! Calls through a table of a function that has another type.
//!
//! WebAssembly traps there; on real machines such a call arrives, and C programs
//! rely on it. With [`casts`](crate::Options::casts) it behaves as on a machine
//! with 64-bit registers: integers and floating-point values are passed in
//! registers of their own, each class in its own order; a missing one is 0, a
//! surplus one is dropped, and the other width of the same class is what the low
//! bits are.
//!
//! ```text
//!  call of type 5 ── same type ──► the function
//!        └── not ──► cast0_5(args, index) ──► any0(registers, function) ──► the function
//! ```
//!
//! `any` knows every type in the table, so there is one cold function for each
//! type that calls and one case for each that is called.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::header::{params, result};
use crate::module::{FuncType, Ty};
use crate::plan::Plan;

/// Which registers a value is passed in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Integer,
    Float,
}

fn class(ty: Ty) -> Option<Class> {
    match ty {
        Ty::I32 | Ty::I64 => Some(Class::Integer),
        Ty::F32 | Ty::F64 => Some(Class::Float),
        Ty::Func | Ty::Extern | Ty::Exn => None,
    }
}

/// Registers that a type's parameters need. `None`: it is nothing that C has.
fn registers(ty: &FuncType) -> Option<[usize; 2]> {
    if ty.results.len() > 1 || ty.results.iter().any(|r| class(*r).is_none()) {
        return None;
    }
    let mut count = [0; 2];
    for param in &ty.params {
        count[class(*param)? as usize] += 1;
    }
    Some(count)
}

/// Name of the register that the next value of a class is in.
fn next(class: Class, used: &mut [usize; 2]) -> String {
    let n = used[class as usize];
    used[class as usize] += 1;
    format!("{}{n}", if class == Class::Integer { 'i' } else { 'f' })
}

/// A value as the 64 bits of a register, and back.
fn to_register(ty: Ty, value: &str) -> String {
    match ty {
        Ty::F32 => format!("i32_reinterpret_f32({value})"),
        Ty::F64 => format!("i64_reinterpret_f64({value})"),
        _ => value.into(),
    }
}

fn from_register(ty: Ty, register: &str) -> String {
    match ty {
        Ty::I32 => format!("(u32){register}"),
        Ty::F32 => format!("f32_reinterpret_i32((u32){register})"),
        Ty::F64 => format!("f64_reinterpret_i64({register})"),
        _ => register.into(),
    }
}

/// For the header: the calls of each type, through tables where types are looked at.
pub fn calls(plan: &Plan<'_>, text: &mut String) {
    let name = plan.name();
    for &(t, ty) in &plan.indirect {
        let Some(table) = plan.const_tables[t].as_ref().filter(|_| plan.options.casts) else {
            continue;
        };
        let signature = &plan.module.types[ty];
        let (list, args) = lists(plan, signature);
        let array = table.array(name, t);
        let (first, n) = (table.first, table.entries.len());
        let (back, else_) =
            if signature.results.is_empty() { ("", "else\n\t\t") } else { ("return ", "") };
        let _ = writeln!(
            text,
            "{result} {name}_cast{t}_{ty}({list});\n\
             static inline W2C_UNUSED {result} {name}_C{t}_{ty}({list})\n{{\n\
             \tif (W2C_LIKELY(w2c_is_type({array}, {first}u, {n}u, i, {id})))\n\
             \t\t{back}(({name}_t{ty}){array}[i - {first}u].fn)({callee});\n\
             \t{else_}{back}{name}_cast{t}_{ty}({all});\n}}",
            result = result(signature),
            id = plan.type_id(ty),
            callee = args.join(", "),
            all = args.iter().map(String::as_str).chain(["i"]).collect::<Vec<_>>().join(", "),
        );
    }
}

/// Parameters with the index behind them; arguments without it.
fn lists(plan: &Plan<'_>, ty: &FuncType) -> (String, Vec<String>) {
    let list = match ty.params.len() {
        0 if plan.gs() => "u32 i".into(),
        _ => format!("{}, u32 i", params(plan, ty, true)),
    };
    let first = (!plan.gs()).then(|| "in".to_string());
    (list, first.into_iter().chain((0..ty.params.len()).map(|n| format!("l{n}"))).collect())
}

/// For the constants' file: what happens when the types differ.
pub fn adapters(plan: &Plan<'_>, text: &mut String) {
    if !plan.options.casts {
        return;
    }
    for (t, table) in plan.const_tables.iter().enumerate() {
        let calls = plan.indirect.iter().filter(|(table, _)| *table == t);
        let calls: Vec<usize> = calls.map(|(_, ty)| *ty).collect();
        let Some(table) = table.as_ref().filter(|_| !calls.is_empty()) else { continue };
        let funcs = table.entries.iter().flatten();
        let types: BTreeSet<usize> =
            funcs.clone().map(|f| plan.module.funcs[*f as usize].ty).collect();
        let throws = funcs.clone().any(|f| plan.throws.funcs[*f as usize]);
        let needed = types.iter().filter_map(|ty| registers(&plan.module.types[*ty]));
        let needed = needed.fold([0; 2], |a, b| [a[0].max(b[0]), a[1].max(b[1])]);
        any(plan, t, &types, needed, text);
        let name = plan.name();
        let entry = format!(
            "w2c_entry_any({}, {}u, {}u, {}u, i)",
            table.array(name, t),
            table.first,
            table.entries.len(),
            plan.module.tables[t].min
        );
        for ty in calls {
            let checked = throws && !plan.throws.indirect(ty, t as u32);
            cast(plan, (t, ty), needed, &entry, checked, text);
        }
    }
}

/// Calls a function of any type with what is in registers.
fn any(plan: &Plan<'_>, t: usize, types: &BTreeSet<usize>, needed: [usize; 2], text: &mut String) {
    let name = plan.name();
    let mut list: Vec<String> = Vec::new();
    if !plan.gs() {
        list.push(format!("struct {name} *in"));
    }
    list.extend((0..needed[0]).map(|n| format!("u64 i{n}")));
    list.extend((0..needed[1]).map(|n| format!("u64 f{n}")));
    list.push("const struct w2c_func *f".into());
    let _ = writeln!(
        text,
        "static W2C_COLD struct w2c_returned {name}_any{t}({})\n{{\n\
         \tstruct w2c_returned r = {{ 0, 0 }};\n",
        list.join(", ")
    );
    if plan.options.safepoints {
        // A cycle of such calls is in no call graph.
        *text += "\tW2C_SAFEPOINT();\n";
    }
    *text += "\tswitch (f->type) {\n";
    for ty in types {
        let signature = &plan.module.types[*ty];
        if registers(signature).is_none() {
            continue;
        }
        let mut used = [0; 2];
        let mut args: Vec<String> = Vec::new();
        if !plan.gs() {
            args.push("in".into());
        }
        for param in &signature.params {
            args.extend(class(*param).map(|c| from_register(*param, &next(c, &mut used))));
        }
        let call = format!("(({name}_t{ty})f->fn)({})", args.join(", "));
        let call = match signature.results.first().map(|r| (*r, class(*r))) {
            Some((r, Some(Class::Integer))) => format!("r.i = {}", to_register(r, &call)),
            Some((r, _)) => format!("r.f = {}", to_register(r, &call)),
            None => call,
        };
        let _ = writeln!(text, "\tcase {}:\n\t\t{call};\n\t\tbreak;", plan.type_id(*ty));
    }
    *text += "\tdefault:\n\t\tw2c_trap(W2C_TRAP_SIGNATURE);\n\t}\n\treturn r;\n}\n\n";
}

/// What a call of type `ty` does when the function has another. `checked`: what
/// its callers do not look for must not leave it.
fn cast(
    plan: &Plan<'_>,
    (t, ty): (usize, usize),
    needed: [usize; 2],
    entry: &str,
    checked: bool,
    text: &mut String,
) {
    let name = plan.name();
    let signature = &plan.module.types[ty];
    let (list, _) = lists(plan, signature);
    let _ = writeln!(
        text,
        "W2C_COLD {} {name}_cast{t}_{ty}({list})\n{{\n\tconst struct w2c_func *f = {entry};",
        result(signature)
    );
    if registers(signature).is_none() {
        // `entry` finds what is wrong with the index; here it is the type.
        *text += "\t(void)f;\n\tw2c_trap(W2C_TRAP_SIGNATURE);\n}\n\n";
        return;
    }
    let mut values = [vec!["0".to_string(); needed[0]], vec!["0".to_string(); needed[1]]];
    let mut used = [0; 2];
    for (n, param) in signature.params.iter().enumerate() {
        let Some(class) = class(*param) else { continue };
        if let Some(value) = values[class as usize].get_mut(used[class as usize]) {
            *value = to_register(*param, &format!("l{n}"));
        }
        used[class as usize] += 1;
    }
    let mut args: Vec<String> = Vec::new();
    if !plan.gs() {
        args.push("in".into());
    }
    args.extend(values.into_iter().flatten());
    args.push("f".into());
    let _ = writeln!(text, "\tstruct w2c_returned r = {name}_any{t}({});\n", args.join(", "));
    if checked {
        // Nothing is pending while the engine runs.
        let pending = plan.pending("exn");
        let _ = writeln!(
            text,
            "\tif (W2C_UNLIKELY({pending})) {{\n\t\t{pending} = 0;\n\
             \t\tw2c_trap(W2C_TRAP_EXCEPTION);\n\t}}"
        );
    }
    match signature.results.first().map(|r| (*r, class(*r))) {
        Some((r, Some(Class::Integer))) => {
            let _ = writeln!(text, "\treturn {};", from_register(r, "r.i"));
        }
        Some((r, _)) => {
            let _ = writeln!(text, "\treturn {};", from_register(r, "r.f"));
        }
        None => *text += "\t(void)r;\n",
    }
    *text += "}\n\n";
}
