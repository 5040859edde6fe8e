//! Names for host addresses: generated code is named `kernel_f123_schedule`,
//! which people want to read as `schedule`.

/// Frames of a backtrace that are worth printing.
const MAX_FRAMES: usize = 48;

/// The guest's name of a generated function.
fn guest_name(symbol: &str) -> &str {
    for (i, _) in symbol.match_indices("_f") {
        let rest = &symbol[i + 2..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with('_') {
            return &rest[digits + 1..];
        }
    }
    symbol
}

/// Name of the function at a host address.
pub fn name(address: usize) -> String {
    let mut found = None;
    backtrace::resolve(address as *mut _, |symbol| {
        if found.is_none() {
            found = symbol.name().map(|n| guest_name(&n.to_string()).to_owned());
        }
    });
    found.unwrap_or_else(|| format!("{address:#x}"))
}

/// The call chain of the calling stack, innermost first, without the engine's
/// own frames.
pub fn backtrace() -> Vec<String> {
    let mut addresses = Vec::new();
    backtrace::trace(|frame| {
        addresses.push(frame.ip() as usize);
        addresses.len() < MAX_FRAMES
    });
    let names = addresses.into_iter().map(name);
    names.filter(|n| !n.contains("::") && !n.starts_with("0x")).collect()
}

#[cfg(test)]
mod tests {
    use super::guest_name;

    #[test]
    fn guest_names() {
        assert_eq!(guest_name("kernel_f1234_do_sys_open"), "do_sys_open");
        assert_eq!(guest_name("busybox_f7_main_f"), "main_f");
        assert_eq!(guest_name("memcpy"), "memcpy");
        assert_eq!(guest_name("kernel_x_lkl_syscall"), "kernel_x_lkl_syscall");
    }
}
