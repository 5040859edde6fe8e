//! Names for host addresses: the kernel's generated code is named
//! `kernel_f123_schedule`, which people want to read as `schedule`.

/// Module name of the kernel.
const KERNEL: &str = "kernel";

/// Module and the wasm function's own name, for a symbol of generated code.
fn generated(symbol: &str) -> Option<(&str, &str)> {
    let (at, _) = symbol.match_indices("_f").find(|(at, _)| {
        let rest = &symbol[at + 2..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest.as_bytes().get(digits) == Some(&b'_')
    })?;
    let name = symbol[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit());
    Some((&symbol[..at], name.strip_prefix('_')?))
}

/// The kernel's own name of the function at a host address, if it is the
/// kernel's.
pub fn kernel_name(address: usize) -> Option<String> {
    let symbol = symbol(address)?;
    let (module, name) = generated(&symbol)?;
    (module == KERNEL).then(|| name.to_owned())
}

/// Name of the function at a host address: the wasm function's if it is
/// generated code.
pub fn name(address: usize) -> String {
    symbol(address).map_or_else(
        || format!("{address:#x}"),
        |s| generated(&s).map(|(_, name)| name.to_owned()).unwrap_or(s),
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

#[cfg(test)]
mod tests {
    use super::generated;

    #[test]
    fn names_of_generated_code() {
        assert_eq!(generated("kernel_f1234_do_sys_open"), Some(("kernel", "do_sys_open")));
        assert_eq!(generated("kernel_f7_f8_x"), Some(("kernel", "f8_x")));
        assert_eq!(generated("busybox_f7_main"), Some(("busybox", "main")));
        assert_eq!(generated("my_f_prog_f12_g_f3_x"), Some(("my_f_prog", "g_f3_x")));
        assert_eq!(generated("kernel_x_lkl_syscall"), None);
        assert_eq!(generated("memcpy"), None);
    }
}
