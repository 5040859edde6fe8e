//! Services in the guest for connections from outside.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use common::telnet::Telnet;
use common::test_module;
use wasmlinux::{Address, Machine, Server, Service};

const PATIENCE: Duration = Duration::from_secs(60);

struct Served {
    // First: it is dropped first.
    server: Server,
    machine: Machine,
}

fn serve(services: Vec<Service>) -> Served {
    let machine = Machine::builder().memory(128 << 20).boot().unwrap();
    let server = Server::start(&machine, services).unwrap();
    Served { server, machine }
}

fn free_port() -> Address {
    "127.0.0.1:0".parse().unwrap()
}

fn telnet() -> Served {
    serve(vec![Service::telnet(free_port(), false)])
}

fn service(command: &str) -> Served {
    serve(vec![Service::new("test", free_port(), ["sh", "-c", command])])
}

impl Served {
    fn address(&self) -> SocketAddr {
        match self.server.addresses()[0] {
            Address::Tcp(address) => address,
            _ => unreachable!(),
        }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    fn sh(&self, script: &str) -> String {
        let output = self.machine.command("sh").args(["-c", script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until no process of a service is left, nor its group.
    #[track_caller]
    fn wait_empty(&self) {
        let deadline = Instant::now() + PATIENCE;
        let list = "ps -o args | grep -v 'ps -o\\|grep\\|sh -c ps\\|^\\[\\|^init\\|^COMMAND'";
        loop {
            let left = self.sh(list);
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "still there:\n{left}");
        }
        let groups = "mount -t cgroup2 none /mnt && ls -d /mnt/job-*; umount /mnt";
        while !self.sh(groups).is_empty() {
            assert!(Instant::now() < deadline, "groups are left: {}", self.sh(groups));
        }
    }
}

#[test]
fn an_echo_service() {
    let served = service("exec cat");
    let mut client = served.connect();
    for text in ["hello", "again"] {
        client.write_all(text.as_bytes()).unwrap();
        let mut answer = vec![0; text.len()];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, text.as_bytes());
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    served.wait_empty();
}

#[test]
fn megabytes_come_back_identical() {
    let served = service("exec cat");
    let text: Vec<u8> = (0..20_000_000u32).map(|i| (i % 251) as u8 ^ (i >> 16) as u8).collect();
    let mut client = served.connect();
    let mut writer = client.try_clone().unwrap();
    let sent = text.clone();
    let feeder = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    client.read_to_end(&mut back).unwrap();
    feeder.join().unwrap();
    assert_eq!(back.len(), text.len());
    assert!(back == text, "bytes differ");
}

#[test]
fn a_service_sees_a_socket() {
    let served = service("stat -L -c %F /proc/self/fd/0 /proc/self/fd/1; readlink /proc/self/fd/2");
    let mut text = String::new();
    served.connect().read_to_string(&mut text).unwrap();
    assert!(text.starts_with("socket\nsocket\nsocket:["), "{text}");
}

#[test]
fn half_a_close_each_way() {
    // The guest's end first: it still reads what the client has to say.
    let served = serve(vec![Service::new(
        "test",
        free_port(),
        ["sh", "-c", "echo said; exec >&- 2>&-; cat >/tmp/heard"],
    )]);
    let mut client = served.connect();
    let mut said = [0; 5];
    client.read_exact(&mut said).unwrap();
    client.write_all(b"heard").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(served.sh("cat /tmp/heard"), "heard");
}

/// The service's own shutdown(), while it goes on: its client sees the end and
/// still is heard.
#[test]
fn a_service_ends_its_output_itself() {
    let machine = Machine::builder().program(test_module("half_close")).boot().unwrap();
    let half_close = Service::new("test", free_port(), ["half_close.wasm", "/tmp/heard"]);
    let server = Server::start(&machine, vec![half_close]).unwrap();
    let served = Served { server, machine };
    let mut client = served.connect();
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert_eq!(said, "said");
    let heard: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    client.write_all(&heard).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    served.wait_empty();
    let kept = served.machine.command("cat").arg("/tmp/heard").output().unwrap().stdout;
    assert!(kept == heard, "{} bytes of {}", kept.len(), heard.len());
}

#[test]
fn what_cannot_be_started_closes_the_connection() {
    let served = serve(vec![Service::new("test", free_port(), ["no-such-service"])]);
    let mut text = String::new();
    served.connect().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
    // The next one is served.
    served.connect().read_to_string(&mut text).unwrap();
}

#[test]
fn services_of_a_builder_live_with_the_machine() {
    let echo = Service::new("echo", free_port(), ["cat"]);
    let machine = Machine::builder().service(echo).boot().unwrap();
    let Address::Tcp(address) = machine.addresses()[0] else { unreachable!() };
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    drop(machine);
    assert_eq!(client.read(&mut [0; 5]).unwrap_or(0), 0);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn only_loopback_unless_asked() {
    let machine = Machine::builder().boot().unwrap();
    let everywhere = "0.0.0.0:0".parse::<Address>().unwrap();
    let error = Server::start(&machine, vec![Service::new("test", everywhere, ["cat"])]).err();
    assert!(error.unwrap().to_string().contains("other machines"));
}

#[test]
fn a_port_in_use_is_named() {
    let served = telnet();
    let taken = Address::Tcp(served.address());
    let error = Server::start(&served.machine, vec![Service::telnet(taken, false)]).err().unwrap();
    assert!(error.to_string().contains("in use"), "{error}");
}

#[test]
fn a_telnet_session() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    assert_eq!(t.run("tty; stty size; echo $TERM"), "/dev/pts/0\n24 80\nxterm\n");
    t.resize(40, 100);
    t.run("while [ \"$(stty size)\" != '40 100' ]; do :; done");
    t.send("exit\r");
    t.rest();
    served.wait_empty();
}

#[test]
fn a_raw_terminal_is_binary_clean() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    let mut through = |all: &[u8]| {
        t.send(format!(
            "stty raw -echo; echo re''ady; head -c {} | tee /tmp/b; stty sane\r",
            all.len()
        ));
        t.wait("ready\n");
        t.send(all);
        while t.shown.len() < all.len() {
            assert!(t.receive());
        }
        assert!(t.shown[..all.len()] == *all, "bytes differ");
        t.shown.drain(..all.len());
        t.wait("~ # ");
        assert_eq!(t.run("wc -c </tmp/b"), format!("{}\n", all.len()));
    };
    through(&(0..=255).collect::<Vec<u8>>());
    // More than the terminal takes at once: bytes 255 wait like any other.
    through(&(0..=255).cycle().take(65536).collect::<Vec<u8>>());
}

/// telnetd left out a NUL that ended what it had read, and took the NUL or
/// Ctrl-J that was typed next for the other half of an Enter.
#[test]
fn a_nul_that_comes_last_is_input() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    let read = "for n in 2 1 2; do head -c $n | od -An -tx1; done";
    t.send(format!("stty raw -echo; echo re''ady; {read}; stty sane\r"));
    t.wait("ready\n");
    for (keys, come) in [("a\0", "61 00"), ("\r", "0d"), ("\n\0", "0a 00")] {
        t.send(keys);
        t.wait(&format!(" {come}\n"));
    }
}

#[test]
fn a_login_with_a_password() {
    let served = serve(vec![Service::telnet(free_port(), true)]);
    let set = "echo root:secret | chpasswd -c sha512 2>/dev/null";
    served.sh(set);
    let mut t = Telnet::connect(served.address());
    t.wait("login: ");
    t.send("root\r");
    t.wait("Password: ");
    t.send("wrong\r");
    t.wait("Login incorrect");
    t.wait("login: ");
    t.send("root\r");
    t.wait("Password: ");
    t.send("secret\r");
    t.wait("# ");
    t.send("id -un\r");
    t.wait("root\r\n");
    drop(t);
    served.wait_empty();
}

#[test]
fn ctrl_c_reaches_a_busy_loop() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    t.send("echo o''n; while :; do :; done\r");
    t.wait("on\r\n");
    t.send("\x03");
    t.wait("~ # ");
    assert_eq!(t.run("echo $?"), "130\n");
}

#[test]
fn a_disconnect_hangs_the_session_up_and_leaves_nothing() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    t.run("trap 'echo hung up >/tmp/hup; exit' HUP");
    t.run("sleep 1000 & nohup sleep 1000 >/dev/null 2>&1 & setsid sleep 1000 & true");
    t.run("ignore() { trap '' HUP TERM; while :; do sleep 1; done; }; ignore & true");
    t.send("echo o''n; read x\r");
    t.wait("on\r\n");
    drop(t);
    served.wait_empty();
    assert_eq!(served.sh("cat /tmp/hup"), "hung up\n");
}

/// telnetd does not read, so it cannot see the end.
#[test]
fn a_disconnect_behind_a_full_terminal() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    t.send("echo o''n; exec sleep 1000\r");
    t.wait("on\r\n");
    t.send("x".repeat(100_000));
    drop(t);
    served.wait_empty();
}

#[test]
fn a_disconnect_in_the_middle_of_a_flood() {
    let served = telnet();
    for _ in 0..10 {
        let mut t = Telnet::at_prompt(served.address());
        t.send("yes\r");
        t.wait("y\r\ny\r\n");
        drop(t);
    }
    served.wait_empty();
}

#[test]
fn sixty_four_sessions_at_once() {
    let served = telnet();
    let address = served.address();
    let mut sessions: Vec<Telnet> = (0..64).map(|_| Telnet::connect(address)).collect();
    sessions.iter_mut().for_each(|t| drop(t.wait("~ # ")));
    for (i, t) in sessions.iter_mut().enumerate() {
        t.send(format!("echo $(({i} + 1000))\r"));
    }
    for (i, t) in sessions.iter_mut().enumerate() {
        t.wait(&format!("{}\r\n", i + 1000));
    }
    drop(sessions);
    served.wait_empty();
}

#[test]
fn a_stuck_client_slows_nobody() {
    let served = telnet();
    let mut stuck: Vec<Telnet> = (0..4).map(|_| Telnet::at_prompt(served.address())).collect();
    stuck.iter_mut().for_each(|t| t.send("yes\r"));
    let mut t = Telnet::at_prompt(served.address());
    // All of them block once nobody takes what they write.
    t.run("until [ $(ps -o stat,args | grep -c '^S.*yes$') = 4 ]; do sleep 0.1; done");
    for i in 0..100 {
        assert_eq!(t.run(&format!("echo {i}")), format!("{i}\n"));
    }
    // And go on when somebody does.
    let mut taken = 0;
    while taken < 4 << 20 {
        assert!(stuck[0].receive());
        taken += stuck[0].shown.len();
        stuck[0].shown.clear();
    }
}

/// Reads once from each that has something, and counts.
fn take_turns(sessions: &mut [Telnet], counts: &mut [usize]) {
    let wait =
        |t: &Telnet| libc::pollfd { fd: t.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut fds: Vec<_> = sessions.iter().map(wait).collect();
    // SAFETY: an array of open descriptors and its length.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as u64, 60_000) };
    assert!(ready > 0, "nothing came for a minute: {counts:?}");
    let mut buf = vec![0; 64 << 10];
    for ((t, count), fd) in sessions.iter_mut().zip(counts).zip(fds) {
        if fd.revents != 0 {
            *count += t.socket.read(&mut buf).unwrap();
        }
    }
}

#[test]
fn sessions_of_yes_are_fair() {
    const SESSIONS: usize = 64;
    const WARM_UP: usize = 1 << 20;
    const ENOUGH: usize = 96 << 20;
    const ENDLESS: usize = 1 << 30;
    let served = telnet();
    let mut sessions: Vec<Telnet> =
        (0..SESSIONS).map(|_| Telnet::connect(served.address())).collect();
    sessions.iter_mut().for_each(|t| drop(t.wait("~ # ")));
    for t in &mut sessions {
        t.socket.set_nonblocking(true).unwrap();
        t.send("yes\r");
    }
    // One reader for all: a thread for each would measure the host's scheduler.
    // It counts once all have run for a while: whoever began first has filled its
    // buffers on the way.
    let mut counts = [0; SESSIONS];
    while counts.iter().any(|&n| n < WARM_UP) {
        take_turns(&mut sessions, &mut counts);
    }
    // When the host takes the CPU away, it takes it from the session that runs at
    // that moment, and the guest cannot know. On a busy host that takes longer to
    // even out; what is unfair never does.
    counts = [0; SESSIONS];
    let fair = |counts: &[usize]| *counts.iter().max().unwrap() <= 2 * counts.iter().min().unwrap();
    let mut total = 0;
    while total < ENOUGH || total < ENDLESS && !fair(&counts) {
        take_turns(&mut sessions, &mut counts);
        total = counts.iter().sum();
    }
    counts.sort_unstable();
    println!("least {}, most {} bytes", counts[0], counts[SESSIONS - 1]);
    assert!(fair(&counts), "{counts:?}");
}

#[test]
fn strange_clients_end_their_own_session_only() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    // Half-open, garbage, unfinished negotiation, floods of it, sudden ends.
    let mut silent = served.connect();
    let garbage: Vec<u8> =
        (0..100_000u32).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
    for bytes in [&garbage[..], &[255; 10_000], &[255, 250, 31, 0], &[255, 253], &[0; 10_000]] {
        let mut client = served.connect();
        // It may be closed before all was sent.
        let _ = client.write_all(bytes);
    }
    assert_eq!(t.run("echo fine"), "fine\n");
    let mut buf = [0; 64];
    assert_ne!(silent.read(&mut buf).unwrap(), 0, "it got its prompt like anybody");
    drop((t, silent));
    served.wait_empty();
}

#[test]
fn the_server_and_the_machine_end_in_any_order() {
    let served = telnet();
    let mut t = Telnet::at_prompt(served.address());
    let Served { server, machine } = served;
    drop(machine);
    t.rest();
    drop(server);
    let Served { server, machine } = telnet();
    let Address::Tcp(address) = server.addresses()[0] else { unreachable!() };
    let mut t = Telnet::at_prompt(address);
    drop(server);
    assert_eq!(t.socket.read(&mut [0; 8]).unwrap_or(0), 0);
    assert!(machine.command("true").status().unwrap().success());
}
