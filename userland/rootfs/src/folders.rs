//! Which folders an archive has. The kernel puts no file where there is no
//! folder, and making one anew would change the mode of the one that is there.

use std::collections::BTreeSet;

/// Of the two kinds of "newc", without and with checksums.
const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
const HEADER: usize = 110;
/// Fields of the header, each of 8 hexadecimal digits.
const MODE: usize = 1;
const FILE_SIZE: usize = 6;
const NAME_SIZE: usize = 11;

const S_IFMT: usize = 0o170_000;
const S_IFDIR: usize = 0o040_000;
const S_IFLNK: usize = 0o120_000;

/// Absolute paths of the folders in an archive, and of the links, which may lead
/// to folders. `None` when it is not one that can be read, such as a compressed
/// one.
pub fn folders(archive: &[u8]) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    // Archives may follow each other, padded with zeroes.
    while let Some(skip) = archive.get(at..)?.iter().position(|&b| b != 0) {
        at += skip;
        let header = archive.get(at..at + HEADER)?;
        if !MAGICS.contains(&&header[..6]) {
            return None;
        }
        let field = |n: usize| {
            let digits = std::str::from_utf8(&header[6 + 8 * n..][..8]).ok()?;
            usize::from_str_radix(digits, 16).ok()
        };
        let (mode, size, name_size) = (field(MODE)?, field(FILE_SIZE)?, field(NAME_SIZE)?);
        let name = archive.get(at + HEADER..)?.get(..name_size.checked_sub(1)?)?;
        if matches!(mode & S_IFMT, S_IFDIR | S_IFLNK) {
            let name = String::from_utf8_lossy(name);
            found.insert(format!("/{}", name.trim_start_matches("./").trim_matches('/')));
        }
        at = (at + HEADER + name_size).next_multiple_of(4);
        at = at.checked_add(size)?.checked_next_multiple_of(4)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpio;

    #[test]
    fn folders_and_links_of_several_archives() {
        let a = Cpio::new().dir("/a", 0o755).file("/a/f", 0o644, b"12345").symlink("/l", "a");
        let b = Cpio::appended().dir("/a/b", 0o755);
        let both = [a.finish().unwrap(), vec![0; 8], b.finish().unwrap()].concat();
        let found = folders(&both).unwrap();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["/a", "/a/b", "/l"]);
    }

    #[test]
    fn what_is_no_archive_has_no_folders() {
        assert_eq!(folders(b"\x1f\x8b something packed"), None);
        let archive = Cpio::new().dir("/a", 0o755).finish().unwrap();
        for cut in 1..archive.len() - 4 {
            // Whatever it says: no panic.
            let _ = folders(&archive[..cut]);
        }
    }
}
