//! Items 3 to 6.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;
use weir_store::downstream::Admission;
use weir_testkit::engine;
use weir_wire::{
    soap::{Binary, ErrorCode},
    wsss::{
        AnchorText, AuthorizationCookie, Cookie, DownloadFiles, GetAuthConfig, GetAuthorizationCookie, GetConfigData,
        GetCookie, GetDeployments, GetDriverIdList, GetDriverSetData, GetRelatedRevisionsForUpdates, GetRevisionIdList,
        GetUpdateData, GetUpdateDecryptionData,
    },
};

use crate::{
    common::{Server, actor},
    support::{self, Downstream, rows, set},
};

#[tokio::test]
async fn item_3_there_is_one_plug_in_at_a_relative_address() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let config = downstream.call(&GetAuthConfig {}).await.expect("answered").result;
    let [plug_in] = config.auth_info.as_slice() else { panic!("{config:?}") };
    assert_eq!(plug_in.plug_in_id.as_deref(), Some("DssTargeting"));
    assert_eq!(plug_in.service_url.as_deref(), Some("DssAuthWebService/DssAuthWebService.asmx"));
    assert!(downstream.last.expect("an answer").text().contains("<Parameter />"));
}

#[tokio::test]
async fn item_4_names_and_guids_are_checked_and_good_ones_make_one_row_once() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let ask = |name: Option<&str>, guid: Option<&str>| GetAuthorizationCookie {
        account_name: name.map(str::to_owned),
        account_guid: guid.map(str::to_owned),
        program_keys: None,
    };
    let good = downstream.id.to_string();
    for name in [None, Some(""), Some("two words"), Some("a<b"), Some("bücher")] {
        let refused = downstream.refused(&ask(name, Some(&good))).await;
        assert_eq!(refused, (ErrorCode::InvalidParameters, "machineName".to_owned()), "{name:?}");
    }
    for guid in [None, Some(""), Some("7"), Some("zz1c2f6e-3f0b-4d3a-9b1e-0d2f6a1c5e12")] {
        let refused = downstream.refused(&ask(Some("a.example"), guid)).await;
        assert_eq!(refused, (ErrorCode::InvalidParameters, "accountGuid".to_owned()), "{guid:?}");
    }
    assert_eq!(rows(&server), []);
    for _ in 0..3 {
        let answer = downstream.call(&ask(Some("a.example"), Some(&good))).await.expect("answered").result;
        assert_eq!(answer.plug_in_id.as_deref(), Some("DssTargeting"));
    }
    let [row] = &rows(&server)[..] else { panic!("one row") };
    assert_eq!((row.no, row.id, row.name.as_str(), row.address.as_str()), (2, downstream.id, "a.example", "127.0.0.1"));
    assert!(!row.is_weir && row.authorized_at.is_some());
}

#[tokio::test]
async fn item_5_cookies_are_given_for_one_authorization_and_a_version() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let authorization = downstream.call(&downstream.authorization()).await.expect("answered").result;
    let ask = |cookies: Vec<AuthorizationCookie>, version: &str| GetCookie {
        auth_cookies: cookies,
        old_cookie: None,
        protocol_version: Some(version.to_owned()),
    };
    let one = vec![authorization.clone()];
    for cookies in [Vec::new(), vec![authorization.clone(), authorization.clone()]] {
        let refused = downstream.refused(&ask(cookies, "1.20")).await;
        assert_eq!(refused, (ErrorCode::InvalidParameters, "authCookies".to_owned()));
    }
    let mut bent = authorization.clone();
    if let Some(Binary(data)) = &mut bent.cookie_data {
        data[20] ^= 1;
    }
    for wrong in [bent, AuthorizationCookie::default(), AuthorizationCookie::new(b"12345".to_vec())] {
        let (code, _) = downstream.refused(&ask(vec![wrong], "1.20")).await;
        assert_eq!(code, ErrorCode::InvalidAuthorizationCookie);
    }
    assert_eq!(downstream.refused(&ask(one.clone(), "1")).await.0, ErrorCode::InvalidParameters);
    assert_eq!(downstream.refused(&ask(one.clone(), "2.0")).await.0, ErrorCode::IncompatibleProtocolVersion);
    for version in ["1.8", "1.20", "1.7"] {
        let before = Timestamp::now();
        let cookie = downstream.call(&ask(one.clone(), version)).await.expect("answered").result;
        let lifetime = cookie.expiration.expect("an expiration").duration_since(before);
        assert!(lifetime <= SignedDuration::from_mins(240) + SignedDuration::from_secs(5), "{lifetime}");
        assert!(lifetime > SignedDuration::from_mins(239), "{lifetime}");
        assert_eq!(rows(&server)[0].protocol.as_deref(), Some(version));
    }
}

/// The fault of every operation with this cookie; none of them has a parameter that would pass.
async fn codes(downstream: &mut Downstream, cookie: Option<Cookie>) -> Vec<ErrorCode> {
    let anchor = || AnchorText::new("nonsense");
    let c = || cookie.clone();
    vec![
        downstream.refused(&DownloadFiles { cookie: c(), file_digest_list: None }).await.0,
        downstream.refused(&GetConfigData { cookie: c(), config_anchor: anchor() }).await.0,
        downstream.refused(&GetDeployments { cookie: c(), deployment_anchor: anchor(), sync_anchor: anchor() }).await.0,
        downstream.refused(&GetDriverIdList { cookie: c(), filter: None }).await.0,
        downstream.refused(&GetDriverSetData { cookie: c(), driver_sets: None }).await.0,
        downstream.refused(&GetRevisionIdList { cookie: c(), filter: None }).await.0,
        downstream.refused(&GetUpdateData { cookie: c(), update_ids: None }).await.0,
        downstream.refused(&GetUpdateDecryptionData { cookie: c(), update_ids: None }).await.0,
    ]
}

#[tokio::test]
async fn item_6_a_cookie_that_is_not_good_is_refused_before_any_parameter() {
    let server = support::start().await;
    let mut downstream = Downstream::ready(&server).await;
    let good = downstream.cookie.clone();
    assert!(codes(&mut downstream, good.clone()).await.iter().all(|code| *code == ErrorCode::InvalidParameters));
    let mut bent = good.clone().expect("a cookie");
    if let Some(Binary(data)) = &mut bent.encrypted_data {
        data[40] ^= 1;
    }
    let authorization = downstream.call(&downstream.authorization()).await.expect("answered").result;
    let other_kind = Cookie { expiration: None, encrypted_data: authorization.cookie_data };
    for wrong in [None, Some(Cookie::default()), Some(Cookie::roll_up()), Some(bent), Some(other_kind)] {
        let codes = codes(&mut downstream, wrong.clone()).await;
        assert!(codes.iter().all(|code| *code == ErrorCode::InvalidCookie), "{wrong:?}: {codes:?}");
        let related = GetRelatedRevisionsForUpdates { cookie: wrong, update_ids: None };
        assert_eq!(downstream.refused(&related).await.0, ErrorCode::InvalidCookie);
    }
    // the clear text is not believed
    let claimed = Cookie { expiration: Some(Timestamp::UNIX_EPOCH), ..good.expect("a cookie") };
    let ask = GetConfigData { cookie: Some(claimed), config_anchor: AnchorText::default() };
    downstream.call(&ask).await.expect("answered");
}

#[tokio::test]
async fn an_unknown_server_waits_until_it_is_allowed() {
    let server = support::asking().await;
    let mut downstream = Downstream::of(&server);
    let (code, message) = downstream.refused(&downstream.authorization()).await;
    assert_eq!(code, ErrorCode::InvalidParameters);
    assert!(message.starts_with("accountGuid: ") && message.contains("weir downstream allow"), "{message}");
    let [row] = &rows(&server)[..] else { panic!("one row") };
    assert_eq!((row.admission, row.authorized_at), (Admission::Waiting, None));
    let alerts = || server.state.store.read(|tx| tx.alert_list(false, 10)).expect("alerts");
    assert_eq!(alerts().iter().map(|alert| alert.kind.as_str()).collect::<Vec<_>>(), ["downstream.waiting"]);
    assert!(alerts()[0].message.contains(&format!("weir downstream allow {}", downstream.id)));

    server.state.store.write(&actor(), |tx| tx.downstream_admit(2, Admission::Allowed)).expect("allowed");
    downstream.enter("1.20").await.expect("a cookie");
    let ask = GetConfigData { cookie: downstream.cookie.clone(), config_anchor: AnchorText::default() };
    downstream.call(&ask).await.expect("answered");

    // refused with the cookie in its hand
    server.state.store.write(&actor(), |tx| tx.downstream_admit(2, Admission::Refused)).expect("refused");
    assert_eq!(downstream.refused(&ask).await.0, ErrorCode::InvalidCookie);
    let (code, message) = downstream.refused(&downstream.authorization()).await;
    assert!(code == ErrorCode::InvalidParameters && message.contains("refused"), "{message}");

    server.state.store.write(&actor(), |tx| tx.downstream_remove(2)).expect("removed");
    assert_eq!(downstream.refused(&ask).await.0, ErrorCode::InvalidCookie);
    downstream.refused(&downstream.authorization()).await;
    assert_eq!(rows(&server)[0].no, 3, "numbers are never given again");
}

#[tokio::test]
async fn with_a_list_unknown_servers_are_not_even_noted() {
    let server = support::asking().await;
    set(&server, "downstream.policy", json!("list"));
    let mut downstream = Downstream::of(&server);
    assert_eq!(downstream.refused(&downstream.authorization()).await.0, ErrorCode::InvalidParameters);
    assert_eq!(rows(&server), []);
}

#[tokio::test]
async fn servers_that_wait_are_few_whatever_calls() {
    let server = support::asking().await;
    let mut downstream = Downstream::of(&server);
    let mut busy = 0;
    for number in 0..30 {
        downstream.id = Uuid::from_u128(number);
        let (code, _) = downstream.refused(&downstream.authorization()).await;
        busy += u32::from(code == ErrorCode::ServerBusy);
    }
    assert_eq!((rows(&server).len(), busy), (10, 20));
}

#[tokio::test]
async fn calls_without_a_cookie_are_limited_by_address() {
    let server = support::start().await;
    let mut downstream = Downstream::of(&server);
    let mut busy = false;
    for _ in 0..2_000 {
        if let Err(fault) = downstream.call(&GetAuthConfig {}).await {
            assert_eq!(fault.code, Some(ErrorCode::ServerBusy));
            busy = true;
            break;
        }
    }
    assert!(busy, "2000 calls were all answered");
}

#[tokio::test]
async fn two_servers_of_one_identity_raise_an_alert() {
    let server = support::start().await;
    let mut one = Downstream::ready(&server).await;
    let mut other = Downstream { name: "copy.example.org".to_owned(), ..Downstream::of(&server) };
    other.enter("1.20").await.expect("a cookie");
    one.enter("1.20").await.expect("a cookie");
    let alerts = server.state.store.read(|tx| tx.alert_list(false, 10)).expect("alerts");
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!((alert.kind.as_str(), alert.count), ("downstream.identity", 2));
    assert!(alert.message.contains("copy.example.org") && alert.message.contains("branch.example.org"));
    assert_eq!(rows(&server).len(), 1);
}

#[tokio::test]
async fn weir_servers_are_told_apart() {
    let server = support::start().await;
    let mut downstream = Downstream { headers: vec![("User-Agent", "Weir/0.2.0")], ..Downstream::of(&server) };
    downstream.enter("1.20").await.expect("a cookie");
    let row = &rows(&server)[0];
    assert_eq!((row.is_weir, row.software_version.as_deref()), (true, Some("0.2.0")));
}

#[tokio::test]
async fn cookies_outlive_a_restart_and_tell_a_restored_server() {
    let server = support::start().await;
    let mut downstream = Downstream::ready(&server).await;
    let ask = GetConfigData { cookie: downstream.cookie.clone(), config_anchor: AnchorText::default() };
    let server = server.restart(weir_server::state::ClientSettings::default()).await;
    server.state.upstream.switch(true);
    let mut again = Downstream { cookie: downstream.cookie.take(), ..Downstream::of(&server) };
    again.call(&ask).await.expect("answered");
    let another = Uuid::new_v4().as_bytes().to_vec();
    engine::execute(server.folder(), "UPDATE site SET server_id = ?1", &[another.into()]);
    let server: Server = server.restart(weir_server::state::ClientSettings::default()).await;
    server.state.upstream.switch(true);
    let mut again = Downstream::of(&server);
    assert_eq!(again.refused(&ask).await.0, ErrorCode::ServerChanged);
}
