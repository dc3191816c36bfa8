//! Which database stores and servers are on. Nothing else decides it: a suite asks for a [`Home`] wherever it needs a data folder, and
//! gets one with a database in which nothing is stored yet.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::ensure;
use weir_store::{Options, Store};

use crate::{
    postgres::{Postgres, Spare},
    row::Database,
};

/// The variable that tells a process of this program where its database is. The command line would show everybody the password.
const DATABASE: &str = "WEIR_DATABASE";
/// One that says more of it.
const PASSWORD_FILE: &str = "WEIR_DATABASE_PASSWORD_FILE";

/// The database that a run is on: the embedded one, or a server of PostgreSQL.
#[derive(Clone, Default)]
pub(crate) struct Engine {
    postgres: Option<Arc<Postgres>>,
}

impl Engine {
    /// On a server.
    pub(crate) fn on(postgres: Arc<Postgres>) -> Self {
        Self { postgres: Some(postgres) }
    }

    /// Which one it is.
    pub(crate) fn database(&self) -> Database {
        if self.postgres.is_some() { Database::Postgresql } else { Database::Sqlite }
    }

    /// Whether it is the embedded one.
    pub(crate) fn is_embedded(&self) -> bool {
        self.postgres.is_none()
    }

    /// A data folder, which is made if it is not there, with a database of its own.
    pub(crate) fn home(&self, data: impl Into<PathBuf>) -> anyhow::Result<Home> {
        let data = data.into();
        fs::create_dir_all(&data)?;
        let spare = self.postgres.as_ref().map(|postgres| postgres.spare(None)).transpose()?.map(Arc::new);
        Ok(Home { data, spare })
    }
}

/// A data folder and its database. The folder stays when this is dropped. A database on a server goes with the last one that is on it,
/// whoever is connected.
pub(crate) struct Home {
    data: PathBuf,
    spare: Option<Arc<Spare>>,
}

impl Home {
    /// The folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A file of the folder.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.data.join(name)
    }

    /// Opens the store, while no server has it.
    pub(crate) fn open(&self) -> anyhow::Result<Store> {
        let database = self.spare.as_deref().map(Spare::url);
        Ok(Store::open(&self.data, &Options { database, ..Options::default() })?)
    }

    /// Where processes of this program find the database.
    pub(crate) fn place(&self) -> Place {
        Place(self.spare.as_deref().map(Spare::url))
    }

    /// A folder with what this one has, and a database with what the one here has; no store or server of this one is open.
    pub(crate) fn copy(&self, data: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let data = data.into();
        fs::create_dir_all(&data)?;
        for entry in fs::read_dir(&self.data)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), data.join(entry.file_name()))?;
            }
        }
        let spare = self.spare.as_deref().map(Spare::copy).transpose()?.map(Arc::new);
        Ok(Self { data, spare })
    }

    /// Another folder on the same database, for one more front end; of the embedded database there is none.
    pub(crate) fn beside(&self, data: impl Into<PathBuf>) -> anyhow::Result<Self> {
        ensure!(self.spare.is_some(), "the embedded database has one server");
        let data = data.into();
        fs::create_dir_all(&data)?;
        Ok(Self { data, spare: self.spare.clone() })
    }

    /// Does in a database that was filled what its server does by itself within minutes, so that it is measured as one that has been
    /// there for a while. The embedded one needs nothing.
    pub(crate) fn tidy(&self) -> anyhow::Result<()> {
        self.spare.as_deref().map_or(Ok(()), Spare::tidy)
    }

    /// Bytes of the database on disk: of the embedded one with its log, of PostgreSQL without, since that log is of all databases.
    pub(crate) fn stored(&self) -> anyhow::Result<u64> {
        if let Some(spare) = &self.spare {
            return spare.size();
        }
        let files =
            ["weir.db", "weir.db-wal"].map(|name| fs::metadata(self.data.join(name)).map_or(0, |file| file.len()));
        let sum: u64 = files.iter().sum();
        ensure!(sum > 0, "the data folder has no database");
        Ok(sum)
    }

    /// Processor seconds of the database's server so far; none if there is no such server, or none of our own.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        self.spare.as_ref()?.cpu_seconds()
    }

    /// Removes the folder and the database.
    pub(crate) fn remove(self) -> anyhow::Result<()> {
        Ok(fs::remove_dir_all(&self.data)?)
    }
}

/// Where a database is, for processes of this program.
#[derive(Clone)]
pub(crate) struct Place(Option<String>);

impl Place {
    /// Tells a process, which must not hear of another one that somebody has set for servers of his own.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env_remove(DATABASE).env_remove(PASSWORD_FILE);
        if let Some(url) = &self.0 {
            command.env(DATABASE, url);
        }
    }

    /// Opens the store of the measured server, whose process was told where the database is.
    pub(crate) fn open_told(data: &Path) -> anyhow::Result<Store> {
        let database = std::env::var(DATABASE).ok();
        Ok(Store::open(data, &Options { database, ..Options::default() })?)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn processes_hear_of_their_own_database_alone() {
        let told = |place: Place| {
            let mut command = Command::new("weir");
            place.tell(&mut command);
            let known = command.get_envs().find(|(name, _)| *name == OsStr::new(DATABASE)).expect("it is said");
            known.1.map(OsStr::to_owned)
        };
        assert_eq!(told(Place(None)), None, "what was inherited is taken away");
        assert_eq!(told(Place(Some("postgres://a@b/c".to_owned()))).as_deref(), Some(OsStr::new("postgres://a@b/c")));
    }

    #[test]
    fn a_home_is_copied_with_its_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::default();
        assert!(engine.is_embedded() && engine.database() == Database::Sqlite);
        let home = engine.home(folder.path().join("one")).expect("made");
        assert!(home.stored().is_err(), "nothing was stored");
        drop(home.open().expect("opens"));
        home.tidy().expect("nothing to do");
        let copy = home.copy(folder.path().join("two")).expect("copied");
        assert_eq!((home.cpu_seconds(), copy.stored().expect("a size") > 0), (None, true));
        home.remove().expect("removed");
        assert!(!folder.path().join("one").exists() && copy.join("weir.db").exists());
    }
}
