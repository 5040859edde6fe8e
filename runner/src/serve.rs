//! `serve`: consoles and services until we are asked to end, or until the person
//! at this terminal's console leaves.
//!
//! ```text
//!  this terminal ── minitelnet ── in-process ─┐
//!  telnet, PuTTY ──────────────── TCP ────────┴─ Inetd ── telnetd in the guest
//! ```

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use miniio::{Event, Loop, TimerId, Wait, WakerId};
use minitelnet::End;
use wasmlinux::{terminal, Address, Inetd, Machine, Service, ServiceError, Stdio};

use crate::cli::{MachineArgs, ServeArgs};
use crate::console;
use crate::run::{self, RunError};

/// For the guest's own shutdown. Init gives processes a second to end, and kills
/// them a second later.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Loop(#[from] miniio::Error),
    #[error("cannot serve {0}: {1}")]
    Listen(String, #[source] miniio::Error),
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0}: {1}")]
    Services(PathBuf, #[source] ServiceError),
    #[error("the guest does not take the password of {0}: {1}")]
    Password(PathBuf, String),
    #[error("{0}: its first line is the password, and it is empty")]
    NoPassword(PathBuf),
    #[error("cannot set the terminal up: {0}")]
    Terminal(#[source] io::Error),
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
}

pub fn main(args: &MachineArgs, serve: ServeArgs) -> Result<i32, RunError> {
    if serve.console && !terminal::is_interactive() {
        return Err(RunError::NoTerminal);
    }
    let (builder, log) = run::builder(args)?;
    let services = services(&serve)?;
    let mut io = Loop::new().map_err(ServeError::from)?;
    let machine = builder.boot()?;
    let mut inetd = Inetd::new(&mut io, machine.parts());
    if let Some(file) = &serve.password_file {
        set_password(&machine, file)?;
    }
    let mut places = Vec::new();
    for (i, service) in services.into_iter().enumerate() {
        places.extend(listen(&mut io, &mut inetd, service, i == 0, serve.console && i == 0)?);
    }
    // Not before all of them can be reached.
    places.iter().for_each(|place| place.tell(serve.console));
    let mut console = None;
    if serve.console {
        console = Some(console::open(&mut io, &mut inetd, login(&serve))?);
    } else {
        println!("Ctrl-C ends the machine.");
    }
    let mut server = Server::new(&mut io, &machine).map_err(ServeError::Signals)?;
    let code = loop {
        if let Some(outcome) = machine.try_wait() {
            drop(console);
            terminal::restore();
            return run::ended(outcome, &log);
        }
        let Some(event) = io.next(Wait::Forever) else { continue };
        let Some(event) = inetd.handle(&mut io, event) else { continue };
        if let Some(end) = console.as_mut().and_then(|c| c.handle(&mut io, &event)) {
            console = None;
            terminal::restore();
            if let End::Failed(error) = end {
                log::error!("the console: {error}");
            }
            // Nobody else is there, and files are in memory: nothing is to be saved.
            if inetd.sessions() == 0 {
                break 0;
            }
            server.shut_down(&mut io, &machine);
        }
        if let Some(code) = server.handle(&mut io, &machine, &event) {
            break code;
        }
    };
    Ok(code)
}

/// Where a service can be reached.
struct Place {
    name: String,
    address: Address,
    /// The telnet console.
    telnet: bool,
}

/// Listens for one service; `None` when it can be done without: a console on
/// this terminal needs no port.
fn listen(
    io: &mut Loop,
    inetd: &mut Inetd,
    service: Service,
    telnet: bool,
    optional: bool,
) -> Result<Option<Place>, ServeError> {
    let name = service.name.clone();
    let exposed = !service.address.is_loopback();
    match inetd.listen(io, service, exposed) {
        Ok(address) => Ok(Some(Place { name, address, telnet })),
        Err(error @ miniio::Error::InUse(_)) if optional => {
            eprintln!("wasmlinux: no other console than this one: {error}");
            Ok(None)
        }
        Err(error) => Err(ServeError::Listen(name, error)),
    }
}

impl Place {
    /// Says how to connect.
    fn tell(&self, console: bool) {
        let Place { name, address, telnet } = self;
        match address {
            Address::Tcp(at) if *telnet => {
                let (ip, port) = (at.ip(), at.port());
                if console {
                    println!("Further consoles: telnet {ip} {port}");
                } else {
                    println!("{name}: {address}");
                    println!("  wasmlinux telnet {ip} {port}");
                    println!("  telnet {ip} {port}");
                    println!(
                        "  PuTTY: host {ip}, port {port}, Telnet (plink -telnet -P {port} {ip})"
                    );
                }
            }
            _ => println!("{name}: {address}"),
        }
        if !address.is_loopback() {
            eprintln!(
                "wasmlinux: warning: other machines can reach {address}, and telnet is clear text"
            );
        }
    }
}

fn login(args: &ServeArgs) -> bool {
    args.login || args.password_file.is_some()
}

/// What is to be served; the telnet console first.
fn services(args: &ServeArgs) -> Result<Vec<Service>, ServeError> {
    let mut services = vec![Service::telnet(args.listen.clone(), login(args))];
    if let Some(file) = &args.file {
        let text = std::fs::read_to_string(file).map_err(|e| ServeError::Read(file.clone(), e))?;
        let more = Service::parse_conf(&text).map_err(|e| ServeError::Services(file.clone(), e))?;
        services.extend(more);
    }
    services.extend(args.services.iter().cloned());
    Ok(services)
}

fn set_password(machine: &Machine, file: &PathBuf) -> Result<(), RunError> {
    let text = std::fs::read_to_string(file).map_err(|e| ServeError::Read(file.clone(), e))?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        return Err(ServeError::NoPassword(file.clone()).into());
    }
    let line = format!("root:{password}\n");
    let command = machine.command("chpasswd").args(["-c", "sha512"]).stdin(Stdio::bytes(line));
    let output = command.output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ServeError::Password(file.clone(), why).into());
    }
    Ok(())
}

/// The end: by a signal, or because the machine has ended.
struct Server {
    waker: WakerId,
    signal: Arc<AtomicI32>,
    deadline: Option<TimerId>,
}

impl Server {
    fn new(io: &mut Loop, machine: &Machine) -> io::Result<Server> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let waker = io.waker();
        let signal = Arc::new(AtomicI32::new(0));
        let server = Server { waker: waker.id(), signal: signal.clone(), deadline: None };
        let end = waker.clone();
        machine.on_end(move || end.wake());
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let body = move || {
            for number in signals.forever() {
                if signal.swap(number, SeqCst) != 0 {
                    // Asked twice: at once.
                    terminal::restore();
                    std::process::exit(128 + number);
                }
                waker.wake();
            }
        };
        thread::Builder::new().name("wasmlinux-signals".into()).spawn(body)?;
        Ok(server)
    }

    /// The exit code, if that is the end.
    fn handle(&mut self, io: &mut Loop, machine: &Machine, event: &Event) -> Option<i32> {
        let signal = self.signal.load(SeqCst);
        match event {
            Event::Woken(id) if *id == self.waker && signal != 0 => {
                self.shut_down(io, machine);
            }
            Event::Timer(id) if self.deadline == Some(*id) => {
                log::warn!("the guest does not shut down; it is stopped");
                return Some(128 + signal);
            }
            _ => {}
        }
        None
    }

    /// The guest's own shutdown, for which sessions go on.
    fn shut_down(&mut self, io: &mut Loop, machine: &Machine) {
        if self.deadline.is_some() {
            return;
        }
        log::info!("shutting down");
        machine.power_off();
        self.deadline = Some(io.timer(PATIENCE));
    }
}
