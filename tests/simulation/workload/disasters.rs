//! What goes wrong, and when it ends: partitions, crashes, power losses, full pools, hanging commands, clocks that jump,
//! damaged records.

use std::time::Duration;

use super::{Draft, Mood};
use crate::simulation::random::Random;
use crate::simulation::script::Who;

/// Adds them to a draft, as many as the mood says, within its time.
pub fn add(draft: &mut Draft, random: &mut Random, (mood, began, length): (Mood, Duration, Duration)) {
    let count = match mood {
        Mood::Calm => 0,
        Mood::Breezy => random.between(1, 4),
        Mood::Stormy => random.between(3, 12),
        Mood::Hell => random.between(8, 30),
    };
    for _ in 0..count {
        let at = began + length.mul_f64(random.below(1000) as f64 / 1000.0);
        let lasts = Duration::from_millis(random.between(10, 90_000));
        one(draft, random, (at, lasts, mood));
    }
}

fn one(draft: &mut Draft, random: &mut Random, (at, lasts, mood): (Duration, Duration, Mood)) {
    let node = random.pick(&draft.guess.nodes.clone()).clone();
    if random.permille(120) {
        return give_up(draft, random, (at, lasts, &node));
    }
    let mut pair = |begin: String, end: String| {
        draft.add(at, Who::World, begin);
        draft.add(at + lasts, Who::World, end);
    };
    match random.weighted(&[14, 8, 8, 12, 8, 8, 5, 6, 6, 5, 8, 4, 2]) {
        0 => pair("kill controller".to_owned(), "start controller".to_owned()),
        1 => pair(format!("kill {node}"), format!("start {node}")),
        2 => pair(format!("power-off {node}"), format!("start {node}")),
        3 => pair(format!("cut {node}"), format!("heal {node}")),
        4 => pair(format!("cut {node} {}", random.pick(&["to", "from"])), format!("heal {node}")),
        5 => draft.add(at, Who::World, format!("break {node}")),
        6 => pair(format!("hang {node}"), format!("free {node}")),
        7 => pair(format!("fill {node}"), format!("empty {node}")),
        8 => pair(format!("eio {node}"), format!("mend {node}")),
        9 => {
            let who = if random.permille(500) { "controller" } else { node.as_str() };
            draft.add(at, Who::World, format!("clock {who} {}", [-3600, -5, 5, 86_400][random.below(4) as usize]));
        }
        10 => swizzle(draft, random, (at, lasts)),
        11 => draft.add(at, Who::World, "fail controller".to_owned()),
        _ if mood == Mood::Hell => draft.add(at, Who::World, format!("damage {}", random.below(1000))),
        _ => draft.add(at, Who::World, format!("break {node}")),
    }
}

/// A node stays away so long that its admin gives it up, and takes it back, or not.
fn give_up(draft: &mut Draft, random: &mut Random, (at, lasts, node): (Duration, Duration, &str)) {
    let admin = Who::Client(6);
    for name in draft.guess.definitions.clone().iter().filter(|_| random.permille(300)) {
        draft.add(at, admin, format!("resource deactivate {name} {node}"));
    }
    let away = at + Duration::from_secs(10);
    draft.add(away, Who::World, format!("kill {node}"));
    let given_up = away + Duration::from_secs(20);
    let verb = if random.permille(800) { "evict" } else { "lost" };
    draft.add(given_up, admin, format!("node {verb} {node}"));
    let back = given_up + lasts;
    draft.add(back, Who::World, format!("start {node}"));
    match random.below(4) {
        0 => draft.add(back, admin, format!("node restore {node} resources snapshots")),
        1 => draft.add(back, admin, super::admin::node_line(node[1..].parse().unwrap_or(1))),
        _ => draft.add(back, admin, format!("node restore {node}")),
    }
}

/// A random set is cut off one by one, and healed in another order.
fn swizzle(draft: &mut Draft, random: &mut Random, (at, lasts): (Duration, Duration)) {
    let mut nodes = draft.guess.nodes.clone();
    random.shuffle(&mut nodes);
    nodes.truncate(random.between(1, nodes.len() as u64) as usize);
    for (index, node) in nodes.iter().enumerate() {
        draft.add(at + Duration::from_millis(700 * index as u64), Who::World, format!("cut {node}"));
    }
    random.shuffle(&mut nodes);
    for (index, node) in nodes.iter().enumerate() {
        draft.add(at + lasts + Duration::from_millis(900 * index as u64), Who::World, format!("heal {node}"));
    }
}
