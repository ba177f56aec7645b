//! Pools and facts of a real node.

use zea::model::kinds::{LayerKind, ProviderKind};
use zea::model::size::Kib;

use super::rig::{Ground, Rig, pool_name};

#[tokio::test]
async fn capacity_is_the_file_systems() {
    let Some(rig) = Rig::new(Ground::Reflink).await else { return };
    let report = rig.node.capacities(vec![pool_name()]).await.remove(0);
    let room = report.capacity.expect("healthy");
    assert!(room.total > Kib(400 << 10) && room.total < Kib(512 << 10), "{room:?}");
    assert!(room.free < room.total && report.supports_snapshots);
}

#[tokio::test]
async fn facts_name_what_works_and_why_not() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let facts = rig.node.facts("1.0").await;
    assert!(facts.providers.contains(&ProviderKind::FileThin), "{facts:?}");
    assert_eq!(facts.layers, [LayerKind::Storage]);
    assert!(facts.unsupported_providers.iter().all(|(_, reasons)| !reasons.is_empty()));
    assert!(facts.tools.iter().any(|tool| tool.name == "LOSETUP" && tool.reasons.is_empty()));
    assert!(rig.node.command_counts().is_empty());
}
