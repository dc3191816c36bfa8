//! Requests: what is accepted, what is refused, and with what fault.

use super::*;
use crate::{
    soap::{ErrorCode, Reason},
    wsss::{client::write, *},
};

const SYNC: Service = Service::ServerSync;

fn code_of(refusal: Refusal) -> (ErrorCode, &'static str) {
    (refusal.code, refusal.path)
}

#[test]
fn services_are_found_by_path() {
    for (path, service) in [
        ("/ServerSyncWebService/ServerSyncWebService.asmx", Some(SYNC)),
        ("/serversyncwebservice/SERVERSYNCWEBSERVICE.ASMX", Some(SYNC)),
        ("//DssAuthWebService//DssAuthWebService.asmx", Some(Service::DssAuth)),
        ("/ReportingWebService/reportingwebservice.asmx", Some(Service::Reporting)),
        ("/ServerSyncWebService/ServerSyncProxy.asmx", None),
        ("/ServerSyncWebService/ServerSyncWebService.asmx/x", None),
        ("/ServerSyncWebService", None),
        ("ServerSyncWebService/ServerSyncWebService.asmx", None),
        ("", None),
    ] {
        assert_eq!(Service::of_path(path), service, "{path}");
    }
}

#[test]
fn operations_belong_to_services() {
    for &operation in Operation::ALL {
        let own = operation.service();
        for &service in Service::ALL {
            let offered = service == own || operation == Operation::Ping;
            assert_eq!(Operation::find(service, operation.name()).is_some(), offered, "{operation} of {service:?}");
            let namespace = operation.namespace();
            let body = envelope(&format!("<{operation} xmlns=\"{namespace}\"/>"));
            match raw(service, body.as_bytes()) {
                Ok(parsed) => assert_eq!((parsed.request.operation(), offered), (operation, true)),
                Err(rejection) => {
                    assert!(!offered, "{operation}: {:?}", rejection.reason);
                    assert!(matches!(rejection.reason, Reason::UnknownOperation(_)));
                }
            }
            let foreign = body.replace(&format!("\"{namespace}\""), "\"urn:other\"");
            assert!(raw(service, foreign.as_bytes()).is_err());
        }
    }
    assert_eq!(Operation::Ping.action(), "http://www.microsoft.com/SoftwareDistribution/Server/IMonitorable/Ping");
    assert_eq!(
        Operation::GetAuthorizationCookie.action(),
        "http://www.microsoft.com/SoftwareDistribution/Server/DssAuthWebService/GetAuthorizationCookie"
    );
}

#[test]
fn cookies_that_cannot_be_read_are_none() {
    let sealed = |cookie: &str| {
        let parsed = request(SYNC, "GetConfigData", cookie).expect("a broken cookie is no broken request");
        only!(parsed, GetConfigData).sealed().map(<[u8]>::to_vec)
    };
    assert_eq!(sealed("<cookie><EncryptedData>AQI=</EncryptedData></cookie>"), Some(vec![1, 2]));
    for none in [
        "",
        "<cookie/>",
        "<cookie><EncryptedData/></cookie>",
        "<cookie><Expiration>soon</Expiration><EncryptedData>no base64!</EncryptedData></cookie>",
        "<cookie><Expiration>2026-10-04T20:33:26</Expiration></cookie>",
        "<cookie xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>",
    ] {
        assert_eq!(sealed(none), None, "{none}");
    }
    // Copied with its namespace, as a careless client would: the values are not where they belong.
    let copied = "<authCookies><AuthorizationCookie xmlns:d=\"http://www.microsoft.com/SoftwareDistribution/Server/DssAuthWebService\">\
                  <d:CookieData>AQI=</d:CookieData></AuthorizationCookie></authCookies><protocolVersion>1.20</protocolVersion>";
    let parsed = only!(request(SYNC, "GetCookie", copied).expect("well-formed"), GetCookie);
    let refusal = parsed.validate().expect_err("no data");
    assert_eq!(code_of(refusal), (ErrorCode::InvalidAuthorizationCookie, ""));
}

#[test]
fn authorization_is_checked() {
    let id = "6F1C2F6E-3F0B-4D3A-9B1E-0D2F6A1C5E12";
    let check = |name: Option<&str>, guid: Option<&str>| {
        let asked = GetAuthorizationCookie {
            account_name: name.map(str::to_owned),
            account_guid: guid.map(str::to_owned),
            program_keys: None,
        };
        asked.validate().map(|(name, id)| (name.to_owned(), id)).map_err(code_of)
    };
    assert!(check(Some("dss-1.example.com"), Some(id)).is_ok());
    let invalid = ErrorCode::InvalidParameters;
    for name in [None, Some(""), Some(" "), Some("a b"), Some("a<b"), Some(id.repeat(8).as_str())] {
        assert_eq!(check(name, Some(id)), Err((invalid, "machineName")), "{name:?}");
    }
    for guid in [None, Some(""), Some("x")] {
        assert_eq!(check(Some("a"), guid), Err((invalid, "accountGuid")), "{guid:?}");
    }
}

#[test]
fn cookies_are_asked_for_with_one_authorization_and_a_version() {
    let check = |cookies: usize, version: Option<&str>| {
        let asked = GetCookie {
            auth_cookies: vec![AuthorizationCookie::new(vec![1]); cookies],
            old_cookie: None,
            protocol_version: version.map(str::to_owned),
        };
        asked.validate().map(|(_, version)| version).map_err(code_of)
    };
    assert_eq!(check(1, Some("1.20")), Ok(ProtocolVersion::V1_20));
    assert_eq!(check(1, Some(" 1.8 ")), Ok(ProtocolVersion::V1_8));
    let invalid = ErrorCode::InvalidParameters;
    for cookies in [0, 2] {
        assert_eq!(check(cookies, Some("1.20")), Err((invalid, "authCookies")));
    }
    for version in [None, Some(""), Some("1"), Some("1."), Some("1.x"), Some("1.-2"), Some("+1.2"), Some("1.2.3")] {
        assert_eq!(check(1, version), Err((invalid, "protocolVersion")), "{version:?}");
    }
    for version in ["2.0", "0.20"] {
        assert_eq!(check(1, Some(version)), Err((ErrorCode::IncompatibleProtocolVersion, "")), "{version}");
    }
}

#[test]
fn filters_tell_absent_from_empty() {
    let filter = |content: &str| {
        let parsed = request(SYNC, "GetRevisionIdList", &format!("<filter>{content}</filter>"));
        only!(parsed.expect("valid"), GetRevisionIdList).filter.expect("a filter")
    };
    let none = filter("<GetConfig>false</GetConfig>");
    assert_eq!((none.categories, none.classifications, none.languages), (None, None, None));
    let empty = filter("<GetConfig>false</GetConfig><Categories/><Classifications></Classifications><Languages />");
    assert_eq!((empty.categories, empty.classifications, empty.languages), (Some(vec![]), Some(vec![]), Some(vec![])));
    // Any order, unknown elements, nil items, GUIDs of any case, the reserved version.
    let odd = filter(
        "<Categories><IdAndDelta xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>\
         <IdAndDelta><Delta>1</Delta><Id>8C3FCC84-7410-4A95-8B89-A166A0190486</Id></IdAndDelta></Categories>\
         <Extra><GetConfig>true</GetConfig></Extra><DssProtocolVersion/><GetConfig>false</GetConfig><Anchor></Anchor>",
    );
    assert_eq!(odd.categories.expect("a list").len(), 1);
    assert!(!odd.get_config && odd.anchor.text().is_none());

    let absent = only!(request(SYNC, "GetRevisionIdList", "").expect("valid"), GetRevisionIdList);
    assert_eq!(absent.validate().map_err(code_of).err(), Some((ErrorCode::InvalidParameters, "filter")));
    let garbage = "<filter><Anchor>garbage</Anchor></filter>";
    let garbage = only!(request(SYNC, "GetRevisionIdList", garbage).expect("valid"), GetRevisionIdList);
    assert_eq!(garbage.validate().map_err(code_of).err(), Some((ErrorCode::InvalidParameters, "filter")));
}

#[test]
fn requests_are_written_in_order_and_without_empty_anchors() {
    let filter = ServerSyncFilter {
        anchor: AnchorText::new(""),
        get_config: false,
        get_63_language_only: false,
        categories: Some(vec![]),
        classifications: None,
        languages: Some(vec![LanguageAndDelta { id: 1033, delta: true }]),
    };
    let text = write(&GetRevisionIdList { cookie: None, filter: Some(filter) }, SoapVersion::V11);
    let expected = "<filter><GetConfig>false</GetConfig><Get63LanguageOnly>false</Get63LanguageOnly><Categories />\
                    <Languages><LanguageAndDelta><Id>1033</Id><Delta>true</Delta></LanguageAndDelta></Languages></filter>";
    assert!(text.contains(expected), "{text}");
    let text = write(&GetConfigData { cookie: None, config_anchor: None.into() }, SoapVersion::V11);
    assert!(!text.contains("Anchor"), "{text}");
    let text = write(
        &GetDeployments {
            cookie: None,
            deployment_anchor: Some(String::new()).into(),
            sync_anchor: AnchorText::new("x"),
        },
        SoapVersion::V11,
    );
    assert!(!text.contains("deploymentAnchor") && text.contains("<syncAnchor>x</syncAnchor>"), "{text}");
    let text = write(&GetRollupConfiguration { cookie: Some(Cookie::roll_up()) }, SoapVersion::V11);
    let cookie = "<cookie><Expiration>9999-12-31T23:59:59.9999999</Expiration><EncryptedData /></cookie>";
    assert!(text.contains(cookie), "{text}");
}

#[test]
fn lists_are_bounded() {
    use weir_model::ids::{UpdateId, UpdateIdentity};
    let identity = UpdateIdentity::new(UpdateId(uuid::Uuid::from_u128(7)), 200);
    let ask =
        |count: Option<usize>| GetUpdateData { cookie: None, update_ids: count.map(|count| vec![identity; count]) };
    assert_eq!(ask(Some(0)).validate(100).map(<[_]>::len), Ok(0));
    assert_eq!(ask(Some(100)).validate(100).map(<[_]>::len), Ok(100));
    for wrong in [Some(101), None] {
        let refusal = ask(wrong).validate(100).expect_err("refused");
        assert_eq!(code_of(refusal), (ErrorCode::InvalidParameters, "updateIds"));
    }
    let digest = crate::soap::Binary(vec![0; 20]);
    let ask = |count: usize| DownloadFiles { cookie: None, file_digest_list: Some(vec![digest.clone(); count]) };
    assert!(ask(100).validate().is_ok());
    for wrong in [0, 101] {
        assert_eq!(
            code_of(ask(wrong).validate().expect_err("refused")),
            (ErrorCode::InvalidParameters, "fileDigestList")
        );
    }
    let sets = GetDriverSetData { cookie: None, driver_sets: Some(vec![uuid::Uuid::nil()]) };
    assert_eq!(code_of(sets.validate(0).expect_err("refused")), (ErrorCode::TooManyIds, "driverSets"));
}

#[test]
fn deployments_need_the_anchor_of_the_updates() {
    let anchor = "9438,2026-10-04 16:09:27.371";
    let ask = |from: &str, to: &str| GetDeployments {
        cookie: None,
        deployment_anchor: AnchorText::new(from),
        sync_anchor: AnchorText::new(to),
    };
    let to: Anchor = anchor.parse().expect("an anchor");
    assert_eq!(ask("", anchor).validate(), Ok((None, to)));
    assert_eq!(ask(anchor, anchor).validate(), Ok((Some(to), to)));
    for (from, to, path) in [(anchor, "", "syncAnchor"), ("", "x", "syncAnchor"), ("x", anchor, "deploymentAnchor")] {
        assert_eq!(code_of(ask(from, to).validate().expect_err("refused")), (ErrorCode::InvalidParameters, path));
    }
}

#[test]
fn computers_are_read_from_attributes() {
    let body = "<cookie/><clientTime>2026-10-04T20:33:26Z</clientTime><computers>\
        <ComputerRollupInfo ComputerId='c-&#x41;' LastSyncTime=\"2026-10-04T20:33:26.5\" LastSyncResult=\"1\" \
          LastReportedRebootTime=\"1753-01-01T00:00:00\" LastReportedStatusTime=\"0001-01-01T00:00:00\" \
          ParentServerId=\"00000000-0000-0000-0000-000000000000\" Unknown=\"x\">\
          <Details FullDomainName=\"a &quot;b&quot;\" OSMajorVersion=\"10\" SuiteMask=\"256\">\
            <TargetGroupIdList><guid>A0A08746-4dbe-4a37-9adf-9e7652c0b421</guid></TargetGroupIdList>\
            <RequestedTargetGroupNames/></Details></ComputerRollupInfo>\
        <ComputerRollupInfo ComputerId=\"second\"/></computers>";
    let parsed = only!(request(Service::Reporting, "RollupComputers", body).expect("valid"), RollupComputers);
    let (computers, _) = parsed.validate(2).expect("valid");
    assert_eq!(computers[0].computer_id.as_deref(), Some("c-A"));
    assert!(computers[0].last_sync_time.0.is_some());
    assert_eq!(
        (computers[0].last_reported_reboot_time, computers[0].last_reported_status_time),
        (Since(None), Since(None))
    );
    let details = computers[0].details.as_ref().expect("details");
    assert_eq!(details.full_domain_name.as_deref(), Some("a \"b\""));
    assert_eq!((details.os_major_version, details.suite_mask, details.os_build_number), (10, 256, 0));
    assert_eq!(details.target_group_id_list.as_ref().map(Vec::len), Some(1));
    assert_eq!(details.requested_target_group_names, Some(Vec::new()));
    assert!(computers[1].details.is_none() && computers[1].last_inventory_time.0.is_none());
    assert_eq!(code_of(parsed.validate(1).expect_err("refused")), (ErrorCode::InvalidParameters, "computers"));
    for wrong in [
        "LastSyncResult=\"x\"",
        "ParentServerId=\"x\"",
        "LastSyncTime=\"x\"",
        "a=\"1\" a=\"2\"",
        "ComputerId=\"&x;\"",
        "ComputerId=\"&#1;\"",
    ] {
        let body = format!("<computers><ComputerRollupInfo {wrong}/></computers>");
        assert!(request(Service::Reporting, "RollupComputers", &body).is_err(), "{wrong}");
    }
    let message = request(
        Service::Reporting,
        "RollupComputers",
        "<computers><ComputerRollupInfo LastSyncResult=\"x\"/></computers>",
    )
    .expect_err("refused")
    .into_fault(uuid::Uuid::nil())
    .message;
    assert_eq!(message, "computers.ComputerRollupInfo.LastSyncResult");
}

#[test]
fn roll_ups_are_bounded_by_all_summaries() {
    let server = |summaries: usize| DownstreamServerRollupInfo {
        server_id: uuid::Uuid::nil(),
        full_domain_name: None,
        last_sync_time: Since(None),
        parent_server_id: uuid::Uuid::nil(),
        version: None,
        is_replica: false,
        last_rollup_time: Since(None),
        server_summary: None,
        client_summaries: vec![DownstreamServerRollupClientSummary::default(); summaries],
    };
    let ask = |servers: Vec<DownstreamServerRollupInfo>| RollupDownstreamServers {
        cookie: None,
        client_time: Some(jiff::Timestamp::UNIX_EPOCH),
        downstream_servers: Some(servers),
    };
    assert!(ask(vec![server(2), server(1)]).validate(3).is_ok());
    assert!(ask(vec![server(2), server(2)]).validate(3).is_err());
    assert!(ask(vec![server(0); 4]).validate(3).is_err());
}
