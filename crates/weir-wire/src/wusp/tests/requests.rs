//! Everything that a request may look like (protocol dossier 1.2), and what is checked beyond the schema.

use jiff::Timestamp;
use weir_model::ids::RevisionId;

use super::*;
use crate::{soap::Reason, wusp::*};

fn ids(numbers: &[i32]) -> Vec<RevisionId> {
    numbers.iter().copied().map(RevisionId).collect()
}

fn scan(parameters: &str) -> SyncUpdateParameters {
    let request = client("SyncUpdates", &format!("<parameters>{parameters}</parameters>")).expect("valid");
    only!(request, SyncUpdates).parameters.expect("parameters")
}

#[test]
fn operation_is_the_first_child_of_the_body_whatever_the_headers_say() {
    let body = envelope(&format!("<GetConfig xmlns=\"{NS_C}\"><protocolVersion>1.8</protocolVersion></GetConfig>"));
    let hints = Hints { content_type: Some("application/soap+xml"), soap_action: Some("\"urn:other\"") };
    let parsed = parse(Service::Client, hints, body.as_bytes(), &Limits::default()).expect("valid");
    assert_eq!(parsed.version, SoapVersion::V11, "the envelope decides");
    assert_eq!(parsed.request.operation(), Operation::GetConfig);
}

#[test]
fn soap_12_is_read() {
    let body = envelope(&format!("<GetConfig xmlns=\"{NS_C}\"/>"))
        .replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    assert_eq!(raw(Service::Client, body.as_bytes()).expect("valid").version, SoapVersion::V12);
}

#[test]
fn any_prefix_declaration_header_and_comment_is_accepted() {
    let body = format!(
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><env:Envelope \
         xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:w='{NS_C}'>\n<env:Header><x>1</x></env:Header>\
         <env:Body>\n <w:SyncUpdates><!-- c --><w:parameters>\n<w:InstalledNonLeafUpdateIDs>\n <w:int> 7 </w:int>\
         <w:int>8</w:int>\n<w:int><![CDATA[9]]></w:int><w:int>&#49;0</w:int></w:InstalledNonLeafUpdateIDs>\
         <w:SkipSoftwareSync>1</w:SkipSoftwareSync></w:parameters></w:SyncUpdates >\n</env:Body>\n</env:Envelope>\n"
    );
    let parsed = raw(Service::Client, body.as_bytes()).expect("valid");
    let parameters = only!(parsed.request, SyncUpdates).parameters.expect("parameters");
    assert_eq!(parameters.installed_non_leaf_update_ids, ids(&[7, 8, 9, 10]));
    assert!(parameters.skip_software_sync);
}

#[test]
fn number_lists_are_the_same_however_they_are_written() {
    let list = |content: &str| {
        scan(&format!("<OtherCachedUpdateIDs>{content}</OtherCachedUpdateIDs>")).other_cached_update_ids
    };
    assert_eq!(list("<int>1</int><int>2</int>"), ids(&[1, 2]));
    assert_eq!(list("\r\n <int>1</int>\t<int>2</int>\n"), ids(&[1, 2]));
    assert_eq!(list("<int>1</int><!-- c --><int>2</int>"), ids(&[1, 2]));
    assert_eq!(list("<int>-1</int><int>+2</int><int>0003</int>"), ids(&[-1, 2, 3]));
    assert_eq!(list("<int>1</int><int a=\"b\">2</int><int>3</int>"), ids(&[1, 2, 3]));
    assert_eq!(list("<int>2147483647</int><int>-2147483648</int>"), ids(&[i32::MAX, i32::MIN]));
    assert_eq!(list("<int>1</int><other><int>5</int></other><int>2</int>"), ids(&[1, 2]), "unknown entries");
    assert_eq!(list(&format!("<p:int xmlns:p=\"{NS_C}\">4</p:int><int>5</int>")), ids(&[4, 5]));
    assert_eq!(list("<p:int xmlns:p=\"urn:other\">4</p:int><int>5</int>"), ids(&[5]), "not our element");
    let nil = "<int xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>";
    assert_eq!(list(&format!("<int>1</int>{nil}<int>2</int>")), ids(&[1, 2]));
    assert_eq!(list("<int>7</int>").len(), 1);
}

#[test]
fn wrong_numbers_name_their_place() {
    for wrong in ["", "x", "1.5", "2147483648", "99999999999999999999", "1 2", "0x1", "<b>1</b>"] {
        let body =
            format!("<parameters><CachedDriverIDs><int>1</int><int>{wrong}</int></CachedDriverIDs></parameters>");
        assert_eq!(refused(client("SyncUpdates", &body)), "parameters.CachedDriverIDs.int", "{wrong:?}");
    }
    let text = "<parameters><CachedDriverIDs>5</CachedDriverIDs></parameters>";
    assert_eq!(refused(client("SyncUpdates", text)), "parameters.CachedDriverIDs");
}

#[test]
fn absent_empty_and_nil_lists_are_equal() {
    let nil = |value: &str| {
        format!("<InstalledNonLeafUpdateIDs x:nil=\"{value}\" xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\"/>")
    };
    let array = "<InstalledNonLeafUpdateIDs xmlns:e=\"http://schemas.xmlsoap.org/soap/encoding/\" \
                 e:arrayType=\"xsd:int[0]\"></InstalledNonLeafUpdateIDs>";
    let forms = ["", "<InstalledNonLeafUpdateIDs/>", "<InstalledNonLeafUpdateIDs> </InstalledNonLeafUpdateIDs>", array];
    for form in forms.into_iter().map(str::to_owned).chain([nil("true"), nil("1")]) {
        assert_eq!(scan(&form), scan(""), "{form}");
    }
    let twice = format!("{}<InstalledNonLeafUpdateIDs><int>1</int></InstalledNonLeafUpdateIDs>", nil("1"));
    let body = format!("<parameters>{twice}</parameters>");
    assert_eq!(refused(client("SyncUpdates", &body)), "parameters.InstalledNonLeafUpdateIDs");
}

#[test]
fn unknown_elements_are_skipped_with_all_that_is_in_them() {
    let parameters = scan(
        "<Future a=\"1\"><SkipSoftwareSync>true</SkipSoftwareSync><Future/></Future>\
         <p:SkipSoftwareSync xmlns:p=\"urn:other\">true</p:SkipSoftwareSync><ExpressQuery>0</ExpressQuery>\
         <ProductsParameters><DeviceAttributes>&amp;<![CDATA[</DeviceAttributes>]]></DeviceAttributes>\
         <ProductsParameters/></ProductsParameters>",
    );
    assert!(!parameters.skip_software_sync);
}

#[test]
fn device_attributes_are_found_in_the_body_and_never_in_the_way() {
    let of = |text: &str| ProductsParameters::device_attributes_of(text.as_bytes()).map(str::to_owned);
    let request = |attributes: &str| {
        format!("<a><ProductsParameters>{attributes}<CallerAttributes>b</CallerAttributes></ProductsParameters></a>")
    };
    assert_eq!(of(&request("<DeviceAttributes>App=1;X=2</DeviceAttributes>")).as_deref(), Some("App=1;X=2"));
    assert_eq!(of(&request("<n:DeviceAttributes>App=1</n:DeviceAttributes>")).as_deref(), Some("App=1"));
    assert_eq!(of(&request("<DeviceAttributes></DeviceAttributes>")).as_deref(), Some(""));
    for none in ["", "DeviceAttributes>", "</DeviceAttributes>", "<DeviceAttributes>", &request("")] {
        assert_eq!(of(none), None, "{none}");
    }
    let early = request("<DeviceAttributes>App=1</DeviceAttributes>") + &" ".repeat(20_000);
    assert_eq!(of(&early), None, "only the end is looked at");
}

#[test]
fn element_given_twice_is_refused() {
    let twice =
        "<parameters><SkipSoftwareSync>false</SkipSoftwareSync><SkipSoftwareSync>true</SkipSoftwareSync></parameters>";
    assert_eq!(refused(client("SyncUpdates", twice)), "parameters.SkipSoftwareSync");
    let lists = "<OtherCachedUpdateIDs><int>1</int></OtherCachedUpdateIDs>".repeat(2);
    let body = format!("<parameters>{lists}</parameters>");
    assert_eq!(refused(client("SyncUpdates", &body)), "parameters.OtherCachedUpdateIDs");
    let cookie = "<cookie><EncryptedData>AAAA</EncryptedData></cookie>".repeat(2);
    assert_eq!(refused(client("SyncUpdates", &cookie)), "cookie");
}

#[test]
fn cookies_are_read_in_every_form() {
    let sealed = |cookie: &str| {
        let request = client("SyncUpdates", &format!("{cookie}<parameters/>")).expect("valid");
        only!(request, SyncUpdates).sealed().map(<[u8]>::to_vec)
    };
    assert_eq!(sealed(""), None);
    assert_eq!(sealed("<cookie/>"), None);
    assert_eq!(sealed("<cookie><EncryptedData/></cookie>"), None);
    assert_eq!(sealed("<cookie><EncryptedData>AQID</EncryptedData></cookie>"), Some(vec![1, 2, 3]));
    assert_eq!(sealed("<cookie><EncryptedData>\r\n AQ\r\nID BA=\t= </EncryptedData></cookie>"), Some(vec![1, 2, 3, 4]));
    assert_eq!(sealed("<cookie><EncryptedData>AQIDBA</EncryptedData></cookie>"), Some(vec![1, 2, 3, 4]));
    assert_eq!(
        refused(client("SyncUpdates", "<cookie><EncryptedData>A*</EncryptedData></cookie>")),
        "cookie.EncryptedData"
    );
}

#[test]
fn date_times_are_read_in_every_form() {
    let read = |text: &str| crate::soap::parse_date_time(text).map(|moment| moment.to_string());
    for (text, expected) in [
        ("2026-10-04T15:03:36Z", "2026-10-04T15:03:36Z"),
        (" 2026-10-04T15:03:36 ", "2026-10-04T15:03:36Z"),
        ("2026-10-04T16:03:35.9967236Z", "2026-10-04T16:03:35.9967236Z"),
        ("2026-10-04T16:03:35.5", "2026-10-04T16:03:35.5Z"),
        ("2026-10-04T16:03:35.123456789123Z", "2026-10-04T16:03:35.123456789Z"),
        ("2026-10-04T16:03:35+02:00", "2026-10-04T14:03:35Z"),
        ("2026-10-04T16:03:35.25-14:00", "2026-10-05T06:03:35.25Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2026-10-04", "2026-10-04T00:00:00Z"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
    assert_eq!(crate::soap::parse_date_time("9999-12-31T23:59:59.9999999"), Ok(Timestamp::MAX));
    for wrong in [
        "",
        "x",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-10-04T24:00:01Z",
        "2026-10-04T15:03",
        "26-10-04T15:03:36Z",
        "2026-10-04T15:03:36.Z",
        "2026-10-04T15:03:36+15:00",
        "2026-10-04T15:03:36+0200",
        "2026-10-04 15:03:36Z",
        "+026-10-04T15:03:36Z",
        "2026-10-04T15:03:36Zjunk",
        "é026-10-04T15:03:36Z",
        "2026-10-04T15:03:é6Z",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn date_times_are_written_without_trailing_zeros() {
    let written = |text: &str| {
        let mut out = String::new();
        crate::soap::write_date_time(&mut out, text.parse().expect("a time"));
        out
    };
    assert_eq!(written("2026-10-04T13:17:07.590Z"), "2026-10-04T13:17:07.59Z");
    assert_eq!(written("2026-10-04T15:03:30Z"), "2026-10-04T15:03:30Z");
    assert_eq!(written("2026-10-04T16:03:35.996723699Z"), "2026-10-04T16:03:35.9967236Z", "ticks are cut");
    assert_eq!(written("2026-10-04T16:03:35.00000009Z"), "2026-10-04T16:03:35Z");
    assert_eq!(written("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
}

#[test]
fn guids_are_read_in_any_case() {
    let read = |text: &str| {
        let body =
            format!("<FilterCategoryIds><CategoryIdentifier><Id>{text}</Id></CategoryIdentifier></FilterCategoryIds>");
        scan(&body).filter().map(|id| id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(read("DD78B8A1-0b20-45c1-ADD6-4da72e9364cf"), ["dd78b8a1-0b20-45c1-add6-4da72e9364cf"]);
    assert_eq!(read(" {DD78B8A1-0b20-45c1-ADD6-4da72e9364cf}\n"), ["dd78b8a1-0b20-45c1-add6-4da72e9364cf"]);
    let path = "parameters.FilterCategoryIds.CategoryIdentifier.Id";
    for wrong in ["", "dd78b8a10b2045c1add64da72e9364cf", "dd78b8a1-0b20-45c1-add6-4da72e9364cg"] {
        let body = format!(
            "<parameters><FilterCategoryIds><CategoryIdentifier><Id>{wrong}</Id></CategoryIdentifier></FilterCategoryIds></parameters>"
        );
        assert_eq!(refused(client("SyncUpdates", &body)), path, "{wrong}");
    }
    let missing = "<parameters><FilterCategoryIds><CategoryIdentifier/></FilterCategoryIds></parameters>";
    assert_eq!(refused(client("SyncUpdates", missing)), path);
}

#[test]
fn extension_drivers_are_read_in_both_spellings() {
    let spelled = |list: &str, entry: &str| {
        let spec = format!(
            "<parameters><SkipSoftwareSync>true</SkipSoftwareSync><SystemSpec><Device><{list}><{entry}><ExtensionId>e</ExtensionId>\
             <DriverVerVersion>5</DriverVerVersion></{entry}></{list}></Device></SystemSpec></parameters>"
        );
        let body = envelope(&format!("<SyncUpdates xmlns=\"{NS_C}\">{spec}</SyncUpdates>"));
        let request = only!(raw(Service::Client, body.as_bytes()).expect("valid").request, SyncUpdates);
        let spec = request.parameters.and_then(|parameters| parameters.system_spec).expect("devices");
        spec.devices(body.as_bytes(), &Limits::default()).expect("valid").remove(0).extension_drivers
    };
    let native = spelled("extensionDrivers", "ExtensionDriver");
    assert_eq!(native.len(), 1);
    assert_eq!(native, spelled("extensionDriver", "extensionDriver"));
}

#[test]
fn device_lists_are_read_late_with_the_prefixes_of_their_place() {
    let body = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <e:Body><w:SyncUpdates xmlns:w=\"{NS_C}\"><w:parameters><w:SystemSpec><!-- odd --><w:Device i:nil='true'/><w:Device>\
         <w:HardwareIDs><w:string>A</w:string><w:string i:nil='1'/><w:string>B&amp;C</w:string></w:HardwareIDs></w:Device>\
         <o:Device xmlns:o='urn:other'/></w:SystemSpec><w:SkipSoftwareSync>true</w:SkipSoftwareSync></w:parameters>\
         </w:SyncUpdates></e:Body></e:Envelope>"
    );
    for body in [body.clone(), body.replace("<!-- odd -->", "")] {
        let request = only!(raw(Service::Client, body.as_bytes()).expect("valid").request, SyncUpdates);
        let parameters = request.parameters.expect("parameters");
        assert!(parameters.skip_software_sync, "what follows the list is read");
        let devices =
            parameters.system_spec.expect("devices").devices(body.as_bytes(), &Limits::default()).expect("valid");
        assert_eq!(devices.len(), 1);
        assert_eq!(devices[0].hardware_ids, ["A", "B&C"]);
    }
}

#[test]
fn empty_device_list_is_none() {
    let parameters = scan("<SystemSpec/>");
    let devices = parameters.system_spec.map(|spec| spec.devices(b"", &Limits::default()));
    assert!(matches!(devices, None | Some(Ok(_))), "{devices:?}");
    let request = client("SyncUpdates", "<parameters><SystemSpec/></parameters>").expect("valid");
    assert!(only!(request, SyncUpdates).validate(&Bounds::default()).is_ok(), "empty is absent");
    let request = client("SyncUpdates", "<parameters><SystemSpec> </SystemSpec></parameters>").expect("valid");
    assert!(only!(request, SyncUpdates).validate(&Bounds::default()).is_ok(), "empty is absent");
}

#[test]
fn scan_parameters_are_checked_in_the_order_of_the_schema() {
    let check = |request: Request, bounds: &Bounds| {
        only!(request, SyncUpdates).validate(bounds).map(|_| ()).map_err(|wrong| wrong.path)
    };
    let listing = |name: &str, count: usize| format!("<{name}>{}</{name}>", "<int>1</int>".repeat(count));
    let default = Bounds::default();
    let wsus = Bounds { installed_non_leaf: 400, ..default };
    for (bounds, limit) in [(&wsus, 400), (&default, 4_000)] {
        let with = |count| {
            let list = listing("InstalledNonLeafUpdateIDs", count);
            client("SyncUpdates", &format!("<parameters>{list}</parameters>")).expect("parses")
        };
        assert_eq!(check(with(limit), bounds), Ok(()));
        assert_eq!(check(with(limit + 1), bounds), Err("parameters.InstalledNonLeafUpdateIDs"));
    }
    for name in ["OtherCachedUpdateIDs", "CachedDriverIDs"] {
        let with = |count| {
            client("SyncUpdates", &format!("<parameters>{}</parameters>", listing(name, count))).expect("parses")
        };
        assert_eq!(check(with(22_000), &default), Ok(()));
        assert_eq!(check(with(22_001), &default), Err(&*format!("parameters.{name}")));
    }
    assert_eq!(check(client("SyncUpdates", "").expect("parses"), &default), Err("parameters"));
    let spec = "<parameters><SystemSpec><Device/></SystemSpec><SkipSoftwareSync>false</SkipSoftwareSync></parameters>";
    assert_eq!(check(client("SyncUpdates", spec).expect("parses"), &default), Err("parameters.SystemSpec"));
}

#[test]
fn protocol_versions_are_checked() {
    let check = |text: &str| {
        let request = client("GetConfig", &format!("<protocolVersion>{text}</protocolVersion>")).expect("parses");
        only!(request, GetConfig).validate().map_err(|wrong| wrong.path)
    };
    assert_eq!(check("1.0"), Ok((1, 0)));
    assert_eq!(check(" 2.90 "), Ok((2, 90)));
    for wrong in ["", "2", "2.", ".2", "a.b", "1.2.3", "-1.0", "+1.0", "1.9999999999"] {
        assert_eq!(check(wrong), Err("protocolVersion"), "{wrong}");
    }
    let absent = only!(client("GetConfig", "").expect("parses"), GetConfig);
    assert!(absent.validate().is_err());
}

#[test]
fn authorization_parameters_are_checked() {
    let check = |parameters: &str| {
        let request =
            only!(request(NS_A, "GetAuthorizationCookie", parameters).expect("parses"), GetAuthorizationCookie);
        request.validate().map(|(id, name)| format!("{id} {name}")).map_err(|wrong| wrong.path)
    };
    assert_eq!(check("<clientId> AB-1 </clientId><dnsName>pc.example </dnsName>").as_deref(), Ok("ab-1 pc.example"));
    assert_eq!(check("<dnsName>pc</dnsName>"), Err("clientId"));
    assert_eq!(check("<clientId/><dnsName>pc</dnsName>"), Err("clientId"));
    assert_eq!(check("<clientId>a b</clientId><dnsName>pc</dnsName>"), Err("clientId"));
    assert_eq!(check(&format!("<clientId>{}</clientId><dnsName>pc</dnsName>", "a".repeat(256))), Err("clientId"));
    assert_eq!(check("<clientId>a</clientId><dnsName> </dnsName>"), Err("dnsName"));
    assert_eq!(check(&format!("<clientId>a</clientId><dnsName>{}</dnsName>", "a".repeat(256))), Err("dnsName"));
    let groups = "<targetGroupName> A ;;B;</targetGroupName>";
    let request = only!(request(NS_A, "GetAuthorizationCookie", groups).expect("parses"), GetAuthorizationCookie);
    assert_eq!(request.groups().collect::<Vec<_>>(), ["A", "B"]);
}

#[test]
fn other_parameters_are_checked() {
    let bounds = Bounds::default();
    let extended = |parameters: &str| {
        let request = client("GetExtendedUpdateInfo", parameters).expect("parses");
        only!(request, GetExtendedUpdateInfo).validate(&bounds).map_err(|wrong| wrong.path)
    };
    let list = |count| format!("<revisionIDs>{}</revisionIDs>", "<int>1</int>".repeat(count));
    let types = |kind: &str| format!("<infoTypes><XmlUpdateFragmentType>{kind}</XmlUpdateFragmentType></infoTypes>");
    let locales = "<locales><string>en</string></locales>";
    assert_eq!(extended(&format!("{}{}", list(50), types("Extended"))), Ok(()));
    assert_eq!(extended(&format!("{}{}", list(51), types("Extended"))), Err("revisionIDs"));
    assert_eq!(extended(&types("Extended")), Err("revisionIDs"));
    assert_eq!(extended(&list(1)), Err("infoTypes"));
    for kind in ["Eula", "LocalizedProperties"] {
        assert_eq!(extended(&format!("{}{}", list(1), types(kind))), Err("locales"));
        assert_eq!(extended(&format!("{}{}{locales}", list(1), types(kind))), Ok(()));
    }
    for kind in FragmentType::ALL {
        assert_eq!(extended(&format!("{}{}{locales}", list(1), types(kind.name()))), Ok(()));
    }
    let wrong = client("GetExtendedUpdateInfo", &types("Other"));
    assert_eq!(refused(wrong), "infoTypes.XmlUpdateFragmentType");

    let digests = |lengths: &[usize]| {
        let entry = |length: &usize| {
            let mut text = String::new();
            base64::Engine::encode_string(&base64::engine::general_purpose::STANDARD, vec![7; *length], &mut text);
            format!("<base64Binary>{text}</base64Binary>")
        };
        let body: String = lengths.iter().map(entry).collect();
        let request = client("GetFileLocations", &format!("<fileDigests>{body}</fileDigests>")).expect("parses");
        only!(request, GetFileLocations).validate().map(|digests| digests.len()).map_err(|wrong| wrong.path)
    };
    assert_eq!(digests(&[20, 20]), Ok(2));
    for wrong in [&[][..], &[19], &[20, 21], &[0]] {
        assert_eq!(digests(wrong), Err("fileDigests"), "{wrong:?}");
    }

    let categories = |count: usize| {
        let entry = "<CategoryRelationship><IndexOfAndGroup>0</IndexOfAndGroup>\
                     <CategoryId>dd78b8a1-0b20-45c1-add6-4da72e9364cf</CategoryId></CategoryRelationship>";
        let body = format!("<requestedCategories>{}</requestedCategories>", entry.repeat(count));
        only!(client("StartCategoryScan", &body).expect("parses"), StartCategoryScan).validate(&bounds).is_ok()
    };
    assert_eq!([0, 1, 199, 200].map(categories), [false, true, true, false]);
    let refresh = only!(client("RefreshCache", "<globalIDs/>").expect("parses"), RefreshCache);
    assert_eq!(refresh.validate().map_err(|wrong| wrong.path), Err("globalIDs"));
    let register = only!(client("RegisterComputer", "").expect("parses"), RegisterComputer);
    assert_eq!(register.validate().map(|_| ()).map_err(|wrong| wrong.path), Err("computerInfo"));
    let fault = register.validate().expect_err("missing").into_fault(Operation::RegisterComputer, uuid::Uuid::nil());
    assert_eq!(fault.method, format!("\"{NS_C}/RegisterComputer\""));
}

#[test]
fn events_are_read_in_the_native_shape() {
    let event = "<ReportingEvent><BasicData><TargetID><Sid>e1da06a3</Sid></TargetID><SequenceNumber>0</SequenceNumber>\
        <TimeAtTarget>2026-10-04T15:04:00</TimeAtTarget><EventInstanceID>0B6E55C9-62AC-4D0C-9C0E-1D7C1D1E7F1A</EventInstanceID>\
        <NamespaceID>1</NamespaceID><EventID>156</EventID><SourceID>101</SourceID><UpdateID><UpdateID>00000000-0000-0000-0000-000000000000</UpdateID>\
        <RevisionNumber>0</RevisionNumber></UpdateID><Win32HResult>-2145107952</Win32HResult><AppName/></BasicData><ExtendedData>\
        <ReplacementStrings a:nil=\"true\" xmlns:a=\"http://www.w3.org/2001/XMLSchema-instance\"/><MiscData><string>U=A;B</string><string>V=</string>\
        <string>WUfBOn=0</string></MiscData><ComputerBrand>QEMU</ComputerBrand><ProcessorArchitecture>Arm64Compatible</ProcessorArchitecture>\
        <OSVersion><Major>10</Major><Minor>0</Minor><Build>26200</Build><Revision>0</Revision><ServicePackMajor>0</ServicePackMajor>\
        <ServicePackMinor>0</ServicePackMinor></OSVersion><OSLocaleID>1033</OSLocaleID></ExtendedData><PrivateData><ComputerDnsName/>\
        <UserAccountName/></PrivateData></ReportingEvent>";
    let batch =
        format!("<cookie/><clientTime>2026-10-04T15:04:01.5Z</clientTime><eventBatch>{}</eventBatch>", event.repeat(2));
    let request = only!(request(NS_R, "ReportEventBatch", &batch).expect("valid"), ReportEventBatch);
    assert_eq!(request.event_batch.len(), 2);
    let event = &request.event_batch[0];
    let basic = event.basic_data.as_ref().expect("basic data");
    assert_eq!((basic.event_id, basic.source_id, basic.win32_hresult), (156, 101, -2_145_107_952));
    assert!(basic.update_id.as_ref().is_some_and(|update| update.update_id.is_nil()));
    let extended = event.extended_data.as_ref().expect("extended data");
    assert_eq!(extended.misc_data, ["U=A;B", "V=", "WUfBOn=0"]);
    assert!(extended.replacement_strings.is_empty());
    assert_eq!(extended.processor_architecture.as_deref(), Some("Arm64Compatible"));
    assert_eq!(extended.os_version.as_ref().map(|version| version.build), Some(26_200));
}

#[test]
fn every_operation_is_known_and_those_not_offered_say_so() {
    for &operation in Operation::ALL {
        let namespace = operation.service().namespace();
        let body = envelope(&format!("<{operation} xmlns=\"{namespace}\"/>"));
        let elsewhere = [Service::Client, Service::Reporting, Service::SimpleAuth];
        for service in elsewhere {
            let result = raw(service, body.as_bytes());
            if service != operation.service() {
                let rejection = result.expect_err("another service");
                assert!(matches!(rejection.reason, Reason::UnknownOperation(_)), "{operation} at {service:?}");
                continue;
            }
            match result {
                Ok(parsed) => assert_eq!(parsed.request.operation(), operation),
                Err(rejection) => {
                    assert_eq!(rejection.reason, Reason::NotOffered(operation));
                    assert_eq!(rejection.operation, Some(operation));
                    assert_eq!(rejection.method, format!("\"{namespace}/{operation}\""));
                }
            }
        }
    }
    let offered = Operation::ALL.iter().filter(|operation| {
        let body = envelope(&format!("<{operation} xmlns=\"{}\"/>", operation.service().namespace()));
        raw(operation.service(), body.as_bytes()).is_ok()
    });
    assert_eq!(offered.count(), 15);
}
