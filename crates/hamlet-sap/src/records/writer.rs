//! The task that writes records.

use super::Writing;
use super::record::Record;
use crate::Sap;
use crate::journal::Journal;
use hamlet_model::Timestamp;
use std::io;
use std::sync::Arc;

/// Records that are taken from the queue at a time.
const BATCH: usize = 512;

/// Writes what comes until the server stops, and then what is still there.
pub(crate) async fn write(sap: Arc<Sap>, writing: Writing) {
    let Writing {
        mut queue,
        mut journal,
    } = writing;
    let mut stopping = sap.stopping();
    let sap = Arc::downgrade(&sap);
    let mut failing = false;
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        let count = tokio::select! {
            count = queue.recv_many(&mut batch, BATCH) => count,
            _ = stopping.wait_for(|stop| *stop), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        if count == 0 {
            return;
        }
        let work = tokio::task::spawn_blocking(move || {
            let outcome = append(&mut journal, &batch);
            (journal, outcome)
        });
        let Ok((back, outcome)) = work.await else {
            tracing::error!("the writer of call-detail records broke off");
            return;
        };
        journal = back;
        let Some(sap) = sap.upgrade() else { return };
        let written = match outcome {
            Ok(()) => count,
            Err((written, error)) => {
                let lost = (count - written) as u64;
                sap.hub.records.metrics.records_lost.inc_by(lost);
                if !failing {
                    tracing::error!(%error, "call-detail records are lost: they cannot be written");
                }
                written
            }
        };
        failing = written < count;
        if written > 0 {
            sap.hub.records.written(written);
        }
    }
}

/// After an error, how many were written before it.
fn append(journal: &mut Journal, batch: &[Record]) -> Result<(), (usize, io::Error)> {
    let now = Timestamp::now();
    for (done, record) in batch.iter().enumerate() {
        // Texts and numbers always make JSON.
        let mut line = serde_json::to_vec(record).unwrap_or_default();
        line.push(b'\n');
        journal.append(&line, now).map_err(|error| (done, error))?;
    }
    Ok(())
}
