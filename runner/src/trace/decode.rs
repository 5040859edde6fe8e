//! A system call as text. Pure: numbers and a memory in, text out.

use super::calls::{Arg, Call, Kind, Len, Value};
use super::memory::{self, Fields, Memory};
use super::names::{self, known};
use super::structs;
use super::text::{self, pointer};

/// Elements of a list that are shown.
const LIST: usize = 16;
/// Strings of argv that are shown.
const STRINGS: usize = 32;
/// Longest socket address.
const SOCKADDR: usize = 128;
/// The kernel's largest errno.
const MAX_ERRNO: i32 = 4095;
const AT_FDCWD: i32 = -100;
const EINTR: i32 = -4;

/// One call; `result` once it has returned.
pub struct Decoder<'a> {
    pub memory: &'a dyn Memory,
    pub args: &'a [u64; 6],
    pub result: Option<i32>,
}

/// True for a result that is an error.
pub fn failed(result: i32) -> bool {
    (-MAX_ERRNO..0).contains(&result)
}

/// A plain result.
pub fn result(result: i32) -> String {
    match result {
        // Between the kernel and itself: it decides later what comes of it.
        -516..=-512 => format!("? {}", names::errno(-result)),
        r if failed(r) => format!("-1 {}", names::errno(-r)),
        r => r.to_string(),
    }
}

impl Decoder<'_> {
    /// What is known when the call begins: `openat(AT_FDCWD, "x", O_RDONLY`, up
    /// to the first argument that the kernel writes.
    pub fn begin(&self, call: &Call) -> String {
        let known = call.known_at_entry();
        let args = (0..known).map(|i| self.arg(&call.args[i], i));
        let mut text = format!("{}({}", call.name, args.collect::<Vec<_>>().join(", "));
        if known > 0 && known < call.args.len() {
            text.push_str(", ");
        }
        text
    }

    /// The other arguments, and the result.
    pub fn end(&self, call: &Call) -> String {
        let args = (call.known_at_entry()..call.args.len()).map(|i| self.arg(&call.args[i], i));
        let args = args.collect::<Vec<_>>().join(", ");
        let result = match self.result {
            None => "?".into(),
            Some(r) if failed(r) => result(r),
            Some(r) => value(call.result, r as u32 as u64),
        };
        format!("{args}) = {result}")
    }

    fn number(&self, i: usize) -> u32 {
        self.args[i] as u32
    }

    fn len(&self, len: Len) -> usize {
        let result = self.result.unwrap_or(0).max(0) as usize;
        match len {
            Len::Arg(i) => self.number(i) as usize,
            Len::Behind(i) => memory::word(self.memory, self.number(i)).map_or(0, |n| n as usize),
            Len::Result => result,
            Len::ResultWords => result.saturating_mul(4),
            Len::ArgWords(i) => (self.number(i) as usize).saturating_mul(4),
        }
    }

    fn arg(&self, arg: &Arg, i: usize) -> String {
        let number = self.number(i);
        // What a call that failed should have written is not there.
        let never_written = arg.out && self.result.is_some_and(failed);
        if let Kind::Value(kind) = arg.kind {
            return value(kind, self.args[i]);
        }
        let interrupted = matches!(arg.kind, Kind::Special("timespec_if_eintr"));
        if never_written && !interrupted {
            return pointer(number);
        }
        self.pointed(arg.kind, i).unwrap_or_else(|| pointer(number))
    }

    /// `None`: it cannot be read, its address says more.
    fn pointed(&self, kind: Kind, i: usize) -> Option<String> {
        let address = self.number(i);
        Some(match kind {
            Kind::Value(kind) => value(kind, self.args[i]),
            Kind::At if address as i32 == AT_FDCWD => "AT_FDCWD".into(),
            Kind::At => (address as i32).to_string(),
            Kind::Path => text::quoted(&self.string(address)?),
            Kind::Buf(len) => self.buffer(address, self.len(len))?,
            Kind::Strings => self.strings(address)?,
            Kind::Iov(n) => self.iov(address, self.number(n))?,
            Kind::Words(len) => {
                self.list(address, self.len(len) / 4, 4, |f| format!("{:#x}", f.u32(0)))?
            }
            Kind::Dirents(len) => self.dirents(address, self.len(len))?,
            Kind::Sockaddr(len) => {
                let len = self.len(len).min(SOCKADDR);
                structs::sockaddr(&Fields(memory::bytes(self.memory, address, len)?))
            }
            Kind::PollFds(n) => self.pollfds(address, self.number(n))?,
            Kind::EpollEvents => {
                let n = self.len(Len::Result);
                self.list(address, n, 16, |f| structs::show("epoll_event", f))?
            }
            Kind::FdSet(n) => self.fd_set(address, self.number(n))?,
            Kind::Struct("msghdr") => self.msghdr(address)?,
            Kind::Struct(name) => self.structure(name, address)?,
            Kind::Special(name) => self.special(name, i)?,
        })
    }

    fn string(&self, address: u32) -> Option<Vec<u8>> {
        memory::string(self.memory, address).filter(|_| address != 0)
    }

    fn structure(&self, name: &str, address: u32) -> Option<String> {
        let bytes = memory::bytes(self.memory, address, structs::size(name)?)?;
        Some(structs::show(name, &Fields(bytes)))
    }

    fn buffer(&self, address: u32, len: usize) -> Option<String> {
        if address == 0 {
            return None;
        }
        let bytes = memory::some(self.memory, address, len.min(text::SHOWN));
        (!bytes.is_empty() || len == 0).then(|| text::buffer(&bytes, len))
    }

    fn strings(&self, address: u32) -> Option<String> {
        if address == 0 {
            return None;
        }
        let mut out = Vec::new();
        for i in 0..STRINGS as u32 {
            let at = address.checked_add(4 * i)?;
            let string = memory::word(self.memory, at)?;
            if string == 0 {
                return Some(format!("[{}]", out.join(", ")));
            }
            let bytes = self.string(string);
            out.push(bytes.map_or_else(|| pointer(string), |b| text::buffer(&b, b.len())));
        }
        Some(format!("[{}, ...]", out.join(", ")))
    }

    /// Elements of `size` bytes each.
    fn list(
        &self,
        address: u32,
        n: usize,
        size: usize,
        show: impl Fn(&Fields) -> String,
    ) -> Option<String> {
        let shown = n.min(LIST);
        let bytes = memory::some(self.memory, address, shown * size);
        if address == 0 || bytes.len() < shown * size {
            return None;
        }
        let mut parts: Vec<String> =
            bytes.chunks_exact(size).map(|c| show(&Fields(c.to_vec()))).collect();
        if n > shown {
            parts.push("...".into());
        }
        Some(format!("[{}]", parts.join(", ")))
    }

    fn iov(&self, address: u32, n: u32) -> Option<String> {
        // What was read ends where the result says.
        let left = std::cell::Cell::new(self.result.map_or(usize::MAX, |r| r.max(0) as usize));
        self.list(address, n as usize, 8, |f| {
            let (base, len) = (f.u32(0), f.u32(4));
            let full = (len as usize).min(left.get());
            left.set(left.get() - full);
            let data = self.buffer(base, full).unwrap_or_else(|| pointer(base));
            format!("{{iov_base={data}, iov_len={len}}}")
        })
    }

    fn pollfds(&self, address: u32, n: u32) -> Option<String> {
        let events = known("poll");
        self.list(address, n as usize, 8, |f| {
            format!("{{fd={}, events={}}}", f.i32(0), events.flags(f.u16(4).into()))
        })
    }

    fn fd_set(&self, address: u32, n: u32) -> Option<String> {
        const FD_SETSIZE: u32 = 1024;
        let n = n.min(FD_SETSIZE) as usize;
        let bytes = memory::bytes(self.memory, address, n.div_ceil(32) * 4)?;
        let fds = (0..n).filter(|&fd| bytes[fd / 8] >> (fd % 8) & 1 != 0);
        Some(format!("[{}]", fds.map(|fd| fd.to_string()).collect::<Vec<_>>().join(" ")))
    }

    fn dirents(&self, address: u32, len: usize) -> Option<String> {
        const HEADER: usize = 19;
        let bytes = memory::bytes(self.memory, address, len)?;
        let (mut at, mut entries) = (0, Vec::new());
        while at + HEADER <= bytes.len() {
            let size = usize::from(u16::from_le_bytes([bytes[at + 16], bytes[at + 17]]));
            let entry = bytes.get(at + HEADER..at + size.max(HEADER))?;
            entries.push(text::quoted(entry.split(|&b| b == 0).next().unwrap_or_default()));
            at += size.max(HEADER);
        }
        let more = entries.len().saturating_sub(LIST);
        entries.truncate(LIST);
        if more > 0 {
            entries.push(format!("{more} more"));
        }
        Some(format!("[{}]", entries.join(", ")))
    }

    fn msghdr(&self, address: u32) -> Option<String> {
        let f = Fields(memory::bytes(self.memory, address, structs::size("msghdr")?)?);
        let name = memory::bytes(self.memory, f.u32(0), (f.u32(4) as usize).min(SOCKADDR))
            .map_or_else(|| pointer(f.u32(0)), |b| structs::sockaddr(&Fields(b)));
        let iov = self.iov(f.u32(8), f.u32(12)).unwrap_or_else(|| pointer(f.u32(8)));
        let flags = known("msg_flags").flags(f.u32(24));
        Some(format!(
            "{{msg_name={name}, msg_iov={iov}, msg_iovlen={}, msg_controllen={}, msg_flags={flags}}}",
            f.u32(12),
            f.u32(20)
        ))
    }

    /// Arguments that other arguments decide about.
    fn special(&self, name: &str, i: usize) -> Option<String> {
        let number = self.number(i);
        let before = i.checked_sub(1).map_or(0, |i| self.number(i));
        Some(match name {
            "sig" => names::signal(number),
            "dev" => format!("makedev({:#x}, {:#x})", number >> 8 & 0xfff, number & 0xff),
            "mode_if_create" => {
                const O_CREAT_OR_TMPFILE: u32 = 0o100 | 0o20_000_000;
                if before & O_CREAT_OR_TMPFILE == 0 {
                    return Some("0".into());
                }
                structs::mode(number & 0o7777)
            }
            "pages" => format!("{:#x}", self.args[i] << 12),
            "sock_type" => {
                let kind = known("sock_type").name(number & 0xf);
                match number & !0xf {
                    0 => kind,
                    flags => format!("{kind}|{}", known("sock_flags").flags(flags)),
                }
            }
            "sock_flags" => known("sock_flags").flags(number),
            // SOL_SOCKET
            "sockopt" if before == 1 => known("sockopt").name(number),
            "sockopt" => number.to_string(),
            "clone_flags" => {
                let flags = number & !0xff;
                let signal = names::signal(number & 0xff);
                match (flags, number & 0xff) {
                    (0, _) => signal,
                    (_, 0) => known("clone").flags(flags),
                    _ => format!("{}|{signal}", known("clone").flags(flags)),
                }
            }
            "futex_op" => {
                let op = known("futex").name(number & 0x7f);
                match number & !0x7f {
                    0 => op,
                    flags => format!("{op}|{}", known("futex_flags").flags(flags)),
                }
            }
            // Only these wait; for the others it is a number.
            "futex_timeout" => match self.number(1) & 0x7f {
                0 | 6 | 9 => self.structure("timespec", number)?,
                _ => number.to_string(),
            },
            "timespec_if_eintr" => match self.result {
                Some(EINTR) => self.structure("timespec", number)?,
                _ => return None,
            },
            "prctl_arg" => match known("prctl").one(before) {
                Some("PR_SET_NAME") => text::quoted(&self.string(number)?),
                Some("PR_SET_PDEATHSIG") => names::signal(number),
                _ => format!("{number:#x}"),
            },
            "fcntl_arg" => self.fcntl(before, number)?,
            "ioctl" => known("ioctl").one(number).map_or(format!("{number:#x}"), str::to_owned),
            "ioctl_arg" => match known("ioctl").one(before) {
                Some("TCGETS" | "TCSETS" | "TCSETSW" | "TCSETSF") => {
                    self.structure("termios", number)?
                }
                Some("TIOCGWINSZ" | "TIOCSWINSZ") => self.structure("winsize", number)?,
                Some(
                    "TIOCGPGRP" | "TIOCSPGRP" | "TIOCGSID" | "TIOCGPTN" | "TIOCSPTLCK" | "TIOCPKT"
                    | "FIONBIO" | "FIONREAD" | "TIOCOUTQ",
                ) => self.structure("int", number)?,
                _ => format!("{number:#x}"),
            },
            _ => return None,
        })
    }

    fn fcntl(&self, command: u32, argument: u32) -> Option<String> {
        Some(match known("fcntl").one(command)? {
            "F_SETFD" => known("fd_flags").flags(argument),
            "F_SETFL" => known("open").flags(argument),
            "F_ADD_SEALS" => known("seals").flags(argument),
            "F_GETLK" | "F_SETLK" | "F_SETLKW" | "F_OFD_GETLK" | "F_OFD_SETLK" | "F_OFD_SETLKW" => {
                self.structure("flock", argument)?
            }
            "F_GETFD" | "F_GETFL" | "F_GETOWN" | "F_GETSIG" | "F_GET_SEALS" | "F_GETPIPE_SZ" => {
                "0".into()
            }
            _ => (argument as i32).to_string(),
        })
    }
}

fn value(kind: Value, value: u64) -> String {
    let word = value as u32;
    match kind {
        Value::Int => (word as i32).to_string(),
        Value::Unsigned => word.to_string(),
        Value::Long => (value as i64).to_string(),
        Value::Hex => pointer(word),
        Value::Octal => structs::mode(word),
        Value::Flags(set) => set.flags(word),
        Value::Enum(set) => set.name(word),
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
