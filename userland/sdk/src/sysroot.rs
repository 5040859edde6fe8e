//! Where the headers and libraries are.

use std::path::{Path, PathBuf};

use crate::driver::Error;

/// A built sysroot: `include/`, and `lib/` with `crt1.o` and `libc.a`.
#[derive(Debug, Clone)]
pub struct Sysroot(PathBuf);

/// The C++ part: `include/c++/v1`, and `lib/` with `libc++.a`.
#[derive(Debug, Clone)]
pub struct CxxRoot(PathBuf);

impl CxxRoot {
    pub fn include(&self) -> PathBuf {
        self.0.join("include/c++/v1")
    }

    pub fn lib(&self) -> PathBuf {
        self.0.join("lib")
    }
}

impl Sysroot {
    /// `WASMLINUX_SYSROOT`, else `../sysroot` beside the executable (an
    /// installed SDK), else `guest/sysroot` in the workspace's target folder
    /// above the executable.
    ///
    /// The folder need not be complete: musl's own build starts from nothing.
    pub fn find() -> Result<Self, Error> {
        if let Some(dir) = std::env::var_os("WASMLINUX_SYSROOT") {
            return Ok(Self(PathBuf::from(dir)));
        }
        let exe =
            std::env::current_exe().and_then(|p| p.canonicalize()).map_err(Error::NoExecutable)?;
        let mut tried = Vec::new();
        for (up, sub) in [(2, "sysroot"), (2, "guest/sysroot")] {
            if let Some(base) = exe.ancestors().nth(up) {
                let dir = base.join(sub);
                if dir.join("include").is_dir() {
                    return Ok(Self(dir));
                }
                tried.push(dir.display().to_string());
            }
        }
        Err(Error::NoSysroot { tried: tried.join(", ") })
    }

    /// `WASMLINUX_SYSROOT_CXX`, else the folder `sysroot-c++` beside this one.
    pub fn cxx(&self) -> Result<CxxRoot, Error> {
        if let Some(dir) = std::env::var_os("WASMLINUX_SYSROOT_CXX") {
            return Ok(CxxRoot(PathBuf::from(dir)));
        }
        let dir = self.0.with_file_name("sysroot-c++");
        match dir.join("include").is_dir() {
            true => Ok(CxxRoot(dir)),
            false => Err(Error::NoCxx { tried: dir.display().to_string() }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn include(&self) -> PathBuf {
        self.0.join("include")
    }

    pub fn lib(&self) -> PathBuf {
        self.0.join("lib")
    }

    /// The object with `_start`.
    pub fn crt1(&self) -> PathBuf {
        self.lib().join("crt1.o")
    }

    /// The object for a `main` with three arguments.
    pub fn main_envp(&self) -> PathBuf {
        self.lib().join("main_envp.o")
    }

    /// The compiler's run-time library: 128-bit arithmetic and floats.
    pub fn builtins(&self) -> PathBuf {
        self.lib().join("libclang_rt.builtins-wasm32.a")
    }
}
