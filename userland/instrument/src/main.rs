//! `wasmlinux-instrument IN.wasm OUT.wasm`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use wasmlinux_instrument::{instrument, Exceptions, Handlers, Options};

/// Instruments a program module for engines that cannot copy a host stack.
#[derive(Parser)]
#[command(version)]
struct Args {
    input: PathBuf,
    output: PathBuf,
    /// How exceptions are written, unless the module says it itself
    #[arg(long, value_enum, default_value = "legacy")]
    exceptions: Encoding,
    /// Whether signal handlers can fork
    #[arg(long, value_enum, default_value = "auto")]
    fork_in_handlers: Policy,
    /// Leave out safepoints
    #[arg(long)]
    no_safepoints: bool,
    /// Let calls through pointers of other types trap
    #[arg(long)]
    no_casts: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Encoding {
    Legacy,
    Exnref,
}

#[derive(Clone, Copy, ValueEnum)]
enum Policy {
    Auto,
    Never,
    Always,
}

fn run(args: &Args) -> Result<(), String> {
    let options = Options {
        exceptions: match args.exceptions {
            Encoding::Legacy => Exceptions::Legacy,
            Encoding::Exnref => Exceptions::Exnref,
        },
        handlers: match args.fork_in_handlers {
            Policy::Auto => Handlers::Auto,
            Policy::Never => Handlers::NoFork,
            Policy::Always => Handlers::Fork,
        },
        no_safepoints: args.no_safepoints,
        no_casts: args.no_casts,
    };
    let at = |path: &PathBuf, error: String| format!("{}: {error}", path.display());
    let module = std::fs::read(&args.input).map_err(|e| at(&args.input, e.to_string()))?;
    let done = instrument(&module, &options).map_err(|e| at(&args.input, e.to_string()))?;
    std::fs::write(&args.output, done).map_err(|e| at(&args.output, e.to_string()))
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasmlinux-instrument: {error}");
            ExitCode::FAILURE
        }
    }
}
