//! Bytes through a command, from a pipe to a pipe.

use crate::boot::nanoseconds;
use anyhow::{bail, Result};
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

pub const BYTES: u64 = 256 << 20;
const CHUNK: usize = 128 << 10;

/// Nanoseconds for [`BYTES`], the command's start included.
pub fn through(command: &mut Command) -> Result<f64> {
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().expect("piped");
    let feeder = std::thread::spawn(move || {
        let chunk = vec![b'x'; CHUNK];
        (0..BYTES / CHUNK as u64).try_for_each(|_| input.write_all(&chunk))
    });
    let mut output = child.stdout.take().expect("piped");
    let mut buf = vec![0; CHUNK];
    let mut arrived = 0;
    loop {
        match output.read(&mut buf) {
            Ok(0) => break,
            Ok(n) => arrived += n as u64,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    let took = begin.elapsed();
    feeder.join().expect("the feeder does not panic")?;
    let status = child.wait()?;
    if !status.success() || arrived != BYTES {
        bail!("{command:?} passed {arrived} of {BYTES} bytes on: {status}");
    }
    Ok(nanoseconds(took))
}
