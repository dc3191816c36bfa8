//! What stands before and around every call: configuration, cookie, registration, and recovery from faults (MS-WUSP 3.2.5,
//! 2.2.2.4). No I/O: it says what to ask next and takes what came back.

use jiff::Timestamp;
use weir_model::ids::{RevisionId, UpdateIdentity};
use weir_wire::{
    soap::ErrorCode,
    wusp::{
        AuthorizationCookie, ComputerInfo, Config as WireConfig, Cookie, GetAuthorizationCookie, GetConfig, GetCookie,
        Operation, RefreshCache, RefreshCacheResult, RegisterComputer,
    },
};

use crate::{
    computer::Description,
    exchange::{Answer, Request},
    failure::{Code, Failure, Problem},
    library::Library,
    state::{Config, Entry, State},
};

/// How many faults the agent recovers from in one session. Each costs at most six calls, so a session is bounded whatever
/// the server answers.
pub const RECOVERIES: u8 = 8;
/// The version of the protocol that the agent speaks, that of current Windows Update Agents.
pub const PROTOCOL: &str = "2.90";
/// MaxExtendedUpdatesPerRequest if the server does not say.
const MAX_EXTENDED: u16 = 50;

/// One conversation with a server, from the first call to the last.
#[derive(Clone, Debug, Default)]
pub struct Session {
    authorization: Option<AuthorizationCookie>,
    /// The cookie is to be renewed; the old one goes along, for its anchors.
    renew: bool,
    recovered: Vec<ErrorCode>,
}

impl Session {
    /// The faults that were recovered from.
    pub fn recovered(&self) -> &[ErrorCode] {
        &self.recovered
    }

    /// What must be asked before anything else; none if all is well.
    pub fn next(&self, state: &State, description: &Description, now: Timestamp) -> Option<Request> {
        let Some(config) = &state.config else {
            return Some(GetConfig { protocol_version: Some(PROTOCOL.to_owned()) }.into());
        };
        if state.cookie.is_none() || self.renew {
            let Some(authorization) = &self.authorization else {
                let request = GetAuthorizationCookie {
                    client_id: Some(description.client_id.as_str().to_owned()),
                    target_group_name: description.target_group.clone(),
                    dns_name: Some(description.dns_name.clone()),
                };
                return Some(request.into());
            };
            // a native agent that has no cookie sends one without data
            let none = Cookie { expiration: Some(now), encrypted_data: None };
            let request = GetCookie {
                auth_cookies: vec![authorization.clone()],
                old_cookie: Some(state.cookie.clone().unwrap_or(none)),
                last_change: Some(config.last_change),
                current_time: Some(now),
                protocol_version: Some(PROTOCOL.to_owned()),
            };
            return Some(request.into());
        }
        if config.registration_required && !state.registered {
            let request =
                RegisterComputer { cookie: state.cookie.clone(), computer_info: Some(computer_info(description)) };
            return Some(request.into());
        }
        if state.stale {
            let global_ids = state.cache.entries().iter().map(|entry| entry.identity().into()).collect::<Vec<_>>();
            if !global_ids.is_empty() {
                return Some(RefreshCache { cookie: state.cookie.clone(), global_ids }.into());
            }
        }
        None
    }

    /// Takes an answer to what [`Session::next`] asked. An answer to anything else is given back.
    ///
    /// # Errors
    ///
    /// The answer makes no sense.
    pub fn answered(
        &mut self,
        state: &mut State,
        library: &Library,
        answer: Answer,
    ) -> Result<Option<Answer>, Problem> {
        match answer {
            Answer::GetConfig(answer) => {
                let config = answer.result.ok_or_else(|| nonsense(Operation::GetConfig, "it is empty"))?;
                state.config = Some(read_config(&config)?);
                self.authorization = None;
            }
            Answer::GetAuthorizationCookie(answer) => {
                let cookie = answer
                    .result
                    .ok_or_else(|| Problem::new(Code::AUTH_PLUG_IN, "the server gave no authorization cookie"))?;
                self.authorization = Some(cookie);
            }
            Answer::GetCookie(answer) => {
                let cookie = answer.result.filter(|cookie| cookie.sealed().is_some());
                state.cookie = Some(cookie.ok_or_else(|| nonsense(Operation::GetCookie, "it has no cookie"))?);
                self.renew = false;
                self.authorization = None;
            }
            Answer::RegisterComputer(_) => state.registered = true,
            Answer::RefreshCache(answer) => {
                refresh(state, library, answer.result)?;
                state.stale = false;
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    /// What to do about a failed call: recover, in which case the next request is to be asked for again, or give up.
    ///
    /// # Errors
    ///
    /// The failure is not one to recover from, or it keeps coming back.
    pub fn failed(&mut self, state: &mut State, operation: Operation, failure: Failure) -> Result<(), Problem> {
        let Some(code) = failure.fault() else { return Err(problem(operation, failure)) };
        match code {
            ErrorCode::InvalidCookie | ErrorCode::ServerChanged => {
                state.forget_server();
                self.authorization = None;
                self.renew = false;
            }
            ErrorCode::ConfigChanged => {
                state.config = None;
                self.authorization = None;
                self.renew = true;
            }
            ErrorCode::CookieExpired => {
                self.authorization = None;
                self.renew = true;
            }
            ErrorCode::RegistrationRequired => {
                if operation == Operation::RegisterComputer {
                    return Err(problem(operation, failure));
                }
                state.registered = false;
                if let Some(config) = &mut state.config {
                    config.registration_required = true;
                }
            }
            ErrorCode::RegistrationNotRequired if operation == Operation::RegisterComputer => state.registered = true,
            ErrorCode::InvalidAuthorizationCookie => {
                self.authorization = None;
                self.renew = true;
            }
            _ => return Err(problem(operation, failure)),
        }
        if self.recovered.len() >= usize::from(RECOVERIES) {
            return Err(problem(operation, failure));
        }
        self.recovered.push(code);
        Ok(())
    }
}

/// The problem that a failure is, in the place where it happened.
fn problem(operation: Operation, failure: Failure) -> Problem {
    let problem = Problem::from(failure.clone());
    let code = match (operation, &failure) {
        (Operation::RefreshCache, Failure::Fault(..)) => Code::REFRESH_CACHE,
        (Operation::RegisterComputer, Failure::Fault(..)) => Code::REGISTRATION,
        (Operation::GetAuthorizationCookie, Failure::Fault(..)) => Code::AUTH_PLUG_IN,
        _ => problem.code,
    };
    // a busy server is to be asked later, whatever was asked
    let code = if failure.fault() == Some(ErrorCode::ServerBusy) { Code::SERVER_BUSY } else { code };
    Problem { code, ..problem }
}

fn nonsense(operation: Operation, why: &str) -> Problem {
    Problem::new(Code::INVALID_ANSWER, format!("the answer to {operation} makes no sense: {why}"))
}

fn read_config(config: &WireConfig) -> Result<Config, Problem> {
    let plug_in = config
        .auth_info
        .iter()
        .find(|plug_in| plug_in.plug_in_id.as_deref() == Some("SimpleTargeting"))
        .ok_or_else(|| Problem::new(Code::AUTH_PLUG_IN, "the server offers no authorization by SimpleTargeting"))?;
    let property = |wanted: &str| {
        let found = config.properties.iter().find(|property| property.name.as_deref() == Some(wanted));
        found.and_then(|property| property.value.as_deref()).map(str::trim)
    };
    let version = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    Ok(Config {
        last_change: config.last_change,
        registration_required: config.is_registration_required,
        service_url: plug_in.service_url.as_deref().unwrap_or("SimpleAuthWebService/SimpleAuth.asmx").into(),
        max_extended: property("MaxExtendedUpdatesPerRequest")
            .and_then(|text| text.parse().ok())
            .filter(|count| *count > 0)
            .unwrap_or(MAX_EXTENDED),
        protocol: property("ProtocolVersion").and_then(version).unwrap_or((3, 0)),
    })
}

/// Puts the new RevisionIDs in the place of the old ones; what the server did not name is forgotten and comes again if it
/// is in scope (MS-WUSP 3.2.5.8).
fn refresh(state: &mut State, library: &Library, results: Vec<RefreshCacheResult>) -> Result<(), Problem> {
    // nothing is forgotten for an answer that makes no sense
    if results.iter().any(|result| result.global_id.is_none() || result.deployment.is_none()) {
        return Err(nonsense(Operation::RefreshCache, "an entry without GlobalID or Deployment"));
    }
    let mut known: std::collections::HashMap<UpdateIdentity, (Entry, crate::state::Own)> =
        state.cache.iter().map(|(entry, own)| (entry.identity(), (entry.clone(), *own))).collect();
    state.cache.clear();
    for result in results {
        let identity = result.global_id.map(UpdateIdentity::from);
        let (Some(identity), Some(deployment)) = (identity, result.deployment) else { continue };
        let RevisionId(id) = result.revision_id;
        if let Some((entry, own)) = known.remove(&identity) {
            let deployed = library.deployed(deployment.into());
            state.cache.insert(Entry { id, is_leaf: result.is_leaf, deployed, update: entry.update }, own);
        }
    }
    Ok(())
}

/// The form of RegisterComputer that native agents send.
fn computer_info(description: &Description) -> ComputerInfo {
    let text = |text: &str| Some(text.to_owned());
    let [major, minor, build, _] = description.os_version;
    let [pack_major, pack_minor] = description.service_pack;
    let [client_major, client_minor, client_build] = client_version();
    ComputerInfo {
        dns_name: text(&description.dns_name),
        os_major_version: major,
        os_minor_version: minor,
        os_build_number: build,
        os_service_pack_major_number: pack_major,
        os_service_pack_minor_number: pack_minor,
        os_locale: text(&description.locale),
        computer_manufacturer: text(&description.manufacturer),
        computer_model: text(&description.model),
        bios_version: text(&description.bios_version),
        bios_name: text(&description.bios_name),
        bios_release_date: Some(description.bios_date),
        processor_architecture: text(&description.architecture),
        suite_mask: description.suite_mask,
        old_product_type: description.product_type,
        new_product_type: description.edition,
        system_metrics: 0,
        client_version_major_number: client_major,
        client_version_minor_number: client_minor,
        client_version_build_number: client_build,
        client_version_qfe_number: 0,
        os_description: text(&description.os_name),
        oem: text(&description.manufacturer),
        device_type: text(&description.model),
        firmware_version: text(&description.bios_version),
        mobile_operator: text("Not Present"),
    }
}

/// Weir's version: what the agent says of itself.
fn client_version() -> [i16; 3] {
    let mut numbers = env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}
