//! The terminal the runner was started on: raw mode, its size, and the promise
//! that it is given back as it was.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use parking_lot::Mutex;

const STDIN: RawFd = 0;

/// The settings to give back, while the terminal is raw. A static, so that a
/// signal's thread can restore them while the main thread waits.
static SAVED: Mutex<Option<libc::termios>> = Mutex::new(None);

/// True when all three standard descriptors are a terminal.
pub fn is_interactive() -> bool {
    // SAFETY: isatty only looks.
    (0..=2).all(|fd| unsafe { libc::isatty(fd) } == 1)
}

/// Raw mode of the terminal; given back on drop.
pub struct Raw(());

impl Raw {
    pub fn enter() -> io::Result<Raw> {
        let mut saved = SAVED.lock();
        let mut settings = MaybeUninit::<libc::termios>::uninit();
        // SAFETY: tcgetattr fills the settings when it succeeds.
        let mut settings = unsafe {
            if libc::tcgetattr(STDIN, settings.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            settings.assume_init()
        };
        *saved = Some(settings);
        // SAFETY: both only change the settings they are given.
        unsafe {
            libc::cfmakeraw(&mut settings);
            if libc::tcsetattr(STDIN, libc::TCSADRAIN, &settings) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Raw(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if it is raw.
pub fn restore() {
    if let Some(settings) = SAVED.lock().take() {
        // SAFETY: settings that tcgetattr gave. Nothing can be done on failure.
        unsafe { libc::tcsetattr(STDIN, libc::TCSADRAIN, &settings) };
    }
}

/// Rows and columns; 24 × 80 when the terminal does not tell.
pub fn size() -> (u16, u16) {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the ioctl fills the structure, which is valid as zeroes too.
    let size = unsafe {
        libc::ioctl(STDIN, libc::TIOCGWINSZ, size.as_mut_ptr());
        size.assume_init()
    };
    if size.ws_row == 0 || size.ws_col == 0 {
        (24, 80)
    } else {
        (size.ws_row, size.ws_col)
    }
}

/// True between [`Raw::enter`] and [`restore`].
pub fn is_raw() -> bool {
    SAVED.lock().is_some()
}

/// Text for a raw terminal, where a line feed alone does not return the carriage.
pub fn lines(text: &[u8]) -> Vec<u8> {
    let byte = |&b: &u8| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] };
    text.iter().flat_map(byte).collect()
}

/// stderr for lines of our own, which may share the terminal with a guest.
pub struct Stderr;

impl io::Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_raw() {
            io::stderr().write_all(&lines(bytes))?;
        } else {
            io::stderr().write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
