//! Lists of updates for administrators.

use std::{
    collections::{BTreeSet, HashSet},
    ops::ControlFlow,
};

use jiff::Timestamp;
use weir_model::{
    ids::{RevisionId, RevisionNumber, UpdateId, UpdateIdentity},
    update::{CategoryKind, Severity, UpdateType},
};

use crate::{
    ReadTx, StoreError,
    codec::{Row, args},
    page::{Page, cursor_number, page_rows},
    sql::statements,
};

/// Which updates to list; everything given must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UpdateFilter {
    /// Words that titles, KB articles or bulletins contain, compared without regard to case, or an update id.
    pub text: Option<String>,
    /// Of this type.
    pub update_type: Option<UpdateType>,
    /// Category revisions of this kind.
    pub category_kind: Option<CategoryKind>,
    /// In one of these categories; the server resolves families to their products. Empty does not filter.
    pub categories: Vec<UpdateId>,
    /// Declined, or not.
    pub declined: Option<bool>,
    /// Expired, or not.
    pub expired: Option<bool>,
    /// Deployable, or not.
    pub explicitly_deployable: Option<bool>,
    /// One of these (what the server works out itself: unresolved, needed). None does not filter.
    pub ids: Option<Vec<UpdateId>>,
}

/// A row per update: its newest revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpdateRow {
    /// Number of the newest revision.
    pub revision_id: RevisionId,
    /// Which revision that is.
    pub identity: UpdateIdentity,
    /// Its type.
    pub update_type: UpdateType,
    /// For categories, what kind of node.
    pub category_kind: Option<CategoryKind>,
    /// Title in the default language, trimmed for display.
    pub title: String,
    /// Categories it says it belongs to.
    pub categories: Vec<UpdateId>,
    /// Knowledge-base articles.
    pub kb_articles: Vec<String>,
    /// Security bulletins.
    pub bulletins: Vec<String>,
    /// MSRC severity.
    pub severity: Option<Severity>,
    /// When the publisher made it.
    pub created_at: Option<Timestamp>,
    /// When it arrived here.
    pub arrived_at: Timestamp,
    /// It is expired.
    pub expired: bool,
    /// It is declined.
    pub declined: bool,
    /// It can be deployed.
    pub explicitly_deployable: bool,
    /// It has bundled updates.
    pub is_bundle: bool,
}

/// Counts of stored revisions, and of distinct updates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Facets {
    /// Category revisions.
    pub category: u64,
    /// Detectoid revisions.
    pub detectoid: u64,
    /// Driver revisions.
    pub driver: u64,
    /// Software revisions.
    pub software: u64,
    /// Distinct update ids.
    pub updates: u64,
}

impl Facets {
    /// All revisions.
    pub fn total(&self) -> u64 {
        self.category + self.detectoid + self.driver + self.software
    }
}

/// A category for the product tree and the list of classifications.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CategoryRow {
    /// Its id.
    pub id: UpdateId,
    /// Number of its newest revision.
    pub revision_id: RevisionId,
    /// What kind of node.
    pub kind: CategoryKind,
    /// The node above it: its product family or company.
    pub parent: Option<UpdateId>,
    /// Title in the wanted language, else in the default language, trimmed.
    pub title: String,
}

statements! {
    UPDATE_SCAN: "listing updates" =
        "SELECT r.revision_id, r.update_type, r.category_kind, r.expired, r.explicitly_deployable, r.search,
             u.declined_at, u.newest_revision_id, u.update_id
         FROM revision r JOIN updates u ON u.update_no = r.update_no WHERE r.revision_id < ?1 ORDER BY r.revision_id DESC
         LIMIT ?2";
    UPDATE_SCAN_TYPE: "listing updates of a type" =
        "SELECT r.revision_id, r.update_type, r.category_kind, r.expired, r.explicitly_deployable, r.search,
             u.declined_at, u.newest_revision_id, u.update_id
         FROM revision r JOIN updates u ON u.update_no = r.update_no
         WHERE r.update_type = ?3 AND r.revision_id < ?1 ORDER BY r.revision_id DESC LIMIT ?2";
    UPDATE_FACTS: "reading what lists compare" =
        "SELECT r.revision_id, r.update_type, r.category_kind, r.expired, r.explicitly_deployable, r.search,
             u.declined_at, u.newest_revision_id, u.update_id
         FROM revision r JOIN updates u ON u.update_no = r.update_no WHERE r.revision_id = ?1";
    IN_CATEGORY: "listing revisions of a category" =
        "SELECT c.revision_id FROM updates u JOIN revision_category c ON c.update_no = u.update_no
         WHERE u.update_id = ?1";
    OF_UPDATE: "listing revisions of an update" =
        "SELECT r.revision_id FROM updates u JOIN revision r ON r.update_no = u.update_no WHERE u.update_id = ?1";
    UPDATE_ROW: "reading an update" =
        "SELECT r.revision_id, u.update_id, r.revision, r.update_type, r.category_kind, r.title, r.kb_articles,
             r.bulletins, r.severity, r.created_at, r.arrived_at, r.expired, u.declined_at, r.explicitly_deployable,
             r.is_bundle
         FROM revision r JOIN updates u ON u.update_no = r.update_no WHERE r.revision_id = ?1";
    NEWEST_OF: "looking for the newest revision" =
        "SELECT newest_revision_id FROM updates WHERE update_id = ?1 AND newest_revision_id IS NOT NULL";
    CATEGORY_LIST: "listing categories" =
        "SELECT u.update_id, r.revision_id, r.category_kind,
             (SELECT p.update_id FROM revision_category c JOIN updates p ON p.update_no = c.update_no
              WHERE c.revision_id = r.revision_id ORDER BY c.update_no LIMIT 1),
             coalesce((SELECT l.title FROM localized l WHERE l.revision_id = r.revision_id AND l.language = ?1
                       ORDER BY l.position LIMIT 1), r.title)
         FROM revision r JOIN updates u ON u.newest_revision_id = r.revision_id AND u.update_no = r.update_no
         WHERE r.update_type = 0 AND r.category_kind IS NOT NULL ORDER BY r.revision_id";
    LANGUAGE_LIST: "listing languages" = "SELECT language FROM language ORDER BY language";
}

/// Revisions that are read at first when lists look for those that match.
const SCAN_FIRST: u32 = 512;
/// And at most, as more are wanted.
const SCAN_MOST: u32 = 16 * 1024;

/// A filter with its text ready for comparison.
struct Wanted<'f> {
    filter: &'f UpdateFilter,
    words: Vec<String>,
    id: Option<UpdateId>,
}

impl<'f> Wanted<'f> {
    fn new(filter: &'f UpdateFilter) -> Self {
        let text = filter.text.as_deref().unwrap_or_default().trim();
        let words = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        Self { filter, words, id: text.parse().ok() }
    }

    /// Categories and ids are not compared here: they decide which rows are looked at.
    fn matches(&self, row: &Row<'_>) -> Result<bool, StoreError> {
        let filter = self.filter;
        let flag = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        Ok((filter.update_type.is_none() || filter.update_type == Some(row.coded(1)?))
            && (filter.category_kind.is_none() || filter.category_kind == row.opt(2, Row::coded)?)
            && flag(filter.expired, row.bool(3)?)
            && flag(filter.explicitly_deployable, row.bool(4)?)
            && flag(filter.declined, !row.is_null(6)?)
            && self.has_text(row)?)
    }

    fn has_text(&self, row: &Row<'_>) -> Result<bool, StoreError> {
        if self.words.is_empty() || self.id == Some(row.update_id(8)?) {
            return Ok(true);
        }
        let search = row.str(5)?;
        Ok(self.words.iter().all(|word| search.contains(word.as_str())))
    }
}

fn update_row(row: &Row<'_>) -> Result<UpdateRow, StoreError> {
    Ok(UpdateRow {
        revision_id: row.revision_id(0)?,
        identity: UpdateIdentity { update_id: row.update_id(1)?, revision: RevisionNumber(row.int(2)?) },
        update_type: row.coded(3)?,
        category_kind: row.opt(4, Row::coded)?,
        title: row.str(5)?.trim().to_owned(),
        categories: Vec::new(),
        kb_articles: row.lines(6)?,
        bulletins: row.lines(7)?,
        severity: row.opt(8, Row::coded)?,
        created_at: row.opt_time(9)?,
        arrived_at: row.time(10)?,
        expired: row.bool(11)?,
        declined: !row.is_null(12)?,
        explicitly_deployable: row.bool(13)?,
        is_bundle: row.bool(14)?,
    })
}

impl ReadTx<'_> {
    /// Updates, newest arrival first.
    pub fn update_list(
        &self,
        filter: &UpdateFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<UpdateRow>, StoreError> {
        let before: i32 = cursor_number(cursor, i32::MAX)?;
        let rows = page_rows(limit) as usize;
        let mut found: Vec<RevisionId> = Vec::new();
        self.update_scan(filter, before, |row| {
            let id = row.revision_id(0)?;
            if row.opt(7, Row::revision_id)? == Some(id) {
                found.push(id);
            }
            Ok(if found.len() < rows { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        let page = Page::cut(found, limit, RevisionId::to_string);
        let items = page.items.into_iter().filter_map(|id| self.update_row(id).transpose());
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next })
    }

    /// Counts of all stored revisions that match.
    pub fn update_facets(&self, filter: &UpdateFilter) -> Result<Facets, StoreError> {
        let mut facets = Facets::default();
        let mut updates = HashSet::new();
        self.update_scan(filter, i32::MAX, |row| {
            *match row.coded(1)? {
                UpdateType::Category => &mut facets.category,
                UpdateType::Detectoid => &mut facets.detectoid,
                UpdateType::Driver => &mut facets.driver,
                UpdateType::Software => &mut facets.software,
            } += 1;
            updates.insert(row.update_id(8)?);
            Ok(ControlFlow::Continue(()))
        })?;
        facets.updates = updates.len() as u64;
        Ok(facets)
    }

    /// One update's row.
    pub fn update_show(&self, update: UpdateId) -> Result<Option<UpdateRow>, StoreError> {
        let newest = self.first(&NEWEST_OF, args![update], |row| row.revision_id(0))?;
        newest.map_or(Ok(None), |id| self.update_row(id))
    }

    /// The newest revision of every category, by title.
    pub fn category_list(&self, language: &str) -> Result<Vec<CategoryRow>, StoreError> {
        let mut rows = self.all(&CATEGORY_LIST, args![&language.to_lowercase()], |row| {
            Ok(CategoryRow {
                id: row.update_id(0)?,
                revision_id: row.revision_id(1)?,
                kind: row.coded(2)?,
                parent: row.opt(3, Row::update_id)?,
                title: row.str(4)?.trim().to_owned(),
            })
        })?;
        rows.sort_by_cached_key(|row| (row.title.to_lowercase(), row.id));
        Ok(rows)
    }

    /// Languages in which some revision has or had a title, ascending.
    pub fn language_list(&self) -> Result<Vec<String>, StoreError> {
        self.all(&LANGUAGE_LIST, args![], |row| row.text(0))
    }

    fn update_row(&self, id: RevisionId) -> Result<Option<UpdateRow>, StoreError> {
        let Some(mut row) = self.first(&UPDATE_ROW, args![id], update_row)? else { return Ok(None) };
        row.categories = self.revision_categories(id)?;
        Ok(Some(row))
    }

    /// Hands every matching revision with a number below `before` to `each`, newest number first.
    fn update_scan(
        &self,
        filter: &UpdateFilter,
        before: i32,
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let wanted = Wanted::new(filter);
        let mut visit = |row: &Row<'_>| if wanted.matches(row)? { each(row) } else { Ok(ControlFlow::Continue(())) };
        let Some(chosen) = self.update_chosen(filter)? else {
            return self.update_scan_all(filter.update_type, before, visit);
        };
        for id in chosen.range(..RevisionId(before)).rev() {
            let mut flow = ControlFlow::Continue(());
            self.each(&UPDATE_FACTS, args![*id], |row| {
                flow = visit(row)?;
                Ok(flow)
            })?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Hands every revision, or every one of a type, with a number below `before` to `visit`, newest number first. They are read
    /// some at a time, more and more: a server sends all rows of a statement, also when it is the first ones that are looked at.
    fn update_scan_all(
        &self,
        update_type: Option<UpdateType>,
        mut before: i32,
        mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut most = SCAN_FIRST;
        loop {
            let (from, mut looked, mut flow) = (before, 0_u32, ControlFlow::Continue(()));
            let each = |row: &Row<'_>| -> Result<ControlFlow<()>, StoreError> {
                looked += 1;
                before = row.int(0)?;
                flow = visit(row)?;
                Ok(flow)
            };
            match update_type {
                Some(update_type) => self.each(&UPDATE_SCAN_TYPE, args![from, most, update_type], each)?,
                None => self.each(&UPDATE_SCAN, args![from, most], each)?,
            }
            if flow.is_break() || looked < most {
                return Ok(());
            }
            most = (most * 4).min(SCAN_MOST);
        }
    }

    /// The revisions that the filter's categories and ids leave; none if it has neither.
    fn update_chosen(&self, filter: &UpdateFilter) -> Result<Option<BTreeSet<RevisionId>>, StoreError> {
        let mut chosen: Option<BTreeSet<RevisionId>> = None;
        if let Some(ids) = &filter.ids {
            let mut of_ids = BTreeSet::new();
            for id in ids {
                of_ids.extend(self.all(&OF_UPDATE, args![*id], |row| row.revision_id(0))?);
            }
            chosen = Some(of_ids);
        }
        if !filter.categories.is_empty() {
            let mut of_categories = BTreeSet::new();
            for category in &filter.categories {
                of_categories.extend(self.all(&IN_CATEGORY, args![*category], |row| row.revision_id(0))?);
            }
            chosen = Some(match chosen {
                Some(of_ids) => of_ids.intersection(&of_categories).copied().collect(),
                None => of_categories,
            });
        }
        Ok(chosen)
    }
}
