//! What is synchronized.

use super::*;
use crate::tests::{problem, text};

const CHILD: &str = "22222222-5b1e-4a3d-9c77-0d9f6a1b2c3d";

fn tree() -> Value {
    list(&json!([
        category(ID, "Windows", true, true, &json!([category(CHILD, "Windows 11", false, true, &json!([]))])),
        category(OTHER, "Office", false, false, &json!([])),
    ]))
}

fn preview() -> Value {
    json!({"covers_before": 1, "covers": 2, "updates_before": 100, "updates": 150, "files": 9, "bytes": 2_000_000_u64,
        "bytes_here": 500_000, "unknown": ["Office"], "notes": ["No classifications are chosen."]})
}

#[tokio::test]
async fn a_family_that_is_chosen_has_one_box_until_it_is_opened() {
    let stub = full("x").with("GET /products", &tree());
    let page = good(&stub, "/settings/products").await;
    has(
        &page,
        &[
            &format!("name=\"id\" value=\"{ID}\" checked"),
            &format!("single={ID}"),
            &format!("value=\"{ID},{OTHER}\""),
            "data-preview=\"/settings/products/preview\"",
        ],
    );
    lacks(&page, &[&format!("name=\"id\" value=\"{CHILD}\"")]);
    let page = good(&stub, &format!("/settings/products?single={ID}")).await;
    has(&page, &[&format!("name=\"id\" value=\"{CHILD}\" checked")]);
    lacks(&page, &[&format!("name=\"id\" value=\"{ID}\" checked")]);
    let page = good(&stub, "/settings/products?text=office").await;
    has(&page, &["Office"]);
    lacks(&page, &["Windows 11"]);
}

#[tokio::test]
async fn a_selection_is_looked_at_before_it_is_made() {
    let stub = full("x")
        .with("GET /products", &tree())
        .with("POST /selection-preview", &preview())
        .with("PUT /products", &json!({"selected": [ID, OTHER], "covers": 2}));
    let form = format!("seen={OTHER}&id={OTHER}&from=%2Fsettings%2Fproducts");
    let page = text(stub.form("/settings/products/preview", &form).await).await;
    has(&page, &["id=\"preview\"", "<strong>150</strong>", "+50", "No classifications are chosen."]);
    let page = text(stub.form("/settings/products", &form).await).await;
    has(&page, &["2 products will be synchronized", "1 is added:", "Office", "To undo:", "name=\"sure\""]);
    assert!(asked(&stub, "PUT ").is_empty());
    // what the search did not show stays chosen
    let previews = asked(&stub, "POST /selection-preview");
    assert!(previews.iter().all(|line| line.contains(ID) && line.contains(OTHER) && line.contains("\"how\":\"set\"")));
    let response =
        stub.form("/settings/products", &format!("ids={ID},{OTHER}&sure=1&from=%2Fsettings%2Fproducts")).await;
    assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/settings/products"));
    assert_eq!(asked(&stub, "PUT /products").len(), 1);
}

#[tokio::test]
async fn who_is_below_another_server_is_told_so() {
    let refused = problem(409, "parent", "Products are chosen at the site above");
    let stub = full("x").with("GET /products", &tree()).refusing("PUT /products", 409, refused);
    let page = text(stub.form("/settings/products", &format!("ids={ID}&sure=1")).await).await;
    has(&page, &["role=\"alert\"", "Products are chosen at the site above"]);
}

#[tokio::test]
async fn languages_of_files_follow_those_of_texts_unless_said_otherwise() {
    let stub = full("x")
        .with("PUT /languages", &json!({"selected": ["en", "nl"]}))
        .with("PUT /file-languages", &json!({"selected": []}));
    let page = good(&stub, "/settings/languages").await;
    has(&page, &["name=\"texts\" value=\"en\" checked", "name=\"same\" value=\"1\" checked"]);
    lacks(&page, &["value=\"all\""]);
    let page = text(stub.form("/settings/languages", "seen=en,nl&texts=en&texts=nl&same=1").await).await;
    has(&page, &["Texts, too, in", "Dutch", "name=\"texts\" value=\"en,nl\""]);
    let response = stub.form("/settings/languages", "sure=1&texts=en,nl&files=").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!((asked(&stub, "PUT /languages").len(), asked(&stub, "PUT /file-languages").len()), (1, 1));
}

#[tokio::test]
async fn a_rule_is_tried_before_it_declines() {
    let stub = full("Drivers for ARM64")
        .with("POST /criteria-preview", &previewed(10))
        .with(&format!("POST /criteria/{ID}/apply"), &json!({"declined": 7, "before": 2, "taken_back": 1}));
    let page = good(&stub, &format!("/settings/criteria/{ID}")).await;
    has(
        &page,
        &["value=\"Drivers for ARM64\"", "An update for ARM64", "KB5034123", &format!("/settings/criteria/{ID}/apply")],
    );
    let page = text(stub.form("/settings/criteria/preview", "name=&action=decline&titles=ARM64").await).await;
    has(&page, &["id=\"preview\"", "An update for ARM64"]);
    let page = text(stub.form("/settings/criteria/preview", "action=decline&older=soon").await).await;
    has(&page, &["This is no whole number of days."]);
    let page = good(&stub, &format!("/settings/criteria/{ID}/apply")).await;
    has(&page, &["7 updates of the catalogue as it is will be declined", "To undo:"]);
    let response = stub.form(&format!("/settings/criteria/{ID}/apply"), "").await;
    assert_eq!(location(&response), format!("/settings/criteria/{ID}"));
    let refused = problem(400, "rule", "\"\" cannot name a rule: use 1 to 100 characters that can be printed");
    let page =
        text(stub.refusing("POST /criteria", 400, refused).form("/settings/criteria/new", "action=skip").await).await;
    has(&page, &["href=\"#f-name\"", "cannot name a rule"]);
}
