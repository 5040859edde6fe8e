//! `suite.toml`, which both sides of a suite read: xtask builds by it, the
//! runner's tests run by it. CONTRIBUTING.md describes the fields.

use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Left to `scripts/test --all`.
    #[serde(default)]
    pub slow: bool,
    /// The units that `scripts/test` runs, the others being left to `--all`.
    #[serde(default)]
    pub quick: Vec<String>,
    /// No tests of its own: others need it.
    #[serde(default)]
    pub tool: bool,
    /// Suites whose programs this one runs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Relative to the suite's folder.
    #[serde(default = "own_recipe")]
    pub recipe: String,
    /// More for `--add`, the host's side in what xtask has built.
    #[serde(default)]
    pub add: Vec<String>,
    /// Of a unit, in seconds.
    #[serde(default = "minute")]
    pub deadline: u64,
    /// Units at a time for each core: more than one where tests mostly sleep.
    #[serde(default = "one")]
    pub at_once: usize,
    /// For `--memory`.
    #[serde(default = "usual_memory")]
    pub memory: String,
}

pub fn own_recipe() -> String {
    "recipe.toml".into()
}

fn minute() -> u64 {
    60
}

fn one() -> usize {
    1
}

fn usual_memory() -> String {
    "256M".into()
}

impl Description {
    /// Of the suite in this folder; else what is wrong with it.
    pub fn load(folder: &Path) -> Result<Description, String> {
        let file = folder.join("suite.toml");
        let said = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|e| said(&e))?;
        toml::from_str(&text).map_err(|e| said(&e))
    }
}

/// All suites of the folder that has them, in the order of their names.
pub fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for item in std::fs::read_dir(folder)? {
        let item = item?;
        if item.path().is_dir() {
            names.push(item.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
