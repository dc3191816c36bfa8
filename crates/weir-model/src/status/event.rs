use jiff::Timestamp;
use uuid::Uuid;

use crate::ids::{UpdateId, UpdateIdentity};

/// Event ids that have an effect (MS-WUSP 6.3; others are only logged).
pub mod event_id {
    /// Detection succeeded.
    pub const DETECTION_SUCCEEDED: i32 = 147;
    /// Detection failed.
    pub const DETECTION_FAILED: i32 = 148;
    /// Client status with the lists U, V, W, g and h.
    pub const CLIENT_STATUS: i32 = 156;
    /// Installation failed.
    pub const INSTALL_FAILED: i32 = 182;
    /// Installation succeeded.
    pub const INSTALL_SUCCEEDED: i32 = 183;
    /// Installation succeeded, a restart is due.
    pub const INSTALL_SUCCEEDED_REBOOT: i32 = 184;
    /// Scheduled installation succeeded.
    pub const SCHEDULED_SUCCEEDED: i32 = 190;
    /// Scheduled installation succeeded, a restart is due.
    pub const SCHEDULED_SUCCEEDED_REBOOT: i32 = 191;
    /// Scheduled installation failed.
    pub const SCHEDULED_FAILED: i32 = 195;
    /// Installation at shutdown succeeded.
    pub const SHUTDOWN_SUCCEEDED: i32 = 197;
    /// Installation at shutdown failed.
    pub const SHUTDOWN_FAILED: i32 = 198;
    /// Installation at shutdown succeeded, a restart is due.
    pub const SHUTDOWN_SUCCEEDED_REBOOT: i32 = 199;
    /// The restart after an installation is done.
    pub const REBOOT_COMPLETED: i32 = 202;
    /// The update failed after the restart.
    pub const FAILED_AFTER_REBOOT: i32 = 204;
    /// Removal failed.
    pub const UNINSTALL_FAILED: i32 = 221;
    /// Removal succeeded.
    pub const UNINSTALL_SUCCEEDED: i32 = 222;
}

/// An event in words; the numbers of others are only logged.
pub fn event_text(event: i32) -> &'static str {
    match event {
        event_id::DETECTION_SUCCEEDED => "It scanned",
        event_id::DETECTION_FAILED => "A scan failed",
        event_id::CLIENT_STATUS => "It reported the state of all updates",
        161 => "A download failed",
        162 => "A download succeeded",
        167 => "A download began",
        181 => "An installation began",
        event_id::INSTALL_FAILED => "An installation failed",
        event_id::INSTALL_SUCCEEDED => "An installation succeeded",
        event_id::INSTALL_SUCCEEDED_REBOOT => "An installation succeeded, a restart is due",
        event_id::SCHEDULED_SUCCEEDED => "A scheduled installation succeeded",
        event_id::SCHEDULED_SUCCEEDED_REBOOT => "A scheduled installation succeeded, a restart is due",
        event_id::SCHEDULED_FAILED => "A scheduled installation failed",
        event_id::SHUTDOWN_SUCCEEDED => "An installation at shutdown succeeded",
        event_id::SHUTDOWN_FAILED => "An installation at shutdown failed",
        event_id::SHUTDOWN_SUCCEEDED_REBOOT => "An installation at shutdown succeeded, a restart is due",
        event_id::REBOOT_COMPLETED => "The restart after an installation is done",
        event_id::FAILED_AFTER_REBOOT => "An update failed after the restart",
        event_id::UNINSTALL_FAILED => "A removal failed",
        event_id::UNINSTALL_SUCCEEDED => "A removal succeeded",
        _ => "Another event",
    }
}

/// One reported event, as far as status depends on it (MS-WUSP 2.2.2.3.1, ReportingEvent).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// `EventInstanceID`: unique, so that an event reported twice counts once.
    pub instance_id: Uuid,
    /// `EventID`.
    pub event_id: i32,
    /// `SourceID`.
    pub source_id: i32,
    /// `UpdateID`, none for the zero GUID.
    pub update: Option<UpdateIdentity>,
    /// `Win32HResult`.
    pub hresult: i32,
    /// `TimeAtTarget`.
    pub at: Timestamp,
    /// `AppName`, empty if absent.
    pub app_name: String,
    /// `ReplacementStrings`, empty if absent.
    pub replacement_strings: Vec<String>,
    /// `MiscData`.
    pub misc: MiscData,
}

/// `MiscData` of an event: `tag=value`, where the tag is the whole text before the first `=`, case-sensitive.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MiscData(Vec<(String, String)>);

impl MiscData {
    /// Splits the strings of an event. One without `=` is a tag with an empty value.
    pub fn parse<S: AsRef<str>>(strings: impl IntoIterator<Item = S>) -> Self {
        let split = |text: &str| {
            let (tag, value) = text.split_once('=').unwrap_or((text, ""));
            (tag.to_owned(), value.to_owned())
        };
        Self(strings.into_iter().map(|text| split(text.as_ref())).collect())
    }

    /// Value of the first string with exactly this tag.
    pub fn value(&self, tag: &str) -> Option<&str> {
        self.values(tag).next()
    }

    /// Updates in the lists with exactly this tag, joined by `;`. What is no GUID is passed over.
    pub fn updates(&self, tag: &str) -> impl Iterator<Item = UpdateId> {
        self.values(tag).flat_map(|list| list.split(';')).filter_map(|id| id.trim().parse().ok())
    }

    fn values(&self, tag: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == tag).map(|(_, value)| value.as_str())
    }
}

impl Event {
    /// Event of a member of a bundle (tag `M`): detail for the log. The status is that of the deployed bundle, which has
    /// events of its own.
    pub fn is_of_member(&self) -> bool {
        self.misc.value("M").is_some()
    }

    /// The error of a failure event: `Win32HResult`, else the first replacement string; none if neither says anything.
    pub fn error(&self) -> Option<i32> {
        let stated = || {
            let text = self.replacement_strings.first()?.trim();
            match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(digits) => u32::from_str_radix(digits, 16).ok().map(u32::cast_signed),
                None => text.parse().ok(),
            }
        };
        Some(self.hresult).filter(|hresult| *hresult != 0).or_else(stated).filter(|hresult| *hresult != 0)
    }
}
