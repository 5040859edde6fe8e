//! A reference host: the engine's side of "An instrumented program" in
//! ARCHITECTURE.md, for modules whose only surprise is fork.
//!
//! The `n`th call of fork gives `answer(n)`. Whether the host lets it be, or
//! saves the frames, copies the process and restores both, must make no
//! difference to anything but its own journal.

use wasmi::core::TrapCode;
use wasmi::{AsContextMut, Caller, Engine, Extern, Linker, Module, Store, Val};

pub const SAVING: i32 = 1;
pub const RESTORING: i32 = 2;

/// Where frames go: somewhere in the program's memory. What was there comes
/// back before the program goes on.
const BUFFER: u32 = 1024;

/// Children for each call of an export: a program that forks in a loop would
/// otherwise take its time squared.
const CHILDREN: usize = 4;

/// When the host interferes.
#[derive(Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    /// One of so many calls is interrupted; 0 is none.
    pub one_of: u64,
    /// Room for frames.
    pub room: u32,
    /// Rounds from poll to poll.
    pub budget: i32,
}

#[derive(Clone)]
pub struct State {
    plan: Plan,
    calls: u64,
    /// What was in the buffer, while frames are.
    under: Option<Vec<u8>>,
    answer: i32,
    /// The program has not come back with its frames yet.
    is_saving: bool,
    /// A child does not interrupt again: it would be too many.
    is_child: bool,
    pub journal: Journal,
}

#[derive(Clone, Copy, Default, Debug)]
pub struct Journal {
    pub saved: u64,
    pub refused: u64,
    pub bytes: u64,
}

pub fn answer(n: u64) -> i32 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as i32
}

pub struct Process {
    module: Module,
    pub store: Store<State>,
    pub instance: wasmi::Instance,
}

/// What can be seen of a call.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub results: Result<Vec<String>, String>,
    pub globals: Vec<(String, String)>,
    pub memory: Vec<u8>,
}

fn global(caller: &Caller<State>, name: &str) -> Option<wasmi::Global> {
    caller.get_export(name).and_then(Extern::into_global)
}

/// What fork, or a system call or poll under which a handler forks, does.
fn fork_point(caller: &mut Caller<State>) -> i32 {
    let Some(state) = global(caller, "__linux_state") else {
        let n = caller.data().calls;
        caller.data_mut().calls += 1;
        return answer(n);
    };
    let frames = global(caller, "__linux_frames").expect("exported");
    let end = global(caller, "__linux_frames_end").expect("exported");
    let memory = caller.get_export("memory").and_then(Extern::into_memory).expect("exported");
    if int(&state.get(&*caller)) == RESTORING {
        let under = caller.data_mut().under.take().expect("frames are in the buffer");
        assert_eq!(int(&frames.get(&*caller)), BUFFER as i32, "all frames were taken");
        memory.write(&mut *caller, BUFFER as usize, &under).expect("it was read there");
        state.set(&mut *caller, Val::I32(0)).expect("mutable");
        let turned_back = std::mem::take(&mut caller.data_mut().is_saving);
        caller.data_mut().journal.refused += u64::from(turned_back);
        return caller.data().answer;
    }
    assert_eq!(int(&state.get(&*caller)), 0, "no call while frames are saved");
    let data = caller.data_mut();
    let n = data.calls;
    data.calls += 1;
    let plan = data.plan;
    let answer = answer(n);
    let dice = (n ^ plan.seed).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 33;
    if data.is_child || plan.one_of == 0 || dice % plan.one_of != 0 {
        return answer;
    }
    data.answer = answer;
    data.is_saving = true;
    let mut under = vec![0; plan.room as usize];
    memory.read(&*caller, BUFFER as usize, &mut under).expect("there is a page");
    caller.data_mut().under = Some(under);
    state.set(&mut *caller, Val::I32(SAVING)).expect("mutable");
    frames.set(&mut *caller, Val::I32(BUFFER as i32)).expect("mutable");
    end.set(&mut *caller, Val::I32((BUFFER + plan.room) as i32)).expect("mutable");
    -1
}

impl Process {
    pub fn start(wasm: &[u8], plan: Plan) -> Result<Self, wasmi::Error> {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm)?;
        let journal = Journal::default();
        let state = State {
            plan,
            calls: 0,
            under: None,
            answer: 0,
            is_saving: false,
            is_child: false,
            journal,
        };
        Self::instantiate(&module, &engine, state)
    }

    fn instantiate(module: &Module, engine: &Engine, state: State) -> Result<Self, wasmi::Error> {
        let mut store = Store::new(engine, state);
        let mut linker = Linker::new(engine);
        linker.func_wrap("linux", "fork", |mut caller: Caller<State>| fork_point(&mut caller))?;
        linker.func_wrap("linux", "poll", |mut caller: Caller<State>| {
            let budget = caller.data().plan.budget;
            // A poll is no call of the program: the numbers must not move.
            let calls = caller.data().calls;
            let can = global(&caller, "__linux_abi")
                .is_some_and(|abi| int(&abi.get(&caller)) & 0x100 != 0);
            if can {
                fork_point(&mut caller);
            }
            caller.data_mut().calls = calls;
            budget
        })?;
        let instance = linker.instantiate(&mut store, module)?.start(&mut store)?;
        if let Some(budget) = instance.get_global(&store, "__linux_budget") {
            let value = store.data().plan.budget;
            budget.set(&mut store, Val::I32(value))?;
        }
        Ok(Process { module: module.clone(), store, instance })
    }

    /// Another process with the same memory and globals.
    fn fork(&self) -> Self {
        let mut state = self.store.data().clone();
        state.is_child = true;
        let mut child =
            Self::instantiate(&self.module, self.store.engine(), state).expect("the parent was");
        for export in self.instance.exports(&self.store) {
            let name = export.name().to_string();
            match export.into_extern() {
                Extern::Global(of) if of.ty(&self.store).mutability().is_mut() => {
                    let to = child.instance.get_global(&child.store, &name).expect("same module");
                    let value = of.get(&self.store);
                    to.set(&mut child.store, value).expect("same type");
                }
                Extern::Memory(of) => {
                    let to = child.instance.get_memory(&child.store, &name).expect("same module");
                    let more = of.size(&self.store) - to.size(&child.store);
                    to.grow(&mut child.store, more).expect("the parent did");
                    to.data_mut(&mut child.store).copy_from_slice(of.data(&self.store));
                }
                _ => {}
            }
        }
        child
    }

    fn global(&self, name: &str) -> Option<wasmi::Global> {
        self.instance.get_global(&self.store, name)
    }

    fn set(&mut self, name: &str, value: i32) {
        let global = self.global(name).expect("exported");
        global.set(self.store.as_context_mut(), Val::I32(value)).expect("mutable");
    }

    fn is_saving(&self) -> bool {
        self.global("__linux_state").is_some_and(|s| int(&s.get(&self.store)) == SAVING)
    }

    /// Calls an export to its end. Each fork is finished in a child too, whose
    /// outcome goes to `children`.
    pub fn call(
        &mut self,
        name: &str,
        args: &[Val],
        children: &mut Vec<Outcome>,
    ) -> Option<Outcome> {
        let mut outcome = self.once(name, args)?;
        while self.is_saving() {
            let top = int(&self.global("__linux_frames").expect("exported").get(&self.store));
            self.store.data_mut().is_saving = false;
            self.store.data_mut().journal.saved += 1;
            self.store.data_mut().journal.bytes += u64::from(top as u32 - BUFFER);
            self.set("__linux_state", RESTORING);
            if children.len() < CHILDREN {
                let mut child = self.fork();
                if let Some(outcome) = child.once(name, args) {
                    assert!(!child.is_saving());
                    children.push(outcome);
                }
            }
            outcome = self.once(name, args)?;
        }
        Some(outcome)
    }

    /// `None` when the stack was too small, which depends on the frames.
    fn once(&mut self, name: &str, args: &[Val]) -> Option<Outcome> {
        let func = self.instance.get_func(&self.store, name).expect("exported");
        let ty = func.ty(&self.store);
        let mut results: Vec<Val> = ty.results().iter().map(|t| Val::default(*t)).collect();
        let called = func.call(&mut self.store, args, &mut results);
        let results = match called.map_err(|e| e.as_trap_code()) {
            Ok(()) => Ok(results.iter().map(text).collect()),
            Err(Some(TrapCode::StackOverflow)) => return None,
            Err(trap) => Err(format!("{trap:?}")),
        };
        Some(self.outcome(results))
    }

    fn outcome(&self, results: Result<Vec<String>, String>) -> Outcome {
        let mut globals = Vec::new();
        let mut memory = Vec::new();
        for export in self.instance.exports(&self.store) {
            let name = export.name().to_string();
            match export.into_extern() {
                Extern::Global(g) if !name.starts_with("__linux_") => {
                    globals.push((name, text(&g.get(&self.store))));
                }
                Extern::Memory(m) => memory = m.data(&self.store).to_vec(),
                _ => {}
            }
        }
        globals.sort();
        Outcome { results, globals, memory }
    }
}

fn int(value: &Val) -> i32 {
    value.i32().expect("the contract's globals are i32")
}

fn text(value: &Val) -> String {
    match value {
        Val::F32(f) => format!("f32 {:#x}", f.to_bits()),
        Val::F64(f) => format!("f64 {:#x}", f.to_bits()),
        other => format!("{other:?}"),
    }
}
