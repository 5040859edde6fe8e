//! Telnet consoles on loopback, served by the library.

use crate::telnet::Telnet;
use anyhow::{bail, Context, Result};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use wasmlinux::{Address, Machine, Server, Service};

/// Keys of one round.
const KEYS: usize = 200;
/// Keys on a line before it is wiped.
const LINE: usize = 50;
const SESSIONS: usize = 64;
/// Bytes of each session before it counts, and then of all together.
const WARM_UP: usize = 1 << 20;
const FLOOD: usize = 192 << 20;

/// A machine that serves consoles.
pub struct Consoles {
    // First: it is dropped first.
    _server: Server,
    _machine: Machine,
    address: SocketAddr,
}

impl Consoles {
    pub fn start() -> Result<Consoles> {
        let machine = Machine::builder().memory(128 << 20).boot()?;
        let port = Service::telnet("127.0.0.1:0".parse::<Address>()?, false);
        let server = Server::start(&machine, vec![port])?;
        let Address::Tcp(address) = server.addresses()[0] else { bail!("no TCP port") };
        // The boot is no part of the first connection.
        machine.command("true").status()?;
        Ok(Consoles { _server: server, _machine: machine, address })
    }

    /// From the connection to the prompt.
    pub fn to_prompt(&self) -> Result<f64> {
        let begin = Instant::now();
        let session = Telnet::at_prompt(self.address);
        let took = begin.elapsed();
        drop(session);
        Ok(took.as_nanos() as f64)
    }

    /// The median time from a key to its echo by the shell.
    pub fn echo(&self) -> Result<f64> {
        let session = Telnet::at_prompt(self.address);
        let mut socket = session.socket;
        let mut times = Vec::with_capacity(KEYS);
        for key in 0..KEYS {
            times.push(round_trip(&mut socket)?);
            if key % LINE == LINE - 1 {
                socket.write_all(b"\x15")?;
                drain(&mut socket)?;
            }
        }
        Ok(median(times))
    }

    /// The most that one of many floods got through, by the least.
    pub fn unfairness(&self) -> Result<f64> {
        let mut sessions: Vec<Telnet> =
            (0..SESSIONS).map(|_| Telnet::connect(self.address)).collect();
        sessions.iter_mut().for_each(|t| drop(t.wait("~ # ")));
        for t in &mut sessions {
            t.socket.set_nonblocking(true)?;
            t.send("yes\r");
        }
        let mut counts = [0; SESSIONS];
        while counts.iter().any(|&n| n < WARM_UP) {
            take_turns(&mut sessions, &mut counts)?;
        }
        counts = [0; SESSIONS];
        while counts.iter().sum::<usize>() < FLOOD {
            take_turns(&mut sessions, &mut counts)?;
        }
        let (least, most) = (counts.iter().min(), counts.iter().max());
        Ok(*most.context("sessions")? as f64 / *least.context("sessions")? as f64)
    }
}

/// Reads once from each session that has something.
fn take_turns(sessions: &mut [Telnet], counts: &mut [usize]) -> Result<()> {
    let mut buf = vec![0; 64 << 10];
    let mut nothing = true;
    for (t, count) in sessions.iter_mut().zip(counts) {
        match t.socket.read(&mut buf) {
            Ok(0) => bail!("a session has ended"),
            Ok(n) => {
                *count += n;
                nothing = false;
            }
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e.into()),
        }
    }
    if nothing {
        // The guest has the CPU meanwhile.
        std::thread::yield_now();
    }
    Ok(())
}

/// The same over a socket whose other end is a thread.
pub struct Echo(TcpStream);

impl Echo {
    pub fn start() -> Result<Echo> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        client.set_nodelay(true)?;
        let (mut server, _) = listener.accept()?;
        server.set_nodelay(true)?;
        std::thread::spawn(move || {
            let mut buf = [0; 64];
            while let Ok(n @ 1..) = server.read(&mut buf) {
                if server.write_all(&buf[..n]).is_err() {
                    break;
                }
            }
        });
        Ok(Echo(client))
    }

    pub fn echo(&mut self) -> Result<f64> {
        let times = (0..KEYS).map(|_| round_trip(&mut self.0)).collect::<Result<Vec<_>>>()?;
        Ok(median(times))
    }
}

fn round_trip(socket: &mut TcpStream) -> Result<f64> {
    let begin = Instant::now();
    socket.write_all(b"x")?;
    let mut key = [0];
    while key[0] != b'x' {
        socket.read_exact(&mut key)?;
    }
    Ok(begin.elapsed().as_nanos() as f64)
}

/// Reads until nothing comes for a while.
fn drain(socket: &mut TcpStream) -> Result<()> {
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    while socket.read(&mut [0; 4096]).is_ok() {}
    socket.set_read_timeout(None)?;
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
