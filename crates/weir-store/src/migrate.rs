//! Bringing the schema of the embedded database up to date. Migrations run forward, all that are due in one transaction.

use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

refinery::embed_migrations!("migrations");

/// Runs what has not been run. A database that a newer binary has taken further is accepted: new migrations only add,
/// so that servers of two releases can share one database during an upgrade.
pub(crate) fn run(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    tell(&apply(connection, path)?);
    Ok(())
}

/// The same for a database that is made or copied, which nobody has to be told of.
pub(crate) fn make(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    apply(connection, path).map(drop)
}

fn apply(connection: &mut Connection, path: &Path) -> Result<refinery::Report, StoreError> {
    // One by one, a migration and the note that it was applied are two transactions: a process killed between them would
    // leave a database that cannot be opened again.
    let report = migrations::runner().set_abort_missing(false).set_grouped(true).run(connection);
    report.map_err(|error| StoreError::Migration { place: path.display().to_string(), source: Box::new(error) })
}

/// Says what was run.
pub(crate) fn tell(report: &refinery::Report) {
    for applied in report.applied_migrations() {
        tracing::info!(migration = applied.name(), version = applied.version(), "the schema was brought up to date");
    }
}

/// The number of the last migration of this program.
pub(crate) fn newest() -> u32 {
    let runner = migrations::runner();
    let versions = runner.get_migrations().iter().map(refinery::Migration::version);
    versions.filter_map(|version| u32::try_from(version).ok()).max().unwrap_or_default()
}
