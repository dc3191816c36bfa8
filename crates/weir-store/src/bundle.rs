//! Bundles: the key that signs them, the signers that are trusted, what was issued and what came.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{ChangeNumber, ContentDigest, RevisionId, Sha256Digest};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args, row},
    sql::statements,
};

/// The key that this site signs with.
#[derive(Clone, Eq, PartialEq)]
pub struct BundleKey {
    /// Its secret half, as the cryptographic library writes it.
    pub secret: Vec<u8>,
    /// Its public half.
    pub public: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for BundleKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BundleKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A signer whose bundles are taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedSigner {
    /// SHA-256 of its public key.
    pub fingerprint: Sha256Digest,
    /// What the administrator calls it.
    pub name: String,
    /// Since when.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: String,
}

/// A bundle that was made here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuedBundle {
    /// Its place in the order of bundles of this site.
    pub sequence: u64,
    /// Its id.
    pub id: Uuid,
    /// The bundle that it builds on.
    pub base: Option<Uuid>,
    /// Everything up to this change is in it or in what it builds on.
    pub change: ChangeNumber,
    /// When it was made.
    pub issued_at: Timestamp,
}

/// How far a bundle is that came here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BundleState {
    /// Parts are arriving.
    Receiving,
    /// Its metadata and decisions are in the catalogue; content is on its way into the content store.
    Committed,
    /// All of it is applied.
    Applied,
}

/// A bundle that came here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedBundle {
    /// Its id.
    pub id: Uuid,
    /// Fingerprint of its signer.
    pub signer: Sha256Digest,
    /// Its place in the signer's order.
    pub sequence: u64,
    /// How far it is.
    pub state: BundleState,
    /// Its manifest, as it came.
    pub manifest: String,
    /// What became of it.
    pub result: Option<serde_json::Value>,
    /// When its manifest came.
    pub received_at: Timestamp,
    /// Who brought it.
    pub received_by: String,
    /// When it was applied.
    pub applied_at: Option<Timestamp>,
}

/// How far a part is that came here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PartState {
    /// Here, its digest compared.
    Here,
    /// Used up.
    Used,
}

statements! {
    KEY_SHOW: "reading the signing key" = "SELECT secret, public, created_at FROM bundle_key WHERE key_no = 1";
    KEY_CREATE: "keeping the signing key" =
        "INSERT INTO bundle_key (key_no, secret, public, created_at) VALUES (1, ?1, ?2, ?3) ON CONFLICT (key_no) DO NOTHING";
    TRUST_LIST: "listing trusted signers" =
        "SELECT fingerprint, name, added_at, added_by FROM bundle_trust ORDER BY fingerprint";
    TRUST_SHOW: "looking for a trusted signer" =
        "SELECT fingerprint, name, added_at, added_by FROM bundle_trust WHERE fingerprint = ?1";
    TRUST_ADD: "trusting a signer" =
        "INSERT INTO bundle_trust (fingerprint, name, added_at, added_by) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name";
    TRUST_REMOVE: "trusting a signer no longer" = "DELETE FROM bundle_trust WHERE fingerprint = ?1";
    ISSUED_ADD: "noting a bundle made here" =
        "INSERT INTO bundle_issued (bundle_id, base_id, change, issued_at, issued_by) VALUES (?1, ?2, ?3, ?4, ?5)
         RETURNING sequence";
    ISSUED_FILE_ADD: "noting a file of a bundle" = "INSERT INTO bundle_issued_file (sequence, digest) VALUES (?1, ?2)";
    ISSUED_SHOW: "reading a bundle made here" =
        "SELECT sequence, bundle_id, base_id, change, issued_at FROM bundle_issued WHERE bundle_id = ?1";
    ISSUED_FILES: "listing the files of a bundle made here" = "SELECT digest FROM bundle_issued_file WHERE sequence = ?1";
    RECEIVED_LIST: "listing bundles that came" =
        "SELECT bundle_id, signer, sequence, state, manifest, result, received_at, received_by, applied_at
         FROM bundle_received ORDER BY bundle_id";
    RECEIVED_SHOW: "reading a bundle that came" =
        "SELECT bundle_id, signer, sequence, state, manifest, result, received_at, received_by, applied_at
         FROM bundle_received WHERE bundle_id = ?1";
    RECEIVED_LAST: "looking for the newest bundle of a signer" =
        "SELECT max(sequence) FROM bundle_received WHERE signer = ?1 AND state > 0";
    RECEIVED_ADD: "noting a bundle that came" =
        "INSERT INTO bundle_received (bundle_id, signer, sequence, state, manifest, received_at, received_by)
         VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6) ON CONFLICT (bundle_id) DO NOTHING";
    RECEIVED_STATE: "noting how far a bundle is" =
        "UPDATE bundle_received SET state = ?2, result = coalesce(?3, result), applied_at = coalesce(?4, applied_at)
         WHERE bundle_id = ?1";
    RECEIVED_DELETE: "forgetting a bundle" = "DELETE FROM bundle_received WHERE bundle_id = ?1 AND state = 0";
    PARTS: "listing the parts of a bundle" = "SELECT number, state FROM bundle_part WHERE bundle_id = ?1 ORDER BY number";
    PART_PUT: "noting a part of a bundle" =
        "INSERT INTO bundle_part (bundle_id, number, state) VALUES (?1, ?2, ?3)
         ON CONFLICT (bundle_id, number) DO UPDATE SET state = excluded.state";
    PART_DELETE: "forgetting a part of a bundle" = "DELETE FROM bundle_part WHERE bundle_id = ?1 AND number = ?2";
    DOCUMENT_BYTES: "adding up the documents of a revision" =
        "SELECT coalesce(sum(plain_len), 0) FROM text_piece WHERE revision_id = ?1 AND kind = 0";
}

fn received(row: &Row<'_>) -> Result<ReceivedBundle, StoreError> {
    Ok(ReceivedBundle {
        id: row.uuid(0)?,
        signer: row.sha256(1)?,
        sequence: row.int(2)?,
        state: row.coded(3)?,
        manifest: row.text(4)?,
        result: row.opt(5, Row::json)?,
        received_at: row.time(6)?,
        received_by: row.text(7)?,
        applied_at: row.opt_time(8)?,
    })
}

fn signer(row: &Row<'_>) -> Result<TrustedSigner, StoreError> {
    Ok(TrustedSigner {
        fingerprint: row.sha256(0)?,
        name: row.text(1)?,
        added_at: row.time(2)?,
        added_by: row.text(3)?,
    })
}

impl ReadTx<'_> {
    /// The key that this site signs with, once it was made.
    pub fn bundle_key(&self) -> Result<Option<BundleKey>, StoreError> {
        self.first(&KEY_SHOW, args![], |row| {
            Ok(BundleKey { secret: row.bytes(0)?.to_vec(), public: row.secret(1)?, created_at: row.time(2)? })
        })
    }

    /// Signers whose bundles are taken.
    pub fn bundle_trust_list(&self) -> Result<Vec<TrustedSigner>, StoreError> {
        self.all(&TRUST_LIST, args![], signer)
    }

    /// The signer of that fingerprint, if it is trusted.
    pub fn bundle_trust_show(&self, fingerprint: Sha256Digest) -> Result<Option<TrustedSigner>, StoreError> {
        self.first(&TRUST_SHOW, args![fingerprint], signer)
    }

    /// A bundle that was made here.
    pub fn bundle_issued_show(&self, id: Uuid) -> Result<Option<IssuedBundle>, StoreError> {
        self.first(&ISSUED_SHOW, args![id], |row| {
            Ok(IssuedBundle {
                sequence: row.int(0)?,
                id: row.uuid(1)?,
                base: row.opt(2, Row::uuid)?,
                change: row.change(3)?,
                issued_at: row.time(4)?,
            })
        })
    }

    /// The content files of a bundle made here and of those that it builds on. None if one of these is not known.
    pub fn bundle_issued_files(&self, id: Uuid) -> Result<Option<HashSet<ContentDigest>>, StoreError> {
        let mut files = HashSet::new();
        let (mut next, mut seen) = (Some(id), HashSet::new());
        while let Some(id) = next.filter(|id| seen.insert(*id)) {
            let Some(bundle) = self.bundle_issued_show(id)? else { return Ok(None) };
            files.extend(self.all(&ISSUED_FILES, args![bundle.sequence], |row| row.digest(0))?);
            next = bundle.base;
        }
        Ok(Some(files))
    }

    /// Bundles that came here.
    pub fn bundle_received_list(&self) -> Result<Vec<ReceivedBundle>, StoreError> {
        self.all(&RECEIVED_LIST, args![], received)
    }

    /// A bundle that came here.
    pub fn bundle_received_show(&self, id: Uuid) -> Result<Option<ReceivedBundle>, StoreError> {
        self.first(&RECEIVED_SHOW, args![id], received)
    }

    /// The highest sequence of a signer whose metadata is in the catalogue.
    pub fn bundle_received_last(&self, signer: Sha256Digest) -> Result<Option<u64>, StoreError> {
        self.one(&RECEIVED_LAST, args![signer], |row| row.opt_int(0))
    }

    /// The parts of a bundle that are here or were used, by number.
    pub fn bundle_parts(&self, id: Uuid) -> Result<Vec<(u32, PartState)>, StoreError> {
        self.all(&PARTS, args![id], |row| Ok((row.int(0)?, row.coded(1)?)))
    }

    /// Bytes of a revision's document.
    pub fn document_bytes(&self, id: RevisionId) -> Result<u64, StoreError> {
        self.one(&DOCUMENT_BYTES, args![id], |row| row.int(0))
    }
}

impl WriteTx<'_> {
    /// Keeps the signing key, unless there is one, and returns the one that is kept.
    pub fn bundle_key_create(&self, secret: &[u8], public: [u8; 32]) -> Result<BundleKey, StoreError> {
        self.run(&KEY_CREATE, args![secret, &public[..], self.actor().at])?;
        self.bundle_key()?.ok_or_else(|| StoreError::Corrupt { what: "the signing key is not there".to_owned() })
    }

    /// Trusts a signer. True if it was not trusted.
    pub fn bundle_trust_add(&self, fingerprint: Sha256Digest, name: &str) -> Result<bool, StoreError> {
        let known = self.bundle_trust_show(fingerprint)?.is_some();
        let actor = self.actor();
        self.run(&TRUST_ADD, args![fingerprint, name, actor.at, &actor.name])?;
        Ok(!known)
    }

    /// Trusts a signer no longer. True if it was trusted.
    pub fn bundle_trust_remove(&self, fingerprint: Sha256Digest) -> Result<bool, StoreError> {
        Ok(self.run(&TRUST_REMOVE, args![fingerprint])? > 0)
    }

    /// Notes a bundle made here and returns its sequence.
    pub fn bundle_issue(
        &self,
        id: Uuid,
        base: Option<Uuid>,
        change: ChangeNumber,
        files: &[ContentDigest],
    ) -> Result<u64, StoreError> {
        let actor = self.actor();
        let sequence: u64 = self.one(&ISSUED_ADD, args![id, base, change, actor.at, &actor.name], |row| row.int(0))?;
        self.run_many(&ISSUED_FILE_ADD, files.iter().map(|digest| row![sequence, *digest]))?;
        Ok(sequence)
    }

    /// Notes the manifest of a bundle that came, unless it is known.
    pub fn bundle_receive(
        &self,
        id: Uuid,
        signer: Sha256Digest,
        sequence: u64,
        manifest: &str,
    ) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&RECEIVED_ADD, args![id, signer, sequence, manifest, actor.at, &actor.name])?;
        Ok(())
    }

    /// Notes how far a bundle is, and what became of it.
    pub fn bundle_set_state(
        &self,
        id: Uuid,
        state: BundleState,
        result: Option<&serde_json::Value>,
    ) -> Result<(), StoreError> {
        let at = (state == BundleState::Applied).then_some(self.actor().at);
        let result = result.map(serde_json::Value::to_string);
        self.run(&RECEIVED_STATE, args![id, state, result.as_deref(), at])?;
        Ok(())
    }

    /// Forgets a bundle of which nothing was applied. True if there was one.
    pub fn bundle_forget(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.run(&RECEIVED_DELETE, args![id])? > 0)
    }

    /// Notes a part of a bundle.
    pub fn bundle_part_put(&self, id: Uuid, number: u32, state: PartState) -> Result<(), StoreError> {
        self.run(&PART_PUT, args![id, number, state])?;
        Ok(())
    }

    /// Forgets a part: it must come again.
    pub fn bundle_part_delete(&self, id: Uuid, number: u32) -> Result<(), StoreError> {
        self.run(&PART_DELETE, args![id, number])?;
        Ok(())
    }
}
