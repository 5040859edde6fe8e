//! `mkrootfs BUSYBOX.WASM BUSYBOX.LINKS OUT.CPIO [PROGRAM=PATH...]`: the root
//! file system, with further programs (mode 755) where they are named.

use std::path::Path;
use std::process::ExitCode;

use wasmlinux_rootfs::{add_applets, add_manifest, Cpio};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [busybox, links, out, programs @ ..] = &args[..] else {
        eprintln!("usage: mkrootfs BUSYBOX.WASM BUSYBOX.LINKS OUT.CPIO [PROGRAM=PATH...]");
        return ExitCode::from(2);
    };
    match make(busybox, links, out, programs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mkrootfs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(busybox: &str, links: &str, out: &str, programs: &[String]) -> Result<(), String> {
    let read = |path: &str| std::fs::read(path).map_err(|e| format!("{path}: {e}"));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest =
        String::from_utf8_lossy(&read(&here.join("manifest").to_string_lossy())?).into_owned();
    let cpio =
        add_manifest(Cpio::new(), &manifest, &here.join("skeleton")).map_err(|e| e.to_string())?;
    let links = String::from_utf8_lossy(&read(links)?).into_owned();
    let mut cpio = add_applets(cpio, &read(busybox)?, &links);
    for program in programs {
        let (file, path) =
            program.split_once('=').ok_or_else(|| format!("{program}: not PROGRAM=PATH"))?;
        cpio = cpio.file(path, 0o755, &read(file)?);
    }
    let archive = cpio.finish().map_err(|e| e.to_string())?;
    std::fs::write(out, archive).map_err(|e| format!("{out}: {e}"))
}
