//! Roll-ups: kept as received, answered as told.

use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wsss::{
        GetOutOfSyncComputersAnswer, GetRollupConfigurationAnswer, OutOfSync, Refusal, Request,
        RollupComputerStatusAnswer, RollupComputersAnswer, RollupDownstreamServersAnswer,
    },
};

use super::{
    Served,
    answer::{Outcome, write},
};

pub(super) fn answer(served: &mut Served, request: &Request, version: SoapVersion) -> Outcome {
    let refuse = |refusal: Refusal| (refusal.code, refusal.path.to_owned());
    let limit = |number: i32| usize::try_from(number).unwrap_or(0);
    let limits = served.rollup.clone();
    let detailed = !matches!(request, Request::GetRollupConfiguration(_) | Request::RollupDownstreamServers(_));
    if detailed && !limits.do_detailed_rollup {
        return Err((ErrorCode::InvalidParameters, "DoDetailedRollup".to_owned()));
    }
    match request {
        Request::GetRollupConfiguration(_) => write(&GetRollupConfigurationAnswer { result: limits }, version),
        Request::RollupDownstreamServers(request) => {
            request.validate(limit(limits.rollup_downstream_servers_max_batch_size)).map_err(refuse)?;
            served.rolled_up.servers.push(request.clone());
            write(&RollupDownstreamServersAnswer {}, version)
        }
        Request::RollupComputers(request) => {
            request.validate(limit(limits.rollup_computers_max_batch_size)).map_err(refuse)?;
            served.rolled_up.computers.push(request.clone());
            let result = std::mem::take(&mut served.changed_computers).into();
            write(&RollupComputersAnswer { result }, version)
        }
        Request::GetOutOfSyncComputers(request) => {
            let (numbers, _) =
                request.validate(limit(limits.get_out_of_sync_computers_max_batch_size)).map_err(refuse)?;
            let asked = numbers.iter().filter_map(|number| number.computer_id.clone());
            let result: Vec<_> = asked.filter(|id| served.out_of_sync.contains(id)).map(OutOfSync).collect();
            write(&GetOutOfSyncComputersAnswer { result: result.into() }, version)
        }
        Request::RollupComputerStatus(request) => {
            request.validate(limit(limits.rollup_computer_status_max_batch_size)).map_err(refuse)?;
            if served.busy > 0 {
                served.busy -= 1;
                return write(&RollupComputerStatusAnswer { result: false }, version);
            }
            served.rolled_up.status.push(request.clone());
            write(&RollupComputerStatusAnswer { result: true }, version)
        }
        other => Err((ErrorCode::InternalServerError, other.operation().to_string())),
    }
}
