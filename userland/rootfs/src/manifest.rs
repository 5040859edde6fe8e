//! The manifest: a text file that names each entry of the root file system.
//!
//! ```text
//! dir   MODE PATH [UID:GID]
//! file  MODE PATH [UID:GID]     content: the same path below the skeleton
//! link  PATH TARGET
//! char  MODE PATH MAJOR:MINOR
//! ```
//!
//! `#` begins a comment. Modes are octal.

use std::path::{Path, PathBuf};

use crate::cpio::{Cpio, Owner};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("manifest line {line}: {what}: {text:?}")]
    Line { line: usize, what: &'static str, text: String },
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: std::io::Error },
}

/// Adds what `manifest` names; files come from the folder `skeleton`.
pub fn add_manifest(mut cpio: Cpio, manifest: &str, skeleton: &Path) -> Result<Cpio, Error> {
    for (number, text) in manifest.lines().enumerate() {
        let words: Vec<&str> = text.split('#').next().unwrap_or("").split_whitespace().collect();
        let bad = |what| Error::Line { line: number + 1, what, text: text.into() };
        let mode = |word| u32::from_str_radix(word, 8).map_err(|_| bad("mode"));
        cpio = match words[..] {
            [] => cpio,
            ["dir", m, path] => cpio.dir(path, mode(m)?),
            ["dir", m, path, owner] => {
                let (uid, gid) = pair(owner).ok_or_else(|| bad("owner"))?;
                cpio.owner(Owner { uid, gid }).dir(path, mode(m)?).owner(Owner::default())
            }
            ["file", m, path] => cpio.file(path, mode(m)?, &content(skeleton, path)?),
            ["file", m, path, owner] => {
                let (uid, gid) = pair(owner).ok_or_else(|| bad("owner"))?;
                let content = content(skeleton, path)?;
                cpio.owner(Owner { uid, gid })
                    .file(path, mode(m)?, &content)
                    .owner(Owner::default())
            }
            ["link", path, target] => cpio.symlink(path, target),
            ["char", m, path, device] => {
                let (major, minor) = pair(device).ok_or_else(|| bad("device"))?;
                cpio.char_device(path, mode(m)?, major, minor)
            }
            _ => return Err(bad("not an entry")),
        };
    }
    Ok(cpio)
}

/// Adds BusyBox and a symlink for each applet of `links`, the list its build
/// writes (one absolute path a line).
///
/// It is set-user-id root: it drops the right at once, except for the applets
/// that are so everywhere (su, login, passwd, ping).
pub fn add_applets(cpio: Cpio, busybox: &[u8], links: &str) -> Cpio {
    const BUSYBOX: &str = "/bin/busybox";
    // Of systems that boot from a RAM disk and mount another root.
    const UNUSED: &str = "/linuxrc";

    let cpio = cpio.file(BUSYBOX, 0o4755, busybox);
    links
        .lines()
        .map(str::trim)
        .filter(|path| !path.is_empty() && *path != BUSYBOX && *path != UNUSED)
        .fold(cpio, |cpio, path| cpio.symlink(path, BUSYBOX))
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (a, b) = text.split_once(':')?;
    Some((a.parse().ok()?, b.parse().ok()?))
}

fn content(skeleton: &Path, path: &str) -> Result<Vec<u8>, Error> {
    let path = skeleton.join(path.trim_start_matches('/'));
    std::fs::read(&path).map_err(|cause| Error::File { path, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_is_named() {
        let result = add_manifest(Cpio::new(), "dir 755 /a\ndir 9 /b\n", Path::new("."));
        assert!(matches!(result, Err(Error::Line { line: 2, what: "mode", .. })));
        let result = add_manifest(Cpio::new(), "dri 755 /a", Path::new("."));
        assert!(matches!(result, Err(Error::Line { line: 1, .. })));
    }

    #[test]
    fn the_skeleton_is_named_whole() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = std::fs::read_to_string(here.join("manifest")).unwrap();
        let cpio = add_manifest(Cpio::new(), &manifest, &here.join("skeleton")).unwrap();
        add_applets(cpio, b"", "/bin/ash\n/linuxrc\n/sbin/init\n").finish().unwrap();

        let mut stack = vec![here.join("skeleton")];
        while let Some(dir) = stack.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    stack.push(path);
                    continue;
                }
                let name = path.strip_prefix(here.join("skeleton")).unwrap().display().to_string();
                let named = manifest
                    .lines()
                    .any(|l| l.split_whitespace().nth(2) == Some(&format!("/{name}")));
                assert!(named, "{name} is in no line of the manifest");
            }
        }
    }
}
