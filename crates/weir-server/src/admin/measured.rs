//! What `weir bench records` asks of the admin plane: without a listener, so that nothing but the answers is measured.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use weir_api::{
    exposure::CollectionQuery, failure::ErrorsQuery, freshness::FreshnessQuery, report::ComplianceExportQuery,
    status::Endpoints,
};
use weir_model::{
    ids::Sha256Digest,
    report::{Format, MOST_ROWS},
    rights::Scope,
};

use super::{AdminError, App, Caller, Parts, Secrets, exposure, failure, freshness, history, report};
use crate::{
    config::{self, Options},
    state::AppState,
};

/// An admin plane that benchmarks ask.
pub struct Measured(App);

impl Measured {
    /// The plane of a state that was opened on this data folder.
    pub fn new(state: Arc<AppState>, data: &Path) -> Result<Self, AdminError> {
        let options = Options { data: Some(data.to_owned()), ..Options::default() };
        let process = config::load(&options, &|_| None).map_err(|error| AdminError::Internal(super::chain(&error)))?;
        Ok(Self(App::new(Parts {
            state,
            process: Arc::new(process),
            // nobody listens, and nobody knows a token with this digest
            secrets: Secrets { token: Sha256Digest([0; 32]) },
            endpoints: Endpoints::default(),
            started_at: Timestamp::now(),
        })))
    }

    /// Puts failures into groups by code: how many groups there are.
    pub async fn errors(&self) -> Result<usize, AdminError> {
        failure::errors(&self.0, Scope::Everything, ErrorsQuery::default()).await.map(|groups| groups.items.len())
    }

    /// Sums exposure up: how many computers are exposed.
    pub async fn exposure(&self) -> Result<u64, AdminError> {
        let summary = exposure::summary(&self.0, Scope::Everything, CollectionQuery::default()).await?;
        Ok(summary.computers_exposed)
    }

    /// Takes the record of the day: of how many subjects.
    pub async fn record(&self) -> Result<u64, AdminError> {
        history::record(&self.0, &Caller::system("bench")).await.map(|recorded| recorded.subjects)
    }

    /// Sums freshness up: of how many computers.
    pub async fn freshness(&self) -> Result<u64, AdminError> {
        let summary = freshness::summary(&self.0, Scope::Everything, FreshnessQuery::default()).await?;
        Ok(summary.computers)
    }

    /// Makes a report as CSV, with all rows that a report may have: how many bytes it takes.
    pub async fn report(&self, id: &str, given: &[(String, String)]) -> Result<usize, AdminError> {
        let table = report::run(&self.0, Scope::Everything, id, given, Some(MOST_ROWS)).await?;
        report::written(&table, Format::Csv).map(|text| text.len())
    }

    /// Writes everything that the computers of a collection listed as Parquet: how many bytes the file has.
    pub async fn export(&self, collection: &str) -> Result<u64, AdminError> {
        let query =
            ComplianceExportQuery { collection: Some(collection.to_owned()), ..ComplianceExportQuery::default() };
        report::export::compliance(&self.0, Scope::Everything, query).await.map(|file| file.bytes)
    }
}
