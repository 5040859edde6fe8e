//! The `wasmlinux` command.

mod cli;
mod console;
mod logs;
mod run;
mod serve;
mod telnet;

use clap::Parser;

fn main() {
    let code = run::main(cli::Cli::parse()).unwrap_or_else(|e| {
        eprintln!("wasmlinux: {e}");
        run::EXIT_HOST
    });
    std::process::exit(code);
}
