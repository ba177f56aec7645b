//! A contact by script: events in, effects as words out.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Contact, ContactEffect, ContactEvent, Errand, Lost, Reach, Reception};
use crate::model::cluster::Cluster;
use crate::model::conduct::At;
use crate::model::derive::desired_resource;
use crate::model::desired::DesiredResource;
use crate::model::kinds::ConnectionStatus;
use crate::model::moment::{EpochMs, Moment};
use crate::model::observed::{NodeStatus, Sighting};
use crate::model::report::SatelliteFacts;
use crate::model::testkit::{cluster, node, rsc};

const STATE: &str =
    "node alpha offline\npool alpha data FILE_THIN 50/100\nrsc api 10 alpha/data\nrsc web 10 alpha/data";
const NONE: [&str; 0] = [];

struct Rig {
    contact: Contact,
    view: Cluster,
    round: u64,
}

impl Rig {
    fn new(reach: Reach) -> Self {
        Self { contact: Contact::new(node("alpha"), reach), view: cluster(STATE), round: 0 }
    }

    /// A contact that stands.
    fn online(reach: Reach) -> Self {
        let mut rig = Self::new(reach);
        rig.on(ContactEvent::Begin);
        if reach != Reach::Local {
            rig.on(ContactEvent::LinkUp);
        }
        rig.get(facts());
        assert_eq!(rig.get(Reception::Accepted), ["ONLINE", "capacity"]);
        rig
    }

    fn on(&mut self, event: ContactEvent) -> Vec<String> {
        let at = At { moment: Moment::repeatable(EpochMs(7), 1), mono: Duration::ZERO };
        let effects = self.contact.handle(event, &self.view, at);
        effects.into_iter().map(|effect| self.word(effect)).collect()
    }

    /// The satellite answers what was sent last.
    fn get(&mut self, reception: Reception) -> Vec<String> {
        self.on(ContactEvent::Answered(self.round, Ok(reception)))
    }

    fn lose(&mut self, lost: Lost) -> Vec<String> {
        self.on(ContactEvent::Answered(self.round, Err(lost)))
    }

    fn desired(&self, name: &str, generation: u64) -> DesiredResource {
        let desired = desired_resource(&self.view, &rsc(name), &node("alpha")).expect("it stands there");
        DesiredResource { generation, ..desired }
    }

    fn apply(&mut self, name: &str, generation: u64) -> Vec<String> {
        self.on(ContactEvent::Apply(vec![self.desired(name, generation)]))
    }

    /// Writes down a round's number at its hello alone: every errand of it has the same.
    fn word(&mut self, effect: ContactEffect) -> String {
        let names = |all: &[DesiredResource]| -> String {
            all.iter().map(|one| format!(" {}/{}", one.rsc, one.generation)).collect()
        };
        match effect {
            ContactEffect::Send(round, errand) => {
                assert!(round > self.round || !matches!(errand, Errand::Hello { .. }), "a hello begins a round");
                assert!(round == self.round || matches!(errand, Errand::Hello { .. }), "and nothing else does");
                self.round = round;
                match errand {
                    Errand::Hello { node, .. } => format!("hello {node}"),
                    Errand::FullSync { pools, resources } => format!("sync {} pools{}", pools.len(), names(&resources)),
                    Errand::Pools(pools) => format!("{} pools", pools.len()),
                    Errand::Apply(resources) => format!("apply{}", names(&resources)),
                }
            }
            ContactEffect::Dial => "dial".to_owned(),
            ContactEffect::Close => "close".to_owned(),
            ContactEffect::AskCapacity => "capacity".to_owned(),
            ContactEffect::RetryAfter(pause) => format!("retry in {} s", pause.as_secs()),
            ContactEffect::Failed(why) => format!("failed: {why}"),
            ContactEffect::Status(status) => {
                assert_eq!(status.since, EpochMs(7));
                let tried = if status.attempts == 0 { String::new() } else { format!(" after {}", status.attempts) };
                format!("{}{tried}{}", status.status, status.reason.map(|why| format!(": {why}")).unwrap_or_default())
            }
        }
    }
}

fn remote() -> Reach {
    Reach::Remote(SocketAddr::from(([10, 0, 0, 1], 3366)))
}

fn facts() -> Reception {
    let facts = cluster("node alpha").status_of(&node("alpha")).facts.clone().expect("a node of the testkit has some");
    Reception::Facts(SatelliteFacts::clone(&facts))
}

fn dropped() -> Lost {
    Lost::Dropped("dropped".to_owned())
}

fn silent() -> Lost {
    Lost::Unanswered("silence".to_owned())
}

#[test]
fn a_satellite_in_this_process_is_greeted_synced_and_then_told_changes() {
    let mut rig = Rig::new(Reach::Local);
    assert_eq!(rig.on(ContactEvent::Begin), ["hello alpha"]);
    assert_eq!(rig.get(facts()), ["CONNECTED", "sync 2 pools api/1 web/1"]);
    assert_eq!(rig.get(Reception::Accepted), ["ONLINE", "capacity"]);
    assert_eq!(rig.apply("web", 2), ["apply web/2"]);
    assert_eq!(rig.get(Reception::Accepted), NONE);
}

#[test]
fn one_message_is_on_its_way_and_what_gathers_goes_out_together_pools_first() {
    let mut rig = Rig::online(Reach::Local);
    assert_eq!(rig.apply("web", 2), ["apply web/2"]);
    assert_eq!(rig.apply("web", 3), NONE);
    assert_eq!(rig.apply("api", 2), NONE);
    assert_eq!(rig.on(ContactEvent::Pools), NONE);
    assert_eq!(rig.on(ContactEvent::Pools), NONE);
    assert_eq!(rig.get(Reception::Accepted), ["2 pools", "capacity"]);
    assert_eq!(rig.get(Reception::Accepted), ["apply api/2 web/3"]);
    assert_eq!(rig.get(Reception::Accepted), NONE);
}

#[test]
fn of_what_waits_a_newer_generation_is_not_replaced_by_an_older_one() {
    let mut rig = Rig::online(Reach::Local);
    rig.apply("api", 2);
    for generation in [3, 5, 4] {
        assert_eq!(rig.apply("web", generation), NONE);
    }
    assert_eq!(rig.get(Reception::Accepted), ["apply web/5"]);
}

#[test]
fn what_comes_before_the_sync_is_in_it_and_what_comes_during_it_follows() {
    let mut rig = Rig::new(Reach::Local);
    rig.on(ContactEvent::Begin);
    assert_eq!(rig.apply("web", 2), NONE);
    rig.get(facts());
    assert_eq!(rig.apply("web", 3), NONE);
    assert_eq!(rig.get(Reception::Accepted), ["ONLINE", "capacity", "apply web/3"]);
    assert_eq!(rig.get(Reception::Accepted), NONE);
}

#[test]
fn the_room_is_asked_for_only_where_somebody_can_answer() {
    let mut rig = Rig::new(Reach::Local);
    assert_eq!(rig.on(ContactEvent::CapacityWanted), NONE);
    rig.on(ContactEvent::Begin);
    assert_eq!(rig.on(ContactEvent::CapacityWanted), NONE);
    let mut rig = Rig::online(Reach::Local);
    assert_eq!(rig.on(ContactEvent::CapacityWanted), ["capacity"]);
}

#[test]
fn a_first_failure_of_a_part_that_is_there_again_is_followed_by_an_attempt_at_once() {
    for (name, answer) in [("dropped", Err(dropped())), ("no", Ok(Reception::Refused("no".to_owned())))] {
        let mut rig = Rig::online(Reach::Local);
        rig.apply("web", 2);
        let words = rig.on(ContactEvent::Answered(rig.round, answer.clone()));
        assert_eq!(words, [format!("failed: {name}"), "hello alpha".to_owned()]);
        rig.get(facts());
        let words = rig.on(ContactEvent::Answered(rig.round, answer));
        let status = if name == "no" { "FULL_SYNC_FAILED after 2: no" } else { "OFFLINE after 2: dropped" };
        assert_eq!(words, [format!("failed: {name}"), status.to_owned(), "retry in 5 s".to_owned()]);
        assert_eq!(rig.on(ContactEvent::Retry), ["hello alpha"]);
    }
}

#[test]
fn after_silence_the_next_attempt_follows_a_pause() {
    let mut rig = Rig::online(Reach::Local);
    rig.apply("web", 2);
    assert_eq!(rig.lose(silent()), ["failed: silence", "OFFLINE after 1: silence", "retry in 5 s"]);
    assert_eq!(rig.apply("web", 3), NONE, "the next sync has it");
    assert_eq!(rig.on(ContactEvent::Retry), ["hello alpha"]);
    assert_eq!(rig.on(ContactEvent::Retry), NONE, "an attempt is under way");
    rig.get(facts());
    assert_eq!(rig.get(Reception::Accepted), ["ONLINE", "capacity"], "attempts are counted anew");
}

#[test]
fn an_answer_that_nobody_expects_means_another_version() {
    let mut rig = Rig::new(Reach::Local);
    rig.on(ContactEvent::Begin);
    let words = rig.get(Reception::Accepted);
    let why = "unexpected answer Accepted";
    assert_eq!(
        words,
        [format!("failed: {why}"), format!("VERSION_MISMATCH after 1: {why}"), "retry in 5 s".to_owned()]
    );
}

#[test]
fn answers_of_an_earlier_round_are_not_listened_to() {
    let mut rig = Rig::online(remote());
    rig.apply("web", 2);
    let old = rig.round;
    assert_eq!(rig.on(ContactEvent::LinkDown("cut".to_owned())), ["OFFLINE after 1: cut"]);
    for answer in [Ok(Reception::Accepted), Err(silent())] {
        assert_eq!(rig.on(ContactEvent::Answered(old, answer)), NONE);
    }
    assert_eq!(rig.on(ContactEvent::LinkUp), ["hello alpha"]);
    assert_eq!(rig.on(ContactEvent::Answered(old, Err(silent()))), NONE);
    assert_eq!(rig.get(facts()), ["CONNECTED after 1", "sync 2 pools api/1 web/1"]);
}

#[test]
fn a_link_is_dialled_once_and_comes_up_again_by_itself() {
    let mut rig = Rig::new(remote());
    assert_eq!(rig.on(ContactEvent::Begin), ["dial"]);
    assert_eq!(rig.on(ContactEvent::LinkDown("refused".to_owned())), ["OFFLINE after 1: refused"]);
    assert_eq!(rig.on(ContactEvent::Retry), NONE);
    assert_eq!(rig.on(ContactEvent::LinkUp), ["hello alpha"]);
    assert_eq!(rig.lose(silent()), ["failed: silence", "OFFLINE after 2: silence", "retry in 5 s"]);
    assert_eq!(rig.on(ContactEvent::Retry), ["hello alpha"], "the link is up");
    assert_eq!(rig.on(ContactEvent::LinkDown("cut".to_owned())), ["OFFLINE after 3: cut"]);
}

#[test]
fn what_becomes_of_a_link_that_was_not_dialled_is_nobodys_concern() {
    let mut rig = Rig::new(remote());
    assert_eq!(rig.on(ContactEvent::LinkUp), NONE);
    assert_eq!(rig.on(ContactEvent::LinkDown("cut".to_owned())), NONE);
    rig.on(ContactEvent::Begin);
    assert_eq!(rig.on(ContactEvent::DialFailed("no such name".to_owned())), ["OFFLINE: no such name"]);
    assert_eq!(rig.on(ContactEvent::LinkUp), NONE);
}

#[test]
fn a_reconnect_gives_the_contact_up_and_makes_it_anew() {
    let mut rig = Rig::online(remote());
    assert_eq!(rig.on(ContactEvent::Reconnect), ["close", "OFFLINE: reconnecting", "dial"]);
    assert_eq!(rig.apply("web", 2), NONE);
    assert_eq!(rig.on(ContactEvent::LinkUp), ["hello alpha"]);
    let mut rig = Rig::online(Reach::Local);
    assert_eq!(rig.on(ContactEvent::Reconnect), ["OFFLINE: reconnecting", "hello alpha"]);
}

#[test]
fn a_satellite_that_forgot_is_told_everything_and_stays_online() {
    let mut rig = Rig::online(Reach::Local);
    let online = NodeStatus { status: ConnectionStatus::Online, ..NodeStatus::unknown() };
    rig.view.sight(Sighting::Node(node("alpha"), online));
    rig.apply("web", 2);
    let old = rig.round;
    assert_eq!(rig.on(ContactEvent::Resync), ["hello alpha"]);
    assert_eq!(rig.on(ContactEvent::Answered(old, Ok(Reception::Accepted))), NONE);
    assert_eq!(rig.on(ContactEvent::Resync), NONE, "everything is on its way anyway");
    assert_eq!(rig.get(facts()), ["sync 2 pools api/1 web/1"]);
    assert_eq!(rig.on(ContactEvent::Resync), ["hello alpha"], "it may have forgotten this sync");
    let mut rig = Rig::new(remote());
    rig.on(ContactEvent::Begin);
    assert_eq!(rig.on(ContactEvent::Resync), NONE);
}

#[test]
fn a_node_that_cannot_be_reached_says_why() {
    let mut rig = Rig::new(Reach::Nowhere("no port"));
    for event in [ContactEvent::Begin, ContactEvent::Retry] {
        assert_eq!(rig.on(event), ["NO_STLT_CONN: no port"]);
    }
    assert_eq!(rig.apply("web", 2), NONE);
    assert_eq!(rig.on(ContactEvent::Pools), NONE);
}

#[test]
fn a_node_that_is_gone_from_the_cluster_is_told_nothing_more() {
    let mut rig = Rig::online(Reach::Local);
    rig.view = Cluster::default();
    assert_eq!(rig.on(ContactEvent::Pools), NONE);
    assert_eq!(rig.on(ContactEvent::Resync), ["hello alpha"]);
    assert_eq!(rig.get(facts()), ["CONNECTED"]);
}
