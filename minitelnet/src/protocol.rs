//! libtelnet, made safe: the only unsafe code of the session.
//!
//! libtelnet is given bytes and calls back with what they mean. The handler lives
//! in a box that only the callback looks into while libtelnet runs; it answers by
//! appending to the output and never calls libtelnet, so nothing is ever borrowed
//! twice.

use std::ffi::{c_void, CStr};
use std::ptr::NonNull;
use std::slice;

use libtelnet_sys as sys;

/// What libtelnet found, in the order of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Data(&'a [u8]),
    /// The peer's option is on or off now.
    Peer(u8, bool),
    /// Our option is on or off now.
    Ours(u8, bool),
    Subnegotiation(u8, &'a [u8]),
    /// A command without an option.
    Command(u8),
    Problem(&'a CStr),
}

pub(crate) trait Handler {
    /// `out` takes what is to be sent.
    fn item(&mut self, item: Item<'_>, out: &mut Vec<u8>);
}

/// One side of a connection. The table of options ends with -1.
pub(crate) struct Protocol<H: Handler> {
    telnet: NonNull<sys::telnet_t>,
    /// From `Box::into_raw`; libtelnet has the pointer as well.
    shared: NonNull<Shared<H>>,
}

struct Shared<H> {
    handler: H,
    out: Vec<u8>,
}

// SAFETY: libtelnet has no global state and nothing of a thread's; the two boxes
// belong to nobody else.
unsafe impl<H: Handler + Send> Send for Protocol<H> {}

impl<H: Handler> Protocol<H> {
    pub fn new(options: &'static [sys::telnet_telopt_t], handler: H) -> Protocol<H> {
        assert!(options.last().is_some_and(|last| last.telopt == -1), "the table has an end");
        let shared = Box::into_raw(Box::new(Shared { handler, out: Vec::new() }));
        // SAFETY: the table is static and ends; the box is freed after libtelnet.
        let telnet =
            unsafe { sys::telnet_init(options.as_ptr(), Some(on_event::<H>), 0, shared.cast()) };
        let shared = NonNull::new(shared).expect("a box is somewhere");
        let Some(telnet) = NonNull::new(telnet) else {
            // As Rust's own allocations do.
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<Shared<H>>())
        };
        Protocol { telnet, shared }
    }

    pub fn handler(&mut self) -> &mut H {
        // SAFETY: the box is ours, and libtelnet does not run.
        unsafe { &mut self.shared.as_mut().handler }
    }

    pub fn peek(&self) -> &H {
        // SAFETY: as above.
        unsafe { &self.shared.as_ref().handler }
    }

    /// What is to be sent; the caller takes away what it has sent.
    pub fn out(&mut self) -> &mut Vec<u8> {
        // SAFETY: as above.
        unsafe { &mut self.shared.as_mut().out }
    }

    /// Bytes from the peer.
    pub fn receive(&mut self, bytes: &[u8]) {
        // SAFETY: here and below: we hold no reference into the box; libtelnet
        // only reads the bytes.
        unsafe { sys::telnet_recv(self.telnet.as_ptr(), bytes.as_ptr().cast(), bytes.len()) }
    }

    /// Data for the peer: IACs are doubled.
    pub fn send(&mut self, bytes: &[u8]) {
        // SAFETY: as above.
        unsafe { sys::telnet_send(self.telnet.as_ptr(), bytes.as_ptr().cast(), bytes.len()) }
    }

    /// Asks for an option: one of WILL, WONT, DO, DONT.
    pub fn negotiate(&mut self, verb: u32, option: u32) {
        // SAFETY: as above.
        unsafe { sys::telnet_negotiate(self.telnet.as_ptr(), verb as u8, option as u8) }
    }

    pub fn command(&mut self, command: u8) {
        // SAFETY: as above.
        unsafe { sys::telnet_iac(self.telnet.as_ptr(), command) }
    }
}

impl<H: Handler> Drop for Protocol<H> {
    fn drop(&mut self) {
        // SAFETY: both are ours; libtelnet goes first, as it has the pointer.
        unsafe {
            sys::telnet_free(self.telnet.as_ptr());
            drop(Box::from_raw(self.shared.as_ptr()));
        }
    }
}

/// A subnegotiation, to be sent from a handler.
pub(crate) fn subnegotiation(option: u32, bytes: &[u8], out: &mut Vec<u8>) {
    let iac = sys::TELNET_IAC as u8;
    out.extend([iac, sys::TELNET_SB as u8, option as u8]);
    for &byte in bytes {
        if byte == iac {
            out.push(iac);
        }
        out.push(byte);
    }
    out.extend([iac, sys::TELNET_SE as u8]);
}

unsafe extern "C" fn on_event<H: Handler>(
    _: *mut sys::telnet_t,
    event: *mut sys::telnet_event_t,
    shared: *mut c_void,
) {
    /// Bytes that libtelnet may give without a place if there are none.
    unsafe fn bytes<'a>(data: *const std::ffi::c_char, size: usize) -> &'a [u8] {
        if data.is_null() || size == 0 {
            return &[];
        }
        // SAFETY: the caller has them from libtelnet.
        unsafe { slice::from_raw_parts(data.cast(), size) }
    }
    // SAFETY: the pointer is the box's, and nobody else uses it until libtelnet has
    // returned. The type says which part of the union it is; the bytes live until
    // we return, and `Item` does not leave the handler.
    unsafe {
        let Shared { handler, out } = &mut *shared.cast::<Shared<H>>();
        let event = &*event;
        let item = match event.type_ {
            sys::TELNET_EV_SEND => {
                out.extend_from_slice(bytes(event.data.buffer, event.data.size));
                return;
            }
            sys::TELNET_EV_DATA => Item::Data(bytes(event.data.buffer, event.data.size)),
            sys::TELNET_EV_IAC => Item::Command(event.iac.cmd),
            sys::TELNET_EV_WILL => Item::Peer(event.neg.telopt, true),
            sys::TELNET_EV_WONT => Item::Peer(event.neg.telopt, false),
            sys::TELNET_EV_DO => Item::Ours(event.neg.telopt, true),
            sys::TELNET_EV_DONT => Item::Ours(event.neg.telopt, false),
            sys::TELNET_EV_SUBNEGOTIATION => {
                Item::Subnegotiation(event.sub.telopt, bytes(event.sub.buffer, event.sub.size))
            }
            sys::TELNET_EV_WARNING | sys::TELNET_EV_ERROR => {
                Item::Problem(CStr::from_ptr(event.error.msg))
            }
            // Parsed forms of subnegotiations that have been seen above.
            _ => return,
        };
        handler.item(item, out);
    }
}
