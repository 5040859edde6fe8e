//! Which system calls are shown: `--trace-filter`.

use super::calls::{calls, Call, Kind};

/// Groups of calls that are not told by their arguments.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "process",
        &[
            "clone",
            "clone3",
            "execve",
            "execveat",
            "exit",
            "exit_group",
            "waitid",
            "kill",
            "tkill",
            "tgkill",
            "pidfd_open",
            "pidfd_send_signal",
            "setsid",
            "setpgid",
            "unshare",
            "setns",
            "prctl",
            "ptrace",
        ],
    ),
    (
        "signal",
        &[
            "kill",
            "tkill",
            "tgkill",
            "sigaltstack",
            "rt_sigsuspend",
            "rt_sigaction",
            "rt_sigprocmask",
            "rt_sigpending",
            "rt_sigqueueinfo",
            "rt_sigreturn",
            "rt_tgsigqueueinfo",
            "rt_sigtimedwait",
            "signalfd4",
            "pidfd_send_signal",
        ],
    ),
    (
        "memory",
        &[
            "brk",
            "munmap",
            "mremap",
            "mmap2",
            "mprotect",
            "msync",
            "mlock",
            "mlock2",
            "munlock",
            "mlockall",
            "munlockall",
            "mincore",
            "madvise",
            "shmat",
            "shmdt",
            "remap_file_pages",
        ],
    ),
    (
        "network",
        &[
            "socket",
            "socketpair",
            "bind",
            "listen",
            "accept",
            "accept4",
            "connect",
            "getsockname",
            "getpeername",
            "sendto",
            "recvfrom",
            "setsockopt",
            "getsockopt",
            "shutdown",
            "sendmsg",
            "recvmsg",
            "sendmmsg",
            "recvmmsg",
        ],
    ),
];

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FilterError {
    #[error("there is no system call `{0}`")]
    Unknown(String),
    #[error(
        "there is no group `%{0}`: they are %file, %desc, %process, %signal, %memory, %network"
    )]
    Group(String),
    #[error("name system calls or groups, such as `openat,read,%process` or `!%memory`")]
    Empty,
}

/// The chosen calls, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<bool>);

impl Filter {
    /// True when the call is to be shown; every call without a filter.
    pub fn shows(&self, number: i32) -> bool {
        let index = usize::try_from(number).ok();
        self.0.is_empty() || index.is_some_and(|n| self.0.get(n) == Some(&true))
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    /// `name,%group`; with `!` in front, all others.
    fn from_str(text: &str) -> Result<Filter, FilterError> {
        let (invert, list) = match text.strip_prefix('!') {
            Some(list) => (true, list),
            None => (false, text),
        };
        let mut chosen = vec![invert; calls().len()];
        for word in list.split(',') {
            let picks: Box<dyn Fn(&Call) -> bool> = match word.strip_prefix('%') {
                _ if word.is_empty() => return Err(FilterError::Empty),
                Some("file") => Box::new(|c| {
                    c.args
                        .iter()
                        .any(|a| matches!(a.kind, Kind::At) || matches!(a.kind, Kind::Path))
                }),
                Some("desc") => Box::new(|c| c.takes_descriptor),
                Some(name) => {
                    let group = GROUPS.iter().find(|(group, _)| *group == name);
                    let group = group.ok_or_else(|| FilterError::Group(name.to_owned()))?.1;
                    Box::new(move |c| group.contains(&base(c.name)) || group.contains(&c.name))
                }
                None => {
                    let word = word.to_owned();
                    Box::new(move |c| c.name == word || base(c.name) == word)
                }
            };
            let mut any = false;
            for (number, call) in calls().iter().enumerate() {
                if call.as_ref().is_some_and(&picks) {
                    chosen[number] = !invert;
                    any = true;
                }
            }
            if !any {
                return Err(FilterError::Unknown(word.to_owned()));
            }
        }
        Ok(Filter(chosen))
    }
}

/// The name that people use: `ppoll` for `ppoll_time64`, `mmap` for `mmap2`.
fn base(name: &str) -> &str {
    let name = name.strip_suffix("_time64").unwrap_or(name);
    match name {
        "mmap2" => "mmap",
        "fadvise64_64" => "fadvise64",
        "eventfd2" | "umount2" | "pipe2" | "dup3" => name,
        _ => name.strip_suffix("64").unwrap_or(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn names_and_groups() {
        let some = filter("openat,read,ppoll,mmap,fstatfs");
        assert!([56, 63, 414, 222, 44].iter().all(|&n| some.shows(n)));
        assert!(!some.shows(64) && !some.shows(-1) && !some.shows(9999));
        let others = filter("!read,%memory");
        assert!(others.shows(64) && !others.shows(63) && !others.shows(214));
        assert!(filter("%file").shows(56) && !filter("%file").shows(63));
        assert!(filter("%desc").shows(63) && !filter("%desc").shows(172));
        assert!(filter("%network").shows(417), "recvmmsg");
        assert!(Filter::default().shows(1000));
    }

    #[test]
    fn every_name_in_a_group_is_a_call() {
        for (group, names) in GROUPS {
            for name in *names {
                let found =
                    calls().iter().flatten().any(|c| base(c.name) == *name || c.name == *name);
                assert!(found, "%{group}: {name}");
            }
        }
    }

    #[test]
    fn mistakes() {
        let error = |text: &str| text.parse::<Filter>().unwrap_err();
        assert_eq!(error("opnat"), FilterError::Unknown("opnat".into()));
        assert_eq!(error("%files"), FilterError::Group("files".into()));
        assert_eq!(error(""), FilterError::Empty);
        assert_eq!(error("read,"), FilterError::Empty);
    }
}
