//! The programs of the workspace as processes of their own: to be killed, traced, measured.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tempfile::TempDir;

/// A program of the workspace, built if it is not up to date.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    // target/PROFILE/deps/TEST-HASH is this test.
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("target/PROFILE");
    BUILT.get_or_init(|| {
        // `cargo xtask` has built it already. Whoever runs one test would else test whatever
        // was built last; building all of the workspace leaves the features as they are.
        if std::env::var_os("HAMLET_BUILT").is_some() {
            return;
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let profile = match folder.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let status = Command::new(cargo)
            .args(["build", "--workspace", "--quiet", "--profile", profile])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "the programs do not build"
        );
    });
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not there", path.display());
    path
}

/// Whether a program of others is there. With HAMLET_REQUIRE_PEERS, as CI sets it, it must.
pub fn has_peer(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    assert!(
        found || std::env::var_os("HAMLET_REQUIRE_PEERS").is_none(),
        "{name} is not installed"
    );
    if !found {
        eprintln!("skipped: {name} is not installed (`cargo xtask test` installs it)");
    }
    found
}

/// A server in a process of its own.
#[derive(Debug)]
pub struct Hamletd {
    child: Child,
    address: SocketAddr,
    settings: Vec<String>,
    directory: TempDir,
    log: Arc<Mutex<String>>,
}

impl Hamletd {
    /// Starts a server with these settings on a directory of its own.
    pub fn start(settings: &[&str]) -> Self {
        Self::start_under(&[], settings)
    }

    /// The same under another program, such as strace.
    pub fn start_under(wrapper: &[&OsStr], settings: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let address = lasting_address();
        let settings: Vec<String> = settings.iter().map(|set| (*set).to_owned()).collect();
        let log = Arc::default();
        let child = spawn(wrapper, &settings, address, directory.path(), &log);
        Self {
            child,
            address,
            settings,
            directory,
            log,
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The admin listener.
    pub fn admin_address(&self) -> SocketAddr {
        let serving = self.logged("serving").pop().expect("it serves");
        let address = serving.split(" admin=").nth(1).expect("its addresses");
        let address = address.split_whitespace().next();
        let address = address.and_then(|address| address.parse().ok());
        address.expect("an admin listener")
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Makes an account.
    pub fn add_user(&self, user: &str, password: &str) {
        self.operate(&["user", "add", user, "--password", password]);
    }

    /// An operator's command, which asks the running server.
    pub fn operate(&self, words: &[&str]) {
        let data_dir = format!("data_dir={}", self.directory.path().display());
        let mut command = Command::new(program("hamletd"));
        command.args(words).args(["--set", &data_dir]);
        for set in &self.settings {
            command.args(["--set", set]);
        }
        let output = command.output().expect("hamletd runs");
        assert!(output.status.success(), "{output:?}");
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running server");
        self.child.wait().expect("its end");
    }

    /// Starts it again on the same directory and port.
    pub fn start_again(&mut self) {
        let (settings, directory) = (&self.settings, self.directory.path());
        self.child = spawn(&[], settings, self.address, directory, &self.log);
    }

    /// The lines of the log so far in which a text is.
    pub fn logged(&self, text: &str) -> Vec<String> {
        let log = self.log.lock().expect("a log");
        let lines = log.lines().filter(|line| line.contains(text));
        lines.map(str::to_owned).collect()
    }

    /// Octets of the log so far.
    pub fn log_length(&self) -> usize {
        self.log.lock().expect("a log").len()
    }

    /// The memory that it holds.
    pub fn resident_octets(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("a running server");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilo: u64 = line
            .and_then(|line| line.split_whitespace().nth(1))
            .and_then(|number| number.parse().ok())
            .expect("its resident set");
        kilo << 10
    }

    /// The processor time that its threads have used, seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let tasks = tasks.expect("a running server").flatten();
        let nanos: u64 = tasks
            .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
            .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
            .sum();
        nanos as f64 / 1e9
    }

    /// Ends it as an operator does; fails if it does not end well.
    pub fn terminate(&mut self) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Hamletd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine that stays free while the server is not there: its port is none
/// of those that the system gives to connections.
fn lasting_address() -> SocketAddr {
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test programs that run at the same time begin at different places.
    let first = std::process::id().wrapping_mul(97);
    for _ in PORTS {
        let at = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let offset = at % u32::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(offset).expect("within the ports");
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().expect("its address");
        }
    }
    panic!("no port is free");
}

/// Starts the server and waits until it says that it serves.
fn spawn(
    wrapper: &[&OsStr],
    settings: &[String],
    address: SocketAddr,
    data_dir: &Path,
    kept: &Arc<Mutex<String>>,
) -> Child {
    let hamletd = program("hamletd");
    let mut words: Vec<&OsStr> = wrapper.to_vec();
    words.push(hamletd.as_os_str());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    let own = [
        format!("data_dir={}", data_dir.display()),
        format!("http.listen={address}"),
        "admin.listen=127.0.0.1:0".to_owned(),
        "log.format=text".to_owned(),
    ];
    for set in own.iter().chain(settings) {
        command.args(["--set", set]);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("hamletd starts");
    let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    while !said.contains("serving") {
        let read = log.read_line(&mut said).expect("a line of the log");
        assert!(read > 0, "hamletd ended: {said}");
    }
    kept.lock().expect("a log").push_str(&said);
    // Whoever writes a log must not wait for its reader.
    let kept = kept.clone();
    std::thread::spawn(move || {
        let mut line = String::new();
        while log.read_line(&mut line).is_ok_and(|read| read > 0) {
            kept.lock().expect("a log").push_str(&line);
            line.clear();
        }
    });
    child
}
