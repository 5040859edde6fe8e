//! NEW-ENVIRON (RFC 1572): which variables the peer asks for, and the answer.

use libtelnet_sys as sys;

const IS: u8 = sys::TELNET_ENVIRON_IS as u8;
const SEND: u8 = sys::TELNET_ENVIRON_SEND as u8;
const VAR: u8 = sys::TELNET_ENVIRON_VAR as u8;
const VALUE: u8 = sys::TELNET_ENVIRON_VALUE as u8;
const ESC: u8 = sys::TELNET_ENVIRON_ESC as u8;
const USERVAR: u8 = sys::TELNET_ENVIRON_USERVAR as u8;

/// Variables that have a meaning of their own; others are the user's.
const WELL_KNOWN: [&str; 6] = ["USER", "JOB", "ACCT", "PRINTER", "SYSTEMTYPE", "DISPLAY"];

/// The answer to a subnegotiation of the peer's, if it wants one. Only what is in
/// `variables` is ever told.
pub(crate) fn answer(asked: &[u8], variables: &[(String, String)]) -> Option<Vec<u8>> {
    let (&SEND, asked) = asked.split_first()? else { return None };
    let mut answer = vec![IS];
    let wanted = parse(asked);
    if wanted.is_empty() {
        for (name, value) in variables {
            let kind = if WELL_KNOWN.contains(&name.as_str()) { VAR } else { USERVAR };
            add(&mut answer, kind, name.as_bytes(), Some(value));
        }
    }
    for (kind, name) in wanted {
        let known = variables.iter().find(|(known, _)| known.as_bytes() == name);
        match known {
            Some((_, value)) => add(&mut answer, kind, &name, Some(value)),
            // A kind without a name asks for all of that kind.
            None if name.is_empty() => {
                for (name, value) in variables {
                    if (kind == VAR) == WELL_KNOWN.contains(&name.as_str()) {
                        add(&mut answer, kind, name.as_bytes(), Some(value));
                    }
                }
            }
            None => add(&mut answer, kind, &name, None),
        }
    }
    Some(answer)
}

/// Kinds and names that are asked for.
fn parse(asked: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut wanted: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut bytes = asked.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, wanted.last_mut()) {
            (VAR | USERVAR, _) => wanted.push((byte, Vec::new())),
            (ESC, Some((_, name))) => name.extend(bytes.next()),
            (byte, Some((_, name))) => name.push(byte),
            // Before the first kind: not a request we can read.
            (_, None) => {}
        }
    }
    wanted
}

fn add(to: &mut Vec<u8>, kind: u8, name: &[u8], value: Option<&String>) {
    let mut escaped = |mark: u8, text: &[u8]| {
        to.push(mark);
        for &byte in text {
            if [VAR, VALUE, ESC, USERVAR].contains(&byte) {
                to.push(ESC);
            }
            to.push(byte);
        }
    };
    escaped(kind, name);
    if let Some(value) = value {
        escaped(VALUE, value.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Vec<(String, String)> {
        [("USER", "me"), ("LANG", "C\u{1}x")].map(|(n, v)| (n.into(), v.into())).to_vec()
    }

    #[test]
    fn everything_is_asked_for() {
        let all = b"\0\0USER\x01me\x03LANG\x01C\x02\x01x";
        assert_eq!(answer(&[SEND], &variables()).unwrap(), all);
        assert_eq!(answer(&[SEND, VAR, USERVAR], &variables()).unwrap(), all);
    }

    #[test]
    fn some_are_asked_for() {
        let asked = b"\x01\x03LANG\0HO\x02\x01ME\0USER";
        let told = b"\0\x03LANG\x01C\x02\x01x\0HO\x02\x01ME\0USER\x01me";
        assert_eq!(answer(asked, &variables()).unwrap(), told);
    }

    #[test]
    fn nothing_is_asked_for() {
        assert_eq!(answer(&[], &variables()), None);
        assert_eq!(answer(&[IS, VAR], &variables()), None);
        assert_eq!(answer(&[SEND, b'x'], &[]).unwrap(), [IS]);
    }
}
