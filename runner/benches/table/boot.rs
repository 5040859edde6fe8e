//! From nothing to init, to a prompt, to the end of a command.

use crate::pty::Terminal;
use crate::WASMLINUX;
use anyhow::{bail, Context, Result};
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{sync_channel, SyncSender};
use std::time::{Duration, Instant};
use wasmlinux::{Machine, Size};

/// What the kernel says just before it starts the first program.
const INIT: &[u8] = b"Run /init as init process";
/// A boot that takes this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A kernel log that tells when the kernel starts init.
struct Watch {
    seen: Vec<u8>,
    init: SyncSender<Instant>,
}

impl Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.seen.extend(bytes);
        if self.seen.windows(INIT.len()).any(|w| w == INIT) {
            // Only the first time is waited for.
            let _ = self.init.try_send(Instant::now());
            self.seen.clear();
        } else if let Some(end) = self.seen.iter().rposition(|&b| b == b'\n') {
            self.seen.drain(..=end);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From the library's `boot` until the kernel starts its first program.
pub fn to_init() -> Result<f64> {
    let (init, started) = sync_channel(1);
    let begin = Instant::now();
    let _machine = Machine::builder().kernel_log(Watch { seen: Vec::new(), init }).boot()?;
    let started = started.recv_timeout(PATIENCE).context("the kernel starts no init")?;
    Ok(nanoseconds(started - begin))
}

/// From the library's `boot` until a login shell has written its prompt.
pub fn to_prompt() -> Result<f64> {
    let begin = Instant::now();
    let machine = Machine::builder().boot()?;
    let piped = wasmlinux::Stdio::piped;
    let shell = machine.command("sh").arg("-l").stdin(piped()).stdout(piped());
    let mut child = shell.tty(Size::default()).spawn()?;
    let mut terminal = child.terminal.take().context("a terminal was asked for")?;
    let mut shown = Vec::new();
    let mut buf = [0; 4096];
    while !shown.windows(2).any(|w| w == b"# ") {
        let n = terminal.read(&mut buf)?;
        if n == 0 {
            bail!("the shell ended without a prompt: {}", String::from_utf8_lossy(&shown));
        }
        shown.extend(&buf[..n]);
    }
    Ok(nanoseconds(begin.elapsed()))
}

/// From the library's `builder` until the first command's output is there.
pub fn to_output() -> Result<f64> {
    let begin = Instant::now();
    let output = Machine::builder().boot()?.command("echo").arg("up").output()?;
    let took = nanoseconds(begin.elapsed());
    if output.stdout != b"up\n" {
        bail!("echo wrote {output:?}");
    }
    Ok(took)
}

/// A shell on a terminal of its own, at its prompt.
pub fn shell(mut command: Command) -> Terminal {
    command.env_remove("ENV").env("PS1", "# ");
    let mut terminal = Terminal::start(command, 24, 80);
    terminal.wait("a prompt", |screen| screen.trim_end().ends_with('#'));
    terminal
}

pub fn our_shell() -> Command {
    let mut command = Command::new(WASMLINUX);
    command.arg("shell");
    command
}

pub fn host_shell() -> Command {
    let mut command = Command::new("sh");
    command.arg("-i");
    command
}

/// From the start of a command on a terminal until its prompt is on the screen.
pub fn command_to_prompt(command: Command) -> Result<f64> {
    let begin = Instant::now();
    let terminal = shell(command);
    let took = begin.elapsed();
    drop(terminal);
    Ok(nanoseconds(took))
}

/// From the start of a command to its end.
pub fn command_to_end(command: &mut Command) -> Result<f64> {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(nanoseconds(begin.elapsed()))
}

pub fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}
