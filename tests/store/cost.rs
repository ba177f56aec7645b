//! What a commit and a start cost: measured on demand, never asserted.
//!
//! `cargo test --release --test zea-tests store::cost -- --ignored --nocapture`; the folder is in `TMPDIR`.

use std::time::Instant;

use zea::store::{Batch, Redb, Store};

use super::put;

/// Decisions that each measurement commits, on top of those before it.
const DECISIONS: usize = 5000;
/// A definition of one volume and three places, about.
const BODY_BYTES: usize = 2500;

fn measure(store: &Redb, group: usize) {
    let body = format!("\"{}\"", "x".repeat(BODY_BYTES));
    let mut micros = Vec::new();
    let start = Instant::now();
    for first in (0..DECISIONS).step_by(group) {
        let batches: Vec<Batch> = (first..first + group).map(|n| vec![put(&format!("{group}-{n:x}"), &body)]).collect();
        let begun = Instant::now();
        store.commit(&batches).unwrap();
        micros.push(begun.elapsed().as_micros());
    }
    let a_second = DECISIONS as f64 / start.elapsed().as_secs_f64();
    micros.sort_unstable();
    let (median, p99) = (micros[micros.len() / 2], micros[micros.len() * 99 / 100]);
    println!("{group:3} decisions a commit: {a_second:6.0} decisions/s, a commit p50 {median} us, p99 {p99} us");
}

#[test]
#[ignore = "a measurement, not a test"]
fn commits_and_starts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Redb::open(folder.path()).unwrap();
    store.load().unwrap();
    [1, 4, 20].into_iter().for_each(|group| measure(&store, group));
    drop(store);
    let start = Instant::now();
    let store = Redb::open(folder.path()).unwrap();
    let opened = start.elapsed();
    let records = store.load().unwrap().records.len();
    println!("open {opened:?}, then load of {records} records {:?}", start.elapsed() - opened);
}
