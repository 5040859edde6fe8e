//! Byte streams, listeners, timers and wakers on one thread.
//!
//! ```text
//!   inetd, telnet client            one code for every transport
//!         │ ids, events
//!   Loop ─┼─ timers, wakers          pure
//!         ├─ local                   in-process streams: pure, always there
//!         └─ sockets = uv | none     TCP, Unix sockets, stdio: chosen in sockets.rs
//! ```
//!
//! A program owns a [`Loop`], starts things, which gives typed ids, and takes
//! one [`Event`] after another. There are no callbacks: whoever handles an event
//! has `&mut Loop` and may start, write and close whatever it likes.
//!
//! ```
//! use miniio::{Address, Event, Loop, Received, Wait};
//!
//! # fn main() -> Result<(), miniio::Error> {
//! let mut io = Loop::in_process()?; // or Loop::new() for sockets as well
//! let address = Address::Local("echo".into());
//! let listener = io.listen(&address)?;
//! let client = io.connect(&address)?;
//! io.write(client, b"hello")?;
//! io.finish(client)?; // half-close: the server sees the end after "hello"
//! let mut answer = Vec::new();
//! while let Some(event) = io.next(Wait::Forever) {
//!     match event {
//!         Event::Accepted { stream, .. } => assert_ne!(stream, client),
//!         Event::Readable(id) if id == client => match io.received(id)? {
//!             Received::Bytes(bytes) => {
//!                 let n = bytes.len();
//!                 answer.extend_from_slice(bytes);
//!                 io.consume(id, n)?;
//!             }
//!             Received::Nothing => {}
//!             Received::End => break,
//!         },
//!         // The server: what came in goes out, as far as there is room.
//!         Event::Readable(id) => {
//!             io.transfer(id, id)?;
//!             if let Received::End = io.received(id)? {
//!                 io.finish(id)?;
//!             }
//!         }
//!         _ => {}
//!     }
//! }
//! assert_eq!(answer, b"hello");
//! io.close(client);
//! io.close_listener(listener);
//! # Ok(())
//! # }
//! ```
//!
//! # Rules
//!
//! 1. **Ids.** An id is a plain value. It is valid from the call that returned
//!    it (for an accepted stream: from its [`Event::Accepted`]) until it is
//!    closed. An id is never used again for something else: a stale one gives
//!    [`Error::Closed`], and closing it again does nothing.
//! 2. **Closing.** [`Loop::close`] may be called at any time, also from the
//!    handling of any event, and never waits. What was not sent yet is dropped.
//!    After it returns no event names the id. To send the rest first, use
//!    [`Loop::finish`] and close on [`Event::Finished`] (or when a timer of yours
//!    says that the peer has had its time).
//! 3. **Nothing closes itself.** A stream that failed or ended keeps its id until
//!    you close it. A timer's id ends with its event.
//! 4. **Reading.** Bytes wait in a buffer of about [`BUFFER`] bytes. While it is
//!    full nothing more is taken from the peer, so *not reading is back-pressure*.
//!    [`Event::Readable`] says that [`Loop::received`] has something new to say:
//!    bytes, or the end (again when the last byte before it is consumed). It is
//!    not repeated for bytes you leave: look again on your own when you want them.
//! 5. **Writing.** [`Loop::write`] takes as much as fits (about [`BUFFER`] bytes
//!    wait in a stream) and says how much that was. After it took less than it was
//!    given, or [`Loop::room`] was 0, one [`Event::Writable`] comes when at least
//!    half of the buffer is free. Bytes arrive in the order they were taken.
//! 6. **Ends.** The two directions end on their own. After the peer's end was
//!    read writing still works; after [`Loop::finish`] reading still works.
//!    The end comes after every byte that was sent before it.
//! 7. **Failures.** At most one [`Event::Failed`] for a stream; afterwards bytes
//!    that had come already can still be read, and everything else gives the
//!    error. A peer that closes is an end; if bytes for it were under way, or are
//!    written afterwards, it is a failure as well.
//! 8. **Connecting.** A stream may be written to before [`Event::Connected`]. A
//!    connection that cannot be made is an error of [`Loop::connect`] if the host
//!    knows at once, and otherwise an [`Event::Failed`] in place of `Connected`.
//! 9. **Turns.** Events come in turns: those that exist when a turn begins are
//!    handed out before anything new, so no busy stream starves another, a timer
//!    or a waker.
//! 10. **Threads.** A loop stays on the thread that made it. Only a [`Waker`] goes
//!     elsewhere; it may be used at any time, even when the loop is gone. Any
//!     number of wakes before the event are one event; a wake after the event was
//!     handed out is another.
//! 11. **Dropping** a loop closes everything at once and leaves nothing behind: no
//!     descriptor, thread or memory.

mod address;
mod backend;
mod buffer;
mod error;
mod event;
mod event_loop;
mod local;
mod slab;
mod sockets;
mod timers;
mod wake;

pub use address::{Address, NoAddress};
pub use error::Error;
pub use event::{Event, ListenerId, Received, StreamId, TimerId, WakerId};
pub use event_loop::{Loop, Stdio, Wait};
pub use wake::Waker;

/// Bytes that wait in a stream, in each direction. One delivery of the host may
/// go beyond it once, so a stream never holds more than three times this.
pub const BUFFER: usize = 64 << 10;
