//! What strangers can cost the server: memory, connections, log lines, files. Against the real program
//! over loopback.

use crate::support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::desk::Server;

const SECRET: &str = "a secret that both sides of the tests share";

/// Resident memory of a process, in bytes.
#[cfg(target_os = "linux")]
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

/// What became of a long body: bytes sent before the server had enough, most memory it took, its answer.
#[cfg(target_os = "linux")]
struct Flood {
    sent: u64,
    grown: u64,
    answer: String,
}

/// Sends a body in chunks, as much as is taken.
#[cfg(target_os = "linux")]
fn flood(server: &Server, head: &str, bytes: u64) -> Flood {
    let before = memory(server.pid());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "POST {head}\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let (chunk, mut sent, mut most) = (vec![b'a'; 1 << 20], 0, before);
    while sent < bytes {
        if write!(stream, "100000\r\n")
            .and_then(|()| stream.write_all(&chunk))
            .and_then(|()| write!(stream, "\r\n"))
            .is_err()
        {
            break;
        }
        sent += chunk.len() as u64;
        most = most.max(memory(server.pid()));
    }
    let _ = write!(stream, "0\r\n\r\n");
    let mut answer = vec![0; 16 << 10];
    let length = stream.read(&mut answer).unwrap_or(0);
    most = most.max(memory(server.pid()));
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    Flood { sent, grown: most - before, answer }
}

/// Status line alone.
fn ask(server: &Server, request: &str, patience: Duration) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "{request}\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

fn with_secret(dir: &Path) -> Server {
    let secret = dir.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    Server::start_with(dir, &["--secret-file", secret.to_str().unwrap()])
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_that_nobody_asked_for_costs_no_memory() {
    const GIGABYTES: u64 = 2_500 << 20;
    let dir = tempfile::tempdir().unwrap();
    let server = with_secret(dir.path());
    let now = chrono::Utc::now().timestamp();
    let signed = |at: i64| format!("webhook-id: m\r\nwebhook-timestamp: {at}\r\nwebhook-signature: v1,AAAA");
    let json = "HTTP/1.1\r\nContent-Type: application/json";
    // Without the headers, of another time, or longer than is taken: before a byte is read.
    for (head, status) in [
        (format!("/api/v1/standings {json}"), "401"),
        (format!("/api/v1/standings {json}\r\n{}", signed(now - 301)), "401"),
        (format!("/api/v1/audits {json}"), "401"),
        ("/nowhere HTTP/1.1".to_owned(), "404"),
    ] {
        let flood = flood(&server, &head, GIGABYTES);
        assert!(
            flood.answer.starts_with(&format!("HTTP/1.1 {status}")) || flood.sent < GIGABYTES,
            "{head}: {}",
            flood.answer
        );
        assert!(flood.sent < 64 << 20, "{head}: {} bytes were taken", flood.sent);
        assert!(flood.grown < 24 << 20, "{head}: {} bytes of memory", flood.grown);
    }
    // With all that a stranger can know: as much as a message may have, and no more.
    let flood = flood(&server, &format!("/api/v1/standings {json}\r\n{}", signed(now)), GIGABYTES);
    assert!(flood.sent < 160 << 20 && flood.grown < 160 << 20, "{} sent, {} of memory", flood.sent, flood.grown);
    let form = self::flood(&server, "/sign-in HTTP/1.1", GIGABYTES);
    assert!(form.sent < 64 << 20 && form.grown < 24 << 20, "{} sent, {} of memory", form.sent, form.grown);
    assert_eq!(ask(&server, "GET /health HTTP/1.1", Duration::from_secs(5)).unwrap(), "HTTP/1.1 200 OK");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_without_a_secret_reads_no_lists() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let flood = flood(&server, "/api/v1/standings HTTP/1.1\r\nContent-Type: application/json", 600 << 20);
    assert!(flood.sent < 64 << 20 && flood.grown < 24 << 20, "{} sent, {} of memory", flood.sent, flood.grown);
}

#[test]
fn what_says_to_be_too_long_is_refused_before_it_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_secret(dir.path());
    let now = chrono::Utc::now().timestamp();
    for (head, status) in [
        (
            format!(
                "POST /api/v1/standings HTTP/1.1\r\nwebhook-id: m\r\nwebhook-timestamp: {now}\r\nwebhook-signature: v1,A\r\nContent-Length: 67108865"
            ),
            "413",
        ),
        ("POST /sign-in HTTP/1.1\r\nContent-Length: 1000000".to_owned(), "413"),
    ] {
        let told = ask(&server, &head, Duration::from_secs(5)).unwrap();
        assert!(told.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {told}");
    }
}

/// A connection that says half of something.
fn half(server: &Server, said: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(server.address()).ok()?;
    stream.write_all(said.as_bytes()).ok()?;
    Some(stream)
}

#[cfg(unix)]
#[test]
fn half_requests_by_the_thousand_do_not_stop_the_page() {
    let dir = tempfile::tempdir().unwrap();
    // As many descriptors as a process often has.
    let program = env!("CARGO_BIN_EXE_xunjian");
    let script = format!("ulimit -n 1024; exec '{program}' serve --listen 127.0.0.1:0 --home \"$0\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(dir.path()).stdout(Stdio::piped());
    let server = Server::of(command);
    for said in [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: ",
        "",
        "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nname=",
    ] {
        let halves: Vec<TcpStream> = (0..1_100).filter_map(|_| half(&server, said)).collect();
        assert!(halves.len() > 1_000, "{} connections", halves.len());
        for _ in 0..20 {
            let begun = Instant::now();
            let told = ask(&server, "GET /health HTTP/1.1", Duration::from_secs(5)).unwrap();
            assert_eq!(told, "HTTP/1.1 200 OK", "{said:?}");
            assert!(begun.elapsed() < Duration::from_secs(1), "{said:?}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn half_a_request_is_closed_after_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let mut stream = half(&server, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: ").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (begun, mut end) = (Instant::now(), [0; 1_000]);
    while stream.read(&mut end).unwrap() > 0 {}
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[cfg(unix)]
#[test]
fn a_home_is_for_its_owner_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("made/home");
    let program = env!("CARGO_BIN_EXE_xunjian");
    let add = || {
        let script = format!("umask 0; '{program}' client add backend --may read --home \"$0\"");
        assert!(Command::new("sh").arg("-c").arg(script).arg(&home).stdout(Stdio::null()).status().unwrap().success());
    };
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    add();
    assert_eq!((mode(&home), mode(&home.join("state.sqlite"))), (0o700, 0o600));
    // And what was open is closed.
    for (path, open) in [(home.clone(), 0o755), (home.join("state.sqlite"), 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(open)).unwrap();
    }
    add();
    assert_eq!((mode(&home), mode(&home.join("state.sqlite"))), (0o700, 0o600));
}

#[cfg(unix)]
#[test]
fn a_name_makes_no_line_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let name = "a\nWARN xunjian: forged line\u{202e}kpa.apk";
    std::fs::write(dir.path().join(name), "no package").unwrap();
    let output = support::xunjian(&["audit", dir.path().to_str().unwrap()]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(log.contains("forged line"), "it is told: {log}");
    assert!(!log.lines().any(|line| line.starts_with("WARN xunjian: forged")), "{log}");
    assert!(!log.contains('\u{202e}'), "{log}");
}

/// What lies in the home holds where only the home is named.
#[test]
fn the_home_brings_its_configuration_and_registers() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), "[network]\nproxi = \"x\"\n").unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
        let command =
            command.args(args).arg("--home").arg(dir.path()).env_remove("XUNJIAN_HOME").env_remove("XUNJIAN_CONFIG");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(&["people", "list"]);
    assert!(code == Some(2) && told.contains("config.toml:2:1"), "{code:?} {told}");
    std::fs::write(dir.path().join("config.toml"), "").unwrap();
    assert_eq!(run(&["people", "list"]).0, Some(0));
    // Lists that are pushed land in the home's registers: no other folder has to be named.
    let server = with_secret(dir.path());
    let body = r#"{"schema":"xunjian/standings/1","as_of":"2026-11-01T00:00:00Z","grey":[{"package":"cn.example.a"}]}"#;
    let (secret, now) = (xunjian::feed::Secret::parse(SECRET).unwrap(), chrono::Utc::now().timestamp());
    let signed = xunjian::feed::signature(&secret, "m", now, body.as_bytes());
    let head = format!(
        "POST /api/v1/standings HTTP/1.1\r\nwebhook-id: m\r\nwebhook-timestamp: {now}\r\nwebhook-signature: {signed}\r\nContent-Length: {}",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(dir.path().join("registers/grey.json").is_file());
}
