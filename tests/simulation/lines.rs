//! What happens to the world by a line of a script, and the end of all that: the calm.

use std::time::Duration;

use zea::model::moment::EpochMs;
use zea::model::names::NodeName;

use super::controller::EPOCH_MS;
use super::network::End;
use super::script::{Script, Weather, Who};
use super::world::{Event, World};

impl World {
    /// Everything in the script is going to happen.
    pub fn schedule(&mut self, script: &Script) {
        for (number, line) in script.lines.iter().enumerate() {
            if line.who != Who::World {
                let command = super::script::command(&line.text).expect("the script was read");
                self.commands.insert(number, command);
            }
            self.queue.at(line.at, Event::Line(number));
        }
        self.lines = script.lines.iter().map(|line| (line.who, line.text.clone())).collect();
    }

    pub fn line(&mut self, number: usize) {
        let Some((who, text)) = self.lines.get(number).cloned() else { return };
        match who {
            Who::Client(client) => self.give(client, number, &text),
            Who::World => {
                self.tell(|| format!("world: {text}"));
                self.strike(&text);
            }
        }
    }

    fn strike(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["kill", "controller"] => self.kill_controller(),
            ["start", "controller"] => self.start_controller(),
            ["fail", "controller"] => self.fail_writer(),
            ["damage", which] => self.damage(which.parse().unwrap_or(0)),
            ["clock", "controller", seconds] => {
                self.controller.skew += seconds.parse::<i64>().unwrap_or(0) * 1000;
            }
            ["write", name, number, value] => self.write(name, number, value.parse().unwrap_or(1)),
            [verb, node, ref rest @ ..] => {
                let name = NodeName::parse(node).ok();
                if let Some(index) = name.and_then(|name| self.index_of(&name)) {
                    self.strike_node(verb, index, rest);
                }
            }
            _ => {}
        }
    }

    fn strike_node(&mut self, verb: &str, index: usize, rest: &[&str]) {
        let name = self.nodes[index].name.clone();
        match (verb, rest) {
            ("kill", _) => self.kill_node(index),
            ("power-off", _) => self.power_off(index),
            ("start", _) => self.start_node(index),
            ("cut", ["to"]) => self.link(&name, |link, _| link.cut(End::Satellite)),
            ("cut", ["from"]) => self.link(&name, |link, _| link.cut(End::Controller)),
            ("cut", _) => {
                self.link(&name, |link, _| link.cut(End::Satellite));
                self.link(&name, |link, _| link.cut(End::Controller));
            }
            ("heal", _) => self.link(&name, |link, ground| link.heal(ground)),
            ("break", _) => self.link(&name, |link, ground| link.break_off(ground)),
            ("hang", _) => self.nodes[index].hangs = true,
            ("free", _) => self.free_node(index),
            ("fill", _) => self.nodes[index].machine.set_full(true),
            ("empty", _) => self.nodes[index].machine.set_full(false),
            ("eio", _) => self.nodes[index].machine.set_broken(true),
            ("mend", _) => self.nodes[index].machine.set_broken(false),
            ("clock", [seconds]) => self.nodes[index].skew += seconds.parse::<i64>().unwrap_or(0) * 1000,
            _ => {}
        }
    }

    /// The disk of a node is told the time, by the node's own clock.
    pub fn machine_clock(&mut self, index: usize) {
        let wall = EPOCH_MS + self.queue.now().as_millis() as i64 + self.nodes[index].skew;
        self.nodes[index].machine.set_now(EpochMs(wall));
    }

    fn damage(&mut self, which: u64) {
        if let Some(key) = self.controller.disk.damage(which) {
            self.tell(|| format!("record {key} is damaged"));
            self.judge.damaged(&key);
        }
    }

    /// Users write to a volume wherever it has a device.
    fn write(&mut self, name: &str, number: &str, value: u64) {
        let id = format!("{name}_{:05}", number.parse::<u32>().unwrap_or(0));
        for node in &self.nodes {
            node.machine.write(&id, value);
        }
    }

    /// The weather holds for disks, too.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
        for node in &self.nodes {
            node.machine.set_io(weather.io);
        }
    }

    /// From now on nothing goes wrong, and what did is mended.
    pub fn calm_down(&mut self) {
        self.tell(|| "calm".to_owned());
        self.calm = true;
        self.set_weather(Weather { delay: 5, commit: 5, pass: 50, ..Weather::default() });
        for index in 0..self.nodes.len() {
            self.nodes[index].machine.set_full(false);
            self.nodes[index].machine.set_broken(false);
            let name = self.nodes[index].name.clone();
            self.link(&name, |link, ground| link.heal(ground));
            self.free_node(index);
            self.start_node(index);
        }
        self.start_controller();
    }

    /// All clients have what they wanted.
    pub fn clients_are_idle(&self) -> bool {
        self.clients.values().all(|client| client.is_idle())
    }

    /// A client of its own asks in the calm: it has to be served at once.
    pub fn ask_in_calm(&mut self, text: &str) {
        let number = self.lines.len();
        self.lines.push((Who::Client(0), text.to_owned()));
        let command = super::script::command(text).expect("a command of the simulator's own");
        self.commands.insert(number, command);
        self.give(0, number, text);
        let until = self.queue.now() + Duration::from_secs(30);
        self.run_until(until);
    }
}
