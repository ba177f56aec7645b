//! Tell, ask, permits, deadlines, limits, and what a dead address says.

use std::time::Duration;

use zea::actors::system::{AskError, SendError, SystemError};

use super::{Diary, Do, GENEROUS, adder, ask, eventually, hold, system};

#[test]
fn messages_of_one_sender_are_handled_in_order() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    for n in 1..=1000 {
        actor.tell(Do::Add(n)).unwrap();
    }
    assert_eq!(ask(&system, &actor, Do::Get), Ok(500_500));
    let info = system.registry().info("a").unwrap();
    assert_eq!((info.handled, info.mailbox_depth, info.restarts), (1001, 0, 0));
    system.stop();
    assert_eq!(system.wait(), 0);
}

#[test]
fn an_ask_without_answer_ends_at_its_deadline_or_when_the_reply_is_dropped() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    let short = Duration::from_millis(20);
    assert_eq!(system.workers().block_on(actor.ask(Do::Keep, short)), Err(AskError::Deadline));
    assert_eq!(ask(&system, &actor, Do::Drop), Err(AskError::Dropped));
    system.stop();
}

#[test]
fn a_reply_may_be_given_later() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    let kept = system.workers().spawn({
        let actor = actor.clone();
        async move { actor.ask(Do::Keep, GENEROUS).await }
    });
    eventually("kept", || system.registry().info("a").unwrap().handled == 1);
    assert_eq!(ask(&system, &actor, Do::Release), Ok(0));
    assert_eq!(system.workers().block_on(kept).unwrap(), Ok(1));
    system.stop();
}

#[test]
fn asks_beyond_the_permits_wait_and_are_then_told_that_they_did_not_run() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default()).asks_in_flight(2)).unwrap();
    let held: Vec<_> = (0..2)
        .map(|_| {
            let actor = actor.clone();
            system.workers().spawn(async move { actor.ask(Do::Keep, GENEROUS).await })
        })
        .collect();
    eventually("both permits taken", || system.registry().info("a").unwrap().handled == 2);
    let short = Duration::from_millis(20);
    assert_eq!(system.workers().block_on(actor.ask(Do::Add(5), short)), Err(AskError::Overloaded));
    let waiting = system.workers().spawn({
        let actor = actor.clone();
        async move { actor.ask(Do::Get, GENEROUS).await }
    });
    actor.tell(Do::Release).unwrap();
    assert_eq!(system.workers().block_on(waiting).unwrap(), Ok(0), "the refused Add did not run");
    for ask in held {
        assert_eq!(system.workers().block_on(ask).unwrap(), Ok(1));
    }
    system.stop();
}

#[test]
fn a_full_mailbox_refuses_and_recovers() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default()).mailbox_limit(3)).unwrap();
    ask(&system, &actor, Do::Get).unwrap();
    let go = hold(&system);
    let sent: Vec<_> = (0..5).map(|_| actor.tell(Do::Add(1))).collect();
    assert_eq!(sent, [Ok(()), Ok(()), Ok(()), Err(SendError::Full), Err(SendError::Full)]);
    drop(go);
    eventually("drained", || system.registry().info("a").unwrap().mailbox_depth == 0);
    assert_eq!(ask(&system, &actor, Do::Get), Ok(3));
    system.stop();
}

#[test]
fn after_the_end_every_send_is_refused_and_waiting_asks_hear_it() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    ask(&system, &actor, Do::Get).unwrap();
    let go = hold(&system);
    let queued = system.workers().spawn({
        let actor = actor.clone();
        async move { actor.ask(Do::Get, GENEROUS).await }
    });
    eventually("queued", || system.registry().info("a").unwrap().mailbox_depth == 1);
    system.stop(); // the order is carried out before or after the mailbox: both answers are right
    drop(go);
    assert_eq!(system.wait(), 0);
    let handle = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(!matches!(handle.block_on(queued), Ok(Err(AskError::Deadline))));
    assert!(actor.is_closed());
    assert_eq!(actor.tell(Do::Get), Err(SendError::Closed));
    assert_eq!(handle.block_on(actor.ask(Do::Get, GENEROUS)), Err(AskError::Closed));
    assert!(matches!(system.spawn(adder("b", &Diary::default())), Err(SystemError::Stopped)));
}

#[test]
fn names_are_unique_and_the_registry_finds_by_path_and_type() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    assert!(matches!(system.spawn(adder("a", &Diary::default())), Err(SystemError::NameTaken(_))));
    actor.tell(Do::Add(4)).unwrap();
    let found = system.registry().find::<Do>("a").unwrap();
    assert_eq!(ask(&system, &found, Do::Get), Ok(4));
    assert!(system.registry().find::<Other>("a").is_none());
    assert!(system.registry().find::<Do>("b").is_none());
    system.stop();
}

struct Other;
impl zea::actors::system::Message for Other {
    type Answer = ();
}
