//! `weir import`.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use reqwest::Method;
use weir_api::bundle::Bundle;
use weir_api::import::{Import, ImportError, ImportPhase, ImportQuery, ImportResult, ImportState};

use super::{
    Nothing, bundle,
    import_bundle::{self, Found},
};
use crate::{
    Outcome,
    connection::{Connection, answer},
    print::Printer,
    progress::Progress,
    upload::{self, Part},
};

/// How often to ask how far an import is.
const POLL: Duration = Duration::from_millis(200);
/// Enough of a cabinet to see its directory of files (genuine packages have a header reserve of 6,144 bytes).
const DIRECTORY: u64 = 64 * 1024;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  weir import wsusutil-export.cab\n  weir import ./documents --strict --json\n  \
                        weir import /media/usb/march\n\n\
                        A bundle comes on any number of media, in any order: give each folder as it arrives; exit code 3 \
                        says that parts are missing. A package is imported as a whole or not at all (exit code 1). In a folder each file stands for \
                        itself: exit code 3 says that some were rejected. Importing again changes nothing.")]
pub(crate) struct ImportArguments {
    /// Packages, update documents, bundles, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Refuse a package with updates whose prerequisites or members are unknown, instead of keeping them as unresolved.
    #[arg(long)]
    strict: bool,
    /// Import although this server synchronizes from an upstream, and a bundle although it is older than one applied before
    /// or what it builds on is not here.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(arguments: ImportArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let (mut bundles, mut others) = (Found::default(), Vec::new());
    for path in &arguments.paths {
        // a folder may hold both
        if !bundles.look(path)? || path.is_dir() {
            others.push(path.clone());
        }
    }
    let Collected { parts, skipped, unreadable } = collect(&others)?;
    if bundles.is_empty() && parts.is_empty() && skipped == 0 && unreadable.is_empty() {
        let paths: Vec<String> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
        bail!("there is no file in {}; nothing was imported", paths.join(", "));
    }
    if !bundles.is_empty() {
        let bundles = tokio::select! {
            bundles = import_bundle::import(bundles, arguments.force, connection) => bundles?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted: give the same command again, what the server has is kept"),
        };
        let outcome = show_bundles(&bundles, printer)?;
        if parts.is_empty() && unreadable.is_empty() {
            return Ok(outcome);
        }
    }
    let mut result = ImportResult::default();
    let mut failed = false;
    if !parts.is_empty() {
        let begun = AtomicBool::new(false);
        let import = tokio::select! {
            import = send(parts, &arguments, connection, &begun) => import?,
            _ = tokio::signal::ctrl_c() => {
                return Err(anyhow!(if begun.load(Ordering::Relaxed) {
                    "interrupted: the files are on the server, which goes on with the import"
                } else {
                    "interrupted while sending: of a part of an upload nothing is imported"
                }));
            }
        };
        failed = import.state == ImportState::Failed;
        result = import.result.unwrap_or_default();
    }
    result.skipped += skipped;
    result.rejected += unreadable.len() as u64;
    let unreadable = unreadable.into_iter().map(|(file, message)| ImportError { file, record: None, message });
    result.errors.extend(unreadable);
    printer.show(&result, |page| {
        page.line(format!(
            "{} added, {} unchanged, {} rejected, {} skipped, {} unresolved",
            result.added, result.unchanged, result.rejected, result.skipped, result.unresolved
        ));
        for error in &result.errors {
            let record = error.record.map(|record| format!(", record {record}")).unwrap_or_default();
            page.line(format!("  {}{record}: {}", error.file, error.message));
        }
        let nothing = result.added + result.unchanged + result.rejected == 0;
        if nothing && result.skipped > 0 {
            page.line("Nothing there is update metadata: give wsusutil packages (.cab) or update documents (XML).");
        }
        if failed {
            page.line("Nothing was imported.");
        } else if result.added > 0 {
            page.line("Next: weir products set --all (or --id ...), then weir updates list");
        }
        if result.unresolved > 0 {
            page.line("What unresolved updates lack: weir updates list --filter unresolved, weir updates show ID");
        }
    })?;
    Ok(match (failed, result.rejected) {
        (true, _) => Outcome::Failed,
        (false, 0) => Outcome::Done,
        (false, _) => Outcome::Partly,
    })
}

fn show_bundles(bundles: &[Bundle], printer: &Printer) -> Result<Outcome> {
    let missing = bundles.iter().any(|bundle| !bundle.missing.is_empty());
    printer.show(&serde_json::json!({ "bundles": bundles }), |page| {
        for bundle in bundles {
            let state = bundle::state(bundle.state);
            page.line(format!("bundle {} of {}, {}: {state}", bundle.sequence, bundle.signer_name, bundle.id));
            if let Some(result) = &bundle.result {
                page.line(format!(
                    "  {} added, {} unchanged; content: {} added, {} unchanged; decisions: {} applied, {} unchanged, {} refused",
                    result.added,
                    result.unchanged,
                    result.files_added,
                    result.files_unchanged,
                    result.objects_applied,
                    result.objects_unchanged,
                    result.objects_refused.len()
                ));
                for refused in &result.objects_refused {
                    page.line(format!("  refused: {} {}: {}", refused.kind, refused.id, refused.reason));
                }
                for unknown in &result.unknown {
                    page.line(format!("  not understood by this version: {unknown}"));
                }
            }
            if !bundle.missing.is_empty() {
                let numbers: Vec<String> = bundle.missing.iter().take(20).map(ToString::to_string).collect();
                let more = if bundle.missing.len() > 20 { ", ..." } else { "" };
                page.line(format!(
                    "  {} of {} parts are awaited: {}{more}",
                    bundle.missing.len(),
                    bundle.parts.len(),
                    numbers.join(", ")
                ));
                page.line("Next: weir import the medium that has them");
            }
        }
    })?;
    Ok(if missing { Outcome::Partly } else { Outcome::Done })
}

/// Finds the files to send, and counts those in folders that cannot be update metadata.
fn collect(paths: &[PathBuf]) -> Result<Collected> {
    let mut collected = Collected::default();
    for path in paths {
        let found = upload::find(path)?;
        collected.unreadable.extend(found.unreadable);
        if !path.is_dir() {
            collected.parts.extend(found.parts);
            continue;
        }
        for part in found.parts {
            if may_be_metadata(&upload::beginning(&part.path, DIRECTORY)?) {
                collected.parts.push(part);
            } else {
                collected.skipped += 1;
            }
        }
    }
    Ok(collected)
}

/// What paths hold.
#[derive(Debug, Default)]
struct Collected {
    /// Files to send.
    parts: Vec<Part>,
    /// Files in folders that cannot be update metadata.
    skipped: u64,
    /// What cannot be read, and why.
    unreadable: Vec<(String, String)>,
}

/// Whether a file that begins so is worth sending: text in angle brackets, or a cabinet with the members of a package.
/// A folder may hold gigabytes of content files beside the metadata.
fn may_be_metadata(beginning: &[u8]) -> bool {
    if beginning.starts_with(b"MSCF") {
        return beginning.windows(12).any(|window| window.eq_ignore_ascii_case(b"package.xml\0"));
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    text.starts_with(b"<") || beginning.starts_with(b"\xff\xfe<") || beginning.starts_with(b"\xfe\xff\0<")
}

/// Sends the files and waits for the outcome. `begun` turns true when the server has everything.
async fn send(
    parts: Vec<Part>,
    arguments: &ImportArguments,
    connection: &Connection,
    begun: &AtomicBool,
) -> Result<Import> {
    let query = ImportQuery { strict: arguments.strict, force: arguments.force, wait: false };
    let progress = Progress::of_bytes("sending", parts.iter().map(|part| part.size).sum());
    let request = upload::attach(connection.request(Method::POST, &["imports"])?.query(&query), parts, progress);
    let mut import: Import = answer(connection.send(request).await?).await?;
    begun.store(true, Ordering::Relaxed);
    let mut progress: Option<Progress> = None;
    while import.state == ImportState::Running {
        let phase = match import.phase {
            ImportPhase::Parse => "parsing",
            ImportPhase::Publish => "publishing",
            ImportPhase::Read => "reading",
            ImportPhase::Store => "storing",
        };
        progress = progress.filter(|progress| progress.verb() == phase);
        progress.get_or_insert_with(|| Progress::of_documents(phase, import.total)).set(import.done, import.total);
        tokio::time::sleep(POLL).await;
        import = connection.read(&["imports", &import.id.to_string()], &Nothing {}).await?;
    }
    Ok(import)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_files_beside_metadata_are_not_sent() {
        assert!(may_be_metadata(b"<upd:Update"));
        assert!(may_be_metadata(b"\xef\xbb\xbf\r\n <x"));
        assert!(!may_be_metadata(b"MZ\x90\0"));
        assert!(!may_be_metadata(b"MSCF\0\0\0\0payload.dll\0"));
        assert!(may_be_metadata(b"MSCF\0\0\0\0metadata.txt\0Package.xml\0"));
        assert!(!may_be_metadata(b""));
    }
}
