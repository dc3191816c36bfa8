//! Products, classifications, languages.

use reqwest::Method;
use serde_json::{Value, json};
use weir_testkit::shared;

use crate::harness::Server;

async fn with_catalogue() -> Server {
    let server = Server::start().await;
    let package = std::fs::read(shared("data/wsusutil-export-2020-04.cab")).expect("package");
    server.import(&[("export.cab", &package)]).await;
    server
}

fn find<'a>(items: &'a Value, title: &str) -> &'a Value {
    let items = items.as_array().expect("items");
    items
        .iter()
        .find(|item| item["title"] == title)
        .unwrap_or_else(|| panic!("{title} is not among {} items", items.len()))
}

fn selected(answer: &Value) -> usize {
    answer["selected"].as_array().expect("selected").len()
}

#[tokio::test]
async fn products_are_a_tree_with_localized_titles_that_can_be_chosen_by_branch() {
    let server = with_catalogue().await;
    let tree = server.get("products").await.ok();
    let microsoft = find(&tree["items"], "Microsoft");
    assert_eq!(microsoft["kind"], "company");
    assert_eq!(microsoft["holds_updates"], false);
    let windows = find(&microsoft["children"], "Windows");
    assert_eq!(windows["kind"], "product_family");
    assert_eq!(windows["children"].as_array().expect("products").len(), 97);
    let products: usize = tree["items"]
        .as_array()
        .expect("companies")
        .iter()
        .flat_map(|company| company["children"].as_array().expect("families"))
        .map(|family| {
            family["children"].as_array().expect("products").len().max(usize::from(family["kind"] == "product"))
        })
        .sum();
    assert_eq!(products, 295);

    let all = server.call(Method::PUT, "products", Some(json!({ "all": true }))).await.ok();
    assert_eq!(selected(&all), 295);
    let tree = server.get("products").await.ok();
    assert_eq!(find(&tree["items"], "Microsoft")["selected"], true);
    let family = json!({ "ids": [windows["id"]] });
    let only = server.call(Method::PUT, "products", Some(family.clone())).await.ok();
    // the family itself is what is chosen: it covers what comes below it later
    assert_eq!(only, json!({ "selected": [windows["id"]], "covers": 97 }));
    let tree = server.get("products").await.ok();
    let chosen = find(&find(&tree["items"], "Microsoft")["children"], "Windows");
    assert_eq!((&chosen["chosen"], &chosen["selected"]), (&json!(true), &json!(true)));
    assert_eq!((&chosen["children"][0]["chosen"], &chosen["children"][0]["selected"]), (&json!(false), &json!(true)));
    let fewer =
        server.call(Method::DELETE, "products", Some(json!({ "ids": [windows["children"][0]["id"]] }))).await.ok();
    assert_eq!(selected(&fewer), 96);
    assert!(fewer["notes"][0].as_str().expect("a note").contains("no longer chosen as a whole"), "{fewer}");
    assert_eq!(server.post("products", family).await.ok(), json!({ "selected": [windows["id"]], "covers": 97 }));

    let query = json!({ "of": "products", "how": "remove", "change": { "ids": [windows["id"]] } });
    let preview = server.post("selection-preview", query).await.ok();
    assert_eq!((&preview["covers_before"], &preview["covers"]), (&json!(97), &json!(0)));
    assert_eq!(server.get("products").await.ok(), tree, "a preview changes nothing");
    let none = server.call(Method::PUT, "products", Some(json!({ "ids": [] }))).await.ok();
    assert_eq!(none, json!({ "selected": [] }));

    for (ids, code) in [("nothing", "id"), ("5cc25303-143f-40f3-a2ff-000000000000", "not_found")] {
        let refused = server.call(Method::PUT, "products", Some(json!({ "ids": [ids] }))).await;
        assert_eq!(refused.body["code"], code);
    }
    let both = server.call(Method::PUT, "products", Some(json!({ "all": true, "ids": ["x"] }))).await;
    assert_eq!(both.refused(400), "selection");
    server.stop().await;
}

#[tokio::test]
async fn classifications_and_languages_are_chosen_likewise() {
    let server = with_catalogue().await;
    let english = server.get("classifications").await.ok();
    assert_eq!(english["items"].as_array().expect("items").len(), 12);
    let security = find(&english["items"], "Security Updates");
    assert_eq!(security["id"], "0fa1201d-4330-4fa8-8ae9-b877473b6441");
    assert_eq!(security["revision"], 100);
    let german = server.get("classifications?language=de").await.ok();
    let same = german["items"].as_array().expect("items").iter().find(|item| item["id"] == security["id"]);
    assert_ne!(same.expect("there")["title"], "Security Updates");
    assert_eq!(server.get("classifications?language=xx").await.refused(400), "language");
    let upper = security["id"].as_str().expect("id").to_uppercase();
    let chosen = server.call(Method::PUT, "classifications", Some(json!({ "ids": [upper] }))).await.ok();
    assert_eq!(chosen["selected"], json!([security["id"]]));

    let languages = server.get("languages").await.ok();
    assert_eq!(languages["items"].as_array().expect("items").len(), 39);
    let chosen = server.call(Method::PUT, "languages", Some(json!({ "ids": ["DE", "1033"] }))).await.ok();
    assert_eq!(chosen["selected"], json!(["de", "en"]));
    let all = server.call(Method::PUT, "languages", Some(json!({ "all": true }))).await.ok();
    assert_eq!(selected(&all), 38);
    // files follow the metadata until they have a choice of their own
    server.call(Method::PUT, "languages", Some(json!({ "ids": ["de", "en"] }))).await.ok();
    let files = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("items").iter().filter(|item| item["files"] == true);
        items.map(|item| item["id"].as_str().expect("id").to_owned()).collect()
    };
    assert_eq!(files(&server.get("languages").await.ok()), ["de", "en"]);
    server.call(Method::PUT, "file-languages", Some(json!({ "ids": ["en"] }))).await.ok();
    assert_eq!(files(&server.get("file-languages").await.ok()), ["en"]);
    server.call(Method::PUT, "file-languages", Some(json!({ "ids": [] }))).await.ok();
    assert_eq!(files(&server.get("languages").await.ok()), ["de", "en"]);
    let unknown = server.call(Method::PUT, "languages", Some(json!({ "ids": ["klingon"] }))).await;
    assert_eq!(unknown.refused(404), "not_found");
    server.stop().await;
}
