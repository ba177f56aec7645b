//! What thousands of idle actors cost.

use zea::actors::system::{ActorState, Behaviour, Context, Message, Reply, Spec};

use super::{Diary, Do, ask, eventually, parent, system};

const MANY: u64 = 20_000;
/// The promise of the runtime, in bytes.
const EACH_AT_MOST: u64 = 2048;

struct Idle;

struct Nothing;

impl Message for Nothing {
    type Answer = ();
}

impl Behaviour for Idle {
    type Message = Nothing;

    fn handle(&mut self, _message: Nothing, _reply: Reply<()>, _ctx: &mut Context<Nothing>) {}
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Other tests of this process run at the same time: the smallest of some rounds counts.
#[test]
fn an_idle_actor_costs_less_than_two_kibibytes() {
    let mut smallest = u64::MAX;
    for _ in 0..3 {
        let (system, _failures) = system();
        let diary = Diary::default();
        let before = resident_bytes();
        let root = system.spawn(parent("root", &diary, |ctx| {
            for n in 0..MANY {
                ctx.spawn_child(Spec::new(format!("resource/pvc-{n:08}"), || Idle));
            }
        }));
        let root = root.unwrap();
        ask(&system, &root, Do::Get).unwrap();
        eventually("all run", || {
            let last = system.registry().info(&format!("root/resource/pvc-{:08}", MANY - 1));
            last.is_some_and(|info| info.state == ActorState::Running)
        });
        smallest = smallest.min(resident_bytes().saturating_sub(before) / MANY);
        assert_eq!(system.registry().len() as u64, MANY + 1);
        system.stop();
        assert_eq!(system.wait(), 0);
        // Memory that the first round gave back serves the next one, so that only the first says much.
        if smallest < EACH_AT_MOST {
            break;
        }
    }
    println!("{smallest} bytes an actor");
    assert!(smallest < EACH_AT_MOST, "{smallest} bytes an actor");
}
