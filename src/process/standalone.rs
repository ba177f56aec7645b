//! Everything on one machine: a controller, a satellite beside it, a pool in the data folder. Or, without root, a
//! controller with simulated satellites.

use std::path::{Path, PathBuf};

use super::controller::{Serving, start_role};
use super::data_folder::{DataFolder, Owner};
use super::first_start::{self, First, Group};
use super::{Start, StartError, hints, passphrase, satellite, simulated};
use crate::actors::controller::root::Controller;
use crate::actors::controller::satellites::{LocalSatellites, SatellitesMessage};
use crate::actors::system::System;
use crate::model::cluster::Cluster;
use crate::model::kinds::LayerKind;
use crate::model::names::{GroupName, NodeName, PoolName};
use crate::model::news::News;
use crate::storage::pool_folder::{self, PoolFolder};

/// The group that the first start makes.
const GROUP: &str = "local";
/// Why volumes are of the layer STORAGE alone.
const NO_DRBD: &str = "this kernel has no DRBD 9 (its module is not loaded)";
/// What to try with it.
const TRY: [&str; 3] = ["make web 1G", "resource list", "actors"];

pub(super) fn start(system: &System, start: &Start) -> Result<Serving, StartError> {
    match start.config.standalone.simulated_nodes {
        0 => start_real(system, start),
        nodes => start_simulated(system, start, nodes),
    }
}

/// Everything that can refuse comes before the pool's folder is prepared, which may mount an image.
fn start_real(system: &System, start: &Start) -> Result<Serving, StartError> {
    refuse_machine()?;
    let node = name(&start.node_name())?;
    let pool = pool_name(start)?;
    let folder = std::path::absolute(start.config.pool_dir()).map_err(StartError::io("the pool's folder"))?;
    let local = LocalSatellites::default();
    let controller = start_role(system, start, local.clone(), None)?;
    let place = DataFolder::of_store(&start.config.store_path(), Owner::Node(node.clone()));
    loaded(system, &controller, &place)?;
    passphrase::enter(system, start, &controller)?;
    let size = start.config.standalone.pool_size.map(|size| size.0);
    let was_mounted = pool_folder::is_mount_point(&folder);
    let target = folder.clone();
    let kind = first_start::wait(system, async move { pool_folder::prepare(&target, size).await })??;
    let own = Own { node, pool, folder, kind };
    let served = serve_own(system, start, (&controller, &local), &own).and_then(|serving| {
        place.remember()?;
        Ok(serving)
    });
    if served.is_err() && !was_mounted {
        give_back(system, &own.folder);
    }
    served
}

/// The node of this machine.
struct Own {
    node: NodeName,
    pool: PoolName,
    folder: PathBuf,
    kind: PoolFolder,
}

fn serve_own(
    system: &System,
    start: &Start,
    (controller, local): (&Controller, &LocalSatellites),
    own: &Own,
) -> Result<Serving, StartError> {
    local.add(own.node.clone(), satellite::start_local(system, start, controller)?);
    let layers = satellite::stack_of_this_machine(system)?;
    let shown = own.folder.display().to_string();
    let group = Group { name: GROUP, replicas: 1, layers: layers.clone() };
    let (asked, text) = (controller.clone(), shown.clone());
    let (node, pool) = (own.node.clone(), own.pool.clone());
    first_start::wait(system, async move {
        let first = First { node, pool, folder: &text };
        first_start::make(&asked, &[first], &group).await
    })??;
    align(controller)?;
    ready(system, controller, vec![own.node.clone()])?;
    let served = super::rest::start(system, start, controller, None)?;
    let place = match &own.kind {
        PoolFolder::Plain => shown,
        PoolFolder::Image(image) => format!("{shown}, an xfs of its own in {}", image.display()),
    };
    let mut lines = served.lines();
    lines.push(format!("Node '{}' with FILE_THIN pool '{}' in {place}", own.node, own.pool));
    let (group, first) = of_group(&controller.view.load(), &own.pool, &layers);
    lines.extend(group);
    lines.extend(hints::try_next(served.rest, &[first.as_str(), TRY[1], TRY[2]]));
    Ok(Serving { lines, rest: Some(served.rest), link: None, controller: Some(controller.clone()) })
}

/// What is to be told of the group that `zea make` takes, as it is by now, and what to try first.
fn of_group(cluster: &Cluster, pool: &PoolName, layers: &[LayerKind]) -> (Option<String>, String) {
    let group = GroupName::parse(GROUP).ok().and_then(|name| cluster.groups.get(&name));
    let Some(group) = group else {
        let create = format!("group create {GROUP} --place-count 1 --pools {pool} --layers {}", named(layers));
        let line = format!("There is no group '{GROUP}' any more: zea make needs -g GROUP, or the group made again");
        return (Some(line), create);
    };
    let made = group.filter.layers.as_deref().unwrap_or_default();
    let (has_drbd, wants_drbd) =
        (layers.contains(&LayerKind::Drbd), made.is_empty() || made.contains(&LayerKind::Drbd));
    let line = (!has_drbd).then(|| match wants_drbd {
        true => format!("Group '{GROUP}' wants layer DRBD: {NO_DRBD}, so that its volumes find no place"),
        false => format!("Group '{GROUP}' makes volumes of layer {}: {NO_DRBD}", named(made)),
    });
    (line, TRY[0].to_owned())
}

fn named(layers: &[LayerKind]) -> String {
    layers.iter().map(|layer| layer.as_str()).collect::<Vec<_>>().join(",")
}

/// Waits for the store's records, and refuses those of another cluster.
fn loaded(system: &System, controller: &Controller, place: &DataFolder) -> Result<(), StartError> {
    let asked = controller.clone();
    first_start::wait(system, async move { first_start::wait_for_load(&asked).await })??;
    place.check(&controller.view.load())
}

/// After a start that failed: nothing stays attached or mounted that it found otherwise.
fn give_back(system: &System, folder: &Path) {
    system.stop();
    let _ = system.wait();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let released = runtime.map(|runtime| runtime.block_on(crate::storage::release::release(folder)));
    if let Ok(Err(problem)) = released {
        tracing::warn!(%problem, "what the start mounted stays: zead release gives it back");
    }
}

fn start_simulated(system: &System, start: &Start, nodes: u32) -> Result<Serving, StartError> {
    let pool = pool_name(start)?;
    let local = LocalSatellites::default();
    let controller = start_role(system, start, local.clone(), None)?;
    let place = DataFolder::of_store(&start.config.store_path(), Owner::Simulation);
    loaded(system, &controller, &place)?;
    passphrase::enter(system, start, &controller)?;
    let silent = start.config.standalone.silent_nodes.min(nodes);
    let (mut names, mut answering) = (Vec::new(), Vec::new());
    for number in 1..=nodes {
        let node = name(&format!("sim-{number}"))?;
        let satellite = match number > nodes - silent {
            true => simulated::start_silent(system, &node)?,
            false => {
                answering.push(node.clone());
                simulated::start_one(system, start, &node, &controller)?
            }
        };
        local.add(node.clone(), satellite);
        names.push(node);
    }
    let group = Group { name: GROUP, replicas: 2.min(nodes), layers: vec![LayerKind::Drbd, LayerKind::Storage] };
    let asked = controller.clone();
    let made = first_start::wait(system, async move {
        let first = |node: &NodeName| First { node: node.clone(), pool: pool.clone(), folder: simulated::POOL_FOLDER };
        let firsts: Vec<First> = names.iter().map(first).collect();
        first_start::make(&asked, &firsts, &group).await
    })??;
    align(&controller)?;
    place.remember()?;
    answering.retain(|node| made.contains(node));
    ready(system, &controller, answering)?;
    let served = super::rest::start(system, start, &controller, None)?;
    let mut lines = served.lines();
    lines.push(format!("{nodes} simulated nodes sim-1 to sim-{nodes}: they answer as real ones, and hold no data"));
    if silent > 0 {
        lines.push(format!("The last {silent} of them never answer"));
    }
    lines.extend(hints::try_next(served.rest, &TRY));
    Ok(Serving { lines, rest: Some(served.rest), link: None, controller: Some(controller) })
}

/// Satellites in this process were added after the cluster was loaded: contact is made now.
fn align(controller: &Controller) -> Result<(), StartError> {
    let everybody = News { everybody: true, ..News::default() };
    controller
        .satellites
        .tell(SatellitesMessage::News(Box::new(everybody)))
        .map_err(|error| StartError::FirstStart(error.to_string()))
}

fn ready(system: &System, controller: &Controller, nodes: Vec<NodeName>) -> Result<(), StartError> {
    let asked = controller.clone();
    first_start::wait(system, async move { first_start::until_ready(&asked, &nodes).await })
}

fn name(text: &str) -> Result<NodeName, StartError> {
    NodeName::parse(text).map_err(|error| StartError::Machine {
        message: format!("This machine's name '{text}' cannot be a node's name"),
        cause: error.to_string(),
        cure: "Give the node a name in the configuration: [node] name = \"...\"".to_owned(),
    })
}

fn pool_name(start: &Start) -> Result<PoolName, StartError> {
    PoolName::parse(&start.config.standalone.pool).map_err(|error| StartError::Machine {
        message: "The configured pool name cannot be used".to_owned(),
        cause: error.to_string(),
        cure: "Change [standalone] pool".to_owned(),
    })
}

/// Real volumes need root and loop devices.
fn refuse_machine() -> Result<(), StartError> {
    let cause = if !nix::unistd::geteuid().is_root() {
        "it is not run by root"
    } else if !std::path::Path::new("/dev/loop-control").exists() {
        "there is no /dev/loop-control (the kernel's loop module is not loaded, or the container has no devices)"
    } else {
        return Ok(());
    };
    Err(StartError::Machine {
        message: "This process cannot make volumes".to_owned(),
        cause: cause.to_owned(),
        cure: "Run it as root on a kernel with loop devices (modprobe loop); to try the API, the placement and the \
               actors without either: zead standalone --simulated-nodes 3"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testkit;

    #[test]
    fn the_group_is_told_as_it_is() {
        let told = |text: &str, layers: &str, of_machine: &[LayerKind]| {
            let mut cluster = testkit::cluster(text);
            let groups: Vec<_> = cluster.groups.values().cloned().collect();
            for group in groups {
                let filter = testkit::filter(layers);
                let changed = crate::model::group::ResourceGroup { filter, ..(*group).clone() };
                let name = changed.name.clone();
                cluster.apply(&crate::model::change::Change::Group(name, Some(std::sync::Arc::new(changed))));
            }
            of_group(&cluster, &testkit::pool("data"), of_machine)
        };
        const STORAGE: &[LayerKind] = &[LayerKind::Storage];
        const DRBD: &[LayerKind] = &[LayerKind::Drbd, LayerKind::Storage];
        let (line, first) = told("grp local", "layers=STORAGE", STORAGE);
        assert!(line.unwrap().contains("of layer STORAGE") && first == TRY[0]);
        for layers in ["", "layers=DRBD,STORAGE"] {
            assert!(told("grp local", layers, STORAGE).0.unwrap().contains("find no place"), "{layers}");
        }
        assert_eq!(told("grp local", "layers=STORAGE", DRBD), (None, TRY[0].to_owned()));
        let (line, first) = told("grp other", "", STORAGE);
        assert!(line.unwrap().contains("no group 'local'"));
        assert_eq!(first, "group create local --place-count 1 --pools data --layers STORAGE");
    }
}
