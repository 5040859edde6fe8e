//! Commands.

use wasmlinux_web::{Out, Outcome};
use wasmlinux_web::{StartError, Taken, TaskSpec, TaskState};

use crate::rig::Rig;

fn code(state: TaskState) -> Option<i32> {
    match state {
        TaskState::Ended(status) => status.code(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn output_and_codes() {
    let mut rig = Rig::new();
    let (state, stdout, stderr) = rig.output(&["echo", "hello", "world"], b"");
    assert_eq!((code(state), &stdout[..], &stderr[..]), (Some(0), &b"hello world"[..], &b""[..]));
    let (state, stdout, stderr) = rig.output(&["complain"], b"");
    assert_eq!((code(state), &stdout[..], &stderr[..]), (Some(1), &b""[..], &b"no\n"[..]));
    assert_eq!(code(rig.output(&["exit", "7"], b"").0), Some(7));
    assert_eq!(rig.output(&["missing"], b"").0, TaskState::NotStarted(2));
}

#[test]
fn commands_wait_for_the_boot() {
    let mut rig = Rig::booting();
    let id = rig.run(&["true"]);
    rig.settle();
    assert_eq!(rig.host.state(id), TaskState::Asked);
    rig.host.devices().ready();
    rig.until("its end", |rig| rig.tasks[&id].ended);
}

#[test]
fn what_a_command_is_given() {
    let mut rig = Rig::new();
    let spec = TaskSpec {
        argv: vec![b"sleep".to_vec()],
        env: vec![(b"HOME".to_vec(), b"/x".to_vec()), (b"A".to_vec(), b"=".to_vec())],
        cwd: b"/tmp".to_vec(),
        ..TaskSpec::default()
    };
    let id = rig.host.run(spec).unwrap();
    rig.until("its start", |rig| rig.host.state(id) == TaskState::Runs(101));
    let job = rig.guest.only("sleep");
    assert_eq!(job.cwd, "/tmp");
    assert!(job.env.contains(&"HOME=/x".into()) && job.env.contains(&"A==".into()));
    assert!(job.env.iter().any(|v| v.starts_with("PATH=")), "{:?}", job.env);
    rig.host.signal(id, 15);
    rig.until("its end", |rig| !matches!(rig.host.state(id), TaskState::Runs(_)));
    let TaskState::Ended(status) = rig.host.state(id) else { panic!() };
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn a_large_request_arrives() {
    let mut rig = Rig::new();
    let long = "x".repeat(200_000);
    let (state, stdout, _) = rig.output(&["echo", &long], b"");
    assert_eq!((code(state), stdout.len()), (Some(0), long.len()));
}

/// Through both queues, which hold a fraction of it, with a reader that is slow.
#[test]
fn a_megabyte_through_cat() {
    let mut rig = Rig::new();
    let id = rig.run(&["cat"]);
    let all: Vec<u8> = (0..1 << 20).map(|i: u32| ((i * 31) >> 3) as u8).collect();
    let mut rest = &all[..];
    let mut full = 0;
    while !rest.is_empty() {
        let taken = rig.host.feed(id, rest);
        full += u32::from(taken < rest.len());
        rest = &rest[taken..];
        rig.step();
    }
    assert!(full > 0, "it never had to wait");
    rig.host.end_input(id);
    rig.until("its end", |rig| rig.tasks[&id].ended);
    assert!(rig.tasks[&id].text == all);
}

#[test]
fn output_that_nobody_takes_makes_it_wait() {
    let mut rig = Rig::new();
    let argv = vec![b"cat".to_vec()];
    let id = rig.host.run(TaskSpec { argv, ..TaskSpec::default() }).unwrap();
    rig.guest.sip = 1 << 20;
    let mut fed = 0;
    loop {
        rig.settle();
        match rig.host.feed(id, &[7; 4096]) {
            0 => break,
            n => fed += n,
        }
        assert!(fed < 4 << 20, "nothing stops it");
    }
    let mut taken = 0;
    let mut buf = [0; 4096];
    rig.host.end_input(id);
    loop {
        match rig.host.take(id, Out::Stdout, &mut buf) {
            Taken::Bytes(n) => taken += n,
            Taken::Later => rig.settle(),
            Taken::End => break,
        }
    }
    assert_eq!(taken, fed);
}

#[test]
fn a_command_that_is_forgotten_is_not_in_the_way() {
    let mut rig = Rig::new();
    let id = rig.run(&["cat"]);
    rig.until("its start", |rig| !rig.guest.jobs.is_empty());
    rig.host.forget(id);
    rig.until("its end", |rig| rig.guest.jobs.is_empty());
    assert_eq!(rig.host.state(id), TaskState::Lost);
    assert_eq!(rig.host.feed(id, b"x"), 1);
    assert_eq!(code(rig.output(&["true"], b"").0), Some(0));
}

#[test]
fn what_cannot_be_asked_for() {
    let mut rig = Rig::new();
    let run = |rig: &mut Rig, argv: &[&[u8]]| {
        let argv = argv.iter().map(|a| a.to_vec()).collect();
        rig.host.run(TaskSpec { argv, ..TaskSpec::default() })
    };
    assert!(matches!(run(&mut rig, &[]), Err(StartError::Spec(_))));
    assert!(matches!(run(&mut rig, &[b"a\0b"]), Err(StartError::Spec(_))));
    rig.host.finish(Outcome::PowerOff);
    assert!(matches!(run(&mut rig, &[b"true"]), Err(StartError::Ended(Outcome::PowerOff))));
}
