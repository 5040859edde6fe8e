//! Programs on the host: `wasmlinux run ./hello`.
//!
//! The module is translated, compiled to a shared object and loaded; the object
//! is kept in the cache under the module's build id and what makes code of it.
//! The guest gets the module itself as an executable file.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use wasm2c::CFLAGS;
use wasmlinux_sdk::finish::Image as ImageSection;

use crate::engine::image::{self, BuildId, Image, ImageError};
use crate::engine::layout::Module;

/// Where host programs are put in the guest.
const GUEST_DIR: &str = "/usr/local/bin";
/// C name of a program's module: the same for all, so that equal modules give
/// equal objects.
const NAME: &str = "program";
/// Compilers that know `__seg_gs`, best first.
const COMPILERS: &[&str] = &["clang-19", "clang", "gcc"];
/// Code files per object, for compilers in parallel.
const BYTES_PER_FILE: usize = 256 << 10;
const MAX_FILES: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0} is not a WebAssembly module; build programs with wasmlinux-cc")]
    NotWasm(PathBuf),
    #[error("{0} is not a program for wasmlinux: {1}; build it with wasmlinux-cc")]
    NotProgram(PathBuf, String),
    #[error("{0} cannot be translated: {1}")]
    Translate(PathBuf, #[source] wasm2c::Error),
    #[error("no C compiler found to compile {0}: install clang-19, or set CC")]
    NoCompiler(PathBuf),
    #[error("{1} failed on {0}:\n{2}")]
    Compile(PathBuf, String, String),
    #[error("the C compiler made code of {0} that cannot be used: {1}; use clang-19, or set CC")]
    Frames(PathBuf, #[source] wasm2c::FrameError),
    #[error("cannot write to the cache {0}: {1}; free some space or set XDG_CACHE_HOME")]
    Cache(PathBuf, #[source] io::Error),
    #[error("cannot load the compiled {0}: {1}")]
    Load(PathBuf, String),
    #[error("{0} cannot be run: {1}")]
    Image(PathBuf, #[source] ImageError),
}

/// A program that the engine now knows.
pub struct Program {
    pub guest_path: String,
    pub module: Vec<u8>,
}

/// The host file that a command names: one with a slash that says it is here
/// (`./x`, `../x`), or any with a slash that is a WebAssembly module.
pub fn host_path(command: &[u8]) -> Option<PathBuf> {
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(command));
    let is_here = command.starts_with(b"./") || command.starts_with(b"../");
    (is_here || command.contains(&b'/') && begins_as_wasm(&path)).then_some(path)
}

fn begins_as_wasm(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut f| f.read_exact(&mut magic)).is_ok() && &magic == b"\0asm"
}

/// Where a program on the host is put in the guest.
pub fn guest_path(path: &Path) -> String {
    let name = path.file_name().map_or("program".into(), |n| n.to_string_lossy());
    format!("{GUEST_DIR}/{name}")
}

/// Compiles and loads a program, or takes it from the cache.
pub fn prepare(path: &Path) -> Result<Program, ProgramError> {
    let module = fs::read(path).map_err(|e| ProgramError::Read(path.to_owned(), e))?;
    if !module.starts_with(b"\0asm") {
        return Err(ProgramError::NotWasm(path.to_owned()));
    }
    make_ready(path, &module)?;
    Ok(Program { guest_path: guest_path(path), module })
}

/// The same for a module that has been read from `path`.
pub fn make_ready(path: &Path, module: &[u8]) -> Result<(), ProgramError> {
    let id = build_id(path, module)?;
    if image::find(&id).is_none() {
        let object = object(path, module, &id)?;
        load(path, &object, id)?;
    }
    Ok(())
}

/// The build id in a module, if it is that module's.
fn build_id(path: &Path, module: &[u8]) -> Result<BuildId, ProgramError> {
    let error = |what: &str| ProgramError::NotProgram(path.to_owned(), what.to_owned());
    let section =
        ImageSection::parse(module).ok_or_else(|| error("it has no linux.image section"))?;
    let body = ImageSection::body(module).ok_or_else(|| error("it is cut off"))?;
    if ImageSection::identify(section.data_end, body).build_id != section.build_id {
        return Err(error("its build id is not its own; it was changed or cut off after linking"));
    }
    Ok(section.build_id)
}

/// The compiled object in the cache, made now if it is not there.
fn object(path: &Path, module: &[u8], id: &BuildId) -> Result<PathBuf, ProgramError> {
    let options = options(module);
    let mut key = Sha256::new();
    // Of the compiler only who was asked for: what an older version of it made
    // is as good.
    let chosen = std::env::var("CC").unwrap_or_default();
    let settings = [&format!("{options:?}"), wasm2c::FINGERPRINT, &CFLAGS.join(" "), &chosen];
    for part in settings {
        key.update((part.len() as u64).to_le_bytes());
        key.update(part);
    }
    key.update(id);
    let key = hex(&key.finalize());
    let dir = cache_dir().join("programs");
    let object = dir.join(format!("{key}.so"));
    if verified(&object) {
        return Ok(object);
    }
    let sources = translate(path, module, &options)?;
    let compiler = compiler(path)?;
    let cache = |e| ProgramError::Cache(dir.clone(), e);
    fs::create_dir_all(&dir).map_err(cache)?;
    let work = tempfile::Builder::new().prefix("build-").tempdir_in(&dir).map_err(cache)?;
    compile(path, &sources, &compiler, work.path())?;
    let built = work.path().join("program.so");
    let sum = digest(&built).map_err(cache)?;
    fs::write(work.path().join("sum"), sum).map_err(cache)?;
    // The sum first: an object without its sum is made again.
    fs::rename(work.path().join("sum"), object.with_extension("sum")).map_err(cache)?;
    fs::rename(built, &object).map_err(cache)?;
    Ok(object)
}

/// True when the object is there and is what was written.
fn verified(object: &Path) -> bool {
    let sum = fs::read_to_string(object.with_extension("sum"));
    matches!((sum, digest(object)), (Ok(a), Ok(b)) if a == b)
}

fn digest(file: &Path) -> io::Result<String> {
    let bytes = fs::read(file)?;
    Ok(hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn cache_dir() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|d| !d.is_empty()).map(PathBuf::from);
    base.unwrap_or_else(|| {
        let home = std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
        home.join(".cache")
    })
    .join("wasmlinux")
}

fn compiler(path: &Path) -> Result<String, ProgramError> {
    let chosen = std::env::var("CC").ok();
    let candidates = chosen.iter().map(String::as_str).chain(COMPILERS.iter().copied());
    let runs = |command: &&str| {
        Command::new(command).arg("--version").output().is_ok_and(|out| out.status.success())
    };
    candidates
        .into_iter()
        .find(runs)
        .map(String::from)
        .ok_or_else(|| ProgramError::NoCompiler(path.to_owned()))
}

fn options(module: &[u8]) -> wasm2c::Options {
    let mut options = wasm2c::Options::program(NAME);
    options.files = (module.len() / BYTES_PER_FILE).clamp(1, MAX_FILES);
    options
}

/// The module as C: file names and texts.
fn translate(
    path: &Path,
    module: &[u8],
    options: &wasm2c::Options,
) -> Result<Vec<(String, String)>, ProgramError> {
    let output = wasm2c::translate(module, options)
        .map_err(|e| ProgramError::Translate(path.to_owned(), e))?;
    // The portable runtime is not for this mode.
    let runtime = wasm2c::RUNTIME.iter().filter(|(name, _)| name.ends_with(".h"));
    let runtime = runtime.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Ok(runtime.chain(output.files.into_iter().map(|f| (f.name, f.text))).collect())
}

/// Compiles to `dir/program.so`.
fn compile(
    path: &Path,
    files: &[(String, String)],
    cc: &str,
    dir: &Path,
) -> Result<(), ProgramError> {
    let cache = |e| ProgramError::Cache(dir.to_owned(), e);
    let mut sources = Vec::new();
    for (name, text) in files {
        fs::write(dir.join(name), text).map_err(cache)?;
        if name.ends_with(".c") {
            sources.push(name.clone());
        }
    }
    let failed = |what: String| ProgramError::Compile(path.to_owned(), cc.to_owned(), what);
    let run = |args: &[&str]| {
        Command::new(cc).current_dir(dir).args(args).stdin(std::process::Stdio::null()).output()
    };
    let results = std::thread::scope(|scope| {
        let compile = |source: String| {
            let flags = CFLAGS.iter().copied().chain(["-c", &source]);
            run(&flags.collect::<Vec<_>>())
        };
        let threads: Vec<_> =
            sources.iter().cloned().map(|source| scope.spawn(move || compile(source))).collect();
        threads.into_iter().map(|t| t.join().expect("no panic in it")).collect::<Vec<_>>()
    });
    let mut link: Vec<String> = ["-shared", "-o", "program.so"].map(String::from).to_vec();
    link.extend(sources.iter().map(|s| s.replace(".c", ".o")));
    link.push("-lm".into());
    let linked = results
        .into_iter()
        .find(|r| !matches!(r, Ok(out) if out.status.success()))
        .unwrap_or_else(|| run(&link.iter().map(String::as_str).collect::<Vec<_>>()));
    match linked {
        // fork copies host stacks: no frame of a program may hold an address.
        Ok(out) if out.status.success() => {
            wasm2c::prove_frames(&[dir.join("program.so")], &format!("{NAME}_f"))
                .map_err(|e| ProgramError::Frames(path.to_owned(), e))
        }
        Ok(out) => Err(failed(String::from_utf8_lossy(&out.stderr).into_owned())),
        Err(e) => Err(failed(e.to_string())),
    }
}

/// Loads an object for good and makes its program known.
fn load(path: &Path, object: &Path, id: BuildId) -> Result<(), ProgramError> {
    let error = |what: &str| ProgramError::Load(path.to_owned(), what.to_owned());
    let file = CString::new(object.as_os_str().as_bytes()).map_err(|_| error("bad path"))?;
    let symbol = CString::new(format!("{NAME}_module")).expect("no NUL in a constant");
    // SAFETY: the object was made by our translator and compiler and is what the
    // cache recorded; it has no initialisers.
    let module = unsafe {
        let handle = libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if handle.is_null() {
            return Err(error(&std::ffi::CStr::from_ptr(libc::dlerror()).to_string_lossy()));
        }
        libc::dlsym(handle, symbol.as_ptr()).cast::<Module>()
    };
    if module.is_null() {
        return Err(error("it has no module descriptor"));
    }
    // SAFETY: as above; objects are never unloaded.
    let image =
        unsafe { Image::new(&*module) }.map_err(|e| ProgramError::Image(path.to_owned(), e))?;
    image::register(id, image);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_commands_are_host_files() {
        assert!(host_path(b"ls").is_none());
        assert!(host_path(b"/bin/sh").is_none(), "not a module");
        assert_eq!(host_path(b"./x"), Some("./x".into()), "whatever it is");
    }
}
