//! Looks into archives that others have made.

use std::collections::BTreeSet;

const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
const FIELDS: usize = 13;
const HEADER: usize = 6 + 8 * FIELDS;
const S_IFMT: u32 = 0o170_000;
const S_IFDIR: u32 = 0o040_000;

/// The folders in archives of the format "newc", one after another; None if
/// there is something else, such as a compressed one.
pub fn folders(archive: &[u8]) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut rest = archive;
    while !rest.is_empty() {
        // Archives are padded with zeros to where the next begins.
        if rest[0] == 0 {
            rest = &rest[1..];
            continue;
        }
        let header = rest.get(..HEADER).filter(|h| MAGICS.contains(&&h[..6]))?;
        let field = |n: usize| -> Option<u32> {
            let digits = std::str::from_utf8(&header[6 + 8 * n..][..8]).ok()?;
            u32::from_str_radix(digits, 16).ok()
        };
        let (mode, size, name_size) = (field(1)?, field(6)? as usize, field(11)? as usize);
        let name = rest.get(HEADER..HEADER + name_size.checked_sub(1)?)?;
        if mode & S_IFMT == S_IFDIR {
            let name = String::from_utf8_lossy(name);
            let name = name.trim_start_matches("./").trim_matches('/');
            if !matches!(name, "" | ".") {
                found.insert(format!("/{name}"));
            }
        }
        let content = (HEADER + name_size).next_multiple_of(4);
        rest = rest.get((content + size).next_multiple_of(4)..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpio;

    #[test]
    fn folders_of_several_archives() {
        let one = Cpio::new().dir("/a", 0o755).file("/a/f", 0o644, b"12345").symlink("/l", "a");
        let two = Cpio::appended().dir("/a/b", 0o755);
        let both = [one.finish().unwrap(), vec![0; 8], two.finish().unwrap()].concat();
        let wanted = ["/a", "/a/b"].map(String::from);
        assert_eq!(folders(&both), Some(BTreeSet::from(wanted)));
    }

    #[test]
    fn what_is_no_archive_is_not_looked_into() {
        assert_eq!(folders(b"\x1f\x8b compressed"), None);
        let whole = Cpio::new().dir("/a", 0o755).file("/a/f", 0o644, b"12345").finish().unwrap();
        for cut in 1..whole.len() - 3 {
            // No panic, whatever is missing.
            folders(&whole[..cut]);
        }
    }
}
