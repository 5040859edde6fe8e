//! Closing, at any time.

use miniio::{Error, Event, Loop, Received, BUFFER};

use crate::rig::{stream_of, Rig, MOMENT};

pub fn no_event_names_a_closed_stream(mut rig: Rig) {
    let (listener, address) = rig.listen();
    // Both have something to say; the first to be heard closes the other.
    let (a, other_a) = rig.connection_to(&address);
    let (b, other_b) = rig.connection_to(&address);
    rig.io.write(other_a, b"x").unwrap();
    rig.io.write(other_b, b"x").unwrap();
    let first = rig.until(|_, event| match event {
        Event::Readable(id) => Some(id),
        _ => None,
    });
    let second = if first == a { b } else { a };
    rig.io.write(second, b"x").unwrap();
    rig.io.finish(second).unwrap();
    rig.io.close(second);
    for event in rig.settle() {
        assert_ne!(stream_of(&event), Some(second), "{event:?}");
    }
    rig.io.close_listener(listener);
}

pub fn a_stream_may_be_closed_in_any_state(mut rig: Rig) {
    let (_, address) = rig.listen();
    let states: [fn(&mut Loop, miniio::StreamId); 5] = [
        |_, _| {},
        |io, id| drop(io.write(id, &[1; 4 * BUFFER])),
        |io, id| drop(io.finish(id)),
        |io, id| drop(io.write(id, b"x").and_then(|_| io.finish(id))),
        |io, id| drop(io.room(id)),
    ];
    // While it connects, and later.
    for state in states {
        for steps in 0..4 {
            let client = rig.io.connect(&address).unwrap();
            state(&mut rig.io, client);
            let mut servers = Vec::new();
            for _ in 0..steps {
                if let Some(Event::Accepted { stream, .. }) = rig.io.next(miniio::Wait::No) {
                    servers.push(stream);
                }
            }
            rig.io.close(client);
            rig.io.close(client);
            for event in rig.settle_for(MOMENT) {
                assert_ne!(stream_of(&event), Some(client), "{event:?}");
                if let Event::Accepted { stream, .. } = event {
                    servers.push(stream);
                }
            }
            for server in servers {
                rig.io.close(server);
            }
        }
    }
    assert_eq!(rig.settle().len(), 0);
}

pub fn the_peer_of_a_closed_stream_sees_the_end(mut rig: Rig) {
    let (client, server) = rig.connection();
    rig.io.write(client, b"last words").unwrap();
    assert_eq!(rig.read(server, 10).unwrap(), b"last words");
    rig.io.close(client);
    assert_eq!(rig.read_all(server).unwrap(), b"");
    assert_eq!(rig.io.received(server).unwrap(), Received::End);
    rig.io.close(server);
    assert_eq!(rig.settle().len(), 0);
}

pub fn a_writer_learns_that_its_peer_is_gone(mut rig: Rig) {
    let (client, server) = rig.connection();
    rig.io.close(server);
    let mut written = 0;
    let error = loop {
        match rig.io.write(client, &[0; 1000]) {
            Err(error) => break error,
            Ok(n) => written += n,
        }
        assert!(written < 64 << 20, "nobody says anything");
        for event in rig.settle() {
            if let Event::Failed(id, _) = event {
                assert_eq!(id, client);
            }
        }
    };
    assert_eq!(error, Error::PeerClosed);
    rig.io.close(client);
    assert_eq!(rig.settle().len(), 0);
}

pub fn what_was_finished_arrives_although_closed(mut rig: Rig) {
    let (client, server) = rig.connection();
    let sent = rig.io.write(client, &[5; 3 * BUFFER]).unwrap();
    rig.io.finish(client).unwrap();
    let mut got = 0;
    rig.until(|io, event| {
        match event {
            Event::Finished(id) => {
                assert_eq!(id, client);
                io.close(client);
            }
            Event::Failed(..) | Event::Accepted { .. } => panic!("{event:?}"),
            _ => {}
        }
        loop {
            match io.received(server).unwrap() {
                Received::Bytes(bytes) => {
                    let n = bytes.len();
                    got += n;
                    io.consume(server, n).unwrap();
                }
                Received::Nothing => return None,
                Received::End => return Some(()),
            }
        }
    });
    assert_eq!(got, sent);
}

pub fn a_closed_listener_accepts_nobody(mut rig: Rig) {
    let (listener, address) = rig.listen();
    let client = rig.io.connect(&address).unwrap();
    rig.io.close_listener(listener);
    rig.io.close_listener(listener);
    // Whether or not it came through: the client hears of it, the server does not.
    let mut over = false;
    while !over {
        match rig.next() {
            Event::Connected(id) => assert_eq!(id, client),
            Event::Failed(id, _) | Event::Readable(id) => {
                assert_eq!(id, client);
                over = true;
            }
            other => panic!("{other:?}"),
        }
    }
    rig.io.close(client);
    match rig.io.connect(&address) {
        Err(error) => assert_eq!(error, Error::Refused(address.clone())),
        Ok(id) => match rig.next() {
            Event::Failed(failed, error) => {
                assert_eq!((failed, error), (id, Error::Refused(address.clone())));
            }
            other => panic!("{other:?}"),
        },
    }
    // Free for the next.
    let again = rig.io.listen(&address).unwrap();
    rig.connection_to(&address);
    rig.io.close_listener(again);
}

pub fn a_dropped_loop_closes_its_streams(mut rig: Rig) {
    for _ in 0..3 {
        let (client, server) = rig.connection();
        rig.io.write(client, &[1; 2 * BUFFER]).unwrap();
        rig.io.write(server, b"x").unwrap();
        rig.io.finish(server).unwrap();
        let (_, address) = rig.listen();
        rig.io.connect(&address).unwrap();
        rig.io.timer(std::time::Duration::ZERO);
        rig.io.waker().wake();
        let another = Rig::new(rig.transport);
        drop(std::mem::replace(&mut rig, another));
    }
}
