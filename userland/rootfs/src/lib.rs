//! What the guest's first file system is made of.
//!
//! ```text
//!  manifest + skeleton/ ─┐
//!  busybox.links ────────┼─► Cpio ─► rootfs.cpio ─┐
//!  (runner: more files) ─┴─► Cpio ────────────────┴─► initrd of the kernel
//! ```
//!
//! [`Cpio`] writes one archive; the kernel unpacks several one after another,
//! so a runner appends its own to the finished `rootfs.cpio`.

#![deny(unsafe_code)]

mod cpio;
mod manifest;
mod read;

pub use cpio::{Cpio, Error as CpioError, Owner};
pub use manifest::{add_applets, add_manifest, Error as ManifestError};
pub use read::folders;
