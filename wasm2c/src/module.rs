//! The module as the other parts see it: index spaces flattened, imports
//! first, constant expressions reduced to one value.

use wasmparser::FunctionBody;

/// A value type. `Func` and `Extern` are C pointers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    Func,
    Extern,
    /// A caught exception by reference: a C structure, by value.
    Exn,
}

impl Ty {
    pub fn c(self) -> &'static str {
        match self {
            Ty::I32 => "u32",
            Ty::I64 => "u64",
            Ty::F32 => "f32",
            Ty::F64 => "f64",
            Ty::Func | Ty::Extern => "w2c_ref",
            Ty::Exn => "struct w2c_exn",
        }
    }

    /// A C initialiser for the default value.
    pub fn zero(self) -> &'static str {
        if self == Ty::Exn {
            "{ 0 }"
        } else {
            "0"
        }
    }

    /// Member of `union w2c_value`, which has none for `Exn`: parsing keeps
    /// such values away from where it is used.
    pub fn member(self) -> &'static str {
        match self {
            Ty::I32 => "i32",
            Ty::I64 => "i64",
            Ty::F32 => "f32",
            Ty::F64 => "f64",
            Ty::Func | Ty::Extern | Ty::Exn => "ref",
        }
    }

    /// Letter in a signature string.
    pub fn letter(self) -> char {
        match self {
            Ty::I32 => 'i',
            Ty::I64 => 'l',
            Ty::F32 => 'f',
            Ty::F64 => 'd',
            Ty::Func => 'r',
            Ty::Extern => 'x',
            Ty::Exn => 'e',
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FuncType {
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
}

impl FuncType {
    /// `"il:d"`: parameters, colon, results.
    pub fn signature(&self) -> String {
        let letters = |tys: &[Ty]| tys.iter().map(|t| t.letter()).collect::<String>();
        format!("{}:{}", letters(&self.params), letters(&self.results))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportName {
    pub module: String,
    pub name: String,
    pub offset: u64,
}

pub struct Func<'a> {
    /// Index into [`Module::types`], canonical by structure.
    pub ty: usize,
    pub import: Option<ImportName>,
    pub body: Option<FunctionBody<'a>>,
    /// From the name section, unsanitised.
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub enum Const {
    I32(u32),
    I64(u64),
    /// Bits, so that NaN payloads survive.
    F32(u32),
    F64(u64),
    Null,
    Func(u32),
    Global(u32),
}

pub struct Global {
    pub ty: Ty,
    pub mutable: bool,
    pub import: Option<ImportName>,
    pub init: Option<Const>,
}

pub struct Table {
    pub ty: Ty,
    pub min: u32,
    pub max: Option<u32>,
    pub import: Option<ImportName>,
}

pub struct Memory {
    pub min: u32,
    pub max: Option<u32>,
    pub shared: bool,
    pub import: Option<ImportName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

/// So many values an exception may carry; toolchains use one. `w2c_rt.h` has
/// it too.
pub const MAX_TAG_VALUES: usize = 32;

/// What exceptions are thrown with.
pub struct Tag {
    pub params: Vec<Ty>,
    pub import: Option<ImportName>,
}

pub struct Export {
    pub name: String,
    pub kind: Kind,
    pub index: u32,
}

#[derive(Debug, Clone, Copy)]
pub enum Placement {
    Passive,
    /// Of elements only: exists to be named by `ref.func`.
    Declared,
    Active {
        index: u32,
        offset: Const,
    },
}

pub struct Elem {
    pub placement: Placement,
    pub ty: Ty,
    pub items: Vec<Const>,
    pub offset: u64,
}

pub struct Data<'a> {
    pub placement: Placement,
    pub bytes: &'a [u8],
}

#[derive(Default)]
pub struct Module<'a> {
    /// Distinct function types.
    pub types: Vec<FuncType>,
    /// Type section index -> index into `types`.
    pub type_map: Vec<usize>,
    pub funcs: Vec<Func<'a>>,
    pub globals: Vec<Global>,
    pub tags: Vec<Tag>,
    pub tables: Vec<Table>,
    pub memory: Option<Memory>,
    pub exports: Vec<Export>,
    pub elems: Vec<Elem>,
    pub datas: Vec<Data<'a>>,
    pub start: Option<u32>,
    /// The order of imports over all kinds, for the descriptor.
    pub imports: Vec<(Kind, u32)>,
}

impl Module<'_> {
    /// Where a function is in the module's bytes.
    pub fn place(&self, func: &Func<'_>) -> u64 {
        match (&func.import, &func.body) {
            (Some(import), _) => import.offset,
            (None, Some(body)) => body.range().start,
            (None, None) => 0,
        }
    }

    pub fn func_type(&self, func: u32) -> &FuncType {
        &self.types[self.funcs[func as usize].ty]
    }

    /// How many values a pending exception needs room for; one at least, which
    /// an `exnref` copies. `foreign`: it may be another module's.
    pub fn exception_values(&self, foreign: bool) -> usize {
        match foreign {
            true => MAX_TAG_VALUES,
            false => self.tags.iter().map(|t| t.params.len()).max().unwrap_or(0).max(1),
        }
    }

    /// Results beyond the first, at most, over all types.
    pub fn max_results(&self) -> usize {
        self.types.iter().map(|t| t.results.len()).max().unwrap_or(0)
    }
}
