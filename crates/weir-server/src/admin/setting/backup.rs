//! Settings of backups.

use serde_json::json;

use super::{OFF, definition::Definition, kind::Kind};

/// Hours without a good backup after which it is told of; 0 is never.
pub(crate) const BACKUP_ALERT: &str = "backup.alert_hours";
/// Whether backups have content files.
pub(crate) const BACKUP_CONTENT: &str = "backup.content";
/// Where backups go, below the folder of backups.
pub(crate) const BACKUP_FOLDER: &str = "backup.folder";
/// How many scheduled backups are kept.
pub(crate) const BACKUP_KEEP: &str = "backup.keep";
/// When backups are made by themselves.
pub(crate) const BACKUP_SCHEDULE: &str = "backup.schedule";

/// They.
pub(super) fn definitions() -> Vec<Definition> {
    let define = |key, kind, default, description| Definition { key, kind, default, description };
    vec![
        define(
            BACKUP_ALERT,
            Kind::Number(0..=8_760),
            json!(48),
            "While backups are scheduled: raise an alert when there was no good one for so many hours; 0 is never.",
        ),
        define(
            BACKUP_CONTENT,
            Kind::Flag,
            json!(false),
            "Backups have content files in them, if a request does not say otherwise; their list is always in them.",
        ),
        define(
            BACKUP_FOLDER,
            Kind::Folder,
            json!(""),
            "A folder for backups below the one that the process settings allow (backup.folder of weir.toml); empty is that one \
             itself.",
        ),
        define(BACKUP_KEEP, Kind::Number(1..=1_000), json!(7), "Scheduled backups that are kept; the oldest go."),
        define(
            BACKUP_SCHEDULE,
            Kind::Schedule,
            json!(OFF),
            "When backups are made by themselves; weir backup status tells the next time.",
        ),
    ]
}
