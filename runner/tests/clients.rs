//! Real telnet clients at the console: PuTTY's plink, inetutils' telnet and our
//! own, each on a terminal of its own, whose screen is read as a person sees it.

mod common;

use std::process::Command;

use common::pty::Terminal;
use common::serve::Serve;
use common::telnet::Telnet;

/// A client at a prompt, and its server.
struct Session {
    t: Terminal,
    serve: Serve,
}

impl std::ops::Deref for Session {
    type Target = Terminal;
    fn deref(&self) -> &Terminal {
        &self.t
    }
}

impl std::ops::DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.t
    }
}

#[derive(Clone, Copy)]
enum Client {
    Plink,
    Inetutils,
    Ours,
}

impl Client {
    fn command(self, serve: &Serve) -> Command {
        let (ip, port) = (serve.address.ip().to_string(), serve.address.port().to_string());
        let args: &[&str] = match self {
            Client::Plink => &["plink", "-telnet", "-P", &port, &ip],
            Client::Inetutils => &["telnet", &ip, &port],
            Client::Ours => &[env!("CARGO_BIN_EXE_wasmlinux"), "telnet", &ip, &port],
        };
        let mut command = Command::new(args[0]);
        command.args(&args[1..]);
        command
    }

    fn connect(self, serve: &Serve, rows: u16, columns: u16) -> Terminal {
        let mut t = Terminal::start(self.command(serve), rows, columns);
        t.wait_prompt();
        t
    }

    fn session(self) -> Session {
        let serve = Serve::start(&[]);
        Session { t: self.connect(&serve, 24, 80), serve }
    }
}

macro_rules! with_each_client {
    ($($test:ident,)*) => {
        with_each_client!(@client plink Plink $($test)*);
        with_each_client!(@client inetutils Inetutils $($test)*);
        with_each_client!(@client ours Ours $($test)*);
    };
    (@client $name:ident $client:ident $($test:ident)*) => {
        mod $name {
            $(#[test]
            fn $test() {
                super::$test(super::Client::$client);
            })*
        }
    };
}

with_each_client! {
    typing_and_ending,
    line_editing_and_history,
    ctrl_c_ends_a_busy_loop,
    ctrl_z_and_fg,
    vi_edits_and_saves,
    vi_follows_the_window,
    top_refreshes_and_quits,
    less_pages,
    utf_8,
    a_megabyte_is_pasted,
    binary_by_base64,
    a_disconnect_in_the_middle,
}

fn typing_and_ending(client: Client) {
    let mut s = client.session();
    s.send("echo one two\r");
    s.wait_line("one two");
    s.send("stty size; tty\r");
    s.wait_line("24 80");
    s.wait_line("/dev/pts/0");
    s.send("exit\r");
    s.t.wait_exit();
    // Whoever comes next is served.
    Telnet::at_prompt(s.serve.address);
}

fn line_editing_and_history(client: Client) {
    let mut s = client.session();
    s.send("echo fxx\x7f\x7fo\x1b[Do\r");
    s.wait_line("foo");
    s.send("echo other\r");
    s.wait_line("other");
    s.send("\x1b[A\x1b[A\r");
    s.wait("the first command again", |s| s.matches("\nfoo").count() == 2);
}

fn ctrl_c_ends_a_busy_loop(client: Client) {
    let mut s = client.session();
    s.send("echo o''n; while :; do :; done\r");
    s.wait_line("on");
    s.send("\x03");
    s.wait_prompt();
    s.send("echo code $?\r");
    s.wait_line("code 130");
    // And a flood.
    s.send("yes\r");
    s.wait("the flood", |s| s.lines().filter(|l| *l == "y").count() > 20);
    s.send("\x03");
    s.wait_prompt();
}

fn ctrl_z_and_fg(client: Client) {
    let mut s = client.session();
    s.send("echo u''p; cat\r");
    s.wait_line("up");
    // Once cat answers, it is in front: before, Ctrl-Z would be the shell's.
    s.send("ping\r");
    s.wait("echo and answer", |s| s.matches("ping").count() == 2);
    s.send("\x1a");
    s.wait("the stop", |s| s.contains("Stopped"));
    s.send("fg\r");
    s.wait("cat in front", |s| s.trim_end().ends_with("\ncat"));
    s.send("said\r");
    s.wait("echo and answer", |s| s.matches("said").count() == 2);
    s.send("\x04");
    s.wait_prompt();
}

fn vi_edits_and_saves(client: Client) {
    let mut s = client.session();
    s.vi_new("/tmp/f", "first line\nsecond line");
    s.send("k0dwi1st ");
    s.wait("the change", |s| s.lines().next().map(str::trim_end) == Some("1st line"));
    s.vi_commands("/tmp/f");
    s.vi_save("/tmp/f", "1st line\nsecond line\n");
}

fn vi_follows_the_window(client: Client) {
    /// The last line of text is `n`, and vi's status follows.
    fn ends_at(screen: &str, n: usize) -> bool {
        let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
        lines.len() == n + 1 && lines[n - 1] == n.to_string() && lines[n].starts_with("- /tmp/n")
    }
    let mut s = client.session();
    s.send("seq 1 200 >/tmp/n; vi /tmp/n\r");
    s.wait("23 lines and the status", |s| ends_at(s, 23));
    s.resize(40, 60);
    s.wait("more lines", |s| ends_at(s, 39));
    s.resize(10, 100);
    s.wait("fewer lines", |s| ends_at(s, 9));
    s.send(":q\r");
    s.wait_prompt();
}

fn top_refreshes_and_quits(client: Client) {
    let mut s = client.session();
    s.send("top -d 1\r");
    s.wait("its table", |s| s.starts_with("Mem:") && s.contains("COMMAND") && s.contains("init"));
    s.resize(30, 80);
    // The next refresh fills the larger window.
    s.wait("a refresh", |s| s.lines().count() >= 26);
    s.send("q");
    s.wait_prompt();
}

fn less_pages(client: Client) {
    let mut s = client.session();
    s.send("seq 1 1000 | less\r");
    s.wait("the first page", |s| s.starts_with("1\n2\n") && s.contains("\n23\n"));
    s.send(" ");
    s.wait("the next page", |s| s.starts_with("24\n25\n"));
    s.send("G");
    s.wait("the end", |s| s.contains("\n1000\n"));
    s.send("/^500$\r");
    s.send("g");
    s.wait("the first page", |s| s.starts_with("1\n2\n"));
    s.send("q");
    s.wait_prompt();
}

fn utf_8(client: Client) {
    let mut s = client.session();
    s.send("echo 'grün 水 €'\r");
    s.wait_line("grün 水 €");
    s.send("printf %s 'ü水' | hexdump -C | head -n 1\r");
    s.wait("the bytes", |s| s.contains("c3 bc e6 b0 b4"));
}

/// 1 MB of lines as a terminal would paste them.
fn a_megabyte_is_pasted(client: Client) {
    const LINES: usize = 16_000;
    let mut s = client.session();
    s.send("stty -echo; echo re''ady; cat >/tmp/pasted; stty echo\r");
    s.wait_line("ready");
    for i in 0..LINES {
        s.send(&format!("{i:063}\r"));
    }
    s.send("\x04");
    s.wait_prompt();
    s.send("clear; awk 'BEGIN { for (i = 0; i < 16000; i++) printf \"%063d\\n\", i }' | cmp - /tmp/pasted && wc -c </tmp/pasted\r");
    s.wait_line("1024000");
}

/// Both ways through the terminal: what comes back on the screen is typed again.
fn binary_by_base64(client: Client) {
    let mut s = client.session();
    s.send("head -c 768 /dev/urandom >/tmp/b; clear; base64 /tmp/b; echo e''nd\r");
    s.wait_line("end");
    let text: Vec<String> = s.screen().lines().map(|l| l.trim_end().to_owned()).collect();
    let end = text.iter().position(|l| l == "end").unwrap();
    s.send("stty -echo; echo re''ady; base64 -d >/tmp/back; stty echo\r");
    s.wait_line("ready");
    text[..end].iter().for_each(|line| s.send(&format!("{line}\r")));
    s.send("\x04");
    s.wait_prompt();
    s.send("clear; wc -c </tmp/back; cmp /tmp/b /tmp/back && echo sa''me\r");
    s.wait_line("same");
    s.wait_line("768");
}

fn a_disconnect_in_the_middle(client: Client) {
    let mut s = client.session();
    s.send("echo u''p; sleep 1000\r");
    s.wait_line("up");
    let Session { t, serve } = s;
    drop(t);
    let mut other = Telnet::at_prompt(serve.address);
    other.run("while ps -o args | grep -q '^sleep 1000'; do :; done");
}
