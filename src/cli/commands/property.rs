//! `zea property` and `zea kvs`.

use serde_json::Value;

use crate::cli::args::{KvsCommand, ObjectPath, PropertyCommand};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::views::{self, Keys, Page};
use crate::protocols::rest::props::PropsModify;

const STORE: &str = "/v1/key-value-store/{}";

/// Carries a command out.
pub fn run(command: &PropertyCommand, session: &mut Session) -> Result<(), CliError> {
    match command {
        PropertyCommand::List { object } => {
            let object: ObjectPath = object.join("/").parse().map_err(CliError::Usage)?;
            list(&object.read(), object.field(), session)
        }
        PropertyCommand::Set { object, key, value } => session.change(&object.change().with_property(key, Some(value))),
        PropertyCommand::Unset { object, keys } => session.change(&object.change().with(&removal(keys))),
        PropertyCommand::Keys { kind, contains } => {
            let Some(path) = kind.info else {
                let why = format!("the controller has no list of keys for {}: it takes any below Aux/", kind.kind);
                return Err(CliError::Usage(why));
            };
            let call = Call::get(path, &[]);
            if session.is_json() {
                return session.show(&call, views::texts);
            }
            let keys: Keys = session.fetch(&call)?;
            session.print_page(&views::key_page(&keys, contains.as_deref()))
        }
    }
}

fn removal(keys: &[String]) -> PropsModify {
    PropsModify { delete_props: keys.to_vec(), ..Default::default() }
}

/// Lists the properties that stand in a field of what is read.
fn list(call: &Call, field: Option<&str>, session: &mut Session) -> Result<(), CliError> {
    if session.is_json() {
        return session.show(call, |_| Ok(Page::default()));
    }
    let object: Value = session.fetch(call)?;
    session.print_page(&views::property_page(&object, field))
}

/// Carries a command out.
pub fn run_kvs(command: &KvsCommand, session: &mut Session) -> Result<(), CliError> {
    match command {
        KvsCommand::List => session.show(&Call::get("/v1/key-value-store", &[]), views::stores),
        KvsCommand::Show { name } => list(&Call::get(STORE, &[name]), Some("props"), session),
        KvsCommand::Set { name, key, value } => {
            session.change(&Call::put(STORE, &[name]).with_property(key, Some(value)))
        }
        KvsCommand::Unset { name, keys } => session.change(&Call::put(STORE, &[name]).with(&removal(keys))),
        KvsCommand::Delete { name } => session.change(&Call::delete(STORE, &[name])),
    }
}
