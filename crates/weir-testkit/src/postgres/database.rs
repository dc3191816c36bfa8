//! Databases of tests, on one server for all tests of a process.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use uuid::Uuid;

use super::{Cluster, Link, program};

/// Names a server to use in place of a cluster of our own: the address of a database of it, as a user who may make others.
const GIVEN: &str = "WEIR_TEST_POSTGRES";

/// Removes the databases of a process when that is gone.
const SWEEPER: &str = r#"
trap '' HUP INT TERM
read -r word
printf '%s\n' "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname) FROM pg_database WHERE starts_with(datname, '$3') \\gexec" |
    "$1" -X -q "$2"
"#;

/// A database of a test's own. It goes when this is dropped, whoever is connected.
#[derive(Debug)]
pub struct Database {
    url: String,
    name: String,
}

/// What all tests of a process share. Nothing in it is dropped; a shell notices the end of the process.
#[derive(Debug)]
struct Shared {
    /// A database of the server.
    url: String,
    /// What the names of this process's databases begin with.
    prefix: String,
    made: AtomicU64,
    _cluster: Option<Cluster>,
    _sweeper: Option<Child>,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

impl Shared {
    fn here() -> &'static Self {
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let prefix = format!("weir_test_{}_", &Uuid::new_v4().simple().to_string()[..12]);
        let made = AtomicU64::new(0);
        let shared = match std::env::var(GIVEN) {
            Ok(url) if !url.is_empty() => {
                let sweeper = Some(sweeper(&url, &prefix));
                Self { url, prefix, made, _cluster: None, _sweeper: sweeper }
            }
            _ => {
                let cluster = Cluster::start();
                Self { url: cluster.url("postgres"), prefix, made, _cluster: Some(cluster), _sweeper: None }
            }
        };
        // migrated once, and copied from then on
        let template = shared.template();
        shared.run(&format!("CREATE DATABASE {template} ENCODING 'UTF8' TEMPLATE template0"));
        let migrated = Link::open(&renamed(&shared.url, &template)).and_then(|mut link| link.migrate());
        migrated.unwrap_or_else(|error| panic!("the schema cannot be made: {error:#}"));
        shared
    }

    fn template(&self) -> String {
        format!("{}template", self.prefix)
    }

    fn run(&self, sql: &str) {
        let run = Link::open(&self.url).and_then(|link| link.batch(sql));
        run.unwrap_or_else(|error| panic!("{sql}: {error:#}"));
    }
}

impl Database {
    /// One with the schema and nothing else.
    ///
    /// # Panics
    ///
    /// If there is no server, or it does not make one.
    pub fn fresh() -> Self {
        let template = Shared::here().template();
        // quicker than its contents by way of the log
        Self::make(&format!("TEMPLATE {template} STRATEGY FILE_COPY"))
    }

    /// One with nothing in it, as an administrator makes it.
    ///
    /// # Panics
    ///
    /// As [`Database::fresh`].
    pub fn empty() -> Self {
        Self::make("ENCODING 'UTF8' TEMPLATE template0")
    }

    /// One with all that another one has, which may be in use.
    ///
    /// # Panics
    ///
    /// As [`Database::fresh`], and if the other one cannot be read.
    pub fn copy_of(url: &str) -> Self {
        let copy = Self::empty();
        let mut dump = Command::new(program::client("pg_dump"))
            .args(["--no-owner", "--dbname", url])
            .stdout(Stdio::piped())
            .spawn()
            .expect("pg_dump starts");
        let loaded = Command::new(program::client("psql"))
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", &copy.url])
            .stdin(dump.stdout.take().expect("it is piped"))
            .output()
            .expect("psql starts");
        let dumped = dump.wait().expect("it ends");
        let said = String::from_utf8_lossy(&loaded.stderr);
        assert!(dumped.success() && loaded.status.success(), "a database cannot be copied: {said}");
        copy
    }

    /// Its address: `postgres://USER@HOST:PORT/NAME`.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn make(options: &str) -> Self {
        let shared = Shared::here();
        let name = format!("{}{}", shared.prefix, shared.made.fetch_add(1, Ordering::Relaxed));
        shared.run(&format!("CREATE DATABASE {name} {options}"));
        Self { url: renamed(&shared.url, &name), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        // the test need not wait; what is left when the process ends goes with that
        thread::spawn(move || {
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            if let Some(shared) = SHARED.get() {
                let _ = Link::open(&shared.url).and_then(|link| link.batch(&sql));
            }
        });
    }
}

/// The address of another database of the same server.
fn renamed(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let (scheme, place) = base.split_once("://").unwrap_or_else(|| panic!("{GIVEN} is not postgres://USER@HOST/NAME"));
    let host = place.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{name}{query}")
}

fn sweeper(url: &str, prefix: &str) -> Child {
    let mut sweeper = Command::new("/bin/sh");
    sweeper.args(["-c", SWEEPER, "sweeper"]).arg(program::client("psql")).args([url, prefix]);
    sweeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    sweeper.spawn().expect("a shell")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn addresses_are_those_of_other_databases() {
        for (url, wanted) in [
            ("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/x"),
            ("postgres://u@h", "postgres://u@h/x"),
            ("postgresql://u@h/a?sslmode=disable", "postgresql://u@h/x?sslmode=disable"),
        ] {
            assert_eq!(renamed(url, "x"), wanted);
        }
    }

    #[test]
    fn databases_are_fresh_and_go_away() {
        let (one, two) = (Database::fresh(), Database::fresh());
        let count = |of: &Database| {
            let asked = Link::open(of.url()).and_then(|link| link.query("SELECT count(*) FROM setting"));
            asked.expect("the schema is there").1[0][0].clone()
        };
        let link = Link::open(one.url()).expect("a connection");
        link.batch("INSERT INTO setting (key, value, change, changed_at, changed_by) VALUES ('k', '1', 1, 0, 'test')")
            .expect("stored");
        assert_eq!((count(&one).as_str(), count(&two).as_str()), ("1", "0"));
        let copy = Database::copy_of(one.url());
        assert_eq!(count(&copy), "1");
        assert!(Link::open(Database::empty().url()).is_ok_and(|link| link.query("SELECT 1 FROM setting").is_err()));
        let url = one.url().to_owned();
        drop(one);
        let deadline = Instant::now() + Duration::from_mins(1);
        while Link::open(&url).is_ok() {
            assert!(Instant::now() < deadline, "it is there yet");
            thread::sleep(Duration::from_millis(20));
        }
        drop(link);
    }
}
