//! `weir status`.

use anyhow::Result;
use weir_api::status::{Status, quoted};

use super::Nothing;
use crate::{
    Outcome,
    connection::Connection,
    print::{Printer, bytes, time},
};

pub(crate) async fn run(connection: &Connection, printer: &Printer) -> Result<Outcome> {
    let status: Status = connection.read(&["status"], &Nothing {}).await?;
    // the commands work here, too, if they name the folder that this one named
    let data = connection.data.as_deref().map(|folder| format!("weir --data {} ", quoted(&folder.to_string_lossy())));
    let command = |text: &str| data.as_ref().map_or_else(|| text.to_owned(), |data| text.replace("weir ", data));
    printer.show(&status, |page| {
        page.field("version", &status.version);
        page.field("running since", time(status.started_at));
        let addresses = [
            ("clients", &status.endpoints.client_http),
            ("clients, TLS", &status.endpoints.client_https),
            ("downstream", &status.endpoints.server),
            ("administrators", &status.endpoints.admin),
        ];
        for (label, address) in addresses {
            page.field(label, address.as_deref().unwrap_or("not listening"));
        }
        let counts = &status.counts;
        page.field(
            "updates",
            format!("{} in {} revisions, {} unresolved", counts.updates, counts.revisions, counts.unresolved),
        );
        page.field(
            "selected",
            format!("{} products, {} classifications", counts.products_selected, counts.classifications_selected),
        );
        let plain = counts.computers_plain_http;
        let percent = (plain * 100).checked_div(counts.computers).unwrap_or_default();
        page.field("computers", format!("{}, {plain} over plain HTTP ({percent} %)", counts.computers));
        page.field("deployments", format!("{} to {} collections", counts.deployments, counts.collections));
        page.field(
            "content",
            format!(
                "{} files, {}; {} files awaited",
                counts.content_files,
                bytes(counts.content_bytes),
                counts.content_waiting
            ),
        );
        page.field("open alerts", counts.alerts);
        if status.steps.iter().any(|step| !step.done) {
            page.line("\nFirst steps:");
            for step in &status.steps {
                page.line(format!("  [{}] {}", if step.done { 'x' } else { ' ' }, step.title));
                if !step.done {
                    page.line(format!("      {}", command(&step.command)));
                }
            }
        }
    })?;
    Ok(Outcome::Done)
}
