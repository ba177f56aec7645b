//! Certificates of the processes of one cluster: made once, found again.

use std::path::Path;

use super::{Start, StartError, program};
use crate::actors::system::System;
use crate::actors::system::link::{Endpoint, LinkOptions};
use crate::tls::{Authority, Identity};

/// Name under which a controller's certificate is made.
pub const CONTROLLER: &str = "controller";

/// Makes an authority in `folder`, where there is none, and a certificate for each name.
///
/// # Errors
/// The folder cannot be written.
pub fn write_identities(folder: &Path, names: &[String]) -> Result<(), StartError> {
    let authority = Authority::open(folder)?;
    for name in names {
        authority.issue_into(folder, &name.to_ascii_lowercase())?;
    }
    Ok(())
}

/// The command line that makes certificates of these names in `folder`.
#[must_use]
pub fn command(names: &[&str], folder: &Path) -> String {
    format!("{} identity {} --folder {}", program("zead"), names.join(" "), folder.display())
}

/// The endpoint of this process, when certificates are configured or lie in the identity folder under `name`.
pub(super) fn endpoint(system: &System, start: &Start, name: &str) -> Result<Option<Endpoint>, StartError> {
    let link = &start.config.link;
    let folder = start.config.identity_dir();
    let name = name.to_ascii_lowercase();
    let certificate = link.certificate.clone().unwrap_or_else(|| folder.join(format!("{name}.crt")));
    let key = link.key.clone().unwrap_or_else(|| folder.join(format!("{name}.key")));
    let authority = link.ca.clone().unwrap_or_else(|| folder.join("ca.crt"));
    if link.certificate.is_none() && !certificate.exists() {
        return Ok(None);
    }
    let identity = Identity::load(&certificate, &key, &authority)?;
    let options = LinkOptions { heartbeat: link.heartbeat, silence: link.heartbeat * 3, ..LinkOptions::default() };
    Ok(Some(Endpoint::new(&name, identity, options, system.workers().clone())?))
}
