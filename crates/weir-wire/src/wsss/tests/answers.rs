//! Answers: forms that the recordings do not show, and what a downstream server tolerates.

use jiff::Timestamp;
use uuid::Uuid;
use weir_model::ids::{CollectionId, ContentDigest, RevisionNumber, UpdateId, UpdateIdentity};

use super::*;
use crate::wsss::{
    client::{Call, answer_limits, read},
    *,
};

fn written<A: Answer>(answer: &A) -> String {
    let mut out = String::new();
    answer.write(&mut out, SoapVersion::V11);
    out
}

fn of<C: Call>(result: &str) -> C::Answer {
    let name = C::OPERATION.name();
    let body = envelope(&format!("<{name}Response xmlns=\"{}\">{result}</{name}Response>", C::OPERATION.namespace()));
    read::<C>(body.as_bytes(), &answer_limits(1 << 20)).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn configuration_is_read_in_any_order_and_with_gaps() {
    // The order of Microsoft's own service, without the newer numbers, with an element that nobody knows.
    let config = of::<GetConfigData>(
        "<GetConfigDataResult><CatalogOnlySync>true</CatalogOnlySync><LazySync>false</LazySync><New><a>1</a></New>\
         <MaxNumberOfUpdatesPerRequest>50</MaxNumberOfUpdatesPerRequest><NewConfigAnchor>x y</NewConfigAnchor>\
         <LanguageUpdateList><ServerSyncLanguageData><LanguageID>1033</LanguageID><Enabled>1</Enabled></ServerSyncLanguageData>\
         </LanguageUpdateList><ServerHostsPsfFiles>0</ServerHostsPsfFiles></GetConfigDataResult>",
    )
    .result;
    assert!(config.catalog_only_sync && !config.server_hosts_psf_files);
    assert_eq!(config.updates_per_request(), 50);
    assert_eq!((config.max_updates_per_decryption_request, config.protocol_version), (0, None));
    assert_eq!(config.new_config_anchor.text(), Some("x y"));
    assert_eq!(config.language_update_list.0[0].language_id, 1_033);
    let bare = of::<GetConfigData>("<GetConfigDataResult/>").result;
    assert_eq!(bare.updates_per_request(), 100);
}

#[test]
fn lists_that_must_be_there_are_there() {
    let empty = GetDeploymentsAnswer { result: ServerSyncDeploymentResult::default() };
    let expected = "<GetDeploymentsResult><Groups /><Deployments /><DeadDeployments /><HiddenUpdates /><AcceptedEulas />\
                    </GetDeploymentsResult>";
    assert!(written(&empty).contains(expected), "{}", written(&empty));
    let empty = GetUpdateDecryptionDataAnswer { result: ServerDecryptionData::default() };
    assert!(written(&empty).contains("<UpdateFileDecryptionData />"));
    let empty = RollupComputersAnswer { result: Vec::new().into() };
    assert!(written(&empty).contains("<RollupComputersResult />"));
    let empty = GetRelatedRevisionsForUpdatesAnswer { result: Vec::new().into() };
    assert!(written(&empty).contains("<GetRelatedRevisionsForUpdatesResult />"));
    // And a peer that leaves them out is understood.
    assert_eq!(of::<GetDeployments>("<GetDeploymentsResult/>").result, ServerSyncDeploymentResult::default());
    assert_eq!(of::<GetRevisionIdList>("<GetRevisionIdListResult/>").result.new_revisions.0, []);
    assert_eq!(of::<GetUpdateData>("<GetUpdateDataResult/>").result.updates.0, []);
}

#[test]
fn deployments_are_written_as_the_schema_orders() {
    let deployment = ServerSyncDeployment {
        update_id: UpdateId(Uuid::from_u128(1)),
        revision_number: RevisionNumber(200),
        action: SyncAction::Install.number(),
        admin_name: Some("a\\b".to_owned()),
        deadline: Until(None),
        is_assigned: true,
        go_live_time: Timestamp::UNIX_EPOCH,
        deployment_guid: Uuid::from_u128(2),
        target_group_id: CollectionId::ALL_COMPUTERS,
        download_priority: 1,
    };
    let group = ServerSyncTargetGroup {
        target_group_id: CollectionId::ALL_COMPUTERS,
        parent_group_id: CollectionId(Uuid::nil()),
        name: Some("All Computers".to_owned()),
        is_builtin: true,
    };
    let answer = GetDeploymentsAnswer {
        result: ServerSyncDeploymentResult {
            anchor: AnchorText::new("1,x"),
            groups: vec![group].into(),
            deployments: vec![deployment].into(),
            dead_deployments: vec![Uuid::from_u128(3)].into(),
            hidden_updates: vec![UpdateId(Uuid::from_u128(4))].into(),
            accepted_eulas: vec![Uuid::from_u128(5)].into(),
        },
    };
    let text = written(&answer);
    let expected = "<Deployments><ServerSyncDeployment><UpdateId>00000000-0000-0000-0000-000000000001</UpdateId>\
        <RevisionNumber>200</RevisionNumber><Action>0</Action><AdminName>a\\b</AdminName>\
        <Deadline>9999-12-31T23:59:59.9999999</Deadline><IsAssigned>true</IsAssigned>\
        <GoLiveTime>1970-01-01T00:00:00Z</GoLiveTime><DeploymentGuid>00000000-0000-0000-0000-000000000002</DeploymentGuid>\
        <TargetGroupId>a0a08746-4dbe-4a37-9adf-9e7652c0b421</TargetGroupId><DownloadPriority>1</DownloadPriority>\
        </ServerSyncDeployment></Deployments>";
    assert!(text.contains(expected), "{text}");
    assert_eq!(read::<GetDeployments>(text.as_bytes(), &answer_limits(1 << 20)).expect("read"), answer);
}

#[test]
fn documents_survive_exactly() {
    let document = "<?x?>\r\n<a b='1'\tc=\"2\">&amp;\r]]&gt;\n<b></b><b /> \u{e9}\u{1F600}</a>\r";
    let id = UpdateIdentity::new(UpdateId(Uuid::from_u128(1)), 100);
    let digest = ContentDigest([7; 20]);
    for version in BOTH {
        let writer = UpdateDataWriter::new(version);
        let mut out = String::new();
        writer.head(&mut out);
        writer.update(&mut out, id, document, &[]);
        writer.update_compressed(&mut out, id, &super::super::blob::compress(document).expect("packed"), &[digest]);
        writer.urls_open(&mut out);
        writer.url(&mut out, digest, None);
        writer.url(&mut out, ContentDigest([8; 20]), Some("http://h/a?b&c"));
        writer.tail(&mut out);
        assert!(!out.contains('\r'), "a bare carriage return would be lost");
        let data = read::<GetUpdateData>(out.as_bytes(), &answer_limits(1 << 20)).expect("read").result;
        let [plain, packed] = <[_; 2]>::try_from(data.updates.0).expect("two");
        assert_eq!((plain.file_digest_list.len(), packed.file_digest_list.len()), (0, 1));
        assert_eq!(plain.into_document(0).expect("text needs no bound here"), document);
        assert_eq!(packed.into_document(1_000).expect("unpacked"), document);
        assert_eq!(data.file_urls.0[0].mu_url, None);
        assert_eq!(data.file_urls.0[0].uss_url.as_deref(), Some(""));
        assert_eq!(data.file_urls.0[1].mu_url.as_deref(), Some("http://h/a?b&c"));
    }
    let neither = ServerSyncUpdateData {
        id,
        xml_update_blob: None,
        file_digest_list: Vec::new(),
        xml_update_blob_compressed: None,
    };
    assert!(neither.into_document(1).is_err());
}

#[test]
fn changes_of_computers_are_attributes() {
    let change = |id: &str, change| ChangedComputer { computer_id: Some(id.to_owned()), change };
    let list = vec![change("a\"<\t\r\nb'", ComputerChange::NewParent), change("c", ComputerChange::Deleted)];
    let answer = RollupComputersAnswer { result: list.into() };
    let text = written(&answer);
    let expected = "<ChangedComputer ComputerId=\"a&quot;&lt;&#x9;&#xD;&#xA;b'\" Change=\"NewParent\" />\
                    <ChangedComputer ComputerId=\"c\" Change=\"Deleted\" />";
    assert!(text.contains(expected), "{text}");
    assert_eq!(read::<RollupComputers>(text.as_bytes(), &answer_limits(1 << 20)).expect("read"), answer);
    assert!(of::<RollupComputers>("<RollupComputersResult/>").result.0.is_empty());
    assert_eq!(of::<RollupComputers>("").result.0, [], "the result may be absent");
}

#[test]
fn ping_tells_nothing_of_the_machine() {
    let now = Timestamp::UNIX_EPOCH;
    let answer = PingAnswer { result: MonitoredServicesResponse::well(Service::ServerSync, now, true) };
    let text = written(&answer);
    assert!(
        text.contains("<PingResponse xmlns=\"http://www.microsoft.com/SoftwareDistribution/Server/IMonitorable\">")
    );
    assert_eq!(read::<Ping>(text.as_bytes(), &answer_limits(1 << 20)).expect("read"), answer);
}

#[test]
fn large_answers_are_read_in_one_pass() {
    // A document whose text is all references, and one that the fast path leaves to the tokenizer.
    let document = "<a b=\"1\">&amp;</a>".repeat(20_000);
    let id = UpdateIdentity::new(UpdateId(Uuid::from_u128(1)), 100);
    let writer = UpdateDataWriter::new(SoapVersion::V11);
    let mut out = String::new();
    writer.head(&mut out);
    writer.update(&mut out, id, &document, &[]);
    writer.update_open(&mut out, id);
    out.push_str("<!-- odd -->");
    crate::soap::escape_into(&mut out, &document[..3_600]);
    writer.update_close(&mut out, &[]);
    writer.urls_open(&mut out);
    writer.tail(&mut out);
    let limits = answer_limits(16 << 20);
    let data = read::<GetUpdateData>(out.as_bytes(), &limits).expect("read").result;
    assert!(data.updates.0[0].xml_update_blob.as_deref() == Some(&document));
    assert!(data.updates.0[1].xml_update_blob.as_deref() == Some(&document[..3_600]));
    let small = answer_limits(document.len());
    assert!(read::<GetUpdateData>(out.as_bytes(), &small).is_err(), "the body is bounded");
    let small = Limits { text: document.len() - 1, ..limits };
    assert!(read::<GetUpdateData>(out.as_bytes(), &small).is_err(), "a text is bounded");
}
