//! The driver pass of the recorded scan, with its seventy devices as they were sent, against drivers for some of them.

use weir_model::{ids::UpdateId, update::DriverMetadata};
use weir_testkit::{
    Computer, Document,
    replay::{Substitutions, native_scan},
};
use weir_wire::{
    soap::{Limits, SoapVersion},
    wusp::{SyncInfo, SyncUpdates, client::Call as _},
};

use super::{
    agent, genuine_package, id, json,
    native_scan::{learn, send},
    run, server, write_documents,
};

/// A driver of 2020, version 11.0.0.0, without a feature score.
fn entry(hardware_id: &str, change: impl FnOnce(&mut DriverMetadata)) -> DriverMetadata {
    let mut entry = DriverMetadata {
        hardware_id: hardware_id.to_owned(),
        driver_date_ms: day("2020-01-01"),
        driver_version: 11 << 48,
        class: "System".to_owned(),
        manufacturer: "Microsoft".to_owned(),
        provider: "Microsoft".to_owned(),
        model: "Model".to_owned(),
        company: "Company".to_owned(),
        ..DriverMetadata::default()
    };
    change(&mut entry);
    entry
}

fn day(date: &str) -> i64 {
    format!("{date}T00:00:00Z").parse::<jiff::Timestamp>().expect("a date").as_millisecond()
}

fn printer(entry: &mut DriverMetadata) {
    "Printer".clone_into(&mut entry.class);
}

/// What each driver is for, and the hardware ids with which it must be offered; none if it must not be.
fn drivers() -> Vec<(&'static str, DriverMetadata, &'static [&'static str])> {
    vec![
        ("newer than what the disk has", entry("storage\\volume", |_| {}), &["STORAGE\\Volume"]),
        (
            "older than what the adapter has",
            entry("PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00", |it| it.driver_date_ms = day("2024-10-20")),
            &[],
        ),
        (
            "newer than what the network card has",
            entry("pci\\ven_1af4&dev_1000&subsys_00011af4&rev_00", |it| it.driver_date_ms = day("2024-10-22")),
            &["PCI\\VEN_1AF4&DEV_1000&SUBSYS_00011AF4&REV_00"],
        ),
        (
            "a better feature score than 251, for a compatible id",
            entry("PCI\\VEN_1234&DEV_1111", |it| {
                it.driver_date_ms = day("2001-01-01");
                it.feature_scores = vec![("amd64.10.0".to_owned(), 250)];
            }),
            &["PCI\\VEN_1234&DEV_1111"],
        ),
        (
            "a worse feature score than 251",
            entry("ROOT\\BasicRender", |it| it.feature_scores = vec![("amd64.10.0".to_owned(), 252)]),
            &[],
        ),
        (
            "older, but for a more specific id",
            entry("ACPI\\VEN_PNP&DEV_0C01", |it| it.driver_date_ms = day("2001-01-01")),
            &["ACPI\\VEN_PNP&DEV_0C01"],
        ),
        (
            "older, but made for this computer",
            entry("ACPI\\PNP0103", |it| {
                it.driver_date_ms = day("2001-01-01");
                it.target_computer_ids = vec!["0005a67e-b5cb-59d5-b9fd-be410637d24e".parse().expect("a GUID")];
            }),
            &["ACPI\\PNP0103"],
        ),
        (
            "made for another computer",
            entry("ROOT\\VID", |it| it.target_computer_ids = vec![uuid::Uuid::from_u128(7)]),
            &[],
        ),
        (
            "a device without a driver",
            entry("{6FDE7547-1B65-48ae-B628-80BE62016026}\\VIOSerialPort", |it| it.driver_date_ms = day("1999-01-01")),
            &["{6FDE7547-1B65-48ae-B628-80BE62016026}\\VIOSerialPort"],
        ),
        ("a printer of the same maker", entry("microsoftmicrosoft_musd", printer), &["microsoftmicrosoft_musd"]),
        (
            "a printer of another maker",
            entry("{6d170653-5280-44c2-ba44-2c04bc9d46da}", |it| {
                printer(it);
                "Another".clone_into(&mut it.provider);
            }),
            &[],
        ),
        (
            "a printer of a compatible maker",
            entry("{c1f56d94-a46f-492e-a129-7f54d1ee2356}", |it| {
                printer(it);
                "Another".clone_into(&mut it.provider);
                it.compatible_providers = vec!["Microsoft".to_owned()];
            }),
            &["{c1f56d94-a46f-492e-a129-7f54d1ee2356}"],
        ),
        ("a device that the computer has not", entry("PCI\\VEN_DEAD&DEV_BEEF", |_| {}), &[]),
    ]
}

#[test]
fn the_recorded_devices_get_the_drivers_that_are_better_than_theirs() {
    let server = server();
    json(&server, &["import", &genuine_package()]);
    let product: UpdateId = "dd78b8a1-0b20-45c1-add6-4da72e9364cf".parse().expect("a GUID");
    let drivers = drivers();
    let elsewhere: UpdateId = "a3c2375d-0c8a-42f9-bce0-28333e198407".parse().expect("a GUID");
    let mut documents: Vec<Document> = drivers
        .iter()
        .zip(1..)
        .map(|((title, entry, _), number)| {
            Document::driver(id(number), 1).title(title).driver_metadata(entry.clone()).in_category(product)
        })
        .collect();
    // better than what is there, but of a product that the scan did not ask for
    let filtered = Document::driver(id(99), 1).driver_metadata(entry("ROOT\\VOLMGR", |_| {})).in_category(elsewhere);
    documents.push(filtered.clone());
    let folder = tempfile::tempdir().expect("a folder");
    write_documents(folder.path(), &documents);
    let imported = json(&server, &["import", folder.path().to_str().expect("UTF-8")]);
    assert_eq!((&imported["added"], &imported["unresolved"]), (&documents.len().into(), &0.into()), "{imported}");

    let (narrow, wide) = run(async {
        let base = server.client_url();
        let mut probe = agent(&server, Computer { installed_limit: 4_000, ..Computer::numbered(50) });
        probe.scan().await.expect("a scan");
        let categories: Vec<String> = [product, elsewhere]
            .iter()
            .map(|category| {
                let found = probe.state.cache.iter().find(|(_, cached)| cached.identity.update_id == *category);
                format!("<int>{}</int>", found.expect("the product").0)
            })
            .collect();
        let mut values = Substitutions { host: Some(base.replace("http://", "")), ..Substitutions::default() };
        let exchanges = native_scan();
        for exchange in exchanges.iter().take(4) {
            let answer = send(exchange, &base, &values).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            learn(&mut values, exchange, &answer.text());
        }
        let mut pass = exchanges.into_iter().nth(8).expect("the driver pass");
        assert!(pass.request.contains("<SkipSoftwareSync>true</SkipSoftwareSync>"));
        assert_eq!(pass.request.matches("<Device>").count(), 70);
        // the products whose drivers are asked for are installed, or no driver would be open
        let end = "</InstalledNonLeafUpdateIDs>";
        pass.request = pass.request.replacen(end, &format!("{}{end}", categories.concat()), 1);
        let ask = async |pass: &weir_testkit::replay::Recorded| -> SyncInfo {
            let answer = send(pass, &base, &values).await;
            let decoded = SyncUpdates::decode(&answer.body, SoapVersion::V11, &Limits::default());
            decoded.unwrap_or_else(|error| panic!("{error}: {}", answer.text())).result.expect("a result")
        };
        let narrow = ask(&pass).await;
        let (before, rest) = pass.request.split_once("<FilterCategoryIds>").expect("a filter");
        let (_, after) = rest.split_once("</FilterCategoryIds>").expect("the end of the filter");
        pass.request = format!("{before}{after}");
        (narrow, ask(&pass).await)
    });

    let offered = |info: &SyncInfo, update: &Document| -> Vec<String> {
        let named = format!("UpdateID=\"{}\"", update.id());
        let is = |xml: &Option<String>| xml.as_deref().is_some_and(|xml| xml.contains(&named));
        let found = info.new_updates.iter().find(|new| is(&new.xml));
        found.and_then(|new| new.deployment.clone()).map(|deployment| deployment.hardware_ids).unwrap_or_default()
    };
    for ((what, _, hardware_ids), document) in drivers.iter().zip(&documents) {
        assert_eq!(offered(&narrow, document), *hardware_ids, "{what}");
        assert_eq!(offered(&wide, document), *hardware_ids, "{what}, without a filter");
    }
    let expected = drivers.iter().filter(|(_, _, hardware_ids)| !hardware_ids.is_empty()).count();
    assert_eq!((narrow.new_updates.len(), wide.new_updates.len()), (expected, expected + 1));
    assert_eq!(offered(&wide, &filtered), ["ROOT\\VOLMGR"]);
    for info in [narrow, wide] {
        assert_eq!(info.driver_sync_not_needed.as_deref(), Some("false"));
        // the list of installed revisions is no cache of drivers: its foreign numbers are ignored
        assert!(!info.truncated && info.out_of_scope_revision_ids.is_empty());
    }
}
