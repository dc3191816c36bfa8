//! GetConfig, GetAuthorizationCookie, GetCookie, StartCategoryScan, RegisterComputer and RefreshCache
//! (MS-WUSP 3.1.5.2 to 3.1.5.6, 3.1.5.8).

use jiff::Timestamp;
use weir_model::catalogue::CategoryRelationship;
use weir_store::computer::Registration;
use weir_wire::{
    soap::{Binary, ErrorCode},
    wusp::{
        self, AuthPlugInInfo, Config, ConfigurationProperty, GetAuthorizationCookie, GetAuthorizationCookieAnswer,
        GetConfig, GetConfigAnswer, GetCookie, GetCookieAnswer, RefreshCache, RefreshCacheAnswer, RefreshCacheResult,
        RegisterComputer, RegisterComputerAnswer, StartCategoryScan, StartCategoryScanAnswer,
    },
};

use super::{
    call::{Call, Refusal, Reply, not_ahead},
    cookie::{Anchors, AuthorizationCookie, Cookie, Kind, ProtocolVersion},
    scan::deployment,
};

/// The only plug-in (MS-WUSP 3.1.5.2).
const PLUG_IN: &str = "SimpleTargeting";
/// What this server speaks.
const PROTOCOL: &str = "3.2";

impl Call<'_> {
    pub(super) fn get_config(&self, request: &GetConfig) -> Result<Reply, Refusal> {
        request.validate()?;
        let settings = &self.configuration.settings;
        let property = ConfigurationProperty::new;
        let config = Config {
            last_change: timestamp(self.configuration.last_change_ms),
            is_registration_required: settings.registration_required,
            auth_info: vec![AuthPlugInInfo {
                plug_in_id: Some(PLUG_IN.to_owned()),
                service_url: Some("SimpleAuthWebService/SimpleAuth.asmx".to_owned()),
                parameter: Some(String::new()),
            }],
            allowed_event_ids: Vec::new(),
            properties: vec![
                property("MaxExtendedUpdatesPerRequest", settings.extended_limit.to_string()),
                property("PackageServerShare", settings.package_share.clone()),
                property("ProtocolVersion", PROTOCOL.to_owned()),
                property("IsInventoryRequired", "0".to_owned()),
                property("ClientReportingLevel", "2".to_owned()),
            ],
        };
        Ok(self.text(&GetConfigAnswer { result: Some(config) }))
    }

    pub(super) fn get_authorization_cookie(&self, request: &GetAuthorizationCookie) -> Result<Reply, Refusal> {
        let (computer, dns_name) = request.validate()?;
        let cookie = AuthorizationCookie {
            server: self.state.epoch(),
            expires_ms: self.expiry_ms(),
            computer,
            dns_name: dns_name.to_owned(),
            requested_groups: request.groups().map(str::to_owned).collect(),
        };
        let plain = cookie.encode().map_err(|_| Refusal::parameter("targetGroupName"))?;
        let sealed = self.seal(Kind::Authorization, &plain)?;
        let result =
            wusp::AuthorizationCookie { plug_in_id: Some(PLUG_IN.to_owned()), cookie_data: Some(Binary(sealed)) };
        Ok(self.text(&GetAuthorizationCookieAnswer { result: Some(result) }))
    }

    pub(super) fn get_cookie(&self, request: &GetCookie) -> Result<Reply, Refusal> {
        let authorization = self.authorization(request)?;
        let anchors = self.old_anchors(request, &authorization)?;
        let known = request.last_change.map(Timestamp::as_millisecond);
        if known != Some(self.configuration.last_change_ms) {
            return Err(Refusal::new(ErrorCode::ConfigChanged));
        }
        let (major, minor) = request.validate()?;
        let number = |part: u32| u16::try_from(part).unwrap_or(u16::MAX);
        let cookie = Cookie {
            server: self.state.epoch(),
            expires_ms: self.expiry_ms(),
            last_change_ms: self.configuration.last_change_ms,
            protocol: ProtocolVersion { major: number(major), minor: number(minor) },
            anchors,
            computer: authorization.computer,
            dns_name: authorization.dns_name,
            requested_groups: authorization.requested_groups,
        };
        Ok(self.text(&GetCookieAnswer { result: Some(self.wire_cookie(&cookie)?) }))
    }

    /// The one authorization cookie of the request, if it is ours and fresh.
    fn authorization(&self, request: &GetCookie) -> Result<AuthorizationCookie, Refusal> {
        let invalid = || Refusal::new(ErrorCode::InvalidAuthorizationCookie);
        let [only] = request.auth_cookies.as_slice() else { return Err(invalid()) };
        if only.plug_in_id.as_deref().is_some_and(|name| !name.trim().eq_ignore_ascii_case(PLUG_IN)) {
            return Err(invalid());
        }
        let sealed = only.cookie_data.as_ref().ok_or_else(invalid)?;
        let plain = self.state.keys.open(Kind::Authorization, &sealed.0).ok_or_else(invalid)?;
        let cookie = AuthorizationCookie::decode(&plain).ok_or_else(invalid)?;
        let ours = cookie.server == self.state.epoch() && cookie.expires_ms > self.now.as_millisecond();
        if ours { Ok(cookie) } else { Err(invalid()) }
    }

    /// The anchors of the cookie of before. It may have expired, and be of an older configuration.
    fn old_anchors(&self, request: &GetCookie, authorization: &AuthorizationCookie) -> Result<Anchors, Refusal> {
        let Some(sealed) = request.old_cookie.as_ref().and_then(wusp::Cookie::sealed) else {
            return Ok(Anchors::default());
        };
        let opened = self.state.keys.open(Kind::Cookie, sealed).and_then(|plain| Cookie::decode(&plain));
        let old = opened.ok_or(Refusal::new(ErrorCode::InvalidCookie))?;
        if old.server != self.state.epoch() {
            return Err(Refusal::new(ErrorCode::ServerChanged));
        }
        not_ahead(&old.anchors, &self.state.live.current())?;
        // another computer's cache says nothing about this one's
        Ok(if old.computer == authorization.computer { old.anchors } else { Anchors::default() })
    }

    fn expiry_ms(&self) -> i64 {
        let lifetime = i64::try_from(self.configuration.settings.cookie_lifetime.as_millis()).unwrap_or(i64::MAX);
        self.now.as_millisecond().saturating_add(lifetime)
    }

    /// Seals a cookie for an answer.
    pub(super) fn wire_cookie(&self, cookie: &Cookie) -> Result<wusp::Cookie, Refusal> {
        let plain = cookie.encode().map_err(|_| Refusal::new(ErrorCode::InternalServerError))?;
        Ok(wusp::Cookie::new(timestamp(cookie.expires_ms), self.seal(Kind::Cookie, &plain)?))
    }

    fn seal(&self, kind: Kind, plain: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.state.keys.seal(kind, plain).map_err(|error| {
            tracing::error!(%error, "a cookie could not be sealed");
            Refusal::new(ErrorCode::InternalServerError)
        })
    }

    pub(super) fn start_category_scan(&self, request: &StartCategoryScan) -> Result<Reply, Refusal> {
        request.validate(&self.bounds())?;
        let requested: Vec<CategoryRelationship> = request
            .requested_categories
            .iter()
            .map(|entry| CategoryRelationship { group: entry.index_of_and_group, category: entry.category_id })
            .collect();
        let scan = self.state.live.current().snapshot.category_scan(&requested);
        let scan = scan.map_err(|_| Refusal::parameter("requestedCategories"))?;
        let answer = StartCategoryScanAnswer {
            preferred_category_ids: scan.preferred,
            requested_category_ids_in_error: scan.in_error,
        };
        Ok(self.text(&answer))
    }

    pub(super) async fn register_computer(&self, request: &RegisterComputer) -> Result<Reply, Refusal> {
        self.cookie(request.sealed())?;
        if !self.configuration.settings.registration_required {
            return Err(Refusal::new(ErrorCode::RegistrationNotRequired));
        }
        let info = request.validate()?;
        let caller = self.caller(request.sealed()).await?;
        let registration = registration(info);
        let (no, id) = (caller.computer.no, caller.cookie.computer.clone());
        self.state.ingest.register(no, id, registration, self.identity()).await?;
        Ok(self.text(&RegisterComputerAnswer {}))
    }

    pub(super) async fn refresh_cache(&self, request: &RefreshCache) -> Result<Reply, Refusal> {
        self.cookie(request.sealed())?;
        request.validate()?;
        let caller = self.caller(request.sealed()).await?;
        let ids: Vec<_> = request.global_ids.iter().map(|id| id.clone().into()).collect();
        let agenda = caller.agenda(self.now);
        let entries = caller.published.snapshot.refresh(&caller.scope.scope, agenda.as_deref(), &ids);
        let protocol = caller.cookie.protocol;
        let result = entries.into_iter().map(|(identity, entry)| RefreshCacheResult {
            revision_id: entry.id,
            global_id: Some(identity.into()),
            is_leaf: entry.is_leaf,
            deployment: Some(deployment(&entry, protocol)),
        });
        Ok(self.text(&RefreshCacheAnswer { result: result.collect() }))
    }
}

/// The instant of a number that this server stored.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn registration(info: &wusp::ComputerInfo) -> Registration {
    let info = info.clone();
    Registration {
        dns_name: info.dns_name.unwrap_or_default(),
        os_major_version: info.os_major_version,
        os_minor_version: info.os_minor_version,
        os_build_number: info.os_build_number,
        os_service_pack_major_number: info.os_service_pack_major_number,
        os_service_pack_minor_number: info.os_service_pack_minor_number,
        os_locale: info.os_locale,
        computer_manufacturer: info.computer_manufacturer,
        computer_model: info.computer_model,
        bios_version: info.bios_version,
        bios_name: info.bios_name,
        bios_release_date: info.bios_release_date,
        processor_architecture: info.processor_architecture,
        suite_mask: info.suite_mask,
        old_product_type: info.old_product_type,
        new_product_type: info.new_product_type,
        system_metrics: info.system_metrics,
        client_version_major_number: info.client_version_major_number,
        client_version_minor_number: info.client_version_minor_number,
        client_version_build_number: info.client_version_build_number,
        client_version_qfe_number: info.client_version_qfe_number,
        os_description: info.os_description,
        oem: info.oem,
        device_type: info.device_type,
        firmware_version: info.firmware_version,
        mobile_operator: info.mobile_operator,
    }
}
