//! Who is chosen: strategies and weights, rules between replicas, mixing, ties, bursts.

use super::{outcome, place_on, places};
use crate::model::placement::{Fate, Reason, Request, place};
use crate::model::size::Kib;
use crate::model::testkit::{cluster, extend, filter};

/// Four nodes in two zones, three racks and none; rising room.
const FOUR: &str = "
node alpha Aux/zone=a Aux/rack=1
pool alpha data LVM 100/1000
node beta Aux/zone=a Aux/rack=2
pool beta data LVM 200/1000
node gamma Aux/zone=b Aux/rack=2
pool gamma data LVM 300/1000
node delta Aux/zone=b Aux/rack=3
pool delta data LVM 400/1000
node omega
pool omega data LVM 50/1000
";

#[test]
fn rules_between_replicas() {
    let table = [
        ("", 1, "delta/data"),
        ("", 2, "delta/data gamma/data"),
        ("", 5, "alpha/data beta/data delta/data gamma/data omega/data"),
        ("", 6, "996 5/6"),
        ("nodes=alpha,omega", 1, "alpha/data"),
        ("different=Aux/zone", 2, "beta/data delta/data"),
        ("different=Aux/zone", 3, "beta/data delta/data omega/data"),
        ("different=Aux/zone", 4, "996 3/4"),
        ("different=Aux/zone=b", 2, "alpha/data beta/data"),
        ("same=Aux/zone", 2, "delta/data gamma/data"),
        ("same=Aux/zone", 3, "996 2/3"),
        ("same=Aux/zone=a", 2, "alpha/data beta/data"),
        ("same=Aux/zone different=Aux/rack", 2, "delta/data gamma/data"),
        ("same=Aux/rack", 2, "beta/data gamma/data"),
        ("different=Aux/zone,Aux/rack", 2, "beta/data delta/data"),
        ("different=Aux/zone,Aux/rack nodes=alpha,beta,gamma", 2, "alpha/data gamma/data"),
        ("x=Aux/zone:1", 3, "beta/data delta/data omega/data"),
        ("x=Aux/zone:2", 2, "delta/data gamma/data"),
        ("x=Aux/zone:2", 3, "beta/data delta/data gamma/data"),
        ("x=Aux/zone:2 nodes=beta,gamma,omega", 3, "996 2/3"),
        ("x=Aux/zone:2", 5, "alpha/data beta/data delta/data gamma/data omega/data"),
    ];
    let cluster = cluster(FOUR);
    for (filter, count, expected) in table {
        let result = place_on(&cluster, filter, count);
        assert_eq!(outcome(&result), expected, "{filter} {count}");
    }
}

#[test]
fn replicas_that_stand_bind_new_ones() {
    let table = [
        ("rsc web 1 alpha/data", "same=Aux/zone", 1, "beta/data"),
        ("rsc web 1 alpha/data", "different=Aux/zone", 1, "delta/data"),
        ("rsc web 1 alpha/data gamma/data", "different=Aux/zone", 1, "omega/data"),
        ("rsc web 1 alpha/data", "x=Aux/zone:2", 2, "delta/data gamma/data"),
        ("rsc web 1 alpha/data", "x=Aux/zone:2 nodes=beta,delta,omega", 2, "beta/data delta/data"),
        ("rsc web 1 alpha/data gamma/data", "same=Aux/zone", 1, "985 0/1"),
        ("rsc web 1 alpha/data gamma/data", "same=Aux/zone=b", 1, "delta/data"),
        ("rsc web 1 alpha/data delta/-", "different=Aux/zone", 1, "delta/data"),
        ("rsc web 1 alpha/data:evacuate", "same=Aux/zone", 1, "delta/data"),
    ];
    for (line, filter, count, expected) in table {
        let result = place_on(&cluster(&format!("{FOUR}{line}")), filter, count);
        assert_eq!(outcome(&result), expected, "{line} {filter}");
    }
}

#[test]
fn strategies_and_weights() {
    let pools = "
        node alpha\npool alpha data LVM 500/1000
        node beta\npool beta data LVM 400/1000
        node gamma\npool gamma data LVM 300/1000
        rsc one 100 alpha/data:made\nrsc two 5 alpha/data:made beta/data:made\nrsc three 30 gamma/data:made";
    let only = |name: &str| {
        let weight = |key: &str| format!("Autoplacer/Weights/{key}={}", u8::from(key == name));
        ["MaxFreeSpace", "MinReservedSpace", "MinRscCount"].map(weight).join(" ")
    };
    let table = [
        (String::new(), "alpha/data"),
        (only("MaxFreeSpace"), "alpha/data"),
        (only("MinReservedSpace"), "beta/data"),
        // beta and gamma hold one each: the name decides.
        (only("MinRscCount"), "beta/data"),
        ("Autoplacer/Weights/MaxFreeSpace=lots".to_owned(), "alpha/data"),
        ("Autoplacer/Weights/MinReservedSpace=NaN".to_owned(), "beta/data"),
        ("Autoplacer/Weights/MaxFreeSpace=0".to_owned(), "beta/data"),
    ];
    for (props, expected) in table {
        let result = place_on(&cluster(&format!("ctrl {props}\n{pools}")), "", 1);
        assert_eq!(outcome(&result), expected, "{props}");
    }
}

#[test]
fn scores_are_normalised() {
    let placed = place_on(&cluster(FOUR), "", 2).expect("room");
    let scores: Vec<f64> = placed.choices.iter().map(|one| one.score).collect();
    assert_eq!(scores, [1.0, 0.75]);
    let other = placed.story.entries.iter().find(|entry| entry.node.as_str() == "alpha").expect("in the story");
    assert_eq!(other.fate, Fate::Eligible { score: 0.25, conflict: None });
}

#[test]
fn ties_go_by_name() {
    let text = "node beta\npool beta two LVM 5/9\npool beta one LVM 5/9\nnode alpha\npool alpha one LVM 5/9";
    let placed = place(&Request::new(&cluster(text), &filter(""))).expect("room");
    assert_eq!(places(&placed), "alpha/one");
    let two = place(&Request { count: 2, ..Request::new(&cluster(text), &filter("")) }).expect("room");
    assert_eq!(places(&two), "alpha/one beta/one");
}

#[test]
fn mixing_needs_property_and_drbd() {
    let pools = |alpha: &str, beta: &str| {
        format!("node alpha {alpha}\npool alpha data LVM 50/50\nnode beta {beta}\npool beta data ZFS_THIN 40/50\n")
    };
    let allow = "ctrl AllowMixingStoragePoolDriver=True\n";
    let table = [
        (pools("drbd=9.2.8", "drbd=9.2.8"), "996 1/2"),
        (format!("{allow}{}", pools("drbd=9.2.8", "drbd=9.2.7")), "alpha/data beta/data"),
        (format!("{allow}{}", pools("drbd=9.2.8", "drbd=9.2.6")), "996 1/2"),
        (format!("{allow}{}", pools("drbd=9.1.18", "drbd=9.3.0")), "alpha/data beta/data"),
        (format!("{allow}{}", pools("drbd=9.1.17", "drbd=9.3.0")), "996 1/2"),
        (format!("{allow}{}", pools("drbd=9.2.8", "")), "996 1/2"),
        (format!("{allow}{}", pools("drbd=9.2.8", "drbd=9.2.8").replace("ZFS_THIN", "FILE")), "996 1/2"),
        (pools("", "").replace("LVM", "ZFS"), "alpha/data beta/data"),
        (pools("", "").replace("LVM", "FILE").replace("ZFS_THIN", "FILE_THIN"), "alpha/data beta/data"),
        (pools("", "").replace("ZFS_THIN", "STORAGE_SPACES"), "alpha/data beta/data"),
    ];
    for (text, expected) in table {
        assert_eq!(outcome(&place_on(&cluster(&text), "", 2)), expected, "{text}");
    }
    let standing =
        format!("{}rsc web 1 alpha/data AllowMixingStoragePoolDriver=true", pools("drbd=9.2.8", "drbd=9.2.8"));
    assert_eq!(outcome(&place_on(&cluster(&standing), "", 1)), "beta/data");
    let old = standing.replacen("9.2.8", "9.0.0", 1);
    assert_eq!(outcome(&place_on(&cluster(&old), "", 1)), "996 0/1");
}

#[test]
fn a_worse_pool_is_taken_where_the_best_leads_nowhere() {
    // The roomiest pool is of a kind of which there is one only.
    let text = "node alpha\npool alpha big ZFS 900/900\nnode beta\npool beta data LVM 50/50\nnode gamma\npool gamma data LVM 40/50";
    assert_eq!(outcome(&place_on(&cluster(text), "", 2)), "beta/data gamma/data");
    // Shared spaces: the greedy choice of alpha/san leaves beta without a pool.
    let text = "node alpha\npool alpha san LVM 90/90 shared=san\npool alpha own LVM 20/20\n\
                node beta\npool beta san LVM 80/90 shared=san";
    assert_eq!(outcome(&place_on(&cluster(text), "", 2)), "alpha/own beta/san");
}

#[test]
fn a_burst_of_creations_spreads() {
    let mut cluster = cluster("");
    for number in 0..10 {
        extend(&mut cluster, &format!("node node{number}\npool node{number} data LVM_THIN 1000/1000"));
    }
    for number in 0..20 {
        let open = filter("");
        let request = Request { size: Kib(10), count: 2, ..Request::new(&cluster, &open) };
        let placed = place(&request).expect("room");
        extend(&mut cluster, &format!("rsc vol{number} 10 {}", places(&placed)));
    }
    let counts: Vec<u64> = cluster.pool_usage.values().map(|usage| usage.resources).collect();
    assert_eq!(counts, [4; 10]);
}

#[test]
fn only_listed_kinds_and_pools_are_used() {
    let text = "node alpha\npool alpha thick LVM 90/90\npool alpha thin LVM_THIN 80/80\npool alpha files FILE 70/70";
    for (filter, expected) in [
        ("", "alpha/thick"),
        ("providers=LVM", "alpha/thick"),
        ("providers=LVM_THIN", "alpha/thin"),
        ("providers=FILE,LVM_THIN", "alpha/thin"),
        ("pools=files,thin", "alpha/thin"),
        ("pools=files", "alpha/files"),
        ("pools=files providers=LVM", "996 0/1"),
        ("providers=ZFS", "996 0/1"),
    ] {
        assert_eq!(outcome(&place_on(&cluster(text), filter, 1)), expected, "{filter}");
    }
}

#[test]
fn what_those_that_stand_use_up_turns_a_node_down() {
    let text = format!("{FOUR}rsc web 1 alpha/data gamma/data");
    let placed = place_on(&cluster(&text), "different=Aux/zone", 1).expect("omega is in no zone");
    for name in ["beta", "delta"] {
        let entry = placed.story.entries.iter().find(|entry| entry.node.as_str() == name).expect("in the story");
        assert!(matches!(entry.fate, Fate::TurnedDown(Reason::ValueUsedUp { .. })), "{entry:?}");
    }
}
