//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wasmlinux::trace::filter::Filter;
use wasmlinux::{Addition, Address, Service};

/// Runs a real Linux kernel and its programs in this process.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: the command's own (128+n for signal n); 2 wrong usage; \
    125 the machine could not be run; 123 the kernel panicked; 126 and 127 the command could not \
    be started or was not found.")]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    /// What to say on stderr of what goes on: off, error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "warn", global = true, value_parser = level)]
    pub log: log::LevelFilter,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Boot, run one command, and exit with its exit code
    ///
    /// stdin, stdout and stderr are the caller's: a terminal if all three are,
    /// else separate byte streams. A command that names a WebAssembly file on the
    /// host (with a slash: ./hello) is compiled, put into the guest and run.
    Run {
        #[command(flatten)]
        machine: MachineArgs,
        /// Command and arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Boot and open a shell on this terminal
    Shell {
        #[command(flatten)]
        machine: MachineArgs,
    },
    /// Boot and serve telnet consoles and other services until SIGINT or SIGTERM
    ///
    /// Each connection to a service gets a process of its own in the guest, as
    /// from inetd. What is sent is not encrypted: only this machine can connect,
    /// unless an address says otherwise.
    Serve {
        #[command(flatten)]
        machine: MachineArgs,
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// Connect this terminal to a console, or to any telnet server
    ///
    /// Ctrl-] leads to a prompt: close, status, help, z to stop the client.
    Telnet {
        /// Name or address
        #[arg(default_value = "127.0.0.1")]
        host: String,
        #[arg(default_value_t = 5666)]
        port: u16,
    },
}

#[derive(Args)]
pub struct ServeArgs {
    /// Where the telnet console listens; port 0 takes one that is free
    #[arg(long, value_name = "[ADDRESS:]PORT", default_value = "127.0.0.1:5666", value_parser = address)]
    pub listen: Address,
    /// A command for each connection to a port, such as 7=cat
    #[arg(long = "service", value_name = "[ADDRESS:]PORT=COMMAND", value_parser = Service::parse)]
    pub services: Vec<Service>,
    /// A file of services in the manner of inetd.conf
    #[arg(long = "services", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Open a console on this terminal, too; the machine ends with it
    #[arg(long)]
    pub console: bool,
    /// Ask for a user and a password (root has none unless one is given)
    #[arg(long)]
    pub login: bool,
    /// A file whose first line is root's password; implies --login
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

fn level(text: &str) -> Result<log::LevelFilter, String> {
    text.parse().map_err(|_| "give off, error, warn, info or debug".to_owned())
}

fn address(text: &str) -> Result<Address, String> {
    wasmlinux::socket_address(text).map_err(|e| e.to_string())
}

#[derive(Args)]
pub struct MachineArgs {
    /// Memory of the guest kernel: a number with M or G, 16M to 3G
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = memory)]
    pub memory: u32,
    /// Memory of all processes together: a number with M or G, 16M to 128G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = user_memory)]
    pub user_memory: u64,
    /// Environment variable for the command: NAME=VALUE, or NAME to pass the host's
    #[arg(long = "env", short = 'e', value_name = "NAME[=VALUE]", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// Root file system instead of the built-in one: a cpio archive (newc)
    #[arg(long, value_name = "FILE")]
    pub rootfs: Option<PathBuf>,
    /// Put a file or folder of the host into the guest, programs compiled
    ///
    /// Executable WebAssembly files become programs of the guest. Without GUEST a
    /// program goes to /usr/local/bin, anything else to the root. May be repeated.
    #[arg(long, value_name = "HOST[=GUEST]", value_parser = addition)]
    pub add: Vec<Addition>,
    /// A disk in FILE, on /persist in the guest: what is written there is kept
    ///
    /// Made when it does not exist. Further ones are /dev/disk1 and on.
    #[arg(long, value_name = "FILE")]
    pub disk: Vec<PathBuf>,
    /// Write the kernel log to stderr, or to FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub kernel_log: Option<PathBuf>,
    /// Write every system call of the command and its children to stderr, or to FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub trace: Option<PathBuf>,
    /// Only these system calls: names and groups (%file, %desc, %process, %signal,
    /// %memory, %network), with commas between; with ! in front, all others
    #[arg(long, value_name = "CALLS", requires = "trace")]
    pub trace_filter: Option<Filter>,
    /// Working directory of the command in the guest [default: /, a shell's is its home]
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// Further kernel parameters
    #[arg(long, value_name = "PARAMETERS", default_value = "")]
    pub append: String,
}

fn memory(text: &str) -> Result<u32, String> {
    let range = wasmlinux::MEMORY_RANGE;
    size(text, u64::from(*range.start())..=u64::from(*range.end())).map(|bytes| bytes as u32)
}

fn user_memory(text: &str) -> Result<u64, String> {
    size(text, wasmlinux::USER_MEMORY_RANGE)
}

/// A number of bytes, given with a unit.
fn size(text: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix(['M', 'm']) {
        Some(number) => (number, 20),
        None => {
            (text.strip_suffix(['G', 'g']).ok_or("give a number with M or G, such as 64M")?, 30)
        }
    };
    let number: u64 = number.parse().map_err(|_| "give a number with M or G, such as 64M")?;
    number.checked_mul(1 << unit).filter(|bytes| range.contains(bytes)).ok_or_else(|| {
        format!("out of range: give {}M to {}M", range.start() >> 20, range.end() >> 20)
    })
}

fn addition(text: &str) -> Result<Addition, &'static str> {
    text.parse()
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => (text, std::env::var(text).map_err(|_| format!("`{text}` is not set here"))?),
    };
    if name.is_empty() {
        return Err("the name is missing".into());
    }
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sizes() {
        assert_eq!(memory("64M"), Ok(64 << 20));
        assert_eq!(memory("1G"), Ok(1 << 30));
        for bad in ["1M", "4G", "64", "M", "-5M", "99999999999999999999G", "1.5G"] {
            assert!(memory(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_is_what_it_says() {
        assert_eq!(user_memory("1G"), Ok(wasmlinux::DEFAULT_USER_MEMORY));
        assert_eq!(user_memory("128G"), Ok(128 << 30));
        assert!(user_memory("1M").is_err());
    }

    #[test]
    fn variables() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(variable("A="), Ok(("A".into(), String::new())));
        assert!(variable("=x").is_err());
        assert!(variable("SURELY_NOT_SET_ANYWHERE").is_err());
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
