//! What `userland/suites/NAME` says about a suite.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::guest_dir;
use crate::description::Description;

/// A suite as its folder describes it. CONTRIBUTING.md has the fields.
pub struct Suite {
    pub name: String,
    /// Left to `scripts/test --all`.
    pub slow: bool,
    /// Not left to it, if there are any.
    pub quick: Vec<String>,
    /// No tests of its own.
    pub tool: bool,
    pub deadline: Duration,
    /// Units at a time for each core.
    pub at_once: usize,
    /// Arguments of `wasmlinux run`, up to the command.
    pub machine: Vec<String>,
    /// Unit, case: why it must fail.
    pub expected: BTreeMap<String, BTreeMap<String, String>>,
}

impl Suite {
    /// A description that cannot be read is a mistake of the tree: it panics.
    pub fn load(folder: &Path, name: &str) -> Suite {
        let said = Description::load(folder).unwrap_or_else(|e| panic!("{e}"));
        // A suite of which everything passes needs none.
        let expected = std::fs::read_to_string(folder.join("expected.toml")).unwrap_or_default();
        let expected =
            toml::from_str(&expected).unwrap_or_else(|e| panic!("{name}/expected.toml: {e}"));

        let add = |host: PathBuf, guest: &str| {
            ["--add".to_owned(), format!("{}={guest}", host.display())]
        };
        let built = |name: &str| guest_dir().join("suites").join(name);
        let mut machine = vec!["run".into(), "--memory".into(), said.memory];
        machine.extend(add(built(name), "/suite"));
        machine.extend(add(folder.join("run"), "/suite/run"));
        let automake = folder.with_file_name("automake.sh");
        machine.extend(add(automake, "/suite/automake.sh"));
        for need in &said.needs {
            machine.extend(add(built(need).join("bin"), "/usr/local/bin"));
        }
        for file in &said.add {
            machine.extend(["--add".to_owned(), guest_dir().join(file).display().to_string()]);
        }
        machine.extend(["--cwd".into(), "/suite".into()]);
        Suite {
            name: name.into(),
            slow: said.slow,
            quick: said.quick,
            tool: said.tool,
            deadline: Duration::from_secs(said.deadline),
            at_once: said.at_once,
            machine,
            expected,
        }
    }
}
