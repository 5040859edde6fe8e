//! A module as read: what both passes ask about it. Everything is validated
//! before anything is looked at.

use std::collections::BTreeSet;
use std::ops::Range;

use wasmparser::{
    CompositeInnerType, ConstExpr, ElementItems, ElementKind, ExternalKind, FuncToValidate,
    FuncType, FunctionBody, Import, Operator, Parser, Payload, TypeRef, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

use crate::{Error, Exceptions};

/// What program modules are made of. Both encodings of exceptions: which one a
/// program uses is its compiler's choice. `ref.test`, of which `casts.rs` makes use,
/// comes with the types of GC; other types than functions are refused.
pub fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::THREADS
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::LEGACY_EXCEPTIONS
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::GC
}

/// A function with a body, and what its validation needs. Checking it again
/// while it is rewritten gives the types on the operand stack.
pub struct Function<'a> {
    pub validate: FuncToValidate<ValidatorResources>,
    pub body: FunctionBody<'a>,
}

#[derive(Default)]
pub struct Module<'a> {
    pub bytes: &'a [u8],
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// The type of each function, imports first.
    pub func_types: Vec<u32>,
    pub imported_funcs: u32,
    pub imported_tags: u32,
    pub tags: u32,
    pub globals: u32,
    pub functions: Vec<Function<'a>>,
    /// Functions that a table or a reference can name.
    pub referenced: BTreeSet<u32>,
    pub exports: Vec<wasmparser::Export<'a>>,
    /// All sections in their order: id and content.
    pub sections: Vec<(u8, Range<usize>)>,
}

impl<'a> Module<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut module = Module { bytes, ..Module::default() };
        let mut validator = Validator::new_with_features(features());
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let ValidPayload::Func(validate, body) = validator.payload(&payload)? {
                module.functions.push(Function { validate, body });
            }
            module.section(payload)?;
        }
        module.find_references_in_code()?;
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        if let Some((id, range)) = payload.as_section() {
            self.sections.push((id, range.start as usize..range.end as usize));
        }
        match payload {
            Payload::TypeSection(types) => {
                for group in types {
                    let group = group?;
                    let plain = !group.is_explicit_rec_group();
                    for (offset, ty) in group.into_types_and_offsets() {
                        match ty.composite_type.inner {
                            CompositeInnerType::Func(found)
                                if plain && ty.is_final && ty.supertype_idx.is_none() =>
                            {
                                self.types.push(found);
                            }
                            _ => {
                                return Err(Error::Unsupported {
                                    what: "a type",
                                    offset,
                                    why: "it is not a plain function type",
                                })
                            }
                        }
                    }
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    self.import(import?);
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.func_types.push(ty?);
                }
            }
            Payload::TagSection(tags) => self.tags += tags.count(),
            Payload::GlobalSection(globals) => {
                self.globals += globals.count();
                for global in globals {
                    self.find_references(&global?.init_expr)?;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    self.exports.push(export?);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    if let wasmparser::TableInit::Expr(expr) = table?.init {
                        self.find_references(&expr)?;
                    }
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    let element = element?;
                    // A declared segment permits `ref.func`, which is found
                    // where it is used.
                    if !matches!(element.kind, ElementKind::Declared) {
                        self.find_references_in(element.items)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: Import<'a>) {
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.func_types.push(ty);
                self.imported_funcs += 1;
            }
            TypeRef::Tag(_) => {
                self.imported_tags += 1;
                self.tags += 1;
            }
            TypeRef::Global(_) => self.globals += 1,
            TypeRef::Table(_) | TypeRef::Memory(_) => {}
        }
        self.imports.push(import);
    }

    fn find_references(&mut self, expr: &ConstExpr) -> Result<(), Error> {
        for op in expr.get_operators_reader() {
            if let Operator::RefFunc { function_index } = op? {
                self.referenced.insert(function_index);
            }
        }
        Ok(())
    }

    fn find_references_in(&mut self, items: ElementItems) -> Result<(), Error> {
        match items {
            ElementItems::Functions(functions) => {
                for f in functions {
                    self.referenced.insert(f?);
                }
            }
            ElementItems::Expressions(_, exprs) => {
                for expr in exprs {
                    self.find_references(&expr?)?;
                }
            }
        }
        Ok(())
    }

    fn find_references_in_code(&mut self) -> Result<(), Error> {
        for function in &self.functions {
            for op in function.body.get_operators_reader()? {
                if let Operator::RefFunc { function_index } = op? {
                    self.referenced.insert(function_index);
                }
            }
        }
        Ok(())
    }

    /// How the module writes exceptions, if it does: no engine takes both in one.
    pub fn exceptions(&self) -> Result<Option<Exceptions>, Error> {
        for function in &self.functions {
            for op in function.body.get_operators_reader()? {
                match op? {
                    Operator::Try { .. } => return Ok(Some(Exceptions::Legacy)),
                    Operator::TryTable { .. } => return Ok(Some(Exceptions::Exnref)),
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    /// Functions with a body, whether they are still here or not.
    pub fn defined(&self) -> u32 {
        self.func_types.len() as u32 - self.imported_funcs
    }

    pub fn func_type(&self, function: u32) -> &FuncType {
        &self.types[self.func_types[function as usize] as usize]
    }

    /// The index of an imported function, whose type must be `ty`.
    pub fn imported(&self, name: &str, ty: &FuncType) -> Result<Option<u32>, Error> {
        let functions = self.imports.iter().filter_map(|i| match i.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => Some((i, ty)),
            _ => None,
        });
        for (index, (import, found)) in functions.enumerate() {
            if import.module == crate::MODULE && import.name == name {
                if self.types[found as usize] != *ty {
                    return Err(Error::ImportType {
                        module: import.module.into(),
                        name: import.name.into(),
                    });
                }
                return Ok(Some(index as u32));
            }
        }
        Ok(None)
    }

    pub fn exported(&self, name: &str, kind: ExternalKind) -> Option<u32> {
        self.exports.iter().find(|e| e.name == name && e.kind == kind).map(|e| e.index)
    }
}
