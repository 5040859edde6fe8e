//! The verbs.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use wasmlinux::engine::{Boot, Outcome};
use wasmlinux::job::{Exit, JobSpec, Stdio};
use wasmlinux::machine::{Error, Job, Machine};
use wasmlinux::{guest, program, pump, terminal};

use crate::cli::{Cli, MachineArgs, Verb};

/// The machine could not be run.
pub const EXIT_HOST: i32 = 125;
/// The kernel panicked.
const EXIT_PANIC: i32 = 123;
/// Bytes of kernel log kept for a panic.
const LOG_KEPT: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Machine(#[from] Error),
    #[error(transparent)]
    Guest(#[from] guest::GuestError),
    #[error(transparent)]
    Program(#[from] program::ProgramError),
    #[error("cannot write the kernel log to {0}: {1}")]
    Log(String, #[source] io::Error),
    #[error(transparent)]
    Telnet(#[from] crate::telnet::TelnetError),
    #[error("cannot set the terminal up: {0}")]
    Terminal(#[source] io::Error),
    #[error("cannot write the command's output: {0}")]
    Output(#[source] io::Error),
    #[error("{0}")]
    Host(String),
}

pub fn main(cli: Cli) -> Result<i32, RunError> {
    guest::register();
    match cli.verb {
        Verb::Run { machine, command } => {
            let mut files = Vec::new();
            let argv = command_line(command, &mut files)?;
            session(&machine, argv, files)
        }
        Verb::Shell { machine } => {
            if !io::stdin().is_terminal() {
                let e = "stdin is not a terminal; use `wasmlinux run -- sh` instead".to_owned();
                return Err(RunError::Host(e));
            }
            session(&machine, vec![b"sh".to_vec(), b"-l".to_vec()], Vec::new())
        }
        Verb::Telnet { host, port } => Ok(crate::telnet::main(&host, port)?),
    }
}

/// The guest's command line; a program on the host is compiled and put into
/// `files`.
fn command_line(
    command: Vec<OsString>,
    files: &mut Vec<guest::File>,
) -> Result<Vec<Vec<u8>>, RunError> {
    let mut argv: Vec<Vec<u8>> = command.into_iter().map(OsString::into_vec).collect();
    if let Some(path) = program::host_path(&argv[0]) {
        let program = program::prepare(&path)?;
        argv[0] = program.guest_path.clone().into_bytes();
        files.push(guest::File { path: program.guest_path, bytes: program.module });
    }
    Ok(argv)
}

/// Boots, runs one command on the caller's terminal or streams, and ends.
fn session(
    args: &MachineArgs,
    argv: Vec<Vec<u8>>,
    files: Vec<guest::File>,
) -> Result<i32, RunError> {
    let log = Log::open(args.kernel_log.as_deref())?;
    let initrd = guest::initrd(args.rootfs.as_deref(), &files)?;
    let command_line = guest::command_line(&args.append);
    let machine =
        Machine::boot(Boot { memory: args.memory, command_line, initrd }, Box::new(log.clone()))?;
    let spec = JobSpec {
        argv,
        env: environment(args),
        cwd: args.cwd.clone().into_bytes(),
        uid: 0,
        gid: 0,
    };
    let result = if terminal::is_interactive() {
        on_terminal(&machine, &spec)
    } else {
        on_streams(&machine, &spec)
    };
    // Whatever happens now is told on a terminal in its usual state.
    terminal::restore();
    let code = result?;
    if code == EXIT_PANIC {
        log.show_kept();
    }
    // The guest is not asked to shut down: its file system is memory.
    io::stdout().flush().map_err(RunError::Output)?;
    Ok(code)
}

fn environment(args: &MachineArgs) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut env: Vec<(String, String)> = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into()),
        ("HOME".into(), "/root".into()),
        ("USER".into(), "root".into()),
        ("LOGNAME".into(), "root".into()),
        ("SHELL".into(), "/bin/sh".into()),
    ];
    if let (true, Ok(term)) = (terminal::is_interactive(), std::env::var("TERM")) {
        env.push(("TERM".into(), term));
    }
    for (name, value) in &args.env {
        env.retain(|(n, _)| n != name);
        env.push((name.clone(), value.clone()));
    }
    env.into_iter().map(|(n, v)| (n.into_bytes(), v.into_bytes())).collect()
}

fn on_terminal(machine: &Machine, spec: &JobSpec) -> Result<i32, RunError> {
    let stream = machine.stream();
    let (rows, columns) = terminal::size();
    stream.resize(rows, columns);
    let _raw = terminal::Raw::enter().map_err(RunError::Terminal)?;
    watch_signals(stream.clone()).map_err(RunError::Terminal)?;
    pump::input(io::stdin(), stream.clone()).map_err(RunError::Terminal)?;
    let output = pump::output(io::stdout(), stream.clone()).map_err(RunError::Terminal)?;
    let stdio = Stdio::Terminal { stream: stream.clone(), rows, columns };
    let job = machine.spawn(spec, &stdio)?;
    let code = exit_code(&job, spec)?;
    stream.finish_output();
    // A terminal that went away has nothing to show.
    let _ = output.join();
    Ok(code)
}

fn on_streams(machine: &Machine, spec: &JobSpec) -> Result<i32, RunError> {
    let [stdin, stdout, stderr] = [machine.stream(), machine.stream(), machine.stream()];
    let host = |e: io::Error| RunError::Host(format!("cannot start a thread: {e}"));
    pump::input(io::stdin(), stdin.clone()).map_err(host)?;
    let out = pump::output(descriptor(1)?, stdout.clone()).map_err(host)?;
    let err = pump::output(descriptor(2)?, stderr.clone()).map_err(host)?;
    let stdio = Stdio::Streams { stdin, stdout: stdout.clone(), stderr: stderr.clone() };
    let job = machine.spawn(spec, &stdio)?;
    let code = exit_code(&job, spec)?;
    stdout.finish_output();
    stderr.finish_output();
    for pump in [out, err] {
        match pump.join() {
            // Whoever closed the pipe knows: the guest got its SIGPIPE.
            Ok(Err(e)) if e.kind() != io::ErrorKind::BrokenPipe => {
                return Err(RunError::Output(e));
            }
            _ => {}
        }
    }
    Ok(code)
}

/// Our own copy of a standard descriptor, without Rust's line buffer.
fn descriptor(fd: i32) -> Result<File, RunError> {
    use std::os::fd::BorrowedFd;
    // SAFETY: the standard descriptors stay open as long as the process.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().map(File::from).map_err(RunError::Output)
}

fn exit_code(job: &Job, spec: &JobSpec) -> Result<i32, RunError> {
    match job.wait() {
        Ok(exit @ Exit::NotStarted(errno)) => {
            terminal::restore();
            let why = io::Error::from_raw_os_error(errno);
            let command = String::from_utf8_lossy(&spec.argv[0]).into_owned();
            eprintln!("wasmlinux: the guest cannot start {command}: {why}");
            Ok(i32::from(exit.code()))
        }
        Ok(exit) => Ok(i32::from(exit.code())),
        // `poweroff`, `reboot` and `halt` typed at a shell are a way out.
        Err(Error::Ended(Outcome::PowerOff | Outcome::Halt | Outcome::Restart)) => Ok(0),
        Err(Error::Ended(Outcome::Panic)) => Ok(EXIT_PANIC),
        Err(Error::Ended(Outcome::Host(why))) => Err(RunError::Host(why)),
        Err(e) => Err(e.into()),
    }
}

/// Follows the terminal's size; gives the terminal back when we are ended.
fn watch_signals(stream: Arc<wasmlinux::stream::Stream>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
    let mut signals = signal_hook::iterator::Signals::new([SIGWINCH, SIGTERM, SIGHUP, SIGINT])?;
    thread::Builder::new().name("wasmlinux-signals".into()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGWINCH {
                let (rows, columns) = terminal::size();
                stream.resize(rows, columns);
            } else {
                terminal::restore();
                std::process::exit(128 + signal);
            }
        }
    })?;
    Ok(())
}

/// The kernel log: written where it was asked for, and the last of it kept.
#[derive(Clone)]
struct Log(Arc<Mutex<LogState>>);

struct LogState {
    to: Option<Box<dyn Write + Send>>,
    shown: bool,
    kept: Vec<u8>,
}

impl Log {
    fn open(path: Option<&Path>) -> Result<Log, RunError> {
        let to: Option<Box<dyn Write + Send>> = match path {
            None => None,
            Some(p) if p == Path::new("-") => Some(Box::new(io::stderr())),
            Some(p) => {
                let file =
                    File::create(p).map_err(|e| RunError::Log(p.display().to_string(), e))?;
                Some(Box::new(file))
            }
        };
        let shown = path == Some(Path::new("-"));
        Ok(Log(Arc::new(Mutex::new(LogState { to, shown, kept: Vec::new() }))))
    }

    /// After a panic: the log on stderr, unless it went there anyway.
    fn show_kept(&self) {
        let state = self.0.lock();
        if !state.shown {
            // stderr is the last place to complain to.
            let _ = io::stderr().write_all(&state.kept);
        }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let shown = state.shown;
        state.kept.extend(bytes);
        if state.kept.len() > 2 * LOG_KEPT {
            let cut = state.kept.len() - LOG_KEPT;
            state.kept.drain(..cut);
        }
        match &mut state.to {
            // On a raw terminal a line feed alone does not return the carriage.
            Some(to) if shown && terminal::is_raw() => {
                let text: Vec<u8> = bytes
                    .iter()
                    .flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] })
                    .collect();
                to.write_all(&text)?;
            }
            Some(to) => to.write_all(bytes)?,
            None => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
