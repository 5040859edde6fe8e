//! Bytes of a WebAssembly module, as far as the web build looks at them: its
//! sections.

use anyhow::{bail, Result};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM: u8 = 0;
/// What the kernel's exec looks for, and must come first in a program.
const IMAGE: &str = "linux.image";

struct Section<'a> {
    /// With its id and its size.
    whole: &'a [u8],
    /// Of a custom section.
    name: Option<&'a [u8]>,
}

/// The module without the custom sections that nobody reads at run time: names,
/// producers, features.
pub fn strip(module: &[u8]) -> Result<Vec<u8>> {
    let mut out = HEADER.to_vec();
    for section in sections(module)? {
        if section.name.is_none_or(|name| name == IMAGE.as_bytes()) {
            out.extend_from_slice(section.whole);
        }
    }
    Ok(out)
}

/// A module that has only the image section of `program`: what lies in the file
/// system where the engine has the program itself. exec reads no more of it.
pub fn stub(program: &[u8]) -> Result<Vec<u8>> {
    match sections(program)?.first() {
        Some(section) if section.name == Some(IMAGE.as_bytes()) => {
            Ok([HEADER, section.whole].concat())
        }
        _ => bail!("its first section is not {IMAGE}: wasmlinux-cc has not made it"),
    }
}

fn sections(module: &[u8]) -> Result<Vec<Section<'_>>> {
    let Some(mut rest) = module.strip_prefix(HEADER) else {
        bail!("it is no WebAssembly module");
    };
    let mut list = Vec::new();
    while let Some((&id, body)) = rest.split_first() {
        let Some((size, body)) = leb(body) else { bail!("a section has no size") };
        let Some(content) = body.get(..size) else { bail!("a section is cut off") };
        let whole = &rest[..rest.len() - body.len() + size];
        let name = match leb(content) {
            Some((length, text)) if id == CUSTOM => text.get(..length),
            _ => None,
        };
        if id == CUSTOM && name.is_none() {
            bail!("a custom section has no name");
        }
        list.push(Section { whole, name });
        rest = &body[size..];
    }
    Ok(list)
}

/// An unsigned LEB128 of at most five bytes, and what follows it.
fn leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE_SECTION: &[u8] = b"\0\x10\x0blinux.imageWLI1";
    const NAMES: &[u8] = b"\0\x05\x04name";
    const TYPES: &[u8] = b"\x01\x04\x01\x60\0\0";

    #[test]
    fn names_go_and_the_image_stays() {
        let module = [HEADER, IMAGE_SECTION, TYPES, NAMES].concat();
        assert_eq!(strip(&module).unwrap(), [HEADER, IMAGE_SECTION, TYPES].concat());
        assert_eq!(strip(&strip(&module).unwrap()).unwrap(), strip(&module).unwrap());
    }

    #[test]
    fn a_stub_is_the_image_alone() {
        let module = [HEADER, IMAGE_SECTION, TYPES].concat();
        assert_eq!(stub(&module).unwrap(), [HEADER, IMAGE_SECTION].concat());
        assert!(stub(&[HEADER, TYPES, IMAGE_SECTION].concat()).is_err());
        assert!(stub(HEADER).is_err());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let module = [HEADER, IMAGE_SECTION, TYPES].concat();
        let whole = [HEADER.len(), HEADER.len() + IMAGE_SECTION.len(), module.len()];
        for end in 0..=module.len() {
            assert_eq!(sections(&module[..end]).is_ok(), whole.contains(&end), "{end}");
        }
        assert!(sections(b"ELF").is_err());
    }
}
