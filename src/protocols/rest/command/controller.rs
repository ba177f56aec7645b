//! Requests about the controller's properties and key-value stores. Never checks a property.

use super::parse::{kvs, props};
use super::{Call, Request, Untranslated, calls};
use crate::model::command::{Command, ControllerCommand};
use crate::model::props::PropsModify;

pub(super) const CALLS: &[Call] = calls! {
    controllerPropertyModify Nodes => modify;
    controllerPropertyDelete Nodes => delete;
    keyValueStoreModify Commit => kvs_modify;
    keyValueStoreDelete Commit => kvs_delete;
};

fn modify(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Controller(ControllerCommand::Modify { props: props(request.read()?) }))
}

fn delete(request: &Request) -> Result<Command, Untranslated> {
    let props = PropsModify { delete_props: vec![request.param("key").to_owned()], ..PropsModify::default() };
    Ok(Command::Controller(ControllerCommand::Modify { props }))
}

fn kvs_modify(request: &Request) -> Result<Command, Untranslated> {
    let name = kvs(request.param("instance"))?;
    Ok(Command::Controller(ControllerCommand::KvsModify { name, props: props(request.read()?) }))
}

fn kvs_delete(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Controller(ControllerCommand::KvsDelete { name: kvs(request.param("instance"))? }))
}
