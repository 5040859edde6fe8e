//! Options of GNU ld, as build systems hand them on in `-Wl,` and `-Xlinker`.
//!
//! Most are about ELF, shared libraries and how fast something loads: of no
//! meaning for a static wasm module, so they are left out, and wasm-ld never
//! hears of them. What it cannot do and a program would miss is refused with the
//! reason. Everything else is wasm-ld's.

use crate::driver::Error;

/// Says nothing of a program: without a value, or with one behind `=`.
const DROPPED: &[&str] = &[
    // shared libraries
    "as-needed",
    "no-as-needed",
    "add-needed",
    "no-add-needed",
    "copy-dt-needed-entries",
    "no-copy-dt-needed-entries",
    "Bstatic",
    "Bdynamic",
    "Bsymbolic",
    "Bsymbolic-functions",
    "Bno-symbolic",
    "Bgroup",
    "dn",
    "dy",
    "call_shared",
    "non_shared",
    "static",
    "pie",
    "no-pie",
    "pic-executable",
    "export-dynamic",
    "E",
    "no-undefined",
    "allow-shlib-undefined",
    "no-allow-shlib-undefined",
    "undefined-version",
    "no-undefined-version",
    "default-symver",
    "dynamic-list-data",
    "dynamic-list-cpp-new",
    "dynamic-list-cpp-typeinfo",
    "no-dynamic-linker",
    // the order of inputs: wasm-ld looks into every archive
    "push-state",
    "pop-state",
    "start-group",
    "end-group",
    "(",
    ")",
    "warn-backrefs",
    "no-warn-backrefs",
    // sections and segments of ELF
    "enable-new-dtags",
    "disable-new-dtags",
    "eh-frame-hdr",
    "no-eh-frame-hdr",
    "ld-generated-unwind-info",
    "no-ld-generated-unwind-info",
    "rosegment",
    "no-rosegment",
    "omagic",
    "nmagic",
    "N",
    "n",
    "build-id",
    "package-metadata",
    "pack-dyn-relocs",
    "compress-debug-sections",
    "gdb-index",
    "no-gdb-index",
    "discard-all",
    "discard-locals",
    "discard-none",
    "x",
    "X",
    "d",
    "dc",
    "dp",
    "emit-relocs",
    "q",
    "orphan-handling",
    "ctors-in-init-array",
    "no-ctors-in-init-array",
    // size and order, which wasm-ld knows by itself
    "icf",
    "relax",
    "no-relax",
    "sort-common",
    "no-threads",
    "no-keep-memory",
    "reduce-memory-overheads",
    // two definitions are an error all the same
    "allow-multiple-definition",
    // warnings and reports
    "warn-common",
    "warn-once",
    "warn-constructors",
    "warn-section-align",
    "warn-textrel",
    "warn-shared-textrel",
    "warn-execstack",
    "no-warn-execstack",
    "warn-rwx-segments",
    "no-warn-rwx-segments",
    "no-warn-mismatch",
    "no-warn-search-mismatch",
    "stats",
    "cref",
    "print-memory-usage",
    "verbose",
    "v",
];

/// The same with a value, behind `=` or as the next item.
const DROPPED_WITH_VALUE: &[&str] = &[
    "rpath",
    "rpath-link",
    "R",
    "soname",
    "h",
    "version-script",
    "dynamic-list",
    "dynamic-linker",
    "I",
    "retain-symbols-file",
    "exclude-libs",
    "auxiliary",
    "filter",
    "f",
    "F",
    "audit",
    "depaudit",
    "P",
    "hash-style",
    "hash-size",
    "spare-dynamic-tags",
    "sort-section",
    "plugin",
    "plugin-opt",
];

const NO_LAYOUT: &str = "there are no linker scripts and no addresses of sections: \
                         the kernel lays a program out";
const NO_FORMATS: &str = "the linker reads and writes WebAssembly only; \
                          make a C array of a file's bytes, or use .incbin";
const NO_HOOKS: &str = "mark the function __attribute__((constructor)) or ((destructor))";
const NO_ENTRY: &str = "every program begins at _start";
const NO_ADDRESSES: &str = "a symbol cannot be given a value; define it in a source file";
const NO_STACK_SIZE: &str = "a program's stack is as large as RLIMIT_STACK says, \
                             and that of a thread as pthread_attr_setstacksize() does";

/// A program would be another one without it.
const REFUSED: &[(&str, &str)] = &[
    ("script", NO_LAYOUT),
    ("section-start", NO_LAYOUT),
    ("b", NO_FORMATS),
    ("format", NO_FORMATS),
    ("oformat", NO_FORMATS),
    ("init", NO_HOOKS),
    ("fini", NO_HOOKS),
    ("defsym", NO_ADDRESSES),
];

/// What the next item is, when an option has its value there.
#[derive(Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Option,
    /// Of an option that was left out.
    Value,
    /// Of `-z`.
    Keyword,
    /// Of `-e`.
    Entry,
}

/// The items of a command line so far: a value may come in another `-Wl,` than
/// its option (`-Wl,-rpath -Wl,DIR`).
#[derive(Debug, Default)]
pub struct Options {
    next: Next,
}

impl Options {
    /// Whether wasm-ld is to see the item.
    pub fn keep(&mut self, item: &str) -> Result<bool, Error> {
        match std::mem::take(&mut self.next) {
            Next::Option => self.option(item),
            Next::Value => Ok(false),
            Next::Keyword => keyword(item),
            Next::Entry => entry(item),
        }
    }

    fn option(&mut self, item: &str) -> Result<bool, Error> {
        let Some(body) = item.strip_prefix('-').filter(|body| !body.is_empty()) else {
            return Ok(true);
        };
        let (single, body) = match body.strip_prefix('-') {
            Some(body) => (false, body),
            None => (true, body),
        };
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        if matches!(name, "shared" | "Bshareable") {
            return Err(Error::Shared);
        }
        if single && (body.starts_with('T') || body.starts_with('z')) {
            return match &body[1..] {
                _ if body.starts_with('T') => Err(refused(item, NO_LAYOUT)),
                "" => self.wait_for(Next::Keyword),
                word => keyword(word),
            };
        }
        if matches!(name, "e" | "entry") {
            return value.map_or_else(|| self.wait_for(Next::Entry), entry);
        }
        if let Some((_, why)) = REFUSED.iter().find(|(n, _)| *n == name) {
            return Err(refused(item, why));
        }
        if DROPPED_WITH_VALUE.contains(&name) {
            return if value.is_some() { Ok(false) } else { self.wait_for(Next::Value) };
        }
        // -R/usr/lib
        let attached = single && (body.starts_with("R/") || body.starts_with("I/"));
        Ok(!attached && !DROPPED.contains(&name))
    }

    fn wait_for(&mut self, next: Next) -> Result<bool, Error> {
        self.next = next;
        Ok(false)
    }
}

fn keyword(word: &str) -> Result<bool, Error> {
    match word.starts_with("stack-size") {
        true => Err(refused(&format!("-z {word}"), NO_STACK_SIZE)),
        false => Ok(false),
    }
}

fn entry(symbol: &str) -> Result<bool, Error> {
    match symbol {
        "_start" => Ok(false),
        _ => Err(refused(&format!("-e {symbol}"), NO_ENTRY)),
    }
}

fn refused(option: &str, why: &'static str) -> Error {
    Error::Linker { option: option.into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of these items.
    fn left(items: &str) -> Result<String, Error> {
        let mut options = Options::default();
        let mut kept = Vec::new();
        for item in items.split(' ') {
            if options.keep(item)? {
                kept.push(item);
            }
        }
        assert_eq!(options.next, Next::Option, "{items}");
        Ok(kept.join(" "))
    }

    #[test]
    fn what_says_nothing_of_a_static_module_is_left_out() {
        for items in [
            "-rpath /usr/lib",
            "--rpath /usr/lib",
            "-rpath=/usr/lib",
            "-rpath-link /x",
            "-R /x",
            "-R/x",
            "-soname libx.so.1",
            "--soname=libx.so.1",
            "-h libx.so.1",
            "-z now",
            "-znow",
            "-z relro -z defs -z noexecstack",
            "--hash-style=gnu",
            "--hash-style both",
            "--as-needed --no-as-needed",
            "--push-state --no-as-needed --pop-state",
            "--start-group --end-group",
            "-( -)",
            "--export-dynamic",
            "-E",
            "-Bsymbolic",
            "-Bsymbolic-functions",
            "-Bstatic -Bdynamic",
            "--version-script x.map",
            "-version-script=x.map",
            "--dynamic-list=x",
            "--enable-new-dtags",
            "--build-id=sha1",
            "--no-undefined",
            "--no-undefined-version",
            "-dynamic-linker /lib/ld.so",
            "--package-metadata={}",
            "--icf=all",
            "--sort-section alignment",
            "-e _start",
        ] {
            assert_eq!(left(items).unwrap(), "", "{items}");
        }
    }

    #[test]
    fn what_wasm_ld_knows_is_its_own() {
        for items in [
            "--gc-sections",
            "-O1",
            "-s",
            "-S",
            "--strip-all",
            "-Map x.map",
            "-Map=x.map",
            "--whole-archive libx.a --no-whole-archive",
            "--wrap=malloc",
            "--wrap malloc",
            "-u symbol",
            "--undefined=symbol",
            "--export=f",
            "--fatal-warnings",
            "--print-gc-sections",
            "-L/x",
            "-lm",
            "x.o",
        ] {
            assert_eq!(left(items).unwrap(), items);
        }
        assert_eq!(left("-rpath -u --gc-sections").unwrap(), "--gc-sections");
    }

    #[test]
    fn what_would_make_another_program_is_refused() {
        for (items, word) in [
            ("-T x.ld", "scripts"),
            ("-Ttext=0x1000", "scripts"),
            ("--script=x.ld", "scripts"),
            ("--section-start=.x=0", "sections"),
            ("--defsym=x=y", "value"),
            ("--defsym x=y", "value"),
            ("-e begin", "_start"),
            ("--entry=begin", "_start"),
            ("-init f", "constructor"),
            ("-fini=f", "destructor"),
            ("-b binary", "WebAssembly"),
            ("--oformat=binary", "WebAssembly"),
            ("-z stack-size=65536", "RLIMIT_STACK"),
            ("-zstack-size=65536", "RLIMIT_STACK"),
            ("--shared", "shared libraries"),
            ("-shared", "shared libraries"),
        ] {
            let message = left(items).unwrap_err().to_string();
            assert!(message.contains(word), "{items}: {message}");
        }
    }
}
