//! `wasmlinux telnet`: this terminal at a telnet server.

use std::io::{self, IsTerminal};
use std::net::ToSocketAddrs;

use miniio::{Address, Event, Loop, StreamId, Wait};
use minitelnet::terminal::host::Host;
use minitelnet::{tty, Client, End, Identity, Size};

#[derive(Debug, thiserror::Error)]
pub enum TelnetError {
    #[error("cannot find {0}: {1}; give an address such as 127.0.0.1")]
    Name(String, #[source] io::Error),
    #[error("{0} has no address")]
    NoAddress(String),
    #[error(transparent)]
    Io(#[from] miniio::Error),
    #[error("cannot set the terminal up: {0}")]
    Terminal(#[source] io::Error),
}

pub fn main(host: &str, port: u16) -> Result<i32, TelnetError> {
    tty::end_on_signals().map_err(TelnetError::Terminal)?;
    let mut io = Loop::new()?;
    let (stream, address) = connect(&mut io, host, port)?;
    let terminal = Host::new(&mut io).map_err(TelnetError::Terminal)?;
    let mut client = Client::new(stream, terminal, identity());
    let person = io::stdin().is_terminal() && io::stdout().is_terminal();
    if person {
        client.say(&format!("Connected to {address}; the escape character is ^].\r\n"));
    }
    let end = loop {
        let event = io.next(Wait::Forever).expect("a wait without end");
        if let Some(end) = client.handle(&mut io, &event) {
            break end;
        }
    };
    match end {
        End::Failed(error) => Err(error.into()),
        End::Remote if person => {
            eprintln!("The server has closed the connection.");
            Ok(0)
        }
        End::Remote | End::Local | End::Terminal => Ok(0),
    }
}

/// Tries the name's addresses one after another; the last error counts.
fn connect(io: &mut Loop, host: &str, port: u16) -> Result<(StreamId, Address), TelnetError> {
    let addresses =
        (host, port).to_socket_addrs().map_err(|e| TelnetError::Name(host.to_owned(), e))?;
    let mut last = TelnetError::NoAddress(host.to_owned());
    for address in addresses.map(Address::Tcp) {
        match reach(io, &address) {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

fn reach(io: &mut Loop, address: &Address) -> Result<StreamId, miniio::Error> {
    let stream = io.connect(address)?;
    loop {
        match io.next(Wait::Forever) {
            Some(Event::Connected(id)) if id == stream => return Ok(stream),
            Some(Event::Failed(id, error)) if id == stream => {
                io.close(stream);
                return Err(error);
            }
            _ => {}
        }
    }
}

fn identity() -> Identity {
    let variable = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), value));
    Identity {
        terminal: std::env::var("TERM").unwrap_or_else(|_| "dumb".into()),
        size: Size { rows: 24, columns: 80 },
        // What a shell there needs to draw rightly, and nothing that is private.
        environment: ["TERM", "LANG", "LC_ALL", "COLORTERM"]
            .into_iter()
            .filter_map(variable)
            .collect(),
    }
}
