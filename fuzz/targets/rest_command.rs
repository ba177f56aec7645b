//! Whole requests, one after the other, with blank lines between: translated, decided on a small cluster, committed as
//! records, carried out by its nodes. Every record gives its change back, a store loaded anew gives the same cluster, every answer is JSON of its
//! shape, and a refusal says something.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::actors::controller::records::change_of;
use zea::model::cluster::Cluster;
use zea::model::decide::decide;
use zea::protocols::rest::command::{Order, Untranslated, unreadable_status};
use zea::protocols::rest::render::entries::{Context, entries_of};
use zea::store::{Memory, Store};
use zea_fuzz::cluster;

/// Most requests of one input: each looks at the whole cluster.
const MAX_REQUESTS: usize = 8;

/// Most that an input of 4 KiB may make the program hold: the largest expression of a filter takes some MiB.
const MAX_BYTES: usize = 96 << 20;

fn answer(route: &'static zea::protocols::rest::routes::Route, notes: &[zea::model::refusal::Note]) {
    for entry in entries_of(Context::of(route), notes, cluster::DATE) {
        assert!(!entry.message.is_empty(), "{}: an entry says something", route.operation);
        zea_fuzz::prints_the_same(&entry);
    }
}

fn carry_out(view: &mut Cluster, store: &Memory, request: &str, number: u64) {
    let Some((route, order)) = cluster::order(view, request) else { return };
    match order {
        Err(Untranslated::Body(error)) => {
            assert!(!error.to_string().is_empty() && unreadable_status(route.operation) >= 400);
        }
        Err(Untranslated::Refused(refusal)) => answer(route, std::slice::from_ref(&*refusal.note)),
        Ok(Order::Command(command, _)) => match decide(view, &command, cluster::moment(number)) {
            Err(refusal) => answer(route, std::slice::from_ref(&*refusal.note)),
            Ok(decision) => {
                cluster::commit(view, store, &decision.changes);
                answer(route, &decision.notes);
                cluster::obey(view, Some(store), cluster::moment(number));
                cluster::look_at(view);
            }
        },
        Ok(_) => {}
    }
}

/// The durable part of the cluster is what the store's records make of the one before.
fn is_what_the_store_holds(view: &Cluster, store: &Memory) {
    let mut again = cluster::small();
    for record in store.load().expect("it loads").records {
        let change = change_of(&record).expect("its records can be read").expect("and are the model's");
        again.apply(&change);
    }
    assert!(view.definitions.iter().all(|(name, record)| again.definitions.get(name) == Some(record)));
    assert!(view.nodes.iter().all(|(name, record)| again.nodes.get(name) == Some(record)));
    assert!(view.groups.iter().all(|(name, record)| again.groups.get(name) == Some(record)));
    assert!(view.snapshots.iter().all(|(key, record)| again.snapshots.get(key) == Some(record)));
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let mut view = cluster::small();
    zea_fuzz::memory::within(MAX_BYTES, || {
        let store = Memory::new();
        store.load().expect("an empty store loads");
        for (number, request) in (100..).zip(text.split("\n\n").take(MAX_REQUESTS)) {
            carry_out(&mut view, &store, request, number);
        }
        is_what_the_store_holds(&view, &store);
    });
});
