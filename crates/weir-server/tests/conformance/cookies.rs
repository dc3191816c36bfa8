//! The life of cookies (checklist 12 to 14).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, UpdateIdentity},
    targeting::DeploymentAction,
    update::CategoryKind,
};
use weir_server::state::ClientSettings;
use weir_testkit::{Document, ScriptedAgent, engine};
use weir_wire::{
    soap::{Binary, ErrorCode},
    wusp::{
        AuthorizationCookie, Cookie, GetAuthorizationCookie, GetCookie, GetExtendedUpdateInfo, GetExtendedUpdateInfo2,
        GetFileLocations, GetRequiredInventoryType, RefreshCache, RegisterComputer, ReportEventBatch, ReportInventory,
        SyncPrinterCatalog, SyncUpdates,
    },
};

use crate::{
    common::{Server, id},
    support::{code, pass, ready, rid, stored, sync},
};

fn catalogue() -> Vec<Document> {
    vec![
        Document::category(id(1), 1, CategoryKind::Product).title("Product"),
        Document::software(id(2), 1).title("Update").in_category(id(1)),
    ]
}

async fn authorization(agent: &mut ScriptedAgent) -> AuthorizationCookie {
    let request = GetAuthorizationCookie {
        client_id: Some(agent.computer.client_id.clone()),
        target_group_name: None,
        dns_name: Some(agent.computer.dns_name.clone()),
    };
    agent.call(&request).await.expect("answered").result.expect("result")
}

async fn get_cookie(agent: &mut ScriptedAgent) -> GetCookie {
    let cookie = authorization(agent).await;
    GetCookie {
        auth_cookies: vec![cookie],
        old_cookie: None,
        last_change: agent.state.config.map(|(last_change, _)| last_change),
        current_time: Some(Timestamp::now()),
        protocol_version: Some("2.90".to_owned()),
    }
}

/// A cookie that has expired by the time this returns.
async fn short_lived(server: &Server, agent: &mut ScriptedAgent, old_cookie: Option<Cookie>) -> Cookie {
    let request = GetCookie { old_cookie, ..get_cookie(agent).await };
    let before = server.state.configuration.load().settings.cookie_lifetime;
    server.set(|settings| settings.cookie_lifetime = Duration::from_millis(1));
    let cookie = agent.call(&request).await.expect("answered").result.expect("cookie");
    server.set(|settings| settings.cookie_lifetime = before);
    let end = cookie.expiration.expect("expiration");
    while Timestamp::now() <= end {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    cookie
}

/// Checklist 12: none, two and foreign authorization cookies; old cookies of every kind; a stale configuration.
#[tokio::test]
async fn c12_get_cookie() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;
    let good = get_cookie(&mut agent).await;
    let other = Server::start().await;
    let (mut stranger, foreign) = ready(&other).await;
    let foreign_authorization = authorization(&mut stranger).await;
    let last_change = good.last_change.expect("time");
    let authorization = |bytes: Option<Vec<u8>>| AuthorizationCookie {
        plug_in_id: Some("SimpleTargeting".to_owned()),
        cookie_data: bytes.map(Binary),
    };
    let sealed = cookie.encrypted_data.clone().expect("sealed").0;
    let old = |data: Option<Vec<u8>>| Cookie { expiration: Some(Timestamp::now()), encrypted_data: data.map(Binary) };

    let mut cases: Vec<(&str, GetCookie, Option<ErrorCode>)> = vec![("good", good.clone(), None)];
    let mut add = |name, expected, change: &dyn Fn(&mut GetCookie)| {
        let mut request = good.clone();
        change(&mut request);
        cases.push((name, request, expected));
    };
    let invalid = Some(ErrorCode::InvalidAuthorizationCookie);
    add("no authorization cookie", invalid, &|it| it.auth_cookies.clear());
    add("two", invalid, &|it| it.auth_cookies.extend(good.auth_cookies.clone()));
    add("another server's", invalid, &|it| it.auth_cookies = vec![foreign_authorization.clone()]);
    add("zeros", invalid, &|it| it.auth_cookies = vec![authorization(Some(vec![0; 573]))]);
    add("an empty one", invalid, &|it| it.auth_cookies = vec![authorization(Some(Vec::new()))]);
    add("one without data", invalid, &|it| it.auth_cookies = vec![authorization(None)]);
    add("the other kind of cookie", invalid, &|it| it.auth_cookies = vec![authorization(Some(sealed.clone()))]);
    add("another plug-in", invalid, &|it| it.auth_cookies[0].plug_in_id = Some("Other".to_owned()));
    add("an old cookie", None, &|it| it.old_cookie = Some(cookie.clone()));
    add("an old cookie without data", None, &|it| it.old_cookie = Some(old(None)));
    add("an empty old cookie", None, &|it| it.old_cookie = Some(old(Some(Vec::new()))));
    let refused = Some(ErrorCode::InvalidCookie);
    add("zeros for an old cookie", refused, &|it| it.old_cookie = Some(old(Some(vec![0; 350]))));
    add("another server's old cookie", refused, &|it| it.old_cookie = Some(foreign.clone()));
    add("the other kind for an old cookie", refused, &|it| {
        it.old_cookie = Some(old(good.auth_cookies[0].cookie_data.clone().map(|data| data.0)));
    });
    let stale = Some(ErrorCode::ConfigChanged);
    add("a stale configuration", stale, &|it| it.last_change = Some(last_change - SignedDuration::from_millis(1)));
    add("a configuration of the future", stale, &|it| {
        it.last_change = Some(last_change + SignedDuration::from_hours(1));
    });
    add("no configuration", stale, &|it| it.last_change = None);
    // clients may echo more digits than they were given
    add("a finer time", None, &|it| it.last_change = Some(last_change + SignedDuration::from_nanos(100)));
    let parameters = Some(ErrorCode::InvalidParameters);
    add("no version", parameters, &|it| it.protocol_version = None);
    add("a bad version", parameters, &|it| it.protocol_version = Some("x".to_owned()));
    add("a clock that is wrong", None, &|it| it.current_time = Some(Timestamp::UNIX_EPOCH));
    let before = stored(&server);
    for (name, request, expected) in cases {
        assert_eq!(code(&mut agent, &request).await, expected, "{name}");
    }
    assert_eq!(stored(&server), before, "cookies are handed out without writing");
}

/// Checklist 12: an expired old cookie is fine, and its anchors live on: nothing is told twice. Another computer's
/// anchors are of no use.
#[tokio::test]
async fn c12_the_anchors_of_an_expired_cookie_live_on() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    let anchored = agent.state.cookie.clone().expect("cookie");
    server.deploy(id(2), CollectionId::ALL_COMPUTERS, DeploymentAction::Install).await;

    // changed entries are told to a cookie that carries the anchor, and to it alone
    let mut request = get_cookie(&mut agent).await;
    let changes = |agent: ScriptedAgent, cookie: Cookie| async move {
        let mut agent = agent;
        let mut parameters = sync(&cookie);
        if let Some(it) = parameters.parameters.as_mut() {
            it.installed_non_leaf_update_ids = vec![rid(&agent, UpdateIdentity::new(id(1), 1))];
            it.other_cached_update_ids = vec![rid(&agent, UpdateIdentity::new(id(2), 1))];
        }
        let result = agent.call(&parameters).await.expect("answered").result.expect("result");
        (agent, result.changed_updates.len(), result.new_cookie.expect("cookie"))
    };
    request.old_cookie = Some(anchored);
    let cookie = agent.call(&request).await.expect("answered").result.expect("cookie");
    let (mut agent, changed, followed) = changes(agent, cookie).await;
    assert_eq!(changed, 1, "the deployment");

    // let the followed one expire, then hand it in as the old one
    let expired = short_lived(&server, &mut agent, Some(followed)).await;
    let renewed = GetCookie { old_cookie: Some(expired.clone()), ..get_cookie(&mut agent).await };
    let cookie = agent.call(&renewed).await.expect("an expired old cookie is fine").result.expect("cookie");
    let (_, changed, _) = changes(agent, cookie).await;
    assert_eq!(changed, 0, "told before");
}

/// Every operation that takes a cookie, with this one.
async fn everywhere(agent: &mut ScriptedAgent, cookie: Option<Cookie>) -> Vec<(&'static str, Option<ErrorCode>)> {
    use weir_wire::soap::ClientOnly;
    let (locales, info_types) = (Vec::new(), Vec::new());
    let (device_attributes, caller_attributes) = (ClientOnly(None), ClientOnly(None));
    vec![
        ("RegisterComputer", code(agent, &RegisterComputer { cookie: cookie.clone(), computer_info: None }).await),
        ("SyncUpdates", code(agent, &SyncUpdates { cookie: cookie.clone(), parameters: None }).await),
        ("RefreshCache", code(agent, &RefreshCache { cookie: cookie.clone(), global_ids: Vec::new() }).await),
        (
            "GetExtendedUpdateInfo",
            code(
                agent,
                &GetExtendedUpdateInfo {
                    cookie: cookie.clone(),
                    revision_ids: Vec::new(),
                    info_types: Vec::new(),
                    locales: Vec::new(),
                    device_attributes: ClientOnly(None),
                    geo_id: None,
                    caller_attributes: ClientOnly(None),
                },
            )
            .await,
        ),
        (
            "GetExtendedUpdateInfo2",
            code(
                agent,
                &GetExtendedUpdateInfo2 {
                    cookie: cookie.clone(),
                    update_ids: Vec::new(),
                    info_types,
                    locales,
                    device_attributes,
                    caller_attributes,
                },
            )
            .await,
        ),
        ("GetFileLocations", code(agent, &GetFileLocations { cookie: cookie.clone(), file_digests: Vec::new() }).await),
        (
            "SyncPrinterCatalog",
            code(
                agent,
                &SyncPrinterCatalog {
                    cookie: cookie.clone(),
                    installed_non_leaf_update_ids: Vec::new(),
                    printer_update_ids: Vec::new(),
                },
            )
            .await,
        ),
        (
            "ReportEventBatch",
            code(agent, &ReportEventBatch { cookie: cookie.clone(), client_time: None, event_batch: Vec::new() }).await,
        ),
        (
            "GetRequiredInventoryType",
            code(
                agent,
                &GetRequiredInventoryType { cookie: cookie.clone(), rules_id: Uuid::nil(), rules_version: None },
            )
            .await,
        ),
        ("ReportInventory", code(agent, &ReportInventory { cookie, client_time: None, inventory: None }).await),
    ]
}

async fn expect_everywhere(agent: &mut ScriptedAgent, cookie: Option<Cookie>, expected: ErrorCode) {
    let codes = everywhere(agent, cookie).await;
    assert_eq!(codes.len(), 10);
    for (operation, code) in codes {
        assert_eq!(code, Some(expected), "{operation}");
    }
}

/// Checklist 13: a cookie that is missing, empty, altered, of the other kind or of another server is InvalidCookie
/// everywhere, before any parameter is looked at; then the agent recovers.
#[tokio::test]
async fn c13_a_cookie_that_is_not_ours_is_invalid() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let (mut agent, cookie) = ready(&server).await;
    let other = Server::start().await;
    let (_, foreign) = ready(&other).await;
    let authorization = authorization(&mut agent).await;
    let mut bent = cookie.clone();
    bent.encrypted_data.as_mut().expect("data").0[40] ^= 1;
    let of_kind = Cookie { expiration: cookie.expiration, encrypted_data: authorization.cookie_data };
    let before = stored(&server);
    for (what, wrong) in [
        ("missing", None),
        ("nil", Some(Cookie { expiration: None, encrypted_data: None })),
        ("empty", Some(Cookie { expiration: cookie.expiration, encrypted_data: Some(Binary(Vec::new())) })),
        ("altered", Some(bent.clone())),
        ("the other kind", Some(of_kind)),
        ("foreign", Some(foreign)),
    ] {
        for (operation, code) in everywhere(&mut agent, wrong).await {
            assert_eq!(code, Some(ErrorCode::InvalidCookie), "{what}: {operation}");
        }
    }
    assert_eq!(stored(&server), before);
    agent.state.cookie = Some(bent);
    let outcome = agent.scan().await.expect("recovered");
    assert_eq!(outcome.recovered, [ErrorCode::InvalidCookie]);
    assert_eq!((outcome.new_updates().count(), agent.state.cache.len()), (0, 2), "the cache was refreshed");
}

/// Checklist 13: an expired cookie, and the recovery.
#[tokio::test]
async fn c13_an_expired_cookie() {
    let server = Server::start().await;
    let (mut agent, _) = ready(&server).await;
    let cookie = short_lived(&server, &mut agent, None).await;
    agent.state.cookie = Some(cookie.clone());
    let before = stored(&server);
    expect_everywhere(&mut agent, Some(cookie), ErrorCode::CookieExpired).await;
    assert_eq!(stored(&server), before);
    assert_eq!(agent.scan().await.expect("recovered").recovered, [ErrorCode::CookieExpired]);
}

/// Checklist 13: a cookie of before the configuration changed, and the recovery.
#[tokio::test]
async fn c13_a_cookie_of_an_older_configuration() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;
    server.set_configuration(|settings| settings.extended_limit = 49);
    let before = stored(&server);
    expect_everywhere(&mut agent, Some(cookie), ErrorCode::ConfigChanged).await;
    assert_eq!(stored(&server), before);
    assert_eq!(agent.scan().await.expect("recovered").recovered, [ErrorCode::ConfigChanged]);
}

/// Checklist 13: after a restore from a backup the server is another: ServerChanged, and the computer refreshes its
/// cache. The same data without a new identity changes nothing (checklist 14).
#[tokio::test]
async fn c13_a_renewed_server_identity() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let (mut agent, cookie) = ready(&server).await;
    let old = server.state.server;
    let server = server.restart(ClientSettings::default()).await;
    assert_eq!(server.state.server, old, "the identity is kept");

    // what a restore does: the data are those of the backup, the identity is new
    let renew = |folder: &std::path::Path| {
        let renewed = Uuid::new_v4().as_bytes().to_vec();
        assert_eq!(engine::execute(folder, "UPDATE site SET server_id = ?1", &[renewed.into()]), 1);
    };
    renew(server.folder());
    let server = server.restart(ClientSettings::default()).await;
    assert_ne!(server.state.server, old);
    agent.move_to(&server.base).expect("address");
    let before = stored(&server);
    expect_everywhere(&mut agent, Some(cookie.clone()), ErrorCode::ServerChanged).await;
    let mut request = get_cookie(&mut agent).await;
    request.old_cookie = Some(cookie);
    assert_eq!(code(&mut agent, &request).await, Some(ErrorCode::ServerChanged), "in GetCookie too");
    assert_eq!(stored(&server), before);
    let outcome = agent.scan().await.expect("recovered");
    assert_eq!(outcome.recovered, [ErrorCode::ServerChanged]);
    assert_eq!((outcome.new_updates().count(), agent.state.cache.len()), (0, 2), "the cache was refreshed");
}

/// Checklist 13: data that were copied back from a backup are told from those that the computer was served from, even if
/// nobody gave the server another identity.
#[tokio::test]
async fn c13_data_older_than_what_the_computer_knows() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let (mut agent, _) = ready(&server).await;
    agent.scan().await.expect("scan");
    let cookie = agent.state.cookie.clone().expect("a cookie");

    let set_back = "UPDATE counter SET value = value - 1 WHERE name = 'change'";
    assert_eq!(engine::execute(server.folder(), set_back, &[]), 1);
    let server = server.restart(ClientSettings::default()).await;
    agent.move_to(&server.base).expect("address");
    expect_everywhere(&mut agent, Some(cookie.clone()), ErrorCode::ServerChanged).await;
    let mut request = get_cookie(&mut agent).await;
    request.old_cookie = Some(cookie);
    assert_eq!(code(&mut agent, &request).await, Some(ErrorCode::ServerChanged), "in GetCookie too");
    let outcome = agent.scan().await.expect("recovered");
    assert_eq!(outcome.recovered, [ErrorCode::ServerChanged]);
    assert_eq!((outcome.new_updates().count(), agent.state.cache.len()), (0, 2), "the cache was refreshed");
}

/// Checklist 14: the clear-text Expiration means nothing, in either direction.
#[tokio::test]
async fn c14_an_altered_expiration_has_no_effect() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;
    for expiration in [None, Some(Timestamp::UNIX_EPOCH), Some(Timestamp::MAX), "0001-01-01T00:00:00Z".parse().ok()] {
        let altered = Cookie { expiration, ..cookie.clone() };
        assert_eq!(code(&mut agent, &sync(&altered)).await, None, "{expiration:?}");
    }
    let short = short_lived(&server, &mut agent, None).await;
    let prolonged = Cookie { expiration: Some(Timestamp::MAX), ..short };
    assert_eq!(code(&mut agent, &sync(&prolonged)).await, Some(ErrorCode::CookieExpired));
}

/// Checklist 14: NewCookies of every operation that has one keep the first Expiration; an hour by default.
#[tokio::test]
async fn c14_new_cookies_do_not_live_longer() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let (mut agent, cookie) = ready(&server).await;
    let first = cookie.expiration.expect("expiration");
    let lives = first.duration_since(Timestamp::now());
    assert!((3_000..=3_600).contains(&lives.as_secs()), "{lives}");
    let mut cookie = cookie;
    for _ in 0..3 {
        let result = pass(&mut agent, &cookie).await;
        let renewed = result.new_cookie.expect("cookie");
        assert_eq!(renewed.expiration, Some(first));
        assert_ne!(renewed.encrypted_data, cookie.encrypted_data, "sealed anew");
        cookie = renewed;
    }
    let printers = SyncPrinterCatalog {
        cookie: Some(cookie.clone()),
        installed_non_leaf_update_ids: Vec::new(),
        printer_update_ids: Vec::new(),
    };
    let result = agent.call(&printers).await.expect("answered").result.expect("result");
    assert_eq!(result.new_cookie.expect("cookie").expiration, Some(first));
    let digest = Binary(vec![7; 20]);
    let locations = GetFileLocations { cookie: Some(cookie), file_digests: vec![digest] };
    let result = agent.call(&locations).await.expect("answered").result.expect("result");
    assert_eq!(result.new_cookie.expect("cookie").expiration, Some(first));
}

/// Checklist 14: cookies of both kinds survive a restart.
#[tokio::test]
async fn c14_cookies_survive_a_restart() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let (mut agent, cookie) = ready(&server).await;
    let request = get_cookie(&mut agent).await;
    let server = server.restart(ClientSettings::default()).await;
    agent.move_to(&server.base).expect("address");
    assert_eq!(code(&mut agent, &sync(&cookie)).await, None);
    assert_eq!(code(&mut agent, &request).await, None, "the authorization cookie too");
    let outcome = agent.scan().await.expect("scan");
    assert_eq!((outcome.recovered, outcome.pages.concat()), (vec![], vec![]), "as if nothing had happened");
}

/// Checklist 14: a rotated key seals new cookies and the old ones stay good until their key is forgotten; then the
/// computer recovers.
#[tokio::test]
async fn c14_rotated_keys_keep_cookies_good() {
    let server = Server::start().await;
    server.import(&catalogue()).await;
    let (mut agent, old) = ready(&server).await;
    let key_of = |cookie: &Cookie| cookie.sealed().expect("sealed")[1..5].to_vec();

    // the key is as old as one may be that seals
    let age = |server: &Server, key: i64, days: i64| {
        let at = (Timestamp::now() - SignedDuration::from_hours(24 * days)).as_microsecond();
        let change = "UPDATE sealing_key SET created_at = ?1 WHERE key_id = ?2";
        assert_eq!(engine::execute(server.folder(), change, &[at.into(), key.into()]), 1);
    };
    age(&server, 1, 31);
    let server = server.restart(ClientSettings::default()).await;
    agent.move_to(&server.base).expect("address");
    let retired = server.state.store.read(|tx| {
        let keys = tx.keys_list()?;
        Ok(keys.iter().map(|key| key.retired_at.is_some()).collect::<Vec<_>>())
    });
    assert_eq!(retired.expect("keys"), [false, true], "a new one, and the old one that still opens");
    let renewed = pass(&mut agent, &old).await.new_cookie.expect("cookie");
    assert_ne!(key_of(&renewed), key_of(&old), "sealed with the new key");
    assert_eq!(code(&mut agent, &sync(&renewed)).await, None);

    // a year later it is forgotten with the next rotation
    age(&server, 1, 400);
    age(&server, 2, 31);
    let server = server.restart(ClientSettings::default()).await;
    agent.move_to(&server.base).expect("address");
    assert_eq!(code(&mut agent, &sync(&old)).await, Some(ErrorCode::InvalidCookie));
    assert_eq!(code(&mut agent, &sync(&renewed)).await, None);
    agent.state.cookie = Some(old);
    assert_eq!(agent.scan().await.expect("recovered").recovered, [ErrorCode::InvalidCookie]);
}
