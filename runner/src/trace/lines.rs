//! Events as whole lines. A call that is still running when another task is
//! heard of is written as far as it is known, and finished on a later line:
//!
//! ```text
//! 12 read(0, <unfinished ...>
//! 13 write(1, "x", 1) = 1
//! 12 <... read resumed>"y", 1) = 1
//! ```

/// Lines on their way out, and the calls that have not returned.
#[derive(Default)]
pub struct Lines {
    running: Vec<Running>,
    out: Vec<u8>,
}

struct Running {
    pid: u32,
    name: &'static str,
    begun: String,
    /// Its first part has been written.
    shown: bool,
}

impl Lines {
    /// A call begins: `begun` is its text so far.
    pub fn enter(&mut self, pid: u32, name: &'static str, begun: String) {
        self.suspend();
        self.running.retain(|r| r.pid != pid);
        self.running.push(Running { pid, name, begun, shown: false });
    }

    /// A call has returned: `rest` is what follows.
    pub fn leave(&mut self, pid: u32, name: &'static str, rest: &str) {
        let running = self.take(pid);
        self.suspend();
        let begun = match running {
            Some(r) if !r.shown => r.begun,
            _ => format!("<... {name} resumed>"),
        };
        self.line(pid, &format!("{begun}{rest}"));
    }

    /// Something that is no call: a signal.
    pub fn note(&mut self, pid: u32, text: &str) {
        self.suspend();
        self.line(pid, text);
    }

    /// The task has ended; a call it was in will not return.
    pub fn end(&mut self, pid: u32, text: &str) {
        if let Some(r) = self.take(pid) {
            let begun = if r.shown { format!("<... {} resumed>", r.name) } else { r.begun };
            self.suspend();
            self.line(pid, &format!("{}) = ?", begun.trim_end_matches(", ")));
        }
        self.note(pid, text);
    }

    /// Shows the calls that are running.
    pub fn suspend(&mut self) {
        for i in 0..self.running.len() {
            let r = &mut self.running[i];
            if !std::mem::replace(&mut r.shown, true) {
                let line = format!("{}<unfinished ...>", r.begun);
                let pid = r.pid;
                self.line(pid, &line);
            }
        }
    }

    /// True when a running call has not been shown.
    pub fn hides_something(&self) -> bool {
        self.running.iter().any(|r| !r.shown)
    }

    /// Bytes on their way out.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    pub fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn take(&mut self, pid: u32) -> Option<Running> {
        let at = self.running.iter().position(|r| r.pid == pid)?;
        Some(self.running.swap_remove(at))
    }

    fn line(&mut self, pid: u32, text: &str) {
        self.out.extend(format!("{pid} {text}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mut lines: Lines) -> String {
        String::from_utf8(lines.take_out()).unwrap()
    }

    #[test]
    fn a_call_that_returns_at_once_is_one_line() {
        let mut lines = Lines::default();
        lines.enter(1, "getpid", "getpid(".into());
        lines.leave(1, "getpid", ") = 1");
        lines.enter(1, "getpid", "getpid(".into());
        lines.leave(1, "getpid", ") = 1");
        assert_eq!(text(lines), "1 getpid() = 1\n1 getpid() = 1\n");
    }

    #[test]
    fn calls_of_several_tasks() {
        let mut lines = Lines::default();
        lines.enter(1, "read", "read(0, ".into());
        lines.enter(2, "close", "close(3".into());
        lines.leave(2, "close", ") = 0");
        lines.note(2, "--- SIGINT ---");
        lines.leave(1, "read", "\"x\", 1) = 1");
        assert_eq!(
            text(lines),
            "1 read(0, <unfinished ...>\n2 close(3) = 0\n2 --- SIGINT ---\n\
             1 <... read resumed>\"x\", 1) = 1\n"
        );
    }

    #[test]
    fn the_end_of_a_task_ends_its_call() {
        let mut lines = Lines::default();
        lines.enter(1, "exit_group", "exit_group(0".into());
        lines.end(1, "+++ exited with 0 +++");
        lines.enter(2, "read", "read(0, ".into());
        lines.suspend();
        assert!(!lines.hides_something());
        lines.end(2, "+++ killed by SIGKILL +++");
        assert_eq!(
            text(lines),
            "1 exit_group(0) = ?\n1 +++ exited with 0 +++\n2 read(0, <unfinished ...>\n\
             2 <... read resumed>) = ?\n2 +++ killed by SIGKILL +++\n"
        );
    }
}
