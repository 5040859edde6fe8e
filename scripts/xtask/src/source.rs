//! From an archive to a tree that can be built: unpack, patch, overlay.
//!
//! A patch must apply exactly: a patch that lands somewhere near has to be read
//! by a person first. An overlay adds files; to change an upstream file is what
//! patches are for, so an overlay file that would replace one is refused.

use crate::key::files_below;
use crate::proc;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Unpacks `archive` into `tree`, without its top directory and what matches
/// one of `exclude`.
pub fn unpack(archive: &Path, exclude: &[String], tree: &Path, log: &Path) -> Result<()> {
    fs::create_dir_all(tree)?;
    let mut tar = Command::new("tar");
    tar.args(["--anchored", "--wildcards", "--no-wildcards-match-slash"]);
    tar.args(exclude.iter().map(|path| format!("--exclude=*/{path}")));
    tar.arg("-xf").arg(archive).args(["--strip-components=1", "--no-same-owner", "-C"]).arg(tree);
    proc::logged(&mut tar, log, |_| ()).map_err(|error| proc::maybe_full(tree, error))
}

/// Applies the `*.patch` files of `dir` in the order of their names.
pub fn patch(tree: &Path, dir: &Path, log: &Path) -> Result<()> {
    let patches = files_below(dir)?;
    for name in patches.iter().filter(|p| p.extension().is_some_and(|e| e == "patch")) {
        let mut patch = Command::new("patch");
        patch.args(["-p1", "--fuzz=0", "--forward", "--no-backup-if-mismatch", "--batch"]);
        patch.arg("-d").arg(tree).arg("-i").arg(fs::canonicalize(dir.join(name))?);
        proc::logged(&mut patch, log, |_| ())
            .with_context(|| format!("the patch {} does not apply exactly", name.display()))?;
    }
    Ok(())
}

/// Copies the files of `dir` over `tree`.
pub fn overlay(tree: &Path, dir: &Path) -> Result<()> {
    let files: Vec<PathBuf> = files_below(dir)?;
    if let Some(taken) = files.iter().find(|file| tree.join(file).symlink_metadata().is_ok()) {
        bail!(
            "the overlay {} would replace upstream's {}: make it a patch",
            dir.display(),
            taken.display()
        );
    }
    for file in &files {
        add(tree, file, |to| fs::copy(dir.join(file), to).map(drop))?;
    }
    Ok(())
}

/// Writes one generated file that upstream does not have.
pub fn generate(tree: &Path, file: &Path, text: &str) -> Result<()> {
    if tree.join(file).exists() {
        bail!("{} is generated, but the tree has one already", file.display());
    }
    add(tree, file, |to| fs::write(to, text))
}

fn add(tree: &Path, file: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    let to = tree.join(file);
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    write(&to).with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Trial {
        dir: tempfile::TempDir,
    }

    impl Trial {
        fn new() -> Trial {
            let dir = tempfile::tempdir().unwrap();
            for sub in ["tree", "patches", "overlay"] {
                fs::create_dir(dir.path().join(sub)).unwrap();
            }
            let lines: String = (1..=20).map(|n| format!("line {n}\n")).collect();
            fs::write(dir.path().join("tree/file"), lines).unwrap();
            Trial { dir }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn patch(&self, above: &str) -> Result<()> {
            let text = format!(
                "Why: to try.\n\n--- a/file\n+++ b/file\n@@ -9,3 +9,3 @@\n {above}\n-line 10\n+ten\n line 11\n"
            );
            fs::write(self.at("patches/01-try.patch"), text).unwrap();
            patch(&self.at("tree"), &self.at("patches"), &self.at("log"))
        }
    }

    #[test]
    fn a_patch_applies_exactly_or_not_at_all() {
        let trial = Trial::new();
        let error = trial.patch("line nine").unwrap_err();
        assert!(error.to_string().contains("01-try.patch does not apply exactly"), "{error}");
        assert!(!fs::read_to_string(trial.at("tree/file")).unwrap().contains("ten"));
        trial.patch("line 9").unwrap();
        assert!(fs::read_to_string(trial.at("tree/file")).unwrap().contains("\nten\n"));
        trial.patch("line 9").expect_err("it is applied already");
    }

    #[test]
    fn an_overlay_adds_and_never_replaces() {
        let trial = Trial::new();
        fs::create_dir_all(trial.at("overlay/arch/lkl")).unwrap();
        fs::write(trial.at("overlay/arch/lkl/new"), "n").unwrap();
        overlay(&trial.at("tree"), &trial.at("overlay")).unwrap();
        assert_eq!(fs::read_to_string(trial.at("tree/arch/lkl/new")).unwrap(), "n");

        fs::write(trial.at("overlay/file"), "mine").unwrap();
        fs::write(trial.at("overlay/another"), "n").unwrap();
        let error = overlay(&trial.at("tree"), &trial.at("overlay")).unwrap_err().to_string();
        assert!(error.contains("make it a patch"), "{error}");
        assert!(!trial.at("tree/another").exists(), "refused before anything is copied");
    }

    #[test]
    fn a_generated_file_is_new() {
        let trial = Trial::new();
        generate(&trial.at("tree"), Path::new("a/b.h"), "x").unwrap();
        generate(&trial.at("tree"), Path::new("a/b.h"), "x").unwrap_err();
    }

    #[test]
    fn an_archive_loses_its_top_directory() {
        let trial = Trial::new();
        let archive = trial.at("a.tar.gz");
        let status = Command::new("tar")
            .args([
                "-czf",
                archive.to_str().unwrap(),
                "-C",
                trial.dir.path().to_str().unwrap(),
                "tree",
            ])
            .status();
        assert!(status.unwrap().success());
        unpack(&archive, &[], &trial.at("new"), &trial.at("log")).unwrap();
        assert!(trial.at("new/file").exists());
        unpack(&archive, &["fi*".into()], &trial.at("new1"), &trial.at("log")).unwrap();
        assert!(!trial.at("new1/file").exists());
        fs::write(&archive, "no archive").unwrap();
        unpack(&archive, &[], &trial.at("new2"), &trial.at("log")).unwrap_err();
    }
}
