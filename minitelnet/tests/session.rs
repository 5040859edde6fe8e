//! The session's rules, and what must never happen.

mod common;

use common::{cut, feed, session};
use minitelnet::{Command, Event, Size};
use proptest::collection::vec;
use proptest::prelude::*;

const IAC: u8 = 255;
const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const DO: u8 = 253;
const BINARY: u8 = 0;
const NAWS: u8 = 31;

fn data(bytes: &[u8]) -> Vec<Event> {
    vec![Event::Data(bytes.to_vec())]
}

#[test]
fn a_server_without_telnet_is_left_alone() {
    assert_eq!(feed([&b"220 hello\r\n"[..]]), (data(b"220 hello\r\n"), vec![]));
    assert_eq!(session().output(), b"");
}

#[test]
fn iac_is_escaped_both_ways() {
    let mut session = session();
    session.send(&[1, IAC, 2, IAC, IAC]);
    assert_eq!(session.output(), [1, IAC, IAC, 2, IAC, IAC, IAC, IAC]);
    assert_eq!(feed([&[1, IAC, IAC, 2, IAC][..], &[IAC]]).0, data(&[1, IAC, 2, IAC]));
}

#[test]
fn cr_nul_is_cr() {
    assert_eq!(feed([&b"a\r\0b\r\nc\0d\r\r\0\0e\r"[..]]).0, data(b"a\rb\r\nc\0d\r\r\0e\r"));
    // In two pieces, and the CR is there without waiting for the second.
    assert_eq!(feed([&b"a\r"[..]]).0, data(b"a\r"));
    assert_eq!(feed([&b"a\r"[..], b"\0b"]).0, data(b"a\rb"));
    let mut session = session();
    session.send(b"a\r");
    session.send(b"\rb\n");
    assert_eq!(session.output(), b"a\r\0\r\0b\n");
    let n = session.output().len();
    session.sent(n);
    session.send_line(b"x");
    assert_eq!(session.output(), b"x\r\n");
}

#[test]
fn binary_leaves_bytes_alone() {
    let mut session = session();
    session.ask_binary();
    assert_eq!(session.output(), [IAC, WILL, BINARY, IAC, DO, BINARY]);
    session.sent(6);
    session.receive(&[IAC, WILL, BINARY, IAC, DO, BINARY, b'\r', 0]);
    assert_eq!(session.next_event(), Some(Event::Data(b"\r\0".to_vec())));
    session.send(b"\r\xff");
    assert_eq!(session.output(), b"\r\xff\xff");
}

#[test]
fn the_window_size_is_told_when_asked_and_when_it_changes() {
    let mut session = session();
    session.resize(Size { rows: 50, columns: 255 });
    assert_eq!(session.output(), b"");
    session.receive(&[IAC, DO, NAWS]);
    // 255 is an IAC.
    let told = [IAC, WILL, NAWS, IAC, SB, NAWS, 0, IAC, IAC, 0, 50, IAC, SE];
    assert_eq!(session.output(), told);
    session.sent(told.len());
    session.resize(Size { rows: 50, columns: 255 });
    assert_eq!(session.output(), b"", "nothing is new");
    session.resize(Size { rows: 51, columns: 256 });
    assert_eq!(session.output(), [IAC, SB, NAWS, 1, 0, 0, 51, IAC, SE]);
}

#[test]
fn nothing_is_told_that_was_not_agreed_on() {
    // Terminal type and environment, without asking for the option first.
    let asked = [IAC, SB, 24, 1, IAC, SE, IAC, SB, 39, 1, IAC, SE];
    assert_eq!(feed([&asked[..]]), (vec![], vec![]));
}

#[test]
fn commands_are_sent() {
    let mut session = session();
    session.command(Command::AreYouThere);
    session.command(Command::Break);
    assert_eq!(session.output(), [IAC, 246, IAC, 243]);
}

/// libtelnet 0.23 gave a data event of size -1 for these (patch 01).
#[test]
fn mccp1_is_no_way_to_read_our_memory() {
    for bytes in [
        &[IAC, SB, 85, WILL][..],
        &[IAC, SB, 85, WILL, IAC, SE, b'x'],
        &[IAC, SB, 85, WILL, SE, b'x'],
        &[IAC, SB, 85, WILL, b'\r', 0],
    ] {
        let (events, out) = feed([bytes]);
        assert!(events.len() <= 1 && out.is_empty(), "{events:?}");
        assert_eq!(feed(cut(bytes, &[1])), (events, out));
    }
}

/// libtelnet 0.23 read one byte behind its buffer for this (patch 02).
#[test]
fn an_mssp_of_the_buffers_size_stays_in_it() {
    for size in [512, 2048, 8192, 16384] {
        let mut bytes = vec![IAC, SB, 70, 1];
        bytes.extend(std::iter::repeat_n(b'a', size / 2));
        bytes.push(2);
        bytes.extend(std::iter::repeat_n(b'b', size - size / 2 - 2));
        bytes.extend([IAC, SE, b'x']);
        assert_eq!(feed([&bytes[..]]), (data(b"x"), vec![]));
    }
}

#[test]
fn an_endless_subnegotiation_is_bounded() {
    let mut bytes = vec![IAC, SB, 24];
    bytes.extend(std::iter::repeat_n(b'a', 100_000));
    let (events, out) = feed([&bytes[..]]);
    assert!(matches!(events[0], Event::Problem(_)), "{:?}", events[0]);
    assert!(out.is_empty());
}

/// Bytes in which what telnet looks for is frequent.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let option = prop_oneof![0u8..=40, Just(70), Just(85), Just(86), Just(93), Just(255)];
    let piece = prop_oneof![
        3 => vec(any::<u8>(), 0..8),
        3 => (251u8..=254, option.clone()).prop_map(|(verb, option)| vec![IAC, verb, option]),
        2 => (option.clone(), vec(any::<u8>(), 0..40))
            .prop_map(|(option, body)| [&[IAC, SB, option], &body[..], &[IAC, SE]].concat()),
        1 => (option, vec(0u8..4, 0..20))
            .prop_map(|(option, body)| [&[IAC, SB, option], &body[..], &[IAC, SE]].concat()),
        1 => (236u8..=255).prop_map(|command| vec![IAC, command]),
        2 => prop_oneof![Just(b"\r\0".to_vec()), Just(b"\r\n".to_vec()), Just(b"\r".to_vec())],
        1 => (500usize..600).prop_map(|n| vec![b'x'; n]),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_in_any_pieces_are_the_same(
        bytes in bytes(),
        lengths in vec(1usize..30, 1..20),
    ) {
        let whole = feed([&bytes[..]]);
        prop_assert_eq!(feed(cut(&bytes, &lengths)), whole.clone());
        prop_assert_eq!(feed(cut(&bytes, &[1])), whole.clone());
        // Answers are in proportion to what asks for them: the longest is the
        // environment, for a subnegotiation of six bytes.
        prop_assert!(whole.1.len() <= bytes.len() * 8 + 16, "{} for {}", whole.1.len(), bytes.len());
    }

    #[test]
    fn what_is_sent_comes_out_at_a_peer(keys in vec(any::<u8>(), 0..300)) {
        let mut session = session();
        session.send(&keys);
        let wire = session.output().to_vec();
        // A CR NUL that was typed is a CR CR-NUL NUL on the wire; nothing is lost.
        let (events, _) = feed([&wire[..]]);
        let expected = if keys.is_empty() { vec![] } else { data(&keys) };
        prop_assert_eq!(events, expected);
    }
}
