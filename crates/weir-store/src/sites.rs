//! The tree of sites, enrolment in both directions, and the status of update points.

mod own;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;
use weir_model::{
    ids::{ChangeNumber, Sha256Digest},
    site::SiteNode,
};

#[cfg(test)]
pub(crate) use own::STATEMENTS as OWN_STATEMENTS;

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    downstream::Admission,
    sql::statements,
};

/// A site of the tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SiteRow {
    /// What the top defined.
    pub node: SiteNode,
    /// Change number of its last change here.
    pub change: ChangeNumber,
    /// When it was added here.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// This server's place.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SiteHere {
    /// Its site; none for a server that never had another above or below it.
    pub site: Option<Uuid>,
    /// The version of the catalogue offered to those below; 0 before the first. It is a change number of the top.
    pub catalogue_version: u64,
    /// When that version was complete here.
    pub catalogue_at: Option<Timestamp>,
}

/// A code that a server may enrol with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SiteCodeRow {
    /// The site that it is for.
    pub site: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not accepted from here on.
    pub expires_at: Timestamp,
    /// When a server enrolled with it.
    pub used_at: Option<Timestamp>,
    /// When another code took its place.
    pub withdrawn_at: Option<Timestamp>,
}

/// A server that enrolled directly below this one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SiteEnrolmentRow {
    /// Its site.
    pub site: Uuid,
    /// Its identity, as MS-WSUSSS authorisation names it, too.
    pub server_id: Uuid,
    /// SHA-256 of the certificate that it shows.
    pub fingerprint: Sha256Digest,
    /// Its version of this program when it was last heard of.
    pub version: String,
    /// When it enrolled.
    pub enrolled_at: Timestamp,
    /// When it was last heard of.
    pub last_contact_at: Timestamp,
}

/// The server above this one.
#[derive(Clone, Eq, PartialEq)]
pub struct SiteParentRow {
    /// Where it may be reached, the preferred address first.
    pub urls: Vec<String>,
    /// Name of its site.
    pub name: String,
    /// Its identity.
    pub server_id: Uuid,
    /// SHA-256 of a certificate that it shows: its own, or that of the authority that signed it.
    pub fingerprint: Sha256Digest,
    /// The authority (PEM) that its certificate is signed by, in place of the fingerprint; names are checked then.
    pub authority: Option<String>,
    /// The certificate that this server shows (DER).
    pub certificate: Vec<u8>,
    /// Its key (PKCS #8).
    pub private_key: Vec<u8>,
    /// Hash of the code's secret that made the link.
    pub code_hash: Sha256Digest,
    /// When this server enrolled.
    pub enrolled_at: Timestamp,
    /// How far the parent's objects were read; a change number of the parent.
    pub feed_since: u64,
    /// When they were last read to their end.
    pub feed_at: Option<Timestamp>,
    /// Why the parent refuses this server, if it does.
    pub refused: Option<String>,
    /// The version of the catalogue that was completely synchronized.
    pub done_version: u64,
    /// When it was.
    pub done_at: Option<Timestamp>,
}

impl std::fmt::Debug for SiteParentRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteParentRow").field("urls", &self.urls).field("name", &self.name).finish_non_exhaustive()
    }
}

statements! {
    SITES_LIST: "listing sites" =
        "SELECT site_id, name, kind, parent_id, change, created_at, created_by FROM site_node ORDER BY site_id";
    SITES_PUT: "storing a site" =
        "INSERT INTO site_node (site_id, name, name_key, kind, parent_id, change, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (site_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, kind = excluded.kind,
             parent_id = excluded.parent_id, change = excluded.change";
    SITES_SHOW: "reading a site" =
        "SELECT site_id, name, kind, parent_id, change, created_at, created_by FROM site_node WHERE site_id = ?1";
    SITES_CHANGED: "listing changed sites" =
        "SELECT site_id, name, kind, parent_id, change, created_at, created_by FROM site_node WHERE change > ?1
         ORDER BY change";
    SITES_RETIRED: "listing removed sites" = "SELECT site_id, change FROM retired_site WHERE change > ?1 ORDER BY change";
    SITES_RETIRE: "noting that a site was removed" = "INSERT INTO retired_site (change, site_id) VALUES (?1, ?2)";
    SITES_SHUT_OUT: "shutting out the server of a site" =
        "UPDATE downstream_server SET admission = ?2, admission_at = ?3, admission_by = ?4
         WHERE server_id = (SELECT server_id FROM site_enrolment WHERE site_id = ?1)";
    SITES_REMOVE: "removing a site" = "DELETE FROM site_node WHERE site_id = ?1";
    SITES_HERE: "reading this server's place" =
        "SELECT site_id, catalogue_version, catalogue_at FROM site_here WHERE no = 1";
    SITES_HERE_SET: "giving this server its place" = "UPDATE site_here SET site_id = ?1 WHERE no = 1";
    SITES_CATALOGUE_SET: "noting a complete catalogue" =
        "UPDATE site_here SET catalogue_version = ?1, catalogue_at = ?2 WHERE no = 1";
    SITES_CODE_SHOW: "looking up an enrolment code" =
        "SELECT site_id, created_at, expires_at, used_at, withdrawn_at FROM site_code WHERE hash = ?1";
    SITES_CODE_OPEN: "looking for the open enrolment code of a site" =
        "SELECT site_id, created_at, expires_at, used_at, withdrawn_at FROM site_code
         WHERE site_id = ?1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?2
         ORDER BY created_at DESC LIMIT 1";
    SITES_CODE_WITHDRAW: "withdrawing enrolment codes" =
        "UPDATE site_code SET withdrawn_at = ?2 WHERE site_id = ?1 AND used_at IS NULL AND withdrawn_at IS NULL";
    SITES_CODE_CREATE: "storing an enrolment code" =
        "INSERT INTO site_code (hash, site_id, created_at, created_by, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    SITES_CODE_USE: "using an enrolment code" = "UPDATE site_code SET used_at = ?2 WHERE hash = ?1";
    SITES_ENROLMENTS: "listing enrolled servers" =
        "SELECT site_id, server_id, fingerprint, version, enrolled_at, last_contact_at FROM site_enrolment
         ORDER BY site_id";
    SITES_ENROLMENT_OF_SITE: "looking up the server of a site" =
        "SELECT site_id, server_id, fingerprint, version, enrolled_at, last_contact_at FROM site_enrolment
         WHERE site_id = ?1";
    SITES_ENROLMENT_OF_SERVER: "looking up an enrolled server" =
        "SELECT site_id, server_id, fingerprint, version, enrolled_at, last_contact_at FROM site_enrolment
         WHERE server_id = ?1";
    SITES_ENROLMENT_OF_CERTIFICATE: "looking up an enrolled certificate" =
        "SELECT site_id, server_id, fingerprint, version, enrolled_at, last_contact_at FROM site_enrolment
         WHERE fingerprint = ?1";
    SITES_ENROLMENT_PUT: "enrolling a server" =
        "INSERT INTO site_enrolment (site_id, server_id, fingerprint, version, enrolled_at, last_contact_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (site_id) DO UPDATE SET server_id = excluded.server_id, fingerprint = excluded.fingerprint,
             version = excluded.version, enrolled_at = excluded.enrolled_at, last_contact_at = excluded.last_contact_at";
    SITES_CONTACT: "noting that a server was heard of" =
        "UPDATE site_enrolment SET last_contact_at = ?2, version = ?3 WHERE site_id = ?1";
    SITES_STATUS_LIST: "listing the status of update points" =
        "SELECT site_id, status, received_at FROM site_status ORDER BY site_id";
    SITES_STATUS_PUT: "storing the status of an update point" =
        "INSERT INTO site_status (site_id, status, received_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (site_id) DO UPDATE SET status = excluded.status, received_at = excluded.received_at";
    SITES_PARENT: "reading the server above" =
        "SELECT urls, name, server_id, fingerprint, authority, certificate, private_key, code_hash, enrolled_at,
             feed_since, feed_at, refused, done_version, done_at
         FROM site_parent WHERE no = 1";
    SITES_PARENT_CLEAR: "forgetting the server above" = "DELETE FROM site_parent WHERE no = 1";
    SITES_PARENT_PUT: "enrolling below another server" =
        "INSERT INTO site_parent (no, urls, name, server_id, fingerprint, authority, certificate, private_key, code_hash,
             enrolled_at)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    SITES_PARENT_NAMED: "noting the name of the server above" =
        "UPDATE site_parent SET name = ?1, urls = ?2 WHERE no = 1";
    SITES_PARENT_DEPLOYMENTS: "looking whether the parent sends deployments over the site link" =
        "SELECT link_deployments FROM site_parent WHERE no = 1";
    SITES_PARENT_DEPLOYMENTS_PUT: "noting whether the parent sends deployments over the site link" =
        "UPDATE site_parent SET link_deployments = ?1 WHERE no = 1";
    SITES_PARENT_FEED: "noting how far the parent was read" =
        "UPDATE site_parent SET feed_since = ?1, feed_at = ?2, refused = NULL WHERE no = 1";
    SITES_PARENT_REFUSED: "noting that the parent refuses this server" =
        "UPDATE site_parent SET refused = ?1 WHERE no = 1";
    SITES_PARENT_DONE: "noting a synchronized version" =
        "UPDATE site_parent SET done_version = ?1, done_at = ?2 WHERE no = 1";
}

fn site(row: &Row<'_>) -> Result<SiteRow, StoreError> {
    Ok(SiteRow {
        node: SiteNode { id: row.uuid(0)?, name: row.text(1)?, kind: row.coded(2)?, parent: row.opt(3, Row::uuid)? },
        change: row.change(4)?,
        created_at: row.time(5)?,
        created_by: row.text(6)?,
    })
}

fn code(row: &Row<'_>) -> Result<SiteCodeRow, StoreError> {
    Ok(SiteCodeRow {
        site: row.uuid(0)?,
        created_at: row.time(1)?,
        expires_at: row.time(2)?,
        used_at: row.opt_time(3)?,
        withdrawn_at: row.opt_time(4)?,
    })
}

fn enrolment(row: &Row<'_>) -> Result<SiteEnrolmentRow, StoreError> {
    Ok(SiteEnrolmentRow {
        site: row.uuid(0)?,
        server_id: row.uuid(1)?,
        fingerprint: row.sha256(2)?,
        version: row.text(3)?,
        enrolled_at: row.time(4)?,
        last_contact_at: row.time(5)?,
    })
}

impl ReadTx<'_> {
    /// Whether there is a parent that sends its deployments over the site link: then they are taken from there alone.
    pub fn sites_parent_deployments(&self) -> Result<bool, StoreError> {
        Ok(self.first(&SITES_PARENT_DEPLOYMENTS, args![], |row| row.bool(0))?.unwrap_or(false))
    }

    /// Every known site, in no particular order.
    pub fn sites_list(&self) -> Result<Vec<SiteRow>, StoreError> {
        self.all(&SITES_LIST, args![], site)
    }

    /// One site.
    pub fn sites_show(&self, id: Uuid) -> Result<Option<SiteRow>, StoreError> {
        self.first(&SITES_SHOW, args![id], site)
    }

    /// Sites that were added or changed after a number, in the order of their changes.
    pub fn sites_changed(&self, since: u64) -> Result<Vec<SiteRow>, StoreError> {
        self.all(&SITES_CHANGED, args![since], site)
    }

    /// Sites that were removed after a number, with the number of the removal, in that order.
    pub fn sites_retired(&self, since: u64) -> Result<Vec<(Uuid, ChangeNumber)>, StoreError> {
        self.all(&SITES_RETIRED, args![since], |row| Ok((row.uuid(0)?, row.change(1)?)))
    }

    /// This server's place.
    pub fn sites_here(&self) -> Result<SiteHere, StoreError> {
        self.one(&SITES_HERE, args![], |row| {
            Ok(SiteHere {
                site: row.opt(0, Row::uuid)?,
                catalogue_version: row.int(1)?,
                catalogue_at: row.opt_time(2)?,
            })
        })
    }

    /// The code of that hash, used, withdrawn and expired ones included.
    pub fn sites_code(&self, hash: Sha256Digest) -> Result<Option<SiteCodeRow>, StoreError> {
        self.first(&SITES_CODE_SHOW, args![hash], code)
    }

    /// The code of a site that would be accepted at `now`.
    pub fn sites_code_open(&self, site: Uuid, now: Timestamp) -> Result<Option<SiteCodeRow>, StoreError> {
        self.first(&SITES_CODE_OPEN, args![site, now], code)
    }

    /// Every server that enrolled directly below this one.
    pub fn sites_enrolments(&self) -> Result<Vec<SiteEnrolmentRow>, StoreError> {
        self.all(&SITES_ENROLMENTS, args![], enrolment)
    }

    /// The server of a site directly below.
    pub fn sites_enrolment(&self, site: Uuid) -> Result<Option<SiteEnrolmentRow>, StoreError> {
        self.first(&SITES_ENROLMENT_OF_SITE, args![site], enrolment)
    }

    /// The enrolled server of that identity.
    pub fn sites_enrolment_of_server(&self, server: Uuid) -> Result<Option<SiteEnrolmentRow>, StoreError> {
        self.first(&SITES_ENROLMENT_OF_SERVER, args![server], enrolment)
    }

    /// The enrolled server that shows this certificate.
    pub fn sites_enrolment_of_certificate(
        &self,
        fingerprint: Sha256Digest,
    ) -> Result<Option<SiteEnrolmentRow>, StoreError> {
        self.first(&SITES_ENROLMENT_OF_CERTIFICATE, args![fingerprint], enrolment)
    }

    /// The newest status of each update point, and when it came.
    pub fn sites_status_list(&self) -> Result<Vec<(Uuid, Value, Timestamp)>, StoreError> {
        self.all(&SITES_STATUS_LIST, args![], |row| Ok((row.uuid(0)?, row.json(1)?, row.time(2)?)))
    }

    /// The server above this one, if this one is enrolled.
    pub fn sites_parent(&self) -> Result<Option<SiteParentRow>, StoreError> {
        self.first(&SITES_PARENT, args![], |row| {
            Ok(SiteParentRow {
                urls: row.lines(0)?,
                name: row.text(1)?,
                server_id: row.uuid(2)?,
                fingerprint: row.sha256(3)?,
                authority: row.opt_text(4)?,
                certificate: row.bytes(5)?.to_vec(),
                private_key: row.bytes(6)?.to_vec(),
                code_hash: row.sha256(7)?,
                enrolled_at: row.time(8)?,
                feed_since: row.int(9)?,
                feed_at: row.opt_time(10)?,
                refused: row.opt_text(11)?,
                done_version: row.int(12)?,
                done_at: row.opt_time(13)?,
            })
        })
    }
}

impl WriteTx<'_> {
    /// Stores a site, new or changed. The site above it is there already.
    pub fn sites_put(&self, node: &SiteNode) -> Result<ChangeNumber, StoreError> {
        let (actor, change, key) = (self.actor(), self.change_next()?, node.name.to_lowercase());
        let values = args![node.id, &node.name, &key, node.kind, node.parent, change, actor.at, &actor.name,];
        self.run(&SITES_PUT, values)?;
        Ok(change)
    }

    /// The server that is enrolled as a site is served no longer, until somebody allows it or it enrols again.
    fn sites_shut_out(&self, site: Uuid) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&SITES_SHUT_OUT, args![site, Admission::Refused, actor.at, &actor.name])?;
        Ok(())
    }

    /// Removes a site that nothing stands below, with its codes, its enrolment and its status; its server is refused from
    /// now on. True if there was one.
    pub fn sites_remove(&self, site: Uuid) -> Result<bool, StoreError> {
        self.sites_shut_out(site)?;
        let removed = self.run(&SITES_REMOVE, args![site])? > 0;
        if removed {
            self.run(&SITES_RETIRE, args![self.change_next()?, site])?;
        }
        Ok(removed)
    }

    /// Gives this server its place.
    pub fn sites_here_set(&self, site: Option<Uuid>) -> Result<(), StoreError> {
        self.run(&SITES_HERE_SET, args![site])?;
        Ok(())
    }

    /// Notes which version of the catalogue is complete here.
    pub fn sites_catalogue_set(&self, version: u64) -> Result<(), StoreError> {
        self.run(&SITES_CATALOGUE_SET, args![version, self.actor().at])?;
        Ok(())
    }

    /// Stores a code's hash in place of an open one of the site.
    pub fn sites_code_create(&self, hash: Sha256Digest, site: Uuid, expires_at: Timestamp) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&SITES_CODE_WITHDRAW, args![site, actor.at])?;
        self.run(&SITES_CODE_CREATE, args![hash, site, actor.at, &actor.name, expires_at])?;
        Ok(())
    }

    /// Uses a code up.
    pub fn sites_code_use(&self, hash: Sha256Digest) -> Result<(), StoreError> {
        self.run(&SITES_CODE_USE, args![hash, self.actor().at])?;
        Ok(())
    }

    /// Enrols a server as the one of a site, in place of the one before, which is refused from now on.
    pub fn sites_enrol(
        &self,
        site: Uuid,
        server: Uuid,
        fingerprint: Sha256Digest,
        version: &str,
    ) -> Result<(), StoreError> {
        self.sites_shut_out(site)?;
        self.run(&SITES_ENROLMENT_PUT, args![site, server, fingerprint, version, self.actor().at])?;
        Ok(())
    }

    /// Notes that the server of a site was heard of.
    pub fn sites_contact(&self, site: Uuid, version: &str) -> Result<(), StoreError> {
        self.run(&SITES_CONTACT, args![site, self.actor().at, version])?;
        Ok(())
    }

    /// Stores the newest status of an update point, and when the server directly above it got it.
    pub fn sites_status_put(&self, site: Uuid, at: Timestamp, status: &Value) -> Result<(), StoreError> {
        self.run(&SITES_STATUS_PUT, args![site, &status.to_string(), at])?;
        Ok(())
    }

    /// Puts this server below another; what was read from a parent before is forgotten.
    pub fn sites_parent_put(&self, parent: &SiteParentRow) -> Result<(), StoreError> {
        self.sites_parent_clear()?;
        let urls = parent.urls.join("\n");
        let values = args![
            &urls,
            &parent.name,
            parent.server_id,
            parent.fingerprint,
            parent.authority.as_deref(),
            &parent.certificate,
            &parent.private_key,
            parent.code_hash,
            parent.enrolled_at,
        ];
        self.run(&SITES_PARENT_PUT, values)?;
        Ok(())
    }

    /// Forgets the server above. True if there was one.
    pub fn sites_parent_clear(&self) -> Result<bool, StoreError> {
        Ok(self.run(&SITES_PARENT_CLEAR, args![])? > 0)
    }

    /// Notes what the server above calls itself and where it says it can be reached.
    pub fn sites_parent_named(&self, name: &str, urls: &[String]) -> Result<(), StoreError> {
        self.run(&SITES_PARENT_NAMED, args![name, &urls.join("\n")])?;
        Ok(())
    }

    /// Notes whether the parent sends its deployments over the site link.
    pub fn sites_parent_set_deployments(&self, sends: bool) -> Result<(), StoreError> {
        self.run(&SITES_PARENT_DEPLOYMENTS_PUT, args![sends])?;
        Ok(())
    }

    /// Notes how far the parent's objects were read.
    pub fn sites_parent_feed(&self, since: u64) -> Result<(), StoreError> {
        self.run(&SITES_PARENT_FEED, args![since, self.actor().at])?;
        Ok(())
    }

    /// Notes that the parent refuses this server.
    pub fn sites_parent_refused(&self, why: &str) -> Result<(), StoreError> {
        self.run(&SITES_PARENT_REFUSED, args![why])?;
        Ok(())
    }

    /// Notes which version of the catalogue was synchronized completely.
    pub fn sites_parent_done(&self, version: u64) -> Result<(), StoreError> {
        self.run(&SITES_PARENT_DONE, args![version, self.actor().at])?;
        Ok(())
    }
}
