//! Phased deployments: as administrators wrote them, how far they are, and what happened.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, DeploymentId},
    phase::{Observation, Plan, State},
    targeting::DeploymentOrigin,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, pack, unpack_into},
    page::{Page, cursor_number, page_rows},
    rule::{decode_numbers, encode_numbers},
    sql::statements,
};

/// A stored phased deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct PhasedRow {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// What was written.
    pub plan: Plan,
    /// The update group that is deployed.
    pub group: Uuid,
    /// Who made it: an administrator here, or the parent.
    pub origin: DeploymentOrigin,
    /// Change number.
    pub change: ChangeNumber,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// How far it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PhasedStateRow {
    /// How far each phase is.
    pub state: State,
    /// What computers of each phase reported when they were looked at last.
    pub observed: Vec<Observation>,
    /// When that was.
    pub observed_at: Option<Timestamp>,
}

/// A phase that started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PhasedStart {
    /// Which phase, from 0.
    pub phase: u32,
    /// Its deployment.
    pub deployment: DeploymentId,
    /// Numbers of the computers that were in its collection then, ascending.
    pub founders: Vec<u32>,
}

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PhasedEventRow {
    /// Its number.
    pub no: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it; `system: ...` by itself.
    pub actor: String,
    /// What: `start`, `reached`, ...
    pub step: String,
    /// Of which phase, from 0.
    pub phase: Option<u32>,
    /// Why.
    pub reason: String,
}

statements! {
    PHASED_LIST: "listing phased deployments" =
        "SELECT phased_id, plan, group_id, origin, change, changed_at, changed_by, created_at, created_by FROM phased
         ORDER BY name_key";
    PHASED_SHOW: "reading a phased deployment" =
        "SELECT phased_id, plan, group_id, origin, change, changed_at, changed_by, created_at, created_by FROM phased
         WHERE phased_id = ?1";
    PHASED_FIND: "looking for a phased deployment" =
        "SELECT phased_id, plan, group_id, origin, change, changed_at, changed_by, created_at, created_by FROM phased
         WHERE name_key = ?1";
    PHASED_PUT: "storing a phased deployment" =
        "INSERT INTO phased (phased_id, name, name_key, plan, group_id, origin, change, changed_at, changed_by, created_at,
             created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?9)
         ON CONFLICT (phased_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, plan = excluded.plan,
             group_id = excluded.group_id, origin = excluded.origin, change = excluded.change,
             changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    PHASED_DELETE: "deleting a phased deployment" = "DELETE FROM phased WHERE phased_id = ?1";
    STATE_SHOW: "reading how far a phased deployment is" =
        "SELECT state, observed, observed_at FROM phased_state WHERE phased_id = ?1";
    STATE_PUT: "storing how far a phased deployment is" =
        "INSERT INTO phased_state (phased_id, state, observed, observed_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (phased_id) DO UPDATE SET state = excluded.state, observed = excluded.observed,
             observed_at = excluded.observed_at";
    START_LIST: "listing phases that started" =
        "SELECT phase, deployment_id, founders, founders_len FROM phased_start WHERE phased_id = ?1 ORDER BY phase";
    START_PUT: "noting that a phase started" =
        "INSERT INTO phased_start (phased_id, phase, deployment_id, founders, founders_len) VALUES (?1, ?2, ?3, ?4, ?5)";
    EVENT_PUT: "noting what happened to a phased deployment" =
        "INSERT INTO phased_event (phased_id, at, actor, step, phase, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    EVENT_LIST: "listing what happened to a phased deployment" =
        "SELECT event_no, at, actor, step, phase, reason FROM phased_event WHERE phased_id = ?1 AND event_no < ?2
         ORDER BY event_no DESC LIMIT ?3";
    EVENT_PRUNE: "forgetting what happened long ago to a phased deployment" =
        "DELETE FROM phased_event WHERE phased_id = ?1 AND event_no <=
             (SELECT event_no FROM phased_event WHERE phased_id = ?1 ORDER BY event_no DESC LIMIT 1 OFFSET ?2)";
}

/// Events of one phased deployment that are kept.
const KEPT: u32 = 1_000;

fn corrupt(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt { what: format!("a phased deployment: {error}") }
}

fn phased(row: &Row<'_>) -> Result<PhasedRow, StoreError> {
    Ok(PhasedRow {
        id: row.uuid(0)?,
        plan: serde_json::from_str(row.str(1)?).map_err(|error| corrupt(&error))?,
        group: row.uuid(2)?,
        origin: row.coded(3)?,
        change: row.change(4)?,
        changed_at: row.time(5)?,
        changed_by: row.text(6)?,
        created_at: row.time(7)?,
        created_by: row.text(8)?,
    })
}

impl ReadTx<'_> {
    /// All phased deployments, by name.
    pub fn phased_list(&self) -> Result<Vec<PhasedRow>, StoreError> {
        self.all(&PHASED_LIST, args![], phased)
    }

    /// The one of that id.
    pub fn phased_show(&self, id: Uuid) -> Result<Option<PhasedRow>, StoreError> {
        self.first(&PHASED_SHOW, args![id], phased)
    }

    /// The one of that name, without regard to case.
    pub fn phased_find(&self, name: &str) -> Result<Option<PhasedRow>, StoreError> {
        self.first(&PHASED_FIND, args![&weir_model::name::key(name)], phased)
    }

    /// How far it is; none of one that this site does not run.
    pub fn phased_state(&self, id: Uuid) -> Result<Option<PhasedStateRow>, StoreError> {
        self.first(&STATE_SHOW, args![id], |row| {
            Ok(PhasedStateRow {
                state: serde_json::from_str(row.str(0)?).map_err(|error| corrupt(&error))?,
                observed: serde_json::from_str(row.str(1)?).map_err(|error| corrupt(&error))?,
                observed_at: row.opt_time(2)?,
            })
        })
    }

    /// Phases that started, in their order.
    pub fn phased_starts(&self, id: Uuid) -> Result<Vec<PhasedStart>, StoreError> {
        self.all(&START_LIST, args![id], |row| {
            let mut plain = Vec::new();
            unpack_into(&mut plain, row.bytes(2)?, row.int(3)?)?;
            Ok(PhasedStart {
                phase: row.int(0)?,
                deployment: DeploymentId(row.int(1)?),
                founders: decode_numbers(&plain)?,
            })
        })
    }

    /// What happened, newest first.
    pub fn phased_events(
        &self,
        id: Uuid,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<PhasedEventRow>, StoreError> {
        let before: i64 = cursor_number(cursor, i64::MAX)?;
        let rows = self.all(&EVENT_LIST, args![id, before, page_rows(limit)], |row| {
            Ok(PhasedEventRow {
                no: row.int(0)?,
                at: row.time(1)?,
                actor: row.text(2)?,
                step: row.text(3)?,
                phase: row.opt_int(4)?,
                reason: row.text(5)?,
            })
        })?;
        Ok(Page::cut(rows, limit, |row| row.no.to_string()))
    }
}

impl WriteTx<'_> {
    /// Stores a phased deployment under its id. The caller has checked that no other has the name.
    pub fn phased_put(&self, id: Uuid, plan: &Plan, group: Uuid, origin: DeploymentOrigin) -> Result<(), StoreError> {
        let (actor, key) = (self.actor(), weir_model::name::key(&plan.name));
        let text = serde_json::to_string(plan).map_err(|error| corrupt(&error))?;
        let values = args![id, &plan.name, &key, &text, group, origin, self.change_next()?, actor.at, &actor.name];
        self.run(&PHASED_PUT, values)?;
        Ok(())
    }

    /// Deletes a phased deployment with its history. True if it was there. Its group and deployments stay.
    pub fn phased_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&PHASED_DELETE, args![id])? > 0)
    }

    /// Stores how far it is; it is run here from now on.
    pub fn phased_state_put(&self, id: Uuid, row: &PhasedStateRow) -> Result<(), StoreError> {
        let state = serde_json::to_string(&row.state).map_err(|error| corrupt(&error))?;
        let observed = serde_json::to_string(&row.observed).map_err(|error| corrupt(&error))?;
        self.run(&STATE_PUT, args![id, &state, &observed, row.observed_at])?;
        Ok(())
    }

    /// Notes that a phase started.
    pub fn phased_start_put(&self, id: Uuid, start: &PhasedStart) -> Result<(), StoreError> {
        let plain = encode_numbers(&start.founders);
        self.run(&START_PUT, args![id, start.phase, start.deployment, &pack(&plain)?, plain.len()])?;
        Ok(())
    }

    /// Notes what happened, in the name of the actor.
    pub fn phased_event_put(&self, id: Uuid, step: &str, phase: Option<u32>, reason: &str) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&EVENT_PUT, args![id, actor.at, &actor.name, step, phase, reason])?;
        self.run(&EVENT_PRUNE, args![id, KEPT])?;
        Ok(())
    }
}
