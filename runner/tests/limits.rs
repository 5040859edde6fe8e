//! Commands that nobody trusts: what they may use, and that nothing of them is
//! left. The machine must be usable afterwards.

mod common;

use std::time::{Duration, Instant};

use common::test_module;
use wasmlinux::{Command, Limit, Limits, Machine, Output, Stdio};

const USER: u32 = 1000;

fn machine() -> Machine {
    Machine::builder().boot().unwrap()
}

fn hostile(machine: &Machine, script: &str, limits: Limits) -> Command {
    machine.command("sh").args(["-c", script]).uid(USER).gid(USER).limits(limits)
}

fn output(command: Command) -> Output {
    command.output().unwrap()
}

/// Nothing of the user's is left, and the machine does what it should.
#[track_caller]
fn usable(machine: &Machine) {
    let run = |script: &str| {
        let output = machine.command("sh").args(["-c", script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let left = run("ps -o user,stat,args | grep '^user' | grep -v ' Z '");
    assert_eq!(left, "", "processes are left");
    // Init reaps the dead when it is its turn.
    let reaped =
        "timeout 30 sh -c \"while ps -o user,stat | grep -q '^user'; do :; done\" && echo yes";
    assert_eq!(run(reaped), "yes\n", "zombies are left: {}", run("ps -o user,stat,args"));
    let groups = "mount -t cgroup2 none /mnt && find /mnt -name 'job-*'; umount /mnt";
    assert_eq!(run(groups), "", "control groups are left");
    assert_eq!(run("seq 1 1000 | sort -n | tail -n 1"), "1000\n");
}

#[test]
fn a_fork_bomb_meets_the_process_limit() {
    let machine = machine();
    let limits =
        Limits { processes: Some(20), time: Some(Duration::from_secs(2)), ..Limits::default() };
    // The first shell forks no more: one that could not would end.
    let bomb = "bomb() { bomb | bomb & }; bomb; while :; do :; done";
    let begin = Instant::now();
    let output = output(hostile(&machine, bomb, limits));
    assert_eq!(output.status.limit(), Some(Limit::Time), "{output:?}");
    assert_eq!(output.status.signal(), Some(9));
    assert!(begin.elapsed() >= Duration::from_secs(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("can't fork"), "{text}");
    usable(&machine);
}

#[test]
fn processes_are_counted_together() {
    let machine = machine();
    let limits = Limits { processes: Some(4), ..Limits::default() };
    let script = "for i in 1 2 3 4 5 6; do sleep 60 & done; echo all";
    let output = output(hostile(&machine, script, limits));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't fork"), "{output:?}");
    assert_eq!((output.status.code(), output.status.limit()), (Some(2), None));
    usable(&machine);
}

#[test]
fn a_busy_loop_meets_the_cpu_limit() {
    let machine = machine();
    let limits = Limits { cpu_time: Some(Duration::from_millis(300)), ..Limits::default() };
    // Several processes share the limit.
    let script = "while :; do :; done & while :; do :; done & while :; do :; done";
    let output = output(hostile(&machine, script, limits));
    assert_eq!(output.status.limit(), Some(Limit::Time), "{output:?}");
    usable(&machine);
}

#[test]
fn sleeping_costs_no_cpu_time() {
    let machine = machine();
    let limits = Limits { cpu_time: Some(Duration::from_millis(300)), ..Limits::default() };
    let output = output(hostile(&machine, "sleep 1; echo done", limits));
    assert_eq!((output.stdout.as_slice(), output.status.limit()), (&b"done\n"[..], None));
}

#[test]
fn a_command_that_ignores_signals_meets_the_time_limit() {
    let machine = machine();
    let limits = Limits { time: Some(Duration::from_millis(300)), ..Limits::default() };
    let script = "trap '' TERM INT HUP QUIT; setsid sh -c 'while :; do sleep 1; done' & \
        while :; do sleep 1; done";
    let begin = Instant::now();
    let output = output(hostile(&machine, script, limits));
    assert_eq!(output.status.limit(), Some(Limit::Time));
    assert!(begin.elapsed() >= Duration::from_millis(300));
    usable(&machine);
}

#[test]
fn files_in_memory_meet_the_memory_limit() {
    let machine = Machine::builder().memory(128 << 20).boot().unwrap();
    let limits = Limits { memory: Some(8 << 20), ..Limits::default() };
    let script = "dd if=/dev/zero of=/tmp/hog bs=1M count=64 2>/dev/null; echo survived";
    let output = output(hostile(&machine, script, limits));
    assert_eq!(output.status.limit(), Some(Limit::Memory), "{output:?}");
    assert_eq!(output.stdout, b"");
    usable(&machine);
    // Less than the limit is no trouble.
    let script = "dd if=/dev/zero of=/tmp/small bs=1M count=2 2>/dev/null; echo fine";
    let output = self::output(hostile(&machine, script, limits));
    assert_eq!(output.stdout, b"fine\n", "{output:?}");
}

#[test]
fn a_hog_meets_the_memory_limit() {
    let machine = machine();
    let limits = Limits { memory: Some(16 << 20), ..Limits::default() };
    // One line without end.
    let output = output(hostile(&machine, "tr '\\0' x </dev/zero | sort; echo survived", limits));
    assert_eq!(output.status.limit(), Some(Limit::Memory), "{output:?}");
    assert_eq!(output.stdout, b"");
    usable(&machine);
    let output = self::output(hostile(&machine, "seq 1 10000 | sort -n | tail -n 1", limits));
    assert_eq!(output.stdout, b"10000\n", "{output:?}");
}

#[test]
fn an_output_flood_meets_the_output_limit() {
    let machine = machine();
    let limits = Limits { output: Some(1 << 20), ..Limits::default() };
    let output = output(hostile(&machine, "yes & yes >&2", limits));
    assert_eq!(output.status.limit(), Some(Limit::Output), "{:?}", output.status);
    assert_eq!(output.stdout.len() + output.stderr.len(), 1 << 20);
    usable(&machine);
    let output = self::output(hostile(&machine, "head -c 1048576 /dev/zero", limits));
    assert_eq!((output.stdout.len(), output.status.limit()), (1 << 20, None));
}

#[test]
fn privileges_cannot_be_gained() {
    let machine = machine();
    let limits = Limits { time: Some(Duration::from_secs(20)), ..Limits::default() };
    let output = output(hostile(&machine, "su -c id root; id -u", limits));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("uid=0"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("1000\n"), "{output:?}");
}

#[test]
fn a_command_with_limits_is_nobody_unless_told_otherwise() {
    let machine = machine();
    let limits = Limits { processes: Some(10), ..Limits::default() };
    let id = || machine.command("sh").args(["-c", "id -u; id -g; id -G"]);
    let said = |command: Command| String::from_utf8(output(command).stdout).unwrap();
    assert_eq!(said(id()), "0\n0\n0\n");
    assert_eq!(said(id().limits(limits)), "65534\n65534\n65534\n");
    assert_eq!(said(id().limits(limits).uid(1000)), "1000\n65534\n65534\n");
    assert_eq!(said(id().limits(limits).uid(0).gid(0)), "0\n0\n0\n");
}

/// Also when root has left the hierarchy's door wide open.
#[test]
fn a_control_group_cannot_be_left() {
    let machine = Machine::builder().program(test_module("cgroup_escape")).boot().unwrap();
    let limits = Limits {
        processes: Some(10),
        memory: Some(32 << 20),
        time: Some(Duration::from_secs(60)),
        ..Limits::default()
    };
    let escape = || machine.command("cgroup_escape.wasm").arg("here").limits(limits);
    let tried = output(escape());
    assert!(tried.status.success(), "{tried:?}");
    let mount = "mount -t cgroup2 none /sys/fs/cgroup && mount -t cgroup2 none /mnt";
    assert!(machine.command("sh").args(["-c", mount]).status().unwrap().success());
    let tried = output(escape());
    assert!(tried.status.success(), "{tried:?}");
    // The counterpart: what it tries does work for root, who is not held.
    let root = output(escape().uid(0).gid(0));
    assert_eq!(root.status.code(), Some(1), "{root:?}");
    assert!(String::from_utf8_lossy(&root.stderr).contains("cgroup.procs"), "{root:?}");
}

#[test]
fn what_a_contained_command_leaves_behind_is_killed() {
    let machine = machine();
    let script = "sleep 60 & setsid sleep 60 & echo left";
    let command = machine.command("sh").args(["-c", script]).uid(USER);
    let output = command.contain(Duration::ZERO).output().unwrap();
    assert_eq!(output.stdout, b"left\n");
    usable(&machine);
    // A grace gives time to end in order.
    let script =
        "(trap 'echo tidy >/tmp/tidy; exit' TERM; echo up; while :; do sleep 0.1; done) & \
        read x; kill $!";
    let mut command = machine.command("sh").args(["-c", script]);
    command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.contain(Duration::from_secs(20)).spawn().unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut up).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(machine.command("cat").arg("/tmp/tidy").output().unwrap().stdout, b"tidy\n");
}

#[test]
fn limits_of_the_machine_are_every_commands() {
    let limits = Limits { output: Some(10), ..Limits::default() };
    let machine = Machine::builder().limits(limits).boot().unwrap();
    let status = machine.command("yes").output().unwrap().status;
    assert_eq!(status.limit(), Some(Limit::Output));
    let output = machine.command("seq").arg("100").limits(Limits::default()).output().unwrap();
    assert!(output.status.success());
}

#[test]
fn hostile_commands_side_by_side() {
    let machine = machine();
    let limits = Limits {
        time: Some(Duration::from_secs(1)),
        processes: Some(10),
        output: Some(1 << 20),
        ..Limits::default()
    };
    std::thread::scope(|scope| {
        for script in ["while :; do :; done", "f() { f | f; }; f", "yes", "cat /dev/zero"] {
            for _ in 0..3 {
                let command = hostile(&machine, script, limits);
                scope.spawn(move || output(command));
            }
        }
    });
    usable(&machine);
}
