//! A terminal that is two bounded rings of bytes: for a page, and for tests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use miniio::{Event, Loop, Waker, WakerId};

use super::{Gone, Mode, Terminal, Typed};
use crate::session::Size;

/// Bytes that wait in each direction.
pub const RING: usize = 64 << 10;

/// The person's side. Clones are the same terminal.
#[derive(Clone)]
pub struct Keyboard(Rc<RefCell<Rings>>, Waker);

/// The client's side.
pub struct Ring {
    rings: Rc<RefCell<Rings>>,
    changed: WakerId,
}

struct Rings {
    keys: VecDeque<u8>,
    ended: bool,
    screen: VecDeque<u8>,
    size: Size,
    mode: Mode,
    gone: bool,
}

/// A terminal of a loop: what its client has, and what shows it.
pub fn ring(io: &mut Loop, size: Size) -> (Ring, Keyboard) {
    let rings = Rc::new(RefCell::new(Rings {
        keys: VecDeque::new(),
        ended: false,
        screen: VecDeque::new(),
        size,
        mode: Mode::Lines,
        gone: false,
    }));
    let waker = io.waker();
    waker.wake(); // the client is to look at once
    (Ring { rings: rings.clone(), changed: waker.id() }, Keyboard(rings, waker))
}

impl Keyboard {
    /// Types as much as fits; how much that was.
    pub fn press(&self, keys: &[u8]) -> usize {
        let mut rings = self.0.borrow_mut();
        let n = keys.len().min(RING - rings.keys.len());
        rings.keys.extend(&keys[..n]);
        self.1.wake();
        n
    }

    /// Bytes that [`Keyboard::press`] would take.
    pub fn room(&self) -> usize {
        RING - self.0.borrow().keys.len()
    }

    /// No more keys will come.
    pub fn end(&self) {
        self.0.borrow_mut().ended = true;
        self.1.wake();
    }

    /// What was shown since the last time.
    pub fn screen(&self) -> Vec<u8> {
        let mut shown = vec![0; self.shown()];
        self.read(&mut shown);
        shown
    }

    /// How much was shown and not looked at yet.
    pub fn shown(&self) -> usize {
        self.0.borrow().screen.len()
    }

    /// Looks at as much of it as fits; how much that was.
    pub fn read(&self, into: &mut [u8]) -> usize {
        let screen = &mut self.0.borrow_mut().screen;
        let n = screen.len().min(into.len());
        for (to, from) in into.iter_mut().zip(screen.drain(..n)) {
            *to = from;
        }
        if n > 0 {
            self.1.wake(); // there is room again
        }
        n
    }

    pub fn resize(&self, size: Size) {
        self.0.borrow_mut().size = size;
        self.1.wake();
    }

    pub fn mode(&self) -> Mode {
        self.0.borrow().mode
    }

    /// The client has closed the terminal.
    pub fn is_closed(&self) -> bool {
        self.0.borrow().gone
    }
}

impl Terminal for Ring {
    fn concerns(&mut self, _: &mut Loop, event: &Event) -> bool {
        matches!(event, Event::Woken(id) if *id == self.changed)
    }

    fn typed(&mut self, _: &mut Loop) -> Typed {
        let mut rings = self.rings.borrow_mut();
        match rings.keys.is_empty() {
            false => Typed::Keys(rings.keys.drain(..).collect()),
            true if rings.ended => Typed::End,
            true => Typed::Nothing,
        }
    }

    fn show(&mut self, _: &mut Loop, bytes: &[u8]) -> Result<usize, Gone> {
        let mut rings = self.rings.borrow_mut();
        let n = bytes.len().min(RING - rings.screen.len());
        rings.screen.extend(&bytes[..n]);
        Ok(n)
    }

    fn size(&self) -> Size {
        self.rings.borrow().size
    }

    fn set_mode(&mut self, mode: Mode) {
        self.rings.borrow_mut().mode = mode;
    }

    fn finish(&mut self, _: &mut Loop) -> bool {
        true
    }

    fn close(&mut self, io: &mut Loop) {
        self.rings.borrow_mut().gone = true;
        io.close_waker(self.changed);
    }
}
