use super::*;
use crate::key::KeyBuilder;
use std::sync::atomic::{AtomicU32, Ordering};

fn cache() -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().join("c"), &Progress::new(&[])).unwrap();
    (dir, cache)
}

fn id(text: &str) -> Id {
    Id::new("thing", &KeyBuilder::new("1").text("t", text).finish())
}

fn make(text: &'static str) -> impl Fn(&Making) -> Result<()> {
    move |m| Ok(fs::write(m.out.join("file"), text)?)
}

#[test]
fn an_entry_is_made_once() {
    let (_dir, cache) = cache();
    let count = AtomicU32::new(0);
    for _ in 0..3 {
        let entry = cache.ensure(&id("a"), |m| {
            count.fetch_add(1, Ordering::Relaxed);
            make("text")(m)
        });
        assert_eq!(fs::read_to_string(entry.unwrap().path("file")).unwrap(), "text");
    }
    assert_eq!(count.into_inner(), 1);
    assert_eq!(fs::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_damaged_entry_is_noticed_and_replaced() {
    let (_dir, cache) = cache();
    let entry = cache.ensure(&id("a"), make("text")).unwrap();
    fs::write(entry.path("file"), "tExt").unwrap();
    assert!(cache.get(&id("a")).is_none());
    let entry = cache.ensure(&id("a"), make("text")).unwrap();
    assert_eq!(fs::read_to_string(entry.path("file")).unwrap(), "text");
    assert_eq!(fs::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_failed_making_leaves_nothing() {
    let (_dir, cache) = cache();
    let failed = cache.ensure(&id("a"), |m| {
        make("half")(m)?;
        bail!("no")
    });
    assert_eq!(failed.unwrap_err().to_string(), "no");
    assert!(cache.get(&id("a")).is_none());
    assert_eq!(fs::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn two_at_once_make_it_once() {
    let (_dir, cache) = cache();
    let count = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // A cache of its own, as another process would have.
                let cache = Cache { root: cache.root().into(), progress: Progress::new(&[]) };
                let entry = cache.ensure(&id("a"), |m| {
                    count.fetch_add(1, Ordering::Relaxed);
                    make("text")(m)
                });
                assert!(entry.unwrap().path("file").exists());
            });
        }
    });
    assert_eq!(count.into_inner(), 1);
}

#[test]
fn what_a_dead_process_left_is_swept_and_a_live_one_is_not() {
    let (dir, cache) = cache();
    let dead = cache.root().join("tmp/thing-0123.77");
    fs::create_dir_all(dead.join("work")).unwrap();
    let live = id("live");
    let _lock = cache.lock(&live).unwrap();
    let busy = cache.tmp_dir(&live);
    fs::create_dir_all(&busy).unwrap();
    Cache::at(dir.path().join("c"), &Progress::new(&[])).unwrap();
    assert!(!dead.exists());
    assert!(busy.exists());
}

#[test]
fn clearing_may_spare_the_downloads() {
    let (_dir, cache) = cache();
    let key = KeyBuilder::new("1").finish();
    cache.ensure(&Id::new("source-x", &key), make("text")).unwrap();
    cache.ensure(&Id::new("kernel", &key), make("text")).unwrap();
    cache.clear(true).unwrap();
    let left = cache.entries().unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].0.starts_with("source-x"));
    cache.clear(false).unwrap();
    assert!(cache.entries().unwrap().is_empty());
}
