//! Compiles libtelnet, whose source `cargo xtask build` has fetched and patched.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-env-changed=WASMLINUX_GUEST");
    let guest = match env::var_os("WASMLINUX_GUEST") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../target/guest"),
    };
    let source = guest.join("libtelnet");
    if !source.join("libtelnet.c").exists() {
        eprintln!("libtelnet is not fetched: run `cargo run -p xtask -- build` (or scripts/run)");
        std::process::exit(1);
    }
    for file in ["libtelnet.c", "libtelnet.h"] {
        println!("cargo:rerun-if-changed={}", source.join(file).display());
    }
    // Without HAVE_ZLIB: no compression, of which there is nothing to gain here.
    let mut build = cc::Build::new();
    if env::var("CARGO_CFG_TARGET_OS").unwrap() == "emscripten" {
        // Its messages have no floating point, so a page need not download how that is
        // printed.
        build.define("vsnprintf", "vsniprintf");
    }
    build
        .file(source.join("libtelnet.c"))
        .include(&source)
        .define("HAVE_STDBOOL_H", None)
        .warnings(false) // upstream's are upstream's
        .compile("telnet");
}
