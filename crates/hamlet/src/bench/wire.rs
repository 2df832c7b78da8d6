//! HTTP/1.1 by hand on one kept-alive connection: a request is one write, an answer most often
//! one read. For measuring only; hamlet-client has the real thing.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer, octets.
const MAX_ANSWER: usize = 4 << 20;

/// One connection to a server.
pub struct Wire {
    host: String,
    stream: Option<TcpStream>,
    timeout: Duration,
    out: Vec<u8>,
    input: Vec<u8>,
}

/// The start of every request of one kind, up to the length.
#[derive(Debug, Clone)]
pub struct Head(Vec<u8>);

/// Where the body of the newest answer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    start: usize,
    end: usize,
}

/// Splits `http://host:port/path` into `host:port` and the path.
pub fn split_url(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = match has_port {
        true => host.to_owned(),
        false => format!("{host}:80"),
    };
    (!host.starts_with(':')).then(|| (host, path.to_owned()))
}

impl Head {
    /// For one host, path and Content-Type.
    pub fn new(host: &str, path: &str, content_type: &str) -> Self {
        Self(
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: hamlet-bench\r\n\
                 Content-Type: {content_type}\r\nContent-Length: "
            )
            .into_bytes(),
        )
    }
}

impl Wire {
    /// To `host:port`; connects with the first request.
    pub fn new(host: String, timeout: Duration) -> Self {
        Self {
            host,
            stream: None,
            timeout,
            out: Vec::new(),
            input: Vec::new(),
        }
    }

    /// Posts a body and waits for the answer. After an error the next exchange opens another
    /// connection.
    pub async fn exchange(&mut self, head: &Head, body: &[u8]) -> io::Result<Answer> {
        self.out.clear();
        self.out.extend_from_slice(&head.0);
        let mut length = [0u8; 20];
        self.out.extend_from_slice(decimal(body.len(), &mut length));
        self.out.extend_from_slice(b"\r\n\r\n");
        self.out.extend_from_slice(body);
        let limit = self.timeout;
        match tokio::time::timeout(limit, self.attempt()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.stream = None;
                Err(error)
            }
            Err(_) => {
                self.stream = None;
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }

    /// The body of the newest answer.
    pub fn body(&self, answer: Answer) -> &[u8] {
        self.input.get(answer.start..answer.end).unwrap_or(&[])
    }

    async fn attempt(&mut self) -> io::Result<Answer> {
        let reused = self.stream.is_some();
        match self.once().await {
            // A connection that the server had closed meanwhile: the same octets once more.
            Err(error) if reused && self.input.is_empty() && is_closed(&error) => {
                self.stream = None;
                self.once().await
            }
            other => other,
        }
    }

    async fn once(&mut self) -> io::Result<Answer> {
        self.input.clear();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.host).await?;
                stream.set_nodelay(true)?;
                self.stream.insert(stream)
            }
        };
        stream.write_all(&self.out).await?;
        let end = loop {
            if let Some(end) = head_end(&self.input) {
                break end;
            }
            fill(stream, &mut self.input).await?;
        };
        let head = Header::parse(&self.input[..end]).ok_or_else(|| bad("no HTTP answer"))?;
        let body = if head.chunked {
            read_chunks(stream, &mut self.input, end).await?
        } else if let Some(length) = head.length {
            let stop = end
                .checked_add(length)
                .filter(|stop| *stop <= MAX_ANSWER)
                .ok_or_else(|| bad("the answer is too large"))?;
            while self.input.len() < stop {
                fill(stream, &mut self.input).await?;
            }
            end..stop
        } else {
            // As long as the connection: HTTP/1.0.
            while match fill(stream, &mut self.input).await {
                Ok(()) => true,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
                Err(error) => return Err(error),
            } {}
            end..self.input.len()
        };
        if head.close || (head.length.is_none() && !head.chunked) {
            self.stream = None;
        }
        Ok(Answer {
            status: head.status,
            start: body.start,
            end: body.end,
        })
    }
}

struct Header {
    status: u16,
    length: Option<usize>,
    chunked: bool,
    close: bool,
}

impl Header {
    fn parse(head: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(head).ok()?;
        let mut lines = text.split("\r\n");
        let first = lines.next()?;
        let status = first.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
        let mut header = Self {
            status: status.parse().ok()?,
            length: None,
            chunked: false,
            close: first.starts_with("HTTP/1.0"),
        };
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                header.length = Some(value.parse().ok()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                header.chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("connection") {
                header.close = value.eq_ignore_ascii_case("close");
            }
        }
        Some(header)
    }
}

/// Joins the chunks behind `at` into one piece and answers where it lies.
async fn read_chunks(
    stream: &mut TcpStream,
    input: &mut Vec<u8>,
    at: usize,
) -> io::Result<std::ops::Range<usize>> {
    let mut body = Vec::new();
    let mut next = at;
    loop {
        let line_end = loop {
            match input[next..].windows(2).position(|two| two == b"\r\n") {
                Some(end) => break next + end,
                None => fill(stream, input).await?,
            }
        };
        let digits = std::str::from_utf8(&input[next..line_end]).unwrap_or("");
        let digits = digits.split(';').next().unwrap_or("").trim();
        let length = usize::from_str_radix(digits, 16).map_err(|_| bad("no chunk"))?;
        let stop = (line_end + 2)
            .checked_add(length)
            .filter(|stop| stop + 2 <= MAX_ANSWER)
            .ok_or_else(|| bad("the answer is too large"))?;
        while input.len() < stop + 2 {
            fill(stream, input).await?;
        }
        if length == 0 {
            break;
        }
        body.extend_from_slice(&input[line_end + 2..stop]);
        next = stop + 2;
    }
    let end = at + body.len();
    input.truncate(at);
    input.extend_from_slice(&body);
    Ok(at..end)
}

async fn fill(stream: &mut TcpStream, input: &mut Vec<u8>) -> io::Result<()> {
    if input.len() > MAX_ANSWER {
        return Err(bad("the answer is too large"));
    }
    input.reserve(4096);
    match stream.read_buf(input).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn head_end(input: &[u8]) -> Option<usize> {
    input
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

fn decimal(mut number: usize, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
    )
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn answer_to(octets: &'static [u8]) -> (io::Result<u16>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0u8; 1024];
            let _ = stream.read(&mut request).await;
            // In two pieces, so that nothing depends on how the network cuts.
            let (first, second) = octets.split_at(octets.len() / 2);
            stream.write_all(first).await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(second).await.unwrap();
        });
        let mut wire = Wire::new(host, Duration::from_secs(10));
        let head = Head::new("h", "/", "text/xml");
        match wire.exchange(&head, b"x").await {
            Ok(answer) => (Ok(answer.status), wire.body(answer).to_vec()),
            Err(error) => (Err(error), Vec::new()),
        }
    }

    #[tokio::test]
    async fn every_way_to_end_a_body_is_understood() {
        for (octets, status, body) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"[..], 200, &b"abc"[..]),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b""),
            (
                b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
                503,
                b"abc",
            ),
            (b"HTTP/1.0 200 OK\r\n\r\nabc", 200, b"abc"),
        ] {
            let (got, octets) = answer_to(octets).await;
            assert_eq!((got.unwrap(), octets.as_slice()), (status, body));
        }
    }

    #[tokio::test]
    async fn a_broken_answer_is_an_error() {
        for octets in [
            &b"nonsense\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(answer_to(octets).await.0.is_err());
        }
    }

    #[test]
    fn urls_are_split() {
        let split = |url| split_url(url).map(|(host, path)| format!("{host} {path}"));
        assert_eq!(split("http://a").as_deref(), Some("a:80 /"));
        assert_eq!(split("http://a:1/x").as_deref(), Some("a:1 /x"));
        assert_eq!(split("http://[::1]:1").as_deref(), Some("[::1]:1 /"));
        assert_eq!(split("https://a"), None);
    }
}
