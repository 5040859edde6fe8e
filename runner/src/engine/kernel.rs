//! The kernel's entries, from the interface definition.

use super::layout::{Head, Module};

macro_rules! rust_type {
    (i32) => {
        i32
    };
    (u32) => {
        u32
    };
    (u64) => {
        u64
    };
    (ptr) => {
        u32
    };
    (uptr) => {
        u32
    };
    (never) => {
        ()
    };
}
pub(super) use rust_type;

macro_rules! entries {
    ($($name:ident($($p:ident: $t:ident),*) $(-> $r:ident)?;)*) => {
        // The kernel's code knows only the head's first fields.
        // Some entries are for other engines.
        #[allow(improper_ctypes, dead_code)]
        unsafe extern "C" {
            $(
                #[link_name = concat!("kernel_x_", stringify!($name))]
                pub fn $name(kernel: *mut Head, $($p: rust_type!($t)),*) $(-> rust_type!($r))?;
            )*
            /// What the translator says of the kernel module.
            #[link_name = "kernel_module"]
            pub static MODULE: Module;
        }
    };
}

hostabi::for_each_entry!(entries);
