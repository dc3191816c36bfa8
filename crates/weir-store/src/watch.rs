//! What evaluators of alerts look at: deployments that ask for compliance, computers that fell silent.

use jiff::Timestamp;
use serde_json::Value;
use weir_model::ids::{CollectionId, DeploymentId};

use crate::{ReadTx, StoreError, codec::args, sql::statements};

/// A deployment whose settings mention an alert about compliance.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedDeployment {
    /// Its number.
    pub id: DeploymentId,
    /// Its name, else the title of the update or the name of the group.
    pub title: String,
    /// To whom.
    pub collection: CollectionId,
    /// The collection's name.
    pub collection_name: String,
    /// The deadline.
    pub deadline_at: Timestamp,
    /// The deadline is a wall-clock time of each computer, as if in UTC.
    pub local_time: bool,
    /// Its settings.
    pub settings: Value,
}

statements! {
    // the settings are looked at by whoever asks; this only leaves out those that say nothing of it
    WATCHED: "listing deployments that ask for compliance" =
        "SELECT d.deployment_id, coalesce(d.name, r.title, g.name, ''), d.collection_id, c.name, d.deadline_at,
             d.local_time, d.settings
         FROM deployment d JOIN collection c ON c.collection_id = d.collection_id
             LEFT JOIN updates u ON u.update_no = d.update_no
             LEFT JOIN revision r ON r.revision_id = u.newest_revision_id
             LEFT JOIN update_group g ON g.group_id = d.group_id
         WHERE d.enabled = 1 AND d.expanded_from IS NULL AND d.deadline_at IS NOT NULL AND d.deadline_at <= ?1
             AND d.settings LIKE '%below_percent%'
         ORDER BY d.deployment_id";
    SILENT: "counting computers that stopped reporting" =
        "SELECT count(*) FROM computer WHERE last_contact_at < ?1 AND coalesce(last_report_at, last_contact_at) < ?1";
    SILENT_NAMES: "naming computers that stopped reporting" =
        "SELECT CASE dns_name WHEN '' THEN computer_id ELSE dns_name END FROM computer
         WHERE last_contact_at < ?1 AND coalesce(last_report_at, last_contact_at) < ?1
         ORDER BY last_contact_at, computer_no LIMIT ?2";
}

impl ReadTx<'_> {
    /// Deployments with a deadline before then whose settings mention an alert about compliance; of a group, the one that
    /// people see.
    pub fn deployment_watched(&self, deadline_before: Timestamp) -> Result<Vec<WatchedDeployment>, StoreError> {
        self.all(&WATCHED, args![deadline_before], |row| {
            Ok(WatchedDeployment {
                id: DeploymentId(row.int(0)?),
                title: row.str(1)?.trim().to_owned(),
                collection: row.collection_id(2)?,
                collection_name: row.text(3)?,
                deadline_at: row.time(4)?,
                local_time: row.bool(5)?,
                settings: row.json(6)?,
            })
        })
    }

    /// How many computers were last heard of before a time, and the names of some that were so for the longest.
    pub fn computer_silent(&self, before: Timestamp, names: u32) -> Result<(u64, Vec<String>), StoreError> {
        let count = self.one(&SILENT, args![before], |row| row.int(0))?;
        let some =
            if count == 0 { Vec::new() } else { self.all(&SILENT_NAMES, args![before, names], |row| row.text(0))? };
        Ok((count, some))
    }
}
