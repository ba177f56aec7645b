//! The reference of the command line as a document, made of the same words that read it. Never written by hand.

use std::fmt::Write;

use clap::{Command, CommandFactory};

use super::args::Cli;

const HEAD: &str = "# zea\n\nThe admin's command line, as `zea --help` and `zea COMMAND --help` print it. This file is generated: run the test
`cli::` once with `ZEA_BLESS=1` after a change.\n\nIt finds its controllers by `--controllers`, else by the variables \
`ZEA_CONTROLLERS` or `LS_CONTROLLERS`, else by a\nconfiguration file, else at `127.0.0.1:3370`. The file is TOML:\n\n```toml
controllers = [\"10.0.0.1\", \"10.0.0.2:3370\", \"https://10.0.0.3\"]  # tried in this order\ntimeout = 300                    # \
seconds for one request\noutput = \"table\"                 # or \"json\"\nascii = false                    # tables in ASCII \
only\nca = \"/etc/zea/ca.pem\"           # for https: whose certificates hold\ncertificate = \"/etc/zea/me.pem\"  # our own, if \
the controller asks for one\nkey = \"/etc/zea/me.key\"\n```\n";

/// The whole document.
pub fn text() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = HEAD.to_owned();
    push(&mut text, &mut root, "zea");
    text
}

fn push(text: &mut String, command: &mut Command, path: &str) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    // What every command takes stands once, at the top.
    if path != "zea" {
        for option in ["controllers", "config", "timeout", "output", "machine", "ascii", "ca"] {
            *command = std::mem::take(command).mut_arg(option, |argument| argument.hide(true));
        }
    }
    let help = command.render_long_help().to_string();
    let help = help.strip_prefix(about.as_str()).unwrap_or(&help);
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let _ = write!(text, "\n## {path}\n\n{about}\n\n```text\n{}\n```\n", help.trim_matches('\n'));
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        if let Some(sub) = command.find_subcommand_mut(name) {
            push(text, sub, &format!("{path} {name}"));
        }
    }
}
