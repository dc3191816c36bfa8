//! `weir serve`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::Outcome;

#[derive(Args, Debug)]
pub(crate) struct ServeArguments {}

pub(crate) async fn run(data: Option<PathBuf>, arguments: ServeArguments) -> Result<Outcome> {
    let _ = (data, arguments);
    unimplemented!()
}
