//! What is said to be done is done: when a request is answered without any remark, the disks of the nodes show it.

use zea::model::cluster::Cluster;
use zea::model::code::Kind;
use zea::model::command::{Command, DefinitionCommand, ResourceCommand};
use zea::model::conduct::writer::{Answer, Outcome};
use zea::model::kinds::ResourceFlags;
use zea::model::names::{NodeName, RscName, VolumeNumber};
use zea::model::plan::BackingId;
use zea::storage::simulated::Found;

use crate::simulation::world::World;

impl World {
    /// Judges an answer that leaves now.
    pub fn judge_done(&mut self, ticket: u64, outcome: &Outcome) {
        let Outcome::Done(notes) = outcome else { return };
        let plain = notes.iter().all(|note| note.kind == Kind::Success);
        let request = self.requests.get(&ticket).filter(|request| plain && request.answer == Answer::WhenCarriedOut);
        let Some(command) = request.and_then(|request| self.commands.get(&request.line)).cloned() else { return };
        if let Err(text) = self.shows(&command) {
            self.judge.fail("what is done is done", format!("{command:?}: {text}"));
        }
    }

    fn shows(&self, command: &Command) -> Result<(), String> {
        let durable = self.judge.durable();
        match command {
            Command::Definition(DefinitionCommand::VolumeModify { rsc, number, size: Some(size), .. }) => {
                let definition = durable.definitions.get(rsc);
                let asked = definition.and_then(|definition| definition.volumes.get(number));
                if asked.is_none_or(|volume| volume.size != *size) || self.judge.tainted.contains(&rsc.key()) {
                    return Ok(());
                }
                let small = |(_, found): &(NodeName, Found)| found.size < *size;
                match self.volumes(durable, (rsc, *number)).into_iter().find(small) {
                    Some((node, found)) => Err(format!("{} on {node} has {}", found.id, found.size)),
                    None => Ok(()),
                }
            }
            Command::Definition(DefinitionCommand::Delete { name }) if !durable.definitions.contains_key(name) => {
                let zero = VolumeNumber::new(0).expect("0 is a number");
                let id = BackingId::of(name, zero, None).map_err(|error| error.to_string())?;
                let holds = |node: &&crate::simulation::node::Node| {
                    durable.nodes.contains_key(&node.name)
                        && node.machine.survey().keys().any(|(_, found)| found == id.as_str())
                };
                let tainted = self.judge.tainted.contains(&name.key());
                match self.nodes.iter().find(holds).filter(|_| !tainted) {
                    Some(node) => Err(format!("{} still has {id}", node.name)),
                    None => Ok(()),
                }
            }
            // Who activates what is active already waits for nobody; and somebody may have activated it meanwhile.
            Command::Resource(ResourceCommand::Deactivate { rsc, node }) => {
                let resource = durable.definitions.get(rsc).and_then(|definition| definition.resources.get(node));
                let Some(resource) =
                    resource.filter(|resource| resource.keeps_disk() && !resource.flags.has(ResourceFlags::EVICTED))
                else {
                    return Ok(());
                };
                let zero = VolumeNumber::new(0).expect("0 is a number");
                let found = self.volumes(durable, (rsc, zero)).into_iter().find(|(name, _)| name == node);
                let away = !self.controller.view.is_online(node);
                let inactive = !away && !resource.is_active();
                let wrong = inactive && found.is_some_and(|(_, found)| found.device.is_some());
                if wrong { Err(format!("{rsc} on {node} is not so")) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// A volume as it lies on the nodes that keep it.
    fn volumes(&self, durable: &Cluster, (rsc, number): (&RscName, VolumeNumber)) -> Vec<(NodeName, Found)> {
        let Some(definition) = durable.definitions.get(rsc) else { return Vec::new() };
        let Ok(id) = BackingId::of(&definition.name, number, None) else { return Vec::new() };
        let kept =
            definition.resources.iter().filter(|(_, resource)| resource.keeps_disk() && resource.rollback.is_none());
        let nodes = kept.filter_map(|(node, _)| self.nodes.iter().find(|own| own.name == *node));
        nodes
            .flat_map(|node| node.machine.survey().into_values().map(move |found| (node.name.clone(), found)))
            .filter(|(_, found)| found.id == id.as_str())
            .collect()
    }
}
