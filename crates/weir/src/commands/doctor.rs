//! `weir doctor`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use tokio::runtime::Runtime;
use weir_server::{
    Options,
    doctor::{self, Diagnosis, Severity, Wanted},
    start,
};

use super::backup::refused;
use crate::{
    Outcome,
    print::{Page, Printer, wants_bar},
};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  weir doctor\n  weir doctor --data /var/lib/weir --config /etc/weir/weir.toml --content --json\n  \
                        weir doctor --repair\n\n\
                        Exit codes: 0 nothing needs anybody, 3 something does, 1 it could not be looked. Every code of a finding is \
                        explained in docs/troubleshooting.md. Nothing is changed without --repair; each finding says what that \
                        would do."
)]
pub(crate) struct DoctorArguments {
    /// Read every content file and compare its digest, which may take hours; without it names and sizes are compared.
    #[arg(long)]
    content: bool,
    /// Repair what cannot lose anything: rights that are too wide, and files that nobody will use again. No server may run.
    #[arg(long)]
    repair: bool,
    /// Configuration file that the server uses [default: weir.toml of the data folder].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the database, if it is on a server of PostgreSQL [default: database.url of the configuration file].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

pub(crate) fn run(
    data: Option<PathBuf>,
    arguments: DoctorArguments,
    runtime: &Runtime,
    printer: &Printer,
) -> Result<Outcome> {
    // an object store is reached by it
    let _entered = runtime.enter();
    let DoctorArguments { config, database, .. } = arguments;
    let settings = start::settings(&Options { data, config, database, ..Options::default() })?;
    let wanted = Wanted { content: arguments.content, repair: arguments.repair };
    let mut last = "";
    let diagnosis = doctor::examine(&settings, wanted, &mut |what, _, _| {
        if what != last && wants_bar() {
            anstream::eprintln!("looking at: {what}");
        }
        last = what;
    });
    let diagnosis = diagnosis.map_err(|error| refused(&error.failure()))?;
    printer.show(&diagnosis, |page| show(page, &diagnosis))?;
    Ok(if diagnosis.needs_somebody() { Outcome::Partly } else { Outcome::Done })
}

fn show(page: &mut Page, diagnosis: &Diagnosis) {
    page.field("data folder", &diagnosis.data);
    page.field("server", if diagnosis.running { "runs" } else { "does not run" });
    page.field("schema", diagnosis.schema_version.map(|version| version.to_string()).unwrap_or_default());
    let read = if diagnosis.content_read { "read and compared" } else { "names and sizes compared" };
    page.field(
        "looked at",
        format!(
            "{} texts, {} computers, {} content files ({read})",
            diagnosis.revisions, diagnosis.computers, diagnosis.content_files
        ),
    );
    if diagnosis.findings.is_empty() {
        page.line("Nothing was found.");
    }
    for finding in &diagnosis.findings {
        page.line("");
        let word = match finding.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Damage => "DAMAGE",
        };
        page.line(format!("{word} {}: {}", finding.code, finding.detail));
        for name in &finding.named {
            page.line(format!("    {name}"));
        }
        if finding.count > finding.named.len() as u64 && !finding.named.is_empty() {
            page.line(format!("    ... {} in all", finding.count));
        }
        match (&finding.repair, finding.repaired) {
            (_, true) => page.line("  repaired"),
            (Some(repair), false) => page.line(format!("  next: {}; --repair {repair}", finding.next_step)),
            (None, false) => page.line(format!("  next: {}", finding.next_step)),
        }
    }
}
