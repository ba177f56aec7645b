//! `zea`, the admin's command line: words in, calls to a controller, tables and exit codes out. Speaks the outside API
//! only, so that it works against LINSTOR's controller too; never touches a device, and a store only for `zea store`.
//!
//! ```text
//! args       words ──▶ commands   calls and what to show of their answers ──▶ session   sends, prints, tells refusal
//! settings   options, environment, file   controllers   addresses              client    HTTP, one controller of several
//! views      JSON to tables               entries       an answer's entries    grid      how a table is drawn
//! size       10G and 1.0 GiB              folded        equal reasons          progress  a sign of life
//! passphrase asked for, never an argument
//! reference  docs/reference/zea.md
//! ```

pub mod args;
mod call;
mod client;
mod commands;
mod controllers;
mod entries;
mod error;
mod folded;
#[cfg(fuzzing)]
pub mod fuzzing;
mod grid;
pub mod passphrase;
mod progress;
pub mod reference;
mod session;
mod settings;
mod size;
mod views;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use client::Client;
use error::{CliError, EXIT_ARGUMENTS, EXIT_DONE};
use grid::{Style, Tone};
use passphrase::{Passphrases, StandardInput};
use session::{Printing, Session};

/// What the command line has around it.
pub struct Surroundings<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Whether standard output is a terminal.
    pub out_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub err_is_terminal: bool,
    /// Reads a variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Asks for passphrases.
    pub passphrases: &'a mut dyn Passphrases,
}

/// Runs with this process's arguments, streams and environment; gives its exit code.
pub fn main() -> u8 {
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    let surroundings = Surroundings {
        out_is_terminal: out.is_terminal(),
        err_is_terminal: err.is_terminal(),
        out: &mut out,
        err: &mut err,
        variable: &|name| std::env::var(name).ok(),
        passphrases: &mut StandardInput,
    };
    run(std::env::args_os(), surroundings)
}

/// Carries a command line out; gives the exit code: 0 done, 2 wrong arguments, 10 refused, 20 no controller answered.
pub fn run(arguments: impl IntoIterator<Item = OsString>, around: Surroundings) -> u8 {
    let arguments: Vec<OsString> = help_asked(arguments.into_iter().collect());
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return tell_usage(&negative_size(error, &arguments), around),
    };
    let Surroundings { out, err, out_is_terminal, err_is_terminal, variable, passphrases } = around;
    let plain = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let terminals = Terminals { out: out_is_terminal, err: err_is_terminal, plain };
    let mut parts = Parts { out, err, terminals, variable, passphrases };
    match carry_out(&cli, &mut parts) {
        Ok(()) => EXIT_DONE,
        Err(error) => {
            let style = Style { ascii: true, colours: err_is_terminal && !plain, fit: false };
            tell(&error, style, parts.err);
            error.exit_code()
        }
    }
}

struct Terminals {
    out: bool,
    err: bool,
    plain: bool,
}

struct Parts<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    terminals: Terminals,
    variable: &'a dyn Fn(&str) -> Option<String>,
    passphrases: &'a mut dyn Passphrases,
}

fn carry_out(cli: &Cli, parts: &mut Parts) -> Result<(), CliError> {
    if let Command::Completions { shell } = &cli.command {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Cli::command(), "zea", &mut script);
        return Ok(parts.out.write_all(&script)?);
    }
    let settings = settings::gather(&cli.options, parts.variable)?;
    let Terminals { out, err, plain } = parts.terminals;
    let style = Style { ascii: settings.ascii, colours: out && !plain, fit: out };
    let format = settings.format;
    if let Command::Store(command) = &cli.command {
        let mut printing = commands::StorePrinting { out: parts.out, err: parts.err, format, style };
        return commands::run_store(command, &mut printing);
    }
    let client = Client::new(&settings)?;
    let progress = err && format == args::Format::Table;
    let printing = Printing { out: parts.out, err: parts.err, format, style, progress };
    commands::run(&cli.command, &mut Session::new(client, printing, parts.passphrases))
}

/// `zea help COMMAND` is `zea COMMAND --help`.
fn help_asked(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|word| word == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// A size below zero looks like an option to the reader of words: says what it is instead.
fn negative_size(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let wants_size = error.kind() == ErrorKind::UnknownArgument && error.to_string().contains("<SIZE");
    let is_number =
        |text: &&str| text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let text = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) if wants_size => text.clone(),
        _ => return error,
    };
    // Of a word such as -5G the error names -5 alone.
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    let Some(word) = words.find(|word| word.starts_with(&text)).filter(is_number) else { return error };
    let why = size::SizeTextError::Negative(word.to_owned());
    clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n"))
}

/// Help and versions go to standard output, mistakes to standard error.
fn tell_usage(error: &clap::Error, around: Surroundings) -> u8 {
    let (to, terminal) = match error.use_stderr() {
        true => (around.err, around.err_is_terminal),
        false => (around.out, around.out_is_terminal),
    };
    let text = error.render();
    let text = if terminal { text.ansi().to_string() } else { text.to_string() };
    // Nobody is left to be told that this could not be told.
    let _ = to.write_all(text.as_bytes());
    if error.use_stderr() { EXIT_ARGUMENTS } else { EXIT_DONE }
}

fn tell(error: &CliError, style: Style, err: &mut dyn Write) {
    let text = match error {
        CliError::RefusedAndTold => return,
        CliError::Output(_) if error.exit_code() == EXIT_DONE => return,
        CliError::Refused(list) => list.iter().map(|entry| entries::draw(entry, style)).collect(),
        error => {
            let text = error.to_string().replace('\n', "\n         ");
            format!("{}    {text}\n", style.word("ERROR", Tone::Bad))
        }
    };
    // Nobody is left to be told that this could not be told.
    let _ = err.write_all(text.as_bytes());
}
