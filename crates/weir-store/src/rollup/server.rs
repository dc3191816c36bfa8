//! Servers below, their figures, and installations on the way up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{RevisionNumber, UpdateIdentity},
    rollup::{Activity, OsFingerprint, ServerSummary},
};

use super::{EVENTS, STARTED};
use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A server below that a roll-up told of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RolledServer {
    /// Its number.
    pub no: u32,
    /// Its GUID.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Version of its software.
    pub version: Option<String>,
    /// It mirrors deployments.
    pub replica: Option<bool>,
    /// The server it reports to, 1 for this one.
    pub parent_no: u32,
    /// Its last synchronization.
    pub last_sync: Option<Timestamp>,
    /// When it reported, by its own clock.
    pub last_rollup: Option<Timestamp>,
    /// When that arrived first: a repetition is no news.
    pub received_at: Timestamp,
    /// Milliseconds that its clock is behind ours, as far as times were corrected for.
    pub clock_shift: i64,
    /// Its figures.
    pub summary: ServerSummary,
    /// When it had reported what is on its way to the server above.
    pub sending: Option<Timestamp>,
}

/// What a server reports of itself, ready to be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerReport<'r> {
    /// Which.
    pub no: u32,
    /// The server it reports to, 1 for this one.
    pub parent_no: u32,
    /// Its name; stored for servers that are known from roll-ups alone.
    pub name: &'r str,
    /// Version of its software.
    pub version: &'r str,
    /// It mirrors deployments.
    pub replica: bool,
    /// Its last synchronization.
    pub last_sync: Option<Timestamp>,
    /// When it reported, by its own clock.
    pub last_rollup: Option<Timestamp>,
    /// Its figures.
    pub summary: &'r ServerSummary,
}

/// Computers of a server with one kind of operating system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RolledClient {
    /// Number of the row.
    pub no: u32,
    /// Which kind.
    pub os: OsFingerprint,
    /// How many computers; 0 if the server's last report names none.
    pub computers: i32,
    /// Digest of the increments that came last.
    pub repeated: Option<Vec<u8>>,
    /// The report that they came with.
    pub counted_at: Option<Timestamp>,
}

/// Installations of a revision on computers of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ActivityRow {
    /// The row of [`RolledClient`].
    pub client: u32,
    /// Which, and how often.
    pub activity: Activity,
}

/// Events of one kind about one revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventCount {
    /// On computers of this kind.
    pub os: OsFingerprint,
    /// The revision.
    pub update: UpdateIdentity,
    /// `EventID`.
    pub event_id: i32,
    /// How many.
    pub count: i32,
}

statements! {
    SERVERS: "listing servers that report" =
        "SELECT r.server_no, d.server_id, d.name, d.software_version, d.is_replica, r.parent_no, r.last_sync_at,
             r.last_rollup_at, r.received_at, r.clock_shift, r.summary, r.sending_at
         FROM rollup_server r JOIN downstream_server d ON d.server_no = r.server_no
         WHERE r.server_no > ?1 ORDER BY r.server_no";
    SERVER_NUMBERS: "listing the numbers of servers below" =
        "SELECT d.server_no, d.server_id, d.name, coalesce(r.parent_no, 1) FROM downstream_server d
         LEFT JOIN rollup_server r ON r.server_no = d.server_no WHERE d.server_no > ?1 ORDER BY d.server_no";
    SERVER_ADD: "noting a server that another reports" =
        "INSERT INTO downstream_server (server_id, name, address, admission, admission_at, admission_by,
             first_contact_at, last_contact_at)
         VALUES (?1, ?2, '', 3, ?3, ?4, ?3, ?3) RETURNING server_no";
    SERVER_NAME: "naming a server that another reports" =
        "UPDATE downstream_server SET name = ?2 WHERE server_no = ?1 AND admission = 3";
    SERVER_PUT: "storing the figures of a server" =
        "INSERT INTO rollup_server (server_no, parent_no, last_sync_at, last_rollup_at, received_at, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (server_no) DO UPDATE SET parent_no = excluded.parent_no, last_sync_at = excluded.last_sync_at,
             last_rollup_at = excluded.last_rollup_at, received_at = CASE
                 WHEN rollup_server.parent_no = excluded.parent_no
                     AND rollup_server.last_rollup_at IS NOT DISTINCT FROM excluded.last_rollup_at
                     THEN rollup_server.received_at
                 ELSE excluded.received_at END, summary = excluded.summary";
    SERVER_SHIFT: "noting how a server's clock differs" =
        "UPDATE rollup_server SET clock_shift = ?2 WHERE server_no = ?1";
    CLIENTS: "listing kinds of computers of a server" =
        "SELECT c.client_no, c.os,
             CASE WHEN c.server_no = 1 OR c.counted_at IS NOT DISTINCT FROM r.last_rollup_at THEN c.computers ELSE 0 END,
             c.repeated, c.counted_at
         FROM rollup_client c LEFT JOIN rollup_server r ON r.server_no = c.server_no
         WHERE c.server_no = ?1 ORDER BY c.client_no";
    CLIENT_FIND: "looking for a kind of computers" =
        "SELECT client_no, os, computers, repeated, counted_at FROM rollup_client WHERE server_no = ?1 AND os = ?2";
    // an INSERT that meets a row takes a number from PostgreSQL all the same, and they are to last: it looks for the row first
    CLIENT_PUT: "storing a kind of computers" =
        "INSERT INTO rollup_client (server_no, os, computers, counted_at, repeated) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (server_no, os) DO UPDATE SET computers = excluded.computers, counted_at = excluded.counted_at,
             repeated = excluded.repeated
         RETURNING client_no",
        postgres "WITH known AS (UPDATE rollup_client SET computers = ?3, counted_at = ?4, repeated = ?5
                 WHERE server_no = ?1 AND os = ?2 RETURNING client_no),
             made AS (INSERT INTO rollup_client (server_no, os, computers, counted_at, repeated)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM known) RETURNING client_no)
         SELECT client_no FROM known UNION ALL SELECT client_no FROM made";
    ACTIVITY_ADD: "adding installations" =
        "INSERT INTO rollup_activity (client_no, update_id, revision, succeeded, failed, fresh_succeeded, fresh_failed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?5)
         ON CONFLICT (client_no, update_id, revision) DO UPDATE SET
             succeeded = min(succeeded + excluded.succeeded, 2147483647),
             failed = min(failed + excluded.failed, 2147483647),
             fresh_succeeded = min(fresh_succeeded + excluded.succeeded, 2147483647),
             fresh_failed = min(fresh_failed + excluded.failed, 2147483647)",
        postgres "INSERT INTO rollup_activity (client_no, update_id, revision, succeeded, failed, fresh_succeeded, fresh_failed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?5)
         ON CONFLICT (client_no, update_id, revision) DO UPDATE SET
             succeeded = least(rollup_activity.succeeded + excluded.succeeded, 2147483647),
             failed = least(rollup_activity.failed + excluded.failed, 2147483647),
             fresh_succeeded = least(rollup_activity.fresh_succeeded + excluded.succeeded, 2147483647),
             fresh_failed = least(rollup_activity.fresh_failed + excluded.failed, 2147483647)";
    ACTIVITY_FREEZE: "freezing installations that are sent" =
        "UPDATE rollup_activity SET sending_succeeded = fresh_succeeded, sending_failed = fresh_failed,
             fresh_succeeded = 0, fresh_failed = 0
         WHERE fresh_succeeded + fresh_failed > 0";
    SERVER_FREEZE: "freezing when servers reported" =
        "UPDATE rollup_server SET sending_at = last_rollup_at WHERE server_no > ?1";
    ACTIVITY_SENDING: "listing installations that are sent" =
        "SELECT client_no, update_id, revision, sending_succeeded, sending_failed FROM rollup_activity
         WHERE sending_succeeded + sending_failed > 0 ORDER BY client_no, update_id, revision";
    ACTIVITY_SENT: "clearing installations that were sent" =
        "UPDATE rollup_activity SET sending_succeeded = 0, sending_failed = 0
         WHERE client_no = ?1 AND sending_succeeded + sending_failed > 0";
    ACTIVITY_TOTAL: "adding up installations of a server" =
        "SELECT coalesce(sum(a.succeeded), 0), coalesce(sum(a.failed), 0) FROM rollup_client c
         JOIN rollup_activity a ON a.client_no = c.client_no WHERE c.server_no = ?1";
    EVENT_LAST: "looking for the last event" = "SELECT coalesce(max(event_no), 0) FROM event";
    EVENT_COUNTS: "counting installations" =
        "SELECT e.update_id, e.revision, e.event_id, count(*), c.os_major_version, c.os_minor_version, c.os_build_number,
             c.os_service_pack_major_number, c.os_service_pack_minor_number, c.os_locale, c.suite_mask,
             c.old_product_type, c.new_product_type, c.system_metrics, c.processor_architecture
         FROM event e JOIN computer c ON c.computer_no = e.computer_no
         WHERE e.event_no > ?1 AND e.event_no <= ?2
         GROUP BY 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
         ORDER BY 1, 2, 3, 5 NULLS FIRST, 6 NULLS FIRST, 7 NULLS FIRST, 8 NULLS FIRST, 9 NULLS FIRST, 10 NULLS FIRST,
             11 NULLS FIRST, 12 NULLS FIRST, 13 NULLS FIRST, 14 NULLS FIRST, 15 NULLS FIRST";
    OWN_KINDS: "counting computers by kind" =
        "SELECT 0, 0, 0, count(*), c.os_major_version, c.os_minor_version, c.os_build_number,
             c.os_service_pack_major_number, c.os_service_pack_minor_number, c.os_locale, c.suite_mask,
             c.old_product_type, c.new_product_type, c.system_metrics, c.processor_architecture
         FROM computer c WHERE c.site_no = 1 GROUP BY 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
         ORDER BY 5 NULLS FIRST, 6 NULLS FIRST, 7 NULLS FIRST, 8 NULLS FIRST, 9 NULLS FIRST, 10 NULLS FIRST, 11 NULLS FIRST,
             12 NULLS FIRST, 13 NULLS FIRST, 14 NULLS FIRST, 15 NULLS FIRST";
    OWN_KINDS_CLEAR: "clearing counts of computers" = "UPDATE rollup_client SET computers = 0 WHERE server_no = 1";
    OWN_KIND_PUT: "storing a count of computers" =
        "INSERT INTO rollup_client (server_no, os, computers) VALUES (1, ?1, ?2)
         ON CONFLICT (server_no, os) DO UPDATE SET computers = excluded.computers RETURNING client_no",
        postgres "WITH known AS (UPDATE rollup_client SET computers = ?2 WHERE server_no = 1 AND os = ?1 RETURNING client_no),
             made AS (INSERT INTO rollup_client (server_no, os, computers)
                 SELECT 1, ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM known) RETURNING client_no)
         SELECT client_no FROM known UNION ALL SELECT client_no FROM made";
    OWN_KIND: "looking for a kind of own computers" =
        "INSERT INTO rollup_client (server_no, os, computers) VALUES (1, ?1, 0)
         ON CONFLICT (server_no, os) DO UPDATE SET computers = computers RETURNING client_no",
        postgres "WITH known AS (SELECT client_no FROM rollup_client WHERE server_no = 1 AND os = ?1),
             made AS (INSERT INTO rollup_client (server_no, os, computers)
                 SELECT 1, ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM known) RETURNING client_no)
         SELECT client_no FROM known UNION ALL SELECT client_no FROM made";
}

fn server(row: &Row<'_>) -> Result<RolledServer, StoreError> {
    let summary = serde_json::from_value(row.json(10)?);
    Ok(RolledServer {
        no: row.int(0)?,
        id: row.uuid(1)?,
        name: row.text(2)?,
        version: row.opt_text(3)?,
        replica: row.opt(4, Row::bool)?,
        parent_no: row.int(5)?,
        last_sync: row.opt_time(6)?,
        last_rollup: row.opt_time(7)?,
        received_at: row.time(8)?,
        clock_shift: row.int(9)?,
        summary: summary.map_err(|error| StoreError::Corrupt { what: format!("figures of a server: {error}") })?,
        sending: row.opt_time(11)?,
    })
}

fn client(row: &Row<'_>) -> Result<RolledClient, StoreError> {
    let os = serde_json::from_value(row.json(1)?);
    Ok(RolledClient {
        no: row.int(0)?,
        os: os.map_err(|error| StoreError::Corrupt { what: format!("a kind of computers: {error}") })?,
        computers: row.int(2)?,
        repeated: row.opt(3, |row, column| Ok(row.bytes(column)?.to_vec()))?,
        counted_at: row.opt_time(4)?,
    })
}

/// Characters of a locale, and of an architecture.
const LOCALE: usize = 64;
const ARCHITECTURE: usize = 50;

/// From column 4 on.
fn fingerprint(row: &Row<'_>) -> Result<OsFingerprint, StoreError> {
    Ok(OsFingerprint {
        os_major_version: row.opt_int(4)?.unwrap_or_default(),
        os_minor_version: row.opt_int(5)?.unwrap_or_default(),
        os_build_number: row.opt_int(6)?.unwrap_or_default(),
        os_service_pack_major_number: row.opt_int(7)?.unwrap_or_default(),
        os_service_pack_minor_number: row.opt_int(8)?.unwrap_or_default(),
        os_locale: cut(row.opt_text(9)?, LOCALE),
        suite_mask: row.opt_int(10)?.unwrap_or_default(),
        old_product_type: row.opt_int(11)?.unwrap_or_default(),
        new_product_type: row.opt_int(12)?.unwrap_or_default(),
        system_metrics: row.opt_int(13)?.unwrap_or_default(),
        processor_architecture: cut(row.opt_text(14)?, ARCHITECTURE),
    })
}

/// What a computer sent, as long as the server above takes it: kinds are found by an index, which has no room for long texts.
fn cut(text: Option<String>, most: usize) -> String {
    text.unwrap_or_default().trim().chars().take(most).collect()
}

/// The text by which a kind is found. Field order is that of the type.
fn os_text(os: &OsFingerprint) -> Result<String, StoreError> {
    serde_json::to_string(os).map_err(|error| StoreError::Corrupt { what: format!("a kind of computers: {error}") })
}

impl ReadTx<'_> {
    /// Servers that roll-ups told of, by number.
    pub fn rollup_servers(&self) -> Result<Vec<RolledServer>, StoreError> {
        self.all(&SERVERS, args![0_u32], server)
    }

    /// Every server below by number: its GUID, its name and the server it reports to.
    pub fn rollup_server_numbers(&self) -> Result<Vec<(u32, Uuid, String, u32)>, StoreError> {
        self.all(&SERVER_NUMBERS, args![0_u32], |row| Ok((row.int(0)?, row.uuid(1)?, row.text(2)?, row.int(3)?)))
    }

    /// The kinds of computers of a server; 1 is this one.
    pub fn rollup_clients(&self, server: u32) -> Result<Vec<RolledClient>, StoreError> {
        self.all(&CLIENTS, args![server], client)
    }

    /// A kind of computers of a server, with its count whenever that was.
    pub fn rollup_client_find(&self, server: u32, os: &OsFingerprint) -> Result<Option<RolledClient>, StoreError> {
        self.first(&CLIENT_FIND, args![server, &os_text(os)?], client)
    }

    /// Installations that succeeded and failed on the computers of a server, as far as told.
    pub fn rollup_activity_total(&self, server: u32) -> Result<(u64, u64), StoreError> {
        self.one(&ACTIVITY_TOTAL, args![server], |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// Installations that are on their way.
    pub fn rollup_activity_sending(&self) -> Result<Vec<ActivityRow>, StoreError> {
        self.all(&ACTIVITY_SENDING, args![], |row| {
            let update = UpdateIdentity { update_id: row.update_id(1)?, revision: RevisionNumber(row.int(2)?) };
            let activity = Activity { update, succeeded: row.int(3)?, failed: row.int(4)? };
            Ok(ActivityRow { client: row.int(0)?, activity })
        })
    }

    /// Events after one number and up to the last, added up, and that last number.
    pub fn rollup_events(&self, after: i64) -> Result<(Vec<EventCount>, i64), StoreError> {
        let last: i64 = self.one(&EVENT_LAST, args![], |row| row.int(0))?;
        let counts = self.all(&EVENT_COUNTS, args![after, last], |row| {
            Ok(EventCount {
                os: fingerprint(row)?,
                update: UpdateIdentity { update_id: row.update_id(0)?, revision: RevisionNumber(row.int(1)?) },
                event_id: row.int(2)?,
                count: row.int(3)?,
            })
        })?;
        Ok((counts, last))
    }

    /// Computers that scan here, by kind.
    pub fn rollup_own_kinds(&self) -> Result<Vec<(OsFingerprint, i32)>, StoreError> {
        let mut kinds: BTreeMap<OsFingerprint, i32> = BTreeMap::new();
        for (os, count) in self.all(&OWN_KINDS, args![], |row| Ok((fingerprint(row)?, row.int::<i32>(3)?)))? {
            let known = kinds.entry(os).or_default();
            *known = known.saturating_add(count);
        }
        Ok(kinds.into_iter().collect())
    }
}

impl WriteTx<'_> {
    /// Notes a server that another one reports; it may not synchronize from here before that is decided.
    pub fn rollup_server_add(&self, id: Uuid, name: &str) -> Result<u32, StoreError> {
        self.one(&SERVER_ADD, args![id, name, self.actor().at, &self.actor().name], |row| row.int(0))
    }

    /// Stores what a server reports of itself.
    pub fn rollup_server_put(&self, report: &ServerReport<'_>) -> Result<(), StoreError> {
        let summary = serde_json::to_string(report.summary)
            .map_err(|error| StoreError::Corrupt { what: format!("figures of a server: {error}") })?;
        let values =
            args![report.no, report.parent_no, report.last_sync, report.last_rollup, self.actor().at, &summary];
        self.run(&SERVER_PUT, values)?;
        self.run(&SERVER_NAME, args![report.no, report.name])?;
        self.downstream_described(report.no, Some(report.version), Some(report.replica))
    }

    /// Notes by how many milliseconds a server's times are corrected.
    pub fn rollup_server_shift(&self, no: u32, milliseconds: i64) -> Result<(), StoreError> {
        self.run(&SERVER_SHIFT, args![no, milliseconds])?;
        Ok(())
    }

    /// Stores how many computers of a kind a server has, and the digest of the increments that came with it.
    pub fn rollup_client_put(
        &self,
        server: u32,
        os: &OsFingerprint,
        computers: i32,
        counted_at: Option<Timestamp>,
        repeated: Option<&[u8]>,
    ) -> Result<u32, StoreError> {
        let os = os_text(os)?;
        self.one(&CLIENT_PUT, args![server, &os, computers, counted_at, repeated], |row| row.int(0))
    }

    /// Adds installations to those told, and to those still to be told above.
    pub fn rollup_activity_add(&self, client: u32, activity: &Activity) -> Result<(), StoreError> {
        let update = activity.update;
        let values = args![client, update.update_id, update.revision, activity.succeeded, activity.failed];
        self.send(&ACTIVITY_ADD, values)?;
        Ok(())
    }

    /// Adds installations on own computers, and notes the last event that is counted.
    pub fn rollup_own_activity(&self, counted: &[(OsFingerprint, Activity)], event: i64) -> Result<(), StoreError> {
        for (os, activity) in counted {
            let client: u32 = self.one(&OWN_KIND, args![&os_text(os)?], |row| row.int(0))?;
            self.rollup_activity_add(client, activity)?;
        }
        self.run(&EVENTS, args![event])?;
        Ok(())
    }

    /// Stores how many own computers there are of each kind.
    pub fn rollup_own_kinds_put(&self, kinds: &[(OsFingerprint, i32)]) -> Result<(), StoreError> {
        self.run(&OWN_KINDS_CLEAR, args![])?;
        for (os, computers) in kinds {
            self.first(&OWN_KIND_PUT, args![&os_text(os)?, *computers], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Freezes the installations that were not told yet under this `LastRollupTime`. What is frozen already must be told
    /// first.
    pub fn rollup_freeze(&self, at: Timestamp) -> Result<(), StoreError> {
        self.run(&ACTIVITY_FREEZE, args![])?;
        self.run(&SERVER_FREEZE, args![0_u32])?;
        self.run(&STARTED, args![at])?;
        Ok(())
    }

    /// Clears the frozen installations of these kinds of computers, which were told.
    pub fn rollup_activity_sent(&self, clients: &[u32]) -> Result<(), StoreError> {
        for client in clients {
            self.send(&ACTIVITY_SENT, args![*client])?;
        }
        Ok(())
    }
}
