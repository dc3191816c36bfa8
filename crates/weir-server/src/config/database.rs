//! Where the database is, if it is on a server of PostgreSQL, and the password for it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use weir_store::{StoreError, database::Url};

use super::{
    ConfigError,
    file::DatabaseFragment,
    validate::{absolute, wrong},
};

/// The setting that names the database.
const URL: &str = "database.url";
/// The setting that names the file with its password.
const PASSWORD_FILE: &str = "database.password_file";

/// A database of PostgreSQL. What is printed of it has no password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Database {
    /// Its address, as it was given; with a password that the environment has, unless a file has it.
    url: Url,
    /// The file that has the password, if the settings name one.
    pub password_file: Option<PathBuf>,
}

impl Database {
    /// Where it is: `postgres://user@host/name`.
    pub fn place(&self) -> String {
        self.url.place()
    }

    /// The whole address, with the password if there is one: that of the address, else of the file that the settings name, which is read
    /// now, else of the environment. Nothing shows or stores it.
    pub fn address(&self) -> Result<Url, ConfigError> {
        let Some(path) = self.password_file.as_ref().filter(|_| !self.url.has_password()) else {
            return Ok(self.url.clone());
        };
        let secret = |source| ConfigError::Secret { key: PASSWORD_FILE, path: path.clone(), source };
        let text = crate::file::small_text(path).map_err(secret)?;
        match text.lines().next().filter(|password| !password.is_empty()) {
            Some(password) => Ok(self.url.with_password(password)),
            None => {
                Err(wrong(PASSWORD_FILE, &path.display().to_string(), "a file with the password as its first line"))
            }
        }
    }
}

/// Checks what is said of the database; none if nothing is.
///
/// Without a password in the address and without a file that has one it is that of `PGPASSWORD`, else of the password file of libpq
/// (`PGPASSFILE`, `~/.pgpass`); else there is none, and the server may believe a certificate or the user of this process.
pub(super) fn read(
    given: DatabaseFragment,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Database>, ConfigError> {
    let DatabaseFragment { url, password_file } = given;
    let password_file = password_file.as_deref().map(|path| absolute(PASSWORD_FILE, path)).transpose()?;
    let Some(text) = url else {
        return match password_file {
            None => Ok(None),
            Some(path) => Err(wrong(URL, "", format!("set, since {PASSWORD_FILE} is {}", path.display()))),
        };
    };
    let mut url = Url::read(&text).map_err(|error| {
        let why = match error {
            StoreError::DatabaseAddress { why } => why,
            error => error.to_string(),
        };
        // the address may have a password, also in messages
        wrong(URL, "...", format!("an address as postgres://USER@HOST/NAME: {why}"))
    })?;
    if password_file.is_none() && !url.has_password() {
        if let Some(password) = around(&url, environment)? {
            url = url.with_password(&password);
        }
    }
    Ok(Some(Database { url, password_file }))
}

/// The password that the environment has, as libpq looks for it.
fn around(url: &Url, environment: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, ConfigError> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    if let Some(password) = variable("PGPASSWORD") {
        return Ok(Some(password));
    }
    let named = variable("PGPASSFILE").map(PathBuf::from);
    let Some(path) = named.or_else(|| Some(Path::new(&variable("HOME")?).join(".pgpass"))) else { return Ok(None) };
    if is_open_to_others(&path) {
        // as libpq does
        return Ok(None);
    }
    match crate::file::small_text(&path) {
        Ok(text) => Ok(url.password_in(&text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        // a home folder that this user may not look into
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(None),
        Err(source) => Err(ConfigError::Secret { key: "PGPASSFILE", path, source }),
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn given(url: &str, password_file: Option<&Path>) -> DatabaseFragment {
        DatabaseFragment { url: Some(url.to_owned()), password_file: password_file.map(Path::to_owned) }
    }

    fn none(_: &str) -> Option<String> {
        None
    }

    const BARE: &str = "postgres://weir@db.example/weir";

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        assert_eq!(read(DatabaseFragment::default(), &none).expect("valid"), None);
        for (url, part) in [
            ("postgres://weir:s3cret@h:port/weir", "postgres://USER@HOST/NAME"),
            ("mysql://weir:s3cret@h/weir", "neither postgres:// nor postgresql://"),
            ("postgres://weir:s3@cret@h/weir", "%40"),
            ("postgres://weir:s3cret@h/weir?sslmode=never", "sslmode"),
        ] {
            let error = read(given(url, None), &none).expect_err(url).to_string();
            assert!(error.starts_with("database.url is") && error.contains(part), "{error}");
            assert!(!error.contains("s3"), "{error}");
        }
        let alone = DatabaseFragment { url: None, password_file: Some("secret".into()) };
        let error = read(alone, &none).expect_err("no address").to_string();
        assert!(error.contains("database.url") && error.contains("set, since"), "{error}");
    }

    #[test]
    fn a_password_comes_from_the_address_the_file_the_environment_or_a_password_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, passfile) = (folder.path().join("password"), folder.path().join(".pgpass"));
        fs::write(&file, "of the file\n").expect("written");
        fs::write(&passfile, "db.example:*:weir:weir:of .pgpass\n").expect("written");
        let home = folder.path().display().to_string();
        let environment = |name: &str| match name {
            "HOME" => Some(home.clone()),
            "PGPASSWORD" => Some("of PGPASSWORD".to_owned()),
            _ => None,
        };
        let at_home = |name: &str| (name == "HOME").then(|| home.clone());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&passfile, fs::Permissions::from_mode(0o644)).expect("open");
            let open = read(given(BARE, None), &at_home).expect("valid").expect("set");
            assert!(!open.address().expect("read").has_password(), "others may read it");
            fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).expect("private");
        }
        let bare = Url::read(BARE).expect("an address");
        let whole = |given, environment: &dyn Fn(&str) -> Option<String>| {
            read(given, environment).expect("valid").expect("set").address().expect("read")
        };
        let of_file = whole(given(BARE, Some(&file)), &environment);
        assert_eq!(of_file, bare.with_password("of the file"));
        assert_eq!(whole(given(BARE, None), &environment), bare.with_password("of PGPASSWORD"));
        assert_eq!(whole(given(BARE, None), &at_home), bare.with_password("of .pgpass"));
        assert_eq!(whole(given(BARE, None), &none), bare);
        let own = "postgres://weir:own@db.example/weir";
        assert_eq!(whole(given(own, Some(&file)), &environment).expose(), own);
        let by_file = read(given(BARE, Some(&file)), &environment).expect("valid").expect("set");
        let shown = format!("{by_file:?} {:?}", read(given(BARE, None), &environment).expect("valid"));
        let hidden = ["of the file", "of%20", "of PGPASSWORD", "password="];
        assert!(shown.contains(BARE) && !hidden.iter().any(|part| shown.contains(part)), "{shown}");

        fs::write(&file, "\n").expect("written");
        let error = by_file.address().expect_err("nothing in it").to_string();
        assert!(error.contains("first line"), "{error}");
        fs::remove_file(&file).expect("removed");
        let error = by_file.address().expect_err("not there");
        assert!(matches!(error, ConfigError::Secret { key: PASSWORD_FILE, .. }), "{error}");
    }
}
