//! How a command ended.

use std::fmt;

/// Which of its [`Limits`](crate::Limits) ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Wall or processor time.
    Time,
    Memory,
    Output,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Time => "time",
            Limit::Memory => "memory",
            Limit::Output => "output",
        })
    }
}

/// How a command ended: with a code, or by a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus {
    /// As wait(2) gives it.
    wait: u16,
    limit: Option<Limit>,
}

impl ExitStatus {
    pub(crate) fn new(wait: u16, limit: Option<Limit>) -> ExitStatus {
        ExitStatus { wait, limit }
    }

    /// The command ended with code 0.
    pub fn success(&self) -> bool {
        self.code() == Some(0)
    }

    /// The code it ended with; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        (self.wait & 0x7f == 0).then_some(i32::from(self.wait >> 8))
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        let signal = i32::from(self.wait & 0x7f);
        (signal != 0).then_some(signal)
    }

    /// The limit that ended it.
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// One number for both, as a shell gives it: the code, or 128 and the signal.
    pub fn shell_code(&self) -> i32 {
        self.code().unwrap_or(128 + i32::from(self.wait & 0x7f))
    }

    pub(crate) fn with_limit(self, limit: Limit) -> ExitStatus {
        ExitStatus { limit: Some(limit), ..self }
    }
}

impl fmt::Debug for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExitStatus({self})")
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code(), self.signal()) {
            (Some(code), _) => write!(f, "exit code {code}")?,
            (None, Some(signal)) => write!(f, "signal {signal}")?,
            (None, None) => unreachable!("a wait status is a code or a signal"),
        }
        match self.limit {
            Some(limit) => write!(f, " ({limit} limit)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_a_person_reads_it() {
        assert_eq!(ExitStatus::new(7 << 8, None).to_string(), "exit code 7");
        let killed = ExitStatus::new(9, None).with_limit(Limit::Output);
        assert_eq!(killed.to_string(), "signal 9 (output limit)");
        assert_eq!((killed.code(), killed.shell_code(), killed.success()), (None, 137, false));
    }
}
