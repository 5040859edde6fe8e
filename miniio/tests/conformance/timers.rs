//! Time.

use std::time::{Duration, Instant};

use miniio::{Event, Wait};

use crate::rig::Rig;

const MS: Duration = Duration::from_millis(1);

pub fn in_the_order_of_their_times(mut rig: Rig) {
    let times = [7, 3, 3, 0, 9, 3, 0, 1];
    let ids = times.map(|ms| rig.io.timer(ms * MS));
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|&i| times[i]); // keeps the order of equal ones
    for i in order {
        // The clock has moved between two calls of `timer`, so equal ones differ
        // too, in the same direction.
        assert!(matches!(rig.next(), Event::Timer(id) if id == ids[i]), "the {i}th");
    }
    assert_eq!(rig.io.next_timer(), None);
}

pub fn never_early(mut rig: Rig) {
    for micros in [0, 1, 300, 1000, 1500, 12_345] {
        let after = Duration::from_micros(micros);
        let begin = Instant::now();
        let id = rig.io.timer(after);
        assert!(rig.io.next_timer().is_some_and(|at| at >= begin + after));
        assert!(matches!(rig.next(), Event::Timer(timed) if timed == id));
        assert!(begin.elapsed() >= after, "{micros}");
    }
    // What no clock reaches is merely late.
    let forever = rig.io.timer(Duration::MAX);
    assert!(rig.settle().is_empty());
    rig.io.cancel(forever);
}

pub fn cancelled_in_time(mut rig: Rig) {
    let [a, b, c] = [1, 2, 3].map(|ms| rig.io.timer(ms * MS));
    rig.io.cancel(b);
    rig.io.cancel(b);
    assert!(matches!(rig.next(), Event::Timer(id) if id == a));
    rig.io.cancel(a); // over already
    assert!(matches!(rig.next(), Event::Timer(id) if id == c));
    assert!(rig.settle().is_empty());
}

pub fn cancelled_between_due_and_handed_out(mut rig: Rig) {
    // Both are due in the same turn.
    let a = rig.io.timer(Duration::ZERO);
    let b = rig.io.timer(Duration::ZERO);
    assert!(matches!(rig.next(), Event::Timer(id) if id == a));
    rig.io.cancel(b);
    assert!(rig.settle().is_empty());
}

pub fn a_timer_ends_a_wait(mut rig: Rig) {
    let id = rig.io.timer(5 * MS);
    assert!(matches!(rig.io.next(Wait::Forever), Some(Event::Timer(timed)) if timed == id));
    // A wait ends by itself as well, and `No` is none.
    let begin = Instant::now();
    assert!(rig.io.next(Wait::Until(begin + 3 * MS)).is_none());
    assert!(begin.elapsed() >= 3 * MS);
    rig.io.timer(3600 * 1000 * MS);
    assert!(rig.io.next(Wait::No).is_none());
}
