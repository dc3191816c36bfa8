//! Generated input: nothing panics, scanners agree with the general reader, what is written is read back.

use proptest::{collection::vec, option, prelude::*};
use weir_model::ids::{DeploymentId, RevisionId};

use super::*;
use crate::{
    soap::{Binary, ClientOnly, Nillable},
    wusp::{
        client::{Call, CallError},
        *,
    },
};

const SERVICES: [Service; 3] = [Service::Client, Service::Reporting, Service::SimpleAuth];

/// Text that XML 1.0 can hold. Carriage returns included: they are written as references.
fn text() -> impl Strategy<Value = String> {
    "[ -~\\t\\n\\r<>&\"'\u{e9}\u{4e16}\u{1F600}]{0,40}"
}

fn moment() -> impl Strategy<Value = jiff::Timestamp> {
    // Years 1 to 9999, whole ticks.
    (-62_135_596_800_i64..253_402_207_200, 0_i32..10_000_000).prop_map(|(second, tick)| {
        jiff::Timestamp::new(second, 0).unwrap() + jiff::SignedDuration::from_nanos(i64::from(tick) * 100)
    })
}

fn guid() -> impl Strategy<Value = uuid::Uuid> {
    any::<u128>().prop_map(uuid::Uuid::from_u128)
}

fn ids() -> impl Strategy<Value = Vec<RevisionId>> {
    vec(any::<i32>().prop_map(RevisionId), 0..50)
}

fn cookie() -> impl Strategy<Value = Cookie> {
    (option::of(moment()), option::of(vec(any::<u8>(), 0..60)))
        .prop_map(|(expiration, data)| Cookie { expiration, encrypted_data: data.map(Binary) })
}

fn driver() -> impl Strategy<Value = InstalledDriver> {
    (option::of(text()), option::of(moment()), any::<i64>(), option::of(text()), option::of(guid()), any::<i32>())
        .prop_map(|(matching_id, driver_ver_date, driver_ver_version, class, hwid, driver_rank)| InstalledDriver {
            matching_id,
            driver_ver_date,
            driver_ver_version,
            manufacturer: class.clone(),
            provider: None,
            model: None,
            class,
            matching_computer_hwid: Nillable(hwid),
            driver_rank,
            skip_provider_filtering: Some(true),
            is_generic: None,
        })
}

fn device() -> impl Strategy<Value = Device> {
    let extension = (text(), any::<i64>(), option::of(guid())).prop_map(|(id, version, hwid)| ExtensionDriver {
        extension_id: Some(id),
        driver_ver_date: None,
        driver_ver_version: version,
        class: None,
        driver_rank: 0,
        matching_computer_hwid: Nillable(hwid),
    });
    (vec(text(), 0..4), vec(text(), 0..4), option::of(driver()), vec(extension, 0..2), option::of(any::<u8>()))
        .prop_map(|(hardware_ids, compatible_ids, installed_driver, extension_drivers, device_flags)| Device {
            hardware_ids,
            compatible_ids,
            installed_driver,
            extension_drivers,
            driver_recovery_ids: Vec::new(),
            device_flags,
        })
}

fn scan() -> impl Strategy<Value = SyncUpdates> {
    let lists = (ids(), ids(), ids(), vec(guid(), 0..5));
    (option::of(cookie()), lists, any::<bool>(), option::of(text()), option::of(any::<bool>())).prop_map(
        |(cookie, (installed, other, drivers, filter), skip_software_sync, key, two)| {
            let parameters = SyncUpdateParameters {
                installed_non_leaf_update_ids: installed,
                other_cached_update_ids: other,
                cached_driver_ids: drivers,
                skip_software_sync,
                filter_category_ids: filter.into_iter().map(|id| CategoryIdentifier { id: id.into() }).collect(),
                feature_score_matching_key: key,
                need_two_group_out_of_scope_updates: two,
                also_perform_regular_sync: ClientOnly(None),
                ..SyncUpdateParameters::new()
            };
            SyncUpdates { cookie, parameters: Some(parameters) }
        },
    )
}

fn event() -> impl Strategy<Value = ReportingEvent> {
    (guid(), any::<i16>(), any::<i32>(), vec(text(), 0..4), option::of(moment()), option::of(text())).prop_map(
        |(event_instance_id, event_id, result, strings, time_at_target, name)| ReportingEvent {
            basic_data: Some(BasicData {
                target_id: Some(ComputerTargetIdentifier { sid: name.clone() }),
                sequence_number: 0,
                time_at_target,
                event_instance_id,
                namespace_id: 1,
                event_id,
                source_id: 101,
                update_id: Some(UpdateRevisionIdentifier { update_id: event_instance_id, revision_number: result }),
                win32_hresult: result,
                app_name: name,
            }),
            extended_data: Some(ExtendedData {
                replacement_strings: strings.clone(),
                misc_data: strings,
                computer_brand: None,
                computer_model: None,
                bios_revision: None,
                processor_architecture: Some("Amd64Compatible".to_owned()),
                os_version: None,
                os_locale_id: 1033,
                device_id: None,
            }),
            private_data: Some(PrivateData { computer_dns_name: Some(String::new()), user_account_name: None }),
        },
    )
}

fn encode<C: Call>(request: &C, version: SoapVersion) -> String {
    let mut out = String::new();
    request.encode(&mut out, version);
    out
}

/// Changes a few bytes of a text.
fn damaged(text: String) -> impl Strategy<Value = Vec<u8>> {
    let length = text.len();
    let piece = prop_oneof![
        Just(b"<".to_vec()),
        Just(b">".to_vec()),
        Just(b"</".to_vec()),
        Just(b"/>".to_vec()),
        Just(b"&".to_vec()),
        Just(b"<!--".to_vec()),
        Just(b"-->".to_vec()),
        Just(b"<![CDATA[".to_vec()),
        Just(b"]]>".to_vec()),
        Just(b"<!DOCTYPE".to_vec()),
        Just(b"<?".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"xmlns:s=\"\"".to_vec()),
        Just("\u{FEFF}".as_bytes().to_vec()),
        vec(any::<u8>(), 0..4),
    ];
    vec((0..=length, 0_usize..12, piece), 1..5).prop_map(move |edits| {
        let mut bytes = text.clone().into_bytes();
        for (at, removed, piece) in edits {
            let at = at.min(bytes.len());
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, piece);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..300)) {
        for service in SERVICES {
            prop_assert!(raw(service, &bytes).is_err());
        }
        let answer = SyncUpdates::decode(&bytes, SoapVersion::V11, &Limits::default());
        let malformed = matches!(answer, Err(CallError::Malformed { .. }));
        prop_assert!(malformed);
    }

    #[test]
    fn damaged_requests_do_no_harm(
        body in (scan(), vec(device(), 1..3)).prop_flat_map(|(mut scan, devices)| {
            if let Some(parameters) = &mut scan.parameters {
                parameters.system_spec = Some(SystemSpec::new(devices));
            }
            damaged(encode(&scan, SoapVersion::V11))
        })
    ) {
        let limits = Limits::default();
        if let Ok(Parsed { request: Request::SyncUpdates(request), .. }) = raw(Service::Client, &body) {
            if let Some(spec) = request.parameters.and_then(|parameters| parameters.system_spec) {
                // Any result will do, but the same twice.
                prop_assert_eq!(spec.devices(&body, &limits), spec.devices(&body, &limits));
            }
        }
    }

    #[test]
    fn damaged_reports_do_no_harm(body in vec(event(), 1..3).prop_flat_map(|event_batch| {
        damaged(encode(&ReportEventBatch { cookie: None, client_time: None, event_batch }, SoapVersion::V12))
    })) {
        let first = raw(Service::Reporting, &body);
        prop_assert_eq!(first, raw(Service::Reporting, &body));
    }

    #[test]
    fn scans_are_read_back(scan in scan(), devices in vec(device(), 0..4)) {
        for version in BOTH {
            let mut sent = scan.clone();
            if let Some(parameters) = sent.parameters.as_mut().filter(|_| !devices.is_empty()) {
                parameters.system_spec = Some(SystemSpec::new(devices.clone()));
            }
            let body = encode(&sent, version);
            let parsed = raw(Service::Client, body.as_bytes()).unwrap();
            prop_assert_eq!(parsed.version, version);
            let mut read = only!(parsed.request, SyncUpdates);
            let spec = read.parameters.as_mut().and_then(|parameters| parameters.system_spec.take());
            let found = spec.map(|spec| spec.devices(body.as_bytes(), &Limits::default()).unwrap());
            prop_assert_eq!(found.unwrap_or_default(), devices.clone());
            prop_assert_eq!(&read, &scan);
        }
    }

    #[test]
    fn reports_are_read_back(cookie in option::of(cookie()), time in option::of(moment()), events in vec(event(), 0..4)) {
        let sent = ReportEventBatch { cookie, client_time: time, event_batch: events };
        for version in BOTH {
            let parsed = raw(Service::Reporting, encode(&sent, version).as_bytes()).unwrap();
            prop_assert_eq!(&only!(parsed.request, ReportEventBatch), &sent);
        }
    }

    #[test]
    fn number_lists_are_read_alike_by_scanner_and_reader(
        numbers in vec((any::<i32>(), 0_usize..6), 0..40), prefix in prop_oneof![Just(""), Just("p:"), Just("long-prefix:")]
    ) {
        let declared = if prefix.is_empty() { String::new() } else { format!(" xmlns:{}=\"{NS_C}\"", prefix.trim_end_matches(':')) };
        let content: String = numbers.iter().map(|(number, form)| match form {
            0 => format!(" <{prefix}int>{number}</{prefix}int>\n"),
            1 => format!("<{prefix}int>{number}</{prefix}int ><!-- x -->"),
            2 => format!("<{prefix}int> {number}\t</{prefix}int>"),
            _ => format!("<{prefix}int>{number}</{prefix}int>"),
        }).collect();
        let plain = content.replace("int>", "int >");
        let list = |content: &str| {
            let body = format!("<parameters><OtherCachedUpdateIDs{declared}>{content}</OtherCachedUpdateIDs></parameters>");
            only!(client("SyncUpdates", &body).unwrap(), SyncUpdates).parameters.unwrap().other_cached_update_ids
        };
        let expected: Vec<_> = numbers.iter().map(|(number, _)| RevisionId(*number)).collect();
        prop_assert_eq!(list(&content), expected.clone());
        prop_assert_eq!(list(&plain), expected);
    }

    #[test]
    fn answers_are_read_back(
        new in vec((any::<i32>(), any::<i32>(), any::<bool>(), text(), 0_usize..7), 0..5),
        out in ids(), cookie in option::of(cookie()), truncated in any::<bool>()
    ) {
        let updates = |core: bool| new.iter().map(|(id, deployment, leaf, text, action)| UpdateInfo {
            id: RevisionId(*id),
            deployment: Some(Deployment::new(DeploymentId(*deployment), Action::ALL[*action], *leaf, jiff::civil::date(2026, 2, 28))),
            is_leaf: *leaf,
            xml: core.then(|| text.clone()),
        }).collect::<Vec<_>>();
        // A cookie without expiration is none by the schema.
        let cookie = cookie.filter(|cookie| cookie.expiration.is_some());
        let info = SyncInfo {
            new_updates: updates(true),
            out_of_scope_revision_ids: out.clone(),
            changed_updates: updates(false),
            truncated,
            new_cookie: cookie,
            deployed_out_of_scope_revision_ids: out,
            driver_sync_not_needed: None,
        };
        let answer = SyncUpdatesAnswer { result: Some(info) };
        for version in BOTH {
            let mut body = String::new();
            answer.write(&mut body, version);
            let read = SyncUpdates::decode(body.as_bytes(), version, &Limits::default()).unwrap();
            prop_assert_eq!(&read, &answer);
        }
    }

    #[test]
    fn times_are_read_back(moment in moment()) {
        let mut text = String::new();
        crate::soap::write_date_time(&mut text, moment);
        prop_assert_eq!(crate::soap::parse_date_time(&text), Ok(moment));
        prop_assert_eq!(crate::soap::parse_date_time(text.trim_end_matches('Z')), Ok(moment));
    }
}
