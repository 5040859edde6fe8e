//! Takes a module apart, and checks it against the contract on the way.

use std::ops::Range;

use wasmparser::{
    CompositeInnerType, DataKind, ExternalKind, FuncType, MemoryType, Operator, Parser, Payload,
    TypeRef, ValType,
};

use super::init;
use super::{Error, DATA_START, IMAGE_SECTION};
use crate::wasm;

/// A section as it lies in the file.
pub struct Section {
    pub id: u8,
    /// Of a custom section.
    pub name: String,
    pub content: Range<usize>,
}

/// A data segment; without an address it is passive.
pub struct Segment {
    pub address: Option<u32>,
    pub bytes: Range<usize>,
}

struct Import {
    bytes: Range<usize>,
    /// The memory is written anew.
    memory: Option<MemoryType>,
}

/// What finishing needs to know of a module.
pub struct Parts {
    pub sections: Vec<Section>,
    pub segments: Vec<Segment>,
    /// Function bodies in the code section.
    pub bodies: Vec<Range<usize>>,
    /// The start function, as an index into `bodies`.
    pub start: Option<usize>,
    pub data_end: u32,
    imports: Vec<Import>,
    exports: Vec<Range<usize>>,
}

/// What a program may import from module `linux`.
fn linux_import(name: &str) -> Option<FuncType> {
    use ValType::{I32, I64};
    let (params, results): (&[ValType], &[ValType]) = match name {
        "syscall" => (&[I32, I64, I64, I64, I64, I64, I64], &[I32]),
        "fork" | "vfork" => (&[], &[I32]),
        "setjmp" => (&[I32], &[I32]),
        "longjmp" => (&[I32, I32], &[]),
        _ => return None,
    };
    Some(FuncType::new(params.to_vec(), results.to_vec()))
}

/// What an engine looks for.
const EXPORTS: &[&str] = &[
    "_start",
    "__wasm_thread_start",
    "__wasm_signal",
    "__indirect_function_table",
    "__stack_pointer",
    "__tls_base",
];

/// Only for finishing: an immutable global with the end of data and bss.
const HEAP_BASE: &str = "__heap_base";

impl Parts {
    pub fn read(module: &[u8]) -> Result<Self, Error> {
        let mut parts = Parts {
            sections: Vec::new(),
            segments: Vec::new(),
            bodies: Vec::new(),
            start: None,
            data_end: 0,
            imports: Vec::new(),
            exports: Vec::new(),
        };
        let mut types = Vec::new();
        let mut globals = Vec::new();
        let mut bodies = Vec::new();
        let mut exported = Vec::new();
        let mut imported_functions = 0;
        let mut start = None;

        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            if let Some((id, content)) = payload.as_section() {
                let name = match &payload {
                    Payload::CustomSection(custom) => custom.name().to_owned(),
                    _ => String::new(),
                };
                if name == IMAGE_SECTION {
                    return Err(Error::Finished);
                }
                parts.sections.push(Section { id, name, content: span(content) });
            }
            match payload {
                Payload::TypeSection(reader) => {
                    for group in reader {
                        types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                            CompositeInnerType::Func(func) => Some(func),
                            _ => None,
                        }));
                    }
                }
                Payload::ImportSection(reader) => {
                    imported_functions = parts.read_imports(reader, &types)?;
                }
                Payload::GlobalSection(reader) => {
                    for global in reader {
                        let mut init = global?.init_expr.get_operators_reader();
                        globals.push(match init.read()? {
                            Operator::I32Const { value } => Some(value as u32),
                            _ => None,
                        });
                    }
                }
                Payload::ExportSection(reader) => {
                    for export in reader.into_iter_with_offsets() {
                        let (offset, export) = export?;
                        exported.push((offset as usize, export.name, export.kind, export.index));
                    }
                }
                Payload::StartSection { func, .. } => start = Some(func),
                Payload::CodeSectionEntry(body) => bodies.push(body),
                Payload::DataSection(reader) => {
                    for data in reader {
                        let data = data?;
                        let address = match &data.kind {
                            DataKind::Passive => None,
                            DataKind::Active { offset_expr, .. } => {
                                match offset_expr.get_operators_reader().read()? {
                                    Operator::I32Const { value } => Some(value as u32),
                                    _ => {
                                        return Err(Error::StartFunction(
                                            "a data segment has no constant address",
                                        ))
                                    }
                                }
                            }
                        };
                        let end = data.range.end as usize;
                        parts.segments.push(Segment { address, bytes: end - data.data.len()..end });
                    }
                }
                _ => {}
            }
        }

        parts.bodies = bodies.iter().map(|body| span(body.range())).collect();
        parts.read_exports(module, &exported, &globals)?;
        if !parts.imports.iter().any(|import| import.memory.is_some()) {
            return Err(Error::NoMemory);
        }
        if let Some(function) = start {
            let index = function.checked_sub(imported_functions).map(|n| n as usize);
            let body =
                index.and_then(|n| bodies.get(n)).ok_or(Error::StartFunction("it is imported"))?;
            init::place(body, &mut parts.segments)?;
            parts.start = index;
        }
        match parts.segments.iter().filter_map(|s| s.address).min() {
            Some(low) if low < DATA_START => Err(Error::LowData(low)),
            _ => Ok(parts),
        }
    }

    /// Returns the number of imported functions.
    fn read_imports(
        &mut self,
        reader: wasmparser::ImportSectionReader,
        types: &[Option<FuncType>],
    ) -> Result<u32, Error> {
        let mut functions = 0;
        let end_of_section = reader.range().end as usize;
        let mut starts = Vec::new();
        for import in reader.into_imports_with_offsets() {
            let (offset, import) = import?;
            let (module_name, name) = (import.module.to_owned(), import.name.to_owned());
            let memory = match import.ty {
                TypeRef::Memory(memory) if (import.module, import.name) == ("env", "memory") => {
                    Some(memory)
                }
                TypeRef::Func(index) if import.module == "linux" => {
                    functions += 1;
                    let Some(expected) = linux_import(import.name) else {
                        return Err(Error::UnknownImport { module: module_name, name });
                    };
                    if types.get(index as usize).and_then(Option::as_ref) != Some(&expected) {
                        return Err(Error::ImportType { module: module_name, name });
                    }
                    None
                }
                _ => return Err(Error::UnknownImport { module: module_name, name }),
            };
            starts.push((offset as usize, memory));
        }
        let ends = starts.iter().skip(1).map(|(offset, _)| *offset).chain([end_of_section]);
        self.imports = starts
            .iter()
            .zip(ends)
            .map(|((offset, memory), end)| Import { bytes: *offset..end, memory: *memory })
            .collect();
        Ok(functions)
    }

    fn read_exports(
        &mut self,
        module: &[u8],
        exported: &[(usize, &str, ExternalKind, u32)],
        globals: &[Option<u32>],
    ) -> Result<(), Error> {
        for name in EXPORTS {
            if !exported.iter().any(|(_, n, _, _)| n == name) {
                return Err(Error::NoExport(name));
            }
        }
        let heap_base = exported
            .iter()
            .find(|(_, name, kind, _)| *name == HEAP_BASE && *kind == ExternalKind::Global)
            // No global is imported, so indices are the section's own.
            .and_then(|(_, _, _, index)| globals.get(*index as usize).copied().flatten())
            .ok_or(Error::NoExport(HEAP_BASE))?;
        self.data_end = heap_base.next_multiple_of(PAGE).max(DATA_START);

        let section = self.sections.iter().find(|s| s.id == wasm::id::EXPORT);
        let end_of_section = section.map_or(module.len(), |s| s.content.end);
        let ends = exported.iter().skip(1).map(|e| e.0).chain([end_of_section]);
        self.exports = exported
            .iter()
            .zip(ends)
            .filter(|((_, name, _, _), _)| *name != HEAP_BASE)
            .map(|((offset, ..), end)| *offset..end)
            .collect();
        Ok(())
    }

    /// The import section with an unshared memory.
    pub fn imports(&self, module: &[u8]) -> Vec<u8> {
        const MEMORY: u8 = 2;
        const NO_MAXIMUM: u8 = 0;

        let mut out = Vec::new();
        wasm::unsigned(&mut out, self.imports.len() as u32);
        for import in &self.imports {
            match import.memory {
                Some(memory) => {
                    wasm::bytes(&mut out, b"env");
                    wasm::bytes(&mut out, b"memory");
                    out.extend([MEMORY, NO_MAXIMUM]);
                    wasm::unsigned(&mut out, memory.initial as u32);
                }
                None => out.extend_from_slice(&module[import.bytes.clone()]),
            }
        }
        out
    }

    /// The export section without what only finishing needed.
    pub fn exports(&self, module: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wasm::unsigned(&mut out, self.exports.len() as u32);
        for export in &self.exports {
            out.extend_from_slice(&module[export.clone()]);
        }
        out
    }
}

/// A guest page.
const PAGE: u32 = 4096;

/// wasmparser counts in u64 on every host.
fn span(range: Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}
