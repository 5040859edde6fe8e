//! Structures that calls point to, as the asm-generic ABI for 32 bit with
//! 64-bit times lays them out.

use super::memory::Fields;
use super::names::{self, known};
use super::text::{pointer, quoted};

/// Every structure that `calls.txt` may name.
pub const LAYOUTS: &[&str] = &[
    "int",
    "u32",
    "u64",
    "fds",
    "longs4",
    "timespec",
    "timespecs2",
    "itimerspec",
    "itimerval",
    "sigset",
    "sigaction",
    "siginfo",
    "sigevent",
    "stack",
    "rlimit",
    "rusage",
    "statfs",
    "statx",
    "sysinfo",
    "uname",
    "epoll_event",
    "termios",
    "winsize",
    "flock",
    "msghdr",
];

/// Its size in bytes; `None` for a name that is not in the list.
pub fn size(name: &str) -> Option<usize> {
    Some(match name {
        "int" | "u32" => 4,
        "u64" | "fds" | "sigset" | "winsize" => 8,
        "timespec" | "itimerval" | "longs4" | "rlimit" | "epoll_event" | "sigaction" => 16,
        "sigevent" | "stack" => 12,
        "flock" | "siginfo" | "timespecs2" | "itimerspec" => 32,
        "msghdr" => 28,
        "termios" => 36,
        "rusage" => 72,
        "statfs" => 88,
        "statx" => 128,
        "sysinfo" => 64,
        "uname" => 6 * UTS,
        _ => return None,
    })
}

/// Bytes of each string of `struct utsname`.
const UTS: usize = 65;

/// The text of a structure (but for `msghdr`, which points to more).
pub fn show(name: &str, f: &Fields) -> String {
    match name {
        "int" | "u32" => format!("[{}]", f.i32(0)),
        "u64" => format!("[{}]", f.i64(0)),
        "fds" => format!("[{}, {}]", f.i32(0), f.i32(4)),
        "longs4" => format!(
            "{{tms_utime={}, tms_stime={}, tms_cutime={}, tms_cstime={}}}",
            f.i32(0),
            f.i32(4),
            f.i32(8),
            f.i32(12)
        ),
        "timespec" => timespec(f, 0),
        "timespecs2" => format!("[{}, {}]", timespec(f, 0), timespec(f, 16)),
        "itimerspec" => {
            format!("{{it_interval={}, it_value={}}}", timespec(f, 0), timespec(f, 16))
        }
        "itimerval" => format!("{{it_interval={}, it_value={}}}", timeval(f, 0), timeval(f, 8)),
        "sigset" => sigset(f.u64(0)),
        "sigaction" => sigaction(f),
        "siginfo" => siginfo(f),
        "sigevent" => format!("{{sigev_signo={}, sigev_notify={}}}", sig(f.u32(4)), f.i32(8)),
        "stack" => format!(
            "{{ss_sp={}, ss_flags={}, ss_size={}}}",
            pointer(f.u32(0)),
            known("ss_flags").flags(f.u32(4)),
            f.u32(8)
        ),
        "rlimit" => format!("{{rlim_cur={}, rlim_max={}}}", limit(f.u64(0)), limit(f.u64(8))),
        "rusage" => format!(
            "{{ru_utime={}, ru_stime={}, ru_maxrss={}, ...}}",
            timeval(f, 0),
            timeval(f, 8),
            f.i32(16)
        ),
        "statfs" => format!(
            "{{f_type={:#x}, f_bsize={}, f_blocks={}, f_bfree={}, ...}}",
            f.u32(0),
            f.u32(4),
            f.u64(8),
            f.u64(16)
        ),
        "statx" => format!(
            "{{stx_mask={:#x}, stx_mode={}, stx_uid={}, stx_gid={}, stx_ino={}, stx_size={}, ...}}",
            f.u32(0),
            mode(f.u16(28).into()),
            f.u32(20),
            f.u32(24),
            f.u64(32),
            f.u64(40)
        ),
        "sysinfo" => format!(
            "{{uptime={}, totalram={}, freeram={}, procs={}, mem_unit={}, ...}}",
            f.i32(0),
            f.u32(16),
            f.u32(20),
            f.u16(40),
            f.u32(52)
        ),
        "uname" => {
            let part = |i: usize| {
                let bytes = f.0.get(i * UTS..(i + 1) * UTS).unwrap_or_default();
                quoted(bytes.split(|&b| b == 0).next().unwrap_or_default())
            };
            format!(
                "{{sysname={}, nodename={}, release={}, machine={}, ...}}",
                part(0),
                part(1),
                part(2),
                part(4)
            )
        }
        "epoll_event" => {
            format!("{{events={}, data={:#x}}}", known("epoll").flags(f.u32(0)), f.u64(8))
        }
        "termios" => format!(
            "{{c_iflag={:#x}, c_oflag={:#x}, c_cflag={:#x}, c_lflag={:#x}, ...}}",
            f.u32(0),
            f.u32(4),
            f.u32(8),
            f.u32(12)
        ),
        "winsize" => format!("{{ws_row={}, ws_col={}}}", f.u16(0), f.u16(2)),
        "flock" => format!(
            "{{l_type={}, l_whence={}, l_start={}, l_len={}}}",
            match f.u16(0) {
                0 => "F_RDLCK",
                1 => "F_WRLCK",
                _ => "F_UNLCK",
            },
            known("whence").name(f.u16(2).into()),
            f.i64(8),
            f.i64(16)
        ),
        _ => "{...}".into(),
    }
}

fn timespec(f: &Fields, at: usize) -> String {
    let nsec = match f.i64(at + 8) {
        0x3fff_ffff => "UTIME_NOW".into(),
        0x3fff_fffe => "UTIME_OMIT".into(),
        n => n.to_string(),
    };
    format!("{{tv_sec={}, tv_nsec={nsec}}}", f.i64(at))
}

fn timeval(f: &Fields, at: usize) -> String {
    format!("{{tv_sec={}, tv_usec={}}}", f.i32(at), f.i32(at + 4))
}

fn limit(value: u64) -> String {
    match value {
        u64::MAX => "RLIM64_INFINITY".into(),
        n if n % 1024 == 0 && n > 0 => format!("{}*1024", n / 1024),
        n => n.to_string(),
    }
}

/// `S_IFREG|0644`
pub fn mode(mode: u32) -> String {
    const TYPE: u32 = 0o170_000;
    match known("file_type").one(mode & TYPE) {
        Some(name) => format!("{name}|{:#05o}", mode & !TYPE).replace("0o", "0"),
        None => format!("{mode:#05o}").replace("0o", "0"),
    }
}

fn sig(number: u32) -> String {
    names::signal(number)
}

/// `[INT CHLD]`, or `~[…]` when most are in it.
pub fn sigset(set: u64) -> String {
    let (not, set) = if set.count_ones() > 32 { ("~", !set) } else { ("", set) };
    let members = (1..=64u32).filter(|n| set >> (n - 1) & 1 != 0);
    let names: Vec<String> =
        members.map(|n| sig(n).strip_prefix("SIG").map_or(n.to_string(), str::to_owned)).collect();
    format!("{not}[{}]", names.join(" "))
}

fn sigaction(f: &Fields) -> String {
    let handler = match f.u32(0) {
        0 => "SIG_DFL".into(),
        1 => "SIG_IGN".into(),
        h => format!("{h:#x}"),
    };
    let flags = known("sa_flags").flags(f.u32(4));
    format!("{{sa_handler={handler}, sa_mask={}, sa_flags={flags}}}", sigset(f.u64(8)))
}

/// `{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, ...}`
pub fn siginfo(f: &Fields) -> String {
    let (signo, code) = (f.u32(0), f.u32(8));
    let name = sig(signo);
    let special = match name.as_str() {
        "SIGCHLD" => Some("si_code_chld"),
        "SIGSEGV" => Some("si_code_segv"),
        "SIGFPE" => Some("si_code_fpe"),
        "SIGILL" => Some("si_code_ill"),
        "SIGBUS" => Some("si_code_bus"),
        _ => None,
    };
    let of_kernel = (code as i32) > 0;
    let special_name = special.and_then(|set| known(set).one(code)).filter(|_| of_kernel);
    let code_name = special_name.map_or_else(|| known("si_code").name(code), str::to_owned);
    let rest = match (special_name, name.as_str()) {
        (Some(_), "SIGCHLD") => {
            // si_status is a signal for every code but CLD_EXITED.
            let status = if code == 1 { f.i32(20).to_string() } else { sig(f.u32(20)) };
            format!(", si_pid={}, si_uid={}, si_status={status}", f.i32(12), f.u32(16))
        }
        (Some(_), _) => format!(", si_addr={}", pointer(f.u32(12))),
        // SI_USER, SI_TKILL
        (None, _) if code == 0 || code as i32 == -6 => {
            format!(", si_pid={}, si_uid={}", f.i32(12), f.u32(16))
        }
        // SI_QUEUE
        (None, _) if code as i32 == -1 => {
            format!(", si_pid={}, si_uid={}, si_int={}", f.i32(12), f.u32(16), f.i32(20))
        }
        // SI_TIMER
        (None, _) if code as i32 == -2 => {
            format!(", si_timerid={}, si_overrun={}, si_int={}", f.i32(12), f.i32(16), f.i32(20))
        }
        _ => String::new(),
    };
    format!("{{si_signo={name}, si_code={code_name}{rest}}}")
}

/// A socket's address of this many bytes.
pub fn sockaddr(f: &Fields) -> String {
    let family = u32::from(f.u16(0));
    let port = u16::from_be_bytes(f.get(2));
    let name = known("af").name(family);
    let rest = match name.as_str() {
        "AF_UNIX" => {
            let path = f.0.get(2..).unwrap_or_default();
            match path.split_first() {
                None => String::new(),
                // An abstract name has every byte; a path ends with its NUL.
                Some((0, rest)) => format!(", sun_path=@{}", quoted(rest)),
                _ => {
                    let path = path.split(|&b| b == 0).next().unwrap_or_default();
                    format!(", sun_path={}", quoted(path))
                }
            }
        }
        "AF_INET" => {
            let address = std::net::Ipv4Addr::from(f.get::<4>(4));
            format!(", sin_port=htons({port}), sin_addr=inet_addr(\"{address}\")")
        }
        "AF_INET6" => {
            let address = std::net::Ipv6Addr::from(f.get::<16>(8));
            format!(", sin6_port=htons({port}), sin6_addr=inet6_addr(\"{address}\")")
        }
        "AF_NETLINK" => format!(", nl_pid={}, nl_groups={:#x}", f.i32(4), f.u32(8)),
        "AF_PACKET" => format!(", sll_protocol=htons({port:#x}), sll_ifindex={}", f.i32(4)),
        _ => ", ...".into(),
    };
    format!("{{sa_family={name}{rest}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Fields {
        Fields(words.iter().flat_map(|w| w.to_le_bytes()).collect())
    }

    #[test]
    fn every_layout_has_a_size_and_survives_any_bytes() {
        for name in LAYOUTS {
            let size = size(name).unwrap_or_else(|| panic!("{name}"));
            for byte in [0, 1, 0x7f, 0xff] {
                for len in [0, 1, size / 2, size] {
                    show(name, &Fields(vec![byte; len]));
                    sockaddr(&Fields(vec![byte; len]));
                }
            }
        }
    }

    #[test]
    fn times_and_limits() {
        let t = words(&[5, 0, 1000, 0]);
        assert_eq!(show("timespec", &t), "{tv_sec=5, tv_nsec=1000}");
        let l = words(&[0x0080_0000, 0, u32::MAX, u32::MAX]);
        assert_eq!(show("rlimit", &l), "{rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}");
    }

    #[test]
    fn signals() {
        assert_eq!(sigset(1 << 1 | 1 << 16), "[INT CHLD]");
        assert_eq!(sigset(!(1 << 8)), "~[KILL]");
        let child = words(&[17, 0, 1, 12, 0, 3, 0, 0]);
        assert_eq!(
            siginfo(&child),
            "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, si_uid=0, si_status=3}"
        );
        let segv = words(&[11, 0, 1, 24]);
        assert_eq!(siginfo(&segv), "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x18}");
        let user = words(&[15, 0, 0, 7, 1000]);
        assert_eq!(siginfo(&user), "{si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=1000}");
        let action = words(&[0x123, 0x1000_0004, 2, 0]);
        assert_eq!(
            show("sigaction", &action),
            "{sa_handler=0x123, sa_mask=[INT], sa_flags=SA_SIGINFO|SA_RESTART}"
        );
    }

    #[test]
    fn addresses_of_sockets() {
        let inet = Fields(b"\x02\0\0\x50\x7f\0\0\x01\0\0\0\0\0\0\0\0".to_vec());
        assert_eq!(
            sockaddr(&inet),
            "{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}"
        );
        let unix = Fields(b"\x01\0/tmp/s\0xx".to_vec());
        assert_eq!(sockaddr(&unix), "{sa_family=AF_UNIX, sun_path=\"/tmp/s\"}");
        let hidden = Fields(b"\x01\0\0name".to_vec());
        assert_eq!(sockaddr(&hidden), "{sa_family=AF_UNIX, sun_path=@\"name\"}");
    }

    #[test]
    fn modes() {
        assert_eq!(mode(0o100_644), "S_IFREG|0644");
        assert_eq!(mode(0o755), "0755");
        assert_eq!(mode(0), "0000");
    }
}
