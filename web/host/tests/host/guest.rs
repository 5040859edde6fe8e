//! The guest's side of the host operations, with a few programs of its own.

use std::collections::BTreeMap;

use hostabi::consts::{IRQ_JOB, IRQ_POWER, IRQ_STREAM};
use wasmlinux_web::Host;

const EAGAIN: i32 = -11;
const ENOENT: i32 = -2;
const E2BIG: i32 = -7;

/// What telnetd begins with: DO NAWS, WILL ECHO, WILL SGA.
pub const HELLO: &[u8] = &[255, 253, 31, 255, 251, 1, 255, 251, 3];

/// Words of a request before its strings (`runner/src/job.rs`).
const WORDS: usize = 17;

#[derive(Debug)]
pub struct Job {
    pub argv: Vec<String>,
    pub env: Vec<String>,
    pub cwd: String,
    pub streams: [u32; 3],
    /// What it has read.
    pub heard: Vec<u8>,
    /// How much of that telnetd has made sense of.
    read: usize,
    /// What it still has to write.
    pending: Vec<u8>,
    input_ended: bool,
    pub killed: Option<i32>,
}

#[derive(Default)]
pub struct Guest {
    pub jobs: BTreeMap<u32, Job>,
    pub ended: Vec<u32>,
    pub asked_to_power_off: bool,
    /// Telnet sessions do not read.
    pub deaf: bool,
    /// Bytes a program takes in one go.
    pub sip: usize,
    /// The pending word.
    irqs: u32,
}

impl Job {
    /// Echoes what was typed, and not what telnet clients say to servers.
    fn echo(&mut self) {
        const IAC: u8 = 255;
        const SE: u8 = 240;
        while let Some(rest) = self.heard.get(self.read..).filter(|rest| !rest.is_empty()) {
            let (said, typed) = match *rest {
                [IAC, IAC, ..] => (2, 2),
                [IAC, 250, ..] => match rest.windows(2).position(|pair| pair == [IAC, SE]) {
                    Some(end) => (end + 2, 0),
                    None => return,
                },
                [IAC, 251..=254, _, ..] => (3, 0),
                [IAC] | [IAC, 251..=254] => return,
                [IAC, ..] => (2, 0),
                _ => (1, 1),
            };
            self.pending.extend(&rest[..typed]);
            self.read += said;
        }
    }
}

impl Guest {
    pub fn new() -> Guest {
        Guest { sip: 4096, ..Guest::default() }
    }

    /// An interrupt is pending.
    pub fn has_work(&mut self, host: &Host) -> bool {
        self.irqs |= host.interrupts();
        self.irqs != 0
    }

    /// Everything the kernel would do now.
    pub fn turn(&mut self, host: &Host) {
        self.has_work(host);
        let irqs = std::mem::take(&mut self.irqs);
        if irqs & 1 << IRQ_POWER != 0 {
            self.asked_to_power_off = true;
        }
        if irqs & 1 << IRQ_STREAM != 0 {
            while host.devices().stream_event().is_some() {}
        }
        if irqs & 1 << IRQ_JOB != 0 {
            self.take_requests(host);
        }
        let ids: Vec<u32> = self.jobs.keys().copied().collect();
        for id in ids {
            if let Some(status) = self.work(host, id) {
                let job = self.jobs.remove(&id).unwrap();
                let mut streams = job.streams.to_vec();
                streams.dedup();
                streams.into_iter().for_each(|s| host.devices().stream_close(s));
                self.ended.push(id);
                host.devices().job_exit(id, Ok(status));
            }
        }
    }

    fn take_requests(&mut self, host: &Host) {
        let mut size = 64;
        loop {
            match host.devices().job_next(size) {
                None => return,
                // As the kernel does.
                Some(Err(E2BIG)) => size *= 2,
                Some(Err(errno)) => panic!("job_next: {errno}"),
                Some(Ok(request)) => self.request(host, &request),
            }
        }
    }

    fn request(&mut self, host: &Host, request: &[u8]) {
        let word = |i: usize| u32::from_le_bytes(request[4 * i..][..4].try_into().unwrap());
        let id = word(0);
        if word(1) == 1 {
            if let Some(job) = self.jobs.get_mut(&id) {
                job.killed = Some(word(2) as i32);
            }
            return;
        }
        let strings = &request[4 * WORDS..];
        let mut strings = strings.split(|&b| b == 0).map(|s| String::from_utf8_lossy(s).into());
        let cwd = strings.next().unwrap();
        let argv: Vec<String> = strings.by_ref().take(word(9) as usize).collect();
        let env = strings.take(word(10) as usize).collect();
        let streams = [word(5), word(6), word(7)];
        if argv[0] == "missing" {
            return host.devices().job_exit(id, Err(ENOENT));
        }
        host.devices().job_started(id, 100 + id);
        let pending = match argv[0].as_str() {
            "echo" => argv[1..].join(" ").into_bytes(),
            "telnetd" => HELLO.to_vec(),
            _ => Vec::new(),
        };
        let job = Job {
            argv,
            env,
            cwd,
            streams,
            heard: Vec::new(),
            read: 0,
            pending,
            input_ended: false,
            killed: None,
        };
        self.jobs.insert(id, job);
    }

    /// One go of a program; its wait status if that was its end.
    fn work(&mut self, host: &Host, id: u32) -> Option<i32> {
        let (deaf, sip) = (self.deaf, self.sip);
        let job = self.jobs.get_mut(&id)?;
        if let Some(signal) = job.killed {
            return Some(signal);
        }
        let [stdin, stdout, stderr] = job.streams;
        let telnetd = job.argv[0] == "telnetd";
        if !(telnetd && deaf) && job.pending.is_empty() && !job.input_ended {
            let mut buf = vec![0; sip];
            match host.devices().stream_read(stdin, &mut buf) {
                Ok(0) => job.input_ended = true,
                Ok(n) => {
                    job.heard.extend(&buf[..n]);
                    match job.argv[0].as_str() {
                        "cat" => job.pending.extend(&buf[..n]),
                        "telnetd" => job.echo(),
                        _ => {}
                    }
                }
                Err(EAGAIN) => {}
                Err(errno) => panic!("stream_read: {errno}"),
            }
        }
        if !job.pending.is_empty() {
            match host.devices().stream_write(stdout, &job.pending) {
                Ok(n) => drop(job.pending.drain(..n)),
                Err(EAGAIN) => {}
                // EPIPE.
                Err(_) => return Some(13),
            }
        }
        if !job.pending.is_empty() {
            return None;
        }
        match job.argv[0].as_str() {
            "echo" | "true" => Some(0),
            "exit" => Some(job.argv[1].parse::<i32>().unwrap() << 8),
            "complain" => {
                host.devices().stream_write(stderr, b"no\n").unwrap();
                Some(1 << 8)
            }
            "cat" | "wc" | "telnetd" => job.input_ended.then_some(0),
            "sleep" => None,
            other => panic!("no such program: {other}"),
        }
    }

    /// What the programs of this name have read.
    pub fn heard(&self, name: &str) -> Vec<u8> {
        let all = self.jobs.values().filter(|job| job.argv[0] == name);
        all.flat_map(|job| job.heard.iter().copied()).collect()
    }

    /// The only program of this name.
    pub fn only(&self, name: &str) -> &Job {
        let mut all = self.jobs.values().filter(|job| job.argv[0] == name);
        let job = all.next().expect("it runs");
        assert!(all.next().is_none(), "more than one {name}");
        job
    }
}
