//! One row for every reason: what is wrong with node beta, and what the story says of it.

use super::{diskless, place_on};
use crate::model::code::{FAIL_NOT_ENOUGH_NODES, FAIL_UNDECIDABLE_AUTOPLACMENT};
use crate::model::placement::{NotPlaced, Request, Story, Warning, check_filter, place};
use crate::model::refusal::Refusal;
use crate::model::testkit::{self, cluster, filter, node, pool};

/// Node alpha is good, whatever the row says of beta.
const ALPHA: &str = "node alpha Aux/zone=a Aux/rack=1
pool alpha data LVM_THIN 100/100
";
const BETA: &str = "node beta Aux/zone=b Aux/rack=1
pool beta data LVM_THIN 90/100
";

fn story_of(text: &str, filter: &str) -> Story {
    match place_on(&cluster(&format!("{ALPHA}{text}")), filter, 2) {
        Ok(placed) => panic!("beta should be turned down: {:#?}", placed.story),
        Err(not) => *not.story,
    }
}

/// Lines of the story that tell of beta.
fn beta(story: &Story) -> String {
    let lines = story.lines().filter(|line| line.contains("node beta"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_reason_of_a_node() {
    let pool = "pool beta data LVM_THIN 90/100\n";
    let table = [
        ("node beta offline", "", "not connected since 2026-01-01 00:00:00 UTC (connection refused); start it"),
        ("node beta unheard", "", "was not heard of since this controller started"),
        ("node beta connected", "", "not in sync yet"),
        ("node beta kind=CONTROLLER", "", "kind CONTROLLER: no satellite runs there"),
        ("node beta kind=AUXILIARY", "", "kind AUXILIARY"),
        ("node beta evacuate", "", "being evacuated; restore it"),
        ("node beta evicted", "", "was evicted"),
        ("node beta evicted offline", "", "was evicted"),
        ("node beta deleting", "", "being deleted"),
        ("node beta", "nodes=alpha,gamma", "not in the filter's node list"),
        ("node beta layers=STORAGE", "", "layer DRBD does not work there: module drbd is not loaded"),
        ("node beta layers=DRBD,STORAGE", "layers=DRBD,LUKS,STORAGE", "layer LUKS does not work there; install"),
        ("node beta providers=LVM", "", "pools of kind LVM_THIN do not work there; install"),
        ("node beta", "same=Aux/zone", "agree in property Aux/zone, and the node has none; set it"),
        ("node beta", "same=Aux/zone=a", "agree in property Aux/zone, and the node has none"),
        ("node beta Aux/zone=b", "same=Aux/zone=a", "'a' is wanted, the node has 'b'"),
        ("node beta Aux/zone=b", "different=Aux/zone=b", "prohibits nodes whose property Aux/zone is 'b'"),
        ("node beta AutoplaceTarget=False", "", "the node's property AutoplaceTarget is false"),
        (
            "ctrl AutoplaceTarget=false\nnode alpha AutoplaceTarget=true\nnode beta",
            "",
            "the controller's property AutoplaceTarget",
        ),
    ];
    for (line, filter, part) in table {
        let text = beta(&story_of(&format!("{line}\n{pool}"), filter));
        assert!(text.contains(part), "{line} {filter}: {text}");
    }
}

#[test]
fn every_reason_of_a_pool() {
    let table = [
        ("", "", "node beta: the node has no storage pool that holds data; create one"),
        ("pool beta fast LVM 90/100", "pools=data", "pool fast (LVM): it is not in the filter's pool list"),
        ("pool beta data LVM 90/100", "providers=LVM_THIN,ZFS", "its kind LVM is not in the filter's provider list"),
        ("pool beta data LVM_THIN 90/100 AutoplaceTarget=false", "", "the pool's property AutoplaceTarget is false"),
        ("pool beta data LVM_THIN unseen", "", "its room is not known"),
        ("pool beta data LVM_THIN sick", "", "cannot be used: The pool was not found: no such volume group; create it"),
        (
            "pool beta data LVM 9/100",
            "",
            "too little room: 10 KiB wanted, 9 KiB can be placed (9 KiB free x 1 less 0 KiB ordered); add storage",
        ),
        (
            "pool beta data LVM_THIN 90/100 MaxTotalCapacityOversubscriptionRatio=0.05",
            "",
            "5 KiB can be placed (100 KiB in total x 0.05 less 0 KiB of volumes and snapshots, though 90 KiB are free); \
             add storage, remove volumes, or raise MaxTotalCapacityOversubscriptionRatio",
        ),
        (
            "pool beta data LVM_THIN 1/1000",
            "",
            "the thin pool keeps a reserve of 100 KiB (Autoplacer/MinThinFreeSpace = 10%): 20 KiB can be placed",
        ),
    ];
    for (line, filter, part) in table {
        let text = beta(&story_of(&format!("node beta\n{line}"), filter));
        assert!(text.contains(part), "{line} {filter}: {text}");
    }
}

#[test]
fn every_reason_of_a_neighbour() {
    let table = [
        ("rsc web 10 beta/data", "", "has a replica already"),
        ("rsc web 10 beta/data:deleting", "", "still being deleted"),
        ("rsc db 10 beta/data", "not_with=DB,other", "resource db stands there, beside which none"),
        ("rsc db-1 10 beta/data", "regex=B-[0-9]", "resource db-1 stands there, which matches 'B-[0-9]'"),
        ("", "regex=[a", "do-not-place-with-regex '[a' cannot be read (error: unclosed character class); correct it"),
        ("", "different=Aux/rack", "property Aux/rack is '1', where 1 replica stands already"),
        ("", "same=Aux/zone", "'a' is wanted, the node has 'b'"),
        (
            "node gamma Aux/rack=1\npool gamma data LVM_THIN 1/1\nrsc web 10 gamma/data",
            "different=Aux/rack",
            "property Aux/rack is '1'",
        ),
        (
            "node gamma Aux/rack=1\npool gamma data LVM_THIN 1/1\nnode delta Aux/rack=2\npool delta data LVM_THIN 1/1\nrsc web 10 gamma/data delta/data",
            "same=Aux/rack",
            "those that stand already have '1' and '2'",
        ),
        (
            "node gamma\npool gamma old ZFS 1/1\nrsc web 10 gamma/old",
            "",
            "a replica on LVM_THIN may not stand beside that on ZFS of node gamma",
        ),
    ];
    for (line, filter, part) in table {
        let text = beta(&story_of(&format!("{BETA}{line}"), filter));
        assert!(text.contains(part), "{line} {filter}: {text}");
    }
}

#[test]
fn neighbours_that_leave_or_are_skipped_do_not_count() {
    for (line, filter) in [
        ("rsc db 10 beta/data:deleting", "not_with=db"),
        ("rsc db 10 beta/data:deleting", "regex=db"),
        ("rsc web 10 beta/-", "not_with=web"),
        ("rsc web 10 beta/-:tiebreaker", "regex=web"),
        ("rsc db 10 beta/data", "not_with=no.legal.name,other"),
    ] {
        let result = place_on(&cluster(&format!("{ALPHA}{BETA}{line}")), filter, 2);
        assert!(result.is_ok(), "{line} {filter}: {result:#?}");
    }
}

#[test]
fn spaces_and_kinds_conflict_with_what_was_chosen() {
    let spaces = "node alpha\npool alpha data LVM 100/100 shared=san\nnode beta\npool beta data LVM 90/100 shared=san";
    let text = beta(&story_of(spaces, ""));
    assert!(text.contains("would do alone") && text.contains("shared space san, which holds one"), "{text}");
    let standing = format!("{spaces}\nrsc web 10 alpha/data");
    let text = beta(&story_of(&standing, ""));
    assert!(text.contains("pool data (LVM): another replica stands in the shared space san"), "{text}");
    let kinds = "node beta\npool beta data LVM 90/100";
    let text = beta(&story_of(kinds, ""));
    assert!(text.contains("a replica on LVM may not stand beside that on LVM_THIN of node alpha"), "{text}");
}

#[test]
fn groups_that_could_not_be_filled_are_told() {
    let text =
        "node beta Aux/zone=b\npool beta data LVM_THIN 90/100\nnode gamma Aux/zone=c\npool gamma data LVM_THIN 80/100";
    let not = place_on(&cluster(&format!("{ALPHA}{text}")), "x=Aux/zone:2", 3).expect_err("no zone has two nodes");
    let text = not.story.lines().collect::<Vec<_>>().join("\n");
    assert_eq!(not.possible, 2);
    assert!(text.contains("node gamma") && text.contains("all but one value must get them all"), "{text}");
}

#[test]
fn requests_narrow_down() {
    let cluster = cluster(&format!("{ALPHA}{BETA}"));
    let filter = filter("");
    let (beta_name, gamma) = (node("beta"), node("gamma"));
    let excluded = [beta_name.clone()];
    let request = Request { count: 2, exclude_nodes: &excluded, ..Request::new(&cluster, &filter) };
    let not = place(&request).expect_err("beta is excluded");
    assert!(beta(&not.story).contains("the request excludes"), "{}", beta(&not.story));
    let only = Request { only_node: Some(&beta_name), ..Request::new(&cluster, &filter) };
    let placed = place(&only).expect("beta is good");
    assert_eq!((placed.choices.len(), placed.story.entries.len()), (1, 1));
    let nobody = Request { only_node: Some(&gamma), ..only };
    let not = place(&nobody).expect_err("gamma does not exist");
    assert!(not.story.lines().any(|line| line.contains("no such node")));
}

#[test]
fn diskless_replicas_need_a_diskless_pool_only() {
    let cluster = cluster("node alpha layers=STORAGE\nnode beta\npool beta data LVM 0/1\nnode gamma offline");
    let open = filter("");
    let request = diskless(Request { layers: super::STACK, ..Request::new(&cluster, &open) });
    let placed = place(&request).expect("beta has room for what needs none");
    assert_eq!(super::places(&placed), "beta/DfltDisklessStorPool");
    let named = filter("diskless_pools=other");
    let not = place(&Request { filter: &named, ..request }).expect_err("no such pool");
    assert_eq!(not.story.warnings, [Warning::UnknownPool(pool("other"))]);
    assert!(beta(&not.story).contains("not in the filter's pool list"));
}

#[test]
fn filters_that_mean_nothing_are_warned_about() {
    let cluster = cluster(&format!("{ALPHA}{BETA}"));
    let odd =
        filter("nodes=alpha,omega pools=data,DfltDisklessStorPool diskless_pools=data,DfltDisklessStorPool regex=(");
    let texts: Vec<String> = check_filter(&cluster, &odd).iter().map(ToString::to_string).collect();
    for (text, part) in texts.iter().zip(["omega", "has no storage", "data for replicas without disk", "'('"]) {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(texts.len(), 4);
    assert!(check_filter(&cluster, &filter("nodes=alpha pools=data regex=ok")).is_empty());
}

#[test]
fn a_refusal_carries_the_whole_story() {
    let text = format!("{ALPHA}{BETA}node gamma offline\nnode delta evicted\nnode kappa\n");
    let not: NotPlaced = place_on(&cluster(&text), "", 3).expect_err("two are good");
    assert_eq!((not.code, not.possible), (FAIL_NOT_ENOUGH_NODES, 2));
    let refusal = Refusal::from(not);
    assert_eq!(refusal.note.cause.as_deref(), Some("not enough nodes: 3 more replicas wanted, room for 2"));
    let details = refusal.note.details.expect("the story");
    for name in ["alpha", "beta", "gamma", "delta", "kappa"] {
        assert!(details.lines().any(|line| line.starts_with(&format!("node {name}"))), "{name}: {details}");
    }
}

#[test]
fn undecidable_has_its_own_code_and_cause() {
    let text = "node gamma Aux/zone=c\npool gamma data LVM_THIN 9/9\nrsc web 1 alpha/data gamma/data";
    let result = place_on(&cluster(&format!("{ALPHA}{BETA}{text}")), "same=Aux/zone", 1);
    let not = result.expect_err("a and c");
    assert_eq!(not.code, FAIL_UNDECIDABLE_AUTOPLACMENT);
    let cause = Refusal::from(not).note.cause.expect("a cause");
    assert!(cause.contains("'a' and 'c'"), "{cause}");
    // One that leaves does not count.
    let text = text.replace("gamma/data", "gamma/data:evacuate");
    let result = place_on(&cluster(&format!("{ALPHA}{BETA}{text}")), "same=Aux/zone", 1);
    assert_eq!(result.expect_err("nobody else in zone a").code, FAIL_NOT_ENOUGH_NODES);
}

#[test]
fn the_testkit_refuses_what_it_does_not_know() {
    let wrong = std::panic::catch_unwind(|| testkit::cluster("nod alpha"));
    assert!(wrong.is_err());
}
