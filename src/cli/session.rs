//! One run of the command line: sends calls, prints answers, tells success from refusal. Never knows a command.

use std::io::Write;

use serde::de::DeserializeOwned;

use super::args::Format;
use super::call::Call;
use super::client::{Answer, Client};
use super::entries;
use super::error::CliError;
use super::grid::{Style, harmless};
use super::passphrase::Passphrases;
use super::progress::Progress;
use super::views::{Page, View};
use crate::model::code::Kind;
use crate::protocols::rest::rc::ApiCallRc;
use crate::protocols::rest::routes::Method;

/// Longest beginning of an answer that is shown when it makes no sense, in characters.
const EXCERPT_CHARS: usize = 300;

/// One thing that a command does.
#[derive(Debug)]
pub enum Step {
    /// Reads something and shows it.
    Show(Call, View),
    /// Reads something that has to be there, and shows it; an empty list is the failure that the text tells.
    Find(Call, View, &'static str),
    /// Changes something.
    Change(Call),
}

/// Where the entries of a success are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tell {
    Out,
    Err,
}

/// One run of the command line.
pub struct Session<'a> {
    client: Client,
    format: Format,
    style: Style,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    progress: bool,
    passphrases: &'a mut dyn Passphrases,
}

/// What a session prints to, and how.
pub struct Printing<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// How answers are printed.
    pub format: Format,
    /// How tables are drawn.
    pub style: Style,
    /// Whether a sign of life is shown.
    pub progress: bool,
}

impl<'a> Session<'a> {
    /// Begins a run.
    pub fn new(client: Client, printing: Printing<'a>, passphrases: &'a mut dyn Passphrases) -> Session<'a> {
        let Printing { out, err, format, style, progress } = printing;
        Session { client, format, style, out, err, progress, passphrases }
    }

    /// Who asks for passphrases.
    pub fn passphrases(&mut self) -> &mut dyn Passphrases {
        self.passphrases
    }

    /// Does one step after another, up to the first that fails.
    pub fn take(&mut self, steps: Vec<Step>) -> Result<(), CliError> {
        steps.into_iter().try_for_each(|step| match step {
            Step::Show(call, view) => self.show(&call, view),
            Step::Find(call, view, missing) => self.find(&call, view, missing),
            Step::Change(call) => self.change(&call),
        })
    }

    /// Reads something and prints it. A list that is empty because it was narrowed to what does not exist is a refusal.
    pub fn show(&mut self, call: &Call, view: View) -> Result<(), CliError> {
        let answer = self.ask(call)?;
        if is_empty_list(&answer) {
            call.named().iter().try_for_each(|named| self.ask(named).map(|_| ()))?;
        }
        self.show_answer(&answer, view)
    }

    fn show_answer(&mut self, answer: &Answer, view: View) -> Result<(), CliError> {
        if self.format == Format::Json {
            return self.print_json(&answer.body);
        }
        let page = view(&answer.body).map_err(|error| strange(answer, &error.to_string()))?;
        self.print_page(&page)
    }

    fn find(&mut self, call: &Call, view: View, missing: &str) -> Result<(), CliError> {
        let answer = self.ask(call)?;
        if is_empty_list(&answer) {
            return Err(CliError::Failed(missing.to_owned()));
        }
        self.show_answer(&answer, view)
    }

    /// Changes something and prints what came of it.
    pub fn change(&mut self, call: &Call) -> Result<(), CliError> {
        self.change_and_tell(call, Tell::Out)
    }

    /// The same, with standard output left to what follows.
    pub fn change_aside(&mut self, call: &Call) -> Result<(), CliError> {
        self.change_and_tell(call, Tell::Err)
    }

    fn change_and_tell(&mut self, call: &Call, tell: Tell) -> Result<(), CliError> {
        let answer = self.ask(call)?;
        let entries: Vec<ApiCallRc> = decode(&answer)?;
        if self.format == Format::Json {
            self.print_json(&answer.body)?;
        }
        if entries.iter().any(|entry| entry.kind() == Kind::Error) {
            return Err(self.refused(entries));
        }
        match self.format {
            Format::Json => Ok(()),
            Format::Table => self.tell(&entries, tell),
        }
    }

    /// Prints entries that were no refusal; warnings go to standard error.
    fn tell(&mut self, entries: &[ApiCallRc], tell: Tell) -> Result<(), CliError> {
        for entry in entries {
            let text = entries::draw(entry, self.style);
            let aside = tell == Tell::Err || entry.kind() == Kind::Warn;
            let to: &mut dyn Write = if aside { self.err } else { self.out };
            to.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    /// Prints entries to standard output.
    pub fn tell_entries(&mut self, entries: &[ApiCallRc]) -> Result<(), CliError> {
        self.tell(entries, Tell::Out)
    }

    fn refused(&self, entries: Vec<ApiCallRc>) -> CliError {
        match self.format {
            Format::Json => CliError::RefusedAndTold,
            Format::Table => CliError::Refused(entries),
        }
    }

    /// Reads what an answer holds.
    pub fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, CliError> {
        decode(answer)
    }

    /// Reads something that only some controllers have, and that is done without elsewhere.
    pub fn fetch_if_there<T: DeserializeOwned>(&mut self, call: &Call) -> Option<T> {
        let answer = self.client.send(call).ok().filter(|answer| (200..300).contains(&answer.status))?;
        decode(&answer).ok()
    }

    /// Reads something and prints nothing.
    pub fn fetch<T: DeserializeOwned>(&mut self, call: &Call) -> Result<T, CliError> {
        let answer = self.ask(call)?;
        decode(&answer)
    }

    /// Sends a call and gives its successful answer. A refusal comes back as an error, printed already if it is JSON
    /// that is wanted.
    pub fn ask(&mut self, call: &Call) -> Result<Answer, CliError> {
        let answer = {
            let text = match call.method {
                Method::Get => "reading",
                _ => "waiting for the controller",
            };
            let _progress = Progress::start(text, self.progress);
            self.client.send(call)?
        };
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        if let Some(location) = &answer.location {
            let text = format!("it wants to be asked at {location}: name that address with --controllers");
            return Err(strange(&answer, &text));
        }
        let entries = refusal(&answer.body).ok_or_else(|| strange(&answer, &excerpt(&answer.body)))?;
        if self.format == Format::Json {
            self.print_json(&answer.body)?;
        }
        Err(self.refused(entries))
    }

    /// Whether the controller's JSON is wanted.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints JSON as it came, and ends the line.
    pub fn print_json(&mut self, body: &str) -> Result<(), CliError> {
        Ok(writeln!(self.out, "{}", body.trim_end())?)
    }

    /// Prints a line.
    pub fn print_line(&mut self, line: &str) -> Result<(), CliError> {
        Ok(writeln!(self.out, "{}", harmless(line))?)
    }

    /// Prints a line to standard error, unless it is JSON that is wanted.
    pub fn remark(&mut self, line: &str) -> Result<(), CliError> {
        if self.is_json() { Ok(()) } else { Ok(writeln!(self.err, "{line}")?) }
    }

    /// Prints a table and lines.
    pub fn print_page(&mut self, page: &Page) -> Result<(), CliError> {
        Ok(self.out.write_all(page.draw(self.style).as_bytes())?)
    }
}

fn is_empty_list(answer: &Answer) -> bool {
    serde_json::from_str::<Vec<serde::de::IgnoredAny>>(&answer.body).is_ok_and(|list| list.is_empty())
}

fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, CliError> {
    serde_json::from_str(&answer.body).map_err(|error| strange(answer, &format!("{error}: {}", excerpt(&answer.body))))
}

/// The entries of a refusal: a list of them, or the list in a copy's answer.
pub(super) fn refusal(body: &str) -> Option<Vec<ApiCallRc>> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Refusal {
        Entries(Vec<ApiCallRc>),
        Copy { messages: Vec<ApiCallRc> },
    }
    let (Refusal::Entries(entries) | Refusal::Copy { messages: entries }) = serde_json::from_str(body).ok()?;
    (!entries.is_empty()).then_some(entries)
}

fn strange(answer: &Answer, what: &str) -> CliError {
    CliError::Strange { controller: answer.controller.clone(), status: answer.status, what: what.to_owned() }
}

fn excerpt(body: &str) -> String {
    let body = body.trim();
    if body.is_empty() {
        return "nothing at all".to_owned();
    }
    let mut text: String = body.chars().take(EXCERPT_CHARS).filter(|c| !c.is_control()).collect();
    if body.chars().count() > EXCERPT_CHARS {
        text.push('…');
    }
    text
}
