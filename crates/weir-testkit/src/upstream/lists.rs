//! Which revisions a list names.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::ids::{UpdateId, UpdateIdentity};
use weir_wire::wsss::{IdAndDelta, ServerSyncFilter};

use super::{Served, ServedRevision};

/// The revisions that a filter asks for, of those changed after `since` unless it wants more.
pub(super) fn revisions(served: &Served, filter: &ServerSyncFilter, since: i64) -> Vec<UpdateIdentity> {
    let mut newest: BTreeMap<UpdateId, UpdateIdentity> = BTreeMap::new();
    for revision in served.revisions.values().filter(|revision| revision.listed) {
        // In the order of revision numbers, so the last one stays.
        newest.insert(revision.document.identity.update_id, revision.document.identity);
    }
    let current = |identity: &UpdateIdentity| newest.get(&identity.update_id) == Some(identity);
    let mut found = BTreeSet::new();
    for (identity, revision) in &served.revisions {
        let wanted = revision.listed && Served::is_configuration(revision) == filter.get_config;
        if !wanted || !(current(identity) || served.lists_old_revisions) {
            continue;
        }
        let full = if filter.get_config { Some(false) } else { matched(served, filter, revision) };
        if full.is_some_and(|full| full || revision.change > since) {
            found.insert(*identity);
        }
    }
    if served.lists_members {
        add_members(served, &mut found);
    }
    found.into_iter().collect()
}

/// Whether a revision matches the lists, and if so whether it is wanted in spite of the anchor.
fn matched(served: &Served, filter: &ServerSyncFilter, revision: &ServedRevision) -> Option<bool> {
    let mut full = match language(served, filter, revision)? {
        Wanted::Changes => false,
        Wanted::All => true,
    };
    let clauses = revision.document.relationships.prerequisites.iter();
    let own: BTreeSet<UpdateId> =
        clauses.filter(|clause| clause.is_category).flat_map(|clause| clause.alternatives.iter().copied()).collect();
    let lists =
        [filter.categories.as_deref().unwrap_or_default(), filter.classifications.as_deref().unwrap_or_default()];
    if lists.iter().all(|list| list.is_empty()) {
        return Some(full);
    }
    for list in lists {
        let through: Vec<&IdAndDelta> = list.iter().filter(|entry| own.contains(&entry.id)).collect();
        if through.is_empty() {
            return None;
        }
        full |= through.iter().any(|entry| !entry.delta);
    }
    Some(full)
}

enum Wanted {
    All,
    Changes,
}

/// What the languages of the filter say; updates that name no language, or `all`, match every filter.
fn language(served: &Served, filter: &ServerSyncFilter, revision: &ServedRevision) -> Option<Wanted> {
    let own = &revision.document.properties.languages;
    let Some(wanted) = &filter.languages else { return Some(Wanted::Changes) };
    if own.is_empty() || own.iter().any(|name| name == "all") {
        return Some(Wanted::Changes);
    }
    let name = |id: i32| {
        let mut known = served.languages.iter().filter(|(_, language)| language.language_id == id);
        known.next().and_then(|(_, language)| language.short_language.as_deref())
    };
    let mut through = wanted.iter().filter(|entry| {
        entry.id == 0 || name(entry.id).is_some_and(|name| own.iter().any(|own| own.eq_ignore_ascii_case(name)))
    });
    let mut found = None;
    if through.any(|entry| {
        found = Some(Wanted::Changes);
        !entry.delta
    }) {
        found = Some(Wanted::All);
    }
    found
}

/// Adds the members of bundles, at every depth.
fn add_members(served: &Served, found: &mut BTreeSet<UpdateIdentity>) {
    let mut open: Vec<UpdateIdentity> = found.iter().copied().collect();
    while let Some(identity) = open.pop() {
        let Some(revision) = served.revisions.get(&identity) else { continue };
        for member in revision.document.relationships.bundled.iter().flat_map(|clause| &clause.alternatives) {
            if served.revisions.contains_key(member) && found.insert(*member) {
                open.push(*member);
            }
        }
    }
}
