//! The recorded exchanges of a native agent and a WSUS: read, written again, compared byte for byte.

use super::*;
use crate::wusp::{client::Call, *};

fn response(name: &str) -> String {
    recorded_text(&format!("native-scan/{name}.response.xml"))
}

fn request_body(name: &str) -> String {
    recorded_text(&format!("native-scan/{name}.request.xml"))
}

/// Reads a recorded answer strictly, and writes it again in both versions.
fn replay<C: Call>(name: &str) -> C::Answer {
    let text = response(name);
    let answer = C::decode(text.as_bytes(), SoapVersion::V11, &Limits::default()).expect("the recorded answer");
    let mut written = String::new();
    answer.write(&mut written, SoapVersion::V11);
    assert_eq!(written, text, "{name}");
    let mut soap12 = String::new();
    answer.write(&mut soap12, SoapVersion::V12);
    let expected = text.replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    assert_eq!(soap12, expected, "{name} in SOAP 1.2");
    assert!(C::decode(soap12.as_bytes(), SoapVersion::V12, &Limits::default()).is_ok());
    assert!(C::decode(soap12.as_bytes(), SoapVersion::V11, &Limits::default()).is_err(), "another version");
    answer
}

fn parse_recorded(name: &str, service: Service) -> (String, Request) {
    let text = request_body(name);
    let parsed = raw(service, text.as_bytes()).unwrap_or_else(|rejection| panic!("{name}: {:?}", rejection.reason));
    assert_eq!(parsed.version, SoapVersion::V11);
    (text, parsed.request)
}

fn encoded<C: Call>(request: &C) -> String {
    let mut text = String::new();
    request.encode(&mut text, SoapVersion::V11);
    text
}

/// The text of the first element of this name, unescaped.
fn text_of(body: &str, element: &str) -> String {
    let open = format!("<{element}>");
    let start = body.find(&open).expect("the element is there") + open.len();
    let end = start + body[start..].find('<').expect("it ends");
    quick_xml::escape::unescape(&body[start..end]).expect("escaped text").into_owned()
}

/// Puts back what a server skips.
fn with_native_parts(mut request: SyncUpdates, text: &str) -> SyncUpdates {
    let parameters = request.parameters.as_mut().expect("parameters");
    if let Some(spec) = &parameters.system_spec {
        let devices = spec.devices(text.as_bytes(), &Limits::default()).expect("recorded devices");
        parameters.system_spec = Some(SystemSpec::new(devices));
    }
    parameters.also_perform_regular_sync.0 = Some(false);
    parameters.products_parameters.0 = Some(ProductsParameters {
        sync_current_version_only: false,
        device_attributes: text_of(text, "DeviceAttributes"),
        caller_attributes: text_of(text, "CallerAttributes"),
        products: String::new(),
    });
    request
}

#[test]
fn config_is_answered_as_recorded() {
    let config = replay::<GetConfig>("000001-GetConfig").result.expect("a configuration");
    assert!(config.is_registration_required);
    assert_eq!(config.last_change.to_string(), "2026-10-04T13:17:07.59Z");
    assert_eq!(config.auth_info.len(), 1);
    assert_eq!(config.auth_info[0].parameter.as_deref(), Some(""));
    let names: Vec<_> = config.properties.iter().map(|property| property.name.as_deref().unwrap()).collect();
    let expected = [
        "MaxExtendedUpdatesPerRequest",
        "PackageServerShare",
        "ProtocolVersion",
        "IsInventoryRequired",
        "ClientReportingLevel",
    ];
    assert_eq!(names, expected);
    let (text, request) = parse_recorded("000001-GetConfig", Service::Client);
    let request = only!(request, GetConfig);
    assert_eq!(request.validate(), Ok((2, 90)));
    assert_eq!(encoded(&request), text);
}

#[test]
fn authorization_cookie_is_answered_as_recorded() {
    let answer = replay::<GetAuthorizationCookie>("000002-GetAuthorizationCookie");
    assert_eq!(answer.result.and_then(|cookie| cookie.cookie_data).map(|data| data.0.len()), Some(496));
    let (text, request) = parse_recorded("000002-GetAuthorizationCookie", Service::SimpleAuth);
    let request = only!(request, GetAuthorizationCookie);
    let (id, name) = request.validate().expect("valid");
    assert_eq!((id.as_str(), name), ("e1da06a3-5601-43c9-bac3-52d5db701494", "REDACTED3"));
    assert_eq!(request.groups().count(), 0);
    assert_eq!(encoded(&request), text);
}

#[test]
fn cookie_is_answered_as_recorded() {
    replay::<GetCookie>("000003-GetCookie");
    let (text, request) = parse_recorded("000003-GetCookie", Service::Client);
    let request = only!(request, GetCookie);
    assert_eq!(request.validate(), Ok((2, 90)));
    assert_eq!(request.old_cookie.as_ref().map(Cookie::sealed), Some(None), "a first cookie holds nothing");
    assert_eq!(encoded(&request), text);
}

#[test]
fn registration_is_answered_as_recorded() {
    replay::<RegisterComputer>("000004-RegisterComputer");
    let (text, request) = parse_recorded("000004-RegisterComputer", Service::Client);
    let request = only!(request, RegisterComputer);
    let info = request.validate().expect("valid");
    assert_eq!(info.os_build_number, 26_200);
    assert_eq!(info.suite_mask, 256);
    assert_eq!(info.old_product_type, 1);
    assert_eq!(info.client_version_build_number, 30_012);
    assert_eq!(info.mobile_operator.as_deref(), Some("Not Present"));
    assert_eq!(info.bios_release_date.map(|date| date.to_string()).as_deref(), Some("2022-02-02T00:00:00Z"));
    assert_eq!(encoded(&request), text);
}

#[test]
fn category_scan_is_answered_as_recorded() {
    let answer = replay::<StartCategoryScan>("000005-StartCategoryScan");
    let (text, request) = parse_recorded("000005-StartCategoryScan", Service::Client);
    let request = only!(request, StartCategoryScan);
    assert_eq!(request.requested_categories[0].category_id, answer.preferred_category_ids[0]);
    assert_eq!(encoded(&request), text);
}

#[test]
fn scans_are_answered_as_recorded() {
    for name in ["000006-SyncUpdates", "000007-SyncUpdates", "000008-SyncUpdates", "000009-SyncUpdates"] {
        let info = replay::<SyncUpdates>(name).result.expect("a result");
        for version in BOTH {
            let writer = SyncWriter::software_or_drivers(version);
            let mut pieces = String::new();
            writer.head(&mut pieces);
            if !info.new_updates.is_empty() {
                writer.new_updates_open(&mut pieces);
                for update in &info.new_updates {
                    let deployment = update.deployment.as_ref().expect("every entry has one");
                    writer.update_open(&mut pieces, update.id, deployment, update.is_leaf);
                    crate::soap::escape_into(&mut pieces, update.xml.as_deref().expect("a Core fragment"));
                    writer.update_close(&mut pieces);
                }
                writer.new_updates_close(&mut pieces);
            }
            let tail = SyncTail {
                out_of_scope: &info.out_of_scope_revision_ids,
                changed: &info.changed_updates,
                truncated: info.truncated,
                new_cookie: info.new_cookie.as_ref(),
                deployed_out_of_scope: &info.deployed_out_of_scope_revision_ids,
                driver_sync_not_needed: info.driver_sync_not_needed.as_deref().map(|text| text == "true"),
            };
            writer.tail(&mut pieces, &tail);
            let mut whole = String::new();
            SyncUpdatesAnswer { result: Some(info.clone()) }.write(&mut whole, version);
            assert_eq!(pieces, whole, "{name}");
        }
        let (text, request) = parse_recorded(name, Service::Client);
        let request = only!(request, SyncUpdates);
        assert!(request.validate(&Bounds::default()).is_ok());
        assert_eq!(encoded(&with_native_parts(request, &text)), text, "{name}");
    }
}

#[test]
fn recorded_deployments_are_those_of_the_writer() {
    let info = replay::<SyncUpdates>("000008-SyncUpdates").result.expect("a result");
    let update = &info.new_updates[0];
    assert!(update.is_leaf);
    let deployment = update.deployment.clone().expect("every entry has one");
    let made = Deployment::new(deployment.id, Action::Evaluate, true, jiff::civil::date(2026, 10, 4));
    assert_eq!(deployment, made.with_client_defaults());
}

#[test]
fn driver_pass_is_read_as_recorded() {
    let (text, request) = parse_recorded("000009-SyncUpdates", Service::Client);
    let request = only!(request, SyncUpdates);
    let parameters = request.validate(&Bounds::default()).expect("valid");
    assert!(parameters.skip_software_sync);
    assert_eq!(parameters.installed_non_leaf_update_ids.len(), 2);
    assert_eq!(parameters.feature_score_matching_key.as_deref(), Some("AMD64.10.0"));
    assert_eq!(parameters.computer_spec.as_ref().map(|spec| spec.hardware_ids.len()), Some(6));
    let spec = parameters.system_spec.as_ref().expect("devices");
    let devices = spec.devices(text.as_bytes(), &Limits::default()).expect("valid");
    assert_eq!(devices.len(), 70);
    let ids: usize = devices.iter().map(|device| device.hardware_ids.len() + device.compatible_ids.len()).sum();
    assert_eq!(ids, 301);
    assert_eq!(devices.iter().filter(|device| device.device_flags == Some(1)).count(), 5);
    let none = devices.iter().filter(|device| device.installed_driver.as_ref().unwrap().matching_id.is_none());
    assert_eq!(none.count(), 1);
    let extended = devices.iter().find(|device| !device.extension_drivers.is_empty()).expect("an extension");
    assert_eq!(extended.extension_drivers[0].driver_rank, 16_719_872);
    assert_eq!(extended.compatible_ids[0], "COMPUTER\\Generic");
    assert!(devices.iter().any(|device| device.hardware_ids.iter().any(|id| id == "ACPI\\VEN_PNP&DEV_0400")));
}

#[test]
fn extended_info_is_answered_as_recorded() {
    let name = "000010-GetExtendedUpdateInfo";
    let info = replay::<GetExtendedUpdateInfo>(name).result.expect("a result");
    let writer = ExtendedWriter::by_revision(SoapVersion::V11);
    let mut pieces = String::new();
    writer.head(&mut pieces);
    writer.updates_open(&mut pieces);
    for update in &info.updates {
        writer.update_open(&mut pieces, update.id);
        crate::soap::escape_into(&mut pieces, update.xml.as_deref().expect("a fragment"));
        writer.update_close(&mut pieces);
    }
    writer.updates_close(&mut pieces);
    writer.tail(&mut pieces, &info.file_locations, &info.out_of_scope_revision_ids);
    assert_eq!(pieces, response(name));

    let (text, request) = parse_recorded(name, Service::Client);
    let mut request = only!(request, GetExtendedUpdateInfo);
    assert!(request.validate(&Bounds::default()).is_ok());
    assert_eq!(request.info_types, [FragmentType::Extended, FragmentType::LocalizedProperties]);
    assert_eq!(request.locales, ["en-US", "en"]);
    assert_eq!(request.geo_id.as_deref(), Some("USA"));
    request.device_attributes.0 = Some(text_of(&text, "deviceAttributes"));
    request.caller_attributes.0 = Some(text_of(&text, "callerAttributes"));
    assert_eq!(encoded(&request), text);
}
