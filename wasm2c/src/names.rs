//! C identifiers and literals for names that come from the module.

use std::collections::HashSet;

/// Long C++ names are cut: the index in the identifier keeps it unique.
const MAX: usize = 96;

/// Everything outside `[A-Za-z0-9_]` becomes `_`.
pub fn sanitise(name: &str) -> String {
    name.chars().take(MAX).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Hands out identifiers, each once.
#[derive(Default)]
pub struct Unique {
    taken: HashSet<String>,
}

impl Unique {
    /// `wanted`, or `wanted` with the first free number behind it.
    pub fn take(&mut self, wanted: String) -> String {
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let mut n = 2;
        loop {
            let name = format!("{wanted}_{n}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            n += 1;
        }
    }
}

/// A C string literal with the bytes, without a NUL of its own. `?` is escaped
/// for trigraphs; octal escapes have three digits, so no digit can follow them.
pub fn literal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2 + 2);
    out.push('"');
    for &b in bytes {
        match b {
            b'"' | b'\\' | b'?' => escape(&mut out, b),
            0x20..=0x7e => out.push(b as char),
            _ => escape(&mut out, b),
        }
    }
    out.push('"');
    out
}

fn escape(out: &mut String, b: u8) {
    out.push('\\');
    for shift in [6, 3, 0] {
        out.push((b'0' + ((b >> shift) & 7)) as char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_survive_trigraphs_and_digits() {
        assert_eq!(literal(b"??/\x001\""), r#""\077\077/\0001\042""#);
        assert_eq!(literal(b"\xff"), r#""\377""#);
    }

    #[test]
    fn identifiers_are_unique() {
        let mut unique = Unique::default();
        assert_eq!(unique.take(sanitise("a.b")), "a_b");
        assert_eq!(unique.take(sanitise("a-b")), "a_b_2");
    }
}
