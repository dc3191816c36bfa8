use quick_xml::{events::Event, reader::NsReader};
use weir_model::ids::UpdateId;

use super::*;

fn id(n: u128) -> UpdateId {
    UpdateId(uuid::Uuid::from_u128(n))
}

/// Every element, as `namespace tail:name`, in document order; panics if the text is not well formed.
fn elements(xml: &str) -> Vec<String> {
    let mut reader = NsReader::from_str(xml);
    let mut names = Vec::new();
    let mut depth = 0;
    loop {
        let (namespace, event) = reader.read_resolved_event().expect("well formed");
        let start = match &event {
            Event::Start(start) => {
                depth += 1;
                start
            }
            Event::Empty(start) => start,
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let quick_xml::name::ResolveResult::Bound(namespace) = namespace else { panic!("unbound prefix in {xml}") };
        let namespace: &str = namespace.as_ref();
        assert!(namespace.starts_with("http://schemas.microsoft.com/msus/2002/12/"), "{namespace}");
        let name: &str = start.local_name().into_inner();
        names.push(name.to_owned());
    }
    assert_eq!(depth, 0);
    names
}

#[test]
fn every_kind_is_well_formed_and_in_the_order_of_genuine_documents() {
    let payload = Payload::new("a&b.exe", "content");
    let documents = [
        Document::category(id(1), 1, CategoryKind::Product).in_category(id(2)).title("P \"<>& é"),
        Document::detectoid(id(3), 1).requires(id(1)).requires_any([id(1), id(4)]),
        Document::software(id(5), 2)
            .supersedes(id(9))
            .in_category(id(1))
            .file(&payload)
            .eula(uuid::Uuid::from_u128(7), "en", Some("USA"), &payload)
            .property_child("KBArticleID", "123"),
        Document::software(id(6), 2).bundles([UpdateIdentity::new(id(5), 2)]),
        Document::driver(id(8), 3).driver_metadata(DriverMetadata {
            hardware_id: "PCI\\VEN_1".into(),
            driver_version: 1 << 48 | 2 << 32 | 3 << 16 | 4,
            compatible_providers: vec!["X".into()],
            feature_scores: vec![("amd64.10.0".into(), 7)],
            target_computer_ids: vec![uuid::Uuid::from_u128(1)],
            ..DriverMetadata::default()
        }),
        Document::detectoid(id(10), 1).rules_of_size(10_000),
    ];
    for document in &documents {
        let xml = document.to_xml();
        let names = elements(&xml);
        let order = [
            "UpdateIdentity",
            "Properties",
            "LocalizedPropertiesCollection",
            "Relationships",
            "ApplicabilityRules",
            "Files",
            "HandlerSpecificData",
        ];
        let places: Vec<_> = order.iter().filter_map(|wanted| names.iter().position(|name| name == wanted)).collect();
        assert!(places.is_sorted() && places.len() >= 4, "{xml}");
        assert!(xml.contains(&document.id().to_string()));
    }
    assert!(documents[4].to_xml().contains("DriverVerVersion=\"1.2.3.4\""));
    assert!((10_000..10_500).contains(&(documents[5].to_xml().len() - Document::detectoid(id(10), 1).to_xml().len())));
}

#[test]
fn files_carry_both_digests() {
    let payload = Payload::new("p.cab", "abc");
    let xml = Document::software(id(1), 1).file(&payload).to_xml();
    assert!(
        xml.contains("Digest=\"qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\" DigestAlgorithm=\"SHA1\" FileName=\"p.cab\" Size=\"3\"")
    );
    assert!(xml.contains(">ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=</upd:AdditionalDigest>"));
}
