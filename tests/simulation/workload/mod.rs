//! Draws a script from a seed: a cluster, what its clients ask, what its admins do in the middle, and what goes wrong.
//! It guesses what is there from what it asked for before, so that most of it makes sense; it never looks at a run.

mod admin;
mod disasters;
mod guess;
mod volumes;

use std::time::Duration;

use super::random::Random;
use super::script::{Line, Script, Weather, Who};
use guess::Guess;

/// Chance's purposes: each part draws from its own row, so that one more draw here changes nothing there.
const OF_CLUSTER: u64 = 1;
const OF_REQUESTS: u64 = 2;
const OF_DISASTERS: u64 = 3;

/// How bad a run is, from none to all of what can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    Calm,
    Breezy,
    Stormy,
    Hell,
}

/// The script of a seed.
pub fn draw(seed: u64) -> Script {
    let mut random = Random::new(seed, OF_CLUSTER);
    let mood = [Mood::Calm, Mood::Breezy, Mood::Stormy, Mood::Hell][random.weighted(&[15, 35, 30, 20])];
    let nodes = match random.weighted(&[10, 60, 25, 5]) {
        0 => random.between(1, 2),
        1 => random.between(3, 5),
        2 => random.between(6, 9),
        _ => random.between(10, 20),
    } as u8;
    let length = Duration::from_secs(random.between(60, 900));
    let mut draft = Draft { lines: Vec::new(), guess: Guess::new(nodes) };
    admin::found(&mut draft, &mut random);
    let began = draft.lines.last().map(|line| line.at).unwrap_or_default();
    let count = random.between(30, 160);
    requests(&mut draft, seed, (began, length, count));
    let weather = weather(mood, &mut random);
    disasters::add(&mut draft, &mut Random::new(seed, OF_DISASTERS), (mood, began, length));
    let mut lines = draft.lines;
    lines.sort_by_key(|line| line.at);
    Script { seed, nodes, weather, plant: None, lines }
}

/// A script in the making.
pub struct Draft {
    pub lines: Vec<Line>,
    pub guess: Guess,
}

impl Draft {
    pub fn add(&mut self, at: Duration, who: Who, text: String) {
        self.lines.push(Line { at: Duration::from_millis(at.as_millis() as u64), who, text });
    }
}

fn requests(draft: &mut Draft, seed: u64, (began, length, count): (Duration, Duration, u64)) {
    let mut random = Random::new(seed, OF_REQUESTS);
    let clients = random.between(1, 5) as u8;
    for number in 0..count {
        let even = length.mul_f64(number as f64 / count as f64);
        let at = began + even + Duration::from_millis(random.below(3000));
        let client = Who::Client(random.between(1, u64::from(clients)) as u8);
        let text = match random.weighted(&[64, 18, 18]) {
            0 => volumes::request(&mut draft.guess, &mut random),
            1 => admin::request(&mut draft.guess, &mut random),
            _ => {
                let text = volumes::write(&draft.guess, &mut random);
                draft.add(at, Who::World, text);
                continue;
            }
        };
        // Somebody else wants just now what is being taken away.
        if text.starts_with("resource delete") && random.permille(400) {
            let other = Who::Client(random.between(1, u64::from(clients)) as u8);
            draft.add(at + Duration::from_millis(random.below(40)), other, text.replace("delete", "available"));
        }
        if text.starts_with("snapshot rollback") && random.permille(500) {
            let other = Who::Client(random.between(1, u64::from(clients)) as u8);
            draft.add(at + Duration::from_millis(random.below(40)), other, text.clone());
        }
        draft.add(at, client, text);
    }
}

fn weather(mood: Mood, random: &mut Random) -> Weather {
    let calm = Weather {
        delay: random.between(1, 20),
        commit: random.between(1, 30),
        pass: random.between(1, 300),
        ..Weather::default()
    };
    let mut some = |most| if random.permille(500) { random.below(most) } else { 0 };
    match mood {
        Mood::Calm => calm,
        Mood::Breezy => {
            Weather { stall: some(10), commit_stall: some(20), io: some(10), answer_lost: some(30), ..calm }
        }
        Mood::Stormy => Weather {
            stall: some(40),
            commit_stall: some(60),
            commit_fails: some(20),
            hang: some(10),
            io: some(40),
            answer_lost: some(100),
            commit_crash: some(10),
            ..calm
        },
        Mood::Hell => Weather {
            stall: some(150),
            commit_stall: some(150),
            commit_fails: some(100),
            hang: some(60),
            io: some(200),
            answer_lost: some(300),
            commit_crash: some(60),
            ..calm
        },
    }
}
