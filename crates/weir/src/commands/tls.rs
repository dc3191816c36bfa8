//! `weir tls`.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use reqwest::Method;
use weir_api::tls::{
    TlsCertificate, TlsCheck, TlsChecked, TlsCheckedAddress, TlsFailure, TlsReloaded, TlsShown, TlsStatus,
    TransportCounts, TransportQuery, TransportSummary,
};

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Page, Printer, time},
};

/// Bytes of a file of roots.
const MOST_BYTES: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum TlsCommand {
    /// Show certificates, when they end, what is spoken, and how many computers come without TLS.
    #[command(after_help = "Examples:\n  weir tls show\n  weir tls show --json")]
    Show,
    /// Connect to this server as computers do, and say what they see.
    #[command(
        after_help = "Only this server's own listeners are called. Exit codes: 0 all is well, 1 clients do not connect, 3 some \
                            do not, or soon none will.\n\nExamples:\n  weir tls check\n  weir tls check --url \
                            https://wsus.example.org:8531\n  weir tls check --root company-root.pem"
    )]
    Check {
        /// The address that computers use; by default that of each listener with TLS.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// A PEM file with the root that computers trust, to be sure that the chain leads there.
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
    },
    /// Read certificates and what weir.toml says of them again, at once. It happens by itself within seconds.
    #[command(
        after_help = "Exit codes: 0 done, 3 something cannot be used and what was before goes on.\n\nExamples:\n  weir tls reload"
    )]
    Reload,
    /// Count the computers that come with TLS and without, by collection.
    #[command(
        after_help = "Examples:\n  weir tls computers\n  weir tls computers --collection Pilot\n  weir computers list --transport http"
    )]
    Computers {
        /// Only this collection, and those below it.
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
}

pub(crate) async fn run(command: TlsCommand, connection: &Connection, printer: &Printer) -> Result<Outcome> {
    match command {
        TlsCommand::Show => {
            let status: TlsStatus = connection.read(&["tls"], &Nothing {}).await?;
            printer.show(&status, |page| shown(page, &status))?;
            Ok(Outcome::Done)
        }
        TlsCommand::Check { url, root } => {
            let check = TlsCheck { url, root: root.map(read).transpose()? };
            let checked: TlsChecked = connection.change(Method::POST, &["tls", "check"], &check).await?;
            printer.show(&checked, |page| seen(page, &checked))?;
            Ok(match (checked.errors, checked.warnings) {
                (0, 0) => Outcome::Done,
                (0, _) => Outcome::Partly,
                _ => Outcome::Failed,
            })
        }
        TlsCommand::Reload => {
            let reloaded: TlsReloaded = connection.change(Method::POST, &["tls", "reload"], &Nothing {}).await?;
            printer.show(&reloaded, |page| {
                if reloaded.changed.is_empty() {
                    page.line("nothing is new");
                } else {
                    page.line(format!("shown anew: {}", reloaded.changed.join(", ")));
                }
                failures(page, &reloaded.failures);
            })?;
            Ok(if reloaded.failures.is_empty() { Outcome::Done } else { Outcome::Partly })
        }
        TlsCommand::Computers { collection } => {
            let query = TransportQuery { collection };
            let summary: TransportSummary = connection.read(&["computers", "transport"], &query).await?;
            printer.show(&summary, |page| coming(page, &summary))?;
            Ok(Outcome::Done)
        }
    }
}

fn read(file: PathBuf) -> Result<String> {
    let size = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
    if size > MOST_BYTES {
        bail!("{} has {size} bytes; roots have at most {MOST_BYTES}", file.display());
    }
    fs::read_to_string(&file).with_context(|| format!("cannot read {} as PEM", file.display()))
}

fn shown(page: &mut Page, status: &TlsStatus) {
    page.field("clients.https", &status.clients);
    page.field("lowest version", format!("TLS {}", status.minimum));
    page.field("suites", status.suites.join(", "));
    page.field(
        "computers",
        format!("{}, {} without TLS ({} %)", status.computers, status.computers_plain_http, status.plain_http_percent),
    );
    page.field("own authority", line(&status.authority));
    for one in &status.certificates {
        page.line("");
        certificate(page, one);
    }
    failures(page, &status.failures);
}

fn certificate(page: &mut Page, shown: &TlsShown) {
    page.field("shown to", whom(&shown.plane));
    page.field("from", shown.file.as_deref().unwrap_or("made here"));
    page.field("since", time(shown.since));
    if let Some(leaf) = shown.chain.first() {
        page.field("certificate", line(leaf));
        page.field("for", leaf.names.join(", "));
        page.field("signed by", &leaf.issuer);
        page.field("SHA-256", &leaf.fingerprint);
    }
    for warning in &shown.warnings {
        page.line(format!("warning: {warning}"));
    }
}

fn whom(plane: &str) -> &str {
    match plane {
        "client" => "computers and servers",
        "admin" => "administrators who come by a name",
        "own" => "administrators who come by an address",
        other => other,
    }
}

fn line(certificate: &TlsCertificate) -> String {
    let left = match certificate.days_left {
        days @ ..0 => format!("ended {} days ago", -days),
        days => format!("{days} days left"),
    };
    format!("{}, {}, until {} ({left})", certificate.subject, certificate.key, time(certificate.not_after))
}

fn failures(page: &mut Page, failures: &[TlsFailure]) {
    for failure in failures {
        page.line(format!("cannot be used ({}): {}", failure.subject, failure.reason));
    }
}

fn seen(page: &mut Page, checked: &TlsChecked) {
    for (number, address) in checked.addresses.iter().enumerate() {
        if number > 0 {
            page.line("");
        }
        seen_at(page, address);
    }
}

fn seen_at(page: &mut Page, address: &TlsCheckedAddress) {
    page.field("address", &address.url);
    page.field("listener", format!("{} ({})", address.connected_to, address.plane));
    for (number, one) in address.chain.iter().enumerate() {
        page.field(if number == 0 { "chain" } else { "" }, line(one));
    }
    for finding in &address.findings {
        page.line(format!("{:<8} {}", finding.severity, finding.text));
        if let Some(next) = &finding.next_step {
            page.line(format!("         next: {next}"));
        }
    }
    if !address.windows.is_empty() {
        let rows = address
            .windows
            .iter()
            .map(|windows| vec![windows.name.clone(), windows.fits.clone(), windows.why.clone().unwrap_or_default()]);
        page.line("");
        page.table(&["Windows", "Can use it", "Why"], rows.collect(), "");
    }
}

fn coming(page: &mut Page, summary: &TransportSummary) {
    let row = |name: &str, counts: &TransportCounts| {
        vec![
            name.to_owned(),
            counts.computers.to_string(),
            counts.https.to_string(),
            counts.http.to_string(),
            format!("{} %", counts.http_percent),
            counts.http_recent.to_string(),
        ]
    };
    let total = [row("All that scan here", &summary.total)];
    let rows = total.into_iter().chain(summary.collections.iter().map(|one| row(&one.collection.name, &one.counts)));
    let header = ["Collection", "Computers", "HTTPS", "HTTP", "Share", "HTTP, not silent"];
    page.table(&header, rows.collect(), "");
    if summary.total.http > 0 {
        page.line("Next: weir computers list --transport http");
    }
}
