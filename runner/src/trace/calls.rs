//! The table of system calls (`calls.txt`).

use std::sync::OnceLock;

use super::names::{self, Set};

/// What a call is called and what its arguments are.
#[derive(Debug)]
pub struct Call {
    pub name: &'static str,
    pub args: Vec<Arg>,
    pub result: Value,
    /// One of its arguments is a file descriptor.
    pub takes_descriptor: bool,
}

impl Call {
    /// How many arguments can be shown before the kernel has written any.
    pub fn known_at_entry(&self) -> usize {
        self.args.iter().position(|a| a.out).unwrap_or(self.args.len())
    }
}

/// One argument.
#[derive(Debug)]
pub struct Arg {
    pub kind: Kind,
    /// The kernel writes it: it is shown when the call has returned.
    pub out: bool,
}

/// Where a length comes from.
#[derive(Debug, Clone, Copy)]
pub enum Len {
    Arg(usize),
    /// An argument that points to it.
    Behind(usize),
    Result,
    /// The result counts 4-byte words.
    ResultWords,
    /// The argument counts 4-byte words.
    ArgWords(usize),
}

/// A number and how it is shown.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    Int,
    Unsigned,
    Long,
    Hex,
    Octal,
    Flags(&'static Set),
    Enum(&'static Set),
}

/// Every kind of argument; `decode.rs` shows them.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Value(Value),
    /// A descriptor to start a path from.
    At,
    Path,
    Buf(Len),
    Strings,
    Iov(usize),
    Words(Len),
    Dirents(Len),
    Sockaddr(Len),
    PollFds(usize),
    EpollEvents,
    FdSet(usize),
    /// Decided by another argument or by the call's number.
    Special(&'static str),
    /// A structure: see `structs.rs`.
    Struct(&'static str),
}

const SPECIAL: &[&str] = &[
    "mode_if_create",
    "fcntl_arg",
    "ioctl",
    "ioctl_arg",
    "prctl_arg",
    "sock_type",
    "sock_flags",
    "sockopt",
    "clone_flags",
    "futex_op",
    "futex_timeout",
    "pages",
    "sig",
    "dev",
    "timespec_if_eintr",
];

/// The call with this number, if there is one.
pub fn call(number: i32) -> Option<&'static Call> {
    calls().get(usize::try_from(number).ok()?)?.as_ref()
}

/// Every call, by number.
pub fn calls() -> &'static [Option<Call>] {
    static CALLS: OnceLock<Vec<Option<Call>>> = OnceLock::new();
    CALLS.get_or_init(|| {
        let mut calls = Vec::new();
        for line in include_str!("calls.txt").lines().filter(|l| !l.starts_with('#')) {
            let (number, call) = parse(line).unwrap_or_else(|| panic!("calls.txt: {line}"));
            calls.resize_with(calls.len().max(number + 1), || None);
            calls[number] = Some(call);
        }
        calls
    })
}

fn parse(line: &'static str) -> Option<(usize, Call)> {
    let (line, result) = match line.split_once(" = ") {
        Some((line, kind)) => (line, value(kind)?),
        None => (line, Value::Int),
    };
    let mut words = line.split(' ');
    let number = words.next()?.parse().ok()?;
    let name = words.next()?;
    let takes_descriptor = words.clone().any(|w| w == "fd");
    let args = words.map(arg).collect::<Option<Vec<_>>>()?;
    (args.len() <= 6).then_some((number, Call { name, args, result, takes_descriptor }))
}

fn arg(word: &'static str) -> Option<Arg> {
    let (word, out) = match word.strip_prefix('>') {
        Some(word) => (word, true),
        None => (word, false),
    };
    let kind = match value(word) {
        Some(value) => Kind::Value(value),
        None => kind(word)?,
    };
    Some(Arg { kind, out })
}

fn value(word: &str) -> Option<Value> {
    Some(match word {
        "d" | "fd" => Value::Int,
        "u" => Value::Unsigned,
        "l" => Value::Long,
        "x" | "p" | "hex" => Value::Hex,
        "mode" => Value::Octal,
        _ => match word.split_once(':')? {
            ("flags", set) => Value::Flags(names::set(set)?),
            ("enum", set) => Value::Enum(names::set(set)?),
            _ => return None,
        },
    })
}

fn kind(word: &'static str) -> Option<Kind> {
    let (name, parameter) = word.split_once(':').unwrap_or((word, ""));
    Some(match name {
        "at" => Kind::At,
        "path" | "str" => Kind::Path,
        "buf" => Kind::Buf(len(parameter)?),
        "argv" | "envp" => Kind::Strings,
        "iov" => Kind::Iov(index(parameter)?),
        "words" => Kind::Words(len(parameter)?),
        "dirents" => Kind::Dirents(len(parameter)?),
        "sockaddr" => Kind::Sockaddr(len(parameter)?),
        "pollfds" => Kind::PollFds(index(parameter)?),
        "epoll_events" => Kind::EpollEvents,
        "fd_set" => Kind::FdSet(index(parameter)?),
        _ if SPECIAL.contains(&name) => Kind::Special(name),
        _ if super::structs::LAYOUTS.contains(&name) => Kind::Struct(name),
        _ => return None,
    })
}

fn index(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&i| i < 6)
}

/// `2`: argument 2; `*2`: what it points to; `r`: the result; `r4`, `04`: the
/// result, argument 0 counts words.
fn len(text: &str) -> Option<Len> {
    Some(match text {
        "r" => Len::Result,
        "r4" => Len::ResultWords,
        _ => match (text.strip_prefix('*'), text.len()) {
            (Some(i), _) => Len::Behind(index(i)?),
            (None, 2) => Len::ArgWords(index(text.strip_suffix('4')?)?),
            _ => Len::Arg(index(text)?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        let open = call(56).unwrap();
        assert_eq!((open.name, open.args.len()), ("openat", 4));
        assert!(call(-1).is_none() && call(4).is_none() && call(100_000).is_none());
    }
}
