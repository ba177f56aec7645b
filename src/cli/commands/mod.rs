//! What each command does: its calls, and what is shown of their answers. Most are plain steps; those that look at one
//! answer to make the next call run by themselves.

mod definition;
mod encryption;
mod group;
mod node;
mod property;
mod quick;
mod resource;
mod small;
mod snapshot;
mod store;

pub use store::{Printing as StorePrinting, run as run_store};

use super::args::{Command, VolumeCommand};
use super::call::Call;
use super::error::CliError;
use super::session::{Session, Step};
use super::views;

/// Where resource definitions are.
const DEFINITIONS: &str = "/v1/resource-definitions";
/// One resource definition.
const DEFINITION: &str = "/v1/resource-definitions/{}";

/// Carries a command out that needs a controller.
pub fn run(command: &Command, session: &mut Session) -> Result<(), CliError> {
    match command {
        Command::Make(make) => quick::make(make, session),
        Command::Rm { name, yes } => quick::remove(name, *yes, session),
        Command::Device { name } => quick::devices(name, session),
        Command::Node(command) => node::run(command, session),
        Command::Pool(command) => session.take(resource::pool_steps(command)),
        Command::Group(command) => session.take(group::steps(command)),
        Command::Definition(command) => definition::run(command, session),
        Command::Volume(VolumeCommand::Passphrase { resource, number }) => {
            encryption::volume(resource, *number, session)
        }
        Command::Volume(command) => session.take(definition::volume_steps(command)),
        Command::Resource(command) => session.take(resource::steps(command)),
        Command::Snapshot(command) => snapshot::run(command, session),
        Command::Property(command) => property::run(command, session),
        Command::Kvs(command) => property::run_kvs(command, session),
        Command::Controller(command) => session.take(small::controller_steps(command)),
        Command::Encryption(command) => encryption::run(command, session),
        Command::Actors => session.show(&Call::get("/v1/zea/actors", &[]), views::actors),
        Command::Explain { resource } => small::explain(resource, session),
        Command::Errors(command) => session.take(small::error_steps(command)),
        Command::Url => small::url(session),
        Command::Store(_) | Command::Completions { .. } => {
            Err(CliError::Failed("this command needs no controller, and was not to come here".to_owned()))
        }
    }
}

fn change(call: Call) -> Vec<Step> {
    vec![Step::Change(call)]
}

fn show(call: Call, view: views::View) -> Vec<Step> {
    vec![Step::Show(call, view)]
}

#[cfg(test)]
mod tests;
