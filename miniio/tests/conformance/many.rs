//! Ten thousand streams in one loop.

use std::collections::HashMap;

use miniio::{Event, Received};

use crate::rig::{Rig, Transport};

/// Each connection is two streams.
const CONNECTIONS: usize = 5000;
/// At once on their way, so that no backlog of the host runs over.
const WAVE: usize = 500;

pub fn ten_thousand_streams(mut rig: Rig) {
    if !matches!(rig.transport, Transport::InProcess) {
        allow_descriptors(2 * CONNECTIONS as u64 + 1000);
    }
    let (_, address) = rig.listen();
    let mut clients = HashMap::new();
    let mut servers = Vec::new();
    while servers.len() < CONNECTIONS {
        for _ in 0..WAVE {
            let id = rig.io.connect(&address).unwrap();
            clients.insert(id, clients.len());
        }
        let mut connected = 0;
        while servers.len() < clients.len() || connected < WAVE {
            match rig.next() {
                Event::Accepted { stream, .. } => servers.push(stream),
                Event::Connected(_) => connected += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    // Each says its number and wants to hear it from the other side.
    for (&id, number) in &clients {
        assert_eq!(rig.io.write(id, &number.to_le_bytes()).unwrap(), 8);
    }
    let mut heard = vec![0; CONNECTIONS];
    let mut left = CONNECTIONS;
    while left > 0 {
        let Event::Readable(id) = rig.next() else { panic!("nothing else is to happen") };
        match clients.get(&id) {
            None => drop(rig.io.transfer(id, id).unwrap()),
            Some(&number) => {
                let Received::Bytes(bytes) = rig.io.received(id).unwrap() else { continue };
                if bytes.len() == 8 {
                    assert_eq!(bytes, number.to_le_bytes());
                    heard[number] += 1;
                    left -= 1;
                    rig.io.consume(id, 8).unwrap();
                }
            }
        }
    }
    assert!(heard.iter().all(|&n| n == 1));
    for id in clients.into_keys().chain(servers) {
        rig.io.close(id);
    }
    assert_eq!(rig.settle().len(), 0);
}

#[cfg(unix)]
fn allow_descriptors(wanted: u64) {
    // SAFETY: both calls work on the structure they are given.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        assert!(limit.rlim_max >= wanted, "needs {wanted} descriptors: ulimit -Hn");
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}

#[cfg(not(unix))]
fn allow_descriptors(_: u64) {}
