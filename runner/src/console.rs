//! A console on this terminal, by the way that others take: a telnet client, and
//! a connection to the pseudo-inetd, which is in-process.

use miniio::{Address, Loop};
use minitelnet::terminal::host::Host;
use minitelnet::{Client, Identity, Size};
use wasmlinux::{Inetd, Service};

use crate::serve::ServeError;

/// The in-process address of the console's service.
const CONSOLE: &str = "console";

pub fn open(io: &mut Loop, inetd: &mut Inetd, login: bool) -> Result<Client<Host>, ServeError> {
    let address = Address::Local(CONSOLE.into());
    let mut service = Service::telnet(address.clone(), login);
    // This terminal's own type; telnetd does not ask for it.
    let term = std::env::var("TERM").unwrap_or_else(|_| "dumb".into());
    service.env = vec![("TERM".into(), term.clone().into())];
    inetd.listen(io, service, false)?;
    let stream = io.connect(&address)?;
    let terminal = Host::new(io).map_err(ServeError::Terminal)?;
    let identity =
        Identity { terminal: term, size: Size { rows: 24, columns: 80 }, environment: Vec::new() };
    Ok(Client::new(stream, terminal, identity))
}
