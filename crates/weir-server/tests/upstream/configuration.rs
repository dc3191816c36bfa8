//! Item 8.

use serde_json::json;
use weir_store::selection::SelectionKind;
use weir_wire::{
    package::LANGUAGES,
    soap::ErrorCode,
    wsss::{AnchorText, GetConfigData, ServerSyncConfigData},
};

use crate::{
    common::{Server, actor},
    support::{self, Downstream, set},
};

async fn configuration(downstream: &mut Downstream, anchor: &str) -> ServerSyncConfigData {
    let ask = GetConfigData { cookie: downstream.cookie.clone(), config_anchor: AnchorText::new(anchor) };
    downstream.call(&ask).await.expect("answered").result
}

fn choose(server: &Server, languages: &[&str]) {
    let languages: Vec<String> = languages.iter().map(|language| (*language).to_owned()).collect();
    let set = |tx: &weir_store::WriteTx<'_>| tx.selection_set(SelectionKind::Languages, &languages);
    server.state.store.write(&actor(), set).expect("selection");
}

#[tokio::test]
async fn item_8_the_order_is_the_recorded_one_and_languages_come_as_changes() {
    let server = support::start().await;
    let mut downstream = Downstream::ready(&server).await;
    let first = configuration(&mut downstream, "").await;
    let text = downstream.last.as_ref().expect("an answer").text();
    let order = [
        "CatalogOnlySync",
        "LazySync",
        "ServerHostsPsfFiles",
        "MaxNumberOfComputerIdsInRequest",
        "MaxNumberOfDriverSetsPerRequest",
        "MaxNumberOfPnpHardwareIdsInRequest",
        "MaxNumberOfUpdatesPerRequest",
        "NewConfigAnchor",
        "ProtocolVersion",
        "LanguageUpdateList",
        "MaxUpdatesPerRequestInGetUpdateDecryptionData",
    ];
    let places: Vec<_> = order.iter().map(|name| text.find(&format!("<{name}")).expect(name)).collect();
    assert!(places.is_sorted(), "{text}");
    assert_eq!((first.max_number_of_updates_per_request, first.max_updates_per_decryption_request), (100, 100));
    assert_eq!(first.protocol_version.as_deref(), Some("1.20"));
    assert_eq!((first.catalog_only_sync, first.lazy_sync, first.server_hosts_psf_files), (false, true, false));
    let rows = &first.language_update_list.0;
    assert_eq!(rows.len(), LANGUAGES.len());
    assert!(rows[0].enabled && rows[0].language_id == 0 && rows[0].short_language.as_deref() == Some("all"));
    assert!(rows[1..].iter().all(|row| !row.enabled), "nothing was chosen: all of them");

    let anchor = first.new_config_anchor.text().expect("an anchor").to_owned();
    let second = configuration(&mut downstream, &anchor).await;
    assert_eq!(second.language_update_list.0, []);
    assert!(downstream.last.as_ref().expect("an answer").text().contains("<LanguageUpdateList />"));
    assert_ne!(second.new_config_anchor, first.new_config_anchor, "it differs on every call");

    choose(&server, &["en", "de"]);
    let changed = |data: &ServerSyncConfigData| -> Vec<(String, bool)> {
        let rows = data.language_update_list.0.iter();
        rows.map(|row| (row.short_language.clone().expect("a name"), row.enabled)).collect()
    };
    let third = configuration(&mut downstream, &anchor).await;
    let row = |name: &str, enabled| (name.to_owned(), enabled);
    assert_eq!(changed(&third), [row("all", false), row("de", true), row("en", true)]);
    let anchor = third.new_config_anchor.text().expect("an anchor").to_owned();
    choose(&server, &["de", "fr"]);
    assert_eq!(changed(&configuration(&mut downstream, &anchor).await), [row("en", false), row("fr", true)]);
    let all = configuration(&mut downstream, "").await.language_update_list.0;
    let enabled: Vec<i32> = all.iter().filter(|row| row.enabled).map(|row| row.language_id).collect();
    assert_eq!(enabled, [1031, 1036]);

    let garbage = GetConfigData { cookie: downstream.cookie.clone(), config_anchor: AnchorText::new("x") };
    assert_eq!(downstream.refused(&garbage).await, (ErrorCode::InvalidParameters, "configAnchor".to_owned()));
}

#[tokio::test]
async fn the_content_mode_is_told() {
    let server = support::start().await;
    let mut downstream = Downstream::ready(&server).await;
    for (mode, told) in [("immediately", (false, false)), ("microsoft", (true, true)), ("on_approval", (false, true))] {
        set(&server, "content.mode", json!(mode));
        let data = configuration(&mut downstream, "").await;
        assert_eq!((data.catalog_only_sync, data.lazy_sync), told, "{mode}");
    }
}
