//! `wasmlinux serve`: what it says, what it is told, how it ends.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use common::serve::Serve;
use common::telnet::Telnet;
use common::{fails, output, text, Dir};

#[test]
fn it_says_how_to_connect() {
    let mut serve = Serve::start(&["--service", "0=cat"]);
    let port = serve.address.port();
    assert_eq!(serve.line(), format!("  wasmlinux telnet 127.0.0.1 {port}"));
    assert_eq!(serve.line(), format!("  telnet 127.0.0.1 {port}"));
    assert!(serve.line().contains("PuTTY"));
    let echo = serve.line();
    let address = echo.strip_prefix("0: ").unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"through cat").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "through cat");
}

#[test]
fn services_of_a_file() {
    let dir = Dir::new();
    let conf = "127.0.0.1:0 stream tcp nowait nobody /usr/bin/id id -u\n";
    let conf = dir.file("inetd.conf", conf.as_bytes());
    let mut serve = Serve::start(&["--services", &conf]);
    let line = (0..4).map(|_| serve.line()).last().unwrap();
    let address = line.rsplit(' ').next().unwrap();
    let mut text = String::new();
    TcpStream::connect(address).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "65534\n");
    let bad = dir.file("bad.conf", b"\n7 dgram udp wait root /bin/cat\n");
    fails(&["serve", "--listen", "0", "--services", &bad], 125, "line 2");
}

#[test]
fn a_signal_shuts_the_guest_down_in_order() {
    let dir = Dir::new();
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let log = dir.path().join("log");
        let serve = Serve::start(&[&format!("--kernel-log={}", log.display())]);
        let mut t = Telnet::at_prompt(serve.address);
        t.send("while :; do :; done\r");
        t.wait("\r\n");
        serve.kill(signal);
        t.rest();
        let (status, errors) = serve.wait();
        assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
        let log = std::fs::read_to_string(&log).unwrap();
        assert!(log.contains("reboot: Power down"), "{log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let serve = Serve::start(&[]);
    let _t = Telnet::at_prompt(serve.address);
    serve.kill(libc::SIGTERM);
    serve.kill(libc::SIGINT);
    let code = serve.wait().0.code();
    // The signals may arrive as one.
    assert!(matches!(code, Some(0 | 130 | 143)), "{code:?}");
}

#[test]
fn power_off_in_a_session_ends_it() {
    let serve = Serve::start(&[]);
    let mut t = Telnet::at_prompt(serve.address);
    t.send("poweroff\r");
    t.rest();
    assert_eq!(serve.wait().0.code(), Some(0));
}

#[test]
fn a_panic_has_its_exit_code() {
    let serve = Serve::start(&[]);
    let mut t = Telnet::at_prompt(serve.address);
    t.send("echo c >/proc/sysrq-trigger\r");
    t.rest();
    let (status, errors) = serve.wait();
    assert_eq!(status.code(), Some(123));
    assert!(errors.contains("sysrq triggered crash"), "{errors}");
}

#[test]
fn a_password_is_asked_for() {
    let dir = Dir::new();
    let file = dir.file("password", b"open sesame\n");
    let serve = Serve::start(&["--password-file", &file]);
    let mut t = Telnet::connect(serve.address);
    t.wait("login: ");
    t.send("root\r");
    t.wait("Password: ");
    t.send("open sesame\r");
    t.wait("# ");
}

#[test]
fn what_it_logs() {
    let serve = Serve::start(&["--log", "info"]);
    let mut t = Telnet::at_prompt(serve.address);
    t.send("exit\r");
    t.rest();
    serve.kill(libc::SIGTERM);
    let (_, errors) = serve.wait();
    for line in ["telnet listens at 127.0.0.1:", "telnet 1 from 127.0.0.1:", ": begins", ": ends"] {
        assert!(errors.contains(line), "{line}: {errors}");
    }
}

#[test]
fn mistakes() {
    let serve = Serve::start(&[]);
    let taken = serve.address.to_string();
    fails(&["serve", "--listen", &taken], 125, "is in use");
    fails(&["serve", "--listen", "everywhere"], 2, "neither a port");
    fails(&["serve", "--service", "7"], 2, "7=cat");
    fails(&["serve", "--log", "loud"], 2, "debug");
    fails(&["serve", "--services", "/no/such/file"], 125, "/no/such/file");
    fails(&["serve", "--password-file", "/no/such/file"], 125, "/no/such/file");
}

#[test]
fn other_machines_are_a_warning() {
    let serve = Serve::start(&["--service", "0.0.0.0:0=cat"]);
    Telnet::at_prompt(serve.address);
    serve.kill(libc::SIGTERM);
    let (_, errors) = serve.wait();
    assert!(errors.contains("warning: other machines can reach 0.0.0.0:"), "{errors}");
}

#[test]
fn nothing_is_promised_before_every_service_listens() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let service = format!("{}=cat", taken.local_addr().unwrap().port());
    let out = output(&["serve", "--listen", "0", "--service", &service]);
    assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(125), ""));
    assert!(text(&out.stderr).contains("in use"), "{}", text(&out.stderr));
}

#[test]
fn an_empty_password_is_none() {
    let dir = Dir::new();
    let file = dir.file("password", b"\nsecond\n");
    fails(&["serve", "--listen", "0", "--password-file", &file], 125, "it is empty");
}
