//! What a module may not have in the chosen mode.

use crate::module::{Const, Kind, Module, Ty};
use crate::options::{Mode, Options};
use crate::plan::INTRINSICS;
use crate::scan::Scan;
use crate::Error;

/// What gs and colocated modules cannot have.
pub fn check(m: &Module<'_>, options: &Options, scan: &Scan) -> Result<(), Error> {
    for (i, func) in m.funcs.iter().enumerate() {
        let Some(import) = &func.import else { continue };
        let ty = &m.types[func.ty];
        let c_function = options.direct.contains_key(&import.module) || options.mode == Mode::Gs;
        if c_function && ty.results.len() > 1 {
            return Err(Error::unsupported(
                import.offset,
                format!("a C function with several results (`{}`) is", import.name),
            ));
        }
        let intrinsic = options.mode == Mode::Gs
            && import.module == INTRINSICS
            && !options.direct.contains_key(INTRINSICS);
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
            return Err(Error::unsupported(
                import.offset,
                format!("`linux.{}` with this signature is", import.name),
            ));
        }
        let by_value = import.name != "syscall"
            && (scan.refs.contains(&(i as u32))
                || m.elems
                    .iter()
                    .flat_map(|e| &e.items)
                    .any(|c| matches!(c, Const::Func(f) if *f == i as u32)));
        if by_value {
            return Err(Error::unsupported(
                import.offset,
                format!("`linux.{}` as a function pointer is", import.name),
            ));
        }
    }
    exceptions(m, scan)?;
    if !options.closed() {
        return Ok(());
    }
    let imported = m
        .globals
        .iter()
        .filter_map(|g| g.import.as_ref())
        .chain(m.tables.iter().filter_map(|t| t.import.as_ref()))
        .chain(m.tags.iter().filter_map(|t| t.import.as_ref()));
    if let Some(import) = imported.into_iter().next() {
        return Err(Error::unsupported(
            import.offset,
            format!(
                "`{}.{}`: an imported global, table or tag in this mode is",
                import.module, import.name
            ),
        ));
    }
    if let (Some(offset), true, Mode::Gs) =
        (scan.waits, m.memory.as_ref().is_some_and(|m| m.shared), options.mode)
    {
        return Err(Error::unsupported(offset, "waiting on a shared memory in gs mode is"));
    }
    Ok(())
}

/// An `exnref` is a tag and one value, and not a `union w2c_value`.
fn exceptions(m: &Module<'_>, scan: &Scan) -> Result<(), Error> {
    for (tag, offset) in &scan.by_ref {
        let mut tags =
            m.tags.iter().enumerate().filter(|(i, _)| tag.is_none_or(|t| t == *i as u32));
        if tags.any(|(_, t)| t.params.len() > 1) {
            let what = "catching an exception of several values by reference is";
            return Err(Error::unsupported(*offset, what));
        }
    }
    let shared = m.exports.iter().filter(|e| e.kind == Kind::Global).map(|e| e.index);
    let imported = m.imports.iter().filter(|(kind, _)| *kind == Kind::Global).map(|(_, i)| *i);
    match shared.chain(imported).any(|g| m.globals[g as usize].ty == Ty::Exn) {
        true => Err(Error::unsupported(0, "an exnref global that is imported or exported is")),
        false => Ok(()),
    }
}
