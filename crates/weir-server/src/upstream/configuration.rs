//! GetConfigData (MS-WSUSSS 3.1.4.4).

use std::collections::{BTreeMap, BTreeSet};

use weir_model::listing::Since;
use weir_store::selection::SelectionKind;
use weir_wire::{
    package::LANGUAGES,
    wsss::{Anchor, GetConfigData, GetConfigDataAnswer, ProtocolVersion, ServerSyncConfigData, ServerSyncLanguageData},
};

use super::{Call, Refusal, Reply, UPDATES, revisions::since};
use crate::content;

impl Call<'_> {
    pub(super) async fn get_config_data(&self, request: &GetConfigData) -> Result<Reply, Refusal> {
        self.caller(request.sealed()).await?;
        let anchor = request.validate()?.map(since);
        let read = |tx: &weir_store::ReadTx<'_>| {
            let chosen = tx.selection_list(SelectionKind::Languages)?;
            let changes = tx.selection_changes(SelectionKind::Languages)?;
            Ok((tx.catalogue_version()?, content::policy(tx)?, chosen, changes))
        };
        let (change, policy, chosen, changes) = self.state.read(read).await?;
        let chosen: BTreeSet<String> = chosen.into_iter().collect();
        let changes: BTreeMap<_, _> =
            changes.into_iter().map(|(language, change, at)| (language, (change, at))).collect();
        let changed = |since: &Since, language: &str| {
            changes.get(language).is_some_and(|(change, at)| since.before(*change, *at))
        };
        let languages = LANGUAGES
            .iter()
            .filter(|(_, short, _)| anchor.as_ref().is_none_or(|since| changed(since, short)))
            .map(|(lcid, short, long)| ServerSyncLanguageData {
                language_id: i32::try_from(*lcid).unwrap_or_default(),
                short_language: Some((*short).to_owned()),
                long_language: Some((*long).to_owned()),
                // all of them, if none was chosen
                enabled: if *lcid == 0 { chosen.is_empty() } else { chosen.contains(*short) },
            });
        let number = i64::try_from(change.0).unwrap_or(i64::MAX);
        let result = ServerSyncConfigData {
            catalog_only_sync: policy.catalog_only(),
            lazy_sync: policy.lazy(),
            server_hosts_psf_files: policy.hosts_express(),
            max_number_of_computer_ids_in_request: 0,
            max_number_of_driver_sets_per_request: 0,
            max_number_of_pnp_hardware_ids_in_request: 0,
            max_number_of_updates_per_request: UPDATES as i32,
            new_config_anchor: Anchor { number, time: self.state.upstream.fresh(self.now) }.into(),
            protocol_version: Some(ProtocolVersion::V1_20.to_string()),
            language_update_list: languages.collect::<Vec<_>>().into(),
            max_updates_per_decryption_request: UPDATES as i32,
        };
        Ok(self.text(&GetConfigDataAnswer { result }))
    }
}
