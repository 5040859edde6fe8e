//! Modules that no compiler would write: whatever they try, they hurt only
//! themselves.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use common::{test_module, Dir};
use wasmlinux::{Command, Error, Limits, Machine, Stdio};
use wasmlinux_sdk::finish::Image;

/// A module as a program: text format in, file out.
fn program(dir: &Dir, name: &str, text: &str) -> String {
    let module = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"));
    let body = &module[8..];
    dir.file(name, &Image::identify(0x20000, body).prepend(body))
}

/// What each case runs in; `$case` is the function.
fn module(cases: &[String]) -> String {
    let mut text = String::from(
        r#"(module
        (type $void (func)) (type $other (func (param f64) (result f64)))
        (type $pair (func (result i32 i32)))
        (import "env" "memory" (memory 2 65536))
        (import "linux" "syscall"
            (func $sys (param i32 i64 i64 i64 i64 i64 i64) (result i32)))
        (import "linux" "longjmp" (func $longjmp (param i32 i32)))
        (global $__stack_pointer (export "__stack_pointer") (mut i32) (i32.const 0x20000))
        (global $__tls_base (export "__tls_base") (mut i32) (i32.const 0))
        (data $d "secret")
        (func $other (type $other) local.get 0)
        (func $pair (type $pair) (i32.const 1) (i32.const 2))
        (func $deep (param i32) (result i32) (local i32)
            ;; The store behind the call: no compiler makes a loop of this.
            (local.set 1 (call $deep (i32.add (local.get 0) (i32.const 1))))
            (i32.store (i32.const 0x10000) (local.get 1))
            (i32.add (local.get 1) (i32.const 1)))
        (func (export "__wasm_signal") (param i32 i32 i32 i32 i32))
        (func $call (param $nr i32) (param $a i64) (param $b i64) (param $c i64) (result i32)
            (call $sys (local.get $nr) (local.get $a) (local.get $b) (local.get $c)
                (i64.const 0) (i64.const 0) (i64.const 0)))
        "#,
    );
    for (i, case) in cases.iter().enumerate() {
        text += &format!("(func $case{i} (type $void) {case})\n");
    }
    let names: Vec<String> = (0..cases.len()).map(|i| format!("$case{i}")).collect();
    let n = names.len();
    text += &format!(
        "(table $t (export \"__indirect_function_table\") {} {} funcref)\n\
         (elem (i32.const 0) {} $other $pair)\n\
         ;; argv[1] is two characters: the number of the case in base 64 from '0'.\n\
         (func (export \"_start\") (param $sp i32) (local $arg i32)\n\
         (local.set $arg (i32.load offset=8 (local.get $sp)))\n\
         (call_indirect (type $void) (i32.add\n\
         (i32.mul (i32.const 64) (i32.sub (i32.load8_u (local.get $arg)) (i32.const 48)))\n\
         (i32.sub (i32.load8_u offset=1 (local.get $arg)) (i32.const 48))))\n\
         (drop (call $call (i32.const 94) (i64.const 0) (i64.const 0) (i64.const 0)))))",
        n + 3,
        n + 3,
        names.join(" ")
    );
    text
}

fn argument(case: usize) -> String {
    [case / 64, case % 64].map(|d| char::from(48 + d as u8)).iter().collect()
}

/// A machine with programs, and a process beside them that must not notice.
struct Neighbours {
    machine: Machine,
    cat: wasmlinux::Child,
    lines: BufReader<wasmlinux::ChildStdout>,
}

impl Neighbours {
    fn new(programs: &[&String]) -> Neighbours {
        let builder = programs.iter().fold(Machine::builder(), |b, p| b.program(p));
        let machine = builder.boot().unwrap();
        let mut cat =
            machine.command("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(cat.stdout.take().unwrap());
        Neighbours { machine, cat, lines }
    }

    fn command(&self, path: &str) -> Command {
        let limits = Limits { time: Some(Duration::from_secs(20)), ..Limits::default() };
        let name = std::path::Path::new(path).file_name().unwrap();
        self.machine.command(name).limits(limits).stdin(Stdio::null()).stderr(Stdio::null())
    }

    /// The neighbour still answers and the machine still starts programs.
    #[track_caller]
    fn are_well(&mut self, after: &str) {
        writeln!(self.cat.stdin.as_mut().unwrap(), "{after}").unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{after}\n"));
        assert!(self.machine.command("true").status().unwrap().success(), "{after}");
    }
}

/// Loads and stores of every width at addresses whose sum with the offset lies
/// outside, also where 32 bits would wrap into the program's own data.
fn wild_accesses() -> Vec<String> {
    let kinds = [
        ("i32.load8_u", "i32.store8", "i32.const 7", 1),
        ("i32.load16_s", "i32.store16", "i32.const 7", 2),
        ("i32.load", "i32.store", "i32.const 7", 4),
        ("i64.load", "i64.store", "i64.const 7", 8),
        ("i64.load32_u", "i64.store32", "i64.const 7", 4),
        ("f32.load", "f32.store", "f32.const 7", 4),
        ("f64.load", "f64.store", "f64.const 7", 8),
    ];
    let places: [(u32, u32); 9] = [
        (0, 0),
        (0, 0xfff8),
        (0xffff_0000, 0),
        (0xffff_ffff, 0),
        (0xffff_ffff, 0xffff_ffff),
        (0x8000_0000, 0x8001_0000),
        (0xffff_fff8, 0x1_0008),
        (0x1_0000, 0xffff_fff8),
        (0x7fff_ffff, 0x8000_ffff),
    ];
    let mut cases = Vec::new();
    for (load, store, value, _) in kinds {
        for (address, offset) in places {
            // The address comes from a call, so that no compiler knows it.
            let at = format!(
                "(i32.add (i32.const {}) (call $call (i32.const 999) (i64.const 0) (i64.const 0) (i64.const 0)))",
                address.wrapping_add(38) as i32 // -ENOSYS is added to it
            );
            cases.push(format!("(drop ({load} offset={offset} {at}))"));
            cases.push(format!("({store} offset={offset} {at} ({value}))"));
        }
    }
    cases
}

#[test]
fn accesses_beyond_the_memory() {
    let dir = Dir::new();
    let cases = wild_accesses();
    let path = program(&dir, "wild", &module(&cases));
    let mut all = Neighbours::new(&[&path]);
    for (i, case) in cases.iter().enumerate() {
        let status = all.command(&path).arg(argument(i)).status().unwrap();
        // A load whose value is not used may be left out of the code only if
        // it still faults.
        assert_eq!(status.signal(), Some(libc::SIGSEGV), "{case}: {status:?}");
        if i % 16 == 0 {
            all.are_well(case);
        }
    }
    all.are_well("the last");
}

#[test]
fn everything_else_a_module_can_try() {
    const SEGV: i32 = libc::SIGSEGV;
    const ILL: i32 = libc::SIGILL;
    let sys = |nr: i32, a: i64, b: i64, c: i64| {
        format!(
            "(drop (call $call (i32.const {nr}) (i64.const {a}) (i64.const {b}) (i64.const {c})))"
        )
    };
    let count = 25 + 2;
    // What is tried, and the signal it ends with; `None`: an error number, exit 0.
    let mut cases: Vec<(String, Option<i32>)> = vec![
        ("(memory.fill (i32.const 0x10000) (i32.const 1) (i32.const -1))".into(), Some(SEGV)),
        ("(memory.copy (i32.const 0xfffe0000) (i32.const 0x10000) (i32.const 0x20000))".into(), Some(SEGV)),
        ("(memory.copy (i32.const 0x10000) (i32.const -16) (i32.const 32))".into(), Some(SEGV)),
        ("(memory.init $d (i32.const 0x10000) (i32.const 3) (i32.const 4))".into(), Some(SEGV)),
        ("(memory.init $d (i32.const -2) (i32.const 0) (i32.const 6))".into(), Some(SEGV)),
        ("(data.drop $d) (memory.init $d (i32.const 0x10000) (i32.const 0) (i32.const 1))".into(), Some(SEGV)),
        ("(call_indirect (type $void) (i32.const 100000))".into(), Some(SEGV)),
        ("(call_indirect (type $void) (i32.const -1))".into(), Some(SEGV)),
        // Of another type: one that C has, one that it has not; nothing at all.
        (format!("(call_indirect (type $void) (i32.const {}))", count), None),
        (format!("(call_indirect (type $void) (i32.const {}))", count + 1), Some(ILL)),
        (format!("(call_indirect (type $void) (i32.const {}))", count + 2), Some(SEGV)),
        ("(drop (memory.grow (i32.const 65535))) (i32.store (i32.const 0xffff0000) (i32.const 1))".into(), Some(SEGV)),
        ("(drop (memory.grow (i32.const -1))) (drop (i32.load (i32.const 0x7ff00000)))".into(), Some(SEGV)),
        ("(drop (call $deep (i32.const 0)))".into(), Some(SEGV)),
        ("unreachable".into(), Some(ILL)),
        ("(drop (i32.div_s (i32.const 1) (i32.load (i32.const 0x1ff00))))".into(), Some(libc::SIGFPE)),
        // A jump buffer that no setjmp has filled.
        ("(call $longjmp (i32.const 0x10000) (i32.const 1))".into(), Some(ILL)),
        // One that lies where nothing is, and a number that somebody made up.
        ("(call $longjmp (i32.const -4) (i32.const 1))".into(), Some(SEGV)),
        ("(i64.store (i32.const 0x10000) (i64.const 77)) (call $longjmp (i32.const 0x10000) (i32.const 1))".into(), Some(ILL)),
        // Signals on a stack that is none: SIGUSR1 with a handler.
        (format!(
            "(i32.store (i32.const 0x10000) (i32.const 3)) {} (global.set $__stack_pointer (i32.const -1)) {}",
            "(drop (call $sys (i32.const 134) (i64.const 10) (i64.const 0x10000) (i64.const 0) (i64.const 8) (i64.const 0) (i64.const 0)))",
            "(drop (call $call (i32.const 129) (i64.extend_i32_u (call $call (i32.const 172) (i64.const 0) (i64.const 0) (i64.const 0))) (i64.const 10) (i64.const 0)))"
        ), Some(SEGV)),
        // rt_sigreturn of nothing, of zeroes, of the kernel's addresses.
        (sys(139, 0, 0, 0), Some(SEGV)),
        (sys(139, 0xffff_0000, 0, 0), Some(SEGV)),
        (sys(139, -1, 0, 0), Some(SEGV)),
        // Addresses of the kernel: an error number and nothing else.
        (format!("{} {} {}", sys(63, 0, 0xffff_f000, 4096), sys(64, 1, 8, 4096), sys(160, -4096, 0, 0)), None),
        (format!("{} {}", sys(63, 0, 0x1_0000_0000, 8), sys(56, -100, 0xffff_ffff_0000, 0)), None),
    ];
    assert_eq!(cases.len() + 2, count);
    let texts: Vec<String> = cases.iter().map(|(text, _)| text.clone()).collect();
    // The table's last two places: nothing, and a function of a type that C has not.
    let mut table = texts.clone();
    table.extend(["nop".to_owned(), "nop".to_owned()]);
    let dir = Dir::new();
    let path = program(&dir, "wild", &module(&table));
    let mut all = Neighbours::new(&[&path]);
    for (i, (case, signal)) in cases.drain(..).enumerate() {
        let status = all.command(&path).arg(argument(i)).status().unwrap();
        assert_eq!(status.signal(), signal, "{case}: {status:?}");
        assert!(signal.is_some() || status.success(), "{case}: {status:?}");
        all.are_well(&case);
    }
}

/// Random numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % n
    }
}

/// Files that exec refuses, or that end as programs do.
#[test]
fn headers_of_programs_with_any_bytes() {
    const ROUNDS: usize = 300;
    let good = std::fs::read(test_module("start_exit")).unwrap();
    let mut random = Random(7);
    let mut builder = Machine::builder().program(test_module("start_exit"));
    for i in 0..ROUNDS {
        let mut bytes = good[..good.len().min(1024)].to_vec();
        match i % 4 {
            0 => bytes.truncate(random.below(80)),
            // The words behind the magic: where its data lies.
            1 => {
                for byte in &mut bytes[26..38] {
                    if random.below(2) == 0 {
                        *byte = random.below(256) as u8;
                    }
                }
            }
            _ => {
                for _ in 0..1 + random.below(4) {
                    let at = random.below(80);
                    bytes[at] ^= 1 << random.below(8);
                }
            }
        }
        builder = builder.file(format!("/opt/{i}"), 0o755, bytes);
    }
    let log = Dir::new();
    let file = std::fs::File::create(log.path().join("log")).unwrap();
    let machine = builder.kernel_log(file).boot().unwrap();
    let mut refused = 0;
    for i in 0..ROUNDS {
        let command = machine.command(format!("/opt/{i}"));
        match command.stdout(Stdio::null()).stderr(Stdio::null()).status() {
            Err(Error::NotStarted { cause, .. }) => {
                // No memory for what it says its data are.
                let expected = [Some(libc::ENOEXEC), Some(libc::ENOMEM)];
                assert!(expected.contains(&cause.raw_os_error()), "{i}: {cause}");
                refused += 1;
            }
            Err(e) => panic!("{i}: {e}"),
            // It has the build id of the good one and data that lie elsewhere.
            Ok(_) => {}
        }
    }
    assert!(refused > ROUNDS / 2, "{refused}");
    assert!(machine.command("true").status().unwrap().success());
    let log = std::fs::read_to_string(log.path().join("log")).unwrap();
    assert!(log.contains("cannot execute: "), "{log}");
}

/// A changed module either does not translate, or is a program like any other.
fn changed_modules(rounds: usize, seed: u64) {
    let good = std::fs::read(test_module("start_exit")).unwrap();
    let image = Image::parse(&good).unwrap();
    let body = Image::body(&good).unwrap();
    let mut random = Random(seed);
    let mut tried = 0;
    while tried < rounds {
        let mut body = body.to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.below(body.len());
            body[at] ^= 1 << random.below(8);
        }
        let module = Image::identify(image.data_end, &body).prepend(&body);
        let mut options = wasm2c::Options::new("program");
        options.mode = wasm2c::Mode::Gs;
        if wasm2c::translate(&module, &options).is_err() {
            continue;
        }
        tried += 1;
        let dir = Dir::new();
        let path = dir.file("changed", &module);
        let machine = match Machine::builder().program(&path).boot() {
            // What is valid wasm may still be no program for us.
            Err(e) => {
                assert!(matches!(e, Error::Program(_)), "{e}");
                continue;
            }
            Ok(machine) => machine,
        };
        let limits = Limits { time: Some(Duration::from_secs(5)), ..Limits::default() };
        let command = machine.command("changed").limits(limits);
        let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match ended.status() {
            Ok(_) | Err(Error::NotStarted { .. }) => {}
            Err(e) => panic!("seed {seed}: {e}"),
        }
        assert!(machine.command("true").status().unwrap().success(), "seed {seed}");
    }
}

#[test]
fn some_changed_modules() {
    changed_modules(6, 1);
}

#[test]
#[ignore = "compiles 150 modules: a minute or two"]
fn many_changed_modules() {
    changed_modules(150, 2);
}

/// Whatever bytes: an error, never a panic.
#[test]
fn modules_of_any_bytes() {
    let good = std::fs::read(test_module("start_exit")).unwrap();
    let options = wasm2c::Options::new("program");
    let mut random = Random(3);
    for round in 0..400 {
        let mut bytes = good.clone();
        match round % 3 {
            0 => bytes.truncate(random.below(good.len())),
            1 => {
                let (from, len) = (random.below(good.len()), random.below(64));
                let end = (from + len).min(good.len());
                bytes[from..end].fill_with(|| random.below(256) as u8);
            }
            _ => {
                let at = random.below(good.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
        let _ = Image::parse(&bytes).map(|image| image.data_end);
        let _ = Image::body(&bytes).map(<[u8]>::len);
        if let Err(e) = wasm2c::translate(&bytes, &options) {
            assert!(!e.to_string().is_empty());
        }
    }
    for len in 0..64 {
        let bytes: Vec<u8> = (0..len).map(|_| random.below(256) as u8).collect();
        assert!(Image::parse(&bytes).is_none() && Image::body(&bytes).is_none());
    }
}
