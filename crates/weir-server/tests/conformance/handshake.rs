//! Configuration, authorization and registration (checklist 10, 11, 15).

use std::collections::BTreeSet;

use jiff::Timestamp;
use weir_model::ids::CollectionId;
use weir_server::state::TargetingMode;
use weir_store::computer::Registration;
use weir_testkit::{Computer, ScriptedAgent};
use weir_wire::{
    soap::ErrorCode,
    wusp::{ComputerInfo, GetConfig, RegisterComputer},
};

use crate::{
    common::{Server, element},
    support::{AUTH, NS_A, NS_C, code, message, ready, refused, stored, sync},
};

/// Checklist 10: the answer of GetConfig in the recorded order and forms.
#[tokio::test]
async fn c10_the_order_of_get_config() {
    let server = Server::start().await;
    server.set_configuration(|settings| {
        settings.extended_limit = 37;
        settings.package_share = "\\\\server\\share & <more>".to_owned();
        settings.registration_required = false;
    });
    let text = server.post(&message(NS_C, "GetConfig", "<protocolVersion>2.90</protocolVersion>")).await.text();
    let last_change = element(&text, "LastChange").expect("LastChange");
    let milliseconds = server.state.configuration.load().last_change_ms;
    let expected = Timestamp::from_millisecond(milliseconds).expect("time");
    assert_eq!(last_change.parse::<Timestamp>().expect("a date-time"), expected);
    assert!(last_change.ends_with('Z'), "{last_change}");
    let body = text.split_once("<GetConfigResponse").expect("response").1;
    let expected = format!(
        " xmlns=\"{NS_C}\"><GetConfigResult><LastChange>{last_change}</LastChange>\
         <IsRegistrationRequired>false</IsRegistrationRequired><AuthInfo><AuthPlugInInfo>\
         <PlugInID>SimpleTargeting</PlugInID><ServiceUrl>SimpleAuthWebService/SimpleAuth.asmx</ServiceUrl>@</AuthPlugInInfo>\
         </AuthInfo>@<Properties>\
         <ConfigurationProperty><Name>MaxExtendedUpdatesPerRequest</Name><Value>37</Value></ConfigurationProperty>\
         <ConfigurationProperty><Name>PackageServerShare</Name><Value>\\\\server\\share &amp; &lt;more&gt;</Value>\
         </ConfigurationProperty>\
         <ConfigurationProperty><Name>ProtocolVersion</Name><Value>3.2</Value></ConfigurationProperty>\
         <ConfigurationProperty><Name>IsInventoryRequired</Name><Value>0</Value></ConfigurationProperty>\
         <ConfigurationProperty><Name>ClientReportingLevel</Name><Value>2</Value></ConfigurationProperty>\
         </Properties></GetConfigResult></GetConfigResponse></s:Body></s:Envelope>"
    );
    // where an empty element may be written or left out
    let mut rest = body;
    for (index, part) in expected.split('@').enumerate() {
        if index > 0 {
            let name = ["Parameter", "AllowedEventIds"][index - 1];
            for empty in [format!("<{name}/>"), format!("<{name} />"), format!("<{name}></{name}>")] {
                rest = rest.strip_prefix(&*empty).unwrap_or(rest);
            }
        }
        rest = rest.strip_prefix(part).unwrap_or_else(|| panic!("{part}\nis not at the start of\n{rest}"));
    }
    assert_eq!(rest, "");
}

/// Checklist 10: `x.y` is asked for; the default share is empty and fifty is the default limit.
#[tokio::test]
async fn c10_the_protocol_version_is_checked() {
    let server = Server::start().await;
    let mut agent = server.agent(1);
    for good in ["1.0", "1.6", "1.8", "2.90", "9999.99999", " 2.90 "] {
        let request = GetConfig { protocol_version: Some(good.to_owned()) };
        let config = agent.call(&request).await.expect("answered").result.expect("result");
        let values: Vec<_> = config.properties.iter().map(|property| property.value.as_deref()).collect();
        assert_eq!(values[0], Some("50"), "{good}");
        assert!(config.is_registration_required);
        assert!(config.allowed_event_ids.is_empty());
    }
    let wrong =
        [None, Some(""), Some("2"), Some("2."), Some(".9"), Some("a.b"), Some("-1.0"), Some("1.0.0"), Some("+1.0")];
    for wrong in wrong {
        let request = GetConfig { protocol_version: wrong.map(str::to_owned) };
        let expected = Some((ErrorCode::InvalidParameters, "protocolVersion".to_owned()));
        assert_eq!(refused(&mut agent, &request).await, expected, "{wrong:?}");
    }
}

/// Checklist 11: what a client id and a name may be. Nothing is stored by asking.
#[tokio::test]
async fn c11_authorization_checks_the_id_and_the_name() {
    let server = Server::start().await;
    let before = stored(&server);
    let long = "a".repeat(255);
    let ask = |id: &str, name: &str| {
        let body = message(NS_A, "GetAuthorizationCookie", &format!("{id}{name}"));
        let server = &server;
        async move { server.send("POST", AUTH, &[], &body).await.text() }
    };
    let id_of = |id: &str| format!("<clientId>{id}</clientId>");
    let name_of = |name: &str| format!("<targetGroupName/><dnsName>{name}</dnsName>");
    for id in ["a", "A-b-1", "7b0d4a6e-8a6b-4c0a-9a5f-0123456789AB", "-", &*long] {
        let text = ask(&id_of(id), &name_of("pc.example.test")).await;
        assert_eq!(element(&text, "PlugInId"), Some("SimpleTargeting"), "{id}: {text}");
        assert!(element(&text, "CookieData").is_some_and(|data| data.len() > 40), "{text}");
    }
    for id in ["", "a_b", "a b", "a.b", "{7b0d4a6e}", "ä", "a/..", "a&#0;", &*"a".repeat(256)] {
        let text = ask(&id_of(id), &name_of("pc")).await;
        assert_eq!(element(&text, "ErrorCode"), Some("InvalidParameters"), "{id}");
    }
    for name in [String::new(), name_of(""), name_of("  "), name_of(&"n".repeat(256))] {
        let text = ask(&id_of("a"), &name).await;
        assert_eq!(element(&text, "ErrorCode"), Some("InvalidParameters"), "{name}");
        assert_eq!(element(&text, "Message"), Some("dnsName"));
    }
    assert_eq!(element(&ask("", &name_of("pc")).await, "Message"), Some("clientId"));
    assert_eq!(stored(&server), before);
}

fn groups(server: &Server, agent: &ScriptedAgent) -> BTreeSet<CollectionId> {
    let no = server.computer(agent).expect("row").no;
    let rows = server.state.store.read(|tx| tx.computer_groups(no)).expect("groups");
    rows.into_iter().map(|(group, _)| group).collect()
}

/// Checklist 11: with client-side targeting the named groups that exist are joined, in any case; a computer that names
/// none that exists is unassigned. The store says the same as the directory.
#[tokio::test]
async fn c11_client_side_targeting_joins_the_groups_that_exist() {
    let server = Server::start().await;
    server.set(|settings| settings.targeting = TargetingMode::Client);
    let (ring, lab) = (server.collection("Ring 1").await, server.collection("Labor Köln").await);
    let cases: [(&str, &[CollectionId]); 5] = [
        ("Ring 1", &[ring]),
        ("RING 1; labor köln ;;Nowhere", &[ring, lab]),
        ("Nowhere", &[]),
        ("", &[]),
        ("Ring 1;ring 1", &[ring]),
    ];
    for (number, (names, expected)) in cases.into_iter().enumerate() {
        let computer = Computer { target_group: Some(names.to_owned()), ..Computer::numbered(number as u64) };
        let mut agent = server.agent_of(computer);
        agent.scan().await.expect("scan");
        assert_eq!(groups(&server, &agent), expected.iter().copied().collect(), "{names}");
        let id = agent.computer.client_id.parse().expect("id");
        let known = server.state.live.directory.find(&id).expect("known");
        let listed: BTreeSet<_> = known.groups.collections().iter().copied().collect();
        let unassigned = BTreeSet::from([CollectionId::UNASSIGNED_COMPUTERS]);
        assert_eq!(
            listed,
            if expected.is_empty() { unassigned } else { expected.iter().copied().collect() },
            "{names}"
        );
    }
}

/// Checklist 11: with server-side targeting what a computer names is noted and has no effect.
#[tokio::test]
async fn c11_server_side_targeting_ignores_what_is_asked_for() {
    let server = Server::start().await;
    let ring = server.collection("Ring 1").await;
    let computer = Computer { target_group: Some("Ring 1;later".to_owned()), ..Computer::numbered(1) };
    let mut agent = server.agent_of(computer);
    agent.scan().await.expect("scan");
    assert_eq!(groups(&server, &agent), BTreeSet::new());
    assert_eq!(server.computer(&agent).expect("row").requested_groups.as_deref(), Some("Ring 1;later"));
    let lab = server.collection("Lab").await;
    server.join(&agent, lab).await;
    agent.scan().await.expect("scan");
    assert_eq!(groups(&server, &agent), BTreeSet::from([lab]), "the administrator assigns");
    // the administrator changes his mind, twice; a group made later is joined with the next call
    server.set(|settings| settings.targeting = TargetingMode::Client);
    agent.scan().await.expect("scan");
    assert_eq!(groups(&server, &agent), BTreeSet::from([lab, ring]));
    let later = server.collection("LATER").await;
    agent.scan().await.expect("scan");
    assert_eq!(groups(&server, &agent), BTreeSet::from([lab, ring, later]));
    server.set(|settings| settings.targeting = TargetingMode::Server);
    agent.scan().await.expect("scan");
    assert_eq!(groups(&server, &agent), BTreeSet::from([lab]));
}

/// Checklist 15: registration is asked for before a scan if it is required, and refused if it is not.
#[tokio::test]
async fn c15_registration_is_required_or_refused() {
    let server = Server::start().await;
    let mut agent = server.agent(1);
    agent.state.registered = true; // keeps the handshake from registering
    agent.handshake().await.expect("handshake");
    let cookie = agent.state.cookie.clone().expect("cookie");
    assert_eq!(code(&mut agent, &sync(&cookie)).await, Some(ErrorCode::RegistrationRequired));
    assert!(server.computer(&agent).is_some_and(|row| row.registration.is_none()));
    let outcome = agent.scan().await.expect("recovered");
    assert_eq!(outcome.recovered, [ErrorCode::RegistrationRequired]);
    assert!(server.computer(&agent).is_some_and(|row| row.registration.is_some()));

    // what is required is there: a name
    let nameless = RegisterComputer { cookie: agent.state.cookie.clone(), computer_info: Some(info("")) };
    let expected = Some((ErrorCode::InvalidParameters, "computerInfo.DnsName".to_owned()));
    assert_eq!(refused(&mut agent, &nameless).await, expected);
    let nothing = RegisterComputer { cookie: agent.state.cookie.clone(), computer_info: None };
    assert_eq!(code(&mut agent, &nothing).await, Some(ErrorCode::InvalidParameters));

    server.set_configuration(|settings| settings.registration_required = false);
    let mut other = server.agent(2);
    other.scan().await.expect("nothing to register");
    assert!(server.computer(&other).is_some_and(|row| row.registration.is_none()));
    let asked = RegisterComputer { cookie: other.state.cookie.clone(), computer_info: Some(info("x.test")) };
    assert_eq!(code(&mut other, &asked).await, Some(ErrorCode::RegistrationNotRequired));
    assert!(server.computer(&other).is_some_and(|row| row.registration.is_none()), "nothing was stored");

    server.set_configuration(|settings| settings.registration_required = true);
    let recovered = other.scan().await.expect("scan").recovered;
    assert_eq!(recovered.first(), Some(&ErrorCode::ConfigChanged), "{recovered:?}");
    assert!(server.computer(&other).is_some_and(|row| row.registration.is_some()), "asked for now");
}

/// 26 values, no two alike, each at home in its type only.
fn info(name: &str) -> ComputerInfo {
    let text = |value: &str| Some(value.to_owned());
    ComputerInfo {
        dns_name: text(name),
        os_major_version: i32::MAX,
        os_minor_version: i32::MIN,
        os_build_number: 26_200,
        os_service_pack_major_number: i16::MAX,
        os_service_pack_minor_number: i16::MIN,
        os_locale: text("de-DE"),
        computer_manufacturer: text("<script>alert(1)</script>"),
        computer_model: text("Model \"M\" & 'N'"),
        bios_version: text("1.2.3"),
        bios_name: text("Ünïcode 漢字 🖥"),
        bios_release_date: Some("2019-12-31T23:59:58.5Z".parse().expect("time")),
        processor_architecture: text("AMD64"),
        suite_mask: 256,
        old_product_type: 255,
        new_product_type: 48,
        system_metrics: -7,
        client_version_major_number: 1_507,
        client_version_minor_number: 2_601,
        client_version_build_number: 30_012,
        client_version_qfe_number: 17,
        os_description: text("Windows 10 Pro"),
        oem: text("Maker"),
        device_type: text("Kind"),
        firmware_version: text("7.8.9"),
        mobile_operator: text("Not Present"),
    }
}

/// Checklist 15: all 26 fields are read back from the store as they were sent, and again after a change.
#[tokio::test]
async fn c15_all_26_fields_are_stored() {
    let server = Server::start().await;
    let (mut agent, cookie) = ready(&server).await;
    let sent = info("pc.example.test");
    agent
        .call(&RegisterComputer { cookie: Some(cookie.clone()), computer_info: Some(sent) })
        .await
        .expect("registered");
    let text = |value: &str| Some(value.to_owned());
    let expected = Registration {
        dns_name: "pc.example.test".to_owned(),
        os_major_version: i32::MAX,
        os_minor_version: i32::MIN,
        os_build_number: 26_200,
        os_service_pack_major_number: i16::MAX,
        os_service_pack_minor_number: i16::MIN,
        os_locale: text("de-DE"),
        computer_manufacturer: text("<script>alert(1)</script>"),
        computer_model: text("Model \"M\" & 'N'"),
        bios_version: text("1.2.3"),
        bios_name: text("Ünïcode 漢字 🖥"),
        bios_release_date: Some("2019-12-31T23:59:58.5Z".parse().expect("time")),
        processor_architecture: text("AMD64"),
        suite_mask: 256,
        old_product_type: 255,
        new_product_type: 48,
        system_metrics: -7,
        client_version_major_number: 1_507,
        client_version_minor_number: 2_601,
        client_version_build_number: 30_012,
        client_version_qfe_number: 17,
        os_description: text("Windows 10 Pro"),
        oem: text("Maker"),
        device_type: text("Kind"),
        firmware_version: text("7.8.9"),
        mobile_operator: text("Not Present"),
    };
    assert_eq!(server.computer(&agent).expect("row").registration, Some(expected.clone()));

    let row = server.computer(&agent).expect("row");
    assert_eq!((row.ip_address.as_deref(), row.plain_http), (Some("127.0.0.1"), true), "and how it came");

    // a later registration replaces all of it: what is absent then is gone
    let mut sparse = info("pc.example.test");
    (sparse.os_locale, sparse.bios_release_date, sparse.mobile_operator) = (None, None, None);
    sparse.os_build_number = 1;
    agent.call(&RegisterComputer { cookie: Some(cookie), computer_info: Some(sparse) }).await.expect("registered");
    let replaced = server.computer(&agent).expect("row").registration.expect("registered");
    let changed = Registration {
        os_locale: None,
        bios_release_date: None,
        mobile_operator: None,
        os_build_number: 1,
        ..expected
    };
    assert_eq!(replaced, changed);
}
