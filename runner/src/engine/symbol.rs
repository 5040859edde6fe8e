//! Names for host addresses: the kernel's generated code is named
//! `kernel_f123_schedule`, which people want to read as `schedule`.

/// Frames of a backtrace that are worth printing.
const MAX_FRAMES: usize = 48;

/// Prefix of the kernel's generated functions.
const KERNEL: &str = "kernel_f";

/// The kernel's own name of a generated function.
fn kernel_name(symbol: &str) -> Option<&str> {
    let rest = symbol.strip_prefix(KERNEL)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[digits..].strip_prefix('_').filter(|_| digits > 0)
}

/// Name of the function at a host address: the kernel's own if it is the
/// kernel's.
pub fn name(address: usize) -> String {
    symbol(address).map_or_else(
        || format!("{address:#x}"),
        |s| kernel_name(&s).map(str::to_owned).unwrap_or(s),
    )
}

fn symbol(address: usize) -> Option<String> {
    let mut found = None;
    backtrace::resolve(address as *mut _, |symbol| {
        if found.is_none() {
            found = symbol.name().map(|n| n.to_string());
        }
    });
    found
}

/// The kernel's part of the calling stack, innermost first.
pub fn backtrace() -> Vec<String> {
    let mut addresses = Vec::new();
    backtrace::trace(|frame| {
        addresses.push(frame.ip() as usize);
        addresses.len() < MAX_FRAMES
    });
    let symbols = addresses.into_iter().filter_map(symbol);
    symbols.filter_map(|s| kernel_name(&s).map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::kernel_name;

    #[test]
    fn kernel_names() {
        assert_eq!(kernel_name("kernel_f1234_do_sys_open"), Some("do_sys_open"));
        assert_eq!(kernel_name("kernel_f7_f8_x"), Some("f8_x"));
        assert_eq!(kernel_name("busybox_f7_main"), None);
        assert_eq!(kernel_name("kernel_x_lkl_syscall"), None);
        assert_eq!(kernel_name("memcpy"), None);
    }
}
