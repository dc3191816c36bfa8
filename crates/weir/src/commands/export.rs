//! `weir export`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use reqwest::Method;
use serde::Serialize;
use weir_api::export::{Export, ExportContent, ExportFormat, ExportPhase, ExportQuery, ExportResult, ExportState};

use super::Nothing;
use crate::{
    Outcome,
    connection::{Connection, Refused, answer},
    fetch,
    print::{Printer, bytes},
    progress::Progress,
};

/// How often to ask how far an export is.
const POLL: Duration = Duration::from_millis(100);
/// The manifest in a folder.
const MANIFEST: &str = "bundle.weir";

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  weir export catalogue.cab --log catalogue.log\n  \
                        weir export /media/usb/march --content deployed --with deployments,declines\n  \
                        weir export /media/usb/april --since /media/usb/march/bundle.weir --content deployed\n\n\
                        A name that ends in .cab makes a wsusutil package: metadata alone, for any WSUS. Anything else \
                        makes a Weir bundle: a folder, or a manifest ending in .weir with its parts beside it. An \
                        interrupted bundle goes on when the same command is given again.")]
pub(crate) struct ExportArguments {
    /// Where to write: FILE.cab, FILE.weir or a folder. Nothing that exists is overwritten.
    #[arg(value_name = "FILE")]
    target: PathBuf,
    /// Make a bundle whatever the name says.
    #[arg(long)]
    bundle: bool,
    /// Content files in a bundle. Licence files are always in it.
    #[arg(long, value_name = "WHICH", default_value = "none")]
    content: Content,
    /// Decisions in a bundle: client-settings, collections, criteria, declines, deployments, rules, searches, selections,
    /// settings, windows.
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    with: Vec<String>,
    /// Leave out what the receiver has: the manifest of an earlier bundle, or what `weir bundle inventory` wrote there.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Largest part of a bundle, such as 700M, 4G or 25G; at least 4M.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    part_size: Option<u64>,
    /// Write what was done to this file, too.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Content {
    /// Everything that is here.
    All,
    /// What deployments for installation need.
    Deployed,
    /// None.
    None,
}

/// Bytes with a unit of 1024.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_lowercase();
    let shift = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(format!("{text:?} is no size such as 700M or 4G")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is no size such as 700M or 4G"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("{text:?} is too large"))
}

/// What was written.
#[derive(Serialize)]
struct Written {
    /// The package or the manifest.
    path: PathBuf,
    /// Parts of a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<u64>,
    /// Parts that were there from an earlier attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts_kept: Option<u64>,
    /// Bytes of all files.
    bytes: u64,
    #[serde(flatten)]
    result: ExportResult,
}

pub(crate) async fn run(arguments: ExportArguments, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let plan = Plan::new(&arguments)?;
    let log = arguments.log.as_deref();
    if let Some(log) = log {
        // as with wsusutil, a log that exists is never overwritten
        fs::File::create_new(log).with_context(|| format!("cannot write the log {}", log.display()))?;
    }
    let outcome = tokio::select! {
        outcome = write(&arguments, &plan, connection) => outcome,
        _ = tokio::signal::ctrl_c() => Err(anyhow!(plan.interrupted())),
    };
    if outcome.is_err() && plan.format == ExportFormat::Package {
        // a package is made anew by the next attempt, so that nothing of this one is of use; it may not be there at all
        let _ = fs::remove_file(with(&plan.path, ".partial"));
    }
    if let Some(log) = log {
        let text = match &outcome {
            Ok(written) => lines(written).join("\n"),
            Err(error) => format!("error: {error:#}"),
        };
        let now = jiff::Timestamp::now();
        fs::write(log, format!("{now} weir export {}\n{text}\n", plan.path.display()))
            .with_context(|| format!("cannot write the log {}", log.display()))?;
    }
    let written = outcome?;
    printer.show(&written, |page| {
        for line in lines(&written) {
            page.line(line);
        }
    })?;
    Ok(Outcome::Done)
}

fn lines(written: &Written) -> Vec<String> {
    let Written { path, result, .. } = written;
    let mut lines = vec![format!("{} revisions, {}: {}", result.revisions, bytes(written.bytes), path.display())];
    if let Some(parts) = written.parts {
        lines.push(format!(
            "bundle number {}, {parts} parts ({} kept from before), {} content files, {}, {} decisions",
            result.sequence.unwrap_or_default(),
            written.parts_kept.unwrap_or_default(),
            result.files,
            bytes(result.file_bytes),
            result.objects
        ));
        lines.push(format!("signed by {}", result.signer.clone().unwrap_or_default()));
        if result.files_missing > 0 {
            lines.push(format!("{} wanted files are not here: weir content repair", result.files_missing));
        }
    } else {
        lines.push(format!(
            "{} files listed with their source, {} without a source left out; files travel beside the package",
            result.files, result.files_without_source
        ));
    }
    if result.unresolved > 0 {
        lines.push(format!(
            "warning: {} updates need something that the catalogue lacks: {}",
            result.unresolved,
            result.unresolved_ids.join(", ")
        ));
    }
    lines
}

/// Where everything goes.
struct Plan {
    format: ExportFormat,
    /// The package or the manifest.
    path: PathBuf,
}

impl Plan {
    fn new(arguments: &ExportArguments) -> Result<Self> {
        let extension = arguments.target.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let format = match extension.as_deref() {
            Some("cab") if !arguments.bundle => ExportFormat::Package,
            Some("gz") => bail!("the layout of .xml.gz packages is not public: name it .cab, which every WSUS imports"),
            _ => ExportFormat::Bundle,
        };
        let bundle_only = arguments.content != Content::None
            || !arguments.with.is_empty()
            || arguments.since.is_some()
            || arguments.part_size.is_some();
        if format == ExportFormat::Package && bundle_only {
            bail!("a package (.cab) holds metadata alone; for content, decisions or parts make a bundle: --bundle");
        }
        let path = if format == ExportFormat::Bundle && extension.as_deref() != Some("weir") {
            fs::create_dir_all(&arguments.target)
                .with_context(|| format!("cannot make the folder {}", arguments.target.display()))?;
            arguments.target.join(MANIFEST)
        } else {
            arguments.target.clone()
        };
        let plan = Self { format, path };
        plan.check()?;
        if let Some(since) = &arguments.since {
            let file = weir_server::file::open(since).and_then(|file| file.metadata());
            let size = file.with_context(|| format!("cannot read {}", since.display()))?.len();
            if size == 0 {
                bail!(
                    "{} is empty: --since takes the manifest of an earlier bundle, or what weir bundle inventory wrote",
                    since.display()
                );
            }
        }
        plan.writable()?;
        Ok(plan)
    }

    /// Refuses to overwrite.
    fn check(&self) -> Result<()> {
        if self.path.exists() {
            bail!("{} exists already and is not overwritten; choose another name", self.path.display());
        }
        if self.format == ExportFormat::Bundle && !self.marker().exists() {
            let first = self.part(1);
            if first.exists() {
                bail!("{} exists already and is not overwritten; choose another name", first.display());
            }
        }
        Ok(())
    }

    /// Finds out before the server does the work, not after it.
    fn writable(&self) -> Result<()> {
        let partial = with(&self.path, ".partial");
        let there = partial.exists();
        let opened = fs::File::options().create(true).append(true).open(&partial);
        opened.with_context(|| format!("cannot write {}", self.path.display()))?;
        if !there {
            fs::remove_file(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
        }
        Ok(())
    }

    /// Stands there while a bundle is under way: parts beside it may be replaced.
    fn marker(&self) -> PathBuf {
        with(&self.path, ".unfinished")
    }

    fn part(&self, number: u64) -> PathBuf {
        with(&self.path, &format!(".{number:03}"))
    }

    fn interrupted(&self) -> String {
        match self.format {
            ExportFormat::Bundle => "interrupted: give the same command again, finished parts are kept".to_owned(),
            ExportFormat::Package => "interrupted: nothing was written".to_owned(),
        }
    }
}

/// A path with something appended to its name.
pub(crate) fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Ends the export at the server when the command ends early.
struct Ending<'c> {
    connection: &'c Connection,
    id: String,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        // by then everything that is wanted was fetched, or nothing is wanted any more
        if let Ok(request) = self.connection.request(Method::DELETE, &["exports", &self.id]) {
            tokio::spawn(async move { request.send().await.map(drop) });
        }
    }
}

async fn write(arguments: &ExportArguments, plan: &Plan, connection: &Connection) -> Result<Written> {
    let content = match arguments.content {
        Content::All => ExportContent::All,
        Content::Deployed => ExportContent::Deployed,
        Content::None => ExportContent::None,
    };
    let with = (!arguments.with.is_empty()).then(|| arguments.with.join(","));
    let query = ExportQuery { format: plan.format, content, with, part_bytes: arguments.part_size };
    let mut request = connection.request(Method::POST, &["exports"])?.query(&query);
    if let Some(since) = &arguments.since {
        request = request.body(fetch::body(since)?);
    }
    let export: Export = answer(connection.send(request).await?).await?;
    let id = export.id.to_string();
    let ending = Ending { connection, id: id.clone() };
    if plan.format == ExportFormat::Bundle {
        fs::write(plan.marker(), b"This bundle is not finished. Give the same command again.\n")
            .with_context(|| format!("cannot write {}", plan.marker().display()))?;
    }
    let (mut written, mut taken) = (fetch::Taken::default(), 0);
    let (mut parts, mut progress) = (0, None::<Progress>);
    let result = loop {
        let export: Export = connection.read(&["exports", &id], &Nothing {}).await?;
        show(&mut progress, &export);
        for file in export.files.iter().skip(taken) {
            let path = match file.name.as_str() {
                "package" | "manifest" => plan.path.clone(),
                "signature" => self::with(&plan.path, ".sig"),
                number => {
                    parts += 1;
                    plan.part(number.parse().context("the server's answer is not understood")?)
                }
            };
            written.add(fetch::file(connection, &id, file, &path).await?);
            connection.delete(&["exports", &id, "files", &file.name]).await?;
            taken += 1;
        }
        match export.state {
            ExportState::Done if taken == export.files.len() => break export.result.unwrap_or_default(),
            ExportState::Failed => {
                let problem = export.problem.ok_or_else(|| anyhow!("the export failed"))?;
                return Err(Refused(problem).into());
            }
            _ => tokio::time::sleep(POLL).await,
        }
    };
    drop(ending);
    let bundle = plan.format == ExportFormat::Bundle;
    if bundle {
        // an earlier attempt may have had more parts
        for number in parts + 1.. {
            if fs::remove_file(plan.part(number)).is_err() {
                break;
            }
        }
        fs::remove_file(plan.marker()).with_context(|| format!("cannot remove {}", plan.marker().display()))?;
    }
    Ok(Written {
        path: plan.path.clone(),
        parts: bundle.then_some(parts),
        parts_kept: bundle.then_some(written.kept),
        bytes: written.bytes,
        result,
    })
}

fn show(progress: &mut Option<Progress>, export: &Export) {
    let verb = match export.phase {
        ExportPhase::Documents => "writing documents",
        ExportPhase::Files => "writing files",
        ExportPhase::Order => "ordering",
        ExportPhase::Wait => return,
    };
    if progress.as_ref().is_none_or(|progress| progress.verb() != verb) {
        *progress = Some(match export.phase {
            ExportPhase::Files => Progress::of_bytes(verb, export.total),
            _ => Progress::of_documents(verb, export.total),
        });
    }
    if let Some(progress) = progress {
        progress.set(export.done, export.total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_1024() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("700M"), Ok(700 << 20));
        assert_eq!(size("4GiB"), Ok(4 << 30));
        assert_eq!(size("1tb"), Ok(1 << 40));
        for wrong in ["", "M", "4X", "-1", "99999999999T"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
