//! What REST is asked here beside the types that lists share, and how much is asked for at once.

use serde::{Serialize, de::DeserializeOwned};
use tokio::task::JoinSet;
use weir_api::{List, collection::Collection, computer::ComputerRow, list::ListQuery};

use crate::{cx::Cx, failure::Failure};

/// Questions that are under way at once.
const AT_ONCE: usize = 8;
/// Collections that lists to choose from have.
const MOST_COLLECTIONS: usize = 5_000;

/// The query of `GET computers` and `GET computers-counts`.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ComputersQuery {
    /// Part of name, id or address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// For which this expression holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
    /// The worst state of their updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// In this collection or in one below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) collection: Option<String>,
    /// Reported by this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<String>,
    /// Of this class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) freshness: Option<String>,
    /// `http` or `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transport: Option<String>,
    /// `FIELD:asc` or `FIELD:desc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sort: Option<String>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// Rows of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u32>,
}

impl ComputersQuery {
    /// The same for counts, which know no order and no pages.
    pub(super) fn counted(&self) -> Self {
        Self { sort: None, cursor: None, limit: None, ..self.clone() }
    }

    /// The same as a selection of a change; none if it narrows by what selections do not know.
    pub(super) fn selection(&self) -> Option<Self> {
        self.transport.is_none().then(|| self.counted())
    }
}

/// A change of many computers.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ComputersChange {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<ComputersQuery>,
    pub(super) action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) collection: Option<String>,
    pub(super) preview: bool,
}

/// Rows of a query, to its end or to so many.
pub(super) async fn computers(cx: &Cx, query: &ComputersQuery, most: usize) -> Result<Vec<ComputerRow>, Failure> {
    cx.api
        .all(most, |cursor| {
            let query = ComputersQuery { cursor, limit: Some(1000), ..query.clone() };
            async move { cx.api.get::<List<ComputerRow>>("/computers", &query).await }
        })
        .await
}

/// All collections, by name.
pub(super) async fn collections(cx: &Cx) -> Result<Vec<Collection>, Failure> {
    cx.api
        .all(MOST_COLLECTIONS, |cursor| {
            let query = ListQuery { cursor, limit: Some(1000) };
            async move { cx.api.get::<List<Collection>>("/collections", &query).await }
        })
        .await
}

/// Asks several things, some at a time, and gives the answers in the order of the questions; none where REST refuses.
pub(super) async fn each<Q, T>(cx: &Cx, questions: Vec<(String, Q)>) -> Vec<Option<T>>
where
    Q: Serialize + Send + Sync + 'static,
    T: DeserializeOwned + Send + 'static,
{
    let mut answers: Vec<Option<T>> = Vec::new();
    answers.resize_with(questions.len(), || None);
    let mut waiting = questions.into_iter().enumerate();
    let mut asked = JoinSet::new();
    loop {
        while asked.len() < AT_ONCE {
            let Some((at, (path, query))) = waiting.next() else { break };
            let api = cx.api.clone();
            asked.spawn(async move { (at, api.get::<T>(&path, &query).await.ok()) });
        }
        match asked.join_next().await {
            None => return answers,
            Some(Ok((at, answer))) => {
                if let Some(place) = answers.get_mut(at) {
                    *place = answer;
                }
            }
            // it panicked: REST has logged it
            Some(Err(_)) => {}
        }
    }
}
