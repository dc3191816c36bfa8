//! `weir serve`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::Outcome;

#[derive(Args, Debug)]
#[command(
    after_help = "Addresses are ADDRESS:PORT, a PORT on all addresses, or off; port 0 takes a free one. The same \
                        settings can stand in weir.toml of the data folder and in WEIR_ variables; flags win.\n\n\
                        Examples:\n  weir serve\n  weir serve --data /var/lib/weir --client-https 443 --client-http 80\n  \
                        weir serve --admin 0.0.0.0:8540 --log-format json"
)]
pub(crate) struct ServeArguments {
    /// Where computers reach it without TLS [default: 0.0.0.0:8530].
    #[arg(long, value_name = "ADDRESS")]
    client_http: Option<String>,
    /// Where computers reach it with TLS [default: 0.0.0.0:8531].
    #[arg(long, value_name = "ADDRESS")]
    client_https: Option<String>,
    /// Where administrators reach it [default: 127.0.0.1:8540].
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// Where updates come from, on the first start: microsoft, none or the URL of an upstream server. Later it is the
    /// setting "source".
    #[arg(long, value_name = "SOURCE")]
    upstream: Option<String>,
    /// Configuration file [default: weir.toml of the data folder].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What to log, such as info or weir_server=debug.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How to log: text or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

pub(crate) async fn run(data: Option<PathBuf>, arguments: ServeArguments) -> Result<Outcome> {
    let _ = (data, arguments);
    unimplemented!()
}
