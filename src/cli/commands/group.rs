//! `zea group`.

use super::{change, show};
use crate::cli::args::{GroupCommand, GroupVolumesCommand};
use crate::cli::call::Call;
use crate::cli::session::Step;
use crate::cli::views;
use crate::protocols::rest::group::{
    ResourceGroupAdjust, ResourceGroupCreate, ResourceGroupModify, ResourceGroupSpawn, VolumeGroupCreate,
};
use crate::protocols::rest::size_query::QuerySizeInfoRequest;

const GROUPS: &str = "/v1/resource-groups";
const GROUP: &str = "/v1/resource-groups/{}";
const SPAWN: &str = "/v1/resource-groups/{}/spawn";
const VOLUMES: &str = "/v1/resource-groups/{}/volume-groups";

/// Makes a resource out of a group.
pub fn spawn(group: &str, body: &ResourceGroupSpawn) -> Call {
    Call::post(SPAWN, &[group]).with(body)
}

/// The steps of a command.
pub fn steps(command: &GroupCommand) -> Vec<Step> {
    match command {
        GroupCommand::List { groups } => show(Call::get(GROUPS, &[]).query("resource_groups", groups), views::groups),
        GroupCommand::Create { name, description, volumes, filter, properties } => {
            let body = ResourceGroupCreate {
                name: name.clone(),
                description: description.clone(),
                props: properties.props(),
                select_filter: filter.select(),
                peer_slots: None,
            };
            let volume = || Step::Change(Call::post(VOLUMES, &[name]).with(&VolumeGroupCreate::default()));
            let group = Step::Change(Call::post(GROUPS, &[]).with(&body));
            std::iter::once(group).chain((0..*volumes).map(|_| volume())).collect()
        }
        GroupCommand::Modify { name, description, filter } => {
            let (description, select_filter) = (description.clone(), filter.select());
            let body = ResourceGroupModify { description, select_filter, ..Default::default() };
            change(Call::put(GROUP, &[name]).with(&body))
        }
        GroupCommand::Delete { name } => change(Call::delete(GROUP, &[name])),
        GroupCommand::Spawn { group, name, sizes, partial, definitions_only, filter, properties } => {
            let body = ResourceGroupSpawn {
                resource_definition_name: Some(name.clone()),
                volume_sizes: sizes.clone(),
                select_filter: filter.select(),
                partial: *partial,
                definitions_only: *definitions_only,
                resource_definition_props: properties.props(),
                ..Default::default()
            };
            change(spawn(group, &body))
        }
        GroupCommand::Adjust { group, filter } => {
            let call = match group {
                Some(group) => Call::post("/v1/resource-groups/{}/adjust", &[group]),
                None => Call::post("/v1/resource-groups/adjustall", &[]),
            };
            change(call.with(&ResourceGroupAdjust { select_filter: filter.select(), ..Default::default() }))
        }
        GroupCommand::Volumes(command) => volumes_steps(command),
        GroupCommand::Size { group, filter } => {
            let body = QuerySizeInfoRequest { select_filter: filter.select(), ignore_cache_older_than_sec: None };
            show(Call::post("/v1/resource-groups/{}/query-size-info", &[group]).with(&body), views::size_info)
        }
        GroupCommand::SetProperty { name, property } => {
            change(Call::put(GROUP, &[name]).with_property(&property.key, property.value.as_deref()))
        }
    }
}

fn volumes_steps(command: &GroupVolumesCommand) -> Vec<Step> {
    match command {
        GroupVolumesCommand::List { group } => show(Call::get(VOLUMES, &[group]), views::group_volumes),
        GroupVolumesCommand::Create { group, number, properties } => {
            let (volume_number, props) = (number.map(i32::from), properties.props());
            let body = VolumeGroupCreate { volume_number, props, flags: Vec::new() };
            change(Call::post(VOLUMES, &[group]).with(&body))
        }
        GroupVolumesCommand::Delete { group, number } => {
            change(Call::delete("/v1/resource-groups/{}/volume-groups/{}", &[group, &number.to_string()]))
        }
    }
}
