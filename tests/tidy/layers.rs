//! Who may import whom: the table of the design, for modules of the crate and for other crates, and what a pure layer may not name.

use super::Finding;
use super::source::{Source, is_word};

/// A layer and what of the crate it may import besides itself. The first row whose `of` fits the file's module holds.
struct Layer {
    of: &'static str,
    may: &'static [&'static str],
}

/// What every role under `actors/` may import. Another role is not among it: what they say to each other is in `protocols`.
const ROLE: &[&str] =
    &["model", "protocols", "storage", "store", "web", "actors::system", "config", "tls", "telemetry"];

/// What the command line may import of the model: names, kinds, sizes and the codes of answers, never a decision.
const CLI: &[&str] = &["protocols::rest", "model::names", "model::kinds", "model::size", "model::code"];

/// `zea store` works on a data folder while no daemon runs: there is nobody else who could open the store for it. Its
/// errors are among the command line's.
const CLI_WITH_STORE: &[&str] =
    &["protocols::rest", "model::names", "model::kinds", "model::size", "model::code", "store"];

const LAYERS: [Layer; 16] = [
    Layer { of: "model", may: &[] },
    Layer { of: "protocols", may: &["model"] },
    Layer { of: "storage", may: &["model", "protocols"] },
    Layer { of: "store", may: &["model", "protocols"] },
    Layer { of: "config", may: &[] },
    Layer { of: "tls", may: &[] },
    Layer { of: "telemetry", may: &["config"] },
    Layer { of: "web", may: &[] },
    Layer { of: "actors::system", may: &["tls"] },
    Layer { of: "actors", may: ROLE },
    Layer { of: "cli::commands::store", may: CLI_WITH_STORE },
    Layer { of: "cli::error", may: CLI_WITH_STORE },
    Layer { of: "cli", may: CLI },
    Layer { of: "process", may: &["model", "protocols", "storage", "store", "actors", "config", "tls", "telemetry"] },
    Layer { of: "bin", may: &["process", "actors", "cli", "config", "tls", "telemetry"] },
    Layer {
        of: "",
        may: &[
            "model",
            "protocols",
            "storage",
            "store",
            "actors",
            "process",
            "cli",
            "web",
            "config",
            "tls",
            "telemetry",
        ],
    },
];

/// The crates of a pure layer. No clock, randomness, log or I/O is among them.
const MODEL_CRATES: &[&str] = &[
    "serde",
    "thiserror",
    "imbl",
    "regex",
    "strsim",
    "base64",
    "aes",
    "cfb_mode",
    "pbkdf2",
    "hmac",
    "sha1",
    "sha2",
    "zeroize",
];
const PROTOCOL_CRATES: &[&str] = &[
    "serde",
    "thiserror",
    "imbl",
    "regex",
    "strsim",
    "zeroize",
    "serde_json",
    "serde_path_to_error",
    "schemars",
    "toml",
    "base64",
    "bytes",
    "percent_encoding",
    "jiff",
    "prost",
    "zeroize",
];

/// What a pure layer names none of, and the reason.
const IMPURE: [(&str, &str); 16] = [
    ("async", "no async: the actors wait, the core decides"),
    ("await", "no async: the actors wait, the core decides"),
    ("SystemTime", "no clock: time is an argument"),
    ("Instant", "no clock: time is an argument"),
    ("HashMap", "a BTreeMap: its order is the same in every run"),
    ("HashSet", "a BTreeSet: its order is the same in every run"),
    ("std::fs", "no I/O: take the text as an argument"),
    ("std::net::TcpStream", "no I/O"),
    ("std::net::TcpListener", "no I/O"),
    ("std::net::UdpSocket", "no I/O"),
    ("std::process", "no processes: give a step that storage executes"),
    ("std::env", "no environment: take the value as an argument"),
    ("std::thread", "no threads"),
    ("std::io", "no I/O: take the bytes as an argument"),
    ("println", "no output: return what is to be told"),
    ("eprintln", "no output: return what is to be told"),
];

/// Imports of the crate's own modules that the table does not allow.
pub fn imports(source: &Source) -> Vec<Finding> {
    let module = source.module().join("::");
    let Some(layer) = LAYERS.iter().find(|layer| within(&module, layer.of)) else {
        return vec![Finding::new(source, 1, format!("{module} has no row in the table of layers: give it one"))];
    };
    let own = own_part(&source.module());
    let wrong = paths(source).into_iter().filter(|(_, path)| {
        let allowed = layer.may.iter().any(|may| within(path, may) || within(may, path) && !is_folder_of_roles(path));
        !within(path, &own) && !allowed && is_module_path(path)
    });
    wrong
        .map(|(at, path)| {
            Finding::new(
                source,
                source.line(at),
                format!("{own} may not import crate::{path}; it may import {:?}", layer.may),
            )
        })
        .collect()
}

/// Other crates that a pure layer does not use.
pub fn crates(source: &Source) -> Vec<Finding> {
    let allowed = match source.module().first() {
        Some(&"model") => MODEL_CRATES,
        Some(&"protocols") => PROTOCOL_CRATES,
        _ => return Vec::new(),
    };
    let banned =
        dependencies(include_str!("../../Cargo.toml")).into_iter().filter(|name| !allowed.contains(&name.as_str()));
    banned
        .flat_map(|name| named(source, &name).map(|at| crate_finding(source, at, &name)).collect::<Vec<_>>())
        .collect()
}

/// Clocks, I/O, async and unordered maps in a pure layer.
pub fn purity(source: &Source) -> Vec<Finding> {
    if !matches!(source.module().first(), Some(&"model" | &"protocols")) {
        return Vec::new();
    }
    let hits = IMPURE.iter().flat_map(|(word, cure)| source.words(word).map(move |at| (word, at, cure)));
    let mut found: Vec<Finding> = hits
        .map(|(word, at, cure)| Finding::new(source, source.line(at), format!("{word} in a pure layer: {cure}")))
        .collect();
    found.extend(standard_groups(source));
    found
}

/// `use std::{fs, env}`: the same names inside a group.
fn standard_groups(source: &Source) -> Vec<Finding> {
    let groups = source.words("std").flat_map(|at| tree(&source.code[at..]).into_iter().map(move |path| (at, path)));
    let inner = groups.filter(|(at, _)| source.code[*at..].starts_with("std::{"));
    let banned = inner.filter_map(|(at, path)| {
        let (word, cure) =
            IMPURE.iter().find(|(word, _)| word.contains("::") && within(&format!("std::{path}"), word))?;
        Some(Finding::new(source, source.line(at), format!("{word} in a pure layer: {cure}")))
    });
    banned.collect()
}

fn crate_finding(source: &Source, at: usize, name: &str) -> Finding {
    let cure = format!("crate {name} in a pure layer: model and protocols use {MODEL_CRATES:?} and parsers");
    Finding::new(source, source.line(at), cure)
}

/// Where another crate is named as the head of a path.
fn named<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    source.words(name).filter(move |at| {
        let before = source.code[..*at].trim_end();
        let after = &source.code[at + name.len()..];
        let imported = before.ends_with("use") && after.trim_start().starts_with([';', ' ']);
        !before.ends_with("::") && (after.starts_with("::") || imported)
    })
}

/// The dependencies of the manifest, as they are named in code.
fn dependencies(manifest: &str) -> Vec<String> {
    let table = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_"))).collect()
}

/// The part of the crate that a module belongs to: the layer, and under `actors` the role.
fn own_part(module: &[&str]) -> String {
    match module {
        ["actors", role, ..] => format!("actors::{role}"),
        [layer, ..] => (*layer).to_owned(),
        [] => String::new(),
    }
}

/// Whether a path is this part of the crate or lies in it. The empty part is the crate's root alone.
fn within(path: &str, part: &str) -> bool {
    path == part || !part.is_empty() && path.starts_with(&format!("{part}::"))
}

/// `use crate::actors` brings every role within reach; `use crate::protocols` for the command line is as narrow as it can be.
fn is_folder_of_roles(path: &str) -> bool {
    path == "actors"
}

/// Whether a path leads into a module of the crate, not to a macro or an item of its root.
fn is_module_path(path: &str) -> bool {
    let head = path.split("::").next().unwrap_or_default();
    LAYERS.iter().any(|layer| layer.of.split("::").next() == Some(head) && !head.is_empty())
}

/// Every path into the crate that the code names, from the crate's root, with its place.
fn paths(source: &Source) -> Vec<(usize, String)> {
    let module = source.module();
    let root = if module.first() == Some(&"bin") { "zea" } else { "crate" };
    let absolute = source.words(root).flat_map(|at| tree(&source.code[at..]).into_iter().map(move |path| (at, path)));
    let mut found: Vec<(usize, String)> = absolute.collect();
    for at in source.words("super") {
        if !source.code[..at].ends_with("::") {
            found.extend(relative(&module, &source.code[at..]).into_iter().map(|path| (at, path)));
        }
    }
    found
}

fn relative(module: &[&str], code: &str) -> Vec<String> {
    let mut rest = code;
    let mut above = module.len();
    while let Some(next) = rest.strip_prefix("super::") {
        above = above.saturating_sub(1);
        let Some(deeper) = next.strip_prefix("super::") else { break };
        rest = &rest[rest.len() - deeper.len() - "super::".len()..];
    }
    let base = module[..above].join("::");
    let join = |path: String| if base.is_empty() { path } else { format!("{base}::{path}") };
    tree(rest).into_iter().map(join).collect()
}

/// The paths of a use tree after its head: `crate::{a::b, c}` is `a::b` and `c`.
fn tree(code: &str) -> Vec<String> {
    let head = code.bytes().take_while(|byte| is_word(*byte)).count();
    let Some(rest) = code[head..].strip_prefix("::") else { return Vec::new() };
    if let Some(group) = rest.strip_prefix('{') {
        return branches(group).into_iter().flat_map(|branch| tree(&format!("head::{branch}"))).collect();
    }
    let name = rest.bytes().take_while(|byte| is_word(*byte)).count();
    let (name, _) = rest.split_at(name);
    let deeper = tree(rest);
    if deeper.is_empty() {
        vec![name.to_owned()]
    } else {
        deeper.iter().map(|path| format!("{name}::{path}")).collect()
    }
}

/// The branches of a group, up to its closing brace.
fn branches(group: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut depth = 0_usize;
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => found.push(String::new()),
            _ => {
                depth = if letter == '{' { depth + 1 } else { depth - usize::from(letter == '}') };
                found.last_mut().expect("it begins with one").push(letter);
            }
        }
    }
    found.iter().map(|branch| branch.trim().to_owned()).filter(|branch| !branch.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(rule: fn(&Source) -> Vec<Finding>, path: &str, code: &str) -> usize {
        rule(&Source::new(path, code)).len()
    }

    #[test]
    fn each_row_of_the_table_holds() {
        for (path, code, wrong) in [
            ("src/model/ids.rs", "use crate::model::sizes::Size;", 0),
            ("src/model/ids.rs", "use crate::store::Store;", 1),
            ("src/model/ids.rs", "fn f() { crate::protocols::rest::parse() }", 1),
            ("src/model/plan/mod.rs", "use super::ids::NodeName;", 0),
            ("src/model/plan/mod.rs", "use super::super::storage::Exec;", 1),
            ("src/protocols/rest/node.rs", "use crate::{model::{ids, sizes}, protocols::lvm};", 0),
            ("src/protocols/rest/node.rs", "use crate::{model::ids, storage::exec};", 1),
            ("src/store/redb.rs", "use crate::storage::exec;", 1),
            ("src/storage/exec.rs", "use crate::actors::system::Address;", 1),
            ("src/actors/system/link.rs", "use crate::tls::Identity;", 0),
            ("src/actors/system/link.rs", "use crate::model::ids;", 1),
            ("src/actors/controller/rest.rs", "use crate::actors::{system::ask, controller::cluster};", 0),
            ("src/actors/controller/rest.rs", "use crate::actors::satellite::Pools;", 1),
            ("src/actors/controller/rest.rs", "use super::super::satellite::Pools;", 1),
            ("src/actors/controller/rest.rs", "use crate::actors;", 1),
            ("src/actors/controller/rest.rs", "use crate::cli::table;", 1),
            ("src/actors/mod.rs", "use crate::actors::controller::X;", 0),
            ("src/actors/gencert.rs", "use crate::actors::operator::X;", 1),
            ("src/cli/table.rs", "use crate::protocols::rest::Node; use crate::model::names::NodeName;", 0),
            ("src/cli/table.rs", "use crate::model::decide;", 1),
            ("src/cli/commands/store.rs", "use crate::store::admin;", 0),
            ("src/cli/table.rs", "use crate::protocols::wire::Hello;", 1),
            ("src/cli/table.rs", "use crate::store::Store;", 1),
            ("src/bin/zead.rs", "use zea::actors::controller; use zea::config::read;", 0),
            ("src/bin/zead.rs", "use zea::store::Store;", 1),
            ("src/elsewhere/mod.rs", "", 1),
            ("src/lib.rs", "use crate::store::Store;", 0),
            ("src/config/file.rs", "use crate::telemetry::Telemetry;", 1),
            ("src/telemetry/mod.rs", "use crate::config::LogConfig;", 0),
        ] {
            assert_eq!(breaches(imports, path, code), wrong, "{path}: {code}");
        }
    }

    #[test]
    fn tests_and_comments_may_name_anything() {
        let code = "//! crate::store\n#[cfg(test)]\nmod tests { use crate::store::Store; }";
        assert_eq!(breaches(imports, "src/model/ids.rs", code), 0);
    }

    #[test]
    fn pure_layers_use_pure_crates() {
        for (path, code, wrong) in [
            ("src/model/ids.rs", "use serde::Serialize; use imbl::OrdMap;", 0),
            ("src/model/ids.rs", "use serde_json::Value;", 1),
            ("src/model/ids.rs", "fn f() { fastrand::u64(..); }", 1),
            ("src/model/ids.rs", "fn f() { tracing::info!(); }", 1),
            ("src/model/config.rs", "use crate::model::regex; fn f(config: u8) {}", 0),
            ("src/protocols/rest/mod.rs", "use serde_json::Value;", 0),
            ("src/protocols/rest/mod.rs", "use actix_web::web;", 1),
            ("src/protocols/rest/mod.rs", "use tokio;", 1),
            ("src/store/redb.rs", "use redb::Database;", 0),
        ] {
            assert_eq!(breaches(crates, path, code), wrong, "{path}: {code}");
        }
    }

    #[test]
    fn pure_layers_wait_for_nothing_and_read_nothing() {
        for (code, wrong) in [
            ("async fn f() {}", 1),
            ("use std::time::Duration;", 0),
            ("use std::time::{Duration, Instant};", 1),
            ("use std::collections::HashMap;", 1),
            ("fn f() { std::fs::read(p); }", 1),
            ("use std::{fs, fmt};", 1),
            ("use std::net::IpAddr;", 0),
            ("use std::net::TcpStream;", 1),
            ("fn f() { println!(); }", 1),
        ] {
            assert_eq!(breaches(purity, "src/model/x.rs", code), wrong, "{code}");
            assert_eq!(breaches(purity, "src/storage/x.rs", code), 0, "{code}");
        }
    }

    #[test]
    fn the_manifest_is_read() {
        let names = dependencies(
            "[package]\nname = \"x\"\n\n[dependencies]\na-b = \"1\"\nc = { version = \"1\" }\n\n[dev-dependencies]\nd = \"1\"\n",
        );
        assert_eq!(names, ["a_b", "c"]);
        assert!(dependencies(include_str!("../../Cargo.toml")).contains(&"tokio".to_owned()));
    }
}
