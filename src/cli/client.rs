//! Sends calls to the first controller that answers. Never sends a change a second time when the first may have arrived,
//! and never follows a redirect, which would turn a change into a question.

use std::io;
use std::time::Duration;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Timeout, http};

use super::call::Call;
use super::controllers::Address;
use super::error::{Attempt, CliError};
use super::settings::{Settings, TlsFiles};

/// How long a controller may take to accept a connection: several are tried one after another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest answer that is read, in bytes: a list of a hundred thousand replicas is far below.
const MAX_ANSWER_BYTES: u64 = 1 << 30;

/// How rustls names the first bytes of an answer that are no TLS.
const NOT_TLS: &str = "InvalidContentType";

/// What a controller answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who answered.
    pub controller: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Where the controller would rather be asked, if it said so.
    pub location: Option<String>,
}

/// The controllers, and which of them answered last.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    controllers: Vec<Address>,
    /// Index of the one that is tried first.
    first: usize,
}

/// How far a request came.
enum Failure {
    /// It never left.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

impl Client {
    /// Reads the files for TLS; opens no connection.
    pub fn new(settings: &Settings) -> Result<Client, CliError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A controller is near; a proxy for the outside world is not on the way to it.
            .proxy(None)
            .user_agent(concat!("zea/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(settings.timeout)))
            .timeout_global(Some(settings.timeout))
            .tls_config(tls(&settings.tls)?)
            .build();
        Ok(Client { agent: config.new_agent(), controllers: settings.controllers.clone(), first: 0 })
    }

    /// Sends a call to the first controller that answers, beginning with the one that answered last.
    pub fn send(&mut self, call: &Call) -> Result<Answer, CliError> {
        let mut attempts = Vec::new();
        for index in (self.first..self.controllers.len()).chain(0..self.first) {
            let controller = self.controllers[index].to_string();
            match self.send_to(&controller, call) {
                Ok(answer) => {
                    self.first = index;
                    return Ok(answer);
                }
                Err(Failure::Unknown(why)) if !call.is_reading() => {
                    return Err(CliError::NoAnswer(Attempt { controller, why }));
                }
                Err(Failure::Unknown(why) | Failure::NotSent(why)) => attempts.push(Attempt { controller, why }),
            }
        }
        Err(CliError::Unreachable(attempts))
    }

    fn send_to(&self, controller: &str, call: &Call) -> Result<Answer, Failure> {
        let request = http::Request::builder()
            .method(call.method.as_str())
            .uri(format!("{controller}{}", call.target))
            .header("accept", "application/json");
        let unsent = |error: http::Error| Failure::NotSent(error.to_string());
        let response = match &call.body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.as_str()).map_err(unsent)?;
                self.agent.run(request)
            }
            None => self.agent.run(request.body(()).map_err(unsent)?),
        };
        answer(controller, response.map_err(failure)?)
    }
}

fn answer(controller: &str, mut response: http::Response<Body>) -> Result<Answer, Failure> {
    let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).lossy_utf8(true).read_to_string();
    let body = body.map_err(|error| Failure::Unknown(error.to_string()))?;
    Ok(Answer { controller: controller.to_owned(), status, body, location })
}

/// Tells a request that never left from one that may have arrived.
fn failure(error: ureq::Error) -> Failure {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    match error {
        ureq::Error::HostNotFound => Failure::NotSent("this host is not known".to_owned()),
        ureq::Error::ConnectionFailed => Failure::NotSent("it cannot be connected to".to_owned()),
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            Failure::NotSent("it did not accept a connection in time".to_owned())
        }
        error if error.to_string().contains(NOT_TLS) => {
            Failure::NotSent("it speaks plain HTTP and no TLS: write http:// instead of https://".to_owned())
        }
        ureq::Error::Timeout(_) => Failure::Unknown("it did not answer in time (see --timeout)".to_owned()),
        ureq::Error::Io(error) => match error.kind() {
            ConnectionRefused => Failure::NotSent("nobody listens there (connection refused)".to_owned()),
            HostUnreachable | NetworkUnreachable | AddrNotAvailable => Failure::NotSent(error.to_string()),
            _ => Failure::Unknown(error.to_string()),
        },
        error @ (ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::TlsRequired
        | ureq::Error::BadUri(_)
        | ureq::Error::Http(_)) => Failure::NotSent(error.to_string()),
        ureq::Error::Protocol(error) => {
            Failure::Unknown(format!("what answers there speaks no HTTP ({error}); if it is TLS, write https://"))
        }
        error => Failure::Unknown(error.to_string()),
    }
}

fn tls(files: &TlsFiles) -> Result<TlsConfig, CliError> {
    let mut config = TlsConfig::builder();
    if let Some(ca) = &files.ca {
        config = config.root_certs(RootCerts::new_with_certs(&certificates(ca)?));
    }
    let client = match (&files.certificate, &files.key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let parsed = PrivateKey::from_pem(read(key)?.as_bytes()).map_err(|error| bad(key, &error.to_string()))?;
            Some(ClientCert::new_with_certs(&certificates(certificate)?, parsed))
        }
        (Some(path), None) | (None, Some(path)) => {
            return Err(bad(path, "certificate and key go together: name both in the configuration file"));
        }
    };
    Ok(config.client_cert(client).build())
}

fn certificates(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, CliError> {
    let mut found = Vec::new();
    for item in parse_pem(read(path)?.as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| bad(path, &error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(bad(path, "there is no certificate in it (PEM)")) } else { Ok(found) }
}

fn read(path: &std::path::Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| bad(path, &error.to_string()))
}

fn bad(path: &std::path::Path, why: &str) -> CliError {
    CliError::Tls { path: path.display().to_string(), why: why.to_owned() }
}
