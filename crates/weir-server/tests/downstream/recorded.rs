//! Recorded exchanges of a genuine server.

use weir_testkit::upstream::Upstream;
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
