//! A small HTTP server on loopback that answers what a test says, with faults on request, and
//! measures what it is asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: HashMap<String, String>,
    /// Body as text.
    pub body: String,
    /// Body as it came.
    pub bytes: Vec<u8>,
    /// How many requests of this path came before.
    pub nth: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// One answer, faults included.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Closes the connection after this many bytes of the body.
    pub cut_after: Option<usize>,
    /// Waits before it answers.
    pub wait: Duration,
    /// Says this length instead of the true one.
    pub lies_length: Option<usize>,
    /// These octets are the whole answer, head and all.
    pub raw: Option<Vec<u8>>,
}

impl Reply {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Self { status, headers, body: body.into(), cut_after: None, wait: Duration::ZERO, lies_length: None, raw: None }
    }

    pub fn html(body: impl Into<String>) -> Self {
        Self::new(200, "text/html; charset=utf-8", body.into())
    }

    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    pub fn file(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/vnd.android.package-archive", body)
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", "")
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(302).with("location", to)
    }

    /// Octets as they are to be sent.
    pub fn octets(octets: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(octets.into()), ..Self::status(200) }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Handler = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

/// The server; it stops when dropped.
pub struct Server {
    pub base: String,
    log: Arc<Mutex<Vec<Request>>>,
    most: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Serves until dropped. A handler that has nothing to say answers 404, so there is no
    /// robots.txt unless it gives one.
    pub fn new(handler: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let handler: Arc<Handler> = Arc::new(handler);
        let log = Arc::new(Mutex::new(Vec::new()));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let stopped = Arc::new(AtomicBool::new(false));
        let server = Self { base, log: Arc::clone(&log), most: Arc::clone(&most), stopped: Arc::clone(&stopped) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (handler, log, now, most) =
                    (Arc::clone(&handler), Arc::clone(&log), Arc::clone(&now), Arc::clone(&most));
                std::thread::spawn(move || {
                    let _ = serve(&stream, &*handler, &log, &now, &most);
                });
            }
        });
        server
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// Paths asked, robots.txt left out.
    pub fn paths(&self) -> Vec<String> {
        self.log().into_iter().map(|r| r.path).filter(|p| p != "/robots.txt").collect()
    }

    /// Requests that were being answered at the same time, at most.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// The shortest time between two requests.
    pub fn least_gap(&self) -> Duration {
        let log = self.log();
        log.windows(2).map(|two| two[1].at - two[0].at).min().unwrap_or(Duration::MAX)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.base.trim_start_matches("http://"));
    }
}

fn serve(
    stream: &TcpStream,
    handler: &Handler,
    log: &Mutex<Vec<Request>>,
    now: &AtomicUsize,
    most: &AtomicUsize,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(());
    }
    let at = Instant::now();
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length: usize = headers.get("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    let request = {
        let mut log = log.lock().unwrap();
        let nth = log.iter().filter(|r| r.path == path).count();
        let text = String::from_utf8_lossy(&body).into_owned();
        let request = Request { at, method, path, headers, body: text, bytes: body, nth };
        log.push(request.clone());
        request
    };
    let reply = handler(&request).unwrap_or_else(|| Reply::status(404));
    std::thread::sleep(reply.wait);
    let result = write(stream, &reply);
    now.fetch_sub(1, Ordering::SeqCst);
    result
}

fn write(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    if let Some(raw) = &reply.raw {
        stream.write_all(raw)?;
        return stream.flush();
    }
    let length = reply.lies_length.unwrap_or(reply.body.len());
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // Values may hold any octets.
    stream.write_all(&xunjian::model::fetch::text_octets(&head))?;
    stream.write_all(b"\r\n")?;
    let end = reply.cut_after.map_or(reply.body.len(), |n| n.min(reply.body.len()));
    stream.write_all(&reply.body[..end])?;
    stream.flush()
}

/// Answers a request for a file as servers that can resume do.
pub fn ranged(request: &Request, bytes: &[u8], etag: &str) -> Reply {
    let start =
        request.header("range").strip_prefix("bytes=").and_then(|r| r.trim_end_matches('-').parse::<usize>().ok());
    let fits = request.header("if-range").is_empty() || request.header("if-range") == etag;
    match start.filter(|start| fits && *start < bytes.len()) {
        Some(start) => {
            let mut reply = Reply::file(&bytes[start..]).with("etag", etag);
            reply.status = 206;
            reply.with("content-range", &format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len()))
        }
        None => Reply::file(bytes).with("etag", etag).with("accept-ranges", "bytes"),
    }
}
