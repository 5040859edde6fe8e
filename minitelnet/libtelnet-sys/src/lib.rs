//! Bindings to libtelnet 0.23: a telnet parser and option negotiation (RFC 854,
//! 855, 1143) that does no I/O.
//!
//! Made by bindgen (`bindings.sh`) and checked in; the library is compiled from
//! its pinned source with our patches (`patches/`), which mend what a hostile peer
//! could do. What else to know:
//!
//! * Compression is not built in. ZMP, MSSP, TTYPE and ENVIRON subnegotiations are
//!   parsed whether or not their option was agreed to.
//! * Subnegotiations of more than 16 KiB are a warning, and their rest is data.
//! * The event handler may call every function but `telnet_recv` and `telnet_free`.
//! * With `TELNET_FLAG_NVT_EOL` an IAC right behind a CR is taken for data; do the
//!   line ends yourself.
#![no_std]
#![allow(non_camel_case_types, clippy::all)]

#[cfg(target_pointer_width = "64")]
include!("bindings_64.rs");
#[cfg(target_pointer_width = "32")]
include!("bindings_32.rs");
