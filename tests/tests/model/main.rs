//! The server against a small reference: thousands of steps that dice choose, compared after
//! each (csp-im 5, 6, 8, 9, 10). No message is lost, none comes again to a client that has
//! acknowledged it, each sender's come in order, reports come once, and the mailboxes of the
//! store hold what the reference holds. A second, smaller reference is of groups: whoever has
//! joined gets each message once, in one order (csp-group 6).
//!
//! Among the other tests these are some fixed seeds. `HAMLET_MODEL_SECONDS=600` has each test
//! try seed after seed for so long, from a number that the clock gives; `HAMLET_MODEL_SEED=N`
//! begins with this one. A seed that fails is told with the shortest part of its steps that
//! fails, too.

mod deliver;
mod driver;
mod exchange;
mod groups;
mod host;
mod phone;
mod reference;
mod send;
mod shrink;
mod steps;
mod waiting;

use crate::driver::Driver;
use crate::groups::Groups;
use crate::host::Place;
use hamlet_tests::cluster::Cluster;
use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a failing run is made shorter.
const SHRINKING: Duration = Duration::from_secs(60);

/// How long a run may take.
const DEADLINE: Duration = Duration::from_secs(300);

/// A server and the reference that it is compared with.
pub(crate) trait Run: Sized + Send + 'static {
    type Step: Debug + Clone + Send + Sync + 'static;

    /// So many steps that dice choose.
    fn steps(seed: u64, count: usize) -> Vec<Self::Step>;

    /// A server with its users, and their clients, none of which has a session.
    fn start(place: Place, store: Option<&str>, seed: u64) -> impl Future<Output = Self> + Send;

    /// Carries out one step and compares.
    fn step(&mut self, step: &Self::Step) -> impl Future<Output = Result<(), String>> + Send;

    /// Ends the server.
    fn stop(self) -> impl Future<Output = ()> + Send;
}

/// Where a run takes place.
#[derive(Clone, Copy)]
struct Scene {
    place: Place,
    cluster: Option<&'static Cluster>,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_as_the_reference_on_sqlite() {
    let scene = Scene {
        place: Place::Here,
        cluster: None,
    };
    try_seeds::<Driver>(scene, &[1, 2, 3], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_as_the_reference_on_postgresql() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let scene = Scene {
        place: Place::Here,
        cluster: Some(cluster),
    };
    try_seeds::<Driver>(scene, &[4, 5, 6], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_does_as_the_reference_on_sqlite() {
    let scene = Scene {
        place: Place::Apart,
        cluster: None,
    };
    try_seeds::<Driver>(scene, &[7, 8], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_does_as_the_reference_on_postgresql() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let scene = Scene {
        place: Place::Apart,
        cluster: Some(cluster),
    };
    try_seeds::<Driver>(scene, &[9, 10], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_do_as_the_reference_on_sqlite() {
    let scene = Scene {
        place: Place::Here,
        cluster: None,
    };
    try_seeds::<Groups>(scene, &[1, 2, 3], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_do_as_the_reference_on_postgresql() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let scene = Scene {
        place: Place::Here,
        cluster: Some(cluster),
    };
    try_seeds::<Groups>(scene, &[4, 5], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_a_killed_server_do_as_the_reference_on_sqlite() {
    let scene = Scene {
        place: Place::Apart,
        cluster: None,
    };
    try_seeds::<Groups>(scene, &[6, 7], 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_a_killed_server_do_as_the_reference_on_postgresql() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let scene = Scene {
        place: Place::Apart,
        cluster: Some(cluster),
    };
    try_seeds::<Groups>(scene, &[8], 500).await;
}

/// Runs of so many steps each.
async fn try_seeds<R: Run>(scene: Scene, fixed: &[u64], count: usize) {
    let number = |name: &str| -> Option<u64> {
        let value = std::env::var(name).ok()?;
        Some(value.parse().expect("a number"))
    };
    let (seconds, first) = (number("HAMLET_MODEL_SECONDS"), number("HAMLET_MODEL_SEED"));
    let begun = Instant::now();
    match (seconds, first) {
        (None, None) => {
            for seed in fixed {
                try_seed::<R>(scene, *seed, count).await;
            }
        }
        (None, Some(seed)) => try_seed::<R>(scene, seed, count).await,
        (Some(seconds), first) => {
            let clock = SystemTime::now().duration_since(UNIX_EPOCH);
            let first = first.unwrap_or_else(|| clock.map_or(0, |since| since.as_secs()));
            let mut runs = 0;
            while begun.elapsed() < Duration::from_secs(seconds) {
                try_seed::<R>(scene, first + runs, count).await;
                runs += 1;
            }
            eprintln!("{runs} seeds of {count} steps without a difference");
        }
    }
}

async fn try_seed<R: Run>(scene: Scene, seed: u64, count: usize) {
    eprintln!("seed {seed}");
    let steps = R::steps(seed, count);
    let Some((at, failure)) = run::<R>(scene, seed, &steps).await else {
        return;
    };
    eprintln!("step {at} of seed {seed}: {failure}");
    let deadline = Instant::now() + SHRINKING;
    let fails = async |steps: &[R::Step]| {
        let failed = run::<R>(scene, seed, steps).await;
        failed.map(|(_, failure)| failure)
    };
    let failing = steps[..=at].to_vec();
    let (shortest, failure) = shrink::shrink(failing, failure, deadline, fails).await;
    let shortest: String = shortest
        .iter()
        .map(|step| format!("\n    {step:?},"))
        .collect();
    panic!("seed {seed}: {failure}\nthe steps:{shortest}");
}

/// One run on a server of its own: the first step that fails, and how.
async fn run<R: Run>(scene: Scene, seed: u64, steps: &[R::Step]) -> Option<(usize, String)> {
    let database = match scene.cluster {
        Some(cluster) => {
            let made = tokio::task::spawn_blocking(|| cluster.database());
            Some(made.await.expect("a database"))
        }
        None => None,
    };
    let mut driver = R::start(scene.place, database.as_deref(), seed).await;
    let mut at = 0;
    let all = steps.to_vec();
    let (said, mut heard) = tokio::sync::watch::channel(0);
    let task = tokio::spawn(async move {
        for (number, step) in all.iter().enumerate() {
            said.send_replace(number);
            driver.step(step).await?;
        }
        driver.stop().await;
        Ok::<(), String>(())
    });
    let abort = task.abort_handle();
    let outcome = tokio::time::timeout(DEADLINE, task).await;
    at = at.max(*heard.borrow_and_update());
    let failure = match outcome {
        Ok(Ok(Ok(()))) => return None,
        Ok(Ok(Err(difference))) => difference,
        // What the readers of the tests do not stand.
        Ok(Err(panic)) => panic.to_string(),
        Err(_) => {
            abort.abort();
            "it takes too long".to_owned()
        }
    };
    Some((at, failure))
}
