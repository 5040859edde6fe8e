//! Points in time, in their order.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::slab::Slab;
use crate::TimerId;

/// Timers are ours rather than the host's: every backend keeps them the same way
/// and needs to wait for the next one only.
pub(crate) struct Timers {
    /// By time, then by age.
    waiting: BTreeMap<(Instant, u64), TimerId>,
    /// The place in `waiting`; `None` once due, until the event is handed out.
    all: Slab<Option<(Instant, u64)>>,
    made: u64,
}

impl Timers {
    pub fn new() -> Timers {
        Timers { waiting: BTreeMap::new(), all: Slab::new(), made: 0 }
    }

    pub fn add(&mut self, at: Instant) -> TimerId {
        self.made += 1;
        let place = (at, self.made);
        let id = self.all.insert(Some(place)).into();
        self.waiting.insert(place, id);
        id
    }

    /// False if it is not there, or not any more.
    pub fn remove(&mut self, id: TimerId) -> bool {
        let place = self.all.remove(id.into());
        if let Some(Some(place)) = place {
            self.waiting.remove(&place);
        }
        place.is_some()
    }

    pub fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next that is due; its event has to be handed out, see `remove`.
    pub fn due(&mut self, now: Instant) -> Option<TimerId> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        let id = first.remove();
        *self.all.get_mut(id.into()).expect("waiting timers are in the slab") = None;
        Some(id)
    }
}
