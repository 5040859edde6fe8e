//! Runs clang and wasm-ld with what a program module needs, then finishes it.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitStatus};

use crate::command::{Action, Arg, Command, Query};
use crate::object;
use crate::sysroot::{CxxRoot, Sysroot};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("shared libraries are not supported; link the objects or a static archive into the program (configure: --disable-shared --enable-static)")]
    Shared,
    #[error("{option}: {why}")]
    Linker { option: String, why: &'static str },
    #[error(
        "no sysroot (tried {tried}); build it with userland/musl/build.sh or set WASMLINUX_SYSROOT"
    )]
    NoSysroot { tried: String },
    #[error(
        "no C++ library (tried {tried}); build it with \"cargo xtask build\" or set WASMLINUX_SYSROOT_CXX"
    )]
    NoCxx { tried: String },
    #[error("cannot tell where this executable is: {0}")]
    NoExecutable(std::io::Error),
    #[error("cannot run {compiler}: {cause}; install clang-19 and lld-19 or set WASMLINUX_CLANG")]
    NoCompiler { compiler: String, cause: std::io::Error },
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: std::io::Error },
    #[error("{}: {cause}", path.display())]
    Finish { path: PathBuf, cause: crate::finish::Error },
}

/// The source language, from the name the driver is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    C,
    Cxx,
}

impl Language {
    fn compiler(self) -> OsString {
        let (variable, default) = match self {
            Language::C => ("WASMLINUX_CLANG", "clang-19"),
            Language::Cxx => ("WASMLINUX_CLANGXX", "clang++-19"),
        };
        std::env::var_os(variable).unwrap_or_else(|| default.into())
    }
}

/// What configure's `config.sub` accepts as the host.
pub const MACHINE: &str = "wasm32-unknown-linux-musl";

/// Code generation: the wasm features every engine of ours has.
const TARGET: &[&str] = &[
    "--target=wasm32-unknown-unknown",
    "-matomics",
    "-mbulk-memory",
    "-mmutable-globals",
    "-msign-ext",
    "-mnontrapping-fptoint",
    // It is Linux, though clang has no such wasm target.
    "-D__linux__=1",
    "-D__linux=1",
    "-D__gnu_linux__=1",
    "-D__unix__=1",
    "-D__unix=1",
    "-nostdlibinc",
    "-Qunused-arguments",
];

/// The module's shape, as in ARCHITECTURE.md.
///
/// wasm-ld makes thread-local storage only for a shared memory; finishing
/// makes the memory unshared again. `--table-base` keeps function pointers
/// clear of small integers that C programs use as such: SIG_IGN is 1.
const LINK: &[&str] = &[
    "-z,stack-size=0",
    "--no-entry",
    "--shared-memory",
    "--import-memory",
    "--max-memory=4294967296",
    // The run-time library has no atomics and needs none.
    "--no-check-features",
    "--global-base=65536",
    "--table-base=16",
    "--export-table",
    "--export=__stack_pointer",
    "--export=__tls_base",
    "--export=__heap_base",
    // Both are found only through the engine.
    "--export=__wasm_thread_start",
    "--export=__wasm_signal",
];

/// main may lie in an archive; nothing refers to it strongly.
const MAIN: &[&str] = &["-u", "__main_argc_argv", "-u", "main"];

/// For C++ alone.
const CXX: &[&str] = &["-fwasm-exceptions", "-nostdinc++"];

/// The library, and what ends a program that catches nothing: see the entry
/// points in musl's overlay.
const CXX_LIBRARIES: &[&str] = &["-Wl,-u,__wasm_guard", "-lc++", "-lc++abi", "-lunwind"];

/// Runs one command line; the result is the process's exit code.
pub fn run(language: Language, args: impl IntoIterator<Item = OsString>) -> Result<u8, Error> {
    let command = Command::parse(args)?;
    let sysroot = Sysroot::find();
    match &command.action {
        Action::LinkerVersion => linker_version(&language.compiler()),
        Action::Print(query) => {
            print(query, &sysroot?);
            Ok(0)
        }
        Action::Compile => {
            let sysroot = sysroot.ok();
            let sources = command.args.iter().any(Arg::is_cxx);
            let mut clang = Clang::new(language, sysroot.as_ref());
            if language == Language::Cxx || sources {
                // A configure script that asks for the version has no need of it.
                clang.cxx(sysroot.and_then(|s| s.cxx().ok()).as_ref());
            }
            clang.args(command.args.iter().map(Arg::text));
            if let Some(output) = &command.output {
                clang.output(output);
            }
            clang.run().map(exit_code)
        }
        Action::Relocatable => {
            let mut clang = Clang::new(language, None);
            clang
                .args(["-nostdlib", "-r"])
                .args(command.args.iter().map(Arg::text))
                .output(&command.program());
            clang.run().map(exit_code)
        }
        Action::Link => link(language, &command, &sysroot?),
    }
}

fn print(query: &Query, sysroot: &Sysroot) {
    match query {
        Query::Machine => println!("{MACHINE}"),
        Query::Sysroot => println!("{}", sysroot.path().display()),
        Query::Builtins => println!("{}", sysroot.builtins().display()),
        Query::File(name) => {
            let file = sysroot.lib().join(name);
            // As gcc: the bare name says "not found".
            let found = if file.exists() { file } else { PathBuf::from(name) };
            println!("{}", found.display());
        }
    }
}

/// Which linker it is can only be told where clang has found it.
fn linker_version(compiler: &OsStr) -> Result<u8, Error> {
    let failed = |cause| Error::NoCompiler { compiler: compiler.to_string_lossy().into(), cause };
    let linker = Process::new(compiler)
        .args([TARGET[0], "-print-prog-name=wasm-ld"])
        .output()
        .map_err(failed)?;
    let linker = String::from_utf8_lossy(&linker.stdout).trim_end().to_owned();
    Process::new(linker).arg("--version").status().map(exit_code).map_err(failed)
}

/// Compiles each source, links, finishes. In steps, because clang runs
/// binaryen's optimiser, where one is installed, after a link with `-O`: the
/// result would depend on the machine. (Its `--no-wasm-opt` links nothing.)
fn link(language: Language, command: &Command, sysroot: &Sysroot) -> Result<u8, Error> {
    let program = command.program();
    let is_cxx = language == Language::Cxx || command.cxx_library;
    let cxx = match is_cxx || command.args.iter().any(Arg::is_cxx) {
        true => Some(sysroot.cxx()?),
        false => None,
    };
    let scratch = Scratch::beside(&program);
    let mut args: Vec<OsString> = Vec::new();
    for (n, arg) in command.args.iter().enumerate() {
        match arg {
            Arg::Compile(_) => {}
            Arg::Link(text) => args.push(text.clone()),
            Arg::Source(source) => {
                let object = scratch.file(&format!("{n}.o"));
                let mut clang = Clang::new(language, Some(sysroot));
                if language == Language::Cxx || arg.is_cxx() {
                    clang.cxx(cxx.as_ref());
                }
                let options = command.args.iter().filter(|a| matches!(a, Arg::Compile(_)));
                clang.args(options.map(Arg::text)).args([OsStr::new("-c"), source]).output(&object);
                let status = clang.run()?;
                if !status.success() {
                    return Ok(exit_code(status));
                }
                args.push(object.into());
            }
        }
    }

    let linked = scratch.file("wasm");
    let mut clang = Clang::new(language, None);
    clang.args(["-nostdlib"]);
    // Else clang looks for libraries in the host's own folders.
    clang.args([format!("--sysroot={}", sysroot.path().display())]);
    clang.args(LINK.iter().map(|option| format!("-Wl,{option}")));
    if command.startfiles {
        clang.args(MAIN.iter().map(|option| format!("-Wl,{option}")));
        clang.args([sysroot.crt1()]);
        if args.iter().any(|arg| object::main_takes_envp(Path::new(arg))) {
            clang.args([sysroot.main_envp()]);
        }
    }
    clang.args([format!("-L{}", sysroot.lib().display())]);
    clang.args(&args);
    if let Some(cxx) = cxx.filter(|_| is_cxx && command.defaultlibs) {
        clang.args([format!("-L{}", cxx.lib().display())]).args(CXX_LIBRARIES);
    }
    if command.defaultlibs {
        clang.args([PathBuf::from("-lc"), sysroot.builtins()]);
    }
    let status = clang.output(&linked).run()?;
    if status.success() {
        finish_file(&linked, &program)?;
    }
    Ok(exit_code(status))
}

/// Names for the files between the steps, removed at the end: beside the
/// program, so that they are on one file system and two links at a time do not
/// meet. `-o /dev/null` has no beside.
struct Scratch {
    dir: PathBuf,
    made: RefCell<Vec<PathBuf>>,
}

impl Scratch {
    fn beside(program: &Path) -> Self {
        let dir = match program.parent() {
            Some(dir) if !program.starts_with("/dev") => dir.into(),
            _ => std::env::temp_dir(),
        };
        Scratch { dir, made: RefCell::default() }
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.dir.join(format!(".wasmlinux-cc.{}.{name}", std::process::id()));
        self.made.borrow_mut().push(path.clone());
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for path in self.made.borrow().iter() {
            // A step that failed may have made nothing.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn finish_file(linked: &Path, program: &Path) -> Result<(), Error> {
    let file = |path: &Path, cause| Error::File { path: path.into(), cause };
    let module = std::fs::read(linked).map_err(|e| file(linked, e))?;
    let module =
        crate::finish(&module).map_err(|cause| Error::Finish { path: program.into(), cause })?;
    std::fs::write(program, module).map_err(|e| file(program, e))?;
    #[cfg(unix)]
    if !program.starts_with("/dev") {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755))
            .map_err(|e| file(program, e))?;
    }
    Ok(())
}

/// One run of clang.
struct Clang {
    compiler: OsString,
    process: Process,
    include: Vec<PathBuf>,
}

impl Clang {
    fn new(language: Language, sysroot: Option<&Sysroot>) -> Self {
        let compiler = language.compiler();
        let mut process = Process::new(&compiler);
        process.args(TARGET);
        Clang { compiler, process, include: sysroot.map(Sysroot::include).into_iter().collect() }
    }

    fn args<A: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = A>) -> &mut Self {
        self.process.args(args);
        self
    }

    /// For a C++ source, or what may be one.
    fn cxx(&mut self, root: Option<&CxxRoot>) -> &mut Self {
        self.process.args(CXX);
        // Its headers include those of C by the same names.
        self.include.splice(0..0, root.map(CxxRoot::include));
        self
    }

    fn output(&mut self, path: &Path) -> &mut Self {
        self.process.arg("-o").arg(path);
        self
    }

    fn run(&mut self) -> Result<ExitStatus, Error> {
        // Last, so that the program's own folders come first.
        for include in &self.include {
            self.process.arg("-isystem").arg(include);
        }
        self.process.status().map_err(|cause| Error::NoCompiler {
            compiler: self.compiler.to_string_lossy().into_owned(),
            cause,
        })
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
