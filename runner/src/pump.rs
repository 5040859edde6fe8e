//! Moves bytes between host file descriptors and streams: a thread for each
//! direction of each descriptor, so that one that blocks holds up nobody else.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::stream::Stream;

const CHUNK: usize = 128 << 10;

/// Feeds `from` to the guest until it ends; an error counts as the end. The
/// thread lives as long as a read blocks, which may be until the process ends.
pub fn input(mut from: impl Read + Send + 'static, stream: Arc<Stream>) -> std::io::Result<()> {
    let body = move || {
        let mut buf = vec![0; CHUNK];
        while let Some(room) = stream.wait_wanted() {
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

/// Takes output until the guest has closed the stream. The result is the error
/// that ended it early; the guest's writes then fail with EPIPE.
pub fn output(
    mut to: impl Write + Send + 'static,
    stream: Arc<Stream>,
) -> std::io::Result<JoinHandle<std::io::Result<()>>> {
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
