//! What a probe sent to a real server, sent to this one (cookies, anchors and host replaced).

use std::collections::{BTreeMap, BTreeSet};

use weir_testkit::{
    http::Connection,
    replay::{self, Recorded, Substitutions},
};

use crate::{
    common::{Server, element},
    support,
};

async fn send(recorded: &Recorded, connection: &mut Connection, values: &Substitutions) -> (u16, String) {
    let answer = recorded.send(connection, values).await.expect("an answer");
    (answer.status, answer.text())
}

/// Names of elements in their order, repetitions once: the form of an answer.
fn form(text: &str) -> Vec<String> {
    let tags = text.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '?']));
    let names = tags.map(|tag| tag.split([' ', '/', '>']).next().unwrap_or_default().to_owned());
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// The text without the content of these elements.
fn without(text: &str, names: &[&str]) -> String {
    names.iter().fold(text.to_owned(), |text, name| {
        let tag = format!("<{name}>");
        let mut parts = text.split(&tag);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out.push_str(&tag);
            out.push_str(part.find('<').map_or("", |end| &part[end..]));
        }
        out
    })
}

async fn with_recorded_documents() -> Server {
    let server = support::start().await;
    let folder = weir_testkit::shared("captures/updates");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).expect("captures") {
        let path = entry.expect("an entry").path();
        // whole documents are ID-rREVISION.xml, fragments have another extension in between
        let plain = path.file_stem().is_some_and(|stem| !stem.to_string_lossy().contains('.'));
        if plain && path.extension().is_some_and(|extension| extension == "xml") {
            texts.push(std::fs::read_to_string(&path).expect("a document"));
        }
    }
    assert!(texts.len() >= 4, "{} documents", texts.len());
    server.import_texts(texts).await;
    server
}

#[tokio::test]
async fn the_recorded_requests_are_answered_in_the_recorded_form() {
    let server = with_recorded_documents().await;
    let exchanges: BTreeMap<u32, Recorded> =
        replay::server_sync().into_iter().map(|recorded| (recorded.number, recorded)).collect();
    assert_eq!(exchanges.len(), 10);
    let mut connection = server.connect();
    let mut values = Substitutions { host: Some(connection.authority().to_owned()), ..Substitutions::default() };
    let mut answers = BTreeMap::new();
    for (number, recorded) in &exchanges {
        let (status, text) = send(recorded, &mut connection, &values).await;
        assert_eq!(status, recorded.status, "{number}: {text}");
        match recorded.operation.as_str() {
            "GetAuthorizationCookie" => values.authorization_cookie = element(&text, "CookieData").map(str::to_owned),
            "GetCookie" => {
                let part = |name| element(&text, name).expect(name).to_owned();
                values.cookie = Some((part("Expiration"), part("EncryptedData")));
            }
            "GetConfigData" => values.anchor = element(&text, "NewConfigAnchor").map(str::to_owned),
            "GetRevisionIdList" if status == 200 => values.anchor = element(&text, "Anchor").map(str::to_owned),
            _ => {}
        }
        answers.insert(*number, text);
    }
    for number in [1, 2, 3, 4, 6, 11, 15] {
        assert_eq!(form(&answers[&number]), form(&exchanges[&number].response), "{number}: {}", answers[&number]);
    }
    // byte for byte, but for what is fresh in each answer
    let fresh = ["LastChange", "CookieData", "Expiration", "EncryptedData", "Anchor", "NewConfigAnchor"];
    for number in [1, 2, 3, 4, 11] {
        let plain = |text: &str| without(text, &fresh);
        assert_eq!(plain(&answers[&number]), plain(&exchanges[&number].response), "{number}");
    }
    // the document and its identity to the last byte; the rest of the answer differs in empty elements only
    let blob = |text: &str| element(text, "XmlUpdateBlob").expect("a document").to_owned();
    assert_eq!(blob(&answers[&15]), blob(&exchanges[&15].response));
    let digests = |text: &str| element(text, "FileDigestList").expect("digests").to_owned();
    assert_eq!(digests(&answers[&14]), digests(&exchanges[&14].response));
}

#[tokio::test]
async fn exchange_19_gives_its_recorded_fault() {
    let server = support::start().await;
    let recorded = replay::server_sync().into_iter().find(|recorded| recorded.number == 19).expect("recorded");
    let mut connection = server.connect();
    let (status, text) = send(&recorded, &mut connection, &Substitutions::default()).await;
    assert_eq!(status, 500);
    element(&text, "ID").expect("an id").parse::<uuid::Uuid>().expect("a GUID");
    // recorded through a proxy: its request names another port than the server's answer
    let actor = element(&text, "faultactor").expect("an actor");
    assert_eq!(actor, "http://127.0.0.1:8530/ServerSyncWebService/ServerSyncWebService.asmx");
    assert_eq!(without(&text, &["ID"]), without(&recorded.response, &["ID"]));
}
