//! What the guest's kernel offers.

mod common;

use common::sh;

#[test]
fn file_systems_are_in() {
    let list = sh("cat /proc/filesystems");
    for fs in [
        "ext4", "tmpfs", "overlay", "squashfs", "proc", "sysfs", "devtmpfs", "devpts", "mqueue",
        "cgroup2",
    ] {
        assert!(list.split_whitespace().any(|w| w == fs), "{fs}: {list}");
    }
}

#[test]
fn init_has_set_the_system_up() {
    let script = "cat /proc/mounts; hostname; id -un; cat /proc/1/comm; ls -d /dev/pts /dev/ptmx";
    let out = sh(script);
    for wanted in [
        "proc /proc",
        "sysfs /sys",
        "devpts /dev/pts",
        "/tmp tmpfs",
        "/dev tmpfs",
        "wasmlinux\n",
        "root\n",
        "init\n",
        "/dev/ptmx",
    ] {
        assert!(
            out.contains(wanted) || out.contains(&wanted.replace("/dev tmpfs", "/dev devtmpfs")),
            "{wanted}: {out}"
        );
    }
}

#[test]
fn ext4_on_a_loop_device() {
    let script =
        "cd /tmp && dd if=/dev/zero of=disk bs=1M count=8 2>/dev/null && losetup /dev/loop0 disk \
        && mke2fs /dev/loop0 >/dev/null && mkdir m && mount -t ext4 /dev/loop0 m \
        && echo kept > m/file && umount m && mount -t ext4 /dev/loop0 m && cat m/file";
    assert_eq!(sh(script), "kept\n");
}

#[test]
fn a_file_is_mounted_through_a_loop_device_made_for_it() {
    let script = "cd /tmp && dd if=/dev/zero of=disk bs=1M count=8 2>/dev/null \
        && mke2fs -F disk >/dev/null && mkdir m && mount -o loop disk m && echo kept > m/file \
        && umount m && mount -o loop disk m && cat m/file";
    assert_eq!(sh(script), "kept\n");
}

#[test]
fn overlay_of_two_directories() {
    let script = "cd /tmp && mkdir lower upper work merged && echo low > lower/a \
        && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged \
        && echo high >> merged/a && cat merged/a lower/a";
    assert_eq!(sh(script), "low\nhigh\nlow\n");
}

#[test]
fn loopback_network() {
    assert!(sh("ping -c 1 -W 2 127.0.0.1").contains("1 packets received"));
    assert!(sh("ping -6 -c 1 -W 2 ::1").contains("1 packets received"));
    let script = "(echo hello | nc -l -p 7 127.0.0.1 >/tmp/got) & \
        while ! grep -q ':0007 ' /proc/net/tcp; do :; done; echo hi | nc 127.0.0.1 7; wait; cat /tmp/got";
    assert_eq!(sh(script), "hello\nhi\n");
}

#[test]
fn namespaces() {
    assert_eq!(sh("unshare -u sh -c 'hostname other; hostname'; hostname"), "other\nwasmlinux\n");
    assert_eq!(sh("unshare -p -f sh -c 'echo $$'"), "1\n");
}

#[test]
fn unprivileged_users_are_held_back() {
    let out = sh("su user -c 'id -u; cat /etc/shadow 2>/dev/null || echo denied; \
        (echo x > /etc/passwd) 2>/dev/null || echo denied'");
    assert_eq!(out, "1000\ndenied\ndenied\n");
}

#[test]
fn power_off_ends_the_machine() {
    for command in ["poweroff", "reboot", "halt", "poweroff -f"] {
        let out = common::output(&["run", "--", "sh", "-c", &format!("{command}; sleep 60")]);
        assert_eq!(out.status.code(), Some(0), "{command}: {}", common::text(&out.stderr));
    }
}

#[test]
fn a_panic_prints_the_log_and_has_its_own_exit_code() {
    let out = common::output(&["run", "--", "sh", "-c", "echo c > /proc/sysrq-trigger"]);
    let stderr = common::text(&out.stderr);
    assert_eq!(out.status.code(), Some(123), "{stderr}");
    assert!(stderr.contains("Kernel panic - not syncing: sysrq triggered crash"), "{stderr}");
    assert!(stderr.contains("sysrq_handle_crash"), "no function names: {stderr}");
}
