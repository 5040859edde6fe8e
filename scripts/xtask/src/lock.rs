//! Locks between processes, each a file; they end with the process that holds
//! them. Who has to wait is told for what.

use crate::progress::Progress;
use anyhow::{Context, Result};
use rustix::fs::{flock, FlockOperation};
use std::fs::File;
use std::path::Path;

/// Waits until nobody else holds the lock; `whom` is shown meanwhile. Dropping
/// the file releases it.
pub fn take(path: &Path, whom: &str, progress: &Progress) -> Result<File> {
    let cannot = || format!("cannot lock {}", path.display());
    let file = File::create(path).with_context(cannot)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let _waiting = progress.waiting(whom);
        flock(&file, FlockOperation::LockExclusive).with_context(cannot)?;
    }
    Ok(file)
}

/// The lock, if nobody holds it.
pub fn try_take(path: &Path) -> Result<Option<File>> {
    let file = File::create(path).with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn who_waits_is_told_for_what_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let progress = Progress::new(&[crate::progress::Step { name: "kernel", weight: 1 }]);
        progress.step("kernel");
        let held = take(&path, "nobody", &progress).unwrap();
        assert!(try_take(&path).unwrap().is_none());
        assert_eq!(progress.waits_for(), None);
        let (sender, taken) = channel();
        let (other, place) = (progress.clone(), path.clone());
        let thread = std::thread::spawn(move || {
            let lock = take(&place, "another process", &other).unwrap();
            sender.send(()).unwrap();
            lock
        });
        while progress.waits_for().as_deref() != Some("another process") {
            std::thread::yield_now();
        }
        assert!(taken.try_recv().is_err());
        drop(held);
        taken.recv().unwrap();
        assert_eq!(progress.waits_for(), None);
        assert!(try_take(&path).unwrap().is_none());
        drop(thread.join().unwrap());
        assert!(try_take(&path).unwrap().is_some());
    }
}
