//! The rules of the house that a machine can check: layers, purity, sizes, module docs, forbidden calls and words.
//! Each rule is a function from text to findings, tested on a small bad sample; the last test runs all of them on the tree.
//! It reads text, not syntax trees: quick, and blind only to what a macro hides.

mod layers;
mod sizes;
mod source;
mod text;

use std::path::{Path, PathBuf};

use source::Source;

/// One breach of a rule: where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub at: String,
    pub cure: String,
}

impl Finding {
    fn new(source: &Source, line: usize, cure: String) -> Self {
        Self { at: format!("{}:{line}", source.path), cure }
    }
}

/// A rule over one Rust file.
type Rule = fn(&Source) -> Vec<Finding>;

/// What holds for the crate's own sources, without their tests.
const RULES: [Rule; 10] = [
    text::module_doc,
    text::forbidden_calls,
    text::commands_outside_exec,
    text::repeatable_secrets,
    layers::imports,
    layers::crates,
    layers::purity,
    sizes::file,
    sizes::functions,
    sizes::nesting,
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below these folders and files of the tree, by path relative to the root, in order.
fn files(below: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for start in below {
        walk(&root().join(start), &mut found);
    }
    found.sort();
    found
}

fn walk(path: &Path, found: &mut Vec<(String, String)>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), found);
        }
    } else if let Ok(text) = std::fs::read_to_string(path) {
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        found.push((relative, text));
    }
}

fn tell(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {}: {}", finding.at, finding.cure)).collect()
}

#[test]
fn the_sources_keep_the_rules() {
    let sources: Vec<Source> = files(&["src"])
        .iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .map(|(path, text)| Source::new(path, text))
        .collect();
    assert!(sources.len() >= 5, "the sources were not found");
    let findings: Vec<Finding> = sources.iter().flat_map(|source| RULES.iter().flat_map(|rule| rule(source))).collect();
    assert!(findings.is_empty(), "{} findings:{}", findings.len(), tell(&findings));
}

#[test]
fn files_of_tests_are_declared_as_such() {
    let sources = files(&["src"]);
    for (path, _) in sources.iter().filter(|(path, _)| source::is_test_file(path)) {
        let (folder, name) = path.trim_end_matches(".rs").rsplit_once('/').unwrap();
        let declared = format!("#[cfg(test)]\nmod {name};");
        let shared = format!("#[cfg(test)]\npub(crate) mod {name};");
        let parents = [format!("{folder}/mod.rs"), format!("{folder}.rs"), format!("{folder}/lib.rs")];
        let texts = sources.iter().filter(|(parent, _)| parents.contains(parent));
        assert!(
            texts.into_iter().any(|(_, text)| text.contains(&declared) || text.contains(&shared)),
            "{path}: its parent must hold {declared}"
        );
    }
}

#[test]
fn the_tests_have_module_docs() {
    let sources = files(&["tests", "fuzz/src", "fuzz/targets"]);
    let rust = sources.iter().filter(|(path, _)| path.ends_with(".rs"));
    let findings: Vec<Finding> = rust.flat_map(|(path, text)| text::module_doc(&Source::new(path, text))).collect();
    assert!(findings.is_empty(), "{}", tell(&findings));
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let places = [
        "src",
        "tests",
        "docs",
        "conf",
        "deploy",
        "benches",
        "fuzz/Cargo.toml",
        "fuzz/rustc.sh",
        "fuzz/src",
        "fuzz/targets",
        "proto",
        ".ci",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "Makefile",
        "Cargo.toml",
        "deny.toml",
        "clippy.toml",
        "rustfmt.toml",
        "build.rs",
    ];
    let there: Vec<&str> = places.into_iter().filter(|place| root().join(place).exists()).collect();
    let findings: Vec<Finding> = files(&there).iter().flat_map(|(path, text)| text::words(path, text)).collect();
    assert!(findings.is_empty(), "{}", tell(&findings));
}

#[test]
fn the_documents_lead_somewhere() {
    let places = ["docs", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    let documents = files(&places).into_iter().filter(|(path, _)| path.ends_with(".md"));
    let dead: Vec<String> = documents.flat_map(|(path, text)| dead_links(&path, &text)).collect();
    assert!(dead.is_empty(), "links that lead nowhere: {dead:?}");
    assert_eq!(
        dead_links("docs/README.md", "[a](../README.md#x) [b](gone.md) [c](#here)"),
        ["docs/README.md: gone.md"]
    );
}

fn dead_links(path: &str, text: &str) -> Vec<String> {
    let folder = root().join(path).parent().unwrap().to_owned();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let files = targets.filter(|target| !target.is_empty() && !target.contains("://"));
    files.filter(|target| !folder.join(target).exists()).map(|target| format!("{path}: {target}")).collect()
}
