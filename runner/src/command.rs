//! Commands, in the manner of [`std::process::Command`].

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use crate::child::{Child, Ends, Output};
use crate::host::{set, Host, Parts};
use crate::job::{JobSpec, JobStdio, Limits, SpecError};
use crate::machine::Error;
use crate::status::ExitStatus;
use crate::stdio::{Connected, Stdio};
use crate::stream::Budget;
use crate::trace::Tracer;

/// Rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub rows: u16,
    pub columns: u16,
}

impl Default for Size {
    fn default() -> Size {
        Size { rows: 24, columns: 80 }
    }
}

/// A command to be run in a machine: see
/// [`Machine::command`](crate::Machine::command).
///
/// ```
/// use wasmlinux::{Machine, Stdio};
///
/// let machine = Machine::builder().boot()?;
/// let output = machine.command("tr").args(["a-z", "A-Z"]).stdin(Stdio::bytes("hi")).output()?;
/// assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"HI"[..], Some(0)));
///
/// let status = machine.command("sh").args(["-c", "exit 7"]).status()?;
/// assert_eq!(status.code(), Some(7));
///
/// let error = machine.command("no-such-program").status().unwrap_err();
/// assert!(matches!(error, wasmlinux::Error::NotStarted { .. }));
/// # Ok::<(), wasmlinux::Error>(())
/// ```
///
/// A command that nobody trusts; it runs as [`NOBODY`](crate::NOBODY):
///
/// ```
/// use std::time::Duration;
/// use wasmlinux::{Limit, Limits, Machine};
///
/// let machine = Machine::builder().boot()?;
/// let limits = Limits {
///     cpu_time: Some(Duration::from_millis(200)),
///     memory: Some(8 << 20),
///     processes: Some(10),
///     output: Some(1 << 20),
///     ..Limits::default()
/// };
/// let output = machine
///     .command("sh")
///     .args(["-c", "while :; do :; done"])
///     .limits(limits)
///     .output()?;
/// assert_eq!(output.status.limit(), Some(Limit::Time));
/// # Ok::<(), wasmlinux::Error>(())
/// ```
#[must_use = "a command runs when it is spawned"]
pub struct Command {
    host: Arc<Host>,
    spec: JobSpec,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    tty: Option<Size>,
}

impl Command {
    pub(crate) fn new(machine: &Parts, program: &OsStr) -> Command {
        let spec = machine.spec(vec![program.as_bytes().to_vec()]);
        let host = machine.host.clone();
        Command { host, spec, stdin: None, stdout: None, stderr: None, tty: None }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Command {
        self.spec.argv.push(arg.as_ref().as_bytes().to_vec());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        self.spec.argv.extend(args.into_iter().map(|a| a.as_ref().as_bytes().to_vec()));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        let (name, value) = (name.as_ref().as_bytes(), value.as_ref().as_bytes());
        set(&mut self.spec.env, name.to_vec(), value.to_vec());
        self
    }

    /// Takes an environment variable away.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Command {
        self.spec.env.retain(|(n, _)| n != name.as_ref().as_bytes());
        self
    }

    /// Takes all environment variables away; without PATH the program needs a
    /// slash in its name.
    pub fn env_clear(mut self) -> Command {
        self.spec.env.clear();
        self
    }

    /// The working directory in the guest; `/` by default.
    pub fn current_dir(mut self, dir: impl AsRef<OsStr>) -> Command {
        self.spec.cwd = dir.as_ref().as_bytes().to_vec();
        self
    }

    /// The user it runs as. By default root, or [`NOBODY`](crate::NOBODY) when it
    /// has limits.
    pub fn uid(mut self, uid: u32) -> Command {
        self.spec.uid = Some(uid);
        self
    }

    /// The group it runs as: the same default.
    pub fn gid(mut self, gid: u32) -> Command {
        self.spec.gid = Some(gid);
        self
    }

    /// Inherited by default, as with `std`; nothing ([`Stdio::null`]) for
    /// [`output`](Command::output).
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Command {
        self.stdin = Some(stdin.into());
        self
    }

    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Command {
        self.stdout = Some(stdout.into());
        self
    }

    /// Not used with a [terminal](Command::tty), which is stdout and stderr.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Command {
        self.stderr = Some(stderr.into());
        self
    }

    /// stdin, stdout and stderr are one terminal of this size, and it is the
    /// command's controlling terminal.
    pub fn tty(mut self, size: Size) -> Command {
        self.tty = Some(size);
        self
    }

    /// What it may use, instead of the machine's default limits. See [`Limits`]
    /// for who it runs as then.
    pub fn limits(mut self, limits: Limits) -> Command {
        self.spec.limits = limits;
        self
    }

    /// Kills the processes that it leaves behind, so long after its own end;
    /// [`Child::wait`] waits for that. A command with limits leaves nothing
    /// behind anyway.
    pub fn contain(mut self, grace: Duration) -> Command {
        self.spec.contain = Some(grace);
        self
    }

    /// Tells `tracer` of every system call of it and its children. A machine has
    /// one tracer: the first that one of its commands is given.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use wasmlinux::{trace::Tracer, Machine};
    ///
    /// let file = tempfile::NamedTempFile::new()?;
    /// let tracer = Arc::new(Tracer::new(Box::new(file.reopen()?), "openat".parse()?)?);
    /// let machine = Machine::builder().boot()?;
    /// machine.command("cat").arg("/etc/hostname").trace(&tracer).output()?;
    /// tracer.finish()?;
    /// assert!(std::fs::read_to_string(&file)?.contains("openat(AT_FDCWD, \"/etc/hostname\", "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trace(mut self, tracer: &Arc<Tracer>) -> Command {
        self.host.trace_to(tracer);
        self.spec.trace = true;
        self
    }

    /// Starts it; returns when its program runs.
    pub fn spawn(self) -> Result<Child, Error> {
        self.start(Stdio::inherit, Stdio::inherit)
    }

    /// Runs it to its end.
    pub fn status(self) -> Result<ExitStatus, Error> {
        self.spawn()?.wait()
    }

    /// Runs it to its end and collects what it writes.
    pub fn output(self) -> Result<Output, Error> {
        self.start(Stdio::null, Stdio::piped)?.wait_with_output()
    }

    fn start(
        mut self,
        stdin: impl FnOnce() -> Stdio,
        output: impl Fn() -> Stdio,
    ) -> Result<Child, Error> {
        let id = self.host.new_job_id();
        let stdin = self.stdin.take().unwrap_or_else(stdin);
        let outputs = [self.stdout.take(), self.stderr.take()];
        let [stdout, stderr] = outputs.map(|o| o.unwrap_or_else(&output));
        if stdout.has_bytes() || stderr.has_bytes() {
            return Err(SpecError::BytesForOutput.into());
        }
        if let Some(size) = self.tty {
            let terminal = Stdio::terminal(stdin, stdout, &self.host)?;
            let stream = terminal.stream.as_ref().expect("a terminal has a stream");
            stream.resize(size.rows, size.columns);
            let Size { rows, columns } = size;
            let stdio = JobStdio::Terminal { stream: terminal.id(), rows, columns };
            return self.launch(id, stdio, Ends { terminal: Some(terminal), ..Ends::default() });
        }
        let stdin = stdin.input(&self.host)?;
        let stdout = stdout.output(&self.host, 1)?;
        let stderr = stderr.output(&self.host, 2)?;
        let stdio = JobStdio::Streams([stdin.id(), stdout.id(), stderr.id()]);
        self.launch(id, stdio, Ends { stdin, stdout, stderr, terminal: None })
    }

    fn launch(self, id: u32, stdio: JobStdio, ends: Ends) -> Result<Child, Error> {
        let streams: Vec<_> = ends.all().filter_map(|c| c.stream.clone()).collect();
        let budget = self.budget(id);
        if let Some(budget) = &budget {
            let outputs = [&ends.stdout, &ends.stderr].into_iter().chain(&ends.terminal);
            for Connected { stream, .. } in outputs {
                stream.iter().for_each(|s| s.limit(budget.clone()));
            }
        }
        let job = self.host.run(id, &self.spec, stdio, streams)?;
        let pid = job.started(&self.spec.argv[0])?;
        Ok(Child::new(job, pid, ends, budget))
    }

    /// Writing more than it may kills the job.
    fn budget(&self, id: u32) -> Option<Arc<Budget>> {
        let bytes = self.spec.limits.output?;
        let host = Arc::downgrade(&self.host);
        Some(Budget::new(bytes, move || {
            if let Some(host) = host.upgrade() {
                host.kill(id);
            }
        }))
    }
}
