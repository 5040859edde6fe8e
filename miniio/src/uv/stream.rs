//! A connected socket, or a standard descriptor.

use std::ffi::c_int;
use std::mem;
use std::ptr::NonNull;
use std::rc::Rc;

use libuv_sys2 as sys;

use super::address::{path, SockAddr};
use super::{at, on_closed, on_stream, Core};
use crate::backend::Change;
use crate::buffer::Buffer;
use crate::event_loop::Stdio;
use crate::{Address, Error, Received, StreamId, BUFFER};

/// A lost peer is noticed after this many seconds of silence (and some tries).
const KEEPALIVE: u32 = 60;
/// Bytes of one read.
const READ: usize = 64 << 10;
/// Read buffers to keep. On Unix one is in use at a time.
const SPARE: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tcp,
    Pipe,
}

impl Kind {
    pub fn of(address: &Address) -> Kind {
        match address {
            Address::Tcp(_) => Kind::Tcp,
            _ => Kind::Pipe,
        }
    }
}

pub(crate) struct Socket {
    state: NonNull<State>,
    core: Rc<Core>,
}

/// The box of a handle. See the module above for who may look into it when.
#[repr(C)]
struct State {
    /// First, so that its address is the box's.
    handle: Handle,
    connect: sys::uv_connect_t,
    write: sys::uv_write_t,
    shutdown: sys::uv_shutdown_t,
    /// `None` before the loop knows the stream and once it is closed.
    id: Option<StreamId>,
    /// Where it leads, for the errors.
    address: Option<Address>,
    connected: bool,
    failed: bool,

    received: Buffer,
    ended: bool,
    reading: bool,
    /// What libuv reads into between the two callbacks.
    lent: Option<Vec<u8>>,

    /// Taken from the program, and not given to libuv yet.
    queued: Buffer,
    /// With libuv, which reads it until `on_written`.
    in_flight: Vec<u8>,
    writing: bool,
    finish: Finish,
}

#[repr(C)]
union Handle {
    tcp: sys::uv_tcp_t,
    pipe: sys::uv_pipe_t,
    tty: sys::uv_tty_t,
}

#[derive(PartialEq, Eq)]
enum Finish {
    No,
    /// After what is queued.
    Wanted,
    Begun,
}

impl Socket {
    /// A box whose handle `init` initialises; it must not fail afterwards.
    fn with(
        core: &Rc<Core>,
        init: impl FnOnce(*mut sys::uv_loop_t, *mut Handle) -> c_int,
    ) -> Result<Socket, c_int> {
        // SAFETY: plain C, for which zeroes are a value.
        let (handle, connect, write, shutdown) = unsafe { mem::zeroed() };
        let state = Box::into_raw(Box::new(State {
            handle,
            connect,
            write,
            shutdown,
            id: None,
            address: None,
            connected: false,
            failed: false,
            received: Buffer::default(),
            ended: false,
            reading: false,
            lent: None,
            queued: Buffer::default(),
            in_flight: Vec::new(),
            writing: false,
            finish: Finish::No,
        }));
        match init(core.uv, state.cast()) {
            // SAFETY: a handle that could not be made is not libuv's.
            code @ ..0 => unsafe {
                drop(Box::from_raw(state));
                Err(code)
            },
            _ => {
                let state = NonNull::new(state).expect("a box is somewhere");
                Ok(Socket { state, core: core.clone() })
            }
        }
    }

    fn new(core: &Rc<Core>, kind: Kind) -> Result<Socket, c_int> {
        // SAFETY: the loop is live, and the handle zeroed memory of its type.
        Socket::with(core, |uv, handle| unsafe {
            match kind {
                Kind::Tcp => sys::uv_tcp_init(uv, handle.cast()),
                Kind::Pipe => sys::uv_pipe_init(uv, handle.cast(), 0),
            }
        })
    }

    pub(super) fn connect(core: &Rc<Core>, address: &Address) -> Result<Socket, Error> {
        let mut socket = Socket::new(core, Kind::of(address)).map_err(|code| at(address, code))?;
        socket.state().address = Some(address.clone());
        let (handle, request) = (socket.handle(), &raw mut socket.state().connect);
        // SAFETY: handle and request are in the box, which outlives the request.
        let code = unsafe {
            match address {
                Address::Tcp(tcp) => {
                    let name = SockAddr::new(tcp)?;
                    sys::uv_tcp_connect(request, handle.cast(), name.as_ptr(), Some(on_connected))
                }
                Address::Unix(name) => {
                    let name = path(name)?;
                    let (text, size) = (name.as_ptr(), name.as_bytes().len());
                    let (call, whole) = (sys::uv_pipe_connect2, sys::UV_PIPE_NO_TRUNCATE);
                    call(request, handle.cast(), text, size, whole, Some(on_connected))
                }
                Address::Local(_) => unreachable!("the loop keeps these itself"),
            }
        };
        match code {
            0.. => Ok(socket),
            _ => Err(at(address, code)),
        }
    }

    /// # Safety
    /// `server` has a connection to accept.
    pub(super) unsafe fn accept(
        core: &Rc<Core>,
        kind: Kind,
        server: *mut sys::uv_stream_t,
    ) -> Result<Socket, Error> {
        let mut socket = Socket::new(core, kind).map_err(on_stream)?;
        // SAFETY: the caller's promise; both handles are of one kind and loop.
        match unsafe { sys::uv_accept(server, socket.stream()) } {
            code @ ..0 => return Err(on_stream(code)),
            _ => socket.state().is_connected(kind),
        }
        Ok(socket)
    }

    pub(super) fn stdio(core: &Rc<Core>, which: Stdio) -> Result<Socket, Error> {
        let fd = match which {
            Stdio::Input => 0,
            Stdio::Output => 1,
            Stdio::Error => 2,
        };
        // SAFETY: only looks.
        let kind = unsafe { sys::uv_guess_handle(fd) };
        // SAFETY: as in `new`; a terminal's descriptor is opened anew by libuv, and
        // so is not made non-blocking for others.
        let init = |uv, handle: *mut Handle| unsafe {
            match kind {
                sys::uv_handle_type_UV_TTY => sys::uv_tty_init(uv, handle.cast(), fd, 0),
                sys::uv_handle_type_UV_TCP => sys::uv_tcp_init(uv, handle.cast()),
                _ => sys::uv_pipe_init(uv, handle.cast(), 0),
            }
        };
        // SAFETY: the handle is live and of this kind.
        let open = |handle: *mut Handle| unsafe {
            match kind {
                sys::uv_handle_type_UV_TTY => 0,
                sys::uv_handle_type_UV_TCP => sys::uv_tcp_open(handle.cast(), fd as _),
                _ => sys::uv_pipe_open(handle.cast(), fd),
            }
        };
        match kind {
            sys::uv_handle_type_UV_TTY
            | sys::uv_handle_type_UV_TCP
            | sys::uv_handle_type_UV_NAMED_PIPE => {}
            _ => return Err(Error::NoStream),
        }
        let mut socket = Socket::with(core, init).map_err(on_stream)?;
        if let code @ ..0 = open(socket.handle()) {
            return Err(on_stream(code));
        }
        socket.state().connected = true;
        // Nothing is read from an output, which may well be readable.
        socket.state().ended = which != Stdio::Input;
        Ok(socket)
    }

    fn handle(&self) -> *mut Handle {
        self.state.as_ptr().cast()
    }

    fn stream(&self) -> *mut sys::uv_stream_t {
        self.state.as_ptr().cast()
    }

    fn state(&mut self) -> &mut State {
        // SAFETY: the box is ours until the drop, and no callback runs now.
        unsafe { self.state.as_mut() }
    }

    /// From now on changes name this id.
    pub fn own(&mut self, id: StreamId) {
        let state = self.state();
        state.id = Some(id);
        if state.connected {
            state.start_reading();
        }
    }

    pub fn peer(&self) -> Option<Address> {
        // SAFETY: as in `state`.
        let state = unsafe { self.state.as_ref() };
        state.address.clone()
    }

    pub fn received(&self) -> Received<'_> {
        // SAFETY: as in `state`; what is returned borrows us.
        let state = unsafe { self.state.as_ref() };
        match state.received.unread() {
            [] if state.ended => Received::End,
            [] => Received::Nothing,
            bytes => Received::Bytes(bytes),
        }
    }

    pub fn consume(&mut self, n: usize) {
        let state = self.state();
        state.received.consume(n);
        if state.received.len() <= BUFFER / 2 {
            state.start_reading();
        }
    }

    pub fn room(&mut self) -> usize {
        let state = self.state();
        BUFFER.saturating_sub(state.waiting())
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let room = self.room();
        let state = self.state();
        let mut done = 0;
        // The common case costs no copy.
        if state.connected && state.waiting() == 0 {
            done = state.try_write(bytes)?;
        }
        let rest = &bytes[done..];
        let rest = &rest[..rest.len().min(room)];
        state.queued.push(rest);
        state.flush();
        Ok(done + rest.len())
    }

    pub fn finish(&mut self) {
        let state = self.state();
        state.finish = Finish::Wanted;
        state.flush();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.state().id = None;
        // SAFETY: the box is ours and not yet closing; it is the callback's now.
        unsafe { sys::uv_close(self.handle().cast(), Some(on_closed::<State>)) };
        // Not before.
        let _ = &self.core;
    }
}

/// What both the socket and the callbacks do. libuv calls no callback from these.
impl State {
    fn stream(&mut self) -> *mut sys::uv_stream_t {
        (&raw mut self.handle).cast()
    }

    /// Tells the loop, if it still wants to know.
    fn tell(&mut self, change: impl FnOnce(StreamId) -> Change) {
        if let Some(id) = self.id {
            // SAFETY: a stream with an id is not closing, so the loop is live.
            let core = unsafe { Core::of((*self.stream()).loop_) };
            core.changes.borrow_mut().push(change(id));
        }
    }

    fn fail(&mut self, error: Error) {
        if !mem::replace(&mut self.failed, true) {
            self.tell(|id| Change::Failed(id, error));
        }
    }

    fn is_connected(&mut self, kind: Kind) {
        self.connected = true;
        if kind == Kind::Tcp {
            let tcp = (&raw mut self.handle).cast();
            // SAFETY: the handle is live and TCP. Without these it works as well.
            unsafe {
                // A key is a packet of its own.
                sys::uv_tcp_nodelay(tcp, 1);
                sys::uv_tcp_keepalive(tcp, 1, KEEPALIVE);
            }
            self.address = SockAddr::of(sys::uv_tcp_getpeername, tcp);
        }
    }

    fn start_reading(&mut self) {
        if self.reading || self.ended || self.failed || !self.connected {
            return;
        }
        // SAFETY: the handle is live and connected.
        match unsafe { sys::uv_read_start(self.stream(), Some(on_alloc), Some(on_read)) } {
            code @ ..0 => self.fail(on_stream(code)),
            _ => self.reading = true,
        }
    }

    fn stop_reading(&mut self) {
        self.reading = false;
        // SAFETY: the handle is live. Cannot fail.
        unsafe { sys::uv_read_stop(self.stream()) };
    }

    fn waiting(&self) -> usize {
        self.in_flight.len() + self.queued.len()
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let piece = buffer(bytes);
        // SAFETY: the handle is live; libuv is done with the bytes when it returns.
        match unsafe { sys::uv_try_write(self.stream(), &piece, 1) } {
            n @ 0.. => Ok(n as usize),
            // Some kinds of stream cannot on some hosts.
            sys::uv_errno_t_UV_EAGAIN | sys::uv_errno_t_UV_ENOSYS => Ok(0),
            code => {
                let error = on_stream(code);
                self.fail(error.clone());
                Err(error)
            }
        }
    }

    /// Gives libuv what is queued, or the end, if it has nothing at the moment.
    fn flush(&mut self) {
        if !self.connected || self.writing || self.failed {
            return;
        }
        if !self.queued.is_empty() {
            self.in_flight = self.queued.take();
            let piece = buffer(&self.in_flight);
            let (stream, request) = (self.stream(), &raw mut self.write);
            // SAFETY: request and bytes stay as they are until the callback: they
            // are in the box, and `in_flight` is changed there only.
            match unsafe { sys::uv_write(request, stream, &piece, 1, Some(on_written)) } {
                code @ ..0 => self.fail(on_stream(code)),
                _ => self.writing = true,
            }
        } else if self.finish == Finish::Wanted {
            self.finish = Finish::Begun;
            let (stream, request) = (self.stream(), &raw mut self.shutdown);
            // SAFETY: the request stays until the callback: it is in the box.
            if let code @ ..0 = unsafe { sys::uv_shutdown(request, stream, Some(on_shutdown)) } {
                self.fail(on_stream(code));
            }
        }
    }
}

/// libuv's slice; it does not write into one that it is to write out.
fn buffer(bytes: &[u8]) -> sys::uv_buf_t {
    // SAFETY: only makes the pair; its length type differs between hosts.
    unsafe { sys::uv_buf_init(bytes.as_ptr().cast_mut().cast(), bytes.len() as _) }
}

/// The box of a handle that libuv has called with.
///
/// # Safety
/// The handle is a `Socket`'s, and libuv is in a callback for it: then nobody else
/// looks into the box until it returns.
unsafe fn state<'a, T>(handle: *mut T) -> &'a mut State {
    // SAFETY: the caller's promise; the handle is the first of the box.
    unsafe { &mut *handle.cast::<State>() }
}

unsafe extern "C" fn on_connected(request: *mut sys::uv_connect_t, status: c_int) {
    // SAFETY: a callback of ours.
    let state = unsafe { state((*request).handle) };
    if state.id.is_none() {
        return; // closed meanwhile
    }
    match (status, state.address.clone()) {
        (..0, Some(address)) => state.fail(at(&address, status)),
        (..0, None) => state.fail(on_stream(status)),
        (_, address) => {
            state.is_connected(address.as_ref().map_or(Kind::Pipe, Kind::of));
            state.tell(Change::Connected);
            state.start_reading();
            state.flush();
        }
    }
}

unsafe extern "C" fn on_alloc(
    handle: *mut sys::uv_handle_t,
    _suggested: usize,
    to: *mut sys::uv_buf_t,
) {
    // SAFETY: a callback of ours, and a stream that reads is not closing. The
    // buffer stays where it is until `on_read` or the end of the box.
    unsafe {
        let state = state(handle);
        let core = Core::of((*handle).loop_);
        let spare = core.spare.borrow_mut().pop();
        let lent = state.lent.insert(spare.unwrap_or_else(|| Vec::with_capacity(READ)));
        *to = sys::uv_buf_init(lent.as_mut_ptr().cast(), READ as _);
    }
}

unsafe extern "C" fn on_read(
    stream: *mut sys::uv_stream_t,
    got: isize,
    _buffer: *const sys::uv_buf_t,
) {
    // SAFETY: a callback of ours.
    let state = unsafe { state(stream) };
    let lent = state.lent.take();
    if state.id.is_none() {
        return; // closed meanwhile
    }
    if let Some(mut lent) = lent {
        // SAFETY: libuv has written `got` bytes, at most as many as it was offered.
        unsafe { lent.set_len(usize::try_from(got).unwrap_or(0)) };
        state.received.push(&lent);
        // SAFETY: a stream with an id is not closing, so the loop is live.
        let core = unsafe { Core::of((*stream).loop_) };
        let mut spare = core.spare.borrow_mut();
        if spare.len() < SPARE {
            lent.clear();
            spare.push(lent);
        }
    }
    const EOF: isize = sys::uv_errno_t_UV_EOF as isize;
    match got {
        1.. => {
            state.tell(Change::Readable);
            if state.received.room() == 0 {
                state.stop_reading();
            }
        }
        0 => {} // nothing after all
        EOF => {
            state.ended = true;
            state.stop_reading();
            state.tell(Change::Readable);
        }
        _ => {
            state.stop_reading();
            state.fail(on_stream(got as c_int));
        }
    }
}

unsafe extern "C" fn on_written(request: *mut sys::uv_write_t, status: c_int) {
    // SAFETY: a callback of ours.
    let state = unsafe { state((*request).handle) };
    state.writing = false;
    state.in_flight = Vec::new();
    if state.id.is_none() {
        return; // closed meanwhile
    }
    match status {
        ..0 => state.fail(on_stream(status)),
        _ => {
            state.flush();
            if state.waiting() <= BUFFER / 2 {
                state.tell(Change::Drained);
            }
        }
    }
}

unsafe extern "C" fn on_shutdown(request: *mut sys::uv_shutdown_t, status: c_int) {
    // SAFETY: a callback of ours.
    let state = unsafe { state((*request).handle) };
    match status {
        // A terminal or a pipe has no such half; closing it is its end.
        0.. | sys::uv_errno_t_UV_ENOTSOCK => state.tell(Change::Finished),
        // Here the peer was the first.
        sys::uv_errno_t_UV_ENOTCONN => state.fail(Error::PeerClosed),
        _ => state.fail(on_stream(status)),
    }
}
