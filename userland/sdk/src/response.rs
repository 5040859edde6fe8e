//! `@FILE` on a command line: the arguments that a file holds, as build systems
//! write them when there are many.

use std::ffi::OsString;

/// Files within files deeper than this stay as they are: they may be their own.
const DEPTH: usize = 8;

/// Every `@FILE` that can be read gives way to its contents; as with gcc, one that
/// cannot is an argument like another.
pub fn expand(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    expand_to(args, DEPTH)
}

fn expand_to(args: impl IntoIterator<Item = OsString>, depth: usize) -> Vec<OsString> {
    let mut all = Vec::new();
    for arg in args {
        let file = arg.to_str().and_then(|text| text.strip_prefix('@')).filter(|_| depth > 0);
        match file.and_then(|file| std::fs::read_to_string(file).ok()) {
            Some(text) => all.extend(expand_to(split(&text), depth - 1)),
            None => all.push(arg),
        }
    }
    all
}

/// Blanks part arguments, unless they are quoted or behind a backslash.
fn split(text: &str) -> Vec<OsString> {
    let mut args = Vec::new();
    let mut arg: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                arg.get_or_insert_default();
            }
            ('\\', _) => arg.get_or_insert_default().extend(chars.next()),
            (c, None) if c.is_whitespace() => args.extend(arg.take().map(OsString::from)),
            (c, _) => arg.get_or_insert_default().push(c),
        }
    }
    args.extend(arg.map(OsString::from));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_part_what_is_not_quoted() {
        assert_eq!(
            split(" a.o\n'b c.o' d\\ e \"\" -DX=\\\"1\\\"\n"),
            ["a.o", "b c.o", "d e", "", "-DX=\"1\""]
        );
        assert!(split(" \n").is_empty());
    }

    #[test]
    fn a_file_gives_way_to_its_contents() {
        let file = std::env::temp_dir().join(format!("wasmlinux-response-{}", std::process::id()));
        let at = format!("@{}", file.display());
        std::fs::write(&file, format!("b.o -Wl,-s {at}")).unwrap();
        let args = expand(["a.o".into(), OsString::from(&at), "@not/there".into()]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(args[..3], ["a.o", "b.o", "-Wl,-s"]);
        assert_eq!(args.last().unwrap(), "@not/there");
        assert_eq!(args.len(), 3 + 2 * (DEPTH - 1) + 2);
    }
}
