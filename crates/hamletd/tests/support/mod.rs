//! A `hamletd` process on a temporary directory, and the little of HTTP that tests need.

#![allow(dead_code)]

pub mod phone;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
pub struct Daemon {
    child: Child,
    log: Receiver<String>,
    /// Lines of the log that have been waited through.
    pub seen: Vec<String>,
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
    pub admin: Option<SocketAddr>,
}

impl Daemon {
    /// Starts one on `data_dir`, listening at ports that the system chooses, and waits until
    /// it serves.
    pub fn start(data_dir: &Path, sets: &[&str]) -> Self {
        let mut daemon = Self::launch(data_dir, sets);
        let serving = daemon.wait_for_log(|event| event["message"] == "serving");
        let address = |name: &str| serving[name].as_str().and_then(|text| text.parse().ok());
        daemon.http = address("http");
        daemon.https = address("https");
        daemon.admin = address("admin");
        daemon
    }

    /// Starts one whose log is text for people.
    pub fn start_with_text_log(data_dir: &Path, sets: &[&str]) -> Self {
        let mut daemon = Self::launch(data_dir, &[sets, &["log.format=text"]].concat());
        let serving = daemon.wait_for_line(|line| line.contains(" serving "));
        let mut words = serving.split(' ');
        daemon.http = words.find_map(|word| word.strip_prefix("http=")?.parse().ok());
        daemon
    }

    fn launch(data_dir: &Path, sets: &[&str]) -> Self {
        let mut child = hamletd()
            .args(settings(data_dir, sets))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            log,
            seen: Vec::new(),
            http: None,
            https: None,
            admin: None,
        }
    }

    /// The first event of the log, from where the last wait ended, that is as wished.
    pub fn wait_for_log(
        &mut self,
        wished: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let event = |line: &str| serde_json::from_str(line).unwrap_or_default();
        event(&self.wait_for_line(|line| wished(&event(line))))
    }

    fn wait_for_line(&mut self, wished: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            match self
                .log
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if wished(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("nothing of the kind in {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended: {:#?}", self.seen),
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to this one process.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end of the process; what it had written to standard output.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let end = Instant::now() + DEADLINE;
        // The log ends with the process.
        while let Ok(line) = self
            .log
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.seen.push(line);
        }
        assert!(Instant::now() < end, "it does not end: {:#?}", self.seen);
        let mut text = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut text).unwrap();
        }
        (self.child.wait().unwrap(), text)
    }

    pub fn stop(mut self) -> String {
        self.signal(rustix::process::Signal::TERM);
        let (status, stdout) = self.wait();
        assert!(status.success(), "{status}: {:#?}", self.seen);
        stdout
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, without the environment that `cargo test` gives.
pub fn hamletd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hamletd"));
    command.env_remove("CARGO");
    command
}

fn settings(data_dir: &Path, sets: &[&str]) -> Vec<String> {
    let mut arguments = vec![format!("--set=data_dir={}", data_dir.display())];
    for set in [
        "http.listen=127.0.0.1:0",
        "admin.listen=127.0.0.1:0",
        "log.format=json",
    ]
    .iter()
    .chain(sets)
    {
        arguments.push(format!("--set={set}"));
    }
    arguments
}

/// Runs a command of the operator against `data_dir`.
pub fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    run_with_input(data_dir, arguments, "")
}

pub fn run_with_input(data_dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = hamletd()
        .args(arguments)
        .arg(format!("--set=data_dir={}", data_dir.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it unread.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a command that must succeed prints.
pub fn output(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that must fail complains of.
pub fn complaint(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeds");
    assert!(output.stdout.is_empty(), "{arguments:?} prints");
    String::from_utf8(output.stderr)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// Sends a GET; answers status code and everything that came.
pub fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or_else(|| panic!("no HTTP: {text:?}")), text)
}

/// The octal permissions of a file.
pub fn mode(path: impl Into<PathBuf>) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path.into()).unwrap().permissions().mode() & 0o777
}
