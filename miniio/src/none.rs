//! No sockets: the same names as the other backends, and no value of them.

use std::sync::Arc;
use std::time::Instant;

use crate::backend::Change;
use crate::event_loop::Stdio;
use crate::wake::Notify;
use crate::{Address, Error, ListenerId, Received, StreamId};

pub(crate) enum Sockets {}
pub(crate) enum Socket {}
pub(crate) enum Listener {}

impl Sockets {
    pub fn new() -> Result<Option<Sockets>, Error> {
        Ok(None)
    }

    pub fn notifier(&self) -> Arc<dyn Notify> {
        match *self {}
    }

    pub fn wait(&mut self, _until: Option<Instant>) {
        match *self {}
    }

    pub fn changes(&mut self) -> Vec<Change> {
        match *self {}
    }

    pub fn connect(&mut self, _address: &Address) -> Result<Socket, Error> {
        match *self {}
    }

    pub fn listen(&mut self, _address: &Address) -> Result<Listener, Error> {
        match *self {}
    }

    pub fn stdio(&mut self, _which: Stdio) -> Result<Socket, Error> {
        match *self {}
    }
}

impl Socket {
    pub fn own(&mut self, _id: StreamId) {
        match *self {}
    }

    pub fn peer(&self) -> Option<Address> {
        match *self {}
    }

    pub fn received(&self) -> Received<'_> {
        match *self {}
    }

    pub fn consume(&mut self, _n: usize) {
        match *self {}
    }

    pub fn room(&mut self) -> usize {
        match *self {}
    }

    pub fn write(&mut self, _bytes: &[u8]) -> Result<usize, Error> {
        match *self {}
    }

    pub fn finish(&mut self) {
        match *self {}
    }
}

impl Listener {
    pub fn own(&mut self, _id: ListenerId) {
        match *self {}
    }

    pub fn address(&self) -> Address {
        match *self {}
    }
}
