//! Bringing the schema of PostgreSQL up to date. Its first migration makes all that those of the embedded database had made by
//! then, and has the number of the last of these; later ones come in pairs.

use std::{error::Error as _, thread, time::Duration};

use refinery::{Error, Report};
use tokio_postgres::{Client, error::SqlState};

use super::{LOCK, error, wait::wait};
use crate::{StoreError, migrate};

refinery::embed_migrations!("migrations-postgres");

/// So often a migration is tried that has to wait for a table: everybody else waits for that table meanwhile.
const TRIES: u32 = 30;
/// Between two of them others have their turn.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs what has not been run, while no front end writes or migrates. A database that a newer binary has taken further is accepted:
/// new migrations only add, so that servers of two releases can share one database during an upgrade.
pub(super) fn run(client: &mut Client, place: &str) -> Result<(), StoreError> {
    let mut tries = 1;
    loop {
        match turn(client, place)? {
            Ok(report) => {
                migrate::tell(&report);
                return Ok(());
            }
            Err(error) if tries < TRIES && has_to_wait(&error) => {
                tracing::info!(
                    place,
                    "somebody uses a table that is to be changed; the schema is brought up to date soon"
                );
                tries += 1;
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(StoreError::Migration { place: place.to_owned(), source: Box::new(error) }),
        }
    }
}

/// One try.
fn turn(client: &mut Client, place: &str) -> Result<Result<Report, Error>, StoreError> {
    let fail = |error| error::failed(place, "waiting for other servers before the schema is looked at", error);
    // the writers' turn is waited for, however long that is; a table that a reader has only for a moment
    let begin = format!("SET lock_timeout = 0; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = '3s'");
    wait(client.batch_execute(&begin)).map_err(fail)?;
    let done = wait(migrations::runner().set_abort_missing(false).set_grouped(true).run_async(client));
    // the end of the connection would do it too, a moment later
    let ended = wait(client.batch_execute(&format!("SET lock_timeout = 0; SELECT pg_advisory_unlock({LOCK})")));
    if done.is_ok() {
        ended.map_err(fail)?;
    }
    Ok(done)
}

/// Whether it was a table in use that kept it from being done.
fn has_to_wait(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<tokio_postgres::Error>());
    cause.and_then(tokio_postgres::Error::code) == Some(&SqlState::LOCK_NOT_AVAILABLE)
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
