//! Front ends: servers that share this database, and duties, which are work that one of them has at a time.
//!
//! A row of a front end is written anew every few seconds while its process lives; that also prolongs its duties. Who is silent for
//! longer than a lease has none of them any more, whatever its own clock says: all times here are those of the database, where it has
//! a clock (PostgreSQL), and of the one process that there is otherwise.
//!
//! What is written here is written beside the turn of the one writer ([`crate::Store::write_aside`]): a large transaction must not
//! make a server look dead. A write in the name of a duty looks in its own transaction whether the duty is still held
//! ([`WriteTx::duty_keep`]), and whoever wants to take it over waits until that transaction is complete. So two front ends never write
//! in the name of one duty, not even when one of them was stopped in the middle of something and goes on much later.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A front end, as it describes itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FrontEnd {
    /// Its process: a restart makes another one.
    pub id: Uuid,
    /// What people call it: its machine, and where it listens.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// Where it has content files: equal texts are one place.
    pub content: String,
    /// Which authority signs what it shows, as a fingerprint: computers and sites below know one.
    pub authority: String,
    /// Where administrators reach it, if they do.
    pub admin: Option<String>,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
}

/// A front end, and for how long nothing was heard of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FrontEndRow {
    /// As it described itself.
    pub front: FrontEnd,
    /// So long ago it was heard of, by the clock of the database.
    pub silent: SignedDuration,
}

/// Who has a duty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DutyRow {
    /// The duty.
    pub name: String,
    /// The front end that has it, or had it last.
    pub front: Uuid,
    /// The number of the holder: another one has another number.
    pub term: u64,
    /// For how long it has it if nothing is heard of it; negative if it has it no more.
    pub left: SignedDuration,
}

statements! {
    FRONT_PUT: "noting a front end" =
        "INSERT INTO front_end (front_id, name, version, content, authority, admin, started_at, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (front_id) DO UPDATE SET name = excluded.name, version = excluded.version, content = excluded.content,
             authority = excluded.authority, admin = excluded.admin, seen_at = excluded.seen_at",
        postgres "INSERT INTO front_end (front_id, name, version, content, authority, admin, started_at, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS TEXT), ?7,
             CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + 0 * CAST(?8 AS BIGINT))
         ON CONFLICT (front_id) DO UPDATE SET name = excluded.name, version = excluded.version, content = excluded.content,
             authority = excluded.authority, admin = excluded.admin, seen_at = excluded.seen_at";
    FRONT_LIST: "listing front ends" =
        "SELECT front_id, name, version, content, authority, admin, started_at, ?1 - seen_at FROM front_end ORDER BY name, front_id",
        postgres "SELECT front_id, name, version, content, authority, admin, started_at,
             CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + 0 * CAST(?1 AS BIGINT) - seen_at
         FROM front_end ORDER BY name, front_id";
    FRONT_REMOVE: "forgetting a front end" = "DELETE FROM front_end WHERE front_id = ?1";
    FRONT_PRUNE: "forgetting front ends that are gone" = "DELETE FROM front_end WHERE seen_at <= ?1 - ?2",
        postgres "DELETE FROM front_end WHERE seen_at <=
             CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + 0 * CAST(?1 AS BIGINT) - CAST(?2 AS BIGINT)";
    DUTY_LIST: "listing duties" = "SELECT name, front_id, term, until - ?1 FROM duty ORDER BY name",
        postgres "SELECT name, front_id, term,
             until - CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) - 0 * CAST(?1 AS BIGINT)
         FROM duty ORDER BY name";
    DUTY_RENEW: "prolonging duties" = "UPDATE duty SET until = ?2 + ?3 WHERE front_id = ?1 AND until > 0",
        postgres "UPDATE duty SET until = CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)
             + 0 * CAST(?2 AS BIGINT) + CAST(?3 AS BIGINT)
         WHERE front_id = ?1 AND until > 0";
    DUTY_ADD: "taking a duty that nobody had before" =
        "INSERT INTO duty (name, front_id, term, until) VALUES (?1, ?2, 1, ?3 + ?4)
         ON CONFLICT (name) DO NOTHING RETURNING term",
        postgres "INSERT INTO duty (name, front_id, term, until)
         VALUES (?1, ?2, 1, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)
             + 0 * CAST(?3 AS BIGINT) + CAST(?4 AS BIGINT))
         ON CONFLICT (name) DO NOTHING RETURNING term";
    // a duty in whose name something is being written is left alone for now: nobody waits for it. An end that is further ahead than any
    // lease was written by a clock that has been set back since, as another server of the database may have one: nobody waits for that
    DUTY_TAKE: "taking a duty" =
        "UPDATE duty SET front_id = ?2, term = term + 1, until = ?3 + ?4
         WHERE name = ?1 AND (until <= ?3 OR until > ?3 + 2 * ?4) RETURNING term",
        postgres "UPDATE duty SET front_id = ?2, term = term + 1,
             until = CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + 0 * CAST(?3 AS BIGINT) + CAST(?4 AS BIGINT)
         WHERE name IN (SELECT d.name FROM duty d WHERE d.name = ?1
             AND (d.until <= CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)
                 OR d.until > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + 2 * CAST(?4 AS BIGINT))
             FOR UPDATE SKIP LOCKED)
         RETURNING term";
    DUTY_GIVE_UP: "giving duties up" = "UPDATE duty SET until = 0 WHERE front_id = ?1";
    DUTY_KEEP: "looking whether a duty is held" =
        "SELECT 1 FROM duty WHERE name = ?1 AND front_id = ?2 AND term = ?3",
        postgres "SELECT CAST(1 AS BIGINT) FROM duty WHERE name = ?1 AND front_id = ?2 AND term = ?3 FOR KEY SHARE";
}

fn id(row: &Row<'_>, column: usize) -> Result<Uuid, StoreError> {
    let text = row.str(column)?;
    text.parse().map_err(|error| StoreError::Corrupt { what: format!("the id of a front end {text:?}: {error}") })
}

fn front_end(row: &Row<'_>) -> Result<FrontEndRow, StoreError> {
    let front = FrontEnd {
        id: id(row, 0)?,
        name: row.text(1)?,
        version: row.text(2)?,
        content: row.text(3)?,
        authority: row.text(4)?,
        admin: row.opt_text(5)?,
        started_at: row.time(6)?,
    };
    Ok(FrontEndRow { front, silent: SignedDuration::from_micros(row.int(7)?) })
}

impl ReadTx<'_> {
    /// The front ends that were not forgotten, by name. `now` counts where the database has no clock of its own.
    pub fn front_end_list(&self, now: Timestamp) -> Result<Vec<FrontEndRow>, StoreError> {
        self.all(&FRONT_LIST, args![now], front_end)
    }

    /// Who has which duty, by name.
    pub fn duty_list(&self, now: Timestamp) -> Result<Vec<DutyRow>, StoreError> {
        self.all(&DUTY_LIST, args![now], |row| {
            let left = SignedDuration::from_micros(row.int(3)?);
            Ok(DutyRow { name: row.text(0)?, front: id(row, 1)?, term: row.int(2)?, left })
        })
    }
}

impl WriteTx<'_> {
    /// Notes that a front end is there now.
    pub fn front_end_put(&self, front: &FrontEnd) -> Result<(), StoreError> {
        let id = front.id.to_string();
        let values = args![
            &id,
            &front.name,
            &front.version,
            &front.content,
            &front.authority,
            front.admin.as_deref(),
            front.started_at,
            self.actor().at
        ];
        self.run(&FRONT_PUT, values)?;
        Ok(())
    }

    /// Forgets a front end that ends, and gives up what it has.
    pub fn front_end_leave(&self, id: Uuid) -> Result<(), StoreError> {
        self.duty_give_up(id)?;
        self.run(&FRONT_REMOVE, args![&id.to_string()])?;
        Ok(())
    }

    /// Gives up what a front end has. Whoever takes any of it next, it or another one, gets another number.
    pub fn duty_give_up(&self, id: Uuid) -> Result<(), StoreError> {
        self.run(&DUTY_GIVE_UP, args![&id.to_string()])?;
        Ok(())
    }

    /// Forgets front ends of which nothing was heard for so long. Returns how many.
    pub fn front_end_prune(&self, silent: SignedDuration) -> Result<u64, StoreError> {
        Ok(self.run(&FRONT_PRUNE, args![self.actor().at, micros(silent)])? as u64)
    }

    /// Prolongs all duties of a front end that nobody took over. Returns how many it has.
    pub fn duty_renew(&self, id: Uuid, lease: SignedDuration) -> Result<u64, StoreError> {
        Ok(self.run(&DUTY_RENEW, args![&id.to_string(), self.actor().at, micros(lease)])? as u64)
    }

    /// Takes a duty that nobody has. The number of this holder, or none if another one has it, or is just writing in its name.
    pub fn duty_take(&self, name: &str, id: Uuid, lease: SignedDuration) -> Result<Option<u64>, StoreError> {
        let (id, lease) = (id.to_string(), micros(lease));
        let added = self.first(&DUTY_ADD, args![name, &id, self.actor().at, lease], |row| row.int(0))?;
        match added {
            Some(term) => Ok(Some(term)),
            None => self.first(&DUTY_TAKE, args![name, &id, self.actor().at, lease], |row| row.int(0)),
        }
    }

    /// Whether a front end still has a duty. If it does, nobody takes it over before this transaction is complete.
    pub fn duty_keep(&self, name: &str, id: Uuid, term: u64) -> Result<bool, StoreError> {
        Ok(self.first(&DUTY_KEEP, args![name, &id.to_string(), term], |_| Ok(()))?.is_some())
    }
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
