//! Events in the shapes of recorded ones (MS-WUSP 2.2.2.3.1; dossier section 8). Pure.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{UpdateId, UpdateIdentity};
use weir_wire::wusp::{
    BasicData, ComputerTargetIdentifier, DetailedVersion, ExtendedData, PrivateData, ReportingEvent,
    UpdateRevisionIdentifier,
};

use crate::{
    assess::{Assessment, Standing},
    computer::Description,
    failure::Code,
    state::{Condition, PendingEvent, State},
    world::World,
};

/// The result code of an installation that waits for a restart.
pub const PENDING_RESTART: i32 = 0x0024_0005;
/// Events that wait to be sent at most; of more the oldest are dropped, since the next status says how things are.
const WAITING: usize = 5_000;

/// What happened to an update.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Happened {
    /// 167.
    DownloadStarted,
    /// 162.
    Downloaded,
    /// 161.
    DownloadFailed(Code),
    /// 181.
    InstallStarted,
    /// 183.
    Installed,
    /// 201, as recorded of an installation that needs a restart.
    InstalledPendingRestart,
    /// 182.
    InstallFailed(i32),
    /// 226.
    RemovalStarted,
    /// 222.
    Removed,
    /// 224.
    RemovedPendingRestart,
    /// 221.
    RemovalFailed(i32),
}

impl Happened {
    fn event(self) -> (i16, i32) {
        match self {
            Self::DownloadStarted => (167, 0),
            Self::Downloaded => (162, 0),
            Self::DownloadFailed(code) => (161, code.hresult()),
            Self::InstallStarted => (181, 0),
            Self::Installed => (183, 0),
            Self::InstalledPendingRestart => (201, PENDING_RESTART),
            Self::InstallFailed(code) => (182, code),
            Self::RemovalStarted => (226, 0),
            Self::Removed => (222, 0),
            Self::RemovedPendingRestart => (224, PENDING_RESTART),
            Self::RemovalFailed(code) => (221, code),
        }
    }
}

impl State {
    /// Queues what happened to an update. `bundle`: it has members.
    pub fn queue(&mut self, world: &dyn World, update: UpdateIdentity, title: &str, bundle: bool, what: Happened) {
        let (event, result) = what.event();
        let title = if title.is_empty() { update.update_id.to_string() } else { title.to_owned() };
        let strings =
            if result != 0 && result != PENDING_RESTART { vec![format!("0x{result:08x}"), title] } else { vec![title] };
        let misc = if bundle { vec!["Q=2".to_owned()] } else { Vec::new() };
        self.push(world, event, Some(update), result, strings, misc);
    }

    /// Queues that a detection failed.
    pub fn queue_detection_failed(&mut self, world: &dyn World, code: Code) {
        self.push(world, 148, None, code.hresult(), vec![format!("0x{:08x}", code.0)], Vec::new());
    }

    /// Queues that a restart is done.
    pub fn queue_restarted(&mut self, world: &dyn World) {
        self.push(world, 202, None, 0, Vec::new(), Vec::new());
    }

    /// Queues that a detection succeeded: a 147 with the number of updates that apply, and a 156 that lists updates by
    /// state.
    ///
    /// What a 156 does not list counts as not applicable, hence compliant, and it has no list for what is not known. As long as
    /// anything is not known no 156 is sent: the server goes on with what it knew, which is "unknown" for a new computer.
    pub fn queue_detection(&mut self, world: &dyn World) {
        let lists = self.status();
        let needed = lists.needed.len() + lists.downloaded.len() + lists.failed.len();
        self.push(world, 147, None, 0, vec![needed.to_string()], vec![format!("D={needed}")]);
        if !lists.unknown.is_empty() {
            self.events.retain(|known| known.event != 156);
            return;
        }
        let tags = [
            ("U", lists.needed),
            ("V", lists.installed),
            ("W", lists.pending),
            ("g", lists.failed),
            ("h", lists.downloaded),
        ];
        let join = |ids: Vec<UpdateId>| ids.iter().map(|id| id.to_string().to_ascii_uppercase()).collect::<Vec<_>>();
        let misc = tags
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(tag, ids)| format!("{tag}={}", join(ids).join(";")))
            .collect();
        self.push(world, 156, None, 0, Vec::new(), misc);
    }

    /// The reported updates by state, as a 156 lists them, also those outside the filter of the last scan: a 156 replaces all
    /// that the server knew.
    pub fn status(&self) -> StatusLists {
        let assessment = Assessment::new(&self.cache);
        let mut lists = StatusLists::default();
        for (at, (entry, _)) in self.cache.iter().enumerate() {
            if !entry.is_reported() {
                continue;
            }
            let id = entry.identity().update_id;
            let list = match (self.condition(id), assessment.standing(at)) {
                (Some(Condition::PendingRestart), _) => &mut lists.pending,
                (_, Standing::Installed) => &mut lists.installed,
                (Some(Condition::Failed(_)), Standing::Required) => &mut lists.failed,
                (Some(Condition::Downloaded), Standing::Required) => &mut lists.downloaded,
                (None, Standing::Required) => &mut lists.needed,
                (_, Standing::Unknown) => &mut lists.unknown,
                (_, Standing::NotApplicable) => continue,
            };
            list.push(id);
        }
        lists
    }

    fn push(
        &mut self,
        world: &dyn World,
        event: i16,
        update: Option<UpdateIdentity>,
        result: i32,
        strings: Vec<String>,
        misc: Vec<String>,
    ) {
        if matches!(event, 147 | 148 | 156) {
            // a newer one says all that an older one said
            let older = |known: &PendingEvent| match event {
                147 | 148 => matches!(known.event, 147 | 148),
                _ => known.event == event,
            };
            self.events.retain(|known| !older(known));
        }
        if self.events.len() >= WAITING {
            self.events.remove(0);
        }
        let instance = world.event_id();
        self.events.push(PendingEvent { instance, at: world.now(), event, update, result, strings, misc });
    }
}

/// Updates by state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StatusLists {
    /// Required (tag `U`).
    pub needed: Vec<UpdateId>,
    /// Installed (tag `V`).
    pub installed: Vec<UpdateId>,
    /// Installed, waiting for a restart (tag `W`).
    pub pending: Vec<UpdateId>,
    /// Failed (tag `g`).
    pub failed: Vec<UpdateId>,
    /// Required, downloaded (tag `h`).
    pub downloaded: Vec<UpdateId>,
    /// Not known. There is no list for them.
    pub unknown: Vec<UpdateId>,
}

/// An event as it is sent.
pub fn wire(event: &PendingEvent, description: &Description) -> ReportingEvent {
    let update = event.update.map_or_else(
        || UpdateRevisionIdentifier { update_id: Uuid::nil(), revision_number: 0 },
        |identity| UpdateRevisionIdentifier {
            update_id: identity.update_id.0,
            revision_number: identity.revision.0.cast_signed(),
        },
    );
    let [major, minor, build, revision] = description.os_version;
    let [pack_major, pack_minor] = description.service_pack;
    ReportingEvent {
        basic_data: Some(BasicData {
            target_id: Some(ComputerTargetIdentifier { sid: Some(description.client_id.as_str().to_owned()) }),
            sequence_number: 0,
            time_at_target: Some(milliseconds(event.at)),
            event_instance_id: event.instance,
            namespace_id: 1,
            event_id: event.event,
            // the agent itself; the restart is noticed by Automatic Updates
            source_id: if event.event == 202 { 102 } else { 101 },
            update_id: Some(update),
            win32_hresult: event.result,
            app_name: Some("Weir".to_owned()),
        }),
        extended_data: Some(ExtendedData {
            replacement_strings: event.strings.clone(),
            misc_data: event.misc.clone(),
            computer_brand: Some(description.manufacturer.clone()),
            computer_model: Some(description.model.clone()),
            bios_revision: Some(description.bios_version.clone()),
            processor_architecture: Some(architecture(&description.architecture).into_owned()),
            os_version: Some(DetailedVersion {
                major,
                minor,
                build,
                revision,
                service_pack_major: pack_major.into(),
                service_pack_minor: pack_minor.into(),
            }),
            os_locale_id: description.locale_id,
            device_id: None,
        }),
        private_data: Some(PrivateData {
            computer_dns_name: Some(String::new()),
            user_account_name: Some(String::new()),
        }),
    }
}

/// The names that events have for architectures.
fn architecture(name: &str) -> Cow<'static, str> {
    Cow::Borrowed(match name.to_ascii_uppercase().as_str() {
        "AMD64" | "X64" => "Amd64Compatible",
        "X86" => "X86Compatible",
        "IA64" => "IA64Compatible",
        _ => "Unknown",
    })
}

/// Servers keep milliseconds.
fn milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
