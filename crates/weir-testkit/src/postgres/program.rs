//! PostgreSQL's programs, and the user who runs them: none of them runs as root.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian has them, a folder for each release.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The oldest release that the server takes.
const OLDEST: u32 = 15;
/// Users that own nothing else; the first that there is runs the programs for root.
const USERS: [&str; 2] = ["postgres", "nobody"];
/// A longer path leaves no room for the name of a Unix socket.
const LONGEST: usize = 60;

/// The programs of the newest release here; those in `POSTGRES_BIN`, if that is set.
fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("POSTGRES_BIN") {
        return Some(named.into());
    }
    let releases = fs::read_dir(DEBIAN).into_iter().flatten().flatten().filter_map(|entry| {
        let release: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((release, entry.path().join("bin")))
    });
    let newest = releases.filter(|(release, bin)| *release >= OLDEST && bin.join("initdb").is_file()).max();
    // other systems have them where other programs are
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = || std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    newest.map(|(_, bin)| bin).or_else(elsewhere)
}

/// The folder with the programs of a server.
pub(super) fn server() -> PathBuf {
    folder().unwrap_or_else(|| {
        panic!(
            "this test needs PostgreSQL {OLDEST} or later: run `cargo xtask test --prepare`, or name the folder of its programs in \
             POSTGRES_BIN; one that needs no more than a database takes a server named in WEIR_TEST_POSTGRES, too"
        )
    })
}

/// A program that talks to a server.
pub(super) fn client(name: &str) -> PathBuf {
    folder().map(|folder| folder.join(name)).filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}

/// Who runs the programs in place of root.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    id: u32,
    group: u32,
}

impl User {
    /// None: whoever runs this.
    pub(super) fn find() -> Option<Self> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !is_root {
            return None;
        }
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = |name: &&str| {
            let fields = known.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let mut fields = fields.split(':').skip(1);
            Some(Self { id: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
        };
        let found = USERS.iter().find_map(user);
        assert!(found.is_some(), "PostgreSQL does not run as root, and there is no user {}", USERS.join(" or "));
        found
    }

    /// Gives a folder to it.
    pub(super) fn own(self, folder: &Path) {
        std::os::unix::fs::chown(folder, Some(self.id), Some(self.group))
            .unwrap_or_else(|error| panic!("cannot give {} to another user: {error}", folder.display()));
    }
}

/// A command that this user runs.
pub(super) fn command(program: impl AsRef<OsStr>, user: Option<User>) -> Command {
    let mut command = Command::new(program);
    if let Some(User { id, group }) = user {
        // groups of root are left behind, too
        command.uid(id).gid(group);
    }
    command
}

/// A folder of this user's own, which a cluster and its socket fit into.
pub(super) fn scratch(user: Option<User>) -> PathBuf {
    let all_may = |folder: &Path, bits: u32| fs::metadata(folder).is_ok_and(|there| there.mode() & bits == bits);
    let fits = |folder: &PathBuf| {
        folder.as_os_str().len() <= LONGEST
            && (user.is_none() || (all_may(folder, 0o003) && folder.ancestors().all(|above| all_may(above, 0o001))))
    };
    let places = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let place = places.into_iter().find(fits).unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("weir-postgres-").tempdir_in(place).expect("a scratch folder").keep();
    if let Some(user) = user {
        user.own(&folder);
    }
    folder
}
