//! Capacity: ratios and their inheritance, reservations, and the size queries.

use super::{STACK, outcome, place_on};
use crate::model::kinds::LayerKind;
use crate::model::placement::{Bound, Estimate, Reason, check_room, estimate, query_max_volume_size, query_size_info};
use crate::model::size::{Kib, LARGEST_VOLUME};
use crate::model::testkit::{cluster, filter, node, pool};

fn estimate_in(text: &str) -> Estimate {
    let text = format!("node alpha\n{text}");
    estimate(&cluster(&text), &node("alpha"), &pool("data")).expect("there is such a pool")
}

#[test]
fn estimates() {
    let (free, total) = (Bound::Free, Bound::Total);
    let table = [
        ("pool alpha data LVM 50/100", Some(50), free),
        ("pool alpha data LVM_THIN 50/100", Some(1000), free),
        ("pool alpha data ZFS_THIN 50/100 MaxOversubscriptionRatio=2", Some(100), free),
        ("pool alpha data LVM unseen", None, free),
        ("pool alpha data LVM sick", None, free),
        // Ordered volumes take their part at once, made ones are gone from what is free.
        ("pool alpha data LVM 50/100\nrsc web 20 alpha/data", Some(30), free),
        ("pool alpha data LVM 50/100\nrsc web 50 alpha/data:made", Some(50), free),
        ("pool alpha data LVM_THIN 50/100\nrsc web 20 alpha/data", Some(980), free),
        ("pool alpha data LVM_THIN 90/100\nrsc web 500 alpha/data:made", Some(1500), total),
        ("pool alpha data LVM 90/100\nrsc web 200 alpha/data:made", Some(0), total),
        // Of a snapshot only what can be allocated counts.
        ("pool alpha data ZFS 40/100\nrsc web 60 alpha/data:made\nsnap web one alpha/data", Some(40), free),
        ("pool alpha data LVM_THIN 90/100\nrsc web 500 alpha/data:made\nsnap web one alpha/data", Some(1490), total),
    ];
    for (text, kib, bound) in table {
        let estimate = estimate_in(text);
        assert_eq!((estimate.free_estimate, estimate.bound), (kib.map(Kib), bound), "{text}");
    }
}

#[test]
fn ratios_come_from_pool_then_definition_then_controller() {
    let key = "MaxOversubscriptionRatio";
    let fine = "MaxFreeCapacityOversubscriptionRatio";
    let table = [
        (String::new(), (20.0, 20.0)),
        (format!("ctrl {key}=2"), (2.0, 2.0)),
        (format!("ctrl {key}=2\nspd data {key}=3"), (3.0, 3.0)),
        (format!("ctrl {key}=2\nspd data {key}=3\npool alpha data LVM_THIN 1/1 {key}=4"), (4.0, 4.0)),
        (format!("ctrl {fine}=5\npool alpha data LVM_THIN 1/1 {key}=4"), (5.0, 4.0)),
        (format!("ctrl MaxTotalCapacityOversubscriptionRatio=7 {key}=2"), (2.0, 7.0)),
        (format!("pool alpha data LVM_THIN 1/1 {key}=many"), (20.0, 20.0)),
    ];
    for (text, (free, total)) in table {
        let ratios = estimate_in(&format!("pool alpha data LVM_THIN 1/1\n{text}")).ratios;
        assert_eq!((ratios.free, ratios.total), (free, total), "{text}");
    }
}

/// The free ratio was raised to 1000, and the total one stayed at its default of 20: no room, though there is space.
/// The story has to say which of the two it is.
#[test]
fn a_forgotten_total_ratio_is_named() {
    let text = "node alpha\npool alpha data LVM_THIN 60/100 MaxFreeCapacityOversubscriptionRatio=1000\nrsc web 2000 alpha/data:made";
    let not = place_on(&cluster(&text.replace("web", "db")), "", 1).expect_err("20 x 100 are promised");
    let line = not.story.lines().next().expect("one node");
    assert!(line.contains("0 KiB can be placed (100 KiB in total x 20 less 1.95 MiB"), "{line}");
    assert!(
        line.contains("though 60 KiB are free") && line.ends_with("raise MaxTotalCapacityOversubscriptionRatio"),
        "{line}"
    );
    let mended = text.replace("LVM_THIN 60/100", "LVM_THIN 60/100 MaxTotalCapacityOversubscriptionRatio=1000");
    assert_eq!(outcome(&place_on(&cluster(&mended.replace("web", "db")), "", 1)), "alpha/data");
}

#[test]
fn thin_reserves_come_from_the_nearest() {
    let key = "Autoplacer/MinThinFreeSpace";
    let table = [
        (String::new(), "996 0/1"),
        (format!("ctrl {key}=1%"), "alpha/data"),
        (format!("ctrl {key}=1%\nnode alpha {key}=30%\npool alpha data LVM_THIN 1/1000"), "996 0/1"),
        (format!("grp fast {key}=20\nrsc web 10 grp=fast"), "alpha/data"),
        (format!("grp fast {key}=20\nrsc web 10 grp=fast {key}=21"), "996 0/1"),
        (format!("rsc web 10 {key}=21\npool alpha data LVM_THIN 1/1000 {key}=0%"), "alpha/data"),
    ];
    for (text, expected) in table {
        let text = format!("node alpha\npool alpha data LVM_THIN 1/1000\n{text}");
        assert_eq!(outcome(&place_on(&cluster(&text), "", 1)), expected, "{text}");
    }
}

#[test]
fn room_of_a_pool_that_was_named() {
    let cluster = cluster(
        "node alpha
         pool alpha data LVM 50/100
         pool alpha new LVM unseen
         pool alpha broken LVM sick",
    );
    let check = |name: &str, size| check_room(&cluster, &node("alpha"), &pool(name), Kib(size));
    assert_eq!(check("data", 50), Ok(()));
    assert!(matches!(check("data", 51), Err(Reason::TooLittleRoom { wanted: Kib(51), .. })));
    assert_eq!(check("new", 1), Err(Reason::NoCapacityKnown));
    assert!(matches!(check("broken", 1), Err(Reason::PoolSick(_))));
    assert_eq!(check("other", 1), Err(Reason::NoSuchPool));
    assert_eq!(check("DfltDisklessStorPool", u64::MAX), Ok(()));
    assert_eq!(check_room(&cluster, &node("beta"), &pool("data"), Kib(1)), Err(Reason::NoSuchNode));
}

#[test]
fn size_info() {
    let cluster = cluster(
        "node alpha\npool alpha data LVM_THIN 50/100
         node beta\npool beta data LVM_THIN 40/100 MaxOversubscriptionRatio=3
         node gamma\npool gamma data LVM_THIN 30/100
         node delta offline\npool delta data LVM_THIN 100/100",
    );
    let info = query_size_info(&cluster, &filter("count=2"), STACK).expect("three are good");
    assert_eq!(info.max_volume_size, Kib(120));
    // 40 on the two roomiest, then 10 on what is left of alpha and gamma.
    assert_eq!((info.available, info.capacity), (Kib(50), Kib(100)));
    let next: Vec<&str> = info.next_spawn.iter().map(|next| next.node.as_str()).collect();
    assert_eq!(next, ["alpha", "beta"]);
    assert_eq!(info.ratios.map(|ratios| ratios.general), Some(3.0));
    let not = query_size_info(&cluster, &filter("count=4"), STACK).expect_err("delta is away");
    assert_eq!((not.possible, not.story.entries.len()), (3, 4));
}

#[test]
fn no_size_is_told_that_cannot_be_made() {
    let room = LARGEST_VOLUME.0;
    let cluster = cluster(&format!("node alpha\npool alpha data LVM_THIN {room}/{room}"));
    let info = query_size_info(&cluster, &filter("count=1"), STACK).expect("it has room");
    assert_eq!((info.max_volume_size, info.available), (LARGEST_VOLUME, LARGEST_VOLUME));
    assert_eq!(query_max_volume_size(&cluster, &filter("count=1"))[0].max_volume_size, LARGEST_VOLUME);
}

#[test]
fn max_volume_size_by_pool_name() {
    let cluster = cluster(
        "node alpha\npool alpha fast LVM 50/100\npool alpha slow LVM_THIN 70/100
         node beta\npool beta fast LVM 40/100\npool beta slow LVM_THIN 60/100
         node gamma\npool gamma only LVM 30/100",
    );
    let show = |filter_text: &str| {
        let all = query_max_volume_size(&cluster, &filter(filter_text));
        let show = all
            .iter()
            .map(|one| format!("{} {} {} {}", one.pool, one.max_volume_size.0, one.nodes.len(), one.all_thin));
        show.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(show("count=2"), "fast 40 2 false, slow 1200 2 true");
    assert_eq!(show("count=1"), "fast 50 1 false, only 30 1 false, slow 1400 1 true");
    assert_eq!(show("count=2 pools=fast"), "fast 40 2 false");
    assert_eq!(show("count=3"), "");
}

#[test]
fn nodes_that_lack_a_layer_have_no_room() {
    let text = "node alpha\npool alpha data LVM 50/100\nnode beta layers=STORAGE\npool beta data LVM 90/100";
    let cluster = cluster(text);
    let info = |layers: &[LayerKind]| query_size_info(&cluster, &filter("count=1"), layers).expect("alpha has all");
    assert_eq!(info(STACK).max_volume_size, Kib(50));
    assert_eq!(info(&[LayerKind::Storage]).max_volume_size, Kib(90));
    let by_name = |layers: &str| query_max_volume_size(&cluster, &filter(&format!("count=1 layers={layers}")));
    assert_eq!(by_name("DRBD,STORAGE")[0].max_volume_size, Kib(50));
    assert_eq!(by_name("STORAGE")[0].max_volume_size, Kib(90));
}
