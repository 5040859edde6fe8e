//! `wasmlinux serve` on free ports, ended in order.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};

pub struct Serve {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Of the telnet console.
    pub address: SocketAddr,
}

impl Serve {
    pub fn start(args: &[&str]) -> Serve {
        let args = [&["serve", "--listen", "0"], args].concat();
        let mut child = super::wasmlinux(&args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut serve = Serve { child, stdout, address: ([0, 0, 0, 0], 0).into() };
        let line = serve.line();
        let address = line.strip_prefix("telnet: ").expect("it says where it listens");
        serve.address = address.parse().unwrap();
        serve
    }

    /// The next line it says.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_ne!(line, "", "it has ended: {}", self.errors());
        line.trim_end().to_owned()
    }

    fn errors(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = std::io::Read::read_to_string(&mut stderr, &mut text);
        }
        text
    }

    pub fn kill(&self, signal: i32) {
        // SAFETY: our own child, not yet waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Its exit status and what it wrote to stderr.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let errors = self.errors();
        (self.child.wait().unwrap(), errors)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
