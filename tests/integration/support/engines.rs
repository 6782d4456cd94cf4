//! Engines of a test's own, on free ports, to be killed and started again.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn answers(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "port {port} does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program of PostgreSQL, on the path or where Debian puts it.
fn program(name: &str) -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()));
    on_path.or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let mut found: Vec<PathBuf> =
            versions.map(|v| v.path().join("bin").join(name)).filter(|p| p.is_file()).collect();
        found.sort();
        found.pop()
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n")
}

/// PostgreSQL refuses to run as root: as its own user there.
fn as_postgres(program: &Path, args: &[&str]) -> Command {
    if !is_root() {
        let mut command = Command::new(program);
        command.args(args);
        return command;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program).args(args);
    command
}

/// A PostgreSQL server.
pub struct Postgres {
    dir: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// Starts one.
    pub fn start() -> Self {
        let initdb = program("initdb").expect("this test needs PostgreSQL's initdb");
        // Not below /tmp/xyz with rights of root alone: its own user must reach it.
        let dir = tempfile::Builder::new().prefix("xunjian-postgres").tempdir().unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("postgres:postgres").arg(dir.path()).status().unwrap();
            assert!(owned.success());
        }
        let data = dir.path().join("data").display().to_string();
        let made =
            as_postgres(&initdb, &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
                .stdout(Stdio::null())
                .output()
                .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut me = Self { dir, port: free_port(), server: None };
        me.run_once();
        assert!(me.server.is_some(), "it does not start");
        me
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// SIGKILL to all of it, and up again: it recovers from its log.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        // Its children notice that the first of them is gone, and end.
        let begun = Instant::now();
        let pid = self.dir.path().join("data/postmaster.pid");
        loop {
            let _ = std::fs::remove_file(&pid);
            self.run_once();
            if self.server.is_some() {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not come back");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn run_once(&mut self) {
        let (data, port) = (self.dir.path().join("data").display().to_string(), self.port.to_string());
        let sockets = self.dir.path().display().to_string();
        let args = ["-D", &data, "-p", &port, "-h", "127.0.0.1", "-k", &sockets];
        let mut child = as_postgres(&program("postgres").unwrap(), &args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if child.try_wait().unwrap().is_some() {
                return;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                self.server = Some(child);
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        // Its children write until they notice.
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// A NATS server with JetStream.
pub struct Nats {
    dir: tempfile::TempDir,
    port: u16,
    server: Child,
}

impl Nats {
    /// Starts one.
    pub fn start() -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let server = Self::run(dir.path(), port).expect("this test needs nats-server");
        answers(port);
        Self { dir, port, server }
    }

    fn run(dir: &Path, port: u16) -> std::io::Result<Child> {
        Command::new("nats-server")
            .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// SIGKILL, and up again with what was on the disk.
    pub fn kill_and_restart(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        self.server = Self::run(self.dir.path(), self.port).unwrap();
        answers(self.port);
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
