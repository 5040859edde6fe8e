//! Bytes to [`Module`]. Everything is validated first; what remains to be
//! refused here is valid but beyond us.

use wasmparser::{
    CompositeInnerType, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, KnownCustom,
    Name, Operator, Parser, Payload, RefType, TableInit, TypeRef, ValType, Validator, WasmFeatures,
};

use crate::module::*;
use crate::Error;

/// The proposals that reach the translator.
pub fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        .difference(WasmFeatures::SIMD)
        .union(WasmFeatures::THREADS)
        .union(WasmFeatures::EXCEPTIONS)
        .union(WasmFeatures::LEGACY_EXCEPTIONS)
}

pub fn parse(wasm: &[u8]) -> Result<Module<'_>, Error> {
    Validator::new_with_features(features()).validate_all(wasm)?;
    let mut module = Module::default();
    let mut next_body = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        section(&mut module, payload?, &mut next_body)?;
    }
    Ok(module)
}

fn section<'a>(
    m: &mut Module<'a>,
    payload: Payload<'a>,
    next_body: &mut usize,
) -> Result<(), Error> {
    match payload {
        Payload::TypeSection(s) => {
            for group in s.into_iter_with_offsets() {
                let (offset, group) = group?;
                for ty in group.into_types() {
                    add_type(m, offset, &ty.composite_type.inner)?;
                }
            }
        }
        Payload::ImportSection(s) => {
            for import in s.into_imports_with_offsets() {
                let (offset, import) = import?;
                let name =
                    ImportName { module: import.module.into(), name: import.name.into(), offset };
                add_import(m, name, import.ty)?;
            }
        }
        Payload::FunctionSection(s) => {
            for ty in s {
                let ty = m.type_map[ty? as usize];
                m.funcs.push(Func { ty, import: None, body: None, name: None });
            }
        }
        Payload::TableSection(s) => {
            for table in s.into_iter_with_offsets() {
                let (offset, table) = table?;
                if !matches!(table.init, TableInit::RefNull) {
                    return Err(Error::unsupported(offset, "a table initialiser is"));
                }
                m.tables.push(table_of(offset, table.ty, None)?);
            }
        }
        Payload::MemorySection(s) => {
            for memory in s {
                m.memory = Some(memory_of(memory?, None));
            }
        }
        Payload::GlobalSection(s) => {
            for global in s.into_iter_with_offsets() {
                let (offset, global) = global?;
                m.globals.push(Global {
                    ty: value_type(offset, global.ty.content_type)?,
                    mutable: global.ty.mutable,
                    import: None,
                    init: Some(constant(&global.init_expr)?),
                });
            }
        }
        Payload::TagSection(s) => {
            for tag in s.into_iter_with_offsets() {
                let (offset, tag) = tag?;
                let tag = tag_of(m, offset, tag, None)?;
                m.tags.push(tag);
            }
        }
        Payload::ExportSection(s) => {
            for export in s {
                let export = export?;
                let kind = match export.kind {
                    ExternalKind::Func | ExternalKind::FuncExact => Kind::Func,
                    ExternalKind::Table => Kind::Table,
                    ExternalKind::Memory => Kind::Memory,
                    ExternalKind::Global => Kind::Global,
                    ExternalKind::Tag => Kind::Tag,
                };
                m.exports.push(Export { name: export.name.into(), kind, index: export.index });
            }
        }
        Payload::StartSection { func, .. } => m.start = Some(func),
        Payload::ElementSection(s) => {
            for elem in s {
                m.elems.push(elem_of(elem?)?);
            }
        }
        Payload::DataSection(s) => {
            for data in s {
                let data = data?;
                let placement = match data.kind {
                    DataKind::Passive => Placement::Passive,
                    DataKind::Active { memory_index, offset_expr } => {
                        Placement::Active { index: memory_index, offset: constant(&offset_expr)? }
                    }
                };
                m.datas.push(Data { placement, bytes: data.data });
            }
        }
        // Imports come first.
        Payload::CodeSectionStart { .. } => {
            *next_body = m.imports.iter().filter(|(kind, _)| *kind == Kind::Func).count();
        }
        Payload::CodeSectionEntry(body) => {
            m.funcs[*next_body].body = Some(body);
            *next_body += 1;
        }
        Payload::CustomSection(s) => {
            if let KnownCustom::Name(names) = s.as_known() {
                // A broken name section costs the names, not the module.
                for name in names.into_iter().map_while(Result::ok) {
                    if let Name::Function(map) = name {
                        for naming in map.into_iter().map_while(Result::ok) {
                            if let Some(f) = m.funcs.get_mut(naming.index as usize) {
                                f.name = Some(naming.name.to_string());
                            }
                        }
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn add_type(m: &mut Module<'_>, offset: u64, ty: &CompositeInnerType) -> Result<(), Error> {
    let CompositeInnerType::Func(f) = ty else {
        return Err(Error::unsupported(offset, "a type that is not a function is"));
    };
    let list =
        |tys: &[ValType]| tys.iter().map(|t| value_type(offset, *t)).collect::<Result<_, _>>();
    let ty = FuncType { params: list(f.params())?, results: list(f.results())? };
    let index = m.types.iter().position(|t| *t == ty).unwrap_or_else(|| {
        m.types.push(ty);
        m.types.len() - 1
    });
    m.type_map.push(index);
    Ok(())
}

fn add_import(m: &mut Module<'_>, name: ImportName, ty: TypeRef) -> Result<(), Error> {
    let offset = name.offset;
    let import = Some(name);
    match ty {
        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
            m.imports.push((Kind::Func, m.funcs.len() as u32));
            m.funcs.push(Func { ty: m.type_map[ty as usize], import, body: None, name: None });
        }
        TypeRef::Table(ty) => {
            m.imports.push((Kind::Table, m.tables.len() as u32));
            m.tables.push(table_of(offset, ty, import)?);
        }
        TypeRef::Memory(ty) => {
            m.imports.push((Kind::Memory, 0));
            m.memory = Some(memory_of(ty, import));
        }
        TypeRef::Global(ty) => {
            m.imports.push((Kind::Global, m.globals.len() as u32));
            m.globals.push(Global {
                ty: value_type(offset, ty.content_type)?,
                mutable: ty.mutable,
                import,
                init: None,
            });
        }
        TypeRef::Tag(ty) => {
            m.imports.push((Kind::Tag, m.tags.len() as u32));
            let tag = tag_of(m, offset, ty, import)?;
            m.tags.push(tag);
        }
    }
    Ok(())
}

fn tag_of(
    m: &Module<'_>,
    offset: u64,
    ty: wasmparser::TagType,
    import: Option<ImportName>,
) -> Result<Tag, Error> {
    let params = m.types[m.type_map[ty.func_type_idx as usize]].params.clone();
    if params.contains(&Ty::Exn) || params.len() > MAX_TAG_VALUES {
        let what = format!("a tag with an exnref or more than {MAX_TAG_VALUES} values is");
        return Err(Error::unsupported(offset, what));
    }
    Ok(Tag { params, import })
}

fn table_of(
    offset: u64,
    ty: wasmparser::TableType,
    import: Option<ImportName>,
) -> Result<Table, Error> {
    let elements = value_type(offset, ValType::Ref(ty.element_type))?;
    if elements == Ty::Exn {
        return Err(Error::unsupported(offset, "a table of exnrefs is"));
    }
    Ok(Table {
        ty: elements,
        // 32-bit tables: validation keeps both below 2^32.
        min: ty.initial as u32,
        max: ty.maximum.map(|m| m as u32),
        import,
    })
}

fn memory_of(ty: wasmparser::MemoryType, import: Option<ImportName>) -> Memory {
    Memory { min: ty.initial as u32, max: ty.maximum.map(|m| m as u32), shared: ty.shared, import }
}

fn elem_of(elem: wasmparser::Element<'_>) -> Result<Elem, Error> {
    let offset = elem.range.start;
    let placement = match elem.kind {
        ElementKind::Passive => Placement::Passive,
        ElementKind::Declared => Placement::Declared,
        ElementKind::Active { table_index, offset_expr } => {
            Placement::Active { index: table_index.unwrap_or(0), offset: constant(&offset_expr)? }
        }
    };
    let (ty, items) = match elem.items {
        ElementItems::Functions(list) => {
            (Ty::Func, list.into_iter().map(|i| Ok(Const::Func(i?))).collect::<Result<_, Error>>()?)
        }
        ElementItems::Expressions(ty, list) => (
            value_type(offset, ValType::Ref(ty))?,
            list.into_iter().map(|e| constant(&e?)).collect::<Result<_, Error>>()?,
        ),
    };
    Ok(Elem { placement, ty, items, offset })
}

/// A constant expression: one instruction and `end`.
fn constant(expr: &ConstExpr<'_>) -> Result<Const, Error> {
    let mut ops = expr.get_operators_reader();
    let (op, offset) = ops.read_with_offset()?;
    let value = match op {
        Operator::I32Const { value } => Const::I32(value as u32),
        Operator::I64Const { value } => Const::I64(value as u64),
        Operator::F32Const { value } => Const::F32(value.bits()),
        Operator::F64Const { value } => Const::F64(value.bits()),
        Operator::RefNull { .. } => Const::Null,
        Operator::RefFunc { function_index } => Const::Func(function_index),
        Operator::GlobalGet { global_index } => Const::Global(global_index),
        _ => return Err(Error::unsupported(offset, "this constant expression is")),
    };
    match ops.read()? {
        Operator::End => Ok(value),
        _ => Err(Error::unsupported(offset, "an extended constant expression is")),
    }
}

pub fn value_type(offset: u64, ty: ValType) -> Result<Ty, Error> {
    Ok(match ty {
        ValType::I32 => Ty::I32,
        ValType::I64 => Ty::I64,
        ValType::F32 => Ty::F32,
        ValType::F64 => Ty::F64,
        ValType::Ref(r) if r.is_func_ref() => Ty::Func,
        ValType::Ref(r) if r.is_extern_ref() => Ty::Extern,
        ValType::Ref(r) if r == RefType::EXNREF => Ty::Exn,
        other => return Err(Error::unsupported(offset, format!("the type {other} is"))),
    })
}
