//! What JavaScript calls: `web/src/host/module.ts` has the same list.
//!
//! There is one host in a module, and one buffer by which bytes come and go: the
//! caller asks for it with [`page_buffer`], which is also where results are found. Its
//! place is good until the next call.
//!
//! A result of less than 0 is, in host operations, an error number; elsewhere there is
//! a sentence of that length in the buffer.

use std::cell::RefCell;
use std::time::Duration;

use wasmlinux::{Out, Outcome, Taken, TaskState};

use crate::host::{Event, Host};
use crate::{spec, ConsoleState, Size};

struct Page {
    host: Host,
    buffer: Vec<u8>,
}

thread_local! {
    static PAGE: RefCell<Option<Page>> = const { RefCell::new(None) };
}

/// Nothing of ours calls JavaScript, so no call comes in the middle of another.
fn with<R>(body: impl FnOnce(&mut Page) -> R) -> R {
    PAGE.with_borrow_mut(|page| {
        let page = page.get_or_insert_with(|| Page {
            host: Host::new().expect("a page has what a host needs"),
            buffer: Vec::new(),
        });
        body(page)
    })
}

impl Page {
    /// A sentence for the caller.
    fn tell(&mut self, text: impl ToString) -> i32 {
        self.buffer = text.to_string().into_bytes();
        -(self.buffer.len() as i32)
    }
}

/// The buffer with room for at least `len` bytes.
#[no_mangle]
pub extern "C" fn page_buffer(len: usize) -> *mut u8 {
    with(|page| {
        if page.buffer.len() < len {
            page.buffer.resize(len, 0);
        }
        page.buffer.as_mut_ptr()
    })
}

/// What came of the last call: interrupts that were raised, a bit for each line, and in
/// bit 31 whether a turn is wanted.
#[no_mangle]
pub extern "C" fn page_signals() -> u32 {
    with(|page| page.host.interrupts() | u32::from(page.host.wants_turn()) << 31)
}

/// Milliseconds until the next turn is wanted, or -1.
#[no_mangle]
pub extern "C" fn page_turn() -> f64 {
    with(|page| page.host.turn().map_or(-1.0, |wait| wait.as_secs_f64() * 1e3))
}

/// What has changed: 0 nothing; else 1 a console, 2 a command (ids from bit 2 on), 3
/// that the engine is to be stopped.
#[no_mangle]
pub extern "C" fn page_event() -> u32 {
    with(|page| match page.host.next_event() {
        None => 0,
        Some(Event::Console(id)) => 1 | id << 2,
        Some(Event::Task(id)) => 2 | id << 2,
        Some(Event::Stop) => 3,
    })
}

#[no_mangle]
pub extern "C" fn page_shut_down(patience: u32) {
    with(|page| page.host.shut_down(Duration::from_millis(patience.into())));
}

/// The kind is a place in the list of outcomes; the buffer has `len` bytes that say
/// why, for the last of them.
#[no_mangle]
pub extern "C" fn page_finish(kind: u32, len: usize) {
    with(|page| {
        let why = String::from_utf8_lossy(&page.buffer[..len]).into_owned();
        page.host.finish(match kind {
            0 => Outcome::Halt,
            1 => Outcome::PowerOff,
            2 => Outcome::Restart,
            3 => Outcome::Stopped,
            4 => Outcome::Panic,
            _ => Outcome::Host(why),
        });
    });
}

/// The buffer has a root file system and behind it files to add (see [`spec::files`]);
/// afterwards the archive of the two, whose length this is.
#[no_mangle]
pub extern "C" fn page_initrd(rootfs: usize, files: usize) -> i32 {
    with(|page| {
        let bytes = std::mem::take(&mut page.buffer);
        let (rootfs, files) = bytes[..rootfs + files].split_at(rootfs);
        let Ok(files) = spec::files(files) else { return page.tell("a file has no name") };
        match wasmlinux::initrd(rootfs.to_vec(), &files) {
            Ok(archive) => {
                page.buffer = archive;
                page.buffer.len() as i32
            }
            Err(error) => page.tell(error),
        }
    })
}

/// The buffer has `len` bytes of further parameters; afterwards the command line.
#[no_mangle]
pub extern "C" fn page_command_line(user_memory: f64, len: usize) -> i32 {
    with(|page| {
        let further = String::from_utf8_lossy(&page.buffer[..len]);
        page.buffer = wasmlinux::command_line(user_memory as u64, &further).into_bytes();
        page.buffer.len() as i32
    })
}

// Host operations.

#[no_mangle]
pub extern "C" fn page_stream_read(stream: u32, len: usize) -> i32 {
    with(|Page { host, buffer }| {
        let read = host.devices().stream_read(stream, &mut buffer[..len]);
        read.map_or_else(|errno| errno, |n| n as i32)
    })
}

#[no_mangle]
pub extern "C" fn page_stream_write(stream: u32, len: usize) -> i32 {
    with(|Page { host, buffer }| {
        let written = host.devices().stream_write(stream, &buffer[..len]);
        written.map_or_else(|errno| errno, |n| n as i32)
    })
}

#[no_mangle]
pub extern "C" fn page_stream_poll(stream: u32) -> u32 {
    with(|page| page.host.devices().stream_poll(stream))
}

#[no_mangle]
pub extern "C" fn page_stream_winsize(stream: u32) -> u32 {
    let (rows, columns) = with(|page| page.host.devices().stream_winsize(stream));
    u32::from(rows) << 16 | u32::from(columns)
}

#[no_mangle]
pub extern "C" fn page_stream_end(stream: u32) {
    with(|page| page.host.devices().stream_end(stream));
}

#[no_mangle]
pub extern "C" fn page_stream_close(stream: u32) {
    with(|page| page.host.devices().stream_close(stream));
}

#[no_mangle]
pub extern "C" fn page_stream_event() -> i32 {
    with(|page| page.host.devices().stream_event().map_or(-1, |stream| stream as i32))
}

/// Length of the next request, which is in the buffer; 0 if there is none.
#[no_mangle]
pub extern "C" fn page_job_next(max: usize) -> i32 {
    with(|page| match page.host.devices().job_next(max) {
        None => 0,
        Some(Err(errno)) => errno,
        Some(Ok(request)) => {
            page.buffer = request;
            page.buffer.len() as i32
        }
    })
}

#[no_mangle]
pub extern "C" fn page_job_started(job: u32, pid: u32) {
    with(|page| page.host.devices().job_started(job, pid));
}

/// As the host operation: a wait status, or -errno.
#[no_mangle]
pub extern "C" fn page_job_exit(job: u32, status: i32) {
    let status = if status < 0 { Err(status) } else { Ok(status) };
    with(|page| page.host.devices().job_exit(job, status));
}

#[no_mangle]
pub extern "C" fn page_ready() {
    with(|page| page.host.devices().ready());
}

#[no_mangle]
pub extern "C" fn page_shutting_down() {
    with(|page| page.host.devices().shutting_down());
}

// Consoles.

fn size(rows: u32, columns: u32) -> Size {
    let side = |n: u32| n.min(u16::MAX.into()) as u16;
    Size { rows: side(rows), columns: side(columns) }
}

#[no_mangle]
pub extern "C" fn page_console_open(rows: u32, columns: u32) -> i32 {
    with(|page| match page.host.open_console(size(rows, columns)) {
        Ok(id) => id as i32,
        Err(error) => page.tell(error),
    })
}

/// How many of the `len` bytes in the buffer were typed.
#[no_mangle]
pub extern "C" fn page_console_press(console: u32, len: usize) -> usize {
    with(|Page { host, buffer }| host.press(console, &buffer[..len]))
}

/// How many bytes that were shown are now in the buffer, `len` at most.
#[no_mangle]
pub extern "C" fn page_console_shown(console: u32, len: usize) -> usize {
    with(|Page { host, buffer }| host.shown(console, &mut buffer[..len]))
}

#[no_mangle]
pub extern "C" fn page_console_resize(console: u32, rows: u32, columns: u32) {
    with(|page| page.host.resize(console, size(rows, columns)));
}

/// 1: open; 0: ended; less: why it has failed.
#[no_mangle]
pub extern "C" fn page_console_state(console: u32) -> i32 {
    with(|page| match page.host.console(console) {
        ConsoleState::Open => 1,
        ConsoleState::Ended => 0,
        ConsoleState::Failed(why) => page.tell(why),
    })
}

#[no_mangle]
pub extern "C" fn page_console_close(console: u32) {
    with(|page| page.host.close_console(console));
}

// Commands.

/// The buffer has `len` bytes of [`spec::task`]: the command's id.
#[no_mangle]
pub extern "C" fn page_task_run(len: usize) -> i32 {
    with(|page| match spec::task(&page.buffer[..len]) {
        Err(spec::BadSpec) => page.tell("this is no command"),
        Ok(spec) => match page.host.run(spec) {
            Ok(id) => id as i32,
            Err(error) => page.tell(error),
        },
    })
}

#[no_mangle]
pub extern "C" fn page_task_feed(task: u32, len: usize) -> usize {
    with(|Page { host, buffer }| host.feed(task, &buffer[..len]))
}

#[no_mangle]
pub extern "C" fn page_task_end_input(task: u32) {
    with(|page| page.host.end_input(task));
}

/// Bytes of stdout (0) or stderr (1) that are now in the buffer; 0 at the end, -1 if
/// there is nothing now.
#[no_mangle]
pub extern "C" fn page_task_take(task: u32, out: u32, len: usize) -> i32 {
    let out = if out == 0 { Out::Stdout } else { Out::Stderr };
    with(|Page { host, buffer }| match host.take(task, out, &mut buffer[..len]) {
        Taken::Bytes(n) => n as i32,
        Taken::End => 0,
        Taken::Later => -1,
    })
}

/// 0: asked for; 1: runs, as a process; 2: ended with a code; 3: by a signal; 4: not
/// started, for this error number; 5: lost. The number is from bit 3 on.
#[no_mangle]
pub extern "C" fn page_task_state(task: u32) -> u32 {
    with(|page| match page.host.state(task) {
        TaskState::Asked => 0,
        TaskState::Runs(pid) => 1 | pid << 3,
        TaskState::Ended(status) => match status.signal() {
            Some(signal) => 3 | (signal as u32) << 3,
            None => 2 | (status.shell_code() as u32) << 3,
        },
        TaskState::NotStarted(errno) => 4 | (errno as u32) << 3,
        TaskState::Lost => 5,
    })
}

#[no_mangle]
pub extern "C" fn page_task_signal(task: u32, signal: i32) {
    with(|page| page.host.signal(task, signal));
}

#[no_mangle]
pub extern "C" fn page_task_forget(task: u32) {
    with(|page| page.host.forget(task));
}
