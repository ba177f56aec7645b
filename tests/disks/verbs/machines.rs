//! Verbs of nodes, satellites and the controller.

use super::Done;
use crate::disks::machine::Kind;
use crate::disks::network;
use crate::disks::script::{size_of, time_of};
use crate::disks::stage::Stage;

pub fn node(stage: &Stage, words: &[&str]) -> Done {
    stage.add_node(words[0], Kind::Uml)
}

pub fn node_with_zfs(stage: &Stage, words: &[&str]) -> Done {
    stage.add_node(words[0], Kind::Zfs)
}

pub fn disk(stage: &Stage, words: &[&str]) -> Done {
    stage.add_disk(words[0], words[1], (size_of(words[2])?, false))
}

pub fn faulty_disk(stage: &Stage, words: &[&str]) -> Done {
    stage.add_disk(words[0], words[1], (size_of(words[2])?, true))
}

pub fn cluster_up(stage: &Stage, _: &[&str]) -> Done {
    let nodes = stage.node_names();
    nodes.iter().try_for_each(|node| stage.switch_on(node))?;
    stage.start_controller()?;
    for node in &nodes {
        stage.come_up(node)?;
        stage.start_satellite(node)?;
        stage.register(node)?;
    }
    nodes.iter().try_for_each(|node| stage.wait_online(node, true))
}

pub fn boot(stage: &Stage, words: &[&str]) -> Done {
    stage.switch_on(words[0])?;
    stage.come_up(words[0])
}

pub fn kill(stage: &Stage, words: &[&str]) -> Done {
    stage.power_loss(words[0])
}

pub fn freeze(stage: &Stage, words: &[&str]) -> Done {
    stage.freeze(words[0], true)
}

pub fn thaw(stage: &Stage, words: &[&str]) -> Done {
    stage.freeze(words[0], false)
}

pub fn unplug(stage: &Stage, words: &[&str]) -> Done {
    network::plug(stage.with_node(words[0], |node| node.number)?, false)
}

pub fn plug_in(stage: &Stage, words: &[&str]) -> Done {
    network::plug(stage.with_node(words[0], |node| node.number)?, true)
}

pub fn start_controller(stage: &Stage, _: &[&str]) -> Done {
    stage.start_controller()
}

pub fn kill_controller(stage: &Stage, _: &[&str]) -> Done {
    stage.kill_controller()
}

pub fn start_satellite(stage: &Stage, words: &[&str]) -> Done {
    stage.start_satellite(words[0])
}

pub fn kill_satellite(stage: &Stage, words: &[&str]) -> Done {
    stage.kill_satellite(words[0])
}

pub fn online(stage: &Stage, words: &[&str]) -> Done {
    stage.wait_online(words[0], true)
}

pub fn offline(stage: &Stage, words: &[&str]) -> Done {
    stage.wait_online(words[0], false)
}

/// For what gives no sign of itself; what does is waited for by its sign.
pub fn wait(_: &Stage, words: &[&str]) -> Done {
    std::thread::sleep(time_of(words[0])?);
    Ok(())
}
