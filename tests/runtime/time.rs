//! Timers and futures of an actor, over restarts.

use std::time::Duration;

use zea::actors::system::{Former, Spec};

use super::{Adder, Diary, Do, adder, ask, eventually, system};

const SOON: Duration = Duration::from_millis(30);

#[test]
fn a_timer_and_the_result_of_a_future_come_as_messages() {
    let (system, _failures) = system();
    let actor = system.spawn(adder("a", &Diary::default())).unwrap();
    actor.tell(Do::After(SOON, Box::new(Do::Add(1)))).unwrap();
    actor.tell(Do::Run(SOON, 10)).unwrap();
    eventually("both came", || ask(&system, &actor, Do::Get) == Ok(11));
    system.stop();
}

/// The sum after a restart between the start of a timer and its end, once a later timer has come.
fn sum_after_restart(spec: Spec<Adder>) -> u64 {
    let (system, _failures) = system();
    let actor = system.spawn(spec).unwrap();
    actor.tell(Do::After(SOON, Box::new(Do::Add(1)))).unwrap();
    actor.tell(Do::Run(SOON, 10)).unwrap();
    actor.tell(Do::Panic).unwrap();
    actor.tell(Do::After(SOON * 4, Box::new(Do::Add(100)))).unwrap();
    eventually("the later timer came", || ask(&system, &actor, Do::Get).is_ok_and(|sum| sum >= 100));
    let sum = ask(&system, &actor, Do::Get).unwrap();
    system.stop();
    sum
}

#[test]
fn what_a_former_incarnation_started_never_reaches_the_next_one() {
    assert_eq!(sum_after_restart(adder("a", &Diary::default())), 100);
}

#[test]
fn unless_the_spec_says_so() {
    assert_eq!(sum_after_restart(adder("a", &Diary::default()).former(Former::Deliver)), 111);
}
