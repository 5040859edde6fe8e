//! Where a stream leads.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where to listen or to connect to. As text: `127.0.0.1:5666`, `[::1]:5666`,
/// `unix:/run/x`, `local:name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP port. Port 0 listens on a free one.
    Tcp(SocketAddr),
    /// A Unix socket; on Windows a named pipe.
    Unix(PathBuf),
    /// A listener of the same loop.
    Local(String),
}

impl Address {
    /// True if only programs on this machine can come from there.
    pub fn is_loopback(&self) -> bool {
        match self {
            Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) | Address::Local(_) => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Local(name) => write!(f, "local:{name}"),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}

/// The text is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address: give IP:PORT, [IPV6]:PORT, unix:PATH or local:NAME")]
pub struct NoAddress(String);

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Address, NoAddress> {
        let wrong = || NoAddress(text.to_owned());
        match text.split_once(':') {
            Some(("unix" | "local", "")) => Err(wrong()),
            Some(("unix", path)) => Ok(Address::Unix(path.into())),
            Some(("local", name)) => Ok(Address::Local(name.to_owned())),
            _ => text.parse().map(Address::Tcp).map_err(|_| wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in ["127.0.0.1:5666", "[::1]:7", "unix:/run/a:b", "local:telnet"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for bad in ["", "localhost", "1.2.3.4", "::1:7", "unix:", "local:", "127.0.0.1:65536"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_reached_from_elsewhere() {
        let loopback = |text: &str| text.parse::<Address>().unwrap().is_loopback();
        assert!(loopback("127.1.2.3:1") && loopback("[::1]:1") && loopback("[::ffff:127.0.0.1]:1"));
        assert!(!loopback("0.0.0.0:1") && !loopback("[::]:1") && !loopback("192.0.2.1:1"));
    }
}
