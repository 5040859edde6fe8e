//! The machine's end, and what it begins with.

use std::time::Duration;

use wasmlinux_web::{files, task, ConsoleState, Outcome, TaskState};

use crate::rig::Rig;

#[test]
fn an_orderly_end() {
    let mut rig = Rig::new();
    let console = rig.console();
    let task = rig.run(&["sleep"]);
    rig.until("both", |rig| rig.guest.jobs.len() == 2);
    rig.host.shut_down(Duration::from_secs(3600));
    rig.host.shut_down(Duration::ZERO);
    rig.until("the request", |rig| rig.guest.asked_to_power_off);
    rig.host.devices().shutting_down();
    rig.host.finish(Outcome::PowerOff);
    rig.until("both ends", |rig| rig.consoles[&console].ended && rig.tasks[&task].ended);
    assert_eq!(rig.host.state(task), TaskState::Lost);
    assert_eq!(rig.host.console(console), ConsoleState::Ended);
    assert!(!rig.stop, "it ended by itself");
}

#[test]
fn a_guest_that_does_not_end_is_stopped() {
    let mut rig = Rig::new();
    rig.host.shut_down(Duration::from_millis(5));
    rig.until("the wish to stop", |rig| rig.stop);
    assert!(rig.guest.asked_to_power_off);
}

#[test]
fn a_crash_in_the_middle_of_everything() {
    let mut rig = Rig::new();
    let consoles: Vec<u32> = (0..5).map(|_| rig.console()).collect();
    let tasks: Vec<u32> = (0..5).map(|_| rig.run(&["cat"])).collect();
    rig.until("all of them", |rig| rig.guest.jobs.len() == 10);
    let late = rig.run(&["true"]);
    rig.host.finish(Outcome::Panic);
    rig.until("their ends", |rig| {
        consoles.iter().all(|id| rig.consoles[id].ended)
            && tasks.iter().chain([&late]).all(|id| rig.tasks[id].ended)
    });
    // Nobody is there to start a shell.
    let console = rig.console();
    rig.until("its end", |rig| rig.consoles[&console].ended);
}

#[test]
fn a_guest_may_call_anything() {
    let rig = Rig::new();
    let devices = rig.host.devices();
    for stream in [0, 1, 77, u32::MAX] {
        assert_eq!(devices.stream_read(stream, &mut [0; 4]), Ok(0));
        assert_eq!(devices.stream_write(stream, b"x"), Err(-32));
        devices.stream_poll(stream);
        devices.stream_end(stream);
        devices.stream_close(stream);
        devices.job_started(stream, 1);
        devices.job_exit(stream, Ok(-1));
    }
    assert!(devices.job_next(0).is_none());
    assert!(task(&[255; 40]).is_err() && files(&[255; 40]).is_err());
}
