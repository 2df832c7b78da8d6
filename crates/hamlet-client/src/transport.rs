//! One kept-alive HTTP or HTTPS connection that posts bodies, or asks for a URL (transport 3.1, 3.9).

use crate::error::Error;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Limits and identity of a [`Transport`].
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// Longest wait for a connection and an answer together. Android waits 45 s.
    pub timeout: Duration,
    /// Largest body of an answer, octets.
    pub max_answer: usize,
    /// The User-Agent header.
    pub user_agent: String,
    /// Certificates to trust beside the public authorities, for HTTPS.
    pub trusted: Vec<CertificateDer<'static>>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(45),
            max_answer: 1 << 20,
            user_agent: concat!("hamlet-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            trusted: Vec::new(),
        }
    }
}

impl TransportOptions {
    /// Trusts the certificates of a PEM text beside the public authorities.
    pub fn trust_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        let before = self.trusted.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate
                .map_err(|error| Error::Configuration(format!("no certificate: {error}")))?;
            self.trusted.push(certificate);
        }
        if self.trusted.len() == before {
            return Err(Error::Configuration(
                "no certificate in the PEM text".into(),
            ));
        }
        Ok(())
    }
}

/// What came back at the HTTP level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content-Type header.
    pub content_type: Option<String>,
    /// Body; empty when the server has nothing to say.
    pub body: Bytes,
}

/// One connection to one URL, opened when it is needed and kept alive.
pub struct Transport {
    target: Target,
    options: TransportOptions,
    tls: Option<TlsConnector>,
    /// Taken out while an exchange runs, so that a cancelled one leaves no half-read answer.
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("target", &self.target)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Target {
    host: String,
    port: u16,
    path: String,
    host_header: HeaderValue,
}

impl Transport {
    /// For `http://` or `https://` URLs; nothing is connected yet.
    pub fn new(url: &str, options: TransportOptions) -> Result<Self, Error> {
        let (target, secure) = Target::parse(url)?;
        let tls = secure.then(|| connector(&options.trusted)).transpose()?;
        Ok(Self {
            target,
            options,
            tls,
            connection: None,
        })
    }

    /// The limits that it was made with.
    pub fn options(&self) -> &TransportOptions {
        &self.options
    }

    /// Connects now, so that a wrong address shows at once.
    pub async fn connect(&mut self) -> Result<(), Error> {
        let limit = self.options.timeout;
        let connection = tokio::time::timeout(limit, self.open())
            .await
            .map_err(|_| Error::Timeout(limit))??;
        self.connection = Some(connection);
        Ok(())
    }

    /// Drops the connection; the next exchange opens another.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Posts a body; any HTTP status is a [`Reply`].
    ///
    /// When a kept-alive connection turns out to be dead the same octets are sent once more on
    /// a fresh one: the server answers a repeat without carrying it out again
    /// (csp-access 2.3).
    pub async fn post(
        &mut self,
        content_type: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<Reply, Error> {
        let headers = self.headers(Some(content_type), headers)?;
        self.exchange(Method::POST, headers, body).await
    }

    /// Asks for the URL, without a body; otherwise as [`Transport::post`].
    pub async fn get(&mut self) -> Result<Reply, Error> {
        let headers = self.headers(None, &[])?;
        self.exchange(Method::GET, headers, Bytes::new()).await
    }

    async fn exchange(
        &mut self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Error> {
        let limit = self.options.timeout;
        let attempts = async {
            if let Some(connection) = self.connection.take().filter(|c| !c.is_closed()) {
                match self
                    .attempt(connection, &method, &headers, body.clone())
                    .await
                {
                    Err(Error::Transport { .. }) => {}
                    other => return other,
                }
            }
            let connection = self.open().await?;
            self.attempt(connection, &method, &headers, body).await
        };
        tokio::time::timeout(limit, attempts)
            .await
            .map_err(|_| Error::Timeout(limit))?
    }

    async fn attempt(
        &mut self,
        mut connection: SendRequest<Full<Bytes>>,
        method: &Method,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Error> {
        connection.ready().await.map_err(|e| self.broken(e))?;
        let mut request = Request::builder()
            .method(method)
            .uri(self.target.path.as_str())
            .body(Full::new(body))
            .map_err(|error| Error::Configuration(error.to_string()))?;
        *request.headers_mut() = headers.clone();
        let response = connection
            .send_request(request)
            .await
            .map_err(|e| self.broken(e))?;
        let (parts, incoming) = response.into_parts();
        let body = Limited::new(incoming, self.options.max_answer)
            .collect()
            .await
            .map_err(|error| match error.is::<LengthLimitError>() {
                true => Error::TooLarge(self.options.max_answer),
                false => self.broken(error),
            })?
            .to_bytes();
        self.connection = Some(connection);
        Ok(Reply {
            status: parts.status.as_u16(),
            content_type: parts
                .headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            body,
        })
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let stream = TcpStream::connect((self.target.host.as_str(), self.target.port))
            .await
            .map_err(|e| self.broken(e))?;
        stream.set_nodelay(true).map_err(|e| self.broken(e))?;
        let Some(tls) = &self.tls else {
            return self.start(stream).await;
        };
        let name = ServerName::try_from(self.target.host.clone()).map_err(|e| self.broken(e))?;
        let stream = tls
            .connect(name, stream)
            .await
            .map_err(|e| self.broken(e))?;
        self.start(stream).await
    }

    async fn start<S>(&self, stream: S) -> Result<SendRequest<Full<Bytes>>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|e| self.broken(e))?;
        // Ends when the sender is dropped or the peer closes; its error reaches the sender.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn headers(
        &self,
        content_type: Option<&str>,
        extra: &[(String, String)],
    ) -> Result<HeaderMap, Error> {
        let bad = |name: &str| Error::Configuration(format!("`{name}` is no possible header"));
        let value = |name: &str, text: &str| HeaderValue::from_str(text).map_err(|_| bad(name));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, self.target.host_header.clone());
        headers.insert(USER_AGENT, value("User-Agent", &self.options.user_agent)?);
        for (name, text) in extra {
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?;
            headers.insert(key, value(name, text)?);
        }
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, value("Content-Type", content_type)?);
        }
        Ok(headers)
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Transport {
            host: format!("{}:{}", self.target.host, self.target.port),
            source: source.into(),
        }
    }
}

impl Target {
    fn parse(url: &str) -> Result<(Self, bool), Error> {
        let fault = |why: &str| Error::Url {
            url: url.to_owned(),
            why: why.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| fault("it cannot be parsed"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(fault("it begins with neither http:// nor https://")),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| fault("it names no host"))?;
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let authority = match uri.port_u16() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let target = Self {
            // TcpStream takes an IPv6 address without the brackets of a URL.
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            host_header: HeaderValue::from_str(&authority)
                .map_err(|_| fault("its host is no possible header"))?,
        };
        Ok((target, secure))
    }
}

fn connector(trusted: &[CertificateDer<'static>]) -> Result<TlsConnector, Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for certificate in trusted {
        roots
            .add(certificate.clone())
            .map_err(|error| Error::Configuration(format!("no certificate: {error}")))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Configuration(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_into_host_port_and_path() {
        for (url, host, port, path, secure) in [
            ("http://im.example", "im.example", 80, "/", false),
            (
                "http://im.example:8080/csp?x=1",
                "im.example",
                8080,
                "/csp?x=1",
                false,
            ),
            ("https://im.example/", "im.example", 443, "/", true),
            ("http://[::1]:9000/", "::1", 9000, "/", false),
        ] {
            let (target, tls) = Target::parse(url).unwrap();
            assert_eq!(
                (target.host.as_str(), target.port, target.path.as_str(), tls),
                (host, port, path, secure)
            );
        }
        for url in ["", "im.example:80", "ftp://im.example/", "/x", "http://"] {
            assert!(
                matches!(Target::parse(url), Err(Error::Url { .. })),
                "{url}"
            );
        }
    }
}
