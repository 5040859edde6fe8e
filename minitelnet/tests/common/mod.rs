//! A session fed in pieces.
#![allow(dead_code)] // each test binary uses its part

use minitelnet::{Event, Identity, Session, Size};

pub fn session() -> Session {
    Session::new(Identity {
        terminal: "vt100".into(),
        size: Size { rows: 30, columns: 100 },
        environment: vec![("USER".into(), "me".into()), ("LANG".into(), "C.UTF-8".into())],
    })
}

/// What has happened since the last time, data in one piece where it is.
pub fn events(session: &mut Session, all: &mut Vec<Event>) {
    while let Some(event) = session.next_event() {
        match (all.last_mut(), event) {
            (Some(Event::Data(before)), Event::Data(more)) => before.extend(more),
            (_, event) => all.push(event),
        }
    }
}

/// Events and answers after these pieces.
pub fn feed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Vec<u8>) {
    let mut session = session();
    let mut all = Vec::new();
    for piece in pieces {
        session.receive(piece);
        events(&mut session, &mut all);
    }
    (all, session.output().to_vec())
}

/// The bytes in pieces of these lengths, over and over.
pub fn cut<'a>(bytes: &'a [u8], lengths: &'a [usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for &length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, left) = rest.split_at(length.clamp(1, rest.len()));
        pieces.push(piece);
        rest = left;
    }
    pieces
}
