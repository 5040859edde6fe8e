//! Where the whole stands: `[ 4/11  38%  2:41] kernel: compiling 512 of 840`.
//!
//! On a terminal one line is rewritten twice a second; elsewhere (CI logs) a
//! line is printed every five seconds and whenever a step begins or ends. The
//! share counts every step by its usual time on two cores.

use std::io::{self, IsTerminal, Write};
use std::sync::{mpsc, Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// A step of the plan; `weight` is its usual time in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub name: &'static str,
    pub weight: u32,
}

const REDRAW: Duration = Duration::from_millis(500);
const PRINT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_secs(1);

/// Shared by the thread that works and the one that draws.
#[derive(Clone)]
pub struct Progress(Arc<Mutex<Board>>);

/// Ends a [`Progress::poll`] when dropped.
pub struct Polling(mpsc::Sender<()>);

impl Drop for Polling {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Ends a [`Progress::waiting`] when dropped.
pub struct Waiting(Progress);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.board().waits = None;
    }
}

struct Board {
    plan: Vec<Step>,
    /// Index of the current step; `plan.len()` after the last.
    at: usize,
    doing: String,
    /// For whom, and since when: shown instead of what was done before.
    waits: Option<(String, Instant)>,
    /// Share of the current step that is done, 0 to 1.
    share: f64,
    began: Instant,
    tty: bool,
    /// Before the first step and after the last: draw nothing.
    quiet: bool,
    drawn: Instant,
    /// Something was drawn: there was something to do.
    shown: bool,
}

impl Progress {
    pub fn new(plan: &[Step]) -> Progress {
        let progress = Progress(Arc::new(Mutex::new(Board {
            plan: plan.to_vec(),
            at: 0,
            doing: String::new(),
            waits: None,
            share: 0.0,
            began: Instant::now(),
            tty: io::stderr().is_terminal(),
            quiet: true,
            drawn: Instant::now(),
            shown: false,
        })));
        let board = Arc::downgrade(&progress.0);
        thread::spawn(move || loop {
            thread::sleep(REDRAW);
            let Some(board) = board.upgrade() else { return };
            let mut board = board.lock().unwrap();
            if !board.quiet && (board.tty || board.drawn.elapsed() >= PRINT) {
                board.draw();
            }
        });
        progress
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap()
    }

    /// Enters the step called `name`; those before it are done.
    pub fn step(&self, name: &str) {
        let mut board = self.board();
        let at = board.plan.iter().position(|s| s.name == name);
        board.at = at.expect("every step is in the plan");
        board.share = 0.0;
        board.doing.clear();
        board.quiet = false;
    }

    /// Says what the current step does now.
    pub fn doing(&self, what: &str) {
        let mut board = self.board();
        if board.doing != what {
            board.doing = what.into();
            board.draw();
        }
    }

    /// The current step waits for `whom` until the guard is dropped.
    pub fn waiting(&self, whom: &str) -> Waiting {
        let mut board = self.board();
        board.waits = Some((whom.into(), Instant::now()));
        if !board.quiet {
            board.draw();
        }
        Waiting(self.clone())
    }

    #[cfg(test)]
    pub fn waits_for(&self) -> Option<String> {
        self.board().waits.as_ref().map(|(whom, _)| whom.clone())
    }

    /// The current step has done `done` of `all`, counted as `what`.
    pub fn count(&self, what: &str, done: usize, all: usize) {
        let mut board = self.board();
        let all = all.max(done).max(1);
        board.share = done as f64 / all as f64;
        board.doing = format!("{what} {done} of {all}");
    }

    /// Calls `look` every now and then, until the guard is dropped, to count
    /// what a silent program has done so far.
    pub fn poll(
        &self,
        what: &'static str,
        all: usize,
        mut look: impl FnMut() -> usize + Send + 'static,
    ) -> Polling {
        let (sender, receiver) = mpsc::channel();
        let progress = self.clone();
        thread::spawn(move || {
            while receiver.recv_timeout(POLL) == Err(mpsc::RecvTimeoutError::Timeout) {
                match look() {
                    0 => {}
                    done => progress.count(what, done, all),
                }
            }
        });
        Polling(sender)
    }

    /// Prints a line of its own.
    pub fn note(&self, text: &str) {
        let mut board = self.board();
        board.wipe();
        eprintln!("{text}");
        if !board.quiet && board.tty {
            board.draw();
        }
    }

    /// Ends the display; says nothing if nothing had to be done.
    pub fn finish(&self) {
        let mut board = self.board();
        board.at = board.plan.len();
        board.doing = "done".into();
        board.quiet = true;
        if board.shown {
            board.draw();
            if board.tty {
                eprintln!();
            }
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        if !self.quiet {
            self.wipe();
        }
    }
}

impl Board {
    fn line(&self) -> String {
        let secs = self.began.elapsed().as_secs();
        let waits = self.waits.as_ref().map(|(whom, since)| {
            format!("waiting for {whom}, {} so far", clock(since.elapsed().as_secs()))
        });
        let doing = waits.as_deref().unwrap_or(&self.doing);
        format_line(&self.plan, self.at, self.share, secs, doing)
    }

    fn draw(&mut self) {
        self.drawn = Instant::now();
        self.shown = true;
        let line = self.line();
        if self.tty {
            let width = rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |w| w.ws_col);
            let cut: String = line.chars().take(usize::from(width).saturating_sub(1)).collect();
            eprint!("\r\x1b[K{cut}");
            let _ = io::stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    fn wipe(&self) {
        if self.tty {
            eprint!("\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }
}

fn clock(secs: u64) -> String {
    format!("{}:{:02}", secs / 60, secs % 60)
}

fn format_line(plan: &[Step], at: usize, share: f64, secs: u64, doing: &str) -> String {
    let weight = |steps: &[Step]| f64::from(steps.iter().map(|s| s.weight).sum::<u32>());
    let at = at.min(plan.len());
    let mut done = weight(&plan[..at]);
    if let Some(step) = plan.get(at) {
        done += f64::from(step.weight) * share.clamp(0.0, 1.0);
    }
    let percent = (100.0 * done / weight(plan).max(1.0)).floor();
    let n = (at + 1).min(plan.len());
    let head = format!("[{n:2}/{} {percent:3.0}% {:>5}]", plan.len(), clock(secs));
    match plan.get(at) {
        Some(step) if doing.is_empty() => format!("{head} {}", step.name),
        Some(step) => format!("{head} {}: {doing}", step.name),
        None => format!("{head} {doing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &[Step] = &[
        Step { name: "source", weight: 20 },
        Step { name: "kernel", weight: 60 },
        Step { name: "runner", weight: 20 },
    ];

    #[test]
    fn a_line_shows_step_share_and_time() {
        let line = |at, share, secs, doing| format_line(PLAN, at, share, secs, doing);
        assert_eq!(line(0, 0.0, 0, ""), "[ 1/3   0%  0:00] source");
        assert_eq!(line(1, 0.5, 161, "compiling"), "[ 2/3  50%  2:41] kernel: compiling");
        assert_eq!(line(2, 0.999, 3600, "x"), "[ 3/3  99% 60:00] runner: x");
        assert_eq!(line(3, 0.0, 3601, "done"), "[ 3/3 100% 60:01] done");
    }

    #[test]
    fn a_share_never_leaves_its_step() {
        assert!(format_line(PLAN, 1, 7.0, 0, "").contains(" 80%"));
        assert!(format_line(PLAN, 1, -1.0, 0, "").contains(" 20%"));
    }

    #[test]
    fn who_is_waited_for_is_shown_instead_of_the_last_thing_done() {
        let progress = Progress::new(PLAN);
        progress.step("kernel");
        progress.doing("unpacking");
        let waiting = progress.waiting("another process that makes it");
        let line = progress.board().line();
        assert!(line.ends_with(" kernel: waiting for another process that makes it, 0:00 so far"));
        drop(waiting);
        assert!(progress.board().line().ends_with("kernel: unpacking"));
    }

    #[test]
    fn counting_past_what_was_expected_is_no_error() {
        let progress = Progress::new(PLAN);
        progress.step("kernel");
        progress.count("object", 900, 840);
        assert_eq!(progress.board().doing, "object 900 of 900");
    }
}
