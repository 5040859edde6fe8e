//! How many mappings of the host are left. Linux lets a process have 65,530
//! (`vm.max_map_count`), and the guest makes as many as it likes: a page with
//! its own protection is one. The runner's threads and allocations need some
//! too and do not survive without, so the guest is refused before.
//!
//! Counting is slow (Linux writes all of them out), so it is done once in as
//! many operations as could use up what was left.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::OnceLock;

/// Mappings kept for the runner itself.
const KEPT: u32 = 8192;
/// What one operation makes at most: it may lie inside of one.
const PER_OPERATION: u32 = 2;
/// Operations refused before counting again.
const REFUSED: u32 = 256;

/// Operations that may be done before counting again; of all machines.
static LEFT: AtomicU32 = AtomicU32::new(0);
static REFUSE: AtomicU32 = AtomicU32::new(0);

/// Whether an operation that may make mappings may be done.
pub fn may_map() -> bool {
    let take = |left: &AtomicU32| left.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1)).is_ok();
    if take(&LEFT) {
        return true;
    }
    if take(&REFUSE) {
        return false;
    }
    let Some(used) = used() else { return true };
    let operations = limit().saturating_sub(KEPT).saturating_sub(used) / PER_OPERATION;
    if operations == 0 {
        REFUSE.store(REFUSED, Relaxed);
        return false;
    }
    LEFT.store(operations - 1, Relaxed);
    true
}

/// What a process had mapped is gone: two mappings at least. So the next process
/// is not refused for what a thousand dead ones had.
pub fn given_back() {
    LEFT.fetch_add(1, Relaxed);
}

fn limit() -> u32 {
    static LIMIT: OnceLock<u32> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        text.trim().parse().unwrap_or(65530)
    })
}

/// `None` where the host does not tell.
fn used() -> Option<u32> {
    let mut file = File::open("/proc/self/maps").ok()?;
    let mut buffer = [0; 4096];
    let mut lines = 0;
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(lines),
            n => lines += buffer[..n].iter().filter(|b| **b == b'\n').count() as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_counted() {
        let before = used().unwrap();
        assert!(before > 10 && before < limit());
        assert!(may_map());
        assert!(LEFT.load(Relaxed) > 1000);
    }
}
