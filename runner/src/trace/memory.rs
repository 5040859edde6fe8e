//! The memory of the process that is looked at.

/// Reads a process's memory. Addresses are the process's own.
pub trait Memory {
    /// Fills `to` from `address`; fewer bytes when the rest is not readable.
    fn read(&self, address: u32, to: &mut [u8]) -> usize;
}

/// Longest string that is looked for, bytes (the kernel's PATH_MAX).
const STRING_MAX: usize = 4096;
const PAGE: u32 = 4096;

/// Exactly `len` bytes.
pub fn bytes(memory: &dyn Memory, address: u32, len: usize) -> Option<Vec<u8>> {
    let mut buffer = vec![0; len];
    (address != 0 && memory.read(address, &mut buffer) == len).then_some(buffer)
}

/// Up to `len` bytes, as many as there are.
pub fn some(memory: &dyn Memory, address: u32, len: usize) -> Vec<u8> {
    let mut buffer = vec![0; len];
    let n = memory.read(address, &mut buffer);
    buffer.truncate(n);
    buffer
}

/// A string up to its NUL, page by page: what follows it may not be readable.
pub fn string(memory: &dyn Memory, address: u32) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = address;
    while out.len() < STRING_MAX {
        let chunk = some(memory, at, (PAGE - at % PAGE) as usize);
        if let Some(end) = chunk.iter().position(|&b| b == 0) {
            out.extend(&chunk[..end]);
            return Some(out);
        }
        if chunk.is_empty() {
            return None;
        }
        at = at.checked_add(chunk.len() as u32)?;
        out.extend(chunk);
    }
    out.truncate(STRING_MAX);
    Some(out)
}

/// The word at an address.
pub fn word(memory: &dyn Memory, address: u32) -> Option<u32> {
    let mut buffer = [0; 4];
    (address != 0 && memory.read(address, &mut buffer) == 4).then(|| u32::from_le_bytes(buffer))
}

/// A structure's bytes, read field by field; a field beyond them is 0.
pub struct Fields(pub Vec<u8>);

impl Fields {
    pub fn get<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut value = [0; N];
        if let Some(bytes) = self.0.get(offset..offset + N) {
            value.copy_from_slice(bytes);
        }
        value
    }

    pub fn u8(&self, offset: usize) -> u8 {
        self.get::<1>(offset)[0]
    }

    pub fn u16(&self, offset: usize) -> u16 {
        u16::from_le_bytes(self.get(offset))
    }

    pub fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.get(offset))
    }

    pub fn i32(&self, offset: usize) -> i32 {
        self.u32(offset) as i32
    }

    pub fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.get(offset))
    }

    pub fn i64(&self, offset: usize) -> i64 {
        self.u64(offset) as i64
    }
}
