//! What in the database contradicts itself although its file is sound. Only read, and only when an administrator suspects damage:
//! each look passes over whole tables.

use std::ops::ControlFlow;

use weir_model::{
    ids::{RevisionId, UpdateIdentity},
    status::ComputerStatus,
};

use crate::{ReadTx, StoreError, codec::args, import::is_hash_of, sql::statements};

/// Findings of a kind that are named; further ones are counted.
const NAMED: usize = 20;

/// Things of a kind that are not as they should be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Suspects {
    /// How many.
    pub count: u64,
    /// The first of them, each with what is wrong.
    pub named: Vec<String>,
}

impl Suspects {
    /// One more.
    pub fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(what());
        }
    }
}

statements! {
    TEXTS: "looking at the texts of revisions" =
        "SELECT r.revision_id, r.text_hash, u.update_id, r.revision FROM revision r
             JOIN updates u ON u.update_no = r.update_no
         WHERE r.revision_id > ?1 ORDER BY r.revision_id LIMIT ?2";
    COUNTER: "comparing the counter of changes with what it counted" =
        "SELECT (SELECT value FROM counter WHERE name = 'change'),
             coalesce((SELECT max(c.change) FROM
                 (SELECT max(change) AS change FROM revision
                  UNION ALL SELECT max(flags_change) FROM updates UNION ALL SELECT max(declined_change) FROM updates
                  UNION ALL SELECT max(change) FROM collection UNION ALL SELECT max(change) FROM update_group
                  UNION ALL SELECT max(change) FROM deployment UNION ALL SELECT max(change) FROM retired_deployment
                  UNION ALL SELECT max(change) FROM setting) c), 0)";
    NEWEST: "looking for updates whose newest revision is not there" =
        "SELECT u.update_id FROM updates u WHERE u.newest_revision_id IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM revision r WHERE r.revision_id = u.newest_revision_id AND r.update_no = u.update_no)
         ORDER BY u.update_no";
    RELATED: "looking for relationships of updates that are not there" =
        "SELECT p.revision_id, p.update_no FROM
             (SELECT revision_id, update_no FROM prerequisite WHERE update_no IS NOT NULL
              UNION ALL SELECT revision_id, update_no FROM bundle WHERE update_no IS NOT NULL
              UNION ALL SELECT revision_id, update_no FROM superseded) p
         WHERE NOT EXISTS (SELECT 1 FROM updates u WHERE u.update_no = p.update_no)
         ORDER BY p.revision_id, p.update_no";
    CATEGORIES: "looking for categories that are not there" =
        "SELECT c.revision_id, c.update_no FROM revision_category c
         WHERE NOT EXISTS (SELECT 1 FROM updates u WHERE u.update_no = c.update_no)
         ORDER BY c.revision_id, c.update_no";
}

/// Revisions looked at between two chances to stop.
const PAGE: u32 = 500;

impl ReadTx<'_> {
    /// Revisions whose original document is not the one that was stored, cannot be read, or is not there. `step` is told how many
    /// were looked at; breaking off ends it.
    pub fn inspect_texts(&self, step: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Suspects, StoreError> {
        let (mut suspects, mut after, mut looked) = (Suspects::default(), RevisionId(0), 0);
        loop {
            let rows = self.all(&TEXTS, args![after, PAGE], |row| {
                let identity = UpdateIdentity::new(row.update_id(2)?, row.int(3)?);
                Ok((row.revision_id(0)?, row.sha256(1)?, identity))
            })?;
            for (id, hash, identity) in &rows {
                match self.document_text(*id) {
                    Ok(Some(text)) if is_hash_of(*hash, &text) => {}
                    Ok(Some(_)) => suspects.add(|| format!("{identity}: its text is not the one that was stored")),
                    Ok(None) => suspects.add(|| format!("{identity}: its text is not there")),
                    Err(error) => suspects.add(|| format!("{identity}: {error}")),
                }
                after = *id;
            }
            looked += rows.len() as u64;
            if rows.is_empty() || step(looked).is_break() {
                return Ok(suspects);
            }
        }
    }

    /// Computers whose stored status cannot be read. `step` is told how many were looked at; breaking off ends it.
    pub fn inspect_status(&self, step: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Suspects, StoreError> {
        let (mut suspects, mut damaged, mut looked) = (Suspects::default(), Vec::new(), 0);
        self.computer_status_each(&mut |no, row| {
            looked += 1;
            if !row.status.is_empty()
                && let Err(error) = ComputerStatus::decode(&row.status)
            {
                damaged.push((no, error));
            }
            let _ = step(looked);
            Ok(())
        })?;
        for (no, error) in damaged {
            let name = self.computer_show(no).ok().flatten().map(|computer| computer.dns_name);
            suspects.add(|| format!("{}: {error}", name.filter(|name| !name.is_empty()).unwrap_or(no.to_string())));
        }
        Ok(suspects)
    }

    /// The counter of changes, and the largest number that something carries: the counter is never below it.
    pub fn inspect_counter(&self) -> Result<(u64, u64), StoreError> {
        self.one(&COUNTER, args![], |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// What names updates and revisions that are not there, past what the engine itself checks.
    pub fn inspect_references(&self) -> Result<Suspects, StoreError> {
        let mut suspects = Suspects::default();
        for update in self.all(&NEWEST, args![], |row| row.update_id(0))? {
            suspects.add(|| format!("update {update}: its newest revision is not there"));
        }
        for (statement, what) in [(&RELATED, "a relationship"), (&CATEGORIES, "a category")] {
            let rows = self.all(statement, args![], |row| Ok((row.revision_id(0)?, row.int::<u32>(1)?)))?;
            for (revision, update) in rows {
                suspects.add(|| format!("{what} of revision {} names update number {update}", revision.0));
            }
        }
        Ok(suspects)
    }
}
