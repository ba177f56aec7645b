//! Every rule of a plan as a row of a table: what is desired, what was found, which steps follow.

use std::collections::BTreeMap;

use super::*;
use crate::model::desired::{DesiredSnapshot, DesiredVolume, FileSystem, Origin, Rollback, SnapshotSource};
use crate::model::kinds::{LayerKind, ProviderKind};
use crate::model::moment::Uuid;
use crate::model::names::{PoolName, RscName, SnapName, VolumeNumber};
use crate::model::report::Problem;
use crate::model::size::Kib;

pub(super) fn nr(number: u32) -> VolumeNumber {
    VolumeNumber::new(number).expect("legal")
}

pub(super) fn snap(name: &str) -> SnapName {
    SnapName::parse(name).expect("legal")
}

pub(super) fn volume(number: u32, order: Order) -> DesiredVolume {
    DesiredVolume {
        number: nr(number),
        pool: PoolName::parse("pool").expect("legal"),
        provider: ProviderKind::FileThin,
        size: Kib(1000),
        order,
        origin: Origin::Blank,
        file_system: None,
        options: BTreeMap::new(),
        made: order == Order::Keep,
        shrink: false,
        minor: None,
        override_id: None,
        luks: None,
    }
}

pub(super) fn desired(volumes: Vec<DesiredVolume>) -> DesiredResource {
    DesiredResource {
        rsc: RscName::parse("web").expect("legal"),
        generation: 1,
        order: Order::Make,
        active: true,
        layers: vec![LayerKind::Storage],
        diskless: false,
        volumes,
        snapshots: Vec::new(),
        rollback: None,
        props: BTreeMap::new(),
    }
}

pub(super) fn snapshot(name: &str, order: Order, volumes: &[u32]) -> DesiredSnapshot {
    let source = |number: &u32| SnapshotSource {
        number: nr(*number),
        pool: PoolName::parse("pool").expect("legal"),
        provider: ProviderKind::FileThin,
        size: Kib(1000),
        override_id: None,
    };
    DesiredSnapshot { name: snap(name), order, volumes: volumes.iter().map(source).collect() }
}

/// `-` absent, else `<backing>[/<device size>][ known]`.
fn seen(text: &str) -> Result<ObservedVolume, Problem> {
    if text == "sick" {
        return Err(sick());
    }
    let (sizes, known) = match text.strip_suffix(" ext4") {
        Some(sizes) => (sizes, Content::Known("ext4".to_owned())),
        None => (text, Content::Unknown),
    };
    let (backing, device) = sizes.split_once('/').unwrap_or((sizes, ""));
    Ok(ObservedVolume {
        backing: backing.parse().ok().map(Kib),
        allocated: None,
        device: device.parse().ok().map(|size| ObservedDevice { path: "/dev/loop0".to_owned(), size: Kib(size) }),
        granularity: Kib(1),
        has_device: true,
        content: known,
        // Whatever is not said otherwise, there is no data.
        extent: Extent::Data { end: Kib(0) },
        ..ObservedVolume::default()
    })
}

fn sick() -> Problem {
    Problem { message: "pool".to_owned(), cause: "gone".to_owned(), correction: String::new(), details: String::new() }
}

pub(super) fn observed(volumes: &[(u32, &str)]) -> ObservedResource {
    ObservedResource {
        volumes: volumes.iter().map(|(n, text)| (nr(*n), seen(text))).collect(),
        ..ObservedResource::default()
    }
}

fn part(size: Option<u64>) -> Result<ObservedPart, Problem> {
    Ok(ObservedPart { size: size.map(Kib), ..ObservedPart::default() })
}

fn word(step: &Step) -> String {
    let list = |volumes: &[VolumeNumber]| {
        let texts: Vec<String> = volumes.iter().map(ToString::to_string).collect();
        texts.join("+")
    };
    match step {
        Step::AssertUnused { volumes } => format!("unused {}", list(volumes)),
        Step::CreateBlank { volume, size } => format!("create {volume}={}", size.0),
        Step::CreateFromSnapshot { volume, rsc, snapshot, part, size } => {
            format!("restore {volume}={} from {rsc}/{snapshot}/{part}", size.0)
        }
        Step::Grow { volume, size } => format!("grow {volume}={}", size.0),
        Step::Shrink { volume, size } => format!("shrink {volume}={}", size.0),
        Step::Attach { volume } => format!("attach {volume}"),
        Step::RefreshSize { volume } => format!("refresh {volume}"),
        Step::Detach { volume } => format!("detach {volume}"),
        Step::RemoveBacking { volume } => format!("unlink {volume}"),
        Step::MakeFileSystem { volume, file_system } => {
            format!("mkfs {volume} {}", file_system.kind)
        }
        Step::TakeSnapshot { snapshot, volumes } => format!("snap {snapshot} {}", list(volumes)),
        Step::RemoveSnapshot { snapshot, volumes } => {
            format!("unsnap {snapshot} {}", list(volumes))
        }
        Step::StageRollback { volume, snapshot, size } => {
            format!("stage {volume}={} {snapshot}", size.0)
        }
        Step::DetachForRollback { volumes, .. } => format!("release {}", list(volumes)),
        Step::SwapRollback { volume } => format!("swap {volume}"),
        Step::RecordRollback { volumes, .. } => format!("record {}", list(volumes)),
        Step::ForgetRollback => "forget".to_owned(),
        Step::Cache { volume, leaf, act } => format!("{act:?} {volume}{}", leaf.suffix()).to_lowercase(),
        Step::Layer { volume, layer, act } => format!("{act:?} {volume} {layer}").to_lowercase(),
    }
}

pub(super) fn said(desired: &DesiredResource, observed: &ObservedResource) -> String {
    let plan = plan(desired, observed);
    let mut words: Vec<String> = plan.steps.iter().map(word).collect();
    words.extend(plan.problems.iter().map(|(_, problem)| format!("!{}", problem.cause)));
    words.join(", ")
}

#[test]
fn one_volume() {
    use Order::{Keep, Make, Remove};
    let table: &[(Order, bool, bool, &str, &str)] = &[
        // order, active, shrink, observed, plan
        (Make, true, false, "-", "create 0=1000, attach 0"),
        (Make, false, false, "-", "create 0=1000"),
        (Make, true, false, "1000/1000", ""),
        (Keep, true, false, "1000/1000", ""),
        (Make, true, false, "1000", "attach 0"),
        (Keep, true, false, "1000", "attach 0"),
        (Keep, true, false, "-", "!its data was in storage pool pool and is not there any more"),
        (Keep, true, true, "-", "!its data was in storage pool pool and is not there any more"),
        (Keep, true, false, "sick", "!gone"),
        (Make, true, false, "sick", "!gone"),
        (Remove, true, false, "sick", "!gone"),
        (Keep, true, false, "900/900", "grow 0=1000, refresh 0"),
        (Make, true, false, "0", "grow 0=1000, attach 0"),
        (Keep, true, false, "1000/900", "refresh 0"),
        (Keep, true, false, "1500/1500", ""),
        (Keep, true, true, "1002/1002", ""),
        (Keep, true, true, "1003/1003", "unused 0, shrink 0=1000, refresh 0"),
        (Keep, false, false, "1000/1000", "unused 0, detach 0"),
        (Keep, false, false, "1000", ""),
        (Keep, false, false, "900", "grow 0=1000"),
        (Remove, true, false, "1000/1000", "unused 0, detach 0, unlink 0"),
        (Remove, true, false, "1000", "unused 0, unlink 0"),
        (Remove, true, false, "-/1000", "unused 0, detach 0"),
        (Remove, true, false, "-", ""),
    ];
    for (order, active, shrink, found, wanted) in table {
        let mut desired = desired(vec![volume(0, *order)]);
        desired.active = *active;
        desired.volumes[0].shrink = *shrink;
        let text = said(&desired, &observed(&[(0, found)]));
        assert_eq!(text, *wanted, "{order:?} active={active} shrink={shrink} {found}");
    }
}

#[test]
fn what_is_not_the_volumes_is_neither_taken_nor_removed() {
    let cause = "!/pool/web_00000.img is there already, with data that is not this volume's";
    for (order, wanted) in [(Order::Make, cause), (Order::Remove, "")] {
        let mut observed = observed(&[(0, "-")]);
        let found = observed.volumes.get_mut(&nr(0)).expect("there").as_mut().expect("seen");
        found.stranger = Some(Stranger { place: "/pool/web_00000.img".to_owned(), adopt: "setfattr".to_owned() });
        assert_eq!(said(&desired(vec![volume(0, order)]), &observed), wanted, "{order:?}");
    }
}

#[test]
fn tolerance_is_widened_by_the_property() {
    let mut desired = desired(vec![volume(0, Order::Keep)]);
    desired.volumes[0].shrink = true;
    for (factor, wanted) in [("2", ""), ("0", "unused 0, shrink 0=1000, refresh 0")] {
        desired.props.insert("StorDriver/alignmentTolerance".to_owned(), factor.to_owned());
        assert_eq!(said(&desired, &observed(&[(0, "1005/1005")])), wanted, "{factor}");
    }
}

#[test]
fn nothing_of_the_content_is_cut() {
    let ext4 = |needs| Extent::Content { kind: "ext4".to_owned(), needs: Some(Kib(needs)) };
    let cut = "unused 0, shrink 0=1000, refresh 0";
    let table: &[(Extent, &str)] = &[
        (ext4(1000), cut),
        (ext4(1001), "!the ext4 on it needs 1001 KiB, and 1000 KiB would be left"),
        (Extent::Data { end: Kib(1000) }, cut),
        (Extent::Data { end: Kib(1004) }, "!data is written up to 1004 KiB, and 1000 KiB would be left"),
        (Extent::Unknown, "!up to where its data reaches cannot be told in this storage pool"),
    ];
    for (extent, wanted) in table {
        let mut desired = desired(vec![volume(0, Order::Keep)]);
        desired.volumes[0].shrink = true;
        let mut observed = observed(&[(0, "2000/2000")]);
        observed.volumes.get_mut(&nr(0)).expect("there").as_mut().expect("seen").extent = extent.clone();
        assert_eq!(said(&desired, &observed), *wanted, "{extent:?}");
        let refused = plan(&desired, &observed).refused;
        assert_eq!(refused.is_empty(), *wanted == cut, "{refused:?}");
    }
}

#[test]
fn volumes_from_snapshots() {
    let mut desired = desired(vec![volume(3, Order::Make)]);
    desired.volumes[0].origin =
        Origin::Snapshot { rsc: RscName::parse("old").expect("legal"), snapshot: snap("before"), volume: nr(1) };
    let table: &[(&str, Option<u64>, &str)] = &[
        ("-", Some(800), "restore 3=1000 from old/before/1, attach 3"),
        ("-", Some(2000), "restore 3=2000 from old/before/1, attach 3"),
        ("-", None, "!storage pool pool has no volume 1 of snapshot before of old"),
        ("1000/1000", None, ""),
    ];
    for (found, origin, wanted) in table {
        let mut observed = observed(&[(3, found)]);
        observed.origins.extend(origin.map(|size| (nr(3), Kib(size))));
        assert_eq!(said(&desired, &observed), *wanted, "{found} {origin:?}");
    }
}

#[test]
fn file_systems_are_made_once() {
    let table: &[(Order, bool, &str, &str)] = &[
        (Order::Make, true, "-", "create 0=1000, attach 0, mkfs 0 ext4"),
        (Order::Make, true, "1000/1000", "mkfs 0 ext4"),
        (Order::Make, true, "1000/1000 ext4", ""),
        (Order::Make, false, "-", "create 0=1000"),
        (Order::Keep, true, "1000/1000", ""),
    ];
    for (order, active, found, wanted) in table {
        let mut desired = desired(vec![volume(0, *order)]);
        desired.active = *active;
        desired.volumes[0].file_system =
            Some(FileSystem { kind: "ext4".to_owned(), mkfs_params: Vec::new(), user: None, group: None });
        assert_eq!(said(&desired, &observed(&[(0, found)])), *wanted, "{order:?} {found}");
    }
}

#[test]
fn removal_of_a_resource_checks_all_before_it_touches_one() {
    let mut desired = desired(vec![volume(0, Order::Keep), volume(1, Order::Keep)]);
    desired.order = Order::Remove;
    let mut there = observed(&[(0, "1000/1000"), (1, "1000")]);
    assert_eq!(said(&desired, &there), "unused 0+1, detach 0, unlink 0, unlink 1");
    there.rolled_back = Some(Uuid(1));
    assert!(said(&desired, &there).ends_with("unlink 1, forget"));
    assert_eq!(said(&desired, &observed(&[(0, "-"), (1, "-")])), "");
    desired.volumes.clear();
    assert_eq!(said(&desired, &ObservedResource::default()), "");
}

#[test]
fn diskless_replicas_and_pools_need_nothing() {
    let mut replica = desired(vec![volume(0, Order::Make)]);
    replica.diskless = true;
    assert_eq!(said(&replica, &observed(&[(0, "-")])), "");
    let mut pool = observed(&[(0, "-")]);
    if let Some(Ok(found)) = pool.volumes.get_mut(&nr(0)) {
        found.has_device = false;
    }
    assert_eq!(said(&desired(vec![volume(0, Order::Make)]), &pool), "");
}

#[test]
fn snapshots() {
    use Order::{Keep, Make, Remove};
    let gone = "!it was in the storage pool and is not there any more, or not wholly";
    type Row<'a> = (Order, [Option<u64>; 2], &'a str, &'a str);
    let table: &[Row<'_>] = &[
        // order, parts of volumes 0 and 1, volume 1, plan
        (Make, [None, None], "1000/1000", "snap now 0+1"),
        (Make, [Some(1), None], "1000/1000", "snap now 0+1"),
        (Make, [Some(1), Some(1)], "1000/1000", ""),
        (Make, [None, None], "-", "create 1=1000, attach 1, snap now 0+1"),
        (Keep, [Some(1), Some(1)], "1000/1000", ""),
        (Keep, [Some(1), None], "1000/1000", gone),
        (Remove, [Some(1), Some(1)], "1000/1000", "unsnap now 0+1"),
        (Remove, [None, Some(1)], "1000/1000", "unsnap now 1"),
        (Remove, [None, None], "1000/1000", ""),
    ];
    for (order, parts, found, wanted) in table {
        let mut desired = desired(vec![volume(0, Order::Make), volume(1, Order::Make)]);
        desired.snapshots.push(snapshot("now", *order, &[0, 1]));
        let mut observed = observed(&[(0, "1000/1000"), (1, found)]);
        let parts = (0..).zip(parts).map(|(n, size)| (nr(n), part(*size)));
        observed.snapshots.insert(snap("now"), parts.collect());
        assert_eq!(said(&desired, &observed), *wanted, "{order:?} {found}");
    }
}

#[test]
fn snapshots_outlive_their_resource() {
    let mut desired = desired(Vec::new());
    desired.order = Order::Remove;
    desired.snapshots.push(snapshot("now", Order::Keep, &[0]));
    let mut there = ObservedResource::default();
    there.snapshots.insert(snap("now"), BTreeMap::from([(nr(0), part(Some(1)))]));
    assert_eq!(said(&desired, &there), "");
    desired.snapshots[0].order = Order::Make;
    there.snapshots.clear();
    assert_eq!(said(&desired, &there), "!volume 0 is not on this node");
}

#[test]
fn a_snapshot_is_taken_before_its_volume_is_removed() {
    let mut desired = desired(vec![volume(0, Order::Keep)]);
    desired.order = Order::Remove;
    desired.snapshots.push(snapshot("last", Order::Make, &[0]));
    let text = said(&desired, &observed(&[(0, "1000/1000")]));
    assert_eq!(text, "snap last 0, unused 0, detach 0, unlink 0");
}

#[test]
fn a_pool_that_cannot_be_asked_neither_takes_nor_loses_a_snapshot() {
    for order in [Order::Make, Order::Keep, Order::Remove] {
        let mut desired = desired(Vec::new());
        desired.snapshots.push(snapshot("now", order, &[0]));
        let mut observed = ObservedResource::default();
        let parts = BTreeMap::from([(nr(0), Err(sick()))]);
        observed.snapshots.insert(snap("now"), parts);
        assert_eq!(said(&desired, &observed), "!gone", "{order:?}");
    }
}

#[test]
fn rollback() {
    let steps = "unused 0, stage 0=1000 then, release 0, swap 0, record 0, attach 0";
    type Row<'a> = (&'a str, Option<u64>, Option<u128>, bool, &'a str);
    let table: &[Row<'_>] = &[
        // volume 0, its part, executed token, active, plan
        ("1000/1000", Some(800), None, true, steps),
        ("1000", Some(800), None, true, steps),
        ("1000/1000", Some(800), Some(6), true, steps),
        ("1000/1000", Some(800), Some(7), true, ""),
        ("1000", Some(800), None, false, "unused 0, stage 0=1000 then, release 0, swap 0, record 0"),
        ("1000/1000", None, None, true, "!the snapshot, or a part of it, is not in the storage pools of this node"),
    ];
    for (found, part, token, active, wanted) in table {
        let mut desired = desired(vec![volume(0, Order::Keep)]);
        desired.active = *active;
        desired.rollback = Some(Rollback { snapshot: snap("then"), token: Uuid(7) });
        let mut observed = observed(&[(0, found)]);
        observed.rollback_parts.extend(part.map(|size| (nr(0), Kib(size))));
        observed.rolled_back = token.map(Uuid);
        assert_eq!(said(&desired, &observed), *wanted, "{found} {part:?} {token:?}");
    }
}

#[test]
fn a_rollback_waits_until_everything_that_it_concerns_can_be_seen() {
    let mut desired = desired(vec![volume(0, Order::Keep), volume(1, Order::Keep)]);
    desired.snapshots.push(snapshot("then", Order::Keep, &[0]));
    desired.rollback = Some(Rollback { snapshot: snap("then"), token: Uuid(7) });
    let with = |volumes: &[(u32, &str)], unknown: Option<Problem>| {
        let mut observed = observed(volumes);
        observed.snapshots.insert(snap("then"), [(nr(0), part(Some(1000)))].into_iter().collect());
        observed.rollback_parts.insert(nr(0), Kib(1000));
        observed.rollback_unknown = unknown;
        observed
    };
    let sick_words = format!("!{}", sick().cause);
    assert_eq!(said(&desired, &with(&[(0, "sick"), (1, "1000")], None)), sick_words);
    assert_eq!(said(&desired, &with(&[(0, "1000"), (1, "1000")], Some(sick()))), sick_words);
    let apart = said(&desired, &with(&[(0, "1000/1000"), (1, "sick")], None));
    assert!(apart.starts_with("unused 0, stage 0=1000 then, release 0, swap 0, record 0"), "{apart}");
    desired.order = Order::Remove;
    let removed = said(&desired, &with(&[(0, "1000"), (1, "-")], Some(sick())));
    assert_eq!(removed, format!("unused 0, unlink 0, {sick_words}"));
}

#[test]
fn rollback_swaps_nothing_before_everything_is_staged() {
    let mut desired = desired(vec![volume(0, Order::Keep), volume(1, Order::Keep)]);
    desired.snapshots.push(snapshot("then", Order::Keep, &[0, 1]));
    desired.snapshots.push(snapshot("safety", Order::Make, &[0, 1]));
    desired.rollback = Some(Rollback { snapshot: snap("then"), token: Uuid(7) });
    let mut observed = observed(&[(0, "1000/1000"), (1, "1000/1000")]);
    let parts = [0, 1].map(|n| (nr(n), part(Some(1000))));
    observed.snapshots.insert(snap("then"), parts.into_iter().collect());
    observed.rollback_parts = [0, 1].map(|n| (nr(n), Kib(1000))).into_iter().collect();
    assert_eq!(
        said(&desired, &observed),
        "snap safety 0+1, unused 0+1, stage 0=1000 then, stage 1=1000 then, release 0+1, swap 0, swap 1, record 0+1, \
         attach 0, attach 1"
    );
    observed.rollback_parts.remove(&nr(1));
    assert!(said(&desired, &observed).contains("!the snapshot, or a part of it"));
}

#[test]
fn a_rollback_minds_no_snapshot_but_its_own() {
    let steps = "unused 0, stage 0=1000 then, release 0, swap 0, record 0, attach 0";
    let gone = "!the snapshot, or a part of it, is not in the storage pools of this node";
    for (own, others, wanted) in [(&[0][..], &[0, 1][..], steps), (&[0, 1], &[0], gone)] {
        let mut desired = desired(vec![volume(0, Order::Keep)]);
        desired.rollback = Some(Rollback { snapshot: snap("then"), token: Uuid(7) });
        let mut observed = observed(&[(0, "1000/1000")]);
        for (name, parts) in [("other", others), ("then", own)] {
            desired.snapshots.push(snapshot(name, Order::Keep, parts));
            let parts = parts.iter().map(|n| (nr(*n), part(Some(1000))));
            observed.snapshots.insert(snap(name), parts.collect());
        }
        observed.rollback_parts.insert(nr(0), Kib(1000));
        assert_eq!(said(&desired, &observed), wanted, "{own:?}");
    }
}
