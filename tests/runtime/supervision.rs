//! Panics, restarts, budgets, escalation, strategies and the order of stopping.

use zea::actors::system::{ActorState, AskError, EXIT_ROOT_FAILED, Restart, Strategy};

use super::{Diary, Do, GENEROUS, adder, ask, budget, eventually, hold, parent, system};

#[test]
fn a_panic_keeps_mailbox_and_address_and_loses_only_its_own_message() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    actor.tell(Do::Add(100)).unwrap();
    ask(&system, &actor, Do::Get).unwrap();

    let go = hold(&system);
    let asks: Vec<_> = [Do::Panic, Do::Add(3), Do::Get, Do::Incarnation]
        .into_iter()
        .enumerate()
        .map(|(nth, message)| {
            let queued = actor.clone();
            let task = system.workers().spawn(async move { queued.ask(message, GENEROUS).await });
            eventually("queued", || system.registry().info("a").unwrap().mailbox_depth == nth + 1);
            task
        })
        .collect();
    drop(go);

    let answers: Vec<_> = asks.into_iter().map(|ask| system.workers().block_on(ask).unwrap()).collect();
    assert_eq!(answers, [Err(AskError::Dropped), Ok(3), Ok(3), Ok(2)], "the state is new, the queue is not");
    let info = system.registry().info("a").unwrap();
    assert_eq!((info.restarts, info.state), (1, ActorState::Running));
    assert_eq!(info.last_failure.as_deref(), Some("told to"));
    assert_eq!(system.registry().info("blocker").unwrap().restarts, 0, "others notice nothing");
    system.stop();
    assert_eq!(system.wait(), 0);
}

#[test]
fn an_injected_panic_takes_an_idle_actor_down_and_up() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    ask(&system, &actor, Do::Get).unwrap();
    assert!(system.registry().inject_panic("a"));
    eventually("restarted", || system.registry().info("a").unwrap().restarts == 1);
    assert_eq!(ask(&system, &actor, Do::Incarnation), Ok(2));
    assert_eq!(system.registry().info("a").unwrap().last_failure.as_deref(), Some("injected panic"));
    system.stop();
}

#[test]
fn a_declared_failure_and_a_panic_in_a_future_restart_too() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    actor.tell(Do::Fail).unwrap();
    assert_eq!(ask(&system, &actor, Do::Incarnation), Ok(2));
    actor.tell(Do::RunPanicking).unwrap();
    eventually("restarted", || system.registry().info("a").unwrap().restarts == 2);
    let failure = system.registry().info("a").unwrap().last_failure.unwrap();
    assert_eq!(failure, "a future of the actor panicked: in a future");
    system.stop();
}

#[test]
fn each_kind_of_restart_does_what_it_says() {
    for (kind, message, lives) in [
        (Restart::Permanent, Do::Stop, true),
        (Restart::Permanent, Do::Panic, true),
        (Restart::Transient, Do::Stop, false),
        (Restart::Transient, Do::Panic, true),
        (Restart::Temporary, Do::Stop, false),
        (Restart::Temporary, Do::Panic, false),
    ] {
        let (system, _failures) = system();
        let actor = system.spawn(adder("a", &Diary::default()).restart(kind)).unwrap();
        actor.tell(message).unwrap();
        if lives {
            assert_eq!(ask(&system, &actor, Do::Incarnation), Ok(2), "{kind:?}");
        } else {
            eventually("closed", || actor.is_closed());
            eventually("off the list", || system.registry().info("a").is_none());
        }
        system.stop();
    }
}

#[test]
fn over_budget_a_child_takes_its_parent_down_and_keeps_its_address() {
    let (system, failures) = system();
    let diary = Diary::default();
    let root = system.spawn(parent("root", &diary, {
        let diary = diary.clone();
        move |ctx| {
            ctx.spawn_child(adder("child", &diary).budget(budget(1)));
            ctx.spawn_child(adder("other", &diary));
        }
    }));
    let root = root.unwrap();
    eventually("all up", || diary.has("other started"));
    let child = system.registry().find::<Do>("root/child").unwrap();
    diary.take();
    child.tell(Do::Panic).unwrap();
    child.tell(Do::Panic).unwrap();
    child.tell(Do::Add(9)).unwrap();
    assert_eq!(ask(&system, &child, Do::Get), Ok(9), "queued messages outlive the escalation");
    assert_eq!(ask(&system, &root, Do::Incarnation), Ok(2));
    let failure = system.registry().info("root").unwrap().last_failure.unwrap();
    assert_eq!(failure, "root/child is over its restart budget, last: told to");
    let lines = diary.take();
    assert_eq!(lines[..4], ["child started", "other stopping", "root started", "child started"]);
    assert!(failures.try_recv().is_err());
    system.stop();
}

#[test]
fn over_budget_at_the_root_ends_the_system_with_70_and_stops_the_rest() {
    let (system, failures) = system();
    let diary = Diary::default();
    let calm = system.spawn(adder("calm", &diary)).unwrap();
    let root = system.spawn(adder("root", &diary).budget(budget(2))).unwrap();
    ask(&system, &calm, Do::Get).unwrap();
    for _ in 0..3 {
        root.tell(Do::Panic).unwrap();
    }
    let failure = failures.recv_timeout(GENEROUS).unwrap();
    assert_eq!(failure.exit_code, 70);
    assert_eq!(failure.reason, "root is over its restart budget, last: told to");
    assert_eq!(system.wait(), EXIT_ROOT_FAILED);
    assert!(diary.has("calm stopping"));
    assert!(root.is_closed() && calm.is_closed());
}

#[test]
fn a_panic_in_started_is_a_failure_like_any_other() {
    let (system, failures) = system();
    let root = parent("root", &Diary::default(), |_| panic!("cannot start")).budget(budget(3));
    system.spawn(root).unwrap();
    let failure = failures.recv_timeout(GENEROUS).unwrap();
    assert_eq!(failure.reason, "root is over its restart budget, last: cannot start");
    assert_eq!(system.wait(), 70);
}

fn three(diary: &Diary, strategy: Strategy) -> super::Spec<super::Adder> {
    let children = diary.clone();
    parent("root", diary, move |ctx| {
        for name in ["one", "two", "three"] {
            ctx.spawn_child(adder(name, &children));
        }
    })
    .strategy(strategy)
}

#[test]
fn rest_for_one_restarts_the_later_ones_in_order_and_one_for_one_does_not() {
    let rest = ["three stopping", "two started", "three started"];
    for (strategy, expected) in [(Strategy::RestForOne, &rest[..]), (Strategy::OneForOne, &rest[1..2])] {
        let (system, _failures) = system();
        let diary = Diary::default();
        system.spawn(three(&diary, strategy)).unwrap();
        eventually("all up", || diary.has("three started"));
        diary.take();
        let two = system.registry().find::<Do>("root/two").unwrap();
        two.tell(Do::Panic).unwrap();
        eventually("two is back", || system.registry().info("root/two").unwrap().restarts == 1);
        assert_eq!(ask(&system, &two, Do::Get), Ok(0));
        assert_eq!(diary.take(), expected, "{strategy:?}");
        assert_eq!(system.registry().info("root").unwrap().restarts, 0);
        system.stop();
    }
}

#[test]
fn a_restarted_parent_ends_the_children_that_it_does_not_want_back() {
    let (system, _failures) = system();
    let diary = Diary::default();
    let inner = diary.clone();
    let root = system.spawn(parent("root", &diary, move |ctx| {
        ctx.spawn_child(adder("always", &inner));
        if ctx.incarnation() == 1 {
            ctx.spawn_child(adder("once", &inner));
        }
    }));
    let root = root.unwrap();
    eventually("all up", || diary.has("once started"));
    let once = system.registry().find::<Do>("root/once").unwrap();
    let always = system.registry().find::<Do>("root/always").unwrap();
    root.tell(Do::Panic).unwrap();
    assert_eq!(ask(&system, &root, Do::Incarnation), Ok(2));
    assert!(once.is_closed());
    assert_eq!(ask(&system, &always, Do::Incarnation), Ok(2));
    system.stop();
}

#[test]
fn children_stop_before_their_parent_the_last_first() {
    let (system, _failures) = system();
    let diary = Diary::default();
    system.spawn(adder("first", &diary)).unwrap();
    system.spawn(three(&diary, Strategy::OneForOne)).unwrap();
    eventually("all up", || diary.has("three started"));
    diary.take();
    system.stop();
    assert_eq!(system.wait(), 0);
    let order = ["three stopping", "two stopping", "one stopping", "root stopping", "first stopping"];
    assert_eq!(diary.take(), order);
}

#[test]
fn a_child_can_be_stopped_by_name_and_made_anew() {
    let (system, _failures) = system();
    let diary = Diary::default();
    let root = system.spawn(three(&diary, Strategy::OneForOne)).unwrap();
    assert_eq!(ask(&system, &root, Do::StopChild("two")), Ok(1));
    assert_eq!(ask(&system, &root, Do::StopChild("two")), Ok(0));
    let infos = system.registry().snapshot();
    assert_eq!(infos[0].children, ["root/one", "root/three"]);
    assert_eq!(infos[1].parent.as_deref(), Some("root"));
    system.stop();
}
