//! The peers: programs of others that the tests hold Hamlet against.
//!
//! Each is looked for by what it installs, not by its package, so that a system that is no
//! Debian but has the programs passes as well.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Peer {
    package: &'static str,
    /// Looked for on PATH, or, with a slash, as a file; `*` stands for one folder.
    provides: &'static str,
    purpose: &'static str,
}

const PEERS: &[Peer] = &[
    Peer {
        package: "libwbxml2-utils",
        provides: "wbxml2xml",
        purpose: "reads the WBXML that Hamlet writes, and writes WBXML for it to read",
    },
    Peer {
        package: "libwbxml2-dev",
        provides: "/usr/include/libwbxml-1.0/wbxml/wbxml.h",
        purpose: "the parser that Hamlet's speed is compared with",
    },
    Peer {
        package: "tshark",
        provides: "tshark",
        purpose: "reads the WBXML of CSP 1.3",
    },
    Peer {
        package: "strace",
        provides: "strace",
        purpose: "shows that a message is on the disk before it is acknowledged",
    },
    Peer {
        package: "postgresql",
        provides: "/usr/lib/postgresql/*/bin/initdb",
        purpose: "the other store",
    },
];

/// Installs what is missing where that is possible, else says what to install.
pub fn install() -> Result<(), String> {
    let missing: Vec<&Peer> = PEERS.iter().filter(|peer| !peer.is_there()).collect();
    if missing.is_empty() {
        println!("all there");
        return Ok(());
    }
    for peer in &missing {
        println!("missing: {} ({})", peer.package, peer.purpose);
    }
    let packages: Vec<&str> = missing.iter().map(|peer| peer.package).collect();
    let by_hand = format!(
        "Install them and try again:\n\n    apt-get install --no-install-recommends {}\n\n\
         `cargo xtask test --fast` runs without them.",
        packages.join(" ")
    );
    if !is_root() || !is_on_path("apt-get") {
        return Err(by_hand);
    }
    // The lists of a fresh system are empty; stale ones name files that are gone.
    apt_get(&["update", "--quiet"])?;
    let mut arguments = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    arguments.extend(&packages);
    apt_get(&arguments)?;
    match missing.iter().find(|peer| !peer.is_there()) {
        None => Ok(()),
        Some(peer) => Err(format!(
            "{} is installed but {} is not there",
            peer.package, peer.provides
        )),
    }
}

impl Peer {
    fn is_there(&self) -> bool {
        if self.provides.contains('/') {
            exists(PathBuf::from("/"), self.provides)
        } else {
            is_on_path(self.provides)
        }
    }
}

/// Whether something fits the pattern below `base`.
fn exists(base: PathBuf, pattern: &str) -> bool {
    let pattern = pattern.trim_start_matches('/');
    let Some((before, after)) = pattern.split_once('*') else {
        return base.join(pattern).exists();
    };
    let Ok(folders) = base.join(before).read_dir() else {
        return false;
    };
    folders.flatten().any(|folder| exists(folder.path(), after))
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Linux shows whose process this is by the owner of its folder in /proc.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|process| process.uid() == 0)
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .map_err(|error| format!("apt-get: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`apt-get {}`: {status}", arguments.join(" ")))
    }
}
