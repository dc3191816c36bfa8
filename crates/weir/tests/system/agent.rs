//! Weir's own agent against Weir: whole scans, deployments, downloads, and what goes wrong on the way.

mod command;
mod deploying;
mod moving;
mod scanning;

use std::{borrow::Cow, sync::Arc};

use weir_agent::{
    address::Address,
    agent::{Agent, Round, RoundOptions},
    computer::{Computer, Description, Installable, Installed},
    deploy::Rules,
    download::{Download, Keep},
    http::HttpSettings,
    library::Library,
    link::Link,
    scan::{Extended, Options},
    state::State,
    talk::Watch,
    world::SystemWorld,
};
use weir_model::{
    applicability::{Bounds, Context, Facts, facts::System, memory::Memory, refute, satisfy},
    document::rules::Rule,
};
use weir_testkit::WeirProcess;

/// A computer in memory: installing an update makes its rules hold.
struct Pc {
    description: Description,
    memory: Memory,
    /// What becomes effective with the next restart.
    waiting: Vec<weir_model::applicability::Change>,
    needs_restart: bool,
    fails: Option<i32>,
    restarts: u32,
    /// Titles in the order of their installation.
    installed: Vec<String>,
}

impl Pc {
    fn new(number: u128) -> Self {
        let id = uuid::Uuid::from_u128(number).to_string().parse().expect("a client id");
        let mut description = Description::new(id, format!("pc{number}.example.test"), [10, 0, 19_045, 4_000]);
        description.os_name = "Windows 10 Pro".into();
        let system = System {
            version: Some((10, 0, 19_045)),
            service_pack: Some((0, 0)),
            suite_mask: Some(256),
            product_type: Some(1),
            platform_id: Some(2),
            architecture: Some(9),
            processor_level: Some(6),
            processor_revision: Some(0),
            processors: Some(4),
            memory_mib: Some(8_192),
            language: Some("en".into()),
            mui_languages: Some(Vec::new()),
            clustered: Some(false),
        };
        let mut memory = Memory::new(system);
        for (csidl, path) in [
            (36, "C:\\Windows"),
            (37, "C:\\Windows\\System32"),
            (38, "C:\\Program Files"),
            (41, "C:\\Windows\\SysWOW64"),
            (42, "C:\\Program Files (x86)"),
            (43, "C:\\Program Files\\Common Files"),
            (44, "C:\\Program Files (x86)\\Common Files"),
        ] {
            memory.set_folder(csidl, path);
        }
        Self {
            description,
            memory,
            waiting: Vec::new(),
            needs_restart: false,
            fails: None,
            restarts: 0,
            installed: Vec::new(),
        }
    }

    fn change(&mut self, update: &Installable<'_>, hold: bool) -> Installed {
        if let Some(code) = self.fails {
            return Installed::Failed(code);
        }
        let mut changes = Vec::new();
        for part in update.parts() {
            let core = part.core();
            let Some(expr) = core.rules.is_installed.as_ref().and_then(Rule::expr) else { continue };
            let solve = if hold { satisfy } else { refute };
            changes.extend(solve(expr, &self.memory, &Context::from(core), &Bounds::default()).expect("a way"));
        }
        self.installed.push(update.title.unwrap_or_default().to_owned());
        if self.needs_restart {
            self.waiting.extend(changes);
            return Installed::AfterRestart;
        }
        self.memory.apply_all(&changes).expect("applied");
        Installed::Done
    }
}

impl Computer for Pc {
    fn description(&self) -> Cow<'_, Description> {
        Cow::Borrowed(&self.description)
    }

    fn facts(&self) -> &dyn Facts {
        &self.memory
    }

    fn install(&mut self, update: &Installable<'_>) -> Installed {
        self.change(update, true)
    }

    fn uninstall(&mut self, update: &Installable<'_>) -> Installed {
        self.change(update, false)
    }

    fn restart(&mut self) -> bool {
        self.restarts += 1;
        self.memory.apply_all(&std::mem::take(&mut self.waiting)).expect("applied");
        true
    }
}

/// An agent with everything it has.
struct Player {
    pc: Pc,
    state: State,
    library: Library,
    link: Link,
    options: RoundOptions,
}

impl Player {
    fn new(server: &WeirProcess, number: u128) -> Self {
        let http = Arc::new(HttpSettings::default());
        let options = RoundOptions {
            scan: Arc::new(Options { extended: Extended::Shown, ..Options::default() }),
            online: true,
            download: Some(Download::new(Keep::Nothing, Arc::clone(&http))),
            install: true,
            rules: Rules::default(),
            report: true,
        };
        let link = Link::new(Address::parse(&server.client_url()).expect("an address"), http);
        Self { pc: Pc::new(number), state: State::default(), library: Library::new(), link, options }
    }

    fn move_to(&mut self, server: &WeirProcess) {
        let http = Arc::clone(self.link.settings());
        self.link = Link::new(Address::parse(&server.client_url()).expect("an address"), http);
    }

    async fn round(&mut self) -> Round {
        self.round_watched(&mut |_, _, _| {}).await
    }

    async fn round_watched(&mut self, watch: &mut Watch<'_>) -> Round {
        let mut agent = Agent {
            computer: &mut self.pc,
            state: &mut self.state,
            library: &self.library,
            link: &mut self.link,
            world: &SystemWorld,
        };
        agent.run_once(&self.options, watch).await
    }

    /// A round in which nothing goes wrong.
    async fn good_round(&mut self) -> Round {
        let round = self.round().await;
        assert_eq!((&round.problem, &round.report_problem), (&None, &None));
        assert!(self.state.events.is_empty(), "everything is acknowledged");
        round
    }

    /// Identities in the cache.
    fn known(&self) -> Vec<weir_model::ids::UpdateIdentity> {
        let mut known: Vec<_> = self.state.cache.entries().iter().map(|entry| entry.identity()).collect();
        known.sort_unstable();
        known
    }
}
