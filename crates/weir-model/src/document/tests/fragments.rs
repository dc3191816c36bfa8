use super::{ID, UPD, document, software};
use crate::document::{Fault, Fragments, Limits, escape_into, escaped_len, read};

fn derived(text: &str) -> Fragments {
    Fragments::derive(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What Core has after identity and properties.
fn core(inside: &str) -> String {
    let core = derived(&software(inside)).core;
    let head =
        format!("<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Software\" />");
    core.strip_prefix(&head).unwrap_or_else(|| panic!("{core}")).to_owned()
}

/// What Core makes of the content of IsInstalled.
fn rule(content: &str) -> String {
    let core =
        core(&format!("<upd:ApplicabilityRules><upd:IsInstalled>{content}</upd:IsInstalled></upd:ApplicabilityRules>"));
    let inner = core.strip_prefix("<ApplicabilityRules><IsInstalled>");
    let inner = inner.and_then(|core| core.strip_suffix("</IsInstalled></ApplicabilityRules>"));
    inner.unwrap_or_else(|| panic!("{core}")).to_owned()
}

#[test]
fn elements_are_renamed_by_namespace() {
    for (written, expected) in [
        ("<bar:FileExists Path=\"a\"/>", "<b.FileExists Path=\"a\" />"),
        ("<mar:MsiPatchInstalled></mar:MsiPatchInstalled>", "<m.MsiPatchInstalled />"),
        ("<drv:WindowsDriverInstalled/>", "<d.WindowsDriverInstalled />"),
        ("<lar:And><lar:True/></lar:And>", "<And><True /></And>"),
        ("<cbsar:CbsPackageInstalled />", "<CbsPackageInstalled />"),
        (
            "<x:FileExists xmlns:x=\"http://schemas.microsoft.com/msus/2002/12/BaseApplicabilityRules\"/>",
            "<b.FileExists />",
        ),
        (
            "<FileExists xmlns=\"http://schemas.microsoft.com/msus/2002/12/BaseApplicabilityRules\"/>",
            "<b.FileExists />",
        ),
        // only the exact namespace gets the prefix
        ("<FileExists xmlns=\"http://schemas.microsoft.com/msus/2002/12/BaseApplicabilityRules2\"/>", "<FileExists />"),
        ("<bar:A xmlns:bar=\"http://schemas.microsoft.com/msus/2002/12/MsiApplicabilityRules\"/>", "<m.A />"),
        (
            "<bar:A xmlns:bar=\"http://schemas.microsoft.com/msus/2002/12/MsiApplicabilityRules\"/><bar:A/>",
            "<m.A /><b.A />",
        ),
    ] {
        assert_eq!(rule(written), expected, "{written}");
    }
}

#[test]
fn foreign_namespaces_stay_at_their_topmost_element() {
    for (written, expected) in [
        ("<m xmlns=\"urn:a\" v=\"1\"><p q=\"2\"></p></m>", "<m xmlns=\"urn:a\" v=\"1\"><p q=\"2\" /></m>"),
        ("<x:m v=\"1\" xmlns:x=\"urn:a\"><x:p /></x:m>", "<m xmlns=\"urn:a\" v=\"1\"><p /></m>"),
        ("<x:m xmlns:x=\"urn:a\" /><x:m xmlns:x=\"urn:a\" />", "<m xmlns=\"urn:a\" /><m xmlns=\"urn:a\" />"),
        (
            "<m xmlns=\"urn:a\"><n xmlns=\"urn:b\"><n /></n><o /></m>",
            "<m xmlns=\"urn:a\"><n xmlns=\"urn:b\"><n /></n><o /></m>",
        ),
        ("<m xmlns=\"urn:a\"><n xmlns=\"\"><o /></n></m>", "<m xmlns=\"urn:a\"><n xmlns=\"\"><o /></n></m>"),
        ("<m xmlns=\"urn:a\"><lar:True /><o /></m>", "<m xmlns=\"urn:a\"><True /><o /></m>"),
        ("<lar:Not><x:m xmlns:x=\"urn:&amp;a\" /></lar:Not>", "<Not><m xmlns=\"urn:&amp;a\" /></Not>"),
        ("<plain />", "<plain />"),
    ] {
        assert_eq!(rule(written), expected, "{written}");
    }
}

/// The shape of the recorded Core of f1ff1e3d, whose document is not public.
#[test]
fn package_manifests_look_as_recorded() {
    let manifest = "<upd:ApplicabilityRules><upd:Metadata><cbsar:CbsPackageApplicabilityMetadata>\n  \
        <asm:assembly manifestVersion=\"1.0\" xmlns:asm=\"urn:schemas-microsoft-com:asm.v3\" company=\"M&amp;C\">\n    \
        <asm:assemblyIdentity name=\"P\"></asm:assemblyIdentity>\n</asm:assembly>\
        </cbsar:CbsPackageApplicabilityMetadata></upd:Metadata></upd:ApplicabilityRules>";
    assert_eq!(
        core(manifest),
        "<ApplicabilityRules><Metadata><CbsPackageApplicabilityMetadata>\
         <assembly xmlns=\"urn:schemas-microsoft-com:asm.v3\" manifestVersion=\"1.0\" company=\"M&amp;C\">\
         <assemblyIdentity name=\"P\" /></assembly></CbsPackageApplicabilityMetadata></Metadata></ApplicabilityRules>"
    );
}

#[test]
fn attributes_lose_their_prefix() {
    assert_eq!(rule("<bar:X xsi:nil=\"true\" xml:lang=\"en\" A=\"1\" />"), "<b.X nil=\"true\" lang=\"en\" A=\"1\" />");
    assert_eq!(rule("<bar:X xsi:type=\"a\" type=\"b\" />"), "<b.X type=\"b\" />");
    assert_eq!(rule("<bar:X type=\"b\" xsi:type=\"a\" />"), "<b.X type=\"b\" />");
}

#[test]
fn values_survive_with_few_references() {
    for (written, expected) in [
        ("A=''", "A=\"\""),
        ("A='it&apos;s \"x\"'", "A=\"it's &quot;x&quot;\""),
        ("A=\"it's &quot;x&quot;\"", "A=\"it's &quot;x&quot;\""),
        ("A=\"a>b&gt;&lt;c&amp;d\"", "A=\"a&gt;b&gt;&lt;c&amp;d\""),
        ("A=\"&amp;lt;\"", "A=\"&amp;lt;\""),
        ("A=\"&#65;&#x42;&#x1F600;\"", "A=\"AB\u{1f600}\""),
        ("A=\"l\nr\r\nt\t.\"", "A=\"l&#xA;r&#xD;&#xA;t&#x9;.\""),
        ("A=\"&#10;&#xD;&#9;\"", "A=\"&#xA;&#xD;&#x9;\""),
        ("A=\" b  l \"", "A=\" b  l \""),
        ("A=\"\u{e9}\u{4e2d}\u{1f600}\"", "A=\"\u{e9}\u{4e2d}\u{1f600}\""),
        ("\n  A = \"1\"\r\n\tB= '2' ", "A=\"1\" B=\"2\""),
        ("A=\"]]>\"", "A=\"]]&gt;\""),
    ] {
        let derived = rule(&format!("<bar:X {written}/>"));
        assert_eq!(derived, format!("<b.X {expected} />"), "{written}");
        // What was derived says the same as the document: derived once more it does not change.
        let again = derived.replace("b.X", "bar:X");
        assert_eq!(rule(&again), derived, "{written}");
    }
}

#[test]
fn text_survives_verbatim() {
    for (written, expected) in [
        ("plain", "plain"),
        ("  blanks\r\n around \t", "  blanks\r\n around \t"),
        ("a &amp; b &lt; c &gt; d > &quot;&apos;\"'", "a &amp; b &lt; c &gt; d &gt; \"'\"'"),
        ("x&gt;\t", "x&gt;\t"),
        ("&amp; &amp;\n", "&amp; &amp;\n"),
        (" &#32; x", "   x"),
        ("&#x41;&#66;\u{1f600}", "AB\u{1f600}"),
        ("<![CDATA[a & <b> ]] ]>]]>", "a &amp; &lt;b&gt; ]] ]&gt;"),
        ("x<![CDATA[]]>y", "xy"),
        ("be<!-- no -->fore", "before"),
        ("be<?pi x?>fore", "before"),
        ("mixed <b /> text", "mixed <b /> text"),
    ] {
        let text = software(&format!(
            "<upd:LocalizedPropertiesCollection><upd:LocalizedProperties><upd:Language>en</upd:Language>\
             <upd:Title>{written}</upd:Title></upd:LocalizedProperties></upd:LocalizedPropertiesCollection>"
        ));
        let fragments = derived(&text);
        let [localized] = fragments.localized.as_slice() else { panic!("one language") };
        let expected =
            format!("<LocalizedProperties><Language>en</Language><Title>{expected}</Title></LocalizedProperties>");
        assert_eq!(localized.xml, expected, "{written}");
    }
}

#[test]
fn blanks_between_elements_go_unless_preserved() {
    assert_eq!(rule("\r\n\t<lar:Or> <lar:True> \n </lar:True> </lar:Or>  "), "<Or><True /></Or>");
    assert_eq!(rule("<lar:Or xml:space=\"preserve\"> <lar:True/></lar:Or>"), "<Or space=\"preserve\"> <True /></Or>");
    assert_eq!(
        rule("<a xml:space=\"preserve\"> <b xml:space=\"default\"> </b></a> "),
        "<a space=\"preserve\"> <b space=\"default\" /></a>"
    );
}

#[test]
fn comments_and_instructions_go() {
    assert_eq!(rule("<!-- <bar:A/> --><lar:True><!-- x --></lar:True><?x y?>"), "<True />");
    let text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- a -->{}\n<!-- b --><?c?>\n", software(""));
    assert_eq!(derived(&text), derived(&software("")));
    assert_eq!(derived(&format!("\u{feff}{text}")), derived(&software("")));
}

#[test]
fn core_has_five_properties_in_their_order() {
    let properties = "EulaID=\"e\" x=\"1\" OSUpgrade=\"swap\" AutoSelectOnWebSites=\"true\" \
                      ExplicitlyDeployable=\"true\" Handler=\"h\" UpdateType=\"Software\"";
    let fragments = derived(&document(properties, "<upd:KBArticleID>1</upd:KBArticleID>", ""));
    assert_eq!(
        fragments.core,
        format!(
            "<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Software\" \
             ExplicitlyDeployable=\"true\" AutoSelectOnWebSites=\"true\" OSUpgrade=\"swap\" EulaID=\"e\" />"
        )
    );
    assert_eq!(
        fragments.extended,
        "<ExtendedProperties x=\"1\" Handler=\"h\"><KBArticleID>1</KBArticleID></ExtendedProperties>"
    );
}

#[test]
fn flags_that_are_false_by_default_go() {
    let properties = "PerUser=\"false\" UpdateType=\"Software\" ExplicitlyDeployable=\"false\" MinDownloadSize=\"0\" \
                      AutoSelectOnWebSites=\"false\" CanSourceBeRequired=\"false\"";
    let fragments = derived(&document(properties, "", ""));
    assert!(fragments.core.ends_with("<Properties UpdateType=\"Software\" />"), "{}", fragments.core);
    assert_eq!(fragments.extended, "<ExtendedProperties MinDownloadSize=\"0\" CanSourceBeRequired=\"false\" />");
    let fragments = derived(&document("PerUser=\"true\" UpdateType=\"Software\"", "", ""));
    assert_eq!(fragments.extended, "<ExtendedProperties PerUser=\"true\" />");
}

#[test]
fn server_properties_stay_on_the_server() {
    let properties = "PublicationState=\"Published\" PublisherID=\"p\" CreationDate=\"c\" IsPublic=\"true\" \
                      LegacyName=\"l\" DetectoidType=\"d\" UpdateType=\"Detectoid\" DefaultPropertiesLanguage=\"en\" \
                      OSUpgrade=\"s\" EulaID=\"e\"";
    assert_eq!(
        derived(&document(properties, "", "")).extended,
        "<ExtendedProperties DefaultPropertiesLanguage=\"en\" />"
    );
}

#[test]
fn parts_come_in_the_order_of_the_specification() {
    let ordered = format!(
        "<u:Update xmlns:u=\"{UPD}\"><u:UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"1\"/>\
         <u:Properties UpdateType=\"Software\"><u:KBArticleID>2</u:KBArticleID></u:Properties>\
         <u:Relationships><u:Prerequisites/></u:Relationships><u:ApplicabilityRules/>\
         <u:Files/><u:HandlerSpecificData/></u:Update>"
    );
    let shuffled = format!(
        "<Update xmlns=\"{UPD}\"><HandlerSpecificData/><ApplicabilityRules/><Relationships><Prerequisites/>\
         </Relationships><Files/><Properties UpdateType=\"Software\"><KBArticleID>2</KBArticleID></Properties>\
         <Other>x</Other><UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"1\"/></Update>"
    );
    assert_eq!(derived(&ordered), derived(&shuffled));
    assert_eq!(
        derived(&ordered).extended,
        "<ExtendedProperties><KBArticleID>2</KBArticleID></ExtendedProperties><Files /><HandlerSpecificData />"
    );
    assert!(derived(&ordered).core.ends_with("<Relationships><Prerequisites /></Relationships><ApplicabilityRules />"));
}

#[test]
fn empty_relationships_stay_and_absent_ones_do_not_come() {
    assert_eq!(core("<upd:Relationships></upd:Relationships>"), "<Relationships />");
    assert_eq!(core(""), "");
}

#[test]
fn other_namespaces_beside_the_parts_are_passed_over() {
    assert_eq!(core("<cat:Relationships><x/></cat:Relationships><x xmlns='urn:a'>text</x>"), "");
}

#[test]
fn handler_data_keeps_its_type() {
    let text = software(
        "<upd:HandlerSpecificData xsi:type=\"cmd:CommandLineInstallation\"><cmd:InstallCommand Arguments=\"\">\
         <cmd:ReturnCode Code=\"0\"/></cmd:InstallCommand></upd:HandlerSpecificData>",
    );
    assert_eq!(
        derived(&text).extended,
        "<ExtendedProperties /><HandlerSpecificData type=\"cmd:CommandLineInstallation\">\
         <InstallCommand Arguments=\"\"><ReturnCode Code=\"0\" /></InstallCommand></HandlerSpecificData>"
    );
}

#[test]
fn texts_and_licences_are_told_apart() {
    let text = software(
        "<upd:LocalizedPropertiesCollection>\
         <upd:LocalizedProperties><upd:Title>B</upd:Title><upd:Language> pt-BR </upd:Language></upd:LocalizedProperties>\
         <upd:EulaFile Digest=\"hlQslyYcRtWzeaQ+yJX5fq9Am6I=\" FileName=\"e.txt\" Size=\"1\" Language=\"en\" GeoId=\"DEU\">\
         <upd:AdditionalDigest Algorithm=\"X\">y</upd:AdditionalDigest></upd:EulaFile>\
         <upd:EulaFile Digest=\"hlQslyYcRtWzeaQ+yJX5fq9Am6I=\" FileName=\"e.txt\" Size=\"1\" Language=\"en\" GeoId=\"\"/>\
         <upd:LocalizedProperties><upd:Language>en</upd:Language></upd:LocalizedProperties>\
         </upd:LocalizedPropertiesCollection>",
    );
    let (_, fragments) = read(&text, &Limits::default()).expect("valid");
    let languages: Vec<_> = fragments.localized.iter().map(|texts| texts.language.as_str()).collect();
    assert_eq!(languages, ["pt-BR", "en"]);
    let expected = "<LocalizedProperties><Title>B</Title><Language> pt-BR </Language></LocalizedProperties>";
    assert_eq!(fragments.localized[0].xml, expected);
    let regions: Vec<_> = fragments.eulas.iter().map(|eula| (eula.language.as_str(), eula.geo_id.as_deref())).collect();
    assert_eq!(regions, [("en", Some("DEU")), ("en", None)]);
    assert_eq!(
        fragments.eulas[0].xml,
        "<EulaFile Digest=\"hlQslyYcRtWzeaQ+yJX5fq9Am6I=\" FileName=\"e.txt\" Size=\"1\" Language=\"en\" \
         GeoId=\"DEU\"><AdditionalDigest Algorithm=\"X\">y</AdditionalDigest></EulaFile>"
    );
    assert!(fragments.eulas[1].xml.ends_with(" GeoId=\"\" />"));
}

#[test]
fn a_document_without_identity_or_properties_has_no_fragments() {
    let text = format!("<u:Update xmlns:u=\"{UPD}\"><u:Properties/></u:Update>");
    assert_eq!(Fragments::derive(&text).expect_err("refused").fault, Fault::MissingElement("UpdateIdentity"));
    let text = format!("<u:Update xmlns:u=\"{UPD}\"><u:UpdateIdentity/></u:Update>");
    assert_eq!(Fragments::derive(&text).expect_err("refused").fault, Fault::MissingElement("Properties"));
    let text = software("<upd:Files/><upd:Files/>");
    assert_eq!(Fragments::derive(&text).expect_err("refused").fault, Fault::ElementTwice("Files".to_owned()));
}

#[test]
fn the_wire_form_is_as_recorded() {
    let mut out = "x".to_owned();
    let fragment = "<T a=\"it's &amp; &quot;\">\r\n\t\u{1f600}</T>";
    escape_into(&mut out, fragment);
    assert_eq!(out, "x&lt;T a=\"it's &amp;amp; &amp;quot;\"&gt;&#xD;\n\t\u{1f600}&lt;/T&gt;");
    assert_eq!(escaped_len(fragment), out.len() - 1);
    assert_eq!(escaped_len(""), 0);
}
