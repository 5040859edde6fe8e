//! `xtask`: everything that `scripts/run`, `scripts/test` and `scripts/bench`
//! do once the machine has the packages.
//!
//! ```text
//! verbs ─► kernel, userland, telnet, translate, guest ─► cache, key, manifest
//!   └► web (the same modules, for a page)
//!             └► fetch ─► recipe, apt, mirror      source, proc, progress
//! ```

mod apt;
mod bench;
mod cache;
mod context;
mod deb;
mod disk;
mod fetch;
mod guest;
mod kernel;
mod key;
mod languages;
#[cfg(test)]
mod layers;
mod lock;
mod manifest;
mod mirror;
mod pipeline;
mod proc;
mod progress;
mod recipe;
mod rootfs;
mod rust;
mod sdk;
mod source;
mod suites;
mod telnet;
mod testing;
mod translate;
mod userland;
mod verbs;
mod web;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match verbs::run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", verbs::explain(&error));
            ExitCode::FAILURE
        }
    }
}
