//! What tests and benchmarks are made of: update documents, a synthetic catalogue of realistic shape, payloads, a
//! scripted Windows Update Agent, scripted upstream and downstream servers, mail servers and receivers of webhooks, a proxy that
//! cuts, a balancer, disks that fail, replay of recorded exchanges, databases of PostgreSQL and the choice of an engine, a `weir` process of
//! their own, and the disk of a Windows computer.
//!
//! *Invariant:* nothing that serves depends on this crate, only tests, the benchmarks and the lab. Everything generated is a function
//! of its seed, so that a failure can be repeated.

pub mod agent;
pub mod balance;
pub mod catalogue;
pub mod certificate;
pub mod cut;
pub mod disk;
pub mod document;
pub mod downstream;
pub mod engine;
pub mod http;
pub mod mail;
pub mod oidc;
pub mod parquet;
pub mod payload;
pub mod postgres;
pub mod process;
pub mod random;
mod raw;
pub mod receiver;
pub mod replay;
pub mod s3;
pub mod schemathesis;
mod service;
pub mod shared;
pub mod upstream;
pub mod windows;
pub mod wsdl;

pub use agent::{AgentState, Computer, ScanOutcome, ScriptedAgent};
pub use balance::Balancer;
pub use certificate::Certificate;
pub use cut::CuttingProxy;
pub use disk::{DiskFault, FaultyDisk};
pub use document::Document;
pub use downstream::ScriptedDownstream;
pub use mail::{MailFault, MailServer, MailTls};
pub use payload::Payload;
pub use process::WeirProcess;
pub use random::Random;
pub use receiver::{Receiver, Reply};
pub use s3::S3;
pub use shared::{shared, shared_dir};
pub use upstream::Upstream;
