//! Runs other programs: output to a log, each line shown to a watcher, and on
//! failure the end of the log and its path.

use anyhow::{bail, Context, Error, Result};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const TAIL: usize = 30;

/// Runs `command` to its end. Its stdout and stderr go to `log`, line by line
/// also to `watch`.
pub fn logged(command: &mut Command, log: &Path, mut watch: impl FnMut(&str)) -> Result<()> {
    if let Some(dir) = log.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = File::options().create(true).append(true).open(log)?;
    writeln!(file, "# {}", describe(command))?;
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| cannot_run(command))?;
    // The command keeps its copies of the writing end: without this the
    // reader would never see the end.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let mut tail = VecDeque::with_capacity(TAIL);
    let mut reader = BufReader::new(File::from(reader));
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        file.write_all(&bytes)?;
        let line = String::from_utf8_lossy(&bytes).trim_end().to_string();
        bytes.clear();
        watch(&line);
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    let tail: Vec<_> = tail.into_iter().collect();
    if tail.iter().any(|l| l.contains("No space left on device")) {
        return Err(io::Error::from(io::ErrorKind::StorageFull).into());
    }
    bail!(
        "{}\n\n{} failed ({status}); the whole log is {}",
        tail.join("\n"),
        name(command),
        log.display()
    )
}

/// The standard output of a short command.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command.stdin(Stdio::null()).output().with_context(|| cannot_run(command))?;
    if !out.status.success() {
        let err = String::from_utf8_lossy(&out.stderr);
        bail!("{} failed ({}): {}", describe(command), out.status, err.trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// `error`, or what is behind it when the file system of `path` has no room.
pub fn maybe_full(path: &Path, error: Error) -> Error {
    let near = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    match free_bytes(near) {
        Ok(free) if free < 1 << 20 => io::Error::from(io::ErrorKind::StorageFull).into(),
        _ => error,
    }
}

/// Room on the file system of `path`.
pub fn free_bytes(path: &Path) -> Result<u64> {
    let fs = rustix::fs::statvfs(path)?;
    Ok(fs.f_bavail * fs.f_frsize)
}

/// Whether a full disk, a quota or a limit on file sizes is behind `error`.
pub fn is_full(error: &Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| {
        use io::ErrorKind::*;
        matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge)
    })
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn describe(command: &Command) -> String {
    let args = command.get_args().map(|a| a.to_string_lossy());
    std::iter::once(command.get_program().to_string_lossy())
        .chain(args)
        .collect::<Vec<_>>()
        .join(" ")
}

fn cannot_run(command: &Command) -> String {
    format!("cannot run {}: is it installed? scripts/setup says what is missing", name(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_are_watched_and_logged() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("sub/log");
        let mut seen: Vec<String> = Vec::new();
        logged(&mut sh("echo a; echo b >&2; printf c"), &log, |l| seen.push(l.into())).unwrap();
        assert_eq!(seen, ["a", "b", "c"]);
        assert!(fs::read_to_string(&log).unwrap().ends_with("a\nb\nc"));
    }

    #[test]
    fn a_failure_shows_the_end_of_the_log_and_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let error = logged(&mut sh("seq 100; exit 3"), &log, |_| ()).unwrap_err().to_string();
        assert!(error.starts_with("71\n"), "{error}");
        assert!(error.contains("\n100\n\nsh failed (exit status: 3)"), "{error}");
        assert!(error.contains(log.to_str().unwrap()));
    }

    #[test]
    fn a_full_disk_is_known_by_its_message() {
        let dir = tempfile::tempdir().unwrap();
        let script = "echo 'cc1: x.o: No space left on device'; exit 1";
        let error = logged(&mut sh(script), &dir.path().join("log"), |_| ()).unwrap_err();
        assert!(is_full(&error.context("while compiling")));
        assert!(!is_full(&anyhow::anyhow!("another")));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = output(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"));
    }
}
