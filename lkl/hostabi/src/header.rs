//! The kernel's side: a C header.

use alloc::format;
use alloc::string::String;

use crate::{consts, Op, Ret, Ty, ENTRIES, HOST_OPS};

fn c_type(ty: Ty) -> &'static str {
    match ty {
        Ty::I32 => "int",
        Ty::U32 => "unsigned int",
        Ty::U64 => "unsigned long long",
        Ty::Ptr => "void *",
        Ty::Uptr => "unsigned long",
    }
}

fn prototype(out: &mut String, op: &Op, prefix: &str, attribute: &str) {
    for line in op.doc {
        out.push_str(&format!("/*{line} */\n"));
    }
    let ret = match op.ret {
        Ret::Value(ty) => c_type(ty),
        Ret::None | Ret::Never => "void",
    };
    let mut params = String::new();
    for p in op.params {
        if !params.is_empty() {
            params.push_str(", ");
        }
        // Pointers the host only reads are const in the kernel's eyes: the
        // import's type is the same.
        let ty = match (p.ty, p.name) {
            (Ty::Ptr, "text" | "from" | "build_id") => "const void *",
            (ty, _) => c_type(ty),
        };
        params.push_str(&format!("{ty} {}", p.name));
    }
    if params.is_empty() {
        params.push_str("void");
    }
    let noreturn = if op.ret == Ret::Never { " __attribute__((noreturn))" } else { "" };
    out.push_str(&format!("{ret} {prefix}{}({params}) {attribute}{noreturn};\n", op.name));
}

/// The text of `asm/lkl_host.h`.
pub fn c_header() -> String {
    let mut out = String::from(
        "/* SPDX-License-Identifier: MIT OR Apache-2.0 */\n\
         /* Generated from lkl/hostabi. Do not edit. */\n\
         #ifndef _ASM_LKL_HOST_H\n#define _ASM_LKL_HOST_H\n\n",
    );
    for (name, value, doc) in consts::ALL {
        for line in *doc {
            out.push_str(&format!("/*{line} */\n"));
        }
        out.push_str(&format!("#define LKL_{name} 0x{value:x}u\n"));
    }
    out.push_str("\n#ifndef __ASSEMBLY__\n\n");
    for op in HOST_OPS {
        let attribute =
            format!("__attribute__((import_module(\"host\"), import_name(\"{}\")))", op.name);
        prototype(&mut out, op, "host_", &attribute);
    }
    out.push('\n');
    for op in ENTRIES {
        let attribute = format!("__attribute__((export_name(\"{}\")))", op.name);
        prototype(&mut out, op, "", &attribute);
    }
    out.push_str("\n#endif\n#endif\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_declares_every_operation_once() {
        let header = c_header();
        for op in HOST_OPS {
            let needle = format!(" host_{}(", op.name);
            assert_eq!(header.matches(&needle).count(), 1, "{}", op.name);
        }
        for op in ENTRIES {
            assert!(header.contains(&format!("export_name(\"{}\")", op.name)), "{}", op.name);
        }
    }

    #[test]
    fn noreturn_follows_never() {
        assert!(c_header().contains("void host_panic(void) __attribute__((import_module(\"host\"), import_name(\"panic\"))) __attribute__((noreturn));"));
    }
}
