//! Criteria: rules by which a synchronization skips or declines updates, and what they look at.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
};

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    criteria::{Architecture, Rule, Superseder, architectures_in_title},
    ids::{ChangeNumber, RevisionId, UpdateId},
    targeting::DeploymentOrigin,
    update::UpdateType,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    cleanup::CLEANUP,
    codec::{Row, args},
    sql::statements,
};

/// A stored rule.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionRow {
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
}

/// What rules look at in a stored update that can be deployed: its newest revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CriterionFacts {
    /// Number of the newest revision.
    pub revision_id: RevisionId,
    /// Which update.
    pub update: UpdateId,
    /// Its title in its own default language.
    pub title: String,
    /// Knowledge base articles, digits only.
    pub kb_articles: Vec<String>,
    /// When its publisher made it.
    pub created_at: Option<Timestamp>,
    /// What it is made for: what its title says, else what its rules ask for.
    pub architectures: BTreeSet<Architecture>,
    /// Its products and its classification.
    pub categories: Vec<UpdateId>,
    /// Languages that its files are made for; none if they are neutral.
    pub languages: Vec<String>,
    /// What supersedes it.
    pub superseded_by: Vec<Superseder>,
    /// By whom it is declined.
    pub declined_by: Option<String>,
    /// It was declined and that was taken back.
    pub undeclined: bool,
}

statements! {
    CRITERION_LIST: "listing criteria" =
        "SELECT criterion_id, rule, origin, change, changed_at, changed_by FROM criterion ORDER BY name_key";
    CRITERION_FIND: "looking for a criterion" =
        "SELECT criterion_id, rule, origin, change, changed_at, changed_by FROM criterion WHERE name_key = ?1";
    CRITERION_SHOW: "reading a criterion" =
        "SELECT criterion_id, rule, origin, change, changed_at, changed_by FROM criterion WHERE criterion_id = ?1";
    CRITERION_PUT: "storing a criterion" =
        "INSERT INTO criterion (criterion_id, name, name_key, rule, origin, change, changed_at, changed_by, created_at,
             created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8)
         ON CONFLICT (criterion_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
             rule = excluded.rule, origin = excluded.origin, change = excluded.change,
             changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    CRITERION_DELETE: "deleting a criterion" = "DELETE FROM criterion WHERE criterion_id = ?1";
    FACTS: "loading what criteria look at" =
        "SELECT r.revision_id, u.update_id, r.title, r.kb_articles, r.created_at, r.architectures, u.declined_by,
             CASE WHEN u.declined_at IS NULL AND u.declined_change > 0 THEN 1 ELSE 0 END
         FROM revision r JOIN updates u ON u.newest_revision_id = r.revision_id AND u.update_no = r.update_no
         WHERE r.update_type = ?1 AND r.explicitly_deployable = 1 AND r.expired = 0 ORDER BY r.revision_id";
    FACTS_CATEGORIES: "loading categories for criteria" =
        "SELECT c.revision_id, u.update_id FROM revision r JOIN revision_category c ON c.revision_id = r.revision_id
             JOIN updates u ON u.update_no = c.update_no
         WHERE r.update_type = ?1 ORDER BY r.revision_id, c.update_no";
    FACTS_LANGUAGES: "loading languages for criteria" =
        "SELECT l.revision_id, l.language FROM revision r JOIN revision_language l ON l.revision_id = r.revision_id
         WHERE r.update_type = ?1 ORDER BY r.revision_id, l.language";
    FACTS_SUPERSEDED: "loading supersedence for criteria" =
        "SELECT t.update_id, u.update_id, r.created_at, r.expired, u.declined_by
         FROM revision r JOIN updates u ON u.newest_revision_id = r.revision_id AND u.update_no = r.update_no
             JOIN superseded s ON s.revision_id = r.revision_id JOIN updates t ON t.update_no = s.update_no
         WHERE r.update_type = ?1 ORDER BY r.revision_id, s.position";
    SUPERSEDERS_OF: "reading what supersedes an update" =
        "SELECT u.update_id, u.update_id, r.created_at, r.expired, u.declined_by
         FROM updates t JOIN superseded s ON s.update_no = t.update_no JOIN revision r ON r.revision_id = s.revision_id
             JOIN updates u ON u.newest_revision_id = r.revision_id AND u.update_no = r.update_no
         WHERE t.update_id = ?1";
    STATE_OF: "reading whether an update is here and was undeclined" =
        "SELECT newest_revision_id, CASE WHEN declined_at IS NULL AND declined_change > 0 THEN 1 ELSE 0 END
         FROM updates WHERE update_id = ?1";
    FILES_OF: "reading the files of an update with its members" =
        "WITH RECURSIVE n (revision_id) AS (
             SELECT newest_revision_id FROM updates WHERE update_id = ?1 AND newest_revision_id IS NOT NULL
             UNION
             SELECT m.revision_id FROM n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT DISTINCT f.digest, f.size, c.state FROM n CROSS JOIN revision_file f
             LEFT JOIN content_file c ON c.digest = f.digest
         WHERE f.revision_id = n.revision_id AND f.eula_language IS NULL";
}

/// Who declines for a rule: `rule: NAME`.
pub const RULE: &str = "rule: ";

fn criterion(row: &Row<'_>) -> Result<CriterionRow, StoreError> {
    let rule = serde_json::from_value(row.json(1)?);
    Ok(CriterionRow {
        id: row.uuid(0)?,
        rule: rule.map_err(|error| StoreError::Corrupt { what: format!("a criterion: {error}") })?,
        origin: row.coded(2)?,
        change: row.change(3)?,
        changed_at: row.time(4)?,
        changed_by: row.text(5)?,
    })
}

/// A superseder; the first column is read by the caller.
fn superseder(row: &Row<'_>) -> Result<Superseder, StoreError> {
    let declined_by = row.opt_text(4)?;
    Ok(Superseder {
        update: row.update_id(1)?,
        created_at: row.opt_time(2)?,
        // what a rule declines is judged anew by the rules
        withdrawn: row.bool(3)? || declined_by.is_some_and(|by| !by.starts_with(RULE) && by != CLEANUP),
    })
}

const ARCHITECTURES: [(Architecture, i64); 5] = [
    (Architecture::X86, 1),
    (Architecture::X64, 2),
    (Architecture::Arm, 4),
    (Architecture::Arm64, 8),
    (Architecture::Ia64, 16),
];

/// Architectures as the column of revisions keeps them.
pub(crate) fn architectures_code(architectures: &BTreeSet<Architecture>) -> i64 {
    ARCHITECTURES.iter().filter(|(known, _)| architectures.contains(known)).map(|(_, code)| code).sum()
}

/// And back.
pub(crate) fn architectures(code: i64) -> BTreeSet<Architecture> {
    ARCHITECTURES.iter().filter(|(_, bit)| code & bit != 0).map(|(known, _)| *known).collect()
}

impl ReadTx<'_> {
    /// All rules, by name.
    pub fn criterion_list(&self) -> Result<Vec<CriterionRow>, StoreError> {
        self.all(&CRITERION_LIST, args![], criterion)
    }

    /// The rule of that id.
    pub fn criterion_show(&self, id: Uuid) -> Result<Option<CriterionRow>, StoreError> {
        self.first(&CRITERION_SHOW, args![id], criterion)
    }

    /// The rule of that name, without regard to case.
    pub fn criterion_find(&self, name: &str) -> Result<Option<CriterionRow>, StoreError> {
        self.first(&CRITERION_FIND, args![&weir_model::name::key(name)], criterion)
    }

    /// What rules look at, of every stored update of a type that can be deployed and is not expired.
    pub fn criterion_facts(&self, of: UpdateType) -> Result<Vec<CriterionFacts>, StoreError> {
        let mut facts = self.all(&FACTS, args![of], |row| {
            let title = row.text(2)?;
            let named = architectures_in_title(&title);
            Ok(CriterionFacts {
                revision_id: row.revision_id(0)?,
                update: row.update_id(1)?,
                architectures: if named.is_empty() { architectures(row.int(5)?) } else { named },
                title,
                kb_articles: row.lines(3)?,
                created_at: row.opt_time(4)?,
                categories: Vec::new(),
                languages: Vec::new(),
                superseded_by: Vec::new(),
                declined_by: row.opt_text(6)?,
                undeclined: row.bool(7)?,
            })
        })?;
        let by_revision: HashMap<RevisionId, usize> =
            facts.iter().enumerate().map(|(at, row)| (row.revision_id, at)).collect();
        let by_update: HashMap<UpdateId, usize> = facts.iter().enumerate().map(|(at, row)| (row.update, at)).collect();
        self.each(&FACTS_CATEGORIES, args![of], |row| {
            if let Some(found) = by_revision.get(&row.revision_id(0)?).and_then(|at| facts.get_mut(*at)) {
                found.categories.push(row.update_id(1)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.each(&FACTS_LANGUAGES, args![of], |row| {
            if let Some(found) = by_revision.get(&row.revision_id(0)?).and_then(|at| facts.get_mut(*at)) {
                found.languages.push(row.text(1)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.each(&FACTS_SUPERSEDED, args![of], |row| {
            if let Some(found) = by_update.get(&row.update_id(0)?).and_then(|at| facts.get_mut(*at)) {
                found.superseded_by.push(superseder(row)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(facts)
    }

    /// What supersedes an update, among the newest revisions stored.
    pub fn criterion_superseders(&self, update: UpdateId) -> Result<Vec<Superseder>, StoreError> {
        self.all(&SUPERSEDERS_OF, args![update], superseder)
    }

    /// Whether an update is in the catalogue, and whether a decline of it was taken back.
    pub fn criterion_state(&self, update: UpdateId) -> Result<(bool, bool), StoreError> {
        let found = self.first(&STATE_OF, args![update], |row| Ok((!row.is_null(0)?, row.bool(1)?)))?;
        Ok(found.unwrap_or_default())
    }

    /// The files of an update and of the members of its bundles: digest, bytes, and whether content is here for it.
    pub fn criterion_files(
        &self,
        update: UpdateId,
    ) -> Result<Vec<(weir_model::ids::ContentDigest, u64, bool)>, StoreError> {
        self.all(&FILES_OF, args![update], |row| Ok((row.digest(0)?, row.int(1)?, row.opt_int::<i64>(2)? == Some(0))))
    }
}

impl WriteTx<'_> {
    /// Stores a rule under its id, in place of the one that had it. What rules left out is fetched again by the next
    /// synchronization, which decides anew.
    pub fn criterion_put(&self, id: Uuid, rule: &Rule, origin: DeploymentOrigin) -> Result<(), StoreError> {
        let text = serde_json::to_string(rule);
        let text = text.map_err(|error| StoreError::Corrupt { what: format!("a criterion: {error}") })?;
        let actor = self.actor();
        let key = weir_model::name::key(&rule.name);
        let values = args![id, &rule.name, &key, &text, origin, self.change_next()?, actor.at, &actor.name];
        self.run(&CRITERION_PUT, values)?;
        self.skipped_restore()?;
        Ok(())
    }

    /// Deletes a rule. True if it was there. What it declined stays declined; what it left out is fetched again.
    pub fn criterion_delete(&self, id: Uuid) -> Result<bool, StoreError> {
        let deleted = self.run(&CRITERION_DELETE, args![id])? > 0;
        if deleted {
            self.change_next()?;
            self.skipped_restore()?;
        }
        Ok(deleted)
    }
}
