//! Where a person, or a page, or a test sits.

#[cfg(all(feature = "host", unix))]
pub mod host;
pub mod ring;

use miniio::{Event, Loop};

use crate::session::Size;

/// How what is typed comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each key at once, and nothing is echoed: the peer does all that.
    Raw,
    /// Lines that the terminal itself edits and echoes.
    Lines,
}

/// What a terminal has to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    Keys(Vec<u8>),
    Nothing,
    /// There will be no more keys.
    End,
}

/// A terminal of a [`Client`](crate::Client). Nothing here waits.
pub trait Terminal {
    /// True if this event of the loop is the terminal's: keys, room for output, or
    /// another size.
    fn concerns(&mut self, io: &mut Loop, event: &Event) -> bool;

    /// What was typed since the last time.
    fn typed(&mut self, io: &mut Loop) -> Typed;

    /// Shows as much as there is room for; how much that was. When there is room
    /// again an event says so.
    fn show(&mut self, io: &mut Loop, bytes: &[u8]) -> Result<usize, Gone>;

    fn size(&self) -> Size;

    fn set_mode(&mut self, mode: Mode);

    /// Gives the person another program to look at until they come back to us;
    /// false if the terminal cannot.
    fn suspend(&mut self) -> bool {
        false
    }

    /// Nothing more will be shown; everything has been given to [`Terminal::show`].
    /// True once the terminal has really got it.
    fn finish(&mut self, io: &mut Loop) -> bool;

    /// Gives back what belongs to the loop, and the terminal as it was.
    fn close(&mut self, io: &mut Loop);
}

/// Nobody looks at the terminal any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;
