//! JSON bodies of REST: read as the library reads them, but for arrays in the place of objects; a refusal is a short text in one line.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use weir_api::{
    collection::CollectionCreate, criteria::Criterion, deployment::DeploymentCreate, rule::RuleCreate,
    token::TokenCreate, user::UserCreate, window::WindowCreate,
};
use weir_server::decoders::json;

/// Whether a body is read. What is read is written and read the same.
fn check<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> bool {
    match json::<T>(bytes) {
        Ok(value) => {
            let written = serde_json::to_vec(&value).expect("what is read can be written");
            let again = json::<T>(&written).expect("what is written is read");
            assert_eq!(serde_json::to_vec(&again).expect("again"), written);
            assert!(serde_json::from_slice::<T>(bytes).is_ok());
            true
        }
        Err(refusal) => {
            assert!(!refusal.is_empty());
            false
        }
    }
}

pub(super) fn run(data: &[u8]) -> bool {
    let value = json::<Value>(data);
    assert_eq!(value.as_ref().ok(), serde_json::from_slice::<Value>(data).as_ref().ok());
    let read = [
        check::<CollectionCreate>(data),
        check::<Criterion>(data),
        check::<DeploymentCreate>(data),
        check::<RuleCreate>(data),
        check::<TokenCreate>(data),
        check::<UserCreate>(data),
        check::<WindowCreate>(data),
    ];
    read.contains(&true)
}
