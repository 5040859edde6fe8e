//! `wasmlinux serve --console`: what `scripts/run` opens on a person's terminal.

mod common;

use common::pty::{fresh_settings, is_given_back, Terminal};
use common::telnet::Telnet;
use common::{fails, wasmlinux};

fn console(listen: &str) -> Terminal {
    let mut t = Terminal::start(wasmlinux(&["serve", "--console", "--listen", listen]), 24, 80);
    t.wait_prompt();
    t
}

/// Where it says that others may come.
fn port(t: &Terminal) -> std::net::SocketAddr {
    let screen = t.screen();
    let line = screen.lines().find_map(|l| l.strip_prefix("Further consoles: telnet ")).unwrap();
    let (ip, port) = line.trim_end().split_once(' ').unwrap();
    std::net::SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap())
}

#[test]
fn typing_signals_and_size() {
    let mut t = console("0");
    t.send("stty size; tty; echo $TERM\r");
    for line in ["24 80", "/dev/pts/0", "xterm"] {
        t.wait_line(line);
    }
    t.send("sh -c 'trap \"stty size; exit\" WINCH; echo armed; while :; do sleep 0.1; done'\r");
    t.wait_line("armed");
    t.resize(30, 90);
    t.wait_line("30 90");
    t.send("echo o''n; while :; do :; done\r");
    t.wait_line("on");
    t.send("\x03");
    t.wait_prompt();
    t.send("echo code $?\r");
    t.wait_line("code 130");
}

#[test]
fn the_terminal_is_given_back() {
    let program = || wasmlinux(&["serve", "--console", "--listen", "0"]);
    is_given_back(program, &["exit\r", "poweroff\r", "\x04", "\x1dclose\r"]);
}

#[test]
fn a_signal_shuts_down_and_gives_the_terminal_back() {
    let mut t = console("0");
    t.kill(libc::SIGTERM);
    assert_eq!(t.wait_exit().code(), Some(0));
    assert_eq!(t.settings(), fresh_settings());
}

#[test]
fn others_come_by_telnet_and_are_asked_to_leave() {
    let mut t = console("0");
    let mut other = Telnet::at_prompt(port(&t));
    other.run("echo from elsewhere >/tmp/note");
    t.send("cat /tmp/note; tty\r");
    t.wait_line("from elsewhere");
    t.send("exit\r");
    // Somebody is still there: the guest shuts down in order.
    other.rest();
    assert_eq!(t.wait_exit().code(), Some(0));
}

#[test]
fn a_second_machine_does_without_the_port() {
    let first = console("0");
    let taken = port(&first).to_string();
    let mut second = console(&taken);
    assert!(second.screen().contains("no other console"), "{}", second.screen());
    second.send("echo $((40 + 2))\r");
    second.wait_line("42");
}

#[test]
fn it_needs_a_terminal() {
    fails(&["serve", "--console"], 125, "not a terminal");
}
