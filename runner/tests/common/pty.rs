//! A person at a terminal: a pseudo-terminal with the runner on it, a screen
//! that is read through a terminal emulator.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a condition may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Terminal {
    master: File,
    /// Kept open so that the settings can be looked at after the child's end.
    slave: File,
    child: Child,
    bytes: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    transcript: Vec<u8>,
}

impl Terminal {
    pub fn start(mut command: Command, rows: u16, columns: u16) -> Terminal {
        let (mut master, mut slave) = (0, 0);
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: openpty fills both descriptors or fails.
        let (master, slave) = unsafe {
            let r = libc::openpty(
                &mut master,
                &mut slave,
                std::ptr::null_mut(),
                std::ptr::null(),
                &size,
            );
            assert_eq!(r, 0, "openpty");
            // A child of another test must not keep this terminal alive.
            for fd in [master, slave] {
                assert_eq!(libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC), 0);
            }
            (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
        };
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio()).env("TERM", "xterm");
        // SAFETY: only calls that may follow a fork.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().expect("the binary starts");
        let (sender, bytes) = channel();
        let mut reader = File::from(master.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut buf = [0; 65536];
            while let Ok(n @ 1..) = reader.read(&mut buf) {
                if sender.send(buf[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal {
            master: master.into(),
            slave: slave.into(),
            child,
            bytes,
            screen: vt100::Parser::new(rows, columns, 0),
            transcript: Vec::new(),
        }
    }

    pub fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("the terminal takes input");
    }

    /// The screen's text.
    pub fn screen(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(&self.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left) {
                Ok(bytes) => {
                    self.transcript.extend(&bytes);
                    self.screen.process(&bytes);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!(
                    "waited for: {what}\nscreen:\n{}\ntranscript:\n{}",
                    self.screen(),
                    String::from_utf8_lossy(&self.transcript).escape_debug()
                ),
            }
        }
    }

    /// Waits for a whole line of the screen.
    #[track_caller]
    pub fn wait_line(&mut self, line: &str) {
        self.wait(line, |s| s.lines().any(|l| l.trim_end() == line));
    }

    /// Waits for the prompt on the last line.
    #[track_caller]
    pub fn wait_prompt(&mut self) {
        self.wait("the prompt", |s| {
            s.trim_end().lines().last().is_some_and(|l| l.trim_end() == "~ #")
        });
    }

    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running; screen:\n{}", self.screen());
            // Keeps the pty drained while waiting for the end.
            if let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(10)) {
                self.screen.process(&bytes);
            }
        }
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the ioctl reads the structure.
        let r = unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &size) };
        assert_eq!(r, 0);
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// Opens an empty file in BusyBox's vi and types text into it.
    #[track_caller]
    pub fn vi_new(&mut self, file: &str, text: &str) {
        self.send(&format!("vi {file}\r"));
        self.wait("an empty file", |s| s.contains(file) && s.lines().any(|l| l.trim_end() == "~"));
        self.send(&format!("i{}", text.replace('\n', "\r")));
        self.wait("the text", |s| s.starts_with(text));
        self.vi_commands(file);
    }

    /// Leaves insert mode. Escape and a key in one burst would be an unknown
    /// function key.
    #[track_caller]
    pub fn vi_commands(&mut self, file: &str) {
        self.send("\x1b");
        self.wait("command mode", |s| s.contains(&format!("- {file} [Modified]")));
    }

    /// Saves and quits; the file holds the text.
    #[track_caller]
    pub fn vi_save(&mut self, file: &str, text: &str) {
        self.send(":wq\r");
        self.wait_prompt();
        self.send(&format!("clear; cat {file}\r"));
        self.wait("the file", |s| s.starts_with(text));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The terminal's window is closed: nothing holds the master any more.
    /// Returns how the child ended.
    pub fn close(mut self) -> ExitStatus {
        let null = || File::options().read(true).write(true).open("/dev/null").unwrap();
        (self.master, self.slave) = (null(), null());
        // What the kernel sends to a session that loses its terminal. The reader
        // thread still holds a copy of the master, so it does not send it itself.
        self.kill(libc::SIGHUP);
        self.wait_exit()
    }

    pub fn kill(&self, signal: i32) {
        // SAFETY: our own child, not yet waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// The line discipline's settings: input, output, control and local flags.
    pub fn settings(&self) -> [u32; 4] {
        // SAFETY: tcgetattr fills the settings when it succeeds.
        unsafe {
            let mut t: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(self.slave.as_raw_fd(), &mut t), 0);
            [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag]
        }
    }
}

/// The settings of a terminal that nobody has changed.
pub fn fresh_settings() -> [u32; 4] {
    Terminal::start(Command::new("true"), 24, 80).settings()
}

/// Each of these keys ends the program at its prompt with 0, and the terminal is
/// as it was.
#[track_caller]
pub fn is_given_back(program: impl Fn() -> Command, ends: &[&str]) {
    let fresh = fresh_settings();
    for end in ends {
        let mut t = Terminal::start(program(), 24, 80);
        t.wait_prompt();
        assert_ne!(t.settings(), fresh, "not raw");
        t.send(end);
        assert_eq!(t.wait_exit().code(), Some(0), "{end:?}");
        assert_eq!(t.settings(), fresh, "{end:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
