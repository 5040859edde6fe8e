//! Addresses as the host's sockets have them.

use std::ffi::{c_char, c_int, CStr, CString};
use std::mem;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use libuv_sys2 as sys;

use super::check;
use crate::{Address, Error};

/// Room for any socket address.
pub(super) union SockAddr {
    any: sys::sockaddr,
    v4: sys::sockaddr_in,
    v6: sys::sockaddr_in6,
    _storage: sys::sockaddr_storage,
}

impl SockAddr {
    pub fn new(address: &SocketAddr) -> Result<SockAddr, Error> {
        let ip = CString::new(address.ip().to_string()).expect("no NUL in an IP address");
        let port = c_int::from(address.port());
        let mut to = SockAddr { _storage: zeroed() };
        // SAFETY: fills the structure, from a C string.
        unsafe {
            match address {
                SocketAddr::V4(_) => {
                    check("not an address", sys::uv_ip4_addr(ip.as_ptr(), port, &mut to.v4))?;
                }
                SocketAddr::V6(v6) => {
                    check("not an address", sys::uv_ip6_addr(ip.as_ptr(), port, &mut to.v6))?;
                    to.v6.sin6_scope_id = v6.scope_id();
                }
            }
        }
        Ok(to)
    }

    pub fn as_ptr(&self) -> *const sys::sockaddr {
        (self as *const SockAddr).cast()
    }

    /// Asks libuv for one of a handle's addresses.
    pub fn of(
        name: unsafe extern "C" fn(*const sys::uv_tcp_t, *mut sys::sockaddr, *mut c_int) -> c_int,
        handle: *const sys::uv_tcp_t,
    ) -> Option<Address> {
        let mut to = SockAddr { _storage: zeroed() };
        let mut size = mem::size_of::<SockAddr>() as c_int;
        let mut ip = [0 as c_char; 64];
        // SAFETY: the handle is live; both calls write at most the size they are
        // given. The family says which of the structures it is.
        unsafe {
            if name(handle, &mut to.any, &mut size) != 0 {
                return None;
            }
            if sys::uv_ip_name(&to.any, ip.as_mut_ptr(), ip.len()) != 0 {
                return None;
            }
            let ip: IpAddr = CStr::from_ptr(ip.as_ptr()).to_str().ok()?.parse().ok()?;
            Some(Address::Tcp(match ip {
                IpAddr::V4(_) => SocketAddr::new(ip, u16::from_be(to.v4.sin_port)),
                IpAddr::V6(ip) => {
                    let port = u16::from_be(to.v6.sin6_port);
                    SocketAddrV6::new(ip, port, 0, to.v6.sin6_scope_id).into()
                }
            }))
        }
    }
}

fn zeroed() -> sys::sockaddr_storage {
    // SAFETY: plain C, for which zeroes are a value.
    unsafe { mem::zeroed() }
}

/// The name of a Unix socket.
pub(super) fn path(path: &std::path::Path) -> Result<CString, Error> {
    let wrong = || Error::Host {
        what: "not the name of a socket",
        why: format!("{:?}: take a short path in UTF-8", path.display().to_string()),
    };
    path.to_str().and_then(|path| CString::new(path).ok()).ok_or_else(wrong)
}
