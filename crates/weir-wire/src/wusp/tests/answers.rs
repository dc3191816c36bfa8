//! Answers that no recording shows: forms, and strict reading.

use jiff::Timestamp;
use weir_model::ids::{ContentDigest, DeploymentId, RevisionId, UpdateIdentity};

use super::*;
use crate::{
    soap::Reason,
    wusp::{
        client::{Call, CallError},
        *,
    },
};

fn written(answer: &impl Answer) -> String {
    let mut out = String::new();
    answer.write(&mut out, SoapVersion::V11);
    out
}

fn cookie() -> Cookie {
    Cookie::new("2026-10-04T16:03:35.5Z".parse().expect("a time"), vec![1, 2, 3])
}

/// What is in the result of an answer to SyncUpdates.
fn result_of(text: &str) -> &str {
    let (_, rest) = text.split_once("<SyncUpdatesResult>").expect("a result");
    rest.split_once("</SyncUpdatesResult>").expect("its end").0
}

/// Writes in both versions, reads back strictly, compares.
fn round_trip<C: Call>(answer: &C::Answer)
where
    C::Answer: PartialEq + std::fmt::Debug,
{
    for version in BOTH {
        let mut out = String::new();
        answer.write(&mut out, version);
        let read =
            C::decode(out.as_bytes(), version, &Limits::default()).unwrap_or_else(|error| panic!("{error:?}: {out}"));
        assert_eq!(&read, answer, "{out}");
    }
}

#[test]
fn reporting_answers_are_in_the_other_dialect() {
    assert_eq!(
        written(&ReportEventBatchAnswer { result: true }),
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>\
             <ReportEventBatchResponse xmlns=\"{NS_R}\"><ReportEventBatchResult>true</ReportEventBatchResult>\
             </ReportEventBatchResponse></soap:Body></soap:Envelope>"
        )
    );
    round_trip::<ReportEventBatch>(&ReportEventBatchAnswer { result: false });
    round_trip::<ReportEventBatch2>(&ReportEventBatch2Answer { result: true });
    round_trip::<GetRequiredInventoryType>(&GetRequiredInventoryTypeAnswer { result: 0 });
    round_trip::<ReportInventory>(&ReportInventoryAnswer { result: true });
    let empty = AuthorizationCookie { plug_in_id: Some(String::new()), cookie_data: None };
    let answer = GetAuthorizationCookieAnswer { result: Some(empty) };
    assert!(written(&answer).contains("<PlugInId />"));
    round_trip::<GetAuthorizationCookie>(&answer);
}

#[test]
fn deployment_has_its_elements_in_the_order_of_the_schema() {
    let mut deployment =
        Deployment::new(DeploymentId(5), Action::Install, true, jiff::civil::date(2026, 1, 2)).with_client_defaults();
    deployment.deadline = Some("2026-01-31T22:00:00Z".parse().expect("a time"));
    deployment.download_priority = Some(3);
    deployment.hardware_ids = vec!["PCI\\VEN_1&DEV_2".to_owned()];
    let update = UpdateInfo { id: RevisionId(-1), deployment: Some(deployment), is_leaf: true, xml: None };
    let info = SyncInfo {
        new_updates: Vec::new(),
        out_of_scope_revision_ids: vec![RevisionId(1), RevisionId(22)],
        changed_updates: vec![update],
        truncated: true,
        new_cookie: Some(cookie()),
        deployed_out_of_scope_revision_ids: vec![RevisionId(333)],
        driver_sync_not_needed: Some("false".to_owned()),
    };
    let answer = SyncUpdatesAnswer { result: Some(info.clone()) };
    let text = written(&answer);
    let expected = "<OutOfScopeRevisionIDs><int>1</int><int>22</int></OutOfScopeRevisionIDs><ChangedUpdates><UpdateInfo><ID>-1</ID>\
        <Deployment><ID>5</ID><Action>Install</Action><Deadline>2026-01-31T22:00:00Z</Deadline><IsAssigned>true</IsAssigned>\
        <LastChangeTime>2026-01-02</LastChangeTime><DownloadPriority>3</DownloadPriority><HardwareIds>\
        <string>PCI\\VEN_1&amp;DEV_2</string></HardwareIds><AutoSelect>0</AutoSelect><AutoDownload>0</AutoDownload>\
        <SupersedenceBehavior>0</SupersedenceBehavior></Deployment><IsLeaf>true</IsLeaf></UpdateInfo></ChangedUpdates>\
        <Truncated>true</Truncated><NewCookie><Expiration>2026-10-04T16:03:35.5Z</Expiration><EncryptedData>AQID</EncryptedData>\
        </NewCookie><DeployedOutOfScopeRevisionIds><int>333</int></DeployedOutOfScopeRevisionIds>\
        <DriverSyncNotNeeded>false</DriverSyncNotNeeded>";
    assert_eq!(result_of(&text), expected);
    round_trip::<SyncUpdates>(&answer);
    round_trip::<SyncPrinterCatalog>(&SyncPrinterCatalogAnswer { result: Some(info.clone()) });
    for version in BOTH {
        let (mut pieces, mut whole) = (String::new(), String::new());
        let writer = SyncWriter::printers(version);
        writer.head(&mut pieces);
        let tail = SyncTail {
            out_of_scope: &info.out_of_scope_revision_ids,
            changed: &info.changed_updates,
            truncated: true,
            new_cookie: info.new_cookie.as_ref(),
            deployed_out_of_scope: &info.deployed_out_of_scope_revision_ids,
            driver_sync_not_needed: Some(false),
        };
        writer.tail(&mut pieces, &tail);
        SyncPrinterCatalogAnswer { result: Some(info.clone()) }.write(&mut whole, version);
        assert_eq!(pieces, whole);
    }
}

#[test]
fn other_client_answers_are_read_back() {
    let identity: WireIdentity = UpdateIdentity::new(uuid::Uuid::from_u128(77).into(), 201).into();
    let deployment = Deployment::new(DeploymentId(1), Action::Evaluate, true, jiff::civil::date(2026, 1, 2));
    let kept = RefreshCacheResult {
        revision_id: RevisionId(9),
        global_id: Some(identity.clone()),
        is_leaf: false,
        deployment: Some(deployment),
    };
    round_trip::<RefreshCache>(&RefreshCacheAnswer { result: vec![kept.clone(), kept] });
    round_trip::<RefreshCache>(&RefreshCacheAnswer { result: Vec::new() });
    let location = FileLocation::new(ContentDigest([9; 20]), "http://h:8530/Content/09/0909.cab".to_owned());
    let result = FileLocationsResult { file_locations: vec![location.clone()], new_cookie: Some(cookie()) };
    round_trip::<GetFileLocations>(&GetFileLocationsAnswer { result: Some(result) });
    let update = UpdateData { id: RevisionId(4), xml: Some("<A b=\"c\" />&amp;".to_owned()) };
    let info = ExtendedUpdateInfo {
        updates: vec![update.clone()],
        file_locations: vec![location.clone()],
        out_of_scope_revision_ids: vec![RevisionId(5)],
    };
    round_trip::<GetExtendedUpdateInfo>(&GetExtendedUpdateInfoAnswer { result: Some(info) });
    let location = location.with_algorithm();
    let detail = UpdateEncryptionDetail { update_identity: Some(identity), has_encrypted_files: false };
    let info = ExtendedUpdateInfo2 {
        updates: vec![update],
        file_locations: vec![location.clone()],
        file_decryption_data: Vec::new(),
        file_decryption_data2: Vec::new(),
        update_encryption_details: vec![detail],
    };
    round_trip::<GetExtendedUpdateInfo2>(&GetExtendedUpdateInfo2Answer { result: Some(info) });
    let mut pieces = String::new();
    let writer = ExtendedWriter::by_identity(SoapVersion::V11);
    writer.head(&mut pieces);
    writer.tail(&mut pieces, &[location], &[RevisionId(5)]);
    let read = GetExtendedUpdateInfo2::decode(pieces.as_bytes(), SoapVersion::V11, &Limits::default()).expect("valid");
    assert!(pieces.contains("<FileDigestAlgorithm>SHA1</FileDigestAlgorithm>"));
    assert!(read.result.is_some_and(|info| info.updates.is_empty() && info.file_locations.len() == 1));
    round_trip::<StartCategoryScan>(&StartCategoryScanAnswer {
        preferred_category_ids: Vec::new(),
        requested_category_ids_in_error: vec![uuid::Uuid::from_u128(3).into()],
    });
}

#[test]
fn strict_reading_refuses_what_the_schema_does_not_say() {
    let config = |content: &str| {
        let text = envelope(&format!(
            "<GetConfigResponse xmlns=\"{NS_C}\"><GetConfigResult>{content}</GetConfigResult></GetConfigResponse>"
        ));
        GetConfig::decode(text.as_bytes(), SoapVersion::V11, &Limits::default())
    };
    let change = "<LastChange>2026-10-04T13:17:07.59Z</LastChange>";
    let required = "<IsRegistrationRequired>true</IsRegistrationRequired>";
    assert!(config(&format!("{change}{required}")).is_ok());
    for wrong in [
        String::new(),
        change.to_owned(),
        required.to_owned(),
        format!("{required}{change}"),
        format!("{change}{required}<Unknown/>"),
        format!("{change}{required}<Properties><Other/></Properties>"),
        format!("{change}{required}<x:Properties xmlns:x=\"urn:other\"/>"),
        format!("{change}{change}{required}"),
        format!("{change}<IsRegistrationRequired>yes</IsRegistrationRequired>"),
    ] {
        let error = config(&wrong).expect_err(&wrong);
        assert!(matches!(error, CallError::Malformed { reason: Reason::Parameter { .. }, .. }), "{wrong}: {error:?}");
    }
    let other = envelope(&format!("<GetCookieResponse xmlns=\"{NS_C}\"/>"));
    let error = GetConfig::decode(other.as_bytes(), SoapVersion::V11, &Limits::default()).expect_err("another answer");
    assert!(matches!(error, CallError::Malformed { reason: Reason::UnknownOperation(_), .. }));
}

#[test]
fn entries_without_deployment_are_told_apart() {
    let text = envelope(&format!(
        "<SyncUpdatesResponse xmlns=\"{NS_C}\"><SyncUpdatesResult><NewUpdates><UpdateInfo><ID>1</ID><IsLeaf>true</IsLeaf></UpdateInfo>\
         </NewUpdates><Truncated>false</Truncated></SyncUpdatesResult></SyncUpdatesResponse>"
    ));
    let answer =
        SyncUpdates::decode(text.as_bytes(), SoapVersion::V11, &Limits::default()).expect("valid by the schema");
    assert!(answer.result.expect("a result").new_updates[0].deployment.is_none());
}

#[test]
fn text_cannot_spoil_an_answer() {
    let nasty = "a<b>&\u{0}\u{1f}\u{fffe}]]>\r\n\"'\u{1F600}";
    let answer = GetConfigAnswer {
        result: Some(Config {
            last_change: Timestamp::UNIX_EPOCH,
            is_registration_required: false,
            auth_info: Vec::new(),
            allowed_event_ids: vec![-1],
            properties: vec![ConfigurationProperty::new("N", nasty)],
        }),
    };
    let read = GetConfig::decode(written(&answer).as_bytes(), SoapVersion::V11, &Limits::default()).expect("valid");
    let value = read.result.expect("a result").properties.remove(0).value.expect("a value");
    assert_eq!(value, "a<b>&\u{fffd}\u{fffd}\u{fffd}]]>\r\n\"'\u{1F600}");
}
