//! A client between a ring terminal and a server that the test plays, over TCP and
//! in-process.

use std::time::{Duration, Instant};

use miniio::{Address, Error, Event, Loop, Received, StreamId, Wait};
use minitelnet::terminal::ring::{ring, Keyboard, Ring};
use minitelnet::terminal::Mode;
use minitelnet::{Client, End, Identity, Size};

const PATIENCE: Duration = Duration::from_secs(60);
/// DO NAWS, WILL ECHO, WILL SGA: as BusyBox telnetd begins.
const HELLO: &[u8] = &[255, 253, 31, 255, 251, 1, 255, 251, 3];
/// What we answer, with a window of 24 x 80.
const ANSWER: &[u8] =
    &[255, 251, 31, 255, 250, 31, 0, 80, 0, 24, 255, 240, 255, 253, 1, 255, 253, 3];

/// Everything on one loop: the client, its terminal, the server.
struct Trial {
    io: Loop,
    client: Option<Client<Ring>>,
    keyboard: Keyboard,
    server: StreamId,
    shown: Vec<u8>,
    heard: Vec<u8>,
    end: Option<End>,
    /// The person does not look at the screen.
    looks_away: bool,
}

impl Trial {
    fn new(address: &Address) -> Trial {
        let mut io = Loop::new().unwrap();
        let listener = io.listen(address).unwrap();
        let address = io.listener_address(listener).unwrap();
        let stream = io.connect(&address).unwrap();
        let (terminal, keyboard) = ring(&mut io, Size { rows: 24, columns: 80 });
        let identity = Identity {
            terminal: "vt100".into(),
            size: Size { rows: 1, columns: 1 },
            environment: vec![],
        };
        let mut client = Client::new(stream, terminal, identity);
        let server = loop {
            match io.next(Wait::Forever).unwrap() {
                Event::Accepted { stream, .. } => break stream,
                event => assert_eq!(client.handle(&mut io, &event), None),
            }
        };
        Trial {
            io,
            client: Some(client),
            keyboard,
            server,
            shown: Vec::new(),
            heard: Vec::new(),
            end: None,
            looks_away: false,
        }
    }

    /// One that has shaken hands.
    fn agreed(address: &Address) -> Trial {
        let mut trial = Trial::new(address);
        trial.io.write(trial.server, HELLO).unwrap();
        trial.until("the answer", |t| t.heard == ANSWER);
        trial.heard.clear();
        trial
    }

    #[track_caller]
    fn until(&mut self, what: &str, wanted: impl Fn(&Trial) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if !self.looks_away {
                self.shown.extend(self.keyboard.screen());
            }
            if wanted(self) {
                return;
            }
            let Some(event) = self.io.next(Wait::Until(deadline)) else {
                panic!(
                    "waited for {what}\nshown: {}\nheard: {}\nend: {:?}",
                    self.shown.escape_ascii(),
                    self.heard.escape_ascii(),
                    self.end
                );
            };
            if let Some(client) = &mut self.client {
                if let Some(end) = client.handle(&mut self.io, &event) {
                    self.end = Some(end);
                    self.client = None;
                }
            }
            while let Ok(Received::Bytes(bytes)) = self.io.received(self.server) {
                let n = bytes.len();
                self.heard.extend_from_slice(bytes);
                self.io.consume(self.server, n).unwrap();
            }
        }
    }

    fn shows(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.shown).contains(text)
    }
}

fn addresses() -> [Address; 2] {
    ["127.0.0.1:0", "local:telnet"].map(|text| text.parse().unwrap())
}

#[test]
fn keys_go_out_and_the_screen_comes_in() {
    for address in addresses() {
        let mut t = Trial::agreed(&address);
        t.keyboard.press("hällo\r\x03".as_bytes());
        t.until("the keys", |t| t.heard == "hällo\r\0\x03".as_bytes());
        t.io.write(t.server, b"one\r\ntwo\xff\xff\r\0").unwrap();
        t.until("the screen", |t| t.shown == b"one\r\ntwo\xff\r");
        t.io.close(t.server);
        t.until("the end", |t| t.end == Some(End::Remote));
        assert!(t.keyboard.is_closed());
    }
}

#[test]
fn a_resize_is_told() {
    for address in addresses() {
        let mut t = Trial::agreed(&address);
        t.keyboard.resize(Size { rows: 50, columns: 132 });
        t.until("the size", |t| t.heard == [255, 250, 31, 0, 132, 0, 50, 255, 240]);
    }
}

#[test]
fn lines_without_echo_end_as_the_protocol_wants() {
    for address in addresses() {
        let mut t = Trial::new(&address);
        t.keyboard.press(b"first\nsec");
        t.until("a line", |t| t.heard == b"first\r\nsec");
        assert_eq!(t.keyboard.mode(), Mode::Lines);
        t.io.write(t.server, HELLO).unwrap();
        t.until("character mode", |t| t.keyboard.mode() == Mode::Raw);
    }
}

#[test]
fn the_escape_can_be_left_to_programs() {
    let mut t = Trial::agreed(&"local:telnet".parse().unwrap());
    t.client = t.client.take().map(Client::without_escape);
    t.keyboard.press(b"\x1dstatus\r");
    t.until("the keys", |t| t.heard == b"\x1dstatus\r\0");
}

#[test]
fn the_prompt_closes_and_tells() {
    for address in addresses() {
        let mut t = Trial::agreed(&address);
        t.keyboard.press(b"\x1dstatus\r");
        t.until("the status", |t| {
            t.shows("the server: echo, character at a time; we: window size")
        });
        t.keyboard.press(b"\x1d");
        t.until("the prompt", |t| t.shown.ends_with(b"telnet> "));
        // Output waits while the prompt is there.
        t.io.write(t.server, b"meanwhile").unwrap();
        t.keyboard.press(b"?\r");
        t.until("the help", |t| t.shows("end the connection"));
        assert!(!t.shows("meanwhile"));
        t.keyboard.press(b"\rx");
        t.until("back", |t| t.shows("meanwhile") && t.heard == b"x");
        // A ring is no program that can be stopped.
        t.keyboard.press(b"\x1dz");
        t.until("the refusal", |t| t.shows("cannot be left"));
        t.keyboard.press(b"\x1dayt\r");
        t.until("the command", |t| t.heard == b"x\xff\xf6");
        t.keyboard.press(b"\x1dclose\r");
        t.until("the end", |t| t.end == Some(End::Local));
        t.until("the server's end", |t| t.io.received(t.server) == Ok(Received::End));
    }
}

#[test]
fn a_person_who_looks_away_stops_the_server() {
    for address in addresses() {
        let mut t = Trial::agreed(&address);
        t.looks_away = true;
        let chunk = [b'x'; 8192];
        let mut sent = 0;
        loop {
            let n = t.io.write(t.server, &chunk).unwrap();
            sent += n;
            assert!(sent < 64 << 20, "nothing stops the server");
            if n == 0 {
                // Until nothing gives way any more.
                let quiet = Instant::now() + Duration::from_millis(100);
                let mut moved = false;
                while let Some(event) = t.io.next(Wait::Until(quiet)) {
                    moved |= matches!(event, Event::Writable(_));
                    t.client.as_mut().unwrap().handle(&mut t.io, &event);
                }
                if !moved {
                    break;
                }
            }
        }
        // Keys still get through.
        t.keyboard.press(b"\x03");
        t.until("the key", |t| t.heard == b"\x03");
        t.looks_away = false;
        t.until("everything", |t| t.shown.len() == sent);
    }
}

/// The client once read nothing while it had much to send, and the server nothing while
/// its echo was not read: a paste stopped for ever.
#[test]
fn a_server_that_reads_only_what_it_can_echo_gets_a_long_paste() {
    let mut t = Trial::agreed(&"local:telnet".parse().unwrap());
    let paste: Vec<u8> = (0..1 << 20).map(|i: u32| b' ' + (i * 7 % 90) as u8).collect();
    let (mut rest, mut echo) = (&paste[..], Vec::new());
    let deadline = Instant::now() + PATIENCE;
    while t.shown.len() < paste.len() {
        rest = &rest[t.keyboard.press(rest)..];
        let event = t.io.next(Wait::Until(deadline)).expect("the echo goes on");
        t.client.as_mut().unwrap().handle(&mut t.io, &event);
        t.shown.extend(t.keyboard.screen());
        if echo.is_empty() {
            if let Received::Bytes(bytes) = t.io.received(t.server).unwrap() {
                echo = bytes.to_vec();
                t.io.consume(t.server, echo.len()).unwrap();
            }
        }
        let n = t.io.write(t.server, &echo).unwrap();
        echo.drain(..n);
    }
    assert!(t.shown == paste);
}

#[test]
fn what_was_typed_is_sent_before_the_end_of_the_keys() {
    for address in addresses() {
        let mut t = Trial::agreed(&address);
        t.keyboard.press(b"exit\r");
        t.keyboard.end();
        t.until("the end", |t| {
            t.heard == b"exit\r\0" && t.io.received(t.server) == Ok(Received::End)
        });
        // The answer to it is still shown.
        t.io.write(t.server, b"bye\r\n").unwrap();
        t.io.close(t.server);
        t.until("the end", |t| t.end == Some(End::Remote));
        assert_eq!(t.shown, b"bye\r\n");
    }
}

/// Requests whose answers nobody reads, without end.
#[test]
fn a_server_that_asks_and_never_listens_is_not_listened_to() {
    for address in addresses() {
        let mut t = Trial::new(&address);
        let asking = [255, 253, 99].repeat(10_000);
        let mut sent = 0;
        while let Some(event) = t.io.next(Wait::Until(Instant::now() + Duration::from_millis(100)))
        {
            // Only the client handles events: the server never reads.
            t.client.as_mut().unwrap().handle(&mut t.io, &event);
            sent += t.io.write(t.server, &asking[sent % 3..]).unwrap();
            assert!(sent < 64 << 20, "nothing stops the server");
        }
        assert!(t.client.as_mut().unwrap().session().output().len() < 1 << 20);
    }
}

#[test]
fn nobody_there_is_an_end() {
    let mut io = Loop::new().unwrap();
    let listener = io.listen(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let address = io.listener_address(listener).unwrap();
    io.close_listener(listener);
    let stream = io.connect(&address).unwrap();
    let (terminal, _keyboard) = ring(&mut io, Size { rows: 24, columns: 80 });
    let size = Size { rows: 24, columns: 80 };
    let identity = Identity { terminal: "vt100".into(), size, environment: vec![] };
    let mut client = Client::new(stream, terminal, identity);
    let end = loop {
        let event = io.next(Wait::Forever).unwrap();
        if let Some(end) = client.handle(&mut io, &event) {
            break end;
        }
    };
    assert_eq!(end, End::Failed(Error::Refused(address)));
}
