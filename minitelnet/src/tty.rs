//! The terminal the program was started on: raw mode, its size, and the promise
//! that it is given back as it was, however the program ends.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

const STDIN: RawFd = 0;

/// The settings to give back, while the terminal is raw. A static, so that a
/// signal's thread can restore them while the main thread waits.
static SAVED: Mutex<Option<libc::termios>> = Mutex::new(None);

fn saved() -> MutexGuard<'static, Option<libc::termios>> {
    // Nothing below panics with the lock held.
    SAVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// True when all three standard descriptors are a terminal.
pub fn is_interactive() -> bool {
    // SAFETY: isatty only looks.
    (0..=2).all(|fd| unsafe { libc::isatty(fd) } == 1)
}

/// The terminal in another mode; given back on drop.
pub struct Raw(());

impl Raw {
    pub fn enter() -> io::Result<Raw> {
        tell_panics();
        raw()?;
        Ok(Raw(()))
    }

    /// Lines, edited and echoed by the terminal; `end` ends one at once.
    pub fn enter_lines(end: u8) -> io::Result<Raw> {
        tell_panics();
        lines(end)?;
        Ok(Raw(()))
    }

    pub fn set_lines(&self, end: u8) -> io::Result<()> {
        lines(end)
    }

    pub fn set_raw(&self) -> io::Result<()> {
        raw()
    }
}

/// A panic is told on a terminal in its usual state.
fn tell_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            usual(panic);
        }));
    });
}

fn raw() -> io::Result<()> {
    change(|settings| {
        // SAFETY: only changes the settings.
        unsafe { libc::cfmakeraw(settings) }
    })
}

fn lines(end: u8) -> io::Result<()> {
    change(|settings| settings.c_cc[libc::VEOL] = end)
}

/// Changes the settings the terminal had before us.
fn change(how: impl FnOnce(&mut libc::termios)) -> io::Result<()> {
    let mut saved = saved();
    let mut settings = match *saved {
        Some(settings) => settings,
        None => {
            let mut settings = MaybeUninit::<libc::termios>::uninit();
            // SAFETY: tcgetattr fills the settings when it succeeds.
            unsafe {
                if libc::tcgetattr(STDIN, settings.as_mut_ptr()) != 0 {
                    return Err(io::Error::last_os_error());
                }
                settings.assume_init()
            }
        }
    };
    *saved = Some(settings);
    how(&mut settings);
    // SAFETY: only reads the settings.
    match unsafe { libc::tcsetattr(STDIN, libc::TCSADRAIN, &settings) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if it is raw.
pub fn restore() {
    if let Some(settings) = saved().take() {
        // SAFETY: settings that tcgetattr gave. Nothing can be done on failure.
        unsafe { libc::tcsetattr(STDIN, libc::TCSADRAIN, &settings) };
    }
}

/// Rows and columns; 24 × 80 when no terminal tells.
pub fn size() -> (u16, u16) {
    for fd in 0..=2 {
        let mut size = MaybeUninit::<libc::winsize>::zeroed();
        // SAFETY: the ioctl fills the structure, which is valid as zeroes too.
        let size = unsafe {
            libc::ioctl(fd, libc::TIOCGWINSZ, size.as_mut_ptr());
            size.assume_init()
        };
        if size.ws_row != 0 && size.ws_col != 0 {
            return (size.ws_row, size.ws_col);
        }
    }
    (24, 80)
}

/// True between [`Raw::enter`] and [`restore`].
pub fn is_raw() -> bool {
    saved().is_some()
}

/// Stops this program, as Ctrl-Z does, with the terminal as it was before us.
/// Returns when it is continued, or at once if nobody could continue it.
pub fn stop() {
    restore();
    // SAFETY: the signal takes effect on this thread before `raise` returns.
    unsafe { libc::raise(libc::SIGTSTP) };
}

/// From now on a signal that ends the program gives the terminal back first. The
/// program's exit code is 128 and the signal's number.
pub fn end_on_signals() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT])?;
    std::thread::Builder::new().name("terminal-signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            restore();
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}
