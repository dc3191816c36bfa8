//! Status reports, in the shapes of recorded ones.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use uuid::Uuid;
use weir_model::{
    ids::{UpdateId, UpdateIdentity},
    update::UpdateType,
};
use weir_wire::wusp::{
    BasicData, ComputerTargetIdentifier, DetailedVersion, ExtendedData, PrivateData, ReportEventBatch, ReportingEvent,
    UpdateRevisionIdentifier,
};

use super::{Condition, ScriptedAgent};

/// An event of `client_id` in the shape of recorded ones, with an id of its own.
pub fn event(
    client_id: &str,
    at: Timestamp,
    event_id: i16,
    update: Option<UpdateIdentity>,
    result: i32,
    strings: Vec<String>,
    misc: Vec<String>,
) -> ReportingEvent {
    let source = match event_id {
        161..=170 => 101,
        181..=204 | 221..=226 => 101,
        147..=149 | 156 => 101,
        _ => 102,
    };
    let update = update.map_or_else(
        || UpdateRevisionIdentifier { update_id: Uuid::nil(), revision_number: 0 },
        |identity| UpdateRevisionIdentifier {
            update_id: identity.update_id.0,
            revision_number: identity.revision.0 as i32,
        },
    );
    ReportingEvent {
        basic_data: Some(BasicData {
            target_id: Some(ComputerTargetIdentifier { sid: Some(client_id.to_owned()) }),
            sequence_number: 0,
            time_at_target: Some(at),
            event_instance_id: Uuid::new_v4(),
            namespace_id: 1,
            event_id,
            source_id: source,
            update_id: Some(update),
            win32_hresult: result,
            app_name: Some("AutomaticUpdatesWuApp".into()),
        }),
        extended_data: Some(ExtendedData {
            replacement_strings: strings,
            misc_data: misc,
            computer_brand: Some("Example".into()),
            computer_model: Some("Test".into()),
            bios_revision: Some("unknown".into()),
            processor_architecture: Some("Amd64Compatible".into()),
            os_version: Some(DetailedVersion {
                major: 10,
                minor: 0,
                build: 26_200,
                revision: 8037,
                service_pack_major: 0,
                service_pack_minor: 0,
            }),
            os_locale_id: 1033,
            device_id: None,
        }),
        private_data: Some(PrivateData {
            computer_dns_name: Some(String::new()),
            user_account_name: Some(String::new()),
        }),
    }
}

impl ScriptedAgent {
    /// An event of this computer, now.
    pub fn event(
        &self,
        event_id: i16,
        update: Option<UpdateIdentity>,
        result: i32,
        strings: Vec<String>,
        misc: Vec<String>,
    ) -> ReportingEvent {
        event(&self.computer.client_id, self.now(), event_id, update, result, strings, misc)
    }

    /// Sends a batch; the server must answer true.
    ///
    /// # Errors
    ///
    /// The call failed beyond recovery, or the answer is false.
    pub async fn report(&mut self, events: Vec<ReportingEvent>) -> Result<()> {
        let time = self.now();
        let answer = self
            .call_with_cookie(|_, cookie| ReportEventBatch {
                cookie,
                client_time: Some(time),
                event_batch: events.clone(),
            })
            .await?;
        ensure!(answer.result, "the server did not take the report");
        Ok(())
    }

    /// Reports what an agent reports after a scan: a 147 with the number of updates, and a 156 that lists them by state.
    ///
    /// # Errors
    ///
    /// As [`ScriptedAgent::report`].
    pub async fn report_scan(&mut self) -> Result<()> {
        let mut lists: [Vec<String>; 5] = Default::default();
        for cached in self.state.cache.values() {
            let id = cached.identity.update_id;
            let relevant = cached.is_leaf
                && cached.deployable
                && !cached.hidden
                && matches!(cached.update_type, UpdateType::Software | UpdateType::Driver);
            if !relevant || self.computer.not_applicable.contains(&id) {
                continue;
            }
            let list = match (self.state.conditions.get(&id), self.is_installed(cached)) {
                (Some(Condition::PendingRestart), _) => 2,
                (_, true) => 1,
                (Some(Condition::Failed), false) => 3,
                (Some(Condition::Downloaded), false) => 4,
                (None, false) => 0,
            };
            lists[list].push(upper(id));
        }
        let needed = lists[0].len();
        let tags = ["U", "V", "W", "g", "h"];
        let misc = tags
            .into_iter()
            .zip(&lists)
            .filter(|(_, list)| !list.is_empty())
            .map(|(tag, list)| format!("{tag}={}", list.join(";")))
            .collect();
        let events = vec![
            self.event(147, None, 0, vec![needed.to_string()], vec![format!("D={needed}")]),
            self.event(156, None, 0, Vec::new(), misc),
        ];
        self.report(events).await
    }
}

/// Upper case, as agents write ids in lists.
pub(super) fn upper(id: UpdateId) -> String {
    id.to_string().to_ascii_uppercase()
}
