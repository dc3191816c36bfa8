//! Which engine the stores of tests are on, and what their databases say, whichever it is.
//!
//! `WEIR_TEST_ENGINE=postgres` puts them on PostgreSQL; otherwise they are on the embedded SQLite. A database belongs to a data
//! folder: [`database`] gives its address wherever a store is opened in that folder, a server started, or the database looked into.
//! It goes some time after the folder, or the temporary folder that this is in. A test that is about the file `weir.db` itself keeps
//! its folder on SQLite, by not asking for an address, or with [`keep_sqlite`] where others ask.

mod direct;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf, absolute},
    sync::{Mutex, MutexGuard, PoisonError},
};

pub use self::direct::{Direct, Value};
use crate::postgres::Database;

/// Chooses the engine: `sqlite`, which is the default, or `postgres`.
pub const VARIABLE: &str = "WEIR_TEST_ENGINE";
/// The variable that tells commands of `weir` which database is meant.
pub const DATABASE: &str = "WEIR_DATABASE";

/// Folders of this process that somebody asked for, with their databases; none: it is on SQLite whatever was chosen.
static FOLDERS: Mutex<BTreeMap<PathBuf, Option<Database>>> = Mutex::new(BTreeMap::new());

/// Whether stores are on PostgreSQL.
///
/// # Panics
///
/// If [`VARIABLE`] names something else.
pub fn is_postgres() -> bool {
    match std::env::var(VARIABLE).as_deref() {
        Ok("postgres") => true,
        Ok("" | "sqlite") | Err(_) => false,
        Ok(other) => panic!("{VARIABLE} is {other:?}, and neither sqlite nor postgres"),
    }
}

/// The address of the database of a data folder, which is made if it is not there; none if the folder is on SQLite.
///
/// # Panics
///
/// If there is no PostgreSQL; `cargo xtask test` installs it.
pub fn database(data: &Path) -> Option<String> {
    if !is_postgres() {
        return None;
    }
    let data = named(data);
    if let Some(known) = folders().get(&data) {
        return known.as_ref().map(|database| database.url().to_owned());
    }
    let made = Database::fresh();
    let mut folders = folders();
    // nobody needs those any more whose folders are gone
    folders.retain(|folder, _| *folder == data || top(folder).exists());
    let known = folders.entry(data).or_insert(Some(made));
    known.as_ref().map(|database| database.url().to_owned())
}

/// Keeps a data folder on SQLite.
pub fn keep_sqlite(data: &Path) {
    folders().insert(named(data), None);
}

/// Gives a data folder without a database one that has all that another folder's has now, which may be in use.
///
/// # Panics
///
/// If it cannot be copied.
pub fn copy(from: &Path, to: &Path) {
    match database(from) {
        Some(url) => {
            let copy = Database::copy_of(&url);
            folders().insert(named(to), Some(copy));
        }
        None => {
            let target = to.join("weir.db");
            let target = target.to_str().unwrap_or_else(|| panic!("{} is not UTF-8", target.display()));
            Direct::of(from).execute("VACUUM INTO ?1", &[target.into()]);
        }
    }
}

/// What a command of `weir` about a data folder must have in its environment to find the database: nothing if nobody has asked for
/// the folder's database before, so that there is none.
pub fn environment(data: &Path) -> Option<(&'static str, String)> {
    let folders = folders();
    let known = folders.get(&named(data))?.as_ref()?;
    Some((DATABASE, known.url().to_owned()))
}

/// Asks one question of the database of a data folder, and gives the rows with every value in words: see [`Direct::query`].
///
/// # Panics
///
/// If it cannot be asked.
pub fn inspect(data: &Path, sql: &str, values: &[Value]) -> Vec<Vec<String>> {
    Direct::of(data).query(sql, values)
}

/// Runs one statement on the database of a data folder, beside any server, and gives how many rows it changed.
///
/// # Panics
///
/// If it fails.
pub fn execute(data: &Path, sql: &str, values: &[Value]) -> u64 {
    Direct::of(data).execute(sql, values)
}

fn folders() -> MutexGuard<'static, BTreeMap<PathBuf, Option<Database>>> {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn named(data: &Path) -> PathBuf {
    absolute(data).unwrap_or_else(|_| data.to_owned())
}

/// The temporary folder that a folder is in, or itself: it goes when a test has ended, while the folder may come later.
fn top(folder: &Path) -> &Path {
    let places = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into(), "/dev/shm".into()];
    let is_place = |above: &Path| above.parent().is_some_and(|parent| places.iter().any(|place| place == parent));
    folder.ancestors().find(|above| is_place(above)).unwrap_or(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_go_with_temporary_folders() {
        for (folder, wanted) in
            [("/tmp/.tmpab/data/x", "/tmp/.tmpab"), ("/dev/shm/.tmpab", "/dev/shm/.tmpab"), ("/srv/a/b", "/srv/a/b")]
        {
            assert_eq!(top(Path::new(folder)), Path::new(wanted));
        }
    }
}
