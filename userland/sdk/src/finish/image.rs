//! The `linux.image` section: how exec recognises a program and finds its code.

use sha2::{Digest, Sha256};

use super::DATA_START;
use crate::wasm::{self, id};

pub const IMAGE_SECTION: &str = "linux.image";
pub const IMAGE_MAGIC: &[u8; 4] = b"WLI1";

/// Magic and version of every wasm module.
pub const HEADER: &[u8; 8] = b"\0asm\x01\0\0\0";

/// Content of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// First byte of data.
    pub data_start: u32,
    /// Page-aligned end of data and bss: where brk begins.
    pub data_end: u32,
    pub flags: u32,
    /// SHA-256 of the module without this section.
    pub build_id: [u8; 32],
}

impl Image {
    /// The image of a module whose sections are `body`.
    pub fn identify(data_end: u32, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(HEADER);
        hash.update(body);
        Image { data_start: DATA_START, data_end, flags: 0, build_id: hash.finalize().into() }
    }

    /// The whole module.
    pub fn prepend(&self, body: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        wasm::bytes(&mut content, IMAGE_SECTION.as_bytes());
        content.extend_from_slice(IMAGE_MAGIC);
        for word in [self.data_start, self.data_end, self.flags] {
            content.extend_from_slice(&word.to_le_bytes());
        }
        content.extend_from_slice(&self.build_id);

        let mut module = HEADER.to_vec();
        wasm::section(&mut module, id::CUSTOM, &content);
        module.extend_from_slice(body);
        module
    }

    /// The sections of a finished module that its build id is made of.
    pub fn body(module: &[u8]) -> Option<&[u8]> {
        let rest = module.strip_prefix(HEADER)?.strip_prefix(&[id::CUSTOM])?;
        let (length, rest) = rest.split_first()?;
        rest.get(usize::from(*length)..)
    }

    /// Reads the section of a finished module; `None` if it has none.
    pub fn parse(module: &[u8]) -> Option<Self> {
        let rest = module.strip_prefix(HEADER)?.strip_prefix(&[id::CUSTOM])?;
        // Both lengths are below 128: one byte each.
        let rest = rest.get(1..)?;
        let rest = rest.strip_prefix(&[IMAGE_SECTION.len() as u8])?;
        let rest = rest.strip_prefix(IMAGE_SECTION.as_bytes())?.strip_prefix(IMAGE_MAGIC)?;
        let word =
            |n: usize| Some(u32::from_le_bytes(rest.get(4 * n..4 * n + 4)?.try_into().ok()?));
        Some(Image {
            data_start: word(0)?,
            data_end: word(1)?,
            flags: word(2)?,
            build_id: rest.get(12..44)?.try_into().ok()?,
        })
    }
}
