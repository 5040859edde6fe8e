//! fork, vfork, setjmp and longjmp without the engine's help with stacks.
//!
//! ```text
//!  body ──► liveness ──► sites ──► emit (over stack) ──► function ──► abi
//! ```
//!
//! Only functions from which a fork can be reached, and those that call setjmp,
//! change.

mod abi;
pub mod body;
mod emit;
mod function;
mod liveness;
mod sites;
mod stack;

use wasm_encoder::ValType;
use wasmparser::FuncType;

use crate::graph::{Graph, Reach};
use crate::module::Module;
use crate::output::{NewImport, Output};
use crate::{Error, Handlers, Options};
use abi::Abi;
pub use abi::ABI;

const I32: wasmparser::ValType = wasmparser::ValType::I32;

/// The imports that matter.
struct Imports {
    fork: Option<u32>,
    vfork: Option<u32>,
    setjmp: Option<u32>,
    longjmp: Option<u32>,
    /// Where signal handlers may run.
    syscall: Option<u32>,
    poll: Option<u32>,
}

impl Imports {
    fn find(module: &Module) -> Result<Self, Error> {
        const I64: wasmparser::ValType = wasmparser::ValType::I64;
        let find = |name: &str, params: &[wasmparser::ValType], results: &[_]| {
            let ty = FuncType::new(params.iter().copied(), results.iter().copied());
            module.imported(name, &ty)
        };
        Ok(Imports {
            fork: find("fork", &[], &[I32])?,
            vfork: find("vfork", &[], &[I32])?,
            setjmp: find("setjmp", &[I32], &[I32])?,
            longjmp: find("longjmp", &[I32, I32], &[])?,
            syscall: find("syscall", &[I32, I64, I64, I64, I64, I64, I64], &[I32])?,
            poll: find("poll", &[], &[I32])?,
        })
    }
}

/// Whether a function that `__wasm_signal` could call reaches fork.
fn handler_forks(module: &Module, reach: &Reach) -> bool {
    let plain = FuncType::new([I32], []);
    let with_info = FuncType::new([I32, I32, I32], []);
    module.referenced.iter().any(|f| {
        let ty = module.func_type(*f);
        reach.function(*f) && (*ty == plain || *ty == with_info)
    })
}

/// See the module's text.
pub fn lower(mut module: Module, options: &Options) -> Result<Vec<u8>, Error> {
    let imports = Imports::find(&module)?;
    if let Some(setjmp) = imports.setjmp.filter(|s| module.referenced.contains(s)) {
        return Err(Error::Unsupported {
            what: "a pointer to setjmp",
            offset: u64::from(setjmp),
            why: "setjmp must be called by its name",
        });
    }
    let exceptions = module.exceptions()?.unwrap_or(options.exceptions);
    let graph = Graph::new(&module)?;
    let mut roots: Vec<u32> = imports.fork.into_iter().chain(imports.vfork).collect();
    let mut reach = graph.reaching(&roots);
    let handlers_fork = match options.handlers {
        Handlers::Auto => handler_forks(&module, &reach),
        Handlers::NoFork => false,
        Handlers::Fork => !roots.is_empty(),
    };
    if handlers_fork {
        roots.extend(imports.syscall.into_iter().chain(imports.poll));
        reach = graph.reaching(&roots);
    }

    let jumps: Vec<u32> = imports.setjmp.into_iter().chain(imports.longjmp).collect();
    let tag = NewImport::Tag { name: "longjmp", params: vec![ValType::I32; 2] };
    let added = if jumps.is_empty() { Vec::new() } else { vec![tag] };
    let functions = std::mem::take(&mut module.functions);
    let mut out = Output::new(&module, &added, &jumps)?;
    let mut abi = Abi::new(&mut out, &module, handlers_fork);
    for (name, import) in [("fork", imports.fork), ("vfork", imports.vfork)] {
        if let Some(import) = import {
            let engines = out.mapped(import);
            let wrapped = abi.fork(&mut out, name, engines);
            out.replace(import, wrapped);
        }
    }
    if let Some(longjmp) = imports.longjmp {
        let thrown = abi.longjmp(&mut out);
        out.replace(longjmp, thrown);
    }

    let context = function::Context { reach: &reach, setjmp: imports.setjmp, exceptions };
    let mut bodies = Vec::new();
    for (n, function) in functions.into_iter().enumerate() {
        let index = module.imported_funcs + n as u32;
        bodies.push(function::rewrite(&mut out, &mut abi, &context, index, function)?);
    }
    abi.finish(&mut out);
    out.finish(bodies)
}
