//! What a cache entry holds: a line per file with its SHA-256.
//!
//! The manifest is written last, before the entry gets its name, and checked
//! whenever the entry is used. A file that was changed, cut short or removed is
//! noticed there and the entry built anew. Hashing an entry costs a fraction of
//! a second, so there is no shortcut that trusts a time stamp.

use crate::key::{files_below, sha256_file};
use anyhow::{Context, Result};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

const NAME: &str = ".manifest";

/// Contents of one entry, sorted by path.
#[derive(Debug, PartialEq, Eq)]
pub struct Manifest(Vec<Line>);

#[derive(Debug, PartialEq, Eq)]
struct Line {
    /// SHA-256 of a file; `-> target` of a symbolic link.
    content: String,
    path: PathBuf,
}

/// Why an entry cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Damage {
    NoManifest,
    Missing(PathBuf),
    Changed(PathBuf),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::NoManifest => write!(f, "its manifest is missing or unreadable"),
            Damage::Missing(path) => write!(f, "{} is missing", path.display()),
            Damage::Changed(path) => write!(f, "{} has changed", path.display()),
        }
    }
}

impl Manifest {
    /// Describes the files below `dir` and writes the manifest beside them.
    pub fn seal(dir: &Path) -> Result<Manifest> {
        let mut lines = Vec::new();
        for path in files_below(dir)?.into_iter().filter(|path| path != Path::new(NAME)) {
            let content = content(&dir.join(&path))
                .with_context(|| format!("cannot read {}", dir.join(&path).display()))?;
            lines.push(Line { content, path });
        }
        let manifest = Manifest(lines);
        fs::write(dir.join(NAME), manifest.to_text())?;
        Ok(manifest)
    }

    /// Reads the manifest of `dir` and compares the files with it.
    pub fn verify(dir: &Path) -> Result<Manifest, Damage> {
        let text = fs::read_to_string(dir.join(NAME)).map_err(|_| Damage::NoManifest)?;
        let manifest = Manifest::parse(&text).ok_or(Damage::NoManifest)?;
        for line in &manifest.0 {
            match content(&dir.join(&line.path)) {
                Err(_) => return Err(Damage::Missing(line.path.clone())),
                Ok(now) if now != line.content => return Err(Damage::Changed(line.path.clone())),
                Ok(_) => {}
            }
        }
        Ok(manifest)
    }

    /// Stands for the contents of the whole entry in the keys of others.
    pub fn to_text(&self) -> String {
        self.to_text_of("")
    }

    /// The same of the files whose path begins with `prefix`.
    pub fn to_text_of(&self, prefix: &str) -> String {
        let lines = self.files().filter(|(path, _)| path.to_string_lossy().starts_with(prefix));
        let lines = lines.map(|(path, content)| format!("{content}\t{}\n", path.display()));
        format!("{}end\n", lines.collect::<String>())
    }

    /// Paths, and what stands for the content of each.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.0.iter().map(|line| (line.path.as_path(), line.content.as_str()))
    }

    fn parse(text: &str) -> Option<Manifest> {
        // The closing line shows that the manifest itself was not cut short.
        let body = text.strip_suffix("end\n")?;
        body.lines()
            .map(|line| {
                let (content, path) = line.split_once('\t')?;
                Some(Line { content: content.into(), path: path.into() })
            })
            .collect::<Option<Vec<_>>>()
            .map(Manifest)
    }
}

/// What a manifest says of the file at `path`.
pub fn content(path: &Path) -> std::io::Result<String> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Ok(format!("-> {}", fs::read_link(path)?.display()));
    }
    sha256_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("lib")).unwrap();
        fs::write(dir.path().join("lib/a"), "first").unwrap();
        fs::write(dir.path().join("b"), "second").unwrap();
        std::os::unix::fs::symlink("b", dir.path().join("c")).unwrap();
        dir
    }

    #[test]
    fn a_sealed_entry_verifies_as_it_was() {
        let dir = entry();
        let sealed = Manifest::seal(dir.path()).unwrap();
        assert_eq!(Manifest::verify(dir.path()).unwrap(), sealed);
    }

    #[test]
    fn every_kind_of_damage_is_named() {
        let damage = |hurt: fn(&Path)| {
            let dir = entry();
            Manifest::seal(dir.path()).unwrap();
            hurt(dir.path());
            Manifest::verify(dir.path()).unwrap_err()
        };
        assert_eq!(
            damage(|d| fs::write(d.join("lib/a"), "firsT").unwrap()),
            Damage::Changed("lib/a".into())
        );
        assert_eq!(damage(|d| fs::remove_file(d.join("b")).unwrap()), Damage::Missing("b".into()));
        assert_eq!(damage(|d| fs::remove_file(d.join(NAME)).unwrap()), Damage::NoManifest);
        assert_eq!(
            damage(|d| {
                let text = fs::read_to_string(d.join(NAME)).unwrap();
                fs::write(d.join(NAME), &text[..text.len() / 2]).unwrap();
            }),
            Damage::NoManifest
        );
        assert_eq!(
            damage(|d| {
                fs::remove_file(d.join("c")).unwrap();
                std::os::unix::fs::symlink("lib/a", d.join("c")).unwrap();
            }),
            Damage::Changed("c".into())
        );
    }
}
