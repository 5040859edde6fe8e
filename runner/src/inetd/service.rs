//! What is started for a connection, and how a person writes it down.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use miniio::Address;

/// The port of the telnet console when none is named.
pub const TELNET_PORT: u16 = 5666;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A command that is started for each connection, with a socket as its stdin,
/// stdout and stderr: the manner of inetd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What the log calls it.
    pub name: String,
    pub address: Address,
    /// The program and its arguments; it is looked for in PATH.
    pub command: Vec<OsString>,
    /// The user and the group it runs as.
    pub uid: u32,
    pub gid: u32,
    pub env: Vec<(OsString, OsString)>,
    /// A client that sends no more may still want to read. If not, its end is the
    /// session's: [`GRACE`](crate::GRACE) later the service is hung up.
    pub half_close: bool,
}

/// A line or an argument that does not describe a service.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ServiceError {
    #[error("`{0}` is no service: give [ADDRESS:]PORT=COMMAND, such as 7=cat")]
    Argument(String),
    #[error(
        "`{0}` is neither a port nor the name of one: give 1 to 65535, or a name of /etc/services"
    )]
    Port(String),
    #[error("`{0}` is no IP address")]
    Ip(String),
    #[error("line {line}: {what}")]
    Line { line: usize, what: String },
}

impl Service {
    /// A command at an address, run by root.
    pub fn new(
        name: impl Into<String>,
        address: impl Into<Address>,
        command: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Service {
        Service {
            name: name.into(),
            address: address.into(),
            command: command.into_iter().map(Into::into).collect(),
            uid: 0,
            gid: 0,
            env: Vec::new(),
            half_close: true,
        }
    }

    /// A shell by telnet: BusyBox's telnetd and a login shell, for root at once
    /// or, with `login`, for whoever knows a password.
    pub fn telnet(address: impl Into<Address>, login: bool) -> Service {
        let shell = if login { "/bin/login" } else { "/usr/sbin/login-shell" };
        let mut service = Service::new("telnet", address, ["telnetd", "-i", "-l", shell]);
        // telnetd asks no client for the type of its terminal.
        service.env.push(("TERM".into(), "xterm".into()));
        // While its terminal takes nothing, telnetd does not look for the end.
        service.half_close = false;
        service
    }

    /// `[ADDRESS:]PORT=COMMAND`, the command in words.
    pub fn parse(text: &str) -> Result<Service, ServiceError> {
        let wrong = || ServiceError::Argument(text.to_owned());
        let (address, command) = text.split_once('=').ok_or_else(wrong)?;
        let words: Vec<&str> = command.split_whitespace().collect();
        if words.is_empty() {
            return Err(wrong());
        }
        Ok(Service::new(address, socket_address(address)?, words))
    }

    /// The services of a file in the manner of inetd.conf(5): `[ADDRESS:]PORT
    /// stream tcp nowait USER PROGRAM ARGV0 ARGS...`. The user is one of the
    /// built-in root file system, or a number.
    pub fn parse_conf(text: &str) -> Result<Vec<Service>, ServiceError> {
        let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|(line, text)| {
                let error = |what: String| ServiceError::Line { line, what };
                conf_line(text).map_err(|e| error(e.to_string()))
            })
            .collect()
    }
}

/// Why a line of the file is not understood.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("give PORT stream tcp nowait USER PROGRAM [ARGV0 ARGS...]")]
    Shape,
    #[error("`{0}` is no user of the root file system, nor a number")]
    User(String),
    #[error(transparent)]
    Address(#[from] ServiceError),
}

fn conf_line(text: &str) -> Result<Service, LineError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [address, "stream", "tcp" | "tcp4" | "tcp6", wait, user, program, rest @ ..] = &words[..]
    else {
        return Err(LineError::Shape);
    };
    if wait.split('.').next() != Some("nowait") {
        return Err(LineError::Shape);
    }
    let (uid, gid) = user_ids(user).ok_or_else(|| LineError::User((*user).to_owned()))?;
    // A program is known by its path here, not by what argv[0] says.
    let command = [*program].into_iter().chain(rest.iter().skip(1).copied());
    let service = Service::new(*address, socket_address(address)?, command);
    Ok(Service { uid, gid, ..service })
}

fn user_ids(user: &str) -> Option<(u32, u32)> {
    let name = user.split(['.', ':']).next()?;
    if let Ok(id) = name.parse() {
        return Some((id, id));
    }
    let mut lines = wasmlinux_rootfs::PASSWD.lines().map(|l| l.split(':').collect::<Vec<_>>());
    let line = lines.find(|fields| fields.first() == Some(&name))?;
    Some((line.get(2)?.parse().ok()?, line.get(3)?.parse().ok()?))
}

/// `[ADDRESS:]PORT`; the port may be a name, the address is loopback if missing.
pub fn socket_address(text: &str) -> Result<Address, ServiceError> {
    let (ip, port) = match text.rsplit_once(':') {
        None => (LOOPBACK, text),
        Some((ip, port)) => {
            let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
            let ip = if bare == "*" { Ok(Ipv4Addr::UNSPECIFIED.into()) } else { bare.parse() };
            (ip.map_err(|_| ServiceError::Ip(bare.to_owned()))?, port)
        }
    };
    let number = port.parse().ok().or_else(|| port_by_name(port));
    let number = number.ok_or_else(|| ServiceError::Port(port.to_owned()))?;
    Ok(SocketAddr::new(ip, number).into())
}

fn port_by_name(name: &str) -> Option<u16> {
    wasmlinux_rootfs::SERVICES.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let known = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        (known == name).then(|| port.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(service: &Service) -> String {
        let words: Vec<_> = service.command.iter().map(|w| w.to_string_lossy()).collect();
        format!("{} {}:{} {}", service.address, service.uid, service.gid, words.join(" "))
    }

    #[test]
    fn arguments() {
        let parsed = |t: &str| Service::parse(t).map(|s| text(&s));
        assert_eq!(parsed("7=cat").unwrap(), "127.0.0.1:7 0:0 cat");
        assert_eq!(parsed("[::1]:echo=cat -u").unwrap(), "[::1]:7 0:0 cat -u");
        assert_eq!(parsed("*:80=httpd -i").unwrap(), "0.0.0.0:80 0:0 httpd -i");
        for bad in ["7", "7=", "=cat", "x=cat", "70000=cat", "a.b.c.d:7=cat"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_of_services() {
        let conf = "# services\n\
            echo stream tcp nowait nobody /bin/cat cat\n\n\
            0.0.0.0:2323 stream tcp nowait root /usr/sbin/telnetd telnetd -i\n";
        let services = Service::parse_conf(conf).unwrap();
        let texts: Vec<_> = services.iter().map(text).collect();
        assert_eq!(
            texts,
            ["127.0.0.1:7 65534:65534 /bin/cat", "0.0.0.0:2323 0:0 /usr/sbin/telnetd -i"]
        );
        for bad in ["7 dgram udp wait root /bin/cat", "7 stream tcp nowait nouser /bin/cat", "7"] {
            let error = Service::parse_conf(&format!("\n{bad}")).unwrap_err();
            assert!(matches!(error, ServiceError::Line { line: 2, .. }), "{error}");
        }
    }
}
