//! A module as written: the one that was read, with imports, globals and
//! functions added and bodies replaced.
//!
//! What is added goes to the end of its index space, but for imports, which
//! must come first: their number is fixed before the first body is written, and
//! every index of the old module goes through a map. Other bytes stay as they
//! are.

use std::collections::BTreeMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, ElementSection, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, NameMap, NameSection,
    RawSection, SectionId, StartSection, TagKind, TagSection, TagType, TypeSection, ValType,
};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::module::Module;
use crate::Error;

/// From the old module's indices to the new one's.
pub struct Mapper {
    functions: Vec<u32>,
    imported_tags: u32,
    added_tags: u32,
}

impl Reencode for Mapper {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error> {
        Ok(self.functions[function as usize])
    }

    fn tag_index(&mut self, tag: u32) -> Result<u32, reencode::Error> {
        Ok(if tag < self.imported_tags { tag } else { tag + self.added_tags })
    }
}

struct Added {
    name: String,
    ty: u32,
    body: Function,
}

pub struct Output<'m, 'a> {
    module: &'m Module<'a>,
    pub map: Mapper,
    types: Vec<(Vec<ValType>, Vec<ValType>)>,
    imports: ImportSection,
    globals: Vec<(ValType, bool, i64)>,
    exports: Vec<(String, ExportKind, u32)>,
    added: Vec<Added>,
    first_added: u32,
}

/// An import that is added.
pub enum NewImport {
    Function { name: &'static str, params: Vec<ValType>, results: Vec<ValType> },
    Tag { name: &'static str, params: Vec<ValType> },
}

impl<'m, 'a> Output<'m, 'a> {
    /// `dropped` are imported functions that are no longer imported; each needs
    /// a [`Self::replace`].
    pub fn new(module: &'m Module<'a>, new: &[NewImport], dropped: &[u32]) -> Result<Self, Error> {
        let mut output = Output {
            module,
            map: Mapper {
                functions: Vec::new(),
                imported_tags: module.imported_tags,
                added_tags: 0,
            },
            types: Vec::new(),
            imports: ImportSection::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            added: Vec::new(),
            first_added: 0,
        };
        for ty in &module.types {
            let ty = output.map.func_type(ty.clone())?;
            output.types.push((ty.params().to_vec(), ty.results().to_vec()));
        }
        let (mut old, mut kept) = (0, 0);
        for import in &module.imports {
            if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                old += 1;
                if dropped.contains(&(old - 1)) {
                    output.map.functions.push(u32::MAX);
                    continue;
                }
                output.map.functions.push(kept);
                kept += 1;
            }
            let ty = output.map.entity_type(import.ty)?;
            output.imports.import(import.module, import.name, ty);
        }
        for import in new {
            let (name, ty) = match import {
                NewImport::Function { name, params, results } => {
                    kept += 1;
                    (name, EntityType::Function(output.ty(params, results)))
                }
                NewImport::Tag { name, params } => {
                    output.map.added_tags += 1;
                    let func_type_idx = output.ty(params, &[]);
                    (name, EntityType::Tag(TagType { kind: TagKind::Exception, func_type_idx }))
                }
            };
            output.imports.import(crate::MODULE, name, ty);
        }
        let count = module.defined();
        output.map.functions.extend(kept..kept + count);
        output.first_added = kept + count;
        Ok(output)
    }

    /// Index of the `n`th function import that was added, of `of`.
    pub fn new_function(&self, n: u32, of: u32) -> u32 {
        self.first_added - self.module.defined() - of + n
    }

    pub fn new_tag(&self) -> u32 {
        self.module.imported_tags
    }

    /// Where an old function is now.
    pub fn mapped(&self, function: u32) -> u32 {
        self.map.functions[function as usize]
    }

    /// What stands for old function `function` from now on.
    pub fn replace(&mut self, function: u32, by: u32) {
        self.map.functions[function as usize] = by;
    }

    /// The index of a function type, which is added if there is none.
    pub fn ty(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        let found = self.types.iter().position(|(p, r)| p == params && r == results);
        let index = found.unwrap_or_else(|| {
            self.types.push((params.to_vec(), results.to_vec()));
            self.types.len() - 1
        });
        index as u32
    }

    /// Parameters and results of a function type.
    pub fn type_of(&self, ty: u32) -> (Vec<ValType>, Vec<ValType>) {
        self.types[ty as usize].clone()
    }

    /// Parameters and results of an old function.
    pub fn signature(&self, function: u32) -> (Vec<ValType>, Vec<ValType>) {
        self.types[self.module.func_types[function as usize] as usize].clone()
    }

    /// Adds an exported global.
    pub fn global(&mut self, name: &str, ty: ValType, mutable: bool, init: i64) -> u32 {
        let index = self.constant(ty, init);
        self.globals.last_mut().expect("it was just added").1 = mutable;
        self.exports.push((name.into(), ExportKind::Global, index));
        index
    }

    /// Adds a global that nothing changes and nobody sees.
    pub fn constant(&mut self, ty: ValType, init: i64) -> u32 {
        self.globals.push((ty, false, init));
        self.module.globals + self.globals.len() as u32 - 1
    }

    /// Sets what an added global begins with, when that is known late.
    pub fn set_init(&mut self, global: u32, init: i64) {
        self.globals[(global - self.module.globals) as usize].2 = init;
    }

    /// Adds a function. Its name is for traces only.
    pub fn function(
        &mut self,
        name: impl Into<String>,
        params: &[ValType],
        results: &[ValType],
        body: Function,
    ) -> u32 {
        let ty = self.ty(params, results);
        self.added.push(Added { name: name.into(), ty, body });
        self.first_added + self.added.len() as u32 - 1
    }

    /// The body of a function that stays as it is.
    pub fn unchanged(&mut self, body: &wasmparser::FunctionBody) -> Result<Function, Error> {
        let mut function = self.map.new_function_with_parsed_locals(body)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            function.instruction(&self.map.parse_instruction(&mut reader)?);
        }
        Ok(function)
    }

    /// The whole module; `bodies` are those of the old module's functions.
    pub fn finish(mut self, bodies: Vec<Function>) -> Result<Vec<u8>, Error> {
        let mut out = wasm_encoder::Module::new();
        self.custom(&mut out, true)?;
        self.types_to_functions(&mut out);
        self.copy(&mut out, SectionId::Table);
        self.copy(&mut out, SectionId::Memory);
        self.tags_to_elements(&mut out)?;
        self.copy(&mut out, SectionId::DataCount);
        let mut code = CodeSection::new();
        for body in bodies.iter().chain(self.added.iter().map(|a| &a.body)) {
            code.function(body);
        }
        out.section(&code);
        self.copy(&mut out, SectionId::Data);
        self.custom(&mut out, false)?;
        Ok(out.finish())
    }

    fn types_to_functions(&self, out: &mut wasm_encoder::Module) {
        let mut types = TypeSection::new();
        for (params, results) in &self.types {
            types.ty().function(params.iter().copied(), results.iter().copied());
        }
        out.section(&types).section(&self.imports);
        let mut functions = FunctionSection::new();
        for ty in &self.module.func_types[self.module.imported_funcs as usize..] {
            functions.function(*ty);
        }
        for added in &self.added {
            functions.function(added.ty);
        }
        out.section(&functions);
    }

    fn tags_to_elements(&mut self, out: &mut wasm_encoder::Module) -> Result<(), Error> {
        let mut tags = TagSection::new();
        let mut globals = GlobalSection::new();
        let mut exports = ExportSection::new();
        let mut start = None;
        let mut elements = ElementSection::new();
        for payload in Parser::new(0).parse_all(self.module.bytes) {
            match payload? {
                Payload::TagSection(s) => self.map.parse_tag_section(&mut tags, s)?,
                Payload::GlobalSection(s) => self.map.parse_global_section(&mut globals, s)?,
                Payload::ExportSection(s) => self.map.parse_export_section(&mut exports, s)?,
                Payload::StartSection { func, .. } => start = Some(self.map.function_index(func)?),
                Payload::ElementSection(s) => self.map.parse_element_section(&mut elements, s)?,
                _ => {}
            }
        }
        if !tags.is_empty() {
            out.section(&tags);
        }
        for (val_type, mutable, init) in &self.globals {
            let init = match val_type {
                ValType::I64 => ConstExpr::i64_const(*init),
                _ => ConstExpr::i32_const(*init as i32),
            };
            let ty = GlobalType { val_type: *val_type, mutable: *mutable, shared: false };
            globals.global(ty, &init);
        }
        if !globals.is_empty() {
            out.section(&globals);
        }
        for (name, kind, index) in &self.exports {
            exports.export(name, *kind, *index);
        }
        out.section(&exports);
        if let Some(function_index) = start {
            out.section(&StartSection { function_index });
        }
        if !elements.is_empty() {
            out.section(&elements);
        }
        Ok(())
    }

    /// Copies a section that names nothing by its index, if there is one.
    fn copy(&self, out: &mut wasm_encoder::Module, id: SectionId) {
        for (found, content) in &self.module.sections {
            if *found == id as u8 {
                let data = &self.module.bytes[content.clone()];
                out.section(&RawSection { id: id as u8, data });
            }
        }
    }

    /// Custom sections: those that were first stay first, the others go last.
    fn custom(&mut self, out: &mut wasm_encoder::Module, leading: bool) -> Result<(), Error> {
        let count = self.module.sections.iter().take_while(|(id, _)| *id == 0).count();
        let mut n = 0;
        for payload in Parser::new(0).parse_all(self.module.bytes) {
            let Payload::CustomSection(section) = payload? else { continue };
            n += 1;
            if (n <= count) != leading {
                continue;
            }
            match section.as_known() {
                KnownCustom::Name(names) => {
                    out.section(&self.names(names)?);
                }
                _ => {
                    let data = section.data().into();
                    out.section(&CustomSection { name: section.name().into(), data });
                }
            }
        }
        Ok(())
    }

    fn names(&mut self, section: wasmparser::NameSectionReader) -> Result<NameSection, Error> {
        let mut names = NameSection::new();
        for subsection in section {
            match subsection? {
                Name::Function(map) => {
                    // In a map of names the indices ascend.
                    let mut functions = BTreeMap::new();
                    for naming in map {
                        let naming = naming?;
                        let index = self.mapped(naming.index);
                        // An import that is gone has no name.
                        if index != u32::MAX {
                            functions.insert(index, naming.name);
                        }
                    }
                    for (n, added) in self.added.iter().enumerate() {
                        functions.insert(self.first_added + n as u32, &added.name);
                    }
                    let mut map = NameMap::new();
                    for (index, name) in functions {
                        map.append(index, name);
                    }
                    names.functions(&map);
                }
                // The locals and labels of rewritten functions are others.
                Name::Local(_) | Name::Label(_) => {}
                other => self.map.parse_custom_name_subsection(&mut names, other)?,
            }
        }
        Ok(names)
    }
}
