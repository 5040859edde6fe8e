//! Files and folders of the host that a machine gets: `--add HOST[=GUEST]`.
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

/// What is put where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    pub host: PathBuf,
    /// Absolute; None: see [`Addition::place`].
    pub guest: Option<String>,
}

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
            _ => Ok(Addition { host: host.into(), guest }),
        }
    }
}

impl Addition {
    /// Where it goes: programs among the programs, else below the root.
    fn place(&self, is_program: bool) -> Result<String, AddError> {
        if let Some(guest) = &self.guest {
            return Ok(guest.clone());
        }
        let real =
            fs::canonicalize(&self.host).map_err(|e| AddError::Read(self.host.clone(), e))?;
        let name = real.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| AddError::Name(real.clone()))?;
        Ok(if is_program { program::guest_path(name) } else { format!("/{name}") })
    }
}

/// Everything that the additions put into the guest.
pub fn collect(additions: &[Addition]) -> Result<Vec<File>, AddError> {
    let mut files = Vec::new();
    for addition in additions {
        let host = &addition.host;
        let meta = fs::metadata(host).map_err(|e| AddError::Read(host.clone(), e))?;
        if meta.is_dir() {
            folder(host, &addition.place(false)?, &mut files)?;
        } else {
            let node = file(host, meta.permissions().mode())?;
            let is_program = matches!(&node, Node::File { bytes, .. } if is_module(bytes));
            files.push(File { path: addition.place(is_program)?, node });
        }
    }
    Ok(files)
}

fn folder(host: &Path, guest: &str, files: &mut Vec<File>) -> Result<(), AddError> {
    let error = |e| AddError::Read(host.to_owned(), e);
    let mode = fs::metadata(host).map_err(error)?.permissions().mode() & 0o7777;
    files.push(File { path: guest.to_owned(), node: Node::Folder { mode } });
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
            folder(&path, &to, files)?;
        } else if meta.is_symlink() {
            let target = fs::read_link(&path).map_err(error)?;
            let target = target.to_str().ok_or_else(|| AddError::Name(path.clone()))?.to_owned();
            files.push(File { path: to, node: Node::Link { target } });
        } else {
            files.push(File { path: to, node: file(&path, meta.permissions().mode())? });
        }
    }
    Ok(())
}

/// A file's content; a program's code is made ready, too.
fn file(host: &Path, mode: u32) -> Result<Node, AddError> {
    let meta = fs::metadata(host).map_err(|e| AddError::Read(host.to_owned(), e))?;
    if !meta.is_file() {
        return Err(AddError::Kind(host.to_owned()));
    }
    let bytes = fs::read(host).map_err(|e| AddError::Read(host.to_owned(), e))?;
    // Modules that are data, such as a compiler's input, are not executable.
    if mode & 0o111 != 0 && is_module(&bytes) {
        program::make_ready(host, &bytes)?;
    }
    Ok(Node::File { mode: mode & 0o7777, bytes })
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
            Ok(Addition { host: host.into(), guest: guest.map(String::from) })
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
        let addition = Addition { host: dir.path().into(), guest: Some("/srv/t".into()) };
        let files = collect(&[addition]).unwrap();
        let paths: Vec<_> = files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["/srv/t", "/srv/t/link", "/srv/t/sub", "/srv/t/sub/file"]);
        assert!(matches!(&files[1].node, Node::Link { target } if target == "sub/file"));
        assert!(matches!(&files[3].node, Node::File { mode: 0o640, bytes } if bytes == b"x"));
    }

    #[test]
    fn what_cannot_be_copied_is_named() {
        let missing = Addition { host: "/no/such/place".into(), guest: None };
        assert!(matches!(collect(&[missing]), Err(AddError::Read(..))));
        let device = Addition { host: "/dev/null".into(), guest: Some("/null".into()) };
        assert!(matches!(collect(&[device]), Err(AddError::Kind(_))));
    }
}
