use super::{ID, document, fault, parsed, software};
use crate::{
    document::{Behavior, Fault, Impact, PublicationState, RebootBehavior, Verbatim},
    update::{CategoryKind, Severity, UpdateType},
};

const DIGEST: &str = "hlQslyYcRtWzeaQ+yJX5fq9Am6I=";

fn value(what: &'static str, value: &str, expected: &'static str) -> Fault {
    Fault::Value { what, value: value.to_owned(), expected }
}

#[test]
fn every_update_type_is_read() {
    for (text, expected) in [
        ("Category", UpdateType::Category),
        ("Detectoid", UpdateType::Detectoid),
        ("Driver", UpdateType::Driver),
        ("Software", UpdateType::Software),
    ] {
        assert_eq!(parsed(&document(&format!("UpdateType=\"{text}\""), "", "")).update_type, expected);
    }
    assert_eq!(fault(&document("", "", "")), Fault::MissingAttribute("UpdateType"));
    let expected = "Category, Detectoid, Driver or Software";
    assert_eq!(fault(&document("UpdateType=\"Host\"", "", "")), value("UpdateType", "Host", expected));
}

#[test]
fn properties_have_defaults() {
    let properties = parsed(&software("")).properties;
    assert_eq!(properties.publication_state, PublicationState::Published);
    assert!(!properties.explicitly_deployable && !properties.auto_select && !properties.per_user);
    assert!(properties.is_public.is_none() && properties.creation_date.is_none() && properties.other.is_empty());
    assert!(properties.installation.is_none() && properties.uninstallation.is_none() && properties.severity.is_none());
}

#[test]
fn properties_are_read() {
    let attributes = "UpdateType=\"Software\" DefaultPropertiesLanguage=\"en\" PublicationState=\"Expired\" \
        CreationDate=\"2007-12-04T10:00:00.1032476-08:00\" PublisherID=\"395392A0-19c0-48b7-a927-f7c15066d905\" \
        IsPublic=\"false\" ExplicitlyDeployable=\"true\" AutoSelectOnWebSites=\"1\" PerUser=\"true\" Handler=\"urn:h\" \
        EulaID=\"f5fff3b4-2b32-4d46-87ad-e4bc0a7cee0d\" OSUpgrade=\"swap\" MaxDownloadSize=\"18446744073709551615\" \
        MinDownloadSize=\"0\" MsrcSeverity=\"Critical\" CompatibleProtocolVersion=\"1.4\" LegacyName=\"n\" \
        DetectoidType=\"d\" IsLocallyPublished=\"true\" CanSourceBeRequired=\"true\" BrowseOnly=\"true\"";
    let children = "<upd:InstallationBehavior CanRequestUserInput=\"true\" RequiresNetworkConnectivity=\"true\" \
        Impact=\"RequiresExclusiveHandling\" RebootBehavior=\"AlwaysRequiresReboot\"/><upd:UninstallationBehavior/>\
        <upd:SupportUrl>http://s</upd:SupportUrl><upd:MoreInfoUrl>http://1</upd:MoreInfoUrl>\
        <upd:MoreInfoUrl>http://2</upd:MoreInfoUrl><upd:KBArticleID> 890830 </upd:KBArticleID>\
        <upd:SecurityBulletinID>MS08-067</upd:SecurityBulletinID><upd:CveID>CVE-2008-4250</upd:CveID>\
        <upd:Language>de</upd:Language><cat:KBArticleID>1</cat:KBArticleID>";
    let properties = parsed(&document(attributes, children, "")).properties;
    assert_eq!(properties.publication_state, PublicationState::Expired);
    assert_eq!(properties.creation_date.map(|t| t.to_string()).as_deref(), Some("2007-12-04T18:00:00.1032476Z"));
    assert_eq!(
        properties.publisher_id.map(|id| id.to_string()).as_deref(),
        Some("395392a0-19c0-48b7-a927-f7c15066d905")
    );
    assert_eq!(properties.is_public, Some(false));
    assert!(properties.explicitly_deployable && properties.auto_select && properties.per_user);
    assert!(properties.locally_published && properties.can_source_be_required);
    assert_eq!(properties.handler.as_deref(), Some("urn:h"));
    assert!(properties.eula_id.is_some());
    assert_eq!(properties.os_upgrade.as_deref(), Some("swap"));
    assert_eq!((properties.max_download_size, properties.min_download_size), (Some(u64::MAX), Some(0)));
    assert_eq!(properties.severity, Some(Severity::Critical));
    let installation = Behavior {
        can_request_user_input: true,
        requires_network: true,
        impact: Impact::RequiresExclusiveHandling,
        reboot: Some(RebootBehavior::AlwaysRequiresReboot),
    };
    assert_eq!(properties.installation, Some(installation));
    assert_eq!(properties.uninstallation, Some(Behavior::default()));
    assert_eq!(properties.support_url.as_deref(), Some("http://s"));
    assert_eq!(properties.more_info_urls, ["http://1", "http://2"]);
    assert_eq!(properties.kb_articles, ["890830"]);
    assert_eq!(properties.security_bulletins, ["MS08-067"]);
    assert_eq!(properties.cve_ids, ["CVE-2008-4250"]);
    assert_eq!(properties.languages, ["de"]);
    assert_eq!(properties.other.into_iter().collect::<Vec<_>>(), [("BrowseOnly".to_owned(), "true".to_owned())]);
}

#[test]
fn malformed_properties_are_refused() {
    for (attribute, text, expected) in [
        ("ExplicitlyDeployable", "yes", "true or false"),
        ("CreationDate", "yesterday", "a date and time"),
        ("CreationDate", "2020-01-01T00:00:00Z[UTC]", "a date and time"),
        ("PublisherID", "1234", "a GUID"),
        ("EulaID", "", "a GUID"),
        ("MaxDownloadSize", "-1", "a number of 64 bits"),
        ("PublicationState", "Draft", "Published or Expired"),
    ] {
        let text_of = document(&format!("UpdateType=\"Software\" {attribute}=\"{text}\""), "", "");
        assert_eq!(fault(&text_of), value(attribute, text, expected));
    }
}

#[test]
fn dates_are_read_in_every_recorded_form() {
    for (text, expected) in [
        ("2005-09-22T00:05:11.471Z", "2005-09-22T00:05:11.471Z"),
        ("2005-09-22T00:05:11", "2005-09-22T00:05:11Z"),
        ("2005-09-22T00:05:11.1234567+02:00", "2005-09-21T22:05:11.1234567Z"),
        ("2005-09-22", "2005-09-22T00:00:00Z"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.9999999", "9999-12-30T22:00:00.999999999Z"),
    ] {
        let properties =
            parsed(&document(&format!("UpdateType=\"Software\" CreationDate=\"{text}\""), "", "")).properties;
        assert_eq!(properties.creation_date.map(|t| t.to_string()).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn identities_are_checked() {
    let good = software("");
    let identity = parsed(&good).identity;
    assert_eq!(identity.to_string(), format!("{ID}@7"));
    let upper = good.replace(ID, "5CC25303-143F-40f3-A2FF-803A1DB69955");
    assert_eq!(parsed(&upper).identity.update_id.to_string(), "5cc25303-143f-40f3-a2ff-803a1db69955");
    assert_eq!(fault(&good.replace(ID, "5CC25303")), value("UpdateID", "5CC25303", "a GUID"));
    assert_eq!(fault(&good.replace("\"7\"", "\"x\"")), value("RevisionNumber", "x", "a number of 32 bits"));
    let expected = "a revision number: at most 2147483647";
    assert_eq!(fault(&good.replace("\"7\"", "\"2147483648\"")), value("RevisionNumber", "2147483648", expected));
    assert_eq!(fault(&good.replace(" RevisionNumber=\"7\"", "")), Fault::MissingAttribute("RevisionNumber"));
    assert_eq!(fault(&good.replace("UpdateIdentity", "Other")), Fault::MissingElement("UpdateIdentity"));
    assert_eq!(fault(&good.replace("Properties", "Other")), Fault::MissingElement("Properties"));
    for part in ["UpdateIdentity", "Properties", "Relationships", "HandlerSpecificData"] {
        let twice =
            software(&format!("<upd:{part} UpdateID='{ID}' RevisionNumber='1' UpdateType='Driver'/>").repeat(2));
        assert_eq!(fault(&twice), Fault::ElementTwice(part.to_owned()));
    }
}

#[test]
fn relationships_are_read() {
    let id = |n: u8| format!("00000000-0000-0000-0000-0000000000{n:02x}");
    let text = software(&format!(
        "<upd:Relationships><upd:Prerequisites><upd:UpdateIdentity UpdateID='{}'/><!-- c --><upd:AtLeastOne>\
         <upd:UpdateIdentity UpdateID='{}'/><upd:UpdateIdentity UpdateID='{}'/></upd:AtLeastOne>\
         <upd:AtLeastOne IsCategory='true'/><cat:UpdateIdentity UpdateID='no'/></upd:Prerequisites>\
         <upd:BundledUpdates><upd:UpdateIdentity UpdateID='{}' RevisionNumber='3'/><upd:AtLeastOne>\
         <upd:UpdateIdentity UpdateID='{}' RevisionNumber='100'/></upd:AtLeastOne></upd:BundledUpdates>\
         <upd:SupersededUpdates><upd:UpdateIdentity UpdateID='{}'/></upd:SupersededUpdates></upd:Relationships>",
        id(1),
        id(2),
        id(3),
        id(4),
        id(5),
        id(6)
    ));
    let relationships = parsed(&text).relationships;
    let clauses: Vec<_> = relationships
        .prerequisites
        .iter()
        .map(|clause| {
            let ids: Vec<_> = clause.alternatives.iter().map(ToString::to_string).collect();
            (ids, clause.is_category, clause.bare)
        })
        .collect();
    assert_eq!(clauses, [(vec![id(1)], false, true), (vec![id(2), id(3)], false, false), (vec![], true, false)]);
    let bundled = relationships.bundled.iter().flat_map(|clause| &clause.alternatives).map(ToString::to_string);
    assert_eq!(bundled.collect::<Vec<_>>(), [format!("{}@3", id(4)), format!("{}@100", id(5))]);
    assert_eq!(relationships.superseded.iter().map(ToString::to_string).collect::<Vec<_>>(), [id(6)]);

    let unrevised = text.replace(" RevisionNumber='100'", "");
    assert_eq!(fault(&unrevised), Fault::MissingAttribute("RevisionNumber"));
    assert_eq!(fault(&text.replace(&id(2), "x")), value("UpdateID", "x", "a GUID"));
    assert_eq!(fault(&text.replace("IsCategory='true'", "IsCategory='t'")), value("IsCategory", "t", "true or false"));
}

#[test]
fn files_are_read() {
    let sha256 = "QmjzWV4zq8fre2YVitOhlYyuaps+4ILVJu0kxm263rw=";
    let text = software(&format!(
        "<upd:Files><upd:File Digest='{DIGEST}' DigestAlgorithm='SHA1' FileName='a b.tar.GZ' Size='5' \
         Modified='2022-08-23T21:36:39Z' PatchingType='SelfContained' OriginUri='http://o/x'>\
         <upd:AdditionalDigest Algorithm='SHA256'>\n {sha256} \n</upd:AdditionalDigest>\
         <upd:AdditionalDigest Algorithm='MD5'>m</upd:AdditionalDigest></upd:File>\
         <upd:File Digest='{DIGEST}' FileName='noextension' Size='0'/></upd:Files>"
    ));
    let files = parsed(&text).files;
    let [first, second] = files.as_slice() else { panic!("two files") };
    assert_eq!(first.sha256.map(crate::ids::Sha256Digest::to_base64).as_deref(), Some(sha256));
    assert_eq!((first.extension(), second.extension()), (Some("GZ"), None));
    assert_eq!(first.other_digests.len(), 1);
    assert_eq!((first.patching_type.as_deref(), first.origin.as_deref()), (Some("SelfContained"), Some("http://o/x")));
    assert!(first.modified.is_some() && second.modified.is_none() && second.sha256.is_none());

    let sha = "the base64 text of a SHA-256 digest of 32 bytes";
    assert_eq!(fault(&text.replace(sha256, "AAAA")), value("AdditionalDigest", "\n AAAA \n", sha));
    assert_eq!(fault(&text.replace("'SHA1'", "'SHA512'")), value("DigestAlgorithm", "SHA512", "SHA1"));
    assert_eq!(fault(&text.replace("Size='0'", "")), Fault::MissingAttribute("Size"));
    assert_eq!(fault(&text.replace("Size='0'", "Size='1e3'")), value("Size", "1e3", "a number of 64 bits"));
    assert_eq!(fault(&text.replace(" FileName='noextension'", "")), Fault::MissingAttribute("FileName"));
}

#[test]
fn odd_file_names_have_no_extension() {
    for (name, expected) in [
        ("a.cab", Some("cab")),
        ("a.", None),
        ("a.c/../b", None),
        ("a.c b", None),
        ("a.0123456789abcdefg", None),
        (".x", Some("x")),
        ("a.\u{e9}", None),
    ] {
        let text =
            software(&format!("<upd:Files><upd:File Digest='{DIGEST}' FileName='{name}' Size='1'/></upd:Files>"));
        assert_eq!(parsed(&text).files[0].extension(), expected, "{name}");
    }
}

#[test]
fn texts_are_read_and_languages_are_distinct() {
    let texts = "<upd:LocalizedProperties><upd:Language>pt-br</upd:Language><upd:Title> T </upd:Title>\
        <upd:Description>D</upd:Description><upd:UninstallNotes>U</upd:UninstallNotes>\
        <upd:MoreInfoUrl>m</upd:MoreInfoUrl><upd:SupportUrl>s</upd:SupportUrl></upd:LocalizedProperties>";
    let collection = |inside: &str| {
        software(&format!("<upd:LocalizedPropertiesCollection>{inside}</upd:LocalizedPropertiesCollection>"))
    };
    let document = parsed(&collection(texts));
    let [read] = document.localized.as_slice() else { panic!("one language") };
    assert_eq!((read.language.as_str(), read.title.as_str()), ("pt-br", " T "));
    assert_eq!((read.description.as_deref(), read.uninstall_notes.as_deref()), (Some("D"), Some("U")));
    assert_eq!((read.support_url.as_deref(), read.more_info_urls.as_slice()), (Some("s"), ["m".to_owned()].as_slice()));
    assert_eq!(document.localized_for("PT-BR").map(|texts| texts.title.as_str()), Some(" T "));

    let twice = collection(&(texts.to_owned() + &texts.replace("pt-br", "PT-BR")));
    let language = "PT-BR".to_owned();
    assert_eq!(fault(&twice), Fault::LanguageTwice { element: "LocalizedProperties", language });
    let none = collection(&texts.replace("pt-br", " "));
    assert_eq!(fault(&none), Fault::MissingElement("Language"));
    let eula = format!("<upd:EulaFile Digest='{DIGEST}' FileName='e' Size='1' Language='en' GeoId='USA'/>");
    let document = parsed(&collection(&eula));
    assert_eq!(document.eulas[0].geo_id.as_deref(), Some("USA"));
    let language = "en USA".to_owned();
    assert_eq!(fault(&collection(&eula.repeat(2))), Fault::LanguageTwice { element: "EulaFile", language });
}

#[test]
fn categories_and_handler_data_are_read() {
    let text = software(
        "<upd:HandlerSpecificData xsi:type='cat:Category'><cat:CategoryInformation CategoryType='Company' \
         ProhibitsSubcategories='false' ProhibitsUpdates='true' DisplayOrder='1'/></upd:HandlerSpecificData>",
    );
    let document = parsed(&text);
    let category = document.category.expect("information");
    assert_eq!((category.kind, category.display_order), (Some(CategoryKind::Company), Some(1)));
    let handler = document.handler_data.expect("handler data");
    let source = handler.source.of(&text).expect("inside");
    assert!(source.starts_with("<upd:HandlerSpecificData") && source.ends_with("</upd:HandlerSpecificData>"));
    assert_eq!(Verbatim { start: 1, end: usize::MAX }.of(&text), None);
    let other = parsed(&text.replace("'Company'", "'Other'"));
    assert_eq!(other.category.expect("information").kind, None);
    assert_eq!(fault(&text.replace("'cat:Category'", "'zzz:Category'")), Fault::UnboundPrefix("zzz".to_owned()));
}

#[test]
fn drivers_are_read() {
    let driver = |attributes: &str, children: &str| {
        document(
            "UpdateType='Driver'",
            "",
            &format!(
                "<upd:ApplicabilityRules><upd:Metadata><drv:WindowsDriverMetaData {attributes}>{children}\
                 </drv:WindowsDriverMetaData></upd:Metadata></upd:ApplicabilityRules>"
            ),
        )
    };
    let attributes = "HardwareID='PCI\\VEN_8086&amp;DEV_1' DriverVerDate='2006-06-21' DriverVerVersion='10.0.19041.1' \
        WhqlDriverID='77' Class='Printers' Company='C' Provider='P' Manufacturer='M' Model='O'";
    let children = "<drv:CompatibleProvider>Q</drv:CompatibleProvider>\
        <drv:FeatureScore OperatingSystem='amd64.10.0' FeatureScore='255'/>\
        <drv:DistributionComputerHardwareId>{5cc25303-143f-40f3-a2ff-803a1db69955}</drv:DistributionComputerHardwareId>\
        <drv:TargetComputerHardwareId> 5CC25303-143f-40f3-a2ff-803a1db69955 </drv:TargetComputerHardwareId>";
    let read = parsed(&driver(attributes, children));
    let [driver_metadata] = read.drivers.as_slice() else { panic!("one driver") };
    assert_eq!(driver_metadata.hardware_id, "PCI\\VEN_8086&DEV_1");
    assert_eq!(driver_metadata.driver_date_ms, 1_150_848_000_000);
    assert_eq!(driver_metadata.driver_version, 10 << 48 | 19_041 << 16 | 1);
    assert_eq!((driver_metadata.class.as_str(), driver_metadata.whql_driver_id), ("Printers", Some(77)));
    assert_eq!(driver_metadata.compatible_providers, ["Q"]);
    assert_eq!(driver_metadata.feature_scores, [("amd64.10.0".to_owned(), 255)]);
    assert_eq!(driver_metadata.distribution_computer_ids, driver_metadata.target_computer_ids);
    assert_eq!(read.rules.metadata.len(), 1);

    for (from, to, expected) in [
        ("2006-06-21", "21.06.2006", value("DriverVerDate", "21.06.2006", "a date")),
        (
            "10.0.19041.1",
            "10.0.65536.1",
            value("DriverVerVersion", "10.0.65536.1", "a driver version of up to four numbers from 0 to 65535"),
        ),
        ("HardwareID", "Other", Fault::MissingAttribute("HardwareID")),
    ] {
        assert_eq!(fault(&driver(&attributes.replace(from, to), "")), expected);
    }
    let long = |count: usize| driver(&attributes.replace("PCI\\VEN_8086&amp;DEV_1", &"\u{e9}".repeat(count)), "");
    parsed(&long(200));
    let expected = value("HardwareID", &"\u{e9}".repeat(80), "1 to 200 characters long");
    assert_eq!(fault(&long(201)), expected);
    let score = driver(attributes, "<drv:FeatureScore OperatingSystem='x' FeatureScore='256'/>");
    assert_eq!(fault(&score), value("FeatureScore", "256", "a number from 0 to 255"));
    let id = driver(attributes, "<drv:TargetComputerHardwareId>x</drv:TargetComputerHardwareId>");
    assert_eq!(fault(&id), value("computer hardware id", "x", "a GUID"));
}
