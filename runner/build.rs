//! Links the translated kernel and programs, and tells the code where the root
//! file system is. All of it is made by `cargo run -p xtask -- build`.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Programs whose code is part of the binary: `<name>.wasm`, `lib<name>.a`.
const PROGRAMS: &[&str] = &["busybox"];

fn main() {
    println!("cargo:rustc-check-cfg=cfg(native)");
    if env::var("CARGO_CFG_TARGET_OS").unwrap() == "emscripten" {
        // A page's engine loads the modules themselves.
        return;
    }
    println!("cargo:rustc-cfg=native");
    println!("cargo:rerun-if-env-changed=WASMLINUX_GUEST");
    let guest = match env::var_os("WASMLINUX_GUEST") {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../target/guest"),
    };
    let guest = match guest.canonicalize() {
        Ok(dir) if dir.join("libkernel.a").exists() => dir,
        _ => {
            eprintln!("the guest is not built: run `cargo run -p xtask -- build` (or scripts/run)");
            std::process::exit(1);
        }
    };
    println!("cargo:rustc-link-search=native={}", guest.display());
    let mut code = String::new();
    for (name, file) in [("ROOTFS", "rootfs.cpio"), ("EMPTY_DISK", "disk.blocks")] {
        let file = guest.join(file).display().to_string();
        code += &format!("pub static {name}: &[u8] = include_bytes!({file:?});\n");
        println!("cargo:rerun-if-changed={file}");
    }
    link(&guest, "kernel");
    let mut externs = String::new();
    let mut entries = String::new();
    for name in PROGRAMS {
        link(&guest, name);
        let module = guest.join(format!("{name}.wasm"));
        println!("cargo:rerun-if-changed={}", module.display());
        let bytes = fs::read(&module).expect("xtask makes the module beside its code");
        let id = &bytes[BUILD_ID..BUILD_ID + 32];
        externs += &format!("    static {name}_module: Module;\n");
        entries += &format!("    ({id:?}, &raw const {name}_module),\n");
    }
    code += &format!(
        "unsafe extern \"C\" {{\n{externs}}}\n\
         /// Build id and code of every program in this binary.\n\
         pub static PROGRAMS: &[(BuildId, Linked)] = &[\n{entries}];\n"
    );
    code = code.replace("&raw const ", "Linked(&raw const ").replace("_module),", "_module)),");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap()).join("guest.rs");
    fs::write(out, code).expect("cargo gives a writable OUT_DIR");
}

/// Offset of the build id in a finished module: header, section id, size and
/// name, "WLI1" and three words.
const BUILD_ID: usize = 8 + 1 + 1 + 12 + 16;

fn link(guest: &Path, name: &str) {
    println!("cargo:rustc-link-lib=static={name}");
    println!("cargo:rerun-if-changed={}", guest.join(format!("lib{name}.a")).display());
}
