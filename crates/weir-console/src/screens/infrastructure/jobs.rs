//! Long work as `GET jobs` lists it.

use weir_api::{
    List,
    job::{Job, JobKind, JobQuery},
};

use crate::cx::Cx;

/// The jobs of a kind, what runs first; none to whoever may not see them.
pub(super) async fn of(cx: &Cx, kind: JobKind) -> Vec<Job> {
    let query = JobQuery { kind: Some(kind), limit: Some(50), ..JobQuery::default() };
    let list = cx.api.get::<List<Job>>("/jobs", &query).await;
    list.map(|list| list.items).unwrap_or_default()
}
