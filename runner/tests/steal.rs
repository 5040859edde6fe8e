//! A host that runs other things on the guest's CPU: its processes are charged
//! for what they ran.

mod common;

use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::wasmlinux;

/// Counts, then says what that took: the shell's own time, and the machine's.
const BUSY: &str = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; times; head -n1 /proc/stat";

/// What is to be had of one CPU, which two machines want at once.
struct Machine {
    /// Of the command, as the guest says, and stolen time of the guest's CPU.
    told: Duration,
    stolen: Duration,
    /// Of all its threads, as the host says, and how long it took.
    ran: Duration,
    wall: Duration,
}

/// The CPU that everything here is put on.
fn pin() -> std::io::Result<()> {
    // SAFETY: plain values of our own, for the calling process.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let size = std::mem::size_of_val(&set);
        if libc::sched_getaffinity(0, size, &mut set) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        let first = (0..libc::CPU_SETSIZE as usize).find(|&cpu| libc::CPU_ISSET(cpu, &set));
        libc::CPU_ZERO(&mut set);
        libc::CPU_SET(first.unwrap_or(0), &mut set);
        match libc::sched_setaffinity(0, size, &set) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}

fn time(value: libc::timeval) -> Duration {
    Duration::new(value.tv_sec as u64, value.tv_usec as u32 * 1000)
}

/// `0m1.234s` and the like, two of them.
fn shell_times(line: &str) -> Duration {
    let one = |part: &str| {
        let (minutes, seconds) = part.strip_suffix('s').unwrap().split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    Duration::from_secs_f64(line.split_whitespace().map(one).sum())
}

#[allow(clippy::zombie_processes)] // wait4() is its wait
fn run() -> Machine {
    let mut command = wasmlinux(&["run", "--", "sh", "-c", BUSY]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    // SAFETY: only system calls between fork and exec.
    unsafe { command.pre_exec(pin) };
    let begin = Instant::now();
    let mut child = command.spawn().expect("the binary starts");
    let mut out = String::new();
    std::io::Read::read_to_string(child.stdout.as_mut().unwrap(), &mut out).unwrap();
    let mut status = 0;
    // SAFETY: plain values of our own; the child is waited for nowhere else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::wait4(child.id() as i32, &mut status, 0, &mut usage), child.id() as i32);
        usage
    };
    assert_eq!(status, 0, "{out}");
    let lines: Vec<&str> = out.lines().collect();
    // cpu user nice system idle iowait irq softirq steal ..., in hundredths
    let steal: u64 = lines[2].split_whitespace().nth(8).unwrap().parse().unwrap();
    Machine {
        told: shell_times(lines[0]),
        stolen: Duration::from_millis(10 * steal),
        ran: time(usage.ru_utime) + time(usage.ru_stime),
        wall: begin.elapsed(),
    }
}

#[test]
fn what_the_host_takes_away_is_charged_to_nobody() {
    let other = std::thread::spawn(run);
    for machine in [run(), other.join().unwrap()] {
        let Machine { told, stolen, ran, wall } = machine;
        let said = format!("{told:?} told, {ran:?} ran, {stolen:?} stolen, {wall:?} in all");
        println!("{said}");
        assert!(wall > ran.mul_f64(1.5), "nobody else wanted the CPU: {said}");
        assert!(told < ran + Duration::from_millis(50), "{said}");
        // What is left is the runner's start and the boot.
        assert!(told > ran.mul_f64(0.7), "{said}");
        assert!(stolen > (wall - ran).mul_f64(0.5), "{said}");
        assert!(stolen < wall - ran + Duration::from_millis(50), "{said}");
    }
}
