//! What a machine is made of.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::add::{AddError, Addition};
use crate::builtin;
use crate::disk::Disk;
use crate::engine::Boot;
use crate::guest::{self, File, Node};
use crate::host::{set, Defaults, LogSink};
use crate::inetd::Service;
use crate::job::Limits;
use crate::machine::{Error, Machine};
use crate::program;

/// The kernel's memory when none was asked for, bytes.
pub const DEFAULT_MEMORY: u32 = 64 << 20;

/// Memory of the guest's processes when none was asked for, bytes.
pub const DEFAULT_USER_MEMORY: u64 = 1 << 30;

/// Describes a [`Machine`].
///
/// ```
/// use wasmlinux::Machine;
///
/// let machine = Machine::builder()
///     .memory(96 << 20)
///     .env("GREETING", "hello")
///     .file("/etc/greet", 0o755, "#!/bin/sh\necho $GREETING $1\n")
///     .boot()?;
/// let output = machine.command("/etc/greet").arg("world").output()?;
/// assert_eq!(output.stdout, b"hello world\n");
/// # Ok::<(), wasmlinux::Error>(())
/// ```
#[must_use = "a machine runs once it is booted"]
pub struct Builder {
    memory: u32,
    user_memory: u64,
    rootfs: Option<PathBuf>,
    sources: Vec<Source>,
    parameters: String,
    log: LogSink,
    defaults: Defaults,
    services: Vec<Service>,
    disks: Vec<PathBuf>,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder {
            memory: DEFAULT_MEMORY,
            user_memory: DEFAULT_USER_MEMORY,
            rootfs: None,
            sources: Vec::new(),
            parameters: String::new(),
            log: Box::new(io::sink()),
            defaults: Defaults::default(),
            services: Vec::new(),
            disks: Vec::new(),
        }
    }

    /// Memory of the guest's kernel, bytes; processes have their own. The range
    /// is [`MEMORY_RANGE`](crate::MEMORY_RANGE), the default 64 MiB. Files live in
    /// it, too.
    pub fn memory(mut self, bytes: u32) -> Builder {
        self.memory = bytes;
        self
    }

    /// Memory of all the guest's processes together, bytes: who touches more is
    /// killed, as on a machine that is full. The range is
    /// [`USER_MEMORY_RANGE`](crate::USER_MEMORY_RANGE), the default 1 GiB.
    pub fn user_memory(mut self, bytes: u64) -> Builder {
        self.user_memory = bytes;
        self
    }

    /// Another root file system than the built-in one: a cpio archive (newc).
    pub fn rootfs(mut self, archive: impl AsRef<Path>) -> Builder {
        self.rootfs = Some(archive.as_ref().to_owned());
        self
    }

    /// An environment variable of every command.
    pub fn env(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Builder {
        set(&mut self.defaults.env, name.into(), value.into());
        self
    }

    /// A file in the guest, owned by root; folders that are missing are made.
    /// Where the boot mounts a file system (`/tmp` and `/run`, for example) it
    /// would not be seen: that is an error.
    pub fn file(
        mut self,
        path: impl Into<String>,
        mode: u32,
        bytes: impl Into<Vec<u8>>,
    ) -> Builder {
        let node = Node::File { mode, bytes: bytes.into() };
        self.sources.push(Source::File(File { path: path.into(), node }));
        self
    }

    /// The same with the content of a file of the host.
    pub fn host_file(
        mut self,
        path: impl Into<String>,
        mode: u32,
        from: impl AsRef<Path>,
    ) -> Builder {
        let from = from.as_ref().to_owned();
        self.sources.push(Source::HostFile { path: path.into(), mode, from });
        self
    }

    /// A folder of the host with all that is in it, as copies that nobody but the
    /// guest's root may write. The host's files are never written.
    pub fn folder(self, path: impl Into<String>, from: impl AsRef<Path>) -> Builder {
        let host = from.as_ref().to_owned();
        self.addition(Addition { host, guest: Some(path.into()), read_only: true })
    }

    /// A file or folder of the host. Programs in it that `wasmlinux-cc` has built
    /// and that may be executed are compiled, or taken from the cache.
    pub fn addition(mut self, addition: Addition) -> Builder {
        self.sources.push(Source::Host(addition));
        self
    }

    /// A program on the host that `wasmlinux-cc` has built: it is compiled, or
    /// taken from the cache, and put into the guest's `/usr/local/bin`.
    pub fn program(mut self, path: impl AsRef<Path>) -> Builder {
        self.sources.push(Source::Program(path.as_ref().to_owned()));
        self
    }

    /// A disk of the machine, kept in a file of the host: `/dev/disk0` for the
    /// first, and on. The first is mounted on `/persist` when it has a file system
    /// (ext4); what a command has written there is in the file when its write has
    /// returned, and survives the end of the runner, however it ends. Changes of
    /// owners, modes and times follow within a second, or with `sync`.
    ///
    /// A file that does not exist is made: sparse, [`DISK_SIZE`](crate::DISK_SIZE)
    /// bytes, with an empty file system. One that cannot be written is a read-only
    /// disk. A file serves one machine at a time.
    pub fn disk(mut self, file: impl AsRef<Path>) -> Builder {
        self.disks.push(file.as_ref().to_owned());
        self
    }

    /// Limits of every command that does not set its own; services are commands,
    /// too.
    pub fn limits(mut self, limits: Limits) -> Builder {
        self.defaults.limits = limits;
        self
    }

    /// Further parameters for the kernel, separated by spaces.
    pub fn kernel_parameters(mut self, parameters: impl Into<String>) -> Builder {
        self.parameters = parameters.into();
        self
    }

    /// Where the kernel log goes; nowhere by default. It is written to on the
    /// machine's own thread, which waits meanwhile.
    pub fn kernel_log(mut self, log: impl Write + Send + 'static) -> Builder {
        self.log = Box::new(log);
        self
    }

    /// A command in the guest for each connection to an address, for as long as
    /// the machine lives; see [`Server`](crate::Server).
    ///
    /// ```no_run
    /// use wasmlinux::{socket_address, Machine, Service};
    ///
    /// let console = Service::telnet(socket_address("127.0.0.1:5666").unwrap(), false);
    /// let machine = Machine::builder().service(console).boot()?;
    /// println!("telnet to {}", machine.addresses()[0]);
    /// machine.wait();
    /// # Ok::<(), wasmlinux::Error>(())
    /// ```
    pub fn service(mut self, service: Service) -> Builder {
        self.services.push(service);
        self
    }

    /// Boots the machine. The guest is still coming up when this returns; the
    /// first command waits for it.
    pub fn boot(self) -> Result<Machine, Error> {
        builtin::register();
        let mut files = Vec::new();
        for source in self.sources {
            source.collect(&mut files)?;
        }
        let initrd = builtin::initrd(self.rootfs.as_deref(), &files)?;
        let command_line = guest::command_line(self.user_memory, &self.parameters);
        let disks = Disk::open_all(&self.disks)?;
        let boot = Boot { memory: self.memory, command_line, initrd, disks };
        Machine::boot(boot, self.log, self.defaults)?.serve(self.services)
    }
}

/// Where a file in the guest comes from.
enum Source {
    File(File),
    HostFile { path: String, mode: u32, from: PathBuf },
    Host(Addition),
    Program(PathBuf),
}

impl Source {
    fn collect(self, files: &mut Vec<File>) -> Result<(), Error> {
        match self {
            Source::File(file) => files.push(file),
            Source::HostFile { path, mode, from } => {
                let bytes = fs::read(&from).map_err(|e| AddError::Read(from, e))?;
                files.push(File { path, node: Node::File { mode, bytes } });
            }
            Source::Host(addition) => addition.collect(files)?,
            Source::Program(path) => {
                let program = program::prepare(&path)?;
                let node = Node::File { mode: 0o755, bytes: program.module };
                files.push(File { path: program.guest_path, node });
            }
        }
        Ok(())
    }
}
