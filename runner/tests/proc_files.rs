//! What `ps`, `top`, `free`, `uptime` and `dmesg` say is true.

mod common;

use common::{output, sh, text};

#[test]
fn dmesg_is_the_kernels_log() {
    let out = sh("echo '<4>a line of our own' > /dev/kmsg; dmesg");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains("Linux version 6.12"), "{}", lines[0]);
    assert!(lines.last().unwrap().ends_with("a line of our own"), "{out}");
    let host =
        output(&["run", "--kernel-log", "--", "sh", "-c", "echo '<4>seen outside' >/dev/kmsg"]);
    assert!(text(&host.stderr).contains("seen outside"), "{}", text(&host.stderr));
}

#[test]
fn free_and_meminfo() {
    let total = |memory: &str| -> u64 {
        let out = output(&["run", "--memory", memory, "--", "free", "-k"]);
        let out = text(&out.stdout);
        let line = out.lines().find(|l| l.starts_with("Mem:")).unwrap_or_else(|| panic!("{out}"));
        let words: Vec<u64> = line.split_whitespace().skip(1).map(|w| w.parse().unwrap()).collect();
        assert!(words[1] + words[2] <= words[0] && words[2] > 16 << 10, "{out}");
        words[0]
    };
    // What processes may have beside it does not depend on the kernel's memory.
    let (small, big) = (total("64M"), total("256M"));
    assert!(small >= 56 << 10 && big > small, "{small} {big}");
    // A file in memory is taken from what is free.
    let out = sh("free -k | awk '/Mem/{print $4}'; dd if=/dev/zero of=/tmp/f bs=1M count=16 2>/dev/null; free -k | awk '/Mem/{print $4}'");
    let free: Vec<u64> = out.lines().map(|l| l.parse().unwrap()).collect();
    assert!((15 << 10..18 << 10).contains(&(free[0] - free[1])), "{out}");
}

#[test]
fn ps_knows_processes_their_users_and_memory() {
    // A child is its parent's copy until it has executed.
    let script = "runs() { until grep -q sleep /proc/$1/comm; do :; done; }; \
        sleep 321 & runs $!; su user -c 'sleep 123 & \
        until grep -q sleep /proc/$!/comm; do :; done; exec ps -o pid,ppid,user,vsz,rss,stat,args'";
    let out = sh(script);
    let find = |command: &str| -> Vec<String> {
        let line = out.lines().find(|l| l.ends_with(command)).unwrap_or_else(|| panic!("{out}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    let (mine, others) = (find(" sleep 321"), find(" sleep 123"));
    assert_eq!((mine[2].as_str(), others[2].as_str()), ("root", "user"), "{out}");
    assert!(
        mine[5].starts_with('S')
            && find("ps -o pid,ppid,user,vsz,rss,stat,args")[5].starts_with('R')
    );
    assert_eq!(find(" init")[0], "1");
    let size = |text: &str| match text.strip_suffix('m') {
        Some(megabytes) => megabytes.parse::<f64>().unwrap() * 1024.0,
        None => text.parse().unwrap(),
    };
    // A BusyBox process: its data and a stack, and some of them touched.
    let (vsz, rss) = (size(&mine[3]), size(&mine[4]));
    assert!(rss >= 16.0 && rss <= vsz && vsz < 65536.0, "{out}");
}

#[test]
fn memory_of_a_process_grows_when_it_is_touched() {
    let script = "rss() { awk '/VmRSS/{print $2}' /proc/$1/status; }; \
        awk 'BEGIN { for (i = 0; i < 100000; i++) a[i] = \"some text that takes room\" i; \
        print \"ready\"; fflush(); getline; }' >/tmp/out </tmp/in & ";
    let script = format!(
        "mkfifo /tmp/in; {script} exec 3>/tmp/in; until grep -q ready /tmp/out; do :; done; rss $!; rss $$; echo >&3"
    );
    let out = sh(&script);
    let rss: Vec<u64> = out.lines().map(|l| l.parse().unwrap()).collect();
    assert!(rss[0] > 4000 && rss[0] > 4 * rss[1], "{out}");
}

#[test]
fn uptime_and_load() {
    let out = sh("cat /proc/uptime; sleep 1; cat /proc/uptime; uptime");
    let times: Vec<f64> =
        out.lines().take(2).map(|l| l.split(' ').next().unwrap().parse().unwrap()).collect();
    let passed = times[1] - times[0];
    assert!(times[0] < 60.0 && (0.99..20.0).contains(&passed), "{out}");
    assert!(out.contains("load average: "), "{out}");
}

#[test]
fn top_shows_who_is_busy() {
    let out = sh("while :; do :; done & top -b -n 2 -d 1 | tail -n +8; kill $!");
    // The second picture; who loops stands first. How much of the processor it
    // has is the host's affair, too.
    let picture = out.rsplit("Load average").next().unwrap();
    let row = |l: &&str| l.split_whitespace().nth(2) == Some("root");
    let first = picture.lines().find(row).unwrap_or_else(|| panic!("{out}"));
    assert!(first.contains("sh -c while") && !first.contains(" 0.0 sh"), "{out}");
    assert!(out.contains("CPU:"), "{out}");
}

#[test]
fn stat_counts_what_ran() {
    let script = "cut -d' ' -f2-5 /proc/stat | head -n 1; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; \
        cut -d' ' -f2-6 /proc/stat | head -n 1; times";
    let out = sh(script);
    let numbers =
        |line: &str| -> Vec<u64> { line.split_whitespace().map(|w| w.parse().unwrap()).collect() };
    let mut lines = out.lines();
    let (before, after) = (numbers(lines.next().unwrap()), numbers(lines.next().unwrap()));
    assert!(after.iter().sum::<u64>() > before.iter().sum::<u64>(), "{out}");
}
