//! The test suites of programs that others wrote (`userland/suites`), each
//! program built unmodified and run in the guest.
//!
//! ```text
//! userland/suites/NAME/suite.toml, expected.toml, run ─┐
//! target/guest/suites/NAME (made by xtask) ────────────┼─► unit ─► cases
//!                                                      │    each unit on a machine
//!                        table ◄── judged against ─────┘    of its own, with a deadline
//! ```
//!
//! `cargo xtask suites [NAME...]` builds and runs them; `scripts/test` those that
//! suite.toml marks for it, `--all` every one. Results are in `target/suites`.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../../userland/suites/description.rs"]
#[allow(dead_code)] // xtask reads the rest
mod description;
mod suite;
mod table;
mod unit;

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use suite::Suite;
use table::Table;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let all = args.iter().any(|a| a == "--include-ignored");
    let wanted: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../userland/suites");
    let results = common::guest_dir().join("../suites");

    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let names = description::names(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for name in names {
        let suite = Suite::load(&folder.join(&name), &name);
        // As with Rust's own tests: a name on the command line is a filter.
        if !wanted.is_empty() && !wanted.iter().any(|w| name.contains(*w)) {
            continue;
        }
        if suite.tool {
            continue;
        }
        if wanted.is_empty() && suite.slow && !all {
            println!("suite {name}: not run, part of scripts/test --all");
            skipped += 1;
            continue;
        }
        let whole = all || !wanted.is_empty() || suite.quick.is_empty();
        let (table, left) = run(&suite, &results.join(&name), whole);
        println!("{}", table.report());
        if left > 0 {
            println!("suite {name}: {left} units not run, part of scripts/test --all");
            skipped += left;
        }
        if let Err(e) = std::fs::write(results.join(format!("{name}.txt")), table.listing()) {
            println!("cannot write the table of {name}: {e}");
            failed += 1;
        }
        passed += table.passed();
        failed += table.failed();
        skipped += table.skipped();
    }
    // What xtask counts.
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed; {skipped} ignored");
    ExitCode::from(u8::from(failed != 0))
}

/// Runs the units of a suite, as many at once as there are cores, or as the suite
/// says: all, or the quick ones; how many were left.
fn run<'a>(suite: &'a Suite, logs: &Path, whole: bool) -> (Table<'a>, usize) {
    let mut table = Table::new(suite);
    let _ = std::fs::remove_dir_all(logs);
    std::fs::create_dir_all(logs).expect("a folder for logs");
    let units = match unit::list(suite, logs) {
        Ok(units) => units,
        Err(why) => {
            table.broken(&why);
            return (table, 0);
        }
    };
    let (units, left) = if whole { (units, Vec::new()) } else { quick(suite, units, &mut table) };
    left.iter().for_each(|unit| table.leave(unit));
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        for _ in 0..cores * suite.at_once {
            scope.spawn(|| {
                while let Some(name) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = unit::run(suite, name, logs);
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap();
    reports.sort_by_key(|r| units.iter().position(|u| *u == r.unit));
    reports.into_iter().for_each(|report| table.add(report));
    table.finish();
    (table, left.len())
}

/// The quick units and the others.
fn quick(suite: &Suite, units: Vec<String>, table: &mut Table) -> (Vec<String>, Vec<String>) {
    for name in suite.quick.iter().filter(|name| !units.contains(name)) {
        table.broken(&format!("{name} is quick in suite.toml, but no unit is called so"));
    }
    units.into_iter().partition(|unit| suite.quick.contains(unit))
}
