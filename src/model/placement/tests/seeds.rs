//! Random small clusters and filters: what is chosen keeps every rule, judged by a checker of its own; and when a search
//! through every set finds one, so do we, and none that is better.

use std::collections::BTreeMap;

use super::place_on;
use crate::model::cluster::Cluster;
use crate::model::group::SelectFilter;
use crate::model::moment::Dice;
use crate::model::placement::{Fate, Placed, Story};
use crate::model::testkit::{cluster, filter, node};

const SEEDS: u64 = 1500;

struct Case {
    text: String,
    filter: String,
    count: usize,
}

fn draw<'a>(dice: &mut Dice, from: &[&'a str]) -> &'a str {
    from[below(dice, from.len())]
}

fn below(dice: &mut Dice, n: usize) -> usize {
    usize::try_from(dice.next_u64() % n as u64).expect("below n")
}

fn case(seed: u64) -> Case {
    let mut dice = Dice::clone(&crate::model::moment::Moment::repeatable(Default::default(), seed).dice());
    let mut text = String::new();
    let nodes = 2 + below(&mut dice, 6);
    let kinds: &[&str] = if below(&mut dice, 2) == 0 { &["LVM"] } else { &["LVM", "LVM", "ZFS", "ZFS_THIN"] };
    for number in 0..nodes {
        let away = draw(&mut dice, &["", "", "", "", "", "offline", "evacuate"]);
        let zone = draw(&mut dice, &["Aux/zone=a", "Aux/zone=b", "Aux/zone=c", ""]);
        let rack = draw(&mut dice, &["Aux/rack=1", "Aux/rack=2", "Aux/rack=3"]);
        text += &format!("node node{number} {away} {zone} {rack}\n");
        for name in ["one", "two"].iter().take(1 + below(&mut dice, 2)) {
            let kind = draw(&mut dice, kinds);
            let free = below(&mut dice, 100);
            let shared = match (kind, below(&mut dice, 4)) {
                ("LVM", 0) => draw(&mut dice, &["shared=s1", "shared=s2"]),
                _ => "",
            };
            text += &format!("pool node{number} {name} {kind} {free}/100 {shared}\n");
        }
    }
    if below(&mut dice, 3) == 0 {
        text += &format!("rsc web 10 node{}/one:made\n", below(&mut dice, nodes));
    }
    let rules = ["", "same=Aux/zone", "different=Aux/zone", "x=Aux/zone:2", "different=Aux/zone,Aux/rack"];
    let rule = draw(&mut dice, &rules);
    let second = draw(&mut dice, &["", "", "x=Aux/rack:2"]);
    let second = if rule.contains("x=") { "" } else { second };
    Case { text, filter: format!("{rule} {second}"), count: 1 + below(&mut dice, 4) }
}

/// A pool that was not turned down.
#[derive(Clone)]
struct Seat {
    node: String,
    pool: String,
    score: f64,
}

fn seats(story: &Story) -> Vec<Seat> {
    let seat = |entry: &crate::model::placement::Entry| {
        let score = match entry.fate {
            Fate::Chosen { score } | Fate::Eligible { score, .. } => score,
            Fate::TurnedDown(_) => return None,
        };
        let (pool, _) = entry.pool.as_ref()?;
        Some(Seat { node: entry.node.to_string(), pool: pool.to_string(), score })
    };
    story.entries.iter().filter_map(seat).collect()
}

/// Whether new replicas on these seats, with those that stand, keep the filter's rules. Written from the rules' text.
fn keeps_rules(cluster: &Cluster, filter: &SelectFilter, new: &[Seat]) -> bool {
    let standing = cluster.definitions.values().flat_map(|web| web.diskful());
    let standing = standing.filter(|(node, _)| cluster.nodes[*node].flags.0 == 0);
    let standing =
        standing.map(|(node, rsc)| (node.to_string(), rsc.volumes.values().next().expect("one").pool.to_string()));
    let standing: Vec<(String, String)> = standing.collect();
    let all: Vec<(String, String)> =
        standing.iter().cloned().chain(new.iter().map(|seat| (seat.node.clone(), seat.pool.clone()))).collect();
    let pool = |(on, name): &(String, String)| &cluster.nodes[&node(on)].pools[&crate::model::testkit::pool(name)];
    let prop = |(on, _): &(String, String), key: &str| cluster.nodes[&node(on)].props.get(key).map(str::to_owned);
    for (at, a) in all.iter().enumerate() {
        for b in &all[at + 1..] {
            let (x, y) = (pool(a), pool(b));
            let space = x.shared_space.is_some() && x.shared_space == y.shared_space;
            if a.0 == b.0 || space || !x.provider.mixes_with(y.provider) {
                return false;
            }
        }
    }
    let count = |places: &[(String, String)], key: &str| {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        places.iter().filter_map(|place| prop(place, key)).for_each(|value| *counts.entry(value).or_default() += 1);
        counts
    };
    let same = filter.same.iter().flatten().all(|key| {
        let first = all.iter().find_map(|place| prop(place, key));
        all[standing.len()..].iter().all(|place| prop(place, key).is_some() && prop(place, key) == first)
    });
    let within = |key: &str, limit: u32| {
        let (before, after) = (count(&standing, key), count(&all, key));
        after.iter().all(|(value, n)| *n <= limit || before.get(value) == Some(n))
    };
    let half = |places: &[(String, String)], key: &str, limit: u32| {
        count(places, key).values().filter(|n| **n < limit).count()
    };
    let x = filter.x_different.iter().flatten();
    // A key's own count overrules that every value may be there once.
    let once = |key: &&String| filter.x_different.as_ref().is_none_or(|x| !x.contains_key(*key));
    same && filter.different.iter().flatten().filter(once).all(|key| within(key, 1))
        && x.into_iter()
            .all(|(key, limit)| within(key, *limit) && half(&all, key, *limit) <= half(&standing, key, *limit).max(1))
}

/// The highest sum of scores of any valid set.
fn brute_force(cluster: &Cluster, filter: &SelectFilter, seats: &[Seat], count: usize) -> Option<f64> {
    let sets = (0_u32..1 << seats.len()).filter(|set| set.count_ones() as usize == count);
    let sets = sets.map(|set| {
        seats.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, seat)| seat.clone()).collect::<Vec<_>>()
    });
    let valid = sets.filter(|set| keeps_rules(cluster, filter, set));
    valid.map(|set| set.iter().map(|seat| seat.score).sum()).max_by(f64::total_cmp)
}

fn chosen(placed: &Placed) -> Vec<Seat> {
    let seat = |one: &crate::model::placement::Choice| Seat {
        node: one.node.to_string(),
        pool: one.pool.to_string(),
        score: one.score,
    };
    placed.choices.iter().map(seat).collect()
}

#[test]
fn choices_keep_every_rule_and_none_is_missed() {
    let (mut placed_count, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let case = case(seed);
        let shown = format!("seed {seed}, filter {}, count {}:\n{}", case.filter, case.count, case.text);
        let (cluster, rules) = (cluster(&case.text), filter(&case.filter));
        let result = place_on(&cluster, &case.filter, case.count);
        let story = match &result {
            Ok(placed) => &placed.story,
            Err(not) => &not.story,
        };
        for name in cluster.nodes.keys() {
            assert!(story.entries.iter().any(|entry| entry.node == *name), "{name} is not in the story: {shown}");
        }
        assert_eq!(story.lines().count(), story.entries.len());
        let best = brute_force(&cluster, &rules, &seats(story), case.count);
        match (&result, best) {
            (Ok(placed), Some(best)) => {
                placed_count += 1;
                let chosen = chosen(placed);
                assert_eq!(chosen.len(), case.count, "{shown}");
                assert!(keeps_rules(&cluster, &rules, &chosen), "{} breaks a rule: {shown}", super::places(placed));
                let score: f64 = chosen.iter().map(|seat| seat.score).sum();
                assert!(score > best - 1e-9, "{score} instead of {best}: {shown}");
            }
            (Err(_), None) => refused += 1,
            (Ok(placed), None) => panic!("{} is not allowed: {shown}", super::places(placed)),
            (Err(not), Some(_)) => panic!("{not}, and there is a way: {shown}"),
        }
    }
    assert!(placed_count > 300 && refused > 300, "the seeds are one-sided: {placed_count} and {refused}");
}

#[test]
fn the_same_request_gives_the_same_places() {
    for seed in 0..50 {
        let case = case(seed);
        let (first, second) = (cluster(&case.text), cluster(&case.text));
        assert_eq!(place_on(&first, &case.filter, case.count), place_on(&second, &case.filter, case.count));
    }
}
