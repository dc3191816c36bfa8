//! Collections that are defined by rules: their definitions, what is looked at to find their members, and the rows that say
//! who is one. Decided in `weir_model::membership`.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{
    ids::CollectionId,
    membership::{Assigned, Group},
    targeting::CollectionKind,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    collection::MemberSource,
    computer::{ComputerRow, StatusRow},
    sql::statements,
};

/// How one collection refers to another.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CollectionLink {
    /// Its members are members.
    Includes,
    /// Its members are not members.
    Excludes,
    /// The rule names it.
    Names,
    /// Only its members are members. Kept with the collection, not as a reference.
    LimitedBy,
}

impl CollectionLink {
    /// What users of a collection do, before their names.
    pub(crate) fn of_users(self) -> &'static str {
        match self {
            Self::Includes => "is included by",
            Self::Excludes => "is excluded by",
            Self::Names => "is named in the rule of",
            Self::LimitedBy => "limits",
        }
    }
}

/// How a collection by rule gets its members.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CollectionDefinition {
    /// An expression over computers, with ids in the place of names.
    pub rule: Option<String>,
    /// Collections that the rule names.
    pub named: BTreeSet<CollectionId>,
    /// Included collections.
    pub includes: BTreeSet<CollectionId>,
    /// Excluded collections.
    pub excludes: BTreeSet<CollectionId>,
    /// The limiting collection; none is All Computers.
    pub limiting: Option<CollectionId>,
}

impl CollectionDefinition {
    fn references(&self) -> BTreeSet<(CollectionLink, CollectionId)> {
        let of =
            |link: CollectionLink, ids: &BTreeSet<CollectionId>| ids.iter().map(|id| (link, *id)).collect::<Vec<_>>();
        let all = [
            of(CollectionLink::Includes, &self.includes),
            of(CollectionLink::Excludes, &self.excludes),
            of(CollectionLink::Names, &self.named),
        ];
        all.into_iter().flatten().collect()
    }
}

/// What is looked at to find the collections by rule of one computer that scans here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MembershipRow {
    /// The computer.
    pub computer: ComputerRow,
    /// The IANA zone that an administrator gave it.
    pub time_zone: Option<String>,
    /// Its compact status; default if it was not asked for, or if it never reported.
    pub status: StatusRow,
    /// Target groups that it is in, and collections by rule that it was put into.
    pub assigned: Assigned,
    /// The collections by rule that it is in now, ascending.
    pub decided: Vec<(CollectionId, MemberSource)>,
}

statements! {
    VERSION: "looking for changes of definitions" =
        "SELECT m.value, d.value FROM counter m JOIN counter d ON d.name = 'membership_done' WHERE m.name = 'membership'";
    DONE: "noting that members were found" = "UPDATE counter SET value = ?1 WHERE name = 'membership_done' AND value < ?1";
    DEFINITIONS: "listing definitions of collections" =
        "SELECT collection_id, rule, limiting_id FROM collection WHERE kind = 0 ORDER BY collection_id";
    DEFINITION: "reading the definition of a collection" =
        "SELECT collection_id, rule, limiting_id FROM collection WHERE collection_id = ?1 AND kind = 0";
    REFERENCES: "listing references of collections" =
        "SELECT collection_id, link, other_id FROM collection_reference ORDER BY collection_id, link, other_id";
    REFERENCES_OF: "listing the references of a collection" =
        "SELECT collection_id, link, other_id FROM collection_reference WHERE collection_id = ?1 ORDER BY link, other_id";
    GROUPS: "listing target groups" = "SELECT collection_id, parent_id FROM collection WHERE kind = 1 ORDER BY collection_id";
    USERS: "listing who refers to a collection" =
        "SELECT r.link, c.name FROM collection_reference r JOIN collection c ON c.collection_id = r.collection_id
         WHERE r.other_id = ?1 ORDER BY r.link, c.name_key";
    LIMITED: "listing whom a collection limits" = "SELECT name FROM collection WHERE limiting_id = ?1 ORDER BY name_key";
    DEFINE: "defining a collection" =
        "UPDATE collection SET rule = ?2, limiting_id = ?3, change = ?4 WHERE collection_id = ?1 AND kind = 0";
    BECOME: "making a target group a collection by rule" =
        "UPDATE collection SET kind = 0, parent_id = ?2, change = ?3 WHERE collection_id = ?1 AND kind = 1";
    BECOME_DIRECT: "keeping who was put into a collection" =
        "INSERT INTO collection_direct (computer_no, collection_id)
             SELECT computer_no, collection_id FROM collection_member WHERE collection_id = ?1 AND source = ?2
         ON CONFLICT (computer_no, collection_id) DO NOTHING";
    BECOME_CHILDREN: "freeing what is nested in a collection" =
        "UPDATE collection SET change = ?3, parent_id = ?2 WHERE parent_id = ?1";
    REFERENCE_ADD: "referring to a collection" =
        "INSERT INTO collection_reference (collection_id, link, other_id) VALUES (?1, ?2, ?3)";
    REFERENCE_REMOVE: "no longer referring to a collection" =
        "DELETE FROM collection_reference WHERE collection_id = ?1 AND link = ?2 AND other_id = ?3";
    DIRECT_ADD: "putting a computer into a collection" =
        "INSERT INTO collection_direct (computer_no, collection_id) VALUES (?1, ?2)
         ON CONFLICT (computer_no, collection_id) DO NOTHING";
    DIRECT_REMOVE: "taking a computer out of a collection" =
        "DELETE FROM collection_direct WHERE computer_no = ?1 AND collection_id = ?2";
    DIRECT_COUNT: "counting who was put into a collection" =
        "SELECT count(*) FROM collection_direct WHERE collection_id = ?1";
    PAGE: "reading computers to find their collections" =
        "SELECT computer_no, computer_id, dns_name, ip_address, plain_http, requested_groups, first_contact_at,
             last_contact_at, last_sync_at, last_sync_succeeded, last_sync_error, last_report_at, last_reboot_at,
             registered_at, os_major_version, os_minor_version, os_build_number, os_service_pack_major_number,
             os_service_pack_minor_number, os_locale, computer_manufacturer, computer_model, bios_version, bios_name,
             bios_release_date, processor_architecture, suite_mask, old_product_type, new_product_type, system_metrics,
             client_version_major_number, client_version_minor_number, client_version_build_number,
             client_version_qfe_number, os_description, oem, device_type, firmware_version, mobile_operator, site_no,
             exact_build, time_zone
         FROM computer WHERE site_no = 1 AND computer_no >= ?1 AND computer_no <= ?2 ORDER BY computer_no";
    PAGE_END: "looking for the end of a page of computers" =
        "SELECT computer_no FROM computer WHERE site_no = 1 AND computer_no > ?1 ORDER BY computer_no LIMIT 1 OFFSET ?2";
    PAGE_LAST: "looking for the last computer" =
        "SELECT coalesce(max(computer_no), 0) FROM computer WHERE site_no = 1";
    PAGE_STATUS: "reading the status of several computers" =
        "SELECT status, anchor, recent_events, computer_no FROM computer_status WHERE computer_no >= ?1 AND computer_no <= ?2
         ORDER BY computer_no";
    PAGE_MEMBERS: "reading the memberships of several computers" =
        "SELECT m.computer_no, m.collection_id, m.source, c.kind FROM collection_member m
             JOIN collection c ON c.collection_id = m.collection_id
         WHERE m.computer_no >= ?1 AND m.computer_no <= ?2 ORDER BY m.computer_no, m.collection_id, m.source";
    PAGE_DIRECT: "reading where several computers were put" =
        "SELECT computer_no, collection_id FROM collection_direct WHERE computer_no >= ?1 AND computer_no <= ?2
         ORDER BY computer_no, collection_id";
    ARTICLES: "listing the articles of updates" =
        "SELECT u.update_no, r.kb_articles FROM revision r JOIN updates u ON u.newest_revision_id = r.revision_id
             AND u.update_no = r.update_no
         WHERE r.kb_articles <> '' ORDER BY u.update_no";
    HERE_COUNT: "counting the computers that scan here" = "SELECT count(*) FROM computer WHERE site_no = 1";
    TODO: "listing computers to look at" = "SELECT computer_no FROM membership_todo ORDER BY computer_no LIMIT ?1";
    TODO_DONE: "having looked at a computer" = "DELETE FROM membership_todo WHERE computer_no = ?1";
    SOURCES: "reading why computers are members" =
        "SELECT computer_no, source FROM collection_member WHERE collection_id = ?1 AND computer_no = ?2 ORDER BY source";
}

fn definition(row: &Row<'_>) -> Result<(CollectionId, CollectionDefinition), StoreError> {
    let limiting = row.opt(2, Row::collection_id)?;
    Ok((
        row.collection_id(0)?,
        CollectionDefinition { rule: row.opt_text(1)?, limiting, ..CollectionDefinition::default() },
    ))
}

impl ReadTx<'_> {
    /// The version of all definitions, and the version whose members were found. They differ while members are found, and
    /// after a process ended in the middle of that.
    pub fn membership_version(&self) -> Result<(u64, u64), StoreError> {
        self.one(&VERSION, args![], |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// The definitions of all collections by rule.
    pub fn collection_definitions(&self) -> Result<BTreeMap<CollectionId, CollectionDefinition>, StoreError> {
        let mut all: BTreeMap<_, _> = self.all(&DEFINITIONS, args![], definition)?.into_iter().collect();
        if all.is_empty() {
            return Ok(all);
        }
        for (id, link, other) in self.all(&REFERENCES, args![], reference)? {
            if let Some(definition) = all.get_mut(&id) {
                definition.add(link, other);
            }
        }
        Ok(all)
    }

    /// The definition of one collection; none if it is not by rule.
    pub fn collection_definition(&self, id: CollectionId) -> Result<Option<CollectionDefinition>, StoreError> {
        let Some((_, mut found)) = self.first(&DEFINITION, args![id], definition)? else { return Ok(None) };
        for (_, link, other) in self.all(&REFERENCES_OF, args![id], reference)? {
            found.add(link, other);
        }
        Ok(Some(found))
    }

    /// All target groups with their places.
    pub fn collection_groups(&self) -> Result<Vec<Group>, StoreError> {
        self.all(&GROUPS, args![], |row| {
            Ok(Group { id: row.collection_id(0)?, parent: row.opt(1, Row::collection_id)? })
        })
    }

    /// Names of the collections that refer to this one, by what they do with it.
    pub fn collection_users(&self, id: CollectionId) -> Result<Vec<(CollectionLink, Vec<String>)>, StoreError> {
        let mut users: BTreeMap<CollectionLink, Vec<String>> = BTreeMap::new();
        for (link, name) in self.all(&USERS, args![id], |row| Ok((row.coded::<CollectionLink>(0)?, row.text(1)?)))? {
            users.entry(link).or_default().push(name);
        }
        let limited = self.all(&LIMITED, args![id], |row| row.text(0))?;
        if !limited.is_empty() {
            users.insert(CollectionLink::LimitedBy, limited);
        }
        Ok(users.into_iter().collect())
    }

    /// How many computers an administrator put into a collection by rule, members or not.
    pub fn collection_direct_count(&self, id: CollectionId) -> Result<u64, StoreError> {
        self.one(&DIRECT_COUNT, args![id], |row| row.int(0))
    }

    /// Why a computer is in a collection; nothing if it is not.
    pub fn member_sources(&self, id: CollectionId, computer: u32) -> Result<Vec<MemberSource>, StoreError> {
        self.all(&SOURCES, args![id, computer], |row| row.coded(1))
    }

    /// The articles of every update that has any, by the update's number.
    pub fn update_articles(&self) -> Result<Vec<(u32, Vec<String>)>, StoreError> {
        self.all(&ARTICLES, args![], |row| Ok((row.int(0)?, row.lines(1)?)))
    }

    /// How many computers scan here.
    pub fn membership_computers(&self) -> Result<u64, StoreError> {
        self.one(&HERE_COUNT, args![], |row| row.int(0))
    }

    /// The next computers that scan here, by row number after `after`, at most `limit`; with their status if that is asked
    /// for.
    pub fn membership_page(&self, after: u32, limit: u32, status: bool) -> Result<Vec<MembershipRow>, StoreError> {
        let end = self.first(&PAGE_END, args![after, limit.max(1) - 1], |row| row.int(0))?;
        let end: u32 = match end {
            Some(end) => end,
            None => self.one(&PAGE_LAST, args![], |row| row.int(0))?,
        };
        match after.checked_add(1) {
            Some(from) if from <= end => self.membership_range(from, end, status),
            _ => Ok(Vec::new()),
        }
    }

    /// One computer, if it scans here.
    pub fn membership_of(&self, computer: u32, status: bool) -> Result<Option<MembershipRow>, StoreError> {
        Ok(self.membership_range(computer, computer, status)?.pop())
    }

    fn membership_range(&self, from: u32, to: u32, status: bool) -> Result<Vec<MembershipRow>, StoreError> {
        let mut rows = self.all(&PAGE, args![from, to], |row| {
            Ok(MembershipRow {
                computer: crate::computer::computer(row)?,
                time_zone: row.opt_text(41)?,
                status: StatusRow::default(),
                assigned: Assigned::default(),
                decided: Vec::new(),
            })
        })?;
        let at = |rows: &[MembershipRow], no: u32| rows.binary_search_by_key(&no, |row| row.computer.no).ok();
        let members = self.all(&PAGE_MEMBERS, args![from, to], |row| {
            Ok((
                row.int::<u32>(0)?,
                row.collection_id(1)?,
                row.coded::<MemberSource>(2)?,
                row.coded::<CollectionKind>(3)?,
            ))
        })?;
        for (no, id, source, kind) in members {
            let Some(row) = at(&rows, no).and_then(|at| rows.get_mut(at)) else { continue };
            match kind {
                CollectionKind::Rule => row.decided.push((id, source)),
                // a group from two sources comes twice, one after the other
                CollectionKind::TargetGroup if row.assigned.groups.last() == Some(&id) => {}
                CollectionKind::TargetGroup => row.assigned.groups.push(id),
            }
        }
        for (no, id) in self.all(&PAGE_DIRECT, args![from, to], |row| Ok((row.int(0)?, row.collection_id(1)?)))? {
            if let Some(row) = at(&rows, no).and_then(|at| rows.get_mut(at)) {
                row.assigned.direct.push(id);
            }
        }
        if status {
            let found =
                self.all(&PAGE_STATUS, args![from, to], |row| Ok((row.int(3)?, crate::computer::status(row)?)))?;
            for (no, status) in found {
                if let Some(row) = at(&rows, no).and_then(|at| rows.get_mut(at)) {
                    row.status = status;
                }
            }
        }
        Ok(rows)
    }

    /// Computers whose target groups or site changed since somebody looked at them last; at most so many.
    pub fn membership_todo(&self, limit: u32) -> Result<Vec<u32>, StoreError> {
        self.all(&TODO, args![limit], |row| row.int(0))
    }
}

fn reference(row: &Row<'_>) -> Result<(CollectionId, CollectionLink, CollectionId), StoreError> {
    Ok((row.collection_id(0)?, row.coded(1)?, row.collection_id(2)?))
}

impl CollectionDefinition {
    fn add(&mut self, link: CollectionLink, other: CollectionId) {
        match link {
            CollectionLink::Includes => self.includes.insert(other),
            CollectionLink::Excludes => self.excludes.insert(other),
            CollectionLink::Names => self.named.insert(other),
            CollectionLink::LimitedBy => false,
        };
    }
}

impl WriteTx<'_> {
    /// Makes the definition of a collection by rule exactly this. True if that changed something. The caller has checked
    /// that the rule can be read and that there is no circle.
    pub fn collection_define(&self, id: CollectionId, wanted: &CollectionDefinition) -> Result<bool, StoreError> {
        let known = self.collection_definition(id)?.ok_or(StoreError::UnknownCollection(id))?;
        if known == *wanted {
            return Ok(false);
        }
        self.run(&DEFINE, args![id, wanted.rule.as_deref(), wanted.limiting, self.change_next()?])?;
        let (before, after) = (known.references(), wanted.references());
        for (link, other) in before.difference(&after) {
            self.send(&REFERENCE_REMOVE, args![id, *link, *other])?;
        }
        for (link, other) in after.difference(&before) {
            self.send(&REFERENCE_ADD, args![id, *link, *other])?;
        }
        Ok(true)
    }

    /// Makes a target group that is a mirrored collection by rule what it is. Who an administrator put into it stays in it;
    /// what is nested in it moves to All Computers.
    pub fn collection_become_rule(&self, id: CollectionId) -> Result<(), StoreError> {
        let root = CollectionId::ALL_COMPUTERS;
        self.run(&BECOME_CHILDREN, args![id, root, self.change_next()?])?;
        self.run(&BECOME_DIRECT, args![id, MemberSource::Manual])?;
        self.run(&BECOME, args![id, root, self.change_next()?])?;
        Ok(())
    }

    /// Puts a computer into a collection by rule, where excludes and limits still count. True if it was not put there before.
    pub(crate) fn collection_direct_add(&self, id: CollectionId, computer: u32) -> Result<bool, StoreError> {
        Ok(self.run(&DIRECT_ADD, args![computer, id])? > 0)
    }

    /// Takes that back. True if it had been put there.
    pub(crate) fn collection_direct_remove(&self, id: CollectionId, computer: u32) -> Result<bool, StoreError> {
        Ok(self.run(&DIRECT_REMOVE, args![computer, id])? > 0)
    }

    /// Makes the collections by rule of a computer exactly these, and notes that it was looked at. True if something changed.
    pub fn computer_decide(
        &self,
        computer: u32,
        before: &[(CollectionId, MemberSource)],
        wanted: &[(CollectionId, MemberSource)],
    ) -> Result<bool, StoreError> {
        let (before, wanted): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), wanted.iter().collect());
        for (id, source) in before.difference(&wanted) {
            self.member_set(computer, *id, *source, false)?;
        }
        for (id, source) in wanted.difference(&before) {
            self.member_set(computer, *id, *source, true)?;
        }
        self.membership_todo_done(computer)?;
        Ok(before != wanted)
    }

    /// Notes that a computer was looked at.
    pub fn membership_todo_done(&self, computer: u32) -> Result<(), StoreError> {
        self.send(&TODO_DONE, args![computer])?;
        Ok(())
    }

    /// Notes that the members of all collections were found for this version of the definitions.
    pub fn membership_done(&self, version: u64) -> Result<(), StoreError> {
        self.run(&DONE, args![version])?;
        Ok(())
    }
}
