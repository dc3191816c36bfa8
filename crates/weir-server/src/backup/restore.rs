//! Restoring a backup into a data folder that no server uses.
//!
//! Everything is verified before anything is changed, and written beside what is there under a hidden name. Only then do folders
//! change their names, which a note says: a restore that is cut short is gone on with by the next one, and no server starts on what is
//! half of each.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;
use weir_api::{
    backup::{Backup, BackupPhase},
    status::TOKEN_FILE,
};
use weir_model::ids::Sha256Digest;
use weir_store::{
    DATABASE, ReadTx, Store,
    backup::free_space,
    content::{Content as _, ContentStore, Expected},
};

use super::{
    BackupError, Manifest, Watch,
    content::{Unclaimed, open},
    files::{self, failed},
    manifest::{CONTENT, SETTINGS, TLS},
    marker::{ASIDE, Marker, RESTORING, STAGE, Step, finish, read_marker, unwritten},
    named_files, server,
    take_over::{NOTE, Note},
    tell,
    verify::{Place, compare, each_content, usable, verify},
};
use crate::{
    config::{Options, Settings},
    database, start,
};

/// What stays where it is whatever is restored: it belongs to the machine, or is added to.
const STAYS: [&str; 7] = ["weir.toml", "weir.lock", "content", "backups", "reports", "lost+found", RESTORING];
/// What stays free beside what is restored.
const MARGIN: u64 = 16 << 20;

/// What was restored.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Restored {
    /// The backup.
    pub backup: Backup,
    /// The data folder.
    pub data: String,
    /// The folder that keeps what was there before, if anything was.
    pub aside: Option<String>,
    /// Content files that were added.
    pub content_added: u64,
    /// Content files of the backup that were there already.
    pub content_kept: u64,
    /// What computers, other servers and administrators will see, one sentence each.
    pub sees: Vec<String>,
    /// What to do now, one sentence each.
    pub next_steps: Vec<String>,
}

/// Restores a backup. `options` name the data folder; `replace` keeps aside what is there, without it the folder must be empty.
/// Blocks; files that go to an object store need a runtime that it is called in. Where it fails before the end nothing was changed,
/// but for content files that were added.
pub fn restore(
    options: &Options,
    backup: &Path,
    replace: bool,
    now: Timestamp,
    watch: &mut Watch<'_>,
) -> Result<Restored, BackupError> {
    let backup = backup
        .canonicalize()
        .map_err(|error| BackupError::Manifest { path: backup.to_owned(), why: error.to_string() })?;
    let manifest = Manifest::read(&backup)?;
    usable(&manifest)?;
    let settings = settings_after(options, &backup)?;
    let data = settings.data.clone();
    let stays = stays(&settings, &manifest);
    if data.is_dir() {
        // before hours are spent on digests
        refuse_what_is_there(&data, &stays, replace)?;
    }
    if !data.join(RESTORING).exists() {
        server::refuse_data(&settings)?;
    }
    verify(&backup, watch)?;
    start::create_folder(&data).map_err(|error| match error {
        start::StartError::File { action, path, source } => BackupError::File { action, path, source },
        error => BackupError::Manifest { path: data.clone(), why: error.to_string() },
    })?;
    let _lock = Store::lock(&data)?;
    if let Some(marker) = read_marker(&data)? {
        let same = marker.backup == backup.display().to_string();
        let marker = server::settle(&settings, marker, watch)?;
        finish(&data, marker.clone())?;
        if same {
            let aside = marker.aside.map(|name| data.join(name));
            return report(&manifest, &backup, &settings, aside, (0, 0), None);
        }
    }
    refuse_what_is_there(&data, &stays, replace)?;
    server::refuse_data(&settings)?;
    room(&manifest, &settings)?;
    // before anything is copied: it may be out of reach, or that of another site
    let content =
        manifest.content.included.then(|| open(&settings, manifest.server_id, Unclaimed::Take)).transpose()?;

    let stage = data.join(STAGE);
    if stage.exists() {
        // of a restore that never began to change names
        fs::remove_dir_all(&stage).map_err(failed("removing", &stage))?;
    }
    let mut staged = Staged { folder: stage, keep: false };
    files::create_folder(&staged.folder)?;
    let left = stage_files(&manifest, &backup, &settings, &staged.folder, watch)?;
    let note = Note {
        epoch: Uuid::new_v4(),
        backup: backup.display().to_string(),
        made_at: manifest.made_at,
        restored_at: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let text = serde_json::to_vec_pretty(&note).map_err(|error| unwritten(&data, &error))?;
    files::write(&staged.folder.join(NOTE), &text)?;
    files::sync_folder(&staged.folder)?;
    let counts = match &content {
        Some(store) => add_content(&backup, &manifest, store, watch)?,
        None => (0, 0),
    };

    let anything = first_of(&data, &stays)?.is_some();
    let stamp = now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let aside = anything.then(|| free_name(&data, &stamp));
    let step = if settings.database.is_some() { Step::Database } else { Step::Aside };
    let settled = server::settle(&settings, Marker::new(step, &backup, aside.clone(), stays), watch);
    staged.keep = settled.is_ok() || data.join(RESTORING).exists();
    finish(&data, settled?)?;
    report(&manifest, &backup, &settings, aside.map(|name| data.join(name)), counts, left)
}

/// Settings of the folder as they are afterwards: its own file, else that of the backup, in which relative paths mean the folder.
fn settings_after(options: &Options, backup: &Path) -> Result<Settings, BackupError> {
    let config = |error| match error {
        start::StartError::Config(error) => BackupError::Config(error),
        error => BackupError::Manifest { path: backup.to_owned(), why: error.to_string() },
    };
    let own = start::settings(options).map_err(config)?;
    let theirs = backup.join(SETTINGS);
    let named = options.config.is_some() || std::env::var_os("WEIR_CONFIG").is_some_and(|name| !name.is_empty());
    if named || own.file.exists() || !theirs.is_file() {
        return Ok(own);
    }
    let data = own.data;
    let options = Options { config: Some(theirs), data: Some(data.clone()), ..options.clone() };
    let mut settings = start::settings(&options).map_err(config)?;
    let here = |path: &PathBuf| match path.strip_prefix(backup) {
        Ok(below) => data.join(below),
        Err(_) => path.clone(),
    };
    settings.content = here(&settings.content);
    settings.backups = here(&settings.backups);
    settings.reports = here(&settings.reports);
    settings.file = here(&settings.file);
    if let Some(database) = &mut settings.database {
        database.password_file = database.password_file.as_ref().map(here);
    }
    if let Some(place) = &mut settings.objects {
        place.credentials = place.credentials.as_ref().map(here);
        place.authorities = place.authorities.as_ref().map(here);
    }
    Ok(settings)
}

/// Names in the data folder that stay: also those of files that settings name there, such as certificates and credentials, which are
/// in no backup.
fn stays(settings: &Settings, manifest: &Manifest) -> BTreeSet<String> {
    let below = |path: &Path| match path.strip_prefix(&settings.data).ok()?.components().next()? {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    let own = [&settings.content, &settings.backups, &settings.reports, &settings.file].into_iter().cloned();
    let elsewhere = manifest.elsewhere.iter().map(PathBuf::from);
    let named = own.chain(named_files(settings)).chain(elsewhere).filter_map(|path| below(&path));
    // what comes from the backup has to make room, whatever else is in the same folder
    let brought = |name: &String| [DATABASE, TLS, TOKEN_FILE].contains(&name.as_str());
    STAYS.into_iter().map(str::to_owned).chain(named.filter(|name| !brought(name))).collect()
}

/// What is in the way, if anything is.
fn first_of(data: &Path, stays: &BTreeSet<String>) -> Result<Option<String>, BackupError> {
    let moved = |name: &String| !stays.contains(name) && !name.starts_with(ASIDE) && name != STAGE;
    Ok(files::entries(data)?.into_iter().map(|(name, _)| name).find(moved))
}

fn refuse_what_is_there(data: &Path, stays: &BTreeSet<String>, replace: bool) -> Result<(), BackupError> {
    // what a restore that was cut short has moved is gone on with
    if replace || data.join(RESTORING).exists() {
        return Ok(());
    }
    match first_of(data, stays)? {
        Some(what) => Err(BackupError::NotEmpty { data: data.to_owned(), what }),
        None => Ok(()),
    }
}

/// Refuses before anything is written.
fn room(manifest: &Manifest, settings: &Settings) -> Result<(), BackupError> {
    let own: u64 = manifest.files.iter().map(|entry| entry.size).sum();
    let need = own.saturating_add(MARGIN);
    let free = free_space(&settings.data)?;
    if free < need {
        return Err(BackupError::Room { path: settings.data.clone(), free, need });
    }
    // what goes to an object store leaves the disk file by file
    if !manifest.content.included || settings.objects.is_some() {
        return Ok(());
    }
    files::create_folders(&settings.content)?;
    // what is there already takes none; the most that it can be
    let (free, need) = (free_space(&settings.content)?, manifest.bytes().saturating_add(MARGIN));
    let there = ContentStore::open(&settings.content)?.list()?.into_iter().map(|(_, _, size)| size).sum::<u64>();
    if free.saturating_add(there) < need {
        return Err(BackupError::Room { path: settings.content.clone(), free, need });
    }
    Ok(())
}

/// A folder that is gone when this is dropped, unless it is kept.
struct Staged {
    folder: PathBuf,
    keep: bool,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = fs::remove_dir_all(&self.folder)
        {
            tracing::warn!(path = %self.folder.display(), %error, "what was prepared could not be removed; the next restore does");
        }
    }
}

/// Copies the files of a backup, each compared with its digest once more while it is copied. Answers the process settings that are
/// here and stay, if those of the backup are others.
fn stage_files(
    manifest: &Manifest,
    backup: &Path,
    settings: &Settings,
    stage: &Path,
    watch: &mut Watch<'_>,
) -> Result<Option<PathBuf>, BackupError> {
    let total: u64 = manifest.files.iter().map(|entry| entry.size).sum();
    let (mut done, mut left) = (0, None);
    if manifest.files.iter().any(|entry| entry.path.starts_with(TLS)) {
        files::create_folder(&stage.join(TLS))?;
    }
    for entry in &manifest.files {
        let (from, to) = (backup.join(&entry.path), stage.join(&entry.path));
        if entry.path == super::manifest::CONTENT_LIST {
            continue;
        }
        if entry.path == SETTINGS && settings.file.exists() {
            let same = files::sum(&settings.file, &mut |_| Ok(()))?.sha256 == entry.sha256;
            left = (!same).then(|| settings.file.clone());
            continue;
        }
        let sum = files::copy(&from, &to, &mut |bytes| {
            done += bytes;
            tell(watch, BackupPhase::Files, done, total)
        })?;
        compare(&from, sum, Some(entry.size), entry.sha256)?;
    }
    if stage.join(TLS).is_dir() {
        files::sync_folder(&stage.join(TLS))?;
    }
    Ok(left)
}

/// Adds the content files of a backup to what is there. Answers how many came, and how many were there.
fn add_content(
    backup: &Path,
    manifest: &Manifest,
    store: &ContentStore,
    watch: &mut Watch<'_>,
) -> Result<(u64, u64), BackupError> {
    let (mut added, mut kept, mut done) = (0, 0, 0);
    each_content(backup, &mut |place: Place, sha256: Sha256Digest| {
        let from = backup.join(CONTENT).join(&place.path);
        let expected = Expected { digest: Some(place.digest), sha256: Some(sha256), size: None };
        if store.size(place.digest, &place.extension)?.is_some()
            && store.verify(place.digest, &place.extension, &expected).is_ok()
        {
            kept += 1;
            return Ok(());
        }
        let mut put = store.put()?;
        files::read(
            &from,
            &mut |bytes| {
                done += bytes;
                tell(watch, BackupPhase::Files, done, manifest.content.bytes)
            },
            |bytes| Ok(put.write(bytes)?),
        )?;
        put.finish(&expected, &place.extension)?;
        added += 1;
        Ok(())
    })?;
    Ok((added, kept))
}

/// A name that nothing in the folder has.
fn free_name(data: &Path, stamp: &str) -> String {
    let (mut name, mut number) = (format!("{ASIDE}{stamp}"), 1_u64);
    while data.join(&name).exists() {
        number += 1;
        name = format!("{ASIDE}{stamp}-{number}");
    }
    name
}

/// What to say of it.
fn report(
    manifest: &Manifest,
    backup: &Path,
    settings: &Settings,
    aside: Option<PathBuf>,
    (content_added, content_kept): (u64, u64),
    left: Option<PathBuf>,
) -> Result<Restored, BackupError> {
    let data = settings.data.as_path();
    let inspection = database::look(settings)?;
    let sees = inspection.read(|tx| Ok(sees(tx, manifest.made_at)))?;
    let mut next_steps = Vec::new();
    if let Some(file) = left {
        next_steps.push(format!(
            "compare the process settings: {} stays as it is, those of the backup are in {}",
            file.display(),
            backup.join(SETTINGS).display()
        ));
    }
    if let Some(place) = &settings.objects {
        next_steps.push(format!(
            "if the server that the backup is of still runs, name another place than {} for the content of this one (content, in the process \
             settings) before it starts: both would change the same files",
            place.address.text()
        ));
    }
    for path in manifest.elsewhere.iter().filter(|path| !Path::new(path).exists()) {
        next_steps.push(format!("bring {path}, which the settings name and no backup holds"));
    }
    if let Some(database) = &settings.database {
        next_steps.push(format!(
            "see that all front ends of this site name the database {} (database.url)",
            database.place()
        ));
    }
    next_steps.push(format!("weir serve --data {}", data.display()));
    let missing = !manifest.content.included && manifest.content.files > 0;
    if missing || manifest.content.left_out > 0 {
        next_steps
            .push("weir content repair: it compares content with the database, and fetches what is missing".to_owned());
    }
    if let Some(aside) = &aside {
        next_steps.push(format!("when all is well, remove {}", aside.display()));
    }
    Ok(Restored {
        backup: manifest.describe(backup),
        data: data.display().to_string(),
        aside: aside.map(|aside| aside.display().to_string()),
        content_added,
        content_kept,
        sees,
        next_steps,
    })
}

/// What others will see. What an older schema does not have is not told of.
pub(super) fn sees(tx: &ReadTx<'_>, made_at: Timestamp) -> Vec<String> {
    let at = made_at.round(jiff::Unit::Second).unwrap_or(made_at);
    let mut all = Vec::new();
    let computers = tx.computer_count().unwrap_or_default();
    if computers > 0 {
        all.push(format!(
            "computers ({computers}) are told once that the server changed, refresh what they keep, and ask anew; what they reported \
             since {at} comes with their next full report"
        ));
    }
    let children = tx.sites_enrolments().map_or(0, |rows| rows.len());
    if children > 0 {
        all.push(format!(
            "sites below ({children}) stay enrolled; what was decided here since {at} is gone, and they are put right by what is here now"
        ));
    }
    let downstream = tx.downstream_list().map_or(0, |rows| rows.len()).saturating_sub(children);
    if downstream > 0 {
        all.push(format!(
            "downstream servers ({downstream}) are told that the server changed, and synchronize from the beginning"
        ));
    }
    if let Ok(Some(parent)) = tx.sites_parent() {
        all.push(format!(
            "the parent site {} knows this server by its certificate, and brings it up to date",
            parent.name
        ));
    }
    all.push(format!(
        "administrators sign in as they did at {at}: users, tokens and the certificate authority are those of the backup; what was \
         changed since is not there"
    ));
    all
}
