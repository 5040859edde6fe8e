//! Bytes as text, in the manner of C.

/// Bytes of a buffer that are shown.
pub const SHOWN: usize = 32;

/// A whole string in quotes.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for (i, &b) in bytes.iter().enumerate() {
        match b {
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => out.push(b.into()),
            // A digit that follows would be read as part of a short escape.
            _ if bytes.get(i + 1).is_some_and(u8::is_ascii_digit) => {
                out.push_str(&format!("\\{b:03o}"));
            }
            _ => out.push_str(&format!("\\{b:o}")),
        }
    }
    out.push('"');
    out
}

/// The beginning of `bytes`, of which there are `len`.
pub fn buffer(bytes: &[u8], len: usize) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let more = if len > shown.len() { "..." } else { "" };
    format!("{}{more}", quoted(shown))
}

/// An address.
pub fn pointer(address: u32) -> String {
    if address == 0 {
        "NULL".into()
    } else {
        format!("{address:#x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        assert_eq!(quoted(b"a\"b\\\n\t\x00"), r#""a\"b\\\n\t\0""#);
        assert_eq!(quoted(b"\x001\xff"), r#""\0001\377""#);
        assert_eq!(buffer(&[b'x'; 40], 40), format!("\"{}\"...", "x".repeat(32)));
        assert_eq!(buffer(b"xy", 2), "\"xy\"");
        assert_eq!(pointer(0), "NULL");
        assert_eq!(pointer(0x10_0000), "0x100000");
    }
}
