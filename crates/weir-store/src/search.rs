//! What the index of updates is made of, in few fast passes.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    sync::Arc,
};

use jiff::Timestamp;
use weir_model::{
    criteria::architectures_in_title,
    expression::updates,
    ids::{RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    search::{Addition, Category, Entry, Files, Flags, Group, Moving},
};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    criterion,
    sql::{Statement, statements},
};

statements! {
    SEARCH_COUNT: "counting stored revisions" = "SELECT count(*) FROM revision";
    SEARCH_REVISIONS: "loading revisions for searches" =
        "SELECT r.revision_id, u.update_id, r.revision, r.update_type, r.category_kind, r.title, r.kb_articles, r.bulletins,
             r.severity, r.created_at, r.arrived_at, r.expired, r.explicitly_deployable, r.is_bundle,
             CASE WHEN r.eula_id IS NULL THEN 0 ELSE 1 END, r.architectures, u.newest_revision_id
         FROM revision r JOIN updates u ON u.update_no = r.update_no WHERE r.revision_id > ?1 ORDER BY r.revision_id";
    SEARCH_DESCRIPTIONS: "loading descriptions for searches" =
        "SELECT r.revision_id, l.description FROM revision r JOIN localized l ON l.revision_id = r.revision_id
         WHERE r.revision_id > ?1 AND l.language = r.default_language AND l.description IS NOT NULL
         ORDER BY r.revision_id, l.position";
    SEARCH_CATEGORIES: "loading categories for searches" =
        "SELECT c.revision_id, u.update_id FROM revision_category c JOIN updates u ON u.update_no = c.update_no
         WHERE c.revision_id > ?1 ORDER BY c.revision_id, c.update_no";
    SEARCH_TITLE_LANGUAGES: "loading languages of titles for searches" =
        "SELECT revision_id, language FROM localized WHERE revision_id > ?1 ORDER BY revision_id, position";
    SEARCH_FILE_LANGUAGES: "loading languages of files for searches" =
        "SELECT revision_id, language FROM revision_language WHERE revision_id > ?1 ORDER BY revision_id, language";
    SEARCH_SUPERSEDED: "loading supersedence for searches" =
        "SELECT s.revision_id, u.update_id FROM superseded s JOIN updates u ON u.update_no = s.update_no
         WHERE s.revision_id > ?1 ORDER BY s.revision_id, s.position";
    SEARCH_MEMBERS: "loading members of bundles for searches" =
        "SELECT b.revision_id, u.update_id, b.revision FROM bundle b JOIN updates u ON u.update_no = b.update_no
         WHERE b.revision_id > ?1 AND b.revision IS NOT NULL ORDER BY b.revision_id, b.clause, b.position";
    SEARCH_FILES: "loading files for searches" =
        "SELECT revision_id, sum(CASE WHEN express = 0 THEN size ELSE 0 END),
             max(CASE WHEN lower(name) LIKE '%aggregatedmetadata%' THEN 1 ELSE 0 END)
         FROM revision_file WHERE revision_id > ?1 AND eula_language IS NULL GROUP BY revision_id ORDER BY revision_id";
    SEARCH_FLAGS: "loading what administrators set of updates" =
        "SELECT update_id, CASE WHEN declined_at IS NULL THEN 0 ELSE 1 END,
             CASE WHEN eula_accepted_at IS NULL THEN 0 ELSE 1 END, custom_severity, run_time_minutes
         FROM updates
         WHERE declined_at IS NOT NULL OR eula_accepted_at IS NOT NULL OR custom_severity IS NOT NULL
             OR run_time_minutes <> 60";
    SEARCH_DEPLOYMENTS: "counting deployments by update" =
        "SELECT u.update_id, n.deployments
         FROM (SELECT update_no, count(*) AS deployments FROM deployment WHERE update_no IS NOT NULL GROUP BY update_no) n
             JOIN updates u ON u.update_no = n.update_no";
    SEARCH_DEPLOYED_GROUPS: "listing groups that are deployed" =
        "SELECT group_id FROM deployment WHERE group_id IS NOT NULL";
    SEARCH_GROUPS: "listing groups for searches" = "SELECT group_id, name FROM update_group ORDER BY name_key";
    SEARCH_GROUP_MEMBERS: "listing members of all groups" =
        "SELECT m.group_id, u.update_id FROM update_group_member m JOIN updates u ON u.update_no = m.update_no
         ORDER BY m.group_id, m.update_no";
}

/// Lists that many updates have in common.
#[derive(Default)]
struct Shared {
    names: HashSet<Arc<str>>,
    lists: HashSet<Arc<[Arc<str>]>>,
}

impl Shared {
    fn name(&mut self, name: &str) -> Arc<str> {
        match self.names.get(name) {
            Some(known) => Arc::clone(known),
            None => {
                let name: Arc<str> = name.into();
                self.names.insert(Arc::clone(&name));
                name
            }
        }
    }

    fn list(&mut self, mut names: Vec<Arc<str>>) -> Arc<[Arc<str>]> {
        names.sort_unstable();
        names.dedup();
        match self.lists.get(names.as_slice()) {
            Some(known) => Arc::clone(known),
            None => {
                let list: Arc<[Arc<str>]> = names.into();
                self.lists.insert(Arc::clone(&list));
                list
            }
        }
    }
}

impl ReadTx<'_> {
    /// Stored revisions.
    pub fn search_count(&self) -> Result<u64, StoreError> {
        self.one(&SEARCH_COUNT, args![], |row| row.int(0))
    }

    /// Every revision whose number is above `after`, ascending by number: what the index takes.
    pub fn search_additions(&self, after: RevisionId) -> Result<Vec<Addition>, StoreError> {
        let mut shared = Shared::default();
        let none = (shared.list(Vec::new()), Arc::from([]), Arc::from([]), Arc::from([]));
        let mut additions = self.all(&SEARCH_REVISIONS, args![after], |row| {
            let revision_id = row.revision_id(0)?;
            let identity = UpdateIdentity { update_id: row.update_id(1)?, revision: RevisionNumber(row.int(2)?) };
            let arrived_at = row.time(10)?;
            let newest = if row.opt(16, Row::revision_id)? == Some(revision_id) {
                Some(Entry {
                    languages: Arc::clone(&none.0),
                    categories: Arc::clone(&none.1),
                    supersedes: Arc::clone(&none.2),
                    members: Arc::clone(&none.3),
                    ..entry(row, revision_id, identity, arrived_at)?
                })
            } else {
                None
            };
            Ok(Addition { identity, revision_id, arrived_at, files: None, newest })
        })?;
        self.search_lists(
            after,
            &SEARCH_CATEGORIES,
            &mut additions,
            |row| row.update_id(1),
            |addition, ids| {
                if let Some(entry) = &mut addition.newest {
                    entry.categories = ids.into();
                }
            },
        )?;
        self.search_lists(
            after,
            &SEARCH_SUPERSEDED,
            &mut additions,
            |row| row.update_id(1),
            |addition, ids| {
                if let Some(entry) = &mut addition.newest {
                    entry.supersedes = ids.into();
                }
            },
        )?;
        let member =
            |row: &Row<'_>| Ok(UpdateIdentity { update_id: row.update_id(1)?, revision: RevisionNumber(row.int(2)?) });
        self.search_lists(after, &SEARCH_MEMBERS, &mut additions, member, |addition, members| {
            if let Some(entry) = &mut addition.newest {
                entry.members = members.into();
            }
        })?;
        let files = |row: &Row<'_>| Ok(Files { bytes: row.int(1)?, uup: row.bool(2)? });
        self.search_lists(after, &SEARCH_FILES, &mut additions, files, |addition, files| {
            addition.files = files.first().copied();
        })?;
        self.search_lists(
            after,
            &SEARCH_DESCRIPTIONS,
            &mut additions,
            |row| row.text(1),
            |addition, texts| {
                if let Some(entry) = &mut addition.newest {
                    entry.description = texts.into_iter().next().map(Into::into);
                }
            },
        )?;
        for statement in [&SEARCH_TITLE_LANGUAGES, &SEARCH_FILE_LANGUAGES] {
            let mut found: HashMap<RevisionId, Vec<Arc<str>>> = HashMap::new();
            self.each(statement, args![after], |row| {
                found.entry(row.revision_id(0)?).or_default().push(shared.name(row.str(1)?));
                Ok(ControlFlow::Continue(()))
            })?;
            for entry in additions.iter_mut().filter_map(|addition| addition.newest.as_mut()) {
                if let Some(mut names) = found.remove(&entry.revision_id) {
                    names.extend(entry.languages.iter().cloned());
                    entry.languages = shared.list(names);
                }
            }
        }
        Ok(additions)
    }

    /// Hands the rows of each revision that has some to `put`. Revisions and rows ascend together.
    fn search_lists<T>(
        &self,
        after: RevisionId,
        statement: &'static Statement,
        additions: &mut [Addition],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
        put: impl Fn(&mut Addition, Vec<T>),
    ) -> Result<(), StoreError> {
        let mut at = 0;
        let mut rows: Vec<T> = Vec::new();
        let flush = |additions: &mut [Addition], at: &mut usize, id: RevisionId, rows: &mut Vec<T>| {
            while additions.get(*at).is_some_and(|addition| addition.revision_id < id) {
                *at += 1;
            }
            if let Some(addition) = additions.get_mut(*at).filter(|addition| addition.revision_id == id) {
                put(addition, std::mem::take(rows));
            }
            rows.clear();
        };
        let mut last: Option<RevisionId> = None;
        self.each(statement, args![after], |row| {
            let id = row.revision_id(0)?;
            if let Some(before) = last.filter(|before| *before != id) {
                flush(additions, &mut at, before, &mut rows);
            }
            last = Some(id);
            rows.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(id) = last {
            flush(additions, &mut at, id, &mut rows);
        }
        Ok(())
    }

    /// What moves of all updates. Which are unresolved only the compiled catalogue knows.
    pub fn search_moving(&self) -> Result<Moving, StoreError> {
        let flags = self.all(&SEARCH_FLAGS, args![], |row| {
            let flags = Flags {
                declined: row.bool(1)?,
                eula_accepted: row.bool(2)?,
                custom_severity: row.opt(3, Row::coded)?,
                run_time_minutes: row.int(4)?,
            };
            Ok((row.update_id(0)?, flags))
        })?;
        let deployments = self.all(&SEARCH_DEPLOYMENTS, args![], |row| Ok((row.update_id(0)?, row.int(1)?)))?;
        let deployed_groups = self.all(&SEARCH_DEPLOYED_GROUPS, args![], |row| row.uuid(0))?;
        let groups = self.all(&SEARCH_GROUPS, args![], |row| Ok(Group { id: row.uuid(0)?, name: row.text(1)? }))?;
        let members: Vec<(uuid::Uuid, UpdateId)> =
            self.all(&SEARCH_GROUP_MEMBERS, args![], |row| Ok((row.uuid(0)?, row.update_id(1)?)))?;
        let categories = self.category_list("en")?.into_iter().map(|row| Category {
            id: row.id,
            kind: row.kind,
            parent: row.parent,
            title: row.title,
        });
        Ok(Moving {
            flags,
            deployments,
            deployed_groups: deployed_groups.into_iter().collect(),
            groups,
            members,
            categories: categories.collect(),
            unresolved: HashSet::new(),
        })
    }
}

/// An entry without its lists.
fn entry(
    row: &Row<'_>,
    revision_id: RevisionId,
    identity: UpdateIdentity,
    arrived_at: Timestamp,
) -> Result<Entry, StoreError> {
    let title = row.str(5)?.trim().to_owned();
    let named = architectures_in_title(&title);
    let architectures = if named.is_empty() { criterion::architectures(row.int(15)?) } else { named };
    Ok(Entry {
        revision_id,
        identity,
        update_type: row.coded(3)?,
        category_kind: row.opt(4, Row::coded)?,
        title,
        description: None,
        categories: Arc::from([]),
        kb_articles: row.lines(6)?,
        bulletins: row.lines(7)?,
        severity: row.opt(8, Row::coded)?,
        created_at: row.opt_time(9)?,
        arrived_at,
        expired: row.bool(11)?,
        explicitly_deployable: row.bool(12)?,
        is_bundle: row.bool(13)?,
        has_eula: row.bool(14)?,
        architectures: updates::architectures(&architectures),
        languages: Arc::from([]),
        supersedes: Arc::from([]),
        members: Arc::from([]),
    })
}
