//! Proxy that passes requests to a server, and lets chosen ones fail.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// An answer in place of the server's: status and body.
    Answer(u16, &'static str),
    /// The connection is reset before the request reaches the server.
    Reset,
    /// The request is passed on and its answer is lost: the connection is reset.
    LoseAnswer,
    /// The body of the answer is cut after so many bytes, and the connection is closed.
    CutBody(usize),
    /// The body of the answer comes one byte at a time, after these pauses.
    Trickle(Duration),
    /// The request is read, and nothing is answered.
    Stall,
}

struct Rule {
    /// Text that the first line of the request contains.
    contains: String,
    fault: Fault,
    num_left: usize,
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    /// Heads of all requests.
    seen: Mutex<Vec<String>>,
    num_open: AtomicUsize,
}

/// Proxy on a free port. Each connection serves one request.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts a proxy before the server on port `target` of this machine.
    pub fn new(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || {
                    shared.num_open.fetch_add(1, Ordering::Relaxed);
                    // A client that went away is no failure of the test.
                    let _ = serve(client, target, &shared);
                    shared.num_open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { port, shared }
    }

    /// URL of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets the next `num_times` requests fail whose first line (`GET /bucket/key HTTP/1.1`) contains `contains`.
    pub fn fail(&self, contains: &str, fault: Fault, num_times: usize) {
        self.shared.rules.lock().unwrap().push(Rule {
            contains: contains.to_owned(),
            fault,
            num_left: num_times,
        });
    }

    /// The first lines of all requests up to now.
    pub fn seen(&self) -> Vec<String> {
        let heads = self.shared.seen.lock().unwrap();
        let lines = heads
            .iter()
            .map(|head| head.lines().next().unwrap_or_default());
        lines.map(str::to_owned).collect()
    }

    /// The head of the last request, with all its headers.
    pub fn last_head(&self) -> String {
        self.shared
            .seen
            .lock()
            .unwrap()
            .last()
            .cloned()
            .unwrap_or_default()
    }

    /// Number of connections that are open now.
    pub fn num_open(&self) -> usize {
        self.shared.num_open.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn fault_of(&self, line: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules
            .iter_mut()
            .find(|rule| rule.num_left > 0 && line.contains(&rule.contains))?;
        rule.num_left -= 1;
        Some(rule.fault.clone())
    }
}

fn serve(mut client: TcpStream, target: u16, shared: &Shared) -> io::Result<()> {
    let (head, mut body) = read_head(&mut client)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    shared.seen.lock().unwrap().push(head.clone());
    let fault = shared.fault_of(&line);
    let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap_or(0));
    let rest = length - body.len().min(length);
    let start = body.len();
    body.resize(start + rest, 0);
    client.read_exact(&mut body[start..])?;

    match fault {
        Some(Fault::Answer(status, text)) => {
            let length = text.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
            );
            return client.write_all(answer.as_bytes());
        }
        Some(Fault::Reset) => return reset(&client),
        Some(Fault::Stall) => return wait_until_closed(client),
        _ => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", target))?;
    let kept = head.lines().filter(|line| !line.is_empty());
    let kept = kept.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let lines: Vec<&str> = kept.chain(["Connection: close", "", ""]).collect();
    server.write_all(lines.join("\r\n").as_bytes())?;
    server.write_all(&body)?;
    match fault {
        Some(Fault::LoseAnswer) => {
            io::copy(&mut server, &mut io::sink())?;
            reset(&client)
        }
        Some(Fault::CutBody(num_bytes)) => {
            let (head, start) = read_head(&mut server)?;
            client.write_all(head.as_bytes())?;
            let mut body = start.as_slice().chain(server).take(num_bytes as u64);
            io::copy(&mut body, &mut client)?;
            client.shutdown(Shutdown::Both)
        }
        Some(Fault::Trickle(pause)) => {
            let (head, start) = read_head(&mut server)?;
            client.write_all(head.as_bytes())?;
            let mut body = start.as_slice().chain(server);
            let mut byte = [0];
            while body.read(&mut byte)? > 0 {
                client.write_all(&byte)?;
                thread::sleep(pause);
            }
            Ok(())
        }
        _ => {
            io::copy(&mut server, &mut client)?;
            client.shutdown(Shutdown::Both)
        }
    }
}

/// The head of a message with its empty line, and what was read of the body.
fn read_head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let body = read.split_off(at + 4);
            return Ok((String::from_utf8_lossy(&read).into_owned(), body));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            num_bytes => read.extend_from_slice(&buffer[..num_bytes]),
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim())
}

/// Closes a connection by RST: unread bytes are dropped with it.
fn reset(stream: &TcpStream) -> io::Result<()> {
    let linger = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
    linger.map_err(io::Error::from)
}

fn wait_until_closed(mut stream: TcpStream) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink())?;
    Ok(())
}
