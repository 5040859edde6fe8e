//! The verbs; `run` and `shell`: one command on the caller's terminal or streams.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;

use wasmlinux::trace::Tracer;
use wasmlinux::{
    program, terminal, Builder, Command, Error, ExitStatus, Machine, Outcome, Size, Stdio, Terminal,
};

use crate::cli::{Cli, MachineArgs, Verb};
use crate::logs::KernelLog;

/// The machine could not be run.
pub const EXIT_HOST: i32 = 125;
/// The kernel panicked.
const EXIT_PANIC: i32 = 123;
/// The command was found but cannot be executed; it was not found.
const EXIT_CANNOT: i32 = 126;
const EXIT_NOT_FOUND: i32 = 127;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Machine(#[from] Error),
    #[error("cannot write the kernel log to {0}: {1}")]
    Log(PathBuf, #[source] io::Error),
    #[error("cannot write the trace to {0}: {1}")]
    Trace(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Telnet(#[from] crate::telnet::TelnetError),
    #[error("cannot set the terminal up: {0}")]
    Terminal(#[source] io::Error),
    #[error(transparent)]
    Serve(#[from] crate::serve::ServeError),
    #[error("stdin is not a terminal; use `wasmlinux run -- sh` instead")]
    NoTerminal,
}

pub fn main(cli: Cli) -> Result<i32, RunError> {
    crate::logs::to_stderr(cli.log);
    match cli.verb {
        Verb::Run { machine, command } => session(&machine, &command),
        Verb::Shell { machine } => {
            if !io::stdin().is_terminal() {
                return Err(RunError::NoTerminal);
            }
            let sh = "sh".into();
            match machine.cwd {
                Some(_) => session(&machine, &[sh, "-l".into()]),
                // In its home, as after a login.
                None => session(&machine, &[sh, "-c".into(), "cd; exec sh -l".into()]),
            }
        }
        Verb::Serve { machine, serve } => crate::serve::main(&machine, serve),
        Verb::Telnet { host, port } => Ok(crate::telnet::main(&host, port)?),
    }
}

/// The machine that the options describe.
pub fn builder(args: &MachineArgs) -> Result<(Builder, KernelLog), RunError> {
    let log = KernelLog::open(args.kernel_log.as_deref());
    let log = log.map_err(|e| RunError::Log(args.kernel_log.clone().unwrap_or_default(), e))?;
    let mut builder = Machine::builder().memory(args.memory).user_memory(args.user_memory);
    builder = builder.kernel_log(log.clone());
    builder = builder.kernel_parameters(&*args.append);
    if let Some(rootfs) = &args.rootfs {
        builder = builder.rootfs(rootfs);
    }
    for addition in &args.add {
        builder = builder.addition(addition.clone());
    }
    for disk in &args.disk {
        builder = builder.disk(disk);
    }
    for (name, value) in &args.env {
        builder = builder.env(&**name, &**value);
    }
    Ok((builder, log))
}

/// Boots, runs one command on the caller's terminal or streams, and ends.
fn session(args: &MachineArgs, command: &[OsString]) -> Result<i32, RunError> {
    let (mut builder, log) = builder(args)?;
    // A program on the host is compiled and put into the guest.
    let mut name = command[0].clone();
    if let Some(path) = program::host_path(name.as_bytes()) {
        name = program::guest_path(&path).into();
        builder = builder.program(path);
    }
    let machine = builder.boot()?;
    let mut command = machine.command(name).args(&command[1..]);
    if let Some(dir) = &args.cwd {
        command = command.current_dir(dir);
    }
    let tracer = tracer(args)?;
    if let Some(tracer) = &tracer {
        command = command.trace(tracer);
    }
    let result = if terminal::is_interactive() {
        let term =
            std::env::var("TERM").ok().filter(|_| !args.env.iter().any(|(n, _)| n == "TERM"));
        let command = match term {
            Some(term) => command.env("TERM", term),
            None => command,
        };
        on_terminal(command)
    } else {
        command.status().map_err(RunError::from)
    };
    let traced = tracer.map_or(Ok(()), |t| t.finish());
    // Whatever happens now is told on a terminal in its usual state.
    terminal::restore();
    if let Err(e) = traced {
        // stderr may be what could not be written; the command's exit code counts.
        let _ = writeln!(io::stderr(), "wasmlinux: {e}");
    }
    // The guest is not asked to shut down: its file system is memory, but for disks.
    if !args.disk.is_empty() {
        sync(&machine);
    }
    exit_code(result, &log)
}

/// What the guest has yet to write to its disks. Of a file system mounted `sync`
/// that is little: owners, modes and times.
fn sync(machine: &Machine) {
    match machine.command("sync").status() {
        Ok(status) if status.success() => {}
        Ok(status) => log::warn!("the guest cannot write everything to its disks: {status}"),
        // It has been powered off, which does this, or has no such command.
        Err(error) => log::info!("the guest's disks are left as they are: {error}"),
    }
}

/// Who writes the trace, if one is wanted.
fn tracer(args: &MachineArgs) -> Result<Option<Arc<Tracer>>, RunError> {
    let Some(path) = &args.trace else { return Ok(None) };
    let error = |e| RunError::Trace(path.clone(), e);
    let to: Box<dyn Write + Send> = match path.as_path() {
        p if p == Path::new("-") => Box::new(terminal::Stderr),
        p => Box::new(File::create(p).map_err(error)?),
    };
    let filter = args.trace_filter.clone().unwrap_or_default();
    Tracer::new(to, filter).map(|t| Some(Arc::new(t))).map_err(error)
}

fn on_terminal(command: Command) -> Result<ExitStatus, RunError> {
    let (rows, columns) = terminal::size();
    let _raw = terminal::Raw::enter().map_err(RunError::Terminal)?;
    let resized = Arc::new(OnceLock::new());
    watch_signals(resized.clone()).map_err(RunError::Terminal)?;
    let command = command.stdin(Stdio::inherit()).stdout(Stdio::inherit());
    let mut child = command.tty(Size { rows, columns }).spawn()?;
    if let Some(terminal) = &child.terminal {
        // Set once: here.
        let _ = resized.set(terminal.clone());
    }
    Ok(child.wait()?)
}

/// The exit code that tells what has become of the command.
fn exit_code(result: Result<ExitStatus, RunError>, log: &KernelLog) -> Result<i32, RunError> {
    match result {
        Ok(status) => Ok(status.shell_code()),
        Err(RunError::Machine(e @ Error::NotStarted { .. })) => {
            eprintln!("wasmlinux: {e}");
            let Error::NotStarted { cause, .. } = e else { return Ok(EXIT_CANNOT) };
            let found = cause.raw_os_error() != Some(libc::ENOENT);
            Ok(if found { EXIT_CANNOT } else { EXIT_NOT_FOUND })
        }
        Err(RunError::Machine(Error::Ended(outcome))) => ended(outcome, log),
        Err(e) => Err(e),
    }
}

/// The exit code that tells how the machine has ended.
pub fn ended(outcome: Outcome, log: &KernelLog) -> Result<i32, RunError> {
    match outcome {
        // `poweroff`, `reboot` and `halt` typed at a shell are a way out.
        Outcome::PowerOff | Outcome::Halt | Outcome::Restart => Ok(0),
        Outcome::Panic => {
            log.show_kept();
            Ok(EXIT_PANIC)
        }
        outcome => Err(Error::Ended(outcome).into()),
    }
}

/// Follows the terminal's size; gives the terminal back when we are ended.
fn watch_signals(terminal: Arc<OnceLock<Terminal>>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
    let mut signals = signal_hook::iterator::Signals::new([SIGWINCH, SIGTERM, SIGHUP, SIGINT])?;
    let body = move || {
        for signal in signals.forever() {
            if signal == SIGWINCH {
                let (rows, columns) = terminal::size();
                terminal.get().inspect(|t| t.resize(Size { rows, columns }));
            } else {
                terminal::restore();
                std::process::exit(128 + signal);
            }
        }
    };
    thread::Builder::new().name("wasmlinux-signals".into()).spawn(body).map(drop)
}
