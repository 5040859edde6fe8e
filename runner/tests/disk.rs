//! `--disk`: what is written on /persist is kept, whatever happens.

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::process::Stdio;

use common::{fails, output, text, wasmlinux, Dir};

/// A folder with a disk in it, and the disk's path.
fn disk() -> (Dir, String) {
    let dir = Dir::new();
    let path = dir.path().join("disk").display().to_string();
    (dir, path)
}

/// Runs a script on a machine with this disk; its stdout, which must be its only
/// output.
#[track_caller]
fn sh(disk: &str, script: &str) -> String {
    common::sh_on(&["--disk", disk], script)
}

/// What the kernel says of the disk's file system, less what it always says.
fn complaints(disk: &str) -> String {
    let log = sh(disk, "dmesg | grep -E 'EXT4|JBD2|Buffer I/O|disk0' || true");
    let usual = ["mounted filesystem", "recovery complete", "write access will be enabled"];
    log.lines().filter(|line| !usual.iter().any(|u| line.contains(u))).collect()
}

#[test]
fn a_file_is_there_in_the_next_machine() {
    let (_dir, disk) = disk();
    assert_eq!(sh(&disk, "ls -A /persist"), "lost+found\n");
    sh(&disk, "echo kept >/persist/note; mkdir /persist/d; ln -s ../note /persist/d/link; chown 1000 /persist/note");
    let again = "cat /persist/d/link; stat -c '%u %a' /persist/note; df -m /persist | tail -n 1";
    let shown = sh(&disk, again);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[..2], ["kept", "1000 644"]);
    assert!(lines[2].starts_with("/dev/disk0"), "{shown}");
    // Sparse: the host gives what is used, not what the disk could hold.
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(&disk).unwrap();
    assert_eq!(about.len(), wasmlinux::DISK_SIZE);
    assert!(about.blocks() * 512 < 16 << 20, "{} blocks", about.blocks());
}

#[test]
fn without_a_disk_nothing_is_mounted() {
    assert_eq!(common::sh("[ -e /dev/disk0 ] || [ -d /persist ] || echo none"), "none\n");
}

/// The runner is killed while the guest writes, time and again.
#[test]
fn nothing_is_lost_when_the_runner_is_killed() {
    const ROUNDS: u32 = 12;
    /// Each file is its own name, often enough to take several blocks.
    const WRITE: &str = r#"
        cd /persist; n=$1
        while :; do
            yes "file $n" | head -n 1500 >$n.new && mv $n.new $n && echo $n
            n=$((n + 1))
        done"#;
    const CHECK: &str = r#"
        cd /persist
        for f in [0-9]*; do
            case $f in *.new) continue ;; esac
            [ "$(uniq -c $f)" = "   1500 file $f" ] && echo $f || echo "$f is damaged" >&2
        done"#;
    let (_dir, disk) = disk();
    let mut written = BTreeMap::new();
    for round in 0..ROUNDS {
        let first = (round * 10_000).to_string();
        let mut child =
            wasmlinux(&["run", "--disk", &disk, "--", "sh", "-c", WRITE, "write", &first])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after a different number of files each time, in the middle of the next.
        let told: Vec<_> = lines.map_while(Result::ok).take(3 + 7 * round as usize % 20).collect();
        assert!(!told.is_empty(), "nothing was written");
        child.kill().unwrap();
        child.wait().unwrap();
        written.extend(told.into_iter().map(|name| (name, round)));
        let found = sh(&disk, CHECK);
        let found: Vec<_> = found.lines().collect();
        for (name, of) in &written {
            assert!(
                found.contains(&name.as_str()),
                "{name}, written in round {of}, was lost in {round}"
            );
        }
    }
    assert_eq!(complaints(&disk), "");
}

#[test]
fn a_full_disk_is_enospc_and_goes_on() {
    let (_dir, disk) = disk();
    let script = "echo before >/persist/a
        dd if=/dev/zero of=/persist/big bs=1M 2>&1 | grep -o 'No space left on device'
        cat /persist/a; rm /persist/big; echo after >/persist/b; cat /persist/b";
    assert_eq!(sh(&disk, script), "No space left on device\nbefore\nafter\n");
    assert_eq!(sh(&disk, "cat /persist/a /persist/b"), "before\nafter\n");
}

#[test]
fn a_disk_mounted_read_only_is_erofs() {
    let (_dir, disk) = disk();
    sh(&disk, "echo kept >/persist/note");
    let shown =
        sh(&disk, "mount -o remount,ro /persist; cat /persist/note; touch /persist/x 2>&1 || true");
    assert_eq!(shown, "kept\ntouch: /persist/x: Read-only file system\n");
}

#[test]
fn a_disk_serves_one_machine_at_a_time() {
    let (_dir, path) = disk();
    let machine = wasmlinux::Machine::builder().disk(&path).boot().unwrap();
    fails(&["run", "--disk", &path, "--", "true"], 125, "is in use by another machine");
    drop(machine);
    sh(&path, "true");
}

#[test]
fn several_disks() {
    let dir = Dir::new();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (one, two) = (path("one"), path("two"));
    let script = "mkdir /mnt/two && mount -t ext4 /dev/disk1 /mnt/two && echo 2 >/mnt/two/n && echo 1 >/persist/n";
    let out = output(&["run", "--disk", &one, "--disk", &two, "--", "sh", "-c", script]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    // The end of the machine has unmounted it.
    assert_eq!(sh(&two, "cat /persist/n"), "2\n");
    assert_eq!(sh(&one, "cat /persist/n"), "1\n");
}

#[test]
fn what_cannot_be_a_disk_is_said() {
    let dir = Dir::new();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fails(
        &["run", "--disk", &path(""), "--", "true"],
        125,
        "cannot be a disk: it is no regular file",
    );
    fails(&["run", "--disk", &path("no/such/folder"), "--", "true"], 125, "cannot make the disk");
    fs::write(dir.path().join("odd"), [0; 700]).unwrap();
    fails(&["run", "--disk", &path("odd"), "--", "true"], 125, "no multiple of 512 bytes");
    fs::write(dir.path().join("empty"), []).unwrap();
    fails(&["run", "--disk", &path("empty"), "--", "true"], 125, "no multiple of 512 bytes");
    let many: Vec<_> = (0..9).map(|n| path(&n.to_string())).collect();
    let mut args = vec!["run"];
    many.iter().for_each(|disk| args.extend(["--disk", disk.as_str()]));
    args.extend(["--", "true"]);
    fails(&args, 125, "at most 8 disks");
}

/// Somebody else's file is not touched: no file system, no mount.
#[test]
fn a_disk_without_a_file_system_stays_as_it_is() {
    let dir = Dir::new();
    let path = dir.path().join("raw").display().to_string();
    fs::write(&path, vec![7; 1 << 20]).unwrap();
    assert_eq!(
        sh(&path, "mountpoint -q /persist || echo not mounted; od -An -N4 -tu1 /dev/disk0"),
        "not mounted\n   7   7   7   7\n"
    );
    assert!(fs::read(&path).unwrap().iter().all(|byte| *byte == 7));
    // It can be used as it is, too.
    sh(&path, "echo over | dd of=/dev/disk0 bs=512 seek=9 conv=notrunc 2>/dev/null; sync");
    let mut start = [0; 5];
    File::open(&path).unwrap().read_exact_at(&mut start, 9 * 512).unwrap();
    assert_eq!(&start, b"over\n");
}

/// A damaged file system is the guest's business: EIO or a refusal to mount, and
/// a machine that runs.
#[test]
fn damage_does_not_stop_the_machine() {
    let (_dir, disk) = disk();
    sh(&disk, "cd /persist; for i in 1 2 3; do yes | head -c 100000 >$i; done");
    let file = File::options().write(true).open(&disk).unwrap();
    for at in (4096 * 3..4096 * 64).step_by(4096) {
        file.write_all_at(&[0x5a; 512], at).unwrap();
    }
    assert_eq!(sh(&disk, "ls -R /persist >/dev/null 2>&1; echo alive"), "alive\n");
}
