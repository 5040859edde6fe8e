//! A listening socket.

use std::ffi::c_int;
use std::mem;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use libuv_sys2 as sys;

use super::address::{path, SockAddr};
use super::stream::{Kind, Socket};
use super::{at, on_closed, on_stream, Core};
use crate::backend::{Change, Stream};
use crate::{Address, Error, ListenerId};

/// Connections that wait to be accepted; the host has a limit of its own as well.
const BACKLOG: c_int = 1024;

pub(crate) struct Listener {
    listening: NonNull<Listening>,
    address: Address,
    /// Outlives the handle.
    _core: Rc<Core>,
}

#[repr(C)]
struct Listening {
    /// First, so that its address is the box's.
    handle: Handle,
    kind: Kind,
    id: Option<ListenerId>,
}

#[repr(C)]
union Handle {
    tcp: sys::uv_tcp_t,
    pipe: sys::uv_pipe_t,
}

impl Listener {
    pub(super) fn new(core: &Rc<Core>, address: &Address) -> Result<Listener, Error> {
        let kind = Kind::of(address);
        // SAFETY: plain C, for which zeroes are a value.
        let handle: Handle = unsafe { mem::zeroed() };
        let listening = Box::new(Listening { handle, kind, id: None });
        let this = NonNull::from(Box::leak(listening));
        let handle: *mut Handle = this.as_ptr().cast();
        // SAFETY: the handle is in a box of its own, initialised before any other
        // use, and closed if anything fails after that: by the drop of `Listener`.
        unsafe {
            match kind {
                Kind::Tcp => sys::uv_tcp_init(core.uv, handle.cast()),
                Kind::Pipe => sys::uv_pipe_init(core.uv, handle.cast(), 0),
            };
            let mut listener =
                Listener { listening: this, address: address.clone(), _core: core.clone() };
            let code = match address {
                Address::Tcp(tcp) => {
                    let name = SockAddr::new(tcp)?;
                    sys::uv_tcp_bind(handle.cast(), name.as_ptr(), 0)
                }
                Address::Unix(name) => {
                    let name = path(name)?;
                    let (text, size) = (name.as_ptr(), name.as_bytes().len());
                    sys::uv_pipe_bind2(handle.cast(), text, size, sys::UV_PIPE_NO_TRUNCATE)
                }
                Address::Local(_) => unreachable!("the loop keeps these itself"),
            };
            if code < 0 {
                return Err(at(address, code));
            }
            // Here a port in use is found as well.
            let code = sys::uv_listen(handle.cast(), BACKLOG, Some(on_connection));
            if code < 0 {
                return Err(at(address, code));
            }
            if kind == Kind::Tcp {
                let real = SockAddr::of(sys::uv_tcp_getsockname, handle.cast());
                listener.address = real.unwrap_or_else(|| address.clone());
            }
            Ok(listener)
        }
    }

    pub fn own(&mut self, id: ListenerId) {
        // SAFETY: the box is ours until the drop, and no callback runs now.
        unsafe { self.listening.as_mut().id = Some(id) };
    }

    pub fn address(&self) -> Address {
        self.address.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // SAFETY: the box is ours and not yet closing; it is the callback's now.
        unsafe {
            self.listening.as_mut().id = None;
            sys::uv_close(self.listening.as_ptr().cast(), Some(on_closed::<Listening>));
        }
    }
}

unsafe extern "C" fn on_connection(server: *mut sys::uv_stream_t, status: c_int) {
    // SAFETY: libuv calls with a live handle, which is the first of a `Listening`,
    // and the core lives as long as one is not closing.
    let (core, kind, id) = unsafe {
        let listening = server.cast::<Listening>();
        let Some(id) = (*ptr::addr_of!((*listening).id)).as_ref() else { return };
        (Core::of((*server).loop_), (*listening).kind, *id)
    };
    let accepted = match status {
        // SAFETY: the server has just said that there is one.
        0.. => unsafe { Socket::accept(&core, kind, server) },
        _ => Err(on_stream(status)),
    };
    core.changes.borrow_mut().push(match accepted {
        Ok(socket) => Change::Accepted(id, Stream::Socket(socket)),
        Err(error) => Change::NotAccepted(id, error),
    });
}
