//! Answers one API request: who may ask, what was asked, and which file knows the reply.
//!
//! Called with a site that is up to date. Knows nothing of connections or of faults on the way.

mod availability;
mod configuration;
mod network;
mod software;
mod system;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::device::Device;
use crate::operation::Operation;
use crate::reply::{self, Markup};
use crate::request::{ApiRequest, Command};
use crate::site::Site;
use crate::world::World;

/// A device with everything around it that a reply may speak of.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) site: &'a mut Site,
    pub(crate) index: usize,
}

impl Scene<'_> {
    fn device(&self) -> &Device {
        &self.site.devices[self.index]
    }

    fn device_mut(&mut self) -> &mut Device {
        &mut self.site.devices[self.index]
    }

    fn now(&self) -> Timestamp {
        self.site.now()
    }
}

/// What a request asks for, as far as it can be told without a device.
#[derive(Debug)]
pub(crate) enum Question {
    Asked(Operation, Command),
    /// The reply to what nobody understands.
    Refused(u16, String),
}

impl Question {
    pub(crate) fn of(request: &ApiRequest) -> Self {
        let plain = |operation| Self::Asked(operation, Command::default());
        match (
            request.parameter("type"),
            request.parameter("category"),
            request.parameter("action"),
        ) {
            ("op", ..) => match Command::parse(request.parameter("cmd")) {
                Err(_) => Self::Refused(18, "Malformed command".to_owned()),
                Ok(command) => match Operation::of(&command) {
                    Ok(operation) => Self::Asked(operation, command),
                    Err(text) => Self::Refused(17, text),
                },
            },
            ("keygen", ..) => plain(Operation::Keygen),
            ("export", "configuration", _) => plain(Operation::ExportConfiguration),
            ("config", _, "get") => plain(Operation::ConfigGet),
            (kind, ..) => Self::Refused(400, format!("Bad request: type {kind} is not supported")),
        }
    }

    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            Self::Asked(operation, _) => Some(*operation),
            Self::Refused(..) => None,
        }
    }
}

/// The key of a device's administrator: fixed by the seed, so that a run repeats. Letters, digits and `=` only;
/// pan-python sends it without percent-encoding.
pub(crate) fn api_key(world: &World, device: &Device) -> String {
    let digest = Sha256::new()
        .chain_update(world.seed.draw(&device.name, "key", 0).to_be_bytes())
        .chain_update(world.credentials.user.as_bytes())
        .chain_update([0])
        .chain_update(world.credentials.password.as_bytes())
        .finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("LUFRPT1{hex}==")
}

/// The reply of a device whose API is up.
pub(crate) fn answer(scene: &mut Scene<'_>, request: &ApiRequest, question: &Question) -> Response<Bytes> {
    let (operation, command) = match question {
        Question::Asked(Operation::Keygen, _) => return keygen(scene, request),
        _ if request.key.as_deref() != Some(api_key(scene.world, scene.device()).as_str()) => {
            return reply::invalid_credential();
        }
        Question::Refused(code, text) => return reply::error(*code, text),
        Question::Asked(operation, command) => (*operation, command),
    };
    match operation {
        Operation::Keygen => keygen(scene, request),
        Operation::ExportConfiguration => configuration::export(scene),
        Operation::ConfigGet => configuration::get(scene, request.parameter("xpath")),
        Operation::RunningConfig => configuration::running(scene),
        Operation::ConfigLocks => configuration::config_locks(scene),
        Operation::CommitLocks => reply::success(Markup::new().raw("<commit-locks/>")),
        Operation::PendingChanges => configuration::pending(scene),
        Operation::FullCommitRequired => reply::done("no"),
        Operation::SystemInfo => system::info(scene),
        Operation::DiskSpace => system::disk_space(scene),
        Operation::SystemState => system::state(scene, command),
        Operation::SystemResources => system::resources(),
        Operation::Environmentals => system::environmentals(scene),
        Operation::JumboFrame => reply::done("off"),
        Operation::ChassisReady => system::chassis_ready(scene, command),
        Operation::Clock => system::clock(scene),
        Operation::ClockMore => system::clock_more(scene),
        Operation::License => system::license(scene),
        Operation::Support => system::support(),
        Operation::Ntp => system::ntp(scene),
        Operation::PanoramaStatus => reply::success(Markup::new()),
        Operation::ResourceMonitor => system::resource_monitor(),
        Operation::AllJobs => software::all_jobs(scene),
        Operation::OneJob => software::one_job(scene, command),
        Operation::SoftwareCheck => software::check(scene),
        Operation::SoftwareInfo => software::list(scene),
        Operation::Download => software::download(scene, command),
        Operation::Install => software::install(scene, command),
        Operation::PartitionStatus => software::partitions(scene),
        Operation::PartitionRevert => software::revert(scene),
        Operation::ContentList => software::content_list(scene),
        Operation::ContentDownload => software::download_content(scene),
        Operation::ContentInstall => software::install_content(scene),
        Operation::Restart => availability::restart(scene),
        Operation::HaState => availability::state(scene),
        Operation::HaSuspend => availability::suspend(scene),
        Operation::HaFunctional => availability::functional(scene),
        Operation::SessionInfo => network::session_info(scene),
        Operation::SessionAll => reply::success(Markup::new()),
        Operation::Arp => network::arp(scene),
        Operation::TunnelFlow => {
            reply::success(Markup::new().raw("<total>0</total><num_ipsec>0</num_ipsec><IPSec/>"))
        }
        Operation::Interfaces => network::interfaces(scene, command),
        Operation::Routes => network::routes(scene),
        Operation::Fib => network::fib(scene),
        Operation::BgpPeers => reply::success(Markup::new()),
    }
}

fn keygen(scene: &mut Scene<'_>, request: &ApiRequest) -> Response<Bytes> {
    scene.device_mut().counters.logins += 1;
    let known = &scene.world.credentials;
    if request.parameter("user") == known.user && request.parameter("password") == known.password {
        reply::success(Markup::new().leaf("key", &api_key(scene.world, scene.device())))
    } else {
        reply::invalid_credential()
    }
}
