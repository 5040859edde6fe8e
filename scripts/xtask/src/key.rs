//! Cache keys: one SHA-256 over everything an entry is made from.
//!
//! Every part is written with its label and its length, so that two different
//! lists of parts never give the same bytes.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A finished key: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Collects the parts of a key.
pub struct KeyBuilder(Sha256);

impl KeyBuilder {
    /// `format` names the layout of the entry and is raised when that changes.
    pub fn new(format: &str) -> Self {
        KeyBuilder(Sha256::new()).part("format", format.as_bytes())
    }

    pub fn part(mut self, label: &str, bytes: &[u8]) -> Self {
        for piece in [label.as_bytes(), bytes] {
            self.0.update((piece.len() as u64).to_le_bytes());
            self.0.update(piece);
        }
        self
    }

    pub fn text(self, label: &str, text: &str) -> Self {
        self.part(label, text.as_bytes())
    }

    pub fn file(self, label: &str, path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(self.part(label, &bytes))
    }

    /// All files below `dir` for which `keep` (given the path relative to
    /// `dir`) holds: names, contents, the executable bit. A missing directory
    /// is an empty one: not every part has patches.
    pub fn tree(mut self, label: &str, dir: &Path, keep: impl Fn(&Path) -> bool) -> Result<Self> {
        for rel in files_below(dir)? {
            if !keep(&rel) {
                continue;
            }
            let path = dir.join(&rel);
            let meta = fs::symlink_metadata(&path)?;
            let name = format!("{label}/{}", rel.display());
            self = if meta.is_symlink() {
                let target = fs::read_link(&path)?;
                self.part(&name, format!("-> {}", target.display()).as_bytes())
            } else {
                let exec = meta.permissions().mode() & 0o100 != 0;
                self.file(&format!("{name}{}", if exec { "*" } else { "" }), &path)?
            };
        }
        Ok(self)
    }

    /// A compiler or tool, by what it says of its own version.
    pub fn tool(self, program: &str) -> Result<Self> {
        let out = Command::new(program)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot run {program}: run scripts/setup"))?;
        Ok(self.part(program, &out.stdout))
    }

    pub fn finish(self) -> Key {
        Key(hex(&self.0.finalize()))
    }
}

/// What editors leave beside the file they change is no part of anything.
fn is_backup(name: &str) -> bool {
    name.ends_with('~') || (name.starts_with('.') && name.contains(".sw"))
}

/// Files and symbolic links below `dir`, relative to it, sorted.
pub fn files_below(dir: &Path) -> Result<Vec<PathBuf>> {
    fn walk(top: &Path, rel: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
        let dir = top.join(rel);
        for item in fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))? {
            let item = item?;
            let name = item.file_name();
            let text = name.to_string_lossy();
            if is_backup(&text) {
                continue;
            }
            let rel = rel.join(&name);
            if item.file_type()?.is_dir() {
                walk(top, &rel, into)?;
            } else {
                into.push(rel);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    if dir.is_dir() {
        walk(dir, Path::new(""), &mut files)?;
    }
    files.sort();
    Ok(files)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 of a file, read in pieces: a kernel source has 150 MB.
pub fn sha256_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut file = fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[(&str, &str)]) -> Key {
        parts.iter().fold(KeyBuilder::new("1"), |k, (l, t)| k.text(l, t)).finish()
    }

    #[test]
    fn every_part_counts_and_none_runs_into_the_next() {
        assert_eq!(key(&[("a", "b")]), key(&[("a", "b")]));
        assert_ne!(key(&[("a", "b")]), key(&[("a", "c")]));
        assert_ne!(key(&[("a", "bc")]), key(&[("ab", "c")]));
        assert_ne!(key(&[("a", ""), ("b", "")]), key(&[("b", ""), ("a", "")]));
    }

    #[test]
    fn a_tree_is_its_names_contents_and_modes() {
        let dir = tempfile::tempdir().unwrap();
        let of = || {
            let all = |p: &Path| p != Path::new("ignored");
            KeyBuilder::new("1").tree("t", dir.path(), all).unwrap().finish()
        };
        let empty = of();
        fs::write(dir.path().join("a"), "1").unwrap();
        let one = of();
        assert_ne!(empty, one);
        fs::write(dir.path().join("ignored"), "x").unwrap();
        fs::write(dir.path().join(".a.swp"), "x").unwrap();
        assert_eq!(one, of());
        fs::set_permissions(dir.path().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(one, of());
    }

    #[test]
    fn a_missing_tree_is_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("nothing");
        let of = |d: &Path| KeyBuilder::new("1").tree("t", d, |_| true).unwrap().finish();
        assert_eq!(of(dir.path()), of(&missing));
    }

    #[test]
    fn file_hash_is_sha256() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "abc").unwrap();
        assert!(sha256_file(&path).unwrap().starts_with("ba7816bf8f01cfea"));
    }
}
