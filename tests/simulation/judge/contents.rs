//! What a pass does to a disk: it touches nobody else's files, wipes nothing that was not to go, and every new volume or
//! part of a snapshot has the content that it is to have.

use zea::model::cluster::Cluster;
use zea::model::desired::{DesiredResource, DesiredVolume, Order, Origin};
use zea::model::names::{NodeName, VolumeNumber};
use zea::model::plan::BackingId;
use zea::storage::simulated::{Found, Role};

use super::Judge;
use crate::simulation::machine::Survey;

/// A pass that is judged.
struct Pass<'a> {
    node: &'a NodeName,
    desired: &'a DesiredResource,
    before: &'a Survey,
    after: &'a Survey,
}

impl Judge {
    /// A pass has touched a disk.
    pub fn pass(&mut self, node: &NodeName, desired: &DesiredResource, (before, after): (&Survey, &Survey)) {
        if before == after || self.tainted.contains(&desired.rsc.key()) {
            return;
        }
        let pass = Pass { node, desired, before, after };
        let found = pass.foreign();
        self.check("nobody else's volume changes", found);
        let found = pass.kept(self.durable.cluster());
        self.check("wipe only what was to go", found);
        let found = pass.contents();
        self.check("contents are those of their origin", found);
        let found = pass.sizes();
        self.check("sizes add up", found);
    }
}

impl Pass<'_> {
    fn changed(&self) -> impl Iterator<Item = (&(String, String), Option<&Found>, Option<&Found>)> {
        let gone = self.before.iter().map(|(key, old)| (key, Some(old), self.after.get(key)));
        let new = self
            .after
            .iter()
            .filter(|(key, _)| !self.before.contains_key(*key))
            .map(|(key, new)| (key, None, Some(new)));
        gone.chain(new).filter(|(_, old, new)| old != new)
    }

    fn id(&self, number: VolumeNumber) -> String {
        BackingId::of(&self.desired.rsc, number, None).map_or(String::new(), |id| id.as_str().to_owned())
    }

    fn volume(&self, id: &str) -> Option<&DesiredVolume> {
        self.desired.volumes.iter().find(|volume| self.id(volume.number) == id)
    }

    /// Order, and volume, of a part of a snapshot.
    fn part(&self, id: &str) -> Option<(Order, String)> {
        self.desired.snapshots.iter().find_map(|snapshot| {
            let volumes = snapshot.volumes.iter().map(|source| self.id(source.number));
            let found = volumes.into_iter().find(|volume| format!("{volume}_{}", snapshot.name) == id)?;
            Some((snapshot.order, found))
        })
    }

    fn foreign(&self) -> Result<(), String> {
        match self.changed().find(|((_, id), ..)| self.volume(id).is_none() && self.part(id).is_none()) {
            Some(((_, id), ..)) => Err(format!("{} worked on {} and changed {id}", self.node, self.desired.rsc)),
            None => Ok(()),
        }
    }

    /// What was removed was to be removed, by what the node was told and by what is durable.
    fn kept(&self, durable: &Cluster) -> Result<(), String> {
        for ((_, id), old, new) in self.changed() {
            let (Some(_), None) = (old, new) else { continue };
            let told = match (self.volume(id), self.part(id)) {
                (Some(volume), _) => self.desired.order == Order::Remove || volume.order == Order::Remove,
                (_, Some((order, _))) => order == Order::Remove,
                (None, None) => false,
            };
            let kept = self.volume(id).is_some_and(|volume| is_kept(durable, self, volume.number));
            if !told || kept {
                return Err(format!("{} removed {id}, and it is to be kept", self.node));
            }
        }
        Ok(())
    }

    fn contents(&self) -> Result<(), String> {
        for ((backing, id), old, new) in self.changed() {
            let Some(new) = new else { continue };
            let wanted = match new.role {
                Role::Volume => self.wanted(backing, (id, new), old),
                Role::Part => self.wanted_part(backing, id, old),
            };
            let anew = old.is_some_and(|old| old.made != new.made) && new.role == Role::Volume;
            if anew && self.desired.rollback.is_none() {
                return Err(format!("{id} on {} was there, and is made anew", self.node));
            }
            if let Some(wanted) = wanted.filter(|wanted| *wanted != new.content) {
                return Err(format!("{id} on {} has content {}, {wanted} is wanted", self.node, new.content));
            }
        }
        Ok(())
    }

    fn content(&self, backing: &str, id: &str) -> Option<u64> {
        self.before.get(&(backing.to_owned(), id.to_owned())).map(|found| found.content)
    }

    /// Content that a volume is to have; `None` where nothing is known of it.
    fn wanted(&self, backing: &str, (id, new): (&str, &Found), old: Option<&Found>) -> Option<u64> {
        let volume = self.volume(id)?;
        if let Some(order) =
            self.desired.rollback.as_ref().filter(|_| old.is_some_and(|old| old.content != new.content))
        {
            return self.content(backing, &format!("{id}_{}", order.snapshot));
        }
        match (old, &volume.origin) {
            (Some(old), _) => Some(old.content),
            (None, Origin::Blank) => Some(0),
            (None, Origin::Snapshot { rsc, snapshot, volume }) => {
                let of = BackingId::of(rsc, *volume, None).ok()?;
                self.content(backing, &of.snapshot(snapshot))
            }
        }
    }

    fn wanted_part(&self, backing: &str, id: &str, old: Option<&Found>) -> Option<u64> {
        let (order, volume) = self.part(id)?;
        if let Some(old) = old.filter(|_| order != Order::Make) {
            return Some(old.content);
        }
        self.content(backing, &volume)
            .or_else(|| self.after.get(&(backing.to_owned(), volume)).map(|found| found.content))
    }

    /// Sizes that are asked for are multiples of 4; a volume that grew has at least what is wanted.
    fn sizes(&self) -> Result<(), String> {
        for ((_, id), old, new) in self.changed() {
            let Some(new) = new else { continue };
            // A new volume has no size for a moment.
            let odd = new.size.0 % 4 != 0;
            let shrunk = old.is_some_and(|old| new.size < old.size) && !self.may_shrink(id);
            if odd || shrunk {
                return Err(format!("{id} on {} has {}", self.node, new.size));
            }
        }
        Ok(())
    }

    fn may_shrink(&self, id: &str) -> bool {
        self.desired.rollback.is_some()
            || self.volume(id).is_some_and(|volume| volume.shrink)
            || self.part(id).is_some()
    }
}

/// Whether the durable state has the volume on that node as made, and not as one that goes.
fn is_kept(durable: &Cluster, pass: &Pass<'_>, number: VolumeNumber) -> bool {
    use zea::model::kinds::{ResourceFlags, VolumeDefinitionFlags, VolumeFlags};
    let Some(definition) = durable.definitions.get(&pass.desired.rsc) else {
        return false;
    };
    let Some(resource) = definition.resources.get(pass.node) else {
        return false;
    };
    let goes = resource.is_deleting() || resource.flags.has(ResourceFlags::DISK_REMOVING);
    let defined =
        definition.volumes.get(&number).is_some_and(|volume| !volume.flags.has(VolumeDefinitionFlags::DELETE));
    let volume = resource.volumes.get(&number);
    !goes && defined && volume.is_some_and(|volume| volume.made && !volume.flags.has(VolumeFlags::DELETE))
}
