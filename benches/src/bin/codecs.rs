//! Prints how fast the codecs are in processor time, and how fast libwbxml parses the same
//! messages in the same run: `cargo run --release -p hamlet-benches --bin codecs`.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use hamlet_benches::messages::{Sample, VERSION, samples};
use hamlet_csp::{Syntax, WriteOptions, decode, encode};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long each thing is repeated in one round.
const SPAN: Duration = Duration::from_millis(100);

/// Rounds; the fastest counts, because what disturbs a measurement only slows it down.
const ROUNDS: usize = 5;

/// Rounds beside libwbxml. Each is a process of its own for both, because where a process
/// happens to lie in memory can slow it down by half from its beginning to its end.
const PEER_ROUNDS: usize = 20;

/// The argument with which this program measures one file and prints nanoseconds, as
/// `peers/libwbxml_parse.c` does.
const DECODE: &str = "--decode";

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [flag, path] if flag == DECODE => {
            let octets = std::fs::read(path).expect("the file can be read");
            println!("{}", decoding(&octets));
        }
        _ => {
            eprintln!("usage: codecs [{DECODE} FILE]");
            std::process::exit(2);
        }
    }
}

fn decoding(octets: &[u8]) -> f64 {
    nanoseconds(|| decode(black_box(octets), Syntax::Wbxml))
}

fn table() {
    let samples = samples();
    println!("What is measured              octets        ns  messages/s     MB/s");
    let options = WriteOptions::default();
    for (name, syntax) in [("XML", Syntax::Xml), ("WBXML", Syntax::Wbxml)] {
        for sample in &samples {
            let octets = sample.octets(syntax);
            let read = fastest(|| nanoseconds(|| decode(black_box(octets), syntax)));
            row("decode", name, sample, octets.len(), read);
            let document = black_box(&sample.document);
            let write = fastest(|| nanoseconds(|| encode(document, syntax, VERSION, &options)));
            row("encode", name, sample, octets.len(), write);
        }
    }
    match libwbxml(&samples) {
        Err(reason) => println!("\nlibwbxml is left out: {reason}"),
        Ok(rows) => {
            println!("\nWBXML to a tree, ns             libwbxml    Hamlet    ratio");
            let mut sums = (0.0, 0.0);
            for (sample, (theirs, ours)) in samples.iter().zip(rows) {
                let ratio = theirs / ours;
                println!("{:28}{theirs:12.0}{ours:10.0}{ratio:9.1}", sample.name);
                sums = (sums.0 + theirs, sums.1 + ours);
            }
            let ratio = sums.0 / sums.1;
            println!("{:28}{:12.0}{:10.0}{ratio:9.1}", "all", sums.0, sums.1);
        }
    }
}

fn row(what: &str, syntax: &str, sample: &Sample, octets: usize, ns: f64) {
    let (rate, octet_rate) = (1e9 / ns, octets as f64 * 1e3 / ns);
    let name = format!("{what} {syntax} {}", sample.name);
    println!("{name:28}{octets:8}{ns:10.0}{rate:12.0}{octet_rate:9.0}");
}

fn fastest(mut round: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// Processor time of this process, so that what else runs on the machine does not count.
fn now() -> Duration {
    let at = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(at.tv_sec.unsigned_abs(), at.tv_nsec.unsigned_abs() as u32)
}

/// Of one call, averaged over [`SPAN`].
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let begin = now();
    let mut calls = 0u32;
    loop {
        for _ in 0..64 {
            black_box(call());
        }
        calls += 64;
        let spent = now().saturating_sub(begin);
        if spent >= SPAN {
            return spent.as_nanos() as f64 / f64::from(calls);
        }
    }
}

/// For each message the nanoseconds that libwbxml takes and that we take, in turns.
fn libwbxml(samples: &[Sample]) -> Result<Vec<(f64, f64)>, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = build(directory.path())?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let span = SPAN.as_millis().to_string();
    let mut best = vec![(f64::INFINITY, f64::INFINITY); samples.len()];
    for _ in 0..PEER_ROUNDS {
        for (at, sample) in samples.iter().enumerate() {
            let path = directory.path().join("message.wbxml");
            std::fs::write(&path, &sample.wbxml).map_err(|error| error.to_string())?;
            let theirs = number(Command::new(&program).arg(&span).arg(&path))?;
            let ours = number(Command::new(&this).arg(DECODE).arg(&path))?;
            best[at] = (best[at].0.min(theirs), best[at].1.min(ours));
        }
    }
    Ok(best)
}

/// Builds `peers/libwbxml_parse.c` against the library of the system.
fn build(directory: &Path) -> Result<std::path::PathBuf, String> {
    let flags = output(Command::new("pkg-config").args(["--cflags", "--libs", "libwbxml2"]))
        .map_err(|error| format!("{error} (apt-get install libwbxml2-dev pkg-config)"))?;
    let program = directory.join("libwbxml_parse");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/libwbxml_parse.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(&program).arg(source);
    output(compiler.args(flags.split_whitespace()))?;
    Ok(program)
}

/// The number that a program prints.
fn number(command: &mut Command) -> Result<f64, String> {
    let printed = output(command)?;
    let printed = printed.trim().parse();
    printed.map_err(|_| "it printed no number".to_owned())
}

/// What a program prints, or why it did not.
fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "{name}: {}",
            said.lines().next().unwrap_or("failed")
        ))
    }
}
