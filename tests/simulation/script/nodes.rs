//! Lines about nodes, their interfaces and connections. Only reads.

use zea::model::command::{InterfaceModify, NewInterface, NodeCommand};
use zea::model::kinds::{EncryptionKind, NodeKind};
use zea::model::names::NodeName;
use zea::model::node::SatellitePort;

use super::words::{Words, name, number};

type Read<T> = Result<T, String>;

pub fn node(words: &Words) -> Read<NodeCommand> {
    match words.plain() {
        ["node", verb, ..] => whole(verb, words),
        ["interface", verb, ..] => interface(verb, words),
        ["connect", a, b] => Ok(NodeCommand::ConnectionModify { a: name(a)?, b: name(b)?, props: words.props.clone() }),
        other => Err(format!("no such command: {}", other.join(" "))),
    }
}

fn whole(verb: &str, words: &Words) -> Read<NodeCommand> {
    let (name_, props): (NodeName, _) = (words.at(2, name)?, words.props.clone());
    let kind = words.option("kind", |text| NodeKind::parse(text).ok_or_else(|| format!("no kind of node: {text}")))?;
    let nodes = |key| -> Read<Vec<NodeName>> { Ok(words.list(key, name)?.unwrap_or_default()) };
    Ok(match verb {
        "create" => NodeCommand::Create {
            name: name_,
            kind: kind.unwrap_or(NodeKind::Satellite),
            interfaces: words.option("ip", |_| new_interface("default", words))?.into_iter().collect(),
            props,
        },
        "modify" => NodeCommand::Modify { name: name_, kind, props },
        "delete" => NodeCommand::Delete { name: name_ },
        "lost" => NodeCommand::Lost { name: name_ },
        "evict" => NodeCommand::Evict { name: name_ },
        "restore" => NodeCommand::Restore {
            name: name_,
            delete_resources: words.has(3, "resources"),
            delete_snapshots: words.has(3, "snapshots"),
        },
        "evacuate" => NodeCommand::Evacuate { name: name_, targets: nodes("to")?, not_targets: nodes("not")? },
        _ => return Err(format!("no such verb: node {verb}")),
    })
}

fn port(words: &Words) -> Read<Option<SatellitePort>> {
    let port = words.option("port", number)?;
    Ok(port.map(|port| SatellitePort { port, encryption: EncryptionKind::Ssl }))
}

fn new_interface(called: &str, words: &Words) -> Read<NewInterface> {
    Ok(NewInterface {
        name: name(called)?,
        address: words.option("ip", number)?.ok_or("an interface needs ip=")?,
        satellite: port(words)?,
        active: words.has(3, "active"),
    })
}

fn interface(verb: &str, words: &Words) -> Read<NodeCommand> {
    let node = words.at(2, name)?;
    Ok(match verb {
        "create" => {
            let called = words.at(3, |text| Ok(text.to_owned()))?;
            NodeCommand::InterfaceCreate { node, interface: new_interface(&called, words)? }
        }
        "modify" => {
            let (address, satellite) = (words.option("ip", number)?, port(words)?);
            let modify = InterfaceModify { address, satellite, active: words.has(4, "active") };
            NodeCommand::InterfaceModify { node, name: words.at(3, name)?, modify }
        }
        "delete" => NodeCommand::InterfaceDelete { node, name: words.at(3, name)? },
        _ => return Err(format!("no such verb: interface {verb}")),
    })
}
