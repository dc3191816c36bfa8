//! Every answer of a whole simulated scan, in both SOAP versions and both codings, against the published service
//! descriptions by an independent validator.

use std::{collections::BTreeSet, fs};

use uuid::Uuid;
use weir_model::{ids::RevisionId, update::DriverMetadata};
use weir_testkit::{
    Computer, Document, Payload, ScriptedAgent,
    agent::{Installation, fault_code},
    wsdl,
};
use weir_wire::{
    soap::{Binary, ClientOnly, ErrorCode, SoapVersion},
    wusp::{
        Device, FragmentType, GetExtendedUpdateInfo2, GetFileLocations, GetRequiredInventoryType, ReportInventory,
        ReportingInventory, SyncPrinterCatalog, SyncUpdates,
    },
};

use super::{Shelf, computer, genuine_package, id, json, run, server, shelf, write_documents};

fn driver(hardware_id: &str, class: &str) -> DriverMetadata {
    DriverMetadata {
        hardware_id: hardware_id.to_owned(),
        driver_date_ms: 1_700_000_000_000,
        driver_version: 1 << 48,
        class: class.to_owned(),
        manufacturer: "Maker".to_owned(),
        provider: "Provider".to_owned(),
        model: "Model".to_owned(),
        company: "Company".to_owned(),
        ..DriverMetadata::default()
    }
}

fn device(hardware_id: &str) -> Device {
    Device {
        hardware_ids: vec![hardware_id.to_owned()],
        compatible_ids: Vec::new(),
        installed_driver: None,
        extension_drivers: Vec::new(),
        driver_recovery_ids: Vec::new(),
        device_flags: None,
    }
}

struct Updates {
    plain: Document,
    bundle: Document,
    member: Document,
    failing: Document,
    payload: Payload,
}

fn updates(shelf: &Shelf) -> Updates {
    let payload = Payload::random("plain.exe", 1_500_000, 11);
    let licence = Payload::new("licence.txt", "Yes.");
    let member =
        Document::member(id(12), 1).title("Member").requires(shelf.product).file(&Payload::random("m.cab", 50, 12));
    let plain = Document::software(id(10), 1)
        .localized("en", "Plain & <simple>", Some("With \"description\"\u{1f642}"))
        .localized("de", "Schlicht", None)
        .property_child("KBArticleID", "4711")
        .in_category(shelf.product)
        .in_category(shelf.classification)
        .eula(Uuid::from_u128(7), "en", None, &licence)
        .file(&payload);
    let bundle = Document::software(id(11), 1).title("Bundle").in_category(shelf.product).bundles([member.identity()]);
    let failing = Document::software(id(13), 1).title("Fails").in_category(shelf.product);
    Updates { plain, bundle, member, failing, payload }
}

/// The operations whose answers were recorded.
fn recorded(folder: &std::path::Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).expect("answers").map(|entry| entry.expect("an entry").file_name());
    names
        .filter_map(|name| {
            let name = name.to_str()?.trim_end_matches(".xml").to_owned();
            Some(name.rsplit_once('.')?.1.to_owned())
        })
        .collect()
}

/// The calls that a scan does not make.
async fn the_rest(agent: &mut ScriptedAgent, updates: &Updates) {
    let cookie = agent.state.cookie.clone();
    let digests = vec![Binary(updates.payload.sha1().0.to_vec()), Binary(vec![1; 20])];
    let locations = agent.call(&GetFileLocations { cookie: cookie.clone(), file_digests: digests }).await;
    assert_eq!(locations.expect("locations").result.expect("a result").file_locations.len(), 1);
    let printers = SyncPrinterCatalog {
        cookie: cookie.clone(),
        installed_non_leaf_update_ids: Vec::new(),
        printer_update_ids: vec![RevisionId(1_000_000)],
    };
    let printers = agent.call(&printers).await.expect("printers").result.expect("a result");
    assert_eq!((printers.new_updates.len(), printers.out_of_scope_revision_ids.len()), (1, 1));
    let inventory =
        GetRequiredInventoryType { cookie: cookie.clone(), rules_id: Uuid::from_u128(1), rules_version: None };
    assert_eq!(agent.call(&inventory).await.expect("an answer").result, 0);
    let inventory = ReportInventory {
        cookie: cookie.clone(),
        client_time: Some(jiff::Timestamp::now()),
        inventory: Some(ReportingInventory {
            is_compressed: false,
            raw_xml: Some("<a/>".to_owned()),
            compressed_xml: None,
        }),
    };
    assert!(agent.call(&inventory).await.expect("an answer").result);
    // the description binds it to SOAP 1.1 only
    if agent.computer.soap == SoapVersion::V11 {
        let info = GetExtendedUpdateInfo2 {
            cookie,
            update_ids: vec![updates.plain.identity().into(), updates.member.identity().into()],
            info_types: vec![FragmentType::Extended, FragmentType::FileUrl, FragmentType::Eula],
            locales: vec!["en".to_owned()],
            device_attributes: ClientOnly(None),
            caller_attributes: ClientOnly(None),
        };
        assert!(!agent.call(&info).await.expect("an answer").result.expect("a result").file_locations.is_empty());
    }
}

/// Calls that are answered with faults.
async fn faults(agent: &mut ScriptedAgent) {
    for (parameters, code) in [(false, ErrorCode::InvalidCookie), (true, ErrorCode::InvalidParameters)] {
        let cookie = agent.state.cookie.clone().filter(|_| parameters);
        let error = agent.call(&SyncUpdates { cookie, parameters: None }).await.expect_err("a fault");
        assert_eq!(fault_code(&error), Some(code), "{error:#}");
    }
}

#[test]
fn every_answer_of_a_whole_scan_is_valid_in_both_soap_versions() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let shelf = shelf(&server);
    let updates = updates(&shelf);
    let folder = tempfile::tempdir().expect("a folder");
    let drivers = [
        Document::driver(id(20), 1).driver_metadata(driver("PCI\\A", "Display")).in_category(shelf.product),
        Document::driver(id(21), 1).driver_metadata(driver("PRINTER", "Printer")),
    ];
    let all = [&updates.plain, &updates.bundle, &updates.member, &updates.failing, &drivers[0], &drivers[1]];
    write_documents(&folder.path().join("documents"), all);
    json(&server, &["import", folder.path().join("documents").to_str().expect("UTF-8")]);
    for payload in all.iter().flat_map(|document| document.payloads()) {
        payload.write_to(&folder.path().join("content")).expect("a file");
    }
    json(&server, &["content", "add", folder.path().join("content").to_str().expect("UTF-8")]);
    let deploy = |update: &Document, action: &str, more: &[&str]| {
        let update = update.id().to_string();
        let mut arguments = vec!["deployments", "create", "--update", &update];
        arguments.extend(["--collection", "All Computers", "--action", action]);
        arguments.extend(more);
        json(&server, &arguments)["id"].to_string()
    };
    deploy(&updates.plain, "install", &["--accept-eula", "--deadline", "2031-02-03T04:05:06Z"]);
    deploy(&updates.bundle, "optional", &[]);
    deploy(&updates.failing, "install", &[]);
    deploy(&drivers[0], "install", &[]);

    for (number, (soap, xpress)) in [(SoapVersion::V11, true), (SoapVersion::V12, false)].into_iter().enumerate() {
        let answers = folder.path().join(format!("answers-{number}"));
        let mut player = Computer { soap, xpress, ..computer(number as u64, &shelf) };
        player.devices = vec![device("PCI\\A")];
        player.outcomes.insert(updates.failing.id(), Installation::Fails(-2_145_124_329));
        let mut agent = ScriptedAgent::new(&server.client_url(), player).expect("an agent");
        agent.record_to = Some(answers.clone());
        let deployment = run(async {
            agent.category_scan(&[shelf.product]).await.expect("a category scan");
            let scan = agent.scan().await.expect("a scan");
            assert_eq!(scan.offered.len(), 4, "{:?}", scan.offered);
            let cached: Vec<i32> = agent.state.cache.keys().copied().collect();
            let mut asked = cached.clone();
            asked.push(1_000_000);
            let info = agent.extended_info(&asked).await.expect("extended information");
            assert_eq!(info.out_of_scope, [1_000_000]);
            agent.report_scan().await.expect("a report");
            assert_eq!(agent.install_offered().await.expect("installations").len(), 4);
            agent.report_scan().await.expect("a report");
            agent.refresh_cache().await.expect("the cache");
            the_rest(&mut agent, &updates).await;
            faults(&mut agent).await;
            deploy(&drivers[1], "detect", &[])
        });
        // changed and out of scope
        json(&server, &["updates", "decline", &updates.failing.id().to_string()]);
        run(async {
            let scan = agent.scan().await.expect("a scan");
            assert_eq!(scan.out_of_scope.len(), 1, "{scan:?}");
        });
        json(&server, &["updates", "undecline", &updates.failing.id().to_string()]);
        json(&server, &["deployments", "delete", &deployment]);

        let mut expected = BTreeSet::from(
            [
                "GetAuthorizationCookie",
                "GetConfig",
                "GetCookie",
                "GetExtendedUpdateInfo",
                "GetFileLocations",
                "GetRequiredInventoryType",
                "RefreshCache",
                "RegisterComputer",
                "ReportEventBatch",
                "ReportInventory",
                "StartCategoryScan",
                "SyncPrinterCatalog",
                "SyncUpdates",
            ]
            .map(str::to_owned),
        );
        if soap == SoapVersion::V11 {
            expected.insert("GetExtendedUpdateInfo2".to_owned());
        }
        assert_eq!(recorded(&answers), expected);
        wsdl::validate(&answers);
    }
}
