//! What can go wrong in the store.

use std::path::PathBuf;

use weir_model::ids::{CollectionId, DeploymentId, UpdateId, UpdateIdentity};

/// What an engine answered, in its own words.
pub type EngineError = Box<dyn std::error::Error + Send + Sync>;

/// An error with its sources, in one line.
pub(crate) struct Chain<'e>(pub(crate) &'e (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// Why the store did not do what it was asked. Nothing was changed, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Built-in collections can be neither deleted nor renamed.
    #[error("the collection {0:?} is built in and cannot be changed")]
    BuiltInCollection(String),
    /// Another process or transaction held the database too long.
    #[error("the database is busy ({action}); try again")]
    Busy {
        /// The statement or step that had to wait.
        action: &'static str,
    },
    /// A collection of that name exists, compared without regard to case.
    #[error("a collection named {0:?} exists already")]
    CollectionExists(String),
    /// Not a name for a collection.
    #[error("{0:?} cannot name a collection: use 1 to 255 characters that can be printed")]
    CollectionName(String),
    /// The collection still has what keeps it from being deleted.
    #[error("the collection {name:?} cannot be deleted while it {what}")]
    CollectionInUse {
        /// Its name.
        name: String,
        /// For example `has 2 deployments`.
        what: String,
    },
    /// The content folder could not be read or written.
    #[error("{action} {} failed", path.display())]
    Content {
        /// What was being done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Bytes did not have the digest or size they must have; they were put aside.
    #[error("{subject} is not what it claims to be: {difference}; kept in {} for inspection", quarantined.display())]
    ContentMismatch {
        /// The content file, by digest or name.
        subject: String,
        /// Expected and found size or digest.
        difference: String,
        /// Where the rejected bytes are.
        quarantined: PathBuf,
    },
    /// A stored value does not have the form that this program writes.
    #[error("the database is damaged: {what}; stop the server and restore a backup of the data folder")]
    Corrupt {
        /// Table and value, or what the engine said.
        what: String,
    },
    /// A rule of the schema was broken.
    #[error("{action} would break a rule of the database: {rule}")]
    Constraint {
        /// The statement.
        action: &'static str,
        /// The rule in words, or the engine's message.
        rule: String,
    },
    /// A cursor that no list of this store gave out.
    #[error("{0:?} is not a cursor of this list; begin without one")]
    Cursor(String),
    /// An address of a database that cannot be used.
    #[error("the address of the database cannot be used: {why}")]
    DatabaseAddress {
        /// Why, without the password.
        why: String,
    },
    /// The database cannot be used as it is.
    #[error("the database {place} {why}")]
    DatabaseRefused {
        /// Where it is, without a password.
        place: String,
        /// Why, beginning with a verb.
        why: String,
    },
    /// The update is deployed to the collection already.
    #[error(
        "deployment {existing} already deploys this to {collection}; change that one: weir deployments change {existing}"
    )]
    DeploymentExists {
        /// The deployment in the way.
        existing: DeploymentId,
        /// The collection's name.
        collection: String,
    },
    /// The disk that has the database takes nothing, or gives nothing back: it is damaged, gone or read-only.
    #[error("the disk with the database failed ({action}), and nothing was stored; look into the log of the system")]
    DiskFailed {
        /// The statement or step.
        action: &'static str,
        /// The engine's answer.
        source: EngineError,
    },
    /// No space is left where the database or the content lives.
    #[error("the disk is full ({action}); free some space and try again")]
    DiskFull {
        /// The statement or step.
        action: &'static str,
    },
    /// The revision is stored already with another text.
    #[error("{0} is stored already with a different text")]
    DifferentText(UpdateIdentity),
    /// Another front end has taken over the work in whose name something was to be written.
    #[error("another front end does this now ({0})")]
    DutyLost(&'static str),
    /// A computer, deployment or other object that is not there.
    #[error("there is no {kind} {id}")]
    Missing {
        /// What kind of object.
        kind: &'static str,
        /// How it was named.
        id: String,
    },
    /// The schema could not be brought up to date.
    #[error("bringing the database {place} up to date failed")]
    Migration {
        /// The database file, or where the database is.
        place: String,
        /// Why.
        source: Box<refinery::Error>,
    },
    /// The data folder or a file of it could not be opened.
    #[error("opening {} failed", path.display())]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Another process has the data folder.
    #[error("the data folder {} is in use by another Weir process; stop it first", .0.display())]
    Locked(PathBuf),
    /// The object store that has the content did not do what it was asked; what follows from an absent file does not follow
    /// from this.
    #[error("{action} {what} in the object store failed")]
    Objects {
        /// What was being done.
        action: &'static str,
        /// The object.
        what: String,
        /// What it answered, or why it did not.
        source: Box<object_store::Error>,
    },
    /// The object store that has the content cannot be used as it is.
    #[error("the object store {place} {why}")]
    ObjectsRefused {
        /// Its address.
        place: String,
        /// Why, beginning with a verb.
        why: String,
    },
    /// Anything else the database engine answered.
    #[error("the database failed ({action})")]
    Query {
        /// The statement or step.
        action: &'static str,
        /// The engine's answer.
        source: EngineError,
    },
    /// What was asked for works with the embedded database only.
    #[error("{what} needs the embedded database, and this site's is {place}; use the tools of PostgreSQL")]
    NotEmbedded {
        /// What was to be done.
        what: &'static str,
        /// Where the database is, without a password.
        place: String,
    },
    /// A number ran out of its range.
    #[error("no {0} is left to give out")]
    Exhausted(&'static str),
    /// A collection that is not there.
    #[error("there is no collection {0}")]
    UnknownCollection(CollectionId),
    /// An update that is not there.
    #[error("there is no update {0}")]
    UnknownUpdate(UpdateId),
    /// The database's server broke off while a change was being made durable: it may have been stored, or not. Nobody was told that
    /// it was.
    #[error(
        "the database {place} broke off while a change was being made durable: it may have been stored or not; look first"
    )]
    Unconfirmed {
        /// Where it is, without a password.
        place: String,
        /// What came instead of an answer.
        source: EngineError,
    },
    /// The database's server cannot be reached, or broke off.
    #[error("the database {place} cannot be reached ({action}); try again")]
    Unreachable {
        /// The statement or step.
        action: &'static str,
        /// Where it is, without a password.
        place: String,
        /// What came instead of an answer.
        source: EngineError,
    },
}

impl StoreError {
    /// The database is busy, or its server cannot be reached: the same may succeed a moment later. Of what was
    /// [not confirmed](Self::Unconfirmed), only what may be done twice is to be done again.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unconfirmed { .. } | Self::Unreachable { .. })
    }

    /// The object store that has the content is out of reach, or not the one it should be: the same may succeed later, and
    /// nothing is known to be lost.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Objects { .. } | Self::ObjectsRefused { .. })
    }
}
