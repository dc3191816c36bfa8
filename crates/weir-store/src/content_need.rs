//! Which content files something needs, and who still has a use for one.

use std::{collections::BTreeMap, ops::ControlFlow};

use uuid::Uuid;
use weir_model::{
    content::{ContentPolicy, FileFacts, FileUse, Holding, complete},
    ids::{ContentDigest, DeploymentId, RevisionId, RevisionNumber, Sha256Digest, UpdateId},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, row},
    sql::statements,
};

/// A content file that something needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NeededFile {
    /// Its SHA-1.
    pub digest: ContentDigest,
    /// Its SHA-256, if a document has it.
    pub sha256: Option<Sha256Digest>,
    /// Its length in bytes.
    pub size: u64,
    /// Its name.
    pub name: String,
    /// It holds licence terms.
    pub eula: bool,
    /// Some address of it is known.
    pub source: bool,
    /// How it stands.
    pub holding: Holding,
}

impl NeededFile {
    /// It is here and verified.
    pub fn is_here(&self) -> bool {
        self.holding == Holding::Here
    }

    /// It is part of what the update needs: not left out.
    pub fn counts(&self) -> bool {
        self.holding != Holding::LeftOut
    }
}

/// What of the stored updates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NeededBy {
    /// Enabled deployments to install, required or optional, of what is not declined.
    Deployments,
    /// Every live update that can be deployed.
    Live,
}

statements! {
    FILES_OF_UPDATE: "listing the files of an update" =
        "WITH RECURSIVE needed (revision_id) AS (
             SELECT r.revision_id FROM updates u JOIN revision r ON r.update_no = u.update_no
             WHERE u.update_id = ?1
                 AND ((CAST(?2 AS BIGINT) IS NULL AND r.revision_id = u.newest_revision_id) OR r.revision = ?2)
             UNION
             SELECT m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT f.digest, f.sha256, f.size, f.name, CASE WHEN c.state = 0 THEN 1 ELSE 0 END,
             CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END,
             (SELECT string_agg(l.language, ' ') FROM revision_language l WHERE l.revision_id = f.revision_id)
         FROM revision_file f LEFT JOIN content_file c ON c.digest = f.digest
         WHERE f.revision_id IN (SELECT n.revision_id FROM needed n)";
    FILES_OF_GROUP: "listing the files of an update group" =
        "WITH RECURSIVE needed (revision_id) AS (
             SELECT u.newest_revision_id FROM update_group_member g JOIN updates u ON u.update_no = g.update_no
             WHERE g.group_id = ?1 AND u.newest_revision_id IS NOT NULL AND u.declined_at IS NULL
             UNION
             SELECT m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT f.digest, f.sha256, f.size, f.name, CASE WHEN c.state = 0 THEN 1 ELSE 0 END,
             CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END,
             (SELECT string_agg(l.language, ' ') FROM revision_language l WHERE l.revision_id = f.revision_id)
         FROM revision_file f LEFT JOIN content_file c ON c.digest = f.digest
         WHERE f.revision_id IN (SELECT n.revision_id FROM needed n)";
    EULAS_OF_GROUP: "listing licences of an update group" =
        "WITH RECURSIVE needed (revision_id) AS (
             SELECT u.newest_revision_id FROM update_group_member g JOIN updates u ON u.update_no = g.update_no
             WHERE g.group_id = ?1 AND u.newest_revision_id IS NOT NULL AND u.declined_at IS NULL
             UNION
             SELECT m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT u.update_id, r.eula_id, r.title FROM needed n CROSS JOIN revision r JOIN updates u ON u.update_no = r.update_no
         WHERE r.revision_id = n.revision_id AND r.eula_id IS NOT NULL AND r.expired = 0
         ORDER BY u.update_no, r.revision_id";
    FILES_DEPLOYED: "listing content of deployments" =
        "WITH RECURSIVE needed (revision_id) AS (
             SELECT r.revision_id FROM deployment d JOIN updates u ON u.update_no = d.update_no
                 JOIN revision r ON r.update_no = u.update_no
             WHERE d.enabled = 1 AND d.action IN (1, 2) AND u.declined_at IS NULL
                 AND ((d.revision IS NULL AND r.revision_id = u.newest_revision_id) OR r.revision = d.revision)
             UNION
             SELECT m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT f.digest, f.sha256, f.size, f.name,
             CASE WHEN EXISTS (SELECT 1 FROM content_file c WHERE c.digest = f.digest AND c.state = 0) THEN 1 ELSE 0 END,
             CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END,
             (SELECT string_agg(l.language, ' ') FROM revision_language l WHERE l.revision_id = f.revision_id)
         FROM revision_file f WHERE f.revision_id IN (SELECT n.revision_id FROM needed n)";
    FILES_MISSING: "listing content that deployments wait for" =
        "WITH RECURSIVE needed (revision_id) AS (
             SELECT r.revision_id FROM deployment d JOIN updates u ON u.update_no = d.update_no
                 JOIN revision r ON r.update_no = u.update_no
             WHERE d.enabled = 1 AND d.action IN (1, 2) AND u.declined_at IS NULL
                 AND ((d.revision IS NULL AND r.revision_id = u.newest_revision_id) OR r.revision = d.revision)
             UNION
             SELECT m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT f.digest, f.sha256, f.size, f.name, 0, CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END,
             (SELECT string_agg(l.language, ' ') FROM revision_language l WHERE l.revision_id = f.revision_id)
         FROM revision_file f WHERE f.revision_id IN (SELECT n.revision_id FROM needed n)
             AND NOT EXISTS (SELECT 1 FROM content_file c WHERE c.digest = f.digest AND c.state = 0)";
    DEPLOYMENTS_MISSING: "listing deployments with the content that each waits for" =
        "WITH RECURSIVE needed (deployment_id, revision_id) AS (
             SELECT d.deployment_id, r.revision_id FROM deployment d JOIN updates u ON u.update_no = d.update_no
                 JOIN revision r ON r.update_no = u.update_no
             WHERE d.enabled = 1 AND d.active < ?1 AND d.action IN (1, 2) AND u.declined_at IS NULL
                 AND ((d.revision IS NULL AND r.revision_id = u.newest_revision_id) OR r.revision = d.revision)
             UNION
             SELECT n.deployment_id, m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT f.digest, f.sha256, f.size, f.name, 0, CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END,
             (SELECT string_agg(l.language, ' ') FROM revision_language l WHERE l.revision_id = f.revision_id),
             n.deployment_id
         FROM needed n JOIN revision_file f ON f.revision_id = n.revision_id
         WHERE NOT EXISTS (SELECT 1 FROM content_file c WHERE c.digest = f.digest AND c.state = 0)";
    FILES_LIVE: "listing content of live updates" =
        "WITH RECURSIVE needed (revision_id) AS (
             SELECT r.revision_id FROM updates u JOIN revision r ON r.revision_id = u.newest_revision_id
             WHERE u.declined_at IS NULL AND r.expired = 0 AND r.explicitly_deployable = 1 AND r.update_type IN (2, 3)
             UNION
             SELECT m.revision_id FROM needed n JOIN bundle b ON b.revision_id = n.revision_id
                 JOIN revision m ON m.update_no = b.update_no AND m.revision = b.revision)
         SELECT f.digest, f.sha256, f.size, f.name,
             CASE WHEN EXISTS (SELECT 1 FROM content_file c WHERE c.digest = f.digest AND c.state = 0) THEN 1 ELSE 0 END,
             CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END,
             (SELECT string_agg(l.language, ' ') FROM revision_language l WHERE l.revision_id = f.revision_id)
         FROM revision_file f WHERE f.revision_id IN (SELECT n.revision_id FROM needed n)";
    EULAS_LIVE: "listing licence files of live updates" =
        "SELECT f.digest, f.sha256, f.size, f.name,
             CASE WHEN EXISTS (SELECT 1 FROM content_file c WHERE c.digest = f.digest AND c.state = 0) THEN 1 ELSE 0 END,
             1, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END, NULL
         FROM revision_file f JOIN revision r ON r.revision_id = f.revision_id
             JOIN updates u ON u.update_no = r.update_no
         WHERE f.eula_language IS NOT NULL AND u.declined_at IS NULL AND r.expired = 0
             AND (u.newest_revision_id = r.revision_id
                 OR EXISTS (SELECT 1 FROM bundle b WHERE b.update_no = r.update_no AND b.revision = r.revision))";
    FILES_REQUESTED: "listing files that downstream servers asked for" =
        "SELECT f.digest, f.sha256, f.size, f.name,
             CASE WHEN EXISTS (SELECT 1 FROM content_file c WHERE c.digest = f.digest AND c.state = 0) THEN 1 ELSE 0 END,
             CASE WHEN f.eula_language IS NULL THEN 0 ELSE 1 END, f.express,
             CASE WHEN EXISTS (SELECT 1 FROM file_source s WHERE s.digest = f.digest) THEN 1 ELSE 0 END, NULL
         FROM content_request q JOIN revision_file f ON f.digest = q.digest";
    FILE_USE: "looking who needs a file" =
        "WITH RECURSIVE up (revision_id) AS (
             SELECT f.revision_id FROM revision_file f WHERE f.digest = ?1
             UNION
             SELECT b.revision_id FROM up n JOIN revision m ON m.revision_id = n.revision_id
                 JOIN bundle b ON b.update_no = m.update_no AND b.revision = m.revision)
         SELECT count(*),
             sum(CASE WHEN u.newest_revision_id = r.revision_id AND u.declined_at IS NULL AND r.expired = 0
                 AND r.explicitly_deployable = 1 THEN 1 ELSE 0 END),
             sum(CASE WHEN u.declined_at IS NULL AND EXISTS (SELECT 1 FROM deployment d
                 WHERE d.update_no = r.update_no
                     AND ((d.revision IS NULL AND u.newest_revision_id = r.revision_id) OR d.revision = r.revision))
                 THEN 1 ELSE 0 END)
         FROM up n JOIN revision r ON r.revision_id = n.revision_id JOIN updates u ON u.update_no = r.update_no";
    FILE_LICENCE: "looking whether a file holds licence terms" =
        "SELECT count(*) FROM revision_file f JOIN revision r ON r.revision_id = f.revision_id
             JOIN updates u ON u.update_no = r.update_no
         WHERE f.digest = ?1 AND f.eula_language IS NOT NULL AND u.declined_at IS NULL AND r.expired = 0
             AND (u.newest_revision_id = r.revision_id
                 OR EXISTS (SELECT 1 FROM bundle b WHERE b.update_no = r.update_no AND b.revision = r.revision))";
    FILE_REQUESTED: "looking whether a file was asked for" = "SELECT count(*) FROM content_request WHERE digest = ?1";
    FILE_IS_LICENCE: "looking what a file holds" =
        "SELECT count(*) FROM revision_file WHERE digest = ?1 AND eula_language IS NOT NULL";
    FACTS_MISSING: "looking for revisions without facts of their content" =
        "SELECT revision_id FROM revision WHERE content_facts = 0 AND revision_id > 0 ORDER BY revision_id
         LIMIT ?1";
    FACTS_PUT: "noting that facts of content are known" =
        "UPDATE revision SET content_facts = 1, compatible_protocol = ?2 WHERE revision_id = ?1";
    FACTS_LANGUAGE: "noting a language of a revision" =
        "INSERT INTO revision_language (revision_id, language) VALUES (?1, ?2)
         ON CONFLICT (revision_id, language) DO NOTHING";
    FACTS_EXPRESS: "noting an express file" =
        "UPDATE revision_file SET express = 1 WHERE revision_id = ?1 AND digest = ?2";
}

/// Deployments that wait for content, with the number and the bytes of the files that each waits for.
pub type Waiting = BTreeMap<DeploymentId, (u64, u64)>;

fn needed(row: &Row<'_>, policy: &ContentPolicy) -> Result<NeededFile, StoreError> {
    let languages: Vec<String> =
        row.opt_text(8)?.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
    let facts = FileFacts { eula: row.bool(5)?, express: row.bool(6)?, languages: &languages };
    let source = row.bool(7)?;
    Ok(NeededFile {
        digest: row.digest(0)?,
        sha256: row.opt(1, Row::sha256)?,
        size: row.int(2)?,
        name: row.text(3)?,
        eula: facts.eula,
        source,
        holding: policy.holding(&facts, row.bool(4)?, source),
    })
}

/// One row per digest, ascending; a SHA-256 may be missing in some of the documents, and what one revision leaves out
/// another may need. Not done by the query: asked for an order, an engine without statistics walks all files of the
/// catalogue.
fn distinct(mut rows: Vec<NeededFile>) -> Vec<NeededFile> {
    rows.sort_by(|a, b| (a.digest, &a.name).cmp(&(b.digest, &b.name)));
    let mut files: Vec<NeededFile> = Vec::with_capacity(rows.len());
    for row in rows {
        match files.last_mut().filter(|file| file.digest == row.digest) {
            Some(file) => {
                file.sha256 = file.sha256.or(row.sha256);
                file.eula |= row.eula;
                file.holding = file.holding.min(row.holding);
            }
            None => files.push(row),
        }
    }
    files
}

impl ReadTx<'_> {
    /// Distinct files (licence files included) of an update and, for a bundle, of every member in the catalogue, all
    /// alternatives, to any depth. `revision` none takes the newest.
    pub fn deployment_files(
        &self,
        update: UpdateId,
        revision: Option<RevisionNumber>,
        policy: &ContentPolicy,
    ) -> Result<Vec<NeededFile>, StoreError> {
        Ok(distinct(self.all(&FILES_OF_UPDATE, args![update, revision], |row| needed(row, policy))?))
    }

    /// Distinct files of all members of an update group that are not declined, with those of their own members.
    pub fn update_group_files(&self, group: Uuid, policy: &ContentPolicy) -> Result<Vec<NeededFile>, StoreError> {
        Ok(distinct(self.all(&FILES_OF_GROUP, args![group], |row| needed(row, policy))?))
    }

    /// Licences of the members of an update group, and of their members, accepted or not: the update that has it, its id,
    /// the update's title.
    pub fn update_group_licences(&self, group: Uuid) -> Result<Vec<(UpdateId, String, String)>, StoreError> {
        self.all(&EULAS_OF_GROUP, args![group], |row| {
            Ok((row.update_id(0)?, row.text(1)?, row.str(2)?.trim().to_owned()))
        })
    }

    /// Files that enabled deployments to install (required or optional) wait for, each once. What is declined is left
    /// out.
    pub fn deployment_files_missing(&self, policy: &ContentPolicy) -> Result<Vec<NeededFile>, StoreError> {
        let mut files = distinct(self.all(&FILES_MISSING, args![], |row| needed(row, policy))?);
        files.retain(|file| matches!(file.holding, Holding::Wanted | Holding::Nowhere));
        Ok(files)
    }

    /// Enabled deployments to install (required or optional) whose content is not complete, with the number and bytes of
    /// the files that each waits for.
    pub fn deployments_waiting(&self, policy: &ContentPolicy) -> Result<Waiting, StoreError> {
        self.waiting(policy, 2)
    }

    /// The same of those only that do not go out with their action, which are few as a rule.
    pub fn deployments_waiting_idle(&self, policy: &ContentPolicy) -> Result<Waiting, StoreError> {
        self.waiting(policy, 1)
    }

    /// Of deployments whose `active`, 0 or 1, is below that number.
    fn waiting(&self, policy: &ContentPolicy, below: u8) -> Result<Waiting, StoreError> {
        let mut by_deployment: BTreeMap<i32, Vec<NeededFile>> = BTreeMap::new();
        self.each(&DEPLOYMENTS_MISSING, args![below], |row| {
            by_deployment.entry(row.int(9)?).or_default().push(needed(row, policy)?);
            Ok(ControlFlow::Continue(()))
        })?;
        let mut waiting = BTreeMap::new();
        for (id, files) in by_deployment {
            let mut files = distinct(files);
            // files that are here are not among these rows: they decide whether everything else may be left out
            if files.iter().any(|file| !file.counts()) {
                let Some(row) = self.deployment_show(DeploymentId(id))? else { continue };
                let crate::deployment::Deployed::Update { id, revision } = row.deployed else { continue };
                files = self.deployment_files(id, revision, policy)?;
            }
            if complete(files.iter().map(|file| (file.eula, file.holding))) {
                continue;
            }
            files.retain(|file| matches!(file.holding, Holding::Wanted | Holding::Nowhere));
            waiting.insert(DeploymentId(id), (files.len() as u64, files.iter().map(|file| file.size).sum()));
        }
        Ok(waiting)
    }

    /// Distinct files, here or not, of the stored updates that something asks for.
    pub fn content_needed(&self, by: NeededBy, policy: &ContentPolicy) -> Result<Vec<NeededFile>, StoreError> {
        let statement = match by {
            NeededBy::Deployments => &FILES_DEPLOYED,
            NeededBy::Live => &FILES_LIVE,
        };
        Ok(distinct(self.all(statement, args![], |row| needed(row, policy))?))
    }

    /// Distinct licence files, here or not, of live updates and of members of bundles: computers need them to scan.
    pub fn content_licences(&self, policy: &ContentPolicy) -> Result<Vec<NeededFile>, StoreError> {
        Ok(distinct(self.all(&EULAS_LIVE, args![], |row| needed(row, policy))?))
    }

    /// Distinct files, here or not, that downstream servers asked for and that stored revisions name. Languages do not
    /// matter to what is asked for by name.
    pub fn content_requested(&self, policy: &ContentPolicy) -> Result<Vec<NeededFile>, StoreError> {
        Ok(distinct(self.all(&FILES_REQUESTED, args![], |row| needed(row, policy))?))
    }

    /// Who still needs a file.
    pub fn content_use(&self, digest: ContentDigest) -> Result<FileUse, StoreError> {
        let (named, live, deployed) = self.one(&FILE_USE, args![digest], |row| {
            let many = |column| Ok::<bool, StoreError>(row.opt_int::<i64>(column)?.unwrap_or(0) > 0);
            Ok((many(0)?, many(1)?, many(2)?))
        })?;
        let licence = self.one(&FILE_LICENCE, args![digest], |row| row.bool(0))?;
        let requested = self.one(&FILE_REQUESTED, args![digest], |row| row.bool(0))?;
        Ok(FileUse { named, live, deployed, licence, requested })
    }

    /// Whether some document names a file as licence terms.
    pub fn file_is_licence(&self, digest: ContentDigest) -> Result<bool, StoreError> {
        self.one(&FILE_IS_LICENCE, args![digest], |row| row.bool(0))
    }

    /// Revisions that an earlier release stored, whose languages and kinds of files are not known yet.
    pub fn content_facts_missing(&self, limit: u32) -> Result<Vec<RevisionId>, StoreError> {
        self.all(&FACTS_MISSING, args![limit], |row| row.revision_id(0))
    }
}

/// Whether this can be the name of a language: names are keys, which have no room for long texts.
pub(crate) fn is_language(name: &str) -> bool {
    name.len() <= 100
}

impl WriteTx<'_> {
    pub(crate) fn revision_language_add(&self, id: RevisionId, language: &str) -> Result<(), StoreError> {
        if is_language(language) {
            self.send(&FACTS_LANGUAGE, args![id, language])?;
        }
        Ok(())
    }

    /// Notes languages (short names, lower case), express files and CompatibleProtocolVersion of a revision that an
    /// earlier release stored.
    pub fn content_facts_put(
        &self,
        id: RevisionId,
        languages: &[String],
        express: &[ContentDigest],
        compatible_protocol: Option<&str>,
    ) -> Result<(), StoreError> {
        for language in languages {
            self.revision_language_add(id, language)?;
        }
        self.run_many(&FACTS_EXPRESS, express.iter().map(|digest| row![id, *digest]))?;
        self.send(&FACTS_PUT, args![id, compatible_protocol])?;
        Ok(())
    }
}
