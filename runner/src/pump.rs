//! Moves bytes between host file descriptors and streams: a thread for each
//! direction of each descriptor, so that one that blocks holds up nobody else.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::stream::Stream;

const CHUNK: usize = 128 << 10;

/// Feeds `from` to the guest until it ends or the guest has closed the stream; an
/// error counts as the end. Nothing is taken that the guest did not ask for.
pub fn input(mut from: File, stream: Arc<Stream>) -> io::Result<()> {
    let closed = Arc::new(event()?);
    let tell = closed.clone();
    stream.on_close(move || {
        // The counter cannot overflow: it is written once.
        let _ = (&*tell).write(&1u64.to_ne_bytes());
    });
    let body = move || {
        let mut buf = vec![0; CHUNK];
        while let Some(room) = stream.wait_wanted() {
            if !readable(&from, &closed) {
                break;
            }
            match from.read(&mut buf[..room.min(CHUNK)]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
                Ok(n) => {
                    // Only this thread feeds the stream: the room is still there.
                    stream.feed(&buf[..n]);
                }
            }
        }
        stream.end_input();
    };
    thread::Builder::new().name("wasmlinux-in".into()).spawn(body)?;
    Ok(())
}

fn event() -> io::Result<File> {
    // SAFETY: no pointers; the result is checked.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}

/// Waits until `from` has something to read, its end included; false when
/// `closed` came first.
fn readable(from: &File, closed: &File) -> bool {
    let wait =
        |file: &File| libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut fds = [wait(closed), wait(from)];
    loop {
        // SAFETY: an array of two, both open as long as the files are.
        let n = unsafe { libc::poll(fds.as_mut_ptr(), 2, -1) };
        if n >= 0 {
            return fds[0].revents == 0;
        }
        if io::Error::last_os_error().kind() != ErrorKind::Interrupted {
            // Not a file that can be waited for: a read will say why.
            return true;
        }
    }
}

/// Takes output until the guest has closed the stream. The result is the error
/// that ended it early; the guest's writes then fail with EPIPE.
pub fn output(
    mut to: impl Write + Send + 'static,
    stream: Arc<Stream>,
) -> io::Result<JoinHandle<io::Result<()>>> {
    let body = move || {
        let mut buf = vec![0; CHUNK];
        loop {
            let n = stream.wait_output(&mut buf);
            if n == 0 {
                return Ok(());
            }
            if let Err(e) = to.write_all(&buf[..n]).and_then(|()| to.flush()) {
                stream.break_output();
                return Err(e);
            }
        }
    };
    thread::Builder::new().name("wasmlinux-out".into()).spawn(body)
}
