//! Users, the certificates by which they are known, and what groups of an identity provider may do.

use std::collections::BTreeSet;

use jiff::Timestamp;
use weir_model::{
    ids::{CollectionId, Sha256Digest},
    name,
    rights::{Grant, Role, Scope},
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    sql::statements,
};

/// The number of the built-in administrator, which is there from the first start on.
pub const BUILT_IN: u32 = 1;

/// A user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserRow {
    /// Its number.
    pub no: u32,
    /// What it says.
    pub user: User,
    /// The built-in administrator.
    pub built_in: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When a session of it last began.
    pub signed_in_at: Option<Timestamp>,
}

/// What can be said of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Its name, unique without regard to case.
    pub name: String,
    /// What to call it.
    pub display_name: String,
    /// What it may do, and where.
    pub grant: Grant,
    /// Whether it may sign in at all.
    pub enabled: bool,
    /// Hash of its password in PHC form; none signs in otherwise.
    pub password: Option<String>,
    /// It has to choose another password before anything else.
    pub must_change: bool,
    /// Issuer and subject at the provider of OpenID Connect.
    pub identity: Option<(String, String)>,
}

/// A certificate by which a user is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateRow {
    /// SHA-256 of the certificate.
    pub fingerprint: Sha256Digest,
    /// Whose.
    pub user: u32,
    /// Its subject.
    pub subject: String,
    /// Not accepted after this.
    pub ends_at: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What members of a group may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MappingRow {
    /// The group, exactly as the provider names it.
    pub group: String,
    /// What its members may do.
    pub grant: Grant,
    /// When that was decided.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

statements! {
    USER_LIST: "listing users" =
        "SELECT user_no, name, display_name, role, collections, enabled, built_in, password, must_change, issuer, subject,
             created_at, created_by, signed_in_at
         FROM user_account ORDER BY name_key";
    USER_SHOW: "reading a user" =
        "SELECT user_no, name, display_name, role, collections, enabled, built_in, password, must_change, issuer, subject,
             created_at, created_by, signed_in_at
         FROM user_account WHERE user_no = ?1";
    USER_FIND: "looking for a user" =
        "SELECT user_no, name, display_name, role, collections, enabled, built_in, password, must_change, issuer, subject,
             created_at, created_by, signed_in_at
         FROM user_account WHERE name_key = ?1";
    USER_OF_IDENTITY: "looking for a user of a provider" =
        "SELECT user_no, name, display_name, role, collections, enabled, built_in, password, must_change, issuer, subject,
             created_at, created_by, signed_in_at
         FROM user_account WHERE issuer = ?1 AND subject = ?2";
    USER_CREATE: "storing a user" =
        "INSERT INTO user_account (name, name_key, display_name, role, collections, enabled, built_in, password, must_change,
             issuer, subject, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING user_no";
    USER_CHANGE: "changing a user" =
        "UPDATE user_account SET name = ?2, name_key = ?3, display_name = ?4, role = ?5, collections = ?6, enabled = ?7,
             password = ?8, must_change = ?9, issuer = ?10, subject = ?11
         WHERE user_no = ?1";
    USER_SIGNED_IN: "noting a sign-in" = "UPDATE user_account SET signed_in_at = ?2 WHERE user_no = ?1";
    USER_DELETE: "deleting a user" = "DELETE FROM user_account WHERE user_no = ?1 AND built_in = 0";
    CERTIFICATE_LIST: "listing certificates of a user" =
        "SELECT fingerprint, user_no, subject, ends_at, created_at, created_by FROM user_certificate
         WHERE user_no = ?1 ORDER BY created_at, fingerprint";
    CERTIFICATE_FIND: "looking for a certificate" =
        "SELECT fingerprint, user_no, subject, ends_at, created_at, created_by FROM user_certificate WHERE fingerprint = ?1";
    CERTIFICATE_CREATE: "storing a certificate" =
        "INSERT INTO user_certificate (fingerprint, user_no, subject, ends_at, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    CERTIFICATE_DELETE: "deleting a certificate" = "DELETE FROM user_certificate WHERE fingerprint = ?1 AND user_no = ?2";
    MAPPING_LIST: "listing mapped groups" =
        "SELECT group_name, role, collections, created_at, created_by FROM group_mapping ORDER BY group_name";
    MAPPING_PUT: "mapping a group" =
        "INSERT INTO group_mapping (group_name, role, collections, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (group_name) DO UPDATE SET role = excluded.role, collections = excluded.collections,
             created_at = excluded.created_at, created_by = excluded.created_by";
    MAPPING_DELETE: "forgetting a mapped group" = "DELETE FROM group_mapping WHERE group_name = ?1";
}

/// A scope as a column keeps it.
pub(crate) fn scope_text(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Everything => None,
        Scope::Collections(ids) => Some(serde_json::json!(ids).to_string()),
    }
}

/// A scope out of a column.
pub(crate) fn scope(row: &Row<'_>, column: usize) -> Result<Scope, StoreError> {
    let Some(text) = row.opt_text(column)? else { return Ok(Scope::Everything) };
    let ids: BTreeSet<CollectionId> = serde_json::from_str(&text)
        .map_err(|error| StoreError::Corrupt { what: format!("the collections of a principal: {error}") })?;
    Ok(Scope::Collections(ids))
}

fn user(row: &Row<'_>) -> Result<UserRow, StoreError> {
    let identity = row.opt_text(9)?.zip(row.opt_text(10)?);
    Ok(UserRow {
        no: row.int(0)?,
        user: User {
            name: row.text(1)?,
            display_name: row.text(2)?,
            grant: Grant { role: row.coded(3)?, scope: scope(row, 4)? },
            enabled: row.bool(5)?,
            password: row.opt_text(7)?,
            must_change: row.bool(8)?,
            identity,
        },
        built_in: row.bool(6)?,
        created_at: row.time(11)?,
        created_by: row.text(12)?,
        signed_in_at: row.opt_time(13)?,
    })
}

fn certificate(row: &Row<'_>) -> Result<CertificateRow, StoreError> {
    Ok(CertificateRow {
        fingerprint: row.sha256(0)?,
        user: row.int(1)?,
        subject: row.text(2)?,
        ends_at: row.time(3)?,
        created_at: row.time(4)?,
        created_by: row.text(5)?,
    })
}

impl ReadTx<'_> {
    /// All users, by name.
    pub fn user_list(&self) -> Result<Vec<UserRow>, StoreError> {
        self.all(&USER_LIST, args![], user)
    }

    /// The user of that number.
    pub fn user_show(&self, no: u32) -> Result<Option<UserRow>, StoreError> {
        self.first(&USER_SHOW, args![no], user)
    }

    /// The user of that name, without regard to case.
    pub fn user_find(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        self.first(&USER_FIND, args![&name::key(name)], user)
    }

    /// The user of that issuer and subject.
    pub fn user_of_identity(&self, issuer: &str, subject: &str) -> Result<Option<UserRow>, StoreError> {
        self.first(&USER_OF_IDENTITY, args![issuer, subject], user)
    }

    /// The certificates of a user, oldest first.
    pub fn user_certificate_list(&self, user: u32) -> Result<Vec<CertificateRow>, StoreError> {
        self.all(&CERTIFICATE_LIST, args![user], certificate)
    }

    /// The certificate of that fingerprint.
    pub fn user_certificate_find(&self, fingerprint: Sha256Digest) -> Result<Option<CertificateRow>, StoreError> {
        self.first(&CERTIFICATE_FIND, args![fingerprint], certificate)
    }

    /// What groups may do, by name.
    pub fn group_mapping_list(&self) -> Result<Vec<MappingRow>, StoreError> {
        self.all(&MAPPING_LIST, args![], |row| {
            let role: Role = row.coded(1)?;
            Ok(MappingRow {
                group: row.text(0)?,
                grant: Grant { role, scope: scope(row, 2)? },
                created_at: row.time(3)?,
                created_by: row.text(4)?,
            })
        })
    }
}

impl WriteTx<'_> {
    /// Stores a new user and returns its number. The caller has checked that no other has the name.
    pub fn user_create(&self, user: &User) -> Result<u32, StoreError> {
        let actor = self.actor();
        let (key, scope) = (name::key(&user.name), scope_text(&user.grant.scope));
        let (issuer, subject) = identity(user);
        let values = args![
            &user.name,
            &key,
            &user.display_name,
            user.grant.role,
            scope.as_deref(),
            user.enabled,
            user.password.as_deref(),
            user.must_change,
            issuer,
            subject,
            actor.at,
            &actor.name
        ];
        self.one(&USER_CREATE, values, |row| row.int(0))
    }

    /// Stores what is said of a user now. False if there is none of that number.
    pub fn user_change(&self, no: u32, user: &User) -> Result<bool, StoreError> {
        let (key, scope) = (name::key(&user.name), scope_text(&user.grant.scope));
        let (issuer, subject) = identity(user);
        let values = args![
            no,
            &user.name,
            &key,
            &user.display_name,
            user.grant.role,
            scope.as_deref(),
            user.enabled,
            user.password.as_deref(),
            user.must_change,
            issuer,
            subject
        ];
        Ok(self.run(&USER_CHANGE, values)? > 0)
    }

    /// Notes that a session of a user begins.
    pub fn user_signed_in(&self, no: u32) -> Result<(), StoreError> {
        self.run(&USER_SIGNED_IN, args![no, self.actor().at])?;
        Ok(())
    }

    /// Deletes a user with its sessions, tokens and certificates. False if there is none, or if it is built in.
    pub fn user_delete(&self, no: u32) -> Result<bool, StoreError> {
        Ok(self.run(&USER_DELETE, args![no])? > 0)
    }

    /// Stores a certificate of a user.
    pub fn user_certificate_create(
        &self,
        user: u32,
        fingerprint: Sha256Digest,
        subject: &str,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let actor = self.actor();
        self.run(&CERTIFICATE_CREATE, args![fingerprint, user, subject, ends_at, actor.at, &actor.name])?;
        Ok(())
    }

    /// Forgets a certificate of a user. True if it was there.
    pub fn user_certificate_delete(&self, user: u32, fingerprint: Sha256Digest) -> Result<bool, StoreError> {
        Ok(self.run(&CERTIFICATE_DELETE, args![fingerprint, user])? > 0)
    }

    /// Decides what members of a group may do.
    pub fn group_mapping_put(&self, group: &str, grant: &Grant) -> Result<(), StoreError> {
        let (actor, scope) = (self.actor(), scope_text(&grant.scope));
        self.run(&MAPPING_PUT, args![group, grant.role, scope.as_deref(), actor.at, &actor.name])?;
        Ok(())
    }

    /// Forgets that. True if there was something to forget.
    pub fn group_mapping_delete(&self, group: &str) -> Result<bool, StoreError> {
        Ok(self.run(&MAPPING_DELETE, args![group])? > 0)
    }
}

fn identity(user: &User) -> (Option<&str>, Option<&str>) {
    user.identity.as_ref().map(|(issuer, subject)| (issuer.as_str(), subject.as_str())).unzip()
}
