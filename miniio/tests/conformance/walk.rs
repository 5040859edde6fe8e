//! Random steps on several connections, held against a model.

use miniio::{Error, Event, Received, StreamId, Wait};

use crate::rig::{patterned, stream_of, Random, Rig, MOMENT};

/// One end, as it has to be.
struct Side {
    id: StreamId,
    open: bool,
    finished: bool,
    sent: usize,
    got: usize,
    /// It was told, or can know, that the other side is gone.
    may_fail: bool,
}

pub fn random_steps(mut rig: Rig) {
    let (_, address) = rig.listen();
    for seed in 1..=40u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (client, server) = rig.connection_to(&address);
        let side = |id| Side { id, open: true, finished: false, sent: 0, got: 0, may_fail: false };
        let mut sides = [side(client), side(server)];
        for _ in 0..400 {
            step(&mut rig, &mut sides, &mut random);
        }
        // What is still open has to come to its end.
        for i in 0..2 {
            let [this, peer] = both(&mut sides, i);
            if this.open && peer.open && !this.may_fail {
                let before = this.sent;
                rig.io.finish(this.id).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                let rest = rig.read_all(peer.id).unwrap();
                assert_eq!(rest, patterned(peer.got, before - peer.got), "seed {seed}");
                peer.got = before;
            }
        }
        for side in sides {
            rig.io.close(side.id);
        }
        for event in rig.settle_for(MOMENT) {
            assert!(stream_of(&event).is_none(), "seed {seed}: {event:?}");
        }
    }
}

fn both(sides: &mut [Side; 2], first: usize) -> [&mut Side; 2] {
    let (a, b) = sides.split_at_mut(1);
    if first == 0 {
        [&mut a[0], &mut b[0]]
    } else {
        [&mut b[0], &mut a[0]]
    }
}

fn step(rig: &mut Rig, sides: &mut [Side; 2], random: &mut Random) {
    let [this, peer] = both(sides, random.below(2));
    let size = 1 << random.below(18);
    match random.below(100) {
        0..40 => match rig.io.write(this.id, &patterned(this.sent, size)) {
            Ok(n) => this.sent += n,
            Err(Error::Closed) => assert!(!this.open),
            Err(Error::AfterFinish) => assert!(this.finished),
            Err(error) => assert!(this.may_fail, "{error}"),
        },
        40..80 => match rig.io.received(this.id) {
            Ok(Received::Bytes(bytes)) => {
                let n = size.min(bytes.len());
                assert_eq!(bytes[..n], patterned(this.got, n));
                this.got += n;
                assert!(this.got <= peer.sent);
                rig.io.consume(this.id, n).unwrap();
            }
            Ok(Received::Nothing) => {}
            Ok(Received::End) => {
                assert!(peer.finished || !peer.open);
                assert!(!peer.open || this.got == peer.sent);
            }
            Err(Error::Closed) => assert!(!this.open),
            Err(error) => assert!(this.may_fail, "{error}"),
        },
        80 => match rig.io.finish(this.id) {
            Ok(()) => this.finished = true,
            Err(Error::Closed) => assert!(!this.open),
            Err(error) => assert!(this.may_fail, "{error}"),
        },
        81 if random.below(3) == 0 => {
            rig.io.close(this.id);
            this.open = false;
            peer.may_fail = true;
        }
        _ => {
            if let Some(event) = rig.io.next(Wait::No) {
                let id = stream_of(&event).expect("only streams");
                let [this, _] = both(sides, usize::from(sides[1].id == id));
                assert!(this.id == id && this.open, "{event:?}");
                assert!(!matches!(event, Event::Failed(..)) || this.may_fail, "{event:?}");
            }
        }
    }
}
