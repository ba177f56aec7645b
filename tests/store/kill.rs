//! kill -9 at random moments: everything that was acknowledged is there, and no decision is half there.
//!
//! The child is this test binary, started again for the test `child` alone with the folder in its environment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use zea::store::{Batch, Frozen, Record, RecordKey, RecordKind, Redb, Store, Write};

const FOLDER: &str = "ZEA_STORE_KILL_FOLDER";
const SEED: &str = "ZEA_STORE_KILL_SEED";
const SEEDS: [u64; 10] = [11, 23, 37, 41, 53, 67, 79, 83, 97, 101];

/// Decisions go round these slots; each writes three records of its slot, or deletes two and changes one.
const SLOTS: u64 = 40;
/// A decision whose number this divides deletes. No divisor of SLOTS, so that every slot has its turn.
const DELETES: u64 = 7;
const KINDS: [RecordKind; 2] = [RecordKind::ResourceDefinition, RecordKind::Snapshot];

fn decision(number: u64) -> Batch {
    let slot = format!("slot-{}", number % SLOTS);
    let body = format!("{{\"number\":{number},\"pad\":\"{}\"}}", "x".repeat((number % 13 * 300) as usize));
    let put = |kind| Write::Put(Record::new(RecordKey::new(kind, slot.clone()), body.clone()));
    let twin = |kind| {
        if number.is_multiple_of(DELETES) { Write::Delete(RecordKey::new(kind, slot.clone())) } else { put(kind) }
    };
    let [first, last] = KINDS;
    vec![twin(first), put(RecordKind::Node), twin(last)]
}

/// Number of the last decision of each slot, after proof that none is half there.
fn slots(store: &dyn Store) -> BTreeMap<u64, u64> {
    let mut numbers: BTreeMap<u64, BTreeMap<RecordKind, u64>> = BTreeMap::new();
    let loaded = store.peek().expect("the file is sound");
    assert!(loaded.quarantined.is_empty(), "{:?}", loaded.quarantined);
    for record in loaded.records {
        let body: serde_json::Value = serde_json::from_slice(&record.body).unwrap();
        let slot = record.key.name.strip_prefix("slot-").unwrap().parse().unwrap();
        numbers.entry(slot).or_default().insert(record.key.kind, body["number"].as_u64().unwrap());
    }
    let whole = |(slot, kinds): (u64, BTreeMap<RecordKind, u64>)| {
        let number = *kinds.get(&RecordKind::Node).expect("the record that is never deleted");
        let twins: Vec<_> = KINDS.iter().filter_map(|kind| kinds.get(kind)).collect();
        let expected = if number.is_multiple_of(DELETES) { vec![] } else { vec![&number; 2] };
        assert_eq!(twins, expected, "decision {number} is half there");
        (slot, number)
    };
    numbers.into_iter().map(whole).collect()
}

#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let store = Redb::open(Path::new(&folder)).unwrap();
    store.load().unwrap();
    let mut next = slots(&store).into_values().max().unwrap_or(0) + 1;
    loop {
        let last = next + random.u64(0..5);
        let batches: Vec<_> = (next..=last).map(decision).collect();
        store.commit(&batches).unwrap();
        let mut out = std::io::stderr().lock();
        writeln!(out, "acknowledged {last}").unwrap();
        next = last + 1;
    }
}

/// Runs the child until it is killed; gives the last number that it acknowledged.
fn run_and_kill(folder: &Path, seed: u64) -> Option<u64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::kill::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The kill may cut the last line off anywhere: what is left of a number is never above it.
    let acknowledged = |line: String| line.strip_prefix("acknowledged ").and_then(|n| n.parse::<u64>().ok());
    // Some of the kills hit the opening of the file, the others the commits after the first.
    let mut last = if random.u8(..4) == 0 { None } else { lines.next().and_then(Result::ok).and_then(acknowledged) };
    std::thread::sleep(Duration::from_micros(random.u64(0..40_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        let line = line.unwrap();
        assert!(!line.contains("panicked"), "seed {seed}: {line}");
        last = acknowledged(line).max(last);
    }
    last
}

#[test]
fn kill_9_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    let mut progressed = 0;
    for seed in SEEDS {
        let last = run_and_kill(folder.path(), seed);
        progressed += u32::from(last.is_some());
        acknowledged = last.unwrap_or(acknowledged);
        if acknowledged == 0 {
            continue;
        }
        // Once as it lies there, once after the engine repaired it.
        let lying = slots(&Frozen::read(folder.path()).unwrap());
        let store = Redb::open(folder.path()).unwrap();
        store.load().unwrap();
        assert_eq!(slots(&store), lying, "seed {seed}: looking and opening differ");
        for number in acknowledged.saturating_sub(SLOTS - 1).max(1)..=acknowledged {
            let there = lying.get(&(number % SLOTS)).copied();
            assert!(there >= Some(number), "seed {seed}: {number} of {acknowledged} is lost, found {there:?}");
        }
    }
    let kills = SEEDS.len();
    let figures = format!("{kills} kills, seeds {SEEDS:?}, {acknowledged} decisions acknowledged");
    crate::rigs::series("kill -9 of a store while it commits", figures);
    assert!(progressed >= 5, "only {progressed} children came to commit");
}
