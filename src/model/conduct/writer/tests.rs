//! The writer by script: messages in, effects as words out.

use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Effect, Limits, Outcome, Writer};
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::code::Kind;
use crate::model::command::{
    Command, DefinitionCommand, EncryptionCommand, Naming, NewDefinition, NewPool, NodeCommand, PoolCommand,
};
use crate::model::conduct::tests::report;
use crate::model::conduct::{At, Rules};
use crate::model::decide::Observation;
use crate::model::encryption::Lock;
use crate::model::kinds::{ConnectionStatus, LayerKind, ProviderKind, VolumeDefinitionFlags};
use crate::model::moment::{EpochMs, Moment};
use crate::model::names::NodeName;
use crate::model::news::News;
use crate::model::node::BACKING_PROP;
use crate::model::observed::{NodeStatus, ResourceStatus, Sighting};
use crate::model::props::PropsModify;
use crate::model::report::{Capacity, PoolReport, Problem, Refused, Report, ResourceReport};
use crate::model::secret::Secret;
use crate::model::size::Kib;
use crate::model::testkit::{cluster, node, pool, rsc, volume};

mod away;

const DEADLINE: Duration = Duration::from_secs(10);
const TWO_REPLICAS: &str = "node alpha\npool alpha data FILE_THIN 50/100\nnode beta\npool beta data FILE_THIN 50/100\n\
                            rsc web 10 alpha/data:made beta/data:made";

struct Rig {
    writer: Writer<u32>,
    /// Seconds since the start.
    seconds: u64,
    /// What readers see.
    view: Cluster,
}

impl Rig {
    /// A writer that has loaded what the text describes, nodes and pools having told of themselves.
    fn of(text: &str) -> Self {
        let cluster = cluster(&format!("grp DfltRscGrp\n{text}"));
        let mut rig = Self::fresh();
        let records = records(&cluster);
        rig.load(records, &cluster);
        rig
    }

    fn fresh() -> Self {
        Self::with(Rules::default())
    }

    fn with(rules: Rules) -> Self {
        Self { writer: Writer::new(rules, DEADLINE), seconds: 0, view: Cluster::default() }
    }

    fn at(&self) -> At {
        let moment = Moment::repeatable(EpochMs(1_700_000_000_000 + self.seconds as i64 * 1000), self.seconds);
        At { moment, mono: Duration::from_secs(self.seconds) }
    }

    fn load(&mut self, records: Vec<Change>, last_seen: &Cluster) -> Vec<String> {
        let effects = self.writer.loaded(records, last_seen, self.at());
        self.show(effects)
    }

    fn ask(&mut self, who: u32, command: &Command, answer: Answer) -> Vec<String> {
        let effects = self.writer.execute(command, answer, who, self.at());
        self.show(effects)
    }

    fn define(&mut self, who: u32, name: &str) -> Vec<String> {
        let new = NewDefinition {
            name: Naming::Name(rsc(name)),
            group: None,
            layers: None,
            props: PropsModify::default(),
            peer_slots: None,
            secret: None,
        };
        self.ask(who, &Command::Definition(DefinitionCommand::Create(new)), Answer::WhenDurable)
    }

    fn delete(&mut self, who: u32, name: &str, answer: Answer) -> Vec<String> {
        self.ask(who, &Command::Definition(DefinitionCommand::Delete { name: rsc(name) }), answer)
    }

    fn report(&mut self, on: &str, report: Report) -> Vec<String> {
        let effects = self.writer.reports(&node(on), &[report], self.at());
        self.show(effects)
    }

    fn status(&mut self, of: &str, status: ConnectionStatus) -> Vec<String> {
        let status = NodeStatus { status, ..NodeStatus::unknown() };
        let effects = self.writer.node_status(node(of), status, self.at());
        self.show(effects)
    }

    fn committed(&mut self) -> Vec<String> {
        let effects = self.writer.committed();
        self.show(effects)
    }

    fn sweep(&mut self, seconds: u64) -> Vec<String> {
        self.seconds = seconds;
        let effects = self.writer.sweep(self.at());
        self.show(effects)
    }

    fn show(&mut self, effects: Vec<Effect<u32>>) -> Vec<String> {
        effects.into_iter().map(|effect| self.word(effect)).collect()
    }

    fn word(&mut self, effect: Effect<u32>) -> String {
        match effect {
            Effect::Commit(decisions) => {
                let one = |changes: &Vec<Change>| changes.iter().map(change).collect::<Vec<_>>().join(",");
                format!("commit {}", decisions.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            Effect::Publish(cluster) => {
                self.view = (*cluster).clone();
                "publish".to_owned()
            }
            Effect::Answer(who, Outcome::Refused(_)) => format!("{who} refused"),
            Effect::Answer(who, Outcome::Busy) => format!("{who} busy"),
            Effect::Answer(who, Outcome::Done(notes)) => {
                let bad = notes.iter().filter(|note| matches!(note.kind, Kind::Warn | Kind::Error));
                format!("{who} done{}", bad.map(|note| format!("; {}", note.message)).collect::<String>())
            }
            Effect::News(news) => {
                let resources = news.resources.iter().map(|(node, desired)| format!(" {}@{node}", desired.rsc));
                let nodes = news.nodes.iter().map(|node| format!(" {node}"));
                let all = if news.everybody { " everybody" } else { "" };
                format!("news{}{}{all}", resources.collect::<String>(), nodes.collect::<String>())
            }
        }
    }
}

fn change(change: &Change) -> String {
    let (name, there) = match change {
        Change::Controller(_) => ("controller".to_owned(), true),
        Change::Node(name, record) => (name.to_string(), record.is_some()),
        Change::Definition(name, record) => (name.to_string(), record.is_some()),
        Change::Group(name, record) => (name.to_string(), record.is_some()),
        Change::PoolDefinition(name, record) => (name.to_string(), record.is_some()),
        Change::Snapshot(key, record) => (key.name.to_string(), record.is_some()),
        other => panic!("no test changes {other:?}"),
    };
    format!("{}{name}", if there { "" } else { "-" })
}

fn records(cluster: &Cluster) -> Vec<Change> {
    let controller = std::iter::once(Change::Controller(cluster.controller.clone()));
    let nodes = cluster.nodes.iter().map(|(name, record)| Change::Node(name.clone(), Some(record.clone())));
    let groups = cluster.groups.iter().map(|(name, record)| Change::Group(name.clone(), Some(record.clone())));
    let all = cluster.definitions.iter();
    let definitions = all.map(|(name, record)| Change::Definition(name.clone(), Some(record.clone())));
    let all = cluster.snapshots.iter();
    let snapshots = all.map(|(key, record)| Change::Snapshot(key.clone(), Some(record.clone())));
    controller.chain(nodes).chain(groups).chain(definitions).chain(snapshots).collect()
}

/// The resource is gone, as asked by the generation.
fn gone(name: &str, generation: u64) -> Report {
    Report::Resource(ResourceReport { gone: true, ..report(name, generation) })
}

fn failed(name: &str, generation: u64) -> Report {
    let Report::Resource(report) = gone(name, generation) else { unreachable!("made so above") };
    Report::Resource(ResourceReport { gone: false, problem: Some(problem()), ..report })
}

fn problem() -> Problem {
    Problem {
        message: "lvremove failed".to_owned(),
        cause: "the device is open".to_owned(),
        correction: "close it".to_owned(),
        details: String::new(),
    }
}

/// The order of the generation is refused, for the device is in use.
fn refused(name: &str, generation: u64) -> Report {
    let Report::Resource(report) = failed(name, generation) else { unreachable!("made so above") };
    let refused = vec![Refused::Shrink(volume(0))];
    Report::Resource(ResourceReport { in_use: Some(true), refused, ..report })
}

const NONE: [&str; 0] = [];

#[test]
fn nothing_is_shown_before_the_first_records_are_durable() {
    let mut rig = Rig::fresh();
    let first = "commit controller,DfltRscGrp,DfltStorPool,DfltDisklessStorPool";
    assert_eq!(rig.load(Vec::new(), &Cluster::default()), [first]);
    assert_eq!(rig.committed(), ["publish", "news everybody"]);
    assert_eq!(rig.committed(), NONE);
}

#[test]
fn a_state_that_was_loaded_is_shown_at_once_and_everybody_is_told() {
    let state = cluster(TWO_REPLICAS);
    let mut rig = Rig::fresh();
    assert_eq!(rig.load(records(&state), &Cluster::default()), ["publish", "news alpha beta everybody"]);
    assert!(!rig.view.is_online(&node("alpha")), "nobody has told yet");
}

#[test]
fn one_batch_is_in_flight_and_answers_leave_with_theirs() {
    let mut rig = Rig::of("");
    assert_eq!(rig.define(1, "one"), ["commit one"]);
    assert_eq!(rig.define(2, "two"), NONE);
    assert_eq!(rig.define(3, "three"), NONE);
    assert!(rig.view.definitions.is_empty());
    assert_eq!(rig.committed(), ["publish", "1 done", "commit two three"]);
    assert_eq!(rig.view.definitions.keys().map(ToString::to_string).collect::<Vec<_>>(), ["one"]);
    assert_eq!(rig.writer.head().definitions.len(), 3);
    assert_eq!(rig.define(4, "four"), NONE);
    assert_eq!(rig.committed(), ["publish", "2 done", "3 done", "commit four"]);
    assert_eq!(rig.view.definitions.len(), 3);
    assert_eq!(rig.committed(), ["publish", "4 done"]);
}

fn limited(batch: usize, queue: usize) -> Rig {
    let mut rig = Rig::of("");
    rig.writer = Writer::new(Rules::default(), DEADLINE).within(Limits { batch, queue });
    let state = cluster("");
    rig.load(records(&state), &state);
    rig
}

#[test]
fn a_batch_is_no_larger_than_allowed_and_shows_no_more_than_is_durable() {
    let mut rig = limited(2, 100);
    assert_eq!(rig.define(1, "one"), ["commit DfltRscGrp,one"]);
    for (who, name) in (2..).zip(["two", "three", "four", "five", "six"]) {
        assert_eq!(rig.define(who, name), NONE);
    }
    let seen = |rig: &Rig| rig.view.definitions.len();
    assert_eq!((rig.committed(), seen(&rig)), (words(&["publish", "1 done", "commit two three"]), 1));
    assert_eq!((rig.committed(), seen(&rig)), (words(&["publish", "2 done", "3 done", "commit four five"]), 3));
    assert_eq!(rig.define(7, "seven"), NONE);
    assert_eq!((rig.committed(), seen(&rig)), (words(&["publish", "4 done", "5 done", "commit six seven"]), 5));
    assert_eq!((rig.committed(), seen(&rig)), (words(&["publish", "6 done", "7 done"]), 7));
    let mut rig = limited(1, 100);
    assert_eq!(rig.define(1, "one"), ["commit DfltRscGrp,one"]);
    assert_eq!((rig.define(2, "one"), rig.define(3, "two")), (words(&NONE), words(&NONE)));
    assert_eq!(rig.committed(), ["publish", "1 done", "publish", "2 refused", "commit two"], "none waits for nothing");
}

#[test]
fn more_requests_than_may_wait_are_turned_away_and_reports_never() {
    let mut rig = limited(8, 2);
    assert_eq!(rig.define(1, "one"), ["commit DfltRscGrp,one"], "it does not wait");
    assert_eq!((rig.define(2, "two"), rig.define(3, "three")), (words(&NONE), words(&NONE)));
    assert_eq!(rig.define(4, "four"), ["4 busy"]);
    assert_eq!(rig.report("alpha", gone("one", 1)), NONE);
    assert!(!rig.writer.head().definitions.contains_key(&rsc("four")), "nothing was decided");
    assert_eq!(rig.committed(), ["publish", "1 done", "commit two three"]);
    assert_eq!(rig.define(5, "four"), NONE, "there is room again");
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn what_changes_nothing_is_answered_in_turn() {
    let mut rig = Rig::of("");
    assert_eq!(rig.define(1, "web"), ["commit web"]);
    assert_eq!(
        rig.define(2, "web"),
        NONE,
        "it is there already, but not durable: the refusal must not be seen before it is"
    );
    assert_eq!(rig.writer.answer_in_turn(3, Outcome::Done(Vec::new())).len(), 0);
    assert_eq!(rig.define(4, "api"), NONE);
    assert_eq!(rig.committed(), ["publish", "1 done", "commit api"]);
    assert_eq!(rig.committed(), ["publish", "2 refused", "3 done", "4 done"]);
    assert_eq!(rig.define(5, "api"), ["publish", "5 refused"]);
}

#[test]
fn read_only_entries_that_waited_leave_without_a_commit() {
    let mut rig = Rig::of("");
    assert_eq!(rig.define(1, "web"), ["commit web"]);
    assert_eq!(rig.define(2, "web"), NONE);
    assert_eq!(rig.committed(), ["publish", "1 done", "publish", "2 refused"]);
    assert_eq!(rig.define(3, "api"), ["commit api"], "none is in flight");
}

#[test]
fn nodes_are_told_and_the_request_is_answered_with_the_commits_that_these_follow_from() {
    let mut rig = Rig::of(TWO_REPLICAS);
    assert_eq!(rig.delete(1, "web", Answer::WhenCarriedOut), ["commit web"]);
    assert_eq!(rig.committed(), ["publish", "news web@alpha web@beta"]);
    assert!(rig.writer.waiting());
    assert_eq!(rig.report("alpha", gone("web", 2)), ["commit web"]);
    assert_eq!(rig.report("beta", gone("web", 2)), NONE, "carried out, and the answer waits for the disk");
    let first = rig.committed();
    assert_eq!((first[0].as_str(), first.last().map(String::as_str)), ("publish", Some("commit -web")), "{first:?}");
    assert!(!first.iter().any(|word| word.starts_with('1')), "{first:?}");
    assert!(rig.view.definitions.contains_key(&rsc("web")));
    assert_eq!(rig.committed(), ["publish", "1 done"]);
    assert!(rig.view.definitions.is_empty() && !rig.writer.waiting());
}

#[test]
fn who_does_not_wait_for_nodes_is_answered_at_the_commit() {
    let mut rig = Rig::of(TWO_REPLICAS);
    assert_eq!(rig.delete(1, "web", Answer::WhenDurable), ["commit web"]);
    assert_eq!(rig.committed(), ["publish", "1 done", "news web@alpha web@beta"]);
    assert!(!rig.writer.waiting());
}

#[test]
fn a_request_hears_what_failed_on_a_node_and_which_is_away() {
    let mut rig = Rig::of(TWO_REPLICAS);
    rig.delete(1, "web", Answer::WhenCarriedOut);
    rig.committed();
    assert_eq!(rig.report("alpha", failed("web", 2)), ["publish"], "beta is still awaited");
    let away = rig.status("beta", ConnectionStatus::Offline);
    let words = "1 done; (Node: 'alpha') lvremove failed; Node 'beta' is not connected";
    assert_eq!(away, ["publish", words]);
}

#[test]
fn at_the_deadline_the_request_hears_who_has_not_answered() {
    let mut rig = Rig::of(TWO_REPLICAS);
    rig.seconds = 5;
    rig.delete(1, "web", Answer::WhenCarriedOut);
    rig.committed();
    assert_eq!(rig.report("alpha", gone("web", 2)), ["commit web"]);
    assert_eq!(rig.sweep(14), NONE);
    let told = rig.committed();
    assert!(!told.iter().any(|word| word.starts_with('1')), "{told:?}");
    assert!(rig.writer.waiting());
    let late = "1 done; Node 'beta' has not carried out the change of 'web' in time";
    assert_eq!(rig.sweep(15), ["publish", late]);
    assert!(!rig.writer.waiting());
    assert_eq!(rig.sweep(16), ["publish"], "answered once");
}

#[test]
fn an_answer_that_is_late_goes_with_the_batch_after_the_one_in_flight() {
    let mut rig = Rig::of(TWO_REPLICAS);
    rig.delete(1, "web", Answer::WhenCarriedOut);
    rig.committed();
    assert_eq!(rig.define(2, "api"), ["commit api"]);
    assert_eq!(rig.sweep(10), NONE);
    let both = rig.committed();
    assert_eq!(both[..3], ["publish", "2 done", "publish"], "{both:?}");
    assert!(both[3].starts_with("1 done; ") && both.len() == 4, "{both:?}");
}

#[test]
fn a_new_pool_is_waited_for_until_its_node_tells_of_it() {
    let props = [(BACKING_PROP.to_owned(), "vg".to_owned())].into();
    let new = NewPool {
        node: node("alpha"),
        name: pool("data"),
        provider: ProviderKind::Lvm,
        props: PropsModify { override_props: props, ..PropsModify::default() },
        shared_space: None,
        external_locking: false,
    };
    let mut rig = Rig::of("node alpha\nspd data");
    let words = rig.ask(1, &Command::Pool(PoolCommand::Create(new)), Answer::WhenCarriedOut);
    assert!(words.len() == 1 && words[0].starts_with("commit "), "{words:?}");
    assert_eq!(rig.committed(), ["publish", "news alpha"]);
    let room = Capacity { free: Kib(5), total: Kib(9) };
    let seen = PoolReport {
        pool: pool("data"),
        capacity: Ok(room),
        supports_snapshots: true,
        granularity: Kib(4),
        warning: None,
    };
    assert_eq!(rig.report("alpha", Report::Pool(seen)), ["publish", "1 done"]);
}

#[test]
fn a_node_that_goes_away_leaves_nothing_known_of_its_resources() {
    let mut rig = Rig::of(TWO_REPLICAS);
    rig.report("alpha", failed("web", 1));
    let known = |rig: &Rig| rig.view.resource_status_of(&rsc("web"), &node("alpha")).is_some();
    assert!(known(&rig) && rig.view.is_online(&node("alpha")));
    assert_eq!(rig.status("alpha", ConnectionStatus::Offline), ["publish"]);
    assert!(!known(&rig) && !rig.view.is_online(&node("alpha")));
}

/// Eviction is decided while the node is away, and its satellite comes back before contact is given up.
#[test]
fn a_node_that_was_evicted_meanwhile_is_not_online() {
    let mut rig = Rig::of("node alpha offline\nnode beta evicted offline");
    let words = rig.ask(1, &Command::Node(NodeCommand::Evict { name: node("alpha") }), Answer::WhenDurable);
    assert_eq!(words, ["commit alpha"]);
    for status in [ConnectionStatus::Connected, ConnectionStatus::Online] {
        assert_eq!(rig.status("alpha", status), NONE);
    }
    assert_eq!(rig.committed(), ["publish", "1 done", "news alpha"]);
    assert_eq!(rig.status("beta", ConnectionStatus::Online), NONE);
    for name in ["alpha", "beta"] {
        assert_eq!(rig.writer.head().status_of(&node(name)).status, ConnectionStatus::Offline, "{name}");
    }
}

/// A writer ended without having heard of its last commit; the nodes were told everything out of the state before.
#[test]
fn a_new_writer_tells_what_the_former_had_committed_and_not_told() {
    let before = cluster(TWO_REPLICAS);
    let mut former = Rig::of(TWO_REPLICAS);
    assert_eq!(former.delete(1, "web", Answer::WhenCarriedOut), ["commit web"]);
    let durable = records(former.writer.head());
    let mut rig = Rig::fresh();
    assert_eq!(rig.load(durable, &before), ["publish", "news web@alpha web@beta alpha beta everybody"]);
    assert!(rig.view.is_online(&node("alpha")), "what a node said holds until it says something else");
    let mut rig = Rig::fresh();
    assert_eq!(rig.load(records(&before), &before), ["publish", "news alpha beta everybody"]);
}

#[test]
fn a_shrink_that_a_node_refuses_is_answered_at_once_and_not_as_done() {
    let mut state = cluster(TWO_REPLICAS);
    let mut web = (*state.definitions[&rsc("web")]).clone();
    web.layers = vec![LayerKind::Storage];
    state.apply(&Change::Definition(rsc("web"), Some(Arc::new(web))));
    let mut rig = Rig::fresh();
    rig.load(records(&state), &state);
    let resize = Command::Definition(DefinitionCommand::VolumeModify {
        rsc: rsc("web"),
        number: volume(0),
        size: Some(Kib(5)),
        props: PropsModify::default(),
        set: VolumeDefinitionFlags::NONE,
        clear: VolumeDefinitionFlags::NONE,
    });
    assert_eq!(rig.ask(1, &resize, Answer::WhenCarriedOut), ["commit web"]);
    assert_eq!(rig.committed(), ["publish", "news web@alpha web@beta"]);
    let generation = rig.writer.head().definitions[&rsc("web")].generation;
    assert_eq!(rig.report("alpha", refused("web", generation)), ["commit web"]);
    let effects = rig.writer.committed();
    let answer = effects.iter().find_map(|effect| match effect {
        Effect::Answer(1, Outcome::Done(notes)) => Some(notes.iter().map(|note| note.kind).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(answer, Some(vec![Kind::Error]), "nothing says that it was done, and beta is not waited for");
    assert_eq!(rig.show(effects).last().expect("news"), "news web@alpha web@beta");
    assert_eq!(rig.writer.head().definitions[&rsc("web")].volumes[&volume(0)].size, Kib(10));
}

/// Each report's status carries the seed that it was judged with, in the place of the generation.
fn seed_as_generation(_: &Cluster, on: &NodeName, report: &Report, moment: Moment) -> Observation {
    let Report::Resource(report) = report else { return Observation::default() };
    let (generation, volumes) = (moment.seed, Vec::new());
    let status = ResourceStatus { generation, volumes, in_use: None, problem: None, taken_back: false };
    Observation {
        sightings: vec![Sighting::Resource(report.rsc.clone(), on.clone(), Some(status))],
        ..Observation::default()
    }
}

#[test]
fn every_report_is_judged_with_a_seed_of_its_own() {
    let mut rig = Rig::with(Rules { observe: seed_as_generation, ..Rules::default() });
    let state = cluster("node alpha\npool alpha data FILE_THIN 50/100\nrsc web 10 alpha/data\nrsc api 10 alpha/data");
    rig.load(records(&state), &state);
    let effects = rig.writer.reports(&node("alpha"), &[gone("web", 1), gone("api", 1)], rig.at());
    rig.show(effects);
    let seed = |name: &str| rig.view.resource_status_of(&rsc(name), &node("alpha")).map(|status| status.generation);
    assert!(seed("web").is_some() && seed("api").is_some());
    assert_ne!(seed("web"), seed("api"));
}

#[test]
fn a_planted_rule_is_the_one_that_is_asked() {
    let silent = Rules { news: |_, _, _| News::default(), ..Rules::default() };
    let mut rig = Rig::with(silent);
    let state = cluster(TWO_REPLICAS);
    rig.load(records(&state), &state);
    assert_eq!(rig.delete(1, "web", Answer::WhenDurable), ["commit web"]);
    assert_eq!(rig.committed(), ["publish", "1 done"]);
}

#[test]
fn a_commit_that_failed_leaves_nobody_waiting() {
    let mut rig = Rig::of(TWO_REPLICAS);
    let remove = Command::Definition(DefinitionCommand::Delete { name: rsc("web") });
    assert_eq!(rig.ask(1, &remove, Answer::WhenCarriedOut), ["commit web"]);
    assert_eq!(rig.define(2, "two"), NONE);
    assert_eq!(rig.committed().last().map(String::as_str), Some("commit two"));
    assert_eq!(rig.define(3, "three"), NONE);
    assert!(rig.writer.waiting(), "the first waits for its nodes");
    let mut abandoned = rig.writer.abandon();
    abandoned.sort_unstable();
    assert_eq!(abandoned, [1, 2, 3]);
    assert!(!rig.writer.waiting() && rig.writer.abandon().is_empty());
}

#[test]
fn the_master_key_is_known_with_its_commit_and_outlives_the_writer_where_it_is_kept() {
    let mut rig = Rig::of(TWO_REPLICAS);
    let passphrase = Secret::new("x");
    let create = Command::Encryption(EncryptionCommand::Create { passphrase: passphrase.clone() });
    assert_eq!(rig.ask(1, &create, Answer::WhenDurable), ["commit controller"]);
    assert_eq!(rig.view.lock(), Lock::Unset, "nothing leaves before its commit");
    assert_eq!(rig.committed(), ["publish", "1 done", "news everybody"]);
    assert_eq!(rig.view.lock(), Lock::Unlocked);
    let before = rig.view.clone();
    let loaded = |records: Vec<Change>, last_seen: &Cluster| {
        let mut next = Rig::fresh();
        next.load(records, last_seen);
        next
    };
    assert_eq!(loaded(records(&before), &before).view.lock(), Lock::Unlocked, "the actor began anew");
    let other = cluster(TWO_REPLICAS);
    assert_eq!(loaded(records(&other), &before).view.lock(), Lock::Unset, "its commit came to nothing");
    let mut next = loaded(records(&before), &Cluster::default());
    assert_eq!(next.view.lock(), Lock::Locked, "the process began anew");
    let enter = Command::Encryption(EncryptionCommand::Enter { passphrase });
    assert_eq!(next.ask(1, &enter, Answer::WhenDurable), ["publish", "1 done"]);
    assert_eq!(next.view.lock(), Lock::Unlocked);
}
