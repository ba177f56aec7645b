//! Records as an import may bring them: lines `kind/NAME JSON`. What is understood is written again as the same and under
//! the same key, and a cluster that holds it can be looked at and decided about, whatever its numbers are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::actors::controller::records::{batch_of, change_of};
use zea::model::cluster::Cluster;
use zea::model::decide::{decide, node_went_away};
use zea::protocols::rest::command::Order;
use zea::store::{Record, RecordKey, RecordKind, Write};
use zea_fuzz::cluster;

/// Most that records of 2 KiB may make the program hold.
const MAX_BYTES: usize = 32 << 20;

/// What is asked of every cluster.
const REQUESTS: [&str; 6] = [
    "POST /v1/resource-definitions/web/autoplace\n{\"select_filter\":{\"place_count\":3}}",
    "PUT /v1/resource-definitions/web/volume-definitions/0\n{\"size_kib\":131072}",
    "POST /v1/resource-definitions/web/snapshots\n{\"name\":\"one\"}",
    "POST /v1/resource-groups/fast/spawn\n{\"resource_definition_name\":\"new\",\"volume_sizes\":[4096]}",
    "DELETE /v1/resource-definitions/web/snapshots/one",
    "PUT /v1/nodes/alpha/evacuate\n",
];

fn take(view: &mut Cluster, line: &str) {
    let Some((key, body)) = line.split_once(' ') else { return };
    let Some((kind, name)) = key.split_once('/') else { return };
    let Some(kind) = RecordKind::from_name(kind) else { return };
    let record = Record::new(RecordKey::new(kind, name), body);
    let Ok(Some(change)) = change_of(&record) else { return };
    let batch = batch_of(std::slice::from_ref(&change)).expect("what was read can be written");
    let [Write::Put(written)] = batch.as_slice() else { panic!("one record is one write") };
    assert_eq!(written.key, record.key, "under another key it would stand there twice");
    assert_eq!(change_of(written).expect("what was written can be read"), Some(change.clone()));
    view.apply(&change);
}

fn work_with(view: &mut Cluster) {
    cluster::look_at(view);
    for name in view.nodes.keys().cloned().collect::<Vec<_>>() {
        let _ = node_went_away(view, &name, cluster::moment(0));
    }
    for (number, request) in (100..).zip(REQUESTS) {
        let Some((_, Ok(Order::Command(command, _)))) = cluster::order(view, request) else { panic!("{request}") };
        if let Ok(decision) = decide(view, &command, cluster::moment(number)) {
            decision.changes.iter().for_each(|change| view.apply(change));
        }
    }
    cluster::look_at(view);
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let mut view = cluster::small();
    zea_fuzz::memory::within(MAX_BYTES, || {
        text.lines().for_each(|line| take(&mut view, line));
        work_with(&mut view);
    });
});
