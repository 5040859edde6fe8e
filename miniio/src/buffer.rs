//! Bytes that wait, in one piece.

use crate::BUFFER;

/// What an idle stream may keep: thousands of idle streams are cheap.
const KEPT: usize = 1 << 10;

#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// What was consumed of `bytes`.
    head: usize,
}

impl Buffer {
    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    pub fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What may be added before the buffer counts as full.
    pub fn room(&self) -> usize {
        BUFFER.saturating_sub(self.len())
    }

    pub fn push(&mut self, bytes: &[u8]) {
        // Moving at most as much as was consumed keeps the cost linear.
        if self.head >= self.len() {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes what fits; how much that was.
    pub fn fill(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        self.push(&bytes[..n]);
        n
    }

    /// The first `n` bytes are done with; more than there are is all of them.
    pub fn consume(&mut self, n: usize) {
        self.head += n.min(self.len());
        if self.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.head = 0;
        }
    }

    pub fn take(&mut self) -> Vec<u8> {
        self.bytes.drain(..self.head);
        self.head = 0;
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_of_bytes() {
        let mut buffer = Buffer::default();
        let (mut sent, mut got) = (0u32, 0u32);
        for step in 1..2000 {
            for _ in 0..step % 7 {
                buffer.push(&sent.to_le_bytes());
                sent += 1;
            }
            while got < sent && got % 5 != step % 5 {
                assert_eq!(buffer.unread()[..4], got.to_le_bytes());
                buffer.consume(4);
                got += 1;
            }
        }
        assert_eq!(buffer.take().len() as u32, (sent - got) * 4);
        assert!(buffer.is_empty());
    }

    #[test]
    fn it_is_bounded_and_gives_memory_back() {
        let mut buffer = Buffer::default();
        assert_eq!(buffer.fill(&vec![1; 2 * BUFFER]), BUFFER);
        assert_eq!((buffer.room(), buffer.fill(&[1])), (0, 0));
        buffer.consume(usize::MAX);
        assert_eq!(buffer.room(), BUFFER);
        assert!(buffer.bytes.capacity() <= KEPT);
    }
}
