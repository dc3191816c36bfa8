//! The numbers that move when something changes, for those who follow what changes.
//!
//! All of it together is a handful of look-ups by key, cheap enough for once a second.

use std::collections::BTreeSet;

use weir_model::topic::{OpenJob, Pulse};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    sql::statements,
};

statements! {
    PULSE_AUDIT: "looking for the last act" = "SELECT coalesce(max(audit_no), 0) FROM audit";
    PULSE_ACTIONS: "looking for acts since" =
        "SELECT DISTINCT action FROM audit WHERE audit_no > ?1 AND audit_no <= ?2 ORDER BY action";
    PULSE_ALERT: "looking for the last event of an alert" = "SELECT coalesce(max(event_no), 0) FROM alert_event";
    PULSE_PHASED: "looking for the last event of a phased deployment" =
        "SELECT coalesce(max(event_no), 0) FROM phased_event";
    PULSE_RULE_RUN: "looking for the last run of a rule" = "SELECT coalesce(max(run_no), 0) FROM rule_run";
    PULSE_SITE: "looking when sites reported last" = "SELECT coalesce(max(received_at), 0) FROM site_status";
    PULSE_JOB: "looking for the last job" = "SELECT coalesce(max(job_no), 0) FROM job";
    // the lease is renewed now and then, also where nothing was done meanwhile
    PULSE_OPEN: "looking for jobs that wait or run" =
        "SELECT job_no, kind, CAST(state AS TEXT) || coalesce(progress, '') FROM job WHERE state < 2 AND job_no > 0
         ORDER BY job_no LIMIT 100";
}

impl ReadTx<'_> {
    /// What the database tells of changes; the rest is left at its default.
    pub fn pulse(&self) -> Result<Pulse, StoreError> {
        let number = |row: &Row<'_>| row.int(0);
        let open = self.all(&PULSE_OPEN, args![], |row| {
            Ok(OpenJob { no: row.int(0)?, kind: row.text(1)?, progress: row.text(2)? })
        })?;
        Ok(Pulse {
            change: self.catalogue_version()?.0,
            directory: self.computer_directory_version()?,
            feed: self.feed_version()?,
            membership: self.membership_version()?,
            exposure: self.exposure_version()?,
            audit: self.one(&PULSE_AUDIT, args![], number)?,
            alert: self.one(&PULSE_ALERT, args![], number)?,
            phased: self.one(&PULSE_PHASED, args![], number)?,
            rule_run: self.one(&PULSE_RULE_RUN, args![], number)?,
            site: self.one(&PULSE_SITE, args![], number)?,
            job: self.one(&PULSE_JOB, args![], number)?,
            open: open.into_iter().collect::<BTreeSet<_>>(),
            ..Pulse::default()
        })
    }

    /// The kinds of acts after one place of the audit log up to another.
    pub fn pulse_actions(&self, after: i64, up_to: i64) -> Result<Vec<String>, StoreError> {
        self.all(&PULSE_ACTIONS, args![after, up_to], |row| row.text(0))
    }
}
