//! The kernel as read: what must be known of it to take it apart, and what it must not
//! have, because nothing here would keep it right.

use anyhow::{bail, ensure, Result};
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{
    ElementSectionReader, Export, ExternalKind, FuncType, FunctionBody, GlobalType, Import,
    Operator, Parser, Payload, RefType, TableInit, TableType, TypeRef,
};

/// Until it has been read.
const NO_TABLE: TableType = TableType {
    element_type: RefType::FUNCREF,
    table64: false,
    initial: 0,
    maximum: None,
    shared: false,
};

pub struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// Functions among the imports: they come first.
    pub imported: u32,
    /// The type of each function, imports first.
    pub functions: Vec<u32>,
    pub table: TableType,
    pub globals: Vec<GlobalType>,
    pub exports: Vec<Export<'a>>,
    /// Clears what the linker has no zeros for.
    pub start: Option<u32>,
    pub elements: Vec<ElementSectionReader<'a>>,
    bodies: Vec<FunctionBody<'a>>,
    /// Contents by id.
    pub sections: BTreeMap<u8, &'a [u8]>,
}

impl<'a> Module<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Module {
            types: Vec::new(),
            imports: Vec::new(),
            imported: 0,
            functions: Vec::new(),
            table: NO_TABLE,
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            bodies: Vec::new(),
            sections: BTreeMap::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Some((id, range)) = payload.as_section() {
                module.sections.insert(id, &bytes[range.start as usize..range.end as usize]);
            }
            module.section(payload)?;
        }
        for body in &module.bodies {
            check(body)?;
        }
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                for ty in types.into_iter_err_on_gc_types() {
                    self.types.push(ty?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) => {
                            self.functions.push(ty);
                            self.imported += 1;
                        }
                        TypeRef::Memory(_) | TypeRef::Tag(_) => {}
                        other => bail!("it imports {}.{}, {other:?}", import.module, import.name),
                    }
                    self.imports.push(import);
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(tables) => {
                ensure!(tables.count() == 1, "it has {} tables", tables.count());
                for table in tables {
                    let table = table?;
                    ensure!(matches!(table.init, TableInit::RefNull), "its table has a value");
                    self.table = table.ty;
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    self.globals.push(global?.ty);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    self.exports.push(export?);
                }
            }
            Payload::ElementSection(elements) => self.elements.push(elements),
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::TagSection(_) => bail!("it has exceptions"),
            _ => {}
        }
        Ok(())
    }

    /// Functions that are not imported.
    pub fn defined(&self) -> Range<u32> {
        self.imported..self.functions.len() as u32
    }

    /// Of a function that is not imported.
    pub fn body(&self, function: u32) -> &FunctionBody<'a> {
        &self.bodies[(function - self.imported) as usize]
    }

    pub fn function_type(&self, function: u32) -> &FuncType {
        &self.types[self.functions[function as usize] as usize]
    }

    pub fn imported_function(&self, function: u32) -> Option<&Import<'a>> {
        let functions = self.imports.iter().filter(|i| matches!(i.ty, TypeRef::Func(_)));
        functions.into_iter().nth(function as usize)
    }

    /// What JavaScript calls.
    pub fn entries(&self) -> impl Iterator<Item = u32> + '_ {
        let is_function = |export: &&Export| matches!(export.kind, ExternalKind::Func);
        let exported = self.exports.iter().filter(is_function).map(|export| export.index);
        exported.chain(self.start)
    }
}

/// Whatever names a function, a data segment or a list of functions in another way than
/// by a call or in the table.
fn check(body: &FunctionBody) -> Result<()> {
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::RefFunc { .. }
            | Operator::ReturnCall { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. } => bail!("a function does what no C does"),
            _ => {}
        }
    }
    Ok(())
}
