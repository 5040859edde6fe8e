//! The `linux.image` section names the module by its hash, so a changed module
//! needs a new one. The rest of the section stays: data lies where it lay.

use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};

use crate::Error;

const SECTION: &str = "linux.image";
const HEADER: usize = 8;
const HASH: usize = 32;

/// Writes the hash of the module without the section into the section.
pub fn identify(module: &mut [u8]) -> Result<(), Error> {
    let first = Parser::new(0).parse_all(module).nth(1).transpose()?;
    let end = match first {
        Some(Payload::CustomSection(s)) if s.name() == SECTION && s.data().len() > HASH => {
            s.range().end as usize
        }
        _ => return Ok(()),
    };
    let mut hash = Sha256::new();
    hash.update(&module[..HEADER]);
    hash.update(&module[end..]);
    module[end - HASH..end].copy_from_slice(&hash.finalize());
    Ok(())
}
