//! Sockets and descriptors over libuv.
//!
//! ```text
//!  Loop ─ Sockets ─┐
//!         Socket ──┼─ Rc<Core> ── uv_loop_t, changes
//!         Listener ┘      ▲ loop.data
//!  libuv ─ callbacks ─────┘ and through handle.data to the handle's own box
//! ```
//!
//! Who may touch what:
//!
//! 1. Everything is on one thread (`Rc` sees to that), but `uv_async_send`.
//! 2. A handle lives in a box of its own. `Socket` or `Listener` owns it; dropping
//!    the owner starts `uv_close`, whose callback frees the box. Requests are part
//!    of the box: libuv ends them before that callback.
//! 3. A reference into a box or into `Core`'s cells lives only within a function of
//!    this module, and never across `uv_run`, the only call that runs callbacks.
//! 4. `Core` outlives every handle but those being closed, and waits for these in
//!    its `Drop`.
//!
//! libuv wants SIGPIPE ignored, as it is in every Rust program.

mod address;
mod listener;
mod stream;

use std::cell::RefCell;
use std::ffi::{c_int, CStr};
use std::mem;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use libuv_sys2 as sys;

use crate::backend::Change;
use crate::event_loop::Stdio;
use crate::wake::{lock, Notify};
use crate::{Address, Error};

pub(crate) use listener::Listener;
pub(crate) use stream::Socket;

/// The loop's own use of libuv.
pub(crate) struct Sockets {
    core: Rc<Core>,
}

/// Shared by everything that belongs to one `uv_loop_t`.
struct Core {
    uv: *mut sys::uv_loop_t,
    /// Ends a wait.
    timer: *mut sys::uv_timer_t,
    wake: Arc<Wake>,
    changes: RefCell<Vec<Change>>,
    /// Buffers that no read uses at the moment.
    spare: RefCell<Vec<Vec<u8>>>,
}

/// The handle that other threads may use; `None` when the loop is gone.
struct Wake(Mutex<Option<*mut sys::uv_async_t>>);

// SAFETY: `uv_async_send` is meant for other threads, and needs the handle not to
// be closed meanwhile: it is called, and the handle taken away, under the lock.
unsafe impl Send for Wake {}
// SAFETY: as above.
unsafe impl Sync for Wake {}

impl Notify for Wake {
    fn notify(&self) {
        if let Some(handle) = *lock(&self.0) {
            // SAFETY: not closed, see the type.
            unsafe { sys::uv_async_send(handle) };
        }
    }
}

impl Sockets {
    pub fn new() -> Result<Option<Sockets>, Error> {
        let what = "cannot make an event loop";
        // SAFETY: the structures are plain C, for which zeroes are a value; each is
        // in a box of its own from its initialisation until libuv is done with it.
        // The loop has its `data` set before any callback can run.
        unsafe {
            let uv = Box::into_raw(Box::new(mem::zeroed()));
            if let Err(error) = check(what, sys::uv_loop_init(uv)) {
                drop(Box::from_raw(uv));
                return Err(error);
            }
            let wake: *mut sys::uv_async_t = Box::into_raw(Box::new(mem::zeroed()));
            if let Err(error) = check(what, sys::uv_async_init(uv, wake, Some(on_wake))) {
                drop(Box::from_raw(wake));
                sys::uv_loop_close(uv);
                drop(Box::from_raw(uv));
                return Err(error);
            }
            let timer = Box::into_raw(Box::new(mem::zeroed()));
            // Cannot fail.
            sys::uv_timer_init(uv, timer);
            let core = Rc::new(Core {
                uv,
                timer,
                wake: Arc::new(Wake(Mutex::new(Some(wake)))),
                changes: RefCell::default(),
                spare: RefCell::default(),
            });
            (*uv).data = Rc::as_ptr(&core).cast_mut().cast();
            Ok(Some(Sockets { core }))
        }
    }

    pub fn notifier(&self) -> Arc<dyn Notify> {
        self.core.wake.clone()
    }

    /// Lets libuv look at the host once, and wait until then if nothing is up.
    pub fn wait(&mut self, until: Option<Instant>) {
        let core = &*self.core;
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // SAFETY: loop and timer are live. Callbacks run here and nowhere else; we
        // hold no reference into a box nor into a cell.
        unsafe {
            match left {
                None => {
                    sys::uv_run(core.uv, sys::uv_run_mode_UV_RUN_ONCE);
                }
                Some(left) if left.is_zero() => {
                    sys::uv_run(core.uv, sys::uv_run_mode_UV_RUN_NOWAIT);
                }
                Some(left) => {
                    // Never early: rounded up.
                    let ms = left.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(u64::MAX);
                    sys::uv_update_time(core.uv);
                    sys::uv_timer_start(core.timer, Some(on_timer), ms, 0);
                    sys::uv_run(core.uv, sys::uv_run_mode_UV_RUN_ONCE);
                    sys::uv_timer_stop(core.timer);
                }
            }
        }
    }

    pub fn changes(&mut self) -> Vec<Change> {
        mem::take(&mut *self.core.changes.borrow_mut())
    }

    pub fn connect(&mut self, address: &Address) -> Result<Socket, Error> {
        Socket::connect(&self.core, address)
    }

    pub fn listen(&mut self, address: &Address) -> Result<Listener, Error> {
        Listener::new(&self.core, address)
    }

    pub fn stdio(&mut self, which: Stdio) -> Result<Socket, Error> {
        Socket::stdio(&self.core, which)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        // Accepted streams in there hold the core.
        self.changes();
    }
}

impl Core {
    /// The core of a loop, in a callback.
    ///
    /// # Safety
    /// `uv` is a live loop of ours, and it is not being dropped.
    unsafe fn of(uv: *mut sys::uv_loop_t) -> Rc<Core> {
        // SAFETY: `data` came from an `Rc` that is still there; the count is raised
        // for the one made here.
        unsafe {
            let core = (*uv).data.cast::<Core>().cast_const();
            Rc::increment_strong_count(core);
            Rc::from_raw(core)
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let wake = lock(&self.wake.0).take().expect("taken here only");
        // SAFETY: the handles are live, and closed once. All others are closing
        // already, for their owners held this core. Callbacks of closing handles
        // use their own boxes only. Nothing uses the loop afterwards.
        unsafe {
            sys::uv_close(wake.cast(), Some(on_closed::<sys::uv_async_t>));
            sys::uv_close(self.timer.cast(), Some(on_closed::<sys::uv_timer_t>));
            while sys::uv_run(self.uv, sys::uv_run_mode_UV_RUN_DEFAULT) != 0 {}
            let left = sys::uv_loop_close(self.uv);
            debug_assert_eq!(left, 0, "a handle was not closed");
            if left == 0 {
                drop(Box::from_raw(self.uv));
            }
        }
    }
}

unsafe extern "C" fn on_wake(_: *mut sys::uv_async_t) {}

unsafe extern "C" fn on_timer(_: *mut sys::uv_timer_t) {}

/// Frees the box of a closed handle.
unsafe extern "C" fn on_closed<T>(handle: *mut sys::uv_handle_t) {
    // SAFETY: the handle is the first of a boxed `T`, which libuv has let go of.
    drop(unsafe { Box::from_raw(handle.cast::<T>()) });
}

/// What libuv says of an error.
fn text(code: c_int) -> String {
    // SAFETY: a static text for known codes, else a small leaked one.
    unsafe { CStr::from_ptr(sys::uv_strerror(code)) }.to_string_lossy().into_owned()
}

fn check(what: &'static str, code: c_int) -> Result<(), Error> {
    match code {
        0.. => Ok(()),
        _ => Err(Error::Host { what, why: text(code) }),
    }
}

/// The error of something done with an address.
fn at(address: &Address, code: c_int) -> Error {
    let address = address.clone();
    match code {
        sys::uv_errno_t_UV_EADDRINUSE => Error::InUse(address),
        sys::uv_errno_t_UV_EACCES | sys::uv_errno_t_UV_EPERM => Error::Permission(address),
        sys::uv_errno_t_UV_EADDRNOTAVAIL => Error::NoSuchAddress(address),
        // A Unix socket whose file is not there, or is no socket.
        sys::uv_errno_t_UV_ECONNREFUSED
        | sys::uv_errno_t_UV_ENOENT
        | sys::uv_errno_t_UV_ENOTSOCK => Error::Refused(address),
        sys::uv_errno_t_UV_ETIMEDOUT
        | sys::uv_errno_t_UV_EHOSTUNREACH
        | sys::uv_errno_t_UV_ENETUNREACH => Error::Unreachable(address),
        _ => on_stream(code),
    }
}

/// The error of a stream that worked.
fn on_stream(code: c_int) -> Error {
    match code {
        sys::uv_errno_t_UV_EPIPE
        | sys::uv_errno_t_UV_ECONNRESET
        | sys::uv_errno_t_UV_ECONNABORTED => Error::PeerClosed,
        sys::uv_errno_t_UV_EMFILE | sys::uv_errno_t_UV_ENFILE => Error::TooManyFiles,
        _ => Error::Broken(text(code)),
    }
}
