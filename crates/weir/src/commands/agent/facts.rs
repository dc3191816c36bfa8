//! `weir agent facts`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use weir_agent::facts::{
    FactsFile, OfflineImage,
    file::{Coverage, Document, Section},
};

use crate::{
    Outcome,
    print::{Page, Printer},
};

pub(super) const EXAMPLES: &str = "Examples:\n  weir agent facts --facts pc.json\n  weir agent facts --image /mnt/c\n  \
                                   weir agent facts --image /mnt/c --json > pc.json\n  \
                                   weir agent facts --image /mnt/c --json \\\n    \
                                   --registry 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT' > pc.json\n\n\
                                   With --json it prints a facts file (docs/facts-format.md). That of an image has no \
                                   files, and of the registry what --registry names. Exit code 3: something could not \
                                   be read.";

#[derive(Args, Debug)]
pub(crate) struct FactsArguments {
    #[command(flatten)]
    source: Source,
    /// With --image: take all keys from these down into the facts file.
    #[arg(long, value_name = "KEY", requires = "image")]
    registry: Vec<String>,
}

/// Where facts come from.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Source {
    /// A facts file.
    #[arg(long, value_name = "FILE")]
    pub(super) facts: Option<PathBuf>,
    /// A folder that the system volume of a Windows is mounted on, read-only.
    #[arg(long, value_name = "DIR")]
    pub(super) image: Option<PathBuf>,
}

pub(super) fn run(arguments: &FactsArguments, printer: &Printer) -> Result<Outcome> {
    let document = match (&arguments.source.facts, &arguments.source.image) {
        (Some(file), _) => FactsFile::read(file).with_context(|| file.display().to_string())?.into_document(),
        (None, Some(folder)) => OfflineImage::open(folder)?.export(&arguments.registry)?,
        (None, None) => return Ok(Outcome::Failed),
    };
    printer.show(&document, |page| show(page, &document))?;
    Ok(if document.warnings.is_empty() { Outcome::Done } else { Outcome::Partly })
}

fn show(page: &mut Page, document: &Document) {
    page.field("source", document.source.as_deref().unwrap_or_default());
    if let Some(collected) = document.collected {
        page.field("collected", crate::print::time(collected));
    }
    describe(page, document);
    page.line("");
    page.table(&["Section", "Entries", "What is absent"], sections(document), "Nothing was collected.");
    for warning in &document.warnings {
        page.line(format!("not read: {warning}"));
    }
}

/// What the computer is.
fn describe(page: &mut Page, document: &Document) {
    let computer = document.computer.clone().unwrap_or_default();
    page.field("name", computer.name.unwrap_or_default());
    page.field("manufacturer", computer.manufacturer.unwrap_or_default());
    page.field("model", computer.model.unwrap_or_default());
    page.field("BIOS", computer.bios_version.unwrap_or_default());
    page.field("Windows", computer.os_name.unwrap_or_default());
    let system = document.system.clone().unwrap_or_default();
    if let Some(version) = system.version {
        let revision = computer.os_revision.map(|revision| format!(".{revision}")).unwrap_or_default();
        page.field("version", format!("{}{revision}", version.0));
    }
    page.field("service pack", system.service_pack.map(|pack| pack.0.to_string()).unwrap_or_default());
    page.field("product type", system.product_type.map(|kind| word(&kind)).unwrap_or_default());
    page.field("suite mask", system.suite_mask.map(|mask| format!("{mask:#06x}")).unwrap_or_default());
    page.field("architecture", system.architecture.map(|kind| word(&kind)).unwrap_or_default());
    page.field("processors", system.processors.map(|count| count.to_string()).unwrap_or_default());
    page.field("memory", system.memory_mib.map(|mib| format!("{mib} MiB")).unwrap_or_default());
    page.field("language", system.language.unwrap_or_default());
    page.field("more languages", system.mui_languages.unwrap_or_default().join(", "));
}

/// A name as the facts file writes it.
fn word(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().replace('_', " ")
}

const COMPLETE: &str = "does not exist";
const PARTIAL: &str = "was not collected";

/// One row for each section that there is.
fn sections(document: &Document) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = |name: &str, entries: usize, absent: String| {
        rows.push(vec![name.to_owned(), entries.to_string(), absent]);
    };
    if let Some(section) = &document.registry {
        row("registry", section.entries.len(), covered(&section.complete));
    }
    if let Some(section) = &document.files {
        row("files", section.entries.len(), covered(&section.complete));
    }
    let mut plain = |name: &str, section: Option<(usize, bool)>| {
        if let Some((entries, complete)) = section {
            row(name, entries, if complete { COMPLETE } else { PARTIAL }.to_owned());
        }
    };
    plain("special folders", size(document.special_folders.as_ref()));
    plain("variables", size(document.variables.as_ref()));
    plain("Windows Installer", size(document.windows_installer.as_ref()));
    plain("packages", size(document.packages.as_ref()));
    plain("installable packages", size(document.installable_packages.as_ref()));
    plain("WMI namespaces", size(document.wmi.as_ref()));
    plain("licences", size(document.licences.as_ref()));
    plain("system metrics", document.system_metrics.as_ref().map(|metrics| (metrics.len(), false)));
    plain("cluster resources", size(document.cluster_resources.as_ref()));
    plain("product releases", size(document.product_releases.as_ref()));
    plain("installed once", size(document.installed_once.as_ref()));
    plain("generic queries", document.generic_queries.as_ref().map(|queries| (queries.len(), false)));
    plain("devices", document.devices.as_ref().map(|devices| (devices.len(), true)));
    plain("hardware ids", document.computer_hardware_ids.as_ref().map(|ids| (ids.len(), true)));
    rows
}

fn size<N, V>(section: Option<&Section<N, V>>) -> Option<(usize, bool)> {
    section.map(|section| (section.entries.len(), section.complete))
}

fn covered<N>(coverage: &Coverage<N>) -> String {
    match coverage {
        Coverage::Partial => PARTIAL.to_owned(),
        Coverage::Complete => COMPLETE.to_owned(),
        Coverage::Below(paths, _) => {
            let paths: Vec<&str> = paths.iter().map(|path| path.path()).collect();
            format!("{COMPLETE} below {}, else {PARTIAL}", paths.join(", "))
        }
    }
}
