//! Requests about storage pools and their definitions. Never looks whether they exist.

use super::nodes::of;
use super::parse::{given, new_props, pool, props, provider, shared_space};
use super::{Call, Request, Untranslated, calls};
use crate::model::command::{Command, NewPool, PoolCommand};
use crate::model::names::PoolName;
use crate::model::refusal::Refusal;
use crate::protocols::rest::pool::{StoragePoolCreate, StoragePoolDefinition};

pub(super) const CALLS: &[Call] = calls! {
    nodeStoragePoolCreate Nodes => create;
    nodeStoragePoolModify Nodes => modify;
    nodeStoragePoolDelete Nodes => delete;
    storagePoolDfnAdd Commit => definition_create;
    storPoolDfnModify Commit => definition_modify;
    storagePoolDefinitionDelete Commit => definition_delete;
};

fn name_of(request: &Request) -> Result<PoolName, Refusal> {
    pool(request.param("sp"))
}

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: StoragePoolCreate = request.read()?;
    Ok(Command::Pool(PoolCommand::Create(NewPool {
        node: of(request)?,
        name: pool(&wire.storage_pool_name)?,
        provider: provider(&wire.provider_kind)?,
        props: new_props(wire.props),
        shared_space: given(wire.free_space_mgr_name.as_ref(), shared_space)?,
        external_locking: wire.external_locking == Some(true),
    })))
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let props = props(request.read()?);
    Ok(Command::Pool(PoolCommand::Modify { node: of(request)?, name: name_of(request)?, props }))
}

fn delete(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Pool(PoolCommand::Delete { node: of(request)?, name: name_of(request)? }))
}

fn definition_create(request: &Request) -> Result<Command, Untranslated> {
    let wire: StoragePoolDefinition = request.read()?;
    let name = pool(&wire.storage_pool_name)?;
    Ok(Command::Pool(PoolCommand::DefinitionCreate { name, props: new_props(wire.props) }))
}

fn definition_modify(request: &Request) -> Result<Command, Untranslated> {
    let props = props(request.read()?);
    Ok(Command::Pool(PoolCommand::DefinitionModify { name: name_of(request)?, props }))
}

fn definition_delete(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Pool(PoolCommand::DefinitionDelete { name: name_of(request)? }))
}
