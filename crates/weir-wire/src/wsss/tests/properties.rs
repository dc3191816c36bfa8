//! Generated input: nothing panics, what is written is read back.

use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;
use weir_model::ids::{CollectionId, RevisionNumber, UpdateId, UpdateIdentity};

use super::*;
use crate::{
    soap::Binary,
    wsss::{
        client::{Call, answer_limits, read, write},
        *,
    },
};

/// Text that XML 1.0 can hold.
fn text() -> impl Strategy<Value = String> {
    "[ -~\\t\\n\\r<>&\"'\u{e9}\u{4e16}\u{1F600}]{0,40}"
}

fn moment() -> impl Strategy<Value = Timestamp> {
    // Years 1800 to 2500, whole ticks: outside of what stands for "never".
    (-5_364_662_400_i64..16_725_225_600, 0_i32..10_000_000).prop_map(|(second, tick)| {
        Timestamp::new(second, 0).unwrap() + jiff::SignedDuration::from_nanos(i64::from(tick) * 100)
    })
}

fn since() -> impl Strategy<Value = Since> {
    option::of(moment()).prop_map(Since)
}

fn guid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn identity() -> impl Strategy<Value = UpdateIdentity> {
    (guid(), any::<u32>()).prop_map(|(id, revision)| UpdateIdentity::new(UpdateId(id), revision))
}

fn binary() -> impl Strategy<Value = Binary> {
    vec(any::<u8>(), 0..60).prop_map(Binary)
}

fn cookie() -> impl Strategy<Value = Option<Cookie>> {
    option::of(
        (option::of(moment()), option::of(binary()))
            .prop_map(|(expiration, encrypted_data)| Cookie { expiration, encrypted_data }),
    )
}

fn anchor() -> impl Strategy<Value = AnchorText> {
    option::of(text()).prop_map(AnchorText::from)
}

fn categories() -> impl Strategy<Value = Option<Vec<IdAndDelta>>> {
    option::of(vec((guid(), any::<bool>()).prop_map(|(id, delta)| IdAndDelta { id: UpdateId(id), delta }), 0..5))
}

fn filter() -> impl Strategy<Value = ServerSyncFilter> {
    let languages = vec((any::<i32>(), any::<bool>()).prop_map(|(id, delta)| LanguageAndDelta { id, delta }), 0..5);
    (anchor(), any::<bool>(), any::<bool>(), categories(), categories(), option::of(languages)).prop_map(
        |(anchor, get_config, get_63_language_only, categories, classifications, languages)| ServerSyncFilter {
            anchor,
            get_config,
            get_63_language_only,
            categories,
            classifications,
            languages,
        },
    )
}

fn details() -> impl Strategy<Value = ComputerRollupDetails> {
    let strings = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let lists = (option::of(vec(guid().prop_map(CollectionId), 0..3)), option::of(vec(text(), 0..3)));
    (strings, any::<i32>(), any::<i16>(), any::<u8>(), since(), lists).prop_map(
        |((ip, name, make, bios), number, suite, kind, date, (groups, names))| ComputerRollupDetails {
            ip_address: ip,
            full_domain_name: name,
            computer_make: make,
            bios_name: bios,
            os_build_number: number,
            suite_mask: suite,
            old_product_type: kind,
            bios_release_date: date,
            target_group_id_list: groups,
            requested_target_group_names: names,
            ..ComputerRollupDetails::default()
        },
    )
}

fn computer() -> impl Strategy<Value = ComputerRollupInfo> {
    (option::of(text()), since(), any::<i32>(), since(), guid(), option::of(details())).prop_map(
        |(computer_id, last_sync_time, last_sync_result, reboot, parent_server_id, details)| ComputerRollupInfo {
            computer_id,
            last_sync_time,
            last_sync_result,
            last_reported_reboot_time: reboot,
            last_reported_status_time: last_sync_time,
            last_inventory_time: reboot,
            parent_server_id,
            details,
        },
    )
}

fn server() -> impl Strategy<Value = DownstreamServerRollupInfo> {
    let activity = (guid(), any::<u32>(), any::<i32>()).prop_map(|(id, revision, count)| {
        DownstreamServerRollupClientActivitySummary {
            update_id: UpdateId(id),
            revision_number: RevisionNumber(revision),
            install_success_count: count,
            install_failure_count: 0,
        }
    });
    let summary = (any::<i32>(), option::of(text()), any::<i16>(), vec(activity, 0..3)).prop_map(
        |(os_build_number, os_locale, suite_mask, activity_summaries)| DownstreamServerRollupClientSummary {
            os_build_number,
            os_locale,
            suite_mask,
            activity_summaries,
            ..DownstreamServerRollupClientSummary::default()
        },
    );
    let counts = option::of(any::<i32>().prop_map(|update_count| DownstreamServerRollupServerSummary {
        update_count,
        ..DownstreamServerRollupServerSummary::default()
    }));
    (guid(), option::of(text()), since(), any::<bool>(), counts, vec(summary, 0..3)).prop_map(
        |(server_id, full_domain_name, last_sync_time, is_replica, server_summary, client_summaries)| {
            DownstreamServerRollupInfo {
                server_id,
                full_domain_name,
                last_sync_time,
                parent_server_id: server_id,
                version: Some("10.0.26100.1".to_owned()),
                is_replica,
                last_rollup_time: last_sync_time,
                server_summary,
                client_summaries,
            }
        },
    )
}

fn status() -> impl Strategy<Value = ComputerStatusRollupInfo> {
    let state = (guid(), any::<i32>(), since()).prop_map(|(id, summarization_state, last_change_time)| {
        ComputerStatusRollupUpdateStatus { update_id: UpdateId(id), summarization_state, last_change_time }
    });
    (guid(), option::of(text()), since(), any::<i32>(), any::<bool>(), vec(state, 0..4)).prop_map(
        |(instance_id, computer_id, effective_last_detection_time, rollup_number, is_full_rollup, update_status)| {
            ComputerStatusRollupInfo {
                instance_id,
                computer_id,
                effective_last_detection_time,
                rollup_number,
                is_full_rollup,
                update_status,
            }
        },
    )
}

fn requests() -> impl Strategy<Value = (Service, Request)> {
    let identities = || option::of(vec(identity(), 0..5));
    prop_oneof![
        (option::of(text()), option::of(text()), option::of(vec(guid(), 0..3))).prop_map(
            |(account_name, account_guid, program_keys)| {
                let request = GetAuthorizationCookie { account_name, account_guid, program_keys };
                (Service::DssAuth, request.into())
            }
        ),
        (vec((option::of(text()), option::of(binary())), 0..3), cookie(), option::of(text())).prop_map(
            |(cookies, old_cookie, protocol_version)| {
                let cookies = cookies.into_iter();
                let auth_cookies =
                    cookies.map(|(plug_in_id, cookie_data)| AuthorizationCookie { plug_in_id, cookie_data }).collect();
                (Service::ServerSync, GetCookie { auth_cookies, old_cookie, protocol_version }.into())
            }
        ),
        (cookie(), anchor()).prop_map(|(cookie, config_anchor)| {
            (Service::ServerSync, GetConfigData { cookie, config_anchor }.into())
        }),
        (cookie(), option::of(filter()))
            .prop_map(|(cookie, filter)| (Service::ServerSync, GetRevisionIdList { cookie, filter }.into())),
        (cookie(), identities())
            .prop_map(|(cookie, update_ids)| (Service::ServerSync, GetUpdateData { cookie, update_ids }.into())),
        (cookie(), identities()).prop_map(|(cookie, update_ids)| {
            (Service::ServerSync, GetUpdateDecryptionData { cookie, update_ids }.into())
        }),
        (cookie(), anchor(), anchor()).prop_map(|(cookie, deployment_anchor, sync_anchor)| {
            (Service::ServerSync, GetDeployments { cookie, deployment_anchor, sync_anchor }.into())
        }),
        (cookie(), option::of(vec(binary(), 0..4))).prop_map(|(cookie, file_digest_list)| {
            (Service::ServerSync, DownloadFiles { cookie, file_digest_list }.into())
        }),
        (cookie(), option::of(moment()), option::of(vec(server(), 0..3))).prop_map(
            |(cookie, client_time, downstream_servers)| {
                (Service::Reporting, RollupDownstreamServers { cookie, client_time, downstream_servers }.into())
            }
        ),
        (cookie(), option::of(moment()), option::of(vec(computer(), 0..3))).prop_map(
            |(cookie, client_time, computers)| {
                (Service::Reporting, RollupComputers { cookie, client_time, computers }.into())
            }
        ),
        (cookie(), option::of(guid()), option::of(vec(status(), 0..3))).prop_map(
            |(cookie, parent_server_id, computers)| {
                let client_time = None;
                (Service::Reporting, RollupComputerStatus { cookie, client_time, parent_server_id, computers }.into())
            }
        ),
    ]
}

fn encode(request: &Request, version: SoapVersion) -> String {
    match request {
        Request::DownloadFiles(request) => write(request, version),
        Request::GetAuthorizationCookie(request) => write(request, version),
        Request::GetConfigData(request) => write(request, version),
        Request::GetCookie(request) => write(request, version),
        Request::GetDeployments(request) => write(request, version),
        Request::GetRevisionIdList(request) => write(request, version),
        Request::GetUpdateData(request) => write(request, version),
        Request::GetUpdateDecryptionData(request) => write(request, version),
        Request::RollupComputerStatus(request) => write(request, version),
        Request::RollupComputers(request) => write(request, version),
        Request::RollupDownstreamServers(request) => write(request, version),
        other => panic!("{} is not generated", other.operation()),
    }
}

/// What a reader makes of a request: an empty list of the kind that is left out when empty stays empty.
fn answers<C: Call>(data: &[u8]) {
    let _ = read::<C>(data, &answer_limits(1 << 20));
}

fn every_answer(data: &[u8]) {
    answers::<GetAuthConfig>(data);
    answers::<GetAuthorizationCookie>(data);
    answers::<GetConfigData>(data);
    answers::<GetCookie>(data);
    answers::<GetDeployments>(data);
    answers::<GetRevisionIdList>(data);
    answers::<GetRollupConfiguration>(data);
    answers::<GetUpdateData>(data);
    answers::<RollupComputers>(data);
}

proptest! {
    #[test]
    fn requests_are_read_back((service, request) in requests()) {
        for version in BOTH {
            let body = encode(&request, version);
            let parsed = raw(service, body.as_bytes()).unwrap();
            prop_assert_eq!(parsed.version, version);
            prop_assert_eq!(&parsed.request, &request);
        }
    }

    #[test]
    fn damaged_messages_do_no_harm((service, request) in requests(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = encode(&request, SoapVersion::V11).into_bytes();
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        for &other in Service::ALL {
            let _ = raw(other, &body);
        }
        let _ = raw(service, &body);
        every_answer(&body);
    }

    #[test]
    fn damaged_answers_do_no_harm(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        for name in ["000004-GetConfigData", "000014-GetUpdateData", "000015-GetUpdateData", "000019-GetRevisionIdList"] {
            let mut body = shared(&format!("captures/server-sync/{name}.response.xml")).into_bytes();
            let at = at.index(body.len());
            if cut { body.truncate(at) } else { body[at] = byte }
            every_answer(&body);
        }
    }

    #[test]
    fn bytes_do_no_harm(data in vec(any::<u8>(), 0..300)) {
        for &service in Service::ALL {
            let _ = raw(service, &data);
        }
        every_answer(&data);
        let _ = super::super::blob::decompress(&data, 1 << 20);
    }

    #[test]
    fn documents_are_read_back(documents in vec((identity(), text().prop_map(|text| format!("<{text}")), any::<bool>()), 0..5)) {
        let writer = UpdateDataWriter::new(SoapVersion::V11);
        let mut body = String::new();
        writer.head(&mut body);
        for (id, document, packed) in &documents {
            if *packed {
                writer.update_compressed(&mut body, *id, &super::super::blob::compress(document).unwrap(), &[]);
            } else {
                writer.update(&mut body, *id, document, &[]);
            }
        }
        writer.urls_open(&mut body);
        writer.tail(&mut body);
        let data = read::<GetUpdateData>(body.as_bytes(), &answer_limits(1 << 20)).unwrap().result;
        prop_assert_eq!(data.updates.0.len(), documents.len());
        for (read, (id, document, _)) in data.updates.0.into_iter().zip(documents) {
            prop_assert_eq!(read.id, id);
            prop_assert_eq!(read.into_document(1 << 20).unwrap(), document);
        }
    }

    #[test]
    fn blobs_are_read_back(document in "<[ -~\\r\\n\u{e9}\u{4e16}\u{1F600}]{0,3000}") {
        let cabinet = super::super::blob::compress(&document).unwrap();
        prop_assert_eq!(super::super::blob::decompress(&cabinet, document.len() as u64).unwrap(), document);
    }

    #[test]
    fn anchors_are_read_back(number in 0..=i64::MAX, millis in -62_135_596_800_000_i64..253_402_207_200_000) {
        let anchor = Anchor { number, time: Timestamp::from_millisecond(millis).unwrap() };
        prop_assert_eq!(anchor.to_string().parse::<Anchor>(), Ok(anchor));
        prop_assert_eq!(AnchorText::from(anchor).anchor(), Ok(Some(anchor)));
    }

    #[test]
    fn references_are_resolved_alike(text in text(), odd in any::<bool>()) {
        // The fast reader and the tokenizer, which a comment forces to work.
        let mut escaped = String::new();
        for c in text.chars() {
            match c {
                '\'' => escaped.push_str("&apos;"),
                '"' => escaped.push_str("&quot;"),
                '\u{e9}' => escaped.push_str("&#233;"),
                '\u{4e16}' => escaped.push_str("&#x4E16;"),
                '\r' if odd => escaped.push('\r'),
                c => crate::soap::escape_into(&mut escaped, c.encode_utf8(&mut [0; 4])),
            }
        }
        let of = |extra: &str| {
            let body = format!("<protocolVersion>{extra}{escaped}</protocolVersion>");
            only!(request(Service::ServerSync, "GetCookie", &body).unwrap(), GetCookie).protocol_version.unwrap()
        };
        let fast = of("");
        prop_assert_eq!(&fast, &of("<!-- -->"));
        if !odd {
            prop_assert_eq!(fast, text);
        }
    }
}
