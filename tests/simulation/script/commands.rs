//! Commands as lines of a script: the grammar of all of them. Only reads; whoever makes a command writes its line.

use std::collections::BTreeMap;

use zea::model::command::*;
use zea::model::kinds::{ResourceFlags, VolumeDefinitionFlags, VolumeGroupFlags};
use zea::model::names::{GroupName, NodeName, PoolName, SnapName};
use zea::model::secret::Secret;
use zea::model::size::Kib;

use super::words::{Words, name, number, provider, volume};

type Read<T> = Result<T, String>;

/// The command of a line.
///
/// # Errors
/// What is wrong with it.
pub fn command(text: &str) -> Read<Command> {
    let words = Words::of(text);
    match words.plain() {
        ["pooldef", verb, ..] => pool_definition(verb, &words).map(Command::Pool),
        ["pool", verb, ..] => pool(verb, &words).map(Command::Pool),
        ["group", verb, ..] => group(verb, &words).map(Command::Group),
        ["groupvol", verb, ..] => group_volume(verb, &words).map(Command::Group),
        ["spawn", ..] => spawn(&words).map(|spawn| Command::Group(GroupCommand::Spawn(spawn))),
        ["adjust", ..] => {
            let group = words.plain().get(1).map(|text| name(text)).transpose()?;
            Ok(Command::Group(GroupCommand::Adjust { group, filter: words.filter()? }))
        }
        ["definition", verb, ..] => definition(verb, &words).map(Command::Definition),
        ["clone", ..] => clone(&words).map(|order| Command::Definition(DefinitionCommand::Clone(order))),
        ["volume", verb, ..] => volume_definition(verb, &words).map(Command::Definition),
        ["resource", verb, ..] => resource(verb, &words).map(Command::Resource),
        ["snapshot", verb, ..] => snapshot(verb, &words).map(Command::Snapshot),
        ["encryption", verb, ..] => encryption(verb, &words).map(Command::Encryption),
        ["controller" | "kvs", ..] => controller(&words).map(Command::Controller),
        _ => super::nodes::node(&words).map(Command::Node),
    }
}

fn pool_definition(verb: &str, words: &Words) -> Read<PoolCommand> {
    let (name, props) = (words.at(2, name)?, words.props.clone());
    Ok(match verb {
        "create" => PoolCommand::DefinitionCreate { name, props },
        "modify" => PoolCommand::DefinitionModify { name, props },
        "delete" => PoolCommand::DefinitionDelete { name },
        _ => return Err(format!("no such verb: pooldef {verb}")),
    })
}

fn pool(verb: &str, words: &Words) -> Read<PoolCommand> {
    let (node, pool): (NodeName, PoolName) = (words.at(2, name)?, words.at(3, name)?);
    let props = words.props.clone();
    Ok(match verb {
        "create" => PoolCommand::Create(NewPool {
            node,
            name: pool,
            provider: words.at(4, provider)?,
            props,
            shared_space: words.option("shared", name)?,
            external_locking: false,
        }),
        "modify" => PoolCommand::Modify { node, name: pool, props },
        "delete" => PoolCommand::Delete { node, name: pool },
        _ => return Err(format!("no such verb: pool {verb}")),
    })
}

fn group(verb: &str, words: &Words) -> Read<GroupCommand> {
    let (name, filter, props): (GroupName, _, _) = (words.at(2, name)?, words.filter()?, words.props.clone());
    let (description, peer_slots) =
        (words.option("about", |text| Ok(text.to_owned()))?, words.option("slots", number)?);
    Ok(match verb {
        "create" => GroupCommand::Create { name, description, props, filter, peer_slots },
        "modify" => GroupCommand::Modify { name, description, props, filter, peer_slots },
        "delete" => GroupCommand::Delete { name },
        _ => return Err(format!("no such verb: group {verb}")),
    })
}

fn group_volume(verb: &str, words: &Words) -> Read<GroupCommand> {
    let (group, props) = (words.at(2, name)?, words.props.clone());
    let gross = |yes| if yes { VolumeGroupFlags::GROSS_SIZE } else { VolumeGroupFlags::NONE };
    Ok(match verb {
        "create" => {
            let number = words.option("number", volume)?;
            GroupCommand::VolumeCreate { group, number, flags: gross(words.has(3, "gross")), props }
        }
        "modify" => {
            let (set, clear) = (gross(words.has(4, "gross")), gross(words.has(4, "net")));
            GroupCommand::VolumeModify { group, number: words.at(3, volume)?, set, clear, props }
        }
        "delete" => GroupCommand::VolumeDelete { group, number: words.at(3, volume)? },
        _ => return Err(format!("no such verb: groupvol {verb}")),
    })
}

fn naming(text: &str) -> Read<Naming> {
    match text.strip_prefix("ext:") {
        Some(external) => Ok(Naming::External(external.to_owned())),
        None => name(text).map(Naming::Name),
    }
}

fn size(text: &str) -> Read<Kib> {
    number(text).map(Kib)
}

fn spawn(words: &Words) -> Read<Spawn> {
    Ok(Spawn {
        group: words.at(1, name)?,
        name: words.at(2, naming)?,
        sizes: words.list("sizes", size)?.unwrap_or_default(),
        filter: words.filter()?,
        partial: words.has(3, "partial"),
        definitions_only: words.has(3, "bare"),
        peer_slots: words.option("slots", number)?,
        props: words.props.clone(),
        passphrases: passphrases(words)?,
    })
}

/// Passphrases of volumes, in their order.
fn passphrases(words: &Words) -> Read<Vec<Secret>> {
    Ok(words.list("passphrases", |text| Ok(Secret::new(text)))?.unwrap_or_default())
}

fn encryption(verb: &str, words: &Words) -> Read<EncryptionCommand> {
    let secret = |place| words.at(place, |text| Ok(Secret::new(text)));
    Ok(match verb {
        "create" => EncryptionCommand::Create { passphrase: secret(2)? },
        "enter" => EncryptionCommand::Enter { passphrase: secret(2)? },
        "modify" => EncryptionCommand::Modify { old: secret(2)?, new: secret(3)? },
        "provide" => EncryptionCommand::Provide { passphrase: secret(2)? },
        _ => return Err(format!("no such verb: encryption {verb}")),
    })
}

fn definition(verb: &str, words: &Words) -> Read<DefinitionCommand> {
    let (group, layers) = (words.option("group", name)?, words.layers()?);
    let (peer_slots, props) = (words.option("slots", number)?, words.props.clone());
    Ok(match verb {
        "create" => {
            let secret = words.option("secret", |text| Ok(Secret::new(text)))?;
            let name = words.at(2, naming)?;
            DefinitionCommand::Create(NewDefinition { name, group, layers, props, peer_slots, secret })
        }
        "modify" => DefinitionCommand::Modify { name: words.at(2, name)?, props, group, layers, peer_slots },
        "delete" => DefinitionCommand::Delete { name: words.at(2, name)? },
        _ => return Err(format!("no such verb: definition {verb}")),
    })
}

fn clone(words: &Words) -> Read<CloneOrder> {
    Ok(CloneOrder {
        source: words.at(1, name)?,
        name: words.at(2, naming)?,
        group: words.option("group", name)?,
        layers: words.layers()?,
        props: words.props.clone(),
        passphrases: passphrases(words)?,
    })
}

fn volume_definition(verb: &str, words: &Words) -> Read<DefinitionCommand> {
    let (rsc, props, wanted) = (words.at(2, name)?, words.props.clone(), words.option("size", size)?);
    let flags = VolumeDefinitionFlags::NONE;
    Ok(match verb {
        "create" => DefinitionCommand::VolumeCreate(NewVolume {
            rsc,
            number: words.option("number", volume)?,
            size: wanted.ok_or("a volume needs a size")?,
            flags,
            props,
            minor: words.option("minor", number)?,
            passphrase: words.option("passphrase", |text| Ok(Secret::new(text)))?,
        }),
        "modify" => {
            let number = words.at(3, volume)?;
            DefinitionCommand::VolumeModify { rsc, number, size: wanted, props, set: flags, clear: flags }
        }
        "delete" => DefinitionCommand::VolumeDelete { rsc, number: words.at(3, volume)? },
        "passphrase" => {
            let passphrase = words.at(4, |text| Ok(Secret::new(text)))?;
            DefinitionCommand::VolumePassphrase { rsc, number: words.at(3, volume)?, passphrase }
        }
        _ => return Err(format!("no such verb: volume {verb}")),
    })
}

fn resource(verb: &str, words: &Words) -> Read<ResourceCommand> {
    let (rsc, props) = (words.at(2, name)?, words.props.clone());
    if verb == "autoplace" {
        return Ok(ResourceCommand::Autoplace { rsc, filter: words.filter()? });
    }
    if verb == "create" {
        return resource_create(words);
    }
    let node: NodeName = words.at(3, name)?;
    Ok(match verb {
        "modify" => ResourceCommand::Modify { rsc, node, props },
        "delete" => ResourceCommand::Delete { rsc, node, keep_tiebreaker: false },
        "available" => {
            let diskful = words.has(4, "diskful");
            ResourceCommand::MakeAvailable { rsc, node, diskful, layers: words.layers()? }
        }
        "activate" => ResourceCommand::Activate { rsc, node },
        "deactivate" => ResourceCommand::Deactivate { rsc, node },
        "toggle" => ResourceCommand::ToggleDisk {
            rsc,
            node,
            diskful: words.has(4, "diskful"),
            pool: words.option("pool", name)?,
            migrate_from: words.option("from", name)?,
        },
        "volume" => ResourceCommand::VolumeModify { rsc, node, number: words.at(4, volume)?, props },
        "connect" => ResourceCommand::ConnectionModify { rsc, a: node, b: words.at(4, name)?, props },
        _ => return Err(format!("no such verb: resource {verb}")),
    })
}

/// `resource create web n1 n2 [pool=p] [diskless] [inactive]`
fn resource_create(words: &Words) -> Read<ResourceCommand> {
    let flag = |word: &&str| match *word {
        "diskless" => Some(ResourceFlags::DISKLESS),
        "drbd-diskless" => Some(ResourceFlags::DRBD_DISKLESS),
        "inactive" => Some(ResourceFlags::INACTIVE),
        "inactive-for-good" => Some(ResourceFlags::INACTIVE_PERMANENTLY),
        _ => None,
    };
    let rest = &words.plain()[3..];
    let flags = rest.iter().filter_map(flag).fold(ResourceFlags::NONE, ResourceFlags::with);
    let mut props = words.props.clone();
    if let Some(pool) = words.option("pool", name::<PoolName>)? {
        props.override_props.insert("StorPoolName".to_owned(), pool.to_string());
    }
    let (layers, node_id) = (words.layers()?, words.option("id", number)?);
    let nodes = rest.iter().filter(|word| flag(word).is_none());
    let wish = |node: &&str| {
        let (props, layers) = (props.clone(), layers.clone());
        Ok(NewResource { node: name(node)?, flags, props, layers, node_id })
    };
    Ok(ResourceCommand::Create { rsc: words.at(2, name)?, wishes: nodes.map(wish).collect::<Read<_>>()? })
}

fn snapshot(verb: &str, words: &Words) -> Read<SnapshotCommand> {
    let nodes = words.list("nodes", name)?.unwrap_or_default();
    let props = words.props.clone();
    if verb == "create" {
        // `snapshot create s1 web db`: of several at once.
        let snap: SnapName = words.at(2, name)?;
        let one = |rsc: &&str| -> Read<NewSnapshot> {
            Ok(NewSnapshot { rsc: name(rsc)?, name: snap.clone(), nodes: nodes.clone(), props: props.clone() })
        };
        let snapshots = words.plain()[3..].iter().map(one).collect::<Read<_>>()?;
        return Ok(SnapshotCommand::Create { snapshots });
    }
    let (rsc, snap) = (words.at(2, name)?, words.at(3, name)?);
    Ok(match verb {
        "modify" => SnapshotCommand::Modify { rsc, name: snap, props },
        "delete" => SnapshotCommand::Delete { rsc, name: snap, nodes },
        "volumes" => SnapshotCommand::RestoreVolumes { rsc, name: snap, to: words.at(4, name)? },
        "restore" => {
            let (to, pools) = (words.at(4, name)?, BTreeMap::new());
            SnapshotCommand::RestoreResources { rsc, name: snap, to, nodes, pools }
        }
        "rollback" => SnapshotCommand::Rollback { rsc, name: snap },
        _ => return Err(format!("no such verb: snapshot {verb}")),
    })
}

fn controller(words: &Words) -> Read<ControllerCommand> {
    let props = words.props.clone();
    Ok(match words.plain() {
        ["controller", "modify"] => ControllerCommand::Modify { props },
        ["kvs", "modify", text] => ControllerCommand::KvsModify { name: name(text)?, props },
        ["kvs", "delete", text] => ControllerCommand::KvsDelete { name: name(text)? },
        other => return Err(format!("no such command: {}", other.join(" "))),
    })
}
