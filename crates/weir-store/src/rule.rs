//! Automatic deployment rules: as administrators wrote them, and what each site knows of its runs.

mod detail;
mod run;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, UpdateId},
    rule::Rule,
    targeting::DeploymentOrigin,
};

pub(crate) use detail::{decode_numbers, encode_numbers};
#[cfg(test)]
pub(crate) use run::STATEMENTS as RUN_STATEMENTS;
pub use run::{NewRuleRun, RuleRunResult, RuleRunRow, RuleRunUpdate};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// A stored rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleRow {
    /// Its id, the same on every server.
    pub id: Uuid,
    /// The rule.
    pub rule: Rule,
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

/// What this site knows of the runs of a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleStateRow {
    /// Scheduled starts up to here are done with.
    pub since: Timestamp,
    /// The group that it keeps, if it made or found one.
    pub group: Option<Uuid>,
}

/// A rule that somebody saved to begin with.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTemplateRow {
    /// Its name.
    pub name: String,
    /// What it fills in; its name and deployments do not matter.
    pub rule: Rule,
    /// When it was saved.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

statements! {
    RULE_LIST: "listing rules" =
        "SELECT rule_id, rule, origin, change, changed_at, changed_by, created_at, created_by FROM rule ORDER BY name_key";
    RULE_SHOW: "reading a rule" =
        "SELECT rule_id, rule, origin, change, changed_at, changed_by, created_at, created_by FROM rule
         WHERE rule_id = ?1";
    RULE_FIND: "looking for a rule" =
        "SELECT rule_id, rule, origin, change, changed_at, changed_by, created_at, created_by FROM rule
         WHERE name_key = ?1";
    RULE_PUT: "storing a rule" =
        "INSERT INTO rule (rule_id, name, name_key, rule, origin, change, changed_at, changed_by, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8)
         ON CONFLICT (rule_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, rule = excluded.rule,
             origin = excluded.origin, change = excluded.change, changed_at = excluded.changed_at,
             changed_by = excluded.changed_by";
    RULE_DELETE: "deleting a rule" = "DELETE FROM rule WHERE rule_id = ?1";
    STATE_SHOW: "reading what is known of the runs of a rule" =
        "SELECT since, group_id FROM rule_state WHERE rule_id = ?1";
    STATE_SINCE: "noting up to when a rule is done" =
        "INSERT INTO rule_state (rule_id, since) VALUES (?1, ?2)
         ON CONFLICT (rule_id) DO UPDATE SET since = excluded.since";
    TERMS_OF: "reading the licence terms of an update with its members" =
        "WITH RECURSIVE n (revision_id) AS (
             SELECT newest_revision_id FROM updates WHERE update_id = ?1 AND newest_revision_id IS NOT NULL
             UNION
             SELECT m.revision_id FROM n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT DISTINCT u.update_id, r.eula_id FROM n CROSS JOIN revision r JOIN updates u ON u.update_no = r.update_no
         WHERE r.revision_id = n.revision_id AND r.eula_id IS NOT NULL ORDER BY u.update_id, r.eula_id";
    STATE_GROUP: "noting the group that a rule keeps" = "UPDATE rule_state SET group_id = ?2 WHERE rule_id = ?1";
    TEMPLATE_LIST: "listing templates of rules" =
        "SELECT name, body, created_at, created_by FROM rule_template ORDER BY name_key";
    TEMPLATE_FIND: "looking for a template of rules" =
        "SELECT name, body, created_at, created_by FROM rule_template WHERE name_key = ?1";
    TEMPLATE_PUT: "storing a template of rules" =
        "INSERT INTO rule_template (template_id, name, name_key, body, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    TEMPLATE_DELETE: "deleting a template of rules" = "DELETE FROM rule_template WHERE name_key = ?1";
}

fn parsed(row: &Row<'_>, column: usize) -> Result<Rule, StoreError> {
    serde_json::from_str(row.str(column)?).map_err(|error| StoreError::Corrupt { what: format!("a rule: {error}") })
}

fn text(rule: &Rule) -> Result<String, StoreError> {
    serde_json::to_string(rule).map_err(|error| StoreError::Corrupt { what: format!("a rule: {error}") })
}

fn rule(row: &Row<'_>) -> Result<RuleRow, StoreError> {
    Ok(RuleRow {
        id: row.uuid(0)?,
        rule: parsed(row, 1)?,
        origin: row.coded(2)?,
        change: row.change(3)?,
        changed_at: row.time(4)?,
        changed_by: row.text(5)?,
        created_at: row.time(6)?,
        created_by: row.text(7)?,
    })
}

fn template(row: &Row<'_>) -> Result<RuleTemplateRow, StoreError> {
    Ok(RuleTemplateRow {
        name: row.text(0)?,
        rule: parsed(row, 1)?,
        created_at: row.time(2)?,
        created_by: row.text(3)?,
    })
}

impl ReadTx<'_> {
    /// All rules, by name.
    pub fn rule_list(&self) -> Result<Vec<RuleRow>, StoreError> {
        self.all(&RULE_LIST, args![], rule)
    }

    /// The rule of that id.
    pub fn rule_show(&self, id: Uuid) -> Result<Option<RuleRow>, StoreError> {
        self.first(&RULE_SHOW, args![id], rule)
    }

    /// The rule of that name, without regard to case.
    pub fn rule_find(&self, name: &str) -> Result<Option<RuleRow>, StoreError> {
        self.first(&RULE_FIND, args![&weir_model::name::key(name)], rule)
    }

    /// What is known of the runs of a rule; none of one that this site does not run.
    pub fn rule_state(&self, id: Uuid) -> Result<Option<RuleStateRow>, StoreError> {
        self.first(&STATE_SHOW, args![id], |row| {
            Ok(RuleStateRow { since: row.time(0)?, group: row.opt(1, Row::uuid)? })
        })
    }

    /// Licence terms of an update and of the members of its bundle that nobody accepted: whose, and which.
    pub fn rule_open_terms(&self, update: UpdateId) -> Result<Vec<(UpdateId, String)>, StoreError> {
        let mut open = Vec::new();
        for (of, eula) in self.all(&TERMS_OF, args![update], |row| Ok((row.update_id(0)?, row.text(1)?)))? {
            if !self.eula_is_accepted(&eula)? {
                open.push((of, eula));
            }
        }
        Ok(open)
    }

    /// Saved templates, by name.
    pub fn rule_template_list(&self) -> Result<Vec<RuleTemplateRow>, StoreError> {
        self.all(&TEMPLATE_LIST, args![], template)
    }

    /// The saved template of that name, without regard to case.
    pub fn rule_template_find(&self, name: &str) -> Result<Option<RuleTemplateRow>, StoreError> {
        self.first(&TEMPLATE_FIND, args![&weir_model::name::key(name)], template)
    }
}

impl WriteTx<'_> {
    /// Stores a rule under its id, in place of the one that had it. The caller has checked that no other has the name.
    pub fn rule_put(&self, id: Uuid, rule: &Rule, origin: DeploymentOrigin) -> Result<(), StoreError> {
        let (actor, key, text) = (self.actor(), weir_model::name::key(&rule.name), text(rule)?);
        let values = args![id, &rule.name, &key, &text, origin, self.change_next()?, actor.at, &actor.name];
        self.run(&RULE_PUT, values)?;
        Ok(())
    }

    /// Deletes a rule with its runs. True if it was there. Groups and deployments that it made stay.
    pub fn rule_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&RULE_DELETE, args![id])? > 0)
    }

    /// Notes that scheduled starts up to this one are done with; the rule is run here from now on.
    pub fn rule_done_until(&self, id: Uuid, since: Timestamp) -> Result<(), StoreError> {
        self.run(&STATE_SINCE, args![id, since])?;
        Ok(())
    }

    /// Notes the group that a rule keeps.
    pub fn rule_keep_group(&self, id: Uuid, group: Uuid) -> Result<(), StoreError> {
        self.run(&STATE_GROUP, args![id, group])?;
        Ok(())
    }

    /// Saves a template. The caller has checked that no other has the name.
    pub fn rule_template_put(&self, id: Uuid, name: &str, rule: &Rule) -> Result<(), StoreError> {
        let (actor, key) = (self.actor(), weir_model::name::key(name));
        self.run(&TEMPLATE_PUT, args![id, name, &key, &text(rule)?, actor.at, &actor.name])?;
        Ok(())
    }

    /// Deletes a saved template. True if it was there.
    pub fn rule_template_delete(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.run(&TEMPLATE_DELETE, args![&weir_model::name::key(name)])? > 0)
    }
}
