//! Writing the binary format: LEB128 numbers and sections. Reading is
//! wasmparser's.

/// Section ids this crate writes.
pub mod id {
    pub const CUSTOM: u8 = 0;
    pub const IMPORT: u8 = 2;
    pub const EXPORT: u8 = 7;
    pub const START: u8 = 8;
    pub const CODE: u8 = 10;
    pub const DATA: u8 = 11;
}

pub fn unsigned(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn signed(out: &mut Vec<u8>, mut value: i32) {
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        // The last byte's bit 6 is the sign of what is left.
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// A name or any vector of bytes: its length, then its content.
pub fn bytes(out: &mut Vec<u8>, content: &[u8]) {
    let len = u32::try_from(content.len()).expect("a wasm module is smaller than 4 GiB");
    unsigned(out, len);
    out.extend_from_slice(content);
}

pub fn section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    bytes(out, content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_shortest_form() {
        let enc = |f: &dyn Fn(&mut Vec<u8>)| {
            let mut v = Vec::new();
            f(&mut v);
            v
        };
        assert_eq!(enc(&|v| unsigned(v, 624_485)), [0xe5, 0x8e, 0x26]);
        assert_eq!(enc(&|v| signed(v, 64)), [0xc0, 0x00]);
        assert_eq!(enc(&|v| signed(v, -64)), [0x40]);
        assert_eq!(enc(&|v| signed(v, i32::MIN)), [0x80, 0x80, 0x80, 0x80, 0x78]);
    }
}
