//! The escape character and the small prompt behind it.
//!
//! ```text
//!  passing ──^]──► prompt "telnet> " ──line──► command, then passing
//!     ▲               │ ^] or an empty line
//!     └───────────────┘
//! ```
//!
//! The prompt edits its line itself, since the terminal may be raw.

/// Ctrl-].
pub(crate) const ESCAPE: u8 = 0x1d;

/// What comes of keys, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// For the peer.
    Send(Vec<u8>),
    /// For the terminal.
    Show(Vec<u8>),
    Do(Action),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Close,
    Status,
    Suspend,
    Break,
    AreYouThere,
    Interrupt,
}

pub(crate) const HELP: &str = "close (c)    end the connection\r
status       what the two sides have agreed on\r
z            stop this program; `fg` in the shell goes on\r
escape (^])  send the escape character itself\r
brk, ip, ayt send a break, an interrupt, an are-you-there\r
help (?)     this\r
An empty line goes back to the session.\r\n";

const PROMPT: &str = "\r\ntelnet> ";

#[derive(Default)]
pub(crate) struct Escape {
    /// The line at the prompt, while it is there.
    line: Option<Vec<u8>>,
    /// Every key is the peer's.
    off: bool,
}

impl Escape {
    pub fn off() -> Escape {
        Escape { off: true, ..Escape::default() }
    }

    pub fn at_prompt(&self) -> bool {
        self.line.is_some()
    }

    pub fn keys(&mut self, keys: &[u8]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rest = keys;
        while !rest.is_empty() {
            if self.line.is_none() {
                let escape = rest.iter().position(|&key| key == ESCAPE && !self.off);
                let n = escape.unwrap_or(rest.len());
                if n > 0 {
                    steps.push(Step::Send(rest[..n].to_vec()));
                }
                if n < rest.len() {
                    self.line = Some(Vec::new());
                    steps.push(Step::Show(PROMPT.into()));
                }
                rest = &rest[(n + 1).min(rest.len())..];
            } else {
                self.edit(rest[0], &mut steps);
                rest = &rest[1..];
            }
        }
        steps
    }

    fn edit(&mut self, key: u8, steps: &mut Vec<Step>) {
        let Some(line) = &mut self.line else { return };
        match key {
            b'\r' | b'\n' => {
                let line = self.line.take().unwrap_or_default();
                steps.push(Step::Show(b"\r\n".to_vec()));
                self.command(String::from_utf8_lossy(&line).trim(), steps);
            }
            // Twice the key is the character itself, as in a shell's quote.
            ESCAPE if line.is_empty() => {
                self.line = None;
                steps.push(Step::Show(b"\r\n".to_vec()));
                steps.push(Step::Send(vec![ESCAPE]));
            }
            // Single keys, without Enter.
            b'z' | 0x1a if line.is_empty() => {
                self.line = None;
                steps.push(Step::Show(b"\r\n".to_vec()));
                steps.push(Step::Do(Action::Suspend));
            }
            8 | 0x7f if line.pop().is_some() => {
                steps.push(Step::Show(b"\x08 \x08".to_vec()));
            }
            // Ctrl-C and Ctrl-U throw the line away.
            3 | 0x15 => {
                line.clear();
                steps.push(Step::Show(PROMPT.into()));
            }
            // Ctrl-D on an empty line ends, as a shell's does.
            4 if line.is_empty() => steps.push(Step::Do(Action::Close)),
            b' '..=b'~' if line.len() < 64 => {
                line.push(key);
                steps.push(Step::Show(vec![key]));
            }
            _ => {}
        }
    }

    fn command(&mut self, command: &str, steps: &mut Vec<Step>) {
        let action = match command {
            "" => return,
            "close" | "c" | "quit" | "q" | "exit" => Action::Close,
            "status" | "st" => Action::Status,
            "suspend" => Action::Suspend,
            "brk" | "break" => Action::Break,
            "ayt" => Action::AreYouThere,
            "ip" => Action::Interrupt,
            "escape" => return steps.push(Step::Send(vec![ESCAPE])),
            _ => {
                let known = ["help", "h", "?"].contains(&command);
                let unknown = format!("unknown command: {command}\r\n");
                let text = if known { "" } else { &unknown };
                self.line = Some(Vec::new());
                steps.push(Step::Show(format!("{text}{HELP}{PROMPT}").into()));
                return;
            }
        };
        steps.push(Step::Do(action));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(keys: &[u8]) -> (Vec<u8>, String, Vec<Action>) {
        let mut escape = Escape::default();
        let (mut sent, mut shown, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for chunk in keys.chunks(3) {
            for step in escape.keys(chunk) {
                match step {
                    Step::Send(bytes) => sent.extend(bytes),
                    Step::Show(bytes) => shown.extend(bytes),
                    Step::Do(action) => done.push(action),
                }
            }
        }
        (sent, String::from_utf8(shown).unwrap(), done)
    }

    #[test]
    fn keys_pass() {
        assert_eq!(run(b"ls\r\x03\xff\0"), (b"ls\r\x03\xff\0".to_vec(), String::new(), vec![]));
    }

    #[test]
    fn commands_are_done() {
        for (keys, action) in [
            (&b"a\x1dclose\rb"[..], Action::Close),
            (b"a\x1dq\nb", Action::Close),
            (b"a\x1d\x04", Action::Close),
            (b"a\x1d status \rb", Action::Status),
            (b"a\x1dzb", Action::Suspend),
            (b"a\x1dxx\x7f\x7fayt\rb", Action::AreYouThere),
            (b"a\x1dnonsense\x03ip\rb", Action::Interrupt),
        ] {
            let (sent, shown, done) = run(keys);
            assert_eq!(done, [action], "{keys:?}");
            assert!(sent == b"ab" || keys.ends_with(b"\x04"), "{sent:?}");
            assert!(shown.starts_with(PROMPT));
        }
    }

    #[test]
    fn the_escape_itself_is_sent() {
        assert_eq!(run(b"a\x1d\x1db").0, b"a\x1db");
        assert_eq!(run(b"a\x1descape\rb").0, b"a\x1db");
        assert_eq!(run(b"a\x1d\rb").0, b"ab");
    }

    #[test]
    fn help_comes_for_what_is_unknown() {
        for (keys, text) in
            [(&b"\x1dwhat\rc\r"[..], "unknown command: what"), (b"\x1d?\rc\r", HELP)]
        {
            let (sent, shown, done) = run(keys);
            assert!(shown.contains(text) && shown.contains(HELP), "{shown}");
            assert_eq!((sent, done), (vec![], vec![Action::Close]));
        }
    }
}
