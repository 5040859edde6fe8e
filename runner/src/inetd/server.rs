//! Services on a thread of their own, for programs that embed a machine.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{channel, Sender};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use miniio::{Address, Loop, Wait, Waker};

use super::{Inetd, Service};
use crate::host::Parts;
use crate::machine::Machine;

/// Why services cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{service}: {cause}")]
    Listen {
        service: String,
        #[source]
        cause: miniio::Error,
    },
    #[error("cannot start a thread for the services: {0}")]
    Thread(#[source] std::io::Error),
}

/// Services of a machine that are being offered; they end on drop.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::{Shutdown, TcpStream};
/// use wasmlinux::{Address, Machine, Server, Service};
///
/// let machine = Machine::builder().boot()?;
/// let echo = Service::new("echo", "127.0.0.1:0".parse::<Address>().unwrap(), ["cat"]);
/// let server = Server::start(&machine, vec![echo]).unwrap();
/// let Address::Tcp(address) = server.addresses()[0] else { unreachable!() };
///
/// let mut client = TcpStream::connect(address).unwrap();
/// client.write_all(b"hello").unwrap();
/// client.shutdown(Shutdown::Write).unwrap();
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).unwrap();
/// assert_eq!(answer, "hello");
/// # Ok::<(), wasmlinux::Error>(())
/// ```
pub struct Server {
    addresses: Vec<Address>,
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

type Started = Result<(Vec<Address>, Waker), ServeError>;

impl Server {
    /// Listens and serves on a new thread; returns when it listens. Only loopback
    /// addresses are taken: what is sent is not encrypted.
    pub fn start(machine: &Machine, services: Vec<Service>) -> Result<Server, ServeError> {
        let (sender, started) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (end, parts) = (stop.clone(), machine.parts());
        let body = move || serve(parts, services, &sender, &end);
        let thread = thread::Builder::new().name("wasmlinux-inetd".into()).spawn(body);
        let thread = thread.map_err(ServeError::Thread)?;
        let (addresses, waker) = started.recv().expect("the thread always answers")?;
        Ok(Server { addresses, stop, waker, thread: Some(thread) })
    }

    /// Where each service listens, in their order.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the hook.
            let _ = thread.join();
        }
    }
}

fn serve(parts: Parts, services: Vec<Service>, started: &Sender<Started>, stop: &AtomicBool) {
    let begun = begin(parts, services);
    let answer = |started: &Sender<Started>, answer| {
        // Whoever started us waits for it.
        let _ = started.send(answer);
    };
    let (mut io, mut inetd, addresses) = match begun {
        Ok(begun) => begun,
        Err(error) => return answer(started, Err(error)),
    };
    answer(started, Ok((addresses, io.waker())));
    while !stop.load(SeqCst) {
        if let Some(event) = io.next(Wait::Forever) {
            inetd.handle(&mut io, event);
        }
    }
}

fn begin(parts: Parts, services: Vec<Service>) -> Result<(Loop, Inetd, Vec<Address>), ServeError> {
    let failed = |service: &str| {
        let service = service.to_owned();
        move |cause| ServeError::Listen { service, cause }
    };
    let mut io = Loop::new().map_err(failed("the event loop"))?;
    let mut inetd = Inetd::new(&mut io, parts);
    let mut addresses = Vec::new();
    for service in services {
        let name = service.name.clone();
        addresses.push(inetd.listen(&mut io, service, false).map_err(failed(&name))?);
    }
    Ok((io, inetd, addresses))
}
