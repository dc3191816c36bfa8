//! What downstream servers are told of: revisions, and for replicas deployments.

use std::{collections::BTreeSet, ops::ControlFlow};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, CollectionId, ContentDigest, RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    listing::{Languages, ListedRevision, Listing, Protocol, Since},
    targeting::DeploymentAction,
    update::CategoryKind,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    selection::SelectionKind,
    sql::statements,
};

/// A deployment as another server is told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SharedDeployment {
    /// By which every server knows it.
    pub guid: Uuid,
    /// What, in the revision that holds now.
    pub identity: UpdateIdentity,
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// Offered from then on. Of a deployment in local time: when that has come everywhere, as with the deadline.
    pub available_at: Timestamp,
    /// Not later than this.
    pub deadline_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
}

/// What became of deployments between two points.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeploymentDelta {
    /// Made or changed, or following a revision that is new.
    pub deployments: Vec<SharedDeployment>,
    /// Deleted or switched off.
    pub dead: Vec<Uuid>,
}

statements! {
    LISTING_REVISIONS: "loading revisions for downstream servers" =
        "SELECT r.revision_id, r.update_no, u.update_id, r.revision, r.update_type, r.category_kind, r.change,
             r.arrived_at, r.compatible_protocol
         FROM revision r JOIN updates u ON u.update_no = r.update_no
         WHERE r.revision_id > ?1 AND NOT EXISTS (SELECT 1 FROM leaving_revision l WHERE l.revision_id = r.revision_id)
         ORDER BY r.revision_id";
    LISTING_CATEGORIES: "loading the categories of revisions" =
        "SELECT revision_id, update_no FROM revision_category WHERE revision_id > ?1 ORDER BY revision_id, update_no";
    LISTING_NAMED: "loading classifications that are only named" =
        "SELECT p.revision_id, p.update_no FROM revision c JOIN prerequisite p ON p.update_no = c.update_no
         WHERE c.update_type = 0 AND c.category_kind = 3 AND p.is_category = 0 AND p.bare = 0";
    LISTING_MEMBERS: "loading members of bundles" =
        "SELECT revision_id, update_no, revision FROM bundle WHERE revision_id > ?1 AND update_no IS NOT NULL
         ORDER BY revision_id, clause, position";
    LISTING_LANGUAGES: "loading the languages of revisions" =
        "SELECT revision_id, language FROM revision_language WHERE revision_id > ?1 ORDER BY revision_id";
    REVISIONS_AFTER: "counting revisions that came after a change" =
        "SELECT count(*) FROM revision WHERE change > ?1";
    SHARED_DEPLOYMENTS: "loading deployments for downstream servers" =
        "SELECT d.guid, u.update_id, r.revision, d.collection_id,
             CASE WHEN EXISTS (SELECT 1 FROM update_stop s WHERE s.update_no = d.update_no) THEN 0 ELSE d.action END,
             d.available_at, d.deadline_at, d.created_by,
             d.change, d.changed_at, r.change, r.arrived_at, d.local_time
         FROM deployment d JOIN updates u ON u.update_no = d.update_no
             JOIN revision r ON r.revision_id = (SELECT x.revision_id FROM revision x WHERE x.update_no = d.update_no
                 AND (d.revision IS NULL OR x.revision = d.revision) AND x.change <= ?1
                 ORDER BY x.revision DESC LIMIT 1)
         WHERE d.deployment_id > 0 AND d.enabled = 1 AND d.change <= ?1 ORDER BY d.deployment_id";
    DEAD_DEPLOYMENTS: "loading ended deployments for downstream servers" =
        "SELECT r.guid, r.change, r.retired_at FROM retired_deployment r
         WHERE r.change > 0 AND r.change <= ?1 AND r.guid IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM deployment d WHERE d.guid = r.guid AND d.enabled = 1 AND d.change <= ?1)
         ORDER BY r.change";
    HIDDEN_UPDATES: "listing declined updates" =
        "SELECT update_id FROM updates WHERE declined_change > 0 AND declined_at IS NOT NULL
         ORDER BY declined_change, update_no";
    ACCEPTED_EULAS: "listing accepted licences" =
        "SELECT eula_id FROM updates WHERE eula_id IS NOT NULL AND eula_accepted_at IS NOT NULL ORDER BY eula_id";
    DOCUMENT_FIND: "looking for a document" =
        "SELECT r.revision_id, (SELECT sum(t.plain_len) FROM text_piece t WHERE t.revision_id = r.revision_id
             AND t.kind = 0)
         FROM updates u JOIN revision r ON r.update_no = u.update_no WHERE u.update_id = ?1 AND r.revision = ?2";
    SELECTION_CHANGED: "noting a change of what is chosen" =
        "INSERT INTO selection_change (kind, value, change, changed_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, value) DO UPDATE SET change = excluded.change, changed_at = excluded.changed_at";
    SELECTION_CHANGES: "listing changes of what is chosen" =
        "SELECT value, change, changed_at FROM selection_change WHERE kind = ?1 ORDER BY value";
    FILE_KEY_PUT: "storing the key of a file" =
        "INSERT INTO file_key (digest, secret) VALUES (?1, ?2)
         ON CONFLICT (digest) DO UPDATE SET secret = excluded.secret";
    FILE_KEYS: "reading the keys of the files of a revision" =
        "SELECT f.digest, k.secret FROM revision_file f JOIN file_key k ON k.digest = f.digest
         WHERE f.revision_id = ?1 GROUP BY f.digest, k.secret ORDER BY min(f.position)";
}

/// `major.minor`; none for anything else.
fn protocol(text: &str) -> Option<Protocol> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// When a wall-clock time, stored as if it were UTC, has come in every time zone. Other servers know no local times; taken as
/// UTC it would be early west of Greenwich, and a computer must never be offered or made to install something too early. The
/// last zone is 12 hours behind UTC.
fn everywhere(local: Timestamp) -> Timestamp {
    local.checked_add(SignedDuration::from_hours(12)).unwrap_or(local)
}

/// Walks along rows that ascend with those that were loaded.
struct Seek<'r> {
    ids: &'r [RevisionId],
    at: usize,
}

impl Seek<'_> {
    fn find(&mut self, id: RevisionId) -> Option<usize> {
        while self.ids.get(self.at).is_some_and(|known| *known < id) {
            self.at += 1;
        }
        (self.ids.get(self.at) == Some(&id)).then_some(self.at)
    }
}

impl ReadTx<'_> {
    /// Every stored revision, ready to be listed to downstream servers.
    pub fn listing(&self) -> Result<Listing, StoreError> {
        let all = RevisionId(0);
        let (mut ids, mut classifications) = (Vec::new(), Vec::new());
        let mut rows = self.all(&LISTING_REVISIONS, args![all], |row| {
            ids.push(row.revision_id(0)?);
            let update = row.int(1)?;
            if row.opt(5, Row::coded)? == Some(CategoryKind::UpdateClassification) {
                classifications.push(update);
            }
            Ok(ListedRevision {
                update,
                identity: UpdateIdentity { update_id: row.update_id(2)?, revision: RevisionNumber(row.int(3)?) },
                update_type: row.coded(4)?,
                change: row.change(6)?,
                arrived_at: row.time(7)?,
                protocol: row.opt_text(8)?.as_deref().and_then(protocol),
                languages: 0,
                categories: Vec::new(),
                classifications: Vec::new(),
                members: Vec::new(),
            })
        })?;
        let next = |seek: &mut Seek<'_>, row: &Row<'_>| Ok::<_, StoreError>(seek.find(row.revision_id(0)?));
        let mut seek = Seek { ids: &ids, at: 0 };
        self.each(&LISTING_CATEGORIES, args![all], |row| {
            if let Some(found) = next(&mut seek, row)?.and_then(|at| rows.get_mut(at)) {
                found.categories.push(row.int(1)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        seek.at = 0;
        self.each(&LISTING_MEMBERS, args![all], |row| {
            if let Some(found) = next(&mut seek, row)?.and_then(|at| rows.get_mut(at)) {
                found.members.push((row.int(1)?, RevisionNumber(row.int(2)?)));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut languages = Languages::default();
        seek.at = 0;
        self.each(&LISTING_LANGUAGES, args![all], |row| {
            if let Some(found) = next(&mut seek, row)?.and_then(|at| rows.get_mut(at)) {
                found.languages |= languages.intern(row.str(1)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.each(&LISTING_NAMED, args![], |row| {
            let found = ids.binary_search(&row.revision_id(0)?).ok();
            if let Some(found) = found.and_then(|at| rows.get_mut(at)) {
                found.classifications.push(row.int(1)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Listing::new(rows, languages, classifications))
    }

    /// How many revisions came after a change.
    pub fn revision_count_after(&self, change: ChangeNumber) -> Result<u64, StoreError> {
        self.one(&REVISIONS_AFTER, args![change], |row| row.int(0))
    }

    /// Deployments of updates that were made, changed or ended after `since` (none: the beginning) and not after `until`.
    /// A deployment that follows the newest revision changes with it, and none comes before its revision.
    pub fn deployment_delta(&self, since: Option<Since>, until: ChangeNumber) -> Result<DeploymentDelta, StoreError> {
        let after = |change, at| since.is_none_or(|since| since.before(change, at));
        let mut delta = DeploymentDelta::default();
        self.each(&SHARED_DEPLOYMENTS, args![until], |row| {
            if after(row.change(8)?, row.time(9)?) || after(row.change(10)?, row.time(11)?) {
                let action = row.coded(4)?;
                let is_local = row.bool(12)?;
                let told = |at: Timestamp| if is_local { everywhere(at) } else { at };
                delta.deployments.push(SharedDeployment {
                    guid: row.uuid(0)?,
                    identity: UpdateIdentity { update_id: row.update_id(1)?, revision: RevisionNumber(row.int(2)?) },
                    collection: row.collection_id(3)?,
                    action,
                    available_at: told(row.time(5)?),
                    // a block, which a stop makes of every action, has none
                    deadline_at: row.opt_time(6)?.filter(|_| action != DeploymentAction::Block).map(told),
                    created_by: row.text(7)?,
                });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut dead = BTreeSet::new();
        self.each(&DEAD_DEPLOYMENTS, args![until], |row| {
            if after(row.change(1)?, row.time(2)?) {
                dead.insert(row.uuid(0)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        delta.dead = dead.into_iter().collect();
        Ok(delta)
    }

    /// Every declined update.
    pub fn update_declined_list(&self) -> Result<Vec<UpdateId>, StoreError> {
        self.all(&HIDDEN_UPDATES, args![], |row| row.update_id(0))
    }

    /// The ids of all accepted licences, each once.
    pub fn eula_accepted_list(&self) -> Result<Vec<Uuid>, StoreError> {
        let mut found = self.all(&ACCEPTED_EULAS, args![], |row| Ok(Uuid::try_parse(row.str(0)?).ok()))?;
        found.dedup();
        Ok(found.into_iter().flatten().collect())
    }

    /// The number of a revision and the bytes of its document.
    pub fn document_find(&self, identity: UpdateIdentity) -> Result<Option<(RevisionId, u64)>, StoreError> {
        self.first(&DOCUMENT_FIND, args![identity.update_id, identity.revision], |row| {
            Ok((row.revision_id(0)?, row.opt_int(1)?.unwrap_or_default()))
        })
    }

    /// When entries of a selection were chosen or no longer chosen, by value. What never changed is not listed.
    pub fn selection_changes(&self, kind: SelectionKind) -> Result<Vec<(String, ChangeNumber, Timestamp)>, StoreError> {
        self.all(&SELECTION_CHANGES, args![kind], |row| Ok((row.text(0)?, row.change(1)?, row.time(2)?)))
    }

    /// Keys of the encrypted files of a revision.
    pub fn file_keys_of(&self, id: RevisionId) -> Result<Vec<(ContentDigest, Vec<u8>)>, StoreError> {
        self.all(&FILE_KEYS, args![id], |row| Ok((row.digest(0)?, row.bytes(1)?.to_vec())))
    }
}

impl WriteTx<'_> {
    /// Stores the key of an encrypted file.
    pub fn file_key_put(&self, digest: ContentDigest, secret: &[u8]) -> Result<(), StoreError> {
        self.run(&FILE_KEY_PUT, args![digest, secret])?;
        Ok(())
    }

    /// Notes which entries of a selection differ from what was chosen before. `all` differs, too, when nothing is chosen
    /// where something was, or the other way round: nothing means everything.
    pub(crate) fn selection_note(&self, kind: SelectionKind, before: &[String]) -> Result<(), StoreError> {
        let before: BTreeSet<&String> = before.iter().collect();
        let after = self.selection_list(kind)?;
        let after: BTreeSet<&String> = after.iter().collect();
        let all = "all".to_owned();
        let mut changed: Vec<&String> = before.symmetric_difference(&after).copied().collect();
        if before.is_empty() != after.is_empty() {
            changed.push(&all);
        }
        if changed.is_empty() {
            return Ok(());
        }
        let change = self.change_next()?;
        for value in changed {
            self.run(&SELECTION_CHANGED, args![kind, value, change, self.actor().at])?;
        }
        Ok(())
    }
}
