//! Names of flags and numbers (`names.txt`).

use std::collections::HashMap;
use std::sync::OnceLock;

/// Names that belong together, in the order of the file.
#[derive(Debug, Default)]
pub struct Set(Vec<Name>);

#[derive(Debug)]
struct Name {
    name: &'static str,
    value: u32,
    /// A field of several bits whose values have names of their own.
    field: Option<Set>,
}

impl Set {
    /// The name of exactly this value.
    pub fn one(&self, value: u32) -> Option<&'static str> {
        self.0.iter().find(|n| n.field.is_none() && n.value == value).map(|n| n.name)
    }

    /// A name, or the number.
    pub fn name(&self, value: u32) -> String {
        self.one(value).map_or_else(|| (value as i32).to_string(), str::to_owned)
    }

    /// `A|B|0x100`: bits without a name follow as a number.
    pub fn flags(&self, value: u32) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut left = value;
        for n in &self.0 {
            match &n.field {
                Some(values) => {
                    let field = left & n.value;
                    if let Some(name) = values.one(field) {
                        parts.push(name.to_owned());
                        left &= !n.value;
                    }
                }
                None if n.value == 0 && value != 0 => {}
                None if left & n.value == n.value => {
                    parts.push(n.name.to_owned());
                    left &= !n.value;
                }
                None => {}
            }
        }
        if left != 0 {
            parts.push(format!("{left:#x}"));
        }
        if parts.is_empty() {
            return "0".into();
        }
        parts.join("|")
    }

    /// Every name with its value.
    pub fn all(&self) -> Vec<(&'static str, u32)> {
        let inner = |n: &Name| n.field.as_ref().map(Set::all).unwrap_or_default();
        self.0.iter().flat_map(|n| [vec![(n.name, n.value)], inner(n)].concat()).collect()
    }
}

/// The set with this name; `None` only for a mistake in `calls.txt`.
pub fn set(name: &str) -> Option<&'static Set> {
    sets().get(name)
}

/// A set that the decoder itself asks for.
pub fn known(name: &str) -> &'static Set {
    set(name).unwrap_or_else(|| panic!("names.txt has no set {name}"))
}

pub fn sets() -> &'static HashMap<&'static str, Set> {
    static SETS: OnceLock<HashMap<&'static str, Set>> = OnceLock::new();
    SETS.get_or_init(|| {
        let lines = include_str!("names.txt").lines().filter(|l| !l.starts_with('#'));
        lines
            .map(|line| {
                let mut words = line.split_whitespace();
                let set = words.next().expect("names.txt has no empty line");
                (set, Set(words.map(parse_name).collect()))
            })
            .collect()
    })
}

/// `NAME=VALUE`, or `MASK=VALUE!NAME=VALUE,…` for a field.
fn parse_name(word: &'static str) -> Name {
    let (word, field) = match word.split_once('!') {
        Some((word, values)) => (word, Some(Set(values.split(',').map(parse_name).collect()))),
        None => (word, None),
    };
    let parsed = word.split_once('=').and_then(|(n, v)| Some((n, parse_value(v)?)));
    let (name, value) = parsed.unwrap_or_else(|| panic!("names.txt: {word}"));
    Name { name, value, field }
}

fn parse_value(text: &str) -> Option<u32> {
    match text.strip_prefix('-') {
        Some(digits) => Some(digits.parse::<u32>().ok()?.wrapping_neg()),
        None => match (text.strip_prefix("0x"), text.strip_prefix('0')) {
            (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
            (None, Some(digits)) if !digits.is_empty() => u32::from_str_radix(digits, 8).ok(),
            _ => text.parse().ok(),
        },
    }
}

/// `ENOENT (No such file or directory)` for a positive error number.
pub fn errno(number: i32) -> String {
    let value = number as u32;
    if let Some(name) = known("errno_kernel").one(value) {
        return format!("{name} (the call may be made again)");
    }
    let Some(name) = known("errno").one(value) else { return number.to_string() };
    // Numbers are the same on every processor we run on (asm-generic).
    let text = std::io::Error::from_raw_os_error(number).to_string();
    let text = text.rsplit_once(" (os error").map_or(text.as_str(), |(text, _)| text).to_owned();
    format!("{name} ({text})")
}

/// `SIGINT`, `SIGRT_3`, or the number.
pub fn signal(number: u32) -> String {
    match known("signal").one(number) {
        Some(name) => name.to_owned(),
        None if (32..=64).contains(&number) => format!("SIGRT_{}", number - 32),
        None => (number as i32).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_in_words() {
        let open = known("open");
        assert_eq!(open.flags(0), "O_RDONLY");
        assert_eq!(open.flags(0o1101), "O_WRONLY|O_CREAT|O_TRUNC");
        assert_eq!(open.flags(0x4000_0002), "O_RDWR|0x40000000");
        assert_eq!(open.flags(3), "0x3", "no access mode");
        assert_eq!(known("prot").flags(0), "PROT_NONE");
        assert_eq!(known("splice").flags(0), "0");
        assert_eq!(known("access").flags(6), "W_OK|R_OK");
        assert_eq!(known("map").flags(0x22), "MAP_PRIVATE|MAP_ANONYMOUS");
    }

    #[test]
    fn numbers_in_words() {
        assert_eq!(known("whence").name(2), "SEEK_END");
        assert_eq!(known("whence").name(u32::MAX), "-1");
        assert_eq!(known("si_code").name(-6i32 as u32), "SI_TKILL");
        assert_eq!(signal(2), "SIGINT");
        assert_eq!(signal(35), "SIGRT_3");
        assert_eq!(signal(99), "99");
        assert_eq!(errno(2), "ENOENT (No such file or directory)");
        assert_eq!(errno(4095), "4095");
        assert!(errno(512).starts_with("ERESTARTSYS"));
    }
}
