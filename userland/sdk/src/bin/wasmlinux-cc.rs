//! `wasmlinux-cc`: use it as `CC=`. Called as `wasmlinux-c++` it takes C++.

use std::path::Path;
use std::process::ExitCode;

use wasmlinux_sdk::driver::{self, Language};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let is_cxx = Path::new(&name).file_stem().is_some_and(|s| s.to_string_lossy().ends_with("++"));
    let language = if is_cxx { Language::Cxx } else { Language::C };
    match driver::run(language, args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("wasmlinux-cc: {error}");
            ExitCode::FAILURE
        }
    }
}
