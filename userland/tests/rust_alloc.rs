//! A Rust program on our libc: `no_std` with `alloc`, collections, formatting,
//! threads by pthreads, atomics, and what a panic does.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{c_char, c_int, c_void};
use core::fmt::Write;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

extern "C" {
    fn abort() -> !;
    fn aligned_alloc(align: usize, size: usize) -> *mut c_void;
    fn fork() -> c_int;
    fn free(p: *mut c_void);
    fn _exit(status: c_int) -> !;
    fn close(fd: c_int) -> c_int;
    fn pipe(fds: *mut c_int) -> c_int;
    fn read(fd: c_int, to: *mut u8, n: usize) -> isize;
    fn write(fd: c_int, from: *const u8, n: usize) -> isize;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn dup2(from: c_int, to: c_int) -> c_int;
    fn pthread_create(
        thread: *mut usize,
        attr: *const c_void,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        arg: *mut c_void,
    ) -> c_int;
    fn pthread_join(thread: usize, value: *mut *mut c_void) -> c_int;
    fn snprintf(to: *mut c_char, n: usize, format: *const c_char, ...) -> c_int;
}

struct Libc;

#[global_allocator]
static LIBC: Libc = Libc;

// SAFETY: the libc's allocator does what the trait asks for; it wants a
// multiple of the alignment, and at least that of a pointer.
unsafe impl GlobalAlloc for Libc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let align = layout.align().max(16);
        aligned_alloc(align, layout.size().next_multiple_of(align)).cast()
    }
    unsafe fn dealloc(&self, p: *mut u8, _: Layout) {
        free(p.cast())
    }
}

struct Fd(c_int);

impl Write for Fd {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        // SAFETY: the string is valid for its length.
        match unsafe { write(self.0, s.as_ptr(), s.len()) } {
            n if n == s.len() as isize => Ok(()),
            _ => Err(core::fmt::Error),
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    let _ = writeln!(Fd(2), "{info}");
    // SAFETY: it does not come back.
    unsafe { abort() }
}

fn collections() {
    let mut words: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, w) in "the cat and the hat and the bat".split(' ').enumerate() {
        words.entry(w.to_string()).or_default().push(i);
    }
    assert_eq!(words["the"], [0, 3, 6]);
    assert_eq!(format!("{words:?}").len(), 69);
    let mut queue: VecDeque<u64> = (0..1000).collect();
    queue.rotate_left(400);
    assert_eq!((queue[0], queue.iter().sum::<u64>()), (400, 499_500));
    let mut numbers: Vec<i32> = (0..10_000).map(|i: i32| i.wrapping_mul(7919) % 10_007).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|w| w[0] <= w[1]));
    assert_eq!(format!("{:>8.3}|{:#x}|{:e}", 3.14159, 255, 1500.0), "   3.142|0xff|1.5e3");
    assert_eq!("1e-7".parse::<f64>().unwrap() * 1e7, 1.0);
    let wide = OPAQUE.load(Ordering::Relaxed) as u128 * 0x1_0000_0000_0000_0001;
    assert_eq!((wide / 3).to_string(), "129127208515966861319");
}

/// What the optimiser may not see through.
static OPAQUE: AtomicU64 = AtomicU64::new(21);

static COUNT: AtomicU32 = AtomicU32::new(0);

extern "C" fn thread(arg: *mut c_void) -> *mut c_void {
    // SAFETY: the creator made it of an Arc and gave it away.
    let shared = unsafe { Arc::from_raw(arg.cast::<AtomicU64>()) };
    for _ in 0..10_000 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        shared.fetch_add(1 << 33, Ordering::SeqCst);
    }
    core::ptr::null_mut()
}

fn threads() {
    let shared = Arc::new(AtomicU64::new(0));
    let mut ids = [0; 4];
    for id in &mut ids {
        let arg = Arc::into_raw(shared.clone()).cast_mut().cast();
        // SAFETY: the arguments are as pthread_create wants them.
        assert_eq!(unsafe { pthread_create(id, core::ptr::null(), thread, arg) }, 0);
    }
    for id in ids {
        // SAFETY: each is joined once.
        assert_eq!(unsafe { pthread_join(id, core::ptr::null_mut()) }, 0);
    }
    assert_eq!((COUNT.load(Ordering::SeqCst), shared.load(Ordering::SeqCst)), (40_000, 40_000 << 33));
    assert_eq!(Arc::strong_count(&shared), 1);
}

fn variadic() {
    let mut text = [0u8; 64];
    // SAFETY: the format fits its arguments, and the buffer its result.
    let n = unsafe {
        snprintf(text.as_mut_ptr().cast(), text.len(), c"%d %lld %.2f %s".as_ptr(), -5 as c_int, 1i64 << 40, 2.5f64, c"end".as_ptr())
    };
    assert_eq!(&text[..n as usize], b"-5 1099511627776 2.50 end");
}

/// What a child says on stderr that runs `f`, and its wait status.
fn child(f: fn()) -> (String, c_int) {
    let (mut fds, mut status) = ([0; 2], 0);
    let mut said = Vec::new();
    // SAFETY: plain system calls on buffers of their own.
    unsafe {
        assert_eq!(pipe(fds.as_mut_ptr()), 0);
        let pid = fork();
        if pid == 0 {
            dup2(fds[1], 2);
            f();
            _exit(7);
        }
        close(fds[1]);
        let mut buffer = [0; 128];
        loop {
            let n = read(fds[0], buffer.as_mut_ptr(), buffer.len());
            if n <= 0 {
                break;
            }
            said.extend_from_slice(&buffer[..n as usize]);
        }
        close(fds[0]);
        assert_eq!(waitpid(pid, &mut status, 0), pid);
    }
    (String::from_utf8(said).unwrap(), status)
}

fn panics() {
    const SIGABRT: c_int = 6;
    let (said, status) = child(|| {
        let v: Vec<u8> = Vec::new();
        let _ = Box::new(v[OPAQUE.load(Ordering::Relaxed) as usize]);
    });
    assert_eq!(status & 0x7f, SIGABRT, "{said}");
    assert!(said.contains("rust_alloc.rs") && said.contains("index is 21"), "{said}");
    assert_eq!(child(|| ()), (String::new(), 7 << 8));
}

// The name that clang gives a main with two arguments.
#[export_name = "__main_argc_argv"]
extern "C" fn main(_argc: c_int, _argv: *mut *mut c_char) -> c_int {
    collections();
    threads();
    variadic();
    panics();
    0
}
