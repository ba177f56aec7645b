//! What becomes of the orders to a node that is away.

use std::sync::Arc;

use super::{Rig, TWO_REPLICAS, records};
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::kinds::{ConnectionStatus, SnapshotFlags};
use crate::model::testkit::{cluster, node};

/// A snapshot is taken now or not at all: also when nobody saw its node go, because the controller ended meanwhile.
#[test]
fn a_snapshot_that_was_waited_for_before_a_restart_has_failed() {
    for (last, fails) in [(ConnectionStatus::Offline, true), (ConnectionStatus::Connected, false)] {
        let mut before = cluster(&format!("grp DfltRscGrp\n{TWO_REPLICAS}\nsnap web one alpha/data beta/data"));
        let (key, taken) = before.snapshots.iter().next().map(|(key, one)| (key.clone(), one.clone())).expect("one");
        let mut waiting = (*taken).clone();
        waiting.flags = SnapshotFlags::NONE;
        waiting.nodes.get_mut(&node("beta")).expect("it has a part").taken = false;
        before.apply(&Change::Snapshot(key.clone(), Some(Arc::new(waiting))));
        let mut rig = Rig::fresh();
        rig.load(records(&before), &Cluster::default());
        rig.committed();
        rig.status("beta", last);
        let failed = rig.writer.head().snapshots[&key].flags.has(SnapshotFlags::FAILED_DISCONNECT);
        assert_eq!(failed, fails, "{last:?}");
    }
}
