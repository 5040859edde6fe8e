//! The browser's side: constants and the types of operations and entries.

use alloc::format;
use alloc::string::String;

use crate::{consts, Op, Ret, Ty, ENTRIES, HOST_OPS};

fn comment(out: &mut String, indent: &str, doc: &[&str]) {
    match doc {
        [] => {}
        [line] => out.push_str(&format!("{indent}/**{line} */\n")),
        lines => {
            out.push_str(&format!("{indent}/**\n"));
            for line in lines {
                out.push_str(&format!("{indent} *{line}\n"));
            }
            out.push_str(&format!("{indent} */\n"));
        }
    }
}

fn ts_type(ty: Ty) -> &'static str {
    match ty {
        Ty::U64 => "bigint",
        _ => "number",
    }
}

fn camel(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    out
}

fn method(out: &mut String, op: &Op) {
    comment(out, "  ", op.doc);
    let ret = match op.ret {
        Ret::Value(ty) => ts_type(ty),
        Ret::None => "void",
        Ret::Never => "never",
    };
    let mut params = String::new();
    for p in op.params {
        if !params.is_empty() {
            params.push_str(", ");
        }
        params.push_str(&format!("{}: {}", camel(p.name), ts_type(p.ty)));
    }
    let line = format!("  {}({params}): {ret};", op.name);
    if line.len() <= 100 {
        out.push_str(&line);
    } else {
        // As prettier breaks it.
        out.push_str(&format!("  {}(\n", op.name));
        for p in op.params {
            out.push_str(&format!("    {}: {},\n", camel(p.name), ts_type(p.ty)));
        }
        out.push_str(&format!("  ): {ret};"));
    }
    out.push('\n');
}

/// The text of `web/src/engine/abi.ts`.
pub fn typescript() -> String {
    let mut out = String::from(
        "/** Generated from lkl/hostabi by `cargo run -p hostabi --bin lkl-host-ts`. Do not edit. */\n\n",
    );
    for (name, value, doc) in consts::ALL {
        comment(&mut out, "", doc);
        out.push_str(&format!("export const {name} = 0x{value:x};\n"));
    }
    out.push_str(
        "\n/** What the kernel imports. Integers come signed; addresses and lengths are unsigned. */\n\
         export interface HostOps {\n",
    );
    HOST_OPS.iter().for_each(|op| method(&mut out, op));
    out.push_str("}\n\n/** What the kernel exports. */\nexport interface Entries {\n");
    ENTRIES.iter().for_each(|op| method(&mut out, op));
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_browsers_file_is_current() {
        let made = super::typescript();
        let kept = include_str!("../../../web/src/engine/abi.ts");
        assert!(made == kept, "run: cargo run -p hostabi --bin lkl-host-ts >web/src/engine/abi.ts");
    }
}
