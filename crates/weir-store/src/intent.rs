//! Decisions as objects that travel: which changed when. The table is kept by triggers (V6), so that whoever writes a
//! setting, a collection or a deployment need not think of it.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    deployment::Terms,
    ids::{ChangeNumber, CollectionId, DeploymentId, RevisionNumber, UpdateId},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    deployment::{Deployed, NewDeployment},
    sql::statements,
};

/// Kinds of objects, as they are numbered in the table.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IntentKind {
    /// A site setting.
    Setting,
    /// A list of what to synchronize.
    Selection,
    /// A rule of what to skip or to decline.
    Criterion,
    /// An update group with its members.
    UpdateGroup,
    /// A collection.
    Collection,
    /// A declined update.
    Decline,
    /// An accepted licence.
    EulaAcceptance,
    /// A deployment.
    Deployment,
    /// A maintenance window.
    MaintenanceWindow,
    /// An automatic deployment rule.
    Rule,
    /// A phased deployment.
    Phased,
    /// A template of deployments.
    DeploymentTemplate,
    /// A stopped update.
    UpdateStop,
    /// What is set of an update.
    UpdateSetting,
    /// A set of client settings.
    ClientSettings,
    /// A saved search.
    SavedSearch,
}

/// The kind with the highest number. A later version may have left objects of further kinds in the table: they are skipped.
const NEWEST_KIND: IntentKind = IntentKind::UpdateStop;

/// Who wrote an object last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IntentOrigin {
    /// This site.
    #[default]
    Local,
    /// The parent.
    Parent,
    /// A bundle.
    Bundle,
}

/// That an object changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IntentRow {
    /// Its kind.
    pub kind: IntentKind,
    /// Its key as the table has it: GUIDs as 32 lower-case digits.
    pub id: String,
    /// Its last change.
    pub change: ChangeNumber,
    /// It is gone.
    pub deleted: bool,
    /// Who wrote it last.
    pub origin: IntentOrigin,
}

/// What a collection is, as far as it travels.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CollectionIntent {
    /// Its id.
    pub id: CollectionId,
    /// Its name.
    pub name: String,
    /// What it is nested in.
    pub parent: Option<CollectionId>,
    /// How it gets members.
    pub kind: CollectionKind,
    /// Its computers are sent deployed updates only.
    pub approved_only: bool,
    /// IANA zone.
    pub time_zone: Option<String>,
}

/// What a deployment is, as far as it travels.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeploymentIntent {
    /// What.
    pub deployed: Deployed,
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// From when.
    pub available_at: Timestamp,
    /// Until when.
    pub deadline_at: Option<Timestamp>,
    /// Switched on.
    pub enabled: bool,
    /// By which every server knows it.
    pub guid: Uuid,
    /// Its name, its settings. None leaves them as they are: the sender does not know them.
    pub terms: Option<Terms>,
}

statements! {
    INTENT_SINCE: "listing changed decisions" =
        "SELECT kind, id, change, deleted, origin FROM intent_object WHERE change > ?1 AND kind <= ?3
         ORDER BY change, kind, id LIMIT ?2";
    INTENT_AT: "listing decisions of one change" =
        "SELECT kind, id, change, deleted, origin FROM intent_object WHERE change = ?1 AND kind <= ?2
         ORDER BY kind, id";
    INTENT_OF_KIND: "listing decisions of a kind" =
        "SELECT kind, id, change, deleted, origin FROM intent_object WHERE kind = ?1 ORDER BY id";
    INTENT_SHOW: "reading a decision" =
        "SELECT kind, id, change, deleted, origin FROM intent_object WHERE kind = ?1 AND id = ?2";
    INTENT_ORIGIN: "noting where a decision came from" =
        "UPDATE intent_object SET origin = ?3 WHERE kind = ?1 AND id = ?2";
    EULA_SHOW: "reading an accepted licence" =
        "SELECT eula_id FROM updates WHERE update_id = ?1 AND eula_accepted_at IS NOT NULL";
    COLLECTION_PUT: "storing a collection as it came" =
        "UPDATE collection SET parent_id = ?2, approved_only = ?3, time_zone = ?4, change = ?5 WHERE collection_id = ?1";
    DEPLOYMENT_OF: "looking for a deployment of an update to a collection" =
        "SELECT d.deployment_id FROM updates u JOIN deployment d ON d.update_no = u.update_no
         WHERE u.update_id = ?1 AND d.collection_id = ?2 AND d.expanded_from IS NULL ORDER BY d.deployment_id LIMIT 1";
    DEPLOYMENT_OF_GROUP: "looking for a deployment of a group to a collection" =
        "SELECT d.deployment_id FROM deployment d WHERE d.group_id = ?1 AND d.collection_id = ?2";
    DEPLOYMENT_REVISION: "pinning a deployment" =
        "UPDATE deployment SET revision = ?2, origin = ?3, guid = ?4, change = ?5, changed_at = ?6, changed_by = ?7
         WHERE deployment_id = ?1";
}

fn intent(row: &Row<'_>) -> Result<IntentRow, StoreError> {
    Ok(IntentRow {
        kind: row.coded(0)?,
        id: row.text(1)?,
        change: row.change(2)?,
        deleted: row.bool(3)?,
        origin: row.coded(4)?,
    })
}

impl ReadTx<'_> {
    /// Objects of any kind known here that changed after a number, by change; about `limit` of them: the last change number
    /// is given out whole. True if there may be more.
    pub fn intent_since(&self, since: ChangeNumber, limit: u32) -> Result<(Vec<IntentRow>, bool), StoreError> {
        let mut rows = self.all(&INTENT_SINCE, args![since, limit.max(1), NEWEST_KIND], intent)?;
        let more = rows.len() >= limit.max(1) as usize;
        if let Some(last) = rows.last().filter(|_| more).map(|row| row.change) {
            rows.retain(|row| row.change != last);
            rows.extend(self.all(&INTENT_AT, args![last, NEWEST_KIND], intent)?);
        }
        Ok((rows, more))
    }

    /// All objects of a kind, those that are gone included, by key.
    pub fn intent_of_kind(&self, kind: IntentKind) -> Result<Vec<IntentRow>, StoreError> {
        self.all(&INTENT_OF_KIND, args![kind], intent)
    }

    /// What is known of one object.
    pub fn intent_show(&self, kind: IntentKind, id: &str) -> Result<Option<IntentRow>, StoreError> {
        self.first(&INTENT_SHOW, args![kind, id], intent)
    }

    /// The licence of an update that was accepted.
    pub fn eula_accepted(&self, update: UpdateId) -> Result<Option<String>, StoreError> {
        Ok(self.first(&EULA_SHOW, args![update], |row| row.opt_text(0))?.flatten())
    }

    /// The deployment of that update or group to that collection.
    pub fn deployment_of(&self, deployed: Deployed, to: CollectionId) -> Result<Option<DeploymentId>, StoreError> {
        let number = |row: &Row<'_>| row.int(0).map(DeploymentId);
        match deployed {
            Deployed::Update { id, .. } => self.first(&DEPLOYMENT_OF, args![id, to], number),
            Deployed::Group(group) => self.first(&DEPLOYMENT_OF_GROUP, args![group, to], number),
        }
    }
}

impl WriteTx<'_> {
    /// Notes who wrote an object.
    pub fn intent_set_origin(&self, kind: IntentKind, id: &str, origin: IntentOrigin) -> Result<(), StoreError> {
        self.run(&INTENT_ORIGIN, args![kind, id, origin])?;
        Ok(())
    }

    /// Changes what of a collection [`WriteTx::collection_create`] and [`WriteTx::collection_rename`] do not say. The
    /// caller has checked that this makes no ring.
    pub fn collection_put(&self, wanted: &CollectionIntent) -> Result<bool, StoreError> {
        let row = self.collection_show(wanted.id)?.ok_or(StoreError::UnknownCollection(wanted.id))?;
        let parent = if row.built_in { row.parent } else { wanted.parent.or(Some(CollectionId::ALL_COMPUTERS)) };
        let same = (row.parent, row.approved_only, &row.time_zone) == (parent, wanted.approved_only, &wanted.time_zone);
        if !same {
            let values =
                args![wanted.id, parent, wanted.approved_only, wanted.time_zone.as_deref(), self.change_next()?];
            self.run(&COLLECTION_PUT, values)?;
        }
        Ok(!same)
    }

    /// Makes or changes a deployment so that it is exactly this, with this origin. True if that changed something. A new one
    /// is not active: that is for the next publish to say.
    pub fn deployment_put(&self, wanted: &DeploymentIntent, origin: DeploymentOrigin) -> Result<bool, StoreError> {
        let Some(id) = self.deployment_of(wanted.deployed, wanted.collection)? else {
            let id = self.deployment_create(&NewDeployment {
                deployed: wanted.deployed,
                collection: wanted.collection,
                action: wanted.action,
                available_at: wanted.available_at,
                deadline_at: wanted.deadline_at,
                origin,
                active: false,
                guid: wanted.guid,
                terms: wanted.terms.clone().unwrap_or_default(),
            })?;
            self.deployment_set_enabled(id, wanted.enabled)?;
            return Ok(true);
        };
        let row =
            self.deployment_show(id)?.ok_or_else(|| StoreError::Missing { kind: "deployment", id: id.to_string() })?;
        let mut changed = self.deployment_change(id, wanted.action, wanted.available_at, wanted.deadline_at)?;
        if (row.deployed, row.origin, row.guid) != (wanted.deployed, origin, wanted.guid) {
            let revision: Option<RevisionNumber> = match wanted.deployed {
                Deployed::Update { revision, .. } => revision,
                Deployed::Group(_) => None,
            };
            let (actor, change) = (self.actor(), self.change_next()?);
            self.run(&DEPLOYMENT_REVISION, args![id, revision, origin, wanted.guid, change, actor.at, &actor.name])?;
            changed = true;
            // what follows from it has guids that follow from its own
            self.deployment_expand(id)?;
        }
        if let Some(terms) = &wanted.terms {
            changed |= self.deployment_terms_put(id, terms)?;
        }
        Ok(self.deployment_set_enabled(id, wanted.enabled)? || changed)
    }
}
