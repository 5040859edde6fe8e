//! Files and folders of the host that a machine gets: `--add HOST[=GUEST]`,
//! [`Builder::folder`](crate::Builder::folder) and their like.
//!
//! WebAssembly programs among them are compiled, so that the guest can execute
//! them; everything else is copied as it is. The guest gets a copy: nothing it
//! does reaches the host.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::guest::{File, Node};
use crate::program::{self, ProgramError};

/// A file or folder of the host, and where it is put in the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    pub host: PathBuf,
    /// An absolute path. By default a program goes to `/usr/local/bin` and
    /// anything else to the root, by its own name.
    pub guest: Option<String>,
    /// Nobody but the guest's root may write the copies.
    pub read_only: bool,
}

/// Why a file or folder of the host cannot be put into the guest.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error(
        "{0} is neither a file, a folder nor a symbolic link, and cannot be put into the guest"
    )]
    Kind(PathBuf),
    #[error("the name {0:?} is not UTF-8, which files for the guest must be")]
    Name(PathBuf),
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl FromStr for Addition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Addition, Self::Err> {
        // The last one: a host path may contain the like of it.
        let (host, guest) = match text.rfind("=/") {
            Some(at) => (&text[..at], Some(text[at + 1..].trim_end_matches('/').to_owned())),
            None => (text, None),
        };
        match (host, guest.as_deref()) {
            ("", _) => Err("the host's file or folder is missing"),
            (_, Some("")) => Err("the guest's root cannot be replaced; see --rootfs"),
            _ => Ok(Addition { host: host.into(), guest, read_only: false }),
        }
    }
}

impl Addition {
    fn mode(&self, mode: u32) -> u32 {
        mode & if self.read_only { 0o7555 } else { 0o7777 }
    }

    /// Where it goes: programs among the programs, else below the root.
    fn place(&self, is_program: bool) -> Result<String, AddError> {
        if let Some(guest) = &self.guest {
            return Ok(guest.clone());
        }
        let real =
            fs::canonicalize(&self.host).map_err(|e| AddError::Read(self.host.clone(), e))?;
        let name = real.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| AddError::Name(real.clone()))?;
        Ok(if is_program { program::guest_path(&real) } else { format!("/{name}") })
    }

    /// Everything that it puts into the guest.
    pub(crate) fn collect(&self, files: &mut Vec<File>) -> Result<(), AddError> {
        let host = &self.host;
        let meta = fs::metadata(host).map_err(|e| AddError::Read(host.clone(), e))?;
        if meta.is_dir() {
            return self.folder(host, &self.place(false)?, files);
        }
        let node = self.file(host, meta.permissions().mode())?;
        let is_program = matches!(&node, Node::File { bytes, .. } if is_module(bytes));
        files.push(File { path: self.place(is_program)?, node });
        Ok(())
    }

    fn folder(&self, host: &Path, guest: &str, files: &mut Vec<File>) -> Result<(), AddError> {
        let error = |e| AddError::Read(host.to_owned(), e);
        let mode = fs::metadata(host).map_err(error)?.permissions().mode();
        files.push(File { path: guest.to_owned(), node: Node::Folder { mode: self.mode(mode) } });
        let mut entries = Vec::new();
        for entry in fs::read_dir(host).map_err(error)? {
            entries.push(entry.map_err(error)?.path());
        }
        // The same folder gives the same archive.
        entries.sort();
        for path in entries {
            let name = path.file_name().and_then(|name| name.to_str());
            let to = format!("{guest}/{}", name.ok_or_else(|| AddError::Name(path.clone()))?);
            let error = |e| AddError::Read(path.clone(), e);
            let meta = fs::symlink_metadata(&path).map_err(error)?;
            if meta.is_dir() {
                self.folder(&path, &to, files)?;
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).map_err(error)?;
                let target = target.to_str().ok_or_else(|| AddError::Name(path.clone()))?;
                files.push(File { path: to, node: Node::Link { target: target.to_owned() } });
            } else {
                let node = self.file(&path, meta.permissions().mode())?;
                files.push(File { path: to, node });
            }
        }
        Ok(())
    }

    /// A file's content; a program's code is made ready, too.
    fn file(&self, host: &Path, mode: u32) -> Result<Node, AddError> {
        let meta = fs::metadata(host).map_err(|e| AddError::Read(host.to_owned(), e))?;
        if !meta.is_file() {
            return Err(AddError::Kind(host.to_owned()));
        }
        let bytes = fs::read(host).map_err(|e| AddError::Read(host.to_owned(), e))?;
        // Modules that are data, such as a compiler's input, are not executable.
        if mode & 0o111 != 0 && is_module(&bytes) {
            program::make_ready(host, &bytes)?;
        }
        Ok(Node::File { mode: self.mode(mode), bytes })
    }
}

fn is_module(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_where() {
        let parsed = |text: &str| text.parse::<Addition>();
        let to = |host: &str, guest: Option<&str>| {
            Ok(Addition { host: host.into(), guest: guest.map(String::from), read_only: false })
        };
        assert_eq!(parsed("./sed"), to("./sed", None));
        assert_eq!(parsed("./sed=/usr/bin/sed"), to("./sed", Some("/usr/bin/sed")));
        assert_eq!(parsed("a=/b=/c/"), to("a=/b", Some("/c")));
        assert_eq!(parsed("a=b"), to("a=b", None), "a file of that name");
        assert!(parsed("=/x").is_err());
        assert!(parsed("x=/").is_err());
    }

    #[test]
    fn a_folder_comes_with_all_that_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/file"), "x").unwrap();
        fs::set_permissions(dir.path().join("sub/file"), fs::Permissions::from_mode(0o640))
            .unwrap();
        std::os::unix::fs::symlink("sub/file", dir.path().join("link")).unwrap();
        let mut files = Vec::new();
        let mut addition =
            Addition { host: dir.path().into(), guest: Some("/srv/t".into()), read_only: false };
        addition.collect(&mut files).unwrap();
        let paths: Vec<_> = files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["/srv/t", "/srv/t/link", "/srv/t/sub", "/srv/t/sub/file"]);
        assert!(matches!(&files[1].node, Node::Link { target } if target == "sub/file"));
        assert!(matches!(&files[3].node, Node::File { mode: 0o640, bytes } if bytes == b"x"));
        addition.read_only = true;
        addition.collect(&mut files).unwrap();
        assert!(matches!(&files[7].node, Node::File { mode: 0o440, .. }));
    }

    #[test]
    fn what_cannot_be_copied_is_named() {
        let add = |host: &str, guest: &str| {
            Addition { host: host.into(), guest: Some(guest.into()), read_only: false }
                .collect(&mut Vec::new())
        };
        let missing = add("/no/such/place", "/x").unwrap_err();
        assert!(missing.to_string().contains("/no/such/place"), "{missing}");
        assert!(matches!(add("/dev/null", "/null"), Err(AddError::Kind(_))));
    }
}
