//! Reads a compiler command line as build systems write it.
//!
//! clang gets nearly all of it. Taken out is what makes no sense for a static
//! wasm module (`-static`, `-fPIC`, `-Wl,-z,relro`, ...), and what this driver
//! must know itself: whether a program is linked, and where it goes.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::driver::Error;
use crate::linker::Options;
use crate::response;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// clang alone: compile, preprocess, version, ...
    Compile,
    /// clang, linker, finishing.
    Link,
    /// Linker only, result is an object file (`-r`).
    Relocatable,
    /// Answered without clang.
    Print(Query),
    /// Answered by the linker.
    LinkerVersion,
}

/// Questions about the toolchain that configure scripts ask.
#[derive(Debug, PartialEq, Eq)]
pub enum Query {
    Machine,
    Sysroot,
    Builtins,
    File(String),
}

/// One argument, by the step it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// An option of the compiler.
    Compile(OsString),
    /// A source file.
    Source(OsString),
    /// An object, an archive or an option of the linker.
    Link(OsString),
}

impl Arg {
    pub fn text(&self) -> &OsStr {
        match self {
            Arg::Compile(text) | Arg::Source(text) | Arg::Link(text) => text,
        }
    }

    /// A C++ source, by its name.
    pub fn is_cxx(&self) -> bool {
        let Arg::Source(name) = self else { return false };
        let name = name.to_string_lossy();
        name.rsplit_once('.').is_some_and(|(_, extension)| CXX_SOURCES.contains(&extension))
    }
}

/// A command line, sorted.
#[derive(Debug)]
pub struct Command {
    pub action: Action,
    /// Arguments for clang in their order, without `-o`.
    pub args: Vec<Arg>,
    pub output: Option<PathBuf>,
    /// False for `-nostdlib` and `-nostartfiles`.
    pub startfiles: bool,
    /// False for `-nostdlib` and `-nodefaultlibs`.
    pub defaultlibs: bool,
    /// Something to compile or link was named.
    pub has_input: bool,
    /// The C++ library was asked for by name.
    pub cxx_library: bool,
}

/// Options whose next argument is theirs, and not an input file.
const WITH_VALUE: &[&str] = &[
    "-I",
    "-D",
    "-U",
    "-L",
    "-l",
    "-x",
    "-include",
    "-imacros",
    "-isystem",
    "-idirafter",
    "-iquote",
    "-iprefix",
    "-iwithprefix",
    "-isysroot",
    "-MF",
    "-MT",
    "-MQ",
    "-Xclang",
    "-Xpreprocessor",
    "-Xassembler",
    "-mllvm",
    "-u",
    "-arch",
    "-target",
    "--param",
];

/// Of these, the ones the linker wants.
const LINK_WITH_VALUE: &[&str] = &["-L", "-l", "-u"];

/// What a compiler takes; any other file is the linker's.
const SOURCES: &[&str] =
    &["c", "i", "s", "S", "sx", "cc", "cpp", "cxx", "c++", "C", "ii", "m", "ll", "bc"];

/// Of these, the ones that are C++.
const CXX_SOURCES: &[&str] = &["cc", "cpp", "cxx", "c++", "C", "ii"];

/// Libraries that ask for the C++ library, by the names it has elsewhere.
const CXX_LIBRARY: &[&str] = &["-lc++", "-lc++abi", "-lstdc++", "-lsupc++"];

const NO_LINK: &[&str] = &["-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--version", "-###"];

/// Has no meaning for a static, position-dependent wasm module.
const DROPPED: &[&str] = &[
    "-static",
    "-static-pie",
    "-static-libgcc",
    "-static-libstdc++",
    "-shared-libgcc",
    "-rdynamic",
    "-fPIC",
    "-fpic",
    "-fPIE",
    "-fpie",
    "-pie",
    "-no-pie",
    "-nopie",
    "-fstack-protector",
    "-fstack-protector-strong",
    "-fstack-protector-all",
    "-fstack-clash-protection",
    "-fcf-protection",
    "-fno-plt",
    "-m32",
    "-pipe",
];

impl Command {
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let mut cmd = Command {
            action: Action::Link,
            args: Vec::new(),
            output: None,
            startfiles: true,
            defaultlibs: true,
            has_input: false,
            cxx_library: false,
        };
        let mut args = response::expand(args).into_iter();
        let mut options = Options::default();
        // `-x c` makes a source of any file name.
        let mut language = false;
        let mut version = false;
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy().into_owned();
            match text.as_str() {
                "-o" => cmd.output = args.next().map(PathBuf::from),
                "-shared" | "--shared" | "-dynamiclib" => return Err(Error::Shared),
                "-Wl,--version" | "-Wl,-v" => version = true,
                "-r" | "-Wl,-r" => cmd.action = Action::Relocatable,
                "-nostdlib" => (cmd.startfiles, cmd.defaultlibs) = (false, false),
                "-nostartfiles" => cmd.startfiles = false,
                "-nodefaultlibs" | "-nolibc" => cmd.defaultlibs = false,
                "-dumpmachine" | "-print-target-triple" | "--print-target-triple" => {
                    cmd.action = Action::Print(Query::Machine);
                }
                "-print-sysroot" | "--print-sysroot" => cmd.action = Action::Print(Query::Sysroot),
                "-print-libgcc-file-name" | "--print-libgcc-file-name" => {
                    cmd.action = Action::Print(Query::Builtins);
                }
                t if t.starts_with("-print-file-name=") || t.starts_with("--print-file-name=") => {
                    let name = t.split_once('=').map_or("", |(_, n)| n).to_owned();
                    cmd.action = Action::Print(Query::File(name));
                }
                t if DROPPED.contains(&t)
                    || t.starts_with("-mtune=")
                    || t.starts_with("-march=") => {}
                t if CXX_LIBRARY.contains(&t) => cmd.cxx_library = true,
                "-Xlinker" => {
                    let value = args.next().unwrap_or_default();
                    if options.keep(&value.to_string_lossy())? {
                        cmd.args.extend([Arg::Link(arg), Arg::Link(value)]);
                    }
                }
                "-z" | "-T" | "-e" => {
                    let value = args.next().unwrap_or_default();
                    options.keep(&text)?;
                    options.keep(&value.to_string_lossy())?;
                }
                t if t.starts_with("-Wl,") => {
                    let mut kept = String::from("-Wl");
                    for item in t[4..].split(',') {
                        if options.keep(item)? {
                            kept.extend([",", item]);
                        }
                    }
                    if kept.len() > 3 {
                        cmd.args.push(Arg::Link(kept.into()));
                    }
                }
                t if WITH_VALUE.contains(&t) => {
                    cmd.has_input |= t == "-l";
                    language |= t == "-x";
                    let step = if LINK_WITH_VALUE.contains(&t) { Arg::Link } else { Arg::Compile };
                    cmd.args.push(step(arg));
                    cmd.args.extend(args.next().map(step));
                }
                t => {
                    if NO_LINK.contains(&t) || t.starts_with("-print-") || t.starts_with("--print-")
                    {
                        cmd.action = Action::Compile;
                    }
                    if let Some(name) = t.strip_prefix("-o").filter(|_| !t.starts_with("-object")) {
                        cmd.output = Some(PathBuf::from(name));
                        continue;
                    }
                    let link_option = t.starts_with("-l") || t.starts_with("-L");
                    if t.starts_with('-') && t != "-" && !link_option {
                        cmd.args.push(Arg::Compile(arg));
                        continue;
                    }
                    cmd.has_input |= !t.starts_with("-L");
                    let extension = t.rsplit_once('.').map_or("", |(_, e)| e);
                    let object = matches!(extension, "o" | "a" | "lo");
                    let source = !link_option
                        && (SOURCES.contains(&extension) || t == "-" || language && !object);
                    cmd.args.push(if source { Arg::Source(arg) } else { Arg::Link(arg) });
                }
            }
        }
        // `cc -v` and the like have nothing to link.
        if cmd.action == Action::Link && !cmd.has_input {
            cmd.action = match version {
                true => Action::LinkerVersion,
                false => Action::Compile,
            };
        }
        Ok(cmd)
    }

    /// The output's name, `a.out` by default.
    pub fn program(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| PathBuf::from(OsStr::new("a.out")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Command {
        Command::parse(line.split_whitespace().map(OsString::from)).unwrap()
    }

    fn args(line: &str) -> String {
        parse(line).args.iter().map(|a| a.text().to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn compiling_is_told_from_linking() {
        assert_eq!(parse("-c a.c -o a.o").action, Action::Compile);
        assert_eq!(parse("a.o -o a").action, Action::Link);
        assert_eq!(parse("-v").action, Action::Compile);
        assert_eq!(parse("-r a.o b.o -o c.o").action, Action::Relocatable);
        assert_eq!(parse("-dumpmachine").action, Action::Print(Query::Machine));
        assert_eq!(parse("-I inc -DX").action, Action::Compile);
    }

    #[test]
    fn what_wasm_ld_lacks_is_dropped() {
        assert_eq!(
            args("-static -Wl,-z,relro,--gc-sections -Wl,--sort-section,alignment a.o"),
            "-Wl,--gc-sections a.o"
        );
        assert_eq!(args("-Wl,-znow -Wl,-rpath,/x -fPIC a.o -lm"), "a.o -lm");
        assert_eq!(args("-Wl,--hash-style=gnu -Xlinker --as-needed a.o"), "a.o");
        assert_eq!(args("-Wl,-Map,x.map a.o"), "-Wl,-Map,x.map a.o");
        assert_eq!(args("-rdynamic -z now -Wl,--start-group a.o -Wl,--end-group"), "a.o");
    }

    /// libtool's way.
    #[test]
    fn an_option_and_its_value_may_come_apart() {
        assert_eq!(args("-Wl,-rpath -Wl,/usr/lib a.o"), "a.o");
        assert_eq!(args("-Wl,--gc-sections,-rpath -Wl,/x,-s a.o"), "-Wl,--gc-sections -Wl,-s a.o");
        assert_eq!(args("-Xlinker -rpath -Xlinker /a,b a.o"), "a.o");
        assert_eq!(
            args("-Xlinker --wrap=f -Wl,-Map -Wl,m a.o"),
            "-Xlinker --wrap=f -Wl,-Map -Wl,m a.o"
        );
    }

    #[test]
    fn a_layout_of_ones_own_is_refused() {
        for line in ["-T x.ld a.o", "-Wl,-T -Wl,x.ld a.o", "-e begin a.o", "-z stack-size=9 a.o"] {
            let refused = Command::parse(line.split(' ').map(OsString::from));
            assert!(matches!(refused, Err(Error::Linker { .. })), "{line}");
        }
    }

    /// Meson asks the compiler which linker it has.
    #[test]
    fn the_linker_is_asked_for_its_version() {
        assert_eq!(parse("-Wl,--version").action, Action::LinkerVersion);
        assert_eq!(parse("-Wl,--version a.o").action, Action::Link);
    }

    #[test]
    fn files_go_to_the_step_that_takes_them() {
        let sources =
            |line: &str| parse(line).args.iter().filter(|a| matches!(a, Arg::Source(_))).count();
        assert_eq!(sources("-O2 a.c b.S c.o libd.a -Lx -ly -o p"), 2);
        assert_eq!(sources("-x c - c.o"), 1);
    }

    #[test]
    fn the_cxx_library_has_several_names() {
        for name in ["-lc++", "-lstdc++"] {
            let cmd = parse(&format!("a.o {name} -lm -o a"));
            assert!(cmd.cxx_library);
            assert_eq!(cmd.args.len(), 2);
        }
        assert!(!parse("a.o -lcrypt").cxx_library);
        assert!(parse("a.cpp").args[0].is_cxx() && !parse("a.c").args[0].is_cxx());
    }

    #[test]
    fn output_is_taken_out() {
        let cmd = parse("-ofoo a.c -O2");
        assert_eq!(cmd.output, Some(PathBuf::from("foo")));
        assert_eq!(args("-o foo a.c -O2"), "a.c -O2");
    }

    #[test]
    fn shared_libraries_are_refused() {
        let refused = Command::parse(["-shared".into(), "a.o".into()]);
        assert!(matches!(refused, Err(Error::Shared)));
    }
}
