//! The handshake and the life of cookies (checklist 10 to 15, 33).

use std::time::Duration;

use jiff::Timestamp;
use weir_server::state::{ClientSettings, TargetingMode};
use weir_testkit::{Computer, ScriptedAgent, agent::fault_code};
use weir_wire::{
    soap::{Binary, ErrorCode},
    wusp::{AuthorizationCookie, Cookie, GetConfig, GetCookie, SyncUpdateParameters, SyncUpdates},
};

use crate::common::{Server, element, envelope};

fn sync(cookie: Cookie) -> SyncUpdates {
    SyncUpdates { cookie: Some(cookie), parameters: Some(SyncUpdateParameters::new()) }
}

async fn fault(agent: &mut ScriptedAgent, cookie: Cookie) -> Option<ErrorCode> {
    match agent.call(&sync(cookie)).await {
        Ok(_) => None,
        Err(error) => Some(fault_code(&error).unwrap_or_else(|| panic!("{error:#}"))),
    }
}

async fn ready(server: &Server) -> (ScriptedAgent, Cookie) {
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    let cookie = agent.state.cookie.clone().expect("cookie");
    (agent, cookie)
}

#[tokio::test]
async fn checklist_10_get_config() {
    let server = Server::start().await;
    let text = server.post(&envelope("GetConfig", "<protocolVersion>2.90</protocolVersion>")).await.text();
    let last_change = element(&text, "LastChange").expect("LastChange");
    assert!(last_change.ends_with('Z'), "{last_change}");
    let expected = format!(
        "<GetConfigResult><LastChange>{last_change}</LastChange><IsRegistrationRequired>true</IsRegistrationRequired>\
         <AuthInfo><AuthPlugInInfo><PlugInID>SimpleTargeting</PlugInID>\
         <ServiceUrl>SimpleAuthWebService/SimpleAuth.asmx</ServiceUrl>"
    );
    assert!(text.contains(&expected), "{text}");
    let properties: Vec<_> = text.split("<ConfigurationProperty>").skip(1).filter_map(|p| element(p, "Name")).collect();
    assert_eq!(
        properties,
        [
            "MaxExtendedUpdatesPerRequest",
            "PackageServerShare",
            "ProtocolVersion",
            "IsInventoryRequired",
            "ClientReportingLevel"
        ]
    );
    for wrong in ["", "<protocolVersion>x</protocolVersion>", "<protocolVersion>1</protocolVersion>"] {
        let answer = server.post(&envelope("GetConfig", wrong)).await;
        assert_eq!(element(&answer.text(), "ErrorCode"), Some("InvalidParameters"), "{wrong}");
    }
}

#[tokio::test]
async fn checklist_11_the_authorization_cookie() {
    let server = Server::start().await;
    let path = "/SimpleAuthWebService/SimpleAuth.asmx";
    let ask = |id: &str, name: &str| {
        let payload = format!("<clientId>{id}</clientId><dnsName>{name}</dnsName>");
        envelope("GetAuthorizationCookie", &payload).replace("ClientWebService", "SimpleAuthWebService")
    };
    let answer = server.send("POST", path, &[("Accept-Encoding", "xpress")], &ask("A-b-1", "pc.example")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("private, max-age=0"));
    assert_eq!(answer.header("content-encoding"), Some("xpress"));
    assert!(answer.text().starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope"));
    assert_eq!(element(&answer.text(), "PlugInId"), Some("SimpleTargeting"));
    for (id, name) in
        [("", "pc"), ("a_b", "pc"), ("a b", "pc"), (&*"a".repeat(256), "pc"), ("a", ""), ("a", &*"n".repeat(256))]
    {
        let answer = server.send("POST", path, &[], &ask(id, name)).await;
        assert_eq!(answer.status, 500, "{id} {name}");
        assert_eq!(element(&answer.text(), "ErrorCode"), Some("InvalidParameters"));
    }
    assert_eq!(server.state.live.directory.len(), 0, "nothing was stored");
}

#[tokio::test]
async fn checklist_11_groups_are_joined_only_with_client_side_targeting() {
    let server = Server::start().await;
    let ring = server.collection("Ring 1").await;
    let computer = Computer { target_group: Some("ring 1;Nowhere".to_owned()), ..Computer::numbered(1) };
    let mut agent = server.agent_of(computer);
    agent.scan().await.expect("scan");
    let groups = |agent: &ScriptedAgent| {
        let id = agent.computer.client_id.parse().expect("id");
        server.state.live.directory.find(&id).expect("known").groups.collections().to_vec()
    };
    assert_eq!(groups(&agent), [weir_model::ids::CollectionId::UNASSIGNED_COMPUTERS]);
    assert_eq!(server.computer(&agent).expect("row").requested_groups.as_deref(), Some("ring 1;Nowhere"));

    server.set(|settings| settings.targeting = TargetingMode::Client);
    agent.scan().await.expect("scan");
    assert_eq!(groups(&agent), [ring]);
    // a group made later is joined with the next call
    let later = server.collection("nowhere").await;
    agent.scan().await.expect("scan");
    let mut both = vec![ring, later];
    both.sort();
    assert_eq!(groups(&agent), both);

    server.set(|settings| settings.targeting = TargetingMode::Server);
    agent.scan().await.expect("scan");
    assert_eq!(groups(&agent), [weir_model::ids::CollectionId::UNASSIGNED_COMPUTERS]);
}

#[tokio::test]
async fn checklist_12_get_cookie() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;
    let path = "/SimpleAuthWebService/SimpleAuth.asmx";
    let ask = envelope("GetAuthorizationCookie", "<clientId>a</clientId><dnsName>a.example</dnsName>");
    let text = server.send("POST", path, &[], &ask.replace("ClientWebService", "SimpleAuthWebService")).await.text();
    let data = element(&text, "CookieData").expect("data");
    let bytes = base64_decode(data);
    let authorization = |bytes: Vec<u8>| AuthorizationCookie {
        plug_in_id: Some("SimpleTargeting".to_owned()),
        cookie_data: Some(Binary(bytes)),
    };
    let last_change = Timestamp::from_millisecond(server.state.configuration.load().last_change_ms).expect("time");
    let good = GetCookie {
        auth_cookies: vec![authorization(bytes.clone())],
        old_cookie: None,
        last_change: Some(last_change),
        current_time: Some(Timestamp::now()),
        protocol_version: Some("2.90".to_owned()),
    };
    let mut cases: Vec<(&str, GetCookie, Option<ErrorCode>)> = vec![("good", good.clone(), None)];
    let mut add = |name, change: &dyn Fn(&mut GetCookie), expected| {
        let mut request = good.clone();
        change(&mut request);
        cases.push((name, request, expected));
    };
    let invalid = Some(ErrorCode::InvalidAuthorizationCookie);
    add("no authorization cookie", &|it| it.auth_cookies.clear(), invalid);
    add("two", &|it| it.auth_cookies.push(authorization(bytes.clone())), invalid);
    add("foreign", &|it| it.auth_cookies = vec![authorization(vec![0; 573])], invalid);
    let sealed = cookie.encrypted_data.clone().expect("sealed").0;
    add("the other kind", &|it| it.auth_cookies = vec![authorization(sealed.clone())], invalid);
    add("an old cookie", &|it| it.old_cookie = Some(cookie.clone()), None);
    let empty = Cookie { expiration: Some(Timestamp::now()), encrypted_data: None };
    add("an old cookie without data", &|it| it.old_cookie = Some(empty.clone()), None);
    let foreign = Cookie::new(Timestamp::now(), vec![0; 350]);
    add("a foreign old cookie", &|it| it.old_cookie = Some(foreign.clone()), Some(ErrorCode::InvalidCookie));
    let stale = last_change - jiff::SignedDuration::from_millis(1);
    add("a stale configuration", &|it| it.last_change = Some(stale), Some(ErrorCode::ConfigChanged));
    // clients may echo more digits than they were given
    let finer = last_change + jiff::SignedDuration::from_nanos(100);
    add("a finer time", &|it| it.last_change = Some(finer), None);
    add("a bad version", &|it| it.protocol_version = Some("x".to_owned()), Some(ErrorCode::InvalidParameters));
    for (name, request, expected) in cases {
        let code = match agent.call(&request).await {
            Ok(_) => None,
            Err(error) => Some(fault_code(&error).unwrap_or_else(|| panic!("{name}: {error:#}"))),
        };
        assert_eq!(code, expected, "{name}");
    }
}

#[tokio::test]
async fn checklist_13_the_four_faults_and_their_recoveries() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;

    let mut bent = cookie.clone();
    bent.encrypted_data.as_mut().expect("data").0[40] ^= 1;
    assert_eq!(fault(&mut agent, bent).await, Some(ErrorCode::InvalidCookie));
    assert_eq!(
        fault(&mut agent, Cookie { expiration: None, encrypted_data: None }).await,
        Some(ErrorCode::InvalidCookie)
    );

    server.set_configuration(|settings| settings.extended_limit = 49);
    assert_eq!(fault(&mut agent, cookie.clone()).await, Some(ErrorCode::ConfigChanged));
    let outcome = agent.scan().await.expect("recovered");
    assert_eq!(outcome.recovered, [ErrorCode::ConfigChanged]);

    server.set(|settings| settings.cookie_lifetime = Duration::from_millis(700));
    let mut short = server.agent(2);
    short.handshake().await.expect("handshake");
    let cookie = short.state.cookie.clone().expect("cookie");
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(fault(&mut short, cookie).await, Some(ErrorCode::CookieExpired));
    server.set(|settings| settings.cookie_lifetime = Duration::from_hours(1));
    assert_eq!(short.scan().await.expect("recovered").recovered.first(), Some(&ErrorCode::CookieExpired));

    // another server: its keys are others
    let other = Server::start().await;
    let cookie = agent.state.cookie.clone().expect("cookie");
    agent.move_to(&other.base).expect("address");
    assert_eq!(fault(&mut agent, cookie).await, Some(ErrorCode::InvalidCookie));
    assert_eq!(agent.scan().await.expect("recovered").recovered.first(), Some(&ErrorCode::InvalidCookie));
}

#[tokio::test]
async fn checklist_14_expiration_is_ours_alone_and_restarts_change_nothing() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;
    let first = cookie.expiration.expect("expiration");
    let altered = Cookie { expiration: Some(Timestamp::UNIX_EPOCH), ..cookie.clone() };
    let answer = agent.call(&sync(altered)).await.expect("the clear text has no effect");
    let renewed = answer.result.and_then(|result| result.new_cookie).expect("cookie");
    assert_eq!(renewed.expiration, Some(first), "not prolonged");
    let lives = first.duration_since(Timestamp::now());
    assert!((3_500..=3_600).contains(&lives.as_secs()), "{lives}");

    let server = server.restart(ClientSettings::default()).await;
    agent.move_to(&server.base).expect("address");
    assert_eq!(fault(&mut agent, renewed).await, None, "cookies survive a restart");
    assert_eq!(agent.scan().await.expect("scan").recovered, []);
}

#[tokio::test]
async fn checklist_15_registration() {
    let server = Server::start().await;
    let mut agent = server.agent(1);
    agent.handshake().await.expect("handshake");
    assert!(server.computer(&agent).is_none_or(|row| row.registration.is_some()));
    agent.scan().await.expect("scan");
    let row = server.computer(&agent).expect("row");
    let registration = row.registration.expect("registered");
    assert_eq!(registration.dns_name, agent.computer.dns_name);
    assert!(registration.os_build_number > 0 && registration.os_description.is_some());
    assert!(row.plain_http);
    assert_eq!(row.ip_address.as_deref(), Some("127.0.0.1"));

    server.set_configuration(|settings| settings.registration_required = false);
    let mut other = server.agent(2);
    other.state.config = None;
    other.scan().await.expect("no registration needed");
    assert!(server.computer(&other).expect("row").registration.is_none());
    let version = GetConfig { protocol_version: Some("1.8".to_owned()) };
    let config = other.call(&version).await.expect("config").result.expect("config");
    assert!(!config.is_registration_required);
    server.set_configuration(|settings| settings.registration_required = true);
    let recovered = other.scan().await.expect("scan").recovered;
    assert_eq!(recovered.first(), Some(&ErrorCode::ConfigChanged), "{recovered:?}");
    assert!(server.computer(&other).expect("row").registration.is_some());
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(text).expect("base64")
}
