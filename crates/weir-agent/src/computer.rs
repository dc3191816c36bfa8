//! Between the agent and the computer that it runs on.

use std::{borrow::Cow, path::Path};

use jiff::Timestamp;
use weir_model::{
    applicability::Facts,
    ids::{ComputerId, UpdateIdentity},
};

use crate::library::{Update, Verdict};

/// What the agent tells of a computer (RegisterComputer, MS-WUSP 2.2.2.2.3; events, 2.2.2.3.1). Informational only: the
/// server decides nothing by it but what it shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// `SusClientId`: made once, kept for good.
    pub client_id: ComputerId,
    /// Fully qualified name, at most 255 characters.
    pub dns_name: String,
    /// Target groups that it asks for (client-side targeting), several separated by `;`.
    pub target_group: Option<String>,
    /// Major, minor, build number and revision of the operating system, such as 10, 0, 26100, 4652.
    pub os_version: [i32; 4],
    /// Major and minor number of the service pack.
    pub service_pack: [i16; 2],
    /// Language as a name, such as `en-US`; also which titles are asked for.
    pub locale: String,
    /// Language as a number (LCID), such as 1033.
    pub locale_id: i32,
    /// Maker of the computer.
    pub manufacturer: String,
    /// Model of the computer.
    pub model: String,
    /// Version of the firmware.
    pub bios_version: String,
    /// Name of the firmware.
    pub bios_name: String,
    /// Date of the firmware.
    pub bios_date: Timestamp,
    /// Processor architecture in the agent's spelling, such as `AMD64`.
    pub architecture: Cow<'static, str>,
    /// `OSVERSIONINFOEX.wSuiteMask`.
    pub suite_mask: i16,
    /// `OSVERSIONINFOEX.wProductType`: 1 workstation, 2 domain controller, 3 server.
    pub product_type: u8,
    /// Edition (`GetProductInfo`), such as 48 for Professional; 0 if not known.
    pub edition: i32,
    /// Name of the operating system; Windows 11 calls itself `Windows 10 Pro`.
    pub os_name: String,
}

impl Description {
    /// A description that says no more than who it is and which Windows it runs.
    pub fn new(client_id: ComputerId, dns_name: impl Into<String>, os_version: [i32; 4]) -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            client_id,
            dns_name: dns_name.into(),
            target_group: None,
            os_version,
            service_pack: [0, 0],
            locale: "en-US".to_owned(),
            locale_id: 1033,
            manufacturer: unknown(),
            model: unknown(),
            bios_version: unknown(),
            bios_name: unknown(),
            bios_date: Timestamp::UNIX_EPOCH,
            architecture: Cow::Borrowed("AMD64"),
            suite_mask: 0,
            product_type: 1,
            edition: 0,
            os_name: "Windows".to_owned(),
        }
    }
}

/// A file of an update, downloaded and verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LocalFile<'a> {
    /// `File/@FileName`.
    pub name: &'a str,
    /// Bytes.
    pub size: u64,
    /// Where it is; none if the agent was told to keep no files (modelled computers).
    pub path: Option<&'a Path>,
}

/// An update that is to be installed or removed.
#[derive(Clone, Copy, Debug)]
pub struct Installable<'a> {
    /// The deployed update: a bundle, or an update with files of its own.
    pub update: &'a Update,
    /// The members of the bundle that are to be installed, in order, bundles in it resolved; empty if it is no bundle.
    pub members: &'a [&'a Update],
    /// Its title, if it is known.
    pub title: Option<&'a str>,
    /// The files of all of them.
    pub files: &'a [LocalFile<'a>],
}

impl Installable<'_> {
    /// Which revision it is.
    pub fn identity(&self) -> UpdateIdentity {
        self.update.identity()
    }

    /// What changes on the computer: the members, or the update itself if it is no bundle.
    pub fn parts(&self) -> impl Iterator<Item = &Update> {
        let alone = self.members.is_empty().then_some(self.update);
        self.members.iter().copied().chain(alone)
    }
}

/// How installing or removing went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Installed {
    /// It is done; the facts say so already.
    Done,
    /// It is done and becomes effective with the next restart. Facts may change only then.
    AfterRestart,
    /// It failed with this HRESULT; the facts are as before.
    Failed(i32),
    /// Nothing can be installed here: the facts are a file or an image, not a running computer.
    Cannot,
}

/// A computer, as the agent sees it.
pub trait Computer {
    /// What the agent tells of it. Asked for when the computer registers and when it reports.
    fn description(&self) -> Cow<'_, Description>;

    /// What rules ask.
    fn facts(&self) -> &dyn Facts;

    /// Whether the rules of an update hold here. Override it to remember or to share answers between equal computers;
    /// [`Update::number`] is a small number for each update of a library.
    fn evaluate(&self, update: &Update) -> Verdict {
        update.evaluate(self.facts())
    }

    /// Installs an update whose files are here.
    fn install(&mut self, update: &Installable<'_>) -> Installed;

    /// Removes an update.
    fn uninstall(&mut self, update: &Installable<'_>) -> Installed;

    /// Restarts, which finishes what waited for it. False: it cannot be done now, or not by the agent.
    fn restart(&mut self) -> bool;
}
