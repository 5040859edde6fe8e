//! [`check_frames`](crate::check_frames) on object files, through objdump.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::frames::{check_frames, Violation};

/// Why a program's objects may not be linked or loaded.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("objdump (package binutils) is needed to check its frames: {0}")]
    NoObjdump(#[source] std::io::Error),
    #[error("objdump cannot read {0}:\n{1}")]
    Objdump(PathBuf, String),
    #[error("objdump shows no function of {0}: nothing is proved")]
    Empty(PathBuf),
    #[error("{} cannot be forked: {} ({})", .0.function, .0.why, .0.instruction)]
    Frame(Violation),
}

/// Proves that no frame of a gs-mode program holds an address. `prefix` begins
/// the names of the program's functions in linked objects, which hold others
/// too; all functions of relocatable ones are the program's.
pub fn prove_frames<P: AsRef<Path>>(objects: &[P], prefix: &str) -> Result<(), FrameError> {
    for object in objects {
        let object = object.as_ref();
        let out = Command::new("objdump").arg("-d").arg(object).output();
        let out = out.map_err(FrameError::NoObjdump)?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        if !out.status.success() {
            return Err(FrameError::Objdump(object.into(), text(&out.stderr)));
        }
        let disassembly = text(&out.stdout);
        // Of relocatable objects, those of data alone have none.
        if !prefix.is_empty() && !disassembly.contains(&format!("<{prefix}")) {
            return Err(FrameError::Empty(object.into()));
        }
        if let Some(violation) = check_frames(&disassembly, prefix).into_iter().next() {
            return Err(FrameError::Frame(violation));
        }
    }
    Ok(())
}
