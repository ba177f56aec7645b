//! `zea store`: a data folder's store, while its daemon is stopped. Never talks to a controller.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use crate::cli::args::{Format, StoreCommand};
use crate::cli::error::CliError;
use crate::cli::grid::{Grid, Style, Text, Tone};
use crate::store::admin::{self, CheckReport, Existing, Exported, Imported};
use crate::store::{FILE_NAME, Frozen, Redb, StoreError};

/// What the commands print to, and how.
pub struct Printing<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// How results are printed.
    pub format: Format,
    /// How tables are drawn.
    pub style: Style,
}

/// Carries a command out.
pub fn run(command: &StoreCommand, printing: &mut Printing) -> Result<(), CliError> {
    match command {
        StoreCommand::Check { folder } => check(folder, printing),
        StoreCommand::Export { folder, file } => export(folder, file.as_deref(), printing),
        StoreCommand::Import { folder, file, replace } => {
            let existing = if *replace { Existing::Replace } else { Existing::Refuse };
            import(folder, file.as_deref(), existing, printing)
        }
    }
}

fn check(folder: &Path, printing: &mut Printing) -> Result<(), CliError> {
    let report = admin::check(&Frozen::read(folder)?)?;
    match printing.format {
        Format::Json => print_json(&report, printing.out)?,
        Format::Table => print_check(&report, printing)?,
    }
    if report.is_clean() {
        Ok(())
    } else {
        Err(CliError::Failed(format!("the store is not clean: {} findings", report.findings.len())))
    }
}

fn print_check(report: &CheckReport, printing: &mut Printing) -> Result<(), CliError> {
    let mut grid = Grid::new(&["Kind", "Records"]);
    for (kind, count) in &report.records {
        grid.row([Text::from(kind), Text::from(count)]);
    }
    let empty = "The store holds no records.".to_owned();
    writeln!(printing.out, "{}", if grid.is_empty() { empty } else { printing.style.draw(&grid) })?;
    for finding in &report.findings {
        let key = if finding.key.is_empty() { "store" } else { &finding.key };
        let key = printing.style.word(key, Tone::Bad);
        writeln!(printing.out, "{key}: {}\n  {}", finding.cause, finding.cure)?;
    }
    Ok(())
}

fn export(folder: &Path, file: Option<&Path>, printing: &mut Printing) -> Result<(), CliError> {
    let store = Frozen::read(folder)?;
    let exported = match file {
        None => admin::export(&store, printing.out)?,
        Some(path) => {
            let mut new = File::create_new(path).map_err(|error| cannot_make(path, &error))?;
            let exported = write_export(&store, &mut new, path);
            if exported.is_err() {
                // Half an export cannot be imported, and stands in the way of the next try.
                let _ = std::fs::remove_file(path);
            }
            exported?
        }
    };
    // Standard output may be the export itself.
    match (printing.format, file) {
        (Format::Json, Some(_)) => print_json(&exported, printing.out),
        (Format::Json, None) => Ok(()),
        (Format::Table, _) => Ok(writeln!(
            printing.err,
            "{} records exported, and {} unreadable ones that an import passes over.",
            exported.records, exported.quarantined
        )?),
    }
}

fn write_export(store: &Frozen, new: &mut File, path: &Path) -> Result<Exported, CliError> {
    let exported = admin::export(store, new)?;
    new.sync_all().map_err(|error| at(path, &error))?;
    Ok(exported)
}

fn cannot_make(path: &Path, error: &std::io::Error) -> CliError {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Failed(format!(
            "{} exists already, and is left as it is: name another file, or move it away",
            path.display()
        )),
        _ => at(path, error),
    }
}

fn import(folder: &Path, file: Option<&Path>, existing: Existing, printing: &mut Printing) -> Result<(), CliError> {
    // The file first: a data folder should not be made for one that is not there.
    let input = file.map(|path| File::open(path).map_err(|error| at(path, &error))).transpose()?;
    let new = New::before(folder);
    let imported = bring_in(folder, input, existing);
    match &imported {
        // A daemon that was started meanwhile has made it.
        Ok(_) | Err(CliError::Store(StoreError::Locked { .. })) => {}
        Err(_) => new.remove(folder),
    }
    let imported = imported?;
    match printing.format {
        Format::Json => print_json(&imported, printing.out),
        Format::Table => Ok(writeln!(
            printing.out,
            "{} records imported ({} brought to the current schema, {} unreadable ones passed over), {} removed.",
            imported.records, imported.migrated, imported.passed_over, imported.removed
        )?),
    }
}

fn bring_in(folder: &Path, input: Option<File>, existing: Existing) -> Result<Imported, CliError> {
    let store = Redb::open(folder)?;
    Ok(match input {
        Some(file) => admin::import(&store, &mut BufReader::new(file), existing)?,
        None => admin::import(&store, &mut std::io::stdin().lock(), existing)?,
    })
}

/// What an import is about to make: gone again if it fails.
struct New {
    folder: bool,
    file: bool,
}

impl New {
    fn before(folder: &Path) -> Self {
        Self { folder: !folder.exists(), file: !folder.join(FILE_NAME).exists() }
    }

    /// The import's own error is the one to tell.
    fn remove(&self, folder: &Path) {
        if self.file {
            let _ = std::fs::remove_file(folder.join(FILE_NAME));
        }
        if self.folder {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

fn at(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Failed(format!("{}: {error}", path.display()))
}

fn print_json(value: &impl serde::Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}
