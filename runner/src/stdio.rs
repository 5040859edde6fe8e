//! What a command's stdin, stdout and stderr are connected to.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::host::Host;
use crate::machine::Error;
use crate::pump;
use crate::stream::Stream;

/// What a command reads from or writes to, in the manner of
/// [`std::process::Stdio`].
#[derive(Debug)]
pub struct Stdio(Kind);

#[derive(Debug)]
enum Kind {
    Null,
    Piped,
    Inherit,
    Bytes(Vec<u8>),
    File(File),
}

impl Stdio {
    /// The guest's `/dev/null`.
    pub fn null() -> Stdio {
        Stdio(Kind::Null)
    }

    /// A pipe whose other end is in the [`Child`](crate::Child).
    pub fn piped() -> Stdio {
        Stdio(Kind::Piped)
    }

    /// This process's own. Its stdin is read only while the command asks for it.
    pub fn inherit() -> Stdio {
        Stdio(Kind::Inherit)
    }

    /// These bytes and then the end; for stdin.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Stdio {
        Stdio(Kind::Bytes(bytes.into()))
    }

    pub(crate) fn has_bytes(&self) -> bool {
        matches!(self.0, Kind::Bytes(_))
    }

    /// The stream of an input; `None` is /dev/null.
    pub(crate) fn input(self, host: &Arc<Host>) -> Result<Connected, Error> {
        let stream = match self.0 {
            Kind::Null => return Ok(Connected::default()),
            _ => host.open_stream(),
        };
        let mut piped = false;
        match self.0 {
            Kind::Null => {}
            Kind::Piped => piped = true,
            Kind::Bytes(bytes) => stream.preset_input(bytes),
            Kind::Inherit => pump::input(own(0)?, stream.clone()).map_err(Error::Stdio)?,
            Kind::File(file) => pump::input(file, stream.clone()).map_err(Error::Stdio)?,
        }
        Ok(Connected { stream: Some(stream), piped, pump: None })
    }

    /// The stream of output `fd`; `None` is /dev/null.
    pub(crate) fn output(self, host: &Arc<Host>, fd: i32) -> Result<Connected, Error> {
        let file = match self.0 {
            Kind::Null | Kind::Bytes(_) => return Ok(Connected::default()),
            Kind::Piped => {
                return Ok(Connected { stream: Some(host.open_stream()), piped: true, pump: None })
            }
            Kind::Inherit => own(fd)?,
            Kind::File(file) => file,
        };
        let stream = host.open_stream();
        let pump = pump::output(file, stream.clone()).map_err(Error::Stdio)?;
        Ok(Connected { stream: Some(stream), piped: false, pump: Some(pump) })
    }

    /// A terminal, whose two directions these are.
    pub(crate) fn terminal(
        input: Stdio,
        output: Stdio,
        host: &Arc<Host>,
    ) -> Result<Connected, Error> {
        let stream = host.open_stream();
        match input.0 {
            Kind::Null | Kind::Piped => {}
            Kind::Bytes(bytes) => {
                // Its end would hang the terminal up.
                stream.preset_terminal(bytes);
            }
            Kind::Inherit => pump::input(own(0)?, stream.clone()).map_err(Error::Stdio)?,
            Kind::File(file) => pump::input(file, stream.clone()).map_err(Error::Stdio)?,
        }
        let file = match output.0 {
            Kind::Inherit => Some(own(1)?),
            Kind::File(file) => Some(file),
            Kind::Null | Kind::Piped | Kind::Bytes(_) => None,
        };
        let pump = file.map(|f| pump::output(f, stream.clone())).transpose();
        let pump = pump.map_err(Error::Stdio)?;
        Ok(Connected { stream: Some(stream), piped: pump.is_none(), pump })
    }
}

impl From<File> for Stdio {
    /// A file of the host. A stdin is read only while the command asks for it.
    fn from(file: File) -> Stdio {
        Stdio(Kind::File(file))
    }
}

/// A stream and what is at its host's end.
#[derive(Default)]
pub(crate) struct Connected {
    pub stream: Option<Arc<Stream>>,
    pub piped: bool,
    pub pump: Option<JoinHandle<io::Result<()>>>,
}

impl Connected {
    /// What the kernel knows it by.
    pub fn id(&self) -> u32 {
        self.stream.as_ref().map_or(0, |s| s.id())
    }
}

/// Our own copy of a standard descriptor, without Rust's line buffer.
fn own(fd: i32) -> Result<File, Error> {
    // SAFETY: the standard descriptors stay open as long as the process; if one
    // was closed, duplicating it fails.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().map(File::from).map_err(Error::Stdio)
}
