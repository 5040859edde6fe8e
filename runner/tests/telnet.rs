//! `wasmlinux telnet`: a person at a terminal, and a server that the test plays.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::pty::Terminal;
use common::{fails, text, wasmlinux, Dir};

const PATIENCE: Duration = Duration::from_secs(60);
/// DO NAWS, WILL ECHO, WILL SGA: as BusyBox telnetd begins.
const HELLO: &[u8] = &[255, 253, 31, 255, 251, 1, 255, 251, 3];
/// The answer to the first, for 24 x 80.
const SIZE: &[u8] = &[255, 250, 31, 0, 80, 0, 24, 255, 240];

struct Server {
    clients: mpsc::Receiver<TcpStream>,
    port: String,
}

impl Server {
    fn new() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let (sender, clients) = mpsc::channel();
        thread::spawn(move || {
            if let Ok((client, _)) = listener.accept() {
                client.set_read_timeout(Some(PATIENCE)).unwrap();
                let _ = sender.send(client);
            }
        });
        Server { clients, port }
    }

    fn accept(&self) -> TcpStream {
        self.clients.recv_timeout(PATIENCE).expect("a client comes")
    }
}

/// Reads until these bytes have come.
#[track_caller]
fn hear(client: &mut TcpStream, wanted: &[u8]) {
    let mut heard = Vec::new();
    let mut chunk = [0; 4096];
    while !heard.windows(wanted.len()).any(|bytes| bytes == wanted) {
        match client.read(&mut chunk) {
            Ok(n @ 1..) => heard.extend(&chunk[..n]),
            other => panic!("{other:?}; {} has come", heard.escape_ascii()),
        }
    }
}

/// A terminal in a session that has shaken hands.
fn session() -> (Terminal, TcpStream) {
    let server = Server::new();
    let mut t = Terminal::start(wasmlinux(&["telnet", "127.0.0.1", &server.port]), 24, 80);
    let mut client = server.accept();
    t.wait("the greeting", |s| s.contains("the escape character is ^]"));
    client.write_all(HELLO).unwrap();
    hear(&mut client, SIZE);
    (t, client)
}

/// A terminal's settings when nobody has changed them.
fn fresh() -> [u32; 4] {
    Terminal::start(Command::new("true"), 24, 80).settings()
}

#[test]
fn keys_screen_and_the_servers_end() {
    let (mut t, mut client) = session();
    client.write_all(b"login: ").unwrap();
    t.wait("the prompt", |s| s.trim_end().ends_with("login:"));
    assert_ne!(t.settings(), fresh(), "not raw");
    t.send("m\u{e9}\x03\r");
    hear(&mut client, "m\u{e9}\x03\r\0".as_bytes());
    client.write_all("\x1b[2J\x1b[5;10Hh\u{e9}re".as_bytes()).unwrap();
    t.wait("the cursor's place", |s| s.lines().nth(4) == Some("         h\u{e9}re"));
    drop(client);
    assert_eq!(t.wait_exit().code(), Some(0));
    t.wait("the reason", |s| s.contains("The server has closed the connection."));
    assert_eq!(t.settings(), fresh());
}

#[test]
fn the_window_size_follows() {
    let (mut t, mut client) = session();
    t.resize(50, 255);
    hear(&mut client, &[255, 250, 31, 0, 255, 255, 0, 50, 255, 240]);
}

#[test]
fn the_prompt_closes() {
    let (mut t, mut client) = session();
    t.send("\x1d");
    t.wait_line("telnet>");
    t.send("status\r");
    t.wait("the status", |s| s.contains("the server: echo, character at a time"));
    t.send("\x1dclose\r");
    assert_eq!(t.wait_exit().code(), Some(0));
    assert_eq!(t.settings(), fresh());
    assert!(client.read_to_end(&mut Vec::new()).unwrap() < 64);
}

#[test]
fn a_shell_can_stop_and_continue_it() {
    let server = Server::new();
    let mut shell = Command::new("sh");
    shell.arg("-i").env("PS1", "ready> ").env_remove("ENV");
    let mut t = Terminal::start(shell, 24, 80);
    t.wait_line("ready>");
    let cooked = t.settings();
    t.send(&format!("{} telnet 127.0.0.1 {}\r", env!("CARGO_BIN_EXE_wasmlinux"), server.port));
    let mut client = server.accept();
    client.write_all(HELLO).unwrap();
    hear(&mut client, SIZE);
    client.write_all(b"inside").unwrap();
    t.wait("the session", |s| s.contains("inside"));
    let raw = t.settings();
    assert_ne!(raw, cooked);

    t.send("\x1dz");
    t.wait("the shell", |s| s.contains("Stopped") && s.trim_end().ends_with("ready>"));
    assert_eq!(t.settings(), cooked);
    // The window may change meanwhile.
    t.resize(30, 90);
    t.send("fg\r");
    hear(&mut client, &[255, 250, 31, 0, 90, 0, 30, 255, 240]);
    client.write_all(b" again").unwrap();
    t.wait("the session", |s| s.contains("again"));
    assert_eq!(t.settings(), raw);
    t.send("x");
    hear(&mut client, b"x");
    drop(client);
    t.wait("the shell", |s| s.contains("closed the connection"));
    t.send("exit\r");
    t.wait_exit();
    assert_eq!(t.settings(), cooked);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for (signal, code) in [(libc::SIGTERM, 143), (libc::SIGHUP, 129), (libc::SIGINT, 130)] {
        let (mut t, _client) = session();
        t.kill(signal);
        assert_eq!(t.wait_exit().code(), Some(code));
        assert_eq!(t.settings(), fresh());
    }
}

/// Echoes lines as they come, without telnet.
fn echo_server() -> String {
    let server = Server::new();
    let port = server.port.clone();
    thread::spawn(move || {
        let mut client = server.accept();
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).unwrap();
        client.write_all(&bytes).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
    });
    port
}

#[test]
fn pipes_and_files_will_do() {
    let lines: String = (0..20_000).map(|i| format!("line {i}\n")).collect();
    let answer = lines.replace('\n', "\r\n");
    let out = common::output_with_input(&["telnet", "127.0.0.1", &echo_server()], lines.as_bytes());
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), String::new()));
    assert!(text(&out.stdout) == answer, "{} bytes", out.stdout.len());

    let dir = Dir::new();
    let file = std::fs::File::open(dir.file("lines", lines.as_bytes())).unwrap();
    let to = std::fs::File::create(dir.path().join("answer")).unwrap();
    let mut telnet = wasmlinux(&["telnet", "localhost", &echo_server()]);
    let status = telnet.stdin(file).stdout(to).stderr(Stdio::inherit()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(std::fs::read_to_string(dir.path().join("answer")).unwrap() == answer);
}

#[test]
fn what_cannot_be_reached_is_one_sentence() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let message = format!("nothing listens at 127.0.0.1:{free}: start the server first");
    fails(&["telnet", "127.0.0.1", &free.to_string()], 125, &message);
    fails(&["telnet", "no-such-name.invalid"], 125, "cannot find no-such-name.invalid");
    fails(&["telnet", "127.0.0.1", "70000"], 2, "70000");
}
