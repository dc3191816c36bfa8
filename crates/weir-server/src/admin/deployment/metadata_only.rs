//! Updates of which only metadata is here: detected and reported on, not deployable (features UPD-9).

use std::collections::BTreeSet;

use weir_model::{
    document::{Limits, UpdateDocument},
    ids::UpdateIdentity,
    targeting::DeploymentAction,
    update::UpdateType,
};
use weir_store::{ReadTx, StoreError, revision::RevisionRow};

use super::parts::MOST_MEMBERS;
use crate::admin::{AdminError, list};

/// Updates that one refusal names.
const NAMED: usize = 5;

/// Whether an update says how it is installed, by itself or by a member, and nothing of it has a file: only what is known of
/// it is here, not what it installs.
pub(crate) fn is_metadata_only(tx: &ReadTx<'_>, revision: &RevisionRow) -> Result<bool, StoreError> {
    if revision.update_type != UpdateType::Software || !revision.explicitly_deployable {
        return Ok(false);
    }
    let mut seen = BTreeSet::from([revision.identity]);
    let mut waiting = vec![revision.identity];
    let mut parts = Vec::new();
    while let Some(identity) = waiting.pop() {
        let Some(row) = tx.revision_find(identity)? else { continue };
        if tx.revision_files(row.id)?.iter().any(|file| file.eula_language.is_none()) {
            return Ok(false);
        }
        for clause in tx.revision_relationships(row.id)?.bundled {
            waiting.extend(clause.alternatives.into_iter().filter(|it| seen.len() < MOST_MEMBERS && seen.insert(*it)));
        }
        parts.push(row.id);
    }
    for id in parts {
        let Some(text) = tx.document_text(id)? else { continue };
        let document = UpdateDocument::parse(&text, &Limits::default());
        if document.is_ok_and(|document| document.handler_data.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether computers install what is deployed so.
pub(crate) fn installs(action: DeploymentAction) -> bool {
    matches!(action, DeploymentAction::Install | DeploymentAction::Optional)
}

/// Refuses to install a group with members that have no files, naming some of these. Almost every update has a file, and
/// is done with after its first one was found.
pub(crate) fn refuse_metadata_only_members(
    tx: &ReadTx<'_>,
    group: &str,
    members: impl IntoIterator<Item = UpdateIdentity>,
) -> Result<(), AdminError> {
    let (mut named, mut count) = (Vec::new(), 0_usize);
    for identity in members {
        let Some(revision) = tx.revision_find(identity)? else { continue };
        if !is_metadata_only(tx, &revision)? {
            continue;
        }
        count += 1;
        if named.len() < NAMED {
            named.push(format!("{} ({})", identity.update_id, list::short(revision.title.trim())));
        }
    }
    if count == 0 {
        return Ok(());
    }
    if count > named.len() {
        named.push(format!("{} more", count - named.len()));
    }
    Err(AdminError::Conflict {
        code: "metadata_only",
        detail: format!(
            "the group {group:?} cannot install what has metadata only, which names no file to install: {}",
            named.join(", ")
        ),
        next_step: Some(format!("leave them out: weir groups remove {group:?} ID...")),
    })
}

/// Refuses to install what has no files.
pub(crate) fn refuse_metadata_only(
    tx: &ReadTx<'_>,
    revision: &RevisionRow,
    action: DeploymentAction,
) -> Result<(), AdminError> {
    if !installs(action) || !is_metadata_only(tx, revision)? {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "metadata_only",
        detail: format!("{} has metadata only: it names no file to install", revision.identity),
        next_step: Some("which computers need it is reported all the same: weir updates show ID".to_owned()),
    })
}
