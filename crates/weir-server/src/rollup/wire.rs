//! Roll-ups from and to their messages.

use std::future::Future;

use weir_wire::{
    soap::SoapVersion,
    wsss::{
        self, Answer as _, ChangedComputer, Cookie, GetOutOfSyncComputers, GetOutOfSyncComputersAnswer,
        GetRollupConfiguration, GetRollupConfigurationAnswer, OutOfSync, Refusal, Request, RollupComputerStatus,
        RollupComputerStatusAnswer, RollupComputers, RollupComputersAnswer, RollupDownstreamServers,
        RollupDownstreamServersAnswer,
    },
};

use super::{Question, Reply, convert};
use crate::sync::peer::Authorised;

/// `RollupDownstreamServersMaxBatchSize`, as WSUS has it.
pub(super) const SERVERS_BATCH: u32 = 5_000;
/// `RollupComputersMaxBatchSize`, as WSUS has it.
pub(super) const COMPUTERS_BATCH: u32 = 1_500;
/// `GetOutOfSyncComputersMaxBatchSize`, as WSUS has it.
pub(super) const OUT_OF_SYNC_BATCH: u32 = 20_000;
/// `RollupComputerStatusMaxBatchSize`, as WSUS has it.
pub(super) const STATUS_BATCH: u32 = 500;

impl Question {
    /// The roll-up that a request asks for; none if it is another operation. Computers with an id that none can have are
    /// left out: one of them must not stop the roll-up of all others.
    ///
    /// # Errors
    ///
    /// A list is absent or longer than this server said, or a mandatory parameter is absent.
    pub fn read(request: &Request) -> Option<Result<Self, Refusal>> {
        Some(match request {
            Request::GetRollupConfiguration(_) => Ok(Self::Configuration),
            Request::RollupDownstreamServers(request) => {
                request.validate(SERVERS_BATCH as usize).map(|(servers, client_time)| Self::Servers {
                    client_time,
                    servers: servers.iter().map(convert::server).collect(),
                })
            }
            Request::RollupComputers(request) => {
                request.validate(COMPUTERS_BATCH as usize).map(|(computers, client_time)| Self::Computers {
                    client_time,
                    computers: computers.iter().filter_map(convert::computer).collect(),
                })
            }
            Request::GetOutOfSyncComputers(request) => {
                request.validate(OUT_OF_SYNC_BATCH as usize).map(|(numbers, parent)| Self::OutOfSync {
                    parent,
                    numbers: numbers.iter().filter_map(convert::number).collect(),
                })
            }
            Request::RollupComputerStatus(request) => {
                request.validate(STATUS_BATCH as usize).map(|(computers, client_time, parent)| Self::Status {
                    client_time,
                    parent,
                    computers: computers.iter().filter_map(convert::status).collect(),
                })
            }
            _ => return None,
        })
    }
}

impl Reply {
    /// Appends the whole envelope.
    pub fn write(&self, out: &mut String, version: SoapVersion) {
        match self {
            Self::Configuration(configuration) => {
                let limit = |number| i32::try_from(number).unwrap_or(i32::MAX);
                let result = wsss::RollupConfiguration {
                    do_detailed_rollup: configuration.detailed,
                    rollup_reset_guid: configuration.reset,
                    server_id: configuration.server,
                    rollup_downstream_servers_max_batch_size: limit(configuration.servers_batch),
                    rollup_computers_max_batch_size: limit(configuration.computers_batch),
                    get_out_of_sync_computers_max_batch_size: limit(configuration.out_of_sync_batch),
                    rollup_computer_status_max_batch_size: limit(configuration.status_batch),
                };
                GetRollupConfigurationAnswer { result }.write(out, version);
            }
            Self::Servers => RollupDownstreamServersAnswer {}.write(out, version),
            Self::Computers(changes) => {
                let changed = changes.iter().map(|(id, change)| ChangedComputer {
                    computer_id: Some(id.to_string()),
                    change: convert::change_to(*change),
                });
                RollupComputersAnswer { result: changed.collect::<Vec<_>>().into() }.write(out, version);
            }
            Self::OutOfSync(ids) => {
                let ids = ids.iter().map(|id| OutOfSync(id.to_string()));
                GetOutOfSyncComputersAnswer { result: ids.collect::<Vec<_>>().into() }.write(out, version);
            }
            Self::Status(taken) => RollupComputerStatusAnswer { result: *taken }.write(out, version),
        }
    }
}

/// How calls of a downstream server reach its upstream.
pub trait Calls: Sync {
    /// Why a call fails.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Makes one call.
    fn call<C>(&self, call: C) -> impl Future<Output = Result<C::Answer, Self::Error>> + Send
    where
        C: Authorised,
        C::Answer: Send + 'static;

    /// Waits before a busy upstream is asked again: a minute at least (MS-WSUSSS 3.2.4.5).
    fn pause(&self) -> impl Future<Output = ()> + Send;
}

/// Asks the upstream, with the constant cookie.
pub(super) async fn ask<P: Calls>(peer: &P, question: &Question) -> Result<Reply, P::Error> {
    let cookie = Some(Cookie::roll_up());
    Ok(match question {
        Question::Configuration => {
            let answer = peer.call(GetRollupConfiguration { cookie }).await?;
            Reply::Configuration(convert::configuration(&answer.result))
        }
        Question::Servers { client_time, servers } => {
            let downstream_servers = Some(servers.iter().map(convert::server_to).collect());
            peer.call(RollupDownstreamServers { cookie, client_time: Some(*client_time), downstream_servers }).await?;
            Reply::Servers
        }
        Question::Computers { client_time, computers } => {
            let computers = Some(computers.iter().map(convert::computer_to).collect());
            let answer = peer.call(RollupComputers { cookie, client_time: Some(*client_time), computers }).await?;
            Reply::Computers(answer.result.0.iter().filter_map(convert::change).collect())
        }
        Question::OutOfSync { parent, numbers } => {
            let last_rollup_numbers = Some(numbers.iter().map(convert::number_to).collect());
            let call = GetOutOfSyncComputers { cookie, parent_server_id: Some(*parent), last_rollup_numbers };
            let answer = peer.call(call).await?;
            Reply::OutOfSync(answer.result.0.iter().filter_map(|id| id.0.trim().parse().ok()).collect())
        }
        Question::Status { client_time, parent, computers } => {
            let call = RollupComputerStatus {
                cookie,
                client_time: Some(*client_time),
                parent_server_id: Some(*parent),
                computers: Some(computers.iter().map(convert::status_to).collect()),
            };
            Reply::Status(peer.call(call).await?.result)
        }
    })
}
