//! HTTP/1.1 by hand: what stands on the wire is what the tests are about.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// No answer takes this long unless something hangs.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

/// How the end of a body was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Content-Length.
    Length,
    /// Transfer-Encoding: chunked.
    Chunked,
    /// Neither.
    Nothing,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The headers, as written.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How its end was told.
    pub framing: Framing,
}

impl HttpAnswer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self {
            stream: BufReader::new(stream),
            host: address.to_string(),
        }
    }

    /// POSTs a body to `/` with these headers beside Host and Content-Length. With `Expect`
    /// among them the body waits for the interim answer.
    pub async fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> HttpAnswer {
        let head = self.head(headers, body);
        let expects = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("expect"));
        if expects {
            self.send(head.as_bytes())
                .await
                .expect("an open connection");
            let interim = self.receive().await.expect("an interim answer");
            assert_eq!(interim.status, 100, "the body is waited for: {interim:?}");
            self.send(body).await.expect("an open connection");
        } else {
            let request = [head.as_bytes(), body].concat();
            self.send(&request).await.expect("an open connection");
        }
        self.receive().await.expect("an answer")
    }

    /// The octets of such a POST.
    pub fn request(&self, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
        [self.head(headers, body).as_bytes(), body].concat()
    }

    fn head(&self, headers: &[(String, String)], body: &[u8]) -> String {
        let mut head = format!("POST / HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        head
    }

    /// Writes octets.
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets).await?;
        self.stream.get_mut().flush().await
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.get_mut().shutdown().await
    }

    /// Waits for the first octets of an answer; whether there are some.
    pub async fn begins_to_answer(&mut self) -> bool {
        let mut octet = [0];
        let read = tokio::time::timeout(DEADLINE, self.stream.read(&mut octet));
        let read = read.await;
        matches!(read.expect("an answer or an end"), Ok(read) if read > 0)
    }

    /// Reads one answer; fails when the connection ends first.
    pub async fn receive(&mut self) -> io::Result<HttpAnswer> {
        tokio::time::timeout(DEADLINE, self.read_answer())
            .await
            .unwrap_or_else(|_| panic!("no answer within {DEADLINE:?}"))
    }

    /// Reads an answer that has no body, whatever its headers say: to HEAD, or 304.
    pub async fn receive_head(&mut self) -> io::Result<HttpAnswer> {
        tokio::time::timeout(DEADLINE, self.read_head())
            .await
            .unwrap_or_else(|_| panic!("no answer within {DEADLINE:?}"))
    }

    /// Whether the server closes the connection without another octet.
    pub async fn is_closed(&mut self) -> bool {
        let mut octet = [0];
        let read = tokio::time::timeout(DEADLINE, self.stream.read(&mut octet));
        matches!(
            read.await.expect("the server closes the connection"),
            Ok(0) | Err(_)
        )
    }

    async fn read_head(&mut self) -> io::Result<HttpAnswer> {
        let status_line = self.line().await?;
        let status = status_line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| malformed(&status_line))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed(&line))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(HttpAnswer {
            status,
            headers,
            body: Vec::new(),
            framing: Framing::Nothing,
        })
    }

    async fn read_answer(&mut self) -> io::Result<HttpAnswer> {
        let mut answer = self.read_head().await?;
        let status = answer.status;
        if status == 100 {
            return Ok(answer);
        }
        // Without content, whatever the headers say (RFC 9110 15.3.5).
        if status == 204 {
            return Ok(answer);
        }
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().map_err(|_| malformed(length))?;
            answer.framing = Framing::Length;
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body).await?;
        } else if answer.header("transfer-encoding").is_some() {
            answer.framing = Framing::Chunked;
            loop {
                let size = self.line().await?;
                let size = usize::from_str_radix(&size, 16).map_err(|_| malformed(&size))?;
                let start = answer.body.len();
                answer.body.resize(start + size, 0);
                self.stream.read_exact(&mut answer.body[start..]).await?;
                self.line().await?;
                if size == 0 {
                    break;
                }
            }
        }
        Ok(answer)
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP: {what:?}"))
}
