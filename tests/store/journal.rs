//! The journal, proven at every crash point: whatever write is the last that happens, a load gives all of a decision
//! or nothing of it, and everything that was acknowledged.

use zea::store::{Batch, Crash, Journaled, MemoryObjects, Schema, SharedAreas, Store, StoreError};

use super::{Content, content, delete, of, put};

/// More crash points than any of the commits below has writes.
const POINTS: u32 = 24;

fn batches() -> Vec<Batch> {
    vec![
        vec![put("a", "2"), put("b", "2"), delete("c"), put("d", "2")],
        vec![put("a", "3")],
        vec![],
        vec![delete("b"), put("c", "3"), put("a", "4")],
    ]
}

/// What the store may hold after each prefix of the batches.
fn stages() -> Vec<Content> {
    vec![
        of(&[("a", "1"), ("b", "1"), ("c", "1")]),
        of(&[("a", "2"), ("b", "2"), ("d", "2")]),
        of(&[("a", "3"), ("b", "2"), ("d", "2")]),
        of(&[("a", "4"), ("c", "3"), ("d", "2")]),
    ]
}

fn prepared() -> SharedAreas {
    let areas = SharedAreas::default();
    let store = over(&areas, None);
    store.load().unwrap();
    store.commit(&[vec![put("a", "1"), put("b", "1"), put("c", "1")]]).unwrap();
    areas
}

fn over(areas: &SharedAreas, crash: Option<Crash>) -> Journaled<MemoryObjects> {
    Journaled::new(MemoryObjects::over(areas.clone(), crash), Schema::default())
}

fn crash_points() -> impl Iterator<Item = Crash> {
    (0..POINTS).flat_map(|n| [Crash::Before(n), Crash::After(n)])
}

#[test]
fn a_crash_at_any_point_leaves_whole_decisions() {
    let mut seen = std::collections::BTreeSet::new();
    for crash in crash_points() {
        let areas = prepared();
        let store = over(&areas, Some(crash));
        store.load().unwrap();
        let acknowledged = store.commit(&batches()).is_ok();
        let content = content(&over(&areas, None));
        let stage = stages().iter().position(|stage| *stage == content);
        let stage = stage.unwrap_or_else(|| panic!("half a decision after {crash:?}: {content:?}"));
        assert!(!acknowledged || stage == 3, "{crash:?} lost what was acknowledged");
        assert!(areas.lock().journal.is_empty(), "{crash:?} left a journal");
        seen.insert((stage, acknowledged));
    }
    assert_eq!(seen.len(), 5, "every stage was met, the last one acknowledged and not: {seen:?}");
}

#[test]
fn a_crash_during_the_replay_is_mended_by_the_next() {
    for first in crash_points() {
        for second in crash_points() {
            let areas = prepared();
            let store = over(&areas, Some(first));
            store.load().unwrap();
            let _ = store.commit(&batches());
            let _ = over(&areas, Some(second)).load();
            let content = content(&over(&areas, None));
            assert!(stages().contains(&content), "half a decision after {first:?}, {second:?}: {content:?}");
        }
    }
}

#[test]
fn a_replay_is_counted_and_only_where_one_is_due() {
    let replayed = |crash| {
        let areas = prepared();
        let store = over(&areas, Some(crash));
        store.load().unwrap();
        store.commit(&[vec![put("a", "2"), put("b", "2")]]).ok();
        let peeked = over(&areas, None).peek().unwrap();
        let loaded = over(&areas, None).load().unwrap();
        assert_eq!(peeked, loaded, "peek foretells the replay");
        loaded.replayed_journals
    };
    let points = [0, 1, 2, 3, 4].map(|n| replayed(Crash::Before(n)));
    assert_eq!(points, [0, 1, 1, 1, 0], "journal, a, b, journal gone");
}

#[test]
fn a_failed_commit_refuses_the_next_until_a_load() {
    let areas = prepared();
    let store = over(&areas, Some(Crash::Before(2)));
    store.load().unwrap();
    let failure = store.commit(&[vec![put("a", "2"), put("b", "2")]]).unwrap_err();
    assert!(matches!(failure, StoreError::Unreachable { .. }), "{failure}");
    assert!(matches!(store.commit(&[vec![put("a", "9")]]), Err(StoreError::NotLoaded)));
    let next = over(&areas, None);
    assert_eq!(content(&next), of(&[("a", "2"), ("b", "2"), ("c", "1")]));
    next.commit(&[vec![put("a", "3")]]).unwrap();
    assert_eq!(content(&next)["a"], "3", "no old journal comes over a later write");
}

#[test]
fn a_damaged_journal_is_quarantined_and_the_records_load() {
    let areas = prepared();
    let store = over(&areas, Some(Crash::Before(2)));
    store.load().unwrap();
    store.commit(&[vec![put("a", "2"), put("b", "2")]]).unwrap_err();
    areas.lock().journal.values_mut().for_each(|value| value[5] ^= 1);
    let loaded = over(&areas, None).load().unwrap();
    assert_eq!((loaded.records.len(), loaded.replayed_journals), (3, 0));
    assert!(loaded.quarantined[0].key.starts_with("journal/0"), "{:?}", loaded.quarantined);
    assert!(loaded.quarantined[0].reason.contains("half done"));
}
