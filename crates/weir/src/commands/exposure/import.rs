//! `weir exposure import`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use reqwest::Method;
use weir_api::exposure::{Fetch, Imported, ImportedFile, Outcome as FileOutcome};

use crate::{
    Outcome,
    connection::{Connection, answer},
    print::Printer,
    progress::Progress,
    upload,
};

/// What stands below the help.
pub(super) const HELP: &str = "Examples:\n  weir exposure import 2026-Nov.json known_exploited_vulnerabilities.json\n  \
    weir exposure import ./advisories --json\n  \
    weir exposure import --url https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/2026-Nov\n\n\
    Which kind of document a file is, is seen from its text. Each file stands for itself: exit code 3 says that some were \
    rejected. Importing again changes nothing, and an older state of a document never replaces a newer one.\n\
    An address is fetched by the server, through the proxy that synchronization uses, over HTTPS.";

#[derive(Args, Debug)]
pub(crate) struct ImportArguments {
    /// Files, or folders of them.
    #[arg(required_unless_present = "url", conflicts_with = "url", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Let the server fetch this address.
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    /// Take plain http:// addresses as well.
    #[arg(long, requires = "url")]
    allow_http: bool,
}

pub(super) async fn run(arguments: ImportArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let mut imported = Imported::default();
    for url in &arguments.url {
        let wanted = Fetch { url: url.clone(), allow_http: arguments.allow_http };
        let fetched: Imported = connection.change(Method::POST, &["exposure", "fetches"], &wanted).await?;
        imported.files.extend(fetched.files);
    }
    let mut parts = Vec::new();
    for path in &arguments.files {
        let found = upload::find(path)?;
        parts.extend(found.parts);
        imported.files.extend(found.unreadable.into_iter().map(|(file, message)| ImportedFile {
            file,
            outcome: FileOutcome::Rejected,
            document: None,
            message: Some(message),
        }));
    }
    if !parts.is_empty() {
        let progress = Progress::of_bytes("sending", parts.iter().map(|part| part.size).sum());
        let request = connection.request(Method::POST, &["exposure", "imports"])?;
        let request = upload::attach(request, parts, progress);
        let sent: Imported = answer(connection.send(request).await?).await?;
        imported.files.extend(sent.files);
    }
    if imported.files.is_empty() {
        let paths: Vec<String> = arguments.files.iter().map(|path| path.display().to_string()).collect();
        bail!("there is no file in {}; nothing was imported", paths.join(", "));
    }
    printer.show(&imported, |page| {
        for it in &imported.files {
            let what = match &it.document {
                Some(document) => {
                    format!("{} {}, version {}, {} CVEs", document.kind, document.id, document.version, document.cves)
                }
                None => String::new(),
            };
            let message = it.message.as_deref().unwrap_or_default();
            let text = [what.as_str(), message].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>();
            page.line(format!("{}: {}: {}", it.file, outcome(it.outcome), text.join("; ")));
        }
        if imported.files.iter().any(|it| matches!(it.outcome, FileOutcome::Added | FileOutcome::Replaced)) {
            page.line("Next: weir exposure summary, then weir exposure cves list --state exposed");
        }
    })?;
    let rejected = imported.files.iter().filter(|it| it.outcome == FileOutcome::Rejected).count();
    Ok(match rejected {
        0 => Outcome::Done,
        all if all == imported.files.len() => Outcome::Failed,
        _ => Outcome::Partly,
    })
}

fn outcome(outcome: FileOutcome) -> &'static str {
    match outcome {
        FileOutcome::Added => "added",
        FileOutcome::Older => "left alone, a newer one is here",
        FileOutcome::Rejected => "rejected",
        FileOutcome::Replaced => "replaced an older one",
        FileOutcome::Unchanged => "unchanged",
    }
}
