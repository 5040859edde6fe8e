//! What real servers say, and what real clients answer to the same.
//!
//! The files in `traces/` hold the bytes with the command that made them, and what
//! our session makes of them; `BLESS=1` rewrites the latter.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use common::{cut, events, feed, session};

fn traces() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 4);
    files
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_server(text: &str) -> Vec<Vec<u8>> {
    text.lines().filter_map(|line| line.strip_prefix("S ")).map(unhex).collect()
}

#[test]
fn real_servers_are_understood() {
    for path in traces() {
        let text = fs::read_to_string(&path).unwrap();
        let mut session = session();
        let mut golden = String::new();
        for line in text.lines().filter(|line| !line.starts_with(['>', '='])) {
            writeln!(golden, "{line}").unwrap();
            if let Some(bytes) = line.strip_prefix("S ") {
                session.receive(&unhex(bytes));
                let answer = session.output().to_vec();
                session.sent(answer.len());
                if !answer.is_empty() {
                    writeln!(golden, "> {}", hex(&answer)).unwrap();
                }
                let mut all = Vec::new();
                events(&mut session, &mut all);
                for event in all {
                    let shown = match event {
                        minitelnet::Event::Data(data) => data.escape_ascii().to_string(),
                        other => format!("{other:?}"),
                    };
                    writeln!(golden, "= {shown}").unwrap();
                }
            }
        }
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &golden).unwrap();
            continue;
        }
        assert_eq!(text, golden, "{}: BLESS=1 rewrites it", path.display());
    }
}

/// The same bytes, however they arrive.
#[test]
fn traces_in_pieces_are_the_same() {
    for path in traces() {
        let bytes = from_server(&fs::read_to_string(&path).unwrap()).concat();
        let whole = feed([&bytes[..]]);
        for lengths in [&[1][..], &[2], &[3], &[1, 7, 2], &[5, 1, 1, 1]] {
            assert_eq!(feed(cut(&bytes, lengths)), whole, "{} {lengths:?}", path.display());
        }
    }
}

/// What is typed arrives as real clients send it.
#[test]
fn keys_are_sent_as_other_clients_send_them() {
    for path in traces() {
        let text = fs::read_to_string(&path).unwrap();
        let Some(last) = text.lines().rev().find_map(|line| line.strip_prefix("C ")) else {
            continue;
        };
        let mut session = session();
        session.send(b"ls\r\xff\xc3\xa4\n");
        assert_eq!(hex(session.output()), last, "{}", path.display());
    }
}
