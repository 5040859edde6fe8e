//! Services in the guest for connections from outside: an inetd whose sockets
//! are the host's and whose services are the guest's.
//!
//! ```text
//!  client ── TCP or in-process ── miniio ── Session ── Stream ── socket ── service
//!              (uv | local)                  Inetd                (fd 0, 1, 2 in the guest)
//! ```
//!
//! [`Inetd`] handles the events of a [`Loop`] that somebody else runs: the
//! command's main thread beside a telnet client, [`Server`] on a thread of its
//! own, a page's worker. There is no queue between the loop and the guest but the
//! stream's, so a client that does not read stops its own service and nobody
//! else's; a service that does not read stops its own client.
//!
//! A service gets a control group: [`GRACE`] after its end nothing of it is left.

#[cfg(native)]
mod server;
mod service;
mod session;

#[cfg(native)]
pub use server::{ServeError, Server};
pub use service::{socket_address, Service, ServiceError, TELNET_PORT};

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use miniio::{Address, Event, ListenerId, Loop, StreamId, TimerId};

use crate::host::{set, Job, Parts};
use session::{Changed, Next, Session};

/// From a service's end until what it left behind is killed, and from a lost
/// client until the service is.
pub const GRACE: Duration = Duration::from_secs(1);
/// From a service's end until a client that does not take the rest is given up.
const LINGER: Duration = Duration::from_secs(30);
/// Connections at once; more are told so and closed.
pub const MAX_SESSIONS: usize = 256;

const BUSY: &[u8] = b"too many connections, try again later\r\n";

/// The services of one machine, on one loop.
pub struct Inetd {
    parts: Parts,
    listeners: HashMap<ListenerId, Arc<Service>>,
    sessions: HashMap<StreamId, Session>,
    /// Turned away: closed when they have been told.
    refused: HashMap<StreamId, TimerId>,
    /// Services whose client has gone, and when they are killed.
    leaving: HashMap<TimerId, Job>,
    /// Sessions that are ending, and when they are not waited for any more.
    lingering: HashMap<TimerId, StreamId>,
    changed: Arc<Changed>,
    served: u64,
}

impl Inetd {
    /// Of a machine's [`parts`](crate::Machine::parts).
    pub fn new(io: &mut Loop, parts: Parts) -> Inetd {
        Inetd {
            parts,
            listeners: HashMap::new(),
            sessions: HashMap::new(),
            refused: HashMap::new(),
            leaving: HashMap::new(),
            lingering: HashMap::new(),
            changed: Changed::new(io.waker()),
            served: 0,
        }
    }

    /// Listens for a service: where it does, which is the port that was free if 0
    /// was asked for. Bytes are not encrypted on their way, so an address that
    /// other machines can reach is refused unless it is `exposed`.
    pub fn listen(
        &mut self,
        io: &mut Loop,
        service: Service,
        exposed: bool,
    ) -> Result<Address, miniio::Error> {
        let listener = match exposed {
            true => io.listen_exposed(&service.address)?,
            false => io.listen(&service.address)?,
        };
        let address = io.listener_address(listener)?;
        log::info!("{} listens at {address}", service.name);
        self.listeners.insert(listener, Arc::new(service));
        Ok(address)
    }

    /// Connections that are served now.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Handles an event, or gives it back when it is not about a service.
    pub fn handle(&mut self, io: &mut Loop, event: Event) -> Option<Event> {
        match event {
            Event::Accepted { listener, stream } => match self.listeners.get(&listener) {
                Some(service) => self.accept(io, service.clone(), stream),
                None => return Some(event),
            },
            Event::NotAccepted(listener, ref error) => match self.listeners.get(&listener) {
                Some(service) => log::warn!("{}: a client was not accepted: {error}", service.name),
                None => return Some(event),
            },
            Event::Readable(id) | Event::Writable(id) if self.sessions.contains_key(&id) => {
                self.turn(io, id);
            }
            Event::Finished(id) if self.sessions.contains_key(&id) => self.finished(io, id),
            Event::Failed(id, ref error) if self.sessions.contains_key(&id) => {
                log::debug!("{error}");
                self.lose(io, id);
            }
            Event::Woken(waker) if waker == self.changed.waker().id() => {
                for id in self.changed.take() {
                    self.turn(io, id);
                }
            }
            Event::Finished(id) | Event::Failed(id, _) if self.refused.contains_key(&id) => {
                self.drop_refused(io, id);
            }
            Event::Readable(id) if self.refused.contains_key(&id) => {}
            Event::Timer(timer) => return self.timer(io, timer).then_some(event),
            _ => return Some(event),
        }
        None
    }

    fn accept(&mut self, io: &mut Loop, service: Arc<Service>, id: StreamId) {
        if self.sessions.len() >= MAX_SESSIONS {
            log::warn!("{}: {MAX_SESSIONS} connections, one more is refused", service.name);
            let told = io.write(id, BUSY).and_then(|_| io.finish(id));
            self.refused.insert(id, io.timer(LINGER));
            return if told.is_err() {
                self.drop_refused(io, id)
            };
        }
        self.served += 1;
        let peer = io.peer(id).ok().flatten().map_or("this process".into(), |p| p.to_string());
        let name = format!("{} {} from {peer}", service.name, self.served);
        let stream = self.parts.host.open_stream();
        let changed = self.changed.clone();
        stream.watch(Arc::new(move || changed.mark(id)));
        let bytes = |text: &OsString| text.as_bytes().to_vec();
        let mut spec = self.parts.spec(service.command.iter().map(bytes).collect());
        (spec.uid, spec.gid) = (Some(service.uid), Some(service.gid));
        spec.contain = Some(GRACE);
        for (name, value) in &service.env {
            set(&mut spec.env, bytes(name), bytes(value));
        }
        match self.parts.start_on_socket(&spec, &stream) {
            Ok(job) => {
                log::info!("{name}: begins");
                self.sessions.insert(id, Session::new(stream, job, name, service.half_close));
                // What has come before there was somebody to take it.
                self.turn(io, id);
            }
            Err(error) => {
                log::warn!("{name}: {error}");
                io.close(id);
            }
        }
    }

    fn turn(&mut self, io: &mut Loop, id: StreamId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match session.turn(io, id) {
            Next::Goes if session.is_abandoned() && session.linger.is_none() => {
                let timer = io.timer(GRACE);
                session.linger = Some(timer);
                self.lingering.insert(timer, id);
            }
            Next::Goes => {}
            Next::Ending if session.delivered => drop(self.end(io, id)),
            Next::Ending if session.linger.is_none() => {
                let timer = io.timer(LINGER);
                session.linger = Some(timer);
                self.lingering.insert(timer, id);
            }
            Next::Ending => {}
            Next::Lost => self.lose(io, id),
        }
    }

    /// The client has all the service wrote. One that stays is not waited for once
    /// the service has ended.
    fn finished(&mut self, io: &mut Loop, id: StreamId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.delivered = true;
        if session.stream.is_closed() {
            self.end(io, id);
        }
    }

    fn end(&mut self, io: &mut Loop, id: StreamId) -> Option<Session> {
        io.close(id);
        let session = self.sessions.remove(&id)?;
        if let Some(timer) = session.linger {
            io.cancel(timer);
            self.lingering.remove(&timer);
        }
        match session.not_started() {
            Some(error) => log::warn!("{}: cannot be started: {error}", session.name),
            None => log::info!("{}: ends", session.name),
        }
        Some(session)
    }

    /// The client has gone: the service hangs up, and is killed if it does not.
    fn lose(&mut self, io: &mut Loop, id: StreamId) {
        let Some(session) = self.end(io, id) else { return };
        if !session.stream.is_closed() {
            session.hang_up();
            self.leaving.insert(io.timer(GRACE), session.job);
        }
    }

    fn drop_refused(&mut self, io: &mut Loop, id: StreamId) {
        io.close(id);
        if let Some(timer) = self.refused.remove(&id) {
            io.cancel(timer);
        }
    }

    /// True when the timer is not ours.
    fn timer(&mut self, io: &mut Loop, timer: TimerId) -> bool {
        if let Some(job) = self.leaving.remove(&timer) {
            job.kill();
        } else if let Some(id) = self.lingering.remove(&timer) {
            self.lose(io, id);
        } else if let Some(id) = self.refused.iter().find(|(_, t)| **t == timer).map(|(id, _)| *id)
        {
            self.drop_refused(io, id);
        } else {
            return true;
        }
        false
    }
}
