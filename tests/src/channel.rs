//! The client's side of the CIR channel, as its octets are (transport 6).

use crate::http::{Connection, DEADLINE, HttpAnswer};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// A connection of standalone TCP.
#[derive(Debug)]
pub struct TcpChannel {
    stream: TcpStream,
}

impl TcpChannel {
    /// Connects and says nothing.
    pub async fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await;
        Self {
            stream: stream.expect("standalone TCP is served"),
        }
    }

    /// Connects and says HELO, which must be answered by OK alone.
    pub async fn open(server: SocketAddr, session: &str) -> Self {
        let mut channel = Self::connect(server).await;
        channel.say(&format!("HELO {session}\r\n")).await;
        assert_eq!(channel.hear().await, "OK\r\n");
        channel
    }

    /// Sends octets.
    pub async fn say(&mut self, text: &str) {
        let sent = self.stream.write_all(text.as_bytes()).await;
        sent.expect("an open connection");
    }

    /// Everything that one read brings, into a buffer as the S60 engine has it (clients 4.6);
    /// empty when the server has closed the connection.
    pub async fn hear(&mut self) -> String {
        let mut buffer = [0; 512];
        let read = tokio::time::timeout(DEADLINE, self.stream.read(&mut buffer)).await;
        let count = read.expect("something comes").unwrap_or(0);
        String::from_utf8(buffer[..count].to_vec()).expect("text")
    }

    /// Waits until the server closes the connection, without another octet.
    pub async fn is_closed(&mut self) -> bool {
        self.hear().await.is_empty()
    }
}

/// A socket that takes datagrams.
#[derive(Debug)]
pub struct UdpChannel {
    socket: UdpSocket,
}

impl UdpChannel {
    /// On a port of its own.
    pub async fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await;
        Self {
            socket: socket.expect("a free port"),
        }
    }

    /// On this port, when no other test has it.
    pub async fn at(port: u16) -> Self {
        let binding = async {
            loop {
                match UdpSocket::bind(("127.0.0.1", port)).await {
                    Ok(socket) => return Self { socket },
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let bound = tokio::time::timeout(DEADLINE, binding).await;
        bound.unwrap_or_else(|_| panic!("port {port} is taken"))
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().expect("an address").port()
    }

    /// Sends a datagram.
    pub async fn say(&self, server: SocketAddr, text: &str) {
        let sent = self.socket.send_to(text.as_bytes(), server).await;
        sent.expect("a socket that sends");
    }

    /// The next datagram.
    pub async fn hear(&self) -> String {
        let mut buffer = [0; 512];
        let received = tokio::time::timeout(DEADLINE, self.socket.recv(&mut buffer)).await;
        let count = received.expect("something comes").expect("a datagram");
        String::from_utf8(buffer[..count].to_vec()).expect("text")
    }
}

/// The GET of standalone HTTP, as the Android client sends it (clients 3.9): sent, and not
/// answered yet.
#[derive(Debug)]
pub struct HttpChannel {
    connection: Connection,
}

impl HttpChannel {
    /// Sends the request to a URL.
    pub async fn get(url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("an HTTP URL");
        let (authority, path) = rest.split_once('/').expect("a path");
        let server = authority.parse().expect("an address of this machine");
        let mut connection = Connection::open(server).await;
        let request = format!(
            "GET /{path} HTTP/1.1\r\nUser-Agent: Java\r\nHost: {authority}\r\nAccept: */*\r\n\
             Connection: keep-alive\r\n\r\n"
        );
        let sent = connection.send(request.as_bytes()).await;
        sent.expect("an open connection");
        Self { connection }
    }

    /// The answer, when it comes.
    pub async fn answer(&mut self) -> HttpAnswer {
        self.connection.receive().await.expect("an answer")
    }
}
