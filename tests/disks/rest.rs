//! The controller's REST API as a scenario uses it: every call and answer is noted, a refusal is an error with its text.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::folder::Folder;
use crate::processes::harness::{Answer, Client};

/// Where the controller serves, inside the scenario's network.
pub const ADDRESS: &str = "127.0.0.1:3370";

#[derive(Clone)]
pub struct Rest {
    client: Client,
    folder: Arc<Folder>,
}

impl Rest {
    pub fn new(folder: Arc<Folder>) -> Self {
        let address: SocketAddr = ADDRESS.parse().expect("it is one");
        Self { client: Client::new(address), folder }
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let began = Instant::now();
        let answer = self.client.try_call(method, path, body);
        let took = began.elapsed().as_millis();
        let sent = body.map(Value::to_string).unwrap_or_default();
        let said =
            answer.as_ref().map_or("no answer".to_owned(), |answer| format!("{} {}", answer.status, answer.json));
        self.folder.note("rest.txt", &format!("{method} {path} {sent}\n         {took} ms: {said}"));
        answer.ok_or_else(|| format!("no answer to {method} {path}"))
    }

    /// What is read; without a note, for it is asked again and again.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        let answer = self.client.try_call("GET", path, None).ok_or_else(|| format!("no answer to GET {path}"))?;
        if answer.status >= 300 {
            Err(format!("GET {path}: {} {}", answer.status, answer.json))
        } else {
            Ok(answer.json)
        }
    }

    /// What has to succeed.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = self.call(method, path, body)?;
        if answer.is_ok() {
            Ok(answer.json)
        } else {
            Err(format!("{method} {path}: {} {}", answer.status, answer.json))
        }
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.ask("POST", path, body)
    }

    pub fn delete(&self, path: &str) -> Result<Value, String> {
        self.ask("DELETE", path, &Value::Null)
    }

    /// Gives the state to the logs.
    pub fn dump(&self) {
        let paths =
            ["/v1/nodes", "/v1/view/storage-pools", "/v1/view/resources", "/v1/view/snapshots", "/v1/error-reports"];
        for path in paths {
            let state = self.get(path).map_or_else(|why| why, |json| format!("{json:#}"));
            self.folder.note("state.txt", &format!("GET {path}\n{state}"));
        }
    }
}
