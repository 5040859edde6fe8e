//! The `wasm2c` tool: arguments, files, exit code.

use std::path::PathBuf;

use anyhow::{bail, Context};
use clap::{Parser, ValueEnum};
use wasm2c::{HeadSlot, Mode, Options};

/// Translates a WebAssembly module to C.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The module.
    input: PathBuf,
    /// Folder for the C files and the runtime; made if missing.
    #[arg(short, long)]
    out: PathBuf,
    /// Prefix of every C identifier.
    #[arg(short, long)]
    name: String,
    #[arg(long, value_enum, default_value = "base")]
    mode: ModeArg,
    /// Base mode: the instance lies at a constant distance below its memory.
    #[arg(long)]
    colocated: bool,
    /// Number of code files.
    #[arg(long, default_value_t = 1)]
    files: usize,
    /// Poll for interrupts at loop back-edges and in recursive functions.
    #[arg(long)]
    safepoints: bool,
    /// Keep the exported global GLOBAL in the head: GLOBAL=stack_pointer or
    /// GLOBAL=tls_base.
    #[arg(long, value_name = "GLOBAL=SLOT")]
    pin: Vec<String>,
    /// Bind imports of MODULE to C functions whose names begin with PREFIX.
    #[arg(long, value_name = "MODULE=PREFIX")]
    direct: Vec<String>,
    /// An extra header, which may define direct imports inline.
    #[arg(long)]
    header: Option<String>,
    /// A call of a function that has another type than its pointer arrives.
    #[arg(long)]
    casts: bool,
    /// A load whose value is unused still traps.
    #[arg(long)]
    strict: bool,
    /// Also print the C compiler's flags.
    #[arg(long)]
    cflags: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArg {
    Base,
    Gs,
}

fn main() {
    if let Err(e) = run(Args::parse()) {
        eprintln!("wasm2c: {e:#}");
        std::process::exit(1);
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    let wasm = std::fs::read(&args.input)
        .with_context(|| format!("cannot read {}", args.input.display()))?;
    let mut options = Options::new(args.name);
    options.mode = match args.mode {
        ModeArg::Base => Mode::Base,
        ModeArg::Gs => Mode::Gs,
    };
    options.colocated = args.colocated;
    options.files = args.files;
    options.safepoints = args.safepoints;
    options.header = args.header;
    options.strict = args.strict;
    options.casts = args.casts;
    for pin in &args.pin {
        let (global, slot) = pair(pin)?;
        let slot = match slot {
            "stack_pointer" => HeadSlot::StackPointer,
            "tls_base" => HeadSlot::TlsBase,
            _ => bail!("`{slot}` is no slot: stack_pointer or tls_base"),
        };
        options.pinned.insert(global.into(), slot);
    }
    for direct in &args.direct {
        let (module, prefix) = pair(direct)?;
        options.direct.insert(module.into(), prefix.into());
    }
    let output =
        wasm2c::translate(&wasm, &options).with_context(|| args.input.display().to_string())?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make {}", args.out.display()))?;
    let runtime = wasm2c::RUNTIME.iter().map(|(name, text)| (*name, *text));
    let files = output.files.iter().map(|f| (f.name.as_str(), f.text.as_str()));
    for (name, text) in runtime.chain(files) {
        let path = args.out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.cflags {
        println!("{}", wasm2c::CFLAGS.join(" "));
    }
    Ok(())
}

fn pair(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('=').with_context(|| format!("`{text}` needs a `=`"))
}
