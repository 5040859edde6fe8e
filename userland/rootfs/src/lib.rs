//! What the guest's first file system is made of.
//!
//! ```text
//!  manifest + skeleton/ ─┐
//!  busybox.links ────────┼─► Cpio ─► rootfs.cpio ─┐
//!  (runner: more files) ─┴─► Cpio ────────────────┴─► initrd of the kernel
//! ```
//!
//! [`Cpio`] writes one archive; the kernel unpacks several one after another,
//! so a runner appends its own to the finished `rootfs.cpio`; [`folders`] says what
//! is there to put them in.

#![deny(unsafe_code)]

mod cpio;
mod folders;
mod manifest;

pub use cpio::{Cpio, Error as CpioError, Owner};
pub use folders::folders;
pub use manifest::{add_applets, add_manifest, Error as ManifestError};

/// `/etc/passwd` of the root file system.
pub const PASSWD: &str = include_str!("../skeleton/etc/passwd");
/// `/etc/services` of the root file system.
pub const SERVICES: &str = include_str!("../skeleton/etc/services");
