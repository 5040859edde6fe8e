//! Consoles.

use wasmlinux_web::{ConsoleState, Size};

use crate::rig::Rig;

const IAC: u8 = 255;
/// WILL NAWS, its size, DO ECHO, DO SGA.
const ANSWER: &[u8] =
    &[IAC, 251, 31, IAC, 250, 31, 0, 80, 0, 24, IAC, 240, IAC, 253, 1, IAC, 253, 3];

/// A console whose telnetd has been answered.
fn agreed(rig: &mut Rig) -> u32 {
    let id = rig.console();
    rig.until("the telnet session", |rig| rig.guest.heard("telnetd") == ANSWER);
    id
}

#[test]
fn a_console_is_a_telnet_session() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    let job = rig.guest.only("telnetd");
    assert_eq!(job.argv, ["telnetd", "-i", "-l", "/usr/sbin/login-shell"]);
    assert!(job.env.contains(&"TERM=xterm-256color".into()), "{:?}", job.env);
    assert_eq!(rig.host.press(id, "hällo\u{1d}".as_bytes()), 7);
    rig.until("the echo", |rig| rig.consoles[&id].text == "hällo\u{1d}".as_bytes());
}

#[test]
fn consoles_wait_for_the_boot() {
    let mut rig = Rig::booting();
    let id = rig.console();
    rig.host.press(id, b"early");
    rig.settle();
    assert!(rig.guest.jobs.is_empty());
    rig.host.devices().ready();
    rig.until("the echo", |rig| rig.consoles[&id].text.ends_with(b"early"));
}

#[test]
fn another_size_is_told() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    rig.host.resize(id, Size { rows: 50, columns: 255 });
    let told = [IAC, 250, 31, 0, IAC, IAC, 0, 50, IAC, 240];
    rig.until("the size", |rig| rig.guest.heard("telnetd").ends_with(&told));
}

#[test]
fn a_paste_of_a_megabyte_arrives_whole() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    let paste: Vec<u8> = (0..1 << 20).map(|i: u32| b' ' + (i * 7 % 90) as u8).collect();
    let mut rest = &paste[..];
    let mut full = 0;
    while !rest.is_empty() {
        let taken = rig.host.press(id, rest);
        full += u32::from(taken < rest.len());
        rest = &rest[taken..];
        rig.step();
    }
    assert!(full > 0, "it never had to wait");
    rig.until("the echo", |rig| rig.consoles[&id].text.len() >= paste.len());
    assert!(rig.consoles[&id].text == paste);
}

#[test]
fn a_guest_that_does_not_read_stops_the_paste() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    rig.guest.deaf = true;
    let mut taken = 0;
    loop {
        let n = rig.host.press(id, &[b'x'; 8192]);
        if n == 0 {
            rig.settle();
            if rig.host.press(id, b"x") == 0 {
                break;
            }
            taken += 1;
        }
        taken += n;
        assert!(taken < 2 << 20, "nothing stops it");
        rig.step();
    }
    rig.guest.deaf = false;
    rig.until("all of it", |rig| rig.consoles[&id].text.len() == taken);
    assert_eq!(rig.host.press(id, b"!"), 1);
    rig.until("the rest", |rig| rig.consoles[&id].text.ends_with(b"!"));
}

#[test]
fn a_person_who_does_not_look_stops_the_guest() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    rig.looks_away = true;
    let job = *rig.guest.jobs.keys().next().unwrap();
    let stream = rig.guest.only("telnetd").streams[1];
    let mut written = 0;
    // Until it is stopped, whoever else is given their turns.
    let mut refused = 0;
    while refused < 3 {
        match rig.host.devices().stream_write(stream, &[b'y'; 4096]) {
            Ok(n) => written += n,
            Err(errno) => {
                assert_eq!(errno, -11);
                refused += 1;
            }
        }
        rig.settle();
        assert!(written < 4 << 20, "nothing stops it");
    }
    assert!(rig.guest.jobs.contains_key(&job));
    rig.looks_away = false;
    rig.look_at(id);
    rig.until("all of it", |rig| rig.consoles[&id].text.len() == written);
}

#[test]
fn sixty_four_consoles() {
    let mut rig = Rig::new();
    let ids: Vec<u32> = (0..64).map(|_| rig.console()).collect();
    for id in &ids {
        rig.host.press(*id, format!("console {id}.").as_bytes());
    }
    rig.until("all of them", |rig| {
        ids.iter().all(|id| rig.consoles[id].text.ends_with(format!("console {id}.").as_bytes()))
    });
}

#[test]
fn a_console_ends_with_its_shell() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    let stream = rig.guest.only("telnetd").streams[0];
    rig.host.devices().stream_write(stream, b"logout\r\n").unwrap();
    let job = *rig.guest.jobs.keys().next().unwrap();
    rig.guest.jobs.get_mut(&job).unwrap().killed = Some(0);
    rig.until("the end", |rig| rig.consoles[&id].ended);
    assert_eq!(rig.consoles[&id].text, b"logout\r\n", "its last words");
    assert_eq!(rig.host.press(id, b"x"), 1, "nobody makes the page wait");
    rig.host.close_console(id);
    assert_eq!(rig.host.console(id), ConsoleState::Ended);
}

#[test]
fn closing_a_console_ends_its_shell() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    let other = rig.console();
    rig.until("the other", |rig| rig.guest.jobs.len() == 2);
    rig.host.press(id, b"half of a li");
    rig.host.close_console(id);
    rig.until("the shell's end", |rig| rig.guest.jobs.len() == 1);
    rig.host.press(other, b"still here");
    rig.until("the other's echo", |rig| rig.consoles[&other].text.ends_with(b"still here"));
}

#[test]
fn a_console_closed_before_its_shell_has_begun() {
    let mut rig = Rig::booting();
    let id = rig.console();
    rig.settle();
    rig.host.close_console(id);
    rig.host.devices().ready();
    rig.until("the shell's end", |rig| rig.guest.ended.len() == 1);
}

/// Whatever a guest sends, the host lives, and so do other consoles.
#[test]
fn random_bytes_are_no_harm() {
    let mut rig = Rig::new();
    let id = agreed(&mut rig);
    let stream = rig.guest.only("telnetd").streams[1];
    let mut seed = 1u64;
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..97)
            .map(|_| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                // Often a command, an option, a subnegotiation.
                match seed >> 60 {
                    0..=3 => 255,
                    4..=6 => 240 + (seed >> 40 & 15) as u8,
                    7 => 31,
                    _ => (seed >> 33) as u8,
                }
            })
            .collect();
        let _ = rig.host.devices().stream_write(stream, &bytes);
        rig.step();
    }
    let other = rig.console();
    rig.host.press(other, b"alive");
    rig.until("another console", |rig| rig.consoles[&other].text.ends_with(b"alive"));
    rig.host.close_console(id);
}
