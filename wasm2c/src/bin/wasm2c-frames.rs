//! `objdump -d prog.so | wasm2c-frames prog`: fails if a frame of the module
//! may hold an absolute address. See `wasm2c::check_frames`.

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// Checks the disassembly (standard input) of a gs-mode module.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The module's `--name`.
    name: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("wasm2c-frames: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<bool> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read the disassembly")?;
    let prefix = format!("{}_", args.name);
    let functions =
        text.lines().filter(|l| l.contains(&format!("<{prefix}")) && l.ends_with(">:")).count();
    anyhow::ensure!(functions > 0, "no function of `{}` in the input", args.name);
    let found = wasm2c::check_frames(&text, &prefix);
    for v in &found {
        eprintln!("{}: {}: {}", v.function, v.why, v.instruction);
    }
    println!("{functions} functions, {} violations", found.len());
    Ok(found.is_empty())
}
