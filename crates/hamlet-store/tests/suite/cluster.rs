//! A private PostgreSQL for this test program: in a temporary directory, on a Unix socket
//! only, gone when the program ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs the server until its standard input ends, which it does however we end.
const KEEPER: &str = r#"
trap "" INT
directory=$(mktemp -d /tmp/hamlet-postgres.XXXXXX) || exit 1
trap 'rm -rf "$directory"' EXIT
"$1/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
    >"$directory/log" 2>&1 &&
"$1/pg_ctl" -D "$directory/data" -l "$directory/log" -w \
    -o "-k $directory -c listen_addresses='' -c max_connections=300 -c fsync=$2" start \
    >>"$directory/log" 2>&1 || { cat "$directory/log" >&2; exit 1; }
echo "$directory"
read -r _
"$1/pg_ctl" -D "$directory/data" -m immediate stop >/dev/null 2>&1
"#;

/// A running server.
pub struct Cluster {
    socket: String,
    databases: AtomicU32,
    // Its standard input is what keeps the server alive.
    _keeper: Child,
}

impl Cluster {
    /// The one that all tests share; `None`, with a word about it, when PostgreSQL is not
    /// installed and `HAMLET_REQUIRE_PEERS` does not insist.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("off")).as_ref()
    }

    /// Starts one; `fsync` is `on` or `off`.
    pub fn start(fsync: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let required = std::env::var_os("HAMLET_REQUIRE_PEERS").is_some();
            assert!(!required, "PostgreSQL is required and not installed");
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        let mut keeper = as_ordinary_user("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&programs)
            .arg(fsync)
            .current_dir("/tmp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start PostgreSQL");
        let mut socket = String::new();
        let output = keeper.stdout.take().expect("piped");
        BufReader::new(output)
            .read_line(&mut socket)
            .expect("read from the keeper");
        let socket = socket.trim().to_owned();
        assert!(!socket.is_empty(), "PostgreSQL did not start");
        Some(Self {
            socket,
            databases: AtomicU32::new(0),
            _keeper: keeper,
        })
    }

    /// Makes an empty database; its URL.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres")
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("create database");
        self.url(&name)
    }

    /// The statements that make a copy of a database.
    pub fn dump(&self, url: &str) -> String {
        let programs = programs().expect("PostgreSQL");
        let output = Command::new(programs.join("pg_dump"))
            .args(["--inserts", "--no-owner", "--no-privileges", url])
            .output()
            .expect("run pg_dump");
        assert!(output.status.success(), "{output:?}");
        let dump = String::from_utf8(output.stdout).expect("UTF-8");
        // Lines that begin so are for psql.
        let statements = dump.lines().filter(|line| !line.starts_with('\\'));
        statements.map(|line| format!("{line}\n")).collect()
    }

    /// A connection outside the store.
    pub fn client(&self, database: &str) -> postgres::Client {
        postgres::Client::connect(&self.url(database), postgres::NoTls).expect("connect")
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.socket)
    }
}

/// The programs of the newest PostgreSQL of Debian's kind.
fn programs() -> Option<PathBuf> {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| version(path))
        .map(|path| path.join("bin"))
}

/// PostgreSQL refuses to run as root; then `postgres` or `nobody` runs it.
fn as_ordinary_user(program: &str) -> Command {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    if id(&["-u"]).as_deref() != Some("0") {
        return Command::new(program);
    }
    let (user, group) = ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
        .expect("an ordinary user");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", &user, "--regid", &group, "--clear-groups"])
        .arg(program);
    command
}
