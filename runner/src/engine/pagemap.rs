//! Which pages of a range the host has ever given memory: `/proc/self/pagemap`
//! (Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swapped).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use super::layout::PAGE;

const TOUCHED: u64 = 3 << 62;
/// Pages asked for at once.
const BATCH: usize = 512;

fn pagemap() -> Option<&'static File> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    FILE.get_or_init(|| File::open("/proc/self/pagemap").ok()).as_ref()
}

/// Calls `f(address, bytes)` for each run of touched pages. Where the host has
/// no pagemap, everything counts as touched.
pub fn for_each_touched(start: usize, len: usize, mut f: impl FnMut(usize, usize)) {
    let Some(file) = pagemap() else { return f(start, len) };
    let mut entries = [0u8; BATCH * 8];
    let mut page = start / PAGE;
    let end = (start + len).div_ceil(PAGE);
    while page < end {
        let n = BATCH.min(end - page);
        let buf = &mut entries[..n * 8];
        if file.read_exact_at(buf, page as u64 * 8).is_err() {
            return f(page * PAGE, (end - page) * PAGE);
        }
        let touched = |i: usize| {
            i < n && u64::from_ne_bytes(buf[i * 8..][..8].try_into().unwrap()) & TOUCHED != 0
        };
        let mut i = 0;
        while i < n {
            let run = (i..).take_while(|&i| touched(i)).count();
            if run > 0 {
                f((page + i) * PAGE, run * PAGE);
            }
            i += run + 1;
        }
        page += n;
    }
}

/// Bytes of a range that the host has given memory.
pub fn resident(start: usize, len: usize) -> usize {
    let mut sum = 0;
    for_each_touched(start, len, |_, n| sum += n);
    sum.min(len)
}
