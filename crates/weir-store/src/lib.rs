//! Everything Weir keeps: the database (schema, migrations, queries) and the content store.
//!
//! [`Store`] is the database. Work happens in units: [`Store::read`] gives a closure a consistent view, [`Store::write`]
//! gives it the one writer's transaction, named after the [`Actor`] who asked for it. Both block; an asynchronous caller
//! moves them to a thread of its own. Methods of [`ReadTx`] and [`WriteTx`] are named noun first (`deployment_list`,
//! `computer_register`), so that a search for the noun finds every operation.
//!
//! Two engines keep the data: a file in the data folder, or PostgreSQL, which several front ends can share. Units of work mean the
//! same on both; [`Options::database`] chooses.
//!
//! [`content::ContentStore`] keeps the files of updates, addressed by digest.
//!
//! *Invariant:* no SQL outside this crate, and no decisions inside it: what is offered, active or compliant is decided
//! in `weir-model` and only stored here. *Invariant:* nothing here reads a clock or draws random numbers.

pub mod access;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod backup;
pub mod bundle;
pub mod catalogue;
mod changes;
mod checkpoint;
pub mod cleanup;
pub mod client_settings;
mod codec;
pub mod collection;
pub mod computer;
pub mod content;
pub mod content_file;
pub mod content_need;
pub mod content_request;
pub mod criterion;
pub mod database;
mod db;
pub mod delivery;
pub mod deployment;
pub mod downstream;
mod error;
pub mod event;
pub mod export;
pub mod exposure;
pub mod failure;
pub mod feed;
pub mod flag;
pub mod fragment;
pub mod freshness;
pub mod front_end;
pub mod history;
pub mod idempotency;
pub mod identity;
mod import;
pub mod inspect;
mod inspection;
pub mod intent;
pub mod job;
pub mod list;
pub mod listing;
mod lock;
pub mod marks;
pub mod membership;
mod migrate;
pub mod mirror;
mod observe;
mod page;
mod pg;
pub mod phased;
mod pool;
pub mod pulse;
pub mod relation;
pub mod report;
pub mod report_schedule;
pub mod retired;
pub mod revision;
pub mod rollup;
pub mod roster;
mod row;
pub mod rule;
pub mod saved_search;
mod search;
pub mod selection;
pub mod setting;
pub mod site;
pub mod sites;
mod sql;
mod sqlite;
mod staged_form;
pub mod staging;
pub mod status_message;
mod store;
pub mod subscription;
pub mod template;
mod total;
pub mod transfer;
pub mod transport;
pub mod update_group;
pub mod update_setting;
pub mod update_stop;
pub mod user;
pub mod watch;
pub mod window;

pub use db::{ReadTx, WriteTx};
pub use error::{EngineError, StoreError};
pub use lock::FolderLock;
pub use observe::{Observed, Observer, UnitKind};
pub use page::Page;
pub use pg::DatabaseServer;
pub use sqlite::DATABASE;
pub use store::{Actor, Engine, Options, Store, database_place};

#[cfg(test)]
mod tests;
