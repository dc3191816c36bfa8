//! What may be deployed: revisions, and the licences of their parts.

use std::collections::BTreeSet;

use serde_json::json;
use weir_model::{
    document::{Limits, UpdateDocument},
    ids::{UpdateId, UpdateIdentity},
    rights::Scope,
    update::UpdateType,
};
use weir_store::{ReadTx, WriteTx, revision::RevisionRow};

use crate::admin::{AdminError, index::kind_word, update::Named};

/// Members of a bundle that are looked at for licences and removal.
pub(super) const MOST_MEMBERS: usize = 20_000;
/// Updates that a refusal names.
const NAMED: usize = 5;

/// The revision that a deployment is about, if it may be deployed.
pub(crate) fn deployable(tx: &ReadTx<'_>, name: Named) -> Result<RevisionRow, AdminError> {
    let rows = tx.revision_list_of(name.id)?;
    let found = match name.revision {
        Some(revision) => rows.into_iter().find(|row| row.identity.revision == revision),
        None => rows.into_iter().max_by_key(|row| row.identity.revision),
    };
    let row = found.ok_or_else(|| name.missing())?;
    let refuse = |code, detail: String, next: String| Err(AdminError::Conflict { code, detail, next_step: Some(next) });
    if !matches!(row.update_type, UpdateType::Software | UpdateType::Driver) {
        return refuse(
            "not_deployable",
            format!("{} is a {}", row.identity, kind_word(row.update_type)),
            "deploy software or drivers: weir updates list --filter \"type = software\"".to_owned(),
        );
    }
    if !row.explicitly_deployable {
        return refuse(
            "not_deployable",
            format!("{} cannot be deployed by itself: it is a part of others", row.identity),
            format!("deploy a bundle that has it: weir updates show {}", name.id),
        );
    }
    if tx.update_flags(name.id)?.declined.is_some() {
        return refuse(
            "declined",
            format!("{} is declined", row.identity),
            format!("weir updates undecline {}", name.id),
        );
    }
    if row.expired {
        return refuse(
            "expired",
            format!("{} is expired: its publisher withdrew it", row.identity),
            "deploy the update that replaces it".to_owned(),
        );
    }
    Ok(row)
}

/// What the update and, for a bundle, its members say.
pub(crate) struct Parts {
    /// Licences: the update that has one, and its id.
    pub(crate) eulas: Vec<(UpdateId, String)>,
    /// Some part says how to remove it; looked at for a removal only, since it takes reading the documents.
    pub(crate) removable: bool,
}

impl Parts {
    pub(crate) fn read(tx: &ReadTx<'_>, revision: &RevisionRow, removal: bool) -> Result<Self, AdminError> {
        let mut parts = Self { eulas: Vec::new(), removable: false };
        let mut seen = BTreeSet::from([revision.identity]);
        let mut waiting: Vec<UpdateIdentity> = vec![revision.identity];
        while let Some(identity) = waiting.pop() {
            // a member that is not in the catalogue has no licence to accept
            let Some(row) = tx.revision_find(identity)? else { continue };
            if let Some(eula) = &row.eula_id {
                parts.eulas.push((row.identity.update_id, eula.clone()));
            }
            if removal && !parts.removable {
                if let Some(text) = tx.document_text(row.id)? {
                    let document = UpdateDocument::parse(&text, &Limits::default());
                    parts.removable = document.is_ok_and(|document| document.properties.uninstallation.is_some());
                }
            }
            for clause in tx.revision_relationships(row.id)?.bundled {
                for member in clause.alternatives {
                    if seen.len() < MOST_MEMBERS && seen.insert(member) {
                        waiting.push(member);
                    }
                }
            }
        }
        Ok(parts)
    }
}

/// Refuses to let who is limited to collections accept one of these licences: what is accepted is accepted for the whole site.
pub(super) fn refuse_accepting<'l>(
    tx: &ReadTx<'_>,
    scope: &Scope,
    licences: impl Iterator<Item = &'l String>,
) -> Result<(), AdminError> {
    if !scope.is_limited() {
        return Ok(());
    }
    for eula in licences {
        if !tx.eula_is_accepted(eula)? {
            return Err(AdminError::Forbidden {
                code: "forbidden",
                detail: format!(
                    "the licence {eula} is not accepted, and who is limited to collections accepts none: that concerns the whole \
                     site"
                ),
                next_step: Some("ask an administrator who is not limited to accept it, then deploy".to_owned()),
            });
        }
    }
    Ok(())
}

/// Accepts the licences of parts, or refuses what needs one that is not accepted.
pub(crate) fn accept(tx: &WriteTx<'_>, parts: &Parts, revision: &RevisionRow, accept: bool) -> Result<(), AdminError> {
    for (update, eula) in &parts.eulas {
        if tx.eula_is_accepted(eula)? {
            continue;
        }
        if !accept {
            return Err(AdminError::Conflict {
                code: "eula_not_accepted",
                detail: format!("the licence of {} is not accepted: {}", revision.title.trim(), eula),
                next_step: Some("read the licence, then repeat the command with --accept-eula".to_owned()),
            });
        }
        if tx.update_accept_eula(*update, eula)? {
            tx.audit("eula.accept", &update.to_string(), None, Some(&json!({ "eula": eula })))?;
        }
    }
    Ok(())
}

/// The same for licences of several updates: the update that has it, its id, the update's title.
pub(crate) fn accept_all(
    tx: &WriteTx<'_>,
    licences: &[(UpdateId, String, String)],
    accept: bool,
) -> Result<(), AdminError> {
    let mut open = Vec::new();
    for (update, eula, title) in licences {
        if !tx.eula_is_accepted(eula)? {
            open.push((update, eula, title));
        }
    }
    if !open.is_empty() && !accept {
        let mut titles: Vec<String> = open.iter().take(NAMED).map(|(.., title)| (*title).clone()).collect();
        if open.len() > NAMED {
            titles.push(format!("{} more", open.len() - NAMED));
        }
        return Err(AdminError::Conflict {
            code: "eula_not_accepted",
            detail: format!("{} licences are not accepted: {}", open.len(), titles.join("; ")),
            next_step: Some("read the licences, then repeat the command with --accept-eula".to_owned()),
        });
    }
    for (update, eula, _) in open {
        if tx.update_accept_eula(*update, eula)? {
            tx.audit("eula.accept", &update.to_string(), None, Some(&json!({ "eula": eula })))?;
        }
    }
    Ok(())
}
