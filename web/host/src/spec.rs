//! Commands and files as JavaScript writes them down for us: fields that end with
//! NUL or have their length before them.

use wasmlinux::{File, Node, TaskSpec};

/// What was written down is not what is described here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSpec;

/// `cwd NUL (arg NUL)* NUL (name=value NUL)*`. There are no empty arguments at the
/// beginning; others are allowed, so their number comes first: a little-endian u32.
pub fn task(bytes: &[u8]) -> Result<TaskSpec, BadSpec> {
    let (count, rest) = word(bytes)?;
    let mut strings = rest.split_inclusive(|&byte| byte == 0);
    let mut next = || Some(strings.next()?.strip_suffix(b"\0")?.to_vec());
    let cwd = next().ok_or(BadSpec)?;
    let argv: Option<Vec<_>> = (0..count).map(|_| next()).collect();
    let mut env = Vec::new();
    while let Some(variable) = next() {
        let mut halves = variable.splitn(2, |&byte| byte == b'=');
        let pair = (halves.next(), halves.next());
        let (Some(name), Some(value)) = pair else { return Err(BadSpec) };
        env.push((name.to_vec(), value.to_vec()));
    }
    Ok(TaskSpec { argv: argv.ok_or(BadSpec)?, env, cwd, ..TaskSpec::default() })
}

/// Each file: mode, length of the path, length of the content as little-endian u32,
/// then path and content.
pub fn files(mut bytes: &[u8]) -> Result<Vec<File>, BadSpec> {
    let mut files = Vec::new();
    while !bytes.is_empty() {
        let (mode, rest) = word(bytes)?;
        let (path, rest) = word(rest)?;
        let (content, rest) = word(rest)?;
        let (path, rest) = rest.split_at_checked(path as usize).ok_or(BadSpec)?;
        let (content, rest) = rest.split_at_checked(content as usize).ok_or(BadSpec)?;
        let path = String::from_utf8(path.to_vec()).map_err(|_| BadSpec)?;
        files.push(File { path, node: Node::File { mode, bytes: content.to_vec() } });
        bytes = rest;
    }
    Ok(files)
}

fn word(bytes: &[u8]) -> Result<(u32, &[u8]), BadSpec> {
    let (word, rest) = bytes.split_first_chunk().ok_or(BadSpec)?;
    Ok((u32::from_le_bytes(*word), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command() {
        let spec = task(b"\x03\0\0\0/tmp\0ls\0\0a=b\0A=b=c\0").unwrap();
        assert_eq!(spec.cwd, b"/tmp");
        assert_eq!(spec.argv, [&b"ls"[..], b"", b"a=b"]);
        assert_eq!(spec.env, [(b"A".to_vec(), b"b=c".to_vec())]);
    }

    #[test]
    fn what_is_no_command() {
        for bad in [&b""[..], b"\x01\0\0", b"\x01\0\0\0", b"\x02\0\0\0/\0ls\0", b"\0\0\0\0/\0A\0"] {
            assert_eq!(task(bad).unwrap_err(), BadSpec, "{bad:?}");
        }
    }

    #[test]
    fn some_files() {
        let two = b"\xed\x01\0\0\x02\0\0\0\x03\0\0\0/axyz\xa4\x01\0\0\x02\0\0\0\0\0\0\0/b";
        let files = files(two).unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].path, "/a");
        assert!(matches!(&files[0].node, Node::File { mode: 0o755, bytes } if bytes == b"xyz"));
        for cut in 1..two.len() {
            // Whatever it says: no panic, and nothing that is not there.
            let _ = super::files(&two[..cut]);
        }
        assert!(super::files(&two[..14]).is_err());
    }
}
