//! Recorded exchanges of a genuine server.

use weir_model::ids::{ContentDigest, UpdateIdentity};
use weir_testkit::{shared::shared_text, upstream::Upstream};
use weir_wire::wsss::Operation;

use super::support::*;

#[tokio::test]
async fn a_recorded_server_is_synchronized_from() {
    let upstream = Upstream::replaying("captures/server-sync");
    let mut downstream = Downstream::new().await;
    downstream.replica = false;
    // Windows 11 and Security Updates; the replay answers whatever is chosen
    let guid = |text: &str| uuid::Uuid::parse_str(text).expect("a guid");
    downstream.products = [guid("72e7624a-5b00-45d2-b92f-e561c0a6a160")].into();
    downstream.classifications = [guid("0fa1201d-4330-4fa8-8ae9-b877473b6441")].into();
    let ended = downstream.try_sync(&upstream.url()).await;
    // lists name thousands of revisions, few documents were recorded: the others fault, one by one
    let error = ended.expect_err("most documents were not recorded");
    assert!(["fault", "too_many_dropped"].contains(&error.code()), "{error:?}");
    assert!(count(&upstream, Operation::GetRevisionIdList) >= 1);
    assert!(downstream.stored().is_empty(), "the catalogue stays as it was");
    let source = downstream.read(|tx| tx.sync_source()).expect("noted");
    assert!(source.config_anchor.is_some());
    assert_eq!((source.category_anchor, source.update_anchor), (None, None));
}

/// A bundle that came as text, and a leaf with a file that came in a cabinet (LZX).
const DOCUMENTS: [&str; 2] = ["266f6222-c89d-43f2-9f8a-69340271e677", "ccb78947-6453-4ecc-9de8-bc0305c98f2d"];

#[tokio::test]
async fn recorded_documents_are_stored_byte_for_byte() {
    let upstream = Upstream::replaying_documents("captures/server-sync");
    let mut downstream = Downstream::new().await;
    let guid = |text: &str| uuid::Uuid::parse_str(text).expect("a guid");
    downstream.products = [guid("8c3fcc84-7410-4a95-8b89-a166a0190486")].into();
    downstream.classifications = [guid("e0789628-ce08-4437-be74-2495b842f43b")].into();
    let outcome = downstream.try_sync(&upstream.url()).await.expect("the recorded documents are enough");
    assert_eq!(outcome.added, 2, "{outcome:?}");
    // the members of the bundle were not recorded
    assert_eq!((outcome.dropped, outcome.problems.len()), (4, 4), "{outcome:?}");

    let identities = DOCUMENTS.map(|text| UpdateIdentity::new(text.parse().expect("a guid"), 200));
    assert_eq!(downstream.stored(), identities.into());
    for identity in identities {
        let file = format!("captures/updates/{}-r{}.xml", identity.update_id, identity.revision);
        // decoded by others: an independent witness for the cabinet
        assert!(downstream.text(identity) == shared_text(&file), "{identity} is not stored as it was published");
    }
    let digest = ContentDigest::from_base64("h/W9BGlYUAaqXTp30cZi/SiV3c0=").expect("a digest");
    let sources = downstream.read(|tx| tx.file_sources(digest));
    assert!(
        sources.iter().any(|source| source.url.ends_with("/am_delta_87f5bd0469585006aa5d3a77d1c662fd2895ddcd.exe"))
    );

    let source = downstream.read(|tx| tx.sync_source()).expect("noted");
    assert_eq!(source.config_anchor.as_deref(), Some("9438,2026-10-04 16:33:26.668"));
    assert_eq!(source.category_anchor.as_deref(), Some("9438,2026-10-04 16:33:26.671"));
    let anchor = source.update_anchor.expect("of the list of updates");
    upstream.clear_log();
    let again = downstream.try_sync(&upstream.url()).await.expect("nothing new");
    assert_eq!((again.added, again.revised), (0, 0));
    let asked = filters(&upstream).into_iter().find(|filter| !filter.get_config).expect("asked");
    assert_eq!(asked.anchor.text(), Some(anchor.as_str()));
}
