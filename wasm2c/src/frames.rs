//! Proof, on the object code of a gs-mode module, that no frame can hold an
//! address of the stack, the context or the guest's memory, and that nothing is
//! written but through %gs and to the frame itself.
//!
//! A fork copies the host stack to another place byte for byte. So generated
//! code may not take the address of anything on it, nor load the memory's
//! absolute address. The C does not; this shows that the compiler has not
//! either. (Clang 19 has forgotten the %gs of an atomic operation: a guest's
//! address would have been the host's.) Input is what `objdump -d` (AT&T syntax) prints.

/// An instruction that may leave an address in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub function: String,
    /// The line of the disassembly.
    pub instruction: String,
    pub why: &'static str,
}

/// Registers that a call destroys: what they hold never outlives it.
const SCRATCH: [&str; 9] = ["%rax", "%rcx", "%rdx", "%rsi", "%rdi", "%r8", "%r9", "%r10", "%r11"];

/// Looks at the functions whose names begin with `prefix`.
pub fn check_frames(disassembly: &str, prefix: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut function: Option<&str> = None;
    // A scratch register that holds the stack pointer just now.
    let mut copy: Option<&str> = None;
    for line in disassembly.lines() {
        if let Some(name) = heading(line) {
            function = name.starts_with(prefix).then_some(name);
            copy = None;
            continue;
        }
        let (Some(name), Some((op, args))) = (function, instruction(line)) else {
            continue;
        };
        let outside = !is_init(name) && writes_outside(op, args, copy);
        let why = wrong(op, args, &mut copy);
        if let Some(why) = why.or(outside.then_some("writes not through %gs")) {
            found.push(Violation { function: name.into(), instruction: line.trim().into(), why });
        }
    }
    found
}

/// `0000000000001120 <name>:`
fn heading(line: &str) -> Option<&str> {
    line.strip_suffix(">:")?.split_once(" <").map(|(_, name)| name)
}

/// Mnemonic and operands; the raw bytes, if shown, are skipped.
fn instruction(line: &str) -> Option<(&str, &str)> {
    let text = line.split_once(":\t")?.1;
    let text = text.rsplit('\t').next()?.trim();
    let text = text.strip_prefix("lock ").unwrap_or(text).trim();
    Some(text.split_once(char::is_whitespace).map_or((text, ""), |(op, args)| (op, args.trim())))
}

/// The descriptor's `init` is the engine's: it writes to an absolute context.
fn is_init(name: &str) -> bool {
    let is_body = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    name.ends_with("_init") && !name.split("_f").skip(1).any(is_body)
}

/// Instructions whose last operand is only read.
const READERS: [&str; 14] = [
    "cmp", "test", "ucomis", "vucomis", "comis", "vcomis", "call", "jmp", "push", "nop", "mul",
    "imul", "div", "idiv",
];

/// Whether memory is written that is neither %gs's nor the frame's; `copy` is a
/// register that holds the stack pointer.
fn writes_outside(op: &str, args: &str, copy: Option<&str>) -> bool {
    let mut depth = 0;
    let last = args.rsplit(|c| {
        depth += i32::from(c == ')') - i32::from(c == '(');
        c == ',' && depth == 0
    });
    let to = last.into_iter().next().unwrap_or("").trim();
    let bit_test =
        op == "bt" || op.len() == 3 && op.starts_with("bt") && op.ends_with(['w', 'l', 'q']);
    let reads =
        bit_test || op == "data16" || op == "cs" || READERS.iter().any(|r| op.starts_with(r));
    let ours = to.contains("%gs:")
        || to.contains("(%rsp")
        || copy.is_some_and(|reg| to.contains(&format!("({reg}")));
    to.contains('(') && !reads && !ours
}

fn wrong<'l>(op: &str, args: &'l str, copy: &mut Option<&'l str>) -> Option<&'static str> {
    let to = args.rsplit(',').next().unwrap_or("");
    if op.starts_with("lea") && args.contains("(%rsp") && to != "%rsp" {
        return Some("takes the address of a stack slot");
    }
    if op == "push" && args == "%rsp" {
        return Some("stores the stack pointer");
    }
    if op.starts_with("and") && to == "%rsp" {
        return Some("realigns the stack, so the old stack pointer is saved");
    }
    if op.starts_with("rdgsbase") || args.contains("%fs:") {
        return Some("reads an absolute address");
    }
    if args.contains("%gs:0xffffffffffffd000") {
        return Some("reads the memory's absolute address");
    }
    if op.starts_with("mov") && args.starts_with("%rsp,") {
        if !SCRATCH.contains(&to) {
            return Some("keeps the stack pointer");
        }
        *copy = Some(to);
        return None;
    }
    // Outgoing arguments are written through a copy that the call destroys.
    let reg = (*copy)?;
    if ["call", "jmp", "ret"].iter().any(|end| op.starts_with(end)) || overwrites(op, args, reg) {
        *copy = None;
        return None;
    }
    let as_value = args.split([',', '(']).next() == Some(reg) || op == "push" && args == reg;
    let changed = to == reg || to == lower_half(reg);
    if as_value || changed || op.starts_with('j') || (op.starts_with("lea") && args.contains(reg)) {
        return Some("a copy of the stack pointer is used as a value");
    }
    None
}

/// The name of a register's lower 32 bits; a write to them clears the upper.
fn lower_half(reg: &str) -> String {
    match reg.strip_prefix("%r") {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => format!("{reg}d"),
        Some(name) => format!("%e{name}"),
        None => String::new(),
    }
}

/// Whether an instruction gives a register a value that owes nothing to the old.
fn overwrites(op: &str, args: &str, reg: &str) -> bool {
    let low = lower_half(reg);
    let (from, to) = args.rsplit_once(',').unwrap_or(("", args));
    let clears = matches!(op, "xor" | "sub") && from == to;
    let writes = op.starts_with("mov") || op.starts_with("lea") || op.starts_with("pop") || clears;
    writes && (to == reg || to == low) && (clears || !from.contains(reg) && !from.contains(&low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whys(body: &str) -> Vec<&'static str> {
        let text = format!("0000000000001000 <p_f1>:\n{body}\n0000000000002000 <other>:\n  2000:\tlea    0x8(%rsp),%rbx\n");
        check_frames(&text, "p_f").into_iter().map(|v| v.why).collect()
    }

    #[test]
    fn ordinary_code_passes() {
        let code = "  1000:\tpush   %rbp\n  1001:\tlea    -0x8(%rsp),%rsp\n  1002:\tmov    0x10(%rsp),%r13d\n\
                    \x20 1003:\tmov    %gs:0x0(%r13),%edx\n  1004:\tlea    (%rsi,%rcx,1),%edi\n  1005:\tret";
        assert!(whys(code).is_empty());
    }

    #[test]
    fn a_seventh_argument_through_a_scratch_copy_passes() {
        let code =
            "  51e2:\tmov    %rsp,%rax\n  51e5:\tmovq   $0x0,(%rax)\n  51ec:\tmov    $0xac,%edi\n\
                    \x20 51fd:\tcall   *%gs:0xffffffffffffd028\n  5205:\tmov    %rax,%rbx";
        assert!(whys(code).is_empty());
    }

    /// The copy's register is an argument itself, in all or in its lower half.
    #[test]
    fn a_copy_that_is_overwritten_is_none() {
        for write in
            ["mov    %ebx,%ecx", "mov    %rbx,%rcx", "xor    %ecx,%ecx", "mov    $0x5,%ecx"]
        {
            let code = format!(
                "  1000:\tmov    %rsp,%rcx\n  1003:\tmov    %rax,(%rcx)\n  1006:\t{write}\n\
                 \x20 1008:\tmov    %rcx,%r8\n  100b:\tmov    %rcx,0x8(%rsp)"
            );
            assert!(whys(&code).is_empty(), "{write}: {:?}", whys(&code));
        }
        for change in ["add    $0x8,%rcx", "sub    %rax,%rcx", "xor    %edx,%ecx"] {
            let code = format!("  1000:\tmov    %rsp,%rcx\n  1003:\t{change}");
            assert_eq!(whys(&code).len(), 1, "{change}");
        }
        let high =
            "  1000:\tmov    %rsp,%r10\n  1003:\tmov    %eax,%r10d\n  1006:\tmov    %r10,%rcx";
        assert!(whys(high).is_empty());
    }

    /// Clang 19 made this of `__atomic_fetch_sub(p, 1, ...) < 1`, p in %gs.
    #[test]
    fn a_write_that_has_lost_its_segment_is_found() {
        for write in ["lock decl (%rax)", "mov    %eax,0x8(%rcx,%rdx,4)", "lock btc $0x0,(%rax)"] {
            assert_eq!(whys(&format!("  1000:\t{write}")), ["writes not through %gs"], "{write}");
        }
        for fine in [
            "lock decl %gs:(%rax)",
            "mov    %eax,0x8(%rsp,%rdx,4)",
            "cmpl   $0x0,(%rcx)",
            "btl    $0x3,(%rcx)",
            "call   *0x10(%rax)",
            "cs nopw 0x0(%rax,%rax,1)",
            "mov    (%rcx,%rax,8),%rax",
            "movss  %xmm0,%gs:0x0(%rax)",
        ] {
            assert!(whys(&format!("  1000:\t{fine}")).is_empty(), "{fine}");
        }
        let init = "0000000000001000 <p_init>:\n  1000:\tmov    %eax,(%rdi)\n";
        assert!(check_frames(init, "p_").is_empty());
        assert_eq!(check_frames(&init.replace("p_init", "p_f1_init"), "p_").len(), 1);
    }

    #[test]
    fn escapes_are_found() {
        assert_eq!(whys("  1000:\tlea    0x10(%rsp),%rdi"), ["takes the address of a stack slot"]);
        assert_eq!(whys("  1000:\tmov    %rsp,%rbp"), ["keeps the stack pointer"]);
        assert_eq!(whys("  1000:\tand    $0xffffffffffffffe0,%rsp").len(), 1);
        assert_eq!(
            whys("  1000:\t65 48 8b 04 25 00 d0 ff ff \tmov    %gs:0xffffffffffffd000,%rax").len(),
            1
        );
        assert_eq!(whys("  1000:\tmov    %rsp,%rax\n  1003:\tmov    %rax,0x8(%rsp)").len(), 1);
        assert_eq!(whys("  1000:\tmov    %fs:0x28,%rax"), ["reads an absolute address"]);
    }
}
