//! `zea controller`, `zea explain`, `zea errors` and `zea url`.

use super::{change, show};
use crate::cli::args::{ControllerCommand, ErrorsCommand};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::{Session, Step};
use crate::cli::views;
use crate::model::code::FAIL_NOT_FOUND_RSC_DFN;

const PROPERTIES: &str = "/v1/controller/properties";
const NO_REPORT: &str = "there is no such error report: zea errors list shows which there are";
const VERSION: &str = "/v1/controller/version";

/// The steps of `zea controller`.
pub fn controller_steps(command: &ControllerCommand) -> Vec<Step> {
    match command {
        ControllerCommand::Version => show(Call::get(VERSION, &[]), views::versions),
        ControllerCommand::Properties => show(Call::get(PROPERTIES, &[]), views::texts),
        ControllerCommand::SetProperty { property } => {
            change(Call::post(PROPERTIES, &[]).with_property(&property.key, property.value.as_deref()))
        }
    }
}

/// The steps of `zea errors`.
pub fn error_steps(command: &ErrorsCommand) -> Vec<Step> {
    match command {
        ErrorsCommand::List { node, limit } => {
            let call = Call::get("/v1/error-reports", &[]).query("node", node).query("limit", [limit.to_string()]);
            show(call, views::errors)
        }
        ErrorsCommand::Show { ids } => {
            let call = |id: &String| Call::get("/v1/error-reports/{}", &[id]).query("withContent", ["true"]);
            ids.iter().map(|id| Step::Find(call(id), views::error_texts, NO_REPORT)).collect()
        }
    }
}

/// Tells where a resource's replicas are to go. One that is not there may have been refused: nothing is kept of that.
pub fn explain(resource: &str, session: &mut Session) -> Result<(), CliError> {
    let shown = session.show(&Call::get("/v1/zea/explain/{}", &[resource]), views::explanation);
    shown.map_err(|error| match error {
        CliError::Refused(mut entries) => {
            for entry in entries.iter_mut().filter(|entry| entry.code() == FAIL_NOT_FOUND_RSC_DFN) {
                entry.cause = "What was refused was never made, and its reasons were told with the refusal".to_owned();
                entry.correction = format!(
                    "To see them again: zea group spawn GROUP {resource} SIZE --definitions-only makes it without \
                     placing it, then zea explain {resource} tells what each node says"
                );
            }
            CliError::Refused(entries)
        }
        other => other,
    })
}

/// Prints which controller answers.
pub fn url(session: &mut Session) -> Result<(), CliError> {
    let answer = session.ask(&Call::get(VERSION, &[]))?;
    let line = if session.is_json() { format!("{:?}", answer.controller) } else { answer.controller };
    session.print_line(&line)
}
