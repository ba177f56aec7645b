//! Decisions that place replicas: autoplace, what a group's place count asks for, and spawn.

use super::draft::Draft;
use super::resource::{Placement, add, build};
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::command::{DefinitionCommand, NewVolume, Spawn};
use crate::model::definition::{Resource, ResourceDefinition};
use crate::model::desired::Origin;
use crate::model::group::{DEFAULT_PLACE_COUNT, ResourceGroup, SelectFilter};
use crate::model::kinds::{LayerKind, NodeFlags, ResourceFlags, VolumeDefinitionFlags, VolumeGroupFlags};
use crate::model::names::{GroupName, NodeName, PoolName, RscName, VolumeNumber};
use crate::model::node::DISKLESS_POOL;
use crate::model::placement::{Choice, NotPlaced, Placed, Request, place};
use crate::model::props::PropsModify;
use crate::model::refusal::{Note, Refusal};

/// Places what the filter, over that of the group, asks for.
pub(super) fn autoplace(draft: &mut Draft, rsc: &RscName, asked: &SelectFilter) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    super::resource::refuse_definition(&definition)?;
    let group = draft.group(&definition.group)?;
    let filter = asked.over(&group.filter);
    let there = standing(&draft.cluster, &definition);
    let wanted = match filter.additional_place_count {
        Some(more) => there + more as usize,
        None => filter.place_count.unwrap_or(DEFAULT_PLACE_COUNT) as usize,
    };
    refuse_count(wanted)?;
    let remaining = filter.diskless_on_remaining == Some(true);
    if wanted <= there && !remaining {
        draft.note(already(rsc, there, wanted));
        return Ok(());
    }
    if wanted > there {
        place_more(draft, rsc, &filter, wanted - there)?;
    }
    if remaining {
        diskless_on_remaining(draft, rsc)?;
    }
    Ok(())
}

fn already(rsc: &RscName, there: usize, wanted: usize) -> Note {
    let text = format!("Resource '{rsc}' is deployed on {there} nodes already");
    let note = Note::warning(WARN_RSC_ALREADY_DEPLOYED, text).about("RscDfn", rsc);
    match there - wanted {
        0 => note.details("Nothing had to be placed"),
        more => note.details(format!("{more} more than asked for; none is removed")),
    }
}

fn refuse_count(count: usize) -> Result<(), Refusal> {
    if count > 0 {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_PLACE_COUNT, "A place count is at least 1")
        .because("The request and the group come to none")
        .cure("Ask for one replica or more"))
}

/// Replicas with a disk that count: not on their way out, not on a node that is given up.
pub(super) fn standing(cluster: &Cluster, definition: &ResourceDefinition) -> usize {
    let counts = |(node, resource): &(&NodeName, &Resource)| {
        let leaving = resource.flags.has(ResourceFlags::EVACUATE) || resource.flags.has(ResourceFlags::EVICTED);
        let node = cluster.nodes.get(*node);
        let given_up = node.is_none_or(|node| node.flags.has(NodeFlags::EVACUATE) || node.flags.has(NodeFlags::DELETE));
        !leaving && !given_up
    };
    definition.diskful().filter(counts).count()
}

/// Places `count` more replicas with a disk.
pub(super) fn place_more(
    draft: &mut Draft,
    rsc: &RscName,
    filter: &SelectFilter,
    count: usize,
) -> Result<Vec<Choice>, Refusal> {
    let placed = choose(draft, rsc, filter, count)?;
    for choice in &placed.choices {
        put_choice(draft, rsc, choice)?;
    }
    let lines: Vec<String> = placed.choices.iter().map(|c| format!("'{} ({})'", c.node, c.pool)).collect();
    let mut note = Note::success(CREATED, format!("Resource '{rsc}' successfully autoplaced on {count} nodes"))
        .details(format!("Used nodes (storage pool name): {}", lines.join(", ")))
        .about("RscDfn", rsc);
    for choice in &placed.choices {
        note = note.about("Node", &choice.node).about("StorPool", &choice.pool);
    }
    draft.note(note);
    for warning in &placed.story.warnings {
        draft.note(Note::warning(WARN_INVLD_CONF, warning.to_string()));
    }
    Ok(placed.choices)
}

fn choose(draft: &Draft, rsc: &RscName, filter: &SelectFilter, count: usize) -> Result<Placed, Refusal> {
    let definition = draft.definition(rsc)?;
    place_of(&draft.cluster, &definition, filter, count).map_err(|not| refuse_placement(rsc, &not, filter))
}

/// Places for more replicas with a disk; where one without stands it may get one.
fn place_of(
    cluster: &Cluster,
    definition: &ResourceDefinition,
    filter: &SelectFilter,
    count: usize,
) -> Result<Placed, NotPlaced> {
    let toggled: Vec<NodeName> = definition
        .resources
        .iter()
        .filter(|(_, resource)| !resource.is_diskful() && !resource.is_deleting())
        .map(|(node, _)| node.clone())
        .collect();
    let mut request = Request::new(cluster, filter);
    request.definition = Some(definition);
    request.layers = &definition.layers;
    request.size = super::room::data_size(cluster, definition);
    request.count = count;
    request.skip_nodes = &toggled;
    place(&request)
}

/// The refusal of a placement: every node with its reason. Whatever was asked for, it is resources that were not made.
pub(super) fn refuse_placement(rsc: &RscName, not: &NotPlaced, filter: &SelectFilter) -> Refusal {
    let lines: Vec<String> = not.story.lines().collect();
    let pools = filter.pools.as_deref().unwrap_or_default();
    let names: Vec<&str> = pools.iter().map(PoolName::as_str).collect();
    let of = if names.is_empty() { String::new() } else { format!(" in the storage pools {}", names.join(", ")) };
    Refusal::new(not.code, format!("Not enough available nodes for '{rsc}'"))
        .of(Operation::Create, ObjectKind::Resource)
        .because(format!("{} more replicas are wanted{of}, {} can be placed", not.wanted, not.possible))
        .cure("Mend what the details name for a node, or ask for fewer replicas")
        .details(lines.join("\n"))
        .about("RscDfn", rsc)
}

fn put_choice(draft: &mut Draft, rsc: &RscName, choice: &Choice) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    if definition.resources.contains_key(&choice.node) {
        return super::toggle::to_diskful(draft, rsc, &choice.node, &choice.pool);
    }
    let place = Placement {
        node: &choice.node,
        pool: choice.pool.clone(),
        flags: ResourceFlags::NONE,
        origin: &|_| Origin::Blank,
    };
    let mut resource = build(draft, &definition, &place)?;
    super::definition::set_own_prop(&mut resource.props, "DiskfulBy", "auto-placer")?;
    add(draft, rsc, &choice.node, resource)
}

fn diskless_on_remaining(draft: &mut Draft, rsc: &RscName) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    if !definition.has_layer(LayerKind::Drbd) {
        return Ok(());
    }
    let free = |node: &&std::sync::Arc<crate::model::node::Node>| {
        super::resource::refuse_node(node).is_ok() && !definition.resources.contains_key(&node.name)
    };
    let nodes: Vec<NodeName> = draft.cluster.nodes.values().filter(free).map(|node| node.name.clone()).collect();
    for node in nodes {
        let definition = draft.definition(rsc)?;
        let pool = PoolName::parse(DISKLESS_POOL).expect("the constant is a legal name");
        let place = Placement { node: &node, pool, flags: ResourceFlags::DRBD_DISKLESS, origin: &|_| Origin::Blank };
        let resource = build(draft, &definition, &place)?;
        add(draft, rsc, &node, resource)?;
    }
    Ok(())
}

/// Places what a group's place count asks for and a definition lacks; never removes. One that has no volume yet, or that
/// is being deleted or copied, is left as it is.
pub(super) fn raise_replicas(draft: &mut Draft, rsc: &RscName, filter: &SelectFilter) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    let there = standing(&draft.cluster, &definition);
    let wanted = filter.place_count.unwrap_or(DEFAULT_PLACE_COUNT) as usize;
    if definition.flags.0 != 0 || definition.volumes.is_empty() {
        return Ok(());
    }
    if wanted > there {
        place_more(draft, rsc, filter, wanted - there)?;
    }
    Ok(())
}

/// A warning where a definition has more replicas than its group asks for.
fn note_surplus(draft: &mut Draft, rsc: &RscName, filter: &SelectFilter) {
    let Some(definition) = draft.cluster.definitions.get(rsc) else {
        return;
    };
    let there = standing(&draft.cluster, definition);
    let wanted = filter.place_count.unwrap_or(DEFAULT_PLACE_COUNT) as usize;
    if there > wanted {
        draft.note(already(rsc, there, wanted));
    }
}

/// Places what is missing for the definitions of one group, or of all. One that cannot be helped does not hinder others.
pub(super) fn adjust(draft: &mut Draft, group: Option<&GroupName>, asked: &SelectFilter) -> Result<(), Refusal> {
    let groups: Vec<ResourceGroup> = match group {
        Some(name) => vec![draft.group(name)?],
        None => draft.cluster.groups.values().map(|group| ResourceGroup::clone(group)).collect(),
    };
    for group in groups {
        let filter = asked.over(&group.filter);
        let members: Vec<RscName> = draft.cluster.in_group.get(&group.name).into_iter().flatten().cloned().collect();
        for rsc in members {
            match raise_replicas(draft, &rsc, &filter) {
                Ok(()) => note_surplus(draft, &rsc, &filter),
                Err(refusal) => draft.note(*refusal.note),
            }
        }
        draft.note(
            Note::success(MODIFIED, format!("Resource group '{}' adjusted", group.name)).about("RscGrp", &group.name),
        );
    }
    Ok(())
}

/// Definition, volumes and replicas from a group, all or none.
pub(super) fn spawn(draft: &mut Draft, order: &Spawn) -> Result<(), Refusal> {
    let group = draft.group(&order.group)?;
    let plan = spawn_volumes(&group, order)?;
    let filter = order.filter.over(&group.filter);
    let mut new = super::definition::plain(order.name.clone(), Some(group.name.clone()), order.props.clone());
    new.layers.clone_from(&filter.layers);
    new.peer_slots = order.peer_slots;
    let rsc = super::definition::create(draft, &new)?;
    if order.passphrases.len() > plan.len() {
        return Err(super::volume_key::too_many(&rsc, plan.len()));
    }
    let mut passphrases = order.passphrases.iter();
    for (number, size, flags) in plan {
        let volume = NewVolume {
            rsc: rsc.clone(),
            number: Some(number),
            size,
            flags,
            props: PropsModify::default(),
            minor: None,
            passphrase: passphrases.next().filter(|passphrase| !passphrase.expose().is_empty()).cloned(),
        };
        super::definition::decide(draft, &DefinitionCommand::VolumeCreate(volume))?;
    }
    if order.definitions_only {
        draft.note(Note::info(INFO_NO_RSC_SPAWNED, format!("No resources of '{rsc}' were asked for")));
        return Ok(());
    }
    autoplace(draft, &rsc, &SelectFilter { additional_place_count: None, ..order.filter.clone() })
}

type SpawnVolume = (VolumeNumber, crate::model::size::Kib, VolumeDefinitionFlags);

/// Numbers and sizes of a spawned definition's volumes.
fn spawn_volumes(group: &ResourceGroup, order: &Spawn) -> Result<Vec<SpawnVolume>, Refusal> {
    let groups = group.volumes.len();
    let partial = order.partial || groups == 0;
    if order.sizes.len() != groups && !partial {
        return Err(Refusal::new(
            FAIL_INVLD_VLM_SIZES,
            format!(
                "Resource group '{}' has {groups} volume groups, {} sizes are given",
                group.name,
                order.sizes.len()
            ),
        )
        .cure("Give one size for each volume group, or ask for a partial spawn")
        .about("RscGrp", &group.name));
    }
    let gross = |flags: VolumeGroupFlags| match flags.has(VolumeGroupFlags::GROSS_SIZE) {
        true => VolumeDefinitionFlags::GROSS_SIZE,
        false => VolumeDefinitionFlags::NONE,
    };
    let known: Vec<(VolumeNumber, VolumeDefinitionFlags)> =
        group.volumes.values().map(|volume| (volume.number, gross(volume.flags))).collect();
    let taken = |number: &VolumeNumber| known.iter().any(|(known, _)| known == number);
    let free = (0..u32::from(VolumeNumber::MAX)).filter_map(|n| VolumeNumber::new(n).ok()).filter(|n| !taken(n));
    let more = free.map(|number| (number, VolumeDefinitionFlags::NONE));
    let numbers = known.iter().copied().chain(more);
    Ok(order.sizes.iter().zip(numbers).map(|(size, (number, flags))| (number, *size, flags)).collect())
}

/// What the placement of a definition comes to now.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Explanation {
    /// Replicas with a disk that the group asks for.
    pub wanted: usize,
    /// Replicas with a disk that stand and count.
    pub standing: usize,
    /// Where those that lack would go, or one more where none lacks: with the reason of every node.
    pub outcome: Result<Placed, NotPlaced>,
}

/// What the placement of a definition would say now: for every node, whether it could take a replica, and why not.
/// `None` when there is no such definition, or its group is not there.
#[must_use]
pub fn explain(cluster: &Cluster, rsc: &RscName) -> Option<Explanation> {
    let definition = cluster.definitions.get(rsc)?;
    let filter = &cluster.groups.get(&definition.group)?.filter;
    let wanted = filter.place_count.unwrap_or(DEFAULT_PLACE_COUNT) as usize;
    let standing = standing(cluster, definition);
    let more = wanted.saturating_sub(standing).max(1);
    Some(Explanation { wanted, standing, outcome: place_of(cluster, definition, filter, more) })
}
