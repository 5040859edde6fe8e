//! Commands without waiting, with a real guest: what a host with its own event loop uses.

use std::sync::mpsc::{channel, Receiver};
use std::time::Duration;

use wasmlinux::{Machine, Out, StartError, Taken, Task, TaskSpec, TaskState};

const PATIENCE: Duration = Duration::from_secs(60);

fn start(machine: &Machine, argv: &[&str]) -> (Task, Receiver<()>) {
    let (tell, told) = channel();
    let argv = argv.iter().map(|word| word.as_bytes().to_vec()).collect();
    let spec = TaskSpec { argv, ..TaskSpec::default() };
    let watcher = move || {
        // Whoever has stopped listening is not told.
        let _ = tell.send(());
    };
    (machine.parts().start(spec, watcher).unwrap(), told)
}

/// Takes everything until both outputs and the command have ended.
fn collect(task: &Task, told: &Receiver<()>) -> (TaskState, [Vec<u8>; 2]) {
    let mut outputs = [Vec::new(), Vec::new()];
    let mut buf = [0; 4096];
    loop {
        let mut ended = true;
        for (out, into) in [Out::Stdout, Out::Stderr].into_iter().zip(&mut outputs) {
            loop {
                match task.take(out, &mut buf) {
                    Taken::Bytes(n) => into.extend(&buf[..n]),
                    Taken::Later => break ended = false,
                    Taken::End => break,
                }
            }
        }
        let state = task.state();
        if ended && !matches!(state, TaskState::Asked | TaskState::Runs(_)) {
            return (state, outputs);
        }
        told.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{e}: {state:?} {outputs:?}"));
    }
}

#[test]
fn a_task_is_fed_and_ends() {
    let machine = Machine::builder().boot().unwrap();
    let (task, told) = start(&machine, &["sh", "-c", "tr a-z A-Z; echo no >&2; exit 3"]);
    assert_eq!(task.feed(b"through the guest"), 17);
    task.end_input();
    let (state, [stdout, stderr]) = collect(&task, &told);
    assert!(matches!(state, TaskState::Ended(status) if status.code() == Some(3)), "{state:?}");
    assert_eq!((&stdout[..], &stderr[..]), (&b"THROUGH THE GUEST"[..], &b"no\n"[..]));
    assert_eq!(task.room(), None, "nobody reads any more");
}

#[test]
fn a_program_that_is_not_there() {
    let machine = Machine::builder().boot().unwrap();
    let (task, told) = start(&machine, &["no-such-program"]);
    assert_eq!(collect(&task, &told).0, TaskState::NotStarted(libc::ENOENT));
}

#[test]
fn a_task_whose_streams_are_closed_ends() {
    let machine = Machine::builder().boot().unwrap();
    let (task, told) = start(&machine, &["cat"]);
    task.close();
    let (state, _) = collect(&task, &told);
    assert!(matches!(state, TaskState::Ended(status) if status.success()), "{state:?}");
}

#[test]
fn a_task_is_lost_with_its_machine() {
    let machine = Machine::builder().boot().unwrap();
    let parts = machine.parts();
    let (task, told) = start(&machine, &["sleep", "1000"]);
    drop(machine);
    assert_eq!(collect(&task, &told).0, TaskState::Lost);
    let argv = vec![b"true".to_vec()];
    let late = parts.start(TaskSpec { argv, ..TaskSpec::default() }, || ());
    assert!(matches!(late, Err(StartError::Ended(_))));
}
