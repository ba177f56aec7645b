//! What users of volumes ask for: definitions, replicas, snapshots, clones.

use super::guess::Guess;
use crate::simulation::judge::PASSPHRASE;
use crate::simulation::random::Random;

/// Sizes in KiB, all of them multiples of 4: a size that is none was miscounted somewhere.
const SIZES: [u64; 6] = [4, 1024, 4096, 65536, 1 << 20, 3 << 20];

fn size(random: &mut Random) -> u64 {
    *random.pick(&SIZES)
}

/// Makes a line of one sort.
type Make = fn(&mut Guess, &mut Random) -> String;

/// A line with a command.
pub fn request(guess: &mut Guess, random: &mut Random) -> String {
    if !guess.later.is_empty() && random.permille(600) {
        return guess.later.pop_front().unwrap_or_default();
    }
    if guess.definitions.len() < 2 && random.permille(700) {
        return simple_spawn(guess, random);
    }
    let makes: &[(u64, Make)] = &[
        (14, simple_spawn),
        (8, spawn),
        (5, define),
        (8, place),
        (9, volume),
        (7, delete),
        (12, snapshot),
        (7, drop_snapshot),
        (8, restore),
        (6, clone),
        (5, rollback),
        (8, replica),
        (5, activity),
        (4, disk),
        (5, properties),
    ];
    let weights: Vec<u64> = makes.iter().map(|(weight, _)| *weight).collect();
    makes[random.weighted(&weights)].1(guess, random)
}

/// A line that writes to a volume, if it is there.
pub fn write(guess: &Guess, random: &mut Random) -> String {
    // A number that tells writes apart; drawn, so that a script without some of its lines writes the same.
    format!("write {} 0 {}", guess.definition(random), random.between(1, 1 << 40))
}

fn filter(guess: &Guess, random: &mut Random) -> String {
    let count = random.weighted(&[1, 40, 40, 12, 3]);
    let extra = match random.below(24) {
        0 => " different=Aux/zone".to_owned(),
        1 => " same=Aux/zone".to_owned(),
        2 => format!(" nodes={},{}", guess.node(random), guess.node(random)),
        3 => " pools=data".to_owned(),
        4 => " pools=fat providers=FILE".to_owned(),
        5 => format!(" not-with={}", guess.definition(random)),
        6 => " not-with-regex=^pvc".to_owned(),
        7 => " x-different=Aux/zone:2".to_owned(),
        8 => " different=Aux/zone~a".to_owned(),
        9 => " pools=gone".to_owned(),
        10 => " remaining=yes".to_owned(),
        _ => String::new(),
    };
    format!("count={count}{extra}")
}

fn layers(random: &mut Random) -> &'static str {
    [" layers=STORAGE", " layers=DRBD,STORAGE", "", " layers=LUKS,STORAGE", " layers=STORAGE,DRBD"]
        [random.weighted(&[56, 18, 16, 9, 1])]
}

/// One that has a good chance to be done.
pub fn simple_spawn(guess: &mut Guess, random: &mut Random) -> String {
    let count = random.between(1, (guess.nodes.len() as u64).min(3));
    let layers = if random.permille(650) { "STORAGE" } else { "DRBD,STORAGE" };
    let name = guess.new_definition(random);
    format!("spawn DfltRscGrp {name} sizes={} count={count} layers={layers}", size(random))
}

fn spawn(guess: &mut Guess, random: &mut Random) -> String {
    let group = guess.group(random);
    let filter = filter(guess, random);
    let layers = layers(random);
    let name = match random.below(20) {
        0 => format!("ext:Of-{}", random.below(3)),
        _ => guess.new_definition(random),
    };
    let sizes = match random.below(10) {
        0 => format!("{},{} partial", size(random), size(random)),
        1 => format!("{},{}", size(random), size(random)),
        _ => size(random).to_string(),
    };
    let bare = if random.permille(60) { " bare" } else { "" };
    format!("spawn {group} {name} sizes={sizes} {filter}{layers}{bare}")
}

fn define(guess: &mut Guess, random: &mut Random) -> String {
    let name = match random.below(12) {
        0 => "ext:".to_owned(),
        1 => format!("ext:Of-{}", random.below(3)),
        2 => "ext:0f5a7c3e-9f8b-4c1d-8a2b-123456789abc".to_owned(),
        _ => guess.new_definition(random),
    };
    let group = if random.permille(300) { format!(" group={}", guess.group(random)) } else { String::new() };
    let secret = if random.permille(200) { " secret=hush-hush-4711" } else { "" };
    if !name.contains(':') {
        guess.later.push_back(format!("volume create {name} number=0 size={}", size(random)));
        guess.later.push_back(format!("resource autoplace {name} count={}", random.between(1, 2)));
    }
    format!("definition create {name}{}{group}{secret}", layers(random))
}

fn place(guess: &mut Guess, random: &mut Random) -> String {
    let name = guess.definition(random);
    match random.below(8) {
        0 => format!("resource autoplace {name} more=1"),
        1 => format!("adjust {}", guess.group(random)),
        2 => "adjust".to_owned(),
        3 => format!(
            "resource available {name} {}{}",
            guess.node(random),
            if random.permille(500) { " diskful" } else { "" }
        ),
        _ => format!("resource autoplace {name} {}", filter(guess, random)),
    }
}

fn volume(guess: &mut Guess, random: &mut Random) -> String {
    let name = guess.definition(random);
    let size = size(random);
    match random.below(10) {
        0 => format!("volume create {name} number=2 size={size} minor={}", random.between(1000, 1003)),
        1..4 => format!("volume create {name} number={} size={size}", random.below(3)),
        4 => format!("volume create {name} size={}", [size, 0, 1 << 41][random.weighted(&[6, 1, 1])]),
        5..8 => format!("volume modify {name} {} size={size}", random.below(2)),
        8 if random.permille(300) => format!("volume passphrase {name} 0 {PASSPHRASE}-{}", random.below(3)),
        8 => format!("volume modify {name} 0 Aux/tier={}", random.below(3)),
        _ => format!("volume delete {name} {}", random.below(3)),
    }
}

fn delete(guess: &mut Guess, random: &mut Random) -> String {
    let name = guess.definition(random);
    // What has snapshots is not deleted before them.
    for (_, snap) in guess.snapshots.iter().filter(|(of, _)| *of == name) {
        guess.later.push_back(format!("snapshot delete {name} {snap}"));
    }
    if guess.snapshots.iter().any(|(of, _)| *of == name) {
        guess.later.push_back(format!("definition delete {name}"));
        guess.snapshots.retain(|(of, _)| *of != name);
    }
    guess.forget_definition(&name);
    format!("definition delete {name}")
}

fn snapshot(guess: &mut Guess, random: &mut Random) -> String {
    let (name, snap) = guess.new_snapshot(random);
    match random.below(6) {
        0 => {
            let to = guess.new_definition(random);
            guess.later.push_back(format!("definition create {to} layers=STORAGE"));
            guess.later.push_back(format!("snapshot volumes {name} {snap} {to}"));
            guess.later.push_back(format!("snapshot restore {name} {snap} {to}"));
        }
        1 => guess.later.push_back(format!("snapshot rollback {name} {snap}")),
        _ => {}
    }
    match random.below(12) {
        0 => format!("snapshot create {snap} {name} {}", guess.definition(random)),
        1 => format!("snapshot create {snap} {name} nodes={}", guess.node(random)),
        2 => format!("snapshot modify {name} {snap} Aux/keep=yes"),
        _ => format!("snapshot create {snap} {name}"),
    }
}

fn drop_snapshot(guess: &mut Guess, random: &mut Random) -> String {
    let pair = guess.snapshot(random);
    if random.permille(150) {
        return format!("snapshot delete {} {} nodes={}", pair.0, pair.1, guess.node(random));
    }
    guess.forget_snapshot(&pair);
    format!("snapshot delete {} {}", pair.0, pair.1)
}

fn restore(guess: &mut Guess, random: &mut Random) -> String {
    let (name, snap) = guess.snapshot(random);
    let to = guess.definition(random);
    match random.below(5) {
        0..2 => format!("snapshot volumes {name} {snap} {to}"),
        2 => format!("snapshot restore {name} {snap} {to} nodes={}", guess.node(random)),
        _ => format!("snapshot restore {name} {snap} {to}"),
    }
}

fn clone(guess: &mut Guess, random: &mut Random) -> String {
    let from = guess.definition(random);
    format!("clone {from} {}", guess.new_definition(random))
}

fn rollback(guess: &mut Guess, random: &mut Random) -> String {
    let (name, snap) = guess.snapshot(random);
    format!("snapshot rollback {name} {snap}")
}

fn replica(guess: &mut Guess, random: &mut Random) -> String {
    let (name, node) = (guess.definition(random), guess.node(random));
    match random.below(10) {
        0..4 => format!("resource create {name} {node} pool=data"),
        4 if random.permille(500) => {
            guess.later.push_front(format!("resource activate {name} {node}"));
            format!("resource create {name} {node} inactive-for-good pool=data")
        }
        4 => format!("resource create {name} {node}"),
        5 => format!("resource create {name} {node} {} pool=fat", guess.node(random)),
        6 => format!(
            "resource create {name} {node} {}",
            random.pick(&[
                "diskless",
                "drbd-diskless",
                "inactive pool=data",
                "pool=data layers=LUKS,STORAGE",
                "pool=DfltDisklessStorPool",
                "pool=data id=3"
            ])
        ),
        _ => format!("resource delete {name} {node}"),
    }
}

fn activity(guess: &mut Guess, random: &mut Random) -> String {
    let verb = *random.pick(&["activate", "deactivate"]);
    format!("resource {verb} {} {}", guess.definition(random), guess.node(random))
}

fn disk(guess: &mut Guess, random: &mut Random) -> String {
    let (name, node) = (guess.definition(random), guess.node(random));
    match random.below(4) {
        0 => format!("resource toggle {name} {node} diskless"),
        1 => format!("resource toggle {name} {node} diskful pool=data"),
        2 => format!("resource toggle {name} {node} diskful"),
        _ => format!("resource toggle {name} {node} diskful from={}", guess.node(random)),
    }
}

fn properties(guess: &mut Guess, random: &mut Random) -> String {
    let (name, node) = (guess.definition(random), guess.node(random));
    match random.below(6) {
        0 => format!("definition modify {name} Aux/tier={}", random.below(3)),
        1 => format!("definition modify {name} group={}", guess.group(random)),
        2 => format!("definition modify {name}{} slots={}", layers(random), random.between(1, 9)),
        3 => format!("resource modify {name} {node} Aux/x={}", random.below(3)),
        4 => format!("resource volume {name} {node} 0 Aux/x={}", random.below(3)),
        _ => format!("resource connect {name} {node} {} Aux/path={}", guess.node(random), random.below(3)),
    }
}
