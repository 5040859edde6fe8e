use super::*;
use crate::trace::calls::{call, calls};

/// Bytes from 0x10000 on; nothing else is readable.
struct Ram(Vec<u8>);

const BASE: u32 = 0x10000;

impl Memory for Ram {
    fn read(&self, address: u32, to: &mut [u8]) -> usize {
        let from = address.checked_sub(BASE).and_then(|at| self.0.get(at as usize..));
        let Some(from) = from else { return 0 };
        let n = from.len().min(to.len());
        to[..n].copy_from_slice(&from[..n]);
        n
    }
}

/// The whole line of a call.
fn line(ram: &[u8], number: i32, args: &[u64], result: i32) -> String {
    let ram = Ram(ram.to_vec());
    let mut six = [0; 6];
    six[..args.len()].copy_from_slice(args);
    let call = call(number).unwrap();
    let mut decoder = Decoder { memory: &ram, args: &six, result: None };
    let begun = decoder.begin(call);
    decoder.result = Some(result);
    format!("{begun}{}", decoder.end(call))
}

const AT: u64 = BASE as u64;
const CWD: u64 = (-100i64) as u64;

#[test]
fn files() {
    assert_eq!(
        line(b"/etc/passwd\0", 56, &[CWD, AT, 0o100000], 3),
        r#"openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_LARGEFILE, 0) = 3"#
    );
    assert_eq!(
        line(b"x\0", 56, &[CWD, AT, 0o1101, 0o644], -13),
        r#"openat(AT_FDCWD, "x", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 EACCES (Permission denied)"#
    );
    assert_eq!(line(b"hello\n", 64, &[1, AT, 6], 6), r#"write(1, "hello\n", 6) = 6"#);
    assert_eq!(line(b"hello", 63, &[0, AT, 100], 5), r#"read(0, "hello", 100) = 5"#);
    assert_eq!(
        line(b"", 63, &[0, AT, 100], -9),
        "read(0, 0x10000, 100) = -1 EBADF (Bad file descriptor)"
    );
    assert_eq!(line(b"", 63, &[0, AT, 100], 0), r#"read(0, "", 100) = 0"#);
    assert_eq!(
        line(b"\x03\0\0\0\x04\0\0\0", 59, &[AT, 0o2000000], 0),
        "pipe2([3, 4], O_CLOEXEC) = 0"
    );
    assert_eq!(
        line(b"", 67, &[3, 0x5000, 8, u64::MAX], -22),
        "pread64(3, 0x5000, 8, -1) = -1 EINVAL (Invalid argument)"
    );
    assert_eq!(
        line(b"", 29, &[0, 0x5413, 0x5000], -25),
        "ioctl(0, TIOCGWINSZ, 0x5000) = -1 ENOTTY (Inappropriate ioctl for device)"
    );
    assert_eq!(
        line(b"\x18\0\x50\0\0\0\0\0", 29, &[0, 0x5413, AT], 0),
        "ioctl(0, TIOCGWINSZ, {ws_row=24, ws_col=80}) = 0"
    );
    assert_eq!(line(b"", 25, &[3, 2, 1], 0), "fcntl64(3, F_SETFD, FD_CLOEXEC) = 0");
}

#[test]
fn vectors_and_lists() {
    let mut ram = Vec::new();
    for word in [BASE + 24, 3, BASE + 27, 3, 0, 0] {
        ram.extend(word.to_le_bytes());
    }
    ram.extend(b"abcdef");
    assert_eq!(
        line(&ram, 66, &[1, AT, 2], 6),
        r#"writev(1, [{iov_base="abc", iov_len=3}, {iov_base="def", iov_len=3}], 2) = 6"#
    );
    assert_eq!(
        line(&ram, 65, &[0, AT, 2], 4),
        r#"readv(0, [{iov_base="abc", iov_len=3}, {iov_base="d", iov_len=3}], 2) = 4"#
    );
    let mut ram = Vec::new();
    for word in [BASE + 12, BASE + 15, 0] {
        ram.extend(word.to_le_bytes());
    }
    ram.extend(b"ls\0-l\0");
    assert_eq!(line(&ram, 221, &[AT + 12, AT, 0], 0), r#"execve("ls", ["ls", "-l"], NULL) = 0"#);
    assert_eq!(
        line(b"\x03\0\0\0\x01\0\x01\0", 414, &[AT, 1, 0, 0, 8], 1),
        "ppoll_time64([{fd=3, events=POLLIN}], 1, NULL, NULL, 8) = 1"
    );
}

#[test]
fn processes_and_signals() {
    assert_eq!(
        line(b"", 220, &[17, 0, 0, 0, 0], 12),
        "clone(SIGCHLD, NULL, NULL, NULL, NULL) = 12"
    );
    assert_eq!(
        line(b"", 220, &[0x4111, 0, 0, 0, 0], 12),
        "clone(CLONE_VM|CLONE_VFORK|SIGCHLD, NULL, NULL, NULL, NULL) = 12"
    );
    assert_eq!(line(b"", 129, &[12, 15], 0), "kill(12, SIGTERM) = 0");
    assert_eq!(
        line(b"\x02\0\x01\0\0\0\0\0", 135, &[0, AT, 0, 8], 0),
        "rt_sigprocmask(SIG_BLOCK, [INT CHLD], NULL, 8) = 0"
    );
    assert_eq!(
        line(b"", 63, &[0, AT, 1], -512),
        "read(0, 0x10000, 1) = ? ERESTARTSYS (the call may be made again)"
    );
    assert_eq!(
        line(b"", 222, &[0, 4096, 3, 0x22, u64::MAX, 0], 0x7000_0000),
        "mmap2(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0) = 0x70000000"
    );
    assert_eq!(
        line(b"", 222, &[0, 4096, 3, 0x22, u64::MAX, 0], 0xa000_0000u32 as i32),
        "mmap2(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0) = 0xa0000000",
        "an address is no error"
    );
}

#[test]
fn sockets() {
    assert_eq!(
        line(b"", 198, &[2, 0o2000001, 0], 3),
        "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3"
    );
    let inet = b"\x02\0\0\x50\x7f\0\0\x01\0\0\0\0\0\0\0\0";
    assert_eq!(
        line(inet, 203, &[3, AT, 16], 0),
        "connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0"
    );
    assert_eq!(
        line(b"", 208, &[3, 1, 2, 0, 0], 0),
        "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, NULL, 0) = 0"
    );
}

/// Whatever a program passes, there is a line, and a short one.
#[test]
fn any_arguments_and_any_memory() {
    let words = [0, 1, 3, 8, 0x10000, 0x10010, 0x10ffe, 0x7fff_ffff, 0xffff_fff0, u32::MAX];
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u32
    };
    for round in 0..200 {
        let ram: Vec<u8> = match round % 3 {
            0 => (0..4096).map(|_| random() as u8).collect(),
            1 => (0..1024)
                .flat_map(|_| words[random() as usize % words.len()].to_le_bytes())
                .collect(),
            _ => vec![0xff; 8192],
        };
        for (number, _) in calls().iter().enumerate().filter(|(_, c)| c.is_some()) {
            let pick =
                |r: u32| u64::from(if r % 7 == 0 { r } else { words[r as usize % words.len()] });
            let args: Vec<u64> = (0..6).map(|_| pick(random())).collect();
            let result = match random() % 4 {
                0 => -(random() as i32 % 4096),
                1 => random() as i32,
                _ => (random() % 64) as i32,
            };
            let line = line(&ram, number as i32, &args, result);
            assert!(!line.contains('\n') && line.len() < 100_000, "{}: {line}", line.len());
        }
    }
}
