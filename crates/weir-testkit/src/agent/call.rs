//! One call, the handshake before it, and recovery from faults.

use anyhow::{Context as _, Result, bail};
use weir_wire::{
    soap::{ErrorCode, Limits, SoapVersion},
    wusp::{
        ComputerInfo, Cookie, GetAuthorizationCookie, GetConfig, GetCookie, RefreshCache, RegisterComputer, Service,
        client::Call,
    },
};

use super::{ScriptedAgent, fault_code};

/// How many faults in a row the agent tries to recover from.
const ATTEMPTS: usize = 6;

impl ScriptedAgent {
    /// Sends one request as it is and reads the answer strictly. No handshake, no recovery.
    ///
    /// # Errors
    ///
    /// The connection failed; the answer is a fault (see [`fault_code`]) or breaks the service description.
    pub async fn call<C: Call>(&mut self, request: &C) -> Result<C::Answer> {
        let version = self.computer.soap;
        let mut body = String::new();
        request.encode(&mut body, version);
        let (service, path) = match C::OPERATION.service() {
            Service::Client => ("ClientWebService", "/ClientWebService/client.asmx".to_owned()),
            Service::Reporting => ("ReportingWebService", "/ReportingWebService/ReportingWebService.asmx".to_owned()),
            Service::SimpleAuth => ("SimpleAuth", format!("/{}", self.state.service_url.trim_start_matches('/'))),
        };
        let action = C::OPERATION.quoted_action();
        let agent =
            format!("Windows-Update-Agent/1507.2601.30012.0 Client-Protocol/{}", self.computer.protocol_version);
        let kind = match version {
            SoapVersion::V11 => version.content_type().to_owned(),
            SoapVersion::V12 => format!("{}; action={action}", version.content_type()),
        };
        let mut headers = vec![
            ("Cache-Control", "no-cache"),
            ("Connection", "Keep-Alive"),
            ("Pragma", "no-cache"),
            ("Content-Type", &kind),
            ("User-Agent", &agent),
        ];
        if self.computer.xpress {
            headers.push(("Accept-Encoding", "xpress"));
        }
        if version == SoapVersion::V11 {
            headers.push(("SOAPAction", &action));
        }
        let answer = self.connection.send("POST", &path, &headers, body.as_bytes()).await?;
        if answer.status != 200 && answer.status != 500 {
            bail!("{} was answered with HTTP status {}: {}", C::OPERATION, answer.status, answer.text());
        }
        self.sizes.push(answer.body.len() as u64);
        if let Some(folder) = &self.record_to {
            self.answers += 1;
            let name = format!("{:06}.{service}.{}.xml", self.answers, C::OPERATION);
            std::fs::create_dir_all(folder)?;
            std::fs::write(folder.join(name), &answer.body)?;
        }
        let decoded = C::decode(&answer.body, version, &generous());
        if decoded.is_ok() && answer.status != 200 {
            bail!("{} succeeded with HTTP status {}", C::OPERATION, answer.status);
        }
        decoded.with_context(|| answer.text().chars().take(2000).collect::<String>()).map_err(|error| {
            // keep the typed error reachable whatever is said around it
            match error.downcast::<weir_wire::wusp::client::CallError>() {
                Ok(typed) => typed.into(),
                Err(other) => other,
            }
        })
    }

    /// Sends a request that carries a cookie: makes the handshake that is needed, recovers from faults as MS-WUSP 3.2
    /// demands and sends it again. `request` is asked anew after each recovery, since RevisionIDs may have changed.
    pub(super) async fn call_with_cookie<C: Call>(
        &mut self,
        request: impl Fn(&Self, Option<Cookie>) -> C,
    ) -> Result<C::Answer> {
        let mut attempts = 0;
        loop {
            let result = match self.handshake().await {
                Ok(()) => {
                    let request = request(self, self.state.cookie.clone());
                    self.call(&request).await
                }
                Err(error) => Err(error),
            };
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            attempts += 1;
            if attempts > ATTEMPTS {
                return Err(error.context("recovery went round in circles"));
            }
            self.recover(error).await?;
        }
    }

    /// What to do about a fault (MS-WUSP 2.2.2.4, 3.2.5); anything else is the caller's.
    async fn recover(&mut self, error: anyhow::Error) -> Result<()> {
        let Some(code) = fault_code(&error) else { return Err(error) };
        match code {
            ErrorCode::InvalidCookie | ErrorCode::ServerChanged => {
                self.recovered.push(code);
                self.state.cookie = None;
                self.state.config = None;
                self.state.registered = false;
                self.handshake().await?;
                self.refresh_cache().await
            }
            ErrorCode::ConfigChanged => {
                self.recovered.push(code);
                self.state.config = None;
                self.renew_cookie().await
            }
            ErrorCode::CookieExpired => {
                self.recovered.push(code);
                self.renew_cookie().await
            }
            ErrorCode::RegistrationRequired => {
                self.recovered.push(code);
                self.register().await
            }
            _ => Err(error),
        }
    }

    /// Configuration, cookie and registration, as far as they are missing.
    ///
    /// # Errors
    ///
    /// As [`ScriptedAgent::call`].
    pub async fn handshake(&mut self) -> Result<()> {
        if self.state.cookie.is_none() {
            self.renew_cookie().await?;
        }
        let required = self.state.config.is_some_and(|(_, required)| required);
        if required && !self.state.registered { self.register().await } else { Ok(()) }
    }

    async fn configure(&mut self) -> Result<()> {
        let request = GetConfig { protocol_version: Some(self.computer.protocol_version.clone()) };
        let config = self.call(&request).await?.result.context("no GetConfigResult")?;
        let [plug_in] = config.auth_info.as_slice() else { bail!("not exactly one authorization plug-in") };
        self.state.service_url = plug_in.service_url.clone().unwrap_or_default();
        self.state.config = Some((config.last_change, config.is_registration_required));
        Ok(())
    }

    async fn renew_cookie(&mut self) -> Result<()> {
        for _ in 0..2 {
            if self.state.config.is_none() {
                self.configure().await?;
            }
            let request = GetAuthorizationCookie {
                client_id: Some(self.computer.client_id.clone()),
                target_group_name: self.computer.target_group.clone(),
                dns_name: Some(self.computer.dns_name.clone()),
            };
            let authorization = self.call(&request).await?.result.context("no GetAuthorizationCookieResult")?;
            let request = GetCookie {
                auth_cookies: vec![authorization],
                old_cookie: self.state.cookie.clone(),
                last_change: self.state.config.map(|(last_change, _)| last_change),
                current_time: Some(self.now()),
                protocol_version: Some(self.computer.protocol_version.clone()),
            };
            match self.call(&request).await {
                Ok(answer) => {
                    self.state.cookie = Some(answer.result.context("no GetCookieResult")?);
                    return Ok(());
                }
                Err(error) if fault_code(&error) == Some(ErrorCode::ConfigChanged) => {
                    self.recovered.push(ErrorCode::ConfigChanged);
                    self.state.config = None;
                }
                Err(error) => return Err(error),
            }
        }
        bail!("the configuration changes faster than it can be read")
    }

    async fn register(&mut self) -> Result<()> {
        let request = RegisterComputer {
            cookie: self.state.cookie.clone(),
            computer_info: Some(ComputerInfo {
                dns_name: Some(self.computer.dns_name.clone()),
                os_major_version: 10,
                os_minor_version: 0,
                os_build_number: self.computer.os_build,
                os_service_pack_major_number: 0,
                os_service_pack_minor_number: 0,
                os_locale: Some("en-US".into()),
                computer_manufacturer: Some("Example".into()),
                computer_model: Some("Test".into()),
                bios_version: Some("unknown".into()),
                bios_name: Some("unknown".into()),
                bios_release_date: "2022-02-02T00:00:00Z".parse().ok(),
                processor_architecture: Some("AMD64".into()),
                suite_mask: 256,
                old_product_type: self.computer.product_type,
                new_product_type: 48,
                system_metrics: 0,
                client_version_major_number: 1507,
                client_version_minor_number: 2601,
                client_version_build_number: 30_012,
                client_version_qfe_number: 0,
                os_description: Some(self.computer.os_description.clone()),
                oem: Some("Example".into()),
                device_type: Some("Test".into()),
                firmware_version: Some("unknown".into()),
                mobile_operator: Some("Not Present".into()),
            }),
        };
        self.call(&request).await?;
        self.state.registered = true;
        Ok(())
    }

    /// Asks for the present RevisionIDs of everything cached and drops what the server does not name.
    ///
    /// # Errors
    ///
    /// As [`ScriptedAgent::call`].
    pub async fn refresh_cache(&mut self) -> Result<()> {
        if self.state.cache.is_empty() {
            return Ok(());
        }
        let request = RefreshCache {
            cookie: self.state.cookie.clone(),
            global_ids: self.state.cache.values().map(|cached| cached.identity.into()).collect(),
        };
        let results = self.call(&request).await?.result;
        let mut old = std::mem::take(&mut self.state.cache);
        for result in results {
            let identity = result.global_id.context("a RefreshCacheResult without GlobalID")?.into();
            let deployment = result.deployment.context("a RefreshCacheResult without Deployment")?;
            let Some((&id, _)) = old.iter().find(|(_, cached)| cached.identity == identity) else {
                bail!("RefreshCache named {identity}, which was not asked for or named before");
            };
            let Some(mut cached) = old.remove(&id) else { continue };
            cached.is_leaf = result.is_leaf;
            cached.deploy(deployment);
            if self.state.cache.insert(result.revision_id.0, cached).is_some() {
                bail!("RefreshCache gave RevisionID {} twice", result.revision_id);
            }
        }
        Ok(())
    }
}

/// A test may ask for large answers.
fn generous() -> Limits {
    Limits {
        body: 512 << 20,
        text: 128 << 20,
        elements: 20_000_000,
        ids: 1_000_000,
        list: 1_000_000,
        ..Limits::default()
    }
}
