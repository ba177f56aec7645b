//! Ask and tell in both directions, who the peer is, what comes back when something is wrong.

use std::sync::mpsc::channel;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zea::actors::system::link::{Counter, DownReason, Endpoint, LinkError, LinkEvent};
use zea::actors::system::{AskError, Behaviour, Context, Message, Reply, SendError, Spec};
use zea::tls::Authority;

use super::{GENEROUS, Heard, Say, eventually, note, pair, process, quick, shout};

#[test]
fn both_ends_ask_and_tell_over_one_connection() {
    let pair = pair();
    let far = pair.link.actor_ref::<Say>("echo");
    assert_eq!(far.path(), "node-1:echo");
    let answer = pair.controller.ask(&far, shout("hello"));
    assert_eq!(answer, Ok(Heard { text: "HELLO".into(), before: 0 }));

    let back = pair.server.link("controller").actor_ref::<Say>("echo");
    assert_eq!(pair.satellite.ask(&back, shout("report")).unwrap().text, "REPORT");
    back.tell(note("told")).unwrap();
    assert_eq!(pair.controller.heard.recv_timeout(GENEROUS).unwrap(), "told");
    assert_eq!(pair.server.metrics().get(Counter::Up), 1);
}

#[test]
fn tells_and_asks_of_one_sender_keep_their_order() {
    let pair = pair();
    let far = pair.link.actor_ref::<Say>("echo");
    for n in 0..500 {
        far.tell(note(n.to_string())).unwrap();
    }
    let after = pair.controller.ask(&far, shout("x")).unwrap();
    assert_eq!(after.before, 500);
    let heard: Vec<String> = pair.satellite.heard.try_iter().collect();
    assert_eq!(heard, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn many_asks_in_flight_all_get_their_own_answer() {
    let pair = pair();
    let far = pair.link.actor_ref::<Say>("echo");
    let asks: Vec<_> = (0..2000)
        .map(|n| {
            let far = far.clone();
            pair.controller.system.workers().spawn(async move { far.ask(shout(&format!("n{n}")), GENEROUS).await })
        })
        .collect();
    for (n, ask) in asks.into_iter().enumerate() {
        let answer = pair.controller.system.workers().block_on(ask).unwrap();
        assert_eq!(answer.unwrap().text, format!("N{n}"));
    }
}

#[test]
fn megabytes_pass_and_what_is_too_large_is_refused_alone() {
    let pair = pair();
    let far = pair.link.actor_ref::<Say>("echo");
    let three = 3 << 20;
    assert_eq!(pair.controller.ask(&far, Say::Big(three)).unwrap().text.len(), three);
    let too_large = pair.controller.ask(&far, Say::Big(65 << 20));
    assert!(matches!(too_large, Err(AskError::Refused(text)) if text.contains("larger than a link carries")));
    assert!(matches!(far.tell(note("x".repeat(65 << 20))), Err(SendError::Refused(_))));
    assert_eq!(pair.controller.ask(&far, shout("still here")).unwrap().text, "STILL HERE");
    assert_eq!(pair.server.metrics().get(Counter::Up), 1, "over the same connection");
}

#[test]
fn the_reasons_of_a_missing_answer_cross_the_link() {
    let pair = pair();
    let far = pair.link.actor_ref::<Say>("echo");
    let ask = |message, wait| pair.controller.system.workers().block_on(far.ask(message, wait));
    assert_eq!(ask(Say::Keep, Duration::from_millis(30)), Err(AskError::Deadline));
    assert_eq!(ask(Say::Panic, GENEROUS), Err(AskError::Dropped));
    assert_eq!(ask(shout("after the restart"), GENEROUS).unwrap().before, 0);
    let nobody = pair.link.actor_ref::<Say>("nobody");
    let refused = pair.controller.ask(&nobody, shout("x"));
    assert_eq!(refused, Err(AskError::Refused(r#"node-1 exports no actor called "nobody""#.into())));
    nobody.tell(note("lost")).unwrap();
    eventually("counted", || pair.server.metrics().get(Counter::UnknownActor) == 2);
    pair.satellite.system.stop();
    let _ = pair.satellite.system.wait();
    assert!(matches!(ask(shout("x"), GENEROUS), Err(AskError::LinkDown | AskError::Closed)));
}

/// The same actor as a newer version sees it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NewSay {
    Note { text: String, colour: String },
    Whisper(String),
}

impl Message for NewSay {
    type Answer = Heard;
}

#[test]
fn a_newer_peer_is_understood_where_possible_and_refused_alone_where_not() {
    let pair = pair();
    let far = pair.link.actor_ref::<NewSay>("echo");
    let ask = |message| pair.controller.system.workers().block_on(far.ask(message, GENEROUS));
    let known = NewSay::Note { text: "plain".into(), colour: "red".into() };
    assert_eq!(ask(known).unwrap().text, "plain");
    let refused = ask(NewSay::Whisper("psst".into()));
    assert!(matches!(refused, Err(AskError::Refused(text)) if text.contains("whisper")));
    assert_eq!(pair.server.metrics().get(Counter::UnreadableBody), 1);
    assert!(pair.link.is_up());
}

struct Guarded(std::sync::mpsc::Sender<String>);

struct From {
    node: String,
    say: Say,
}

impl Message for From {
    type Answer = Heard;
}

impl Behaviour for Guarded {
    type Message = From;

    fn handle(&mut self, message: From, reply: Reply<Heard>, _ctx: &mut Context<From>) {
        let _ = self.0.send(format!("{} says {:?}", message.node, message.say));
        reply.send(Heard { text: message.node, before: 0 });
    }
}

#[test]
fn an_exported_actor_knows_who_sends_and_subscribers_know_who_came() {
    let pair = pair();
    let (said, says) = channel();
    let guarded = pair.satellite.system.spawn(Spec::new("guarded", move || Guarded(said.clone()))).unwrap();
    pair.satellite.endpoint.export_from("guarded", guarded, |peer, say| From { node: peer.node.clone(), say });
    let far = pair.link.actor_ref::<Say>("guarded");
    assert_eq!(pair.controller.ask(&far, Say::Keep).unwrap().text, "controller");
    assert_eq!(says.recv_timeout(GENEROUS).unwrap(), "controller says Keep");

    let (link, peer) = pair.satellite.up();
    assert_eq!((link.peer_name(), peer.node.as_str(), peer.fingerprint.len()), ("controller", "controller", 64));
    assert_eq!(peer.build, env!("CARGO_PKG_VERSION"));
    let (_, peer) = pair.controller.up();
    assert_eq!((peer.node.as_str(), peer.address), ("node-1", pair.server.local_addr()));
}

#[test]
fn an_endpoint_needs_a_certificate_of_its_own_name_and_a_peer_one_of_the_dialled_name() {
    let authority = Authority::in_memory().unwrap();
    let satellite = process(&authority, "node-1", quick());
    let workers = satellite.system.workers().clone();
    let wrong = Endpoint::new("node-2", authority.identity("node-1").unwrap(), quick(), workers);
    assert!(matches!(wrong, Err(LinkError::NotOurName(name)) if name == "node-2"));

    let controller = process(&authority, "controller", quick());
    let server = satellite.listen();
    let address = server.local_addr().to_string();
    assert!(controller.endpoint.dial(&address, "no name").is_err());
    let link = controller.endpoint.dial(&address, "node-9").unwrap();
    let event = controller.events.recv_timeout(GENEROUS).unwrap();
    let LinkEvent::Down { reason: DownReason::Refused(refusal), .. } = event else { panic!("{event:?}") };
    assert_eq!(refusal.counter(), Counter::WrongName);
    assert!(controller.endpoint.metrics().get(Counter::WrongName) >= 1);
    assert!(!link.is_up());
    link.close();
}
