//! Bytes on their way.

use std::time::Duration;

use miniio::{Event, Loop, Received, StreamId, BUFFER};

use crate::rig::{pattern, patterned, Random, Rig};

/// Sends a pattern, in pieces that depend on `random`.
struct Sender {
    id: StreamId,
    sent: usize,
    all: usize,
}

impl Sender {
    fn push(&mut self, io: &mut Loop, random: &mut Random) {
        while self.sent < self.all {
            let n = (1 + random.below(9000)).min(self.all - self.sent);
            let taken = io.write(self.id, &patterned(self.sent, n)).unwrap();
            self.sent += taken;
            if taken < n {
                return;
            }
        }
        io.finish(self.id).unwrap();
    }
}

/// Checks what has come, in pieces; the number of bytes so far, and whether that
/// is all.
fn check(io: &mut Loop, id: StreamId, got: &mut usize, random: &mut Random) -> bool {
    loop {
        match io.received(id).unwrap() {
            Received::Bytes(bytes) => {
                let n = (1 + random.below(20000)).min(bytes.len());
                for (i, &byte) in bytes[..n].iter().enumerate() {
                    assert_eq!(byte, pattern(*got + i), "at {}", *got + i);
                }
                *got += n;
                io.consume(id, n).unwrap();
            }
            Received::Nothing => return false,
            Received::End => return true,
        }
    }
}

pub fn bytes_keep_their_order_both_ways(mut rig: Rig) {
    const ALL: usize = 3_000_000;
    let (client, server) = rig.connection();
    let mut random = Random(1);
    let mut senders = [client, server].map(|id| Sender { id, sent: 0, all: ALL });
    let mut got = [0; 2];
    let mut ended = [false; 2];
    for sender in &mut senders {
        sender.push(&mut rig.io, &mut random);
    }
    while ended != [true; 2] {
        match rig.next() {
            Event::Readable(id) => {
                let i = usize::from(id == server);
                ended[i] = check(&mut rig.io, id, &mut got[i], &mut random);
            }
            Event::Writable(id) => {
                senders[usize::from(id == server)].push(&mut rig.io, &mut random);
            }
            Event::Finished(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, [ALL; 2]);
}

pub fn reads_and_writes_may_be_partial(mut rig: Rig) {
    let (client, server) = rig.connection();
    // More than a kernel takes on its way: Linux lets a receiver's buffer grow to 32 MiB.
    let much = patterned(0, 1024 * BUFFER);
    let mut sent = rig.io.write(client, &much).unwrap();
    assert!(sent > 0 && sent < much.len(), "{sent}");
    // One byte at a time, for a while.
    for i in 0..1000 {
        assert_eq!(rig.read(server, 1).unwrap(), [pattern(i)]);
    }
    let mut got = 1000;
    let mut random = Random(2);
    while got < much.len() {
        check(&mut rig.io, server, &mut got, &mut random);
        if got == much.len() {
            break;
        }
        if let Event::Writable(id) = rig.next() {
            assert_eq!(id, client);
            sent += rig.io.write(client, &much[sent..]).unwrap();
        }
    }
}

pub fn a_slow_reader_stops_the_writer(mut rig: Rig) {
    let (client, server) = rig.connection();
    let chunk = patterned(0, 256 * 257); // the pattern's beginning, whatever was sent
    let mut sent = 0;
    let mut write = |io: &mut Loop| loop {
        let piece = &chunk[..1 + sent % 1000];
        let taken = io.write(client, piece).unwrap();
        sent += taken;
        assert!(sent < 64 << 20, "nothing stops the writer");
        if taken < piece.len() {
            return;
        }
    };
    write(&mut rig.io);
    // As long as something gives way.
    for event in std::iter::repeat_with(|| rig.settle()).take_while(|e| !e.is_empty()).flatten() {
        match event {
            Event::Writable(id) if id == client => {}
            Event::Readable(id) if id == server => {}
            other => panic!("{other:?}"),
        }
    }
    while rig.io.room(client).unwrap() > 0 {
        write(&mut rig.io);
        rig.settle();
    }
    // The reader goes on, and so does the writer.
    let mut got = 0;
    let mut again = false;
    while !again || got < sent {
        if let Received::Bytes(bytes) = rig.io.received(server).unwrap() {
            let n = bytes.len();
            got += n;
            rig.io.consume(server, n).unwrap();
        } else {
            let event = rig.next();
            again |= matches!(event, Event::Writable(id) if id == client);
        }
    }
    assert_eq!(got, sent);
}

pub fn room_is_what_a_write_takes(mut rig: Rig) {
    let (client, server) = rig.connection();
    loop {
        let room = rig.io.room(client).unwrap();
        if room == 0 {
            break;
        }
        assert!(room <= BUFFER);
        assert_eq!(rig.io.write(client, &vec![7; room]).unwrap(), room);
    }
    assert_eq!(rig.io.write(client, b"x").unwrap(), 0);
    // Asking was enough for the event.
    rig.until(|io, event| {
        if let Ok(Received::Bytes(bytes)) = io.received(server) {
            let n = bytes.len();
            io.consume(server, n).unwrap();
        }
        matches!(event, Event::Writable(id) if id == client).then_some(())
    });
    assert!(rig.io.room(client).unwrap() >= BUFFER / 2);
}

pub fn half_close_leaves_the_other_half(mut rig: Rig) {
    let (client, server) = rig.connection();
    assert_eq!(rig.io.write(client, b"request").unwrap(), 7);
    rig.io.finish(client).unwrap();
    rig.io.finish(client).unwrap(); // nothing more happens
    assert_eq!(rig.read_all(server).unwrap(), b"request");
    assert_eq!(rig.io.received(server).unwrap(), Received::End);
    assert_eq!(rig.io.write(server, b"answer").unwrap(), 6);
    assert_eq!(rig.read(client, 6).unwrap(), b"answer");
    assert_eq!(rig.io.received(client).unwrap(), Received::Nothing);
    rig.io.finish(server).unwrap();
    assert_eq!(rig.read_all(client).unwrap(), b"");
    let finished = rig.settle().iter().filter(|e| matches!(e, Event::Finished(_))).count();
    assert!(finished <= 2, "the client's was seen above");
}

pub fn the_end_comes_after_the_last_byte(mut rig: Rig) {
    let (listener, address) = rig.listen();
    for n in [0, 1, 10, BUFFER - 1, BUFFER, BUFFER + 1, 10 * BUFFER] {
        let (client, server) = rig.connection_to(&address);
        let mut sent = rig.io.write(client, &patterned(0, n)).unwrap();
        let mut got = 0;
        let mut finished = false;
        if sent == n {
            rig.io.finish(client).unwrap();
        }
        let ended = |io: &mut Loop, got: &mut usize| loop {
            match io.received(server).unwrap() {
                Received::Bytes(bytes) => {
                    let n = bytes.len();
                    *got += n;
                    io.consume(server, n).unwrap();
                }
                other => break other == Received::End,
            }
        };
        while !ended(&mut rig.io, &mut got) || !finished {
            match rig.next() {
                Event::Writable(_) => {
                    sent += rig.io.write(client, &patterned(sent, n - sent)).unwrap();
                    if sent == n {
                        rig.io.finish(client).unwrap();
                    }
                }
                Event::Finished(id) => {
                    assert!(id == client && !finished);
                    finished = true;
                }
                _ => {}
            }
        }
        assert_eq!(got, n);
        rig.io.close(client);
        rig.io.close(server);
    }
    rig.io.close_listener(listener);
}

pub fn bytes_written_before_the_connection_arrive(mut rig: Rig) {
    let (_, address) = rig.listen();
    let client = rig.io.connect(&address).unwrap();
    assert_eq!(rig.io.write(client, b"early").unwrap(), 5);
    rig.io.finish(client).unwrap();
    let server = rig.until(|_, event| match event {
        Event::Accepted { stream, .. } => Some(stream),
        _ => None,
    });
    assert_eq!(rig.read_all(server).unwrap(), b"early");
}

pub fn a_flood_starves_nobody(mut rig: Rig) {
    let (flooder, sink) = rig.connection();
    let (client, server) = rig.connection();
    let flood = vec![0; BUFFER];
    let waker = rig.io.waker();
    let timer = rig.io.timer(Duration::from_millis(5));
    rig.io.write(client, b"quiet").unwrap();
    waker.wake();
    rig.io.write(flooder, &flood).unwrap();
    let (mut timed, mut woken, mut heard) = (false, false, false);
    let mut turns = 0;
    rig.until(|io, event| {
        match event {
            Event::Timer(id) => timed |= id == timer,
            Event::Woken(_) => woken = true,
            Event::Readable(id) if id == server => heard = true,
            Event::Readable(id) if id == sink => {
                // Always something to read and always something to write.
                turns += 1;
                if let Received::Bytes(bytes) = io.received(sink).unwrap() {
                    let n = bytes.len();
                    io.consume(sink, n).unwrap();
                }
                io.write(flooder, &flood).unwrap();
            }
            _ => {}
        }
        assert!(turns < 1_000_000, "timed {timed} woken {woken} heard {heard}");
        (timed && woken && heard).then_some(())
    });
}
