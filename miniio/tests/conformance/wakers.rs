//! The only thing that other threads do with a loop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;

use miniio::{Event, Wait};

use crate::rig::Rig;

pub fn many_wakes_are_one_event(mut rig: Rig) {
    let waker = rig.io.waker();
    let twin = waker.clone();
    for _ in 0..1000 {
        waker.wake();
        twin.wake();
    }
    assert!(matches!(rig.next(), Event::Woken(id) if id == waker.id()));
    // From here on it is another.
    waker.wake();
    assert!(matches!(rig.next(), Event::Woken(id) if id == waker.id()));
    assert!(rig.settle().is_empty());
}

pub fn no_wake_is_lost(mut rig: Rig) {
    const THREADS: usize = 4;
    const WAKES: usize = 20_000;
    let wakers: Vec<_> = (0..THREADS).map(|_| rig.io.waker()).collect();
    let counts: Arc<[AtomicUsize; THREADS]> = Arc::default();
    let threads: Vec<_> = wakers
        .iter()
        .enumerate()
        .map(|(i, waker)| {
            let (waker, counts) = (waker.clone(), counts.clone());
            thread::spawn(move || {
                for n in 1..=WAKES {
                    counts[i].store(n, Ordering::Relaxed);
                    waker.wake();
                }
            })
        })
        .collect();
    // What was written before a wake is seen after its event, so the last event
    // shows the last number.
    let mut seen = [0; THREADS];
    while seen != [WAKES; THREADS] {
        let Event::Woken(id) = rig.next() else { panic!("nothing else can happen") };
        let i = wakers.iter().position(|waker| waker.id() == id).unwrap();
        seen[i] = counts[i].load(Ordering::Relaxed);
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

pub fn a_wake_ends_a_wait(mut rig: Rig) {
    let waker = rig.io.waker();
    // The loop mostly waits when the wake comes.
    for _ in 0..200 {
        let remote = waker.clone();
        let thread = thread::spawn(move || remote.wake());
        assert!(matches!(rig.io.next(Wait::Forever), Some(Event::Woken(id)) if id == waker.id()));
        thread.join().unwrap();
    }
}

pub fn a_waker_outlives_its_loop(rig: Rig) {
    let transport = rig.transport;
    drop(rig);
    for _ in 0..50 {
        let mut rig = Rig::new(transport);
        let waker = rig.io.waker();
        let remote = waker.clone();
        let thread = thread::spawn(move || (0..1000).for_each(|_| remote.wake()));
        drop(rig);
        waker.wake();
        thread.join().unwrap();
    }
}

pub fn a_closed_waker_is_silent(mut rig: Rig) {
    let waker = rig.io.waker();
    waker.wake();
    rig.io.close_waker(waker.id());
    assert!(rig.settle().is_empty());
    let other = rig.io.waker(); // may have its place
    waker.wake();
    other.wake();
    assert!(matches!(rig.next(), Event::Woken(id) if id == other.id()));
    assert!(rig.settle().is_empty());
}
