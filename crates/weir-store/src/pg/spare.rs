//! A server that makes databases and removes them again, for measurements: each begins with nothing stored, or with all that another one
//! has.

use std::sync::mpsc::channel;

use parking_lot::Mutex;
use tokio_postgres::{
    Client, Error,
    types::{FromSqlOwned, ToSql},
};

use super::{
    Closing,
    address::Address,
    error,
    link::{Purpose, Target},
    look,
    wait::wait,
};
use crate::StoreError;

const LOOKING: &str = "looking at the database";

/// A server of PostgreSQL, by one of its databases, that makes others beside it. Whatever it made stays until it is removed.
///
/// Names of databases are of small letters, digits and `_`, and begin with a letter.
pub struct DatabaseServer {
    // Fields drop in this order: the connection, then the runtime that it lives on.
    client: Client,
    url: String,
    place: String,
    _runtime: Closing,
}

impl std::fmt::Debug for DatabaseServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseServer").field("place", &self.place).finish_non_exhaustive()
    }
}

impl DatabaseServer {
    /// Connects to a database that Weir can use; nothing is changed in it. The address is one of
    /// [`Options::database`](crate::Options::database).
    ///
    /// # Errors
    ///
    /// As [`Store::open`](crate::Store::open) says them.
    pub fn connect(url: &str) -> Result<Self, StoreError> {
        let address = Address::read(url)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("weir-database")
            .enable_all()
            .build()
            .map_err(|source| StoreError::Open { path: "weir-database".into(), source })?;
        let handle = runtime.handle().clone();
        let (alive, ended) = channel();
        let runtime = Closing { ended: Mutex::new(ended), runtime: Some(runtime) };
        let target = Target::new(address, handle, alive)?;
        let client = target.connect(Purpose::Migrating)?;
        look(&client, &target.place)?;
        Ok(Self { client, url: url.to_owned(), place: target.place.clone(), _runtime: runtime })
    }

    /// Where the database is, without the password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Refuses a database that has something in it, and a user who may not make others like it.
    ///
    /// # Errors
    ///
    /// [`StoreError::DatabaseRefused`] says what it has, or what the user lacks; others if the server does not answer.
    pub fn expect_spare(&self) -> Result<(), StoreError> {
        // what belongs to an extension came with the database
        const FIRST: &str = "SELECT min(n.nspname::TEXT || '.' || c.relname::TEXT)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT starts_with(n.nspname::TEXT, 'pg_') AND n.nspname::TEXT <> 'information_schema'
                AND NOT EXISTS (SELECT 1 FROM pg_depend d
                    WHERE d.classid = 'pg_class'::REGCLASS AND d.objid = c.oid AND d.deptype = 'e')";
        const MAKES: &str = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user";
        const OWNS: &str =
            "SELECT datistemplate OR pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()";
        let refused = |why: String| Err(StoreError::DatabaseRefused { place: self.place.clone(), why });
        if let Some(first) = self.ask::<Option<String>>(FIRST, &[])? {
            return refused(format!("is not empty: {first} is in it; name one that was made for this alone"));
        }
        let user: String = self.ask("SELECT quote_ident(current_user)", &[])?;
        if !self.ask::<bool>(MAKES, &[])? {
            return refused(format!(
                "is not enough: {user} may make no databases beside it; a superuser allows that with ALTER ROLE {user} CREATEDB"
            ));
        }
        if !self.ask::<bool>(OWNS, &[])? {
            return refused(format!(
                "is not owned by {user}, who may not copy it therefore; make it with OWNER {user}"
            ));
        }
        Ok(())
    }

    /// The release of the server, and the settings that decide how long a change takes to be durable, in words.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub fn describe(&self) -> Result<String, StoreError> {
        const WORDS: &str = "SELECT 'PostgreSQL ' || current_setting('server_version') || '; ' || string_agg(
                name || ' ' || current_setting(name), ', ' ORDER BY place)
            FROM unnest(ARRAY['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers',
                'max_wal_size', 'checkpoint_timeout']) WITH ORDINALITY AS asked (name, place)";
        self.ask(WORDS, &[])
    }

    /// Makes a database with all that another one of this server has, to which nobody may be connected; with what the one of the
    /// address has if none is named.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if somebody is connected to the other one; the user may not, or the server does not answer.
    pub fn create(&self, name: &str, from: Option<&str>) -> Result<(), StoreError> {
        const MAKING: &str = "making a database";
        let (template, strategy) = match from {
            // what is large is copied as files: quicker than by way of the log
            Some(from) => (from.to_owned(), " STRATEGY FILE_COPY"),
            None => (self.ask("SELECT current_database()::TEXT", &[])?, ""),
        };
        self.run(MAKING, &format!("CREATE DATABASE {} TEMPLATE {}{strategy}", quoted(name), quoted(&template)))
    }

    /// Removes a database, whoever is connected to it; nothing if it is not there.
    ///
    /// # Errors
    ///
    /// The user may not, or the server does not answer.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.run("removing a database", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)))
    }

    /// Bytes that a database takes on the server's disk, without the log.
    ///
    /// # Errors
    ///
    /// It is not there, or the server does not answer.
    pub fn size(&self, name: &str) -> Result<u64, StoreError> {
        let bytes: i64 = self.ask("SELECT pg_database_size($1::TEXT::NAME)", &[&name])?;
        Ok(bytes.unsigned_abs())
    }

    /// The address of a database of this server.
    pub fn url(&self, name: &str) -> String {
        renamed(&self.url, name)
    }

    /// Does at once in a database of this server what PostgreSQL does by itself some minutes after a database was filled: learns how
    /// many rows of which values there are, and what all may see.
    ///
    /// # Errors
    ///
    /// It is not there, or the server does not answer.
    pub fn tidy(&self, name: &str) -> Result<(), StoreError> {
        Self::connect(&self.url(name))?.run("looking at what was stored", "VACUUM (ANALYZE)")
    }

    fn run(&self, action: &'static str, sql: &str) -> Result<(), StoreError> {
        wait(self.client.batch_execute(sql)).map_err(|error| self.failed(action, error))
    }

    fn ask<T: FromSqlOwned>(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<T, StoreError> {
        let fail = |error| self.failed(LOOKING, error);
        let row = wait(self.client.query_one(sql, values)).map_err(fail)?;
        row.try_get(0).map_err(fail)
    }

    fn failed(&self, action: &'static str, error: Error) -> StoreError {
        error::failed(&self.place, action, error)
    }
}

/// The address of another database of the same server: of several names, the last one counts.
fn renamed(url: &str, name: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}dbname={name}")
}

/// A name as it stands in a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_is_of_the_same_server() {
        for (url, place) in [
            ("postgres://weir:s3cret@h/weir", "postgres://weir@h/other"),
            ("postgres://weir@h", "postgres://weir@h/other"),
            ("postgres://weir@one,two:6000/a%20b?connect_timeout=3", "postgres://weir@one,two:6000/other"),
            ("postgres:///weir?host=/tmp/s&user=weir&dbname=x", "postgres://weir@/tmp/s/other"),
        ] {
            let address = Address::read(&renamed(url, "other")).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(address.place, place);
            assert_eq!(address.config.get_dbname(), Some("other"), "{url}");
        }
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!((quoted("weir"), quoted("a\"b c")), ("\"weir\"".to_owned(), "\"a\"\"b c\"".to_owned()));
    }
}
