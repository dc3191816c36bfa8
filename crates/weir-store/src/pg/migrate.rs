//! Bringing the schema of PostgreSQL up to date. Its first migration makes all that those of the embedded database had made by
//! then, and has the number of the last of these; later ones come in pairs.

use tokio_postgres::Client;

use super::{LOCK, error, wait::wait};
use crate::{StoreError, migrate};

refinery::embed_migrations!("migrations-postgres");

/// Runs what has not been run, while no front end writes or migrates. A database that a newer binary has taken further is accepted:
/// new migrations only add, so that servers of two releases can share one database during an upgrade.
pub(super) fn run(client: &mut Client, place: &str) -> Result<(), StoreError> {
    let fail = |error| error::failed(place, "waiting for other servers before the schema is looked at", error);
    wait(client.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))).map_err(fail)?;
    let done = wait(migrations::runner().set_abort_missing(false).set_grouped(true).run_async(client));
    // the end of the connection would do it too, a moment later
    wait(client.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))).map_err(fail)?;
    let fail = |error| StoreError::Migration { place: place.to_owned(), source: Box::new(error) };
    migrate::tell(&done.map_err(fail)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_are_at_the_same_schema() {
        let runner = migrations::runner();
        let mut names: Vec<_> = runner.get_migrations().iter().map(|one| (one.version(), one.name())).collect();
        names.sort_unstable();
        assert_eq!(names.first(), Some(&(30, "initial")));
        let newest = names.last().map(|(version, _)| *version);
        assert_eq!(newest.and_then(|version| u32::try_from(version).ok()), Some(migrate::newest()));
    }
}
