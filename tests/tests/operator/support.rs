//! A server with a token for its API, and a client that holds every answer against the
//! description.

use hamlet_tests::http::DEADLINE;
use hamlet_tests::server::TestServer;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A token of the API, by the name of `console`.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server of the domain `h` whose API takes [`TOKEN`].
pub async fn server(settings: &[&str], users: &[&str]) -> (TestServer, Api) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("tokens");
    std::fs::write(&file, format!("console {TOKEN}\n")).expect("a file of tokens");
    let set = format!("admin.api_tokens={}", file.display());
    let settings = [&[set.as_str()], settings].concat();
    let server = TestServer::with_users(&settings, users).await;
    let mut api = Api::of(&server, Arc::new(directory));
    let (status, description) = api.raw("GET", "/api/v1/openapi.json", None).await;
    assert_eq!(status, 200);
    api.description = description;
    (server, api)
}

/// A client of the API.
pub struct Api {
    address: SocketAddr,
    /// Of the file of tokens, which a restart reads again.
    directory: Arc<TempDir>,
    /// What stands after `Authorization:`.
    pub authorization: Option<String>,
    pub description: Value,
    /// Operations that have answered well: method and path of the description.
    pub used: Mutex<BTreeSet<(String, String)>>,
}

impl Api {
    fn of(server: &TestServer, directory: Arc<TempDir>) -> Self {
        Self {
            address: server.admin_address(),
            directory,
            authorization: Some(format!("Bearer {TOKEN}")),
            description: Value::Null,
            used: Mutex::default(),
        }
    }

    /// The same API for somebody else.
    pub fn with_authorization(&self, authorization: Option<String>) -> Self {
        Self {
            address: self.address,
            directory: self.directory.clone(),
            authorization,
            description: self.description.clone(),
            used: Mutex::default(),
        }
    }

    /// The same client at another server.
    pub fn at(&self, server: &TestServer) -> Self {
        Self {
            address: server.admin_address(),
            ..self.with_authorization(self.authorization.clone())
        }
    }

    /// Sends a request below `/api/v1` and holds the answer against the description.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = (!body.is_null()).then(|| body.to_string());
        let full = format!("/api/v1{path}");
        let (status, answer) = self.raw(method, &full, body.as_deref()).await;
        self.check(method, &full, status, &answer);
        (status, answer)
    }

    /// As [`Api::call`], for what must succeed.
    pub async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// As [`Api::call`], for what must fail with this status.
    pub async fn fails(&self, method: &str, path: &str, body: Value, expected: u16) -> String {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        answer["message"].as_str().expect("a message").to_owned()
    }

    /// Sends a request as it is.
    pub async fn raw(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        let kind = "Content-Type: application/json\r\n";
        let body = body.unwrap_or_default();
        let text = self.send(method, path, kind, body).await;
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no HTTP: {text:?}"));
        let (_, body) = text.split_once("\r\n\r\n").expect("a head");
        match body {
            "" => (status, Value::Null),
            body => (status, serde_json::from_str(body).expect("JSON")),
        }
    }

    /// Sends a request with these headers; everything that comes back.
    pub async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let authorization = match &self.authorization {
            Some(authorization) => format!("Authorization: {authorization}\r\n"),
            None => String::new(),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        // A request that is refused early may not be read to its end.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let read = tokio::time::timeout(DEADLINE, read).await;
        let _ = read.expect("an answer in time");
        String::from_utf8(answer).expect("UTF-8")
    }

    /// Fails unless the description has this answer.
    fn check(&self, method: &str, path: &str, status: u16, answer: &Value) {
        let Some((template, operation)) = self.operation(method, path) else {
            assert!(
                matches!(status, 401 | 404 | 405),
                "{method} {path} is not described"
            );
            return self.check_schema(&json!({"$ref": "#/components/schemas/Error"}), answer);
        };
        let response = &operation["responses"][status.to_string()];
        assert!(
            response.is_object(),
            "{method} {template}: {status} is not described"
        );
        match &response["content"]["application/json"]["schema"] {
            Value::Null => assert_eq!(*answer, Value::Null, "{method} {template}"),
            schema => self.check_schema(schema, answer),
        }
        if status < 300 {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.insert((method.to_lowercase(), template.to_owned()));
        }
    }

    fn check_schema(&self, schema: &Value, answer: &Value) {
        let mut components = self.description["components"].clone();
        close(&mut components);
        let mut whole = schema.clone();
        whole["components"] = components;
        let validator = jsonschema::draft202012::new(&whole).expect("a schema");
        let faults: Vec<String> = validator
            .iter_errors(answer)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{answer}: {faults:?}");
    }

    /// The path of the description that a path belongs to, with what is said of the method.
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let path = path.split('?').next()?;
        let paths = self.description["paths"].as_object()?;
        let is_like = |template: &str| {
            let (template, path): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), path.split('/').collect());
            let like = |(one, other): (&&str, &&str)| one.starts_with('{') || one == other;
            template.len() == path.len() && template.iter().zip(&path).all(like)
        };
        let (template, item) = paths.iter().find(|(template, _)| is_like(template))?;
        Some((template, item.get(method.to_lowercase())?))
    }
}

/// Lets objects have no other members than those that are described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(array) => array.iter_mut().for_each(close),
        _ => {}
    }
}
