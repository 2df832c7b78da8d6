//! The server and a bare HTTP server in turn, and the ratio of the two from one run.

use super::bare::Bare;
use super::pair::Pair;
use super::peer::{Heard, Kind};
use super::tally::Tally;
use super::{Mode, Stop, measure};
use crate::cli::Bench;
use crate::failure::Failure;
use crate::output::line;
use hamlet_client::Version;

/// Measures both, in rounds, a chat and then empty polls, and prints the ratios.
pub async fn run(pairs: &mut Vec<Pair>, options: &Bench, version: Version) -> Result<(), Failure> {
    let recorded = match pairs.first_mut() {
        Some(pair) => record(pair).await?,
        None => return Err(Failure::said("no pairs, no load")),
    };
    let bare = Bare::start(recorded).await?;
    let outcome = compare(pairs, options, &bare, version).await;
    bare.stop().await;
    outcome
}

async fn compare(
    pairs: &mut Vec<Pair>,
    options: &Bench,
    bare: &Bare,
    version: Version,
) -> Result<(), Failure> {
    let mut aside = Vec::new();
    for pair in pairs.iter_mut() {
        let (sender, receiver) = pair.peers();
        let timeout = options.patience;
        let peers = sender
            .aside(&bare.url, version, timeout)
            .zip(receiver.aside(&bare.url, version, timeout));
        let (sender, receiver) =
            peers.ok_or_else(|| Failure::said("the bare server has a strange address"))?;
        aside.push(pair.aside(sender, receiver));
    }
    let rounds = options.rounds.max(1);
    let span = options.seconds / rounds;
    let mut results = Vec::new();
    for mode in [Mode::Chat, Mode::Polls] {
        let (mut real, mut base) = (Tally::new(), Tally::new());
        for _ in 0..rounds {
            real.add(&measure(pairs, mode, Stop::new(span, None)).await?);
            base.add(&measure(&mut aside, mode, Stop::new(span, None)).await?);
        }
        results.push((mode, real, base));
    }
    print(&results, options.json)?;
    results
        .iter()
        .try_for_each(|(mode, real, base)| real.verdict(*mode).and_then(|()| base.verdict(*mode)))
}

/// One message through the server, to keep what it answers.
async fn record(pair: &mut Pair) -> Result<[Vec<u8>; 4], Failure> {
    let text = pair.text(0);
    let (sender, receiver) = pair.peers();
    let id = sender.new_id();
    let trouble = |error| Failure::said(format!("while recording: {error}"));
    let sent = sender.send(&id, &text).await.map_err(trouble)?;
    if !matches!(sent, Heard::Result(200, _)) {
        return Err(Failure::said(format!("while recording: {sent:?}")));
    }
    let send = sender.newest_body().to_vec();
    let (transaction, id) = loop {
        match receiver.poll(Kind::Poll).await.map_err(trouble)? {
            Heard::Message {
                transaction, id, ..
            } => break (transaction, id),
            Heard::Nothing => tokio::task::yield_now().await,
            other => return Err(Failure::said(format!("while recording: {other:?}"))),
        }
    };
    let poll = receiver.newest_body().to_vec();
    receiver
        .delivered(&transaction, &id)
        .await
        .map_err(trouble)?;
    let acknowledged = receiver.newest_body().to_vec();
    receiver.poll(Kind::EmptyPoll).await.map_err(trouble)?;
    let empty = receiver.newest_body().to_vec();
    Ok([send, poll, acknowledged, empty])
}

fn print(results: &[(Mode, Tally, Tally)], json: bool) -> Result<(), Failure> {
    if json {
        let object: serde_json::Map<String, serde_json::Value> = results
            .iter()
            .map(|(mode, real, base)| {
                let name = match mode {
                    Mode::Chat => "chat",
                    Mode::Polls => "polls",
                };
                let value = serde_json::json!({
                    "server": real.json(*mode),
                    "bare": base.json(*mode),
                    "ratio": ratio(real, base),
                });
                (name.to_owned(), value)
            })
            .collect();
        return Ok(line(serde_json::Value::from(object))?);
    }
    for (mode, real, base) in results {
        let title = match mode {
            Mode::Chat => "chat: send, poll with the message, acknowledge",
            Mode::Polls => "polls with nothing to fetch",
        };
        line(format!("{title}\n\n{}\n", real.text(*mode)))?;
        line(format!(
            "bare server   {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms\nratio         {:.3}\n",
            base.requests_per_second(),
            base.latency_ms(0.5),
            base.latency_ms(0.99),
            ratio(real, base)
        ))?;
    }
    Ok(())
}

/// The server's share of what HTTP alone can do.
fn ratio(real: &Tally, base: &Tally) -> f64 {
    real.requests_per_second() / base.requests_per_second().max(f64::MIN_POSITIVE)
}
