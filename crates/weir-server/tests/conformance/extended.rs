//! Extended information, file locations and the refreshed cache (checklist 43 to 49).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_model::{
    catalogue::Lack,
    ids::{CollectionId, ContentDigest, RevisionId, UpdateId, UpdateIdentity},
    targeting::DeploymentAction,
    update::CategoryKind,
};
use weir_store::revision::FileSource;
use weir_testkit::{Computer, Document, Payload, ScriptedAgent, http, shared::shared_text};
use weir_wire::{
    soap::{Binary, ClientOnly, ErrorCode},
    wusp::{
        ExtendedUpdateInfo, ExtendedUpdateInfo2, FragmentType, GetExtendedUpdateInfo, GetExtendedUpdateInfo2,
        GetFileLocations, RefreshCache,
    },
};

use crate::{
    common::{self, Server, id},
    support::{self, code, ready, refused, rid, sync},
};

const ALL: CollectionId = CollectionId::ALL_COMPUTERS;

fn identity(number: u128) -> UpdateIdentity {
    UpdateIdentity::new(id(number), 1)
}

fn request(
    agent: &ScriptedAgent,
    ids: Vec<RevisionId>,
    types: &[FragmentType],
    locales: &[&str],
) -> GetExtendedUpdateInfo {
    GetExtendedUpdateInfo {
        cookie: agent.state.cookie.clone(),
        revision_ids: ids,
        info_types: types.to_vec(),
        locales: locales.iter().map(|&locale| locale.to_owned()).collect(),
        device_attributes: ClientOnly(None),
        geo_id: None,
        caller_attributes: ClientOnly(None),
    }
}

async fn info(
    agent: &mut ScriptedAgent,
    ids: &[RevisionId],
    types: &[FragmentType],
    locales: &[&str],
) -> ExtendedUpdateInfo {
    let request = request(agent, ids.to_vec(), types, locales);
    agent.call(&request).await.expect("answered").result.expect("result")
}

fn digest_of(bytes: &Binary) -> ContentDigest {
    ContentDigest(bytes.0.as_slice().try_into().expect("20 bytes"))
}

/// Product, detectoid, a bundle of two members, one with a file in three languages, and an update with a licence.
fn catalogue(payload: &Payload, licences: &[Payload; 2]) -> Vec<Document> {
    let eula = Uuid::from_u128(0xe01a);
    vec![
        Document::category(id(1), 1, CategoryKind::Product).title("Product"),
        Document::detectoid(id(2), 1).title("Detectoid"),
        Document::member(id(11), 1)
            .localized("en", "Member", Some("A member"))
            .localized("de", "Mitglied", None)
            .localized("pt-BR", "Membro", None)
            .requires(id(2))
            .file(payload),
        Document::member(id(12), 1).localized("de", "Nur deutsch", None).requires(id(2)),
        Document::software(id(10), 1)
            .title("Bundle")
            .requires(id(2))
            .in_category(id(1))
            .bundles([identity(11)])
            .bundles([identity(12)]),
        Document::software(id(20), 1).title("Licensed").in_category(id(1)).eula(eula, "en", None, &licences[0]).eula(
            eula,
            "de",
            Some("DEU"),
            &licences[1],
        ),
    ]
}

fn files() -> (Payload, [Payload; 2]) {
    let licence = |number| Payload::random("licence.txt", 300, number);
    (Payload::random("Setup.exe", 70_000, 1), [licence(2), licence(3)])
}

async fn scanned() -> (Server, ScriptedAgent) {
    let server = Server::start().await;
    let (payload, licences) = files();
    server.import(&catalogue(&payload, &licences)).await;
    let (agent, _) = ready(&server).await;
    assert_eq!(agent.state.cache.len(), 6);
    (server, agent)
}

/// Checklist 43: as many ids as GetConfig says pass, one more faults; repeats count.
#[tokio::test]
async fn c43_fifty_ids_pass_and_one_more_faults() {
    let (server, mut agent) = scanned().await;
    let known = rid(&agent, identity(1));
    let types = [FragmentType::Extended];
    for limit in [50, 7] {
        server.set(|settings| settings.extended_limit = limit);
        let different: Vec<_> = (1..=limit as i32).map(RevisionId).collect();
        for mut ids in [different, vec![known; limit as usize]] {
            let distinct: BTreeSet<_> = ids.iter().copied().collect();
            let result = info(&mut agent, &ids, &types, &[]).await;
            assert_eq!(result.updates.len() + result.out_of_scope_revision_ids.len(), distinct.len(), "{limit}");
            ids.push(known);
            let more = request(&agent, ids, &types, &[]);
            let expected = Some((ErrorCode::InvalidParameters, "revisionIDs".to_owned()));
            assert_eq!(refused(&mut agent, &more).await, expected, "{limit} + 1");
        }
    }
    server.set(|settings| settings.extended_limit = 50);
    let by_identity = |count: usize| GetExtendedUpdateInfo2 {
        cookie: agent.state.cookie.clone(),
        update_ids: (0..count as u128).map(|number| identity(number).into()).collect(),
        info_types: types.to_vec(),
        locales: Vec::new(),
        device_attributes: ClientOnly(None),
        caller_attributes: ClientOnly(None),
    };
    let (fifty, more) = (by_identity(50), by_identity(51));
    assert_eq!(code(&mut agent, &fifty).await, None);
    assert_eq!(code(&mut agent, &more).await, Some(ErrorCode::InvalidParameters));
}

/// Checklist 43: fragment types are needed, languages only for localized ones; all eight types are taken, and each
/// fragment comes once, with its revision's id.
#[tokio::test]
async fn c43_rules_of_types_and_languages() {
    use FragmentType::{
        Core, Eula, Extended, FileDecryption, FileUrl, LocalizedProperties, Published, VerificationRule,
    };
    let (_server, mut agent) = scanned().await;
    let ids = [rid(&agent, identity(11)), rid(&agent, identity(20))];
    let missing = |path: &str| Some((ErrorCode::InvalidParameters, path.to_owned()));
    let none = request(&agent, ids.to_vec(), &[], &["en"]);
    assert_eq!(refused(&mut agent, &none).await, missing("infoTypes"));
    for kind in [LocalizedProperties, Eula] {
        let without = request(&agent, ids.to_vec(), &[Extended, kind], &[]);
        assert_eq!(refused(&mut agent, &without).await, missing("locales"), "{kind:?}");
    }
    for (types, expected) in [
        (vec![Core], 2),
        (vec![Extended], 2),
        (vec![Extended, Extended], 2),
        (vec![FileUrl], 0),
        (vec![FileDecryption], 0),
        (vec![Published, VerificationRule], 0),
        (vec![LocalizedProperties], 2),
        (vec![Eula], 1),
        (FragmentType::ALL.to_vec(), 7),
    ] {
        let result = info(&mut agent, &ids, &types, &["en"]).await;
        assert_eq!(result.updates.len(), expected, "{types:?}");
        assert!(result.updates.iter().all(|update| ids.contains(&update.id)));
        let files: BTreeSet<_> = result.file_locations.iter().filter_map(|it| it.url.clone()).collect();
        assert_eq!((files.len(), result.file_locations.len()), (3, 3), "locations come whatever is asked: {types:?}");
    }
}

/// Checklist 44: through a scan and GetExtendedUpdateInfo, fragments of genuine documents are those that a Windows
/// server gave, byte for byte. (Every pair, and each rule of the derivation alone, is tested in `weir_model`.)
#[tokio::test]
async fn c44_fragments_equal_golden_files() {
    let server = Server::start().await;
    let names = [
        "56309036-4c77-4dd9-951a-99ee9c246a94-r101",
        "dd78b8a1-0b20-45c1-add6-4da72e9364cf-r202",
        "266f6222-c89d-43f2-9f8a-69340271e677-r200",
        "ccb78947-6453-4ecc-9de8-bc0305c98f2d-r200",
    ];
    let texts = names.map(|name| shared_text(&format!("captures/updates/{name}.xml")));
    server.import_texts(texts).await;
    // what they lack, made up: until then they are not offered
    let lacks = server.state.live.current().snapshot.unresolved();
    assert!(!lacks.is_empty());
    let made_up = |lack: &Lack| match lack {
        Lack::Prerequisite(id) => Document::detectoid(*id, 1),
        Lack::PrerequisiteClause(ids) => Document::detectoid(ids[0], 1),
        Lack::Circle(ids) => panic!("genuine documents need no circle: {ids:?}"),
        Lack::BundleClause(members) => Document::member(members[0].update_id, members[0].revision.0),
    };
    let stubs: BTreeMap<UpdateId, Document> = lacks
        .iter()
        .flat_map(|(_, lacks)| lacks)
        .map(|lack| made_up(lack).title("Made up"))
        .map(|document| (document.id(), document))
        .collect();
    let stubs: Vec<Document> = stubs.into_values().collect();
    server.import(&stubs).await;
    assert_eq!(server.state.live.current().snapshot.unresolved(), []);
    let (mut agent, _) = ready(&server).await;
    let mut compared = 0;
    for name in names {
        let (id, revision) = name.rsplit_once("-r").expect("a revision");
        let identity = UpdateIdentity::new(id.parse().expect("an id"), revision.parse().expect("a number"));
        let rid = rid(&agent, identity);
        for (kind, suffix) in [
            (FragmentType::Core, "core"),
            (FragmentType::Extended, "extended"),
            (FragmentType::LocalizedProperties, "localized-en"),
        ] {
            let golden = shared_text(&format!("captures/updates/{name}.{suffix}.xml"));
            let result = info(&mut agent, &[rid], &[kind], &["en-US", "en"]).await;
            assert_eq!(result.updates.len(), 1, "{name} {suffix}");
            assert_eq!(result.updates[0].xml.as_deref(), Some(golden.as_str()), "{name} {suffix}");
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
    // and the Core of a scan is the same text
    let mut fresh = server.agent(2);
    fresh.handshake().await.expect("handshake");
    let cookie = fresh.state.cookie.clone().expect("cookie");
    let first = fresh.call(&sync(&cookie)).await.expect("answered").result.expect("result");
    let golden = shared_text(&format!("captures/updates/{}.core.xml", names[0]));
    assert!(first.new_updates.iter().any(|update| update.xml.as_deref() == Some(golden.as_str())));
}

/// Checklist 45: English always, a region falls back to its language, and nothing twice.
#[tokio::test]
async fn c45_english_is_always_there() {
    let (_server, mut agent) = scanned().await;
    let (many, german) = (rid(&agent, identity(11)), rid(&agent, identity(12)));
    let cases: [(&[&str], &[&str]); 8] = [
        (&["en"], &["Member"]),
        (&["en-US", "en"], &["Member"]),
        (&["en-US"], &["Member"]),
        (&["fr"], &["Member"]),
        (&["de"], &["Member", "Mitglied"]),
        (&["DE-de"], &["Member", "Mitglied"]),
        (&["de", "DE", "de-AT"], &["Member", "Mitglied"]),
        (&["PT-br", "de"], &["Member", "Mitglied", "Membro"]),
    ];
    for (locales, expected) in cases {
        let result = info(&mut agent, &[many], &[FragmentType::LocalizedProperties], locales).await;
        let titles: Vec<_> = result
            .updates
            .iter()
            .filter_map(|update| {
                update.xml.as_deref()?.split_once("<Title>")?.1.split_once('<').map(|(title, _)| title)
            })
            .collect();
        assert_eq!(titles, expected, "{locales:?}");
    }
    // an update that has no English has none
    for (locales, count) in [(&["en"][..], 0), (&["de"], 1), (&["de-DE", "en"], 1)] {
        let result = info(&mut agent, &[german], &[FragmentType::LocalizedProperties], locales).await;
        assert_eq!(result.updates.len(), count, "{locales:?}");
    }
}

/// Digests, sizes and names in the fragments.
fn files_in(fragments: impl IntoIterator<Item = String>) -> BTreeMap<ContentDigest, u64> {
    let value = |text: &str, name: &str| {
        let rest = text.split_once(&format!(" {name}=\""))?.1;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut files = BTreeMap::new();
    for fragment in fragments {
        for file in fragment.split("File ").skip(1) {
            let file = format!(" {file}");
            let digest = ContentDigest::from_base64(&value(&file, "Digest").expect("Digest")).expect("a digest");
            files.insert(digest, value(&file, "Size").expect("Size").parse().expect("a number"));
        }
    }
    files
}

/// Checklist 46: every file that a fragment names, licence files too, has one location at the host the client used, and
/// what is served there has the announced size and digest.
#[tokio::test]
async fn c46_every_file_has_a_location_and_its_size() {
    let (server, mut agent) = scanned().await;
    let (payload, licences) = files();
    let ids: Vec<_> = agent.state.cache.keys().map(|id| RevisionId(*id)).collect();
    let types = [FragmentType::Extended, FragmentType::LocalizedProperties, FragmentType::Eula];
    let mut german = request(&agent, ids, &types, &["en", "de"]);
    german.geo_id = Some("DEU".to_owned());
    let result = agent.call(&german).await.expect("answered").result.expect("result");
    let named = files_in(result.updates.iter().filter_map(|update| update.xml.clone()));
    assert_eq!(named.len(), 3, "{named:?}");
    let mut located = BTreeMap::new();
    for location in &result.file_locations {
        let url = location.url.clone().expect("Url");
        assert!(url.starts_with(&format!("{}/Content/", server.base)), "{url}");
        assert_eq!((&location.file_digest_algorithm, &location.pieces_hash_url), (&None, &None), "only digest and Url");
        let digest = digest_of(location.file_digest.as_ref().expect("FileDigest"));
        assert!(located.insert(digest, url).is_none(), "once per file");
    }
    assert_eq!(named.keys().collect::<Vec<_>>(), located.keys().collect::<Vec<_>>());
    // a location even before the file is here: it answers 404 until then
    for (digest, url) in &located {
        let (_, path) = url.split_at(server.base.len());
        assert_eq!(server.send("GET", path, &[], "").await.status, 404, "{digest}");
    }
    for payload in [&payload, &licences[0], &licences[1]] {
        server.add_content(payload).await;
        let url = &located[&payload.sha1()];
        let (_, path) = url.split_at(server.base.len());
        let answer = server.send("GET", path, &[], "").await;
        assert_eq!((answer.status, answer.body.len() as u64), (200, named[&payload.sha1()]), "{url}");
        assert!(answer.body == payload.bytes);
    }
}

/// Checklist 46: what is not for this computer is out of scope, file and all.
#[tokio::test]
async fn c46_undeployed_revisions_are_out_of_scope() {
    let (server, mut agent) = scanned().await;
    let (licensed, bundle) = (rid(&agent, identity(20)), rid(&agent, identity(10)));
    server.decline(id(20)).await;
    let unknown = RevisionId(99_999);
    let result = info(&mut agent, &[licensed, bundle, unknown], &[FragmentType::Extended], &[]).await;
    assert_eq!(result.updates.iter().map(|update| update.id).collect::<Vec<_>>(), [bundle]);
    assert_eq!(result.out_of_scope_revision_ids, [licensed, unknown]);
    assert_eq!(result.file_locations, []);
    // a bundle that nobody approved is visible all the same
    assert!(!server.state.live.current().snapshot.unresolved().iter().any(|(id, _)| *id == bundle));
}

/// Checklist 46: the host of a location is that of the request with the content port, or what the administrator set; a
/// hostile Host header does not get into it.
#[tokio::test]
async fn c46_locations_name_the_host_that_the_client_used() {
    let (server, agent) = scanned().await;
    let port = server.state.content_port();
    let body = support::encoded(&request(&agent, vec![rid(&agent, identity(11))], &[FragmentType::FileUrl], &[]));
    let url = |answer: &http::Answer| common::element(&answer.text(), "Url").expect("Url").to_owned();
    for (host, expected) in [
        ("wsus.example.test:8530", format!("http://wsus.example.test:{port}/Content/")),
        ("192.0.2.7", format!("http://192.0.2.7:{port}/Content/")),
        ("[2001:db8::1]:80", format!("http://[2001:db8::1]:{port}/Content/")),
        ("evil\"><x", format!("http://localhost:{port}/Content/")),
        ("a@evil.test", format!("http://localhost:{port}/Content/")),
    ] {
        let answer = server.send("POST", support::CLIENT, &[("Host", host)], &body).await;
        assert!(url(&answer).starts_with(&expected), "{host}: {}", url(&answer));
    }
    server.set(|settings| settings.content_base = Some("http://cdn.example.test:81/".to_owned()));
    let answer = server.send("POST", support::CLIENT, &[], &body).await;
    assert!(url(&answer).starts_with("http://cdn.example.test:81/Content/"), "{}", url(&answer));
}

/// Checklist 47: by identity, with FileUrl, and SHA1 named as the algorithm; no keys, since no file is encrypted.
#[tokio::test]
async fn c47_extended_info_by_identity() {
    let (server, mut agent) = scanned().await;
    server.decline(id(20)).await;
    let cookie = agent.state.cookie.clone();
    let ask = |ids: Vec<UpdateIdentity>, types: &[FragmentType], locales: &[&str]| GetExtendedUpdateInfo2 {
        cookie: cookie.clone(),
        update_ids: ids.into_iter().map(Into::into).collect(),
        info_types: types.to_vec(),
        locales: locales.iter().map(|&locale| locale.to_owned()).collect(),
        device_attributes: ClientOnly(None),
        caller_attributes: ClientOnly(None),
    };
    let asked = [identity(11), identity(11), identity(20), UpdateIdentity::new(id(11), 2), identity(99)].to_vec();
    let requests = [
        ask(asked.clone(), &[FragmentType::Extended, FragmentType::FileUrl], &[]),
        ask(asked, &[FragmentType::FileUrl], &[]),
        ask(vec![identity(11)], &[FragmentType::LocalizedProperties], &["de"]),
    ];
    let (payload, _) = files();
    let member = rid(&agent, identity(11));
    for (request, expected) in requests.iter().zip([1, 0, 2]) {
        let result: ExtendedUpdateInfo2 = agent.call(request).await.expect("answered").result.expect("result");
        assert_eq!(result.updates.len(), expected);
        assert!(result.updates.iter().all(|update| update.id == member));
        let [location] = result.file_locations.as_slice() else { panic!("{:?}", result.file_locations) };
        assert_eq!(digest_of(location.file_digest.as_ref().expect("FileDigest")), payload.sha1());
        assert_eq!(location.file_digest_algorithm.as_deref(), Some("SHA1"));
        assert!(location.url.as_deref().is_some_and(|url| url.ends_with(&payload.content_path())), "{location:?}");
        assert!(result.file_decryption_data.is_empty() && result.file_decryption_data2.is_empty());
        assert!(result.update_encryption_details.is_empty());
    }
    let without = ask(vec![identity(11)], &[FragmentType::LocalizedProperties], &[]);
    assert_eq!(code(&mut agent, &without).await, Some(ErrorCode::InvalidParameters));
}

/// Checklist 48: digests of 20 bytes and no other; unknown ones are left out; licence files count; the NewCookie works.
#[tokio::test]
async fn c48_file_locations() {
    let (server, mut agent) = scanned().await;
    let (payload, licences) = files();
    let ask = |digests: Vec<Vec<u8>>| GetFileLocations {
        cookie: agent.state.cookie.clone(),
        file_digests: digests.into_iter().map(Binary).collect(),
    };
    let known = payload.sha1().0.to_vec();
    let wrong = [
        ask(vec![known[..19].to_vec()]),
        ask(vec![[&known[..], &[0]].concat()]),
        ask(vec![known.clone(), Vec::new()]),
        ask(vec![known.clone(), known.clone(), known[..19].to_vec()]),
    ];
    let good = ask(vec![known, vec![7; 20], licences[1].sha1().0.to_vec()]);
    let unknown = ask(vec![vec![7; 20]]);
    for request in wrong {
        let expected = Some((ErrorCode::InvalidParameters, "fileDigests".to_owned()));
        assert_eq!(refused(&mut agent, &request).await, expected);
    }
    let result = agent.call(&good).await.expect("answered").result.expect("result");
    let located: Vec<_> = result
        .file_locations
        .iter()
        .map(|it| (digest_of(it.file_digest.as_ref().expect("digest")), it.url.clone()))
        .collect();
    let url = |payload: &Payload| (payload.sha1(), Some(format!("{}/Content/{}", server.base, payload.content_path())));
    assert_eq!(located, [url(&payload), url(&licences[1])]);
    let cookie = result.new_cookie.expect("cookie");
    assert_eq!(code(&mut agent, &sync(&cookie)).await, None);
    let result = agent.call(&unknown).await.expect("answered").result.expect("result");
    assert_eq!(result.file_locations, []);
    assert!(result.new_cookie.is_some());
}

/// With content left at its publisher, computers are told the recorded address, for licence files and for files without
/// one this server's.
#[tokio::test]
async fn c48_file_locations_of_content_left_elsewhere() {
    let (server, mut agent) = scanned().await;
    let (payload, licences) = files();
    let ask = |digest: ContentDigest| GetFileLocations {
        cookie: agent.state.cookie.clone(),
        file_digests: vec![Binary(digest.0.to_vec())],
    };
    let requests = [ask(payload.sha1()), ask(licences[1].sha1())];
    let here = |payload: &Payload| format!("{}/Content/{}", server.base, payload.content_path());
    let mut told = async || {
        let mut urls = Vec::new();
        for request in &requests {
            let result = agent.call(request).await.expect("answered").result.expect("result");
            urls.push(result.file_locations[0].url.clone().expect("an address"));
        }
        urls
    };
    let address = "http://publisher.example/a b?c=1&d=<e>".to_owned();
    let sources: Vec<_> = [payload.sha1(), licences[1].sha1()]
        .map(|digest| FileSource { digest, url: address.clone(), origin: "upstream".to_owned() })
        .into();
    assert_eq!(told().await, [here(&payload), here(&licences[1])]);
    server.set(|settings| settings.content_elsewhere = true);
    assert_eq!(told().await, [here(&payload), here(&licences[1])], "no address is known");
    server.state.write(common::actor(), move |tx| tx.file_source_add(&sources)).await.expect("written");
    assert_eq!(told().await, [address, here(&licences[1])]);
}

/// Checklist 49: after a rebuild the same revisions have other numbers; RefreshCache maps them, leaves out what is not
/// deployed here and the members of bundles, and the scan after it goes on from there.
#[tokio::test]
async fn c49_refresh_cache_after_a_rebuild() {
    let (_first, mut agent) = scanned().await;
    let before = agent.state.cache.clone();
    let rebuilt = Server::start().await;
    let (payload, licences) = files();
    let filler: Vec<_> = (100..120).map(|number| Document::detectoid(id(number), 1).title("Filler")).collect();
    rebuilt.import(&filler).await;
    let mut documents = catalogue(&payload, &licences);
    documents.reverse();
    rebuilt.import(&documents).await;
    rebuilt.decline(id(20)).await;
    rebuilt.deploy(id(10), ALL, DeploymentAction::Optional).await;

    agent.move_to(&rebuilt.base).expect("address");
    (agent.state.cookie, agent.state.config, agent.state.registered) = (None, None, false);
    agent.handshake().await.expect("handshake");
    let mut asked: Vec<UpdateIdentity> = before.values().map(|cached| cached.identity).collect();
    asked.extend([UpdateIdentity::new(id(1), 2), identity(500), identity(1)]);
    let request = RefreshCache {
        cookie: agent.state.cookie.clone(),
        global_ids: asked.iter().map(|identity| (*identity).into()).collect(),
    };
    let results = agent.call(&request).await.expect("answered").result;
    let snapshot = rebuilt.state.live.current();
    let mut mapped = BTreeMap::new();
    for result in results {
        let identity: UpdateIdentity = result.global_id.expect("GlobalID").into();
        assert_eq!(snapshot.snapshot.identity(result.revision_id), Some(identity));
        assert!(result.deployment.is_some());
        let old = *before.iter().find(|(_, cached)| cached.identity == identity).expect("asked for").0;
        assert_ne!(old, result.revision_id.0, "{identity} has another number");
        assert!(mapped.insert(identity, result.revision_id).is_none(), "once each");
    }
    assert_eq!(mapped.into_keys().collect::<Vec<_>>(), [identity(1), identity(2), identity(10)]);

    agent.refresh_cache().await.expect("refreshed");
    let outcome = agent.scan().await.expect("scan");
    assert_eq!(outcome.out_of_scope, [] as [i32; 0], "every number is this server's");
    let new: BTreeSet<_> = outcome.new_updates().collect();
    assert!(new.is_superset(&BTreeSet::from([identity(11), identity(12)])), "members come again: {new:?}");
    assert!(!new.contains(&identity(10)) && !new.contains(&identity(20)), "{new:?}");
}

/// Checklist 49: thousands of ids in one call, of which a few are known.
#[tokio::test]
async fn c49_thousands_of_ids() {
    let (server, _) = scanned().await;
    let mut agent = server.agent_of(Computer::numbered(7));
    agent.scan().await.expect("scan");
    let ids = (1..=8_000).map(|number| identity(number).into()).collect();
    let request = RefreshCache { cookie: agent.state.cookie.clone(), global_ids: ids };
    let results = agent.call(&request).await.expect("answered").result;
    let mut found: Vec<UpdateIdentity> = results.into_iter().map(|it| it.global_id.expect("GlobalID").into()).collect();
    found.sort_unstable();
    assert_eq!(found, [identity(1), identity(2), identity(10), identity(20)]);
}
