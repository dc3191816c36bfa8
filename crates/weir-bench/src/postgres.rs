//! PostgreSQL to measure on: a server that somebody names by an empty database of it, or one of the run's own, of Debian's programs, which
//! goes with the run. Databases are made beside the empty one, as copies of it or of each other, and removed when nobody needs them.

mod cluster;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use uuid::Uuid;
use weir_store::{DatabaseServer, database_place};

use self::cluster::Cluster;

/// Where PostgreSQL is.
#[derive(Clone, Eq, PartialEq)]
pub enum PostgresAt {
    /// A server of the run's own, of the newest release that is installed as Debian does it.
    Scratch,
    /// The address of an empty database, `postgres://user@host/name`, of a user who may make others beside it.
    Given(String),
}

impl From<String> for PostgresAt {
    /// By an address; whether it is one is said when it is used, without the password that it may have.
    fn from(url: String) -> Self {
        Self::Given(url)
    }
}

impl std::fmt::Debug for PostgresAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scratch => f.write_str("Scratch"),
            Self::Given(url) => {
                let place = database_place(url).unwrap_or_else(|_| "not an address".to_owned());
                f.debug_tuple("Given").field(&place).finish()
            }
        }
    }
}

/// The folder of the programs that [`PostgresAt::Scratch`] starts.
///
/// # Errors
///
/// They are not installed; the error says what brings them.
pub fn postgres_programs() -> anyhow::Result<PathBuf> {
    cluster::programs(Path::new(cluster::DEBIAN))
}

/// A server.
pub(crate) struct Postgres {
    // Fields drop in this order: the connection before the server.
    server: DatabaseServer,
    description: String,
    /// What the names of this run's databases begin with.
    prefix: String,
    made: AtomicU64,
    cluster: Option<Cluster>,
}

impl Postgres {
    /// Starts one, with its files below `scratch`, or looks whether the given one will do.
    pub(crate) fn open(at: &PostgresAt, scratch: &Path) -> anyhow::Result<Self> {
        let (url, cluster) = match at {
            PostgresAt::Scratch => {
                let cluster = Cluster::start(scratch).context("starting PostgreSQL")?;
                (cluster.url(), Some(cluster))
            }
            PostgresAt::Given(url) => (url.clone(), None),
        };
        let server = DatabaseServer::connect(&url)?;
        server.expect_spare()?;
        let description = server.describe()?;
        let run = Uuid::new_v4().simple().to_string();
        let prefix = format!("weir_bench_{}", run.get(..12).unwrap_or(&run));
        Ok(Self { server, description, prefix, made: AtomicU64::new(0), cluster })
    }

    /// Release and settings, in words.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Processor seconds of all its processes; none if they are not this run's own.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        self.cluster.as_ref()?.cpu_seconds()
    }

    /// A database with nothing in it, or with all that another one has, to which nobody is connected any more.
    pub(crate) fn spare(self: &Arc<Self>, from: Option<&Spare>) -> anyhow::Result<Spare> {
        let name = format!("{}_{}", self.prefix, self.made.fetch_add(1, Ordering::Relaxed));
        self.server.create(&name, from.map(|from| from.name.as_str()))?;
        Ok(Spare { postgres: Arc::clone(self), name })
    }
}

/// A database of one store. It is removed when this is dropped, whoever is connected.
pub(crate) struct Spare {
    postgres: Arc<Postgres>,
    name: String,
}

impl Spare {
    /// Its address, with the password if it has one.
    pub(crate) fn url(&self) -> String {
        self.postgres.server.url(&self.name)
    }

    /// One more with all that it has.
    pub(crate) fn copy(&self) -> anyhow::Result<Self> {
        self.postgres.spare(Some(self))
    }

    /// What the server does by itself some minutes after a database was filled.
    pub(crate) fn tidy(&self) -> anyhow::Result<()> {
        Ok(self.postgres.server.tidy(&self.name)?)
    }

    /// Bytes on the server's disk, without its log.
    pub(crate) fn size(&self) -> anyhow::Result<u64> {
        Ok(self.postgres.server.size(&self.name)?)
    }

    /// Processor seconds of the server; none if it is not this run's own.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        self.postgres.cpu_seconds()
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        // one that cannot be reached keeps it; its name says whose it was
        let _ = self.postgres.server.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use weir_store::{Actor, Options, Store, collection::NewCollection};

    use super::*;

    /// A server for a test; none if the programs are not installed, which is said.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests is to know")]
    fn here(scratch: &Path) -> Option<Arc<Postgres>> {
        if let Err(error) = postgres_programs() {
            eprintln!("skipped: {error:#}");
            return None;
        }
        Some(Arc::new(Postgres::open(&PostgresAt::Scratch, scratch).unwrap_or_else(|error| panic!("{error:#}"))))
    }

    fn open(folder: &Path, database: &Spare) -> Store {
        Store::open(folder, &Options { database: Some(database.url()), ..Options::default() }).expect("opens")
    }

    #[test]
    fn nothing_that_is_printed_has_a_password() {
        let given = PostgresAt::Given("postgres://weir:s3cret@h/weir".to_owned());
        assert_eq!(format!("{given:?}"), "Given(\"postgres://weir@h/weir\")");
        let wrong = PostgresAt::Given("postgres://weir:s3cret@h:port/weir".to_owned());
        assert!(!format!("{wrong:?}").contains("s3cret"));
    }

    #[test]
    fn each_store_has_a_database_of_its_own_and_nothing_stays() {
        let scratch = std::env::temp_dir();
        let Some(postgres) = here(&scratch) else { return };
        assert!(postgres.description().contains("fsync on"), "{}", postgres.description());
        let folder = tempfile::tempdir().expect("a folder");
        let first = postgres.spare(None).expect("made");
        let collections = |store: &Store| store.read(|tx| tx.collection_list()).expect("reads").len();
        let store = open(&folder.path().join("first"), &first);
        let before = collections(&store);
        let new = NewCollection {
            id: weir_model::ids::CollectionId(Uuid::new_v4()),
            name: "Offices".to_owned(),
            parent: None,
            kind: weir_model::targeting::CollectionKind::TargetGroup,
        };
        let actor = Actor::system("bench", jiff::Timestamp::now());
        store.write(&actor, |tx| tx.collection_create(&new).map(drop)).expect("stored");
        drop(store);
        first.tidy().expect("tidied");
        let (copy, second) = (first.copy().expect("copied"), postgres.spare(None).expect("made"));
        assert_eq!(collections(&open(&folder.path().join("copy"), &copy)), before + 1);
        assert_eq!(collections(&open(&folder.path().join("second"), &second)), before);
        assert!(copy.size().expect("a size") > 1_000_000);
        assert!(postgres.cpu_seconds().is_some_and(|seconds| seconds > 0.0));
        // one that has something is not measured on
        let url = copy.url();
        let refused = Postgres::open(&PostgresAt::Given(url.clone()), &scratch).err().expect("refused");
        assert!(format!("{refused:#}").contains("is not empty: public."), "{refused:#}");
        drop(copy);
        assert!(DatabaseServer::connect(&url).is_err(), "it is gone");
        let folder = postgres.cluster.as_ref().map(|cluster| cluster.folder().to_owned()).expect("one of its own");
        assert!(folder.exists());
        drop((first, second, postgres));
        assert!(!folder.exists(), "{} is left", folder.display());
    }
}
