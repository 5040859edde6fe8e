//! Looks into object files before they are linked.

use std::path::Path;

use wasmparser::{KnownCustom, Linking, Parser, Payload, SymbolInfo, TypeRef};

/// True for an object that defines `main(int, char **, char **)`: the one form
/// of main that clang does not mark by its name.
pub fn main_takes_envp(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "o")
        && std::fs::read(path).is_ok_and(|module| main_params(&module) == Some(3))
}

/// Number of parameters of the function that symbol `main` defines. What
/// cannot be read is the linker's to complain about.
fn main_params(module: &[u8]) -> Option<usize> {
    let mut params: Vec<usize> = Vec::new();
    let mut functions: Vec<u32> = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.ok()? {
            Payload::TypeSection(reader) => {
                for ty in reader.into_iter_err_on_gc_types() {
                    params.push(ty.ok()?.params().len());
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    if let TypeRef::Func(ty) = import.ok()?.ty {
                        functions.push(ty);
                    }
                }
            }
            Payload::FunctionSection(reader) => {
                for ty in reader {
                    functions.push(ty.ok()?);
                }
            }
            Payload::CustomSection(custom) => {
                let KnownCustom::Linking(reader) = custom.as_known() else { continue };
                for subsection in reader {
                    let Linking::SymbolTable(symbols) = subsection.ok()? else { continue };
                    for symbol in symbols {
                        if let SymbolInfo::Func { index, name: Some("main"), .. } = symbol.ok()? {
                            let ty = *functions.get(index as usize)?;
                            return params.get(ty as usize).copied();
                        }
                    }
                }
            }
            _ => {}
        }
    }
    None
}
