//! Steps: run one after the other, timed, summed up at the end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// What a run is made of.
pub struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    Run(Invocation),
    Call(fn() -> Result<(), String>),
}

/// A program with its arguments; always run at the root of the workspace.
pub struct Invocation {
    program: OsString,
    arguments: Vec<&'static str>,
    environment: Vec<(&'static str, &'static str)>,
}

/// The cargo that runs this program, with these arguments.
pub fn cargo(arguments: &[&'static str]) -> Invocation {
    Invocation {
        program: cargo_program(),
        arguments: arguments.to_vec(),
        environment: Vec::new(),
    }
}

/// The cargo that runs this program.
pub fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Invocation {
    /// Appends arguments.
    pub fn args(mut self, more: &[&'static str]) -> Self {
        self.arguments.extend(more);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn run(&self) -> Result<(), String> {
        let status = Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(root())
            .status()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`cargo {}`: {status}", self.arguments.join(" ")))
        }
    }
}

impl Step {
    /// A step that runs a program.
    pub fn run(name: &'static str, invocation: Invocation) -> Self {
        Self {
            name,
            action: Action::Run(invocation),
        }
    }

    /// A step that calls a function.
    pub fn call(name: &'static str, function: fn() -> Result<(), String>) -> Self {
        Self {
            name,
            action: Action::Call(function),
        }
    }
}

/// A run of steps.
pub struct Run;

impl Run {
    /// Runs the steps up to the first that fails and prints what each took.
    pub fn of(steps: &[Step]) -> ExitCode {
        let mut taken = Vec::new();
        let mut failure = None;
        for (index, step) in steps.iter().enumerate() {
            println!("\n── {}/{} {}", index + 1, steps.len(), step.name);
            let start = Instant::now();
            let outcome = match &step.action {
                Action::Run(invocation) => invocation.run(),
                Action::Call(function) => function(),
            };
            taken.push((step.name, start.elapsed()));
            if let Err(reason) = outcome {
                failure = Some(reason);
                break;
            }
        }
        summary(&taken, steps.len(), failure.as_deref())
    }
}

fn summary(taken: &[(&str, Duration)], steps: usize, failure: Option<&str>) -> ExitCode {
    println!("\n── summary");
    for (index, (name, time)) in taken.iter().enumerate() {
        let verdict = match failure {
            Some(_) if index + 1 == taken.len() => "FAILED",
            _ => "ok",
        };
        println!("  {verdict:<6} {:>7.1} s  {name}", time.as_secs_f64());
    }
    let total: Duration = taken.iter().map(|(_, time)| *time).sum();
    println!("         {:>7.1} s  in all", total.as_secs_f64());
    match failure {
        None => {
            println!("All {steps} steps passed.");
            ExitCode::SUCCESS
        }
        Some(reason) => {
            let left = steps - taken.len();
            println!("{reason}");
            if left > 0 {
                println!("{left} steps were not run.");
            }
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
