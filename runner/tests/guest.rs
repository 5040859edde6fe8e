//! The guest test programs (`userland/tests`), each on a machine of its own.
//! A program exits with 0 when what its topic promises holds.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{guest_dir, output, test_module, text, TEST_DIRS};

fn run(name: &str) -> Result<(), String> {
    let module = test_module(name);
    // One of them takes all there is.
    let memory = if name == "oom" { "--user-memory=256M" } else { "--user-memory=1G" };
    let out = output(&["run", "--kernel-log", memory, module.to_str().unwrap()]);
    if out.status.code() == Some(0) {
        return Ok(());
    }
    Err(format!("{}\n{}{}", out.status, text(&out.stdout), text(&out.stderr)))
}

macro_rules! programs {
    ($($name:ident $(= $reason:literal)?,)*) => {
        /// Every program that has a test here.
        const LISTED: &[&str] = &[$(stringify!($name)),*];
        $(programs!(@test $name $($reason)?);)*
    };
    (@test $name:ident) => {
        #[test]
        fn $name() {
            if let Err(e) = run(stringify!($name)) {
                panic!("{e}");
            }
        }
    };
    // A program that fails for a known reason must fail: when it passes, the
    // reason is gone and so should the mark be.
    (@test $name:ident $reason:literal) => {
        #[test]
        fn $name() {
            assert!(run(stringify!($name)).is_err(), "passes, although: {}", $reason);
            println!("expected failure of {}: {}", stringify!($name), $reason);
        }
    };
}

programs! {
    advice,
    cgroup,
    cgroup_escape,
    clock,
    clone,
    conditions,
    cpu_time,
    cxx_exceptions,
    cxx_fork,
    cxx_library,
    cxx_rtti,
    cxx_static,
    cxx_terminate,
    cxx_threads,
    efault,
    epoll,
    exec,
    exec_errors,
    exec_script,
    fairness,
    fault,
    fault_resume,
    files,
    float,
    fork,
    fork_handler,
    fork_ids,
    fork_signal,
    function_cast,
    fuzz,
    half_close,
    inet,
    inotify,
    isolation,
    jobs,
    libc,
    limits,
    long_call,
    longjmp_loop,
    maps,
    memory_limits,
    mmap,
    mmap_file,
    mmap_kinds,
    mmap_shared,
    mqueue,
    mremap,
    mutexes,
    namespace,
    no_memory,
    offsets,
    oom,
    overlay,
    packet,
    pidfd,
    pipe,
    prctl,
    print,
    proc,
    process_bomb,
    process_many,
    process_series,
    pselect,
    pty,
    recursion,
    rlimit,
    rust_alloc,
    seccomp,
    session,
    setjmp,
    setjmp_copied,
    setjmp_many,
    setjmp_masks,
    shared_file,
    shared_fork,
    shared_futex,
    signal_altstack,
    signal_busy,
    signal_eintr,
    signal_fault,
    signal_handler,
    signal_jump,
    signal_overflow,
    signal_queue,
    signal_restart,
    signal_thread,
    signal_trap,
    signalfd,
    spawn,
    spawn_attr,
    start_exit,
    sysv_msg_sem,
    sysv_shm,
    thread_cancel,
    thread_exit,
    thread_local,
    thread_many,
    thread_process,
    threads,
    timers,
    timers_cpu,
    unix,
    user_access,
    vfork,
    vfork_signal,
    wait,
}

#[test]
fn no_program_is_forgotten() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../userland/tests");
    let names = |dirs: &[PathBuf], extensions: &[&str]| -> BTreeSet<String> {
        dirs.iter()
            .flat_map(|dir| {
                std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
            })
            .map(|f| f.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)))
            .map(|p| p.file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let listed: BTreeSet<String> = LISTED.iter().map(|n| (*n).to_owned()).collect();
    assert_eq!(names(&[sources], &["c", "cpp", "rs"]), listed, "every program has a test");
    let built: Vec<PathBuf> = TEST_DIRS.iter().map(|dir| guest_dir().join(dir)).collect();
    assert_eq!(names(&built, &["wasm"]), listed, "every program was built");
}
