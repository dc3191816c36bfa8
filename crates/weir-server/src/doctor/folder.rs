//! What lies in a data folder beside the database: who may read it, what is left over, whether there is room.

use std::{
    fs,
    path::{Path, PathBuf},
};

use weir_api::status::{CA_FILE, ENDPOINTS_FILE, TOKEN_FILE};
use weir_store::{DATABASE, backup::free_space};

use super::{
    AUTHORITY, DISK_FULL, DISK_LOW, Finding, Fix, LEFT_OVER, Look, NO_BACKUP, OWNER, PERMISSIONS, RESTORE_UNFINISHED,
};
use crate::backup::{RESTORING, is_left_over, list};

/// A disk with fewer bytes than these has no room: a database that grows fails at any moment.
const FULL: u64 = 64 << 20;
/// A disk with fewer bytes than these has little room.
const LOW: u64 = 1 << 30;
/// What a file begins with that is on its way to another name.
const ON_ITS_WAY: &str = ".weir-";

impl Look<'_, '_> {
    pub(super) fn folder(&mut self) {
        (self.watch)("folder", 0, 0);
        self.unfinished();
        self.permissions();
        self.owners();
        self.authority();
        self.room();
        self.left_over();
        self.backups();
    }

    fn unfinished(&mut self) {
        if self.settings.data.join(RESTORING).exists() {
            self.add(Finding::new(
                RESTORE_UNFINISHED,
                vec![RESTORING.to_owned()],
                "a restore was cut short: what is in the folder may be half of each, and no server starts on it",
                "give the weir restore command again; it goes on where it was",
            ));
        }
    }

    /// Files that are for the server's user alone.
    fn private(&self) -> Vec<(PathBuf, u32)> {
        let data = &self.settings.data;
        let mut all: Vec<(PathBuf, u32)> = [DATABASE, "weir.db-wal", "weir.db-shm", TOKEN_FILE]
            .into_iter()
            .map(|name| (data.join(name), 0o600))
            .collect();
        all.push((data.clone(), 0o700));
        let tls = data.join("tls");
        let keys = names(&tls).into_iter().filter(|(name, _)| !is_certificate(name)).map(|(_, path)| (path, 0o600));
        all.extend(keys);
        let made = list(&self.settings.backups).unwrap_or_default();
        all.extend(made.into_iter().map(|backup| (PathBuf::from(backup.path), 0o700)));
        all
    }

    #[cfg(unix)]
    fn permissions(&mut self) {
        use std::os::unix::fs::PermissionsExt as _;
        let (mut named, mut fixes) = (Vec::new(), Vec::new());
        for (path, wanted) in self.private() {
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let mode = metadata.permissions().mode() & 0o777;
            if !metadata.is_symlink() && mode & 0o077 != 0 {
                named.push(format!("{} ({mode:o})", path.display()));
                fixes.push(Fix::Restrict(path, mode & wanted));
            }
        }
        if !named.is_empty() {
            let finding = Finding::new(
                PERMISSIONS,
                named,
                "others on this machine can read or write keys, the token or the database",
                "weir doctor --repair takes these rights away; if somebody may have read them, replace the token and the keys",
            );
            self.add(finding.mended("takes the rights of others away", fixes));
        }
    }

    #[cfg(not(unix))]
    fn permissions(&mut self) {
        let _ = self.private();
    }

    #[cfg(unix)]
    fn owners(&mut self) {
        use std::os::unix::fs::MetadataExt as _;
        let data = &self.settings.data;
        let Ok(owner) = fs::metadata(data).map(|folder| folder.uid()) else { return };
        let below = [data.clone(), data.join("tls"), data.join("incoming")];
        let found = below.iter().flat_map(|folder| names(folder));
        let others = found.filter(|(_, path)| fs::symlink_metadata(path).is_ok_and(|file| file.uid() != owner));
        let named: Vec<String> = others.map(|(_, path)| path.display().to_string()).collect();
        if !named.is_empty() {
            self.add(Finding::new(
                OWNER,
                named,
                format!("files are of another user than the folder (user number {owner}), so that the server may be unable to write them"),
                format!("chown -R --reference={0} {0}", data.display()),
            ));
        }
    }

    #[cfg(not(unix))]
    fn owners(&mut self) {
        let _ = OWNER;
    }

    fn authority(&mut self) {
        let data = &self.settings.data;
        let there = |name: &str| fs::metadata(data.join(name)).is_ok_and(|file| file.len() > 0);
        let (certificate, key) = (there(CA_FILE), there("tls/ca.key"));
        // a folder that no server has used has neither
        if certificate != key {
            let missing = if certificate { "tls/ca.key" } else { CA_FILE };
            self.add(Finding::new(
                AUTHORITY,
                vec![missing.to_owned()],
                "the authority that signs the server's own certificate is not whole: the next start makes a new one, which no computer \
                 trusts",
                "put both tls/ca.pem and tls/ca.key back from a backup before the next start",
            ));
        }
    }

    fn room(&mut self) {
        let settings = self.settings;
        let folders = [("data", &settings.data), ("content", &settings.content), ("backups", &settings.backups)];
        for (what, folder) in folders {
            let Ok(free) = free_space(folder) else { continue };
            let (code, meaning) = match free {
                ..FULL => (DISK_FULL, "what has to be stored is refused, or will be at any moment"),
                FULL..LOW => (DISK_LOW, "soon nothing can be stored any more"),
                _ => continue,
            };
            let detail = format!("the disk of {} ({what}) has {free} bytes left: {meaning}", folder.display());
            let next_step = "make room: weir content gc, weir cleanup run, older backups; or a larger disk";
            self.add(Finding::new(code, vec![folder.display().to_string()], detail, next_step));
        }
    }

    fn left_over(&mut self) {
        let data = &self.settings.data;
        let mut left: Vec<PathBuf> = Vec::new();
        if !self.diagnosis.running {
            for folder in ["incoming", "outgoing"] {
                left.extend(names(&data.join(folder)).into_iter().map(|(_, path)| path));
            }
            // downloads that can be gone on with have a digest for a name
            let incoming = names(&self.settings.content.join("incoming")).into_iter();
            left.extend(
                incoming
                    .filter(|(name, _)| Path::new(name).extension().is_none_or(|is| is != "part"))
                    .map(|(_, path)| path),
            );
            for folder in [data.clone(), data.join("tls")] {
                let on_its_way = names(&folder).into_iter().filter(|(name, _)| name.starts_with(ON_ITS_WAY));
                left.extend(on_its_way.map(|(_, path)| path));
            }
            let endpoints = data.join(ENDPOINTS_FILE);
            if endpoints.exists() {
                left.push(endpoints);
            }
        }
        let mut backups = names(&self.settings.backups);
        backups.retain(|(name, path)| is_left_over(name, path));
        left.extend(backups.into_iter().map(|(_, path)| path));
        if !left.is_empty() {
            let named = left.iter().map(|path| path.display().to_string()).collect();
            let fixes = left.into_iter().map(Fix::Remove).collect();
            let finding = Finding::new(
                LEFT_OVER,
                named,
                "files of work that ended with its process; nobody will use them again",
                "nothing: the next start removes most of them; weir doctor --repair removes them now",
            );
            self.add(finding.mended("removes them", fixes));
        }
    }

    fn backups(&mut self) {
        if list(&self.settings.backups).is_ok_and(|made| made.is_empty()) {
            let folder = self.settings.backups.display().to_string();
            self.add(Finding::new(
                NO_BACKUP,
                vec![folder],
                "there is no backup in the folder of backups",
                "weir backup create, and weir settings set backup.schedule \"daily at 02:00\"",
            ));
        }
    }
}

/// Whether a file of the authority's folder may be read by anybody.
fn is_certificate(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pem"))
}

/// What lies in a folder; nothing if it cannot be listed.
fn names(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<_> =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect();
    all.sort_unstable();
    all
}
