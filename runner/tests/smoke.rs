//! The smoke suite: what must work before anything else is looked at. Boot, one
//! shot, a telnet console, interactive programs, shutdown; in less than two
//! minutes, by `cargo test --release -p runner --test smoke`.

mod common;

use common::pty::Terminal;
use common::serve::Serve;
use common::telnet::Telnet;
use common::{output, output_with_input, sh, text, wasmlinux};
use wasmlinux::{Limit, Limits, Machine, Outcome};

#[test]
fn boot() {
    let machine = Machine::builder().boot().unwrap();
    let output = machine.command("uname").args(["-s", "-m"]).output().unwrap();
    assert_eq!(output.stdout, b"Linux wasm32\n");
    assert!(sh("cat /proc/mounts").contains("devpts /dev/pts"));
}

#[test]
fn one_shot() {
    let out = output_with_input(&["run", "--", "sort", "-rn"], b"1\n3\n2\n");
    assert_eq!((text(&out.stdout).as_str(), out.status.code()), ("3\n2\n1\n", Some(0)));
    assert_eq!(output(&["run", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(output(&["run", "--", "no-such-command"]).status.code(), Some(127));
}

#[test]
fn telnet_console() {
    let serve = Serve::start(&["--service", "0=cat"]);
    let mut t = Telnet::at_prompt(serve.address);
    assert_eq!(t.run("echo $((6 * 7)); tty"), "42\n/dev/pts/0\n");
    let mut other = Telnet::at_prompt(serve.address);
    assert_eq!(other.run("tty"), "/dev/pts/1\n");
    serve.kill(libc::SIGTERM);
    let (status, errors) = serve.wait();
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn interactive_programs() {
    let mut t = Terminal::start(wasmlinux(&["serve", "--listen", "0", "--console"]), 24, 80);
    t.wait_prompt();
    t.vi_new("/tmp/f", "hello from vi");
    t.vi_save("/tmp/f", "hello from vi\n");
    t.send("top\r");
    t.wait("its table", |s| s.starts_with("Mem:") && s.contains("COMMAND"));
    t.send("q");
    t.wait_prompt();
    // Ctrl-C reaches the loop only once the line editor has let go of the tty.
    t.send("echo be''gun; while :; do :; done\r");
    t.wait_line("begun");
    t.send("\x03");
    t.wait_prompt();
    t.send("exit\r");
    assert_eq!(t.wait_exit().code(), Some(0));
}

#[test]
fn untrusted_commands() {
    let machine = Machine::builder().boot().unwrap();
    let limits = Limits { output: Some(1 << 20), processes: Some(10), ..Limits::default() };
    let flood = machine.command("yes").uid(1000).limits(limits).output().unwrap();
    assert_eq!(flood.status.limit(), Some(Limit::Output));
    assert!(machine.command("true").status().unwrap().success());
}

#[test]
fn shutdown() {
    let machine = Machine::builder().boot().unwrap();
    machine.command("true").status().unwrap();
    assert_eq!(machine.shutdown(std::time::Duration::from_secs(60)), Outcome::PowerOff);
    assert_eq!(output(&["run", "--", "sh", "-c", "poweroff; sleep 60"]).status.code(), Some(0));
}
